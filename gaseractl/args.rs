//! The command line. The help is the manual; only what works is offered.

mod context;
mod control;
mod export;
mod instrument;
mod plan;
mod runs;
mod schedule;
mod shell;
mod start;
mod stream;
mod upkeep;
mod watch;

use std::path::PathBuf;
use std::time::Duration;

use clap::parser::ValueSource;
use clap::{ArgAction, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use gasera::domain::{channel, duration};

use crate::endpoint::Endpoint;
pub use context::{AddContext, ContextArgs, ContextCommand, Fleet, FleetCommand};
pub use control::{After, Finish, NoteArgs, Pause};
use control::{RESUME_EXAMPLES, SKIP_EXAMPLES};
pub use export::ExportArgs;
pub use instrument::{Ak, AnalyzerArgs, AnalyzerCommand, Mux, MuxCommand, Selftest};
pub use plan::{PlanArgs, PlanCommand};
pub use runs::{Drift, List, Rm, Runs, RunsCommand};
pub use schedule::{Add as AddSchedule, IfMissed, ScheduleArgs, ScheduleCommand};
pub use shell::{CompleteWords, Completions, Man, Shell};
pub use start::{BackgroundArg, IfBusy, IfMeasuringArg, Start, SyncMode};
pub use stream::{StreamArgs, StreamCommand};
pub use upkeep::{Config, ConfigCommand, Doctor, DoctorCommand, PurgeTest, StorageArgs, StorageCommand};
pub use watch::{Fallback, Watch, WatchFormat};

const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " ", env!("GASERA_COMMIT")).trim_ascii_end();

const EXAMPLES: &str = "\
Examples:
  gaseractl start --channels 1-4 --repeats 2 --dry-run   when would it end?
  gaseractl start --channels 1-4 --repeats 2 --watch     start, and look on
  gaseractl start weekly.toml --wait                     a plan in a file
  gaseractl start --align 1h --if-busy wait              at the next full hour, or later
  gaseractl watch                                        look on; Ctrl-C leaves the run alone
  gaseractl runs export last -o run.csv                  the samples of the last run
  gaseractl doctor                                       what is wrong, and what to do about it

Exit codes:
   0  done; with --wait: the run completed     7  with --wait: the run ended partial
   1  any other failure                        8  gaserad cannot be reached
   2  usage                                    9  with --wait: the run failed
   3  refused in this state                   10  not found
   4  analyzer offline                        11  not permitted
   5  analyzer or multiplexer refused        124  --timeout passed
   6  with --wait: the run was aborted       130  interrupted

stdout carries data, stderr everything else.";

