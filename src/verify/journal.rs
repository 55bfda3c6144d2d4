//! Verification of the journal beside the published files: entries in place, each signed checkpoint of the past
//! still true of them. The first checkpoint that is not true names the first bad entry.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::Report;
use crate::domain::{
    checkpoint::{Checkpoint, VerifierKey},
    digest::Digest,
    merkle::{self, Frontier},
};

/// Checks the journal; adds to the report.
pub(super) fn check(
    path: &Path,
    key: &VerifierKey,
    published: &Checkpoint,
    leaves: &[Option<Digest>],
    report: &mut Report,
) {
    if let Err(error) = walk(path, key, published, leaves, report) {
        report.problems.push(format!("'{}': {error}", path.display()));
    }
}

fn walk(
    path: &Path,
    key: &VerifierKey,
    published: &Checkpoint,
    leaves: &[Option<Digest>],
    report: &mut Report,
) -> rusqlite::Result<()> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    let mut entries =
        connection.prepare("SELECT seq, bytes FROM entry WHERE log = 0 ORDER BY seq")?;
    let mut notes =
        connection.prepare("SELECT size, note FROM checkpoint WHERE log = 0 ORDER BY size")?;
    let mut notes = notes.query([])?;
    let mut next = note(&mut notes)?;
    let mut frontier = Frontier::new();
    let mut signed_size = 0;
    let mut rows = entries.query([])?;
    while let Some(row) = rows.next()? {
        let seq = row.get::<_, i64>(0)?.cast_unsigned();
        let expected = frontier.size();
        if seq != expected {
            report.bad(expected, format!("entry {expected} is missing from the journal"));
            return Ok(());
        }
        let leaf = merkle::leaf_hash(row.get_ref(1)?.as_blob()?);
        let published = usize::try_from(seq).ok().and_then(|n| leaves.get(n)).copied().flatten();
        if published.is_some_and(|published| published != leaf) {
            report
                .bad(seq, format!("entry {seq} of the journal is not the one that was published"));
        }
        frontier.append(leaf);
        if let Some((size, text)) = next.take_if(|(size, _)| *size == frontier.size()) {
            judge(key, size, &text, &frontier, signed_size, report);
            signed_size = size;
            next = note(&mut notes)?;
        }
    }
    let size = frontier.size();
    if signed_size < size {
        report.bad(
            signed_size,
            format!("the entries from {signed_size} on are under no signed checkpoint"),
        );
    }
    if next.is_some() || published.size > size {
        report.bad(size, format!("the journal ends at entry {size}, before what was signed"));
    }
    if published.size < size {
        report.problems.push(format!(
            "the published files end at entry {}, the journal at {size}",
            published.size
        ));
        report.first_bad.get_or_insert(published.size);
    }
    Ok(())
}

fn judge(
    key: &VerifierKey,
    size: u64,
    text: &str,
    frontier: &Frontier,
    signed_before: u64,
    report: &mut Report,
) {
    match key.open(text) {
        Ok(checkpoint) if checkpoint.size == size && checkpoint.root == frontier.root() => {}
        Ok(_) => {
            let range = if signed_before + 1 == size {
                format!("entry {signed_before} is")
            } else {
                format!("one of the entries {signed_before} to {} is", size - 1)
            };
            // Everything after the first is under a wrong root too; the first one names the entry.
            if report.first_bad.is_none_or(|known| signed_before < known) {
                report.bad(signed_before, format!("{range} not what was signed"));
            }
        }
        Err(error) => {
            report.bad(signed_before, format!("the checkpoint of {size} entries: {error}"))
        }
    }
}

fn note(rows: &mut rusqlite::Rows<'_>) -> rusqlite::Result<Option<(u64, String)>> {
    rows.next()?.map(|row| Ok((row.get::<_, i64>(0)?.cast_unsigned(), row.get(1)?))).transpose()
}
