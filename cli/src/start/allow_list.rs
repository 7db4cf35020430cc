//! The allow-list, as far as starting a node is concerned.

use skrei_compute::AllowList;

use crate::error::Error;

/// Reads the entries.
///
/// # Errors
/// The first entry that cannot be understood.
pub(super) fn parse(entries: &[String]) -> Result<AllowList, Error> {
    AllowList::parse(entries).map_err(|error| {
        let hint = error.hint().to_owned();
        Error::usage(format!("Compute.AllowListedLocalPaths: {error}")).hint(hint)
    })
}
