//! Every text of every command, looked through before anything of it is recorded: no ID number enters the register.
//!
//! Each command says of its own texts how long they may be and that they say something ([`super::stated`]); this is the
//! gate that none of them, and none to come, can forget.

use serde_json::Value;

use super::{Command, Result, clean_of_numbers};
use crate::{
    domain::entry,
    error::{Error, Exit},
};

/// Fields of a command that are no texts: files and signed notes, which are looked through or verified where they are taken,
/// and keys. A field of the same name in another command is a text.
const fn no_texts(command: &Command) -> &'static [&'static str] {
    match command {
        Command::AccountAdd { .. } => &["key"],
        Command::WitnessAdd { .. } => &["vkey"],
        Command::WitnessTake { .. } => &["note"],
        Command::TimestampTake { .. } => &["answer"],
        Command::Paper { .. } => &["content"],
        Command::OnPaper { .. } => &["scan"],
        _ => &[],
    }
}

/// Looks through a command.
///
/// # Errors
/// One of its texts has something in the shape of an ID number.
pub(super) fn look_through(command: &Command) -> Result<()> {
    let bytes = entry::canonical(command).map_err(|e| Error::new(Exit::Failed, e.to_string()))?;
    let value: Value =
        serde_json::from_slice(&bytes).map_err(|e| Error::new(Exit::Failed, e.to_string()))?;
    looked(&value, no_texts(command))
}

fn looked(value: &Value, no_texts: &[&str]) -> Result<()> {
    match value {
        Value::String(text) => clean_of_numbers(text),
        Value::Array(values) => values.iter().try_for_each(|value| looked(value, no_texts)),
        Value::Object(fields) => {
            let texts = fields.iter().filter(|(name, _)| !no_texts.contains(&name.as_str()));
            texts.map(|(_, value)| value).try_for_each(|value| looked(value, no_texts))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::intake::IntakeAct;
    use super::*;
    use crate::domain::{ids::BatchId, intake::Compared};

    fn rejected(reason: &str) -> Result<()> {
        look_through(&Command::BatchReject { batch: BatchId::new(1), reason: reason.to_owned() })
    }

    #[test]
    fn a_command_that_comes_past_the_command_line_is_looked_through_too() {
        assert!(rejected("申請人 Ａ１２３ ４５６ ７８９ 撤件").is_err());
        assert!(rejected("申請人撤件").is_ok());
        let taken = Command::TimestampTake { answer: "A123456789".to_owned() };
        assert!(look_through(&taken).is_ok());
        // What is a signed note there is what a person wrote here.
        let compared = IntakeAct::Compare {
            batch: BatchId::new(1),
            applied: None,
            result: Compared::Mismatch,
            note: Some("A123456789".to_owned()),
        };
        assert!(look_through(&Command::Intake { act: Box::new(compared) }).is_err());
    }
}
