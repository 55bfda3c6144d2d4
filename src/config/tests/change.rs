//! What changes at once, what waits for a second person, and what is kept of it. Keys and people are synthetic.

use std::{collections::BTreeMap, fs};

use super::Site;
use crate::config::{Config, inforce};

const LINK: &str = "link: example
title: a
provider: b
signers: example.allowed_signers
inbox: ../drop/example
keybox: ../keys/example
policy: taoyuan-dwcd
layout: hr-person-01
table_no: c
items: [national_id, name]
purpose: d
basis_doc_no: e
approved_until: 2027-12-31
use_period: P1Y
units: [f, g]
status: active
max_rejected: 5
expect: [{every: monday 09:00}]
";
const RULE: &str = "{every: monday 09:00}";

const KEY_A: &str = "a@b.example namespaces=\"batchward-manifest\" ssh-ed25519 \
                     AAAAC3NzaC1lZDI1NTE5AAAAIIlhc5oAHU27P1DIKvMbR39q5V6+hVp2fxmUk5fhn8As\n";
const KEY_B: &str = "c@d.example namespaces=\"batchward-manifest\" ssh-ed25519 \
                     AAAAC3NzaC1lZDI1NTE5AAAAICA+a4GyKP1yWQPHYU3gr3az/+297mJudY9/pLIlVPpD\n";

fn site() -> Site {
    let site = Site::new();
    site.write("links/example.yaml", LINK);
    site.write("links/example.allowed_signers", format!("{KEY_A}{KEY_B}"));
    site
}

/// Codes, in the order of the comparison.
fn compared(before: &Config, after: &Config) -> (Vec<String>, Vec<String>) {
    let compared = inforce::compare(before, after);
    let codes = |list: &[crate::domain::entry::ConfigChange]| {
        list.iter().map(|change| change.code.clone()).collect()
    };
    (codes(&compared.tightened), codes(&compared.pending))
}

