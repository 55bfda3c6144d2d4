//! Names of slots and orders in memory: there are four slots for each batch that ever was.
//!
//! Nearly every one is a kind and a number that counts up (`vault:c-00000042`); such a name is kept as eight bytes, any
//! other as its text. What a label says is always exactly the text that it was made of.

/// What stands before the number in the names that this program gives.
const KINDS: [&str; 9] =
    ["case:b-", "spool:b-", "vault:c-", "key:k-", "o-", "k-", "c-", "b-", "s-"];
/// Digits of a number, at least.
const DIGITS: usize = 8;
/// Bits of a number.
const BITS: u32 = 56;

/// A name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Label {
    /// A kind, and below it a number.
    Counted(u64),
    /// Any other.
    Text(Box<str>),
}

impl Label {
    pub(super) fn of(name: &str) -> Self {
        let counted = (0_u64..).zip(KINDS).find_map(|(kind, prefix)| {
            let digits = name.strip_prefix(prefix)?;
            let plain = digits.bytes().all(|b| b.is_ascii_digit());
            // One name, one label: a longer number has no zeroes before it.
            let one_form = digits.len() == DIGITS || !digits.starts_with('0');
            let whole = plain && digits.len() >= DIGITS && one_form;
            let number = digits.parse::<u64>().ok().filter(|n| whole && n >> BITS == 0)?;
            Some(kind << BITS | number)
        });
        counted.map_or_else(|| Self::Text(name.into()), Self::Counted)
    }

    /// The name itself.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Counted(packed) => {
                let kind = usize::try_from(packed >> BITS).unwrap_or_default();
                let number = packed & ((1 << BITS) - 1);
                format!("{}{number:08}", KINDS.get(kind).copied().unwrap_or_default())
            }
            Self::Text(text) => text.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_says_what_it_was_made_of() {
        for name in [
            "case:b-00000001",
            "vault:c-99999999",
            "vault:c-100000000",
            "key:k-0000000001",
            "key:k-0000001",
            "o-00000000",
            "spool:b-+0000001",
            "spool:b-99999999999999999999",
            "vault:c-72057594037927936",
            "access:moca-full:2026-11",
            "register",
            "",
        ] {
            assert_eq!(Label::of(name).text(), name);
        }
        assert!(matches!(Label::of("case:b-00000001"), Label::Counted(_)));
        assert_ne!(Label::of("b-00000001"), Label::of("c-00000001"));
        assert_eq!(size_of::<Label>(), 16);
    }
}
