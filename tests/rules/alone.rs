//! One person with every right that one account can have.

use super::*;

/// Mallory's own application.
fn own_grant(site: &Site<'_>) -> String {
    apply(site, "mallory", "2027-06-30", &[]).ok().id('g')
}

#[test]
fn alone_reads_no_record() {
    let people = People::new();
    let site = with_mallory(&people, &["small-20"]);
    let henrys = site.grant(LINK);
    let own = own_grant(&site);
    let batch = id_of(&site, SMALL);
    for grant in [&own, &henrys] {
        for more in [&["--format", "csv"][..], &["--batch", &batch], &["--where", "name=-"]] {
            let words = query(grant, more);
            let signed = site.run_as_with("mallory", &words, "王".as_bytes()).exits(77);
            let unsigned = site.run_with(&words, &[], "王".as_bytes()).exits(77);
            assert!(signed.stdout.is_empty() && unsigned.stdout.is_empty(), "{words:?}");
        }
        let words = ["match", "--grant", grant, "--case", "115-001", "--reason", "資格審查"];
        let words = [words.as_slice(), &["--input", "-", "--on", "national_id"]].concat();
        let ran = site.run_as_with("mallory", &words, b"B209294977\n").exits(77);
        assert!(ran.stdout.is_empty());
    }
}

#[test]
fn alone_opens_no_grant() {
    let people = People::new();
    let site = with_mallory(&people, &["small-20"]);
    let own = own_grant(&site);
    refused(&site, "mallory", &["grant", "approve", &own]);
    refused(&site, "mallory", &["grant", "deny", &own, "--reason", "none"]);
    site.run(&["grant", "approve", &own]).exits(77);
    site.run_as("mallory", &query(&own, &[])).exits(77);
    // The same application becomes a grant by another person's decision, and by nothing else.
    site.run_as("sue", &["grant", "approve", &own]).ok();
    site.run_as("mallory", &query(&own, &[])).ok();
}

#[test]
fn alone_destroys_nothing() {
    let people = People::new();
    let site = with_mallory(&people, &["small-20"]);
    let batch = id_of(&site, SMALL);
    site.run_as("mallory", &["use", "no-need", &batch]).ok();
    let order =
        site.run_as("mallory", &["destroy", "request", &batch, "--reason", "done"]).ok().id('o');
    let files = (site.files("state/vault"), site.files("state/spool"));
    refused(&site, "mallory", &["destroy", "approve", &order]);
    refused(&site, "mallory", &["destroy", "deny", &order, "--reason", "none"]);
    site.run(&["destroy", "approve", &order]).exits(77);
    site.once();
    assert_eq!((site.files("state/vault"), site.files("state/spool")), files);
    assert_eq!(stands(&site, SMALL).0, "due");
}

#[test]
fn alone_lifts_no_own_hold() {
    let people = People::new();
    let site = with_mallory(&people, &["small-20"]);
    let place = ["hold", "place", "--all", "--authority", "地檢署", "--doc-no", "115-1"];
    let place = [place.as_slice(), &["--review", "2027-01-31"]].concat();
    let hold = site.run_as("mallory", &place).ok().id('h');
    refused(&site, "mallory", &["hold", "lift", &hold]);
    site.run(&["hold", "lift", &hold]).exits(77);
    let holds = site.run(&["hold", "list", "--json"]).ok().json();
    assert_eq!(holds[0]["standing"], true);
    site.run_as("sue", &["hold", "lift", &hold]).ok();
}

#[test]
fn alone_takes_no_link_over() {
    let people = People::new();
    let site = with_mallory(&people, &[]);
    site.run_as("mallory", &["link", "baseline", LINK, "41"]).ok();
    refused(&site, "mallory", &["link", "confirm", LINK]);
    site.run(&["link", "confirm", LINK]).exits(77);
}

fn propose(site: &Site<'_>, by: &str, name: &str, more: &[&str]) -> Ran {
    site.run_as(by, &[&["account", "add", name, "--role", "supervisor"], more].concat())
}

