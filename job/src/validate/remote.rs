//! Sources that are somewhere else: a URL, and a bucket.

use regex::Regex;
use serde_json::Value;

use super::params::{self, Params};
use crate::{
    Digest, checksum,
    download::Download,
    manifest::Typed,
    objects::{Bucket, Key, Objects, is_region},
    partition::{self, Partition},
    path::Path,
    problem::{Problem, listed, quoted},
};

pub(crate) const DOWNLOAD: &[&str] = &["URL", "SHA256"];
pub(crate) const OBJECTS: &[&str] =
    &["Bucket", "Key", "Filter", "Region", "Endpoint", "VersionID", "ChecksumSHA256", "Partition"];
pub(crate) const PARTITION: &[&str] = &["Type", "Pattern", "StartIndex", "EndIndex", "DateFormat"];
const PARTITIONS: &[&str] = &["none", "object", "regex", "substring", "date"];

/// The layout of dates if none is given.
const DATE: &str = "2006-01-02";

pub(super) fn download(written: &Typed, path: Path, problems: &mut Vec<Problem>) -> Option<Download> {
    let params = Params::read(&written.params, path, "a `urlDownload` source", DOWNLOAD, problems);
    let before = problems.len();
    let digest = digest(&params, "SHA256", problems);
    let url = params.required("URL", "`https://HOST/PATH/FILE`", problems)?;
    match Download::new(&url, digest) {
        Ok(download) => (problems.len() == before).then_some(download),
        Err(reason) => {
            // The URL is not repeated: it may have a password in it.
            let problem = Problem::new(params.path("URL"), format!("the URL {reason}"));
            problems.push(problem.hint("`https://HOST/PATH/FILE`"));
            None
        }
    }
}

pub(super) fn objects(written: &Typed, path: Path, problems: &mut Vec<Problem>) -> Option<Objects> {
    let params = Params::read(&written.params, path, "an `s3` source", OBJECTS, problems);
    let before = problems.len();
    let bucket = bucket(&params, problems);
    let key = Key::parse(params.text("Key", problems).unwrap_or_default().trim_start_matches('/'));
    let filter = text(&params, "Filter", problems);
    let version = text(&params, "VersionID", problems);
    let digest = digest(&params, "ChecksumSHA256", problems);
    let partition = partition(written, &params.path("Partition"), problems);
    let one = matches!(key, Key::One(_));
    let only = [
        ("Filter", filter.is_some(), !one),
        ("VersionID", version.is_some(), one),
        ("ChecksumSHA256", digest.is_some(), one),
    ];
    for (name, given, fits) in only {
        if given && !fits {
            let what = if one { "a prefix, which ends in `/` or `*`" } else { "one object" };
            problems.push(Problem::new(params.path(name), format!("means something for {what} only")));
        }
    }
    if let Some(filter) = &filter {
        expression(filter, &params.path("Filter"), problems);
    }
    let bucket = bucket?;
    (problems.len() == before).then_some(Objects { bucket, key, filter, version, digest, partition })
}

/// `Bucket`, `Region` and `Endpoint`, of a source or a publisher.
pub(super) fn bucket(params: &Params<'_>, problems: &mut Vec<Problem>) -> Option<Bucket> {
    let name = params.required("Bucket", "the name of the bucket", problems);
    let is_name = |name: &String| {
        (3..=63).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-._".contains(&b))
            && !name.contains("..")
            && !name.starts_with(['.', '-'])
    };
    if let Some(wrong) = name.as_ref().filter(|name| !is_name(name)) {
        let problem =
            Problem::new(params.path("Bucket"), format!("{} is not the name of a bucket", quoted(wrong)));
        problems.push(problem.hint("3 to 63 lower-case letters, digits, `-` and `.`"));
        return None;
    }
    let region = text(params, "Region", problems);
    if let Some(wrong) = region.as_deref().filter(|region| !is_region(region)) {
        let problem = Problem::new(params.path("Region"), format!("{} is not a region", quoted(wrong)));
        problems.push(problem.hint("letters, digits and `-`, such as `eu-central-1`"));
        return None;
    }
    let endpoint = text(params, "Endpoint", problems);
    if let Some(endpoint) = &endpoint {
        let is_url = url::Url::parse(endpoint).is_ok_and(|url| {
            matches!(url.scheme(), "http" | "https")
                && url.has_host()
                && url.username().is_empty()
                && url.query().is_none()
        });
        if !is_url {
            let problem = Problem::new(params.path("Endpoint"), "not the URL of a server");
            problems.push(problem.hint("`https://HOST` or `https://HOST:PORT`"));
            return None;
        }
    }
    Some(Bucket { name: name?, region, endpoint })
}

