//! The register as rows for a person (附件一): serial number, time, who, what. And its checkpoints, to be kept elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use chrono_tz::Tz;
use serde_json::Value;

use super::{Result, Service, query::CheckpointText};
use crate::{
    domain::{
        calendar,
        checkpoint::{Checkpoint, NAMESPACE},
        time::Timestamp,
    },
    engine::ports::Log,
    error::Error,
};

impl Service {
    /// `register checkpoint`: of all entries, of an earlier size, or the newest that was cosigned. The same size gives the
    /// same bytes each time.
    ///
    /// # Errors
    /// The register is shorter, was never cosigned, or cannot be read.
    pub(super) fn checkpoint(&self, size: Option<u64>, cosigned: bool) -> Result<CheckpointText> {
        let (journal, all) = (&self.engine.ports.journal, self.engine.view.size);
        let last = || self.engine.view.witnesses.values().filter_map(|row| row.last.as_ref());
        let size = match (size, cosigned) {
            (_, true) => last().map(|last| last.size).max().ok_or_else(|| {
                Error::usage("no checkpoint was cosigned yet")
                    .hint("'batchward witness request NAME' makes what a witness cosigns")
            })?,
            (size, false) => size.unwrap_or(all),
        };
        if size == 0 || size > all {
            return Err(Error::usage(format!("the register has {all} entries"))
                .hint("a checkpoint is of as many entries, or of fewer, and of one at least"));
        }
        let mut note = journal.note_at(Log::Register, size)?;
        if cosigned {
            last().filter(|last| last.size == size).for_each(|last| note.push_str(&last.line));
        }
        let root = journal.root_at(Log::Register, size)?;
        let checkpoint = Checkpoint { origin: self.origin()?, size, root };
        let sshsig = self.engine.ports.signer.sign(NAMESPACE, checkpoint.body().as_bytes())?;
        Ok(CheckpointText { size, note, sshsig })
    }
}

/// An entry as it is shown. Who and what are in English, to be translated where they are printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its number in the register, from 0.
    pub serial: String,
    /// Its time in the site's zone.
    pub at: String,
    /// The account that acted, or `agent`.
    pub by: String,
    /// What happened, in a sentence.
    pub what: String,
}

/// One row for each entry that is about a delivery, its use or its end; the rest is in `--json`. Outcomes tell what
/// their intent was about, which is among `entries` too.
#[must_use]
pub fn lines(entries: &[Value], zone: Tz) -> Vec<Line> {
    let plans: BTreeMap<u64, &Value> = entries
        .iter()
        .filter(|entry| entry["body"]["type"] == "intent")
        .filter_map(|entry| Some((entry["seq"].as_u64()?, &entry["body"]["plan"])))
        .collect();
    let subject = |entry: &Value| {
        let plan = plans.get(&entry["body"]["intent"].as_u64()?)?;
        let named =
            ["batch", "order", "copy", "number", "handover"].map(|field| plan[field].as_str());
        let named: Vec<&str> = named.into_iter().flatten().collect();
        Some(named.join(" ")).filter(|named| !named.is_empty())
    };
    let amended = amended(entries);
    let line = |entry: &Value| {
        let mut line = line(entry, subject(entry), zone)?;
        let amendments = entry["seq"].as_u64().and_then(|seq| amended.get(&seq));
        for (amendment, field, to) in amendments.into_iter().flatten() {
            line.what = format!("{}; amended by entry {amendment}: {field} is '{to}'", line.what);
        }
        Some(line)
    };
    entries.iter().filter_map(line).collect()
}

/// By entry, the amendments of it that count: the entry that amends, what it amends, and what that says now.
fn amended(entries: &[Value]) -> BTreeMap<u64, Vec<(u64, String, String)>> {
    let confirmed: BTreeSet<u64> = entries
        .iter()
        .filter(|entry| entry["body"]["type"] == "amendment-confirmed")
        .filter_map(|entry| entry["body"]["amendment"].as_u64())
        .collect();
    let mut amended: BTreeMap<u64, Vec<(u64, String, String)>> = BTreeMap::new();
    for entry in entries.iter().filter(|entry| entry["body"]["type"] == "fact-amended") {
        let (body, seq) = (&entry["body"], entry["seq"].as_u64().unwrap_or_default());
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        if let Some(of) = body["entry"].as_u64().filter(|_| confirmed.contains(&seq)) {
            amended.entry(of).or_default().push((seq, text(&body["field"]), text(&body["to"])));
        }
    }
    amended
}

/// What an entry is about, where nothing else is said of it: the first of these fields that it has.
const OBJECTS: &[&str] = &[
    "sample",
    "finding",
    "incident",
    "batch",
    "grant",
    "order",
    "hold",
    "standing",
    "handover",
    "report",
    "audit",
    "request",
    "notice",
    "month",
    "name",
    "link",
    "appointment",
    "copy",
];

