//! The analyzer and the multiplexer as instruments: the wording for people, the JSON for scripts.

use gasera::domain::status::MultiplexerStatus;
use gasera::domain::{Cas, Channel, Position, Verification};
use gasera::proto::{
    self, Device, DeviceError, GetClockResponse, Inlet, ListTasksResponse, Mux, Parameter, PositionState, Severity,
    Task,
};
use serde_json::{Value, json};

use super::table::{table, written};
use super::words;

/// The reply to a question with an error: a code behind the command that is not 0. From a sampler, 2 says that there is
/// none. An order that is refused has no reply.
pub fn is_refusal(reply: &str) -> bool {
    let mut words = reply.split_whitespace();
    match (words.next(), words.next()) {
        (Some("AMPS"), Some("2")) => false,
        (command, code) => {
            command.is_some_and(|command| command.starts_with('A')) && code.is_some_and(|code| code != "0")
        }
    }
}

pub fn device(device: &Device, parameters: bool) -> String {
    let temperature = device.cell_temperature_c.map_or_else(String::new, |celsius| format!("{celsius:.1} °C"));
    let inlets = device.sampler.as_ref().map_or_else(String::new, |sampler| inlets(&sampler.inlets));
    let listed = if parameters || device.parameters.is_empty() {
        String::new()
    } else {
        format!("{}; --parameters lists them", device.parameters.len())
    };
    let lines = [
        ("Manufacturer", device.manufacturer.clone()),
        ("Model", device.model.clone()),
        ("Name", device.name.clone()),
        ("Serial", device.serial.clone()),
        ("Firmware", device.firmware.clone()),
        ("Network", device.network.as_ref().map_or_else(String::new, network)),
        ("Cell", temperature),
        ("Inlets", inlets),
        ("Parameters", listed),
        ("Unsupported", device.unsupported.join(" ")),
    ];
    let told = lines.into_iter().filter(|(_, value)| !value.is_empty());
    let head: Vec<String> = told.map(|(name, value)| format!("{name:<12} {value}\n")).collect();
    let head = head.concat();
    if parameters && !device.parameters.is_empty() {
        format!("{head}\n{}", self::parameters(&device.parameters))
    } else {
        head
    }
}

fn network(network: &proto::Network) -> String {
    let or_none = |text: &str| if text.is_empty() { "none".to_owned() } else { text.to_owned() };
    let how = if network.dhcp { "by DHCP" } else { "fixed" };
    let (netmask, gateway) = (or_none(&network.netmask), or_none(&network.gateway));
    format!("{} ({how}), netmask {netmask}, gateway {gateway}", or_none(&network.address))
}

fn inlets(inlets: &[Inlet]) -> String {
    let inlet = |inlet: &Inlet| {
        let off = if inlet.active { "" } else { ", off" };
        format!("{} (bypass {} s{off})", inlet.id, inlet.bypass_s)
    };
    inlets.iter().map(inlet).collect::<Vec<_>>().join(", ")
}

fn parameters(parameters: &[Parameter]) -> String {
    let mut table = table(&["PARAMETER", "VALUE", "MIN", "MAX", "UNIT"], &[1, 2, 3]);
    let or_dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".into());
    for Parameter { name, value, min, max, unit } in parameters {
        table.add_row([name.clone(), or_dash(value), or_dash(min), or_dash(max), or_dash(unit)]);
    }
    written(&table)
}

pub fn device_json(device: &Device) -> Value {
    let network = device.network.as_ref().map(|network| {
        json!({
            "dhcp": network.dhcp,
            "address": network.address,
            "netmask": network.netmask,
            "gateway": network.gateway,
        })
    });
    let inlet = |inlet: &Inlet| json!({ "id": inlet.id, "active": inlet.active, "bypass_s": inlet.bypass_s });
    let inlets = device.sampler.as_ref().map(|sampler| sampler.inlets.iter().map(inlet).collect::<Value>());
    let parameter = |Parameter { name, value, min, max, unit }: &Parameter| json!({ "name": name, "value": value, "min": min, "max": max, "unit": unit });
    json!({
        "manufacturer": device.manufacturer,
        "serial": device.serial,
        "model": device.model,
        "firmware": device.firmware,
        "name": device.name,
        "cell_temperature_c": device.cell_temperature_c,
        "network": network,
        "inlets": inlets,
        "parameters": device.parameters.iter().map(parameter).collect::<Value>(),
        "unsupported": device.unsupported,
    })
}

pub fn tasks(list: &ListTasksResponse) -> String {
    let mut table = table(&["ID", "NAME", "GASES", "PRESSURE", "FLUSH"], &[0]);
    for task in &list.tasks {
        let unsure = if task.confirmed || !list.ambiguous { "" } else { " (?)" };
        let (gases, pressure, flush) = parts(task);
        table.add_row([task.id.to_string(), format!("{}{unsure}", task.name), gases, pressure, flush]);
    }
    let ambiguous = if list.ambiguous {
        format!(
            "\nambiguous: the list can be read in more than one way, so names may be cut wrongly; start by id, and \
             compare with the analyzer's display. It wrote:\n  {}\n",
            list.raw
        )
    } else {
        String::new()
    };
    written(&table) + &ambiguous
}

