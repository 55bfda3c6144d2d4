//! `agent.yaml`.

use std::path::{Path, PathBuf};

use super::node::{Fault, Faults, Reader};
use crate::{adapters::root_key::RootKeySource, domain::time::Period};

/// `agent.yaml`, parsed; paths are absolute.
#[derive(Clone, Debug)]
pub struct Agent {
    /// Name of the site.
    pub site: String,
    /// State folder.
    pub state: PathBuf,
    /// Links.
    pub links: PathBuf,
    /// Layouts.
    pub layouts: PathBuf,
    /// Policies.
    pub policies: PathBuf,
    /// How often inboxes are scanned whole.
    pub scan_every: Period,
    /// When an incomplete delivery becomes an alarm.
    pub incomplete_after: Period,
    /// When it is claimed and quarantined.
    pub abandon_after: Option<Period>,
    /// Difference of wall and boot clock that is believed.
    pub clock_jump_max: Period,
    /// Time without an entry after which the clock is doubted at a start.
    pub start_gap_max: Period,
    /// Time zone.
    pub timezone: chrono_tz::Tz,
    /// Where the root key is.
    pub root_key: RootKeySource,
    /// Control socket.
    pub socket: PathBuf,
}

const PERIOD: &str = "a period such as '30s', '4h' or 'P30D'";

/// Reads the file.
pub(super) fn load(path: &Path, faults: &mut Vec<Fault>) -> Option<Agent> {
    let found = Faults::of(path.to_owned());
    let bytes = super::read_file(path, faults)?;
    let agent = super::node_of(&bytes, &found).and_then(|node| {
        let mut reader = Reader::new(&node, &found);
        let agent = read(&mut reader, path.parent().unwrap_or(Path::new(".")));
        reader.finish();
        agent
    });
    let list = found.take();
    let clean = list.is_empty();
    faults.extend(list);
    agent.filter(|_| clean)
}

/// Whether a text can be the name of a site, link, layout or policy: it becomes part of file and slot names.
pub(super) fn is_name(text: &str) -> bool {
    let good =
        |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_' | b'.');
    (1..=48).contains(&text.len())
        && text.bytes().all(good)
        && text.as_bytes()[0].is_ascii_alphanumeric()
}

fn read(reader: &mut Reader, base: &Path) -> Option<Agent> {
    let base = std::path::absolute(base).unwrap_or_else(|_| base.to_owned());
    let site = reader
        .parsed("site", "a name of a-z, 0-9, '-', '_', '.'", |t| is_name(t).then(|| t.to_owned()));
    let folder =
        |reader: &mut Reader, name, default| lexical(&base.join(reader.text_or(name, default).0));
    let state = folder(reader, "state", "state");
    let links = folder(reader, "links", "links");
    let layouts = folder(reader, "layouts", "layouts");
    let policies = folder(reader, "policies", "policies");
    only(reader, "store", "sqlite", "a journal on PostgreSQL comes with a later version");
    only(reader, "vault", "embedded", "a vault on PostgreSQL comes with a later version");
    let span = |reader: &mut Reader, name, default: &str| {
        let default = Period::parse(default).unwrap_or(Period::ZERO);
        reader.parsed_or(name, default, PERIOD, Period::parse)
    };
    let scan_every = span(reader, "scan_every", "30s");
    let incomplete_after = span(reader, "incomplete_after", "4h");
    let clock_jump_max = span(reader, "clock_jump_max", "1h");
    let start_gap_max = span(reader, "start_gap_max", "30d");
    let abandon_after =
        reader.parsed_or("abandon_after", None, PERIOD, |t| Period::parse(t).map(Some));
    let timezone = reader.parsed_or(
        "timezone",
        chrono_tz::Asia::Taipei,
        "a time zone such as 'Asia/Taipei'",
        |t| t.parse().ok(),
    );
    let (root_key, at) = reader.text_or("root_key", "file:root.key");
    let root_key = match root_key.parse::<RootKeySource>() {
        Ok(source) => Some(source.beneath(&base)),
        Err(error) => {
            reader.faults().add(
                at,
                format!("'root_key': {error}"),
                Some("file:PATH or credential:NAME"),
            );
            None
        }
    };
    if let Some(RootKeySource::File(path)) = &root_key
        && lexical(path).starts_with(&state)
    {
        reader.faults().add(
            at,
            "the root key lies within the state folder",
            Some("keep it outside of 'state'"),
        );
    }
    let socket = folder(reader, "socket", "/run/batchward/control.sock");
    Some(Agent {
        site: site?,
        state,
        links,
        layouts,
        policies,
        scan_every,
        incomplete_after,
        abandon_after,
        clock_jump_max,
        start_gap_max,
        timezone,
        root_key: root_key?,
        socket,
    })
}

fn only(reader: &mut Reader, name: &'static str, value: &str, later: &str) {
    let (text, at) = reader.text_or(name, value);
    if text != value {
        reader.faults().add(at, format!("'{name}' is '{text}': expected '{value}'"), Some(later));
    }
}

/// A path without `.` and `..`, by its names alone.
pub(super) fn lexical(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::ParentDir => {
                plain.pop();
            }
            std::path::Component::CurDir => {}
            other => plain.push(other),
        }
    }
    plain
}
