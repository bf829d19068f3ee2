//! Which request is granted when, with a sentence for each refusal.

use super::state::{Run, Stage, State};
use crate::domain::{Control, Denied, DeviceErrors, Fault, FaultKind, Plan, Reason, RunId, Severity};

/// Whether a run may be prepared now.
pub(super) fn start(state: &State) -> Result<(), Denied> {
    if state.shutting_down {
        return Err(Denied::new(Reason::ShuttingDown, "gaserad is shutting down; start the run when it is back"));
    }
    if !state.errands.valve.is_empty() || !state.errands.analyzer.is_empty() {
        let text = "the valve or the analyzer is just being operated by hand; try again in a moment";
        return Err(Denied::new(Reason::AnalyzerBusy, text));
    }
    if let Some(run) = &state.run {
        return Err(under_way(&run.id));
    }
    state.identities.are_known()?;
    online(state)
}

/// Whether what stands against a start passes by itself.
pub(super) fn is_busy(state: &State) -> bool {
    state.run.is_some() || !state.errands.valve.is_empty() || !state.errands.analyzer.is_empty()
}

pub(super) fn under_way(run: &RunId) -> Denied {
    let text = format!("run {run} is under way; wait for it, or abort it first (gaseractl abort)");
    Denied::new(Reason::RunUnderWay, text)
}

pub(super) fn online(state: &State) -> Result<(), Denied> {
    if !state.analyzer.online {
        let why = match state.analyzer.reason.as_str() {
            "" => "it was not reached yet; try again in a moment, or look at [analyzer] address",
            reason => reason,
        };
        let text = format!("the analyzer is offline: {why}");
        return Err(Denied::new(Reason::AnalyzerOffline, text));
    }
    Ok(())
}

/// Whether somebody may lay hands on a device; `what` goes on after "cannot".
pub(super) fn by_hand(state: &State, what: &str) -> Result<(), Denied> {
    if state.shutting_down {
        return Err(Denied::new(Reason::ShuttingDown, format!("cannot {what}: gaserad is shutting down")));
    }
    match &state.run {
        Some(run) => {
            let text =
                format!("cannot {what}: run {} is under way; wait for it, or abort it first (gaseractl abort)", run.id);
            Err(Denied::new(Reason::RunUnderWay, text))
        }
        None => Ok(()),
    }
}

pub(super) fn abort(state: &State) -> Result<(), Denied> {
    match state.run {
        Some(_) => Ok(()),
        None => Err(Denied::new(Reason::NoRun, "no run is under way, so there is nothing to abort")),
    }
}

/// Whether that can be done to the run under way.
pub(super) fn control(state: &State, control: &Control) -> Result<(), Denied> {
    let run = state.run.as_ref().ok_or_else(|| no_run(control.verb()))?;
    let not_now = |why: &str| {
        let text = format!("cannot {}: {why}", control.verb());
        Err(Denied::new(Reason::NotNow, text))
    };
    let standing = run.standing();
    match (control, standing) {
        // Before it has begun, there is nothing that a note could be kept with.
        (Control::Note { .. }, _) if run.started.is_some() => Ok(()),
        (_, Standing::Beginning) => not_now("the run is only just being started; try again when it measures"),
        (_, Standing::Ending) => not_now("the run is ending already"),
        (Control::Pause { .. }, Standing::Paused) => not_now("the run is paused already"),
        (Control::Skip, Standing::Paused) if run.in_doubt.is_some() => {
            not_now("the analyzer may have been stopped by somebody; resume the run first, or abort it")
        }
        (Control::Resume, Standing::UnderWay) if run.pause_asked.is_none() => not_now("the run is not paused"),
        (
            Control::Note { .. } | Control::Pause { .. } | Control::Resume | Control::Skip | Control::Finish { .. },
            Standing::UnderWay | Standing::Paused,
        ) => Ok(()),
    }
}

/// `what` goes on after "cannot".
pub(super) fn no_run(what: &str) -> Denied {
    Denied::new(Reason::NoRun, format!("cannot {what}: no run is under way"))
}

/// A run's stages, as far as they matter to what can be done to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// The analyzer does not measure yet.
    Beginning,
    UnderWay,
    Paused,
    /// The last results come in, or the devices come to rest.
    Ending,
}

impl Run {
    fn standing(&self) -> Standing {
        match self.stage {
            Stage::Preparing(_) | Stage::Starting(..) | Stage::Recovering(_) => Standing::Beginning,
            Stage::Paused(_) | Stage::GuardedOff => Standing::Paused,
            Stage::Draining
            | Stage::Closing(..)
            | Stage::Stopping(..)
            | Stage::Parking(..)
            | Stage::Interrupting(_)
            | Stage::Interrupted => Standing::Ending,
            _ if !self.ordered_start => Standing::Beginning,
            Stage::Homing(_)
            | Stage::Moving(_)
            | Stage::ValveLost(_)
            | Stage::Guarding(_)
            | Stage::Settling
            | Stage::Purging
            | Stage::PurgeOver(_)
            | Stage::Measuring
            | Stage::MeasureOver(_)
            | Stage::Lingering => Standing::UnderWay,
        }
    }
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
