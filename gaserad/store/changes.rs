//! Which runs' files have changed, for whoever copies them: marks that are set by commits and taken by one reader.

use std::collections::BTreeSet;
use std::mem;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;

use crate::domain::RunId;

#[derive(Debug, Default)]
pub struct Changes {
    runs: Mutex<BTreeSet<RunId>>,
    news: Notify,
}

impl Changes {
    pub fn mark<'a>(&self, runs: impl Iterator<Item = &'a RunId>) {
        let mut marked = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        let before = marked.len();
        marked.extend(runs.cloned());
        if marked.len() > before {
            self.news.notify_one();
        }
    }

    /// The same of the run that a folder belongs to: `2026-01-15T080000Z_<id>`.
    pub fn mark_folder(&self, folder: &Path) {
        let name = folder.file_name().and_then(|name| name.to_str());
        let run = name.and_then(|name| name.split_once('_')).map(|(_, id)| RunId(id.to_owned()));
        self.mark(run.iter());
    }

    /// Those that changed since they were taken last.
    pub fn take(&self) -> BTreeSet<RunId> {
        mem::take(&mut *self.runs.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The same, and they are left to be taken.
    pub fn pending(&self) -> BTreeSet<RunId> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until there are some.
    pub async fn wait(&self) {
        loop {
            let news = self.news.notified();
            if !self.runs.lock().unwrap_or_else(PoisonError::into_inner).is_empty() {
                return;
            }
            news.await;
        }
    }
}
