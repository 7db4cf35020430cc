//! Probes: what the node's owner asks a program or a server about every job before it is taken on.
//!
//! Both see the whole job and say yes or no; no is a refusal like any other, with the reason they give. One that fails, or
//! does not answer in time, says no.

use std::{
    io::{Read as _, Write as _},
    os::unix::process::{CommandExt as _, ExitStatusExt as _},
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};

use rustix::process::{Pid, Signal};
use serde::Deserialize;
use skrei_job::{
    NodeId, Spec,
    outcome::{Refusal, Rule},
};
use tokio::{sync::Semaphore, time::timeout};

/// How long a probe may take.
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// Probes at once; other jobs wait for their turn.
const AT_ONCE_MAX: usize = 8;

/// Longest reason that is passed on, in bytes.
const REASON_MAX_BYTES: u64 = 1024;

/// Longest answer of a server, in bytes.
const ANSWER_MAX_BYTES: usize = 64 << 10;

/// The variable a command finds the job in as well, as in Bacalhau; if the job is small enough for one.
const JOB_VARIABLE: &str = "BACALHAU_JOB_SELECTION_PROBE_DATA";
const VARIABLE_MAX_BYTES: usize = 96 << 10;

/// The probes of a node, and how many may be under way.
#[derive(Debug)]
pub(crate) struct Probes {
    command: Option<String>,
    url: Option<reqwest::Url>,
    client: reqwest::Client,
    turns: Arc<Semaphore>,
}

/// What a server may answer.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    should_bid: bool,
    #[serde(default)]
    reason: String,
}

impl Probes {
    /// `JobAdmissionControl.ProbeExec` and `ProbeHTTP`.
    pub(crate) fn new(command: Option<String>, url: Option<&str>) -> Result<Self, crate::Error> {
        let url = url.map(|text| {
            let parsed = text.parse::<reqwest::Url>().ok();
            parsed
                .filter(|url| matches!(url.scheme(), "http" | "https"))
                .ok_or_else(|| crate::Error::ProbeUrl { url: text.to_owned() })
        });
        let client = reqwest::Client::builder()
            .timeout(ANSWER_MAX)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(crate::Error::Client)?;
        let turns = Arc::new(Semaphore::new(AT_ONCE_MAX));
        Ok(Self { command, url: url.transpose()?, client, turns })
    }

    /// Asks every probe there is; the first no counts.
    pub(crate) async fn ask(&self, node: &NodeId, spec: &Spec) -> Result<(), Refusal> {
        if self.command.is_none() && self.url.is_none() {
            return Ok(());
        }
        let _turn = self.turns.acquire().await;
        let job = serde_json::to_string(spec.manifest()).unwrap_or_default();
        let asked = async {
            if let Some(command) = &self.command {
                ask_command(command.clone(), job.clone()).await.map_err(|why| ("ProbeExec", why))?;
            }
            if let Some(url) = &self.url {
                self.ask_server(url, &job).await.map_err(|why| ("ProbeHTTP", why))?;
            }
            Ok(())
        };
        asked.await.map_err(|(key, why): (&str, String)| Refusal {
            rule: Rule::Probe,
            message: format!("node `{node}` does not take this job: {why}"),
            hint: Some(format!("the node's owner decides this by JobAdmissionControl.{key}")),
        })
    }

    async fn ask_server(&self, url: &reqwest::Url, job: &str) -> Result<(), String> {
        let failed = |error: reqwest::Error| format!("the probe cannot be asked: {}", error.without_url());
        let body = format!("{{\"Job\":{job}}}");
        let request = self.client.post(url.clone()).header("Content-Type", "application/json").body(body);
        let mut answer = request.send().await.map_err(failed)?;
        let status = answer.status();
        if status.as_u16() >= 400 {
            return Err(format!("the probe answers {status}"));
        }
        let media_type = answer.headers().get("Content-Type").and_then(|value| value.to_str().ok());
        if media_type != Some("application/json") {
            return Ok(());
        }
        let mut body = Vec::new();
        while let Some(piece) = answer.chunk().await.map_err(failed)? {
            body.extend_from_slice(&piece);
            if body.len() > ANSWER_MAX_BYTES {
                return Err("the probe answers too much".to_owned());
            }
        }
        match serde_json::from_slice::<Answer>(&body) {
            Ok(Answer { should_bid: true, .. }) => Ok(()),
            Ok(Answer { reason, .. }) => Err(shown(reason.as_bytes(), "the probe says no")),
            Err(_) => Err("the probe's answer is not {\"ShouldBid\": …, \"Reason\": …}".to_owned()),
        }
    }
}

/// Runs the command in a process group of its own, so that nothing of it is left when its time is over.
async fn ask_command(command: String, job: String) -> Result<(), String> {
    let failed = |error: &dyn std::fmt::Display| format!("the probe cannot be run: {error}");
    let mut bash = Command::new("bash");
    bash.args(["-c", &command]).process_group(0);
    bash.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    if job.len() <= VARIABLE_MAX_BYTES {
        bash.env(JOB_VARIABLE, &job);
    }
    let mut child = tokio::task::spawn_blocking(move || bash.spawn())
        .await
        .map_err(|error| failed(&error))?
        .map_err(|error| failed(&error))?;
    let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let answer = tokio::task::spawn_blocking(move || {
        let stdin = child.stdin.take();
        let writing = std::thread::spawn(move || {
            // A command that decides without reading it all closes its end.
            stdin.map(|mut stdin| stdin.write_all(job.as_bytes()))
        });
        let mut reason = Vec::new();
        if let Some(stderr) = child.stderr.take() {
            let mut stderr = stderr;
            // Whatever it says beyond this is read and dropped, so that it can end.
            let _ = (&mut stderr).take(REASON_MAX_BYTES).read_to_end(&mut reason);
            let _ = std::io::copy(&mut stderr, &mut std::io::sink());
        }
        let status = child.wait();
        let _ = writing.join();
        (status, reason)
    });
    let (status, reason) = match timeout(ANSWER_MAX, answer).await {
        Ok(answered) => answered.map_err(|error| failed(&error))?,
        Err(_) => {
            // The thread that waits for it ends with it.
            if let Some(group) = group {
                let _ = rustix::process::kill_process_group(group, Signal::KILL);
            }
            return Err(format!("the probe did not answer within {} s", ANSWER_MAX.as_secs()));
        }
    };
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => {
            let ended = match (status.code(), status.signal()) {
                (Some(code), _) => format!("the probe exited with code {code}"),
                (None, signal) => format!("the probe was ended by signal {}", signal.unwrap_or_default()),
            };
            Err(shown(&reason, &ended))
        }
        Err(error) => Err(failed(&error)),
    }
}

/// A reason on one line, or what stands for none.
fn shown(reason: &[u8], otherwise: &str) -> String {
    let text = String::from_utf8_lossy(&reason[..reason.len().min(REASON_MAX_BYTES as usize)]);
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.is_empty() { otherwise.to_owned() } else { line }
}
