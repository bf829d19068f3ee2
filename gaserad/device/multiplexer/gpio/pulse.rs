//! Pulses in time: one after the other, never two at once, and none cut short.
//!
//! Waiting is relative, after each edge, and never less than asked for. With deadlines counted from the first edge a
//! pulse that ended late would shorten the pause behind it, and a unit that gets no pause does not count.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::oneshot;

use super::lines::{Input, Lines, OutputLines};
use crate::device::multiplexer::BoxFuture;
use crate::domain::{Fault, FaultKind};

/// One pulse after the other.
#[derive(Debug, Clone)]
pub struct Train {
    pub outputs: Vec<OutputLines>,
    /// How long each is active, and how long nothing happens after it.
    pub pulse: Duration,
    pub gap: Duration,
}

/// Who holds the wires and keeps the time. Dropping it lets the pulse under way end, and none begin.
pub trait Pulser: Send {
    /// Sends the train. It goes on if nobody waits for it any more.
    fn send(&mut self, train: Train) -> BoxFuture<'_, Result<(), Fault>>;
    fn read(&mut self, input: Input) -> BoxFuture<'_, Result<bool, Fault>>;
}

fn stopped() -> Fault {
    Fault::new(FaultKind::Superseded, "the pulses to the multiplexer were stopped: gaserad is ending")
}

/// The end of a pulse. A wire that cannot be let go may be so the next time.
fn let_go(lines: &mut dyn Lines, output: OutputLines) -> Result<(), Fault> {
    lines.set(output, false).or_else(|_| lines.set(output, false))
}

enum Job {
    Send(Train, oneshot::Sender<Result<(), Fault>>),
    Read(Input, oneshot::Sender<Result<bool, Fault>>),
}

/// Pulses in real time, on a thread that does nothing else.
pub struct ThreadPulser {
    jobs: Option<mpsc::Sender<Job>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl ThreadPulser {
    pub fn start(lines: Box<dyn Lines>) -> Result<Self, Fault> {
        let (jobs, inbox) = mpsc::channel();
        let stop = Arc::new(AtomicBool::new(false));
        let seen = stop.clone();
        let thread = std::thread::Builder::new().name("gpio-pulses".into()).spawn(move || work(lines, &inbox, &seen));
        let thread = thread.map_err(|error| {
            Fault::new(FaultKind::Offline, format!("cannot start the thread that sends pulses: {error}"))
        })?;
        Ok(Self { jobs: Some(jobs), stop, thread: Some(thread) })
    }

    async fn ask<T>(&mut self, job: impl FnOnce(oneshot::Sender<Result<T, Fault>>) -> Job) -> Result<T, Fault> {
        let (answer, answered) = oneshot::channel();
        let sent = self.jobs.as_ref().is_some_and(|jobs| jobs.send(job(answer)).is_ok());
        if !sent {
            return Err(stopped());
        }
        answered.await.unwrap_or_else(|_| Err(stopped()))
    }
}

impl Pulser for ThreadPulser {
    fn send(&mut self, train: Train) -> BoxFuture<'_, Result<(), Fault>> {
        Box::pin(self.ask(|answer| Job::Send(train, answer)))
    }

    fn read(&mut self, input: Input) -> BoxFuture<'_, Result<bool, Fault>> {
        Box::pin(self.ask(move |answer| Job::Read(input, answer)))
    }
}

impl Drop for ThreadPulser {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.jobs = None;
        // At most the rest of one pulse.
        let panicked = self.thread.take().is_some_and(|thread| thread.join().is_err());
        if panicked {
            tracing::error!("the thread that sends pulses broke");
        }
    }
}

fn work(mut lines: Box<dyn Lines>, inbox: &mpsc::Receiver<Job>, stop: &AtomicBool) {
    // Nobody waits for an answer any more: the program is shutting down.
    while let Ok(job) = inbox.recv() {
        match job {
            Job::Send(train, answer) => drop(answer.send(send(lines.as_mut(), &train, stop))),
            Job::Read(input, answer) => drop(answer.send(lines.read(input))),
        }
    }
}

fn send(lines: &mut dyn Lines, train: &Train, stop: &AtomicBool) -> Result<(), Fault> {
    for output in &train.outputs {
        if stop.load(Ordering::Relaxed) {
            return Err(stopped());
        }
        let raised = lines.set(*output, true);
        if raised.is_ok() {
            std::thread::sleep(train.pulse);
        }
        let_go(lines, *output)?;
        raised?;
        std::thread::sleep(train.gap);
    }
    Ok(())
}

pub type SharedPulses = Arc<Mutex<Box<dyn Lines>>>;

/// Pulses in tokio's time, for wires that are in this process.
pub struct TaskPulser {
    lines: SharedPulses,
    stop: Arc<AtomicBool>,
}

impl TaskPulser {
    pub fn new(lines: SharedPulses) -> Self {
        Self { lines, stop: Arc::default() }
    }
}

impl Pulser for TaskPulser {
    fn send(&mut self, train: Train) -> BoxFuture<'_, Result<(), Fault>> {
        let sending = tokio::spawn(send_in_task(self.lines.clone(), train, self.stop.clone()));
        Box::pin(async { sending.await.unwrap_or_else(|_| Err(stopped())) })
    }

    fn read(&mut self, input: Input) -> BoxFuture<'_, Result<bool, Fault>> {
        Box::pin(async move { with(&self.lines, |lines| lines.read(input)) })
    }
}

impl Drop for TaskPulser {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// A panic elsewhere leaves a wire at the level that it has.
fn with<T>(lines: &SharedPulses, work: impl FnOnce(&mut dyn Lines) -> T) -> T {
    work(lines.lock().unwrap_or_else(PoisonError::into_inner).as_mut())
}

async fn send_in_task(lines: SharedPulses, train: Train, stop: Arc<AtomicBool>) -> Result<(), Fault> {
    for output in train.outputs {
        if stop.load(Ordering::Relaxed) {
            return Err(stopped());
        }
        let raised = with(&lines, |lines| lines.set(output, true));
        if raised.is_ok() {
            tokio::time::sleep(train.pulse).await;
        }
        with(&lines, |lines| let_go(lines, output))?;
        raised?;
        tokio::time::sleep(train.gap).await;
    }
    Ok(())
}
