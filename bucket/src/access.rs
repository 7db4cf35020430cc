//! Who may use which bucket, and opening it.

use std::time::Duration;

use object_store::{
    RetryConfig,
    aws::{AmazonS3, AmazonS3Builder},
};
use skrei_job::objects::{Bucket, is_region};

use crate::{BucketRule, Keys, Pinned};

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

    /// The same bucket, with everything said that was left to us: what anybody else finds it by.
    pub fn located(&self, bucket: &Bucket) -> Bucket {
        Bucket {
            name: bucket.name.clone(),
            region: Some(self.region_of(bucket).to_owned()),
            endpoint: Some(self.endpoint_of(bucket)),
        }
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
        if bucket.region.as_deref().is_some_and(|region| !is_region(region)) {
            let cause = "its region is none: letters, digits and `-`".to_owned();
            return Err(Denied::Settings { bucket: bucket.name.clone(), cause });
        }
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
        let own = self.endpoint_of(&Bucket { endpoint: None, ..bucket.clone() });
        if self.endpoint_of(bucket) != own {
            return Err(Denied::OtherEndpoint(name()));
        }
        self.keys.as_ref().ok_or_else(|| Denied::NoKeys(name()))
    }

    fn region_of<'a>(&'a self, bucket: &'a Bucket) -> &'a str {
        // It becomes part of the name of a host, and is a job's word: nothing else may come of it.
        let said = bucket.region.as_deref().filter(|region| is_region(region));
        said.or(self.region.as_deref()).unwrap_or(REGION_DEFAULT)
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
    fn a_region_leads_to_no_other_host() {
        let access = Access { endpoint: None, ..access() };
        for region in ["x.evil.example/#", "a@evil.example/", "evil.example:80/?", "", "a.b"] {
            let bucket = Bucket { region: Some(region.to_owned()), ..bucket("out", None) };
            assert_eq!(access.endpoint_of(&bucket), "https://s3.us-east-1.amazonaws.com", "{region}");
            let opened = access.open(&bucket, Intent::Write, None);
            assert!(matches!(opened, Err(Denied::Settings { .. })), "{region}");
        }
    }

    #[test]
    fn a_bucket_that_was_left_to_us_is_found_by_others() {
        let located = access().located(&bucket("out", None));
        assert_eq!(located.endpoint.as_deref(), Some("https://s3.lan:9000"));
        assert_eq!(located.region.as_deref(), Some(REGION_DEFAULT));
        assert!(access().open(&located, Intent::Sign, None).is_ok(), "by us, too");
        let amazon = Access { endpoint: None, region: Some("eu-north-1".to_owned()), ..access() };
        let located = amazon.located(&bucket("out", None));
        assert_eq!(located.endpoint.as_deref(), Some("https://s3.eu-north-1.amazonaws.com"));
        assert!(amazon.open(&located, Intent::Sign, None).is_ok());
        assert!(
            access().open(&located, Intent::Sign, None).is_err(),
            "our credentials are for another service"
        );
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
