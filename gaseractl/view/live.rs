//! The live view: how the run stands, in at most 20 lines of 80 columns, so that events can scroll above it.

use gasera::domain::{Channel, Phase, Status, Utc};

use super::model::Model;
use super::{status, words};
use crate::output::Paint;
use crate::stream::reconnect::State;

const GAS_ROWS: usize = 6;
const CELL: usize = 4;

/// The view as lines that fit into `width`.
pub fn lines(model: &Model, link: &State, endpoint: &str, paint: Paint, width: usize) -> Vec<String> {
    let rule = paint.dim(&"-".repeat(width.min(80))).into_owned();
    let mut lines = vec![rule, header(model, link, endpoint, paint)];
    let Some(status) = &model.status else { return lines };
    lines.push(run(status, paint));
    // The headline reckons from the time of the snapshot; here time goes on.
    let present = Status { timestamp: model.now().as_seconds(), ..status.clone() };
    lines.extend(wrap(&status::headline(&present, Paint(false)), width, 2));
    if status.run.is_some() {
        lines.push(paint.busy(&status::progress(status)).into_owned());
    }
    lines.extend(waiting(status, width));
    lines.extend(grid(status, paint, width));
    lines.extend(wrap(&format!("Analyzer  {}", words::analyzer(&status.analyzer)), width, 1));
    if !status.analyzer.errors.is_empty() {
        let errors = wrap(&format!("Errors    {}", words::errors(&status.analyzer.errors)), width, 1);
        lines.extend(errors.iter().map(|line| paint.doubtful(line).into_owned()));
    }
    let fault = wrap(&format!("Valve     {}", status::multiplexer(status, Paint(false))), width, 1);
    lines.extend(fault);
    lines.extend(readings(status, model.now(), paint));
    lines
}

/// The next run that begins later, and how many more do.
fn waiting(status: &Status, width: usize) -> Option<String> {
    let next = words::queued(status.queued.first()?);
    let more = match status.queued.len() {
        1 => String::new(),
        runs => format!(" (and {} more)", runs - 1),
    };
    Some(short(&format!("Waiting   {next}{more}"), width))
}

fn header(model: &Model, link: &State, endpoint: &str, paint: Paint) -> String {
    let badge = match link {
        State::Connected => paint.good("connected"),
        State::Reconnecting { .. } => paint.doubtful("reconnecting"),
        State::Polling { .. } => paint.doubtful("polling"),
        State::Lost(_) => paint.bad("disconnected"),
    };
    let simulated = model.status.as_ref().is_some_and(|status| status.simulated);
    let simulated = if simulated { "  simulated" } else { "" };
    format!("{} {badge}  {endpoint}{simulated}  {}", paint.bold("gaserad"), words::clock(model.now()))
}

fn run(status: &Status, paint: Paint) -> String {
    match (&status.run, &status.last_run) {
        (Some(run), _) => {
            let label =
                if run.plan.label.is_empty() { String::new() } else { format!(" \"{}\"", short(&run.plan.label, 30)) };
            format!("Run {}{label}", run.id)
        }
        (None, Some(run)) => {
            let outcome = run.outcome.map_or("ended", gasera::domain::Outcome::as_str);
            format!("No run is under way; the last, {}, {outcome}", run.id)
        }
        (None, None) => paint.dim("No run is under way").into_owned(),
    }
}

/// What became of a channel in this repeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Visit {
    NotPlanned,
    Pending,
    Current,
    /// The run is suspended here.
    Suspended,
    Done,
}

fn visit(status: &Status, channel: Channel) -> Visit {
    let Some(run) = &status.run else { return Visit::NotPlanned };
    let Some(place) = run.plan.channels().iter().position(|planned| *planned == channel) else {
        return Visit::NotPlanned;
    };
    let progress = &status.progress;
    let before = progress.repeat_index.saturating_mul(progress.enabled_count);
    let done = usize::try_from(progress.step_index.saturating_sub(before)).unwrap_or(usize::MAX);
    let on_air = matches!(progress.phase, Phase::Paused | Phase::Measuring);
    match place {
        place if place < done => Visit::Done,
        place if place == done && on_air => Visit::Current,
        place if place == done && progress.phase == Phase::Suspended => Visit::Suspended,
        _ => Visit::Pending,
    }
}

fn cell(channel: Channel, mark: char) -> String {
    format!("{:>2}{mark} ", channel.number())
}

fn grid(status: &Status, paint: Paint, width: usize) -> Vec<String> {
    let cells: Vec<String> = (1..=status.multiplexer.channels)
        .filter_map(Channel::new)
        .map(|channel| match visit(status, channel) {
            Visit::NotPlanned => paint.dim(&cell(channel, ' ')).into_owned(),
            Visit::Pending => cell(channel, '.'),
            Visit::Current => paint.busy(&cell(channel, '*')).into_owned(),
            Visit::Suspended => paint.doubtful(&cell(channel, '=')).into_owned(),
            Visit::Done => paint.good(&cell(channel, '+')).into_owned(),
        })
        .collect();
    let per_line = (width.min(80).saturating_sub(10) / CELL).max(1);
    cells
        .chunks(per_line)
        .enumerate()
        .map(|(row, cells)| format!("{:<10}{}", if row == 0 { "Channels" } else { "" }, cells.concat()))
        .collect()
}

