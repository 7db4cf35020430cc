//! Installs a configuration, after checking that the program that reads it could.
//!
//! Everything wrong is said at once, and nothing is touched then.

use serde_json::Value;

/// Exit code for a configuration that is not sound: no retry makes it better.
const UNSOUND: u8 = 3;

#[skrei::main]
fn main(config: String, path: String) -> skrei::Result {
    let problems = problems(&config);
    skrei::value("problems", problems.len());
    if !problems.is_empty() {
        return Err(skrei::Exit::new(UNSOUND, format!("{}; nothing was changed", problems.join("; "))).into());
    }
    let before = std::fs::read_to_string(&path).unwrap_or_default();
    if before == config {
        println!("{path} is up to date");
    } else {
        skrei::files::write_atomic(&path, config.as_bytes())?;
        println!("{path} is installed");
    }
    skrei::value("changed", before != config);
    Ok(())
}

/// What is wrong with a configuration: an object with a `listen` port and a list of `upstreams`, `HOST:PORT` each.
fn problems(config: &str) -> Vec<String> {
    let config: Value = match serde_json::from_str(config) {
        Ok(config) => config,
        Err(error) => return vec![format!("it is not JSON: {error}")],
    };
    let mut problems = Vec::new();
    match config["listen"].as_u64() {
        Some(1..=65535) => {}
        _ => problems.push("`listen` is not a port".to_owned()),
    }
    match config["upstreams"].as_array() {
        Some(upstreams) if !upstreams.is_empty() => {
            let is_address = |upstream: &Value| {
                let port = upstream.as_str().and_then(|text| text.rsplit_once(':')).map(|(_, port)| port);
                port.is_some_and(|port| port.parse::<u16>().is_ok())
            };
            let wrong = upstreams.iter().filter(|upstream| !is_address(upstream));
            problems.extend(wrong.map(|upstream| format!("upstream {upstream} is not HOST:PORT")));
        }
        _ => problems.push("there are no `upstreams`".to_owned()),
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::problems;

    #[test]
    fn everything_wrong_is_said_at_once() {
        assert_eq!(problems(r#"{"listen": 80, "upstreams": ["a:1"]}"#), Vec::<String>::new());
        assert_eq!(problems(r#"{"listen": 0, "upstreams": ["a"]}"#).len(), 2);
        assert!(problems("{")[0].starts_with("it is not JSON"));
    }
}
