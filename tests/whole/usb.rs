//! A USB drive that is pulled at random instants of a run, again and again: in a mount namespace that only the daemon is in.
//!
//! `PULLS=100 cargo test --test tests usb:: -- --nocapture` pulls so often in all; `SEED=…` draws other instants.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::channel;
use std::time::Duration;

use serde_json::Value;

use super::disk::{may_mount, seen_by, unshared};
use super::evidence::assert_sound;
use super::lab::{Design, Lab};
use super::verdict::{assert_complete, assert_true, exported};

const START: &[&str] = &["start", "--channels", "1-3", "--repeats", "400", "--pause", "6s", "--measure", "20s"];
const DESIGN: Design = Design {
    scale: 100,
    faults: "",
    analyzer: "",
    elsewhere: None,
    multiplexer: super::lab::Multiplexer::Vici,
    store: "[store.mirror]\ndirectory = \"FOLDER/media/gasera\"",
    disk: None,
    drive: Some("16m"),
};
const PULLS_IN_A_RUN: u64 = 25;

/// The same command where a drive of that size can be mounted at `media`: it is at `stick`, wherever else it is.
pub fn with_drive(command: &Command, folder: &Path, size: &str) -> Command {
    let script =
        "mkdir -p \"$1/stick\" \"$1/media\"; mount -t tmpfs -o size=\"$0\" none \"$1/stick\"; shift; exec \"$@\"";
    let mut mounted = unshared(script);
    mounted.arg(size).arg(folder).arg(command.get_program()).args(command.get_args());
    mounted
}

/// The drive of a lab's daemon.
struct Drive<'a>(&'a Lab);

impl Drive<'_> {
    fn shell(&self, script: &str) {
        let pid = self.0.daemon.as_ref().unwrap().pid().as_raw_nonzero().to_string();
        let mut command = Command::new("nsenter");
        command.args(["-t", &pid, "-U", "-m", "--preserve-credentials", "sh", "-ec", script]).arg(self.0.path("."));
        let done = command.output().unwrap();
        assert!(done.status.success(), "{script}: {done:?}");
    }

    fn plug(&self) {
        self.shell("mount --bind \"$0/stick\" \"$0/media\"");
    }

    /// Whatever is being written.
    fn pull(&self) {
        self.shell("umount -l \"$0/media\"");
    }

    fn path(&self) -> PathBuf {
        seen_by(self.0.daemon.as_ref().unwrap(), &self.0.path("stick/gasera"))
    }

    /// What a drive may lose of a file that was not synced when it was pulled.
    fn tear(&self, dice: &mut Dice) {
        let files: Vec<String> = tree(&self.path()).into_keys().collect();
        let Some(name) = files.get(dice.below(files.len().max(1))) else { return };
        let path = self.path().join(name);
        let mut bytes = fs::read(&path).unwrap();
        let from = dice.below(bytes.len() + 1);
        match dice.below(3) {
            0 => bytes.truncate(from),
            1 => bytes[from..].fill(0),
            _ => return fs::remove_file(path).unwrap(),
        }
        fs::write(path, bytes).unwrap();
    }
}

struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % bound as u64).unwrap()
    }

    /// A pause of so many milliseconds at most: a pull comes at any time.
    fn pause(&mut self, most: usize) {
        let (_never, heard) = channel::<()>();
        let _ = heard.recv_timeout(Duration::from_millis(self.below(most) as u64));
    }
}

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).map_or(otherwise, |text| text.parse().expect(variable))
}

fn tree(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let (mut found, mut folders) = (BTreeMap::new(), vec![root.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(root).unwrap().display().to_string();
                found.insert(name, fs::read(path).unwrap());
            }
        }
    }
    found
}

#[track_caller]
fn assert_mirrored(lab: &Lab, drive: &Drive<'_>) {
    let (ours, theirs) = (tree(&lab.path("state/runs")), tree(&drive.path()));
    assert!(!ours.is_empty());
    let sizes = |tree: &BTreeMap<String, Vec<u8>>| -> Vec<(String, usize)> {
        tree.iter().map(|(name, bytes)| (name.clone(), bytes.len())).collect()
    };
    assert_eq!(sizes(&ours), sizes(&theirs));
    assert!(ours == theirs, "a file differs");
}

fn is_usb(event: &Value, what: &str) -> bool {
    event["type"] == "usb" && event["data"]["event"] == what
}

