//! Everything that can be looked at, as closed enums of plain data: the counterpart of `Command` and `Reply`.
//!
//! A query changes nothing and shows no row of loaded data (those need a grant: `reading.rs`). Long lists come in
//! parts, so that no answer keeps the writer for long.
//!
//! It is over 500 lines because the queries are one closed list.

use serde::{Deserialize, Serialize};

use super::{
    Command, Draft, Result, Service,
    access_keys::AccessKeyLine,
    applications::LinkPage,
    auditing::{AuditAsked, AuditPage, Sources, assessment::Assessment},
    copies::InventoryLine,
    duties::{DutiesWanted, DutyPage},
    expected::ExpectedPage,
    forms::{
        After, DestructionRecord, DutyList, EntryProof, ManifestBytes, OwedList, RegisterFilter,
        RegisterPart, Seal, Slip, UsePart,
    },
    handovers::HandoverLine,
    incidents::IncidentLine,
    kept_papers::{PaperFile, PaperLine},
    notifying::NoticeRow,
    people::{PeoplePage, ReviewPage, Roster},
    plan::PlanLine,
    reading::Reading,
    receipts::ReceiptText,
    sampling::{FindingLine, SampleLine, SampleProofText},
    show::{AccountLine, BatchPage, BatchRow, GrantLine, HoldLine, OrderLine, StandingLine},
    status::{StatusPage, TodayPage},
};
use crate::{
    domain::{
        brought::Sought,
        digest::Digest,
        entry::ConfigChange,
        ids::{BatchId, DocumentId, GrantId, HandoverId, OrderId, SampleId},
        layout::FieldKind,
        limits,
        on_paper::Subject,
        time::Timestamp,
    },
    error::{Error, Exit},
};

/// Something to look at.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "query", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Query {
    /// What the command line needs to know of the site.
    Site,
    /// `status`.
    Status,
    /// A part of `batch list`.
    Batches {
        /// The last batch of the part before.
        after: Option<BatchId>,
    },
    /// `batch show`.
    Batch {
        /// The batch.
        id: BatchId,
    },
    /// The batch that our id or the provider's number names.
    BatchNamed {
        /// What was typed.
        text: String,
    },
    /// `account list`.
    Accounts,
    /// `grant list`.
    Grants,
    /// `destroy list`.
    Orders,
    /// `access keys`.
    AccessKeys,
    /// `destroy plan`.
    Plan {
        /// By when.
        on: Timestamp,
    },
    /// `copy list`.
    Copies {
        /// One batch; every one where none is said.
        batch: Option<BatchId>,
        /// Those that are gone too.
        all: bool,
    },
    /// `audit sample list`.
    Samples,
    /// One sample.
    Sample {
        /// The sample.
        id: SampleId,
    },
    /// The proof of a sample.
    SampleProof {
        /// The sample.
        id: SampleId,
    },
    /// `audit finding list`.
    Findings,
    /// `incident list`.
    Incidents,
    /// `batch notices`.
    Notices,
    /// `audit list`, and what reports are made of.
    Audit {
        /// What of it.
        asked: AuditAsked,
    },
    /// `handover list`.
    Handovers,
    /// `handover show`.
    Handover {
        /// The hand-over.
        id: HandoverId,
    },
    /// `link list`, `link show`.
    Links {
        /// One; all where none is said.
        link: Option<String>,
    },
    /// `audit document list`.
    Papers,
    /// `audit document export`.
    Paper {
        /// The paper.
        id: DocumentId,
    },
    /// `appointment list`.
    People,
    /// What stands in the review of accounts.
    Review,
    /// `account roster`.
    Roster,
    /// `standing list`.
    Standings,
    /// `hold list`.
    Holds,
    /// What differs from the configuration in force.
    Pending,
    /// `link expected`.
    Expected {
        /// One link; every one that expects something where none is said.
        link: Option<String>,
        /// Since when; the last month where that is not said.
        from: Option<Timestamp>,
        /// Until when; the next ones where that is not said.
        until: Option<Timestamp>,
    },
    /// `duties`.
    Owed {
        /// Which of them.
        wanted: DutiesWanted,
    },
    /// `duties report`.
    OwedList {
        /// Which of them.
        wanted: DutiesWanted,
    },
    /// `today`.
    Today {
        /// The account; whoever asks where none is named.
        account: Option<String>,
    },
    /// A part of `register show`.
    Entries {
        /// The first entry.
        from: u64,
    },
    /// `register checkpoint`.
    Checkpoint {
        /// Entries; all there are where none is said.
        size: Option<u64>,
        /// The newest one that a witness has cosigned, with the cosignatures.
        #[serde(default)]
        cosigned: bool,
    },
    /// `witness list`.
    Witnesses,
    /// `witness request`.
    WitnessRequest {
        /// The witness.
        name: String,
        /// Entries that it saw last, where the register does not know that.
        since: Option<u64>,
    },
    /// `witness timestamp-request`.
    TimestampQuery,
    /// `receipt show`.
    Receipt {
        /// The batch.
        batch: BatchId,
    },
    /// `certificate show`.
    Certificate {
        /// The order.
        order: OrderId,
    },
    /// A part of `register export`.
    RegisterSheet {
        /// Which batches.
        filter: RegisterFilter,
        /// Where the part before ended.
        after: Option<After>,
    },
    /// `destroy slip`, `grant slip`, `copy slip`.
    Slip {
        /// What is decided on.
        subject: Subject,
    },
    /// `destroy record`.
    DestructionRecord {
        /// The batch.
        batch: BatchId,
    },
    /// `duties list`.
    Duties,
    /// The proof of an entry, for `evidence`.
    EntryProof {
        /// Its place.
        seq: u64,
        /// Size of the tree.
        size: u64,
    },
    /// The manifest of a batch, for `evidence`.
    ManifestBytes {
        /// The batch.
        batch: BatchId,
    },
    /// A part of the statistics of a batch's use, for `evidence`.
    UseStatistics {
        /// The batch.
        batch: BatchId,
        /// The first entry of the access log, where it is not the first part.
        from: Option<u64>,
    },
    /// Whether the values of a field may stand in a command line.
    Harmless {
        /// The grant whose link has the field.
        grant: GrantId,
        /// The field.
        field: String,
    },
    /// What a column of a list that is brought must be, for a field of the link of a grant.
    Sought {
        /// The grant.
        grant: GrantId,
        /// The field.
        field: String,
    },
    /// What has to be signed for a command.
    Draft {
        /// The command, without a secret.
        command: Command,
    },
}