fn partition(written: &Typed, path: &Path, problems: &mut Vec<Problem>) -> Partition {
    let found = written.params.iter().find(|(name, _)| name.eq_ignore_ascii_case("Partition"));
    let fields = match found.map(|(_, value)| value) {
        None | Some(Value::Null) => return Partition::None,
        Some(Value::Object(fields)) => fields,
        Some(_) => {
            problems.push(Problem::new(path, "a map is wanted here").hint("`Partition: {Type: object}`"));
            return Partition::None;
        }
    };
    let params = Params::read(fields, path.clone(), "`Partition`", PARTITION, problems);
    let mut number = |name: &str| -> Option<usize> {
        let text = params.text(name, problems)?;
        let number = text.trim().parse().ok();
        if number.is_none() {
            problems
                .push(Problem::new(params.path(name), format!("{} is not a whole number", quoted(&text))));
        }
        number
    };
    let (from, to) = (number("StartIndex").unwrap_or(0), number("EndIndex").unwrap_or(0));
    let pattern = text(&params, "Pattern", problems);
    let layout = text(&params, "DateFormat", problems);
    let kind = params.text("Type", problems).unwrap_or_default();
    if let Some(pattern) = &pattern {
        expression(pattern, &params.path("Pattern"), problems);
    }
    match kind.trim().to_lowercase().as_str() {
        "" | "none" => Partition::None,
        "object" => Partition::Object,
        "substring" if from < to => Partition::Substring(from, to),
        "substring" => {
            let problem = Problem::new(params.path("EndIndex"), "must be greater than `StartIndex`");
            problems.push(
                problem.hint("the characters from `StartIndex`, the first being 0, up to `EndIndex` count"),
            );
            Partition::None
        }
        "regex" => match pattern {
            Some(pattern) => Partition::Regex(pattern),
            None => {
                problems.push(Problem::new(params.path("Pattern"), "`regex` needs a pattern"));
                Partition::None
            }
        },
        "date" => Partition::Date(
            pattern.unwrap_or_else(|| partition::date_pattern(layout.as_deref().unwrap_or(DATE))),
        ),
        _ => {
            let hint = format!("the types are {}", listed(PARTITIONS.iter().copied()));
            let message = format!("{} is not a type of partition", quoted(&kind));
            problems.push(Problem::new(params.path("Type"), message).hint(hint));
            Partition::None
        }
    }
}

/// A text that is there and not blank; Bacalhau's clients send empty ones for what they leave out.
pub(super) fn text(params: &Params<'_>, name: &str, problems: &mut Vec<Problem>) -> Option<String> {
    params.text(name, problems).filter(|text| !text.trim().is_empty())
}

fn digest(params: &Params<'_>, name: &str, problems: &mut Vec<Problem>) -> Option<Digest> {
    let text = text(params, name, problems)?;
    let digest = checksum::parse(&text);
    if digest.is_none() {
        problems.push(Problem::new(params.path(name), "not a SHA-256").hint(checksum::FORM));
    }
    digest
}

fn expression(text: &str, path: &Path, problems: &mut Vec<Problem>) {
    if Regex::new(text).is_err() {
        problems.push(Problem::new(path, format!("{} is not a regular expression", quoted(text))));
    }
}

/// Spells the parameters of a partition the canonical way.
pub(super) fn canonical_partition(written: &mut Typed) {
    if let Some(Value::Object(fields)) = written.params.get_mut("Partition") {
        params::canonical(fields, PARTITION);
    }
}
