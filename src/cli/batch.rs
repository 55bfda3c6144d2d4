//! `batch show` for a person: how a batch stands, its copies, and when it came there. `--json` has every detail.

use chrono_tz::Tz;

use super::{notified, print, speech};
use crate::{
    domain::{calendar, certificate::InBoth, entry::KeyForm},
    service::{
        Result,
        forms::{AnnouncedFile, AnnouncedPage},
        show::{BatchPage, BatchRow, CopyLine, FileRow, KeyLine},
    },
};

/// Shows a page.
pub(super) fn show(page: &BatchPage, zone: Tz) -> Result<()> {
    let row = &page.row;
    let names = [row.id.map(|id| id.to_string()), row.number.clone(), row.delivery.clone()];
    print::raw(&names.into_iter().flatten().collect::<Vec<_>>().join("  "))?;
    labelled("link", Some(&row.link))?;
    let state = speech::word(standing(row)).into_owned();
    let state = match row.reason {
        Some(reason) => format!("{state}  {}", speech::word(reason.code())),
        None => state,
    };
    labelled("state", Some(&state))?;
    let origin = page.strength.as_deref().map(speech::word);
    labelled("origin", origin.as_deref())?;
    labelled("detail", page.detail.as_deref())?;
    if let Some(plain) = &page.plain {
        let told =
            |words: &InBoth| if speech::is_chinese() { words.zh.clone() } else { words.en.clone() };
        labelled("what is wrong", Some(&told(&plain.wrong)))?;
        labelled("what was expected", Some(&told(&plain.expected)))?;
        labelled("who acts", Some(&told(&plain.who)))?;
        labelled("what to do", Some(&told(&plain.next)))?;
    }
    for command in &page.next {
        print::line(&match command.contains("--kind return") {
            true => format!("the letter of return is ready: '{command}'"),
            false => format!("then: '{command}'"),
        })?;
    }
    if let Some(trouble) = &page.trouble {
        print::line(&format!("a step has failed: {trouble}"))?;
    }
    if !page.differences.is_empty() {
        print::line(&format!("unlike its link: {}", page.differences.join(", ")))?;
    }
    if let Some(one) = &page.replaces {
        print::line(&match &one.batch {
            Some(batch) => format!("it replaces '{}', which is '{batch}'", one.number),
            None => format!("it replaces '{}', which this link does not have", one.number),
        })?;
    }
    if let Some(newer) = &page.replaced_by {
        print::line(&format!("it was replaced by '{newer}'"))?;
    }
    if let Some(key) = &page.key {
        print::line(&came(key, zone))?;
    }
    if let Some(left) = page.tries_left {
        print::line(&format!("keys that may still be tried: {left}"))?;
        print::line(
            "easily confused in a passphrase: 0 and O; 1, l and I; capitals and small letters; full-width letters; a blank at the end",
        )?;
    }
    if let Some(row) = &page.notice {
        notified::show(row, zone)?;
    }
    if let Some(announced) = &page.announced {
        beside(announced)?;
    }
    counts(page)?;
    times(page, zone)?;
    copies(page)?;
    super::uses::lines(page, zone)
}

/// What was announced beside what came, file by file.
fn beside(page: &AnnouncedPage) -> Result<()> {
    let by = speech::word(page.by.word());
    labelled("announced by", Some(&by))?;
    if !page.verified {
        print::line("nobody stands behind what was announced: it is not verified, and not shown")?;
    }
    let number = |number: Option<u64>| number.map_or_else(|| "-".to_owned(), |n| n.to_string());
    let row = |file: &AnnouncedFile| {
        let digest = file.digest_agrees.map(|agrees| if agrees { "agrees" } else { "differs" });
        vec![
            file.name.clone().unwrap_or_else(|| "-".to_owned()),
            number(file.announced_bytes),
            number(file.bytes),
            number(file.announced_records),
            digest.map_or_else(|| "-".to_owned(), |word| speech::word(word).into_owned()),
            speech::word(file.finding.word()).into_owned(),
        ]
    };
    let rows: Vec<Vec<String>> = page.files.iter().map(row).collect();
    if let Some(records) = page.records {
        let read = number(page.records_read);
        print::line(&format!("records announced: {records}, records read: {read}"))?;
    }
    let head =
        ["name", "bytes announced", "bytes received", "records announced", "sha256", "result"];
    section("ANNOUNCED", &head, &rows)
}

/// Its state as people call it: a loaded batch that several people had to seal is provided.
pub(super) fn standing(row: &BatchRow) -> &str {
    if row.sealed { "provided" } else { &row.state }
}

fn labelled(label: &str, text: Option<&str>) -> Result<()> {
    text.map_or(Ok(()), |text| print::raw(&format!("{}{text}", speech::label(label))))
}

fn came(key: &KeyLine, zone: Tz) -> String {
    let (id, by, at) = (key.id, &key.by, calendar::time(key.at, zone));
    match key.form {
        KeyForm::Identity => format!("the key '{id}', an identity, came by '{by}' on {at}"),
        KeyForm::Passphrase => format!("the key '{id}', a passphrase, came by '{by}' on {at}"),
    }
}

/// Records as they were declared, read, taken and kept, and what was odd about them.
fn counts(page: &BatchPage) -> Result<()> {
    let counts = &page.counts;
    let all = [
        ("declared by the provider", counts.declared),
        ("read from the files", counts.parsed),
        ("accepted by the layout", counts.accepted),
        ("rejected by the layout", counts.rejected),
        ("in the vault", counts.committed),
    ];
    let mut rows: Vec<Vec<String>> = Vec::new();
    for (what, count) in all {
        rows.extend(count.map(|count| vec![what.to_owned(), count.to_string()]));
    }
    let findings = page.findings.iter().flat_map(|findings| findings.told());
    rows.extend(findings.map(|(what, count)| vec![what, count.to_string()]));
    section("RECORDS", &["what", "count"], &rows)
}

/// When it came to where it is, the earliest first.
fn times(page: &BatchPage, zone: Tz) -> Result<()> {
    let mut times: Vec<_> = page.times.iter().collect();
    times.sort_by_key(|(_, at)| **at);
    let row = |(what, at): (&String, &_)| vec![what.clone(), calendar::time(*at, zone)];
    section("TIMES", &["what", "time"], &times.into_iter().map(row).collect::<Vec<_>>())
}

fn copies(page: &BatchPage) -> Result<()> {
    let file = |file: &FileRow| {
        vec![
            file.name.clone().unwrap_or_default(),
            file.bytes.to_string(),
            file.sha256.map(|digest| digest.to_string()).unwrap_or_default(),
        ]
    };
    let files: Vec<Vec<String>> = page.files.iter().map(file).collect();
    section("FILES", &["name", "bytes", "sha256"], &files)?;
    let copy = |copy: &CopyLine| {
        let kind = match copy.kind.as_str() {
            "transfer" => "transfer file",
            "vault" => "loaded data",
            "case" => "record of the batch",
            other => other,
        };
        let assurance = copy.assurance.map(|level| level.to_string()).unwrap_or_default();
        vec![copy.id.to_string(), kind.to_owned(), copy.state.to_string(), assurance]
    };
    let copies: Vec<Vec<String>> = page.copies.iter().map(copy).collect();
    section("COPIES", &["id", "what", "state", "assurance"], &copies)
}

fn section(title: &str, head: &[&str], rows: &[Vec<String>]) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    print::line(&format!("\n{title}"))?;
    print::whole_table(head, rows)
}
