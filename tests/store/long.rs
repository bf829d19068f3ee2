//! Files that are too long to be compared as a whole whenever gaserad starts.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;

use gasera::domain::Fact;
use gasera::store::Store;
use tempfile::TempDir;

use super::fixture::*;
use super::folder::about;

const RECORDS: u32 = 40_000;
const TOGETHER: u32 = 4000;

/// What a crash can do to the end of a file, in words and done.
type Damage = (&'static str, fn(&Path));

fn damages() -> [Damage; 5] {
    fn keep(file: &Path, lost: u64) {
        let length = fs::metadata(file).unwrap().len();
        OpenOptions::new().write(true).open(file).unwrap().set_len(length - lost).unwrap();
    }
    fn add(file: &Path, noise: &[u8]) {
        OpenOptions::new().append(true).open(file).unwrap().write_all(noise).unwrap();
    }
    [
        ("half a row is lost", |file| keep(file, 20)),
        ("a line break is lost", |file| keep(file, 1)),
        ("many rows are lost", |file| keep(file, 1_000_000)),
        ("zeros stand behind", |file| add(file, &[0; 4096])),
        ("another row stands behind", |file| add(file, b"2026-01-15T08:03:12Z,1,2,run,7,noise\n")),
    ]
}

#[tokio::test]
async fn the_end_of_a_long_file_is_mended() {
    let directory = TempDir::new().unwrap();
    let (store, _) = Store::open(directory.path(), about()).unwrap();
    let run = summary("01KF000000000000000000000A");
    let visit = Fact::VisitStarted { run: run.id.clone(), visit: visit() };
    store.commit(facts(vec![Fact::RunStarted(run.clone()), visit])).await.unwrap();
    for first in (1..=RECORDS).step_by(TOGETHER as usize) {
        let some = first..first + TOGETHER;
        let records = some.map(|seq| Fact::Recorded(record(&run.id.0, seq, &[(METHANE, f64::from(seq))])));
        store.commit(facts(records.collect())).await.unwrap();
    }
    let folder = store.run_folder(&run);
    store.close().await;
    let file = folder.join("samples.csv");
    let whole = fs::read(&file).unwrap();
    assert!(whole.len() > 5_000_000, "{} bytes are compared as a whole", whole.len());
    for (what, damage) in damages() {
        damage(&file);
        let (store, _) = Store::open(directory.path(), about()).unwrap();
        store.close().await;
        assert!(fs::read(&file).unwrap() == whole, "{what}");
    }
}
