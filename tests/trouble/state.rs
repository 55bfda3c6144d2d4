//! State folders that are not what they should be: another site's, an older copy, one with parts missing.

use super::*;

fn copy(from: &Path, to: &Path) {
    support::done(Command::new("cp").arg("-a").arg(from).arg(to));
}

/// The message of a command that must not work.
#[track_caller]
fn refused(site: &Site<'_>, words: &[&str], code: i32, parts: &[&str]) {
    let ran = site.run(words).exits(code);
    for part in parts {
        assert!(ran.stderr.contains(part), "'{part}' is not in: {}", ran.stderr);
    }
}

const EVERY: &[&[&str]] = &[
    &["run", "--once"],
    &["status"],
    &["account", "list"],
    &["account", "add", "x", "--role", "admin", "--unix-user", "root"],
    &["account", "confirm", "x"],
    &["account", "disable", "x"],
    &["config", "show"],
    &["config", "propose"],
    &["config", "confirm"],
    &["clock", "confirm"],
    &["batch", "list"],
    &["batch", "show", "b-00000001"],
    &["batch", "retry", "b-00000001"],
    &["batch", "release", "b-00000001", "--reason", "x"],
    &["batch", "reject", "b-00000001", "--reason", "x"],
    &["link", "baseline", "moca-full", "3"],
    &["key", "submit", "b-00000001", "--channel", "letter"],
    &["grant", "list"],
    &["grant", "approve", "g-00000001"],
    &["query", "--grant", "g-00000001", "--case", "1", "--reason", "x"],
    &[
        "match",
        "--grant",
        "g-00000001",
        "--case",
        "1",
        "--reason",
        "x",
        "--input",
        "-",
        "--on",
        "y",
    ],
    &["use", "complete", "g-00000001"],
    &["use", "no-need", "b-00000001"],
    &["destroy", "list"],
    &["destroy", "request", "b-00000001", "--reason", "x"],
    &["destroy", "approve", "o-00000001"],
    &["hold", "list"],
    &["hold", "lift", "h-00000001"],
    &["register", "show"],
    &["register", "verify"],
    &["certificate", "show", "o-00000001"],
];

#[test]
fn without_a_state_folder_no_command_makes_one() {
    let people = People::new();
    let site = Site::laid_out(&people, &["small-20"]);
    for words in EVERY {
        refused(&site, words, 78, &["state", "hint: ", "init"]);
        assert!(!site.dir.join("state").exists(), "{words:?}");
    }
    // An empty folder, as a disk that was not mounted leaves it, is no site either.
    fs::create_dir(site.dir.join("state")).unwrap();
    mode(&site.dir.join("state"), 0o700);
    for words in EVERY {
        refused(&site, words, 78, &["state", "hint: ", "init"]);
        assert!(site.files("state").is_empty(), "{words:?}: {:?}", site.files("state"));
    }
}

#[test]
fn another_sites_state_is_refused_by_name() {
    let people = People::new();
    let site = Site::founded(&people, &["small-20"], UNIT);
    let path = site.dir.join("agent.yaml");
    let own = fs::read_to_string(&path).unwrap();
    let before = site.verify();
    fs::write(&path, own.replace("site: taoyuan-dwcd", "site: nantou")).unwrap();
    for words in [&["run", "--once"][..], &["status"], &["grant", "list"]] {
        refused(&site, words, 78, &["'taoyuan-dwcd'", "'nantou'", "agent.yaml", "hint: "]);
    }
    let mut words = site.init_words();
    words[3] = "nantou".to_owned();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    refused(&site, &words, 78, &["'taoyuan-dwcd'", "'nantou'"]);
    fs::write(&path, &own).unwrap();
    assert_eq!(site.verify()["root"], before["root"]);
    site.once();
    assert_eq!(site.row(DELIVERY)["state"], "loaded");
}

#[test]
fn the_state_of_a_site_with_another_root_key_is_refused() {
    let people = People::new();
    let site = Site::founded(&people, &[], UNIT);
    let other = Site::founded(&people, &[], UNIT);
    fs::rename(site.dir.join("state"), site.dir.join("kept")).unwrap();
    copy(&other.dir.join("state"), &site.dir.join("state"));
    let parts = ["root.key", "does not open the key store", "hint: "];
    refused(&site, &["run", "--once"], 78, &parts);
    fs::remove_dir_all(site.dir.join("state")).unwrap();
    fs::rename(site.dir.join("kept"), site.dir.join("state")).unwrap();
    site.once();
}

#[test]
fn a_published_register_of_another_site_is_refused() {
    let people = People::new();
    let site = Site::founded(&people, &[], UNIT);
    let other = Site::founded(&people, &[], UNIT);
    let own = site.dir.join("state/register");
    fs::rename(&own, site.dir.join("kept")).unwrap();
    copy(&other.dir.join("state/register"), &own);
    let path = own.join("checkpoint");
    refused(&site, &["run", "--once"], 65, &[path.to_str().unwrap(), "hint: "]);
    fs::remove_dir_all(&own).unwrap();
    fs::rename(site.dir.join("kept"), &own).unwrap();
    site.once();
}

