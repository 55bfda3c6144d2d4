//! Deliveries before they are batches: the chain of notices (TPH-6.1), and letters that announce what comes without a
//! manifest of ours (TY-4.2.1: a designated person checks what comes). One types a letter, another confirms it; what was
//! entered stays, and a mistake is taken back by an entry of its own.

mod act;
mod withdraw;

pub use act::{NoticeAct, NoticeOf, Typed};

use serde::{Deserialize, Serialize};

use super::show::BatchRow;
use super::{
    Actor, Reply, Result, Service, administration::second_person, clean, no_batch, no_link, stated,
};
use crate::{
    domain::{
        digest::Digest,
        entry::{
            AnnouncedFacts, AnnouncementConfirmed, Body, DeliveryAnnounced, LinkFacts, NoticeFacts,
            NoticeGiven, NoticeJoined,
        },
        ids::{BatchId, NoticeId},
        limits::{DELIVERY_FILES_MAX, RECORDS_MAX},
        link::Container,
        manifest::{Kind, is_batch_number},
        notified::{NoticeChannel, NoticeStage, NotifiedState, is_pattern, may_both_mean},
        reason::Reason,
        time::Timestamp,
        view::{Announcement, GivenNotice, Notified},
    },
    error::Error,
};

/// Digests that one announcement may state: the entry has a limit.
const DIGESTS_MAX: usize = 500;

/// A row of `batch notices`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct NoticeRow {
    /// Id.
    pub id: NoticeId,
    /// The link.
    pub link: String,
    /// State.
    pub state: NotifiedState,
    /// The batch that came of it.
    pub batch: Option<BatchId>,
    /// The official time of notice.
    pub official_at: Option<Timestamp>,
    /// The time of notice that the delivery itself states.
    pub stated_at: Option<Timestamp>,
    /// The notices, as they were entered.
    pub notices: Vec<NoticeLine>,
    /// What a letter announced.
    pub announcement: Option<AnnouncementLine>,
    /// Why a notice was taken back before a letter announced anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn: Option<String>,
}

impl NoticeRow {
    /// Whether a letter that two people entered stands for a delivery that has not come.
    #[must_use]
    pub fn announces(&self) -> bool {
        let counts = |one: &AnnouncementLine| one.confirmed_by.is_some() && one.withdrawn.is_none();
        self.batch.is_none() && self.announcement.as_ref().is_some_and(counts)
    }
}

/// A notice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct NoticeLine {
    /// What it says.
    #[serde(flatten)]
    pub facts: NoticeFacts,
    /// Who entered it.
    pub by: String,
    /// When it was entered.
    pub entered_at: Timestamp,
}

/// An announcement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AnnouncementLine {
    /// Number of the letter.
    pub doc_no: String,
    /// Its date.
    pub notified_at: Timestamp,
    /// The number of the batch.
    pub number: String,
    /// `full` or `delta`.
    pub kind: String,
    /// Number of a delta.
    pub sequence: u64,
    /// Records.
    pub records: u64,
    /// 申請筆數.
    pub applied: Option<u64>,
    /// The time that the data stand for.
    pub as_of: Option<Timestamp>,
    /// Which names are its files.
    pub files: String,
    /// SHA-256 that the letter states.
    pub sha256: Vec<Digest>,
    /// Who typed it.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Who confirmed it.
    pub confirmed_by: Option<String>,
    /// When.
    pub confirmed_at: Option<Timestamp>,
    /// Why it was taken back.
    pub withdrawn: Option<String>,
}

impl Service {
    /// `batch notices`.
    pub(super) fn notice_rows(&self) -> Vec<NoticeRow> {
        let rows = &self.engine.view.notices.rows;
        rows.iter().map(|(id, row)| self.notice_row(*id, row)).collect()
    }

    /// Deliveries of which there is a notice or a letter, and nothing else yet.
    pub(super) fn announced_rows(&self) -> Vec<BatchRow> {
        let rows = self.engine.view.notices.rows.iter();
        let open = rows.filter(|(_, row)| {
            !matches!(row.state(), NotifiedState::Arrived | NotifiedState::Withdrawn)
        });
        let line = |(id, row): (&NoticeId, &Notified)| BatchRow {
            provided: None,
            sealed: false,
            id: None,
            delivery: None,
            number: Some(
                row.announcement
                    .as_ref()
                    .map_or_else(|| id.to_string(), |one| one.facts.number.clone()),
            ),
            link: row.link.clone(),
            state: row.state().word().to_owned(),
            reason: Some(Reason::Incomplete),
        };
        open.map(line).collect()
    }

    /// The row of a batch, where there is one.
    pub(super) fn notice_of(&self, batch: BatchId) -> Option<NoticeRow> {
        let (id, row) = self.engine.view.notices.of(batch)?;
        Some(self.notice_row(id, row))
    }

