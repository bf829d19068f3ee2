//! runs: lists, one run, its records in a file.

use bytes::Bytes;
use gasera::proto::{self, GetRunResponse, PlanRequest, Run, Visit};
use tonic::Code;

use super::fake::{Fake, Script, refusal};
use super::support::{gaseractl, golden, run};
use crate::support::terminal::Terminal;

fn listed(id: &str, outcome: proto::Outcome) -> Run {
    let plan = PlanRequest {
        channels: "1-4".into(),
        repeats: Some(2),
        purge_ms: Some(6000),
        measure_ms: Some(20_000),
        task: Some("DEFAULT".into()),
        sync: proto::Sync::Analyzer.into(),
        label: "barn north".into(),
        ..PlanRequest::default()
    };
    let over = outcome != proto::Outcome::Unspecified;
    let lost = over.then(|| proto::WithoutChannel { samples: 1, why: [("pos_unverified".to_owned(), 1)].into() });
    Run {
        id: id.into(),
        plan: Some(plan),
        started_utc: "2026-01-15T08:00:00.000Z".into(),
        ended_utc: if over { "2026-01-15T08:03:37.000Z".into() } else { String::new() },
        outcome: outcome.into(),
        reason: if over { "every visit has a good sample".into() } else { String::new() },
        records: 16,
        good_records: 15,
        without_channel: lost,
        folder: "/var/lib/gaserad/runs/20260115".into(),
    }
}

fn visit(id: u32, left_utc: &str) -> Visit {
    let arrived_utc = "2026-01-15T08:00:01.000Z".into();
    Visit { id, channel: id, repeat: 1, arrived_utc, left_utc: left_utc.into(), records: 4, good_records: 3 }
}

#[test]
fn runs_are_listed_as_a_table_or_as_json() {
    let runs = vec![listed("01KAHB", proto::Outcome::Unspecified), listed("01KAHA", proto::Outcome::Completed)];
    let fake = Fake::new(Script { runs, ..Script::default() });
    let done = run(&["runs", "--endpoint", &fake.unix]);
    golden("runs", &done.stdout);
    assert_eq!(run(&["runs", "list", "--endpoint", &fake.unix]).stdout, done.stdout);
    golden("runs_json", &run(&["runs", "--json", "--endpoint", &fake.unix]).stdout);
    assert_eq!(run(&["runs", "-q", "--endpoint", &fake.unix]).stdout, "01KAHB\n01KAHA\n");
}

#[test]
fn no_runs_is_no_failure() {
    let fake = Fake::new(Script::default());
    let done = run(&["runs", "--endpoint", &fake.unix]);
    assert_eq!((done.exit, done.stdout.as_str()), (0, ""));
    assert!(done.stderr.contains("no runs yet"), "{done:?}");
    assert_eq!(run(&["runs", "--json", "--endpoint", &fake.unix]).stdout, "{\"runs\":[]}\n");
}

#[test]
fn a_run_is_shown_with_its_visits_and_notes() {
    let visits = vec![visit(1, "2026-01-15T08:00:27.000Z"), visit(2, "")];
    let mut shown = listed("01KAHA", proto::Outcome::Completed);
    let plan = shown.plan.as_mut().unwrap();
    plan.background = Some(proto::Background { channel: 8, every: 2 });
    plan.exceptions = vec![proto::ChannelPlan { channel: 3, purge_ms: Some(90_000), ..Default::default() }];
    plan.gas_discards = vec![proto::GasDiscard { cas: "7664-41-7".into(), discard_first: 2 }];
    plan.park = Some(1);
    let note = |second, who: &str, text: &str| proto::Note {
        at_utc: format!("2026-01-15T08:00:{second}.000Z"),
        who: who.into(),
        text: text.into(),
    };
    let notes = vec![note(12, "ada (user 1000)", "cows let out"), note(40, "user 1001", "two\nlines")];
    let response = GetRunResponse { run: Some(shown), visits, notes };
    let fake = Fake::new(Script { run: Ok(response), ..Script::default() });
    golden("runs_show", &run(&["runs", "show", "last", "--endpoint", &fake.unix]).stdout);
    golden("runs_show_json", &run(&["runs", "show", "last", "--json", "--endpoint", &fake.unix]).stdout);
}

