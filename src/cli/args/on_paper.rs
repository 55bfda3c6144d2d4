//! Decisions on paper: what is typed of them.

use std::path::PathBuf;

use clap::Args;

/// What is typed of a decision on paper.
#[derive(Debug, Args)]
pub(in crate::cli) struct PaperArgs {
    /// Number of the document, of a decision on paper.
    #[arg(long, value_name = "NO", requires = "paper")]
    pub(in crate::cli) doc_no: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) slip: SlipArgs,
}

/// The same without the number of the document.
#[derive(Debug, Args)]
pub(in crate::cli) struct SlipArgs {
    /// It was decided on paper: enter it from the document; another person confirms it.
    #[arg(long, requires_all = ["approver", "date", "code", "scan"])]
    pub(in crate::cli) paper: bool,
    /// The account of whoever decided, by the document.
    #[arg(long, value_name = "NAME", requires = "paper")]
    pub(in crate::cli) approver: Option<String>,
    /// The day beside the seal, in either calendar.
    #[arg(long, value_name = "DATE", requires = "paper")]
    pub(in crate::cli) date: Option<String>,
    /// The code on the slip.
    #[arg(long, value_name = "CODE", requires = "paper")]
    pub(in crate::cli) code: Option<String>,
    /// Scan of the document, of 2 MiB at most; it is kept, so no personal data.
    #[arg(long, value_name = "FILE", requires = "paper")]
    pub(in crate::cli) scan: Option<PathBuf>,
}
