//! Whole pictures, compared with golden files; with `BLESS=1` in the environment they are written instead.

use std::path::PathBuf;
use std::process::Command;

use gasera::domain::event::LiveData;
use gasera::domain::status::QueuedRun;
use gasera::domain::{Attribution, Channel, Event, Flag, Outcome, Phase, RunId, Severity, Status, Utc, VisitId};
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::*;
use crate::stream::reconnect::ReconnectState;
use crate::view::model::tests::{notice, run_summary, status};
use crate::view::screen::keys::{Act, Key};
use crate::view::screen::tests::{phase, result, screen};

const THEME: Theme = Theme { color: false };
const NOW: Duration = Duration::from_secs(5);

fn picture(screen: &Screen, now: Duration, (width, height): (u16, u16)) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(frame, screen, now, THEME)).unwrap();
    let buffer = terminal.backend().buffer();
    let row = |y| (0..width).map(|x| buffer[(x, y)].symbol()).collect::<String>().trim_end().to_owned() + "\n";
    (0..height).map(row).collect()
}

fn golden(name: &str, text: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(format!("{name}.txt"));
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(text == expected, "{} differs; if that is meant, bless it with BLESS=1:\n{text}", path.display());
}

/// Times are local: the test of this name runs once more where that is UTC.
fn in_utc(name: &str, test: impl FnOnce()) {
    if std::env::var("TZ").is_ok_and(|zone| zone == "UTC") {
        return test();
    }
    let mut again = Command::new(std::env::current_exe().unwrap());
    again.args([&format!("view::draw::tests::{name}"), "--exact", "--nocapture"]).env("TZ", "UTC");
    let output = again.output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && told.contains("1 passed"), "{told}");
}

/// A run that had a few troubles.
fn eventful() -> Screen {
    let mut status = status();
    status.multiplexer.channels = 31;
    status.multiplexer.model = "EMHMA-CE".into();
    status.queued.push(QueuedRun {
        run_id: RunId("01KAHNEXT".into()),
        label: "barn south".into(),
        who: "ada".into(),
        begins: Some(Utc::from_micros(3_600_000_000)),
    });
    let mut screen = screen(&status);
    let mut seq = 40;
    let mut tell = |event: Event| {
        seq += 1;
        let notice = notice(&event, seq);
        screen.apply(&notice, Duration::ZERO);
        if !matches!(event, Event::LiveData(_)) {
            screen.tell(&notice);
        }
    };
    tell(Event::RunStarted { run: run_summary() });
    for channel in 1..=3 {
        let id = u32::from(channel);
        tell(Event::Phase(phase(Phase::Purging, Phase::Switching, channel, id)));
        tell(Event::Phase(phase(Phase::Measuring, Phase::Purging, channel, id)));
        for sample in 0..3 {
            let flags = if channel == 2 { vec![Flag::Purge, Flag::Carryover] } else { Vec::new() };
            let (discard, visit_id) = (channel == 2, Some(VisitId(id)));
            tell(Event::LiveData(LiveData { discard, flags, visit_id, ..result(id * 3 - 2 + sample, channel) }));
        }
    }
    tell(Event::LiveData(LiveData { channel: None, attribution: Attribution::Mixed, ..result(0, 2) }));
    let text = "the valve came 3.2 s too late for the schedule, which goes on from there".to_owned();
    tell(Event::Alarm { severity: Severity::Warning, code: "schedule_slipped".into(), text, run_id: None });
    screen.model.know(&status, Duration::ZERO);
    screen
}

#[test]
fn a_run_looks_as_it_should_on_terminals_of_all_sizes() {
    in_utc("a_run_looks_as_it_should_on_terminals_of_all_sizes", || {
        for size in [(80, 24), (200, 60), (40, 10)] {
            golden(&format!("watch_{}x{}", size.0, size.1), &picture(&eventful(), NOW, size));
        }
    });
}

