//! The driver over wires that are recorded, with the plant's units behind them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use proptest::prelude::*;

use super::pulse::{Pulser, ThreadPulser, Train};
use super::*;
use crate::domain::{Clock, GpioLine, LineAt, Tick};
use crate::simulator::tests::{simulator, test_clock};
use crate::simulator::{Faults, PulseLines, StuckSensor};

const PULSE: Duration = GpioSettings::PULSE;
const GAP: Duration = GpioSettings::GAP;
const HOME: [OutputLines; 2] = [OutputLines::Home(Unit::First), OutputLines::Home(Unit::Second)];
const NEXT: [OutputLines; 2] = [OutputLines::Next(Unit::First), OutputLines::Next(Unit::Second)];

/// Wires to the plant on which every edge is written down with its time.
#[derive(Clone)]
struct Recorder {
    wires: PulseLines,
    clock: Arc<dyn Clock>,
    edges: Arc<Mutex<Vec<(Tick, OutputLines, bool)>>>,
    /// So many edges from now the wires fail once; 0 is never.
    fail_in: Arc<AtomicUsize>,
}

impl Lines for Recorder {
    fn set(&mut self, output: OutputLines, active: bool) -> Result<(), Fault> {
        if self.fail_in.load(Ordering::Relaxed) > 0 && self.fail_in.fetch_sub(1, Ordering::Relaxed) == 1 {
            return Err(Fault::new(FaultKind::Offline, "the wire fell off"));
        }
        self.edges.lock().unwrap().push((self.clock.now().tick, output, active));
        Lines::set(&mut self.wires, output, active)
    }

    fn read(&mut self, input: Input) -> Result<bool, Fault> {
        self.wires.read(input)
    }
}

impl Recorder {
    fn new(units: u8, faults: Faults) -> Self {
        let wires = simulator(faults).0.pulse_lines(units);
        Self { wires, clock: test_clock(1), edges: Arc::default(), fail_in: Arc::default() }
    }

    fn driver(&self, settings: GpioSettings) -> Gpio {
        Gpio::over(Box::new(self.clone()), settings)
    }

    /// The pulses since this was last asked, with start and length. Never are two wires active at once.
    fn pulses(&self) -> Vec<(OutputLines, Tick, Duration)> {
        let edges = std::mem::take(&mut *self.edges.lock().unwrap());
        let pulse = |pair: &[(Tick, OutputLines, bool)]| {
            let [(start, output, true), (end, same, false)] = *pair else { panic!("overlapping: {pair:?}") };
            assert_eq!(output, same);
            (output, start, end.since(start))
        };
        edges.chunks(2).map(pulse).collect()
    }

    fn outputs(&self) -> Vec<OutputLines> {
        self.pulses().into_iter().map(|(output, ..)| output).collect()
    }
}

fn channel(number: u8) -> Channel {
    Channel::new(number).unwrap()
}

fn counted(number: u8) -> Position {
    Position::At(channel(number), Verification::HomedCount)
}

fn sensing(units: u8) -> GpioSettings {
    GpioSettings { home_sensors: Unit::of(units).to_vec(), ..GpioSettings::plain(units) }
}

