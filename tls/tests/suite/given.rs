//! Files to work with.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use skrei_tls::{Authority, PairFiles};

/// An authority with a pair for these names.
pub(crate) fn authority(directory: &Path, names: &[&str]) -> (Arc<Authority>, PairFiles) {
    let authority = Authority::open(directory.to_owned()).unwrap();
    authority.provide(&set(names), SystemTime::now()).unwrap();
    let files = authority.server_files();
    (Arc::new(authority), files)
}

pub(crate) fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

/// A pair of its own authority, moved to where it is to be served from.
pub(crate) fn put(name: &str, into: &PairFiles) {
    let temp = tempfile::tempdir().unwrap();
    let (_, made) = authority(temp.path(), &[name]);
    std::fs::copy(made.key, &into.key).unwrap();
    std::fs::copy(made.certificate, &into.certificate).unwrap();
}

pub(crate) fn files(directory: &Path) -> PairFiles {
    PairFiles { certificate: at(directory, "tls.crt"), key: at(directory, "tls.key") }
}

fn at(directory: &Path, name: &str) -> PathBuf {
    directory.join(name)
}
