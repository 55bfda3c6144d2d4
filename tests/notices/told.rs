//! Who is told what, and when.

use std::{
    fs,
    time::{Duration, Instant},
};

use crate::{
    agent::{Agent, replaced},
    scene::{Letter, Scene},
    support::People,
};

const NEXT_DAY: &str = "2026-11-22T08:01";

fn to<'a>(letters: &'a [Letter], address: &str) -> Vec<&'a Letter> {
    letters.iter().filter(|letter| letter.to == format!("<{address}>")).collect()
}

#[test]
fn a_digest_reaches_each_person_once_a_day_in_the_language_of_the_site() {
    let people = People::new();
    people.new_key("eve");
    for (kind, security, language) in
        [("mail-tls", "tls", ""), ("mail-starttls", "starttls", "  language: en\n")]
    {
        let scene = Scene::new(&people);
        let server = scene.server(kind);
        scene.tells(security, server.port, language);
        scene.found();
        let key = people.public("eve");
        let words =
            ["account", "add", "eve", "--role", "handler", "--sign-key", key.to_str().unwrap()];
        scene.site.run_as("ada", &words).ok();
        // The first look is no digest: what was before it is nobody's to be told.
        scene.once_at("2026-11-21T18:00");
        assert!(server.taken().is_empty(), "{:?}", server.taken());
        scene.once_at("2026-11-22T07:59");
        assert!(server.taken().is_empty());
        scene.once_at(NEXT_DAY);
        scene.once_at("2026-11-22T23:00");
        let letters: Vec<Letter> = server.taken().iter().map(|raw| Letter::of(raw)).collect();
        assert_eq!(letters.len(), 3, "{letters:#?}");
        let [alice] = to(&letters, "alice@agency.example")[..] else { panic!("{letters:#?}") };
        let [sue] = to(&letters, "sue@agency.example")[..] else { panic!("{letters:#?}") };
        let [admin] = to(&letters, "it@agency.example")[..] else { panic!("{letters:#?}") };
        // Whoever may confirm the account is told of it, and of nothing that is another's.
        for one in [sue, admin] {
            assert!(one.text.contains("confirm-account  eve"), "{}", one.text);
            assert!(one.text.contains("batchward account confirm eve"), "{}", one.text);
        }
        assert!(!alice.text.contains("confirm-account"), "{}", alice.text);
        assert!(alice.text.contains("root-key-in-file"), "{}", alice.text);
        assert!(!sue.text.contains("root-key-in-file"), "{}", sue.text);
        let (head, day) = if language.is_empty() {
            ("待辦", "民國 115-11-22")
        } else {
            ("what is to be done:", "ROC 115-11-22")
        };
        assert!(sue.text.contains(head) && sue.text.contains(day), "{}", sue.text);
        assert_eq!(sue.text.is_ascii(), !language.is_empty(), "{}", sue.text);
        assert!(sue.subject.contains("taoyuan-dwcd"), "{}", sue.subject);
        assert_ne!(sue.id, alice.id);
        assert!(alice.raw.is_ascii());
        scene.once_at("2026-11-23T09:00");
        assert_eq!(server.taken().len(), 6, "the next day has its own");
    }
}

#[test]
fn an_alarm_is_told_when_it_begins_and_once_a_day_at_most() {
    let people = People::new();
    let scene = Scene::new(&people);
    let server = scene.server("mail-tls");
    scene.tells("tls", server.port, "");
    scene.found();
    scene.once_at("2026-11-21T18:00");
    assert!(server.taken().is_empty());
    // What looks like a key lies where data come: the custodian is told.
    let key = scene.site.dir.join("drop/moca-full/synthetic.key");
    let count = || server.taken().len();
    fs::write(&key, "synthetic").unwrap();
    scene.once_at("2026-11-21T18:01");
    let letters: Vec<Letter> = server.taken().iter().map(|raw| Letter::of(raw)).collect();
    assert_eq!(letters.len(), 1, "{letters:#?}");
    let letter = &letters[0];
    assert_eq!(letter.to, "<alice@agency.example>");
    assert!(letter.text.contains("key-in-inbox  moca-full"), "{}", letter.text);
    assert!(!letter.text.contains("synthetic.key"), "{}", letter.text);
    scene.once_at("2026-11-21T18:02");
    assert_eq!(count(), 1, "it stands on");
    fs::remove_file(&key).unwrap();
    scene.once_at("2026-11-21T18:03");
    fs::write(&key, "synthetic").unwrap();
    scene.once_at("2026-11-21T18:04");
    assert_eq!(count(), 1, "it begins again on the same day");
    fs::remove_file(&key).unwrap();
    scene.once_at("2026-11-22T07:00");
    fs::write(&key, "synthetic").unwrap();
    scene.once_at("2026-11-22T07:01");
    assert_eq!(count(), 2, "and on the next one");
}

