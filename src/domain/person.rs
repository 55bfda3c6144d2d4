//! How a person is shown: who he was when he did something, and for whom he stood in. One place for every screen and paper.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::people::Post;

/// Name, title and unit of an account, as they were at some entry of the register.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Persona {
    /// 姓名.
    pub display: Option<String>,
    /// 職稱.
    pub title: Option<String>,
    /// 單位.
    pub unit: Option<String>,
}

/// For whom a deputy acted (職務代理).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct StandsFor {
    /// The post that he stood in.
    pub post: Post,
    /// Whose post it is: the name, or the account where it has none.
    pub of: String,
    /// Number of the document that made him the deputy.
    pub doc_no: String,
}

/// Somebody who did something, or is to do it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Person {
    /// The account.
    pub account: String,
    /// Who he was.
    #[serde(flatten)]
    pub was: Persona,
    /// For whom he acted, where it was not for himself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deputy: Option<StandsFor>,
}

/// What stands behind the name of a deputy.
pub const DEPUTY: &str = "(代)";

impl Person {
    /// The name with title and unit, for a list on the screen: `陳明(代) 科長, 社會局`.
    #[must_use]
    pub fn in_full(&self) -> String {
        let mut text = self.to_string();
        if let Some(title) = &self.was.title {
            text = format!("{text} {title}");
        }
        match &self.was.unit {
            Some(unit) => format!("{text}, {unit}"),
            None => text,
        }
    }
}

impl fmt::Display for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&named(self.was.display.as_deref(), &self.account, self.deputy.is_some()))
    }
}

/// A name as it stands everywhere: the person's own, or the account where it has none; a deputy's with 代.
#[must_use]
pub fn named(display: Option<&str>, account: &str, deputy: bool) -> String {
    let name = display.unwrap_or(account);
    if deputy { format!("{name}{DEPUTY}") } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deputy_is_shown_as_one() {
        let mut person = Person {
            account: "ben".to_owned(),
            was: Persona {
                display: Some("陳明".to_owned()),
                title: Some("股長".to_owned()),
                unit: Some("社會局".to_owned()),
            },
            deputy: None,
        };
        assert_eq!(person.to_string(), "陳明");
        assert_eq!(person.in_full(), "陳明 股長, 社會局");
        let (post, of, doc_no) = (Post::Supervisor, "王科長".to_owned(), "115-8".to_owned());
        person.deputy = Some(StandsFor { post, of, doc_no });
        assert_eq!(person.to_string(), "陳明(代)");
        person.was = Persona::default();
        assert_eq!(person.in_full(), "ben(代)");
    }
}
