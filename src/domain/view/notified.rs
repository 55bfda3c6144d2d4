//! Folding what is known of deliveries before they are batches: a row for each, from the first notice on, that becomes
//! a batch's by its announcement, by the number of the document, or by a person's word.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{FoldError, Mark, View};
use crate::domain::{
    entry::{AnnouncedFacts, Body, Entry, NoticeFacts, NoticeGiven},
    ids::{BatchId, NoticeId},
    notified::{NoticeStage, NotifiedState},
    time::Timestamp,
};

/// A notice as it was entered.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Given {
    /// What it says.
    pub facts: NoticeFacts,
    /// Who entered it.
    pub by: String,
    /// The entry.
    pub mark: Mark,
    /// The entry from which on it counts for the official time; none while one person alone says it of a batch that was
    /// there already.
    pub counts: Option<u64>,
}

/// A letter as it was typed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Announcement {
    /// What it says.
    pub facts: AnnouncedFacts,
    /// Who typed it.
    pub by: String,
    /// The entry.
    pub mark: Mark,
    /// Who confirmed it, and when.
    pub confirmed: Option<(String, Timestamp)>,
    /// Who took it back, when, and why.
    pub withdrawn: Option<(String, Timestamp, String)>,
}

/// A row: what is known of one delivery before, and beside, its batch.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Notified {
    /// The link.
    pub link: String,
    /// When it was opened.
    pub opened: Timestamp,
    /// The notices, as they were entered.
    pub notices: Vec<Given>,
    /// What a letter announced; of several, the last.
    pub announcement: Option<Announcement>,
    /// Who took it back before anything was announced, when, and why: nothing comes of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<(String, Timestamp, String)>,
    /// The batch that it is about, the newest of several.
    pub batch: Option<BatchId>,
}

impl Notified {
    /// Where it stands.
    #[must_use]
    pub const fn state(&self) -> NotifiedState {
        match (&self.batch, &self.announcement) {
            (Some(_), _) => NotifiedState::Arrived,
            (None, None) if self.closed.is_some() => NotifiedState::Withdrawn,
            (None, None) => NotifiedState::Told,
            (None, Some(one)) => match (&one.withdrawn, &one.confirmed) {
                (Some(_), _) => NotifiedState::Withdrawn,
                (None, Some(_)) => NotifiedState::Confirmed,
                (None, None) => NotifiedState::Announced,
            },
        }
    }

    /// The official time of notice (提供機關通知時間): the first notice of the provider that counts, or the date of a
    /// letter that two people read, whichever was entered first.
    #[must_use]
    pub fn official(&self) -> Option<Timestamp> {
        let provider = self.notices.iter().filter(|one| one.facts.stage == NoticeStage::Provider);
        let given = provider.filter_map(|one| Some((one.counts?, one.facts.at)));
        let letter = self.announcement.as_ref().filter(|_| self.standing().is_some());
        let letter = letter.map(|one| (one.mark.seq, one.facts.notified_at));
        // What one batch was told of by is not moved by what is entered later.
        given.chain(letter).min_by_key(|(counts, _)| *counts).map(|(_, at)| at)
    }

    /// Whether a letter was typed and not taken back: its row is about its own delivery, and about no other.
    #[must_use]
    pub fn is_announced(&self) -> bool {
        self.announcement.as_ref().is_some_and(|one| one.withdrawn.is_none())
    }

    /// What was announced, where two people stand by it and nobody took it back.
    #[must_use]
    pub fn standing(&self) -> Option<&AnnouncedFacts> {
        let one = self.announcement.as_ref()?;
        (one.confirmed.is_some() && one.withdrawn.is_none()).then_some(&one.facts)
    }

    /// What a delivery may rest on: what was announced, while no batch came of it but such as were turned down.
    #[must_use]
    pub fn awaits(&self, view: &View) -> Option<&AnnouncedFacts> {
        let before = self.batch.and_then(|batch| view.batches.get(&batch));
        self.standing().filter(|_| before.is_none_or(|batch| batch.rejected))
    }

    /// Who took back the notice or the letter by which nothing came, when, and why.
    #[must_use]
    pub fn withdrawn(&self) -> Option<&(String, Timestamp, String)> {
        self.announcement.as_ref().map_or(self.closed.as_ref(), |one| one.withdrawn.as_ref())
    }

