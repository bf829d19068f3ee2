//! The task with its thread on real folders, of which one stands for the drive.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use tempfile::TempDir;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::*;
use crate::domain::{MirrorState, UsbEvent};

const RUN: &str = "2026/2026-01-15T080000Z_01KEZB3P3G000000000000000A";
const OLD: &str = "2025/2025-12-24T080000Z_01KD7QZZZG000000000000000B";

struct Desk {
    state: TempDir,
    drive: TempDir,
    changes: Arc<Changes>,
    stop: CancellationToken,
}

impl Desk {
    fn new() -> Self {
        let (state, drive) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        Self { state, drive, changes: Arc::default(), stop: CancellationToken::new() }
    }

    fn settings(&self, require_mount: bool) -> MirrorPlaces {
        MirrorPlaces {
            runs: self.state.path().join("runs"),
            state: self.state.path().to_owned(),
            directory: self.drive.path().join("gasera"),
            require_mount,
        }
    }

    fn start(&self, require_mount: bool) -> (Mirror, UnboundedReceiver<UsbNews>, JoinHandle<()>) {
        let (told, news) = unbounded_channel();
        let settings = self.settings(require_mount);
        let (mirror, task) = Mirror::start(settings, self.changes.clone(), told, self.stop.clone()).unwrap();
        (mirror, news, task)
    }

    fn write(&self, file: &str, text: &str) {
        let file = self.state.path().join("runs").join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    fn changed(&self, folder: &str) {
        let id = folder.split_once('_').unwrap().1;
        self.changes.mark([RunId(id.to_owned())].iter());
    }

    fn ours(&self) -> BTreeMap<String, String> {
        tree(&self.state.path().join("runs"))
    }

    fn theirs(&self) -> BTreeMap<String, String> {
        tree(&self.drive.path().join("gasera"))
    }
}

fn tree(root: &Path) -> BTreeMap<String, String> {
    let (mut found, mut folders) = (BTreeMap::new(), vec![root.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(root).unwrap().display().to_string();
                found.insert(name, fs::read_to_string(path).unwrap());
            }
        }
    }
    found
}

/// Until the state is like this.
async fn until(mirror: &mut Mirror, wanted: impl Fn(&MirrorStatus) -> bool) -> MirrorStatus {
    loop {
        let status = mirror.status();
        if wanted(&status) {
            return status;
        }
        mirror.changed().await.expect("the mirror ended");
    }
}

#[tokio::test]
async fn all_that_is_there_is_copied_and_then_what_changes() {
    let desk = Desk::new();
    desk.write(&format!("{RUN}/samples.csv"), "a\n1\n");
    desk.write(&format!("{RUN}/raw/1.aklog"), "frames");
    desk.write(&format!("{OLD}/samples.csv"), "a\n");
    desk.write(&format!("{OLD}/samples.csv.new"), "a draft");
    let (mut mirror, mut news, task) = desk.start(false);
    let status = until(&mut mirror, |status| status.state == MirrorState::Current).await;
    assert!(status.mounted && status.fault.is_empty() && status.free_bytes.is_some(), "{status:?}");
    let told = news.recv().await.unwrap();
    assert_eq!((told.event, told.mounted), (UsbEvent::CaughtUp, true));
    let mut ours = desk.ours();
    assert_eq!(ours.remove(&format!("{OLD}/samples.csv.new")).as_deref(), Some("a draft"));
    assert_eq!(desk.theirs(), ours);
    assert_eq!(mirror.complete().len(), 2);

    desk.write(&format!("{RUN}/samples.csv"), "a\n1\n2\n");
    desk.write(&format!("{RUN}/events.csv"), "e\n");
    desk.changed(RUN);
    assert_eq!(mirror.complete().len(), 1, "what is not on the drive yet counts no more");
    // Its end copies what is left.
    desk.stop.cancel();
    task.await.unwrap();
    ours.insert(format!("{RUN}/samples.csv"), "a\n1\n2\n".into());
    ours.insert(format!("{RUN}/events.csv"), "e\n".into());
    assert_eq!(desk.theirs(), ours);
    assert!(news.recv().await.is_none(), "that it is current is told once");
}

#[tokio::test]
async fn without_a_drive_nothing_is_written_and_nothing_is_told() {
    let desk = Desk::new();
    desk.write(&format!("{RUN}/samples.csv"), "a\n");
    let (mirror, mut news, task) = desk.start(true);
    desk.changed(RUN);
    desk.stop.cancel();
    task.await.unwrap();
    assert_eq!(mirror.status().state, MirrorState::Absent);
    assert!(news.recv().await.is_none());
    assert_eq!(fs::read_dir(desk.drive.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_drive_that_cannot_be_written_is_told_of_once() {
    let desk = Desk::new();
    desk.write(&format!("{RUN}/samples.csv"), "a\n");
    // A file where the folder is to be.
    fs::write(desk.drive.path().join("gasera"), "").unwrap();
    let (mut mirror, mut news, task) = desk.start(false);
    let status = until(&mut mirror, |status| !status.fault.is_empty()).await;
    assert_eq!(status.state, MirrorState::Behind);
    assert!(status.fault.contains("gasera"), "{status:?}");
    assert_eq!(news.recv().await.unwrap().event, UsbEvent::Failed);
    desk.stop.cancel();
    task.await.unwrap();
    assert!(news.recv().await.is_none());
}

#[tokio::test]
async fn a_run_whose_folder_goes_into_the_trash_stays_on_the_drive() {
    let desk = Desk::new();
    desk.write(&format!("{RUN}/samples.csv"), "a\n");
    let (mut mirror, _news, task) = desk.start(false);
    until(&mut mirror, |status| status.state == MirrorState::Current).await;
    fs::remove_dir_all(desk.state.path().join("runs/2026")).unwrap();
    desk.changed(RUN);
    desk.stop.cancel();
    task.await.unwrap();
    assert_eq!(desk.theirs().len(), 1);
}
