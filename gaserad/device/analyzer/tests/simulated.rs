//! The owner on the bytes of the simulated plant, with another client beside it.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;

use super::model::{ak, results, settings, stamps};
use super::{MINUTE, SECOND};
use crate::device::{Analyzer, Dial, Report, Stream};
use crate::domain::instrument::{Inquiry, SelfTest, Told};
use crate::domain::{AnalyzerAnswer, AnalyzerNews, AnalyzerOrder, CommandId, IfMeasuring, Service};
use crate::simulator::tests::{Sink, simulator, test_clock};
use crate::simulator::{Faults, Simulator};

struct Plant {
    simulator: Simulator,
    truth: Sink,
    analyzer: Analyzer,
    reports: mpsc::UnboundedReceiver<Report>,
}

impl Plant {
    fn new(faults: Faults) -> Self {
        let (simulator, truth) = simulator(faults);
        let connected = simulator.clone();
        let dial = Dial::new("simulated", move || {
            let stream = connected.connect_analyzer();
            async move { Ok(Box::new(stream) as Box<dyn Stream>) }
        });
        let (tell, reports) = mpsc::unbounded_channel();
        let (analyzer, owner) = Analyzer::new(settings(dial), test_clock(1), tell);
        tokio::spawn(owner);
        Self { simulator, truth, analyzer, reports }
    }

    async fn carry_out(&mut self, order: AnalyzerOrder) -> AnalyzerAnswer {
        self.analyzer.order(CommandId(1), order);
        loop {
            if let Report::AnalyzerDid { answer, .. } = self.reports.recv().await.unwrap() {
                return answer.unwrap();
            }
        }
    }

    async fn measure(&mut self) {
        let (task, if_measuring) = ("DEFAULT".to_owned(), IfMeasuring::Refuse);
        self.carry_out(AnalyzerOrder::Prepare { task, save_on_device: false, if_measuring }).await;
        self.carry_out(AnalyzerOrder::Start { task_id: 11 }).await;
    }

    async fn listen(&mut self, time: Duration) -> Vec<AnalyzerNews> {
        tokio::time::sleep(time).await;
        let mut news = Vec::new();
        while let Ok(report) = self.reports.try_recv() {
            if let Report::Analyzer(told) = report {
                news.push(told);
            }
        }
        news
    }

    /// What another client does on a connection of its own.
    async fn another_client(&self, request: &str) {
        let mut stream = self.simulator.connect_analyzer();
        stream.write_all(format!("\x02 {request} \x03").as_bytes()).await.unwrap();
        stream.read_u8().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn every_result_of_the_plant_is_read_once_and_as_it_is_whatever_another_client_does() {
    for faults in [Faults::default(), Faults { junk: true, close_after_reply: true, ..Faults::default() }] {
        let mut plant = Plant::new(faults);
        plant.measure().await;
        let mut news = Vec::new();
        for layout in ["1 1 0", "0 1 1", "1 1 1 1", "1 1 0 1", "0 0 0", "1 0 1", "1 1 1", "0 1 0 1"] {
            plant.another_client(&format!("SCON K0 {layout}")).await;
            news.extend(plant.listen(MINUTE).await);
        }
        let truth: Vec<i64> = plant.truth.truth().iter().map(|truth| truth.stamp).collect();
        assert!(truth.len() >= 7);
        assert_eq!(stamps(&news), truth);
        for read in results(&news) {
            let gases = read.sample.readings.len();
            assert!(gases > 1 && read.sample.readings.iter().all(|reading| reading.ppm.is_some()), "{read:?}");
            assert_eq!(read.sample.raw.split(' ').count(), 2 + 3 * gases, "{}", read.sample.raw);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_plant_is_asked_while_it_measures() {
    let mut plant = Plant::new(Faults { clock_offset_ms: -3_600_250, ..Faults::default() });
    plant.measure().await;
    plant.listen(10 * SECOND).await;
    let Told::Clock(clock) = plant.analyzer.inquire(Inquiry::Clock).await.unwrap() else { panic!() };
    assert!(clock.offset_ms.abs_diff(-3_600_250) < 50, "{clock:?}");
    let Told::Tasks(tasks) = plant.analyzer.inquire(Inquiry::Tasks).await.unwrap() else { panic!() };
    assert!(tasks.tasks.iter().any(|task| task.name == "DEFAULT" && task.confirmed), "{tasks:?}");
    let raw = plant.analyzer.inquire(Inquiry::Ak(ak("ASTS"))).await;
    assert_eq!(raw, Ok(Told::Ak("ASTS 0 5".into())));
}

#[tokio::test(start_paused = true)]
async fn no_fault_of_the_line_loses_a_result_or_looks_like_an_outage() {
    let lines = [
        "reply_byte_by_byte = true",
        "junk = true\nunsolicited = { every = 7 }",
        "reply_stalls = { after = \"30s\", every = 50 }",
        "reset = { after = \"30s\", every = 5 }",
        "reset = { after = \"30s\", every = 3 }\nclose_after_reply = true",
        "slow_reply = \"150ms\"\nreply_stalls = { after = \"70s\", every = 90 }",
    ];
    for line in lines {
        let mut plant = Plant::new(Faults::parse(line).unwrap());
        plant.measure().await;
        let news = plant.listen(10 * MINUTE).await;
        plant.simulator.catch_up();
        let truth: Vec<i64> = plant.truth.truth().iter().map(|truth| truth.stamp).collect();
        assert!(truth.len() >= 10, "{line}");
        assert_eq!(stamps(&news), truth[..stamps(&news).len()], "{line}");
        assert!(stamps(&news).len() + 1 >= truth.len(), "{line}: the last one may still be on its way");
        let gone = news.iter().any(|told| matches!(told, AnalyzerNews::Offline { .. }));
        assert!(!gone, "{line}: {news:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_plant_is_tested_and_restarted() {
    let mut plant = Plant::new(Faults::parse("boot_time = \"20s\"").unwrap());
    plant.listen(SECOND).await;
    let AnalyzerAnswer::Served(text) = plant.carry_out(AnalyzerOrder::Serve(Service::SelfTest)).await else { panic!() };
    assert!(text.contains("its self-test runs"), "{text}");
    plant.listen(5 * MINUTE).await;
    let result = plant.analyzer.inquire(Inquiry::SelfTest).await;
    assert_eq!(result, Ok(Told::SelfTest(SelfTest::Passed)));
    let AnalyzerAnswer::Served(text) = plant.carry_out(AnalyzerOrder::Serve(Service::Ak(ak("RDEV")))).await else {
        panic!()
    };
    assert!(text.contains("it restarts"), "{text}");
    plant.listen(5 * MINUTE).await;
    plant.measure().await;
    assert_eq!(stamps(&plant.listen(2 * MINUTE).await).len(), 2);
}
