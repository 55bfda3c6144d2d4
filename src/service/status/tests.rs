//! The page over registers folded by hand: every alarm, every cut list, and a hundred thousand batches.
//!
//! It is over 500 lines because every alarm has its row in one table.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]

mod served;

use std::collections::BTreeMap;

use super::*;
use crate::{
    domain::{
        anchoring::Anchoring,
        digest::Digest,
        entry::{
            AGENT, AnnouncedFacts, Body, CopyDeclared, CopyFacts, Custody, DeliveryAnnounced,
            Entry, Failure, HeldFacts, KeyForm, LinkFacts, MediaArriving, OrderedCopy, Signed,
            StandingProposed, Verdict,
        },
        ids::{KeyId, StandingId},
        inventory::{HeldKind, Medium},
        policy::{
            Approval, ClockStart, CopyApproval, CopyRule, Destroy, Further, GrantRule, Policy,
            RawFile, Rule, UseRule, layers::Stack,
        },
        signed::SignedText,
        step::{Outcome, Plan},
        time::Period,
        view::{KeyRow, KeyState, Trouble},
    },
    engine::{
        health::{Folder, Place, Room, RootKey},
        sources::SourceStanding,
    },
};

/// 2026-11-21 10:00 in Taipei.
const MORNING: Timestamp = Timestamp::from_millis(1_795_226_400_000);

/// A register in memory, and what is beside it.
struct Desk {
    view: View,
    rules: Rules,
    health: Health,
    waiting: Vec<Waiting>,
    strays: Vec<Stray>,
    unread: Vec<String>,
    reason: Option<Reason>,
    source: SourceStanding,
    unsent: Vec<Unsent>,
}

impl Desk {
    fn quiet() -> Self {
        let rules = Rules {
            anchoring: None,
            shared_users: BTreeMap::new(),
            reasons_by_code: false,
            agency: None,
            vault_plain: None,
            vault_place: None,
            links: BTreeMap::new(),
            written: BTreeMap::new(),
            bounds: BTreeMap::new(),
            narrowed: None,
            layouts: BTreeMap::new(),
            policies: BTreeMap::new(),
            overridden: BTreeMap::new(),
            day: None,
            policies_base: Digest::of(b""),
            recipients: BTreeMap::new(),
            working: crate::domain::calendar::WorkingDays::default(),
            forms: BTreeMap::new(),
            digest: Digest::of(b""),
            policies_digest: Digest::of(b""),
            zone: chrono_tz::Asia::Taipei,
            backups: None,
            incomplete_after: Period { seconds: 4 * 3600, ..Period::ZERO },
            abandon_after: None,
            clock_jump_max_seconds: 3600,
            start_gap_max_seconds: 86_400,
        };
        let room = Room { bytes: 1 << 40, free_bytes: 1 << 39, free_inodes: Some(1 << 20) };
        let health = Health {
            published: Some(0),
            root_key: RootKey::Credential,
            places: vec![
                Place { folder: Folder::State, room: Some(room) },
                Place { folder: Folder::Inbox("moca".to_owned()), room: Some(room) },
            ],
            ..Health::default()
        };
        Self {
            view: View::default(),
            rules,
            health,
            waiting: Vec::new(),
            strays: Vec::new(),
            unread: Vec::new(),
            reason: None,
            source: SourceStanding::default(),
            unsent: Vec::new(),
        }
    }

    fn record(&mut self, body: Body) {
        self.record_from("person-1", None, body);
    }

    /// An entry of somebody, the first from this system user.
    fn record_from(&mut self, by: &str, uid: Option<u32>, body: Body) {
        let entry = Entry { v: 1, at: MORNING, by: by.to_owned(), deputy: None, uid, body };
        self.view.apply(self.view.size, &entry, Digest::of(b"synthetic")).unwrap();
        self.health.published = Some(self.view.size);
    }

