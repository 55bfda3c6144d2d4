//! Applications and the life of links: Taipei Health's offices and head, Taipei's scope change, Taoyuan's yearly review to the
//! end of a link, Nantou's application anew.

use std::os::unix::fs::PermissionsExt;

use super::*;

/// Two further people: of the office of ethics, and a head.
fn further(people: &People, site: &Site<'_>) {
    for (name, role, unit) in [("ethan", "auditor", "政風室"), ("hilda", "supervisor", "局長室")]
    {
        people.new_key(name);
        let key = people.public(name);
        let key = key.to_str().unwrap();
        let words = ["account", "add", name, "--role", role, "--unit", unit, "--sign-key", key];
        site.run_as("ada", &words).ok();
        site.run_as("ben", &["account", "confirm", name]).ok();
    }
}

/// A second link like the site's own, which two people put in force after the site began.
fn added(site: &Site<'_>, name: &str, policy: &str) {
    let text = fs::read_to_string(site.dir.join("links/moca-full.yaml")).unwrap();
    let line = |start: &str| text.lines().find(|line| line.starts_with(start)).unwrap().to_owned();
    let text = text
        .replace(&line("link:"), &format!("link: {name}"))
        .replace(&line("inbox:"), &format!("inbox: ../drop/{name}"))
        .replace(&line("keybox:"), &format!("keybox: ../keys/{name}"))
        .replace(&line("policy:"), &format!("policy: {policy}"));
    for folder in ["drop", "keys"] {
        let path = site.dir.join(folder).join(name);
        fs::create_dir_all(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
    }
    fs::write(site.dir.join(format!("links/{name}.yaml")), text).unwrap();
    confirmed(site);
}

fn confirmed(site: &Site<'_>) {
    site.run_as("ada", &["config", "propose"]).ok();
    site.run_as("ben", &["config", "confirm"]).ok();
}

fn page(site: &Site<'_>, link: &str) -> Value {
    site.run(&["link", "show", link, "--json"]).ok().json()
}

fn bounds(site: &Site<'_>, link: &str) -> Vec<String> {
    let page = page(site, link);
    page["bounds"].as_array().unwrap().iter().map(|b| b.as_str().unwrap().to_owned()).collect()
}

const APPLY: [&str; 5] = ["link", "apply", "new", "--necessity", "審查資格所需"];

fn countersign(site: &Site<'_>, name: &str, link: &str, office: &str) -> Ran {
    site.run_as(name, &["link", "countersign", link, "--office", office, "--doc-no", DOC])
}

#[test]
fn taipei_health_asks_both_offices_in_either_order_then_the_head_then_a_test() {
    let people = People::new();
    let site = under(&people, "taipei-health");
    further(&people, &site);
    // What was in force when the site began goes on as it was, and is shown as such.
    assert_eq!(page(&site, LINK)["status"], "active");
    assert!(page(&site, LINK)["as_found"].is_string());
    added(&site, "new", "taipei-health");
    assert_eq!(page(&site, "new")["status"], "suspended");
    assert_eq!(bounds(&site, "new"), ["not-applied"]);
    let other = [&APPLY[..], &["--purpose", "其他"]].concat();
    let ran = site.run_as("henry", &other).exits(64);
    assert!(ran.stderr.contains("another 'purpose'"), "{}", ran.stderr);
    site.run_as("henry", &[&APPLY[..], &["--external-form", "E1150001"]].concat()).ok();
    // The head is the last; each is another person, and signs for an office of the own role.
    let ran = countersign(&site, "hilda", "new", "head").exits(77);
    assert!(ran.stderr.contains("TPH-5.2"), "{}", ran.stderr);
    countersign(&site, "henry", "new", "it-office").exits(77);
    countersign(&site, "alice", "new", "ethics-office").exits(77);
    countersign(&site, "ethan", "new", "ethics-office").ok();
    countersign(&site, "ethan", "new", "ethics-office").exits(77);
    countersign(&site, "alice", "new", "it-office").ok();
    countersign(&site, "hilda", "new", "head").ok();
    // TPH-4: tested before it is active.
    assert_eq!(bounds(&site, "new"), ["not-tested"]);
    assert_eq!(page(&site, "new")["status"], "suspended");
    site.run_as("alice", &["link", "tested", "new", "--doc-no", DOC]).ok();
    let page = page(&site, "new");
    assert_eq!((&page["status"], &page["bounds"]), (&"active".into(), &serde_json::json!([])));
    let application = &page["applications"][0];
    assert_eq!(application["external_form"], "E1150001");
    assert_eq!(application["state"], "approved");
    assert_eq!(application["signatures"].as_array().unwrap().len(), 3);
    // What is approved as it stands is not applied for again.
    site.run_as("henry", &APPLY).exits(64);
    site.verify();
}

#[test]
fn a_policy_that_nobody_confirmed_takes_no_office_out_of_an_application() {
    let people = People::new();
    let site = under(&people, "taipei-health");
    added(&site, "new", "taipei-health");
    let policy = "policies/taipei-health.yaml";
    edit(&site, policy, "[it-office, ethics-office, head]", "[it-office]");
    let ran = site.run_as("henry", &APPLY).ok();
    assert!(ran.text().contains("it-office, ethics-office, head"), "{}", ran.text());
    let page = page(&site, "new");
    assert_eq!(page["applications"][0]["clause"], "TPH-5.2");
    site.verify();
}

#[test]
fn a_link_that_was_never_applied_for_loads_nothing() {
    let people = People::new();
    let site = under(&people, "taipei-health");
    further(&people, &site);
    edit(&site, "links/moca-full.yaml", "policy: taipei-health", "policy: taipei-data-platform");
    confirmed(&site);
    // Under another policy the application that was found does not count.
    assert_eq!(bounds(&site, LINK), ["not-applied"]);
    site.install(&[], &["small-20"]);
    site.once();
    let id = site.batches()[0]["id"].as_str().unwrap().to_owned();
    let row = site.show(&id);
    assert_eq!((&row["state"], &row["reason"]), (&"quarantined".into(), &"link-inactive".into()));
    site.run_as("henry", &["link", "apply", LINK, "--necessity", "審查資格所需"]).ok();
    // TPE-5: the owner agrees, by its letter.
    let without = ["link", "countersign", LINK, "--office", "owner"];
    site.run_as("sue", &without).exits(64);
    countersign(&site, "sue", LINK, "owner").ok();
    assert_eq!(page(&site, LINK)["status"], "active");
    site.run_as("alice", &["batch", "release", &id, "--reason", "申請已核准"]).ok();
    site.once();
    assert_eq!(site.show(&id)["state"], "loaded");
}

#[test]
fn taipei_drops_what_was_not_applied_for_until_the_change_is_approved() {
    let people = People::new();
    let site = under(&people, "taipei-data-platform");
    // TPE-7: the file has a column more, which two people put in force; the approved set stays.
    let before = page(&site, LINK)["items"].as_array().unwrap().len();
    edit(&site, "links/moca-full.yaml", "items: [", "items: [sex, ");
    confirmed(&site);
    let now = page(&site, LINK);
    assert_eq!(now["items"].as_array().unwrap().len(), before);
    assert_eq!(now["beyond"], serde_json::json!(["sex"]));
    assert_eq!(bounds(&site, LINK), ["scope-beyond"]);
    let batch = loaded(&site);
    assert!(!site.show(&batch).to_string().contains("sex"));
    site.run_as("henry", &["link", "apply", LINK, "--necessity", "增加審查項目"]).ok();
    assert_eq!(bounds(&site, LINK), ["scope-beyond"], "nothing counts before it is approved");
    countersign(&site, "henry", LINK, "owner").exits(77);
    countersign(&site, "sue", LINK, "owner").ok();
    assert_eq!(page(&site, LINK)["items"].as_array().unwrap().len(), before + 1);
    assert!(bounds(&site, LINK).is_empty());
}

#[test]
fn new_taipei_lets_the_owner_sign_where_the_manager_may() {
    let people = People::new();
    let site = under(&people, "new-taipei-cloud-documents");
    for (name, office, link) in [("ada", "manager", "one"), ("sue", "owner", "two")] {
        added(&site, link, "new-taipei-cloud-documents");
        site.run_as("henry", &["link", "apply", link, "--necessity", "審查資格所需"]).ok();
        countersign(&site, name, link, office).ok();
        assert_eq!(page(&site, link)["status"], "active");
    }
}

#[test]
fn taoyuan_reviews_a_link_and_ends_it_and_what_still_comes_is_quarantined() {
    let people = People::new();
    let site = under(&people, "taoyuan-dwcd");
    let batch = loaded(&site);
    let review = |result| ["link", "review", LINK, "--result", result, "--doc-no", DOC];
    site.run_as("alice", &review("needed")).ok();
    site.run_as("henry", &review("needed")).exits(77);
    let ran = site.run_as("alice", &review("no-need")).ok();
    assert!(ran.text().contains("link terminate"), "{}", ran.text());
    let end = ["link", "terminate", LINK, "--reason", "已無需求", "--doc-no", DOC];
    site.run_as("alice", &end).ok();
    site.once();
    assert_eq!(page(&site, LINK)["status"], "terminated");
    // The holdings come due by themselves; destroying them is for two people as ever.
    assert_eq!(site.show(&batch)["state"], "due");
    let due = plan(&site, "2027-12-31");
    assert!(due.iter().any(|row| row["clock"] == "link-terminated"), "{due:#?}");
    site.install(&[], &["full-1000"]);
    site.once();
    let row = site.row("moca-1151102-0001");
    assert_eq!(row["reason"], "link-inactive");
    // The file still says active: the stricter counts.
    assert!(site.run(&["link", "list"]).ok().text().contains("a person terminated it"));
    site.verify();
}

#[test]
fn nantou_takes_an_ended_link_up_again_by_an_application_that_names_what_was_corrected() {
    let people = People::new();
    let site = under(&people, "nantou-verification");
    site.run_as("sue", &["link", "suspend", LINK, "--reason", "限期改善"]).ok();
    assert_eq!(page(&site, LINK)["status"], "suspended");
    // Taking it up again is for two people.
    site.run_as("alice", &["link", "resume", LINK, "--reason", "已改善"]).ok();
    site.run_as("alice", &["link", "resume", LINK, "--confirm"]).exits(77);
    site.run_as("sue", &["link", "resume", LINK, "--confirm"]).ok();
    assert_eq!(page(&site, LINK)["status"], "active");
    let end = ["link", "terminate", LINK, "--reason", "屆期未改善", "--doc-no", DOC];
    site.run_as("sue", &end).ok();
    refused(&site, "alice", &["link", "resume", LINK, "--reason", "已改善"], "NT-5.6");
    let apply = ["link", "apply", LINK, "--necessity", "改善後重新申請"];
    refused(&site, "henry", &apply, "NT-5.6");
    site.run_as("henry", &[&apply[..], &["--refers", "稽字第3號"]].concat()).ok();
    assert_eq!(page(&site, LINK)["status"], "terminated");
    site.run_as("sue", &["link", "refuse", LINK, "--reason", "改善未完成"]).ok();
    site.run_as("henry", &[&apply[..], &["--refers", "稽字第3號"]].concat()).ok();
    countersign(&site, "sue", LINK, "supervisor").ok();
    assert_eq!(page(&site, LINK)["status"], "active");
    site.verify();
}

#[test]
fn an_approval_holds_five_years_at_most_and_is_renewed_by_an_application() {
    let people = People::new();
    let site = Site::in_memory(&people);
    let text = fs::read_to_string(site.dir.join("links/moca-full.yaml")).unwrap();
    let until = text.lines().find(|line| line.starts_with("approved_until:")).unwrap();
    edit(&site, "links/moca-full.yaml", until, "approved_until: 2039-12-31");
    site.init();
    site.accounts(UNIT);
    assert_eq!(bounds(&site, LINK), ["ends-sooner"]);
    later(&site, 4 * 366 + 366);
    let early = page(&site, LINK)["approved_until"].as_str().unwrap().to_owned();
    assert_eq!(early.get(..4), Some("2031"));
    site.install(&[], &["small-20"]);
    site.once();
    assert_eq!(site.batches()[0]["state"], "quarantined");
    site.run_as("henry", &["link", "apply", LINK, "--necessity", "屆期續用"]).ok();
    countersign(&site, "sue", LINK, "supervisor").ok();
    assert!(page(&site, LINK)["approved_until"].as_str().unwrap() > early.as_str());
}

#[test]
fn papers_are_kept_by_digest_and_come_out_as_they_went_in() {
    let people = People::new();
    let site = under(&people, "taipei-data-platform");
    let folder = site.temporary();
    let (paper, copy) = (folder.join("rules.txt"), folder.join("out.txt"));
    fs::write(&paper, "合成之機關作業規定\n").unwrap();
    let add = |file: &std::path::Path| {
        let file = file.to_str().unwrap();
        let words = ["audit", "document", "add", "--kind", "agency-rules", "--doc-no", DOC];
        let more =
            ["--on", "2026-11-01", "--sent-to", "資訊局=府資字第1150001235號", "--file", file];
        site.run_as("audrey", &[&words[..], &more].concat())
    };
    let id = add(&paper).ok().id('j');
    add(&paper).exits(64);
    let rows = site.run(&["audit", "document", "list", "--json"]).ok().json();
    assert_eq!(rows[0]["kind"], "agency-rules");
    assert_eq!(rows[0]["sent_to"][0]["office"], "資訊局");
    let shown = site.run(&["audit", "document", "show", &id]).ok();
    assert!(shown.text().contains(rows[0]["sha256"].as_str().unwrap()));
    let export = ["audit", "document", "export", &id, "-o", copy.to_str().unwrap()];
    site.run(&export).ok();
    assert_eq!(fs::read(&copy).unwrap(), fs::read(&paper).unwrap());
    // A file that is not what the register says does not come out.
    let kept = site.dir.join("state/papers").join(rows[0]["sha256"].as_str().unwrap());
    fs::write(kept, "another").unwrap();
    let ran = site.run(&export).exits(65);
    assert!(ran.stderr.contains("not what the register says"), "{}", ran.stderr);
    // A text with an ID number (a synthetic one) is not kept.
    fs::write(&paper, "A123456789").unwrap();
    let ran = add(&paper).exits(65);
    assert!(ran.stderr.contains("ID number"), "{}", ran.stderr);
    // A handler keeps no papers; a look at the backups is entered.
    let look = ["audit", "backup-review", "--result", "ok", "--doc-no", DOC];
    site.run_as("henry", &look).exits(77);
    site.run_as("alice", &look).ok();
    site.verify();
}

/// The duties of a code that are not fulfilled, in the order of their days; of the other link of the site none.
fn duties(site: &Site<'_>, code: &str) -> Vec<Value> {
    let words = ["duties", "--until", "2032-12-31", "--json"];
    let page = site.run_as("audrey", &words).ok().json();
    let rows = page["duties"].as_array().unwrap().iter();
    let other =
        |row: &&Value| row["link"].is_string() && row["link"] != LINK && row["link"] != "new";
    rows.filter(|row| row["code"] == code && !other(row)).cloned().collect()
}

fn day(row: &Value) -> &str {
    row["due"].as_str().unwrap().get(..10).unwrap()
}

#[test]
fn what_links_ask_for_is_in_the_list_of_duties_with_its_clause() {
    let people = People::new();
    let site = under(&people, "taoyuan-dwcd");
    // The site's first day is 2026-11-21: a year later the review is due, and five years later the approval would end.
    let found = duties(&site, "review-link");
    assert_eq!((day(&found[0]), &found[0]["clause"]), ("2027-11-21", &"TY-4.4".into()));
    let found = duties(&site, "renew-link");
    assert_eq!((day(&found[0]), found.len()), ("2027-12-31", 1));
    let mut kinds: Vec<String> = duties(&site, "attach-paper")
        .iter()
        .map(|row| format!("{} {}", row["object"].as_str().unwrap(), day(row)))
        .collect();
    kinds.sort();
    kinds.truncate(3);
    assert_eq!(
        kinds,
        [
            "account-procedure 2026-12-21",
            "audit-plan 2026 2026-12-31",
            "audit-procedure 2026-12-21"
        ]
    );
    let review = ["link", "review", LINK, "--result", "no-need", "--doc-no", DOC];
    site.run_as("alice", &review).ok();
    let found = duties(&site, "propose-termination");
    assert!(found[0]["command"].as_str().unwrap().starts_with("link terminate"), "{found:#?}");
    site.run_as("alice", &["link", "terminate", LINK, "--reason", "x", "--doc-no", DOC]).ok();
    for code in ["review-link", "propose-termination", "renew-link"] {
        assert!(duties(&site, code).is_empty(), "{code}");
    }
    // An application, and the test after it.
    let site = under(&people, "taipei-health");
    further(&people, &site);
    added(&site, "new", "taipei-health");
    site.run_as("henry", &APPLY).ok();
    let found = duties(&site, "decide-application");
    assert_eq!((found.len(), &found[0]["object"]), (1, &"n-00000001".into()));
    for (name, office) in [("ethan", "ethics-office"), ("alice", "it-office"), ("hilda", "head")] {
        countersign(&site, name, "new", office).ok();
    }
    assert!(duties(&site, "decide-application").is_empty());
    assert_eq!(duties(&site, "test-link")[0]["clause"], "TPH-4");
    site.run_as("alice", &["link", "tested", "new", "--doc-no", DOC]).ok();
    assert!(duties(&site, "test-link").is_empty());
}

#[test]
fn looks_at_backups_are_owed_half_yearly_in_new_taipei() {
    let people = People::new();
    let site = under(&people, "new-taipei-cloud-documents");
    let of = |site: &Site<'_>| {
        let policy = "new-taipei-cloud-documents";
        let mut found = duties(site, "review-backup");
        found.retain(|row| row["policy"] == policy);
        found
    };
    let found = of(&site);
    assert_eq!((found.len(), day(&found[0])), (1, "2027-05-21"));
    assert_eq!(found[0]["clause"], "NTP-4.2");
    later(&site, 100);
    site.run_as("alice", &["audit", "backup-review", "--result", "ok", "--doc-no", DOC]).ok();
    assert!(day(&of(&site)[0]) > "2027-08-20");
}

