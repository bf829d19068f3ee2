//! Whether what was recorded can be: the records of a run beside what passed between gaserad and the analyzer.
//!
//! The journal tells again what was believed. This reads `raw.aklog` with other eyes: which questions the engine asked of
//! the replies plays no part, only which replies came when. What contradicts a record is a doubt, in a sentence; that
//! nothing does is no proof.
//!
//! | doubt | it would be |
//! |---|---|
//! | another gas exchange began and ended between a record's own and the first reply with its result | the gas of the later one |
//! | the analyzer did something else than measuring in between | of a measurement that was over |
//! | all values are those of another record, of another channel | one result, taken for two |
//! | a stamp is earlier than the one before, and no clock was set | a result that came late, or again |

use std::collections::BTreeMap;

use crate::domain::{AnalyzerPhase, AnalyzerState, Flag, Record};

/// More doubts of one kind are counted, not told.
const TOLD: usize = 20;
/// No reply is longer.
const LONGEST: usize = 1 << 16;
/// Records whose values are compared with each other.
const COMPARED: usize = 64;

/// What the analyzer replied, and when, in microseconds of the host's clock.
#[derive(Debug, Default)]
pub(super) struct Replies {
    /// When a gas exchange was first seen, and when it was first not seen any more.
    drawn: Vec<(i64, i64)>,
    drawing: Option<i64>,
    /// When it was first seen to do something else than measuring, and what.
    elsewhere: Vec<(i64, AnalyzerState)>,
    measures: bool,
    /// When each stamp was first there.
    results: BTreeMap<i64, i64>,
    /// What came of a reply that is not complete.
    begun: String,
}

impl Replies {
    /// Takes in one line of the log: `1.000000 2026-01-15T08:00:01.000000Z < \x02 AMST 0 1\n\x03`.
    pub fn line(&mut self, line: &str) {
        let mut parts = line.splitn(4, ' ');
        let (Some(_), Some(utc), Some(way), Some(bytes)) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return;
        };
        let Ok(at) = utc.parse::<crate::domain::Utc>() else { return };
        if way != "<" {
            // What a broken reply left is of no use to the next one.
            self.begun.clear();
            return;
        }
        if self.begun.len() > LONGEST {
            self.begun.clear();
        }
        self.begun.push_str(bytes);
        while let Some((reply, rest)) = self.begun.split_once("\\x03") {
            let reply = reply.rsplit("\\x02").next().unwrap_or_default().replace("\\n", " ").replace("\\r", " ");
            let rest = rest.to_owned();
            self.reply(at.as_micros(), &reply);
            self.begun = rest;
        }
    }

    fn reply(&mut self, at: i64, reply: &str) {
        let mut words = reply.split_whitespace();
        let (Some(code), Some("0"), Some(first)) = (words.next(), words.next(), words.next()) else { return };
        match (code, first.parse::<u8>(), first.parse::<i64>()) {
            ("AMST", Ok(phase), _) => self.phase(at, AnalyzerPhase::from_code(phase)),
            ("ASTS", Ok(state), _) => self.state(at, AnalyzerState::from_code(state)),
            ("ACON", _, Ok(stamp)) => {
                self.results.entry(stamp).or_insert(at);
            }
            _ => {}
        }
    }

    fn phase(&mut self, at: i64, phase: AnalyzerPhase) {
        match (phase, self.drawing) {
            (AnalyzerPhase::GasExchange, None) => self.drawing = Some(at),
            (AnalyzerPhase::GasExchange, Some(_)) | (_, None) => {}
            (_, Some(began)) => {
                self.drawing = None;
                self.drawn.push((began, at));
            }
        }
    }

    fn state(&mut self, at: i64, state: AnalyzerState) {
        let measures = state == AnalyzerState::Measuring;
        if std::mem::replace(&mut self.measures, measures) && !measures {
            self.elsewhere.push((at, state));
        }
    }

    /// What speaks against a record that has a channel.
    fn against(&self, record: &Record) -> Option<String> {
        let (Some(channel), Some((_, ended))) = (record.channel, record.exchange) else { return None };
        if record.flags.contains(&Flag::ClockStep) {
            // The times of record and log are not of one clock.
            return None;
        }
        let ended = ended.as_micros();
        // A record may have been read from another one's reply only after it was first there.
        let came = self.results.get(&record.sample.stamp.0).copied().filter(|came| *came > ended)?;
        let between = |at: i64| ended < at && at < came;
        let of = format!("sample {} is of channel {channel}, but", record.seq);
        let first = self.drawn.partition_point(|(began, _)| *began <= ended);
        if self.drawn.get(first).is_some_and(|(_, over)| between(*over)) {
            return Some(format!(
                "{of} another gas exchange began and ended between its own and the first reply with its result"
            ));
        }
        let first = self.elsewhere.partition_point(|(at, _)| *at <= ended);
        let (_, state) = self.elsewhere.get(first).filter(|(at, _)| between(*at))?;
        Some(format!("{of} the analyzer was {} between its gas exchange and its result", state.words()))
    }
}

