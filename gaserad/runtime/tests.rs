//! The loop with a real store, and a valve that notes where it was sent.

use std::io;
use std::sync::{Arc, Mutex};

use tempfile::TempDir;
use tokio::task::JoinHandle;

use super::*;
use crate::device::multiplexer::{BoxFuture, Multiplexer};
use crate::device::{AnalyzerSettings, Dial, SessionMode, Stream};
use crate::domain::{Channel, Fault, Position, ValveOrder, Verification};
use crate::store::{Circumstances, Disk, StoreWork};
use crate::stream::{self, support};

/// Where a valve was sent, in this order.
type Sent = Arc<Mutex<Vec<Channel>>>;

struct NotingValve(Sent);

impl Multiplexer for NotingValve {
    fn home(&mut self) -> BoxFuture<'_, Result<Position, Fault>> {
        self.go(Channel::HOME)
    }

    fn go(&mut self, to: Channel) -> BoxFuture<'_, Result<Position, Fault>> {
        self.0.lock().unwrap().push(to);
        Box::pin(async move { Ok(Position::At(to, Verification::HomedCount)) })
    }

    fn position(&mut self) -> BoxFuture<'_, Result<Position, Fault>> {
        Box::pin(async { Ok(Position::Unknown) })
    }
}

struct PromptDisk;

impl Disk for PromptDisk {
    fn delays(&self) -> (Duration, Duration) {
        (Duration::ZERO, Duration::ZERO)
    }

    fn most_pages(&self) -> u32 {
        u32::MAX - 1
    }

    fn free_bytes(&self) -> u64 {
        u64::MAX
    }
}

struct World {
    handle: Handle,
    store: Store,
    sent: Sent,
    runtime: JoinHandle<Result<(), StoreError>>,
    _folder: TempDir,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        // In place: time does not jump ahead while a thread of the store works.
        let work = StoreWork::Caller(Arc::new(PromptDisk));
        let (store, _) = Store::open_by(work, folder.path(), Circumstances::default()).unwrap();
        let clock = HostClock::new(Tick::ZERO, None, 1.0);
        let shared: Arc<dyn Clock> = Arc::new(clock.clone());
        let (sender, reports) = mpsc::unbounded_channel();
        let (analyzer, owner) = Analyzer::new(absent_analyzer(), shared.clone(), sender.clone());
        tokio::spawn(owner);
        let sent = Sent::default();
        let (valve, owner) = OwnedValve::new(Box::new(NotingValve(sent.clone())), shared, sender);
        tokio::spawn(owner);
        let (handle, runtime) = Runtime::new(RuntimeParts {
            clock,
            store: store.clone(),
            hub: support::hub(stream::Settings::default(), &support::Kept::new(), 0),
            analyzer,
            valve,
            reports,
            identity: RuntimeIdentity {
                analyzer_address: String::new(),
                driver: String::new(),
                channels: 31,
                simulated: false,
            },
            guard: None,
            min_free_bytes: 0,
            minds_the_clock: false,
            state: State::default(),
            began: Beginning::default(),
            seq: 0,
            run_ids: Box::new(new_run_id),
            gases: GasTable::default(),
            started: mpsc::unbounded_channel().0,
        });
        Self { handle, store, sent, runtime: tokio::spawn(runtime.run()), _folder: folder }
    }

    async fn send_valve_to(&self, channel: Channel) -> Result<(), domain::Denied> {
        self.handle.move_valve(ValveOrder::Goto(channel), "ada".into()).await
    }
}

fn absent_analyzer() -> AnalyzerSettings {
    let refused = || async { Err::<Box<dyn Stream>, _>(io::Error::from(io::ErrorKind::ConnectionRefused)) };
    AnalyzerSettings {
        dial: Dial::new("192.0.2.1:8888", refused),
        mode: SessionMode::Auto,
        poll: Duration::from_secs(1),
        idle_poll: Duration::from_secs(5),
        start_patience: Duration::from_secs(5),
        stop_patience: Duration::from_secs(5),
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_kept_is_not_done_and_nobody_is_told_that_it_was() {
    let world = World::new();
    let (second, third) = (Channel::new(2).unwrap(), Channel::new(3).unwrap());
    assert!(world.send_valve_to(second).await.is_ok());
    assert_eq!(*world.sent.lock().unwrap(), [second]);
    world.store.close().await;
    assert!(world.send_valve_to(third).await.is_err());
    assert!(world.runtime.await.unwrap().is_err(), "without a store the loop ends");
    // Whoever was ordered something has done it by then.
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(*world.sent.lock().unwrap(), [second]);
}
