//! The sentences that the program can show, read from its source.
//!
//! Every literal outside of tests, logs and attributes that has words for people is one. So is every doc comment of
//! the command line's definition, because that is its help.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// Sentences with `{}` for each hole, and where the first of each stands.
pub(crate) type Found = BTreeMap<String, String>;

/// Sources of which nothing is shown in words.
const SILENT_FILES: &[&str] = &[
    "/tests.rs",
    "/tests/",
    "config/templates.rs",
    "demo/people.rs",
    "domain/schema.rs",
    // Both languages stand in what is signed.
    "receipt/words.rs",
    // Told from one table in both languages.
    "domain/grounds.rs",
    "domain/plain.rs",
    // A page of the documentation, and a form in Chinese.
    "paper/clauses.rs",
    "adapters/fault.rs",
    "adapters/small_disk.rs",
    "status/metrics.rs",
];

/// A text of several words that speaks to a database, or to who reads a file.
const SILENT_WORDS: &[&str] = &[
    "SELECT ",
    " FROM ",
    "CREATE ",
    "INSERT ",
    "PRIMARY KEY",
    "NOT NULL",
    "PRAGMA ",
    "ROWID",
    "SET LOCAL ",
    "SET search_path",
    "DETACH PARTITION",
    "UPDATE ",
    "CASE WHEN ",
    " WHERE",
];

/// Macros whose texts are not shown: they write the log, or end a program that is wrong.
const SILENT_MACROS: &[&str] = &[
    "assert",
    "assert_eq",
    "assert_ne",
    "debug_assert",
    "debug_assert_eq",
    "trace",
    "debug",
    "info",
    "warn",
    "error",
    "event",
    "span",
    "info_span",
    "debug_span",
    "include_str",
    "include_bytes",
    "env",
    "concat",
    "unreachable",
    "cfg",
];

/// Every sentence of `src/`.
pub(crate) fn sentences(root: &Path) -> Found {
    let mut found = Found::new();
    for path in files(&root.join("src")) {
        let name = path.strip_prefix(root).unwrap().display().to_string();
        if !SILENT_FILES.iter().any(|silent| name.contains(silent)) {
            let text = fs::read_to_string(&path).unwrap();
            read(&name, &tokens(&text), &mut found);
        }
    }
    found
}

/// Heads and headings of tables: the texts of `&["…", "…"]`, and what is all in capitals, in the command line.
pub(crate) fn heads(root: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for path in files(&root.join("src/cli")) {
        let name = path.display().to_string();
        if ["/speech/", "/args", "/acts", "/locale"].iter().any(|part| name.contains(part)) {
            continue;
        }
        let tokens = tokens(&fs::read_to_string(&path).unwrap());
        let mut at = 0;
        while let Some((token, _)) = tokens.get(at) {
            if tests_begin(&tokens, at) {
                break;
            }
            let opens = |n: usize| matches!(tokens.get(n), Some((Token::Mark('['), _)));
            let text = |n: usize| matches!(tokens.get(n), Some((Token::Text(_), _)));
            let lists = matches!(token, Token::Mark('&' | '=')) && opens(at + 1) && text(at + 2);
            if lists {
                let end = closed(&tokens, at + 1);
                found.extend(tokens[at..end].iter().filter_map(|(token, _)| match token {
                    // Units of bytes are the same everywhere.
                    Token::Text(text) if !text.is_empty() && !text.ends_with('B') => {
                        Some(text.clone())
                    }
                    _ => None,
                }));
                at = end;
            }
            if let Token::Text(text) = token {
                let text = text.trim();
                let capital = |c: char| c.is_ascii_uppercase() || c == ' ';
                if text.len() > 4 && text.chars().all(capital) {
                    found.insert(text.to_owned());
                }
            }
            at += 1;
        }
    }
    found
}

/// Whether what follows is `#[cfg(test)] mod`, which stands last in a file.
fn tests_begin(tokens: &[(Token, usize)], at: usize) -> bool {
    let words = tokens[at..].iter().take(9).filter_map(|(token, _)| match token {
        Token::Word(word) => Some(word.as_str()),
        _ => None,
    });
    tokens[at].0 == Token::Mark('#') && words.take(3).eq(["cfg", "test", "mod"])
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut list = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            list.extend(files(&path));
        } else if path.extension().is_some_and(|end| end == "rs") {
            list.push(path);
        }
    }
    list.sort();
    list
}

