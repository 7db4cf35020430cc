//! `skrei wasm run`.

use std::path::Path;

use clap::{Args, ValueEnum};
use serde_json::{Map, Value, json};

use super::{constraints, input};
use crate::{
    cli::Globals,
    commands::{
        client,
        job::following::{Following, Sending},
    },
    error::Error,
    exit, job_file, terminal,
};

/// Submits a module as a job, and watches it to its end.
#[derive(Debug, Args)]
#[command(
    after_help = "A local module is sent along. Arguments of the guest that begin with `-` stand behind `--`. \
    With --name, running it again is an update of the job of that name."
)]
pub(crate) struct Run {
    /// The module: a file here, a URL, or a path of the guest that an input provides; `SOURCE:TARGET` says where it goes
    #[arg(value_name = "MODULE")]
    module: String,
    /// The guest's arguments
    #[arg(value_name = "ARGS")]
    args: Vec<String>,
    /// The exported function to start at
    #[arg(long, value_name = "NAME", default_value = "_start")]
    entry_point: String,
    /// Further modules, loaded first
    #[arg(short = 'I', long, value_name = "MODULE")]
    import_modules: Vec<String>,
    /// The job's name
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    name: String,
    /// The job's namespace
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    namespace: String,
    /// Larger runs first
    #[arg(long, value_name = "N", default_value_t = 0, allow_negative_numbers = true)]
    priority: i64,
    /// Labels of the job
    #[arg(short, long, value_name = "NAME=VALUE", value_delimiter = ',')]
    labels: Vec<String>,
    /// Into how many parts the job is split
    #[arg(long, value_name = "N")]
    count: Option<i64>,
    /// Older name of --count
    #[arg(long, hide = true, conflicts_with = "count")]
    concurrency: Option<i64>,
    /// Run once on `any` node that fits, or on `all`
    #[arg(long, value_name = "NODES", value_enum, default_value_t = Target::Any)]
    target: Target,
    /// Only on nodes whose labels match: `zone=eu,rack in (1,2)`
    #[arg(long, value_name = "SELECTOR", default_value = "", hide_default_value = true)]
    constraints: String,
    /// Older name of --constraints
    #[arg(short, long, hide = true, conflicts_with = "constraints")]
    selector: Option<String>,
    /// The task's name
    #[arg(long, value_name = "NAME", default_value = "main")]
    task_name: String,
    /// Set a variable of the guest; repeatable
    #[arg(short, long, value_name = "NAME=VALUE")]
    env: Vec<String>,
    /// Something for the guest to read: `src=URI,dst=PATH,opt=KEY=VALUE` or `URI:PATH`; repeatable
    #[arg(short, long, value_name = "INPUT")]
    input: Vec<String>,
    /// A directory to keep, as `NAME:PATH`; repeatable
    #[arg(short, long, value_name = "NAME:PATH")]
    output: Vec<String>,
    /// Where results go: `local` or `s3://BUCKET/KEY`, with `opt=KEY=VALUE`
    #[arg(short, long, value_name = "PUBLISHER")]
    publisher: Option<String>,
    /// Processor time: `500m`, `2`
    #[arg(long, value_name = "AMOUNT")]
    cpu: Option<String>,
    /// Memory: `512MB`, `1Gi`
    #[arg(long, value_name = "AMOUNT")]
    memory: Option<String>,
    /// What the guest may add to the disk
    #[arg(long, value_name = "AMOUNT")]
    disk: Option<String>,
    /// GPUs; WebAssembly cannot use any
    #[arg(long, value_name = "N")]
    gpu: Option<String>,
    /// What the guest may reach: none, host, full, http, bridge
    #[arg(long, value_name = "TYPE")]
    network: Option<String>,
    /// Hosts the guest may reach with `--network http`; repeatable
    #[arg(long, value_name = "HOST", value_delimiter = ',')]
    domain: Vec<String>,
    /// Seconds for the whole job
    #[arg(long, value_name = "SECS")]
    timeout: Option<u64>,
    /// Seconds to wait for a node that fits
    #[arg(long, value_name = "SECS")]
    queue_timeout: Option<u64>,
    /// Show the job as a job file, and stop
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    following: Following,
}

/// On which nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Target {
    /// A `batch` job.
    Any,
    /// An `ops` job.
    All,
}

impl Run {
    pub(super) async fn run(self, globals: &Globals) -> Result<u8, Error> {
        for (older, now, given) in [
            ("--concurrency", "--count", self.concurrency.is_some()),
            ("--selector", "--constraints", self.selector.is_some()),
        ] {
            if given {
                terminal::warn(&format!("{older} is a flag of older versions: write {now}"));
            }
        }
        let job = self.job().map_err(Error::usage)?;
        if self.dry_run {
            terminal::data(&terminal::yaml(&job)?)?;
            return Ok(exit::SUCCESS);
        }
        let checked = job_file::check(&job, Path::new("."))?;
        self.following.show_warnings(&checked.warnings);
        let client = client(globals)?;
        let no_secrets = Sending::Secrets(Vec::new());
        self.following.submit(&client, &checked.manifest, &checked.modules, false, no_secrets).await
    }

