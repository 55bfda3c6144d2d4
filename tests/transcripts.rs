//! What a person reads, in both languages: real situations through the real binary.
//!
//! A site is played twice with the same people, deliveries and minutes, once in each language; `transcripts/*.txt`
//! has both outputs of every command side by side. `BATCHWARD_BLESS=1` writes the files anew: read them before they
//! are committed. Digests, keys, folders, times and sizes of disks, which differ each time, are masked.
#![cfg(feature = "test-hooks")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod support;

use std::{fs, path::Path};

use support::{People, Site, root};

const UNIT: &str = "幼兒托育科";

/// A step of a play.
type Step<'a> = (&'a str, &'a str, &'a str);

/// A command line and what came of it.
struct Told {
    line: String,
    status: i32,
    text: String,
}

/// Somebody types words; nobody in particular where the name is empty. `{KEYS}` and `{SITE}` stand for folders.
fn types(site: &Site<'_>, language: &str, (who, words, input): Step<'_>) -> Told {
    let keys = site.people.key("");
    let (keys, folder) = (keys.to_str().unwrap(), site.dir.to_str().unwrap());
    let put = |word: &str| word.replace("{KEYS}/", keys).replace("{SITE}", folder);
    let list: Vec<String> = words.split(' ').map(put).collect();
    let list: Vec<&str> = list.iter().map(String::as_str).collect();
    let key = site.people.key(who);
    let mut global = vec!["--lang", language];
    if !who.is_empty() {
        global.extend(["--as", who, "--sign-with", key.to_str().unwrap()]);
    }
    let ran = site.run_with(&list, &global, input.as_bytes());
    let text = format!("{}{}", String::from_utf8_lossy(&ran.stdout), ran.stderr);
    let parent = Path::new(folder).parent().unwrap().to_str().unwrap();
    let text = text.replace(folder, "{SITE}").replace(keys, "{KEYS}/").replace(parent, "{DIR}");
    let line = format!("{who}$ batchward {words}");
    Told { line, status: ran.status.unwrap_or(-1), text: masked(&text) }
}

/// A text without what differs each time.
fn masked(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let mut said = String::new();
        let mut word = String::new();
        // Words of digests, keys and times are told by their form, whatever stands around them.
        for c in line.chars().chain(std::iter::once('\n')) {
            if c.is_ascii_alphanumeric() || "+/:.-_".contains(c) {
                word.push(c);
                continue;
            }
            said.push_str(&mask(&std::mem::take(&mut word)));
            said.push(c);
        }
        if line.contains("iB") {
            // How much is free on this machine.
            said = said.chars().map(|c| if c.is_ascii_digit() { '#' } else { c }).collect();
            while said.contains("##") {
                said = said.replace("##", "#");
            }
        }
        out.push_str(said.trim_end());
        out.push('\n');
    }
    out
}

fn mask(word: &str) -> String {
    let hex = word.len() == 64 && word.bytes().all(|b| b.is_ascii_hexdigit());
    let time = word.len() >= 20 && word.contains('T') && word.ends_with('Z');
    match word {
        _ if hex => "<sha256>".to_owned(),
        _ if time => "<time>".to_owned(),
        // What a wipe proves depends on the filesystem that the test runs on.
        "L0" | "L1" | "L2" | "L3" | "L4" => "<level>".to_owned(),
        "ext4" | "xfs" | "btrfs" | "tmpfs" | "overlay" | "overlayfs" => "<filesystem>".to_owned(),
        _ if word.starts_with("batchward/") && word.contains('+') => "<vkey>".to_owned(),
        _ => word.to_owned(),
    }
}

