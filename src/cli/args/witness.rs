//! `witness`: people outside who vouch that the register only ever grew.

use std::path::PathBuf;

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum WitnessWord {
    /// Propose a witness by its verifier key; a second person confirms it.
    #[command(
        after_long_help = "Examples:\n  batchward witness add audit-office --key audit-office+3f1c9a07+BAZTF"
    )]
    Add {
        /// Its name, which is in its key.
        name: String,
        /// The verifier key that 'witness new' printed at the witness.
        #[arg(long, value_name = "VKEY")]
        key: String,
    },
    /// Confirm a witness that somebody else proposed.
    Confirm {
        /// Its name.
        name: String,
    },
    /// List the witnesses and what each cosigned last.
    List,
    /// Make the file that a witness is to cosign.
    ///
    /// It holds the newest checkpoint and the proof that the register grew from what the witness saw last (the body of
    /// C2SP tlog-witness's 'add-checkpoint'): carry it to the witness.
    #[command(
        after_long_help = "Examples:\n  batchward witness request audit-office -o request.txt\n  batchward witness request audit-office --since 0 -o request.txt"
    )]
    Request {
        /// The witness.
        name: String,
        /// Entries that the witness saw last, where it says another number.
        #[arg(long, value_name = "SIZE")]
        since: Option<u64>,
        /// File to write; standard output without it.
        #[arg(short = 'o', long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Take in what a witness cosigned.
    #[command(after_long_help = "Examples:\n  batchward witness take cosigned.txt")]
    Take {
        /// The file that 'witness cosign' wrote.
        file: PathBuf,
    },
    /// Make the query that a timestamp authority is to answer (RFC 3161).
    ///
    /// It is over the newest checkpoint, and has nothing else in it. The agent has no network: send it by the office's own
    /// means, for example with 'curl -H Content-Type:application/timestamp-query --data-binary @FILE'.
    #[command(after_long_help = "Examples:\n  batchward witness timestamp-request -o request.tsq")]
    TimestampRequest {
        /// File to write.
        #[arg(short = 'o', long, value_name = "FILE")]
        output: PathBuf,
    },
    /// Keep what a timestamp authority answered, beside the register.
    ///
    /// It must be granted and answer a query over a checkpoint of this register. Whose it is, 'openssl ts -verify' says.
    #[command(after_long_help = "Examples:\n  batchward witness timestamp answer.tsr")]
    Timestamp {
        /// The authority's answer.
        file: PathBuf,
    },
    /// Acknowledge that cosignatures are overdue; two people do, each signed.
    ///
    /// The alarm rests for one more period. Both are in the register for good.
    #[command(
        after_long_help = "Examples:\n  batchward witness acknowledge --reason 'office-closed: until Monday'\n  batchward witness acknowledge --confirm"
    )]
    Acknowledge {
        /// Why no cosignature comes.
        #[arg(long, value_name = "TEXT", required_unless_present = "confirm")]
        reason: Option<String>,
        /// Confirm what somebody else acknowledged.
        #[arg(long, conflicts_with = "reason")]
        confirm: bool,
    },
    /// At the witness: make its key, in a folder of its own.
    ///
    /// No agent and no site are needed. The folder is the witness's memory: kept by whoever vouches, and never copied back
    /// from an older state.
    #[command(after_long_help = "Examples:\n  batchward witness new ~/witness --name audit-office")]
    New {
        /// The folder, which must not exist yet.
        dir: PathBuf,
        /// Its name: short, without spaces.
        #[arg(long)]
        name: String,
    },
    /// At the witness: cosign a request, if the register grew from what was seen before.
    ///
    /// What does not fit what was seen is refused with 77, and is a finding: keep the request.
    #[command(
        after_long_help = "Examples:\n  batchward witness cosign request.txt --dir ~/witness -o cosigned.txt \\\n    --log batchward/taoyuan-dwcd+5c0ee2a4+AZTF"
    )]
    Cosign {
        /// The file that 'witness request' made.
        request: PathBuf,
        /// The folder that 'witness new' made.
        #[arg(long)]
        dir: PathBuf,
        /// The register's verifier key, the first time; later it is remembered.
        #[arg(long, value_name = "VKEY")]
        log: Option<String>,
        /// File to write; standard output without it.
        #[arg(short = 'o', long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}
