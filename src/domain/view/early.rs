//! Rows of the printed register before there is a batch (TPH-6.1): opened by the first notice, letter or sight of a delivery,
//! and gone on with by the batch that comes of it, under the same numbers.
//!
//! An entry that opens rows carries what the link said then; entries of older registers do not, and open none: their rows
//! are opened by the claim, as they were. While a delivery is awaited of which there was a notice, what is seen on its link
//! opens no row of its own: it may be that one. Its announcement tells, or that no other is awaited, or its manifest names
//! the document of the notice. A number is all that is taken over so: whether the notice counts for the batch, people or
//! documents say (`notified.rs`). What never becomes a batch keeps its rows for ever, and so does what turns out to be about
//! a batch that has others: it says which.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{FoldError, Mark, OpenedRow, View, kept};
use crate::domain::{
    digest::Digest,
    entry::LinkFacts,
    ids::{BatchId, DeliveryId, NoticeId},
    notified::NotifiedState,
    serial::roc_year,
    time::Timestamp,
};

/// Rows that no batch has.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Early {
    /// The link.
    pub link: String,
    /// What it said when they were opened.
    pub facts: Arc<LinkFacts>,
    /// The rows, one for each unit.
    pub rows: Vec<OpenedRow>,
    /// When they were opened.
    pub opened: Timestamp,
    /// What opened them.
    pub by: OpenedBy,
    /// What became of them; none while a batch may come.
    pub over: Option<EarlyEnd>,
}

/// What opened rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OpenedBy {
    /// A notice, or what a letter announced.
    Notice(NoticeId),
    /// The sight of a delivery, with the HMAC of its name.
    Sight(DeliveryId, Digest),
}

/// What became of rows that no batch went on with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EarlyEnd {
    /// The delivery went away before it was claimed.
    Gone(Timestamp),
    /// It is about a batch that has rows of its own.
    Joined(Timestamp, BatchId),
}

impl EarlyEnd {
    /// When.
    #[must_use]
    pub const fn at(self) -> Timestamp {
        match self {
            Self::Gone(at) | Self::Joined(at, _) => at,
        }
    }
}

/// All of them, by the entry that opened them.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct EarlyRows {
    rows: BTreeMap<u64, Early>,
    /// Kept when the rows are a batch's: a notice opens rows once.
    of_notice: BTreeMap<NoticeId, u64>,
    of_delivery: BTreeMap<DeliveryId, u64>,
    #[serde(with = "kept::pairs")]
    of_name: BTreeMap<(String, Digest), u64>,
}

impl EarlyRows {
    /// Those that were opened by this entry or later, the first ones first.
    pub fn from(&self, entry: u64) -> impl Iterator<Item = (u64, &Early)> {
        self.rows.range(entry..).map(|(seq, row)| (*seq, row))
    }

    /// The rows that a notice opened and a batch may go on with.
    #[must_use]
    pub fn of_notice(&self, id: NoticeId) -> Option<&Early> {
        self.rows.get(self.of_notice.get(&id)?).filter(|row| row.over.is_none())
    }

    /// Whether a notice opened rows, whoever has them by now.
    #[must_use]
    pub fn noticed(&self, id: NoticeId) -> bool {
        self.of_notice.contains_key(&id)
    }

    /// The rows that the sight of a delivery opened.
    #[must_use]
    pub fn of_delivery(&self, id: DeliveryId) -> Option<&Early> {
        self.rows.get(self.of_delivery.get(&id)?)
    }

    /// The rows that a delivery of this name had before it went away, and goes on with in the year of their numbers.
    fn before(&self, link: &str, name_mac: Digest, at: Timestamp) -> Option<u64> {
        let seq = *self.of_name.get(&(link.to_owned(), name_mac))?;
        let year = self.rows.get(&seq)?.rows.first()?.serial.year;
        (year == roc_year(at)).then_some(seq)
    }
}

impl View {
    /// Whether a delivery that is seen now has rows of its own from now on: it had some before it went away, or nothing is
    /// awaited on its link that it may be.
    #[must_use]
    pub fn opens_at_sight(&self, link: &str, name_mac: Digest, now: Timestamp) -> bool {
        if self.early.before(link, name_mac, now).is_some() {
            return true;
        }
        let awaited = self.awaited(link).count();
        if awaited == 0 {
            return true;
        }
        let placed = |id: &DeliveryId| self.early.of_delivery.contains_key(id);
        let open = self.deliveries.iter();
        open.filter(|(id, seen)| seen.link == link && !placed(id)).count() >= awaited
    }

    /// The notices on a link that have rows which a delivery may go on with.
    fn awaited<'a>(&'a self, link: &'a str) -> impl Iterator<Item = NoticeId> + 'a {
        let open = self.notices.open_on(link);
        let open = open.filter(|(_, row)| row.state() != NotifiedState::Withdrawn);
        open.map(|(id, _)| id).filter(|id| self.early.of_notice(*id).is_some())
    }

    /// A notice or a letter opens rows, where it never did.
    pub(super) fn noticed_early(
        &mut self,
        mark: Mark,
        notice: NoticeId,
        opens: Option<&LinkFacts>,
    ) {
        let Some(facts) = opens else { return };
        let row = self.notices.rows.get(&notice);
        let Some(link) = row.filter(|row| row.batch.is_none()).map(|row| row.link.clone()) else {
            return;
        };
        if self.early.noticed(notice) {
            return;
        }
        self.early.of_notice.insert(notice, mark.seq);
        self.open_early(mark, link, facts, OpenedBy::Notice(notice));
    }

