//! Words about deliveries: `batch`, `key`, `link`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

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
        /// Why; it is written into the register, so no personal data.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Turn a quarantined batch down.
    Reject {
        /// Id, or the provider's number where it is unique.
        id: String,
        /// Why; it is written into the register, so no personal data.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
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
        after_long_help = "Examples:\n  batchward link settle r-00000001 --reason 'removed by the provider, by telephone'"
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
}
