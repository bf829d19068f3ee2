//! `gaseractl runs export`: records in files, as the tools want them that read these.

use std::fs;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use gasera::domain::{Format, Table};
use gasera::proto::ExportRunRequest;

use super::CommandSession;
use crate::args;
use crate::failure::{Exit, Failure};
use crate::new_file::{NewFile, cannot_write};
use crate::output::{self, Advancing};

pub async fn execute(session: &CommandSession, export: &args::ExportArgs) -> Result<(), Failure> {
    let Some(path) = export.output.as_deref() else {
        if matches!(export.format, Format::Parquet | Format::Netcdf) && io::stdout().is_terminal() {
            let name = export.format.as_str();
            return Err(Failure::new(Exit::USAGE, format!("{name} is nothing to look at; write it to a file with -o")));
        }
        return write(session, request(export, &export.table), ExportSink::Stdout).await;
    };
    if is_folder(path) {
        return every_table(session, export, path).await;
    }
    let sink = NewFile::create(path).map_err(|error| cannot_write(path, &error))?;
    write(session, request(export, &export.table), ExportSink::File(sink)).await
}

/// There is one, or the name says that it is to be one.
fn is_folder(path: &Path) -> bool {
    path.is_dir() || path.as_os_str().to_string_lossy().ends_with('/')
}

async fn every_table(session: &CommandSession, export: &args::ExportArgs, folder: &Path) -> Result<(), Failure> {
    fs::create_dir_all(folder).map_err(|error| cannot_write(folder, &error))?;
    for (table, name) in export.format.tables() {
        let path = folder.join(format!("{name}.{}", export.format.extension()));
        let sink = NewFile::create(&path).map_err(|error| cannot_write(&path, &error))?;
        write(session, request(export, Table::as_str(*table)), ExportSink::File(sink)).await?;
    }
    Ok(())
}

fn request(export: &args::ExportArgs, table: &str) -> ExportRunRequest {
    let args::ExportArgs { runs, format, records, writing, .. } = export;
    let said = |text: &Option<String>| text.clone().unwrap_or_default();
    ExportRunRequest {
        run: runs.first().cloned().unwrap_or_default(),
        format: format.as_str().to_owned(),
        more_runs: runs.iter().skip(1).cloned().collect(),
        table: table.to_owned(),
        from_utc: said(&records.from),
        until_utc: said(&records.until),
        channels: said(&records.channels),
        gases: records.gases.clone(),
        good_only: records.good_only,
        delimiter: said(&writing.delimiter),
        decimal: said(&writing.decimal),
        basis: writing.basis.clone(),
        air_temperature_c: writing.air_temperature,
        air_pressure_hpa: writing.air_pressure,
    }
}

async fn write(session: &CommandSession, request: ExportRunRequest, mut sink: ExportSink) -> Result<(), Failure> {
    let mut chunks = session.client().await?.export(request).await?;
    let alone = matches!(sink, ExportSink::File(_)) || !io::stdout().is_terminal();
    let advancing = Advancing::new(session.output, alone);
    let mut bytes = 0;
    while let Some(piece) = chunks.next().await? {
        bytes += piece.chunk.len();
        sink.write(&piece.chunk)?;
        advancing.at(piece.records, piece.of_records);
    }
    drop(advancing);
    if let Some(path) = sink.finish()? {
        session.output.note(&format!("wrote {} ({bytes} bytes)", path.display()));
    }
    Ok(())
}

/// Where a file goes.
pub(super) enum ExportSink {
    Stdout,
    File(NewFile),
}

impl ExportSink {
    pub(super) fn open(path: Option<&Path>) -> Result<Self, Failure> {
        let file = |path| NewFile::create(path).map(Self::File).map_err(|error| cannot_write(path, &error));
        path.map_or(Ok(Self::Stdout), file)
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        match self {
            Self::Stdout => output::bytes(bytes),
            Self::File(file) => file.append(bytes).map_err(|error| cannot_write(&file.path, &error)),
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
