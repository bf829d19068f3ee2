//! Brings one reader to where the others are: the head, the greeting, how things stand, and what it missed.
//!
//! It takes from the history only what the reader has room for.

use std::io::{self, ErrorKind};

use bytes::{Buf, Bytes, BytesMut};
use tokio::task::yield_now;
use tokio::time::{sleep, timeout};

use super::{Fanout, Joining, Line, PATIENCE, chunk};
use crate::api::serve::GRACE;
use crate::stream::{Cursor, CursorStep, Left};

/// Frames of one step; a newcomer is greeted with fewer.
const MUCH: usize = 16;

pub async fn run(fanout: Fanout, socket: Line, cursor: Cursor, head: Bytes) {
    let stopped = async {
        fanout.cancel.cancelled().await;
        sleep(GRACE).await;
    };
    tokio::select! {
        through = bring(&fanout, &socket, cursor, head) => match through {
            Ok(Some(cursor)) => drop(fanout.inbox.send(Joining { socket, cursor })),
            Ok(None) => {}
            Err(error) => {
                tracing::debug!(%error, "a reader of the stream went before it had everything");
                let _ = socket.set_zero_linger();
            }
        },
        () = stopped => {}
    }
}

/// The cursor, when its reader has everything; `None` when the stream has ended.
async fn bring(fanout: &Fanout, socket: &Line, mut cursor: Cursor, head: Bytes) -> io::Result<Option<Cursor>> {
    let mut text = BytesMut::from(head);
    loop {
        match step(fanout, &mut cursor).await {
            CursorStep::Frames(frames) => chunk::append(&mut text, &frames),
            CursorStep::Current if text.is_empty() => return Ok(Some(cursor)),
            CursorStep::Current => {}
            CursorStep::Ended => {
                write(socket, Bytes::from_static(chunk::LAST)).await?;
                return Ok(None);
            }
        }
        let length = text.len();
        if let Err(error) = write(socket, text.split().freeze()).await {
            if error.kind() == ErrorKind::TimedOut {
                cursor.leave(Left::Stalled);
            }
            return Err(error);
        }
        cursor.count(length);
    }
}

/// Many may come or be behind at once, so each step waits for its turn, and gives way after it. One that took much from
/// the history keeps its turn until others had theirs: a thousand such steps in a row would leave no time for those who
/// ask for something else.
async fn step(fanout: &Fanout, cursor: &mut Cursor) -> CursorStep {
    let turn = fanout.turns.acquire().await;
    let step = cursor.step().await;
    let took_much = matches!(&step, CursorStep::Frames(frames) if frames.len() > MUCH);
    let kept = took_much.then_some(turn);
    yield_now().await;
    drop(kept);
    step
}

async fn write(socket: &Line, mut bytes: Bytes) -> io::Result<()> {
    while !bytes.is_empty() {
        match socket.try_write(&bytes) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(written) => bytes.advance(written),
            Err(error) if error.kind() == ErrorKind::WouldBlock => timeout(PATIENCE, socket.writable()).await??,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
