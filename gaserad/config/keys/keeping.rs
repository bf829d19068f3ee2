//! `[store]`, `[stream]` and `[log]`: what is kept, streamed and logged.

use std::path::PathBuf;
use std::time::Duration;

use super::{days, minutes, seconds};
use crate::config::kind::{choice, flag, parsed, path, quoted, span, text, whole};
use crate::config::size;
use crate::config::table::keys;
use crate::config::words::OnRestart;

const HUNDRED_YEARS: Duration = days(36_500);

keys! {
    /// Where all data is kept.
    struct StoreSettings {
        /// Where all data is kept: the database, and a folder per run.
        restart directory: PathBuf = path("/var/lib/gaserad").or_by_rule(PathBuf::new(), "\"/var/lib/gaserad\"");
        /// What happens to a run that a crash, a power loss or a restart interrupted: "resume" goes on with it, and
        /// begins the interrupted visit anew; "end" closes it as failed. Its data is kept either way.
        restart on_restart: OnRestart = choice().or(OnRestart::Resume);
        /// After a longer interruption than this, the run is ended all the same.
        restart max_outage: Duration = span(Duration::ZERO..=days(30)).or(minutes(30));
        /// With less free space than so many megabytes, an alarm says so, and see [pause] disk.
        reload min_free_mb: u32 = whole(0..=1_000_000).or(200);
        /// Whether what passes between gaserad and the analyzer during a run is kept in its folder, as raw.aklog: some
        /// 40 MB a day while it is written, 3 MB when it is compressed.
        restart raw_log: bool = flag().or(true);
    }
}

keys! {
    /// A copy of all run folders on another drive.
    struct MirrorSettings {
        /// Where the copy is.
        reload directory: PathBuf = path("/media/usb0/gasera").or(PathBuf::new()).like("\"/media/usb0/gasera\"");
        /// false: also where nothing is mounted there, like a folder on a second disk that is always mounted.
        reload require_mount: bool = flag().or(true);
    }
}

keys! {
    /// How long runs are kept.
    struct RetentionSettings {
        /// How long runs are kept; without this and max_size, for ever. Older ones go into the trash. A run that is
        /// under way never goes.
        reload keep: Option<Duration> = span(days(1)..=HUNDRED_YEARS).optional().like("\"365d\"");
        /// The oldest runs go into the trash while all that is kept takes more than this.
        reload max_size: Option<u64> = parsed("size", size::parse, |bytes| quoted(&size::format(*bytes)))
            .optional().like("\"20GB\"");
        /// So many of the newest runs stay in any case.
        reload min_runs: u32 = whole(0..=1_000_000).or(10);
        /// Where there is a mirror, only what is on it goes.
        reload mirrored: bool = flag().or(true);
        /// How long a run stays in the trash, from where `gaseractl runs restore` brings it back. Then it is gone for
        /// good.
        reload trash_after: Duration = span(Duration::ZERO..=HUNDRED_YEARS).or(days(30)).told("\"30d\"");
    }
}

keys! {
    /// The event stream.
    struct StreamSettings {
        /// How often a reader of the stream is told that all is well.
        reload heartbeat: Duration = span(seconds(1)..=minutes(10)).or(seconds(30));
        /// A stream that was silent for so long gets a comment, so that nobody on the way closes it.
        reload keepalive: Duration = span(seconds(1)..=minutes(10)).or(seconds(10));
        /// How many events are kept in memory for readers that come back; older ones are read from disk.
        restart ring: usize = whole(10..=1_000_000).or(1000);
        /// How many streams may be open at a time. A lower number closes none.
        reload max_connections: usize = whole(1..=100_000).or(1000);
    }
}

keys! {
    /// What gaserad says of its own work, on stderr, which systemd puts into the journal.
    struct LogSettings {
        /// "error", "warn", "info", "debug" or "trace". --log-level goes before it.
        reload level: String = text("\"error\" or \"warn\" or \"info\" or \"debug\" or \"trace\"", level)
            .or("info".into());
    }
}

fn level(text: &str) -> Result<String, String> {
    let known = ["error", "warn", "info", "debug", "trace"].contains(&text);
    let refused = || format!("is {text:?}; it can be \"error\", \"warn\", \"info\", \"debug\", \"trace\"");
    if known { Ok(text.to_owned()) } else { Err(refused()) }
}
