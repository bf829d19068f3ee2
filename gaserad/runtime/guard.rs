//! The condition between two visits, as it is found out: a file that must not be there, a command that must succeed.
//!
//! Both come from the settings of the daemon only, never with a request.

use std::process::Stdio;

use tokio::process::Command;
use tokio::sync::mpsc;

use crate::config::GuardSettings;
use crate::domain::CommandId;

pub(super) struct Guard {
    settings: Option<GuardSettings>,
    answers: mpsc::UnboundedSender<(CommandId, Result<(), String>)>,
    inbox: mpsc::UnboundedReceiver<(CommandId, Result<(), String>)>,
}

impl Guard {
    pub(super) fn new(settings: Option<GuardSettings>) -> Self {
        let (answers, inbox) = mpsc::unbounded_channel();
        Self { settings, answers, inbox }
    }

    /// Never waits; the answer comes by [`Guard::answered`].
    pub(super) fn ask(&self, id: CommandId) {
        let (settings, answers) = (self.settings.clone(), self.answers.clone());
        tokio::spawn(async move {
            let verdict = match settings {
                Some(settings) => settings.verdict().await,
                None => Ok(()),
            };
            // Nobody listens any more: the program is shutting down.
            let _ = answers.send((id, verdict));
        });
    }

    pub(super) async fn answered(&mut self) -> (CommandId, Result<(), String>) {
        match self.inbox.recv().await {
            Some(answer) => answer,
            None => std::future::pending().await,
        }
    }
}

impl GuardSettings {
    async fn verdict(&self) -> Result<(), String> {
        if let Some(file) = self.file.as_ref().filter(|file| file.exists()) {
            return Err(format!("{} exists", file.display()));
        }
        let Some((program, arguments)) = self.command.split_first() else { return Ok(()) };
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
        let ended = tokio::time::timeout(self.timeout, command.output()).await;
        let output = ended
            .map_err(|_| format!("{program} did not end within {} s", self.timeout.as_secs()))?
            .map_err(|error| format!("cannot run {program}: {error}; see [guard] command"))?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.lines().next().unwrap_or_default();
        Err(format!("{program} ended with {}: {said}", output.status).trim_end_matches([':', ' ']).to_owned())
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::time::Duration;

    use super::*;

    fn guard(command: &[&str], file: Option<&str>) -> GuardSettings {
        GuardSettings {
            file: file.map(PathBuf::from),
            command: command.iter().map(|word| (*word).to_owned()).collect(),
            timeout: Duration::from_secs(20),
            ..GuardSettings::default()
        }
    }

    #[tokio::test]
    async fn a_command_that_fails_and_a_file_that_is_there_speak_against_it() {
        assert_eq!(guard(&["true"], None).verdict().await, Ok(()));
        assert_eq!(guard(&[], Some("/nonexistent/hold")).verdict().await, Ok(()));
        let said = guard(&["sh", "-c", "echo it rains >&2; exit 3"], None).verdict().await;
        assert_eq!(said, Err("sh ended with exit status: 3: it rains".into()));
        assert_eq!(guard(&["true"], Some("/")).verdict().await, Err("/ exists".into()));
        let missing = guard(&["/nonexistent/guard"], None).verdict().await.unwrap_err();
        assert!(missing.contains("cannot run /nonexistent/guard"), "{missing}");
    }
}
