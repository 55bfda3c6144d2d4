//! The language of what people read: English as it is written where it arises, or Chinese by the catalogue.
//!
//! A sentence is its own name, as in gettext. Below the command line everything speaks English; at the edge a finished
//! sentence is traced back to the template that it was made from, and said in the language that was asked for. What
//! the catalogue does not have is shown as it is: nothing is ever left out for want of a translation. JSON, codes,
//! the register, files, signed texts and the log are never translated.

mod catalogue;
mod template;
#[cfg(test)]
mod tests;

use std::{borrow::Cow, sync::OnceLock};

use catalogue::Catalogue;
use clap::{Command, ValueEnum, builder::PossibleValue};

/// A language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Traditional Chinese, of Taiwan.
    Chinese,
    /// English.
    English,
}

impl ValueEnum for Language {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Chinese, Self::English]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(match self {
            Self::Chinese => "zh-TW",
            Self::English => "en",
        }))
    }
}

static CHOSEN: OnceLock<Language> = OnceLock::new();
static CATALOGUE: OnceLock<Catalogue> = OnceLock::new();

/// Sets the language of this process, once.
pub(super) fn choose(language: Language) {
    let _ = CHOSEN.set(language);
}

/// Whether Chinese was chosen.
pub(super) fn is_chinese() -> bool {
    CHOSEN.get() == Some(&Language::Chinese)
}

fn catalogue() -> &'static Catalogue {
    CATALOGUE.get_or_init(Catalogue::embedded)
}

/// A text, line by line, in the language of this process.
pub(super) fn say(text: &str) -> Cow<'_, str> {
    if is_chinese() { Cow::Owned(chinese(text)) } else { Cow::Borrowed(text) }
}

/// A word of a closed list (a state, a reason, a head of a table) in the language of this process.
pub(super) fn word(text: &str) -> Cow<'_, str> {
    if is_chinese() { Cow::Owned(chinese_word(text)) } else { Cow::Borrowed(text) }
}

/// The label before a message: `error`, `hint` or `note`.
pub(super) fn label(text: &str) -> String {
    if is_chinese() { format!("{}：", chinese_word(text)) } else { format!("{text}: ") }
}

/// A text in Chinese, line by line; what the catalogue does not have, as it is.
#[must_use]
pub fn chinese(text: &str) -> String {
    let lines: Vec<_> = text.split('\n').map(|line| catalogue().line(line)).collect();
    lines.join("\n")
}

/// A word of a closed list in Chinese, or as it is.
#[must_use]
pub fn chinese_word(text: &str) -> String {
    catalogue().word(text).unwrap_or(text).to_owned()
}

/// The definition of the command line with its help in the language of this process.
pub(super) fn spoken(command: Command) -> Command {
    if is_chinese() { in_chinese(command) } else { command }
}

fn in_chinese(command: Command) -> Command {
    let paragraphs = |text: &clap::builder::StyledStr| {
        let text = text.to_string();
        let said = text.split("\n\n").map(|part| chinese(part.trim_end_matches('.')));
        said.collect::<Vec<_>>().join("\n\n")
    };
    let mut command = command;
    if let Some(about) = command.get_about().map(paragraphs) {
        command = command.about(about);
    }
    if let Some(about) = command.get_long_about().map(paragraphs) {
        command = command.long_about(about);
    }
    if let Some(text) = command.get_after_help().map(paragraphs) {
        command = command.after_help(text);
    }
    command
        .mut_args(|argument| {
            let (short, long) =
                (argument.get_help().map(paragraphs), argument.get_long_help().map(paragraphs));
            let argument = match short {
                Some(text) => argument.help(text),
                None => argument,
            };
            match long {
                Some(text) => argument.long_help(text),
                None => argument,
            }
        })
        .mut_subcommands(in_chinese)
}

/// What the parser prints of itself: help, or what is wrong with a command line.
pub(super) fn parser_says(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let said = |line| {
        let said = catalogue().parser_line(line);
        // What the parser puts in for the options and the words of a command.
        if said == *line {
            said
        } else {
            said.replace("[OPTIONS]", "[選項]").replace("<COMMAND>", "<命令>")
        }
    };
    text.split('\n').map(said).collect::<Vec<_>>().join("\n")
}
