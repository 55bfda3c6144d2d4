//! Everything that can be asked for, as closed enums of plain data.
//!
//! It is over 500 lines because the commands are one closed list.

use serde::{Deserialize, Serialize};

use super::{
    amending::RegisterAct,
    applications::LinkAct,
    auditing::AuditAct,
    authority::{COMMAND, DECISION},
    handing::HandoverAct,
    incidents::IncidentAct,
    intake::IntakeAct,
    kept_papers::PaperAct,
    notifying::NoticeAct,
    on_paper::DecisionAct,
    passphrases::PassphraseAct,
    people::PeopleAct,
    sampling::SampleAct,
    uses::UseAct,
};
use crate::domain::{
    accounts::Act,
    entry::{AccountFacts, EndFacts, HeldFacts, HoldScope, KeyForm, PaperFacts},
    ids::{AccessOrderId, BatchId, CopyId, GrantId, HoldId, OrderId, RemoteId, StandingId},
    inventory::{HeldKind, Medium},
    secret::Secret,
    time::Timestamp,
};

/// What is made known: a copy that was asked for, or another one of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Declared {
    /// One that was asked for and agreed to.
    Copy(CopyId),
    /// One that nobody asked for, of this batch.
    Batch(BatchId),
}

/// For which service a grant is applied for, and how much it may ask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForService {
    /// Its account.
    pub name: String,
    /// Questions within any 60 seconds.
    pub rate: u32,
    /// Questions until the grant ends.
    pub budget: u64,
}

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
    /// `key standing`, `key confirm`, `key end`.
    Passphrase {
        /// What.
        act: Box<PassphraseAct>,
        /// The passphrase; never part of what is signed or recorded, and so none in what is read back.
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
    /// `link settle REMOTE`.
    LinkSettle {
        /// The remote delivery.
        remote: RemoteId,
        /// What was done with it.
        reason: String,
    },
    /// `link apply`, `link countersign`, …
    Link {
        /// What is done.
        act: Box<LinkAct>,
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
    /// `witness timestamp`.
    TimestampTake {
        /// Base64 of the authority's answer.
        answer: String,
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
        /// The service that it is for, where it is not for who applies.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        service: Option<ForService>,
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
    /// `use complete --batch`, `use no-need`, `use keep`, …
    EndUse {
        /// What is said.
        act: Box<UseAct>,
    },
    /// `batch provide`, `batch confirm`, `batch compare`, `batch accept`.
    Intake {
        /// What is done.
        act: Box<IntakeAct>,
    },
    /// `use filed`.
    UseFiled {
        /// The batch.
        batch: BatchId,
        /// The document that it is filed with.
        doc_no: String,
    },
    /// `copy request`.
    CopyRequest {
        /// The batch.
        batch: BatchId,
        /// What it will be.
        kind: HeldKind,
        /// What it will lie on.
        medium: Medium,
        /// Why.
        reason: String,
        /// By when it will be destroyed.
        delete_by: Option<Timestamp>,
    },
    /// `query --copy-to`, `match --copy-to`: before the first byte.
    CopyOut {
        /// The grant.
        grant: GrantId,
        /// One batch; those of the link's current view where none is named.
        batch: Option<BatchId>,
        /// Copies that were asked for before.
        copies: Vec<CopyId>,
        /// Who will keep the file.
        holder: String,
        /// Where it will be.
        place: String,
        /// By when the file is gone.
        delete_by: Timestamp,
        /// Why.
        reason: String,
    },
    /// `copy approve`.
    CopyApprove {
        /// The copy.
        copy: CopyId,
        /// Number of the office's document.
        doc_no: String,
    },
    /// `copy deny`.
    CopyDeny {
        /// The copy.
        copy: CopyId,
        /// Why.
        reason: String,
    },
    /// `copy withdraw`.
    CopyWithdraw {
        /// The copy.
        copy: CopyId,
        /// Why.
        reason: String,
    },
    /// `copy declare`.
    CopyDeclare {
        /// What is made known.
        of: Declared,
        /// What is known of it.
        facts: HeldFacts,
    },
    /// `copy move`.
    CopyMove {
        /// The copy.
        copy: CopyId,
        /// Who keeps it now.
        holder: String,
        /// Where.
        place: String,
        /// How it is locked away.
        lock: Option<String>,
    },
    /// `audit …`.
    Audit {
        /// What.
        act: Box<AuditAct>,
    },
    /// `handover …`.
    Handover {
        /// What is done.
        act: Box<HandoverAct>,
    },
    /// `audit document add`, `audit backup-review`.
    Paper {
        /// What is done.
        act: Box<PaperAct>,
    },
    /// `register amend`, `register confirm`, `register note`.
    Register {
        /// What is done.
        act: Box<RegisterAct>,
    },
    /// `destroy approve --paper`, `grant confirm`, …
    OnPaper {
        /// What is done.
        act: Box<DecisionAct>,
    },
    /// `appointment …`, `account review`.
    People {
        /// What is done.
        act: Box<PeopleAct>,
    },
    /// `audit sample`, `audit review`, `audit finding …`.
    Sample {
        /// What is done.
        act: Box<SampleAct>,
    },
    /// `batch notice`, `batch announce …`, `batch join`.
    Notice {
        /// The act.
        act: Box<NoticeAct>,
    },
    /// `incident …`.
    Incident {
        /// What is done.
        act: Box<IncidentAct>,
    },
    /// `media record`.
    MediaRecord {
        /// The copy.
        copy: CopyId,
        /// How it was destroyed.
        end: EndFacts,
    },
    /// `media confirm`.
    MediaConfirm {
        /// The copy.
        copy: CopyId,
    },
    /// `destroy request`.
    DestroyRequest {
        /// The batch.
        batch: BatchId,
        /// Copies that people keep, chosen one by one; everything that is due where empty.
        #[serde(default)]
        copies: Vec<CopyId>,
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
    /// `access destroy`.
    AccessRequest {
        /// The link.
        link: String,
        /// The months; every one that is due where empty.
        months: Vec<String>,
        /// Why.
        reason: String,
    },
    /// `access destroy-approve`.
    AccessApprove {
        /// The order.
        order: AccessOrderId,
    },
    /// `access destroy-deny`.
    AccessDeny {
        /// The order.
        order: AccessOrderId,
        /// Why.
        reason: String,
    },
    /// `destroy cancel`.
    DestroyCancel {
        /// The order.
        order: OrderId,
        /// Why.
        reason: String,
    },
    /// `destroy except`.
    DestroyExcept {
        /// The order.
        order: OrderId,
        /// The copy.
        copy: CopyId,
        /// Who brings it back.
        owner: String,
        /// By when.
        until: Timestamp,
        /// Why it cannot be reached.
        reason: String,
    },
    /// `destroy close`.
    DestroyClose {
        /// The order.
        order: OrderId,
        /// The papers.
        papers: Vec<PaperFacts>,
    },
    /// `destroy confirm`.
    DestroyConfirm {
        /// The order.
        order: OrderId,
    },
    /// `standing add`.
    StandingAdd {
        /// The policy.
        policy: String,
        /// The link, where it is for one alone.
        link: Option<String>,
        /// Document number.
        doc_no: String,
        /// Its end.
        until: Timestamp,
    },
    /// `standing confirm`.
    StandingConfirm {
        /// The standing approval.
        standing: StandingId,
    },
    /// `standing end`.
    StandingEnd {
        /// The standing approval.
        standing: StandingId,
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
            Self::Passphrase { act, .. } => act.word(),
            Self::BatchRetry { .. } => "batch retry",
            Self::BatchRelease { .. } => "batch release",
            Self::BatchReject { .. } => "batch reject",
            Self::LinkSettle { .. } => "link settle",
            Self::Link { act } => act.word(),
            Self::Paper { act } => act.word(),
            Self::Baseline { .. } => "link baseline",
            Self::BaselineConfirm { .. } => "link confirm",
            Self::WitnessAdd { .. } => "witness add",
            Self::WitnessConfirm { .. } => "witness confirm",
            Self::WitnessTake { .. } => "witness take",
            Self::TimestampTake { .. } => "witness timestamp",
            Self::OverdueAcknowledge { .. } => "witness acknowledge",
            Self::OverdueConfirm => "witness acknowledge --confirm",
            Self::GrantApply { .. } => "grant apply",
            Self::GrantApprove { .. } => "grant approve",
            Self::GrantDeny { .. } => "grant deny",
            Self::GrantRevoke { .. } => "grant revoke",
            Self::UseComplete { .. } => "use complete",
            Self::EndUse { act } => act.word(),
            Self::Intake { act } => act.word(),
            Self::UseFiled { .. } => "use filed",
            Self::CopyRequest { .. } => "copy request",
            Self::CopyOut { .. } => "copy-to",
            Self::CopyApprove { .. } => "copy approve",
            Self::CopyDeny { .. } => "copy deny",
            Self::CopyWithdraw { .. } => "copy withdraw",
            Self::CopyDeclare { .. } => "copy declare",
            Self::CopyMove { .. } => "copy move",
            Self::Audit { act } => act.word(),
            Self::Handover { act } => act.word(),
            Self::Register { act } => act.word(),
            Self::OnPaper { act } => act.word(),
            Self::People { act } => act.word(),
            Self::Sample { act } => act.word(),
            Self::Incident { act } => act.word(),
            Self::Notice { act } => act.word(),
            Self::MediaRecord { .. } => "media record",
            Self::MediaConfirm { .. } => "media confirm",
            Self::DestroyRequest { .. } => "destroy request",
            Self::DestroyApprove { .. } => "destroy approve",
            Self::DestroyDeny { .. } => "destroy deny",
            Self::AccessRequest { .. } => "access destroy",
            Self::AccessApprove { .. } => "access destroy-approve",
            Self::AccessDeny { .. } => "access destroy-deny",
            Self::DestroyCancel { .. } => "destroy cancel",
            Self::DestroyExcept { .. } => "destroy except",
            Self::DestroyClose { .. } => "destroy close",
            Self::DestroyConfirm { .. } => "destroy confirm",
            Self::StandingAdd { .. } => "standing add",
            Self::StandingConfirm { .. } => "standing confirm",
            Self::StandingEnd { .. } => "standing end",
            Self::HoldPlace { .. } => "hold place",
            Self::HoldLift { .. } => "hold lift",
        }
    }

    /// Whether it decides on something, and so is signed in any case (DESIGN 5).
    #[must_use]
    pub const fn decides(&self) -> bool {
        match self {
            Self::Audit { act } => act.decides(),
            Self::Passphrase { act, .. } => act.decides(),
            Self::Handover { act } => act.decides(),
            Self::Link { act } => act.decides(),
            Self::Register { act } => act.decides(),
            Self::OnPaper { act } => act.decides(),
            Self::People { act } => act.decides(),
            Self::Sample { act } => act.decides(),
            Self::Incident { act } => act.decides(),
            Self::Intake { act } => act.decides(),
            Self::Notice { act } => act.decides(),
            Self::AccountConfirm { .. }
            | Self::ConfigConfirm
            | Self::WitnessConfirm { .. }
            | Self::OverdueAcknowledge { .. }
            | Self::OverdueConfirm
            | Self::BatchRelease { .. }
            | Self::BatchReject { .. }
            | Self::LinkSettle { .. }
            | Self::BaselineConfirm { .. }
            | Self::GrantApprove { .. }
            | Self::GrantDeny { .. }
            | Self::GrantRevoke { .. }
            | Self::UseComplete { .. }
            | Self::EndUse { .. }
            | Self::UseFiled { .. }
            | Self::CopyApprove { .. }
            | Self::CopyDeny { .. }
            | Self::MediaConfirm { .. }
            | Self::DestroyApprove { .. }
            | Self::DestroyDeny { .. }
            | Self::AccessApprove { .. }
            | Self::AccessDeny { .. }
            | Self::DestroyConfirm { .. }
            | Self::StandingConfirm { .. }
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
            | Self::TimestampTake { .. }
            | Self::GrantApply { .. }
            | Self::AccessRequest { .. }
            | Self::CopyOut { .. }
            | Self::CopyRequest { .. }
            | Self::CopyWithdraw { .. }
            | Self::CopyDeclare { .. }
            | Self::CopyMove { .. }
            | Self::MediaRecord { .. }
            | Self::Paper { .. }
            | Self::DestroyRequest { .. }
            | Self::DestroyCancel { .. }
            | Self::DestroyExcept { .. }
            | Self::DestroyClose { .. }
            | Self::StandingAdd { .. }
            | Self::StandingEnd { .. } => false,
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
            Self::WitnessTake { .. }
            | Self::TimestampTake { .. }
            | Self::OverdueAcknowledge { .. } => Act::Anchor,
            Self::OverdueConfirm => Act::ConfirmAnchor,
            Self::KeySubmit { .. }
            | Self::BatchRetry { .. }
            | Self::BatchRelease { .. }
            | Self::BatchReject { .. }
            | Self::LinkSettle { .. }
            | Self::Baseline { .. }
            | Self::DestroyClose { .. }
            | Self::StandingAdd { .. }
            | Self::ClockConfirm => Act::Keep,
            Self::BaselineConfirm { .. } => Act::ConfirmBaseline,
            Self::GrantApply { .. }
            | Self::UseComplete { .. }
            | Self::UseFiled { .. }
            | Self::CopyOut { .. }
            | Self::CopyRequest { .. } => Act::Use,
            Self::CopyApprove { .. } | Self::CopyDeny { .. } => Act::DecideCopy,
            Self::CopyWithdraw { .. }
            | Self::CopyDeclare { .. }
            | Self::CopyMove { .. }
            | Self::MediaRecord { .. } => Act::KeepCopies,
            Self::Audit { act } => act.act(),
            Self::Passphrase { act, .. } => act.act(),
            Self::Handover { act } => act.act(),
            Self::Link { act } => act.act(),
            Self::Paper { act } => act.act(),
            Self::Register { act } => act.act(),
            Self::OnPaper { act } => act.act(),
            Self::People { act } => act.act(),
            Self::Sample { act } => act.act(),
            Self::Incident { act } => act.act(),
            Self::Intake { act } => act.act(),
            Self::EndUse { act } => act.act(),
            Self::Notice { act } => act.act(),
            Self::MediaConfirm { .. } => Act::Vouch,
            Self::GrantApprove { .. } | Self::GrantDeny { .. } | Self::GrantRevoke { .. } => {
                Act::DecideUse
            }
            Self::DestroyRequest { .. } | Self::AccessRequest { .. } => Act::RequestDestruction,
            Self::DestroyApprove { .. } | Self::DestroyDeny { .. } | Self::DestroyExcept { .. } => {
                Act::DecideDestruction
            }
            Self::AccessApprove { .. } | Self::AccessDeny { .. } => Act::DecideAccess,
            Self::DestroyCancel { .. } | Self::StandingEnd { .. } => Act::CancelDestruction,
            // Which of the two it is, what waits says: closing papers are a supervisor's (`destroy_confirm` asks).
            Self::DestroyConfirm { .. } => Act::ConfirmDecision,
            Self::StandingConfirm { .. } => Act::ConfirmPapers,
            Self::HoldPlace { .. } | Self::HoldLift { .. } => Act::Hold,
        }
    }

    /// The secret that goes with it, beside what is signed and recorded.
    pub const fn secret_mut(&mut self) -> Option<&mut Secret> {
        match self {
            Self::KeySubmit { secret, .. } => Some(secret),
            Self::Passphrase { act, secret } if act.has_secret() => Some(secret),
            _ => None,
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
            Self::WitnessTake { .. }
            | Self::TimestampTake { .. }
            | Self::OverdueAcknowledge { .. }
            | Self::OverdueConfirm => "checkpoint".to_owned(),
            Self::KeySubmit { batch, .. }
            | Self::BatchRetry { batch }
            | Self::BatchRelease { batch, .. }
            | Self::BatchReject { batch, .. }
            | Self::UseFiled { batch, .. }
            | Self::CopyRequest { batch, .. }
            | Self::CopyDeclare { of: Declared::Batch(batch), .. }
            | Self::DestroyRequest { batch, .. } => batch.to_string(),
            Self::CopyApprove { copy, .. }
            | Self::CopyDeny { copy, .. }
            | Self::CopyWithdraw { copy, .. }
            | Self::CopyDeclare { of: Declared::Copy(copy), .. }
            | Self::CopyMove { copy, .. }
            | Self::MediaRecord { copy, .. }
            | Self::MediaConfirm { copy } => copy.to_string(),
            Self::LinkSettle { remote, .. } => remote.to_string(),
            Self::Baseline { link, .. }
            | Self::BaselineConfirm { link }
            | Self::AccessRequest { link, .. }
            | Self::GrantApply { link, .. } => link.clone(),
            Self::GrantApprove { grant }
            | Self::GrantDeny { grant, .. }
            | Self::GrantRevoke { grant }
            | Self::CopyOut { grant, .. }
            | Self::UseComplete { grant } => grant.to_string(),
            Self::DestroyApprove { order }
            | Self::DestroyDeny { order, .. }
            | Self::DestroyCancel { order, .. }
            | Self::DestroyExcept { order, .. }
            | Self::DestroyClose { order, .. }
            | Self::DestroyConfirm { order } => order.to_string(),
            Self::StandingAdd { policy, .. } => policy.clone(),
            Self::StandingConfirm { standing } | Self::StandingEnd { standing } => {
                standing.to_string()
            }
            Self::AccessApprove { order } | Self::AccessDeny { order, .. } => order.to_string(),
            Self::HoldPlace { scope, .. } => match scope {
                HoldScope::Batch(batch) => batch.to_string(),
                HoldScope::Link(link) => link.clone(),
                HoldScope::All => "all".to_owned(),
            },
            Self::HoldLift { hold } => hold.to_string(),
            Self::Audit { act } => act.object(),
            Self::Passphrase { act, .. } => act.object(),
            Self::Handover { act } => act.object(),
            Self::Link { act } => act.object(),
            Self::Paper { act } => act.object(),
            Self::Register { act } => act.object(),
            Self::OnPaper { act } => act.subject().to_string(),
            Self::People { act } => act.object(),
            Self::Sample { act } => act.object(),
            Self::Incident { act } => act.object(),
            Self::Intake { act } => act.batch().to_string(),
            Self::EndUse { act } => act.object(),
            Self::Notice { act } => act.object(),
        }
    }

    /// What the person typed in words, which stands in the signed text.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::BatchRelease { reason, .. }
            | Self::BatchReject { reason, .. }
            | Self::LinkSettle { reason, .. }
            | Self::OverdueAcknowledge { reason }
            | Self::GrantDeny { reason, .. }
            | Self::DestroyRequest { reason, .. }
            | Self::CopyRequest { reason, .. }
            | Self::CopyOut { reason, .. }
            | Self::CopyDeny { reason, .. }
            | Self::CopyWithdraw { reason, .. }
            | Self::AccessRequest { reason, .. }
            | Self::AccessDeny { reason, .. }
            | Self::DestroyDeny { reason, .. }
            | Self::DestroyCancel { reason, .. }
            | Self::DestroyExcept { reason, .. } => reason,
            Self::StandingAdd { doc_no, .. }
            | Self::CopyApprove { doc_no, .. }
            | Self::UseFiled { doc_no, .. } => doc_no,
            Self::Audit { act } => act.text(),
            Self::Passphrase { act, .. } => act.text(),
            Self::Handover { act } => act.text(),
            Self::Link { act } => act.text(),
            Self::Paper { act } => act.text(),
            Self::Register { act } => act.text(),
            Self::OnPaper { act } => act.text(),
            Self::People { act } => act.text(),
            Self::Sample { act } => act.text(),
            Self::Incident { act } => act.text(),
            Self::Intake { act } => act.text(),
            Self::EndUse { act } => act.text(),
            Self::Notice { act } => act.text(),
            Self::GrantApply { purpose, .. } => purpose,
            Self::KeySubmit { channel, .. } => channel,
            Self::HoldPlace { authority, .. } => authority,
            _ => "",
        }
    }
}
