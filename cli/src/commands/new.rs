//! `skrei new`.

use std::{
    io::{self, BufRead, IsTerminal, Write as _},
    path::{Path, PathBuf},
};

use clap::{Args, ValueEnum};

use crate::{
    error::Error,
    exit,
    guest::{language::Language, template},
    terminal::{self, style},
};

/// Start a project for a guest.
#[derive(Debug, Args)]
#[command(
    after_help = "The project has a program, its job file and a test, and nothing of it is fetched: it is all in this \
    program. `skrei build` in it makes the module."
)]
pub(crate) struct New {
    /// What the project is called: lower-case letters, digits and `-`
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// The language; asked for on a terminal
    #[arg(long, value_enum, value_name = "ID")]
    lang: Option<Language>,
    /// The directory to make [default: NAME]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

impl New {
    pub(super) fn run(self) -> Result<u8, Error> {
        let name = match self.name {
            Some(name) => name,
            None => ask("Name of the project", "name one: skrei new NAME --lang ID")?,
        };
        template::check_name(&name)?;
        let language = match self.lang {
            Some(language) => language,
            None => choose()?,
        };
        let directory = self.dir.unwrap_or_else(|| PathBuf::from(&name));
        let made = template::instantiate(language, &name, &directory)?;
        show(&directory, &made)?;
        Ok(exit::SUCCESS)
    }
}

fn show(directory: &Path, made: &[String]) -> Result<(), Error> {
    for file in made {
        terminal::data(&directory.join(file).display().to_string())?;
    }
    let style = style::stderr();
    terminal::note(&format!(
        "\n{}\n  cd {}\n  skrei build\n  skrei run",
        style.bold("Go on with"),
        directory.display()
    ));
    Ok(())
}

/// Shows the languages, and takes a number or a name.
fn choose() -> Result<Language, Error> {
    let languages = Language::value_variants();
    let ids: Vec<_> = languages.iter().map(|language| language.id()).collect();
    let instead = format!("name a language: --lang {}", ids.join("|"));
    if io::stdin().is_terminal() {
        for (number, language) in (1..).zip(languages) {
            let value = language.to_possible_value();
            let help = value.as_ref().and_then(|value| value.get_help()).map(ToString::to_string);
            terminal::note(&format!("{number:>3}  {:<16}{}", language.id(), help.unwrap_or_default()));
        }
    }
    let answer = ask("Language", &instead)?;
    let by_number = answer.parse::<usize>().ok().and_then(|number| languages.get(number.checked_sub(1)?));
    let by_name = || Language::from_str(&answer, true).ok();
    by_number.copied().or_else(by_name).ok_or_else(|| {
        Error::usage(format!("there is no language `{}`", answer.escape_debug())).hint(instead.clone())
    })
}

/// Asks a person; where nobody is there to be asked, says what to write instead.
fn ask(question: &str, instead: &str) -> Result<String, Error> {
    if !io::stdin().is_terminal() {
        return Err(Error::usage(format!("{} is not given", question.to_lowercase())).hint(instead));
    }
    let mut stderr = io::stderr().lock();
    let _ = write!(stderr, "{question}: ");
    let _ = stderr.flush();
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    match answer.trim() {
        "" => Err(Error::usage(format!("{} is not given", question.to_lowercase())).hint(instead)),
        answer => Ok(answer.to_owned()),
    }
}
