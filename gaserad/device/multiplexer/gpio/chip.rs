//! Lines of GPIO chips through the kernel's character device: found by name, or by chip and offset, taken once.
//!
//! A chip's number (`gpiochip0`) may differ after a restart, so chips go by their label. When the lines are given
//! back, their levels are the chip's own business: only a pull-down resistor makes sure that they stay inactive.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use gpiocdev::chip::Chip;
use gpiocdev::line::{Offset, Value};
use gpiocdev::request::Request;
use gpiocdev_uapi as uapi;

use super::lines::{Input, Lines, OutputLines};
use crate::domain::{Fault, FaultKind, GpioLine, LineAt};

const CONSUMER: &str = "gaserad";

/// Which line does what.
#[derive(Debug, Clone)]
pub struct Wiring {
    /// A label, a path, or a name like `gpiochip0`; without it lines are looked for on all chips.
    pub chip: Option<String>,
    pub outputs: BTreeMap<OutputLines, GpioLine>,
    pub inputs: BTreeMap<Input, GpioLine>,
}

impl Wiring {
    /// As people know it.
    pub fn place(&self) -> String {
        let lines: Vec<String> = self.outputs.values().map(|line| line.at.to_string()).collect();
        let chip = self.chip.as_deref().map_or_else(|| "GPIO".to_owned(), |chip| format!("GPIO chip {chip}"));
        format!("{chip} (lines {})", lines.join(", "))
    }
}

/// Where a line was found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct FoundLine {
    chip: PathBuf,
    offset: Offset,
}

/// All lines of the multiplexer, held.
pub struct ChipLines {
    /// One for each chip.
    requests: BTreeMap<PathBuf, Request>,
    outputs: BTreeMap<OutputLines, FoundLine>,
    inputs: BTreeMap<Input, FoundLine>,
}

impl ChipLines {
    /// Takes all lines at once, every output inactive.
    pub fn open(wiring: &Wiring) -> Result<Self, Fault> {
        let chips = Chips::find(wiring.chip.as_deref())?;
        let outputs = chips.lines(&wiring.outputs)?;
        let inputs = chips.lines(&wiring.inputs)?;
        check_distinct(&outputs, &inputs)?;
        let mut requests = BTreeMap::new();
        for chip in &chips.open {
            let mut builder = Request::builder();
            builder.on_chip(chip.path()).with_consumer(CONSUMER);
            let mut wanted = Vec::new();
            for (output, found) in outputs.iter().filter(|(_, found)| found.chip == chip.path()) {
                builder.with_line(found.offset).as_output(Value::Inactive);
                polarity(&mut builder, &wiring.outputs[output]);
                wanted.push(found.offset);
            }
            for (input, found) in inputs.iter().filter(|(_, found)| found.chip == chip.path()) {
                builder.with_line(found.offset).as_input();
                polarity(&mut builder, &wiring.inputs[input]);
                wanted.push(found.offset);
            }
            if !wanted.is_empty() {
                check_free(chip, &wanted)?;
                let request = builder.request().map_err(|error| cannot("take the lines of", chip.path(), &error))?;
                requests.insert(chip.path().to_owned(), request);
            }
        }
        Ok(Self { requests, outputs, inputs })
    }

    fn request(&self, found: Option<&FoundLine>) -> Result<(&Request, Offset), Fault> {
        let request = found.and_then(|found| Some((self.requests.get(&found.chip)?, found.offset)));
        request.ok_or_else(|| offline("this GPIO line is not configured"))
    }
}

impl Lines for ChipLines {
    fn set(&mut self, output: OutputLines, active: bool) -> Result<(), Fault> {
        let (request, offset) = self.request(self.outputs.get(&output))?;
        let value = if active { Value::Active } else { Value::Inactive };
        request
            .set_value(offset, value)
            .map_err(|error| cannot(&format!("set {output} on"), &request.chip_path(), &error))
    }

    fn read(&mut self, input: Input) -> Result<bool, Fault> {
        let (request, offset) = self.request(self.inputs.get(&input))?;
        let value = request.value(offset);
        value
            .map(|value| value == Value::Active)
            .map_err(|error| cannot(&format!("read {input} on"), &request.chip_path(), &error))
    }
}

impl Drop for ChipLines {
    fn drop(&mut self) {
        for (output, found) in &self.outputs {
            let Some(request) = self.requests.get(&found.chip) else { continue };
            if let Err(error) = request.set_value(found.offset, Value::Inactive) {
                tracing::warn!("cannot leave {output} inactive: {error}");
            }
        }
    }
}

fn polarity(builder: &mut gpiocdev::request::Builder, line: &GpioLine) {
    if line.active_low {
        builder.as_active_low()
    } else {
        builder.as_active_high()
    };
}

fn offline(text: impl Into<String>) -> Fault {
    Fault::new(FaultKind::Offline, text)
}

/// Chips to look on, and why one more could not be opened.
struct Chips {
    open: Vec<Chip>,
    closed: Option<Fault>,
}

impl Chips {
    fn find(wanted: Option<&str>) -> Result<Self, Fault> {
        if let Some(path) = wanted.filter(|wanted| wanted.contains('/')) {
            return Ok(Self { open: vec![open(Path::new(path))?], closed: None });
        }
        let all = Self::all()?;
        match wanted {
            Some(wanted) => all.called(wanted),
            None => Ok(all),
        }
    }

    fn all() -> Result<Self, Fault> {
        let paths =
            gpiocdev::chip::chips().map_err(|error| cannot("look for GPIO chips in", Path::new("/dev"), &error))?;
        if paths.is_empty() {
            return Err(offline(
                "this machine has no GPIO chip: there is no /dev/gpiochip*; check the kernel and its modules",
            ));
        }
        let mut chips = Self { open: Vec::new(), closed: None };
        for path in paths {
            match open(&path) {
                Ok(chip) => chips.open.push(chip),
                Err(fault) => chips.closed = Some(fault),
            }
        }
        Ok(chips)
    }

