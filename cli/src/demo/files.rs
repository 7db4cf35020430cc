//! What the demo puts on the disk: the example as it is in the source, and the throwaway certificate.

use std::{
    fs,
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use super::certificate::Throwaway;
use crate::error::Error;

const JOB: &str = include_str!("../../../examples/deploy-certs/job.yaml");
const MODULE: &[u8] = include_bytes!(env!("DEPLOY_CERTS_WASM"));

/// Where the job file says its module is.
const MODULE_PATH: &str = "guest/target/wasm32-wasip1/release/deploy-certs.wasm";

/// Where each node keeps what jobs know as [`JOB_PATH`].
pub(crate) const NODE_PATH: &str = "etc/nginx/ssl";

/// The path the job asks for.
pub(crate) const JOB_PATH: &str = "/etc/nginx/ssl";

/// Where things are.
pub(crate) struct Files {
    /// Everything is below.
    pub(crate) root: PathBuf,
}

impl Files {
    /// Writes the example and the certificate, and makes each node's directory.
    ///
    /// # Errors
    /// The disk is full, or is not ours.
    pub(crate) fn write<'a>(
        root: &Path,
        certificate: &Throwaway,
        nodes: impl IntoIterator<Item = &'a String>,
    ) -> Result<Self, Error> {
        let files = Self { root: root.to_owned() };
        let failed = |error: io::Error| Error::unavailable(format!("write to `{}`: {error}", root.display()));
        let private = [("job.yaml", JOB.as_bytes()), (MODULE_PATH, MODULE)];
        for (path, content) in private {
            write(&root.join(path), content).map_err(failed)?;
        }
        write(&files.fullchain(), certificate.fullchain.as_bytes()).map_err(failed)?;
        write(&files.privkey(), certificate.privkey.as_bytes()).map_err(failed)?;
        for node in nodes {
            fs::create_dir_all(files.of_node(node)).map_err(failed)?;
        }
        Ok(files)
    }

    /// The example's job file.
    pub(crate) fn job(&self) -> PathBuf {
        self.root.join("job.yaml")
    }

    /// The certificate and its issuer's.
    pub(crate) fn fullchain(&self) -> PathBuf {
        self.root.join("fullchain.pem")
    }

    /// The key.
    pub(crate) fn privkey(&self) -> PathBuf {
        self.root.join("privkey.pem")
    }

    /// The directory that a node lets jobs write.
    pub(crate) fn of_node(&self, node: &str) -> PathBuf {
        self.root.join(node).join(NODE_PATH)
    }
}

/// Writes a file for its owner alone, replacing one of an earlier demo.
fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600).open(path)?.write_all(content)
}
