//! Deliveries that have no manifest of ours: announced by letter, with a control file, a list of digests or a bag; and the
//! chain of notices. Through the real binary, with the samples' files.
//!
//! It is over 500 lines because the stories share their site and their letters.
#![cfg(feature = "test-hooks")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod support;

use std::{fs, path::PathBuf, process::Command};

use serde_json::{Value, json};
use support::{People, Site, done};

const LINK: &str = "moca-full";
const FOLDER: &str = "moca-1151102-0006";
const KEY: &str = "MOCA-1151102-0006.key";
const LETTER: &str = "府民戶字第1150009999號";
/// Records of the sample.
const RECORDS: &str = "20";

/// A site whose link has these further lines.
fn site<'p>(people: &'p People, lines: &str) -> Site<'p> {
    let site = Site::laid_out(people, &[]);
    let path = site.dir.join(format!("links/{LINK}.yaml"));
    let text = fs::read_to_string(&path).unwrap();
    fs::write(path, format!("{text}{lines}")).unwrap();
    site.init();
    site.accounts("幼兒托育科");
    if !people.key("carl").exists() {
        people.new_key("carl");
    }
    let key = people.public("carl");
    let add = ["account", "add", "carl", "--role", "custodian", "--unit", "資訊室", "--sign-key"];
    site.run_as("ada", &[add.as_slice(), &[key.to_str().unwrap()]].concat()).ok();
    site.run_as("ben", &["account", "confirm", "carl"]).ok();
    site
}

/// The sample's data file alone, in a folder of the inbox; its path.
fn data(site: &Site<'_>) -> PathBuf {
    site.install(&["--no-keys"], &["small-20"]);
    let folder = site.dir.join("drop").join(LINK).join(FOLDER);
    for name in ["manifest.yaml", "manifest.yaml.sig"] {
        fs::remove_file(folder.join(name)).unwrap();
    }
    let mut left = fs::read_dir(&folder).unwrap();
    let file = left.next().unwrap().unwrap().path();
    assert!(left.next().is_none(), "one data file");
    file
}

fn digest(file: &PathBuf) -> String {
    let out = done(Command::new("sha256sum").arg(file));
    String::from_utf8(out).unwrap().split(' ').next().unwrap().to_owned()
}

fn announce<'a>(more: &[&'a str]) -> Vec<&'a str> {
    let words =
        ["batch", "announce", "--link", LINK, "--doc-no", LETTER, "--notified", "115/11/20"];
    [words.as_slice(), more].concat()
}

fn announced(site: &Site<'_>, more: &[&str]) -> String {
    let row = site.run_as("alice", &announce(more)).ok().id('t');
    site.run_as("carl", &["batch", "announce-confirm", &row]).ok();
    row
}

fn state(site: &Site<'_>) -> (Value, Value) {
    let row = site.row(FOLDER);
    (row["state"].clone(), row["reason"].clone())
}

