//! 新北市 and 臺北市 data platforms: what can be held of them today. Their accounts, samples and monthly reports wait.

use super::*;

/// Proposes an account with these roles.
fn propose(site: &Site<'_>, name: &str, roles: &str) -> Ran {
    site.people.new_key(name);
    let key = site.people.public(name);
    let add = ["account", "add", name, "--role", roles, "--unit", UNIT, "--sign-key"];
    site.run_as("ada", &[add.as_slice(), &[key.to_str().unwrap()]].concat())
}

#[track_caller]
fn auditor_apart_and_nothing_copied(policy: &str, auditor: &str, copied: &str) {
    let people = People::new();
    let site = under(&people, policy);
    for roles in ["auditor,handler", "admin,auditor"] {
        let ran = propose(&site, "iris", roles).exits(77);
        assert!(ran.stderr.contains(auditor), "{}", ran.stderr);
        assert!(ran.stderr.contains(policy), "{}", ran.stderr);
        fs::remove_file(people.key("iris")).unwrap();
    }
    propose(&site, "iris", "auditor").ok();
    propose(&site, "jonas", "handler,custodian").ok();
    let batch = loaded(&site);
    let copy = ["copy", "request", &batch, "--kind", "paper", "--medium", "paper", "--reason", "x"];
    refused(&site, "henry", &copy, copied);
    // Manager and deputy are there, before anything is granted.
    let post = ["appointment", "add", "ada", "--post", "manager", "--from", "2026-11-21"];
    let manager = site.run_as("sue", &[post.as_slice(), &["--doc-no", DOC]].concat()).ok().id('p');
    site.run_as("ben", &["appointment", "confirm", &manager]).ok();
    let mut deputy = [post.as_slice(), &["--doc-no", DOC, "--deputy-for", &manager]].concat();
    deputy[2] = "ben";
    let deputy = site.run_as("sue", &deputy).ok().id('p');
    site.run_as("ada", &["appointment", "confirm", &deputy]).ok();
    // A query states case number and reason, and shows the fields of its grant.
    let grant = site.grant(LINK);
    let bare = ["query", "--grant", &grant, "--format", "json"];
    assert_eq!(site.run_as("henry", &bare).status, Some(64));
    site.query(&grant, &["--format", "json"]).ok();
    let log = site.run_as("audrey", &["access", "show", "--json"]).ok();
    assert!(log.text().contains("115-001"), "{}", log.text());
    site.verify();
}

#[test]
fn new_taipei_cloud_documents_keeps_the_auditor_apart_and_lets_nothing_be_copied() {
    auditor_apart_and_nothing_copied("new-taipei-cloud-documents", "NTP-6.3a", "NTP-7.1c");
}

#[test]
fn taipei_data_platform_keeps_the_auditor_apart_and_lets_nothing_be_copied() {
    auditor_apart_and_nothing_copied("taipei-data-platform", "TPE-10.1", "TPE-9.1");
}
