//! Python without a container: a job file for one, with its engine changed and nothing else.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use super::harness::{
    Node, Orchestrator, Ran, root,
    toolchains::{folder, has, path, skipped, skrei_with_toolchains},
};

/// The component, built anew only when its source has changed since: it takes half a minute.
fn runner() -> Option<PathBuf> {
    if !has("componentize-py", "--version") {
        skipped("the Python runner", "componentize-py is not to be had");
        return None;
    }
    let source = root().join("examples/python-runner");
    let runner = folder().join("python-runner.wasm");
    let changed = |path: &Path| fs::metadata(path).and_then(|file| file.modified()).ok();
    if changed(&runner) <= changed(&source.join("runner.py")) {
        let mut build = Command::new(source.join("build.sh"));
        let built = Ran::to_end(build.arg(&runner).env("PATH", path()));
        built.expect(0);
    }
    Some(runner)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_file_for_a_container_deploys_certificates_with_its_engine_changed_alone() {
    let Some(runner) = runner() else { return };
    let directory = tempfile::tempdir().unwrap();
    let example = root().join("examples/python-runner");
    fs::copy(example.join("job.yaml"), directory.path().join("job.yaml")).unwrap();
    fs::copy(&runner, directory.path().join("python-runner.wasm")).unwrap();
    let issued = rcgen::generate_simple_self_signed(vec!["*.example.org".to_owned()]).unwrap();
    let pair = [("fullchain.pem", issued.cert.pem()), ("privkey.pem", issued.signing_key.serialize_pem())];
    for (name, content) in &pair {
        fs::write(directory.path().join(name), content).unwrap();
    }

    // Here, as one would try it: the same script from a file, from standard input, and one with a mistake.
    let script = directory.path().join("sum.py");
    fs::write(&script, "import json, sys\nprint(json.dumps(sum(range(10))), sys.argv[1:])\n").unwrap();
    let python = |arguments: &[&str]| {
        let mut command = skrei_with_toolchains(&["run", runner.to_str().unwrap()]);
        Ran::to_end(command.args(arguments))
    };
    let given = format!("{}::/s.py", script.display());
    let from_file = python(&["--dir", &given, "--", "/s.py", "a"]);
    from_file.expect(0);
    assert_eq!(from_file.stdout, "45 ['a']\n");
    let from_stdin = python(&["--stdin", script.to_str().unwrap()]);
    from_stdin.expect(0);
    assert_eq!(from_stdin.stdout, "45 []\n");
    let mistake = python(&["--env", "COMMAND=1/0"]);
    assert!(mistake.code != Some(0) && mistake.stderr.contains("ZeroDivisionError"), "{}", mistake.said());

    let orchestrator = Orchestrator::start(&[]);
    let node = Node::start(&orchestrator, "web-1", "rw");
    orchestrator.wait_for_nodes(1).await;
    let wrapped = Ran::to_end(Command::new(example.join("wrap_certs.sh")).arg(directory.path()));
    wrapped.expect(0);
    // Many lines, and padding at the end, as the shell gives it.
    let variable = format!("fulltext={}", wrapped.stdout.trim_end());
    let mut command = orchestrator.command(&["job", "run", "--template-vars", &variable]);
    command.arg(directory.path().join("job.yaml"));
    let cache = skrei_with_toolchains(&[]);
    let cache = cache.get_envs().find(|(name, _)| *name == "XDG_CACHE_HOME").and_then(|(_, value)| value);
    let said = Ran::to_end(command.env("XDG_CACHE_HOME", cache.unwrap())).expect(0);
    assert!(said.contains("both files are in place"), "{said}");
    for (name, content) in &pair {
        assert_eq!(
            fs::read_to_string(node.served().join(name)).unwrap().trim_end(),
            content.trim_end(),
            "{name}"
        );
    }
    assert_eq!(fs::read_dir(node.served()).unwrap().count(), 2, "and nothing else");

    let size = fs::metadata(&runner).unwrap().len() as f64 / 1e6;
    if std::env::var_os("SKREI_UPDATE_DOCS").is_some() {
        command.arg("--force");
        let again = || timed(&mut command);
        write_table(size, &runner, &script, shortest(again));
    }
    // What the page says of the size is what it is.
    let page = fs::read_to_string(example.join("README.md")).unwrap();
    let said = page.split_once("| size | ").and_then(|(_, rest)| rest.split_once(" MB")).unwrap().0;
    let said: f64 = said.parse().unwrap();
    assert!((said - size).abs() < size / 10.0, "{said} MB, and it is {size}");
}

/// How long a command takes that ends well.
fn timed(command: &mut Command) -> Duration {
    let start = Instant::now();
    Ran::to_end(command).expect(0);
    start.elapsed()
}

/// The best of three: what else goes on is nobody's cost.
fn shortest(mut take: impl FnMut() -> Duration) -> Duration {
    (0..3).map(|_| take()).min().unwrap()
}

/// Measures what the runner costs, and writes it on its page.
fn write_table(megabytes: f64, runner: &Path, script: &Path, on_a_node: Duration) {
    let cache = tempfile::tempdir().unwrap();
    let run = || {
        let mut command = skrei_with_toolchains(&["run", runner.to_str().unwrap(), "--stdin"]);
        timed(command.arg(script).env("XDG_CACHE_HOME", cache.path()))
    };
    let (cold, warm) = (run(), shortest(run));
    let page = root().join("examples/python-runner/README.md");
    let text = fs::read_to_string(&page).unwrap();
    let (before, rest) = text.split_once("<!-- measured -->\n").unwrap();
    let (_, after) = rest.split_once("<!-- end -->").unwrap();
    let table = format!(
        "| | |\n|---|---:|\n| size | {megabytes:.1} MB |\n\
         | first `skrei run` on a machine, which compiles it | {:.2} s |\n\
         | later ones, process start and all | {} ms |\n\
         | the job on a node that ran it before, from `skrei job run` to its end | {} ms |\n",
        cold.as_secs_f64(),
        warm.as_millis(),
        on_a_node.as_millis()
    );
    fs::write(page, format!("{before}<!-- measured -->\n{table}<!-- end -->{after}")).unwrap();
}
