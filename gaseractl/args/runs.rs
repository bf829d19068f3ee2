//! What `gaseractl runs` can be told.

use std::path::PathBuf;

use clap::Subcommand;

use super::ExportArgs;
use gasera::domain::Utc;

const RUNS_EXAMPLES: &str = "\
RUN is a run id, a unique prefix of one, or \"last\".

Examples:
  gaseractl runs
  gaseractl runs show last
  gaseractl runs export last -o run.csv
  gaseractl runs export last --format parquet -o run.parquet
  gaseractl runs tail last -n 20
  gaseractl runs drift --since 2026-01-01
  gaseractl runs verify && echo every sample still has the channel it was given
  gaseractl runs get last samples.csv -o samples.csv
  gaseractl runs rm 01KEZB3P && gaseractl runs restore 01KEZB3P

With --json, verify prints a line for each run:
  {\"run_id\",\"records\",\"csv_rows\",\"files\",\"attributed_again\",\"differences\":[…],\"changes\":[{\"seq\",\"was\",\"now\"}]}
drift prints {\"points\":[{\"run_id\",\"started_utc\",\"channel\",\"label\",\"kind\",\"gas\",\"cas\",\"expected_ppm\",
  \"mean_ppm\",\"deviation_ppm\",\"sd_ppm\",\"n\"}],
  \"trends\":[{\"channel\",\"gas\",\"cas\",\"runs\",\"deviation_ppm\",\"slope_ppm_per_day\"}]}
and tail a line for each sample, as `gaseractl watch --format jsonl` does.";

#[derive(Debug, clap::Args)]
#[command(after_help = RUNS_EXAMPLES)]
pub struct Runs {
    #[command(subcommand)]
    pub command: Option<RunsCommand>,
}

#[derive(Debug, Subcommand)]
pub enum RunsCommand {
    /// The newest runs (the default)
    List(List),
    /// One run and its visits
    Show {
        /// A run id, a unique prefix of one, or "last"
        run: String,
    },
    /// The samples of runs as a file, in the format of the tool that reads it
    Export(Box<ExportArgs>),
    /// The samples of a run, and those that come as long as it is under way
    Tail {
        /// A run id, a unique prefix of one, or "last"
        run: String,
        /// Of those that are there already, only the last so many
        #[arg(short = 'n', long, value_name = "K")]
        lines: Option<u64>,
    },
    /// Work out anew whose gas each sample is, and compare it and samples.csv with what is kept; 1 if anything differs
    Verify {
        /// A run id, a unique prefix of one, or "last" [default: all that have ended]
        run: Option<String>,
        /// List each sample that this version would give to another channel, or judge otherwise
        #[arg(long)]
        attribution: bool,
    },
    /// The files in a run's folder
    #[command(after_help = FILES_JSON)]
    Files {
        /// A run id, a unique prefix of one, or "last"
        run: String,
    },
    /// One of the files in a run's folder, as it is now
    Get {
        /// A run id, a unique prefix of one, or "last"
        run: String,
        /// As `gaseractl runs files` names it
        file: String,
        /// Write to this file instead of stdout; it appears only when it is complete
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Put runs into the trash, from where they can be restored for as long as [store.retention] trash_after says
    #[command(after_help = RM_JSON)]
    Rm(Rm),
    /// Take a run out of the trash
    #[command(after_help = RESTORE_JSON)]
    Restore {
        /// The id of a run in the trash, or a unique prefix of it
        trashed: String,
    },
    /// What is in the trash
    #[command(after_help = TRASH_JSON)]
    Trash,
    /// Remove all that is in the trash, for good
    #[command(after_help = REMOVED_JSON)]
    EmptyTrash {
        /// Do not ask
        #[arg(short, long)]
        yes: bool,
    },
    /// How far the analyzer is off what zero, span and target gases contain, and how that changes
    Drift(Drift),
}

const FILES_JSON: &str = "\
With --json: {\"run_id\",\"files\":[{\"name\",\"bytes\",\"changed_utc\"}]}";

const RM_JSON: &str = "\
All of the runs are removed, or none. A run that is under way stays: exit code 3. On a terminal it is asked before; \
elsewhere --all and --purge need --yes. What is on a mirror stays there.

With --json: {\"removed\":[RUN,…],\"purged\":false}";

const RESTORE_JSON: &str = "\
With --json: {\"restored\":\"RUN\"}
Exit code 10 if it is not in the trash.";

const TRASH_JSON: &str = "\
With --json: {\"trash\":[{\"run_id\",\"label\",\"started_utc\",\"records\",\"bytes\",\"trashed_utc\",\"who\",\"gone_after_utc\"}]}
\"who\" is retention where the settings removed it.";

const REMOVED_JSON: &str = "\
With --json: {\"removed\":[RUN,…],\"purged\":true}";

#[derive(Debug, Default, clap::Args)]
pub struct List {
    /// At most so many [default: 100]
    #[arg(short = 'n', long, value_name = "K", value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: Option<u32>,
    /// Those before this one: a run id, or the beginning of one
    #[arg(long = "before", id = "run", value_name = "RUN")]
    pub before: Option<String>,
}

#[derive(Debug, clap::Args)]
pub struct Rm {
    /// Run ids, unique prefixes of them, or "last"
    #[arg(id = "run", value_name = "RUN", required_unless_present = "all")]
    pub runs: Vec<String>,
    /// All runs but the one under way
    #[arg(long, conflicts_with = "run")]
    pub all: bool,
    /// Not into the trash: remove them for good
    #[arg(long)]
    pub purge: bool,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
}

#[derive(Debug, clap::Args)]
pub struct Drift {
    /// A run id, a unique prefix of one, or "last" [default: all]
    pub run: Option<String>,
    /// Only runs that began then or later: 2026-01-31 or 2026-01-31T08:00:00Z
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub since: Option<Utc>,
}

/// A day, or a time of RFC 3339.
fn time(text: &str) -> Result<Utc, String> {
    let day = format!("{text}T00:00:00Z");
    text.parse::<Utc>().or_else(|_| day.parse()).map_err(|_| "write it like 2026-01-31 or 2026-01-31T08:00:00Z".into())
}
