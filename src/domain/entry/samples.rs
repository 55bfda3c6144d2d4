//! Entries about samples of the access log and what was found. Wire forms, as `entry.rs` says.

use serde::{Deserialize, Serialize};

use super::Signed;
use crate::domain::{
    digest::Digest,
    ids::{FindingId, SampleId},
    sampling::{ByAccount, Counted, SampleClass, SampleSize},
    time::Timestamp,
};

/// The agent bound itself to the seed of a sample.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SampleSealed {
    /// The link.
    pub link: String,
    /// By which rule.
    pub class: SampleClass,
    /// The period, such as `2026-11`.
    pub period: String,
    /// SHA-256 of the seed.
    pub seed: Digest,
}

/// What a sample is of, and by which rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SampleTerms {
    /// The link.
    pub link: String,
    /// By which rule.
    pub class: SampleClass,
    /// The period, such as `2026-11`.
    pub period: String,
    /// Its first moment.
    pub from: Timestamp,
    /// Its last moment.
    pub until: Timestamp,
    /// The policy.
    pub policy: String,
    /// The clause that asks for it.
    pub clause: String,
    /// What was counted.
    pub unit: Counted,
    /// How much the policy asks for.
    pub rule: SampleSize,
    /// How many there are.
    pub counted: u64,
    /// How many were drawn.
    pub size: u64,
    /// SHA-256 of what was counted, as a proof lists it.
    pub population: Digest,
    /// Entries of the access log that the period's end left, whose root counts.
    pub tree_size: u64,
    /// That root.
    pub root: Digest,
    /// The seed.
    pub seed: Digest,
    /// The entry by which the agent had bound itself to it.
    pub sealed: u64,
    /// Months of which nothing could be counted, for their key was destroyed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<String>,
}

/// A sample was drawn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SampleDrawn {
    /// Its id.
    pub sample: SampleId,
    /// Of what, and by which rule.
    pub terms: SampleTerms,
    /// How many entries list what was drawn, right after this one.
    pub parts: u64,
    /// The signed command.
    pub signed: Option<Signed>,
}

/// A part of what was drawn: places in the access log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SampleListed {
    /// The sample.
    pub sample: SampleId,
    /// Askings that were drawn, by the account that asked.
    pub drawn: ByAccount,
    /// Askings that were refused: each is in the sample, beside what is drawn.
    pub refused: ByAccount,
}

/// Somebody looked through a part of a sample, or through all of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SampleReviewed {
    /// The sample.
    pub sample: SampleId,
    /// Places in the access log; all that nobody had looked at yet, where none is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub on: Vec<u64>,
    /// What was found, where something was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finding: Option<FindingFacts>,
    /// The account that has to agree: it counts from then on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub with: Option<String>,
    /// The signed command.
    pub signed: Option<Signed>,
}

/// The other office's account agreed to a review.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReviewConfirmed {
    /// The sample.
    pub sample: SampleId,
    /// The entry of the review.
    pub review: u64,
    /// The signed decision.
    pub signed: Signed,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct FindingFacts {
    /// Its id.
    pub finding: FindingId,
    /// The link.
    pub link: String,
    /// In a few words; no personal data, which is looked for.
    pub code: String,
    /// By when it has to be corrected.
    pub correct_by: Timestamp,
    /// The clause that sets this, or the office that asked.
    pub clause: String,
}

/// Something was found otherwise than in a sample.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FindingAdded {
    /// What.
    pub facts: FindingFacts,
    /// Number of the document that it stands in.
    pub doc_no: String,
    /// The signed command.
    pub signed: Option<Signed>,
}

/// What was done about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FindingCorrected {
    /// The finding.
    pub finding: FindingId,
    /// In a few words.
    pub action: String,
    /// Number of the document about it.
    pub doc_no: String,
    /// SHA-256 of what shows it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Digest>,
    /// The day.
    pub on: Timestamp,
    /// The signed command.
    pub signed: Option<Signed>,
}

/// An office was told how it ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FindingTold {
    /// The finding.
    pub finding: FindingId,
    /// The office.
    pub office: String,
    /// Number of the letter.
    pub letter: String,
    /// The day.
    pub on: Timestamp,
    /// The signed command.
    pub signed: Option<Signed>,
}

/// A second person agrees that it is corrected, or does not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FindingJudged {
    /// The finding.
    pub finding: FindingId,
    /// Whether it is closed; otherwise it has to be corrected again.
    pub closed: bool,
    /// Why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The signed decision.
    pub signed: Signed,
}
