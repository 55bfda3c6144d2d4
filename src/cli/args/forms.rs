//! Printed forms: how and where they are written, and which rows they have.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Forms of a printed form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum FormFormat {
    /// Spreadsheet (OpenDocument), to be edited.
    Ods,
    /// Pages to be filed (PDF/A), with text that can be searched.
    Pdf,
    /// Comma-separated, UTF-8 with a byte-order mark.
    Csv,
    /// One page for a browser; nothing is fetched.
    Html,
    /// The facts, for programs.
    Json,
}

/// How and where a form is written.
#[derive(Debug, Args)]
pub(in crate::cli) struct FormFile {
    /// Form of the file.
    #[arg(long, value_enum)]
    pub(in crate::cli) format: FormFormat,
    /// The file, which only its owner may read; '-' for standard output.
    #[arg(short, long, value_name = "FILE")]
    pub(in crate::cli) output: PathBuf,
}

/// `register export`.
#[derive(Debug, Args)]
pub(in crate::cli) struct RegisterExport {
    /// Batches received on this day or later.
    #[arg(long, value_name = "DATE")]
    pub(in crate::cli) from: Option<String>,
    /// Batches received on this day or before.
    #[arg(long, value_name = "DATE")]
    pub(in crate::cli) to: Option<String>,
    /// Batches of this link.
    #[arg(long)]
    pub(in crate::cli) link: Option<String>,
    /// One batch: its id, or the provider's number.
    #[arg(long, value_name = "ID")]
    pub(in crate::cli) batch: Option<String>,
    /// How and where.
    #[command(flatten)]
    pub(in crate::cli) file: FormFile,
}
