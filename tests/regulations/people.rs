//! People under the five regulations: posts, changes of post, custody that goes over, accounts that are reviewed and rest,
//! vendors and training. All names and letters are synthetic.

use super::*;

/// An account of its own for this name, proposed by ada and confirmed by ben.
fn account(site: &Site<'_>, name: &str, role: &str, display: &str) {
    site.people.new_key(name);
    take_up(site, name, role, display);
}

/// The same, with the key that is there.
fn take_up(site: &Site<'_>, name: &str, role: &str, display: &str) {
    let key = site.people.public(name);
    let add = ["account", "add", name, "--role", role, "--unit", UNIT, "--display", display];
    let key = ["--sign-key", key.to_str().unwrap()];
    site.run_as("ada", &[add.as_slice(), &key].concat()).ok();
    site.run_as("ben", &["account", "confirm", name]).ok();
}

/// Somebody is appointed to a post from 2026-11-21 on, and ben agrees.
fn appointed(site: &Site<'_>, by: &str, post: &str, name: &str, more: &[&str]) -> String {
    let add = ["appointment", "add", name, "--post", post, "--from", "2026-11-21", "--doc-no", DOC];
    let id = site.run_as(by, &[add.as_slice(), more].concat()).ok().id('p');
    site.run_as("ben", &["appointment", "confirm", &id]).ok();
    id
}

/// The accounts and what they are, by name.
fn states(site: &Site<'_>, name: &str) -> (String, Vec<String>) {
    let rows = site.run(&["account", "list", "--json"]).ok().json();
    let row = rows.as_array().unwrap().iter().find(|row| row["name"] == name).unwrap().clone();
    let roles = row["roles"].as_array().unwrap().iter();
    let roles = roles.map(|role| role.as_str().unwrap().to_owned()).collect();
    (row["state"].as_str().unwrap().to_owned(), roles)
}

/// How often an entry of this kind is in the register.
fn entries(site: &Site<'_>, kind: &str) -> usize {
    let rows = site.run(&["register", "show", "--json"]).ok().json();
    rows.as_array().unwrap().iter().filter(|row| row["body"]["type"] == kind).count()
}

/// The duties of a code, as `(object, due, state)`.
fn duties(site: &Site<'_>, code: &str) -> Vec<(String, String, String)> {
    let page = site.run(&["duties", "--all", "--until", "2028-06-30", "--json"]).ok().json();
    let rows = page["duties"].as_array().unwrap().iter().filter(|row| row["code"] == code);
    let text = |row: &Value, key: &str| row[key].as_str().unwrap().to_owned();
    rows.map(|row| {
        let due = text(row, "due")[..10].to_owned();
        (text(row, "object"), due, text(row, "state"))
    })
    .collect()
}

#[track_caller]
fn nothing_flows_before_a_manager_is_named(policy: &str, clause: &str, deputy: bool) {
    let people = People::new();
    let site = under(&people, policy);
    loaded(&site);
    let apply = ["grant", "apply", "--link", LINK, "--until", "2027-06-30", "--purpose", "審查"];
    let apply = [apply.as_slice(), &["--basis", DOC]].concat();
    let grant = site.run_as("henry", &apply).ok().id('g');
    let approve = ["grant", "approve", &grant];
    refused(&site, "sue", &approve, clause);
    assert!(duties(&site, "fill-post").iter().any(|row| row.0 == "manager"));
    let manager = appointed(&site, "sue", "manager", "ada", &[]);
    if deputy {
        refused(&site, "sue", &approve, "manager-deputy");
        account(&site, "dan", "admin", "林代理");
        let of = ["--deputy-for", &manager];
        appointed(&site, "sue", "manager", "dan", &of);
    }
    site.run_as("sue", &approve).ok();
    site.query(&grant, &["--format", "json"]).ok();
    let filled = duties(&site, "fill-post");
    assert!(filled.iter().any(|row| row.0 == "manager" && row.2 == "done"), "{filled:?}");
    // While nobody is there, neither the manager nor a deputy, nothing is read.
    account(&site, "eve", "admin", "王新任");
    site.run_as(
        "ada",
        &["appointment", "end", &manager, "--on", "2026-11-20", "--reason", "replaced"],
    )
    .ok();
    let ran = site.query(&grant, &["--format", "json"]);
    assert_eq!(ran.status, Some(if deputy { 0 } else { 77 }), "{}", ran.stderr);
    site.verify();
}

