//! Secrets of accounts on servers: files that nobody but the agent's user can read.

use std::{io::Read, path::Path};

use rustix::{fs::fstat, process::geteuid};
use zeroize::Zeroizing;

use super::CourierError;
use crate::{
    adapters::{files, root_key::credential_file},
    domain::{
        database::PasswordSource, limits::SSH_FILE_BYTES_MAX, secret::Secret, source::SourceCode,
    },
};

/// Reads the password or token that is there. The end of a line is no part of it.
pub(super) fn word(source: &PasswordSource) -> Result<Zeroizing<Vec<u8>>, CourierError> {
    let own = |what: String| CourierError::new(SourceCode::OwnFiles, what);
    let bytes = match source {
        PasswordSource::File(path) => Zeroizing::new(secret(path)?.expose().to_vec()),
        PasswordSource::Credential(name) => {
            let path = credential_file(name)
                .ok_or_else(|| own(format!("there is no credential '{name}'")))?;
            let read = files::read(&path, SSH_FILE_BYTES_MAX);
            Zeroizing::new(read.map_err(|error| own(error.to_string()))?)
        }
    };
    let end = bytes.iter().rposition(|b| !matches!(b, b'\n' | b'\r'));
    Ok(Zeroizing::new(bytes[..end.map_or(0, |last| last + 1)].to_vec()))
}

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
