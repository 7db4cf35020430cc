//! What the journal forgets.

use skrei_job::ExecutionId;
use skrei_ledger::rusqlite::{self, Connection, Transaction};

/// Ended executions kept: a day of one every eight seconds, and their ids fit in a few megabytes of memory.
const ENDED_MAX: u32 = 10_000;

/// Logs of which it is remembered that they were there.
const TRACES_MAX: u32 = 10_000;

/// Forgets the executions that ended longest ago, as far as they are acknowledged. Only an acknowledged execution may
/// be forgotten: the orchestrator will not assign it again.
pub(super) fn executions(
    transaction: &Transaction<'_>,
    acknowledged: u64,
) -> rusqlite::Result<Vec<ExecutionId>> {
    transaction
        .prepare_cached(
            "DELETE FROM execution WHERE ended <= ?1 AND ended <= coalesce(
                 (SELECT ended FROM execution WHERE ended IS NOT NULL ORDER BY ended DESC LIMIT 1 OFFSET ?2), -1)
             RETURNING id",
        )?
        .query_map((acknowledged.cast_signed(), ENDED_MAX), |row| {
            Ok(ExecutionId::new(row.get::<_, String>(0)?))
        })?
        .collect()
}

/// The last of the logs that are to go: those whose execution ended before a time, in seconds since the epoch, and the
/// oldest of those that are too many bytes together. All up to it go; none if nothing is to.
pub(super) fn last_to_go(
    connection: &Connection,
    ended_before: i64,
    bytes_max: u64,
) -> rusqlite::Result<Option<i64>> {
    connection
        .prepare_cached(
            "SELECT max(seq) FROM
                 (SELECT seq, at, sum(bytes) OVER (ORDER BY seq DESC) AS total FROM output WHERE dropped = 0)
             WHERE total > ?1 OR at < ?2",
        )?
        .query_row((i64::try_from(bytes_max).unwrap_or(i64::MAX), ended_before), |row| row.get(0))
}

/// Drops the content of some of the logs up to one, oldest first, and remembers how much that was. Returns how many
/// logs those were.
pub(super) fn drop_logs(transaction: &Transaction<'_>, up_to: i64, max: usize) -> rusqlite::Result<usize> {
    let dropped = transaction
        .prepare_cached(
            "UPDATE output SET content = x'', dropped = bytes, bytes = 0 WHERE seq IN
                 (SELECT seq FROM output WHERE dropped = 0 AND seq <= ?1 ORDER BY seq LIMIT ?2)",
        )?
        .execute((up_to, i64::try_from(max).unwrap_or(i64::MAX)))?;
    transaction
        .prepare_cached(
            "DELETE FROM output WHERE dropped > 0 AND seq <= coalesce(
                 (SELECT seq FROM output WHERE dropped > 0 ORDER BY seq DESC LIMIT 1 OFFSET ?1), -1)",
        )?
        .execute([TRACES_MAX])?;
    Ok(dropped)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::schema;

    fn journal() -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        for migration in schema::MIGRATIONS {
            connection.execute_batch(migration).unwrap();
        }
        connection
    }

    #[test]
    fn only_what_is_acknowledged_and_old_is_forgotten() {
        let mut connection = journal();
        let transaction = connection.transaction().unwrap();
        let extra = 5_u32;
        for number in 1..=ENDED_MAX + extra {
            let row = (format!("e-{number}"), number);
            transaction
                .execute("INSERT INTO execution (id, ended, outcome) VALUES (?1, ?2, '')", row)
                .unwrap();
        }
        transaction.execute("INSERT INTO execution (id) VALUES ('running')", ()).unwrap();
        let mut pruned = executions(&transaction, 3).unwrap();
        pruned.sort();
        assert_eq!(pruned, [ExecutionId::new("e-1"), ExecutionId::new("e-2"), ExecutionId::new("e-3")]);
        assert_eq!(executions(&transaction, u64::from(ENDED_MAX)).unwrap().len(), 2);
    }

    #[test]
    fn the_oldest_output_goes_when_there_is_too_much_or_its_time_is_over() {
        let mut connection = journal();
        for number in 1..=5_i64 {
            let row = (format!("e-{number}"), number * 10);
            let sql = "INSERT INTO output (id, at, bytes, content) VALUES (?1, ?2, 100, 'x')";
            connection.execute(sql, row).unwrap();
        }
        assert_eq!(last_to_go(&connection, 0, 500).unwrap(), None);
        assert_eq!(last_to_go(&connection, 30, 500).unwrap(), Some(2), "of those that ended before 30");
        assert_eq!(last_to_go(&connection, 0, 250).unwrap(), Some(3), "two have room");
        let transaction = connection.transaction().unwrap();
        assert_eq!(drop_logs(&transaction, 3, 2).unwrap(), 2);
        assert_eq!(drop_logs(&transaction, 3, 2).unwrap(), 1);
        assert_eq!(drop_logs(&transaction, 3, 2).unwrap(), 0);
        let rows: Vec<(i64, i64)> = transaction
            .prepare("SELECT bytes, dropped FROM output ORDER BY seq")
            .unwrap()
            .query_map((), |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap()
            .collect::<rusqlite::Result<_>>()
            .unwrap();
        assert_eq!(rows, [(0, 100), (0, 100), (0, 100), (100, 0), (100, 0)]);
    }
}