#[test]
fn what_is_asked_said_and_helped_with_looks_as_it_should() {
    in_utc("what_is_asked_said_and_helped_with_looks_as_it_should", || {
        let mut screen = eventful();
        let lost = ReconnectState::Reconnecting { wait: Duration::from_secs(8), why: "gaserad is restarting".into() };
        screen.link(lost, "connection lost: gaserad is restarting; trying again in 8.0 s", Duration::ZERO);
        screen.press(Key::Char('a'));
        golden("watch_confirm", &picture(&screen, NOW, (80, 24)));
        let Act::Order(order, run) = screen.press(Key::Char('y')) else { panic!("{:?}", screen.foot) };
        let refusal =
            "ada is a viewer and may look, not act; an operator may, see [auth] in the configuration of gaserad";
        screen.answered(order, &run, Err(refusal.into()), NOW);
        golden("watch_refused", &picture(&screen, NOW, (80, 24)));
        screen.press(Key::Char('?'));
        golden("watch_help", &picture(&screen, NOW, (80, 24)));
    });
}

#[test]
fn a_daemon_with_nothing_to_do_looks_as_it_should() {
    in_utc("a_daemon_with_nothing_to_do_looks_as_it_should", || {
        let run = gasera::domain::RunSummary {
            outcome: Some(Outcome::Completed),
            reason: "every visit has a good sample".into(),
            ..run_summary()
        };
        let idle = Status { run: None, last_run: Some(run), phase: Phase::Idle, until: None, ..status() };
        let idle = Status { waiting_for: String::new(), ..idle };
        golden("watch_idle", &picture(&screen(&idle), Duration::from_secs(30), (80, 24)));
    });
}

#[test]
fn no_terminal_is_too_small_or_too_large() {
    let mut screens = [eventful(), Screen::new(String::new(), None), screen(&status())];
    for screen in &mut screens {
        screen.help = true;
        for width in [1, 2, 7, 20, 39, 59, 60, 61, 79, 81, 131, 400] {
            for height in [1, 2, 3, 9, 17, 18, 19, 23, 25, 90] {
                picture(screen, NOW, (width, height));
                screen.help = !screen.help;
            }
        }
    }
}

#[test]
fn the_fullest_view_keeps_room_for_readings_events_and_keys() {
    let mut status = status();
    status.multiplexer.channels = 31;
    status.multiplexer.fault = "the valve does not answer ".repeat(9);
    status.waiting_for = "the analyzer to come back online ".repeat(9);
    status.analyzer.errors = vec!["8001".into(); 9];
    status.clock_synchronized = Some(false);
    let mut screen = screen(&status);
    screen.history.add(&result(1, 3));
    let picture = picture(&screen, NOW, (80, 24));
    for text in
        [" Readings, ppm ", "   3  2m25s", " Events, no alarm ", "q quit", "Clock     of the host not synchronized"]
    {
        assert!(picture.contains(text), "{text:?} is not in\n{picture}");
    }
}

#[test]
fn the_gas_that_was_chosen_is_plotted_and_has_a_column() {
    let mut screen = eventful();
    for gas in ["CH4", "N2O", "NH3", "H2O", "CO2"] {
        screen.press(Key::Char('g'));
        let picture = picture(&screen, NOW, (80, 24));
        let title = format!(" {gas}, the line is channel 3 ");
        assert!(picture.contains(&title), "{title:?} is not in\n{picture}");
        let heading = picture.lines().find(|line| line.starts_with("  CH    AGE")).unwrap();
        assert!(heading.contains(gas), "{gas} is not in {heading}");
    }
}

#[test]
fn silence_is_told_in_the_badge() {
    let screen = eventful();
    assert!(picture(&screen, Duration::from_secs(11), (80, 24)).contains("● connected"));
    assert!(picture(&screen, Duration::from_secs(12), (80, 24)).contains("● stale for 12s"));
}

#[test]
fn without_colors_nothing_is_colored() {
    let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
    let screen = eventful();
    let plain = |color| {
        terminal.draw(|frame| draw(frame, &screen, NOW, Theme { color })).unwrap();
        let cells = &terminal.backend().buffer().content;
        cells.iter().all(|cell| cell.fg == ratatui::style::Color::Reset && cell.bg == ratatui::style::Color::Reset)
    };
    assert_eq!([true, false].map(plain), [false, true]);
}

#[test]
fn marks_tell_purging_from_done_and_empty() {
    let screen = eventful();
    let picture = picture(&screen, NOW, (80, 24));
    assert!(picture.contains("Channels   1+  2?  3*  4.  5   6   7.  8 "), "{picture}");
    let mark = screen.visits.mark(screen.status().unwrap(), Channel::new(2).unwrap());
    assert_eq!(mark.words(), "left, result awaited");
}
