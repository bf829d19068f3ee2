//! Reading and coming back, in paused time; a whole daemon that comes and goes is in tests/cli.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use http_body_util::Full;
use hyper::body::Frame as Piece;

use super::*;

/// Says something, each after its time, then nothing more.
struct Silent(Vec<(u64, &'static str)>, Pin<Box<tokio::time::Sleep>>);

impl Silent {
    fn new(mut said: Vec<(u64, &'static str)>) -> Self {
        said.reverse();
        let first = said.last().map_or(0, |(after, _)| *after);
        Self(said, Box::pin(sleep(Duration::from_secs(first))))
    }
}

impl Body for Silent {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Piece<Bytes>, Infallible>>> {
        if self.0.is_empty() {
            return Poll::Pending;
        }
        std::task::ready!(self.1.as_mut().poll(cx));
        let text = self.0.pop().map(|(_, text)| text).unwrap_or_default();
        let after = self.0.last().map_or(0, |(after, _)| *after);
        self.1 = Box::pin(sleep(Duration::from_secs(after)));
        Poll::Ready(Some(Ok(Piece::data(text.into()))))
    }
}

/// One whose next delay is at most four seconds, since three connections were lost.
fn reader() -> (Reader, mpsc::Receiver<Arrived>) {
    let (sender, receiver) = mpsc::channel(64);
    let endpoints = Endpoints::new(Some(Endpoint::Tcp("127.0.0.1:9".into())), None, None).unwrap();
    let mut link = StreamLink::default();
    link.open();
    link.lost(Loss::Broken, 1.0);
    link.lost(Loss::Broken, 1.0);
    link.opened();
    let (query, place) = (SubscriptionQuery::default(), StreamPlace::default());
    (Reader { endpoints, query, place, sender, link, resets: 0, answers: true, shown: None, tried: None }, receiver)
}

/// The longest that would be waited now.
fn delay(reader: &Reader) -> NextAttempt {
    reader.link.clone().lost(Loss::Broken, 1.0)
}

fn seconds(seconds: u64) -> NextAttempt {
    NextAttempt::Wait(Duration::from_secs(seconds))
}

fn ids(messages: &mut mpsc::Receiver<Arrived>) -> Vec<Option<u64>> {
    let heard = std::iter::from_fn(|| messages.try_recv().ok());
    heard.filter_map(|message| if let Arrived::Notice(notice) = message { Some(notice.seq()) } else { None }).collect()
}

#[tokio::test(start_paused = true)]
async fn a_stream_without_a_byte_for_45_seconds_is_dead() {
    let (mut reader, _messages) = reader();
    let began = sleep(Duration::ZERO).deadline();
    let lost = reader.read(&mut Silent::new(vec![(0, "data: {}\n\n"), (44, ":"), (44, "\n")])).await.ok().unwrap();
    assert_eq!(lost, LostStream::broken("not a byte came for 45 s"));
    // Each byte, even a part of a comment, is a sign of life.
    assert_eq!(began.elapsed().as_secs(), 88 + 45);
}

#[tokio::test(start_paused = true)]
async fn a_greeting_alone_does_not_make_the_next_delay_short() {
    let (mut reader, _messages) = reader();
    let greeting = "event: connected\ndata: {}\n\nevent: snapshot\ndata: {}\n\nevent: gap\ndata: {}\n\n";
    assert!(reader.read(&mut Full::<Bytes>::from(greeting)).await.is_ok());
    assert_eq!(delay(&reader), seconds(4));
    assert!(reader.read(&mut Silent::new(vec![(0, ":\n\n"), (9, ":\n\n")])).await.is_ok());
    assert_eq!(delay(&reader), seconds(4));
}

#[tokio::test(start_paused = true)]
async fn an_event_or_ten_seconds_do() {
    for said in [vec![(0, "id: 7\nevent: phase\ndata: {}\n\n")], vec![(0, ":\n\n"), (10, ":\n\n")]] {
        let (mut reader, _messages) = reader();
        assert!(reader.read(&mut Silent::new(said)).await.is_ok());
        assert_eq!(delay(&reader), seconds(1));
    }
}

#[tokio::test(start_paused = true)]
async fn events_that_come_twice_are_passed_on_once_and_make_nothing_well() {
    let (mut reader, mut messages) = reader();
    reader.place = StreamPlace::after(Some(8));
    let twice = "id: 7\nevent: phase\ndata: {}\n\nid: 8\nevent: phase\ndata: {}\n\n";
    assert!(reader.read(&mut Full::<Bytes>::from(twice)).await.is_ok());
    assert_eq!((ids(&mut messages), delay(&reader)), (vec![], seconds(4)));
    let more = [twice, "id: 9\nevent: phase\ndata: {}\n\nevent: heartbeat\ndata: {}\n\n"].concat();
    assert!(reader.read(&mut Full::<Bytes>::from(more)).await.is_ok());
    assert_eq!((ids(&mut messages), delay(&reader)), (vec![Some(9), None], seconds(1)));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_resets_the_connection_and_is_counted() {
    let (mut reader, mut messages) = reader();
    let broken = "id: 7\nevent: phase\ndata: {}\n\nid: 8\nevent: phase\ndata: {\n\nid: 9\nevent: phase\ndata: {}\n\n";
    let lost = reader.read(&mut Full::<Bytes>::from(broken)).await.ok().unwrap();
    assert_eq!(lost, LostStream::broken("the data of \"phase\" is not JSON: \"{\""));
    assert_eq!((ids(&mut messages), reader.place.last_id()), (vec![Some(7)], "7".to_owned()));
    let long = format!("data: {}\n\n", "x".repeat(2 * 1024 * 1024));
    let lost = reader.read(&mut Full::<Bytes>::from(long)).await.ok().unwrap();
    assert_eq!(lost.why, "a line of the event stream is longer than 1048576 bytes (the 2. time)");
    assert_eq!(reader.resets, 2);
}

#[tokio::test(start_paused = true)]
async fn a_restart_that_was_announced_is_waited_for() {
    let (mut reader, _messages) = reader();
    let announced = "id: 7\nevent: system.shutdown\ndata: {\"restart_expected_s\":5}\n\n";
    let lost = reader.read(&mut Full::<Bytes>::from(announced)).await.ok().unwrap();
    let how = Loss::Restart(Duration::from_secs(5));
    assert_eq!(lost, LostStream { how, why: "gaserad is restarting".into(), answered: true });
}

#[tokio::test(start_paused = true)]
async fn the_delay_is_what_the_daemon_asks_for() {
    let (mut reader, _messages) = reader();
    assert!(reader.read(&mut Full::<Bytes>::from("retry: 2000\n\n")).await.is_ok());
    assert_eq!(delay(&reader), seconds(8));
}

#[tokio::test(start_paused = true)]
async fn what_nobody_hears_is_not_read() {
    let (mut reader, messages) = reader();
    drop(messages);
    assert!(reader.read(&mut Full::<Bytes>::from("data: {}\n\n")).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_state_that_changes_in_its_time_only_is_shown_once() {
    let (mut reader, mut messages) = reader();
    for text in [r#"{"timestamp":1,"a":1}"#, r#"{"timestamp":2,"a":1}"#, r#"{"timestamp":3,"a":2}"#, "no state"] {
        assert!(
            reader.show(Notice::new(SseFrame { event: "snapshot".into(), data: text.into(), id: None })).await.is_ok()
        );
    }
    assert_eq!(ids(&mut messages), [None, None]);
}
