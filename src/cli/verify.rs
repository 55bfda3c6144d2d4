//! `certificate verify`: no agent, no lock, no keys. Auditors run it on copies.

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
};

pub(super) fn verifier(key: Option<&str>) -> Result<Option<VerifierKey>> {
    key.map(VerifierKey::parse).transpose().map_err(|error| {
        Error::usage(format!("--key: {error}")).hint("it is printed by 'init', and lies in 'vkey'")
    })
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
