//! The catalogue, and finding what a finished sentence was made from.

use std::{cell::Cell, cmp::Reverse, collections::HashMap};

use super::template::{Filled, Part, Template, parts};
use crate::domain::grounds;

/// English and Chinese; a PO file, as translators' tools read and write it.
const CHINESE: &str = include_str!("../../../locale/zh-TW.po");

/// Longer lines are shown as they are: no sentence of ours is so long, and the search stays short.
const LINE_BYTES_MAX: usize = 4096;

/// Phrases that are looked for in one line, those within others included: what bounds the time.
const PHRASES_MAX: usize = 48;

/// Entries whose context is this are words of closed lists: states, reasons, roles, heads of tables.
const WORD: &str = "word";

/// Entries whose context is this are what cannot be done to a file: what stands after "cannot".
const ACTION: &str = "action";

/// One language's sentences.
#[derive(Debug, Default)]
pub(super) struct Catalogue {
    words: HashMap<String, String>,
    actions: HashMap<String, String>,
    whole: HashMap<String, String>,
    templates: Vec<(Template, Vec<Part>)>,
}

impl Catalogue {
    /// The one that is built in. A file that cannot be read gives none, and everything is shown in English; a test
    /// reads it.
    pub(super) fn embedded() -> Self {
        polib::po_file::parse_from_reader(CHINESE.as_bytes())
            .map_or_else(|_| Self::default(), |file| Self::of(&file))
    }

    fn of(file: &polib::catalog::Catalog) -> Self {
        let mut catalogue = Self::default();
        // Codes of reasons have their labels in the one table of them; an entry of the file counts before it.
        for ground in grounds::ACTS.iter().flat_map(|list| list.codes) {
            catalogue.words.insert(ground.code.to_owned(), ground.chinese.to_owned());
        }
        for message in file.messages() {
            let english = message.msgid();
            let Ok(said) = message.msgstr() else { continue };
            if english.is_empty() || said.is_empty() {
                continue;
            }
            let pair = || (Template::new(english), parts(said));
            match message.msgctxt() {
                Some(WORD) => {
                    catalogue.words.insert(english.to_owned(), said.to_owned());
                }
                Some(ACTION) => {
                    catalogue.actions.insert(english.to_owned(), said.to_owned());
                }
                _ if english.contains("{}") => catalogue.templates.push(pair()),
                _ => {
                    catalogue.whole.insert(english.to_owned(), said.to_owned());
                }
            }
        }
        // The surest first: what has the most literal characters.
        catalogue.templates.sort_by_key(|(template, _)| Reverse(template.weight));
        catalogue
    }

    /// A word of a closed list.
    pub(super) fn word(&self, text: &str) -> Option<&str> {
        self.words.get(text).or_else(|| self.whole.get(text)).map(String::as_str)
    }

    /// A line; its indentation stays. Where columns stand beside each other, only the last one is words.
    pub(super) fn line(&self, line: &str) -> String {
        let text = line.trim();
        let text = text.strip_prefix("== ").unwrap_or(text);
        if text.is_empty() || line.len() > LINE_BYTES_MAX {
            return line.to_owned();
        }
        let left = Cell::new(PHRASES_MAX);
        let columns = || {
            let (columns, last) = text.rsplit_once("  ")?;
            let said = self.phrase(last, &left)?;
            Some(format!("{columns}  {said}"))
        };
        let said = self.direct(text, &left).or_else(columns).or_else(|| self.phrase(text, &left));
        said.map_or_else(|| line.to_owned(), |said| around(line, text, &said))
    }

    /// A sentence, a word or several of them; nothing where the catalogue has no part of it.
    fn phrase(&self, text: &str, left: &Cell<usize>) -> Option<String> {
        if left.get() == 0 || text.is_empty() {
            return None;
        }
        left.set(left.get() - 1);
        self.direct(text, left).or_else(|| self.joined(text, left))
    }

    /// A word, a sentence, or what was made from a template.
    fn direct(&self, text: &str, left: &Cell<usize>) -> Option<String> {
        if let Some(said) = self.whole.get(text).or_else(|| self.words.get(text)) {
            return Some(said.clone());
        }
        self.templates
            .iter()
            .find_map(|(template, said)| Some(self.put(&template.matches(text)?, said, left)))
    }

    /// The other language's side with the holes filled. What stands in them is never read as a template.
    fn put(&self, holes: &[Filled<'_>], said: &[Part], left: &Cell<usize>) -> String {
        let mut text = String::new();
        for part in said {
            match part {
                Part::Text(literal) => text.push_str(literal),
                Part::Hole(n) => match holes.get(*n) {
                    Some(hole) if !hole.quoted => {
                        let inner = hole.text.trim();
                        let said = match hole.verb {
                            true => {
                                self.actions.get(inner).or_else(|| self.whole.get(inner)).cloned()
                            }
                            false => self.phrase(inner, left),
                        };
                        match said {
                            Some(said) => text.push_str(&around(hole.text, inner, &said)),
                            None => text.push_str(hole.text),
                        }
                    }
                    Some(hole) => text.push_str(hole.text),
                    None => {}
                },
            }
        }
        text
    }

    /// Causes after a colon, what is added after a comma or in brackets, or a list.
    fn joined(&self, text: &str, left: &Cell<usize>) -> Option<String> {
        for (mark, said) in [("; ", "；"), (", ", "、"), (",", "、")] {
            let list: Option<Vec<_>> = text.split(mark).map(|part| self.word(part)).collect();
            if let Some(list) = list {
                return Some(list.join(said));
            }
        }
        if let Some((head, rest)) = text.split_once(": ") {
            let (said, tail) = (self.phrase(head, left), self.phrase(rest, left));
            if said.is_some() || tail.is_some() {
                let name = head.strip_prefix('\'').and_then(|name| name.strip_suffix('\''));
                let tail = tail.as_deref().unwrap_or(rest);
                return Some(match (said, name) {
                    (Some(said), _) => format!("{said}：{tail}"),
                    (None, Some(name)) => format!("「{name}」：{tail}"),
                    // A place in a file stays as it is: editors jump to it.
                    (None, None) => format!("{head}: {tail}"),
                });
            }
        }
        if let Some((before, inner)) =
            text.strip_suffix(')').and_then(|text| text.rsplit_once(" ("))
        {
            let (head, said) = (self.phrase(before, left), self.phrase(inner, left));
            if head.is_some() || said.is_some() {
                let (head, said) =
                    (head.as_deref().unwrap_or(before), said.as_deref().unwrap_or(inner));
                return Some(format!("{head}（{said}）"));
            }
        }
        let (before, added) = text.rsplit_once(", ").filter(|(before, _)| !before.is_empty())?;
        let (head, said) = (self.phrase(before, left), self.phrase(&format!(", {added}"), left));
        match (head, said) {
            (None, None) => None,
            (head, Some(said)) => Some(format!("{}{said}", head.as_deref().unwrap_or(before))),
            (Some(head), None) => Some(format!("{head}，{added}")),
        }
    }
}

/// A text in place of `inner` within `outer`; what else is there stays.
fn around(outer: &str, inner: &str, said: &str) -> String {
    match outer.split_once(inner) {
        Some((before, after)) => format!("{before}{said}{after}"),
        None => said.to_owned(),
    }
}
