//! Words of an administrator: `account`, `config`, `clock`, `init`, and the shells of `completions`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{FormFile, ReviewArgs};

#[derive(Debug, Args)]
pub(in crate::cli) struct Init {
    /// The folder.
    pub(in crate::cli) dir: PathBuf,
    /// Name of the site; it stands in every signed text and cannot be changed.
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) site: String,
    /// A founder and the public SSH key; two persons, who then confirm each other's acts.
    #[arg(long, value_name = "NAME=KEY.pub")]
    pub(in crate::cli) founder: Vec<String>,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum AccountWord {
    /// Propose an account, or new facts of one.
    #[command(
        after_long_help = "Examples:\n  batchward account add alice --role custodian --display 王小明 --title 組員 --unit 社會局 \\\n      --sign-key alice.pub\n  batchward account add henry --role handler,auditor --unix-user henry"
    )]
    Add(AccountAdd),
    /// Propose another name, title or unit of an account; what was signed before keeps the old ones on every form.
    #[command(
        after_long_help = "Examples:\n  batchward account edit alice --title 股長\n  batchward account edit ben --display 陳大文 --unit 民政局"
    )]
    Edit {
        /// Name of the account.
        name: String,
        /// Full name, as it is printed on documents.
        #[arg(long, value_name = "NAME")]
        display: Option<String>,
        /// Title, as it is printed on documents.
        #[arg(long)]
        title: Option<String>,
        /// Unit that the person works in.
        #[arg(long)]
        unit: Option<String>,
    },
    /// Put a proposed account in force, as a second person.
    Confirm {
        /// Name of the account.
        name: String,
    },
    /// List the accounts.
    List,
    /// Show the review of accounts, or say of each what becomes of it.
    ///
    /// A review names every account that is in force. What is suspended and revoked ends at once; the review counts when a
    /// second person has confirmed it.
    #[command(
        after_long_help = "Examples:\n  batchward account review\n  batchward account review --format ods -o review.ods\n  batchward account review --keep alice,ben --revoke henry=retired\n  batchward account review --confirm"
    )]
    Review(ReviewArgs),
    /// Write the roster (使用人名冊).
    #[command(after_long_help = "Examples:\n  batchward account roster --format ods -o roster.ods")]
    Roster(FormFile),
    /// Acknowledge that one system user signs with the keys of several people; two others do, each signed.
    ///
    /// Neither of the two is one of those people, and both sign as another system user. Who signs from there later is told
    /// again.
    #[command(
        after_long_help = "Examples:\n  batchward account acknowledge 1001 --reason 'shared-terminal: 115-7'\n  batchward account acknowledge 1001 --confirm"
    )]
    Acknowledge {
        /// Number of the system user, as the alarm names it.
        uid: u32,
        /// Why it signs for several people.
        #[arg(long, value_name = "TEXT", required_unless_present = "confirm")]
        reason: Option<String>,
        /// Confirm what somebody else acknowledged.
        #[arg(long, conflicts_with = "reason")]
        confirm: bool,
    },
    /// End an account at once.
    Disable {
        /// Name of the account.
        name: String,
    },
}

#[derive(Debug, Args)]
pub(in crate::cli) struct AccountAdd {
    /// Name of the account.
    pub(in crate::cli) name: String,
    /// Roles, with commas between: custodian, handler, supervisor, auditor, admin, vendor; or service alone.
    #[arg(long, value_delimiter = ',', required = true)]
    pub(in crate::cli) role: Vec<String>,
    /// Full name, as it is printed on documents.
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) display: Option<String>,
    /// Title, as it is printed on documents.
    #[arg(long)]
    pub(in crate::cli) title: Option<String>,
    /// Unit that the person works in.
    #[arg(long)]
    pub(in crate::cli) unit: Option<String>,
    /// Public SSH key that the person signs decisions with.
    #[arg(long, value_name = "FILE.pub")]
    pub(in crate::cli) sign_key: Option<PathBuf>,
    /// Unix user of this machine who may act without a signature where none is needed.
    #[arg(long, value_name = "USER")]
    pub(in crate::cli) unix_user: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ConfigWord {
    /// Show what differs from what is in force.
    Show,
    /// Propose the files as they are.
    #[command(after_long_help = "Examples:\n  batchward config show\n  batchward config propose")]
    Propose,
    /// Put the proposed configuration in force, as a second person.
    Confirm,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ClockWord {
    /// Confirm that the clock is right, after it was in doubt.
    Confirm,
}

/// Shells that completions are made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Shell {
    /// GNU Bash.
    Bash,
    /// The Z shell.
    Zsh,
    /// fish.
    Fish,
}
