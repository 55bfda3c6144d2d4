//! Copies that people make and keep: asked for, approved, made known, moved, destroyed by one person and vouched for by
//! another, certified as that.

use super::*;

const DOC: &str = "府民戶字第1150001234號";

/// A loaded batch of [`LINK`] under a policy of which these words are changed, and its id.
pub(crate) fn loaded<'p>(people: &'p People, rules: &[(&str, &str)]) -> (Site<'p>, String) {
    let site = Site::in_memory(people);
    site.init();
    site.accounts(UNIT);
    site.install(&[], &["small-20"]);
    for (from, to) in rules {
        edit(&site, "policies/taoyuan-dwcd.yaml", from, to);
    }
    if !rules.is_empty() {
        site.run_as("ada", &["config", "propose"]).ok();
        site.run_as("ben", &["config", "confirm"]).ok();
    }
    site.once();
    let id = site.batches()[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(site.show(&id)["state"], "loaded");
    (site, id)
}

pub(crate) fn copy(site: &Site<'_>, id: &str) -> Value {
    let rows = site.run(&["copy", "list", "--all", "--json"]).ok().json();
    rows.as_array().unwrap().iter().find(|row| row["id"] == id).unwrap().clone()
}

/// Codes of the tasks or alarms that stand.
fn codes(site: &Site<'_>, part: &str) -> Vec<String> {
    let page = site.run(&["status", "--json"]).json();
    let rows = if part == "tasks" { &page["tasks"]["rows"] } else { &page["alarms"] };
    rows.as_array().unwrap().iter().map(|row| row["code"].as_str().unwrap().to_owned()).collect()
}

fn stands_in(site: &Site<'_>, part: &str, code: &str) -> bool {
    codes(site, part).iter().any(|one| one == code)
}

#[track_caller]
fn ask(site: &Site<'_>, batch: &str, kind: &str, medium: &str) -> String {
    let words = ["copy", "request", batch, "--kind", kind, "--medium", medium];
    site.run_as("henry", &[words.as_slice(), &["--reason", "hearing"]].concat()).ok().id('c')
}

/// A stick that somebody keeps, made known.
#[track_caller]
pub(crate) fn stick(site: &Site<'_>, of: &str, more: &[&str]) -> String {
    let words = ["copy", "declare", of, "--medium", "flash", "--serial", "SN-42"];
    let place = ["--place", "cabinet 3", "--lock", "safe", "--holder", "henry"];
    site.run_as("alice", &[words.as_slice(), &place, more].concat()).ok().id('c')
}

#[track_caller]
pub(crate) fn ordered(site: &Site<'_>, words: &[&str]) -> String {
    let words = [&["destroy", "request"], words, &["--reason", "over"]].concat();
    let order = site.run_as("alice", &words).ok().id('o');
    site.run_as("sue", &["destroy", "approve", &order]).ok();
    order
}

pub(crate) fn record<'a>(copy: &'a str, method: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let words = ["media", "record", copy, "--method", method, "--place", "basement"];
    [words.as_slice(), &["--performer", "alice"], more].concat()
}

pub(crate) fn certificate(site: &Site<'_>, order: &str) -> Value {
    let shown = site.run(&["certificate", "show", order]).ok();
    let file = site.temporary().join(format!("{order}.json"));
    std::fs::write(&file, &shown.stdout).unwrap();
    site.run(&["certificate", "verify", file.to_str().unwrap()]).ok();
    shown.json()["certificate"].clone()
}

#[test]
fn a_copy_is_approved_by_another_person_with_the_offices_number_before_it_is_made() {
    let people = People::new();
    let (site, batch) = loaded(&people, &[]);
    // This policy has another clock.
    site.run_as("henry", &["use", "filed", &batch, "--doc-no", DOC]).exits(64);
    let id = ask(&site, &batch, "media", "flash");
    assert!(stands_in(&site, "tasks", "decide-copy"));
    refused(&site, "henry", &["copy", "approve", &id, "--doc-no", DOC]);
    refused(&site, "alice", &["copy", "approve", &id, "--doc-no", DOC]);
    let made = ["copy", "declare", &id, "--place", "safe", "--holder", "henry", "--serial", "1"];
    site.run_as("alice", &made).exits(64);
    // Who wants the whole destroyed has to say first what becomes of it.
    site.run_as("sue", &["copy", "approve", &id, "--doc-no", DOC]).ok();
    assert!(stands_in(&site, "tasks", "declare-copy"));
    no_need(&site, SMALL);
    let request = ["destroy", "request", &batch, "--reason", "over"];
    assert!(site.run_as("alice", &request).exits(64).stderr.contains("copy withdraw"));
    // What was approved is made as it was approved.
    let other = [made.as_slice(), &["--medium", "optical"]].concat();
    refused(&site, "alice", &other);
    site.run_as("alice", &made).ok();
    let row = copy(&site, &id);
    assert_eq!((&row["state"], &row["approved_doc_no"]), (&"kept".into(), &DOC.into()));
    assert_eq!((&row["unapproved"], &row["facts"]["serial"]), (&false.into(), &"1".into()));
    assert!(!stands_in(&site, "alarms", "copy-unapproved"));
    site.verify();
}

