//! Words about deliveries: `batch`, `key`, `link`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{
    forms::OptionalForm,
    letters::{BatchLetter, LetterFile},
    links::LinkLifeWord,
};
use crate::domain::ids::RemoteId;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum BatchWord {
    /// List batches, and deliveries that are not batches yet.
    List,
    /// Show one batch: counts, files, copies, key, times.
    #[command(
        after_long_help = "Examples:\n  batchward batch show b-260000001\n  batchward batch show 115-0007 --json"
    )]
    Show {
        /// Id, or the provider's number where it is unique.
        id: String,
    },
    /// Record who told whom of a delivery, when and how; it opens a row, or goes on with one.
    ///
    /// The provider's notice is the official time of notice; the time that a manifest states stays beside it.
    #[command(
        after_long_help = "Examples:\n  batchward batch notice --link moca-full --stage provider --channel letter \\\n      --at 115/11/20 --doc-no 府民戶字第1150009999號\n  batchward batch notice t-00000001 --stage to-it --channel email --at 2026-11-20T14:00:00+08:00\n  batchward batch notice b-00000001 --stage to-unit --channel phone --at 115/11/23"
    )]
    Notice(NoticeArgs),
    /// List the notices and announcements, with the batches that came of them.
    Notices,
    /// Enter what a letter says of a delivery that has no manifest; another person confirms it.
    #[command(
        after_long_help = "Examples:\n  batchward batch announce --link moca-full --doc-no 府民戶字第1150009999號 \\\n      --notified 115/11/20 --records 1000 --files 'HR*.age'"
    )]
    Announce(AnnounceArgs),
    /// Confirm an announcement, as another custodian or a handler who compared it with the letter.
    AnnounceConfirm {
        /// Id of the row, t-00000001.
        row: String,
    },
    /// Take an announcement or a notice back that nothing came of.
    AnnounceWithdraw {
        /// Id of the row, t-00000001.
        row: String,
        /// Why: a code of 'batchward reasons' and a note; kept in the register, so no personal data.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Say which batch a notice is about, where no number says it.
    #[command(after_long_help = "Examples:\n  batchward batch join t-00000001 b-00000001")]
    Join {
        /// Id of the row, t-00000001.
        row: String,
        /// Id of the batch, or the provider's number where it is unique.
        batch: String,
    },
    /// Show everything that happened to one batch, in order (批次履歷表).
    #[command(
        after_long_help = "Examples:\n  batchward batch history b-260000001\n  batchward batch history 115-0007 --format pdf -o history.pdf"
    )]
    History {
        /// Id, or the provider's number where it is unique.
        id: String,
        /// As a form instead.
        #[command(flatten)]
        form: OptionalForm,
    },
    /// Draft a letter to the provider of a batch (函): it is returned, or was received.
    #[command(
        after_long_help = "Examples:\n  batchward batch letter b-260000001 --kind return -o return.odt\n  batchward batch letter 115-0007 --kind receipt -o receipt.odt"
    )]
    Letter {
        /// Id, or the provider's number where it is unique.
        id: String,
        /// Which letter.
        #[arg(long, value_enum)]
        kind: BatchLetter,
        /// To whom and where.
        #[command(flatten)]
        file: LetterFile,
    },
    /// Try a stuck step again.
    Retry {
        /// Id, or the provider's number where it is unique.
        id: String,
    },
    /// Have a quarantined batch judged again.
    Release {
        /// Id, or the provider's number where it is unique.
        id: String,
        /// Why: a code of 'batchward reasons' and a note; kept in the register, so no personal data.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Put your seal to the form by which a batch is provided to whoever asks for it.
    #[command(
        after_long_help = "Examples:\n  batchward batch provide b-260000001 --doc-no 府社婦字第1150000042號\n  batchward batch provide b-260000001"
    )]
    Provide {
        /// Id, or the provider's number where it is unique.
        id: String,
        /// Number of the document by which the batch is asked for; the first seal states it.
        #[arg(long, value_name = "NO")]
        doc_no: Option<String>,
    },
    /// Confirm that a batch is whole, as a custodian.
    #[command(after_long_help = "Examples:\n  batchward batch confirm b-260000001")]
    Confirm {
        /// Id, or the provider's number where it is unique.
        id: String,
    },
    /// Compare what was applied for with what came; without --result, show what would be recorded.
    #[command(
        after_long_help = "Examples:\n  batchward batch compare b-260000001\n  batchward batch compare b-260000001 --applied 1000 --result match\n  batchward batch compare b-260000001 --applied 1000 --result mismatch --note too-few"
    )]
    Compare {
        /// Id, or the provider's number where it is unique.
        id: String,
        /// Records that were applied for; what the provider stated by default.
        #[arg(long, value_name = "N")]
        applied: Option<u64>,
        /// What the comparison comes to.
        #[arg(long, value_enum)]
        result: Option<ComparedWord>,
        /// What there is to say about it; it is written into the register, so no personal data.
        #[arg(long, value_name = "TEXT")]
        note: Option<String>,
    },
    /// Let a batch be handed on although its counts did not match, as a supervisor.
    #[command(
        after_long_help = "Examples:\n  batchward batch accept b-260000001 --reason 'explained by the provider'"
    )]
    Accept {
        /// Id, or the provider's number where it is unique.
        id: String,
        /// Why: a code of 'batchward reasons' and a note; kept in the register, so no personal data.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Turn a quarantined batch down.
    Reject {
        /// Id, or the provider's number where it is unique.
        id: String,
        /// Why: a code of 'batchward reasons' and a note; kept in the register, so no personal data.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum ComparedWord {
    /// They are the same, as far as they have to be.
    Match,
    /// They are not.
    Mismatch,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct NoticeArgs {
    /// Id of a row or of a batch, or a batch's number where it is unique.
    #[arg(required_unless_present = "link", conflicts_with = "link")]
    pub(in crate::cli) id: Option<String>,
    /// Name of the link, of a delivery that has not come.
    #[arg(long)]
    pub(in crate::cli) link: Option<String>,
    /// Who told whom: provider, to-it, to-unit.
    #[arg(long, value_name = "STAGE")]
    pub(in crate::cli) stage: String,
    /// How: letter, email, phone, in-person.
    #[arg(long, value_name = "CHANNEL")]
    pub(in crate::cli) channel: String,
    /// When, in either calendar; of a day, its beginning.
    #[arg(long, value_name = "DATE|TIME")]
    pub(in crate::cli) at: String,
    /// Number of the letter; a letter has one.
    #[arg(long, value_name = "NO")]
    pub(in crate::cli) doc_no: Option<String>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct AnnounceArgs {
    /// Name of the link.
    #[arg(long)]
    pub(in crate::cli) link: String,
    /// Number of the letter.
    #[arg(long, value_name = "NO")]
    pub(in crate::cli) doc_no: String,
    /// Date of the letter, in either calendar.
    #[arg(long, value_name = "DATE|TIME")]
    pub(in crate::cli) notified: String,
    /// Records over all files.
    #[arg(long, value_name = "N")]
    pub(in crate::cli) records: u64,
    /// Name of the file, or a pattern of names with * and ?.
    #[arg(long, value_name = "PATTERN")]
    pub(in crate::cli) files: String,
    /// SHA-256 of a file as the letter states it; once for each, where it states any.
    #[arg(long, value_name = "HEX")]
    pub(in crate::cli) sha256: Vec<String>,
    /// Number of the batch; the row's id where the letter names none.
    #[arg(long, value_name = "NUMBER")]
    pub(in crate::cli) number: Option<String>,
    /// What it is.
    #[arg(long, value_name = "full|delta", value_parser = ["full", "delta"], default_value = "full")]
    pub(in crate::cli) kind: String,
    /// Number of a change file.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(in crate::cli) sequence: u64,
    /// The day that the data stand for; that of the letter by default.
    #[arg(long, value_name = "DATE|TIME")]
    pub(in crate::cli) as_of: Option<String>,
    /// Records that were applied for.
    #[arg(long, value_name = "N")]
    pub(in crate::cli) applied: Option<u64>,
    /// Number of the batch that this one corrects.
    #[arg(long, value_name = "NUMBER")]
    pub(in crate::cli) replaces: Option<String>,
    /// Row of notices that the letter goes with; that of its number by default.
    #[arg(long, value_name = "ROW")]
    pub(in crate::cli) row: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum LinkWord {
    #[command(flatten)]
    Life(LinkLifeWord),
    /// Propose the change file after which this agent takes a link over.
    Baseline {
        /// Name of the link.
        link: String,
        /// Number of the last change file taken before.
        number: u64,
    },
    /// Put a proposed baseline in force, as a supervisor.
    Confirm {
        /// Name of the link.
        link: String,
    },
    /// Show expected deliveries: what came, what is due, late or missing, and what comes next.
    ///
    /// When deliveries are expected, 'expect:' of the link says.
    #[command(
        after_long_help = "Examples:\n  batchward link expected\n  batchward link expected moca-full --from 2026-10-01 --until 2026-12-31\n  batchward link expected moca-full --json"
    )]
    Expected(ExpectedArgs),
    /// Try a link's server: connect, show both fingerprints, log in, list.
    ///
    /// Nothing is fetched and nothing is changed. Run it as the agent's user, who can read the identity.
    #[command(after_long_help = "Examples:\n  batchward link test moca-full")]
    Test {
        /// Name of the link.
        link: String,
    },
    /// Say that a delivery which could not be released at its server was seen to by hand.
    #[command(
        after_long_help = "Examples:\n  batchward link settle r-00000001 --reason 'removed-there: by telephone'"
    )]
    Settle {
        /// Id of the remote delivery, as 'status' names it.
        id: RemoteId,
        /// What was done; it is written into the register, so no personal data.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ExpectedArgs {
    /// Name of the link; every one that expects something where none is named.
    pub(in crate::cli) link: Option<String>,
    /// The first day; a month ago where none is said.
    #[arg(long, value_name = "DATE")]
    pub(in crate::cli) from: Option<String>,
    /// The last day; the next deliveries where none is said.
    #[arg(long, value_name = "DATE")]
    pub(in crate::cli) until: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum KeyWord {
    /// Enter the key that came separately: a file, or standard input.
    #[command(
        after_long_help = "Examples:\n  batchward key submit b-260000001 --file key.txt --channel letter\n  batchward key submit 115-0007 --passphrase-stdin --channel telephone < passphrase.txt"
    )]
    Submit {
        /// Id, or the provider's number where it is unique.
        id: String,
        /// File that holds an age identity; without it, standard input is read.
        #[arg(long, value_name = "FILE", conflicts_with = "passphrase_stdin")]
        file: Option<PathBuf>,
        /// Read a passphrase from standard input, instead of an age identity.
        #[arg(long)]
        passphrase_stdin: bool,
        /// How it came, in a word or two: letter, telephone, in person.
        #[arg(long, value_name = "TEXT")]
        channel: String,
    },
    /// Enter the one passphrase that a provider uses for long; a supervisor confirms it.
    ///
    /// It is read from standard input, for links with 'key: standing-passphrase'. The next one takes its place.
    #[command(
        after_long_help = "Examples:\n  batchward key standing moca-full --channel letter < passphrase.txt"
    )]
    Standing {
        /// Name of the link.
        link: String,
        /// How it came, in a word or two: letter, telephone, in person.
        #[arg(long, value_name = "TEXT")]
        channel: String,
    },
    /// Put a standing passphrase in force, as a supervisor.
    #[command(after_long_help = "Examples:\n  batchward key confirm moca-full")]
    Confirm {
        /// Name of the link.
        link: String,
    },
    /// End a standing passphrase: it is destroyed, and so is one that waits.
    #[command(
        after_long_help = "Examples:\n  batchward key end moca-full --reason 'the provider changed it'"
    )]
    End {
        /// Name of the link.
        link: String,
        /// Why: a code of 'batchward reasons' and a note; kept in the register, so no personal data.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}
