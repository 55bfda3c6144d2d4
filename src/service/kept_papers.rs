//! Papers kept for inspection, and looks at what backups hold: `audit document …`, `audit backup-review`.

use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

use super::{Actor, Reply, Result, Service, stated};
use crate::{
    domain::{
        accounts::Act,
        digest::Digest,
        entry::{BackupReviewed, Body, PaperKept, SentTo},
        ids::DocumentId,
        limits, national_id,
        papers::{BackupResult, PaperKind},
        time::Timestamp,
        view::Paper,
    },
    error::{Error, Exit},
};

/// An act about papers that are kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "kebab-case", deny_unknown_fields)]
pub enum PaperAct {
    /// `audit document add`.
    Add {
        /// What it is.
        kind: PaperKind,
        /// Its number.
        doc_no: String,
        /// Its day.
        on: Timestamp,
        /// Base64 of the file.
        content: String,
        /// Where it was sent.
        sent_to: Vec<SentTo>,
        /// Until when it is in force.
        valid_until: Option<Timestamp>,
    },
    /// `audit backup-review`.
    BackupReview {
        /// What it came to.
        result: BackupResult,
        /// Number of the document about it.
        doc_no: String,
    },
}

impl PaperAct {
    /// The words of the command line.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Add { .. } => "audit document add",
            Self::BackupReview { .. } => "audit backup-review",
        }
    }

    /// Which act it is, for the roles.
    #[must_use]
    pub const fn act(&self) -> Act {
        Act::KeepPapers
    }

    /// What it is about.
    #[must_use]
    pub fn object(&self) -> String {
        match self {
            Self::Add { kind, .. } => kind.to_string(),
            Self::BackupReview { .. } => "backup".to_owned(),
        }
    }

    /// What the person typed in words.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Add { doc_no, .. } | Self::BackupReview { doc_no, .. } => doc_no,
        }
    }
}

/// A paper.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PaperLine {
    /// Id.
    pub id: DocumentId,
    /// What it is.
    pub kind: PaperKind,
    /// Its number.
    pub doc_no: String,
    /// Its day.
    pub on: Timestamp,
    /// SHA-256 of the file.
    pub sha256: Digest,
    /// Its size in bytes.
    pub bytes: u64,
    /// Where it was sent.
    pub sent_to: Vec<SentTo>,
    /// Until when it is in force.
    pub valid_until: Option<Timestamp>,
    /// Who entered it.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// The file of a paper.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PaperFile {
    /// The paper.
    pub paper: PaperLine,
    /// Base64 of the file.
    pub content: String,
}

impl Service {
    pub(super) fn paper_do(&mut self, actor: &Actor, act: PaperAct) -> Result<Reply> {
        match act {
            PaperAct::Add { kind, doc_no, on, content, sent_to, valid_until } => {
                let content = BASE64
                    .decode(content.as_bytes())
                    .map_err(|_| Error::new(Exit::Data, "the paper is not in base64"))?;
                let document = self.engine.view.next_document();
                let paper = PaperKept {
                    document,
                    kind,
                    doc_no,
                    on,
                    sha256: Digest::of(&content),
                    bytes: content.len() as u64,
                    sent_to,
                    valid_until,
                    signed: actor.signed.clone(),
                };
                self.paper_add(actor, paper, &content)
            }
            PaperAct::BackupReview { result, doc_no } => {
                stated("the document number", &doc_no)?;
                let signed = actor.signed.clone();
                self.record(
                    actor,
                    Body::BackupReviewed(BackupReviewed { result, doc_no, signed }),
                )?;
                Ok(Reply::new(&"backup", "the review of the backups is entered"))
            }
        }
    }

