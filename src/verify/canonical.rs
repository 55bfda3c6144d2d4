//! The canonical form of a value (RFC 8785, as far as the register uses it), for the verifier: members sorted in what
//! `serde_json` wrote of it, without a tree of the value in between.
//!
//! It gives the same bytes as the writer's own way, [`entry::canonical`]; a key that has to be escaped, or that stands
//! twice, is left to that one.

use std::ops::Range;

use serde::Serialize;

use crate::domain::entry;

/// The canonical bytes; nothing for what JSON cannot hold.
pub(super) fn canonical<T: Serialize>(value: &T) -> Option<Vec<u8>> {
    let written = serde_json::to_vec(value).ok()?;
    let mut sorting = Sorting { written: &written, at: 0, out: Vec::with_capacity(written.len()) };
    match sorting.value() {
        Some(()) if sorting.at == written.len() => Some(sorting.out),
        _ => entry::canonical(value).ok(),
    }
}

/// What was written, and what has been sorted of it. It is well-formed and has no white space: this program wrote it.
struct Sorting<'a> {
    written: &'a [u8],
    at: usize,
    out: Vec<u8>,
}

impl Sorting<'_> {
    fn peek(&self) -> Option<u8> {
        self.written.get(self.at).copied()
    }

    fn copy(&mut self, bytes: usize) -> Option<()> {
        self.out.extend_from_slice(self.written.get(self.at..self.at + bytes)?);
        self.at += bytes;
        Some(())
    }

    fn value(&mut self) -> Option<()> {
        match self.peek()? {
            b'{' => self.object(),
            b'[' => self.array(),
            b'"' => self.string().map(drop),
            _ => {
                let rest = self.written.get(self.at..)?;
                let end = rest.iter().position(|byte| matches!(byte, b',' | b']' | b'}'));
                self.copy(end.unwrap_or(rest.len()))
            }
        }
    }

    fn array(&mut self) -> Option<()> {
        self.copy(1)?;
        while self.peek()? != b']' {
            if self.peek()? == b',' {
                self.copy(1)?;
            }
            self.value()?;
        }
        self.copy(1)
    }

    /// Gives where the string lies now, without its quotes.
    fn string(&mut self) -> Option<Range<usize>> {
        let rest = self.written.get(self.at..)?;
        let mut end = 1;
        loop {
            end += rest.get(end..)?.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
            if rest.get(end)? == &b'"' {
                break;
            }
            end += 2;
        }
        let start = self.out.len() + 1;
        self.copy(end + 1)?;
        Some(start..self.out.len() - 1)
    }

    fn object(&mut self) -> Option<()> {
        self.copy(1)?;
        let start = self.out.len();
        let mut members: Vec<(Range<usize>, Range<usize>)> = Vec::new();
        let mut sorted = true;
        while self.peek()? != b'}' {
            if self.peek()? == b',' {
                self.copy(1)?;
            }
            let from = self.out.len();
            let key = self.string()?;
            let name = self.out.get(key.clone())?;
            if name.contains(&b'\\') {
                return None;
            }
            let before = members.last().and_then(|(key, _)| self.out.get(key.clone()));
            sorted &= before.is_none_or(|before| before < name);
            self.copy(1)?;
            self.value()?;
            members.push((key, from..self.out.len()));
        }
        if !sorted {
            self.sort(start, &mut members)?;
        }
        self.copy(1)
    }

    /// Brings the members of an object that begins at `start` in order.
    fn sort(&mut self, start: usize, members: &mut [(Range<usize>, Range<usize>)]) -> Option<()> {
        let out = &self.out;
        members.sort_by(|(one, _), (other, _)| out.get(one.clone()).cmp(&out.get(other.clone())));
        let mut ordered = Vec::with_capacity(out.len() - start);
        let mut last: Option<&[u8]> = None;
        for (key, member) in members.iter() {
            let key = out.get(key.clone())?;
            if last.replace(key) == Some(key) {
                return None;
            }
            if !ordered.is_empty() {
                ordered.push(b',');
            }
            ordered.extend_from_slice(out.get(member.clone())?);
        }
        self.out.truncate(start);
        self.out.extend_from_slice(&ordered);
        Some(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use proptest::prelude::*;
    use serde::Serializer;
    use serde_json::Value;

    use super::*;

    /// A value whose members stand in any order, and may stand twice.
    #[derive(Clone, Debug)]
    enum Any {
        One(Value),
        List(Vec<Self>),
        Map(Vec<(String, Self)>),
    }

    impl Serialize for Any {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            match self {
                Self::One(value) => value.serialize(serializer),
                Self::List(list) => serializer.collect_seq(list),
                Self::Map(members) => serializer.collect_map(members.iter().map(|(k, v)| (k, v))),
            }
        }
    }

    fn tree() -> impl Strategy<Value = Any> {
        // Keys as they are, keys that differ by little, and some that are escaped.
        let key = || {
            let odd = "[a\"\\\\{}:,\u{1}名]{0,3}";
            prop_oneof![4 => "[a-c]{0,3}", 2 => "[a-z_0-9-]{1,12}", 1 => odd]
        };
        let one = prop_oneof![
            any::<u64>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<bool>().prop_map(Value::from),
            Just(Value::Null),
            ".{0,12}".prop_map(Value::from),
            "[\"\\\\{}\\[\\]:,a\u{7f}\n]{0,8}".prop_map(Value::from),
        ];
        one.prop_map(Any::One).prop_recursive(4, 48, 6, move |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..5).prop_map(Any::List),
                proptest::collection::vec((key(), inner), 0..6).prop_map(Any::Map),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn the_verifiers_canonical_form_is_the_writers(value in tree()) {
            prop_assert_eq!(canonical(&value).unwrap(), entry::canonical(&value).unwrap());
        }
    }
}
