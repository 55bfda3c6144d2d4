//! The key of a package: written on its own, and never where the package is.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{
    adapters::{
        files::{self, FileError},
        machine::Machine,
        wipe,
    },
    domain::secret::Secret,
};

/// Why a place is no place for the key of a package.
#[derive(Debug, thiserror::Error)]
pub enum Beside {
    /// In the folder of the data, or somewhere in it.
    #[error("'{}' is in the folder of the data: key and data go by separate channels", path.display())]
    Inside {
        /// Where the key was to be.
        path: PathBuf,
    },
    /// In a folder above the data: whoever is given that folder has both.
    #[error("'{}' is in a folder above the data: key and data go by separate channels", path.display())]
    Above {
        /// Where the key was to be.
        path: PathBuf,
    },
    /// On the same stick or disc.
    #[error("'{}' is on the medium of the data: key and data go by separate channels", path.display())]
    Medium {
        /// Where the key was to be.
        path: PathBuf,
    },
    /// A folder on the way is not there, or cannot be looked at.
    #[error(transparent)]
    File(#[from] FileError),
}

/// Whether the key file `key` would lie apart from what is put into the folder `data`. Both folders must be there; links
/// on the way are followed first.
///
/// # Errors
/// [`Beside`].
pub fn apart(key: &Path, data: &Path) -> Result<(), Beside> {
    let folder = real(super::parent_of(key))?;
    let data = real(data)?;
    let path = key.to_owned();
    if folder.starts_with(&data) {
        return Err(Beside::Inside { path });
    }
    if data.starts_with(&folder) {
        return Err(Beside::Above { path });
    }
    let machine = Machine::default();
    let medium = machine.removable_disk(&data);
    if medium.is_some() && medium == machine.removable_disk(&folder) {
        return Err(Beside::Medium { path });
    }
    Ok(())
}

/// Writes the key file (0600), which must not be there, and syncs it.
///
/// # Errors
/// [`FileError::Exists`], [`FileError`].
pub fn put_key(path: &Path, key: &Secret) -> Result<(), FileError> {
    files::create_new(path, key.expose(), "package-key")
}

/// Takes a key file back that opens nothing, because its package was not made.
///
/// # Errors
/// [`FileError`].
pub fn drop_key(path: &Path) -> Result<(), FileError> {
    wipe::discard(path)
}

fn real(folder: &Path) -> Result<PathBuf, FileError> {
    fs::canonicalize(folder).map_err(FileError::of_io("open the folder", folder))
}
