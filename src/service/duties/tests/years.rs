//! Years of events under every policy that is shipped: no duty is lost, none is owed before its cause, and ten years of a large
//! site are listed in time. Everything in it is synthetic.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};

use chrono_tz::Asia::Taipei;
use proptest::prelude::{Strategy, any, prop_assert, prop_oneof, proptest};

use super::*;
use crate::{
    config,
    domain::{
        application::ReviewResult,
        audits::{AuditKind, AuditResult},
        calendar::working::tests::{date, shipped},
        digest::Digest,
        entry::{
            AccountFacts, AuditRecorded, AuditSigned, AuditTerms, BackupReviewed, Body, Entry,
            LinkReviewed, PaperKept, Signed, TrainingRecorded,
        },
        link::{Container, KeyMode, Link, LinkStatus},
        papers::{BackupResult, PaperKind},
        signed::{Asked, SignedText},
        signers::AllowedSigners,
        view::AccessKey,
    },
};

/// What a test's years are made of.
struct Years {
    view: View,
    rules: Rules,
}

fn at(text: &str) -> Timestamp {
    Timestamp::at(date(text), 600, Taipei)
}

fn link(name: String, policy: &str) -> Link {
    Link {
        name,
        title: "合成".to_owned(),
        provider: "合成".to_owned(),
        signers: AllowedSigners::default(),
        inbox: "inbox".into(),
        keybox: "keybox".into(),
        policy: policy.to_owned(),
        layout: "none".to_owned(),
        table_no: "T".to_owned(),
        items: Vec::new(),
        purpose: "合成".to_owned(),
        basis_doc_no: "合成字第1號".to_owned(),
        approved_until: at("2040-12-31"),
        use_period: None,
        units: vec!["合成科".to_owned()],
        status: LinkStatus::Active,
        container: Container::Age,
        key: KeyMode::Separate,
        source: None,
        expect: Vec::new(),
        max_rejected: 0,
        receipts: None,
        kinship: false,
        overrides: BTreeMap::default(),
        profile: Box::default(),
        abandon_after: None,
    }
}

fn account(name: String, roles: Vec<Role>) -> AccountFacts {
    let unit = Some("合成科".to_owned());
    AccountFacts { name, display: None, title: None, unit, roles, key: None, unix: None }
}

impl Years {
    /// A site of so many links, under the policies in turn, and so many accounts.
    fn of(links: usize, accounts: usize) -> Self {
        let policies = config::shipped_policies();
        let names: Vec<&String> = policies.keys().filter(|name| *name != "common").collect();
        let named = (0..links).map(|n| {
            let name = format!("link-{n}");
            (name.clone(), link(name, names[n % names.len()]))
        });
        let links: BTreeMap<String, Link> = named.collect();
        let rules = Rules {
            written: links.clone(),
            links,
            bounds: BTreeMap::new(),
            narrowed: None,
            layouts: BTreeMap::new(),
            overridden: BTreeMap::new(),
            day: None,
            policies_base: Digest::of(b""),
            recipients: BTreeMap::new(),
            working: shipped(),
            forms: BTreeMap::new(),
            digest: Digest::of(b""),
            policies_digest: Digest::of(b""),
            agency: None,
            zone: Taipei,
            anchoring: None,
            shared_users: BTreeMap::new(),
            reasons_by_code: false,
            vault_plain: None,
            vault_place: None,
            backups: None,
            incomplete_after: Period::ZERO,
            abandon_after: None,
            clock_jump_max_seconds: 3600,
            start_gap_max_seconds: 86_400,
            policies,
        };
        let roles = [Role::Handler, Role::Custodian, Role::Auditor, Role::Admin, Role::Supervisor];
        let founders = (0..accounts.max(5)).map(|n| {
            let role = roles[n % roles.len()];
            account(format!("person-{n}"), vec![role])
        });
        let mut years = Self { view: View::default(), rules };
        let body = Body::SiteCreated {
            site: "synthetic".to_owned(),
            vkey: "x".to_owned(),
            ssh_key: "x".to_owned(),
            recipient: "x".to_owned(),
            client_key: "x".to_owned(),
            version: "1".to_owned(),
            founders: founders.collect(),
            config: Digest::of(b""),
        };
        years.record(at("2026-11-21"), "person-0", body);
        years
    }

