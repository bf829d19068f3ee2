//! The live view at work: what comes from the stream, from keys, from the clock and from gaserad's answers goes into the
//! screen, and the screen is drawn when something has changed, at most so often, or once a second.

use std::time::Duration;

use gasera::domain::{RunId, Status};
use gasera::proto::FinishAfter;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinSet;
use tokio::time::{Instant, Interval, interval, sleep, sleep_until};

use super::super::CommandSession;
use crate::client::Client;
use crate::endpoint::Endpoints;
use crate::failure::{Exit, Failure};
use crate::stream::Notice;
use crate::stream::reconnect::{Arrived, EventSubscription, ReconnectState};
use crate::terminal::Terminal;
use crate::view::draw::{self, Theme};
use crate::view::screen::Screen;
use crate::view::screen::keys::{Act, Order};

/// However much comes, so long stands each picture.
const AT_LEAST: Duration = Duration::from_millis(40);
const SECOND: Duration = Duration::from_secs(1);

/// What the view cannot do by itself.
pub enum LiveStep {
    Message(Arrived),
    Quit,
    Interrupted(&'static str),
}

struct OrderAnswer {
    order: Order,
    run: RunId,
    said: Result<String, String>,
}

pub struct LiveView {
    terminal: Terminal,
    theme: Theme,
    screen: Screen,
    endpoints: Endpoints,
    answers: JoinSet<OrderAnswer>,
    began: Instant,
    second: Interval,
    signals: Signals,
    /// When it is to be drawn anew.
    due: Option<Instant>,
    /// The earliest time for that.
    earliest: Instant,
}

impl LiveView {
    pub fn open(session: &CommandSession, endpoint: String, gas: Option<String>) -> Result<Self, Failure> {
        let color = session.output.paint.0;
        let (terminal, signals) = (Terminal::open(color)?, Signals::new()?);
        let began = sleep(Duration::ZERO).deadline();
        Ok(Self {
            terminal,
            theme: Theme { color },
            screen: Screen::new(endpoint, gas),
            endpoints: session.endpoints.clone(),
            answers: JoinSet::new(),
            began,
            second: interval(SECOND),
            signals,
            due: None,
            earliest: began,
        })
    }

    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    pub fn prime(&mut self, status: &Status) {
        self.screen.prime(status, self.now());
    }

    pub fn heard(&mut self) {
        self.screen.heard(self.now());
    }

    pub fn link(&mut self, state: ReconnectState, sentence: &str) {
        self.screen.link(state, sentence, self.now());
        self.change();
    }

    /// `logged`: it also goes into the log.
    pub fn take(&mut self, notice: &Notice, logged: bool) {
        self.screen.apply(notice, self.now());
        if logged {
            self.screen.tell(notice);
        }
        self.change();
    }

    /// It is drawn soon, together with what changes until then.
    fn change(&mut self) {
        self.due.get_or_insert(self.earliest);
    }

    pub fn paint(&mut self) -> Result<(), Failure> {
        let now = self.now();
        self.due = None;
        self.earliest = self.began + now + AT_LEAST;
        let (screen, theme) = (&self.screen, self.theme);
        self.terminal.draw(|frame| draw::draw(frame, screen, now, theme))
    }

    /// Looks after the view until there is something that others must see to.
    pub async fn next(&mut self, subscription: &mut EventSubscription) -> Result<LiveStep, Failure> {
        loop {
            let due = self.due;
            tokio::select! {
                () = async { sleep_until(due.unwrap_or(self.began)).await }, if due.is_some() => self.paint()?,
                Some(key) = self.terminal.key() => {
                    let act = self.screen.press(key);
                    if let Some(step) = self.act(act)? {
                        return Ok(step);
                    }
                    self.paint()?;
                }
                Some(answer) = self.answers.join_next() => {
                    if let Ok(OrderAnswer { order, run, said }) = answer {
                        self.screen.answered(order, &run, said, self.now());
                    }
                    self.change();
                }
                _ = self.second.tick() => {
                    self.screen.pass(self.now());
                    self.change();
                }
                signaled = self.signals.next() => match signaled {
                    Signaled::End => return Ok(LiveStep::Interrupted("terminated")),
                    Signaled::Resized => self.paint()?,
                    Signaled::Continued => self.repaint()?,
                },
                message = subscription.next() => return Ok(LiveStep::Message(message)),
            }
        }
    }

    fn act(&mut self, act: Act) -> Result<Option<LiveStep>, Failure> {
        match act {
            Act::Nothing | Act::NextGas | Act::Help => {}
            Act::Repaint => self.repaint()?,
            Act::Quit => return Ok(Some(LiveStep::Quit)),
            Act::Interrupt => return Ok(Some(LiveStep::Interrupted("interrupted"))),
            Act::Stop => {
                Terminal::stop();
                self.repaint()?;
            }
            Act::Order(order, run) => {
                let endpoints = self.endpoints.clone();
                self.answers.spawn(async move {
                    let said = perform(&endpoints, order, &run).await.map_err(|failure| failure.text);
                    OrderAnswer { order, run, said }
                });
            }
        }
        Ok(None)
    }

    /// Whatever else was written there is gone.
    fn repaint(&mut self) -> Result<(), Failure> {
        self.terminal.enter()?;
        self.paint()
    }
}

/// Asks gaserad; says what that means.
async fn perform(endpoints: &Endpoints, order: Order, run: &RunId) -> Result<String, Failure> {
    let mut client = Client::connect(endpoints).await?;
    match order {
        Order::Pause => {
            let run = client.pause(false).await?;
            Ok(format!("Run {run} pauses after the sample under way; r resumes it"))
        }
        Order::Resume => Ok(format!("Run {} goes on", client.resume().await?)),
        Order::Skip => Ok(format!("Run {} leaves the channel under way for the next one", client.skip().await?)),
        Order::Finish => {
            let run = client.finish(FinishAfter::Channel).await?;
            Ok(format!("Run {run} ends after the channel under way"))
        }
        Order::Abort => {
            let aborted = client.abort(run.0.clone()).await?;
            Ok(format!("Run {} is aborted; the analyzer is idle", aborted.run_id))
        }
    }
}

enum Signaled {
    End,
    Resized,
    Continued,
}

/// Signals after which the terminal must not be left as it is.
struct Signals {
    terminate: Signal,
    hang_up: Signal,
    resized: Signal,
    continued: Signal,
}

impl Signals {
    fn new() -> Result<Self, Failure> {
        let listen = |kind| {
            signal(kind).map_err(|error| Failure::new(Exit::FAILURE, format!("cannot listen for signals: {error}")))
        };
        Ok(Self {
            terminate: listen(SignalKind::terminate())?,
            hang_up: listen(SignalKind::hangup())?,
            resized: listen(SignalKind::window_change())?,
            continued: listen(SignalKind::from_raw(rustix::process::Signal::CONT.as_raw()))?,
        })
    }

    async fn next(&mut self) -> Signaled {
        tokio::select! {
            _ = self.terminate.recv() => Signaled::End,
            _ = self.hang_up.recv() => Signaled::End,
            _ = self.resized.recv() => Signaled::Resized,
            _ = self.continued.recv() => Signaled::Continued,
        }
    }
}
