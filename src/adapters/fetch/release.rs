//! What is done at a server: releasing a delivery that is in safety, and putting a file of ours there.
//!
//! Both look at the server before and after: what is done already is done, and what is not what was fetched is left alone.

use super::{OURS, join, listed};
use crate::{
    adapters::courier::{Courier, CourierError, Listing, Server, Thing},
    domain::{
        digest::{Digest, Hasher},
        limits::PUT_BYTES_MAX,
        source::{Release, RemoteEnd, Source, SourceCode},
    },
};

type Result<T> = std::result::Result<T, CourierError>;

/// What is to be released.
pub struct ReleaseTo<'a> {
    /// Its id: makes a name unique.
    pub id: String,
    /// The key of names.
    pub key: &'a [u8],
    /// HMAC of its name.
    pub name_mac: Digest,
    /// HMAC of what was listed of it.
    pub listing: Digest,
}

/// Releases a delivery, and looks whether it is done.
///
/// # Errors
/// [`CourierError`]; it may be half done then, and the next try ends it.
pub fn release(courier: &Courier, source: &Source, what: &ReleaseTo<'_>) -> Result<RemoteEnd> {
    let mut server = courier.connect(&source.server)?;
    let folder = source.path.as_bytes();
    let listing = server.list(folder)?;
    let set_aside = join(folder, format!("{OURS}{}", what.id).as_bytes());
    let is_it = |name: &[u8]| Digest::keyed(what.key, name) == what.name_mac;
    if source.release == Release::Delete && server.stat(&set_aside)?.is_some() {
        remove(&mut server, &set_aside)?;
        return Ok(RemoteEnd::Deleted);
    }
    let Some(thing) = listing.things.iter().find(|thing| is_it(&thing.name)) else {
        return gone(&mut server, source, what, &listing);
    };
    let from = join(folder, &thing.name);
    let inside = match server.list(&from) {
        Err(error) if error.code == SourceCode::NoFolder => return Ok(RemoteEnd::Gone),
        other => other?,
    };
    if listed(what.key, &inside) != what.listing {
        return Ok(RemoteEnd::Changed);
    }
    match &source.release {
        Release::Keep => Err(CourierError::new(SourceCode::Denied, "the link releases nothing")),
        Release::Delete => {
            // Out of the way first, so that a half removed one is never taken for another delivery.
            rename(&mut server, &from, &set_aside)?;
            remove(&mut server, &set_aside)?;
            Ok(RemoteEnd::Deleted)
        }
        Release::Move(to) => {
            let to = free(&mut server, what, to.as_bytes(), &thing.name, b"")?;
            rename(&mut server, &from, &to)?;
            Ok(RemoteEnd::Moved)
        }
        Release::Rename(ending) => {
            let to = free(&mut server, what, folder, &thing.name, ending.as_bytes())?;
            rename(&mut server, &from, &to)?;
            Ok(RemoteEnd::Renamed)
        }
    }
}

/// It is not under its name any more: whether that was us, before a stop.
fn gone(
    server: &mut Server,
    source: &Source,
    what: &ReleaseTo<'_>,
    listing: &Listing,
) -> Result<RemoteEnd> {
    let moved_to = |things: &[Thing], ending: &[u8]| {
        let own = format!(".{}", what.id);
        things.iter().any(|thing| {
            let Some(name) = thing.name.strip_suffix(ending) else { return false };
            let plain = name.strip_suffix(own.as_bytes()).unwrap_or(name);
            [name, plain].iter().any(|name| Digest::keyed(what.key, name) == what.name_mac)
        })
    };
    match &source.release {
        Release::Rename(ending) if moved_to(&listing.things, ending.as_bytes()) => {
            Ok(RemoteEnd::Renamed)
        }
        Release::Move(to) if moved_to(&server.list(to.as_bytes())?.things, b"") => {
            Ok(RemoteEnd::Moved)
        }
        // More lies there than is listed: it may be behind that.
        _ if listing.cut => {
            Err(CourierError::new(SourceCode::Limit, "more lies there than is listed"))
        }
        _ => Ok(RemoteEnd::Gone),
    }
}

/// A name in a folder that nothing has: the delivery's own, or that with our id.
fn free(
    server: &mut Server,
    what: &ReleaseTo<'_>,
    folder: &[u8],
    name: &[u8],
    ending: &[u8],
) -> Result<Vec<u8>> {
    let plain = join(folder, &[name, ending].concat());
    if server.stat(&plain)?.is_none() {
        return Ok(plain);
    }
    let own = join(folder, &[name, b".", what.id.as_bytes(), ending].concat());
    match server.stat(&own)? {
        None => Ok(own),
        Some(_) => Err(CourierError::new(SourceCode::Taken, "the name to release it to is taken")),
    }
}

/// Renames, and looks whether it is done.
fn rename(server: &mut Server, from: &[u8], to: &[u8]) -> Result<()> {
    server.rename(from, to)?;
    if server.stat(from)?.is_some() || server.stat(to)?.is_none() {
        let what = "the server says that it renamed, and did not";
        return Err(CourierError::new(SourceCode::Denied, what));
    }
    Ok(())
}

/// Removes a folder of plain files.
fn remove(server: &mut Server, folder: &[u8]) -> Result<()> {
    for thing in server.list(folder)?.things {
        server.remove(&join(folder, &thing.name))?;
    }
    server.remove_folder(folder)?;
    if server.stat(folder)?.is_some() {
        let what = "the server says that it removed, and did not";
        return Err(CourierError::new(SourceCode::Denied, what));
    }
    Ok(())
}

/// Puts a file into the folder for what it is: under a name of its own, read back, renamed; over an older one of its name.
///
/// # Errors
/// [`CourierError`].
pub fn put(courier: &Courier, source: &Source, name: &str, bytes: &[u8]) -> Result<()> {
    let Some(folder) = source.folder_of(name) else {
        return Err(CourierError::new(SourceCode::NoFolder, "the link names no folder for it"));
    };
    if bytes.len() as u64 > PUT_BYTES_MAX {
        return Err(CourierError::new(SourceCode::Limit, "the file is too long to be put"));
    }
    let mut server = courier.connect(&source.server)?;
    let to = join(folder.as_bytes(), name.as_bytes());
    let wanted = Digest::of(bytes);
    let there = server.stat(&to)?;
    if let Some(thing) = &there
        && thing.bytes == bytes.len() as u64
        && read_back(&mut server, &to, thing.bytes)? == wanted
    {
        return Ok(());
    }
    let part = join(folder.as_bytes(), format!("{OURS}{name}.part").as_bytes());
    server.put(&part, 0, bytes.len() as u64, &mut &bytes[..])?;
    let size = server.stat(&part)?.map(|thing| thing.bytes);
    if size != Some(bytes.len() as u64)
        || read_back(&mut server, &part, bytes.len() as u64)? != wanted
    {
        let what = "the server gives back something else than it was given";
        return Err(CourierError::new(SourceCode::Changed, what));
    }
    if there.is_some() {
        // SFTP's own rename goes over nothing: for a moment there is only the new one, under its other name.
        server.remove(&to)?;
    }
    rename(&mut server, &part, &to)
}

pub(super) fn read_back(server: &mut Server, path: &[u8], bytes: u64) -> Result<Digest> {
    let mut hasher = Hasher::new();
    server.read(path, 0, bytes, &mut |piece| {
        hasher.update(piece);
        Ok(())
    })?;
    Ok(hasher.finish())
}
