//! What gaserad is told on its command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand};
use gasera::api::auth::Role;
use gasera::config::Overrides;
use gasera::daemon::DaemonFailure;
use gasera::domain::duration;
use gasera::simulator::{FAULTS_HELP, HABITS_HELP, SimulatorOptions};

const EXAMPLES: &str = "\
A browser finds the dashboard where gaserad listens on TCP: http://localhost:5001/ unless the settings say otherwise.

Examples:
  gaserad --demo                                     see a whole measurement, without any hardware
  gaserad --simulate --time-scale 60                 a simulated instrument, an hour a minute
  gaserad --config gaserad.toml                      the real one
  gaserad check-config gaserad.toml                  is everything in it right?
  gaserad new-token operator ada --file /etc/gaserad/tokens > ada.token
  gaserad simulator --ak 127.0.0.1:8888 --vici /tmp/vici --truth truth.jsonl

Exit codes: 0 clean, 64 usage, 69 unavailable, 73 cannot create, 74 I/O, 78 configuration";

const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " ", env!("GASERA_COMMIT"));

/// What concerns the daemon only, in the help of every subcommand.
const DAEMON: &str = "Options of the daemon";

/// Owns one gas analyzer and its valve multiplexer, and runs measurement plans on them
#[derive(Debug, Parser)]
#[command(name = "gaserad", version = VERSION, after_help = EXAMPLES)]
pub struct DaemonArgs {
    /// Settings [default: /etc/gaserad/gaserad.toml as a service, else $XDG_CONFIG_HOME/gaserad/gaserad.toml]
    #[arg(long, global = true, value_name = "FILE", help_heading = DAEMON)]
    pub config: Option<PathBuf>,
    /// Where to listen instead of where the settings say: unix:/path, host:port, or fd: for passed sockets
    #[arg(long, global = true, value_name = "ADDR", help_heading = DAEMON)]
    listen: Vec<String>,
    /// Where everything is kept
    #[arg(long, global = true, value_name = "DIR", help_heading = DAEMON)]
    state_dir: Option<PathBuf>,
    /// Simulate analyzer and multiplexer within this process
    #[arg(long, global = true, help_heading = DAEMON)]
    simulate: bool,
    /// Run a four-channel plan on the simulated instrument, sped up, show it, and end
    #[arg(long)]
    pub demo: bool,
    /// How many times faster than the world time passes, 1 to 1000
    #[arg(long, global = true, value_name = "X", value_parser = time_scale)]
    pub time_scale: Option<f64>,
    /// error, warn, info, debug or trace
    #[arg(long, global = true, value_name = "L")]
    pub log_level: Option<String>,
    #[command(subcommand)]
    pub command: Option<DaemonCommand>,
}

#[derive(Debug, Subcommand)]
pub enum DaemonCommand {
    /// Check settings: every mistake with line and column
    CheckConfig {
        /// [default: the file that gaserad would read]
        file: Option<PathBuf>,
    },
    /// Print the effective settings, each with where it comes from
    PrintConfig,
    /// Make a token: print it, and its line for the file that [auth] tokens names
    NewToken {
        /// viewer (reads and follows) or operator (gives orders too)
        role: Role,
        /// Whose it is, for the audit
        name: String,
        /// Append the line to this file instead of printing it to stderr
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Simulate the instrument alone: an AK server on TCP, a VICI valve on a pseudo-terminal, a relay board on Modbus
    #[command(after_long_help = format!("{FAULTS_HELP}\n\n{HABITS_HELP}"))]
    Simulator(SimulatorArgs),
}

#[derive(Debug, clap::Args)]
pub struct SimulatorArgs {
    /// Where the analyzer listens; port 0 takes a free one
    #[arg(long, value_name = "ADDR")]
    ak: String,
    /// Link to the valve's pseudo-terminal
    #[arg(long, value_name = "LINK")]
    vici: Option<PathBuf>,
    /// Where a relay board speaks Modbus: host:port for TCP, or a path for a link to a pseudo-terminal (RTU, unit 1).
    /// The gas comes through the multiplexer that was ordered last
    #[arg(long, value_name = "ADDR")]
    modbus: Option<String>,
    /// How long one iteration takes
    #[arg(long, default_value = "58s", value_name = "D", value_parser = duration::parse)]
    cycle: Duration,
    /// What goes wrong, as TOML; `--help` lists the keys below
    #[arg(long, value_name = "FILE")]
    faults: Option<PathBuf>,
    /// Write what each iteration really sampled, one JSON object per line
    #[arg(long, value_name = "FILE")]
    truth: Option<PathBuf>,
    /// The same seed gives the same jitter and noise
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,
}

/// Ports of the simulated valve.
const PORTS: u8 = 31;

impl TryFrom<SimulatorArgs> for SimulatorOptions {
    type Error = DaemonFailure;

    fn try_from(args: SimulatorArgs) -> Result<Self, DaemonFailure> {
        if args.cycle < Duration::from_secs(1) || args.cycle > Duration::from_secs(3600) {
            return Err(DaemonFailure::usage(format!(
                "--cycle is {}; it can be 1s to 1h",
                duration::format(args.cycle)
            )));
        }
        let SimulatorArgs { ak, vici, modbus, cycle, faults, truth, seed } = args;
        Ok(Self { ak, vici, modbus, cycle, channels: PORTS, faults, truth, seed })
    }
}

impl DaemonArgs {
    pub fn overrides(&self) -> Overrides {
        Overrides {
            listen: self.listen.clone(),
            state_dir: self.state_dir.clone(),
            simulate: self.simulate,
            log_level: self.log_level.clone(),
        }
    }
}

fn time_scale(text: &str) -> Result<f64, String> {
    let scale: f64 = text.parse().map_err(|_| format!("{text:?} is not a number"))?;
    if (1.0..=1000.0).contains(&scale) { Ok(scale) } else { Err("it can be 1 to 1000".into()) }
}
