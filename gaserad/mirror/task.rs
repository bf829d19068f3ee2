//! What watches the mounts and the runs, and has the worker do what is to be done.

use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::{Sleep, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::MirrorPlaces;
use super::mounts::{Mount, Mounts, mount_of};
use super::worker::{Complete, MirrorDone, MirrorFigures, MirrorJob, Worker};
use crate::domain::{MirrorState, MirrorStatus, UsbEvent, UsbNews};
use crate::store::Changes;

/// Between two passes, so that a drive is not written to all the time.
const PAUSE: Duration = Duration::from_millis(500);
/// After it failed, while it is still there.
const RETRY: Duration = Duration::from_secs(30);
/// How long the end of the daemon waits for the drive.
const LAST: Duration = Duration::from_secs(5);

pub(super) struct MirrorTask {
    settings: MirrorPlaces,
    changes: Arc<Changes>,
    told: mpsc::UnboundedSender<UsbNews>,
    status: watch::Sender<MirrorStatus>,
    figures: watch::Receiver<MirrorFigures>,
    mounts: Mounts,
    jobs: mpsc::Sender<MirrorJob>,
    done: mpsc::Receiver<MirrorDone>,
    place: MirrorPlace,
    /// How often something else was there, or nothing.
    visit: u64,
    /// What the worker is about.
    under_way: Option<Arc<AtomicBool>>,
    /// Nothing is begun before this is over.
    rest: Pin<Box<Sleep>>,
    /// The drive has to be looked through.
    is_due: bool,
}

/// What is where the copy is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
enum MirrorPlace {
    Absent,
    /// On this mount; `None` where that does not matter.
    There(Option<Mount>),
}

impl MirrorTask {
    pub(super) fn new(
        settings: MirrorPlaces,
        changes: Arc<Changes>,
        told: mpsc::UnboundedSender<UsbNews>,
    ) -> std::io::Result<(Self, watch::Receiver<MirrorStatus>, Complete)> {
        let directory = settings.directory.display().to_string();
        let (status, seen) = watch::channel(MirrorStatus { directory, ..MirrorStatus::default() });
        let (figures_in, figures) = watch::channel(MirrorFigures::default());
        let complete = Complete::default();
        let (jobs, inbox) = mpsc::channel(1);
        let (done_in, done) = mpsc::channel(1);
        let worker = Worker::new(settings.clone(), changes.clone(), figures_in, complete.clone());
        std::thread::Builder::new().name("mirror".into()).spawn(move || worker.run(inbox, &done_in))?;
        let mounts = Mounts::watch()?;
        let task = Self {
            settings,
            changes,
            told,
            status,
            figures,
            mounts,
            jobs,
            done,
            place: MirrorPlace::Absent,
            visit: 0,
            under_way: None,
            rest: Box::pin(sleep(Duration::ZERO)),
            is_due: false,
        };
        Ok((task, seen, complete))
    }

    pub(super) async fn run(mut self, stop: CancellationToken) {
        self.place = self.find();
        self.begin_anew();
        while self.once(&stop).await {}
        self.finish().await;
    }

    /// Waits for what comes next, and does that; whether there is more to come.
    async fn once(&mut self, stop: &CancellationToken) -> bool {
        let is_there = self.place != MirrorPlace::Absent;
        let may_begin = is_there && self.under_way.is_none();
        let (is_due, rest, changes) = (self.is_due, &mut self.rest, &self.changes);
        let wanted = async {
            rest.await;
            if !is_due {
                changes.wait().await;
            }
        };
        tokio::select! {
            biased;
            () = stop.cancelled() => return false,
            news = self.mounts.changed() => match news {
                Ok(()) => self.look(),
                Err(error) => {
                    tracing::error!(%error, "mounts cannot be watched any more; nothing is mirrored from now on");
                    return false;
                }
            },
            Some(done) = self.done.recv() => self.done(done),
            Ok(()) = self.figures.changed() => self.show(|_| {}),
            () = wanted, if may_begin => self.begin().await,
        }
        true
    }

    /// Where the copy is to be, as it is now.
    fn find(&self) -> MirrorPlace {
        if !self.settings.require_mount {
            return MirrorPlace::There(None);
        }
        let table = Mounts::read().unwrap_or_default();
        let mount = mount_of(&table, &self.settings.directory);
        let ours = mount_of(&table, &self.settings.state).map(|mount| mount.id);
        let is_drive = |mount: &Mount| mount.point != Path::new("/") && Some(mount.id) != ours;
        mount.filter(is_drive).map_or(MirrorPlace::Absent, |mount| MirrorPlace::There(Some(mount)))
    }

    /// Something was mounted or unmounted.
    fn look(&mut self) {
        let found = self.find();
        if found == self.place {
            return;
        }
        let was_there = std::mem::replace(&mut self.place, found) != MirrorPlace::Absent;
        self.give_up();
        self.begin_anew();
        if was_there {
            let text = format!("the drive of the mirror is gone from {}", self.settings.directory.display());
            self.tell(false, UsbEvent::Unmounted, text);
        }
        if self.place != MirrorPlace::Absent {
            let text =
                format!("a drive is mounted at {}, and is brought up to date", self.settings.directory.display());
            self.tell(true, UsbEvent::Mounted, text);
        }
    }

    /// Of the drive that is there, or is not, nothing is known yet.
    fn begin_anew(&mut self) {
        let mounted = self.place != MirrorPlace::Absent;
        self.visit += 1;
        self.is_due = mounted;
        self.rest = Box::pin(sleep(Duration::ZERO));
        self.show(|status| {
            status.mounted = mounted;
            status.fault.clear();
            status.state = if mounted { MirrorState::Behind } else { MirrorState::Absent };
        });
    }

    fn give_up(&self) {
        if let Some(cancel) = &self.under_way {
            cancel.store(true, Ordering::Relaxed);
        }
    }

    async fn begin(&mut self) {
        let MirrorPlace::There(mount) = self.place.clone() else { return };
        let cancel = Arc::new(AtomicBool::new(false));
        if self.jobs.send(MirrorJob { mount, visit: self.visit, cancel: cancel.clone() }).await.is_ok() {
            self.under_way = Some(cancel);
            self.is_due = false;
        }
    }

    fn done(&mut self, done: MirrorDone) {
        let given_up = self.under_way.take().is_some_and(|cancel| cancel.load(Ordering::Relaxed));
        // What went wrong may have gone wrong because it was taken away.
        self.look();
        if given_up || self.place == MirrorPlace::Absent || self.is_due {
            self.is_due |= self.place != MirrorPlace::Absent;
            return;
        }
        self.rest = Box::pin(sleep(PAUSE));
        match done {
            MirrorDone::Current => self.is_current(),
            MirrorDone::Cancelled => self.is_due = true,
            MirrorDone::Failed(why) => self.failed(&why, true),
            MirrorDone::NoDrive(why) => self.failed(&why, false),
        }
    }

    fn is_current(&mut self) {
        let was = self.status.borrow().state;
        self.show(|status| {
            status.state = MirrorState::Current;
            status.fault.clear();
        });
        if was != MirrorState::Current {
            let text = format!("{} has all run folders", self.settings.directory.display());
            self.tell(true, UsbEvent::CaughtUp, text);
        }
    }

    fn failed(&mut self, why: &str, mounted: bool) {
        self.rest = Box::pin(sleep(RETRY));
        self.is_due = true;
        let is_news = self.status.borrow().fault.is_empty();
        self.show(|status| {
            status.mounted = mounted;
            status.state = if mounted { MirrorState::Behind } else { MirrorState::Absent };
            why.clone_into(&mut status.fault);
        });
        if is_news && mounted {
            let text = format!("the mirror on {} is behind: {why}", self.settings.directory.display());
            tracing::warn!("{text}");
            self.tell(true, UsbEvent::Failed, text);
        }
    }

    fn show(&mut self, change: impl FnOnce(&mut MirrorStatus)) {
        let figures = self.figures.borrow_and_update().clone();
        self.status.send_if_modified(|status| {
            let before = status.clone();
            change(status);
            (status.free_bytes, status.total_bytes) = figures.space.filter(|_| status.mounted).unzip();
            (status.behind_files, status.behind_bytes) = match status.state {
                MirrorState::Behind => (figures.behind_files, figures.behind_bytes),
                MirrorState::Absent | MirrorState::Current => (0, 0),
            };
            *status != before
        });
    }

    fn tell(&self, mounted: bool, event: UsbEvent, text: String) {
        let free_bytes = self.status.borrow().free_bytes;
        let directory = self.settings.directory.display().to_string();
        // Whoever listened has ended before us.
        let _ = self.told.send(UsbNews { mounted, event, directory, free_bytes, text });
    }

    /// What was measured last is copied too, if the drive is quick.
    async fn finish(mut self) {
        let healthy = self.place != MirrorPlace::Absent && self.status.borrow().fault.is_empty();
        if healthy && timeout(LAST, self.last()).await.is_err() {
            tracing::warn!("the mirror is behind; it is brought up to date after the next start");
        }
        self.give_up();
    }

    async fn last(&mut self) {
        if self.under_way.is_some() && self.done.recv().await.is_none() {
            return;
        }
        self.begin().await;
        // That there is an answer is enough.
        let _ = self.done.recv().await;
    }
}
