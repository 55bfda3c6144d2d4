//! Amendments: what somebody typed wrongly is amended by a new entry, and nothing else is. All texts are synthetic.

use super::*;

const WRONG: &str = "府社婦字第1150000011號";
const RIGHT: &str = "府社婦字第1150000012號";

/// The place of the last entry of a kind.
fn place_of(site: &Site<'_>, kind: &str) -> String {
    of_type(site, kind).last().unwrap()["seq"].to_string()
}

fn amend<'a>(entry: &'a str, field: &'a str, to: &'a str) -> Vec<&'a str> {
    vec!["register", "amend", entry, "--field", field, "--to", to, "--reason", "文號誤植"]
}

/// The annex of what was amended, as the printed register has it.
fn export(site: &Site<'_>, format: &str) -> String {
    let ran = site.run(&["register", "export", "--format", format, "-o", "-"]).ok();
    String::from_utf8_lossy(&ran.stdout).into_owned()
}

#[test]
fn a_number_is_amended_by_two_people_before_and_after_it_was_printed() {
    let people = People::new();
    let site = with_mallory(&people, &["small-20"]);
    let batch = id_of(&site, SMALL);
    let ask = ["copy", "request", &batch, "--kind", "paper", "--reason", "開庭"];
    let copy = site.run_as("henry", &ask).ok().id('c');
    site.run_as("sue", &["copy", "approve", &copy, "--doc-no", WRONG]).ok();
    let entry = place_of(&site, "copy-approved");
    assert!(!export(&site, "csv").contains("更正前"), "nothing is amended yet");

    // One person alone amends nothing, and a text is a text.
    site.run_as("alice", &amend(&entry, "doc-no", RIGHT)).ok();
    let amendment = place_of(&site, "fact-amended");
    refused(&site, "alice", &["register", "confirm", &amendment]);
    refused(&site, "ada", &["register", "confirm", &amendment]);
    site.run_as("alice", &amend(&entry, "doc-no", RIGHT)).exits(64);
    site.run_as("alice", &amend(&entry, "doc-no", "A123456789")).exits(65);
    let rows = || site.run(&["copy", "list", &batch, "--json"]).ok().json();
    let number = |rows: Value| {
        let rows = rows.as_array().unwrap().clone();
        rows.iter().find(|row| row["id"] == *copy).unwrap()["approved_doc_no"].clone()
    };
    assert_eq!(number(rows()), WRONG);
    // The supervisor gave the number: the office that decided confirms, and not who asked for the copy.
    for name in ["audrey", "henry"] {
        refused(&site, name, &["register", "confirm", &amendment]);
    }
    site.run_as("sue", &["register", "confirm", &amendment]).ok();
    site.run_as("sue", &["register", "confirm", &amendment]).exits(64);
    assert_eq!(number(rows()), RIGHT);

    // Both stand: on the screen, and on paper with a line through the old one.
    let shown = site.run(&["register", "show"]).ok();
    let line = shown.text().lines().find(|line| line.contains("amended by entry")).unwrap();
    assert!(line.contains(RIGHT) && line.contains(&amendment), "{line}");
    assert!(export(&site, "csv").contains(&format!("（更正前：{WRONG}）")));
    let page = export(&site, "html");
    assert!(page.contains(&format!("<s>{WRONG}</s>")) && page.contains(RIGHT), "{page}");
    assert!(
        site.run(&["register", "export", "--format", "pdf", "-o", "-"]).ok().stdout.len() > 1000
    );
    let sheet: Value = serde_json::from_str(&export(&site, "json")).unwrap();
    let amended = &sheet["rows"][0]["amendments"][0];
    assert_eq!((&amended["from"], &amended["to"]), (&WRONG.into(), &RIGHT.into()));
    assert_eq!((&amended["by"], &amended["confirmed_by"]), (&"alice".into(), &"sue".into()));

    // After it was printed it is the same, and what is amended is what stands.
    let third = "府社婦字第1150000013號";
    site.run_as("henry", &amend(&entry, "doc-no", third)).ok();
    let amendment = place_of(&site, "fact-amended");
    assert_eq!(of_type(&site, "fact-amended").last().unwrap()["body"]["from"], RIGHT);
    site.run_as("sue", &["register", "confirm", &amendment]).ok();
    assert_eq!(number(rows()), third);
    let bundle = site.temporary().join("evidence.zip");
    site.run(&["evidence", &batch, "-o", bundle.to_str().unwrap()]).ok();
    site.run(&["evidence", "verify", bundle.to_str().unwrap()]).ok();
    site.verify();
}

