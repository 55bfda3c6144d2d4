//! Register entries (DESIGN 7): what is written for ever.
//!
//! An entry is canonical JSON (RFC 8785: sorted keys, no white space, integers only) of at most 65,535 bytes. It
//! holds no personal data and no secrets: names of files and deliveries as HMAC under a salt that goes with the
//! batch, keys as fingerprints, plaintext as HMAC under a key of its link. These are the wire forms; they outlive
//! the code, so a variant or field is only ever added.
//!
//! It is over 500 lines because the kinds of entry are one closed list.

mod access;
mod amending;
mod anchors;
mod audits;
mod copies;
mod expected;
mod facts;
mod handover;
mod incidents;
mod intake;
mod links;
mod notified;
mod on_paper;
mod orders;
mod papers;
mod passphrases;
mod people;
mod remotes;
mod samples;
mod uses;

use serde::{Deserialize, Serialize};

pub use access::{AccessApproved, AccessDenied, AccessRequested, AccessVoided};
pub use amending::{AmendmentConfirmed, FactAmended, NoteAdded};
pub use anchors::TimestampKept;
pub use audits::{
    AuditDayDrawn, AuditDayTold, AuditPlanned, AuditRecorded, AuditSigned, AuditTerms,
    EvidenceAnswered, EvidenceAsked, Member, ReportMade, ReportSent, ReportSigned, UseRow,
};
pub use copies::{
    CopyApproved, CopyDeclared, CopyDenied, CopyMoved, CopyRequested, CopyWithdrawn, EndConfirmed,
    EndFacts, EndRecorded, Filed, HeldFacts, KeptAt,
};
pub use expected::{
    DeliveryCame, DeliveryMissed, ExpectationBegun, ExpectationEnded, ExpectedTerms,
};
pub use facts::{
    AccountFacts, ConfigChange, CopyFacts, Counts, GrantTerms, HoldScope, KeyFacts, KeyForm,
    LinkFacts, LoadFacts, ManifestFacts, OrderedCopy, ServiceTerms, Signed, UnixUser, Verdict,
    WipeFacts,
};

pub use handover::{
    Custody, HandoverApproved, HandoverDenied, HandoverReceived, HandoverRequested,
    HandoverReturned, HandoverTerms, MediaArriving, MediaCarried, PackageFacts, PackagePart,
};
pub use incidents::{
    IncidentClosed, IncidentFacts, IncidentInvestigated, IncidentRemedied, IncidentReported,
    IncidentTold, InvestigationConfirmed,
};
pub use intake::{BatchCompared, BatchConfirmed, BatchSealed, MismatchAccepted};
pub use links::{
    LinkApplied, LinkAsFound, LinkCountersigned, LinkRefused, LinkResumeProposed, LinkResumed,
    LinkReviewed, LinkStopped, LinkTested,
};
pub use notified::{
    AnnouncedFacts, AnnouncementConfirmed, AnnouncementWithdrawn, DeliveryAnnounced, NoticeFacts,
    NoticeGiven, NoticeJoined,
};
pub use on_paper::{DecisionConfirmed, DecisionEntered};
pub use orders::{
    Exception, OrderCancelled, PaperFacts, PapersConfirmed, PapersRecorded, StandingConfirmed,
    StandingEnded, StandingProposed,
};
pub use papers::{BackupReviewed, PaperKept, SentTo};
pub use passphrases::{PassphraseConfirmed, PassphraseEnded, STANDING_NUMBER};
pub use people::{
    AccountEditConfirmed, AccountEditProposed, AccountSuspended, AccountsReviewConfirmed,
    AccountsReviewed, AgreementRecorded, AppointmentConfirmed, AppointmentProposed,
    AppointmentTerms, ChangeTold, CustodyHandedOver, LeavingRecorded, RightsEnded,
    SharedUserAcknowledged, SharedUserConfirmed, TermEnded, TrainingRecorded,
};
pub use remotes::{RemoteForgotten, RemoteSettled, RemoteTaken};
pub use samples::{
    FindingAdded, FindingCorrected, FindingFacts, FindingJudged, FindingTold, ReviewConfirmed,
    SampleDrawn, SampleListed, SampleReviewed, SampleSealed, SampleTerms,
};
pub use uses::{
    BudgetDrawn, NeedStated, Statement, UnitCompleted, UseWithdrawn, WithdrawalConfirmed,
};

