//! Copies that people keep, as the forms have them.

use serde::{Deserialize, Serialize};

use crate::domain::{
    inventory::{Medium, Method},
    lifecycle::CopyState,
    time::Timestamp,
    view::CopyRow,
};

/// How people destroyed a copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct EndByPeople {
    /// 銷毀方法.
    pub method: Method,
    /// What it lay on.
    pub medium: Medium,
    /// 媒體序號.
    pub serial: Option<String>,
    /// 銷毀地點.
    pub place: String,
    /// 執行人.
    pub performer: String,
    /// 會同（監毀）人: the account that vouched for it.
    pub witness: String,
    /// When it was destroyed.
    pub at: Timestamp,
    /// 佐證附件: how many photographs or papers.
    pub evidence: u64,
}

impl EndByPeople {
    /// The end of a copy that is gone by the word of two people.
    pub(super) fn of(row: &CopyRow) -> Option<Self> {
        let held = row.held.as_deref().filter(|_| row.state == CopyState::Destroyed)?;
        let (end, witness) = (&held.end.as_ref()?.what, held.witness.clone()?);
        Some(Self {
            method: end.method,
            medium: held.medium,
            serial: held.facts.as_ref().and_then(|facts| facts.serial.clone()),
            place: end.place.clone(),
            performer: end.performer.clone(),
            witness,
            at: end.at,
            evidence: end.evidence.len() as u64,
        })
    }
}

/// 複製核准文號.
pub(super) fn approved_doc_no(row: &CopyRow) -> Option<String> {
    row.held.as_ref()?.approved.as_ref().map(|(doc_no, ..)| doc_no.clone())
}
