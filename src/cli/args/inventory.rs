//! Words about copies that people make and keep: `copy`, `media`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{
    forms::FormFile,
    on_paper::{PaperArgs, SlipArgs},
};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum CopyWord {
    /// List every copy that there is: those of the agent, and those that people keep.
    #[command(
        after_long_help = "Examples:\n  batchward copy list\n  batchward copy list b-00000001 --all"
    )]
    List {
        /// One batch, by id or number; every batch without it.
        id: Option<String>,
        /// Those that are gone too.
        #[arg(long)]
        all: bool,
    },
    /// Ask to make a copy: where the policy wants it, an office has to approve it first.
    #[command(
        after_long_help = "Examples:\n  batchward copy request b-00000001 --kind media --medium optical \\\n      --reason 'for-hearing: 3 March'\n  batchward copy request b-00000001 --kind paper --reason 'for the case' \\\n      --delete-by 2027-03-31"
    )]
    Request {
        /// Id of the batch, or the provider's number where it is unique.
        id: String,
        /// What it will be: media, paper, export or hand-over.
        #[arg(long, value_name = "KIND")]
        kind: String,
        /// What it will lie on: paper, magnetic-disk, magnetic-tape, flash, optical or file.
        #[arg(long, value_name = "MEDIUM")]
        medium: Option<String>,
        /// Why: a code of 'batchward reasons' and a note; kept in the register, so no personal data.
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// By when it will be destroyed, in either calendar, where that is before its batch is.
        #[arg(long, value_name = "DATE")]
        delete_by: Option<String>,
    },
    /// Print the slip (核定單) of a copy that somebody asks for, for a decision on paper.
    #[command(
        after_long_help = "Examples:\n  batchward copy slip c-00000004 --format pdf -o slip.pdf"
    )]
    Slip {
        /// Id of the copy.
        copy: String,
        /// How and where.
        #[command(flatten)]
        file: FormFile,
    },
    /// Enter the office's approval of a copy, as a second person.
    #[command(
        after_long_help = "Examples:\n  batchward copy approve c-00000004 --doc-no 府民戶字第1150001234號\n  batchward copy approve c-00000004 --paper --doc-no 府民戶字第1150001234號 \\\n      --approver sue --date 115/11/21 --code 7K3M-9QXR-C --scan slip.pdf"
    )]
    Approve {
        /// Id of the copy.
        copy: String,
        /// Number of the office's document.
        #[arg(long, value_name = "NO")]
        doc_no: String,
        #[command(flatten)]
        slip: SlipArgs,
    },
    /// Deny a copy, as a second person.
    #[command(
        after_long_help = "Examples:\n  batchward copy deny c-00000004 --reason query-suffices"
    )]
    Deny {
        /// Id of the copy.
        copy: String,
        /// Why: a code of 'batchward reasons' and a note; kept in the register, so no personal data.
        #[arg(long, value_name = "TEXT")]
        reason: String,
        #[command(flatten)]
        paper: PaperArgs,
    },
    /// Confirm a decision that another person entered from paper.
    Confirm {
        /// Id of the copy.
        copy: String,
    },
    /// State that a copy is not made after all.
    Withdraw {
        /// Id of the copy.
        copy: String,
        /// Why: a code of 'batchward reasons' and a note; kept in the register, so no personal data.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Make known a copy that is there: one that was approved, or anything that the machine cannot see.
    ///
    /// Media that a delivery came on are a 'carrier'; the password letter, mail or telephone note is a 'key-carrier';
    /// they are destroyed by the same orders as the data.
    #[command(
        after_long_help = "Examples:\n  batchward copy declare c-00000004 --place 'cabinet 3' --lock 'key at the duty desk' \\\n      --holder hana --serial S4X2\n  batchward copy declare b-00000001 --kind key-carrier --medium paper --place 'safe' --holder alice\n  batchward copy declare b-00000001 --kind backup --medium magnetic-tape --serial LTO-0042 \\\n      --place 'tape room' --holder 'IT office'"
    )]
    Declare(DeclareArgs),
    /// Record another place or holder of a copy.
    #[command(
        after_long_help = "Examples:\n  batchward copy move c-00000004 --place 'archive room' --lock 'safe 2' --holder hana"
    )]
    Move {
        /// Id of the copy.
        copy: String,
        /// Where it is kept now.
        #[arg(long, value_name = "TEXT")]
        place: String,
        /// Who keeps it now.
        #[arg(long, value_name = "NAME")]
        holder: String,
        /// How it is locked away.
        #[arg(long, value_name = "TEXT")]
        lock: Option<String>,
    },
}

