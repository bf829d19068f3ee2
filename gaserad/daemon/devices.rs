//! The devices as the settings name them: which driver drives which valve, and where the analyzer is.
//!
//! One function per driver. What a driver then does is none of this module's business.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::{DaemonFailure, Devices};
use crate::config::{
    Choice, Driver, GpioSection, GpioUnit, ModbusLink, ModbusSection, MultiplexerSettings, Settings, ViciSection,
};
use crate::device::multiplexer::gpio::{Gpio, GpioSettings, Input, OutputLines, Unit, Wiring};
use crate::device::multiplexer::modbus::{Framing, Modbus, ModbusSettings};
use crate::device::multiplexer::vici::{Vici, ViciSettings};
use crate::device::multiplexer::{Multiplexer, simulated};
use crate::device::{Analyzer, AnalyzerSettings, Dial, OwnedValve, Report, serial};
use crate::domain::{Clock, Wire};
use crate::runtime::RuntimeIdentity;
use crate::runtime::clock::HostClock;
use crate::simulator::{Faults, PlantSettings, Simulator};

const IDLE_POLL: Duration = Duration::from_secs(2);
const START_PATIENCE: Duration = Duration::from_secs(5);
const STOP_PATIENCE: Duration = Duration::from_secs(120);
const SIMULATED_CYCLE: Duration = Duration::from_secs(58);

/// Each with its owner at work.
pub(super) fn start(
    settings: &Settings,
    clock: &HostClock,
    wire: Option<Arc<dyn Wire>>,
    reports: &mpsc::UnboundedSender<Report>,
) -> Result<Devices, DaemonFailure> {
    let shared: Arc<dyn Clock> = Arc::new(clock.clone());
    let simulator = (settings.driver() == Driver::Simulated).then(|| simulator(&settings.multiplexer, &shared));
    let dial = match &simulator {
        Some(simulator) if settings.simulate => simulated::analyzer_dial(simulator),
        _ => Dial::tcp(&settings.analyzer.address),
    };
    let identity = RuntimeIdentity {
        analyzer_address: dial.place.clone(),
        driver: if simulator.is_some() { "simulated" } else { settings.driver().word() }.into(),
        channels: settings.multiplexer.channels,
        simulated: settings.simulate,
    };
    let (valve, owner) =
        OwnedValve::new(driver(settings, simulator.as_ref(), &shared)?, shared.clone(), reports.clone());
    tokio::spawn(owner);
    let dial = match wire {
        Some(wire) => dial.tapped(wire),
        None => dial,
    };
    let (analyzer, owner) = Analyzer::new(analyzer_settings(settings, clock, dial), shared, reports.clone());
    tokio::spawn(owner);
    Ok(Devices { analyzer, valve, identity })
}

fn simulator(multiplexer: &MultiplexerSettings, clock: &Arc<dyn Clock>) -> Simulator {
    let (channels, faults) = (multiplexer.channels, Faults::default());
    let design = PlantSettings { cycle: SIMULATED_CYCLE, seed: 1, channels, faults, truth: None };
    Simulator::new(design, clock.clone())
}

/// The driver that the settings name, or the simulated one wherever there is a simulator.
fn driver(
    settings: &Settings,
    simulator: Option<&Simulator>,
    clock: &Arc<dyn Clock>,
) -> Result<Box<dyn Multiplexer>, DaemonFailure> {
    let multiplexer = &settings.multiplexer;
    match (settings.driver(), simulator) {
        (_, Some(simulator)) => Some(simulated_valve(settings, simulator, clock)),
        (Driver::Vici, None) => settings.vici.as_ref().map(|section| vici(section, multiplexer.channels, clock)),
        (Driver::Gpio, None) => settings.gpio.as_ref().map(|section| gpio(section, multiplexer.channels)),
        (Driver::Modbus, None) => settings.modbus.as_ref().map(|section| modbus(section, multiplexer.channels)),
        (Driver::Simulated, None) => None,
    }
    .ok_or_else(|| anyhow::anyhow!("[multiplexer] has no driver that can be started").into())
}

