//! Decisions on paper: what is decided on, how, and the short code that ties a printed slip to it.
//!
//! The code is no secret and no signature. It is a digest of what is decided on, short enough to be read off paper and typed:
//! 40 bits in eight characters, and a ninth that finds a slip of the pen. Whoever types a code from another slip, or from
//! one that was printed before what it is about was changed, is refused (two different requests share a code by chance
//! once in 2^40). That a decision was taken at all, two people vouch for who have seen the paper, and the paper itself.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{
    digest::Digest,
    ids::{CopyId, DocumentId, GrantId, OrderId},
    time::Timestamp,
    words::words,
};

words! {
    /// What a decision comes to.
    Ruling {
        /// 核定.
        Approved = "approved",
        /// 不同意.
        Denied = "denied",
    }
    /// The acts that may be decided on paper, where a policy says so (`decisions.paper`).
    PaperFor {
        /// A destruction.
        Destroy = "destroy",
        /// A grant.
        Grant = "grant",
        /// A copy.
        Copy = "copy",
    }
}

/// What is decided on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// An order.
    Order(OrderId),
    /// A grant.
    Grant(GrantId),
    /// A copy that somebody asks for.
    Copy(CopyId),
}

impl Subject {
    /// The word of the command line that it is decided with.
    #[must_use]
    pub const fn kind(self) -> PaperFor {
        match self {
            Self::Order(_) => PaperFor::Destroy,
            Self::Grant(_) => PaperFor::Grant,
            Self::Copy(_) => PaperFor::Copy,
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Order(id) => id.fmt(f),
            Self::Grant(id) => id.fmt(f),
            Self::Copy(id) => id.fmt(f),
        }
    }
}

/// A decision that was recorded from a signed document: what stands where a signature would.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct OnPaper {
    /// What was decided.
    pub ruling: Ruling,
    /// Who decided: the account that the document names.
    pub approver: String,
    /// Number of the document.
    pub doc_no: String,
    /// Its day.
    pub on: Timestamp,
    /// The scan of it, among the papers that are kept.
    pub document: DocumentId,
    /// The code that was typed from it.
    pub code: String,
    /// Who entered it.
    pub entered_by: String,
    /// Who confirmed it.
    pub confirmed_by: String,
    /// The entry that entered it.
    pub entered: u64,
    /// The entry that confirmed it.
    pub confirmed: u64,
}

/// The digits of Crockford's base 32: no I, L, O or U.
const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The short code of a slip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlipCode([u8; 9]);

impl SlipCode {
    /// The code of what is decided on: `digest` is that of the entry that asks for it, as it was last amended.
    #[must_use]
    pub fn of(subject: Subject, digest: Digest) -> Self {
        // The check character may be one of five signs that are no digits: those are passed over.
        let tries = (0..=u8::MAX).map(|n| {
            let text = format!("batchward-slip\n{subject}\n{digest}\n{n}");
            let hash = Digest::of(text.as_bytes());
            let [a, b, c, d, e, ..] = *hash.as_bytes();
            u64::from_be_bytes([0, 0, 0, a, b, c, d, e])
        });
        let number = tries.into_iter().find(|number| number % 37 < 32).unwrap_or_default();
        let mut values = [0; 9];
        for (n, value) in values.iter_mut().take(8).enumerate() {
            *value = u8::try_from(number >> (35 - 5 * n) & 31).unwrap_or_default();
        }
        values[8] = u8::try_from(number % 37).unwrap_or_default();
        Self(values)
    }

    /// Reads a code as it is typed: in either case, with or without its hyphens, O for 0, I and L for 1. Nothing where it is
    /// none, or its check character is not right.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut values = Vec::with_capacity(9);
        for c in text.chars().filter(|c| !c.is_whitespace() && *c != '-') {
            let narrow = match u32::from(c) {
                wide @ 0xFF01..=0xFF5E => char::from_u32(wide - 0xFEE0)?,
                _ => c,
            };
            let digit = match narrow.to_ascii_uppercase() {
                'O' => '0',
                'I' | 'L' => '1',
                other => other,
            };
            let value = DIGITS.iter().position(|one| char::from(*one) == digit)?;
            values.push(u8::try_from(value).ok()?);
        }
        let values: [u8; 9] = values.try_into().ok()?;
        let (check, digits) = values.split_last()?;
        let number = digits.iter().fold(0, |number, digit| number << 5 | u64::from(*digit));
        (number % 37 == u64::from(*check)).then_some(Self(values))
    }
}

impl fmt::Display for SlipCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, value) in self.0.iter().enumerate() {
            if n == 4 || n == 8 {
                f.write_str("-")?;
            }
            let digit = DIGITS.get(usize::from(*value)).copied().unwrap_or(b'0');
            write!(f, "{}", char::from(digit))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn code(n: u64, text: &str) -> SlipCode {
        SlipCode::of(Subject::Order(OrderId::new(n)), Digest::of(text.as_bytes()))
    }

    #[test]
    fn a_code_is_read_as_people_type_it() {
        let one = code(1, "one");
        let text = one.to_string();
        assert_eq!(text.len(), 11, "{text}");
        let typed = [
            text.clone(),
            text.to_lowercase(),
            text.replace('-', ""),
            text.replace('-', " "),
            text.replace('0', "O").replace('1', "l"),
        ];
        for typed in typed {
            assert_eq!(SlipCode::parse(&typed), Some(one), "{typed}");
        }
        for wrong in ["", "7", "UUUU-UUUU-U", "0000-0000-1", "0000-0000-00", "府民戶字第1號"]
        {
            assert_eq!(SlipCode::parse(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn another_request_has_another_code_and_a_slip_of_the_pen_is_found(
            n in 1_u64..1000, text in "[a-z]{1,8}", at in 0_usize..9, by in 1_u8..32, swap in 0_usize..8,
        ) {
            let one = code(n, &text);
            prop_assert_eq!(SlipCode::parse(&one.to_string()), Some(one));
            prop_assert_ne!(one, code(n + 1, &text));
            prop_assert_ne!(one, code(n, &format!("{text}.")));
            let mut bent = one;
            bent.0[at] = (bent.0[at] + by) % 32;
            prop_assert_eq!(SlipCode::parse(&bent.to_string()), None);
            let mut swapped = one;
            swapped.0.swap(swap, swap + 1);
            let same = swapped == one;
            // Two neighbours that were exchanged are found; of the last two, the check character and its neighbour, not always.
            if swap < 7 {
                prop_assert!(same || SlipCode::parse(&swapped.to_string()).is_none());
            }
        }
    }
}