    fn called(self, wanted: &str) -> Result<Self, Fault> {
        let names: Vec<String> = self.open.iter().map(|chip| format!("{:?} ({})", label(chip), chip.name())).collect();
        let called = |chip: &Chip| chip.name() == wanted || label(chip) == wanted;
        let open: Vec<Chip> = self.open.into_iter().filter(called).collect();
        match (open.len(), self.closed) {
            (1, closed) => Ok(Self { open, closed }),
            (0, Some(fault)) => Err(fault),
            (0, None) => Err(offline(format!("no GPIO chip is labelled {wanted:?}; there are {}", names.join(", ")))),
            (count, _) => Err(offline(format!(
                "{count} GPIO chips are labelled {wanted:?}; give the lines by name, or the chip by a path that a \
                 udev rule makes"
            ))),
        }
    }

    fn line(&self, wire: &str, at: &LineAt) -> Result<FoundLine, Fault> {
        let mut found = match at {
            LineAt::Offset(offset) => vec![self.numbered(wire, *offset)?],
            LineAt::Name(name) => self.open.iter().flat_map(|chip| named(chip, name)).collect(),
        };
        match (found.pop(), found.len()) {
            (Some(only), 0) => Ok(only),
            (None, _) => Err(self.closed.clone().unwrap_or_else(|| {
                offline(format!(
                    "no GPIO line is named {at}, as {wire} is to be; `gpioinfo` lists the names, and where a board \
                     has none, chip and offset do"
                ))
            })),
            (Some(_), more) => Err(offline(format!(
                "{} GPIO lines are named {at}, as {wire} is to be; set chip to say which one",
                more + 1
            ))),
        }
    }

    fn numbered(&self, wire: &str, offset: Offset) -> Result<FoundLine, Fault> {
        let [chip] = self.open.as_slice() else {
            return Err(offline(format!("{wire} is line {offset}, but of which GPIO chip is not said; set chip")));
        };
        chip.line_info(offset)
            .map_err(|error| cannot(&format!("find {wire}, line {offset}, on"), chip.path(), &error))?;
        Ok(FoundLine { chip: chip.path().to_owned(), offset })
    }

    fn lines<W: Copy + Ord + fmt::Display>(
        &self,
        wanted: &BTreeMap<W, GpioLine>,
    ) -> Result<BTreeMap<W, FoundLine>, Fault> {
        wanted.iter().map(|(wire, line)| Ok((*wire, self.line(&wire.to_string(), &line.at)?))).collect()
    }
}

fn open(path: &Path) -> Result<Chip, Fault> {
    Chip::from_path(path).map_err(|error| cannot("open", path, &error))
}

fn label(chip: &Chip) -> String {
    chip.info().map(|info| info.label).unwrap_or_default()
}

fn named(chip: &Chip, name: &str) -> Vec<FoundLine> {
    let lines = chip.line_info_iter().into_iter().flatten().flatten();
    let fitting = lines.filter(|line| line.name == name);
    fitting.map(|line| FoundLine { chip: chip.path().to_owned(), offset: line.offset }).collect()
}

fn check_distinct(
    outputs: &BTreeMap<OutputLines, FoundLine>,
    inputs: &BTreeMap<Input, FoundLine>,
) -> Result<(), Fault> {
    let mut taken: BTreeMap<&FoundLine, String> = BTreeMap::new();
    let outputs = outputs.iter().map(|(wire, found)| (wire.to_string(), found));
    for (wire, found) in outputs.chain(inputs.iter().map(|(wire, found)| (wire.to_string(), found))) {
        let (chip, offset) = (found.chip.display(), found.offset);
        if let Some(other) = taken.insert(found, wire.clone()) {
            return Err(offline(format!("{wire} and {other} are the same line {offset} of {chip}; check their names")));
        }
    }
    Ok(())
}

/// Says who holds a line before the kernel only says that somebody does.
fn check_free(chip: &Chip, offsets: &[Offset]) -> Result<(), Fault> {
    for offset in offsets {
        let Ok(line) = chip.line_info(*offset) else { continue };
        if line.used {
            let holder =
                if line.consumer.is_empty() { "the kernel".to_owned() } else { format!("{:?}", line.consumer) };
            return Err(offline(format!(
                "GPIO line {offset} {:?} of {} is taken by {holder}; end what uses it, or choose another line",
                line.name,
                chip.path().display()
            )));
        }
    }
    Ok(())
}

/// What came of trying `what` on a chip, and what to do about it.
fn cannot(what: &str, chip: &Path, error: &gpiocdev::Error) -> Fault {
    let chip = chip.display();
    let number = match error {
        gpiocdev::Error::Os(number) | gpiocdev::Error::Uapi(_, uapi::Error::Os(number)) => Some(number.0),
        _ => None,
    };
    let kind = number.map(|number| io::Error::from_raw_os_error(number).kind());
    let advice = match kind {
        Some(io::ErrorKind::PermissionDenied) => {
            "; install the udev rule 60-gaserad-gpio.rules, and see that the user of gaserad is in the group gpio"
        }
        Some(io::ErrorKind::NotFound) => "; check [multiplexer.gpio] chip, `gpiodetect` lists the chips",
        Some(io::ErrorKind::ResourceBusy) => "; another program took it, `gpioinfo` says which; end that one",
        Some(io::ErrorKind::InvalidInput) => "; check that the chip has this line, `gpioinfo` lists them",
        _ => "; check the chip, and the kernel's log",
    };
    offline(format!("cannot {what} {chip}: {error}{advice}"))
}
