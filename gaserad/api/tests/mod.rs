//! Real clients against the real server, over a unix socket and over TCP.

mod described;
mod folders;
mod holdings;
mod instrument;
mod orders;
mod over_grpc;
mod over_http;
mod oversight;
mod page;
mod plans;
mod schedules;
#[path = "../../../tests/support/schema.rs"]
mod schema;
mod security;
mod streams;
mod upkeep;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_stream::StreamExt;
use tokio_util::sync::CancellationToken;
use tonic::Code;
use tonic_types::StatusExt;

use super::{
    Access, AccessInEffect, Address, Archive, ChannelLine, Chunk, Control, Detail, Ledger, PlanMistake, PlanText,
    Plans, Services, StoredRun, Verdict, bind, serve,
};
use crate::domain::status::MultiplexerStatus;
use crate::domain::{
    self, Aborted, Attribution, Begins, Denied, Event, Inquiry, Note, PlanDraft, PlanRequest, Reason, RunId, Service,
    Spread, StartRequest, Started, Status, Told, Utc, ValveOrder, VisitId, VisitMeans, VisitSummary, Wanted,
};
use crate::proto::gasera_service_client::GaseraServiceClient;
use crate::proto::{self, StartMeasurementRequest};
use crate::store::{Audit, Piece};
use crate::stream::support::{
    Frame, Kept, NOW, StoppedClock, draft, frames, hub, live_data, numbered, published, run, status,
};
use crate::stream::{BoxFuture, Hub, Settings};

struct Measuring {
    answer: Mutex<Result<RunId, Denied>>,
    asked: Mutex<Vec<String>>,
    seq: AtomicU64,
}

impl Control for Measuring {
    fn start(&self, request: StartRequest) -> BoxFuture<'_, Result<Started, Denied>> {
        self.asked.lock().unwrap().push(format!("start {} by {}", request.plan.repeats, request.who));
        let answer = self.answer.lock().unwrap().clone();
        let when = match request.align {
            Some(align) => Begins::At(NOW + align),
            None if request.queue => Begins::Next,
            None => Begins::Now,
        };
        Box::pin(async move { answer.map(|run| Started { run, when }) })
    }

    fn abort(&self, who: String, run: Option<String>) -> BoxFuture<'_, Result<Aborted, Denied>> {
        let named = run.as_deref().map_or_else(String::new, |run| format!("{run} "));
        self.asked.lock().unwrap().push(format!("abort {named}by {who}"));
        let answer = self.answer.lock().unwrap().clone();
        Box::pin(async move { answer.map(|id| Aborted { run: id, waited: run.is_some() }) })
    }

    fn control(&self, control: domain::Control, who: String) -> BoxFuture<'_, Result<RunId, Denied>> {
        self.asked.lock().unwrap().push(format!("{} by {who}", control.words()));
        let answer = self.answer.lock().unwrap().clone();
        Box::pin(async move { answer })
    }

    fn move_valve(&self, order: ValveOrder, who: String) -> BoxFuture<'_, Result<MultiplexerStatus, Denied>> {
        self.asked.lock().unwrap().push(format!("{order:?} by {who}"));
        let answer = self.answer.lock().unwrap().clone().map(|_| instrument::valve());
        Box::pin(async move { answer })
    }

    fn serve(&self, service: Service, who: String) -> BoxFuture<'_, Result<String, Denied>> {
        self.asked.lock().unwrap().push(format!("{service:?} by {who}"));
        let answer = self.answer.lock().unwrap().clone().map(|_| "STST 0".to_owned());
        Box::pin(async move { answer })
    }

    fn accept(&self, device: domain::DeviceKind, who: String) -> BoxFuture<'_, Result<String, Denied>> {
        Box::pin(async move { Ok(format!("{device:?} by {who}")) })
    }

    fn inquire(&self, inquiry: Inquiry) -> BoxFuture<'_, Result<Told, Denied>> {
        self.asked.lock().unwrap().push(format!("{inquiry:?}"));
        let answer = self.answer.lock().unwrap().clone().map(|_| instrument::told(&inquiry));
        Box::pin(async move { answer })
    }

    fn status(&self) -> BoxFuture<'_, Status> {
        let seq = self.seq.load(Ordering::Relaxed);
        Box::pin(async move { status(seq) })
    }

    fn plan_draft(&self) -> PlanDraft {
        draft()
    }

    fn channels(&self) -> Vec<ChannelLine> {
        let label = "<script>alert(1)</script>".into();
        vec![ChannelLine { channel: domain::Channel::HOME, label, kind: domain::ChannelKind::Sample }]
    }
}

struct Shelf;

/// Reads a file with a number of repeats, and nothing else.
impl Plans for Shelf {
    fn read(&self, text: &str, _: &PlanDraft) -> Result<PlanRequest, Vec<PlanMistake>> {
        let wrong = |line, text: &str| PlanMistake { line, column: line, text: text.into() };
        let repeats = text.parse().map_err(|_| vec![wrong(2, "no number"), wrong(0, "nothing else")])?;
        let (operator, channels) = (Some("bob".into()), Some("1-2".into()));
        Ok(PlanRequest { repeats: Some(repeats), operator, channels, ..PlanRequest::default() })
    }

