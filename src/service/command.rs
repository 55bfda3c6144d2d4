//! Everything that can be asked for, as closed enums of plain data.

use serde::{Deserialize, Serialize};

use super::authority::{COMMAND, DECISION};
use crate::domain::{
    accounts::Act,
    entry::{AccountFacts, HoldScope, KeyForm},
    ids::{BatchId, GrantId, HoldId, OrderId},
    secret::Secret,
    time::Timestamp,
};

/// Something that changes the register.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Command {
    /// `account add`.
    AccountAdd {
        /// The facts.
        facts: AccountFacts,
    },
    /// `account confirm`.
    AccountConfirm {
        /// Name.
        name: String,
    },
    /// `account disable`.
    AccountDisable {
        /// Name.
        name: String,
    },
    /// `config propose`.
    ConfigPropose,
    /// `config confirm`.
    ConfigConfirm,
    /// `clock confirm`.
    ClockConfirm,
    /// `key submit`.
    KeySubmit {
        /// The batch.
        batch: BatchId,
        /// The form.
        form: KeyForm,
        /// How it came.
        channel: String,
        /// The key; never part of what is signed or recorded, and so none in what is read back.
        #[serde(skip)]
        secret: Secret,
    },
    /// `batch retry`.
    BatchRetry {
        /// The batch.
        batch: BatchId,
    },
    /// `batch release`.
    BatchRelease {
        /// The batch.
        batch: BatchId,
        /// Why.
        reason: String,
    },
    /// `batch reject`.
    BatchReject {
        /// The batch.
        batch: BatchId,
        /// Why.
        reason: String,
    },
    /// `link baseline L N`.
    Baseline {
        /// The link.
        link: String,
        /// The last change file taken before.
        sequence: u64,
    },
    /// `link confirm L`.
    BaselineConfirm {
        /// The link.
        link: String,
    },
    /// `witness add`.
    WitnessAdd {
        /// Its name.
        name: String,
        /// Its verifier key.
        vkey: String,
    },
    /// `witness confirm`.
    WitnessConfirm {
        /// Its name.
        name: String,
    },
    /// `witness take`.
    WitnessTake {
        /// A checkpoint of this register, with cosignatures.
        note: String,
    },
    /// `witness acknowledge`.
    OverdueAcknowledge {
        /// Why.
        reason: String,
    },
    /// `witness acknowledge --confirm`.
    OverdueConfirm,
    /// `grant apply`.
    GrantApply {
        /// The link.
        link: String,
        /// The end.
        until: Timestamp,
        /// 使用目的.
        purpose: String,
        /// Case basis.
        basis: String,
        /// The fields; all of the link's where empty.
        fields: Vec<String>,
        /// The unit.
        unit: Option<String>,
    },
    /// `grant approve`.
    GrantApprove {
        /// The grant.
        grant: GrantId,
    },
    /// `grant deny`.
    GrantDeny {
        /// The grant.
        grant: GrantId,
        /// Why.
        reason: String,
    },
    /// `grant revoke`.
    GrantRevoke {
        /// The grant.
        grant: GrantId,
    },
    /// `use complete`.
    UseComplete {
        /// The grant.
        grant: GrantId,
    },
    /// `use no-need`.
    UseNoNeed {
        /// The batch.
        batch: BatchId,
    },
    /// `destroy request`.
    DestroyRequest {
        /// The batch.
        batch: BatchId,
        /// Why.
        reason: String,
    },
    /// `destroy approve`.
    DestroyApprove {
        /// The order.
        order: OrderId,
    },
    /// `destroy deny`.
    DestroyDeny {
        /// The order.
        order: OrderId,
        /// Why.
        reason: String,
    },
    /// `hold place`.
    HoldPlace {
        /// What it covers.
        scope: HoldScope,
        /// By whose authority.
        authority: String,
        /// Document number.
        doc_no: String,
        /// Review date.
        review: Timestamp,
    },
    /// `hold lift`.
    HoldLift {
        /// The hold.
        hold: HoldId,
    },
}

