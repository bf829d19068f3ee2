//! An analyzer to test against, and the world around it: paused time, a clock that follows it, the reports.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

use crate::ak::AkRequest;
use crate::device::fake::FakeServer;
use crate::device::{Analyzer, AnalyzerSettings, Dial, Report, SessionMode};
use crate::domain::instrument::AkLine;
use crate::domain::{
    AnalyzerAnswer, AnalyzerNews, AnalyzerOrder, Clock, CommandId, Fault, IfMeasuring, Moment, ResultRead, Seen,
    Service, Tick, Utc,
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
    /// Of the results: time, CAS number, concentration, inlet.
    pub layout: [bool; 4],
    /// CAS numbers and concentrations.
    pub gases: &'static [(&'static str, &'static str)],
    pub network: String,
    pub serial: &'static str,
    /// It starts anew until then, and loses its layout.
    pub booted: Option<Instant>,
    /// Its self-test is under way until then.
    pub tested: Option<Instant>,
    pub self_test: bool,
    /// Before the stamps of all its results.
    pub first_stamp: i64,
    /// How they are printed.
    pub prints: fn(i64) -> String,
    /// The stamp of the last result there is.
    pub stamp: Option<i64>,
    /// When the measurement under way began, and when the last one was over.
    pub measuring: Option<Instant>,
    pub idle_from: Option<Instant>,
    pub results: u32,
    /// How long after the end of an iteration its result is there.
    pub result_delay: Duration,
    /// It agrees to restart, and does not.
    pub deaf: bool,
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
            layout: [true, true, true, false],
            gases: &[("74-82-8", "1.5")],
            serial: "030109",
            network: "1 192.168.20.112 255.255.255.0 192.168.20.1".into(),
            booted: None,
            tested: None,
            self_test: true,
            first_stamp: 1000,
            prints: |stamp| stamp.to_string(),
            stamp: None,
            measuring: None,
            idle_from: None,
            results: 0,
            result_delay: Duration::ZERO,
            deaf: false,
            built: now(),
        }
    }
}

impl Model {
    fn answer(&mut self, request: &AkRequest) -> String {
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
                Some(stamp) => self.result(stamp),
                None => return "ACON 1".into(),
            },
            "ATSK" => self.tasks.into(),
            "ATSP" if self.tasks.split(' ').any(|word| word == request.data) => "74-82-8,7732-18-5 850 1 1 6".into(),
            "ACLK" => self.clock(),
            "ADEV" => format!("\"Gasera Ltd\" \"{}\" \"MINTS-GASERA-ONE\" \"010304\"", self.serial),
            "AERR" => "8002".into(),
            "ANAM" => "lab 3".into(),
            "ANET" => self.network.clone(),
            "ASYP" => "AllowNegResults,0,NULL,NULL,NULL PumpRate,1.5,0,2,l/min".into(),
            "APAR" if request.data.eq_ignore_ascii_case("CELLTEMP") => "50.01".into(),
            "AMPS" => return "AMPS 2".into(),
            "ASTR" => if self.is_testing() { "-1" } else { "1" }.into(),
            "SONL" | "SCOR" => String::new(),
            "SCON" => {
                let mut bits = request.data.split(' ').map(|bit| bit == "1");
                self.layout = std::array::from_fn(|_| bits.next().unwrap_or(false));
                String::new()
            }
            "SNET" => {
                self.network.clone_from(&request.data);
                String::new()
            }
            "STST" if self.self_test && self.state() == 2 => {
                self.tested = Some(now() + Duration::from_secs(120));
                String::new()
            }
            "RDEV" => {
                if !self.deaf {
                    self.reboot(Duration::from_secs(40));
                }
                String::new()
            }
            "STAM" | "STAT" if self.state() == 2 => {
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

    pub fn reboot(&mut self, time: Duration) {
        self.booted = Some(now() + time);
        self.measuring = None;
        self.stamp = None;
        self.layout = [true, true, true, false];
    }

    /// Its last result stays there.
    pub fn stop_by_hand(&mut self) {
        self.measuring = None;
    }

    fn is_testing(&self) -> bool {
        self.tested.is_some_and(|end| end > now())
    }

    fn result(&self, stamp: i64) -> String {
        let stamp = (self.prints)(stamp);
        let gas = |(cas, ppm): &(&'static str, &'static str)| {
            let fields = [stamp.as_str(), *cas, *ppm, "1"].map(str::to_owned);
            fields.into_iter().zip(self.layout).filter_map(|(field, shown)| shown.then_some(field)).collect::<Vec<_>>()
        };
        self.gases.iter().flat_map(gas).collect::<Vec<_>>().join(" ")
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
        if self.booted.is_some_and(|end| end > now()) {
            return 0;
        }
        if self.is_testing() {
            return 3;
        }
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
        let elapsed = self.elapsed().and_then(|elapsed| elapsed.checked_sub(self.result_delay)).unwrap_or_default();
        let done = u32::try_from(elapsed.as_micros() / self.cycle.as_micros()).unwrap();
        if done > self.results {
            self.stamp = Some(self.stamp.unwrap_or(self.first_stamp) + i64::from(done - self.results));
            self.results = done;
        }
    }
}

pub struct World {
    pub server: FakeServer,
    pub analyzer: Analyzer,
    pub owner: tokio::task::JoinHandle<()>,
    model: Arc<Mutex<Model>>,
    reports: mpsc::UnboundedReceiver<Report>,
    began: Instant,
    orders: u64,
}

pub fn settings(dial: Dial) -> AnalyzerSettings {
    AnalyzerSettings {
        dial,
        mode: SessionMode::Auto,
        poll: Duration::from_secs(1),
        idle_poll: Duration::from_secs(5),
        start_patience: Duration::from_secs(10),
        stop_patience: Duration::from_secs(30),
    }
}

/// Nothing here takes longer.
const LONG: Duration = Duration::from_secs(3600);

impl World {
    pub fn new(model: Model) -> Self {
        Self::with(model, |server| server)
    }

    pub fn with(model: Model, server: impl FnOnce(FakeServer) -> FakeServer) -> Self {
        let model = Arc::new(Mutex::new(model));
        let device = Arc::clone(&model);
        let server = server(FakeServer::new(move |request| device.lock().unwrap().answer(request)));
        let settings = settings(server.dial());
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
        self.prepare_if(IfMeasuring::Refuse).await
    }

    pub async fn prepare_if(&mut self, if_measuring: IfMeasuring) -> Result<AnalyzerAnswer, Fault> {
        let task = "DEFAULT".to_owned();
        self.carry_out(AnalyzerOrder::Prepare { task, save_on_device: true, if_measuring }).await
    }

    pub async fn serve(&mut self, line: &str) -> Result<AnalyzerAnswer, Fault> {
        self.carry_out(AnalyzerOrder::Serve(Service::Ak(ak(line)))).await
    }

    /// Somebody else starts a measurement.
    pub fn start_by_another(&self) {
        let mut model = self.model();
        model.measuring = Some(now());
        model.results = 0;
    }

    pub async fn start_measuring(&mut self) {
        self.prepare().await.unwrap();
        assert_eq!(self.carry_out(AnalyzerOrder::Start { task_id: 11 }).await, Ok(AnalyzerAnswer::Started));
    }
}

pub fn ak(line: &str) -> AkLine {
    let (code, data) = line.split_once(' ').unwrap_or((line, ""));
    AkLine { code: code.into(), data: data.into() }
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
