//! The wipe primitive: the only code that removes governed data.
//!
//! A file is looked at (links, extents, who has it open, what it lies on), overwritten in place once, synced, looked at
//! again and read back past the memory of the machine; then what was found is handed to the caller, and only then it is
//! renamed to a neutral name, truncated, unlinked, and its folder synced. Everything happens beneath a folder handle
//! and through one descriptor that was checked after it was opened: links, pipes and second links are never written to,
//! and a name or folder that is swapped meanwhile changes nothing.
//!
//! It states no more than it proved: the level follows from the limits that it met ([`crate::domain::wipe`]). It asks
//! nobody whether it may; holds, approvals and policy are read by the caller, right before. What cannot be overwritten
//! is refused where it is ours; of what others brought, at least the name goes, and that is what is stated. An I/O error
//! is an error, never a success.

mod batch;
pub(super) mod beneath;
mod extents;
mod ground;
mod in_place;
mod names;
mod pass;
mod system;
mod told;
mod tree;

use std::{
    ffi::OsStr,
    fs::File,
    os::fd::{AsFd, BorrowedFd},
    path::Path,
};

use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, RenameFlags, ResolveFlags, Stat, StatxFlags, fstat, fsync,
    ftruncate, openat2, renameat, renameat_with, statat, statx, unlinkat,
};
use rustix::io::Errno;

pub(super) use self::names::{NEUTRAL, neutral_name};
use self::{
    extents::Map,
    ground::{Below, below},
    names::{check_name, length, same_file, unchanged},
    pass::{Buffer, Passed, Target},
};
pub use self::{
    ground::foresee,
    in_place::InPlace,
    names::is_neutral,
    told::{Expect, Note, Origin, Outcome, RawDevice, WipeError, Wiped},
    tree::{TreeReport, wipe_files, wipe_tree},
};
use super::{
    clock::SystemClock,
    fault,
    files::{self, FileError},
};
use crate::domain::wipe::{Limit, ReadBack, WipeReport};

/// Who keeps the proof of an overwrite before the file goes.
pub type Prove<'p> = dyn FnMut(&Wiped) -> Result<(), Box<dyn std::error::Error + Send + Sync>> + 'p;

/// Wipes the file `name` of the folder `dir`; its end is durable on return.
///
/// # Errors
/// [`WipeError`]. A missing file is no error: [`Outcome::Missing`].
pub fn wipe_file(dir: BorrowedFd<'_>, name: &OsStr, expect: Expect) -> Result<Wiped, WipeError> {
    wipe_proven(dir, name, expect, &mut |_| Ok(()))
}

/// As [`wipe_file`]; what was proved is handed to `prove` before the file loses its name, and where that fails the file
/// stays.
///
/// # Errors
/// As [`wipe_file`].
pub fn wipe_proven(
    dir: BorrowedFd<'_>,
    name: &OsStr,
    expect: Expect,
    prove: &mut Prove<'_>,
) -> Result<Wiped, WipeError> {
    wipe_seen(dir, name, expect, None, prove)
}

