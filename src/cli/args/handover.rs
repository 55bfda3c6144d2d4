//! Words about handing data on: `handover`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum HandoverWord {
    /// Ask to hand data on to a recipient on the list.
    #[command(
        after_long_help = "Examples:\n  batchward handover request b-00000001 --to zhongli-hc --fields national_id,name \\\n      --purpose 'vaccination notice' --basis 府衛疾字第1150000042號 \\\n      --channel courier --key-channel registered-letter --until 2027-03-31\n  batchward handover request --link moca-full --to eligible-systems --purpose 'letters' \\\n      --basis 府社婦字第1150009999號 --channel courier --key-channel telephone --until 116/03/31"
    )]
    Request(RequestArgs),
    /// Approve it, as a second person.
    #[command(
        after_long_help = "Examples:\n  batchward handover approve l-00000001 --doc-no 府民戶字第1150001234號\n  batchward handover approve l-00000002 --doc-no 府民戶字第1150001235號 \\\n      --exception 府社婦字第1150004321號"
    )]
    Approve {
        /// Id of the hand-over.
        id: String,
        /// Number of the document by which the provider allowed it, where the policy asks for one.
        #[arg(long, value_name = "NO")]
        doc_no: Option<String>,
        /// Number of the document that allows that data leave for a vendor's premises.
        #[arg(long, value_name = "NO")]
        exception: Option<String>,
    },
    /// Deny it, or take an approval back before the package is made, as a second person.
    Deny {
        /// Id of the hand-over.
        id: String,
        /// Why: a code of 'batchward reasons' and a note; kept in the register, so no personal data.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Make the package: sealed, with a signed manifest, in the recipient's outbox.
    Make {
        /// Id of the hand-over.
        id: String,
    },
    /// Record that the recipient confirmed its receipt.
    #[command(
        after_long_help = "Examples:\n  batchward handover confirm l-00000001 --doc-no 中衛字第1150000077號\n  batchward handover confirm l-00000001 --doc-no 中衛字第1150000077號 --on 115/11/25"
    )]
    Confirm {
        /// Id of the hand-over.
        id: String,
        /// Number of the recipient's document.
        #[arg(long, value_name = "NO")]
        doc_no: String,
        /// The day, in either calendar; today by default.
        #[arg(long, value_name = "DATE")]
        on: Option<String>,
    },
    /// Record the recipient's letter that it has destroyed what it got; a second person confirms it.
    ///
    /// An approved order has to cover the copy: 'destroy request BATCH --copy COPY'. A certificate that another
    /// Batchward issued is checked: it has to name the very file that was handed on, and the data loaded from it.
    #[command(
        after_long_help = "Examples:\n  batchward handover returned l-00000001 --letter 中衛字第1150000099號 --certificate theirs.json\n  batchward handover returned l-00000001 --letter 中衛字第1150000099號 --evidence photo.jpg \\\n      --place 'health centre, server room' --performer 'Lin, health centre' --on 2027-04-06"
    )]
    Returned(ReturnedArgs),
    /// Try a recipient's server: connect, show both fingerprints, log in, list.
    ///
    /// Nothing is put there and nothing is changed. Run it as the agent's user, who can read the identity.
    #[command(after_long_help = "Examples:\n  batchward handover test zhongli-hc")]
    Test {
        /// Name of the recipient.
        recipient: String,
    },
    /// List what was handed on.
    #[command(
        after_long_help = "Examples:\n  batchward handover list\n  batchward handover list --json"
    )]
    List,
    /// Show one hand-over: terms, package, keys, and what comes next.
    Show {
        /// Id of the hand-over.
        id: String,
    },
}

#[derive(Debug, Args)]
pub(in crate::cli) struct RequestArgs {
    /// Id of the batch, or the provider's number where it is unique.
    #[arg(required_unless_present = "link", conflicts_with = "link")]
    pub(in crate::cli) id: Option<String>,
    /// The current view of this link, instead of one batch.
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) link: Option<String>,
    /// Name of the recipient: a file in 'recipients'.
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) to: String,
    /// Fields that it needs, with commas between; all of the link's by default.
    #[arg(long, value_delimiter = ',', value_name = "FIELD,…")]
    pub(in crate::cli) fields: Vec<String>,
    /// What it needs them for.
    #[arg(long, value_name = "TEXT")]
    pub(in crate::cli) purpose: String,
    /// Number of the document that it rests on.
    #[arg(long, value_name = "DOC")]
    pub(in crate::cli) basis: String,
    /// How the package goes there.
    #[arg(long, value_name = "TEXT")]
    pub(in crate::cli) channel: String,
    /// How its key goes there: another way.
    #[arg(long, value_name = "TEXT")]
    pub(in crate::cli) key_channel: Option<String>,
    /// The end of the recipient's use, in either calendar.
    #[arg(long, value_name = "DATE")]
    pub(in crate::cli) until: String,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ReturnedArgs {
    /// Id of the hand-over.
    pub(in crate::cli) id: String,
    /// Number of the recipient's letter.
    #[arg(long, value_name = "NO")]
    pub(in crate::cli) letter: String,
    /// A certificate of the recipient's Batchward; more than once for several.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) certificate: Vec<PathBuf>,
    /// What else it sent along; more than once for several. Only its digest is recorded.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) evidence: Vec<PathBuf>,
    /// How it was destroyed.
    #[arg(long, value_name = "METHOD", default_value = "erased")]
    pub(in crate::cli) method: String,
    /// Where; at the recipient's by default.
    #[arg(long, value_name = "TEXT")]
    pub(in crate::cli) place: Option<String>,
    /// Who did it; the recipient by default.
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) performer: Option<String>,
    /// The day, in either calendar; as the certificate says, or today.
    #[arg(long, value_name = "DATE")]
    pub(in crate::cli) on: Option<String>,
}
