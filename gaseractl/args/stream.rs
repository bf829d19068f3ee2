//! `gaseractl stream`: how the event stream itself does.

use clap::Subcommand;

const EXAMPLES: &str = "\
Examples:
  gaseractl stream stats
  gaseractl stream clients --json | jq '.connections | length'
  gaseractl stream test alarm

With --json each prints what gaserad answers, as it is.";

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct StreamArgs {
    #[command(subcommand)]
    pub command: StreamCommand,
}

#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum StreamCommand {
    /// Readers, events, delays and losses, in figures
    Stats,
    /// Who reads the stream, and how far each has come
    Clients,
    /// Send all readers an event that is marked as a test, and is not kept
    Test {
        /// The type of the event, like progress
        #[arg(value_name = "TYPE")]
        kind: Option<String>,
    },
}
