//! Rows of 附件一 that no batch has (TPH-6.1): of deliveries that somebody told of, that a letter announced or that were seen,
//! from that time on; under the numbers that their batch will have, or that nothing came of.

use super::register::{RegisterFilter, RegisterRow, RowState};
use crate::{
    domain::{
        entry::Counts,
        notified::{EarlyState, NotifiedState},
        serial::Serial,
        view::{Early, EarlyEnd, Notified, OpenedBy},
    },
    service::Service,
};

/// Whether rows belong on a sheet. They count for the day on which they were opened.
pub(super) fn is_wanted(filter: &RegisterFilter, row: &Early) -> bool {
    filter.link.as_ref().is_none_or(|link| *link == row.link)
        && filter.from.is_none_or(|from| row.opened >= from)
        && filter.to.is_none_or(|to| row.opened <= to)
        && filter.register.as_ref().is_none_or(|name| *name == row.facts.policy)
}

impl Service {
    /// The rows.
    pub(super) fn early_rows(&self, row: &Early) -> Vec<RegisterRow> {
        let notice = match row.by {
            OpenedBy::Notice(id) => self.engine.view.notices.rows.get(&id),
            OpenedBy::Sight(..) => None,
        };
        let state = state_of(row, notice);
        let letter = notice.and_then(|one| one.announcement.as_ref());
        let withdrawn = notice.and_then(Notified::withdrawn);
        let withdrawn = withdrawn.filter(|_| state == EarlyState::Withdrawn);
        let closed_at = row.over.map(EarlyEnd::at).or(withdrawn.map(|(_, at, _)| *at));
        let stands = letter.filter(|_| state == EarlyState::Confirmed).map(|one| &one.facts);
        let policy = self.engine.rules.policies.get(&row.facts.policy);
        let made = |unit: Option<String>, serial: Serial| RegisterRow {
            serial,
            register: row.facts.policy.clone(),
            unit,
            batch: None,
            number: stands.map(|facts| facts.number.clone()),
            link: row.link.clone(),
            register_title: policy.map(|policy| policy.register_title.clone()),
            delivery: None,
            state: RowState::Early(state),
            reason: None,
            said: withdrawn.map(|(_, _, reason)| reason.clone()),
            joined: self.joined_to(row),
            opened_at: Some(row.opened),
            received_at: None,
            notified_at: notice.and_then(Notified::official),
            counts: Counts { declared: stands.map(|facts| facts.records), ..Counts::default() },
            applied: stands.and_then(|facts| facts.applied),
            purpose: row.facts.purpose.clone(),
            purpose_differs: false,
            basis_doc_no: row.facts.basis_doc_no.clone(),
            basis_differs: false,
            handlers: Vec::new(),
            strength: None,
            it_handlers: Vec::new(),
            compared: None,
            key_channel: None,
            supervisors: Vec::new(),
            destroyed_at: None,
            closed_at,
            provider: row.facts.provider.clone(),
            table_no: row.facts.table_no.clone(),
            title: row.facts.title.clone(),
            units: row.facts.units.clone(),
            kind: stands.map(|facts| facts.kind.word().to_owned()),
            sequence: stands.map(|facts| facts.sequence).filter(|sequence| *sequence > 0),
            loaded_at: None,
            use_until: None,
            deadline: None,
            order: None,
            requested: None,
            approved: None,
            copies: Vec::new(),
            certificate: None,
            papers: Vec::new(),
            hold: None,
            amendments: Vec::new(),
        };
        let rows = row.rows.iter();
        rows.map(|one| made(one.unit.as_deref().map(str::to_owned), one.serial)).collect()
    }

    /// The first row of the batch that rows turned out to be about.
    fn joined_to(&self, row: &Early) -> Option<Serial> {
        let Some(EarlyEnd::Joined(_, batch)) = row.over else { return None };
        let batch = self.engine.view.batches.get(&batch)?;
        batch.rows.first().map(|one| one.serial)
    }
}

fn state_of(row: &Early, notice: Option<&Notified>) -> EarlyState {
    match (row.over, notice.map(Notified::state)) {
        (Some(EarlyEnd::Gone(_)), _) => EarlyState::Gone,
        (Some(EarlyEnd::Joined(..)), _) | (None, Some(NotifiedState::Arrived)) => {
            EarlyState::Joined
        }
        (None, None) => EarlyState::Seen,
        (None, Some(NotifiedState::Told)) => EarlyState::Told,
        (None, Some(NotifiedState::Announced)) => EarlyState::Announced,
        (None, Some(NotifiedState::Confirmed)) => EarlyState::Confirmed,
        (None, Some(NotifiedState::Withdrawn)) => EarlyState::Withdrawn,
    }
}
