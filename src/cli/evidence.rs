//! `evidence`: gathers what the agent tells of one batch into a file, and verifies such a file.

mod chosen;

use std::{collections::BTreeMap, path::Path};

use data_encoding::BASE64;
use serde::Serialize;

use self::chosen::Chosen;
use super::{client::Client, forms, print, verify::verifier};
use crate::{
    adapters::files,
    domain::{
        certificate::Certificate,
        checkpoint::VerifierKey,
        entry::{self, Entry},
        ids::BatchId,
        proof::Inclusion,
        signed::{COMMAND_NAMESPACE, DECISION_NAMESPACE},
        time::Timestamp,
    },
    error::{Error, Exit},
    paper,
    service::{
        Query, Result,
        forms::{DestructionRecord, EntryProof, ManifestBytes, MonthOfUse, UsePart},
        query::{CertificateText, CheckpointText},
        show::{BatchPage, GrantLine},
    },
    verify::evidence::{self, BUNDLE_BYTES_MAX, EvidenceReport, Head},
};

type Files = BTreeMap<String, Vec<u8>>;

/// How the bundle is verified, for people, in both languages; stock commands.
const PAGE: &[u8] = include_bytes!("VERIFY.md");

/// `evidence BATCH -o FILE`.
pub(super) fn make(client: &mut Client, batch: &str, output: &Path) -> Result<()> {
    let id = client.batch_named(batch)?;
    let mut record =
        *client.ask::<Box<DestructionRecord>>(Query::DestructionRecord { batch: id })?;
    // The name of a delivery stands in the manifest, while that is here, and nowhere else.
    record.row.delivery = None;
    let size = record.source.size;
    let vkey = VerifierKey::parse(&record.source.vkey).map_err(failed)?;
    let mut files = Files::new();
    let (places, last) = places(client, &record, size)?;
    // The bundle is as old as the register that it is of: made twice of the same one, it is the same file.
    if let Some(last) = last {
        record.source.made_at = last;
    }
    entries(client, &mut files, &places, size)?;
    let checkpoint: CheckpointText =
        client.ask(Query::Checkpoint { size: Some(size), cosigned: false })?;
    let body: String = checkpoint.note.split_inclusive('\n').take(3).collect();
    files.insert("checkpoint".to_owned(), checkpoint.note.into_bytes());
    files.insert("checkpoint.body".to_owned(), body.into_bytes());
    files.insert("checkpoint.body.sig".to_owned(), checkpoint.sshsig.into_bytes());
    files.insert("allowed_signers".to_owned(), vkey.allowed_signer().into_bytes());
    stated(client, &mut files, &record)?;
    certificates(client, &mut files, &record)?;
    let head = Head {
        batchward: 1,
        origin: record.source.origin.clone(),
        batch: id,
        number: record.row.number.clone(),
        size,
        vkey: record.source.vkey.clone(),
        manifest: manifest(client, &mut files, &record)?,
    };
    put(&mut files, "evidence.json", &head)?;
    files.insert("VERIFY.md".to_owned(), PAGE.to_vec());
    let bundle = paper::bundle::write(files)
        .map_err(|error| Error::new(Exit::Failed, format!("the bundle: {error}")))?;
    // What is handed out has been read as its receiver will read it.
    let report = evidence::verify(&bundle, Some(&vkey));
    if !report.ok {
        return Err(Error::new(
            Exit::Failed,
            format!("the bundle would not verify\n{}", report.problems.join("\n")),
        )
        .hint("'batchward register verify' says whether the register is whole"));
    }
    forms::put_bytes(output, &bundle)?;
    if output == Path::new("-") {
        return Ok(());
    }
    print::line(&format!(
        "{id}: {} entries, {} signatures, {} certificates in '{}'",
        report.entries,
        report.signatures,
        report.certificates,
        output.display()
    ))
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::new(Exit::Failed, error.to_string())
}

fn put<T: Serialize>(files: &mut Files, name: &str, value: &T) -> Result<()> {
    let mut bytes = serde_json::to_vec_pretty(value).map_err(failed)?;
    bytes.push(b'\n');
    files.insert(name.to_owned(), bytes);
    Ok(())
}

/// The places of the entries that a bundle has, and the time of the register's last entry.
fn places(
    client: &mut Client,
    record: &DestructionRecord,
    size: u64,
) -> Result<(Vec<u64>, Option<Timestamp>)> {
    let (mut chosen, mut last) = (Chosen::of(record), None);
    client.each_entry(|seq, entry| {
        if seq < size {
            last = entry["at"].as_str().and_then(Timestamp::parse);
            chosen.look(seq, &entry);
        }
        Ok(())
    })?;
    Ok((chosen.places(), last))
}

/// Each entry with its proof; and of those that somebody signed, text and signature as files that stock tools verify,
/// with the keys of the accounts.
fn entries(client: &mut Client, files: &mut Files, places: &[u64], size: u64) -> Result<()> {
    let (mut signers, mut proposed) = (String::new(), BTreeMap::new());
    for seq in places {
        let proof: EntryProof = client.ask(Query::EntryProof { seq: *seq, size })?;
        let bytes = Inclusion::parse(&proof.text).map_err(failed)?.entry.unwrap_or_default();
        let entry = Entry::from_bytes(&bytes).map_err(failed)?;
        files.insert(format!("entries/{seq:08}.tlog-proof"), proof.text.into_bytes());
        files.insert(format!("entries/{seq:08}.json"), bytes);
        if let Some(signed) = entry.body.signed() {
            files.insert(format!("signed/{seq:08}.txt"), signed.text.clone().into_bytes());
            files.insert(format!("signed/{seq:08}.txt.sig"), signed.signature.clone().into_bytes());
        }
        let accounts = match entry.body {
            entry::Body::SiteCreated { founders, .. } => founders,
            // A key that nobody confirmed signs nothing that counts.
            entry::Body::AccountProposed { account, .. } => {
                proposed.insert(account.name.clone(), account);
                Vec::new()
            }
            entry::Body::AccountConfirmed { name, .. } => {
                proposed.remove(&name).into_iter().collect()
            }
            _ => Vec::new(),
        };
        for account in accounts {
            if let Some(key) = account.key {
                let namespaces = format!("{DECISION_NAMESPACE},{COMMAND_NAMESPACE}");
                signers.push_str(&format!("{} namespaces=\"{namespaces}\" {key}\n", account.name));
            }
        }
    }
    files.insert("signers".to_owned(), signers.into_bytes());
    Ok(())
}

