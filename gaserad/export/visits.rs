//! The stays on the channels as a table, for R packages that match samples with them.

use std::sync::Arc;

use super::ExportJob;
use super::flux::{geometry, plot, unique_id};
use super::text::TextLines;
use crate::domain::{ChannelInfo, Format, Sheet, Utc, VisitSummary};

const SECOND: i64 = 1_000_000;

/// A stay, and the run that it is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportedVisit {
    pub run: usize,
    pub visit: VisitSummary,
}

/// Lines of visits; each is written when the next is known, since windows may not overlap.
pub struct ExportedVisits {
    job: Arc<ExportJob>,
    lines: TextLines,
    last: Option<ExportedVisit>,
}

impl ExportedVisits {
    pub fn new(job: &Arc<ExportJob>) -> Self {
        let mut lines = TextLines::wanted(&job.wanted);
        header(job.wanted.format, &mut lines);
        Self { job: job.clone(), lines, last: None }
    }

    pub fn add(&mut self, visit: ExportedVisit) {
        let next = visit.visit.arrived;
        if let Some(last) = self.last.replace(visit) {
            self.write(&last, Some(next));
        }
    }

    pub fn end(&mut self) {
        if let Some(last) = self.last.take() {
            self.write(&last, None);
        }
    }

    /// What is written so far.
    pub fn take(&mut self) -> Vec<u8> {
        self.lines.take()
    }

    fn write(&mut self, ExportedVisit { run, visit }: &ExportedVisit, next: Option<Utc>) {
        let sheet = &self.job.sheets[*run];
        // A stay that nobody ended lasts as long as it was looked at: up to the end of its run.
        let Some(end) = visit.left.or(sheet.run.ended).or(next) else { return };
        let window = Window::new(visit.arrived, end, next);
        match self.job.wanted.format {
            Format::Goflux => goflux(&mut self.lines, sheet, visit, window),
            Format::Fluxible => fluxible(&mut self.lines, sheet, visit, window),
            _ => fluxfinder(&mut self.lines, sheet, visit, window),
        }
    }
}

/// A stay in whole seconds, with at least one between it and the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Window {
    start: Utc,
    seconds: i64,
}

impl Window {
    fn new(start: Utc, end: Utc, next: Option<Utc>) -> Self {
        let whole = |utc: Utc| utc.as_micros().div_euclid(SECOND);
        let length = (end.as_micros() - start.as_micros() + SECOND - 1).div_euclid(SECOND);
        let room = next.map_or(i64::MAX, |next| whole(next) - whole(start) - 1);
        Self { start, seconds: length.min(room).max(0) }
    }

    fn end(self) -> Utc {
        Utc::from_micros(self.start.as_micros().saturating_add(self.seconds.saturating_mul(SECOND)))
    }
}

fn header(format: Format, lines: &mut TextLines) {
    let columns: &[&str] = match format {
        Format::Goflux => &["UniqueID", "chamID", "start.time", "obs.length", "Area", "Vtot", "channel", "treatment"],
        Format::Fluxible => &[
            "start",
            "end",
            "measurement_length",
            "UniqueID",
            "plotID",
            "plot_area",
            "setup_volume",
            "channel",
            "treatment",
        ],
        _ => {
            &["Date", "Start_time", "Obs_length", "UniqueID", "Plot", "Area_cm2", "Volume_cm3", "Channel", "Treatment"]
        }
    };
    lines.texts(columns);
    lines.end();
}

fn treatment<'a>(sheet: &'a Sheet, visit: &VisitSummary) -> &'a str {
    let info: Option<&ChannelInfo> = sheet.channels.get(&visit.channel);
    info.map_or("", |info| info.treatment.as_str())
}

/// Area in cm2, volume in L.
fn goflux(lines: &mut TextLines, sheet: &Sheet, visit: &VisitSummary, window: Window) {
    let (area, volume) = geometry(sheet, visit.channel);
    lines.text(&unique_id(&sheet.run.id, visit.id));
    lines.text(&plot(sheet, visit.channel));
    lines.plain_seconds(window.start);
    lines.integer(window.seconds);
    lines.number(area.map(|area| area * 1e4));
    lines.number(volume.map(|volume| volume * 1e3));
    lines.integer(visit.channel.number());
    lines.text(treatment(sheet, visit));
    lines.end();
}

/// Area in m2, volume in L.
fn fluxible(lines: &mut TextLines, sheet: &Sheet, visit: &VisitSummary, window: Window) {
    let (area, volume) = geometry(sheet, visit.channel);
    lines.plain_seconds(window.start);
    lines.plain_seconds(window.end());
    lines.integer(window.seconds);
    lines.text(&unique_id(&sheet.run.id, visit.id));
    lines.text(&plot(sheet, visit.channel));
    lines.number(area);
    lines.number(volume.map(|volume| volume * 1e3));
    lines.integer(visit.channel.number());
    lines.text(treatment(sheet, visit));
    lines.end();
}

/// Area in cm2, volume in cm3.
fn fluxfinder(lines: &mut TextLines, sheet: &Sheet, visit: &VisitSummary, window: Window) {
    let (area, volume) = geometry(sheet, visit.channel);
    lines.date(window.start);
    lines.time(window.start);
    lines.integer(window.seconds);
    lines.text(&unique_id(&sheet.run.id, visit.id));
    lines.text(&plot(sheet, visit.channel));
    lines.number(area.map(|area| area * 1e4));
    lines.number(volume.map(|volume| volume * 1e6));
    lines.integer(visit.channel.number());
    lines.text(treatment(sheet, visit));
    lines.end();
}
