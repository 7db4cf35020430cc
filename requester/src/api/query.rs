//! Query parameters as real clients send them (reference 0.2): names in any case, the first of repeated ones
//! counts, empty means absent, booleans as Go reads them.

use axum::{extract::FromRequestParts, http::request::Parts};
use percent_encoding::percent_decode_str;

use super::error::ApiError;

/// The query parameters of a request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    fn parse(text: &str) -> Result<Self, ApiError> {
        let decode = |part: &str| {
            let spaced = part.replace('+', " ");
            percent_decode_str(&spaced)
                .decode_utf8()
                .map(std::borrow::Cow::into_owned)
                .map_err(|_| ApiError::bad_request("the query is not UTF-8"))
        };
        text.split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                Ok((decode(name)?.to_lowercase(), decode(value)?))
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Every value given under a name.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// The value; empty if absent.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.0.iter().find(|(found, _)| found == name).map_or("", |(_, value)| value.as_str())
    }

    /// The value as a whole number; 0 if absent.
    pub(crate) fn number(&self, name: &str) -> Result<u64, ApiError> {
        match self.text(name) {
            "" => Ok(0),
            text => text.parse().map_err(|_| {
                ApiError::bad_request(format!("query parameter `{name}` is not a whole number"))
            }),
        }
    }

    /// The value as a yes or no; no if absent.
    pub(crate) fn flag(&self, name: &str) -> Result<bool, ApiError> {
        match self.text(name) {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
            "" | "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
            _ => {
                Err(ApiError::bad_request(format!("query parameter `{name}` is neither `true` nor `false`")))
            }
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        Self::parse(parts.uri.query().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_python_client_sends_is_understood() {
        let query = Query::parse("limit=5&next_token=&reverse=False&order_by=created_at").unwrap();
        assert_eq!(query.number("limit").unwrap(), 5);
        assert_eq!(query.text("next_token"), "");
        assert!(!query.flag("reverse").unwrap());
    }

    #[test]
    fn names_have_any_case_and_the_first_of_several_counts() {
        let query = Query::parse("Limit=1&limit=2&labels=a%21%3Db&labels=env+in+%28a%2Cb%29").unwrap();
        assert_eq!(query.number("limit").unwrap(), 1);
        assert_eq!(query.all("labels").collect::<Vec<_>>(), ["a!=b", "env in (a,b)"]);
    }

    #[test]
    fn anything_else_than_a_boolean_is_refused() {
        let query = Query::parse("reverse=maybe&limit=-1").unwrap();
        assert!(query.flag("reverse").is_err() && query.number("limit").is_err());
    }
}
