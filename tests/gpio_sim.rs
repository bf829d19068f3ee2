//! The GPIO driver on the kernel's own simulated chip (gpio-sim): real character device, real thread, real time.
//!
//! It needs root and the module gpio-sim, and where one of them is missing it says so and proves nothing. How to get
//! there is in CONTRIBUTING.md.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use gasera::device::multiplexer::Multiplexer;
use gasera::device::multiplexer::gpio::{Gpio, GpioSettings, Input, OutputLines, Unit, Wiring};
use gasera::domain::{Channel, FaultKind, GpioLine, LineAt, Position, Verification};

const CONFIG: &str = "/sys/kernel/config/gpio-sim";
/// As the chip's lines are named: home and next of both units, and their home sensors.
const NAMES: [&str; 6] = ["home1", "next1", "home2", "next2", "sensor1", "sensor2"];
const SENSORS: usize = 4;

/// A simulated chip, taken apart when this is dropped.
struct Chip {
    folder: PathBuf,
    label: String,
    /// Where the levels of its lines are.
    lines: PathBuf,
}

impl Chip {
    fn build() -> io::Result<Self> {
        let label = format!("gasera-test-{}", std::process::id());
        let folder = Path::new(CONFIG).join(&label);
        let bank = folder.join("bank0");
        fs::create_dir(&folder)?;
        let mut chip = Self { folder: folder.clone(), label: label.clone(), lines: PathBuf::new() };
        fs::create_dir(&bank)?;
        fs::write(bank.join("num_lines"), NAMES.len().to_string())?;
        fs::write(bank.join("label"), &label)?;
        for (offset, name) in NAMES.iter().enumerate() {
            let line = bank.join(format!("line{offset}"));
            fs::create_dir(&line)?;
            fs::write(line.join("name"), format!("{label}-{name}"))?;
        }
        fs::write(folder.join("live"), "1")?;
        let read = |file: PathBuf| fs::read_to_string(file).map(|text| text.trim().to_owned());
        let (device, name) = (read(folder.join("dev_name"))?, read(bank.join("chip_name"))?);
        chip.lines = Path::new("/sys/devices/platform").join(device).join(name);
        Ok(chip)
    }

    fn line(&self, offset: usize) -> PathBuf {
        self.lines.join(format!("sim_gpio{offset}"))
    }

    fn is_active(&self, offset: usize) -> bool {
        fs::read_to_string(self.line(offset).join("value")).is_ok_and(|value| value.trim() == "1")
    }

    fn pull(&self, offset: usize, up: bool) {
        fs::write(self.line(offset).join("pull"), if up { "pull-up" } else { "pull-down" }).unwrap();
    }

    fn wiring(&self) -> Wiring {
        let spec = |at| GpioLine { at, active_low: false };
        let named = |name: &str| spec(LineAt::Name(format!("{}-{name}", self.label)));
        Wiring {
            chip: Some(self.label.clone()),
            outputs: BTreeMap::from([
                (OutputLines::Home(Unit::First), named("home1")),
                (OutputLines::Next(Unit::First), spec(LineAt::Offset(1))),
                (OutputLines::Home(Unit::Second), named("home2")),
                (OutputLines::Next(Unit::Second), named("next2")),
            ]),
            inputs: BTreeMap::from([
                (Input::Home(Unit::First), named("sensor1")),
                (Input::Home(Unit::Second), named("sensor2")),
            ]),
        }
    }
}

impl Drop for Chip {
    fn drop(&mut self) {
        let bank = self.folder.join("bank0");
        // What was not built needs no taking apart.
        let _ = fs::write(self.folder.join("live"), "0");
        for offset in 0..NAMES.len() {
            let _ = fs::remove_dir(bank.join(format!("line{offset}")));
        }
        let _ = fs::remove_dir(bank);
        let _ = fs::remove_dir(&self.folder);
    }
}

