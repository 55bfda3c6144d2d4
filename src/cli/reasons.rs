//! `reasons`: the codes with which people say why they do things. Neither agent nor site is needed.

use std::borrow::Cow;

use super::{print, shapes::ReasonCode, speech};
use crate::{
    domain::grounds::{self, Because},
    error::Error,
    service::Result,
};

/// Shows the codes of one act, or of every one.
pub(super) fn run(act: &[String], json: bool) -> Result<()> {
    let act = act.join(" ");
    let lists: Vec<&Because> = match grounds::of(&act) {
        Some(list) => vec![list],
        None if act.is_empty() => grounds::ACTS.iter().collect(),
        None => {
            let acts: Vec<&str> = grounds::ACTS.iter().map(|list| list.act).collect();
            return Err(Error::usage(format!("there is no list of reasons for '{act}'"))
                .hint(format!("these have one: {}", acts.join(", "))));
        }
    };
    let codes = lists.iter().flat_map(|list| list.codes.iter().map(|code| (list.act, code)));
    let codes = codes.map(|(act, ground)| ReasonCode {
        act,
        code: ground.code,
        english: ground.english,
        chinese: ground.chinese,
    });
    let codes: Vec<ReasonCode> = codes.collect();
    if json {
        return print::json(&codes);
    }
    let row = |line: &ReasonCode| {
        let meaning = if speech::is_chinese() { line.chinese } else { line.english };
        vec![line.act.to_owned(), line.code.to_owned(), meaning.to_owned()]
    };
    let rows: Vec<Vec<String>> = codes.iter().map(row).collect();
    print::whole_table(&["act", "code", "meaning"], &rows)
}

/// A reason as it is read in the language of this process; the register has its code.
pub(super) fn shown(stored: &str) -> Cow<'_, str> {
    if speech::is_chinese() { grounds::chinese(stored) } else { Cow::Borrowed(stored) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::{Command, CommandFactory};

    use super::*;
    use crate::cli::args::Cli;

    /// Words that ask about people, or about who asked: their reason goes into the access log.
    const SEALED: &[&str] =
        &["query", "match", "access show", "access export", "audit sample show"];

    /// What takes its reason in another word's options, or as a note.
    const ELSEWHERE: &[&str] = &["copy-to", "batch compare"];

    /// Walks the parser's own tree: a word that is added tomorrow is in this test.
    #[test]
    fn every_word_that_takes_a_reason_has_a_list() {
        fn walk(words: &[&str], command: &Command, found: &mut BTreeSet<String>) {
            if command.get_arguments().any(|arg| arg.get_id() == "reason") {
                found.insert(words.join(" "));
            }
            for below in command.get_subcommands() {
                walk(&[words, &[below.get_name()]].concat(), below, found);
            }
        }
        let mut found = BTreeSet::new();
        walk(&[], &Cli::command(), &mut found);
        for word in &found {
            let listed = grounds::of(word).is_some();
            assert_ne!(listed, SEALED.contains(&word.as_str()), "{word}");
        }
        for list in grounds::ACTS.iter().filter(|list| !ELSEWHERE.contains(&list.act)) {
            assert!(found.contains(list.act), "'{}' takes no reason", list.act);
        }
    }
}
