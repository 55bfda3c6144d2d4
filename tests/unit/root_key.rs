//! The root key outside of the state: as a credential of the service manager, and under a passphrase that is typed.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output},
};

use super::support::{People, Ran, Site, done, fed, root};

const PASSPHRASE: &str = "correct horse battery";

fn with_root_key<'p>(people: &'p People, line: &str) -> Site<'p> {
    let site = Site::laid_out(people, &["small-20"]);
    let path = site.dir.join("agent.yaml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("{text}root_key: {line}\n")).unwrap();
    site
}

/// The program with a folder of credentials, as the service manager names it.
fn passed(site: &Site<'_>, credentials: &Path, words: &[&str]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_batchward"));
    command.arg("--config").arg(site.dir.join("agent.yaml")).args(["--test-clock", &site.time()]);
    site.wait_minutes(1);
    command.args(words).env_clear().env("CREDENTIALS_DIRECTORY", credentials);
    let output = command.output().unwrap();
    Ran {
        words: words.join(" "),
        status: output.status.code(),
        signal: None,
        stdout: output.stdout,
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

fn credential(folder: &Path, name: &str, bytes: &[u8]) {
    let path = folder.join(name);
    fs::write(&path, bytes).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
}

fn init(site: &Site<'_>) -> Vec<String> {
    site.init_words()
}

fn words(words: &[String]) -> Vec<&str> {
    words.iter().map(String::as_str).collect()
}

#[test]
fn a_credential_of_the_service_manager_is_the_root_key() {
    let people = People::new();
    let site = with_root_key(&people, "credential:batchward.root-key");
    let credentials = tempfile::tempdir().unwrap();
    let init = init(&site);
    // Started by hand, or by a unit that does not name it: told with the way to it.
    for told in [site.run(&words(&init)), passed(&site, credentials.path(), &words(&init))] {
        let told = told.exits(78);
        assert!(
            told.stderr.contains("systemd-creds encrypt --name=batchward.root-key"),
            "{told:?}"
        );
    }
    credential(credentials.path(), "batchward.root-key", &[9; 32]);
    passed(&site, credentials.path(), &words(&init)).ok();
    assert!(!site.dir.join("root.key").exists(), "no key on the disk");
    passed(&site, credentials.path(), &["run", "--once"]).ok();
    let rows = passed(&site, credentials.path(), &["batch", "list", "--json"]).ok().json();
    assert_eq!(rows[0]["state"], "loaded");
    let other = tempfile::tempdir().unwrap();
    credential(other.path(), "batchward.root-key", &[8; 32]);
    let refused = passed(&site, other.path(), &["run", "--once"]).exits(78);
    assert!(refused.stderr.contains("does not open the key store"), "{refused:?}");
}

#[test]
fn what_systemd_creds_seals_comes_back_as_the_root_key() {
    // A machine of its own: the secret of this one is not touched.
    let machine = |more: &[&str]| {
        let mut command = Command::new("bwrap");
        command.args([
            "--ro-bind",
            "/",
            "/",
            "--dev",
            "/dev",
            "--proc",
            "/proc",
            "--tmpfs",
            "/tmp",
        ]);
        command.args(["--unshare-user", "--uid", "0", "--gid", "0"]).args(more);
        command
    };
    let kept = tempfile::tempdir().unwrap();
    let kept = kept.path().to_str().unwrap();
    fs::write(Path::new(kept).join("machine-id"), "0123456789abcdef0123456789abcdef\n").unwrap();
    let id = format!("{kept}/machine-id");
    let own = ["--bind", kept, "/var/lib/systemd", "--ro-bind", &id, "/etc/machine-id"];
    let name = "--name=batchward.root-key";
    let mut seal = machine(&own);
    seal.args(["systemd-creds", "--with-key=host", name, "encrypt", "-", "-"]);
    let sealed = fed(&mut seal, &[7; 32]);
    assert!(!sealed.windows(32).any(|bytes| bytes == [7; 32]));
    let mut open = machine(&own);
    open.args(["systemd-creds", name, "decrypt", "-", "-"]);
    assert_eq!(fed(&mut open, &sealed), [7; 32]);
}

/// The program on a terminal, with these answers.
fn typed(site: &Site<'_>, answers: &[&str], words: &[&str]) -> Output {
    let mut command = Command::new("/usr/bin/python3");
    command.arg(root().join("tests/unit/typed.py")).args(answers).arg("--");
    command.arg(env!("CARGO_BIN_EXE_batchward")).arg("--config").arg(site.dir.join("agent.yaml"));
    command.args(["--test-clock", &site.time()]).args(words);
    site.wait_minutes(1);
    command.output().unwrap()
}

#[track_caller]
fn shows(output: &Output, code: i32, part: &str) {
    let shown = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(code), "{shown}");
    assert!(shown.contains(part), "no '{part}' in {shown}");
    assert!(!shown.contains(PASSPHRASE), "the passphrase was shown");
}

#[test]
fn a_passphrase_is_asked_for_and_never_shown() {
    let people = People::new();
    let site = with_root_key(&people, "passphrase");
    let init = init(&site);
    let init = words(&init);
    let told = site.run(&init).exits(78);
    assert!(told.stderr.contains("no terminal"), "{told:?}");
    shows(&typed(&site, &["short", "short"], &init), 78, "at least 12 characters");
    shows(&typed(&site, &[PASSPHRASE, "another one here"], &init), 78, "differ");
    shows(&typed(&site, &["^C"], &init), 78, "cannot ask");
    assert!(!site.dir.join("root.key.age").exists());
    shows(&typed(&site, &[PASSPHRASE, PASSPHRASE], &init), 0, "under the passphrase");
    assert!(fs::read(site.dir.join("root.key.age")).unwrap().starts_with(b"age-encryption.org/v1"));
    let once = ["run", "--once"];
    shows(&typed(&site, &["wrong", "wrong again", "and again"], &once), 77, "does not open");
    // The confined agent asks too: it holds its terminal already.
    shows(&typed(&site, &["mistyped", PASSPHRASE], &once), 0, "loaded");
}

#[test]
fn a_passphrase_may_come_as_a_credential_and_stock_age_opens_the_file() {
    let people = People::new();
    let site = with_root_key(&people, "passphrase");
    let credentials = tempfile::tempdir().unwrap();
    credential(credentials.path(), "batchward.passphrase", format!("{PASSPHRASE}\n").as_bytes());
    let init = init(&site);
    passed(&site, credentials.path(), &words(&init)).ok();
    passed(&site, credentials.path(), &["run", "--once"]).ok();
    // Stock age changes the passphrase: what it asks for is typed.
    let mut age = Command::new("/usr/bin/python3");
    let opened = site.dir.join("opened");
    age.arg(root().join("tests/unit/typed.py")).args([
        PASSPHRASE,
        "--",
        "/usr/bin/age",
        "-d",
        "-o",
    ]);
    done(age.arg(&opened).arg(site.dir.join("root.key.age")));
    let mut age = Command::new("/usr/bin/python3");
    let sealed = site.dir.join("sealed");
    let new = "another passphrase";
    age.arg(root().join("tests/unit/typed.py")).args([new, new, "--", "/usr/bin/age", "-p", "-o"]);
    done(age.arg(&sealed).arg(&opened));
    fs::rename(sealed, site.dir.join("root.key.age")).unwrap();
    passed(&site, credentials.path(), &["status"]).exits(77);
    fs::remove_file(credentials.path().join("batchward.passphrase")).unwrap();
    credential(credentials.path(), "batchward.passphrase", new.as_bytes());
    passed(&site, credentials.path(), &["status"]).ok();
}
