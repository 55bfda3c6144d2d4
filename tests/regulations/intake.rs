//! Between arrival and use: seals before anybody reads, confirmation before or after the load, comparison before anything is
//! handed on, and the least time for which data are kept.

use super::*;

/// A site whose link has these rules over its policy.
fn over<'p>(people: &'p People, policy: &str, rules: &str) -> Site<'p> {
    let site = Site::in_memory(people);
    let own = format!("policy: {policy}\noverride:\n{rules}");
    edit(&site, "links/moca-full.yaml", "policy: taoyuan-dwcd", &own);
    site.init();
    site.accounts(UNIT);
    site
}

#[test]
fn taipei_health_shows_nobody_a_row_before_the_form_has_its_seals() {
    let people = People::new();
    let site = under(&people, "taipei-health");
    let batch = loaded(&site);
    let grant = site.grant(LINK);
    // TPH-6.2: the refusal is in the access log, and says who comes next.
    let ran = site.query(&grant, &[]).exits(77);
    assert!(ran.stderr.contains("is not provided yet"), "{}", ran.stderr);
    assert!(ran.stderr.contains("a handler runs 'batchward batch provide"), "{}", ran.stderr);
    site.query(&grant, &["--batch", &batch]).exits(77);
    let page = site.show(&batch);
    assert_eq!((&page["state"], &page["provided"]), (&"loaded".into(), &Value::Null));
    assert!(codes(&site, "tasks").contains(&"provide-batch".to_owned()));
    // In the order of the form, each by another one, the first with the document.
    let provide = ["batch", "provide", &batch];
    let with_doc = ["batch", "provide", &batch, "--doc-no", DOC];
    site.run_as("alice", &with_doc).exits(77);
    site.run_as("henry", &provide).exits(64);
    site.run_as("henry", &with_doc).ok();
    site.run_as("henry", &provide).exits(77);
    site.run_as("sue", &provide).exits(77);
    site.run_as("alice", &provide).ok();
    site.query(&grant, &[]).exits(77);
    let list = site.run(&["batch", "list"]).ok();
    assert!(!list.text().contains("provided"), "{}", list.text());
    site.run_as("sue", &provide).ok();
    site.query(&grant, &[]).ok();
    let list = site.run(&["batch", "list"]).ok();
    assert!(list.text().contains("provided"), "{}", list.text());
    let page = site.show(&batch);
    assert!(page["provided"].is_string(), "{page:#}");
    let seals = page["intake"]["seals"].as_array().unwrap();
    let seals: Vec<_> = seals.iter().map(|one| (&one["seal"], &one["by"])).collect();
    let of = |seal: &'static str, by: &'static str| (Value::from(seal), Value::from(by));
    let wanted = [of("handler", "henry"), of("custodian", "alice"), of("supervisor", "sue")];
    assert!(seals.iter().zip(&wanted).all(|(one, other)| *one == (&other.0, &other.1)));
    site.run_as("sue", &provide).exits(64);
    assert!(!codes(&site, "tasks").contains(&"provide-batch".to_owned()));
    site.verify();
}

#[test]
fn one_person_with_every_role_seals_once() {
    let people = People::new();
    let site = under(&people, "taipei-health");
    let key = people.public("ada");
    let words =
        ["account", "add", "ada", "--role", "admin,handler,custodian,supervisor", "--sign-key"];
    site.run_as("ada", &[words.as_slice(), &[key.to_str().unwrap()]].concat()).ok();
    site.run_as("ben", &["account", "confirm", "ada"]).ok();
    let batch = loaded(&site);
    site.run_as("ada", &["batch", "provide", &batch, "--doc-no", DOC]).ok();
    site.run_as("ada", &["batch", "provide", &batch]).exits(77);
}

