//! Rows on their way out: the part of a reading that needs nothing of the register.
//!
//! It stops before its next row when its time is over by the clock, when its cap is reached, or when the engine's
//! thread has recorded what takes it back; whatever happens to the agent, no row comes after the absolute end. Two
//! clocks say when that is, and the earlier counts: a wall clock that is set back while rows are read gives no time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use super::access_lines::{AccessLine, LogSource};
use crate::{
    domain::{
        entry::{
            AccountEditConfirmed, AccountSuspended, Body, CustodyHandedOver, LinkStopped,
            RightsEnded, TermEnded, UnitCompleted,
        },
        ids::{BatchId, GrantId},
        step::Plan,
        time::Timestamp,
    },
    engine::ports::{Clock, Flow, READING_OVER, VaultKey, VaultRead, Vaults},
    error::{Error, Exit},
};

/// What was shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Served {
    /// Rows.
    pub rows: u64,
    /// Why it ended before its end.
    pub ended: Option<&'static str>,
}

/// Where rows go: the field names once, then each row.
pub trait Rows {
    /// The granted fields, in order; called once, after the asking is committed.
    ///
    /// # Errors
    /// The output is closed.
    fn begin(&mut self, fields: &[String]) -> std::io::Result<()>;
    /// One row.
    ///
    /// # Errors
    /// The output is closed.
    fn row(&mut self, values: &[String]) -> std::io::Result<()>;
}

/// Under what a reading is served.
#[derive(Clone, Debug)]
pub struct Terms {
    /// The grant; an auditor's look at the access log goes by none.
    pub(super) grant: Option<GrantId>,
    pub(super) holder: String,
    /// The link's file, as changes of the configuration name it; none where no link decides.
    pub(super) link_file: Option<String>,
    /// The link whose part of the access log is looked at; none where all of it is, or loaded data are read.
    pub(super) log_of: Option<String>,
    /// The unit for which loaded data are read, and the batches that are.
    pub(super) read_for: Option<(String, Vec<BatchId>)>,
    /// The earliest end of the grant, its link, and the batches that are read.
    pub(super) until: Timestamp,
    pub(super) row_cap: u64,
}

impl Terms {
    /// Whether an entry of the register ends the reading: the end of the grant or of the unit's use, a change of its holder's account, a
    /// link that was stopped or may have become narrower, a key of the log that is about to be destroyed. The intent is recorded before the
    /// slot goes: no line comes after it.
    #[must_use]
    pub fn are_taken_back_by(&self, body: &Body) -> bool {
        match body {
            Body::GrantRevoked { grant, .. } | Body::UseCompleted { grant, .. } => {
                Some(*grant) == self.grant
            }
            Body::UnitCompleted(UnitCompleted { batch, unit, .. }) => {
                let read_for = self.read_for.as_ref();
                read_for.is_some_and(|(reader, batches)| reader == unit && batches.contains(batch))
            }
            Body::AccountDisabled { name, .. } | Body::AccountConfirmed { name, .. } => {
                *name == self.holder
            }
            // The unit is among what an edit changes, and units read.
            Body::AccountEditConfirmed(AccountEditConfirmed { name, .. })
            | Body::RightsEnded(RightsEnded { name, .. })
            | Body::TermEnded(TermEnded { name, .. })
            | Body::CustodyHandedOver(CustodyHandedOver { from: name, .. })
            | Body::AccountSuspended(AccountSuspended { name, .. }) => *name == self.holder,
            Body::AccountsReviewed(review) => {
                let over = [&review.suspend, &review.revoke];
                over.into_iter().any(|names| names.contains_key(&self.holder))
            }
            Body::ConfigTightened { changes, .. } => {
                changes.iter().any(|change| Some(&change.file) == self.link_file.as_ref())
            }
            Body::LinkStopped(LinkStopped { link, .. }) => {
                self.link_file.as_ref().is_some_and(|file| *file == format!("links/{link}.yaml"))
            }
            // The entry does not say whose application it is, and one that is complete may narrow its link.
            Body::LinkCountersigned(_) => self.link_file.is_some(),
            Body::Intent { plan: Plan::DropAccessKey { link, .. } } => {
                self.grant.is_none() && self.log_of.as_ref().is_none_or(|of| of == link)
            }
            _ => false,
        }
    }
}

/// The end of a reading by both clocks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline {
    until: Timestamp,
    /// The same point in milliseconds since boot, which nobody sets.
    boot: i64,
}

impl Deadline {
    pub(super) fn of(until: Timestamp, clock: &dyn Clock) -> Self {
        let left = i64::try_from(clock.now().left_until(until).as_millis()).unwrap_or(i64::MAX);
        Self { until, boot: clock.boot_millis().saturating_add(left) }
    }

    fn is_over(self, clock: &dyn Clock) -> bool {
        clock.now() > self.until || clock.boot_millis() >= self.boot
    }

    fn left(self, clock: &dyn Clock) -> Duration {
        let boot = self.boot.saturating_sub(clock.boot_millis());
        let boot = Duration::from_millis(u64::try_from(boot).unwrap_or_default());
        clock.now().left_until(self.until).min(boot)
    }
}

