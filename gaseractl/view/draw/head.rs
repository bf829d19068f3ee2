//! How the run stands: the upper lines of the view, and the few lines of a very small one.

use std::time::Duration;

use gasera::domain::{Channel, Status};
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::theme::Theme;
use super::{short, wrap};
use crate::output::Paint;
use crate::view::screen::{Badge, Screen};
use crate::view::words;

const LABEL: usize = 10;
const CELL: usize = 4;
/// A long list of runs that wait does not push everything else away.
const MOST_WAITING: usize = 3;

/// All that there is to say of the run and the instruments.
pub fn lines(screen: &Screen, now: Duration, width: usize, theme: Theme) -> Vec<Line<'static>> {
    let mut lines = vec![header(screen, now, width, theme)];
    let Some(status) = screen.status() else {
        lines.push(Line::styled("Waiting for gaserad to say how things stand", theme.dim()));
        return lines;
    };
    let time = screen.model.now(now);
    lines.push(Line::from(short(&run(status), width)));
    lines.push(phase(status, &words::until(status.until, time), width, theme));
    lines.extend(why(screen, status, width, theme));
    if status.run.is_some() {
        lines.push(progress(status, width, theme));
    }
    let channels: Vec<Channel> = (1..=status.multiplexer.channels).filter_map(Channel::new).collect();
    lines.extend(grid(screen, status, ("Channels  ", &channels), width, theme));
    lines.extend(instruments(status, width, theme));
    lines.extend(waiting(status, width));
    lines
}

/// Why there is no news, or else what is waited for. With a run under way there is always such a line, so that nothing jumps.
fn why(screen: &Screen, status: &Status, width: usize, theme: Theme) -> Option<Line<'static>> {
    if let Some(why) = screen.trouble() {
        return Some(labeled("Link", why, width, theme.doubtful()));
    }
    let shown = status.run.is_some() || !status.waiting_for.is_empty();
    shown.then(|| labeled("Why", &status.waiting_for, width, theme.plain()))
}

/// What matters most, in so many columns and rows.
pub fn brief(screen: &Screen, now: Duration, (width, height): (usize, usize), theme: Theme) -> Vec<Line<'static>> {
    let mut lines = vec![header(screen, now, width, theme)];
    let Some(status) = screen.status() else { return lines };
    let time = screen.model.now(now);
    lines.push(phase(status, "", width, theme));
    if let Some(until) = status.until {
        lines.push(Line::from(short(&words::until(Some(until), time), width)));
    }
    if status.run.is_some() {
        let percent = format!(" {:>3} %", status.progress.overall_percent);
        let bar = bar(status.progress.overall_percent, width.saturating_sub(percent.len()));
        lines.push(Line::from(vec![Span::styled(bar, theme.busy()), Span::raw(percent)]));
    }
    if let Some(alarm) = screen.alarms.front() {
        let age = words::age(words::between(alarm.at, time));
        lines.push(Line::styled(short(&format!("{age} ago {}", alarm.text), width), theme.severity(alarm.severity)));
    }
    if let Some(data) = screen.history.latest() {
        let age = words::age(words::between(data.sampled, time));
        let place = words::attribution(data.attribution, data.channel);
        lines.push(Line::from(short(&format!("{place}, {age} ago: {}", words::readings(data)), width)));
    }
    let planned = status.run.as_ref().map(|run| run.plan.channels()).unwrap_or_default();
    let grid = grid(screen, status, ("", planned), width, theme);
    if lines.len() + grid.len() <= height {
        lines.extend(grid);
    }
    lines
}

fn header(screen: &Screen, now: Duration, width: usize, theme: Theme) -> Line<'static> {
    let (badge, style) = badge(&screen.badge(now), theme);
    let simulated = screen.status().is_some_and(|status| status.simulated);
    let simulated = if simulated { "  simulated" } else { "" };
    let clock = screen.status().map_or_else(String::new, |_| words::clock(screen.model.now(now)));
    let name = if width < 60 { "" } else { "gaserad  " };
    let taken = name.len() + badge.chars().count() + simulated.len() + clock.chars().count() + 4;
    let endpoint = short(&screen.endpoint, width.saturating_sub(taken));
    let endpoint = if endpoint.chars().count() < 12 { String::new() } else { endpoint };
    let space = width.saturating_sub(taken - 2 + endpoint.chars().count());
    Line::from(vec![
        Span::styled(name, theme.bold()),
        Span::styled(badge, style),
        Span::raw(format!("  {endpoint}{simulated}{}", " ".repeat(space))),
        Span::styled(clock, theme.dim()),
    ])
}

fn badge(badge: &Badge, theme: Theme) -> (String, Style) {
    match badge {
        Badge::Connected => ("● connected".into(), theme.good()),
        Badge::Stale(silent) => (format!("● stale for {}", words::lasting(*silent)), theme.doubtful()),
        Badge::Reconnecting(wait) if wait.as_secs() == 0 => ("○ reconnecting".into(), theme.doubtful()),
        Badge::Reconnecting(wait) => (format!("○ reconnecting in {}", words::lasting(*wait)), theme.doubtful()),
        Badge::Polling => ("○ polling".into(), theme.doubtful()),
        Badge::Disconnected => ("○ disconnected".into(), theme.bad()),
    }
}

