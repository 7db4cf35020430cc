//! What a task takes in, as mounts: host paths that are open, and content that is put on the node's disk.

use std::path::PathBuf;

use skrei_job::spec::Source;
use skrei_protocol::link::Assignment;
use skrei_runtime::Mount;
use tempfile::TempDir;

use super::{
    Kept, Opening, blocking,
    given::{file_mount, given_dir, own_dir, unpack},
    mode, unwritten,
};
use crate::{ending::Unready, fetch::Fetched, folder, grant::Opened, node::Node};

impl Kept {
    /// Where content that came with the job lies; the folder goes with the run.
    fn place(&mut self, node: &Node, index: usize, target: &str) -> Result<PathBuf, Unready> {
        let folder = match self.inline.take() {
            Some(folder) => folder,
            None => TempDir::new_in(&node.inline_dir).map_err(|cause| unwritten(target, &cause))?,
        };
        Ok(self.inline.insert(folder).path().join(index.to_string()))
    }
}

/// Everything the task takes in, mounted in its order.
pub(super) async fn mounts(
    node: &Node,
    assignment: &Assignment,
    mut grants: impl Iterator<Item = Opening>,
) -> Result<(Vec<Mount>, Kept), Unready> {
    let task = assignment.spec.task();
    let mut mounts = Vec::with_capacity(task.inputs.len());
    let mut kept = Kept::default();
    for (index, input) in task.inputs.iter().enumerate() {
        let target = input.target.as_str();
        mounts.push(match &input.source {
            Source::HostPath(_) => {
                let (grant, ownership) =
                    grants.next().ok_or_else(|| Unready::failed(format!("`{target}` was not opened")))?;
                let mode = mode(grant.mode);
                let mount = match grant.opened {
                    Opened::Dir(dir) => Mount::dir(dir, target, mode),
                    Opened::File { parent, name } => Mount::file(parent, name, target, mode),
                };
                mount.ownership(ownership)
            }
            Source::Artifact { digest, .. } => {
                let artifact = node.artifacts.get(*digest).await?;
                let mount = file_mount(&artifact.folder, artifact.name.clone(), target)?;
                kept.artifacts.push(artifact);
                mount
            }
            Source::Inline(content) => {
                let place = kept.place(node, index, target)?;
                let (file, content) = (place.clone(), content.clone());
                blocking(move || std::fs::write(file, content))
                    .await?
                    .map_err(|cause| unwritten(target, &cause))?;
                let (folder, name) = (place.parent().unwrap_or(&place), index.to_string());
                file_mount(folder, name, target)?
            }
            Source::Archive(archive) => {
                let place = kept.place(node, index, target)?;
                let (directory, archive) = (place.clone(), archive.clone());
                blocking(move || unpack(&directory, &archive))
                    .await?
                    .map_err(|cause| unwritten(target, &cause))?;
                given_dir(&place, target)?
            }
            Source::Download(download) => {
                let artifact = node.fetching.download(download, &node.artifacts).await?;
                let mount = file_mount(&artifact.folder, artifact.name.clone(), target)?;
                kept.artifacts.push(artifact);
                mount
            }
            Source::Objects(objects) => {
                let part = (assignment.partition, assignment.partitions);
                let fetched = node.fetching.objects(objects, part, &node.artifacts).await?;
                let place = kept.place(node, index, target)?;
                given_dir(&lay_out(fetched, place, target, &mut kept).await?, target)?
            }
            Source::Scratch => {
                let parent = node.scratch_dir.clone();
                let folder = blocking(move || folder::private(&parent)).await?;
                let folder = folder.map_err(|cause| unwritten(target, &cause))?;
                let mount = own_dir(folder.path(), target)?;
                kept.scratch.push(folder);
                mount
            }
        });
    }
    Ok((mounts, kept))
}

/// Puts objects where the guest finds them below a directory; they stay as long as the guest runs.
async fn lay_out(
    fetched: Fetched,
    directory: PathBuf,
    target: &str,
    kept: &mut Kept,
) -> Result<PathBuf, Unready> {
    let place = directory.clone();
    let (fetched, laid_out) = blocking(move || {
        let laid_out = fetched.lay_out(&place);
        (fetched, laid_out)
    })
    .await?;
    laid_out.map_err(|cause| unwritten(target, &cause))?;
    kept.artifacts.extend(fetched.files.into_iter().map(|(_, artifact)| artifact));
    Ok(directory)
}
