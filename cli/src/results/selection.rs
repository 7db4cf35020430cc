//! Which part of the results is wanted.

use std::{
    fmt,
    path::{Component, Path, PathBuf},
};

use crate::error::Error;

/// Everything, or one file or directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Selection(PathBuf);

impl Selection {
    /// Reads what stands behind the job.
    ///
    /// # Errors
    /// If it leads out of the results.
    pub(crate) fn parse(file: Option<&str>) -> Result<Self, Error> {
        let file = Path::new(file.unwrap_or_default().trim_matches('/'));
        if file.components().all(|step| matches!(step, Component::Normal(_))) {
            return Ok(Self(file.to_owned()));
        }
        Err(Error::usage(format!("`{}` is not a path in the results", file.display()))
            .hint("write it as it is in there, such as `outputs/report.txt`"))
    }

    /// Whether a path of the results is wanted.
    pub(super) fn includes(&self, path: &Path) -> bool {
        path.starts_with(&self.0)
    }
}

impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.display())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selection_is_a_file_or_a_directory_with_all_that_is_in_it() {
        let chosen = Selection::parse(Some("outputs/a")).unwrap();
        let includes = |path: &str| chosen.includes(Path::new(path));
        assert!(includes("outputs/a") && includes("outputs/a/b"));
        assert!(!includes("outputs") && !includes("outputs/ab") && !includes("stdout"));
        assert!(Selection::parse(None).unwrap().includes(Path::new("stdout")));
        assert!(Selection::parse(Some("../x")).is_err() && Selection::parse(Some("a/../../x")).is_err());
    }
}
