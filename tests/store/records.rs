//! Whatever a record holds, it reads back as it was.

use gasera::domain::{
    AnalyzerTime, Attribution, Cas, Channel, Fact, Flag, Qc, Reading, Record, RunId, Sample, StampMeaning, Utc,
    Verification, VisitId,
};
use proptest::prelude::*;

use super::fixture::*;

pub fn any_record() -> impl Strategy<Value = Record> {
    let reading = (any::<u16>(), proptest::option::of(proptest::num::f64::NORMAL | proptest::num::f64::ZERO))
        .prop_map(|(number, ppm)| Reading::new(Cas(format!("{number}-00-0")), ppm));
    let sample = (any::<i64>(), proptest::collection::vec(reading, 0..6), any::<String>())
        .prop_map(|(stamp, readings, raw)| Sample { stamp: AnalyzerTime(stamp), readings, raw });
    let attribution = proptest::sample::select(vec![
        Attribution::Exact,
        Attribution::Mixed,
        Attribution::Stale,
        Attribution::Unattributed,
    ]);
    let verification =
        proptest::sample::select(vec![Verification::Readback, Verification::HomedCount, Verification::None]);
    let qc = proptest::sample::select(vec![Qc::Good, Qc::Suspect, Qc::Bad]);
    let flags =
        proptest::sample::subsequence(vec![Flag::Purge, Flag::PosChanged, Flag::ErrBlocker, Flag::ZeroExact], 0..4);
    let numbers = (proptest::option::of(1..=31_u8), any::<[Option<u32>; 4]>(), any::<bool>());
    let times = (any::<[i64; 2]>(), any::<Option<(i64, i64)>>());
    let floats = proptest::array::uniform2(proptest::option::of(proptest::num::f64::NORMAL));
    (sample, attribution, verification, qc, flags, numbers, times, floats).prop_map(
        |(sample, attribution, verification, qc, flags, (channel, counts, discard), (times, exchange), floats)| {
            Record {
                run: RunId("01KF000000000000000000000A".into()),
                seq: 1,
                sample,
                attribution,
                channel: channel.and_then(Channel::new),
                visit: counts[0].map(VisitId),
                repeat: counts[1],
                verification,
                elapsed_s: floats[0],
                sample_in_visit: counts[2],
                discard,
                qc,
                flags,
                iteration: counts[3],
                sampled: Utc::from_micros(times[0]),
                exchange: exchange.map(|(from, until)| (Utc::from_micros(from), Utc::from_micros(until))),
                read: Utc::from_micros(times[1]),
                clock_offset_s: floats[1],
                stamp_meaning: counts[1].map(|_| StampMeaning::Calculated),
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_record_reads_back_as_it_was(record in any_record()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (_directory, store, run) = measuring().await;
            store.commit(facts(vec![Fact::Recorded(record.clone())])).await.unwrap();
            prop_assert_eq!(store.records(&run.id, 0, 10).await.unwrap(), vec![record]);
            prop_assert_eq!(live_file(&store, &run), exported(&store, &run.id).await);
            Ok(())
        })?;
    }
}
