//! Words that prove something: `register`, `certificate`, `policy`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// Forms of a printed form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum FormFormat {
    /// Spreadsheet (OpenDocument), to be edited.
    Ods,
    /// Pages to be filed (PDF/A), with text that can be searched.
    Pdf,
    /// Comma-separated, UTF-8 with a byte-order mark.
    Csv,
    /// One page for a browser; nothing is fetched.
    Html,
    /// The facts, for programs.
    Json,
}

/// How and where a form is written.
#[derive(Debug, Args)]
pub(in crate::cli) struct FormFile {
    /// Form of the file.
    #[arg(long, value_enum)]
    pub(in crate::cli) format: FormFormat,
    /// The file, which only its owner may read; '-' for standard output.
    #[arg(short, long, value_name = "FILE")]
    pub(in crate::cli) output: PathBuf,
}

/// `register export`.
#[derive(Debug, Args)]
pub(in crate::cli) struct RegisterExport {
    /// Batches received on this day or later.
    #[arg(long, value_name = "DATE")]
    pub(in crate::cli) from: Option<String>,
    /// Batches received on this day or before.
    #[arg(long, value_name = "DATE")]
    pub(in crate::cli) to: Option<String>,
    /// Batches of this link.
    #[arg(long)]
    pub(in crate::cli) link: Option<String>,
    /// One batch: its id, or the provider's number.
    #[arg(long, value_name = "ID")]
    pub(in crate::cli) batch: Option<String>,
    /// How and where.
    #[command(flatten)]
    pub(in crate::cli) file: FormFile,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum RegisterWord {
    /// Print the register.
    Show,
    /// Write the printed form (附件一): the ten columns of the regulation, and annexes with ours.
    ///
    /// Dates are in the ROC calendar. Boxes to sign off in are filled from recorded signatures, and blank for ink where
    /// there is none. At its end stands the signed checkpoint: paper that is filed is a checkpoint kept elsewhere.
    #[command(
        after_long_help = "Examples:\n  batchward register export --format pdf -o register.pdf\n  batchward register export --format ods --from 115/11/01 --to 115/11/30 -o november.ods\n  batchward register export --format csv --link moca-full -o moca.csv"
    )]
    Export(RegisterExport),
    /// Verify the register of the site, or a copied register folder.
    ///
    /// It needs neither the agent nor its keys, and changes nothing: auditors run it on copies.
    #[command(
        after_long_help = "Examples:\n  batchward register verify\n  batchward register verify --dir /media/copy/register --key batchward/taoyuan-dwcd+5c0ee2a4+AZTF"
    )]
    Verify {
        /// A copied register folder.
        #[arg(long)]
        dir: Option<PathBuf>,
        /// The verifier key that you hold; without it, the folder's own.
        #[arg(long, value_name = "VKEY")]
        key: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum CertificateWord {
    /// Print a certificate as it was signed.
    Show {
        /// Id of the order.
        order: String,
    },
    /// Verify a certificate; needs no agent.
    #[command(
        after_long_help = "Examples:\n  batchward certificate verify certificate.json --key batchward/taoyuan-dwcd+5c0ee2a4+AZTF"
    )]
    Verify {
        /// File that holds the certificate.
        file: PathBuf,
        /// The verifier key that you hold; without it, the certificate's own.
        #[arg(long, value_name = "VKEY")]
        key: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum PolicyWord {
    /// List the policies.
    List,
    /// Print each rule with its clause.
    Explain {
        /// Name of the policy.
        name: String,
    },
    /// Look at one policy file and print every problem.
    Check {
        /// The policy file.
        file: PathBuf,
    },
}
