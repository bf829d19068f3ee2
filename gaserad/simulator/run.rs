//! The plant as a process of its own: AK on TCP, the valve on a pseudo-terminal, the relay board on either.

use std::fs::File;
use std::future::{Future, pending};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::faults::{Faults, FaultsError};
use super::modbus::listen_modbus;
use super::plant::Selector;
use super::pty::{open_relays, open_valve};
use super::serve::{PlantSettings, Simulator, listen_analyzer};
use crate::domain::Clock;

#[derive(Debug, Clone)]
pub struct SimulatorOptions {
    /// `host:port` of the AK server; port 0 takes any that is free.
    pub ak: String,
    /// Where the link to the valve's serial port goes.
    pub vici: Option<PathBuf>,
    /// Where the relay board speaks Modbus: `host:port`, or where the link to its serial port goes.
    pub modbus: Option<String>,
    pub cycle: Duration,
    /// How many ports the valve has.
    pub channels: u8,
    pub faults: Option<PathBuf>,
    /// Written anew, one line of JSON per iteration.
    pub truth: Option<PathBuf>,
    pub seed: u64,
}

/// Where the devices are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimulatorReady {
    pub ak: SocketAddr,
    pub vici: Option<PathBuf>,
    /// The address that it got, or the link.
    pub modbus: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum SimulatorError {
    #[error(transparent)]
    Faults(#[from] FaultsError),
    #[error("cannot write the truth file {path}: {source}")]
    Truth { path: PathBuf, source: io::Error },
    #[error("cannot listen for AK on {address}: {source}; choose another address, or port 0 for any that is free")]
    Listen { address: String, source: io::Error },
    #[error("cannot put the valve's serial port at {path}: {source}")]
    Valve { path: PathBuf, source: io::Error },
    #[error("cannot serve Modbus at {place}: {source}; give host:port, or a path for a link to a serial port")]
    Modbus { place: String, source: io::Error },
    #[error("a pseudo-terminal failed; start the simulator again")]
    HungUp,
}

/// Runs until it is cancelled; tells `ready` once all devices can be reached.
pub async fn run(
    options: SimulatorOptions,
    clock: Arc<dyn Clock>,
    cancel: CancellationToken,
    ready: impl FnOnce(&SimulatorReady),
) -> Result<(), SimulatorError> {
    let listen = |source| SimulatorError::Listen { address: options.ak.clone(), source };
    let simulator = Simulator::new(settings(&options)?, clock);
    let listener = TcpListener::bind(&options.ak).await.map_err(listen)?;
    let ak = listener.local_addr().map_err(listen)?;
    let valve = valve(&simulator, options.vici.as_ref())?;
    let (modbus, relays) = relays(&simulator, &options, &cancel).await?;
    ready(&SimulatorReady { ak, vici: options.vici, modbus });
    let end = tokio::select! {
        () = listen_analyzer(simulator.clone(), listener, cancel.clone()) => Ok(()),
        () = valve => Err(SimulatorError::HungUp),
        () = relays => if cancel.is_cancelled() { Ok(()) } else { Err(SimulatorError::HungUp) },
    };
    simulator.catch_up();
    end
}

fn settings(options: &SimulatorOptions) -> Result<PlantSettings, SimulatorError> {
    let create = |path: &PathBuf| match File::create(path) {
        Ok(file) => Ok(Box::new(file) as Box<dyn Write + Send>),
        Err(source) => Err(SimulatorError::Truth { path: path.clone(), source }),
    };
    Ok(PlantSettings {
        cycle: options.cycle,
        seed: options.seed,
        channels: options.channels,
        faults: options.faults.as_deref().map(Faults::load).transpose()?.unwrap_or_default(),
        truth: options.truth.as_ref().map(create).transpose()?,
    })
}

type Serving = Pin<Box<dyn Future<Output = ()> + Send>>;

fn valve(simulator: &Simulator, link: Option<&PathBuf>) -> Result<Serving, SimulatorError> {
    let Some(link) = link else { return Ok(Box::pin(pending())) };
    match open_valve(simulator.clone(), link) {
        Ok(serving) => Ok(Box::pin(serving)),
        Err(source) => Err(SimulatorError::Valve { path: link.clone(), source }),
    }
}

/// Where the relay board is, and what serves it.
async fn relays(
    simulator: &Simulator,
    options: &SimulatorOptions,
    cancel: &CancellationToken,
) -> Result<(Option<String>, Serving), SimulatorError> {
    let Some(place) = &options.modbus else { return Ok((None, Box::pin(pending()))) };
    let failed = |source| SimulatorError::Modbus { place: place.clone(), source };
    if options.vici.is_none() {
        simulator.put_in_charge(Selector::Relays);
    }
    if place.contains('/') {
        let serving = open_relays(simulator.clone(), place.as_ref()).map_err(failed)?;
        return Ok((Some(place.clone()), Box::pin(serving)));
    }
    let listener = TcpListener::bind(place).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?.to_string();
    Ok((Some(address), Box::pin(listen_modbus(simulator.clone(), listener, cancel.clone()))))
}
