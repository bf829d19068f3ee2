//! What `gaseractl plan` can be told.

use std::path::PathBuf;

use clap::Subcommand;

const PLAN_EXAMPLES: &str = "\
A plan is a file of the options of `gaseractl start`, with underscores, and what is different on single channels:
  channels = \"1-8\"
  repeats = 12
  purge = \"5m\"
  iterations = 3
  background = 31
  background_every = 4
  [channel.3]
  purge = \"10m\"
  [gas.NH3]
  discard_first = 2
The keys are channels, repeats, purge, measure, iterations, task, sync, save_on_device, label, note, operator, \
discard_first, background, background_every and overlap; in [channel.N] purge, measure, iterations and discard_first; in \
[gas.X] discard_first. What is not said is as the daemon is configured.

PLAN is a file, which has a / in its path or ends in .toml; or - for stdin; or the name of a plan that the daemon keeps.

Examples:
  gaseractl plan check weekly.toml && gaseractl start weekly.toml --wait
  gaseractl plan show weekly --json | jq .total_s";

#[derive(Debug, clap::Args)]
#[command(after_help = PLAN_EXAMPLES)]
pub struct PlanArgs {
    #[command(subcommand)]
    pub command: PlanCommand,
}

const CHECK_JSON: &str = "\
With --json: {\"file\",\"mistakes\":[{\"line\",\"column\",\"text\"}],\"total_s\",\"end_utc\",\"pace\"}
Exit code 2 if there are mistakes; each is a line like weekly.toml:2:1: text.";

const SHOW_JSON: &str = "\
With --json, as `gaseractl start --dry-run --json`.
Exit code 2 if there are mistakes, 10 if there is no such plan.";

const LIST_JSON: &str = "\
With --json: {\"plans\":[{\"name\",\"file\",\"mistakes\",\"total_s\",\"plan\":{…}}]}
The daemon keeps them as NAME.toml, in [plan] directory, or in plans below its state directory and /etc/gaserad/plans.";

#[derive(Debug, Subcommand)]
pub enum PlanCommand {
    /// Every mistake in a file, or what it comes to
    #[command(after_help = CHECK_JSON)]
    Check {
        /// The file, or - for stdin
        file: PathBuf,
    },
    /// A plan with all that is configured, and its timeline
    #[command(after_help = SHOW_JSON)]
    Show {
        /// A file, - for stdin, or the name of a plan that the daemon keeps
        plan: String,
    },
    /// The plans that the daemon keeps
    #[command(after_help = LIST_JSON)]
    List,
}
