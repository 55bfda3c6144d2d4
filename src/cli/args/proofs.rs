//! Words that prove something: `register`, `certificate`, `policy`.

use std::path::PathBuf;

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum RegisterWord {
    /// Print the register.
    Show,
    /// Verify the register of the site, or a copied register folder.
    ///
    /// It needs neither the agent nor its keys, and changes nothing: auditors run it on copies.
    #[command(
        after_long_help = "Examples:\n  batchward register verify\n  batchward register verify --dir /media/copy/register \\\n      --key batchward/taoyuan-dwcd+5c0ee2a4+AZTF"
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
