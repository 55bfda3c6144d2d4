//! Words about applications and the life of links.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum LinkLifeWord {
    /// List links: how far they count, until when, and what bounds them.
    List,
    /// Show one link, with its applications, reviews and who stopped it.
    #[command(
        after_long_help = "Examples:\n  batchward link show moca-full\n  batchward link show moca-full --json"
    )]
    Show {
        /// Name of the link.
        link: String,
    },
    /// Apply for a link, or for a change of one: for what its file says.
    #[command(
        after_long_help = "Examples:\n  batchward link apply moca-full --necessity '審查資格所需'\n  batchward link apply moca-full --necessity '改善後重新申請' --refers 稽字第3號"
    )]
    Apply(ApplyArgs),
    /// Agree to an application, for an office that the policy asks.
    #[command(
        after_long_help = "Examples:\n  batchward link countersign moca-full --office it-office\n  batchward link countersign moca-full --office head --doc-no 府衛字第1150001234號"
    )]
    Countersign {
        /// Name of the link.
        link: String,
        /// The office.
        #[arg(long, value_enum)]
        office: OfficeWord,
        /// Number of its document.
        #[arg(long, value_name = "NO")]
        doc_no: Option<String>,
    },
    /// Refuse an application.
    Refuse {
        /// Name of the link.
        link: String,
        /// Why: a code of 'batchward reasons' and a note; kept in the register, so no personal data.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Enter that a link was tested.
    #[command(
        after_long_help = "Examples:\n  batchward link tested moca-full --doc-no 府資字第1150001234號 --evidence test.pdf"
    )]
    Tested {
        /// Name of the link.
        link: String,
        /// Number of the document about it.
        #[arg(long, value_name = "NO")]
        doc_no: Option<String>,
        /// Protocol of the test; its SHA-256 is recorded, the file stays with you.
        #[arg(long, value_name = "FILE")]
        evidence: Vec<PathBuf>,
    },
    /// Enter a review of a link.
    #[command(
        after_long_help = "Examples:\n  batchward link review moca-full --result needed --doc-no 府婦字第1150001234號"
    )]
    Review {
        /// Name of the link.
        link: String,
        /// What it came to.
        #[arg(long, value_enum)]
        result: ReviewWord,
        /// Number of the document about it.
        #[arg(long, value_name = "NO")]
        doc_no: String,
    },
    /// Stop a link at once: what arrives is claimed and quarantined.
    Suspend {
        /// Name of the link.
        link: String,
        /// Why: a code of 'batchward reasons' and a note; kept in the register, so no personal data.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// End a link at once: as suspended, and what is held of it comes due.
    #[command(
        after_long_help = "Examples:\n  batchward link terminate moca-full --reason '已無需求' --doc-no 府婦字第1150001234號"
    )]
    Terminate {
        /// Name of the link.
        link: String,
        /// Why: a code of 'batchward reasons' and a note; kept in the register, so no personal data.
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// Number of the letter by which the provider was asked to end it.
        #[arg(long, value_name = "NO")]
        doc_no: String,
    },
    /// Take a suspended link up again: one proposes, another confirms.
    #[command(
        after_long_help = "Examples:\n  batchward link resume moca-full --reason '已改善'\n  batchward link resume moca-full --confirm"
    )]
    Resume {
        /// Name of the link.
        link: String,
        /// Why: a code of 'batchward reasons' and a note; kept in the register, so no personal data.
        #[arg(long, value_name = "TEXT", required_unless_present = "confirm")]
        reason: Option<String>,
        /// Confirm what another person proposed.
        #[arg(long, conflicts_with = "reason")]
        confirm: bool,
    },
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ApplyArgs {
    /// Name of the link.
    pub(in crate::cli) link: String,
    /// The purpose; what the link's file says, where none is given, and nothing else.
    #[arg(long, value_name = "TEXT")]
    pub(in crate::cli) purpose: Option<String>,
    /// The document that it rests on; what the link's file says, where none is given.
    #[arg(long, value_name = "NO")]
    pub(in crate::cli) basis: Option<String>,
    /// Why the data are needed; it is written into the register, so no personal data.
    #[arg(long, value_name = "TEXT")]
    pub(in crate::cli) necessity: String,
    /// Number of the agency's own electronic form, where it applies by one.
    #[arg(long, value_name = "NO")]
    pub(in crate::cli) external_form: Option<String>,
    /// A finding that was corrected; once for each, after a link was terminated.
    #[arg(long, value_name = "FINDING")]
    pub(in crate::cli) refers: Vec<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(in crate::cli) enum OfficeWord {
    /// The IT office.
    ItOffice,
    /// The ethics office.
    EthicsOffice,
    /// Who owns the data, by its letter.
    Owner,
    /// The agency's manager.
    Manager,
    /// The supervisor in charge.
    Supervisor,
    /// The head of the agency, after the others.
    Head,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(in crate::cli) enum ReviewWord {
    /// The link is needed.
    Needed,
    /// It is not: its end is to be asked for.
    NoNeed,
}
