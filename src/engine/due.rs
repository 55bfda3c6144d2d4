//! Due work: what time brings about by itself. Ends come by themselves, destruction never does.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
};

use super::{Engine, EngineError, intake::least, ports::Log, standing::lacking_papers};
use crate::domain::{
    entry::{AGENT, Body},
    ids::{BatchId, GrantId, OrderId},
    lifecycle::{BatchState, CopyState, GrantState, OrderState},
    manifest::Kind,
    policy::{ClockStart, Policy},
    time::{Period, Timestamp},
    view::Batch,
};

/// A clock that has run out.
struct CameDue {
    batch: BatchId,
    clock: &'static str,
    whole: bool,
    deadline: Timestamp,
    clause: String,
}

/// The full files that are loaded, by link: when each was loaded, or one that is newer still, whichever was first. One look
/// through what is loaded serves all of it; one for each batch would take the square of their number.
#[derive(Default)]
struct Newer(BTreeMap<String, BTreeMap<(Timestamp, BatchId), Timestamp>>);

impl Newer {
    /// Nothing where no policy ends a use with a newer file.
    fn of(engine: &Engine) -> Self {
        let mut newer = Self::default();
        let overridden = engine.rules.overridden.values();
        let counts = |policy: &Policy| {
            policy.use_rule.superseded.value.is_some()
                || policy.raw_file.start.value == ClockStart::Superseded
        };
        if !engine.rules.policies.values().chain(overridden).any(counts) {
            return newer;
        }
        for (id, row) in engine.view.batches_in(BatchState::Loaded) {
            let full = row.manifest.as_ref().filter(|manifest| manifest.kind == Kind::Full);
            let loaded = row.times.get(BatchState::Loaded.word());
            if let (Some(manifest), Some(loaded)) = (full, loaded) {
                newer.add(&row.link, (manifest.as_of, id), *loaded);
            }
        }
        newer.settle();
        newer
    }

    fn add(&mut self, link: &str, file: (Timestamp, BatchId), loaded: Timestamp) {
        self.0.entry(link.to_owned()).or_default().insert(file, loaded);
    }

    /// From the newest back: each has the first time of those from it on.
    fn settle(&mut self) {
        for of_link in self.0.values_mut() {
            let mut first: Option<Timestamp> = None;
            for loaded in of_link.values_mut().rev() {
                *loaded = first.map_or(*loaded, |first| first.min(*loaded));
                first = Some(*loaded);
            }
        }
    }

    /// When the first of the files was loaded that are newer than this one.
    fn than(&self, link: &str, file: (Timestamp, BatchId)) -> Option<Timestamp> {
        let after = (Bound::Excluded(file), Bound::Unbounded);
        self.0.get(link)?.range(after).next().map(|(_, loaded)| *loaded)
    }
}

impl Engine {
    /// Records what has come due.
    ///
    /// # Errors
    /// The register cannot be written.
    pub(super) fn come_due(&mut self) -> Result<bool, EngineError> {
        // No table leads back from what time brings about: while the time is in doubt, nothing comes due or ends. What
        // has ended is refused all the same, by its own absolute end.
        if self.view.time_doubted {
            return Ok(false);
        }
        let now = self.ports.clock.now();
        let mut any = self.end_rights(now)?;
        any |= self.expire_grants(now)?;
        any |= self.expire_orders(now)?;
        let newer = Newer::of(self);
        let open = [BatchState::Loaded, BatchState::Due];
        let open = open.into_iter().flat_map(|state| self.view.batches_in(state));
        let due = open.filter_map(|(id, row)| self.due(id, &row, now, &newer)).collect();
        any |= self.record_due(due)?;
        any |= self.order_by_standing(None)?;
        any |= self.close_destroyed()?;
        any |= self.audit_days(now)?;
        Ok(any | self.checkpoint_access(now)?)
    }

    /// Records what has come due of these batches.
    pub(super) fn batches_due(&mut self, batches: &BTreeSet<BatchId>) -> Result<bool, EngineError> {
        if self.view.time_doubted {
            return Ok(false);
        }
        let now = self.ports.clock.now();
        let newer = Newer::of(self);
        let rows = batches.iter().filter_map(|id| Some((*id, self.view.batches.get(id)?)));
        let due = rows.filter_map(|(id, row)| self.due(id, &row, now, &newer)).collect();
        Ok(self.record_due(due)? && self.order_by_standing(Some(batches))?)
    }

    fn record_due(&mut self, due: Vec<CameDue>) -> Result<bool, EngineError> {
        let body = |CameDue { batch, clock, whole, deadline, clause }| {
            let clock = clock.to_owned();
            Body::CameDue { batch, clock, whole, deadline, clause }
        };
        self.record_all(AGENT, due.into_iter().map(body).collect())
    }

