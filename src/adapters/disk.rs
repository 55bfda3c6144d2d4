//! How much room a folder's filesystem has, for this user.

use std::path::Path;

use rustix::fs::{Access, AtFlags, CWD, accessat, fstatvfs};

use super::files::{self, FileError};

/// Room on a filesystem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Bytes in all.
    pub bytes: u64,
    /// Bytes that this process may still write.
    pub free_bytes: u64,
    /// Inodes that it may still make; nothing where the filesystem makes them as it needs them.
    pub free_inodes: Option<u64>,
}

/// Looks at the filesystem of a folder that this user works in: one that cannot be read and written is an error.
///
/// # Errors
/// [`FileError`]: it is not there, no folder, or out of reach.
pub fn room(folder: &Path) -> Result<Room, FileError> {
    let dir = files::open_dir(folder)?;
    let wanted = Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK;
    accessat(CWD, folder, wanted, AtFlags::EACCESS).map_err(FileError::of("work in", folder))?;
    let found = fstatvfs(&dir).map_err(FileError::of("ask the free space of", folder))?;
    Ok(Room {
        bytes: found.f_blocks.saturating_mul(found.f_frsize),
        free_bytes: found.f_bavail.saturating_mul(found.f_frsize),
        free_inodes: (found.f_files > 0).then_some(found.f_favail),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_folder_has_room_and_a_missing_one_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let found = room(dir.path()).unwrap();
        assert!(found.free_bytes > 0 && found.free_bytes <= found.bytes);
        assert!(room(&dir.path().join("none")).is_err());
    }
}
