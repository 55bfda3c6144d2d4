//! What is said in Chinese, and what stays as it is.
#![allow(clippy::unwrap_used, reason = "tests")]

use super::{
    Language,
    catalogue::Catalogue,
    chinese, chinese_word, dates, in_chinese,
    template::{Filled, Template},
};
use crate::cli::args::Cli;
use clap::{CommandFactory, ValueEnum};

fn holes(template: &str, text: &str) -> Option<Vec<String>> {
    let found = Template::new(template).matches(text)?;
    Some(found.into_iter().map(|Filled { text, .. }| text.to_owned()).collect())
}

#[test]
fn a_sentence_is_traced_to_its_template() {
    let name = |text: &str| vec![text.to_owned()];
    assert_eq!(holes("'{}' is open", "'g-00000001' is open"), Some(name("g-00000001")));
    assert_eq!(holes("'{}' is open", "'g-00000001' is open now"), None);
    assert_eq!(holes("{} s behind", "12 s behind"), Some(name("12")));
    assert_eq!(holes("the end{}", "the end"), Some(name("")));
    assert_eq!(holes("no hole", "no hole"), Some(Vec::new()));
    assert_eq!(holes("aXa", "a"), None);
}

#[test]
fn a_template_of_few_letters_takes_values_only() {
    assert_eq!(holes("{} of {}", "1.5 GiB of 20 GiB").map(|holes| holes.len()), Some(2));
    assert_eq!(holes("{} of {}", "the end of what was asked for"), None);
}

#[test]
fn two_names_are_never_taken_for_one() {
    assert_eq!(holes("'{}' is open", "'a' is open; 'b' is open"), None);
}

#[test]
fn what_the_catalogue_does_not_have_is_shown_as_it_is() {
    for text in ["", "   ", "colourless green ideas", "'{}' {1} {{}}", "\n\n", "a: b: c", "  x  "] {
        assert_eq!(chinese(text), text);
    }
}

#[test]
fn what_stands_in_a_hole_is_never_read_as_a_template() {
    assert_eq!(chinese("'{}' is disabled"), "「{}」已停用");
    assert_eq!(chinese("'{1}{2}' is disabled"), "「{1}{2}」已停用");
}

#[test]
fn names_are_shown_as_they_are_even_where_they_are_words() {
    let said = chinese("'quarantined' is disabled");
    assert_eq!(said, "「quarantined」已停用");
}

#[test]
fn a_day_in_both_calendars_names_the_era() {
    assert_eq!(dates("2027-12-31 (ROC 116-12-31)"), "2027-12-31（民國 116-12-31）");
    assert_eq!(
        dates("to 2027-12-31 (ROC 116-12-31) 17:00"),
        "to 2027-12-31（民國 116-12-31）17:00"
    );
    assert_eq!(dates("a (ROC b) (ROC"), "a (ROC b) (ROC");
}

#[test]
fn hostile_long_texts_cost_no_time() {
    let begun = std::thread::spawn(|| {
        let long = ["'", ": ", "' is ", ", ", "; ", "a", " ", "  ", "{}"]
            .map(|part| part.repeat(4000 / part.len()));
        long.iter().map(|text| chinese(text).len()).sum::<usize>()
    });
    for _ in 0..200 {
        if begun.is_finished() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    assert!(begun.is_finished(), "nine lines of 4,000 bytes took more than twenty seconds");
    assert!(begun.join().unwrap() > 0);
}

#[test]
fn lines_over_the_limit_are_shown_as_they_are() {
    let long = format!("'{}' is disabled", "x".repeat(5000));
    assert_eq!(chinese(&long), long);
}

#[test]
fn the_catalogue_is_read() {
    assert!(format!("{:?}", Catalogue::embedded()).len() > 10_000);
    assert_eq!(chinese_word("quarantined"), "隔離");
    assert_eq!(Language::Chinese.to_possible_value().unwrap().get_name(), "zh-TW");
}

#[test]
fn every_word_and_option_has_its_help_in_chinese() {
    let mut bad = Vec::new();
    walk(&in_chinese(Cli::command()), "batchward", &mut bad);
    assert!(bad.is_empty(), "no Chinese help:\n{}", bad.join("\n"));
}

fn walk(command: &clap::Command, path: &str, bad: &mut Vec<String>) {
    let is_chinese = |text: &str| text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
    let mut look = |what: String, text: Option<String>| {
        if text.as_deref().is_some_and(|text| !text.split("\n\n").all(is_chinese)) {
            bad.push(format!("{what}: {}", text.unwrap_or_default()));
        }
    };
    look(path.to_owned(), command.get_about().map(ToString::to_string));
    look(path.to_owned(), command.get_long_about().map(ToString::to_string));
    for argument in command.get_arguments().filter(|argument| !argument.is_hide_set()) {
        let name = format!("{path} {}", argument.get_id());
        look(name.clone(), argument.get_help().map(ToString::to_string));
        look(name, argument.get_long_help().map(ToString::to_string));
    }
    for inner in command.get_subcommands() {
        walk(inner, &format!("{path} {}", inner.get_name()), bad);
    }
}
