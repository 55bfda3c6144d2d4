//! `pack`: a delivery made of plain files, on a provider's machine. No agent, no site, no configuration.
//!
//! Plain files are read and never changed; of what is written here, only the package and, apart from it, its key stay.

use std::{
    fs,
    io::Read as _,
    path::{Path, PathBuf},
};

use data_encoding::BASE32_NOPAD;
use serde::Serialize;
use zeroize::Zeroizing;

use super::{described, refusal};
use crate::{
    adapters::{
        age_files::{self, To},
        entropy,
        files::{self, FileError},
        packing::{self, Beside, PackError, Package},
    },
    config,
    domain::{
        digest::Digest,
        layout::Layout,
        limits::{DELIVERY_BYTES_MAX, KEY_BYTES_MAX, PASSPHRASE_CHARS_MIN},
        manifest::{Manifest, ManifestFault, is_batch_number},
        national_id,
        packing::{Announced, Counter},
        secret::Secret,
        sshsig::SigningKey,
    },
    error::{Error, Exit},
    service::Result,
};

/// Bytes that are read at once.
const READ_BYTES: usize = 256 << 10;
/// Random bytes of a passphrase that is made here: 24 letters and digits.
const PASSPHRASE_BYTES: usize = 15;

/// Who is to open a package.
#[derive(Debug)]
pub enum Lock {
    /// The holder of this age recipient: `age1…`.
    Recipient(String),
    /// Whoever is given the key that is made now and written to this file.
    FreshKey(PathBuf),
    /// Whoever is given the passphrase that is made now and written to this file.
    FreshPassphrase(PathBuf),
    /// Whoever has this passphrase.
    Passphrase(Secret),
}

/// What is to be packed.
#[derive(Debug)]
pub struct Packing {
    /// Plain files, or folders of them.
    pub from: Vec<PathBuf>,
    /// The layout's file.
    pub layout: PathBuf,
    /// What the manifest says.
    pub announced: Announced,
    /// Records that the layout's rules may reject.
    pub rejected_max: u64,
    /// The SSH key file that signs.
    pub sign_with: PathBuf,
    /// Who is to open it.
    pub lock: Lock,
    /// The folder that the package is put into.
    pub into: PathBuf,
}

/// `pack`.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Packed {
    /// The provider's number of the batch.
    pub number: String,
    /// The folder of the delivery.
    pub folder: PathBuf,
    /// Records over all files.
    pub records: u64,
    /// The files.
    pub files: Vec<PackedFile>,
    /// `SHA256:…` of the key that signed.
    pub signer: String,
    /// The file that holds the key or passphrase, where one was made.
    pub key: Option<PathBuf>,
}

/// A file of a package.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PackedFile {
    /// Its name in the delivery.
    pub name: String,
    /// Bytes as delivered.
    pub bytes: u64,
    /// SHA-256 as delivered.
    pub sha256: Digest,
    /// Records in it.
    pub records: u64,
}

/// Makes the package.
///
/// # Errors
/// 64 for what cannot be asked for, 65 for files that are not of the layout, 77 for a key beside its data, 78 for a
/// layout with faults.
pub fn pack(asked: &Packing) -> Result<Packed> {
    let announced = &asked.announced;
    asked_rightly(announced)?;
    let layout = config::layout(&asked.layout).map_err(|list| super::site::faults(&list))?;
    let mut counter = Counter::new(&layout, announced.kind, asked.rejected_max)
        .map_err(|fault| Error::new(Exit::Config, fault.to_string()))?;
    let key = signing_key(&asked.sign_with)?;
    let sources = sources(asked)?;
    let seal = Seal::make(asked)?;
    let target = asked.into.join(&announced.batch);
    let mut package = Package::begin(&target).map_err(|e| refused(&e, None))?;
    for source in &sources {
        if let Err(error) = put(&mut package, source, &seal.to, &mut counter, &layout) {
            // What was begun is ciphertext; where it cannot be removed now, the next try does it.
            let _ = package.abandon();
            return Err(error);
        }
    }
    let manifest = publish(package, announced, &key, &seal)?;
    Ok(packed(&manifest, target, &key, seal.file.map(|(path, _)| path)))
}

