//! Servers that mean harm. Each ends in a clear state within its limits: what is wrong is told, what is right still
//! arrives, nothing is written outside of the link's inbox and the agent's own state, and no process takes more than
//! 100 MiB.

use std::{fs, os::unix::fs::symlink, path::Path, process::Command, time::Duration};

use super::{
    scene::Ground,
    servers::{AsyncSsh, Keys},
    support::{self, People, provider::Provider},
};

const MEMORY_MIB_MAX: u64 = 100;
/// One turn with a server, whatever it does.
const WITHIN: Duration = Duration::from_secs(150);
/// What a lie about small files may have cost in place.
const PLACE_BYTES_MAX: u64 = 48 << 20;
const BAD: &str = "small-00000001";
const GOOD: &str = "small-00000002";

/// What has become of the delivery that the server lies about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It is not loaded, and that is told.
    Refused,
    /// It is loaded as it was signed, or that is told.
    WholeOrRefused,
    /// It is loaded.
    Loaded,
}

struct Seen {
    stderr: String,
    codes: Vec<Option<i32>>,
    alarms: String,
}

/// Some turns with a server, and what holds whatever it does.
fn turns(ground: &Ground<'_>, count: usize) -> Seen {
    let before = ground.outside();
    let (mut stderr, mut codes) = (String::new(), Vec::new());
    for _ in 0..count {
        let mut running = ground.start(&[]);
        codes.push(running.end(WITHIN));
        stderr.push_str(&running.log());
        assert!(running.processes() >= 2, "nobody but the agent talks to the server");
        let peak = running.peak_mib();
        println!("peak {peak} MiB");
        assert!(peak < MEMORY_MIB_MAX, "{peak} MiB");
    }
    let released = |path: &String| path.contains("remote/");
    let outside =
        |paths: Vec<String>| paths.into_iter().filter(|p| !released(p)).collect::<Vec<_>>();
    assert_eq!(outside(before), outside(ground.outside()));
    for evil in ["/tmp/evil", "/evil", "/outgoing"] {
        assert!(!Path::new(evil).exists());
    }
    assert!(ground.bytes() < PLACE_BYTES_MAX, "{} bytes", ground.bytes());
    ground.site.verify();
    let alarms = serde_json::to_string_pretty(&ground.alarms()).unwrap();
    Seen { stderr, codes, alarms }
}

fn is_loaded(ground: &Ground<'_>, n: u64) -> bool {
    ground.rows(&Provider::number(n)).iter().any(|row| row["state"] == "loaded")
}

/// Two deliveries at a server that lies in this way about the first.
fn lies(behaviour: &str, more: &[&str], fate: Fate) {
    let people = People::new();
    let ground = Ground::new(&people);
    let words = [&["--behaviour", behaviour, "--within", BAD], more].concat();
    let server = ground.asyncssh(&words);
    ground.found(server.port, "");
    for n in [1, 2] {
        ground.offer(&ground.provider.pack(n, 200));
    }
    let seen = turns(&ground, 3);
    judge(&ground, &seen, fate, behaviour);
    let touched = |r: &&super::servers::Request| {
        r.path.contains("evil") && r.act != "lstat" && r.act != "stat"
    };
    let requests = server.requests();
    let touched: Vec<_> = requests.iter().filter(touched).collect();
    assert!(touched.is_empty(), "{behaviour}: the agent went after {touched:?}");
}

#[track_caller]
fn judge(ground: &Ground<'_>, seen: &Seen, fate: Fate, behaviour: &str) {
    assert!(
        is_loaded(ground, 2),
        "{behaviour}: the good one: {}\n{}",
        seen.stderr,
        ground.account()
    );
    assert!(ground.done(GOOD).exists(), "{behaviour}");
    let batches = ground.site.batches();
    let quarantined =
        batches.iter().any(|row| row["delivery"] == BAD && row["state"] == "quarantined");
    let loaded = is_loaded(ground, 1);
    let mut told = seen.alarms != "[]" || quarantined;
    if !told && !loaded {
        // It waits to be whole: that is told when its time is over.
        ground.site.wait_minutes(60 * 6);
        ground.once();
        told = !ground.alarms().is_empty();
    }
    let account = || format!("{behaviour}: {}\n{}", seen.stderr, ground.account());
    match fate {
        Fate::Refused => {
            assert!(!loaded && told, "{}", account());
            assert!(!ground.done(BAD).exists(), "{behaviour}: released what it has not");
        }
        Fate::WholeOrRefused => assert!(loaded || told, "{}", account()),
        Fate::Loaded => assert!(loaded && ground.done(BAD).exists(), "{}", account()),
    }
}

macro_rules! hostile {
    ($($module:ident { $($test:ident $behaviour:literal $fate:ident)* })*) => {
        $(mod $module {
            $(#[test]
            fn $test() {
                super::lies($behaviour, &[], super::Fate::$fate);
            })*
        })*
    };
}