    /// The job as a job file would have it.
    fn job(&self) -> Result<Value, String> {
        let mut inputs = self
            .input
            .iter()
            .map(|text| flagged("--input", input::parse(text)))
            .collect::<Result<Vec<_>, _>>()?;
        let entry = self.entry(&mut inputs)?;
        let mut params =
            json!({"EntryModule": entry, "Entrypoint": self.entry_point, "Parameters": self.args});
        if !self.import_modules.is_empty() {
            params["ImportModules"] = self.import_modules.clone().into();
        }
        let mut task = json!({
            "Name": self.task_name,
            "Engine": {"Type": "wasm", "Params": params},
            "InputSources": inputs,
        });
        let pairs = |flag: &str, texts: &[String], separator: char| {
            let pair = |text: &String| {
                let (name, value) = text.split_once(separator)?;
                Some((name.to_owned(), Value::from(value)))
            };
            let pairs: Option<Map<_, _>> = texts.iter().map(pair).collect();
            pairs.ok_or_else(|| format!("{flag} takes `NAME{separator}VALUE`"))
        };
        task["Env"] = pairs("--env", &self.env, '=')?.into();
        let outputs = pairs("--output", &self.output, ':')?;
        let paths = outputs.into_iter().map(|(name, path)| json!({"Name": name, "Path": path}));
        task["ResultPaths"] = paths.collect::<Vec<_>>().into();
        if let Some(publisher) = &self.publisher {
            task["Publisher"] = flagged("--publisher", publisher_of(publisher))?;
        }
        task["Resources"] = given(&[
            ("CPU", self.cpu.clone().map(Value::from)),
            ("Memory", self.memory.clone().map(Value::from)),
            ("Disk", self.disk.clone().map(Value::from)),
            ("GPU", self.gpu.clone().map(Value::from)),
        ]);
        let domains = (!self.domain.is_empty()).then(|| Value::from(self.domain.clone()));
        task["Network"] = given(&[
            ("Type", self.network.as_deref().map(|kind| capital(kind).into())),
            ("Domains", domains),
        ]);
        task["Timeouts"] = given(&[
            ("TotalTimeout", self.timeout.map(Value::from)),
            ("QueueTimeout", self.queue_timeout.map(Value::from)),
        ]);
        let constraints = self.selector.as_deref().unwrap_or(&self.constraints);
        let mut job = json!({
            "Name": self.name,
            "Namespace": self.namespace,
            "Type": match self.target { Target::Any => "batch", Target::All => "ops" },
            "Priority": self.priority,
            "Constraints": flagged("--constraints", constraints::parse(constraints))?,
            "Labels": self.labels(),
            "Tasks": [task],
        });
        if let Some(count) = self.count.or(self.concurrency) {
            job["Count"] = count.into();
        }
        Ok(job)
    }

    /// The module's path: of a file here, or where an input puts it.
    fn entry(&self, inputs: &mut Vec<Value>) -> Result<String, String> {
        if Path::new(&self.module).is_file() || !self.module.contains("://") {
            // `SOURCE:TARGET` of a local file: where it goes is no matter, since nothing else is there.
            let source = self.module.rsplit_once(':').map(|(source, _)| source);
            let is_file = |source: &&str| Path::new(source).is_file();
            return Ok(source.filter(is_file).unwrap_or(&self.module).to_owned());
        }
        let mut module = flagged("MODULE", input::parse(&self.module))?;
        let uri = self.module.split(',').next().unwrap_or_default();
        let name = uri.rsplit('/').next().unwrap_or_default().split([':', '?']).next().unwrap_or_default();
        if module["Target"] == "/inputs" {
            module["Target"] = "/wasm/module".into();
        }
        let target = module["Target"].as_str().unwrap_or_default().trim_end_matches('/').to_owned();
        inputs.push(module);
        Ok(format!("{target}/{name}"))
    }

    /// `NAME=VALUE`, or `NAME` alone.
    fn labels(&self) -> Map<String, Value> {
        let label = |text: &String| {
            let (name, value) = text.split_once('=').unwrap_or((text, ""));
            (name.to_owned(), Value::from(value))
        };
        self.labels.iter().map(label).collect()
    }
}

/// `local`, or a URI with options.
fn publisher_of(text: &str) -> Result<Value, String> {
    let (kind, rest) = text.split_once(',').unwrap_or((text, ""));
    if !kind.contains("://") {
        return Ok(json!({"Type": kind}));
    }
    let with_source = format!("src={kind}{}{rest}", if rest.is_empty() { "" } else { "," });
    input::parse(&with_source).map(|input| input["Source"].clone())
}

/// What was given, by name.
fn given(fields: &[(&str, Option<Value>)]) -> Value {
    let given = fields.iter().filter_map(|(name, value)| Some(((*name).to_owned(), value.clone()?)));
    Value::Object(given.collect())
}

/// `http` is `HTTP` in a job file, and every other type begins with a capital.
fn capital(kind: &str) -> String {
    match kind.to_ascii_lowercase().as_str() {
        "http" => "HTTP".to_owned(),
        kind => kind[..1.min(kind.len())].to_ascii_uppercase() + &kind[1.min(kind.len())..],
    }
}

fn flagged<T>(flag: &str, parsed: Result<T, String>) -> Result<T, String> {
    parsed.map_err(|wrong| format!("{flag}: {wrong}"))
}
