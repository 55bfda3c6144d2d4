//! Many files of one folder at once: each gets its neutral name, and one sync of the folder makes those durable; each is
//! overwritten through memory, then one sync of the whole filesystem takes the place of one for each file; each is looked
//! at and read back by itself and unlinked, and one more sync of the folder makes their end durable.
//!
//! A sync of each file waits for the disk each time; with small files that is all the time that there is. What proves
//! an overwrite is the same as for a single file: its own extents and its own contents, read back after the sync. A stop
//! anywhere leaves files under their own names, not overwritten, or under neutral ones, and a repeat wipes them again.

use std::ffi::{OsStr, OsString};

use rustix::{
    fs::{Stat, fsync, ftruncate, syncfs},
    io::Errno,
};

use super::{
    NEUTRAL, Note, Opened, Origin, Place, WipeError, Wiped, fault, neutral_name,
    pass::{self, Buffer, Passed},
    stat, unchanged,
};

/// Files at once: each takes two descriptors, and a process may have 1,024.
pub(super) const FILES: usize = 128;
/// Up to this many are synced one by one: a whole filesystem may have more to write than they.
const SINGLE: usize = 4;

/// Buffers for reading and comparing, used again and again.
pub(super) struct Buffers(Buffer, Buffer);

impl Buffers {
    pub(super) fn new() -> Self {
        Self(Buffer::new(), Buffer::new())
    }
}

/// A file that is under way.
struct Begun {
    neutral: String,
    opened: Box<Opened>,
}

/// A file that was judged: its name, and what it was when it was looked at.
pub(super) type Judged = (OsString, Stat);

/// Wipes files of a folder that others wrote. One that is missing by now is left out; one that is another by now than
/// was judged is [`WipeError::Swapped`] and stays.
pub(super) fn wipe(
    place: &Place<'_>,
    files: &[Judged],
    buffers: &mut Buffers,
) -> Vec<Result<Wiped, WipeError>> {
    debug_assert!(place.origin == Origin::Others, "our own files are proven one by one");
    let mut ended = Vec::with_capacity(files.len());
    let mut begun = Vec::new();
    for (name, judged) in files {
        match begin(place, name, judged) {
            Ok(None) => {}
            Ok(Some(Ok(one))) => begun.push(one),
            Ok(Some(Err(unlinked))) => ended.push(Ok(unlinked)),
            Err(error) => ended.push(Err(error)),
        }
    }
    if begun.is_empty() {
        return ended;
    }
    if let Err(error) = sync_folder(place) {
        ended.extend(begun.iter().map(|_| Err(again(&error))));
        return ended;
    }
    let mut passed = Vec::with_capacity(begun.len());
    for one in begun {
        match pass::overwrite(&one.opened.target(), &mut buffers.0) {
            Ok(Passed::NoSpace) => {
                ended.push(place.remove_only(one.neutral.as_ref(), Note::NoSpace));
            }
            Ok(pass) => passed.push((one, pass)),
            Err(error) => ended.push(Err(error)),
        }
    }
    let synced = sync(place, &passed);
    let first = ended.len();
    for ((one, pass), synced) in passed.into_iter().zip(synced) {
        ended.push(synced.and_then(|()| end(place, one, &pass, buffers)));
    }
    // Until here their names may come back after a power cut.
    if let Err(error) = sync_folder(place) {
        ended[first..].iter_mut().for_each(|one| *one = Err(again(&error)));
    }
    ended
}

fn sync_folder(place: &Place<'_>) -> Result<(), Errno> {
    let write = fault::Write::begin("wipe folder sync");
    write.middle();
    fsync(place.dir)?;
    write.end();
    Ok(())
}

fn again(error: &Errno) -> WipeError {
    WipeError::of("sync the folder of")(*error)
}

/// Opens a file and gives it its neutral name; or unlinks what cannot be overwritten.
fn begin(
    place: &Place<'_>,
    name: &OsStr,
    judged: &Stat,
) -> Result<Option<Result<Begun, Wiped>>, WipeError> {
    let Some(found) = stat(place.dir, name)? else { return Ok(None) };
    // Who holds a handle of the folder can put another file there at any time: it was never copied.
    if !unchanged(&found, judged) {
        return Err(WipeError::Swapped);
    }
    // What a stop left has its neutral name.
    let left = name.as_encoded_bytes().starts_with(NEUTRAL.as_bytes());
    let neutral = match name.to_str() {
        Some(name) if left => name.to_owned(),
        _ => neutral_name(name),
    };
    let opened = match place.open(name, judged)? {
        Ok(opened) => opened,
        Err(note) => return place.unlink_only(name, &neutral, judged, note).map(Err).map(Some),
    };
    if name.as_encoded_bytes() != neutral.as_bytes() {
        // What a stop left under that name is ended first, and not lost beneath the one that takes it.
        let _ = place.finish(&neutral, &mut |_| Ok(()))?;
        let write = fault::Write::begin("wipe rename");
        place.rename_checked(name, &neutral, judged, &write)?;
        write.end();
    }
    Ok(Some(Ok(Begun { neutral, opened: Box::new(opened) })))
}

/// One sync for all, or one for each of a few.
fn sync(place: &Place<'_>, passed: &[(Begun, Passed)]) -> Vec<Result<(), WipeError>> {
    let at_once = passed.len() > SINGLE && syncfs(place.dir).is_ok();
    let one = |(begun, _): &(Begun, Passed)| {
        // The sync of all tells only that some file somewhere failed; each file's own tells of itself.
        if at_once { Ok(()) } else { fsync(&begun.opened.file).map_err(WipeError::of("sync")) }
    };
    passed.iter().map(one).collect()
}

fn end(
    place: &Place<'_>,
    begun: Begun,
    passed: &Passed,
    buffers: &mut Buffers,
) -> Result<Wiped, WipeError> {
    let Begun { neutral, mut opened } = begun;
    let Buffers(buffer, wanted) = buffers;
    let wiped = match place.look_again(&mut opened, passed, buffer, wanted)? {
        Some(wiped) => wiped,
        None => {
            opened.retries += 1;
            match place.overwrite(&mut opened)? {
                Ok(wiped) => wiped,
                Err(note) => return Err(WipeError::Refused(note)),
            }
        }
    };
    let write = fault::Write::begin("wipe unlink");
    ftruncate(&opened.file, 0).map_err(WipeError::of("truncate"))?;
    write.middle();
    place.unlink(neutral.as_ref())?;
    write.end();
    Ok(wiped)
}
