//! Long form: a line for each gas of each record.

use super::text::TextLines;
use super::{ExportJob, Row, TextLayout};
use crate::domain::Channel;

const COLUMNS: [&str; 12] = [
    "time_utc",
    "run_id",
    "visit_id",
    "channel",
    "species",
    "cas",
    "value",
    "unit",
    "qc",
    "discard",
    "seq",
    "elapsed_s",
];

pub const LAYOUT: TextLayout = TextLayout { header, row };

fn header(_: &ExportJob, lines: &mut TextLines) {
    lines.texts(&COLUMNS);
    lines.end();
}

/// A gas that still clings to the tubes has its number here, and `discard` of its own.
fn row(job: &ExportJob, lines: &mut TextLines, row: &Row) {
    let measured = job.gases.iter().zip(&row.gases).filter(|(_, measured)| measured.finite().is_some());
    for (gas, measured) in measured {
        lines.seconds(row.sampled);
        lines.text(&job.sheet(row).run.id.0);
        lines.integer_or_empty(row.visit.map(|visit| visit.0));
        lines.integer_or_empty(row.channel.map(Channel::number));
        lines.text(&gas.formula);
        lines.text(&gas.cas.0);
        lines.number(measured.ppm);
        lines.text("ppm");
        lines.integer(row.qc.code());
        lines.integer(u8::from(row.discard || measured.discard));
        lines.integer(row.seq);
        lines.number(row.elapsed_s);
        lines.end();
    }
}
