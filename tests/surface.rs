//! The command line as people meet it: help, completions, man pages, and what is said to a wrong word.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests"
)]

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    process::{Command, Output},
};

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_batchward")).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn pages(dir: &Path) -> BTreeMap<String, String> {
    let read = |entry: fs::DirEntry| {
        let name = entry.file_name().into_string().unwrap();
        (name, fs::read_to_string(entry.path()).unwrap())
    };
    fs::read_dir(dir).unwrap().map(|entry| read(entry.unwrap())).collect()
}

/// Every word with its words below, as the man pages name them.
fn words() -> Vec<Vec<String>> {
    let names = pages(&Path::new(env!("CARGO_MANIFEST_DIR")).join("man"));
    let words = |name: &String| {
        let name = name.strip_suffix(".1").unwrap();
        let below = name.strip_prefix("batchward").unwrap().trim_start_matches('-');
        match below {
            "use-no-need" => vec!["use".to_owned(), "no-need".to_owned()],
            "access-destroy-approve" => vec!["access".to_owned(), "destroy-approve".to_owned()],
            "device-helper" => vec!["device-helper".to_owned()],
            "access-destroy-deny" => vec!["access".to_owned(), "destroy-deny".to_owned()],
            _ => below.split('-').filter(|w| !w.is_empty()).map(str::to_owned).collect(),
        }
    };
    names.keys().map(words).collect()
}

#[test]
fn the_man_pages_are_what_the_definition_gives() {
    let made = tempfile::tempdir().unwrap();
    let dir = made.path().join("man");
    assert!(run(&["man", dir.to_str().unwrap()]).status.success());
    let committed = pages(&Path::new(env!("CARGO_MANIFEST_DIR")).join("man"));
    let expected = pages(&dir);
    let names = |pages: &BTreeMap<String, String>| pages.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&committed), names(&expected), "'batchward man man' writes them anew");
    for (name, page) in &expected {
        assert!(
            &committed[name] == page,
            "man/{name} is stale: 'batchward man man' writes it anew"
        );
        assert!(!page.contains("test-clock"), "man/{name} shows a flag of the test build");
    }
}

#[test]
fn every_word_has_help_and_every_example_in_it_is_a_command_line() {
    let mut examples = 0;
    for words in words() {
        let mut line: Vec<&str> = words.iter().map(String::as_str).collect();
        line.push("--help");
        let output = run(&line);
        assert!(output.status.success(), "{line:?}");
        let help = text(&output.stdout);
        let Some((_, after)) = help.split_once("Examples:\n") else { continue };
        // A line that ends in a backslash goes on in the next one, as the shell reads it.
        let after = after.replace("\\\n", " ");
        for example in after.lines().map(str::trim).filter(|line| !line.is_empty()) {
            examples += 1;
            let parsed = batchward::cli::parses(&split(example));
            assert!(parsed.is_ok(), "'{example}' of {line:?}: {parsed:?}");
        }
    }
    assert!(examples >= 25, "only {examples} examples found");
}

/// A line as the shell splits it; what is redirected is no argument.
fn split(line: &str) -> Vec<String> {
    let line = line.split(" > ").next().unwrap().split(" < ").next().unwrap();
    let mut words = Vec::new();
    for (n, part) in line.split('\'').enumerate() {
        if n % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}

#[test]
fn the_common_words_show_an_example() {
    for line in [
        "init",
        "account add",
        "config propose",
        "key submit",
        "grant apply",
        "query",
        "match",
        "use complete",
        "destroy request",
        "hold place",
        "register verify",
        "certificate verify",
        "run",
        "status",
        "check",
    ] {
        let mut words: Vec<&str> = line.split(' ').collect();
        words.push("--help");
        assert!(text(&run(&words).stdout).contains("Examples:\n  batchward "), "{line}");
    }
}

#[test]
fn every_shell_has_completions_and_accepts_them() {
    for shell in ["bash", "zsh", "fish"] {
        let output = run(&["completions", shell]);
        assert!(output.status.success(), "{shell}");
        let script = text(&output.stdout);
        assert!(
            script.contains("passphrase-stdin"),
            "{shell}: the options of 'key submit' are there"
        );
    }
    let made = tempfile::tempdir().unwrap();
    let file = made.path().join("batchward.bash");
    fs::write(&file, run(&["completions", "bash"]).stdout).unwrap();
    let asked = format!(
        ". '{}'; COMP_WORDS=(batchward gra); COMP_CWORD=1; _batchward batchward gra batchward; echo \"${{COMPREPLY[@]}}\"",
        file.display()
    );
    let output = Command::new("bash").args(["--norc", "-c", &asked]).output().unwrap();
    assert_eq!(text(&output.stdout).trim(), "grant", "{}", text(&output.stderr));
}

#[test]
fn a_wrong_word_is_told_with_the_next_move_and_exit_64() {
    for (line, expected) in [
        (vec!["bacth"], "error: there is no word 'bacth'\nhint: did you mean 'match' or 'batch'\n"),
        (vec!["batch", "shwo"], "error: there is no word 'shwo'\nhint: did you mean 'show'\n"),
        (
            vec!["status", "--jsn"],
            "error: '--jsn' is not expected here\nhint: did you mean '--json'\n",
        ),
        (
            vec!["grant", "apply", "--link", "x", "--until", "y", "--purpose", "z"],
            "error: this is missing: --basis <DOC>\nhint: '--help' after the word shows what it takes\n",
        ),
        (
            vec!["completions", "csh"],
            "error: 'csh' is no value of 'SHELL'\nhint: values: bash, zsh, fish\n",
        ),
        (
            vec!["status", "--as", "alice"],
            "error: this is missing: --sign-with <KEYFILE>\nhint: '--help' after the word shows what it takes\n",
        ),
        (
            vec!["status", "--json", "--metrics"],
            "error: '--json' and '--metrics' exclude each other\nhint: '--help' after the word shows what it takes\n",
        ),
    ] {
        let output = run(&line);
        assert_eq!(output.status.code(), Some(64), "{line:?}");
        assert_eq!(text(&output.stderr), expected, "{line:?}");
        assert!(output.stdout.is_empty(), "{line:?}");
    }
}

#[test]
fn global_options_stand_before_and_after_the_word() {
    let missing = "/nonexistent/agent.yaml";
    for line in [
        ["--config", missing, "--json", "batch", "list"],
        ["batch", "--config", missing, "--json", "list"],
        ["batch", "list", "--config", missing, "--json"],
    ] {
        let output = run(&line);
        assert_eq!(output.status.code(), Some(78), "{line:?}: {}", text(&output.stderr));
        assert!(text(&output.stderr).contains(missing), "{line:?}");
    }
}
