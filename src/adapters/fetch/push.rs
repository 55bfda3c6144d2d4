//! Putting a package to the server of its recipient: a folder of plain files, under a name of ours until each of them was
//! read back, then renamed as a whole.
//!
//! A line that breaks is taken up again where it broke, in what was sent and in what was read back. What a stop left at
//! the server is gone on with, and believed no more than anything else there.

use std::{
    fs::File,
    io::{Seek, SeekFrom},
    path::{Path, PathBuf},
};

use super::{OURS, Result, join, release::read_back};
use crate::{
    adapters::{
        courier::{Courier, CourierError, Listing, Server, Thing, ThingKind},
        files,
    },
    domain::{
        digest::{Digest, Hasher},
        limits::{REMOTE_CONNECTIONS_A_LOOK, REMOTE_FRUITLESS_MAX},
        source::{Destination, SourceCode},
    },
};

/// A file of a package, and what the register says of it.
pub struct Packed {
    /// Its name.
    pub name: &'static str,
    /// Its SHA-256, where the register has it.
    pub sha256: Option<Digest>,
}

/// A file on its way.
struct Sent {
    name: &'static str,
    path: PathBuf,
    bytes: u64,
    sha256: Digest,
    /// How much of it the server had when it was last asked.
    there: u64,
    /// How much of it was read back, and what that was.
    read: u64,
    hasher: Hasher,
    proven: bool,
}

/// A package on its way.
pub struct Parcel<'a> {
    /// Its number.
    pub number: &'a str,
    /// The folder that it lies in.
    pub folder: &'a Path,
    /// Its files.
    pub parts: &'a [Packed],
    /// Where it is noted that it is about to get its name at the server. What was renamed there and is gone was taken by
    /// somebody: it is never put a second time.
    pub note: &'a Path,
}

