//! Durable writes of our own files: the only writer of files besides SQLite, the spool writer and the key store.
//!
//! A file appears under its name whole or not at all: it is written as `.NAME.part` beside its place, synced,
//! renamed, and the folder is synced. The temporary name follows from the final one, so a stop anywhere is mended
//! by doing the same again. When a function returns `Ok`, what it wrote survives a power cut.
//!
//! Not here: deleting governed data (`wipe.rs`), and opening anything in a folder that others may write
//! (`inbox.rs`). An error of fsync is returned and never retried: the pages may be gone, so the process must end.
//!
//! It is over 500 lines because every way to write durably stands beside the others, with its tests.

use std::{
    ffi::OsString,
    fs::File,
    io::{self, Read, Write as _},
    os::fd::AsFd,
    path::{Path, PathBuf},
};

use rustix::fs::{
    AtFlags, CWD, Mode, OFlags, RenameFlags, chmodat, fstat, fstatvfs, fsync, linkat, mkdir, open,
    renameat_with, rmdir, unlink,
};
use rustix::io::Errno;

use super::fault;

const FILE_MODE: Mode = Mode::from_raw_mode(0o600);
const DIR_MODE: Mode = Mode::from_raw_mode(0o700);

/// What went wrong with a file of ours.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The filesystem or the quota is full. Nothing half is left under the final name; try again with more room.
    #[error("no space left to write '{}'", path.display())]
    Full {
        /// The file that was being written.
        path: PathBuf,
    },
    /// There already, with other bytes than those to be written.
    #[error("'{}' exists with other content", path.display())]
    Differs {
        /// The file.
        path: PathBuf,
    },
    /// There already.
    #[error("'{}' exists", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// Longer than the caller takes.
    #[error("'{}' is longer than {max} bytes", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
        /// The most that is taken, in bytes.
        max: u64,
    },
    /// A link, a folder, a pipe or a device where a plain file must be.
    #[error("'{}' is no regular file", path.display())]
    NotRegular {
        /// The path.
        path: PathBuf,
    },
    /// Everything else that the system said.
    #[error("cannot {doing} '{}'", path.display())]
    Io {
        /// The act: `open`, `write`, `sync`, …
        doing: &'static str,
        /// The path it was done to.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

impl FileError {
    /// Whether the file, or a folder on the way to it, is not there.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }

    pub(super) fn of(doing: &'static str, path: &Path) -> impl FnOnce(Errno) -> Self + use<> {
        let path = path.to_owned();
        move |errno| match errno {
            Errno::NOSPC | Errno::DQUOT => Self::Full { path },
            Errno::LOOP => Self::NotRegular { path },
            errno => Self::Io { doing, path, source: errno.into() },
        }
    }

    pub(super) fn of_io(
        doing: &'static str,
        path: &Path,
    ) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| match Errno::from_io_error(&source) {
            Some(errno @ (Errno::NOSPC | Errno::DQUOT | Errno::LOOP)) => {
                Self::of(doing, &path)(errno)
            }
            _ => Self::Io { doing, path, source },
        }
    }
}

/// Makes the folder (0700) and syncs its parent; one that is there already is done.
///
/// # Errors
/// [`FileError`]; the parent must be there.
pub fn create_dir(path: &Path) -> Result<(), FileError> {
    let write = fault::Write::begin("folder");
    match mkdir(path, DIR_MODE) {
        Ok(()) => {}
        Err(Errno::EXIST) if path.is_dir() => {}
        Err(errno) => return Err(FileError::of("make the folder", path)(errno)),
    }
    write.middle();
    sync_dir(parent_of(path))?;
    write.end();
    Ok(())
}

/// Writes `path` (0600) so that it holds `bytes`, whatever it held before: the old file or the new one is there
/// at any moment. What the old one held is unlinked, not wiped: for governed data it must be ciphertext.
///
/// # Errors
/// [`FileError`]; the old file stands then.
pub fn replace(path: &Path, bytes: &[u8], site: &'static str) -> Result<(), FileError> {
    let part = part_of(path);
    write_part(&part, bytes, site)?;
    rename(&part, path, site)
}

/// Writes what is to take the place of `path` under its temporary name, synced.
///
/// # Errors
/// [`FileError`]; `path` stands as it was.
pub fn write_aside(path: &Path, bytes: &[u8], site: &'static str) -> Result<(), FileError> {
    write_part(&part_of(path), bytes, site)
}