/// Takes in the records of a run, in order.
#[derive(Debug, Default)]
pub(super) struct Plausibility {
    replies: Replies,
    /// The latest ones with a channel.
    latest: Vec<Record>,
    newest: Option<(u32, i64)>,
    against: Vec<String>,
    alike: Vec<String>,
    disordered: Vec<String>,
}

impl Plausibility {
    pub fn of(replies: Replies) -> Self {
        Self { replies, ..Self::default() }
    }

    pub fn take(&mut self, record: &Record) {
        self.against.extend(self.replies.against(record));
        self.order(record);
        self.compare(record);
    }

    fn order(&mut self, record: &Record) {
        let stamp = record.sample.stamp.0;
        let before = self.newest.replace((record.seq, stamp));
        let set = record.flags.contains(&Flag::ClockStep) || record.flags.contains(&Flag::Stale);
        if let Some((seq, before)) = before.filter(|(_, before)| *before >= stamp && !set) {
            let how = if before == stamp { "the same as" } else { "earlier than" };
            self.disordered.push(format!("the time stamp of sample {} is {how} that of sample {seq}", record.seq));
        }
    }

    fn compare(&mut self, record: &Record) {
        let Some(channel) = record.channel.filter(|_| tells_apart(record)) else { return };
        let same = |other: &&Record| other.channel != record.channel && values(other).eq(values(record));
        if let Some(other) = self.latest.iter().find(same) {
            let of = other.channel.map_or(0, crate::domain::Channel::number);
            self.alike.push(format!(
                "sample {} is of channel {channel}, and all its values are those of sample {}, of channel {of}",
                record.seq, other.seq
            ));
        }
        if self.latest.len() == COMPARED {
            self.latest.remove(0);
        }
        self.latest.push(record.clone());
    }

    pub fn doubts(self) -> Vec<String> {
        [self.against, self.alike, self.disordered].into_iter().flat_map(cut).collect()
    }
}

fn cut(mut doubts: Vec<String>) -> Vec<String> {
    let more = doubts.len().saturating_sub(TOLD);
    doubts.truncate(TOLD);
    doubts.extend((more > 0).then(|| format!("{more} more samples are doubtful in this way")));
    doubts
}

fn values(record: &Record) -> impl Iterator<Item = (&str, Option<u64>)> {
    record.sample.readings.iter().map(|reading| (reading.cas.0.as_str(), reading.ppm.map(f64::to_bits)))
}

