//! An analyzer to test against, and the world around it: paused time, a clock that follows it, the reports.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

use crate::ak::Request;
use crate::device::fake::Server;
use crate::device::{Analyzer, AnalyzerSettings, Report, SessionMode};
use crate::domain::{
    AnalyzerAnswer, AnalyzerNews, AnalyzerOrder, Clock, CommandId, Fault, IfMeasuring, Moment, ResultRead, Seen, Tick,
    Utc,
};

#[expect(clippy::disallowed_methods, reason = "the time of a test is the paused one of its runtime")]
fn now() -> Instant {
    Instant::now()
}

/// Ticks since the world began.
pub struct PausedClock(Instant);

impl Clock for PausedClock {
    fn now(&self) -> Moment {
        let micros = u64::try_from(self.0.elapsed().as_micros()).unwrap();
        Moment { tick: Tick::from_micros(micros), utc: Utc::from_micros(0) + Duration::from_micros(micros) }
    }

    fn outside(&self, duration: Duration) -> Duration {
        duration
    }
}

/// What the analyzer does, as a function of time.
pub struct Model {
    pub cycle: Duration,
    /// Between a start and its effect.
    pub start_delay: Duration,
    pub cancel_time: Duration,
    /// When it is not doing what it was told.
    pub state: u8,
    pub tasks: &'static str,
    /// Commands that are answered with an error.
    pub refused: Vec<&'static str>,
    pub counts: bool,
    /// Another program has added the inlet to the results.
    pub with_inlet: bool,
    /// The stamp of the last result there is.
    pub stamp: Option<i64>,
    /// When the measurement under way began, and when the last one was over.
    pub measuring: Option<Instant>,
    pub idle_from: Option<Instant>,
    pub results: u32,
    pub built: Instant,
}

impl Default for Model {
    fn default() -> Self {
        Self {
            cycle: Duration::from_secs(60),
            start_delay: Duration::ZERO,
            cancel_time: Duration::from_secs(2),
            state: 2,
            tasks: "7 Calibration task 11 DEFAULT 12 FLUSH",
            refused: Vec::new(),
            counts: true,
            with_inlet: false,
            stamp: None,
            measuring: None,
            idle_from: None,
            results: 0,
            built: now(),
        }
    }
}

impl Model {
    fn answer(&mut self, request: &Request) -> String {
        let code = request.code.as_str();
        if self.refused.contains(&code) {
            return format!("{code} 1");
        }
        self.catch_up();
        let data = match code {
            "ASTS" => self.state().to_string(),
            "AMST" => self.phase().to_string(),
            "AITR" if self.counts => self.iteration().to_string(),
            "ACON" => match self.stamp {
                Some(stamp) => format!("{stamp} 74-82-8 1.5{}", if self.with_inlet { " 1" } else { "" }),
                None => return "ACON 1".into(),
            },
            "ATSK" => self.tasks.into(),
            "ATSP" if self.tasks.split(' ').any(|word| word == request.data) => "74-82-8,7732-18-5 850 1 1 6".into(),
            "ACLK" => self.clock(),
            "ADEV" => "\"Gasera Ltd\" \"030109\" \"MINTS-GASERA-ONE\" \"010304\"".into(),
            "AERR" => "8002".into(),
            "SONL" => String::new(),
            "SCON" => {
                self.with_inlet = false;
                String::new()
            }
            "STAM" if self.state() == 2 => {
                self.measuring = Some(now() + self.start_delay);
                self.results = 0;
                String::new()
            }
            "STPM" => {
                if self.state() == 5 {
                    self.idle_from = Some(now() + self.cancel_time);
                    self.measuring = None;
                }
                String::new()
            }
            _ => return format!("{code} 1"),
        };
        format!("{code} 0 {data}")
    }

    fn elapsed(&self) -> Option<Duration> {
        self.measuring.and_then(|began| now().checked_duration_since(began))
    }

    /// An hour ahead.
    fn clock(&self) -> String {
        let utc = Utc::from_micros(0) + self.built.elapsed() + Duration::from_secs(3600);
        utc.to_seconds_string().trim_end_matches('Z').to_owned()
    }

    fn iteration(&self) -> u32 {
        self.elapsed().map_or(0, |elapsed| u32::try_from(elapsed.as_micros() / self.cycle.as_micros()).unwrap())
    }

    fn state(&self) -> u8 {
        if self.elapsed().is_some() {
            return 5;
        }
        if self.idle_from.is_some_and(|idle| idle > now()) { 7 } else { self.state }
    }