/// Gives the temporary of `path` its place; what was there has the temporary name then, for whoever is to wipe it.
///
/// # Errors
/// [`FileError`].
pub fn exchange(path: &Path, site: &'static str) -> Result<(), FileError> {
    let part = part_of(path);
    if path.symlink_metadata().is_err() {
        return rename(&part, path, site);
    }
    let write = fault::Write::begin(site);
    match renameat_with(CWD, &part, CWD, path, RenameFlags::EXCHANGE) {
        // Some network filesystems know no such rename; what was there is only unlinked then.
        Err(Errno::INVAL | Errno::NOSYS) => rustix::fs::rename(&part, path),
        other => other,
    }
    .map_err(FileError::of("rename", path))?;
    write.middle();
    sync_dir(parent_of(path))?;
    write.end();
    Ok(())
}

/// As [`replace`], for a file that everybody may read (0644). Nothing governed goes there.
///
/// # Errors
/// [`FileError`]; the old file stands then.
pub fn replace_public(path: &Path, bytes: &[u8], site: &'static str) -> Result<(), FileError> {
    let part = part_of(path);
    write_part(&part, bytes, site)?;
    let open_to_all = Mode::from_raw_mode(0o644);
    chmodat(CWD, &part, open_to_all, AtFlags::empty()).map_err(FileError::of("open", &part))?;
    rename(&part, path, site)
}

/// Writes a file (0600) that must not be there yet.
///
/// # Errors
/// [`FileError::Exists`] where something has that name already, which is then left as it is.
pub fn create_new(path: &Path, bytes: &[u8], site: &'static str) -> Result<(), FileError> {
    if path.symlink_metadata().is_ok() {
        return Err(FileError::Exists { path: path.to_owned() });
    }
    let part = part_of(path);
    write_part(&part, bytes, site)?;
    settle(&part, path, site)
}

/// Gives a file, synced already, its name, which nothing may have yet, and syncs the folder.
///
/// # Errors
/// [`FileError::Exists`] where something has that name already, which is then left as it is.
pub fn settle(part: &Path, path: &Path, site: &'static str) -> Result<(), FileError> {
    let write = fault::Write::begin(site);
    let moved = match renameat_with(CWD, part, CWD, path, RenameFlags::NOREPLACE) {
        // Some network filesystems know no such rename; a link refuses an existing name everywhere.
        Err(Errno::INVAL | Errno::NOSYS) => {
            linkat(CWD, part, CWD, path, AtFlags::empty()).and_then(|()| unlink(part))
        }
        other => other,
    };
    match moved {
        Ok(()) => {}
        Err(Errno::EXIST) => return Err(FileError::Exists { path: path.to_owned() }),
        Err(errno) => return Err(FileError::of("rename", path)(errno)),
    }
    write.middle();
    sync_dir(parent_of(path))?;
    write.end();
    Ok(())
}

/// Writes a file (0600) that never changes: one that is there with the same bytes is done.
///
/// # Errors
/// [`FileError::Differs`] where it is there with other bytes.
pub fn create_idempotent(path: &Path, bytes: &[u8], site: &'static str) -> Result<(), FileError> {
    match create_new(path, bytes, site) {
        Err(FileError::Exists { .. }) => {}
        other => return other,
    }
    match read(path, bytes.len() as u64) {
        // An earlier run may have stopped between its rename and its sync of the folder.
        Ok(found) if found == bytes => sync_dir(parent_of(path)),
        Ok(_) | Err(FileError::TooLong { .. }) => Err(FileError::Differs { path: path.to_owned() }),
        Err(error) => Err(error),
    }
}

/// Renames within one filesystem and syncs the folder of the new name; the file must be synced already.
///
/// # Errors
/// [`FileError`].
pub fn rename(from: &Path, to: &Path, site: &'static str) -> Result<(), FileError> {
    let write = fault::Write::begin(site);
    rustix::fs::rename(from, to).map_err(FileError::of("rename", to))?;
    write.middle();
    sync_dir(parent_of(to))?;
    if parent_of(from) != parent_of(to) {
        sync_dir(parent_of(from))?;
    }
    write.end();
    Ok(())
}

/// Removes a temporary or a cache of ours, that holds nothing governed; a missing one is done.
///
/// # Errors
/// [`FileError`].
pub fn remove(path: &Path, site: &'static str) -> Result<(), FileError> {
    let write = fault::Write::begin(site);
    match unlink(path) {
        Ok(()) | Err(Errno::NOENT) => {}
        Err(errno) => return Err(FileError::of("remove", path)(errno)),
    }
    write.middle();
    sync_dir(parent_of(path))?;
    write.end();
    Ok(())
}