/// Whether its values would hardly come a second time by chance: zeros and round ones do.
fn tells_apart(record: &Record) -> bool {
    let digits = |ppm: f64| ppm.abs().to_string().chars().filter(char::is_ascii_digit).count();
    record.sample.readings.iter().filter_map(|reading| reading.ppm).filter(|ppm| *ppm != 0.0).map(digits).sum::<usize>()
        >= 6
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        AnalyzerTime, Attribution, Cas, Channel, Qc, Reading, RunId, Sample, Utc, Verification, VisitId,
    };

    const BEGIN: i64 = 1_700_000_000;

    fn utc(second: i64) -> Utc {
        Utc::from_micros((BEGIN + second) * 1_000_000)
    }

    /// Of a gas exchange from 10 s to 22 s.
    fn record(seq: u32, channel: u8, stamp: i64, ppm: f64) -> Record {
        let reading = Reading::new(Cas("124-38-9".into()), Some(ppm));
        Record {
            run: RunId("R".into()),
            seq,
            sample: Sample { stamp: AnalyzerTime(stamp), readings: vec![reading], raw: String::new() },
            attribution: Attribution::Exact,
            channel: Channel::new(channel),
            visit: Some(VisitId(1)),
            repeat: Some(1),
            verification: Verification::Readback,
            elapsed_s: None,
            sample_in_visit: Some(1),
            discard: false,
            qc: Qc::Good,
            flags: Vec::new(),
            iteration: None,
            sampled: utc(22),
            exchange: Some((utc(10), utc(22))),
            read: utc(70),
            clock_offset_s: None,
            stamp_meaning: None,
        }
    }

    fn replies(told: &[(i64, &str)]) -> Replies {
        let mut replies = Replies::default();
        for (second, reply) in told {
            replies.line(&format!("1.0 {} > \\x02 ASTS K0 \\x03", utc(*second)));
            replies.line(&format!("1.0 {} < \\x02 {reply}\\n\\x03", utc(*second)));
        }
        replies
    }

    fn doubts(told: &[(i64, &str)], records: &[Record]) -> Vec<String> {
        let mut plausibility = Plausibility::of(replies(told));
        for record in records {
            plausibility.take(record);
        }
        plausibility.doubts()
    }

    const USUAL: [(i64, &str); 7] = [
        (9, "ASTS 0 5"),
        (11, "AMST 0 1"),
        (22, "AMST 0 2"),
        (58, "AMST 0 3"),
        (68, "AMST 0 1"),
        (69, "ACON 0 500 124-38-9 412.345"),
        (80, "AMST 0 2"),
    ];

    #[test]
    fn what_the_replies_bear_out_is_not_doubted() {
        assert!(doubts(&USUAL, &[record(1, 2, 500, 412.345)]).is_empty());
        assert!(doubts(&[], &[record(1, 2, 500, 412.345)]).is_empty(), "without a log nothing is known");
    }

    #[test]
    fn a_result_that_came_after_a_later_exchange_is_doubted() {
        let late =
            [(11, "AMST 0 1"), (22, "AMST 0 2"), (68, "AMST 0 1"), (80, "AMST 0 2"), (95, "ACON 0 500 124-38-9 1")];
        let [doubt] = &doubts(&late, &[record(7, 2, 500, 412.345)])[..] else { panic!() };
        assert!(doubt.starts_with("sample 7 is of channel 2, but another gas exchange began and ended"), "{doubt}");
    }

    #[test]
    fn a_result_after_a_laser_scan_is_doubted() {
        let mut scan = USUAL.to_vec();
        scan.insert(3, (40, "ASTS 0 8"));
        let [doubt] = &doubts(&scan, &[record(7, 2, 500, 412.345)])[..] else { panic!() };
        assert!(doubt.contains("in a laser scan between its gas exchange and its result"), "{doubt}");
    }

    #[test]
    fn replies_in_pieces_are_read_and_other_text_is_not() {
        let mut replies = Replies::default();
        let at = utc(5);
        for bytes in ["\\x02 AM", "ST 0 1\\n", "\\x03\\x02 AMST 0 2\\n\\x03"] {
            replies.line(&format!("1.0 {at} < {bytes}"));
        }
        assert_eq!(replies.drawn, [(at.as_micros(), at.as_micros())]);
        for odd in ["", "12 lines lost", "1.0 yesterday < \\x02 AMST 0 1\\x03", "1.0 2026-01-15T08:00:01Z < \\x02\\x03"]
        {
            replies.line(odd);
        }
        assert_eq!((replies.drawn.len(), replies.drawing), (1, None));
    }

    #[test]
    fn the_values_of_another_channel_are_doubted_but_for_zeros_and_round_ones() {
        let told = doubts(&[], &[record(1, 2, 500, 412.345), record(2, 3, 560, 412.345), record(3, 3, 620, 412.345)]);
        assert!(told.iter().all(|doubt| doubt.contains("all its values are those of sample 1, of channel 2")));
        assert_eq!(told.len(), 2);
        for ppm in [0.0, 400.0] {
            assert!(doubts(&[], &[record(1, 2, 500, ppm), record(2, 3, 560, ppm)]).is_empty());
        }
    }

    #[test]
    fn stamps_that_go_back_or_repeat_are_doubted_unless_a_clock_was_set() {
        let (first, mut second) = (record(1, 2, 560, 412.345), record(2, 2, 500, 413.345));
        let told = doubts(&[], &[first.clone(), second.clone()]);
        assert_eq!(told, ["the time stamp of sample 2 is earlier than that of sample 1"]);
        second.flags.push(Flag::ClockStep);
        assert!(doubts(&[], &[first, second]).is_empty());
    }
}