#[test]
fn a_letter_that_two_people_entered_stands_for_a_manifest() {
    let people = People::new();
    let site = site(&people, "");
    let told = ["batch", "notice", "--link", LINK, "--stage", "provider", "--channel", "letter"];
    let told = [told.as_slice(), &["--at", "115/11/19", "--doc-no", LETTER]].concat();
    let row = site.run_as("henry", &told).ok().id('t');
    let to_it = ["batch", "notice", &row, "--stage", "to-it", "--channel", "email", "--at"];
    site.run_as("henry", &[to_it.as_slice(), &["2026-11-20T09:00:00+08:00"]].concat()).ok();
    data(&site);
    site.once();
    assert_eq!(state(&site).0, "waiting", "nobody has announced it yet");
    let words = announce(&["--records", RECORDS, "--files", "*.age"]);
    assert_eq!(site.run_as("alice", &words).ok().id('t'), row, "the number of the letter is known");
    site.once();
    assert_eq!(state(&site).0, "waiting", "one person alone has");
    let confirm = ["batch", "announce-confirm", row.as_str()];
    site.run_as("alice", &confirm).exits(77);
    site.run_as("sue", &confirm).exits(77);
    site.run_as("henry", &confirm).ok();
    site.once();
    let id = site.row(FOLDER)["id"].as_str().unwrap().to_owned();
    let page = site.show(&id);
    assert_eq!((&page["state"], &page["strength"]), (&json!("verified"), &json!("by-letter")));
    assert_eq!(page["number"], row.as_str());
    assert_eq!(page["counts"]["declared"], 20);
    assert_eq!(page["notice"]["official_at"], "2026-11-18T16:00:00.000Z");
    assert_eq!(page["notice"]["stated_at"], "2026-11-19T16:00:00.000Z");
    assert_eq!(page["notice"]["announcement"]["confirmed_by"], "henry");
    assert!(page["files"][0]["sha256"].is_string(), "for comparison: {page:#}");
    let shown = site.run(&["batch", "show", &id]).ok();
    assert!(shown.text().contains("compare the SHA-256"), "{}", shown.text());
    let key = people.batch_key(KEY);
    let submit = ["key", "submit", &id, "--channel", "telephone", "--file", key.to_str().unwrap()];
    site.run_as("alice", &submit).ok();
    assert_eq!(site.show(&id)["state"], "loaded");
    let unit = ["batch", "notice", &id, "--stage", "to-unit", "--channel", "phone", "--at"];
    site.run_as("alice", &[unit.as_slice(), &["2026-11-21T09:00:00+08:00"]].concat()).ok();
    assert_eq!(site.show(&id)["notice"]["notices"].as_array().unwrap().len(), 3);
    let withdraw = ["batch", "announce-withdraw", &row, "--reason", "誤登"];
    site.run_as("alice", &withdraw).exits(64);
    let register =
        String::from_utf8(site.run(&["register", "show", "--json"]).ok().stdout).unwrap();
    assert!(!register.contains("residents"), "names that came are in no entry");
    site.verify();
}

#[test]
fn what_a_letter_says_is_held_against_what_came() {
    let people = People::new();
    for (more, state, reason) in [
        (vec!["--records", "21", "--files", "*.age"], "quarantined", "count-mismatch"),
        (vec!["--records", RECORDS, "--files", "*.zip"], "waiting", "incomplete"),
        (
            vec!["--records", RECORDS, "--files", "*.age", "--sha256", WRONG],
            "quarantined",
            "checksum-mismatch",
        ),
        (
            vec!["--records", RECORDS, "--files", "*.age", "--sha256", WRONG, "--sha256", OTHER],
            "waiting",
            "incomplete",
        ),
    ] {
        let site = site(&people, "");
        data(&site);
        let row = announced(&site, &more);
        site.once();
        if site.row(FOLDER)["state"] == "verified" {
            let key = people.batch_key(KEY);
            let submit = ["key", "submit", &row, "--channel", "letter", "--file"];
            site.run_as("alice", &[submit.as_slice(), &[key.to_str().unwrap()]].concat());
        }
        let found = site.row(FOLDER);
        assert_eq!(
            (&found["state"], &found["reason"]),
            (&json!(state), &json!(reason)),
            "{more:?}"
        );
        if state == "quarantined" {
            let page = site.show(&row);
            assert!(!page["plain"]["next"]["zh"].as_str().unwrap().is_empty());
            let shown = site.run(&["batch", "show", &row, "--lang", "zh-TW"]).ok();
            assert!(shown.text().contains("應有情形"), "{}", shown.text());
        }
        site.verify();
    }
}

const WRONG: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
const OTHER: &str = "10112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

/// One file that comes twice is not the two that the letter has: nobody is loaded twice.
#[test]
fn a_file_that_comes_twice_is_not_the_two_of_the_letter() {
    let people = People::new();
    let site = site(&people, "");
    let file = data(&site);
    fs::copy(&file, file.with_file_name("twin.age")).unwrap();
    let sum = digest(&file);
    let both = ["--sha256", sum.as_str(), "--sha256", OTHER];
    let records = (2 * RECORDS.parse::<u64>().unwrap()).to_string();
    let more = ["--records", records.as_str(), "--files", "*.age"];
    announced(&site, &[more.as_slice(), &both].concat());
    site.once();
    assert_eq!(state(&site), (json!("quarantined"), json!("checksum-mismatch")));
    site.verify();
}

