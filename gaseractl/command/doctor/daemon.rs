//! The daemon itself: reached, allowed, of the same version, well set up, with room, at the right time.

use std::os::unix::fs::PermissionsExt;

use gasera::domain::Status;
use gasera::proto::GetConfigResponse;

use super::finding::Finding;
use super::{AskedDaemon, ask, unanswered};
use crate::endpoint::Endpoint;
use crate::failure::{Exit, Failure};
use crate::view::words;

const OURS: &str = env!("CARGO_PKG_VERSION");

pub fn how_to_reach(failure: &Failure) -> &'static str {
    if failure.text.contains("permission denied") {
        return "join the group of the socket with `sudo usermod -aG gaserad $USER`, and log in anew";
    }
    if failure.exit == Exit::NOT_PERMITTED {
        return "name the file of your token with --token-file; `gaserad new-token` makes one";
    }
    "start it with `systemctl start gaserad`, or say where it is with --endpoint; see `gaseractl context --help`"
}

pub async fn endpoint(client: AskedDaemon<'_>, tried: &str) -> Result<(Finding, Status), (Finding, Exit)> {
    let failed = |failure: &Failure| {
        let finding = Finding::fail("endpoint", tried, failure.text.clone(), how_to_reach(failure));
        (finding, failure.exit)
    };
    let text = client.status().await.map_err(|failure| failed(&failure))?;
    let status: Status = serde_json::from_str(&text).map_err(|error| {
        let found = format!("{} answers what this version cannot read: {error}", client.endpoint());
        let advice = "install gaserad and gaseractl of the same version";
        (Finding::fail("endpoint", tried, found, advice), Exit::FAILURE)
    })?;
    Ok((Finding::ok("endpoint", tried, format!("{} answers", client.endpoint())), status))
}

pub async fn permissions(client: AskedDaemon<'_>) -> Vec<Finding> {
    let tried = "a note without text, which is never kept";
    let role = match client.note(String::new()).await {
        Err(failure) if failure.exit == Exit::NOT_PERMITTED => Finding::warn(
            "permissions",
            tried,
            "you may look, and change nothing",
            "to start and abort runs you need the role operator: a token of it, or a user in [auth] operators",
        ),
        Ok(_) => Finding::ok("permissions", tried, "you may look, start and abort"),
        Err(failure) if failure.exit == Exit::USAGE || failure.exit == Exit::REFUSED => {
            Finding::ok("permissions", tried, "you may look, start and abort")
        }
        Err(failure) => unanswered("permissions", tried, &failure),
    };
    let mut findings = vec![role];
    findings.extend(socket(client.endpoint()));
    findings
}

fn socket(endpoint: &Endpoint) -> Option<Finding> {
    let Endpoint::Unix(path) = endpoint else { return None };
    let tried = format!("the mode of {}", path.display());
    let mode = std::fs::metadata(path).ok()?.permissions().mode() & 0o777;
    if mode & 0o002 == 0 {
        return Some(Finding::ok("socket", &tried, format!("mode {mode:03o}")));
    }
    let advice = "let gaserad make it again by a restart; it takes mode 660";
    Some(Finding::warn("socket", &tried, format!("all users of this machine may talk to it (mode {mode:03o})"), advice))
}

pub fn versions(status: &Status) -> Finding {
    let tried = "the version of gaserad beside that of gaseractl";
    let theirs = status.version.split_whitespace().next().unwrap_or_default();
    if theirs == OURS {
        return Finding::ok("versions", tried, format!("both are {OURS}"));
    }
    let found = format!("gaserad is {theirs}, gaseractl {OURS}");
    Finding::warn(
        "versions",
        tried,
        found,
        "install both of the same version; what one does not know of the other is left out",
    )
}

pub fn config(config: &Result<GetConfigResponse, Failure>) -> Finding {
    let tried = "the settings in effect";
    let config = match config {
        Ok(config) => config,
        Err(failure) => return unanswered("config", tried, failure),
    };
    if config.warnings.is_empty() {
        let set = config.settings.iter().filter(|setting| setting.origin != "default").count() as u64;
        return Finding::ok("config", tried, format!("{} differ from the defaults", words::count(set, "setting")));
    }
    let advice = "mend it in the configuration, and `gaseractl config reload` it; `gaseractl config get` shows where each value is from";
    Finding::warn("config", tried, config.warnings.join("; "), advice)
}

pub async fn storage(client: AskedDaemon<'_>) -> Finding {
    let tried = "the list of runs, the sizes of their files, and the free space";
    let storage = match ask("storage", tried, client.storage()).await {
        Ok(storage) => storage,
        Err(finding) => return finding,
    };
    if !storage.faults.is_empty() {
        let advice = "make room on that disk; `gaseractl storage` lists what each run takes";
        return Finding::fail("storage", tried, storage.faults.join("; "), advice);
    }
    let free = storage.free_bytes.map_or_else(|| "unknown space".into(), words::bytes);
    let runs = words::count(storage.runs.len() as u64, "run");
    Finding::ok("storage", tried, format!("{free} free in {}, {runs} readable", storage.directory))
}

pub fn time(status: &Status) -> Finding {
    let tried = "what the time service says of the clock of gaserad's machine";
    match status.clock_synchronized {
        Some(true) => Finding::ok("time", tried, "a time service keeps the clock right"),
        Some(false) => {
            let advice = "run `timedatectl set-ntp true` there, and see that it reaches a time server";
            Finding::warn(
                "time",
                tried,
                "no time service keeps the clock right; samples get the flag clock_unsynced",
                advice,
            )
        }
        None => Finding::warn(
            "time",
            tried,
            "whether the clock is kept right is not known: systemd does not say",
            "look with `timedatectl` there, or make sure that some time service runs",
        ),
    }
}
