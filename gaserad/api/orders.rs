//! What a page orders: runs to start, and what is done to them, as JSON. It goes the way of the calls over gRPC.

use std::marker::PhantomData;
use std::time::Duration;

use axum::extract::State;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AnyOfBuilder, Schema};

use super::answer::{FormMistake, Problem, Shape, Told};
use super::auth::{Caller, Needs};
use super::describe::Sheet;
use super::document::{Planned, Started};
use super::form::{Filled, Form, FromForm};
use super::operation::Endpoint;
use super::plans::{Planning, Wrong};
use super::{Services, convert};
use crate::domain::{Control, Denied, FinishAfter, Reason, RunId, Status};
use crate::proto::{self, json};

/// How long somebody who does not wait for an abort to be through is kept, to be told if there is nothing to abort.
const PROMPTLY: Duration = Duration::from_millis(500);

pub fn endpoints() -> Vec<Endpoint<Services>> {
    // What is done to a run is kept with what it came to.
    vec![
        Endpoint::post("/control/start", "start_run", "Starts a run", start)
            .described(
                "Answers when the analyzer measures, or the run waits. All fields can be left out but the channels or a \
                 plan; what is left out is as configured, or as in the plan.",
            )
            .keeps_itself(),
        Endpoint::post("/control/abort", "abort_run", "Aborts a run", abort)
            .described("Answers when the analyzer is idle.")
            .keeps_itself(),
        Endpoint::post("/control/pause", "pause_run", "Pauses the run under way", steer::<PauseForm>).keeps_itself(),
        Endpoint::post("/control/resume", "resume_run", "Resumes the run under way", steer::<Resume>).keeps_itself(),
        Endpoint::post("/control/skip", "skip_visit", "Skips the visit under way", steer::<Skip>).keeps_itself(),
        Endpoint::post("/control/finish", "finish_run", "Finishes the run under way after a channel or a repeat", steer::<FinishForm>)
            .keeps_itself(),
        Endpoint::post("/control/note", "add_note", "Adds a note to the run under way", steer::<NoteForm>).keeps_itself(),
        Endpoint::post("/plan/check", "check_plan", "Checks a plan without starting it", check)
            .described("Takes the form of a start, changes nothing, and answers with 200 also where there are mistakes.")
            .needs(Needs::Viewer),
    ]
}

/// The form of a start: what `StartMeasurementRequest` has, under the names of the command line.
struct StartForm(proto::StartMeasurementRequest);

impl FromForm for StartForm {
    const NAME: &'static str = "StartForm";

    fn take(form: &mut Form) -> Self {
        form.renamed("pause", "purge");
        let sync = [("analyzer", proto::Sync::Analyzer), ("dwell", proto::Sync::Dwell)];
        let sync = form.choice("sync", "How stages are timed: in step with the analyzer, or by the clock.", &sync);
        let name = form.text("plan", "The name of a plan that is kept.").filter(|name| !name.is_empty());
        let toml = form.text("toml", "The text of a plan, in place of the name of one.");
        if name.is_some() && toml.is_some() {
            let sentence = "toml is the text of a plan, and plan the name of another; send one of them";
            form.mistake(FormMistake::of("toml", sentence));
        }
        let file = match (name, toml) {
            (None, None) => None,
            (name, toml) => Some(proto::PlanFile { name: name.unwrap_or_else(|| "the plan".into()), toml }),
        };
        let plan = Some(Self::plan(form, sync.unwrap_or_default()));
        let busy = [("refuse", proto::IfBusy::Refuse), ("wait", proto::IfBusy::Wait)];
        let busy =
            form.choice("if_busy", "While a run is under way: refuse unless it is told.", &busy).unwrap_or_default();
        let measuring = [
            ("refuse", proto::IfMeasuring::Refuse),
            ("stop", proto::IfMeasuring::Stop),
            ("adopt", proto::IfMeasuring::Adopt),
        ];
        let measuring = form.choice(
            "if_measuring",
            "If somebody else measures: refuse unless it is told; stop or adopt that.",
            &measuring,
        );
        Self(proto::StartMeasurementRequest {
            plan,
            dry_run: form.flag("dry_run", "Only tell what would come of it.").unwrap_or_default(),
            ignore_errors: form
                .flag("ignore_errors", "Start although the analyzer reports errors that block measuring.")
                .unwrap_or_default(),
            if_measuring: measuring.unwrap_or_default().into(),
            file,
            if_busy: busy.into(),
            align_ms: form.span("align", "Begin at the next multiple of this on the clock.").map_or(0, convert::millis),
        })
    }
}

