//! The words of `vault`: loaded data in a database.

use clap::{Args, Subcommand, ValueEnum};

use crate::domain::database::Profile;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum VaultWord {
    /// Print what the database administrator runs for 'vault: postgres://', or run it.
    ///
    /// Roles, schema and functions, as one transaction. Nothing is asked of the database unless it is applied.
    #[command(
        after_long_help = "Examples:\n  batchward vault install --profile agent-only\n  batchward vault install --profile agent-only --apply \\\n      --admin 'postgres://postgres@/batchward?host=/run/postgresql'"
    )]
    Install(InstallArgs),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct InstallArgs {
    /// Who may log in, and what holds grants there.
    #[arg(long, value_enum)]
    pub(in crate::cli) profile: ProfileName,
    /// Run it, where it is missing.
    #[arg(long, requires = "admin")]
    pub(in crate::cli) apply: bool,
    /// The database, as a role that may make roles and schemas.
    #[arg(long, value_name = "URL", requires = "apply")]
    pub(in crate::cli) admin: Option<String>,
    /// The password of that role: 'file:PATH' or 'credential:NAME'.
    #[arg(long, value_name = "SOURCE", requires = "apply")]
    pub(in crate::cli) admin_password: Option<String>,
}

/// Profiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum ProfileName {
    /// Nobody but the agent logs in; readers ask the agent.
    AgentOnly,
}

impl ProfileName {
    /// The profile.
    pub(in crate::cli) const fn profile(self) -> Profile {
        match self {
            Self::AgentOnly => Profile::AgentOnly,
        }
    }
}
