//! One readable line per event.

use gasera::domain::event::{PhaseChange, RunChange, outcome_sentence};
use gasera::domain::{Event, RunSummary, Severity, UsbEvent};

use super::words;
use crate::output::Paint;
use crate::stream::{Notice, SaidByStream};

/// What makes up a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineParts {
    /// Local, without its zone.
    pub time: String,
    pub name: String,
    pub text: String,
}

/// `None` for what only says that the connection lives or how far the run is.
pub fn of(notice: &Notice, paint: Paint) -> Option<String> {
    let time = notice.timestamp().map_or_else(String::new, |timestamp| words::clock(words::moment(timestamp)));
    let name = format!("{:<17}", notice.frame.event);
    let text = text(notice, paint)?;
    Some(format!("{}  {} {text}", paint.dim(&time), paint.bold(&name)))
}

/// As [`of`], not put together yet.
pub fn parts(notice: &Notice, paint: Paint) -> Option<LineParts> {
    let text = text(notice, paint)?;
    let time = notice.timestamp().map_or_else(String::new, |timestamp| words::time(words::moment(timestamp)));
    Some(LineParts { time, name: notice.frame.event.clone(), text })
}

fn text(notice: &Notice, paint: Paint) -> Option<String> {
    Some(match &notice.said {
        SaidByStream::Progress(_) => return None,
        SaidByStream::Snapshot(status) => {
            format!("{} {}", words::doing(status.phase), words::place(status)).trim_end().to_owned()
        }
        SaidByStream::Gap => paint.doubtful(&gap(notice)).into_owned(),
        SaidByStream::Event(event) => sentence(event, paint),
        SaidByStream::Other if matches!(notice.frame.event.as_str(), "connected" | "heartbeat" | "progress") => {
            return None;
        }
        SaidByStream::Other => notice.frame.data.clone(),
    })
}

fn gap(notice: &Notice) -> String {
    let reason = notice.data.get("reason").and_then(serde_json::Value::as_str).unwrap_or("they are gone");
    format!("events are missing: {reason}")
}

fn sentence(event: &Event, paint: Paint) -> String {
    match event {
        Event::RunStarted { run } => format!("run {}: {}", run.id, words::plan(&run.plan)),
        Event::RunFinished { run } => ended(run),
        Event::RunUpdated(update) if update.change == RunChange::Paused => {
            paint.doubtful(&words::update(update)).into_owned()
        }
        Event::RunUpdated(update) => words::update(update),
        Event::Phase(change) => phase(change),
        Event::LiveData(data) => {
            let text = format!("{}: {}", words::attribution(data.attribution, data.channel), words::readings(data));
            let doubts = words::doubts(data);
            if doubts.is_empty() { text } else { format!("{text} {}", paint.doubtful(&format!("({doubts})"))) }
        }
        Event::DeviceConnection { online: true, .. } => "analyzer online".into(),
        Event::DeviceConnection { reason, .. } => paint.bad(&format!("analyzer offline: {reason}")).into_owned(),
        Event::DeviceStatus { name, .. } => format!("analyzer {}", name.words()),
        Event::DevicePhase { name, iteration, .. } => {
            let iteration = iteration.map_or_else(String::new, |number| format!(", iteration {number}"));
            format!("analyzer phase {}{iteration}", name.words())
        }
        Event::DeviceErrors { codes, .. } if codes.is_empty() => "no analyzer errors".into(),
        Event::DeviceErrors { text, .. } => paint.doubtful(text).into_owned(),
        Event::DeviceMetrics(metrics) => words::metrics(metrics),
        Event::MuxPosition { position, .. } => format!("valve {}", words::position(*position)),
        Event::Alarm { severity: Severity::Warning, code, text, .. } => paint.doubtful(&alarm(code, text)).into_owned(),
        Event::Alarm { code, text, .. } => paint.bad(&alarm(code, text)).into_owned(),
        Event::ScheduleUpdated(update) => format!("schedule {}: {}", update.schedule, update.text),
        Event::Usb(news) if news.event == UsbEvent::Failed => paint.bad(&news.text).into_owned(),
        Event::Usb(news) => news.text.clone(),
        Event::Storage(news) => news.text.clone(),
        Event::SystemShutdown { reason, .. } => format!("gaserad shuts down: {reason}"),
    }
}

fn alarm(code: &str, text: &str) -> String {
    format!("{code}: {text}")
}

fn ended(run: &RunSummary) -> String {
    let outcome = run.outcome.map_or_else(String::new, |outcome| outcome_sentence(outcome, &run.reason));
    format!("run {} {outcome}", run.id)
}

fn phase(change: &PhaseChange) -> String {
    let channel = change.channel.map_or_else(String::new, |channel| format!(" channel {channel}"));
    let until = change.until.map_or_else(String::new, |until| format!(" until {}", words::clock(until)));
    let reason = if change.reason.is_empty() { String::new() } else { format!(": {}", change.reason) };
    format!("{}{channel}{until}{reason}", change.phase.as_str())
}

#[cfg(test)]
mod tests {
    use gasera::domain::event::RunUpdate;

    use super::*;
    use crate::stream::SseFrame;
    use crate::view::model::tests::{notice, run_summary};

    #[test]
    fn events_are_told_in_words() {
        let line = |event: &Event| of(&notice(event, 41), Paint(false)).unwrap();
        let started = line(&Event::RunStarted { run: run_summary() });
        assert!(started.contains("run.started       run 01KAHRUN: channels 1-4,7 x 2, purge 6s,"), "{started}");
        let update = |change, text: &str| {
            let run_id = run_summary().id;
            line(&Event::RunUpdated(RunUpdate { run_id, change, who: "ada".into(), text: text.into() }))
        };
        for (change, text, says) in [
            (RunChange::PauseAsked, "at once", "ada wants the run to pause at once"),
            (RunChange::Paused, "paused", "ada paused the run"),
            (RunChange::Paused, "the valve does not answer", "the run is paused: the valve does not answer, by ada"),
            (RunChange::Resumed, "", "ada resumed the run"),
            (RunChange::Skipped, "channel 3", "ada skipped channel 3"),
            (
                RunChange::FinishAsked,
                "after the repeat under way",
                "ada wants the run to finish after the repeat under way",
            ),
            (RunChange::Noted, "window open", "ada noted: window open"),
        ] {
            let line = update(change, text);
            assert!(line.ends_with(&format!("run.updated       {says}")), "{line}");
        }
        let offline = line(&Event::DeviceConnection { online: false, reason: "no route to host".into() });
        assert!(offline.ends_with("analyzer offline: no route to host"), "{offline}");
    }

    #[test]
    fn heartbeats_are_not_told_and_gaps_are() {
        let other = |name: &str, data: &str| {
            of(&Notice::new(SseFrame { event: name.into(), data: data.into(), id: None }), Paint(false))
        };
        assert_eq!(other("heartbeat", "{}"), None);
        assert!(other("gap", r#"{"reason":"too slow"}"#).unwrap().ends_with("events are missing: too slow"));
    }
}
