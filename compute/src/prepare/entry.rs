//! The entry module of a task: read from wherever it is, and compiled if it stands alone.

use std::sync::Arc;

use skrei_job::{Digest, archive::Archive, spec::Source};
use skrei_protocol::link::Assignment;
use skrei_runtime::Module;

use super::{Opening, blocking};
use crate::{
    artifacts::Artifact,
    ending::Unready,
    modules::{MODULE_BYTES_MAX, Read},
    node::Node,
};

/// The entry module: ready by itself, or to be linked with others once the sandbox is there.
pub(super) enum Entry {
    Loaded(Module),
    Several(Read),
}

/// Finds the entry module among what was opened, or fetches it.
pub(super) async fn entry(
    node: &Node,
    assignment: &Assignment,
    grants: &mut impl Iterator<Item = Opening>,
) -> Result<Entry, Unready> {
    let task = assignment.spec.task();
    if let (Source::Artifact { digest, .. }, []) = (&task.program.module, &task.program.imports[..])
        && let Some(module) = node.modules.get(digest)
    {
        return Ok(Entry::Loaded(module));
    }
    let (digest, read) = bytes(node, assignment, grants).await?;
    if !task.program.imports.is_empty() {
        return Ok(Entry::Several(read));
    }
    match node.modules.load(digest, Arc::clone(&read)).await {
        Ok(module) => Ok(Entry::Loaded(module)),
        // What it imports from may be among what is mounted.
        Err(unloaded) if unloaded.imports_more && !task.inputs.is_empty() => Ok(Entry::Several(read)),
        Err(unloaded) => Err(Unready::failed(unloaded.message)),
    }
}

/// What names the entry module, and its bytes.
async fn bytes(
    node: &Node,
    assignment: &Assignment,
    grants: &mut impl Iterator<Item = Opening>,
) -> Result<(Digest, Read), Unready> {
    let held = |wasm: Vec<u8>| {
        let digest = Digest::of(&wasm);
        let read: Read = Arc::new(move || Ok(wasm.clone()));
        (digest, read)
    };
    Ok(match &assignment.spec.task().program.module {
        Source::Artifact { digest, .. } => {
            let artifact = node.artifacts.get(*digest).await?;
            // The closure holds the artifact, so that it is not removed before it is read.
            (*digest, Arc::new(move || std::fs::read(artifact.path())))
        }
        Source::Inline(wasm) => held(wasm.clone()),
        Source::Archive(archive) => {
            let archive = archive.clone();
            let wasm = blocking(move || Archive::unpack(&archive).and_then(Archive::module)).await?;
            held(wasm.map_err(|error| Unready::failed(format!("the module's archive: {error}")))?)
        }
        Source::HostPath(path) => {
            let (grant, _) =
                grants.next().ok_or_else(|| Unready::failed("the module was not opened".to_owned()))?;
            let wasm = blocking(move || grant.read(MODULE_BYTES_MAX)).await?;
            held(wasm.map_err(|cause| {
                Unready::failed(format!("the module `{}` cannot be read: {cause}", path.path))
            })?)
        }
        Source::Download(download) => {
            let artifact = node.fetching.download(download, &node.artifacts).await?;
            fetched_module(artifact)?
        }
        Source::Objects(objects) => {
            let part = (assignment.partition, assignment.partitions);
            let fetched = node.fetching.objects(objects, part, &node.artifacts).await?;
            let module = |(path, _): &(String, Artifact)| path.ends_with(".wasm") && !path.contains('/');
            let mut modules: Vec<_> = fetched.files.into_iter().filter(module).collect();
            match (modules.pop(), modules.is_empty()) {
                (Some((_, artifact)), true) => fetched_module(artifact)?,
                _ => {
                    let message = format!("`{objects}` has not exactly one file that ends in `.wasm`");
                    return Err(Unready::failed(message));
                }
            }
        }
        // A job with such a module is not valid.
        Source::Scratch => return Err(Unready::failed("a scratch directory holds no module".to_owned())),
    })
}

/// The module in a file that was fetched.
fn fetched_module(artifact: Artifact) -> Result<(Digest, Read), Unready> {
    let digest = artifact.digest();
    if artifact.bytes() > MODULE_BYTES_MAX {
        return Err(Unready::failed(format!("the module has more than {MODULE_BYTES_MAX} bytes")));
    }
    // The closure holds the artifact, so that it is not removed before it is read.
    Ok((digest, Arc::new(move || std::fs::read(artifact.path()))))
}
