//! The command line, defined once: parser and help come from here.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::speech::Language;

/// Custody agent for batch extracts of household-registration data.
#[derive(Debug, Parser)]
#[command(name = "batchward", version, disable_help_subcommand = true)]
pub(super) struct Cli {
    /// Configuration of the agent.
    #[arg(long, global = true, default_value = "/etc/batchward/agent.yaml", value_name = "FILE")]
    pub(super) config: PathBuf,
    /// Act as this account, with --sign-with.
    #[arg(long = "as", global = true, value_name = "NAME", requires = "sign_with")]
    pub(super) as_name: Option<String>,
    /// Sign the command with this SSH private key.
    #[arg(long, global = true, value_name = "KEYFILE", requires = "as_name")]
    pub(super) sign_with: Option<PathBuf>,
    /// Answer in JSON, on every command that reads.
    #[arg(long, global = true)]
    pub(super) json: bool,
    /// Language of what is shown; that of the locale by default.
    #[arg(long, global = true, value_enum, value_name = "LANG")]
    pub(super) lang: Option<Language>,
    /// Time at which the test build's clock starts.
    #[cfg(feature = "test-hooks")]
    #[arg(long, hide = true, global = true)]
    pub(super) test_clock: Option<String>,
    /// Write at which the test build stops: N:before, N:middle or N:after.
    #[cfg(feature = "test-hooks")]
    #[arg(long, hide = true, global = true)]
    pub(super) test_crash: Option<String>,
    /// File that the test build tries to read once the agent is confined.
    #[cfg(feature = "test-hooks")]
    #[arg(long, hide = true, global = true)]
    pub(super) test_open: Vec<PathBuf>,
    /// File of the test build: while it is there, the engine's thread hangs.
    #[cfg(feature = "test-hooks")]
    #[arg(long, hide = true, global = true)]
    pub(super) test_hang: Option<PathBuf>,
    /// The test build takes every filesystem for one without events.
    #[cfg(feature = "test-hooks")]
    #[arg(long, hide = true, global = true)]
    pub(super) test_no_events: bool,
    /// File that the test build writes the number of durable writes to.
    #[cfg(feature = "test-hooks")]
    #[arg(long, hide = true, global = true)]
    pub(super) test_count_writes: Option<PathBuf>,
    #[command(subcommand)]
    pub(super) word: Word,
}

#[derive(Debug, Subcommand)]
pub(super) enum Word {
    /// Show the whole life of one batch, in a folder of its own.
    Demo {
        /// The folder; a new one by default.
        #[arg(long, value_name = "DIR")]
        dir: Option<PathBuf>,
        /// Records of the batch.
        #[arg(long, default_value_t = 100_000)]
        records: u64,
    },
    /// Make a site: folders, example files, state and keys.
    Init {
        /// The folder.
        dir: PathBuf,
        /// Name of the site.
        #[arg(long)]
        site: String,
        /// A founder and the public SSH key; twice.
        #[arg(long, value_name = "NAME=KEY.pub")]
        founder: Vec<String>,
    },
    /// Look at configuration, machine and disks, and print every problem with what mends it; ends with 78 where the
    /// configuration has a fault.
    Check,
    /// Run the agent: it stays, and answers at its socket.
    Run {
        /// Do all that can be done now, then exit.
        #[arg(long)]
        once: bool,
    },
    /// Show what is wrong, what waits for whom, and how everything stands; ends with 1 where an alarm stands.
    Status {
        /// Print metrics in the text format of Prometheus instead, and end with 0.
        #[arg(long, conflicts_with = "json")]
        metrics: bool,
    },
    /// People.
    #[command(subcommand)]
    Account(AccountWord),
    /// The configuration in force.
    #[command(subcommand, name = "config")]
    Configuration(ConfigWord),
    /// The clock, when it is in doubt.
    #[command(subcommand)]
    Clock(ClockWord),
    /// Deliveries.
    #[command(subcommand)]
    Batch(BatchWord),
    /// Links.
    #[command(subcommand)]
    Link(LinkWord),
    /// Keys that came separately.
    #[command(subcommand)]
    Key(KeyWord),
    /// Access.
    #[command(subcommand)]
    Grant(GrantWord),
    /// Look records up.
    Query(QueryArgs),
    /// Look up the records of a list.
    Match(MatchArgs),
    /// The end of use.
    #[command(subcommand)]
    Use(UseWord),
    /// Destruction.
    #[command(subcommand)]
    Destroy(DestroyWord),
    /// Legal hold.
    #[command(subcommand)]
    Hold(HoldWord),
    /// The transfer and deletion register.
    #[command(subcommand)]
    Register(RegisterWord),
    /// Certificates of destruction.
    #[command(subcommand)]
    Certificate(CertificateWord),
    /// Rules, each with its clause.
    #[command(subcommand)]
    Policy(PolicyWord),
}

