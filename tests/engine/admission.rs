//! What can be asked when: the table in docs/admission.md, made from what the engine answers.

use std::fmt::Write;
use std::path::Path;

use gasera::domain::{
    AkLine, AnalyzerNews, Channel, Control, Fault, FaultKind, FinishAfter, Plan, Service, StartRequest, Sync, Tick,
    ValveNews, ValveOrder,
};
use gasera::engine::{Beginning, Effect, Guard, RequestId, What};

use super::absence::doubtful;
use super::runs::lively;
use crate::support::world::{Manners, World, plan, seconds};

const HEAD: &str = "\
# What can be asked when

Made by `cargo test admission` from the answers of the engine (`BLESS=1` writes it anew). \"yes\" is granted at once; `start` and
`abort` are then answered when the analyzer measures, or is idle. \"start, queued\" is `--if-busy wait`, \"start, aligned\" is
`--align`; both are answered at once where the run has to wait. \"abort WAITING\" names a run that waits. Everything else is the reason of the
refusal, as gRPC and `--json` give it.

";

type Ask = fn(RequestId) -> What;

fn control(control: Control, request: RequestId) -> What {
    What::Control { request, who: "ada".into(), control }
}

const ASKED: [(&str, Ask); 13] = [
    ("start", |request| start(request, |_| {})),
    ("start, queued", |request| start(request, |asked| asked.queue = true)),
    ("start, aligned", |request| start(request, |asked| asked.align = Some(seconds(1800)))),
    ("abort", |request| What::Abort { request, who: "ada".into() }),
    ("abort WAITING", |request| What::AbortRun { request, who: "ada".into(), run: WAITING.into() }),
    ("pause", |request| control(Control::Pause { now: false }, request)),
    ("resume", |request| control(Control::Resume, request)),
    ("skip", |request| control(Control::Skip, request)),
    ("finish", |request| control(Control::Finish { after: FinishAfter::Channel }, request)),
    ("note", |request| control(Control::Note { text: "windy".into() }, request)),
    ("mux goto", |request| move_valve(ValveOrder::Goto(Channel::HOME), request)),
    ("mux where", |request| move_valve(ValveOrder::Where, request)),
    ("analyzer ak RDEV", |request| {
        let line = AkLine { code: "RDEV".into(), data: String::new() };
        What::Serve { request, who: "ada".into(), service: Service::Ak(line) }
    }),
];

/// The run that waits to begin, where one does.
const WAITING: &str = "WAITING";

fn start(request: RequestId, change: fn(&mut StartRequest)) -> What {
    let mut asked = StartRequest::new(plan("1", 1, 5, 20, Sync::Analyzer), "ada");
    change(&mut asked);
    What::Start { request, run: gasera::domain::RunId("ANOTHER".into()), asked: Box::new(asked) }
}

fn move_valve(order: ValveOrder, request: RequestId) -> What {
    What::MoveValve { request, who: "ada".into(), order }
}

fn under_way() -> World {
    let manners = Manners { travel: seconds(1), cancelling: seconds(3), ..lively() };
    let mut world = World::new(manners);
    let mut asked: Plan = plan("1-2", 1, 10, 20, Sync::Analyzer);
    asked.park = Channel::new(9);
    world.start(asked);
    world
}

fn waiting_for(reason: &str) -> World {
    let mut world = under_way();
    world.until_waiting_for(reason);
    world
}

/// Another run is to begin later.
fn with_another(mut world: World, change: fn(&mut StartRequest)) -> World {
    world.ask(|request| match start(request, change) {
        What::Start { request, asked, .. } => {
            What::Start { request, run: gasera::domain::RunId(WAITING.into()), asked }
        }
        other => other,
    });
    world
}

fn guarded() -> World {
    let guard = Some(Guard { every: seconds(60), timeout: seconds(10) });
    let manners = Manners { guard: Some("it rains".into()), ..lively() };
    let mut world = World::beginning(manners, Beginning { guard, ..Beginning::default() });
    world.start(plan("1-2", 1, 10, 20, Sync::Analyzer));
    world.until_waiting_for("the guard to let the next visit begin");
    world
}

fn at(moment: &str) -> World {
    match moment {
        "nothing is under way" => World::new(lively()),
        "the analyzer is offline" => {
            let mut world = World::new(lively());
            world.say(AnalyzerNews::Offline { reason: "no answer".into() });
            world
        }
        "a run waits for its time" => with_another(World::new(lively()), |asked| asked.align = Some(seconds(1800))),
        "the valve is moved by hand" => {
            let mut world = World::new(lively());
            world.ask(|request| move_valve(ValveOrder::Home, request));
            world
        }
        "the analyzer tests itself" => {
            let mut world = World::new(lively());
            world.ask(|request| What::Serve { request, who: "ada".into(), service: Service::SelfTest });
            world
        }
        "the task is looked for" => under_way(),
        "the task is looked for, and another run waits" => with_another(under_way(), |asked| asked.queue = true),
        "the valve goes home" => waiting_for("the valve to reach its home position"),
        "the line settles" => waiting_for("the line to settle after the move"),
        "the analyzer starts" => waiting_for("the analyzer to start measuring"),
        "the line is purged" => waiting_for("the end of the purge"),
        "measuring" => waiting_for("the end of the measuring time"),
        "the gas exchange is waited for" => waiting_for("a whole gas exchange on this channel"),
        "the valve moves" => waiting_for("the valve to reach the channel"),
        other => late(other),
    }
}

