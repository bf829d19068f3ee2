//! The gas line behind the multiplexers that are not the valve.

use std::time::Duration;

use tokio::time::sleep;

use super::{Sink, simulator};
use crate::simulator::{CascadeWire, Faults, Plant, Selector, Simulator, Truth};

const CYCLE: Duration = Duration::from_secs(60);

/// What the third iteration after now sampled: the first two may be of before.
async fn sampled(simulator: &Simulator, sink: &Sink) -> Truth {
    let before = sink.truth().len();
    sleep(4 * CYCLE).await;
    simulator.catch_up();
    sink.truth()[before + 2].clone()
}

fn relays(simulator: &Simulator, pdu: &[u8]) {
    assert_eq!(simulator.ask(|plant| plant.relays_request(pdu)).unwrap()[0], pdu[0]);
}

#[tokio::test(start_paused = true)]
async fn the_gas_comes_through_whatever_was_ordered_last() {
    let (simulator, sink) = simulator(Faults::default());
    simulator.ask(Plant::start_measuring);
    assert_eq!(sampled(&simulator, &sink).await.channel, 1);

    let wires = simulator.pulse_lines(2);
    assert_eq!(sampled(&simulator, &sink).await.channel, 8);
    for (unit, wire) in [(0, CascadeWire::Home), (0, CascadeWire::Next), (0, CascadeWire::Next)] {
        wires.set(unit, wire, true);
        wires.set(unit, wire, false);
    }
    let truth = sampled(&simulator, &sink).await;
    assert_eq!((truth.channel, truth.valve, truth.clean), (3, Some(3), true));

    relays(&simulator, &[5, 0, 8, 0xFF, 0]);
    let truth = sampled(&simulator, &sink).await;
    assert_eq!((truth.channel, truth.valve, truth.clean), (9, Some(9), true));
    // Reading the coils switches nothing.
    simulator.put_in_charge(Selector::Valve);
    relays(&simulator, &[1, 0, 0, 0, 31]);
    assert_eq!(sampled(&simulator, &sink).await.channel, 1);
}

#[tokio::test(start_paused = true)]
async fn with_all_coils_off_it_is_the_air_of_the_room_and_with_two_a_mixture() {
    let (simulator, sink) = simulator(Faults::default());
    simulator.put_in_charge(Selector::Relays);
    simulator.ask(Plant::start_measuring);
    let truth = sampled(&simulator, &sink).await;
    assert_eq!((truth.channel, truth.valve, truth.clean), (0, None, false));
    assert!((truth.readings["124-38-9"] - 400.0).abs() < 1.0, "{truth:?}");

    relays(&simulator, &[5, 0, 1, 0xFF, 0]);
    relays(&simulator, &[5, 0, 3, 0xFF, 0]);
    let truth = sampled(&simulator, &sink).await;
    assert_eq!((truth.valve, truth.clean), (None, false));
    assert!((truth.fraction - 0.5).abs() < 1e-6 && (truth.readings["124-38-9"] - 475.0).abs() < 1.0, "{truth:?}");
}