#[test]
fn a_copy_that_is_denied_or_withdrawn_was_never_made() {
    let people = People::new();
    let (site, batch) = loaded(&people, &[]);
    let first = ask(&site, &batch, "paper", "paper");
    site.run_as("sue", &["copy", "deny", &first, "--reason", "look it up"]).ok();
    let second = ask(&site, &batch, "paper", "paper");
    site.run_as("sue", &["copy", "approve", &second, "--doc-no", DOC]).ok();
    site.run_as("henry", &["copy", "withdraw", &second, "--reason", "not needed"]).ok();
    for id in [&first, &second] {
        assert_eq!(copy(&site, id)["never_made"], true);
        site.run_as("sue", &["copy", "approve", id, "--doc-no", DOC]).exits(64);
    }
    no_need(&site, SMALL);
    ordered(&site, &[&batch]);
    assert_eq!(site.show(&batch)["state"], "closed");
}

#[test]
fn the_policy_says_whether_copies_are_asked_for_or_forbidden() {
    let people = People::new();
    let from = "approval: { value: office, clause: TY-4.2.4 }";
    let to = |word: &str| format!("approval: {{ value: {word}, clause: TY-4.2.4 }}");
    let (site, batch) = loaded(&people, &[(from, &to("forbidden"))]);
    let words = ["copy", "request", &batch, "--kind", "paper", "--reason", "hearing"];
    assert!(refused(&site, "henry", &words).stderr.contains("TY-4.2.4"));
    let (site, batch) = loaded(&people, &[(from, &to("none"))]);
    let id = ask(&site, &batch, "paper", "paper");
    assert_eq!(copy(&site, &id)["state"], "planned");
    let made = ["copy", "declare", &id, "--place", "file 115-42", "--holder", "henry"];
    site.run_as("henry", &made).ok();
    assert_eq!(copy(&site, &id)["unapproved"], false);
}

#[test]
fn what_is_there_is_taken_down_also_where_nobody_approved_it_and_stays_an_alarm() {
    let people = People::new();
    let (site, batch) = loaded(&people, &[]);
    let words = ["copy", "declare", &batch, "--kind", "media", "--medium", "flash"];
    let place = ["--place", "desk", "--holder", "henry"];
    // A medium without a number is one among many.
    site.run_as("alice", &[words.as_slice(), &place].concat()).exits(64);
    let id = stick(&site, &batch, &["--kind", "media"]);
    assert!(stands_in(&site, "alarms", "copy-unapproved"));
    // Whoever takes the office over is handed it by its number.
    let list = site.run(&["duties", "list", "--format", "html", "-o", "-"]).ok();
    assert!(list.text().contains("SN-42") && list.text().contains("cabinet 3"), "{}", list.text());
    let moved = ["copy", "move", &id, "--place", "archive", "--holder", "alice"];
    site.run_as("alice", &moved).ok();
    assert_eq!(copy(&site, &id)["facts"]["place"], "archive");
    assert!(copy(&site, &id)["facts"]["lock"].is_null());
    let order = ordered(&site, &[&batch, "--copy", &id]);
    site.run_as("alice", &record(&id, "shredded", &[])).ok();
    site.run_as("audrey", &["media", "confirm", &id]).ok();
    assert!(!stands_in(&site, "alarms", "copy-unapproved"));
    assert_eq!(site.show(&batch)["state"], "loaded", "the batch is in use as before");
    assert_eq!(certificate(&site, &order)["attested"][0]["facts"]["serial"], "SN-42");
}

