//! Every reason that somebody gives, brought into its stored form before anything of it is recorded.
//!
//! Which texts of a command are reasons stands here and nowhere else. None to come can forget it: a command that carries
//! a `reason` of which this does not know is refused as a fault of the program, whoever tries it first. Signatures are
//! checked before, over the words as they were typed; those stay in the signed text. Why people look records or the
//! access log up is no matter of this: it goes sealed into the access log, and never into the register.

use serde_json::Value;

use super::{
    Command, Result,
    amending::RegisterAct,
    applications::LinkAct,
    handing::HandoverAct,
    intake::IntakeAct,
    notifying::NoticeAct,
    on_paper::{DecisionAct, Typed},
    passphrases::PassphraseAct,
    people::PeopleAct,
    sampling::SampleAct,
    uses::UseAct,
};
use crate::{
    domain::{
        amending::AmendField,
        entry,
        grounds::{self, Because, Unsaid},
        intake::Compared,
        on_paper::PaperFor,
    },
    error::{Error, Exit},
};

/// The words of an act, and a reason that was typed for it.
type Said<'a> = (&'static str, &'a mut String);

/// Brings the reasons of a command into their stored form.
///
/// # Errors
/// One is `other` without a note, or has no code where the site asks for one; or the program has no list for it.
pub(super) fn coded(command: &mut Command, codes_only: bool) -> Result<()> {
    let mut lists: Vec<&'static Because> = grounds::of(command.word()).into_iter().collect();
    for (act, text) in reasons(command) {
        let list = grounds::of(act).ok_or_else(|| no_list(act))?;
        *text = list.stored(text, codes_only).map_err(|unsaid| refusal(list, unsaid))?;
        lists.push(list);
    }
    let bytes = entry::canonical(command).map_err(|e| Error::new(Exit::Failed, e.to_string()))?;
    let value: Value =
        serde_json::from_slice(&bytes).map_err(|e| Error::new(Exit::Failed, e.to_string()))?;
    if every_reason(&value, &|text| lists.iter().any(|list| list.is_stored(text))) {
        Ok(())
    } else {
        Err(no_list(command.word()))
    }
}

fn no_list(act: &str) -> Error {
    Error::new(Exit::Failed, format!("there is no list of reasons for '{act}'"))
}

fn refusal(list: &Because, unsaid: Unsaid) -> Error {
    let codes: Vec<&str> = list.codes.iter().map(|ground| ground.code).collect();
    let hint = format!(
        "a code, or a code and a note ('CODE: NOTE'): {}; 'batchward reasons' says what they mean",
        codes.join(", ")
    );
    Error::usage(match unsaid {
        Unsaid::NoNote => "the reason 'other' needs a note: 'other: NOTE'".to_owned(),
        Unsaid::NoCode => format!("the reason of '{}' must begin with a code", list.act),
    })
    .hint(hint)
}

/// Whether every field of the name, wherever it stands, has a reason in its stored form.
fn every_reason(value: &Value, is_stored: &dyn Fn(&str) -> bool) -> bool {
    match value {
        Value::Object(fields) => fields.iter().all(|(name, value)| match value {
            Value::String(text) if name == "reason" => is_stored(text),
            value => every_reason(value, is_stored),
        }),
        Value::Array(values) => values.iter().all(|value| every_reason(value, is_stored)),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => true,
    }
}

/// What a command says of why it is given.
fn reasons(command: &mut Command) -> Vec<Said<'_>> {
    let word = command.word();
    let one = |text| vec![(word, text)];
    match command {
        Command::BatchRelease { reason, .. }
        | Command::BatchReject { reason, .. }
        | Command::LinkSettle { reason, .. }
        | Command::OverdueAcknowledge { reason }
        | Command::GrantDeny { reason, .. }
        | Command::CopyRequest { reason, .. }
        | Command::CopyOut { reason, .. }
        | Command::CopyDeny { reason, .. }
        | Command::CopyWithdraw { reason, .. }
        | Command::DestroyRequest { reason, .. }
        | Command::DestroyDeny { reason, .. }
        | Command::DestroyCancel { reason, .. }
        | Command::DestroyExcept { reason, .. }
        | Command::AccessRequest { reason, .. }
        | Command::AccessDeny { reason, .. } => one(reason),
        Command::Passphrase { act, .. } => match &mut **act {
            PassphraseAct::End { reason, .. } => one(reason),
            PassphraseAct::Enter { .. } | PassphraseAct::Confirm { .. } => Vec::new(),
        },
        Command::Link { act } => match &mut **act {
            LinkAct::Refuse { reason, .. }
            | LinkAct::Suspend { reason, .. }
            | LinkAct::Terminate { reason, .. }
            | LinkAct::Resume { reason, .. } => one(reason),
            _ => Vec::new(),
        },
        Command::EndUse { act } => match &mut **act {
            UseAct::Keep { reason, .. } | UseAct::Withdraw { reason, .. } => one(reason),
            _ => Vec::new(),
        },
        Command::Handover { act } => match &mut **act {
            HandoverAct::Deny { reason, .. } => one(reason),
            _ => Vec::new(),
        },
        Command::Notice { act } => match &mut **act {
            NoticeAct::Withdraw { reason, .. } => one(reason),
            _ => Vec::new(),
        },
        Command::People { act } => match &mut **act {
            PeopleAct::Acknowledge { reason, .. } => one(reason),
            _ => Vec::new(),
        },
        Command::Sample { act } => match &mut **act {
            SampleAct::Judge { back: Some(back), .. } => one(back),
            _ => Vec::new(),
        },
        Command::Intake { act } => of_intake(act),
        Command::Register { act } => of_register(act),
        Command::OnPaper { act } => of_paper(act),
        _ => Vec::new(),
    }
}