#[derive(Debug, Subcommand)]
pub(super) enum AccountWord {
    /// Propose an account, or new facts of one.
    Add(AccountAdd),
    /// Put a proposed account in force, as a second person.
    Confirm {
        /// Name.
        name: String,
    },
    /// List the accounts.
    List,
    /// End an account at once.
    Disable {
        /// Name.
        name: String,
    },
}

#[derive(Debug, Args)]
pub(super) struct AccountAdd {
    /// Name.
    pub(super) name: String,
    /// Roles: custodian, handler, supervisor, auditor, admin, vendor.
    #[arg(long, value_delimiter = ',', required = true)]
    pub(super) role: Vec<String>,
    /// Full name.
    #[arg(long)]
    pub(super) display: Option<String>,
    /// Title.
    #[arg(long)]
    pub(super) title: Option<String>,
    /// Unit.
    #[arg(long)]
    pub(super) unit: Option<String>,
    /// Public SSH key.
    #[arg(long, value_name = "FILE.pub")]
    pub(super) sign_key: Option<PathBuf>,
    /// Unix user.
    #[arg(long)]
    pub(super) unix_user: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(super) enum ConfigWord {
    /// Show what differs from what is in force.
    Show,
    /// Propose the files as they are.
    Propose,
    /// Put the proposed configuration in force, as a second person.
    Confirm,
}

#[derive(Debug, Subcommand)]
pub(super) enum ClockWord {
    /// Confirm that the clock is right.
    Confirm,
}

#[derive(Debug, Subcommand)]
pub(super) enum BatchWord {
    /// List batches, and deliveries that are not batches yet.
    List,
    /// Show one batch.
    Show {
        /// Id, or the provider's number.
        id: String,
    },
    /// Try a stuck step again.
    Retry {
        /// Id, or the provider's number.
        id: String,
    },
    /// Have a quarantined batch judged again.
    Release {
        /// Id, or the provider's number.
        id: String,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Turn a quarantined batch down.
    Reject {
        /// Id, or the provider's number.
        id: String,
        /// Why.
        #[arg(long)]
        reason: String,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum LinkWord {
    /// Propose the change file after which this agent takes a link over.
    Baseline {
        /// The link.
        link: String,
        /// Number of the last change file taken before.
        number: u64,
    },
    /// Put a proposed baseline in force, as a supervisor.
    Confirm {
        /// The link.
        link: String,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum KeyWord {
    /// Enter the key that came separately: a file, or standard input.
    Submit {
        /// Id, or the provider's number.
        id: String,
        /// File that holds an age identity.
        #[arg(long, conflicts_with = "passphrase_stdin")]
        file: Option<PathBuf>,
        /// Read a passphrase from standard input (without this and --file: an age identity).
        #[arg(long)]
        passphrase_stdin: bool,
        /// How it came: letter, telephone, in person.
        #[arg(long)]
        channel: String,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum GrantWord {
    /// Apply for access.
    Apply {
        /// The link.
        #[arg(long)]
        link: String,
        /// Its end: a date, or an RFC 3339 time.
        #[arg(long)]
        until: String,
        /// What for.
        #[arg(long)]
        purpose: String,
        /// Document number.
        #[arg(long)]
        basis: String,
        /// Fields; all of the link's by default.
        #[arg(long, value_delimiter = ',')]
        fields: Vec<String>,
        /// Unit.
        #[arg(long)]
        unit: Option<String>,
    },
    /// Approve, as a second person.
    Approve {
        /// Id.
        id: String,
    },
    /// Deny, as a second person.
    Deny {
        /// Id.
        id: String,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Take back.
    Revoke {
        /// Id.
        id: String,
    },
    /// List.
    List,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum RowFormat {
    Table,
    Csv,
    Json,
}

#[derive(Debug, Args)]
pub(super) struct QueryArgs {
    /// The grant.
    #[arg(long)]
    pub(super) grant: String,
    /// Case number.
    #[arg(long)]
    pub(super) case: String,
    /// Why.
    #[arg(long)]
    pub(super) reason: String,
    /// FIELD=- reads the value from standard input, FIELD=@FILE from a file; all records without it.
    #[arg(long = "where", value_name = "FIELD=-|FIELD=@FILE")]
    pub(super) conditions: Vec<String>,
    /// One batch instead of the link's current view.
    #[arg(long)]
    pub(super) batch: Option<String>,
    /// Form of the rows.
    #[arg(long, value_enum, default_value_t = RowFormat::Table)]
    pub(super) format: RowFormat,
}

#[derive(Debug, Args)]
pub(super) struct MatchArgs {
    /// The grant.
    #[arg(long)]
    pub(super) grant: String,
    /// Case number.
    #[arg(long)]
    pub(super) case: String,
    /// Why.
    #[arg(long)]
    pub(super) reason: String,
    /// File with one value a line; - for standard input.
    #[arg(long)]
    pub(super) input: PathBuf,
    /// Field.
    #[arg(long)]
    pub(super) on: String,
    /// Form of the rows.
    #[arg(long, value_enum, default_value_t = RowFormat::Table)]
    pub(super) format: RowFormat,
}

#[derive(Debug, Subcommand)]
pub(super) enum UseWord {
    /// State that the use under a grant is completed.
    Complete {
        /// The grant.
        grant: String,
    },
    /// State that there is no need to keep a batch.
    NoNeed {
        /// Id, or the provider's number.
        batch: String,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum DestroyWord {
    /// Request the destruction of what is due.
    Request {
        /// Id, or the provider's number.
        id: String,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Approve, as a second person; the agent then carries it out.
    Approve {
        /// The order.
        order: String,
    },
    /// Deny, as a second person.
    Deny {
        /// The order.
        order: String,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// List orders.
    List,
}

#[derive(Debug, Subcommand)]
pub(super) enum HoldWord {
    /// Forbid destruction.
    Place {
        /// A batch.
        #[arg(required_unless_present_any = ["link", "all"], conflicts_with_all = ["link", "all"])]
        id: Option<String>,
        /// Every batch of a link.
        #[arg(long, conflicts_with = "all")]
        link: Option<String>,
        /// Everything.
        #[arg(long)]
        all: bool,
        /// By whose authority.
        #[arg(long)]
        authority: String,
        /// Document number.
        #[arg(long)]
        doc_no: String,
        /// When it is to be reviewed.
        #[arg(long)]
        review: String,
    },
    /// Lift, as another person than placed it.
    Lift {
        /// The hold.
        hold: String,
    },
    /// List.
    List,
}

#[derive(Debug, Subcommand)]
pub(super) enum RegisterWord {
    /// Print the register.
    Show,
    /// Verify the register of the site, or a copied register folder.
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
pub(super) enum CertificateWord {
    /// Print a certificate.
    Show {
        /// The order.
        order: String,
    },
    /// Verify a certificate; needs no agent.
    Verify {
        /// The file.
        file: PathBuf,
        /// The verifier key that you hold; without it, the certificate's own.
        #[arg(long, value_name = "VKEY")]
        key: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum PolicyWord {
    /// List the policies.
    List,
    /// Print each rule with its clause.
    Explain {
        /// Name.
        name: String,
    },
    /// Look at one policy file and print every problem.
    Check {
        /// The file.
        file: PathBuf,
    },
}
