//! Who is told what. Everybody here is synthetic.
#![allow(clippy::unwrap_used, reason = "tests")]

use chrono_tz::Asia::Taipei;

use super::*;
use crate::domain::{
    calendar::working::tests::shipped,
    notice::{Mail, Security, Tongue},
};

fn at(text: &str) -> Timestamp {
    Timestamp::parse(&format!("{text}:00+08:00")).unwrap()
}

fn wanted(digest: &str) -> Wanted {
    let to = ["anna", "boris", "gone", "auditor"]
        .map(|name| (name.to_owned(), format!("{name}@a.example")));
    Wanted {
        mail: Some(Mail {
            host: "mail.example".to_owned(),
            port: 465,
            security: Security::Tls,
            login: None,
            from: "b@a.example".to_owned(),
            ca: None,
        }),
        webhook: None,
        to: to.into(),
        digest: Every::parse(digest).unwrap(),
        alarms: true,
        tongue: Tongue::English,
    }
}

fn account(name: &str, roles: &[Role]) -> AccountFacts {
    AccountFacts {
        name: name.to_owned(),
        display: None,
        title: None,
        unit: None,
        roles: roles.to_vec(),
        key: None,
        unix: None,
    }
}

fn owed(code: &str, roles: &[Role]) -> Owed {
    Owed {
        item: Item {
            code: code.to_owned(),
            what: "synthetic".to_owned(),
            clause: None,
            link: None,
            object: Some("o-00000001".to_owned()),
            roles: roles.to_vec(),
            account: None,
            since: None,
            due: None,
            days: None,
            command: Some("batchward destroy approve o-00000001".to_owned()),
        },
        except: Vec::new(),
        unannounced: false,
    }
}

/// Who is told which codes by a digest over these things.
fn told(items: &[Owed], wanted: &Wanted) -> Vec<(String, Vec<String>)> {
    let people =
        [account("anna", &[Role::Custodian]), account("boris", &[Role::Supervisor, Role::Handler])];
    let accounts: Vec<&AccountFacts> = people.iter().collect();
    let now = at("2026-11-23T08:00");
    let seen = Seen { now, zone: Taipei, site: "here", accounts: &accounts, alarms: &[], items };
    let before = Turn { slot: Some(at("2026-11-22T08:00")), ..Turn::default() };
    let (turn, notices) = plan(wanted, Some(&before), Some(now), &seen);
    assert_eq!(turn.slot, Some(now));
    let codes =
        |notice: &Notice| notice.digest.items.iter().map(|item| item.code.clone()).collect();
    let name = |notice: &Notice| notice.to.name().unwrap_or("hook").to_owned();
    notices.iter().map(|notice| (name(notice), codes(notice))).collect()
}

fn names(rows: &[(&str, &[&str])]) -> Vec<(String, Vec<String>)> {
    let owned = |codes: &[&str]| codes.iter().map(|code| (*code).to_owned()).collect();
    rows.iter().map(|(name, codes)| ((*name).to_owned(), owned(codes))).collect()
}

#[test]
fn each_is_told_what_a_role_of_theirs_may_do_and_nobody_without_an_account_is() {
    let mut second = owed("b", &[Role::Supervisor]);
    second.except = vec!["boris".to_owned()];
    let mut named = owed("c", &[Role::Custodian]);
    named.item.account = Some("boris".to_owned());
    let items = [owed("a", &[Role::Custodian, Role::Supervisor]), second, named];
    assert_eq!(
        told(&items, &wanted("day 08:00")),
        names(&[("anna", &["a"]), ("boris", &["a", "c"])])
    );
}

#[test]
fn what_is_owed_by_one_who_has_no_address_is_told_to_those_who_have_the_role() {
    let mut named = owed("a", &[Role::Auditor]);
    named.item.account = Some("clara".to_owned());
    let wanted = wanted("day 08:00");
    assert_eq!(told(&[named.clone()], &wanted), names(&[("auditor", &["a"])]));
    named.item.account = Some("anna".to_owned());
    assert_eq!(told(&[named], &wanted), names(&[("anna", &["a"])]));
}

#[test]
fn an_unannounced_audit_is_told_to_those_who_may_know_of_it_and_to_no_webhook() {
    let mut audit = owed("audit-unannounced", &[Role::Auditor, Role::Custodian, Role::Supervisor]);
    audit.unannounced = true;
    let mut wanted = wanted("day 08:00");
    wanted.webhook = Some(crate::domain::notice::Webhook {
        url: crate::domain::notice::Url::parse("https://hooks.example/").unwrap(),
        token: crate::domain::database::PasswordSource::Credential("t".to_owned()),
        ca: None,
    });
    let both = [audit, owed("a", &[Role::Handler])];
    assert_eq!(
        told(&both, &wanted),
        names(&[
            ("auditor", &["audit-unannounced"]),
            ("boris", &["a", "audit-unannounced"]),
            ("hook", &["a"]),
        ])
    );
}

#[test]
fn what_is_more_than_an_id_or_a_name_of_ours_does_not_leave_the_site() {
    for text in ["府民戶字第1150001234號", "A123456789", "a\nb", "王小明", "x; y", "a@b"] {
        let mut one = owed("a", &[Role::Custodian]);
        one.item.object = Some(text.to_owned());
        one.item.command = Some(format!("batchward hold lift {text}"));
        one.item.link = Some(text.to_owned());
        let short = plain(&one.item);
        assert_eq!((short.object, short.command, short.link), (None, None, None), "{text}");
    }
    let one = owed("a", &[Role::Custodian]);
    assert_eq!(plain(&one.item), one.item);
}

#[test]
fn digests_are_made_at_their_time_once_and_on_days_off_only_where_no_calendar_says_so() {
    let shipped = shipped();
    let slot = |digest: &str, since: &str, now: &str, working: &WorkingDays| {
        let before = Turn { slot: Some(at(since)), ..Turn::default() };
        slot(&wanted(digest), Some(&before), at(now), (Taipei, working))
    };
    let daily = "day 08:00";
    assert_eq!(slot(daily, "2026-11-22T08:00", "2026-11-23T07:59", &shipped), None);
    let monday = Some(at("2026-11-23T08:00"));
    assert_eq!(slot(daily, "2026-11-22T08:00", "2026-11-23T08:00", &shipped), monday);
    assert_eq!(slot(daily, "2026-11-23T08:00", "2026-11-23T23:00", &shipped), None);
    // Days without an agent: the last one is told, and no other.
    assert_eq!(slot(daily, "2026-11-01T08:00", "2026-11-23T09:00", &shipped), monday);
    // A Saturday and a Sunday.
    let working = "working day 08:00";
    assert_eq!(slot(working, "2026-11-20T08:00", "2026-11-22T23:00", &shipped), None);
    let sunday = Some(at("2026-11-22T08:00"));
    let none = WorkingDays::default();
    assert_eq!(slot(working, "2026-11-20T08:00", "2026-11-22T23:00", &none), sunday);
    // Before the first look there is none.
    assert_eq!(super::slot(&wanted(daily), None, at("2026-11-23T09:00"), (Taipei, &none)), None);
}

#[test]
fn a_long_digest_is_cut_and_says_so() {
    let items: Vec<Owed> = (0..limits::NOTICE_ROWS_MAX + 7)
        .map(|n| owed(&format!("c{n:04}"), &[Role::Custodian]))
        .collect();
    let rows = told(&items, &wanted("day 08:00"));
    assert_eq!(rows[0].1.len(), limits::NOTICE_ROWS_MAX);
}
