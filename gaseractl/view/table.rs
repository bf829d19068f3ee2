//! Tables in the manner of kubectl: a heading, columns, no lines.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use gasera::domain::event::outcome_sentence;
use gasera::domain::{Cas, Outcome, Utc};
use gasera::proto::{
    GetRunResponse, Note, PlanRequest, Run, StartMeasurementResponse, StoredPlan, Sync, TimelineEntry, Visit,
};

use super::{json, words};

pub fn table(heading: &[&str], right: &[usize]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(heading.to_vec());
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
        if right.contains(&column.index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

pub fn written(table: &Table) -> String {
    table.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}

/// The runs, newest first.
pub fn runs(runs: &[Run]) -> String {
    let heading = ["RUN", "STARTED", "DURATION", "PLAN", "OUTCOME", "GOOD/ALL", "LABEL"];
    let mut table = table(&heading, &[]);
    for run in runs {
        let plan = run.plan.clone().unwrap_or_default();
        table.add_row([
            run.id.clone(),
            words::date_of(&run.started_utc),
            span(&run.started_utc, &run.ended_utc).unwrap_or_else(|| "-".into()),
            format!("{} x {}", plan.channels, plan.repeats.unwrap_or(1)),
            words::outcome(run).map_or("under way", Outcome::as_str).to_owned(),
            format!("{}/{}", run.good_records, run.records),
            plan.label,
        ]);
    }
    written(&table)
}

/// The plans that the daemon keeps.
pub fn plans(plans: &[StoredPlan]) -> String {
    let mut table = table(&["PLAN", "CHANNELS", "TAKES", "LABEL", "FILE"], &[]);
    for stored in plans {
        let plan = stored.plan.as_ref();
        table.add_row([
            stored.name.clone(),
            plan.map_or("-".into(), |plan| format!("{} x {}", plan.channels, plan.repeats.unwrap_or(1))),
            plan.map_or_else(|| words::count(stored.mistakes.into(), "mistake"), |_| words::millis(stored.total_ms)),
            plan.map_or_else(String::new, |plan| plan.label.clone()),
            stored.path.clone(),
        ]);
    }
    written(&table)
}

/// One run with its visits and notes.
pub fn run(response: &GetRunResponse) -> String {
    let run = response.run.clone().unwrap_or_default();
    let requested = run.plan.clone().unwrap_or_default();
    let outcome =
        words::outcome(&run).map_or_else(|| "under way".to_owned(), |outcome| outcome_sentence(outcome, &run.reason));
    let duration = span(&run.started_utc, &run.ended_utc).map_or_else(String::new, |span| format!(", {span}"));
    let lines = [
        ("Run", run.id.clone()),
        ("Label", requested.label.clone()),
        ("Note", requested.note.clone()),
        ("Operator", requested.operator.clone()),
        ("Plan", plan(&requested)),
        ("Started", words::date_of(&run.started_utc)),
        ("Ended", if run.ended_utc.is_empty() { String::new() } else { words::date_of(&run.ended_utc) + &duration }),
        ("Outcome", outcome),
        ("Records", format!("{}, {} good", run.records, run.good_records)),
        ("Losses", run.without_channel.as_ref().map_or_else(String::new, words::without_channel)),
        ("Folder", run.folder.clone()),
    ];
    let given = lines.into_iter().filter(|(_, value)| !value.is_empty());
    let head: Vec<String> = given.map(|(name, value)| format!("{name:<9} {value}")).collect();
    let head = head.join("\n") + "\n";
    let mut text = head;
    if !response.visits.is_empty() {
        text += &format!("\n{}", visits(&response.visits));
    }
    if !response.notes.is_empty() {
        text += &format!("\n{}", notes(&response.notes));
    }
    text
}

fn notes(notes: &[Note]) -> String {
    let mut table = table(&["NOTED", "BY", "NOTE"], &[]);
    for note in notes {
        table.add_row([words::date_of(&note.at_utc), note.who.clone(), note.text.clone()]);
    }
    written(&table)
}

fn visits(visits: &[Visit]) -> String {
    let mut table = table(&["VISIT", "CHANNEL", "REPEAT", "ARRIVED", "DURATION", "GOOD/ALL"], &[0, 1, 2]);
    for visit in visits {
        table.add_row([
            visit.id.to_string(),
            visit.channel.to_string(),
            visit.repeat.to_string(),
            words::date_of(&visit.arrived_utc),
            span(&visit.arrived_utc, &visit.left_utc).unwrap_or_else(|| "-".into()),
            format!("{}/{}", visit.good_records, visit.records),
        ]);
    }
    written(&table)
}

/// From one time to another as the daemon writes them; `None` if one is not there.
fn span(start: &str, end: &str) -> Option<String> {
    Some(words::lasting(words::between(start.parse::<Utc>().ok()?, end.parse::<Utc>().ok()?)))
}

/// `channels 1-4 x 2, purge 6s, measure 20s, task DEFAULT, sync analyzer`
pub fn plan(plan: &PlanRequest) -> String {
    let mut parts = vec![format!("channels {} x {}", plan.channels, plan.repeats.unwrap_or(1))];
    parts.extend(plan.purge_ms.map(|purge| format!("purge {}", words::millis(purge))));
    let time = || plan.measure_ms.map(words::millis);
    let measure = plan.iterations.map(|count| words::count(count.into(), "iteration")).or_else(time);
    parts.extend(measure.map(|measure| format!("measure {measure}")));
    parts.extend(plan.task.as_ref().map(|task| format!("task {task}")));
    parts.extend(json::sync(plan).map(|sync| format!("sync {sync}")));
    parts.extend(particular(plan).words());
    parts.join(", ")
}

fn particular(plan: &PlanRequest) -> words::Particular {
    let gases = plan.gas_discards.iter().map(|gas| (Cas(gas.cas.clone()).formula().to_owned(), gas.discard_first));
    words::Particular {
        discard_first: plan.discard_first.unwrap_or(0),
        background: plan.background.map(|background| (background.channel, background.every)),
        waits: plan.overlap == Some(false) && plan.sync() == Sync::Analyzer,
        exceptions: plan.exceptions.iter().map(|exception| exception.channel.to_string()).collect(),
        gases: gases.collect(),
    }
}

/// The phases as they are meant to be. Repeats that differ only in when they come are told once.
pub fn timeline(response: &StartMeasurementResponse) -> String {
    let mut table = table(&["AT", "PHASE", "CHANNEL", "REPEAT", "DURATION"], &[0, 2, 3, 4]);
    let repeats = repeats(&response.timeline);
    let shown = if repeats.len() > 2 && repeats[1..repeats.len() - 1].iter().all(|repeat| alike(repeats[0], repeat)) {
        1
    } else {
        repeats.len()
    };
    for entry in repeats[..shown].concat() {
        table.add_row([
            words::millis(entry.offset_ms),
            entry.phase,
            if entry.channel == 0 { "-".into() } else { entry.channel.to_string() },
            entry.repeat.to_string(),
            words::millis(entry.duration_ms),
        ]);
    }
    let more = if shown < repeats.len() {
        format!("… {} more repeats alike\n", repeats.len() - shown)
    } else {
        String::new()
    };
    let plan = response.plan.as_ref().map_or_else(String::new, plan);
    let (takes, end) = (words::millis(response.total_ms), words::date_of(&response.end_utc));
    let total = match response.begins_utc.as_str() {
        "" => format!("total {takes}; if started now it would end {end}"),
        begins => format!("total {takes}; if started now it would begin {} and end {end}", words::date_of(begins)),
    };
    let pace = if response.pace.is_empty() { String::new() } else { format!("{}\n", response.pace) };
    format!("{}{more}\n{plan}\n{total}\n{pace}", written(&table))
}

fn repeats(timeline: &[TimelineEntry]) -> Vec<&[TimelineEntry]> {
    timeline.chunk_by(|one, next| one.repeat == next.repeat).collect()
}

fn alike(one: &[TimelineEntry], other: &[TimelineEntry]) -> bool {
    one.len() == other.len()
        && one.iter().zip(other).all(|(one, other)| {
            (&one.phase, one.channel, one.duration_ms) == (&other.phase, other.channel, other.duration_ms)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(offset_s: u64, phase: &str, channel: u32, repeat: u32) -> TimelineEntry {
        TimelineEntry { offset_ms: offset_s * 1000, duration_ms: 5000, phase: phase.into(), channel, repeat }
    }

    fn response(repeats: u32) -> StartMeasurementResponse {
        let mut timeline: Vec<TimelineEntry> = (1..=repeats)
            .flat_map(|repeat| {
                let start = u64::from(repeat - 1) * 10;
                [entry(start, "HOMING", 0, repeat), entry(start + 5, "MEASURING", 1, repeat)]
            })
            .collect();
        timeline.push(entry(u64::from(repeats) * 10, "SWITCHING", 0, repeats));
        let total_ms = u64::from(repeats) * 10_000 + 1000;
        StartMeasurementResponse { timeline, total_ms, ..StartMeasurementResponse::default() }
    }

    #[test]
    fn repeats_that_are_alike_are_told_once() {
        let text = timeline(&response(10));
        assert_eq!(text.matches("MEASURING").count(), 1, "{text}");
        assert!(text.contains("… 9 more repeats alike\n"), "{text}");
    }

    #[test]
    fn a_short_plan_is_told_in_full() {
        let text = timeline(&response(2));
        assert_eq!(text.matches("MEASURING").count(), 2, "{text}");
        assert!(!text.contains("more repeats"), "{text}");
    }

    #[test]
    fn a_run_under_way_has_no_end() {
        let run = Run { id: "01J".into(), started_utc: "2026-01-15T08:03:12.000Z".into(), ..Run::default() };
        let text = runs(&[run]);
        assert!(text.lines().nth(1).unwrap().contains(" under way"), "{text}");
        assert_eq!(span("2026-01-15T08:03:12Z", ""), None);
        assert_eq!(span("2026-01-15T08:03:12Z", "2026-01-15T09:03:13Z").as_deref(), Some("1h1s"));
    }
}
