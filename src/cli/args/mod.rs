//! The command line, defined once: parser, help, completions and man pages come from here.
//!
//! The words stand in the order of a custodian's day: what is there in the morning, deliveries and keys, use, the end
//! of use, proofs; then what an administrator does now and then.

mod access;
mod audit;
mod audits;
mod deliveries;
mod destruction;
mod forms;
mod handover;
mod incidents;
mod inventory;
mod letters;
mod links;
mod notices;
mod on_paper;
mod pack;
mod papers;
mod people;
pub(super) mod proofs;
mod receipt;
mod site;
mod uses;
mod vault;
mod witness;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

pub(super) use self::{
    access::{AccessFilter, AccessWord, ExportFormat},
    audit::{AuditWord, FindingWord, SampleArgs, SampleWord},
    audits::{
        AuditKindWord, AuditPack, AuditPackWord, AuditRecordArgs, AuditResultWord, AuditsWord,
        PlanArgs, ReconcileArgs, UseArgs,
    },
    deliveries::{
        AnnounceArgs, BatchWord, ComparedWord, ExpectedArgs, KeyWord, LinkWord, NoticeArgs,
    },
    destruction::{CloseArgs, DestroyWord, HoldWord, StandingWord},
    forms::{
        Duties, DutiesWord, Evidence, EvidenceWord, FormFile, FormFormat, OptionalForm,
        RegisterExport, Today, WantedDuties,
    },
    handover::{HandoverWord, RequestArgs, ReturnedArgs},
    incidents::{IncidentWord, ReportArgs},
    inventory::{
        CarriedArgs, CopyWord, DeclareArgs, ExportArgs, ImportArgs, MediaWord, RecordArgs,
    },
    letters::{BatchLetter, DestroyLetter, LetterFile},
    links::{LinkLifeWord, OfficeWord, ReviewWord},
    notices::NoticesWord,
    on_paper::{PaperArgs, SlipArgs},
    pack::{PackArgs, PackKind},
    papers::{AddPaper, AuditPaperWord, BackupWord, DocumentWord, PaperWord},
    people::{AgreementArgs, AppointArgs, AppointmentWord, ReviewArgs},
    proofs::{CertificateWord, PolicyWord, RegisterVerify, RegisterWord},
    receipt::{ReceiptShow, ReceiptVerify, ReceiptWord},
    site::{AccountAdd, AccountWord, ClockWord, ConfigWord, Init, Shell},
    uses::{GrantWord, ListEncoding, MatchArgs, QueryArgs, RowFileArgs, RowFormat, UseWord},
    vault::{InstallArgs, VaultWord},
    witness::WitnessWord,
};
use super::speech::Language;

