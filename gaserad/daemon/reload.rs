//! Takes a changed configuration while the daemon runs: on SIGHUP, and when somebody asks.
//!
//! All of it is read before anything is changed, with the files that it names. A mistake refuses the whole. What cannot
//! change under way stays as it was, and is told. A run keeps the labels that it began with.

use std::sync::Arc;

use tokio::signal::unix::Signal;
use tokio::sync::{Mutex, watch};

use super::access::Material;
use super::circumstances;
use super::mirroring::Mirroring;
use super::sd_notify_best_effort;
use crate::api::tls::Certificate;
use crate::api::{AccessInEffect, Ledger};
use crate::config::{ConfigError, Reloaded, SettingChange, Settings, reloaded};
use crate::domain::{Denied, Reason};
use crate::runtime::Handle;
use crate::store::{Audit, Store};
use crate::stream::Hub;

/// The settings in effect.
pub(super) type InEffect = watch::Receiver<Arc<Settings>>;

/// What the daemon is started from, and can turn to again.
#[derive(Clone)]
pub struct Surroundings {
    /// Reads the configuration.
    pub read: Arc<dyn Fn() -> Result<Settings, ConfigError> + Send + Sync>,
    /// Sets how much is logged.
    pub log: Arc<dyn Fn(&str) + Send + Sync>,
}

impl Surroundings {
    /// Settings that stay as they are.
    pub fn fixed(settings: &Settings) -> Self {
        let settings = settings.clone();
        Self { read: Arc::new(move || Ok(settings.clone())), log: Arc::new(|_| {}) }
    }

    /// Reads the configuration for the first time.
    pub(super) fn begin(&self) -> Result<Settings, ConfigError> {
        let settings = (self.read)()?;
        (self.log)(&settings.log.level);
        settings.warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
        Ok(settings)
    }
}

pub(super) struct Reloader {
    pub surroundings: Surroundings,
    pub settings: watch::Sender<Arc<Settings>>,
    pub access: Arc<AccessInEffect>,
    /// What listeners beyond the loopback interface show.
    pub certificate: Option<Certificate>,
    pub handle: Handle,
    pub hub: Arc<Hub>,
    pub store: Store,
    pub mirroring: Mirroring,
    pub ledger: Arc<dyn Ledger>,
    pub one_at_a_time: Mutex<()>,
    /// Heard from before anybody is told that the daemon serves.
    pub hangups: Mutex<Signal>,
}

impl Reloader {
    /// Reloads at each SIGHUP; never ends.
    pub async fn reload_on_hangup(&self) {
        let mut hangups = self.hangups.lock().await;
        while hangups.recv().await.is_some() {
            let told = match self.reload("SIGHUP").await {
                Ok(_) => "the configuration was reloaded".to_owned(),
                Err(denied) => denied.text.replace('\n', "; "),
            };
            sd_notify_best_effort(&[sd_notify::NotifyState::Status(&told)]);
        }
        std::future::pending::<()>().await;
    }

    /// Reads the configuration again, and takes of it what can be taken.
    pub async fn reload(&self, who: &str) -> Result<Reloaded, Denied> {
        let _alone = self.one_at_a_time.lock().await;
        let done = self.take_up().await;
        let result = match &done {
            Ok(reloaded) => summary(reloaded),
            Err(denied) => format!("refused: {}", denied.text.replace('\n', "; ")),
        };
        if done.is_ok() {
            tracing::info!(who, "config reload: {result}");
        } else {
            tracing::error!(who, "config reload: {result}");
        }
        self.ledger.note(Audit { who: who.to_owned(), what: "config reload".into(), result });
        done
    }

    async fn take_up(&self) -> Result<Reloaded, Denied> {
        let internal = |text: String| Denied::new(Reason::Internal, text);
        let (surroundings, now) = (self.surroundings.clone(), self.settings.borrow().clone());
        let reading = move || {
            let reloaded = reloaded(&now, &(surroundings.read)()?);
            let material = Material::need(&reloaded.settings)?;
            Ok::<_, ConfigError>((reloaded, material))
        };
        let read = tokio::task::spawn_blocking(reading).await.map_err(|error| internal(error.to_string()))?;
        let (mut reloaded, material) = read.map_err(|mistakes| {
            Denied::new(Reason::RequestInvalid, format!("nothing was reloaded, and all goes on as before:\n{mistakes}"))
        })?;
        let settings = Arc::new(reloaded.settings.clone());
        self.store.describe(circumstances::of(&settings)).await.map_err(|error| internal(error.to_string()))?;
        for key in self.show(material, &settings) {
            if reloaded.changed.iter().all(|change| change.key != key) {
                reloaded.changed.push(other_content(key));
            }
        }
        self.hub.set(settings.stream.clone());
        self.store.spare(settings.min_free_bytes());
        self.handle.spare(settings.min_free_bytes()).await;
        (self.surroundings.log)(&settings.log.level);
        settings.warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
        let other_mirror = self.settings.borrow().mirror != settings.mirror;
        self.settings.send_replace(settings.clone());
        if other_mirror {
            self.mirroring.change(&settings).await;
        }
        Ok(reloaded)
    }

    /// Lets in by what was read; which of the files had other content.
    fn show(&self, material: Material, settings: &Settings) -> Vec<&'static str> {
        let mut others = Vec::new();
        if let (Some(shown), Some(read)) = (&self.certificate, &material.certificate)
            && shown.show(read)
        {
            others.push("listen.tls_cert");
        }
        let before = self.access.get();
        let access = material.access(settings, before.cookies.clone());
        if access.tokens != before.tokens {
            others.push("auth.tokens");
        }
        self.access.replace(access);
        others
    }
}

/// Of a secret no more is told than that it is another one.
fn other_content(key: &str) -> SettingChange {
    SettingChange { key: key.to_owned(), was: None, is: Some("other content".into()) }
}

fn summary(reloaded: &Reloaded) -> String {
    let keys = |changes: &[SettingChange]| {
        let keys: Vec<&str> = changes.iter().map(|change| change.key.as_str()).collect();
        if keys.is_empty() { "nothing".into() } else { keys.join(", ") }
    };
    format!("changed: {}; needs a restart: {}", keys(&reloaded.changed), keys(&reloaded.needs_restart))
}
