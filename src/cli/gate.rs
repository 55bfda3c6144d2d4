//! No citizens in free text: what is typed is looked through before anything is done with it.
//!
//! Every word of the command line, and every one to come, is covered: the parser's own list of what was typed is walked,
//! and whatever has the shape of an ID number is refused, however it is spaced. The names of files are not looked at, for
//! none enters the register. `query`, `match` and `access` are left to the service, which logs what it refuses: they ask
//! about people. The service looks through every command again, for whoever talks to it without this program. Names of
//! citizens have no shape by which they could be told; whoever types answers for those.

use clap::{ArgMatches, Command, builder::ValueParser};

use crate::{
    domain::national_id,
    error::{Error, Exit},
    service::Result,
};

/// Whether a word asks about people, or writes no register: what a provider packs is judged by its own rules.
fn passes_by(word: &str) -> bool {
    matches!(word, "query" | "match" | "access" | "pack")
}

/// Looks through everything that was typed.
///
/// # Errors
/// Something has the shape of an ID number.
pub(super) fn look_through(command: &Command, typed: &ArgMatches) -> Result<()> {
    let Some((word, below)) = typed.subcommand() else { return looked(command, typed) };
    if passes_by(word) {
        return Ok(());
    }
    looked(command, typed)?;
    match command.find_subcommand(word) {
        Some(command) => look_through(command, below),
        None => Ok(()),
    }
}

fn looked(command: &Command, typed: &ArgMatches) -> Result<()> {
    let file = ValueParser::path_buf().type_id();
    let texts = command.get_arguments().filter(|arg| arg.get_value_parser().type_id() != file);
    for arg in texts {
        let Ok(Some(values)) = typed.try_get_raw(arg.get_id().as_str()) else { continue };
        for value in values {
            if national_id::found_in(&value.to_string_lossy()) {
                return Err(refusal());
            }
        }
    }
    Ok(())
}