/// The units behind the lines: they count rising edges, and pull their home sensors.
///
/// The kernel tells edges only to the holder of a line, and of inputs; who stands outside, as a unit does, can but look at
/// the levels of a chip, much more often than a pulse is long.
struct Units {
    stop: Arc<AtomicBool>,
    pulses: Arc<[AtomicU32; 4]>,
    together: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Units {
    fn watch(chip: &Arc<Chip>) -> Self {
        let (stop, together) = (Arc::<AtomicBool>::default(), Arc::<AtomicBool>::default());
        let pulses: Arc<[AtomicU32; 4]> = Arc::default();
        let (chip, stopped, counted, overlapped) = (chip.clone(), stop.clone(), pulses.clone(), together.clone());
        let thread = std::thread::spawn(move || {
            let mut places = [7_u8, 3];
            let mut levels = [false; 4];
            while !stopped.load(Ordering::Relaxed) {
                let seen: [bool; 4] = std::array::from_fn(|offset| chip.is_active(offset));
                if seen.iter().filter(|active| **active).count() > 1 {
                    overlapped.store(true, Ordering::Relaxed);
                }
                for offset in (0..4).filter(|offset| seen[*offset] && !levels[*offset]) {
                    let unit = offset / 2;
                    places[unit] = if offset % 2 == 0 { 0 } else { (places[unit] + 1) % 16 };
                    chip.pull(SENSORS + unit, places[unit] == 0);
                    counted[offset].fetch_add(1, Ordering::Relaxed);
                }
                levels = seen;
                std::thread::sleep(Duration::from_millis(1));
            }
        });
        Self { stop, pulses, together, thread: Some(thread) }
    }

    fn pulses(&self) -> [u32; 4] {
        std::array::from_fn(|offset| self.pulses[offset].load(Ordering::Relaxed))
    }
}

impl Drop for Units {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

/// Past the test harness, which keeps what passing tests print to itself.
fn skipped(why: &str) {
    let mut past = io::stderr();
    writeln!(past, "SKIPPED the GPIO driver on gpio-sim: {why}; see CONTRIBUTING.md").unwrap();
}

#[tokio::test]
async fn on_a_simulated_chip_of_the_kernel_pulses_arrive_and_lines_are_held() {
    if !Path::new(CONFIG).is_dir() {
        return skipped(&format!("there is no {CONFIG}: the module gpio-sim is not loaded, or configfs not mounted"));
    }
    let chip = match Chip::build() {
        Ok(chip) => Arc::new(chip),
        Err(error) => return skipped(&format!("no chip can be made in {CONFIG}: {error} (this takes root)")),
    };
    let units = Units::watch(&chip);
    let settings = GpioSettings { home_sensors: Unit::ALL.to_vec(), ..GpioSettings::plain(2) };
    let mut driver = Gpio::new(chip.wiring(), settings.clone());
    assert_eq!(driver.position().await, Ok(Position::Unknown));

    let home = Position::At(Channel::HOME, Verification::Readback);
    assert_eq!(driver.home().await, Ok(home));
    assert_eq!(units.pulses(), [1, 0, 1, 0]);
    let goal = Channel::new(18).unwrap();
    assert_eq!(driver.go(goal).await, Ok(Position::At(goal, Verification::HomedCount)));
    assert_eq!(units.pulses(), [1, 15, 1, 2]);
    assert_eq!(driver.home().await, Ok(home));
    assert_eq!(units.pulses(), [2, 15, 2, 2]);
    assert!(!units.together.load(Ordering::Relaxed), "two lines were active at once");

    // The lines are held: nobody else gets them, and is told who has them.
    let fault = Gpio::new(chip.wiring(), settings.clone()).home().await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Offline);
    assert!(fault.text.contains("is taken by \"gaserad\""), "{fault}");

    drop(driver);
    assert!((0..SENSORS).all(|offset| !chip.is_active(offset)));
    assert_eq!(Gpio::new(chip.wiring(), settings).home().await, Ok(home));
}
