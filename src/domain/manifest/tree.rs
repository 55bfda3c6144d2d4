//! A manifest's text as a small tree, before any field is looked at.
//!
//! YAML through its events and JSON through its own reader end in the same tree. Anchors, aliases, tags, several
//! documents, doubled keys and deep nesting are refused here, so nothing can grow beyond the text itself. Scalars keep
//! the text that was written: a number of digits alone stays a batch number.

use std::fmt;

use saphyr_parser::{Event, Parser, ScalarStyle};
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};

/// Levels of lists and mappings; a manifest needs three.
const DEPTH_MAX: usize = 8;

/// One value of the tree.
#[derive(Clone)]
pub(super) enum Node {
    /// A scalar; `plain` where it was written without quotes, so that it may be a number.
    Scalar {
        /// The text, quotes and escapes resolved.
        text: String,
        /// Written without quotes.
        plain: bool,
    },
    /// A sequence.
    List(Vec<Self>),
    /// A mapping, in the order of the text, keys unique.
    Map(Vec<(String, Self)>),
}

/// Why a text is no tree that a manifest may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TreeFault {
    /// Neither YAML nor JSON.
    #[error("neither YAML nor JSON")]
    Syntax,
    /// An anchor or an alias.
    #[error("anchors and aliases are not allowed")]
    Anchor,
    /// A tag.
    #[error("tags are not allowed")]
    Tag,
    /// A key twice in one mapping.
    #[error("a field is there twice")]
    DoubledKey,
    /// No document, or several.
    #[error("expected one document")]
    Documents,
    /// Nested beyond what a manifest needs.
    #[error("nested too deep")]
    TooDeep,
}

/// Reads one document.
pub(super) fn read(text: &str) -> Result<Node, TreeFault> {
    // JSON knows escapes that YAML does not (surrogate pairs), so what is JSON is read as JSON.
    if text.trim_start().starts_with('{')
        && let Ok(node) = serde_json::from_str::<Node>(text)
    {
        check(&node, 0)?;
        return Ok(node);
    }
    let mut events = Events(Parser::new_from_str(text));
    let node = events.document()?;
    check(&node, 0)?;
    Ok(node)
}

fn check(node: &Node, depth: usize) -> Result<(), TreeFault> {
    if depth > DEPTH_MAX {
        return Err(TreeFault::TooDeep);
    }
    match node {
        Node::Scalar { .. } => Ok(()),
        Node::List(items) => items.iter().try_for_each(|item| check(item, depth + 1)),
        Node::Map(pairs) => {
            let mut keys: Vec<_> = pairs.iter().map(|(key, _)| key.as_str()).collect();
            keys.sort_unstable();
            if keys.windows(2).any(|pair| pair[0] == pair[1]) {
                return Err(TreeFault::DoubledKey);
            }
            pairs.iter().try_for_each(|(_, value)| check(value, depth + 1))
        }
    }
}

struct Events<'a>(Parser<'a, saphyr_parser::StrInput<'a>>);

impl<'a> Events<'a> {
    fn next(&mut self) -> Result<Event<'a>, TreeFault> {
        match self.0.next_event() {
            Some(Ok((event, _))) => Ok(event),
            Some(Err(_)) | None => Err(TreeFault::Syntax),
        }
    }

    fn document(&mut self) -> Result<Node, TreeFault> {
        match (self.next()?, self.next()?) {
            (Event::StreamStart, Event::DocumentStart(_)) => {}
            _ => return Err(TreeFault::Documents),
        }
        let first = self.next()?;
        let node = self.node(first, 0)?;
        match (self.next()?, self.next()?) {
            (Event::DocumentEnd, Event::StreamEnd) => Ok(node),
            _ => Err(TreeFault::Documents),
        }
    }

    fn node(&mut self, event: Event<'a>, depth: usize) -> Result<Node, TreeFault> {
        if depth > DEPTH_MAX {
            return Err(TreeFault::TooDeep);
        }
        match event {
            Event::Alias(_) => Err(TreeFault::Anchor),
            Event::Scalar(text, style, anchor, tag) => {
                plain_only(anchor, tag.is_some())?;
                let plain = style == ScalarStyle::Plain;
                Ok(Node::Scalar { text: text.into_owned(), plain })
            }
            Event::SequenceStart(anchor, tag) => {
                plain_only(anchor, tag.is_some())?;
                let mut items = Vec::new();
                loop {
                    match self.next()? {
                        Event::SequenceEnd => return Ok(Node::List(items)),
                        event => items.push(self.node(event, depth + 1)?),
                    }
                }
            }
            Event::MappingStart(anchor, tag) => {
                plain_only(anchor, tag.is_some())?;
                self.mapping(depth)
            }
            _ => Err(TreeFault::Syntax),
        }
    }

    fn mapping(&mut self, depth: usize) -> Result<Node, TreeFault> {
        let mut pairs = Vec::new();
        loop {
            let key = match self.next()? {
                Event::MappingEnd => return Ok(Node::Map(pairs)),
                event => self.node(event, depth + 1)?,
            };
            let Node::Scalar { text, .. } = key else { return Err(TreeFault::Syntax) };
            let event = self.next()?;
            pairs.push((text, self.node(event, depth + 1)?));
        }
    }
}

const fn plain_only(anchor: usize, tagged: bool) -> Result<(), TreeFault> {
    match (anchor, tagged) {
        (0, false) => Ok(()),
        (0, true) => Err(TreeFault::Tag),
        _ => Err(TreeFault::Anchor),
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Json)
    }
}

struct Json;

impl Json {
    fn plain(value: impl fmt::Display) -> Node {
        Node::Scalar { text: value.to_string(), plain: true }
    }
}

impl<'de> Visitor<'de> for Json {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Self::plain("null"))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Self::plain(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Self::plain(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Self::plain(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Self::plain(format_args!("{value:?}")))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Scalar { text: value.to_owned(), plain: false })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Node::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = map.next_entry::<String, Node>()? {
            pairs.push(pair);
        }
        Ok(Node::Map(pairs))
    }
}