    fn run(&mut self, plan: Plan, outcome: Outcome) {
        let intent = self.view.size;
        self.record(Body::Intent { plan });
        self.record(Body::Outcome { intent, outcome });
    }

    /// A quarantined batch of the link `moca`.
    fn batch(&mut self) -> BatchId {
        let batch = self.view.next_batch();
        let case = self.view.next_copy(0);
        let delivery = self.view.next_delivery();
        let link = "moca".to_owned();
        let name_mac = Digest::of(&batch.number().to_be_bytes());
        self.record(Body::DeliverySeen { delivery, link: link.clone(), name_mac, opens: None });
        let facts = LinkFacts {
            provider: "synthetic".to_owned(),
            title: String::new(),
            table_no: String::new(),
            purpose: String::new(),
            basis_doc_no: String::new(),
            units: Vec::new(),
            policy: "none".to_owned(),
            layout: "none".to_owned(),
        };
        let plan = Plan::Claim {
            batch,
            delivery,
            link,
            facts,
            case,
            files: vec![],
            reason: None,
            notice: None,
        };
        let case = CopyFacts::new(case, 1);
        self.run(plan, Outcome::Claimed { case, files: vec![], whole: true });
        let verdict = Verdict {
            reason: Reason::BadSignature,
            counts: crate::domain::entry::Counts::default(),
            number: None,
        };
        self.run(Plan::Verify { batch }, Outcome::Refused { verdict });
        batch
    }

    fn troubled(&mut self, failure: Failure, code: &str, times: u32) {
        let batch = self.batch();
        let trouble = Trouble { failure, code: code.to_owned(), times, at: MORNING };
        self.view.batches.get_mut(&batch).unwrap().trouble = Some(trouble);
    }

    /// An import that broke off, and what it left could not be wiped.
    fn broke_off(&mut self, failure: Failure, code: &str) {
        let (link, name_mac) = ("moca".to_owned(), Digest::of(b"synthetic medium"));
        let facts = HeldFacts {
            kind: HeldKind::Carrier,
            medium: Medium::Flash,
            holder: "person-1".to_owned(),
            place: "synthetic".to_owned(),
            lock: None,
            serial: Some("SYN-0001".to_owned()),
            model: None,
            property_no: None,
            pieces: None,
            delete_by: None,
            sha256: None,
            bytes: None,
        };
        let custody =
            Custody { from: "synthetic".to_owned(), carrier: "synthetic".to_owned(), on: MORNING };
        let signed = None;
        let arriving = MediaArriving { link: link.clone(), name_mac, facts, custody, signed };
        self.record(Body::MediaArriving(arriving));
        let plan = Plan::DiscardMedia { link, name_mac, files: 1, bytes: 9 };
        let intent = self.view.size;
        self.record(Body::Intent { plan });
        self.record(Body::Failed { intent, failure, code: code.to_owned() });
    }

    fn untold(&mut self, code: &str, times: u32) {
        self.troubled(Failure::Later, code, times);
        let row = self.view.batches.get_mut(&BatchId::new(1)).unwrap();
        row.receipt_trouble = row.trouble.take();
    }

    fn page(&self, now: Timestamp) -> StatusPage {
        page(Given {
            unsent: &self.unsent,
            source: &|_| self.source.clone(),
            view: &self.view,
            rules: &self.rules,
            now,
            waiting: &self.waiting,
            strays: &self.strays,
            unread: &self.unread,
            pending: &[],
            health: self.health.clone(),
            work: Vec::new(),
            agent_running: false,
            reason: &|row| self.reason.or(row.reason),
        })
    }

    /// The codes that stand after `hours`.
    fn alarms(&self, hours: i64) -> Vec<AlarmCode> {
        let page = self.page(MORNING.plus_seconds(hours * 3600));
        page.alarms.iter().map(|alarm| alarm.code).collect()
    }
}

