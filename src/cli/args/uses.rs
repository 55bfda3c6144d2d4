//! Words about use and its end: `grant`, `query`, `match`, `use`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum GrantWord {
    /// Apply for access to the records of a link.
    #[command(
        after_long_help = "Examples:\n  batchward grant apply --link moca-full --until 2027-12-31 --purpose 'benefit check' \\\n      --basis 府社字第1150000042號\n  batchward grant apply --link moca-full --until 116/12/31 --purpose 'benefit check' \\\n      --basis 府社字第1150000042號 --fields id,name"
    )]
    Apply(GrantApply),
    /// Approve an application, as a second person.
    Approve {
        /// Id of the grant.
        id: String,
    },
    /// Deny an application, as a second person.
    Deny {
        /// Id of the grant.
        id: String,
        /// Why; it is written into the register, so no personal data.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Take a grant back at once.
    Revoke {
        /// Id of the grant.
        id: String,
    },
    /// List grants and applications.
    List,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct GrantApply {
    /// Name of the link.
    #[arg(long)]
    pub(in crate::cli) link: String,
    /// Last day of access, in either calendar (2027-12-31 or 116/12/31), or a time (2027-12-31T17:00:00+08:00).
    #[arg(long, value_name = "DATE|TIME")]
    pub(in crate::cli) until: String,
    /// What the records are needed for.
    #[arg(long, value_name = "TEXT")]
    pub(in crate::cli) purpose: String,
    /// Number of the document that the application rests on.
    #[arg(long, value_name = "DOC")]
    pub(in crate::cli) basis: String,
    /// Fields that are needed, with commas between; all of the link's by default.
    #[arg(long, value_name = "FIELD,…", value_delimiter = ',')]
    pub(in crate::cli) fields: Vec<String>,
    /// Unit that uses them; the account's own by default.
    #[arg(long)]
    pub(in crate::cli) unit: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum RowFormat {
    /// Columns for a person.
    Table,
    /// CSV after RFC 4180, with a head.
    Csv,
    /// An array of objects.
    Json,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct QueryArgs {
    /// Id of the grant.
    #[arg(long, value_name = "ID")]
    pub(in crate::cli) grant: String,
    /// Case number that the look-up is for.
    #[arg(long, value_name = "NO")]
    pub(in crate::cli) case: String,
    /// Why; it is written into the access log, so no personal data.
    #[arg(long, value_name = "TEXT")]
    pub(in crate::cli) reason: String,
    /// FIELD=- reads the value from standard input, FIELD=@FILE from a file; all records without it.
    #[arg(long = "where", value_name = "FIELD=-|FIELD=@FILE")]
    pub(in crate::cli) conditions: Vec<String>,
    /// One batch, by id or number, instead of the link's current view.
    #[arg(long, value_name = "ID")]
    pub(in crate::cli) batch: Option<String>,
    /// Form of the rows.
    #[arg(long, value_enum, default_value_t = RowFormat::Table)]
    pub(in crate::cli) format: RowFormat,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct MatchArgs {
    /// Id of the grant.
    #[arg(long, value_name = "ID")]
    pub(in crate::cli) grant: String,
    /// Case number that the look-up is for.
    #[arg(long, value_name = "NO")]
    pub(in crate::cli) case: String,
    /// Why; it is written into the access log, so no personal data.
    #[arg(long, value_name = "TEXT")]
    pub(in crate::cli) reason: String,
    /// File with one value a line; - for standard input.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) input: PathBuf,
    /// Field that the values are of.
    #[arg(long, value_name = "FIELD")]
    pub(in crate::cli) on: String,
    /// Form of the rows.
    #[arg(long, value_enum, default_value_t = RowFormat::Table)]
    pub(in crate::cli) format: RowFormat,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum UseWord {
    /// State that the use under a grant is completed.
    #[command(after_long_help = "Examples:\n  batchward use complete g-260000001")]
    Complete {
        /// Id of the grant.
        grant: String,
    },
    /// State that there is no need to keep a batch.
    NoNeed {
        /// Id, or the provider's number where it is unique.
        batch: String,
    },
    /// State that what was needed of a batch is printed and filed with its case.
    #[command(
        after_long_help = "Examples:\n  batchward use filed b-260000001 --doc-no 府社婦字第1150000042號"
    )]
    Filed {
        /// Id, or the provider's number where it is unique.
        batch: String,
        /// Number of the document that it is filed with.
        #[arg(long, value_name = "NO")]
        doc_no: String,
    },
}