/// What the command line needs to know of the site.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteFacts {
    /// Origin of its register, which every signed text names.
    pub origin: String,
    /// Time zone of dates without a time.
    pub zone: String,
}

/// A part of `batch list`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BatchPart {
    /// Its rows; deliveries that are not batches yet stand at the end of the last part.
    pub rows: Vec<BatchRow>,
    /// What the next part comes after; none where this is the last.
    pub next: Option<BatchId>,
}

/// A part of `register show`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EntryPart {
    /// Entries with their places.
    pub rows: Vec<serde_json::Value>,
    /// Who the people were that made them, by place.
    pub people: Vec<(u64, Seal)>,
    /// Who decided what was confirmed from a document, by the place of the confirmation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub decided: Vec<(u64, Seal)>,
    /// Where the next part begins; none where this is the last.
    pub next: Option<u64>,
}

/// A certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateText {
    /// The bytes of its file, which are JSON.
    pub text: String,
}

/// A signed checkpoint of the register, in both forms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CheckpointText {
    /// Entries.
    pub size: u64,
    /// The signed note.
    pub note: String,
    /// An armored SSHSIG of the note's first three lines, namespace `batchward-checkpoint`.
    pub sshsig: String,
}

/// What a witness is asked to cosign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestText {
    /// Entries that the witness saw last.
    pub since: u64,
    /// Entries now.
    pub size: u64,
    /// The request, as it stands in a file.
    pub text: String,
}

/// What an authority is asked to stamp.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimestampQuery {
    /// Entries of the checkpoint.
    pub size: u64,
    /// Base64 of the query (RFC 3161, DER).
    pub der: String,
}

/// A row of `witness list`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct WitnessLine {
    /// Its name.
    pub name: String,
    /// `active`, or `proposed` before the first confirmation.
    pub state: String,
    /// Its verifier key.
    pub vkey: String,
    /// Whether another key waits for a second person.
    pub waits: bool,
    /// Whether `anchoring` of agent.yaml counts it.
    pub counts: bool,
    /// Entries that it cosigned last.
    pub size: Option<u64>,
    /// When.
    pub cosigned_at: Option<Timestamp>,
}

