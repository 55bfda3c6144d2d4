//! Reads one mapping, field by field, and finds all that is wrong with it.
//!
//! A [`Reader`] takes the fields that a file of its kind has, collects what is wrong with each at its place, and at
//! the end reports the fields that nobody took. Every fault says what was expected and shows an example. What a
//! missing field means, and what two fields mean together, is the affair of who reads.

use std::collections::BTreeMap;

use super::node::{Faults, Node, Place, Value};

/// What a field must look like: in words, and by example.
#[derive(Clone, Copy, Debug)]
pub(super) struct Form<'a> {
    /// Completes "expected …".
    pub(super) expected: &'a str,
    /// A good value as it is written in the file.
    pub(super) example: &'a str,
}

/// Longer names are not compared with those that are known.
const NAME_BYTES_MAX: usize = 64;

/// A form in words and by example.
pub(super) const fn form<'a>(expected: &'a str, example: &'a str) -> Form<'a> {
    Form { expected, example }
}

/// A value that was read, and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Placed<T> {
    pub(super) value: T,
    pub(super) at: Place,
}

/// One mapping.
pub(super) struct Reader {
    at: Place,
    /// What the mapping is called in messages, with a full stop; empty for the file itself.
    prefix: String,
    fields: BTreeMap<String, (Place, Node)>,
    known: Vec<&'static str>,
    faults: Faults,
}

impl Reader {
    /// A reader of a file's own mapping; a fault and nothing where it is none.
    pub(super) fn new(node: &Node, faults: &Faults) -> Option<Self> {
        Self::of(node, String::new(), faults)
    }

    /// A reader of a mapping within this one.
    pub(super) fn inner(&self, name: &str, node: &Node) -> Option<Self> {
        Self::of(node, format!("{}{name}.", self.prefix), &self.faults)
    }

    fn of(node: &Node, prefix: String, faults: &Faults) -> Option<Self> {
        let Value::Map(pairs) = &node.value else {
            if !matches!(node.value, Value::Alias) {
                let what = match prefix.trim_end_matches('.') {
                    "" => "expected fields".to_owned(),
                    name => format!("'{name}' has no fields: expected some"),
                };
                faults.add(node.at, what, Some("a field is 'name: value'"));
            }
            return None;
        };
        let fields =
            pairs.iter().map(|(name, at, value)| (name.clone(), (*at, value.clone()))).collect();
        Some(Self { at: node.at, prefix, fields, known: Vec::new(), faults: faults.clone() })
    }

    /// Where faults go.
    pub(super) const fn faults(&self) -> &Faults {
        &self.faults
    }

    /// Where the mapping begins.
    pub(super) const fn place(&self) -> Place {
        self.at
    }

    /// Whether a field is there.
    pub(super) fn has(&self, name: &str) -> bool {
        self.fields.contains_key(name)
    }

    /// A field's node, where it is there.
    pub(super) fn node(&mut self, name: &'static str) -> Option<Node> {
        self.known.push(name);
        self.fields.remove(name).map(|(_, node)| node)
    }

    /// A field's node, a fault where it is not there.
    pub(super) fn required(&mut self, name: &'static str, form: Form<'_>) -> Option<Node> {
        let node = self.node(name);
        if node.is_none() {
            let what =
                format!("the field '{}{name}' is missing: expected {}", self.prefix, form.expected);
            self.faults.add(self.at, what, Some(&format!("add  {name}: {}", form.example)));
        }
        node
    }

    /// A text that must be there.
    pub(super) fn text(&mut self, name: &'static str, form: Form<'_>) -> Option<Placed<String>> {
        let node = self.required(name, form)?;
        self.scalar(name, &node, form)
    }

    /// A value that must be there, which `parse` reads from the text.
    pub(super) fn parsed<T>(
        &mut self,
        name: &'static str,
        form: Form<'_>,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<Placed<T>> {
        let text = self.text(name, form)?;
        self.judged(name, &text, form, parse)
    }

    /// As [`Reader::parsed`], for a field that may be missing; a fault in it counts as missing.
    pub(super) fn maybe<T>(
        &mut self,
        name: &'static str,
        form: Form<'_>,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<Placed<T>> {
        let node = self.node(name)?;
        let text = self.scalar(name, &node, form)?;
        self.judged(name, &text, form, parse)
    }

    /// A list of texts that must be there.
    pub(super) fn texts(
        &mut self,
        name: &'static str,
        form: Form<'_>,
    ) -> Option<Placed<Vec<Placed<String>>>> {
        let node = self.required(name, form)?;
        self.list(name, &node, form)
    }

