//! The mirror among the other parts: what happens to its drive is kept and told like everything else.

use std::time::Duration;

use tokio::sync::mpsc;
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

/// A mirror at work.
pub(super) struct Mirroring {
    pub mirror: Mirror,
    copying: JoinHandle<()>,
    stop: CancellationToken,
}

impl Mirroring {
    /// If there is to be one.
    pub fn start(settings: &Settings, store: &Store, handle: Handle) -> Option<Self> {
        let wanted = settings.store.mirror.as_ref()?;
        let places = mirror::MirrorSettings {
            runs: store.folders().to_owned(),
            state: settings.store.directory.clone(),
            directory: wanted.directory.clone(),
            require_mount: wanted.require_mount,
        };
        let (told, news) = mpsc::unbounded_channel();
        let stop = CancellationToken::new();
        let started = Mirror::start(places, store.changes(), told, stop.clone());
        let (mirror, copying) = started
            .inspect_err(|error| tracing::error!("nothing is mirrored: mounts cannot be watched: {error}"))
            .ok()?;
        tokio::spawn(tell(mirror.clone(), news, handle));
        Some(Self { mirror, copying, stop })
    }

    /// When nothing is committed any more: copies what is left, and ends.
    pub async fn stop(self) {
        self.stop.cancel();
        if timeout(END, self.copying).await.is_err() {
            tracing::error!("the mirror does not end");
        }
    }
}

/// Until either side has ended.
async fn tell(mut mirror: Mirror, mut news: mpsc::UnboundedReceiver<UsbNews>, handle: Handle) {
    handle.show_mirror(mirror.status()).await;
    loop {
        tokio::select! {
            biased;
            Some(news) = news.recv() => {
                handle.show_mirror(mirror.status()).await;
                if handle.keep(Batch { events: events(news), ..Batch::default() }).await.is_err() {
                    return;
                }
            }
            Some(status) = mirror.changed() => handle.show_mirror(status).await,
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
