//! People: roles, and which act each may do (DESIGN 10, the second table).
//!
//! Separation is per act, not per role: small offices give one person several roles, and who asked never approves.

use serde::{Deserialize, Serialize};

/// A role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// 專責人員.
    Custodian,
    /// 業務單位承辦人.
    Handler,
    /// 單位主管.
    Supervisor,
    /// 稽核人.
    Auditor,
    /// 機關管理人.
    Admin,
    /// 委辦機構.
    Vendor,
    /// 介接系統: a program, not a person. It asks at the agent's interface for services, and does nothing else.
    Service,
}

impl Role {
    /// Every role.
    pub const ALL: &'static [Self] = &[
        Self::Custodian,
        Self::Handler,
        Self::Supervisor,
        Self::Auditor,
        Self::Admin,
        Self::Vendor,
        Self::Service,
    ];

    /// Those that people have.
    pub const OF_PEOPLE: &'static [Self] = &[
        Self::Custodian,
        Self::Handler,
        Self::Supervisor,
        Self::Auditor,
        Self::Admin,
        Self::Vendor,
    ];

    /// The word as it is written.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Custodian => "custodian",
            Self::Handler => "handler",
            Self::Supervisor => "supervisor",
            Self::Auditor => "auditor",
            Self::Admin => "admin",
            Self::Vendor => "vendor",
            Self::Service => "service",
        }
    }

    /// Reads a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|role| role.word() == word)
    }
}

/// What somebody does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Act {
    /// `account add`, `account disable`, `config propose`.
    Administer,
    /// `account confirm`, `config confirm`.
    ConfirmAdministration,
    /// `key submit`, `key standing`, `key end`, `batch announce`, `batch join`, `batch confirm`, `batch retry`,
    /// `batch reject`, `batch release`, `link baseline`.
    Keep,
    /// `link baseline --confirm`, `key confirm`.
    ConfirmBaseline,
    /// `grant apply`, `query`, `match`, `use complete`, `use no-need`, `use keep`, `use withdraw`, `use filed`,
    /// `batch compare`, `copy request`, `handover request`.
    Use,
    /// `batch provide`: whose turn it is, the batch says.
    Provide,
    /// `copy approve`, `copy deny`, `handover approve`, `handover deny`.
    DecideCopy,
    /// `link apply`, `link tested`.
    ApplyForLink,
    /// `link countersign`, `link refuse`: for which office, the office says.
    DecideLink,
    /// `link review`, `link suspend`, `link terminate`, `link resume`.
    KeepLink,
    /// `audit document add`, `audit backup-review`.
    KeepPapers,
    /// `copy withdraw`, `copy declare`, `copy move`, `media record`, `handover make`, `handover confirm`,
    /// `handover returned`.
    KeepCopies,
    /// `media confirm`.
    Vouch,
    /// `grant approve`, `grant deny`, `grant revoke`, `batch accept`, `use confirm`.
    DecideUse,
    /// `destroy request`.
    RequestDestruction,
    /// `destroy approve`, `destroy deny`.
    DecideDestruction,
    /// `destroy cancel`.
    CancelDestruction,
    /// `destroy except`, `destroy confirm`, `standing confirm`.
    ConfirmPapers,
    /// `hold place`, `hold lift`.
    Hold,
    /// `access show`, `access export`; `audit report`, `audit statistics`, `audit reconcile`, `audit plan`, `audit record`, …
    Audit,
    /// `audit sign` of a report (核閱).
    SignReport,
    /// `audit sign` of an audit, `audit day`.
    SignAudit,
    /// `access destroy-approve`, `access destroy-deny`.
    DecideAccess,
    /// `appointment add`, `appointment told`, `appointment training`, `appointment agreement`.
    Appoint,
    /// `account review`.
    ReviewAccounts,
    /// `witness take`, `witness acknowledge`, `account acknowledge`.
    Anchor,
    /// `witness acknowledge --confirm`, `account acknowledge --confirm`.
    ConfirmAnchor,
    /// `audit finding correct`, `incident remedy`.
    Correct,
    /// `audit finding told`, `incident notify`.
    Tell,
    /// `audit finding close`, `audit finding return`, `incident investigate`, `incident close`.
    Judge,
    /// `incident report`.
    Report,
    /// `destroy approve --paper`, `grant deny --paper`, …: to type a decision from a signed document.
    EnterDecision,
    /// `destroy confirm`, `grant confirm`, `copy confirm` of one that another person typed.
    ConfirmDecision,
    /// `register amend`, `register note`.
    Amend,
    /// `register confirm`.
    ConfirmAmendment,
    /// `batch notice`.
    GiveNotice,
    /// `batch announce-confirm`.
    ConfirmAnnouncement,
    /// A question of a service: `POST /v1/verifications`.
    Verify,
    /// `register show`, `register verify`, `batch list`, …
    Look,
}

