//! Questions of services: is there such a person, yes or no (NT-2.1: the platform verifies, it does not list).
//!
//! A question is a reading like any other: declared in the access log before the vault is opened, refused in it too, and
//! ended by what ends its grant. What is new is who asks, how often, and that nothing of anybody goes out. A no is said only
//! where everything that is loaded was looked through; what cannot be looked through is an error.

use std::{
    collections::{BTreeMap, VecDeque},
    io,
};

use chrono::Datelike as _;
use serde::{Deserialize, Serialize};

use super::{
    Caller, Result, Service,
    asking::ANSWER,
    reading::{Reading, Rows, Wanted},
    serving::Declared,
};
use crate::{
    domain::{
        access::Operation,
        accounts::Act,
        brought::Sought,
        calendar,
        entry::{AGENT, Body, BudgetDrawn, ServiceTerms},
        ids::GrantId,
        layout::{FieldKind, Layout},
        lifecycle::GrantState,
        limits,
        manifest::Kind,
        view::Grant,
    },
    error::Error,
};

/// A minute, in milliseconds.
const MINUTE: i64 = 60_000;
/// The year before the first of the ROC.
const EPOCH: i32 = 1911;

/// What a service asks: `POST /v1/verifications`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Verification {
    /// The grant by which it asks.
    #[cfg_attr(test, schemars(with = "String"))]
    pub grant: GrantId,
    /// 查詢案號: the case for which it is asked.
    pub case_no: String,
    /// 查詢事由: why.
    pub reason: String,
    /// What is said of the person: fields of the grant and their values, the number of the person and at least one more.
    /// Letters and digits at full width are folded; a date is in either calendar.
    pub person: BTreeMap<String, String>,
}

/// What becomes of a question.
pub enum Verified {
    /// It is declared, and may be looked up.
    Declared(Box<Declared>),
    /// Too many within a minute: not before so many seconds.
    TooMany {
        /// Seconds.
        wait: u64,
    },
}

/// The answer: rows come and nothing of them is kept.
#[derive(Debug, Default)]
pub struct Found(pub bool);

impl Rows for Found {
    fn begin(&mut self, _: &[String]) -> io::Result<()> {
        Ok(())
    }

    fn row(&mut self, _: &[String]) -> io::Result<()> {
        self.0 = true;
        Ok(())
    }
}

/// What each service asked in this process. A start forgets the last minute, and never a budget.
#[derive(Debug, Default)]
pub(super) struct Meters(BTreeMap<GrantId, Meter>);

#[derive(Debug, Default)]
struct Meter {
    /// When it asked within the last minute, in milliseconds since boot.
    lately: VecDeque<i64>,
    /// Questions of its budget that are gone, those lost in a stop among them; unknown before the first.
    gone: Option<u64>,
    /// Whether the question that is being declared was taken out of the budget.
    paid: bool,
}

impl Meter {
    /// Seconds to wait, where the next question would be one too many.
    fn wait(&mut self, rate: u32, now: i64) -> Option<u64> {
        while self.lately.front().is_some_and(|asked| now - asked >= MINUTE) {
            self.lately.pop_front();
        }
        let full = self.lately.len() >= rate as usize;
        let oldest = self.lately.front().filter(|_| full)?;
        let left = u64::try_from(oldest + MINUTE - now).unwrap_or_default();
        Some(left.div_ceil(1000).max(1))
    }
}

impl Service {
    /// Takes a question of a service.
    ///
    /// # Errors
    /// Whoever asks may not, which the register says once a minute; a value is none of its field; or as [`Service::declare`].
    pub fn verify(&mut self, caller: &Caller, asked: Verification) -> Result<Verified> {
        let grant = asked.grant;
        self.engine.rights_due()?;
        let terms = match self.may_ask(caller, grant) {
            Ok(terms) => terms,
            Err(error) => {
                self.refuse_unknown(caller, Operation::Verify.word(), &grant.to_string(), &error)?;
                self.engine.ports.journal.publish()?;
                return Err(error);
            }
        };
        let now = self.boot_millis();
        let meter = self.meters.0.entry(grant).or_default();
        if let Some(wait) = meter.wait(terms.rate, now) {
            let often = Error::refused(format!("more than {} questions a minute", terms.rate));
            self.refuse_unknown(caller, Operation::Verify.word(), &grant.to_string(), &often)?;
            self.engine.ports.journal.publish()?;
            return Ok(Verified::TooMany { wait });
        }
        meter.lately.push_back(now);
        let reading = self.reading_of(asked)?;
        reading.is_bounded()?;
        // After the end of the grant all is refused, and takes nothing.
        let open = self.grant(grant)?.state == GrantState::Open;
        let paid = open && self.taken_from(grant, terms)?;
        self.meters.0.entry(grant).or_default().paid = paid;
        let declared = self.declare(caller, &reading);
        self.meters.0.entry(grant).or_default().paid = false;
        declared.map(|one| Verified::Declared(Box::new(one)))
    }

    /// The terms of a grant, for the service that holds it and nobody else.
    fn may_ask(&self, caller: &Caller, grant: GrantId) -> Result<ServiceTerms> {
        let Caller::User { uid } = caller else {
            return Err(Error::refused("a service signs nothing: it is the user that it runs as"));
        };
        let account = self.engine.view.account_of_uid(*uid).ok_or_else(|| {
            Error::refused(format!("the user with number {uid} has no account here"))
        })?;
        if !Act::Verify.allowed_to(&account.roles) {
            return Err(Error::refused(format!(
                "'{}' is not the account of a service",
                account.name
            )));
        }
        let row = self.engine.view.grants.get(&grant);
        row.filter(|row| row.terms.holder == account.name)
            .and_then(|row| row.terms.service)
            .ok_or_else(|| Error::refused(format!("'{grant}' is not your grant")))
    }

