//! Several orders over one batch: what one of them leaves out, and what it still does, is nothing to the other.

use super::{
    inventory::{certificate, copy, loaded, ordered, record, stick},
    *,
};

/// A copy is left out of one order and goes under another: what the first one still does, and who cancels it, is nothing
/// to it.
#[test]
fn a_copy_that_one_order_left_out_is_the_next_one_s_alone() {
    let people = People::new();
    let rules = [("cooling_off: { value: P0D", "cooling_off: { value: P1D")];
    let (site, batch) = loaded(&people, &rules);
    let first = stick(&site, &batch, &["--kind", "carrier"]);
    let second = stick(&site, &batch, &["--kind", "carrier"]);
    let one = ordered(&site, &[&batch, "--copy", &first, "--copy", &second]);
    let except = ["destroy", "except", &one, &first, "--owner", "alice", "--until", "2026-12-31"];
    site.run_as("sue", &[except.as_slice(), &["--reason", "away"]].concat()).ok();
    site.wait_minutes(20 * 60);
    let two = ordered(&site, &[&batch, "--copy", &first]);
    site.wait_minutes(5 * 60);
    // The first order's time has come, the second one's has not.
    refused(&site, "alice", &record(&first, "shredded", &[]));
    site.run_as("alice", &record(&second, "shredded", &[])).ok();
    site.run_as("alice", &["destroy", "cancel", &one, "--reason", "stop"]).ok();
    assert_eq!(copy(&site, &first)["state"], "condemned", "the second order stands");
    assert_eq!(copy(&site, &second)["state"], "unreadable");
    site.wait_minutes(20 * 60);
    site.run_as("alice", &record(&first, "shredded", &[])).ok();
    site.run_as("sue", &["media", "confirm", &first]).ok();
    let page = certificate(&site, &two);
    assert_eq!(page["attested"].as_array().unwrap().len(), 1);
    site.verify();
}

#[test]
fn a_file_that_one_order_left_out_is_not_wiped_under_it() {
    let people = People::new();
    let rules = [("cooling_off: { value: P0D", "cooling_off: { value: P1D")];
    let (site, batch) = loaded(&people, &rules);
    no_need(&site, SMALL);
    let one = ordered(&site, &[&batch]);
    let rows = site.run(&["copy", "list", &batch, "--json"]).ok().json();
    let file = rows.as_array().unwrap().iter().find(|row| row["kind"] == "transfer").unwrap();
    let file = file["id"].as_str().unwrap().to_owned();
    let except = ["destroy", "except", &one, &file, "--owner", "alice", "--until", "2026-12-31"];
    site.run_as("sue", &[except.as_slice(), &["--reason", "away"]].concat()).ok();
    site.wait_minutes(20 * 60);
    // The rest of the first order is not carried out yet: an order over the whole waits for that.
    let words = ["destroy", "request", &batch, "--reason", "over"];
    assert!(site.run_as("alice", &words).exits(64).stderr.contains("not carried out yet"));
    site.wait_minutes(5 * 60);
    site.once();
    assert_eq!(copy(&site, &file)["state"], "kept");
    let two = ordered(&site, &[&batch]);
    site.wait_minutes(25 * 60);
    site.once();
    assert_eq!(copy(&site, &file)["state"], "destroyed");
    assert_eq!(site.show(&batch)["state"], "closed");
    assert_eq!(certificate(&site, &two)["copies"].as_array().unwrap().len(), 2);
    site.verify();
}

#[test]
fn an_order_over_the_whole_waits_for_the_one_over_a_part() {
    let people = People::new();
    let (site, batch) = loaded(&people, &[]);
    let id = stick(&site, &batch, &["--kind", "carrier"]);
    ordered(&site, &[&batch, "--copy", &id]);
    no_need(&site, SMALL);
    let words = ["destroy", "request", &batch, "--reason", "over"];
    assert!(site.run_as("alice", &words).exits(64).stderr.contains("destroy cancel"));
    site.run_as("alice", &record(&id, "shredded", &[])).ok();
    site.run_as("sue", &["media", "confirm", &id]).ok();
    ordered(&site, &[&batch]);
    assert_eq!(site.show(&batch)["state"], "closed");
}

#[test]
fn a_certificate_says_where_a_copy_was_kept_in_the_end() {
    let people = People::new();
    let (site, batch) = loaded(&people, &[]);
    let id = stick(&site, &batch, &["--kind", "carrier"]);
    let moved = ["copy", "move", &id, "--place", "archive", "--holder", "audrey"];
    site.run_as("alice", &moved).ok();
    let order = ordered(&site, &[&batch, "--copy", &id]);
    site.run_as("alice", &record(&id, "shredded", &[])).ok();
    site.run_as("sue", &["media", "confirm", &id]).ok();
    let page = certificate(&site, &order);
    assert_eq!(page["attested"][0]["moved"]["place"], "archive");
    assert_eq!(page["attested"][0]["moved"]["holder"], "audrey");
}