impl Command {
    /// The words of the command line.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::AccountAdd { .. } => "account add",
            Self::AccountConfirm { .. } => "account confirm",
            Self::AccountDisable { .. } => "account disable",
            Self::ConfigPropose => "config propose",
            Self::ConfigConfirm => "config confirm",
            Self::ClockConfirm => "clock confirm",
            Self::KeySubmit { .. } => "key submit",
            Self::BatchRetry { .. } => "batch retry",
            Self::BatchRelease { .. } => "batch release",
            Self::BatchReject { .. } => "batch reject",
            Self::Baseline { .. } => "link baseline",
            Self::BaselineConfirm { .. } => "link confirm",
            Self::WitnessAdd { .. } => "witness add",
            Self::WitnessConfirm { .. } => "witness confirm",
            Self::WitnessTake { .. } => "witness take",
            Self::OverdueAcknowledge { .. } => "witness acknowledge",
            Self::OverdueConfirm => "witness acknowledge --confirm",
            Self::GrantApply { .. } => "grant apply",
            Self::GrantApprove { .. } => "grant approve",
            Self::GrantDeny { .. } => "grant deny",
            Self::GrantRevoke { .. } => "grant revoke",
            Self::UseComplete { .. } => "use complete",
            Self::UseNoNeed { .. } => "use no-need",
            Self::DestroyRequest { .. } => "destroy request",
            Self::DestroyApprove { .. } => "destroy approve",
            Self::DestroyDeny { .. } => "destroy deny",
            Self::HoldPlace { .. } => "hold place",
            Self::HoldLift { .. } => "hold lift",
        }
    }

    /// Whether it decides on something, and so is signed in any case (DESIGN 5).
    #[must_use]
    pub const fn decides(&self) -> bool {
        match self {
            Self::AccountConfirm { .. }
            | Self::ConfigConfirm
            | Self::WitnessConfirm { .. }
            | Self::OverdueAcknowledge { .. }
            | Self::OverdueConfirm
            | Self::BatchRelease { .. }
            | Self::BatchReject { .. }
            | Self::BaselineConfirm { .. }
            | Self::GrantApprove { .. }
            | Self::GrantDeny { .. }
            | Self::GrantRevoke { .. }
            | Self::UseComplete { .. }
            | Self::UseNoNeed { .. }
            | Self::DestroyApprove { .. }
            | Self::DestroyDeny { .. }
            | Self::HoldPlace { .. }
            | Self::HoldLift { .. } => true,
            Self::AccountAdd { .. }
            | Self::AccountDisable { .. }
            | Self::ConfigPropose
            | Self::ClockConfirm
            | Self::KeySubmit { .. }
            | Self::BatchRetry { .. }
            | Self::Baseline { .. }
            | Self::WitnessAdd { .. }
            | Self::WitnessTake { .. }
            | Self::GrantApply { .. }
            | Self::DestroyRequest { .. } => false,
        }
    }

    /// Namespace of its signature.
    #[must_use]
    pub const fn namespace(&self) -> &'static str {
        if self.decides() { DECISION } else { COMMAND }
    }

    /// Which act it is, for the roles.
    #[must_use]
    pub const fn act(&self) -> Act {
        match self {
            Self::AccountAdd { .. }
            | Self::AccountDisable { .. }
            | Self::ConfigPropose
            | Self::WitnessAdd { .. } => Act::Administer,
            Self::AccountConfirm { .. } | Self::ConfigConfirm | Self::WitnessConfirm { .. } => {
                Act::ConfirmAdministration
            }
            Self::WitnessTake { .. } | Self::OverdueAcknowledge { .. } => Act::Anchor,
            Self::OverdueConfirm => Act::ConfirmAnchor,
            Self::KeySubmit { .. }
            | Self::BatchRetry { .. }
            | Self::BatchRelease { .. }
            | Self::BatchReject { .. }
            | Self::Baseline { .. }
            | Self::ClockConfirm => Act::Keep,
            Self::BaselineConfirm { .. } => Act::ConfirmBaseline,
            Self::GrantApply { .. } | Self::UseComplete { .. } | Self::UseNoNeed { .. } => Act::Use,
            Self::GrantApprove { .. } | Self::GrantDeny { .. } | Self::GrantRevoke { .. } => {
                Act::DecideUse
            }
            Self::DestroyRequest { .. } => Act::RequestDestruction,
            Self::DestroyApprove { .. } | Self::DestroyDeny { .. } => Act::DecideDestruction,
            Self::HoldPlace { .. } | Self::HoldLift { .. } => Act::Hold,
        }
    }

    /// What it is about.
    #[must_use]
    pub fn object(&self) -> String {
        match self {
            Self::AccountAdd { facts } => facts.name.clone(),
            Self::AccountConfirm { name } | Self::AccountDisable { name } => name.clone(),
            Self::ConfigPropose | Self::ConfigConfirm => "configuration".to_owned(),
            Self::ClockConfirm => "clock".to_owned(),
            Self::WitnessAdd { name, .. } | Self::WitnessConfirm { name } => name.clone(),
            Self::WitnessTake { .. } | Self::OverdueAcknowledge { .. } | Self::OverdueConfirm => {
                "checkpoint".to_owned()
            }
            Self::KeySubmit { batch, .. }
            | Self::BatchRetry { batch }
            | Self::BatchRelease { batch, .. }
            | Self::BatchReject { batch, .. }
            | Self::UseNoNeed { batch }
            | Self::DestroyRequest { batch, .. } => batch.to_string(),
            Self::Baseline { link, .. }
            | Self::BaselineConfirm { link }
            | Self::GrantApply { link, .. } => link.clone(),
            Self::GrantApprove { grant }
            | Self::GrantDeny { grant, .. }
            | Self::GrantRevoke { grant }
            | Self::UseComplete { grant } => grant.to_string(),
            Self::DestroyApprove { order } | Self::DestroyDeny { order, .. } => order.to_string(),
            Self::HoldPlace { scope, .. } => match scope {
                HoldScope::Batch(batch) => batch.to_string(),
                HoldScope::Link(link) => link.clone(),
                HoldScope::All => "all".to_owned(),
            },
            Self::HoldLift { hold } => hold.to_string(),
        }
    }

    /// What the person typed in words, which stands in the signed text.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::BatchRelease { reason, .. }
            | Self::BatchReject { reason, .. }
            | Self::OverdueAcknowledge { reason }
            | Self::GrantDeny { reason, .. }
            | Self::DestroyRequest { reason, .. }
            | Self::DestroyDeny { reason, .. } => reason,
            Self::GrantApply { purpose, .. } => purpose,
            Self::KeySubmit { channel, .. } => channel,
            Self::HoldPlace { authority, .. } => authority,
            _ => "",
        }
    }
}

/// What a command came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Reply {
    /// The id of what was made or decided.
    pub id: String,
    /// What happened, for people.
    pub message: String,
    /// Who does what next, with the command; nothing where nobody has to.
    #[serde(default)]
    pub next: Option<String>,
}

impl Reply {
    /// What happened to something.
    pub(super) fn new(id: &impl ToString, message: impl Into<String>) -> Self {
        Self { id: id.to_string(), message: message.into(), next: None }
    }

    /// With who does what next.
    pub(super) fn next(mut self, next: impl Into<String>) -> Self {
        self.next = Some(next.into());
        self
    }
}
