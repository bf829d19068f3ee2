//! The daemon about itself: its state directory and its settings.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::reload::{InEffect, Reloader};
use super::tidy::bytes_in;
use crate::api::{self, ConfigReload, ConfigVerdict, PlanMistake, Setting, Storage, Upkeep};
use crate::config::{self, Environment, Mistake, Overrides, Printed, Reloaded, RetentionSettings, SettingChange};
use crate::domain::{Denied, Reason, RunSummary};
use crate::mirror::Mirror;
use crate::store::Store;
use crate::stream::BoxFuture;

/// The most runs that are listed with their sizes.
const RUNS: u32 = 10_000;
const DATABASE: [&str; 3] = ["state.sqlite", "state.sqlite-wal", "state.sqlite-shm"];

pub(super) struct House {
    pub store: Store,
    pub settings: InEffect,
    pub reloader: Arc<Reloader>,
}

impl Upkeep for House {
    fn storage(&self) -> BoxFuture<'_, Result<Storage, Denied>> {
        Box::pin(async move {
            let settings = self.settings.borrow().clone();
            let internal = |text: String| Denied::new(Reason::Internal, text);
            let runs = self.store.runs(RUNS).await.map_err(|error| internal(error.to_string()))?;
            let folders: Vec<(RunSummary, PathBuf)> =
                runs.into_iter().map(|run| with_folder(&self.store, run)).collect();
            let usage = self.store.usage().await.map_err(|error| internal(error.to_string()))?;
            let trashed = self.store.trash().await.map_err(|error| internal(error.to_string()))?;
            let (free_bytes, total_bytes) = self.store.disk().unzip();
            let known = Storage {
                directory: settings.store.directory.clone(),
                free_bytes,
                total_bytes,
                min_free_bytes: settings.min_free_bytes(),
                reusable_bytes: usage.reusable,
                trash: (u64::try_from(trashed.len()).unwrap_or(u64::MAX), 0),
                mirror: self.reloader.mirroring.mirror().borrow().as_ref().map(Mirror::status),
                retention: retention(&settings.retention),
                ..Storage::default()
            };
            let looking = tokio::task::spawn_blocking(move || look(known, folders)).await;
            looking.map_err(|error| internal(error.to_string()))
        })
    }

    fn settings(&self) -> Vec<Setting> {
        let setting = |Printed { key, value, origin }| Setting { key, value, origin };
        config::list_config(&self.settings.borrow()).into_iter().map(setting).collect()
    }

    fn warnings(&self) -> Vec<String> {
        self.settings.borrow().warnings.clone()
    }

    fn check(&self, name: &str, text: &str) -> ConfigVerdict {
        match config::parse(text, name, &Overrides::default(), &Environment::of_process()) {
            Ok(settings) => ConfigVerdict { mistakes: Vec::new(), warnings: settings.warnings },
            Err(error) => ConfigVerdict { mistakes: error.0.into_iter().map(mistake).collect(), warnings: Vec::new() },
        }
    }

    fn reload(&self, who: String) -> BoxFuture<'_, Result<ConfigReload, Denied>> {
        Box::pin(async move {
            // It is done to its end, whether who asked waits for that or not.
            let reloader = self.reloader.clone();
            let done = tokio::spawn(async move { reloader.reload(&who).await }).await;
            let done = done.map_err(|error| Denied::new(Reason::Internal, error.to_string()))?;
            let Reloaded { settings, changed, needs_restart } = done?;
            let all = |changes: Vec<SettingChange>| changes.into_iter().map(setting_change).collect();
            let (changed, needs_restart) = (all(changed), all(needs_restart));
            Ok(ConfigReload { changed, needs_restart, warnings: settings.warnings })
        })
    }
}

fn setting_change(SettingChange { key, was, is }: SettingChange) -> api::SettingChange {
    api::SettingChange { key, was, is }
}

fn mistake(Mistake { line, column, text, .. }: Mistake) -> PlanMistake {
    PlanMistake { line, column, text }
}

fn with_folder(store: &Store, run: RunSummary) -> (RunSummary, PathBuf) {
    let folder = store.run_folder(&run);
    (run, folder)
}

/// What removes runs by itself.
fn retention(settings: &RetentionSettings) -> String {
    let age = settings.keep.map(|keep| format!("runs go {} days after they ended", keep.as_secs() / 86_400));
    let size =
        settings.max_size.map(|bytes| format!("the oldest go while all take more than {} MB", bytes / 1_000_000));
    age.into_iter().chain(size).collect::<Vec<_>>().join(", ")
}

fn look(mut storage: Storage, folders: Vec<(RunSummary, PathBuf)>) -> Storage {
    let directory = storage.directory.clone();
    let mut faults = Vec::new();
    if storage.free_bytes.is_some_and(|free| free < storage.min_free_bytes) {
        faults.push(format!(
            "{} has less left than [store] min_free_mb asks for; make room: empty the trash, or move old runs away",
            directory.display()
        ));
    }
    if let Some(mirror) = storage.mirror.as_ref().filter(|mirror| !mirror.fault.is_empty()) {
        faults.push(format!("the mirror is behind: {}", mirror.fault));
    }
    for (run, folder) in folders.iter().filter(|(run, folder)| run.records > 0 && !folder.join("samples.csv").exists())
    {
        let folder = folder.display();
        faults.push(format!(
            "run {} has {} samples and no samples.csv in {folder}; `gaseractl runs export {}` makes one",
            run.id, run.records, run.id
        ));
    }
    storage.database_bytes = DATABASE.iter().map(|name| size(&directory.join(name))).sum();
    storage.runs = folders.into_iter().map(|(run, folder)| (run, bytes_in(&folder))).collect();
    storage.trash.1 = bytes_in(&directory.join("trash"));
    storage.faults = faults;
    storage
}

fn size(file: &Path) -> u64 {
    fs::metadata(file).map_or(0, |about| about.len())
}
