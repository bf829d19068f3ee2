//! What a page orders: runs to start, and what is done to them, as JSON. It goes the way of the calls over gRPC.

use std::time::Duration;

use http::{HeaderMap, StatusCode};
use hyper::body::Incoming;
use serde_json::{Value, json};

use super::answer::{self, Answer};
use super::auth::Caller;
use super::form::{Form, Mistake};
use super::plans::{Planning, Wrong};
use super::{Services, convert};
use crate::domain::{Control, Denied, FinishAfter, Reason, Status};
use crate::proto::{self, json};

/// How long somebody who does not wait for an abort to be through is kept, to be told if there is nothing to abort.
const PROMPTLY: Duration = Duration::from_millis(500);

/// `POST /control/…`
pub async fn give(services: &Services, verb: &str, caller: &Caller, headers: &HeaderMap, body: Incoming) -> Answer {
    let form = match Form::read(headers, body).await {
        Ok(form) => form,
        Err(answer) => return answer,
    };
    match verb {
        "start" => start(services, caller, form).await,
        "abort" => abort(services, caller, form).await,
        _ => control(services, verb, caller, form).await,
    }
}

/// `POST /plan/check`: what a start with this form would come to, or all that is wrong with it.
pub async fn check(services: &Services, headers: &HeaderMap, body: Incoming) -> Answer {
    let mut form = match Form::read(headers, body).await {
        Ok(form) => form,
        Err(answer) => return answer,
    };
    let request = start_request(&mut form);
    let planning = Planning(services);
    let checked = match form.finish() {
        Ok(()) => planning.dry_run_of(request).await.map_err(mistakes),
        Err(mistakes) => Err(mistakes),
    };
    answer::json(&match checked {
        Ok(planned) => {
            let mut told = json::planned(&planned);
            told["errors"] = json!([]);
            told["warnings"] = warnings(&services.control.status().await).into();
            told["estimate_s"] = told["total_s"].clone();
            told
        }
        Err(mistakes) => json!({ "errors": mistakes, "warnings": [], "timeline": [], "estimate_s": null }),
    })
}

async fn start(services: &Services, caller: &Caller, mut form: Form) -> Answer {
    let request = start_request(&mut form);
    if let Err(mistakes) = form.finish() {
        return refuse(Reason::RequestInvalid, &mistakes);
    }
    let dry_run = request.dry_run;
    match Planning(services).start(request, caller).await {
        Ok(planned) if dry_run => answer::json(&json::planned(&planned)),
        Ok(started) => answer::json(&json::started(&started)),
        Err(Wrong::Denied(denied)) => answer::denied(&denied),
        Err(wrong) => refuse(Reason::PlanInvalid, &mistakes(wrong)),
    }
}

/// The form of a start: what `StartMeasurementRequest` has, under the names of the command line.
fn start_request(form: &mut Form) -> proto::StartMeasurementRequest {
    form.renamed("pause", "purge");
    let sync = form.choice("sync", &[("analyzer", proto::Sync::Analyzer), ("dwell", proto::Sync::Dwell)]);
    let measuring = [
        ("refuse", proto::IfMeasuring::Refuse),
        ("stop", proto::IfMeasuring::Stop),
        ("adopt", proto::IfMeasuring::Adopt),
    ];
    let (name, toml) = (form.text("plan").filter(|name| !name.is_empty()), form.text("toml"));
    if name.is_some() && toml.is_some() {
        form.mistake(Mistake::of("toml", "toml is the text of a plan, and plan the name of another; send one of them"));
    }
    let file = match (name, toml) {
        (None, None) => None,
        (name, toml) => Some(proto::PlanFile { name: name.unwrap_or_else(|| "the plan".into()), toml }),
    };
    let plan = proto::PlanRequest {
        channels: form.channels("channels").unwrap_or_default(),
        repeats: form.number("repeats"),
        purge_ms: form.span("purge").map(convert::millis),
        measure_ms: form.span("measure").map(convert::millis),
        iterations: form.number("iterations"),
        task: form.text("task").filter(|task| !task.is_empty()),
        sync: sync.unwrap_or_default().into(),
        save_on_device: form.flag("save_on_device").unwrap_or_default(),
        label: form.text("label").unwrap_or_default(),
        note: form.text("note").unwrap_or_default(),
        operator: form.text("operator").unwrap_or_default(),
        discard_first: form.number("discard_first"),
        background: form.background("background").map(|(channel, every)| proto::Background { channel, every }),
        overlap: form.flag("overlap"),
        park: form.number("park"),
        ..proto::PlanRequest::default()
    };
    let busy = form.choice("if_busy", &[("refuse", proto::IfBusy::Refuse), ("wait", proto::IfBusy::Wait)]);
    proto::StartMeasurementRequest {
        plan: Some(plan),
        dry_run: form.flag("dry_run").unwrap_or_default(),
        ignore_errors: form.flag("ignore_errors").unwrap_or_default(),
        if_measuring: form.choice("if_measuring", &measuring).unwrap_or_default().into(),
        file,
        if_busy: busy.unwrap_or_default().into(),
        align_ms: form.span("align").map_or(0, convert::millis),
    }
}