/// What a source is made of, as far as it matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Text(String),
    Doc(String),
    Word(String),
    Mark(char),
}

/// Tokens, each with its line.
fn tokens(source: &str) -> Vec<(Token, usize)> {
    let chars: Vec<char> = source.chars().collect();
    let mut list = Vec::new();
    let (mut at, mut line) = (0, 1);
    while let Some(&c) = chars.get(at) {
        let next = chars.get(at + 1).copied().unwrap_or_default();
        let from = at;
        let begun = line;
        match c {
            '/' if next == '/' => {
                let end =
                    chars[at..].iter().position(|c| *c == '\n').map_or(chars.len(), |n| at + n);
                let text: String = chars[at..end].iter().collect();
                if let Some(doc) = text.strip_prefix("///") {
                    list.push((Token::Doc(doc.trim().to_owned()), line));
                }
                at = end;
            }
            '"' => {
                at += 1;
                let text = quoted(&chars, &mut at);
                list.push((Token::Text(text), begun));
            }
            'r' if next == '"'
                || next == '#' && chars.get(at + 2).is_some_and(|c| *c == '"' || *c == '#') =>
            {
                let marks = chars[at + 1..].iter().take_while(|c| **c == '#').count();
                let close: Vec<char> =
                    std::iter::once('"').chain(std::iter::repeat_n('#', marks)).collect();
                let begin = at + marks + 2;
                let end = (begin..chars.len()).find(|n| chars[*n..].starts_with(&close)).unwrap();
                list.push((Token::Text(chars[begin..end].iter().collect()), begun));
                at = end + close.len();
            }
            // A character, or the name of a lifetime.
            '\'' if next == '\\' => {
                at += 3;
                while chars[at] != '\'' {
                    at += 1;
                }
                at += 1;
            }
            '\'' if chars.get(at + 2) == Some(&'\'') => at += 3,
            c if c.is_alphanumeric() || c == '_' => {
                while chars.get(at).is_some_and(|c| c.is_alphanumeric() || *c == '_') {
                    at += 1;
                }
                list.push((Token::Word(chars[from..at].iter().collect()), line));
            }
            c => {
                if !c.is_whitespace() {
                    list.push((Token::Mark(c), line));
                }
                at += 1;
            }
        }
        line += chars[from..at].iter().filter(|c| **c == '\n').count();
    }
    list
}

/// The value of a literal whose first quote was read.
fn quoted(chars: &[char], at: &mut usize) -> String {
    let mut text = String::new();
    while chars[*at] != '"' {
        if chars[*at] == '\\' {
            *at += 1;
            match chars[*at] {
                'n' => text.push('\n'),
                't' => text.push('\t'),
                '\n' => {
                    while chars[*at + 1].is_whitespace() {
                        *at += 1;
                    }
                }
                'u' => {
                    let end = chars[*at..].iter().position(|c| *c == '}').unwrap();
                    let digits: String =
                        chars[*at + 2..*at + end].iter().filter(|c| **c != '_').collect();
                    text.extend(u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32));
                    *at += end;
                }
                other => text.push(other),
            }
        } else {
            text.push(chars[*at]);
        }
        *at += 1;
    }
    *at += 1;
    text
}

/// Where the bracket that opens at `at` is closed.
fn closed(tokens: &[(Token, usize)], at: usize) -> usize {
    let mut depth = 0_usize;
    for (n, (token, _)) in tokens.iter().enumerate().skip(at) {
        match token {
            Token::Mark('(' | '[' | '{') => depth += 1,
            Token::Mark(')' | ']' | '}') => {
                depth -= 1;
                if depth == 0 {
                    return n;
                }
            }
            _ => {}
        }
    }
    tokens.len()
}