/// Removes a flat folder of temporaries or caches of ours, that holds nothing governed; a missing one is done. A
/// stop in the middle is mended by doing it again.
///
/// # Errors
/// [`FileError`]; a folder within it is one.
pub fn remove_flat_folder(path: &Path, site: &'static str) -> Result<(), FileError> {
    let write = fault::Write::begin(site);
    let names = match std::fs::read_dir(path) {
        Ok(names) => names,
        Err(source) if source.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(FileError::of_io("read the folder", path)(source)),
    };
    for name in names {
        let file = name.map_err(FileError::of_io("read the folder", path))?.path();
        unlink(&file).map_err(FileError::of("remove", &file))?;
        write.middle();
    }
    rmdir(path).map_err(FileError::of("remove the folder", path))?;
    sync_dir(parent_of(path))?;
    write.end();
    Ok(())
}

/// Makes the names in a folder durable.
///
/// # Errors
/// [`FileError`]; the process should end after one.
pub fn sync_dir(path: &Path) -> Result<(), FileError> {
    let dir = open_dir(path)?;
    fsync(&dir).map_err(FileError::of("sync", path))
}

/// Opens a folder itself, never through a link in its last part; for calls that work beneath a handle.
///
/// # Errors
/// [`FileError`].
pub fn open_dir(path: &Path) -> Result<std::os::fd::OwnedFd, FileError> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    open(path, flags, Mode::empty()).map_err(FileError::of("open the folder", path))
}

/// Reads a regular file of at most `max` bytes whole; a link in place of it is not followed.
///
/// # Errors
/// [`FileError`]; see [`FileError::is_missing`].
pub fn read(path: &Path, max: u64) -> Result<Vec<u8>, FileError> {
    let file = open_regular(path)?;
    let mut bytes = Vec::new();
    file.take(max.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(FileError::of_io("read", path))?;
    if bytes.len() as u64 > max {
        return Err(FileError::TooLong { path: path.to_owned(), max });
    }
    Ok(bytes)
}

/// Opens a regular file for reading; a link is not followed and a pipe is not waited for.
///
/// # Errors
/// [`FileError`].
pub fn open_regular(path: &Path) -> Result<File, FileError> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let fd = open(path, flags, Mode::empty()).map_err(FileError::of("open", path))?;
    regular(fd, path)
}

/// Bytes that this process may still write to the filesystem of `path`.
///
/// # Errors
/// [`FileError`].
pub fn free_bytes(path: &Path) -> Result<u64, FileError> {
    let dir = open_dir(path)?;
    let found = fstatvfs(dir.as_fd()).map_err(FileError::of("ask the free space of", path))?;
    Ok(found.f_bavail.saturating_mul(found.f_frsize))
}

/// Whether the filesystem of the folder `path` has no room for another page or another file. For writers that get no
/// word from the system about why they failed.
#[must_use]
pub fn is_full(path: &Path) -> bool {
    let Ok(found) = open_dir(path).and_then(|dir| {
        fstatvfs(dir.as_fd()).map_err(FileError::of("ask the free space of", path))
    }) else {
        return false;
    };
    // Some filesystems make inodes as they need them, and count none.
    let crowded = found.f_files > 0 && found.f_favail == 0;
    crowded || found.f_bavail.saturating_mul(found.f_frsize) < 1 << 16
}

/// The temporary name of a file while it is being written: `.NAME.part` beside it.
#[must_use]
pub fn part_of(path: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".part");
    path.with_file_name(name)
}

pub(super) fn regular(fd: std::os::fd::OwnedFd, path: &Path) -> Result<File, FileError> {
    let stat = fstat(&fd).map_err(FileError::of("inspect", path))?;
    if rustix::fs::FileType::from_raw_mode(stat.st_mode) != rustix::fs::FileType::RegularFile {
        return Err(FileError::NotRegular { path: path.to_owned() });
    }
    Ok(File::from(fd))
}

/// As [`replace`], for what is too long to be held in memory: `fill` writes it, `path` names it in errors.
///
/// # Errors
/// [`FileError`], and what `fill` says; the old file stands then.
pub fn replace_by<E: From<FileError>>(
    path: &Path,
    site: &'static str,
    fill: impl FnOnce(&mut dyn io::Write) -> Result<(), E>,
) -> Result<(), E> {
    let part = part_of(path);
    let write = fault::Write::begin(site);
    let mut file = create_part(&part)?;
    let filled = fill(&mut file).and_then(|()| {
        write.middle();
        file.sync_all().map_err(|source| FileError::of_io("sync", &part)(source).into())
    });
    if let Err(error) = filled {
        let _ = unlink(&part);
        return Err(error);
    }
    write.end();
    Ok(rename(&part, path, site)?)
}

