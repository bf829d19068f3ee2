//! `gaseractl analyzer`: the instrument asked about itself, and tested.

use std::time::Duration;

use gasera::proto::SelfTest;
use serde_json::json;

use super::{CommandSession, mux};
use crate::args::{Ak, AnalyzerCommand, Selftest};
use crate::client::Client;
use crate::failure::{Exit, Failure};
use crate::output::{self, WaitingOutput};
use crate::view::{instrument, words};

/// How often to ask how the self-test goes, and how often at most: it takes about two minutes.
const INTERVAL: Duration = Duration::from_secs(1);
const MOST_QUESTIONS: u32 = 600;
/// Until the test is seen to run, a result may be that of the one before.
const SETTLING: u32 = 3;
/// An analyzer that tests itself may be away for a while.
const MOST_SILENCE: u32 = 30;
/// From here on, a clock is worth a warning.
const OFFSET_WARNING_MS: u64 = 2000;

pub async fn execute(session: &CommandSession, command: AnalyzerCommand) -> Result<Exit, Failure> {
    let mut client = session.client().await?;
    match command {
        AnalyzerCommand::Info { parameters } => info(session, &mut client, parameters).await?,
        AnalyzerCommand::Tasks => tasks(session, &mut client).await?,
        AnalyzerCommand::Errors => errors(session, &mut client).await?,
        AnalyzerCommand::Clock => clock(session, &mut client).await?,
        AnalyzerCommand::Accept => {
            let known = client.accept_analyzer().await?;
            return mux::accepted(session, &known);
        }
        AnalyzerCommand::Selftest(test) => return selftest(session, &mut client, &test).await,
        AnalyzerCommand::Ak(line) => return ak(session, &mut client, &line).await,
    }
    Ok(Exit::DONE)
}

async fn info(session: &CommandSession, client: &mut Client, parameters: bool) -> Result<(), Failure> {
    let device = client.device().await?;
    if session.output.json {
        output::object(&instrument::device_json(&device))
    } else if session.output.quiet {
        output::line(&device.serial)
    } else {
        output::bytes(instrument::device(&device, parameters).as_bytes())
    }
}

async fn tasks(session: &CommandSession, client: &mut Client) -> Result<(), Failure> {
    let list = client.tasks().await?;
    if session.output.json {
        output::object(&instrument::tasks_json(&list))
    } else if session.output.quiet {
        list.tasks.iter().try_for_each(|task| output::line(&task.id.to_string()))
    } else {
        output::bytes(instrument::tasks(&list).as_bytes())
    }
}

async fn errors(session: &CommandSession, client: &mut Client) -> Result<(), Failure> {
    let errors = client.errors().await?;
    if session.output.json {
        output::object(&instrument::errors_json(&errors))
    } else if session.output.quiet {
        errors.iter().try_for_each(|error| output::line(&error.code))
    } else if errors.is_empty() {
        session.output.note("the analyzer reports no errors");
        Ok(())
    } else {
        output::bytes(instrument::errors(&errors).as_bytes())
    }
}

async fn clock(session: &CommandSession, client: &mut Client) -> Result<(), Failure> {
    let reading = client.clock().await?;
    if session.output.json {
        output::object(&instrument::clock_json(&reading))?;
    } else if session.output.quiet {
        output::line(&instrument::seconds(reading.offset_ms).to_string())?;
    } else {
        output::line(&instrument::clock(&reading))?;
    }
    if reading.offset_ms.unsigned_abs() > OFFSET_WARNING_MS {
        session.output.note(&format!(
            "warning: the analyzer's clock is {}; set it on the analyzer's front panel. Samples are timed by the \
             computer's clock",
            words::offset(instrument::seconds(reading.offset_ms))
        ));
    }
    Ok(())
}

async fn ak(session: &CommandSession, client: &mut Client, line: &Ak) -> Result<Exit, Failure> {
    session.goes_on("whether the analyzer got the command is not known");
    let reply = client.raw_ak(line.line(), line.yes).await?;
    if session.output.json {
        output::object(&json!({ "reply": reply }))?;
    } else {
        output::line(&reply)?;
    }
    Ok(if instrument::is_refusal(&reply) { Exit::DEVICE } else { Exit::DONE })
}

async fn selftest(session: &CommandSession, client: &mut Client, asked: &Selftest) -> Result<Exit, Failure> {
    if asked.last {
        let result = client.self_test().await?;
        return tell(session, result);
    }
    session.goes_on("whether the self-test runs is not known: see `gaseractl analyzer selftest --last`");
    client.run_self_test().await?;
    session.goes_on("the self-test goes on: `gaseractl analyzer selftest --last` tells its result");
    if asked.no_wait {
        session
            .output
            .note("the self-test takes about two minutes; `gaseractl analyzer selftest --last` tells its result");
        return tell(session, SelfTest::Running);
    }
    let waiting = WaitingOutput::new(session.output, "the self-test runs, and takes about two minutes");
    let result = ended(client).await;
    drop(waiting);
    match result? {
        SelfTest::Running => {
            let text = "the self-test has not ended after ten minutes; look at the analyzer's display, or ask again \
                        later with `gaseractl analyzer selftest --last`";
            Err(Failure::new(Exit::DEVICE, text))
        }
        result => tell(session, result),
    }
}

/// How the test went that was just started; that it still runs only after a long while.
async fn ended(client: &mut Client) -> Result<SelfTest, Failure> {
    let (mut seen, mut silent) = (false, 0);
    for question in 1..=MOST_QUESTIONS {
        match client.self_test().await {
            Ok(SelfTest::Running) => (seen, silent) = (true, 0),
            Ok(result) if seen || question > SETTLING => return Ok(result),
            Ok(_) => silent = 0,
            Err(failure) if failure.exit == Exit::ANALYZER_OFFLINE && silent < MOST_SILENCE => silent += 1,
            Err(failure) => return Err(failure),
        }
        tokio::time::sleep(INTERVAL).await;
    }
    Ok(SelfTest::Running)
}

fn tell(session: &CommandSession, result: SelfTest) -> Result<Exit, Failure> {
    let (word, sentence, exit) = match result {
        SelfTest::Passed => ("passed", "the self-test passed", Exit::DONE),
        SelfTest::Running => ("running", "the self-test runs", Exit::DONE),
        SelfTest::Failed => {
            ("failed", "the self-test failed; see `gaseractl analyzer errors` and the analyzer's display", Exit::DEVICE)
        }
        SelfTest::NotAvailable | SelfTest::Unspecified => {
            ("not_available", "the analyzer has no result of a self-test", Exit::DEVICE)
        }
    };
    if session.output.json {
        output::object(&json!({ "result": word }))?;
    } else {
        output::line(if session.output.quiet { word } else { sentence })?;
    }
    Ok(exit)
}
