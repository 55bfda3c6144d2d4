//! The shape of the code, held by a test: dependencies run one way, files and functions stay small, every module
//! says what it is, and the documents are there and true.
//!
//! It reads the sources as text. What a compiler lint can hold (clippy.toml) is not repeated here.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests"
)]

#[path = "architecture/removals.rs"]
mod removals;

use std::{
    fs,
    path::{Path, PathBuf},
};

const FILE_LINES_MAX: usize = 500;
const FUNCTION_LINES_MAX: usize = 70;
/// A file may be longer where one of its first lines says why.
const LONG_FILE_REASON: &str = "over 500 lines because ";

/// What each layer may name: `main -> cli -> service -> engine -> domain`, `engine -> ports <- adapters -> domain`.
/// `error` is what surfaces print, made from each layer's own errors; `wiring` is the only place that names adapters
/// to the engine.
const MAY_NAME: &[(&str, &[&str])] = &[
    ("domain", &["domain"]),
    ("engine", &["domain", "engine"]),
    ("service", &["domain", "engine", "error", "service"]),
    ("adapters", &["adapters", "doctor::facts", "domain", "engine::ports"]),
    // Judges facts that adapters find.
    ("doctor", &["doctor", "domain"]),
    // Reads configuration, and judges the modes of what it finds.
    (
        "config",
        &[
            "config",
            "doctor",
            "domain",
            "adapters::age_files",
            "adapters::files",
            "adapters::root_key",
        ],
    ),
    // Separate from the writer: shares hash functions and the form of checkpoints with it, nothing else.
    ("verify", &["domain", "verify"]),
    // Randomness of nonces; the fault points of the test build; jobs, to show how far they are.
    (
        "cli",
        &[
            "adapters::entropy",
            "adapters::fault",
            "adapters::files",
            "adapters::process",
            "cli",
            "daemon",
            "demo",
            "doctor",
            "domain",
            "engine::health",
            "engine::jobs",
            "engine::ports",
            "error",
            "paper",
            "protocol",
            "service",
            "verify",
            "wiring",
        ],
    ),
    // The agent's edges; of the engine only what it is handed: turns, jobs, and who is told of entries.
    (
        "daemon",
        &[
            "config::agent::LogLevel",
            "daemon",
            "domain",
            "engine::Hint",
            "engine::Observer",
            "engine::Turn",
            "engine::jobs",
            "error",
            "protocol",
            "service",
            "wiring",
        ],
    ),
    // What both ends of the socket say to each other.
    ("protocol", &["domain", "error", "protocol", "service"]),
    // Lays out what the service tells; reads and writes nothing itself.
    ("paper", &["domain", "paper", "service::forms"]),
    ("error", &["engine", "error"]),
];

/// What the pure layers must not touch: the world comes to them as arguments and ports.
const WORLD: &[&str] = &[
    "std::fs",
    "std::net",
    "std::process",
    "std::thread",
    "std::env",
    "std::os",
    "SystemTime",
    "Instant::now",
    "age::",
    "getrandom",
    "rusqlite",
    "rustix",
    "walkdir",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A source file: its path below the package, and its lines.
struct Source {
    path: String,
    text: String,
}

impl Source {
    /// The layer: `domain`, `cli`, or the name of a file directly in `src`.
    fn layer(&self) -> Option<&str> {
        let below = self.path.strip_prefix("src/")?;
        Some(
            below.split_once('/').map_or_else(|| below.trim_end_matches(".rs"), |(layer, _)| layer),
        )
    }

    /// Lines of the program itself, with their numbers: without comments and without the file's tests.
    fn program(&self) -> impl Iterator<Item = (usize, &str)> {
        let only_tests = self.path.ends_with("/tests.rs") || self.path.contains("/tests/");
        let lines = self.text.lines().take_while(|line| line.trim() != "mod tests {");
        let lines = lines.take(if only_tests { 0 } else { usize::MAX });
        lines
            .enumerate()
            .map(|(n, line)| (n + 1, line))
            .filter(|(_, line)| !line.trim_start().starts_with("//"))
    }
}

fn sources(below: &str) -> Vec<Source> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(below)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                let path = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
                found.push(Source { path, text });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(!found.is_empty(), "no sources below '{below}'");
    found
}

fn none(what: &str, bad: &[String]) {
    assert!(bad.is_empty(), "{what}:\n{}", bad.join("\n"));
}

