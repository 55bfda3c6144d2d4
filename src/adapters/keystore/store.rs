//! The two generation files: cells are read and written in place, by index, with a sync after each write.
//!
//! Both files are extended before a slot is used, so that a full disk refuses a new slot and never cuts a change or
//! a destruction. A file is read as if zeroes followed its end. After a failed write nothing more is written: what
//! the disk holds is known again only after opening anew.

use std::{
    fs::File,
    os::{fd::AsFd, unix::fs::FileExt},
    path::{Path, PathBuf},
};

use rustix::fs::{Mode, OFlags, fstat, open};
use zeroize::Zeroizing;

use super::KeyStoreError;
use super::cell::{self, Bytes, CELL, Cell};
use super::pair::{self, Side, Verdict};
use crate::adapters::{
    fault,
    files::{self, FileError},
};

/// Cells that the files grow by: 64 KiB.
const GROWTH: usize = 64;
const NAME_A: &str = "slots.a";
const NAME_B: &str = "slots.b";

/// The open files of a key store.
pub(super) struct Store {
    a: Generation,
    b: Generation,
    unsure: bool,
}

struct Generation {
    file: File,
    path: PathBuf,
}

impl Store {
    /// Makes both files with their first cells. `slots.a` comes last: without it there is no store yet.
    pub(super) fn create(dir: &Path, live: &Bytes, free: &Bytes) -> Result<(), KeyStoreError> {
        let (a, b) = (dir.join(NAME_A), dir.join(NAME_B));
        if a.symlink_metadata().is_ok() {
            return Err(KeyStoreError::Exists { path: a });
        }
        match files::create_idempotent(&b, &grown(free), "key store") {
            // A used second file without a first one is a loss, and must not be written over.
            Err(FileError::Differs { .. }) => return Err(KeyStoreError::Missing { path: a }),
            other => other?,
        }
        files::create_new(&a, &grown(live), "key store").map_err(|error| match error {
            FileError::Exists { path } => KeyStoreError::Exists { path },
            other => other.into(),
        })
    }

    pub(super) fn open(dir: &Path) -> Result<Self, KeyStoreError> {
        let open_one = |name| {
            let path = dir.join(name);
            let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
            let opened = open(&path, flags, Mode::empty())
                .map_err(FileError::of("open", &path))
                .and_then(|fd| files::regular(fd, &path));
            match opened {
                Ok(file) => Ok(Generation { file, path }),
                Err(error) if error.is_missing() => Err(KeyStoreError::Missing { path }),
                Err(error) => Err(error.into()),
            }
        };
        Ok(Self { a: open_one(NAME_A)?, b: open_one(NAME_B)?, unsure: false })
    }

    /// Refuses once a write has failed.
    pub(super) const fn check(&self) -> Result<(), KeyStoreError> {
        if self.unsure { Err(KeyStoreError::Unsure) } else { Ok(()) }
    }

    pub(super) fn read(&self, side: Side, index: usize) -> Result<Zeroizing<Bytes>, KeyStoreError> {
        let mut bytes = Zeroizing::new([0; CELL]);
        self.of(side).read(index, &mut bytes[..])?;
        Ok(bytes)
    }

    /// Judges one pair, refusing forms of a later version.
    pub(super) fn judge(&self, a: Cell, b: Cell) -> Result<Verdict, KeyStoreError> {
        for cell in [&a, &b] {
            if let Cell::Newer(version) = cell {
                return Err(KeyStoreError::Newer { version: *version });
            }
        }
        Ok(pair::judge(a, b))
    }

    /// Reads every slot after slot 0, in order.
    pub(super) fn for_each(
        &self,
        mut see: impl FnMut(usize, Cell, Cell),
    ) -> Result<(), KeyStoreError> {
        let slots = self.a.cells()?.max(self.b.cells()?);
        let (mut a, mut b) = (vec![0; CELL * GROWTH], vec![0; CELL * GROWTH]);
        for start in (0..slots).step_by(GROWTH) {
            a.fill(0);
            b.fill(0);
            self.a.read(start, &mut a)?;
            self.b.read(start, &mut b)?;
            let (a, _) = a.as_chunks::<CELL>();
            let (b, _) = b.as_chunks::<CELL>();
            for (index, (a, b)) in (start..slots).zip(a.iter().zip(b)).skip_while(|(i, _)| *i == 0)
            {
                let (a, b) = (cell::read(a, index as u64), cell::read(b, index as u64));
                for cell in [&a, &b] {
                    if let Cell::Newer(version) = cell {
                        return Err(KeyStoreError::Newer { version: *version });
                    }
                }
                see(index, a, b);
            }
        }
        Ok(())
    }

