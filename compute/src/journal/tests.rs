use super::*;

/// A disk with room for so many pages.
async fn room_for(journal: &Journal, pages: u32) {
    let pragma = format!("PRAGMA max_page_count = {pages}");
    journal.ledger.write(move |transaction| transaction.execute_batch(&pragma)).await.wait().await.unwrap();
}

fn printed(text: &str) -> Recording {
    let mut output = Recording::default();
    let at = skrei_job::Timestamp::from_seconds(1);
    output.write(skrei_protocol::link::Stream::Out, text.as_bytes(), at, 1 << 20);
    output
}

#[tokio::test]
async fn a_full_disk_makes_an_outcome_wait_and_loses_nothing_of_it() {
    let directory = tempfile::tempdir().unwrap();
    let journal = Journal::open(&directory.path().join("journal.db")).await.unwrap();
    let (id, other) = (ExecutionId::new("e-1"), ExecutionId::new("e-2"));
    journal.start(&id).await.unwrap();
    room_for(&journal, 1).await;
    let mut unwell = journal.unwell();
    assert_eq!(unwell.borrow().why(), None);

    let output = printed(&"x".repeat(100_000));
    let done = ExecutionState::Completed(RunOutput::default());
    let ends = journal.end(&id, done.clone(), output.clone());
    let room = async {
        unwell.changed().await.unwrap();
        let why = unwell.borrow_and_update().why().unwrap().to_owned();
        assert!(why.contains("journal cannot be written") && why.contains("full"), "{why}");
        // Whoever gives up waiting leaves the rest waiting.
        let gives_up = journal.end(&other, done.clone(), output.clone());
        assert!(tokio::time::timeout(Duration::from_millis(100), gives_up).await.is_err());
        assert!(unwell.borrow().why().is_some() && journal.ended(&id).is_none());
        room_for(&journal, u32::MAX - 1).await;
    };
    let (ended, ()) = tokio::join!(ends, room);
    ended.unwrap();
    assert_eq!(unwell.borrow().why(), None);
    assert_eq!(journal.output(&id).await.unwrap(), Some(output));
    let states: Vec<_> =
        journal.reports(0, 10).await.unwrap().into_iter().map(|report| report.state).collect();
    assert_eq!(states, [ExecutionState::Running, done]);
}
