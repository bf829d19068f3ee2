//! What `gaseractl schedule` can be told.

use std::time::Duration;

use clap::{Subcommand, ValueEnum};
use gasera::domain::duration;

use super::IfBusy;

const SCHEDULE_EXAMPLES: &str = "\
A schedule starts a plan that the daemon keeps (gaseractl plan list) at the times of a cron expression: minute, hour, day \
of month, month, day of week, in a time zone of the IANA database. The plan is read anew each time, and the run is \
started like any other, by \"schedule NAME\".

Where clocks are put forward, fixed times that are left out are due once, when the clocks are put forward, and where they \
are put back, they are due once, the first time. Expressions whose minute or hour begins with * go by what the clocks show: \
they have no times in an hour that is left out, and go on through both hours of a double one.

Every firing, and why there was none, is on the stream (schedule.updated, and alarms) and in the audit.

Examples:
  gaseractl schedule add night \"0 22 * * *\" weekly --zone Europe/Berlin
  gaseractl schedule add often \"*/30 * * * *\" short --if-busy wait --if-missed skip
  gaseractl schedule next -n 5
  gaseractl schedule disable night";

#[derive(Debug, clap::Args)]
#[command(after_help = SCHEDULE_EXAMPLES)]
pub struct ScheduleArgs {
    #[command(subcommand)]
    pub command: Option<ScheduleCommand>,
}

const LIST_JSON: &str = "\
With --json: {\"schedules\":[{\"name\",\"cron\",\"zone\",\"plan\",\"if_busy\",\"if_missed\",\"grace_s\",\"enabled\",\"who\",
  \"next\":[{\"utc\",\"local\"}],\"last\":{\"due_utc\",\"result\"}}]}
\"next\" is empty for one that is disabled; \"last\" is null before its first time.";

const ONE_JSON: &str = "\
With --json, the schedule as in `gaseractl schedule list --json`.
Exit code 10 if there is no such schedule.";

const ADD_JSON: &str = "\
With --json, the schedule as in `gaseractl schedule list --json`, with its next three times.
Exit code 2 if the expression, the zone or the plan's file is wrong, 10 if there is no such plan.";

const RM_JSON: &str = "\
With --json: {\"removed\":\"NAME\"}
Exit code 10 if there is no such schedule.";

const NEXT_JSON: &str = "\
With --json: {\"next\":[{\"schedule\",\"utc\",\"local\"}]}
Exit code 10 if there is no such schedule.";

#[derive(Debug, Subcommand)]
pub enum ScheduleCommand {
    /// All schedules (the default)
    #[command(after_help = LIST_JSON)]
    List,
    /// Add a schedule
    #[command(after_help = ADD_JSON)]
    Add(Box<Add>),
    /// Remove a schedule; a run that it started goes on
    #[command(after_help = RM_JSON)]
    Rm {
        /// The schedule
        #[arg(id = "schedule", value_name = "NAME")]
        name: String,
    },
    /// Let a schedule start runs again; what would have been due meanwhile is not made up for
    #[command(after_help = ONE_JSON)]
    Enable {
        /// The schedule
        #[arg(id = "schedule", value_name = "NAME")]
        name: String,
    },
    /// Keep a schedule, and start nothing
    #[command(after_help = ONE_JSON)]
    Disable {
        /// The schedule
        #[arg(id = "schedule", value_name = "NAME")]
        name: String,
    },
    /// The next times, in UTC and in the zone of the schedule
    #[command(after_help = NEXT_JSON)]
    Next {
        /// The schedule [default: all that are enabled]
        #[arg(id = "schedule", value_name = "NAME")]
        name: Option<String>,
        /// How many times
        #[arg(short = 'n', long, value_name = "N", default_value = "10", value_parser = clap::value_parser!(u32).range(1..=100))]
        count: u32,
    },
}

#[derive(Debug, clap::Args)]
pub struct Add {
    /// What it is called: letters, digits, dots, dashes and underscores
    #[arg(id = "new_schedule", value_name = "NAME")]
    pub name: String,
    /// When, like "0 */2 * * *" or "30 6 * * MON-FRI"
    pub cron: String,
    /// The name of a plan that the daemon keeps
    pub plan: String,
    /// In which time zone, like Europe/Berlin
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    pub zone: String,
    /// If another run is under way: skip this time with a warning, wait until it is over, or skip it as a failure
    #[arg(long, value_name = "DO", default_value = "skip")]
    pub if_busy: IfBusy,
    /// If the time passed while gaserad was away or the clock was set: run late, once, or skip it
    #[arg(long, value_name = "DO", default_value = "run")]
    pub if_missed: IfMissed,
    /// How much too late a run may still begin, at most 1d
    #[arg(long, value_name = "D", default_value = "10m", value_parser = duration::parse, allow_hyphen_values = true)]
    pub grace: Duration,
    /// Add it, and start nothing until it is enabled
    #[arg(long)]
    pub disabled: bool,
    /// Put it in the place of the schedule of that name, if there is one
    #[arg(long)]
    pub replace: bool,
    /// Add nothing; check it, and print when it would be due
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum IfMissed {
    Run,
    Skip,
}
