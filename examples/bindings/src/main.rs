//! Tells skrei what it does by functions that it imports, which its bindings make from `sdk/wit/job.wit`.

use skrei::job::{files, log, metadata, progress, results};

wit_bindgen::generate!({ world: "job", path: "../../sdk/wit" });

/// Where the job has its two files installed.
const DIRECTORY: &str = "/out";

fn main() -> Result<(), String> {
    let node = metadata::node();
    let greeting = metadata::parameter("greeting").unwrap_or("Hello".into());
    progress::report(0.25, "installs")?;
    log::info("installing", &[("node".into(), node.unwrap_or("none".into())), ("files".into(), "2".into())]);
    let set = [("greeting.txt".into(), greeting.into_bytes()), ("empty.txt".into(), Vec::new())];
    files::install(DIRECTORY, &set)?;
    results::set("installed", r#"["greeting.txt", "empty.txt"]"#)?;
    results::set("part", &format!("[{}, {}]", metadata::partition_index(), metadata::partition_count()))?;

    // What cannot be is told, and ends nothing.
    for refused in [
        progress::report(f64::NAN, "").err(),
        results::set("", "1").err(),
        results::set("no-json", "{").err(),
        files::write("/etc/passwd", b"").err(),
    ] {
        println!("refused: {}", refused.ok_or("a refusal was expected")?);
    }
    progress::report(1.0, "is done")
}