    fn find(&self, name: String) -> BoxFuture<'_, Result<PlanText, Denied>> {
        let found = match name.as_str() {
            "weekly" => Ok(PlanText { name, path: "/plans/weekly.toml".into(), text: "7".into() }),
            _ => Err(Denied::new(Reason::PlanUnknown, format!("there is no plan {name}"))),
        };
        Box::pin(async move { found })
    }

    fn list(&self) -> BoxFuture<'_, Result<Vec<PlanText>, Denied>> {
        let broken = PlanText { name: "broken".into(), path: "/plans/broken.toml".into(), text: "x".into() };
        Box::pin(async move { Ok(vec![broken, Plans::find(self, "weekly".into()).await?]) })
    }
}

fn stored() -> StoredRun {
    StoredRun { run: run("01JRUN"), folder: PathBuf::from("/data/01JRUN") }
}

impl Archive for Shelf {
    fn runs(&self, limit: u32) -> BoxFuture<'_, Result<Vec<StoredRun>, Denied>> {
        let runs = vec![stored(); usize::try_from(limit).unwrap().min(3)];
        Box::pin(async move { Ok(runs) })
    }

    fn find<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<RunId, Denied>> {
        let found = match name {
            "last" | "01J" | "01JRUN" => Ok(RunId("01JRUN".into())),
            "A" => Ok(RunId("A".into())),
            _ => Err(Denied::new(Reason::RunUnknown, format!("there is no run {name}"))),
        };
        Box::pin(async move { found })
    }

    fn run<'a>(&'a self, _: &'a RunId) -> BoxFuture<'a, Result<Detail, Denied>> {
        let visit = VisitSummary {
            id: VisitId(1),
            channel: domain::Channel::HOME,
            repeat: 1,
            arrived: NOW,
            left: None,
            records: 2,
            good_records: 1,
        };
        let note = Note { at: NOW, who: "ada".into(), text: "window open".into() };
        Box::pin(async move { Ok(Detail { stored: stored(), visits: vec![visit], notes: vec![note] }) })
    }

    fn visit_means<'a>(&'a self, id: &'a RunId) -> BoxFuture<'a, Result<Vec<VisitMeans>, Denied>> {
        Box::pin(async move {
            let mut spread = Spread::default();
            for ppm in [1.0, 3.0] {
                spread.add(ppm);
            }
            let visit = self.run(id).await?.visits.remove(0);
            let visit = VisitSummary { records: 5, good_records: 2, ..visit };
            let gases = vec![(domain::Cas("124-38-9".into()), spread)];
            Ok(vec![VisitMeans { visit, label: "north".into(), gases }])
        })
    }

    /// 3000 events: a change of phase, and every hundredth is an alarm.
    fn events<'a>(
        &'a self,
        id: &'a RunId,
        seq: u64,
        limit: u32,
    ) -> BoxFuture<'a, Result<Vec<domain::Published>, Denied>> {
        let event = |seq: u64| domain::Published {
            seq,
            name: if seq.is_multiple_of(100) { "alarm" } else { "phase" }.into(),
            run: Some(id.clone()),
            channel: None,
            data: json!({ "timestamp": seq }).to_string(),
        };
        let most = usize::try_from(limit).unwrap();
        let events = (seq + 1..=3000).take(most).map(event).collect();
        Box::pin(async move { Ok(events) })
    }

    fn verify<'a>(&'a self, _: &'a RunId) -> BoxFuture<'a, Result<Verdict, Denied>> {
        let differences = vec!["record 2 names channel 1, and 3 comes out".into()];
        Box::pin(
            async move { Ok(Verdict { records: 2, rows: 1, attributed_again: 2, differences, ..Verdict::default() }) },
        )
    }

    fn export(&self, ids: Vec<RunId>, wanted: Wanted) -> BoxFuture<'_, Result<mpsc::Receiver<Chunk>, Denied>> {
        Box::pin(async move {
            let (chunks, receiver) = mpsc::channel(2);
            let pieces = match wanted == Wanted::default() {
                _ if ids[0].0 == "A" => vec![Err("the disk is gone".into())],
                true => vec![Ok("a,b\n".into()), Ok("1,2\n".into())],
                false => vec![Ok(format!("{ids:?} {wanted:?}"))],
            };
            let piece = |text: String| Piece { bytes: text.into(), through: 2, of: 2 };
            for text in pieces {
                chunks.try_send(text.map(piece)).unwrap();
            }
            Ok(receiver)
        })
    }
}

struct Daemon {
    hub: Arc<Hub>,
    history: Arc<Kept>,
    measuring: Arc<Measuring>,
    ledger: Arc<folders::Book>,
    socket: PathBuf,
    place: String,
    cancel: CancellationToken,
    served: JoinHandle<()>,
    _folder: tempfile::TempDir,
}

impl Daemon {
    async fn start() -> Self {
        Self::with(Settings::default()).await
    }