/// Which entries are wanted.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Those about a batch: its id, and the link and number under which its keys come.
    pub batch: Option<(String, String, Option<String>)>,
    /// Those by an account, or about it.
    pub account: Option<String>,
    /// Ids of grants whose entries belong to the batch as well.
    pub grants: Vec<String>,
}

impl Wanted {
    /// The entries that are wanted, in their order.
    #[must_use]
    pub fn of(&self, entries: Vec<Value>) -> Vec<Value> {
        // What belongs to the batch: its orders, and the steps of both.
        let batch = self.batch.iter().map(|batch| &batch.0);
        let mut names: BTreeSet<String> = batch.chain(&self.grants).cloned().collect();
        let mut steps = BTreeSet::new();
        let mut wanted = |entry: &Value| {
            let body = &entry["body"];
            let by_account = self.account.as_ref().is_none_or(|name| {
                entry["by"] == name.as_str() || names_any(body, &|text| text == name)
            });
            let Some((_, link, number)) = &self.batch else { return by_account };
            let plan = &body["plan"];
            let its_key = plan["link"] == link.as_str()
                && number.as_ref().is_some_and(|number| plan["number"] == number.as_str());
            let step = body["intent"].as_u64().is_some_and(|seq| steps.contains(&seq));
            let its = its_key || step || names_any(body, &|text| names.contains(text));
            if its && body["type"] == "intent" {
                steps.extend(entry["seq"].as_u64());
            }
            if its && body["type"] == "order-requested" {
                names.extend(body["order"].as_str().map(str::to_owned));
            }
            its && by_account
        };
        entries.into_iter().filter(|entry| wanted(entry)).collect()
    }
}

/// Whether one of the texts in a value is one that is meant.
fn names_any(value: &Value, is_meant: &dyn Fn(&str) -> bool) -> bool {
    match value {
        Value::String(text) => is_meant(text),
        Value::Array(values) => values.iter().any(|value| names_any(value, is_meant)),
        Value::Object(fields) => fields.values().any(|value| names_any(value, is_meant)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn line(entry: &Value, subject: Option<String>, zone: Tz) -> Option<Line> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let end = |value: &Value| {
        let at = value.as_str().and_then(Timestamp::parse);
        at.map_or_else(|| text(value), |at| calendar::end(at, zone))
    };
    let body = &entry["body"];
    let kind = body["type"].as_str()?;
    let what = match kind {
        "intent" => return None,
        "outcome" => outcome(&body["outcome"])?,
        "failed" => format!("a step failed ({}): {}", text(&body["failure"]), text(&body["code"])),
        "site-created" => format!("site {} created", text(&body["site"])),
        "delivery-seen" => {
            format!("delivery {} seen on {}", text(&body["delivery"]), text(&body["link"]))
        }
        "grant-applied" => format!(
            "grant {} applied for: {}, case basis {}, until {}",
            text(&body["grant"]),
            text(&body["terms"]["purpose"]),
            text(&body["terms"]["basis"]),
            end(&body["terms"]["until"])
        ),
        "came-due" => format!(
            "{} due by {}, clause {}",
            text(&body["batch"]),
            end(&body["deadline"]),
            text(&body["clause"])
        ),
        "order-requested" => format!(
            "destruction {} of {} requested, {} copies: {}",
            text(&body["order"]),
            batches(&body["copies"]),
            body["copies"].as_array().map_or(0, Vec::len),
            text(&body["reason"])
        ),
        "decision-entered" | "decision-confirmed" => on_paper(body),
        "expectation-begun" | "delivery-missed" | "delivery-came" => expected(body, &end),
        "sample-drawn" | "incident-reported" => looked_at(body),
        "hold-placed" => format!(
            "hold {} placed on {}, document {}",
            text(&body["hold"]),
            scope(&body["scope"]),
            text(&body["doc_no"])
        ),
        "fact-amended" | "amendment-confirmed" | "note-added" => about_another(body, kind),
        "act-refused" => format!(
            "refused: {} on {}: {}",
            text(&body["command"]),
            text(&body["object"]),
            text(&body["code"])
        ),
        other => {
            let object = OBJECTS
                .iter()
                .find_map(|field| body[*field].as_str())
                .or_else(|| body["facts"]["finding"].as_str())
                .or_else(|| body["account"]["name"].as_str())
                .unwrap_or_default();
            format!("{other} {object}").trim_end().to_owned()
        }
    };
    let what = subject.map_or_else(|| what.clone(), |subject| format!("{subject}: {what}"));
    let at = entry["at"].as_str().and_then(Timestamp::parse);
    let at = at.map_or_else(|| text(&entry["at"]), |at| calendar::time(at, zone));
    Some(Line { serial: entry["seq"].to_string(), at, by: text(&entry["by"]), what })
}

/// What an entry says of another one.
fn about_another(body: &Value, kind: &str) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    match kind {
        "amendment-confirmed" => format!("amendment {} confirmed", body["amendment"]),
        "note-added" => format!("note on entry {}: {}", body["entry"], text(&body["text"])),
        _ => format!(
            "amendment of entry {} proposed: {} from '{}' to '{}', {}",
            body["entry"],
            text(&body["field"]),
            text(&body["from"]),
            text(&body["to"]),
            text(&body["reason"])
        ),
    }
}

/// What an entry says of a decision on paper.
fn on_paper(body: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let subject = body["subject"].as_object().and_then(|subject| subject.values().next());
    let subject = subject.map(&text).unwrap_or_default();
    if body["type"] == "decision-confirmed" {
        return format!("decision on {subject} confirmed");
    }
    let (ruling, doc_no) = (text(&body["ruling"]), text(&body["doc_no"]));
    format!("decision on {subject} entered from document {doc_no}: {ruling}")
}

/// What an entry says of an expected delivery.
fn expected(body: &Value, end: &dyn Fn(&Value) -> String) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (link, due) = (text(&body["link"]), end(&body["due"]));
    match body["type"].as_str() {
        Some("delivery-missed") => format!("the delivery on {link} that was due {due} is missing"),
        Some("delivery-came") => {
            format!("{} is the delivery on {link} that was due {due}", text(&body["batch"]))
        }
        _ => format!("deliveries on {link} are expected: {}", text(&body["terms"]["every"])),
    }
}

