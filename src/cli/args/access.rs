//! Words about the access log: `access`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::RowFormat;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum AccessWord {
    /// Show who looked up what, for which case and why; for auditors.
    ///
    /// The look itself is logged before its first line.
    #[command(
        after_long_help = "Examples:\n  batchward access show --month 2026-11 --link moca-full\n  batchward access show --month 115-11 --subject - --json"
    )]
    Show {
        #[command(flatten)]
        filter: AccessFilter,
        /// Form of the lines.
        #[arg(long, value_enum, default_value_t = RowFormat::Table)]
        format: RowFormat,
    },
    /// Take a part of the access log away as a file; for auditors.
    ///
    /// The export itself is logged before its first line. The file holds personal data: it is the auditor's to keep
    /// and to destroy.
    #[command(
        after_long_help = "Examples:\n  batchward access export --month 2026-11 -o november.csv --format csv\n  batchward access export --from 115/1/1 --to 115/12/31 -o 115.jsonl"
    )]
    Export {
        #[command(flatten)]
        filter: AccessFilter,
        /// The file, which must not be there yet.
        #[arg(long, short, value_name = "FILE")]
        output: PathBuf,
        /// Form of the file.
        #[arg(long, value_enum, default_value_t = ExportFormat::Jsonl)]
        format: ExportFormat,
    },
    /// List the keys that seal the access log, by link and month, and until when each is kept.
    Keys,
    /// Request that keys of the access log are destroyed, once their retention is over.
    ///
    /// What they sealed can then be opened by nobody; the log of hashes stays and still verifies.
    #[command(
        after_long_help = "Examples:\n  batchward access destroy --link moca-full --reason 'retention is over'\n  batchward access destroy --link moca-full --month 2026-11 --reason 'retention is over'"
    )]
    Destroy {
        /// Name of the link.
        #[arg(long)]
        link: String,
        /// Month, in either calendar (2026-11 or 115-11); may be given again. Every one that is due by default.
        #[arg(long, value_name = "MONTH")]
        month: Vec<String>,
        /// Why: a code of 'batchward reasons' and a note; kept in the register, so no personal data.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Approve such a request, as a second person; the agent then carries it out.
    DestroyApprove {
        /// Id of the order.
        order: String,
    },
    /// Deny such a request, as a second person.
    DestroyDeny {
        /// Id of the order.
        order: String,
        /// Why: a code of 'batchward reasons' and a note; kept in the register, so no personal data.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum ExportFormat {
    /// One JSON object a line.
    Jsonl,
    /// CSV with a head, for spreadsheets: with byte-order mark, and no cell is a formula.
    Csv,
}

/// What is looked for; all that is given holds.
#[derive(Debug, Args)]
pub(in crate::cli) struct AccessFilter {
    /// Name of the link; every link by default.
    #[arg(long)]
    pub(in crate::cli) link: Option<String>,
    /// One month, in either calendar (2026-11 or 115-11).
    #[arg(long, value_name = "MONTH", conflicts_with_all = ["from", "to"])]
    pub(in crate::cli) month: Option<String>,
    /// First day, in either calendar, or a time.
    #[arg(long, value_name = "DATE|TIME")]
    pub(in crate::cli) from: Option<String>,
    /// Last day, in either calendar, or a time.
    #[arg(long, value_name = "DATE|TIME")]
    pub(in crate::cli) to: Option<String>,
    /// Account that looked something up.
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) account: Option<String>,
    /// Id of the grant that it went by.
    #[arg(long, value_name = "ID")]
    pub(in crate::cli) grant: Option<String>,
    /// Case number that it was for.
    #[arg(long, value_name = "NO")]
    pub(in crate::cli) case: Option<String>,
    /// Value that was looked for: - reads it from standard input, @FILE from a file.
    #[arg(long, value_name = "-|@FILE")]
    pub(in crate::cli) subject: Option<String>,
    /// Id of a sample: what was drawn, and what was refused.
    #[arg(long, value_name = "ID")]
    pub(in crate::cli) sample: Option<String>,
    /// Number of the audit's own document; it is logged with the look.
    #[arg(long, value_name = "NO")]
    pub(in crate::cli) audit_no: Option<String>,
    /// Why you look; it is logged with the look, so no personal data.
    #[arg(long, value_name = "TEXT", default_value = "audit")]
    pub(in crate::cli) reason: String,
}
