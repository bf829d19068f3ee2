//! What may be asked of the runtime: a request in, an answer out.

use tokio::sync::{mpsc, oneshot};

use crate::domain::{
    Aborted, Begins, Control, Denied, DeviceKind, Done, MirrorStatus, Reason, RunId, Service, StartRequest, Started,
    Status, ValveOrder,
};
use crate::store::Batch;

pub(super) type Answer = oneshot::Sender<Result<Done, Denied>>;

/// Somebody who waits for an answer of the engine.
pub(super) struct Asker {
    pub answer: Answer,
    pub who: String,
    pub what: String,
}

pub(super) enum Request {
    Start(Box<StartRequest>, Answer),
    /// By whom, and of which run, if not of the one under way or else the next one.
    Abort(String, Option<String>, Answer),
    Control(Control, String, Answer),
    MoveValve(ValveOrder, String, Answer),
    Serve(Service, String, Answer),
    /// Who means the device that is there now.
    Accept(DeviceKind, String, Answer),
    /// What others than the engine have kept and told.
    Keep(Box<Batch>, oneshot::Sender<()>),
    /// How the copy on another drive stands.
    Mirror(Option<Box<MirrorStatus>>),
    Spare(u64),
    Status(oneshot::Sender<Status>),
    Shutdown,
}

/// Clones ask the same runtime.
#[derive(Clone)]
pub struct Handle {
    requests: mpsc::Sender<Request>,
}

/// Requests that wait at a time; more have to queue outside.
const QUEUE: usize = 64;

impl Handle {
    pub(super) fn new() -> (Self, mpsc::Receiver<Request>) {
        let (requests, inbox) = mpsc::channel(QUEUE);
        (Self { requests }, inbox)
    }

    /// Answers once the analyzer measures or the run waits to begin, or with the reason why neither.
    pub async fn start(&self, request: StartRequest) -> Result<Started, Denied> {
        let done = self.ask(|answer| Request::Start(Box::new(request), answer)).await??;
        let when = match &done {
            Done::Queued(_, begins) => begins.map_or(Begins::Next, Begins::At),
            _ => Begins::Now,
        };
        Ok(Started { run: run(done), when })
    }

    /// Answers once the analyzer is idle. `run` is the id or the beginning of it, for one that is under way or waits;
    /// else it is the one under way, or else the next one.
    pub async fn abort(&self, who: String, run: Option<String>) -> Result<Aborted, Denied> {
        let done = self.ask(|answer| Request::Abort(who, run, answer)).await??;
        let waited = matches!(done, Done::Unqueued(_));
        Ok(Aborted { run: self::run(done), waited })
    }

    /// Does something to the run under way. Answers at once whether it can be done.
    pub async fn control(&self, control: Control, who: String) -> Result<RunId, Denied> {
        self.ask(|answer| Request::Control(control, who, answer)).await?.map(run)
    }

    /// Answers once the valve has arrived.
    pub async fn move_valve(&self, order: ValveOrder, who: String) -> Result<(), Denied> {
        self.ask(|answer| Request::MoveValve(order, who, answer)).await?.map(drop)
    }

    /// Answers with the analyzer's reply.
    pub async fn serve(&self, service: Service, who: String) -> Result<String, Denied> {
        let done = self.ask(|answer| Request::Serve(service, who, answer)).await??;
        Ok(if let Done::Served(reply) = done { reply } else { String::new() })
    }

    /// The device that is there now is the known one from now on. Answers who that is.
    pub async fn accept(&self, device: DeviceKind, who: String) -> Result<String, Denied> {
        let done = self.ask(|answer| Request::Accept(device, who, answer)).await??;
        Ok(if let Done::Accepted(known) = done { known } else { String::new() })
    }

    /// Keeps this in one commit with its events, which are then published. Answers when it is kept.
    pub async fn keep(&self, batch: Batch) -> Result<(), Denied> {
        self.ask(|answer| Request::Keep(Box::new(batch), answer)).await
    }

    /// Shows how the copy on another drive stands, or that there is none.
    pub async fn show_mirror(&self, status: Option<MirrorStatus>) {
        // If nobody listens any more, there is nobody to be shown anything.
        let _ = self.requests.send(Request::Mirror(status.map(Box::new))).await;
    }

    /// From here on the disk is nearly full with less free than this.
    pub async fn spare(&self, min_free_bytes: u64) {
        // If nobody listens any more, nothing is written any more either.
        let _ = self.requests.send(Request::Spare(min_free_bytes)).await;
    }

    pub async fn status(&self) -> Result<Status, Denied> {
        self.ask(Request::Status).await
    }

    /// Brings the run under way to its end; [`super::Runtime::run`] then returns.
    pub async fn shut_down(&self) {
        // If nobody listens any more, it has already happened.
        let _ = self.requests.send(Request::Shutdown).await;
    }

    async fn ask<T>(&self, request: impl FnOnce(oneshot::Sender<T>) -> Request) -> Result<T, Denied> {
        let gone = || Denied::new(Reason::ShuttingDown, "gaserad is shutting down; ask again when it is back");
        let (answer, wait) = oneshot::channel();
        self.requests.send(request(answer)).await.map_err(|_| gone())?;
        wait.await.map_err(|_| gone())
    }
}

/// The run that a request was about.
fn run(done: Done) -> RunId {
    match done {
        Done::Run(id) | Done::Queued(id, _) | Done::Unqueued(id) => id,
        Done::Valve(_) | Done::Served(_) | Done::Accepted(_) => RunId(String::new()),
    }
}
