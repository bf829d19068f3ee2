//! The run folder as Frictionless sees it: `frictionless validate`, the tool itself.
//!
//! `tests/readers/install FOLDER` installs it, and `GASERA_READERS=FOLDER` says where. Without it nothing is tested here,
//! which is said on stderr; with `CI=true` that is a failure.

use std::env;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use gasera::store::Store;
use tempfile::TempDir;

use super::fixture::*;
use super::folder::{about, ended, measured};

/// What it says of the package in `folder`; `None` if it is not installed.
fn validate(folder: &Path) -> Option<(bool, String)> {
    let Some(tools) = env::var_os("GASERA_READERS") else {
        assert!(env::var_os("CI").is_none(), "GASERA_READERS does not say where frictionless is installed");
        let _ = writeln!(std::io::stderr(), "NOT TESTED: frictionless; tests/readers/install FOLDER installs it");
        return None;
    };
    let program = std::path::absolute(tools).unwrap().join("venv/bin/frictionless");
    let said =
        Command::new(program).args(["validate", "--json", "datapackage.json"]).current_dir(folder).output().unwrap();
    Some((said.status.success(), String::from_utf8_lossy(&said.stdout).into_owned()))
}

#[tokio::test]
async fn frictionless_finds_a_run_valid_while_it_is_under_way_and_when_it_is_over() {
    let directory = TempDir::new().unwrap();
    let (store, _) = Store::open(directory.path(), about()).unwrap();
    let run = measured(&store, "01KF000000000000000000000A").await;
    let folder = store.run_folder(&run);
    let Some((valid, said)) = validate(&folder) else { return };
    assert!(valid, "under way: {said}");
    ended(&store, &run).await;
    let (valid, said) = validate(&folder).unwrap();
    assert!(valid, "over: {said}");
    assert!(said.contains("samples") && said.contains("visits"), "{said}");
}

#[tokio::test]
async fn frictionless_finds_a_run_valid_that_has_nothing_yet() {
    let (_directory, store, run) = measuring().await;
    let Some((valid, said)) = validate(&store.run_folder(&run)) else { return };
    assert!(valid, "{said}");
}

#[tokio::test]
async fn frictionless_finds_what_was_changed_afterwards() {
    let directory = TempDir::new().unwrap();
    let (store, _) = Store::open(directory.path(), about()).unwrap();
    let over = ended(&store, &measured(&store, "01KF000000000000000000000A").await).await;
    let file = store.run_folder(&over).join("samples.csv");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace(",exact,", ",right,")).unwrap();
    let Some((valid, said)) = validate(file.parent().unwrap()) else { return };
    assert!(!valid, "{said}");
}
