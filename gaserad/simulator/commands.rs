//! What the analyzer answers to an AK command, as text: code, error digit, data.

use super::parameters;
use super::plant::Plant;
use super::setup::Setup;
use crate::ak::{AkRequest, Command, Layout, write_network};
use crate::domain::instrument::SelfTest;
use crate::domain::{AnalyzerPhase, Cas, Utc};

/// Cell pressure in mbar, bypass and cell flush in seconds, flush cycles.
const SAMPLING: &str = "850 1 1 6";
/// Of every inlet of its sampler: active, and seconds of bypass.
const INLET: &str = "1 30";
const NAME: &str = "simulator";
const SERIAL: &str = "000000";
const REFUSED: &str = "1";
const DONE: &str = "0";
const NO_SAMPLER: &str = "2";

impl Plant {
    /// Obeys one AK command and gives the reply's text, after [`Plant::advance`]: `ASTS 0 2`, `XXXX 1`.
    pub fn analyzer_command(&mut self, code: &str, data: &str) -> String {
        let request = AkRequest { code: code.to_owned(), channel: "K0".to_owned(), data: data.trim().to_owned() };
        let known = !self.faults.refuse.iter().any(|refused| refused == code);
        let reply = match Command::of(&request).filter(|_| known) {
            Some(command) => self.obey(command),
            None => REFUSED.to_owned(),
        };
        format!("{code} {reply}")
    }

    fn obey(&mut self, command: Command) -> String {
        match command {
            Command::State => with(&self.analyzer.told_state(self.now()).code().to_string()),
            Command::Phase => with(&self.told_phase().code().to_string()),
            Command::Iteration => with(&self.analyzer.told_iteration(self.now()).to_string()),
            Command::Errors => with(&self.errors.join(" ")),
            Command::Results => self.concentrations(),
            Command::Tasks => with(&self.tasks()),
            Command::TaskParameters { task } => self.task_parameters(task),
            Command::Clock => with(&self.clock()),
            Command::Identity => {
                with(&format!("\"Simulator\" \"{}\" \"{NAME}\" \"{}\"", self.serial(), env!("CARGO_PKG_VERSION")))
            }
            Command::Name => with(NAME),
            Command::Network => with(&write_network(&self.setup.network)),
            Command::Parameter(name) => parameters::find(&name).map_or(REFUSED.to_owned(), with),
            Command::SystemParameters => with(&parameters::list()),
            Command::Inlets => self.inlets(),
            Command::SelfTestResult => with(self_test_code(self.analyzer.self_test())),
            order => if self.carry_out(order) { DONE } else { REFUSED }.to_owned(),
        }
    }

    /// Whether it did.
    fn carry_out(&mut self, order: Command) -> bool {
        match order {
            Command::Start { task } => return self.start_task(|(id, _)| *id == task),
            Command::StartByName(name) => return self.start_task(|(_, known)| *known == name),
            Command::Stop => self.stop_measuring(),
            Command::Layout(layout) => self.setup.layout = layout,
            Command::Order(gases) => return self.set_order(gases),
            Command::Tuning(every) => self.analyzer.tune(every),
            Command::SetNetwork(network) => self.setup.next_network = Some(network),
            Command::SelfTest => return self.test_analyzer(),
            Command::Reboot => self.reboot_analyzer(),
            // Nothing is ever stored here.
            Command::Online(_) => {}
            _ => return false,
        }
        true
    }

    fn concentrations(&self) -> String {
        let Some(result) = self.analyzer.told_result(self.now()) else { return REFUSED.to_owned() };
        let Setup { layout: Layout { time, cas, concentration, inlet }, .. } = self.setup;
        let mut readings = result.written();
        readings.sort_by_key(|(gas, _)| self.setup.place(gas));
        let mut fields = Vec::new();
        for (gas, printed) in readings {
            let stamp = time.then(|| result.written_stamp());
            let gas = cas.then(|| gas.to_owned());
            let printed = concentration.then_some(printed);
            // Whatever its sampler does: the gas came through the valve.
            let inlet = (inlet == Some(true)).then(|| "0".to_owned());
            fields.extend([stamp, gas, printed, inlet].into_iter().flatten());
        }
        with(&fields.join(" "))
    }

    fn told_phase(&mut self) -> AnalyzerPhase {
        let now = self.now();
        self.analyzer.told_phase(now)
    }

    fn serial(&self) -> &str {
        let swapped = self.faults.habits.analyzer_swapped.as_ref();
        swapped.filter(|swapped| swapped.after <= self.age()).map_or(SERIAL, |swapped| &swapped.serial)
    }

    fn set_order(&mut self, gases: Vec<Cas>) -> bool {
        let flows = |cas: &Cas| super::gas::known_gas(1).iter().any(|(known, _)| *known == cas.0);
        let known = gases.iter().all(flows);
        if known {
            self.setup.order = gases;
        }
        known
    }

    fn known_tasks(&self) -> &[(u32, String)] {
        if self.faults.no_tasks { &[] } else { &self.faults.tasks }
    }

    fn tasks(&self) -> String {
        let listed: Vec<String> = self.known_tasks().iter().map(|(id, name)| format!("{id} {name}")).collect();
        listed.join(" ")
    }

    fn task_parameters(&self, task: u32) -> String {
        if !self.known_tasks().iter().any(|(id, _)| *id == task) {
            return REFUSED.to_owned();
        }
        let gases = super::gas::known_gas(1).map(|(cas, _)| cas).join(",");
        with(&format!("{gases} {SAMPLING}"))
    }

    fn start_task(&mut self, is_it: impl Fn(&(u32, String)) -> bool) -> bool {
        let known = !self.faults.refuse_start && self.known_tasks().iter().any(is_it);
        let indulgent = self.faults.start_while_measuring && self.measures();
        known && (indulgent || self.start_measuring())
    }

    fn inlets(&self) -> String {
        let Some(count) = self.faults.sampler else { return NO_SAMPLER.to_owned() };
        let inlets: Vec<String> = (1..=count).map(|inlet| format!("{inlet} {INLET}")).collect();
        with(&inlets.join(" "))
    }

    /// On its own clock, without a zone.
    fn clock(&self) -> String {
        let seconds = self.analyzer.clock(self.now()).0;
        let utc = Utc::from_micros(seconds.saturating_mul(1_000_000));
        utc.to_seconds_string().trim_end_matches('Z').to_owned()
    }
}

const fn self_test_code(outcome: SelfTest) -> &'static str {
    match outcome {
        SelfTest::NotAvailable => "-2",
        SelfTest::Running => "-1",
        SelfTest::Failed => "0",
        SelfTest::Passed => "1",
    }
}

fn with(data: &str) -> String {
    format!("{DONE} {data}").trim_end().to_owned()
}