    fn record(&mut self, on: Timestamp, by: &str, body: Body) {
        let entry = Entry { v: 1, at: on, by: by.to_owned(), deputy: None, uid: None, body };
        let digest = Digest::of(&self.view.size.to_be_bytes());
        self.view.apply(self.view.size, &entry, digest).unwrap();
    }

    fn signed(&self, on: Timestamp) -> Signed {
        let (command, object) = ("audit sign", "v");
        let asked = Asked { origin: "batchward/x", command, object, object_digest: None };
        let nonce = u128::from(self.view.size).to_be_bytes();
        let text = SignedText::new(&asked, "", nonce, on, on.plus_seconds(60)).unwrap();
        let text = text.canonical();
        Signed { key: "SHA256:x".to_owned(), text, signature: String::new() }
    }

    /// Somebody fulfils something.
    fn act(&mut self, on: Timestamp, act: &Act) {
        match act {
            Act::Train(n, minutes) => {
                let name = format!("person-{}", n % 5);
                let body = TrainingRecorded {
                    name,
                    minutes: *minutes,
                    on,
                    subject: "合成".to_owned(),
                    doc_no: "1".to_owned(),
                    signed: None,
                };
                self.record(on, "person-3", Body::TrainingRecorded(body));
            }
            Act::ReviewLink(n) => {
                let link = format!("link-{}", n % self.rules.links.len());
                let (result, doc_no) = (ReviewResult::Needed, "1".to_owned());
                let body = LinkReviewed { link, result, doc_no, signed: None };
                self.record(on, "person-1", Body::LinkReviewed(body));
            }
            Act::ReviewBackup => {
                let (result, doc_no) = (BackupResult::Ok, "1".to_owned());
                let body = BackupReviewed { result, doc_no, signed: None };
                self.record(on, "person-1", Body::BackupReviewed(body));
            }
            Act::Audit(kind, period) => self.audit(on, *kind, period),
            Act::Keep(kind) => {
                let body = PaperKept {
                    document: self.view.next_document(),
                    kind: *kind,
                    doc_no: "1".to_owned(),
                    on,
                    sha256: Digest::of(b"x"),
                    bytes: 1,
                    sent_to: Vec::new(),
                    valid_until: None,
                    signed: None,
                };
                self.record(on, "person-2", Body::PaperKept(body));
            }
            Act::Join(n) => {
                let account = account(format!("new-{n}"), vec![Role::Handler, Role::Custodian]);
                let name = account.name.clone();
                let proposal = self.view.size;
                self.record(on, "person-3", Body::AccountProposed { account, signed: None });
                let signed = self.signed(on);
                let body = Body::AccountConfirmed { name, proposal, signed };
                self.record(on, "person-4", body);
            }
        }
    }

    fn audit(&mut self, on: Timestamp, kind: AuditKind, period: &str) {
        let audit = self.view.audits.next_audit();
        let of = "all".to_owned();
        let facts = AuditRecorded {
            audit,
            terms: AuditTerms { kind, period: period.to_owned(), of, by: Vec::new() },
            on,
            result: AuditResult::Ok,
            doc_no: "1".to_owned(),
            evidence: Vec::new(),
            signed: None,
        };
        self.record(on, "person-2", Body::AuditRecorded(facts));
        let signed = self.signed(on);
        self.record(on, "person-4", Body::AuditSigned(AuditSigned { audit, signed }));
    }
}

/// An act that fulfils a duty, or gives somebody new ones.
#[derive(Clone, Debug)]
enum Act {
    Train(usize, u32),
    ReviewLink(usize),
    ReviewBackup,
    Audit(AuditKind, String),
    Keep(PaperKind),
    Join(u8),
}

