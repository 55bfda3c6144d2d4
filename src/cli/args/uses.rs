//! Words about use and its end: `grant`, `query`, `match`, `use`, `destroy`, `hold`.

use std::path::PathBuf;

use super::forms::FormFile;
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
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum DestroyWord {
    /// Request the destruction of what is due.
    #[command(
        after_long_help = "Examples:\n  batchward destroy request b-260000001 --reason 'use completed'"
    )]
    Request {
        /// Id, or the provider's number where it is unique.
        id: String,
        /// Why; it is written into the register, so no personal data.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Approve, as a second person; the agent then carries it out.
    Approve {
        /// Id of the order.
        order: String,
    },
    /// Deny, as a second person.
    Deny {
        /// Id of the order.
        order: String,
        /// Why; it is written into the register, so no personal data.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// List orders.
    List,
    /// Write the destruction record of one batch as a form, finished or not.
    #[command(
        after_long_help = "Examples:\n  batchward destroy record b-260000001 --format pdf -o record.pdf"
    )]
    Record {
        /// Id, or the provider's number where it is unique.
        id: String,
        /// How and where.
        #[command(flatten)]
        file: FormFile,
    },
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum HoldWord {
    /// Forbid destruction until the hold is lifted.
    #[command(
        after_long_help = "Examples:\n  batchward hold place b-260000001 --authority 'district court' --doc-no 115-審-0042 \\\n      --review 2027-06-30\n  batchward hold place --link moca-full --authority 'audit office' --doc-no 審字第0042號 \\\n      --review 116/06/30"
    )]
    Place {
        /// One batch, by id or number.
        #[arg(required_unless_present_any = ["link", "all"], conflicts_with_all = ["link", "all"])]
        id: Option<String>,
        /// Every batch of a link, also those to come.
        #[arg(long, conflicts_with = "all")]
        link: Option<String>,
        /// Everything that this agent keeps.
        #[arg(long)]
        all: bool,
        /// Who demands it.
        #[arg(long, value_name = "TEXT")]
        authority: String,
        /// Number of the document that demands it.
        #[arg(long, value_name = "NO")]
        doc_no: String,
        /// When it is to be looked at again, in either calendar; the hold does not end by itself.
        #[arg(long, value_name = "DATE")]
        review: String,
    },
    /// Lift a hold, as another person than placed it.
    Lift {
        /// Id of the hold.
        hold: String,
    },
    /// List holds, lifted ones too.
    List,
}
