//! `certificate verify`: no agent, no lock, no keys. Auditors run it on copies.

use std::path::Path;

use super::{
    print,
    shapes::{AttestedVerified, CertificateVerified, CopyVerified},
    speech,
};
use crate::{
    adapters::files,
    domain::{
        certificate::{Certificate, InBoth},
        checkpoint::VerifierKey,
        limits,
    },
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
    told(&certificate)?;
    if key.is_none() {
        print::note("no --key was given: the certificate's own verifier key was trusted");
    }
    Ok(())
}

/// What it says, for a person.
fn told(certificate: &Certificate) -> Result<()> {
    let count = certificate.copies.len() + certificate.attested.len();
    let (order, site) = (certificate.order, &certificate.site);
    print::line(&format!("good: order {order} of {site}, {count} copies"))?;
    for paper in &certificate.on_paper {
        print::line(&format!(
            "the approval of '{}' was recorded from a signed document, {}: entered by '{}', confirmed by '{}'",
            paper.by, paper.doc_no, paper.entered_by, paper.confirmed_by
        ))?;
    }
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
        for why in &copy.why {
            in_both("    - ", &why.words)?;
        }
    }
    for copy in &certificate.attested {
        print::line(&format!(
            "  {} {}: {} by {}, '{}' vouches for it",
            copy.copy, copy.facts.kind, copy.end.method, copy.end.performer, copy.witness
        ))?;
        in_both("    - ", &copy.in_words)?;
        let (facts, end) = (&copy.facts, &copy.end);
        let serial = facts.serial.as_deref().unwrap_or("-");
        print::raw(&format!("    {} {serial}; {}; {}", facts.medium, end.place, end.at))?;
        end.evidence.iter().try_for_each(|digest| print::raw(&format!("    SHA-256 {digest}")))?;
    }
    match certificate.backups.as_deref() {
        None => print::line("backups of the agent's state: nothing is stated"),
        Some([]) => print::line("backups of the agent's state: none, as its administrator states"),
        Some(named) => named.iter().try_for_each(|one| {
            print::line(&format!(
                "backup of the agent's state: '{}' at '{}', kept for {}",
                one.name, one.place, one.keeps
            ))
        }),
    }?;
    if !certificate.beyond.is_empty() {
        print::line("it does not cover:")?;
    }
    certificate.beyond.iter().try_for_each(|beyond| in_both("  - ", beyond))
}

/// A sentence that is signed in both languages, in the one that is spoken.
fn in_both(mark: &str, words: &InBoth) -> Result<()> {
    let text = if speech::is_chinese() { &words.zh } else { &words.en };
    print::raw(&format!("{mark}{text}"))
}

fn verified(certificate: &Certificate, given: bool) -> CertificateVerified {
    let copies = certificate.copies.iter().map(|copy| CopyVerified {
        copy: copy.copy,
        kind: copy.kind.clone(),
        assurance: copy.assurance,
        meaning: copy.assurance.meaning(),
        limits: copy.why.iter().map(|why| why.limit).collect(),
        unrecoverable: copy.assurance.is_unrecoverable(),
    });
    let attested = certificate.attested.iter().map(|copy| AttestedVerified {
        copy: copy.copy,
        kind: copy.facts.kind,
        medium: copy.facts.medium,
        method: copy.end.method,
        sanitization: copy.sanitization,
        performer: copy.end.performer.clone(),
        recorded_by: copy.recorded_by.clone(),
        witness: copy.witness.clone(),
    });
    CertificateVerified {
        ok: true,
        order: certificate.order,
        site: certificate.site.clone(),
        key_source: if given { "given" } else { "certificate" },
        copies: copies.collect(),
        attested: attested.collect(),
    }
}