/// What differs is a reason to hold a batch back; what agrees needs none.
fn of_intake(act: &mut IntakeAct) -> Vec<Said<'_>> {
    let word = act.word();
    match act {
        IntakeAct::Accept { reason, .. } => vec![(word, reason)],
        IntakeAct::Compare { note: Some(note), result: Compared::Mismatch, .. } => {
            vec![(word, note)]
        }
        _ => Vec::new(),
    }
}

/// The reason of an amendment, and the reason that is amended: it stood there in the same form.
fn of_register(act: &mut RegisterAct) -> Vec<Said<'_>> {
    let word = act.word();
    match act {
        RegisterAct::Amend { field: AmendField::Reason, to, reason, .. } => {
            vec![("copy request", to), (word, reason)]
        }
        // The one note that is amended is that of a mismatch.
        RegisterAct::Amend { field: AmendField::Note, to, reason, .. } => {
            vec![("batch compare", to), (word, reason)]
        }
        RegisterAct::Amend { reason, .. } => vec![(word, reason)],
        RegisterAct::Confirm { .. } | RegisterAct::Note { .. } => Vec::new(),
    }
}

/// Why the office denied it, as the document says.
fn of_paper(act: &mut DecisionAct) -> Vec<Said<'_>> {
    let DecisionAct::Enter { typed } = act else { return Vec::new() };
    let Typed { subject, reason: Some(reason), .. } = &mut **typed else { return Vec::new() };
    let word = match subject.kind() {
        PaperFor::Destroy => "destroy deny",
        PaperFor::Grant => "grant deny",
        PaperFor::Copy => "copy deny",
    };
    vec![(word, reason)]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::panic, clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::domain::ids::BatchId;

    fn reject(reason: &str) -> Command {
        Command::BatchReject { batch: BatchId::new(1), reason: reason.to_owned() }
    }

    fn amend(field: AmendField) -> Command {
        let (to, reason) = ("開庭".to_owned(), "誤植".to_owned());
        let act = RegisterAct::Amend { entry: 7, field, to, reason };
        Command::Register { act: Box::new(act) }
    }

    #[test]
    fn what_is_typed_is_recorded_by_its_code_or_as_a_note() {
        for (typed, stored) in [
            ("雜湊值不符", "digest-differs"),
            ("send-again：附清冊", "send-again: 附清冊"),
            ("申請人撤件", "other: 申請人撤件"),
        ] {
            let mut command = reject(typed);
            coded(&mut command, false).unwrap();
            assert_eq!(command.text(), stored);
            coded(&mut command, true).unwrap();
            assert_eq!(command.text(), stored, "it is stored as it is");
        }
    }

    #[test]
    fn where_codes_are_asked_for_the_refusal_lists_them() {
        let error = coded(&mut reject("申請人撤件"), true).unwrap_err();
        assert_eq!(error.exit, Exit::Usage);
        assert!(error.hint.unwrap().contains("digest-differs, count-differs"));
        assert!(coded(&mut reject("other"), false).is_err());
        // Nothing said is refused where every text is that says nothing.
        assert!(coded(&mut reject(" "), true).is_ok());
    }

    #[test]
    fn a_reason_that_is_amended_has_the_form_of_the_one_before() {
        for (field, to) in [(AmendField::Reason, "for-hearing"), (AmendField::Purpose, "開庭")] {
            let mut command = amend(field);
            coded(&mut command, false).unwrap();
            let Command::Register { act } = command else { panic!("{field}") };
            let RegisterAct::Amend { to: now, reason, .. } = *act else { panic!("{field}") };
            assert_eq!((now.as_str(), reason.as_str()), (to, "typing-error"));
        }
    }

    #[test]
    fn a_command_with_a_reason_that_nobody_lists_is_refused() {
        let known = |text: &str| text == "no-need";
        for (value, holds) in [
            (serde_json::json!({"act": {"reason": "no-need"}}), true),
            (serde_json::json!({"act": [{"reason": "because"}]}), false),
            (serde_json::json!({"act": {"reason": null, "note": "because"}}), true),
        ] {
            assert_eq!(every_reason(&value, &known), holds, "{value}");
        }
    }
}