#[test]
fn new_taipei_cloud_documents_opens_nothing_before_manager_and_deputy_are_named() {
    nothing_flows_before_a_manager_is_named("new-taipei-cloud-documents", "NTP-6.2a", true);
}

#[test]
fn taipei_data_platform_opens_nothing_before_a_manager_is_named() {
    nothing_flows_before_a_manager_is_named("taipei-data-platform", "TPE-6", false);
}

#[test]
fn a_post_has_one_holder_whom_another_person_confirms_and_whose_role_fits() {
    let people = People::new();
    let site = under(&people, "nantou-verification");
    let add = ["appointment", "add", "henry", "--post", "handler", "--link", LINK, "--from"];
    let add = [add.as_slice(), &["2026-11-21", "--doc-no", DOC]].concat();
    let id = site.run_as("sue", &add).ok().id('p');
    // Neither who proposed it nor who is appointed confirms it.
    site.run_as("sue", &["appointment", "confirm", &id]).exits(77);
    site.run_as("ben", &["appointment", "confirm", &id]).ok();
    account(&site, "carol", "handler", "陳二");
    let mut second = add.clone();
    second[2] = "carol";
    refused(&site, "sue", &second, "holds the post");
    let deputy = [second.as_slice(), &["--deputy-for", &id]].concat();
    site.run_as("sue", &deputy).ok();
    let mut wrong = add.clone();
    (wrong[2], wrong[4]) = ("audrey", "supervisor");
    refused(&site, "sue", &wrong, "has no role");
    let bad = ["appointment", "add", "henry", "--post", "handler", "--from", "2026-11-21"];
    assert_eq!(
        site.run_as("sue", &[bad.as_slice(), &["--doc-no", "A123456789"]].concat()).status,
        Some(65)
    );
    let page = site.run(&["appointment", "list", "--json"]).ok().json();
    assert_eq!(page["appointments"][0]["state"], "in-force");
    assert_eq!(page["appointments"][1]["state"], "proposed");
    site.verify();
}

#[test]
fn posts_that_no_one_person_may_hold_together_are_refused() {
    let people = People::new();
    let site = Site::in_memory(&people);
    let policy = "policies/new-taipei-cloud-documents.yaml";
    edit(
        &site,
        "links/moca-full.yaml",
        "policy: taoyuan-dwcd",
        "policy: new-taipei-cloud-documents",
    );
    edit(&site, policy, "auditor-admin]", "auditor-admin, auditor-custodian]");
    site.init();
    site.accounts(UNIT);
    appointed(&site, "sue", "custodian", "alice", &["--link", LINK]);
    // The custody that she would take over brings its role with it.
    let over = ["appointment", "add", "audrey", "--post", "custodian", "--link", LINK, "--from"];
    let over = [over.as_slice(), &["2026-11-21", "--doc-no", DOC]].concat();
    refused(&site, "sue", &over, "NTP-6.3a");
}

