//! watch on a terminal, over a restart of the daemon.

use rustix::process::Signal;

use super::lab::{Design, Lab};
use crate::support::terminal::Terminal;

#[test]
fn the_view_says_that_the_daemon_is_gone_and_goes_on_when_it_is_back() {
    let mut lab = Lab::new(&Design { store: "on_restart = \"resume\"\nmax_outage = \"30d\"", ..Design::default() });
    let start = ["start", "--channels", "1-3", "--repeats", "500", "--purge", "20s", "--measure", "2m"];
    assert_eq!(lab.ctl(&start).exit, 0);
    let run = lab.ask(&["status"])["run"]["id"].as_str().unwrap().to_owned();
    lab.events(Some(0)).until(|event| event["type"] == "live_data");
    let mut view = Terminal::run(lab.gaseractl(&["watch", "--color", "never", "--reconnect-delay", "200ms"]), 80, 24);
    let shown = view.until(|shown| shown.contains("● connected") && shown.contains("CH    AGE"));
    assert!(shown.contains(&format!("Run {run}")), "{shown}");

    let daemon = lab.daemon.take().unwrap();
    daemon.signal(Signal::TERM);
    daemon.wait();
    view.until(|shown| shown.contains("○ reconnecting") && shown.contains("connection lost"));
    lab.start_daemon();
    let shown = view.until(|shown| shown.contains("● connected"));
    assert!(shown.contains(&format!("Run {run}")) && shown.contains("CH    AGE"), "{shown}");
    view.until_shown("run_interrupted");

    view.press("a");
    view.until_shown("Abort run");
    view.press("y");
    view.until_shown(&format!("No run is under way; the last, {run}, aborted"));
    view.press("q");
    let (code, left) = view.wait();
    assert_eq!((code, left.trim()), (Some(0), ""));
    lab.assert_idle();
}
