//! `gaseractl runs files` and `get`: what is in a run's folder.

use std::path::Path;

use serde_json::{Value, json};

use super::CommandSession;
use super::export::ExportSink;
use crate::failure::{Exit, Failure};
use crate::output;
use crate::view::{table, words};

pub async fn list(session: &CommandSession, run: &str) -> Result<Exit, Failure> {
    let told = session.client().await?.files(run).await?;
    let output = session.output;
    if output.json {
        let files = told
            .files
            .iter()
            .map(|file| json!({ "name": file.name, "bytes": file.bytes, "changed_utc": file.changed_utc }));
        output::object(&json!({ "run_id": told.run_id, "files": files.collect::<Value>() }))?;
    } else if output.quiet {
        told.files.iter().try_for_each(|file| output::line(&file.name))?;
    } else if told.files.is_empty() {
        output.note(&format!("run {} has no files", told.run_id));
    } else {
        let mut table = table::table(&["FILE", "SIZE", "CHANGED"], &[1]);
        for file in &told.files {
            table.add_row([file.name.clone(), words::bytes(file.bytes), words::date_of(&file.changed_utc)]);
        }
        output::bytes(table::written(&table).as_bytes())?;
    }
    Ok(Exit::DONE)
}

pub async fn get(session: &CommandSession, run: &str, file: &str, to: Option<&Path>) -> Result<Exit, Failure> {
    let mut pieces = session.client().await?.file(run, file).await?;
    let mut sink = ExportSink::open(to)?;
    let mut bytes = 0;
    while let Some(piece) = pieces.next().await? {
        bytes += piece.chunk.len();
        sink.write(&piece.chunk)?;
    }
    if let Some(path) = sink.finish()? {
        session.output.note(&format!("wrote {} ({bytes} bytes)", path.display()));
    }
    Ok(Exit::DONE)
}