use super::{
    digest::Digest,
    ids::{AppointmentId, BatchId, CopyId, DeliveryId, GrantId, HoldId, OrderId, StandingId},
    limits,
    step::{Outcome, Plan},
    time::Timestamp,
};

/// Who the agent is in `by`, when nobody asked it to.
pub const AGENT: &str = "agent";

/// One entry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Version of this form, 1.
    pub v: u32,
    /// When, by the agent's clock; never earlier than the entry before.
    pub at: Timestamp,
    /// The account that did it, or `agent`.
    pub by: String,
    /// The appointment by which a deputy did it for somebody else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deputy: Option<AppointmentId>,
    /// Number of the system user who asked, where the account was never seen to be used from there before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<u32>,
    /// What was done.
    pub body: Body,
}

/// Why an entry cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum EntryError {
    /// Longer than the register takes.
    #[error("a register entry of {0} bytes is over the limit of 65535")]
    TooLong(usize),
    /// Not an entry of this version.
    #[error("not a register entry of this version: {0}")]
    Form(#[from] serde_json::Error),
}

impl Entry {
    /// The canonical bytes.
    ///
    /// # Errors
    /// Over [`limits::ENTRY_BYTES_MAX`], or not representable.
    pub fn to_bytes(&self) -> Result<Vec<u8>, EntryError> {
        let bytes = canonical(self)?;
        if bytes.len() > limits::ENTRY_BYTES_MAX {
            return Err(EntryError::TooLong(bytes.len()));
        }
        Ok(bytes)
    }

    /// Reads an entry.
    ///
    /// # Errors
    /// Another form or version.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EntryError> {
        Ok(serde_json::from_slice(bytes)?)
    }
}

/// Canonical JSON of a value: `serde_json`'s maps are sorted by key and it escapes as RFC 8785 does; all our keys
/// are ASCII and all our numbers integers, which is what makes the two agree.
///
/// # Errors
/// A value that JSON cannot hold.
pub fn canonical<T: Serialize>(value: &T) -> Result<Vec<u8>, serde_json::Error> {
    serde_json::to_vec(&serde_json::to_value(value)?)
}

