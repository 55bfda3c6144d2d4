//! The root key: 32 bytes outside the state folder that wrap the key-encryption key.
//!
//! It is read from where `root_key:` points and from nowhere else, and refused where others could have read or
//! written it. Sealing to a TPM is systemd's: a credential that was encrypted with `--with-key=tpm2`.

mod passphrase;

use std::{
    os::fd::AsFd,
    path::{Path, PathBuf},
    str::FromStr,
};

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use rustix::fs::fstat;
use rustix::process::geteuid;
use std::io::Read;
use zeroize::Zeroizing;

use super::entropy::{self, EntropyError};
use super::files::{self, FileError};
use crate::domain::secret::Secret;

/// Bytes of a root key.
pub const ROOT_KEY_BYTES: usize = 32;
/// Set by systemd for a service with credentials (systemd.exec(5)).
const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";
const FILE_BYTES_MAX: u64 = 2 * ROOT_KEY_BYTES as u64 + 2;

/// Where `root_key:` of `agent.yaml` says that the root key is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RootKeySource {
    /// `file:PATH`: 64 hex digits in a file of mode 0600. It caps the assurance: a backup of the file undoes a
    /// destruction.
    File(PathBuf),
    /// `credential:NAME`: a systemd credential.
    Credential(String),
    /// `passphrase`: in this file beside `agent.yaml`, encrypted under a passphrase that is typed at start.
    Passphrase(PathBuf),
}

