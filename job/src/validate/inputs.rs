//! Input sources: where content comes from, and at which path the guest finds it.

use std::collections::BTreeMap;

use super::{
    inline::{self, Content},
    ownership,
    params::{self, Params},
    remote,
};
use crate::{
    Digest,
    archive::Archive,
    guest_path,
    manifest::{InputSource, Typed},
    path::Path,
    problem::{Problem, listed, nearest, quoted},
    spec::{CreateAs, HostPath, Input, Mode, Source},
};

/// One entry per written input source; none where it could not be understood.
pub(super) type Sources = Vec<Option<Input>>;

pub(crate) const SUPPORTED: &[&str] =
    &["local", "localDirectory", "inline", "artifact", "scratch", "urlDownload", "s3"];
const NOT_YET: &[&str] = &["s3managed", "ipfs", "git", "gitlfs"];

pub(crate) const HOST_PATH: &[&str] =
    &["SourcePath", "ReadWrite", "CreateAs", "FileMode", "FileModes", "DirMode", "Owner"];
pub(crate) const ARTIFACT: &[&str] = &["Digest", "Size"];
pub(crate) const INLINE: &[&str] = &["URL"];

/// What a source that is not there becomes.
pub(crate) const CREATE_AS: &[&str] = &["noCreate", "dir", "file"];

/// Spells the parameters the canonical way.
pub(super) fn normalise(written: &mut [InputSource]) {
    for input in written {
        let known = match input.source.kind.trim().to_lowercase().as_str() {
            "local" | "localdirectory" => HOST_PATH,
            "artifact" => ARTIFACT,
            "inline" => INLINE,
            "urldownload" => remote::DOWNLOAD,
            "s3" => remote::OBJECTS,
            _ => continue,
        };
        params::canonical(&mut input.source.params, known);
        remote::canonical_partition(&mut input.source);
    }
}

pub(super) fn read(written: &[InputSource], task: &Path, problems: &mut Vec<Problem>) -> Sources {
    let path = task.key("InputSources");
    let mut aliases: BTreeMap<&str, usize> = BTreeMap::new();
    let mut targets: BTreeMap<String, usize> = BTreeMap::new();
    let mut sources = Vec::with_capacity(written.len());
    for (index, input) in written.iter().enumerate() {
        let path = path.index(index);
        if !input.alias.is_empty()
            && let Some(first) = aliases.insert(&input.alias, index)
        {
            let message = format!("{} is also the alias of source {first}", quoted(&input.alias));
            problems.push(Problem::new(path.key("Alias"), message));
        }
        let target = match guest_path::normalise(&input.target) {
            Ok(target) => Some(target),
            Err(_) if input.target.trim().is_empty() => {
                problems.push(
                    Problem::new(path.key("Target"), "an input source needs a target")
                        .hint("the path at which the guest finds it, such as `Target: /inputs`"),
                );
                None
            }
            Err(reason) => {
                problems
                    .push(Problem::new(path.key("Target"), format!("{} {reason}", quoted(&input.target))));
                None
            }
        };
        let source = source(&input.source, &path.key("Source"), problems);
        // A download lies in its target, by its name; several may share one.
        let target = match (&source, target) {
            (Some(Source::Download(download)), Some(target)) => {
                Some(format!("{}/{}", target.trim_end_matches('/'), download.name()))
            }
            (_, target) => target,
        };
        if let Some(target) = &target
            && let Some(first) = targets.insert(target.clone(), index)
        {
            let message = format!("{} is also the target of source {first}", quoted(&input.target));
            problems.push(Problem::new(path.key("Target"), message));
        }
        sources.push(source.zip(target).map(|(source, target)| Input { source, target }));
    }
    sources
}

fn source(written: &Typed, path: &Path, problems: &mut Vec<Problem>) -> Option<Source> {
    let params = path.key("Params");
    match written.kind.trim().to_lowercase().as_str() {
        "local" | "localdirectory" => host_path(written, params, problems),
        "artifact" => artifact(written, params, problems),
        "inline" => inline_content(written, params, problems),
        "urldownload" => remote::download(written, params, problems).map(Source::Download),
        "s3" => remote::objects(written, params, problems).map(Source::Objects),
        "scratch" => {
            Params::read(&written.params, params, "a `scratch` source", &[], problems);
            Some(Source::Scratch)
        }
        "" => {
            let hint = format!("the types are {}", listed(SUPPORTED.iter().copied()));
            problems.push(Problem::new(path.key("Type"), "a source needs a type").hint(hint));
            None
        }
        known if NOT_YET.contains(&known) => {
            let hint = format!(
                "supported now are {}; a file of the node is read with `local`",
                listed(SUPPORTED.iter().copied())
            );
            let message = format!("sources of type {} are not supported yet", quoted(&written.kind));
            problems.push(Problem::new(path.key("Type"), message).hint(hint));
            None
        }
        other => {
            let hint = match nearest(other, SUPPORTED.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("the types are {}", listed(SUPPORTED.iter().copied())),
            };
            let message = format!("{} is not a type of source", quoted(&written.kind));
            problems.push(Problem::new(path.key("Type"), message).hint(hint));
            None
        }
    }
}