    fn expire_grants(&mut self, now: Timestamp) -> Result<bool, EngineError> {
        let over: Vec<GrantId> = self
            .view
            .grants
            .loose()
            .filter(|(_, g)| g.state == GrantState::Open && g.terms.until < now)
            .map(|(id, _)| id)
            .collect();
        let ended = over.into_iter().map(|grant| Body::GrantExpired { grant }).collect();
        self.record_all(AGENT, ended)
    }

    fn expire_orders(&mut self, now: Timestamp) -> Result<bool, EngineError> {
        let over: Vec<OrderId> = self
            .view
            .orders
            .loose()
            .filter(|(_, o)| o.state == OrderState::Requested && o.expires < now)
            .map(|(id, _)| id)
            .collect();
        let body =
            |order| Body::OrderVoided { order, code: "expired".to_owned(), unreadable: Vec::new() };
        self.record_all(AGENT, over.into_iter().map(body).collect())
    }

    fn due(&self, id: BatchId, row: &Batch, now: Timestamp, newer: &Newer) -> Option<CameDue> {
        let policy = self.rules.policy_for(&row.link, &row.facts.policy)?;
        if row.state == BatchState::Due && row.due.is_none() {
            // A batch that a person turned down is personal data as well: the same clock.
            let retention = &policy.use_rule.retention;
            let rejected = row.times.get(BatchState::Due.word()).copied()?;
            return Some(CameDue {
                batch: id,
                clock: "rejected",
                whole: true,
                deadline: self.deadline(policy, retention.value, rejected),
                clause: retention.clause.clone(),
            });
        }
        if row.state != BatchState::Loaded {
            return None;
        }
        // What has to be kept for a time is not late before that.
        let no_sooner = |due: CameDue| match least(policy, row, self.rules.zone) {
            Some((deadline, clause)) if deadline > due.deadline => {
                CameDue { deadline, clause, ..due }
            }
            _ => due,
        };
        self.whole_due(id, row, policy, now, newer)
            .map(no_sooner)
            .or_else(|| self.files_due(id, row, policy, newer))
    }

    /// By when something has to be destroyed, as the policy counts periods.
    fn deadline(&self, policy: &Policy, period: Period, start: Timestamp) -> Timestamp {
        policy.further.calendar.destroy_by(period, start, self.rules.zone)
    }

    /// 使用完竣且確認無保存必要: both, or the end of the approved period of use, or of the link.
    fn whole_due(
        &self,
        id: BatchId,
        row: &Batch,
        policy: &Policy,
        now: Timestamp,
        newer: &Newer,
    ) -> Option<CameDue> {
        let use_until = row.times.get("use-until").copied()?;
        let terminated = self
            .rules
            .links
            .get(&row.link)
            .is_none_or(|link| link.status == crate::domain::link::LinkStatus::Terminated);
        let (clock, start) = if let Some(end) = self.view.use_ended(id, row) {
            ("use-ended", end)
        } else if use_until < now {
            ("use-period-ended", use_until)
        } else if terminated {
            ("link-terminated", now)
        } else {
            return self
                .replaced(id, row, policy)
                .or_else(|| self.superseded(id, row, policy, newer));
        };
        let deadline = self.deadline(policy, policy.use_rule.retention.value, start);
        Some(CameDue {
            batch: id,
            clock,
            whole: true,
            deadline,
            clause: policy.use_rule.retention.clause.clone(),
        })
    }

    /// A batch that says that it replaces this one is loaded: what was corrected is not kept beside its correction.
    fn replaced(&self, id: BatchId, row: &Batch, policy: &Policy) -> Option<CameDue> {
        let (_, newer) = self.view.replaced_by(id, row)?;
        let start = newer.times.get(BatchState::Loaded.word()).copied()?;
        let superseded = &policy.use_rule.superseded;
        // As a superseded one, where the policy gives those a period of their own; else as at the end of its use.
        let (period, clause) = match superseded.value {
            Some(period) => (period, &superseded.clause),
            None => (policy.use_rule.retention.value, &policy.use_rule.retention.clause),
        };
        Some(CameDue {
            batch: id,
            clock: "replaced",
            whole: true,
            deadline: self.deadline(policy, period, start),
            clause: clause.clone(),
        })
    }

