//! Words about the end: `destroy`, `standing`, `hold`.

use std::path::PathBuf;

use super::{
    forms::FormFile,
    letters::{DestroyLetter, LetterFile},
    on_paper::PaperArgs,
};
use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum DestroyWord {
    /// Request the destruction of what is due.
    #[command(
        after_long_help = "Examples:\n  batchward destroy request b-260000001 --reason 'use completed'\n  batchward destroy request b-260000001 --copy c-260000004 --reason 'the hearing is over'"
    )]
    Request {
        /// Id, or the provider's number where it is unique.
        id: String,
        /// One copy that people keep, due or not; more than once for several. Everything that is due without it.
        #[arg(long, value_name = "ID")]
        copy: Vec<String>,
        /// Why: a code of 'batchward reasons' and a note; kept in the register, so no personal data.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Print the slip (核定單) of an order for a decision on paper, with the code that is typed with the decision.
    ///
    /// Where the policy lets destruction be decided on paper, whoever decides seals the slip. One person then enters the
    /// decision with 'destroy approve --paper' or 'destroy deny --paper', and another one confirms it.
    #[command(
        after_long_help = "Examples:\n  batchward destroy slip o-00000001 --format pdf -o slip.pdf"
    )]
    Slip {
        /// Id of the order.
        order: String,
        /// How and where.
        #[command(flatten)]
        file: FormFile,
    },
    /// Approve, as a second person; the agent then carries it out.
    #[command(
        after_long_help = "Examples:\n  batchward destroy approve o-00000001 --as sue --sign-with sue\n  batchward destroy approve o-00000001 --paper --doc-no 府社婦字第1150000101號 \\\n      --approver sue --date 115/11/21 --code 7K3M-9QXR-C --scan slip.pdf"
    )]
    Approve {
        /// Id of the order.
        order: String,
        #[command(flatten)]
        paper: PaperArgs,
    },
    /// Deny, as a second person.
    #[command(
        after_long_help = "Examples:\n  batchward destroy deny o-00000001 --reason 'still needed'"
    )]
    Deny {
        /// Id of the order.
        order: String,
        /// Why: a code of 'batchward reasons' and a note; kept in the register, so no personal data.
        #[arg(long, value_name = "TEXT")]
        reason: String,
        #[command(flatten)]
        paper: PaperArgs,
    },
    /// Stop an order: the requester's own, or a supervisor's second thought while there is time.
    Cancel {
        /// Id of the order.
        order: String,
        /// Why: a code of 'batchward reasons' and a note; kept in the register, so no personal data.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Leave out a copy that nobody can reach; its batch stays open, and somebody answers for it.
    #[command(
        after_long_help = "Examples:\n  batchward destroy except o-00000001 c-00000004 --owner alice --until 2027-01-31 \\\n      --reason 'with-court: the tape'"
    )]
    Except {
        /// Id of the order.
        order: String,
        /// Id of the copy.
        copy: String,
        /// The account that brings it back.
        #[arg(long, value_name = "NAME")]
        owner: String,
        /// By when, in either calendar.
        #[arg(long, value_name = "DATE")]
        until: String,
        /// Why: a code of 'batchward reasons' and a note; kept in the register, so no personal data.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Enter the papers that close an order; their files stay where they are, their digests are recorded.
    #[command(
        after_long_help = "Examples:\n  batchward destroy close o-00000001 --letter 府社婦字第1150000099號 --evidence photos.zip\n  batchward destroy close o-00000001 --letter 衛健字第1150000007號 --letter-date 115/12/01 \\\n      --letter-file report.pdf"
    )]
    Close(CloseArgs),
    /// Confirm the papers of an order, as a second person: a decision on paper, or what closes it.
    Confirm {
        /// Id of the order.
        order: String,
    },
    /// Show what must be destroyed by a day, why and by which clause; of a day that is past, what became of it.
    #[command(
        after_long_help = "Examples:\n  batchward destroy plan --on 2027-01-31\n  batchward destroy plan --on 116/01/31 --json"
    )]
    Plan {
        /// The day, in either calendar.
        #[arg(long, value_name = "DATE")]
        on: String,
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
    /// Draft the letter that requests a destruction, or reports it (簽, 函), as a text to be edited.
    ///
    /// What the register knows is filled in; what it does not know is blank. A draft binds nobody.
    #[command(
        after_long_help = "Examples:\n  batchward destroy letter o-00000001 --kind request -o request.odt\n  batchward destroy letter o-00000001 --kind report --to 桃園市政府婦幼發展局 -o report.odt"
    )]
    Letter {
        /// Id of the order.
        order: String,
        /// Which letter.
        #[arg(long, value_enum)]
        kind: DestroyLetter,
        /// To whom and where.
        #[command(flatten)]
        file: LetterFile,
    },
}

#[derive(Debug, Args)]
pub(in crate::cli) struct CloseArgs {
    /// Id of the order.
    pub(in crate::cli) order: String,
    /// Number of the letter that reports the destruction.
    #[arg(long, value_name = "NO")]
    pub(in crate::cli) letter: Option<String>,
    /// Its date, in either calendar; today by default.
    #[arg(long, value_name = "DATE", requires = "letter")]
    pub(in crate::cli) letter_date: Option<String>,
    /// Its file.
    #[arg(long, value_name = "FILE", requires = "letter")]
    pub(in crate::cli) letter_file: Option<PathBuf>,
    /// File of the evidence; more than once for several.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) evidence: Vec<PathBuf>,
    /// Number of the copy to the IT office.
    #[arg(long, value_name = "NO")]
    pub(in crate::cli) cc_it: Option<String>,
    /// Number of the copy to the ethics office.
    #[arg(long, value_name = "NO")]
    pub(in crate::cli) cc_ethics: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum StandingWord {
    /// Propose a standing approval: transfer files go as soon as they are loaded.
    #[command(
        after_long_help = "Examples:\n  batchward standing add --policy nantou-verification --doc-no 府民戶字第1130001234號 \\\n      --until 2027-12-31"
    )]
    Add {
        /// Name of the policy.
        #[arg(long)]
        policy: String,
        /// One link alone.
        #[arg(long)]
        link: Option<String>,
        /// Number of the document that approves it; the regulation's own letter will do.
        #[arg(long, value_name = "NO")]
        doc_no: String,
        /// Its last day, in either calendar.
        #[arg(long, value_name = "DATE")]
        until: String,
    },
    /// Confirm a standing approval, as a second person.
    Confirm {
        /// Id of the standing approval.
        id: String,
    },
    /// End a standing approval at once.
    End {
        /// Id of the standing approval.
        id: String,
    },
    /// List standing approvals, ended ones too.
    List,
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