fn run(status: &Status) -> String {
    match (&status.run, &status.last_run) {
        (Some(run), _) => {
            let plan = &run.plan;
            let label = if plan.label.is_empty() { String::new() } else { format!(" \"{}\"", short(&plan.label, 24)) };
            let who = if plan.operator.is_empty() { String::new() } else { format!(" by {}", plan.operator) };
            format!("Run {}{label}{who}: {}", run.id, words::plan(plan))
        }
        (None, Some(run)) => {
            let outcome = run.outcome.map(|outcome| gasera::domain::event::outcome_sentence(outcome, &run.reason));
            format!("No run is under way; the last, {}, {}", run.id, outcome.as_deref().unwrap_or("ended"))
        }
        (None, None) => "No run is under way".into(),
    }
}

fn phase(status: &Status, until: &str, width: usize, theme: Theme) -> Line<'static> {
    let doing = capital(words::doing(status.phase));
    let parts = [String::new(), words::place(status), until.to_owned()];
    let place = parts.into_iter().enumerate().filter(|(number, part)| *number == 0 || !part.is_empty());
    let place = place.map(|(_, part)| part).collect::<Vec<_>>().join(", ");
    let place = short(&place, width.saturating_sub(doing.len()));
    Line::from(vec![Span::styled(doing, theme.phase(status.phase)), Span::raw(place)])
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}

fn labeled(label: &str, text: &str, width: usize, style: Style) -> Line<'static> {
    Line::styled(short(&format!("{label:<LABEL$}{text}"), width), style)
}

fn bar(percent: u32, width: usize) -> String {
    let full = width * usize::try_from(percent.min(100)).unwrap_or(0) / 100;
    format!("{}{}", "█".repeat(full), "░".repeat(width - full))
}

/// Both bars, which visit it is, and how long it takes: of the repeat first, then of the run.
fn progress(status: &Status, width: usize, theme: Theme) -> Line<'static> {
    let progress = &status.progress;
    let visit = (progress.step_index + 1).min(progress.total_steps.max(1));
    let total = progress.tt_seconds.map_or_else(String::new, |total| format!(" TT {}", words::seconds(total)));
    let times = format!("  ET {}{total}", words::seconds(progress.elapsed_seconds));
    let visits = format!("  visit {visit}/{}", progress.total_steps);
    let [repeat, overall] = [progress.percent, progress.overall_percent].map(|percent| format!("{percent:>4} %"));
    let labels = ["Repeat    ", "  Run "];
    let taken = [&times, &visits, &repeat, &overall, labels[0], labels[1]].map(str::len).iter().sum::<usize>();
    let bars = (width.saturating_sub(taken) / 2).min(40);
    Line::from(vec![
        Span::raw(labels[0]),
        Span::styled(bar(progress.percent, bars), theme.busy()),
        Span::raw(repeat),
        Span::raw(labels[1]),
        Span::styled(bar(progress.overall_percent, bars), theme.busy()),
        Span::raw(overall),
        Span::raw(times),
        Span::raw(visits),
    ])
}

fn grid(
    screen: &Screen,
    status: &Status,
    (label, channels): (&str, &[Channel]),
    width: usize,
    theme: Theme,
) -> Vec<Line<'static>> {
    let cell = |channel: &Channel| {
        let mark = screen.visits.mark(status, *channel);
        [Span::styled(format!("{:>2}{}", channel.number(), mark.sign()), theme.mark(mark)), Span::raw(" ")]
    };
    let per_line = (width.saturating_sub(label.len()) / CELL).max(1);
    let line = |(row, channels): (usize, &[Channel])| -> Line<'static> {
        let label = Span::raw(format!("{:<1$}", if row == 0 { label } else { "" }, label.len()));
        std::iter::once(label).chain(channels.iter().flat_map(cell)).collect()
    };
    channels.chunks(per_line).enumerate().map(line).collect()
}

fn instruments(status: &Status, width: usize, theme: Theme) -> Vec<Line<'static>> {
    let analyzer = &status.analyzer;
    let style = if analyzer.online { theme.plain() } else { theme.bad() };
    let mut lines = vec![labeled("Analyzer", &words::analyzer(analyzer), width, style)];
    if !analyzer.errors.is_empty() {
        lines.push(labeled("Errors", &words::errors(&analyzer.errors), width, theme.doubtful()));
    }
    let valve = &status.multiplexer;
    let words = format!("{:<LABEL$}{}", "Valve", words::multiplexer(valve, Paint(false)));
    if valve.fault.is_empty() {
        lines.push(Line::from(short(&words, width)));
    } else {
        lines.extend(sentence(&words, width, 2, theme.bad()));
    }
    if status.clock_synchronized == Some(false) {
        lines.push(labeled("Clock", "of the host not synchronized; see `timedatectl`", width, theme.doubtful()));
    }
    lines
}

/// The runs that begin later.
fn waiting(status: &Status, width: usize) -> Vec<Line<'static>> {
    let shown = if width < 120 { 1 } else { MOST_WAITING };
    let more = status.queued.len().saturating_sub(shown);
    let line = |(number, run)| {
        let label = if number == 0 { "Waiting" } else { "" };
        let more = if more > 0 && number + 1 == shown { format!(" (and {more} more)") } else { String::new() };
        let text = format!("{label:<LABEL$}{}", words::queued(run));
        Line::from(short(&text, width.saturating_sub(more.len())) + &more)
    };
    status.queued.iter().take(shown).enumerate().map(line).collect()
}

/// A sentence over several lines.
pub fn sentence(text: &str, width: usize, most: usize, style: Style) -> Vec<Line<'static>> {
    wrap(text, width, most).into_iter().map(|line| Line::styled(line, style)).collect()
}
