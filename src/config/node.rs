//! YAML with positions: what configuration is read from, so that all faults of a file are shown at once.
//!
//! Scalars keep their text as written: what a value means is the field's affair, never YAML's guess. Anchors,
//! aliases, tags, doubled names and a second document are faults. Nesting is bounded, since a value is dropped by
//! recursion. What a file should hold is not known here; see `reader.rs`.

use std::{cell::RefCell, collections::BTreeSet, fmt, path::PathBuf, rc::Rc};

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
    /// What kind it is, for a program that mends some.
    pub kind: FaultKind,
}

/// Kinds of fault that a program tells apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum FaultKind {
    /// A person mends it.
    #[default]
    Wrong,
    /// An inbox or keybox is not there; `init` makes it.
    NoFolder,
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

    /// Adds one that lies in another file, which this one names.
    pub fn add_in(&self, fault: Fault) {
        self.list.borrow_mut().push(fault);
    }

    /// Whether nothing was found so far.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.borrow().is_empty()
    }

    /// Adds one at a place.
    pub fn add(&self, at: Place, what: impl Into<String>, hint: Option<&str>) {
        self.list.borrow_mut().push(Fault {
            file: self.file.clone(),
            line: at.line,
            column: at.column,
            what: what.into(),
            hint: hint.map(str::to_owned),
            kind: FaultKind::Wrong,
        });
    }

    /// What was collected, in the order of the file; nothing is said twice.
    #[must_use]
    pub fn take(&self) -> Vec<Fault> {
        let mut list = std::mem::take(&mut *self.list.borrow_mut());
        list.sort();
        list.dedup();
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
    /// An alias, which is a fault already: nothing more is said of it.
    Alias,
}

/// Levels of lists and mappings in one file; the deepest file of ours has four.
const DEPTH_MAX: usize = 16;

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
                    let hint = "close quotes and brackets; indent with blanks, no tabs; put a value that \
                                holds ': ' or ' #' in quotes";
                    faults.add(at, format!("not YAML: {}", error.info()), Some(hint));
                    return None;
                }
            }
            if builder.stack.len() > DEPTH_MAX {
                let at = builder.stack.last().map_or(Place::default(), Frame::place);
                let what = format!("nested deeper than {DEPTH_MAX} levels");
                faults.add(at, what, Some("no field of ours is nested so deep"));
                return None;
            }
        }
        if builder.root.is_none() {
            let hint = "an example of each file is made by 'batchward init' in a new folder";
            faults.add(Place { line: 1, column: 1 }, "the file is empty", Some(hint));
        }
        builder.root
    }

    /// The scalar's text.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar { text, .. } => Some(text),
            Value::List(_) | Value::Map(_) | Value::Alias => None,
        }
    }

    /// Whether it is there in name only: nothing after the colon, or YAML's words for nothing, not in quotes.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        match &self.value {
            Value::Scalar { text, plain } => {
                text.is_empty() || *plain && matches!(text.as_str(), "~" | "null" | "Null" | "NULL")
            }
            Value::List(_) | Value::Map(_) | Value::Alias => false,
        }
    }
}

enum Frame {
    List(Place, Vec<Node>),
    Map(Place, Pairs),
}

#[derive(Default)]
struct Pairs {
    done: Vec<(String, Place, Node)>,
    names: BTreeSet<String>,
    /// The name that waits for its value; none where it is no name.
    open: Option<(Option<String>, Place)>,
}

impl Frame {
    const fn place(&self) -> Place {
        match self {
            Self::List(at, _) | Self::Map(at, _) => *at,
        }
    }
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
                    let hint = "one file, one document: leave out what follows '---'";
                    self.faults.add(at, "a second document", Some(hint));
                }
            }
            Event::Alias(_) => {
                self.faults.add(at, "an alias", Some("write the value out"));
                self.add(Node { at, value: Value::Alias });
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.unmarked(anchor, tag.is_some(), at);
                let plain = style == ScalarStyle::Plain;
                self.add(Node { at, value: Value::Scalar { text: text.into_owned(), plain } });
            }
            Event::SequenceStart(anchor, tag) => {
                self.unmarked(anchor, tag.is_some(), at);
                self.stack.push(Frame::List(at, Vec::new()));
            }
            Event::MappingStart(anchor, tag) => {
                self.unmarked(anchor, tag.is_some(), at);
                self.stack.push(Frame::Map(at, Pairs::default()));
            }
            Event::SequenceEnd | Event::MappingEnd => match self.stack.pop() {
                Some(Frame::List(at, nodes)) => self.add(Node { at, value: Value::List(nodes) }),
                Some(Frame::Map(at, pairs)) => self.add(Node { at, value: Value::Map(pairs.done) }),
                None => {}
            },
            _ => {}
        }
    }

    fn unmarked(&self, anchor: usize, tagged: bool, at: Place) {
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
            Some(Frame::Map(_, pairs)) => match pairs.open.take() {
                // Of a name that stands twice the first value counts, so that its own faults show too.
                Some((Some(name), at)) => {
                    if pairs.names.insert(name.clone()) {
                        pairs.done.push((name, at, node));
                    } else {
                        self.faults.add(
                            at,
                            format!("'{name}' stands twice"),
                            Some("keep one of them"),
                        );
                    }
                }
                Some((None, _)) => {}
                None => {
                    let name = node.text().filter(|text| !text.is_empty()).map(str::to_owned);
                    if name.is_none() {
                        self.faults.add(
                            node.at,
                            "a value without a name",
                            Some("write 'name: value'"),
                        );
                    }
                    pairs.open = Some((name, node.at));
                }
            },
        }
    }
}
