//! The daemon about itself.

use super::super::{ConfigReload, ConfigVerdict, Setting, SettingChange, Storage, Upkeep};
use super::*;
use crate::domain::{MirrorState, MirrorStatus};

pub struct House;

impl Upkeep for House {
    fn storage(&self) -> BoxFuture<'_, Result<Storage, Denied>> {
        let storage = Storage {
            directory: "/var/lib/gaserad".into(),
            free_bytes: Some(5000),
            min_free_bytes: 6000,
            database_bytes: 700,
            runs: vec![(run("01JRUN"), 80)],
            faults: vec!["there is little room".into()],
            trash: (2, 90),
            mirror: Some(MirrorStatus { state: MirrorState::Behind, behind_files: 3, ..MirrorStatus::default() }),
            ..Storage::default()
        };
        Box::pin(async move { Ok(storage) })
    }

    fn settings(&self) -> Vec<Setting> {
        vec![Setting { key: "analyzer.poll".into(), value: "\"1s\"".into(), origin: "default".into() }]
    }

    fn warnings(&self) -> Vec<String> {
        vec!["the valve is simulated".into()]
    }

    fn check(&self, name: &str, text: &str) -> ConfigVerdict {
        let text = format!("{name} says {text:?}");
        ConfigVerdict { mistakes: vec![PlanMistake { line: 2, column: 3, text }], warnings: Vec::new() }
    }

    fn reload(&self, who: String) -> BoxFuture<'_, Result<ConfigReload, Denied>> {
        let change = SettingChange { key: "plan.purge".into(), was: None, is: Some(who) };
        Box::pin(async move { Ok(ConfigReload { changed: vec![change], ..ConfigReload::default() }) })
    }
}

#[tokio::test]
async fn the_daemon_tells_what_it_keeps_and_how_it_is_set_up() {
    let daemon = Daemon::start().await;
    let mut client = daemon.grpc().await;
    let storage = client.get_storage(proto::GetStorageRequest {}).await.unwrap().into_inner();
    assert_eq!((storage.directory.as_str(), storage.free_bytes), ("/var/lib/gaserad", Some(5000)));
    assert_eq!((storage.runs[0].run_id.as_str(), storage.runs[0].bytes), ("01JRUN", 80));
    assert_eq!(storage.faults, ["there is little room"]);
    assert_eq!((storage.trash_runs, storage.trash_bytes), (2, 90));
    let mirror = storage.mirror.unwrap();
    assert_eq!((mirror.state.as_str(), mirror.behind_files), ("behind", 3));
    let config = client.get_config(proto::GetConfigRequest {}).await.unwrap().into_inner();
    assert_eq!((config.settings[0].key.as_str(), config.settings[0].value.as_str()), ("analyzer.poll", "\"1s\""));
    assert_eq!(config.warnings, ["the valve is simulated"]);
    let reloaded = client.reload_config(proto::ReloadConfigRequest { operator: "ada".into() }).await.unwrap();
    let reloaded = reloaded.into_inner();
    let change = (reloaded.changed[0].key.as_str(), reloaded.changed[0].was.is_none());
    assert_eq!((change, reloaded.needs_restart.len()), (("plan.purge", true), 0));
    assert!(reloaded.changed[0].is.as_deref().unwrap().starts_with("ada ("), "who asks is noted");
    let request = proto::CheckConfigRequest { name: "a.toml".into(), toml: "x".into() };
    let mistakes = client.check_config(request).await.unwrap().into_inner().mistakes;
    assert_eq!((mistakes[0].line, mistakes[0].column, mistakes[0].text.as_str()), (2, 3, "a.toml says \"x\""));
}
