//! What `--json` answers where no query of the service gives it: the rest of its forms are the service's own rows.

use serde::Serialize;

use crate::{
    domain::{
        certificate::Assurance,
        ids::{CopyId, OrderId},
        inventory::{HeldKind, Medium, Method, Sanitization},
        wipe::Limit,
    },
    service::show::BatchRow,
};

/// A line of `reasons`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct ReasonCode {
    /// The words of the act; `copy-to` for rows that `query` and `match` write to a file.
    pub(super) act: &'static str,
    /// The code, as it is typed and stored.
    pub(super) code: &'static str,
    /// What it means, in English.
    pub(super) english: &'static str,
    /// What forms and letters call it.
    pub(super) chinese: &'static str,
}

/// `policy check`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct PolicyChecked {
    /// Whether there is no problem.
    pub(super) ok: bool,
    /// What is wrong, with file, line and column.
    pub(super) problems: Vec<String>,
}

/// `register prove` and `register consistency`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct ProofMade {
    /// The file that was written, where one was.
    pub(super) file: Option<String>,
    /// The proof, as it stands in a file.
    pub(super) proof: String,
}

/// `run --once`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct RanOnce {
    /// Every batch, and deliveries that are not batches yet.
    pub(super) rows: Vec<BatchRow>,
    /// What there is to tell.
    pub(super) notes: Vec<String>,
}

/// `access export`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Exported {
    /// The file.
    pub(super) file: String,
    /// Lines in it.
    pub(super) lines: u64,
}

/// `certificate verify`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct CertificateVerified {
    /// Always true: a certificate that is not good is an error.
    pub(super) ok: bool,
    /// The order.
    pub(super) order: OrderId,
    /// The site.
    pub(super) site: String,
    /// `given`, or `certificate` where its own verifier key was trusted.
    pub(super) key_source: &'static str,
    /// What became of each copy that the agent kept.
    pub(super) copies: Vec<CopyVerified>,
    /// What two people said of each copy that people kept.
    pub(super) attested: Vec<AttestedVerified>,
}

/// What a certificate says of a copy that people kept.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct AttestedVerified {
    /// The copy.
    pub(super) copy: CopyId,
    /// What it was.
    pub(super) kind: HeldKind,
    /// What it lay on.
    pub(super) medium: Medium,
    /// How it was destroyed.
    pub(super) method: Method,
    /// What that comes to (NIST SP 800-88).
    pub(super) sanitization: Sanitization,
    /// Who did it.
    pub(super) performer: String,
    /// Who recorded it.
    pub(super) recorded_by: String,
    /// Who vouched for it.
    pub(super) witness: String,
}

/// What a certificate says of a copy.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct CopyVerified {
    /// The copy.
    pub(super) copy: CopyId,
    /// What it was.
    pub(super) kind: String,
    /// The level that was proven.
    pub(super) assurance: Assurance,
    /// The level in words.
    pub(super) meaning: &'static str,
    /// Why it is not more, as codes.
    pub(super) limits: Vec<Limit>,
    /// Whether it is proven that nothing of it can be read again.
    pub(super) unrecoverable: bool,
}
