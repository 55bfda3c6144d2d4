//! Who has a part in what a second person is asked to do: nobody decides alone, also not by way of his office.
//!
//! Every command says here whether it is a second person's, and of which act (`SecondAct`): the match has no rest, so that a
//! command that is new has to say it too. That the very account comes twice, each act refuses itself, in its own words; here
//! it is asked for whom somebody acts. An office is one: who began for it, who stands in for it and who holds it are the same
//! person, in either order.

use super::{
    Actor, Command, Result, Service, amending::RegisterAct, applications::LinkAct,
    auditing::AuditAct, handing::HandoverAct, incidents::IncidentAct, intake::IntakeAct,
    notifying::NoticeAct, on_paper::DecisionAct, passphrases::PassphraseAct, people::PeopleAct,
    sampling::SampleAct, uses::UseAct,
};
use crate::{
    domain::{
        ids::{BatchId, CopyId, OrderId},
        on_paper::Subject,
        separation::SecondAct,
        view::{Mark, Proposal, View},
    },
    error::Error,
};

/// Somebody's part in what is decided on.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Part {
    /// The account.
    who: String,
    /// The entry by which it has a part; none where it is only named.
    entry: Option<u64>,
}

/// What is decided on, and who has a part in it.
type Second = (SecondAct, Vec<Part>);

impl Service {
    /// Nobody decides for somebody who has a part in it, nor on what was begun for him: an office is one.
    pub(super) fn not_for_a_party(&self, actor: &Actor, command: &Command) -> Result<()> {
        let view = &self.engine.view;
        let Some((_, parts)) = second(view, command) else { return Ok(()) };
        let mine = actor.deputy.and_then(|id| view.principal(id));
        // Also where he acts by a role of his own: who stands in for somebody goes on with nothing that the other began.
        let stands_for: Vec<&str> = view
            .deputyships(actor.name(), self.now())
            .filter_map(|(id, _)| view.principal(id))
            .collect();
        let one = parts.iter().find_map(|part| {
            let of = part.entry.and_then(|entry| view.stood_for_in(entry));
            if let Some(principal) = stands_for.iter().find(|principal| **principal == part.who) {
                return Some(*principal);
            }
            // He stands in for who began; somebody stood in for him; two stand in for the same.
            let same = mine == Some(part.who.as_str()) || (of.is_some() && of == mine);
            if same { mine } else { of.filter(|of| *of == actor.name()) }
        });
        one.map_or(Ok(()), |name| Err(same_office(name)))
    }
}

/// The refusal of an office that comes twice.
pub(super) fn same_office(name: &str) -> Error {
    Error::refused(format!(
        "this was asked for or decided by '{name}', or for them, and is not decided for them again"
    ))
    .hint("nobody decides alone; ask somebody who stands in for neither")
}

fn part(by: &str, mark: Mark) -> Part {
    Part { who: by.to_owned(), entry: Some(mark.seq) }
}

fn named(who: &str) -> Part {
    Part { who: who.to_owned(), entry: None }
}

/// Whoever began it, where somebody did.
fn begun(of: Option<(&String, Mark)>) -> Vec<Part> {
    of.map(|(by, mark)| part(by, mark)).into_iter().collect()
}

fn proposal<T>(of: Option<&Proposal<T>>) -> Vec<Part> {
    begun(of.map(|one| (&one.by, one.mark)))
}