#[derive(Debug, Parser)]
#[command(
    name = "gaseractl",
    version = VERSION,
    about = "Starts, controls and watches gas measurements run by gaserad",
    after_help = EXAMPLES,
    max_term_width = 100,
    disable_help_subcommand = true
)]
pub struct Args {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

impl Args {
    /// Reads the command line. A context that it names counts more than an endpoint of the environment.
    pub fn read() -> Result<Self, clap::Error> {
        let matches = Self::command().try_get_matches()?;
        let mut args = Self::from_arg_matches(&matches).map_err(|error| error.format(&mut Self::command()))?;
        let from = |id: &str| {
            let mut levels = std::iter::successors(Some(&matches), |level| Some(level.subcommand()?.1));
            levels.any(|level| level.value_source(id) == Some(ValueSource::CommandLine))
        };
        match (from("endpoint"), from("context")) {
            (true, false) => args.global.context = None,
            (false, true) => args.global.endpoint = None,
            (false, false) if args.global.endpoint.is_some() => args.global.context = None,
            (true, true) | (false, false) => {}
        }
        Ok(args)
    }
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// Where gaserad listens: unix:/path, http://host:port or https://host:port [default: its unix socket, then http://127.0.0.1:5001]
    #[arg(long, global = true, env = "GASERACTL_ENDPOINT", value_name = "ENDPOINT", hide_env_values = true)]
    pub endpoint: Option<Endpoint>,
    /// A daemon by the name that `gaseractl context` keeps it under
    #[arg(long, global = true, env = "GASERACTL_CONTEXT", value_name = "NAME", hide_env_values = true)]
    pub context: Option<String>,
    /// The file with the token that gaserad asks for; nobody else may be able to read it
    #[arg(long, global = true, env = "GASERACTL_TOKEN_FILE", value_name = "FILE", hide_env_values = true)]
    pub token_file: Option<PathBuf>,
    /// With https://: the certificates, in PEM, of those who may vouch for gaserad [default: the system's]
    #[arg(long, global = true, env = "GASERACTL_CA_FILE", value_name = "FILE", hide_env_values = true)]
    pub ca_file: Option<PathBuf>,
    /// Print one JSON object, or JSON Lines for what goes on; times in UTC, durations in seconds
    #[arg(long, global = true)]
    pub json: bool,
    /// Say nothing on stderr but errors, and only the essential on stdout
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// When to use color; NO_COLOR in the environment turns "auto" off
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: Color,
    /// Give up after this long, like 30s or 2h; what was started goes on
    #[arg(long, global = true, value_name = "D", value_parser = duration::parse, allow_hyphen_values = true)]
    pub timeout: Option<Duration>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start a measurement
    Start(Box<Start>),
    /// Abort the measurement under way, or call off one that waits to begin
    Abort(Abort),
    /// Pause the run under way where it is, after the sample under way
    Pause(Pause),
    /// Go on with a paused run
    #[command(after_help = RESUME_EXAMPLES)]
    Resume,
    /// Leave the channel under way for the next one
    #[command(after_help = SKIP_EXAMPLES)]
    Skip,
    /// End the run early, in order
    Finish(Finish),
    /// Keep a remark with the run under way
    Note(NoteArgs),
    /// What it is doing, until when, and why
    Status,
    /// Look on: a live view on a terminal, JSON Lines in a pipe
    Watch(Watch),
    /// How the event stream does: figures, readers, a test event
    Stream(StreamArgs),
    /// List, show, follow, export and verify runs
    Runs(Runs),
    /// Check, show and list plans
    Plan(PlanArgs),
    /// Start plans by the clock: list, add, rm, enable, disable, next
    Schedule(ScheduleArgs),
    /// Ask the analyzer about itself, or test it
    Analyzer(AnalyzerArgs),
    /// Ask the multiplexer where it stands, or move it
    Mux(Mux),
    /// What is kept, where, and how much room is left; check it, or copy it
    Storage(StorageArgs),
    /// The settings that gaserad works with, and the mistakes of a configuration
    Config(Config),
    /// Look for what is wrong, and say what to do about it
    Doctor(Doctor),
    /// Daemons by name
    Context(ContextArgs),
    /// All daemons of the contexts at once
    Fleet(Fleet),
    /// Print a script that completes commands in a shell
    Completions(Completions),
    /// Print the manual page, or write all of them
    Man(Man),
    #[command(hide = true)]
    CompleteWords(CompleteWords),
}

const ABORT_EXAMPLES: &str = "\
Examples:
  gaseractl abort
  gaseractl abort 01KAH        the run whose id begins so: it is under way, or waits to begin

With --json: {\"run_id\",\"waited\"}; \"waited\" is true if it had not begun, and will not.
Without RUN, the run under way is aborted, or if there is none, the next one that waits. After an abort the next run that \
waits begins. Exit code 3 if there is nothing to abort, 10 if there is no such RUN.";

#[derive(Debug, clap::Args)]
#[command(after_help = ABORT_EXAMPLES)]
pub struct Abort {
    /// A run that is under way or waits to begin, by its id or a unique prefix of it [default: the one under way, or
    /// else the next one]
    pub run: Option<String>,
    /// Accepted for symmetry: abort always returns when the analyzer is idle
    #[arg(long, action = ArgAction::SetTrue)]
    pub wait: bool,
}

/// A checked list of channels, and as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channels {
    pub text: String,
    pub numbers: Vec<u8>,
}

fn channels(text: &str) -> Result<Channels, channel::ChannelError> {
    let numbers = channel::parse_list(text, channel::Channel::MAX)?;
    Ok(Channels { text: text.to_owned(), numbers: numbers.into_iter().map(channel::Channel::number).collect() })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn a_negative_duration_is_called_negative() {
        let usage = Args::try_parse_from(["gaseractl", "start", "--purge", "-5s"]).unwrap_err();
        assert!(usage.to_string().contains("\"-5s\" is negative; a duration cannot be"), "{usage}");
        assert_eq!(usage.exit_code(), 2);
    }

    #[test]
    fn global_flags_stand_anywhere() {
        let args = Args::try_parse_from(["gaseractl", "runs", "show", "last", "--json", "--timeout", "2m"]).unwrap();
        assert!(args.global.json);
        assert_eq!(args.global.timeout, Some(Duration::from_secs(120)));
    }
}
