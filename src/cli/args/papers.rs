//! Words about papers that are kept for inspection.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum AuditPaperWord {
    /// Papers kept for inspection: add, list, show, export.
    #[command(subcommand)]
    Document(DocumentWord),
    /// Enter that somebody looked at what backups hold.
    #[command(
        after_long_help = "Examples:\n  batchward audit backup-review --result ok --doc-no 府資字第1150001234號"
    )]
    BackupReview {
        /// What it came to.
        #[arg(long, value_enum)]
        result: BackupWord,
        /// Number of the document about it.
        #[arg(long, value_name = "NO")]
        doc_no: String,
    },
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum DocumentWord {
    /// Keep a paper: its digest in the register, the file in the state. It holds no personal data.
    #[command(
        after_long_help = "Examples:\n  batchward audit document add --kind audit-plan --doc-no 府婦字第1150001234號 --file plan.pdf\n  batchward audit document add --kind agency-rules --doc-no 府資字第1150001234號 \\\n      --file rules.pdf --sent-to 資訊局=府資字第1150001235號"
    )]
    Add(AddPaper),
    /// List the papers.
    List,
    /// Show one.
    Show {
        /// Id of the paper.
        id: String,
    },
    /// Write one to a file, held against the register's digest.
    #[command(
        after_long_help = "Examples:\n  batchward audit document export j-00000001 -o plan.pdf"
    )]
    Export {
        /// Id of the paper.
        id: String,
        /// The file to write.
        #[arg(short, long, value_name = "FILE")]
        output: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(in crate::cli) struct AddPaper {
    /// What it is.
    #[arg(long, value_enum)]
    pub(in crate::cli) kind: PaperWord,
    /// Its number.
    #[arg(long, value_name = "NO")]
    pub(in crate::cli) doc_no: String,
    /// Its day; today where none is said.
    #[arg(long, value_name = "DATE")]
    pub(in crate::cli) on: Option<String>,
    /// The file, of 2 MiB at most.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) file: PathBuf,
    /// Where it was sent, and by which letter; once for each.
    #[arg(long, value_name = "OFFICE=LETTER")]
    pub(in crate::cli) sent_to: Vec<String>,
    /// Until when it is in force, where it says so.
    #[arg(long, value_name = "DATE")]
    pub(in crate::cli) valid_until: Option<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(in crate::cli) enum PaperWord {
    /// The agency's own rules.
    AgencyRules,
    /// How accounts are changed and ended.
    AccountProcedure,
    /// How audits are done.
    AuditProcedure,
    /// The audits of a year.
    AuditPlan,
    /// How backups are made.
    BackupPlan,
    /// How data are sent.
    TransferProcedure,
    /// A decision that was signed or sealed on paper.
    Decision,
    /// Something else.
    Other,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(in crate::cli) enum BackupWord {
    /// It is right.
    Ok,
    /// It is not; the document says what is done.
    Faults,
}