/// What the agent tells and nobody signed: verification and counts, copies and wipes, grants and statistics. No name that
/// came with the delivery is in it.
fn stated(client: &mut Client, files: &mut Files, record: &DestructionRecord) -> Result<()> {
    let batch = batch_of(record)?;
    let mut page: Box<BatchPage> = client.ask(Query::Batch { id: batch })?;
    page.row.delivery = None;
    page.files.iter_mut().for_each(|file| file.name = None);
    put(files, "batch.json", &page)?;
    put(files, "record.json", record)?;
    let form = paper::html::write(&paper::destruction::form(record, &[]));
    files.insert("record.html".to_owned(), form);
    let mut grants: Vec<GrantLine> = client.ask(Query::Grants)?;
    grants.retain(|grant| grant.terms.link == record.row.link);
    put(files, "grants.json", &grants)?;
    let (mut months, mut from) = (BTreeMap::<String, MonthOfUse>::new(), None);
    loop {
        let part: UsePart = client.ask(Query::UseStatistics { batch, from })?;
        for (month, more) in part.months {
            months.entry(month).or_default().add(more);
        }
        from = part.next.filter(|next| from.is_none_or(|from| *next > from));
        if from.is_none() {
            return put(files, "use.json", &months);
        }
    }
}

fn batch_of(record: &DestructionRecord) -> Result<BatchId> {
    record.row.batch.ok_or_else(|| Error::new(Exit::Failed, "the record names no batch"))
}

/// The manifest and its signature, byte for byte, while the record of the batch is there. Whether it is.
fn manifest(client: &mut Client, files: &mut Files, record: &DestructionRecord) -> Result<bool> {
    let kept: ManifestBytes = client.ask(Query::ManifestBytes { batch: batch_of(record)? })?;
    let bytes = |text: Option<String>| BASE64.decode(text?.as_bytes()).ok();
    let (manifest, signature) = (bytes(kept.manifest), bytes(kept.signature));
    let here = manifest.is_some();
    files.extend(manifest.map(|bytes| ("manifest.yaml".to_owned(), bytes)));
    files.extend(signature.map(|bytes| ("manifest.yaml.sig".to_owned(), bytes)));
    Ok(here)
}

fn certificates(client: &mut Client, files: &mut Files, record: &DestructionRecord) -> Result<()> {
    for order in record.orders.iter().filter(|order| order.certificate.is_some()) {
        let file: CertificateText = client.ask(Query::Certificate { order: order.order })?;
        let name = format!("certificates/{}", order.order);
        let damaged =
            || Error::new(Exit::Data, format!("the certificate of {} is damaged", order.order));
        let certificate = Certificate::verify(file.text.as_bytes(), None).map_err(|_| damaged())?;
        let value: serde_json::Value = serde_json::from_str(&file.text).map_err(|_| damaged())?;
        let signature = value["signature"].as_str().ok_or_else(damaged)?;
        files.insert(format!("{name}.txt"), certificate.canonical().map_err(failed)?);
        files.insert(format!("{name}.txt.sig"), signature.as_bytes().to_vec());
        files.insert(format!("{name}.json"), file.text.into_bytes());
    }
    Ok(())
}

/// `evidence verify FILE`.
pub(super) fn verify(file: &Path, key: Option<&str>, json: bool) -> Result<()> {
    let key = verifier(key)?;
    let bytes = files::read(file, BUNDLE_BYTES_MAX)
        .map_err(|error| Error::new(Exit::Unavailable, format!("'{}': {error}", file.display())))?;
    let report = evidence::verify(&bytes, key.as_ref());
    if json {
        print::json(&report)?;
    } else {
        show(&report)?;
    }
    if report.ok {
        return Ok(());
    }
    Err(Error::new(Exit::Data, format!("'{}' does not hold", file.display()))
        .hint("keep the file as it is, and ask who sent it for another one"))
}

fn show(report: &EvidenceReport) -> Result<()> {
    for problem in &report.problems {
        print::line(problem)?;
    }
    if report.ok {
        let batch = report.batch.map(|batch| batch.to_string()).unwrap_or_default();
        print::line(&format!(
            "good: {batch} of {}, {} of {} entries, {} signatures, {} certificates",
            report.origin.as_deref().unwrap_or_default(),
            report.entries,
            report.size,
            report.signatures,
            report.certificates
        ))?;
        if report.from_paper > 0 {
            let count = report.from_paper;
            print::line(&format!("{count} decisions were recorded from signed documents"))?;
        }
        match &report.manifest_key {
            Some(key) => print::line(&format!("the manifest is signed with the key {key}"))?,
            None => print::line("the manifest is not here, or was never found good")?,
        }
        for name in &report.stated {
            print::line(&format!("stated, not signed: {name}"))?;
        }
    }
    if report.key_source == "bundle" {
        print::note("no --key was given: the bundle's own verifier key was trusted");
    }
    Ok(())
}
