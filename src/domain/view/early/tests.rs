//! Rows before a batch: a register that grows by hand.

#![allow(clippy::unwrap_used, reason = "tests")]
use super::*;
use crate::domain::{
    entry::{
        AnnouncedFacts, AnnouncementWithdrawn, Body, CopyFacts, DeliveryAnnounced, Entry,
        NoticeFacts, NoticeGiven, NoticeJoined,
    },
    manifest::Kind,
    notified::{NoticeChannel, NoticeStage},
    step::{Outcome, Plan},
};

/// A register that grows by hand, of the link `moca`.
struct Grown {
    view: View,
    at: Timestamp,
}

impl Grown {
    fn new() -> Self {
        let at = Timestamp::parse("2026-11-21T10:00:00+08:00").unwrap();
        Self { view: View::default(), at }
    }

    fn record(&mut self, body: Body) {
        let entry =
            Entry { v: 1, at: self.at, by: "alice".to_owned(), deputy: None, uid: None, body };
        self.view.apply(self.view.size, &entry, Digest::of(b"synthetic")).unwrap();
    }

    fn told(&mut self) -> NoticeId {
        let notice = self.view.notices.next();
        let given = self.given(notice, NoticeStage::Provider);
        self.record(given);
        notice
    }

    /// A notice that would open rows.
    fn given(&self, notice: NoticeId, stage: NoticeStage) -> Body {
        let (channel, doc_no) = (NoticeChannel::Phone, Some("synthetic".to_owned()));
        let facts = NoticeFacts { stage, channel, at: self.at, doc_no };
        let link = "moca".to_owned();
        let opens = Some(Box::new(facts_of(&["one"])));
        Body::NoticeGiven(NoticeGiven { notice, link, batch: None, facts, opens, signed: None })
    }

    fn withdrawn(&mut self, notice: NoticeId) {
        let (reason, signed) = ("synthetic".to_owned(), None);
        self.record(Body::AnnouncementWithdrawn(AnnouncementWithdrawn { notice, reason, signed }));
    }

    fn refuses(&self, body: Body) -> bool {
        let entry =
            Entry { v: 1, at: self.at, by: "alice".to_owned(), deputy: None, uid: None, body };
        self.view.clone().apply(self.view.size, &entry, Digest::of(b"synthetic")).is_err()
    }

    fn announced(&mut self, opens: bool) -> NoticeId {
        let notice = self.view.notices.next();
        let facts = AnnouncedFacts {
            doc_no: "synthetic".to_owned(),
            notified_at: self.at,
            number: notice.to_string(),
            kind: Kind::Full,
            sequence: 0,
            records: 1,
            applied: None,
            as_of: None,
            replaces: None,
            files: "*.age".to_owned(),
            sha256: Vec::new(),
        };
        let link = "moca".to_owned();
        let opens = opens.then(|| Box::new(facts_of(&["one"])));
        self.record(Body::DeliveryAnnounced(DeliveryAnnounced {
            notice,
            link,
            facts,
            opens,
            signed: None,
        }));
        notice
    }

    fn seen(&mut self, name: &str) -> DeliveryId {
        let (delivery, name_mac) = (self.view.next_delivery(), Digest::of(name.as_bytes()));
        let opens = self.view.opens_at_sight("moca", name_mac, self.at);
        let opens = opens.then(|| Box::new(facts_of(&["one"])));
        let link = "moca".to_owned();
        self.record(Body::DeliverySeen { delivery, link, name_mac, opens });
        delivery
    }

    fn claimed(
        &mut self,
        delivery: DeliveryId,
        notice: Option<NoticeId>,
        units: &[&str],
    ) -> BatchId {
        self.claimed_under("a", delivery, notice, units)
    }

    /// The same, where the link is under this policy.
    fn claimed_under(
        &mut self,
        policy: &str,
        delivery: DeliveryId,
        notice: Option<NoticeId>,
        units: &[&str],
    ) -> BatchId {
        let (batch, case) = (self.view.next_batch(), self.view.next_copy(0));
        let facts = LinkFacts { policy: policy.to_owned(), ..facts_of(units) };
        let link = "moca".to_owned();
        let (files, reason) = (vec![], None);
        let plan = Plan::Claim { batch, delivery, link, facts, case, files, reason, notice };
        let intent = self.view.size;
        self.record(Body::Intent { plan });
        let case = CopyFacts::new(case, 1);
        let outcome = Outcome::Claimed { case, files: vec![], whole: true };
        self.record(Body::Outcome { intent, outcome });
        batch
    }

