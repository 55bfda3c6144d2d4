//! What the agent's user cannot read or write. The superuser can everything, so where the tests run as root the
//! commands run as another user.

use std::os::unix::process::CommandExt;

use super::*;

/// `nobody`.
const USER: u32 = 65_534;

/// A site of a user that is not root.
struct Plain<'p> {
    site: Site<'p>,
    binary: PathBuf,
}

impl<'p> Plain<'p> {
    fn new(people: &'p People, cases: &[&str]) -> Self {
        let site = Site::founded(people, cases, UNIT);
        let top = site.dir.parent().unwrap().to_owned();
        let binary = top.join("batchward");
        fs::copy(env!("CARGO_BIN_EXE_batchward"), &binary).unwrap();
        if rustix::process::geteuid().is_root() {
            let mut chown = Command::new("chown");
            support::done(chown.args(["-hR", &format!("{USER}:{USER}")]).arg(&top));
        }
        Self { site, binary }
    }

    /// Exit code, and everything that was said.
    fn run(&self, words: &[&str]) -> (Option<i32>, String) {
        let clock = self.site.time();
        self.site.wait_minutes(1);
        let mut command = Command::new(&self.binary);
        command.arg("--config").arg(self.site.dir.join("agent.yaml"));
        command.args(["--test-clock", &clock]).args(words).current_dir("/");
        command.env_clear().env("PATH", "/usr/bin:/bin").env("LANG", "C.UTF-8");
        if rustix::process::geteuid().is_root() {
            command.uid(USER).gid(USER);
        }
        let output = command.output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(said).unwrap())
    }
}

#[test]
fn what_cannot_be_read_or_written_is_told_by_its_path_and_nothing_is_lost() {
    let people = People::new();
    let plain = Plain::new(&people, &["small-20"]);
    let site = &plain.site;
    let cases = [
        ("agent.yaml", 0o000, 0o644, 78),
        ("links", 0o000, 0o755, 78),
        ("links/moca-full.yaml", 0o000, 0o644, 78),
        ("links/moca.allowed_signers", 0o000, 0o644, 78),
        ("layouts/hr-person-01.yaml", 0o000, 0o644, 78),
        ("policies/taoyuan-dwcd.yaml", 0o000, 0o644, 78),
        ("root.key", 0o000, 0o600, 78),
        ("keys/moca-full", 0o000, 0o700, 78),
        ("drop/moca-full", 0o000, 0o755, 78),
        ("drop/moca-full", 0o555, 0o755, 78),
        ("state", 0o000, 0o700, 78),
        ("state", 0o500, 0o700, 78),
        ("state/journal.db", 0o000, 0o600, 78),
        ("state/journal.db", 0o400, 0o600, 78),
        ("state/keys", 0o000, 0o700, 78),
        ("state/keys/slots.a", 0o000, 0o600, 78),
        ("state/register", 0o000, 0o700, 78),
        ("state/spool", 0o500, 0o700, 78),
    ];
    let size = || {
        let (status, said) = plain.run(&["register", "verify", "--json"]);
        assert_eq!(status, Some(0), "{said}");
        let json = said.split("\nnote").next().unwrap();
        serde_json::from_str::<serde_json::Value>(json)
            .map_or(said.clone(), |v| v["root"].to_string())
    };
    let root = size();
    let originals = site.files("drop");
    let mut wrong = Vec::new();
    for (name, closed, open, code) in cases {
        let path = site.dir.join(name);
        mode(&path, closed);
        let (status, said) = plain.run(&["run", "--once"]);
        let told = said.contains(path.to_str().unwrap()) && said.contains("hint: ");
        mode(&path, open);
        if status != Some(code) || !told || said.contains("'batchward init") {
            wrong.push(format!("{name} {closed:o}: {status:?} {said}"));
        }
        assert_eq!(size(), root, "{name} {closed:o}: nothing was written");
        assert_eq!(site.files("drop"), originals, "{name} {closed:o}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let (status, said) = plain.run(&["run", "--once"]);
    assert_eq!(status, Some(0), "{said}");
    assert!(said.contains("loaded"), "{said}");
}

#[test]
fn a_state_folder_of_another_user_is_no_missing_site() {
    let people = People::new();
    let plain = Plain::new(&people, &[]);
    if !rustix::process::geteuid().is_root() {
        return;
    }
    support::done(Command::new("chown").args(["-hR", "0:0"]).arg(&plain.site.dir));
    let (status, said) = plain.run(&["run", "--once"]);
    assert_eq!(status, Some(69), "{said}");
    assert!(said.contains("is not yours") && !said.contains("batchward init"), "{said}");
}
