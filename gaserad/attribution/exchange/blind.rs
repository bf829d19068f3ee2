//! The results of an analyzer that does not tell its phase: each is of an exchange between the end of the iteration
//! before and the reading.

use super::lengths::whole_times;
use super::{ClaimOrigin, Exchange, Exchanges};
use crate::domain::{ResultRead, Tick};

impl Exchanges {
    pub(super) fn claim_blindly(&mut self, read: &ResultRead) -> ClaimOrigin {
        let in_doubt = self.started + self.lags().result;
        if self.started > Tick::ZERO && read.after < in_doubt && !std::mem::replace(&mut self.met_before, true) {
            // It can be of a measurement before, and late.
            let sure = read.read <= in_doubt;
            return if sure { ClaimOrigin::BeforeTheRun } else { ClaimOrigin::Contradicted { missed: 0 } };
        }
        let (before, late) = self.blind.take(read);
        self.lateness.learn_results(late);
        let Some(before) = before else { return ClaimOrigin::BeforeTheRun };
        let counted = before.iteration.zip(read.iteration).map(|(before, now)| now.saturating_sub(before));
        let by_time = self.blind.cycle.get().map(|cycle| whole_times(read.read.since(before.read) + cycle / 2, cycle));
        let passed = counted.max(by_time.filter(|_| before.read > self.started)).unwrap_or(0);
        let lag = self.lags().result;
        let exchange = Exchange {
            iteration: None,
            began_after: before.after.back(lag).max(self.started),
            began_before: before.read,
            ended_after: before.read,
            ended_before: read.read,
        };
        ClaimOrigin::Exchange { exchange, missed: passed.saturating_sub(1) }
    }
}
