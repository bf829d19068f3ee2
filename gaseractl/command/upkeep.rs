//! `gaseractl storage` and `config`: what the daemon keeps, and how it is set up.

use std::path::Path;

use gasera::proto::{CheckConfigRequest, GetStorageResponse, Mirror, Setting, SettingChange};
use serde_json::json;

use super::{CommandSession, archive};
use crate::args::{ConfigCommand, StorageCommand};
use crate::failure::{Exit, Failure};
use crate::view::{table, words};
use crate::{output, planfile, suggest};

pub async fn storage(session: &CommandSession, command: Option<StorageCommand>) -> Result<Exit, Failure> {
    match command {
        None => kept(session).await,
        Some(StorageCommand::Check { without_files }) => archive::check(session, without_files).await,
        Some(StorageCommand::Backup { file }) => archive::backup(session, &file).await,
    }
}

async fn kept(session: &CommandSession) -> Result<Exit, Failure> {
    let storage = session.client().await?.storage().await?;
    let output = session.output;
    if output.json {
        output::object(&storage_json(&storage))?;
    } else if output.quiet {
        output::line(&storage.free_bytes.map_or_else(|| "-".into(), |bytes| bytes.to_string()))?;
    } else {
        output::bytes(told(&storage).as_bytes())?;
        storage.faults.iter().for_each(|fault| output.note(fault));
    }
    Ok(if storage.faults.is_empty() { Exit::DONE } else { Exit::FAILURE })
}

fn storage_json(storage: &GetStorageResponse) -> serde_json::Value {
    let runs = storage.runs.iter().map(|run| {
        json!({
            "run_id": run.run_id,
            "label": run.label,
            "started_utc": run.started_utc,
            "records": run.records,
            "bytes": run.bytes,
        })
    });
    json!({
        "directory": storage.directory,
        "free_bytes": storage.free_bytes,
        "min_free_bytes": storage.min_free_bytes,
        "database_bytes": storage.database_bytes,
        "runs": runs.collect::<Vec<_>>(),
        "total_bytes": storage.total_bytes,
        "reusable_bytes": storage.reusable_bytes,
        "trash": { "runs": storage.trash_runs, "bytes": storage.trash_bytes },
        "mirror": storage.mirror.as_ref().map(mirror_json),
        "retention": storage.retention,
        "faults": storage.faults,
    })
}

fn mirror_json(mirror: &Mirror) -> serde_json::Value {
    json!({
        "directory": mirror.directory,
        "state": mirror.state,
        "behind_files": mirror.behind_files,
        "behind_bytes": mirror.behind_bytes,
        "free_bytes": mirror.free_bytes,
        "total_bytes": mirror.total_bytes,
        "fault": mirror.fault,
    })
}

/// `current, 29.1 GB free`
fn mirror_told(mirror: &Mirror) -> String {
    let state = match mirror.state.as_str() {
        "absent" => "no drive is mounted there".to_owned(),
        "behind" => {
            let files = words::count(mirror.behind_files, "file");
            format!("behind by {files}, {}", words::bytes(mirror.behind_bytes))
        }
        state => state.to_owned(),
    };
    let free = mirror.free_bytes.map_or_else(String::new, |bytes| format!(", {} free", words::bytes(bytes)));
    format!("{}: {state}{free}", mirror.directory)
}

/// What there is to say of the places beside the state directory.
fn elsewhere(storage: &GetStorageResponse) -> String {
    let mut text = String::new();
    if storage.trash_runs > 0 {
        let runs = words::count(storage.trash_runs, "run");
        text += &format!("Trash       {runs}, {} in files\n", words::bytes(storage.trash_bytes));
    }
    if let Some(mirror) = &storage.mirror {
        text += &format!("Mirror      {}\n", mirror_told(mirror));
    }
    if !storage.retention.is_empty() {
        text += &format!("Retention   {}\n", storage.retention);
    }
    text
}

fn told(storage: &GetStorageResponse) -> String {
    let files: u64 = storage.runs.iter().map(|run| run.bytes).sum();
    let free = storage.free_bytes.map_or_else(|| "not known".into(), words::bytes);
    let of = storage.total_bytes.map_or_else(String::new, |bytes| format!(" of {}", words::bytes(bytes)));
    let mut text = format!(
        "Directory   {}\nFree        {free}{of}, warns below {}\nDatabase    {}\nRuns        {}, {} in files\n",
        storage.directory,
        words::bytes(storage.min_free_bytes),
        words::bytes(storage.database_bytes),
        words::count(storage.runs.len() as u64, "run"),
        words::bytes(files),
    );
    text += &elsewhere(storage);
    if !storage.runs.is_empty() {
        let mut table = table::table(&["RUN", "STARTED", "SAMPLES", "SIZE", "LABEL"], &[2, 3]);
        for run in &storage.runs {
            table.add_row([
                run.run_id.clone(),
                words::date_of(&run.started_utc),
                run.records.to_string(),
                words::bytes(run.bytes),
                run.label.clone(),
            ]);
        }
        text += &format!("\n{}", table::written(&table));
    }
    text
}

