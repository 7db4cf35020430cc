//! Files of a directory that are replaced together or not at all.

use std::io::IoSlice;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Dir, Errno, File, Open, Opened, Result};

/// Names that are tried for a file on its way, where earlier ones are taken by what a killed process left.
const NAMES_MAX: u64 = 64;

/// What a copy reads at a time.
const PIECE_BYTES: usize = 64 << 10;

/// Makes the names of files on their way differ within this process.
static COUNT: AtomicU64 = AtomicU64::new(0);

/// The file at which it failed, and why.
#[derive(Debug)]
pub(crate) struct Uninstalled {
    pub(crate) name: String,
    pub(crate) errno: Errno,
}

/// Replaces files by name, or makes them. Every content is on the disk before the first file gets its name; if one
/// cannot, those before it are taken back.
pub(crate) fn install(dir: &Dir, files: &[(String, Vec<u8>)]) -> std::result::Result<(), Uninstalled> {
    let about = |name: &str| {
        let name = name.to_owned();
        move |errno| Uninstalled { name, errno }
    };
    let mut staged = Vec::with_capacity(files.len());
    for (name, content) in files {
        staged.push(Staged::write(dir, name, content).map_err(about(name))?);
    }
    let mut landed: Vec<Landed<'_>> = Vec::with_capacity(files.len());
    for (place, ((name, _), file)) in files.iter().zip(staged).enumerate() {
        // Nothing comes after the last that could fail.
        let is_last = place + 1 == files.len();
        match file.land(!is_last) {
            Ok(file) => landed.push(file),
            Err(errno) => {
                // The last to change is the first to change back.
                landed.into_iter().rev().for_each(Landed::take_back);
                return Err(about(name)(errno));
            }
        }
    }
    drop(landed);
    dir.sync().map_err(about(""))
}

/// A file on the disk that has not got its name yet. Removed on drop if it never gets it.
struct Staged<'d> {
    dir: &'d Dir,
    name: &'d str,
    temporary: String,
    renamed: bool,
}

impl<'d> Staged<'d> {
    fn write(dir: &'d Dir, name: &'d str, content: &[u8]) -> Result<Staged<'d>> {
        if matches!(name, "" | "." | "..") || name.contains('/') {
            return Err(Errno::Inval);
        }
        let (mut file, temporary) = create(dir, name, "tmp")?;
        let staged = Staged { dir, name, temporary, renamed: false };
        write_all(&mut file, content)?;
        file.sync()?;
        Ok(staged)
    }

    /// Gives the file its name. What had the name before is kept for [`Landed::take_back`], if that may come.
    fn land(mut self, may_be_taken_back: bool) -> Result<Landed<'d>> {
        let before = if may_be_taken_back { keep(self.dir, self.name)? } else { None };
        let landed = Landed { dir: self.dir, name: self.name, before };
        self.dir.rename(&self.temporary, self.dir, self.name)?;
        self.renamed = true;
        Ok(landed)
    }
}

impl Drop for Staged<'_> {
    fn drop(&mut self) {
        if !self.renamed {
            let _ = self.dir.remove_file(&self.temporary);
        }
    }
}

/// A file that has its name. Dropped, it forgets what had the name before.
struct Landed<'d> {
    dir: &'d Dir,
    name: &'d str,
    /// What had the name before, under another one; none if nothing had it.
    before: Option<String>,
}

impl Landed<'_> {
    fn take_back(mut self) {
        // The error that led here is the one to be told; what can be done about another is nothing.
        let _ = match self.before.take() {
            Some(before) => self.dir.rename(&before, self.dir, self.name),
            None => self.dir.remove_file(self.name),
        };
    }
}

impl Drop for Landed<'_> {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            let _ = self.dir.remove_file(before);
        }
    }
}

/// Gives what has a name another one as well, by a link or, where there are none, by a copy. None if nothing has it.
fn keep(dir: &Dir, name: &str) -> Result<Option<String>> {
    let before = temporary(name, "old");
    match dir.link(name, dir, &before) {
        Ok(()) => Ok(Some(before)),
        Err(Errno::NoEnt) => Ok(None),
        Err(Errno::Rofs) => Err(Errno::Rofs),
        Err(_) => copy(dir, name).map(Some),
    }
}

fn copy(dir: &Dir, name: &str) -> Result<String> {
    let open = Open { read: true, ..Open::default() };
    let Opened::File(mut from) = dir.open(name, &open)? else { return Err(Errno::IsDir) };
    let (mut to, before) = create(dir, name, "old")?;
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let copied = match from.read(&mut piece) {
            Ok(0) => return Ok(before),
            Ok(read) => write_all(&mut to, &piece[..read]),
            Err(errno) => Err(errno),
        };
        if let Err(errno) = copied {
            let _ = dir.remove_file(&before);
            return Err(errno);
        }
    }
}

fn create(dir: &Dir, name: &str, ending: &str) -> Result<(File, String)> {
    let open = Open { write: true, create: true, exclusive: true, ..Open::default() };
    let mut tried = 0;
    loop {
        let temporary = temporary(name, ending);
        match dir.open(&temporary, &open) {
            Ok(Opened::File(file)) => return Ok((file, temporary)),
            Ok(Opened::Dir(_)) => return Err(Errno::IsDir),
            Err(Errno::Exist) if tried < NAMES_MAX => tried += 1,
            Err(errno) => return Err(errno),
        }
    }
}

/// A name for what is on its way to another: hidden, and beside it.
fn temporary(name: &str, ending: &str) -> String {
    format!(".{name}.{}.{ending}", COUNT.fetch_add(1, Ordering::Relaxed))
}

fn write_all(file: &mut File, mut content: &[u8]) -> Result<()> {
    while !content.is_empty() {
        match file.write(&[IoSlice::new(content)])? {
            0 => return Err(Errno::Io),
            written => content = &content[written..],
        }
    }
    Ok(())
}
