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
async fn what_goes_along_is_there_before_whatever_was_queued_after_it_and_soon_in_any_case() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("test.db");
    let ledger = Ledger::open(&path, SCHEMA).unwrap();
    let along = async |text: String| {
        ledger
            .write_along(move |transaction| {
                transaction.execute("INSERT INTO entry (text) VALUES (?1)", [text]).map(drop)
            })
            .await;
    };
    let mut expected = Vec::new();
    for round in 0..300 {
        // More than may wait, now and then.
        for number in 0..if round % 100 == 0 { 600 } else { 2 } {
            let text = format!("{round}-{number}");
            along(text.clone()).await;
            expected.push(text);
        }
        insert(&ledger, &format!("{round}")).await.unwrap();
        expected.push(format!("{round}"));
        if round % 50 == 0 {
            assert_eq!(all(&ledger).await, expected);
        }
    }
    assert_eq!(all(&ledger).await, expected);

    along("by itself".to_owned()).await;
    let start = std::time::Instant::now();
    while all(&ledger).await.len() == expected.len() {
        assert!(start.elapsed().as_secs() < 60, "it waits for somebody for ever");
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    along("at the end".to_owned()).await;
    drop(ledger);
    let ledger = Ledger::open(&path, SCHEMA).unwrap();
    while all(&ledger).await.last().unwrap() != "at the end" {
        assert!(start.elapsed().as_secs() < 60, "what went along last is lost");
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn a_full_disk_refuses_whoever_waits_with_its_cause_and_what_is_said_again_is_stored() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(&directory.path().join("test.db"), SCHEMA).unwrap();
    insert(&ledger, "before").await.unwrap();
    let bound = async |pages: u32| {
        let pragma = format!("PRAGMA max_page_count = {pages}");
        ledger.write(move |transaction| transaction.execute_batch(&pragma)).await.wait().await.unwrap();
    };
    bound(1).await;
    let long = "x".repeat(1 << 20);
    let mut waiting = Vec::new();
    for number in 0..20 {
        let text = format!("{number}{long}");
        let insert = move |transaction: &skrei_ledger::rusqlite::Transaction<'_>| {
            transaction.execute("INSERT INTO entry (text) VALUES (?1)", [text])
        };
        waiting.push(ledger.write(insert).await);
    }
    for committed in waiting {
        let error = committed.wait().await.unwrap_err();
        assert!(error.may_pass() && error.to_string().contains("full"), "{error}");
    }
    bound(u32::MAX - 1).await;
    insert(&ledger, &long).await.unwrap();
    assert_eq!(all(&ledger).await, ["before".to_owned(), long]);
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

#[tokio::test]
async fn a_backup_is_whole_and_as_it_was_at_one_moment_while_others_write() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.db");
    let ledger = Ledger::open(&path, SCHEMA).unwrap();
    for number in 0..200 {
        insert(&ledger, &format!("{number:0>4000}")).await.unwrap();
    }
    let writing = ledger.clone();
    let more = tokio::spawn(async move {
        for number in 200..400 {
            insert(&writing, &format!("{number:0>4000}")).await.unwrap();
        }
    });
    let copy = directory.path().join("copy.db");
    let (from, to) = (path.clone(), copy.clone());
    let size = tokio::task::spawn_blocking(move || skrei_ledger::backup(&from, &to)).await.unwrap().unwrap();
    assert_eq!(size, std::fs::metadata(&copy).unwrap().len());
    more.await.unwrap();
    let held = all(&Ledger::open(&copy, SCHEMA).unwrap()).await;
    assert!((200..=400).contains(&held.len()), "{}", held.len());
    assert!(held.iter().enumerate().all(|(number, text)| *text == format!("{number:0>4000}")), "no gap");
    assert_eq!(all(&ledger).await.len(), 400);

    let refused = skrei_ledger::backup(&path, &copy).unwrap_err().to_string();
    assert!(refused.contains("copy.db"), "nothing is written over: {refused}");
    let nowhere = skrei_ledger::backup(&directory.path().join("none.db"), &directory.path().join("b.db"));
    assert!(nowhere.is_err() && !directory.path().join("b.db").exists());
}

#[tokio::test]
async fn the_log_is_folded_beside_the_writer_and_does_not_grow_without_end() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.db");
    let ledger = Ledger::open(&path, SCHEMA).unwrap();
    // 128 MiB in all, eight times what is folded at once.
    for number in 0..32 {
        insert(&ledger, &format!("{number}{}", "x".repeat(4 << 20))).await.unwrap();
    }
    let log = std::fs::metadata(directory.path().join("a.db-wal")).unwrap().len();
    assert!(log < 96 << 20, "{log} bytes of log");
}

#[tokio::test]
async fn a_damaged_file_is_not_opened_and_says_the_way_out() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.db");
    let ledger = Ledger::open(&path, SCHEMA).unwrap();
    for number in 0..200 {
        insert(&ledger, &format!("{number:0>4000}")).await.unwrap();
    }
    drop(ledger);
    // The writer folds its log and closes when its last handle is gone.
    let start = std::time::Instant::now();
    while directory.path().join("a.db-wal").exists() {
        assert!(start.elapsed().as_secs() < 60, "the log stays behind");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 8192].fill(0xa5);
    std::fs::write(&path, bytes).unwrap();
    let refused = Ledger::open(&path, SCHEMA).unwrap_err().to_string();
    assert!(refused.contains("a.db") && refused.contains("backup"), "{refused}");
}
