//! Whatever comes: no reader panics.

use proptest::prelude::*;

use super::{Command, Decoder, Frame, Layout, Reply};

/// Every reader on the same reply.
fn read_all(reply: &Reply) {
    let _ = (reply.state(), reply.phase(), reply.iteration(), reply.errors(), reply.clock(), reply.tasks());
    let _ = (reply.results(), reply.results_in(Layout::WITH_INLET), reply.done(&Command::Stop));
    let _ = (reply.task_parameters(), reply.identity(), reply.name(), reply.parameter(), reply.network());
    let _ = (reply.inlets(), reply.system_parameters(), reply.self_test());
}

proptest! {
    #[test]
    fn no_bytes_make_a_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let mut decoder = Decoder::default();
        decoder.push(b"\x02");
        decoder.push(&bytes);
        decoder.push(b"\x03");
        while let Some(frame) = decoder.next_frame() {
            if let Ok(reply) = Reply::parse(&frame) {
                read_all(&reply);
            }
        }
    }

    #[test]
    fn no_stamp_and_no_concentration_make_a_reader_panic(stamp in "[0-9.,eE+:TZ-]{1,24}", ppm in "\\PC{1,24}") {
        let text = format!("ACON 0 {stamp} 74-82-8 {ppm} {stamp} 124-38-9 {ppm}");
        let reply = Reply::parse(&Frame { text }).unwrap();
        for reading in reply.results().iter().flatten().flat_map(|sample| &sample.readings) {
            prop_assert_eq!(reading.ppm.is_some(), reading.flaw.is_none());
            prop_assert!(reading.ppm.is_none_or(f64::is_finite));
        }
        read_all(&reply);
    }

    #[test]
    fn no_data_make_their_reader_panic(
        code in prop::sample::select(vec![
            "ASTS", "AITR", "AERR", "ACON", "ATSK", "ATSP", "ACLK", "ADEV", "ANAM", "APAR", "ANET", "AMPS", "ASYP", "ASTR",
        ]),
        status in 0..=9_u8,
        data in "[0-9a-zA-Z#\",:.\\-TZ \r\n]{0,120}",
    ) {
        read_all(&Reply::parse(&Frame { text: format!("{code} {status} {data}") }).unwrap());
    }
}