    /// Whether a no would be true: everything that the grant reads is there to be looked through, from a full file on; and
    /// whether somebody answers for who asks.
    pub(super) fn can_say_no(&self, grant: &Grant) -> Result<()> {
        let (terms, view) = (&grant.terms, &self.engine.view);
        if !view.account(&grant.by).is_some_and(|by| Act::Use.allowed_to(&by.roles)) {
            return Err(Error::refused(format!("nobody answers for '{}' any more", terms.holder))
                .hint(format!(
                    "'{}' applied for the grant: another handler applies anew",
                    grant.by
                )));
        }
        let (vaults, _) = self.vaults(&terms.link, None, terms.unit.as_deref())?;
        let current = self.current_view(&terms.link, terms.unit.as_deref())?;
        let is_full = |id| Some(view.batches.get(&id)?.manifest.as_ref()?.kind == Kind::Full);
        let based = current.first().copied().and_then(is_full).unwrap_or_default();
        if based && vaults.len() == current.len() {
            return Ok(());
        }
        Err(Error::refused(format!("not all of '{}' can be looked through", terms.link))
            .hint("a no would say nothing: 'batchward batch list' shows what is loaded"))
    }

    /// Questions of a budget that are gone.
    fn gone(&self, grant: GrantId) -> u64 {
        let drawn = || self.engine.view.grants.get(&grant).map_or(0, |row| row.drawn);
        self.meters.0.get(&grant).and_then(|meter| meter.gone).unwrap_or_else(drawn)
    }

    /// Whether the question that is being declared was taken out of its budget.
    pub(super) fn is_paid(&self, grant: GrantId) -> Result<()> {
        if self.meters.0.get(&grant).is_some_and(|meter| meter.paid) {
            return Ok(());
        }
        Err(Error::refused(format!("the budget of '{grant}' is used up"))
            .hint("a handler applies for a new grant: 'batchward grant apply --for'"))
    }

    /// Takes one question out of the budget, and whether there was one: the entry that says so comes before the answer.
    fn taken_from(&mut self, grant: GrantId, terms: ServiceTerms) -> Result<bool> {
        let (gone, drawn) = (self.gone(grant), self.grant(grant)?.drawn);
        if gone >= terms.budget {
            return Ok(false);
        }
        if gone >= drawn {
            let part = (terms.budget / limits::BUDGET_PARTS).max(1);
            let drawn = terms.budget.min(gone.saturating_add(part));
            self.engine.record(AGENT, Body::BudgetDrawn(BudgetDrawn { grant, drawn }))?;
        }
        self.meters.0.entry(grant).or_default().gone = Some(gone + 1);
        Ok(true)
    }

    /// The reading that a question is.
    fn reading_of(&self, asked: Verification) -> Result<Reading> {
        let Verification { grant, case_no, reason, person } = asked;
        let rules = &self.engine.rules;
        let link = self.engine.view.grants.get(&grant).map(|row| row.terms.link.clone());
        let layout = link.and_then(|link| rules.layout_of(rules.links.get(&link)?));
        let key = layout.and_then(Layout::key).ok_or_else(without_key)?;
        if person.len() < 2 || !person.contains_key(&key.name) {
            return Err(Error::usage(format!(
                "a person is asked for by '{}' and at least one field more",
                key.name
            )));
        }
        let mut conditions = BTreeMap::new();
        for (name, value) in person {
            let written = as_written(layout, &name, &value).ok_or_else(|| {
                Error::usage(format!("the value of '{name}' is none of that field"))
            })?;
            conditions.insert(name, written);
        }
        let (wanted, to) = (Wanted::Is(conditions), ANSWER.to_owned());
        Ok(Reading { grant, case_no, reason, batch: None, wanted, to, copies: Vec::new() })
    }
}

/// Where nothing tells one person from another, nothing can be asked.
pub(super) fn without_key() -> Error {
    Error::refused("the layout of the link has no field that persons are looked up by")
}

/// A value as the layout writes it; none where nothing can be written so.
fn as_written(layout: Option<&Layout>, name: &str, value: &str) -> Option<String> {
    // Of a field that the layout has not, the grant says that it is not granted.
    let Some((layout, field)) = layout.and_then(|layout| Some((layout, layout.field(name)?)))
    else {
        return Some(value.to_owned());
    };
    let value = Sought::of(field).value(value);
    if value.is_empty() {
        return None;
    }
    let seven = value.len() == 7 && value.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    if !matches!(field.kind, FieldKind::RocDate) || seven {
        return Some(value);
    }
    let day = calendar::parse_date(&value)?;
    let year = day.year() - EPOCH;
    let rest = format!("{:02}{:02}", day.month(), day.day());
    Some(match year {
        1..=999 => format!("{year:03}{rest}"),
        // The year before the first is the first before the ROC.
        _ => format!("{}{:02}{rest}", layout.before_roc, 1 - year),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_has_so_many_questions_wherever_it_begins() {
        let mut meter = Meter::default();
        for at in [0, 20_000, 40_000] {
            assert_eq!(meter.wait(3, at), None);
            meter.lately.push_back(at);
        }
        assert_eq!(meter.wait(3, 40_001), Some(20));
        assert_eq!(meter.wait(3, 59_999), Some(1));
        assert_eq!(meter.wait(3, 60_000), None);
        meter.lately.push_back(60_000);
        assert_eq!(meter.wait(3, 60_001), Some(20));
    }
}
