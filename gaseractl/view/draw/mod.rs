//! The live view as a picture. The same knowledge at the same time gives the same picture; nothing here is kept.

mod foot;
mod head;
mod plot;
mod readings;
mod theme;

use std::time::Duration;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::Line;
use ratatui::widgets::{Block, Borders, Paragraph};

use super::screen::Screen;
pub use theme::Theme;

/// Below this there is no place for tables and pictures.
const SMALLEST: (u16, u16) = (60, 18);
/// What a plot takes to be readable.
const PLOT_ROWS: u16 = 9;
const MOST_LOG_ROWS: u16 = 16;

/// Draws everything.
pub fn draw(frame: &mut Frame, screen: &Screen, now: Duration, theme: Theme) {
    let area = frame.area();
    let foot = foot::lines(screen, usize::from(area.width), usize::from(area.height), theme);
    let [body, bottom] = Layout::vertical([Constraint::Min(0), Constraint::Length(rows(&foot))]).areas(area);
    if (area.width, area.height) < SMALLEST || area.height < SMALLEST.1 {
        frame.render_widget(Paragraph::new(head::brief(screen, now, size(body), theme)), body);
    } else {
        whole(frame, screen, now, body, theme);
    }
    frame.render_widget(Paragraph::new(foot), bottom);
    if screen.help {
        foot::help(frame, area, theme);
    }
}

fn whole(frame: &mut Frame, screen: &Screen, now: Duration, area: Rect, theme: Theme) {
    let lines = head::lines(screen, now, usize::from(area.width), theme);
    let rest = area.height.saturating_sub(rows(&lines));
    let log = (rest / 3).clamp(3, MOST_LOG_ROWS);
    let parts = [Constraint::Length(rows(&lines)), Constraint::Min(0), Constraint::Length(log)];
    let [top, middle, bottom] = Layout::vertical(parts).areas(area);
    frame.render_widget(Paragraph::new(lines), top);
    results(frame, screen, now, middle, theme);
    let inner = titled(frame, bottom, foot::log_title(screen), theme);
    frame.render_widget(Paragraph::new(foot::log(screen, now, size(inner), theme)), inner);
}

/// The table of readings, and beside it as many plots as there is room for.
fn results(frame: &mut Frame, screen: &Screen, now: Duration, area: Rect, theme: Theme) {
    let Some((chosen, gases)) = screen.gas() else {
        let inner = titled(frame, area, " Readings ".into(), theme);
        return frame.render_widget(Paragraph::new(readings::none(screen, theme)), inner);
    };
    let table = readings::width(gases.len()).min(area.width * 3 / 5);
    let [left, gutter, right] =
        Layout::horizontal([Constraint::Length(table), Constraint::Length(1), Constraint::Min(0)]).areas(area);
    titled(frame, gutter, String::new(), theme);
    let inner = titled(frame, left, readings::title(screen, size(left).1), theme);
    frame.render_widget(Paragraph::new(readings::lines(screen, now, size(inner), theme)), inner);
    let fits = usize::from((right.height / PLOT_ROWS).max(1)).min(gases.len());
    let areas = Layout::vertical(vec![Constraint::Fill(1); fits]).split(right);
    for (number, area) in areas.iter().enumerate() {
        let gas = &gases[(chosen + number) % gases.len()];
        let inner = titled(frame, *area, plot::title(screen, gas), theme);
        plot::draw(frame, screen, gas, now, inner, theme);
    }
}

/// Draws a rule with a title, and returns what is below it.
fn titled(frame: &mut Frame, area: Rect, title: String, theme: Theme) -> Rect {
    let block = Block::new().borders(Borders::TOP).border_style(theme.dim()).title(title).title_style(theme.bold());
    let inner = block.inner(area);
    frame.render_widget(block, area);
    inner
}

fn rows(lines: &[Line]) -> u16 {
    u16::try_from(lines.len()).unwrap_or(u16::MAX)
}

fn size(area: Rect) -> (usize, usize) {
    (area.width.into(), area.height.into())
}

/// At most `width` characters; what is cut ends with `…`.
fn short(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

/// At most `most` lines of at most `width` characters, cut between words where it can be.
fn wrap(text: &str, width: usize, most: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let full = lines.last().is_some_and(|line| line.chars().count() + word.chars().count() + 1 > width);
        if full && lines.len() < most {
            lines.push("  ".to_owned());
        }
        if let Some(line) = lines.last_mut() {
            if !line.trim().is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines.iter().map(|line| short(line, width)).collect()
}

#[cfg(test)]
mod tests;