/// What is said of it; the text itself is never repeated.
fn refusal() -> Error {
    Error::new(Exit::Data, "the text holds something in the shape of an ID number")
        .hint("the register is kept for ever: write a case number instead")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::panic, reason = "tests")]
    use clap::{Arg, ArgAction, CommandFactory};

    use super::*;
    use crate::cli::args::Cli;

    /// Synthetic numbers in every shape and spelling that is told.
    const NUMBERS: &[&str] = &[
        "A123456789",
        "a123456789",
        "A800000014",
        "AB23456789",
        "Ａ１２３４５６７８９",
        "A 123 456 789",
        "A123-456-789",
        "Ａ１２３－４５６－７８９",
        "A123\u{2013}456\u{2013}789",
        "案件（A123456789）補正",
        "x,F131104093;",
    ];

    /// Arguments that the parser takes among certain others only, so that no line made here reaches them: what looks a line
    /// through knows no difference between them and the rest.
    const AMONG_OTHERS: &[&str] = &[
        "audit reconcile period",
        "audit sample period",
        "audit review id",
        "audit review correct_by",
        "audit review with",
        "incident report kind",
        "incident report at",
        "incident report records",
        "incident report summary",
        "link resume link",
    ];

    /// A command with the words that lead to it.
    fn leaves(words: &[String], command: &Command, all: &mut Vec<(Vec<String>, Command)>) {
        let mut below = command.get_subcommands().peekable();
        if below.peek().is_none() || command.is_args_conflicts_with_subcommands_set() {
            all.push((words.to_vec(), command.clone()));
        }
        for next in below {
            let words = [words, &[next.get_name().to_owned()]].concat();
            leaves(&words, next, all);
        }
    }

    fn takes_text(arg: &Arg) -> bool {
        let text = ValueParser::string().type_id();
        matches!(arg.get_action(), ArgAction::Set | ArgAction::Append)
            && arg.get_value_parser().type_id() == text
            && arg.get_value_parser().possible_values().is_none()
    }

    /// A value that the argument takes.
    fn harmless(arg: &Arg) -> String {
        let parser = arg.get_value_parser();
        if let Some(first) = parser.possible_values().and_then(|mut values| values.next()) {
            return first.get_name().to_owned();
        }
        // Numbers take 1; ids and the like have their own shapes, and are never asked for as text.
        "1".to_owned()
    }

    fn said(arg: &Arg, value: &str) -> Vec<String> {
        match (arg.get_long(), arg.get_short()) {
            (Some(long), _) => vec![format!("--{long}={value}")],
            (None, Some(short)) => vec![format!("-{short}"), value.to_owned()],
            (None, None) => vec![value.to_owned()],
        }
    }

    /// The word with nothing required, so that each argument can be typed alone.
    fn relaxed(command: &Command) -> Command {
        let groups: Vec<_> = command.get_groups().map(|group| group.get_id().clone()).collect();
        let one = command.clone().mut_args(|arg| arg.required(false));
        groups.into_iter().fold(one, |one, id| one.mut_group(id, |group| group.required(false)))
    }

    /// Lines with this argument: alone, with the words before it, and with all that it does not exclude.
    fn lines(command: &Command, target: &Arg, value: &str) -> Vec<Vec<String>> {
        let excluded = command.get_arg_conflicts_with(target);
        let free = |arg: &Arg| !excluded.iter().any(|other| other.get_id() == arg.get_id());
        let own = |arg: &Arg| {
            !arg.is_global_set() && !["help", "version"].contains(&arg.get_id().as_str())
        };
        let line = |with: &dyn Fn(&Arg) -> bool| {
            let mut line = vec!["batchward".to_owned()];
            for arg in command.get_arguments() {
                let is_value = matches!(arg.get_action(), ArgAction::Set | ArgAction::Append);
                if arg.get_id() == target.get_id() {
                    line.extend(said(arg, value));
                } else if with(arg) && is_value {
                    line.extend(said(arg, &harmless(arg)));
                } else if with(arg) {
                    line.extend(arg.get_long().map(|long| format!("--{long}")));
                }
            }
            line
        };
        let positional = |arg: &Arg| arg.get_long().is_none() && arg.get_short().is_none();
        vec![
            line(&|_| false),
            line(&|arg| positional(arg) && free(arg) && own(arg)),
            line(&|arg| free(arg) && own(arg)),
        ]
    }

    /// Walks the parser's own tree: a word that is added tomorrow is in this test.
    #[test]
    fn no_word_of_the_command_line_takes_an_id_number() {
        let mut all = Vec::new();
        let mut tree = Cli::command();
        tree.build();
        leaves(&[], &tree, &mut all);
        let (mut looked_at, mut unreached) = (0, Vec::new());
        for (words, command) in &all {
            let about_people = words.first().is_some_and(|word| passes_by(word));
            if command.is_hide_set() || about_people {
                continue;
            }
            let command = relaxed(command);
            let typed = |line: &Vec<String>| command.clone().try_get_matches_from(line).ok();
            for arg in command.get_arguments().filter(|arg| takes_text(arg) && !arg.is_global_set())
            {
                let name = format!("{} {}", words.join(" "), arg.get_id());
                if !lines(&command, arg, "1").iter().any(|line| typed(line).is_some()) {
                    unreached.push(name.clone());
                }
                for number in NUMBERS {
                    for typed in lines(&command, arg, number).iter().filter_map(typed) {
                        assert!(looked(&command, &typed).is_err(), "{name}: {number}");
                        looked_at += 1;
                    }
                }
            }
        }
        unreached.retain(|name| !AMONG_OTHERS.contains(&name.as_str()));
        assert!(unreached.is_empty(), "no line reaches {unreached:?}");
        assert!(looked_at > 1000, "{looked_at}");
    }

    fn parsed(line: &[&str]) -> ArgMatches {
        let line = ["batchward"].iter().chain(line);
        Cli::command().try_get_matches_from(line).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn a_number_is_found_however_deep_the_word_lies() {
        let lines: &[&[&str]] = &[
            &["grant", "deny", "g-260000001", "--reason", "A123456789"],
            &[
                "audit",
                "document",
                "add",
                "--kind",
                "other",
                "--doc-no",
                "A123-456-789",
                "--file",
                "f",
            ],
            &["register", "note", "1", "--text", "Ａ１２３４５６７８９"],
        ];
        for line in lines {
            assert!(look_through(&Cli::command(), &parsed(line)).is_err(), "{line:?}");
        }
    }

    #[test]
    fn what_is_no_number_of_a_person_passes() {
        let lines: &[&[&str]] = &[
            &["grant", "deny", "g-00000001", "--reason", "府社婦字第1150000101號"],
            &[
                "query",
                "--grant",
                "g-1",
                "--case",
                "1",
                "--reason",
                "A123456789",
                "--where",
                "id=-",
            ],
            &["destroy", "close", "o-1", "--evidence", "A123456789.jpg"],
        ];
        for line in lines {
            assert!(look_through(&Cli::command(), &parsed(line)).is_ok(), "{line:?}");
        }
    }
}