/// Puts a package into the server's folder. The same one that lies there already is done.
///
/// # Errors
/// [`CourierError`]: `taken` where something else has its name, `taken-away` where it was put and is gone, `own-files`
/// where the package is not what the register says.
pub fn push(courier: &Courier, to: &Destination, parcel: &Parcel<'_>) -> Result<()> {
    let Parcel { folder: package, parts, .. } = *parcel;
    let mut files = parts.iter().map(|part| sent(package, part)).collect::<Result<Vec<_>>>()?;
    let (mut fruitless, mut connections, mut before) = (0, 0, None);
    loop {
        connections += 1;
        let error = match once(courier, to, parcel, &mut files) {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        let now: u64 = files.iter().map(|file| file.there + file.read).sum();
        fruitless = if before.is_some_and(|before| now <= before) { fruitless + 1 } else { 0 };
        before = Some(now);
        let over = fruitless >= REMOTE_FRUITLESS_MAX || connections >= REMOTE_CONNECTIONS_A_LOOK;
        if over || !error.is_of_the_line() {
            return Err(error);
        }
    }
}

fn sent(package: &Path, part: &Packed) -> Result<Sent> {
    let path = package.join(part.name);
    let file = files::open_regular(&path).map_err(own)?;
    let bytes = file.metadata().map_err(own)?.len();
    let sha256 = Digest::of_reader(file).map_err(own)?;
    if part.sha256.is_some_and(|recorded| recorded != sha256) {
        return Err(own(format_args!("'{}' is not what was packed", part.name)));
    }
    Ok(Sent {
        name: part.name,
        path,
        bytes,
        sha256,
        there: 0,
        read: 0,
        hasher: Hasher::new(),
        proven: false,
    })
}

fn once(
    courier: &Courier,
    to: &Destination,
    parcel: &Parcel<'_>,
    files: &mut [Sent],
) -> Result<()> {
    let number = parcel.number;
    let mut server = courier.connect(&to.server)?;
    let whole = join(to.path.as_bytes(), number.as_bytes());
    if server.stat(&whole)?.is_some() {
        return same(&mut server, &whole, files);
    }
    let part = join(to.path.as_bytes(), format!("{OURS}{number}.part").as_bytes());
    match server.stat(&part)? {
        None if parcel.note.exists() => {
            let what = "the package was put and is not there any more: ask the recipient";
            return Err(CourierError::new(SourceCode::TakenAway, what));
        }
        // Whatever was proven to be there went with the folder: below, none of it is found.
        None => server.make_folder(&part)?,
        Some(thing) if thing.kind == ThingKind::Folder => {}
        Some(_) => return Err(taken()),
    }
    let ours = |thing: &Thing| files.iter().any(|file| file.name.as_bytes() == thing.name);
    let before = server.list(&part)?;
    for thing in before.things.iter().filter(|thing| !ours(thing)) {
        server.remove(&join(&part, &thing.name))?;
    }
    for file in files.iter_mut() {
        if !before.things.iter().any(|thing| file.is_like(thing)) {
            file.begin_anew();
        }
    }
    for file in files.iter_mut().filter(|file| !file.proven) {
        file.put(&mut server, &join(&part, file.name.as_bytes()))?;
    }
    exactly(&server.list(&part)?, files)?;
    files::replace(parcel.note, b"", "package-note").map_err(own)?;
    server.rename(&part, &whole)?;
    if server.stat(&part)?.is_some() {
        let what = "the server says that it renamed, and did not";
        return Err(CourierError::new(SourceCode::Denied, what));
    }
    // Who waits for it may have taken it by now. What is there must be it.
    match server.stat(&whole)? {
        None => Ok(()),
        Some(_) => exactly(&server.list(&whole)?, files),
    }
}

/// A folder of these files and nothing else.
fn exactly(listing: &Listing, files: &[Sent]) -> Result<()> {
    let there = |file: &Sent| listing.things.iter().any(|thing| file.is_like(thing));
    let whole = listing.things.len() == files.len() && !listing.cut && listing.odd == 0;
    if whole && files.iter().all(there) { Ok(()) } else { Err(taken()) }
}

/// Whether what has the package's name is the package.
fn same(server: &mut Server, whole: &[u8], files: &[Sent]) -> Result<()> {
    let listing = server.list(whole)?;
    exactly(&listing, files)?;
    for file in files {
        let path = join(whole, file.name.as_bytes());
        if read_back(server, &path, file.bytes)? != file.sha256 {
            return Err(taken());
        }
    }
    Ok(())
}

/// A fault of our own files.
fn own(what: impl std::fmt::Display) -> CourierError {
    CourierError::new(SourceCode::OwnFiles, what.to_string())
}

fn taken() -> CourierError {
    CourierError::new(SourceCode::Taken, "something else has the name of the package")
}

impl Sent {
    fn is_like(&self, thing: &Thing) -> bool {
        thing.kind == ThingKind::File
            && thing.name == self.name.as_bytes()
            && thing.bytes == self.bytes
    }

    /// Nothing of it is known to be there.
    fn begin_anew(&mut self) {
        (self.read, self.proven) = (0, false);
        self.hasher = Hasher::new();
    }

    fn put(&mut self, server: &mut Server, path: &[u8]) -> Result<()> {
        self.there = match server.stat(path)? {
            Some(thing) if thing.kind == ThingKind::File && thing.bytes <= self.bytes => {
                thing.bytes
            }
            Some(_) => {
                server.remove(path)?;
                0
            }
            None => 0,
        };
        if self.there < self.bytes || self.bytes == 0 {
            let mut from = self.rest()?;
            server.put(path, self.there, self.bytes - self.there, &mut from)?;
            self.there = self.bytes;
        }
        let (read, hasher) = (&mut self.read, &mut self.hasher);
        server.read(path, *read, self.bytes - *read, &mut |piece| {
            hasher.update(piece);
            *read += piece.len() as u64;
            Ok(())
        })?;
        let hasher = std::mem::take(&mut self.hasher);
        if std::mem::take(&mut self.read) == self.bytes && hasher.finish() == self.sha256 {
            self.proven = true;
            return Ok(());
        }
        // It is sent anew, from nothing.
        server.remove(path)?;
        let what = "the server gives back something else than it was given";
        Err(CourierError::new(SourceCode::Changed, what))
    }

    /// What the server does not have of it yet.
    fn rest(&self) -> Result<File> {
        let mut file = files::open_regular(&self.path).map_err(own)?;
        file.seek(SeekFrom::Start(self.there)).map_err(own)?;
        Ok(file)
    }
}
