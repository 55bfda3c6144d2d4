//! `audit pack`: everything that an inspection asks for, in one file, and the verification of such a file.

use std::{collections::BTreeMap, path::Path};

use serde::Serialize;

use super::{
    args::{Cli, FormFormat},
    client::Client,
    forms,
    identity::Identity,
    print,
    verify::verifier,
};
use crate::{
    adapters::files,
    domain::{audits::ReportKind, checkpoint::VerifierKey, digest::Digest, entry, time::Timestamp},
    error::{Error, Exit},
    paper,
    service::{
        Command, Query, Result,
        access_keys::AccessKeyLine,
        auditing::{AuditAct, AuditAsked, AuditPage, ReportFacts, Sources, assessment::Assessment},
        forms::{EntryProof, RegisterFilter},
        people::Roster,
        query::CheckpointText,
    },
    verify::{
        evidence::BUNDLE_BYTES_MAX,
        pack::{self, CHECKPOINT, ENTRIES, INDEX, Index, PROOF},
    },
};

type Files = BTreeMap<String, Vec<u8>>;

/// How the pack is verified, for people, in both languages; stock commands.
const PAGE: &[u8] = include_bytes!("PACK.md");

/// `audit pack -o FILE`.
pub(super) fn make(
    cli: &Cli,
    (client, identity): (&mut Client, &Identity),
    output: &Path,
) -> Result<()> {
    if output == Path::new("-") || output.exists() {
        return Err(Error::usage("a pack is a file that is not there yet").hint("-o FILE"));
    }
    let sources: Box<Sources> = client.ask(Query::Audit { asked: AuditAsked::Sources })?;
    let source = sources.source;
    let mut files = Files::new();
    let made_at = register(client, &mut files, source.size)?.unwrap_or(source.made_at);
    papers(client, &mut files, made_at)?;
    let checkpoint: CheckpointText =
        client.ask(Query::Checkpoint { size: Some(source.size), cosigned: false })?;
    let body: String = checkpoint.note.split_inclusive('\n').take(3).collect();
    let vkey = VerifierKey::parse(&source.vkey).map_err(failed)?;
    files.insert(CHECKPOINT.to_owned(), checkpoint.note.into_bytes());
    files.insert(format!("{CHECKPOINT}.body"), body.into_bytes());
    files.insert(format!("{CHECKPOINT}.body.sig"), checkpoint.sshsig.into_bytes());
    files.insert("allowed_signers".to_owned(), vkey.allowed_signer().into_bytes());
    files.insert("VERIFY.md".to_owned(), PAGE.to_vec());
    let index = Index {
        batchward: 1,
        origin: source.origin,
        made_at,
        size: source.size,
        root: source.root,
        vkey: source.vkey,
        files: files.iter().map(|(name, bytes)| (name.clone(), Digest::of(bytes))).collect(),
    };
    let index = forms::json(&index)?;
    let proof = recorded(client, identity, Digest::of(&index))?;
    files.insert(INDEX.to_owned(), index);
    files.insert(PROOF.to_owned(), proof.into_bytes());
    let bundle = paper::bundle::write(files)
        .map_err(|error| Error::new(Exit::Failed, format!("the pack: {error}")))?;
    // What is handed out has been read as its receiver will read it.
    let report = pack::verify(&bundle, Some(&vkey));
    if !report.ok {
        return Err(Error::new(
            Exit::Failed,
            format!("the pack would not verify\n{}", report.problems.join("\n")),
        )
        .hint("'batchward register verify' says whether the register is whole"));
    }
    forms::put_bytes(output, &bundle)?;
    if cli.json {
        return print::json(&report);
    }
    print::line(&format!(
        "{} files and {} entries of the register in '{}'",
        report.files,
        report.size,
        output.display()
    ))
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::new(Exit::Failed, error.to_string())
}

/// Every entry of the register, as it was committed. The time of the last one.
fn register(client: &mut Client, files: &mut Files, size: u64) -> Result<Option<Timestamp>> {
    let (mut lines, mut last) = (Vec::new(), None);
    client.each_entry(|seq, mut entry| {
        if seq >= size {
            return Ok(());
        }
        last = entry["at"].as_str().and_then(Timestamp::parse);
        if let Some(fields) = entry.as_object_mut() {
            fields.remove("seq");
        }
        lines.extend(entry::canonical(&entry).map_err(failed)?);
        lines.push(b'\n');
        Ok(())
    })?;
    files.insert(ENTRIES.to_owned(), lines);
    Ok(last)
}

