//! Any bytes, as requests and as replies: nothing panics, and where the bytes are split makes no difference.
#![no_main]

use gasera::ak::{Command, Decoder, Frame, Reply, AkRequest};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let whole = frames(&[bytes]);
    let (head, tail) = bytes.split_at(bytes.len() / 2);
    assert_eq!(frames(&[head, tail]), whole);
    for frame in &whole {
        if let Some(request) = AkRequest::parse(frame) {
            read_request(&request);
        }
        if let Ok(reply) = Reply::parse(frame) {
            read_reply(&reply);
        }
    }
});

fn frames(pieces: &[&[u8]]) -> Vec<Frame> {
    let mut decoder = Decoder::default();
    for piece in pieces {
        decoder.push(piece);
    }
    std::iter::from_fn(|| decoder.next_frame()).collect()
}

/// A command that was understood is written so that it is understood again.
fn read_request(request: &AkRequest) {
    let Some(command) = Command::of(request) else { return };
    let again = frames(&[&command.encode()]).iter().find_map(AkRequest::parse);
    assert_eq!(again.and_then(|request| Command::of(&request)), Some(command));
}

fn read_reply(reply: &Reply) {
    let _ = (reply.state(), reply.phase(), reply.iteration(), reply.errors());
    let _ = (reply.gases(), reply.clock(), reply.identity(), reply.done(&Command::Stop));
    if let Ok(samples) = reply.results() {
        assert!(samples.iter().flat_map(|sample| &sample.readings).all(|reading| reading.ppm.is_none_or(f64::is_finite)));
    }
    if let Ok(tasks) = reply.tasks() {
        let _ = tasks.find("DEFAULT");
        for task in &tasks.list {
            assert!(!task.name.is_empty() && tasks.lists(task.id));
        }
    }
}
