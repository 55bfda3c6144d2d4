//! `register verify` and `certificate verify`: no agent, no lock, no keys. Auditors run them on copies.

use std::path::Path;

use super::{
    print,
    shapes::{CertificateVerified, CopyVerified},
};
use crate::{
    adapters::files,
    domain::{certificate::Certificate, checkpoint::VerifierKey, limits},
    error::{Error, Exit},
    service::Result,
    verify, wiring,
};

fn verifier(key: Option<&str>) -> Result<Option<VerifierKey>> {
    key.map(VerifierKey::parse).transpose().map_err(|error| {
        Error::usage(format!("--key: {error}")).hint("it is printed by 'init', and lies in 'vkey'")
    })
}

/// The register of the site, or of a copied folder.
pub(super) fn register(
    config: &Path,
    dir: Option<&Path>,
    key: Option<&str>,
    json: bool,
) -> Result<()> {
    let key = verifier(key)?;
    let report = match dir {
        Some(dir) => verify::verify_dir(dir, key.as_ref()),
        None => {
            let state = wiring::state_of(config)?;
            verify::verify_state(&state.join("register"), &state.join("journal.db"), key.as_ref())
        }
    };
    if json {
        print::json(&report)?;
    } else {
        for problem in &report.problems {
            print::line(problem)?;
        }
        for note in &report.notes {
            print::note(note);
        }
        if report.ok {
            let root = report.root.map(|root| root.to_string()).unwrap_or_default();
            print::line(&format!("good: {} entries, root {root}", report.size))?;
        }
        if report.key_source == "folder" {
            print::note("no --key was given: the folder's own verifier key was trusted");
        }
    }
    if report.ok {
        return Ok(());
    }
    let at =
        report.first_bad.map_or(String::new(), |seq| format!("; the first bad entry is {seq}"));
    Err(Error::new(Exit::Data, format!("the register is not what was signed{at}"))
        .hint("keep the folder as it is, and tell the auditor and the supervisor"))
}

/// A certificate file.
pub(super) fn certificate(file: &Path, key: Option<&str>, json: bool) -> Result<()> {
    let key = verifier(key)?;
    let bytes = files::read(file, limits::DELIVERY_BYTES_MAX)
        .map_err(|error| Error::new(Exit::Unavailable, format!("'{}': {error}", file.display())))?;
    let certificate = Certificate::verify(&bytes, key.as_ref())
        .map_err(|fault| Error::new(Exit::Data, format!("'{}': {fault}", file.display())))?;
    if json {
        return print::json(&verified(&certificate, key.is_some()));
    }
    print::line(&format!(
        "good: order {} of {}, {} copies",
        certificate.order,
        certificate.site,
        certificate.copies.len()
    ))?;
    for copy in &certificate.copies {
        let recover = if copy.assurance.is_unrecoverable() {
            "cannot be recovered"
        } else {
            "recovery is not excluded"
        };
        print::line(&format!(
            "  {} {}: {} ({}); {recover}",
            copy.copy,
            copy.kind,
            copy.assurance,
            copy.assurance.meaning()
        ))?;
    }
    if key.is_none() {
        print::note("no --key was given: the certificate's own verifier key was trusted");
    }
    Ok(())
}

fn verified(certificate: &Certificate, given: bool) -> CertificateVerified {
    let copies = certificate.copies.iter().map(|copy| CopyVerified {
        copy: copy.copy,
        kind: copy.kind.clone(),
        assurance: copy.assurance,
        meaning: copy.assurance.meaning(),
        unrecoverable: copy.assurance.is_unrecoverable(),
    });
    CertificateVerified {
        ok: true,
        order: certificate.order,
        site: certificate.site.clone(),
        key_source: if given { "given" } else { "certificate" },
        copies: copies.collect(),
    }
}
