//! Lines of the access log, opened with the keys of link and month that are still there.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use serde::{Deserialize, Serialize};

use crate::{
    domain::{
        access::{AccessEntry, LogFilter, Payload, Subject},
        ids::{BatchId, GrantId},
        person::Persona,
        secret::Secret,
        time::Timestamp,
    },
    engine::ports::{self, Flow, Log, LogReader, Opener},
};

/// How long after an asking its end may be logged, at most: rows go at the speed of whoever takes them.
pub(super) const SERVED_SECONDS_MAX: i64 = 2 * 24 * 3600;

/// A line of the access log: an asking, or a part of the list of one, each with the seven fields of NT-4.2.5.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AccessLine {
    /// Place of the asking in the access log.
    pub entry: u64,
    /// Which part of its list this is, from 0; null for the asking itself.
    pub part: Option<u32>,
    /// 查詢日期, at the site.
    pub date: String,
    /// 查詢時間, at the site.
    pub time: String,
    /// 查詢者帳號.
    pub account: Option<String>,
    /// 查詢作業代號.
    pub operation: Option<String>,
    /// 被查詢者查詢條件: `where`, `list`, `values` or `log`.
    pub subject: Option<serde_json::Value>,
    /// 查詢案號.
    pub case_no: Option<String>,
    /// 查詢事由.
    pub reason: Option<String>,
    /// The link.
    pub link: String,
    /// The grant.
    pub grant: Option<GrantId>,
    /// The one batch that was asked.
    pub batch: Option<BatchId>,
    /// `screen`, `pipe` or `file`.
    pub to: Option<String>,
    /// `shown`, `refused`, `open` (no end of it is logged), `destroyed` (with its key), `unreadable`.
    pub state: String,
    /// Why it ended before its end: `row-cap`, `expired`, `revoked`.
    pub ended: Option<String>,
    /// Why it was refused.
    pub refused: Option<String>,
    /// Rows that were shown.
    pub rows: Option<u64>,
    /// 姓名, of who asked, as it was then.
    #[serde(default)]
    pub display: Option<String>,
    /// 職稱.
    #[serde(default)]
    pub title: Option<String>,
    /// 單位.
    #[serde(default)]
    pub unit: Option<String>,
}

impl AccessLine {
    /// The names of [`AccessLine::cells`].
    pub const FIELDS: [&'static str; 20] = [
        "entry",
        "part",
        "date",
        "time",
        "account",
        "operation",
        "subject",
        "case_no",
        "reason",
        "link",
        "grant",
        "batch",
        "to",
        "state",
        "ended",
        "refused",
        "rows",
        "display",
        "title",
        "unit",
    ];

    /// A line of which nothing can be opened.
    fn closed(entry: u64, at: Timestamp, zone: chrono_tz::Tz, link: &str, state: &str) -> Self {
        Self {
            entry,
            part: None,
            date: at.date_in(zone).to_string(),
            time: at.time_in(zone),
            account: None,
            operation: None,
            subject: None,
            case_no: None,
            reason: None,
            link: link.to_owned(),
            grant: None,
            batch: None,
            to: None,
            state: state.to_owned(),
            ended: None,
            refused: None,
            rows: None,
            display: None,
            title: None,
            unit: None,
        }
    }

    /// The values of [`AccessLine::FIELDS`]; empty is null.
    #[must_use]
    pub fn cells(&self) -> Vec<String> {
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        fn told<T: ToString>(value: Option<&T>) -> String {
            value.map(ToString::to_string).unwrap_or_default()
        }
        vec![
            self.entry.to_string(),
            told(self.part.as_ref()),
            self.date.clone(),
            self.time.clone(),
            text(&self.account),
            text(&self.operation),
            told(self.subject.as_ref()),
            text(&self.case_no),
            text(&self.reason),
            self.link.clone(),
            told(self.grant.as_ref()),
            told(self.batch.as_ref()),
            text(&self.to),
            self.state.clone(),
            text(&self.ended),
            text(&self.refused),
            told(self.rows.as_ref()),
            text(&self.display),
            text(&self.title),
            text(&self.unit),
        ]
    }

    /// The line of these cells; nothing where they are none of a line.
    #[must_use]
    pub fn of_cells(cells: &[String]) -> Option<Self> {
        let cells: &[String; 20] = cells.try_into().ok()?;
        let text = |n: usize| Some(cells[n].clone()).filter(|text| !text.is_empty());
        Some(Self {
            entry: cells[0].parse().ok()?,
            part: cells[1].parse().ok(),
            date: cells[2].clone(),
            time: cells[3].clone(),
            account: text(4),
            operation: text(5),
            subject: serde_json::from_str(&cells[6]).ok(),
            case_no: text(7),
            reason: text(8),
            link: cells[9].clone(),
            grant: cells[10].parse().ok(),
            batch: cells[11].parse().ok(),
            to: text(12),
            state: cells[13].clone(),
            ended: text(14),
            refused: text(15),
            rows: cells[16].parse().ok(),
            display: text(17),
            title: text(18),
            unit: text(19),
        })
    }
}