impl Act {
    /// The roles that may do it; one of them is enough.
    #[must_use]
    pub const fn roles(self) -> &'static [Role] {
        match self {
            Self::Administer => &[Role::Admin],
            Self::ConfirmAdministration => &[Role::Admin, Role::Supervisor],
            Self::Keep => &[Role::Custodian],
            Self::Use => &[Role::Handler],
            Self::Provide => &[Role::Handler, Role::Custodian, Role::Supervisor],
            Self::ConfirmBaseline | Self::DecideUse | Self::DecideCopy | Self::ConfirmPapers => {
                &[Role::Supervisor]
            }
            Self::ApplyForLink => &[Role::Handler, Role::Custodian, Role::Admin],
            Self::DecideLink => &[Role::Custodian, Role::Admin, Role::Supervisor, Role::Auditor],
            Self::KeepPapers => &[Role::Custodian, Role::Admin, Role::Supervisor, Role::Auditor],
            Self::KeepLink => &[Role::Custodian, Role::Admin, Role::Supervisor],
            Self::KeepCopies | Self::GiveNotice | Self::ConfirmAnnouncement => {
                &[Role::Custodian, Role::Handler]
            }
            Self::Vouch => &[Role::Custodian, Role::Handler, Role::Supervisor, Role::Auditor],
            // Which of these it is, the policy says: the table of DESIGN 10, unless a site's rules name others.
            Self::DecideDestruction => &[Role::Supervisor, Role::Auditor, Role::Admin],
            Self::RequestDestruction => &[Role::Custodian, Role::Handler, Role::Vendor],
            Self::CancelDestruction => &[Role::Custodian, Role::Handler, Role::Supervisor],
            Self::Appoint => &[Role::Admin, Role::Supervisor, Role::Custodian],
            // Which of these it is, the policy says (NTP-6.4a: the auditor; TY-3.2a: the admin).
            Self::ReviewAccounts => &[Role::Admin, Role::Auditor, Role::Supervisor],
            Self::Hold | Self::ConfirmAnchor | Self::Judge => &[Role::Supervisor, Role::Auditor],
            Self::Audit => &[Role::Auditor],
            Self::DecideAccess | Self::SignReport => &[Role::Supervisor],
            Self::Correct => &[Role::Custodian, Role::Handler, Role::Supervisor, Role::Admin],
            Self::Anchor | Self::Tell => {
                &[Role::Custodian, Role::Supervisor, Role::Auditor, Role::Admin]
            }
            Self::Amend => &[Role::Custodian, Role::Handler, Role::Supervisor, Role::Admin],
            Self::ConfirmAmendment => {
                &[Role::Custodian, Role::Handler, Role::Supervisor, Role::Auditor]
            }
            Self::EnterDecision => &[Role::Custodian, Role::Handler],
            Self::ConfirmDecision => &[Role::Custodian, Role::Handler, Role::Supervisor],
            // Whoever sees that something happened says so.
            Self::Look | Self::Report => Role::OF_PEOPLE,
            Self::Verify => &[Role::Service],
            Self::SignAudit => &[Role::Auditor, Role::Supervisor],
        }
    }

    /// Whether a policy or the office that is asked says which of the roles it is.
    #[must_use]
    pub const fn is_of_an_office(self) -> bool {
        matches!(self, Self::DecideDestruction | Self::DecideLink | Self::ReviewAccounts)
    }

    /// Whether one of `roles` may do it.
    #[must_use]
    pub fn allowed_to(self, roles: &[Role]) -> bool {
        roles.iter().any(|role| self.roles().contains(role))
    }
}
