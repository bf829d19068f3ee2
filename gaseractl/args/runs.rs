//! What `gaseractl runs` can be told.

use clap::Subcommand;

use super::Export;
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
    /// The newest 100 runs (the default)
    List,
    /// One run and its visits
    Show {
        /// A run id, a unique prefix of one, or "last"
        run: String,
    },
    /// The records of runs as a file, in the format of the tool that reads it
    Export(Box<Export>),
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
        /// List each record that this version would give to another channel, or judge otherwise
        #[arg(long)]
        attribution: bool,
    },
    /// How far the analyzer is off what zero, span and target gases contain, and how that changes
    Drift(Drift),
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
