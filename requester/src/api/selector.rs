//! Label selectors as text (reference 2.4): `a=b, c!=d, e in (f,g), h notin (i), j, !k, l>1`.

use skrei_job::labels::{Operator, Requirement};

use super::error::ApiError;

/// Longest selector read: each requirement is checked against each job.
const SELECTOR_MAX_BYTES: usize = 8 << 10;

/// Requirements in one selector at most: each is a condition of the query.
const REQUIREMENTS_MAX: usize = 64;

/// Reads selectors; all of them must hold.
pub(crate) fn parse<'a>(texts: impl Iterator<Item = &'a str>) -> Result<Vec<Requirement>, ApiError> {
    let mut requirements = Vec::new();
    let mut left = SELECTOR_MAX_BYTES;
    for text in texts {
        left = left
            .checked_sub(text.len())
            .ok_or_else(|| ApiError::bad_request("the label selector is too long"))?;
        for part in split(text) {
            requirements.push(requirement(part.trim()).ok_or_else(|| {
                ApiError::bad_request(format!("`{}` is not a label selector", part.trim()))
            })?);
        }
    }
    if requirements.len() > REQUIREMENTS_MAX {
        let message = format!("a label selector has {REQUIREMENTS_MAX} requirements at most");
        return Err(ApiError::bad_request(message));
    }
    Ok(requirements)
}

/// Splits at commas outside of parentheses; empty parts are dropped.
fn split(text: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0;
    text.split(move |c| {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        c == ',' && depth == 0
    })
    .filter(|part| !part.trim().is_empty())
}

fn requirement(text: &str) -> Option<Requirement> {
    if let Some(key) = text.strip_prefix('!') {
        return make(key, Operator::DoesNotExist, vec![]);
    }
    if let Some((head, list)) = text.strip_suffix(')').and_then(|text| text.split_once('(')) {
        let (key, word) = head.trim().rsplit_once(char::is_whitespace)?;
        let operator =
            Operator::parse(word).filter(|found| matches!(found, Operator::In | Operator::NotIn))?;
        if list.trim().is_empty() {
            return None;
        }
        return make(key, operator, list.split(',').map(|value| value.trim().to_owned()).collect());
    }
    let comparisons = [
        ("!=", Operator::NotEquals),
        ("==", Operator::Equals),
        ("=", Operator::Equals),
        (">", Operator::GreaterThan),
        ("<", Operator::LessThan),
    ];
    for (sign, operator) in comparisons {
        if let Some((key, value)) = text.split_once(sign) {
            return make(key, operator, vec![value.trim().to_owned()]);
        }
    }
    make(text, Operator::Exists, vec![])
}

fn make(key: &str, operator: Operator, values: Vec<String>) -> Option<Requirement> {
    let key = key.trim();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
    let is_compared = matches!(operator, Operator::GreaterThan | Operator::LessThan);
    let is_value = |value: &String| {
        !value.contains(['=', '!', '<', '>', '(', ')']) && (!is_compared || value.parse::<i64>().is_ok())
    };
    let valid = !key.is_empty() && key.chars().all(plain) && values.iter().all(is_value);
    valid.then(|| Requirement { key: key.to_owned(), operator, values })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<String> {
        parse([text].into_iter()).unwrap().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_form_of_a_requirement_is_read() {
        assert_eq!(
            read("a=b, c == d,e!=f,g in (h, i),j notin (k),l,!m,n>1,o<2,p="),
            ["a = b", "c = d", "e != f", "g in (h,i)", "j notin (k)", "l", "!m", "n gt 1", "o lt 2", "p = "]
        );
        assert!(read("").is_empty());
    }

    #[test]
    fn a_selector_has_a_bound_on_its_length_and_on_its_parts() {
        let many = vec!["!a"; REQUIREMENTS_MAX + 1].join(",");
        assert!(parse([many.as_str()].into_iter()).is_err());
        assert!(parse([&many[3..]].into_iter()).is_ok());
        let long = "a".repeat(SELECTOR_MAX_BYTES / 2 + 1);
        assert!(parse([long.as_str()].into_iter()).is_ok() && parse([long.as_str(); 2].into_iter()).is_err());
    }

    #[test]
    fn what_is_no_selector_is_refused_by_name() {
        for text in [
            "a b",
            "in (a)",
            "=x",
            "a in b)",
            "a like (b)",
            "a in ()",
            "a===b",
            "a=b=c",
            "a>b",
            "a<1.5",
            "a<",
        ] {
            assert!(parse([text].into_iter()).is_err(), "{text}");
        }
    }
}