fn signed() -> Signed {
    let text = SignedText {
        at: MORNING,
        batchward: 1,
        command: "hold place".to_owned(),
        expires: MORNING.plus_seconds(300),
        nonce: "0".repeat(32),
        object: "synthetic".to_owned(),
        object_digest: Some(Digest::of(b"synthetic")),
        origin: "batchward/test".to_owned(),
        text: String::new(),
    };
    Signed { text: text.canonical(), signature: "synthetic".to_owned(), key: String::new() }
}

fn hold(review: Timestamp) -> Body {
    Body::HoldPlaced {
        hold: HoldId::new(1),
        scope: HoldScope::All,
        authority: "synthetic".to_owned(),
        doc_no: "synthetic".to_owned(),
        review,
        signed: signed(),
    }
}

fn waits(reason: Option<Reason>) -> Waiting {
    Waiting { link: "moca".to_owned(), delivery: "day-1".to_owned(), reason, since: Some(MORNING) }
}

fn stray(key: bool) -> Stray {
    Stray { link: "moca".to_owned(), since: Some(MORNING), key }
}

fn key(state: KeyState) -> KeyRow {
    KeyRow {
        link: "moca".into(),
        number: "N-1".into(),
        state,
        form: KeyForm::Identity,
        fingerprint: None,
        channel: "keybox".into(),
        by: AGENT.into(),
        at: MORNING,
    }
}

use AlarmCode as A;

/// What is done to a quiet desk; the codes that stand at once; and those a day later.
type Row = (fn(&mut Desk), &'static [AlarmCode], &'static [AlarmCode]);

