//! Servers that links are fetched from, and what is expected on links: a row for each alarm about them.

use std::path::PathBuf;

use super::{AlarmCode as A, Desk, MORNING, Row, SourceStanding};
use crate::{
    domain::{
        accounts::Role,
        entry::{AccountFacts, Body, ExpectationBegun, Failure, LeavingRecorded},
        expected::{Every, Expectation, WhenOff},
        link::{Container, KeyMode, Link, LinkStatus},
        notice::{Channel, NoticeCode, Unsent},
        people::Leaving,
        signers::AllowedSigners,
        source::{Endpoint, Login, Release, Source, SourceCode},
        time::Period,
        view::{Account, Trouble, Unput},
    },
    engine::sources::SourceTrouble,
};

pub(super) const ROWS: &[Row] = &[
    (|d| d.record_from("person-1", Some(1001), Body::AccountUsed {}), &[], &[]),
    (
        |d| {
            for name in ["person-1", "person-2"] {
                d.record_from(name, Some(1001), Body::AccountUsed {});
            }
        },
        &[A::SharedUser],
        &[A::SharedUser],
    ),
    (|d| trouble(d, SourceCode::Unreachable), &[], &[A::SourceSilent]),
    (|d| trouble(d, SourceCode::HostKeyChanged), &[A::SourceHostKey], &[A::SourceHostKey]),
    (|d| trouble(d, SourceCode::LoginRefused), &[A::SourceFailed], &[A::SourceFailed]),
    (
        |d| served(d, SourceStanding { refused: 1, ..SourceStanding::default() }),
        &[A::SourceJunk],
        &[A::SourceJunk],
    ),
    (
        |d| {
            let waiting_since = Some(MORNING);
            served(d, SourceStanding { waiting: 1, waiting_since, ..SourceStanding::default() });
        },
        &[],
        &[A::SourceIncomplete],
    ),
    (
        |d| {
            served(d, SourceStanding::default());
            let batch = d.batch();
            let trouble = Trouble {
                failure: Failure::Later,
                code: "denied".to_owned(),
                times: 1,
                at: MORNING,
            };
            d.view.remotes.unput.insert(
                (batch, format!("{batch}.json")),
                Unput { since: trouble.at, last: trouble },
            );
        },
        &[],
        &[A::SourceOwed],
    ),
    (
        |d| {
            let code = Some(NoticeCode::Certificate);
            d.unsent.push(Unsent { channel: Channel::Mail, count: 2, since: MORNING, code });
        },
        &[],
        &[A::NoticeUnsent],
    ),
    // It is ten in the morning, and nothing was expected an hour ago; a day later something was.
    (|d| expects(d, "day 09:00", 4 * 3600), &[], &[]),
    (|d| expects(d, "day 09:00", 1800), &[], &[A::DeliveryLate]),
    (|d| expects(d, "day 06:00", 1800), &[], &[A::DeliveryMissing]),
    (|d| expects(d, "working day 09:00", 1800), &[A::CalendarMissing], &[A::CalendarMissing]),
    (last_admin_leaves, &[A::RightsStand], &[A::RightsStand]),
];

/// The only admin has left the day before.
fn last_admin_leaves(desk: &mut Desk) {
    let facts = AccountFacts {
        name: "person-1".to_owned(),
        display: None,
        title: None,
        unit: None,
        roles: vec![Role::Admin],
        key: None,
        unix: None,
    };
    let account = Account { facts: Some(facts), disabled: false, proposal: None, edit: None };
    desk.view.accounts.insert("person-1".to_owned(), account);
    desk.record(Body::LeavingRecorded(LeavingRecorded {
        name: "person-1".to_owned(),
        appointment: None,
        on: MORNING.plus_seconds(-3600),
        reason: Leaving::Retired,
        signed: None,
    }));
}

/// The link `moca` expects something from now on: late after so many seconds, missing after two hours.
fn expects(desk: &mut Desk, every: &str, late_seconds: u32) {
    served(desk, SourceStanding::default());
    let Some(every) = Every::parse(every) else { return };
    let span = |seconds| Period { seconds, ..Period::ZERO };
    let rule = Expectation {
        every,
        when_off: WhenOff::Stays,
        kind: None,
        from: None,
        early: Period::ZERO,
        late_after: span(late_seconds),
        missing_after: span(late_seconds.max(7200)),
    };
    let begun = ExpectationBegun { link: "moca".to_owned(), terms: rule.terms() };
    desk.record(Body::ExpectationBegun(begun));
    if let Some(link) = desk.rules.links.get_mut("moca") {
        link.expect.push(rule);
    }
}

fn trouble(desk: &mut Desk, code: SourceCode) {
    let trouble = SourceTrouble { code, since: MORNING, times: 1, shown: None, known: Vec::new() };
    served(desk, SourceStanding { trouble: Some(trouble), ..SourceStanding::default() });
}

/// The link `moca` with a server that stands so.
fn served(desk: &mut Desk, standing: SourceStanding) {
    desk.source = standing;
    let source = Source {
        server: Endpoint {
            host: "synthetic.example".to_owned(),
            port: 22,
            user: "synthetic".to_owned(),
            login: Login::Key(PathBuf::from("/none")),
            known_hosts: PathBuf::from("/none"),
            bytes_per_second: None,
        },
        path: "/out".to_owned(),
        every: Period::ZERO,
        window: None,
        release: Release::Delete,
        release_rejected: false,
        receipts: Some("/receipts".to_owned()),
        reports: None,
    };
    let link = Link {
        name: "moca".to_owned(),
        title: String::new(),
        provider: String::new(),
        signers: AllowedSigners::default(),
        inbox: PathBuf::from("/none"),
        keybox: PathBuf::from("/none"),
        policy: "none".to_owned(),
        layout: "none".to_owned(),
        table_no: String::new(),
        items: Vec::new(),
        purpose: String::new(),
        basis_doc_no: String::new(),
        approved_until: MORNING.plus_seconds(86_400 * 365),
        use_period: None,
        units: Vec::new(),
        status: LinkStatus::Active,
        container: Container::Age,
        key: KeyMode::Separate,
        receipts: None,
        overrides: std::collections::BTreeMap::new(),
        profile: Box::default(),
        abandon_after: None,
        expect: Vec::new(),
        source: Some(Box::new(source)),
        max_rejected: 0,
        kinship: false,
    };
    desk.rules.links.insert("moca".to_owned(), link);
}