/// A list under somebody else's signature is not told as the provider's, also where a letter stands behind the delivery.
#[test]
fn a_list_with_a_bad_signature_is_not_held_against_the_provider() {
    let people = People::new();
    let site = site(&people, "manifest: sha256sums\n");
    let file = data(&site);
    let name = file.file_name().unwrap().to_str().unwrap();
    fs::write(file.with_file_name("SHA256SUMS"), format!("{WRONG}  {name}\n")).unwrap();
    fs::write(file.with_file_name("SHA256SUMS.sig"), "garbage").unwrap();
    announced(&site, &["--records", RECORDS, "--files", "*.age"]);
    site.once();
    assert_eq!(state(&site), (json!("quarantined"), json!("bad-signature")));
    let page = site.show(site.row(FOLDER)["id"].as_str().unwrap());
    assert_eq!(page["announced"]["verified"], false, "{page:#}");
    assert!(page["announced"]["files"][0]["digest_agrees"].is_null(), "{page:#}");
    site.verify();
}

#[test]
fn a_letter_is_refused_that_says_nothing_usable() {
    let people = People::new();
    let site = site(&people, "");
    let good = ["--records", RECORDS, "--files", "*.age"];
    for (more, exit) in [
        (vec!["--records", "0", "--files", "*.age"], 64),
        (vec!["--records", RECORDS, "--files", "../*.age"], 64),
        (vec!["--records", RECORDS, "--files", "*"], 64),
        (vec!["--records", RECORDS, "--files", "A123456789*.age"], 65),
        (vec!["--records", RECORDS, "--files", "*.age", "--number", "A123456789"], 65),
        (vec!["--records", RECORDS, "--files", "*.age", "--kind", "delta"], 64),
        (vec!["--records", RECORDS, "--files", "*.age", "--sha256", "12"], 64),
        (vec!["--records", RECORDS, "--files", "*.age", "--row", "t-00000009"], 64),
    ] {
        site.run_as("alice", &announce(&more)).exits(exit);
    }
    site.run_as("henry", &announce(&good)).exits(77);
    let future =
        ["batch", "announce", "--link", LINK, "--doc-no", LETTER, "--notified", "116/11/20"];
    site.run_as("alice", &[future.as_slice(), &good].concat()).exits(64);
    let row = announced(&site, &good);
    site.run_as("alice", &announce(&good)).exits(64);
    let letter =
        ["batch", "notice", &row, "--stage", "to-it", "--channel", "letter", "--at", "115/11/20"];
    site.run_as("henry", &letter).exits(64);
    site.run_as("henry", &["batch", "join", &row, "b-00000001"]).exits(64);
    assert_eq!(site.run(&["batch", "list", "--json"]).ok().json()[0]["state"], "confirmed");
    site.wait_minutes(5 * 60);
    let alarms = site.run(&["status", "--json"]).json()["alarms"].clone();
    assert!(alarms.to_string().contains("announced-missing"), "{alarms:#}");
    site.run_as("alice", &["batch", "announce-withdraw", &row, "--reason", "重複登錄"]).ok();
    let alarms = site.run(&["status", "--json"]).json()["alarms"].clone();
    assert!(!alarms.to_string().contains("announced-missing"), "{alarms:#}");
    site.verify();
}

/// A control file in CP950, as registries write it.
fn control(file: &PathBuf, records: &str) -> Vec<u8> {
    let (name, bytes) =
        (file.file_name().unwrap().to_str().unwrap(), fs::metadata(file).unwrap().len());
    let text = format!(
        "表號=HR-PERSON-01\r\n檔名={name}\r\n產製日期時間=1151120090000\r\n筆數={records}\r\n位元組數={bytes}\r\nSHA-256={}\r\n序號=0006\r\n加密方式=age\r\n",
        digest(file)
    );
    batchward::domain::cp950::encode(&text).unwrap()
}

