//! What of the settings decides which gas a run measures, and what of it has changed since the run began.
//!
//! A run goes on by itself only with the instruments that it began with. Labels, listeners, retention and patience may
//! change under it.

use toml::Table;

use super::circumstances;
use crate::config::Settings;
use crate::domain::{Provenance, RunSummary};
use crate::engine::Untouched;

/// As a sentence goes on behind "and".
pub(super) struct Changed {
    pub text: String,
    pub untouched: Untouched,
}

/// Where the valve is and which of its ports are which. What only says how fast or in which dialect it is spoken to is left
/// out.
const VALVE: [&str; 18] = [
    "multiplexer.channels",
    "multiplexer.vici.port",
    "multiplexer.vici.address",
    "multiplexer.gpio.chip",
    "multiplexer.gpio.units",
    "multiplexer.gpio.home1",
    "multiplexer.gpio.next1",
    "multiplexer.gpio.home_sensor1",
    "multiplexer.gpio.position1",
    "multiplexer.gpio.home2",
    "multiplexer.gpio.next2",
    "multiplexer.gpio.home_sensor2",
    "multiplexer.gpio.position2",
    "multiplexer.modbus.address",
    "multiplexer.modbus.port",
    "multiplexer.modbus.unit",
    "multiplexer.modbus.first_coil",
    "multiplexer.simulated_with_real_analyzer",
];

/// What differs from when the run began, if that is known.
pub(super) fn since(run: &RunSummary, began: &Provenance, settings: &Settings) -> Option<Changed> {
    let now = circumstances::of(settings).provenance;
    let (before, now_settings) = match (began.configuration.parse::<Table>(), now.configuration.parse::<Table>()) {
        // A run of a version that kept no settings.
        _ if began.configuration.is_empty() => return None,
        (Ok(before), Ok(now)) => (before, now),
        (Err(error), _) | (_, Err(error)) => {
            tracing::warn!(run = %run.id, "the settings that the run began with cannot be read, and are not compared: {error}");
            return None;
        }
    };
    let differs = |key: &str| {
        let (was, is) = (value(&before, key), value(&now_settings, key));
        (was != is).then(|| sentence(key, was.as_deref(), is.as_deref()))
    };
    let mut changes: Vec<String> = Vec::new();
    let simulated = began.simulated != now.simulated;
    if simulated {
        let word = |simulated| if simulated { "simulated" } else { "real" };
        changes.push(format!("the instruments were {} and are {}", word(began.simulated), word(now.simulated)));
    }
    let real = !simulated && !now.simulated;
    let address = differs("analyzer.address").filter(|_| real);
    let analyzer = simulated || address.is_some();
    changes.extend(address);
    // A task that the start named is what the run measures, whatever the settings say.
    changes.extend(differs("analyzer.task").filter(|_| value(&before, "analyzer.task") == Some(run.plan.task.clone())));
    if began.multiplexer != now.multiplexer && !simulated {
        changes.push(sentence("multiplexer.driver", Some(&began.multiplexer), Some(&now.multiplexer)));
    } else {
        changes.extend(VALVE.into_iter().filter(|key| real || *key == VALVE[0]).filter_map(differs));
    }
    let text = format!("the settings are no longer those that it began with: {}", changes.join("; "));
    (!changes.is_empty()).then_some(Changed { text, untouched: Untouched { analyzer, valve: true } })
}

/// `[multiplexer.vici] port was "/dev/a" and is "/dev/b"`.
fn sentence(key: &str, was: Option<&str>, is: Option<&str>) -> String {
    let (section, key) = key.rsplit_once('.').unwrap_or(("", key));
    let word = |value: Option<&str>| value.map_or_else(|| "not set".to_owned(), |value| format!("{value:?}"));
    format!("[{section}] {key} was {} and is {}", word(was), word(is))
}