async fn abort(services: &Services, caller: &Caller, mut form: Form) -> Answer {
    let run = form.text("run").filter(|run| !run.is_empty());
    let waits = form.flag("wait").unwrap_or(true);
    let who = caller.named(&form.text("operator").unwrap_or_default());
    if let Err(mistakes) = form.finish() {
        return refuse(Reason::RequestInvalid, &mistakes);
    }
    let control = services.control.clone();
    // It goes on when whoever asked has gone.
    let mut aborting = tokio::spawn(async move { control.abort(who, run).await });
    let aborted = if waits {
        aborting.await
    } else {
        match tokio::time::timeout(PROMPTLY, &mut aborting).await {
            Ok(aborted) => aborted,
            Err(_) => return answer::json(&json!({ "accepted": true })),
        }
    };
    match aborted {
        Ok(Ok(aborted)) => answer::json(&json!({ "run_id": aborted.run, "waited": aborted.waited })),
        Ok(Err(denied)) => answer::denied(&denied),
        Err(error) => answer::denied(&Denied::new(Reason::Internal, format!("the abort broke: {error}"))),
    }
}

async fn control(services: &Services, verb: &str, caller: &Caller, mut form: Form) -> Answer {
    let wanted = match verb {
        "pause" => Ok(Control::Pause { now: form.flag("now").unwrap_or_default() }),
        "resume" => Ok(Control::Resume),
        "skip" => Ok(Control::Skip),
        "finish" => {
            let after = [("channel", FinishAfter::Channel), ("repeat", FinishAfter::Repeat)];
            Ok(Control::Finish { after: form.choice("after", &after).unwrap_or(FinishAfter::Channel) })
        }
        _ => convert::note(&form.text("text").unwrap_or_default()),
    };
    let who = caller.named(&form.text("operator").unwrap_or_default());
    if let Err(mistakes) = form.finish() {
        return refuse(Reason::RequestInvalid, &mistakes);
    }
    let done = match wanted {
        Ok(wanted) => services.control.control(wanted, who).await,
        Err(denied) => Err(denied),
    };
    match done {
        Ok(run) => answer::json(&json!({ "run_id": run })),
        Err(denied) => answer::denied(&denied),
    }
}

/// A form that has to be mended: the sentences in one, and each with its place.
fn refuse(reason: Reason, mistakes: &[Mistake]) -> Answer {
    let sentences: Vec<&str> = mistakes.iter().map(|mistake| mistake.sentence.as_str()).collect();
    let told = json!({ "error": reason.as_str(), "message": sentences.join("\n"), "errors": mistakes });
    answer::with(StatusCode::BAD_REQUEST, answer::JSON, told.to_string())
}

fn mistakes(wrong: Wrong) -> Vec<Mistake> {
    match wrong {
        Wrong::File(_, mistakes) => mistakes.into_iter().map(Mistake::from).collect(),
        Wrong::Plan(error) => match error.field() {
            Some(field) => vec![Mistake::of(field, error.to_string())],
            None => vec![Mistake::whole(error.to_string())],
        },
        Wrong::Denied(denied) if denied.reason == Reason::PlanUnknown => vec![Mistake::of("plan", denied.text)],
        Wrong::Denied(denied) => vec![Mistake::whole(denied.text)],
    }
}

/// What stands against a start right now, although the plan is good.
fn warnings(status: &Status) -> Vec<Value> {
    let mut sentences = Vec::new();
    let (analyzer, multiplexer) = (&status.analyzer, &status.multiplexer);
    if !analyzer.online {
        let why = if analyzer.reason.is_empty() { "it does not answer" } else { &analyzer.reason };
        sentences.push(format!("the analyzer is offline, and nothing can start until it is back: {why}"));
    }
    if !analyzer.errors.is_empty() {
        sentences.push(format!("the analyzer reports errors: {}", analyzer.errors.join(", ")));
    }
    if !multiplexer.fault.is_empty() {
        sentences.push(format!("the multiplexer has a fault: {}", multiplexer.fault));
    }
    if let Some(run) = &status.run {
        sentences.push(format!("run {} is under way; another one is refused, or waits if that is asked", run.id));
    }
    if status.clock_synchronized == Some(false) {
        sentences.push("this machine's clock is not synchronized; the samples will say so".into());
    }
    sentences.into_iter().map(Value::from).collect()
}
