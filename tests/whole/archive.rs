//! What a run leaves behind, as real processes leave it: the folder with all that is known, checks, a backup, drift.

use std::fs;
use std::path::{Path, PathBuf};

use gasera::simulator::gas::known_gas;
use rusqlite::Connection;
use serde_json::Value;

use super::lab::{Design, Lab};

const SETTINGS: &str = "\
[channels.1]
label = \"barn, north\"
area_m2 = 0.25
[channels.2]
label = \"span gas\"
kind = \"span\"
reference = { CO2 = 400.0 }
[gases.NH3]
formula = \"Ammonia\"
name = \"Ammonia of the barn\"
[site]
name = \"Barn 4\"
license = \"CC-BY-4.0\"
";

/// A lab in which a run of two channels is over; gives its folder.
fn measured() -> (Lab, PathBuf) {
    let lab = Lab::new(&Design { store: SETTINGS, ..Design::default() });
    let plan = ["start", "--channels", "1-2", "--purge", "2m", "--measure", "5m", "--wait"];
    assert_eq!(lab.ctl(&plan).exit, 0);
    let folder = lab.ask(&["runs", "show", "last"])["folder"].as_str().unwrap().to_owned();
    (lab, folder.into())
}

fn text(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn the_folder_of_a_real_run_says_all_that_is_known() {
    let (lab, folder) = measured();
    let package: Value = serde_json::from_str(&text(&folder, "datapackage.json")).unwrap();
    assert_eq!(package["site"]["name"], "Barn 4");
    assert!(!package["instrument"]["serial_number"].as_str().unwrap().is_empty(), "{:#}", package["instrument"]);
    let task = &package["task"]["parameters"];
    assert!(task["name"] == "DEFAULT" && !task["parameters"]["gases"].as_array().unwrap().is_empty(), "{task:#}");
    assert_eq!(package["simulated"], false, "the instruments of this test are processes of their own");
    assert_eq!(package["contributors"][0]["title"].as_str().map(|who| who.contains("ada")), Some(true));
    assert!(text(&folder, "samples.csv").lines().next().unwrap().contains(",ammonia_ppm,"));
    assert!(text(&folder, "channels.csv").contains("\n2,span gas,span,,,,,,,,,,,400\n"));
    assert_eq!(text(&folder, "visits.csv").lines().count(), 3);
    let events = lab.events_to_the_end_of(package["id"].as_str().unwrap());
    let shown = events.iter().find(|event| event["type"] == "live_data").unwrap();
    let labels = shown["data"]["components"].to_string();
    assert!(labels.contains("Ammonia of the barn (Ammonia, 7664-41-7)"), "{labels}");
    let gases = lab.ask(&["runs", "verify", "last"]);
    assert_eq!((&gases["differences"], &gases["files"]), (&Value::Array(vec![]), &6.into()));
    assert_eq!(gases["doubts"], Value::Array(vec![]));
}

#[test]
fn every_question_to_the_analyzer_is_in_the_log_with_its_reply() {
    let (mut lab, folder) = measured();
    end(&mut lab);
    let log = text(&folder, "raw.aklog");
    let missing = log.lines().filter_map(|line| line.strip_prefix("# ")?.split(' ').next()?.parse::<usize>().ok());
    // The run may end between a question and its reply.
    let unseen = 1 + missing.sum::<usize>();
    for code in ["STAM", "AMST", "ACON", "STPM", "ATSP"] {
        let sent = log.lines().filter(|line| line.contains(&format!(" > \\x02 {code}"))).count();
        let replied = log.lines().filter(|line| line.contains(" < ") && line.contains(&format!(" {code} "))).count();
        assert!(sent > 0 && replied + unseen >= sent, "{code}: {sent} sent, {replied} replied");
    }
    assert!(log.lines().all(|line| line.split(' ').count() > 3), "no half line");
}

/// The daemon has written all that it will.
fn end(lab: &mut Lab) {
    let daemon = lab.daemon.take().unwrap();
    assert_eq!(daemon.terminate().exit, 0);
}

#[test]
fn what_is_kept_is_checked_and_what_is_wrong_is_told_with_exit_1() {
    let (lab, folder) = measured();
    let checked = lab.ask(&["storage", "check"]);
    assert_eq!(
        (&checked["runs"], &checked["files"], &checked["faults"]),
        (&1.into(), &6.into(), &Value::Array(vec![]))
    );
    let rows = text(&folder, "samples.csv");
    fs::write(folder.join("samples.csv"), rows.replacen("exact", "right", 1)).unwrap();
    let done = lab.ctl(&["storage", "check"]);
    assert_eq!(done.exit, 1, "{done:?}");
    assert!(done.stdout.contains("samples.csv is not what the database gives"), "{done:?}");
    assert_eq!(lab.ctl(&["storage", "check", "--without-files"]).exit, 0);
}

#[test]
fn a_backup_is_made_while_it_measures_and_another_daemon_takes_it_up() {
    let (mut lab, _folder) = measured();
    let under_way = lab.begin(&["start", "--channels", "1-2", "--measure", "20m", "--wait"]);
    lab.events(None).until(|event| event["type"] == "live_data");
    let copy = lab.path("copy.sqlite").display().to_string();
    let told = lab.ask(&["storage", "backup", &copy]);
    assert_eq!((&told["runs"], told["bytes"].as_u64()), (&2.into(), fs::metadata(&copy).ok().map(|about| about.len())));
    assert!(told["files"].as_u64() >= Some(12), "{told}");
    let left: Vec<_> = fs::read_dir(lab.state("")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().starts_with("backup")), "{left:?}");
    drop(under_way);

    end(&mut lab);
    fs::remove_dir_all(lab.path("state")).unwrap();
    fs::create_dir(lab.path("state")).unwrap();
    fs::rename(&copy, lab.path("state/state.sqlite")).unwrap();
    let runs: i64 = Connection::open(lab.path("state/state.sqlite"))
        .unwrap()
        .query_row("SELECT count(*) FROM runs WHERE ended IS NULL", [], |row| row.get(0))
        .unwrap();
    assert_eq!(runs, 1, "the run was under way");
    lab.start_daemon();
    assert_eq!(lab.ask(&["runs"])["runs"].as_array().unwrap().len(), 2);
    assert_eq!(lab.ask(&["storage", "check", "--without-files"])["faults"], Value::Array(vec![]));
}