#[test]
fn a_control_file_needs_a_signature_a_letter_or_the_word_of_the_link() {
    let people = People::new();
    for (lines, letter, strength) in [
        ("manifest: ctl\n", false, None),
        ("manifest: ctl\n", true, Some("by-letter")),
        ("manifest: ctl\ncontrol_unsigned: true\n", false, Some("unsigned")),
    ] {
        let site = site(&people, lines);
        let file = data(&site);
        fs::write(file.with_file_name("HRP-0006.CTL"), control(&file, RECORDS)).unwrap();
        if letter {
            announced(&site, &["--records", RECORDS, "--files", "*.age"]);
        }
        site.once();
        let Some(strength) = strength else {
            assert_eq!(state(&site), (json!("waiting"), json!("unsigned")));
            site.wait_minutes(5 * 60);
            site.once();
            assert_eq!(state(&site), (json!("quarantined"), json!("unsigned")));
            continue;
        };
        let id = site.row(FOLDER)["id"].as_str().unwrap().to_owned();
        let page = site.show(&id);
        assert_eq!((&page["state"], &page["strength"]), (&json!("verified"), &json!(strength)));
        assert_eq!(page["number"], "HRP-0006");
        let key = people.batch_key(KEY);
        let submit = ["key", "submit", &id, "--channel", "letter", "--file", key.to_str().unwrap()];
        site.run_as("alice", &submit).ok();
        assert_eq!(site.show(&id)["state"], "loaded");
        assert!(site.files(&format!("drop/{LINK}")).is_empty(), "the originals are wiped");
        site.verify();
    }
}