#[test]
fn alone_makes_no_second_person() {
    let people = People::new();
    let site = with_mallory(&people, &[]);
    people.new_key("puppet");
    let key = people.public("puppet");
    let key = ["--sign-key", key.to_str().unwrap()];
    propose(&site, "mallory", "puppet", &key).ok();
    refused(&site, "mallory", &["account", "confirm", "puppet"]);
    site.run(&["account", "confirm", "puppet"]).exits(77);
    // The puppet's own signature counts for nothing yet.
    site.run_as("puppet", &["account", "confirm", "puppet"]).exits(77);
    site.run_as("puppet", &["hold", "lift", "h-00000001"]).exits(64);
    // What somebody else proposed, and mallory put another key into, is mallory's.
    people.new_key("newcomer");
    people.new_key("other");
    let newcomer = people.public("newcomer");
    propose(&site, "ada", "newcomer", &["--sign-key", newcomer.to_str().unwrap()]).ok();
    let other = people.public("other");
    propose(&site, "mallory", "newcomer", &["--sign-key", other.to_str().unwrap()]).ok();
    refused(&site, "mallory", &["account", "confirm", "newcomer"]);
}

#[test]
fn alone_changes_no_account() {
    let people = People::new();
    let site = with_mallory(&people, &[]);
    people.new_key("second");
    let second = people.public("second");
    let second = ["--sign-key", second.to_str().unwrap()];
    // Neither its own, even when somebody else proposed it, nor a key of mallory's for somebody else.
    propose(&site, "mallory", "mallory", &second).ok();
    refused(&site, "mallory", &["account", "confirm", "mallory"]);
    propose(&site, "ada", "mallory", &second).ok();
    refused(&site, "mallory", &["account", "confirm", "mallory"]);
    propose(&site, "mallory", "sue", &["--unix-user", "nobody"]).ok();
    refused(&site, "mallory", &["account", "confirm", "sue"]);
    site.run_as("sue", &["grant", "approve", "g-00000001"]).exits(64);
}

#[test]
fn one_key_and_one_unix_user_belong_to_one_account() {
    let people = People::new();
    let site = with_mallory(&people, &[]);
    // The same key under another comment.
    let key = std::fs::read_to_string(people.public("mallory")).unwrap();
    let key: Vec<&str> = key.split_whitespace().take(2).collect();
    let path = people.public("renamed");
    std::fs::write(&path, format!("{} somebody@else\n", key.join(" "))).unwrap();
    let path = path.to_str().unwrap();
    let user = myself();
    refused(&site, "mallory", &puppet(&["--sign-key", path]));
    refused(&site, "mallory", &puppet(&["--unix-user", &user]));
    refused(&site, "ada", &puppet(&["--sign-key", path]));
    // Nor does the key of an account that ended, or of one that is only proposed.
    site.run_as("ada", &["account", "disable", "mallory"]).ok();
    refused(&site, "ada", &puppet(&["--sign-key", path]));
    people.new_key("waiting");
    let waiting = people.public("waiting");
    let waiting = ["--sign-key", waiting.to_str().unwrap()];
    propose(&site, "ada", "waiting", &waiting).ok();
    refused(&site, "ada", &puppet(&waiting));
}

fn puppet<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["account", "add", "puppet", "--role", "supervisor"], more].concat()
}

#[test]
fn what_one_role_may_not_is_refused_and_recorded() {
    let people = People::new();
    let site = with_mallory(&people, &["small-20"]);
    let batch = id_of(&site, SMALL);
    let grant = apply(&site, "henry", "2027-06-30", &[]).ok().id('g');
    for name in ["alice", "henry", "audrey", "ada"] {
        refused(&site, name, &["grant", "approve", &grant]);
    }
    for name in ["sue", "ada", "audrey", "alice"] {
        refused(&site, name, &["use", "no-need", &batch]);
    }
    refused(&site, "henry", &["config", "propose"]);
    refused(&site, "sue", &["account", "disable", "henry"]);
    refused(&site, "ada", &["destroy", "request", &batch, "--reason", "done"]);
    // An admin has no access to data, whatever is approved.
    apply(&site, "ada", "2027-06-30", &[]).exits(77);
}
