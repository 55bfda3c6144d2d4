//! The facts of a slip (核定單): what is decided on paper, and the short code that ties the paper to it.

use serde::{Deserialize, Serialize};

use super::{Seal, Source};
use crate::{
    domain::{
        digest::Digest,
        ids::{BatchId, CopyId},
        on_paper::Subject,
        time::Timestamp,
    },
    service::{Result, Service},
};

/// A slip.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Slip {
    /// Where it comes from.
    pub source: Source,
    /// What is decided on.
    pub subject: Subject,
    /// The title of the regulation that it is under, one for each.
    pub regulations: Vec<String>,
    /// Who asks.
    pub requested: Seal,
    /// Why, in the requester's words.
    pub reason: String,
    /// 依據公文文號, of a grant.
    pub basis: Option<String>,
    /// Its link, of a grant.
    pub link: Option<String>,
    /// Every link that it concerns.
    #[serde(default)]
    pub links: Vec<String>,
    /// The unit, of a grant.
    pub unit: Option<String>,
    /// The fields, of a grant.
    pub fields: Vec<String>,
    /// Until when use or the copy is asked for.
    pub until: Option<Timestamp>,
    /// Void where it is not decided by then.
    pub expires: Option<Timestamp>,
    /// How many people must approve.
    pub approvers: u32,
    /// What it covers.
    pub copies: Vec<SlipCopy>,
    /// Bytes of all of them.
    pub bytes: u64,
    /// SHA-256 of the register entry that asks for it.
    pub object_digest: Digest,
    /// The code that is typed with the decision.
    pub code: String,
}

/// A copy that a slip covers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SlipCopy {
    /// Id.
    pub copy: CopyId,
    /// Its batch.
    pub batch: BatchId,
    /// The provider's number of the batch.
    pub number: Option<String>,
    /// 資料表號.
    pub table_no: String,
    /// What it is: `transfer`, `vault`, `case`, `media`, …
    pub kind: String,
    /// Bytes.
    pub bytes: u64,
    /// SHA-256, where one is known.
    pub sha256: Option<Digest>,
}

impl Service {
    /// The slip of what waits for a decision, where paper is enough for it.
    ///
    /// # Errors
    /// There is no such thing, it does not wait, it has changed since it was asked for, or a policy asks for a signature.
    pub fn slip(&self, subject: Subject) -> Result<Slip> {
        self.paper_is_enough(subject)?;
        self.still_asked(subject)?;
        let (_, mark) = self.asked_in(subject)?;
        let (code, object_digest) = self.slip_code(subject)?;
        let mut regulations: Vec<String> =
            self.policies_under(subject)?.iter().map(|policy| policy.title.clone()).collect();
        regulations.dedup();
        let blank = Slip {
            source: self.source()?,
            subject,
            regulations,
            requested: self.seal(mark)?,
            reason: String::new(),
            basis: None,
            link: None,
            links: self.links_under(subject)?,
            unit: None,
            fields: Vec::new(),
            until: None,
            expires: None,
            approvers: 1,
            copies: Vec::new(),
            bytes: 0,
            object_digest,
            code: code.to_string(),
        };
        Ok(match subject {
            Subject::Order(id) => {
                let order = self.order(id)?;
                let copies = order.copies.iter().map(|copy| self.slip_copy(copy.copy));
                let copies: Vec<SlipCopy> = copies.collect::<Result<_>>()?;
                Slip {
                    reason: order.reason.clone(),
                    expires: Some(order.expires),
                    approvers: order.approvers,
                    bytes: copies.iter().map(|copy| copy.bytes).sum(),
                    copies,
                    ..blank
                }
            }
            Subject::Grant(id) => {
                let terms = self.grant(id)?.terms.clone();
                Slip {
                    reason: terms.purpose,
                    basis: Some(terms.basis),
                    link: Some(terms.link),
                    unit: terms.unit,
                    fields: terms.fields,
                    until: Some(terms.until),
                    ..blank
                }
            }
            Subject::Copy(id) => {
                let (_, held) = self.held(id)?;
                Slip {
                    reason: held.reason.unwrap_or_default(),
                    until: held.delete_by,
                    copies: vec![self.slip_copy(id)?],
                    ..blank
                }
            }
        })
    }

    /// The links of what is decided on, each once.
    fn links_under(&self, subject: Subject) -> Result<Vec<String>> {
        let batches: Vec<BatchId> = match subject {
            Subject::Grant(id) => return Ok(vec![self.grant(id)?.terms.link.clone()]),
            Subject::Order(id) => self.order(id)?.copies.iter().map(|copy| copy.batch).collect(),
            Subject::Copy(id) => vec![self.slip_copy(id)?.batch],
        };
        let links: Result<Vec<String>> =
            batches.into_iter().map(|batch| Ok(self.row(batch)?.link.to_string())).collect();
        let mut links = links?;
        links.sort_unstable();
        links.dedup();
        Ok(links)
    }

    fn slip_copy(&self, id: CopyId) -> Result<SlipCopy> {
        let copy = self
            .engine
            .view
            .copies
            .get(&id)
            .ok_or_else(|| crate::error::Error::usage(format!("there is no copy '{id}'")))?;
        let batch = self.row(copy.batch)?;
        Ok(SlipCopy {
            copy: id,
            batch: copy.batch,
            number: batch.number.clone(),
            table_no: batch.facts.table_no.clone(),
            kind: copy.kind.word().to_owned(),
            bytes: copy.bytes,
            sha256: copy.sha256,
        })
    }
}
