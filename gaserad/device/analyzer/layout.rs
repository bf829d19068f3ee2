//! The fields that a result is read by. They are set at every new contact, but any other program may set others at any
//! time, and nothing in a reply says which were in force: a reply that does not fit, or that might be of another layout
//! that looks the same, is not believed. The layout is then set back and the result read again.
//!
//! Of all layouts only one passes for ours: time, CAS number and inlet. Inlets are small whole numbers, so a result that
//! has nothing else is asked for a second time.

use super::AnalyzerOwner;
use super::fault::SessionError;
use crate::ak::{Command, Error};
use crate::domain::{AnalyzerNews, Sample, Tick};

/// No sampler has more inlets.
const MOST_INLETS: f64 = 99.0;
/// Of a reply that cannot be read, in characters.
const LONGEST_TOLD: usize = 4096;

/// One reading of the results: empty if there is none yet.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Readout {
    pub samples: Vec<Sample>,
    pub asked: Tick,
    pub read: Tick,
}

/// What is wrong with a reading.
#[derive(Debug)]
enum Doubt {
    /// It cannot be of our layout. The reply, as it came.
    Misfit(String),
    /// It holds nothing, although there was a result before, or there should be one now.
    Empty,
    /// The concentrations may be inlets.
    Inlets,
}

impl AnalyzerOwner {
    /// `false` if this firmware has one layout only.
    pub(super) async fn assert_layout(&mut self) -> Result<bool, SessionError> {
        let set = self.probe(&Command::LAYOUT).await?.is_some();
        self.track.layout_in_doubt = false;
        Ok(set)
    }

    /// The results; `None` if they cannot be read.
    pub(super) async fn ask_results(&mut self) -> Result<Option<Readout>, SessionError> {
        if self.track.layout_in_doubt {
            self.assert_layout().await?;
        }
        let (first, doubt) = self.ask_results_once().await?;
        let Some(doubt) = doubt else {
            self.unreadable.clear();
            return Ok(Some(first));
        };
        tracing::warn!("results are set back to time, CAS number and concentration: {doubt:?}");
        self.assert_layout().await?;
        let (mut second, still) = self.ask_results_once().await?;
        if let Some(Doubt::Misfit(reply)) = still {
            self.tell_unreadable(&reply);
            return Ok(None);
        }
        self.unreadable.clear();
        let stamps = |readout: &Readout| readout.samples.iter().map(|sample| sample.stamp).collect::<Vec<_>>();
        if !second.samples.is_empty() && stamps(&second) == stamps(&first) {
            (second.asked, second.read) = (first.asked, first.read);
        }
        Ok(Some(second))
    }

    async fn ask_results_once(&mut self) -> Result<(Readout, Option<Doubt>), SessionError> {
        let asked = self.now();
        let reply = self.ask(&Command::Results).await?;
        let read = self.now();
        let (samples, doubt) = match reply.results() {
            // A refusal means that there is no result yet, or none any more since it was started anew.
            Err(Error::Refused { .. }) => {
                self.track.layout_in_doubt = self.results.any();
                (Vec::new(), None)
            }
            Err(_) => (Vec::new(), Some(Doubt::Misfit(reply.raw))),
            Ok(samples) => {
                let doubt = self.doubt(&samples);
                (samples, doubt)
            }
        };
        Ok((Readout { samples, asked, read }, doubt))
    }

    /// The analyzer gives its last result again and again: each is told once.
    fn tell_unreadable(&mut self, reply: &str) {
        let reply: String = reply.chars().take(LONGEST_TOLD).collect();
        if self.unreadable != reply {
            tracing::warn!("a result cannot be read: {reply:?}");
            self.news(AnalyzerNews::ResultsUnreadable { reply: reply.clone() });
            self.unreadable = reply;
        }
    }

    fn doubt(&self, samples: &[Sample]) -> Option<Doubt> {
        if samples.is_empty() {
            return (self.results.any() || self.track.expects_a_result()).then_some(Doubt::Empty);
        }
        let new = samples.iter().any(|sample| !self.results.knows(sample));
        (new && samples.iter().all(may_be_inlets)).then_some(Doubt::Inlets)
    }
}

fn may_be_inlets(sample: &Sample) -> bool {
    let small = |ppm: f64| ppm.fract() == 0.0 && (0.0..=MOST_INLETS).contains(&ppm);
    sample.readings.iter().all(|reading| reading.ppm.is_none_or(small))
}
