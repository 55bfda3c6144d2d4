//! Posts and accounts: appointments, changes, the review and the roster.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{FormFormat, LetterFile};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum AppointmentWord {
    /// Propose an appointment to a post.
    ///
    /// A custodian's post that is held is followed by handing over: the appointment is in force once who takes over has
    /// run 'hand-over'.
    #[command(
        after_long_help = "Examples:\n  batchward appointment add alice --post custodian --link moca-full --from 2026-12-01 \\\n      --doc-no 府社人字第1150001234號\n  batchward appointment add ben --post manager --from 2026-12-01 --doc-no 115-7 \\\n      --deputy-for p-00000001"
    )]
    Add(AppointArgs),
    /// Put a proposed appointment in force, as a second person.
    Confirm {
        /// The appointment.
        id: String,
    },
    /// Make known that somebody leaves a post, or altogether; rights end after that day by themselves.
    #[command(
        after_long_help = "Examples:\n  batchward appointment end p-00000001 --on 2026-12-31 --reason replaced\n  batchward appointment end henry --on 2026-12-31 --reason retired"
    )]
    End {
        /// The appointment, or the account of who leaves altogether.
        id: String,
        /// The last day; it may lie ahead.
        #[arg(long, value_name = "DATE")]
        on: String,
        /// Why: transferred, resigned, retired, replaced.
        #[arg(long)]
        reason: String,
    },
    /// Take the custody of a link over: old rights end and new ones begin in one act, your own.
    #[command(
        after_long_help = "Examples:\n  batchward appointment hand-over --link moca-full --to carol --as carol --sign-with carol.key"
    )]
    HandOver {
        /// The link; 'all' for an appointment that is every link's.
        #[arg(long)]
        link: String,
        /// The account that takes over.
        #[arg(long, value_name = "NAME")]
        to: String,
        /// The last day of who leaves, where that is not known; today by default.
        #[arg(long, value_name = "DATE")]
        on: Option<String>,
    },
    /// Record that an office was told of a change of post.
    #[command(
        after_long_help = "Examples:\n  batchward appointment told p-00000001 --office provider --letter 府社婦字第1150002345號"
    )]
    Told {
        /// The appointment, or the account of who left altogether.
        id: String,
        /// The office: provider, agency, it-office, ethics-office, ethics-department, research-commission, head.
        #[arg(long)]
        office: String,
        /// Number of the letter.
        #[arg(long, value_name = "NO")]
        letter: String,
        /// Its day; today by default.
        #[arg(long, value_name = "DATE")]
        on: Option<String>,
    },
    /// Record training in information security.
    #[command(
        after_long_help = "Examples:\n  batchward appointment training alice --hours 3 --on 2026-11-20 --subject 資通安全教育訓練 \\\n      --doc-no 115-資安-12"
    )]
    Training {
        /// The account.
        name: String,
        /// Hours, such as 3 or 1.5.
        #[arg(long)]
        hours: String,
        /// The day.
        #[arg(long, value_name = "DATE")]
        on: String,
        /// What about.
        #[arg(long)]
        subject: String,
        /// Number of the document that proves it.
        #[arg(long, value_name = "NO")]
        doc_no: String,
    },
    /// Record a confidentiality agreement, of an account or of a vendor.
    #[command(
        after_long_help = "Examples:\n  batchward appointment agreement --vendor 鼎約資訊 --doc-no 115-約-3 --from 2026-01-01 \\\n      --until 2026-12-31"
    )]
    Agreement(AgreementArgs),
    /// Draft the letter that tells the bureau of a change of staff (函), as a text to be edited.
    #[command(
        after_long_help = "Examples:\n  batchward appointment letter p-00000001 --to 桃園市政府民政局 -o change.odt\n  batchward appointment letter henry -o leaves.odt"
    )]
    Letter {
        /// The appointment, or the account of who left altogether.
        id: String,
        /// To whom and where.
        #[command(flatten)]
        file: LetterFile,
    },
    /// Show who holds which post, and which changes are known.
    #[command(
        after_long_help = "Examples:\n  batchward appointment list\n  batchward appointment list --json"
    )]
    List,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct AppointArgs {
    /// The account.
    pub(in crate::cli) name: String,
    /// The post: custodian, handler, supervisor, manager, auditor, account-manager.
    #[arg(long)]
    pub(in crate::cli) post: String,
    /// The link; every one where none is named.
    #[arg(long)]
    pub(in crate::cli) link: Option<String>,
    /// The first day.
    #[arg(long, value_name = "DATE")]
    pub(in crate::cli) from: String,
    /// The last day, where one is known.
    #[arg(long, value_name = "DATE")]
    pub(in crate::cli) until: Option<String>,
    /// Number of the document that appoints.
    #[arg(long, value_name = "NO")]
    pub(in crate::cli) doc_no: String,
    /// The appointment whose holder is stood in for.
    #[arg(long, value_name = "ID")]
    pub(in crate::cli) deputy_for: Option<String>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct AgreementArgs {
    /// The account.
    #[arg(required_unless_present = "vendor", conflicts_with = "vendor")]
    pub(in crate::cli) name: Option<String>,
    /// The vendor: the unit of its accounts.
    #[arg(long)]
    pub(in crate::cli) vendor: Option<String>,
    /// Number of the document.
    #[arg(long, value_name = "NO")]
    pub(in crate::cli) doc_no: String,
    /// Its first day.
    #[arg(long, value_name = "DATE")]
    pub(in crate::cli) from: String,
    /// Its last day.
    #[arg(long, value_name = "DATE")]
    pub(in crate::cli) until: String,
}

/// `account review`.
#[derive(Debug, Args)]
pub(in crate::cli) struct ReviewArgs {
    /// Accounts that stay.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub(in crate::cli) keep: Vec<String>,
    /// An account that rests, and why: duplicate, idle, transferred, resigned, retired, no-need.
    #[arg(long, value_name = "NAME=REASON")]
    pub(in crate::cli) suspend: Vec<String>,
    /// An account that ends, and why.
    #[arg(long, value_name = "NAME=REASON")]
    pub(in crate::cli) revoke: Vec<String>,
    /// Decisions in a file: account,verdict,reason in each line.
    #[arg(long, value_name = "FILE.csv")]
    pub(in crate::cli) decisions: Option<PathBuf>,
    /// Confirm the last review, as a second person.
    #[arg(long, conflicts_with_all = ["keep", "suspend", "revoke", "decisions"])]
    pub(in crate::cli) confirm: bool,
    /// Write the review as a form instead.
    #[arg(long, value_enum, requires = "output")]
    pub(in crate::cli) format: Option<FormFormat>,
    /// The file, which only its owner may read; '-' for standard output.
    #[arg(short, long, value_name = "FILE", requires = "format")]
    pub(in crate::cli) output: Option<PathBuf>,
}
