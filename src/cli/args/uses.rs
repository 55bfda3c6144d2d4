//! Words about use and its end: `grant`, `query`, `match`, `use`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{forms::FormFile, on_paper::PaperArgs};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum GrantWord {
    /// Apply for access to the records of a link.
    #[command(
        after_long_help = "Examples:\n  batchward grant apply --link moca-full --until 2027-12-31 --purpose 'benefit check' \\\n      --basis 府社字第1150000042號\n  batchward grant apply --link moca-full --until 116/12/31 --purpose 'benefit check' \\\n      --basis 府社字第1150000042號 --fields id,name"
    )]
    Apply(GrantApply),
    /// Print the slip (核定單) of an application for a decision on paper.
    #[command(
        after_long_help = "Examples:\n  batchward grant slip g-260000001 --format pdf -o slip.pdf"
    )]
    Slip {
        /// Id of the grant.
        id: String,
        /// How and where.
        #[command(flatten)]
        file: FormFile,
    },
    /// Approve an application, as a second person.
    #[command(
        after_long_help = "Examples:\n  batchward grant approve g-260000001 --as sue --sign-with sue\n  batchward grant approve g-260000001 --paper --doc-no 府社婦字第1150000102號 \\\n      --approver sue --date 115/11/21 --code 7K3M-9QXR-C --scan slip.pdf"
    )]
    Approve {
        /// Id of the grant.
        id: String,
        #[command(flatten)]
        paper: PaperArgs,
    },
    /// Deny an application, as a second person.
    #[command(
        after_long_help = "Examples:\n  batchward grant deny g-260000001 --reason 'no legal basis'"
    )]
    Deny {
        /// Id of the grant.
        id: String,
        /// Why: a code of 'batchward reasons' and a note; kept in the register, so no personal data.
        #[arg(long, value_name = "TEXT")]
        reason: String,
        #[command(flatten)]
        paper: PaperArgs,
    },
    /// Confirm a decision that another person entered from paper.
    Confirm {
        /// Id of the grant.
        id: String,
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
    /// Account of the service that asks by it, instead of the account that applies.
    #[arg(long = "for", value_name = "SERVICE", requires_all = ["rate", "budget"])]
    pub(in crate::cli) service: Option<String>,
    /// Questions that the service may ask within any 60 seconds.
    #[arg(long, value_name = "N", requires = "service")]
    pub(in crate::cli) rate: Option<u32>,
    /// Questions that the service may ask until the grant ends.
    #[arg(long, value_name = "N", requires = "service")]
    pub(in crate::cli) budget: Option<u64>,
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

/// Encodings that a list may be in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum ListEncoding {
    /// Code page 950 (Big5).
    Cp950,
    /// UTF-8.
    #[value(name = "utf-8")]
    Utf8,
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
    #[command(flatten)]
    pub(in crate::cli) file: RowFileArgs,
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
    /// List of values: one a line, CSV (UTF-8 or CP950), ODS or XLSX; - for standard input.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) input: PathBuf,
    /// Column of the list, by its head or its number, where the heads do not tell it.
    #[arg(long, value_name = "HEAD|N")]
    pub(in crate::cli) column: Option<String>,
    /// Encoding of a CSV file, where it cannot be told.
    #[arg(long, value_enum)]
    pub(in crate::cli) encoding: Option<ListEncoding>,
    /// Field that the values are of.
    #[arg(long, value_name = "FIELD")]
    pub(in crate::cli) on: String,
    /// Form of the rows.
    #[arg(long, value_enum, default_value_t = RowFormat::Table)]
    pub(in crate::cli) format: RowFormat,
    #[command(flatten)]
    pub(in crate::cli) file: RowFileArgs,
}

/// A file that the rows go to, which is a copy in the inventory.
#[derive(Debug, Args)]
pub(in crate::cli) struct RowFileArgs {
    /// Write the rows to a new file, which is a copy: .ods (text cells), .csv or .json.
    #[arg(long, value_name = "FILE", requires_all = ["holder", "delete_by"])]
    pub(in crate::cli) copy_to: Option<PathBuf>,
    /// Who keeps the file.
    #[arg(long, value_name = "NAME", requires = "copy_to")]
    pub(in crate::cli) holder: Option<String>,
    /// By when the file is deleted, in either calendar; not after the use ends.
    #[arg(long, value_name = "DATE", requires = "copy_to")]
    pub(in crate::cli) delete_by: Option<String>,
    /// Copies that were asked for and agreed to before, with commas between.
    #[arg(long, value_name = "ID,…", value_delimiter = ',', requires = "copy_to")]
    pub(in crate::cli) copy: Vec<String>,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum UseWord {
    /// State that the use under a grant, or of one batch by a unit, is completed.
    #[command(
        after_long_help = "Examples:\n  batchward use complete g-260000001\n  batchward use complete --batch b-260000001 --unit 幼兒托育科"
    )]
    Complete {
        /// Id of the grant.
        #[arg(required_unless_present = "batch", conflicts_with = "batch")]
        grant: Option<String>,
        /// One batch, by id or number, whatever grants the unit has for others.
        #[arg(long, value_name = "ID")]
        batch: Option<String>,
        /// Unit that has completed its use; the account's own by default.
        #[arg(long, requires = "batch")]
        unit: Option<String>,
    },
    /// State that there is no need to keep a batch, or none of a unit.
    #[command(
        after_long_help = "Examples:\n  batchward use no-need b-260000001\n  batchward use no-need b-260000001 --unit 幼兒托育科"
    )]
    NoNeed {
        /// Id, or the provider's number where it is unique.
        batch: String,
        /// Unit that has no need; the account's own by default, and all for one that belongs to none.
        #[arg(long)]
        unit: Option<String>,
    },
    /// State until when a batch has to be kept, and why.
    #[command(
        after_long_help = "Examples:\n  batchward use keep b-260000001 --reason 'appeal pending' --until 2027-06-30\n  batchward use keep b-260000001 --reason 'appeal pending' --until 116/06/30"
    )]
    Keep {
        /// Id, or the provider's number where it is unique.
        batch: String,
        /// Unit that needs it; the account's own by default, and all for one that belongs to none.
        #[arg(long)]
        unit: Option<String>,
        /// Why: a code of 'batchward reasons' and a note; kept in the register, so no personal data.
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// Last day on which it is needed, within the approved use of the batch.
        #[arg(long, value_name = "DATE")]
        until: String,
    },
    /// Take back a mistaken statement: of a grant, or what a unit said of a batch.
    #[command(
        after_long_help = "Examples:\n  batchward use withdraw g-260000001 --reason 'another grant was meant'\n  batchward use withdraw b-260000001 --reason 'another batch was meant'"
    )]
    Withdraw {
        /// Id of the grant or the batch.
        id: String,
        /// Unit that said it; the account's own by default.
        #[arg(long)]
        unit: Option<String>,
        /// Why: a code of 'batchward reasons' and a note; kept in the register, so no personal data.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Confirm that a statement is taken back on which an order rests, as a second person.
    #[command(after_long_help = "Examples:\n  batchward use confirm b-260000001 --unit 幼兒托育科")]
    Confirm {
        /// Id of the grant or the batch.
        id: String,
        /// Unit that said it.
        #[arg(long)]
        unit: Option<String>,
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
