//! From nothing to a job on a fleet, in every language: `new`, `build`, `run`, `job run`.

#[path = "../../runtime/examples/embed.rs"]
mod embed;

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use skrei_protocol::{api::job::GetJobResponse, client::News};
use tempfile::TempDir;

use super::harness::{
    Devstack, PATIENCE, Ran, root,
    toolchains::{has, node_modules, skipped, skrei_with_toolchains},
};

/// A template, and what it takes to build it.
struct Template {
    id: &'static str,
    title: &'static str,
    /// A program and an argument with which it ends well; nothing for what skrei does itself.
    tool: Option<(&'static str, &'static str)>,
    /// Whether it may be skipped where that is not to be had.
    may_be_skipped: bool,
    /// How the guest's files, network and threads are, for the table.
    works: &'static str,
}

const TEMPLATES: &[Template] = &[
    Template {
        id: "rust",
        title: "Rust",
        tool: Some(("cargo", "--version")),
        may_be_skipped: false,
        works: "files; no threads",
    },
    Template {
        id: "rust-component",
        title: "Rust, component",
        tool: Some(("cargo", "--version")),
        may_be_skipped: false,
        works: "files; sockets, where granted; exit codes 0 and 1",
    },
    Template {
        id: "c",
        title: "C",
        tool: Some(("zig", "version")),
        may_be_skipped: false,
        works: "files; no threads",
    },
    Template {
        id: "cpp",
        title: "C++",
        tool: Some(("zig", "version")),
        may_be_skipped: true,
        works: "files by `<cstdio>`; no exceptions, no threads",
    },
    Template {
        id: "zig",
        title: "Zig",
        tool: Some(("zig", "version")),
        may_be_skipped: true,
        works: "files beneath `init.preopens`; no threads",
    },
    Template {
        id: "go",
        title: "Go",
        tool: Some(("go", "version")),
        may_be_skipped: false,
        works: "files; goroutines on one thread",
    },
    Template {
        id: "python",
        title: "Python, component",
        tool: Some(("componentize-py", "--version")),
        may_be_skipped: false,
        works: "files, what was imported at the start; exit codes 0 and 1",
    },
    Template {
        id: "javascript",
        title: "JavaScript, component",
        tool: Some(("node", "--version")),
        may_be_skipped: false,
        works: "files by `skrei.js`; exit codes 0 and 1",
    },
    Template {
        id: "assemblyscript",
        title: "AssemblyScript",
        tool: Some(("node", "--version")),
        may_be_skipped: true,
        works: "files by the template's own calls; no threads",
    },
    Template {
        id: "wat",
        title: "WebAssembly text",
        tool: None,
        may_be_skipped: false,
        works: "what is imported",
    },
];

/// Where a node has a file of very many names.
const EVERYBODY: &str = "/srv/everybody.txt";

/// What was measured of one.
struct Measured {
    template: &'static Template,
    bytes: u64,
    cold: Duration,
    warm: Duration,
}

/// A project made from a template, built.
struct Built {
    directory: TempDir,
    project: PathBuf,
    expected: String,
}

impl Template {
    /// Whether its language has a library, by which its program tells things.
    fn tells(&self) -> bool {
        !["wat", "zig"].contains(&self.id)
    }

    fn is_there(&self) -> bool {
        let needs_node_modules = ["assemblyscript", "javascript"].contains(&self.id);
        let node_modules = !needs_node_modules || node_modules().join("esbuild").is_dir();
        self.tool.is_none_or(|(program, argument)| has(program, argument)) && node_modules
    }

    fn build(&self) -> Built {
        let directory = tempfile::tempdir().unwrap();
        let project = directory.path().join("first-job");
        let at = project.to_str().unwrap();
        let new =
            Ran::to_end(&mut skrei_with_toolchains(&["new", "first-job", "--lang", self.id, "--dir", at]));
        assert!(new.expect(0).contains("skrei build"), "{}", new.said());
        if project.join("package.json").is_file() {
            std::os::unix::fs::symlink(node_modules(), project.join("node_modules")).unwrap();
        }
        let build = Ran::to_end(&mut skrei_with_toolchains(&["build", at]));
        build.expect(0);
        for word in ["Module", "Kind", "Size", "Imports", "any node runs it"] {
            assert!(build.stdout.contains(word), "{}: {}", self.id, build.said());
        }
        let expected = fs::read_to_string(project.join("expected.txt")).unwrap();
        Built { directory, project, expected }
    }
}

