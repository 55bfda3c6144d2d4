//! `demo`: the whole life of one batch, in a folder of its own, with throw-away keys and synthetic people.
//!
//! Every person's part is played by the command that this person would type; each is shown before it runs, and runs
//! as it would from a shell. What must be refused is tried too. The demo fails when any step did not come out as
//! it must.
#![allow(clippy::disallowed_methods, reason = "plays the provider, who is outside of the agent")]

pub mod people;
mod provider;

use std::{
    fs,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use crate::{
    adapters::{clock::SystemClock, entropy},
    cli,
    domain::{limits, secret::Secret, sshsig::SigningKey},
    error::{Error, Exit},
    service::Result,
};

/// Where lines go.
pub type Say<'a> = &'a mut dyn FnMut(&str) -> Result<()>;

/// What must come of a command.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Must {
    Work,
    /// End with this exit code.
    Fail(Exit),
}

struct Play<'a> {
    dir: PathBuf,
    say: Say<'a>,
}

/// The people and their roles; the first two found the site.
const PEOPLE: [(&str, &str, &str); 6] = [
    ("anna", "admin", "機關管理人"),
    ("boris", "admin", "機關管理人"),
    ("alice", "custodian", "專責人員"),
    ("henry", "handler", "業務單位承辦人"),
    ("sue", "supervisor", "單位主管"),
    ("audrey", "auditor", "稽核人"),
];

/// Plays the demo in `dir`, or in a new folder.
///
/// # Errors
/// A step did not come out as it must.
pub fn run(dir: Option<&Path>, records: u64, say: Say<'_>) -> Result<()> {
    if records == 0 || records > limits::RECORDS_MAX {
        return Err(Error::usage("a batch has between 1 and 4294967296 records"));
    }
    let dir = match dir {
        Some(dir) => dir.to_owned(),
        None => new_folder()?,
    };
    if dir.join("agent.yaml").exists() {
        return Err(Error::usage(format!("'{}' holds a site already", dir.display()))
            .hint("name a new folder"));
    }
    let mut play = Play { dir, say };
    play.tell(&format!(
        "The demo plays in '{}'. All people and keys are made up.",
        play.dir.display()
    ))?;
    play.found()?;
    let known = play.deliver(records)?;
    play.read(&known)?;
    play.destroy()?;
    play.finish()
}

fn new_folder() -> Result<PathBuf> {
    let mut bytes = [0; 4];
    entropy::fill(&mut bytes).map_err(|e| Error::new(Exit::Failed, e.to_string()))?;
    Ok(std::env::temp_dir()
        .join(format!("batchward-demo-{}", data_encoding::HEXLOWER.encode(&bytes))))
}

/// Writes a file of the demo; keys for their owner only.
pub(crate) fn put(path: &Path, bytes: &[u8], mode: u32) -> Result<()> {
    use std::io::Write;
    let failed = |e: std::io::Error| Error::new(Exit::Failed, format!("'{}': {e}", path.display()));
    if let Some(parent) = path.parent() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(parent).map_err(failed)?;
    }
    let mut file = fs::OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(mode)
        .open(path)
        .map_err(failed)?;
    file.write_all(bytes).map_err(failed)
}

