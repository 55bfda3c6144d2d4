//! A policy: what one regulation demands, each value with the clause that it comes from.
//!
//! A file says which parameters it sets ([`parameters`]); layers of files lie over each other ([`layers`]); what comes of
//! them on a day is a [`Policy`], which the engine reads.

mod audits;
mod build;
pub mod clauses;
pub mod incidents;
mod intake;
pub mod layers;
pub mod length;
pub mod links;
pub mod parameters;
mod people;
pub mod periods;
pub mod sampling;
pub mod value;

pub use audits::AuditRule;
pub use intake::IntakeRule;
use layers::Stack;
pub use people::PeopleRule;

use super::{
    accounts::Role, handover::HandoverRule, link::Container, on_paper::PaperFor, time::Period,
    words::words,
};

/// A value and its clause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule<T> {
    /// The value.
    pub value: T,
    /// The clause, such as `TY-4.3.2`, or `own` for a rule of ours that a site may relax.
    pub clause: String,
}

/// `policies/<name>.yaml`, parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Name, the file's own.
    pub name: String,
    /// Title of the regulation.
    pub title: String,
    /// Title of its register (附件一).
    pub register_title: String,
    /// Transfer files.
    pub raw_file: RawFile,
    /// Loaded data.
    pub use_rule: UseRule,
    /// Destruction.
    pub destroy: Destroy,
    /// Copies that people make.
    pub copy: CopyRule,
    /// Handing on; nothing is handed on where there are no rules for it.
    pub handover: Option<HandoverRule>,
    /// Access.
    pub grant: GrantRule,
    /// Whether providers may encrypt to the agent's own recipient.
    pub standing_key: Rule<bool>,
    /// Retention of the access log; only ever extended.
    pub access_log: Rule<Period>,
    /// Retention of the register; only ever extended.
    pub register: Rule<Period>,
    /// What a policy may leave out.
    pub further: Further,
    /// The layers that it is made of.
    pub stack: Stack,
}

/// Rules that a policy may leave out, as far as something reads them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Further {
    /// How long a vendor may keep what it got after its use has ended.
    pub vendor_retention: Option<Rule<Period>>,
    /// Who is told of each destruction, beside the papers that are asked for.
    pub notify: Option<Rule<Vec<String>>>,
    /// Roles that one account must not have together.
    pub exclusive: Option<Rule<Vec<(Role, Role)>>>,
    /// What may leave on media.
    pub egress: Option<Rule<Egress>>,
    /// What deliveries may come in.
    pub containers: Option<Rule<Vec<Container>>>,
    /// Applications, reviews and validity of links.
    pub links: links::LinksRule,
    /// People.
    pub people: PeopleRule,
    /// Samples of the access log, reviewers and findings.
    pub sampling: sampling::SamplingRule,
    /// Incidents.
    pub incidents: incidents::IncidentRule,
    /// Audits and reports.
    pub audits: AuditRule,
    /// What may be decided on paper, entered by one account and confirmed by another; nothing where nothing is said.
    pub on_paper: Option<Rule<Vec<PaperFor>>>,
    /// From arrival to use.
    pub intake: IntakeRule,
    /// How days are counted.
    pub calendar: CalendarRule,
}

/// How days are counted (REGULATIONS 1.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CalendarRule {
    /// What a month is.
    pub month_rule: MonthRule,
    /// Whether the end of a notice rolls to the next working day; that of a destruction never does.
    pub notices_roll_forward: bool,
}

impl Default for CalendarRule {
    fn default() -> Self {
        Self { month_rule: MonthRule::Earlier, notices_roll_forward: true }
    }
}

words! {
    /// What a month is.
    MonthRule {
        /// It ends the day before the corresponding day, the first day not counted (民法第 121 條).
        Legal = "legal",
        /// It ends on the corresponding day.
        Naive = "naive",
        /// The earlier of the two, which is always in time.
        Earlier = "earlier",
    }
    /// What may leave on portable media.
    Egress {
        /// What is encrypted, its key apart.
        Encrypted = "encrypted",
        /// That, and never by a vendor's account.
        AgencyOnly = "agency-only",
        /// Nothing.
        Forbidden = "forbidden",
    }
}

/// What starts a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockStart {
    /// The content is committed to the vault.
    ImportCommitted,
    /// The delivery that a letter announced was received, by our own clock.
    LetterReceived,
    /// What was needed is printed and filed with its case (列印隨案附卷).
    PrintedAndFiled,
    /// Every unit has completed its use, and no need to keep was stated.
    UseEnded,
    /// A newer full file of the link was loaded.
    Superseded,
    /// The approved period of use is over.
    UsePeriodEnded,
    /// The link was terminated.
    LinkTerminated,
}

