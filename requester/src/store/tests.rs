//! What the store promises over time: files of older versions, and what housekeeping leaves.

use std::{collections::BTreeMap, path::Path, time::Duration};

use skrei_job::{
    JobId, NodeId, Timestamp,
    life::JobState,
    secret::{Name, SealedByClient},
};
use skrei_ledger::rusqlite::Connection;
use skrei_scheduler::Grant;

use super::*;

/// A store as an older version of the program left it.
fn made_by(version: usize, directory: &Path) {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let sql = std::fs::read_to_string(fixtures.join(format!("store-v{version}.sql"))).unwrap();
    Connection::open(directory.join(FILE)).unwrap().execute_batch(&sql).unwrap();
}

async fn names(store: &Store, label: &str) -> Vec<String> {
    let labels = vec![skrei_job::labels::Requirement {
        key: "team".to_owned(),
        operator: skrei_job::labels::Operator::Equals,
        values: vec![label.to_owned()],
    }];
    let page = store.jobs(JobQuery { labels, limit: 100, ..JobQuery::default() }).await.unwrap();
    page.jobs.into_iter().map(|job| job.manifest.name).collect()
}

#[tokio::test]
async fn a_store_of_every_older_version_is_opened_with_all_that_is_in_it() {
    // Whoever adds a migration adds what the version before it left behind.
    for version in 1..MIGRATIONS.len() {
        let directory = tempfile::tempdir().unwrap();
        made_by(version, directory.path());
        let store = Store::open(directory.path()).unwrap();
        let (_, snapshot) = store.snapshot().unwrap();
        assert_eq!(snapshot.jobs.len(), 2, "two jobs wait for a node");
        let nightly = store.find_jobs("default".to_owned(), "nightly".to_owned()).await.unwrap().remove(0);
        assert_eq!((nightly.version, nightly.state, nightly.manifest.priority), (2, JobState::Failed, 2));
        let versions = store.job_versions(nightly.id.clone(), 0, 100).await.unwrap();
        assert_eq!((versions.versions.len(), versions.more), (2, false));
        assert_eq!(store.executions(nightly.id.clone(), 0).await.unwrap().len(), 2);
        let history = HistoryQuery { limit: 100, ..HistoryQuery::default() };
        let history = store.history(nightly.id, history).await.unwrap().entries;
        assert!(history.iter().map(|entry| entry.number).eq(1..=history.len() as u64), "{history:#?}");
        // Labels were not in tables of their own then.
        assert_eq!(names(&store, "web").await, ["nightly"]);
        assert_eq!(names(&store, "db").await.len(), 4);
        assert_eq!(store.submission("token-2").unwrap().is_some(), version >= 3);
        assert_eq!(store.result_bytes().await.unwrap(), if version >= 4 { 7 } else { 0 });
        assert_eq!(store.nodes().await.unwrap().len(), 1);
        let calls = AuditQuery { user: "Admin".to_owned(), limit: 9, ..AuditQuery::default() };
        assert_eq!(store.calls(calls).await.unwrap().len(), usize::from(version >= 8));
        assert_eq!(store.forgotten().await.unwrap(), None);
        drop(store);
        Store::open(directory.path()).unwrap();
    }
}

#[tokio::test]
async fn a_store_of_a_newer_version_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    drop(Store::open(directory.path()).unwrap());
    let connection = Connection::open(directory.path().join(FILE)).unwrap();
    connection.pragma_update(None, "user_version", MIGRATIONS.len() as u32 + 1).unwrap();
    let refused = Store::open(directory.path()).unwrap_err();
    assert!(matches!(refused, Error::TooNew { .. }), "{refused}");
}

#[tokio::test]
async fn a_history_that_is_ahead_of_its_log_is_found_at_the_start() {
    let directory = tempfile::tempdir().unwrap();
    made_by(3, directory.path());
    drop(Store::open(directory.path()).unwrap());
    let connection = Connection::open(directory.path().join(FILE)).unwrap();
    connection.execute("UPDATE log SET position = 3", ()).unwrap();
    let refused = Store::open(directory.path()).unwrap_err().to_string();
    assert!(refused.contains("its log ends at 3") && refused.contains("backup"), "{refused}");
}

