//! Lists of jobs, in pages.
//!
//! A page goes on after the last job of the one before, whatever has been added or removed meanwhile, and costs the same
//! wherever it is. Which jobs are looked at is narrowed by indexes; whether a job's labels match is decided by
//! [`Requirement::matches`] alone. Where few of the jobs that are looked at match, a page ends before it is full.

use skrei_job::labels::{Operator, Requirement};
use skrei_ledger::rusqlite::{Connection, Result, params_from_iter, types::Value};

use super::{
    Error, Store,
    jobs::{COLUMNS, FROM, StoredJob, stored},
};

/// Rows of labels looked up for one page: some 20 ms. Beyond, the next page goes on.
const LOOKUPS_MAX: usize = 20_000;

/// What a job counts for that is read whole, and then does not match.
const READ_LOOKUPS: usize = 20;

/// A page ends early when its jobs, as stored, have so many bytes: each may carry a module of several megabytes.
const PAGE_BYTES_MAX: usize = 16 << 20;

/// A label that fewer jobs have is where the search begins, and what it finds is sorted.
const RARE_MAX: u64 = 1000;

/// Which jobs, in which order, and how many.
#[derive(Clone, Debug, Default)]
pub(crate) struct JobQuery {
    /// Empty means all.
    pub(crate) namespace: String,
    /// All must hold for the job's labels.
    pub(crate) labels: Vec<Requirement>,
    pub(crate) order: Order,
    /// The last first.
    pub(crate) reverse: bool,
    /// Where the page before ended.
    pub(crate) after: Option<Cursor>,
    pub(crate) limit: usize,
}

/// By what jobs are ordered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Order {
    /// When they were submitted first.
    #[default]
    Created,
    /// When they changed last.
    Modified,
    Id,
}

/// A job's place in an order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cursor {
    /// In the order of creation.
    pub(crate) seq: i64,
    /// Nanoseconds since the epoch.
    pub(crate) modified: i64,
    pub(crate) id: String,
}

/// Part of the jobs.
#[derive(Clone, Debug, Default)]
pub(crate) struct JobPage {
    pub(crate) jobs: Vec<StoredJob>,
    /// Where the next page begins, if there is more.
    pub(crate) next: Option<Cursor>,
}

impl Store {
    /// A page of jobs.
    pub(crate) async fn jobs(&self, query: JobQuery) -> std::result::Result<JobPage, Error> {
        self.read(move |connection| page(connection, &query)).await
    }
}

fn page(connection: &Connection, query: &JobQuery) -> Result<JobPage> {
    let Statement { sql, values, lookups } = statement(connection, query)?;
    let mut statement = connection.prepare_cached(&sql)?;
    let mut one = connection.prepare_cached(&format!("SELECT {COLUMNS} {FROM} WHERE job.seq = ?1"))?;
    let mut rows = statement.query(params_from_iter(values))?;
    let (mut page, mut bytes, mut looked_up) = (JobPage::default(), 0, 0);
    let mut last = None;
    while let Some(row) = rows.next()? {
        if looked_up > LOOKUPS_MAX {
            page.next = last;
            break;
        }
        looked_up += lookups;
        let here = Cursor { seq: row.get(0)?, modified: row.get(1)?, id: row.get(2)? };
        if row.get(3)? {
            let (job, size) =
                one.query_row([here.seq], |row| Ok((stored(row)?, row.get_ref(1)?.as_bytes()?.len())))?;
            if !query.labels.iter().all(|requirement| requirement.matches(&job.manifest.labels)) {
                looked_up += READ_LOOKUPS;
            } else if page.jobs.len() == query.limit || (bytes > 0 && bytes + size > PAGE_BYTES_MAX) {
                page.next = last;
                break;
            } else {
                bytes += size;
                page.jobs.push(job);
            }
        }
        last = Some(here);
    }
    Ok(page)
}

struct Statement {
    sql: String,
    values: Vec<Value>,
    /// How much is looked up for each row.
    lookups: usize,
}

