//! `gaseractl runs`: what was measured, and its records in a file.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use gasera::proto::Run;
use serde_json::json;

use super::{Session, archive, files, tail, trash, verify};
use crate::args::{self, Runs, RunsCommand};
use crate::failure::{Exit, Failure};
use crate::output;
use crate::view::{json, table};

pub async fn execute(session: &Session, runs: Runs) -> Result<Exit, Failure> {
    match runs.command.unwrap_or_else(|| RunsCommand::List(args::List::default())) {
        RunsCommand::List(asked) => list(session, &asked).await?,
        RunsCommand::Show { run } => show(session, &run).await?,
        RunsCommand::Export(export) => self::export(session, &export).await?,
        RunsCommand::Tail { run, lines } => return tail::execute(session, &run, lines).await,
        RunsCommand::Verify { run, attribution } => return verify::execute(session, run, attribution).await,
        RunsCommand::Drift(drift) => return archive::drift(session, &drift).await,
        RunsCommand::Files { run } => return files::list(session, &run).await,
        RunsCommand::Get { run, file, output } => return files::get(session, &run, &file, output.as_deref()).await,
        RunsCommand::Rm(rm) => return trash::remove(session, rm).await,
        RunsCommand::Restore { trashed } => return trash::restore(session, &trashed).await,
        RunsCommand::Trash => return trash::list(session).await,
        RunsCommand::EmptyTrash { yes } => return trash::empty(session, yes).await,
    }
    Ok(Exit::DONE)
}

/// How many are listed unless somebody says so.
const LISTED: u32 = 100;

async fn list(session: &Session, asked: &args::List) -> Result<(), Failure> {
    let runs = page(session, asked).await?;
    let output = session.output;
    if output.json {
        let runs: Vec<serde_json::Value> = runs.iter().map(json::run).collect();
        output::object(&json!({ "runs": runs }))
    } else if output.quiet {
        runs.iter().try_for_each(|run| output::line(&run.id))
    } else if runs.is_empty() {
        output.note("there are no runs yet; start one with `gaseractl start`");
        Ok(())
    } else {
        output::bytes(table::runs(&runs).as_bytes())
    }
}

async fn page(session: &Session, asked: &args::List) -> Result<Vec<Run>, Failure> {
    let mut client = session.client().await?;
    let limit = asked.limit.unwrap_or(LISTED);
    let Some(before) = &asked.before else { return client.runs(limit).await };
    let all = client.runs(u32::MAX).await?;
    let is_meant = |run: &Run| run.id.to_lowercase().starts_with(&before.to_lowercase());
    let Some(place) = all.iter().position(is_meant) else {
        return Err(Failure::new(Exit::NOT_FOUND, format!("no run is called {before:?}; `gaseractl runs` lists them")));
    };
    Ok(all.into_iter().skip(place + 1).take(usize::try_from(limit).unwrap_or(usize::MAX)).collect())
}

async fn show(session: &Session, run: &str) -> Result<(), Failure> {
    let response = session.client().await?.run(run).await?;
    if session.output.json {
        let mut object = response.run.as_ref().map(json::run).unwrap_or_default();
        object["visits"] = response.visits.iter().map(json::visit).collect();
        object["notes"] = response.notes.iter().map(json::note).collect();
        output::object(&object)
    } else {
        output::bytes(table::run(&response).as_bytes())
    }
}

async fn export(session: &Session, export: &args::Export) -> Result<(), Failure> {
    let format = export.format.to_possible_value().map(|format| format.get_name().to_owned()).unwrap_or_default();
    let mut chunks = session.client().await?.export(&export.run, &format).await?;
    let mut sink = Sink::open(export.output.as_deref())?;
    let mut bytes = 0;
    while let Some(chunk) = chunks.next().await? {
        bytes += chunk.len();
        sink.write(&chunk)?;
    }
    if let Some(path) = sink.finish()? {
        session.output.note(&format!("wrote {} ({bytes} bytes)", path.display()));
    }
    Ok(())
}

/// Where an export goes.
pub(super) enum Sink {
    Stdout,
    File(NewFile),
}

impl Sink {
    pub(super) fn open(path: Option<&Path>) -> Result<Self, Failure> {
        match path {
            None => Ok(Self::Stdout),
            Some(path) => NewFile::create(path).map(Self::File).map_err(|error| cannot_write(path, &error)),
        }
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        match self {
            Self::Stdout => output::bytes(bytes),
            Self::File(file) => file.file.write_all(bytes).map_err(|error| cannot_write(&file.path, &error)),
        }
    }

    pub(super) fn finish(self) -> Result<Option<PathBuf>, Failure> {
        match self {
            Self::Stdout => Ok(None),
            Self::File(file) => {
                let path = file.path.clone();
                file.publish().map_err(|error| cannot_write(&path, &error))?;
                Ok(Some(path))
            }
        }
    }
}

pub(super) fn cannot_write(path: &Path, error: &io::Error) -> Failure {
    Failure::new(Exit::FAILURE, format!("cannot write {}: {error}; nothing was exported", path.display()))
}

/// A file that appears under its name only when it is complete.
pub(super) struct NewFile {
    file: File,
    path: PathBuf,
    partial: PathBuf,
}

impl NewFile {
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        let name = path.file_name().ok_or_else(|| io::Error::other("this is not the name of a file"))?;
        if path.is_dir() {
            return Err(io::Error::other("this is a folder"));
        }
        let partial = path.with_file_name(format!(".{}.{}.part", name.to_string_lossy(), std::process::id()));
        Ok(Self { file: File::create(&partial)?, path: path.to_owned(), partial })
    }

    pub(super) fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)
    }

    pub(super) fn publish(self) -> io::Result<()> {
        self.file.sync_all()?;
        std::fs::rename(&self.partial, &self.path)
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        // After publishing it is gone already.
        let _ = std::fs::remove_file(&self.partial);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn a_file_appears_only_when_it_is_complete() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.csv");
        std::fs::write(&path, "old").unwrap();
        let mut file = NewFile::create(&path).unwrap();
        file.file.write_all(b"new").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "old");
        file.publish().unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(files(folder.path()), ["run.csv"]);
    }

    #[test]
    fn an_export_that_breaks_off_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        drop(NewFile::create(&folder.path().join("run.csv")).unwrap());
        assert!(files(folder.path()).is_empty());
    }

    #[test]
    fn a_folder_is_not_written_to() {
        let folder = tempfile::tempdir().unwrap();
        assert!(NewFile::create(folder.path()).is_err());
        assert!(NewFile::create(Path::new("/")).is_err());
    }
}
