//! Who reads and writes: a thread of its own, since a drive that is broken can keep whoever waits for it for minutes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{mpsc, watch};

use super::MirrorPlaces;
use super::copy::{Copier, CopyError, sight};
use super::drive::{DriveError, Folder};
use super::mounts::Mount;
use super::plan::{self, MirroredFiles};
use crate::domain::RunId;
use crate::store::Changes;

/// The drive is there: bring it up to date.
pub(super) struct MirrorJob {
    /// Where it is mounted; `None` where that does not matter.
    pub mount: Option<Mount>,
    /// Another number is another drive, or the same one after it was away: the kernel gives the number of a mount again.
    pub visit: u64,
    pub cancel: Arc<AtomicBool>,
}

/// What came of it.
#[derive(Debug)]
pub(super) enum MirrorDone {
    /// All is on the drive that was there when it was looked for last.
    Current,
    Cancelled,
    Failed(String),
    /// What is mounted is no drive.
    NoDrive(String),
}

/// How far it is, for everybody to see.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct MirrorFigures {
    pub behind_files: u64,
    pub behind_bytes: u64,
    pub space: Option<(u64, u64)>,
}

pub(super) type Complete = Arc<Mutex<BTreeSet<RunId>>>;

pub(super) struct Worker {
    settings: MirrorPlaces,
    changes: Arc<Changes>,
    figures: watch::Sender<MirrorFigures>,
    /// Runs of which all is on the drive that is there.
    complete: Complete,
    /// Of which [`MirrorJob::visit`] the following is.
    visit: Option<u64>,
    known: BTreeMap<PathBuf, MirroredFiles>,
    /// Folders that are to be looked through, below the folder of all runs.
    todo: BTreeSet<PathBuf>,
    behind: BTreeMap<PathBuf, (u64, u64)>,
}

impl Worker {
    pub(super) fn new(
        settings: MirrorPlaces,
        changes: Arc<Changes>,
        figures: watch::Sender<MirrorFigures>,
        complete: Complete,
    ) -> Self {
        let (known, todo, behind) = (BTreeMap::new(), BTreeSet::new(), BTreeMap::new());
        Self { settings, changes, figures, complete, visit: None, known, todo, behind }
    }

    /// Works until nobody asks any more.
    pub(super) fn run(mut self, mut jobs: mpsc::Receiver<MirrorJob>, done: &mpsc::Sender<MirrorDone>) {
        while let Some(job) = jobs.blocking_recv() {
            let came = self.pass(&job);
            if !matches!(came, MirrorDone::Current) {
                // What is on the drive now, nobody knows.
                self.forget();
            }
            if done.blocking_send(came).is_err() {
                return;
            }
        }
    }

    fn forget(&mut self) {
        self.visit = None;
        self.known.clear();
        self.complete().clear();
    }

    fn complete(&self) -> std::sync::MutexGuard<'_, BTreeSet<RunId>> {
        self.complete.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pass(&mut self, job: &MirrorJob) -> MirrorDone {
        let drive = match self.drive(job.mount.as_ref()) {
            Ok(drive) => drive,
            Err(error @ DriveError::NoDrive(_)) => return MirrorDone::NoDrive(error.to_string()),
            Err(error) => return MirrorDone::Failed(error.to_string()),
        };
        if self.visit != Some(job.visit) {
            self.forget();
            self.visit = Some(job.visit);
            self.todo = folders(&self.settings.runs).into_values().collect();
            self.survey(&drive);
        }
        let came = self.through(&drive, &job.cancel);
        self.figures.send_modify(|figures| figures.space = drive.space().or(figures.space));
        match came {
            Ok(()) => MirrorDone::Current,
            Err(CopyError::Cancelled) => MirrorDone::Cancelled,
            Err(error) => MirrorDone::Failed(error.to_string()),
        }
    }

    fn drive(&self, mount: Option<&Mount>) -> Result<Folder, DriveError> {
        let MirrorPlaces { directory, state, .. } = &self.settings;
        let Some(mount) = mount else { return Folder::anywhere(directory) };
        let below = directory.strip_prefix(&mount.point).unwrap_or(directory);
        Folder::on_mount(&mount.point, below, &[state, Path::new("/")])
    }

    /// What changed comes first, then the newest run, and so on.
    fn through(&mut self, drive: &Folder, cancel: &AtomicBool) -> Result<(), CopyError> {
        let mut all = BTreeMap::new();
        loop {
            let changed = self.changes.take();
            if changed.iter().any(|run| !all.contains_key(run)) {
                all = folders(&self.settings.runs);
            }
            // Whatever becomes of this pass, they are not forgotten.
            let changed: Vec<PathBuf> = changed.iter().filter_map(|run| all.get(run).cloned()).collect();
            self.todo.extend(changed.iter().cloned());
            for folder in &changed {
                self.note(folder, false);
            }
            let Some(next) = changed.into_iter().next_back().or_else(|| self.todo.last().cloned()) else {
                return Ok(());
            };
            self.folder(drive, &next, cancel)?;
            self.todo.remove(&next);
            self.behind.remove(&next);
            self.tell();
        }
    }

