//! What is put on a server, and what people do about one.

use std::{
    fs::{self, File},
    time::{Duration, SystemTime},
};

use super::{
    UNIT,
    scene::Ground,
    support::{People, provider::Provider},
};

/// Later than any clock of a test.
fn later(file: &std::path::Path) {
    let at = SystemTime::UNIX_EPOCH + Duration::from_secs(7_000_000_000);
    File::options().write(true).open(file).unwrap().set_modified(at).unwrap();
}

#[test]
fn a_receipt_is_put_and_put_anew_when_it_changes() {
    let people = People::new();
    let ground = Ground::new(&people);
    let server = ground.asyncssh(&[]);
    let remote = ground.remote.join("receipts");
    fs::create_dir_all(&remote).unwrap();
    ground.found_every("1m", server.port, "", "{ move: /done }\n    receipts: /receipts");
    let name = ground.offer(&ground.provider.pack(1, 3));
    ground.until_released(&name, 4);
    let folder = ground.site.dir.join("state/receipts");
    fs::create_dir_all(&folder).unwrap();
    for text in ["{\"synthetic\":1}", "{\"synthetic\":22}"] {
        for (file, text) in [("b-00000001.json", text), ("b-00000001.json.sig", "synthetic")] {
            fs::write(folder.join(file), text).unwrap();
            later(&folder.join(file));
        }
        ground.once();
        assert_eq!(fs::read_to_string(remote.join("b-00000001.json")).unwrap(), text);
    }
    let mut left: Vec<_> = fs::read_dir(&remote)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    assert_eq!(left, ["b-00000001.json", "b-00000001.json.sig"]);
    ground.site.verify();
}

#[test]
fn a_server_is_tried_without_fetching_anything() {
    let people = People::new();
    let ground = Ground::new(&people);
    let server = ground.asyncssh(&[]);
    ground.found(server.port, "");
    ground.offer(&ground.provider.pack(1, 3));
    let ran = ground.site.run(&["link", "test", "small"]).ok();
    for text in
        ["the host key is a known one", "logged in; 1 things in the remote folder", "SHA256:"]
    {
        assert!(ran.text().contains(text), "{}", ran.text());
    }
    let known = ground.site.dir.join("ssh/known_hosts");
    fs::write(&known, ground.keys.known("other-host", server.port)).unwrap();
    let ran = ground.site.run(&["link", "test", "small", "--json"]).exits(1);
    let done = ran.json();
    assert_eq!(done["trouble"], "host-key-changed");
    // The line that it shows makes it known.
    fs::write(&known, format!("{}\n", done["line"].as_str().unwrap())).unwrap();
    ground.site.run(&["link", "test", "small"]).ok();
    assert!(ground.site.batches().is_empty());
}

#[test]
fn what_a_person_settled_is_owed_no_more_and_not_fetched_again() {
    let people = People::new();
    let ground = Ground::new(&people);
    let server = ground.asyncssh(&[]);
    ground.found(server.port, "");
    ground.site.accounts(UNIT);
    let name = ground.offer(&ground.provider.pack(1, 3));
    let file = ground.outgoing(&name).join("people.csv.age");
    let mut bytes = fs::read(&file).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&file, bytes).unwrap();
    ground.once();
    let settle = ["link", "settle", "r-00000001", "--reason", "synthetic"];
    ground.site.run_as("alice", &settle).ok();
    ground.site.run_as("alice", &settle).exits(64);
    for _ in 0..3 {
        ground.once();
    }
    assert_eq!(ground.rows(&Provider::number(1)).len(), 1);
    assert!(ground.outgoing(&name).exists());
    ground.site.verify();
}

#[test]
fn the_certificate_of_a_destruction_is_put_where_the_link_wants_reports() {
    let people = People::new();
    let ground = Ground::new(&people);
    let server = ground.asyncssh(&[]);
    let remote = ground.remote.join("reports");
    fs::create_dir_all(&remote).unwrap();
    ground.found_every("1m", server.port, "", "{ move: /done }\n    reports: /reports");
    let site = &ground.site;
    site.accounts(UNIT);
    let name = ground.offer(&ground.provider.pack(1, 3));
    ground.until_released(&name, 4);
    let batch = site.row_numbered(&Provider::number(1));
    let asked = ["destroy", "request", &batch, "--reason", "使用完竣"];
    let order = site.run_as("alice", &asked).ok().id('o');
    site.run_as("sue", &["destroy", "approve", &order]).ok();
    ground.once().ok();
    let put = remote.join(format!("{order}.json"));
    let own = site.run(&["certificate", "show", &order]).ok().stdout;
    assert_eq!(fs::read(&put).unwrap().trim_ascii(), own.trim_ascii());
    site.run(&["certificate", "verify", put.to_str().unwrap()]).ok();
    let puts = || server.requests().len();
    ground.once().ok();
    let before = puts();
    ground.once().ok();
    assert!(puts() - before <= 4, "what was put once is not put again");
    site.verify();
}