/// From the middle of a run on.
fn late(moment: &str) -> World {
    match moment {
        "the valve is lost" => {
            let mut world = waiting_for("a whole gas exchange on this channel");
            world.valve_says(ValveNews::Lost(Fault::new(FaultKind::Offline, "the port is gone")));
            world.manners.valve_away = Some((Tick::ZERO, Tick::ZERO + seconds(100_000)));
            world.until_waiting_for("the valve to come back");
            world
        }
        "measuring, and another run waits" => {
            with_another(waiting_for("the end of the measuring time"), |asked| asked.queue = true)
        }
        "the guard is asked" => guarded(),
        "a pause is pending" => {
            let mut world = waiting_for("the end of the measuring time");
            world.ask(|request| control(Control::Pause { now: false }, request));
            world
        }
        "a finish is pending" => {
            let mut world = waiting_for("the end of the purge");
            world.ask(|request| control(Control::Finish { after: FinishAfter::Channel }, request));
            world
        }
        "paused" => {
            let mut world = waiting_for("the end of the measuring time");
            world.ask(|request| control(Control::Pause { now: true }, request));
            world
        }
        "whether somebody stopped the analyzer is in doubt" => doubtful(),
        "the last result is waited for" => waiting_for("the last result of the analyzer"),
        "the analyzer stops" => {
            let mut world = waiting_for("the end of the purge");
            world.abort();
            world
        }
        "the analyzer stops, and another run waits" => {
            let mut world = with_another(waiting_for("the end of the purge"), |asked| asked.queue = true);
            world.abort();
            world
        }
        "the valve goes to rest" => waiting_for("the valve to reach its rest position"),
        "taken up after a restart" => {
            let mut world = waiting_for("the end of the measuring time");
            world.crash(seconds(60));
            world
        }
        "shutting down" => {
            let mut world = World::new(lively());
            world.hand_over(What::Shutdown);
            world
        }
        other => panic!("{other} is no moment"),
    }
}

const MOMENTS: [&str; 27] = [
    "nothing is under way",
    "the analyzer is offline",
    "a run waits for its time",
    "the valve is moved by hand",
    "the analyzer tests itself",
    "the task is looked for",
    "the task is looked for, and another run waits",
    "the valve goes home",
    "the line settles",
    "the analyzer starts",
    "the line is purged",
    "measuring",
    "measuring, and another run waits",
    "a pause is pending",
    "a finish is pending",
    "the gas exchange is waited for",
    "the valve moves",
    "the valve is lost",
    "the guard is asked",
    "paused",
    "whether somebody stopped the analyzer is in doubt",
    "the last result is waited for",
    "the analyzer stops",
    "the analyzer stops, and another run waits",
    "the valve goes to rest",
    "taken up after a restart",
    "shutting down",
];

/// The one answer to a request at a moment; a request that is only answered later is granted.
fn answer(moment: &str, ask: Ask) -> String {
    let mut world = at(moment);
    let before = world.effects.len();
    let mut asked = RequestId(0);
    world.ask(|request| {
        asked = request;
        ask(request)
    });
    let reply = |(_, effect): &(Tick, Effect)| match effect {
        Effect::Reply { request, answer } if *request == asked => Some(answer.clone()),
        _ => None,
    };
    match world.effects[before..].iter().find_map(reply) {
        Some(Err(denied)) => {
            assert!(denied.text.len() > 20, "a sentence is due: {}", denied.text);
            denied.reason.as_str().to_owned()
        }
        Some(Ok(_)) | None => "yes".to_owned(),
    }
}

#[test]
fn the_table_of_what_can_be_asked_when_is_what_the_engine_answers() {
    let mut table = HEAD.to_owned();
    let names: Vec<&str> = ASKED.iter().map(|(name, _)| *name).collect();
    writeln!(table, "| while | {} |", names.join(" | ")).unwrap();
    writeln!(table, "|---|{}", "---|".repeat(names.len())).unwrap();
    for moment in MOMENTS {
        let answers: Vec<String> = ASKED.iter().map(|(_, ask)| answer(moment, *ask)).collect();
        writeln!(table, "| {moment} | {} |", answers.join(" | ")).unwrap();
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/admission.md");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&file, &table).unwrap();
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(kept == table, "docs/admission.md is not what the engine answers; see BLESS\n{table}");
}
