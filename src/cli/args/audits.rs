//! Words about reports, audits and requests for evidence: `audit`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::FormFile;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum AuditsWord {
    /// Make the report of use of a period: by unit and source, counts alone; for auditors.
    ///
    /// It is counted from the access log, which logs that. Its counts and the digest of its file are recorded.
    #[command(
        after_long_help = "Examples:\n  batchward audit report --period 2026-11 --format ods -o november.ods\n  batchward audit report --period 115-11 --link moca-full --format pdf -o november.pdf"
    )]
    Report(UseArgs),
    /// Make the statistics of use of a period: by source, counts alone; for auditors.
    ///
    /// The counts stay in the register, also when the keys of the access log are destroyed.
    #[command(
        after_long_help = "Examples:\n  batchward audit statistics --period 2026-H2 --format ods -o statistics.ods"
    )]
    Statistics(UseArgs),
    /// Write the self-assessment of the regulation (附件二), filled in as far as the register proves something.
    ///
    /// Every item stands in the form's own order and wording. What the register does not prove is left for whoever
    /// assesses.
    #[command(
        after_long_help = "Examples:\n  batchward audit self-assessment --format ods -o assessment.ods\n  batchward audit self-assessment --on 115/12/31 --format pdf -o assessment.pdf"
    )]
    SelfAssessment {
        /// The day, in either calendar; today by default.
        #[arg(long, value_name = "DATE")]
        on: Option<String>,
        /// How and where.
        #[command(flatten)]
        file: FormFile,
    },
    /// Hold accounts against a list of staff, or queries against a list of cases; for auditors.
    ///
    /// The list is CSV in UTF-8 or CP950, with a head: 帳號 (account), 單位 (unit), 離職日 (left); or 案號 (case), 受理日
    /// (from), 結案日 (until). The file holds case numbers: it is the auditor's to keep and to destroy. Counts and its
    /// digest are recorded.
    #[command(
        after_long_help = "Examples:\n  batchward audit reconcile --period 2026-H2 --cases cases.csv --format ods -o cases.ods\n  batchward audit reconcile --period 115-11 --staff staff.csv --format pdf -o staff.pdf"
    )]
    Reconcile(ReconcileArgs),
    /// Everything that an inspection asks for, in one file: make, verify; for auditors.
    ///
    /// The register whole, its form, the roster, the self-assessment, plans and audits, reports and statistics, and an
    /// index whose digest is recorded. Nobody who was looked up stands in it, and no key.
    #[command(
        after_long_help = "Examples:\n  batchward audit pack -o inspection.zip\n  batchward audit pack verify inspection.zip \\\n    --key batchward/taoyuan-dwcd+5c0ee2a4+AZTF"
    )]
    Pack(AuditPack),
    /// Sign a report off, or the record of an audit, as a second person.
    #[command(
        after_long_help = "Examples:\n  batchward audit sign u-00000001 --doc-no 桃婦秘字第1150000123號\n  batchward audit sign v-00000001"
    )]
    Sign {
        /// Id of the report or of the audit.
        id: String,
        /// Number of the document by which a report is signed off.
        #[arg(long, value_name = "NO")]
        doc_no: Option<String>,
    },
    /// Record that a report was sent on.
    #[command(
        after_long_help = "Examples:\n  batchward audit sent u-00000001 --office ethics-office --letter 北市資字第1150000123號"
    )]
    Sent {
        /// Id of the report.
        id: String,
        /// The office.
        #[arg(long, value_name = "OFFICE")]
        office: String,
        /// Number of the letter.
        #[arg(long, value_name = "NO")]
        letter: String,
        /// The day, in either calendar; today by default.
        #[arg(long, value_name = "DATE")]
        on: Option<String>,
    },
    /// Plan an audit.
    #[command(
        after_long_help = "Examples:\n  batchward audit plan --kind internal --period 2026-H2 --of 幼兒托育科 --by audrey\n  batchward audit plan --kind vendor --period 115-H2 --of dingyue --by audrey \\\n      --doc-no 桃婦秘字第1150000124號"
    )]
    Plan(PlanArgs),
    /// Record an audit that took place; a second person signs.
    ///
    /// Where it was planned, the record belongs to that plan: kind, period and what is audited are the same.
    #[command(
        after_long_help = "Examples:\n  batchward audit record internal --period 2026-H2 --of 幼兒托育科 --by audrey --on 115/12/10 \\\n      --result ok --doc-no 桃婦秘字第1150000125號\n  batchward audit record unannounced --period 2026-12 --of all --by audrey=ethics-office \\\n      --by irene=it-office --result findings --doc-no 115-88 --evidence minutes.pdf"
    )]
    Record(AuditRecordArgs),
    /// List reports, audits and requests for evidence.
    #[command(after_long_help = "Examples:\n  batchward audit list\n  batchward audit list --json")]
    List,
    /// Show the day that was drawn for the audit without notice of a month; for auditors and supervisors.
    ///
    /// Who belongs to a unit that is audited is not told before the month is over.
    #[command(after_long_help = "Examples:\n  batchward audit day 2026-12")]
    Day {
        /// The month, in either calendar (2026-12 or 115-12).
        month: String,
    },
    /// Ask somebody for evidence, by a day.
    #[command(
        after_long_help = "Examples:\n  batchward audit ask henry --what 'files of the queries of case 115-001' --by 115/12/15"
    )]
    Ask {
        /// Account that is asked.
        account: String,
        /// For what; it is written into the register, so no personal data.
        #[arg(long, value_name = "TEXT")]
        what: String,
        /// By which day, in either calendar.
        #[arg(long, value_name = "DATE")]
        by: String,
    },
    /// Hand evidence in, as the one who was asked.
    #[command(
        after_long_help = "Examples:\n  batchward audit answer q-00000001 --doc-no 115-77 --evidence files.pdf"
    )]
    Answer {
        /// Id of the request.
        id: String,
        /// Number of the answer's document.
        #[arg(long, value_name = "NO")]
        doc_no: String,
        /// What is handed in; more than once for several. Only its digest is recorded.
        #[arg(long, value_name = "FILE")]
        evidence: Vec<PathBuf>,
    },
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ReconcileArgs {
    /// The period, in either calendar: a month (2026-11, 115-11), Q4, H2 or a year; it must be over.
    #[arg(long, value_name = "PERIOD")]
    pub(in crate::cli) period: String,
    /// The list of staff.
    #[arg(long, value_name = "FILE", required_unless_present = "cases", conflicts_with = "cases")]
    pub(in crate::cli) staff: Option<PathBuf>,
    /// The list of cases.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) cases: Option<PathBuf>,
    /// How and where.
    #[command(flatten)]
    pub(in crate::cli) file: FormFile,
}

