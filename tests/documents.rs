//! The documents: every command in them is run, in the order of the page, as somebody who reads it would type it.
//!
//! What no test can run is listed here with its reason, and its words are held to the definition of the command
//! line all the same. A page in two languages has the same commands in both. The lists of the operations page are
//! complete: they are compared with the program's own.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests"
)]

#[path = "documents/codes.rs"]
mod codes;
#[path = "documents/page.rs"]
mod page;
#[path = "documents/play.rs"]
mod play;

use std::{collections::BTreeSet, fs, path::Path};

use page::{Kind, Part};

/// Lines of `sh by-hand` blocks: why no test runs them, and what is run instead.
const BY_HAND: &[(&str, &str, Option<&str>)] = &[
    (
        "cargo run --release -- demo",
        "builds the release; the same demo with fewer records is run instead",
        Some("batchward demo --dir demo --records 500"),
    ),
    ("tests/run", "is what runs this test", None),
    (
        "sudo apt-get install build-essential perl age openssh-client",
        "installs packages of the system; tests/run has installed them",
        Some("command -v cc perl age age-keygen ssh-keygen"),
    ),
    ("cargo build --release", "the program under test is built already", None),
    (
        "export PATH=\"$PWD/target/release:$PATH\"",
        "the program under test is on PATH already",
        None,
    ),
    ("mkdir ~/first-link && cd ~/first-link", "the test has a fresh folder of its own", None),
];

/// Pages whose blocks another test runs on a machine of its own.
const ELSEWHERE: &[(&str, &str)] =
    &[("docs/service.md", "tests/boot types every block as root on a machine that systemd boots")];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn text(page: &str) -> String {
    fs::read_to_string(root().join(page)).unwrap_or_else(|error| panic!("{page}: {error}"))
}

fn parts(page: &str) -> Vec<Part> {
    page::parts(&text(page)).unwrap_or_else(|faults| panic!("{page}: {}", faults.join("\n")))
}

#[track_caller]
fn none(what: &str, found: &[String]) {
    assert!(found.is_empty(), "{what}:\n{}", found.join("\n"));
}

fn plays(page: &str) {
    let faults = play::play(root(), &parts(page));
    none(&format!("{page} does not come out as it shows"), &faults);
}

/// Pages that have a test of their own below, because they take a while.
const LONG: &[&str] = &["docs/first-link.md", "docs/operations.md", "docs/operations.zh-TW.md"];

#[test]
fn every_page_comes_out_as_it_shows() {
    for page in page::documents(root()) {
        if !LONG.contains(&page.as_str()) {
            plays(&page);
        }
    }
}

#[test]
fn the_first_link_comes_out_as_it_shows() {
    plays("docs/first-link.md");
}

// The clock of the test build plays a part in it.
#[cfg(feature = "test-hooks")]
#[test]
fn the_ways_out_come_out_as_they_show() {
    plays("docs/operations.md");
}

#[cfg(feature = "test-hooks")]
#[test]
fn the_ways_out_come_out_as_they_show_in_chinese() {
    plays("docs/operations.zh-TW.md");
}

#[test]
fn what_is_run_by_hand_is_listed_with_its_reason() {
    let (mut used, mut bad) = (BTreeSet::new(), Vec::new());
    let ours = |page: &String| ELSEWHERE.iter().all(|(elsewhere, _)| page != elsewhere);
    for page in page::documents(root()).into_iter().filter(ours) {
        for part in parts(&page) {
            let Kind::ByHand(commands) = part.kind else { continue };
            for command in commands {
                match BY_HAND.iter().find(|(line, ..)| *line == command) {
                    Some((line, ..)) => drop(used.insert(*line)),
                    None => bad.push(format!("{page}:{}: '{command}' has no reason", part.line)),
                }
            }
        }
    }
    let stale = BY_HAND.iter().filter(|(line, ..)| !used.contains(line));
    bad.extend(stale.map(|(line, ..)| format!("'{line}' is in no document")));
    bad.extend(
        BY_HAND
            .iter()
            .filter(|(_, reason, _)| reason.len() < 10)
            .map(|(line, ..)| (*line).to_owned()),
    );
    none("commands by hand", &bad);
}

#[test]
fn what_needs_a_service_manager_is_on_the_page_that_is_booted() {
    let inside = text("tests/boot.d/inside.sh");
    for page in page::documents(root()) {
        let booted = parts(&page).iter().any(|part| matches!(part.kind, Kind::Booted(_)));
        assert_eq!(booted, inside.contains(&format!("    ' {page}\n")), "{page} and tests/boot");
    }
    assert!(inside.contains("/^```sh booted$/"), "tests/boot reads these blocks");
}