#[test]
fn taipei_health_hands_on_only_what_was_compared_and_a_mismatch_waits_for_a_supervisor() {
    let people = People::new();
    let site = under(&people, "taipei-health");
    let batch = loaded(&site);
    recipient(&site, "zhongli-hc", "health-centre", "own");
    provided(&site, &batch);
    // TPH-6.4: what was not compared goes nowhere.
    let ask = request(&batch, "zhongli-hc", APART);
    refused(&site, "henry", &ask, "TPH-6.3");
    let shown = site.run(&["batch", "compare", &batch, "--applied", "21"]).ok();
    assert!(shown.text().contains("20") && shown.text().contains("21"), "{}", shown.text());
    assert!(codes(&site, "tasks").contains(&"compare-batch".to_owned()), "nothing is recorded");
    let compare = ["batch", "compare", &batch, "--applied", "21", "--result"];
    let with = |more: &[&'static str]| [compare.as_slice(), more].concat();
    site.run_as("henry", &with(&["mismatch"])).exits(64);
    site.run_as("henry", &with(&["mismatch", "--note", "A123456789 缺漏"])).exits(65);
    site.run_as("sue", &with(&["mismatch", "--note", "缺一筆"])).exits(77);
    site.run_as("henry", &with(&["mismatch", "--note", "缺一筆"])).ok();
    site.run_as("henry", &ask).exits(77);
    assert!(codes(&site, "tasks").contains(&"decide-mismatch".to_owned()));
    let accept = ["batch", "accept", &batch, "--reason", "提供機關說明查無一人"];
    site.run_as("henry", &accept).exits(77);
    site.run_as("sue", &accept).ok();
    site.run_as("henry", &ask).ok();
    // A later mismatch stands in the way again; a later match does not.
    site.run_as("henry", &with(&["mismatch", "--note", "再查仍缺"])).ok();
    site.run_as("henry", &ask).exits(77);
    site.run_as("henry", &with(&["match", "--note", "一人查無資料"])).ok();
    site.run_as("henry", &ask).ok();
    let made = &site.show(&batch)["intake"]["comparison"];
    assert_eq!((&made["applied"], &made["received"]), (&21.into(), &20.into()));
    assert_eq!((&made["loaded"], &made["rejected"]), (&20.into(), &0.into()));
    site.verify();
}

#[test]
fn counts_that_have_to_be_equal_are_no_match_when_they_differ() {
    let people = People::new();
    let site =
        over(&people, "taoyuan-dwcd", "  intake:\n    compare_rule: { value: equal, clause: own }");
    let batch = loaded(&site);
    let words = ["batch", "compare", &batch, "--note", "差一筆", "--result", "match", "--applied"];
    let with = |applied: &'static str| [words.as_slice(), &[applied]].concat();
    site.run_as("henry", &with("21")).exits(77);
    site.run_as("henry", &with("20")).ok();
}

#[test]
fn nothing_loads_before_a_custodian_has_confirmed_it_where_the_policy_says_so() {
    let people = People::new();
    let rule = "  intake:\n    confirm: { value: before-load, clause: TY-4.2.1a }";
    let site = over(&people, "taoyuan-dwcd", rule);
    site.install(&[], &["small-20"]);
    site.once();
    let batch = site.batches()[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(site.show(&batch)["state"], "verified", "its key is there");
    assert!(codes(&site, "tasks").contains(&"confirm-batch".to_owned()));
    let owed = site.run(&["duties", "--json"]).json();
    let owed = owed["duties"].as_array().unwrap().iter().find(|one| one["code"] == "confirm-batch");
    assert_eq!(owed.unwrap()["clause"], "TY-4.2.1a");
    site.run_as("henry", &["batch", "confirm", &batch]).exits(77);
    site.run_as("alice", &["batch", "confirm", &batch]).ok();
    assert_eq!(site.show(&batch)["state"], "loaded");
    site.run_as("alice", &["batch", "confirm", &batch]).exits(64);
    let grant = site.grant(LINK);
    site.query(&grant, &[]).ok();
    site.verify();
}

#[test]
fn nobody_reads_before_a_custodian_has_confirmed_it_where_the_policy_says_so() {
    let people = People::new();
    let rule = "  intake:\n    confirm: { value: after-load, clause: TY-4.2.1a }";
    let site = over(&people, "taoyuan-dwcd", rule);
    let batch = loaded(&site);
    let grant = site.grant(LINK);
    let ran = site.query(&grant, &[]).exits(77);
    assert!(ran.stderr.contains("is not confirmed as whole yet"), "{}", ran.stderr);
    site.run_as("alice", &["batch", "confirm", &batch]).ok();
    site.query(&grant, &[]).ok();
    // Without such a rule nobody has to do anything.
    let plain = under(&people, "taoyuan-dwcd");
    let batch = loaded(&plain);
    assert!(plain.show(&batch)["provided"].is_string());
    plain.run_as("alice", &["batch", "confirm", &batch]).exits(64);
    plain.run_as("henry", &["batch", "provide", &batch, "--doc-no", DOC]).exits(64);
}

#[test]
fn data_that_have_to_be_kept_for_a_time_are_not_destroyed_before() {
    let people = People::new();
    let rule = "  data:\n    min_keep: { value: P30D, clause: TPH-5.5c }";
    let site = over(&people, "taoyuan-dwcd", rule);
    let batch = loaded(&site);
    let said = site.run(&["check"]);
    let said = format!("{}{}", said.text(), said.stderr);
    assert!(said.contains("are kept for 30 days after their load at least (TPH-5.5c"), "{said}");
    let kept = site.show(&batch)["intake"]["kept_at_least"].as_str().unwrap().to_owned();
    assert_eq!(&kept[..10], "2026-12-21");
    site.run_as("henry", &["use", "no-need", &batch]).ok();
    assert_eq!(site.show(&batch)["state"], "due");
    // It is due, and not late, until then.
    let due = plan(&site, "2027-12-31");
    let due = due.iter().find(|row| row["clock"] == "use-ended").unwrap();
    assert_eq!((&due["deadline"], &due["clause"]), (&kept.into(), &"TPH-5.5c".into()));
    let ask = ["destroy", "request", &batch, "--reason", "使用完竣"];
    refused(&site, "henry", &ask, "TPH-5.5c");
    let shown = site.run(&["policy", "explain", "taoyuan-dwcd", "data.min_keep", "--link", LINK]);
    assert!(shown.ok().text().contains("TPH-5.5c"));
    later(&site, 31);
    let order = site.run_as("henry", &ask).ok().id('o');
    site.run_as("sue", &["destroy", "approve", &order]).ok();
    site.verify();
}

#[test]
fn the_view_keeps_its_base_while_a_new_full_file_waits_and_has_none_where_a_unit_is_done_with_it() {
    let people = People::new();
    let rule = "  intake:\n    confirm: { value: after-load, clause: TY-4.2.1a }";
    let site = over(&people, "taoyuan-dwcd", rule);
    let id = |number: &str| {
        let rows = site.batches();
        let row = rows.iter().find(|row| row["delivery"] == number || row["number"] == number);
        row.unwrap_or_else(|| panic!("{number}: {rows:?}"))["id"].as_str().unwrap().to_owned()
    };
    site.install(&[], &["json-manifest", "delta-1"]);
    site.once();
    let (base, delta) = (id("MOCA-1151102-0005"), id("MOCA-1151102-0007"));
    for batch in [&base, &delta] {
        site.run_as("alice", &["batch", "confirm", batch]).ok();
    }
    let grant = site.grant(LINK);
    let rows = |more: &[&str]| {
        let ran = site.query(&grant, &[&["--format", "csv"], more].concat()).ok();
        ran.text().lines().count()
    };
    let (both, change) = (rows(&[]), rows(&["--batch", &delta]));
    assert!(both > change, "{both} rows of base and change file, {change} of the change file");
    // The new full file waits: the view is what it was, and the base stays under its change file.
    site.install(&[], &["small-20"]);
    site.once();
    let new = id("MOCA-1151102-0006");
    assert_eq!(site.show(&new)["state"], "loaded");
    site.query(&grant, &["--batch", &new]).exits(77);
    assert_eq!(rows(&[]), both);
    // A unit that is done with the base has no view: not the change file alone.
    site.run_as("henry", &["use", "complete", "--batch", &base]).ok();
    let ran = site.query(&grant, &[]).exits(77);
    assert!(ran.stderr.contains("has completed its use of"), "{}", ran.stderr);
    assert_eq!(rows(&["--batch", &delta]), change);
    site.run_as("henry", &["use", "withdraw", &base, "--reason", "誤植"]).ok();
    assert_eq!(rows(&[]), both);
    site.verify();
}
