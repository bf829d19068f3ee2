//! What every command prints with --json, against the published schema.

use std::collections::BTreeSet;

use serde_json::Value;

use super::fake::{Fake, Script};
use super::support::{run, status};
use crate::support::schema;

/// What is described elsewhere: events, and what gaserad answers as it is.
const ELSEWHERE: [&str; 5] = ["watch", "runs tail", "stream stats", "stream clients", "stream test"];
/// What prints no data.
const SILENT: [&str; 8] =
    ["runs export", "runs get", "context use", "context add", "context rm", "completions", "man", "complete-words"];

/// Fails if a line is not as the schema of the command says.
pub fn check(args: &[&str], stdout: &str) {
    let name = command(args);
    if ELSEWHERE.contains(&name.as_str()) || args.contains(&"--watch") {
        return;
    }
    for line in stdout.lines() {
        let object: Value = serde_json::from_str(line).unwrap();
        let mistakes = schema::mistakes(&format!("gaseractl {name}"), &object);
        assert!(mistakes.is_empty(), "{args:?}: {mistakes:#?}");
    }
}

/// The words that name the command: the longest that is described, or known to print nothing of its own.
fn command(args: &[&str]) -> String {
    let words: Vec<&str> = args.iter().copied().take_while(|word| !word.starts_with('-')).collect();
    let two = words.iter().take(2).copied().collect::<Vec<_>>().join(" ");
    let known = described().contains(&two) || ELSEWHERE.contains(&two.as_str()) || SILENT.contains(&two.as_str());
    if known { two } else { words.first().copied().unwrap_or_default().to_owned() }
}

fn described() -> BTreeSet<String> {
    let schema: Value = serde_json::from_str(include_str!("../../docs/json/schema.json")).unwrap();
    schema["properties"].as_object().unwrap().keys().cloned().collect()
}

/// The commands below one, as its help lists them.
fn commands(above: &str) -> Vec<String> {
    let args: Vec<&str> = above.split_whitespace().chain(["--help"]).collect();
    let help = run(&args).stdout;
    let Some((_, list)) = help.split_once("Commands:\n") else { return Vec::new() };
    let lines = list.lines().take_while(|line| !line.trim().is_empty());
    let names = lines.filter(|line| !line.starts_with("   ")).filter_map(|line| line.split_whitespace().next());
    names.map(|name| format!("{above} {name}").trim_start().to_owned()).collect()
}

#[test]
fn every_command_has_a_schema_or_none_to_have() {
    let described = described();
    let mut leaves = 0;
    for command in commands("") {
        let below = commands(&command);
        let leaf = if below.is_empty() { vec![command] } else { below };
        for name in leaf {
            leaves += 1;
            let known = described.contains(&name) || ELSEWHERE.contains(&name.as_str());
            assert!(known || SILENT.contains(&name.as_str()), "{name} is not in docs/json/schema.json");
        }
    }
    assert!(leaves > 35, "{leaves}");
}

#[test]
fn what_commands_print_is_as_the_schema_says() {
    let status = serde_json::to_string(&status(None, None, 7)).unwrap();
    let fake = Fake::new(Script { status, ..Script::default() });
    for args in [
        &["status"][..],
        &["start"],
        &["start", "--dry-run"],
        &["abort"],
        &["pause"],
        &["resume"],
        &["skip"],
        &["finish"],
        &["note", "x"],
        &["runs"],
        &["runs", "list"],
        &["plan", "list"],
        &["analyzer", "info"],
        &["analyzer", "tasks"],
        &["analyzer", "errors"],
        &["analyzer", "clock"],
        &["analyzer", "ak", "ASTS"],
        &["mux", "where"],
        &["mux", "home"],
        &["mux", "accept"],
        &["analyzer", "accept"],
        &["storage"],
        &["config", "get"],
    ] {
        let done = run(&[args, &["--json", "--endpoint", &fake.unix]].concat());
        assert_eq!((done.exit, done.stdout.lines().count()), (0, 1), "{args:?} {done:?}");
    }
}

#[test]
fn a_property_that_is_not_described_is_found() {
    let wrong = serde_json::json!({ "run_id": "a", "waited": 1, "more": 2 });
    assert_eq!(schema::mistakes("gaseractl abort", &wrong).len(), 2);
    assert_eq!(schema::mistakes("gaseractl nothing", &wrong).len(), 1);
}