const ROWS: &[Row] = &[
    (|_| {}, &[], &[]),
    (|d| d.view.time_doubted = true, &[A::ClockDoubted], &[A::ClockDoubted]),
    (|d| d.health.slots.damaged = 2, &[A::SlotDamaged], &[A::SlotDamaged]),
    (|d| d.health.published = None, &[A::PublishedBehind], &[A::PublishedBehind]),
    (
        |d| {
            d.record(Body::TimeConfirmed { signed: None });
            d.health.published = Some(0);
        },
        &[],
        &[A::PublishedBehind],
    ),
    (|d| d.health.published = Some(1), &[A::PublishedBehind], &[A::PublishedBehind]),
    (
        |d| {
            d.view.first_at = Some(MORNING);
            d.rules.anchoring = Some(Anchoring {
                witnesses: vec!["audit-office".to_owned()],
                at_least: 1,
                overdue_after: Period { seconds: 7200, ..Period::ZERO },
                stop_intake: false,
            });
        },
        &[],
        &[A::AnchoringOverdue],
    ),
    (|d| d.health.root_key = RootKey::File, &[A::RootKeyInFile], &[A::RootKeyInFile]),
    (
        |d| d.health.places[0].room.as_mut().unwrap().free_bytes = limits::DISK_BYTES_LOW - 1,
        &[A::DiskLow],
        &[A::DiskLow],
    ),
    (
        |d| d.health.places[1].room.as_mut().unwrap().free_inodes = Some(9),
        &[A::DiskLow],
        &[A::DiskLow],
    ),
    (|d| d.health.places[1].room = None, &[A::InboxUnreadable], &[A::InboxUnreadable]),
    (|d| d.unread.push("moca".to_owned()), &[A::InboxUnreadable], &[A::InboxUnreadable]),
    (|d| d.waiting.push(waits(Some(Reason::Incomplete))), &[], &[A::DeliveryIncomplete]),
    (announced, &[], &[A::AnnouncedMissing]),
    (|d| d.waiting.push(waits(None)), &[], &[]),
    (|d| d.strays.push(stray(false)), &[], &[A::StrayInInbox]),
    (|d| d.strays.push(stray(true)), &[A::KeyInInbox], &[A::KeyInInbox]),
    (|d| d.troubled(Failure::Stuck, "vault", 1), &[A::StepStuck], &[A::StepStuck]),
    (|d| d.troubled(Failure::Later, "busy", 1), &[], &[]),
    (
        |d| d.troubled(Failure::Later, "busy", limits::RETRIES_MAX),
        &[A::RetriesExhausted],
        &[A::RetriesExhausted],
    ),
    (|d| d.troubled(Failure::Later, "inbox-left", 1), &[A::InboxLeft], &[A::InboxLeft]),
    (|d| d.broke_off(Failure::Later, "inbox-left"), &[A::InboxLeft], &[A::InboxLeft]),
    (|d| d.broke_off(Failure::Stuck, "no-link"), &[A::StepStuck], &[A::StepStuck]),
    (|d| d.broke_off(Failure::Later, "media-held"), &[], &[]),
    (|d| d.untold("receipts-folder", 3), &[A::ReceiptNotLeft], &[A::ReceiptNotLeft]),
    (|d| d.untold("receipts-folder", 1), &[], &[]),
    (|d| d.untold("disk-full", 99), &[A::DiskLow], &[A::DiskLow]),
    (|d| d.troubled(Failure::Later, "disk-full", 99), &[A::DiskLow], &[A::DiskLow]),
    (|d| drop(d.view.keys.insert(KeyId::new(1), key(KeyState::Live))), &[], &[A::KeyWithoutBatch]),
    (|d| drop(d.view.keys.insert(KeyId::new(1), key(KeyState::Gone))), &[], &[]),
    (|d| d.record(hold(MORNING.plus_seconds(7200))), &[], &[A::HoldReviewPast]),
    (|d| kept(d, true, None), &[A::CopyUnapproved], &[A::CopyUnapproved]),
    (|d| kept(d, false, Some(MORNING.plus_seconds(7200))), &[], &[A::CopyOverdue]),
    (
        |d| {
            kept(d, false, None);
            let batch = d.view.batches.keys().next().unwrap();
            d.view.batches.get_mut(&batch).unwrap().state = BatchState::Closed;
        },
        &[A::CopyLeftBehind],
        &[A::CopyLeftBehind],
    ),
    (
        |d| {
            let batch = d.batch();
            let row = d.view.batches.get_mut(&batch).unwrap();
            row.state = BatchState::Verified;
            row.times.insert("verified", MORNING);
            d.reason = Some(Reason::SequenceGap);
        },
        &[],
        &[A::SequenceGap],
    ),
    (
        |d| {
            let batch = d.batch();
            let row = d.view.batches.get_mut(&batch).unwrap();
            row.state = BatchState::Due;
            row.due = Some((MORNING.plus_seconds(3600), true));
        },
        &[],
        &[A::DestructionOverdue],
    ),
    (
        |d| {
            let batch = d.batch();
            let row = d.view.batches.get_mut(&batch).unwrap();
            row.state = BatchState::Due;
            row.due = Some((MORNING.plus_seconds(3600), true));
            d.record(hold(MORNING.plus_seconds(86_400)));
        },
        &[],
        &[],
    ),
    (standing, &[], &[A::StandingExpired]),
    (certified, &[], &[A::PapersOverdue]),
    (
        |d| {
            let batch = d.batch();
            let copy = d.view.copies_of(batch).next().unwrap().0;
            let until = MORNING.plus_seconds(3600);
            d.view.copies.get_mut(&copy).unwrap().exception = Some(("alice".to_owned(), until));
        },
        &[],
        &[A::CopyOutOfReach],
    ),
];

/// A standing approval of an hour.
fn standing(desk: &mut Desk) {
    let standing = StandingId::new(1);
    desk.record(Body::StandingProposed(StandingProposed {
        standing,
        policy: "none".to_owned(),
        link: None,
        scope: "transfer-files".to_owned(),
        doc_no: "synthetic".to_owned(),
        until: MORNING.plus_seconds(3600),
        signed: None,
    }));
    let row = desk.view.standings.get_mut(&standing).unwrap();
    row.confirmed = Some(("person-2".to_owned(), row.proposed));
}

