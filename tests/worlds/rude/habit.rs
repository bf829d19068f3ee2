//! The habits of rude instruments, networks and hosts, and what a seed makes of each.

use std::time::Duration;

use crate::support::stack::dice::Dice;
use crate::support::stack::valves::Driver;
use crate::support::stack::wire::Line;

use super::super::chosen::World;

/// Each is a kind; how it comes in a world is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Habit {
    CounterTicks,
    CounterNumbers,
    PhaseCached,
    PhaseLate,
    StateOrCounterOld,
    ResultLate,
    ResultLateVaries,
    ResultHeld,
    StampRepeats,
    ClockSetBack,
    FalsePhase,
    Excursion,
    NoResult,
    MainsBlip,
    RestartedInOutage,
    Outage,
    OddValue,
    OddStamp,
    MultiplexerSwapped,
    TurnedThereAndBack,
    DaemonStopped,
    HostSuspended,
    SecondRun,
    Adoption,
}

/// What somebody does in the middle of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    StopDaemon(Duration),
    SuspendHost(Duration),
    OutOfReach(Line, Duration),
    /// The measurement is started anew by somebody else, and our own connection is down so long before and after.
    RestartOutOfReach(Duration),
    /// The line to the valve is down for a moment.
    ReplugValve,
}

/// What a habit is in one world.
#[derive(Debug, Default)]
pub struct Drawn {
    /// More lines of the faults file.
    pub faults: String,
    /// With the time since the run began.
    pub deeds: Vec<(Duration, Deed)>,
}

