//! Days of audits without notice: one is drawn for each month before it begins, and told once it is over.
//!
//! The register holds the day's seal from then on; the day itself follows from a secret of the key store, so that nobody
//! reads it in the register or in the state, and nobody can draw another one.

use chrono::{Datelike, NaiveDate};

use super::{Engine, EngineError, slots};
use crate::domain::{
    audits::DrawnDay,
    duty::CalendarPeriod,
    entry::{AGENT, AuditDayDrawn, AuditDayTold, Body},
    link::LinkStatus,
    time::{Period, Timestamp},
};

const MONTH: Period = Period { months: 1, days: 0, seconds: 0 };

impl Engine {
    /// Draws the day of this month and of the next one, where a policy asks for audits without notice, and tells those of
    /// months that are over.
    pub(super) fn audit_days(&mut self, now: Timestamp) -> Result<bool, EngineError> {
        let zone = self.rules.zone;
        let mut any = false;
        let open = self.view.audits.days.iter().filter(|(_, day)| day.told.is_none());
        let open: Vec<CalendarPeriod> =
            open.filter_map(|(month, _)| CalendarPeriod::parse(month)).collect();
        for month in open.into_iter().filter(|month| month.end(zone) < now) {
            any |= self.tell_audit_day(&month)?;
        }
        let rules = &self.rules;
        let asked =
            rules.links.values().filter(|link| link.status != LinkStatus::Terminated).any(|link| {
                rules
                    .policy_of(link)
                    .is_some_and(|policy| policy.further.audits.unannounced.is_some())
            });
        if !asked {
            return Ok(any);
        }
        let today = now.date_in(zone);
        let this = CalendarPeriod::of(today, MONTH);
        let next = this.as_ref().and_then(CalendarPeriod::next);
        for month in this.into_iter().chain(next) {
            if !self.view.audits.days.contains_key(&month.name) {
                any |= self.draw_audit_day(&month, today)?;
            }
        }
        Ok(any)
    }

    fn draw_audit_day(
        &mut self,
        month: &CalendarPeriod,
        today: NaiveDate,
    ) -> Result<bool, EngineError> {
        let secret = self.ports.keys.ensure_random(slots::AUDIT_DAYS)?;
        // A day of a year without a calendar suits where it is no Saturday or Sunday.
        let weekday = |day: NaiveDate| day.weekday().number_from_monday() < 6;
        let suits = |day| self.rules.working.is_working(day).unwrap_or_else(|_| weekday(day));
        let Some(from) = today.succ_opt() else { return Ok(false) };
        // The last day of a month leaves none to draw: the audit of that month is owed all the same.
        let Some(drawn) = DrawnDay::of(secret.expose(), month, from, &suits) else {
            return Ok(false);
        };
        let (month, seal) = (month.name.clone(), drawn.seal(&month.name));
        self.record(AGENT, Body::AuditDayDrawn(AuditDayDrawn { month, seal }))?;
        Ok(true)
    }

    /// The day that was drawn for a month; none where none was, or its secret is gone.
    ///
    /// # Errors
    /// The key store cannot be read.
    pub fn audit_day(&self, month: &CalendarPeriod) -> Result<Option<DrawnDay>, EngineError> {
        let Some(row) = self.view.audits.days.get(&month.name) else { return Ok(None) };
        let secret = self.ports.keys.live(slots::AUDIT_DAYS)?;
        Ok(secret.and_then(|secret| DrawnDay::sealed(secret.expose(), month, row.seal)))
    }

    /// Tells the day of a month, where it is not told yet.
    ///
    /// # Errors
    /// The register cannot be written.
    pub fn tell_audit_day(&mut self, month: &CalendarPeriod) -> Result<bool, EngineError> {
        let told = self.view.audits.days.get(&month.name).is_none_or(|row| row.told.is_some());
        let drawn = if told { None } else { self.audit_day(month)? };
        let Some(DrawnDay { day, nonce }) = drawn else { return Ok(false) };
        let (month, day) = (month.name.clone(), day.to_string());
        self.record(AGENT, Body::AuditDayTold(AuditDayTold { month, day, nonce }))?;
        Ok(true)
    }
}
