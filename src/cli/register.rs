//! `register verify`, `prove`, `consistency`, `checkpoint`. All but the last work on files alone: no agent, no lock, no keys.

use std::path::{Path, PathBuf};

use super::{args::RegisterVerify, client::Client, print, shapes, verify::verifier};
use crate::{
    adapters::files,
    demo,
    domain::{cosignature::CosignerKey, proof::PROOF_BYTES_MAX},
    error::{Error, Exit},
    service::{Query, Result, query::CheckpointText},
    verify::{self, Brought, ProveError, Report},
    wiring,
};

/// A text file that somebody handed over.
pub(super) fn handed(path: &Path) -> Result<String> {
    let failed =
        |what: String| Error::new(Exit::Unavailable, format!("'{}': {what}", path.display()));
    let bytes = files::read(path, PROOF_BYTES_MAX).map_err(|error| failed(error.to_string()))?;
    String::from_utf8(bytes)
        .map_err(|_| Error::new(Exit::Data, format!("'{}' is no text", path.display())))
}

/// The register of the site, a copied folder, or a proof file.
pub(super) fn verify(config: &Path, asked: &RegisterVerify, json: bool) -> Result<()> {
    let key = verifier(asked.key.as_deref())?;
    let mut kept = Vec::new();
    for path in &asked.against {
        kept.push((path.display().to_string(), handed(path)?));
    }
    let mut witnesses = Vec::new();
    for vkey in &asked.witness {
        let witness = CosignerKey::parse(vkey).map_err(|error| {
            Error::usage(format!("--witness: {error}"))
                .hint("'batchward witness list' shows it, and 'witness new' printed it")
        })?;
        witnesses.push(witness);
    }
    let report = match (&asked.proof, &key) {
        (Some(proof), Some(key)) => verify::verify_proof(&handed(proof)?, key, &kept, &witnesses),
        _ => {
            let mut brought = Brought { key, kept, witnesses, access: asked.access.clone() };
            match &asked.dir {
                Some(dir) => verify::verify(dir, None, &brought),
                None => {
                    let state = wiring::state_of(config)?;
                    brought.access = Some(state.join("access"));
                    verify::verify(
                        &state.join("register"),
                        Some(&state.join("journal.db")),
                        &brought,
                    )
                }
            }
        }
    };
    show(&report, json)?;
    if report.ok {
        return Ok(());
    }
    let what = if asked.proof.is_some() {
        "the proof does not hold"
    } else {
        "the register is not what was signed"
    };
    let at =
        report.first_bad.map_or(String::new(), |seq| format!("; the first bad entry is {seq}"));
    Err(Error::new(Exit::Data, format!("{what}{at}"))
        .hint("keep the folder as it is, and tell the auditor and the supervisor"))
}

fn show(report: &Report, json: bool) -> Result<()> {
    if json {
        return print::json(report);
    }
    for problem in &report.problems {
        print::line(problem)?;
    }
    for note in &report.notes {
        print::note(note);
    }
    if report.ok {
        let root = report.root.map(|root| root.to_string()).unwrap_or_default();
        let what = match &report.proved {
            Some(proved) => format!("entry {} is one of {} entries", proved.index, report.size),
            None => format!("{} entries", report.size),
        };
        print::line(&format!("good: {what}, root {root}"))?;
        if let Some(proved) = &report.proved {
            print::line(&proved.entry.to_string())?;
        }
    }
    if report.key_source == "folder" {
        print::note("no --key was given: the folder's own verifier key was trusted");
    }
    Ok(())
}

/// Where a proof is made of, and where it goes.
pub(super) struct Made<'a> {
    pub(super) config: &'a Path,
    pub(super) dir: Option<&'a PathBuf>,
    pub(super) output: Option<&'a PathBuf>,
    pub(super) json: bool,
}

impl Made<'_> {
    fn folder(&self) -> Result<PathBuf> {
        match self.dir {
            Some(dir) => Ok(dir.clone()),
            None => Ok(wiring::state_of(self.config)?.join("register")),
        }
    }

    /// `register prove`.
    pub(super) fn entry(&self, entry: u64) -> Result<()> {
        let proof = verify::inclusion(&self.folder()?, entry).map_err(|e| refused(&e))?;
        let text = proof.to_text();
        self.hand(&text, &format!("entry {entry} is proved in '{}'", self.name()))
    }

    /// `register consistency`.
    pub(super) fn growth(&self, since: u64) -> Result<()> {
        let proof = verify::growth(&self.folder()?, since).map_err(|e| refused(&e))?;
        self.hand(
            &proof.to_text(),
            &format!("growth since {since} entries is proved in '{}'", self.name()),
        )
    }

    fn name(&self) -> String {
        self.output.map(|path| path.display().to_string()).unwrap_or_default()
    }

    /// Gives a text where it is wanted: to a file, or to standard output.
    pub(super) fn hand(&self, text: &str, said: &str) -> Result<()> {
        if let Some(path) = self.output {
            demo::put(path, text.as_bytes(), 0o644)?;
        }
        match (self.json, self.output) {
            (true, output) => {
                let file = output.map(|path| path.display().to_string());
                print::json(&shapes::ProofMade { file, proof: text.to_owned() })
            }
            (false, Some(_)) => print::line(said),
            (false, None) => print::bytes(text.as_bytes()),
        }
    }
}

fn refused(error: &ProveError) -> Error {
    let exit = match error {
        ProveError::File { .. } => Exit::Unavailable,
        ProveError::Absent { .. } => Exit::Usage,
        ProveError::Note { .. } | ProveError::Unsound => Exit::Data,
    };
    Error::new(exit, error.to_string()).hint("'batchward register verify' says more")
}

/// `register checkpoint`.
pub(super) fn checkpoint(
    client: &mut Client,
    wanted: Query,
    output: Option<&Path>,
    json: bool,
) -> Result<()> {
    let signed: CheckpointText = client.ask(wanted)?;
    if let Some(path) = output {
        demo::put(path, signed.note.as_bytes(), 0o644)?;
        let mut sig = path.as_os_str().to_owned();
        sig.push(".sig");
        demo::put(Path::new(&sig), signed.sshsig.as_bytes(), 0o644)?;
    }
    match (json, output) {
        (true, _) => print::json(&signed),
        (false, Some(path)) => print::line(&format!(
            "{} entries: '{}', and '{}.sig' for ssh-keygen",
            signed.size,
            path.display(),
            path.display()
        )),
        (false, None) => print::bytes(signed.note.as_bytes()),
    }
}