    fn serials(&self, batch: BatchId) -> Vec<String> {
        let row = self.view.batches.get(&batch).unwrap();
        row.rows.iter().map(|opened| opened.serial.to_string()).collect()
    }

    /// The rows that no batch has, and what became of them.
    fn early(&self) -> Vec<(String, Option<EarlyEnd>)> {
        let all = self.view.early.from(0);
        all.map(|(_, row)| (row.rows[0].serial.to_string(), row.over)).collect()
    }
}

fn facts_of(units: &[&str]) -> LinkFacts {
    LinkFacts {
        provider: String::new(),
        title: String::new(),
        table_no: String::new(),
        purpose: String::new(),
        basis_doc_no: String::new(),
        units: units.iter().map(|unit| (*unit).to_owned()).collect(),
        policy: "a".to_owned(),
        layout: String::new(),
    }
}

#[test]
fn a_batch_goes_on_with_the_row_of_its_first_sight() {
    let mut grown = Grown::new();
    let (first, second) = (grown.seen("first"), grown.seen("second"));
    assert_eq!(grown.claimed(second, None, &["one"]), BatchId::new(1));
    assert_eq!(grown.serials(BatchId::new(1)), ["115-0002"]);
    // A unit that came to the link meanwhile takes the next number.
    let batch = grown.claimed(first, None, &["one", "two"]);
    assert_eq!(grown.serials(batch), ["115-0001", "115-0003"]);
    assert!(grown.early().is_empty());
}

#[test]
fn the_only_notice_s_row_is_that_of_what_comes_and_two_wait_for_the_judgement() {
    let mut grown = Grown::new();
    grown.told();
    let delivery = grown.seen("first");
    assert_eq!(grown.early(), [("115-0001".to_owned(), None)]);
    let batch = grown.claimed(delivery, None, &["one"]);
    assert_eq!(grown.serials(batch), ["115-0001"]);
    assert!(grown.early().is_empty());
    let (second, third) = (grown.told(), grown.told());
    let delivery = grown.seen("second");
    let batch = grown.claimed(delivery, None, &["one"]);
    assert!(grown.serials(batch).is_empty());
    let signed = None;
    grown.record(Body::NoticeJoined(NoticeJoined { notice: third, batch, signed: None }));
    assert_eq!(grown.serials(batch), ["115-0003"]);
    // What turns out to be about a batch that has its rows keeps its own, and says so.
    let delivery = grown.seen("third");
    let batch = grown.claimed(delivery, None, &["one"]);
    assert_eq!(grown.serials(batch), ["115-0002"]);
    let other = grown.told();
    assert!(grown.view.notices.rows.get(&second).is_some_and(|row| row.batch.is_none()));
    grown.record(Body::NoticeJoined(NoticeJoined { notice: other, batch, signed }));
    assert_eq!(grown.early(), [("115-0004".to_owned(), Some(EarlyEnd::Joined(grown.at, batch)))]);
}

#[test]
fn what_is_announced_is_the_row_of_its_own_delivery_alone() {
    let mut grown = Grown::new();
    let letter = grown.announced(true);
    let stranger = grown.seen("stranger");
    let batch = grown.claimed(stranger, None, &["one"]);
    assert_eq!(grown.serials(batch), ["115-0002"]);
    let own = grown.seen("own");
    let batch = grown.claimed(own, Some(letter), &["one"]);
    assert_eq!(grown.serials(batch), ["115-0001"]);
    assert!(grown.early().is_empty());
}

#[test]
fn what_is_withdrawn_or_goes_away_keeps_its_number_and_goes_on_with_it_when_it_comes_again() {
    let mut grown = Grown::new();
    let letter = grown.announced(true);
    grown.withdrawn(letter);
    let delivery = grown.seen("first");
    grown.record(Body::DeliveryGone { delivery });
    let gone = Some(EarlyEnd::Gone(grown.at));
    assert_eq!(grown.early(), [("115-0001".to_owned(), None), ("115-0002".to_owned(), gone)]);
    let delivery = grown.seen("first");
    let batch = grown.claimed(delivery, None, &["one"]);
    assert_eq!(grown.serials(batch), ["115-0002"]);
}

#[test]
fn an_older_register_opens_its_rows_with_the_claim() {
    let mut grown = Grown::new();
    let letter = grown.announced(false);
    let (link, name_mac) = ("moca".to_owned(), Digest::of(b"first"));
    let delivery = grown.view.next_delivery();
    grown.record(Body::DeliverySeen { delivery, link, name_mac, opens: None });
    assert!(grown.early().is_empty());
    let batch = grown.claimed(delivery, Some(letter), &["one", "two"]);
    assert_eq!(grown.serials(batch), ["115-0001", "115-0002"]);
}