/// Why there is no root key.
#[derive(Debug, thiserror::Error)]
pub enum RootKeyError {
    /// The text of `root_key:` is none of the forms.
    #[error("expected 'file:PATH', 'credential:NAME' or 'passphrase'")]
    NoSource,
    /// `tpm`: the service manager talks to it, not the agent.
    #[error("the TPM is systemd's: it opens a credential")]
    Tpm,
    /// The service manager has not passed the credential.
    #[error("the service manager has passed no credential '{name}'")]
    NoCredential {
        /// The credential's name.
        name: String,
    },
    /// Nobody can be asked for the passphrase.
    #[error("the root key has a passphrase, and there is no terminal to ask for it")]
    NoTerminal,
    /// The terminal failed, or the question was broken off.
    #[error("cannot ask for the passphrase")]
    Ask(#[source] std::io::Error),
    /// It opens nothing.
    #[error("the passphrase does not open '{}'", path.display())]
    WrongPassphrase {
        /// The encrypted root key.
        path: PathBuf,
    },
    /// Too short, or typed differently the second time.
    #[error("{0}")]
    NoPassphrase(&'static str),
    /// Others can read or write the file.
    #[error("'{}' has mode {mode:04o}: others can read or write the root key; run 'chmod 0600 {}' and change the key if anybody did", path.display(), path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file belongs to somebody else.
    #[error("'{}' belongs to user {owner}, not to user {agent} who runs the agent; run 'chown {agent} {}'", path.display(), path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// Its owner's user id.
        owner: u32,
        /// The agent's user id.
        agent: u32,
    },
    /// The content is no root key.
    #[error("'{}' does not hold 64 hex digits", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// No randomness for a new key.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}

impl FromStr for RootKeySource {
    type Err = RootKeyError;

    fn from_str(text: &str) -> Result<Self, RootKeyError> {
        match text.split_once(':') {
            Some(("file", path)) if !path.is_empty() => Ok(Self::File(path.into())),
            Some(("credential", name)) if is_credential_name(name) => {
                Ok(Self::Credential(name.to_owned()))
            }
            None if text == "passphrase" => Ok(Self::Passphrase(passphrase::FILE.into())),
            None if text == "tpm" => Err(RootKeyError::Tpm),
            _ => Err(RootKeyError::NoSource),
        }
    }
}

impl RootKeySource {
    /// The same source, with a relative path taken from the folder `base` (that of `agent.yaml`).
    #[must_use]
    pub fn beneath(self, base: &Path) -> Self {
        match self {
            Self::File(path) => Self::File(base.join(path)),
            Self::Passphrase(path) => Self::Passphrase(base.join(path)),
            Self::Credential(name) => Self::Credential(name),
        }
    }

    /// The files that [`Self::read`] opens, as far as they are known.
    #[must_use]
    pub fn paths(&self) -> Vec<PathBuf> {
        match self {
            Self::File(path) => vec![path.clone()],
            Self::Credential(name) => credential(name).into_iter().collect(),
            Self::Passphrase(path) => {
                credential(passphrase::CREDENTIAL).into_iter().chain([path.clone()]).collect()
            }
        }
    }

    /// Reads the key.
    ///
    /// # Errors
    /// [`RootKeyError`], with the path and the command that mends it.
    pub fn read(&self) -> Result<Secret, RootKeyError> {
        match self {
            Self::File(path) => read_file(path),
            Self::Credential(name) => {
                let path = credential(name)
                    .filter(|path| path.exists())
                    .ok_or_else(|| RootKeyError::NoCredential { name: name.clone() })?;
                read_credential(&path)
            }
            Self::Passphrase(path) => passphrase::read(path),
        }
    }
}

/// Makes a root key of random bytes in a new file (0600, 64 hex digits and a line feed).
///
/// # Errors
/// [`FileError::Exists`] where there is one already: it is never replaced.
pub fn create_file(path: &Path) -> Result<Secret, RootKeyError> {
    let secret = entropy::random_secret(ROOT_KEY_BYTES)?;
    files::create_new(path, &to_hex(&secret), "root key")?;
    Ok(secret)
}

/// Makes a root key of random bytes in a new file (0600), encrypted under a passphrase that is asked for.
///
/// # Errors
/// As [`create_file`]; nobody to ask, too short, typed differently the second time.
pub fn create_sealed(path: &Path) -> Result<Secret, RootKeyError> {
    passphrase::create(path)
}

/// The form in a file: 64 hex digits and a line feed.
fn to_hex(secret: &Secret) -> Zeroizing<Vec<u8>> {
    let mut text = Zeroizing::new(vec![0; 2 * ROOT_KEY_BYTES + 1]);
    HEXLOWER.encode_mut(secret.expose(), &mut text[..2 * ROOT_KEY_BYTES]);
    text[2 * ROOT_KEY_BYTES] = b'\n';
    text
}

/// Where the service manager has put a credential, if it has put any.
fn credential(name: &str) -> Option<PathBuf> {
    std::env::var_os(CREDENTIALS).map(|folder| Path::new(&folder).join(name))
}

/// The file in which the service manager passes a credential, where it passes any.
#[must_use]
pub fn credential_file(name: &str) -> Option<PathBuf> {
    is_credential_name(name).then(|| credential(name))?
}

fn read_file(path: &Path) -> Result<Secret, RootKeyError> {
    let file = files::open_regular(path)?;
    let stat = fstat(file.as_fd()).map_err(FileError::of("inspect", path))?;
    let (mode, agent) = (stat.st_mode & 0o7777, geteuid().as_raw());
    if stat.st_uid != agent {
        return Err(RootKeyError::Foreign { path: path.to_owned(), owner: stat.st_uid, agent });
    }
    if mode & 0o077 != 0 {
        return Err(RootKeyError::Open { path: path.to_owned(), mode });
    }
    let bytes = read_bytes(&file, path, FILE_BYTES_MAX)?;
    from_hex(&bytes).ok_or_else(|| RootKeyError::Malformed { path: path.to_owned() })
}

/// It may hold the 32 bytes themselves: `systemd-creds` encrypts whatever it is given.
fn read_credential(path: &Path) -> Result<Secret, RootKeyError> {
    let bytes = read_passed(path, FILE_BYTES_MAX)?;
    if bytes.len() == ROOT_KEY_BYTES {
        return Ok(Secret::new(bytes.to_vec()));
    }
    from_hex(&bytes).ok_or_else(|| RootKeyError::Malformed { path: path.to_owned() })
}

/// The content of a credential. The service manager owns the file, or gives it to the agent's user, and may show an
/// access list as a group that can read; nobody else may read it, and nobody write it.
fn read_passed(path: &Path, max: u64) -> Result<Zeroizing<Vec<u8>>, RootKeyError> {
    let file = files::open_regular(path)?;
    let stat = fstat(file.as_fd()).map_err(FileError::of("inspect", path))?;
    let (mode, agent) = (stat.st_mode & 0o7777, geteuid().as_raw());
    if stat.st_uid != agent && stat.st_uid != 0 {
        return Err(RootKeyError::Foreign { path: path.to_owned(), owner: stat.st_uid, agent });
    }
    if mode & 0o027 != 0 {
        return Err(RootKeyError::Open { path: path.to_owned(), mode });
    }
    Ok(read_bytes(&file, path, max)?)
}

fn read_bytes(
    file: &std::fs::File,
    path: &Path,
    max: u64,
) -> Result<Zeroizing<Vec<u8>>, FileError> {
    // Room for all that is read: a vector that grows would leave copies behind.
    let room = usize::try_from(max).unwrap_or(0) + 64;
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    file.take(max + 1).read_to_end(&mut bytes).map_err(FileError::of_io("read", path))?;
    Ok(bytes)
}

fn from_hex(text: &[u8]) -> Option<Secret> {
    let digits = text.strip_suffix(b"\n").unwrap_or(text);
    let digits = digits.strip_suffix(b"\r").unwrap_or(digits);
    let mut key = Zeroizing::new(vec![0; ROOT_KEY_BYTES]);
    if digits.len() != 2 * ROOT_KEY_BYTES {
        return None;
    }
    HEXLOWER_PERMISSIVE.decode_mut(digits, &mut key).ok()?;
    Some(Secret::new(std::mem::take(&mut *key)))
}

fn is_credential_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with('.')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;

    #[test]
    fn every_form_parses_and_the_rest_is_refused() {
        let rows = [
            ("file:root.key", RootKeySource::File("root.key".into())),
            ("file:/etc/a:b", RootKeySource::File("/etc/a:b".into())),
            ("credential:root-key", RootKeySource::Credential("root-key".into())),
            ("passphrase", RootKeySource::Passphrase("root.key.age".into())),
        ];
        for (text, source) in rows {
            assert_eq!(text.parse::<RootKeySource>().unwrap(), source);
        }
        for text in ["", "file:", "credential:", "credential:../x", "credential:.x", "tpm:1", "x"] {
            let refused = text.parse::<RootKeySource>();
            assert!(matches!(refused, Err(RootKeyError::NoSource)), "{text}");
        }
        assert!(matches!("tpm".parse::<RootKeySource>(), Err(RootKeyError::Tpm)));
    }

    #[test]
    fn a_made_key_reads_back_and_is_never_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("root.key");
        let made = create_file(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let source = RootKeySource::File("root.key".into()).beneath(dir.path());
        assert_eq!(source.read().unwrap().expose(), made.expose());
        assert!(matches!(create_file(&path), Err(RootKeyError::File(FileError::Exists { .. }))));
        assert_eq!(source.read().unwrap().expose(), made.expose());
    }

    #[test]
    fn a_key_that_others_can_touch_is_refused_with_the_fix() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("root.key");
        create_file(&path).unwrap();
        for mode in [0o640, 0o604, 0o620, 0o602, 0o644] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let refused = RootKeySource::File(path.clone()).read().unwrap_err();
            assert!(matches!(refused, RootKeyError::Open { .. }), "{mode:o}");
            assert!(refused.to_string().contains("chmod 0600"));
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        if geteuid().is_root() {
            std::os::unix::fs::chown(&path, Some(65_534), None).unwrap();
            let refused = RootKeySource::File(path).read().unwrap_err();
            assert!(matches!(refused, RootKeyError::Foreign { owner: 65_534, .. }));
        }
    }

