//! `gaseractl doctor purge-test`: a short run from one channel to another, and what its samples say of the line.

use std::collections::BTreeMap;

use gasera::domain::event::LiveData;
use gasera::domain::{Channel, Event, Outcome, Utc};
use gasera::proto::{Background, ChannelPlan, PlanRequest, StartMeasurementRequest, Sync, Visit};
use serde_json::{Value, json};

use super::CommandSession;
use crate::args::PurgeTest;
use crate::client::operator;
use crate::failure::{Exit, Failure};
use crate::output::{self, WaitingOutput};
use crate::purge::{self, PurgePoint, Response};
use crate::stream::SaidByStream;
use crate::stream::reconnect::{Arrived, EventSubscription, ReconnectState, SubscriptionQuery};
use crate::view::{table, words};

const ATTEMPTS: u32 = 12;

pub async fn execute(session: &CommandSession, test: &PurgeTest) -> Result<Exit, Failure> {
    let from = test.from.unwrap_or(if test.channel == 1 { 2 } else { 1 });
    if from == test.channel {
        return Err(Failure::new(Exit::USAGE, "--from and --channel are the same; there has to be a switch"));
    }
    let query = SubscriptionQuery { attempts: Some(ATTEMPTS), ..SubscriptionQuery::default() };
    let mut subscription = EventSubscription::open(&session.endpoints, query).await?;
    subscription.snapshot().await?;
    session.goes_on("whether the test runs is not known: see `gaseractl status`");
    let started = session.client().await?.start(request(test, from)).await?;
    let run = started.run_id;
    session.goes_on(format!("run {run} goes on: `gaseractl abort` ends it"));
    let waiting = WaitingOutput::new(
        session.output,
        &format!("run {run} measures channel {from}, then {}, for {} each", test.channel, words::lasting(test.settle)),
    );
    let (samples, outcome) = follow(&mut subscription, &run).await?;
    drop(waiting);
    let visits = session.client().await?.run(&run).await?.visits;
    let result = MeasuredGas::of(&samples, &visits, from, test.channel);
    report(session, &run, test.channel, from, &result)?;
    Ok(match outcome {
        Some(outcome @ (Outcome::Aborted | Outcome::Failed)) => Exit::of(outcome),
        _ if result.slowest().is_none() => Exit::PARTIAL,
        _ => Exit::DONE,
    })
}

/// Channel `from` first, as the background of the other one; neither is purged, nothing is left out, and the valve waits
/// for each result.
fn request(test: &PurgeTest, from: u8) -> StartMeasurementRequest {
    let settle = u64::try_from(test.settle.as_millis()).unwrap_or(u64::MAX);
    let plainly = |channel: u8| ChannelPlan {
        channel: channel.into(),
        purge_ms: Some(0),
        measure_ms: Some(settle),
        discard_first: Some(0),
        ..ChannelPlan::default()
    };
    let plan = PlanRequest {
        channels: test.channel.to_string(),
        repeats: Some(1),
        purge_ms: Some(0),
        measure_ms: Some(settle),
        sync: Sync::Analyzer.into(),
        discard_first: Some(0),
        background: Some(Background { channel: from.into(), every: 1 }),
        overlap: Some(false),
        exceptions: vec![plainly(from), plainly(test.channel)],
        label: format!("purge test {from} to {}", test.channel),
        operator: operator(),
        ..PlanRequest::default()
    };
    StartMeasurementRequest { plan: Some(plan), ..StartMeasurementRequest::default() }
}

async fn follow(subscription: &mut EventSubscription, run: &str) -> Result<(Vec<LiveData>, Option<Outcome>), Failure> {
    let mut samples = Vec::new();
    loop {
        match subscription.next().await {
            Arrived::State(ReconnectState::Lost(failure)) => return Err(failure),
            Arrived::State(_) | Arrived::Alive => {}
            Arrived::Notice(notice) => {
                let SaidByStream::Event(event) = notice.said else { continue };
                match *event {
                    Event::LiveData(data) if data.run_id.0 == run => samples.push(data),
                    Event::RunFinished { run: ended } if ended.id.0 == run => return Ok((samples, ended.outcome)),
                    _ => {}
                }
            }
        }
    }
}