impl Built {
    /// Runs it here; how long that took, and what it told.
    fn run(&self, cache: &Path) -> (Duration, Vec<String>) {
        let start = Instant::now();
        let mut run = skrei_with_toolchains(&["run", self.project.to_str().unwrap()]);
        let ran = Ran::to_end(run.env("XDG_CACHE_HOME", cache));
        let took = start.elapsed();
        ran.expect(0);
        assert_eq!(ran.stdout, self.expected, "{}", ran.said());
        (took, ran.stderr.lines().map(str::to_owned).collect())
    }

    fn measure(&self, template: &'static Template) -> Measured {
        let cache = self.directory.path().join("cache");
        let (cold, told) = self.run(&cache);
        if template.tells() {
            let is_told = |words: &str| told.iter().any(|line| line.starts_with(words));
            assert!(is_told("progress ") && is_told("value greeted=3"), "{}: {told:?}", template.id);
        }
        let warm = (0..3).map(|_| self.run(&cache).0).min().unwrap();
        let bytes = fs::metadata(self.module()).unwrap().len();
        Measured { template, bytes, cold, warm }
    }

    fn module(&self) -> PathBuf {
        let folders = ["build", "target/wasm32-wasip1/release", "target/wasm32-wasip2/release"];
        let modules = folders.map(|folder| self.project.join(folder).join("first-job.wasm"));
        modules.into_iter().find(|module| module.is_file()).expect("a module")
    }

    /// Runs it in the host program of `examples/embed`, which knows nothing of jobs; what it told there.
    fn embedded(&self) -> Vec<String> {
        let names = self.directory.path().join("names");
        fs::create_dir(&names).unwrap();
        fs::write(names.join("names.txt"), "Ada\nGrace\nEdsger\n").unwrap();
        let code = self.directory.path().join("cache/skrei/code");
        let (outcome, told) = embed::run(&self.module(), &names, Some(code)).unwrap();
        assert_eq!(outcome.stdout.to_string(), self.expected, "{}", outcome.stderr);
        told
    }

    /// Sends it to a fleet, and looks at what the API says of it.
    async fn job_run(&self, fleet: &Devstack) -> GetJobResponse {
        let job = self.project.join("job.yaml");
        let mut command = fleet.command(&["job", "run", job.to_str().unwrap()]);
        // The command checks the module: it was compiled before.
        Ran::to_end(command.env("XDG_CACHE_HOME", self.directory.path().join("cache"))).expect(0);
        fleet.client().job("first-job", "executions").await.unwrap()
    }