    /// Whether a document of this number is one of its notices, or its announcement. What was taken back goes on with nothing.
    #[must_use]
    pub fn has_document(&self, doc_no: &str) -> bool {
        if self.closed.is_some() {
            return false;
        }
        let announced = self.announcement.as_ref().filter(|one| one.withdrawn.is_none());
        self.notices.iter().any(|one| one.facts.doc_no.as_deref() == Some(doc_no))
            || announced.is_some_and(|one| one.facts.doc_no == doc_no)
    }
}

/// Every row, and which is a batch's.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Notices {
    /// The rows.
    pub rows: BTreeMap<NoticeId, Notified>,
    of_batch: BTreeMap<BatchId, NoticeId>,
}

impl Notices {
    /// The number that the next row gets.
    #[must_use]
    pub fn next(&self) -> NoticeId {
        NoticeId::new(self.rows.keys().next_back().map_or(1, |id| id.number() + 1))
    }

    /// The row of a batch.
    #[must_use]
    pub fn of(&self, batch: BatchId) -> Option<(NoticeId, &Notified)> {
        let id = self.of_batch.get(&batch)?;
        Some((*id, self.rows.get(id)?))
    }

    /// The official time at which the provider told of a batch, where one was entered; the manifest's own is the
    /// provider's statement, and stays beside it.
    #[must_use]
    pub fn official(&self, batch: BatchId) -> Option<Timestamp> {
        self.of(batch)?.1.official()
    }

    /// The rows of a link that no batch came of, oldest first.
    pub fn open_on<'a>(&'a self, link: &'a str) -> impl Iterator<Item = (NoticeId, &'a Notified)> {
        let open = move |(_, row): &(&NoticeId, &Notified)| row.link == link && row.batch.is_none();
        self.rows.iter().filter(open).map(|(id, row)| (*id, row))
    }

    /// The one open row of a link that a document's number names; none where there are several.
    #[must_use]
    pub fn by_document(&self, link: &str, doc_no: &str) -> Option<NoticeId> {
        let mut named = self.open_on(link).filter(|(_, row)| row.has_document(doc_no));
        let first = named.next()?;
        named.next().is_none().then_some(first.0)
    }

    /// A row is about this batch from now on.
    pub(super) fn join(
        &mut self,
        mark: Mark,
        id: NoticeId,
        batch: BatchId,
    ) -> Result<(), FoldError> {
        let row = self.rows.get_mut(&id).ok_or(FoldError::Unknown(mark.seq))?;
        if self.of_batch.get(&batch).is_some_and(|before| *before != id) {
            return Err(FoldError::Transition(mark.seq));
        }
        self.of_batch.insert(batch, id);
        row.batch = Some(batch);
        Ok(())
    }
}

impl View {
    pub(super) fn notified(&mut self, mark: Mark, entry: &Entry) -> Result<(), FoldError> {
        match &entry.body {
            Body::NoticeGiven(given) => {
                self.notice_given(mark, &entry.by, given)?;
                self.noticed_early(mark, given.notice, given.opens.as_deref());
                Ok(())
            }
            Body::DeliveryAnnounced(made) => {
                let row = self.notices.rows.entry(made.notice).or_insert_with(|| Notified {
                    link: made.link.clone(),
                    opened: mark.at,
                    notices: Vec::new(),
                    announcement: None,
                    closed: None,
                    batch: None,
                });
                let taken = row.batch.is_some() || row.closed.is_some();
                if row.link != made.link || taken || row.standing().is_some() {
                    return Err(FoldError::Transition(mark.seq));
                }
                row.announcement = Some(Announcement {
                    facts: made.facts.clone(),
                    by: entry.by.clone(),
                    mark,
                    confirmed: None,
                    withdrawn: None,
                });
                self.noticed_early(mark, made.notice, made.opens.as_deref());
                Ok(())
            }
            Body::AnnouncementConfirmed(made) => {
                // A batch that a row has by now was not judged by what is confirmed here.
                if self.notices.rows.get(&made.notice).is_none_or(|row| row.batch.is_some()) {
                    return Err(FoldError::Transition(mark.seq));
                }
                let one = self.announced(mark, made.notice)?;
                // The fold itself refuses who confirms what he typed.
                let same = one.mark.seq == made.announcement && one.by != entry.by;
                if !same || one.confirmed.is_some() || one.withdrawn.is_some() {
                    return Err(FoldError::Transition(mark.seq));
                }
                one.confirmed = Some((entry.by.clone(), mark.at));
                Ok(())
            }
            Body::AnnouncementWithdrawn(made) => {
                let row = self.notices.rows.get_mut(&made.notice);
                let row = row.ok_or(FoldError::Unknown(mark.seq))?;
                if matches!(row.state(), NotifiedState::Arrived | NotifiedState::Withdrawn) {
                    return Err(FoldError::Transition(mark.seq));
                }
                let taken = Some((entry.by.clone(), mark.at, made.reason.clone()));
                match &mut row.announcement {
                    Some(one) => one.withdrawn = taken,
                    None => row.closed = taken,
                }
                Ok(())
            }
            Body::NoticeJoined(made) => {
                self.somebody_joins(mark, &entry.by, made.notice, made.batch)
            }
            _ => Err(FoldError::Transition(mark.seq)),
        }
    }

