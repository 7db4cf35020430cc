//! `skrei job get`.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use clap::Args;
use skrei_protocol::{
    api::{
        execution::{Execution, PublishedResult},
        job::GetJobResponse,
    },
    client::Client,
};

use crate::{
    cli::Globals,
    commands::client,
    error::Error,
    exit,
    results::{self, Fetched, Selection, file_name},
    terminal,
};

/// Fetch what a job's guests left: `stdout`, `stderr`, `exitCode`, and a directory for each result path.
#[derive(Debug, Args)]
#[command(
    after_help = "The results of one execution lie in the directory itself, those of several each in a directory called \
        after its node. Nothing that is there already is written over."
)]
pub(crate) struct Get {
    /// Its name, its id, or the beginning of its id; with `/FILE`, that file or directory of the results alone
    #[arg(value_name = "JOB[/FILE]")]
    which: String,
    /// A directory that exists, for the results [default: job-JOB, which is made]
    #[arg(long, value_name = "DIR")]
    output_dir: Option<PathBuf>,
    /// Keep the archives as they come, in a directory `raw`
    #[arg(long)]
    raw: bool,
    /// How long the downloads may take, all together, in seconds or as `5m`
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = seconds)]
    download_timeout_secs: Duration,
    /// Where the job's name counts
    #[arg(long, value_name = "NAMESPACE", default_value = "default")]
    namespace: String,
}

impl Get {
    pub(super) async fn run(self, globals: &Globals) -> Result<u8, Error> {
        let client = client(globals)?;
        tokio::select! {
            got = self.get(&client) => got.map(|()| exit::SUCCESS),
            // What is half fetched is removed on the way out.
            _ = tokio::signal::ctrl_c() => Ok(exit::INTERRUPTED),
        }
    }

    async fn get(&self, client: &Client) -> Result<(), Error> {
        let (job, file) = match self.which.split_once('/') {
            Some((job, file)) => (job, Some(file)),
            None => (self.which.as_str(), None),
        };
        let selection = Selection::parse(file)?;
        let answer = client.job_in(&self.namespace, job).await?;
        let results = client.results(&self.namespace, job).await?;
        if results.is_empty() {
            terminal::note(&nothing(&answer));
            return Ok(());
        }
        if let Some(other) = results.iter().find(|result| url(result).is_none()) {
            terminal::note(&unfetched(other));
            return Ok(terminal::data(&terminal::yaml(&results)?)?);
        }
        let folder = self.folder(job)?;
        let labels = labels(&results, answer.executions.as_ref().map_or(&[][..], |list| &list.items));
        let temporary = results::temporary(&folder)?;
        let fetched = async {
            let mut fetched = Vec::with_capacity(results.len());
            for (result, label) in results.iter().zip(labels) {
                let url = url(result).unwrap_or_default();
                fetched.push(results::fetch(client, url, label, temporary.path()).await?);
            }
            Ok::<_, Error>(fetched)
        };
        let fetched = tokio::time::timeout(self.download_timeout_secs, fetched).await.map_err(|_| {
            Error::new(
                exit::TIMEOUT,
                format!("the downloads took longer than {:?}", self.download_timeout_secs),
            )
            .hint("allow more with --download-timeout-secs")
        })??;
        let (raw, into) = (self.raw, folder.clone());
        let work = move || {
            if raw { results::keep_raw(&fetched, &into) } else { unpack(&fetched, &selection, &into) }
        };
        let done = tokio::task::spawn_blocking(work).await;
        done.map_err(|error| Error::internal(format!("unpack results: {error}")))??;
        drop(temporary);
        terminal::note(&format!(
            "{} of job {} {} in",
            if results.len() == 1 { "The results".to_owned() } else { format!("{} results", results.len()) },
            answer.job.manifest.name,
            if self.raw { "are, packed," } else { "are" },
        ));
        Ok(terminal::data(&folder.display().to_string())?)
    }

    /// The directory everything goes to.
    fn folder(&self, job: &str) -> Result<PathBuf, Error> {
        if let Some(given) = &self.output_dir {
            return match given.is_dir() {
                true => Ok(given.clone()),
                false => Err(Error::usage(format!("there is no directory `{}`", given.display()))
                    .hint("make it first, or leave --output-dir out")),
            };
        }
        let folder = match self.namespace.as_str() {
            "" | "default" => format!("job-{}", file_name(job)),
            namespace => format!("job-{}-{}", file_name(namespace), file_name(job)),
        };
        std::fs::create_dir_all(&folder)
            .map_err(|error| Error::unavailable(format!("`{folder}` cannot be made: {error}")))?;
        Ok(PathBuf::from(folder))
    }
}