#[test]
fn a_stick_and_the_password_letter_go_in_the_batch_s_order_and_two_people_say_so() {
    let people = People::new();
    let (site, batch) = loaded(&people, &[]);
    let media = stick(&site, &batch, &["--kind", "carrier", "--model", "Acme 8 GB"]);
    let letter = ["copy", "declare", &batch, "--kind", "key-carrier", "--medium", "paper"];
    let place = ["--place", "safe", "--holder", "alice"];
    let letter = site.run_as("alice", &[letter.as_slice(), &place].concat()).ok().id('c');
    refused(&site, "alice", &record(&media, "shredded", &[]));
    no_need(&site, SMALL);
    let order = ordered(&site, &[&batch]);
    assert_eq!(site.show(&batch)["state"], "condemned", "people have not done their part");
    assert!(stands_in(&site, "tasks", "destroy-copy"));
    // What does nothing to the medium is refused, and a medium that stays in use is an exception.
    assert!(
        refused(&site, "alice", &record(&media, "degaussed", &[])).stderr.contains("crushed")
            || refused(&site, "alice", &record(&media, "degaussed", &[]))
                .stderr
                .contains("shredded")
    );
    refused(&site, "alice", &record(&media, "erased", &[]));
    refused(&site, "alice", &record(&media, "shredded", &["--on", "2020-01-01"]));
    site.run_as("alice", &record(&media, "shredded", &["--on", "2030-01-01"])).exits(64);
    site.run_as("alice", &["media", "confirm", &media]).exits(64);
    let photo = site.temporary().join("photo.jpg");
    std::fs::write(&photo, b"synthetic photograph").unwrap();
    let evidence = ["--evidence", photo.to_str().unwrap(), "--tool", "shredder P-5"];
    site.run_as("alice", &record(&media, "shredded", &evidence)).ok();
    assert!(stands_in(&site, "tasks", "confirm-end"));
    refused(&site, "alice", &["media", "confirm", &media]);
    site.run_as("audrey", &["media", "confirm", &media]).ok();
    assert_eq!(site.show(&batch)["state"], "condemned", "the letter is still there");
    site.run_as("alice", &record(&letter, "pulped", &[])).ok();
    site.run_as("henry", &["media", "confirm", &letter]).ok();
    assert_eq!(site.show(&batch)["state"], "closed");
    let page = certificate(&site, &order);
    let attested = page["attested"].as_array().unwrap();
    assert_eq!(attested.len(), 2);
    let of = |id: &str| attested.iter().find(|copy| copy["copy"] == id).unwrap();
    assert_eq!(of(&media)["end"]["evidence"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&of(&media)["sanitization"], &of(&media)["witness"]),
        (&"destroy".into(), &"audrey".into())
    );
    assert_eq!(of(&media)["facts"]["model"], "Acme 8 GB");
    assert_eq!(of(&letter)["facts"]["kind"], "key-carrier");
    let wiped = page["copies"].as_array().unwrap();
    assert!(
        wiped.iter().all(|copy| copy["in_words"]["zh"].is_string() && copy["report"].is_object())
    );
    assert!(page["people"].as_array().unwrap().iter().any(|one| one["account"] == "audrey"));
    assert!(page["backups"].is_null(), "nothing is stated about backups");
    site.verify();
}

#[test]
fn a_hold_forbids_what_people_would_destroy_and_what_they_say_then_counts_for_nothing() {
    let people = People::new();
    let (site, batch) = loaded(&people, &[]);
    let id = stick(&site, &batch, &["--kind", "carrier"]);
    let order = ordered(&site, &[&batch, "--copy", &id]);
    site.run_as("alice", &record(&id, "crushed", &[])).exits(77);
    site.run_as("alice", &record(&id, "shredded", &[])).ok();
    let words = ["hold", "place", &batch, "--authority", "court", "--doc-no", "1", "--review"];
    let hold = site.run_as("audrey", &[words.as_slice(), &["2027-01-31"]].concat()).ok().id('h');
    refused(&site, "sue", &["media", "confirm", &id]);
    // It may be gone already: nobody has vouched for that, and nobody can read it any more.
    assert_eq!(copy(&site, &id)["state"], "unreadable");
    let rows = site.run(&["destroy", "list", "--json"]).ok().json();
    let row = rows.as_array().unwrap().iter().find(|row| row["id"] == order.as_str()).unwrap();
    assert_eq!((&row["state"], &row["voided"]), (&"voided".into(), &"hold".into()));
    site.run_as("sue", &["hold", "lift", &hold]).ok();
    // A new order needs a new record: the old one was made under an approval that lost its force.
    ordered(&site, &[&batch, "--copy", &id]);
    site.run_as("sue", &["media", "confirm", &id]).exits(64);
    site.run_as("alice", &record(&id, "shredded", &[])).ok();
    site.run_as("sue", &["media", "confirm", &id]).ok();
    assert_eq!(copy(&site, &id)["state"], "destroyed");
}

