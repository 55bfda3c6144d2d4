//! What loosens the configuration waits for a second person; what tightens does not.

use super::*;

fn pending(site: &Site<'_>) -> Vec<String> {
    let rows = site.run(&["config", "show", "--json"]).ok().json();
    rows.as_array().unwrap().iter().map(|row| row["code"].as_str().unwrap().to_owned()).collect()
}

/// Mallory proposes, and tries to confirm in every way.
#[track_caller]
fn not_alone(site: &Site<'_>, code: &str) {
    assert_eq!(pending(site), [code]);
    site.run_as("mallory", &["config", "propose"]).ok();
    refused(site, "mallory", &["config", "confirm"]);
    site.run(&["config", "confirm"]).exits(77);
    site.once();
    assert_eq!(pending(site), [code], "it still waits");
}

#[test]
fn a_new_signer_waits_for_a_second_person() {
    let people = People::new();
    let site = with_mallory(&people, &[]);
    let stranger = std::fs::read_to_string(people.key("keys/signers/stranger.pub"));
    let key = stranger.unwrap_or_else(|_| {
        let mut keygen = Command::new("ssh-keygen");
        let key = keygen.arg("-y").arg("-f").arg(people.key("keys/signers/stranger"));
        String::from_utf8(done(key)).unwrap()
    });
    let list = site.dir.join("links/moca.allowed_signers");
    let mut text = std::fs::read_to_string(&list).unwrap();
    text.push_str(&format!("intruder namespaces=\"batchward-manifest\" {key}\n"));
    std::fs::write(&list, text).unwrap();
    not_alone(&site, "signers");
    site.install(&[], &["signed-by-stranger"]);
    site.once();
    let rows = site.batches();
    assert_eq!(
        (&rows[0]["state"], &rows[0]["reason"]),
        (&"quarantined".into(), &"unknown-signer".into())
    );
    let batch = rows[0]["id"].as_str().unwrap().to_owned();
    site.run_as("alice", &["batch", "release", &batch, "--reason", "again"]).ok();
    assert_eq!(site.show(&batch)["reason"], "unknown-signer", "a release does not override");
    // Another person confirms: from then on, and not before, the signer counts.
    site.run_as("ada", &["config", "confirm"]).ok();
    assert!(pending(&site).is_empty());
    site.run_as("alice", &["batch", "release", &batch, "--reason", "again"]).ok();
    assert_ne!(site.show(&batch)["reason"], "unknown-signer");
}

#[test]
fn a_new_item_waits_for_a_second_person() {
    let people = People::new();
    let site = with_mallory(&people, &[]);
    edit(&site, "links/moca-full.yaml", "village_name]", "village_name, household_no]");
    not_alone(&site, "items");
    let fields = ["--fields", "household_no"];
    apply(&site, "henry", "2027-06-30", &fields).exits(77);
    site.run_as("sue", &["config", "confirm"]).ok();
    apply(&site, "henry", "2027-06-30", &fields).ok();
}

#[test]
fn a_later_date_waits_for_a_second_person() {
    let people = People::new();
    let site = with_mallory(&people, &[]);
    edit(&site, "links/moca-full.yaml", "2027-12-31", "2028-12-31");
    not_alone(&site, "approved-until-later");
    apply(&site, "henry", "2028-06-30", &[]).exits(77);
    site.run_as("ada", &["config", "confirm"]).ok();
    apply(&site, "henry", "2028-06-30", &[]).ok();
}

#[test]
fn a_weaker_policy_waits_for_a_second_person() {
    let people = People::new();
    let site = with_mallory(&people, &[]);
    edit(&site, "policies/taoyuan-dwcd.yaml", "value: 10000", "value: 999999");
    not_alone(&site, "policy-changed");
    apply(&site, "henry", "2027-06-30", &[]).ok();
    let applied = of_type(&site, "grant-applied");
    assert_eq!(applied[0]["body"]["terms"]["row_cap"], 10_000);
}

#[test]
fn another_layout_waits_for_a_second_person() {
    let people = People::new();
    let site = with_mallory(&people, &[]);
    edit(&site, "layouts/hr-person-01.yaml", "eudc: ms-pua", "eudc: refuse");
    not_alone(&site, "layout-changed");
}