fn read(name: &str, tokens: &[(Token, usize)], found: &mut Found) {
    let shows_docs = name.starts_with("src/cli/args");
    let word = |n: usize| match tokens.get(n) {
        Some((Token::Word(word), _)) => word.as_str(),
        _ => "",
    };
    let mark = |n: usize, c: char| matches!(tokens.get(n), Some((Token::Mark(m), _)) if *m == c);
    let mut docs: Vec<String> = Vec::new();
    let mut at = 0;
    while let Some((token, line)) = tokens.get(at) {
        match token {
            Token::Doc(text) => docs.push(text.clone()),
            Token::Mark('#') if mark(at + 1, '[') || mark(at + 1, '!') => {
                let open = if mark(at + 1, '[') { at + 1 } else { at + 2 };
                let end = closed(tokens, open);
                let kind = word(open + 1);
                let has = |wanted: &str| (open..end).any(|n| word(n) == wanted);
                if kind == "cfg" && !has("not") && (has("test") || has("feature")) {
                    docs.clear();
                    at = item_end(tokens, end + 1);
                    continue;
                }
                let shown = kind == "error" || shows_docs && (kind == "command" || kind == "arg");
                if !shown {
                    at = end + 1;
                    continue;
                }
            }
            Token::Word(text) if SILENT_MACROS.contains(&text.as_str()) && mark(at + 1, '!') => {
                at = closed(tokens, at + 2);
            }
            Token::Word(_) if shows_docs && !docs.is_empty() => {
                help(&std::mem::take(&mut docs), &format!("{name}:{line}"), found);
            }
            Token::Text(text) => {
                // Examples of the help are command lines, which are typed as they are.
                let example = |line: &&str| shows_docs && line.starts_with("  ");
                for part in text.lines().filter(|line| !example(line)) {
                    let template = template(part.trim());
                    if is_sentence(&template) && !is_printed(name, &template) {
                        found.entry(template).or_insert_with(|| format!("{name}:{line}"));
                    }
                }
            }
            Token::Word(_) | Token::Mark(_) => {}
        }
        at += 1;
    }
}

/// After an item, a field or a statement.
fn item_end(tokens: &[(Token, usize)], from: usize) -> usize {
    let mut at = from;
    while let Some((token, _)) = tokens.get(at) {
        match token {
            Token::Mark('{') => return closed(tokens, at) + 1,
            Token::Mark('(' | '[') => at = closed(tokens, at),
            Token::Mark(';' | ',') => return at + 1,
            Token::Mark('}') => return at,
            _ => {}
        }
        at += 1;
    }
    at
}

/// The paragraphs of a help text, as the command line shows them.
fn help(docs: &[String], at: &str, found: &mut Found) {
    for paragraph in docs.join("\n").split("\n\n") {
        let text = paragraph.replace('\n', " ");
        let text = text.trim().trim_end_matches('.');
        if !text.is_empty() {
            found.entry(text.to_owned()).or_insert_with(|| at.to_owned());
        }
    }
}

/// A format string with `{}` for each of its holes.
pub(crate) fn template(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        match from.find('}') {
            Some(end) => {
                out.push_str("{}");
                rest = &from[end + 1..];
            }
            None => {
                out.push_str(from);
                return out;
            }
        }
    }
    out.push_str(rest);
    out
}

/// Whether a text stands on a printed form, which is Chinese as it is.
fn is_printed(name: &str, text: &str) -> bool {
    name.starts_with("src/paper/") && text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c))
}

/// Whether a text has words for people: two, or one and a hole.
fn is_sentence(text: &str) -> bool {
    let is_word = |word: &str| {
        let word = word.trim_matches(|c: char| !c.is_ascii_alphabetic());
        word.len() > 1 && word.chars().skip(1).all(|c| c.is_ascii_lowercase() || "-'".contains(c))
    };
    let words = text.split(' ').filter(|word| is_word(word)).count();
    // Comments of files that are written, markup, and what speaks to SQLite.
    let silent = text.starts_with("# ")
        || text.starts_with('<')
        || text.starts_with("{}<")
        || SILENT_WORDS.iter().any(|word| text.contains(word));
    !silent && text.contains(' ') && (words >= 2 || words == 1 && text.contains("{}"))
}