#[derive(Debug, Args)]
pub(in crate::cli) struct DeclareArgs {
    /// Id of the copy that was approved, or of the batch (or its number) where nobody asked for it.
    pub(in crate::cli) id: String,
    /// What it is: media, paper, export, hand-over, backup, carrier or key-carrier; known of a copy that was approved.
    #[arg(long, value_name = "KIND")]
    pub(in crate::cli) kind: Option<String>,
    /// What it lies on: paper, magnetic-disk, magnetic-tape, flash, optical or file.
    #[arg(long, value_name = "MEDIUM")]
    pub(in crate::cli) medium: Option<String>,
    /// Where it is kept.
    #[arg(long, value_name = "TEXT")]
    pub(in crate::cli) place: String,
    /// Who keeps it.
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) holder: String,
    /// How it is locked away.
    #[arg(long, value_name = "TEXT")]
    pub(in crate::cli) lock: Option<String>,
    /// Serial number of the medium.
    #[arg(long, value_name = "NO")]
    pub(in crate::cli) serial: Option<String>,
    /// Maker and model of the medium.
    #[arg(long, value_name = "TEXT")]
    pub(in crate::cli) model: Option<String>,
    /// The office's own number of the medium.
    #[arg(long, value_name = "NO")]
    pub(in crate::cli) property_no: Option<String>,
    /// Pieces, or sheets of paper.
    #[arg(long, value_name = "N")]
    pub(in crate::cli) pieces: Option<u64>,
    /// By when it is to be destroyed, in either calendar, where that is before its batch is.
    #[arg(long, value_name = "DATE")]
    pub(in crate::cli) delete_by: Option<String>,
    /// The file, of an export; it is read here, and only its digest and length go on.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) file: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum MediaWord {
    /// List the methods that end what is on a medium.
    #[command(
        after_long_help = "Examples:\n  batchward media methods\n  batchward media methods --medium flash"
    )]
    Methods {
        /// One medium; all of them without it.
        #[arg(long, value_name = "MEDIUM")]
        medium: Option<String>,
    },
    /// Copy a delivery from a mounted medium into the inbox of a link; the medium becomes a copy of its batch.
    ///
    /// The agent takes it over like every delivery. The medium is not wiped: it is in the inventory until it is destroyed.
    #[command(
        after_long_help = "Examples:\n  batchward media import /media/usb/moca-1151121-0007 --link moca-full --medium flash \\\n      --from 'MOCA, section 2' --carrier alice --place 'safe 1' --holder alice"
    )]
    Import(ImportArgs),
    /// Copy the package of a hand-over onto a mounted medium and read it back; the medium is a copy of its batches.
    #[command(
        after_long_help = "Examples:\n  batchward media export l-00000001 --to /media/usb --medium flash --serial S4X2 \\\n      --from alice --carrier 'courier Chen' --place 'with the courier' --holder 'courier Chen'"
    )]
    Export(ExportArgs),
    /// Record how a copy that people keep was destroyed, under an approved order.
    #[command(
        after_long_help = "Examples:\n  batchward media record c-00000004 --method shredded --place 'basement, shredder 2' \\\n      --performer alice --evidence before.jpg --evidence after.jpg\n  batchward media record c-00000005 --method erased --place 'room 401' --performer alice \\\n      --tool 'nvme sanitize' --reuse-doc-no 府資字第1150004321號"
    )]
    Record(RecordArgs),
    /// Confirm such a record, as somebody who was there and did not make it.
    Confirm {
        /// Id of the copy.
        copy: String,
    },
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ImportArgs {
    /// The delivery folder on the medium.
    pub(in crate::cli) path: PathBuf,
    /// Name of the link.
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) link: String,
    #[command(flatten)]
    pub(in crate::cli) carried: CarriedArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ExportArgs {
    /// Id of the hand-over.
    pub(in crate::cli) id: String,
    /// The folder where the medium is mounted.
    #[arg(long, value_name = "PATH")]
    pub(in crate::cli) to: PathBuf,
    #[command(flatten)]
    pub(in crate::cli) carried: CarriedArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct CarriedArgs {
    /// What it is: magnetic-disk, magnetic-tape, flash or optical.
    #[arg(long, value_name = "MEDIUM")]
    pub(in crate::cli) medium: String,
    /// Its serial number, where the system does not tell it.
    #[arg(long, value_name = "NO")]
    pub(in crate::cli) serial: Option<String>,
    /// Who gave it.
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) from: String,
    /// Who carried it, or will.
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) carrier: String,
    /// The day, in either calendar; today by default.
    #[arg(long, value_name = "DATE")]
    pub(in crate::cli) on: Option<String>,
    /// Where it is kept.
    #[arg(long, value_name = "TEXT")]
    pub(in crate::cli) place: String,
    /// Who keeps it.
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) holder: String,
    /// How it is locked away.
    #[arg(long, value_name = "TEXT")]
    pub(in crate::cli) lock: Option<String>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct RecordArgs {
    /// Id of the copy.
    pub(in crate::cli) copy: String,
    /// How: shredded, pulped, incinerated, crushed, powdered, degaussed or erased.
    #[arg(long, value_name = "METHOD")]
    pub(in crate::cli) method: String,
    /// Where.
    #[arg(long, value_name = "TEXT")]
    pub(in crate::cli) place: String,
    /// Who did it.
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) performer: String,
    /// The day, in either calendar; now by default.
    #[arg(long, value_name = "DATE")]
    pub(in crate::cli) on: Option<String>,
    /// With what.
    #[arg(long, value_name = "TEXT")]
    pub(in crate::cli) tool: Option<String>,
    /// A photograph, or the firm's certificate; more than once for several. Only its digest is recorded.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) evidence: Vec<PathBuf>,
    /// Number of the document that allows the medium to stay in use.
    #[arg(long, value_name = "NO")]
    pub(in crate::cli) reuse_doc_no: Option<String>,
}