    fn notice_row(&self, id: NoticeId, row: &Notified) -> NoticeRow {
        let line = |one: &GivenNotice| NoticeLine {
            facts: one.facts.clone(),
            by: one.by.clone(),
            entered_at: one.mark.at,
        };
        let batch = row.batch.and_then(|batch| self.engine.view.batches.get(&batch));
        NoticeRow {
            id,
            link: row.link.clone(),
            state: row.state(),
            batch: row.batch,
            official_at: row.official(),
            stated_at: batch.and_then(|row| row.manifest.as_ref().map(|one| one.notified_at)),
            notices: row.notices.iter().map(line).collect(),
            announcement: row.announcement.as_ref().map(announcement_line),
            withdrawn: row.closed.as_ref().map(|(_, _, reason)| reason.clone()),
        }
    }

    pub(super) fn notice(&mut self, actor: &Actor, act: NoticeAct) -> Result<Reply> {
        match act {
            NoticeAct::Give { of, facts } => self.notice_give(actor, &of, facts),
            NoticeAct::Announce { typed } => self.announce(actor, *typed),
            NoticeAct::Confirm { notice } => self.announce_confirm(actor, notice),
            NoticeAct::Withdraw { notice, reason } => self.announce_withdraw(actor, notice, reason),
            NoticeAct::Join { notice, batch } => self.notice_join(actor, notice, batch),
        }
    }

    fn notified(&self, id: NoticeId) -> Result<&Notified> {
        self.engine.view.notices.rows.get(&id).ok_or_else(|| {
            Error::usage(format!("there is no notice '{id}'"))
                .hint("'batchward batch notices' shows them")
        })
    }

    /// The row that a notice belongs to, its link, and the batch where the notice makes it that batch's row.
    fn place_of(
        &self,
        of: &NoticeOf,
        doc_no: Option<&str>,
    ) -> Result<(NoticeId, String, Option<BatchId>)> {
        let notices = &self.engine.view.notices;
        let open = |link: &str| {
            let known = doc_no.and_then(|number| notices.by_document(link, number));
            known.unwrap_or_else(|| notices.next())
        };
        match of {
            NoticeOf::Link(link) => {
                if !self.engine.rules.links.contains_key(link) {
                    return Err(no_link(link));
                }
                Ok((open(link), link.clone(), None))
            }
            NoticeOf::Row(id) => Ok((*id, self.notified(*id)?.link.clone(), None)),
            NoticeOf::Batch(batch) => {
                let row = self.engine.view.batches.get(batch);
                let row = row.ok_or_else(|| no_batch(&batch.to_string()))?;
                Ok(match notices.of(*batch) {
                    Some((id, _)) => (id, row.link.clone(), None),
                    None => (open(&row.link), row.link.clone(), Some(*batch)),
                })
            }
        }
    }

    /// What the link says, where a notice opens rows of the printed register: it never did so before, and it is no batch's.
    fn opens_rows(&self, link: &str, notice: NoticeId) -> Option<Box<LinkFacts>> {
        let view = &self.engine.view;
        let known = view.notices.rows.get(&notice).is_some_and(|row| row.batch.is_some());
        let opened = known || view.early.noticed(notice);
        let rules = &self.engine.rules;
        let link = rules.links.get(link).filter(|_| !opened)?;
        Some(Box::new(rules.facts_of(link)))
    }

    fn notice_give(&mut self, actor: &Actor, of: &NoticeOf, facts: NoticeFacts) -> Result<Reply> {
        if let Some(doc_no) = &facts.doc_no {
            stated("the document number", doc_no)?;
        }
        if facts.doc_no.is_none() && facts.channel == NoticeChannel::Letter {
            return Err(Error::usage("a letter has a document number")
                .hint("add --doc-no NO; without one, say --channel phone or in-person"));
        }
        if facts.at > self.now() {
            return Err(Error::usage("a notice lies in the future"));
        }
        let (notice, link, batch) = self.place_of(of, facts.doc_no.as_deref())?;
        if batch.is_none() {
            self.not_taken_back(notice)?;
        }
        // What was announced was judged with its own delivery: it is no word about another one.
        let announces = |row: &Notified| row.batch.is_none() && row.is_announced();
        if batch.is_some() && self.notified(notice).is_ok_and(announces) {
            return Err(Error::usage(format!("'{notice}' announces a delivery of its own")).hint(
                format!("'batchward batch announce-withdraw {notice} --reason TEXT' first"),
            ));
        }
        let stage = facts.stage;
        let signed = actor.signed.clone();
        let opens = self.opens_rows(&link, notice).filter(|_| batch.is_none());
        let body = NoticeGiven { notice, link, batch, facts, opens, signed };
        self.record(actor, Body::NoticeGiven(body))?;
        let row = self.notified(notice)?;
        let given = |wanted| row.notices.iter().any(|one| one.facts.stage == wanted);
        let reply = match row.batch {
            Some(batch) => Reply::new(&notice, format!("the notice is recorded with '{batch}'")),
            None => Reply::new(&notice, "the notice is recorded"),
        };
        let alone =
            row.batch.filter(|_| stage == NoticeStage::Provider && row.official().is_none());
        if let Some(batch) = alone {
            return Ok(reply.next(second_notice(batch)));
        }
        Ok(match stage {
            NoticeStage::Provider if !given(NoticeStage::ToIt) => reply.next(format!(
                "when the IT office is told: 'batchward batch notice {notice} --stage to-it --channel CHANNEL --at TIME'"
            )),
            NoticeStage::ToIt if !given(NoticeStage::ToUnit) => reply.next(format!(
                "when the unit is told that it is there: 'batchward batch notice {notice} --stage to-unit --channel CHANNEL --at TIME'"
            )),
            _ => reply,
        })
    }

