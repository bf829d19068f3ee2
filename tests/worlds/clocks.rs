//! Clocks that are wrong, and clocks that are set in the middle of a run.

use super::trouble::survives;
use crate::support::stack::Design;

/// Truth is by the plant's own clock here, so that what is owed cannot be told after a step; what is kept is checked.
#[test]
fn the_hosts_clock_set_by_an_hour_changes_no_channel_and_no_order() {
    for hour in [3600, -3600] {
        for aftermath in survives(&Design::default(), usize::MAX, &async |stack| stack.clock.set_by(hour)) {
            assert!(aftermath.ledger.good >= 6, "{:?}", aftermath.ledger);
        }
    }
}

#[test]
fn the_analyzers_clock_set_by_an_hour_costs_nothing() {
    for by in ["1h", "-1h"] {
        let faults = format!("clock_step = {{ after = \"3m\", by = \"{by}\" }}");
        survives(&Design { faults, ..Design::default() }, 0, &async |_| ());
    }
}
