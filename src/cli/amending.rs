//! `register amend`, `register confirm`, `register note`: words to commands.

use super::args::RegisterWord;
use crate::{
    domain::amending::AmendField,
    error::Error,
    service::{Command, Result, amending::RegisterAct},
};

pub(super) fn command_of(word: &RegisterWord) -> Result<Command> {
    let act = match word {
        RegisterWord::Amend { entry, field, to, reason } => RegisterAct::Amend {
            entry: *entry,
            field: field_of(field)?,
            to: to.clone(),
            reason: reason.clone(),
        },
        RegisterWord::Confirm { amendment } => RegisterAct::Confirm { amendment: *amendment },
        RegisterWord::Note { entry, text } => {
            RegisterAct::Note { entry: *entry, text: text.clone() }
        }
        _ => return Err(Error::usage("this word takes no command")),
    };
    Ok(Command::Register { act: Box::new(act) })
}

fn field_of(word: &str) -> Result<AmendField> {
    AmendField::parse(word).ok_or_else(|| {
        let words: Vec<&str> = AmendField::ALL.iter().map(|one| one.word()).collect();
        Error::usage(format!("'{word}' is no fact that can be amended"))
            .hint(format!("--field takes one of: {}", words.join(", ")))
    })
}