#[test]
fn suspending_is_in_force_at_once_and_ending_it_waits() {
    let people = People::new();
    let site = with_mallory(&people, &[]);
    edit(&site, "links/moca-full.yaml", "status: active", "status: suspended");
    site.install(&[], &["small-20"]);
    site.once();
    assert_eq!(stands(&site, SMALL), ("quarantined".to_owned(), "link-inactive".into()));
    assert_eq!(of_type(&site, "config-tightened").len(), 1);
    edit(&site, "links/moca-full.yaml", "status: suspended", "status: active");
    not_alone(&site, "status");
    let batch = id_of(&site, SMALL);
    site.run_as("alice", &["batch", "release", &batch, "--reason", "again"]).ok();
    assert_eq!(stands(&site, SMALL).1, "link-inactive");
    site.run_as("ada", &["config", "confirm"]).ok();
    site.run_as("alice", &["batch", "release", &batch, "--reason", "again"]).ok();
    assert_eq!(stands(&site, SMALL), ("loaded".to_owned(), Value::Null));
}

#[test]
fn putting_a_tightened_file_back_is_a_loosening() {
    let people = People::new();
    let site = with_mallory(&people, &[]);
    let (units, more) = ("units: [幼兒托育科]", "units: [幼兒托育科, 社會救助科]");
    edit(&site, "links/moca-full.yaml", units, more);
    site.run_as("ada", &["config", "propose"]).ok();
    site.run_as("ben", &["config", "confirm"]).ok();
    for (from, to, code) in [
        ("2027-12-31", "2026-12-31", "approved-until-later"),
        ("birth_date, village_name]", "birth_date]", "items"),
        ("units: [幼兒托育科, 社會救助科]", "units: [社會救助科]", "units"),
    ] {
        edit(&site, "links/moca-full.yaml", from, to);
        site.once();
        edit(&site, "links/moca-full.yaml", to, from);
        assert!(pending(&site).iter().any(|c| c == code), "{code}: {:?}", pending(&site));
    }
}

#[test]
fn a_list_that_is_exchanged_whole_suspends_its_link() {
    let people = People::new();
    for (from, to, code) in [
        ("[national_id, name, birth_date, village_name]", "[sex]", "items"),
        ("units: [幼兒托育科]", "units: [社會救助科]", "units"),
    ] {
        let site = Site::founded(&people, &["small-20"], UNIT);
        site.once();
        let grant = site.grant(LINK);
        edit(&site, "links/moca-full.yaml", from, to);
        assert!(site.query(&grant, &[]).exits(77).stdout.is_empty());
        assert_eq!(pending(&site), [code, "status"]);
        // Nothing is lost: two people put it in force, or take it back.
        edit(&site, "links/moca-full.yaml", to, from);
        assert_eq!(pending(&site), ["status"]);
        site.run_as("ada", &["config", "propose"]).ok();
        site.run_as("ben", &["config", "confirm"]).ok();
        site.query(&grant, &[]).ok();
    }
}

#[test]
fn a_confirmation_is_for_the_files_that_were_proposed() {
    let people = People::new();
    let site = with_mallory(&people, &[]);
    edit(&site, "links/moca-full.yaml", "2027-12-31", "2028-12-31");
    site.run_as("ada", &["config", "propose"]).ok();
    edit(&site, "links/moca-full.yaml", "2028-12-31", "2038-12-31");
    refused(&site, "ben", &["config", "confirm"]);
}

#[test]
fn what_an_approved_grant_may_show_shrinks_with_its_link() {
    let people = People::new();
    let site = with_mallory(&people, &["small-20"]);
    let grant = site.grant(LINK);
    let narrow = apply(&site, "henry", "2027-06-30", &["--fields", "national_id"]).ok().id('g');
    site.run_as("sue", &["grant", "approve", &narrow]).ok();
    site.query(&grant, &[]).ok();
    edit(&site, "links/moca-full.yaml", ", village_name]", "]");
    let shown = site.query(&grant, &["--format", "csv"]).ok();
    assert_eq!(shown.text().lines().next(), Some("national_id,name,birth_date"));
    let ran = site.query(&grant, &["--where", "village_name=-"]).exits(77);
    assert!(ran.stdout.is_empty());
    edit(&site, "links/moca-full.yaml", ", name, birth_date]", "]");
    edit(&site, "links/moca-full.yaml", "[national_id]", "[birth_date]");
    assert!(site.query(&narrow, &[]).exits(77).stdout.is_empty());
    edit(&site, "links/moca-full.yaml", "[birth_date]", "[national_id]");
    edit(&site, "links/moca-full.yaml", "status: active", "status: suspended");
    assert!(site.query(&narrow, &[]).exits(77).stdout.is_empty());
}