#[test]
fn what_the_agent_found_or_did_takes_a_note_only() {
    let people = People::new();
    let site = with_mallory(&people, &["small-20"]);
    for kind in ["outcome", "site-created", "delivery-seen"] {
        let entry = place_of(&site, kind);
        let ran = site.run_as("alice", &amend(&entry, "doc-no", "1")).exits(64);
        assert!(ran.stderr.contains("register note"), "{}", ran.stderr);
    }
    site.run_as("alice", &amend("99999", "doc-no", "1")).exits(64);
    site.run_as("alice", &amend("1", "digest", "1")).exits(64);
    let entry = place_of(&site, "outcome");
    site.run_as("alice", &["register", "note", &entry, "--text", "當日時鐘慢五分鐘"]).ok();
    let note = of_type(&site, "note-added").last().unwrap()["body"].clone();
    assert_eq!((note["entry"].to_string(), &note["text"]), (entry, &"當日時鐘慢五分鐘".into()));
    site.verify();
}

#[test]
fn an_application_that_is_amended_is_decided_on_as_it_stands() {
    let people = People::new();
    let site = with_mallory(&people, &["small-20"]);
    let grant = apply(&site, "henry", "2027-06-30", &[]).ok().id('g');
    let entry = place_of(&site, "grant-applied");
    site.run_as("henry", &amend(&entry, "basis", RIGHT)).ok();
    let amendment = place_of(&site, "fact-amended");
    site.run_as("alice", &["register", "confirm", &amendment]).ok();
    site.run_as("sue", &["grant", "approve", &grant]).ok();
    let rows = site.run(&["grant", "list", "--json"]).ok().json();
    assert_eq!((&rows[0]["basis"], &rows[0]["state"]), (&RIGHT.into(), &"open".into()));
    // What was signed names the amendment: nobody can say that the supervisor saw the old text.
    let decided =
        of_type(&site, "grant-approved").last().unwrap()["body"]["signed"]["text"].clone();
    let signed: Value = serde_json::from_str(decided.as_str().unwrap()).unwrap();
    let first = site.run_as("sue", &["grant", "deny", &grant, "--reason", "x"]);
    first.exits(64);
    // What the grant is for, and by which letter, is the supervisor's word from now on.
    let purpose = amend(&entry, "purpose", "其他用途");
    site.run_as("alice", &purpose).ok();
    let amendment = place_of(&site, "fact-amended");
    for name in ["alice", "henry", "audrey"] {
        refused(&site, name, &["register", "confirm", &amendment]);
    }
    let rows = || site.run(&["grant", "list", "--json"]).ok().json();
    assert_eq!(rows()[0]["purpose"], "資格審查");
    site.run_as("sue", &["register", "confirm", &amendment]).ok();
    assert_eq!(rows()[0]["purpose"], "其他用途");
    assert!(signed["object_digest"].is_string());
    site.verify();
}

#[test]
fn whoever_an_application_was_made_for_does_not_confirm_what_changes_the_decision_on_it() {
    let people = People::new();
    let site = with_mallory(&people, &["small-20"]);
    an_office(&site);
    let grant = apply(&site, "dave", "2027-06-30", &[]).ok().id('g');
    let entry = place_of(&site, "grant-applied");
    site.run_as("sue", &["grant", "approve", &grant]).ok();
    site.run_as("henry", &amend(&entry, "purpose", "其他用途")).ok();
    let confirm = ["register", "confirm", &place_of(&site, "fact-amended")];
    let ran = site.run_as("walt", &confirm).exits(77);
    assert!(ran.stderr.contains("asked for or decided by 'walt'"), "{}", ran.stderr);
    site.run_as("sue", &confirm).ok();
    site.verify();
}
