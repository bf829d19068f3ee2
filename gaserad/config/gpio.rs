//! The rules of `[multiplexer.gpio]`: each unit has its lines, and each line has one purpose.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::keys::GpioSection;
use super::kind::{ValueKind, custom, quoted, text};
use super::section::Section;
use super::table::Keys;
use crate::domain::{GpioLine, LineAt};

/// Four lines say one of sixteen positions.
const POSITION_LINES: usize = 4;

/// The lines that lead to one unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GpioUnit {
    pub home: GpioLine,
    pub next: GpioLine,
    pub home_sensor: Option<GpioLine>,
    /// Four lines, the least significant bit first, or none.
    pub position: Vec<GpioLine>,
}

/// The keys of the lines to one unit, with what is written there: home, next, home sensor, position.
type Wires<'a> = [(&'static str, &'a [GpioLine]); 4];

impl GpioSection {
    /// One, or two of which the second leads to the last input of the first.
    pub fn units(&self) -> Vec<GpioUnit> {
        let unit = |home: &Option<GpioLine>,
                    next: &Option<GpioLine>,
                    sensor: &Option<GpioLine>,
                    position: &Option<Vec<_>>| {
            let (home, next) = (home.clone()?, next.clone()?);
            Some(GpioUnit { home, next, home_sensor: sensor.clone(), position: position.clone().unwrap_or_default() })
        };
        let first = unit(&self.home1, &self.next1, &self.home_sensor1, &self.position1);
        let second = unit(&self.home2, &self.next2, &self.home_sensor2, &self.position2);
        first.into_iter().chain(second).take(usize::from(self.units)).collect()
    }

    /// How many channels the units have.
    pub(super) fn most_channels(&self) -> u8 {
        if self.units < 2 { 16 } else { 31 }
    }

    fn wires(&self) -> [Wires<'_>; 2] {
        [
            [
                ("home1", self.home1.as_slice()),
                ("next1", self.next1.as_slice()),
                ("home_sensor1", self.home_sensor1.as_slice()),
                ("position1", self.position1.as_deref().unwrap_or_default()),
            ],
            [
                ("home2", self.home2.as_slice()),
                ("next2", self.next2.as_slice()),
                ("home_sensor2", self.home_sensor2.as_slice()),
                ("position2", self.position2.as_deref().unwrap_or_default()),
            ],
        ]
    }

    pub(super) fn checked(mut section: Section<'_>) -> Self {
        let settings = Self::read(&mut section);
        let units = settings.units;
        warn_of_number(&section, settings.chip.as_deref());
        let mut taken = Vec::new();
        for (number, wires) in (1..).zip(settings.wires()) {
            if number > units {
                if let Some((key, place)) = wires.iter().find_map(|(key, _)| Some((key, section.place_of(key)?))) {
                    section.wrong(&place, format!("{key} is for a second unit, but units is {units}"));
                }
            } else {
                for (key, _) in wires[..2].iter().filter(|(key, _)| section.place_of(key).is_none()) {
                    section.wrong_here(format!(
                        "{key} is missing; write the line's name, like \"PC8\", or its offset, like 72"
                    ));
                }
            }
            for (key, line) in wires.iter().flat_map(|(key, lines)| lines.iter().map(|line| (*key, line))) {
                check_line(&section, &mut taken, key, line);
            }
        }
        section.finish();
        settings
    }
}

/// Each line has one purpose, and it is clear which line it is.
fn check_line(section: &Section<'_>, taken: &mut Vec<(LineAt, &'static str)>, key: &'static str, line: &GpioLine) {
    let place = section.place_of(key).unwrap_or_default();
    if matches!(line.at, LineAt::Offset(_)) && section.place_of("chip").is_none() {
        section.wrong(&place, format!("{key} is offset {}, and needs chip to say of which GPIO chip", line.at));
    } else if let Some((_, other)) = taken.iter().find(|(at, _)| *at == line.at) {
        section.wrong(&place, format!("{key} is line {}, and so is {other}; each needs a line of its own", line.at));
    } else {
        taken.push((line.at.clone(), key));
    }
}

fn warn_of_number(section: &Section<'_>, chip: Option<&str>) {
    let Some(chip) = chip else { return };
    let number = chip.strip_prefix("/dev/").unwrap_or(chip).strip_prefix("gpiochip");
    if number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit())) {
        section.warn(format!(
            "{chip} may be another GPIO chip after the next restart; use its label, as gpiodetect shows it, or name \
             the lines"
        ));
    }
}

pub(super) fn chip() -> ValueKind<String> {
    text("label or path", |text| {
        if text.trim().is_empty() || text.contains('\0') {
            return Err(format!("is {text:?}; write the label of the GPIO chip, as gpiodetect shows it"));
        }
        Ok(text.to_owned())
    })
}

/// `"PC8"`, `72`, or `{ line = "PC8", active_low = true }`.
pub(super) fn line() -> ValueKind<GpioLine> {
    custom("GPIO line", read_line, written)
}

pub(super) fn lines() -> ValueKind<Vec<GpioLine>> {
    custom("list of four GPIO lines", read_lines, |lines: &Vec<GpioLine>| {
        let lines: Vec<String> = lines.iter().map(written).collect();
        format!("[{}]", lines.join(", "))
    })
}

fn written(line: &GpioLine) -> String {
    let at = match &line.at {
        LineAt::Name(name) => quoted(name),
        LineAt::Offset(offset) => offset.to_string(),
    };
    if line.active_low { format!("{{ line = {at}, active_low = true }}") } else { at }
}

fn read_line(value: &DeValue<'_>) -> Result<GpioLine, String> {
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

fn read_lines(value: &DeValue<'_>) -> Result<Vec<GpioLine>, String> {
    let items: &[Spanned<DeValue<'_>>] = value.as_array().map_or(&[], |items| items);
    if items.len() != POSITION_LINES {
        return Err("must be a list of four lines, the least significant bit first".into());
    }
    items
        .iter()
        .map(|item| read_line(item.get_ref()).map_err(|complaint| format!("has a line that {complaint}")))
        .collect()
}
