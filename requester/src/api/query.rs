//! Query parameters as real clients send them (reference 0.2): names in any case, the first of repeated ones
//! counts, empty means absent, booleans as Go reads them.

mod values;

use axum::{extract::FromRequestParts, http::request::Parts};
use percent_encoding::percent_decode_str;
use serde::{Deserialize, de::DeserializeOwned};
use utoipa::IntoParams;

use super::error::ApiError;

/// The query parameters of a request, as the fields of `T`. Those that `T` does not have are ignored.
#[derive(Clone, Debug, Default)]
pub(crate) struct Query<T>(pub(crate) T);

/// Where the job that a path names is looked for.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub(crate) struct InNamespace {
    /// Namespace of the job, if it is named and not given by its id. Empty: `default`.
    pub(crate) namespace: String,
}

impl<T: DeserializeOwned> Query<T> {
    pub(crate) fn parse(text: &str) -> Result<Self, ApiError> {
        let pairs = text
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                Ok((decode(name)?, decode(value)?))
            })
            .collect::<Result<Vec<_>, ApiError>>()?;
        values::read(&pairs).map(Self).map_err(|error| ApiError::bad_request(error.to_string()))
    }
}

fn decode(part: &str) -> Result<String, ApiError> {
    let spaced = part.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8();
    decoded.map(std::borrow::Cow::into_owned).map_err(|_| ApiError::bad_request("the query is not UTF-8"))
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        Self::parse(parts.uri.query().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, Deserialize, PartialEq)]
    #[serde(default)]
    struct Everything {
        limit: u32,
        next_token: String,
        reverse: bool,
        labels: Vec<String>,
        event_type: Option<Kind>,
        since: Option<u64>,
        #[serde(rename = "filter-approval", alias = "filter_approval")]
        filter_approval: String,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "lowercase")]
    enum Kind {
        All,
    }

    fn parse(text: &str) -> Result<Everything, ApiError> {
        Query::parse(text).map(|Query(found)| found)
    }

    #[test]
    fn what_the_python_client_sends_is_understood() {
        let found =
            parse("limit=5&next_token=&reverse=False&order_by=created_at&event_type=&since=").unwrap();
        assert_eq!(found, Everything { limit: 5, ..Everything::default() });
        let found = parse("event_type=all&since=3&filter_approval=approved").unwrap();
        assert_eq!((found.event_type, found.since), (Some(Kind::All), Some(3)));
        assert_eq!(found.filter_approval, "approved");
    }

    #[test]
    fn names_have_any_case_and_the_first_of_several_counts() {
        let found = parse("Limit=1&limit=2&labels=a%21%3Db&labels=env+in+%28a%2Cb%29&LIMIT=x").unwrap();
        assert_eq!(found.limit, 1);
        assert_eq!(found.labels, ["a!=b", "env in (a,b)"]);
    }

    #[test]
    fn booleans_are_read_as_go_reads_them() {
        for yes in ["1", "t", "T", "TRUE", "true", "True"] {
            assert!(parse(&format!("reverse={yes}")).unwrap().reverse, "{yes}");
        }
        for no in ["0", "f", "F", "FALSE", "false", "False", ""] {
            assert!(!parse(&format!("reverse={no}")).unwrap().reverse, "{no}");
        }
    }

    #[test]
    fn what_is_of_another_type_is_refused_by_name() {
        for (text, words) in [
            ("reverse=maybe", "`reverse` is neither `true` nor `false`"),
            ("reverse=tRUE", "`reverse`"),
            ("limit=-1", "`limit` is not a whole number"),
            ("limit=4294967296", "`limit`"),
            ("limit=1e3", "`limit`"),
            ("event_type=some", "`event_type` is not `some`"),
            ("labels=%ff", "not UTF-8"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.message().contains(words), "{text}: {}", error.message());
        }
    }
}
