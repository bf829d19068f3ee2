//! `[plan]`, `[pause]`, `[guard]`, `[channels]`, `[gases]` and `[site]`: how it is measured, what, and where.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use super::{hours, minutes, seconds};
use crate::config::gases::{color, formula, reference};
use crate::config::kind::{choice, flag, label, list, path, real, span, text, whole, words};
use crate::config::table::keys;
use crate::domain::{Cas, Channel, ChannelInfo, ChannelKind, GasFacts, Plan, Reaction, Reactions, Site, Sync};

keys! {
    /// What a start uses for whatever it does not say.
    struct PlanDefaults {
        /// How long a channel is purged before it counts.
        reload purge was "pause": Duration = span(Duration::ZERO..=Plan::MAX_DURATION).or(minutes(5));
        /// How long a channel is measured.
        reload measure: Duration = span(Plan::MIN_MEASURE..=Plan::MAX_DURATION).or(minutes(5));
        /// How often all channels are measured.
        reload repeats: u32 = whole(1..=Plan::MAX_REPEATS).or(1);
        /// "analyzer" leaves a channel at the end of a gas exchange, "dwell" after exactly these times.
        reload sync: Sync = choice().or(Sync::Analyzer);
        /// So many samples after each arrival on a channel are kept but not used, beside those of the purge.
        reload discard_first: u32 = whole(0..=Plan::MAX_DISCARD).or(0);
        /// With "analyzer", a channel like outside air can be measured again and again between the others: before the
        /// first one, and then after every 4 others.
        reload background: Option<u8> = whole(1..=Channel::MAX).optional().like("31");
        /// After how many other channels the background is measured again.
        reload background_every: Option<u8> = whole(1..=Channel::MAX).optional().like("4");
        /// With "analyzer", the valve may move on when a gas exchange is over, so that the next line is purged while
        /// the analyzer still works on the gas it has. false: it waits for the result.
        reload overlap: bool = flag().or(true);
        /// Where `gaseractl start NAME` finds NAME.toml, instead of plans below the state directory, and
        /// /etc/gaserad/plans.
        reload directory: Option<PathBuf> = path("/etc/gaserad/plans").optional().like("\"/etc/gaserad/plans\"");
    }
}

keys! {
    for Reactions {
        /// The analyzer reports errors that block measuring, or worse.
        restart analyzer_errors: Reaction = choice().or(Reaction::GoOn);
        /// Nobody knows where the valve stands.
        restart valve: Reaction = choice().or(Reaction::GoOn);
        /// This machine's clock was set.
        restart clock: Reaction = choice().or(Reaction::GoOn);
        /// No time service keeps this machine's clock right, as far as timedatectl knows.
        restart clock_unsynced: Reaction = choice().or(Reaction::GoOn);
        /// The disk is nearly full.
        restart disk: Reaction = choice().or(Reaction::GoOn);
    }
}

keys! {
    /// A condition that must hold before a visit begins.
    struct GuardSettings {
        /// A file that must not be there.
        restart file: Option<PathBuf> = path("/run/gaserad/hold").optional().like("\"/run/gaserad/hold\"");
        /// A command that must end with 0: the program and its arguments.
        restart command: Vec<String> = list("list of words", |word| Ok(word.to_owned()))
            .or(Vec::new()).like("[\"/usr/local/bin/is-dry\", \"--last\", \"10m\"]");
        /// How often it is asked again while it does not hold.
        restart every: Duration = span(seconds(1)..=hours(24)).or(minutes(1));
        /// How long the command may take.
        restart timeout: Duration = span(seconds(1)..=minutes(10)).or(seconds(10));
    }
}

