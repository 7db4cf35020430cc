//! The guest's open descriptors.

use super::{Dir, Errno, File, Opened, Result};

/// What a descriptor stands for.
pub(crate) enum Descriptor {
    Stdin,
    Stdout,
    Stderr,
    Preopen(Preopen),
    Dir(Dir),
    File(File),
}

/// A directory the guest starts with, and the path it has there.
pub(crate) struct Preopen {
    pub(crate) guest_path: String,
    pub(crate) dir: Dir,
}

/// The guest's open descriptors, by number. A new one gets the lowest number that is free, as in POSIX.
pub(crate) struct Table {
    slots: Vec<Option<Descriptor>>,
    open_max: usize,
}

impl Table {
    /// Standard input, output and error as 0, 1 and 2, then the preopens. At most `open_max` descriptors are
    /// open at once beside these.
    pub(crate) fn new(preopens: Vec<Preopen>, open_max: u32) -> Table {
        let mut slots = vec![Some(Descriptor::Stdin), Some(Descriptor::Stdout), Some(Descriptor::Stderr)];
        slots.extend(preopens.into_iter().map(|preopen| Some(Descriptor::Preopen(preopen))));
        let open_max = slots.len() + open_max as usize;
        Table { slots, open_max }
    }

    pub(crate) fn get(&mut self, number: u32) -> Result<&mut Descriptor> {
        self.slots.get_mut(number as usize).and_then(Option::as_mut).ok_or(Errno::BadF)
    }

    /// The directory behind a descriptor; `ENOTDIR` if it is something else.
    pub(crate) fn dir(&mut self, number: u32) -> Result<&mut Dir> {
        self.get(number)?.as_dir().ok_or(Errno::NotDir)
    }

    /// Two directories at once, which may be the same.
    pub(crate) fn dirs(&mut self, first: u32, second: u32) -> Result<(&Dir, &Dir)> {
        self.dir(first)?;
        self.dir(second)?;
        let dir = |number: u32| match self.slots.get(number as usize) {
            Some(Some(Descriptor::Dir(dir) | Descriptor::Preopen(Preopen { dir, .. }))) => Ok(dir),
            _ => Err(Errno::NotDir),
        };
        Ok((dir(first)?, dir(second)?))
    }

    /// The file behind a descriptor; `EISDIR` or `EBADF` if it is something else.
    pub(crate) fn file(&mut self, number: u32) -> Result<&mut File> {
        match self.get(number)? {
            Descriptor::File(file) => Ok(file),
            Descriptor::Dir(_) | Descriptor::Preopen(_) => Err(Errno::IsDir),
            Descriptor::Stdin | Descriptor::Stdout | Descriptor::Stderr => Err(Errno::BadF),
        }
    }

    /// What is left of the directories the guest started with, and the paths it has for them.
    pub(crate) fn preopens(&self) -> impl Iterator<Item = (&str, &Dir)> {
        self.slots.iter().flatten().filter_map(|descriptor| match descriptor {
            Descriptor::Preopen(Preopen { guest_path, dir }) => Some((guest_path.as_str(), dir)),
            _ => None,
        })
    }

    /// `EMFILE` if no more may be opened. Asked before opening, so that nothing is made in vain.
    pub(crate) fn check_room(&self) -> Result<()> {
        let open = self.slots.iter().filter(|slot| slot.is_some()).count();
        if open < self.open_max { Ok(()) } else { Err(Errno::MFile) }
    }

    pub(crate) fn insert(&mut self, opened: Opened) -> Result<u32> {
        self.check_room()?;
        let descriptor = Some(match opened {
            Opened::Dir(dir) => Descriptor::Dir(dir),
            Opened::File(file) => Descriptor::File(file),
        });
        let free = self.slots.iter().position(Option::is_none);
        let number = match free {
            Some(number) => {
                self.slots[number] = descriptor;
                number
            }
            None => {
                self.slots.push(descriptor);
                self.slots.len() - 1
            }
        };
        u32::try_from(number).map_err(|_| Errno::MFile)
    }

    pub(crate) fn close(&mut self, number: u32) -> Result<()> {
        self.slots.get_mut(number as usize).and_then(Option::take).map(drop).ok_or(Errno::BadF)
    }

    /// Moves a descriptor over another, which is closed.
    pub(crate) fn renumber(&mut self, from: u32, to: u32) -> Result<()> {
        self.get(from)?;
        self.get(to)?;
        if from != to {
            self.slots[to as usize] = self.slots[from as usize].take();
        }
        Ok(())
    }
}

impl Descriptor {
    fn as_dir(&mut self) -> Option<&mut Dir> {
        match self {
            Descriptor::Dir(dir) | Descriptor::Preopen(Preopen { dir, .. }) => Some(dir),
            _ => None,
        }
    }
}
