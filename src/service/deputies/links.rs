//! Which links a command concerns: a deputy for one link acts in that one alone.

use crate::{
    domain::{
        entry::{HoldScope, Statement},
        ids::{AccessOrderId, BatchId, CopyId, GrantId, OrderId},
        on_paper::Subject,
        view::View,
    },
    service::{
        Command,
        amending::RegisterAct,
        auditing::AuditAct,
        command::Declared,
        handing::{Handed, HandoverAct},
        incidents::IncidentAct,
        notifying::{NoticeAct, NoticeOf},
        passphrases::PassphraseAct,
        people::{Leaver, PeopleAct},
        sampling::SampleAct,
    },
};

/// The links that a command concerns; none where that is not known, and then no deputy for one link may do it.
pub(in crate::service) fn links_of(view: &View, command: &Command) -> Vec<String> {
    let link = match command {
        Command::Link { act } => Some(act.link().to_owned()),
        Command::Baseline { link, .. }
        | Command::BaselineConfirm { link }
        | Command::AccessRequest { link, .. }
        | Command::GrantApply { link, .. }
        | Command::HoldPlace { scope: HoldScope::Link(link), .. } => Some(link.clone()),
        Command::StandingAdd { link, .. } => link.clone(),
        Command::LinkSettle { remote, .. } => {
            view.remotes.rows.get(remote).map(|row| row.link.clone())
        }
        Command::Passphrase { act, .. } => match &**act {
            PassphraseAct::Enter { link, .. }
            | PassphraseAct::Confirm { link }
            | PassphraseAct::End { link, .. } => Some(link.clone()),
        },
        Command::GrantApprove { grant }
        | Command::CopyOut { grant, .. }
        | Command::GrantDeny { grant, .. }
        | Command::GrantRevoke { grant }
        | Command::UseComplete { grant } => of_grant(view, *grant),
        Command::AccessApprove { order } | Command::AccessDeny { order, .. } => {
            of_access(view, *order)
        }
        Command::StandingConfirm { standing } | Command::StandingEnd { standing } => {
            view.standings.get(standing).and_then(|row| row.link.clone())
        }
        Command::HoldPlace { scope, .. } => of_scope(view, scope),
        Command::HoldLift { hold } => {
            view.holds.get(hold).and_then(|row| of_scope(view, &row.scope))
        }
        Command::DestroyApprove { order }
        | Command::DestroyDeny { order, .. }
        | Command::DestroyCancel { order, .. }
        | Command::DestroyExcept { order, .. }
        | Command::DestroyClose { order, .. }
        | Command::DestroyConfirm { order } => return of_order(view, *order),
        Command::OnPaper { act } => match act.subject() {
            Subject::Order(order) => return of_order(view, order),
            Subject::Grant(grant) => of_grant(view, grant),
            Subject::Copy(copy) => of_copy(view, copy),
        },
        Command::Register { act } => return of_register(view, act),
        other => of_batches(view, other).or_else(|| of_papers(view, other)),
    };
    link.into_iter().collect()
}

/// The link of what concerns one batch, or one copy of it.
fn of_batches(view: &View, command: &Command) -> Option<String> {
    match command {
        Command::KeySubmit { batch, .. }
        | Command::BatchRetry { batch }
        | Command::BatchRelease { batch, .. }
        | Command::BatchReject { batch, .. }
        | Command::UseFiled { batch, .. }
        | Command::CopyRequest { batch, .. }
        | Command::CopyDeclare { of: Declared::Batch(batch), .. }
        | Command::DestroyRequest { batch, .. } => of_batch(view, *batch),
        Command::CopyApprove { copy, .. }
        | Command::CopyDeny { copy, .. }
        | Command::CopyWithdraw { copy, .. }
        | Command::CopyDeclare { of: Declared::Copy(copy), .. }
        | Command::CopyMove { copy, .. }
        | Command::MediaRecord { copy, .. }
        | Command::MediaConfirm { copy } => of_copy(view, *copy),
        Command::Intake { act } => of_batch(view, act.batch()),
        Command::EndUse { act } => match act.statement() {
            Statement::Grant(grant) => of_grant(view, grant),
            Statement::Batch { batch, .. } => of_batch(view, batch),
        },
        _ => None,
    }
}

/// The link of what is done about people, audits, incidents and letters.
fn of_papers(view: &View, command: &Command) -> Option<String> {
    match command {
        Command::Handover { act } => of_handover(view, act),
        Command::Notice { act } => of_notice(view, act),
        Command::People { act } => of_people(view, act),
        Command::Sample { act } => of_sample(view, act),
        Command::Audit { act } => of_audit(view, act),
        Command::Incident { act } => match &**act {
            IncidentAct::Report { facts } => Some(facts.link.clone()),
            other => Some(view.incidents.get(&other.incident()?)?.facts.link.clone()),
        },
        _ => None,
    }
}

/// The link of a grant.
fn of_grant(view: &View, grant: GrantId) -> Option<String> {
    view.grants.get(&grant).map(|row| row.terms.link.clone())
}

fn of_batch(view: &View, batch: BatchId) -> Option<String> {
    view.batches.get(&batch).map(|row| row.link.to_string())
}