fn host_path(written: &Typed, path: Path, problems: &mut Vec<Problem>) -> Option<Source> {
    let params = Params::read(&written.params, path, "a `local` source", HOST_PATH, problems);
    let before = problems.len();
    let path = params.required("SourcePath", "the absolute path on the node", problems);
    let read_write = params.boolean("ReadWrite", problems);
    let word = params.text("CreateAs", problems).unwrap_or_default();
    let create = match word.trim().to_lowercase().as_str() {
        "" | "nocreate" => CreateAs::Nothing,
        "dir" => CreateAs::Directory,
        "file" => CreateAs::File,
        _ => {
            let message = format!("{} is not one of {}", quoted(&word), listed(CREATE_AS.iter().copied()));
            problems.push(Problem::new(params.path("CreateAs"), message));
            CreateAs::Nothing
        }
    };
    if create != CreateAs::Nothing && !read_write {
        problems.push(
            Problem::new(params.path("CreateAs"), "only a writable source can be created")
                .hint("add `ReadWrite: true`"),
        );
    }
    let ownership = ownership::read(&params, read_write, problems);
    let path = path?;
    if !path.starts_with('/') || path.contains('\0') {
        problems.push(
            Problem::new(params.path("SourcePath"), format!("{} is not an absolute path", quoted(&path)))
                .hint("it is a path on the node, which knows nothing of where the job was written"),
        );
    } else if create == CreateAs::File && path.ends_with('/') {
        problems.push(
            Problem::new(
                params.path("SourcePath"),
                format!("{} is to be a file, but ends in `/`", quoted(&path)),
            )
            .hint("remove the `/`, or write `CreateAs: dir`"),
        );
    }
    let mode = if read_write { Mode::ReadWrite } else { Mode::ReadOnly };
    (problems.len() == before).then_some(Source::HostPath(HostPath { path, mode, create, ownership }))
}

fn artifact(written: &Typed, path: Path, problems: &mut Vec<Problem>) -> Option<Source> {
    let params = Params::read(&written.params, path, "an `artifact` source", ARTIFACT, problems);
    let digest = params.required("Digest", "`sha256:` and 64 hexadecimal digits", problems);
    let size = params.required("Size", "the number of bytes", problems);
    let digest = digest.and_then(|text| match text.trim().parse::<Digest>() {
        Ok(digest) => Some(digest),
        Err(_) => {
            problems.push(
                Problem::new(params.path("Digest"), "not a digest")
                    .hint("`sha256:` and 64 hexadecimal digits"),
            );
            None
        }
    });
    let size = size.and_then(|text| match text.trim().parse::<u64>() {
        Ok(size) => Some(size),
        Err(_) => {
            let message = format!("{} is not a number of bytes", quoted(&text));
            problems.push(Problem::new(params.path("Size"), message));
            None
        }
    });
    digest.zip(size).map(|(digest, size)| Source::Artifact { digest, size })
}

fn inline_content(written: &Typed, path: Path, problems: &mut Vec<Problem>) -> Option<Source> {
    let params = Params::read(&written.params, path, "an `inline` source", INLINE, problems);
    let url = params.required("URL", "`data:text/plain,Hello` or `data:;base64,SGVsbG8=`", problems)?;
    match inline::decode(&url) {
        Ok(Content::File(content)) => Some(Source::Inline(content)),
        Ok(Content::Archive(archive)) => match Archive::unpack(&archive) {
            Ok(_) => Some(Source::Archive(archive)),
            Err(error) => {
                let problem = Problem::new(params.path("URL"), format!("the archive is refused: {error}"));
                problems.push(problem.hint("pack plain files: `tar czf - -C DIR . | base64`"));
                None
            }
        },
        Err(refused) => {
            problems.push(Problem::new(params.path("URL"), refused.message).hint(refused.hint));
            None
        }
    }
}