#[test]
fn a_control_file_that_does_not_agree_with_what_came_loads_nothing() {
    let people = People::new();
    type Change = fn(&PathBuf, Vec<u8>) -> Vec<(&'static str, Vec<u8>)>;
    let cases: [(Change, &str); 5] = [
        (|_, ctl| vec![("A.CTL", ctl.clone()), ("B.CTL", ctl)], "manifest-invalid"),
        (
            |_, mut ctl| {
                ctl.push(0xA4);
                vec![("A.CTL", ctl)]
            },
            "manifest-invalid",
        ),
        (|_, ctl| vec![("A.CTL", ctl), ("more.txt", b"x".to_vec())], "unlisted-file"),
        (|_, ctl| vec![("A.CTL", ctl), ("A.CTL.sig", b"x".to_vec())], "bad-signature"),
        (
            |file, _| {
                fs::write(file, b"short").unwrap();
                vec![("A.CTL", control(file, "20")), ("B.txt", vec![])]
            },
            "unlisted-file",
        ),
    ];
    for (change, reason) in cases {
        let site = site(&people, "manifest: ctl\ncontrol_unsigned: true\n");
        let file = data(&site);
        for (name, bytes) in change(&file, control(&file, RECORDS)) {
            fs::write(file.with_file_name(name), bytes).unwrap();
        }
        site.once();
        assert_eq!(state(&site), (json!("quarantined"), json!(reason)));
        site.verify();
    }
}

#[test]
fn a_list_of_digests_and_a_bag_wait_for_the_count_of_a_letter() {
    let people = People::new();
    for form in ["sha256sums", "bagit"] {
        let site = site(&people, &format!("manifest: {form}\n"));
        let file = data(&site);
        let (folder, sum) = (file.parent().unwrap().to_owned(), digest(&file));
        let name = file.file_name().unwrap().to_str().unwrap().to_owned();
        if form == "bagit" {
            fs::create_dir(folder.join("data")).unwrap();
            fs::rename(&file, folder.join("data").join(&name)).unwrap();
            let declaration = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n";
            fs::write(folder.join("bagit.txt"), declaration).unwrap();
            fs::write(folder.join("manifest-sha256.txt"), format!("{sum}  data/{name}\n")).unwrap();
        } else {
            fs::write(folder.join("SHA256SUMS"), format!("{sum}  {name}\n")).unwrap();
        }
        site.once();
        assert_eq!(state(&site).0, "waiting");
        announced(&site, &["--records", RECORDS, "--files", "*.age", "--number", "HRP-7"]);
        site.once();
        let id = site.row(FOLDER)["id"].as_str().unwrap().to_owned();
        let page = site.show(&id);
        assert_eq!((&page["state"], &page["strength"]), (&json!("verified"), &json!("by-letter")));
        let key = people.batch_key(KEY);
        let submit =
            ["key", "submit", "HRP-7", "--channel", "letter", "--file", key.to_str().unwrap()];
        site.run_as("alice", &submit).ok();
        assert_eq!(site.show("HRP-7")["state"], "loaded");
        assert!(site.files(&format!("drop/{LINK}")).is_empty(), "the originals are wiped");
        site.verify();
    }
}

#[test]
fn a_delivery_that_never_becomes_complete_is_quarantined_when_the_link_says_so() {
    let people = People::new();
    let site = site(&people, "abandon_after: 2d\n");
    site.install(&["--no-keys"], &["no-manifest"]);
    site.once();
    let entries = site.run(&["register", "show", "--json"]).ok().json();
    let seen = |entry: &Value| entry["body"]["type"] == "delivery-seen";
    assert!(entries.as_array().unwrap().iter().any(seen), "it has a row from first sight");
    site.wait_minutes(47 * 60);
    site.once();
    assert_eq!(site.row("moca-1151102-0030")["state"], "waiting");
    site.wait_minutes(2 * 60);
    site.once();
    let row = site.row("moca-1151102-0030");
    assert_eq!((&row["state"], &row["reason"]), (&json!("quarantined"), &json!("incomplete")));
    site.verify();
}

#[test]
fn a_notice_becomes_a_batch_s_by_hand_and_the_official_time_is_its() {
    let people = People::new();
    let site = site(&people, "");
    let told = ["batch", "notice", "--link", LINK, "--stage", "provider", "--channel", "phone"];
    let row =
        site.run_as("henry", &[told.as_slice(), &["--at", "115/11/20"]].concat()).ok().id('t');
    site.install(&[], &["small-20"]);
    site.once();
    let id = site.row_numbered("MOCA-1151102-0006");
    assert_eq!(site.show(&id)["notice"], Value::Null);
    site.run_as("henry", &["batch", "join", &row, &id]).exits(77);
    site.run_as("alice", &["batch", "join", &row, &id]).ok();
    assert_eq!(site.show(&id)["notice"]["official_at"], "2026-11-19T16:00:00.000Z");
    site.run_as("alice", &["batch", "join", &row, &id]).exits(64);
    let rows = site.run(&["batch", "notices", "--json"]).ok().json();
    assert_eq!((&rows[0]["state"], &rows[0]["batch"]), (&json!("arrived"), &json!(id)));
    site.verify();
}

#[test]
fn one_person_alone_does_not_make_the_official_time_of_a_batch_that_is_there() {
    let people = People::new();
    let site = site(&people, "");
    let told = ["batch", "notice", "--link", LINK, "--stage", "provider", "--channel", "phone"];
    let told = [told.as_slice(), &["--at", "115/11/18"]].concat();
    let row = site.run_as("alice", &told).ok().id('t');
    site.install(&[], &["small-20"]);
    site.once();
    let id = site.row_numbered("MOCA-1151102-0006");
    let official = || site.show(&id)["notice"]["official_at"].clone();
    let joined = site.run_as("alice", &["batch", "join", &row, &id]).ok();
    assert!(joined.text().contains("once another person enters the same notice"));
    assert_eq!(official(), Value::Null, "the same person entered and joined it");
    let notice = |name: &str, day: &str| {
        let words = ["batch", "notice", &id, "--stage", "provider", "--channel", "phone", "--at"];
        site.run_as(name, &[words.as_slice(), &[day]].concat()).ok()
    };
    let alone = notice("carl", "115/11/16");
    assert!(alone.text().contains("once another person enters the same notice"));
    notice("carl", "115/11/16");
    assert_eq!(official(), Value::Null, "one person twice is one person");
    notice("henry", "115/11/18");
    assert_eq!(official(), "2026-11-17T16:00:00.000Z", "two people say so");
    notice("henry", "115/11/16");
    assert_eq!(official(), "2026-11-17T16:00:00.000Z", "what counted first stays");
    site.verify();
}

#[test]
fn a_letter_that_two_people_entered_is_not_moved_by_a_later_notice() {
    let people = People::new();
    let site = site(&people, "");
    data(&site);
    let row = announced(&site, &["--records", RECORDS, "--files", "*.age"]);
    let words = ["batch", "notice", row.as_str(), "--stage", "provider", "--channel", "phone"];
    site.run_as("henry", &[words.as_slice(), &["--at", "115/11/18"]].concat()).ok();
    site.once();
    let id = site.row(FOLDER)["id"].as_str().unwrap().to_owned();
    site.run_as("alice", &[words.as_slice(), &["--at", "115/11/17"]].concat()).ok();
    assert_eq!(site.show(&id)["notice"]["official_at"], "2026-11-19T16:00:00.000Z");
    site.verify();
}

#[test]
fn what_was_announced_is_no_word_about_another_delivery() {
    let people = People::new();
    let site = site(&people, "");
    site.install(&[], &["small-20"]);
    site.once();
    let id = site.row_numbered("MOCA-1151102-0006");
    let typed = ["--records", RECORDS, "--files", "HR*.zip"];
    let row = site.run_as("alice", &announce(&typed)).ok().id('t');
    // It is confirmed by nobody yet, and is not another batch's all the same.
    site.run_as("carl", &["batch", "join", &row, &id]).exits(64);
    let words = ["batch", "notice", &id, "--stage", "provider", "--channel", "letter"];
    let words = [words.as_slice(), &["--at", "115/11/19", "--doc-no", LETTER]].concat();
    site.run_as("carl", &words).exits(64);
    site.run_as("carl", &["batch", "announce-confirm", &row]).ok();
    assert_eq!(site.show(&id)["notice"], Value::Null);
    site.verify();
}

#[test]
fn two_letters_that_mean_the_same_names_are_told_apart_before_they_block_each_other() {
    let people = People::new();
    let site = site(&people, "");
    data(&site);
    let first = announced(&site, &["--records", RECORDS, "--files", "*.age"]);
    let second = |files: &str| {
        let words = ["batch", "announce", "--link", LINK, "--doc-no", "府民戶字第1150009998號"];
        let more = ["--notified", "115/11/20", "--records", RECORDS, "--files", files];
        site.run_as("alice", &[words.as_slice(), &more].concat())
    };
    let told = second("residents*.age").exits(64);
    assert!(told.stderr.contains(&first), "{}", told.stderr);
    second("residents*.zip").ok();
    site.once();
    let id = site.row(FOLDER)["id"].as_str().unwrap().to_owned();
    assert_eq!(site.show(&id)["strength"], "by-letter");
    // The first has come, and stands in nobody's way any more.
    second("more*.age").ok();
    site.verify();
}

#[test]
fn a_delivery_is_loaded_by_the_manifest_that_was_judged_whatever_the_link_says_by_then() {
    let people = People::new();
    let site = site(&people, "manifest: ctl\ncontrol_unsigned: true\n");
    let file = data(&site);
    fs::write(file.with_file_name("HRP-0006.CTL"), control(&file, RECORDS)).unwrap();
    site.once();
    let id = site.row(FOLDER)["id"].as_str().unwrap().to_owned();
    assert_eq!(site.show(&id)["state"], "verified");
    let path = site.dir.join(format!("links/{LINK}.yaml"));
    let text = fs::read_to_string(&path).unwrap();
    let text = text.replace("manifest: ctl\ncontrol_unsigned: true\n", "");
    fs::write(&path, text).unwrap();
    site.run_as("ada", &["config", "propose"]);
    site.run_as("ben", &["config", "confirm"]);
    let key = people.batch_key(KEY);
    let submit = ["key", "submit", &id, "--channel", "letter", "--file", key.to_str().unwrap()];
    site.run_as("alice", &submit).ok();
    assert_eq!(site.show(&id)["state"], "loaded");
    site.verify();
}

#[test]
fn plain_files_of_one_name_are_a_delivery_and_others_stay() {
    let people = People::new();
    let lines = "manifest: ctl
control_unsigned: true
delivery: flat
files: 'HRP*.age'
";
    let site = site(&people, lines);
    let file = data(&site);
    let inbox = site.dir.join("drop").join(LINK);
    let moved = inbox.join("HRP-0006.dat.age");
    fs::rename(&file, &moved).unwrap();
    fs::remove_dir(inbox.join(FOLDER)).unwrap();
    fs::write(inbox.join("notes.txt"), b"synthetic").unwrap();
    site.once();
    assert_eq!(site.row("HRP-0006")["reason"], "incomplete", "its control file has not come");
    fs::write(inbox.join("HRP-0006.CTL"), control(&moved, RECORDS)).unwrap();
    site.once();
    let id = site.row_numbered("HRP-0006");
    assert_eq!(site.show(&id)["state"], "verified");
    assert_eq!(
        site.files(&format!("drop/{LINK}")),
        ["notes.txt"],
        "only its own originals are wiped"
    );
    let key = people.batch_key(KEY);
    let submit = ["key", "submit", &id, "--channel", "letter", "--file", key.to_str().unwrap()];
    site.run_as("alice", &submit).ok();
    assert_eq!(site.show(&id)["state"], "loaded");
    // A key beside the data, and a link in the place of a file.
    fs::write(inbox.join("HRP-0007.dat.age"), b"synthetic").unwrap();
    fs::write(inbox.join("HRP-0007.key"), b"synthetic").unwrap();
    std::os::unix::fs::symlink("/etc/hostname", inbox.join("HRP-0008.x.age")).unwrap();
    fs::write(inbox.join("HRP-0008.dat.age"), b"synthetic").unwrap();
    site.once();
    assert_eq!(site.row("HRP-0007")["reason"], "key-with-data");
    assert_eq!(site.row("HRP-0008")["reason"], "unsafe-file");
    site.verify();
}

#[test]
fn another_number_than_the_letter_states_is_no_match() {
    let people = People::new();
    let rule = "override:\n  intake:\n    compare_rule: { value: equal, clause: own }\n";
    let site = site(&people, rule);
    announced(&site, &["--records", RECORDS, "--files", "*.age", "--applied", "25"]);
    data(&site);
    site.once();
    let id = site.row(FOLDER)["id"].as_str().unwrap().to_owned();
    let key = people.batch_key(KEY);
    let submit = ["key", "submit", &id, "--channel", "telephone", "--file", key.to_str().unwrap()];
    site.run_as("alice", &submit).ok();
    assert_eq!(site.show(&id)["state"], "loaded");
    let compare = ["batch", "compare", &id, "--applied", RECORDS, "--note", "差五筆", "--result"];
    let ran = site.run_as("henry", &[compare.as_slice(), &["match"]].concat()).exits(77);
    assert!(ran.stderr.contains("the provider states 25"), "{}", ran.stderr);
    site.run_as("henry", &[compare.as_slice(), &["mismatch"]].concat()).ok();
    site.verify();
}

#[test]
fn what_comes_on_a_medium_is_told_as_in_a_drop() {
    let people = People::new();
    for form in ["ctl", "sha256sums", "bagit", "ours"] {
        let lines = if form == "ours" { String::new() } else { format!("manifest: {form}\n") };
        let site = site(&people, &lines);
        let file = data(&site);
        let (folder, sum) = (file.parent().unwrap().to_owned(), digest(&file));
        let disc = site.temporary().join("disc");
        fs::create_dir(&disc).unwrap();
        let name = file.file_name().unwrap().to_str().unwrap().to_owned();
        let lies = if form == "bagit" { disc.join("data") } else { disc.clone() };
        fs::create_dir_all(&lies).unwrap();
        fs::copy(&file, lies.join(&name)).unwrap();
        match form {
            "ctl" => fs::write(disc.join("HRP-7.CTL"), control(&file, RECORDS)).unwrap(),
            "bagit" => {
                let declaration = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n";
                fs::write(disc.join("bagit.txt"), declaration).unwrap();
                let list = format!("{sum}  data/{name}\n");
                fs::write(disc.join("manifest-sha256.txt"), list).unwrap();
            }
            "sha256sums" => {
                fs::write(disc.join("SHA256SUMS"), format!("{sum}  {name}\n")).unwrap();
            }
            _ => {}
        }
        fs::remove_dir_all(&folder).unwrap();
        let import = ["media", "import", disc.to_str().unwrap(), "--link", LINK, "--medium"];
        let more = ["optical", "--serial", "CD-7", "--from", "民政局", "--carrier", "alice"];
        let place = ["--place", "safe 1", "--holder", "alice"];
        let import = [import.as_slice(), &more, &place].concat();
        if form == "ours" {
            // Without a manifest only a letter says that this is a delivery.
            let ran = site.run_as("alice", &import).exits(65);
            assert!(ran.stderr.contains("no manifest"), "{}", ran.stderr);
        }
        announced(&site, &["--records", RECORDS, "--files", "*.age"]);
        site.run_as("alice", &import).ok();
        site.once();
        let batches = site.batches();
        let batch = batches.first().unwrap_or_else(|| panic!("{form}"));
        assert_eq!(batch["state"], "verified", "{form}: {batch}");
        let id = batch["id"].as_str().unwrap().to_owned();
        let key = people.batch_key(KEY);
        let submit = ["key", "submit", &id, "--channel", "letter", "--file", key.to_str().unwrap()];
        site.run_as("alice", &submit).ok();
        assert_eq!(site.show(&id)["state"], "loaded", "{form}");
        assert!(site.files(&format!("drop/{LINK}")).is_empty(), "the originals are wiped");
        let copies = site.run(&["copy", "list", "--json"]).ok().json();
        assert!(copies.as_array().unwrap().iter().any(|row| row["kind"] == "carrier"), "{form}");
        site.verify();
    }
}

#[test]
fn a_notice_that_nothing_comes_of_is_taken_back_with_its_reason_and_keeps_its_number() {
    let people = People::new();
    let site = site(&people, "");
    let tell = ["batch", "notice", "--link", LINK, "--stage", "provider", "--channel", "letter"];
    let tell = [tell.as_slice(), &["--at", "115/11/20", "--doc-no", LETTER]].concat();
    let row = site.run_as("alice", &tell).ok().id('t');
    let form = || site.run(&["register", "export", "--format", "csv", "-o", "-"]).ok();
    assert!(form().text().contains("115-0001"), "{}", form().text());
    let withdraw = ["batch", "announce-withdraw", &row, "--reason", "提供機關取消"];
    site.run_as("sue", &withdraw).exits(77);
    let said = site.run_as("alice", &withdraw).ok();
    assert!(said.text().contains("the notice is taken back"), "{}", said.text());
    site.run_as("alice", &withdraw).exits(64);
    let rows = site.run(&["batch", "notices", "--json"]).ok().json();
    assert_eq!(rows[0]["state"], "withdrawn");
    assert_eq!(rows[0]["withdrawn"], "provider-cancelled");
    assert!(form().text().contains("115-0001"), "{}", form().text());
    assert!(form().text().contains("提供機關取消"), "{}", form().text());
    // Nothing goes on with it: the same letter anew is a row of its own.
    let more = ["batch", "notice", &row, "--stage", "to-it", "--channel", "phone", "--at"];
    let ran = site.run_as("alice", &[more.as_slice(), &["115/11/20"]].concat()).exits(64);
    assert!(ran.stderr.contains("taken back already"), "{}", ran.stderr);
    assert_ne!(site.run_as("alice", &tell).ok().id('t'), row);
    site.verify();
}