    fn announced(&mut self, mark: Mark, id: NoticeId) -> Result<&mut Announcement, FoldError> {
        let row = self.notices.rows.get_mut(&id).ok_or(FoldError::Unknown(mark.seq))?;
        row.announcement.as_mut().ok_or(FoldError::Unknown(mark.seq))
    }

    fn notice_given(&mut self, mark: Mark, by: &str, given: &NoticeGiven) -> Result<(), FoldError> {
        let row = self.notices.rows.entry(given.notice).or_insert_with(|| Notified {
            link: given.link.clone(),
            opened: mark.at,
            notices: Vec::new(),
            announcement: None,
            closed: None,
            batch: None,
        });
        let closed = row.closed.is_some() && row.batch.is_none() && given.batch.is_none();
        if row.link != given.link || closed {
            return Err(FoldError::Transition(mark.seq));
        }
        if let Some(batch) = given.batch.filter(|batch| row.batch != Some(*batch)) {
            self.somebody_joins(mark, by, given.notice, batch)?;
        }
        let row = self.notices.rows.get(&given.notice).ok_or(FoldError::Unknown(mark.seq))?;
        let batch = row.batch.and_then(|batch| self.batches.get(&batch));
        let late = batch.is_some_and(|batch| !batch.rejected);
        let row = self.notices.rows.get_mut(&given.notice).ok_or(FoldError::Unknown(mark.seq))?;
        // What two people enter alike counts, of a batch that was there already too.
        let alike = |one: &&mut Given| one.by != by && one.facts.is_like(&given.facts);
        let mut second = false;
        for one in row.notices.iter_mut().filter(alike) {
            second = true;
            one.counts = one.counts.or(Some(mark.seq));
        }
        let counts = (!late || second).then_some(mark.seq);
        row.notices.push(Given { facts: given.facts.clone(), by: by.to_owned(), mark, counts });
        Ok(())
    }

    /// A person says which batch a row is about. What the same person entered in it counts no more for the official time:
    /// one person alone does not make that of a batch that is there.
    fn somebody_joins(
        &mut self,
        mark: Mark,
        by: &str,
        id: NoticeId,
        batch: BatchId,
    ) -> Result<(), FoldError> {
        if self.notices.rows.get(&id).is_some_and(Notified::is_announced) {
            return Err(FoldError::Transition(mark.seq));
        }
        self.notice_joins(mark, id, batch)?;
        let row = self.notices.rows.get_mut(&id).ok_or(FoldError::Unknown(mark.seq))?;
        let all = row.notices.clone();
        for one in row.notices.iter_mut().filter(|one| one.by == by) {
            let second = |two: &Given| two.by != by && two.facts.is_like(&one.facts);
            if !all.iter().any(second) {
                one.counts = None;
            }
        }
        Ok(())
    }

    /// A batch came of a row, or names its document. Whatever people made of the row since that was planned goes first.
    pub(super) fn notice_comes(&mut self, mark: Mark, id: Option<NoticeId>, batch: BatchId) {
        if let Some(id) = id {
            // A row that is another batch's by now stays that one's.
            let _ = self.notice_joins(mark, id, batch);
        }
    }

    /// A row that is a batch's stays its, unless that one was turned down; and a batch has one row.
    pub(super) fn notice_joins(
        &mut self,
        mark: Mark,
        id: NoticeId,
        batch: BatchId,
    ) -> Result<(), FoldError> {
        let link = self.batches.get(&batch).map(|row| row.link.clone());
        let row = self.notices.rows.get(&id).ok_or(FoldError::Unknown(mark.seq))?;
        let before = row.batch.and_then(|before| self.batches.get(&before));
        let taken = before.is_some_and(|before| !before.rejected);
        if link.as_deref() != Some(row.link.as_str()) || taken {
            return Err(FoldError::Transition(mark.seq));
        }
        self.notices.join(mark, id, batch)?;
        self.joined_early(mark, id, batch)
    }
}