    /// A list of texts that may be missing.
    pub(super) fn maybe_texts(
        &mut self,
        name: &'static str,
        form: Form<'_>,
    ) -> Option<Placed<Vec<Placed<String>>>> {
        let node = self.node(name)?;
        self.list(name, &node, form)
    }

    /// The fields that nobody asked for are faults.
    pub(super) fn finish(self) {
        for (name, (at, _)) in &self.fields {
            let near = self.known.iter().filter(|_| name.len() <= NAME_BYTES_MAX);
            let near = near.map(|known| (distance(known, name), known)).min();
            let hint = match near.filter(|(edits, known)| *edits <= 1 + known.len() / 4) {
                Some((_, known)) => format!("did you mean '{known}'?"),
                None => format!("known here: {}", self.known.join(", ")),
            };
            self.faults.add(
                *at,
                format!("the field '{}{}' is unknown", self.prefix, shown(name)),
                Some(&hint),
            );
        }
    }

    fn scalar(&self, name: &str, node: &Node, form: Form<'_>) -> Option<Placed<String>> {
        let what = match &node.value {
            Value::Scalar { text, .. } if !node.is_nothing() => {
                return Some(Placed { value: text.clone(), at: node.at });
            }
            Value::Scalar { .. } => "is empty",
            Value::List(_) | Value::Map(_) => "is not one value",
            Value::Alias => return None,
        };
        self.wrong(node.at, name, what, form);
        None
    }

    /// Adds that a field is not as its form.
    pub(super) fn wrong(&self, at: Place, name: &str, what: &str, form: Form<'_>) {
        let what = format!("'{}{name}' {what}: expected {}", self.prefix, form.expected);
        self.faults.add(at, what, Some(&format!("for example  {name}: {}", form.example)));
    }

    fn judged<T>(
        &self,
        name: &str,
        text: &Placed<String>,
        form: Form<'_>,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<Placed<T>> {
        let value = parse(&text.value);
        if value.is_none() {
            self.wrong(text.at, name, &format!("is '{}'", shown(&text.value)), form);
        }
        Some(Placed { value: value?, at: text.at })
    }

    /// The texts of a list; what is none is a fault and left out.
    fn list(&self, name: &str, node: &Node, form: Form<'_>) -> Option<Placed<Vec<Placed<String>>>> {
        let Value::List(nodes) = &node.value else {
            if !matches!(node.value, Value::Alias) {
                self.wrong(node.at, name, "is no list", form);
            }
            return None;
        };
        let text = |node: &Node| match &node.value {
            Value::Scalar { text, .. } if !node.is_nothing() => {
                Some(Placed { value: text.clone(), at: node.at })
            }
            Value::Scalar { .. } | Value::List(_) | Value::Map(_) => {
                self.wrong(node.at, name, "holds something that is no text", form);
                None
            }
            Value::Alias => None,
        };
        Some(Placed { value: nodes.iter().filter_map(text).collect(), at: node.at })
    }
}

/// A value as a message shows it: not longer than a line, without control characters.
pub(super) fn shown(text: &str) -> String {
    const CHARS_MAX: usize = 60;
    let mut short: String = text
        .chars()
        .take(CHARS_MAX)
        .map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c })
        .collect();
    if text.chars().nth(CHARS_MAX).is_some() {
        short.push('…');
    }
    short
}

/// Edits between two names (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (n, c) in a.chars().enumerate() {
        let mut before = n;
        let mut left = n + 1;
        for (m, other) in b.iter().enumerate() {
            let above = row.get(m + 1).copied().unwrap_or(usize::MAX - 1);
            let value = (before + usize::from(c != *other)).min(above + 1).min(left + 1);
            before = above;
            if let Some(cell) = row.get_mut(m) {
                *cell = left;
            }
            left = value;
        }
        if let Some(cell) = row.last_mut() {
            *cell = left;
        }
    }
    row.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_one_slip_apart_are_one_edit_apart() {
        for (a, b, edits) in [
            ("status", "status", 0),
            ("stauts", "status", 2),
            ("item", "items", 1),
            ("", "abc", 3),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(distance(a, b), edits, "{a} {b}");
            assert_eq!(distance(b, a), edits, "{b} {a}");
        }
    }

    #[test]
    fn a_shown_value_stays_within_its_line() {
        assert_eq!(shown("a\nb"), "a\u{FFFD}b");
        assert_eq!(shown(&"x".repeat(61)), format!("{}…", "x".repeat(60)));
    }
}