    fn announce(&mut self, actor: &Actor, typed: Typed) -> Result<Reply> {
        let Typed { link, row, numbered, mut facts } = typed;
        let standing = self.engine.rules.links.get(&link).ok_or_else(|| no_link(&link))?;
        if let Some(reason) = standing.standing(self.now()) {
            return Err(Error::refused(format!("the link '{link}' takes no deliveries: {reason}")));
        }
        let notices = &self.engine.view.notices;
        let notice = match row {
            Some(id) => {
                let row = self.notified(id)?;
                if row.link != link {
                    return Err(Error::usage(format!("'{id}' is on the link '{}'", row.link)));
                }
                id
            }
            None => notices.by_document(&link, &facts.doc_no).unwrap_or_else(|| notices.next()),
        };
        self.not_taken_back(notice)?;
        if let Some(row) = notices.rows.get(&notice) {
            if let Some(batch) = row.batch {
                return Err(Error::usage(format!("'{batch}' came of '{notice}' already")));
            }
            if row.standing().is_some() {
                return Err(Error::usage(format!("'{notice}' is announced already")).hint(
                    format!(
                        "'batchward batch announce-withdraw {notice} --reason TEXT' takes it back"
                    ),
                ));
            }
        }
        if standing.container == Container::PlainByHand && !facts.sha256.is_empty() {
            return Err(Error::usage("the digest of a file in plain does not enter the register")
                .hint("leave --sha256 out, and compare what was brought with the letter by hand"));
        }
        if !numbered {
            facts.number = notice.to_string();
        }
        self.checked_letter(&link, &facts)?;
        self.no_other_letter(notice, &link, &facts.files)?;
        let signed = actor.signed.clone();
        let opens = self.opens_rows(&link, notice);
        let body = DeliveryAnnounced { notice, link, facts, opens, signed };
        self.record(actor, Body::DeliveryAnnounced(body))?;
        Ok(Reply::new(&notice, "waits for a second person").next(format!(
            "another custodian or a handler compares it with the letter and runs 'batchward batch announce-confirm {notice}'"
        )))
    }

    fn checked_letter(&self, link: &str, facts: &AnnouncedFacts) -> Result<()> {
        stated("the document number", &facts.doc_no)?;
        clean(&facts.files)?;
        let wrong = |what: &str| Err(Error::usage(what.to_owned()));
        if facts.notified_at.date_in(self.engine.rules.zone)
            > self.now().date_in(self.engine.rules.zone)
        {
            return wrong("a letter is dated in the future");
        }
        if !is_batch_number(&facts.number)
            || facts.replaces.as_deref().is_some_and(|number| !is_batch_number(number))
        {
            return Err(Error::usage("this is no number of a batch").hint(
                "1 to 64 of A-Z a-z 0-9 . _ -, beginning with a letter or digit, and in no shape of an ID number",
            ));
        }
        if facts.replaces.as_ref() == Some(&facts.number) {
            return wrong("a batch does not replace itself");
        }
        if self.engine.view.number_is_spent(link, &facts.number, None) {
            return Err(Error::usage(format!("the link has a batch '{}' already", facts.number))
                .hint("name another number by --number"));
        }
        if facts.records > RECORDS_MAX || facts.sha256.len() > DIGESTS_MAX.min(DELIVERY_FILES_MAX) {
            return wrong("the announcement is over a limit");
        }
        match facts.kind {
            Kind::Full if facts.records == 0 => return wrong("a full file of no records"),
            Kind::Delta if facts.sequence == 0 => {
                return Err(Error::usage("a change file has a number from 1 on")
                    .hint("add --sequence NUMBER"));
            }
            Kind::Full | Kind::Delta => {}
        }
        if !is_pattern(&facts.files) {
            return Err(Error::usage("this names no files").hint(
                "a file's name, or a pattern such as 'HR*.age' with * and ?, without a path",
            ));
        }
        let mut digests = facts.sha256.clone();
        digests.sort_unstable();
        if digests.windows(2).any(|pair| pair[0] == pair[1]) {
            return wrong("a digest is stated twice");
        }
        Ok(())
    }