impl Play<'_> {
    fn tell(&mut self, text: &str) -> Result<()> {
        (self.say)(&format!("\n== {text}"))
    }

    fn path(&self, name: &str) -> String {
        self.dir.join(name).to_string_lossy().into_owned()
    }

    /// Runs a command as a person would type it.
    fn types(&mut self, who: &str, words: &[&str], must: Must) -> Result<()> {
        let config = self.path("agent.yaml");
        let key = self.path(&format!("people/{who}"));
        let mut line = vec!["batchward".to_owned(), "--config".to_owned(), config];
        let signs = PEOPLE.iter().any(|(name, ..)| *name == who);
        if signs {
            line.extend(["--as".to_owned(), who.to_owned(), "--sign-with".to_owned(), key]);
        }
        line.extend(words.iter().map(|word| (*word).to_owned()));
        let shown: Vec<String> = line.iter().map(|word| quoted(word)).collect();
        (self.say)(&format!("\n{who}$ {}", shown.join(" ")))?;
        match (cli::run_line(&line), must) {
            (Ok(()), Must::Work) => Ok(()),
            (Err(error), Must::Fail(exit)) if error.exit == exit => {
                (self.say)(&format!("{error}\n-- refused, as it must be (exit {})", exit as u8))
            }
            (Ok(()), Must::Fail(_)) => {
                Err(Error::new(Exit::Failed, format!("'{}' was not refused", words.join(" "))))
            }
            (Err(error), _) => Err(error),
        }
    }

    fn found(&mut self) -> Result<()> {
        self.tell("Two people found the site; every account needs the one and the other")?;
        for (name, ..) in PEOPLE {
            let key = new_key()?;
            let file = key.to_file().map_err(|e| Error::new(Exit::Failed, e.to_string()))?;
            put(&self.dir.join("people").join(name), file.expose(), 0o600)?;
            let public = format!("{} {name}\n", key.public().text());
            put(&self.dir.join("people").join(format!("{name}.pub")), public.as_bytes(), 0o644)?;
        }
        provider::arrange(&self.dir)?;
        let founder = |play: &Self, name: &str| {
            format!("{name}={}", play.path(&format!("people/{name}.pub")))
        };
        let (dir, anna, boris) = (self.path(""), founder(self, "anna"), founder(self, "boris"));
        let words = ["init", &dir, "--site", "demo", "--founder", &anna, "--founder", &boris];
        self.types("root", &words, Must::Work)?;
        for (name, role, title) in PEOPLE.iter().skip(2) {
            let key = self.path(&format!("people/{name}.pub"));
            let words =
                ["account", "add", name, "--role", role, "--title", title, "--sign-key", &key];
            self.types("anna", &words, Must::Work)?;
            self.types("boris", &["account", "confirm", name], Must::Work)?;
        }
        Ok(())
    }

    /// Returns an ID number that is in the batch.
    fn deliver(&mut self, records: u64) -> Result<String> {
        self.tell(&format!("The provider drops two deliveries: one of {records} records, and one that was tampered with"))?;
        let known = provider::deliver(&self.dir, "DEMO-0001", records, false)?;
        provider::deliver(&self.dir, "DEMO-0002", records.min(20), true)?;
        self.types("root", &["run", "--once"], Must::Work)?;
        self.tell("The key comes by another channel; the custodian enters it")?;
        let key = self.path("letters/DEMO-0001.key");
        let words = ["key", "submit", "DEMO-0001", "--file", &key, "--channel", "letter"];
        self.types("alice", &words, Must::Work)?;
        self.types("alice", &["batch", "list"], Must::Work)?;
        self.types("alice", &["batch", "show", "DEMO-0001"], Must::Work)?;
        Ok(known)
    }

    fn read(&mut self, known: &str) -> Result<()> {
        self.tell("A handler applies for access; a supervisor approves; the query is logged before its first row")?;
        let now = SystemClock.now();
        let soon = now.plus_seconds(8).to_string();
        let apply = |until| {
            [
                "grant",
                "apply",
                "--link",
                "demo",
                "--until",
                until,
                "--purpose",
                "育兒津貼資格審查",
                "--basis",
                "115-001",
            ]
        };
        self.types("henry", &apply("2027-12-31"), Must::Work)?;
        self.types("henry", &["grant", "approve", "g-00000001"], Must::Fail(Exit::Refused))?;
        self.types("sue", &["grant", "approve", "g-00000001"], Must::Work)?;
        let who = self.path("desk/who.txt");
        put(Path::new(&who), format!("{known}\n").as_bytes(), 0o600)?;
        let condition = format!("national_id=@{who}");
        let query = |grant| {
            [
                "query",
                "--grant",
                grant,
                "--case",
                "115-001",
                "--reason",
                "資格審查",
                "--where",
                &condition,
            ]
        };
        self.types("henry", &query("g-00000001"), Must::Work)?;
        self.tell("A grant ends at its minute: this one is good for a few seconds")?;
        self.types("henry", &apply(&soon), Must::Work)?;
        self.types("sue", &["grant", "approve", "g-00000002"], Must::Work)?;
        let left = now.plus_seconds(8).millis() - SystemClock.now().millis() + 50;
        std::thread::sleep(std::time::Duration::from_millis(u64::try_from(left).unwrap_or(0)));
        self.types("henry", &query("g-00000002"), Must::Fail(Exit::Refused))
    }

    fn destroy(&mut self) -> Result<()> {
        self.tell("The use is completed and nothing needs to be kept: the data come due, and are destroyed")?;
        for grant in ["g-00000001", "g-00000002"] {
            self.types("henry", &["use", "complete", grant], Must::Work)?;
        }
        self.types("henry", &["use", "no-need", "DEMO-0001"], Must::Work)?;
        let request = ["destroy", "request", "DEMO-0001", "--reason", "使用完竣且無保存必要"];
        self.types("alice", &request, Must::Work)?;
        self.types("sue", &["destroy", "approve", "o-00000001"], Must::Work)?;
        self.tell("What was turned down is personal data too")?;
        self.types(
            "alice",
            &["batch", "reject", "DEMO-0002", "--reason", "雜湊值不符"],
            Must::Work,
        )?;
        self.types("alice", &["destroy", "request", "DEMO-0002", "--reason", "退件"], Must::Work)?;
        self.types("sue", &["destroy", "approve", "o-00000002"], Must::Work)
    }

    fn finish(&mut self) -> Result<()> {
        self.tell("The auditor verifies, trusting neither the machine nor its administrator")?;
        let certificate = self.path("state/certificates/o-00000001.json");
        let vkey = fs::read_to_string(self.dir.join("state/register/vkey")).unwrap_or_default();
        let vkey = vkey.trim();
        self.types("audrey", &["certificate", "verify", &certificate, "--key", vkey], Must::Work)?;
        self.types("audrey", &["batch", "list"], Must::Work)?;
        self.types("audrey", &["register", "show"], Must::Work)?;
        self.types("audrey", &["register", "verify", "--key", vkey], Must::Work)?;
        let dir = self.dir.display().to_string();
        self.tell(&format!("Every step held. The site stays in '{dir}' to be looked at."))
    }
}

fn new_key() -> Result<SigningKey> {
    let seed: Secret =
        entropy::random_secret(32).map_err(|e| Error::new(Exit::Failed, e.to_string()))?;
    SigningKey::from_seed(&seed).map_err(|e| Error::new(Exit::Failed, e.to_string()))
}

/// A word as a shell would need it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=@+:,".contains(c);
    if !word.is_empty() && word.chars().all(plain) { word.to_owned() } else { format!("'{word}'") }
}