/// Signs, then writes the key apart, then gives the package its name: a package without its key would be lost, a key
/// without its package opens nothing.
fn publish(
    package: Package,
    announced: &Announced,
    key: &SigningKey,
    seal: &Seal,
) -> Result<Manifest> {
    let whole = package.seal(announced, key).map_err(|e| refused(&e, None))?;
    if let Some((path, secret)) = &seal.file
        && let Err(error) = packing::put_key(path, secret)
    {
        let _ = whole.abandon();
        return Err(taken(&error));
    }
    // A stop here: the key is there, and no delivery. It opens nothing, and the next try says that it is there.
    whole.publish().map_err(|error| {
        if let Some((path, _)) = &seal.file {
            let _ = packing::drop_key(path);
        }
        refused(&error, None)
    })
}

fn packed(manifest: &Manifest, folder: PathBuf, key: &SigningKey, made: Option<PathBuf>) -> Packed {
    let files = manifest.files.iter().map(|file| PackedFile {
        name: file.name.clone(),
        bytes: file.bytes,
        sha256: file.sha256,
        records: file.records,
    });
    Packed {
        number: manifest.batch.clone(),
        folder,
        records: manifest.records,
        files: files.collect(),
        signer: key.public().fingerprint(),
        key: made,
    }
}

/// What would be refused, or kept for ever, by whoever receives it.
fn asked_rightly(announced: &Announced) -> Result<()> {
    for number in [Some(&announced.batch), announced.replaces.as_ref()].into_iter().flatten() {
        if !is_batch_number(number) {
            return Err(Error::usage("this is no number of a batch").hint(
                "at most 64 letters, digits, '.', '_' and '-', and nothing in the shape of an ID number: MOCA-1151121-0007",
            ));
        }
    }
    let texts = [&announced.purpose, &announced.basis_doc_no, &announced.table_no, &announced.link];
    if texts.into_iter().any(|text| national_id::found_in(text)) {
        return Err(Error::usage("a text holds something in the shape of an ID number")
            .hint("the register keeps these texts for ever: leave the number out"));
    }
    Ok(())
}

fn signing_key(path: &Path) -> Result<SigningKey> {
    let text =
        files::read(path, KEY_FILE_BYTES_MAX).map(Secret::new).map_err(|e| refusal::file(&e))?;
    SigningKey::parse(&text, None).map_err(|fault| {
        Error::new(Exit::Data, format!("'{}' cannot sign: {fault}", path.display()))
            .hint("an OpenSSH private key without passphrase is needed here")
    })
}

/// Bytes of an SSH private key file: RSA keys are long.
const KEY_FILE_BYTES_MAX: u64 = 64 << 10;

/// A plain file and its name in the delivery.
struct Source {
    path: PathBuf,
    name: String,
}

/// The plain files, in the order in which they will be loaded: folders in the order of names.
fn sources(asked: &Packing) -> Result<Vec<Source>> {
    let into = real(&asked.into)?;
    let mut found = Vec::new();
    for from in &asked.from {
        let is_folder = fs::symlink_metadata(from).is_ok_and(|about| about.is_dir());
        let paths = if is_folder { listed(from)? } else { vec![from.clone()] };
        for path in paths {
            // Opened once to be told early, before anything is written.
            let file = files::open_regular(&path).map_err(|e| unfit(&e))?;
            let bytes = file.metadata().map_or(0, |about| about.len());
            if bytes > DELIVERY_BYTES_MAX {
                return Err(Error::new(Exit::Data, format!("'{}' is too long", path.display())));
            }
            if real(&path)?.starts_with(&into) {
                let what = format!("'{}' lies in the folder that is delivered", path.display());
                return Err(
                    Error::refused(what).hint("keep plain files where nobody collects deliveries")
                );
            }
            found.push(Source { name: name_of(&path)?, path });
        }
    }
    match found.is_empty() {
        true => Err(Error::usage("there is no file to pack")),
        false => Ok(found),
    }
}

