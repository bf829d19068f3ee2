//! What changes the instrument itself: self-test, restart, network, and any AK command that somebody wrote.
//!
//! What must not be repeated is sent once. Whether it was obeyed is then seen by looking, and said; a lost reply is no
//! reason to send it again.

use std::time::Duration;

use super::AnalyzerOwner;
use super::fault::SessionError;
use crate::ak::{Command, write_network};
use crate::device::session::AskError;
use crate::domain::instrument::{Network, SelfTest};
use crate::domain::{AnalyzerState, Fault, FaultKind, Service, duration};

const FIRST_LOOK: Duration = Duration::from_millis(20);
const NEXT_LOOKS: Duration = Duration::from_millis(250);
/// A self-test shows soon after it was begun; a restart begins two seconds after it was ordered.
const SELF_TEST_SHOWS: Duration = Duration::from_secs(5);
const RESTART_SHOWS: Duration = Duration::from_secs(15);

/// By what an order is seen to have been obeyed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    Measuring,
    SelfTest,
    Restart,
}

/// What became of something that was sent once.
#[derive(Debug, Clone, PartialEq, Eq)]
enum SentOrder {
    /// The reply.
    Accepted(String),
    Lost,
}

impl AnalyzerOwner {
    /// What came of it, in the analyzer's words or in a sentence.
    pub(super) async fn serve(&mut self, service: &Service) -> Result<String, SessionError> {
        let command = match service {
            Service::SelfTest => Command::SelfTest,
            Service::Ak(line) => Command::read(line).map_err(|sentence| Fault::new(FaultKind::Refused, sentence))?,
        };
        self.look_in().await?;
        let served = self.serve_command(&command).await;
        // Whatever was known before may be different now.
        self.desk.forget();
        self.contact.forget_refusals();
        served
    }

    async fn serve_command(&mut self, command: &Command) -> Result<String, SessionError> {
        match command {
            Command::Start { .. } | Command::StartByName(_) => self.serve_start(command).await,
            Command::Stop => self.serve_stop().await,
            Command::SelfTest => self.serve_self_test().await,
            Command::Reboot => self.serve_reboot().await,
            Command::SetNetwork(network) => self.serve_network(command, network).await,
            Command::Layout(_) | Command::Order(_) => self.serve_layout(command).await,
            command => match self.send_once(command).await? {
                SentOrder::Accepted(reply) => Ok(reply),
                SentOrder::Lost => Err(self.not_known(command, "and nothing shows whether it was obeyed").into()),
            },
        }
    }

    /// A refusal is an error.
    async fn send_once(&mut self, command: &Command) -> Result<SentOrder, SessionError> {
        match self.ask(command).await {
            Ok(reply) => {
                reply.done(command)?;
                Ok(SentOrder::Accepted(reply.raw))
            }
            Err(SessionError::Ask(AskError::Lost { .. })) => Ok(SentOrder::Lost),
            Err(trouble) => Err(trouble),
        }
    }

    async fn serve_start(&mut self, command: &Command) -> Result<String, SessionError> {
        self.start_outstanding = true;
        let sent = self.send_once(command).await.inspect_err(|trouble| {
            self.start_outstanding = !matches!(trouble, SessionError::Reply(_));
        })?;
        let patience = self.settings.start_patience;
        self.await_sign(command, &sent, Sign::Measuring, patience, "it is measuring").await
    }

    async fn serve_stop(&mut self) -> Result<String, SessionError> {
        if self.track.is_measuring() {
            self.stop().await?;
            return Ok("it has stopped".to_owned());
        }
        let reply = self.ask(&Command::Stop).await?;
        reply.done(&Command::Stop)?;
        self.stop().await?;
        Ok(format!("{}; nothing was being measured", reply.raw))
    }

    async fn serve_self_test(&mut self) -> Result<String, SessionError> {
        let command = Command::SelfTest;
        if self.shows(Sign::SelfTest).await? {
            let place = self.session.place();
            let text = format!(
                "the analyzer at {place} tests itself already; a self-test takes about two minutes, and its result is \
                 told when it is asked for afterwards"
            );
            return Err(Fault::new(FaultKind::Busy, text).into());
        }
        let sent = self.send_once(&command).await?;
        let done = "its self-test runs, and takes about two minutes";
        self.await_sign(&command, &sent, Sign::SelfTest, SELF_TEST_SHOWS, done).await
    }

