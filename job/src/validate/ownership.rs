//! Mode and owner of what a guest makes: parameters of a writable source.

use super::params::Params;
use crate::{
    ownership::{FileMode, Owner, Ownership},
    path::Path,
    problem::{Problem, quoted},
};

const MODE_HINT: &str = "octal digits as `chmod` takes them, such as `0600`";

pub(super) fn read(params: &Params<'_>, read_write: bool, problems: &mut Vec<Problem>) -> Ownership {
    let before = problems.len();
    let ownership = Ownership {
        file: mode(params, "FileMode", problems),
        named: params
            .texts_by_name("FileModes", problems)
            .into_iter()
            .filter_map(|(name, text, path)| {
                if matches!(name, "" | "." | "..") || name.contains(['/', '\0']) {
                    let message = format!("{} is not the name of a file", quoted(name));
                    problems.push(Problem::new(&path, message).hint("one name, without its directory"));
                }
                Some((name.to_owned(), parsed(&text, &path, problems)?))
            })
            .collect(),
        dir: mode(params, "DirMode", problems),
        owner: owner(params, problems),
    };
    let asked = ["FileMode", "FileModes", "DirMode", "Owner"].into_iter().find(|name| params.has(name));
    if let (Some(name), false, true) = (asked, read_write, problems.len() == before) {
        problems.push(
            Problem::new(params.path(name), "nothing is made in a source that is not writable")
                .hint("add `ReadWrite: true`"),
        );
    }
    ownership
}

fn mode(params: &Params<'_>, name: &str, problems: &mut Vec<Problem>) -> Option<FileMode> {
    let text = params.text(name, problems)?;
    parsed(&text, &params.path(name), problems)
}

fn parsed(text: &str, path: &Path, problems: &mut Vec<Problem>) -> Option<FileMode> {
    match text.parse() {
        Ok(mode) => Some(mode),
        Err(refused) => {
            problems.push(Problem::new(path, format!("{} {}", quoted(text), refused.0)).hint(MODE_HINT));
            None
        }
    }
}

fn owner(params: &Params<'_>, problems: &mut Vec<Problem>) -> Option<Owner> {
    let text = params.text("Owner", problems)?;
    match text.parse() {
        Ok(owner) => Some(owner),
        Err(_) => {
            let hint = "`USER:GROUP`, names or numbers the node knows, such as `root:nginx`";
            problems.push(
                Problem::new(params.path("Owner"), format!("{} is not an owner", quoted(&text))).hint(hint),
            );
            None
        }
    }
}