keys! {
    for ChannelInfo {
        /// What the line is called.
        reload label: String = label().or(String::new()).like("\"barn north\"");
        /// What it is for: "sample", "background", "zero", "span" or "target".
        reload kind: ChannelKind = choice().or(ChannelKind::Sample);
        /// For flux calculations: the ground that a chamber covers.
        reload area_m2: Option<f64> = real(1e-6..=1e6).optional().like("0.25");
        /// What a chamber encloses, without its collar.
        reload volume_m3: Option<f64> = real(1e-9..=1e6).optional().like("0.05");
        /// How far the collar stands out of the ground.
        reload collar_offset_m: Option<f64> = real(-10.0..=10.0).optional().like("0.0");
        /// How long the tube to it is.
        reload tube_length_m: Option<f64> = real(0.0..=10_000.0).optional().like("30.0");
        /// How wide the tube is inside.
        reload tube_id_mm: Option<f64> = real(0.01..=1000.0).optional().like("4.0");
        /// What was done to the ground.
        reload treatment: String = words().or(String::new()).like("\"straw\"");
        /// The plot that it belongs to.
        reload plot: String = words().or(String::new()).like("\"A3\"");
        /// Where it is: degrees north.
        reload lat: Option<f64> = real(-90.0..=90.0).optional().like("52.4");
        /// Degrees east.
        reload lon: Option<f64> = real(-180.0..=180.0).optional().like("13.1");
        /// Anything else.
        reload note: String = words().or(String::new()).like("\"moved in March\"");
        /// A gas whose content is known, in ppm, where kind is "zero", "span" or "target": `gaseractl runs drift`
        /// compares what is measured with that.
        reload reference: BTreeMap<Cas, f64> = reference().or(BTreeMap::new()).quiet();
    }
}

keys! {
    /// What plans do otherwise on one channel.
    struct ChannelTimes {
        /// How long it is purged, if not as long as the others.
        reload purge was "pause": Option<Duration> = span(Duration::ZERO..=Plan::MAX_DURATION)
            .optional().like("\"10m\"");
        /// How long it is measured.
        reload measure: Option<Duration> = span(Plan::MIN_MEASURE..=Plan::MAX_DURATION).optional().like("\"5m\"");
        /// How many iterations it is measured, instead of a time.
        reload iterations: Option<u32> = whole(1..=Plan::MAX_ITERATIONS).optional().like("3");
        /// So many samples after each arrival on it are kept but not used.
        reload discard_first: Option<u32> = whole(0..=Plan::MAX_DISCARD).optional().like("1");
    }
}

keys! {
    /// What plans do otherwise for one gas.
    struct GasTimes {
        /// So many readings of it after each arrival on a channel are kept but not used.
        restart discard_first: u32 = whole(0..=Plan::MAX_DISCARD).or(0);
    }
}

keys! {
    for GasFacts {
        /// What names its column in files (c6h6_ppm).
        restart formula: Option<String> = text("formula", formula).optional().like("\"C6H6\"");
        /// How it is called.
        restart name: Option<String> = label().optional().like("\"Benzene\"");
        /// In which color it is drawn.
        restart color: Option<String> = text("color", color).optional().like("\"#8c6d31\"");
        /// In g/mol.
        restart molar_mass_g_mol as "molar_mass": Option<f64> = real(1.0..=1000.0).optional().like("78.11");
    }
}

keys! {
    for Site {
        /// What it is called.
        reload name: String = label().or(String::new()).like("\"Barn 4\"");
        /// Its identifier in a network.
        reload id: String = label().or(String::new()).like("\"DE-Bn4\"");
        /// Who measures.
        reload institution: String = label().or(String::new()).like("\"Institute of Agricultural Engineering\"");
        /// The institution in the Research Organization Registry.
        reload ror: String = label().or(String::new()).like("\"https://ror.org/0example0\"");
        /// Whom to ask.
        reload contact: String = label().or(String::new()).like("\"ada@lab.example\"");
        /// On which terms the data may be used.
        reload license: String = label().or(String::new()).like("\"CC-BY-4.0\"");
        /// Degrees north.
        reload lat: Option<f64> = real(-90.0..=90.0).optional().like("52.4");
        /// Degrees east.
        reload lon: Option<f64> = real(-180.0..=180.0).optional().like("13.1");
        /// Above the sea.
        reload altitude_m: Option<f64> = real(-500.0..=9000.0).optional().like("80.0");
    }
}