#[tokio::test]
async fn what_ended_longest_ago_is_removed_whole_and_what_lives_or_changed_stays() {
    let directory = tempfile::tempdir().unwrap();
    made_by(3, directory.path());
    let store = Store::open(directory.path()).unwrap();
    let future = Timestamp::from_nanos(i64::MAX);
    assert_eq!(store.removable(None, 0, 0, 100).await.unwrap(), [], "without a rule nothing is removed");
    let ended = store.removable(Some(future), 0, 0, 100).await.unwrap();
    assert_eq!(ended.len(), 3, "two others wait for a node");
    assert_eq!(store.ended().await.unwrap(), 3);
    assert_eq!(store.removable(None, 2, 0, 100).await.unwrap(), ended[..2], "one may stay");
    assert_eq!(store.removable(None, 0, 0, 100).await.unwrap(), []);
    assert_eq!(store.removable(Some(future), 0, 0, 2).await.unwrap(), ended[..2], "a few at a time");
    assert_eq!(
        store.removable(Some(future), 0, 1, 100).await.unwrap(),
        ended[1..],
        "the first is passed over"
    );
    assert_eq!(
        store.removable(None, 2, 1, 100).await.unwrap(),
        ended[1..2],
        "and counts among those that may not stay"
    );
    let last = ended[2].clone();
    let first_found =
        store.find_jobs(String::new(), ended[0].id.as_str().to_owned()).await.unwrap().remove(0);
    let before =
        store.removable(Some(first_found.modified.after(Duration::from_nanos(1))), 0, 0, 9).await.unwrap();
    assert_eq!(before, ended[..1]);

    let changed = Removable { revision: last.revision + 1, ..last.clone() };
    assert_eq!(store.remove(vec![changed]).await.unwrap(), 0, "it is not as it was");
    assert_eq!(store.remove(ended.clone()).await.unwrap(), 3);
    assert_eq!(store.remove(ended).await.unwrap(), 0);
    assert!(store.find_jobs(String::new(), last.id.as_str().to_owned()).await.unwrap().is_empty());
    assert!(store.forgotten().await.unwrap().is_some());
    let (position, snapshot) = store.snapshot().unwrap();
    assert_eq!(snapshot.jobs.len(), 2);
    assert!(position > 0);
    let left: Vec<i64> = store
        .ledger
        .read_blocking(|connection| {
            ["job", "job_state", "job_version", "job_label", "history", "execution", "execution_state"]
                .iter()
                .map(|table| {
                    connection.query_row(&format!("SELECT count(*) FROM {table}"), (), |row| row.get(0))
                })
                .collect()
        })
        .unwrap();
    assert_eq!((left[0], left[1], left[2], left[3]), (2, 2, 2, 2));
    assert!(left[4] > 0 && (left[5], left[6]) == (0, 0), "{left:?}");
}

#[tokio::test]
async fn what_is_sealed_of_one_secret_over_time_is_bounded() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    let (job, name): (_, Name) = (JobId::new("j-1"), "key".parse().unwrap());
    // For as many nodes as a submission has room for.
    let envelope = |first: usize| {
        let keys = (first..first + 20_000).map(|node| (NodeId::new(format!("n-{node}")), "k".repeat(250)));
        SealedByClient { content: "c".repeat(100), keys: keys.collect() }
    };
    let grant = Grant {
        name: name.clone(),
        given: true,
        locked: None,
        sealed: Some(vec![envelope(0)]),
        fingerprint: String::new(),
        at: Timestamp::default(),
    };
    let granted = Record::SecretsGranted { job: job.clone(), version: 1, grants: [grant].into() };
    store.append(0, vec![granted]).await.wait().await.unwrap();
    let add = async |first: usize| {
        let envelopes = BTreeMap::from([(name.clone(), envelope(first))]);
        store.add_sealed(job.clone(), 1, envelopes).await.unwrap()
    };
    assert_eq!(add(20_000).await, Ok(()));
    assert_eq!(add(40_000).await, Err(NotAdded::TooLarge(name.clone())));
    assert_eq!(add(20_000).await, Ok(()), "for the same nodes it takes the place of what was there");
}