impl ClockStart {
    /// Every one.
    pub const ALL: &'static [Self] = &[
        Self::ImportCommitted,
        Self::LetterReceived,
        Self::PrintedAndFiled,
        Self::UseEnded,
        Self::Superseded,
        Self::UsePeriodEnded,
        Self::LinkTerminated,
    ];

    /// Reads a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|one| one.word() == word)
    }

    /// The word as it is written.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::ImportCommitted => "import-committed",
            Self::LetterReceived => "letter-received",
            Self::PrintedAndFiled => "printed-and-filed",
            Self::UseEnded => "use-ended",
            Self::Superseded => "superseded",
            Self::UsePeriodEnded => "use-period-ended",
            Self::LinkTerminated => "link-terminated",
        }
    }
}

/// Rules of transfer files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawFile {
    /// What starts their clock.
    pub start: Rule<ClockStart>,
    /// How long they may stay after it.
    pub retention: Rule<Period>,
}

impl RawFile {
    /// Whether they are due as soon as their content is committed, before the batch is.
    #[must_use]
    pub fn after_import(&self) -> bool {
        self.start.value == ClockStart::ImportCommitted
    }
}

/// Rules of loaded data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UseRule {
    /// How long the batch may stay after its use ended.
    pub retention: Rule<Period>,
    /// How long an older full file may stay after a newer one was loaded; nothing where that ends no use.
    pub superseded: Rule<Option<Period>>,
}

/// How destruction is approved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Approval {
    /// Each order by a supervisor.
    PerOrder,
    /// A standing approval serves; until one exists, each order by a supervisor.
    Standing,
}

impl Approval {
    /// Reads a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "per-order" => Some(Self::PerOrder),
            "standing" => Some(Self::Standing),
            _ => None,
        }
    }
}

/// Rules of destruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destroy {
    /// How it is approved.
    pub approval: Rule<Approval>,
    /// Roles that may request it.
    pub requesters: Rule<Vec<Role>>,
    /// Roles that may approve it.
    pub approver_roles: Rule<Vec<Role>>,
    /// Roles that may destroy what people keep, and record it; the agent wipes what it keeps itself.
    pub performers: Rule<Vec<Role>>,
    /// Roles that may vouch for that (會同監毀).
    pub witnesses: Rule<Vec<Role>>,
    /// How many people must approve, each another one.
    pub approvers: Rule<u32>,
    /// How long nothing is wiped after the approval, so that it can be taken back.
    pub cooling_off: Rule<Period>,
    /// Papers without which an order stays open.
    pub papers: Rule<Vec<String>>,
    /// Further papers where the order covers media or paper.
    pub media_papers: Rule<Vec<String>>,
    /// How long the papers may take after the certificate.
    pub papers_within: Rule<Period>,
}

/// The papers that a policy may ask for.
pub const PAPERS: &[&str] = &["letter", "evidence", "cc-it", "cc-ethics"];

/// Whether copies may be made by people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CopyApproval {
    /// Nobody is asked; the copy is made known before it exists all the same.
    None,
    /// An office approves each by a document (TY-4.2.4).
    Office,
    /// None may be made.
    Forbidden,
}

impl CopyApproval {
    /// Reads a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::None, Self::Office, Self::Forbidden].into_iter().find(|one| one.word() == word)
    }

    /// The word as it is written.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Office => "office",
            Self::Forbidden => "forbidden",
        }
    }
}

/// Rules of copies that people make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyRule {
    /// Who approves them.
    pub approval: Rule<CopyApproval>,
}

/// Rules of access.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantRule {
    /// Rows that one query may show.
    pub row_cap: Rule<u64>,
}

impl Policy {
    /// The papers without which an order stays open: those that are asked for, and one for each office that is told of a
    /// destruction.
    pub fn papers_of(&self, media: bool) -> impl Iterator<Item = &str> {
        let media = self.destroy.media_papers.value.iter().filter(move |_| media);
        let papers = self.destroy.papers.value.iter().chain(media).map(String::as_str);
        let told = self.further.notify.iter().flat_map(|rule| rule.value.iter());
        papers.chain(told.filter_map(|office| match office.as_str() {
            "agency" => Some("letter"),
            "it-office" => Some("cc-it"),
            "ethics-office" => Some("cc-ethics"),
            _ => None,
        }))
    }
}
