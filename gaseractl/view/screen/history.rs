//! The results of the newest run that has any: the latest of each channel, and the way each gas has gone.

use std::collections::VecDeque;

use gasera::domain::event::LiveData;
use gasera::domain::{Attribution, Channel};

/// So many results are remembered: more than a day of them.
const MOST: usize = 2000;

#[derive(Debug, Default)]
pub struct PlotHistory {
    /// The oldest first.
    results: VecDeque<LiveData>,
}

/// One value of a gas.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlotPoint {
    /// Seconds since the epoch.
    pub at: f64,
    pub ppm: f64,
    /// Whose gas it was; `None` if that is not known.
    pub channel: Option<Channel>,
    /// Whether it is to be used.
    pub counts: bool,
}

impl PlotHistory {
    /// Takes note of a result, in whichever order they come; each counts once.
    pub fn add(&mut self, data: &LiveData) {
        if let Some(newest) = self.results.back().filter(|newest| newest.run_id != data.run_id) {
            if data.sampled < newest.sampled {
                return;
            }
            self.results.clear();
        }
        let after = self.results.iter().rposition(|known| known.seq <= data.seq);
        if after.is_some_and(|at| self.results[at].seq == data.seq) {
            return;
        }
        self.results.insert(after.map_or(0, |at| at + 1), data.clone());
        if self.results.len() > MOST {
            self.results.pop_front();
        }
    }

    pub fn latest(&self) -> Option<&LiveData> {
        self.results.back()
    }

    /// The formulas of all gases, as the analyzer orders them.
    pub fn gases(&self) -> Vec<String> {
        let mut gases: Vec<String> = Vec::new();
        for gas in self.results.iter().rev().take(20).flat_map(|data| &data.components) {
            if !gases.contains(&gas.formula) {
                gases.push(gas.formula.clone());
            }
        }
        gases
    }

    /// The latest result of each channel, in order, then the latest of each kind that no channel is credited with.
    pub fn by_channel(&self) -> Vec<&LiveData> {
        let mut latest: Vec<&LiveData> = Vec::new();
        for data in self.results.iter().rev() {
            if !latest.iter().any(|known| whose(known) == whose(data)) {
                latest.push(data);
            }
        }
        latest.sort_by_key(|data| whose(data));
        latest
    }

    pub fn trace(&self, gas: &str) -> Vec<PlotPoint> {
        self.results.iter().filter_map(|data| point(data, gas)).collect()
    }
}

/// What sorts results: those of channels first.
fn whose(data: &LiveData) -> (bool, Option<Channel>, &'static str) {
    let channel = data.channel.filter(|_| data.attribution == Attribution::Exact);
    (channel.is_none(), channel, data.attribution.as_str())
}

fn point(data: &LiveData, gas: &str) -> Option<PlotPoint> {
    let component = data.components.iter().find(|component| component.formula == gas)?;
    Some(PlotPoint {
        at: data.sampled.as_seconds(),
        ppm: component.ppm.filter(|ppm| ppm.is_finite())?,
        channel: whose(data).1,
        counts: !data.discard && !component.discard,
    })
}

#[cfg(test)]
mod tests {
    use gasera::domain::RunId;

    use super::*;
    use crate::view::screen::tests::result;

    fn seqs(history: &PlotHistory) -> Vec<u32> {
        history.results.iter().map(|data| data.seq).collect()
    }

    #[test]
    fn results_stand_in_order_and_once_however_they_come() {
        let mut history = PlotHistory::default();
        for seq in [5, 1, 3, 5, 3, 2] {
            history.add(&result(seq, 3));
        }
        assert_eq!(seqs(&history), [1, 2, 3, 5]);
    }

    #[test]
    fn a_new_run_begins_anew_and_an_old_one_does_not_come_back() {
        let mut history = PlotHistory::default();
        history.add(&result(8, 3));
        history.add(&LiveData { run_id: RunId("OLD".into()), ..result(7, 2) });
        assert_eq!(seqs(&history), [8]);
        history.add(&LiveData { run_id: RunId("NEW".into()), seq: 1, ..result(9, 2) });
        assert_eq!(seqs(&history), [1]);
    }

    #[test]
    fn the_latest_of_each_channel_come_before_those_that_are_nobodys() {
        let mut history = PlotHistory::default();
        let mixed = LiveData { channel: None, attribution: Attribution::Mixed, ..result(4, 1) };
        for data in [result(1, 7), result(2, 3), result(3, 7), mixed, result(5, 1)] {
            history.add(&data);
        }
        let latest: Vec<u32> = history.by_channel().iter().map(|data| data.seq).collect();
        assert_eq!(latest, [5, 2, 3, 4]);
        assert_eq!(history.gases(), ["CO2", "CH4", "N2O", "NH3", "H2O"]);
    }

    #[test]
    fn what_is_left_out_does_not_count_and_no_value_is_no_point() {
        let mut history = PlotHistory::default();
        let mut without = result(3, 1);
        without.components[0].ppm = None;
        for data in [result(1, 1), LiveData { discard: true, ..result(2, 1) }, without] {
            history.add(&data);
        }
        let counts: Vec<bool> = history.trace("CO2").iter().map(|point| point.counts).collect();
        assert_eq!(counts, [true, false]);
        assert!(history.trace("SF6").is_empty());
    }

    #[test]
    fn there_is_an_end_to_what_is_remembered() {
        let mut history = PlotHistory::default();
        for seq in 0..2100 {
            history.add(&result(seq, 1));
        }
        assert_eq!((history.results.len(), history.results[0].seq), (MOST, 100));
    }
}
