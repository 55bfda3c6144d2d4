//! `receipt`: what a provider was told of a delivery.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ReceiptWord {
    /// Show the newest receipt of a batch, or write it to be sent.
    ///
    /// With --output, FILE is the receipt as it was signed, and FILE.sig beside it its signature for 'ssh-keygen -Y
    /// verify'.
    #[command(
        after_long_help = "Examples:\n  batchward receipt show MOCA-1151121-0007\n  batchward receipt show b-00000001 -o receipt.json"
    )]
    Show(ReceiptShow),
    /// At the provider: verify a receipt; needs no agent.
    ///
    /// Its signature is read from FILE.sig. Whose key counts is said by --key or --signers; without either, the receipt
    /// only agrees with itself.
    #[command(
        after_long_help = "Examples:\n  batchward receipt verify b-00000001.json --key batchward/taoyuan-dwcd+5c0ee2a4+AZTF\n  batchward receipt verify b-00000001.json --signers receivers"
    )]
    Verify(ReceiptVerify),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ReceiptShow {
    /// Id or number of the batch.
    pub(in crate::cli) id: String,
    /// File to write.
    #[arg(short = 'o', long, value_name = "FILE")]
    pub(in crate::cli) output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ReceiptVerify {
    /// The receipt.
    pub(in crate::cli) file: PathBuf,
    /// The verifier key that you hold.
    #[arg(long, value_name = "VKEY")]
    pub(in crate::cli) key: Option<String>,
    /// An OpenSSH list of signers that has the receiver's key for the namespace batchward-receipt.
    #[arg(long, value_name = "FILE", conflicts_with = "key")]
    pub(in crate::cli) signers: Option<PathBuf>,
}