impl Habit {
    pub const ALL: [Self; 24] = [
        Self::CounterTicks,
        Self::CounterNumbers,
        Self::PhaseCached,
        Self::PhaseLate,
        Self::StateOrCounterOld,
        Self::ResultLate,
        Self::ResultLateVaries,
        Self::ResultHeld,
        Self::StampRepeats,
        Self::ClockSetBack,
        Self::FalsePhase,
        Self::Excursion,
        Self::NoResult,
        Self::MainsBlip,
        Self::RestartedInOutage,
        Self::Outage,
        Self::OddValue,
        Self::OddStamp,
        Self::MultiplexerSwapped,
        Self::TurnedThereAndBack,
        Self::DaemonStopped,
        Self::HostSuspended,
        Self::SecondRun,
        Self::Adoption,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::CounterTicks => "counter ticks elsewhere",
            Self::CounterNumbers => "counter jumps, wraps, back",
            Self::PhaseCached => "AMST from a cache",
            Self::PhaseLate => "AMST late",
            Self::StateOrCounterOld => "ASTS or AITR old",
            Self::ResultLate => "ACON late, constant",
            Self::ResultLateVaries => "ACON late, varying",
            Self::ResultHeld => "ACON held",
            Self::StampRepeats => "stamp repeats",
            Self::ClockSetBack => "clock set back",
            Self::FalsePhase => "false phase",
            Self::Excursion => "excursion",
            Self::NoResult => "no result",
            Self::MainsBlip => "mains blip",
            Self::RestartedInOutage => "restarted in an outage",
            Self::Outage => "network outage",
            Self::OddValue => "odd value",
            Self::OddStamp => "odd stamp",
            Self::MultiplexerSwapped => "multiplexer swapped",
            Self::TurnedThereAndBack => "turned there and back",
            Self::DaemonStopped => "daemon stopped",
            Self::HostSuspended => "host suspended",
            Self::SecondRun => "second run",
            Self::Adoption => "adoption",
        }
    }

    /// Whether such a world can have it.
    pub fn suits(self, world: &World) -> bool {
        let refuses =
            |code: &str| world.design.faults.lines().any(|line| line.starts_with("refuse") && line.contains(code));
        match self {
            Self::CounterTicks | Self::CounterNumbers => !refuses("AITR"),
            Self::PhaseCached | Self::PhaseLate | Self::FalsePhase => world.tells_phases,
            Self::TurnedThereAndBack => world.design.driver == Driver::Vici,
            Self::MultiplexerSwapped => !matches!(world.design.driver, Driver::Pulses { .. }),
            _ => true,
        }
    }

    /// Whether both cannot be of one world: they say the same key of the faults file.
    pub fn excludes(self, other: Self) -> bool {
        let beginnings = [Self::SecondRun, Self::Adoption];
        self == other || (beginnings.contains(&self) && beginnings.contains(&other))
    }

    /// In a world whose main run is about so long.
    pub fn draw(self, world: &World, length: Duration, dice: &mut Dice) -> Drawn {
        let cycle = world.design.cycle;
        let faults = |faults: String| Drawn { faults, deeds: Vec::new() };
        match self {
            Self::CounterTicks => {
                let ticks = dice.one_of(&["exchange_end", "mid", "late", "constant"]);
                faults(format!("habits.counter.ticks = \"{ticks}\""))
            }
            Self::CounterNumbers => faults(counter_numbers(length, dice)),
            Self::PhaseCached => faults(format!("habits.cached.AMST = \"{}ms\"", dice.between(3000, 30_000))),
            Self::PhaseLate => faults(format!("habits.late.AMST = \"{}ms\"", dice.between(1000, 20_000))),
            Self::StateOrCounterOld => {
                let (how, code) = (dice.one_of(&["cached", "late"]), dice.one_of(&["ASTS", "AITR"]));
                faults(format!("habits.{how}.{code} = \"{}ms\"", dice.between(1000, 10_000)))
            }
            Self::ResultLate => faults(format!("habits.late.ACON = \"{}\"", up_to(cycle * 6 / 5, dice))),
            Self::ResultLateVaries => faults(format!("habits.acon_late_up_to = \"{}\"", up_to(cycle * 6 / 5, dice))),
            Self::ResultHeld => {
                let (after, every) = (millis(moment(length, dice)), millis(cycle * 8));
                let held = up_to(cycle * 2, dice);
                faults(format!("habits.acon_held = {{ after = \"{after}\", for = \"{held}\", every = \"{every}\" }}"))
            }
            Self::StampRepeats => faults(format!("habits.repeated_stamp = {}", often(&[1, 2, 3, 5], dice))),
            Self::ClockSetBack => {
                let (after, by) =
                    (millis(moment(length, dice)), millis(cycle * u32::try_from(dice.between(1, 5)).unwrap()));
                faults(format!("habits.stamps_as_shown = true\nclock_step = {{ after = \"{after}\", by = \"-{by}\" }}"))
            }
            Self::FalsePhase => {
                let phase = if dice.once_in(2) { format!(", phase = {}", dice.between(0, 4)) } else { String::new() };
                faults(format!("habits.false_phase = {{ when = {}{phase} }}", often(&[10, 30, 100], dice)))
            }
            Self::Excursion => faults(excursion(dice)),
            Self::NoResult => faults(format!("habits.no_result = {}", often(&[3, 5, 9], dice))),
            Self::MainsBlip => {
                let (after, every) = (millis(moment(length, dice)), millis(length));
                faults(format!("habits.mains_blip = {{ after = \"{after}\", for = \"8s\", every = \"{every}\" }}"))
            }
            Self::OddValue => {
                let form = dice.one_of(&["comma", "exponent", "inf", "over", "nan", "hash", "dashes", "missing"]);
                let gas = if dice.once_in(3) { ", gas = \"all\"" } else { "" };
                let when = often(&[2, 4, 7], dice);
                faults(format!("habits.odd_value = {{ when = {when}, as = \"{form}\"{gas} }}"))
            }
            Self::OddStamp => {
                let form = dice.one_of(&["float", "milliseconds"]);
                faults(format!("habits.odd_stamp = {{ when = {}, as = \"{form}\" }}", often(&[1, 2, 5], dice)))
            }
            other => other.draw_around(world, length, dice),
        }
    }

    /// Those of the valve, of the network and of the host.
    fn draw_around(self, world: &World, length: Duration, dice: &mut Dice) -> Drawn {
        let cycle = world.design.cycle;
        let faults = |faults: String| Drawn { faults, deeds: Vec::new() };
        let deeds = |deeds: Vec<(Duration, Deed)>| Drawn { faults: String::new(), deeds };
        match self {
            Self::MultiplexerSwapped => multiplexer_swapped(world, length, dice),
            Self::TurnedThereAndBack => {
                let (after, to) = (millis(moment(length, dice)), dice.between(1, world.design.ports.into()));
                let back = dice.between(2000, 6000);
                faults(format!("valve_moved_by_hand = {{ after = \"{after}\", to = {to}, back = \"{back}ms\" }}"))
            }
            Self::RestartedInOutage => {
                deeds(several(length, dice, |dice| Deed::RestartOutOfReach(dice.seconds(1, 20))))
            }
            Self::Outage => deeds(several(length, dice, |dice| {
                let line = if dice.once_in(2) { Line::Down } else { Line::Dumb };
                Deed::OutOfReach(line, dice.seconds(2, 90))
            })),
            Self::DaemonStopped => deeds(several(length, dice, |dice| Deed::StopDaemon(pause_of(cycle, dice)))),
            Self::HostSuspended => deeds(several(length, dice, |dice| Deed::SuspendHost(pause_of(cycle, dice)))),
            _ => Drawn::default(),
        }
    }
}

