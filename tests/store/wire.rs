//! The log of what passes between host and analyzer: in the folder of the run under way, and in no commit's way.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use flate2::read::GzDecoder;
use gasera::domain::{Clock, Fact, Moment, Tick, Way, Wire};
use gasera::store::Store;
use tempfile::TempDir;

use super::fixture::*;
use super::folder::{about, ended, measured};

const RUN: &str = "01KF000000000000000000000A";

/// A clock that goes on by a second whenever somebody looks at it.
#[derive(Default)]
struct Counting(AtomicU64);

impl Clock for Counting {
    fn now(&self) -> Moment {
        let second = self.0.fetch_add(1, Ordering::Relaxed);
        Moment { tick: Tick::from_micros(second * 1_000_000), utc: utc(i64::try_from(second).unwrap()) }
    }

    fn outside(&self, duration: Duration) -> Duration {
        duration
    }
}

fn log(folder: &Path) -> String {
    fs::read_to_string(folder.join("raw.aklog")).unwrap_or_default()
}

#[tokio::test]
async fn what_passes_while_a_run_is_under_way_is_in_its_folder_to_the_byte() {
    let directory = TempDir::new().unwrap();
    let (mut store, _) = Store::open(directory.path(), about()).unwrap();
    let wire = store.log_wire(Arc::new(Counting::default()), 0).await.unwrap();
    wire.passed(Way::Out, b"before");
    let run = measured(&store, RUN).await;
    wire.passed(Way::Out, b"\x02 AMST K0\x03");
    wire.passed(Way::In, b"\x02 AMST 0 1\n\x03");
    ended(&store, &run).await;
    wire.passed(Way::Out, b"after");
    store.close().await;
    assert_eq!(
        log(&store.run_folder(&run)),
        "1.000000 2026-01-15T08:00:01.000000Z > \\x02 AMST K0\\x03\n\
         2.000000 2026-01-15T08:00:02.000000Z < \\x02 AMST 0 1\\n\\x03\n"
    );
}

#[tokio::test]
async fn a_full_part_is_compressed_and_none_of_it_is_lost() {
    let directory = TempDir::new().unwrap();
    let (mut store, _) = Store::open(directory.path(), about()).unwrap();
    let wire = store.log_wire(Arc::new(Counting::default()), 0).await.unwrap();
    let run = measured(&store, RUN).await;
    let frame = vec![b'x'; 60_000];
    for _ in 0..300 {
        wire.passed(Way::In, &frame);
        // Not faster than it can be written: a commit waits for nothing of this.
        store.commit(facts(vec![])).await.unwrap();
        tokio::task::spawn_blocking(|| ()).await.unwrap();
    }
    store.close().await;
    let folder = store.run_folder(&run);
    let mut all = String::new();
    for number in 1.. {
        let Ok(file) = fs::File::open(folder.join(format!("raw.{number:06}.aklog.gz"))) else { break };
        GzDecoder::new(file).read_to_string(&mut all).unwrap();
    }
    assert!(all.len() >= 2 * (8 << 20), "two parts are full: {}", all.len());
    all += &log(&folder);
    let lost: u64 =
        all.lines().filter_map(|line| line.strip_prefix("# ")?.split(' ').next()?.parse::<u64>().ok()).sum();
    let lines = all.lines().filter(|line| !line.starts_with('#')).count();
    assert_eq!(lines as u64 + lost, 300);
    assert!(lines > 280, "{lines}");
}

#[tokio::test]
async fn with_too_little_space_nothing_is_logged_and_nothing_fails() {
    let directory = TempDir::new().unwrap();
    let (mut store, _) = Store::open(directory.path(), about()).unwrap();
    let wire = store.log_wire(Arc::new(Counting::default()), u64::MAX).await.unwrap();
    let run = measured(&store, RUN).await;
    wire.passed(Way::Out, b"ASTS");
    store.commit(facts(vec![Fact::Recorded(record(RUN, 5, &[(METHANE, 1.0)]))])).await.unwrap();
    store.close().await;
    assert!(!store.run_folder(&run).join("raw.aklog").exists());
}

#[tokio::test]
async fn a_part_that_a_crash_left_uncompressed_is_compressed_by_the_next_process() {
    let directory = TempDir::new().unwrap();
    let (store, _) = Store::open(directory.path(), about()).unwrap();
    let run = measured(&store, RUN).await;
    store.close().await;
    let folder = store.run_folder(&run);
    fs::write(folder.join("raw.000001.aklog"), "old\n").unwrap();
    let (mut store, _) = Store::open(directory.path(), about()).unwrap();
    store.log_wire(Arc::new(Counting::default()), 0).await.unwrap();
    store.close().await;
    let mut text = String::new();
    GzDecoder::new(fs::File::open(folder.join("raw.000001.aklog.gz")).unwrap()).read_to_string(&mut text).unwrap();
    assert_eq!(text, "old\n");
    assert!(!folder.join("raw.000001.aklog").exists());
}