/// A multiplexer of the kind that the configuration names, or a VICI valve if it names none.
fn simulated_valve(settings: &Settings, simulator: &Simulator, clock: &Arc<dyn Clock>) -> Box<dyn Multiplexer> {
    if !settings.simulate {
        tracing::warn!("the multiplexer is simulated: no valve is moved, and channels are not what they seem");
    }
    let MultiplexerSettings { driver, channels, .. } = &settings.multiplexer;
    match (driver, &settings.gpio, &settings.modbus) {
        (Driver::Gpio, Some(section), _) => {
            tracing::info!("simulated: 16-way units that count pulses, as [multiplexer.gpio] describes them");
            Box::new(simulated::gpio(simulator, gpio_settings(section, *channels), clock.as_ref()))
        }
        (Driver::Modbus, _, Some(section)) => {
            tracing::info!("simulated: a board of relays on Modbus TCP, unit 1, with its coils from 0");
            let (_, settings) = modbus_settings(section, *channels);
            Box::new(simulated::modbus(simulator, &settings, clock.as_ref()))
        }
        _ => {
            tracing::info!("simulated: a VICI valve with {channels} ports");
            Box::new(simulated::driver(simulator, *channels, clock.clone()))
        }
    }
}

fn vici(section: &ViciSection, channels: u8, clock: &Arc<dyn Clock>) -> Box<dyn Multiplexer> {
    let settings = ViciSettings {
        channels,
        address: section.address.clone(),
        dialect: section.dialect,
        direction: section.direction,
        ports: section.ports,
        write_settings: section.write_settings,
    };
    let port = serial::dial(&section.port.to_string_lossy(), section.baud);
    Box::new(Vici::new(port, settings, clock.clone()))
}

fn gpio(section: &GpioSection, channels: u8) -> Box<dyn Multiplexer> {
    let units = section.units();
    let mut wiring = Wiring { chip: section.chip.clone(), outputs: BTreeMap::new(), inputs: BTreeMap::new() };
    for (unit, lines) in Unit::ALL.into_iter().zip(&units) {
        wiring.outputs.insert(OutputLines::Home(unit), lines.home.clone());
        wiring.outputs.insert(OutputLines::Next(unit), lines.next.clone());
        wiring.inputs.extend(lines.home_sensor.iter().map(|sensor| (Input::Home(unit), sensor.clone())));
        let bits = (0..).zip(&lines.position);
        wiring.inputs.extend(bits.map(|(bit, position)| (Input::Bit(unit, bit), position.clone())));
    }
    Box::new(Gpio::new(wiring, gpio_settings(section, channels)))
}

fn gpio_settings(section: &GpioSection, channels: u8) -> GpioSettings {
    let units = section.units();
    let with = |input: fn(&GpioUnit) -> bool| {
        Unit::ALL.into_iter().zip(&units).filter(|(_, lines)| input(lines)).map(|(unit, _)| unit).collect()
    };
    GpioSettings {
        channels,
        pulse: section.pulse,
        gap: section.gap,
        travel: section.travel,
        home_sensors: with(|lines| lines.home_sensor.is_some()),
        position_inputs: with(|lines| !lines.position.is_empty()),
        ..GpioSettings::plain(if units.len() < 2 { 1 } else { 2 })
    }
}

fn modbus(section: &ModbusSection, channels: u8) -> Box<dyn Multiplexer> {
    let (dial, settings) = modbus_settings(section, channels);
    Box::new(Modbus::new(dial, settings))
}

fn modbus_settings(section: &ModbusSection, channels: u8) -> (Dial, ModbusSettings) {
    let (dial, framing) = match section.link() {
        ModbusLink::Tcp(address) => (Dial::tcp(&address), Framing::Tcp),
        ModbusLink::Serial { port, baud } => (serial::dial(&port.to_string_lossy(), baud), Framing::rtu(baud)),
    };
    let settings = ModbusSettings {
        framing,
        unit: section.unit,
        first_coil: section.first_coil,
        channels,
        break_before_make: section.break_before_make.then_some(section.gap),
        timeout: section.timeout,
    };
    (dial, settings)
}

fn analyzer_settings(settings: &Settings, clock: &HostClock, dial: Dial) -> AnalyzerSettings {
    AnalyzerSettings {
        dial,
        mode: settings.analyzer.session,
        poll: clock.outside(settings.analyzer.poll),
        idle_poll: IDLE_POLL.max(settings.analyzer.poll),
        start_patience: START_PATIENCE,
        stop_patience: STOP_PATIENCE,
    }
}