/// Why a step did not succeed, by what to do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Failure {
    /// Tried again by itself, with bounded back-off.
    Later,
    /// A person is told; `batch retry` tries again.
    Stuck,
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Body {
    /// The first entry.
    SiteCreated {
        /// Name of the site.
        site: String,
        /// The register's verifier key.
        vkey: String,
        /// Public half of the register key in OpenSSH form: certificates and receipts verify with it.
        ssh_key: String,
        /// The agent's standing age recipient.
        recipient: String,
        /// Public half of the agent's SSH client key: what a provider's server lets in. A key of its own, for the
        /// four keys of an agent are never mixed (DESIGN 5).
        client_key: String,
        /// Version of the program.
        version: String,
        /// Accounts in force from the start: two founders, or the invoking user.
        founders: Vec<AccountFacts>,
        /// Digest of the configuration in force.
        config: Digest,
    },
    /// The agent started.
    Started {
        /// Version of the program.
        version: String,
        /// Digest of the configuration in force.
        config: Digest,
        /// Seconds since the entry before.
        gap_seconds: i64,
    },
    /// The agent that runs read its configuration again.
    Reloaded {
        /// Digest of the configuration in force.
        config: Digest,
        /// Digest of what was found.
        found: Digest,
        /// How much of it waits for a second person.
        pending: u64,
    },
    /// The clock moved further than is believed: nothing irreversible runs by itself (DESIGN 5).
    TimeDoubted {
        /// Seconds that it moved beside the boot clock, or since the entry before.
        seconds: i64,
    },
    /// A person confirmed the time.
    TimeConfirmed {
        /// The signed command.
        signed: Option<Signed>,
    },
    /// The configuration found tightens what is in force, at once.
    ConfigTightened {
        /// Digest now in force.
        config: Digest,
        /// What changed.
        changes: Vec<ConfigChange>,
    },
    /// An admin proposes the configuration found.
    ConfigProposed {
        /// Its digest.
        config: Digest,
        /// What changes.
        changes: Vec<ConfigChange>,
        /// The signed command.
        signed: Option<Signed>,
    },
    /// A second person confirmed it.
    ConfigConfirmed {
        /// The proposal's entry.
        proposal: u64,
        /// Its digest.
        config: Digest,
        /// Links that this adds, or puts under another policy, and that need an application before they load.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        apply: Vec<String>,
        /// The signed decision.
        signed: Signed,
    },
    /// An admin proposes an account, or new facts of one.
    AccountProposed {
        /// The facts.
        account: AccountFacts,
        /// The signed command.
        signed: Option<Signed>,
    },
    /// A second person confirmed it.
    AccountConfirmed {
        /// Name.
        name: String,
        /// The proposal's entry.
        proposal: u64,
        /// The signed decision.
        signed: Signed,
    },
    /// Another name, title or unit of an account is proposed.
    AccountEditProposed(AccountEditProposed),
    /// A second person confirmed it.
    AccountEditConfirmed(AccountEditConfirmed),
    /// An account ended, at once.
    AccountDisabled {
        /// Name.
        name: String,
        /// The signed command.
        signed: Option<Signed>,
    },
    /// A delivery folder was seen that is not a batch yet.
    DeliverySeen {
        /// Its id.
        delivery: DeliveryId,
        /// The link.
        link: String,
        /// HMAC of its name under the link's key.
        name_mac: Digest,
        /// What the link says, where this opens rows of the printed register.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        opens: Option<Box<LinkFacts>>,
    },
    /// It is no longer there, and was not claimed.
    DeliveryGone {
        /// Its id.
        delivery: DeliveryId,
    },
    /// Something lies in an inbox that is no delivery folder.
    StraySeen {
        /// The link.
        link: String,
        /// HMAC of its name under the link's key.
        name_mac: Digest,
        /// Whether its name is that of a key: a finding at once.
        key: bool,
    },
    /// A step is about to run; everything undetermined is fixed here.
    Intent {
        /// What will be done.
        plan: Plan,
    },
    /// A step ran.
    Outcome {
        /// The intent's entry.
        intent: u64,
        /// What happened.
        outcome: Outcome,
    },
    /// A step did not succeed.
    Failed {
        /// The intent's entry.
        intent: u64,
        /// What to do about it.
        failure: Failure,
        /// A code such as `disk-full`.
        code: String,
    },
    /// The start of a link that is taken over at a number; not in force before it is confirmed.
    BaselineProposed {
        /// The link.
        link: String,
        /// The last change file that was taken before.
        sequence: u64,
        /// The signed command.
        signed: Option<Signed>,
    },
    /// A supervisor confirmed it.
    BaselineConfirmed {
        /// The link.
        link: String,
        /// The proposal's entry.
        proposal: u64,
        /// The signed decision.
        signed: Signed,
    },
    /// A quarantined batch is to be judged again.
    BatchReleased {
        /// The batch.
        batch: BatchId,
        /// Why.
        reason: String,
        /// The signed decision.
        signed: Signed,
    },
    /// A quarantined batch is turned down.
    BatchRejected {
        /// The batch.
        batch: BatchId,
        /// Why.
        reason: String,
        /// The signed decision.
        signed: Signed,
    },
    /// A stuck step is to be tried again.
    BatchRetried {
        /// The batch.
        batch: BatchId,
        /// The signed command.
        signed: Option<Signed>,
    },
    /// Somebody applies for use.
    GrantApplied {
        /// Its id.
        grant: GrantId,
        /// What for.
        terms: GrantTerms,
        /// The signed command.
        signed: Option<Signed>,
    },
    /// The second person agreed.
    GrantApproved {
        /// The grant.
        grant: GrantId,
        /// The signed decision.
        signed: Signed,
    },
    /// The second person refused.
    GrantDenied {
        /// The grant.
        grant: GrantId,
        /// Why.
        reason: String,
        /// The signed decision.
        signed: Signed,
    },
    /// It was taken back.
    GrantRevoked {
        /// The grant.
        grant: GrantId,
        /// The signed decision.
        signed: Signed,
    },
    /// Its end has passed.
    GrantExpired {
        /// The grant.
        grant: GrantId,
    },
    /// 使用完竣.
    UseCompleted {
        /// The grant.
        grant: GrantId,
        /// The signed decision.
        signed: Signed,
    },
    /// 確認無保存必要.
    NoNeed {
        /// The batch.
        batch: BatchId,
        /// The unit that has none; nobody has, where none is named.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        unit: Option<String>,
        /// The signed decision.
        signed: Signed,
    },
    /// A unit has completed its use of one batch.
    UnitCompleted(UnitCompleted),
    /// A unit needs a batch to be kept.
    NeedStated(NeedStated),
    /// A mistaken statement is to be taken back.
    UseWithdrawn(UseWithdrawn),
    /// A second person confirmed that.
    WithdrawalConfirmed(WithdrawalConfirmed),
    /// Questions were taken out of a service's budget.
    BudgetDrawn(BudgetDrawn),
    /// Somebody put his seal to the form by which a batch is provided.
    BatchSealed(BatchSealed),
    /// A custodian found a batch whole.
    BatchConfirmed(BatchConfirmed),
    /// A handler compared counts.
    BatchCompared(BatchCompared),
    /// A supervisor lets a batch be handed on whose counts did not match.
    MismatchAccepted(MismatchAccepted),
    /// Copies came due.
    CameDue {
        /// The batch.
        batch: BatchId,
        /// The clock that ran: `use-ended`, `import-committed`, …
        clock: String,
        /// Whether the whole batch is due, or its transfer files only.
        whole: bool,
        /// When destruction must have happened.
        deadline: Timestamp,
        /// The policy's clause.
        clause: String,
    },
    /// Somebody requests destruction (簽報).
    OrderRequested {
        /// Its id.
        order: OrderId,
        /// What it covers.
        copies: Vec<OrderedCopy>,
        /// Why.
        reason: String,
        /// Digest of the policies in force.
        policy: Digest,
        /// It is void after this.
        expires: Timestamp,
        /// How many people must approve it, where it is more than one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        approvers: Option<u32>,
        /// The standing approval under which the agent requests it: it is approved with this entry.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        standing: Option<StandingId>,
        /// Whether its copies, all of them kept by people, were chosen one by one.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        chosen: bool,
        /// The signed command.
        signed: Option<Signed>,
    },
    /// A second person agreed (核定).
    OrderApproved {
        /// The order.
        order: OrderId,
        /// Nothing is wiped before this, where the policy gives time to think again.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        not_before: Option<Timestamp>,
        /// The signed decision.
        signed: Signed,
    },
    /// The second person refused.
    OrderDenied {
        /// The order.
        order: OrderId,
        /// Why.
        reason: String,
        /// The signed decision.
        signed: Signed,
    },
    /// It lost its force: `hold`, `expired`, `changed`.
    OrderVoided {
        /// The order.
        order: OrderId,
        /// Why.
        code: String,
        /// Copies whose wipe had begun: they are there, and nobody can read them any more.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        unreadable: Vec<CopyId>,
    },
    /// A person stopped an order that was not carried out yet.
    OrderCancelled(OrderCancelled),
    /// A copy that an approved order covers is out of reach: it is left out, and somebody answers for it.
    CopyExcepted(Exception),
    /// Somebody asks to make a copy.
    CopyRequested(CopyRequested),
    /// The office that the policy names agreed, as a supervisor entered it.
    CopyApproved(CopyApproved),
    /// It was refused.
    CopyDenied(CopyDenied),
    /// It is not made after all.
    CopyWithdrawn(CopyWithdrawn),
    /// A copy that people keep is there.
    CopyDeclared(CopyDeclared),
    /// It has another place or holder.
    CopyMoved(CopyMoved),
    /// A copy that people keep was destroyed, as one of them says.
    EndRecorded(EndRecorded),
    /// A second person vouches for that.
    EndConfirmed(EndConfirmed),
    /// What was needed of a batch is printed and filed with its case.
    Filed(Filed),
    /// Somebody asks to hand data on.
    HandoverRequested(HandoverRequested),
    /// A second person agreed.
    HandoverApproved(HandoverApproved),
    /// It is not made, or not made after all.
    HandoverDenied(HandoverDenied),
    /// The recipient confirmed that it has the package.
    HandoverReceived(HandoverReceived),
    /// The recipient wrote that it has destroyed what it got.
    HandoverReturned(HandoverReturned),
    /// A delivery is about to come from a medium.
    MediaArriving(MediaArriving),
    /// A package is carried away on a medium.
    MediaCarried(MediaCarried),
    /// A standing passphrase of a link is in force.
    PassphraseConfirmed(PassphraseConfirmed),
    /// It is over.
    PassphraseEnded(PassphraseEnded),
    /// A standing approval is proposed.
    StandingProposed(StandingProposed),
    /// A supervisor confirmed it.
    StandingConfirmed(StandingConfirmed),
    /// It ended before its time.
    StandingEnded(StandingEnded),
    /// Papers that close an order, as the custodian has them.
    PapersRecorded(PapersRecorded),
    /// A supervisor confirmed them.
    PapersConfirmed(PapersConfirmed),
    /// Nothing is left to do for a batch.
    BatchClosed {
        /// The batch.
        batch: BatchId,
    },
    /// Destruction is forbidden.
    HoldPlaced {
        /// Its id.
        hold: HoldId,
        /// What it covers.
        scope: HoldScope,
        /// By whose authority.
        authority: String,
        /// Document number.
        doc_no: String,
        /// When it is to be reviewed.
        review: Timestamp,
        /// The signed decision.
        signed: Signed,
    },
    /// It was lifted.
    HoldLifted {
        /// The hold.
        hold: HoldId,
        /// The signed decision.
        signed: Signed,
    },
    /// A day's end of the access log.
    AccessCheckpoint {
        /// Its size.
        size: u64,
        /// Its root.
        root: Digest,
    },
    /// Somebody requests the end of keys of the access log.
    AccessOrderRequested(AccessRequested),
    /// The second person agreed.
    AccessOrderApproved(AccessApproved),
    /// The second person refused.
    AccessOrderDenied(AccessDenied),
    /// It lost its force.
    AccessOrderVoided(AccessVoided),
    /// An admin proposes a witness, or another key of one.
    WitnessProposed {
        /// Its name.
        name: String,
        /// Its verifier key (C2SP tlog-cosignature).
        vkey: String,
        /// The signed command.
        signed: Option<Signed>,
    },
    /// A second person confirmed it.
    WitnessConfirmed {
        /// Its name.
        name: String,
        /// The proposal's entry.
        proposal: u64,
        /// The signed decision.
        signed: Signed,
    },
    /// A witness's cosignature came. Its line verifies under the checkpoint of `size` entries, which is that of this register.
    CheckpointCosigned {
        /// Name of the witness.
        witness: String,
        /// Entries that it cosigned.
        size: u64,
        /// Their root.
        root: Digest,
        /// When, by the witness's clock.
        cosigned_at: Timestamp,
        /// The signature line of the note, byte for byte.
        line: String,
        /// The signed command.
        signed: Option<Signed>,
    },
    /// An authority's timestamp came, and is kept.
    TimestampKept(TimestampKept),
    /// Somebody acknowledges that cosignatures are overdue; not in force before it is confirmed.
    OverdueAcknowledged {
        /// Why.
        reason: String,
        /// The signed decision.
        signed: Signed,
    },
    /// A second person confirmed it: the alarm rests for one more period.
    OverdueConfirmed {
        /// The acknowledgement's entry.
        proposal: u64,
        /// The signed decision.
        signed: Signed,
    },
    /// A remote delivery was fetched whole.
    RemoteTaken(RemoteTaken),
    /// It was lost before it was claimed.
    RemoteForgotten(RemoteForgotten),
    /// A person released it by hand.
    RemoteSettled(RemoteSettled),
    /// Deliveries are expected by a rule from now on.
    ExpectationBegun(ExpectationBegun),
    /// Not any more.
    ExpectationEnded(ExpectationEnded),
    /// An expected delivery is missing.
    DeliveryMissed(DeliveryMissed),
    /// An expected delivery came.
    DeliveryCame(DeliveryCame),
    /// A link was in force before its policy asked for an application.
    LinkAsFound(LinkAsFound),
    /// Somebody applies for a link, or for a change of one.
    LinkApplied(LinkApplied),
    /// An office agreed.
    LinkCountersigned(LinkCountersigned),
    /// An office refused.
    LinkRefused(LinkRefused),
    /// A link was tested.
    LinkTested(LinkTested),
    /// A link was reviewed.
    LinkReviewed(LinkReviewed),
    /// A link is stopped at once.
    LinkStopped(LinkStopped),
    /// Somebody proposes to take up a suspended link again.
    LinkResumeProposed(LinkResumeProposed),
    /// A second person confirmed it.
    LinkResumed(LinkResumed),
    /// A paper is kept.
    PaperKept(PaperKept),
    /// Somebody looked at what backups hold.
    BackupReviewed(BackupReviewed),
    /// Somebody proposes to amend what an entry says.
    FactAmended(FactAmended),
    /// A second person confirmed it.
    AmendmentConfirmed(AmendmentConfirmed),
    /// Somebody noted something about an entry.
    NoteAdded(NoteAdded),
    /// A decision on paper was typed.
    DecisionEntered(DecisionEntered),
    /// A second person confirmed it.
    DecisionConfirmed(DecisionConfirmed),
    /// An appointment is proposed.
    AppointmentProposed(AppointmentProposed),
    /// A second person agreed to it.
    AppointmentConfirmed(AppointmentConfirmed),
    /// Somebody leaves a post, or altogether.
    LeavingRecorded(LeavingRecorded),
    /// The rights that went with it ended on the day.
    RightsEnded(RightsEnded),
    /// The term of an appointment is over, and the role of its post with it.
    TermEnded(TermEnded),
    /// Custody went over to another custodian.
    CustodyHandedOver(CustodyHandedOver),
    /// An office was told of a change of post.
    ChangeTold(ChangeTold),
    /// Somebody was trained.
    TrainingRecorded(TrainingRecorded),
    /// A confidentiality agreement is on file.
    AgreementRecorded(AgreementRecorded),
    /// Every account was reviewed.
    AccountsReviewed(AccountsReviewed),
    /// A second person confirmed the review.
    AccountsReviewConfirmed(AccountsReviewConfirmed),
    /// Somebody knows why one system user signs with several people's keys.
    SharedUserAcknowledged(SharedUserAcknowledged),
    /// And a second person.
    SharedUserConfirmed(SharedUserConfirmed),
    /// An account that nobody uses rests.
    AccountSuspended(AccountSuspended),
    /// An account read something without a signature, for the first time on a day.
    AccountUsed {},
    /// The agent bound itself to the seed of a sample of the access log.
    SampleSealed(SampleSealed),
    /// A sample was drawn.
    SampleDrawn(SampleDrawn),
    /// A part of what was drawn.
    SampleListed(SampleListed),
    /// Somebody looked through it.
    SampleReviewed(SampleReviewed),
    /// The other office's account agreed to that.
    ReviewConfirmed(ReviewConfirmed),
    /// Something was found otherwise than in a sample.
    FindingAdded(FindingAdded),
    /// What was done about a finding.
    FindingCorrected(FindingCorrected),
    /// An office was told how a finding ended.
    FindingTold(FindingTold),
    /// A second person closed a finding, or had it corrected again.
    FindingJudged(FindingJudged),
    /// An incident became known.
    IncidentReported(IncidentReported),
    /// It was looked into.
    IncidentInvestigated(IncidentInvestigated),
    /// The other one who looked into it agreed.
    InvestigationConfirmed(InvestigationConfirmed),
    /// An office was told of an incident.
    IncidentTold(IncidentTold),
    /// What was done about an incident.
    IncidentRemedied(IncidentRemedied),
    /// A second person closed an incident.
    IncidentClosed(IncidentClosed),
    /// Somebody was told of a delivery.
    NoticeGiven(NoticeGiven),
    /// What a letter says of a delivery was typed.
    DeliveryAnnounced(DeliveryAnnounced),
    /// A second person confirmed it.
    AnnouncementConfirmed(AnnouncementConfirmed),
    /// It was taken back.
    AnnouncementWithdrawn(AnnouncementWithdrawn),
    /// A person said which batch a notice is about.
    NoticeJoined(NoticeJoined),
    /// A report was made.
    ReportMade(ReportMade),
    /// It was signed off.
    ReportSigned(ReportSigned),
    /// It was sent on.
    ReportSent(ReportSent),
    /// An audit is planned.
    AuditPlanned(AuditPlanned),
    /// An audit took place.
    AuditRecorded(AuditRecorded),
    /// A second person signed its record.
    AuditSigned(AuditSigned),
    /// Somebody is asked for evidence.
    EvidenceAsked(EvidenceAsked),
    /// Evidence was handed in.
    EvidenceAnswered(EvidenceAnswered),
    /// The day of an audit without notice is drawn.
    AuditDayDrawn(AuditDayDrawn),
    /// It is told.
    AuditDayTold(AuditDayTold),
    /// A signature under a reading has counted; the reading itself is in the access log.
    NonceSpent {
        /// Its nonce.
        nonce: String,
    },
    /// Somebody tried what the rules forbid.
    ActRefused {
        /// The command.
        command: String,
        /// What it was about.
        object: String,
        /// Why, a code such as `own-request`.
        code: String,
        /// How many more of its kind came before it and were left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        left_out: Option<u64>,
    },
}
