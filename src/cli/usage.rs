//! What the parser finds wrong with a command line, in the form of every other error: what, and the next move.

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::error::Error;

/// An error of the parser. Help and version are none, and must be printed as they are.
pub(super) fn error(error: &clap::Error) -> Error {
    let word = |kind| bare(&context(error, kind).into_iter().next().unwrap_or_default());
    let wrong = match error.kind() {
        ErrorKind::InvalidSubcommand => {
            let near = context(error, ContextKind::SuggestedSubcommand);
            let wrong = Error::usage(format!(
                "there is no word '{}'",
                word(ContextKind::InvalidSubcommand)
            ));
            return wrong.hint(
                suggestion(&near)
                    .unwrap_or_else(|| "'batchward --help' lists the words".to_owned()),
            );
        }
        ErrorKind::UnknownArgument => {
            let near = context(error, ContextKind::SuggestedArg);
            let wrong =
                Error::usage(format!("'{}' is not expected here", word(ContextKind::InvalidArg)));
            return wrong.hint(suggestion(&near).unwrap_or_else(help));
        }
        ErrorKind::MissingRequiredArgument => {
            let missing = context(error, ContextKind::InvalidArg).join(" ");
            Error::usage(format!("this is missing: {missing}"))
        }
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            let (argument, value) =
                (word(ContextKind::InvalidArg), word(ContextKind::InvalidValue));
            let valid = context(error, ContextKind::ValidValue);
            let wrong = if value.is_empty() {
                Error::usage(format!("'{argument}' needs a value"))
            } else {
                Error::usage(format!("'{value}' is no value of '{argument}'"))
            };
            if !valid.is_empty() {
                return wrong.hint(format!("values: {}", valid.join(", ")));
            }
            wrong
        }
        ErrorKind::ArgumentConflict => {
            let (one, other) = (word(ContextKind::InvalidArg), others(error));
            if other.is_empty() || other.contains(&one) {
                Error::usage(format!("'{one}' stands twice"))
            } else {
                Error::usage(format!("'{one}' and '{}' exclude each other", other.join("', '")))
            }
        }
        _ => {
            let text = error.to_string();
            let first = text.lines().next().unwrap_or_default();
            Error::usage(first.trim_start_matches("error: "))
        }
    };
    wrong.hint(help())
}

/// The name of an argument without its value: `--format` of `--format <FORMAT>`, `ID` of `[ID]`.
fn bare(argument: &str) -> String {
    let name = argument.split(" <").next().unwrap_or_default();
    name.trim_matches(['<', '>', '[', ']']).to_owned()
}

fn others(error: &clap::Error) -> Vec<String> {
    context(error, ContextKind::PriorArg).iter().map(|other| bare(other)).collect()
}

fn help() -> String {
    "'--help' after the word shows what it takes".to_owned()
}

fn suggestion(near: &[String]) -> Option<String> {
    // The nearest come last.
    match near {
        [] => None,
        [one] => Some(format!("did you mean '{one}'")),
        [.., one, other] => Some(format!("did you mean '{one}' or '{other}'")),
    }
}

fn context(error: &clap::Error, kind: ContextKind) -> Vec<String> {
    match error.get(kind) {
        Some(ContextValue::String(text)) => vec![text.clone()],
        Some(ContextValue::Strings(texts)) => texts.clone(),
        _ => Vec::new(),
    }
}