/// The jobs to look at, in order: the three parts of a [`Cursor`] as far as the order has them, and whether the job may be
/// one of those asked for.
fn statement(connection: &Connection, query: &JobQuery) -> Result<Statement> {
    let driving = driving_label(connection, query)?;
    // What narrows an index, and what is found out for each row of it.
    let (mut conditions, mut tests) = (Vec::new(), Vec::new());
    let mut values = Vec::new();
    let mut bind = |value: Value| {
        values.push(value);
        format!("?{}", values.len())
    };
    // With a label in front its own column keeps the order of the index.
    let seq = if driving.is_some() { "label.job" } else { "job.seq" };
    let mut from = match driving {
        None => "FROM job".to_owned(),
        Some(requirement) => {
            conditions.push(has_label(requirement, "label", &mut bind));
            "FROM job_label label".to_owned()
        }
    };
    // Nothing is looked up for a row that neither its order nor a condition asks for. CROSS JOIN is how SQLite is told which
    // table goes first.
    if driving.is_some() && (query.order == Order::Id || !query.namespace.is_empty()) {
        from.push_str(" CROSS JOIN job ON job.seq = label.job");
    }
    match (query.order, driving) {
        (Order::Modified, None) => from.push_str(" JOIN job_state state ON state.job = job.seq"),
        (Order::Modified, Some(_)) => from.push_str(" CROSS JOIN job_state state ON state.job = label.job"),
        _ => {}
    }
    if !query.namespace.is_empty() {
        let is_of = format!("job.namespace = {}", bind(Value::Text(query.namespace.clone())));
        // In the order of creation there is an index of each namespace.
        let narrows = driving.is_none() && query.order == Order::Created;
        let list = if narrows { &mut conditions } else { &mut tests };
        list.push(is_of);
    }
    for requirement in &query.labels {
        if driving.is_some_and(|driving| std::ptr::eq(driving, requirement)) {
            continue;
        }
        let not = match requirement.operator {
            Operator::NotEquals | Operator::NotIn | Operator::DoesNotExist => "NOT ",
            _ => "",
        };
        let has = has_label(requirement, "other", &mut bind);
        tests.push(format!("{not}EXISTS (SELECT 1 FROM job_label other WHERE other.job = {seq} AND {has})"));
    }
    let (direction, beyond) = if query.reverse { ("DESC", "<") } else { ("ASC", ">") };
    if let Some(after) = &query.after {
        conditions.push(match query.order {
            Order::Created => format!("{seq} {beyond} {}", bind(Value::Integer(after.seq))),
            Order::Modified => {
                let (modified, last) =
                    (bind(Value::Integer(after.modified)), bind(Value::Integer(after.seq)));
                format!("(state.modified, state.job) {beyond} ({modified}, {last})")
            }
            Order::Id => format!("job.id {beyond} {}", bind(Value::Text(after.id.clone()))),
        });
    }
    let order = match query.order {
        Order::Created => format!("{seq} {direction}"),
        Order::Modified => format!("state.modified {direction}, state.job {direction}"),
        Order::Id => format!("job.id {direction}"),
    };
    let lookups = tests.len();
    let all = |parts: Vec<String>| if parts.is_empty() { "TRUE".to_owned() } else { parts.join(" AND ") };
    let (conditions, tests) = (all(conditions), all(tests));
    let modified = if query.order == Order::Modified { "state.modified" } else { "0" };
    let id = if query.order == Order::Id { "job.id" } else { "''" };
    let sql =
        format!("SELECT {seq}, {modified}, {id}, {tests} AS fits {from} WHERE {conditions} ORDER BY {order}");
    Ok(Statement { sql, values, lookups })
}

/// That the row of a label is one a requirement asks for, or forbids.
fn has_label(requirement: &Requirement, table: &str, bind: &mut impl FnMut(Value) -> String) -> String {
    let key = format!("{table}.key = {}", bind(Value::Text(requirement.key.clone())));
    let compared = matches!(
        requirement.operator,
        Operator::Equals | Operator::NotEquals | Operator::In | Operator::NotIn
    );
    if !compared {
        return key;
    }
    let values: Vec<_> = requirement.values.iter().map(|value| bind(Value::Text(value.clone()))).collect();
    match values.as_slice() {
        [value] => format!("{key} AND {table}.value = {value}"),
        _ => format!("{key} AND {table}.value IN ({})", values.join(", ")),
    }
}