#[test]
fn rights_end_after_the_last_day_by_themselves_and_once_also_at_restart() {
    let people = People::new();
    let site = under(&people, "taipei-health");
    let end = ["appointment", "end", "henry", "--on", "2026-11-25", "--reason", "transferred"];
    // Everybody may say that he leaves, and nobody that another one does who has no post for it.
    site.run_as("audrey", &end).exits(77);
    site.run_as("henry", &end).ok();
    assert_eq!(states(&site, "henry").0, "active");
    // It comes earlier, and never later.
    let later_on = ["appointment", "end", "henry", "--on", "2026-11-30", "--reason", "transferred"];
    site.run_as("henry", &later_on).exits(77);
    site.wait_minutes(days(4) + 13 * 60);
    assert_eq!(states(&site, "henry").0, "active", "the last day is not over");
    site.wait_minutes(2 * 60);
    // Nothing has run since: he is refused all the same, and the register says that his rights have ended.
    let hold =
        ["hold", "place", "--all", "--authority", "x", "--doc-no", DOC, "--review", "2027-01-31"];
    let ran = site.run_as("henry", &hold).exits(77);
    assert!(ran.stderr.contains("no active account"), "{}", ran.stderr);
    site.once();
    site.once();
    assert_eq!(states(&site, "henry").0, "disabled");
    assert_eq!(entries(&site, "rights-ended"), 1);
    // TPH-5.4: within five days, to both offices.
    let told = duties(&site, "tell-of-change");
    let open = [
        ("henry 2026-11-25 ethics-office".to_owned(), "2026-11-30".to_owned(), "open".to_owned()),
        ("henry 2026-11-25 it-office".to_owned(), "2026-11-30".to_owned(), "open".to_owned()),
        // Another link of the site is under 桃園市: seven days, to the provider.
        ("henry 2026-11-25 provider".to_owned(), "2026-12-02".to_owned(), "open".to_owned()),
    ];
    assert_eq!(told, open);
    let tell = |office| ["appointment", "told", "henry", "--office", office, "--letter", DOC];
    site.run_as("sue", &tell("it-office")).ok();
    assert_eq!(duties(&site, "tell-of-change")[1].2, "done");
    site.wait_minutes(days(10));
    site.run_as("sue", &tell("ethics-office")).ok();
    assert_eq!(duties(&site, "tell-of-change")[0].2, "done-late");
    site.verify();
}

#[test]
fn a_leaving_admin_signs_nothing_more_and_the_last_one_stays() {
    let people = People::new();
    let site = under(&people, "taoyuan-dwcd");
    let end = |name| ["appointment", "end", name, "--on", "2026-11-22", "--reason", "resigned"];
    site.run_as("ben", &end("ada")).ok();
    site.wait_minutes(days(2));
    site.run_as("ada", &["account", "disable", "henry"]).exits(77);
    assert_eq!(states(&site, "ada").0, "disabled");
    refused(&site, "sue", &end("ben"), "last admin");
    site.run_as("ben", &["account", "disable", "henry"]).ok();
    site.verify();
}

#[test]
fn nantou_verification_hands_custody_over_in_one_act_of_who_takes_it() {
    let people = People::new();
    let site = under(&people, "nantou-verification");
    loaded(&site);
    let old = appointed(&site, "sue", "custodian", "alice", &["--link", LINK]);
    account(&site, "carol", "handler", "陳新任");
    // The application is made by another one (here by who leaves), and a second person agrees.
    let new = appointed(&site, "alice", "custodian", "carol", &["--link", LINK]);
    assert_eq!(states(&site, "carol").1, ["handler"], "nothing is hers yet");
    let over = ["appointment", "hand-over", "--link", LINK, "--to", "carol"];
    refused(&site, "alice", &over, "own signature");
    site.run_as("carol", &over).ok();
    // One entry: the old rights are gone and the new ones there.
    assert_eq!(states(&site, "alice").0, "disabled");
    assert_eq!(states(&site, "carol").1, ["handler", "custodian"]);
    assert_eq!(entries(&site, "custody-handed-over"), 1);
    let page = site.run(&["appointment", "list", "--json"]).ok().json();
    let rows = page["appointments"].as_array().unwrap();
    let of = |id: &str| rows.iter().find(|row| row["id"] == id).unwrap().clone();
    assert_eq!(
        (of(&old)["state"].clone(), of(&new)["state"].clone()),
        ("over".into(), "in-force".into())
    );
    // The digest of the list is on the list that is printed.
    let file = site.dir.join("list.json");
    let words = ["duties", "list", "--format", "json", "-o", file.to_str().unwrap()];
    site.run(&words).ok();
    let list: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    assert_eq!(list["digest"], of(&new)["list"]);
    let switched = duties(&site, "switch-custodian");
    assert!(switched.iter().all(|row| row.0 == old && row.2 == "done"), "{switched:?}");
    // NT-3.9: seven days, to the provider.
    let told = duties(&site, "tell-of-change");
    assert_eq!(
        told,
        [(format!("{old} 2026-11-21 provider"), "2026-11-30".to_owned(), "open".to_owned())]
    );
    site.run_as("carol", &["clock", "confirm"]).exits(64);
    site.verify();
}