/// A reading whose asking is committed. It holds the keys of the vaults that it reads, and may run on any thread.
pub struct Declared {
    pub(super) asked: Vec<Asking>,
    pub(super) terms: Terms,
    pub(super) deadline: Deadline,
    pub(super) taken_back: Arc<AtomicBool>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) source: Source,
}

/// A committed asking, and what was shown under it.
#[derive(Clone, Debug)]
pub(super) struct Asking {
    /// The link in whose part of the access log it stands.
    pub(super) link: String,
    /// Its place.
    pub(super) place: u64,
    /// Rows of that link.
    pub(super) rows: u64,
}

impl Asking {
    pub(super) const fn new(link: String, place: u64) -> Self {
        Self { link, place, rows: 0 }
    }
}

/// Where rows come from.
pub(super) enum Source {
    /// Loaded data.
    Vaults(VaultSource),
    /// The access log.
    Log(LogSource),
}

/// Loaded data.
pub(super) struct VaultSource {
    pub(super) vaults: Vec<VaultKey>,
    pub(super) fields: Vec<String>,
    pub(super) key: Option<String>,
    pub(super) sets: Vec<Vec<(String, String)>>,
    pub(super) single: bool,
    pub(super) port: Arc<dyn Vaults>,
}

/// What a reading came to, on its way back to [`super::Service::shown`].
#[derive(Debug)]
pub struct Shown {
    pub(super) asked: Vec<Asking>,
    /// Which asking the rows belong to, in the order in which they were read.
    pub(super) order: Vec<(Option<usize>, u64)>,
    pub(super) served: Served,
    pub(super) error: Option<Error>,
}

impl Shown {
    /// Keeps to what was handed over, the first so many rows: what was read and stayed here was shown to nobody.
    pub fn handed(&mut self, rows: u64) {
        self.served.rows = self.served.rows.min(rows);
        for asking in &mut self.asked {
            asking.rows = 0;
        }
        let mut left = rows;
        for (of, read) in &self.order {
            let came = left.min(*read);
            left -= came;
            if let Some(asking) = of.and_then(|of| self.asked.get_mut(of)) {
                asking.rows += came;
            }
        }
    }
}

/// Whether a reading's rows may still go out: asked again where they wait on their way.
pub struct Gate {
    deadline: Deadline,
    taken_back: Arc<AtomicBool>,
    clock: Arc<dyn Clock>,
    over: Error,
}

impl Gate {
    /// What is said where the reading is over before its end.
    #[must_use]
    pub fn over(self) -> Error {
        self.over
    }

    /// Whether the reading is over, by the clock or by what the register says.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.deadline.is_over(&*self.clock) || self.taken_back.load(Ordering::SeqCst)
    }
}

impl Declared {
    /// What rows that were read already must pass before they are sent.
    #[must_use]
    pub fn gate(&self) -> Gate {
        Gate {
            deadline: self.deadline,
            taken_back: Arc::clone(&self.taken_back),
            clock: Arc::clone(&self.clock),
            over: over(&self.terms),
        }
    }

    /// Reads, row by row. `also` is asked before each row whether something else takes it back.
    pub fn run(mut self, rows: &mut dyn Rows, also: &mut dyn FnMut(&Terms) -> bool) -> Shown {
        let mut served = Served::default();
        let mut order = Vec::new();
        let error = self.serve(rows, also, (&mut served, &mut order)).err();
        Shown { asked: self.asked, order, served, error }
    }

    fn serve(
        &mut self,
        rows: &mut dyn Rows,
        also: &mut dyn FnMut(&Terms) -> bool,
        (served, order): (&mut Served, &mut Vec<(Option<usize>, u64)>),
    ) -> Result<(), Error> {
        let closed = |_| Error::new(Exit::Failed, "the output was closed");
        rows.begin(&self.source.fields()).map_err(closed)?;
        let mut broken = Ok(());
        let gate = (&self.terms, self.deadline, &*self.taken_back, &*self.clock);
        let asked = &mut self.asked;
        let remaining = self.deadline.left(&*self.clock);
        let read = self.source.read(remaining, &mut |link, values| {
            served.ended = stopped(gate, served.rows, also);
            if served.ended.is_some() {
                return Flow::Stop;
            }
            broken = rows.row(values).map_err(closed);
            if broken.is_err() {
                return Flow::Stop;
            }
            served.rows += 1;
            let of = asked.iter().position(|asking| link.is_none_or(|link| link == asking.link));
            if let Some(asking) = of.and_then(|of| asked.get_mut(of)) {
                asking.rows += 1;
            }
            match order.last_mut() {
                Some((last, count)) if *last == of => *count += 1,
                _ => order.push((of, 1)),
            }
            Flow::On
        });
        match read {
            // By the clock of the store: what it had still to give does not come.
            Err(error) if error.code() == READING_OVER => served.ended = Some("expired"),
            other => other?,
        }
        // Whoever carries rows away takes no more of them once the reading is over.
        if broken.is_err() && served.ended.is_none() {
            served.ended = stopped(gate, 0, &mut |_| false);
        }
        if served.ended.is_none() {
            broken?;
        }
        // A look at the log may have stopped where no line came.
        let cut = matches!(self.source, Source::Log(_)) && self.taken_back.load(Ordering::SeqCst);
        if cut && served.ended.is_none() {
            served.ended = Some("revoked");
        }
        match served.ended {
            Some("expired" | "revoked") => Err(over(&self.terms)),
            _ => Ok(()),
        }
    }
}