#[test]
fn dependencies_run_one_way() {
    let layers: Vec<&str> = MAY_NAME.iter().map(|row| row.0).collect();
    let mut bad = Vec::new();
    for source in sources("src") {
        let Some((layer, may)) = MAY_NAME.iter().find(|row| Some(row.0) == source.layer()) else {
            continue;
        };
        let mut program = String::new();
        for (_, line) in source.program() {
            program.push_str(line);
            program.push('\n');
        }
        for named in crate_paths(&program) {
            let allowed = may.iter().any(|m| named == *m || named.starts_with(&format!("{m}::")));
            if !allowed {
                bad.push(format!("{}: '{layer}' names 'crate::{named}'", source.path));
            }
        }
        // A way round `crate::`.
        for (n, line) in source.program() {
            for other in layers.iter().filter(|other| *other != layer) {
                if line.contains(&format!("super::{other}::")) {
                    bad.push(format!("{}:{n}: reaches '{other}' by 'super'", source.path));
                }
            }
        }
    }
    none("against the direction of DESIGN 3", &bad);
}

/// Every path that starts at `crate::`, with the groups of a `use` spread out.
fn crate_paths(program: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in program.match_indices("crate::") {
        if !program[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
            tree(&program[at + "crate::".len()..], "", &mut found);
        }
    }
    found
}

/// Reads one path or group at the start of `text`, below `before`; returns what follows it.
fn tree<'t>(text: &'t str, before: &str, found: &mut Vec<String>) -> &'t str {
    let text = text.trim_start();
    if let Some(mut inner) = text.strip_prefix('{') {
        while !inner.trim_start().starts_with('}') && !inner.trim().is_empty() {
            inner = tree(inner, before, found).trim_start();
            // Past the comma, an `as` or whatever else ends a member.
            let end = inner.find([',', '}']).unwrap_or(inner.len());
            inner = inner[end..].strip_prefix(',').unwrap_or(&inner[end..]);
        }
        return inner.trim_start().strip_prefix('}').unwrap_or_default();
    }
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    let colons = if before.is_empty() { "" } else { "::" };
    let path = format!("{before}{colons}{}", &text[..end]);
    let is_name =
        |rest: &str| rest.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '{');
    match text[end..].strip_prefix("::") {
        Some(rest) if is_name(rest) => tree(rest, &path, found),
        _ => {
            found.push(path);
            &text[end..]
        }
    }
}

#[test]
fn the_reader_of_imports_sees_every_form() {
    let text = "use crate::{adapters::{entropy, files::{a, b}}, error::Error,};
        use crate::domain::{entry::Signed as S, signed::{self, Terms}};
        let x = crate::engine::ports::Log::Register; $crate::demo::run(crate::wiring)";
    let mut found = crate_paths(text);
    found.sort();
    let expected = [
        "adapters::entropy",
        "adapters::files::a",
        "adapters::files::b",
        "demo::run",
        "domain::entry::Signed",
        "domain::signed::Terms",
        "domain::signed::self",
        "engine::ports::Log::Register",
        "error::Error",
        "wiring",
    ];
    assert_eq!(found, expected);
}

#[test]
fn the_pure_layers_touch_nothing_outside() {
    let mut bad = Vec::new();
    for source in sources("src") {
        if !matches!(source.layer(), Some("doctor" | "domain" | "engine" | "paper" | "service")) {
            continue;
        }
        for (n, line) in source.program() {
            for word in WORLD {
                let hit = line.match_indices(word).any(|(at, _)| {
                    !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':')
                });
                if hit {
                    bad.push(format!("{}:{n}: {word}", source.path));
                }
            }
        }
    }
    none("the world reaches these layers through ports only", &bad);
}

#[test]
fn every_module_says_what_it_is() {
    let mut bad = Vec::new();
    for source in sources("src").iter().chain(&sources("tests")) {
        if !source.text.starts_with("//!") {
            bad.push(source.path.clone());
        }
    }
    none("without '//!' at the top", &bad);
}

#[test]
fn no_file_is_long_without_a_reason() {
    let mut bad = Vec::new();
    for source in sources("src").iter().chain(&sources("tests")) {
        let lines = source.text.lines().count();
        let reasoned = source.text.lines().take(30).any(|line| line.contains(LONG_FILE_REASON));
        if lines > FILE_LINES_MAX && !reasoned {
            bad.push(format!("{}: {lines} lines", source.path));
        }
    }
    none("over 500 lines; split by noun, or say why at the top", &bad);
}