/// As [`wipe_proven`]; the overwrite is looked at on the raw device too, where there is who can.
///
/// # Errors
/// As [`wipe_file`].
pub fn wipe_seen(
    dir: BorrowedFd<'_>,
    name: &OsStr,
    expect: Expect,
    raw: Option<&dyn RawDevice>,
    prove: &mut Prove<'_>,
) -> Result<Wiped, WipeError> {
    check_name(name)?;
    let place = Place { dir, below: below(dir)?, origin: expect.origin, raw };
    let neutral = neutral_name(name);
    let leftover = if expect.resume { place.finish(&neutral, prove)? } else { None };
    let Some(found) = stat(dir, name)? else {
        // The name may have gone just before a power cut.
        fsync(dir).map_err(WipeError::of("sync the folder of"))?;
        return Ok(leftover.unwrap_or_else(|| place.nothing(Outcome::Missing, None)));
    };
    if let Some(expected) = expect.len.filter(|expected| *expected != length(&found)) {
        return Err(WipeError::OtherLength { expected, found: length(&found) });
    }
    if expect.identity.is_some_and(|identity| identity != (found.st_dev, found.st_ino)) {
        return Err(WipeError::Swapped);
    }
    let mut opened = match place.open(name, &found)? {
        Ok(opened) => opened,
        Err(note) => return place.unlink_only(name, &neutral, &found, note),
    };
    if expect.origin == Origin::Others {
        // What it is called must not be what others compare by content: a stop leaves it under the neutral name.
        place.rename_to_neutral(name, &neutral, &found)?;
    }
    let wiped = match place.overwrite(&mut opened)? {
        Ok(wiped) => wiped,
        Err(note) if expect.origin == Origin::Others => {
            return place.remove_only(neutral.as_ref(), note);
        }
        Err(note) => return Err(WipeError::Refused(note)),
    };
    // A stop before this line repeats the overwrite; after it, the caller has the proof of it.
    prove(&wiped).map_err(WipeError::Unproven)?;
    if expect.origin == Origin::Own {
        place.rename_to_neutral(name, &neutral, &found)?;
    }
    place.remove_neutral(&opened.file, &neutral)?;
    Ok(wiped)
}

/// Ends a wipe of `name` that was cut off after its rename, where there is one.
///
/// # Errors
/// As [`wipe_file`].
pub fn finish(dir: BorrowedFd<'_>, name: &OsStr) -> Result<(), WipeError> {
    finish_left(dir, neutral_name(name).as_ref())
}

/// As [`finish`], of a file that is known by its neutral name alone. Missing is done.
///
/// # Errors
/// As [`wipe_file`]; [`WipeError::BadName`] where it is no neutral name.
pub fn finish_left(dir: BorrowedFd<'_>, neutral: &OsStr) -> Result<(), WipeError> {
    let Some(name) = neutral.to_str().filter(|_| is_neutral(neutral)) else {
        return Err(WipeError::BadName);
    };
    if stat(dir, neutral)?.is_some() {
        let place = Place { dir, below: below(dir)?, origin: Origin::Others, raw: None };
        let _ = place.finish(name, &mut |_| Ok(()))?;
    }
    Ok(())
}

/// Wipes what was begun and given up, of which nobody is to have a proof; a missing one is done. What cannot be
/// overwritten is unlinked: it holds ciphertext, and its key goes too.
///
/// # Errors
/// [`FileError`].
pub fn discard(path: &Path) -> Result<(), FileError> {
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return Ok(()) };
    if path.symlink_metadata().is_err() && !parent.join(neutral_name(name)).exists() {
        return Ok(());
    }
    let dir = files::open_dir(parent)?;
    let expect = Expect { origin: Origin::Others, resume: true, ..Expect::default() };
    wipe_file(dir.as_fd(), name, expect).map(|_| ()).map_err(|error| {
        let path = path.to_owned();
        FileError::Io { doing: "wipe", path, source: std::io::Error::other(error) }
    })
}

/// A folder in which things are wiped.
struct Place<'d> {
    dir: BorrowedFd<'d>,
    below: Below,
    origin: Origin,
    /// Who can look at the device below.
    raw: Option<&'d dyn RawDevice>,
}

/// A file that is open for its overwrite, and what was found of it before.
struct Opened {
    file: File,
    /// The same file past the memory of the machine.
    direct: Option<File>,
    found: Stat,
    before: Option<Map>,
    limits: Vec<Limit>,
    errors: u64,
    retries: u64,
    since: i64,
}

impl Opened {
    fn target(&self) -> Target<'_> {
        let (file, direct) = (&self.file, self.direct.as_ref());
        Target { file, direct, len: length(&self.found) }
    }
}