#[test]
fn what_turns_up_after_an_approval_voids_it_and_what_turns_up_after_the_end_is_an_alarm() {
    let people = People::new();
    let (site, batch) = loaded(&people, &[]);
    let first = stick(&site, &batch, &["--kind", "carrier"]);
    no_need(&site, SMALL);
    let order = ordered(&site, &[&batch]);
    let second = stick(&site, &batch, &["--kind", "backup"]);
    site.once();
    let rows = site.run(&["destroy", "list", "--json"]).ok().json();
    let row = rows.as_array().unwrap().iter().find(|row| row["id"] == order.as_str()).unwrap();
    assert_eq!(row["voided"], "copy-came");
    assert_eq!(site.show(&batch)["state"], "due");
    ordered(&site, &[&batch]);
    for id in [&first, &second] {
        site.run_as("alice", &record(id, "incinerated", &[])).ok();
        site.run_as("sue", &["media", "confirm", id]).ok();
    }
    assert_eq!(site.show(&batch)["state"], "closed");
    let third = stick(&site, &batch, &["--kind", "backup"]);
    assert!(stands_in(&site, "alarms", "copy-left-behind"));
    assert!(stands_in(&site, "tasks", "request-copy-destruction"));
    let order = ordered(&site, &[&batch, "--copy", &third]);
    site.run_as("alice", &record(&third, "shredded", &[])).ok();
    site.run_as("sue", &["media", "confirm", &third]).ok();
    assert!(!stands_in(&site, "alarms", "copy-left-behind"));
    assert_eq!(certificate(&site, &order)["attested"][0]["copy"], third.as_str());
    site.verify();
}

#[test]
fn a_copy_with_a_date_of_its_own_is_asked_for_and_late_after_it() {
    let people = People::new();
    let (site, batch) = loaded(&people, &[]);
    let id = stick(&site, &batch, &["--kind", "hand-over", "--delete-by", "2026-11-30"]);
    assert!(!stands_in(&site, "alarms", "copy-overdue"));
    site.wait_minutes(40 * 24 * 60);
    assert!(stands_in(&site, "alarms", "copy-overdue"));
    assert!(stands_in(&site, "tasks", "request-copy-destruction"));
    ordered(&site, &[&batch, "--copy", &id]);
    site.run_as("alice", &record(&id, "shredded", &[])).ok();
    site.run_as("sue", &["media", "confirm", &id]).ok();
    assert!(!stands_in(&site, "alarms", "copy-overdue"));
}

#[test]
fn once_printed_and_filed_transfer_files_and_media_are_due_and_further_offices_get_papers() {
    let people = People::new();
    let rules = [
        (
            "start_event: { value: use-ended, clause: TY-4.3.2 }",
            "start_event: { value: printed-and-filed, clause: TPH-5.7 }",
        ),
        ("media_papers: { value: []", "media_papers: { value: [cc-it, cc-ethics]"),
    ];
    let (site, batch) = loaded(&people, &rules);
    let id = stick(&site, &batch, &["--kind", "carrier"]);
    let paper =
        ["copy", "declare", &batch, "--kind", "paper", "--place", "file", "--holder", "henry"];
    let paper = site.run_as("henry", &paper).ok().id('c');
    refused(&site, "alice", &["use", "filed", &batch, "--doc-no", DOC]);
    site.run_as("henry", &["use", "filed", &batch, "--doc-no", DOC]).ok();
    site.run_as("henry", &["use", "filed", &batch, "--doc-no", DOC]).exits(64);
    let order = ordered(&site, &[&batch]);
    let row = |kind: &str| {
        let rows = site.run(&["copy", "list", &batch, "--all", "--json"]).ok().json();
        rows.as_array().unwrap().iter().find(|row| row["kind"] == kind).unwrap()["state"].clone()
    };
    assert_eq!((row("transfer"), row("vault")), ("destroyed".into(), "kept".into()));
    site.run_as("alice", &record(&id, "shredded", &[])).ok();
    site.run_as("sue", &["media", "confirm", &id]).ok();
    assert_eq!(copy(&site, &paper)["state"], "kept", "what was filed stays in its file");
    assert_eq!(site.show(&batch)["state"], "loaded");
    assert!(stands_in(&site, "tasks", "closing-papers"));
    let close = ["destroy", "close", &order, "--cc-it", "資字1", "--cc-ethics", "政字1"];
    site.run_as("alice", &close).ok();
    site.run_as("sue", &["destroy", "confirm", &order]).ok();
    assert!(!stands_in(&site, "tasks", "closing-papers"));
    assert_eq!(certificate(&site, &order)["attested"].as_array().unwrap().len(), 1);
}

