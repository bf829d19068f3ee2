//! The event stream as a reader meets it: headers, the first bytes, its delay, and whether it stays alive.

use std::time::Duration;

use gasera::domain::{Status, duration};
use gasera::sse::Parser;
use http::{Method, header};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::time::{Instant, sleep, timeout};

use super::super::CommandSession;
use super::finding::Finding;
use crate::failure::Failure;
use crate::stream::Notice;
use crate::web;

/// The first event has to be there by then.
const FIRST: Duration = Duration::from_secs(5);
/// gaserad says something at least this often, and some more.
const ALIVE: Duration = Duration::from_secs(15);
const SLOW: Duration = Duration::from_secs(1);
const TRIED: &str = "GET /events, read like any reader does";
const BUFFERED: &str = "a proxy on the way keeps back what comes: turn its buffering off for gaserad, \
                        like `proxy_buffering off;` in nginx";

/// Of the clock that timers go by, which tests can stop.
fn now() -> Instant {
    sleep(Duration::ZERO).deadline()
}

pub async fn check(session: &CommandSession, status: &Status, quick: bool) -> Vec<Finding> {
    let asked = now();
    let accept = [(header::ACCEPT, "text/event-stream")];
    let response = match web::ask(&session.endpoints, Method::GET, "/events", &accept).await {
        Ok((endpoint, response)) if !response.status().is_success() => {
            return vec![refused(&web::refused(response, &endpoint, "GET /events").await)];
        }
        Ok((_, response)) => response,
        Err(unanswered) => return vec![refused(&unanswered.into())],
    };
    let mut findings = vec![headers(response.headers())];
    let mut body = response.into_body();
    let Some(snapshot) = first(&mut body).await else {
        let found = format!("no event came within {}", duration::format(FIRST));
        findings.push(Finding::fail("stream", TRIED, found, BUFFERED));
        return findings;
    };
    let took = asked.elapsed();
    findings.push(begun(took));
    findings.extend(delay(session, &snapshot, status).await);
    if !quick {
        findings.push(alive(&mut body).await);
    }
    findings
}

fn refused(failure: &Failure) -> Finding {
    let advice = "see `gaseractl stream stats` for how many readers there are, and [stream] max_connections";
    Finding::fail("stream", TRIED, failure.text.clone(), advice)
}

fn headers(headers: &http::HeaderMap) -> Finding {
    let value = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = value("content-type");
    if !kind.starts_with("text/event-stream") {
        let found = format!("the answer is {kind:?}, not text/event-stream");
        return Finding::fail(
            "headers",
            TRIED,
            found,
            "see that it is gaserad that listens there, and no page of a proxy",
        );
    }
    let cached = value("cache-control");
    if !cached.contains("no-store") && !cached.contains("no-cache") {
        let found = format!("Cache-Control is {cached:?}: caches may keep the stream");
        return Finding::warn("headers", TRIED, found, BUFFERED);
    }
    let via = value("via");
    let through = if via.is_empty() { String::new() } else { format!(", through {via}") };
    Finding::ok("headers", TRIED, format!("{kind}, {cached}{through}"))
}

/// The first event that says when it was published, and when it came.
async fn first(body: &mut Incoming) -> Option<(Notice, Instant)> {
    let reading = async {
        let mut parser = Parser::default();
        loop {
            let data = body.frame().await?.ok()?.into_data().unwrap_or_default();
            let mut frames = Vec::new();
            parser.feed(&data, &mut frames).ok()?;
            let told = frames.into_iter().map(Notice::new).find(|notice| notice.frame.event == "snapshot");
            if let Some(notice) = told {
                return Some((notice, now()));
            }
        }
    };
    timeout(FIRST, reading).await.ok().flatten()
}

fn begun(took: Duration) -> Finding {
    let found = format!("it began after {} ms", took.as_millis());
    if took < SLOW {
        return Finding::ok("first byte", TRIED, found);
    }
    Finding::warn("first byte", TRIED, found, BUFFERED)
}

/// How old the first event was when it came. Both times are the daemon's: it is asked again at once what time it is, so
/// that no two clocks are compared.
async fn delay(session: &CommandSession, (snapshot, came): &(Notice, Instant), status: &Status) -> Option<Finding> {
    let tried = "the first event's age, by the clock of gaserad";
    let asked = now();
    let text = web::text(&session.endpoints, Method::GET, "/status").await.ok()?;
    let middle = asked + asked.elapsed() / 2;
    let told = serde_json::from_str::<serde_json::Value>(&text).ok()?.get("timestamp")?.as_f64()?;
    let age = (told - snapshot.timestamp()?) - middle.duration_since(*came).as_secs_f64();
    let found = format!("about {:.0} ms", age.max(0.0) * 1000.0);
    if age < SLOW.as_secs_f64() {
        return Some(Finding::ok("delay", tried, found));
    }
    if status.simulated {
        return Some(Finding::ok("delay", tried, format!("{found}, if time is not sped up there")));
    }
    Some(Finding::warn("delay", tried, found, BUFFERED))
}

async fn alive(body: &mut Incoming) -> Finding {
    let tried = format!("to hear anything within {}", duration::format(ALIVE));
    let asked = now();
    // What was on its way already says nothing.
    let late = async {
        loop {
            let frame = body.frame().await;
            if asked.elapsed() >= SLOW || !matches!(frame, Some(Ok(_))) {
                return frame;
            }
        }
    };
    match timeout(ALIVE, late).await {
        Ok(Some(Ok(_))) => {
            Finding::ok("heartbeat", &tried, format!("something came after {} s", asked.elapsed().as_secs()))
        }
        Ok(_) => Finding::fail("heartbeat", &tried, "the connection was closed", "see `journalctl -u gaserad`"),
        Err(_) => Finding::fail("heartbeat", &tried, "nothing came", BUFFERED),
    }
}