/// Which act of a second person a command is, and who has a part in what it is about.
#[allow(clippy::too_many_lines, reason = "a table: every command says which it is")]
fn second(view: &View, command: &Command) -> Option<Second> {
    Some(match command {
        Command::AccountConfirm { name } => {
            // Whole facts wait, or an edit.
            let waits = view.accounts.get(name).and_then(|row| row.waits());
            let parts = waits.map(|(by, mark)| part(by, mark)).into_iter().chain([named(name)]);
            (SecondAct::Account, parts.collect())
        }
        Command::ConfigConfirm => {
            (SecondAct::Configuration, proposal(view.config_proposal.as_ref()))
        }
        Command::WitnessConfirm { name } => {
            let row = view.witnesses.get(name).and_then(|row| row.proposal.as_ref());
            (SecondAct::Witness, proposal(row))
        }
        Command::OverdueConfirm => (SecondAct::Overdue, proposal(view.acknowledgement.as_ref())),
        Command::BaselineConfirm { link } => {
            let row = view.links.get(link).and_then(|row| row.proposal.as_ref());
            (SecondAct::Baseline, proposal(row))
        }
        Command::StandingConfirm { standing } => {
            let row = view.standings.get(standing);
            (SecondAct::Standing, begun(row.map(|row| (&row.by, row.proposed))))
        }
        Command::HoldLift { hold } => {
            let row = view.holds.get(hold);
            (SecondAct::Hold, begun(row.map(|row| (&row.by, row.placed))))
        }
        Command::AccessApprove { order } | Command::AccessDeny { order, .. } => {
            let row = view.access_orders.get(order);
            (SecondAct::AccessOrder, begun(row.map(|row| (&row.by, row.requested))))
        }
        Command::Link { act } => return of_link(view, act),
        Command::Passphrase { act, .. } => return of_passphrase(view, act),
        Command::Audit { act } => return of_audit(view, act),
        Command::Handover { act } => return of_handover(view, act),
        Command::Register { act } => return of_register(view, act),
        Command::OnPaper { act } => match &**act {
            // Who enters it begins, and has no part in what was asked for.
            DecisionAct::Enter { typed } => {
                (SecondAct::Decision, asked_in(view, typed.subject).into_iter().collect())
            }
            DecisionAct::Confirm { subject } => (SecondAct::Decision, on_paper(view, *subject)),
        },
        Command::People { act } => return of_people(view, act),
        Command::Sample { act } => return of_sample(view, act),
        Command::Incident { act } => return of_incident(view, act),
        Command::Intake { act } => return of_intake(view, act),
        Command::EndUse { act } => return of_use(view, act),
        Command::Notice { act } => return of_notice(view, act),
        Command::GrantApprove { grant } | Command::GrantDeny { grant, .. } => {
            let row = view.grants.get(grant);
            let parts = row.map(|row| vec![part(&row.by, row.applied), named(&row.terms.holder)]);
            (SecondAct::Grant, parts.unwrap_or_default())
        }
        Command::CopyApprove { copy, .. } | Command::CopyDeny { copy, .. } => {
            (SecondAct::Copy, asked_for(view, *copy))
        }
        Command::CopyWithdraw { copy, .. } => {
            // Whoever asked for a copy takes that back alone; that nothing of a file was written takes another one's word.
            let row = view.copies.get(copy)?;
            row.held.as_ref()?.will_be.as_ref()?;
            (SecondAct::File, asked_for(view, *copy))
        }
        Command::MediaConfirm { copy } => {
            let row = view.copies.get(copy);
            let end = row.and_then(|row| row.held.as_ref()?.end.clone());
            let parts = end.map(|end| vec![part(&end.by, end.mark), named(&end.what.performer)]);
            (SecondAct::End, parts.unwrap_or_default())
        }
        Command::DestroyApprove { order } | Command::DestroyDeny { order, .. } => {
            (SecondAct::Order, of_order(view, *order, true))
        }
        Command::DestroyExcept { order, .. } => {
            (SecondAct::Exception, of_order(view, *order, false))
        }
        Command::DestroyConfirm { order } => {
            // An order has decisions on paper before it is carried out, closing papers after.
            if view.typed_decision(Subject::Order(*order)).is_some() {
                return Some((SecondAct::Decision, on_paper(view, Subject::Order(*order))));
            }
            let row = view.orders.get(order);
            let parts = row.map(|row| proposal(row.paper_proposal.as_ref()));
            (SecondAct::Papers, parts.unwrap_or_default())
        }
        Command::AccountAdd { .. }
        | Command::AccountDisable { .. }
        | Command::ConfigPropose
        | Command::ClockConfirm
        | Command::KeySubmit { .. }
        | Command::BatchRetry { .. }
        | Command::BatchRelease { .. }
        | Command::BatchReject { .. }
        | Command::LinkSettle { .. }
        | Command::Baseline { .. }
        | Command::WitnessAdd { .. }
        | Command::WitnessTake { .. }
        | Command::TimestampTake { .. }
        | Command::OverdueAcknowledge { .. }
        | Command::GrantApply { .. }
        | Command::GrantRevoke { .. }
        | Command::UseComplete { .. }
        | Command::UseFiled { .. }
        | Command::CopyRequest { .. }
        | Command::CopyOut { .. }
        | Command::CopyDeclare { .. }
        | Command::CopyMove { .. }
        | Command::MediaRecord { .. }
        | Command::Paper { .. }
        | Command::DestroyRequest { .. }
        | Command::DestroyCancel { .. }
        | Command::DestroyClose { .. }
        | Command::AccessRequest { .. }
        | Command::StandingAdd { .. }
        | Command::StandingEnd { .. }
        | Command::HoldPlace { .. } => return None,
    })
}

fn asked_for(view: &View, copy: CopyId) -> Vec<Part> {
    let row = view.copies.get(&copy);
    let held = row.and_then(|row| row.held.as_ref().map(|held| part(&held.by, held.mark)));
    held.into_iter().collect()
}

