//! `gaseractl watch`: what is shown of the stream, in which form, and how hard it is held on to.

use std::time::Duration;

use clap::ValueEnum;
use gasera::domain::duration;

use super::{Channels, channels};

const EXAMPLES: &str = "\
Examples:
  gaseractl watch
  gaseractl watch --plot CH4
  gaseractl watch --types live_data --channels 1-4 | jq -c '[.channel, .components[].ppm]'
  gaseractl watch --since 1200 --format table
  gaseractl watch --format frames --types run.*,alarm
  gaseractl watch --until-done -q > events.jsonl && echo completed
  gaseractl watch --max-reconnect 3 --fallback none || echo gone

On a terminal the view fills the screen. Keys: p pause, r resume, s skip, f finish, a abort, each of which is asked for \
once more; g next gas, ? help, q quit, which leaves the run alone.

A line of JSON is {\"id\",\"type\",…}: the event's number, its name, and its data. What is not numbered has a null id: \
connected, progress, heartbeat, gap; a snapshot has that of the last event in it. With --types only those events are \
shown, and always \"gap\", which says that events are missing. The table leaves out progress and heartbeats.

A broken connection is taken up again after the last event that came: events are numbered without a gap, and none is \
shown twice, also when gaserad is restarted. Between attempts a random part of 1 s, 2 s, 4 s, … is waited (or of what \
gaserad asks for, doubled as often). When 5 attempts in a row were in vain, the state is polled every 2 s and shown as \
a snapshot whenever it has changed, while the stream is tried again every 30 s, and at once when gaserad answers \
again or a run begins or ends; what happened meanwhile is then shown. Ctrl-C does not stop the run.";

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Watch {
    /// Only these events, like run.*,live_data
    #[arg(long, value_name = "T", value_delimiter = ',')]
    pub types: Vec<String>,
    /// Only events of these channels, like 1-8,12; events without a channel stay
    #[arg(long, value_name = "LIST", value_parser = channels)]
    pub channels: Option<Channels>,
    /// First replay what came after the event of this number; 0 for all that is kept
    #[arg(long, value_name = "SEQ")]
    pub since: Option<u64>,
    /// table: a readable line per event, jsonl: a JSON object per event, frames: as on the wire
    #[arg(long, value_name = "F")]
    pub format: Option<WatchFormat>,
    /// The gas that the view plots first, like CO2; g goes to the next one [default: the first one]
    #[arg(long, value_name = "GAS")]
    pub plot: Option<String>,
    /// End when the run under way, or else the next one, has ended; exit codes as with start --wait
    #[arg(long)]
    pub until_done: bool,
    /// Ring the terminal's bell when a run begins or ends, an alarm comes, or the analyzer goes or returns
    #[arg(long)]
    pub notify: bool,
    /// How often in a row to try to reach a gaserad again that went away [default: 5 with --fallback poll, else for ever]
    #[arg(long, value_name = "N")]
    pub max_reconnect: Option<u32>,
    /// What to do then: poll the state, or give up with exit code 8
    #[arg(long, value_name = "F", default_value = "poll")]
    pub fallback: Fallback,
    /// How long to wait before the first attempt, at most; it doubles from there [default: what gaserad asks for]
    #[arg(long, value_name = "D", value_parser = duration::parse)]
    pub reconnect_delay: Option<Duration>,
    /// How long to wait between two attempts, at most
    #[arg(long, value_name = "D", value_parser = duration::parse, default_value = "30s")]
    pub max_reconnect_delay: Duration,
    /// A connection over which not a byte came for so long is given up
    #[arg(long, value_name = "D", value_parser = duration::parse, default_value = "45s")]
    pub dead_after: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum WatchFormat {
    Table,
    Jsonl,
    Frames,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Fallback {
    Poll,
    None,
}
