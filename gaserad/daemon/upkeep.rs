//! The daemon about itself: its state directory and its settings.

use std::fs;
use std::path::{Path, PathBuf};

use crate::api::{ConfigVerdict, PlanMistake, Setting, Storage, Upkeep};
use crate::config::{self, Environment, Mistake, Overrides, Printed, Settings};
use crate::domain::{Denied, Reason, RunSummary};
use crate::store::Store;
use crate::stream::BoxFuture;

/// The most runs that are listed with their sizes.
const RUNS: u32 = 10_000;
const DATABASE: [&str; 3] = ["state.sqlite", "state.sqlite-wal", "state.sqlite-shm"];

pub(super) struct House {
    pub store: Store,
    pub settings: Settings,
}

impl Upkeep for House {
    fn storage(&self) -> BoxFuture<'_, Result<Storage, Denied>> {
        Box::pin(async move {
            let internal = |text: String| Denied::new(Reason::Internal, text);
            let runs = self.store.runs(RUNS).await.map_err(|error| internal(error.to_string()))?;
            let folders: Vec<(RunSummary, PathBuf)> =
                runs.into_iter().map(|run| with_folder(&self.store, run)).collect();
            let directory = self.settings.store.directory.clone();
            let free_bytes = self.store.free_bytes();
            let min_free_bytes = u64::from(self.settings.store.min_free_mb) * 1024 * 1024;
            let looking =
                tokio::task::spawn_blocking(move || look(directory, folders, free_bytes, min_free_bytes)).await;
            looking.map_err(|error| internal(error.to_string()))
        })
    }

    fn settings(&self) -> Vec<Setting> {
        let setting = |Printed { key, value, origin }| Setting { key, value, origin };
        config::list_config(&self.settings).into_iter().map(setting).collect()
    }

    fn warnings(&self) -> Vec<String> {
        self.settings.warnings.clone()
    }

    fn check(&self, name: &str, text: &str) -> ConfigVerdict {
        match config::parse(text, name, &Overrides::default(), &Environment::of_process()) {
            Ok(settings) => ConfigVerdict { mistakes: Vec::new(), warnings: settings.warnings },
            Err(error) => ConfigVerdict { mistakes: error.0.into_iter().map(mistake).collect(), warnings: Vec::new() },
        }
    }
}

fn mistake(Mistake { line, column, text, .. }: Mistake) -> PlanMistake {
    PlanMistake { line, column, text }
}

fn with_folder(store: &Store, run: RunSummary) -> (RunSummary, PathBuf) {
    let folder = store.run_folder(&run);
    (run, folder)
}

fn look(
    directory: PathBuf,
    folders: Vec<(RunSummary, PathBuf)>,
    free_bytes: Option<u64>,
    min_free_bytes: u64,
) -> Storage {
    let mut faults = Vec::new();
    if free_bytes.is_some_and(|free| free < min_free_bytes) {
        faults.push(format!(
            "{} has less left than [store] min_free_mb asks for; make room, or move old runs away",
            directory.display()
        ));
    }
    for (run, folder) in folders.iter().filter(|(run, folder)| run.records > 0 && !folder.join("samples.csv").exists())
    {
        let folder = folder.display();
        faults.push(format!(
            "run {} has {} records and no samples.csv in {folder}; `gaseractl runs export {}` makes one",
            run.id, run.records, run.id
        ));
    }
    let database_bytes = DATABASE.iter().map(|name| size(&directory.join(name))).sum();
    let runs = folders.into_iter().map(|(run, folder)| (run, files(&folder))).collect();
    Storage { directory, free_bytes, min_free_bytes, database_bytes, runs, faults }
}

/// The bytes of all files in a folder; what cannot be read counts nothing.
fn files(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| size(&entry.path())).sum()
}

fn size(file: &Path) -> u64 {
    fs::metadata(file).map_or(0, |about| about.len())
}