#[test]
fn nothing_goes_abroad_where_the_policy_forbids_it_or_without_a_document() {
    let people = People::new();
    let site = under(&people, "taoyuan-dwcd");
    let batch = loaded(&site);
    recipient(&site, "dingyue", "vendor", "agency");
    // A file that says no country is one of this country, as those of earlier versions are.
    site.run_as("henry", &request(&batch, "dingyue", APART)).ok();
    edit(&site, "recipients/dingyue.yaml", "premises: agency", "premises: agency\ncountry: JP");
    confirmed(&site);
    refused(&site, "henry", &request(&batch, "dingyue", APART), "nothing leaves the country");
    let late = ["handover", "approve", "l-00000001", "--doc-no", DOC];
    refused(&site, "sue", &late, "nothing leaves the country");
    // Ours alone: a site may ask for a document instead.
    let abroad = "abroad: { value: document, clause: own }";
    edit(&site, "policies/common.yaml", "abroad: { value: forbidden, clause: own }", abroad);
    confirmed(&site);
    let ran = site.run_as("henry", &request(&batch, "dingyue", APART)).ok();
    assert!(ran.text().contains("--exception NO"), "{}", ran.text());
    let id = ran.id('l');
    let approve = ["handover", "approve", &id, "--doc-no", DOC];
    refused(&site, "sue", &approve, "would leave the country");
    site.run_as("sue", &[&approve[..], &["--exception", DOC]].concat()).ok();
}