#[test]
fn what_stands_for_a_command_by_hand_works() {
    for (line, _, instead) in BY_HAND {
        let Some(instead) = instead else { continue };
        let kind = Kind::Script((*instead).to_owned());
        let faults = play::play(root(), &[Part { line: 0, kind }]);
        none(line, &faults);
    }
}

#[test]
fn every_command_named_in_the_text_is_one_of_the_command_line() {
    let mut bad = Vec::new();
    let mut seen = 0;
    for page in page::documents(root()) {
        let text = text(&page);
        let by_hand = parts(&page).into_iter().flat_map(|part| match part.kind {
            Kind::ByHand(commands) => commands.into_iter().map(|c| (part.line, c)).collect(),
            Kind::Booted(text) => text.lines().map(|c| (part.line, c.to_owned())).collect(),
            _ => Vec::new(),
        });
        for (line, span) in page::spans(&text).into_iter().chain(by_hand) {
            let Some(command) = named(&span) else { continue };
            seen += 1;
            if let Err(why) = is_command(&command) {
                let why = why.lines().next().unwrap_or_default().to_owned();
                bad.push(format!("{page}:{line}: '{span}': {why}"));
            }
        }
    }
    assert!(seen > 20, "only {seen} commands found: are the spans still read");
    none("commands that the command line does not have", &bad);
}

/// A whole command, or the bare words of one whose arguments the text does not mention.
fn is_command(line: &[String]) -> Result<(), String> {
    let whole = batchward::cli::parses(line);
    let bare = |word: &String| word.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
    if whole.is_err() && line.iter().all(|word| bare(word) && !word.starts_with('-')) {
        return asks_help(line);
    }
    whole
}

fn asks_help(line: &[String]) -> Result<(), String> {
    let help: Vec<String> = line.iter().cloned().chain(["--help".to_owned()]).collect();
    batchward::cli::parses(&help)
}

/// The command in a span: `batchward …`, `sudo` and its like aside, or the words after it. Words in capitals stand
/// for a value.
fn named(span: &str) -> Option<Vec<String>> {
    let words = page::words(span);
    let ends = |word: &&String| !matches!(word.as_str(), "|" | ">" | "<" | "&&" | "&" | ";");
    let line = match words.iter().position(|word| word == "batchward") {
        Some(at) => words[at..].iter().take_while(ends).cloned().collect(),
        None => [vec!["batchward".to_owned()], words.clone()].concat(),
    };
    let sudo = |word: &&String| !matches!(word.as_str(), "sudo" | "-u" | "batchward");
    let other = words.iter().take_while(|word| *word != "batchward").find(sudo);
    let prose = span.contains('…') || !span.is_ascii();
    if line.len() < 2 || prose || (span.contains("batchward ") && other.is_some()) {
        return None;
    }
    // A word of the command line, and not a word of something else.
    let known = span.contains("batchward ") || asks_help(&line[..2]).is_ok();
    (known && !line[1].starts_with('-')).then_some(line)
}

#[test]
fn a_page_in_two_languages_has_the_same_commands() {
    let pages = page::documents(root());
    let pairs = pages.iter().filter(|page| page.ends_with(".zh-TW.md")).count();
    assert!(pairs > 1, "README and operations are in two languages");
    for other in pages.iter().filter(|page| page.ends_with(".zh-TW.md")) {
        let page = other.replace(".zh-TW.md", ".md");
        let (here, there) = (commands(&page), commands(other));
        for (a, b) in here.iter().zip(&there) {
            assert_eq!(a, b, "{page} and {other} part here");
        }
        assert_eq!(here.len(), there.len(), "{page} and {other} have not the same commands");
        let headings = |page: &str| {
            let level = |line: &str| line.bytes().take_while(|b| *b == b'#').count();
            let prose = text(page);
            let mut fenced = false;
            let outside = prose.lines().filter(|line| {
                fenced ^= line.starts_with("```");
                !fenced && line.starts_with('#')
            });
            outside.map(level).collect::<Vec<_>>()
        };
        assert_eq!(headings(&page), headings(other), "{page} and {other} differ in structure");
    }
}

fn commands(page: &str) -> Vec<String> {
    let command = |part: Part| match part.kind {
        Kind::Typed { command, .. } => command,
        Kind::Script(text) => text,
        Kind::ByHand(lines) => lines.join("\n"),
        Kind::Booted(text) => text,
        Kind::Happens(name) => format!("({name})"),
    };
    parts(page).into_iter().map(command).collect()
}

