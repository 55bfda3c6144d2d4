//! Drafts of letters: which, to whom, and where they are written.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Letters about an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum DestroyLetter {
    /// The request to whoever decides (簽).
    Request,
    /// The report of a vendor or a centre that it is done (函).
    Report,
}

/// Letters about a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum BatchLetter {
    /// That a bad delivery is returned.
    Return,
    /// That a delivery was received.
    Receipt,
}

/// To whom, and where.
#[derive(Debug, Args)]
pub(in crate::cli) struct LetterFile {
    /// Whom it goes to; blank where the register does not know.
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) to: Option<String>,
    /// The file (OpenDocument text), which only its owner may read; '-' for standard output.
    #[arg(short, long, value_name = "FILE")]
    pub(in crate::cli) output: PathBuf,
}
