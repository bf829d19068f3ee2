//! The chart of the page in a real browser: a run watched to its end, a week of samples, a page that stays open.
//!
//! As in `dashboard.rs`, what is looked at stands in `tests/dashboard/`.

use std::env;
use std::io::Write as _;

use serde_json::Value;

use super::lab::{Design, Lab};
use super::readers::{Reader, Tools};

fn page(lab: &Lab) -> String {
    format!("http://{}/", lab.address())
}

fn step(name: &'static str) -> impl Fn(&Value) -> bool {
    move |line| line["step"] == name
}

fn measure(lab: &Lab, plan: &[&str]) {
    let done = lab.ctl(&[&["start"], plan].concat());
    assert_eq!(done.exit, 0, "{done:?}");
}

fn say(told: &[Value], name: &'static str) {
    let line = told.iter().find(|line| line["step"] == name);
    let _ = writeln!(std::io::stderr(), "{}", line.map_or_else(String::new, Value::to_string));
}

#[test]
fn a_run_is_watched_to_its_end_and_its_chart_zooms_hides_remembers_and_gives_files() {
    let Some(tools) = Tools::find() else { return };
    let lab = Lab::new(&Design::default());
    let mut look = Reader::look(&tools, "chart.mjs", &[&page(&lab)]);
    look.until(step("open"));
    measure(&lab, &["--channels", "1-3", "--purge", "60s", "--measure", "150s"]);
    look.until(step("stored"));
    measure(&lab, &["--channels", "1-3", "--purge", "60s", "--measure", "1h"]);
    look.wait();
}

#[test]
fn a_week_of_31_channels_is_loaded_and_scrolled_without_holding_the_page_up() {
    let Some(tools) = Tools::find() else { return };
    let lab = Lab::new(&Design::default());
    measure(&lab, &["--channels", "1", "--purge", "6s", "--measure", "20s", "--wait"]);
    let run: Value = serde_json::from_str(&lab.ctl(&["runs", "show", "last", "--json"]).stdout).unwrap();
    let id = run["run"]["id"].as_str().or(run["id"].as_str()).or(run["run_id"].as_str()).unwrap();
    let (_, told) = Reader::look(&tools, "week.mjs", &[&page(&lab), id]).wait();
    say(&told, "scrolled");
}

/// `GASERA_DAY=1` looks on for a simulated day, a minute and a half; otherwise for three hours of it.
#[test]
fn what_an_open_page_holds_does_not_grow() {
    let Some(tools) = Tools::find() else { return };
    let lab = Lab::new(&Design { scale: 1000, ..Design::default() });
    let last = if env::var_os("GASERA_DAY").is_some() { "1400" } else { "180" };
    let mut look = Reader::look(&tools, "day.mjs", &[&page(&lab), "40", last]);
    look.until(step("open"));
    measure(&lab, &["--channels", "1-8", "--repeats", "1000", "--purge", "60s", "--measure", "150s"]);
    let (_, told) = look.wait();
    say(&told, "held");
}
