//! Lists: order, pages, labels.

use serde_json::{Value, json};

use super::{
    harness::{Orchestrator, completed},
    http::job_with,
};

async fn read(orchestrator: &Orchestrator, query: &str) -> (Vec<String>, String) {
    let list = orchestrator.get(&format!("/orchestrator/jobs?{query}")).await.ok();
    let ids = list["Items"].as_array().unwrap().iter().map(|job| job["Name"].as_str().unwrap().to_owned());
    (ids.collect(), list["NextToken"].as_str().unwrap().to_owned())
}

/// All pages, one after the other.
async fn pages(orchestrator: &Orchestrator, query: &str) -> Vec<String> {
    let (mut all, mut token) = read(orchestrator, query).await;
    while !token.is_empty() {
        // What a token remembers counts more than what is asked for again.
        let (page, next) =
            read(orchestrator, &format!("{query}&next_token={token}&order_by=&reverse=0")).await;
        assert!(!page.is_empty(), "a token promises more");
        all.extend(page);
        token = next;
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn every_order_gives_every_job_once_over_its_pages() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let mut names = Vec::new();
    for number in 0..7 {
        let name = format!("job-{number}");
        let labels =
            json!({"parity": if number % 2 == 0 { "even" } else { "odd" }, "number": number.to_string()});
        let fields =
            json!({"Name": name, "Labels": labels, "Namespace": if number < 5 { "default" } else { "late" }});
        orchestrator.put_job(&job_with("batch", fields)).await;
        names.push(name);
    }
    // The first changes last.
    orchestrator.delete("/orchestrator/jobs/job-0", None).await;
    assert_eq!(pages(&orchestrator, "limit=3").await, names);
    let backwards: Vec<_> = names.iter().rev().cloned().collect();
    assert_eq!(pages(&orchestrator, "limit=2&reverse=true").await, backwards);
    assert_eq!(pages(&orchestrator, "limit=1&order_by=created_at&reverse=1").await, backwards);
    let modified = pages(&orchestrator, "limit=3&order_by=modified_at").await;
    assert_eq!(modified.len(), 7);
    let mut by_id = pages(&orchestrator, "limit=2&order_by=id").await;
    by_id.sort();
    assert_eq!(by_id, names);
    assert_eq!(pages(&orchestrator, "limit=2&namespace=late").await, names[5..]);

    for (selector, expected) in [
        ("parity=odd", vec![1, 3, 5]),
        ("parity!=odd", vec![0, 2, 4, 6]),
        ("parity+in+(odd,none)", vec![1, 3, 5]),
        ("parity+notin+(odd)", vec![0, 2, 4, 6]),
        ("number>4", vec![5, 6]),
        ("number<2,parity", vec![0, 1]),
        ("!parity", vec![]),
        ("parity=even&labels=number+in+(1,2,3)", vec![2]),
        ("parity=even&namespace=late", vec![6]),
        ("none!=x,number=3", vec![3]),
    ] {
        let expected: Vec<_> = expected.into_iter().map(|number: usize| names[number].clone()).collect();
        for order in ["", "order_by=modified_at", "order_by=id"] {
            let mut found = pages(&orchestrator, &format!("limit=2&{order}&labels={selector}")).await;
            if !order.is_empty() {
                found.sort();
            }
            assert_eq!(found, expected, "{selector} {order}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_goes_on_where_it_was_though_jobs_come_meanwhile_and_labels_change() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let labelled = |name: &str, label: &str| job_with("batch", json!({"Name": name, "Labels": {"l": label}}));
    for name in ["a", "b", "c"] {
        orchestrator.put_job(&labelled(name, "old")).await;
    }
    let (page, token) = read(&orchestrator, "limit=2&reverse=true&labels=l%3Dold").await;
    assert_eq!(page, ["c", "b"]);
    orchestrator.put_job(&labelled("d", "old")).await;
    let (page, token) = read(&orchestrator, &format!("labels=l%3Dold&next_token={token}")).await;
    assert_eq!((page, token), (vec!["a".to_owned()], String::new()));
    // The labels of the latest version count.
    orchestrator.put_job(&labelled("a", "new")).await;
    assert_eq!(read(&orchestrator, "labels=l%3Dold").await.0, ["b", "c", "d"]);
    assert_eq!(read(&orchestrator, "labels=l%3Dnew").await.0, ["a"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_are_ordered_and_filtered() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let _nodes = [orchestrator.node("b").await, orchestrator.node("a").await];
    let read = async |query: &str| -> Vec<Value> {
        let list = orchestrator.get(&format!("/orchestrator/nodes?{query}")).await.ok();
        list["Nodes"].as_array().unwrap().iter().map(|node| node["Info"]["NodeID"].clone()).collect()
    };
    assert_eq!(read("").await, ["a", "b"]);
    assert_eq!(read("reverse=true&limit=1").await, ["b"]);
    for order in [
        "id",
        "type",
        "available_cpu",
        "available_memory",
        "available_disk",
        "available_gpu",
        "approval",
        "status",
    ] {
        assert_eq!(read(&format!("order_by={order}")).await, ["a", "b"], "{order}");
    }
    for filter in ["filter-status=connected", "filter_status=CONNECTED", "filter-approval=approved"] {
        assert_eq!(read(filter).await.len(), 2, "{filter}");
    }
    for filter in ["filter-status=disconnected", "filter_approval=pending"] {
        assert_eq!(read(filter).await.len(), 0, "{filter}");
    }
    // Nobody takes a slip of the pen for a fleet of none.
    for filter in ["filter-status=conected", "filter_approval=yes"] {
        orchestrator.get(&format!("/orchestrator/nodes?{filter}")).await.error(400);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn executions_and_versions_have_pages_too() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let mut nodes = Vec::new();
    for name in ["a", "b", "c", "d", "e"] {
        nodes.push(orchestrator.node(name).await);
    }
    orchestrator.put_job(&job_with("ops", json!({"Name": "wide"}))).await;
    for node in &mut nodes {
        node.assignment().await;
    }
    let read = async |query: &str| -> (Vec<String>, String) {
        let list = orchestrator.get(&format!("/orchestrator/jobs/wide/{query}")).await.ok();
        let items = list["Items"].as_array().unwrap().iter();
        let names =
            items.map(|item| item["NodeID"].as_str().map_or(item["Version"].to_string(), str::to_owned));
        (names.collect(), list["NextToken"].as_str().unwrap().to_owned())
    };
    let (all, token) = read("executions").await;
    assert_eq!((all.len(), token.as_str()), (5, ""));
    for (query, reverse) in [
        ("limit=2", false),
        ("limit=2&reverse=true", true),
        ("limit=3&order_by=modified_at", false),
        ("limit=1&order_by=modify_time&reverse=1", true),
    ] {
        let (mut found, mut token) = read(&format!("executions?{query}")).await;
        while !token.is_empty() {
            let (page, next) = read(&format!("executions?next_token={token}&limit=9&reverse=")).await;
            assert!(!page.is_empty(), "a token promises more");
            found.extend(page);
            token = next;
        }
        if reverse {
            found.reverse();
        }
        assert_eq!(found, all, "{query}");
    }
    assert_eq!(orchestrator.client.executions("wide").await.unwrap().items.len(), 5);

    let (mut begun, mut token) = read("executions?limit=2").await;
    orchestrator.put_job(&job_with("ops", json!({"Name": "wide", "Priority": 1}))).await;
    while !token.is_empty() {
        let (page, next) = read(&format!("executions?next_token={token}")).await;
        begun.extend(page);
        token = next;
    }
    assert_eq!(begun, all, "a list that has begun stays with its version");
    orchestrator.put_job(&job_with("ops", json!({"Name": "wide", "Priority": 2}))).await;
    let (first, token) = read("versions?limit=2").await;
    let (second, end) = read(&format!("versions?limit=2&next_token={token}")).await;
    assert_eq!((first, second, end.as_str()), (vec!["1".into(), "2".into()], vec!["3".into()], ""));
    for query in ["executions?next_token=v-1", "versions?next_token=h-1"] {
        orchestrator.get(&format!("/orchestrator/jobs/wide/{query}")).await.error(400);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_was_replaced_says_how_it_ended_and_not_how_the_latest_stands() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let mut node = orchestrator.node("a").await;
    let version = |priority: u64| job_with("batch", json!({"Name": "v", "Priority": priority}));
    let id = orchestrator.put_job(&version(1)).await;
    let first = node.assignment().await.execution;
    node.report(&first, completed("")).await;
    orchestrator.wait_for_state(&id, "Completed").await;
    orchestrator.put_job(&version(2)).await;
    orchestrator.put_job(&version(3)).await;
    let versions = orchestrator.get("/orchestrator/jobs/v/versions").await.ok();
    let state = |job: &Value| {
        let message = job["State"]["Message"].as_str().unwrap_or_default().to_owned();
        (job["Version"].as_u64().unwrap(), job["State"]["StateType"].as_str().unwrap().to_owned(), message)
    };
    let replaced = "replaced by a later version".to_owned();
    let stood = [
        (1, "Completed".to_owned(), String::new()),
        (2, "Stopped".to_owned(), replaced),
        (3, "Running".to_owned(), String::new()),
    ];
    assert_eq!(versions["Items"].as_array().unwrap().iter().map(state).collect::<Vec<_>>(), stood);
    for (at, expected) in (1..).zip(stood) {
        let job = orchestrator.get(&format!("/orchestrator/jobs/v?job_version={at}")).await.ok();
        assert_eq!((state(&job["Job"]), &job["Job"]["Priority"]), (expected, &json!(at)));
    }
}
