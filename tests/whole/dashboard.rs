//! The page that gaserad serves, in a real browser: a headless Chromium looks at a daemon that measures.
//!
//! What is looked at stands in `tests/dashboard/`, a script per story; what happens meanwhile stands here. The browser's
//! tools are installed with the readers (`tests/readers/install`).

use std::env;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use rustix::process::Signal;
use serde_json::Value;

use super::hostile::House;
use super::lab::{Design, Lab};
use super::readers::{Reader, Tools};

const RESUME: &str = "on_restart = \"resume\"\nmax_outage = \"30d\"";
const MARKUP: &str = "<img src=x onerror=window.ran=1>";
const SCRIPT: &str = "</textarea><script>window.ran=1</script>";

fn page(lab: &Lab) -> String {
    format!("http://{}/", lab.address())
}

fn step(name: &'static str) -> impl Fn(&Value) -> bool {
    move |line| line["step"] == name
}

fn measure(lab: &Lab, more: &[&str]) {
    let plan = ["start", "--channels", "1-3", "--purge", "6s", "--measure", "20s"];
    let done = lab.ctl(&[&plan[..], more].concat());
    assert_eq!(done.exit, 0, "{done:?}");
}

/// They need no browser.
#[test]
fn what_the_page_works_out_is_right() {
    if Command::new("node").arg("--version").output().is_err() {
        assert!(env::var_os("CI").is_none(), "there is no node");
        let _ = writeln!(std::io::stderr(), "NOT TESTED: what the page works out. It takes node, version 20 or newer");
        return;
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dashboard/unit");
    let files = fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path());
    let files: Vec<_> = files.filter(|path| path.to_string_lossy().ends_with(".test.mjs")).collect();
    assert!(files.len() > 5, "only {files:?}");
    let done = Command::new("node").arg("--test").args(files).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stdout));
}

#[test]
fn tabs_share_a_connection_where_there_are_no_shared_workers() {
    let Some(tools) = Tools::find() else { return };
    let lab = Lab::new(&Design::default());
    let mut look = Reader::look(&tools, "tabs.mjs", &[&page(&lab), "without workers"]);
    look.until(step("both"));
    measure(&lab, &["--repeats", "1000"]);
    look.until(step("one"));
    assert_eq!(lab.ctl(&["abort"]).exit, 0);
    look.wait();
}

#[test]
fn an_analyzer_that_is_lost_within_a_run_is_shown_as_lost_and_as_back() {
    let Some(tools) = Tools::find() else { return };
    let lab = Lab::new(&Design { analyzer: "grace = \"12h\"", ..Design::default() });
    measure(&lab, &["--repeats", "1000"]);
    let mut look = Reader::look(&tools, "lost.mjs", &[&page(&lab)]);
    look.until(step("measuring"));
    lab.freeze();
    look.until(step("lost"));
    lab.thaw();
    look.wait();
}

#[test]
fn the_page_keeps_to_its_policy_and_nothing_inline_runs_in_it() {
    let Some(tools) = Tools::find() else { return };
    let lab = Lab::new(&Design::default());
    measure(&lab, &["--wait"]);
    Reader::look(&tools, "policy.mjs", &[&page(&lab)]).wait();
}

#[test]
fn the_page_is_accessible_in_each_view_and_color_and_size() {
    let Some(tools) = Tools::find() else { return };
    let lab = Lab::new(&Design::default());
    Reader::look(&tools, "accessible.mjs", &[&page(&lab), "before the first run"]).wait();
    measure(&lab, &["--wait"]);
    let long = ["--repeats", "1000"];
    measure(&lab, &long);
    Reader::look(&tools, "accessible.mjs", &[&page(&lab), "within a run"]).wait();
}

#[test]
fn who_may_give_no_orders_has_nothing_to_give_them_with() {
    let Some(tools) = Tools::find() else { return };
    let house = House::new();
    let url = format!("http://{}/", house.http);
    Reader::look(&tools, "rights.mjs", &[&url, &house.viewer, &house.operator]).wait();
}

#[test]
fn what_people_and_devices_write_stays_text() {
    let Some(tools) = Tools::find() else { return };
    let store = "[channels.1]\nlabel = \"<img src=x onerror=window.ran=1>\"";
    let lab = Lab::new(&Design { store, ..Design::default() });
    measure(&lab, &["--label", SCRIPT, "--note", MARKUP]);
    assert_eq!(lab.ctl(&["note", SCRIPT]).exit, 0);
    assert_eq!(lab.ctl(&["abort"]).exit, 0);
    Reader::look(&tools, "markup.mjs", &[&page(&lab), MARKUP, SCRIPT]).wait();
}

#[test]
fn a_daemon_that_is_restarted_within_a_run_leaves_no_gap_in_the_page() {
    let Some(tools) = Tools::find() else { return };
    let mut lab = Lab::new(&Design { store: RESUME, ..Design::default() });
    lab.keep_port();
    let mut look = Reader::look(&tools, "restart.mjs", &[&page(&lab)]);
    look.until(step("open"));
    measure(&lab, &["--repeats", "3"]);
    look.until(step("measuring"));
    let daemon = lab.daemon.take().unwrap();
    daemon.signal(Signal::KILL);
    daemon.wait();
    look.until(step("lost"));
    lab.start_daemon();
    look.wait();
}

#[test]
fn an_analyzer_that_is_away_is_shown_as_away() {
    let Some(tools) = Tools::find() else { return };
    let lab = Lab::unseen(&Design { elsewhere: Some("127.0.0.1:1".into()), ..Design::default() });
    Reader::look(&tools, "offline.mjs", &[&page(&lab)]).wait();
}

#[test]
fn two_tabs_have_one_connection() {
    let Some(tools) = Tools::find() else { return };
    let lab = Lab::new(&Design::default());
    let mut look = Reader::look(&tools, "tabs.mjs", &[&page(&lab)]);
    look.until(step("both"));
    measure(&lab, &["--repeats", "1000"]);
    look.until(step("one"));
    assert_eq!(lab.ctl(&["abort"]).exit, 0);
    look.wait();
}

#[test]
fn the_page_is_light() {
    let Some(tools) = Tools::find() else { return };
    let lab = Lab::new(&Design::default());
    let (_, told) = Reader::look(&tools, "weight.mjs", &[&page(&lab)]).wait();
    let loaded = told.iter().find(|line| line["step"] == "loaded").unwrap();
    let _ =
        writeln!(std::io::stderr(), "the page takes {} bytes; painted after {} ms", loaded["bytes"], loaded["paint"]);
}
