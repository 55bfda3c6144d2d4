//! A policy: what one regulation demands, each value with the clause that it comes from.

use super::time::Period;

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
}

impl ClockStart {
    /// Reads a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "import-committed" => Some(Self::ImportCommitted),
            "use-ended" => Some(Self::UseEnded),
            _ => None,
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
    /// Papers without which an order stays open.
    pub papers: Rule<Vec<String>>,
}

/// Rules of access.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantRule {
    /// Rows that one query may show.
    pub row_cap: Rule<u64>,
}

impl Policy {
    /// Whether an order stays open until papers are recorded.
    #[must_use]
    pub fn needs_papers(&self) -> bool {
        !self.destroy.papers.value.is_empty()
    }

    /// Each rule in words: name, value, clause.
    #[must_use]
    pub fn rules(&self) -> Vec<(&'static str, String, &str)> {
        let start = match self.raw_file.start.value {
            ClockStart::ImportCommitted => "import-committed",
            ClockStart::UseEnded => "use-ended",
        };
        let approval = match self.destroy.approval.value {
            Approval::PerOrder => "per-order",
            Approval::Standing => "standing",
        };
        vec![
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
            ("destroy.approval", approval.to_owned(), &self.destroy.approval.clause),
            ("destroy.papers", self.destroy.papers.value.join(", "), &self.destroy.papers.clause),
            ("grant.row_cap", self.grant.row_cap.value.to_string(), &self.grant.row_cap.clause),
            ("key.standing", self.standing_key.value.to_string(), &self.standing_key.clause),
            ("access_log.retention", self.access_log.value.words(), &self.access_log.clause),
            ("register.retention", self.register.value.words(), &self.register.clause),
        ]
    }
}