/// The requirement to begin with: the one that the fewest jobs meet, if those are few, or if the index of labels has
/// them in the order that is asked for.
fn driving_label<'query>(
    connection: &Connection,
    query: &'query JobQuery,
) -> Result<Option<&'query Requirement>> {
    let mut best: Option<(u64, &Requirement)> = None;
    for requirement in &query.labels {
        let one_value = requirement.values.len() == 1;
        let in_order = match requirement.operator {
            Operator::Equals | Operator::In => one_value && query.order == Order::Created,
            Operator::Exists | Operator::GreaterThan | Operator::LessThan => false,
            Operator::NotEquals | Operator::NotIn | Operator::DoesNotExist => continue,
        };
        let mut values = Vec::new();
        let has = has_label(requirement, "label", &mut |value| {
            values.push(value);
            format!("?{}", values.len())
        });
        let sql =
            format!("SELECT count(*) FROM (SELECT 1 FROM job_label label WHERE {has} LIMIT {RARE_MAX})");
        let met: u64 = connection
            .prepare_cached(&sql)?
            .query_row(params_from_iter(values), |row| row.get::<_, i64>(0))?
            .cast_unsigned();
        if (met < RARE_MAX || in_order) && best.is_none_or(|(fewest, _)| met < fewest) {
            best = Some((met, requirement));
        }
    }
    Ok(best.map(|(_, requirement)| requirement))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::MIGRATIONS;

    fn requirement(key: &str, operator: Operator, values: &[&str]) -> Requirement {
        Requirement {
            key: key.to_owned(),
            operator,
            values: values.iter().map(|&value| value.to_owned()).collect(),
        }
    }

    /// How SQLite goes about a list.
    fn plan(connection: &Connection, query: &JobQuery) -> String {
        let Statement { sql, values, .. } = statement(connection, query).unwrap();
        let mut explained = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let lines = explained.query_map(params_from_iter(values), |row| row.get::<_, String>(3)).unwrap();
        lines.collect::<Result<Vec<_>>>().unwrap().join("\n")
    }

    #[test]
    fn a_page_reads_an_index_in_order_and_nothing_is_read_whole_and_sorted() {
        let connection = Connection::open_in_memory().unwrap();
        for migration in MIGRATIONS {
            connection.execute_batch(migration).unwrap();
        }
        // Common enough to be walked in order: more than what counts as rare.
        connection
            .execute_batch(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1500)
                 INSERT INTO job_label SELECT 'env', 'prod', i FROM n",
            )
            .unwrap();
        let common = requirement("env", Operator::Equals, &["prod"]);
        let other = requirement("env", Operator::NotEquals, &["dev"]);
        let after = Some(Cursor { seq: 7, modified: 8, id: "j-9".to_owned() });
        for labels in [vec![], vec![common.clone()], vec![other.clone()], vec![common, other]] {
            for order in [Order::Created, Order::Modified, Order::Id] {
                for reverse in [false, true] {
                    let after = after.clone();
                    let query = JobQuery {
                        labels: labels.clone(),
                        order,
                        reverse,
                        after,
                        limit: 10,
                        ..JobQuery::default()
                    };
                    let plan = plan(&connection, &query);
                    assert!(!plan.contains("TEMP B-TREE"), "{query:?}\n{plan}");
                    // The order itself may be walked; everything else is looked up.
                    assert!(plan.matches("SCAN").count() <= 1, "{query:?}\n{plan}");
                }
            }
        }
        let namespace = JobQuery { namespace: "default".to_owned(), limit: 10, ..JobQuery::default() };
        assert!(!plan(&connection, &namespace).contains("TEMP B-TREE"));
        // What few jobs have comes first, whatever the order, and those few are sorted.
        let rare = requirement("team", Operator::In, &["a", "b"]);
        let query = JobQuery { labels: vec![rare], order: Order::Id, limit: 10, ..JobQuery::default() };
        assert!(plan(&connection, &query).starts_with("SEARCH label"), "{}", plan(&connection, &query));
    }

    #[test]
    fn a_page_for_which_little_is_found_ends_early_and_the_next_goes_on() {
        let connection = Connection::open_in_memory().unwrap();
        for migration in MIGRATIONS {
            connection.execute_batch(migration).unwrap();
        }
        let jobs = LOOKUPS_MAX * 2 + 10;
        connection
            .execute_batch(&format!(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {jobs})
                 INSERT INTO job SELECT i, 'j-' || i, 'default', 'j-' || i, i FROM n;
                 INSERT INTO job_label SELECT 'env', 'prod', seq FROM job;
                 INSERT INTO job_state (job, version, revision, state, message, modified)
                     SELECT seq, 1, 1, 4, '', seq FROM job;
                 INSERT INTO job_version (job, version, submitted, spec) SELECT seq, 1, 1, '{{}}' FROM job;
                 DELETE FROM job_label WHERE job IN (5, {jobs});"
            ))
            .unwrap();
        for order in [Order::Created, Order::Modified] {
            let labels = vec![requirement("env", Operator::NotEquals, &["prod"])];
            let mut query = JobQuery { labels, order, limit: 10, ..JobQuery::default() };
            let mut found = Vec::new();
            let mut pages = 0;
            loop {
                let page = page(&connection, &query).unwrap();
                found.extend(page.jobs.into_iter().map(|job| job.id.as_str().to_owned()));
                pages += 1;
                query.after = page.next;
                if query.after.is_none() {
                    break;
                }
            }
            assert_eq!((found, pages), (vec!["j-5".to_owned(), format!("j-{jobs}")], 3));
        }
    }
}
