//! `gaseractl doctor`: looks for what is wrong, and says what to do about it.
//!
//! Each check stands alone: one that cannot be made is a finding, and no reason to leave out the others.

mod daemon;
mod devices;
mod finding;
mod purge_test;
mod stream;

use serde_json::json;

use super::CommandSession;
use crate::args::{Doctor, DoctorCommand};
use crate::client::Client;
use crate::failure::{Exit, Failure};
use crate::output;
use finding::{Finding, FindingOutcome};

pub async fn execute(session: &CommandSession, doctor: Doctor) -> Result<Exit, Failure> {
    if let Some(DoctorCommand::PurgeTest(test)) = doctor.command {
        return purge_test::execute(session, &test).await;
    }
    let mut report = DoctorReport { session, findings: Vec::new() };
    let tried = "a connection over gRPC, and the status";
    let mut client = match session.client().await {
        Ok(client) => client,
        Err(failure) => {
            report.put(Finding::fail("endpoint", tried, failure.text.clone(), daemon::how_to_reach(&failure)))?;
            return report.end(failure.exit);
        }
    };
    let status = match daemon::endpoint(&mut client, tried).await {
        Ok((finding, status)) => {
            report.put(finding)?;
            status
        }
        Err((finding, exit)) => {
            report.put(finding)?;
            return report.end(exit);
        }
    };
    report.all(daemon::permissions(&mut client).await)?;
    report.put(daemon::versions(&status))?;
    let config = client.config().await;
    report.put(daemon::config(&config))?;
    report.all(devices::analyzer(&mut client, &status, config.as_ref().ok()).await)?;
    report.put(devices::valve(&mut client).await)?;
    report.put(daemon::storage(&mut client).await)?;
    report.put(daemon::time(&status))?;
    report.all(stream::check(session, &status, doctor.quick).await)?;
    report.end(Exit::FAILURE)
}

/// What was found so far. For people each line is there as soon as it is known.
struct DoctorReport<'a> {
    session: &'a CommandSession,
    findings: Vec<Finding>,
}

impl DoctorReport<'_> {
    fn put(&mut self, finding: Finding) -> Result<(), Failure> {
        let output = self.session.output;
        let is_shown = finding.outcome != FindingOutcome::Ok || !output.quiet;
        if is_shown && !output.json {
            output::line(&finding.lines(output.paint))?;
        }
        self.findings.push(finding);
        Ok(())
    }

    fn all(&mut self, findings: Vec<Finding>) -> Result<(), Failure> {
        findings.into_iter().try_for_each(|finding| self.put(finding))
    }

    fn count(&self, outcome: FindingOutcome) -> usize {
        self.findings.iter().filter(|finding| finding.outcome == outcome).count()
    }

    fn end(self, otherwise: Exit) -> Result<Exit, Failure> {
        let counted =
            [FindingOutcome::Ok, FindingOutcome::Warn, FindingOutcome::Fail].map(|outcome| self.count(outcome));
        let [ok, warn, fail] = counted;
        if self.session.output.json {
            let findings: Vec<_> = self.findings.iter().map(Finding::json).collect();
            output::object(&json!({ "findings": findings, "ok": ok, "warn": warn, "fail": fail }))?;
        } else {
            self.session.output.note(&format!("{ok} ok, {warn} to look at, {fail} failed"));
        }
        Ok(if fail == 0 { Exit::DONE } else { otherwise })
    }
}

/// An answer that did not come, as a finding.
fn unanswered(check: &'static str, tried: &str, failure: &Failure) -> Finding {
    Finding::fail(check, tried, failure.text.clone(), "see `journalctl -u gaserad` for what happened on that side")
}

/// Asks something, or gives the finding that there was no answer.
async fn ask<T>(
    check: &'static str,
    tried: &str,
    asking: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Finding> {
    asking.await.map_err(|failure| unanswered(check, tried, &failure))
}

type AskedDaemon<'a> = &'a mut Client;