/// Unpacks everything beside the downloads, and moves it when all of it is there.
fn unpack(fetched: &[Fetched], selection: &Selection, folder: &Path) -> Result<(), Error> {
    let mut unpacked = Vec::with_capacity(fetched.len());
    for result in fetched {
        unpacked.push(results::unpack(result, selection)?);
    }
    if unpacked.iter().all(|unpacked| unpacked.is_empty()) {
        let file = selection.to_string();
        return Err(Error::not_found(format!("there is no `{file}` in the results"))
            .hint("leave it out to get all of them"));
    }
    results::place(&unpacked, folder)
}

/// Why a result is not fetched, and who can fetch it.
fn unfetched(result: &PublishedResult) -> String {
    let text = |name: &str| result.params.get(name).and_then(|value| value.as_str()).unwrap_or_default();
    match (result.kind.as_str(), text("Bucket")) {
        ("s3", bucket) if !bucket.is_empty() => {
            let (key, recursive) =
                (text("Key"), if text("Key").ends_with('/') { " --recursive" } else { "" });
            let endpoint = match text("Endpoint") {
                "" => String::new(),
                endpoint => format!(" --endpoint-url {endpoint}"),
            };
            format!(
                "The results are in a bucket, and the orchestrator gives no URL for them that is signed (it takes \
                 credentials for the bucket, `S3.Buckets`, and one archive).\n  \
                 aws s3 cp{endpoint}{recursive} s3://{bucket}/{key} .   with credentials of your own\nThey are:"
            )
        }
        (kind, _) => format!("skrei does not fetch results of type `{kind}`; they are:"),
    }
}

/// Where a result is downloaded from; none if it is not.
fn url(result: &PublishedResult) -> Option<&str> {
    match result.kind.as_str() {
        "urlDownload" => result.params.get("URL")?.as_str(),
        "s3PreSigned" => result.params.get("PreSignedURL")?.as_str(),
        _ => None,
    }
}

/// What the directory of each result is called; empty if there is only one.
fn labels(results: &[PublishedResult], executions: &[Execution]) -> Vec<String> {
    if results.len() == 1 {
        return vec![String::new()];
    }
    let execution_of = |result: &PublishedResult| {
        let stored = result.params.get("SourceSpec").and_then(|spec| spec.get("Params"));
        executions.iter().find(|execution| {
            let published = &execution.published_result;
            published == result || stored.is_some_and(|spec| spec.as_object() == Some(&published.params))
        })
    };
    let nodes: Vec<_> = results.iter().map(execution_of).collect();
    let label = |(index, found): (usize, &Option<&Execution>)| match found {
        Some(execution) => {
            let node = &execution.node_id;
            let same = nodes.iter().flatten().filter(|other| other.node_id == *node).count();
            let id = skrei_job::ExecutionId::new(execution.id.as_str());
            file_name(&if same == 1 { node.clone() } else { format!("{node}-{}", id.short()) })
        }
        None => format!("result-{index}"),
    };
    nodes.iter().enumerate().map(label).collect()
}

/// Why there is nothing to fetch, and what would make a difference.
fn nothing(answer: &GetJobResponse) -> String {
    let job = &answer.job;
    let name = &job.manifest.name;
    let publisher = job.manifest.tasks.first().map_or("", |task| task.publisher.kind.as_str());
    if matches!(job.manifest.kind.as_str(), "service" | "daemon") {
        format!("No results: job {name} is a {}, and never done.", job.manifest.kind)
    } else if matches!(publisher, "" | "noop") {
        format!(
            "No results: job {name} publishes none.\n  Add `Publisher: {{Type: local}}` to its task, and run it again.\n  \
             skrei job logs {name}   what its guests wrote"
        )
    } else if !job.state.state_type.is_terminal() {
        format!("No results yet: job {name} is {}.", job.state.state_type.as_str())
    } else {
        format!(
            "No results: no guest of job {name} got to its end, or they have been removed since.\n  \
             skrei job describe {name}   what each node did"
        )
    }
}

/// `5m`, `90s`, or seconds.
fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse::<u64>() {
        Ok(seconds) => Ok(Duration::from_secs(seconds)),
        Err(_) => skrei_job::duration::parse(text).map_err(|error| error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_in_a_bucket_without_a_signed_url_say_how_they_are_had() {
        let params = serde_json::json!({"Bucket": "out", "Key": "r/e/", "Endpoint": "https://s3.lan"});
        let result: PublishedResult =
            serde_json::from_value(serde_json::json!({"Type": "s3", "Params": params})).unwrap();
        let said = unfetched(&result);
        assert!(
            said.contains("aws s3 cp --endpoint-url https://s3.lan --recursive s3://out/r/e/ ."),
            "{said}"
        );
    }

    #[test]
    fn a_time_is_seconds_or_a_span() {
        assert_eq!(seconds("90"), Ok(Duration::from_secs(90)));
        assert_eq!(seconds("5m"), Ok(Duration::from_secs(300)));
        assert!(seconds("soon").is_err());
    }
}
