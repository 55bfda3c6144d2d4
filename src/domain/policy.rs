//! A policy: what one regulation demands, each value with the clause that it comes from.

use super::{accounts::Role, handover::HandoverRule, time::Period};

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
}

/// What starts a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockStart {
    /// The content is committed to the vault.
    ImportCommitted,
    /// Every unit has completed its use, and no need to keep was stated.
    UseEnded,
    /// What was needed is printed and filed with its case (列印隨案附卷).
    PrintedAndFiled,
}

impl ClockStart {
    /// Reads a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "import-committed" => Some(Self::ImportCommitted),
            "use-ended" => Some(Self::UseEnded),
            "printed-and-filed" => Some(Self::PrintedAndFiled),
            _ => None,
        }
    }

    /// The word as it is written.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::ImportCommitted => "import-committed",
            Self::UseEnded => "use-ended",
            Self::PrintedAndFiled => "printed-and-filed",
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
    /// The papers without which an order stays open.
    pub fn papers_of(&self, media: bool) -> impl Iterator<Item = &str> {
        let media = self.destroy.media_papers.value.iter().filter(move |_| media);
        self.destroy.papers.value.iter().chain(media).map(String::as_str)
    }

    /// Each rule in words: name, value, clause.
    #[must_use]
    pub fn rules(&self) -> Vec<(&'static str, String, &str)> {
        let start = self.raw_file.start.value.word();
        let roles = |rule: &Rule<Vec<Role>>| {
            rule.value.iter().map(|role| role.word()).collect::<Vec<_>>().join(", ")
        };
        let superseded =
            self.use_rule.superseded.value.map_or_else(|| "never".to_owned(), |p| p.words());
        let destroy = &self.destroy;
        let approval = match self.destroy.approval.value {
            Approval::PerOrder => "per-order",
            Approval::Standing => "standing",
        };
        let mut rules: Vec<(&'static str, String, &str)> = vec![
            ("raw_file.start_event", start.to_owned(), &self.raw_file.start.clause),
            (
                "raw_file.retention",
                self.raw_file.retention.value.words(),
                &self.raw_file.retention.clause,
            ),
            (
                "use.retention",
                self.use_rule.retention.value.words(),
                &self.use_rule.retention.clause,
            ),
            ("use.superseded", superseded, &self.use_rule.superseded.clause),
            ("destroy.approval", approval.to_owned(), &destroy.approval.clause),
            ("destroy.requesters", roles(&destroy.requesters), &destroy.requesters.clause),
            (
                "destroy.approver_roles",
                roles(&destroy.approver_roles),
                &destroy.approver_roles.clause,
            ),
            ("destroy.performers", roles(&destroy.performers), &destroy.performers.clause),
            ("destroy.witnesses", roles(&destroy.witnesses), &destroy.witnesses.clause),
            ("destroy.approvers", destroy.approvers.value.to_string(), &destroy.approvers.clause),
            ("destroy.cooling_off", destroy.cooling_off.value.words(), &destroy.cooling_off.clause),
            ("destroy.papers", destroy.papers.value.join(", "), &destroy.papers.clause),
            (
                "destroy.media_papers",
                destroy.media_papers.value.join(", "),
                &destroy.media_papers.clause,
            ),
            (
                "destroy.papers_within",
                destroy.papers_within.value.words(),
                &destroy.papers_within.clause,
            ),
            (
                "copy.approval",
                self.copy.approval.value.word().to_owned(),
                &self.copy.approval.clause,
            ),
            ("grant.row_cap", self.grant.row_cap.value.to_string(), &self.grant.row_cap.clause),
            ("key.standing", self.standing_key.value.to_string(), &self.standing_key.clause),
            ("access_log.retention", self.access_log.value.words(), &self.access_log.clause),
            ("register.retention", self.register.value.words(), self.register.clause.as_str()),
        ];
        rules.extend(self.handover.iter().flat_map(HandoverRule::rules));
        rules
    }
}
