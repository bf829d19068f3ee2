//! Which request is granted when, with a sentence for each refusal.

use super::state::{Part, Run, Station};
use crate::domain::{Control, Denied, DeviceErrors, Fault, FaultKind, Plan, Reason, RunId, Severity};

/// Whether a run may be prepared now, if none is under way.
pub(super) fn start(station: &Station) -> Result<(), Denied> {
    free(station)?;
    station.identities.are_known()?;
    online(station)
}

/// Why no other run may be prepared while this one is under way.
pub(super) fn second_start(station: &Station, run: &RunId) -> Denied {
    free(station).err().unwrap_or_else(|| under_way(run))
}

fn free(station: &Station) -> Result<(), Denied> {
    if station.shutting_down {
        return Err(shutting_down());
    }
    if !station.errands.are_done() {
        let text = "the valve or the analyzer is just being operated by hand; try again in a moment";
        return Err(Denied::new(Reason::AnalyzerBusy, text));
    }
    Ok(())
}

pub(super) fn shutting_down() -> Denied {
    Denied::new(Reason::ShuttingDown, "gaserad is shutting down; start the run when it is back")
}

pub(super) fn under_way(run: &RunId) -> Denied {
    let text = format!("run {run} is under way; wait for it, or abort it first (gaseractl abort)");
    Denied::new(Reason::RunUnderWay, text)
}

pub(super) fn online(station: &Station) -> Result<(), Denied> {
    if !station.analyzer.online {
        let why = match station.analyzer.reason.as_str() {
            "" => "it was not reached yet; try again in a moment, or look at [analyzer] address",
            reason => reason,
        };
        let text = format!("the analyzer is offline: {why}");
        return Err(Denied::new(Reason::AnalyzerOffline, text));
    }
    Ok(())
}

/// Whether somebody may lay hands on a device; `what` goes on after "cannot".
pub(super) fn by_hand(station: &Station, under_way: Option<&RunId>, what: &str) -> Result<(), Denied> {
    if station.shutting_down {
        return Err(Denied::new(Reason::ShuttingDown, format!("cannot {what}: gaserad is shutting down")));
    }
    under_way.map_or(Ok(()), |run| {
        let text = format!("cannot {what}: run {run} is under way; wait for it, or abort it first (gaseractl abort)");
        Err(Denied::new(Reason::RunUnderWay, text))
    })
}

pub(super) fn nothing_to_abort() -> Denied {
    Denied::new(Reason::NoRun, "no run is under way, so there is nothing to abort")
}

/// Whether that can be done to the run under way.
pub(super) fn control(run: &Run, control: &Control) -> Result<(), Denied> {
    let not_now = |why: &str| {
        let text = format!("cannot {}: {why}", control.verb());
        Err(Denied::new(Reason::NotNow, text))
    };
    let part = run.stage.part();
    let measures = run.measurement.ordered_start;
    let begins = matches!(part, Part::Preparing | Part::Starting) || (part.is_midway() && !measures);
    let paused = matches!(part, Part::Paused | Part::GuardedOff);
    match control {
        // Before it has begun, there is nothing that a note could be kept with.
        Control::Note { .. } if run.is_recorded() => Ok(()),
        _ if begins => not_now("the run is only just being started; try again when it measures"),
        _ if !paused && !part.is_midway() => not_now("the run is ending already"),
        Control::Pause { .. } if paused => not_now("the run is paused already"),
        Control::Skip if paused && run.measurement.in_doubt.is_some() => {
            not_now("the analyzer may have been stopped by somebody; resume the run first, or abort it")
        }
        Control::Resume if !paused && run.pausing.asked.is_none() => not_now("the run is not paused"),
        Control::Note { .. } | Control::Pause { .. } | Control::Resume | Control::Skip | Control::Finish { .. } => {
            Ok(())
        }
    }
}

/// `what` goes on after "cannot".
pub(super) fn no_run(what: &str) -> Denied {
    Denied::new(Reason::NoRun, format!("cannot {what}: no run is under way"))
}

/// Whether the analyzer may measure with these errors.
pub(super) fn errors(errors: &DeviceErrors, ignore: bool) -> Result<(), Denied> {
    if ignore || errors.worst().is_none_or(|worst| worst < Severity::Blocker) {
        return Ok(());
    }
    let text = format!(
        "the analyzer reports errors that block measuring: {}; clear them, or start with --ignore-errors",
        errors.sentence()
    );
    Err(Denied::new(Reason::AnalyzerErrors, text))
}

/// What a fault means for somebody who waits for a start.
pub(super) fn denied(fault: &Fault, device: Device) -> Denied {
    let reason = match (device, fault.kind) {
        (Device::Valve, _) => Reason::MultiplexerFault,
        (Device::Analyzer, FaultKind::Offline) => Reason::AnalyzerOffline,
        (Device::Analyzer, FaultKind::Busy) => Reason::AnalyzerBusy,
        (Device::Analyzer, FaultKind::TaskUnknown) => Reason::TaskUnknown,
        (Device::Analyzer, FaultKind::Refused | FaultKind::Superseded) => Reason::AnalyzerRefused,
    };
    Denied::new(reason, fault.text.clone())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Device {
    Analyzer,
    Valve,
}

/// How many visits a plan may have, so that it can be kept track of.
pub(super) fn plan(plan: &Plan) -> Result<(), Denied> {
    const MOST: u32 = 1_000_000;
    if plan.visits() > MOST {
        let text = format!("the plan has {} visits; a run can have {MOST}; take fewer repeats", plan.visits());
        return Err(Denied::new(Reason::PlanInvalid, text));
    }
    Ok(())
}
