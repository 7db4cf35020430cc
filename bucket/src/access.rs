//! Who may use which bucket, and opening it.

use std::time::Duration;

use object_store::{
    RetryConfig,
    aws::{AmazonS3, AmazonS3Builder},
    client::{ClientOptions, HttpClient, HttpConnector},
};
use skrei_job::objects::Bucket;

use crate::{BucketRule, Keys};

/// Where a bucket is if nobody says so.
const REGION_DEFAULT: &str = "us-east-1";

/// How often a request is repeated that went wrong for a passing reason, and for how long.
const RETRIES_MAX: usize = 4;
const RETRY_MAX: Duration = Duration::from_secs(60);

/// What jobs may do with buckets. By default nothing but read public ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// Whose service it is if a job does not say so; Amazon's if this is empty, too.
    pub endpoint: Option<String>,
    /// Where buckets are if a job does not say so.
    pub region: Option<String>,
    /// Buckets that are opened with the credentials.
    pub buckets: Vec<BucketRule>,
    /// The credentials.
    pub keys: Option<Keys>,
}

/// What is to be done with a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intent {
    /// To read what is in it.
    Read,
    /// To put something into it.
    Write,
    /// To let somebody read it with a signed URL.
    Sign,
}

/// Why a bucket is not opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// On no entry of the list.
    #[error("bucket `{0}` is not on the list of buckets that jobs may use (`S3.Buckets`)")]
    NotListed(String),
    /// The credentials are for another service.
    #[error("bucket `{0}` is at another endpoint than the credentials are for (`S3.Endpoint`)")]
    OtherEndpoint(String),
    /// There are no credentials.
    #[error("there are no credentials for bucket `{0}` (`S3.AccessKeyID` and `S3.SecretAccessKey`)")]
    NoKeys(String),
    /// The settings make no sense together.
    #[error("bucket `{bucket}` cannot be opened: {cause}")]
    Settings {
        /// Which.
        bucket: String,
        /// In the words of the library.
        cause: String,
    },
}

impl Access {
    /// Where requests for a bucket go: a URL.
    pub fn endpoint_of(&self, bucket: &Bucket) -> String {
        let endpoint = bucket.endpoint.as_ref().or(self.endpoint.as_ref());
        endpoint.map_or_else(
            || format!("https://s3.{}.amazonaws.com", self.region_of(bucket)),
            |endpoint| endpoint.trim_end_matches('/').to_owned(),
        )
    }

    /// Whether any bucket may be written.
    pub fn is_writable(&self) -> bool {
        self.keys.is_some() && self.buckets.iter().any(BucketRule::is_writable)
    }

    /// Opens a bucket. What is not on the list is read as everybody may, without credentials; so is what lies at an
    /// endpoint of the job's own. `client` makes the requests, if it is to be another than the library's.
    ///
    /// # Errors
    /// If it may not be used so.
    pub fn open(&self, bucket: &Bucket, intent: Intent, client: Option<Pinned>) -> Result<AmazonS3, Denied> {
        let endpoint = self.endpoint_of(bucket);
        let builder = AmazonS3Builder::new()
            .with_bucket_name(&bucket.name)
            .with_region(self.region_of(bucket))
            .with_allow_http(endpoint.starts_with("http://"))
            .with_endpoint(endpoint)
            .with_retry(RetryConfig {
                max_retries: RETRIES_MAX,
                retry_timeout: RETRY_MAX,
                ..RetryConfig::default()
            });
        let builder = match (self.keys_for(bucket, intent == Intent::Write), intent) {
            (Ok(keys), _) => {
                let builder =
                    builder.with_access_key_id(&keys.id).with_secret_access_key(keys.secret.as_str());
                keys.session.iter().fold(builder, |builder, token| builder.with_token(token.as_str()))
            }
            (Err(_), Intent::Read) => builder.with_skip_signature(true),
            (Err(denied), _) => return Err(denied),
        };
        let builder = match client {
            Some(client) => builder.with_http_connector(client),
            None => builder,
        };
        builder
            .build()
            .map_err(|error| Denied::Settings { bucket: bucket.name.clone(), cause: error.to_string() })
    }

    fn keys_for(&self, bucket: &Bucket, write: bool) -> Result<&Keys, Denied> {
        let name = || bucket.name.clone();
        if !self.buckets.iter().any(|rule| rule.covers(&bucket.name, write)) {
            return Err(Denied::NotListed(name()));
        }
        let trimmed =
            |endpoint: &Option<String>| endpoint.as_ref().map(|url| url.trim_end_matches('/').to_owned());
        if bucket.endpoint.is_some() && trimmed(&bucket.endpoint) != trimmed(&self.endpoint) {
            return Err(Denied::OtherEndpoint(name()));
        }
        self.keys.as_ref().ok_or_else(|| Denied::NoKeys(name()))
    }

    fn region_of<'a>(&'a self, bucket: &'a Bucket) -> &'a str {
        bucket.region.as_deref().or(self.region.as_deref()).unwrap_or(REGION_DEFAULT)
    }
}

/// A client that makes the requests, whatever the library would rather have.
#[derive(Debug)]
pub struct Pinned(pub reqwest::Client);

impl HttpConnector for Pinned {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.0.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket(name: &str, endpoint: Option<&str>) -> Bucket {
        Bucket { name: name.to_owned(), region: None, endpoint: endpoint.map(str::to_owned) }
    }

    fn access() -> Access {
        Access {
            endpoint: Some("https://s3.lan:9000/".to_owned()),
            region: None,
            buckets: vec!["in-*".parse().unwrap(), "out:rw".parse().unwrap()],
            keys: Some(Keys { id: "id".to_owned(), secret: "hidden".to_owned().into(), session: None }),
        }
    }

    #[test]
    fn credentials_are_for_listed_buckets_at_the_owners_endpoint() {
        let access = access();
        let denied = |name: &str, endpoint, intent| access.open(&bucket(name, endpoint), intent, None).err();
        assert_eq!(denied("out", None, Intent::Write), None);
        assert_eq!(denied("out", Some("https://s3.lan:9000"), Intent::Sign), None);
        assert_eq!(denied("in-1", None, Intent::Write), Some(Denied::NotListed("in-1".to_owned())));
        assert_eq!(denied("other", None, Intent::Sign), Some(Denied::NotListed("other".to_owned())));
        assert_eq!(denied("other", None, Intent::Read), None, "as everybody may");
        let elsewhere = Some("https://evil.example");
        assert_eq!(denied("out", elsewhere, Intent::Write), Some(Denied::OtherEndpoint("out".to_owned())));
        let keyless = Access { keys: None, ..access.clone() };
        assert_eq!(keyless.keys_for(&bucket("out", None), true), Err(Denied::NoKeys("out".to_owned())));
        // Read at an endpoint of the job's own: nothing of ours goes there.
        assert!(access.keys_for(&bucket("out", elsewhere), false).is_err());
    }

    #[test]
    fn credentials_are_shown_nowhere() {
        let access = access();
        let opened = access.open(&bucket("out", None), Intent::Write, None).unwrap();
        for shown in [format!("{access:?}"), opened.to_string()] {
            assert!(!shown.contains("hidden"), "{shown}");
        }
    }
}
