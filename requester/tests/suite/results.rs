//! Results as nodes hand them over and clients fetch them.

use std::{path::Path, time::Duration};

use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};
use skrei_bucket::Keys;
use skrei_job::{
    Digest,
    life::ExecutionState,
    objects::Bucket,
    outcome::{Published, RunOutput},
};
use skrei_protocol::{
    link::Assignment,
    results::{Piece, Received},
};
use skrei_requester::Config;

use super::harness::{Node, Orchestrator, job, known};

const ARCHIVE: &[u8] = b"stands for an archive";

/// An execution on its node, which is to hand over its results.
struct Story {
    orchestrator: Orchestrator,
    node: Node,
    job: String,
    assignment: Assignment,
}

impl Story {
    async fn begin(directory: &Path) -> Self {
        Self::begin_with(directory, |_| {}).await
    }

    async fn begin_with(directory: &Path, configure: impl FnOnce(&mut Config)) -> Self {
        Self::publishing(directory, json!({"Type": "local"}), configure).await
    }

    async fn publishing(directory: &Path, publisher: Value, configure: impl FnOnce(&mut Config)) -> Self {
        let orchestrator = Orchestrator::start_with(directory, configure).await;
        let mut node = orchestrator.node("n-1").await;
        let mut manifest = job("ops");
        manifest.tasks[0].publisher = serde_json::from_value(publisher).unwrap();
        let job = orchestrator.submit(&manifest).await;
        let assignment = node.assignment().await;
        node.report(&assignment.execution, ExecutionState::Running).await;
        Self { orchestrator, node, job, assignment }
    }

    /// Sends one piece of an archive that is announced like this.
    async fn piece(&self, archive: &[u8], offset: usize, content: &[u8]) -> Response {
        self.piece_of("n-1", Digest::of(archive), archive.len(), offset, content).await
    }

    async fn piece_of(
        &self,
        node: &str,
        digest: Digest,
        size: usize,
        offset: usize,
        content: &[u8],
    ) -> Response {
        let piece = Piece { digest, size: size as u64, offset: offset as u64 };
        let path = piece.path(&self.assignment.job, &self.assignment.execution);
        let requests = self.orchestrator.requests(known(&self.orchestrator.identity(node).await));
        requests.put(self.orchestrator.url(&path)).body(content.to_vec()).send().await.unwrap()
    }

    /// Hands everything over and says that it is done.
    async fn publish(&mut self) {
        let answer = self.piece(ARCHIVE, 0, ARCHIVE).await;
        assert_eq!(answer.status(), StatusCode::OK);
        let published = Published::Orchestrator { digest: Digest::of(ARCHIVE), bytes: ARCHIVE.len() as u64 };
        let output = RunOutput { published: Some(published), ..RunOutput::head(b"", b"", Some(0)) };
        self.node.report(&self.assignment.execution, ExecutionState::Completed(output)).await;
    }

    /// Says that it has put the results there.
    async fn puts_into(&mut self, bucket: &str, key: &str) {
        let published = Published::Bucket {
            bucket: Bucket {
                name: bucket.to_owned(),
                region: Some("us-east-1".to_owned()),
                endpoint: Some("http://s3.lan:9000".to_owned()),
            },
            key: key.to_owned(),
            digest: Some(Digest::of(b"")),
            version: None,
        };
        let output = RunOutput { published: Some(published), ..RunOutput::head(b"", b"", Some(0)) };
        self.node.report(&self.assignment.execution, ExecutionState::Completed(output)).await;
    }

    async fn results(&self) -> Vec<Value> {
        results(&self.orchestrator, &self.job).await
    }

    fn left(directory: &Path) -> usize {
        let count = |path: &Path| std::fs::read_dir(path).unwrap().count();
        count(&directory.join("results")) - 1 + count(&directory.join("results/incoming"))
    }
}