#[test]
fn a_notice_opens_rows_once_whoever_took_its_number() {
    let mut grown = Grown::new();
    let notice = grown.told();
    let delivery = grown.seen("first");
    let batch = grown.claimed(delivery, None, &["one"]);
    assert_eq!(grown.serials(batch), ["115-0001"]);
    // The next stages of the same notice open nothing, and nothing is awaited by it.
    for stage in [NoticeStage::ToIt, NoticeStage::ToUnit] {
        assert!(grown.view.early.noticed(notice) && grown.view.early.of_notice(notice).is_none());
        let given = grown.given(notice, stage);
        grown.record(given);
        assert!(grown.early().is_empty());
    }
    let delivery = grown.seen("second");
    assert_eq!(grown.early(), [("115-0002".to_owned(), None)]);
    let batch = grown.claimed(delivery, None, &["one"]);
    assert_eq!(grown.serials(batch), ["115-0002"]);
}

#[test]
fn what_was_about_another_batch_is_revived_by_no_later_delivery_of_its_name() {
    let mut grown = Grown::new();
    let delivery = grown.seen("name");
    // The link is of another register by the time of the claim: the batch has rows there.
    let batch = grown.claimed_under("b", delivery, None, &["one"]);
    let joined = ("115-0001".to_owned(), Some(EarlyEnd::Joined(grown.at, batch)));
    assert_eq!(grown.early(), std::slice::from_ref(&joined));
    let delivery = grown.seen("name");
    assert_eq!(grown.early(), [joined.clone(), ("115-0002".to_owned(), None)]);
    let batch = grown.claimed(delivery, None, &["one"]);
    assert_eq!(grown.serials(batch), ["115-0002"]);
    assert_eq!(grown.early(), [joined]);
}

#[test]
fn what_went_away_goes_on_with_its_number_in_the_year_of_it_only() {
    let mut grown = Grown::new();
    let delivery = grown.seen("name");
    grown.record(Body::DeliveryGone { delivery });
    let gone = ("115-0001".to_owned(), Some(EarlyEnd::Gone(grown.at)));
    assert_eq!(grown.early(), std::slice::from_ref(&gone));
    // Awaited, what comes under that name a year later opens no rows of its own.
    grown.at = Timestamp::parse("2027-01-02T10:00:00+08:00").unwrap();
    let notice = grown.told();
    let delivery = grown.seen("name");
    assert_eq!(grown.early(), [gone.clone(), ("116-0001".to_owned(), None)]);
    grown.record(Body::DeliveryGone { delivery });
    grown.withdrawn(notice);
    let delivery = grown.seen("name");
    let batch = grown.claimed(delivery, None, &["one"]);
    assert_eq!(grown.serials(batch), ["116-0002"]);
    assert_eq!(grown.early(), [gone, ("116-0001".to_owned(), None)]);
}

#[test]
fn a_notice_that_was_taken_back_keeps_its_number_and_is_awaited_no_more() {
    let mut grown = Grown::new();
    let notice = grown.told();
    assert_eq!(grown.view.notices.by_document("moca", "synthetic"), Some(notice));
    grown.withdrawn(notice);
    let row = grown.view.notices.rows.get(&notice).unwrap();
    assert_eq!(row.state(), NotifiedState::Withdrawn);
    assert_eq!(row.withdrawn().unwrap().2, "synthetic");
    assert_eq!(grown.view.notices.by_document("moca", "synthetic"), None);
    let delivery = grown.seen("first");
    let batch = grown.claimed(delivery, None, &["one"]);
    assert_eq!(grown.serials(batch), ["115-0002"]);
    assert_eq!(grown.early(), [("115-0001".to_owned(), None)]);
    // Nothing goes on with it, and it is taken back once; but a person may say that a batch came of it.
    assert!(grown.refuses(grown.given(notice, NoticeStage::ToIt)));
    let (reason, signed) = ("synthetic".to_owned(), None);
    let again = AnnouncementWithdrawn { notice, reason, signed };
    assert!(grown.refuses(Body::AnnouncementWithdrawn(again)));
    grown.record(Body::NoticeJoined(NoticeJoined { notice, batch, signed: None }));
    assert_eq!(grown.view.notices.rows[&notice].state(), NotifiedState::Arrived);
}
