//! The lower lines of the view: what happened, and what can be pressed or is asked.

use std::time::Duration;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Paragraph};

use super::head::sentence;
use super::short;
use super::theme::Theme;
use crate::view::screen::keys::Foot;
use crate::view::screen::visits::VisitMark;
use crate::view::screen::{Screen, Tone};
use crate::view::words;

const KEYS: [(&str, &str); 8] = [
    ("p", "pause"),
    ("r", "resume"),
    ("s", "skip"),
    ("f", "finish"),
    ("a", "abort"),
    ("g", "next gas"),
    ("?", "help"),
    ("q", "quit"),
];

const HELP: [(&str, &str); 9] = [
    ("p", "pause after the sample under way"),
    ("r", "resume the paused run"),
    ("s", "skip the channel under way"),
    ("f", "finish after the channel under way"),
    ("a", "abort the run"),
    ("g", "next gas: its plot and its column"),
    ("?", "this help; any key closes it"),
    ("q", "quit; the run goes on"),
    ("^L", "draw everything anew"),
];

/// The bottom line, or a few if there is much to say.
pub fn lines(screen: &Screen, width: usize, height: usize, theme: Theme) -> Vec<Line<'static>> {
    let most = (height / 4).clamp(1, 4);
    match &screen.foot {
        Foot::Keys => match screen.unknown_gas() {
            Some(gas) => vec![Line::styled(short(&unknown(screen, gas), width), theme.doubtful())],
            None => vec![keys(width, theme)],
        },
        Foot::Confirm(order, run) => sentence(&order.question(run), width, most, theme.reversed()),
        Foot::Asking(order, run) => {
            let text = format!("gaserad is asked to {} run {run} …", order.verb());
            sentence(&text, width, most, theme.busy())
        }
        Foot::Said { text, good } => sentence(text, width, most, if *good { theme.good() } else { theme.bad() }),
    }
}

fn unknown(screen: &Screen, gas: &str) -> String {
    let measured = screen.history.gases().join(", ");
    format!("{gas} is not measured; there are {measured}: press g for the next one")
}

/// As many as fit; `?` tells of the others.
fn keys(width: usize, theme: Theme) -> Line<'static> {
    let (mut spans, mut taken) = (Vec::new(), 0);
    let few = ["?", "q", "g", "a", "p", "r", "s", "f"];
    let length = |(key, words): &(&str, &str)| key.len() + words.len() + 3;
    let shown: Vec<&str> = few
        .into_iter()
        .take_while(|key| {
            taken += KEYS.iter().find(|(known, _)| known == key).map_or(0, length);
            taken <= width + 2
        })
        .collect();
    for (key, words) in KEYS.iter().filter(|(key, _)| shown.contains(key)) {
        spans.push(Span::styled(*key, theme.bold()));
        spans.push(Span::styled(format!(" {words}  "), theme.dim()));
    }
    Line::from(spans)
}

pub fn log_title(screen: &Screen) -> String {
    match screen.alarms.len() {
        0 => " Events, no alarm ".into(),
        1 => " Events, 1 alarm ".into(),
        alarms => format!(" Events, {alarms} alarms "),
    }
}

/// The newest alarms with their age, then what else happened, the newest first.
pub fn log(screen: &Screen, now: Duration, (width, height): (usize, usize), theme: Theme) -> Vec<Line<'static>> {
    let now = screen.model.now(now);
    let alarms = screen.alarms.iter().take(height.div_ceil(2)).map(|alarm| {
        let age = words::age(words::between(alarm.at, now));
        let text = format!("{:<11}{}", format!("{age} ago"), alarm.text);
        Line::styled(short(&text, width), theme.severity(alarm.severity))
    });
    let others = screen.log.iter().filter(|line| line.name != "alarm");
    let named = if width < 120 { 13 } else { 18 };
    let others = others.map(|line| {
        let style = if line.tone == Tone::Plain { theme.dim() } else { theme.tone(line.tone) };
        let text = format!("{:<11}{:<named$} {}", line.time, line.name, line.text);
        Line::styled(short(&text, width), style)
    });
    alarms.chain(others).take(height).collect()
}

/// What each key does, and what each mark means.
pub fn help(frame: &mut Frame, area: Rect, theme: Theme) {
    let mut lines: Vec<Line> = HELP
        .iter()
        .map(|(key, words)| Line::from(vec![Span::styled(format!(" {key:>2}  "), theme.bold()), Span::raw(*words)]))
        .collect();
    lines.push(Line::styled(" Channels", theme.dim()));
    for pair in VisitMark::ALL.chunks(2) {
        let marks = pair.iter().flat_map(|mark| {
            let sign = Span::styled(format!(" 5{}", mark.sign()), theme.mark(*mark));
            [sign, Span::raw(format!(" {:<20}", mark.words()))]
        });
        lines.push(marks.collect());
    }
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(2).min(area.height);
    let width = 50.min(area.width);
    let place = Rect { x: (area.width - width) / 2, y: (area.height - height) / 2, width, height };
    frame.render_widget(Clear, place);
    frame.render_widget(Paragraph::new(lines).block(Block::bordered().title(" Help ")), place);
}