#[test]
fn the_policy_says_who_may_destroy_media_and_who_may_vouch_for_it() {
    let people = People::new();
    let rules = [
        ("performers: { value: [custodian, handler]", "performers: { value: [custodian]"),
        (
            "witnesses: { value: [custodian, handler, supervisor, auditor]",
            "witnesses: { value: [auditor]",
        ),
    ];
    let (site, batch) = loaded(&people, &rules);
    let id = stick(&site, &batch, &["--kind", "carrier"]);
    ordered(&site, &[&batch, "--copy", &id]);
    refused(&site, "henry", &record(&id, "shredded", &[]));
    site.run_as("alice", &record(&id, "shredded", &[])).ok();
    refused(&site, "sue", &["media", "confirm", &id]);
    site.run_as("audrey", &["media", "confirm", &id]).ok();
}

#[test]
fn a_certificate_names_the_backups_that_are_stated() {
    let people = People::new();
    let site = Site::in_memory(&people);
    site.init();
    site.accounts(UNIT);
    let path = site.dir.join("agent.yaml");
    let mut text = std::fs::read_to_string(&path).unwrap();
    text.retain(|c| c != '\r');
    let stated = "backups: [{ name: nightly, place: nas2, keeps: P30D }]\n";
    std::fs::write(&path, format!("{text}\n{stated}")).unwrap();
    site.install(&[], &["small-20"]);
    site.once();
    let batch = no_need(&site, SMALL);
    let order = ordered(&site, &[&batch]);
    let page = certificate(&site, &order);
    assert_eq!(page["backups"][0]["name"], "nightly");
    let file = site.temporary().join(format!("{order}.json"));
    let told = site.run(&["certificate", "verify", file.to_str().unwrap()]).ok();
    assert!(told.text().contains("nightly"), "{}", told.text());
    assert!(told.text().contains("does not cover"), "{}", told.text());
}

#[test]
fn who_did_it_does_not_vouch_for_it_and_a_record_that_is_replaced_is_told_as_that() {
    let people = People::new();
    let (site, batch) = loaded(&people, &[]);
    let id = stick(&site, &batch, &["--kind", "carrier"]);
    ordered(&site, &[&batch, "--copy", &id]);
    let words = ["media", "record", &id, "--method", "shredded", "--place", "room", "--performer"];
    site.run_as("alice", &[words.as_slice(), &["henry"]].concat()).ok();
    refused(&site, "henry", &["media", "confirm", &id]);
    let again = site.run_as("alice", &[words.as_slice(), &["carol"]].concat()).ok();
    assert!(again.text().contains("in place of what 'alice' said"), "{}", again.text());
    // The witness sees what is recorded before vouching for it.
    assert_eq!(copy(&site, &id)["end"]["performer"], "carol");
    site.run_as("henry", &["media", "confirm", &id]).ok();
    assert_eq!(copy(&site, &id)["witness"], "henry");
}

#[test]
fn what_a_hold_interrupted_is_recorded_under_the_next_order_by_its_true_day() {
    let people = People::new();
    let (site, batch) = loaded(&people, &[]);
    let id = stick(&site, &batch, &["--kind", "carrier"]);
    ordered(&site, &[&batch, "--copy", &id]);
    site.run_as("alice", &record(&id, "shredded", &[])).ok();
    let day = copy(&site, &id)["end"]["at"].as_str().unwrap()[..10].to_owned();
    let words = ["hold", "place", &batch, "--authority", "court", "--doc-no", "1", "--review"];
    let hold = site.run_as("audrey", &[words.as_slice(), &["2027-01-31"]].concat()).ok().id('h');
    site.once();
    site.wait_minutes(3 * 24 * 60);
    site.run_as("sue", &["hold", "lift", &hold]).ok();
    ordered(&site, &[&batch, "--copy", &id]);
    refused(&site, "alice", &record(&id, "shredded", &["--on", "2026-11-01"]));
    site.run_as("alice", &record(&id, "shredded", &["--on", &day])).ok();
    site.run_as("sue", &["media", "confirm", &id]).ok();
}

#[test]
fn no_typed_word_about_a_copy_may_look_like_an_id_number() {
    let people = People::new();
    let (site, batch) = loaded(&people, &[]);
    let words = ["copy", "declare", &batch, "--kind", "key-carrier", "--medium", "paper"];
    for place in [
        ["--place", "A123456789", "--holder", "henry"],
        ["--place", "x", "--holder", "for A123456789"],
    ] {
        site.run_as("alice", &[words.as_slice(), &place].concat()).exits(65);
    }
}
