//! The mirror among the other parts: what happens to its drive is kept and told like everything else.

use std::time::Duration;

use tokio::sync::{Mutex, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::config::Settings;
use crate::domain::{Event, Severity, UsbEvent, UsbNews};
use crate::mirror::{self, Mirror};
use crate::runtime::Handle;
use crate::store::{Batch, Store};

/// It gives up on a slow drive before this by itself.
const END: Duration = Duration::from_secs(8);

/// The mirror that there is to be, if there is.
pub(super) struct Mirroring {
    store: Store,
    handle: Handle,
    at_work: Mutex<Option<MirrorAtWork>>,
    mirror: watch::Sender<Option<Mirror>>,
}

struct MirrorAtWork {
    copying: JoinHandle<()>,
    telling: JoinHandle<()>,
    stop: CancellationToken,
}

impl Mirroring {
    pub async fn start(settings: &Settings, store: Store, handle: Handle) -> Self {
        let (at_work, mirror) = (Mutex::default(), watch::Sender::new(None));
        let mirroring = Self { store, handle, at_work, mirror };
        mirroring.begin(settings, &mut *mirroring.at_work.lock().await);
        mirroring
    }

    /// The mirror at work.
    pub fn mirror(&self) -> watch::Receiver<Option<Mirror>> {
        self.mirror.subscribe()
    }

    /// Another mirror, or none, takes the place of this one.
    pub async fn change(&self, settings: &Settings) {
        let mut at_work = self.at_work.lock().await;
        end(at_work.take()).await;
        self.mirror.send_replace(None);
        self.handle.show_mirror(None).await;
        self.begin(settings, &mut at_work);
    }

    /// When nothing is committed any more: copies what is left, and ends.
    pub async fn stop(&self) {
        end(self.at_work.lock().await.take()).await;
    }

    fn begin(&self, settings: &Settings, at_work: &mut Option<MirrorAtWork>) {
        let Some(wanted) = &settings.mirror else { return };
        let places = mirror::MirrorPlaces {
            runs: self.store.folders().to_owned(),
            state: settings.store.directory.clone(),
            directory: wanted.directory.clone(),
            require_mount: wanted.require_mount,
        };
        let (told, news) = mpsc::unbounded_channel();
        let stop = CancellationToken::new();
        match Mirror::start(places, self.store.changes(), told, stop.clone()) {
            Ok((mirror, copying)) => {
                let telling = tokio::spawn(tell(mirror.clone(), news, self.handle.clone()));
                *at_work = Some(MirrorAtWork { copying, telling, stop });
                self.mirror.send_replace(Some(mirror));
            }
            Err(error) => tracing::error!("nothing is mirrored: mounts cannot be watched: {error}"),
        }
    }
}

async fn end(at_work: Option<MirrorAtWork>) {
    let Some(MirrorAtWork { copying, telling, stop }) = at_work else { return };
    stop.cancel();
    if timeout(END, copying).await.is_err() {
        tracing::error!("the mirror does not end");
    }
    if timeout(END, telling).await.is_err() {
        tracing::error!("what became of the mirror cannot be told");
    }
}

/// Until either side has ended.
async fn tell(mut mirror: Mirror, mut news: mpsc::UnboundedReceiver<UsbNews>, handle: Handle) {
    handle.show_mirror(Some(mirror.status())).await;
    loop {
        tokio::select! {
            biased;
            Some(news) = news.recv() => {
                handle.show_mirror(Some(mirror.status())).await;
                if handle.keep(Batch { events: events(news), ..Batch::default() }).await.is_err() {
                    return;
                }
            }
            Some(status) = mirror.changed() => handle.show_mirror(Some(status)).await,
            else => return,
        }
    }
}

fn events(news: UsbNews) -> Vec<Event> {
    let alarm = (news.event == UsbEvent::Failed).then(|| Event::Alarm {
        severity: Severity::Warning,
        code: "mirror_failed".into(),
        text: news.text.clone(),
        run_id: None,
    });
    [Event::Usb(news)].into_iter().chain(alarm).collect()
}