/// Within the run, and not at its very beginning.
fn moment(length: Duration, dice: &mut Dice) -> Duration {
    dice.seconds(20, length.as_secs().max(60))
}

/// One to three times.
fn several(length: Duration, dice: &mut Dice, deed: impl Fn(&mut Dice) -> Deed) -> Vec<(Duration, Deed)> {
    (0..dice.between(1, 3)).map(|_| (moment(length, dice), deed(dice))).collect()
}

/// Shorter than a phase, an iteration, or a little more.
fn pause_of(cycle: Duration, dice: &mut Dice) -> Duration {
    cycle * u32::try_from(dice.between(2, 140)).unwrap() / 100
}

fn millis(time: Duration) -> String {
    format!("{}ms", time.as_millis())
}

fn up_to(most: Duration, dice: &mut Dice) -> String {
    format!("{}ms", dice.between(1000, u64::try_from(most.as_millis()).unwrap()))
}

/// Each of so many, or one of so many by chance.
fn often(choices: &[u64], dice: &mut Dice) -> String {
    let times = choices[usize::try_from(dice.between(0, choices.len() as u64 - 1)).unwrap()];
    let how = dice.one_of(&["every", "one_in"]);
    format!("{{ {how} = {times} }}")
}

fn global(start: u64) -> String {
    format!("habits.counter.starts_at = {start}\nhabits.counter.global = true")
}

fn counter_numbers(length: Duration, dice: &mut Dice) -> String {
    match dice.between(1, 5) {
        1 => "habits.counter.by = 2".into(),
        2 => {
            let by = dice.one_of(&["1", "65", "66", "1000"]);
            format!("habits.counter.jumps = {{ when = {}, by = {by} }}", often(&[3, 7], dice))
        }
        3 => {
            let (end, start) = if dice.once_in(2) { (256, 250) } else { (65_536, 65_530) };
            global(start) + &format!("\nhabits.counter.wraps_at = {end}")
        }
        4 => global(dice.between(1, 100_000)),
        _ => {
            let after = millis(moment(length, dice));
            format!("habits.counter.back = {{ after = \"{after}\", by = {} }}", dice.between(1, 4))
        }
    }
}

fn excursion(dice: &mut Dice) -> String {
    let (state, phase) = (dice.one_of(&["8", "7", "3", "6", "2"]), dice.one_of(&["4", "0"]));
    let then = dice.one_of(&["goes_on", "anew", "no_result"]);
    let length = dice.between(1000, 15_000);
    format!(
        "habits.excursion = {{ when = {}, for = \"{length}ms\", state = {state}, phase = {phase}, then = \"{then}\" }}",
        often(&[3, 5, 9], dice)
    )
}

/// The line is pulled and put in again, and another valve or board is behind it.
fn multiplexer_swapped(world: &World, length: Duration, dice: &mut Dice) -> Drawn {
    let after = moment(length, dice);
    // It is there before the line is back.
    let swapped = millis(after + Duration::from_secs(5));
    let faults = if world.design.driver == Driver::Vici {
        let others = ["model = \"OTHER\"", "count = 7", "model = \"OTHER\", count = 40000"];
        let drawn = dice.one_of(&others);
        // Nobody can tell two apart that say the same. One of the same make differs by its count, which a legacy actuator
        // does not tell. And one that has moved a few times more is in all that it says ours, after somebody has turned
        // it: so ours has moved more often than that.
        let same = drawn == others[1] && world.design.faults.contains("legacy_valve = true");
        let other = if same { others[0] } else { drawn };
        format!("valve_count = 1200\nhabits.valve_swapped = {{ after = \"{swapped}\", {other} }}")
    } else {
        let coils = u64::from(world.design.ports) + dice.between(1, 8);
        format!("habits.relays_swapped = {{ after = \"{swapped}\", coils = {coils} }}")
    };
    Drawn { faults, deeds: vec![(after, Deed::ReplugValve)] }
}
