//! Parameters that any policy may set, read where the act is.

use super::*;

#[test]
fn every_office_that_is_told_of_a_destruction_is_a_paper_that_the_order_waits_for() {
    let people = People::new();
    let site = Site::in_memory(&people);
    edit(
        &site,
        "policies/taoyuan-dwcd.yaml",
        "  cooling_off:",
        "  notify: { value: [agency, it-office, ethics-office], clause: own }\n  cooling_off:",
    );
    site.init();
    site.accounts(UNIT);
    let batch = loaded(&site);
    site.run_as("henry", &["use", "no-need", &batch]).ok();
    let order = ["destroy", "request", &batch, "--reason", "使用完竣"];
    let order = site.run_as("henry", &order).ok().id('o');
    site.run_as("sue", &["destroy", "approve", &order]).ok();
    site.once();
    assert_eq!(site.show(&batch)["state"], "destroyed");
    let close = ["destroy", "close", &order, "--letter", "1", "--cc-it", "2"];
    site.run_as("alice", &close).ok();
    let ran = site.run_as("sue", &["destroy", "confirm", &order]).ok();
    assert!(ran.text().contains("cc-ethics"), "{}", ran.text());
    site.run_as("alice", &["destroy", "close", &order, "--cc-ethics", "3"]).ok();
    site.run_as("sue", &["destroy", "confirm", &order]).ok();
    site.once();
    assert_eq!(site.show(&batch)["state"], "closed");
}

#[test]
fn transfer_files_are_due_from_receipt_or_from_a_newer_file_where_the_policy_says_so() {
    let people = People::new();
    for (start, clock) in
        [("letter-received", "letter-received"), ("superseded", "files-superseded")]
    {
        let site = Site::in_memory(&people);
        edit(
            &site,
            "policies/taoyuan-dwcd.yaml",
            "start_event: { value: use-ended, clause: TY-4.3.2 }",
            &format!("start_event: {{ value: {start}, clause: own }}"),
        );
        edit(
            &site,
            "policies/taoyuan-dwcd.yaml",
            "retention: { value: P0D, clause: TY-4.3.1 }           # 電子檔",
            "retention: { value: 三日, clause: own }           # 電子檔",
        );
        site.init();
        site.accounts(UNIT);
        site.install(&[], &["full-1000"]);
        site.once();
        let batch = site.row("moca-1151102-0001")["id"].as_str().unwrap().to_owned();
        let found = || {
            let rows = plan(&site, "2026-12-31");
            rows.into_iter().find(|row| row["batch"] == batch.as_str() && row["clock"] == clock)
        };
        if start == "superseded" {
            assert!(found().is_none());
            site.install(&[], &["small-20"]);
            site.once();
            // Older files are looked at with the next full look.
            site.once();
        }
        let row = found().unwrap();
        assert_eq!((&row["whole"], &row["clause"]), (&false.into(), &"own".into()));
        assert_eq!(row["deadline"].as_str().unwrap().get(..10), Some("2026-11-24"));
        assert_eq!(site.show(&batch)["state"], "loaded");
    }
}

#[test]
fn a_stricter_override_of_a_link_counts_for_that_link() {
    let people = People::new();
    let site = Site::in_memory(&people);
    edit(
        &site,
        "links/moca-full.yaml",
        "policy: taoyuan-dwcd",
        "policy: taoyuan-dwcd\noverride:\n  vendor:\n    retention: { value: 十日, clause: own }\n  destroy:\n    approvers: { value: 2, clause: own }",
    );
    site.init();
    site.accounts(UNIT);
    let batch = loaded(&site);
    recipient(&site, "dingyue", "vendor", "agency");
    let id = site.run_as("henry", &request(&batch, "dingyue", APART)).ok().id('l');
    assert_eq!(
        handover(&site, &id)["terms"]["destroy_by"].as_str().unwrap().get(..10),
        Some("2027-04-10")
    );
    // Two people beside whoever asks: one is not enough.
    site.run_as("henry", &["use", "no-need", &batch]).ok();
    let order = ["destroy", "request", &batch, "--reason", "使用完竣"];
    let order = site.run_as("henry", &order).ok().id('o');
    site.run_as("sue", &["destroy", "approve", &order]).ok();
    site.once();
    assert_eq!(site.show(&batch)["state"], "due");
    // It is explained as the link has it.
    let words = ["policy", "explain", "taoyuan-dwcd", "vendor.retention", "--link", LINK, "--json"];
    let page = site.run(&words).ok().json();
    assert_eq!(page["rules"][0]["layer"], format!("link {LINK}"));
    assert_eq!(page["layers"].as_array().unwrap().len(), 3);
}