impl StartForm {
    fn plan(form: &mut Form, sync: proto::Sync) -> proto::PlanRequest {
        let background = form.background("background", "The channel that is measured between the others.");
        proto::PlanRequest {
            channels: form.channels("channels", "The channels, in their order.").unwrap_or_default(),
            repeats: form.number("repeats", "How often the channels are gone through."),
            purge_ms: form.span("purge", "How long a line is purged.").map(convert::millis),
            measure_ms: form.span("measure", "How long a channel is measured.").map(convert::millis),
            iterations: form.number(
                "iterations",
                "Leave a channel after so many good iterations; this counts more than the measure time.",
            ),
            task: form.text("task", "Name or number of a task of the analyzer.").filter(|task| !task.is_empty()),
            sync: sync.into(),
            save_on_device: form.flag("save_on_device", "Let the analyzer keep the results too.").unwrap_or_default(),
            label: form.text("label", "The name of the run.").unwrap_or_default(),
            note: form.text("note", "A note to the run.").unwrap_or_default(),
            operator: operator(form),
            discard_first: form.number("discard_first", "How many samples after each arrival do not count."),
            background: background.map(|(channel, every)| proto::Background { channel, every }),
            overlap: form.flag("overlap", "Let the valve move while the analyzer calculates."),
            park: form.number("park", "The channel to go to at the end, or 0 to stay."),
            ..proto::PlanRequest::default()
        }
    }
}

fn operator(form: &mut Form) -> String {
    form.text("operator", "A name that people give themselves; it is kept with the order.").unwrap_or_default()
}

/// What came of a start: it began or waits, or with `dry_run` what would have come of it.
enum StartAnswer {}

impl Shape for StartAnswer {
    fn schema(sheet: &mut Sheet) -> RefOr<Schema> {
        AnyOfBuilder::new().item(Planned::schema(sheet)).item(Started::schema(sheet)).into()
    }
}

async fn start(
    State(services): State<Services>,
    caller: Caller,
    Filled(StartForm(request)): Filled<StartForm>,
) -> Result<Told<StartAnswer>, Problem> {
    let dry_run = request.dry_run;
    match Planning(&services).start(request, &caller).await {
        Ok(planned) if dry_run => Ok(Told::documented(&json::planned(&planned))),
        Ok(started) => Ok(Told::documented(&json::started(&started))),
        Err(Wrong::Denied(denied)) => Err(denied.into()),
        Err(wrong) => Err(Problem::mistakes(Reason::PlanInvalid, mistakes(wrong))),
    }
}

/// What a plan comes to, or what is wrong with it.
#[derive(Serialize, ToSchema)]
struct PlanVerdict {
    errors: Vec<FormMistake>,
    /// What stands against a start right now, although the plan is good.
    warnings: Vec<String>,
    /// The phases, with `offset_s`, `duration_s`, `phase`, `channel` and `repeat`.
    timeline: Vec<Value>,
    /// How long it takes.
    estimate_s: Option<f64>,
    /// Without mistakes, also what a dry run tells.
    #[serde(flatten)]
    planned: Value,
}

async fn check(
    State(services): State<Services>,
    form: Result<Filled<StartForm>, Problem>,
) -> Result<Told<PlanVerdict>, Problem> {
    let checked = match form {
        Ok(Filled(StartForm(request))) => Planning(&services).dry_run_of(request).await.map_err(mistakes),
        Err(problem) => Err(problem.into_mistakes()?),
    };
    let told = match checked {
        Ok(planned) => {
            let mut told = json::planned(&planned);
            told["errors"] = json!([]);
            told["warnings"] = warnings(&services.control.status().await).into();
            told["estimate_s"] = told["total_s"].clone();
            told
        }
        Err(mistakes) => json!({ "errors": mistakes, "warnings": [], "timeline": [], "estimate_s": null }),
    };
    Ok(Told::documented(&told))
}

struct AbortForm {
    run: Option<String>,
    waits: bool,
    operator: String,
}

impl FromForm for AbortForm {
    const NAME: &'static str = "AbortForm";

    fn take(form: &mut Form) -> Self {
        let run = form.text("run", "The run; else the one under way, or the next one.").filter(|run| !run.is_empty());
        let waits = form
            .flag("wait", "Whether to wait until the analyzer is idle; so it is unless it is told.")
            .unwrap_or(true);
        Self { run, waits, operator: operator(form) }
    }
}