    /// A newer full file stands for what this one and its change files held, where the policy ends their use with it.
    fn superseded(
        &self,
        id: BatchId,
        row: &Batch,
        policy: &Policy,
        newer: &Newer,
    ) -> Option<CameDue> {
        let rule = &policy.use_rule.superseded;
        let period = rule.value?;
        let start = newer.than(&row.link, (row.manifest.as_ref()?.as_of, id))?;
        Some(CameDue {
            batch: id,
            clock: "superseded",
            whole: true,
            deadline: self.deadline(policy, period, start),
            clause: rule.clause.clone(),
        })
    }

    /// Transfer files are due before the whole is: as soon as their content is committed (NT-4.4), from the receipt of the
    /// delivery on, once what was needed is printed and filed with its case (TPH-5.7), or with a newer full file. At the end
    /// of the use, of its period or of the link they come due with the whole.
    fn files_due(
        &self,
        id: BatchId,
        row: &Batch,
        policy: &Policy,
        newer: &Newer,
    ) -> Option<CameDue> {
        let rule = &policy.raw_file;
        let (clock, start) = match rule.start.value {
            ClockStart::ImportCommitted => {
                ("import-committed", row.times.get(BatchState::Loaded.word()).copied()?)
            }
            ClockStart::PrintedAndFiled => ("printed-and-filed", row.filed?),
            ClockStart::LetterReceived => {
                ("letter-received", row.times.get(BatchState::Received.word()).copied()?)
            }
            ClockStart::Superseded => {
                let file = (row.manifest.as_ref()?.as_of, id);
                ("files-superseded", newer.than(&row.link, file)?)
            }
            ClockStart::UseEnded | ClockStart::UsePeriodEnded | ClockStart::LinkTerminated => {
                return None;
            }
        };
        let kept = self
            .view
            .copies_of(id)
            .any(|(_, c)| row.due_covers(false, c.kind) && c.state == CopyState::Kept);
        if !kept || row.clocks.iter().any(|c| c == clock) {
            return None;
        }
        let deadline = self.deadline(policy, rule.retention.value, start);
        Some(CameDue {
            batch: id,
            clock,
            whole: false,
            deadline,
            clause: rule.retention.clause.clone(),
        })
    }

    /// A destroyed batch closes when no paper is missing that its policy asks for (`destroy close`).
    fn close_destroyed(&mut self) -> Result<bool, EngineError> {
        if self.view.count_in(BatchState::Destroyed) == 0 {
            return Ok(false);
        }
        let lacking = lacking_papers(&self.view, &self.rules);
        let over: Vec<BatchId> = self
            .view
            .batches_in(BatchState::Destroyed)
            .map(|(id, _)| id)
            .filter(|id| self.view.all_gone(*id) && !lacking.contains(id))
            .collect();
        let closed = over.into_iter().map(|batch| Body::BatchClosed { batch }).collect();
        self.record_all(AGENT, closed)
    }

    /// Each day's access checkpoint is an entry in the register: once the day has changed.
    fn checkpoint_access(&mut self, now: Timestamp) -> Result<bool, EngineError> {
        let size = self.ports.journal.size(Log::Access)?;
        let (since, entered) = self.view.access_checkpoint.unwrap_or((now, 0));
        let first = self.view.access_checkpoint.is_none();
        let new_day = since.date_in(self.rules.zone) < now.date_in(self.rules.zone);
        if size == entered || !(first || new_day) {
            return Ok(false);
        }
        let root = self.ports.journal.root_at(Log::Access, size)?;
        self.record(AGENT, Body::AccessCheckpoint { size, root })?;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_superseded_when_the_first_newer_one_was_loaded() {
        let at = Timestamp::from_millis;
        // As of when, and when loaded: also two of one day, and an older one that came late.
        let files: Vec<(Timestamp, BatchId, Timestamp)> =
            [(5, 50), (3, 70), (5, 40), (9, 90), (1, 95), (7, 60), (9, 20)]
                .into_iter()
                .zip(1..)
                .map(|((as_of, loaded), id)| (at(as_of), BatchId::new(id), at(loaded)))
                .collect();
        let mut newer = Newer::default();
        for (as_of, id, loaded) in &files {
            newer.add("a", (*as_of, *id), *loaded);
        }
        newer.add("b", (at(99), BatchId::new(99)), at(1));
        newer.settle();
        for (as_of, id, _) in &files {
            let later = files.iter().filter(|(other, n, _)| (*other, *n) > (*as_of, *id));
            let first = later.map(|(_, _, loaded)| *loaded).min();
            assert_eq!(newer.than("a", (*as_of, *id)), first, "{id}");
        }
        assert_eq!(newer.than("b", (at(99), BatchId::new(99))), None);
        assert_eq!(newer.than("c", (at(0), BatchId::new(1))), None);
    }
}