#[test]
fn an_older_journal_beside_newer_published_files_is_refused() {
    let people = People::new();
    let site = Site::founded(&people, &["small-20"], UNIT);
    let journal = site.dir.join("state/journal.db");
    let older = fs::read(&journal).unwrap();
    let size = site.verify()["size"].as_u64().unwrap();
    site.once();
    let newer = fs::read(&journal).unwrap();
    let published = fs::read(site.dir.join("state/register/checkpoint")).unwrap();
    fs::write(&journal, &older).unwrap();
    for words in [&["run", "--once"][..], &["batch", "list"]] {
        refused(&site, words, 65, &["register/checkpoint", "older state folder", "hint: "]);
    }
    let words = site.init_words();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let again = site.run(&words);
    assert_ne!(again.status, Some(0), "init does not help: {}", again.stderr);
    assert_eq!(fs::read(&journal).unwrap(), older, "nothing was written");
    assert_eq!(fs::read(site.dir.join("state/register/checkpoint")).unwrap(), published);
    let report = site.run(&["register", "verify", "--json"]).exits(65).json();
    assert_eq!(report["first_bad"], size, "{report:#}");
    fs::write(&journal, newer).unwrap();
    site.once();
    assert_eq!(site.row(DELIVERY)["state"], "loaded");
}

/// DESIGN 7: an older state folder put back whole, or a rewrite with the agent's own key, is consistent in itself.
/// An auditor who has kept a checkpoint elsewhere puts it in place of the one in a copy of the register folder, and
/// verifies that copy.
#[test]
fn an_older_state_put_back_whole_is_found_by_a_checkpoint_that_was_kept_elsewhere_only() {
    let people = People::new();
    let site = Site::founded(&people, &["small-20"], UNIT);
    let state = site.dir.join("state");
    let elsewhere = site.temporary();
    copy(&state, &elsewhere.join("backup"));
    let old = site.verify()["size"].as_u64().unwrap();
    site.once();
    let vkey = fs::read_to_string(state.join("register/vkey")).unwrap().trim().to_owned();
    let checkpoint = fs::read(state.join("register/checkpoint")).unwrap();
    let kept = site.verify()["size"].as_u64().unwrap();

    fs::remove_dir_all(&state).unwrap();
    copy(&elsewhere.join("backup"), &state);
    let audit = |name: &str| {
        let dir = elsewhere.join(name);
        copy(&state.join("register"), &dir);
        fs::write(dir.join("checkpoint"), &checkpoint).unwrap();
        let dir = dir.to_str().unwrap().to_owned();
        site.run(&["register", "verify", "--json", "--key", &vkey, "--dir", &dir]).exits(65).json()
    };
    site.verify();
    assert_eq!(audit("put-back")["first_bad"], old);
    // The agent goes on from there, past the size that the auditor holds, and is consistent in itself again.
    while site.verify()["size"].as_u64().unwrap() <= kept {
        site.once();
    }
    let report = audit("gone-on");
    assert_eq!(report["ok"], false);
    assert_eq!(report["checkpoint_signed"], true, "the auditor's checkpoint is genuine");
}

/// What lies beside the journal can be made again, or is told by its path; never is a file taken for an empty one.
#[test]
fn parts_of_the_state_that_are_lost_are_named_or_made_again() {
    let people = People::new();
    let site = Site::founded(&people, &["small-20"], UNIT);
    site.once();
    let (state, kept) = (site.dir.join("state"), site.dir.join("kept"));
    let lose = |part: &str| fs::rename(state.join(part), &kept).unwrap();
    let back = |part: &str| {
        let _ = fs::remove_dir_all(state.join(part));
        let _ = fs::remove_file(state.join(part));
        fs::rename(&kept, state.join(part)).unwrap();
    };
    for part in ["keys", "keys/slots.a", "keys/slots.b"] {
        lose(part);
        refused(&site, &["run", "--once"], 65, &["key", "slots", "hint: "]);
        let words = site.init_words();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        assert_ne!(site.run(&words).status, Some(0), "init makes no new keys for an old register");
        back(part);
    }
    lose("journal.db");
    refused(&site, &["run", "--once"], 65, &["journal.db' is missing", "register/checkpoint"]);
    let words = site.init_words();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    assert_ne!(site.run(&words).status, Some(0), "init starts no second register under one key");
    back("journal.db");
    for part in ["register", "access", "lock"] {
        lose(part);
        site.once();
        site.verify();
        back(part);
    }
    for (part, byte) in [("journal.db", 20), ("keys/slots.a", 40), ("keys/slots.b", 40)] {
        let path = state.join(part);
        let good = fs::read(&path).unwrap();
        let mut bent = good.clone();
        for at in (byte..good.len()).step_by(512) {
            bent[at] ^= 0x55;
        }
        fs::write(&path, &bent).unwrap();
        let ran = site.run(&["run", "--once"]);
        assert!(matches!(ran.status, Some(65)), "{part}: {ran:?}");
        assert!(ran.stderr.contains("error: ") && ran.stderr.contains("hint: "), "{}", ran.stderr);
        fs::write(&path, &good).unwrap();
    }
    site.once();
    assert_eq!(site.row(DELIVERY)["state"], "loaded");
    site.verify();
}
