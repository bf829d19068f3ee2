//! A run, and something that happens in its middle.

use std::time::Duration;

use gasera::domain::{Event, Outcome, Plan, PlanDraft};

use crate::support::stack::ledger::{Ledger, account, hidden};
use crate::support::stack::{Design, Stack, in_virtual_time};

/// However much goes wrong, a run is over by then.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

pub fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Three channels twice, one iteration each: about twelve minutes.
pub fn plan() -> Plan {
    let draft = PlanDraft {
        channels: "2-4".into(),
        repeats: 2,
        purge: seconds(20),
        iterations: Some(1),
        ..PlanDraft::default()
    };
    Plan::new(draft).unwrap()
}

/// What came of a run.
pub struct Aftermath {
    pub stack: Stack,
    pub outcome: Outcome,
    pub reason: String,
    pub ledger: Ledger,
}

impl Aftermath {
    pub fn alarms(&self) -> Vec<String> {
        let alarm = |event: &Event| match event {
            Event::Alarm { code, text, .. } => Some(format!("{code}: {text}")),
            _ => None,
        };
        self.stack.events().filter_map(|(_, event)| alarm(event)).collect()
    }

    pub fn flagged(&self, flag: gasera::domain::Flag) -> usize {
        self.stack.records().iter().filter(|record| record.flags.contains(&flag)).count()
    }
}

/// A run with trouble so long after its start. Whatever comes of it: no wrong channel, nothing twice, nothing lost
/// without saying so.
pub fn run_with(design: &Design, after: Duration, trouble: impl AsyncFnOnce(&mut Stack)) -> Aftermath {
    in_virtual_time(async {
        let mut stack = Stack::new(design);
        let plan = plan();
        let start = stack.start(plan.clone()).await;
        stack.run_for(after).await;
        assert!(stack.state.is_busy(), "it is over before {after:?}: {:?}", stack.replies(start));
        trouble(&mut stack).await;
        stack.settle(LONGEST).await;
        let mut endings = stack.endings();
        assert_eq!((endings.len(), stack.replies(start).len()), (1, 1), "after {after:?}: {endings:?}");
        let (outcome, reason) = endings.remove(0);
        let ledger = account(&stack, &plan).unwrap_or_else(|what| panic!("trouble after {after:?}: {what}"));
        Aftermath { stack, outcome, reason, ledger }
    })
}

/// The same trouble at one moment after another of an iteration and a visit.
pub fn moments() -> impl Iterator<Item = Duration> {
    (40..165).step_by(9).map(seconds)
}

/// The run is completed whenever the trouble comes, and so many owed records are lost to it at most, beside those that a
/// later record says were missed.
#[track_caller]
pub fn survives(design: &Design, lost: usize, trouble: &impl AsyncFn(&mut Stack)) -> Vec<Aftermath> {
    let check = |after: Duration| {
        let aftermath = run_with(design, after, async |stack: &mut Stack| trouble(stack).await);
        let Aftermath { stack, outcome, reason, ledger } = &aftermath;
        // A result that was overwritten before it could be read is missing, and the run says so.
        let honest = *outcome == Outcome::Partial && ledger.missed > 0 && lost > 0;
        assert!(*outcome == Outcome::Completed || honest, "trouble after {after:?}: {outcome:?}, {reason}");
        let told = if lost > 0 { ledger.missed } else { 0 };
        assert!(
            ledger.hidden <= lost.saturating_add(told),
            "trouble after {after:?}: {ledger:?} {}",
            hidden(stack, &plan()).join("\n")
        );
        aftermath
    };
    moments().map(check).collect()
}