/// `audit pack`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(in crate::cli) struct AuditPack {
    #[command(subcommand)]
    pub(in crate::cli) word: Option<AuditPackWord>,
    /// The file, which only its owner may read.
    #[arg(short, long, value_name = "FILE", required = true)]
    pub(in crate::cli) output: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum AuditPackWord {
    /// Verify a pack; needs no agent and no network.
    #[command(
        after_long_help = "Examples:\n  batchward audit pack verify inspection.zip \\\n    --key batchward/taoyuan-dwcd+5c0ee2a4+AZTF"
    )]
    Verify {
        /// The pack.
        file: PathBuf,
        /// The verifier key that you hold; without it, the pack's own.
        #[arg(long, value_name = "VKEY")]
        key: Option<String>,
    },
}

#[derive(Debug, Args)]
pub(in crate::cli) struct UseArgs {
    /// The period, in either calendar: a month (2026-11, 115-11), Q4, H2 or a year; it must be over.
    #[arg(long, value_name = "PERIOD")]
    pub(in crate::cli) period: String,
    /// Name of the link; every one by default.
    #[arg(long)]
    pub(in crate::cli) link: Option<String>,
    /// The unit; every one by default.
    #[arg(long)]
    pub(in crate::cli) unit: Option<String>,
    /// How and where.
    #[command(flatten)]
    pub(in crate::cli) file: FormFile,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum AuditKindWord {
    /// By the office itself.
    Internal,
    /// Of those who hold or use the data elsewhere.
    External,
    /// Of a vendor.
    Vendor,
    /// By pulled files.
    Files,
    /// Without notice.
    Unannounced,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum AuditResultWord {
    /// Nothing was found.
    Ok,
    /// Something was.
    Findings,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct PlanArgs {
    /// What kind of audit.
    #[arg(long, value_enum)]
    pub(in crate::cli) kind: AuditKindWord,
    /// The period that it is owed for, in either calendar: 2026-12, 115-H2, 2026.
    #[arg(long, value_name = "PERIOD")]
    pub(in crate::cli) period: String,
    /// What is audited: a unit, a vendor, a link, or 'all'.
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) of: String,
    /// Who audits; more than once for several. ACCOUNT=OFFICE names the office that sends somebody.
    #[arg(long, value_name = "ACCOUNT", required = true)]
    pub(in crate::cli) by: Vec<String>,
    /// The day, in either calendar, where it is fixed.
    #[arg(long, value_name = "DATE")]
    pub(in crate::cli) on: Option<String>,
    /// Number of the plan's document.
    #[arg(long, value_name = "NO")]
    pub(in crate::cli) doc_no: Option<String>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct AuditRecordArgs {
    /// What kind of audit.
    #[arg(value_enum)]
    pub(in crate::cli) kind: AuditKindWord,
    /// The period that it is owed for, in either calendar: 2026-12, 115-H2, 2026.
    #[arg(long, value_name = "PERIOD")]
    pub(in crate::cli) period: String,
    /// What was audited: a unit, a vendor, a link, or 'all'.
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) of: String,
    /// Who audited; more than once for several. ACCOUNT=OFFICE names the office that sent somebody.
    #[arg(long, value_name = "ACCOUNT", required = true)]
    pub(in crate::cli) by: Vec<String>,
    /// The day, in either calendar; today by default.
    #[arg(long, value_name = "DATE")]
    pub(in crate::cli) on: Option<String>,
    /// What it came to.
    #[arg(long, value_enum)]
    pub(in crate::cli) result: AuditResultWord,
    /// Number of the record's document.
    #[arg(long, value_name = "NO")]
    pub(in crate::cli) doc_no: String,
    /// What is filed with it; more than once for several. Only its digest is recorded.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) evidence: Vec<PathBuf>,
}
