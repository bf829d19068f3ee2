//! What a seed makes of a life: its devices, its settings, what people ask, and what befalls it, one thing after the other.

use std::time::Duration;

use gasera::domain::{Control, Denied, FinishAfter, Plan, PlanDraft, StartRequest, Sync, ValveOrder};
use gasera::runtime::Handle;

use super::host::Host;
use crate::support::stack::Design;
use crate::support::stack::dice::Dice;
use crate::support::stack::wire::Line;
use crate::worlds::chosen::World;

/// Where the valve is parked after every run.
pub const PARK: u8 = 2;

/// What no plant does by habit.
const FAULTS: [&str; 8] = [
    "reply_stalls = { every = 97 }",
    "reset = { every = 61 }",
    "unsolicited = { every = 43 }",
    "valve_between_ports = 3",
    "reboot_after = \"4m\"",
    "malfunction_after = \"5m\"",
    "analyzer_silent_after = \"3m\"\nanalyzer_silent_for = \"40s\"",
    "errors_after = { after = \"3m\", codes = [\"8012\"] }",
];

pub struct Life {
    pub dice: Dice,
    pub design: Design,
    pub settings: String,
}

impl Life {
    pub fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed ^ 0x11fe);
        let mut design = World::new(seed).design;
        design.cycle = dice.seconds(20, 45);
        if dice.once_in(3) {
            let fault = dice.one_of(&FAULTS);
            // Some habits are said already.
            if !design.faults.contains(fault.split(' ').next().unwrap()) {
                design.faults = format!("{fault}\n{}", design.faults);
            }
        }
        let mut reaction = || dice.one_of(&["go_on", "pause"]);
        let (errors, valve, clock) = (reaction(), reaction(), reaction());
        let (on_restart, outage) = (dice.one_of(&["resume", "resume", "end"]), dice.one_of(&["1m", "1h"]));
        let settings = format!(
            "[listen]\naddresses = [\"127.0.0.1:0\"]\n[analyzer]\naddress = \"192.0.2.1:8888\"\n\
             [multiplexer]\ndriver = \"simulated\"\n\
             [pause]\nanalyzer_errors = \"{errors}\"\nvalve = \"{valve}\"\nclock = \"{clock}\"\n\
             [store]\nmin_free_mb = 0\non_restart = \"{on_restart}\"\nmax_outage = \"{outage}\""
        );
        Self { dice, design, settings }
    }

    fn plan(&mut self) -> Plan {
        let dice = &mut self.dice;
        let analyzer = !dice.once_in(3);
        let most = u64::from(self.design.channels.min(4));
        let channels: Vec<String> = (0..dice.between(1, 3)).map(|_| dice.between(1, most).to_string()).collect();
        let draft = PlanDraft {
            channels: channels.join(","),
            channel_count: self.design.channels,
            repeats: u32::try_from(dice.between(1, 2)).unwrap(),
            purge: dice.seconds(0, 30),
            measure: dice.seconds(10, 90),
            iterations: (analyzer && dice.once_in(2)).then_some(1),
            sync: if analyzer { Sync::Analyzer } else { Sync::Dwell },
            overlap: !dice.once_in(3),
            park: gasera::domain::Channel::new(PARK.min(self.design.channels)),
            ..PlanDraft::default()
        };
        Plan::new(draft).unwrap()
    }

    /// One thing that happens.
    pub async fn happen(&mut self, host: &mut Host) {
        match self.dice.between(1, 16) {
            1..=4 => self.start(host),
            5..=7 => self.control(host),
            8 => host.ask(async |handle: Handle, who| handle.abort(who, None).await.map(drop)),
            9 => self.move_valve(host),
            10 => host.analyzer_wire.be(self.line()),
            11 => host.valve_wire.be(self.line()),
            12 => {
                let by = i64::try_from(self.dice.between(0, 14_400)).unwrap() - 7200;
                host.clock.set_by(by);
            }
            13 => host.disk.fill_for(self.dice.seconds(1, 90)),
            14 | 15 => self.end(host, true).await,
            _ => self.end(host, false).await,
        }
    }

    fn start(&mut self, host: &mut Host) {
        let (plan, queue) = (self.plan(), self.dice.once_in(3));
        host.ask(async move |handle: Handle, who| {
            handle.start(StartRequest { queue, ..StartRequest::new(plan, who) }).await.map(drop)
        });
    }

    fn control(&mut self, host: &mut Host) {
        let control = match self.dice.between(1, 6) {
            1 => Control::Pause { now: self.dice.once_in(2) },
            2 | 3 => Control::Resume,
            4 => Control::Skip,
            5 => {
                Control::Finish { after: if self.dice.once_in(2) { FinishAfter::Channel } else { FinishAfter::Repeat } }
            }
            _ => Control::Note { text: "windy".into() },
        };
        host.ask(async move |handle: Handle, who| handle.control(control, who).await.map(drop));
    }

    fn move_valve(&mut self, host: &mut Host) {
        let order = if self.dice.once_in(2) { ValveOrder::Home } else { ValveOrder::Where };
        host.ask(async move |handle: Handle, who| -> Result<(), Denied> { handle.move_valve(order, who).await });
    }

    fn line(&mut self) -> Line {
        let lines = [Line::Dumb, Line::Down, Line::HalfAReply, Line::Reset, Line::Noisy, Line::Sound, Line::Sound];
        lines[usize::try_from(self.dice.between(0, 6)).unwrap()]
    }

    /// The daemon ends, in order or not, and is there again after a while.
    async fn end(&mut self, host: &mut Host, in_order: bool) {
        if in_order && self.dice.once_in(3) {
            host.shut_down().await;
        } else {
            host.crash(&mut self.dice).await;
        }
        let outage = self.dice.between(0, 90_000);
        tokio::time::sleep(Duration::from_millis(outage)).await;
        host.boot();
    }
}