#[test]
fn a_run_that_does_not_exist_is_exit_10() {
    let missing = Err(refusal(Code::NotFound, "RUN_UNKNOWN", "there is no run 01X"));
    let fake = Fake::new(Script { run: missing, ..Script::default() });
    let done = run(&["runs", "show", "01X", "--endpoint", &fake.unix]);
    assert_eq!((done.exit, done.stderr.as_str()), (10, "gaseractl: there is no run 01X\n"));
}

#[test]
fn an_export_goes_to_stdout_or_into_a_file() {
    let chunks = vec![Ok(Bytes::from("seq,channel\n")), Ok(Bytes::from("1,3\n"))];
    let fake = Fake::new(Script { chunks, ..Script::default() });
    let done = run(&["runs", "export", "last", "--endpoint", &fake.unix]);
    assert_eq!((done.exit, done.stdout.as_str(), done.stderr.as_str()), (0, "seq,channel\n1,3\n", ""));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.csv").display().to_string();
    let done = run(&["runs", "export", "last", "--format", "csv", "-o", &path, "--endpoint", &fake.unix]);
    assert_eq!((done.exit, done.stdout.as_str()), (0, ""));
    assert_eq!(done.stderr, format!("wrote {path} (16 bytes)\n"));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "seq,channel\n1,3\n");
}

#[test]
fn in_a_folder_every_table_has_the_name_that_its_tool_gives_it() {
    let fake = Fake::new(Script { chunks: vec![Ok(Bytes::from("a,b\n"))], ..Script::default() });
    let folder = tempfile::tempdir().unwrap();
    let flux = format!("{}/flux/", folder.path().display());
    let done = run(&["runs", "export", "last", "--format", "fluxible", "-o", &flux, "--endpoint", &fake.unix]);
    assert_eq!((done.exit, done.stdout.as_str()), (0, ""));
    assert_eq!(done.stderr, format!("wrote {flux}raw_conc.csv (4 bytes)\nwrote {flux}field_record.csv (4 bytes)\n"));
    let there = folder.path().display().to_string();
    let done = run(&["runs", "export", "last", "--format", "netcdf", "-o", &there, "--endpoint", &fake.unix]);
    assert_eq!((done.exit, done.stderr.as_str()), (0, format!("wrote {there}/samples.nc (4 bytes)\n").as_str()));
}

#[test]
fn what_is_nothing_to_look_at_is_not_written_to_a_terminal() {
    let fake = Fake::new(Script { chunks: vec![Ok(Bytes::from("PAR1"))], ..Script::default() });
    let mut command = gaseractl();
    command.args(["runs", "export", "last", "--format", "parquet", "--endpoint", &fake.unix]);
    let (exit, shown) = Terminal::run(command, 80, 24).wait();
    assert_eq!(exit, Some(2), "{shown}");
    assert!(shown.contains("parquet is nothing to look at") && !shown.contains("PAR1"), "{shown}");
}

#[test]
fn an_export_that_breaks_off_leaves_no_file() {
    let chunks = vec![Ok(Bytes::from("seq,channel\n")), Err(refusal(Code::Internal, "STORE", "the disk is gone"))];
    let fake = Fake::new(Script { chunks, ..Script::default() });
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.csv").display().to_string();
    let done = run(&["runs", "export", "last", "-o", &path, "--endpoint", &fake.unix]);
    assert_eq!((done.exit, done.stderr.as_str()), (1, "gaseractl: the disk is gone\n"));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    let done = run(&["runs", "export", "last", "-o", "/nonexistent/run.csv", "--endpoint", &fake.unix]);
    assert_eq!(done.exit, 1);
    assert!(done.stderr.contains("cannot write /nonexistent/run.csv: No such file or directory"), "{done:?}");
}

fn verdict(differences: &[&str]) -> proto::VerifyRunResponse {
    let differences = differences.iter().map(ToString::to_string).collect();
    proto::VerifyRunResponse { records: 16, csv_rows: 16, attributed_again: 16, differences, ..Default::default() }
}

#[test]
fn a_run_that_still_comes_out_as_it_was_is_exit_0() {
    let fake = Fake::new(Script { verdict: Ok(verdict(&[])), ..Script::default() });
    let done = run(&["runs", "verify", "01KAHA", "--endpoint", &fake.unix]);
    let told = "run 01KAHA: 16 samples, 16 rows in samples.csv, 16 attributed again: nothing differs\n";
    assert_eq!((done.exit, done.stdout.as_str(), done.stderr.as_str()), (0, told, ""));
    let done = run(&["runs", "verify", "01KAHA", "-q", "--endpoint", &fake.unix]);
    assert_eq!((done.exit, done.stdout.as_str()), (0, ""));
}