async fn results(orchestrator: &Orchestrator, job: &str) -> Vec<Value> {
    let url = format!("{}/orchestrator/jobs/{job}/results", orchestrator.api);
    let answer: Value = Client::new().get(url).send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["NextToken"], "");
    answer["Items"].as_array().unwrap().clone()
}

async fn get(url: &str, range: Option<&str>) -> Response {
    let mut request = Client::new().get(url);
    if let Some(range) = range {
        request = request.header("Range", range);
    }
    request.send().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn trap_15_results_are_served_under_a_url_with_the_host_that_was_called() {
    let directory = tempfile::tempdir().unwrap();
    let mut story = Story::begin(directory.path()).await;
    assert!(story.results().await.is_empty());
    story.publish().await;
    let items = story.results().await;
    let url = items[0]["Params"]["URL"].as_str().unwrap().to_owned();
    assert_eq!(items, [json!({"Type": "urlDownload", "Params": {"URL": url}})]);
    assert!(url.starts_with(&format!("{}/results/e-", story.orchestrator.api)), "{url}");
    assert!(url.ends_with(".tar.gz"), "{url}");
    let executions = format!("{}/orchestrator/jobs/{}/executions", story.orchestrator.api, story.job);
    let executions: Value = get(&executions, None).await.json().await.unwrap();
    assert_eq!(executions["Items"][0]["PublishedResult"], items[0]);
    let elsewhere = Client::new()
        .get(format!("{}/orchestrator/jobs/{}/results", story.orchestrator.api, story.job))
        .header("Host", "skrei.example.com:8443");
    let elsewhere: Value = elsewhere.send().await.unwrap().json().await.unwrap();
    let name = url.rsplit('/').next().unwrap();
    assert_eq!(
        elsewhere["Items"][0]["Params"]["URL"],
        format!("http://skrei.example.com:8443/api/v1/results/{name}")
    );

    let whole = get(&url, None).await;
    assert_eq!(whole.headers()["content-type"], "application/gzip");
    assert_eq!(whole.headers()["content-length"], ARCHIVE.len().to_string());
    assert_eq!(whole.bytes().await.unwrap(), ARCHIVE);
    let part = get(&url, Some("bytes=7-9")).await;
    assert_eq!(part.status(), StatusCode::PARTIAL_CONTENT);
    assert_eq!(part.headers()["content-range"], format!("bytes 7-9/{}", ARCHIVE.len()));
    assert_eq!(part.bytes().await.unwrap(), ARCHIVE[7..=9]);
    assert_eq!(get(&url, Some("bytes=100-")).await.status(), StatusCode::RANGE_NOT_SATISFIABLE);

    // Nothing is listed, and nothing is found by what can be known.
    let base = url.strip_suffix(name).unwrap();
    let wrong = format!("{}-{}.tar.gz", story.assignment.execution, "0".repeat(32));
    for path in ["", &wrong, &format!("{}.tar.gz", story.assignment.execution), "..%2f..%2forchestrator.db"] {
        let answer = get(&format!("{base}{path}"), None).await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
        assert_eq!(answer.json::<Value>().await.unwrap()["Code"], "NotFound");
    }

    story.orchestrator.stop().await;
    let again = Orchestrator::start_with(directory.path(), |_| {}).await;
    let url = results(&again, &story.job).await[0]["Params"]["URL"].as_str().unwrap().to_owned();
    assert!(url.ends_with(name), "the same name after a restart: {url}");
    assert_eq!(get(&url, None).await.bytes().await.unwrap(), ARCHIVE);
}

#[tokio::test(flavor = "multi_thread")]
async fn pieces_go_on_where_the_last_one_ended_also_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let mut story = Story::begin(directory.path()).await;
    let received = async |answer: Response| {
        (answer.status(), answer.json::<Received>().await.unwrap().received as usize)
    };
    assert_eq!(received(story.piece(ARCHIVE, 0, &ARCHIVE[..5]).await).await, (StatusCode::OK, 5));
    assert_eq!(received(story.piece(ARCHIVE, 9, &ARCHIVE[9..]).await).await, (StatusCode::CONFLICT, 5));
    story.orchestrator.stop().await;
    story.orchestrator = Orchestrator::start_with(directory.path(), |_| {}).await;
    // Sent again, a piece changes nothing.
    assert_eq!(received(story.piece(ARCHIVE, 0, &ARCHIVE[..5]).await).await, (StatusCode::OK, 5));
    let whole = (StatusCode::OK, ARCHIVE.len());
    assert_eq!(received(story.piece(ARCHIVE, 5, &ARCHIVE[5..]).await).await, whole);
    // The answer was lost, and the node sends the last piece again.
    assert_eq!(received(story.piece(ARCHIVE, 5, &ARCHIVE[5..]).await).await, whole);
    assert!(story.results().await.is_empty(), "nothing is published before the node has said so");
    assert_eq!(Story::left(directory.path()), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn results_that_are_not_what_they_should_be_are_refused_and_leave_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let mut story = Story::begin(directory.path()).await;
    let other = story.piece_of("n-1", Digest::of(b"other"), ARCHIVE.len(), 0, ARCHIVE).await;
    assert_eq!(other.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let foreign = story.piece_of("n-2", Digest::of(ARCHIVE), ARCHIVE.len(), 0, ARCHIVE).await;
    assert_eq!(foreign.status(), StatusCode::FORBIDDEN);
    let beyond = story.piece_of("n-1", Digest::of(ARCHIVE), 3, 0, ARCHIVE).await;
    assert_eq!(beyond.status(), StatusCode::BAD_REQUEST);
    let huge = story.piece_of("n-1", Digest::of(ARCHIVE), 2 << 30, 0, ARCHIVE).await;
    assert_eq!(huge.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let long = story.piece(ARCHIVE, 0, &vec![0; 5 << 20]).await;
    assert_eq!(long.status(), StatusCode::BAD_REQUEST);
    assert_eq!(Story::left(directory.path()), 0);
    story.publish().await;
    let late = story.piece_of("n-1", Digest::of(b"late"), 4, 0, b"late").await;
    assert_eq!(late.status(), StatusCode::GONE);
    let mut unknown = story;
    unknown.assignment.execution = skrei_job::ExecutionId::new("..%2f..%2fx");
    assert_eq!(unknown.piece(ARCHIVE, 0, ARCHIVE).await.status(), StatusCode::NOT_FOUND);
    assert_eq!(Story::left(directory.path()), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_in_a_bucket_gets_a_url_that_is_signed_for_a_while() {
    let directory = tempfile::tempdir().unwrap();
    let keys = Keys { id: "key-id".to_owned(), secret: "very-secret".to_owned().into(), session: None };
    let publisher = json!({"Type": "s3", "Params": {"Bucket": "out", "Key": "r/{date}"}});
    let mut story = Story::publishing(directory.path(), publisher, |config| {
        config.buckets.endpoint = Some("http://s3.lan:9000/".to_owned());
        config.buckets.buckets = vec!["out".parse().unwrap(), "other".parse().unwrap()];
        config.buckets.keys = Some(keys);
        config.signed_for = Some(Duration::from_secs(600));
    })
    .await;
    story.puts_into("out", "r/20261126.tar.gz").await;
    let executions = format!("{}/orchestrator/jobs/{}/executions", story.orchestrator.api, story.job);
    let executions: Value = get(&executions, None).await.json().await.unwrap();
    let stored = &executions["Items"][0]["PublishedResult"];
    assert_eq!(
        *stored,
        json!({"Type": "s3", "Params": {
            "Bucket": "out", "Key": "r/20261126.tar.gz", "Filter": "", "Region": "us-east-1", "Endpoint": "http://s3.lan:9000", "VersionID": "",
            "ChecksumSHA256": "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
            "Partition": {"Type": "", "Pattern": "", "StartIndex": 0, "EndIndex": 0, "DateFormat": ""},
        }})
    );
    let items = story.results().await;
    assert_eq!((&items[0]["Type"], &items[0]["Params"]["SourceSpec"]), (&json!("s3PreSigned"), stored));
    assert_eq!(items[0]["Params"]["Managed"], false);
    let url = items[0]["Params"]["PreSignedURL"].as_str().unwrap();
    assert!(url.starts_with("http://s3.lan:9000/out/r/20261126.tar.gz?"), "{url}");
    assert!(url.contains("X-Amz-Expires=600") && !url.contains("very-secret"), "{url}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_node_opens_with_our_credentials_what_its_job_does_not_name() {
    for (bucket, key) in
        [("other", "r/20261126.tar.gz"), ("out", "s/20261126.tar.gz"), ("out", "r/secret.tar.gz")]
    {
        let directory = tempfile::tempdir().unwrap();
        let keys = Keys { id: "key-id".to_owned(), secret: "very-secret".to_owned().into(), session: None };
        let publisher = json!({"Type": "s3", "Params": {"Bucket": "out", "Key": "r/{date}"}});
        let mut story = Story::publishing(directory.path(), publisher, |config| {
            config.buckets.endpoint = Some("http://s3.lan:9000".to_owned());
            config.buckets.buckets = vec!["*".parse().unwrap()];
            config.buckets.keys = Some(keys);
            config.signed_for = Some(Duration::from_secs(600));
        })
        .await;
        story.puts_into(bucket, key).await;
        assert_eq!(story.results().await[0]["Type"], "s3", "{bucket}/{key}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn results_of_ended_jobs_make_room_and_those_of_others_never_do() {
    let directory = tempfile::tempdir().unwrap();
    let mut first =
        Story::begin_with(directory.path(), |config| config.results.bytes = ARCHIVE.len() as u64 + 5).await;
    first.publish().await;
    first.orchestrator.wait_for_state(&first.job, "Completed").await;
    assert_eq!(first.results().await.len(), 1);

    let mut manifest = job("ops");
    manifest.tasks[0].publisher.kind = "local".to_owned();
    let second = first.orchestrator.submit(&manifest).await;
    let assignment = first.node.assignment().await;
    first.node.report(&assignment.execution, ExecutionState::Running).await;
    let ended = std::mem::replace(&mut first.job, second);
    first.assignment = assignment;
    assert_eq!(first.piece(ARCHIVE, 0, ARCHIVE).await.status(), StatusCode::OK);
    assert!(results(&first.orchestrator, &ended).await.is_empty(), "the first one's made room");
    assert_eq!(Story::left(directory.path()), 1);

    // The second job goes on: what it published before stays, and there is no room for another of it.
    let more = first.orchestrator.submit(&manifest).await;
    let assignment = first.node.assignment().await;
    first.node.report(&assignment.execution, ExecutionState::Running).await;
    (first.job, first.assignment) = (more, assignment);
    assert_eq!(first.piece(ARCHIVE, 0, ARCHIVE).await.status(), StatusCode::INSUFFICIENT_STORAGE);
    assert_eq!(Story::left(directory.path()), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_execution_has_one_archive_on_its_way_whatever_its_node_announces() {
    let directory = tempfile::tempdir().unwrap();
    let story = Story::begin_with(directory.path(), |config| config.results.bytes = 100).await;
    for number in 0..5_u8 {
        let answer = story.piece_of("n-1", Digest::of(&[number]), 60, 0, b"the beginning").await;
        assert_eq!(answer.status(), StatusCode::OK);
    }
    assert_eq!(Story::left(directory.path()), 1);
    // What is announced has its place before it comes, and no more than there is.
    let more = story.piece_of("n-1", Digest::of(b"more"), 101, 0, b"the beginning").await;
    assert_eq!(more.status(), StatusCode::INSUFFICIENT_STORAGE);
    let outside = story.piece_of("n-1", Digest::of(b"outside"), 60, 7, b"the middle").await;
    assert_eq!(outside.json::<Received>().await.unwrap().received, 0);
    assert!(Story::left(directory.path()) <= 1);
}
