//! What `gaseractl config`, `storage` and `doctor` can be told.

use std::path::PathBuf;
use std::time::Duration;

use clap::Subcommand;
use gasera::domain::{Channel, duration};

const CONFIG_EXAMPLES: &str = "\
Examples:
  gaseractl config get
  gaseractl config get analyzer
  gaseractl config get plan.purge -q
  gaseractl config check gaserad.toml && sudo install gaserad.toml /etc/gaserad/

With --json, get prints {\"settings\":[{\"key\",\"value\",\"origin\"}],\"warnings\":[…]}, with values as TOML writes them,
and check {\"file\",\"mistakes\":[{\"line\",\"column\",\"text\"}],\"warnings\":[…]}";

#[derive(Debug, clap::Args)]
#[command(after_help = CONFIG_EXAMPLES)]
pub struct Config {
    #[command(subcommand)]
    pub command: ConfigCommand,
}

#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// The settings that gaserad works with, each with where it is from; tokens and keys are never among them
    Get {
        /// A setting, like plan.purge, or a section, like plan [default: all]
        key: Option<String>,
    },
    /// Every mistake in a configuration of gaserad, with line and column; exit code 2 if there are any
    Check {
        /// The file, or - for stdin. Files that it names, like tokens, are not opened: `gaserad check-config` does that
        file: PathBuf,
    },
    /// Has gaserad read its configuration again, and take what can be taken without a restart; exit code 2, and nothing
    /// changes, if there is any mistake in it
    Reload,
}

const STORAGE_JSON: &str = "\
Examples:
  gaseractl storage
  gaseractl storage check || mail -s \"the data are unwell\" ada@lab < /dev/null
  gaseractl storage backup gaserad-$(date +%F).sqlite

With --json: {\"directory\",\"free_bytes\",\"min_free_bytes\",\"database_bytes\",
  \"runs\":[{\"run_id\",\"label\",\"started_utc\",\"records\",\"bytes\"}],\"total_bytes\",\"reusable_bytes\",
  \"trash\":{\"runs\",\"bytes\"},\"mirror\":{\"directory\",\"state\":\"absent|behind|current\",\"behind_files\",\"behind_bytes\",
  \"free_bytes\",\"total_bytes\",\"fault\"},\"retention\",\"faults\":[…]}
\"mirror\" is null where none is configured; \"reusable_bytes\" of the database are written to next, before its file grows. \"free_bytes\" is null where the system does not say. Exit code 1 if something is wrong. Whether the files hold what was \
measured is what `gaseractl runs verify` and `gaseractl storage check` find out.
check prints {\"runs\",\"records\",\"events\",\"schema\",\"files\",\"faults\":[…]}, and
backup {\"file\",\"bytes\",\"runs\",\"records\",\"files\"}";

#[derive(Debug, clap::Args)]
#[command(after_help = STORAGE_JSON)]
pub struct StorageArgs {
    #[command(subcommand)]
    pub command: Option<StorageCommand>,
}

#[derive(Debug, Subcommand)]
pub enum StorageCommand {
    /// Look through the whole database, and compare the files of all runs that are over with it; 1 if anything is wrong
    Check {
        /// Only the database
        #[arg(long)]
        without_files: bool,
    },
    /// Copy the database to a file while gaserad measures on, with a list of all files in run folders and their
    /// checksums. The copy is a database like any other: as state.sqlite in an empty state directory it is restored
    Backup {
        /// It appears only when it is complete
        file: PathBuf,
    },
}

const DOCTOR_EXAMPLES: &str = "\
Each finding is ok, warn or fail, with what was tried and, if it is not ok, what to do. Nothing is changed; purge-test \
alone measures.

Examples:
  gaseractl doctor
  gaseractl doctor --quick || mail -s \"gaserad is unwell\" ada@lab < /dev/null
  gaseractl doctor purge-test --channel 3

With --json: {\"findings\":[{\"check\",\"outcome\":\"ok|warn|fail\",\"found\",\"tried\",\"advice\"}],\"ok\",\"warn\",\"fail\"}
The exit code is 0 if nothing failed, 8 if gaserad cannot be reached, 11 if it lets you see nothing, else 1.";

#[derive(Debug, clap::Args)]
#[command(after_help = DOCTOR_EXAMPLES, args_conflicts_with_subcommands = true)]
pub struct Doctor {
    /// Do not wait to see a heartbeat on the event stream
    #[arg(long)]
    pub quick: bool,
    #[command(subcommand)]
    pub command: Option<DoctorCommand>,
}

#[derive(Debug, Subcommand)]
pub enum DoctorCommand {
    /// Measure how long a line has to be purged: t90 per gas after a switch
    PurgeTest(PurgeTest),
}

const PURGE_EXAMPLES: &str = "\
It starts a run: first on channel M, then on channel N without a purge, and looks at the samples of N as they come. The gas \
of both must differ, as room air and a standard do. How finely t90 is known depends on how often the analyzer measures, \
about once a minute.

Examples:
  gaseractl doctor purge-test --channel 3
  gaseractl doctor purge-test --channel 3 --from 12 --settle 10m

With --json: {\"run_id\",\"channel\",\"from\",\"gases\":[{\"gas\",\"before_ppm\",\"after_ppm\",\"samples\",\"t90_s\",\"at_most\",\"refused\"}],
  \"interval_s\",\"purge_s\",\"discard_first\",\"refused\"}
\"t90_s\" is null where \"refused\" says why. Exit code 7 if no gas tells.";

#[derive(Debug, clap::Args)]
#[command(after_help = PURGE_EXAMPLES)]
pub struct PurgeTest {
    /// The channel whose line is tested
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=i64::from(Channel::MAX)))]
    pub channel: u8,
    /// The channel to switch from [default: 1, or 2 for channel 1]
    #[arg(id = "from_channel", long = "from", value_name = "M", value_parser = clap::value_parser!(u8).range(1..=i64::from(Channel::MAX)))]
    pub from: Option<u8>,
    /// How long to stay on each of the two
    #[arg(long, value_name = "D", value_parser = duration::parse, default_value = "15m")]
    pub settle: Duration,
}