/// What each gas did, by its formula.
struct MeasuredGas {
    gases: BTreeMap<String, Response>,
    interval_s: f64,
}

impl MeasuredGas {
    fn of(samples: &[LiveData], visits: &[Visit], from: u8, channel: u8) -> Self {
        let arrived = |data: &LiveData| {
            let visit = visits.iter().find(|visit| Some(visit.id) == data.visit_id.map(|id| id.0))?;
            visit.arrived_utc.parse::<Utc>().ok()
        };
        let mut gases: BTreeMap<String, (Vec<f64>, Vec<PurgePoint>)> = BTreeMap::new();
        for data in samples {
            let at = data.channel.map(Channel::number);
            for gas in &data.components {
                let Some(ppm) = gas.ppm else { continue };
                let levels = gases.entry(gas.formula.clone()).or_default();
                // What comes after the switch back is not of the test.
                if at == Some(from) && levels.1.is_empty() {
                    levels.0.push(ppm);
                } else if let (true, Some(arrived)) = (at == Some(channel), arrived(data)) {
                    let age_s = words::between(arrived, data.sampled).as_secs_f64();
                    levels.1.push(PurgePoint { age_s, ppm });
                }
            }
        }
        let interval_s = gases.values().next().map_or(0.0, |(_, after)| purge::interval_s(after));
        let gases = gases.into_iter().map(|(gas, (before, after))| (gas, purge::response(&before, &after)));
        Self { gases: gases.collect(), interval_s }
    }

    fn slowest(&self) -> Option<f64> {
        let found = self.gases.values().filter_map(|gas| gas.found.as_ref().ok());
        found.map(|crossing| crossing.t90_s).max_by(f64::total_cmp)
    }
}

fn report(session: &CommandSession, run: &str, channel: u8, from: u8, result: &MeasuredGas) -> Result<(), Failure> {
    let advice = result.slowest().map(|slowest| purge::advice(slowest, result.interval_s));
    let refused = advice.is_none().then_some("no gas tells how long the line has to be purged");
    if session.output.json {
        return output::object(&json!({
            "run_id": run,
            "channel": channel,
            "from": from,
            "gases": result.gases.iter().map(|(gas, response)| object(gas, response)).collect::<Vec<_>>(),
            "interval_s": result.interval_s,
            "purge_s": advice.map(|advice| advice.purge_s),
            "discard_first": advice.map(|advice| advice.discard_first),
            "refused": refused,
        }));
    }
    let mut table = table::table(&["GAS", "BEFORE", "AFTER", "SAMPLES", "T90"], &[1, 2, 3]);
    for (gas, response) in &result.gases {
        let t90 = match &response.found {
            Ok(crossing) => format!("{}{:.0} s", if crossing.at_most { "at most " } else { "" }, crossing.t90_s),
            Err(refusal) => refusal.to_string(),
        };
        let ppm = |value| words::ppm(Some(value));
        let row = [gas.clone(), ppm(response.before_ppm), ppm(response.after_ppm), response.samples.to_string(), t90];
        table.add_row(row);
    }
    output::bytes(table::written(&table).as_bytes())?;
    match advice {
        None => session.output.note(refused.unwrap_or_default()),
        Some(advice) => output::line(&format!(
            "purge channel {channel} for {}: [channels.{channel}] purge = \"{}s\"; or leave out the first {} instead: \
             discard_first = {}",
            words::lasting(std::time::Duration::from_secs(advice.purge_s)),
            advice.purge_s,
            words::count(advice.discard_first, "sample"),
            advice.discard_first,
        ))?,
    }
    Ok(())
}

fn object(gas: &str, response: &Response) -> Value {
    let found = response.found.as_ref();
    json!({
        "gas": gas,
        "before_ppm": response.before_ppm,
        "after_ppm": response.after_ppm,
        "samples": response.samples,
        "t90_s": found.ok().map(|crossing| crossing.t90_s),
        "at_most": found.is_ok_and(|crossing| crossing.at_most),
        "refused": found.err().map(ToString::to_string),
    })
}
