//! `[multiplexer.gpio]`: units that are told by pulses, and the lines that lead to them.

use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::section::Section;
use super::settings::{Gpio, GpioUnit};
use crate::domain::{GpioLine, LineAt};

const MILLISECOND: Duration = Duration::from_millis(1);
const LONGEST_PULSE: Duration = Duration::from_secs(5);
const LONGEST_TRAVEL: Duration = Duration::from_secs(60);
/// Four lines say one of sixteen positions.
const POSITION_LINES: usize = 4;

/// The keys of the lines to one unit: home, next, home sensor, position.
const KEYS: [[&str; 4]; 2] =
    [["home1", "next1", "home_sensor1", "position1"], ["home2", "next2", "home_sensor2", "position2"]];

/// `None` where the section is missing or does not say which lines.
pub(super) fn settings(mut section: Section<'_>, warnings: &mut Vec<String>) -> Option<Gpio> {
    let there = section.is_there();
    let chip = section.checked("chip", |text| chip(text, warnings));
    let chip_given = section.place_of("chip").is_some();
    let units = section.integer("units", 2, 1..=2);
    let pulse = section.duration("pulse", Duration::from_millis(50), MILLISECOND..=LONGEST_PULSE);
    let gap = section.duration("gap", Duration::from_millis(30), MILLISECOND..=LONGEST_PULSE);
    let travel = section.duration("travel", Duration::from_secs(1), Duration::ZERO..=LONGEST_TRAVEL);
    let mut lines = Lines { chip_given, taken: Vec::new() };
    let mut wired = Vec::new();
    for (number, keys) in (1..).zip(KEYS) {
        let unit = lines.unit(&mut section, keys, number <= units);
        if number <= units {
            wired.push(unit);
        } else if let Some((key, place)) = keys.iter().find_map(|key| Some((key, section.place_of(key)?))) {
            section.wrong(&place, format!("{key} is for a second unit, but units is {units}"));
        }
    }
    section.finish();
    let units = wired.into_iter().collect::<Option<Vec<_>>>()?;
    there.then_some(Gpio { chip, units, pulse, gap, travel })
}

/// How many channels so many units have.
pub(super) const fn most_channels(units: usize) -> u32 {
    if units < 2 { 16 } else { 31 }
}

fn chip(text: &str, warnings: &mut Vec<String>) -> Result<String, String> {
    if text.trim().is_empty() || text.contains('\0') {
        return Err(format!("is {text:?}; write the label of the GPIO chip, as gpiodetect shows it"));
    }
    let number = text.strip_prefix("/dev/").unwrap_or(text).strip_prefix("gpiochip");
    if number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit())) {
        warnings.push(format!(
            "{text} may be another GPIO chip after the next restart; use its label, as gpiodetect shows it, or name \
             the lines"
        ));
    }
    Ok(text.to_owned())
}

struct Lines {
    chip_given: bool,
    taken: Vec<(LineAt, &'static str)>,
}

impl Lines {
    /// `None` where a line that must be there is missing or wrong.
    fn unit(&mut self, section: &mut Section<'_>, keys: [&'static str; 4], wanted: bool) -> Option<GpioUnit> {
        let [home, next, home_sensor, position] = keys;
        let outputs = [home, next].map(|key| {
            if wanted && section.is_there() && section.place_of(key).is_none() {
                section.wrong_here(format!(
                    "{key} is missing; write the line's name, like \"PC8\", or its offset, like 72"
                ));
            }
            section.read(key, line).filter(|line| self.fits(section, key, line))
        });
        let home_sensor = section.read(home_sensor, line).filter(|line| self.fits(section, home_sensor, line));
        let bits = section.read(position, lines).unwrap_or_default();
        let position = bits.into_iter().filter(|line| self.fits(section, position, line)).collect();
        let [home, next] = outputs;
        Some(GpioUnit { home: home?, next: next?, home_sensor, position })
    }

    /// Each line has one purpose, and it is clear which line it is.
    fn fits(&mut self, section: &Section<'_>, key: &'static str, line: &GpioLine) -> bool {
        let place = section.place_of(key).unwrap_or_default();
        if matches!(line.at, LineAt::Offset(_)) && !self.chip_given {
            section.wrong(&place, format!("{key} is offset {}, and needs chip to say of which GPIO chip", line.at));
            return false;
        }
        if let Some((_, other)) = self.taken.iter().find(|(at, _)| *at == line.at) {
            section
                .wrong(&place, format!("{key} is line {}, and so is {other}; each needs a line of its own", line.at));
            return false;
        }
        self.taken.push((line.at.clone(), key));
        true
    }
}

/// `"PC8"`, `72`, or `{ line = "PC8", active_low = true }`.
fn line(value: &DeValue<'_>) -> Result<GpioLine, String> {
    if let Some(table) = value.as_table() {
        return inverted(table);
    }
    Ok(GpioLine { at: place(value)?, active_low: false })
}

const HOW: &str = "a line is its name, like \"PC8\", its offset, like 72, or { line = \"PC8\", active_low = true }";

fn inverted(table: &DeTable<'_>) -> Result<GpioLine, String> {
    let mut at = None;
    let mut active_low = false;
    for (key, value) in table {
        match (key.get_ref().as_ref(), value.get_ref()) {
            ("line", value) => at = Some(place(value)?),
            ("active_low", DeValue::Boolean(low)) => active_low = *low,
            ("active_low", _) => return Err("has an active_low that is neither true nor false".into()),
            (other, _) => return Err(format!("has the key {other}; {HOW}")),
        }
    }
    Ok(GpioLine { at: at.ok_or_else(|| format!("does not say which line; {HOW}"))?, active_low })
}

fn place(value: &DeValue<'_>) -> Result<LineAt, String> {
    match value {
        DeValue::String(name) if name.trim().is_empty() => Err(format!("is empty; {HOW}")),
        DeValue::String(name) if name.bytes().all(|byte| byte.is_ascii_digit()) => {
            Err(format!("is {name:?}; write an offset without quotes"))
        }
        DeValue::String(name) => Ok(LineAt::Name(name.to_string())),
        DeValue::Integer(offset) => {
            let offset = u32::from_str_radix(offset.as_str(), offset.radix());
            offset.map(LineAt::Offset).map_err(|_| "is no offset; lines are counted from 0".into())
        }
        _ => Err(format!("is no line; {HOW}")),
    }
}

fn lines(value: &DeValue<'_>) -> Result<Vec<GpioLine>, String> {
    let items: &[Spanned<DeValue<'_>>] = value.as_array().map_or(&[], |items| items);
    if items.len() != POSITION_LINES {
        return Err("must be a list of four lines, the least significant bit first".into());
    }
    items.iter().map(|item| line(item.get_ref()).map_err(|complaint| format!("has a line that {complaint}"))).collect()
}
