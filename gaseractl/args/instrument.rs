//! What `gaseractl analyzer` and `gaseractl mux` can be told.

use clap::Subcommand;
use gasera::domain::{AkLine, Channel};

const ANALYZER_EXAMPLES: &str = "\
Examples:
  gaseractl analyzer info
  gaseractl analyzer tasks --json | jq -r '.tasks[].name'
  gaseractl analyzer selftest && gaseractl start --channels all --wait
  gaseractl analyzer ak APAR CELLTEMP

Exit codes: 3 a run is under way, 4 the analyzer is offline, 5 it refused, failed the self-test, or is another one than before.";

#[derive(Debug, clap::Args)]
#[command(after_help = ANALYZER_EXAMPLES)]
pub struct AnalyzerArgs {
    #[command(subcommand)]
    pub command: AnalyzerCommand,
}

const INFO_JSON: &str = "\
With --json: {\"manufacturer\",\"serial\",\"model\",\"firmware\",\"name\",\"cell_temperature_c\",
  \"network\":{\"dhcp\",\"address\",\"netmask\",\"gateway\"},\"inlets\":[{\"id\",\"active\",\"bypass_s\"}],
  \"parameters\":[{\"name\",\"value\",\"min\",\"max\",\"unit\"}],\"unsupported\":[…]}
What the analyzer does not tell is \"\" or null; \"inlets\" is null where it has no sampler.";

const TASKS_JSON: &str = "\
With --json: {\"tasks\":[{\"id\",\"name\",\"confirmed\",\"gases\":[\"<CAS>\"],\"pressure_mbar\",
  \"flush_bypass_s\",\"flush_cell_s\",\"flush_cycles\"}],\"ambiguous\",\"raw\"}
An analyzer writes its tasks without quotes, so names with numbers in them can make the list ambiguous. Then it is \
shown as it was written, too. A start by id, like `gaseractl start --task 11`, is sure.";

const ERRORS_JSON: &str = "\
With --json: {\"errors\":[{\"code\",\"severity\":\"warning|blocker|critical\",\"meaning\"}]}
The exit code is 0 whatever it reports.";

const CLOCK_JSON: &str = "\
With --json: {\"analyzer_utc\",\"host_utc\",\"offset_s\"}; the offset is the analyzer's clock minus the computer's.";

const ACCEPT_HELP: &str = "\
gaserad knows a device by what it tells of itself: an analyzer by its serial number, a VICI actuator by its version and by \
how often it has moved, relays by their identification or how many there are. Another one is an alarm. It is not started, \
not moved and not credited with anything, until the known one is back or somebody accepts it.

With --json: {\"accepted\"}, who is known from now on. With -q, nothing. Exit codes: 3 there is no other one than the known one.";

#[derive(Debug, Subcommand)]
pub enum AnalyzerCommand {
    /// What it is: serial number, firmware, network, inlets, cell temperature
    #[command(after_help = INFO_JSON)]
    Info {
        /// List its system parameters too
        #[arg(long)]
        parameters: bool,
    },
    /// The measurement tasks that are set up on it
    #[command(after_help = TASKS_JSON)]
    Tasks,
    /// The errors it reports now, with their severity and meaning
    #[command(after_help = ERRORS_JSON)]
    Errors,
    /// Its clock beside this computer's
    #[command(after_help = CLOCK_JSON)]
    Clock,
    /// Say that the analyzer that is there now is meant, where it is another one than before
    #[command(after_help = ACCEPT_HELP)]
    Accept,
    /// Test it, and wait for the result: about two minutes
    Selftest(Selftest),
    /// Send one AK command, and print the reply
    Ak(Ak),
}

const SELFTEST_EXAMPLES: &str = "\
Examples:
  gaseractl analyzer selftest || echo call the service
  gaseractl analyzer selftest --no-wait; sleep 180; gaseractl analyzer selftest --last

With --json: {\"result\":\"passed|failed|running|not_available\"}
Exit code 5 if it failed. It is refused while a run is under way. Ctrl-C leaves it running.";

#[derive(Debug, clap::Args)]
#[command(after_help = SELFTEST_EXAMPLES)]
pub struct Selftest {
    /// Only start it
    #[arg(long)]
    pub no_wait: bool,
    /// Start nothing; tell how the test under way, or else the last one, goes
    #[arg(long, conflicts_with = "no_wait")]
    pub last: bool,
}

const AK_EXAMPLES: &str = "\
Examples:
  gaseractl analyzer ak ASTS
  gaseractl analyzer ak ATSP 11
  gaseractl analyzer ak RDEV --yes          restarts the analyzer

With --json: {\"reply\"}
A command that begins with A asks, and is sent at any time. All others change the instrument: they are refused while a \
run is under way, and who sent them is kept. Exit code 5 if the analyzer refused.";

#[derive(Debug, clap::Args)]
#[command(after_help = AK_EXAMPLES)]
pub struct Ak {
    /// Four letters, like ASTS
    #[arg(value_name = "CMD")]
    pub code: String,
    /// What the command needs
    #[arg(value_name = "ARGS")]
    pub data: Vec<String>,
    /// Yes, although the analyzer may not be reached any more: needed for RDEV and SNET
    #[arg(long)]
    pub yes: bool,
}

impl Ak {
    pub fn line(&self) -> String {
        AkLine { code: self.code.clone(), data: self.data.join(" ") }.to_string()
    }
}

const MUX_EXAMPLES: &str = "\
Examples:
  gaseractl mux where
  gaseractl mux goto 3 && sleep 60 && gaseractl mux home

With --json, the valve as in `gaseractl status --json`:
  {\"driver\",\"channels\",\"position\":{\"state\":\"at|moving|unknown\",\"channel\",\"verification\"},
   \"channel\",\"model\",\"actuations\",\"fault\"}, and where it is so \"stranger_to\", \"simulated\"
With -q, the channel alone. Exit codes: 3 a run is under way, 5 the valve does not obey, or is another one than before.";

#[derive(Debug, clap::Args)]
#[command(after_help = MUX_EXAMPLES)]
pub struct Mux {
    #[command(subcommand)]
    pub command: MuxCommand,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand)]
pub enum MuxCommand {
    /// Where it stands, and how that is known
    Where,
    /// Send it home, to channel 1; returns when it is there
    Home,
    /// Send it to a channel; returns when it is there
    Goto {
        /// The channel, counted from 1
        #[arg(value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(Channel::MAX)))]
        channel: u32,
    },
    /// Say that the multiplexer that is there now is meant, where it is another one than before
    #[command(after_help = ACCEPT_HELP)]
    Accept,
}
