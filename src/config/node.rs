//! YAML with positions: what configuration is read from, so that all faults of a file are shown at once.
//!
//! Scalars keep their text as written. Anchors, aliases, tags and doubled keys are faults. A [`Reader`] walks one
//! mapping, takes the fields it knows, collects what is wrong, and at the end reports the fields that nobody took.

use std::{cell::RefCell, collections::BTreeMap, fmt, path::PathBuf, rc::Rc};

use saphyr_parser::{Event, Parser, ScalarStyle, Span};

/// Something wrong in a file that people write.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// The file.
    pub file: PathBuf,
    /// Line, from 1; 0 where the file as a whole is meant.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
    /// What is wrong.
    pub what: String,
    /// The fix.
    pub hint: Option<String>,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if self.line > 0 {
            write!(f, ":{}:{}", self.line, self.column)?;
        }
        write!(f, ": {}", self.what)?;
        match &self.hint {
            Some(hint) => write!(f, "\n    hint: {hint}"),
            None => Ok(()),
        }
    }
}

/// Where faults are collected.
#[derive(Clone, Debug)]
pub struct Faults {
    file: PathBuf,
    list: Rc<RefCell<Vec<Fault>>>,
}

impl Faults {
    /// A collection for one file.
    #[must_use]
    pub fn of(file: PathBuf) -> Self {
        Self { file, list: Rc::default() }
    }

    /// Adds one at a place.
    pub fn add(&self, at: Place, what: impl Into<String>, hint: Option<&str>) {
        self.list.borrow_mut().push(Fault {
            file: self.file.clone(),
            line: at.line,
            column: at.column,
            what: what.into(),
            hint: hint.map(str::to_owned),
        });
    }

    /// What was collected, in the order of the file.
    #[must_use]
    pub fn take(&self) -> Vec<Fault> {
        let mut list = std::mem::take(&mut *self.list.borrow_mut());
        list.sort();
        list
    }
}

/// A place in a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
}

impl From<Span> for Place {
    fn from(span: Span) -> Self {
        Self { line: span.start.line(), column: span.start.col() + 1 }
    }
}

/// A node.
#[derive(Clone, Debug)]
pub struct Node {
    /// Where it begins.
    pub at: Place,
    /// What it is.
    pub value: Value,
}

/// What a node is.
#[derive(Clone, Debug)]
pub enum Value {
    /// A scalar as it is written; `plain` where it was not quoted.
    Scalar {
        /// The text.
        text: String,
        /// Not quoted.
        plain: bool,
    },
    /// A list.
    List(Vec<Node>),
    /// A mapping, in the order of the file.
    Map(Vec<(String, Place, Node)>),
}

impl Node {
    /// Parses one document. Nothing where its syntax is wrong; the fault is then collected.
    #[must_use]
    pub fn parse(text: &str, faults: &Faults) -> Option<Self> {
        let mut builder =
            Builder { faults: faults.clone(), stack: Vec::new(), root: None, documents: 0 };
        for event in Parser::new_from_str(text) {
            match event {
                Ok((event, span)) => builder.take(event, span.into()),
                Err(error) => {
                    let at =
                        Place { line: error.marker().line(), column: error.marker().col() + 1 };
                    faults.add(at, format!("not YAML: {}", error.info()), None);
                    return None;
                }
            }
        }
        if builder.root.is_none() {
            faults.add(Place { line: 1, column: 1 }, "the file is empty", None);
        }
        builder.root
    }

    /// The scalar's text.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar { text, .. } => Some(text),
            Value::List(_) | Value::Map(_) => None,
        }
    }
}

enum Frame {
    List(Place, Vec<Node>),
    Map(Place, Vec<(String, Place, Node)>, Option<(String, Place)>),
}

struct Builder {
    faults: Faults,
    stack: Vec<Frame>,
    root: Option<Node>,
    documents: usize,
}

impl Builder {
    fn take(&mut self, event: Event<'_>, at: Place) {
        match event {
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents == 2 {
                    self.faults.add(at, "a second document", Some("one file, one document"));
                }
            }
            Event::Alias(_) => {
                self.faults.add(at, "an alias", Some("write the value out"));
                self.add(Node { at, value: Value::Scalar { text: String::new(), plain: true } });
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.plain(anchor, tag.is_some(), at);
                let plain = style == ScalarStyle::Plain;
                self.add(Node { at, value: Value::Scalar { text: text.into_owned(), plain } });
            }
            Event::SequenceStart(anchor, tag) => {
                self.plain(anchor, tag.is_some(), at);
                self.stack.push(Frame::List(at, Vec::new()));
            }
            Event::MappingStart(anchor, tag) => {
                self.plain(anchor, tag.is_some(), at);
                self.stack.push(Frame::Map(at, Vec::new(), None));
            }
            Event::SequenceEnd | Event::MappingEnd => match self.stack.pop() {
                Some(Frame::List(at, nodes)) => self.add(Node { at, value: Value::List(nodes) }),
                Some(Frame::Map(at, pairs, _)) => self.add(Node { at, value: Value::Map(pairs) }),
                None => {}
            },
            _ => {}
        }
    }

    fn plain(&self, anchor: usize, tagged: bool, at: Place) {
        if anchor != 0 {
            self.faults.add(at, "an anchor", Some("write the value out where it is used"));
        }
        if tagged {
            self.faults.add(at, "a tag", Some("leave it out: the field decides what the value is"));
        }
    }

    fn add(&mut self, node: Node) {
        match self.stack.last_mut() {
            None => self.root = self.root.take().or(Some(node)),
            Some(Frame::List(_, nodes)) => nodes.push(node),
            Some(Frame::Map(_, pairs, key)) => match key.take() {
                None => {
                    let text = node.text().unwrap_or_default().to_owned();
                    if pairs.iter().any(|(known, ..)| *known == text) {
                        self.faults.add(
                            node.at,
                            format!("'{text}' stands twice"),
                            Some("keep one of them"),
                        );
                    }
                    *key = Some((text, node.at));
                }
                Some((name, at)) => pairs.push((name, at, node)),
            },
        }
    }
}