/// Who asked for an order, and who approved it already.
fn of_order(view: &View, order: OrderId, approved: bool) -> Vec<Part> {
    let Some(row) = view.orders.get(&order) else { return Vec::new() };
    let approvals = row.approvals.iter().filter(|_| approved);
    let approvals = approvals.map(|(by, mark)| part(by, *mark));
    [part(&row.by, row.requested)].into_iter().chain(approvals).collect()
}

/// Who typed a decision from a signed document, and who had asked for it.
fn on_paper(view: &View, subject: Subject) -> Vec<Part> {
    let typed = proposal(view.typed_decision(subject)).into_iter();
    typed.chain(asked_in(view, subject)).collect()
}

fn asked_in(view: &View, subject: Subject) -> Option<Part> {
    match subject {
        Subject::Order(id) => view.orders.get(&id).map(|row| part(&row.by, row.requested)),
        Subject::Grant(id) => view.grants.get(&id).map(|row| part(&row.by, row.applied)),
        Subject::Copy(id) => asked_for(view, id).into_iter().next(),
    }
}

fn of_link(view: &View, act: &LinkAct) -> Option<Second> {
    Some(match act {
        LinkAct::Countersign { link, .. } | LinkAct::Refuse { link, .. } => {
            let Some((_, row)) = view.waiting_application(link) else {
                return Some((SecondAct::Application, Vec::new()));
            };
            // Each office signs by another person; one that refuses need not be another than one that signed.
            let signs = matches!(act, LinkAct::Countersign { .. });
            let signed = row.signatures.iter().zip(&row.signed_in).filter(|_| signs);
            let signed =
                signed.map(|((_, by, ..), entry)| Part { who: by.clone(), entry: Some(*entry) });
            (SecondAct::Application, [part(&row.by, row.mark)].into_iter().chain(signed).collect())
        }
        LinkAct::ResumeConfirm { link } => {
            let resume = view.history(link).and_then(|history| history.resume.as_ref());
            (SecondAct::Resume, proposal(resume))
        }
        LinkAct::Apply { .. }
        | LinkAct::Tested { .. }
        | LinkAct::Review { .. }
        | LinkAct::Suspend { .. }
        | LinkAct::Terminate { .. }
        | LinkAct::Resume { .. } => return None,
    })
}

fn of_passphrase(view: &View, act: &PassphraseAct) -> Option<Second> {
    match act {
        PassphraseAct::Confirm { link } => {
            let waits = view.links.get(link).and_then(|row| row.passphrases.waits.as_ref());
            Some((SecondAct::Passphrase, proposal(waits)))
        }
        PassphraseAct::Enter { .. } | PassphraseAct::End { .. } => None,
    }
}

fn of_audit(view: &View, act: &AuditAct) -> Option<Second> {
    Some(match act {
        AuditAct::SignReport { report, .. } => {
            let row = view.audits.reports.get(report);
            (SecondAct::Report, begun(row.map(|row| (&row.by, row.made))))
        }
        AuditAct::SignAudit { audit } => {
            let record = view.audits.audits.get(audit).and_then(|row| row.record.as_ref());
            (SecondAct::Audit, begun(record.map(|row| (&row.by, row.mark))))
        }
        AuditAct::Report { .. }
        | AuditAct::Sent { .. }
        | AuditAct::Plan { .. }
        | AuditAct::Record { .. }
        | AuditAct::Ask { .. }
        | AuditAct::Answer { .. }
        | AuditAct::Day { .. } => return None,
    })
}

fn of_handover(view: &View, act: &HandoverAct) -> Option<Second> {
    match act {
        HandoverAct::Approve { handover, .. } | HandoverAct::Deny { handover, .. } => {
            let row = view.handovers.get(handover);
            let parts = row.map(|row| part(&row.by, row.requested));
            Some((SecondAct::Handover, parts.into_iter().collect()))
        }
        HandoverAct::Request { .. }
        | HandoverAct::Make { .. }
        | HandoverAct::Confirm { .. }
        | HandoverAct::Export { .. }
        | HandoverAct::Import { .. }
        | HandoverAct::Returned { .. } => None,
    }
}

fn of_register(view: &View, act: &RegisterAct) -> Option<Second> {
    let RegisterAct::Confirm { amendment } = act else { return None };
    let Some(row) = view.amendments.get(amendment) else {
        return Some((SecondAct::Amendment, Vec::new()));
    };
    let asked = view.decided_on(&row.what).and_then(|(_, asked)| asked);
    let asked = asked.map(|(by, mark)| part(&by, mark));
    let parts = [part(&row.by, row.mark)].into_iter().chain(asked);
    Some((SecondAct::Amendment, parts.collect()))
}