hostile! {
    a_folder_is_refused_by_its_name {
        parent "folder-parent" Loaded
        parents "folder-parents" Loaded
        dots "folder-dots" Loaded
        absolute "folder-absolute" Loaded
        newline "folder-newline" Loaded
        nul "folder-nul" Loaded
        not_utf_8 "folder-not-utf-8" Loaded
        empty "folder-empty" Loaded
        escape "folder-escape" Loaded
    }
    a_delivery_is_refused_for_a_file_named {
        parent "file-parent" Refused
        parents "file-parents" Refused
        dots "file-dots" Refused
        absolute "file-absolute" Refused
        newline "file-newline" Refused
        nul "file-nul" Refused
        of_4_kib "file-long" Refused
        not_utf_8 "file-not-utf-8" Refused
        empty "file-empty" WholeOrRefused
        escape "file-escape" Refused
    }
    a_file_that {
        grows_for_ever "grows" Refused
        shrinks "shrinks" Refused
        changes "changes" Refused
        states_more "size-more" WholeOrRefused
        states_less "size-less" WholeOrRefused
        states_2_to_the_63 "size-huge" WholeOrRefused
        states_2_to_the_64 "size-most" WholeOrRefused
        states_no_size "size-none" WholeOrRefused
        is_a_pipe "other-kind" Refused
        answers_more_than_was_asked "longer-answers" WholeOrRefused
    }
    a_listing_of {
        a_million_files "million-files" Refused
        the_same_a_thousand_times "repeated-folders" Loaded
    }
}

/// With a name that fits nowhere the library drops those that came with it: the listing counts as cut.
#[test]
fn a_folder_with_a_name_of_4_kib_is_told_and_nothing_is_made_of_it() {
    let people = People::new();
    let ground = Ground::new(&people);
    let server = ground.asyncssh(&["--behaviour", "folder-long"]);
    ground.found(server.port, "");
    ground.offer(&ground.provider.pack(1, 3));
    let seen = turns(&ground, 1);
    assert!(seen.alarms.contains("source-junk"), "{}", seen.alarms);
    ground.assert_inbox_empty();
}

/// A folder's name that nobody may have is told of.
#[test]
fn a_hostile_name_is_told_without_its_letters() {
    let people = People::new();
    let ground = Ground::new(&people);
    let server = ground.asyncssh(&["--behaviour", "folder-escape"]);
    ground.found(server.port, "");
    let seen = turns(&ground, 1);
    assert_ne!(seen.alarms, "[]");
    assert!(!seen.stderr.contains("\x1b[2J") && !seen.alarms.contains("evil"));
    assert!(!seen.stderr.contains("evil"), "{}", seen.stderr);
}

/// A name that is longer than any filesystem has hides what is listed with it: that is told, and nothing else happens.
#[test]
fn a_folder_whose_name_is_4_kib_cuts_the_listing_and_is_told() {
    let people = People::new();
    let ground = Ground::new(&people);
    let server = ground.asyncssh(&["--behaviour", "folder-long"]);
    ground.found(server.port, "");
    ground.offer(&ground.provider.pack(1, 3));
    let seen = turns(&ground, 2);
    assert_ne!(seen.alarms, "[]", "{}", ground.account());
    assert_eq!(is_loaded(&ground, 1), ground.done(BAD).exists());
}

/// Lies about the manifest itself.
#[test]
fn a_manifest_that_grows_or_changes_is_refused() {
    for behaviour in ["grows", "changes", "size-huge"] {
        let fate = if behaviour == "size-huge" { Fate::WholeOrRefused } else { Fate::Refused };
        lies(behaviour, &["--file", "manifest.yaml"], fate);
    }
}

#[test]
fn a_listing_of_a_million_folders_or_without_an_end_is_given_up_and_told() {
    for behaviour in ["million-folders", "endless-folders"] {
        let people = People::new();
        let ground = Ground::new(&people);
        let server = ground.asyncssh(&["--behaviour", behaviour]);
        ground.found(server.port, "");
        let seen = turns(&ground, 1);
        assert_ne!(seen.alarms, "[]", "{behaviour}: {}", seen.stderr);
    }
}

#[test]
fn symbolic_links_are_not_followed() {
    for kind in ["a file", "a folder", "a loop"] {
        let people = People::new();
        let ground = Ground::new(&people);
        let server = ground.asyncssh(&[]);
        ground.found(server.port, "");
        let elsewhere = ground.remote.join("elsewhere");
        let bad = ground.outgoing(&ground.offer(&ground.provider.pack(1, 3)));
        ground.offer(&ground.provider.pack(2, 3));
        match kind {
            "a file" => {
                fs::rename(bad.join("people.csv.age"), &elsewhere).unwrap();
                symlink("../../elsewhere", bad.join("people.csv.age")).unwrap();
            }
            "a folder" => {
                fs::rename(&bad, &elsewhere).unwrap();
                symlink("../elsewhere", &bad).unwrap();
            }
            _ => symlink(".", bad.join("more")).unwrap(),
        }
        let seen = turns(&ground, 3);
        judge(&ground, &seen, Fate::Refused, kind);
    }
}

