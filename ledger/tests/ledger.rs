//! What a ledger promises: order, wholeness, and durability before the answer.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

use skrei_ledger::{Error, Ledger};

const SCHEMA: &[&str] = &["CREATE TABLE entry (number INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE)"];

async fn insert(ledger: &Ledger, text: &str) -> Result<i64, Error> {
    let text = text.to_owned();
    let change = ledger.write(move |transaction| {
        transaction.execute("INSERT INTO entry (text) VALUES (?1)", [text])?;
        Ok(transaction.last_insert_rowid())
    });
    change.await.wait().await
}

async fn all(ledger: &Ledger) -> Vec<String> {
    let query = |connection: &skrei_ledger::rusqlite::Connection| {
        connection
            .prepare("SELECT text FROM entry ORDER BY number")?
            .query_map((), |row| row.get(0))?
            .collect()
    };
    ledger.read(query).await.unwrap()
}

#[tokio::test]
async fn what_was_answered_is_there_after_reopening() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("test.db");
    let ledger = Ledger::open(&path, SCHEMA).unwrap();
    assert_eq!(insert(&ledger, "a").await.unwrap(), 1);
    assert_eq!(insert(&ledger, "b").await.unwrap(), 2);
    drop(ledger);
    assert_eq!(all(&Ledger::open(&path, SCHEMA).unwrap()).await, ["a", "b"]);
}

#[tokio::test]
async fn a_change_that_fails_takes_nothing_else_of_its_batch_with_it() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(&directory.path().join("test.db"), SCHEMA).unwrap();
    let mut waiting = Vec::new();
    for text in ["a", "a", "b", "a", "c"] {
        waiting.push(
            ledger
                .write(move |transaction| transaction.execute("INSERT INTO entry (text) VALUES (?1)", [text]))
                .await,
        );
    }
    let mut stored = Vec::new();
    for committed in waiting {
        stored.push(committed.wait().await.is_ok());
    }
    assert_eq!(stored, [true, false, true, false, true]);
    assert_eq!(all(&ledger).await, ["a", "b", "c"]);
}

#[tokio::test]
async fn a_file_of_a_newer_version_is_refused_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("test.db");
    drop(Ledger::open(&path, &["CREATE TABLE a (x)", "CREATE TABLE b (x)"]).unwrap());
    let refused = Ledger::open(&path, SCHEMA).unwrap_err().to_string();
    assert!(refused.ends_with("has schema 2, this program knows up to 1"), "{refused}");
}

#[test]
fn a_file_that_is_no_database_is_refused_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("test.db");
    std::fs::write(&path, "not a database, but long enough to be read as one".repeat(100)).unwrap();
    let refused = Ledger::open(&path, SCHEMA).unwrap_err().to_string();
    assert!(refused.contains("test.db") && refused.contains("not a database"), "{refused}");
}
