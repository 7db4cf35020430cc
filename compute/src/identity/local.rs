//! The token of an orchestrator on the same machine, where this node's user may read it.
//!
//! The orchestrator says where it keeps the token; that nobody else can stand in for it, the file itself shows: it is
//! this user's alone, and names the authority of whoever answered. So the token is sent to whom it belongs to.

use std::{
    io::Read as _,
    net::{IpAddr, UdpSocket},
    path::Path,
};

use rustix::fs::{Mode, OFlags};
use skrei_protocol::join::JoinToken;

use crate::link::Address;

/// A token file has one line.
const FILE_MAX_BYTES: u64 = 1024;

/// Whether an orchestrator is on this machine.
pub(super) async fn is_here(orchestrator: &Address) -> bool {
    match tokio::net::lookup_host(orchestrator.to_string()).await {
        Ok(addresses) => {
            let mut addresses = addresses.peekable();
            addresses.peek().is_some() && addresses.all(|address| is_of_this_machine(address.ip()))
        }
        Err(_) => false,
    }
}

fn is_of_this_machine(address: IpAddr) -> bool {
    // The system lets nobody have an address of another machine.
    address.to_canonical().is_loopback() || UdpSocket::bind((address, 0)).is_ok()
}

/// The token in this file, if it is one that this user alone can read and write.
pub(super) fn token(file: &Path) -> Result<JoinToken, String> {
    let failed = |what: &str| format!("its token file `{}` {what}", file.display());
    // Whatever it is: not followed, not waited for.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let handle = rustix::fs::open(file, flags, Mode::empty())
        .map_err(|error| failed(&format!("cannot be read by this user: {error}")))?;
    let status = rustix::fs::fstat(&handle).map_err(|error| failed(&error.to_string()))?;
    let is_file = rustix::fs::FileType::from_raw_mode(status.st_mode).is_file();
    let is_ours = status.st_uid == rustix::process::geteuid().as_raw();
    let is_private = status.st_mode & 0o077 == 0;
    if !(is_file && is_ours && is_private) {
        return Err(failed("is not this user's alone"));
    }
    let mut text = String::new();
    let read = std::fs::File::from(handle).take(FILE_MAX_BYTES).read_to_string(&mut text);
    read.map_err(|error| failed(&error.to_string()))?;
    text.parse().map_err(&failed)
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::*;

    #[test]
    fn a_token_is_believed_only_from_a_file_of_this_users_alone() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("join-token");
        let made = JoinToken::from_random([1; 4], [2; 16], "a".repeat(64).parse().unwrap());
        let write = |mode| {
            fs::write(&file, format!("{}\n", made.reveal())).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        };
        write(0o600);
        assert_eq!(token(&file).unwrap(), made);
        write(0o640);
        assert!(token(&file).unwrap_err().contains("not this user's alone"));
        write(0o600);
        let link = directory.path().join("link");
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert!(token(&link).is_err(), "a link may lead anywhere");
        assert!(token(directory.path()).is_err());
        assert!(token(Path::new("/dev/zero")).is_err());
        assert!(token(&directory.path().join("none")).unwrap_err().contains("cannot be read"));
        fs::write(&file, "something else").unwrap();
        let error = token(&file).unwrap_err();
        assert!(!error.contains("something"), "{error}");
    }
}