    /// Writes one cell in place and syncs it.
    pub(super) fn write(
        &mut self,
        side: Side,
        index: usize,
        bytes: &Bytes,
        site: &'static str,
    ) -> Result<(), KeyStoreError> {
        self.check()?;
        let write = fault::Write::begin(site);
        let Generation { file, path } = self.of(side);
        let offset = (index * CELL) as u64;
        let (first, second) = bytes.split_at(CELL / 2);
        let written = file.write_all_at(first, offset).and_then(|()| {
            write.middle();
            file.write_all_at(second, offset + (CELL / 2) as u64)?;
            file.sync_data()
        });
        if let Err(source) = written {
            let error = FileError::of_io("write", path)(source);
            self.unsure = true;
            return Err(error.into());
        }
        write.end();
        Ok(())
    }

    /// Writes many cells in place and syncs each file once. Which of them a stop leaves behind is not known: each must
    /// mean the same beside the other cell of its slot whether it is there or not.
    pub(super) fn write_many(
        &mut self,
        cells: &[(Side, usize, Bytes)],
        site: &'static str,
    ) -> Result<(), KeyStoreError> {
        self.check()?;
        if cells.is_empty() {
            return Ok(());
        }
        let write = fault::Write::begin(site);
        for (number, (side, index, bytes)) in cells.iter().enumerate() {
            if number == cells.len() / 2 {
                write.middle();
            }
            let Generation { file, path } = self.of(*side);
            if let Err(source) = file.write_all_at(bytes, (index * CELL) as u64) {
                let error = FileError::of_io("write", path)(source);
                self.unsure = true;
                return Err(error.into());
            }
        }
        for Generation { file, path } in [&self.a, &self.b] {
            if let Err(source) = file.sync_data() {
                let error = FileError::of_io("sync", path)(source);
                self.unsure = true;
                return Err(error.into());
            }
        }
        write.end();
        Ok(())
    }

    /// Extends both files with zeroes, so that slot `index` has room.
    pub(super) fn make_room(&mut self, index: usize) -> Result<(), KeyStoreError> {
        self.check()?;
        for generation in [&self.a, &self.b] {
            let held = generation.cells()?;
            if held > index {
                continue;
            }
            let write = fault::Write::begin("key store growth");
            let zeroes = vec![0; CELL * GROWTH / 2];
            let offset = (held * CELL) as u64;
            let file = &generation.file;
            let grown = file.write_all_at(&zeroes, offset).and_then(|()| {
                write.middle();
                file.write_all_at(&zeroes, offset + zeroes.len() as u64)?;
                file.sync_all()
            });
            if let Err(source) = grown {
                // Zeroes past the last slot mean nothing, so this needs no success.
                let _ = file.set_len(offset);
                let path = &generation.path;
                return Err(match FileError::of_io("extend", path)(source) {
                    FileError::Full { path } => KeyStoreError::Full { path },
                    error => error.into(),
                });
            }
            write.end();
        }
        Ok(())
    }

    const fn of(&self, side: Side) -> &Generation {
        match side {
            Side::A => &self.a,
            Side::B => &self.b,
        }
    }
}

impl Generation {
    /// Cells that the file has room for; one that is cut counts.
    fn cells(&self) -> Result<usize, KeyStoreError> {
        let stat = fstat(self.file.as_fd()).map_err(FileError::of("inspect", &self.path))?;
        Ok(usize::try_from(stat.st_size).unwrap_or(0).div_ceil(CELL))
    }

    /// Reads from cell `index` on, as far as the file goes; the rest of `bytes` stays as it is.
    fn read(&self, index: usize, bytes: &mut [u8]) -> Result<(), KeyStoreError> {
        let mut done = 0;
        while done < bytes.len() {
            let offset = (index * CELL + done) as u64;
            match self.file.read_at(&mut bytes[done..], offset) {
                Ok(0) => break,
                Ok(count) => done += count,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(FileError::of_io("read", &self.path)(error).into()),
            }
        }
        Ok(())
    }
}

/// A first cell and the room after it.
fn grown(first: &Bytes) -> Vec<u8> {
    let mut bytes = first.to_vec();
    bytes.resize(CELL * GROWTH, 0);
    bytes
}

#[cfg(test)]
impl Store {
    /// Replaces both descriptors by read-only ones.
    pub(super) fn break_writes(&mut self, dir: &Path) {
        for (generation, name) in [(&mut self.a, NAME_A), (&mut self.b, NAME_B)] {
            if let Ok(file) = File::open(dir.join(name)) {
                generation.file = file;
            }
        }
    }
}
