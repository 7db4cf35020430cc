//! Where what jobs take and leave comes from and goes.

use std::time::Duration;

use skrei_bucket::{Access, Keys};

use super::get::Get;
use crate::error::Error;

/// A week: Amazon signs for no longer.
const SIGNED_FOR_MAX: Duration = Duration::from_secs(7 * 24 * 60 * 60);

pub(super) fn signed_for(get: &Get<'_>) -> Result<Option<Duration>, Error> {
    let key = "Publishers.Types.S3.PreSignedURLExpiration";
    let expiration = get.duration(key)?;
    if expiration.is_zero() || expiration > SIGNED_FOR_MAX {
        return Err(Error::usage(format!("{key}: signed URLs are good for up to a week")).hint("write `30m`"));
    }
    let is_on = !get.boolean("Publishers.Types.S3.PreSignedURLDisabled")?;
    Ok(is_on.then_some(expiration))
}

pub(super) fn buckets(get: &Get<'_>) -> Result<Access, Error> {
    let text = |key: &str| get.text(key).map(|text| Some(text).filter(|text| !text.is_empty()));
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let rule = |text: &String| text.parse().map_err(|wrong| Error::usage(format!("S3.Buckets: {wrong}")));
    let keys = match (text("S3.AccessKeyID")?, text("S3.SecretAccessKey")?) {
        (Some(id), Some(secret)) => Some(Keys { id, secret: secret.into(), session: None }),
        (None, None) => {
            variable("AWS_ACCESS_KEY_ID").zip(variable("AWS_SECRET_ACCESS_KEY")).map(|(id, secret)| Keys {
                id,
                secret: secret.into(),
                session: variable("AWS_SESSION_TOKEN").map(Into::into),
            })
        }
        _ => {
            return Err(Error::usage("one half of the credentials for S3 is given, and the other is not")
                .hint("set both `S3.AccessKeyID` and `S3.SecretAccessKey`"));
        }
    };
    Ok(Access {
        endpoint: text("S3.Endpoint")?,
        region: text("S3.Region")?,
        buckets: get.list("S3.Buckets")?.iter().map(rule).collect::<Result<_, _>>()?,
        keys,
    })
}

pub(super) fn public_url(get: &Get<'_>) -> Result<Option<String>, Error> {
    let text = get.text("API.PublicURL")?;
    let is_url = |text: &str| {
        let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
        (!host.is_empty() && !host.contains(['?', '#', '@']) && !host.contains(char::is_whitespace))
            .then_some(())
    };
    match is_url(&text) {
        _ if text.is_empty() => Ok(None),
        Some(()) => Ok(Some(text)),
        None => Err(Error::usage(format!("API.PublicURL: `{text}` is not a URL of a server"))
            .hint("write `https://HOST` or `https://HOST:PORT`")),
    }
}
