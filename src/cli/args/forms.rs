//! Printed forms: how and where they are written, and which rows they have.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

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

/// A form where one is wanted; the screen otherwise.
#[derive(Debug, Args)]
pub(in crate::cli) struct OptionalForm {
    /// Write it as a form of this kind instead.
    #[arg(long, value_enum, requires = "output")]
    pub(in crate::cli) format: Option<FormFormat>,
    /// The file, which only its owner may read; '-' for standard output.
    #[arg(short, long, value_name = "FILE", requires = "format")]
    pub(in crate::cli) output: Option<PathBuf>,
}

impl OptionalForm {
    /// How and where, where a form is wanted.
    pub(in crate::cli) fn file(&self) -> Option<FormFile> {
        Some(FormFile { format: self.format?, output: self.output.clone()? })
    }
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
    /// The volume of this ROC year: cover, sheets, closing sheet, and what was open before and after.
    #[arg(long, value_name = "YEAR", value_parser = clap::value_parser!(u16).range(1..=999),
        conflicts_with_all = ["from", "to", "batch", "link"])]
    pub(in crate::cli) year: Option<u16>,
    /// The register of this policy, where the site keeps several.
    #[arg(long, value_name = "POLICY")]
    pub(in crate::cli) register: Option<String>,
    /// How and where.
    #[command(flatten)]
    pub(in crate::cli) file: FormFile,
}

/// Which duties.
#[derive(Debug, Args)]
pub(in crate::cli) struct WantedDuties {
    /// Those due within 30 days, and late ones.
    #[arg(long, conflicts_with_all = ["overdue", "all"])]
    pub(in crate::cli) due: bool,
    /// Those that are late.
    #[arg(long, conflicts_with = "all")]
    pub(in crate::cli) overdue: bool,
    /// Those that were fulfilled too.
    #[arg(long)]
    pub(in crate::cli) all: bool,
    /// As the list is at the end of this day.
    #[arg(long, value_name = "DATE")]
    pub(in crate::cli) on: Option<String>,
    /// Due on this day or before; two months ahead by default.
    #[arg(long, value_name = "DATE")]
    pub(in crate::cli) until: Option<String>,
    /// What this account has to do, itself or by one of its roles.
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) account: Option<String>,
    /// Of this link.
    #[arg(long)]
    pub(in crate::cli) link: Option<String>,
}

/// `today`.
#[derive(Debug, Args)]
pub(in crate::cli) struct Today {
    /// What this account has to do; the asking one by default.
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) account: Option<String>,
    /// As a form instead.
    #[command(flatten)]
    pub(in crate::cli) form: OptionalForm,
}

/// `duties`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(in crate::cli) struct Duties {
    #[command(subcommand)]
    pub(in crate::cli) word: Option<DutiesWord>,
    /// Which of them.
    #[command(flatten)]
    pub(in crate::cli) wanted: WantedDuties,
    /// Write them for a calendar program (iCalendar) to this file; '-' for standard output.
    #[arg(long, value_name = "FILE", conflicts_with = "json")]
    pub(in crate::cli) calendar: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum DutiesWord {
    /// Write the list that is handed over when a custodian changes (移交清冊).
    ///
    /// It has what is open: batches, keys in custody, orders and holds, and what waits for whom; and boxes to sign off in.
    #[command(
        after_long_help = "Examples:\n  batchward duties list --format pdf -o handover.pdf\n  batchward duties list --format ods -o handover.ods"
    )]
    List(FormFile),
    /// Write what is owed, or late, as a form to be signed off (應辦事項清冊).
    #[command(
        after_long_help = "Examples:\n  batchward duties report --overdue --format pdf -o overdue.pdf\n  batchward duties report --all --until 115/12/31 --format ods -o duties.ods"
    )]
    Report {
        /// Which of them.
        #[command(flatten)]
        wanted: WantedDuties,
        /// How and where.
        #[command(flatten)]
        file: FormFile,
    },
}

/// `evidence`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(in crate::cli) struct Evidence {
    #[command(subcommand)]
    pub(in crate::cli) word: Option<EvidenceWord>,
    /// The batch: its id, or the provider's number.
    #[arg(required = true)]
    pub(in crate::cli) batch: Option<String>,
    /// The file, which only its owner may read.
    #[arg(short, long, value_name = "FILE", required = true)]
    pub(in crate::cli) output: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum EvidenceWord {
    /// Verify a bundle; needs no agent and no network.
    ///
    /// What nobody signed is named as stated: it is held to the bundle's list of sums alone.
    #[command(
        after_long_help = "Examples:\n  batchward evidence verify evidence.zip \\\n    --key batchward/taoyuan-dwcd+5c0ee2a4+AZTF"
    )]
    Verify {
        /// The bundle.
        file: PathBuf,
        /// The verifier key that you hold; without it, the bundle's own.
        #[arg(long, value_name = "VKEY")]
        key: Option<String>,
    },
}
