//! A witness's own folder: its key, and what it saw last of each register. No agent, no site.
//!
//! `key` holds the 32 secret bytes in Base64, `vkey` its public half, and `seen/<n>` of each log the log's verifier key and
//! the last checkpoint that was cosigned, `<n>` being the SHA-256 of the log's origin. What is to be cosigned is written
//! there and synced first: a stop before the cosignature is out leaves a witness that gives the same one again, and never
//! one that forgets what it has signed.

use std::{fs, path::Path};

use data_encoding::BASE64;

use super::{described, refusal};
use crate::{
    adapters::{
        entropy,
        files::{self, FileError},
        lock::Lock,
    },
    domain::{
        checkpoint::{Checkpoint, VerifierKey},
        cosignature::{self, Cosigner, CosignerKey, WillNot},
        digest::Digest,
        proof::{Growth, PROOF_BYTES_MAX},
        secret::Secret,
        time::Timestamp,
    },
    error::{Error, Exit},
    service::Result,
};

/// Makes the folder of a new witness; returns its verifier key.
///
/// # Errors
/// The folder is there, or cannot be made; the name cannot be a key's.
pub fn new_witness(dir: &Path, name: &str) -> Result<CosignerKey> {
    let mut seed = vec![0; 32];
    entropy::fill(&mut seed).map_err(|e| Error::new(Exit::Failed, described(&e)))?;
    let seed = Secret::new(seed);
    let cosigner = Cosigner::from_secret(&seed, name).ok_or_else(|| {
        Error::usage(format!("'{name}' is no name of a witness"))
            .hint("short, and without spaces, for example 'audit-office'")
    })?;
    if dir.exists() {
        return Err(Error::usage(format!("'{}' is there already", dir.display()))
            .hint("a witness has a folder of its own, and keeps it"));
    }
    let failed = |error: FileError| refusal::file(&error);
    files::create_dir(dir).map_err(failed)?;
    files::create_dir(&dir.join("seen")).map_err(failed)?;
    let key = cosigner.public();
    files::create_new(&dir.join("vkey"), format!("{key}\n").as_bytes(), "witness-vkey")
        .map_err(failed)?;
    // Last: a folder without it is no witness's.
    let text = Secret::new(format!("{}\n", BASE64.encode(seed.expose())).into_bytes());
    files::create_new(&dir.join("key"), text.expose(), "witness-key").map_err(failed)?;
    Ok(key)
}

/// The checkpoint of a request with this witness's cosignature. `log` is the register's key, where it is new.
///
/// # Errors
/// 65 for what is no request, 77 where it does not fit what was seen, 64 where the register is not known.
pub fn cosign(
    dir: &Path,
    request: &str,
    log: Option<&VerifierKey>,
    now: Timestamp,
) -> Result<String> {
    let cosigner = cosigner(dir)?;
    let _lock = Lock::acquire(dir).map_err(|e| Error::new(Exit::Unavailable, described(&e)))?;
    let data = |what: String| {
        Error::new(Exit::Data, what)
            .hint("the file is what 'batchward witness request' wrote, whole")
    };
    let growth = Growth::parse(request).map_err(|fault| data(fault.to_string()))?;
    let origin = growth.note.lines().next().unwrap_or_default();
    let path = dir.join("seen").join(Digest::of(origin.as_bytes()).to_string());
    let seen = read_seen(&path)?;
    let key = match (&seen, log) {
        (Some((known, _)), Some(log)) if known != log => {
            return Err(Error::refused(format!("'{origin}' was seen under another key: {known}"))
                .hint("a register keeps its key; ask its admin and its auditor before going on"));
        }
        (Some((known, _)), _) => known.clone(),
        (None, Some(log)) => log.clone(),
        (None, None) => {
            return Err(Error::usage("this register was not seen before")
                .hint("give its verifier key, from somebody you trust: --log VKEY"));
        }
    };
    let checkpoint = key.open(&growth.note).map_err(|fault| data(fault.to_string()))?;
    let last = seen.as_ref().map(|(_, last)| last);
    cosignature::may_cosign(last, &growth, &checkpoint).map_err(refused)?;
    let signed = own_part(&growth.note, &checkpoint);
    // A stop here: nothing was cosigned. After it: the same request is cosigned when it comes again.
    files::replace(&path, format!("{key}\n{signed}").as_bytes(), "witness-seen")
        .map_err(|e| refusal::file(&e))?;
    let seconds = u64::try_from(now.millis() / 1000).unwrap_or(0);
    Ok(format!("{signed}{}", cosigner.cosign(&checkpoint, seconds)))
}

fn refused(why: WillNot) -> Error {
    let error = Error::refused(why.to_string());
    match why {
        WillNot::Since { seen, .. } => error.hint(format!(
            "have the request made anew: 'batchward witness request NAME --since {seen}'"
        )),
        WillNot::Shorter { .. } | WillNot::Fork { .. } => {
            error.hint("keep the request as it is, and tell the auditor: the register was changed")
        }
    }
}

/// A note without signatures of others that somebody may have put under it.
fn own_part(note: &str, checkpoint: &Checkpoint) -> String {
    let own = format!("\u{2014} {} ", checkpoint.origin);
    let lines = note.split_inclusive('\n');
    let (body, rest): (Vec<&str>, Vec<&str>) =
        lines.partition(|line| !line.starts_with('\u{2014}'));
    body.into_iter().chain(rest.into_iter().filter(|line| line.starts_with(&own))).collect()
}

fn cosigner(dir: &Path) -> Result<Cosigner> {
    let none = || {
        Error::new(Exit::Config, format!("'{}' is no witness's folder", dir.display()))
            .hint("'batchward witness new DIR --name NAME' makes one")
    };
    let text = fs::read(dir.join("key")).map(Secret::new).map_err(|_| none())?;
    let text = text.expose().strip_suffix(b"\n").unwrap_or(text.expose());
    let seed = BASE64.decode(text).map(Secret::new).map_err(|_| none())?;
    let vkey = fs::read_to_string(dir.join("vkey")).map_err(|_| none())?;
    let public = CosignerKey::parse(&vkey).map_err(|_| none())?;
    let cosigner = Cosigner::from_secret(&seed, public.name()).ok_or_else(none)?;
    if cosigner.public() == public { Ok(cosigner) } else { Err(none()) }
}

/// What was seen last of a log; nothing where it is new.
fn read_seen(path: &Path) -> Result<Option<(VerifierKey, Checkpoint)>> {
    let damaged = || {
        Error::new(Exit::Data, format!("'{}' is damaged", path.display()))
            .hint("a witness that does not know what it saw must not cosign: retire it, and make a new one")
    };
    let bytes = match files::read(path, PROOF_BYTES_MAX) {
        Ok(bytes) => bytes,
        Err(error) if error.is_missing() => return Ok(None),
        Err(error) => return Err(refusal::file(&error)),
    };
    let text = String::from_utf8(bytes).map_err(|_| damaged())?;
    let (key, note) = text.split_once('\n').ok_or_else(damaged)?;
    let key = VerifierKey::parse(key).map_err(|_| damaged())?;
    let checkpoint = key.open(note).map_err(|_| damaged())?;
    Ok(Some((key, checkpoint)))
}