    async fn with(settings: Settings) -> Self {
        Self::guarded(settings, Access::local(), None).await
    }

    async fn guarded(settings: Settings, access: Access, tls: Option<TlsAcceptor>) -> Self {
        Self::at("127.0.0.1:0", settings, access, tls).await
    }

    async fn at(tcp: &str, settings: Settings, access: Access, tls: Option<TlsAcceptor>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("gaserad.sock");
        let mut listeners = bind(&Address::Unix(socket.clone())).await.unwrap();
        listeners.extend(bind(&Address::Tcp(tcp.into())).await.unwrap());
        let ledger = Arc::new(folders::Book::default());
        let place = listeners[1].name().trim_start_matches("http://").to_owned();
        if let Some(tls) = tls {
            let tcp = listeners.remove(1).with_tls(tls);
            listeners.push(tcp);
        }
        let history = Kept::new();
        let hub = hub(settings, &history, 0);
        let measuring = Arc::new(Measuring {
            answer: Mutex::new(Ok(RunId("01JRUN".into()))),
            asked: Mutex::default(),
            seq: AtomicU64::new(0),
        });
        let services = Services {
            control: measuring.clone(),
            archive: Arc::new(Shelf),
            plans: Arc::new(Shelf),
            schedules: Arc::new(Shelf),
            folders: Arc::new(Shelf),
            upkeep: Arc::new(upkeep::House),
            hub: hub.clone(),
            clock: Arc::new(StoppedClock),
            access: Arc::new(AccessInEffect::new(access)),
            ledger: ledger.clone(),
        };
        let cancel = CancellationToken::new();
        let served = tokio::spawn(serve(listeners, services, cancel.clone()));
        Self { hub, history, measuring, ledger, socket, place, cancel, served, _folder: folder }
    }

    fn deny(&self, reason: Reason, text: &str) {
        *self.measuring.answer.lock().unwrap() = Err(Denied::new(reason, text));
    }

    fn publish(&self, seqs: std::ops::RangeInclusive<u64>) {
        for seq in seqs {
            self.history.keep(&[numbered(seq)]);
            self.hub.publish(vec![numbered(seq)]);
        }
    }

    /// Asks over TCP, as a browser would.
    async fn ask(&self, method: Method, path: &str, headers: &[(&str, &str)]) -> http::Response<Incoming> {
        let stream = TcpStream::connect(&self.place).await.unwrap();
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let is_named = headers.iter().any(|(name, _)| *name == "host");
        let host = (!is_named).then_some(("host", self.place.as_str()));
        let request = Request::builder().method(method).uri(path);
        let request = headers.iter().copied().chain(host).fold(request, |all, (name, value)| all.header(name, value));
        sender.send_request(request.body(Empty::<Bytes>::new()).unwrap()).await.unwrap()
    }

    async fn get(&self, path: &str) -> (StatusCode, String) {
        whole(self.ask(Method::GET, path, &[]).await).await
    }

    async fn grpc(&self) -> GaseraServiceClient<Channel> {
        GaseraServiceClient::new(self.channel().await)
    }

    async fn channel(&self) -> Channel {
        let stream = UnixStream::connect(&self.socket).await.unwrap();
        let (sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        Channel(sender)
    }
}

/// What carries gRPC calls over one HTTP/2 connection.
#[derive(Clone)]
struct Channel(hyper::client::conn::http2::SendRequest<tonic::body::Body>);

impl tower_service::Service<Request<tonic::body::Body>> for Channel {
    type Response = http::Response<Incoming>;
    type Error = hyper::Error;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, cx: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), hyper::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<tonic::body::Body>) -> Self::Future {
        let path = request.uri().path().to_owned();
        *request.uri_mut() = format!("http://localhost{path}").parse().unwrap();
        Box::pin(self.0.send_request(request))
    }
}

async fn whole(answer: http::Response<Incoming>) -> (StatusCode, String) {
    let status = answer.status();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

/// The frames of a stream as they come.
struct Reader {
    body: Incoming,
    text: String,
}

impl Reader {
    async fn open(daemon: &Daemon, path: &str, headers: &[(&str, &str)]) -> Self {
        let answer = daemon.ask(Method::GET, path, headers).await;
        assert_eq!(answer.status(), StatusCode::OK);
        Self { body: answer.into_body(), text: String::new() }
    }

    /// The next frame that is no comment; `None` when the stream has ended.
    async fn next(&mut self) -> Option<Frame> {
        loop {
            while let Some((block, rest)) = self.text.split_once("\n\n") {
                let found = frames(block);
                self.text = rest.to_owned();
                if let Some(frame) = found.into_iter().next() {
                    return Some(frame);
                }
            }
            let bytes = self.body.frame().await?.unwrap().into_data().unwrap();
            self.text.push_str(std::str::from_utf8(&bytes).unwrap());
        }
    }

    async fn ids(&mut self, count: usize) -> Vec<u64> {
        let mut ids = Vec::new();
        while ids.len() < count {
            ids.extend(self.next().await.expect("the stream goes on").id);
        }
        ids
    }
}
