//! Words about notices by mail and webhook.

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum NoticesWord {
    /// Send one notice at once, to an address of 'notices.to' or to the webhook.
    ///
    /// It shows that the way is open, and says nothing of what is owed. Run it as the agent's user, who can read the
    /// password.
    #[command(
        after_long_help = "Examples:\n  batchward notices test anna\n  batchward notices test --webhook"
    )]
    Test {
        /// Account or role, as 'notices.to' of agent.yaml names it.
        #[arg(required_unless_present = "webhook")]
        name: Option<String>,
        /// Send it to the webhook.
        #[arg(long, conflicts_with = "name")]
        webhook: bool,
    },
}