/// The forms that an inspection reads, each as a spreadsheet and as facts. No name of a delivery stands in them.
fn papers(client: &mut Client, files: &mut Files, made_at: Timestamp) -> Result<()> {
    let mut sheet = client.register_sheet(&RegisterFilter::default())?;
    sheet.rows.iter_mut().for_each(|row| row.delivery = None);
    sheet.source.made_at = made_at;
    both(files, "register/register", &sheet, &paper::register::form(&sheet, &[]))?;
    let mut roster: Box<Roster> = client.ask(Query::Roster)?;
    roster.source.made_at = made_at;
    both(files, "roster", &roster, &paper::people::roster(&roster))?;
    let asked = AuditAsked::Assessment { on: Some(made_at) };
    let mut assessment: Box<Assessment> = client.ask(Query::Audit { asked })?;
    assessment.source.made_at = made_at;
    both(files, "self-assessment", &assessment, &paper::assessment::form(&assessment))?;
    let page: Box<AuditPage> = client.ask(Query::Audit { asked: AuditAsked::List })?;
    files.insert("audits.json".to_owned(), forms::json(&page)?);
    let keys: Vec<AccessKeyLine> = client.ask(Query::AccessKeys)?;
    files.insert("access-log-months.json".to_owned(), forms::json(&keys)?);
    let counted = [ReportKind::Use, ReportKind::Statistics];
    let rows: Vec<_> = page.reports.into_iter().filter(|row| counted.contains(&row.kind)).collect();
    files.insert("statistics.json".to_owned(), forms::json(&rows)?);
    Ok(())
}

fn both<T: Serialize>(files: &mut Files, name: &str, facts: &T, form: &paper::Form) -> Result<()> {
    files.insert(format!("{name}.json"), forms::json(facts)?);
    files.insert(format!("{name}.ods"), forms::bytes(FormFormat::Ods, form)?);
    Ok(())
}

/// Records the index, and gives the proof of its entry.
fn recorded(client: &mut Client, identity: &Identity, form: Digest) -> Result<String> {
    let facts = ReportFacts {
        kind: ReportKind::Pack,
        period: client.now().date_in(client.zone()?).to_string(),
        link: None,
        unit: None,
        form,
        rows: Vec::new(),
        counts: BTreeMap::new(),
    };
    let command = Command::Audit { act: Box::new(AuditAct::Report { facts }) };
    let (reply, _) = client.act(identity, command)?;
    let page: Box<AuditPage> = client.ask(Query::Audit { asked: AuditAsked::List })?;
    let row = page.reports.iter().find(|row| row.id.to_string() == reply.id);
    let seq = row.map(|row| row.entry).ok_or_else(|| failed("the pack was not recorded"))?;
    let sources: Box<Sources> = client.ask(Query::Audit { asked: AuditAsked::Sources })?;
    let proof: EntryProof = client.ask(Query::EntryProof { seq, size: sources.source.size })?;
    Ok(proof.text)
}

/// `audit pack verify FILE`.
pub(super) fn verify(file: &Path, key: Option<&str>, json: bool) -> Result<()> {
    let key = verifier(key)?;
    let bytes = files::read(file, BUNDLE_BYTES_MAX)
        .map_err(|error| Error::new(Exit::Unavailable, format!("'{}': {error}", file.display())))?;
    let report = pack::verify(&bytes, key.as_ref());
    if json {
        print::json(&report)?;
    } else {
        for problem in &report.problems {
            print::line(problem)?;
        }
    }
    if !report.ok {
        return Err(Error::new(Exit::Data, format!("'{}' does not hold", file.display()))
            .hint("keep the file as it is, and ask who sent it for another one"));
    }
    if json {
        return Ok(());
    }
    print::line(&format!(
        "good: {} files and the {} entries of the register of {}; entry {} names the index",
        report.files,
        report.size,
        report.origin.as_deref().unwrap_or_default(),
        report.entry.unwrap_or_default()
    ))?;
    if report.key_source == "pack" {
        print::note("no --key was given: the pack's own verifier key was trusted");
    }
    Ok(())
}