/// A rule of ours.
fn own<T>(value: T) -> Rule<T> {
    Rule { value, clause: "own".to_owned() }
}

fn letter_within_an_hour() -> Policy {
    Policy {
        name: "none".to_owned(),
        title: String::new(),
        register_title: String::new(),
        raw_file: RawFile { start: own(ClockStart::UseEnded), retention: own(Period::ZERO) },
        use_rule: UseRule { retention: own(Period::ZERO), superseded: own(None) },
        destroy: Destroy {
            approval: own(Approval::PerOrder),
            requesters: own(Vec::new()),
            approver_roles: own(Vec::new()),
            performers: own(Vec::new()),
            witnesses: own(Vec::new()),
            approvers: own(1),
            cooling_off: own(Period::ZERO),
            papers: own(vec!["letter".to_owned()]),
            media_papers: own(Vec::new()),
            papers_within: own(Period { seconds: 3600, ..Period::ZERO }),
        },
        copy: CopyRule { approval: own(CopyApproval::None) },
        handover: None,
        grant: GrantRule { row_cap: own(1) },
        standing_key: own(false),
        access_log: own(Period::ZERO),
        register: own(Period::ZERO),
        further: Further::default(),
        stack: Stack::default(),
    }
}

/// A letter that two people entered.
fn announced(desk: &mut Desk) {
    let notice = desk.view.notices.next();
    let facts = AnnouncedFacts {
        doc_no: "synthetic".to_owned(),
        notified_at: MORNING,
        number: notice.to_string(),
        kind: crate::domain::manifest::Kind::Full,
        sequence: 0,
        records: 1,
        applied: None,
        as_of: None,
        replaces: None,
        files: "*.age".to_owned(),
        sha256: Vec::new(),
    };
    let link = "moca".to_owned();
    desk.record(Body::DeliveryAnnounced(DeliveryAnnounced {
        notice,
        link,
        facts,
        opens: None,
        signed: None,
    }));
    let row = desk.view.notices.rows.get_mut(&notice).unwrap();
    row.announcement.as_mut().unwrap().confirmed = Some(("second".to_owned(), MORNING));
}

/// A stick that somebody keeps.
fn kept(desk: &mut Desk, unapproved: bool, delete_by: Option<Timestamp>) {
    let batch = desk.batch();
    let facts = HeldFacts {
        kind: HeldKind::Media,
        medium: Medium::Flash,
        holder: "person-1".to_owned(),
        place: "synthetic".to_owned(),
        lock: None,
        serial: Some("1".to_owned()),
        model: None,
        property_no: None,
        pieces: None,
        delete_by,
        sha256: None,
        bytes: None,
    };
    let copy = desk.view.next_copy(0);
    let declared = CopyDeclared { copy, batch, facts, unapproved, signed: None };
    desk.record(Body::CopyDeclared(declared));
}

/// An order over a batch that is certified, under a policy that wants a letter within a period.
fn certified(desk: &mut Desk) {
    let batch = desk.batch();
    desk.rules.policies.insert("none".to_owned(), letter_within_an_hour());
    let copy = desk.view.copies_of(batch).next().unwrap().0;
    let copies = vec![OrderedCopy { copy, batch, digest: None, bytes: 1 }];
    let order = desk.view.next_order();
    desk.record(Body::OrderRequested {
        order,
        copies,
        reason: "synthetic".to_owned(),
        policy: Digest::of(b"synthetic"),
        expires: MORNING.plus_seconds(7200),
        approvers: None,
        standing: None,
        chosen: false,
        signed: None,
    });
    let row = desk.view.orders.get_mut(&order).unwrap();
    row.state = OrderState::Certified;
    row.certificate = Some((Digest::of(b"synthetic"), MORNING));
}

