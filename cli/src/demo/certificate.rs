//! A throwaway certificate: a chain of two, made on the spot and trusted by nobody.

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};

use crate::error::Error;

/// Whom it is for. The domain is reserved for tests (RFC 6761).
pub(crate) const NAME: &str = "www.skrei.test";

/// How long it is valid.
const DAYS_VALID: i64 = 7;

/// A certificate, its issuer's, and its key.
pub(crate) struct Throwaway {
    /// PEM: the certificate, then its issuer's.
    pub(crate) fullchain: String,
    /// PEM.
    pub(crate) privkey: String,
    /// Its last day.
    pub(crate) until: Date,
}

/// Issues one.
///
/// # Errors
/// If the cryptographic library will not.
pub(crate) fn issue() -> Result<Throwaway, Error> {
    let failed = |error: rcgen::Error| Error::internal(format!("issue the demo's certificate: {error}"));
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
    let until = today.saturating_add(SignedDuration::from_hours(24 * DAYS_VALID));

    let mut root = params("skrei demo, trusted by nobody", today, until);
    root.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    let root_key = KeyPair::generate().map_err(failed)?;
    let root_certificate = root.self_signed(&root_key).map_err(failed)?;

    let mut leaf = params(NAME, today, until);
    leaf.subject_alt_names = CertificateParams::new([NAME.to_owned()]).map_err(failed)?.subject_alt_names;
    let key = KeyPair::generate().map_err(failed)?;
    let certificate = leaf.signed_by(&key, &Issuer::new(root, root_key)).map_err(failed)?;
    Ok(Throwaway {
        fullchain: certificate.pem() + &root_certificate.pem(),
        privkey: key.serialize_pem(),
        until,
    })
}

fn params(name: &str, from: Date, until: Date) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    let start_of =
        |day: Date| date_time_ymd(day.year().into(), day.month().unsigned_abs(), day.day().unsigned_abs());
    params.not_before = start_of(from);
    params.not_after = start_of(until);
    params
}