fn acts() -> impl Strategy<Value = Act> {
    let kinds = proptest::sample::select(AuditKind::ALL);
    let periods = ["2026-H2", "2026-12", "2027", "2027-H1", "2027-H2", "2027-03", "2027-Q3"];
    let periods = proptest::sample::select(periods.map(str::to_owned).to_vec());
    prop_oneof![
        (0..5_usize, 0..300_u32).prop_map(|(n, minutes)| Act::Train(n, minutes)),
        (0..9_usize).prop_map(Act::ReviewLink),
        any::<bool>().prop_map(|_| Act::ReviewBackup),
        (kinds, periods).prop_map(|(kind, period)| Act::Audit(kind, period)),
        proptest::sample::select(PaperKind::ALL).prop_map(Act::Keep),
        any::<u8>().prop_map(Act::Join),
    ]
}

/// What tells one duty from another.
fn key(duty: &Duty) -> (DutyCode, Option<String>, Option<String>, String) {
    (duty.code, duty.policy.clone(), duty.link.clone(), duty.object.clone())
}

proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(48))]
    #[test]
    fn whatever_is_done_in_a_year_no_duty_is_lost_and_none_is_owed_before_its_cause(
        mut events in proptest::collection::vec((0..800_i64, acts()), 0..40),
    ) {
        events.sort_by_key(|(day, _)| *day);
        let mut years = Years::of(5, 5);
        let begin = at("2026-11-21");
        let mut owed = BTreeSet::new();
        let mut events = events.into_iter().peekable();
        for step in 0..60_i64 {
            let now = begin.plus_seconds(step * 14 * 86_400);
            while let Some((day, act)) = events.next_if(|(day, _)| *day <= step * 14) {
                // The register's times never go back.
                let on = begin.plus_seconds(day * 86_400).max(years.view.last_at.unwrap());
                years.act(on, &act);
            }
            let found = all(&years.view, &years.rules, now, now);
            for duty in &found {
                prop_assert!(duty.start <= duty.due, "{duty:?}");
                prop_assert!(duty.start >= begin, "{duty:?}");
                prop_assert!(duty.done.is_none_or(|done| done >= begin), "{duty:?}");
            }
            let there: BTreeSet<_> = found.iter().map(key).collect();
            let lost: Vec<_> = owed.difference(&there).collect();
            prop_assert!(lost.is_empty(), "{now}: {lost:?}");
            let open = found.iter().filter(|duty| duty.done.is_none() && duty.start <= now);
            owed = open.map(key).collect();
        }
        // A site of all five regulations owes something of every kind that comes again.
        let codes: BTreeSet<_> = owed.iter().map(|(code, ..)| *code).collect();
        for code in [DutyCode::ReviewAccounts, DutyCode::Train, DutyCode::ReportUse] {
            prop_assert!(codes.contains(&code), "{code}");
        }
    }
}

#[test]
fn ten_years_of_200_links_and_2000_accounts_are_listed_in_two_seconds() {
    let mut years = Years::of(200, 2_000);
    for year in 2027..2037 {
        let on = at(&format!("{year}-06-01"));
        for n in 0..2_000 {
            let body = TrainingRecorded {
                name: format!("person-{n}"),
                minutes: 180,
                on,
                subject: "合成".to_owned(),
                doc_no: "1".to_owned(),
                signed: None,
            };
            years.record(on, "person-3", Body::TrainingRecorded(body));
        }
        for n in 0..200 {
            years.act(on, &Act::ReviewLink(n));
            for month in 1..=12 {
                let key = (format!("link-{n}"), format!("{year}-{month:02}"));
                let recipient = "x".to_owned();
                years.view.access_keys.insert(key, AccessKey { recipient, destroyed: None });
            }
        }
        for kind in AuditKind::ALL {
            years.act(on, &Act::Audit(*kind, format!("{year}-H1")));
        }
    }
    let now = at("2036-12-31");
    let begun = Instant::now();
    let found = all(&years.view, &years.rules, now, now);
    let took = begun.elapsed();
    println!("{} duties of ten years in {took:?}", found.len());
    assert!(found.len() > 20_000, "{}", found.len());
    // Without optimisation, on a machine that does something else: the release is several times faster.
    assert!(took.as_secs() < 2, "{took:?}");
}