#[test]
fn what_an_import_left_is_told_with_the_medium_that_it_came_on() {
    let mut desk = Desk::quiet();
    desk.broke_off(Failure::Later, "inbox-left");
    let page = desk.page(MORNING);
    let alarm = page.alarms.iter().find(|alarm| alarm.code == A::InboxLeft).unwrap();
    assert_eq!(alarm.first.as_deref(), Some("flash SYN-0001"));
    // Where nobody noted a number, what it is.
    desk.view.arrivals[0].facts.serial = None;
    let page = desk.page(MORNING);
    assert_eq!(page.alarms[0].first.as_deref(), Some("flash"));
}

#[test]
fn each_alarm_stands_when_its_cause_does_and_not_before() {
    let mut seen = Vec::new();
    for (n, (arrange, now, later)) in ROWS.iter().chain(served::ROWS).enumerate() {
        let mut desk = Desk::quiet();
        arrange(&mut desk);
        assert_eq!(desk.alarms(0), *now, "row {n}, at once");
        assert_eq!(desk.alarms(24), *later, "row {n}, a day later");
        seen.extend(later.iter().copied());
    }
    for code in AlarmCode::ALL {
        assert!(seen.contains(code), "no row for {}", code.word());
    }
}

#[test]
fn only_a_warning_is_not_alarming() {
    let mut desk = Desk::quiet();
    desk.health.root_key = RootKey::File;
    assert!(!desk.page(MORNING).alarming());
    desk.view.time_doubted = true;
    assert!(desk.page(MORNING).alarming());
}

#[test]
fn a_thousand_late_deliveries_are_one_alarm_and_a_list_that_is_cut() {
    let mut desk = Desk::quiet();
    for n in 0..1000 {
        let delivery = format!("day-{n}");
        desk.waiting.push(Waiting { delivery, ..waits(Some(Reason::Unsigned)) });
    }
    let page = desk.page(MORNING.plus_seconds(5 * 3600));
    assert_eq!((page.alarms.len(), page.alarms[0].count), (1, 1000));
    assert_eq!((page.waiting.total, page.waiting.rows.len()), (1000, limits::STATUS_ROWS_MAX));
    assert_eq!(page.batches["waiting"], 1000);
}

#[test]
fn a_page_over_a_hundred_thousand_batches_takes_less_than_a_second() {
    let mut desk = Desk::quiet();
    for _ in 0..100_000 {
        desk.batch();
    }
    for _ in 0..1000 {
        desk.waiting.push(waits(Some(Reason::Incomplete)));
    }
    // The time of this thread alone: what else the machine does meanwhile is none of the page's.
    let spent = || {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        time.tv_sec * 1000 + time.tv_nsec / 1_000_000
    };
    let start = spent();
    let page = desk.page(MORNING);
    let text = page.metrics();
    let took = spent() - start;
    assert_eq!(page.batches["quarantined"], 100_000);
    assert_eq!((page.tasks.total, page.tasks.rows.len()), (100_000, limits::STATUS_ROWS_MAX));
    assert!(text.len() < 64 << 10, "metrics do not grow with batches: {} bytes", text.len());
    assert!(took < 1000, "{took} ms");
}

#[test]
fn a_page_survives_its_json() {
    let mut desk = Desk::quiet();
    desk.troubled(Failure::Stuck, "vault", 1);
    desk.waiting.push(waits(Some(Reason::Incomplete)));
    desk.record(hold(MORNING));
    let page = desk.page(MORNING);
    let read: StatusPage = serde_json::from_str(&serde_json::to_string(&page).unwrap()).unwrap();
    assert_eq!(read, page);
}

#[test]
fn metrics_name_no_delivery_and_no_account() {
    let mut desk = Desk::quiet();
    desk.waiting.push(Waiting { delivery: "SECRET-NAME".to_owned(), ..waits(None) });
    desk.record(hold(MORNING));
    assert!(!desk.page(MORNING).metrics().contains("SECRET"));
    assert!(!desk.page(MORNING).metrics().contains("person-1"));
}
