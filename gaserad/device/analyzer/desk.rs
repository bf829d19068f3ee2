//! The inquiries that wait. The same inquiry asked by many is asked once, and an answer that is still fresh is given again,
//! so that what the analyzer is asked does not depend on how many want to know. How it is asked is for `inquiry`.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::ak::{Command, Reply};
use crate::domain::{Fault, FaultKind, Inquiry, Tick, Told};

pub(super) const FRESH: Duration = Duration::from_secs(1);
/// What changes only when somebody changes it stays fresh for longer.
const FRESH_DESCRIPTION: Duration = Duration::from_secs(10);
/// More different inquiries at a time are none of people.
const MOST_WAITING: usize = 32;

pub(super) type InquiryAnswer = Result<Told, Fault>;

/// An inquiry, and who asked.
pub(super) struct AskedInquiry {
    pub inquiry: Inquiry,
    pub answer: oneshot::Sender<InquiryAnswer>,
}

/// An inquiry under way: the questions that it still takes, and the replies so far.
pub(super) struct Work {
    pub inquiry: Inquiry,
    askers: Vec<oneshot::Sender<InquiryAnswer>>,
    pub questions: VecDeque<Command>,
    /// `None` where the analyzer cannot say.
    pub replies: Vec<(Command, Option<Reply>)>,
}

struct Given {
    inquiry: Inquiry,
    at: Tick,
    answer: InquiryAnswer,
}

#[derive(Default)]
pub(super) struct Desk {
    waiting: VecDeque<Work>,
    given: Vec<Given>,
    /// An inquiry was answered since the last look.
    answered: bool,
}

impl Desk {
    /// Takes in an inquiry; `now` and how much outside time has passed since a tick decide what is still fresh.
    pub(super) fn take(&mut self, asked: AskedInquiry, questions: Vec<Command>, elapsed: impl Fn(Tick) -> Duration) {
        self.given.retain(|given| elapsed(given.at) < freshness(&given.inquiry));
        if let Some(given) = self.given.iter().find(|given| given.inquiry == asked.inquiry) {
            reply(asked.answer, given.answer.clone());
        } else if let Some(work) = self.waiting.iter_mut().find(|work| work.inquiry == asked.inquiry) {
            work.askers.push(asked.answer);
        } else if self.waiting.len() >= MOST_WAITING {
            let text = format!("{MOST_WAITING} other questions to the analyzer wait already; ask again in a moment");
            reply(asked.answer, Err(Fault::new(FaultKind::Busy, text)));
        } else {
            let AskedInquiry { inquiry, answer } = asked;
            self.waiting.push_back(Work {
                inquiry,
                askers: vec![answer],
                questions: questions.into(),
                replies: Vec::new(),
            });
        }
    }

    /// What is under way or comes next. What nobody waits for any more is dropped.
    pub(super) fn current(&mut self) -> Option<&mut Work> {
        self.waiting.retain(|work| work.askers.iter().any(|asker| !asker.is_closed()));
        self.waiting.front_mut()
    }

    /// Whether the next inquiry has to wait for a look.
    pub(super) fn must_wait(&self) -> bool {
        self.answered && self.waiting.front().is_some_and(|work| work.replies.is_empty())
    }

    /// Answers what is under way.
    pub(super) fn answer(&mut self, answer: &InquiryAnswer, at: Tick) {
        let Some(work) = self.waiting.pop_front() else { return };
        for asker in work.askers {
            reply(asker, answer.clone());
        }
        self.given.push(Given { inquiry: work.inquiry, at, answer: answer.clone() });
        self.answered = true;
    }

    pub(super) fn note_look(&mut self) {
        self.answered = false;
    }

    /// What was answered may not be true any more.
    pub(super) fn forget(&mut self) {
        self.given.clear();
    }
}

fn freshness(inquiry: &Inquiry) -> Duration {
    match inquiry {
        Inquiry::Info | Inquiry::Tasks => FRESH_DESCRIPTION,
        Inquiry::Errors | Inquiry::Clock | Inquiry::SelfTest | Inquiry::Ak(_) => FRESH,
    }
}

pub(super) fn reply(asker: oneshot::Sender<InquiryAnswer>, answer: InquiryAnswer) {
    if asker.send(answer).is_err() {
        tracing::debug!("who asked did not wait for the answer");
    }
}
