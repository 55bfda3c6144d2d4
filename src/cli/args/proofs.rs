//! Words that prove something: `register`, `certificate`, `policy`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::forms::{FormFormat, RegisterExport};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum RegisterWord {
    /// Print the register, all of it or what is about a batch or an account.
    #[command(
        after_long_help = "Examples:\n  batchward register show\n  batchward register show --batch b-00000001\n  batchward register show --account alice --json"
    )]
    Show {
        /// What is about this batch: its id or number.
        #[arg(long, value_name = "ID")]
        batch: Option<String>,
        /// What this account did, and what was done about it.
        #[arg(long, value_name = "NAME")]
        account: Option<String>,
    },
    /// Amend what somebody typed wrongly, by a new entry that points to the old one; another person confirms it.
    ///
    /// The old value stays where it stands, and is struck through on paper. What the agent found or did (digests, counts,
    /// times, results of wipes) and what a certificate proves cannot be amended: that takes a note.
    #[command(
        after_long_help = "Examples:\n  batchward register amend 41 --field doc-no --to 府民戶字第1150001234號 \\\n      --reason '文號誤植'\n  batchward register amend 57 --field letter --to 府社婦字第1150000099號 --reason '文號誤植'"
    )]
    Amend {
        /// Place of the entry: the number before its time in 'register show'.
        entry: u64,
        /// What is amended: purpose, basis, doc-no, authority, reason, channel, letter, cc-it, cc-ethics,
        /// note or subject.
        #[arg(long, value_name = "FIELD")]
        field: String,
        /// What it should say; it is written into the register, so no personal data.
        #[arg(long, value_name = "TEXT")]
        to: String,
        /// Why: a code of 'batchward reasons' and a note; kept in the register, so no personal data.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Confirm an amendment, as a second person.
    Confirm {
        /// Place of the entry that amends.
        amendment: u64,
    },
    /// Note something about an entry, which stays as it is.
    #[command(
        after_long_help = "Examples:\n  batchward register note 41 --text '時鐘當日慢五分鐘，詳府資字第1150000007號'"
    )]
    Note {
        /// Place of the entry: the number before its time in 'register show'.
        entry: u64,
        /// The note; it is written into the register, so no personal data.
        #[arg(long, value_name = "TEXT")]
        text: String,
    },
    /// Write the printed form (附件一): the ten columns of the regulation, and annexes with ours.
    ///
    /// Dates are in the ROC calendar. Boxes to sign off in are filled from recorded signatures, and blank for ink where
    /// there is none. At its end stands the signed checkpoint: paper that is filed is a checkpoint kept elsewhere.
    #[command(
        after_long_help = "Examples:\n  batchward register export --format pdf -o register.pdf\n  batchward register export --format ods --from 115/11/01 --to 115/11/30 -o november.ods\n  batchward register export --format pdf --year 115 -o 115.pdf\n  batchward register export --format csv --link moca-full -o moca.csv"
    )]
    Export(RegisterExport),
    /// Verify the register of the site, a copied register folder, or one proof file.
    ///
    /// It needs neither the agent nor its keys, and changes nothing: auditors run it on copies. What a folder cannot tell
    /// of itself (an older one put back, its end cut off, another history under the same key), a checkpoint that was kept
    /// elsewhere tells.
    #[command(
        after_long_help = "Examples:\n  batchward register verify\n  batchward register verify --dir /media/copy/register \\\n    --key batchward/taoyuan-dwcd+5c0ee2a4+AZTF\n  batchward register verify --dir audit/register --access audit/access\n  batchward register verify --against last-year.checkpoint\n  batchward register verify --proof entry-42.tlog-proof \\\n    --key batchward/taoyuan-dwcd+5c0ee2a4+AZTF"
    )]
    Verify(RegisterVerify),
    /// Write the proof that an entry is in the register, as a file that verifies by itself.
    ///
    /// The file is a C2SP tlog-proof with the entry in it. It is made of the published files; no agent is needed.
    #[command(
        after_long_help = "Examples:\n  batchward register prove 42 -o entry-42.tlog-proof\n  batchward register prove 42 --dir /media/copy/register"
    )]
    Prove {
        /// Place of the entry: 'seq' in 'register show --json'.
        entry: u64,
        /// A copied register folder, or the folder of the access log.
        #[arg(long)]
        dir: Option<PathBuf>,
        /// File to write; standard output without it.
        #[arg(short = 'o', long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Write the proof that the register begins with what it was at an earlier size.
    ///
    /// The file is what C2SP tlog-witness calls the body of 'add-checkpoint': witnesses take it.
    #[command(
        after_long_help = "Examples:\n  batchward register consistency --since 42 -o growth.txt\n  batchward register verify --proof growth.txt --against kept.checkpoint \\\n    --key batchward/taoyuan-dwcd+5c0ee2a4+AZTF"
    )]
    Consistency {
        /// Entries of the checkpoint that was kept.
        #[arg(long, value_name = "SIZE")]
        since: u64,
        /// A copied register folder, or the folder of the access log.
        #[arg(long)]
        dir: Option<PathBuf>,
        /// File to write; standard output without it.
        #[arg(short = 'o', long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Print the signed checkpoint, of now or of an earlier size, to be kept elsewhere.
    ///
    /// With --output, FILE.sig beside it is the same text signed for 'ssh-keygen -Y verify'.
    #[command(
        after_long_help = "Examples:\n  batchward register checkpoint\n  batchward register checkpoint --size 42 -o year-end.checkpoint"
    )]
    Checkpoint {
        /// Entries; all there are without it.
        #[arg(long)]
        size: Option<u64>,
        /// The newest one that a witness has cosigned, with the cosignatures.
        #[arg(long, conflicts_with = "size")]
        cosigned: bool,
        /// File to write; standard output without it.
        #[arg(short = 'o', long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
pub(in crate::cli) struct RegisterVerify {
    /// A copied register folder.
    #[arg(long)]
    pub(in crate::cli) dir: Option<PathBuf>,
    /// A copied access log, to be held against what the register says of it.
    #[arg(long, requires = "dir")]
    pub(in crate::cli) access: Option<PathBuf>,
    /// The verifier key that you hold; without it, the folder's own.
    #[arg(long, value_name = "VKEY")]
    pub(in crate::cli) key: Option<String>,
    /// A witness that must have cosigned, by its verifier key; may be given several times.
    #[arg(long, value_name = "VKEY")]
    pub(in crate::cli) witness: Vec<String>,
    /// A checkpoint that was kept elsewhere; may be given several times.
    #[arg(long, value_name = "CHECKPOINT")]
    pub(in crate::cli) against: Vec<PathBuf>,
    /// One proof file, in place of a folder.
    #[arg(long, value_name = "FILE", requires = "key", conflicts_with = "dir")]
    pub(in crate::cli) proof: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum CertificateWord {
    /// Print a certificate as it was signed, or lay it out on paper.
    #[command(
        after_long_help = "Examples:\n  batchward certificate show o-260000001 > certificate.json\n  batchward certificate show o-260000001 --format pdf -o certificate.pdf"
    )]
    Show {
        /// Id of the order.
        order: String,
        /// Form of the file; as it was signed (JSON) without it.
        #[arg(long, value_enum)]
        format: Option<FormFormat>,
        /// The file; standard output without it.
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
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

/// Forms of the table of clauses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(in crate::cli) enum MatrixFormat {
    /// Markdown.
    Md,
    /// An OpenDocument spreadsheet.
    Ods,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum PolicyWord {
    /// List the policies.
    List,
    /// Print each rule with its clause, what that says, the layer it comes from, and what is done with it.
    #[command(
        after_long_help = "Examples:\n  batchward policy explain taoyuan-dwcd\n  batchward policy explain taoyuan-dwcd vendor.retention\n  batchward policy explain taoyuan-dwcd TY-4.3.2"
    )]
    Explain {
        /// Name of the policy.
        name: String,
        /// Only this parameter, group or clause.
        #[arg(value_name = "PARAMETER|CLAUSE")]
        about: Option<String>,
        /// As this link has it, with its override.
        #[arg(long, value_name = "LINK")]
        link: Option<String>,
    },
    /// Print the rules on which two policies differ, and which is the stricter one.
    #[command(
        after_long_help = "Examples:\n  batchward policy diff taoyuan-dwcd nantou-verification"
    )]
    Diff {
        /// Name of one policy.
        first: String,
        /// Name of the other.
        second: String,
    },
    /// Write the table of all clauses: what each says, what is done for it, and the tests that show it.
    #[command(after_long_help = "Examples:\n  batchward policy matrix --format ods -o clauses.ods")]
    Matrix {
        /// Form of the table.
        #[arg(long, value_enum, default_value = "md")]
        format: MatrixFormat,
        /// Where it is written; '-' is standard output.
        #[arg(long, short, value_name = "FILE", default_value = "-")]
        output: PathBuf,
    },
    /// Look at one policy file, or at all of a folder, and print every problem.
    Check {
        /// The policy file, or the folder.
        #[arg(value_name = "FILE|DIR")]
        path: PathBuf,
    },
}
