//! Whether this machine's clock is kept right by a time service, as far as systemd knows. Only a change is told.
//!
//! systemd-timesyncd leaves a file behind each time it has compared the clock. Other services (chrony, ntpd) tell only the
//! kernel, and timedatectl asks that; it starts a service each time, so it is asked more rarely.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, UNIX_EPOCH};

use tokio::process::Command;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::task::AbortOnDropHandle;

use super::clock::HostClock;
use crate::domain::{Clock, Utc};

const EVERY: Duration = Duration::from_secs(60);
/// One look in so many also asks timedatectl.
const LOOKS_PER_QUESTION: u32 = 5;
const PATIENCE: Duration = Duration::from_secs(10);
const COMPARED: &str = "/run/systemd/timesync/synchronized";
/// timesyncd compares at least every 34 minutes; without it the kernel calls a clock synchronized for almost nine hours.
const FRESH: Duration = Duration::from_secs(4 * 3600);
const QUESTION: [&str; 4] = ["timedatectl", "show", "--property=NTPSynchronized", "--value"];

pub(super) struct Synchronized {
    changes: mpsc::Receiver<bool>,
    _watch: Option<AbortOnDropHandle<()>>,
}

impl Synchronized {
    /// Without a clock to look at, nothing is ever told: a world that runs faster has a clock of its own.
    pub(super) fn watch(clock: Option<HostClock>) -> Self {
        let (tell, changes) = mpsc::channel(1);
        let watch = clock.filter(|clock| !clock.is_scaled()).map(|clock| tokio::spawn(look_again(clock, tell)));
        Self { changes, _watch: watch.map(AbortOnDropHandle::new) }
    }

    /// Waits until it is first known, and then until it changes. Nothing is lost if this is dropped and called again.
    pub(super) async fn changed(&mut self) -> bool {
        match self.changes.recv().await {
            Some(synchronized) => synchronized,
            None => std::future::pending().await,
        }
    }
}

async fn look_again(clock: HostClock, tell: mpsc::Sender<bool>) {
    let mut looks = interval(EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut known, mut complained) = (None, false);
    for look in (0..LOOKS_PER_QUESTION).cycle() {
        looks.tick().await;
        let synchronized = if was_compared(Path::new(COMPARED), clock.now().utc) {
            true
        } else if look == 0 {
            match ask(&QUESTION).await {
                Ok(answer) => answer,
                Err(error) => {
                    if !std::mem::replace(&mut complained, true) {
                        tracing::warn!(
                            "whether this machine's clock is synchronized is not known, and samples are not flagged for it: {error}"
                        );
                    }
                    continue;
                }
            }
        } else {
            continue;
        };
        if known.replace(synchronized) != Some(synchronized) && tell.send(synchronized).await.is_err() {
            return;
        }
    }
}

/// Whether timesyncd compared the clock not long ago. A comparison that is still to come was made by a clock that was set
/// since, and says nothing.
fn was_compared(file: &Path, now: Utc) -> bool {
    let changed = std::fs::metadata(file).and_then(|file| file.modified()).ok();
    let changed = changed.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let changed = changed.and_then(|since| i64::try_from(since.as_micros()).ok());
    let age = changed.and_then(|changed| u64::try_from(now.as_micros() - changed).ok());
    age.is_some_and(|age| Duration::from_micros(age) <= FRESH)
}

async fn ask(question: &[&str]) -> Result<bool, String> {
    let words = question.join(" ");
    let Some((program, arguments)) = question.split_first() else { return Err("there is nobody to ask".into()) };
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let ended = timeout(PATIENCE, command.output()).await;
    let output = ended
        .map_err(|_| format!("`{words}` did not end within {} s", PATIENCE.as_secs()))?
        .map_err(|error| format!("cannot run `{words}`: {error}"))?;
    match String::from_utf8_lossy(&output.stdout).trim() {
        "yes" => Ok(true),
        "no" => Ok(false),
        told => {
            let said = String::from_utf8_lossy(&output.stderr);
            Err(format!("`{words}` told {told:?} and ended with {}: {}", output.status, said.trim()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn yes_and_no_are_answers_and_all_else_is_not_known() {
        assert_eq!(ask(&["echo", "yes"]).await, Ok(true));
        assert_eq!(ask(&["echo", "no"]).await, Ok(false));
        let odd = ask(&["sh", "-c", "echo no bus >&2; exit 1"]).await.unwrap_err();
        assert!(odd.ends_with("told \"\" and ended with exit status: 1: no bus"), "{odd}");
        let missing = ask(&["/nonexistent/timedatectl"]).await.unwrap_err();
        assert!(missing.starts_with("cannot run `/nonexistent/timedatectl`"), "{missing}");
    }

    #[test]
    fn a_comparison_counts_for_some_hours_and_never_from_the_future() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let at = |seconds: u64| {
            let time = UNIX_EPOCH + Duration::from_secs(seconds);
            file.as_file().set_modified(time).unwrap();
            was_compared(file.path(), Utc::from_micros(100_000 * 1_000_000))
        };
        assert!(at(100_000));
        assert!(at(100_000 - 4 * 3600));
        assert!(!at(100_000 - 4 * 3600 - 1));
        assert!(!at(100_001));
        assert!(!was_compared(Path::new("/nonexistent"), Utc::from_micros(0)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_that_is_nobodys_business_is_never_told_of() {
        let scaled = HostClock::new(crate::domain::Tick::ZERO, None, 20.0);
        for clock in [None, Some(scaled)] {
            let mut quiet = Synchronized::watch(clock);
            assert!(timeout(Duration::from_secs(3600), quiet.changed()).await.is_err());
        }
    }
}
