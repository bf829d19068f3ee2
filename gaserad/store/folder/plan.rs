//! `plan.toml`: the plan as it was carried out, with every default filled in. It is a plan that can be started again.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use crate::domain::channel::format_list;
use crate::domain::{ChannelPlan, Plan, Sheet, Sync, duration};

pub(super) const NAME: &str = "plan.toml";

pub(super) fn text(sheet: &Sheet) -> String {
    let body = body(&sheet.run.plan);
    let plan = &sheet.run.plan;
    let parked =
        plan.park.map_or_else(|| "stays where it is".to_owned(), |channel| format!("goes to channel {channel}"));
    format!(
        "# The plan of run {} as it was carried out, with every default filled in.\n\
         # The valve settled for {} after each move, and {parked} at the end.\n\
         # Measure it again: gaseractl start plan.toml\n\
         # sha256 of all lines below: {}\n{body}",
        sheet.run.id,
        duration::format(plan.settle),
        digest(&body),
    )
}

/// Of the plan without what is said about it.
pub(super) fn digest_of(plan: &Plan) -> String {
    digest(&body(plan))
}

fn digest(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

fn body(plan: &Plan) -> String {
    let mut page = PlanPage::default();
    page.string("channels", &format_list(plan.channels()));
    page.raw("repeats", &plan.repeats.to_string());
    page.string("sync", plan.sync.as_str());
    page.string("purge", &duration::format(plan.purge));
    page.string("measure", &duration::format(plan.measure));
    if let Some(iterations) = plan.iterations {
        page.raw("iterations", &iterations.to_string());
    }
    page.raw("discard_first", &plan.discard_first.to_string());
    match plan.background {
        Some(background) => {
            page.raw("background", &background.channel.to_string());
            page.raw("background_every", &background.every.to_string());
        }
        None => page.string("background", "none"),
    }
    page.raw("overlap", &plan.overlap.to_string());
    page.string("task", &plan.task);
    page.raw("save_on_device", &plan.save_on_device.to_string());
    page.string("label", &plan.label);
    page.string("note", &plan.note);
    page.string("operator", &plan.operator);
    let measured = plan.exceptions.iter().filter(|own| plan.visits_channel(own.channel));
    measured.for_each(|own| exception(&mut page, own, plan.sync));
    for (cas, discard) in &plan.gas_discards {
        page.line(&format!("\n[gas.\"{cas}\"]"));
        page.raw("discard_first", &discard.to_string());
    }
    page.0
}

fn exception(page: &mut PlanPage, own: &ChannelPlan, sync: Sync) {
    page.line(&format!("\n[channel.{}]", own.channel));
    for (key, time) in [("purge", own.purge), ("measure", own.measure)] {
        if let Some(time) = time {
            page.string(key, &duration::format(time));
        }
    }
    let iterations = own.iterations.filter(|_| sync == Sync::Analyzer);
    for (key, number) in [("iterations", iterations), ("discard_first", own.discard_first)] {
        if let Some(number) = number {
            page.raw(key, &number.to_string());
        }
    }
}

#[derive(Default)]
struct PlanPage(String);

impl PlanPage {
    fn line(&mut self, line: &str) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.0, "{line}");
    }

    fn raw(&mut self, key: &str, value: &str) {
        self.line(&format!("{key} = {value}"));
    }

    fn string(&mut self, key: &str, value: &str) {
        self.raw(key, &toml::Value::from(value).to_string());
    }
}