/// Flags of every opening: no link is followed, no pipe waited for.
const OPEN: OFlags =
    OFlags::RDWR.union(OFlags::NOFOLLOW).union(OFlags::NONBLOCK).union(OFlags::CLOEXEC);

impl Place<'_> {
    /// The report of something that was not overwritten.
    fn nothing(&self, outcome: Outcome, note: Option<Note>) -> Wiped {
        let mut report = WipeReport::new(self.below.ground.clone());
        report.limit(Limit::NotOverwritten);
        report.limit(Limit::NoKeyDestroyed);
        Wiped { outcome, bytes: 0, note, report }
    }

    /// Ends a wipe that was cut off after its rename. What is left is wiped once more, which costs little and trusts
    /// nothing.
    fn finish(&self, neutral: &str, prove: &mut Prove<'_>) -> Result<Option<Wiped>, WipeError> {
        let Some(found) = stat(self.dir, neutral.as_ref())? else { return Ok(None) };
        let overwritten = match self.open(neutral.as_ref(), &found)? {
            Ok(mut opened) => self.overwrite(&mut opened)?.map(|wiped| (wiped, opened)),
            Err(note) => Err(note),
        };
        match overwritten {
            Ok((mut wiped, opened)) => {
                wiped.note.get_or_insert(Note::Resumed);
                prove(&wiped).map_err(WipeError::Unproven)?;
                self.remove_neutral(&opened.file, neutral)?;
                Ok(Some(wiped))
            }
            Err(note) if self.origin == Origin::Own => Err(WipeError::Refused(note)),
            Err(note) => self.remove_only(neutral.as_ref(), note).map(Some),
        }
    }

    /// Opens a regular file with one link for writing, or says why it is not to be overwritten.
    fn open(&self, name: &OsStr, found: &Stat) -> Result<Result<Opened, Note>, WipeError> {
        match FileType::from_raw_mode(found.st_mode) {
            FileType::RegularFile => {}
            FileType::Directory => return Err(WipeError::Folder),
            _ => return Ok(Err(Note::NotRegular)),
        }
        if found.st_nlink != 1 {
            return Ok(Err(Note::Linked));
        }
        let since = SystemClock.boot_millis();
        let file = match self.openat(name, OPEN) {
            Ok(file) => file,
            Err(Errno::ACCESS | Errno::PERM | Errno::ROFS | Errno::TXTBSY) => {
                return Ok(Err(Note::NotWritable));
            }
            Err(errno) => return Err(WipeError::of("open")(errno)),
        };
        // Whatever took the name after it was looked at, or was written into it since, is seen on its descriptor.
        let opened = fstat(&file).map_err(WipeError::of("inspect"))?;
        // On layers the opening itself copies a file of the one below, and changes its time.
        let layers = self.below.ground.kind == "overlay";
        let same = unchanged(&opened, found)
            || layers && same_file(&opened, found) && opened.st_size == found.st_size;
        if !same || opened.st_nlink != 1 {
            return Err(WipeError::Swapped);
        }
        let mut limits = self.below.limits.clone();
        match system::is_open_elsewhere(&file) {
            Some(false) => {}
            Some(true) => limits.push(Limit::OpenElsewhere),
            None => limits.push(Limit::OpenUnknown),
        }
        if self.origin == Origin::Others {
            limits.push(Limit::WrittenByOthers);
        }
        if self.below.journals && !takes_direct(&file) {
            limits.push(Limit::DataJournal);
        }
        let direct = self.openat(name, OPEN.union(OFlags::DIRECT)).ok();
        let direct = direct.filter(|d| fstat(d).is_ok_and(|s| same_file(&s, found)));
        let before = Map::of(&file, true);
        let found = *found;
        Ok(Ok(Opened { file, direct, found, before, limits, errors: 0, retries: 0, since }))
    }

    fn openat(&self, name: &OsStr, flags: OFlags) -> Result<File, Errno> {
        // A file can be a mount of another one that lies elsewhere: opening across it is refused, and so is the wipe.
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_XDEV;
        openat2(self.dir, name, flags, Mode::empty(), resolve).map(File::from)
    }

    /// One pass, synced and read back; once more where it does not read back as it was written.
    fn overwrite(&self, opened: &mut Opened) -> Result<Result<Wiped, Note>, WipeError> {
        let (mut buffer, mut wanted) = (Buffer::new(), Buffer::new());
        loop {
            let passed = pass::overwrite(&opened.target(), &mut buffer)?;
            if matches!(passed, Passed::NoSpace) {
                return Ok(Err(Note::NoSpace));
            }
            fsync(&opened.file).map_err(WipeError::of("sync"))?;
            match self.look_again(opened, &passed, &mut buffer, &mut wanted)? {
                Some(wiped) => return Ok(Ok(wiped)),
                None if opened.retries > 0 => return Err(WipeError::NotReadBack),
                None => opened.retries += 1,
            }
        }
    }

    /// Looks at a file that was overwritten and synced: its extents, its length, its contents. Nothing where they are
    /// not what was written.
    fn look_again(
        &self,
        opened: &mut Opened,
        passed: &Passed,
        buffer: &mut Buffer,
        wanted: &mut Buffer,
    ) -> Result<Option<Wiped>, WipeError> {
        let len = length(&opened.found);
        let (noise, from, same) = match passed {
            Passed::Written(noise) => (noise, 0, true),
            Passed::Compared(noise, same) => (noise, pass::seen(len), *same),
            Passed::NoSpace => return Ok(None),
        };
        let target = opened.target();
        let (rest_same, way) = match pass::compare(&target, noise, buffer, wanted, from) {
            Ok(compared) => compared,
            // A place that cannot be read is one that was not proven; it is tried once more.
            Err(_) if opened.retries == 0 => (false, ReadBack::None),
            Err(source) => return Err(WipeError::Io { doing: "read back", source }),
        };
        // Asked only of what reads back here already: a device that holds something else is an overwrite that failed.
        let raw = self.raw.filter(|_| same && rest_same && len > 0 && !self.below.memory);
        let seen = raw.and_then(|raw| raw.compare(&opened.file, noise, len));
        if !(same && rest_same) || seen == Some(false) {
            opened.errors += 1;
            return Ok(None);
        }
        let way = if seen == Some(true) { ReadBack::Device } else { way };
        let after = Map::of(&opened.file, false);
        let now = fstat(&opened.file).map_err(WipeError::of("inspect"))?;
        Ok(Some(self.judge(opened, after.as_ref(), way, length(&now) > len)))
    }

    fn judge(&self, opened: &Opened, after: Option<&Map>, way: ReadBack, grew: bool) -> Wiped {
        let mut limits = opened.limits.clone();
        if !self.below.memory {
            Map::compare(opened.before.as_ref(), after, &mut limits);
        }
        if way < ReadBack::Direct && !self.below.memory {
            limits.push(Limit::NotReadBack);
        }
        if grew {
            limits.push(Limit::Grew);
        }
        if !self.below.ground.discards && !self.below.memory {
            limits.push(Limit::NotTrimmed);
        }
        limits.push(Limit::NoKeyDestroyed);
        let mut report = WipeReport {
            before: opened.before.as_ref().map(Map::facts),
            after: after.map(Map::facts),
            passes: 1,
            read_back: way,
            errors: opened.errors,
            retries: opened.retries,
            millis: u64::try_from(SystemClock.boot_millis() - opened.since).unwrap_or(0),
            ..WipeReport::new(self.below.ground.clone())
        };
        for limit in limits {
            report.limit(limit);
        }
        let note = grew.then_some(Note::Grew);
        Wiped { outcome: Outcome::Overwritten, bytes: length(&opened.found), note, report }
    }

    /// The end of what cannot be overwritten: refused where it is ours, its name removed where it is not.
    fn unlink_only(
        &self,
        name: &OsStr,
        neutral: &str,
        found: &Stat,
        note: Note,
    ) -> Result<Wiped, WipeError> {
        if self.origin == Origin::Own {
            return Err(WipeError::Refused(note));
        }
        if note == Note::NotRegular {
            // To rename a link or a pipe is to make one, which the agent has given up the right to. It goes under its own
            // name, looked at once more: a file that came in its place meanwhile is not a thing that holds nothing.
            return match stat(self.dir, name)? {
                Some(now) if same_file(&now, found) => self.remove_only(name, note),
                _ => Err(WipeError::Swapped),
            };
        }
        // By way of the neutral name: what took the name meanwhile is put back instead of removed.
        self.rename_to_neutral(name, neutral, found)?;
        self.remove_only(neutral.as_ref(), note)
    }

    fn remove_only(&self, name: &OsStr, note: Note) -> Result<Wiped, WipeError> {
        let write = fault::Write::begin("wipe unlink");
        self.unlink(name)?;
        write.middle();
        fsync(self.dir).map_err(WipeError::of("sync the folder of"))?;
        write.end();
        Ok(self.nothing(Outcome::Unlinked, Some(note)))
    }

    fn rename_to_neutral(
        &self,
        name: &OsStr,
        neutral: &str,
        found: &Stat,
    ) -> Result<(), WipeError> {
        let write = fault::Write::begin("wipe rename");
        self.rename_checked(name, neutral, found, &write)?;
        fsync(self.dir).map_err(WipeError::of("sync the folder of"))?;
        write.end();
        Ok(())
    }

    fn rename_checked(
        &self,
        name: &OsStr,
        neutral: &str,
        found: &Stat,
        write: &fault::Write,
    ) -> Result<(), WipeError> {
        renameat(self.dir, name, self.dir, neutral).map_err(WipeError::of("rename"))?;
        write.middle();
        let moved = stat(self.dir, neutral.as_ref())?;
        if moved.is_some_and(|moved| same_file(&moved, found)) {
            return Ok(());
        }
        // The folder's other writers put something else there. It is theirs and was not judged: put it back.
        let _ = renameat_with(self.dir, neutral, self.dir, name, RenameFlags::NOREPLACE);
        Err(WipeError::Swapped)
    }

    fn remove_neutral(&self, file: &File, neutral: &str) -> Result<(), WipeError> {
        let write = fault::Write::begin("wipe unlink");
        ftruncate(file, 0).map_err(WipeError::of("truncate"))?;
        write.middle();
        self.unlink_synced(neutral.as_ref())?;
        write.end();
        Ok(())
    }

    fn unlink_synced(&self, name: &OsStr) -> Result<(), WipeError> {
        self.unlink(name)?;
        fsync(self.dir).map_err(WipeError::of("sync the folder of"))
    }

    fn unlink(&self, name: &OsStr) -> Result<(), WipeError> {
        match unlinkat(self.dir, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(errno) => Err(WipeError::of("unlink")(errno)),
        }
    }
}

/// Whether the file can be read and written past memory. ext4 says no for a file whose contents pass through its
/// journal, however that was asked for (statx(2), `STATX_DIOALIGN`); a kernel that does not say counts as no.
fn takes_direct(file: &File) -> bool {
    const DIOALIGN: StatxFlags = StatxFlags::from_bits_retain(0x2000);
    statx(file, "", AtFlags::EMPTY_PATH, DIOALIGN)
        .is_ok_and(|told| told.stx_mask & DIOALIGN.bits() != 0 && told.stx_dio_offset_align != 0)
}

fn stat(dir: BorrowedFd<'_>, name: &OsStr) -> Result<Option<Stat>, WipeError> {
    match statat(dir, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(found) => Ok(Some(found)),
        Err(Errno::NOENT) => Ok(None),
        Err(errno) => Err(WipeError::of("inspect")(errno)),
    }
}

#[cfg(test)]
mod tests;