fn write_part(part: &Path, bytes: &[u8], site: &'static str) -> Result<(), FileError> {
    let write = fault::Write::begin(site);
    let mut file = create_part(part)?;
    let (first, second) = bytes.split_at(bytes.len() / 2);
    let written = file.write_all(first).and_then(|()| {
        write.middle();
        file.write_all(second)?;
        file.sync_all()
    });
    if let Err(source) = written {
        // Gives its room back on a full disk; where even this fails, the next try truncates it.
        let _ = unlink(part);
        return Err(FileError::of_io("write", part)(source));
    }
    write.end();
    Ok(())
}

fn create_part(part: &Path) -> Result<File, FileError> {
    let flags =
        OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let fd = open(part, flags, FILE_MODE).map_err(FileError::of("create", part))?;
    regular(fd, part)
}

fn parent_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;

    fn folder() -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        (dir, path)
    }

    fn names(dir: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(dir)
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_replaced_file_is_whole_private_and_alone() {
        let (dir, path) = folder();
        replace(&path, b"one", "t").unwrap();
        replace(&path, b"second", "t").unwrap();
        assert_eq!(read(&path, 6).unwrap(), b"second");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(names(dir.path()), ["file"]);
    }

    #[test]
    fn a_leftover_of_a_stopped_write_is_overwritten() {
        let (dir, path) = folder();
        fs::write(part_of(&path), b"longer than what comes now").unwrap();
        replace(&path, b"new", "t").unwrap();
        assert_eq!(read(&path, 10).unwrap(), b"new");
        assert_eq!(names(dir.path()), ["file"]);
    }

    #[test]
    fn the_same_bytes_are_done_and_other_bytes_refused() {
        let (_dir, path) = folder();
        create_idempotent(&path, b"same", "t").unwrap();
        create_idempotent(&path, b"same", "t").unwrap();
        for other in [&b"sam"[..], b"samf", b"same!"] {
            let refused = create_idempotent(&path, other, "t");
            assert!(matches!(refused, Err(FileError::Differs { .. })));
        }
        assert!(matches!(create_new(&path, b"same", "t"), Err(FileError::Exists { .. })));
        assert_eq!(read(&path, 4).unwrap(), b"same");
    }

    #[test]
    fn links_pipes_folders_and_long_files_are_not_read() {
        let (dir, path) = folder();
        fs::write(&path, b"12345").unwrap();
        assert!(matches!(read(&path, 4), Err(FileError::TooLong { max: 4, .. })));
        let link = dir.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert!(matches!(read(&link, 9), Err(FileError::NotRegular { .. })));
        let pipe = dir.path().join("pipe");
        rustix::fs::mkfifoat(CWD, &pipe, FILE_MODE).unwrap();
        assert!(matches!(read(&pipe, 9), Err(FileError::NotRegular { .. })));
        assert!(matches!(read(dir.path(), 9), Err(FileError::NotRegular { .. })));
        assert!(read(&dir.path().join("none"), 9).unwrap_err().is_missing());
    }

    #[test]
    fn a_link_in_place_of_the_temporary_is_not_written_through() {
        let (dir, path) = folder();
        let victim = dir.path().join("victim");
        fs::write(&victim, b"untouched").unwrap();
        std::os::unix::fs::symlink(&victim, part_of(&path)).unwrap();
        assert!(matches!(replace(&path, b"x", "t"), Err(FileError::NotRegular { .. })));
        assert_eq!(fs::read(&victim).unwrap(), b"untouched");
    }

    #[test]
    fn a_full_disk_is_its_own_error() {
        let path = Path::new("/dev/full-or-any-path");
        assert!(matches!(FileError::of("write", path)(Errno::NOSPC), FileError::Full { .. }));
        assert!(matches!(FileError::of("write", path)(Errno::DQUOT), FileError::Full { .. }));
        let said = FileError::of_io("write", path)(io::Error::from(Errno::NOSPC));
        assert!(matches!(said, FileError::Full { .. }));
    }

    #[test]
    fn a_folder_is_private_and_made_once() {
        let (dir, _) = folder();
        let path = dir.path().join("sub");
        create_dir(&path).unwrap();
        create_dir(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
        remove(&path.join("none"), "t").unwrap();
        assert!(free_bytes(&path).unwrap() > 0);
    }
}
