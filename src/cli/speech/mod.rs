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
use clap::{
    Arg, Command, ValueEnum,
    builder::{PossibleValue, Str, StyledStr},
};

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
    dates(&lines.join("\n"))
}

/// A name, a number or a time, in which only the calendar is told in the language of this process.
pub(super) fn name(text: &str) -> Cow<'_, str> {
    if is_chinese() { Cow::Owned(dates(text)) } else { Cow::Borrowed(text) }
}

/// The era of days that are written in both calendars, ` (ROC 116-12-31)`, as it is called here.
fn dates(text: &str) -> String {
    let mut said = String::new();
    let mut parts = text.split(" (ROC ");
    said.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let day = |day: &str| day.bytes().all(|b| b.is_ascii_digit() || b == b'-');
        match part.split_once(')') {
            Some((roc, rest)) if day(roc) => {
                said.push_str(&format!("（民國 {roc}）{}", rest.strip_prefix(' ').unwrap_or(rest)));
            }
            _ => said.push_str(&format!(" (ROC {part}")),
        }
    }
    said
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

/// Everything that help and man pages are made of. The tree is built first: the parser's own flags are in it then.
fn in_chinese(mut command: Command) -> Command {
    command.build();
    branch(command)
}

fn branch(command: Command) -> Command {
    let mut command = command;
    if let Some(about) = command.get_about().map(paragraphs) {
        command = command.about(about);
    }
    if let Some(about) = command.get_long_about().map(paragraphs) {
        command = command.long_about(about);
    }
    if let Some(text) = command.get_after_help().map(ToString::to_string) {
        command = command.after_help(chinese(&text));
    }
    if let Some(text) = command.get_after_long_help().map(ToString::to_string) {
        command = command.after_long_help(chinese(&text));
    }
    if let Some(heading) = command.get_subcommand_help_heading().map(chinese_word) {
        command = command.subcommand_help_heading(heading);
    }
    if command.has_subcommands() {
        let name = chinese_word(command.get_subcommand_value_name().unwrap_or("COMMAND"));
        command = command.subcommand_value_name(name);
    }
    command.mut_args(argument).mut_subcommands(branch)
}

fn paragraphs(text: &StyledStr) -> String {
    let text = text.to_string();
    let said = text.split("\n\n").map(|part| chinese(part.trim_end_matches('.')));
    said.collect::<Vec<_>>().join("\n\n")
}

/// An argument: its help, its place in it, and what its value is called. Defaults and possible values, for which the
/// parser has words of its own, become a part of the text.
fn argument(argument: Arg) -> Arg {
    if argument.is_hide_set() {
        return argument;
    }
    let names = argument.get_value_names().unwrap_or_default();
    let names: Vec<String> = names.iter().map(|name| chinese_word(name)).collect();
    let heading = argument.get_help_heading().map(|heading| Str::from(chinese_word(heading)));
    let short = argument.get_help().map(paragraphs).unwrap_or_default();
    let long = argument.get_long_help().map(paragraphs);
    let (brief, whole) = values(&argument);
    let argument = if names.is_empty() { argument } else { argument.value_names(names) };
    let argument = match heading {
        Some(heading) => argument.help_heading(heading),
        None => argument,
    };
    let argument = match (long, whole.is_empty()) {
        (None, true) => argument,
        (long, _) => argument.long_help(format!("{}{whole}", long.as_ref().unwrap_or(&short))),
    };
    argument.help(format!("{short}{brief}")).hide_default_value(true).hide_possible_values(true)
}

/// What a value can be, and what it is where none is given: on a line, and in paragraphs.
fn values(argument: &Arg) -> (String, String) {
    let (mut brief, mut whole) = (String::new(), String::new());
    if !argument.get_action().takes_values() {
        return (brief, whole);
    }
    let defaults = argument.get_default_values().iter().map(|value| value.to_string_lossy());
    let defaults: Vec<_> = defaults.collect();
    if !defaults.is_empty() {
        let text = format!("[{}]", chinese(&format!("default: {}", defaults.join(", "))));
        brief.push_str(&format!(" {text}"));
        whole.push_str(&format!("\n\n{text}"));
    }
    let possible: Vec<_> =
        argument.get_possible_values().into_iter().filter(|value| !value.is_hide_set()).collect();
    if !possible.is_empty() {
        let names: Vec<_> = possible.iter().map(PossibleValue::get_name).collect();
        let text = chinese(&format!("possible values: {}", names.join(", ")));
        brief.push_str(&format!(" [{text}]"));
        if possible.iter().all(|value| value.get_help().is_none()) {
            whole.push_str(&format!("\n\n[{text}]"));
            return (brief, whole);
        }
        whole.push_str(&format!("\n\n{}", chinese("Possible values:")));
        for value in possible {
            let help = value.get_help().map(paragraphs).unwrap_or_default();
            whole.push_str(&format!("\n- {}：{help}", value.get_name()));
        }
    }
    (brief, whole)
}

/// Help as it is printed: what the parser writes around the texts of the tree, and no definition of ours reaches.
pub(super) fn help(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let said = |line: &str| match line.strip_suffix(':') {
        Some(heading) if !heading.starts_with(' ') => format!("{}：", chinese_word(heading)),
        _ if line.starts_with("Usage: ") => chinese(line).replace("[OPTIONS]", "[選項]"),
        _ => line.to_owned(),
    };
    text.split('\n').map(said).collect::<Vec<_>>().join("\n")
}
