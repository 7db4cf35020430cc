//! Opening, reading and writing files.

use wasip3::filesystem::preopens;
use wasip3::filesystem::types::{Descriptor, DescriptorFlags, ErrorCode, OpenFlags, PathFlags};

pub type Result<T = String> = std::result::Result<T, ErrorCode>;

pub const FOLLOW: PathFlags = PathFlags::SYMLINK_FOLLOW;

/// How to open.
#[derive(Clone, Copy)]
pub struct How(pub PathFlags, pub OpenFlags, pub DescriptorFlags);

pub const TO_READ: How = How(FOLLOW, OpenFlags::empty(), DescriptorFlags::READ);
pub const TO_WRITE: How = How(FOLLOW, OpenFlags::empty(), DescriptorFlags::WRITE);
pub const TO_CREATE: How = How(FOLLOW, OpenFlags::CREATE, DescriptorFlags::WRITE);
pub const DIRECTORY: How = How(FOLLOW, OpenFlags::DIRECTORY, DescriptorFlags::empty());

/// The paths of the directories there are.
pub fn mounts() -> Vec<String> {
    preopens::get_directories().into_iter().map(|(_, path)| path).collect()
}

/// The directory of a preopen, and the path relative to it, of `PREOPEN:PATH`.
pub fn place(operand: &str) -> (Descriptor, String) {
    let (preopen, path) = operand.split_once(':').expect("PREOPEN:PATH");
    let found = preopens::get_directories().into_iter().find(|(_, mount)| mount == preopen);
    let (dir, _) = found.unwrap_or_else(|| panic!("no preopen {preopen}"));
    (dir, path.to_owned())
}

pub async fn open(operand: &str, How(path_flags, open, flags): How) -> Result<Descriptor> {
    let (dir, path) = place(operand);
    dir.open_at(path_flags, path, open, flags).await
}

pub async fn read_all(file: &Descriptor) -> Result {
    let (stream, done) = file.read_via_stream(0);
    let bytes = stream.collect().await;
    done.await?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Writes at an offset, or at the end; how many bytes that were, and what was wrong then.
pub async fn write(file: &Descriptor, offset: Option<u64>, bytes: Vec<u8>) -> (usize, Result<()>) {
    let (wanted, (mut writer, reader)) = (bytes.len(), wasip3::wit_stream::new());
    let done = match offset {
        Some(offset) => file.write_via_stream(reader, offset),
        None => file.append_via_stream(reader),
    };
    let left = writer.write_all(bytes).await.len();
    drop(writer);
    (wanted - left, done.await)
}

pub async fn append_line(path: &str) {
    let mounts = mounts();
    let mount = mounts
        .iter()
        .filter(|mount| path.strip_prefix(mount.as_str()).is_some_and(|rest| rest.starts_with('/')))
        .max_by_key(|mount| mount.len())
        .expect("a mount");
    let operand = format!("{mount}:{}", &path[mount.len() + 1..]);
    let file = open(&operand, TO_CREATE).await.expect("a file");
    write(&file, None, b"ran\n".to_vec()).await.1.expect("written");
}

/// Connects one stream of the host's to another, and looks at neither.
pub async fn pipe(from: &str, to: &str) {
    let stream = match from {
        "stdin" => wasip3::cli::stdin::read_via_stream().0,
        from => open(from, TO_READ).await.expect("a file to read").read_via_stream(0).0,
    };
    match to {
        "stdout" => wasip3::cli::stdout::write_via_stream(stream).await.expect("written"),
        to => {
            let file = open(to, TO_CREATE).await.expect("a file to write");
            file.write_via_stream(stream, 0).await.expect("written");
        }
    }
}