    /// Sends it to a fleet with everybody to greet, who are so many that it is stopped when its progress was heard.
    async fn progress_heard(&self, fleet: &Devstack) -> String {
        let job = fs::read_to_string(self.project.join("job.yaml")).unwrap();
        let names = r#"{Type: inline, Params: {URL: "data:,Ada%0AGrace%0AEdsger%0A"}}"#;
        assert!(job.contains(names) && job.contains("Name: first-job"), "{job}");
        let everybody = format!("{{Type: local, Params: {{SourcePath: {EVERYBODY}}}}}");
        let job = job.replace(names, &everybody).replace("Name: first-job", "Name: everybody");
        let file = self.project.join("everybody.yaml");
        fs::write(&file, job).unwrap();
        let mut command = fleet.command(&["job", "run", "--wait=false", file.to_str().unwrap()]);
        Ran::to_end(command.env("XDG_CACHE_HOME", self.directory.path().join("cache"))).expect(0);
        let client = fleet.client();
        let mut news = client.events_and_progress("everybody").await.unwrap();
        let heard = tokio::time::timeout(PATIENCE, async {
            loop {
                if let News::Progress(event) = news.next_news().await.unwrap()
                    && !event.progress.message.is_empty()
                {
                    return event.progress;
                }
            }
        });
        let heard = heard.await.unwrap();
        Ran::to_end(&mut fleet.command(&["job", "stop", "everybody"])).expect(0);
        assert!(heard.fraction < 1.0, "{heard:?}");
        heard.message
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_template_builds_and_runs_here_embedded_and_in_a_devstack() {
    let served = tempfile::tempdir().unwrap();
    let everybody = served.path().join("everybody.txt");
    fs::write(&everybody, "Ada\nGrace\nEdsger\n".repeat(200_000)).unwrap();
    let allowed = format!("Compute.AllowListedLocalPaths={}:{EVERYBODY}:ro", everybody.display());
    let fleet = Devstack::start(1, &[allowed]);
    let mut measured = Vec::new();
    for template in TEMPLATES {
        if !template.is_there() {
            let must = std::env::var_os("CI").is_some() && !template.may_be_skipped;
            assert!(!must, "{} is to be tested by CI, whose scripts install its toolchain", template.id);
            skipped(template.title, "its toolchain is not to be had");
            continue;
        }
        let built = template.build();
        measured.push(built.measure(template));

        let job = built.job_run(&fleet).await;
        let execution = &job.executions.unwrap().items[0];
        let output = execution.run_output.as_ref().unwrap();
        assert_eq!(output.stdout, built.expected, "{}", template.id);
        let embedded = built.embedded();
        if template.tells() {
            assert_eq!(output.values["greeted"], 3, "{}: {output:?}", template.id);
            let count = |word: &str| embedded.iter().filter(|line| line.contains(word)).count();
            assert!(count("greeted") == 1 && count("progress") > 0, "{}: {embedded:?}", template.id);
            let heard = built.progress_heard(&fleet).await;
            assert!(
                ["Ada", "Grace", "Edsger"].iter().any(|name| heard.contains(name)),
                "{}: {heard}",
                template.id
            );
        }
    }
    check_table(&measured);
}

#[test]
fn a_missing_tool_is_named_with_how_to_get_it_and_nothing_is_fetched() {
    let directory = tempfile::tempdir().unwrap();
    for (lang, words) in
        [("c", ["Zig's compiler", "pip install ziglang"]), ("go", ["Go is not installed", "go.dev"])]
    {
        let project = directory.path().join(lang);
        let at = project.to_str().unwrap();
        Ran::to_end(&mut skrei_with_toolchains(&["new", lang, "--lang", lang, "--dir", at])).expect(0);
        let mut build = skrei_with_toolchains(&["build", at]);
        let refused = Ran::to_end(build.env("PATH", directory.path()).env_remove("WASI_SDK_PATH"));
        let said = refused.expect(3);
        assert!(words.iter().all(|word| said.contains(word)), "{said}");
    }
}

#[test]
fn a_program_that_does_not_compile_fails_with_the_compiler_s_words() {
    let directory = tempfile::tempdir().unwrap();
    let project = directory.path().join("broken");
    let at = project.to_str().unwrap();
    Ran::to_end(&mut skrei_with_toolchains(&["new", "broken", "--lang", "wat", "--dir", at])).expect(0);
    fs::write(project.join("broken.wat"), "(module\n  (func (nonsense)))\n").unwrap();
    let said = Ran::to_end(&mut skrei_with_toolchains(&["build", at])).expect(4);
    assert!(said.contains("broken.wat:2"), "{said}");
    // What is there already is not overwritten.
    let again = Ran::to_end(&mut skrei_with_toolchains(&["new", "broken", "--lang", "wat", "--dir", at]));
    assert!(again.expect(4).contains("is there already"), "{}", again.said());
    let nameless = Ran::to_end(&mut skrei_with_toolchains(&["new"])).expect(2);
    assert!(nameless.contains("skrei new NAME --lang ID"), "{nameless}");
}

/// The table in the guide has a row for each template; figures are written anew when asked for.
fn check_table(measured: &[Measured]) {
    let page = root().join("docs/guide/languages.md");
    let text = fs::read_to_string(&page).unwrap();
    let (before, rest) = text.split_once("<!-- measured -->\n").unwrap();
    let (table, after) = rest.split_once("<!-- end -->").unwrap();
    for template in TEMPLATES {
        assert!(
            table.contains(&format!("`{}`", template.id)),
            "{} has no row in {}",
            template.id,
            page.display()
        );
    }
    if std::env::var_os("SKREI_UPDATE_DOCS").is_none() {
        return;
    }
    assert_eq!(measured.len(), TEMPLATES.len(), "figures of a part are not written");
    let mut table =
        "| Language | Template | Module | First start | Later starts | What works |\n|---|---|---:|---:|---:|---|\n"
            .to_owned();
    for Measured { template, bytes, cold, warm } in measured {
        let size = if *bytes < 1_000_000 {
            format!("{:.1} kB", *bytes as f64 / 1e3)
        } else {
            format!("{:.1} MB", *bytes as f64 / 1e6)
        };
        table.push_str(&format!(
            "| {} | `{}` | {size} | {:.2} s | {:.0} ms | {} |\n",
            template.title,
            template.id,
            cold.as_secs_f64(),
            warm.as_secs_f64() * 1e3,
            template.works
        ));
    }
    fs::write(page, format!("{before}<!-- measured -->\n{table}<!-- end -->{after}")).unwrap();
}