/// The agent gives up within its limits, and says so.
fn given_up(behaviour: &str) {
    let people = People::new();
    let ground = Ground::new(&people);
    let server = ground.asyncssh(&["--behaviour", behaviour]);
    ground.found(server.port, "");
    ground.offer(&ground.provider.pack(1, 20_000));
    let seen = turns(&ground, 1);
    let told = seen.alarms != "[]" || !seen.stderr.is_empty() || seen.codes != [Some(0)];
    let loaded = is_loaded(&ground, 1);
    assert!(loaded || told, "{behaviour}: nobody is told: {}", ground.account());
    assert_eq!(loaded, ground.done(BAD).exists(), "{behaviour}");
    // The next server at the same address is honest: nothing of the bad one stays in the way.
    assert!(!loaded || behaviour.starts_with("banner"), "{behaviour} cannot be answered");
}

macro_rules! given_up {
    ($($test:ident $behaviour:literal)*) => {
        mod a_server_is_given_up_that {
            $(#[test]
            fn $test() {
                super::given_up($behaviour);
            })*
        }
    };
}

given_up! {
    says_nothing "silent-connection"
    says_nothing_after_the_keys "silent-authentication"
    does_not_list "silent-listing"
    stops_within_a_file "silent-reading"
    greets_with_a_mebibyte_of_lines "banner-of-lines"
    greets_with_a_line_of_a_mebibyte "banner-of-one-line"
    greets_with_a_mebibyte_at_the_login "banner-of-authentication"
}

fn fingerprint(keys: &Keys, name: &str) -> String {
    let text = support::done(Command::new("ssh-keygen").arg("-lf").arg(keys.file(name)));
    String::from_utf8(text).unwrap().split(' ').nth(1).unwrap().to_owned()
}

#[test]
fn a_changed_host_key_is_refused_and_both_fingerprints_are_shown_with_what_to_do() {
    let people = People::new();
    let ground = Ground::new(&people);
    let server = AsyncSsh::start_as(&ground.keys, "other-host", &ground.remote, &[]);
    ground.found(server.port, "");
    ground.offer(&ground.provider.pack(1, 3));
    let seen = turns(&ground, 1);
    assert!(!is_loaded(&ground, 1));
    assert!(server.requests().is_empty());
    assert_ne!(seen.alarms, "[]", "{}", seen.stderr);
    let status = ground.site.run(&["status"]).text().to_owned();
    let told = [status, seen.alarms, seen.stderr].concat();
    for name in ["host", "other-host"] {
        let print = fingerprint(&ground.keys, name);
        assert!(told.contains(&print), "'{print}' is not in: {told}");
    }
    assert!(told.contains("ssh-keyscan"), "{told}");
}

#[test]
fn an_unknown_host_key_is_refused() {
    let people = People::new();
    let ground = Ground::new(&people);
    let server = ground.asyncssh(&[]);
    ground.found(server.port, "");
    let known = ground.site.dir.join("ssh/known_hosts");
    fs::write(&known, ground.keys.known("host", 1)).unwrap();
    ground.offer(&ground.provider.pack(1, 3));
    let seen = turns(&ground, 1);
    assert!(!is_loaded(&ground, 1) && server.requests().is_empty());
    assert_ne!(seen.alarms, "[]", "{}", seen.stderr);
}

#[test]
fn weak_algorithms_are_refused_before_anybody_logs_in() {
    for (behaviour, host) in [
        ("weak-exchange", "host"),
        ("weak-cipher", "host"),
        ("weak-mac", "host"),
        ("weak-host-key", "rsa-host"),
    ] {
        let people = People::new();
        let ground = Ground::new(&people);
        let words = ["--behaviour", behaviour];
        if host == "rsa-host" {
            ground.keys.make(host, "rsa");
        }
        let server = AsyncSsh::start_as(&ground.keys, host, &ground.remote, &words);
        ground.found(server.port, "");
        let known = ground.site.dir.join("ssh/known_hosts");
        fs::write(&known, ground.keys.known(host, server.port)).unwrap();
        ground.offer(&ground.provider.pack(1, 3));
        let seen = turns(&ground, 1);
        assert!(!is_loaded(&ground, 1) && server.requests().is_empty(), "{behaviour}");
        let told = seen.alarms != "[]" || !seen.stderr.is_empty();
        assert!(told, "{behaviour}: {}", ground.account());
    }
}