#[test]
fn an_exception_ends_on_its_day_and_what_was_requested_under_it_is_void() {
    let people = People::new();
    let site = Site::in_memory(&people);
    edit(
        &site,
        "links/moca-full.yaml",
        "policy: taoyuan-dwcd",
        "policy: taoyuan-dwcd\noverride:\n  vendor:\n    retention:\n      value: P3M\n      clause: own\n      exception: { doc_no: 府民戶字第1150001234號, until: 2026-11-23 }",
    );
    site.init();
    site.accounts(UNIT);
    let batch = loaded(&site);
    recipient(&site, "dingyue", "vendor", "agency");
    let by = |site: &Site<'_>| {
        let id = site.run_as("henry", &request(&batch, "dingyue", APART)).ok().id('l');
        handover(site, &id)["terms"]["destroy_by"].as_str().unwrap()[..10].to_owned()
    };
    // The exception is longer than what any recipient has: that one counts.
    assert_eq!(by(&site), "2027-04-30");
    site.run_as("henry", &["use", "no-need", &batch]).ok();
    let order = ["destroy", "request", &batch, "--reason", "使用完竣"];
    let order = site.run_as("henry", &order).ok().id('o');
    site.wait_minutes(days(3));
    site.once();
    let ran = site.run_as("sue", &["destroy", "approve", &order]);
    assert_eq!(ran.status, Some(77), "{}", ran.stderr);
    assert!(ran.stderr.contains("has changed since it was requested"), "{}", ran.stderr);
    site.run_as("sue", &["destroy", "deny", &order, "--reason", "另送"]).ok();
    let again = ["destroy", "request", &batch, "--reason", "使用完竣"];
    let again = site.run_as("henry", &again).ok().id('o');
    site.run_as("sue", &["destroy", "approve", &again]).ok();
    site.once();
    assert_eq!(site.show(&batch)["state"], "closed");
}

#[test]
fn where_nothing_may_leave_on_media_neither_a_copy_nor_a_package_does() {
    let people = People::new();
    let site = Site::in_memory(&people);
    let policy = "policies/taoyuan-dwcd.yaml";
    edit(&site, policy, "egress: { value: agency-only", "egress: { value: forbidden");
    site.init();
    site.accounts(UNIT);
    let batch = loaded(&site);
    let copy = ["copy", "request", &batch, "--kind", "media", "--medium", "flash", "--reason", "x"];
    refused(&site, "henry", &copy, "nothing may leave on media");
    // Paper does not leave on media: it is asked for as ever.
    let paper =
        ["copy", "request", &batch, "--kind", "paper", "--medium", "paper", "--reason", "x"];
    site.run_as("henry", &paper).ok();
    recipient(&site, "dingyue", "vendor", "agency");
    let id = site.run_as("henry", &request(&batch, "dingyue", APART)).ok().id('l');
    site.run_as("sue", &["handover", "approve", &id, "--doc-no", DOC]).ok();
    site.run_as("alice", &["handover", "make", &id]).ok();
    let stick = site.dir.parent().unwrap().join("stick");
    fs::create_dir_all(&stick).unwrap();
    let export = ["media", "export", &id, "--to", stick.to_str().unwrap(), "--medium", "flash"];
    let way =
        ["--serial", "SN-1", "--from", "x", "--carrier", "y", "--place", "z", "--holder", "y"];
    refused(&site, "alice", &[export.as_slice(), &way].concat(), "TY-4.2.1b");
}