/// What an entry says of a sample or an incident.
fn looked_at(body: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    if body["type"] == "sample-drawn" {
        let terms = &body["terms"];
        return format!(
            "sample {} of {} in {} drawn: {} of {}",
            text(&body["sample"]),
            text(&terms["link"]),
            text(&terms["period"]),
            terms["size"],
            terms["counted"]
        );
    }
    let facts = &body["facts"];
    format!(
        "incident {} on {} reported: {}",
        text(&body["incident"]),
        text(&facts["link"]),
        text(&facts["summary"])
    )
}

/// The batches of an order's copies.
fn batches(copies: &Value) -> String {
    let all = copies.as_array().into_iter().flatten().filter_map(|copy| copy["batch"].as_str());
    let mut all: Vec<&str> = all.collect();
    all.dedup();
    all.join(", ")
}

/// What a hold is over: a batch, a link, or everything.
fn scope(scope: &Value) -> &str {
    scope["batch"].as_str().or(scope["link"].as_str()).unwrap_or("everything")
}

fn outcome(outcome: &Value) -> Option<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Some(match outcome["result"].as_str()? {
        "claimed" => match outcome["files"].as_array().map_or(0, Vec::len) {
            1 => "claimed, one file".to_owned(),
            files => format!("claimed, {files} files"),
        },
        "cleared" => "originals wiped".to_owned(),
        "verified" => format!(
            "verified {}: {} records declared, {}",
            text(&outcome["manifest"]["number"]),
            outcome["manifest"]["records"],
            text(&outcome["strength"])
        ),
        "refused" => format!("quarantined: {}", text(&outcome["verdict"]["reason"])),
        "key-taken" => format!(
            "key {} kept ({})",
            text(&outcome["facts"]["key"]),
            text(&outcome["facts"]["form"])
        ),
        "key-wiped" => format!("key wiped: {}", text(&outcome["code"])),
        "key-wrong" => "the key does not open the batch".to_owned(),
        "access-key-dropped" => format!(
            "key of the access log of {} in {} destroyed",
            text(&outcome["link"]),
            text(&outcome["month"])
        ),
        "package-made" => {
            format!(
                "package of {} records made, SHA-256 {}",
                outcome["facts"]["records"],
                text(&outcome["facts"]["sha256"])
            )
        }
        "key-dropped" => "key slot destroyed".to_owned(),
        "loaded" => {
            let counts = &outcome["facts"]["counts"];
            format!(
                "loaded: declared {}, parsed {}, accepted {}, rejected {}, committed {}",
                counts["declared"],
                counts["parsed"],
                counts["accepted"],
                counts["rejected"],
                counts["committed"]
            )
        }
        "copy-wiped" => format!(
            "copy wiped: {} on {}",
            text(&outcome["wiped"]["assurance"]),
            text(&outcome["wiped"]["filesystem"])
        ),
        "certified" => format!("certificate issued, SHA-256 {}", text(&outcome["certificate"])),
        _ => return None,
    })
}