#[test]
fn every_code_has_its_way_out_and_no_other_is_named() {
    let lists = codes::lists(root());
    for (name, list) in &lists {
        assert!(list.len() > 2, "the list of {name} is {list:?}: is it still read");
    }
    let pages = page::documents(root());
    for page in pages.iter().filter(|page| page.starts_with("docs/operations")) {
        let tables = codes::tables(&text(page));
        for (name, list) in &lists {
            let table = tables.get(*name).cloned().unwrap_or_default();
            let missing: Vec<_> = list.difference(&table).collect();
            let stale: Vec<_> = table.difference(list).collect();
            assert!(missing.is_empty(), "{page}: {name}: these have no way out: {missing:?}");
            assert!(stale.is_empty(), "{page}: {name}: the program knows no {stale:?}");
        }
        assert_eq!(tables.len(), lists.len(), "{page}: a table of something else");
    }
}

#[test]
fn a_block_that_nobody_runs_is_a_fault() {
    for bad in [
        "```\nbatchward status\n```",
        "```bash\nls\n```",
        "```text\n$ ls\n```",
        "```console\nls\n```",
    ] {
        assert!(page::parts(bad).is_err(), "{bad}");
    }
    let good = page::parts("```console\n$ cat <<EOF\n> x\n> EOF\nx\n$ ls\n```\n").unwrap();
    let [first, second] = good.as_slice() else { panic!("{good:?}") };
    let command = "cat <<EOF\nx\nEOF".to_owned();
    assert_eq!(first.kind, Kind::Typed { command, answer: vec!["x".to_owned()] });
    assert_eq!(
        (second.line, &second.kind),
        (6, &Kind::Typed { command: "ls".to_owned(), answer: vec![] })
    );
}

#[test]
fn what_a_page_shows_is_compared_and_what_fails_is_found() {
    let faults = |page: &str| play::play(root(), &page::parts(page).unwrap()).len();
    assert_eq!(faults("```console\n$ echo one two\none [..]\n$ x=1\n$ echo $x\n1\n```"), 0);
    assert_eq!(faults("```console\n$ printf 'a\\nb\\nc\\n'\na\n...\n```"), 0);
    assert_eq!(faults("```console\n$ echo one\ntwo\n$ false\n```"), 2);
    assert_eq!(faults("```sh\nfalse\ntrue\n```"), 1, "a script ends at its first fault");
    assert_eq!(
        faults("```console\n$ batchward --config none.yaml status\nerror: [..]\n...\n```"),
        0
    );
    assert_eq!(
        faults("```console\n$ echo error: no\nerror: no\n```"),
        1,
        "an error that ends with 0"
    );
    assert_eq!(faults("<!-- happens: nothing-known -->"), 1);
}

#[test]
fn every_claim_of_the_threat_model_names_a_test_that_is_there() {
    let tests = tests();
    let (mut rows, mut bad) = (0, Vec::new());
    let (mut held, mut begun) = (false, false);
    for (n, line) in (1..).zip(text("docs/threat-model.md").lines()) {
        held |= line == "<!-- held by tests -->";
        if !line.starts_with('|') {
            held &= !begun;
            begun = false;
            continue;
        }
        begun = true;
        if !held || line.starts_with("|---") || line.ends_with("| held by |") {
            continue;
        }
        rows += 1;
        let cell = line.trim_end_matches('|').rsplit('|').next().unwrap_or_default();
        let named: Vec<&str> = cell.split('`').skip(1).step_by(2).collect();
        if named.is_empty() {
            bad.push(format!("line {n}: no test is named"));
        }
        let gone = named.iter().filter(|name| !tests.contains(**name));
        bad.extend(gone.map(|name| format!("line {n}: there is no test '{name}'")));
    }
    assert!(rows > 30, "only {rows} claims found");
    none("claims that nothing holds", &bad);
}

/// The names of all tests: functions that stand under `#[test]`.
fn tests() -> BTreeSet<String> {
    let (mut found, mut folders) =
        (BTreeSet::new(), vec![root().join("src"), root().join("tests")]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let source = fs::read_to_string(path).unwrap();
                for after in source.split("#[test]").skip(1) {
                    let name = after.split_once("fn ").and_then(|(_, rest)| rest.split('(').next());
                    found.extend(name.map(str::to_owned));
                }
            }
        }
    }
    found
}