#[test]
fn no_function_is_long_without_a_reason() {
    let mut bad = Vec::new();
    for source in sources("src").iter().chain(&sources("tests")) {
        let lines: Vec<&str> = source.text.lines().collect();
        for (start, line) in lines.iter().enumerate() {
            let Some(indent) = function_indent(line) else { continue };
            // A trait's method over several lines ends in a semicolon and has no body.
            let head_ends = |line: &&&str| line.ends_with('{') || line.ends_with(';');
            let declared =
                lines[start..].iter().find(head_ends).is_some_and(|line| line.ends_with(';'));
            if declared || line.contains("fn $") {
                continue;
            }
            let close = format!("{}}}", " ".repeat(indent));
            let body = lines[start..].iter().take_while(|line| **line != close);
            let code = body
                .skip(1)
                .filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with("//"));
            let count = code.count();
            let head = &lines[start.saturating_sub(12)..start];
            let reasoned = head.iter().any(|line| line.contains("too_many_lines"));
            if count > FUNCTION_LINES_MAX && !reasoned {
                bad.push(format!("{}:{}: {count} lines", source.path, start + 1));
            }
        }
    }
    none("functions over 70 lines", &bad);
}

/// The indentation of a line that opens a function with a body.
fn function_indent(line: &str) -> Option<usize> {
    let text = line.trim_start();
    let words: Vec<&str> = text.split([' ', '(']).take_while(|word| *word != "fn").collect();
    let before_only = words.iter().all(|word| {
        matches!(*word, "pub" | "const" | "async" | "unsafe" | "extern") || word.ends_with(')')
    });
    let opens = !text.ends_with(';') && !text.ends_with("{}");
    let one_line = text.contains('{') && text.ends_with('}');
    let is = text.contains("fn ") && before_only && opens && !one_line;
    is.then_some(line.len() - text.len())
}

#[test]
fn nothing_is_parked() {
    // Spelt in halves, so that this file does not find itself.
    let marks = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X:")];
    let mut bad = Vec::new();
    for source in sources("src").iter().chain(&sources("tests")) {
        for (n, line) in source.text.lines().enumerate() {
            if marks.iter().any(|mark| line.contains(mark)) {
                bad.push(format!("{}:{}: {}", source.path, n + 1, line.trim()));
            }
        }
    }
    none("parked work", &bad);
}

#[test]
fn names_of_tests_are_claims() {
    let mut bad = Vec::new();
    for source in sources("src").iter().chain(&sources("tests")) {
        let lines: Vec<&str> = source.text.lines().collect();
        for pair in lines.windows(2) {
            let name = pair[1].trim_start().strip_prefix("fn ").unwrap_or_default();
            if pair[0].trim() == "#[test]" && name.starts_with("test_") {
                bad.push(format!("{}: {name}", source.path));
            }
        }
    }
    none("a test's name says what holds", &bad);
}

#[test]
fn the_pages_are_there() {
    let pages = [
        "README.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "LICENSE-APACHE",
        "LICENSE-MIT",
        "docs/ARCHITECTURE.md",
        "docs/json.md",
        "docs/keystore.md",
        "docs/lifecycle.md",
        "docs/register.md",
    ];
    let bad: Vec<String> = pages
        .iter()
        .filter(|page| fs::metadata(root().join(page)).map_or(0, |m| m.len()) < 200)
        .map(|page| (*page).to_owned())
        .collect();
    none("missing or empty", &bad);
}

#[test]
fn links_between_pages_lead_somewhere() {
    let mut bad = Vec::new();
    let mut pages =
        vec!["README.md".to_owned(), "CHANGELOG.md".to_owned(), "CONTRIBUTING.md".to_owned()];
    for entry in fs::read_dir(root().join("docs")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name.ends_with(".md") {
            pages.push(format!("docs/{name}"));
        }
    }
    for page in pages {
        let text = fs::read_to_string(root().join(&page)).unwrap();
        let folder = root().join(&page).parent().unwrap().to_owned();
        for (at, _) in text.match_indices("](") {
            let target = text[at + 2..].split([')', '#']).next().unwrap();
            if !target.is_empty() && !target.contains("://") && !folder.join(target).exists() {
                bad.push(format!("{page}: {target}"));
            }
        }
    }
    none("links that lead nowhere", &bad);
}

#[test]
fn the_lifecycle_page_is_the_tables() {
    let page = fs::read_to_string(root().join("docs/lifecycle.md")).unwrap();
    let expected = batchward::domain::lifecycle::markdown();
    assert!(page == expected, "docs/lifecycle.md is stale; it must be:\n{expected}");
}

#[test]
fn the_two_commands_of_the_readme_are_there() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    for command in ["cargo run --release -- demo", "tests/run"] {
        assert!(readme.contains(command), "README.md does not show '{command}'");
    }
    let gate = fs::read_to_string(root().join(".ci/run")).unwrap();
    assert!(gate.contains("tests/run"), "the gate is the command that people run");
}
