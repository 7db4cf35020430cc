//! Conditions on the labels of nodes, as one text: `zone=eu,rack in (1,2),!spare`.

use serde_json::{Value, json};

/// The conditions as a job file has them.
///
/// # Errors
/// What is no condition.
pub(super) fn parse(text: &str) -> Result<Vec<Value>, String> {
    split(text)?.into_iter().map(condition).collect()
}

/// At commas outside of parentheses.
fn split(text: &str) -> Result<Vec<&str>, String> {
    let mut depth = 0_i32;
    let parts: Vec<&str> = text
        .split(|c| {
            depth += i32::from(c == '(') - i32::from(c == ')');
            c == ',' && depth == 0
        })
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect();
    if depth == 0 { Ok(parts) } else { Err(format!("a parenthesis is open in `{text}`")) }
}

fn condition(text: &str) -> Result<Value, String> {
    let made = |key: &str, operator: &str, values: Vec<&str>| {
        let key = key.trim();
        let is_key = !key.is_empty() && !key.contains([' ', '=', '!', '(', ')', '<', '>']);
        if !is_key {
            return Err(format!("`{text}` is not a condition such as `zone=eu` or `rack in (1,2)`"));
        }
        Ok(json!({"Key": key, "Operator": operator, "Values": values}))
    };
    for (word, operator) in [(" notin ", "notin"), (" in ", "in")] {
        if let Some((key, values)) = text.split_once(word) {
            let values = values.trim().strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
            let values =
                values.ok_or_else(|| format!("`{text}`: `{operator}` takes values in parentheses"))?;
            return made(key, operator, values.split(',').map(str::trim).collect());
        }
    }
    for (sign, operator) in [("!=", "!="), ("==", "="), ("=", "="), (">", "gt"), ("<", "lt")] {
        if let Some((key, value)) = text.split_once(sign) {
            return made(key, operator, vec![value.trim()]);
        }
    }
    match text.strip_prefix('!') {
        Some(key) => made(key, "!", Vec::new()),
        None => made(text, "exists", Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_read_as_kubernetes_writes_them() {
        let parsed =
            parse("zone=eu, rack in (1, 2),tier!=spare,!old,gpu,age>3,os==linux,x notin (a)").unwrap();
        let written: Vec<String> = parsed
            .iter()
            .map(|one| {
                format!(
                    "{} {} {}",
                    one["Key"].as_str().unwrap(),
                    one["Operator"].as_str().unwrap(),
                    one["Values"]
                )
            })
            .collect();
        assert_eq!(
            written,
            [
                r#"zone = ["eu"]"#,
                r#"rack in ["1","2"]"#,
                r#"tier != ["spare"]"#,
                "old ! []",
                "gpu exists []",
                r#"age gt ["3"]"#,
                r#"os = ["linux"]"#,
                r#"x notin ["a"]"#,
            ]
        );
        assert!(parse("").unwrap().is_empty());
        for wrong in ["=a", "a in b", "a in (b", "a b", "!"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