#[test]
fn custody_that_goes_over_after_the_day_is_recorded_as_late() {
    let people = People::new();
    let site = under(&people, "nantou-verification");
    let old = appointed(&site, "sue", "custodian", "alice", &["--link", LINK]);
    account(&site, "carol", "custodian", "陳新任");
    let end = ["appointment", "end", &old, "--on", "2026-11-23", "--reason", "retired"];
    site.run_as("sue", &end).ok();
    appointed(&site, "sue", "custodian", "carol", &["--link", LINK]);
    site.wait_minutes(days(4));
    let ran = site.run_as("carol", &["appointment", "hand-over", "--link", LINK, "--to", "carol"]);
    assert!(ran.ok().text().contains("later than"));
    let switched = duties(&site, "switch-custodian");
    assert_eq!(switched, [(old, "2026-11-23".to_owned(), "done-late".to_owned())]);
    site.verify();
}

#[test]
fn an_appointment_that_was_taken_back_hands_no_custody_over() {
    let people = People::new();
    let site = under(&people, "nantou-verification");
    appointed(&site, "sue", "custodian", "alice", &["--link", LINK]);
    account(&site, "carol", "handler", "陳新任");
    let new = appointed(&site, "sue", "custodian", "carol", &["--link", LINK]);
    let end = ["appointment", "end", &new, "--on", "2026-12-31", "--reason", "replaced"];
    site.run_as("sue", &end).ok();
    site.wait_minutes(1);
    let over = ["appointment", "hand-over", "--link", LINK, "--to", "carol"];
    assert_ne!(site.run_as("carol", &over).status, Some(0));
    assert_eq!(states(&site, "carol").1, ["handler"]);
    // A later one that holds is found behind it.
    appointed(&site, "sue", "custodian", "carol", &["--link", LINK]);
    site.run_as("carol", &over).ok();
    assert_eq!(states(&site, "carol").1, ["handler", "custodian"]);
    site.verify();
}

#[test]
fn a_custodian_alone_ends_no_account_of_another_and_who_resigned_has_resigned() {
    let people = People::new();
    let site = under(&people, "nantou-verification");
    let old = appointed(&site, "sue", "custodian", "alice", &["--link", LINK]);
    let handler = appointed(&site, "sue", "handler", "henry", &["--link", LINK]);
    let end = |what, reason| {
        ["appointment", "end", what, "--on", "2026-11-25", "--reason", reason]
            .map(str::to_owned)
            .to_vec()
    };
    let run = |name: &str, words: Vec<String>| {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        site.run_as(name, &words)
    };
    run("alice", end("henry", "resigned")).exits(77);
    run("alice", end(&handler, "resigned")).exits(77);
    run("alice", end(&handler, "replaced")).ok();
    run("sue", end(&old, "resigned")).ok();
    run("alice", end(&old, "replaced")).exits(77);
    site.wait_minutes(days(5));
    site.once();
    assert_eq!(states(&site, "alice").0, "disabled");
    site.verify();
}

#[test]
fn a_suspended_link_owes_what_it_owed_of_people() {
    let people = People::new();
    let site = under(&people, "nantou-verification");
    let before = duties(&site, "fill-post");
    assert!(!before.is_empty());
    site.run_as("alice", &["link", "suspend", LINK, "--reason", "測試"]).ok();
    assert_eq!(duties(&site, "fill-post"), before);
}