fn value(table: &Table, path: &str) -> Option<String> {
    let mut keys = path.split('.');
    let first = table.get(keys.next()?)?;
    let found = keys.try_fold(first, |value, key| value.get(key))?;
    Some(found.as_str().map_or_else(|| found.to_string(), str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{self, Environment, Overrides};
    use crate::domain::{Plan, PlanDraft, RunId, Utc, WithoutChannel};

    const VICI: &str = "[analyzer]\naddress = \"10.0.0.1:8888\"\n[multiplexer]\ndriver = \"vici\"\nchannels = 8\n\
                        [multiplexer.vici]\nport = \"/dev/valve\"\n";
    const MODBUS: &str = "[analyzer]\naddress = \"10.0.0.1:8888\"\n[multiplexer]\ndriver = \"modbus\"\nchannels = 8\n\
                          [multiplexer.modbus]\naddress = \"relays:502\"\n";

    fn settings(text: &str, simulate: bool) -> Settings {
        let environment = Environment { system: true, ..Environment::default() };
        config::parse(text, "x", &Overrides { simulate, ..Overrides::default() }, &environment).unwrap()
    }

    fn run(task: &str) -> RunSummary {
        let plan = Plan::new(PlanDraft { channels: "1".into(), task: task.into(), ..PlanDraft::default() }).unwrap();
        let (id, started, reason) = (RunId("RUN".into()), Utc::default(), String::new());
        let without_channel = WithoutChannel::default();
        RunSummary {
            id,
            plan,
            started,
            ended: None,
            outcome: None,
            reason,
            records: 0,
            good_records: 0,
            without_channel,
        }
    }

    fn change(before: &str, after: &str) -> Option<Changed> {
        since(&run("DEFAULT"), &circumstances::of(&settings(before, false)).provenance, &settings(after, false))
    }

    #[test]
    fn change_of_what_decides_the_gas_is_named_from_what_to_what() {
        for (before, from, to, says, analyzer) in [
            (
                VICI,
                "/dev/valve",
                "/dev/other",
                "[multiplexer.vici] port was \"/dev/valve\" and is \"/dev/other\"",
                false,
            ),
            (VICI, "10.0.0.1", "10.0.0.2", "[analyzer] address was \"10.0.0.1:8888\" and is \"10.0.0.2:8888\"", true),
            (VICI, "channels = 8", "channels = 7", "[multiplexer] channels was \"8\" and is \"7\"", false),
            (
                VICI,
                "[multiplexer.vici]",
                "[multiplexer.vici]\naddress = \"3\"",
                "address was not set and is \"3\"",
                false,
            ),
            (VICI, "[analyzer]", "[analyzer]\ntask = \"12\"", "[analyzer] task was \"DEFAULT\" and is \"12\"", false),
            (MODBUS, "relays:502", "relays:503", "address was \"relays:502\" and is \"relays:503\"", false),
            (
                MODBUS,
                "[multiplexer.modbus]",
                "[multiplexer.modbus]\nfirst_coil = 8",
                "first_coil was \"0\" and is \"8\"",
                false,
            ),
        ] {
            let changed = change(before, &before.replace(from, to)).unwrap();
            assert!(changed.text.contains(says), "{says}: {}", changed.text);
            assert_eq!(changed.untouched, Untouched { analyzer, valve: true }, "{says}");
            assert!(change(before, before).is_none());
        }
        let driver = change(VICI, MODBUS).unwrap();
        let says =
            "the settings are no longer those that it began with: [multiplexer] driver was \"vici\" and is \"modbus\"";
        assert_eq!(driver.text, says);
    }

    #[test]
    fn change_of_anything_else_does_not_hinder_a_run() {
        for more in [
            "[channels.1]\nlabel = \"barn\"\n",
            "[listen]\naddresses = [\"127.0.0.1:1\"]\n",
            "[store.retention]\nkeep = \"30d\"\n",
            "[plan]\nmeasure = \"10m\"\n",
            "[site]\nname = \"barn\"\n",
        ] {
            assert!(change(VICI, &format!("{VICI}{more}")).is_none(), "{more}");
        }
        let patient = VICI.replace("[multiplexer]", "grace = \"5m\"\npoll = \"2s\"\n[multiplexer]\nsettle = \"9s\"");
        assert!(change(VICI, &format!("{patient}baud = 19200\n")).is_none());
        let began = circumstances::of(&settings(VICI, false)).provenance;
        let task = settings(&VICI.replace("[analyzer]", "[analyzer]\ntask = \"12\""), false);
        assert!(since(&run("11"), &began, &task).is_none(), "the start had named another task");
        assert!(since(&run("DEFAULT"), &Provenance::default(), &settings(VICI, false)).is_none(), "nothing was kept");
        let broken = Provenance { configuration: "[".into(), ..Provenance::default() };
        assert!(since(&run("DEFAULT"), &broken, &settings(VICI, false)).is_none());
    }

    #[test]
    fn simulated_run_does_not_go_on_with_real_instruments() {
        let began = circumstances::of(&settings(VICI, true)).provenance;
        assert!(since(&run("DEFAULT"), &began, &settings(&VICI.replace("/dev/valve", "/dev/other"), true)).is_none());
        let changed = since(&run("DEFAULT"), &began, &settings(VICI, false)).unwrap();
        assert!(changed.text.contains("the instruments were simulated and are real"), "{}", changed.text);
        assert!(changed.untouched.analyzer);
    }
}