#[test]
fn what_differs_is_told_and_exit_1() {
    let differences = ["record 3 was channel 2 and now comes out as channel 3", "samples.csv lacks record 9"];
    let fake = Fake::new(Script { verdict: Ok(verdict(&differences)), ..Script::default() });
    let done = run(&["runs", "verify", "last", "--endpoint", &fake.unix]);
    assert_eq!(done.exit, 1);
    let told = done.stdout.lines().collect::<Vec<_>>();
    assert!(told[0].ends_with(": 2 differences") && told[1] == format!("  {}", differences[0]), "{told:?}");
    let done = run(&["runs", "verify", "last", "--json", "--endpoint", &fake.unix]);
    let object: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!((&object["csv_rows"], &object["differences"][1]), (&16.into(), &differences[1].into()));
    assert_eq!(done.exit, 1);
}

#[test]
fn what_contradicts_a_record_is_told_beside_what_differs() {
    let doubts = vec!["record 7 is of channel 2, but …".to_owned()];
    let fake =
        Fake::new(Script { verdict: Ok(proto::VerifyRunResponse { doubts, ..verdict(&[]) }), ..Script::default() });
    let done = run(&["runs", "verify", "01KAHA", "--endpoint", &fake.unix]);
    let told = "nothing differs, 1 doubt\n  doubtful: record 7 is of channel 2, but …\n";
    assert!(done.stdout.ends_with(told), "{done:?}");
    assert_eq!(done.exit, 0, "a doubt is no proof");
    let done = run(&["runs", "verify", "01KAHA", "--json", "--endpoint", &fake.unix]);
    let object: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(object["doubts"][0], "record 7 is of channel 2, but …");
}

#[test]
fn each_record_that_would_be_another_now_is_listed_if_it_is_asked_for() {
    let change = |seq, was: &str, now: &str| proto::Change { seq, was: was.into(), now: now.into() };
    let changes =
        vec![change(3, "exact channel 2 good []", "mixed no channel not good [pos_changed]"), change(9, "x", "")];
    let found = proto::VerifyRunResponse { changes, ..verdict(&["record 3 is kept as …"]) };
    let fake = Fake::new(Script { verdict: Ok(found), ..Script::default() });
    let done = run(&["runs", "verify", "last", "--attribution", "--endpoint", &fake.unix]);
    let told: Vec<&str> = done.stdout.lines().skip(2).collect();
    let rows = [
        "SEQ  KEPT AS                  NOW",
        "  3  exact channel 2 good []  mixed no channel not good [pos_changed]",
        "  9  x                        -",
    ];
    assert_eq!((done.exit, told), (1, rows.to_vec()));
    let done = run(&["runs", "verify", "last", "--json", "--endpoint", &fake.unix]);
    let object: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!((&object["changes"][0]["seq"], &object["changes"][1]["now"]), (&3.into(), &"".into()));
}

#[test]
fn all_runs_that_have_ended_are_verified() {
    let runs = ["01KAHC", "01KAHB", "01KAHA"].map(|id| listed(id, proto::Outcome::Completed));
    let mut runs = runs.to_vec();
    runs[0].outcome = proto::Outcome::Unspecified.into();
    let fake = Fake::new(Script { verdict: Ok(verdict(&[])), runs: runs.clone(), ..Script::default() });
    let done = run(&["runs", "verify", "--endpoint", &fake.unix]);
    assert_eq!((done.exit, done.stdout.lines().count()), (0, 2), "{done:?}");
    assert_eq!(done.stderr, "run 01KAHC is under way; verify it when it has ended\n");
    let broken = Err(refusal(Code::Internal, "INTERNAL", "its facts cannot be read"));
    let fake = Fake::new(Script { verdict: broken, runs, ..Script::default() });
    let done = run(&["runs", "verify", "--endpoint", &fake.unix]);
    assert_eq!((done.exit, fake.calls()), (1, ["ListRuns", "VerifyRun", "VerifyRun"].map(Into::into).to_vec()));
}