#[test]
fn a_webhook_is_told_of_all_that_is_owed_by_codes_and_ids() {
    let people = People::new();
    let scene = Scene::new(&people);
    let server = scene.server("webhook");
    scene.posts(server.port);
    scene.found();
    people.new_key("eve");
    let key = people.public("eve");
    let words = ["account", "add", "eve", "--role", "handler", "--sign-key", key.to_str().unwrap()];
    scene.site.run_as("ada", &words).ok();
    scene.once_at("2026-11-21T18:00");
    scene.once_at(NEXT_DAY);
    let taken = server.taken();
    assert_eq!(taken.len(), 1);
    let body: serde_json::Value =
        serde_json::from_str(taken[0].split_once('\n').unwrap().1).unwrap();
    assert_eq!(body["kind"], "digest");
    assert_eq!(body["site"], "taoyuan-dwcd");
    let items = body["items"].as_array().unwrap();
    let eve = items.iter().find(|item| item["code"] == "confirm-account").unwrap();
    assert_eq!(eve["object"], "eve");
    assert_eq!(eve["roles"], serde_json::json!(["admin", "supervisor"]));
}

#[test]
fn whom_the_site_tells_waits_for_a_second_person() {
    let people = People::new();
    let scene = Scene::new(&people);
    let server = scene.server("mail-tls");
    scene.found();
    scene.tells("tls", server.port, "");
    let act = |clock: &str, name: &str, words: &[&str]| {
        let key = people.key(name);
        let signed = ["--as", name, "--sign-with", key.to_str().unwrap()];
        scene.site.run_at(&format!("{clock}:00+08:00"), words, &signed, b"").ok()
    };
    scene.once_at("2026-11-21T18:00");
    scene.once_at(NEXT_DAY);
    let shown = act("2026-11-22T08:30", "ada", &["config", "show", "--json"]).json();
    assert!(shown.to_string().contains("\"notices\""), "{shown}");
    act("2026-11-22T08:31", "ada", &["config", "propose"]);
    scene.once_at("2026-11-22T09:00");
    scene.once_at("2026-11-23T09:00");
    assert!(server.heard().is_empty(), "{}", server.heard());
    act("2026-11-23T09:01", "ben", &["config", "confirm"]);
    scene.once_at("2026-11-23T09:02");
    scene.once_at("2026-11-24T09:00");
    assert_eq!(server.taken().len(), 2, "{:?}", server.taken());
}

#[test]
fn an_agent_that_stays_tells_beside_its_work_and_waits_for_no_server() {
    let people = People::new();
    let scene = Scene::new(&people);
    let server = scene.server("mail-starttls");
    scene.tells("starttls", server.port, "");
    let path = scene.site.dir.join("agent.yaml");
    replaced(&path, "scan_every: 30s", "scan_every: 1s\nsocket: run/control.sock");
    scene.found();
    let mut agent = Agent::start(&scene.site);
    let inbox = |link: &str| scene.site.dir.join("drop").join(link).join("synthetic.key");
    fs::write(inbox("moca-full"), "synthetic").unwrap();
    agent.until("mail", |_| server.taken().len() == 1);
    server.behave("silent");
    fs::write(inbox("nantou-verify"), "synthetic").unwrap();
    agent.until("a silent server", |_| server.connected() == 2);
    let asked = Instant::now();
    agent.run(&["batch", "list"]).ok();
    assert!(asked.elapsed() < Duration::from_secs(5));
    agent.stop();
    assert_eq!(server.taken().len(), 1);
}