fn listed(folder: &Path) -> Result<Vec<PathBuf>> {
    let failed =
        |e: std::io::Error| Error::new(Exit::Unavailable, format!("'{}': {e}", folder.display()));
    let entries = fs::read_dir(folder).map_err(failed)?;
    let mut paths = Vec::new();
    for entry in entries {
        paths.push(entry.map_err(failed)?.path());
    }
    paths.sort();
    Ok(paths)
}

/// `residents.dat` is delivered as `residents.dat.age`.
fn name_of(path: &Path) -> Result<String> {
    let name = path.file_name().and_then(|name| name.to_str());
    match name.filter(|name| !name.starts_with('.')) {
        Some(name) => Ok(format!("{name}.age")),
        None => Err(Error::usage(format!("'{}' is no name of a delivered file", path.display()))
            .hint("give it a name in UTF-8 that does not begin with a dot, or move it out of the folder")),
    }
}

fn real(path: &Path) -> Result<PathBuf> {
    fs::canonicalize(path)
        .map_err(|e| Error::new(Exit::Unavailable, format!("'{}': {e}", path.display())))
}

/// Who can open the package, and what is written for them.
struct Seal {
    to: To,
    file: Option<(PathBuf, Secret)>,
}

impl Seal {
    fn make(asked: &Packing) -> Result<Self> {
        let failed = |error: age_files::SealError| Error::new(Exit::Failed, error.to_string());
        match &asked.lock {
            Lock::Recipient(text) => match To::recipient(text) {
                Ok(to) => Ok(Self { to, file: None }),
                Err(error) => Err(Error::usage(format!("--recipient: {error}"))
                    .hint("the receiver's agent tells it: 'age1' and 58 more characters")),
            },
            Lock::FreshKey(path) => {
                apart(path, &asked.into)?;
                let identity = age_files::new_identity();
                let recipient = age_files::recipient_of(&identity).map_err(failed)?;
                let mut text = format!("# public key: {recipient}\n").into_bytes();
                text.extend_from_slice(identity.expose());
                text.push(b'\n');
                let to = To::recipient(&recipient).map_err(failed)?;
                Ok(Self { to, file: Some((path.clone(), Secret::new(text))) })
            }
            Lock::FreshPassphrase(path) => {
                apart(path, &asked.into)?;
                let phrase = passphrase()?;
                let to = To::passphrase(&phrase).map_err(failed)?;
                let mut line = phrase.expose().to_vec();
                line.push(b'\n');
                Ok(Self { to, file: Some((path.clone(), Secret::new(line))) })
            }
            Lock::Passphrase(phrase) => {
                let text = std::str::from_utf8(phrase.expose()).unwrap_or_default();
                if text.chars().count() < PASSPHRASE_CHARS_MIN {
                    return Err(Error::usage(format!(
                        "a passphrase has at least {PASSPHRASE_CHARS_MIN} characters"
                    ))
                    .hint("--passphrase-out FILE makes one that nobody guesses"));
                }
                let to = To::passphrase(phrase).map_err(failed)?;
                Ok(Self { to, file: None })
            }
        }
    }
}

/// `abcd-efgh-…`: 120 random bits that can be read out on the telephone.
fn passphrase() -> Result<Secret> {
    let mut bytes = Zeroizing::new([0; PASSPHRASE_BYTES]);
    entropy::fill(&mut *bytes).map_err(|e| Error::new(Exit::Failed, described(&e)))?;
    let letters = Zeroizing::new(BASE32_NOPAD.encode(&*bytes).to_ascii_lowercase());
    let groups = letters.as_bytes().chunks(4);
    Ok(Secret::new(groups.collect::<Vec<_>>().join(&b'-')))
}