    fn announce_confirm(&mut self, actor: &Actor, notice: NoticeId) -> Result<Reply> {
        let row = self.notified(notice)?;
        if let Some(batch) = row.batch {
            return Err(Error::usage(format!("'{batch}' came of '{notice}' already")));
        }
        let waits = row.announcement.as_ref().filter(|one| one.withdrawn.is_none());
        let waits = waits.filter(|one| one.confirmed.is_none()).ok_or_else(|| {
            Error::usage(format!("nothing about '{notice}' waits for a second person"))
        })?;
        if waits.by == actor.name() {
            return Err(second_person("confirm this announcement"));
        }
        let (announcement, link) = (waits.mark.seq, row.link.clone());
        let signed = actor.decision()?;
        let body = AnnouncementConfirmed { notice, announcement, signed };
        self.record(actor, Body::AnnouncementConfirmed(body))?;
        Ok(Reply::new(&notice, format!("what comes on '{link}' and matches it is a delivery")))
    }

    fn notice_join(&mut self, actor: &Actor, notice: NoticeId, batch: BatchId) -> Result<Reply> {
        let row = self.notified(notice)?;
        let batch_row = self.engine.view.batches.get(&batch);
        let batch_row = batch_row.ok_or_else(|| no_batch(&batch.to_string()))?;
        if batch_row.link != row.link {
            return Err(Error::usage(format!("'{batch}' is on the link '{}'", batch_row.link)));
        }
        let rejected = |other: BatchId| {
            self.engine.view.batches.get(&other).is_some_and(|other| other.rejected)
        };
        if let Some(other) = row.batch.filter(|other| !rejected(*other)) {
            return Err(Error::usage(format!("'{other}' came of '{notice}' already")));
        }
        if let Some((other, _)) = self.engine.view.notices.of(batch) {
            return Err(Error::usage(format!("'{batch}' came of '{other}' already")));
        }
        // What was announced was judged with its own delivery: it is no word about another one.
        if row.is_announced() {
            return Err(Error::usage(format!("'{notice}' announces a delivery of its own")).hint(
                format!("'batchward batch announce-withdraw {notice} --reason TEXT' first"),
            ));
        }
        let signed = actor.signed.clone();
        self.record(actor, Body::NoticeJoined(NoticeJoined { notice, batch, signed }))?;
        let row = self.notified(notice)?;
        let told = row.notices.iter().any(|one| one.facts.stage == NoticeStage::Provider);
        let alone = told && row.official().is_none();
        let reply = Reply::new(&notice, format!("it is the notice of '{batch}'"));
        Ok(if alone { reply.next(second_notice(batch)) } else { reply })
    }

    /// Two letters that mean the same names would each keep the other's delivery from being known.
    fn no_other_letter(&self, notice: NoticeId, link: &str, files: &str) -> Result<()> {
        let mut open = self.engine.view.notices.open_on(link);
        let alike = |row: &Notified| {
            let letter = row.announcement.as_ref().filter(|_| row.is_announced());
            letter.is_some_and(|letter| may_both_mean(&letter.facts.files, files))
        };
        let other = open.find(|(id, row)| *id != notice && alike(row));
        other.map_or(Ok(()), |(other, _)| {
            Err(Error::usage(format!("'{other}' announces files of such names already")).hint(
                format!(
                    "tell the files of the two letters apart by --files, or 'batchward batch announce-withdraw {other} --reason TEXT' first"
                ),
            ))
        })
    }
}

/// What makes a notice count that one person alone says of a batch that is there.
fn second_notice(batch: BatchId) -> String {
    format!(
        "the time counts for the register once another person enters the same notice: 'batchward batch notice {batch} --stage provider --channel CHANNEL --at TIME'"
    )
}

fn announcement_line(one: &Announcement) -> AnnouncementLine {
    let facts = &one.facts;
    AnnouncementLine {
        doc_no: facts.doc_no.clone(),
        notified_at: facts.notified_at,
        number: facts.number.clone(),
        kind: facts.kind.word().to_owned(),
        sequence: facts.sequence,
        records: facts.records,
        applied: facts.applied,
        as_of: facts.as_of,
        files: facts.files.clone(),
        sha256: facts.sha256.clone(),
        by: one.by.clone(),
        at: one.mark.at,
        confirmed_by: one.confirmed.as_ref().map(|(by, _)| by.clone()),
        confirmed_at: one.confirmed.as_ref().map(|(_, at)| *at),
        withdrawn: one.withdrawn.as_ref().map(|(_, _, reason)| reason.clone()),
    }
}
