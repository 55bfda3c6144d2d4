//! Secrets of accounts on servers: files that nobody but the agent's user can read.

use std::{io::Read, path::Path};

use rustix::{fs::fstat, process::geteuid};
use zeroize::Zeroizing;

use super::CourierError;
use crate::{
    adapters::files,
    domain::{limits::SSH_FILE_BYTES_MAX, secret::Secret, source::SourceCode},
};

/// Reads one. What others could read is not used.
pub(super) fn secret(path: &Path) -> Result<Secret, CourierError> {
    let shown = path.display();
    let own = |what: String| CourierError::new(SourceCode::OwnFiles, what);
    let file = files::open_regular(path).map_err(|error| own(error.to_string()))?;
    let stat = fstat(&file).map_err(|errno| own(format!("'{shown}': {errno}")))?;
    if stat.st_uid != geteuid().as_raw() {
        return Err(own(format!("'{shown}' belongs to another user")));
    }
    if stat.st_mode & 0o077 != 0 {
        return Err(own(format!("'{shown}' can be read by others: chmod 600 '{shown}'")));
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(16 << 10));
    let read = file.take(SSH_FILE_BYTES_MAX).read_to_end(&mut bytes);
    read.map_err(|error| own(format!("'{shown}': {error}")))?;
    Ok(Secret::new(std::mem::take(&mut *bytes)))
}