/// Reads one mapping, field by field.
pub struct Reader {
    at: Place,
    fields: BTreeMap<String, (Place, Node)>,
    known: Vec<&'static str>,
    faults: Faults,
}

impl Reader {
    /// A reader of a node that must be a mapping.
    #[must_use]
    pub fn new(node: &Node, faults: &Faults) -> Self {
        let mut fields = BTreeMap::new();
        match &node.value {
            Value::Map(pairs) => {
                for (name, at, value) in pairs {
                    fields.entry(name.clone()).or_insert_with(|| (*at, value.clone()));
                }
            }
            Value::Scalar { .. } | Value::List(_) => {
                faults.add(node.at, "expected fields, 'name: value'", None);
            }
        }
        Self { at: node.at, fields, known: Vec::new(), faults: faults.clone() }
    }

    /// Where the mapping begins.
    #[must_use]
    pub const fn place(&self) -> Place {
        self.at
    }

    /// Where faults go.
    #[must_use]
    pub const fn faults(&self) -> &Faults {
        &self.faults
    }

    /// A field's node, where it is there.
    pub fn node(&mut self, name: &'static str) -> Option<Node> {
        self.known.push(name);
        self.fields.remove(name).map(|(_, node)| node)
    }

    /// A field's node, a fault where it is not there.
    pub fn required(&mut self, name: &'static str) -> Option<Node> {
        let node = self.node(name);
        if node.is_none() {
            self.faults.add(self.at, format!("the field '{name}' is missing"), None);
        }
        node
    }

    /// A text that must be there.
    pub fn text(&mut self, name: &'static str) -> Option<(String, Place)> {
        let node = self.required(name)?;
        self.scalar(name, &node)
    }

    /// A text that may be there.
    pub fn text_or(&mut self, name: &'static str, default: &str) -> (String, Place) {
        match self.node(name) {
            Some(node) => self.scalar(name, &node).unwrap_or_else(|| (default.to_owned(), node.at)),
            None => (default.to_owned(), self.at),
        }
    }

    fn scalar(&self, name: &str, node: &Node) -> Option<(String, Place)> {
        match node.text() {
            Some(text) if !text.is_empty() => Some((text.to_owned(), node.at)),
            Some(_) => {
                self.faults.add(node.at, format!("'{name}' is empty"), None);
                None
            }
            None => {
                self.faults.add(node.at, format!("'{name}' must be one value"), None);
                None
            }
        }
    }

    /// A value that `parse` reads from the text; a fault with `expected` where it cannot.
    pub fn parsed<T>(
        &mut self,
        name: &'static str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let (text, at) = self.text(name)?;
        self.judged(name, &text, at, expected, parse)
    }

    /// As [`Reader::parsed`], for a field that may be missing.
    pub fn parsed_or<T>(
        &mut self,
        name: &'static str,
        default: T,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> T {
        let Some(node) = self.node(name) else { return default };
        let Some((text, at)) = self.scalar(name, &node) else { return default };
        self.judged(name, &text, at, expected, parse).unwrap_or(default)
    }

    fn judged<T>(
        &self,
        name: &str,
        text: &str,
        at: Place,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let value = parse(text);
        if value.is_none() {
            self.faults.add(at, format!("'{name}' is '{text}': expected {expected}"), None);
        }
        value
    }

    /// A list of texts that must be there.
    pub fn texts(&mut self, name: &'static str) -> Option<Vec<(String, Place)>> {
        let node = self.required(name)?;
        self.list(name, &node)
    }

    /// A list of texts that may be there.
    pub fn texts_or_empty(&mut self, name: &'static str) -> Vec<(String, Place)> {
        self.node(name).and_then(|node| self.list(name, &node)).unwrap_or_default()
    }

    fn list(&self, name: &str, node: &Node) -> Option<Vec<(String, Place)>> {
        let Value::List(nodes) = &node.value else {
            self.faults.add(node.at, format!("'{name}' must be a list"), Some("[one, two]"));
            return None;
        };
        let texts: Vec<_> = nodes.iter().filter_map(|node| self.scalar(name, node)).collect();
        (texts.len() == nodes.len()).then_some(texts)
    }

    /// The fields that nobody asked for are faults.
    pub fn finish(self) {
        for (name, (at, _)) in &self.fields {
            let near = self.known.iter().min_by_key(|known| distance(known, name));
            let hint = near
                .filter(|known| distance(known, name) <= 3)
                .map(|known| format!("did you mean '{known}'?"));
            self.faults.add(*at, format!("the field '{name}' is unknown"), hint.as_deref());
        }
    }
}

/// Edits between two names (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (n, c) in a.chars().enumerate() {
        let mut before = n;
        let mut left = n + 1;
        for (m, other) in b.iter().enumerate() {
            let above = row.get(m + 1).copied().unwrap_or(usize::MAX);
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
