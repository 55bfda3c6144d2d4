//! A document as the tests read it: its fenced blocks in order, and what happens between them.
//!
//! The info string says what a block is: `console` is a session with `$ ` lines and what they answer; `sh` is typed
//! as a whole; `sh by-hand` is typed on a real machine only; `sh booted` by root where `tests/boot` runs; anything else that is not in [`SHOWN`] is a fault.
//! A comment `<!-- happens: NAME -->` between blocks has the test make that happen.

use std::{fs, path::Path};

/// Blocks that show something and hold no command.
const SHOWN: &[&str] = &["text", "yaml", "json"];

/// A part of a document.
#[derive(Debug)]
pub(crate) struct Part {
    /// Line of the document, from 1.
    pub(crate) line: usize,
    pub(crate) kind: Kind,
}

/// What a part is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A command, and the answer that the document shows for it.
    Typed { command: String, answer: Vec<String> },
    /// Commands that are typed as a whole.
    Script(String),
    /// Commands that no test can run.
    ByHand(Vec<String>),
    /// Commands of root on a machine with a service manager: `tests/boot` boots one and types them.
    Booted(String),
    /// Something happens.
    Happens(String),
}

/// The documents whose commands are run: every page at the top and in `docs/`.
pub(crate) fn documents(root: &Path) -> Vec<String> {
    let mut pages = Vec::new();
    for folder in ["", "docs/"] {
        for entry in fs::read_dir(root.join(folder)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if name.ends_with(".md") {
                pages.push(format!("{folder}{name}"));
            }
        }
    }
    pages.sort();
    pages
}

/// Reads a document; faults of its form come back as lines.
pub(crate) fn parts(text: &str) -> Result<Vec<Part>, Vec<String>> {
    let (mut parts, mut faults) = (Vec::new(), Vec::new());
    let mut lines = text.lines().enumerate();
    while let Some((n, line)) = lines.next() {
        let at = n + 1;
        if let Some(rest) = line.strip_prefix("<!-- happens: ") {
            let name = rest.trim_end_matches("-->").trim().to_owned();
            parts.push(Part { line: at, kind: Kind::Happens(name) });
        }
        let Some(info) = line.trim_start().strip_prefix("```") else { continue };
        let block: Vec<String> = lines
            .by_ref()
            .map(|(_, line)| line.to_owned())
            .take_while(|line| line.trim_start() != "```")
            .collect();
        match info.trim() {
            "console" => session(at, &block, &mut parts, &mut faults),
            "sh" => parts.push(Part { line: at, kind: Kind::Script(block.join("\n")) }),
            "sh by-hand" => {
                let typed = |line: &&String| !line.is_empty() && !line.starts_with('#');
                let commands = block.iter().filter(typed).cloned().collect();
                parts.push(Part { line: at, kind: Kind::ByHand(commands) });
            }
            "sh booted" => parts.push(Part { line: at, kind: Kind::Booted(block.join("\n")) }),
            info if SHOWN.contains(&info) => {
                let typed =
                    |line: &&String| line.starts_with("$ ") || line.starts_with("batchward ");
                if let Some(line) = block.iter().find(typed) {
                    faults.push(format!("line {at}: '{line}' stands in a block that is not run"));
                }
            }
            other => faults.push(format!("line {at}: what is a block of '{other}'")),
        }
    }
    if faults.is_empty() { Ok(parts) } else { Err(faults) }
}

fn session(at: usize, block: &[String], parts: &mut Vec<Part>, faults: &mut Vec<String>) {
    let mut open = false;
    for (n, line) in (at + 1..).zip(block) {
        if let Some(command) = line.strip_prefix("$ ") {
            let kind = Kind::Typed { command: command.to_owned(), answer: Vec::new() };
            parts.push(Part { line: n, kind });
            open = true;
        } else if let Some(Part { kind: Kind::Typed { command, answer }, .. }) =
            parts.last_mut().filter(|_| open)
        {
            match line.strip_prefix("> ") {
                Some(more) if answer.is_empty() => *command = format!("{command}\n{more}"),
                _ => answer.push(line.clone()),
            }
        } else {
            faults.push(format!("line {n}: a session begins with a command"));
        }
    }
}

/// Code spans of the running text: what stands between single backticks, outside of fences.
pub(crate) fn spans(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut fenced = false;
    for (n, line) in (1..).zip(text.lines()) {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            let pieces = line.split('`').skip(1).step_by(2);
            found.extend(pieces.map(|span| (n, span.replace("\\|", "|"))));
        }
    }
    found
}

/// Whether `line` is what a document shows as `pattern`, where `[..]` stands for anything.
pub(crate) fn matches(pattern: &str, line: &str) -> bool {
    let mut pieces = pattern.split("[..]");
    let Some(mut rest) = pieces.next().and_then(|first| line.strip_prefix(first)) else {
        return false;
    };
    let pieces: Vec<&str> = pieces.collect();
    let Some((last, middle)) = pieces.split_last() else { return rest.is_empty() };
    for piece in middle {
        let Some(at) = rest.find(piece) else { return false };
        rest = &rest[at + piece.len()..];
    }
    rest.ends_with(last)
}

/// Whether an answer is the one that is shown, where a line `...` stands for any lines.
pub(crate) fn answers(shown: &[String], got: &[&str]) -> bool {
    match shown.split_first() {
        None => got.is_empty(),
        Some((first, rest)) if first == "..." => {
            (0..=got.len()).any(|skipped| answers(rest, &got[skipped..]))
        }
        Some((first, rest)) => match got.split_first() {
            Some((line, others)) => matches(first, line) && answers(rest, others),
            None => false,
        },
    }
}

/// Splits a line as a shell would, as far as the documents need it.
pub(crate) fn words(line: &str) -> Vec<String> {
    let (mut all, mut word, mut quote) = (Vec::new(), None::<String>, None::<char>);
    for c in line.chars() {
        match (quote, c) {
            (Some(q), c) if c == q => quote = None,
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, c) if c.is_whitespace() => all.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    all.extend(word);
    all
}
