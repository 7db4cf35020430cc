//! Makes a small picture of each large one in a directory, as PNG under the same name.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use image::{ImageReader, Limits};

/// The most that one picture may take while it is read, in bytes: it comes from a stranger.
const PICTURE_BYTES_MAX: u64 = 256 << 20;

#[skrei::main]
fn main(size: Option<u32>, photos: Option<PathBuf>, out: Option<PathBuf>) -> skrei::Result {
    let size = size.unwrap_or(96).clamp(1, 4096);
    let photos = photos.unwrap_or_else(|| "/photos".into());
    let out = out.unwrap_or_else(|| "/out".into());
    let mut files = Vec::new();
    walk(&photos, &mut files)?;

    let mut failed = Vec::new();
    for (done, photo) in files.iter().enumerate() {
        let name = photo.strip_prefix(&photos)?;
        skrei::progress(done as f64 / files.len() as f64, &name.display().to_string());
        // One that cannot be read is no reason to leave the others.
        if let Err(error) = shrink(photo, &out.join(name).with_extension("png"), size) {
            skrei::log::warn("left out", &[("photo", &name.display()), ("why", &error)]);
            failed.push(name.display().to_string());
        }
    }
    println!("{} of {} photos have a thumbnail", files.len() - failed.len(), files.len());
    skrei::value("made", files.len() - failed.len());
    skrei::value("failed", failed);
    Ok(())
}

fn shrink(photo: &Path, thumbnail: &Path, size: u32) -> Result<(), Box<dyn std::error::Error>> {
    let mut limits = Limits::default();
    limits.max_alloc = Some(PICTURE_BYTES_MAX);
    // By what is in it, and not by what it is called.
    let mut reader = ImageReader::open(photo)?.with_guessed_format()?;
    reader.limits(limits);
    let small = reader.decode()?.thumbnail(size, size);
    if let Some(parent) = thumbnail.parent() {
        fs::create_dir_all(parent)?;
    }
    Ok(small.save(thumbnail)?)
}

/// Every file beneath a directory, in order.
fn walk(directory: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    let mut paths: Vec<_> =
        fs::read_dir(directory)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    paths.sort();
    for path in paths {
        if path.is_dir() { walk(&path, files)? } else { files.push(path) }
    }
    Ok(())
}