    #[test]
    fn what_is_no_key_is_refused_and_never_shown() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("root.key");
        let hex = "0123456789abcdef".repeat(4);
        let rows = [
            (String::new(), false),
            (hex[1..].to_owned(), false),
            (format!("{hex}0"), false),
            (format!("g{}", &hex[1..]), false),
            (hex.repeat(9), false),
            (format!("{hex}\r\n"), true),
            (hex.to_uppercase(), true),
        ];
        for (text, good) in rows {
            fs::write(&path, &text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            let read = RootKeySource::File(path.clone()).read();
            assert_eq!(read.is_ok(), good);
            if let Err(refused) = read {
                assert!(matches!(refused, RootKeyError::Malformed { .. }));
            }
        }
    }

    #[test]
    fn a_credential_may_be_raw_or_hex_and_never_open_to_the_world() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("root-key");
        fs::write(&path, [7; 32]).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o440)).unwrap();
        assert_eq!(read_credential(&path).unwrap().expose(), [7; 32]);
        fs::write(&path, "07".repeat(32)).unwrap();
        assert_eq!(read_credential(&path).unwrap().expose(), [7; 32]);
        for mode in [0o444, 0o460, 0o402, 0o660] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert!(matches!(read_credential(&path), Err(RootKeyError::Open { .. })), "{mode:o}");
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
        fs::remove_file(&path).unwrap();
        fs::write(&path, [7; 31]).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
        assert!(matches!(read_credential(&path), Err(RootKeyError::Malformed { .. })));
        std::os::unix::fs::symlink(&path, dir.path().join("link")).unwrap();
        assert!(matches!(read_credential(&dir.path().join("link")), Err(RootKeyError::File(_))));
        if geteuid().is_root() {
            std::os::unix::fs::chown(&path, Some(65_534), None).unwrap();
            assert!(matches!(read_credential(&path), Err(RootKeyError::Foreign { .. })));
        }
    }
}
