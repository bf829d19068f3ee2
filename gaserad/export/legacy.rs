//! Files as other programs write them, for scripts that read these: the wide file of GaseraMux, and the analyzer's own.

use std::io::Write;

use super::text::{self, TextLines};
use super::{ExportJob, Row, TextLayout};
use crate::domain::instrument::TaskParameters;
use crate::domain::{Channel, Flag, Utc};

/// Tabs, lines that end with CR LF, local time, four decimals: to the letter what is read there.
pub const WIDE: TextLayout = TextLayout { header: wide_header, row: wide_row };

/// The parameters of the task, then tabs, the analyzer's own time, and at least five decimals.
pub const MEAS: TextLayout = TextLayout { header: meas_header, row: meas_row };

fn wide_header(job: &ExportJob, lines: &mut TextLines) {
    lines.texts(&["timestamp", "phase", "channel", "repeat"]);
    job.gases.iter().for_each(|gas| lines.text(&gas.cas.label()));
    lines.carriage_return();
    lines.end();
}

/// What is on no channel has no line, since there every result has one.
fn wide_row(_: &ExportJob, lines: &mut TextLines, row: &Row) {
    let Some(channel) = row.channel else { return };
    lines.text(&row.sampled.to_local_string("%Y-%m-%d %H:%M:%S"));
    let purged = row.flags.contains(&Flag::Purge);
    lines.text(if purged { "PAUSED    " } else { "MEASURING " });
    lines.integer(channel.number());
    lines.integer(row.repeat.unwrap_or(1).saturating_sub(1));
    for gas in &row.gases {
        lines.empty();
        if let Some(ppm) = gas.finite() {
            lines.format(format_args!("{ppm:.4}"));
        }
    }
    lines.carriage_return();
    lines.end();
}

fn meas_header(job: &ExportJob, lines: &mut TextLines) {
    let nothing = TaskParameters::default();
    let task =
        job.sheets.iter().find_map(|sheet| sheet.equipment.task.as_ref()?.parameters.as_ref()).unwrap_or(&nothing);
    lines.text("Measurement parameters:");
    lines.end();
    let parameters = [
        ("TargetPressure", task.pressure_mbar, "mbar"),
        ("FlushTimeBypass", task.flush_bypass_s, "sec"),
        ("FlushTimeCell", task.flush_cell_s, "sec"),
        ("NFlushCell", task.flush_cycles.map(f64::from), ""),
        ("GasInput", None, ""),
        ("SamplingMode", None, ""),
        ("InternalTimeout", None, ""),
    ];
    for (name, value, unit) in parameters {
        lines.text(name);
        lines.number(value);
        lines.text(unit);
        lines.end();
    }
    lines.text("Timestamp");
    job.gases.iter().for_each(|gas| lines.text(&format!("{} (ppm) ", gas.formula)));
    lines.text("inlet");
    lines.text("");
    lines.end();
}

fn meas_row(_: &ExportJob, lines: &mut TextLines, row: &Row) {
    lines.plain_seconds(Utc::from_micros(row.stamp.0.saturating_mul(1_000_000)));
    for gas in &row.gases {
        lines.empty();
        if let Some(ppm) = gas.finite() {
            lines.append(|out| five_decimals(out, ppm));
        }
    }
    lines.integer_or_empty(row.channel.map(Channel::number));
    lines.end();
}

/// As many decimals as the number has, and no fewer than five.
fn five_decimals(out: &mut Vec<u8>, value: f64) {
    let from = out.len();
    text::number(out, value);
    let decimals = out[from..].iter().position(|byte| *byte == b'.').map_or(0, |point| out.len() - from - point - 1);
    if decimals == 0 {
        out.push(b'.');
    }
    for _ in decimals..5 {
        out.push(b'0');
    }
}

impl TextLines {
    fn carriage_return(&mut self) {
        self.append(|out| out.push(b'\r'));
    }

    fn format(&mut self, text: std::fmt::Arguments<'_>) {
        // A vector takes whatever is written to it.
        self.append(|out| drop(out.write_fmt(text)));
    }
}
