//! What meets somebody who does a thing too early, twice or for the first time: what is refused says the next move, and
//! nothing is left behind or left out silently.

use super::*;

#[test]
fn a_site_with_a_name_that_is_none_leaves_nothing_behind() {
    let people = People::new();
    let site = Site::bare(&people);
    let dir = site.dir.to_str().unwrap();
    let ran = site.run(&["init", dir, "--site", "桃園 婦幼"]).exits(64);
    assert!(
        ran.stderr.contains("is no name of a site\nhint: lower-case letters"),
        "{}",
        ran.stderr
    );
    assert!(!site.dir.exists(), "a folder was made");
}

#[test]
fn founders_that_come_too_late_are_told_so() {
    let people = People::new();
    let site = Site::founded(&people, &[], UNIT);
    let mut words = site.init_words();
    let again = |words: &[String]| {
        site.run(&words.iter().map(String::as_str).collect::<Vec<_>>()).ok().text().to_owned()
    };
    assert!(!again(&words).contains("founders"), "the same founders are no news");
    *words.last_mut().unwrap() = format!("sue={}", people.public("sue").display());
    let said = again(&words);
    assert!(said.contains("its founders are those of its beginning (ada, ben)"), "{said}");
}

#[test]
fn another_socket_is_no_fault_where_no_service_was_set_up() {
    let people = People::new();
    let site = Site::founded(&people, &[], UNIT);
    edit(&site, "agent.yaml", "scan_every: 30s", "scan_every: 30s\nsocket: run/control.sock");
    let found = site.run(&["check", "--json"]).ok().json();
    let stale: Vec<&Value> = found["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["code"] == "unit-stale")
        .collect();
    assert_eq!(stale.len(), 1, "{found:#}");
    assert_eq!(stale[0]["severity"], "remark");
}

#[test]
fn what_cannot_be_done_now_says_what_can() {
    let people = People::new();
    let site = with_mallory(&people, &["small-20"]);
    let grant = apply(&site, "henry", "2027-06-30", &[]).ok().id('g');
    let batch = id_of(&site, SMALL);
    let says = |name: &str, words: &[&str], exit: i32, hint: &str| {
        let ran = site.run_as(name, words).exits(exit);
        assert!(ran.stderr.contains(&format!("hint: {hint}")), "{}: {}", ran.words, ran.stderr);
    };
    says("henry", &["use", "complete", &grant], 64, "a supervisor runs 'batchward grant approve");
    site.run_as("sue", &["grant", "approve", &grant]).ok();
    says("sue", &["grant", "approve", &grant], 64, "when the use is over, its holder runs");
    says("sue", &query(&grant, &[]), 77, "this needs one of the roles: handler");
    site.run_as("henry", &["use", "complete", &grant]).ok();
    says("henry", &["use", "complete", &grant], 64, "apply for a new grant");
    no_need(&site, SMALL);
    let order = ["destroy", "request", &batch, "--reason", "done"];
    let order = site.run_as("alice", &order).ok().id('o');
    site.run_as("sue", &["destroy", "approve", &order]).ok();
    says("sue", &["destroy", "approve", &order], 64, "'batchward certificate show");
    says("alice", &["link", "baseline", "none", "7"], 64, "'batchward status' lists the links");
    let missing = ["key", "submit", &batch, "--channel", "letter", "--file", "none.key"];
    says("alice", &missing, 69, "--file takes the file that holds the key");
    let ran = site.run_as("alice", &missing);
    assert!(ran.stderr.contains("'none.key' cannot be read"), "{}", ran.stderr);
}

#[test]
fn the_register_is_shown_by_batch_and_by_account() {
    let people = People::new();
    let site = with_mallory(&people, &["small-20", "csv-500"]);
    let (batch, other) = (id_of(&site, SMALL), id_of(&site, "ntvp-1151102-0004"));
    no_need(&site, SMALL);
    let order = ["destroy", "request", &batch, "--reason", "done"];
    let order = site.run_as("alice", &order).ok().id('o');
    site.run_as("sue", &["destroy", "approve", &order]).ok();
    let shown = |more: &[&str]| site.run(&[&["register", "show"], more].concat()).ok();
    let its = shown(&["--batch", &batch]);
    let its = its.text();
    for what in ["claimed", "verified", "key", "loaded", "no-need", "requested", "copy wiped"] {
        assert!(its.contains(what), "no '{what}' in:\n{its}");
    }
    assert!(its.contains("order-approved") && its.contains("certificate issued"), "{its}");
    assert!(!its.contains(&other), "{its}");
    // Every line about a step says whose it is.
    for line in its.lines().filter(|line| line.contains("copy wiped")) {
        assert!(line.contains(&format!("{order} c-")), "{line}");
    }
    let rows = shown(&["--account", "henry", "--json"]).json();
    let rows = rows.as_array().unwrap();
    assert!(!rows.is_empty());
    let henrys = |row: &Value| row["by"] == "henry" || row["body"].to_string().contains("henry");
    assert!(rows.iter().all(henrys), "{rows:#?}");
}

#[test]
fn a_batch_is_shown_to_people_as_a_page_and_to_programs_as_json() {
    let people = People::new();
    let site = with_mallory(&people, &["small-20"]);
    let batch = id_of(&site, SMALL);
    let page = site.run(&["batch", "show", &batch]).ok();
    for part in ["state: loaded", "COPIES", "transfer file", "RECORDS", "in the vault", "TIMES"] {
        assert!(page.text().contains(part), "no '{part}' in:\n{}", page.text());
    }
    assert_eq!(site.show(&batch)["state"], "loaded");
}