    async fn serve_reboot(&mut self) -> Result<String, SessionError> {
        let command = Command::Reboot;
        let sent = self.send_once(&command).await?;
        let done = self.await_sign(&command, &sent, Sign::Restart, RESTART_SHOWS, "it restarts").await;
        self.contact.greeted = false;
        done
    }

    async fn serve_network(&mut self, command: &Command, wanted: &Network) -> Result<String, SessionError> {
        let sent = self.send_once(command).await?;
        let told = self.probe(&Command::Network).await?.and_then(|reply| reply.network().ok());
        let later = "it takes effect when the analyzer is started again (RDEV)";
        match (sent, told) {
            (SentOrder::Accepted(reply), _) => Ok(format!("{reply}; {later}")),
            (SentOrder::Lost, Some(told)) if told == *wanted => {
                Ok(format!("the reply to SNET was lost, but the analyzer has this network now; {later}"))
            }
            (SentOrder::Lost, told) => {
                let told = told.map_or_else(|| "nothing".to_owned(), |told| write_network(&told));
                let seen = format!("and ANET tells {told}; it may change when the analyzer is started again");
                Err(self.not_known(command, &seen).into())
            }
        }
    }

    /// Results are read by the layout that was set here, and by no other.
    async fn serve_layout(&mut self, command: &Command) -> Result<String, SessionError> {
        self.track.layout_in_doubt = true;
        let reply = self.ask(command).await?;
        reply.done(command)?;
        let set_back = self.assert_layout().await?;
        let then = if set_back { "results were then set back to" } else { "results are still read as" };
        Ok(format!("{}; {then} time, CAS number and concentration (SCON 1 1 1), by which they are recorded", reply.raw))
    }

    async fn await_sign(
        &mut self,
        command: &Command,
        sent: &SentOrder,
        sign: Sign,
        patience: Duration,
        done: &str,
    ) -> Result<String, SessionError> {
        let begun = self.now();
        let mut pause = FIRST_LOOK;
        loop {
            let last = match self.shows(sign).await {
                Ok(true) => return Ok(said(command, sent, done)),
                Ok(false) => self.track.place().map_or("not seen", |place| place.state.words()).to_owned(),
                Err(trouble @ SessionError::Overtaken { .. }) => return Err(trouble),
                Err(trouble) => trouble.to_string(),
            };
            if self.elapsed(begun) >= patience {
                let seen = format!("and after {} it is not seen to be so: {last}", duration::format(patience));
                return match sent {
                    SentOrder::Accepted(reply) => Err(self.not_obeyed(reply, &seen).into()),
                    SentOrder::Lost => Err(self.not_known(command, &seen).into()),
                };
            }
            self.inbox.wait_for_stop(pause).await;
            pause = NEXT_LOOKS.min(pause * 2);
        }
    }

    async fn shows(&mut self, sign: Sign) -> Result<bool, SessionError> {
        match sign {
            Sign::Measuring => Ok(self.look_in().await?.is_measuring()),
            Sign::SelfTest => {
                let state = self.look_in().await?.state;
                let result = self.probe(&Command::SelfTestResult).await?.map(|reply| reply.self_test());
                Ok(state == AnalyzerState::SelfTest || result == Some(Ok(SelfTest::Running)))
            }
            Sign::Restart => match self.ask(&Command::State).await {
                Ok(reply) => Ok(reply.state()? == AnalyzerState::Initializing),
                Err(SessionError::Ask(_)) => Ok(true),
                Err(trouble) => Err(trouble),
            },
        }
    }

    fn not_obeyed(&self, reply: &str, seen: &str) -> Fault {
        let place = self.session.place();
        let text = format!("the analyzer at {place} answered {reply:?}, {seen}; look at its display and its errors");
        Fault::new(FaultKind::Refused, text)
    }

    /// Of what was sent once, and cannot be seen.
    fn not_known(&self, command: &Command, seen: &str) -> Fault {
        let place = self.session.place();
        let text = format!(
            "the reply of the analyzer at {place} to {} was lost, {seen}; look at its display before you order it again",
            command.code()
        );
        Fault::new(FaultKind::Offline, text)
    }
}

fn said(command: &Command, sent: &SentOrder, done: &str) -> String {
    match sent {
        SentOrder::Accepted(reply) => format!("{reply}; {done}"),
        SentOrder::Lost => format!("the reply to {} was lost, but {done}", command.code()),
    }
}
