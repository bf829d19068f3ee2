//! What can be done to the run under way.

use clap::ValueEnum;

const PAUSE_EXAMPLES: &str = "\
Examples:
  gaseractl pause                     the sample under way is still used
  gaseractl pause --now && gaseractl note \"filter change\"

With --json: {\"run_id\"}
A paused run stays where it is, valve and analyzer as they are, until it is resumed. What is drawn meanwhile is kept \
and not used. Exit code 3 if no run is under way, or it is not one that can be paused now.";

#[derive(Debug, Clone, Copy, clap::Args)]
#[command(after_help = PAUSE_EXAMPLES)]
pub struct Pause {
    /// At once, instead of after the sample under way; that sample is then not used
    #[arg(long)]
    pub now: bool,
}

pub const RESUME_EXAMPLES: &str = "\
Example:
  gaseractl resume && gaseractl watch

With --json: {\"run_id\"}
The run goes on with the channel where it was paused, which is purged again. A pause that has not begun yet is taken \
back. Exit code 3 if the run is not paused.";

pub const SKIP_EXAMPLES: &str = "\
Example:
  gaseractl skip && gaseractl note \"water in the tube of this channel\"

With --json: {\"run_id\"}
What was measured on the channel so far is kept. Exit code 3 if no run is under way, or it is ending already.";

const FINISH_EXAMPLES: &str = "\
Examples:
  gaseractl finish                    the channel under way is the last one
  gaseractl finish --after repeat     all channels of this repeat are measured
  gaseractl finish && gaseractl watch --until-done

With --json: {\"run_id\"}
Unlike `gaseractl abort` it lets what was begun come to its end. Exit code 3 if no run is under way, or it is ending \
already.";

#[derive(Debug, Clone, Copy, clap::Args)]
#[command(after_help = FINISH_EXAMPLES)]
pub struct Finish {
    /// Up to where the run still goes
    #[arg(long, value_name = "WHAT", default_value = "channel")]
    pub after: After,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum After {
    Channel,
    Repeat,
}

const NOTE_EXAMPLES: &str = "\
Examples:
  gaseractl note \"cows let out\"
  gaseractl note -- -5 °C outside
  gaseractl runs show last            the notes stand below the visits

With --json: {\"run_id\"}
A note is kept with the run under way, with the time and who wrote it. Exit code 3 if no run is under way.";

#[derive(Debug, Clone, clap::Args)]
#[command(after_help = NOTE_EXAMPLES)]
pub struct NoteArgs {
    /// What is to be remembered; several words are one note
    #[arg(required = true, value_name = "TEXT")]
    pub text: Vec<String>,
}