/// Custody agent for batch extracts of household-registration data.
///
/// It takes deliveries over from a drop directory, checks and loads them under encryption, lets people with a grant
/// look records up, and destroys every copy when the use is over, with a register that proves it.
///
/// Exit codes: 0 done; 1 failed; 64 wrong command line; 65 bad data; 69 something needed is not there; 75 try again
/// later; 77 refused; 78 configuration.
#[derive(Debug, Parser)]
#[command(
    name = "batchward",
    version,
    disable_help_subcommand = true,
    subcommand_value_name = "WORD",
    subcommand_help_heading = "Words",
    after_long_help = "Examples:\n  batchward demo\n  batchward status\n  batchward batch list --json"
)]
pub(super) struct Cli {
    /// Configuration of the agent.
    #[arg(
        long,
        global = true,
        default_value = "/etc/batchward/agent.yaml",
        value_name = "FILE",
        help_heading = "Global options"
    )]
    pub(super) config: PathBuf,
    /// Act as this account, with --sign-with; without it, as the unix user.
    #[arg(
        long = "as",
        global = true,
        value_name = "NAME",
        requires = "sign_with",
        help_heading = "Global options"
    )]
    pub(super) as_name: Option<String>,
    /// Sign the command with this SSH private key.
    #[arg(long, global = true, value_name = "KEYFILE", help_heading = "Global options")]
    pub(super) sign_with: Option<PathBuf>,
    /// Answer in JSON; its form is described in docs/json.md.
    #[arg(long, global = true, help_heading = "Global options")]
    pub(super) json: bool,
    /// Language of what is shown; that of the locale by default.
    #[arg(long, global = true, value_enum, value_name = "LANG", help_heading = "Global options")]
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
    /// File of the test build: once it is there, the n-th overwrite waits half done while FILE-n is there.
    #[cfg(feature = "test-hooks")]
    #[arg(long, hide = true, global = true)]
    pub(super) test_wait: Option<PathBuf>,
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
    /// Show what is wrong, what waits for whom, and how everything stands.
    ///
    /// Ends with 1 where an alarm stands, so that a monitor can ask by the exit code alone.
    #[command(after_long_help = "Examples:\n  batchward status\n  batchward status --metrics")]
    Status {
        /// Print metrics in the text format of Prometheus instead, and end with 0.
        #[arg(long, conflicts_with = "json")]
        metrics: bool,
    },
    /// Show what is to be done today: what waits for you, what is due or late, alarms, deliveries expected (今日待辦).
    #[command(
        after_long_help = "Examples:\n  batchward today\n  batchward today --account alice\n  batchward today --format pdf -o today.pdf"
    )]
    Today(Today),
    /// Deliveries: list, show, history, letters, retry, release, reject.
    #[command(subcommand)]
    Batch(BatchWord),
    /// Enter keys that came separately from their delivery.
    #[command(subcommand)]
    Key(KeyWord),
    /// Access: apply for it, approve, deny, revoke.
    #[command(subcommand)]
    Grant(GrantWord),
    /// Look records up under a grant.
    #[command(
        after_long_help = "Examples:\n  batchward query --grant g-260000001 --case 115-0042 --reason 'application of 3 March' \\\n      --where id=-\n  batchward query --grant g-260000001 --case 115-0042 --reason 'statistics' --format csv"
    )]
    Query(QueryArgs),
    /// Look up the records of a list under a grant.
    #[command(
        after_long_help = "Examples:\n  batchward match --grant g-260000001 --case 115-0043 --reason 'yearly check' \\\n      --input ids.txt --on id --format csv"
    )]
    Match(MatchArgs),
    /// State the end of use, which starts the time to destruction.
    #[command(subcommand)]
    Use(UseWord),
    /// Copies: list them, ask to make one, make known what is there.
    #[command(subcommand)]
    Copy(CopyWord),
    /// Handing data on to recipients on the list: request, approve, make, confirm, returned.
    #[command(subcommand)]
    Handover(HandoverWord),
    /// Destruction: plan, request, approve, deny, cancel, close.
    #[command(subcommand)]
    Destroy(DestroyWord),
    /// Portable media, and the end of media and paper: import, export, methods, record, confirm.
    #[command(subcommand)]
    Media(MediaWord),
    /// Standing approvals: transfer files go as soon as they are loaded.
    #[command(subcommand)]
    Standing(StandingWord),
    /// Legal hold: forbid destruction, and lift it.
    #[command(subcommand)]
    Hold(HoldWord),
    /// Receipts for providers, of what came of each delivery: show, verify.
    #[command(subcommand)]
    Receipt(ReceiptWord),
    /// Certificates of destruction: show, verify.
    #[command(subcommand)]
    Certificate(CertificateWord),
    /// The transfer and deletion register: show, export, verify, prove.
    #[command(subcommand)]
    Register(RegisterWord),
    /// Everything about one batch in one file that others verify: make, verify.
    #[command(
        after_long_help = "Examples:\n  batchward evidence b-260000001 -o evidence.zip\n  batchward evidence verify evidence.zip"
    )]
    Evidence(Evidence),
    /// What is owed by a day, by whom and by which clause; the list that is handed over.
    ///
    /// Each duty follows from the register and the policies in force: nobody enters it, and nobody can take it off. It ends
    /// by the command that stands beside it.
    #[command(
        after_long_help = "Examples:\n  batchward duties\n  batchward duties --overdue\n  batchward duties --on 116/03/31 --account lin\n  batchward duties --calendar duties.ics\n  batchward duties list --format pdf -o handover.pdf"
    )]
    Duties(Duties),
    /// The access log: who looked up what, for which case and why.
    #[command(subcommand)]
    Access(AccessWord),
    /// Audits, reports, samples of the access log, and what was found.
    #[command(subcommand)]
    Audit(AuditWord),
    /// Incidents: report, investigate, notify, remedy, close.
    #[command(subcommand)]
    Incident(IncidentWord),
    /// Witnesses: people outside who vouch that the register only ever grew.
    #[command(subcommand)]
    Witness(WitnessWord),
    /// Rules, each with its clause: list, explain, check.
    #[command(subcommand)]
    Policy(PolicyWord),
    /// Look at configuration, machine and disks, and print every problem with what mends it.
    ///
    /// Ends with 78 where the configuration has a fault.
    #[command(
        after_long_help = "Examples:\n  batchward check\n  batchward check --config /srv/site/agent.yaml"
    )]
    Check,
    /// Run the agent: it stays, and answers at its socket.
    #[command(after_long_help = "Examples:\n  batchward run\n  batchward run --once")]
    Run {
        /// Do all that can be done now, then exit; for sites that start it from a timer.
        #[arg(long)]
        once: bool,
    },
    /// Loaded data in a database: install.
    #[command(subcommand)]
    Vault(VaultWord),
    /// Links: apply, countersign, review, stop; where change files begin, and their servers.
    #[command(subcommand)]
    Link(LinkWord),
    /// Notices by mail and webhook: try one.
    #[command(subcommand)]
    Notices(NoticesWord),
    /// People: add, confirm, list, disable, review, roster.
    #[command(subcommand)]
    Account(AccountWord),
    /// Posts: who holds them, changes of post, training, agreements.
    #[command(subcommand)]
    Appointment(AppointmentWord),
    /// The configuration in force: show what differs, propose, confirm.
    #[command(subcommand, name = "config")]
    Configuration(ConfigWord),
    /// The clock, when it is in doubt.
    #[command(subcommand)]
    Clock(ClockWord),
    /// Make a site: folders, example files, state and keys.
    ///
    /// Where the folder has an agent.yaml already, only what is missing is made.
    #[command(
        after_long_help = "Examples:\n  batchward init /srv/batchward --site taoyuan-dwcd --founder alice=alice.pub \\\n      --founder sue=sue.pub"
    )]
    Init(Init),
    /// Show the whole life of one batch, in a folder of its own.
    #[command(
        after_long_help = "Examples:\n  batchward demo\n  batchward demo --dir /tmp/first --records 1000"
    )]
    Demo {
        /// The folder, which must not exist yet; a new one by default.
        #[arg(long, value_name = "DIR")]
        dir: Option<PathBuf>,
        /// Records of the batch that is made up.
        #[arg(long, value_name = "N", default_value_t = 100_000)]
        records: u64,
    },
    /// At the provider: make a delivery of plain files, encrypted and signed.
    ///
    /// Neither agent nor site is needed. Records are counted by the layout while the files are encrypted; nothing plain
    /// is written. The key of the batch goes to a place of its own, which is refused beside the data.
    #[command(
        after_long_help = "Examples:\n  batchward pack residents.dat --layout hr-person-01.yaml --link moca-full \\\n    --number MOCA-1151121-0007 --table-no HR-PERSON-01 --kind full --basis 府民戶字第1150001234號 \\\n    --purpose 育兒津貼資格審查 --sign-with moca --fresh-key letters/MOCA-1151121-0007.key -o drop"
    )]
    Pack(PackArgs),
    /// List the codes with which a reason is given, for one act or for all.
    ///
    /// A reason is a code, or a code and a note. A text without a code is recorded as the note of 'other', or refused
    /// where the site asks for codes ('reasons: codes' in agent.yaml).
    #[command(
        after_long_help = "Examples:\n  batchward reasons\n  batchward reasons destroy request\n  batchward reasons --json"
    )]
    Reasons {
        /// The words of the act, such as 'destroy deny'; every one by default.
        #[arg(value_name = "ACT")]
        act: Vec<String>,
    },
    /// Print completions for a shell.
    #[command(
        after_long_help = "Examples:\n  batchward completions bash > /etc/bash_completion.d/batchward\n  batchward completions fish > ~/.config/fish/completions/batchward.fish"
    )]
    Completions {
        /// The shell.
        #[arg(value_enum)]
        shell: Shell,
    },
    /// Look at devices for the agent: the one part that root runs.
    ///
    /// It reads back from the raw device what a wipe wrote, and has filesystems give freed blocks back to it. It
    /// answers one user, takes open files and no paths, and tells no contents. The agent works without it, and
    /// states less.
    #[command(
        after_long_help = "Examples:\n  batchward device-helper --socket /run/batchward-device/device.sock --for-user batchward"
    )]
    DeviceHelper {
        /// Where it listens.
        #[arg(long, value_name = "PATH")]
        socket: PathBuf,
        /// The user that it answers: the agent's.
        #[arg(long, value_name = "USER")]
        for_user: String,
    },
    /// Talk to servers for the agent, which starts this itself.
    #[command(hide = true)]
    Courier {
        /// One connection.
        #[arg(long, hide = true)]
        session: bool,
    },
    /// Write the man pages into a folder.
    #[command(after_long_help = "Examples:\n  batchward man /usr/local/share/man/man1")]
    Man {
        /// The folder; it is made where it is missing.
        dir: PathBuf,
    },
}