pub async fn config(session: &CommandSession, command: ConfigCommand) -> Result<Exit, Failure> {
    match command {
        ConfigCommand::Get { key } => get(session, key.as_deref()).await,
        ConfigCommand::Check { file } => check(session, &file).await,
        ConfigCommand::Reload => reload(session).await,
    }
}

async fn get(session: &CommandSession, key: Option<&str>) -> Result<Exit, Failure> {
    let config = session.client().await?.config().await?;
    let settings: Vec<&Setting> = config.settings.iter().filter(|setting| is_meant(setting, key)).collect();
    if let (true, Some(key)) = (settings.is_empty(), key) {
        return Err(unknown(key, &config.settings));
    }
    let output = session.output;
    if output.json {
        let settings: Vec<_> = settings
            .iter()
            .map(|setting| json!({ "key": setting.key, "value": setting.value, "origin": setting.origin }))
            .collect();
        output::object(&json!({ "settings": settings, "warnings": config.warnings }))?;
    } else if output.quiet {
        settings.iter().try_for_each(|setting| output::line(&setting.value))?;
    } else {
        let mut table = table::table(&["SETTING", "VALUE", "FROM"], &[]);
        for setting in &settings {
            table.add_row([&setting.key, &setting.value, &setting.origin]);
        }
        output::bytes(table::written(&table).as_bytes())?;
        config.warnings.iter().for_each(|warning| output.note(&format!("warning: {warning}")));
    }
    Ok(Exit::DONE)
}

/// The setting itself, or one of the section.
fn is_meant(setting: &Setting, key: Option<&str>) -> bool {
    key.is_none_or(|key| setting.key == key || setting.key.strip_prefix(key).is_some_and(|rest| rest.starts_with('.')))
}

fn unknown(key: &str, settings: &[Setting]) -> Failure {
    let keys = settings.iter().map(|setting| setting.key.as_str());
    let sections = settings.iter().filter_map(|setting| Some(setting.key.rsplit_once('.')?.0));
    let hint = match suggest::nearest(key, keys.chain(sections)) {
        Some(near) => format!("did you mean {near}?"),
        None => "`gaseractl config get` lists all that are in effect".to_owned(),
    };
    Failure::new(Exit::NOT_FOUND, format!("there is no setting {key:?} in effect; {hint}"))
}

async fn check(session: &CommandSession, file: &Path) -> Result<Exit, Failure> {
    let file = planfile::file(file)?;
    let request = CheckConfigRequest { name: file.name.clone(), toml: file.toml.unwrap_or_default() };
    let verdict = session.client().await?.check_config(request).await?;
    let output = session.output;
    if output.json {
        let place = |number: u32| (number > 0).then_some(number);
        let mistakes = verdict.mistakes.iter().map(
            |mistake| json!({ "line": place(mistake.line), "column": place(mistake.column), "text": mistake.text }),
        );
        let mistakes: Vec<_> = mistakes.collect();
        output::object(&json!({ "file": file.name, "mistakes": mistakes, "warnings": verdict.warnings }))?;
    } else {
        for mistake in &verdict.mistakes {
            output::line(&match mistake.line {
                0 => format!("{}: {}", file.name, mistake.text),
                line => format!("{}:{line}:{}: {}", file.name, mistake.column, mistake.text),
            })?;
        }
        verdict.warnings.iter().for_each(|warning| output.note(&format!("warning: {warning}")));
        if verdict.mistakes.is_empty() {
            output.note("the configuration is valid");
        }
    }
    Ok(if verdict.mistakes.is_empty() { Exit::DONE } else { Exit::USAGE })
}

async fn reload(session: &CommandSession) -> Result<Exit, Failure> {
    let reloaded = session.client().await?.reload_config().await?;
    let output = session.output;
    if output.json {
        let all = |changes: &[SettingChange]| {
            let change = |change: &SettingChange| json!({ "key": change.key, "was": change.was, "is": change.is });
            changes.iter().map(change).collect::<Vec<_>>()
        };
        output::object(&json!({
            "changed": all(&reloaded.changed),
            "needs_restart": all(&reloaded.needs_restart),
            "warnings": reloaded.warnings,
        }))?;
        return Ok(Exit::DONE);
    }
    let mut table = table::table(&["SETTING", "WAS", "IS", "EFFECT"], &[]);
    let effects = [(&reloaded.changed, "now"), (&reloaded.needs_restart, "after a restart")];
    for (change, effect) in effects.iter().flat_map(|(changes, effect)| changes.iter().map(move |one| (one, *effect))) {
        let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".into());
        table.add_row([change.key.clone(), value(&change.was), value(&change.is), effect.into()]);
    }
    if table.is_empty() {
        output.note("nothing is other than before");
    } else if !output.quiet {
        output::bytes(table::written(&table).as_bytes())?;
    }
    reloaded.warnings.iter().for_each(|warning| output.note(&format!("warning: {warning}")));
    Ok(Exit::DONE)
}
