//! Completion in real shells against a daemon that answers, and the manual.

use std::io::ErrorKind;
use std::path::Path;
use std::process::Command;

use gasera::proto;

use super::fake::{Fake, Script};
use super::support::{gaseractl, run};

fn fake() -> Fake {
    let started =
        |id: &str| proto::Run { id: id.into(), started_utc: "2026-01-15T08:00:00Z".into(), ..Default::default() };
    let task = |id, name: &str| proto::Task { id, name: name.into(), ..Default::default() };
    Fake::new(Script {
        runs: vec![started("01KBRUN"), started("01KARUN")],
        tasks: proto::ListTasksResponse {
            tasks: vec![task(11, "DEFAULT"), task(7, "Calibration task")],
            ..Default::default()
        },
        plans: vec![proto::StoredPlan { name: "weekly".into(), ..Default::default() }],
        ..Script::default()
    })
}

/// Where the readers are installed, so are the shells.
fn may_be_missing() -> bool {
    std::env::var_os("GASERA_READERS").is_none()
}

/// What a script says in a shell that has loaded the completions, after something else; `None` where there is no such
/// shell.
fn within(shell: &str, fake: &Fake, before: &str, script: &str) -> Option<Vec<String>> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("completions");
    std::fs::write(&file, run(&["completions", shell]).stdout).unwrap();
    let binaries = Path::new(env!("CARGO_BIN_EXE_gaseractl")).parent().unwrap();
    let path = format!("{}:/usr/local/bin:/usr/bin:/bin", binaries.display());
    let script = format!("{before}\nsource {}\n{script}", file.display());
    let mut command = Command::new(shell);
    command
        .env_clear()
        .env("PATH", path)
        .env("GASERACTL_ENDPOINT", &fake.unix)
        .env("TZ", "UTC")
        .env("HOME", folder.path());
    let output = command.current_dir(folder.path()).args(["-c", &script]).output();
    let output = match output {
        Ok(output) => output,
        Err(error) if error.kind() == ErrorKind::NotFound && shell != "bash" && may_be_missing() => return None,
        Err(error) => panic!("{shell}: {error}"),
    };
    assert!(output.status.success(), "{shell}: {output:?}");
    Some(String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect())
}

#[test]
fn bash_completes_commands_runs_tasks_and_plans() {
    let script = r#"
try() { COMP_WORDS=("$@"); COMP_CWORD=$(( $# - 1 )); _gaseractl 2>/dev/null; echo "${COMPREPLY[*]}"; }
try gaseractl ru
try gaseractl runs show ''
try gaseractl start --task = D
try gaseractl start --task ''
try gaseractl start we
complete -p gaseractl
"#;
    let said = within("bash", &fake(), "", script).unwrap();
    assert_eq!(said[..2], ["runs", "last 01KBRUN 01KARUN"]);
    assert_eq!(said[2..5], ["DEFAULT", r"DEFAULT Calibration\ task", "weekly"]);
    assert!(said[5].ends_with("-F _gaseractl gaseractl"), "{said:?}");
}

#[test]
fn fish_completes_commands_runs_and_tasks_with_what_they_are() {
    let script =
        "complete -C 'gaseractl ru'; complete -C 'gaseractl runs show 01KB'; complete -C 'gaseractl start --task=C'";
    let Some(said) = within("fish", &fake(), "", script) else { return };
    assert_eq!(said[0], "runs\tList, show, follow, export and verify runs");
    assert!(said[1].starts_with("01KBRUN\t2026-01-15 08:00:00 UTC"), "{said:?}");
    assert_eq!(said[2..], ["--task=Calibration task\ttask 7"]);
}

#[test]
fn zsh_completes_commands_and_runs() {
    // In place of the completion system, which works at a prompt only.
    let around = r#"
compdef() { :; }
_files() { :; }
_describe() { print -l -- "${(@P)3}" }
"#;
    let tries = r#"
try() { words=("$@"); CURRENT=$#; _gaseractl }
try gaseractl runs sh
try gaseractl runs show 01KB
"#;
    let Some(said) = within("zsh", &fake(), around, tries) else { return };
    assert_eq!(said[0], "show:One run and its visits");
    assert!(said[1].starts_with("01KBRUN:2026-01-15 08:00:00 UTC"), "{said:?}");
}

#[test]
fn the_script_for_bash_is_clean() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gaseractl.bash");
    std::fs::write(&file, run(&["completions", "bash"]).stdout).unwrap();
    let output = match Command::new("shellcheck").args(["-s", "bash"]).arg(&file).output() {
        Ok(output) => output,
        Err(error) if error.kind() == ErrorKind::NotFound && may_be_missing() => return,
        Err(error) => panic!("shellcheck: {error}"),
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn a_daemon_that_is_away_or_mute_costs_nothing_but_its_names() {
    let mute = Fake::new(Script { mute: true, ..Script::default() });
    for endpoint in ["unix:/nonexistent/g.sock", &mute.unix] {
        let done = run(&["complete-words", "fish", "--endpoint", endpoint, "--", "runs", "show", ""]);
        assert_eq!((done.exit, done.stdout.as_str(), done.stderr.as_str()), (0, "", ""), "{endpoint}");
    }
    let fake = fake();
    let done = run(&["complete-words", "bash", "--", "runs", "show", "--endpoint", &fake.unix, "la"]);
    assert_eq!(done.stdout, "last\tthe newest run\n", "{done:?}");
    let done = run(&["complete-words", "bash", "--", "--endpoint", &fake.unix, "runs", "show", "01KA"]);
    assert!(done.stdout.starts_with("01KARUN\t"), "{done:?}");
}

#[test]
fn the_manual_is_one_page_or_one_for_each_command() {
    let page = run(&["man"]).stdout;
    assert!(page.contains(".TH gaseractl 1") && page.contains(".SH NAME") && page.contains("Exit codes"), "{page}");
    let folder = tempfile::tempdir().unwrap();
    let done = run(&["man", "--dir", folder.path().to_str().unwrap()]);
    assert_eq!(done.exit, 0, "{done:?}");
    for name in ["gaseractl.1", "gaseractl-start.1", "gaseractl-runs-show.1", "gaseractl-doctor-purge-test.1"] {
        let page = std::fs::read_to_string(folder.path().join(name)).unwrap();
        assert!(page.contains(&format!(".TH {} 1", name.trim_end_matches(".1"))), "{name}: {page}");
    }
    assert!(!folder.path().join("gaseractl-complete-words.1").exists());
    let done = gaseractl().args(["man", "--dir", "/nonexistent"]).output().unwrap();
    assert_eq!(done.status.code(), Some(1));
}
