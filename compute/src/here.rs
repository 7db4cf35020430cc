//! A job's files where somebody runs it by hand, on a machine of their own: whoever does is the owner, and grants what
//! the job asks for.

use std::path::Path;

use skrei_job::{
    NodeId,
    outcome::Refusal,
    secret::Use,
    spec::{HostPath, Input, Source},
};
use skrei_runtime::{Mount, MountError, Sandbox};
use skrei_vault::Secret;

use crate::{
    accounts::Accounts,
    allow_list::AllowList,
    ending::Unready,
    grant::{self, Opened},
    owners::Owners,
    prepare, secrets,
};

/// What this machine is called in messages.
const HERE: &str = "here";

/// Why a host path cannot be granted here: nothing is there, or files cannot be given to whom the job says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct NotHere {
    /// For people.
    pub message: String,
    /// The way out, if there is one.
    pub hint: Option<String>,
}

impl From<Box<Refusal>> for NotHere {
    fn from(refusal: Box<Refusal>) -> Self {
        Self { message: refusal.message, hint: refusal.hint }
    }
}

impl From<Unready> for NotHere {
    fn from(unready: Unready) -> Self {
        match unready {
            Unready::Refused(refusal) => Box::new(refusal).into(),
            Unready::Failed { message, hint } => Self { message, hint },
        }
    }
}

impl From<std::io::Error> for NotHere {
    fn from(error: std::io::Error) -> Self {
        Self { message: error.to_string(), hint: None }
    }
}

/// Makes a mount of an input, as a node would whose owner allows everything. What is carried in the job is put into
/// `folder`, which is to stay as long as the guest runs; `number` tells inputs apart there.
///
/// # Errors
/// [`NotHere`].
pub fn input(input: &Input, folder: &Path, number: usize) -> Result<Mount, NotHere> {
    let target = input.target.as_str();
    let name = format!("input-{number}");
    let place = folder.join(&name);
    match &input.source {
        Source::HostPath(wanted) => host_path(wanted, target),
        Source::Inline(content) => {
            std::fs::write(place, content)?;
            Ok(prepare::file_mount(folder, name, target)?)
        }
        Source::Archive(archive) => {
            prepare::unpack(&place, archive)?;
            Ok(prepare::given_dir(&place, target)?)
        }
        Source::Scratch => directory(&place, target),
        _ => Err(NotHere {
            message: format!(
                "`{target}` is not here: its content is held by an orchestrator, or comes from elsewhere"
            ),
            hint: Some(
                "run the job with `skrei job run`, or give the guest a file in its place with --dir"
                    .to_owned(),
            ),
        }),
    }
}

/// Gives a guest its secrets, as a node does: in memory, and taken out of what it writes.
///
/// # Errors
/// Something else is where one of them is to be.
pub fn secrets(sandbox: Sandbox, given: Vec<(Use, Secret)>) -> Result<Sandbox, MountError> {
    secrets::Opened::new(given).give(sandbox).map(|(sandbox, _)| sandbox)
}

/// Makes a new directory, and a mount of it that the guest may write to.
///
/// # Errors
/// [`NotHere`].
pub fn directory(place: &Path, target: &str) -> Result<Mount, NotHere> {
    std::fs::create_dir(place)?;
    Ok(prepare::own_dir(place, target)?)
}

fn host_path(wanted: &HostPath, target: &str) -> Result<Mount, NotHere> {
    let node = NodeId::new(HERE);
    let ours = |mistake: &dyn std::fmt::Display| NotHere { message: mistake.to_string(), hint: None };
    let everything = AllowList::parse(["/**:rw"]).map_err(|error| ours(&error))?;
    let owners = Owners::parse(&[], &Accounts::of_host()).map_err(|error| ours(&error))?;
    let ownership = owners.permit(&node, &wanted.ownership, Accounts::of_host)?;
    let granted = grant::open(&everything, &node, wanted)?;
    let mode = prepare::mode(granted.mode);
    let mount = match granted.opened {
        Opened::Dir(dir) => Mount::dir(dir, target, mode),
        Opened::File { parent, name } => Mount::file(parent, name, target, mode),
    };
    Ok(mount.ownership(ownership))
}
