//! Deliveries of honest servers: they arrive whole, are loaded, and are released once they are safe.

use std::fs;

use super::{
    scene::Ground,
    servers::{AsyncSsh, Request},
    support::{People, provider::Provider},
};

#[test]
fn what_lies_at_openssh_is_fetched_loaded_and_moved_away() {
    let people = People::new();
    let ground = Ground::new(&people);
    let server = ground.openssh();
    ground.found(server.port, ground.remote.to_str().unwrap());
    let names: Vec<String> =
        (1..=2).map(|n| ground.offer(&ground.provider.pack_in(n, 3, 2))).collect();
    for (n, name) in (1..).zip(&names) {
        ground.until_released(name, 4);
        ground.assert_loaded_once(&Provider::number(n));
        assert!(!ground.outgoing(name).exists());
        assert!(ground.done(name).join("manifest.yaml").exists());
    }
    ground.assert_inbox_empty();
    assert_eq!(ground.alarms(), [] as [serde_json::Value; 0]);
    ground.site.verify();
}

#[test]
fn what_lies_at_asyncssh_is_fetched_loaded_and_moved_away_once() {
    let people = People::new();
    let ground = Ground::new(&people);
    let server = ground.asyncssh(&[]);
    ground.found(server.port, "");
    let name = ground.offer(&ground.provider.pack(1, 3));
    ground.until_released(&name, 4);
    ground.assert_loaded_once(&Provider::number(1));
    for _ in 0..3 {
        ground.once().ok();
    }
    assert_eq!(server.moved(&name), 1);
    assert_eq!(data_opened(&server), 1);
    ground.assert_inbox_empty();
    ground.site.verify();
}

#[test]
fn a_server_that_answers_less_than_was_asked_is_heard_to_the_end() {
    let people = People::new();
    let ground = Ground::new(&people);
    let server = ground.asyncssh(&["--behaviour", "shorter-answers"]);
    ground.found(server.port, "");
    let name = ground.offer(&ground.provider.pack(1, 3000));
    ground.until_released(&name, 4);
    ground.assert_loaded_once(&Provider::number(1));
}

#[test]
fn a_quarantined_delivery_stays_with_the_sender_and_is_fetched_once() {
    let people = People::new();
    let ground = Ground::new(&people);
    let server = ground.asyncssh(&[]);
    ground.found(server.port, "");
    let name = ground.offer(&ground.provider.pack(1, 3));
    let file = ground.outgoing(&name).join("people.csv.age");
    let mut bytes = fs::read(&file).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&file, bytes).unwrap();
    for _ in 0..4 {
        ground.once();
    }
    let rows = ground.rows(&Provider::number(1));
    assert_eq!(rows.len(), 1, "{rows:#?}");
    assert_eq!(rows[0]["state"], "quarantined");
    assert!(ground.outgoing(&name).join("people.csv.age").exists());
    assert_eq!(server.moved(&name), 0);
    assert_eq!(data_opened(&server), 1);
}

#[test]
fn a_delivery_that_is_still_being_written_is_waited_for() {
    let people = People::new();
    let ground = Ground::new(&people);
    let server = ground.asyncssh(&[]);
    ground.found(server.port, "");
    let name = ground.offer(&ground.provider.pack(1, 3));
    let file = ground.outgoing(&name).join("people.csv.age");
    let whole = fs::read(&file).unwrap();
    fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    for _ in 0..2 {
        ground.once();
        assert!(ground.outgoing(&name).exists());
        assert!(ground.rows(&Provider::number(1)).iter().all(|row| row["state"] != "quarantined"));
    }
    fs::write(&file, &whole).unwrap();
    ground.until_released(&name, 4);
    ground.assert_loaded_once(&Provider::number(1));
}

#[test]
fn what_is_safe_is_removed_renamed_or_left_as_the_link_says_and_is_not_fetched_again() {
    for (release, left) in [
        ("delete", None),
        ("{ rename: .taken }", Some("small-00000001.taken")),
        ("keep", Some("small-00000001")),
    ] {
        let people = People::new();
        let ground = Ground::new(&people);
        let server = ground.asyncssh(&[]);
        ground.found_every("1m", server.port, "", release);
        ground.offer(&ground.provider.pack(1, 3));
        for _ in 0..4 {
            ground.once().ok();
        }
        ground.assert_loaded_once(&Provider::number(1));
        let entries = fs::read_dir(ground.remote.join("outgoing")).unwrap();
        let names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        assert_eq!(names, Vec::from_iter(left), "{release}");
        assert_eq!(data_opened(&server), 1, "{release}");
        assert_eq!(ground.alarms(), [] as [serde_json::Value; 0], "{release}");
        ground.assert_inbox_empty();
        ground.site.verify();
    }
}

/// A server that will not, or that says it did and did not.
#[test]
fn a_release_that_is_refused_or_only_pretended_is_owed_until_somebody_is_told() {
    for behaviour in ["refuses-rename", "pretends-rename"] {
        let people = People::new();
        let ground = Ground::new(&people);
        let server = ground.asyncssh(&["--behaviour", behaviour]);
        ground.found(server.port, "");
        let name = ground.offer(&ground.provider.pack(1, 3));
        for _ in 0..4 {
            ground.once();
        }
        ground.assert_loaded_once(&Provider::number(1));
        assert!(ground.outgoing(&name).join("manifest.yaml").exists());
        assert_eq!(data_opened(&server), 1, "{behaviour}: it was fetched again");
        let before = ground.alarms().len();
        ground.site.wait_minutes(60 * 30);
        ground.once();
        assert!(ground.alarms().len() > before, "{behaviour}: {}", ground.account());
        ground.site.verify();
    }
}

/// How often a data file was opened.
fn data_opened(server: &AsyncSsh) -> usize {
    let opened = |r: &&Request| r.act == "open" && r.path.ends_with(".age");
    server.requests().iter().filter(opened).count()
}
