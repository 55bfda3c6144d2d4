//! Words about samples of the access log, and what was found: `audit`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{RowFormat, audits::AuditsWord, papers::AuditPaperWord};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum AuditWord {
    /// Reports, audits and requests for evidence.
    #[command(flatten)]
    Kept(AuditsWord),
    /// Papers kept for inspection.
    #[command(flatten)]
    Paper(AuditPaperWord),
    /// Draw the sample of a period from the access log; for auditors.
    ///
    /// How much, and what is counted, the policy says. What is drawn nobody chooses: a seed that the register was bound
    /// to before the period, and the root of the access log at its end, decide. Refused askings are in it beside that.
    #[command(
        after_long_help = "Examples:\n  batchward audit sample --period 2026-11 --link moca-full -o 2026-11.json\n  batchward audit sample --period 115-H2 --all\n  batchward audit sample list\n  batchward audit sample show m-00000001"
    )]
    Sample(SampleArgs),
    /// Record that a sample was looked through, with what was found; for auditors.
    ///
    /// Nobody reviews their own askings. Who reviewed an account the last time, and who has to take part, is looked at
    /// as the policy says.
    #[command(
        after_long_help = "Examples:\n  batchward audit review m-00000001 --result ok\n  batchward audit review m-00000001 --finding 'no such case' --on 17 --on 23 --correct-by 116/01/15\n  batchward audit review m-00000001 --result ok --with erin"
    )]
    Review(ReviewArgs),
    /// Agree to a review, as the account that it names.
    Confirm {
        /// Id of the sample.
        id: String,
    },
    /// Findings: add, correct, told, close, return, list.
    #[command(subcommand)]
    Finding(FindingWord),
    /// Draw a sample again from its proof; neither agent nor keys are needed.
    #[command(
        after_long_help = "Examples:\n  batchward audit verify 2026-11.json --key VKEY\n  batchward audit verify 2026-11.json --key VKEY --access /media/copy/access"
    )]
    Verify {
        /// The proof.
        file: PathBuf,
        /// Verifier key of the register; 'init' prints it.
        #[arg(long, value_name = "VKEY")]
        key: String,
        /// A copy of the published access log, to hold the end of the period against.
        #[arg(long, value_name = "DIR")]
        access: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(in crate::cli) struct SampleArgs {
    #[command(subcommand)]
    pub(in crate::cli) word: Option<SampleWord>,
    /// The period, in either calendar: 2026-11, 115-11, 2026-H2, 2026-Q4.
    #[arg(long, value_name = "PERIOD", required = true)]
    pub(in crate::cli) period: Option<String>,
    /// Name of the link.
    #[arg(long, required_unless_present = "all", conflicts_with = "all")]
    pub(in crate::cli) link: Option<String>,
    /// Every link that a sample of this period is owed of.
    #[arg(long)]
    pub(in crate::cli) all: bool,
    /// How many, where it is to be more than the policy asks for.
    #[arg(long, value_name = "N", requires = "link")]
    pub(in crate::cli) size: Option<u64>,
    /// Write the proof to this file, which must not be there yet.
    #[arg(long, short, value_name = "FILE", requires = "link")]
    pub(in crate::cli) output: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum SampleWord {
    /// List the samples.
    List,
    /// Show what was drawn, as 'access show' does: the look itself is logged before its first line.
    #[command(
        after_long_help = "Examples:\n  batchward audit sample show m-00000001\n  batchward audit sample show m-00000001 --format csv --audit-no 115稽字第7號"
    )]
    Show {
        /// Id of the sample.
        id: String,
        /// Number of the audit's own document; it is logged with the look.
        #[arg(long, value_name = "NO")]
        audit_no: Option<String>,
        /// Why you look; it is logged with the look, so no personal data.
        #[arg(long, value_name = "TEXT", default_value = "audit")]
        reason: String,
        /// Form of the lines.
        #[arg(long, value_enum, default_value_t = RowFormat::Table)]
        format: RowFormat,
    },
    /// Write the proof of a sample, from which anyone draws it again.
    #[command(
        after_long_help = "Examples:\n  batchward audit sample prove m-00000001 -o 2026-11.json"
    )]
    Prove {
        /// Id of the sample.
        id: String,
        /// The file, which must not be there yet; standard output by default.
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ReviewArgs {
    /// Id of the sample.
    pub(in crate::cli) id: String,
    /// That nothing was found: ok.
    #[arg(long, value_name = "RESULT", value_parser = ["ok"], required_unless_present = "finding")]
    pub(in crate::cli) result: Option<String>,
    /// What was found, in a few words; it is written into the register, so no personal data.
    #[arg(long, value_name = "TEXT", conflicts_with = "result", requires = "on")]
    pub(in crate::cli) finding: Option<String>,
    /// Place in the access log, as 'audit sample show' has it; may be given again. All that are left by default.
    #[arg(long, value_name = "ENTRY")]
    pub(in crate::cli) on: Vec<u64>,
    /// By when it has to be corrected, in either calendar; as the policy says by default.
    #[arg(long, value_name = "DATE", requires = "finding")]
    pub(in crate::cli) correct_by: Option<String>,
    /// The account that looked through it as well, and then runs 'audit confirm'.
    #[arg(long, value_name = "ACCOUNT")]
    pub(in crate::cli) with: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum FindingWord {
    /// Add a finding that comes from elsewhere than a sample.
    #[command(
        after_long_help = "Examples:\n  batchward audit finding add --link moca-full --code 'roster not up to date' \\\n      --doc-no 府民戶字第1150004444號 --correct-by 2027-01-31"
    )]
    Add {
        /// Name of the link.
        #[arg(long)]
        link: String,
        /// What was found, in a few words; it is written into the register, so no personal data.
        #[arg(long, value_name = "TEXT")]
        code: String,
        /// Number of the document that it stands in.
        #[arg(long, value_name = "NO")]
        doc_no: String,
        /// By when it has to be corrected, in either calendar; as the policy says by default.
        #[arg(long, value_name = "DATE")]
        correct_by: Option<String>,
    },
    /// Record what was done about a finding.
    #[command(
        after_long_help = "Examples:\n  batchward audit finding correct f-00000001 --action 'grant revoked, training repeated' \\\n      --doc-no 府社婦字第1150005555號 --evidence minutes.pdf"
    )]
    Correct {
        /// Id of the finding.
        id: String,
        /// What was done, in a few words; it is written into the register, so no personal data.
        #[arg(long, value_name = "TEXT")]
        action: String,
        /// Number of the document about it.
        #[arg(long, value_name = "NO")]
        doc_no: String,
        /// What shows it; more than once for several. Only its digest is recorded.
        #[arg(long, value_name = "FILE")]
        evidence: Vec<PathBuf>,
        /// The day, in either calendar; today by default.
        #[arg(long, value_name = "DATE")]
        on: Option<String>,
    },
    /// Record the letter by which an office was told how it ended.
    #[command(
        after_long_help = "Examples:\n  batchward audit finding told f-00000001 --office ethics-office --letter 府政字第1150006666號"
    )]
    Told {
        /// Id of the finding.
        id: String,
        /// The office, as the policy names it.
        #[arg(long, value_name = "OFFICE")]
        office: String,
        /// Number of the letter.
        #[arg(long, value_name = "NO")]
        letter: String,
        /// The day, in either calendar; today by default.
        #[arg(long, value_name = "DATE")]
        on: Option<String>,
    },
    /// Close a finding that was corrected, as a second person.
    Close {
        /// Id of the finding.
        id: String,
    },
    /// Have it corrected again, as a second person.
    Return {
        /// Id of the finding.
        id: String,
        /// Why: a code of 'batchward reasons' and a note; kept in the register, so no personal data.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// List the findings.
    List,
}
