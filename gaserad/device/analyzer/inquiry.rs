//! Inquiries: which questions they take, and how these are put between two looks, one at a time.
//!
//! Between two questions everything else comes first: stops, orders, looks that are due. While the analyzer measures, at
//! most one inquiry is begun between two looks.

use super::AnalyzerOwner;
use super::desk::{AskedInquiry, FRESH, InquiryAnswer, reply};
use super::fault::SessionError;
use super::told;
use crate::ak::{Command, Reply};
use crate::domain::{Fault, FaultKind, Inquiry, Told};

/// More tasks are listed, but not asked about.
const MOST_TASKS: usize = 64;

impl AnalyzerOwner {
    /// Puts the next question of the inquiries that wait, if it may be put now.
    pub(super) async fn attend(&mut self) -> bool {
        self.take_inquiries();
        if self.desk.current().is_none() || (self.track.is_measuring() && self.desk.must_wait()) {
            return false;
        }
        match self.put_question().await {
            Ok(None) | Err(SessionError::Overtaken { .. }) => {}
            Ok(Some(told)) => self.answer_inquiry(&Ok(told)),
            Err(trouble) => {
                let failed = Err::<(), _>(trouble.clone());
                if matches!(trouble, SessionError::Ask(_)) {
                    self.note_contact(&failed);
                }
                self.answer_inquiry(&Err(trouble.fault("ask the analyzer", self.session.place())));
            }
        }
        true
    }

    fn answer_inquiry(&mut self, answer: &InquiryAnswer) {
        let now = self.now();
        self.desk.answer(answer, now);
    }

    fn take_inquiries(&mut self) {
        for asked in self.inbox.inquiries() {
            match questions(&asked.inquiry) {
                Ok(questions) => {
                    let now = self.now();
                    let clock = &self.clock;
                    self.desk.take(asked, questions, |since| clock.outside(now.since(since)));
                }
                Err(sentence) => {
                    let AskedInquiry { answer, .. } = asked;
                    reply(answer, Err(Fault::new(FaultKind::Refused, sentence)));
                }
            }
        }
    }

    /// `None` if more questions follow.
    async fn put_question(&mut self) -> Result<Option<Told>, SessionError> {
        if !self.contact.greeted {
            self.look_in().await?;
        }
        let Some(work) = self.desk.current() else { return Ok(None) };
        let inquiry = work.inquiry.clone();
        if let Some(question) = work.questions.front().cloned() {
            if question == Command::Clock && inquiry == Inquiry::Clock {
                return self.tell_clock().await.map(Some);
            }
            let reply = self.put(&inquiry, &question).await?;
            let more = if question == Command::Tasks { told::tasks_to_confirm(reply.as_ref()) } else { Vec::new() };
            let Some(work) = self.desk.current() else { return Ok(None) };
            work.questions.pop_front();
            work.questions.extend(more.into_iter().take(MOST_TASKS).map(|task| Command::TaskParameters { task }));
            work.replies.push((question, reply));
        }
        let Some(work) = self.desk.current().filter(|work| work.questions.is_empty()) else { return Ok(None) };
        let replies = std::mem::take(&mut work.replies);
        self.put_together(&inquiry, &replies).map(Some)
    }

    /// `None` where this firmware cannot say.
    async fn put(&mut self, inquiry: &Inquiry, question: &Command) -> Result<Option<Reply>, SessionError> {
        match (inquiry, question) {
            (Inquiry::Ak(_), _) | (_, Command::Tasks) => self.ask(question).await.map(Some),
            (Inquiry::Errors, _) => {
                let fresh = self.contact.errors_read.is_some_and(|read| self.elapsed(read) < FRESH);
                if !fresh {
                    self.read_errors().await?;
                }
                Ok(None)
            }
            _ => self.probe(question).await,
        }
    }

    fn put_together(&self, inquiry: &Inquiry, replies: &[(Command, Option<Reply>)]) -> Result<Told, SessionError> {
        let first = replies.first().and_then(|(_, reply)| reply.as_ref());
        Ok(match (inquiry, first) {
            (Inquiry::Info, _) => {
                Told::Info(Box::new(told::instrument(&self.contact.identity, replies, self.contact.unsupported())))
            }
            (Inquiry::Tasks, Some(list)) => Told::Tasks(told::task_list(list, &replies[1..])?),
            (Inquiry::Errors, _) => Told::Errors(self.contact.errors()),
            (Inquiry::SelfTest, Some(reply)) => Told::SelfTest(reply.self_test()?),
            (Inquiry::Ak(_), Some(reply)) => Told::Ak(reply.raw.clone()),
            _ => return Err(self.cannot_say(inquiry).into()),
        })
    }

    async fn tell_clock(&mut self) -> Result<Told, SessionError> {
        let reading = self.read_clock().await?;
        reading.map(Told::Clock).ok_or_else(|| self.cannot_say(&Inquiry::Clock).into())
    }

    fn cannot_say(&self, inquiry: &Inquiry) -> Fault {
        let what = match inquiry {
            Inquiry::Clock => "its clock (AK command ACLK, middleware 2.0.2)",
            Inquiry::SelfTest => "the result of a self-test (AK command ASTR, middleware 2.4.0)",
            _ => "this",
        };
        let place = self.session.place();
        Fault::new(FaultKind::Refused, format!("the firmware of the analyzer at {place} does not tell {what}"))
    }
}

/// The AK commands that an inquiry begins with; an error says why it is none.
fn questions(inquiry: &Inquiry) -> Result<Vec<Command>, String> {
    Ok(match inquiry {
        // The identity is known since the greeting.
        Inquiry::Info => vec![
            Command::Name,
            Command::Network,
            Command::Inlets,
            Command::SystemParameters,
            Command::Parameter(told::CELL_TEMPERATURE.to_owned()),
        ],
        Inquiry::Tasks => vec![Command::Tasks],
        Inquiry::Errors => vec![Command::Errors],
        Inquiry::Clock => vec![Command::Clock],
        Inquiry::SelfTest => vec![Command::SelfTestResult],
        Inquiry::Ak(line) => {
            let command = Command::read(line)?;
            if command.changes_the_instrument() {
                let code = command.code();
                return Err(format!(
                    "{code} changes the instrument, and is no question; order it while no run is under way"
                ));
            }
            vec![command]
        }
    })
}
