//! Who asked for what: requests become events of the engine, its answers go back, and both into the audit.

use tokio::sync::oneshot;

use super::Runtime;
use super::handle::{Answer, Asker, Request};
use crate::domain::{self, Clock, DeviceKind, Done, Service, ValveOrder};
use crate::engine::{RequestId, What};
use crate::store::{Audit, Batch};

impl Runtime {
    /// What the engine is told of a request; `None` if it is answered here.
    pub(super) fn hear(&mut self, request: Option<Request>) -> Option<What> {
        match request {
            Some(Request::Start(asked, answer)) => {
                if let Some(denied) = self.space.refuses(&self.store) {
                    return self.refuse(asked.who, denied, answer);
                }
                let request = self.wait(answer, asked.who.clone(), "start");
                let run = (self.run_ids)(self.clock.now());
                Some(What::Start { request, run, asked })
            }
            Some(Request::Abort(who, None, answer)) => {
                let request = self.wait(answer, who.clone(), "abort");
                Some(What::Abort { request, who })
            }
            Some(Request::Abort(who, Some(run), answer)) => {
                let request = self.wait(answer, who.clone(), format!("abort {run}"));
                Some(What::AbortRun { request, who, run })
            }
            Some(Request::Control(control, who, answer)) => {
                let request = self.wait(answer, who.clone(), control.words());
                Some(What::Control { request, who, control })
            }
            Some(Request::MoveValve(order, who, answer)) => {
                let request = self.wait(answer, who.clone(), valve_words(order));
                Some(What::MoveValve { request, who, order })
            }
            Some(Request::Serve(service, who, answer)) => {
                let request = self.wait(answer, who.clone(), service_words(&service));
                Some(What::Serve { request, who, service })
            }
            Some(Request::Accept(device, who, answer)) => {
                let request = self.wait(answer, who.clone(), accept_words(device));
                Some(What::Accept { request, who, device })
            }
            Some(Request::Keep(batch, kept)) => {
                self.others.push((*batch, kept));
                None
            }
            Some(Request::Spare(min_free_bytes)) => {
                self.space.spare(min_free_bytes);
                None
            }
            Some(Request::Mirror(status)) => {
                self.mirror = status.map(|status| *status);
                self.show(self.clock.now());
                None
            }
            Some(Request::Status(answer)) => {
                // Whoever asked may have gone meanwhile.
                let _ = answer.send(self.status(self.clock.now()));
                None
            }
            other @ (Some(Request::Shutdown) | None) => {
                self.inbox_open = other.is_some();
                let first = !std::mem::replace(&mut self.shutting_down, true);
                first.then_some(What::Shutdown)
            }
        }
    }

    /// Without asking the engine.
    fn refuse(&mut self, who: String, denied: domain::Denied, answer: Answer) -> Option<What> {
        let result = format!("{} {denied}", denied.reason.as_str());
        let audit = vec![Audit { who, what: "start".to_owned(), result }];
        let (nobody, _) = oneshot::channel();
        self.others.push((Batch { audit, ..Batch::default() }, nobody));
        // Whoever asked may have gone meanwhile; the audit has the answer.
        let _ = answer.send(Err(denied));
        None
    }

    fn wait(&mut self, answer: Answer, who: String, what: impl Into<String>) -> RequestId {
        self.asked += 1;
        let request = RequestId(self.asked);
        self.waiting.insert(request, Asker { answer, who, what: what.into() });
        request
    }

    /// What the audit keeps of a request that is answered.
    pub(super) fn audit(&self, request: RequestId, answer: &Result<Done, domain::Denied>) -> Option<Audit> {
        let waiting = self.waiting.get(&request)?;
        let result = match answer {
            Ok(Done::Run(run) | Done::Unqueued(run)) => format!("ok {run}"),
            Ok(Done::Queued(run, _)) => format!("queued {run}"),
            Ok(Done::Valve(position)) => {
                format!("ok {}", position.channel().map_or_else(String::new, |at| at.to_string()))
            }
            Ok(Done::Accepted(known)) => format!("ok {known}"),
            Ok(Done::Served(reply)) => format!("ok {reply}"),
            Err(denied) => format!("{} {denied}", denied.reason.as_str()),
        };
        Some(Audit { who: waiting.who.clone(), what: waiting.what.clone(), result })
    }

    pub(super) fn answer(&mut self, request: RequestId, answer: Result<Done, domain::Denied>) {
        if let Some(waiting) = self.waiting.remove(&request) {
            // Whoever asked may have gone meanwhile; the audit has the answer.
            let _ = waiting.answer.send(answer);
        }
    }
}

fn valve_words(order: ValveOrder) -> String {
    match order {
        ValveOrder::Home => "mux home".to_owned(),
        ValveOrder::Goto(channel) => format!("mux goto {channel}"),
        ValveOrder::Where => "mux where".to_owned(),
    }
}

fn accept_words(device: DeviceKind) -> String {
    device.accept().trim_start_matches("gaseractl ").to_owned()
}

fn service_words(service: &Service) -> String {
    match service {
        Service::SelfTest => "analyzer selftest".to_owned(),
        Service::Ak(line) => format!("analyzer ak {} {}", line.code, line.data).trim_end().to_owned(),
    }
}