    /// A fifth gas exchange, the last tenth analysis.
    fn phase(&self) -> u8 {
        let Some(elapsed) = self.elapsed() else { return 0 };
        match (elapsed.as_secs_f64() / self.cycle.as_secs_f64()).fract() {
            part if part < 0.2 => 1,
            part if part < 0.9 => 2,
            _ => 3,
        }
    }

    fn catch_up(&mut self) {
        let done = self.iteration();
        if done > self.results {
            self.stamp = Some(self.stamp.unwrap_or(1000) + i64::from(done - self.results));
            self.results = done;
        }
    }
}

pub struct World {
    pub server: Server,
    pub analyzer: Analyzer,
    pub owner: tokio::task::JoinHandle<()>,
    model: Arc<Mutex<Model>>,
    reports: mpsc::UnboundedReceiver<Report>,
    began: Instant,
    orders: u64,
}

/// Nothing here takes longer.
const LONG: Duration = Duration::from_secs(3600);

impl World {
    pub fn new(model: Model) -> Self {
        Self::with(model, |server| server)
    }

    pub fn with(model: Model, server: impl FnOnce(Server) -> Server) -> Self {
        let model = Arc::new(Mutex::new(model));
        let device = Arc::clone(&model);
        let server = server(Server::new(move |request| device.lock().unwrap().answer(request)));
        let settings = AnalyzerSettings {
            dial: server.dial(),
            mode: SessionMode::Auto,
            poll: Duration::from_secs(1),
            idle_poll: Duration::from_secs(5),
            start_patience: Duration::from_secs(10),
            stop_patience: Duration::from_secs(30),
        };
        let (tell, reports) = mpsc::unbounded_channel();
        let began = now();
        let (analyzer, owner) = Analyzer::new(settings, Arc::new(PausedClock(began)), tell);
        let owner = tokio::spawn(owner);
        Self { server, analyzer, owner, model, reports, began, orders: 0 }
    }

    pub fn model(&self) -> MutexGuard<'_, Model> {
        self.model.lock().unwrap()
    }

    /// When the measurement under way began.
    pub fn start(&self) -> Duration {
        self.model().measuring.unwrap().duration_since(self.began)
    }

    pub fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    pub fn order(&mut self, order: AnalyzerOrder) -> CommandId {
        self.orders += 1;
        let id = CommandId(self.orders);
        self.analyzer.order(id, order);
        id
    }

    /// The answer, and the news before it.
    pub async fn answer(&mut self, id: CommandId) -> (Vec<AnalyzerNews>, Result<AnalyzerAnswer, Fault>) {
        let mut news = Vec::new();
        loop {
            match timeout(LONG, self.reports.recv()).await.expect("the order was never answered").unwrap() {
                Report::Analyzer(told) => news.push(told),
                Report::AnalyzerDid { id: of, answer } if of == id => return (news, answer),
                other => panic!("{other:?} came before the answer to {id:?}"),
            }
        }
    }

    pub async fn carry_out(&mut self, order: AnalyzerOrder) -> Result<AnalyzerAnswer, Fault> {
        let id = self.order(order);
        self.answer(id).await.1
    }

    /// What is told during that time.
    pub async fn listen(&mut self, time: Duration) -> Vec<AnalyzerNews> {
        tokio::time::sleep(time).await;
        let mut news = Vec::new();
        while let Ok(report) = self.reports.try_recv() {
            match report {
                Report::Analyzer(told) => news.push(told),
                other => panic!("{other:?} came unasked"),
            }
        }
        news
    }

    pub async fn prepare(&mut self) -> Result<AnalyzerAnswer, Fault> {
        self.carry_out(AnalyzerOrder::Prepare {
            task: "DEFAULT".into(),
            save_on_device: true,
            if_measuring: IfMeasuring::Refuse,
        })
        .await
    }

    pub async fn start_measuring(&mut self) {
        self.prepare().await.unwrap();
        assert_eq!(self.carry_out(AnalyzerOrder::Start { task_id: 11 }).await, Ok(AnalyzerAnswer::Started));
    }
}

pub fn seen(news: &[AnalyzerNews]) -> Vec<Seen> {
    let seen = |told: &AnalyzerNews| if let AnalyzerNews::Seen(seen) = told { Some(*seen) } else { None };
    news.iter().filter_map(seen).collect()
}

pub fn results(news: &[AnalyzerNews]) -> Vec<ResultRead> {
    let result = |told: &AnalyzerNews| if let AnalyzerNews::Result(read) = told { Some(read.clone()) } else { None };
    news.iter().filter_map(result).collect()
}

pub fn stamps(news: &[AnalyzerNews]) -> Vec<i64> {
    results(news).iter().map(|read| read.sample.stamp.0).collect()
}