#[test]
fn taoyuan_dwcd_reviews_every_account_and_a_second_person_confirms_it() {
    let people = People::new();
    let site = under(&people, "taoyuan-dwcd");
    account(&site, "carol", "handler", "陳同人");
    account(&site, "clara", "handler", "陳同人");
    let shown = site.run(&["account", "review", "--json"]).ok().json();
    let rows = shown["accounts"].as_array().unwrap();
    let of = |name: &str| rows.iter().find(|row| row["account"]["name"] == name).unwrap().clone();
    assert_eq!(of("clara")["faults"], serde_json::json!(["duplicate"]));
    assert_eq!(of("henry")["faults"], serde_json::json!([]));
    let some = ["account", "review", "--keep", "ada,ben,alice,sue,audrey,carol"];
    let more = ["--revoke", "clara=duplicate"];
    // TY-3.2a: the admin reviews; an account that is not named is a fault.
    refused(&site, "sue", &[some.as_slice(), &more, &["--keep", "henry"]].concat(), "TY-3.2a");
    assert_eq!(site.run_as("ada", &[some.as_slice(), &more].concat()).status, Some(64));
    let csv = site.dir.join("review.csv");
    fs::write(&csv, "account,verdict,reason\nhenry,suspend,no-need\n").unwrap();
    let file = ["--decisions", csv.to_str().unwrap()];
    site.run_as("ada", &[some.as_slice(), &more, &file].concat()).ok();
    assert_eq!(
        (states(&site, "clara").0, states(&site, "henry").0),
        ("disabled".into(), "disabled".into())
    );
    assert_eq!(duties(&site, "review-accounts")[0].2, "open");
    site.run_as("ada", &["account", "review", "--confirm"]).exits(77);
    site.run_as("ben", &["account", "review", "--confirm"]).ok();
    let owed = duties(&site, "review-accounts");
    assert_eq!(owed[0].2, "done");
    // On paper and as a file.
    let out = site.dir.join("review.out");
    for format in ["ods", "csv", "html", "json"] {
        let words = ["account", "review", "--format", format, "-o", out.to_str().unwrap()];
        site.run(&words).ok();
        let words = ["account", "roster", "--format", format, "-o", out.to_str().unwrap()];
        site.run(&words).ok();
        if format == "csv" {
            let text = fs::read_to_string(&out).unwrap();
            assert!(text.contains("陳同人") && text.contains("重複"), "{text}");
        }
    }
    site.verify();
}

#[test]
fn new_taipei_cloud_documents_lets_idle_accounts_rest_and_two_people_take_them_up() {
    let people = People::new();
    let site = under(&people, "new-taipei-cloud-documents");
    site.wait_minutes(days(120));
    site.run_as("ada", &["clock", "confirm"]);
    site.once();
    site.run_as("alice", &["clock", "confirm"]).ok();
    site.wait_minutes(days(70));
    site.once();
    site.run_as("alice", &["clock", "confirm"]).ok();
    site.once();
    // Who did something within six months stays; so do two admins, who take accounts up again.
    assert_eq!(states(&site, "alice").0, "active");
    assert_eq!(states(&site, "ada").0, "active");
    assert_eq!(states(&site, "henry").0, "disabled");
    assert_eq!(entries(&site, "account-suspended"), 3);
    site.once();
    assert_eq!(entries(&site, "account-suspended"), 3);
    take_up(&site, "henry", "handler", "王小明");
    site.once();
    assert_eq!(states(&site, "henry").0, "active");
    site.verify();
}

