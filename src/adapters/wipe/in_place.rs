//! Files of ours that their own owner overwrites in place and keeps: the key store. Looked at before and after, they
//! tell whether what was destroyed in them was overwritten where it lay.

use std::{
    fs::File,
    io::Read,
    os::{fd::AsFd, unix::fs::FileExt},
    path::Path,
};

use rustix::fs::{Mode, OFlags, open};
use serde::{Deserialize, Serialize};

use super::{WipeError, below, extents::Map, pass::Buffer, takes_direct};
use crate::domain::wipe::Limit;

/// Where files lie.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct InPlace {
    maps: Vec<Option<Map>>,
}

impl InPlace {
    /// Looks at the files `names` of the folder `dir`.
    ///
    /// # Errors
    /// One cannot be opened.
    pub fn look(dir: &Path, names: &[&str]) -> Result<Self, WipeError> {
        let maps = names
            .iter()
            .map(|name| open_as(dir, name, OFlags::empty()).map(|file| Map::of(&file, true)))
            .collect::<Result<_, _>>()?;
        Ok(Self { maps })
    }

    /// What keeps the files from having been overwritten in their own place since this look, and from lying on the
    /// device as they are read: the limits of L2.
    ///
    /// # Errors
    /// One cannot be opened.
    pub fn limits_since(&self, dir: &Path, names: &[&str]) -> Result<Vec<Limit>, WipeError> {
        let folder = open(dir, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
            .map_err(WipeError::of("open the folder of"))?;
        let below = below(folder.as_fd())?;
        let mut limits = below.limits.clone();
        for (name, before) in names.iter().zip(&self.maps) {
            let file = open_as(dir, name, OFlags::empty())?;
            if below.memory {
                continue;
            }
            Map::compare(before.as_ref(), Map::of(&file, true).as_ref(), &mut limits);
            if below.journals && !takes_direct(&file) {
                limits.push(Limit::DataJournal);
            }
            if !reads_back(dir, name, file) {
                limits.push(Limit::NotReadBack);
            }
        }
        limits.sort_unstable();
        limits.dedup();
        Ok(limits)
    }
}

fn open_as(dir: &Path, name: &str, more: OFlags) -> Result<File, WipeError> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | more;
    open(dir.join(name), flags, Mode::empty()).map(File::from).map_err(WipeError::of("open"))
}

/// Whether the device holds what memory holds.
fn reads_back(dir: &Path, name: &str, mut file: File) -> bool {
    let mut wanted = Vec::new();
    let Ok(direct) = open_as(dir, name, OFlags::DIRECT) else { return false };
    if file.read_to_end(&mut wanted).is_err() {
        return false;
    }
    let mut buffer = Buffer::new();
    wanted.chunks(super::pass::PIECE).enumerate().all(|(number, wanted)| {
        let found = buffer.whole();
        let read = direct.read_at(found, (number * super::pass::PIECE) as u64);
        read.is_ok_and(|count| count >= wanted.len() && found[..wanted.len()] == *wanted)
    })
}