/// Plays the steps in both languages and holds what is told to the file.
fn check(file: &str, play: impl Fn(&str) -> Vec<Told>) {
    let (english, chinese) = (play("en"), play("zh-TW"));
    assert_eq!(english.len(), chinese.len());
    let mut made = String::new();
    for (en, zh) in english.iter().zip(&chinese) {
        assert_eq!(en.line, zh.line);
        assert_eq!(
            en.status, zh.status,
            "the language decides nothing else: {}\n{}\n{}",
            en.line, en.text, zh.text
        );
        made.push_str(&format!(
            "{} (exit {})\n-- en\n{}-- zh-TW\n{}\n",
            en.line, en.status, en.text, zh.text
        ));
    }
    let path = root().join("tests/transcripts").join(file);
    if std::env::var_os("BATCHWARD_BLESS").is_some() {
        fs::write(&path, &made).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    let differs = made.lines().zip(kept.lines().chain(std::iter::repeat(""))).find(|(a, b)| a != b);
    assert!(made == kept, "'{file}' tells it otherwise, first at {differs:?}");
}

#[test]
fn wrong_command_lines_are_told_in_both_languages() {
    let people = People::new();
    check("usage.txt", |language| {
        let site = Site::bare(&people);
        let lines = [
            "bath",
            "batch shwo",
            "query",
            "batch list --jsn",
            "grant apply --link",
            "demo --records many",
            "query --grant g-00000001 --case 1 --reason r --format xml",
            "hold place --link a --all --authority a --doc-no 1 --review 2027-01-31",
            "status --as alice",
            "batch show x y",
            "status",
            "batch list",
            "init {SITE} --site taoyuan-dwcd --founder ada",
            "init {SITE} --site taoyuan-dwcd --founder ada={KEYS}/ada.pub",
            "init {SITE} --site taoyuan-dwcd --founder ada={KEYS}/ada.pub --founder ben={KEYS}/ada.pub",
            "init {SITE} --site taoyuan-dwcd --founder ada={KEYS}/nobody.pub --founder ben={KEYS}/ben.pub",
            "init {SITE} --site taoyuan-dwcd --founder ada={KEYS}/ada --founder ben={KEYS}/ben.pub",
            "register verify --dir {SITE} --key no-key",
            "certificate verify {SITE}/none.json",
            "policy check {SITE}/none.yaml",
        ];
        lines.iter().map(|line| types(&site, language, ("", line, ""))).collect()
    });
}

#[test]
fn help_is_told_in_both_languages() {
    let people = People::new();
    check("help.txt", |language| {
        let site = Site::bare(&people);
        let lines = ["-h", "batch -h", "key submit -h", "destroy request -h", "hold place -h"];
        lines.iter().map(|line| types(&site, language, ("", line, ""))).collect()
    });
}

#[test]
fn broken_configuration_is_told_in_both_languages() {
    let people = People::new();
    check("configuration.txt", |language| {
        let site = Site::founded(&people, &[], UNIT);
        let path = site.dir.join("agent.yaml");
        let good = fs::read_to_string(&path).unwrap();
        let mut told = vec![types(&site, language, ("", "config show", ""))];
        fs::write(&path, format!("{good}scan_evry: 0s\nincomplete_after: soon\n")).unwrap();
        told.push(types(&site, language, ("", "check", "")));
        told.push(types(&site, language, ("", "batch list", "")));
        fs::write(&path, format!("{good}start_gap_max: 7d\n")).unwrap();
        let steps = [
            ("ada", "config propose", ""),
            ("ada", "config confirm", ""),
            ("alice", "config confirm", ""),
            ("ben", "config confirm", ""),
            ("ben", "config confirm", ""),
            ("", "policy explain none", ""),
        ];
        told.extend(steps.into_iter().map(|step| types(&site, language, step)));
        told
    });
}

#[test]
fn the_life_of_a_batch_is_told_in_both_languages() {
    let people = People::new();
    check("life.txt", |language| {
        let site = Site::founded(&people, &["small-20", "checksum-mismatch", "no-key"], UNIT);
        let grant = "grant apply --link moca-full --until 2027-06-30 --purpose 資格審查 --basis 府社婦字第1150009999號";
        let query = "query --grant g-00000001 --case 115-001 --reason 資格審查";
        let steps = [
            ("", "run --once", ""),
            ("", "batch list", ""),
            ("", "status", ""),
            (
                "alice",
                "key submit b-00000002 --passphrase-stdin --channel 公文",
                "wrong horse battery staple",
            ),
            ("alice", "key submit b-00000002 --channel 公文", "no key at all"),
            ("alice", "key submit b-00000002 --channel 公文 --file none.key", ""),
            ("alice", "batch show b-00000099", ""),
            ("alice", "batch show b-00000001", ""),
            ("alice", "batch show b-00000003", ""),
            ("henry", grant, ""),
            ("henry", "grant approve g-00000001", ""),
            ("sue", "grant approve g-00000001", ""),
            ("sue", "grant approve g-00000001", ""),
            ("henry", &format!("{query} --where national_id=A123456789"), ""),
            ("alice", &format!("{query} --where national_id=-"), "A123456789"),
            ("sue", &format!("{query} --where national_id=-"), "A123456789"),
            ("audrey", "access show", ""),
            ("henry", "use complete g-00000009", ""),
            ("sue", "hold place --all --authority 地檢署 --doc-no 115-1 --review 2027-01-31", ""),
            ("sue", "hold lift h-00000001", ""),
            ("audrey", "hold lift h-00000001", ""),
            ("audrey", "hold lift h-00000001", ""),
            ("henry", "batch reject b-00000003 --reason 雜湊值不符", ""),
            ("alice", "batch reject b-00000003 --reason 身分證A123456789", ""),
            ("alice", "batch reject b-00000003 --reason 雜湊值不符", ""),
            ("alice", "destroy request b-00000001 --reason 用畢", ""),
            ("henry", "use complete g-00000001", ""),
            ("henry", "use no-need b-00000001", ""),
            ("alice", "destroy request b-00000001 --reason 用畢", ""),
            ("alice", "destroy request b-00000001 --reason 用畢", ""),
            ("alice", "destroy approve o-00000001", ""),
            ("", "grant list", ""),
            ("", "destroy list", ""),
            ("", "hold list", ""),
            ("", "account list", ""),
            ("sue", "destroy approve o-00000001", ""),
            ("sue", "destroy approve o-00000001", ""),
            ("", "destroy plan --on 2027-12-31", ""),
            ("", "register show", ""),
            ("", "register show --batch b-00000003", ""),
            ("", "register verify", ""),
        ];
        steps.into_iter().map(|step| types(&site, language, step)).collect()
    });
}

#[test]
fn a_clock_that_went_back_and_a_held_state_are_told_in_both_languages() {
    let people = People::new();
    check("trouble.txt", |language| {
        let site = Site::founded(&people, &["small-20"], UNIT);
        let mut told = vec![
            types(&site, language, ("", "run --once", "")),
            types(&site, language, ("nobody", "batch list", "")),
            types(&site, language, ("ada", "account add sue --role supervisor", "")),
            types(&site, language, ("ada", "account add tom --role king", "")),
            types(&site, language, ("ada", "account add tom --role handler", "")),
            types(&site, language, ("ada", "account confirm tom", "")),
            types(&site, language, ("ada", "clock confirm", "")),
        ];
        site.wait_minutes(-600);
        told.push(types(&site, language, ("", "run --once", "")));
        site.wait_minutes(600);
        let holder = fs::File::open(site.dir.join("state/lock")).unwrap();
        rustix::fs::flock(&holder, rustix::fs::FlockOperation::LockExclusive).unwrap();
        told.push(types(&site, language, ("", "run --once", "")));
        drop(holder);
        fs::rename(site.dir.join("state"), site.dir.join("gone")).unwrap();
        told.push(types(&site, language, ("", "batch list", "")));
        told
    });
}
