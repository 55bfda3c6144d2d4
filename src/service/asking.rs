//! What is asked in a reading, and how the access log keeps it: every asking before its first row, refused ones too.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    Actor, Result, Service,
    serving::{Asking, Served},
};
use crate::{
    domain::{
        access::{Operation, Payload, Subject},
        accounts::Act,
        digest::Digest,
        entry,
        ids::{BatchId, CopyId, GrantId},
        limits, national_id,
    },
    engine::access::list_parts,
    error::{Error, Exit},
};

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reading {
    /// The grant.
    pub grant: GrantId,
    /// 查詢案號.
    pub case_no: String,
    /// 查詢事由.
    pub reason: String,
    /// One batch instead of the link's current view.
    pub batch: Option<BatchId>,
    /// What is looked for.
    pub wanted: Wanted,
    /// Where the rows go: `screen`, `pipe` or `file`.
    pub to: String,
    /// What the file is in the inventory, where they go to one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub copies: Vec<CopyId>,
}

/// What is looked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Wanted {
    /// Records for which all conditions hold.
    Where(BTreeMap<String, String>),
    /// Records of a list.
    List {
        /// Field.
        on: String,
        /// Values.
        values: Vec<String>,
    },
    /// Whether there is a person for whom all conditions hold; no field of anybody goes out.
    Is(BTreeMap<String, String>),
}

impl Reading {
    pub(super) const fn operation(&self) -> Operation {
        match self.wanted {
            Wanted::Where(_) => Operation::Query,
            Wanted::List { .. } => Operation::Match,
            Wanted::Is(_) => Operation::Verify,
        }
    }

    /// The words of the command line.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        self.operation().word()
    }

    /// Which act it is, for the roles.
    pub(super) const fn act(&self) -> Act {
        match self.wanted {
            Wanted::Where(_) | Wanted::List { .. } => Act::Use,
            Wanted::Is(_) => Act::Verify,
        }
    }

    /// Digest of all of it, which its signature names. A plain digest of conditions would let a reader of the register
    /// guess them: the signed text is checked and then dropped, it never enters a log.
    pub(super) fn digest(&self) -> Result<Digest> {
        let bytes = entry::canonical(self).map_err(|e| Error::new(Exit::Failed, e.to_string()))?;
        Ok(Digest::of(&bytes))
    }

    pub(super) fn fields(&self) -> Vec<&String> {
        match &self.wanted {
            Wanted::Where(conditions) | Wanted::Is(conditions) => conditions.keys().collect(),
            Wanted::List { on, .. } => vec![on],
        }
    }

    /// Whether all of it fits the access log: an entry there holds a condition or a part of a list whole.
    ///
    /// # Errors
    /// A value is longer than any that a record holds, there are too many conditions, or the rows go nowhere known.
    pub(super) fn is_bounded(&self) -> Result<()> {
        let value_max = limits::ASKED_VALUE_BYTES_MAX;
        let long = |text: &String| text.len() > value_max;
        let too_long = match &self.wanted {
            Wanted::Where(map) | Wanted::Is(map) => {
                map.iter().any(|(field, value)| long(field) || long(value))
            }
            Wanted::List { on, values } => long(on) || values.iter().any(long),
        };
        if too_long {
            let what = format!("a value to look for is over {value_max} bytes");
            return Err(Error::new(Exit::Data, what).hint("no record holds such a value"));
        }
        let written = entry::canonical(&self.subject()).map_or(usize::MAX, |bytes| bytes.len());
        if written > limits::SUBJECT_BYTES_MAX {
            return Err(Error::usage("too many conditions are asked at once"));
        }
        let answer = matches!(self.wanted, Wanted::Is(_)).then_some(ANSWER);
        if !TO.iter().copied().chain(answer).any(|to| to == self.to) {
            return Err(Error::usage("rows go to 'screen', 'pipe' or 'file'"));
        }
        Ok(())
    }

    fn subject(&self) -> Subject {
        match &self.wanted {
            Wanted::Where(conditions) | Wanted::Is(conditions) => {
                Subject::Where(conditions.clone())
            }
            Wanted::List { on, values } => Subject::List {
                on: on.clone(),
                list: digest_of(values),
                count: values.len() as u64,
            },
        }
    }
}

fn digest_of(values: &[String]) -> Digest {
    Digest::of(values.join("\n").as_bytes())
}

/// Where rows may go.
pub(super) const TO: &[&str] = &["screen", "pipe", "file"];
/// To a service, which learns yes or no.
pub(super) const ANSWER: &str = "answer";

/// A typed text as the access log keeps it: as long as any other, and without an ID number. Whom it was about stands in
/// the conditions.
pub(super) fn kept(text: &str) -> String {
    if national_id::found_in(text) {
        return "(hidden)".to_owned();
    }
    text.chars().take(limits::TEXT_CHARS_MAX).collect()
}

impl Service {
    /// Commits the asking; returns its place.
    pub(super) fn log_asking(
        &mut self,
        actor: &Actor,
        link: &str,
        reading: &Reading,
        refused: Option<&str>,
    ) -> Result<u64> {
        let mut payloads = Vec::new();
        if let Wanted::List { values, .. } = &reading.wanted {
            let list = digest_of(values);
            for (part, values) in (0..).zip(list_parts(values)) {
                payloads.push(Payload::List { list, part, values });
            }
        }
        payloads.push(Payload::Asked {
            who: actor.name().to_owned(),
            at: self.engine.ports.clock.now(),
            operation: reading.operation(),
            subject: reading.subject(),
            case_no: kept(&reading.case_no),
            reason: kept(&reading.reason),
            grant: Some(reading.grant),
            batch: reading.batch,
            to: reading.to.clone(),
            refused: refused.map(kept),
        });
        Ok(self.engine.log_access(link, &payloads)?)
    }

    /// Logs what was shown.
    pub(super) fn log_shown(&mut self, asking: &Asking, served: &Served) -> Result<()> {
        let ended = served.ended.map(str::to_owned);
        let payload = Payload::Served { asked: asking.place, rows: asking.rows, ended };
        self.engine.log_access(&asking.link, &[payload])?;
        Ok(())
    }
}
