//! What may be asked of the runtime: a request in, an answer out.

use tokio::sync::{mpsc, oneshot};

use crate::domain::{Control, Denied, Done, Reason, RunId, Service, StartRequest, Status, ValveOrder};

pub(super) type Answer = oneshot::Sender<Result<Done, Denied>>;

pub(super) enum Request {
    Start(Box<StartRequest>, Answer),
    Abort(String, Answer),
    Control(Control, String, Answer),
    MoveValve(ValveOrder, String, Answer),
    Serve(Service, String, Answer),
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

    /// Answers once the analyzer measures, or with the reason why it does not.
    pub async fn start(&self, request: StartRequest) -> Result<RunId, Denied> {
        self.ask(|answer| Request::Start(Box::new(request), answer)).await?.map(run)
    }

    /// Answers once the analyzer is idle.
    pub async fn abort(&self, who: String) -> Result<RunId, Denied> {
        self.ask(|answer| Request::Abort(who, answer)).await?.map(run)
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

/// What starts and aborts come to.
fn run(done: Done) -> RunId {
    match done {
        Done::Run(id) => id,
        Done::Valve(_) | Done::Served(_) => RunId(String::new()),
    }
}
