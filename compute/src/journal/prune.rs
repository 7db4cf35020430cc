//! What the journal forgets.

use skrei_job::ExecutionId;
use skrei_ledger::rusqlite::{self, Transaction};

/// Ended executions kept: a day of one every eight seconds, and their ids fit in a few megabytes of memory.
const ENDED_MAX: u32 = 10_000;

/// Output kept of ended executions, together.
const LOG_BYTES_MAX: i64 = 256 << 20;

/// Forgets the executions that ended longest ago, as far as they are acknowledged, and the oldest output. Only
/// an acknowledged execution may be forgotten: the orchestrator will not assign it again.
pub(super) fn prune(transaction: &Transaction<'_>, acknowledged: u64) -> rusqlite::Result<Vec<ExecutionId>> {
    let pruned = transaction
        .prepare_cached(
            "DELETE FROM execution WHERE ended <= ?1 AND ended <= coalesce(
                 (SELECT ended FROM execution WHERE ended IS NOT NULL ORDER BY ended DESC LIMIT 1 OFFSET ?2), -1)
             RETURNING seq, id",
        )?
        .query_map((acknowledged.cast_signed(), ENDED_MAX), |row| {
            Ok((row.get::<_, i64>(0)?, ExecutionId::new(row.get::<_, String>(1)?)))
        })?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let mut forget_log = transaction.prepare_cached("DELETE FROM log WHERE execution = ?1")?;
    for (seq, _) in &pruned {
        forget_log.execute([seq])?;
    }
    transaction
        .prepare_cached(
            "DELETE FROM log WHERE execution <= coalesce((SELECT max(execution) FROM
                 (SELECT execution, sum(bytes) OVER (ORDER BY execution DESC) AS total FROM log)
                 WHERE total > ?1), -1)",
        )?
        .execute([LOG_BYTES_MAX])?;
    Ok(pruned.into_iter().map(|(_, id)| id).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::schema;

    #[test]
    fn only_what_is_acknowledged_and_old_is_forgotten() {
        let mut connection = rusqlite::Connection::open_in_memory().unwrap();
        connection.execute_batch(&schema::MIGRATIONS.concat()).unwrap();
        let transaction = connection.transaction().unwrap();
        let extra = 5_u32;
        for number in 1..=ENDED_MAX + extra {
            let row = (format!("e-{number}"), number);
            transaction
                .execute("INSERT INTO execution (id, ended, outcome) VALUES (?1, ?2, '')", row)
                .unwrap();
        }
        transaction.execute("INSERT INTO execution (id) VALUES ('running')", ()).unwrap();
        transaction.execute("INSERT INTO log VALUES (1, 1, ''), (900, 1, '')", ()).unwrap();
        let mut pruned = prune(&transaction, 3).unwrap();
        pruned.sort();
        assert_eq!(pruned, [ExecutionId::new("e-1"), ExecutionId::new("e-2"), ExecutionId::new("e-3")]);
        assert_eq!(prune(&transaction, u64::from(ENDED_MAX)).unwrap().len(), 2);
        let logs: u32 = transaction.query_row("SELECT count(*) FROM log", (), |row| row.get(0)).unwrap();
        assert_eq!(logs, 1);
    }

    #[test]
    fn the_oldest_output_goes_when_there_is_too_much() {
        let mut connection = rusqlite::Connection::open_in_memory().unwrap();
        connection.execute_batch(&schema::MIGRATIONS.concat()).unwrap();
        let transaction = connection.transaction().unwrap();
        for number in 1..=3_i64 {
            let id = format!("e-{number}");
            transaction.execute("INSERT INTO execution VALUES (?2, ?1, ?2, '')", (&id, number)).unwrap();
            transaction.execute("INSERT INTO log VALUES (?1, ?2, '')", (number, LOG_BYTES_MAX / 2)).unwrap();
        }
        prune(&transaction, 0).unwrap();
        let oldest: i64 =
            transaction.query_row("SELECT min(execution) FROM log", (), |row| row.get(0)).unwrap();
        assert_eq!(oldest, 2);
    }
}
