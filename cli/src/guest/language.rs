//! The languages there is a guest template for.

use std::path::Path;

use clap::ValueEnum;

/// A language, or a way to use one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Language {
    /// Rust: a module for WASI preview 1
    Rust,
    /// Rust: a component
    RustComponent,
    /// C, by Zig's compiler or a clang with a libc for WASI
    C,
    /// C++, by the same, without exceptions
    Cpp,
    /// Zig
    Zig,
    /// Go, its whole runtime with it
    Go,
    /// Python, as a component with CPython inside
    Python,
    /// JavaScript, as a component with an engine inside
    Javascript,
    /// AssemblyScript: small modules in a language like TypeScript
    Assemblyscript,
    /// WebAssembly's own text format
    Wat,
}

impl Language {
    /// The word for it, in `--lang` and as the name of its template.
    pub(crate) fn id(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::RustComponent => "rust-component",
            Self::C => "c",
            Self::Cpp => "cpp",
            Self::Zig => "zig",
            Self::Go => "go",
            Self::Python => "python",
            Self::Javascript => "javascript",
            Self::Assemblyscript => "assemblyscript",
            Self::Wat => "wat",
        }
    }

    /// The language of the project in a directory, as its files tell.
    pub(crate) fn of(directory: &Path) -> Option<Self> {
        let has = |name: &str| directory.join(name).is_file();
        if has("Cargo.toml") {
            return Some(Self::Rust);
        }
        if has("go.mod") {
            return Some(Self::Go);
        }
        if let Ok(package) = std::fs::read_to_string(directory.join("package.json")) {
            let is_assembly = package.contains("\"assemblyscript\"");
            return Some(if is_assembly { Self::Assemblyscript } else { Self::Javascript });
        }
        if has("app.py") {
            return Some(Self::Python);
        }
        let by_ending =
            [("zig", Self::Zig), ("cpp", Self::Cpp), ("cc", Self::Cpp), ("c", Self::C), ("wat", Self::Wat)];
        by_ending
            .into_iter()
            .find(|(ending, _)| !sources(directory, ending).is_empty())
            .map(|(_, found)| found)
    }
}

/// The files of a directory that end so, in order.
pub(crate) fn sources(directory: &Path, ending: &str) -> Vec<std::path::PathBuf> {
    let Ok(entries) = std::fs::read_dir(directory) else { return Vec::new() };
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut found: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|found| found == ending) && path.is_file())
        .collect();
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_s_files_tell_its_language() {
        for (file, content, language) in [
            ("Cargo.toml", "", Some(Language::Rust)),
            ("go.mod", "", Some(Language::Go)),
            (
                "package.json",
                r#"{"devDependencies": {"assemblyscript": "1"}}"#,
                Some(Language::Assemblyscript),
            ),
            ("package.json", "{}", Some(Language::Javascript)),
            ("app.py", "", Some(Language::Python)),
            ("main.c", "", Some(Language::C)),
            ("main.cc", "", Some(Language::Cpp)),
            ("notes.txt", "", None),
        ] {
            let directory = tempfile::tempdir().unwrap();
            std::fs::write(directory.path().join(file), content).unwrap();
            assert_eq!(Language::of(directory.path()), language, "{file}");
        }
    }
}