    fn paper_add(&mut self, actor: &Actor, paper: PaperKept, content: &[u8]) -> Result<Reply> {
        stated("the document number", &paper.doc_no)?;
        for sent in &paper.sent_to {
            stated("the office", &sent.office)?;
            stated("the letter", &sent.letter)?;
        }
        fit_to_keep(content)?;
        let zone = self.engine.rules.zone;
        if paper.on.date_in(zone) > self.now().date_in(zone) {
            return Err(Error::usage("a paper is dated in the future"));
        }
        if paper.valid_until.is_some_and(|until| until < paper.on) {
            return Err(Error::usage("the paper ends before its day"));
        }
        if let Some(id) = self.paper_kept(paper.sha256, paper.kind) {
            return Err(Error::usage(format!("this paper is kept already: '{id}'")));
        }
        // A stop after this leaves a file that nobody has entered: it counts for nothing, and the same command again finds it.
        self.engine.ports.papers.put(paper.sha256, content)?;
        let (document, kind) = (paper.document, paper.kind);
        self.record(actor, Body::PaperKept(paper))?;
        Ok(Reply::new(&document, format!("the paper is kept: {kind}")))
    }

    /// The paper of this kind that is kept with these bytes.
    pub(super) fn paper_kept(&self, sha256: Digest, kind: PaperKind) -> Option<DocumentId> {
        let same = |row: &Paper| row.what.sha256 == sha256 && row.what.kind == kind;
        self.engine.view.papers.iter().find(|(_, row)| same(row)).map(|(id, _)| *id)
    }

    /// Keeps the scan of a signed document; one document may decide on several things, and is kept once.
    pub(super) fn keep_scan(
        &mut self,
        actor: &Actor,
        (doc_no, on): (&str, Timestamp),
        content: &[u8],
    ) -> Result<DocumentId> {
        let (kind, sha256) = (PaperKind::Decision, Digest::of(content));
        if let Some(kept) = self.paper_kept(sha256, kind) {
            return Ok(kept);
        }
        self.engine.ports.papers.put(sha256, content)?;
        let paper = PaperKept {
            document: self.engine.view.next_document(),
            kind,
            doc_no: doc_no.to_owned(),
            on,
            sha256,
            bytes: content.len() as u64,
            sent_to: Vec::new(),
            valid_until: None,
            signed: None,
        };
        let document = paper.document;
        self.record(actor, Body::PaperKept(paper))?;
        Ok(document)
    }

    /// Every paper, oldest first.
    pub(super) fn papers(&self) -> Vec<PaperLine> {
        self.engine.view.papers.iter().map(|(id, row)| line(*id, row)).collect()
    }

    /// One paper with its file, which is what the register says, or nothing.
    ///
    /// # Errors
    /// There is none of this id; the file is not there, or another one.
    pub(super) fn paper_file(&self, id: DocumentId) -> Result<PaperFile> {
        let row = self.engine.view.papers.get(&id).ok_or_else(|| {
            Error::usage(format!("there is no paper '{id}'"))
                .hint("'batchward audit document list' shows them")
        })?;
        let content = self.engine.ports.papers.take(row.what.sha256)?;
        let content = content.filter(|bytes| Digest::of(bytes) == row.what.sha256);
        let content = content.ok_or_else(|| {
            Error::new(Exit::Data, format!("the file of '{id}' is not what the register says"))
                .hint("put it back from where the state was copied to")
        })?;
        Ok(PaperFile { paper: line(id, row), content: BASE64.encode(&content) })
    }
}

/// Whether a file may be kept as a paper.
pub(super) fn fit_to_keep(content: &[u8]) -> Result<()> {
    if content.is_empty() || content.len() as u64 > limits::PAPER_BYTES_MAX {
        let max = limits::PAPER_BYTES_MAX;
        return Err(Error::new(Exit::Data, format!("a paper has 1 to {max} bytes"))
            .hint("scan it with fewer dots, or keep it in parts"));
    }
    // What is a text is looked through; what a picture shows, whoever enters it answers for.
    if std::str::from_utf8(content).is_ok_and(national_id::found_in) {
        return Err(Error::new(
            Exit::Data,
            "the paper holds something in the shape of an ID number",
        )
        .hint("papers are kept for inspection: they hold no personal data"));
    }
    Ok(())
}

fn line(id: DocumentId, row: &Paper) -> PaperLine {
    let what = &row.what;
    PaperLine {
        id,
        kind: what.kind,
        doc_no: what.doc_no.clone(),
        on: what.on,
        sha256: what.sha256,
        bytes: what.bytes,
        sent_to: what.sent_to.clone(),
        valid_until: what.valid_until,
        by: row.by.clone(),
        at: row.at,
    }
}
