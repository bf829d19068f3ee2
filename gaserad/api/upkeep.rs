//! The daemon about itself over gRPC: what it keeps, and how it is set up.

use super::control::{ConfigReload, ConfigVerdict, Setting, SettingChange, Storage, Upkeep};
use crate::domain::{Denied, MirrorStatus, RunSummary};
use crate::proto;

pub struct Asking<'a>(pub &'a dyn Upkeep);

impl Asking<'_> {
    pub async fn storage(&self) -> Result<proto::GetStorageResponse, Denied> {
        let told: Storage = self.0.storage().await?;
        Ok(proto::GetStorageResponse {
            directory: told.directory.display().to_string(),
            free_bytes: told.free_bytes,
            min_free_bytes: told.min_free_bytes,
            database_bytes: told.database_bytes,
            runs: told.runs.into_iter().map(size).collect(),
            faults: told.faults,
            total_bytes: told.total_bytes,
            reusable_bytes: told.reusable_bytes,
            trash_runs: told.trash.0,
            trash_bytes: told.trash.1,
            mirror: told.mirror.map(mirror),
            retention: told.retention,
        })
    }

    pub fn settings(&self) -> proto::GetConfigResponse {
        let setting = |Setting { key, value, origin }| proto::Setting { key, value, origin };
        proto::GetConfigResponse {
            settings: self.0.settings().into_iter().map(setting).collect(),
            warnings: self.0.warnings(),
        }
    }

    pub fn check(&self, request: &proto::CheckConfigRequest) -> proto::CheckConfigResponse {
        let ConfigVerdict { mistakes, warnings } = self.0.check(&request.name, &request.toml);
        let number = |number| u32::try_from(number).unwrap_or(u32::MAX);
        let mistakes = mistakes.into_iter().map(|mistake| proto::ConfigMistake {
            line: number(mistake.line),
            column: number(mistake.column),
            text: mistake.text,
        });
        proto::CheckConfigResponse { mistakes: mistakes.collect(), warnings }
    }

    pub async fn reload(&self, who: String) -> Result<proto::ReloadConfigResponse, Denied> {
        let ConfigReload { changed, needs_restart, warnings } = self.0.reload(who).await?;
        let all = |changes: Vec<SettingChange>| changes.into_iter().map(change).collect();
        Ok(proto::ReloadConfigResponse { changed: all(changed), needs_restart: all(needs_restart), warnings })
    }
}

fn change(SettingChange { key, was, is }: SettingChange) -> proto::SettingChange {
    proto::SettingChange { key, was, is }
}

fn mirror(status: MirrorStatus) -> proto::Mirror {
    proto::Mirror {
        directory: status.directory,
        state: status.state.as_str().into(),
        behind_files: status.behind_files,
        behind_bytes: status.behind_bytes,
        free_bytes: status.free_bytes,
        total_bytes: status.total_bytes,
        fault: status.fault,
    }
}

fn size((run, bytes): (RunSummary, u64)) -> proto::RunSize {
    proto::RunSize {
        run_id: run.id.0,
        label: run.plan.label,
        started_utc: run.started.to_string(),
        records: run.records,
        bytes,
    }
}
