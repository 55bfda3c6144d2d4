//! Words about incidents: `incident`.

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum IncidentWord {
    /// Report that something happened to governed data: how many records, never whose.
    #[command(
        after_long_help = "Examples:\n  batchward incident report --kind loss --at 2026-11-21T16:30 --link moca-full \\\n      --records unknown --encrypted yes --summary 'flash drive lost on the way'"
    )]
    Report(ReportArgs),
    /// Record that it was looked into, by two people.
    #[command(
        after_long_help = "Examples:\n  batchward incident investigate i-00000001 --with erin --doc-no 府政字第1150007777號 --records 120"
    )]
    Investigate {
        /// Id of the incident.
        id: String,
        /// The account that looked into it as well, and then runs 'incident confirm'.
        #[arg(long, value_name = "ACCOUNT")]
        with: String,
        /// Number of the record of the investigation.
        #[arg(long, value_name = "NO")]
        doc_no: String,
        /// Records that it concerns, where that is known now.
        #[arg(long, value_name = "N")]
        records: Option<u64>,
    },
    /// Agree to an investigation, as the account that it names.
    Confirm {
        /// Id of the incident.
        id: String,
    },
    /// Record the letter by which an office was told.
    #[command(
        after_long_help = "Examples:\n  batchward incident notify i-00000001 --office ethics-office --letter 府政字第1150007778號"
    )]
    Notify {
        /// Id of the incident.
        id: String,
        /// The office, as the policy names it.
        #[arg(long, value_name = "OFFICE")]
        office: String,
        /// Number of the letter.
        #[arg(long, value_name = "NO")]
        letter: String,
        /// When, in either calendar; now by default.
        #[arg(long, value_name = "DATE|TIME")]
        at: Option<String>,
    },
    /// Record what was done about it, and against its coming again.
    #[command(
        after_long_help = "Examples:\n  batchward incident remedy i-00000001 --remedy 'key destroyed' \\\n      --prevention 'drives are carried by two' --doc-no 府社婦字第1150008888號"
    )]
    Remedy {
        /// Id of the incident.
        id: String,
        /// What was done; it is written into the register, so no personal data.
        #[arg(long, value_name = "TEXT")]
        remedy: String,
        /// What is done against its coming again.
        #[arg(long, value_name = "TEXT")]
        prevention: String,
        /// Number of the document.
        #[arg(long, value_name = "NO")]
        doc_no: String,
    },
    /// Close it, as a second person.
    Close {
        /// Id of the incident.
        id: String,
    },
    /// List the incidents.
    List,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ReportArgs {
    /// What happened: loss, disclosure, misuse, intrusion, alteration, outage.
    #[arg(long, value_name = "KIND")]
    pub(in crate::cli) kind: String,
    /// When it became known, in either calendar.
    #[arg(long, value_name = "DATE|TIME")]
    pub(in crate::cli) at: String,
    /// Name of the link that it concerns.
    #[arg(long, required_unless_present = "batch", conflicts_with = "batch")]
    pub(in crate::cli) link: Option<String>,
    /// The batch that it concerns.
    #[arg(long, value_name = "BATCH")]
    pub(in crate::cli) batch: Option<String>,
    /// Records that it concerns, or unknown.
    #[arg(long, value_name = "N|unknown")]
    pub(in crate::cli) records: String,
    /// Whether they were encrypted, with their key elsewhere: yes or no.
    #[arg(long, value_name = "yes|no", value_parser = ["yes", "no"])]
    pub(in crate::cli) encrypted: String,
    /// What happened, in a few words; it is written into the register, so no personal data.
    #[arg(long, value_name = "TEXT")]
    pub(in crate::cli) summary: String,
}