fn readings(status: &Status, now: Utc, paint: Paint) -> Vec<String> {
    let Some(data) = &status.live_data else { return Vec::new() };
    let place = words::attribution(data.attribution, data.channel);
    let age = words::lasting(words::between(data.sampled, now));
    let heading = format!("{:<8} {:>12}  {:<14} {:>8}", "GAS", "PPM", "CHANNEL", "AGE");
    let mut lines = vec![paint.dim(&heading).into_owned()];
    for gas in data.components.iter().take(GAS_ROWS) {
        let place = place.strip_prefix("channel ").unwrap_or(&place);
        lines.push(format!("{:<8} {:>12}  {place:<14} {age:>8}", short(&gas.formula, 8), words::ppm(gas.ppm)));
    }
    if data.components.len() > GAS_ROWS {
        lines.push(format!("… {} more gases", data.components.len() - GAS_ROWS));
    }
    let doubts = words::doubts(data);
    if !doubts.is_empty() {
        lines.push(paint.doubtful(&format!("This result: {doubts}")).into_owned());
    }
    lines
}

/// At most `most` lines of at most `width` characters, cut between words where it can be.
fn wrap(text: &str, width: usize, most: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let full = lines.last().is_some_and(|line| line.chars().count() + word.chars().count() + 1 > width);
        if full && lines.len() < most {
            lines.push("  ".to_owned());
        }
        if let Some(line) = lines.last_mut() {
            if !line.trim().is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines.iter().map(|line| short(line, width)).collect()
}

fn short(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use gasera::domain::event::{Component, LiveData};
    use gasera::domain::{AnalyzerTime, Attribution, Cas, Qc, RunId};

    use super::*;
    use crate::stream::Frame;
    use crate::stream::Notice;
    use crate::view::model::tests::status;

    fn component(number: u32) -> Component {
        let cas = Cas(format!("{number}-00-0"));
        Component {
            label: cas.label(),
            formula: cas.formula().into(),
            ppm: Some(412.3),
            color: String::new(),
            cas,
            discard: false,
        }
    }

    fn live_data() -> LiveData {
        LiveData {
            run_id: RunId("01KAHRUN".into()),
            seq: 1,
            phase: Phase::Measuring,
            channel: Channel::new(3),
            visit_id: None,
            repeat: Some(1),
            attribution: Attribution::Exact,
            discard: false,
            qc: Qc::Good,
            flags: Vec::new(),
            iteration: None,
            sampled: Utc::from_micros(1_050_000_000),
            device_timestamp: AnalyzerTime(0),
            units: "ppm".into(),
            components: (1..=15).map(component).collect(),
        }
    }

    fn shown(change: impl FnOnce(&mut Status)) -> Vec<String> {
        let mut status = status();
        change(&mut status);
        let data = serde_json::to_string(&status).unwrap();
        let mut model = Model::default();
        model.apply(&Notice::new(Frame { event: "snapshot".into(), data, id: None }));
        lines(&model, &State::Connected, "unix:/run/gaserad/gaserad.sock", Paint(false), 80)
    }

    #[test]
    fn the_fullest_view_fits_a_small_terminal() {
        let lines = shown(|status| {
            status.multiplexer.channels = 31;
            status.multiplexer.fault = "the valve does not answer ".repeat(9);
            status.waiting_for = "the analyzer to come back online ".repeat(9);
            status.analyzer.errors = vec!["8001".into(); 9];
            status.live_data = Some(LiveData { discard: true, ..live_data() });
        });
        assert!(lines.len() <= 20, "{lines:#?}");
        assert!(lines.iter().all(|line| line.chars().count() <= 80), "{lines:#?}");
    }

    #[test]
    fn channels_show_what_became_of_them() {
        let lines = shown(|_| {});
        assert!(lines.iter().any(|line| line == "Channels   1+  2+  3*  4.  5   6   7.  8  "), "{lines:#?}");
    }

    #[test]
    fn a_suspended_run_shows_where_it_stays_and_how_to_go_on() {
        let lines = shown(|status| {
            status.phase = Phase::Suspended;
            status.progress.phase = Phase::Suspended;
            status.until = None;
            status.waiting_for = "somebody to resume the run".into();
        });
        assert!(lines.iter().any(|line| line == "Channels   1+  2+  3=  4.  5   6   7.  8  "), "{lines:#?}");
        let told = "Suspended, channel 3, repeat 1 of 2: somebody to resume the run";
        assert!(lines.iter().any(|line| line == told), "{lines:#?}");
    }

    #[test]
    fn readings_tell_their_channel_and_age() {
        let lines = shown(|status| status.live_data = Some(live_data()));
        let row = lines.iter().find(|line| line.starts_with("1-00-0")).unwrap();
        assert_eq!(row.split_whitespace().collect::<Vec<_>>(), ["1-00-0", "412.3", "3", "10s"]);
    }
}