/// One run with so many pulls; how many results it has.
fn pulled(pulls: u64, dice: &mut Dice) -> usize {
    let lab = Lab::new(&DESIGN);
    let drive = Drive(&lab);
    assert_eq!(lab.ctl(START).exit, 0);
    let run = lab.ask(&["status"])["run"]["id"].as_str().unwrap().to_owned();
    let mut events = lab.events(None);
    for pull in 0..pulls {
        drive.plug();
        // At any time, or just when a result is written.
        if pull % 2 == 0 {
            events.until(|event| event["type"] == "live_data");
            dice.pause(30);
        } else {
            dice.pause(400);
        }
        drive.pull();
        drive.tear(dice);
        events.until(|event| is_usb(event, "unmounted"));
    }
    assert_eq!(lab.ask(&["storage"])["mirror"]["state"], "absent");
    assert_eq!(lab.ctl(&["abort", "--wait"]).exit, 0);
    let mut back = lab.events(None);
    drive.plug();
    back.until(|event| is_usb(event, "caught_up"));
    assert_mirrored(&lab, &drive);
    let told = lab.ask(&["storage"]);
    assert_eq!((&told["mirror"]["state"], &told["faults"]), (&"current".into(), &Value::Array(Vec::new())), "{told}");
    let all = lab.events_to_the_end_of(&run);
    let rows = exported(&lab);
    assert_sound(&lab, &run, &all, 0);
    assert_true(&rows, &lab.truth());
    assert_complete(&rows, &lab.truth(), &all);
    assert_eq!(fs::read_dir(lab.path("media")).unwrap().count(), 0, "nothing is written where no drive is");
    rows.len()
}

#[test]
fn a_drive_that_is_pulled_at_any_time_costs_no_row_and_has_all_when_it_is_back() {
    if !may_mount() {
        return;
    }
    let mut dice = Dice(number("SEED", 1));
    let (pulls, mut done, mut rows) = (number("PULLS", 8), 0, 0);
    while done < pulls {
        let now = PULLS_IN_A_RUN.min(pulls - done);
        rows += pulled(now, &mut dice);
        done += now;
    }
    eprintln!("{done} pulls, {rows} rows, none lost");
}

/// The messages for dashboards of another make; they are no events.
fn messages(address: &str) -> impl FnMut(&dyn Fn(&Value) -> bool) -> Value {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET /events?format=merged HTTP/1.0\r\nHost: {address}\r\n\r\n").unwrap();
    let mut lines = BufReader::new(stream).lines().map(Result::unwrap);
    move |wanted| loop {
        let line = lines.next().expect("the stream ended before what is waited for");
        let message = line.strip_prefix("data: ").map(|data| serde_json::from_str::<Value>(data).unwrap());
        if let Some(message) = message.filter(|message| wanted(message)) {
            return message;
        }
    }
}

/// What the merged messages and the status say of the drive.
#[test]
fn a_drive_that_comes_and_goes_is_told_on_every_stream() {
    if !may_mount() {
        return;
    }
    let lab = Lab::new(&DESIGN);
    let drive = Drive(&lab);
    let mut merged = messages(lab.address());
    assert_eq!(merged(&|message| message["usb_mounted"].is_boolean())["usb_mounted"], false);
    let mut events = lab.events(None);
    for (mounted, word) in [(true, "mounted"), (false, "unmounted")] {
        if mounted {
            drive.plug();
        } else {
            drive.pull();
        }
        let event = events.until(|event| is_usb(event, word));
        assert_eq!(event["data"]["mounted"], mounted, "{event}");
        let message = merged(&|message| message["usb_event"] == word);
        assert_eq!(
            (&message["usb_mounted"], &message["device_status"]["usb"]["mounted"]),
            (&mounted.into(), &mounted.into())
        );
        assert_eq!(lab.ask(&["status"])["mirror"]["mounted"], mounted);
    }
}

#[test]
fn a_drive_that_is_full_is_an_alarm_and_costs_the_run_nothing() {
    if !may_mount() {
        return;
    }
    let lab = Lab::new(&Design { drive: Some("16k"), ..DESIGN });
    let drive = Drive(&lab);
    let mut events = lab.events(None);
    let done = lab.ctl(&["start", "--channels", "1-3", "--pause", "6s", "--measure", "20s", "--wait"]);
    assert_eq!(done.exit, 0, "{done:?}");
    let filler = lab.path("state/runs/2020/2020-01-01T000000Z_OLD/samples.csv");
    fs::create_dir_all(filler.parent().unwrap()).unwrap();
    fs::write(&filler, vec![b'x'; 60_000]).unwrap();
    drive.plug();
    let failed = events.until(|event| is_usb(event, "failed"));
    assert!(failed["data"]["text"].as_str().unwrap().contains("No space left"), "{failed}");
    events.until(|event| event["type"] == "alarm" && event["data"]["code"] == "mirror_failed");
    let told = lab.ctl(&["storage", "--json"]);
    assert_eq!(told.exit, 1, "{told:?}");
    let told: Value = serde_json::from_str(&told.stdout).unwrap();
    assert_eq!(told["mirror"]["state"], "behind");
    // The newest run came first, and is on it as far as there is room.
    assert!(!tree(&drive.path()).is_empty());
    drive.pull();
    drive.shell("mount -o remount,size=16m \"$0/stick\"");
    drive.plug();
    events.until(|event| is_usb(event, "caught_up"));
    assert_mirrored(&lab, &drive);
}