#[test]
fn what_tightens_is_at_once_and_everything_else_waits() {
    type Row<'a> = (&'a str, &'a str, &'a [&'a str], &'a [&'a str]);
    let rows: &[Row<'_>] = &[
        ("title: a", "title: A", &[], &["title"]),
        ("status: active", "status: suspended", &["status"], &[]),
        ("status: active", "status: terminated", &["status"], &[]),
        ("until: 2027-12-31", "until: 2027-12-30", &["approved-until-earlier"], &[]),
        ("until: 2027-12-31", "until: 2028-01-01", &[], &["approved-until-later"]),
        ("until: 2027-12-31", "until: 116-12-31", &[], &[]),
        ("until: 2027-12-31", "until: 117/01/01", &[], &["approved-until-later"]),
        ("use_period: P1Y", "use_period: P6M", &["use-period-shorter"], &[]),
        ("use_period: P1Y", "use_period: P11M30D", &[], &["use-period"]),
        ("use_period: P1Y", "use_period: P364D", &["use-period-shorter"], &[]),
        ("use_period: P1Y", "use_period: P366D", &[], &["use-period"]),
        ("use_period: P1Y", "use_period: P370D", &[], &["use-period"]),
        ("use_period: P1Y", "use_period: P2Y", &[], &["use-period"]),
        ("use_period: P1Y\n", "", &[], &["use-period"]),
        ("[national_id, name]", "[name]", &["items-removed"], &[]),
        ("[national_id, name]", "[national_id, name, sex]", &[], &["items"]),
        ("[national_id, name]", "[name, sex]", &["items-removed"], &["items"]),
        ("[national_id, name]", "[name, national_id]", &[], &["items"]),
        ("units: [f, g]", "units: [g]", &["units-removed"], &[]),
        ("units: [f, g]", "units: [f, g, h]", &[], &["units"]),
        ("max_rejected: 5", "max_rejected: 4", &["max-rejected-lower"], &[]),
        ("max_rejected: 5", "max_rejected: 5\nkinship: true", &["kinship"], &[]),
        ("max_rejected: 5", "max_rejected: 6", &[], &["max-rejected"]),
        ("inbox: ../drop/example", "inbox: ../drop", &[], &["inbox"]),
        ("policy: taoyuan-dwcd", "policy: nantou-verification", &[], &["policy"]),
        ("table_no: c", "table_no: d # and a remark", &[], &["table-no"]),
        ("purpose: d", "purpose: d # a remark alone", &[], &[]),
        (RULE, &format!("{RULE}, {{every: day 08:00}}"), &["expect-added"], &[]),
        (RULE, "{every: day 08:00}", &[], &["expect"]),
        (RULE, "{every: monday 09:00, late_after: 5h}", &[], &["expect"]),
        (RULE, "{every: monday 09:00, late_after: PT4H, early: 24h}", &[], &["expect"]),
        (RULE, "{every: monday 09:00, late_after: PT4H, early: P1D}", &[], &[]),
        ("expect: [{every: monday 09:00}]\n", "", &[], &["expect"]),
    ];
    for (from, to, tightened, pending) in rows {
        let site = site();
        let before = site.load().unwrap();
        site.edit("links/example.yaml", from, to);
        let (now, waits) = compared(&before, &site.load().unwrap());
        assert_eq!((now, waits), (owned(tightened), owned(pending)), "{from} -> {to}");
    }
}

fn owned(codes: &[&str]) -> Vec<String> {
    codes.iter().map(|code| (*code).to_owned()).collect()
}

#[test]
fn a_signer_goes_at_once_and_comes_by_two_people() {
    for (list, tightened, pending, signers) in [
        (KEY_A.to_owned(), &["signers-removed"][..], &[][..], 1),
        (String::new(), &["signers-removed"], &[], 0),
        (format!("{KEY_B}{KEY_A}"), &[], &["signers"], 2),
        (format!("{KEY_A}{}", KEY_B.replace("c@d", "e@f")), &["signers-removed"], &["signers"], 1),
    ] {
        let site = site();
        let before = site.load().unwrap();
        site.write("links/example.allowed_signers", &list);
        let after = site.load().unwrap();
        assert_eq!(compared(&before, &after), (owned(tightened), owned(pending)), "{list}");
        let effective = inforce::compare(&before, &after).effective;
        assert_eq!(effective.links["example"].signers.entries().len(), signers, "{list}");
    }
}

#[test]
fn new_links_and_changed_layouts_and_policies_wait() {
    let site = site();
    let before = site.load().unwrap();
    fs::create_dir_all(site.path("drop/two")).unwrap();
    fs::create_dir_all(site.path("keys/two")).unwrap();
    site.mode("keys/two", 0o700);
    let two = LINK.replace("link: example", "link: two").replace("/example", "/two");
    site.write("links/two.yaml", two);
    site.edit("policies/taoyuan-dwcd.yaml", "value: 10000", "value: 20000");
    site.edit("layouts/hr-person-01.yaml", "eudc: ms-pua", "eudc: refuse");
    let after = site.load().unwrap();
    let waits = owned(&["link-added", "layout-changed", "policy-changed"]);
    assert_eq!(compared(&before, &after), (Vec::new(), waits));
    let effective = inforce::compare(&before, &after).effective;
    assert_eq!(effective.links.keys().collect::<Vec<_>>(), ["example"]);
    assert_eq!(effective.policies["taoyuan-dwcd"].grant.row_cap.value, 10_000);
}

#[test]
fn a_new_layout_or_policy_is_told_from_a_changed_one() {
    let site = site();
    let before = site.load().unwrap();
    for (folder, old, new) in
        [("layouts", "hr-person-01", "other-01"), ("policies", "taoyuan-dwcd", "other")]
    {
        let text = fs::read_to_string(site.path(&format!("{folder}/{old}.yaml"))).unwrap();
        site.write(&format!("{folder}/{new}.yaml"), text.replace(old, new));
    }
    let after = site.load().unwrap();
    assert_eq!(compared(&before, &after), (Vec::new(), owned(&["layout-added", "policy-added"])));
}

#[test]
fn a_link_that_is_taken_away_rests() {
    let site = site();
    let before = site.load().unwrap();
    fs::remove_file(site.path("links/example.yaml")).unwrap();
    let compared = inforce::compare(&before, &site.load().unwrap());
    assert_eq!(compared.tightened.len(), 1);
    let status = compared.effective.links["example"].status;
    assert_eq!(status, crate::domain::link::LinkStatus::Suspended);
}

#[test]
fn what_tightened_stays_when_the_file_is_put_back() {
    let site = site();
    let agreed = site.load().unwrap();
    site.edit("links/example.yaml", "units: [f, g]", "units: [g]");
    let tightened = inforce::compare(&agreed, &site.load().unwrap()).effective;
    let digest = inforce::keep(&site.path("state"), &tightened.files).unwrap();
    let kept = inforce::kept(&tightened.agent, digest).unwrap();
    assert_eq!(kept.links, tightened.links);

    site.write("links/example.yaml", LINK);
    let found = site.load().unwrap();
    assert_eq!(compared(&kept, &found), (Vec::new(), owned(&["units"])));
}

#[test]
fn every_way_to_tighten_can_be_kept_and_read_back() {
    for (from, to) in [
        ("status: active", "status: terminated"),
        ("until: 2027-12-31", "until: 2027-01-31T09:30:00+08:00"),
        ("use_period: P1Y", "use_period: P1M10D"),
        ("[national_id, name]", "[sex]"),
        ("units: [f, g]", "units: [h]"),
        ("max_rejected: 5", "max_rejected: 0"),
        ("max_rejected: 5", "max_rejected: 5\nkinship: true"),
        (
            RULE,
            &format!(
                "{RULE}, {{every: last working day of the month 17:00, kind: delta, from: 2026-12-01, early: P1DT2H, missing_after: P9D}}"
            ),
        ),
        (
            RULE,
            &format!(
                "{RULE}, {{every: day 31 of the month 00:05, when_off: back, early: P0D, late_after: 90s}}"
            ),
        ),
    ] {
        let site = site();
        let agreed = site.load().unwrap();
        site.edit("links/example.yaml", from, to);
        let effective = inforce::compare(&agreed, &site.load().unwrap()).effective;
        let digest = inforce::keep(&site.path("state"), &effective.files).unwrap();
        let kept = inforce::kept(&effective.agent, digest).unwrap();
        assert_eq!(kept.links, effective.links, "{to}");
        assert_eq!(inforce::digest_of(&kept.files).to_string().len(), 64);
        let again = inforce::compare(&kept, &site.load().unwrap());
        assert!(again.tightened.is_empty(), "{to}: {:?}", again.tightened);
    }
}

#[test]
fn a_configuration_is_kept_twice_and_found_by_its_digest_alone() {
    let site = site();
    let config = site.load().unwrap();
    let state = site.path("state");
    let digest = inforce::keep(&state, &config.files).unwrap();
    assert_eq!(inforce::keep(&state, &config.files).unwrap(), digest);
    let kept = inforce::kept(&config.agent, digest).unwrap();
    assert_eq!((kept.links, kept.files), (config.links, config.files));
}

#[test]
fn a_kept_configuration_that_was_touched_is_refused() {
    type Touch = fn(&std::path::Path);
    let touches: [(&str, Touch); 4] = [
        ("changed", |dir| {
            let path = dir.join("links/example.yaml");
            let text = fs::read_to_string(&path).unwrap();
            fs::write(&path, text.replace("title: a", "title: A")).unwrap();
        }),
        ("removed", |dir| fs::remove_file(dir.join("policies/nantou-verification.yaml")).unwrap()),
        ("added", |dir| fs::write(dir.join("links/note.txt"), "x").unwrap()),
        ("gone", |dir| fs::remove_dir_all(dir).unwrap()),
    ];
    for (name, touch) in touches {
        let site = site();
        let config = site.load().unwrap();
        let digest = inforce::keep(&site.path("state"), &config.files).unwrap();
        touch(&site.path(&format!("state/config/{digest}")));
        let faults = inforce::kept(&config.agent, digest).unwrap_err();
        assert!(!faults.is_empty(), "{name}");
        assert!(faults.iter().all(|fault| fault.hint.is_some()), "{name}: {faults:#?}");
    }
}

#[test]
fn the_digest_names_files_and_their_bytes() {
    let digest = |pairs: &[(&str, &str)]| {
        let set: BTreeMap<String, Vec<u8>> =
            pairs.iter().map(|(n, b)| ((*n).to_owned(), b.as_bytes().to_vec())).collect();
        inforce::digest_of(&set)
    };
    let one = digest(&[("a", "x"), ("b", "y")]);
    assert_eq!(one, digest(&[("b", "y"), ("a", "x")]));
    for other in [&[("a", "x")][..], &[("a", "y"), ("b", "x")], &[("a", "xb"), ("b", "y")], &[]] {
        assert_ne!(one, digest(other), "{other:?}");
    }
}

#[test]
fn where_loaded_data_lie_waits_and_what_accepts_plain_is_gone_at_once() {
    const URL: &str = "vault: postgres://agent@/b?host=/run/postgresql";
    let found = site();
    let line = "vault: embedded               # or the URL of a database: docs/postgresql.md";
    found.edit("agent.yaml", line, "");
    let rest = fs::read_to_string(found.path("agent.yaml")).unwrap();
    let vault = |text: &str| {
        found.write("agent.yaml", format!("{rest}{text}\n"));
        found.load().unwrap()
    };
    let plain = |document: &str| vault(&format!("{URL}\nvault_plain: {document}"));
    let (embedded, bare, one, other) = (vault(""), vault(URL), plain("一號"), plain("二號"));
    for (from, to, tightened, pending) in [
        (&embedded, &one, &[][..], &["vault", "vault-plain"][..]),
        (&bare, &one, &[], &["vault-plain"]),
        (&one, &other, &[], &["vault-plain"]),
        (&one, &bare, &["vault-plain-removed"], &[]),
        (&one, &embedded, &["vault-plain-removed"], &["vault"]),
        (&bare, &embedded, &[], &["vault"]),
        (&embedded, &embedded, &[], &[]),
    ] {
        assert_eq!(compared(from, to), (owned(tightened), owned(pending)));
        let effective = inforce::compare(from, to).effective;
        let digest = inforce::keep(&found.path("state"), &effective.files).unwrap();
        let agent = crate::config::Agent { state: found.path("state"), ..to.agent.clone() };
        let kept = inforce::kept(&agent, digest).unwrap().agent.vault;
        assert_eq!(kept, effective.agent.vault, "what is in force is what was agreed to");
    }
    assert!(!embedded.agent.agreed().contains("vault"), "as before there was another place");
}

#[test]
fn a_system_user_that_is_named_no_more_is_watched_at_once_whatever_else_is_edited() {
    let found = site();
    let rest = fs::read_to_string(found.path("agent.yaml")).unwrap();
    let users = |all: &str| {
        found.write("agent.yaml", format!("{rest}shared_users: [{all}]\n"));
        found.load().unwrap()
    };
    let (one, two) = ("{uid: 1001, reason: a}", "{uid: 1002, reason: b}");
    let (before, other) = (users(&format!("{one}, {two}")), users("{uid: 1003, reason: c}"));
    let (fewer, worded) = (users(one), users("{uid: 1001, reason: d}"));
    for (to, tightened, pending, named) in [
        (&fewer, &["shared-users"][..], &[][..], &[1001][..]),
        (&other, &["shared-users"], &["shared-users"], &[]),
        (&worded, &["shared-users"], &["shared-users"], &[1001]),
        (&before, &[], &[], &[1001, 1002]),
    ] {
        assert_eq!(compared(&before, to), (owned(tightened), owned(pending)));
        let effective = inforce::compare(&before, to).effective;
        let digest = inforce::keep(&found.path("state"), &effective.files).unwrap();
        let agent = crate::config::Agent { state: found.path("state"), ..to.agent.clone() };
        let kept = inforce::kept(&agent, digest).unwrap().agent.shared_users;
        assert_eq!(kept, effective.agent.shared_users);
        assert_eq!(kept.keys().copied().collect::<Vec<u32>>(), named);
        assert!(kept.get(&1001).is_none_or(|reason| reason == "a"), "as it was agreed to");
    }
}

#[test]
fn that_reasons_need_a_code_holds_at_once_and_that_they_need_none_waits() {
    let found = site();
    let rest = fs::read_to_string(found.path("agent.yaml")).unwrap();
    let reasons = |line: &str| {
        found.write("agent.yaml", format!("{rest}{line}\n"));
        found.load().unwrap()
    };
    let (silent, notes, codes) =
        (reasons(""), reasons("reasons: notes"), reasons("reasons: codes"));
    for (from, to, tightened, pending, by_code) in [
        (&silent, &codes, &["reasons"][..], &[][..], true),
        (&codes, &notes, &[], &["reasons"], true),
        (&codes, &codes, &[], &[], true),
        (&silent, &notes, &[], &[], false),
    ] {
        assert_eq!(compared(from, to), (owned(tightened), owned(pending)));
        let effective = inforce::compare(from, to).effective;
        let digest = inforce::keep(&found.path("state"), &effective.files).unwrap();
        let agent = crate::config::Agent { state: found.path("state"), ..to.agent.clone() };
        let kept = inforce::kept(&agent, digest).unwrap().agent.reasons_by_code;
        assert_eq!((kept, effective.agent.reasons_by_code), (by_code, by_code));
    }
    assert!(!notes.agent.agreed().contains("reasons"), "as before there were codes");
}
