//! What a rule of a policy may be, and which of two values is the stricter one.

use super::length::{Length, Unit};

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A length of time.
    Length(Length),
    /// Never.
    Never,
    /// A word of a closed list.
    Word(String),
    /// Words of a closed list, none twice.
    Words(Vec<String>),
    /// A number.
    Number(u64),
    /// Yes or no.
    Yes(bool),
}

/// What a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A length of time.
    Length {
        /// The units that it may be in.
        units: &'static [Unit],
        /// Whether it may be nothing.
        zero: bool,
        /// Whether it may be `never`.
        never: bool,
    },
    /// One word; where [`Stricter::Later`] holds, from the weakest to the strictest.
    Word(&'static [&'static str]),
    /// A list of words.
    Words(&'static [&'static str]),
    /// A list of years of the common era.
    Years,
    /// A number within bounds.
    Number(u64, u64),
    /// `true` or `false`.
    Yes,
    /// It is so under every policy (DESIGN 2): the field is there so that its clause can be named.
    Always(bool),
}

/// Which of two values is the stricter one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stricter {
    /// The shorter time; `never` is the weakest.
    Shorter,
    /// The longer time.
    Longer,
    /// The smaller number.
    Less,
    /// The larger number.
    More,
    /// The list that has less.
    Fewer,
    /// The list that has more.
    Further,
    /// The word that stands later in its list.
    Later,
    /// `true`.
    True,
    /// `false`.
    False,
    /// Neither: another value needs an exception.
    Same,
}

impl Stricter {
    /// The direction in a word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Shorter => "shorter",
            Self::Longer => "longer",
            Self::Less => "smaller",
            Self::More => "larger",
            Self::Fewer => "fewer",
            Self::Further => "more",
            Self::Later => "later in the list",
            Self::True => "true",
            Self::False => "false",
            Self::Same => "the same",
        }
    }
}

/// Why a text is no value of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoValue {
    /// It is a length of time in a unit that does not count here.
    Unit(Unit),
    /// It is something else.
    Form,
}

impl Kind {
    /// Reads one value that is no list.
    ///
    /// # Errors
    /// It is none of this kind.
    pub fn parse(self, text: &str) -> Result<Value, NoValue> {
        let value = match self {
            Self::Length { units, zero, never } => {
                if never && text == "never" {
                    return Ok(Value::Never);
                }
                let length = Length::parse(text).ok_or(NoValue::Form)?;
                if !units.contains(&length.unit()) {
                    return Err(NoValue::Unit(length.unit()));
                }
                let nothing = length == Length::Calendar(crate::domain::time::Period::ZERO);
                (zero || !nothing).then_some(Value::Length(length))
            }
            Self::Word(list) => list.contains(&text).then(|| Value::Word(text.to_owned())),
            Self::Number(least, most) => {
                let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
                let number = digits.then(|| text.parse().ok()).flatten();
                number.filter(|n| (least..=most).contains(n)).map(Value::Number)
            }
            Self::Yes => yes(text).map(Value::Yes),
            Self::Always(only) => yes(text).filter(|one| *one == only).map(Value::Yes),
            Self::Words(_) | Self::Years => None,
        };
        value.ok_or(NoValue::Form)
    }
}

impl Kind {
    /// Whether one of a list may be in it; nothing where this is no list.
    #[must_use]
    pub fn takes(self, word: &str) -> Option<bool> {
        match self {
            Self::Words(list) => Some(list.contains(&word)),
            Self::Years => {
                let year =
                    Some(word).filter(|w| w.len() == 4 && w.bytes().all(|b| b.is_ascii_digit()));
                Some(year.is_some_and(|year| year >= "1912"))
            }
            Self::Length { .. }
            | Self::Word(_)
            | Self::Number(..)
            | Self::Yes
            | Self::Always(_) => None,
        }
    }
}

fn yes(text: &str) -> Option<bool> {
    match text {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

impl Value {
    /// In words, for people.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Length(length) => length.words(),
            Self::Never => "never".to_owned(),
            Self::Word(word) => word.clone(),
            Self::Words(words) => words.join(", "),
            Self::Number(number) => number.to_string(),
            Self::Yes(yes) => yes.to_string(),
        }
    }

    /// As it is written in a file (JSON, which is YAML as well).
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        match self {
            Self::Length(length) => length.text().into(),
            Self::Never => "never".into(),
            Self::Word(word) => word.as_str().into(),
            Self::Words(words) => words.clone().into(),
            Self::Number(number) => (*number).into(),
            Self::Yes(yes) => (*yes).into(),
        }
    }

    /// Whether this is as strict as another value of the same parameter, or stricter. Where two cannot be compared, it
    /// is not.
    #[must_use]
    pub fn holds(&self, other: &Self, stricter: Stricter, kind: Kind) -> bool {
        if self == other {
            return true;
        }
        match (self, other, stricter) {
            (Self::Length(_), Self::Never, Stricter::Shorter)
            | (Self::Never, Self::Length(_), Stricter::Longer)
            | (Self::Yes(true), _, Stricter::True)
            | (Self::Yes(false), _, Stricter::False) => true,
            (Self::Length(one), Self::Length(two), Stricter::Shorter) => {
                one.at_most(*two) == Some(true)
            }
            (Self::Length(one), Self::Length(two), Stricter::Longer) => {
                two.at_most(*one) == Some(true)
            }
            (Self::Number(one), Self::Number(two), Stricter::Less) => one <= two,
            (Self::Number(one), Self::Number(two), Stricter::More) => one >= two,
            (Self::Words(one), Self::Words(two), Stricter::Fewer) => {
                one.iter().all(|word| two.contains(word))
            }
            (Self::Words(one), Self::Words(two), Stricter::Further) => {
                two.iter().all(|word| one.contains(word))
            }
            (Self::Word(one), Self::Word(two), Stricter::Later) => {
                let Kind::Word(list) = kind else { return false };
                let place = |word: &String| list.iter().position(|one| one == word);
                place(one) >= place(two)
            }
            _ => false,
        }
    }
}