#[test]
fn new_taipei_cloud_documents_answers_an_application_within_three_working_days() {
    let people = People::new();
    let site = under(&people, "new-taipei-cloud-documents");
    site.people.new_key("iris");
    let key = site.people.public("iris");
    let add = ["account", "add", "iris", "--role", "handler", "--sign-key", key.to_str().unwrap()];
    site.run_as("ada", &add).ok();
    let of = || duties(&site, "answer-account").into_iter().find(|row| row.0 == "iris").unwrap();
    // Filed on Saturday 21 November: Monday, Tuesday, Wednesday.
    assert_eq!((of().1.as_str(), of().2.as_str()), ("2026-11-25", "open"));
    site.wait_minutes(days(5));
    assert_eq!(of().2, "overdue");
    site.run_as("ben", &["account", "confirm", "iris"]).ok();
    assert_eq!(of().2, "done-late");
    // NTP-7.3: ten working days before.
    let end = ["appointment", "end", "iris", "--on", "2026-12-31", "--reason", "resigned"];
    site.run_as("iris", &end).ok();
    let told = duties(&site, "tell-of-change");
    assert_eq!(told[0].0, "iris 2026-12-31 beforehand");
    assert_eq!(told[0].2, "done");
    let file = site.dir.join("roster.json");
    site.run(&["account", "roster", "--format", "json", "-o", file.to_str().unwrap()]).ok();
    let roster: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    let rows = roster["rows"].as_array().unwrap();
    let iris = rows.iter().find(|row| row["name"] == "iris").unwrap();
    for date in ["applied", "effective", "leaves"] {
        assert!(iris[date].is_string(), "{date}: {iris}");
    }
}

#[test]
fn taipei_health_has_a_vendor_act_only_under_an_agreement() {
    let people = People::new();
    let site = under(&people, "taipei-health");
    account(&site, "dora", "vendor,custodian", "廠商人員");
    let act =
        ["hold", "place", "--all", "--authority", "x", "--doc-no", DOC, "--review", "2027-01-31"];
    refused(&site, "dora", &act, "TPH-5.8");
    assert_eq!(duties(&site, "sign-agreement")[0].0, "dora");
    let agree = ["appointment", "agreement", "--vendor", UNIT, "--doc-no", "115-約-3", "--from"];
    let agree = [agree.as_slice(), &["2026-01-01", "--until", "2026-12-31"]].concat();
    site.run_as("sue", &agree).ok();
    let ran = site.run_as("dora", &act).exits(77);
    assert!(!ran.stderr.contains("TPH-5.8"), "{}", ran.stderr);
    let owed = duties(&site, "sign-agreement");
    assert_eq!((owed[0].2.as_str(), owed[1].1.as_str()), ("done", "2026-12-31"));
    site.wait_minutes(days(60));
    refused(&site, "dora", &act, "TPH-5.8");
}

#[test]
fn three_hours_of_training_are_owed_by_the_end_of_each_year() {
    let people = People::new();
    let site = under(&people, "nantou-verification");
    let train = |hours, on| {
        [
            "appointment",
            "training",
            "alice",
            "--hours",
            hours,
            "--on",
            on,
            "--subject",
            "資安",
            "--doc-no",
            DOC,
        ]
    };
    let of = || duties(&site, "train").into_iter().find(|row| row.0 == "alice 2026").unwrap();
    assert_eq!((of().1.as_str(), of().2.as_str()), ("2026-12-31", "open"));
    site.run_as("sue", &train("1.5", "2026-11-20")).ok();
    assert_eq!(of().2, "open");
    assert_eq!(site.run_as("sue", &train("2", "2026-11-30")).status, Some(64), "it lies ahead");
    site.run_as("sue", &train("1.5", "2026-11-21")).ok();
    assert_eq!(of().2, "done");
    let henry = duties(&site, "train").into_iter().find(|row| row.0 == "henry 2026").unwrap();
    assert_eq!(henry.2, "open");
}

#[test]
fn handler_and_custodian_are_two_persons_where_a_policy_says_so() {
    let people = People::new();
    let site = Site::in_memory(&people);
    let policy = "policies/nantou-verification.yaml";
    edit(&site, "links/moca-full.yaml", "policy: taoyuan-dwcd", "policy: nantou-verification");
    edit(&site, policy, "same_person: { value: true", "same_person: { value: false");
    site.init();
    site.accounts(UNIT);
    account(&site, "carol", "handler,custodian", "陳二");
    appointed(&site, "sue", "handler", "carol", &["--link", LINK]);
    let add = ["appointment", "add", "carol", "--post", "custodian", "--from", "2026-11-21"];
    refused(&site, "sue", &[add.as_slice(), &["--doc-no", DOC]].concat(), "NT-3.1");
}
