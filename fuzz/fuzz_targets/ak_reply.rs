//! Any reply through every reader, and any request there and back: nothing panics, and what was read is sound.
#![no_main]

use gasera::ak::{Command, Decoder, Frame, Layout, Reply, AkRequest, reply, write_network};
use gasera::domain::Sample;
use gasera::domain::instrument::AkLine;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    for line in text.split('\n') {
        request(line);
    }
    let frame = Frame { text: text.trim().to_owned() };
    if let Ok(reply) = Reply::parse(&frame) {
        read(&reply);
        again(&reply);
    }
});

/// What a person typed is understood, sent and understood again, or refused in a sentence.
fn request(line: &str) {
    let (code, data) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
    let line = AkLine { code: code.to_owned(), data: data.to_owned() };
    match Command::read(&line) {
        Ok(command) => {
            let request = decode(&command.encode()).and_then(|frame| AkRequest::parse(&frame));
            let request = request.expect("a command is a request");
            assert_eq!(request.code, command.code());
            assert!(command.is_safe_to_repeat() || command.changes_the_instrument());
            assert_eq!(Command::of(&request), Some(command));
        }
        Err(sentence) => assert!(sentence.len() > 20),
    }
}

fn decode(bytes: &[u8]) -> Option<Frame> {
    let mut decoder = Decoder::default();
    decoder.push(bytes);
    decoder.next_frame()
}

/// A reply means the same once it was written and read again.
fn again(read: &Reply) {
    let written = reply::encode(&read.code, read.status, &read.data);
    let again = decode(&written).and_then(|frame| Reply::parse(&frame).ok()).expect("a reply is a reply");
    let no_frame = |text: &str| !text.contains(['\u{2}', '\u{3}']);
    if no_frame(&read.data) {
        assert_eq!((&again.code, again.status, &again.data), (&read.code, read.status, &read.data));
    }
}

fn read(reply: &Reply) {
    let _ = (reply.state(), reply.phase(), reply.iteration(), reply.clock(), reply.self_test(), reply.name());
    let _ = (reply.identity(), reply.done(&Command::Stop), reply.answers(&Command::State));
    results(reply.results());
    results(reply.results_in(Layout::WITH_INLET));
    lists(reply);
    if let Ok(tasks) = reply.tasks() {
        let _ = tasks.find("DEFAULT");
        assert!(tasks.list.iter().all(|task| !task.name.is_empty() && tasks.lists(task.id)));
    }
    if let Ok(parameters) = reply.task_parameters() {
        assert!(!parameters.gases.is_empty());
        assert!(parameters.pressure_mbar.is_none_or(f64::is_finite));
    }
    if let Ok(network) = reply.network() {
        let told = reply::encode("ANET", 0, &write_network(&network));
        let again = decode(&told).and_then(|frame| Reply::parse(&frame).ok()).expect("a network is told in a reply");
        let sendable = [&network.address, &network.netmask, &network.gateway].into_iter().all(|part| {
            !part.contains(['\u{2}', '\u{3}'])
        });
        assert!(!sendable || again.network().is_ok_and(|again| again == network));
    }
}

fn results(samples: Result<Vec<Sample>, gasera::ak::Error>) {
    for reading in samples.iter().flatten().flat_map(|sample| &sample.readings) {
        assert!(reading.ppm.is_none_or(f64::is_finite));
        assert!(reading.ppm.is_some() || !reading.restricted);
        assert!(reading.ppm.is_some() != reading.flaw.is_some());
    }
}

fn lists(reply: &Reply) {
    assert!(reply.errors().is_ok_and(|errors| errors.0.iter().all(|code| !code.is_empty())) || reply.errors().is_err());
    if let Ok(Some(inlets)) = reply.inlets() {
        assert!(inlets.iter().all(|inlet| inlet.bypass_s >= 0.0));
    }
    for parameter in reply.system_parameters().iter().flatten() {
        for field in [&parameter.value, &parameter.min, &parameter.max, &parameter.unit].into_iter().flatten() {
            assert!(!field.is_empty() && field != "NULL");
        }
    }
    assert!(reply.parameter().map_or(true, |value| !value.is_empty()));
}
