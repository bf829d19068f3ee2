//! Recorded AK exchanges through the codec: each request as it is asked, each reply as it is understood, and both however
//! the line treats them.

use gasera::ak::{AkRequest, Command, Decoder, Error, Reply, frame, reply};
use gasera::domain::instrument::{Network, Parameter, TaskParameters};
use gasera::domain::{Cas, Sample};

const TRANSCRIPTS: [&str; 5] = [
    include_str!("data/ak/instrument.txt"),
    include_str!("data/ak/results.txt"),
    include_str!("data/ak/measurement.txt"),
    include_str!("data/ak/description.txt"),
    include_str!("data/ak/others.txt"),
];

struct Exchange {
    request: &'static str,
    reply: &'static str,
    meaning: &'static str,
}

fn exchanges() -> Vec<Exchange> {
    let lines = TRANSCRIPTS.iter().flat_map(|transcript| transcript.lines()).filter(|line| !line.starts_with('#'));
    let lines: Vec<&str> = lines.collect();
    let exchange = |lines: &[&'static str]| Exchange {
        request: lines[0].strip_prefix("> ").unwrap(),
        reply: lines[1].strip_prefix("< ").unwrap(),
        meaning: lines[2].strip_prefix("=").unwrap().trim(),
    };
    lines.chunks(3).map(exchange).collect()
}

fn read_request(bytes: &[u8]) -> Command {
    let mut decoder = Decoder::default();
    decoder.push(bytes);
    let frame = decoder.next_frame().unwrap();
    Command::of(&AkRequest::parse(&frame).unwrap()).unwrap()
}

fn read_reply(bytes: &[u8]) -> Reply {
    let mut decoder = Decoder::default();
    decoder.push(bytes);
    let reply = Reply::parse(&decoder.next_frame().unwrap()).unwrap();
    assert_eq!(decoder.next_frame(), None);
    reply
}

fn result(sample: &Sample) -> String {
    let readings: Vec<String> = sample
        .readings
        .iter()
        .map(|reading| format!("{} {}", reading.cas.formula(), reading.ppm.map_or("-".into(), |ppm| ppm.to_string())))
        .collect();
    format!("{}: {}", sample.stamp.0, readings.join(", "))
}

fn task(parameters: &TaskParameters) -> String {
    let gases: Vec<&str> = parameters.gases.iter().map(Cas::formula).collect();
    let number = |number: Option<f64>| number.map_or("-".to_owned(), |number| number.to_string());
    let (pressure, bypass) = (number(parameters.pressure_mbar), number(parameters.flush_bypass_s));
    let (cell, cycles) = (number(parameters.flush_cell_s), number(parameters.flush_cycles.map(f64::from)));
    format!("{}; {pressure} mbar, bypass {bypass} s, cell {cell} s, {cycles} cycles", gases.join(" "))
}

fn parameter(parameter: &Parameter) -> String {
    let value = |value: &Option<String>| value.clone().unwrap_or("-".to_owned());
    let Parameter { name, value: now, min, max, unit } = parameter;
    format!("{name} {} ({} to {}) {}", value(now), value(min), value(max), value(unit))
}

/// What a reply says, in words.
fn understand(command: &Command, reply: &Reply) -> Result<String, Error> {
    Ok(match command {
        Command::State => reply.state()?.words().to_owned(),
        Command::Phase => reply.phase()?.words().to_owned(),
        Command::Iteration => reply.iteration()?.to_string(),
        Command::Errors => reply.errors()?.sentence(),
        Command::Results => reply.results()?.iter().map(result).collect::<Vec<_>>().join("; "),
        Command::Tasks => {
            let tasks = reply.tasks()?;
            let list: Vec<String> = tasks.list.iter().map(|task| format!("{} {}", task.id, task.name)).collect();
            list.join("; ") + if tasks.ambiguous { " (ambiguous)" } else { "" }
        }
        Command::Clock => reply.clock()?.0.to_string(),
        Command::Identity => reply.identity()?.join("; "),
        Command::TaskParameters { .. } => task(&reply.task_parameters()?),
        Command::Name => reply.name()?,
        Command::Network => {
            let Network { dhcp, address, netmask, gateway } = reply.network()?;
            format!("{} {address} {netmask} {gateway}", if dhcp { "DHCP" } else { "fixed" })
        }
        Command::Parameter(_) => reply.parameter()?,
        Command::SystemParameters => reply.system_parameters()?.iter().map(parameter).collect::<Vec<_>>().join("; "),
        Command::Inlets => reply.inlets()?.map_or("no sampler".to_owned(), |inlets| format!("{} inlets", inlets.len())),
        Command::SelfTestResult => format!("{:?}", reply.self_test()?).to_lowercase(),
        command => {
            reply.done(command)?;
            "done".to_owned()
        }
    })
}

fn meaning(command: &Command, reply: &Reply) -> String {
    understand(command, reply).unwrap_or_else(|error| match error {
        Error::Refused { .. } => "refused".to_owned(),
        error => panic!("{error}"),
    })
}

#[test]
fn recorded_replies_say_what_they_said() {
    assert_eq!(exchanges().len(), 36);
    for Exchange { request, reply, meaning: expected } in exchanges() {
        let command = read_request(&frame::encode(request));
        let reply = read_reply(&frame::encode(reply));
        assert!(reply.answers(&command));
        assert_eq!(meaning(&command, &reply), expected);
    }
}

#[test]
fn requests_are_asked_as_others_ask_them_but_for_a_blank() {
    for Exchange { request, .. } in exchanges() {
        let recorded = frame::encode(request);
        let asked = read_request(&recorded).encode();
        let without_blank = [&asked[..asked.len() - 2], &asked[asked.len() - 1..]].concat();
        assert_eq!(without_blank, recorded, "{request}");
    }
}

#[test]
fn replies_are_written_as_the_instrument_writes_them() {
    for Exchange { reply: recorded, .. } in exchanges() {
        let read = read_reply(&frame::encode(recorded));
        assert_eq!(reply::encode(&read.code, read.status, &read.data), frame::encode(recorded));
    }
}

#[test]
fn recorded_replies_survive_a_bad_line() {
    for Exchange { request, reply, meaning: expected } in exchanges() {
        let command = read_request(&frame::encode(request));
        let spread = reply.replace(' ', " \r\n  ");
        // Quoted fields keep their blanks as they are.
        let spread = if reply.contains('"') { reply } else { &spread };
        let bad = format!("noise \x03\x02 ASTS 0 \x02#{spread}\r\n\x03\r\n");
        let read = read_reply(bad.as_bytes());
        assert_eq!(meaning(&command, &read), expected, "{bad:?}");
    }
}
