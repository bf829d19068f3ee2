//! What a seed makes of a world: its instrument with its habits, its valve, its plan.

use std::collections::BTreeMap;
use std::time::Duration;

use gasera::device::SessionMode;
use gasera::domain::plan::Stop;
use gasera::domain::{Background, Cas, Channel, ChannelPlan, Plan, PlanDraft, Sync};

use crate::support::stack::Design;
use crate::support::stack::dice::Dice;
use crate::support::stack::ledger::Margin;
use crate::support::stack::valves::{Driver, Senses};

const AMMONIA: &str = "7664-41-7";

/// What a world is.
pub struct World {
    pub design: Design,
    /// Which driver it is about, and how.
    pub driver: &'static str,
    /// How slowly ammonia follows the valve.
    lag: Duration,
    /// The firmware tells the phases of an iteration.
    pub tells_phases: bool,
    pub plan: Plan,
}

impl World {
    pub fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let (driver, name, valve) = driver(&mut dice);
        let channels = u8::try_from(dice.between(2, 31)).unwrap().min(driver.most_channels());
        let lag = if dice.once_in(3) { dice.seconds(1, 30) } else { Duration::from_millis(800) };
        let tells_phases = !dice.once_in(12);
        let refused = match (tells_phases, dice.once_in(6)) {
            (true, false) => "[]",
            (true, true) => "[\"AITR\"]",
            (false, false) => "[\"AMST\"]",
            (false, true) => "[\"AMST\", \"AITR\"]",
        };
        // One with two ports and no AM may turn a valve with two positions: it is not moved.
        let fewest = if valve == "legacy_valve = true" { 3 } else { 0 };
        let habits = habits(&mut dice);
        let lags = format!("lag = {{ \"{AMMONIA}\" = \"{}ms\" }}", lag.as_millis());
        let design = Design {
            faults: format!("{habits}\n{valve}\nrefuse = {refused}\n{lags}"),
            cycle: dice.seconds(40, 100),
            seed,
            driver,
            ports: 31.min(channels + u8::try_from(dice.between(0, 3)).unwrap()).max(fewest),
            channels,
            poll: Duration::from_millis(dice.between(500, 2000)),
            mode: if dice.once_in(3) { SessionMode::Persistent } else { SessionMode::Auto },
            ..Design::default()
        };
        let plan = Plan::new(PlanDraft::default()).unwrap();
        let mut world = Self { design, driver: name, lag, tells_phases, plan };
        world.plan = world.choose_plan(&mut dice);
        world
    }

    /// An iteration and half of what it may vary more, at most.
    fn longest_iteration(&self) -> Duration {
        self.design.cycle * 11 / 10
    }

    /// Some readings of the analyzer, and what it takes to answer them.
    fn few_polls(&self) -> Duration {
        self.design.poll * 5 + Duration::from_secs(2)
    }

    /// What cannot be known of a gas exchange.
    pub fn margin(&self) -> Margin {
        if self.tells_phases {
            return Margin::default();
        }
        Margin { before: self.few_polls(), after: self.longest_iteration() + self.few_polls() }
    }

    /// Whether each visit lasts so long that it must have a good record, however little the analyzer tells.
    pub fn is_generous(&self) -> bool {
        let iteration = self.longest_iteration();
        let suffices = |stop: &Stop| {
            let measure = iteration * (2 + stop.discard_first) + self.few_polls();
            stop.purge >= iteration + self.few_polls() && stop.measure >= measure && stop.iterations.is_none()
        };
        self.plan.stops().iter().filter(|stop| stop.measured).all(suffices)
    }

    fn choose_plan(&self, dice: &mut Dice) -> Plan {
        let channels = self.design.channels;
        let sync = if dice.once_in(3) { Sync::Dwell } else { Sync::Analyzer };
        let analyzer = sync == Sync::Analyzer;
        let all = dice.once_in(16);
        let few = dice.between(2, u64::from(channels).min(6));
        let listed: Vec<String> = (0..few).map(|_| dice.between(1, channels.into()).to_string()).collect();
        let listed = if all { "all".to_owned() } else { listed.join(",") };
        let (least, most) = if !self.tells_phases && dice.once_in(2) { (300, 400) } else { (10, 250) };
        let most = if all { least + 50 } else { most };
        let background = Background { channel: any(channels, dice), every: u32::try_from(dice.between(1, 3)).unwrap() };
        let mut draft = PlanDraft {
            channels: listed,
            channel_count: channels,
            repeats: if all { 1 } else { u32::try_from(dice.between(1, 2)).unwrap() },
            purge: if least > 100 { dice.seconds(130, 150) } else { dice.seconds(0, 90) },
            measure: dice.seconds(least, most),
            iterations: (analyzer && least < 100 && dice.once_in(2))
                .then(|| u32::try_from(dice.between(1, 3)).unwrap()),
            sync,
            settle: dice.seconds(3, 8),
            discard_first: u32::from(dice.once_in(3)),
            background: (analyzer && dice.once_in(4)).then_some(background),
            overlap: !dice.once_in(3),
            park: dice.once_in(3).then(|| any(channels, dice)),
            exceptions: exceptions(channels, sync, dice),
            ..PlanDraft::default()
        };
        draft.gas_discards = self.gas_discards(&draft);
        Plan::new(draft.clone()).unwrap_or_else(|_| Plan::new(PlanDraft { background: None, ..draft }).unwrap())
    }

    /// So many samples of ammonia are left out that what is not is of its channel.
    fn gas_discards(&self, draft: &PlanDraft) -> BTreeMap<Cas, u32> {
        let purges = draft.exceptions.iter().filter_map(|exception| exception.purge).chain([draft.purge]);
        let flushed = draft.settle + purges.min().unwrap_or_default();
        // An iteration is shorter than usual by a tenth at most.
        let discards = (self.lag * 5).saturating_sub(flushed).as_secs_f64() / (self.design.cycle.as_secs_f64() * 0.9);
        let discards = (0..100).find(|count| f64::from(*count) >= discards).unwrap_or(0);
        if discards > 0 { BTreeMap::from([(Cas(AMMONIA.into()), discards)]) } else { BTreeMap::new() }
    }
}