#[test]
fn drift_is_what_was_measured_beside_what_is_known() {
    let (lab, _folder) = measured();
    let told = lab.ask(&["runs", "drift"]);
    let point = &told["points"][0];
    assert_eq!((&point["gas"], &point["channel"], &point["kind"]), (&"CO2".into(), &2.into(), &"span".into()));
    let known = known_gas(2).iter().find(|(cas, _)| *cas == "124-38-9").unwrap().1;
    let (mean, n) = (point["mean_ppm"].as_f64().unwrap(), point["n"].as_u64().unwrap());
    assert!(n >= 3 && (mean / known - 1.0).abs() < 0.05, "{point}: {known} is on the line");
    assert!((point["deviation_ppm"].as_f64().unwrap() - (mean - 400.0)).abs() < 1e-9);
    assert_eq!((&told["trends"][0]["runs"], &told["trends"][0]["slope_ppm_per_day"]), (&1.into(), &Value::Null));
    assert_eq!(lab.ask(&["runs", "drift", "--since", "2999-01-01"])["points"], Value::Array(vec![]));
    let words = lab.ctl(&["runs", "drift", "last"]);
    assert!(words.exit == 0 && words.stdout.contains("2 span gas  span"), "{words:?}");
}

#[test]
fn a_record_that_attribution_would_give_to_another_channel_is_listed_with_both() {
    let (mut lab, _folder) = measured();
    end(&mut lab);
    let database = Connection::open(lab.path("state/state.sqlite")).unwrap();
    let first = "SELECT min(seq) FROM records WHERE channel = 1 AND good = 1";
    let seq: u32 = database.query_row(first, [], |row| row.get(0)).unwrap();
    let tampered =
        database.execute("UPDATE records SET channel = 2, flags = '[\"gap\"]' WHERE seq = ?", [seq]).unwrap();
    assert_eq!(tampered, 1);
    drop(database);
    lab.start_daemon();
    let done = lab.ctl(&["runs", "verify", "last", "--json"]);
    assert_eq!(done.exit, 1, "{done:?}");
    let verdict: Value = serde_json::from_str(&done.stdout).unwrap();
    let change = |was: &str, now: &str| serde_json::json!([{ "seq": seq, "was": was, "now": now }]);
    assert_eq!(verdict["changes"], change("exact channel 2 good [gap]", "exact channel 1 good []"));
    let told = lab.ctl(&["runs", "verify", "last", "--attribution"]).stdout;
    assert!(told.contains("\nSEQ  KEPT AS"), "{told}");
}

#[test]
fn a_record_whose_gas_exchange_the_log_contradicts_is_doubted() {
    let (mut lab, _folder) = measured();
    end(&mut lab);
    let database = Connection::open(lab.path("state/state.sqlite")).unwrap();
    let last = "SELECT max(seq) FROM records WHERE good = 1";
    let seq: u32 = database.query_row(last, [], |row| row.get(0)).unwrap();
    // As if its result were of the iteration before.
    let tampered = "UPDATE records SET (exchange_from, exchange_until) =
        (SELECT exchange_from, exchange_until FROM records AS before WHERE before.seq = records.seq - 1) WHERE seq = ?";
    assert_eq!(database.execute(tampered, [seq]).unwrap(), 1);
    drop(database);
    lab.start_daemon();
    let done = lab.ctl(&["runs", "verify", "last", "--json"]);
    let verdict: Value = serde_json::from_str(&done.stdout).unwrap();
    let doubt = verdict["doubts"][0].as_str().unwrap_or_default();
    assert!(doubt.starts_with(&format!("sample {seq} is of channel ")), "{verdict}");
    assert!(
        doubt.ends_with("another gas exchange began and ended between its own and the first reply with its result")
    );
    assert_eq!(verdict["doubts"].as_array().unwrap().len(), 1, "{verdict}");
}
