//! Servers that are down, and an agent that dies: a notice is kept until it is sent, and sent once.

use std::collections::BTreeSet;

use crate::{
    scene::{Letter, Scene, Server},
    support::People,
};

#[test]
fn what_cannot_be_sent_waits_is_an_alarm_after_a_day_and_goes_out_once_the_server_is_there() {
    let people = People::new();
    let scene = Scene::new(&people);
    let first = scene.server("mail-tls");
    let (port, folder) = (first.port, first.folder.clone());
    scene.tells("tls", port, "  alarms: false\n");
    scene.found();
    scene.once_at("2026-11-21T18:00");
    drop(first);
    scene.once_at("2026-11-22T08:01");
    assert_eq!(scene.alarms_at("2026-11-23T07:00", "notice-unsent"), [] as [serde_json::Value; 0]);
    // The next digest takes the place of the one that waits, and waits as long.
    scene.once_at("2026-11-23T08:01");
    let alarms = scene.alarms_at("2026-11-23T08:02", "notice-unsent");
    assert_eq!(alarms.len(), 1, "{alarms:?}");
    assert_eq!(alarms[0]["about"], "mail");
    assert_eq!(alarms[0]["first"], "unreachable");
    assert!(alarms[0]["since"].as_str().unwrap().starts_with("2026-11-22T00:01:"), "{alarms:?}");
    let server = Server::start(&scene.certificates, "mail-tls", "right", &folder, port);
    scene.once_at("2026-11-23T08:03");
    let letters: Vec<Letter> = server.taken().iter().map(|raw| Letter::of(raw)).collect();
    assert_eq!(letters.len(), 3, "a post is to be filled, which is all three's: {letters:#?}");
    for letter in letters {
        assert!(letter.text.contains("民國 115-11-23"), "{}", letter.text);
    }
    assert!(scene.alarms_at("2026-11-23T08:04", "notice-unsent").is_empty());
    scene.once_at("2026-11-23T08:05");
    assert_eq!(server.taken().len(), 3);
}

#[test]
fn what_waits_is_removed_and_no_alarm_where_notices_are_taken_out_of_the_configuration() {
    let people = People::new();
    let scene = Scene::new(&people);
    let first = scene.server("mail-tls");
    scene.tells("tls", first.port, "");
    scene.found();
    scene.once_at("2026-11-21T18:00");
    drop(first);
    scene.once_at("2026-11-22T08:01");
    scene.once_at("2026-11-23T08:01");
    assert_eq!(scene.alarms_at("2026-11-23T08:02", "notice-unsent").len(), 1);
    let path = scene.site.dir.join("agent.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.split("notices:\n").next().unwrap()).unwrap();
    for (at, who, words) in [
        ("2026-11-23T08:03:00+08:00", "ada", ["config", "propose"]),
        ("2026-11-23T08:04:00+08:00", "ben", ["config", "confirm"]),
    ] {
        let key = people.key(who);
        let signed = ["--as", who, "--sign-with", key.to_str().unwrap()];
        scene.site.run_at(at, &words, &signed, b"").ok();
    }
    scene.once_at("2026-11-23T08:05");
    assert!(scene.alarms_at("2026-11-23T08:06", "notice-unsent").is_empty());
    let left = std::fs::read_dir(scene.site.dir.join("state/notices")).unwrap();
    let names = left.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let names: Vec<String> = names.filter(|name| name.contains(".mail.")).collect();
    assert_eq!(names, [] as [&str; 0]);
}

#[test]
fn one_that_is_refused_does_not_hold_up_the_others_channel() {
    let people = People::new();
    let scene = Scene::new(&people);
    let server = scene.server("mail-tls");
    scene.tells("tls", server.port, "");
    scene.found();
    scene.once_at("2026-11-21T18:00");
    server.behave("refused");
    scene.once_at("2026-11-22T08:01");
    let refused = server.heard().lines().filter(|line| line.starts_with("RCPT")).count();
    assert_eq!(refused, 3, "each was tried");
    server.behave("ok");
    scene.once_at("2026-11-22T08:02");
    assert_eq!(server.taken().len(), 3);
}

#[test]
fn an_agent_that_dies_at_any_write_of_a_notice_sends_each_after_its_next_start() {
    let people = People::new();
    let scene = Scene::new(&people);
    let server = scene.server("mail-tls");
    scene.tells("tls", server.port, "");
    scene.found();
    scene.once_at("2026-11-21T18:00");
    let mut day = 22;
    let mut twice = 0;
    for write in ["notice plan", "notice", "notice end"] {
        for moment in ["before", "middle", "after"] {
            let before = server.taken().len();
            let at = format!("2026-11-{day}T08:01");
            let stop = format!("{write}:{moment}");
            let clock = format!("{at}:00+08:00");
            let ran = scene.site.run_at(&clock, &["run", "--once"], &["--test-crash", &stop], b"");
            assert_eq!(ran.signal, Some(6), "{stop}: {ran:?}");
            scene.once_at(&format!("2026-11-{day}T08:02"));
            scene.once_at(&format!("2026-11-{day}T08:03"));
            let letters: Vec<Letter> =
                server.taken()[before..].iter().map(|raw| Letter::of(raw)).collect();
            let ids: BTreeSet<&str> = letters.iter().map(|letter| letter.id.as_str()).collect();
            assert_eq!(ids.len(), 3, "{stop}: {letters:#?}");
            twice += letters.len() - ids.len();
            if write != "notice end" {
                assert_eq!(letters.len(), 3, "{stop}: {letters:#?}");
            }
            day += 1;
        }
    }
    // What the server took just before the agent died comes again, under the same Message-ID.
    assert!(twice <= 2, "{twice}");
}