fn any(channels: u8, dice: &mut Dice) -> Channel {
    Channel::new(u8::try_from(dice.between(1, channels.into())).unwrap()).unwrap()
}

/// What is different on some channels.
fn exceptions(channels: u8, sync: Sync, dice: &mut Dice) -> Vec<ChannelPlan> {
    let count = if dice.once_in(3) { dice.between(1, 3) } else { 0 };
    let mut exceptions = BTreeMap::new();
    for _ in 0..count {
        let channel = any(channels, dice);
        let exception = ChannelPlan {
            channel,
            purge: dice.once_in(2).then(|| dice.seconds(0, 120)),
            measure: dice.once_in(2).then(|| dice.seconds(10, 250)),
            iterations: (sync == Sync::Analyzer && dice.once_in(4)).then(|| u32::try_from(dice.between(1, 3)).unwrap()),
            discard_first: dice.once_in(3).then(|| u32::try_from(dice.between(0, 2)).unwrap()),
        };
        exceptions.insert(channel, exception);
    }
    exceptions.into_values().collect()
}

/// The driver, what it is called, and the plant's habits that concern it.
fn driver(dice: &mut Dice) -> (Driver, &'static str, &'static str) {
    let units = u8::try_from(dice.between(1, 2)).unwrap();
    let singly = if dice.once_in(3) { "modbus_single_coils = true" } else { "" };
    let pulses = |senses| Driver::Pulses { units, senses };
    match dice.between(1, 10) {
        1..=2 => (Driver::Vici, "vici", "legacy_valve = false"),
        3..=4 => (Driver::Vici, "vici, legacy dialect", "legacy_valve = true"),
        6 => (pulses(Senses::Home), "gpio, home sensors", ""),
        7 => (pulses(Senses::Position), "gpio, position inputs", ""),
        8 => (Driver::RelaysOverTcp, "modbus, tcp", singly),
        9 => (Driver::RelaysOverRtu, "modbus, rtu", singly),
        _ => (pulses(Senses::Nothing), "gpio, counted", ""),
    }
}

/// The instruments' habits, none of which is a failure.
fn habits(dice: &mut Dice) -> String {
    let mut faults = vec![format!("cancel_time = \"{}ms\"", dice.between(0, 12_000))];
    let (sign, drift) = (dice.one_of(&["", "-"]), dice.one_of(&["0.0", "20.0", "-100.0"]));
    faults.push(format!("clock_offset = \"{sign}{}ms\"\nclock_drift = {drift}", dice.between(0, 7_200_000)));
    faults.push(format!("stamp = \"{}\"", dice.one_of(&["sampling", "calculated"])));
    faults.push(format!("jitter = 0.0{}", dice.between(0, 9)));
    if dice.once_in(3) {
        faults.push(format!("slow_reply = \"{}ms\"", dice.between(1, 200)));
    }
    match dice.between(1, 12) {
        1..=3 => faults.push("close_after_reply = true".into()),
        4 => faults.push("junk = true".into()),
        5 => faults.push("reply_byte_by_byte = true".into()),
        _ => {}
    }
    faults.join("\n")
}