fn of_people(view: &View, act: &PeopleAct) -> Option<Second> {
    Some(match act {
        PeopleAct::Confirm { appointment } => {
            let row = view.people.appointments.get(appointment);
            let parts = row.map(|row| vec![part(&row.by, row.proposed), named(&row.terms.name)]);
            (SecondAct::Appointment, parts.unwrap_or_default())
        }
        PeopleAct::ReviewConfirm => {
            let row = view.people.reviews.values().next_back();
            (SecondAct::Review, begun(row.map(|row| (&row.by, row.mark))))
        }
        PeopleAct::AcknowledgeConfirm { uid } => {
            let seat = view.seat(*uid);
            let parts = proposal(seat.as_ref().and_then(|seat| seat.proposal.as_ref()));
            let held = seat.iter().flat_map(|seat| seat.accounts.keys());
            let held = held.map(|name| named(name));
            (SecondAct::SharedUser, parts.into_iter().chain(held).collect())
        }
        PeopleAct::Acknowledge { .. }
        | PeopleAct::Appoint { .. }
        | PeopleAct::Leave { .. }
        | PeopleAct::HandOver { .. }
        | PeopleAct::Told { .. }
        | PeopleAct::Train { .. }
        | PeopleAct::Agree { .. }
        | PeopleAct::Review { .. }
        | PeopleAct::Edit { .. } => return None,
    })
}

fn of_sample(view: &View, act: &SampleAct) -> Option<Second> {
    Some(match act {
        SampleAct::Confirm { sample } => {
            let review = view.samples.rows.get(sample).and_then(|row| row.waiting());
            (SecondAct::Sample, begun(review.map(|row| (&row.by, row.mark))))
        }
        SampleAct::Judge { finding, .. } => {
            let row = view.samples.findings.get(finding);
            let corrected = row.and_then(|row| row.corrected.as_ref());
            let parts = corrected.map(|(by, mark, ..)| part(by, *mark));
            (SecondAct::Finding, parts.into_iter().collect())
        }
        SampleAct::Draw { .. }
        | SampleAct::Review { .. }
        | SampleAct::Add { .. }
        | SampleAct::Correct { .. }
        | SampleAct::Tell { .. } => return None,
    })
}

fn of_incident(view: &View, act: &IncidentAct) -> Option<Second> {
    Some(match act {
        IncidentAct::Confirm { incident } => {
            let row = view.incidents.get(incident).and_then(|row| row.investigation.as_ref());
            let parts = row.map(|row| part(&row.by, row.mark));
            (SecondAct::Investigation, parts.into_iter().collect())
        }
        IncidentAct::Close { incident } => {
            let row = view.incidents.get(incident).and_then(|row| row.remedied.as_ref());
            let parts = row.map(|(by, mark, ..)| part(by, *mark));
            (SecondAct::Incident, parts.into_iter().collect())
        }
        IncidentAct::Report { .. }
        | IncidentAct::Investigate { .. }
        | IncidentAct::Tell { .. }
        | IncidentAct::Remedy { .. } => return None,
    })
}

fn of_intake(view: &View, act: &IntakeAct) -> Option<Second> {
    Some(match act {
        IntakeAct::Provide { batch, .. } => (SecondAct::Seal, seals(view, *batch)),
        IntakeAct::Accept { batch, .. } => {
            let made = view.intake_of(*batch).and_then(|done| done.compared.as_ref());
            (SecondAct::Mismatch, begun(made.map(|made| (&made.by, made.mark))))
        }
        // What the custodian confirms is the agent's, which nobody is.
        IntakeAct::Confirm { .. } | IntakeAct::Compare { .. } => return None,
    })
}

fn seals(view: &View, batch: BatchId) -> Vec<Part> {
    let seals = view.intake_of(batch).map(|done| done.seals.as_slice()).unwrap_or_default();
    seals.iter().map(|one| part(&one.by, one.mark)).collect()
}

fn of_use(view: &View, act: &UseAct) -> Option<Second> {
    match act {
        UseAct::Confirm { of } => {
            let asked = view.withdrawals.iter().find(|one| one.what.of == *of);
            Some((SecondAct::Withdrawal, proposal(asked)))
        }
        UseAct::Complete { .. }
        | UseAct::NoNeed { .. }
        | UseAct::Keep { .. }
        | UseAct::Withdraw { .. } => None,
    }
}

fn of_notice(view: &View, act: &NoticeAct) -> Option<Second> {
    match act {
        NoticeAct::Confirm { notice } => {
            let row = view.notices.rows.get(notice).and_then(|row| row.announcement.as_ref());
            let parts = row.map(|row| part(&row.by, row.mark));
            Some((SecondAct::Announcement, parts.into_iter().collect()))
        }
        NoticeAct::Give { .. }
        | NoticeAct::Announce { .. }
        | NoticeAct::Withdraw { .. }
        | NoticeAct::Join { .. } => None,
    }
}
