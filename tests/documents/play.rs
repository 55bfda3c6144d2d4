//! Plays a document: every command in its order, in one shell, in a fresh folder, with the real binary on PATH.

use std::{
    fmt::Write as _,
    fs::{self, File},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Stdio},
};

use super::page::{Kind, Part, answers};

/// Seconds after which a document that hangs is given up.
const SECONDS_MAX: &str = "300";

/// What came of one part.
struct Came<'a> {
    part: &'a Part,
    output: String,
    /// Nothing when the shell never came to its end.
    exit: Option<i32>,
}

/// Plays the parts of a document and gives what did not come out as shown.
pub(crate) fn play(root: &Path, parts: &[Part]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    fs::create_dir(&home).unwrap();
    let bin = folder.path().join("bin");
    fs::create_dir(&bin).unwrap();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_batchward"), bin.join("batchward")).unwrap();
    let script = folder.path().join("script");
    fs::write(&script, script_of(root, parts)).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o700)).unwrap();
    let output = folder.path().join("output");
    let out = File::create(&output).unwrap();
    Command::new("timeout")
        .args([SECONDS_MAX, "bash"])
        .arg(&script)
        .current_dir(&home)
        .env_clear()
        .env(
            "PATH",
            format!(
                "{}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                bin.display()
            ),
        )
        .env("HOME", &home)
        // Pages in every language show the English interface, and say so.
        .env("LC_ALL", "C.UTF-8")
        .env("TZ", "Asia/Taipei")
        .stdin(Stdio::null())
        .stderr(out.try_clone().unwrap())
        .stdout(out)
        .status()
        .unwrap();
    let text = String::from_utf8_lossy(&fs::read(&output).unwrap()).into_owned();
    let mut faults = Vec::new();
    for came in came(parts, &text) {
        faults.extend(fault(&came));
        // Where the shell has ended, nothing after it was reached.
        if came.exit.is_none() {
            break;
        }
    }
    faults
}

fn script_of(root: &Path, parts: &[Part]) -> String {
    let pages = root.join("tests/documents");
    let pages = pages.display();
    let mut script = format!("umask 022\nPAGES='{pages}'\n. '{pages}/happenings.sh'\n");
    for (n, part) in parts.iter().enumerate() {
        let command = match &part.kind {
            Kind::Typed { command, .. } => command.clone(),
            // What is typed as a whole ends at its first fault.
            Kind::Script(text) => format!("set -e\n{text}\nset +e"),
            Kind::Happens(name) => format!("set -e\nhappens_{}\nset +e", name.replace('-', "_")),
            Kind::ByHand(_) | Kind::Booted(_) => continue,
        };
        let _ = writeln!(script, "printf '\\001%d\\n' {n}\n{command}\nprintf '\\002%d\\n' \"$?\"");
    }
    script
}

fn came<'a>(parts: &'a [Part], text: &str) -> Vec<Came<'a>> {
    let mut all = Vec::new();
    for (n, part) in parts.iter().enumerate() {
        if matches!(part.kind, Kind::ByHand(_) | Kind::Booted(_)) {
            continue;
        }
        let found = text.split_once(&format!("\u{1}{n}\n")).map(|(_, rest)| rest);
        let whole = found.map(|rest| rest.split('\u{1}').next().unwrap_or_default());
        let (output, exit) = match whole.and_then(|rest| rest.rsplit_once('\u{2}')) {
            Some((output, exit)) => (output.to_owned(), exit.trim().parse().ok()),
            None => (whole.unwrap_or("it was never reached\n").to_owned(), None),
        };
        all.push(Came { part, output, exit });
    }
    all
}

fn fault(came: &Came<'_>) -> Option<String> {
    let (what, answer) = match &came.part.kind {
        Kind::Typed { command, answer } => (command.as_str(), answer.as_slice()),
        Kind::Script(text) => (text.lines().next().unwrap_or_default(), [].as_slice()),
        Kind::Happens(name) => (name.as_str(), [].as_slice()),
        Kind::ByHand(_) | Kind::Booted(_) => return None,
    };
    // A command that is shown to fail says so.
    let fails = answer.iter().any(|line| line.starts_with("error: "));
    // Who does what next is left out where the page does not show it.
    let told = answer.iter().any(|line| line.starts_with("next: "));
    let next = |line: &&str| told || !line.starts_with("next: ");
    let got: Vec<&str> = came.output.lines().map(str::trim_end).filter(next).collect();
    let same = answer.is_empty() || answers(answer, &got);
    if came.exit.is_some_and(|exit| (exit != 0) == fails) && same {
        return None;
    }
    let shown = answer.join("\n");
    let Came { part, output, exit } = came;
    Some(format!(
        "line {}: '{what}' ended with {exit:?}\n--- answered\n{output}--- the document shows\n{shown}\n",
        part.line
    ))
}