fn seeing(units: u8) -> GpioSettings {
    GpioSettings { position_inputs: Unit::of(units).to_vec(), ..GpioSettings::plain(units) }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_known_and_nothing_moves_before_the_first_order() {
    let recorder = Recorder::new(2, Faults::default());
    let mut driver = recorder.driver(GpioSettings::plain(2));
    assert_eq!(driver.position().await, Ok(Position::Unknown));
    assert_eq!(recorder.outputs(), []);
    assert_eq!(driver.go(channel(1)).await, Ok(counted(1)));
    assert_eq!(recorder.outputs(), HOME);
    assert_eq!((driver.position().await, recorder.wires.inlet()), (Ok(counted(1)), 1));
}

#[tokio::test(start_paused = true)]
async fn every_channel_is_one_pulse_further_and_the_gas_is_its_own() {
    let recorder = Recorder::new(2, Faults::default());
    let mut driver = recorder.driver(GpioSettings::plain(2));
    driver.home().await.unwrap();
    recorder.pulses();
    for number in 2..=31 {
        assert_eq!(driver.go(channel(number)).await, Ok(counted(number)));
        assert_eq!(recorder.outputs(), [NEXT[usize::from(number > 16)]], "channel {number}");
        assert_eq!(recorder.wires.inlet(), number);
    }
    // Where it stands already, nothing is to be done.
    assert_eq!(driver.go(channel(31)).await, Ok(counted(31)));
    assert_eq!(recorder.outputs(), []);
}

#[tokio::test(start_paused = true)]
async fn the_way_back_is_by_home_and_the_way_on_is_the_difference() {
    let recorder = Recorder::new(2, Faults::default());
    let mut driver = recorder.driver(GpioSettings::plain(2));
    driver.go(channel(20)).await.unwrap();
    recorder.pulses();
    assert_eq!(driver.go(channel(18)).await, Ok(counted(18)));
    let expected = [&HOME[..], &[NEXT[0]; 15], &[NEXT[1]; 2]].concat();
    assert_eq!((recorder.outputs(), recorder.wires.inlet()), (expected, 18));
    assert_eq!(driver.go(channel(20)).await, Ok(counted(20)));
    assert_eq!((recorder.outputs(), recorder.wires.inlet()), (vec![NEXT[1]; 2], 20));
    // Nothing counts on from the last channel: the first is behind home again.
    driver.go(channel(31)).await.unwrap();
    recorder.pulses();
    assert_eq!(driver.go(channel(1)).await, Ok(counted(1)));
    assert_eq!((recorder.outputs(), recorder.wires.inlet()), (HOME.to_vec(), 1));
}

#[tokio::test(start_paused = true)]
async fn pulses_have_their_width_and_their_gap_and_homing_its_time() {
    let recorder = Recorder::new(2, Faults::default());
    let mut driver = recorder.driver(GpioSettings::plain(2));
    driver.go(channel(4)).await.unwrap();
    let pulses = recorder.pulses();
    assert_eq!(pulses.len(), 5);
    let near = |time: Duration, wanted: Duration| (wanted..wanted + Duration::from_millis(3)).contains(&time);
    assert!(pulses.iter().all(|(_, _, width)| near(*width, PULSE)), "{pulses:?}");
    let spaces: Vec<Duration> = pulses.windows(2).map(|pair| pair[1].1.since(pair[0].1)).collect();
    let (step, homing) = (PULSE + GAP, PULSE + GAP + GpioSettings::TRAVEL);
    for (space, wanted) in spaces.iter().zip([step, homing, step, step]) {
        assert!(near(*space, wanted), "{spaces:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn one_unit_alone_has_sixteen_channels() {
    let recorder = Recorder::new(1, Faults::default());
    let mut driver = recorder.driver(GpioSettings::plain(1));
    assert_eq!(driver.go(channel(16)).await, Ok(counted(16)));
    assert_eq!(recorder.outputs(), [&HOME[..1], &[NEXT[0]; 15]].concat());
    assert_eq!(recorder.wires.inlet(), 16);
    let fault = driver.go(channel(17)).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Refused);
    assert!(fault.text.contains("channels 1 to 16"), "{fault}");
    assert_eq!((recorder.outputs(), driver.position().await), (vec![], Ok(counted(16))));
}

#[tokio::test(start_paused = true)]
async fn a_home_sensor_makes_home_certain_and_the_rest_counted() {
    let recorder = Recorder::new(2, Faults::default());
    let mut driver = recorder.driver(sensing(2));
    assert_eq!(driver.home().await, Ok(Position::At(Channel::HOME, Verification::Readback)));
    assert_eq!(driver.go(channel(2)).await, Ok(counted(2)));
    // The second unit is at home there, but that the first is on its last input is counted.
    assert_eq!(driver.go(channel(16)).await, Ok(counted(16)));
}

#[tokio::test(start_paused = true)]
async fn a_home_sensor_that_says_otherwise_is_a_fault_and_the_count_is_lost() {
    for (stuck, goal, complaint) in [
        (StuckSensor::Inactive, 1, "was sent home, and 1.0 s later the home sensor of unit 1 is inactive"),
        (StuckSensor::Active, 3, "got 2 pulses to next, and 1.0 s later the home sensor of unit 1 is active"),
    ] {
        let recorder = Recorder::new(2, Faults { home_sensor_stuck: Some(stuck), ..Faults::default() });
        let mut driver = recorder.driver(sensing(2));
        let fault = driver.go(channel(goal)).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Refused);
        assert!(fault.text.contains(complaint), "{fault}");
        assert_eq!(driver.position().await, Ok(Position::Unknown));
        recorder.pulses();
        let _ = driver.go(channel(31)).await;
        assert_eq!(recorder.outputs()[..2], HOME);
    }
}

#[tokio::test(start_paused = true)]
async fn position_inputs_read_every_channel_back_and_need_no_home() {
    let recorder = Recorder::new(2, Faults::default());
    let mut driver = recorder.driver(seeing(2));
    let at = |number| Ok(Position::At(channel(number), Verification::Readback));
    // Somebody left the units at their inputs 7 and 3, counted from 0.
    assert_eq!(driver.position().await, at(8));
    assert_eq!(driver.go(channel(9)).await, at(9));
    assert_eq!(recorder.outputs()[..2], HOME);
    for number in [16, 31, 15] {
        assert_eq!(driver.go(channel(number)).await, at(number));
        assert_eq!((driver.position().await, recorder.wires.inlet()), (at(number), number));
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_pulse_is_seen_by_position_inputs() {
    let recorder = Recorder::new(2, Faults { pulse_lost_every: 5, ..Faults::default() });
    let fault = recorder.driver(seeing(2)).go(channel(4)).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Refused);
    assert!(fault.text.contains("position inputs of unit 1 say 2 where it should be 3"), "{fault}");
}

#[tokio::test(start_paused = true)]
async fn after_a_wire_failed_the_next_order_begins_at_home() {
    let recorder = Recorder::new(2, Faults::default());
    let mut driver = recorder.driver(GpioSettings::plain(2));
    driver.go(channel(3)).await.unwrap();
    recorder.pulses();
    recorder.fail_in.store(3, Ordering::Relaxed);
    let fault = driver.go(channel(6)).await.unwrap_err();
    assert_eq!((fault.kind, fault.text.as_str()), (FaultKind::Offline, "the wire fell off"));
    assert_eq!(driver.position().await, Ok(Position::Unknown));
    recorder.edges.lock().unwrap().clear();
    assert_eq!(driver.go(channel(6)).await, Ok(counted(6)));
    assert_eq!((recorder.outputs()[..2].to_vec(), recorder.wires.inlet()), (HOME.to_vec(), 6));
}

#[tokio::test(start_paused = true)]
async fn a_train_that_nobody_waits_for_still_arrives_but_counts_for_nothing() {
    let recorder = Recorder::new(2, Faults::default());
    let mut driver = recorder.driver(GpioSettings::plain(2));
    driver.home().await.unwrap();
    recorder.pulses();
    let cut = tokio::time::timeout(PULSE + PULSE, driver.go(channel(6))).await;
    assert!(cut.is_err());
    assert_eq!(driver.position().await, Ok(Position::Unknown));
    sleep(Duration::from_secs(1)).await;
    let pulses = recorder.pulses();
    assert_eq!((pulses.len(), recorder.wires.inlet()), (5, 6));
    assert!(pulses.iter().all(|(_, _, width)| *width >= PULSE));
}

/// Real time, on the thread: the widths are at least what they must be, and nothing is cut short.
#[tokio::test]
async fn the_thread_keeps_widths_and_gaps_and_finishes_a_pulse_when_it_is_dropped() {
    let recorder = Recorder::new(2, Faults::default());
    let mut thread = ThreadPulser::start(Box::new(recorder.clone())).unwrap();
    let (pulse, gap) = (Duration::from_millis(5), Duration::from_millis(3));
    let train = Train { outputs: [HOME, NEXT].concat(), pulse, gap };
    thread.send(train.clone()).await.unwrap();
    let pulses = recorder.pulses();
    assert_eq!(pulses.iter().map(|(output, ..)| *output).collect::<Vec<_>>(), train.outputs);
    assert!(pulses.iter().all(|(_, _, width)| *width >= pulse), "{pulses:?}");
    assert!(pulses.windows(2).all(|pair| pair[1].1.since(pair[0].1 + pair[0].2) >= gap), "{pulses:?}");
    assert_eq!(thread.read(Input::Home(Unit::First)).await, Ok(false));

    let long = Train { outputs: vec![NEXT[0]; 1000], pulse, gap };
    let mut sending = thread.send(long);
    assert!(poll_once(&mut sending).await.is_none());
    while recorder.edges.lock().unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    drop(sending);
    drop(thread);
    let pulses = recorder.pulses();
    assert!((1..1000).contains(&pulses.len()), "{}", pulses.len());
    assert!(pulses.iter().all(|(_, _, width)| *width >= pulse));
}

async fn poll_once<T>(future: &mut BoxFuture<'_, T>) -> Option<T> {
    std::future::poll_fn(|context| match future.as_mut().poll(context) {
        std::task::Poll::Ready(value) => std::task::Poll::Ready(Some(value)),
        std::task::Poll::Pending => std::task::Poll::Ready(None),
    })
    .await
}

#[tokio::test]
async fn a_chip_or_a_line_that_is_not_there_is_offline_and_named() {
    let line = |at| GpioLine { at, active_low: false };
    for (chip, at, names) in [
        (Some("no-such-label"), LineAt::Offset(3), "GPIO chip"),
        (Some("/dev/no-such-chip"), LineAt::Offset(3), "cannot open /dev/no-such-chip"),
        (Some("/dev/null"), LineAt::Offset(3), "cannot open /dev/null"),
        (None, LineAt::Name("no such line".into()), "GPIO"),
    ] {
        let outputs = [HOME, NEXT].concat().into_iter().map(|output| (output, line(at.clone()))).collect();
        let wiring = Wiring { chip: chip.map(Into::into), outputs, inputs: std::collections::BTreeMap::new() };
        let fault = Gpio::new(wiring, GpioSettings::plain(2)).position().await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Offline);
        assert!(fault.text.contains(names), "{fault}");
    }
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Home,
    Go(u8),
    Look,
    Fail(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        1 => Just(Step::Home),
        6 => (1..=31_u8).prop_map(Step::Go),
        2 => Just(Step::Look),
        1 => (1..40_usize).prop_map(Step::Fail),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn whatever_is_ordered_a_position_is_where_the_gas_comes_from(
        steps in prop::collection::vec(step(), 1..20),
        inputs in 0..3_u8,
        lost_every in prop_oneof![Just(0_u32), 2..50_u32],
    ) {
        // Without position inputs nobody can know of a lost pulse.
        let pulse_lost_every = if inputs == 2 { lost_every } else { 0 };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let recorder = Recorder::new(2, Faults { pulse_lost_every, ..Faults::default() });
            let mut driver = recorder.driver([GpioSettings::plain(2), sensing(2), seeing(2)][usize::from(inputs)].clone());
            for step in steps {
                let answer = match step {
                    Step::Home => driver.home().await,
                    Step::Go(number) => driver.go(channel(number)).await,
                    Step::Look => driver.position().await,
                    Step::Fail(edges) => {
                        recorder.fail_in.store(edges, Ordering::Relaxed);
                        continue;
                    }
                };
                if let Ok(position) = answer {
                    let wanted = match step {
                        Step::Go(number) => Some(number),
                        Step::Home => Some(1),
                        _ => position.channel().map(Channel::number),
                    };
                    assert_eq!(position.channel().map(Channel::number), wanted);
                    assert!(wanted.is_none_or(|wanted| wanted == recorder.wires.inlet()), "{step:?} {position:?}");
                }
            }
        });
    }
}