    /// The sight of a delivery opens rows, or goes on with those that it had before it went away.
    pub(super) fn seen_early(
        &mut self,
        mark: Mark,
        delivery: DeliveryId,
        (link, name_mac): (&str, Digest),
        opens: Option<&LinkFacts>,
    ) {
        let Some(facts) = opens else { return };
        let by = OpenedBy::Sight(delivery, name_mac);
        let name = (link.to_owned(), name_mac);
        let before = self.early.before(link, name_mac, mark.at);
        let again = before.and_then(|seq| Some((seq, self.early.rows.get_mut(&seq)?)));
        if let Some((seq, row)) = again {
            (row.by, row.over) = (by, None);
            self.early.of_delivery.insert(delivery, seq);
            return;
        }
        self.early.of_delivery.insert(delivery, mark.seq);
        self.early.of_name.insert(name, mark.seq);
        self.open_early(mark, link.to_owned(), facts, by);
    }

    fn open_early(&mut self, mark: Mark, link: String, facts: &LinkFacts, by: OpenedBy) {
        let rows = self.open_rows(&facts.policy, &facts.units, mark.at);
        let facts = self.alike.facts(&link, facts.clone());
        self.early
            .rows
            .insert(mark.seq, Early { link, facts, rows, opened: mark.at, by, over: None });
    }

    /// A delivery went away before it was claimed.
    pub(super) fn gone_early(&mut self, mark: Mark, delivery: DeliveryId) {
        let seq = self.early.of_delivery.remove(&delivery);
        if let Some(row) = seq.and_then(|seq| self.early.rows.get_mut(&seq)) {
            row.over = Some(EarlyEnd::Gone(mark.at));
        }
    }

    /// The rows of a notice are about this batch from now on.
    pub(super) fn joined_early(
        &mut self,
        mark: Mark,
        notice: NoticeId,
        batch: BatchId,
    ) -> Result<(), FoldError> {
        let open = self.early.of_notice(notice).is_some();
        match self.early.of_notice.get(&notice).copied().filter(|_| open) {
            Some(seq) => self.goes_on(mark, seq, batch),
            None => Ok(()),
        }
    }

    /// A delivery is this batch from now on. Where nothing opened rows of it, they are opened now; unless several are awaited
    /// that it may be: then its judgement tells.
    pub(super) fn claimed_early(
        &mut self,
        mark: Mark,
        delivery: DeliveryId,
        batch: BatchId,
    ) -> Result<(), FoldError> {
        if let Some(seq) = self.early.of_delivery.remove(&delivery) {
            self.goes_on(mark, seq, batch)?;
        }
        let row = self.batch(mark, batch)?;
        if !row.rows.is_empty() {
            return Ok(());
        }
        let link = row.link.clone();
        // What a letter announces is a delivery of its own, which the claim names.
        let told = |id: &NoticeId| {
            self.notices.rows.get(id).is_some_and(|row| row.state() == NotifiedState::Told)
        };
        let told: Vec<NoticeId> = self.awaited(&link).filter(told).take(2).collect();
        match told.as_slice() {
            [] => self.has_rows(mark, batch),
            [only] => {
                self.joined_early(mark, *only, batch)?;
                self.has_rows(mark, batch)
            }
            [..] => Ok(()),
        }
    }

    /// A batch that was judged has its rows, if it had none so far.
    pub(super) fn has_rows(&mut self, mark: Mark, batch: BatchId) -> Result<(), FoldError> {
        let row = self.batch(mark, batch)?;
        if row.rows.is_empty() {
            let facts = Arc::clone(&row.facts);
            let rows = self.open_rows(&facts.policy, &facts.units, mark.at);
            self.batch(mark, batch)?.rows = rows;
        }
        Ok(())
    }

    /// A batch goes on with rows, and has one for each unit that its link names by now. Where it has rows already, or stands
    /// in another register, these stay as they are and say so.
    fn goes_on(&mut self, mark: Mark, seq: u64, batch: BatchId) -> Result<(), FoldError> {
        let Some(early) = self.early.rows.get_mut(&seq) else { return Ok(()) };
        let row = self.batches.get_mut(&batch).ok_or(FoldError::Unknown(mark.seq))?;
        if !row.rows.is_empty() || row.facts.policy != early.facts.policy {
            early.over = Some(EarlyEnd::Joined(mark.at, batch));
            // What comes later under the same name is something else.
            if let OpenedBy::Sight(_, name_mac) = early.by {
                let name = (early.link.clone(), name_mac);
                self.early.of_name.remove(&name);
            }
            return Ok(());
        }
        row.rows.append(&mut early.rows);
        let facts = Arc::clone(&row.facts);
        if let Some(Early { link, by: OpenedBy::Sight(_, name_mac), .. }) =
            self.early.rows.remove(&seq)
        {
            self.early.of_name.remove(&(link, name_mac));
        }
        self.further_rows(mark, batch, &facts.units)
    }
}

#[cfg(test)]
mod tests;