    fn folder(&mut self, drive: &Folder, folder: &Path, cancel: &AtomicBool) -> Result<(), CopyError> {
        let mut copier = Copier::new(cancel);
        let mut all_copied = true;
        let mut opened: BTreeMap<PathBuf, Folder> = BTreeMap::new();
        for file in files(&self.settings.runs, folder) {
            if cancel.load(Ordering::Relaxed) {
                return Err(CopyError::Cancelled);
            }
            let source = self.settings.runs.join(&file);
            let known = self.known.get(&file);
            if File::open(&source).and_then(|ours| sight(&ours)).is_ok_and(|now| plan::is_settled(known, &now)) {
                continue;
            }
            let (Some(parent), Some(name)) = (file.parent(), file.file_name().and_then(|name| name.to_str())) else {
                continue;
            };
            if !opened.contains_key(parent) {
                let place = drive.again()?.below(parent)?;
                let is_known =
                    self.known.range(parent.to_owned()..).next().is_some_and(|(file, _)| file.starts_with(parent));
                if !is_known {
                    place.clear_drafts()?;
                }
                opened.insert(parent.to_owned(), place);
            }
            let Some(place) = opened.get(parent) else { continue };
            match copier.copy(&source, place, name, known) {
                Ok(known) => {
                    self.known.insert(file, known);
                }
                Err(CopyError::Source { what, source }) => {
                    // It may just have become another one, or have gone into the trash.
                    all_copied &= source.kind() == std::io::ErrorKind::NotFound;
                    tracing::debug!("cannot mirror {what}: {source}");
                }
                Err(error) => return Err(error),
            }
        }
        self.note(folder, all_copied);
        Ok(())
    }

    fn note(&self, folder: &Path, all_copied: bool) {
        let Some(run) = run_of(folder) else { return };
        if all_copied {
            self.complete().insert(run);
        } else {
            self.complete().remove(&run);
        }
    }

    /// How much is missing, without reading what is there.
    fn survey(&mut self, drive: &Folder) {
        self.behind.clear();
        for folder in &self.todo {
            let mut sum = (0, 0);
            for file in files(&self.settings.runs, folder) {
                let length = fs::metadata(self.settings.runs.join(&file)).map_or(0, |about| about.len());
                match drive.length(&file) {
                    Some(there) if there == length => {}
                    there => sum = (sum.0 + 1, sum.1 + length.saturating_sub(there.unwrap_or(0))),
                }
            }
            if sum.0 > 0 {
                self.behind.insert(folder.clone(), sum);
            }
        }
        self.figures.send_modify(|figures| figures.space = drive.space());
        self.tell();
    }

    fn tell(&self) {
        let sum = |(files, bytes), behind: &(u64, u64)| (files + behind.0, bytes + behind.1);
        let (files, bytes) = self.behind.values().fold((0, 0), sum);
        self.figures.send_if_modified(|figures| {
            let news = (figures.behind_files, figures.behind_bytes) != (files, bytes);
            (figures.behind_files, figures.behind_bytes) = (files, bytes);
            news
        });
    }
}

/// The run whose folder is called so: `2026-01-15T080000Z_<id>`.
fn run_of(folder: &Path) -> Option<RunId> {
    let (_, id) = folder.file_name()?.to_str()?.split_once('_')?;
    Some(RunId(id.to_owned()))
}

/// The folders of all runs, `2026/2026-01-15T080000Z_<id>`: in their order by time.
fn folders(runs: &Path) -> BTreeMap<RunId, PathBuf> {
    let names = |folder: &Path| {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        folders.map(|entry| PathBuf::from(entry.file_name())).collect::<Vec<_>>()
    };
    let of_year = |year: PathBuf| names(&runs.join(&year)).into_iter().map(move |name| year.join(name));
    let found = names(runs).into_iter().flat_map(of_year);
    found.filter_map(|folder| Some((run_of(&folder)?, folder))).collect()
}

/// What is to be mirrored of a run's folder, as paths below that of all runs.
fn files(runs: &Path, folder: &Path) -> Vec<PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(runs.join(&folder)).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let Some(name) = name.to_str().filter(|name| plan::is_mirrored(name)) else { continue };
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(folder.join(name)),
                Ok(kind) if kind.is_file() => found.push(folder.join(name)),
                _ => {}
            }
        }
    }
    found.sort();
    found
}
