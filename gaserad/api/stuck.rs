//! Answers over HTTP/2 that their peer leaves unread.
//!
//! Each of them has a window of its own: while the peer takes nothing of an answer, its body is not asked for more, and
//! the connection goes on with others, so neither of them can notice. The task that carries the answer can: it is given
//! up, which resets that one answer, when its body handed something out and was not asked for more for a while.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use hyper::rt::Executor;
use tokio::time::{Sleep, sleep};

use super::answer::Answer;
use super::takeover::Unbegun;
use crate::stream::{Connection, Left};

tokio::task_local! {
    /// What becomes of the answer that this task carries.
    static PROGRESS: Arc<SentProgress>;
}

#[derive(Default)]
struct SentProgress {
    /// How often something was handed out.
    given: AtomicU64,
    /// Nothing more was asked for since.
    waiting: AtomicBool,
    /// Whose stream it is.
    reader: OnceLock<Arc<Connection>>,
}

/// Has the body of an answer tell the task how it gets on.
pub fn watch(answer: Answer) -> Answer {
    let Ok(progress) = PROGRESS.try_with(Arc::clone) else { return answer };
    if let Some(stream) = answer.extensions().get::<Unbegun>()
        && let Some(reader) = stream.connection()
    {
        // There is one answer to a task.
        let _ = progress.reader.set(reader);
    }
    answer.map(|body| Body::new(Watched { body, progress }))
}

struct Watched {
    body: Body,
    progress: Arc<SentProgress>,
}

impl hyper::body::Body for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.progress.waiting.store(false, Ordering::Relaxed);
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        self.progress.given.fetch_add(1, Ordering::Relaxed);
        self.progress.waiting.store(frame.is_some(), Ordering::Relaxed);
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Runs the tasks of a connection, and gives up those that get nowhere for so long.
#[derive(Debug, Clone, Copy)]
pub struct Impatient(pub Duration);

impl<T: Future<Output = ()> + Send + 'static> Executor<T> for Impatient {
    fn execute(&self, task: T) {
        let limit = self.0;
        tokio::spawn(async move {
            let progress = Arc::new(SentProgress::default());
            let (mut task, mut patience) = (pin!(task), Patience { limit, seen: 0, waiting: None });
            poll_fn(|cx| match PROGRESS.sync_scope(progress.clone(), || task.as_mut().poll(cx)) {
                Poll::Ready(()) => Poll::Ready(()),
                Poll::Pending => patience.lose(&progress, cx),
            })
            .await;
        });
    }
}

struct Patience {
    limit: Duration,
    /// What was handed out when the waiting began.
    seen: u64,
    waiting: Option<Pin<Box<Sleep>>>,
}

impl Patience {
    /// Ready when nothing moved for too long.
    fn lose(&mut self, progress: &SentProgress, cx: &mut Context<'_>) -> Poll<()> {
        if !progress.waiting.load(Ordering::Relaxed) {
            self.waiting = None;
            return Poll::Pending;
        }
        let given = progress.given.load(Ordering::Relaxed);
        if std::mem::replace(&mut self.seen, given) != given {
            self.waiting = None;
        }
        let limit = self.limit;
        ready!(self.waiting.get_or_insert_with(|| Box::pin(sleep(limit))).as_mut().poll(cx));
        tracing::debug!("an answer that was not read was given up");
        if let Some(reader) = progress.reader.get() {
            reader.leave(Left::Stalled);
        }
        Poll::Ready(())
    }
}
