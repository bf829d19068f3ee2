//! What the analyzer answers to an AK command, as text: code, error digit, data.

use super::layout::{Layout, bit};
use super::plant::Plant;
use crate::domain::Utc;

/// Its tasks. Whichever is started, it measures the same gases.
const TASKS: [(u32, &str); 3] = [(7, "Calibration task"), (11, "DEFAULT"), (12, "FLUSH")];
/// Cell pressure in mbar, bypass and cell flush in seconds, flush cycles.
const SAMPLING: &str = "850 1 1 6";
const NAME: &str = "simulator";
const REFUSED: &str = "1";
const DONE: &str = "0";

impl Plant {
    /// Obeys one AK command and gives the reply's text, after [`Plant::advance`]: `ASTS 0 2`, `XXXX 1`.
    pub fn analyzer_command(&mut self, code: &str, data: &str) -> String {
        let reply = match code {
            "ASTS" => with(&self.analyzer.state().code().to_string()),
            "AMST" => with(&self.analyzer.phase().code().to_string()),
            "AITR" => with(&self.analyzer.iteration().to_string()),
            "AERR" => with(&self.faults.errors.join(" ")),
            "ACON" => self.concentrations(),
            "SCON" => self.set_layout(data),
            "ATSK" => with(&self.tasks()),
            "ATSP" => self.task_parameters(data),
            "STAM" => self.start_task(data),
            "STPM" => {
                self.stop_measuring();
                DONE.to_owned()
            }
            "SONL" => if bit(data.trim()).is_some() { DONE } else { REFUSED }.to_owned(),
            "ACLK" => with(&self.clock()),
            "ADEV" => with(&format!("\"Simulator\" \"000000\" \"{NAME}\" \"{}\"", env!("CARGO_PKG_VERSION"))),
            "ANAM" => with(NAME),
            _ => REFUSED.to_owned(),
        };
        format!("{code} {reply}")
    }

    fn concentrations(&self) -> String {
        let Some(result) = self.analyzer.result() else { return REFUSED.to_owned() };
        let layout = self.layout;
        let mut fields = Vec::new();
        for (cas, printed) in &result.readings {
            let stamp = layout.time.then(|| result.stamp.0.to_string());
            let cas = layout.cas.then(|| (*cas).to_owned());
            let printed = layout.concentration.then(|| printed.clone());
            // There is no sampler of its own: the one inlet.
            let inlet = layout.inlet.then(|| DONE.to_owned());
            fields.extend([stamp, cas, printed, inlet].into_iter().flatten());
        }
        with(&fields.join(" "))
    }

    fn set_layout(&mut self, data: &str) -> String {
        let Some(layout) = Layout::parse(data) else { return REFUSED.to_owned() };
        self.layout = layout;
        DONE.to_owned()
    }

    fn tasks(&self) -> String {
        let listed: Vec<String> = TASKS.iter().map(|(id, name)| format!("{id} {name}")).collect();
        if self.faults.no_tasks { String::new() } else { listed.join(" ") }
    }

    fn knows_task(&self, data: &str) -> bool {
        let id = data.trim().parse::<u32>().ok();
        !self.faults.no_tasks && TASKS.iter().any(|(known, _)| Some(*known) == id)
    }

    fn task_parameters(&self, data: &str) -> String {
        if !self.knows_task(data) {
            return REFUSED.to_owned();
        }
        let gases = super::gas::known_gas(1).map(|(cas, _)| cas).join(",");
        with(&format!("{gases} {SAMPLING}"))
    }

    fn start_task(&mut self, data: &str) -> String {
        let started = !self.faults.refuse_start && self.knows_task(data) && self.start_measuring();
        if started { DONE } else { REFUSED }.to_owned()
    }

    /// On its own clock, without a zone.
    fn clock(&self) -> String {
        let seconds = self.analyzer.clock(self.now()).0;
        let utc = Utc::from_micros(seconds.saturating_mul(1_000_000));
        utc.to_seconds_string().trim_end_matches('Z').to_owned()
    }
}

fn with(data: &str) -> String {
    format!("{DONE} {data}").trim_end().to_owned()
}
