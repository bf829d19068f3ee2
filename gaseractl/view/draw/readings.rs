//! The latest result of each channel: how old it is, its gases, and what is to be known of it.

use std::time::Duration;

use gasera::domain::event::LiveData;
use gasera::domain::{Attribution, Qc, Utc};
use ratatui::text::{Line, Span};

use super::short;
use super::theme::Theme;
use crate::view::screen::Screen;
use crate::view::words;

/// Channel and age.
const LEFT: usize = 12;
const GAS: usize = 8;
const NOTE: usize = 12;

/// What it takes to show so many gases.
pub fn width(gases: usize) -> u16 {
    u16::try_from(LEFT + gases * GAS + NOTE * 2).unwrap_or(u16::MAX)
}

pub fn title(screen: &Screen, height: usize) -> String {
    let order = if fits(screen, height) { "" } else { ", newest first" };
    let unit = screen.history.latest().map_or("ppm", |data| data.units.as_str());
    format!(" Readings, {unit}{order} ")
}

/// Below the title stand the names of the gases.
fn fits(screen: &Screen, height: usize) -> bool {
    screen.history.by_channel().len() + 2 <= height
}

/// What stands there as long as there are no readings.
pub fn none(screen: &Screen, theme: Theme) -> Line<'static> {
    let text = match screen.status() {
        Some(status) if status.run.is_some() => "The first result of this run is still to come",
        Some(_) => "No result is known; `gaseractl start` starts a measurement",
        None => "",
    };
    Line::styled(text, theme.dim())
}

/// A heading, and a line for each channel.
pub fn lines(screen: &Screen, now: Duration, (width, height): (usize, usize), theme: Theme) -> Vec<Line<'static>> {
    let Some((chosen, gases)) = screen.gas() else { return Vec::new() };
    let mut results = screen.history.by_channel();
    let notes = if results.iter().any(|data| !note(data).is_empty()) { NOTE } else { 0 };
    let shown = visible(&gases, chosen, width.saturating_sub(LEFT + notes) / GAS);
    let mut heading = vec![Span::styled(format!("{:>4}{:>7} ", "CH", "AGE"), theme.dim())];
    for gas in shown {
        let style = if *gas == gases[chosen] { theme.bold() } else { theme.dim() };
        heading.push(Span::styled(format!("{:>GAS$}", short(gas, GAS - 1)), style));
    }
    if results.len() + 1 > height {
        results.sort_by_key(|data| std::cmp::Reverse(data.sampled));
    }
    let now = screen.model.now(now);
    let lines = results.into_iter().map(|data| result(data, shown, now, width, theme));
    std::iter::once(Line::from(heading)).chain(lines).take(height).collect()
}

/// So many gases, the chosen one among them.
fn visible(gases: &[String], chosen: usize, most: usize) -> &[String] {
    let most = most.clamp(1, gases.len());
    let first = (chosen + 1).saturating_sub(most);
    &gases[first..first + most]
}

fn result(data: &LiveData, shown: &[String], now: Utc, width: usize, theme: Theme) -> Line<'static> {
    let counts = !data.discard && data.attribution == Attribution::Exact;
    let style = if counts { theme.plain() } else { theme.dim() };
    let channel = match (data.attribution, data.channel) {
        (Attribution::Exact, Some(channel)) => channel.to_string(),
        _ => "-".into(),
    };
    let age = words::age(words::between(data.sampled, now));
    let mut text = format!("{channel:>4}{:>7} ", short(&age, 6));
    for gas in shown {
        let component = data.components.iter().find(|component| component.formula == *gas);
        let value = component.map_or_else(String::new, |component| words::ppm(component.ppm));
        let mark = if component.is_some_and(|component| component.discard) { "x" } else { "" };
        text += &format!("{:>GAS$}", format!("{value}{mark}"));
    }
    let room = width.saturating_sub(text.chars().count() + 2);
    let note = Span::styled(format!("  {}", short(&note(data), room)), doubt(data, theme));
    Line::from(vec![Span::styled(text, style), note])
}

/// Whose it is if it is nobody's, and its flags.
fn note(data: &LiveData) -> String {
    let whose = if data.attribution == Attribution::Exact { "" } else { data.attribution.as_str() };
    let flags = data.flags.iter().map(|flag| flag.as_str());
    let parts: Vec<&str> = std::iter::once(whose).chain(flags).filter(|part| !part.is_empty()).collect();
    // What is not used is dim; only where nothing tells why, it is said.
    if parts.is_empty() && data.discard { "discarded".into() } else { parts.join(", ") }
}

fn doubt(data: &LiveData, theme: Theme) -> ratatui::style::Style {
    if data.qc == Qc::Bad { theme.bad() } else { theme.doubtful() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chosen_gas_is_always_among_those_shown() {
        let gases: Vec<String> = ["CO2", "CH4", "N2O", "NH3", "H2O"].map(Into::into).into();
        for most in 0..7 {
            for chosen in 0..gases.len() {
                let shown = visible(&gases, chosen, most);
                assert!(shown.contains(&gases[chosen]), "{chosen} of {most}");
                assert_eq!(shown.len(), most.clamp(1, 5));
            }
        }
    }
}