/// The access log, with the keys that open what is asked for.
pub(super) struct LogSource {
    pub(super) reader: Box<dyn LogReader>,
    pub(super) opener: Arc<dyn Opener>,
    /// By link and month; nothing where the key was destroyed.
    pub(super) keys: BTreeMap<(String, String), Option<Secret>>,
    pub(super) filter: LogFilter,
    /// The askings of a sample, where only those are looked for.
    pub(super) chosen: Option<BTreeSet<u64>>,
    pub(super) zone: chrono_tz::Tz,
    /// Who the accounts were, and since when.
    pub(super) names: Names,
    /// Entries that it may show.
    pub(super) end: u64,
    /// Set where nothing more may be opened.
    pub(super) over: Arc<AtomicBool>,
}

/// Who accounts were, and since when: by their name, the oldest first.
pub(super) type Names = BTreeMap<String, Vec<(u64, Timestamp, Persona)>>;

/// How askings ended, and which entries said so.
#[derive(Default)]
struct Ends {
    by_asking: BTreeMap<u64, (u64, Option<String>)>,
    entries: BTreeSet<u64>,
}

/// What an entry turned out to be.
#[allow(clippy::large_enum_variant, reason = "one at a time")]
pub(super) enum Opened {
    Payload(Payload),
    Destroyed,
    Unreadable,
}

impl LogSource {
    /// Each line, oldest first.
    pub(super) fn read(&self, each: &mut dyn FnMut(&AccessLine) -> Flow) -> ports::Result<()> {
        let start = self.start()?;
        // The end of a reading stands behind its asking: what ended how is looked through first.
        let ends = self.ends(start)?;
        let mut parts: Vec<(u32, Vec<String>)> = Vec::new();
        let mut list = None;
        self.walk(start, self.filter.until, &mut |seq, entry| {
            if ends.entries.contains(&seq) {
                return Flow::On;
            }
            let opened = match self.open(entry) {
                Opened::Payload(payload) => payload,
                closed => {
                    if self.filter.reads_payloads() || !self.is_chosen(seq) {
                        return Flow::On;
                    }
                    let destroyed = matches!(closed, Opened::Destroyed);
                    let state = if destroyed { "destroyed" } else { "unreadable" };
                    return each(&AccessLine::closed(seq, entry.at, self.zone, &entry.link, state));
                }
            };
            match opened {
                Payload::List { list: of, part, values } => {
                    if list.replace(of) != Some(of) || part == 0 {
                        parts.clear();
                    }
                    parts.push((part, values));
                    Flow::On
                }
                Payload::Served { .. } => Flow::On,
                asked @ Payload::Asked { .. } => {
                    list = None;
                    let parts = std::mem::take(&mut parts);
                    if !self.is_chosen(seq) || !self.wants(&asked, &parts) {
                        return Flow::On;
                    }
                    self.lines(seq, entry, asked, parts, &ends, each)
                }
            }
        })
    }

    fn lines(
        &self,
        seq: u64,
        entry: &AccessEntry,
        asked: Payload,
        parts: Vec<(u32, Vec<String>)>,
        ends: &Ends,
        each: &mut dyn FnMut(&AccessLine) -> Flow,
    ) -> Flow {
        let Payload::Asked {
            who,
            operation,
            subject,
            case_no,
            reason,
            grant,
            batch,
            to,
            refused,
            at,
        } = asked
        else {
            return Flow::On;
        };
        let ended = ends.by_asking.get(&seq);
        let state = match (&refused, ended) {
            (Some(_), _) => "refused",
            (None, Some(_)) => "shown",
            (None, None) => "open",
        };
        let on = match &subject {
            Subject::List { on, .. } => on.clone(),
            Subject::Where(_) | Subject::Log(_) => String::new(),
        };
        let Persona { display, title, unit } = self.was(&who, at);
        let line = AccessLine {
            display,
            title,
            unit,
            account: Some(who),
            operation: Some(operation.word().to_owned()),
            subject: serde_json::to_value(&subject).ok(),
            case_no: Some(case_no),
            reason: Some(reason),
            grant,
            batch,
            to: Some(to),
            refused,
            rows: ended.map(|(rows, _)| *rows),
            ended: ended.and_then(|(_, why)| why.clone()),
            ..AccessLine::closed(seq, at, self.zone, &entry.link, state)
        };
        if each(&line) == Flow::Stop {
            return Flow::Stop;
        }
        for (part, values) in parts {
            let values = serde_json::json!({ "values": { "on": on, "values": values } });
            let line = AccessLine { part: Some(part), subject: Some(values), ..line.clone() };
            if each(&line) == Flow::Stop {
                return Flow::Stop;
            }
        }
        Flow::On
    }

