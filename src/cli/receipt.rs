//! `receipt show` at the receiver, and `receipt verify` at the provider, without an agent.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::{
    args::{ReceiptShow, ReceiptVerify},
    client::Client,
    print, speech,
    verify::verifier,
};
use crate::{
    adapters::files,
    demo,
    domain::{
        calendar,
        entry::Counts,
        ids::BatchId,
        limits,
        reason::Reason,
        receipt::{Judgement, RECEIPT_BYTES_MAX, Receipt, ReceivedFile, Trust},
        signers::AllowedSigners,
        time::Timestamp,
    },
    error::{Error, Exit},
    service::{Query, Result, receipts::ReceiptText},
};

/// `receipt verify`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct ReceiptVerified {
    /// Always true: a receipt that is not good is an error.
    ok: bool,
    /// `key`, `signers`, or `receipt` where its own key was trusted.
    key_source: &'static str,
    /// The receiver's site.
    site: String,
    /// The receiver's id of the batch.
    batch: BatchId,
    /// The provider's number.
    number: Option<String>,
    /// The link.
    link: String,
    /// What came of the delivery.
    verdict: Judgement,
    /// Why.
    reason: Option<Reason>,
    /// When.
    verdict_at: Timestamp,
    /// What arrived.
    files: Vec<ReceivedFile>,
    /// What was counted.
    counts: Counts,
    /// Place of the verdict in the receiver's register.
    seq: u64,
}

/// Shows a receipt, or writes it and its signature.
pub(super) fn show(client: &mut Client, asked: &ReceiptShow, json: bool) -> Result<()> {
    let output = asked.output.as_deref();
    let batch = client.batch_named(&asked.id)?;
    let text: ReceiptText = client.ask(Query::Receipt { batch })?;
    if let Some(path) = output {
        let signature = beside(path);
        demo::put(path, text.receipt.as_bytes(), 0o644)?;
        demo::put(&signature, text.signature.as_bytes(), 0o644)?;
        if !json {
            let (path, beside) = (path.display(), signature.display());
            return print::line(&format!("'{path}' is the receipt, and '{beside}' its signature"));
        }
    }
    if json {
        return print::json(&text);
    }
    let file = text.receipt.as_bytes();
    let receipt = Receipt::verify(file, text.signature.as_bytes(), Trust::Own)
        .map_err(|fault| Error::new(Exit::Data, fault.to_string()))?;
    told(&receipt, client.zone()?)
}

/// Verifies a receipt that a provider was given.
pub(super) fn verify(asked: &ReceiptVerify, json: bool) -> Result<()> {
    let file = asked.file.as_path();
    let key = verifier(asked.key.as_deref())?;
    let list = asked.signers.as_deref().map(list).transpose()?;
    let (trust, key_source) = match (&key, &list) {
        (Some(key), _) => (Trust::Key(key), "key"),
        (None, Some(list)) => (Trust::Signers(list), "signers"),
        (None, None) => (Trust::Own, "receipt"),
    };
    let bytes = read(file, RECEIPT_BYTES_MAX)?;
    let signature = read(&beside(file), limits::SIGNATURE_BYTES_MAX)?;
    let receipt = Receipt::verify(&bytes, &signature, trust).map_err(|fault| {
        Error::new(Exit::Data, format!("'{}': {fault}", file.display()))
            .hint("take the receipt and its signature anew; if it stays so, ask the receiver")
    })?;
    if json {
        return print::json(&verified(receipt, key_source));
    }
    print::line("the receipt is good")?;
    told(&receipt, chrono_tz::Asia::Taipei)?;
    if key_source == "receipt" {
        print::note("neither --key nor --signers was given: the receipt's own key was trusted");
    }
    Ok(())
}

fn verified(receipt: Receipt, key_source: &'static str) -> ReceiptVerified {
    ReceiptVerified {
        ok: true,
        key_source,
        site: receipt.site,
        batch: receipt.batch,
        number: receipt.number,
        link: receipt.link,
        verdict: receipt.verdict,
        reason: receipt.reason,
        verdict_at: receipt.verdict_at,
        files: receipt.files,
        counts: receipt.counts,
        seq: receipt.proof.seq,
    }
}

/// What it says, for a person.
fn told(receipt: &Receipt, zone: chrono_tz::Tz) -> Result<()> {
    let words = &receipt.in_words;
    let said = if speech::is_chinese() { &words.zh } else { &words.en };
    let reason = receipt.reason.map(|reason| format!(" ({})", speech::word(reason.code())));
    let verdict = format!("{}{}", speech::word(receipt.verdict.word()), reason.unwrap_or_default());
    let count = |count: Option<u64>| count.map_or_else(|| "-".to_owned(), |n| n.to_string());
    let counts = &receipt.counts;
    let mut rows = vec![
        ("number", receipt.number.clone().unwrap_or_else(|| "-".to_owned())),
        ("batch", receipt.batch.to_string()),
        ("link", receipt.link.clone()),
        ("site", receipt.site.clone()),
        ("verdict", verdict),
        ("received", calendar::time(receipt.received_at, zone)),
        ("judged", calendar::time(receipt.verdict_at, zone)),
        ("declared", count(counts.declared)),
        ("accepted", count(counts.accepted)),
        ("committed", count(counts.committed)),
        ("entry", receipt.proof.seq.to_string()),
    ];
    if let Some(replaces) = &receipt.replaces {
        rows.push(("replaces", replaces.clone()));
    }
    let line =
        |(label, value): &(&str, String)| print::raw(&format!("{}{value}", speech::label(label)));
    rows.iter().try_for_each(line)?;
    print::raw(said)?;
    if let Some(to_do) = &receipt.to_do {
        print::raw(if speech::is_chinese() { &to_do.zh } else { &to_do.en })?;
    }
    for file in &receipt.files {
        let digest = file.sha256.map_or_else(|| "-".to_owned(), |digest| digest.to_string());
        print::raw(&format!("{} B  SHA-256 {digest}", file.bytes))?;
    }
    Ok(())
}

/// `FILE.sig`.
fn beside(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".sig");
    PathBuf::from(name)
}

fn read(path: &Path, max: u64) -> Result<Vec<u8>> {
    files::read(path, max)
        .map_err(|error| Error::new(Exit::Unavailable, format!("'{}': {error}", path.display())))
}

/// A list of signers; its dates without a time are Taiwan's.
fn list(path: &Path) -> Result<AllowedSigners> {
    let text = String::from_utf8(read(path, limits::CONFIG_BYTES_MAX)?).unwrap_or_default();
    AllowedSigners::parse(&text, chrono_tz::Asia::Taipei).map_err(|faults| {
        let first = faults.first().map(|fault| (fault.line, fault.kind.to_string()));
        let (line, what) = first.unwrap_or_default();
        Error::new(Exit::Data, format!("'{}', line {line}: {what}", path.display()))
    })
}
