//! What `gaseractl start` can be told.

use std::str::FromStr;
use std::time::Duration;

use clap::ValueEnum;
use gasera::domain::plan::Plan;
use gasera::domain::{Channel, Multiple, duration};

const START_EXAMPLES: &str = "\
Examples:
  gaseractl start --channels 1-8,12,!5 --repeats 3 --purge 5m --measure 5m --watch
  gaseractl start --iterations 5 --label \"barn north\" --note \"after cleaning\"
  gaseractl start --channels 1-8 --iterations 3 --discard-first 1 --background 31:4 --dry-run
  gaseractl start weekly.toml --repeats 2 --watch        a plan in a file; see `gaseractl plan --help`
  gaseractl start --if-busy skip --wait --json           a line for cron
  gaseractl start --align 30m --watch                    at the next full or half hour, UTC
  gaseractl start --if-busy wait --label \"barn south\"    when the run under way is over

With --json, the first line is the run as it was started:
  {\"run_id\",\"channels\",\"repeats\",\"purge_s\",\"measure_s\",\"iterations\",\"discard_first\",\"task\",\"sync\",
   \"overlap\",\"background\":{\"channel\",\"every\"},\"park\",\"save_on_device\",\"label\",\"note\",\"operator\",
   \"exceptions\":[{\"channel\",\"purge_s\",\"measure_s\",\"iterations\",\"discard_first\"}],
   \"gas_discards\":{\"<CAS>\":…},\"total_s\",\"queued\",\"begins_utc\",\"end_utc\",\"pace\"}
\"background\" is null where there is none, and \"park\" where the valve stays.
and with --wait a second line follows when it has ended:
  {\"run_id\",\"outcome\",\"reason\",\"records\",\"good_records\",\"exit\"}
With --watch, the events of `gaseractl watch` come between the two.
With --dry-run, run_id is null and there is also:
  \"timeline\": [{\"offset_s\",\"duration_s\",\"phase\",\"channel\",\"repeat\"}]
\"queued\" is true if the run waits to begin, at \"begins_utc\" or, where that is null, when none is under way any more; \
\"end_utc\" is null where nobody knows it. \"pace\" says what the estimate rests on; null with fixed times.
If --if-busy skip skipped it, the line is {\"skipped\":true,\"reason\"}.

A run that waits is shown by `gaseractl status` and called off by `gaseractl abort RUN`; it waits on although this command \
is interrupted, and over a restart of gaserad as [store] on_restart and max_outage allow. At most 8 wait. An aligned start \
whose time comes while another run is under way is skipped, with an alarm, unless --if-busy wait lets it begin later. \
With --wait the exit code is 6 for one that was called off, 3 for one that was skipped (0 with --if-busy skip), 9 for one \
that could not be started; \"outcome\" is then null.";

#[derive(Debug, clap::Args)]
#[command(after_help = START_EXAMPLES)]
pub struct Start {
    /// A plan in a file, whose path has a / or ends in .toml; or - for stdin; or the name of a plan that the daemon
    /// keeps. What options say counts more
    pub plan: Option<String>,
    /// Channels like 1-8,12,!5 or all [default: as in PLAN, or all]
    #[arg(long, value_name = "LIST", allow_hyphen_values = true)]
    pub channels: Option<String>,
    /// How many times to go through the channels [default: as in PLAN, or as configured]
    #[arg(long, value_name = "N", allow_negative_numbers = true,
        value_parser = clap::value_parser!(u32).range(1..=i64::from(Plan::MAX_REPEATS)))]
    pub repeats: Option<u32>,
    /// Purge on a channel before measuring, like 30s, 5m or 1h30m [default: as in PLAN, or as configured]
    #[arg(long, alias = "pause", value_name = "D", value_parser = duration::parse, allow_hyphen_values = true)]
    pub purge: Option<Duration>,
    /// Measure on a channel for this long [default: as in PLAN, or as configured]
    #[arg(long, value_name = "D", value_parser = duration::parse, allow_hyphen_values = true)]
    pub measure: Option<Duration>,
    /// Leave a channel after this many good iterations
    #[arg(long, value_name = "K", allow_negative_numbers = true,
        value_parser = clap::value_parser!(u32).range(1..=i64::from(Plan::MAX_ITERATIONS)))]
    pub iterations: Option<u32>,
    /// Leave out this many samples after each arrival on a channel, beside those of the purge [default: as in PLAN, or as configured]
    #[arg(long, value_name = "N", allow_negative_numbers = true,
        value_parser = clap::value_parser!(u32).range(0..=i64::from(Plan::MAX_DISCARD)))]
    pub discard_first: Option<u32>,
    /// Measure channel N before the first and then after every EVERY others (as configured, or 4); or none
    /// [default: as in PLAN, or as configured]
    #[arg(long, value_name = "N[:EVERY]", allow_hyphen_values = true)]
    pub background: Option<BackgroundArg>,
    /// Let the valve wait for the result, instead of purging the next line meanwhile
    #[arg(long)]
    pub no_overlap: bool,
    /// Name or id of the analyzer's task [default: as in PLAN, or as configured]
    #[arg(long, value_name = "T")]
    pub task: Option<String>,
    /// How a channel is left: at the end of a gas exchange, or after fixed times [default: as in PLAN, or as configured]
    #[arg(long, value_name = "MODE")]
    pub sync: Option<SyncMode>,
    /// Keep the results on the analyzer too
    #[arg(long)]
    pub save_on_device: bool,
    /// A short name for the run
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub label: String,
    /// Anything worth knowing about the run
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub note: String,
    /// Who measures, as the run is to name them [default: the user]
    #[arg(long, value_name = "NAME", env = "GASERACTL_OPERATOR", hide_env_values = true)]
    pub operator: Option<String>,
    /// Start nothing; print the timeline and when it would end
    #[arg(long, conflicts_with_all = ["wait", "watch"])]
    pub dry_run: bool,
    /// Begin at the next multiple of this on the wall clock, counted from midnight UTC: 30m is the next full or half hour
    #[arg(long, value_name = "D", value_parser = multiple, allow_hyphen_values = true)]
    pub align: Option<Duration>,
    /// What to do if a run is under way or the analyzer is busy: fail with exit code 3, skip with 0, or wait until the run
    /// under way is over, and those that wait already
    #[arg(long, value_name = "DO", default_value = "fail")]
    pub if_busy: IfBusy,
    /// What to do with an analyzer that somebody else made measure: refuse to start, stop it first, or adopt what it
    /// measures
    #[arg(long, value_name = "DO", default_value = "refuse")]
    pub if_measuring: IfMeasuringArg,
    /// Start although the analyzer reports errors that block measuring
    #[arg(long)]
    pub ignore_errors: bool,
    /// Return when the run has ended; the exit code tells how
    #[arg(long)]
    pub wait: bool,
    /// Like --wait, and look on meanwhile
    #[arg(long)]
    pub watch: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SyncMode {
    Analyzer,
    Dwell,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum IfBusy {
    Fail,
    Skip,
    Wait,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum IfMeasuringArg {
    Refuse,
    Stop,
    Adopt,
}

fn multiple(text: &str) -> Result<Duration, String> {
    let asked = duration::parse(text).map_err(|error| error.to_string())?;
    Multiple::new(asked).map(Multiple::length).map_err(|error| error.to_string())
}

/// A channel that is measured again and again between the others, or that there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BackgroundArg {
    None,
    /// `every` is `None` if it is not said.
    Channel {
        number: u8,
        every: Option<u32>,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a background channel; write its number, like 31, or 31:4 to measure it after every 4 others, or none"
)]
pub struct BackgroundError(String);

impl FromStr for BackgroundArg {
    type Err = BackgroundError;

    fn from_str(text: &str) -> Result<Self, BackgroundError> {
        if text == "none" {
            return Ok(Self::None);
        }
        let shape = || BackgroundError(text.to_owned());
        let (number, every) = text.split_once(':').map_or((text, None), |(number, every)| (number, Some(every)));
        let channel = number.parse().ok().and_then(Channel::new).ok_or_else(shape)?;
        let every = every.map(|every| every.parse().ok().filter(|every| *every > 0).ok_or_else(shape)).transpose()?;
        Ok(Self::Channel { number: channel.number(), every })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_background_channel_is_read_with_and_without_how_often() {
        assert_eq!("31".parse(), Ok(BackgroundArg::Channel { number: 31, every: None }));
        assert_eq!("8:2".parse(), Ok(BackgroundArg::Channel { number: 8, every: Some(2) }));
        assert_eq!("none".parse(), Ok(BackgroundArg::None));
        for text in ["", "0", "32", "8:", "8:0", "8:-1", ":4", "8:2:1", "eight"] {
            assert!(text.parse::<BackgroundArg>().is_err(), "{text}");
        }
    }
}