fn apart(key: &Path, into: &Path) -> Result<()> {
    match packing::apart(key, into) {
        Ok(()) if key.symlink_metadata().is_ok() => {
            Err(taken(&FileError::Exists { path: key.to_owned() }))
        }
        Ok(()) => Ok(()),
        Err(Beside::File(error)) => Err(refusal::file(&error)),
        Err(beside) => Err(Error::refused(beside.to_string())
            .hint("write it to a folder that goes another way, on another medium")),
    }
}

fn put(
    package: &mut Package,
    source: &Source,
    to: &To,
    counter: &mut Counter,
    layout: &Layout,
) -> Result<()> {
    let shown = source.path.display().to_string();
    let named = |error: PackError| refused(&error, Some((&shown, layout)));
    let mut plain = files::open_regular(&source.path).map_err(|e| unfit(&e))?;
    let mut file = package.file(&source.name, to, Some(counter)).map_err(named)?;
    let mut chunk = Zeroizing::new(vec![0; READ_BYTES]);
    loop {
        let count = plain
            .read(&mut chunk)
            .map_err(|e| Error::new(Exit::Unavailable, format!("'{shown}': {e}")))?;
        if count == 0 {
            break;
        }
        file.write(chunk.get(..count).unwrap_or_default()).map_err(named)?;
    }
    file.finish().map_err(named).map(|_| ())
}

fn unfit(error: &FileError) -> Error {
    Error::new(Exit::Unavailable, described(error))
        .hint("plain files are packed: no links, folders within folders, pipes or devices")
}

/// What a package must not be written over.
fn taken(error: &FileError) -> Error {
    match error {
        FileError::Exists { .. } => Error::usage(error.to_string()).hint(
            "name a file that is not there; what a stopped try left opens nothing, and can go",
        ),
        other => refusal::file(other),
    }
}

fn refused(error: &PackError, of: Option<(&str, &Layout)>) -> Error {
    match error {
        PackError::Shape(fault) => {
            let (file, layout) = of.map_or(("", ""), |(file, layout)| (file, &layout.name));
            Error::new(Exit::Data, format!("'{file}' is not of the layout '{layout}': {fault}"))
                .hint("nothing was packed; mend the file, or name its own layout")
        }
        PackError::Manifest(fault) => {
            let hint = match fault {
                ManifestFault::Empty => {
                    "a full file has records; that nothing changed is told by a delta"
                }
                ManifestFault::OutOfRange("sequence") => "the first change file has the sequence 1",
                _ => "nothing was packed; an intake would refuse it",
            };
            Error::new(Exit::Data, format!("no delivery can be made of this: {fault}")).hint(hint)
        }
        PackError::Sign(fault) => Error::new(Exit::Data, format!("the key cannot sign: {fault}")),
        PackError::Busy { .. } => Error::new(Exit::Later, error.to_string()),
        PackError::File(FileError::Exists { path }) => {
            Error::usage(format!("'{}' is there already", path.display()))
                .hint("a number is used once: give the batch a new one")
        }
        PackError::File(error) => refusal::file(error),
    }
}

/// The passphrase on standard input; its last line end is no part of it.
///
/// # Errors
/// It cannot be read, or is longer than a passphrase may be.
pub fn passphrase_from(input: impl std::io::Read) -> Result<Secret> {
    let mut bytes = Vec::new();
    input
        .take(KEY_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| Error::new(Exit::Failed, format!("standard input: {e}")))?;
    let bytes = Secret::new(bytes);
    match age_files::DeliveryKey::parse_passphrase(&bytes) {
        Ok(age_files::DeliveryKey::Passphrase(phrase)) => Ok(phrase),
        Ok(age_files::DeliveryKey::Identity(_)) => Err(Error::usage("expected a passphrase")),
        Err(fault) => Err(Error::usage(fault.to_string())),
    }
}
