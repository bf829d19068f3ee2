//! `[analyzer]` and `[multiplexer]`: where the devices are, and how they are spoken to.

use std::time::Duration;

use super::{hours, milliseconds, minutes, seconds};
use crate::config::address;
use crate::config::kind::{ValueKind, choice, flag, span, text, whole};
use crate::config::multiplexer::park;
use crate::config::table::keys;
use crate::config::words::{Driver, SessionMode};
use crate::domain::{AfterRestart, Channel, StampMeaning};

keys! {
    /// Where the analyzer is, and how patient a run is with it.
    struct AnalyzerSettings {
        /// The AK server of the analyzer, host:port.
        restart address: String = text("host:port", address::server).or("192.168.0.100:8888".into());
        /// Whether that server keeps its connection open: "persistent", "oneshot" (it closes after every reply), or
        /// "auto" to find out.
        restart session: SessionMode = choice().or(SessionMode::Auto);
        /// The measurement task that a start uses unless it names another: its name or its number.
        reload task: String = task().or("DEFAULT".into());
        /// What the time stamp of a result means: "sampling" (when the gas was drawn), "calculated" (when the result
        /// was ready), or "auto" to find out from when results come. It differs by firmware.
        restart stamp: Option<StampMeaning> = choice().or(None);
        /// How often the analyzer is asked where it is. This bounds how sharply gas exchanges are seen.
        restart poll: Duration = span(milliseconds(100)..=minutes(1)).or(seconds(1));
        /// How long a run waits for an analyzer or a valve that went away.
        restart grace: Duration = span(Duration::ZERO..=hours(24)).or(minutes(2));
        /// How old the phase in a reply may be. It widens the window in which the gas of a sample may have been drawn.
        /// With this value gaserad also learns from the first iterations of each measurement; another is taken as it
        /// is.
        restart phase_lag: Duration = span(Duration::ZERO..=minutes(10)).or(seconds(2));
        /// How long after its iteration a result may show. It works like phase_lag.
        restart result_lag: Duration = span(Duration::ZERO..=minutes(10)).or(seconds(5));
        /// What becomes of a run when the analyzer restarts in it, as after a failure of the mains: "resume" prepares
        /// and starts it anew within grace, and measures the interrupted visit again; "fail" ends the run. If somebody
        /// stops the analyzer, the run ends either way. If it cannot be told which of both happened, "resume" leaves
        /// the analyzer alone, and the run waits until somebody resumes or aborts it.
        restart after_restart: AfterRestart = choice().or(AfterRestart::Resume);
    }
}

/// A measurement task; what the analyzer calls it is not known here.
pub(in crate::config) fn task() -> ValueKind<String> {
    text("text", |text| {
        let refused = || "is empty; name the analyzer's task, like \"DEFAULT\"".to_owned();
        if text.trim().is_empty() { Err(refused()) } else { Ok(text.to_owned()) }
    })
}

keys! {
    /// The multiplexer, without what its drivers need.
    struct MultiplexerSettings {
        /// "vici" for a VICI valve actuator on a serial line; "gpio" for one or two 16-way units that are told by
        /// pulses on GPIO lines; "modbus" for a board of relays, one for each channel. Each has a section below; a
        /// section of another driver than this one is a mistake. "simulated" moves nothing: with it the analyzer has to
        /// be simulated too (gaserad --simulate).
        restart driver: Driver = choice().or(Driver::Simulated).needed("\"vici\"");
        /// true: "simulated" is accepted beside a real analyzer, to try out an analyzer alone. No sample is good then:
        /// each has the flag valve_simulated and qc = 2.
        restart simulated_with_real_analyzer: bool = flag().or(false);
        /// How many sample lines it has: as many as there can be, which is 16 for one 16-way unit.
        restart channels: u8 = whole(1..=Channel::MAX).or_by_rule(Channel::MAX, "31");
        /// Where the valve goes when a run is over: "home" (channel 1), "stay", or the number of a channel.
        reload park: Option<Channel> = park().or(Some(Channel::HOME));
        /// How long the gas line settles after the valve has moved.
        reload settle: Duration = span(Duration::ZERO..=minutes(10)).or(seconds(5));
    }
}
