//! Job files beside what comes of them: `valid/*.yaml` with the job as meant, `invalid/*.yaml` with the message.
//!
//! A first line `# vars: NAME=VALUE ...` gives template variables (`\n` is a line feed, `\s` a space). A new case is a new
//! file; `UPDATE_GOLDEN=1 cargo test -p skrei-job --test ui` writes what comes out.

use std::{fs, path::Path};

use skrei_job::{
    Problems, read,
    template::{self, Variables},
    validate::Checked,
};

#[test]
fn valid_files_become_specs() {
    check("valid", "json", |text| {
        let checked = load(text).unwrap_or_else(|problems| panic!("{problems}"));
        let mut shown = serde_json::to_string_pretty(&checked.spec).unwrap();
        shown.push('\n');
        for warning in checked.warnings {
            shown.push_str(&format!("warning: {warning}\n"));
        }
        let again: skrei_job::Spec =
            serde_json::from_value(serde_json::to_value(&checked.spec).unwrap()).unwrap();
        assert_eq!(again, checked.spec, "a spec is the same after a round trip");
        shown
    });
}

#[test]
fn invalid_files_say_what_is_wrong() {
    check("invalid", "err", |text| {
        let problems = load(text).expect_err("this file is invalid");
        let first = problems.iter().next().unwrap();
        format!("{problems}\n---\n{}\n", first.show("job.yaml", text))
    });
}

#[test]
fn the_example_of_the_reference_is_a_valid_job() {
    let page = include_str!("../../docs/reference/job-file.md");
    let (_, rest) = page.split_once("```yaml\n").expect("an example");
    let (example, _) = rest.split_once("```").expect("its end");
    let mut variables = Variables::new();
    variables.assign("fullchain=PEM").expect("NAME=VALUE");
    let document = template::render(example, &variables).expect("a document");
    let mut reading = read::file(&document);
    let modules = skrei_job::modules::local_modules(&reading.manifest);
    assert_eq!(modules, ["deploy.wasm"]);
    assert!(reading.manifest.supply_module("deploy.wasm", skrei_job::Digest::of(b""), 0));
    if let Err(problems) = reading.check(Some(&document)) {
        panic!("{problems}");
    }
}

fn load(text: &str) -> Result<Checked, Problems> {
    let mut variables = Variables::new();
    if let Some(given) = text.lines().next().and_then(|line| line.strip_prefix("# vars: ")) {
        for assignment in given.split(' ') {
            variables.assign(&assignment.replace("\\n", "\n").replace("\\s", " ")).expect("NAME=VALUE");
        }
    }
    let document = template::render(text, &variables)?;
    read::file(&document).check(Some(&document))
}

fn check(folder: &str, extension: &str, outcome: impl Fn(&str) -> String) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ui").join(folder);
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let mut cases: Vec<_> = fs::read_dir(&folder)
        .expect("the folder of cases")
        .map(|entry| entry.expect("a case").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    cases.sort();
    assert!(!cases.is_empty());
    for case in cases {
        let found = outcome(&fs::read_to_string(&case).expect("a readable case"));
        let golden = case.with_extension(extension);
        if update {
            fs::write(&golden, &found).expect("a writable golden file");
        }
        let expected = fs::read_to_string(&golden).unwrap_or_default();
        assert_eq!(found, expected, "{}", case.display());
    }
}