/// What only the agent knows of a text to be signed; the rest the signer has asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DraftFacts {
    /// Origin of the register.
    pub origin: String,
    /// Hash of the register entry that is decided on, or of the command's own parameters.
    pub object_digest: Digest,
}

/// Declares [`Answer`] and the way from and to the values in it.
macro_rules! answers {
    ($($(#[$about:meta])* $name:ident($value:ty),)+) => {
        /// What a query came to.
        #[derive(Debug, Serialize, Deserialize)]
        #[serde(tag = "answer", content = "value", rename_all = "kebab-case")]
        pub enum Answer {
            $($(#[$about])* $name($value),)+
        }
        $(impl From<$value> for Answer {
            fn from(value: $value) -> Self {
                Self::$name(value)
            }
        }
        impl TryFrom<Answer> for $value {
            type Error = Error;
            fn try_from(answer: Answer) -> Result<Self> {
                match answer {
                    Answer::$name(value) => Ok(value),
                    _ => Err(Error::new(Exit::Failed, "the agent answered another question")),
                }
            }
        })+
    };
}

answers! {
    /// [`Query::Site`].
    Site(SiteFacts),
    /// [`Query::Status`].
    Status(Box<StatusPage>),
    /// [`Query::Batches`].
    Batches(BatchPart),
    /// [`Query::Batch`].
    Batch(Box<BatchPage>),
    /// [`Query::BatchNamed`].
    BatchNamed(BatchId),
    /// [`Query::Accounts`].
    Accounts(Vec<AccountLine>),
    /// [`Query::Grants`].
    Grants(Vec<GrantLine>),
    /// [`Query::Orders`].
    Orders(Vec<OrderLine>),
    /// [`Query::AccessKeys`].
    AccessKeys(Vec<AccessKeyLine>),
    /// [`Query::Plan`].
    Plan(Vec<PlanLine>),
    /// [`Query::Copies`].
    Copies(Vec<InventoryLine>),
    /// [`Query::Links`].
    Links(Vec<LinkPage>),
    /// [`Query::Papers`].
    Papers(Vec<PaperLine>),
    /// [`Query::Paper`].
    Paper(Box<PaperFile>),
    /// [`Query::Samples`].
    Samples(Vec<SampleLine>),
    /// [`Query::Sample`].
    Sample(Box<SampleLine>),
    /// [`Query::SampleProof`].
    SampleProof(SampleProofText),
    /// [`Query::Findings`].
    Findings(Vec<FindingLine>),
    /// [`Query::Incidents`].
    Incidents(Vec<IncidentLine>),
    /// [`Query::Notices`].
    Notices(Vec<NoticeRow>),
    /// [`AuditAsked::List`].
    Audits(Box<AuditPage>),
    /// [`AuditAsked::Assessment`].
    Assessment(Box<Assessment>),
    /// [`AuditAsked::Sources`].
    Sources(Box<Sources>),
    /// [`Query::Handovers`].
    Handovers(Vec<HandoverLine>),
    /// [`Query::Handover`].
    Handover(Box<HandoverLine>),
    /// [`Query::People`].
    People(PeoplePage),
    /// [`Query::Review`].
    Review(Box<ReviewPage>),
    /// [`Query::Roster`].
    Roster(Box<Roster>),
    /// [`Query::Standings`].
    Standings(Vec<StandingLine>),
    /// [`Query::Holds`].
    Holds(Vec<HoldLine>),
    /// [`Query::Pending`].
    Pending(Vec<ConfigChange>),
    /// [`Query::Expected`].
    Expected(Vec<ExpectedPage>),
    /// [`Query::Owed`].
    Owed(Box<DutyPage>),
    /// [`Query::OwedList`].
    OwedList(Box<OwedList>),
    /// [`Query::Today`].
    Today(Box<TodayPage>),
    /// [`Query::Entries`].
    Entries(EntryPart),
    /// [`Query::Checkpoint`].
    Checkpoint(CheckpointText),
    /// [`Query::Witnesses`].
    Witnesses(Vec<WitnessLine>),
    /// [`Query::WitnessRequest`].
    WitnessRequest(RequestText),
    /// [`Query::TimestampQuery`].
    TimestampQuery(TimestampQuery),
    /// [`Query::Receipt`].
    Receipt(ReceiptText),
    /// [`Query::Certificate`].
    Certificate(CertificateText),
    /// [`Query::RegisterSheet`].
    RegisterSheet(Box<RegisterPart>),
    /// [`Query::Slip`].
    Slip(Box<Slip>),
    /// [`Query::DestructionRecord`].
    DestructionRecord(Box<DestructionRecord>),
    /// [`Query::Duties`].
    Duties(Box<DutyList>),
    /// [`Query::EntryProof`].
    EntryProof(EntryProof),
    /// [`Query::ManifestBytes`].
    ManifestBytes(ManifestBytes),
    /// [`Query::UseStatistics`].
    UseStatistics(UsePart),
    /// [`Query::Harmless`].
    Harmless(bool),
    /// [`Query::Sought`].
    Sought(Sought),
    /// [`Query::Draft`].
    Draft(DraftFacts),
}

impl Service {
    /// Looks something up.
    ///
    /// # Errors
    /// It is not there, or a store cannot be read.
    pub fn ask(&mut self, query: Query) -> Result<Answer> {
        Ok(match query {
            Query::Site => self.site_facts()?.into(),
            Query::Status => Box::new(self.status()?).into(),
            Query::Batches { after } => self.batch_part(after)?.into(),
            Query::Batch { id } => Box::new(self.batch(id)?).into(),
            Query::BatchNamed { text } => self.batch_named(&text)?.into(),
            Query::Accounts => self.accounts().into(),
            Query::Grants => self.grants().into(),
            Query::Orders => self.orders().into(),
            Query::AccessKeys => self.access_keys().into(),
            Query::Plan { on } => self.plan(on)?.into(),
            Query::Copies { batch, all } => self.inventory(batch, all)?.into(),
            Query::Samples => self.samples().into(),
            Query::Sample { id } => Box::new(self.sample_page(id)?).into(),
            Query::SampleProof { id } => self.sample_proof(id)?.into(),
            Query::Findings => self.findings().into(),
            Query::Incidents => self.incident_lines().into(),
            Query::Notices => self.notice_rows().into(),
            Query::Audit { asked } => self.audit_answer(&asked)?,
            Query::Handovers => self.handovers().into(),
            Query::Handover { id } => Box::new(self.handover_page(id)?).into(),
            Query::Links { link } => self.link_pages(link.as_deref())?.into(),
            Query::Papers => self.papers().into(),
            Query::Paper { id } => Box::new(self.paper_file(id)?).into(),
            Query::People => self.people_page().into(),
            Query::Review => Box::new(self.review_page()?).into(),
            Query::Roster => Box::new(self.roster()?).into(),
            Query::Standings => self.standings().into(),
            Query::Holds => self.holds().into(),
            Query::Pending => self.pending().to_vec().into(),
            Query::Expected { link, from, until } => {
                self.expected_deliveries(link.as_deref(), from, until)?.into()
            }
            Query::Owed { wanted } => Box::new(self.duties(&wanted, None)).into(),
            Query::OwedList { wanted } => Box::new(self.owed_list(wanted, None)?).into(),
            Query::Today { account } => Box::new(self.today(account, None)?).into(),
            Query::Entries { from } => self.entry_part(from)?.into(),
            Query::Checkpoint { size, cosigned } => self.checkpoint(size, cosigned)?.into(),
            Query::Witnesses => self.witnesses().into(),
            Query::WitnessRequest { name, since } => self.witness_request(&name, since)?.into(),
            Query::TimestampQuery => self.timestamp_query()?.into(),
            Query::Receipt { batch } => self.receipt_text(batch)?.into(),
            Query::Certificate { order } => {
                let bytes = self.certificate(order)?;
                let text = String::from_utf8(bytes)
                    .map_err(|_| Error::new(Exit::Data, "the certificate is not UTF-8"))?;
                CertificateText { text }.into()
            }
            Query::RegisterSheet { filter, after } => {
                Box::new(self.register_part(filter, after)?).into()
            }
            Query::Slip { subject } => Box::new(self.slip(subject)?).into(),
            Query::DestructionRecord { batch } => Box::new(self.destruction_record(batch)?).into(),
            Query::Duties => Box::new(self.duty_list()?).into(),
            Query::EntryProof { seq, size } => self.entry_proof(seq, size)?.into(),
            Query::ManifestBytes { batch } => self.manifest_bytes(batch)?.into(),
            Query::UseStatistics { batch, from } => self.use_part(batch, from)?.into(),
            Query::Harmless { grant, field } => self.harmless(grant, &field).into(),
            Query::Sought { grant, field } => self.sought(grant, &field).into(),
            Query::Draft { command } => {
                let Draft { origin, object_digest, .. } = self.draft(&command)?;
                DraftFacts { origin, object_digest }.into()
            }
        })
    }

    fn site_facts(&self) -> Result<SiteFacts> {
        Ok(SiteFacts { origin: self.origin()?, zone: self.engine.rules.zone.to_string() })
    }

    fn batch_part(&mut self, after: Option<BatchId>) -> Result<BatchPart> {
        let later = self.engine.view.batches.keys_after(after);
        let mut ids: Vec<BatchId> = later.take(limits::PART_BATCHES_MAX + 1).collect();
        let more = ids.len() > limits::PART_BATCHES_MAX;
        ids.truncate(limits::PART_BATCHES_MAX);
        let mut rows = Vec::with_capacity(ids.len());
        for id in &ids {
            rows.push(self.batch_row(*id)?);
        }
        let next = ids.last().copied().filter(|_| more);
        if next.is_none() {
            rows.extend(self.waiting_rows()?);
        }
        Ok(BatchPart { rows, next })
    }

    /// A value may stand in a command line only when its field says nothing about who a person is: other users of the
    /// machine can read command lines.
    fn harmless(&self, grant: GrantId, field: &str) -> bool {
        let rules = &self.engine.rules;
        let grant = self.engine.view.grants.get(&grant);
        let link = grant.and_then(|grant| rules.links.get(&grant.terms.link));
        let field =
            link.and_then(|link| rules.layout_of(link)).and_then(|layout| layout.field(field));
        field.is_some_and(|field| {
            !field.key && matches!(field.kind, FieldKind::Code | FieldKind::Integer)
        })
    }

    /// How a list is read whose values are of a field. What may not be asked is refused when it is, and logged.
    fn sought(&self, grant: GrantId, field: &str) -> Sought {
        let rules = &self.engine.rules;
        let row = self.engine.view.grants.get(&grant);
        let link = row.and_then(|row| rules.links.get(&row.terms.link));
        let found = link.and_then(|link| rules.layout_of(link)?.field(field));
        found.map_or_else(|| Sought::named(field), Sought::of)
    }

    /// Origin of the register.
    pub(super) fn origin(&self) -> Result<String> {
        let site = self.engine.view.site.as_ref();
        let site = site.ok_or_else(|| Error::new(Exit::Config, "there is no site"))?;
        Ok(format!("batchward/{}", site.name))
    }
}

impl Draft {
    /// The text that proves an account on one connection.
    #[must_use]
    pub fn of_identity(origin: &str, challenge: &str) -> Self {
        Self {
            namespace: super::authority::COMMAND,
            origin: origin.to_owned(),
            command: "identify".to_owned(),
            object: challenge.to_owned(),
            object_digest: Digest::of(challenge.as_bytes()),
            text: String::new(),
        }
    }

    /// The text of a command, as the one who asks for it knows it; the agent's part is in `facts`.
    #[must_use]
    pub fn of_command(command: &Command, facts: DraftFacts) -> Self {
        Self {
            namespace: command.namespace(),
            origin: facts.origin,
            command: command.word().to_owned(),
            object: command.object(),
            object_digest: facts.object_digest,
            text: command.text().to_owned(),
        }
    }

    /// The text of a reading.
    ///
    /// # Errors
    /// It cannot be written as JSON.
    pub fn of_reading(reading: &Reading, origin: String) -> Result<Self> {
        Ok(Self {
            namespace: super::authority::COMMAND,
            origin,
            command: reading.word().to_owned(),
            object: reading.grant.to_string(),
            object_digest: reading.digest()?,
            text: reading.reason.clone(),
        })
    }
}
