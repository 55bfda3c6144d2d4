//! What must be refused, each with the clause that forbids it.

use super::*;

fn with(words: &[&str], from: &str, to: &str) -> Vec<String> {
    words
        .iter()
        .map(|word| if *word == from { to.to_owned() } else { (*word).to_owned() })
        .collect()
}

fn words(list: &[String]) -> Vec<&str> {
    list.iter().map(String::as_str).collect()
}

#[test]
fn key_and_data_by_one_channel_are_refused() {
    let people = People::new();
    let (site, batch) = agency(&people);
    let asked = request(&batch, &[]);
    for same in ["courier", "Courier"] {
        let asked = with(&asked, "registered-letter", same);
        refused(&site, "henry", &words(&asked), "TY-4.2.4");
    }
    // Ways that nobody agreed to are none.
    let asked = with(&asked, "courier", "mail");
    refused(&site, "henry", &words(&asked), "");
    let none: Vec<&str> = asked_without(&batch);
    assert!(site.run_as("henry", &none).exits(64).stderr.contains("TY-4.2.4"));
}

fn asked_without(batch: &str) -> Vec<&str> {
    let mut asked = request(batch, &[]);
    let at = asked.iter().position(|word| *word == "--key-channel").unwrap();
    asked.drain(at..at + 2);
    asked
}

#[test]
fn a_key_beside_its_data_is_a_fault_of_the_configuration() {
    let people = People::new();
    let (site, _) = agency(&people);
    let text = recipient("dingyue", "vendor", "vendor");
    for beside in ["../handed/dingyue", "../handed/dingyue/keys", "../handed"] {
        let text = text.replace("../handed-keys/dingyue", beside);
        fs::create_dir_all(site.dir.join("links").join(beside)).unwrap();
        fs::write(site.dir.join("recipients/dingyue.yaml"), &text).unwrap();
        let said = site.run(&["check"]).exits(78);
        assert!(said.text().contains("TPH-5.6") || said.stderr.contains("TPH-5.6"), "{said:?}");
    }
    // Nor in an inbox, nor in the state.
    for other in ["../drop/moca-full", "../state/x"] {
        let text = text.replace("../handed/dingyue", other);
        fs::write(site.dir.join("recipients/dingyue.yaml"), &text).unwrap();
        site.run(&["check"]).exits(78);
    }
}

#[test]
fn a_key_folder_that_became_the_outbox_is_refused_when_the_package_is_made() {
    let people = People::new();
    let (site, batch) = agency(&people);
    let id = site.run_as("henry", &request(&batch, &[])).ok().id('l');
    approve(&site, &id);
    // Between the check of the configuration and the making nobody can look: the adapter's own test shows that it
    // looks again. Here the command is refused before it begins.
    let keys = site.dir.join("handed-keys/dingyue");
    fs::remove_dir(&keys).unwrap();
    std::os::unix::fs::symlink(site.dir.join("handed/dingyue"), &keys).unwrap();
    let ran = site.run_as("alice", &["handover", "make", &id]);
    assert_ne!(ran.status, Some(0));
    assert!(ran.stderr.contains("TPH-5.6"), "{}", ran.stderr);
    assert!(site.files("handed").is_empty());
}

#[test]
fn who_is_on_no_list_gets_nothing() {
    let people = People::new();
    let (site, batch) = agency(&people);
    let asked = request(&batch, &[]);
    let other = with(&asked, "dingyue", "somebody");
    refused(&site, "henry", &words(&other), "TY-2.3");
    // A file alone puts nobody on the list: a second person does.
    write_recipient(&site, "somebody", &recipient("somebody", "agency", "own"));
    refused(&site, "henry", &words(&other), "TY-2.3");
    site.run_as("ada", &["config", "propose"]).ok();
    site.run_as("ben", &["config", "confirm"]).ok();
    let id = site.run_as("henry", &words(&other)).ok().id('l');
    approve(&site, &id);
    // Taken off the list, it is off at once.
    fs::remove_file(site.dir.join("recipients/somebody.yaml")).unwrap();
    refused(&site, "alice", &["handover", "make", &id], "TY-2.3");
    // What is not of a kind that the policy knows gets nothing either.
    list(&site, "clinic", &recipient("clinic", "health-centre", "own"));
    refused(&site, "henry", &words(&with(&asked, "dingyue", "clinic")), "TY-2.3");
}

#[test]
fn a_vendors_account_takes_nothing_out() {
    let people = People::new();
    let (site, batch) = agency(&people);
    people.new_key("vera");
    let key = people.public("vera");
    let add = ["account", "add", "vera", "--role", "handler,custodian,vendor", "--unit", UNIT];
    site.run_as("ada", &[add.as_slice(), &["--sign-key", key.to_str().unwrap()]].concat()).ok();
    site.run_as("ben", &["account", "confirm", "vera"]).ok();
    refused(&site, "vera", &request(&batch, &[]), "TY-4.2.1");
    let id = site.run_as("henry", &request(&batch, &[])).ok().id('l');
    approve(&site, &id);
    refused(&site, "vera", &["handover", "make", &id], "TY-4.2.1");
    let copy = ["copy", "request", &batch, "--kind", "media", "--medium", "flash"];
    refused(&site, "vera", &[copy.as_slice(), &["--reason", "home"]].concat(), "TY-4.2.1");
    site.run_as("alice", &["handover", "make", &id]).ok();
}

#[test]
fn the_requester_does_not_approve_and_documents_are_asked_for() {
    let people = People::new();
    let (site, batch) = agency(&people);
    site.walt_and_dora(UNIT);
    let id = site.run_as("walt", &request(&batch, &[])).ok().id('l');
    stands(&site, "tasks", "decide-handover");
    let approve = ["handover", "approve", &id];
    refused(&site, "sue", &approve, "TY-4.2.4");
    let with_doc = [approve.as_slice(), &["--doc-no", DOC]].concat();
    refused(&site, "sue", &with_doc, "TY-4.2.1");
    let whole = [with_doc.as_slice(), &["--exception", EXCEPTION]].concat();
    refused(&site, "alice", &whole, "");
    refused(&site, "henry", &whole, "");
    site.neither_walt_nor_dora(&whole);
    site.run_as("alice", &["handover", "make", &id]).exits(64);
    site.run_as("sue", &whole).ok();
    stands(&site, "tasks", "make-handover");
    // It can be taken back until it is made.
    site.run_as("sue", &["handover", "deny", &id, "--reason", "not needed"]).ok();
    site.run_as("alice", &["handover", "make", &id]).exits(64);
    assert_eq!(show(&site, &id)["state"], "denied");
    site.verify();
}

#[test]
fn the_texts_of_nantou_let_nothing_be_handed_on() {
    let people = People::new();
    let site = Site::in_memory(&people);
    site.init();
    site.accounts(UNIT);
    list(&site, "dingyue", &recipient("dingyue", "vendor", "agency"));
    let asked = request("x", &["--link", "nantou-verify"]);
    let asked: Vec<&str> = asked.into_iter().filter(|word| *word != "x").collect();
    refused(&site, "henry", &asked, "NT-3.10");
}

#[test]
fn a_use_that_would_outlive_what_it_rests_on_is_refused() {
    let people = People::new();
    let (site, batch) = agency(&people);
    let asked = with(&request(&batch, &[]), "2027-03-31", "2027-07-31");
    refused(&site, "henry", &words(&asked), "");
    let asked = request(&batch, &["--fields", "address"]);
    refused(&site, "henry", &asked, "");
}