fn of_copy(view: &View, copy: CopyId) -> Option<String> {
    let batch = view.copies.get(&copy)?.batch;
    of_batch(view, batch)
}

fn of_scope(view: &View, scope: &HoldScope) -> Option<String> {
    match scope {
        HoldScope::Batch(batch) => of_batch(view, *batch),
        HoldScope::Link(link) => Some(link.clone()),
        HoldScope::All => None,
    }
}

fn of_access(view: &View, order: AccessOrderId) -> Option<String> {
    view.access_orders.get(&order).map(|row| row.link.clone())
}

fn of_handover(view: &View, act: &HandoverAct) -> Option<String> {
    match act {
        HandoverAct::Request { asked } => match &asked.of {
            Handed::Batch(batch) => of_batch(view, *batch),
            Handed::Link(link) => Some(link.clone()),
        },
        HandoverAct::Import { link, .. } => Some(link.clone()),
        other => {
            let row = view.handovers.get(&other.handover()?)?;
            Some(row.terms.link.clone())
        }
    }
}

fn of_notice(view: &View, act: &NoticeAct) -> Option<String> {
    let notice = match act {
        NoticeAct::Give { of: NoticeOf::Link(link), .. } => return Some(link.clone()),
        NoticeAct::Give { of: NoticeOf::Batch(batch), .. } => return of_batch(view, *batch),
        NoticeAct::Announce { typed } => return Some(typed.link.clone()),
        NoticeAct::Give { of: NoticeOf::Row(notice), .. }
        | NoticeAct::Confirm { notice }
        | NoticeAct::Withdraw { notice, .. }
        | NoticeAct::Join { notice, .. } => notice,
    };
    view.notices.rows.get(notice).map(|row| row.link.clone())
}

fn of_people(view: &View, act: &PeopleAct) -> Option<String> {
    let of = |id| view.people.appointments.get(id).and_then(|row| row.terms.link.clone());
    match act {
        PeopleAct::Appoint { asked } => asked.link.clone(),
        PeopleAct::HandOver { link, .. } => Some(link.clone()).filter(|link| link != "all"),
        PeopleAct::Confirm { appointment }
        | PeopleAct::Leave { of: Leaver::Appointment(appointment), .. }
        | PeopleAct::Told { of: Leaver::Appointment(appointment), .. } => of(appointment),
        // An account, and what binds or trains somebody, is of no one link.
        PeopleAct::Leave { .. }
        | PeopleAct::Told { .. }
        | PeopleAct::Train { .. }
        | PeopleAct::Agree { .. }
        | PeopleAct::Review { .. }
        | PeopleAct::ReviewConfirm
        | PeopleAct::Acknowledge { .. }
        | PeopleAct::AcknowledgeConfirm { .. }
        | PeopleAct::Edit { .. } => None,
    }
}

fn of_sample(view: &View, act: &SampleAct) -> Option<String> {
    match act {
        SampleAct::Draw { link, .. } => link.clone(),
        SampleAct::Review { sample, .. } | SampleAct::Confirm { sample } => {
            view.samples.rows.get(sample).map(|row| row.terms.link.clone())
        }
        SampleAct::Add { link, .. } => Some(link.clone()),
        SampleAct::Correct { finding, .. }
        | SampleAct::Tell { finding, .. }
        | SampleAct::Judge { finding, .. } => {
            view.samples.findings.get(finding).map(|row| row.facts.link.clone())
        }
    }
}

fn of_audit(view: &View, act: &AuditAct) -> Option<String> {
    match act {
        AuditAct::Report { facts } => facts.link.clone(),
        AuditAct::SignReport { report, .. } | AuditAct::Sent { report, .. } => {
            view.audits.reports.get(report).and_then(|row| row.link.clone())
        }
        // An audit is of a unit, a vendor or a link, by a word that does not say which.
        AuditAct::Plan { .. }
        | AuditAct::Record { .. }
        | AuditAct::SignAudit { .. }
        | AuditAct::Ask { .. }
        | AuditAct::Answer { .. }
        | AuditAct::Day { .. } => None,
    }
}

/// The links of what an amendment is about; of an entry that is still to be amended nobody knows before it is read.
fn of_register(view: &View, act: &RegisterAct) -> Vec<String> {
    let RegisterAct::Confirm { amendment } = act else { return Vec::new() };
    let Some(row) = view.amendments.get(amendment) else { return Vec::new() };
    let object = row.what.object.as_str();
    if let Ok(order) = object.parse::<OrderId>() {
        return of_order(view, order);
    }
    let batch = object.parse::<BatchId>().ok().and_then(|id| of_batch(view, id));
    let grant = || object.parse::<GrantId>().ok().and_then(|id| of_grant(view, id));
    let copy = || object.parse::<CopyId>().ok().and_then(|id| of_copy(view, id));
    batch.or_else(grant).or_else(copy).into_iter().collect()
}

/// Every link that an order destroys something of.
fn of_order(view: &View, order: OrderId) -> Vec<String> {
    let Some(row) = view.orders.get(&order) else { return Vec::new() };
    let mut links: Vec<String> =
        row.copies.iter().filter_map(|copy| of_batch(view, copy.batch)).collect();
    links.sort_unstable();
    links.dedup();
    links
}
