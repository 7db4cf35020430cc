//! Inputs as one text: `src=URI,dst=PATH,opt=KEY=VALUE`, or `URI:PATH` (reference cli-config-behaviour 1.5).

use serde_json::{Map, Value, json};

/// Where an input goes that does not say.
const TARGET: &str = "/inputs";

/// An input as a job file has it.
///
/// # Errors
/// What cannot be understood.
pub(super) fn parse(text: &str) -> Result<Value, String> {
    let (mut source, mut target, mut options) = (String::new(), String::new(), Map::new());
    for part in text.split(',') {
        match part.split_once('=') {
            Some(("src" | "source", uri)) => uri.clone_into(&mut source),
            Some(("dst" | "target" | "destination", path)) => path.clone_into(&mut target),
            Some(("opt" | "option", option)) => {
                let (name, value) = option.split_once('=').unwrap_or((option, "true"));
                options.insert(name.to_owned(), value.into());
            }
            _ if source.is_empty() => {
                let (uri, path) = shorthand(part);
                uri.clone_into(&mut source);
                path.unwrap_or_default().clone_into(&mut target);
            }
            _ => return Err(format!("`{part}` is none of `src=`, `dst=` and `opt=`")),
        }
    }
    let target = if target.is_empty() { TARGET } else { &target };
    Ok(json!({"Source": typed(&source, options)?, "Target": target}))
}

/// `URI:PATH`, where the URI has a colon of its own.
fn shorthand(text: &str) -> (&str, Option<&str>) {
    let after_scheme = text.find("://").map_or(0, |at| at + 3);
    match text[after_scheme..].rfind(":/") {
        Some(at) => (&text[..after_scheme + at], Some(&text[after_scheme + at + 1..])),
        None => (text, None),
    }
}

/// A source by its URI.
pub(super) fn typed(uri: &str, mut options: Map<String, Value>) -> Result<Value, String> {
    let (scheme, rest) = uri.split_once("://").unwrap_or(("file", uri));
    let (kind, params) = match scheme {
        "file" => {
            if rest.is_empty() {
                return Err("an input needs a source: `src=file:///data`".to_owned());
            }
            let mut params = Map::from_iter([("SourcePath".to_owned(), Value::from(rest))]);
            for name in ["rw", "read-write"] {
                if let Some(value) = options.remove(name) {
                    params.insert("ReadWrite".to_owned(), (value != "false").into());
                }
            }
            ("local", params)
        }
        "http" | "https" => ("urlDownload", Map::from_iter([("URL".to_owned(), uri.into())])),
        "s3" => {
            let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
            ("s3", Map::from_iter([("Bucket".to_owned(), bucket.into()), ("Key".to_owned(), key.into())]))
        }
        other => return Err(format!("`{other}://` is not supported: write file://, http(s):// or s3://")),
    };
    let mut params = params;
    params.extend(options.into_iter().map(|(name, value)| (capital(&name), value)));
    Ok(json!({"Type": kind, "Params": params}))
}

/// `region` is `Region` in a job file.
fn capital(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().map(|first| first.to_ascii_uppercase().to_string() + chars.as_str()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_an_input_is_understood() {
        let parsed = |text: &str| parse(text).unwrap().to_string();
        let local = |path: &str, target: &str| {
            json!({"Source": {"Type": "local", "Params": {"SourcePath": path}}, "Target": target}).to_string()
        };
        assert_eq!(parsed("file:///data:/in"), local("/data", "/in"));
        assert_eq!(parsed("src=file:///data,dst=/in"), local("/data", "/in"));
        assert_eq!(parsed("file:///data"), local("/data", "/inputs"));
        assert!(parsed("src=file:///data,dst=/in,opt=rw=true").contains(r#""ReadWrite":true"#));
        assert!(parsed("https://example.com/a.txt:/in").contains(r#""URL":"https://example.com/a.txt""#));
        let s3 = parsed("src=s3://bucket/a/b,dst=/in,opt=region=eu-1");
        assert!(s3.contains(r#""Bucket":"bucket""#) && s3.contains(r#""Region":"eu-1""#), "{s3}");
        for wrong in ["ipfs://x", "src=file:///a,nonsense", "src=", ""] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