    /// Who an account was at a moment.
    fn was(&self, account: &str, at: Timestamp) -> Persona {
        let known = self.names.get(account);
        let known = known.and_then(|all| all.iter().rev().find(|(_, since, _)| *since <= at));
        known.map(|(_, _, persona)| persona.clone()).unwrap_or_default()
    }

    fn is_chosen(&self, seq: u64) -> bool {
        self.chosen.as_ref().is_none_or(|chosen| chosen.contains(&seq))
    }

    fn wants(&self, asked: &Payload, parts: &[(u32, Vec<String>)]) -> bool {
        let Payload::Asked { who, subject, case_no, grant, .. } = asked else { return false };
        let filter = &self.filter;
        let about = |wanted: &String| match subject {
            Subject::Where(conditions) => conditions.values().any(|value| value == wanted),
            Subject::List { .. } => parts.iter().any(|(_, values)| values.contains(wanted)),
            Subject::Log(looked) => looked.subject.as_ref() == Some(wanted),
        };
        filter.account.as_ref().is_none_or(|account| account == who)
            && filter.grant.is_none_or(|wanted| Some(wanted) == *grant)
            && filter.case_no.as_ref().is_none_or(|wanted| wanted == case_no)
            && filter.subject.as_ref().is_none_or(about)
    }

    fn ends(&self, start: u64) -> ports::Result<Ends> {
        let until = self.filter.until.map(|until| until.plus_seconds(SERVED_SECONDS_MAX));
        let mut ends = Ends::default();
        self.walk(start, until, &mut |seq, entry| {
            if let Opened::Payload(Payload::Served { asked, rows, ended }) = self.open(entry) {
                ends.by_asking.insert(asked, (rows, ended));
                ends.entries.insert(seq);
            }
            Flow::On
        })?;
        Ok(ends)
    }

    pub(super) fn open(&self, entry: &AccessEntry) -> Opened {
        let key = match self.keys.get(&(entry.link.clone(), entry.month.clone())) {
            Some(Some(key)) => key,
            Some(None) => return Opened::Destroyed,
            None => return Opened::Unreadable,
        };
        let sealed = data_encoding::BASE64.decode(entry.sealed.as_bytes()).ok();
        let plain = sealed.and_then(|sealed| self.opener.unseal(key, &sealed));
        let payload = plain.and_then(|plain| serde_json::from_slice(&plain).ok());
        payload.map_or(Opened::Unreadable, Opened::Payload)
    }

    /// The entries of the link from `start` on, up to `until`.
    pub(super) fn walk(
        &self,
        start: u64,
        until: Option<Timestamp>,
        each: &mut dyn FnMut(u64, &AccessEntry) -> Flow,
    ) -> ports::Result<()> {
        let mut next = start;
        while next < self.end {
            let piece = self.reader.piece(Log::Access, next, self.end)?;
            if piece.is_empty() || self.over.load(Ordering::SeqCst) {
                break;
            }
            for bytes in piece {
                let entry = parsed(&bytes)?;
                if until.is_some_and(|until| entry.at > until) {
                    return Ok(());
                }
                let wanted = self.filter.link.as_ref().is_none_or(|link| *link == entry.link);
                if wanted && each(next, &entry) == Flow::Stop {
                    return Ok(());
                }
                next += 1;
            }
        }
        Ok(())
    }

    fn start(&self) -> ports::Result<u64> {
        self.filter.from.map_or(Ok(0), |from| self.first_from(from))
    }

    /// The first entry that is not before a moment: times never go back.
    pub(super) fn first_from(&self, from: Timestamp) -> ports::Result<u64> {
        let (mut low, mut high) = (0, self.end);
        while low < high {
            let middle = low + (high - low) / 2;
            let piece = self.reader.piece(Log::Access, middle, middle + 1)?;
            let Some(bytes) = piece.first() else { break };
            if parsed(bytes)?.at < from {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(low)
    }
}

fn parsed(bytes: &[u8]) -> ports::Result<AccessEntry> {
    serde_json::from_slice(bytes).map_err(|_| ports::PortError::Stuck {
        code: "journal",
        message: "an entry of the access log has not its form".to_owned(),
    })
}