/// The gases, the pressure and the flushing of a task, as far as the analyzer tells.
fn parts(task: &Task) -> (String, String, String) {
    let Some(parameters) = &task.parameters else { return ("-".into(), "-".into(), "-".into()) };
    let gases: Vec<String> = parameters.gases.iter().map(|cas| Cas(cas.clone()).formula().to_owned()).collect();
    let pressure = parameters.pressure_mbar.map_or_else(|| "-".into(), |mbar| format!("{mbar} mbar"));
    let seconds = |name: &str, value: Option<f64>| value.map(|value| format!("{name} {value} s"));
    let cycles = parameters.flush_cycles.map(|cycles| words::count(cycles.into(), "cycle"));
    let flush = [seconds("bypass", parameters.flush_bypass_s), seconds("cell", parameters.flush_cell_s), cycles];
    let flush: Vec<String> = flush.into_iter().flatten().collect();
    (gases.join(" "), pressure, flush.join(", "))
}

pub fn tasks_json(list: &ListTasksResponse) -> Value {
    let task = |task: &Task| {
        let parameters = task.parameters.clone().unwrap_or_default();
        json!({
            "id": task.id,
            "name": task.name,
            "confirmed": task.confirmed,
            "gases": task.parameters.as_ref().map(|parameters| &parameters.gases),
            "pressure_mbar": parameters.pressure_mbar,
            "flush_bypass_s": parameters.flush_bypass_s,
            "flush_cell_s": parameters.flush_cell_s,
            "flush_cycles": parameters.flush_cycles,
        })
    };
    json!({
        "tasks": list.tasks.iter().map(task).collect::<Value>(),
        "ambiguous": list.ambiguous,
        "raw": list.raw,
    })
}

pub fn errors(errors: &[DeviceError]) -> String {
    let mut table = table(&["CODE", "SEVERITY", "MEANING"], &[]);
    for error in errors {
        table.add_row([error.code.clone(), severity(error).to_owned(), error.meaning.clone()]);
    }
    written(&table)
}

pub fn errors_json(errors: &[DeviceError]) -> Value {
    let error =
        |error: &DeviceError| json!({ "code": error.code, "severity": severity(error), "meaning": error.meaning });
    json!({ "errors": errors.iter().map(error).collect::<Value>() })
}

fn severity(error: &DeviceError) -> &'static str {
    match error.severity() {
        Severity::Unspecified | Severity::Warning => "warning",
        Severity::Blocker => "blocker",
        Severity::Critical => "critical",
    }
}

/// Milliseconds as seconds.
#[expect(clippy::cast_precision_loss, reason = "clocks are not so far apart that milliseconds would matter")]
pub fn seconds(millis: i64) -> f64 {
    millis as f64 / 1000.0
}

pub fn clock(reading: &GetClockResponse) -> String {
    format!(
        "analyzer {}, computer {}: the analyzer's clock is {}",
        reading.analyzer_utc,
        reading.host_utc,
        words::offset(seconds(reading.offset_ms))
    )
}

pub fn clock_json(reading: &GetClockResponse) -> Value {
    json!({
        "analyzer_utc": reading.analyzer_utc,
        "host_utc": reading.host_utc,
        "offset_s": seconds(reading.offset_ms),
    })
}

/// The valve in the words of the status.
pub fn multiplexer(mux: Mux) -> MultiplexerStatus {
    let position = mux.position.map_or(Position::Unknown, position);
    MultiplexerStatus {
        driver: mux.driver,
        channels: u8::try_from(mux.channels).unwrap_or(Channel::MAX),
        position,
        channel: position.channel(),
        model: mux.model,
        actuations: mux.actuations,
        fault: mux.fault,
        stranger_to: mux.stranger_to,
        simulated: mux.simulated,
    }
}

fn position(position: proto::Position) -> Position {
    let verification = match position.verification() {
        proto::Verification::Readback => Verification::Readback,
        proto::Verification::HomedCount => Verification::HomedCount,
        proto::Verification::None | proto::Verification::Unspecified => Verification::None,
    };
    let channel = u8::try_from(position.channel).ok().and_then(Channel::new);
    match (position.state(), channel) {
        (PositionState::At, Some(channel)) => Position::At(channel, verification),
        (PositionState::Moving, _) => Position::Moving,
        (PositionState::Unspecified | PositionState::At, _) => Position::Unknown,
    }
}

pub fn json(status: &MultiplexerStatus) -> Value {
    serde_json::to_value(status).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_digit_is_a_refusal() {
        for reply in ["ASTS 0 2", "AMPS 2", "STPM 0", "RDEV 0; it restarts", "????"] {
            assert!(!is_refusal(reply), "{reply}");
        }
        for reply in ["ASTS 1", "ASTS 9 2", "AERR SE"] {
            assert!(is_refusal(reply), "{reply}");
        }
    }
}