/// Whether the reading must stop before its next row.
fn stopped(
    (terms, deadline, taken_back, clock): (&Terms, Deadline, &AtomicBool, &dyn Clock),
    rows: u64,
    also: &mut dyn FnMut(&Terms) -> bool,
) -> Option<&'static str> {
    if rows >= terms.row_cap {
        return Some("row-cap");
    }
    if deadline.is_over(clock) {
        return Some("expired");
    }
    let revoked = taken_back.load(Ordering::SeqCst) || also(terms);
    revoked.then_some("revoked")
}

impl Source {
    fn fields(&self) -> Vec<String> {
        match self {
            Self::Vaults(vaults) => vaults.fields.clone(),
            Self::Log(_) => AccessLine::FIELDS.map(str::to_owned).to_vec(),
        }
    }

    /// Each row, with its link where rows of several may come.
    fn read(
        &self,
        remaining: Duration,
        each: &mut dyn FnMut(Option<&str>, &[String]) -> Flow,
    ) -> crate::engine::ports::Result<()> {
        match self {
            Self::Vaults(from) => {
                let read = VaultRead {
                    vaults: &from.vaults,
                    key: from.key.as_deref(),
                    columns: &from.fields,
                    sets: &from.sets,
                    single: from.single,
                    remaining,
                };
                from.port.read(&read, &mut |values| each(None, values))
            }
            Self::Log(log) => {
                log.read(&mut |line: &AccessLine| each(Some(&line.link), &line.cells()))
            }
        }
    }
}

fn over(terms: &Terms) -> Error {
    Error::refused(match terms.grant {
        Some(grant) => format!("'{grant}' ended while it was read"),
        None => format!(
            "the right of '{}' ended meanwhile, or a key of the access log was destroyed",
            terms.holder
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::entry::Signed;

    #[test]
    fn what_stayed_on_its_way_was_shown_to_nobody() {
        let asking = |link: &str, rows| Asking { rows, ..Asking::new(link.to_owned(), 7) };
        for (handed, one, two, all) in [(9, 4, 2, 7), (5, 3, 1, 5), (2, 2, 0, 2), (0, 0, 0, 0)] {
            let mut shown = Shown {
                asked: vec![asking("one", 4), asking("two", 2)],
                // One line is of a link that is not asked for.
                order: vec![(Some(0), 2), (None, 1), (Some(0), 1), (Some(1), 2), (Some(0), 1)],
                served: Served { rows: 7, ended: None },
                error: None,
            };
            shown.handed(handed);
            let rows: Vec<u64> = shown.asked.iter().map(|asking| asking.rows).collect();
            assert_eq!((rows, shown.served.rows), (vec![one, two], all), "{handed}");
        }
    }

    #[test]
    fn a_link_that_is_stopped_ends_its_readings_and_those_of_no_other() {
        let terms = |link: &str| Terms {
            grant: None,
            holder: "henry".to_owned(),
            link_file: Some(format!("links/{link}.yaml")),
            log_of: None,
            read_for: None,
            until: Timestamp::from_millis(0),
            row_cap: 1,
        };
        for terminated in [false, true] {
            let (link, reason) = ("one".to_owned(), "synthetic".to_owned());
            let stopped = LinkStopped { link, terminated, reason, doc_no: None, signed: None };
            let stopped = Body::LinkStopped(stopped);
            assert!(terms("one").are_taken_back_by(&stopped));
            assert!(!terms("other").are_taken_back_by(&stopped));
            assert!(!Terms { link_file: None, ..terms("one") }.are_taken_back_by(&stopped));
        }
    }

    #[test]
    fn a_unit_that_completes_its_use_ends_its_readings_of_that_batch_and_no_other() {
        let batch = BatchId::new(1);
        let terms = |unit: &str, read: BatchId| Terms {
            grant: None,
            holder: "henry".to_owned(),
            link_file: None,
            log_of: None,
            read_for: Some((unit.to_owned(), vec![read])),
            until: Timestamp::from_millis(0),
            row_cap: 1,
        };
        let unit = "one".to_owned();
        let signed = Signed { text: String::new(), signature: String::new(), key: String::new() };
        let done = Body::UnitCompleted(UnitCompleted { batch, unit, signed });
        assert!(terms("one", batch).are_taken_back_by(&done));
        assert!(!terms("two", batch).are_taken_back_by(&done));
        assert!(!terms("one", BatchId::new(2)).are_taken_back_by(&done));
    }
}