#[derive(Serialize, ToSchema)]
#[serde(untagged)]
enum AbortAnswer {
    Aborted {
        run_id: String,
        /// It had not begun yet.
        waited: bool,
    },
    /// It goes on.
    Accepted { accepted: bool },
}

async fn abort(
    State(services): State<Services>,
    caller: Caller,
    Filled(AbortForm { run, waits, operator }): Filled<AbortForm>,
) -> Result<Told<AbortAnswer>, Problem> {
    let who = caller.named(&operator);
    let control = services.control;
    // It goes on when whoever asked has gone.
    let mut aborting = tokio::spawn(async move { control.abort(who, run).await });
    let aborted = if waits {
        aborting.await
    } else {
        match tokio::time::timeout(PROMPTLY, &mut aborting).await {
            Ok(aborted) => aborted,
            Err(_) => return Ok(Told::json(&AbortAnswer::Accepted { accepted: true })),
        }
    };
    let aborted = aborted.map_err(|error| Problem::internal(format!("the abort broke: {error}")))??;
    Ok(Told::json(&AbortAnswer::Aborted { run_id: aborted.run.0, waited: aborted.waited }))
}

/// Something that is done to the run under way.
trait Steer: Send + 'static {
    const NAME: &'static str;

    fn take(form: &mut Form) -> Result<Control, Denied>;
}

struct Steered<V> {
    control: Result<Control, Denied>,
    operator: String,
    what: PhantomData<V>,
}

impl<V: Steer> FromForm for Steered<V> {
    const NAME: &'static str = V::NAME;

    fn take(form: &mut Form) -> Self {
        Self { control: V::take(form), operator: operator(form), what: PhantomData }
    }
}

/// The run that it was done to.
#[derive(Serialize, ToSchema)]
struct SteerAnswer {
    run_id: String,
}

async fn steer<V: Steer>(
    State(services): State<Services>,
    caller: Caller,
    Filled(order): Filled<Steered<V>>,
) -> Result<Told<SteerAnswer>, Problem> {
    let RunId(run_id) = services.control.control(order.control?, caller.named(&order.operator)).await?;
    Ok(Told::json(&SteerAnswer { run_id }))
}

enum PauseForm {}

impl Steer for PauseForm {
    const NAME: &'static str = "PauseForm";

    fn take(form: &mut Form) -> Result<Control, Denied> {
        let now = form.flag("now", "At once, and not after the sample under way.").unwrap_or_default();
        Ok(Control::Pause { now })
    }
}

enum Resume {}

impl Steer for Resume {
    const NAME: &'static str = "ResumeForm";

    fn take(_: &mut Form) -> Result<Control, Denied> {
        Ok(Control::Resume)
    }
}

enum Skip {}

impl Steer for Skip {
    const NAME: &'static str = "SkipForm";

    fn take(_: &mut Form) -> Result<Control, Denied> {
        Ok(Control::Skip)
    }
}

enum FinishForm {}

impl Steer for FinishForm {
    const NAME: &'static str = "FinishForm";

    fn take(form: &mut Form) -> Result<Control, Denied> {
        let after = [("channel", FinishAfter::Channel), ("repeat", FinishAfter::Repeat)];
        let after = form.choice("after", "What is still measured to its end; channel unless it is told.", &after);
        Ok(Control::Finish { after: after.unwrap_or(FinishAfter::Channel) })
    }
}

enum NoteForm {}

impl Steer for NoteForm {
    const NAME: &'static str = "NoteForm";

    fn take(form: &mut Form) -> Result<Control, Denied> {
        convert::note(&form.text("text", "The note.").unwrap_or_default())
    }
}

fn mistakes(wrong: Wrong) -> Vec<FormMistake> {
    match wrong {
        Wrong::File(_, mistakes) => mistakes.into_iter().map(FormMistake::from).collect(),
        Wrong::Plan(error) => match error.field() {
            Some(field) => vec![FormMistake::of(field, error.to_string())],
            None => vec![FormMistake::whole(error.to_string())],
        },
        Wrong::Denied(denied) if denied.reason == Reason::PlanUnknown => vec![FormMistake::of("plan", denied.text)],
        Wrong::Denied(denied) => vec![FormMistake::whole(denied.text)],
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
