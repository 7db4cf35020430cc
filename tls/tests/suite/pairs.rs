//! What is wrong with a pair is said in one sentence that names the file.

use std::{
    collections::BTreeSet,
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
    time::{Duration, SystemTime},
};

use skrei_tls::{Authority, AuthorityError, Fingerprint, Pair, PairFiles, Served};

use crate::given::{authority, files, put, set};

const DAY: Duration = Duration::from_secs(86_400);

fn problem(files: &PairFiles) -> String {
    Pair::read(files, SystemTime::now()).unwrap_err().to_string()
}

#[test]
fn a_pair_is_for_the_names_and_addresses_it_was_made_for() {
    let temp = tempfile::tempdir().unwrap();
    let (_, files) = authority(temp.path(), &["web.example", "10.1.2.3", "::1"]);
    let pair = Pair::read(&files, SystemTime::now()).unwrap();
    for host in ["web.example", "10.1.2.3", "::1"] {
        assert!(pair.is_for(host), "{host}");
    }
    assert!(!pair.is_for("other.example") && !pair.is_for("10.1.2.4") && !pair.is_for("not a name"));
    assert_eq!(pair.warnings(&["web.example".to_owned()]), Vec::<String>::new());
    assert!(pair.warnings(&["other.example".to_owned()])[0].contains("other.example"));
}

#[test]
fn each_thing_that_can_be_wrong_has_its_own_sentence() {
    let temp = tempfile::tempdir().unwrap();
    let files = files(temp.path());
    assert!(problem(&files).ends_with("tls.crt` does not exist"));
    put("a.example", &files);
    assert!(Pair::read(&files, SystemTime::now()).is_ok());

    let key = fs::read(&files.key).unwrap();
    fs::remove_file(&files.key).unwrap();
    assert!(problem(&files).contains("the key file") && problem(&files).contains("does not exist"));
    fs::write(&files.key, "-----BEGIN NONSENSE-----").unwrap();
    assert!(problem(&files).contains("holds no key in PEM form"));
    fs::write(&files.key, &key[..key.len() / 2]).unwrap();
    assert!(problem(&files).contains("holds no key in PEM form"), "half of one is none");
    let temp = tempfile::tempdir().unwrap();
    let (_, other) = authority(temp.path(), &["a.example"]);
    fs::copy(other.key, &files.key).unwrap();
    assert!(problem(&files).contains("belongs to another certificate"));
    fs::write(&files.certificate, "nothing").unwrap();
    assert!(problem(&files).contains("holds no certificate in PEM form"));
    fs::write(&files.certificate, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap();
    assert!(problem(&files).contains("cannot be used"));
    fs::remove_file(&files.certificate).unwrap();
    fs::create_dir(&files.certificate).unwrap();
    assert!(problem(&files).contains("cannot be read"));
}

#[test]
fn a_pair_out_of_its_time_is_refused_and_one_that_everybody_can_read_is_warned_about() {
    let temp = tempfile::tempdir().unwrap();
    let (_, files) = authority(temp.path(), &["a.example"]);
    let late = Pair::read(&files, SystemTime::now() + 91 * DAY).unwrap_err();
    assert!(late.to_string().contains("expired on"), "{late}");
    let early = Pair::read(&files, SystemTime::now() - DAY).unwrap_err();
    assert!(early.to_string().contains("not valid before"), "{early}");
    assert_eq!(fs::metadata(&files.key).unwrap().permissions().mode() & 0o777, 0o600);
    fs::set_permissions(&files.key, Permissions::from_mode(0o644)).unwrap();
    let warnings = Pair::read(&files, SystemTime::now()).unwrap().warnings(&[]);
    assert!(warnings[0].contains("chmod 600"), "{warnings:?}");
}

#[test]
fn an_authority_renews_in_time_and_for_other_names_and_stays_the_same() {
    let temp = tempfile::tempdir().unwrap();
    let (authority, files) = authority(temp.path(), &["a.example"]);
    let fingerprint = authority.fingerprint().unwrap();
    let now = SystemTime::now();
    assert!(!authority.provide(&set(&["a.example"]), now + 50 * DAY).unwrap(), "it is good still");
    assert!(authority.provide(&set(&["a.example"]), now + 61 * DAY).unwrap(), "a third is left");
    let renewed = now + 61 * DAY;
    assert!(Pair::read(&files, renewed).unwrap().not_after() > renewed + 89 * DAY);
    assert!(authority.provide(&set(&["a.example", "b.example"]), renewed).unwrap());
    assert!(Pair::read(&files, renewed).unwrap().is_for("b.example"));
    let again = skrei_tls::Authority::open(temp.path().to_owned()).unwrap();
    assert_eq!(again.fingerprint().unwrap(), fingerprint);
    let parsed: Fingerprint = fingerprint.to_string().parse().unwrap();
    assert_eq!(parsed, fingerprint);
}

#[test]
fn an_authority_whose_key_is_lost_is_not_silently_another_one() {
    let temp = tempfile::tempdir().unwrap();
    let (authority, files) = authority(temp.path(), &["a.example"]);
    let fingerprint = authority.fingerprint().unwrap();
    let key = temp.path().join("ca-key.pem");
    let kept = fs::read(&key).unwrap();
    fs::remove_file(&key).unwrap();
    let lost = Authority::open(temp.path().to_owned()).unwrap_err();
    assert!(matches!(lost, AuthorityError::KeyLost { .. }), "{lost}");
    assert!(lost.to_string().contains("restore it"), "{lost}");
    // One that others could read is shut.
    fs::write(&key, kept).unwrap();
    fs::set_permissions(&key, Permissions::from_mode(0o644)).unwrap();
    let again = Authority::open(temp.path().to_owned()).unwrap();
    assert_eq!(again.fingerprint().unwrap(), fingerprint);
    assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    // Begun anew on purpose, its server gets a certificate of the new one.
    fs::remove_file(temp.path().join("ca.pem")).unwrap();
    let other = Authority::open(temp.path().to_owned()).unwrap();
    assert_ne!(other.fingerprint().unwrap(), fingerprint);
    let before = Pair::read(&files, SystemTime::now()).unwrap().fingerprint();
    assert!(other.provide(&set(&["a.example"]), SystemTime::now()).unwrap());
    assert_ne!(Pair::read(&files, SystemTime::now()).unwrap().fingerprint(), before);
}

#[test]
fn browsers_hear_of_https_alone_for_public_names_of_the_certificate() {
    let temp = tempfile::tempdir().unwrap();
    let names = ["web.example.com", "*.wild.example.com", "box", "db.internal", "192.0.2.7"];
    let (_, files) = authority(temp.path(), &names);
    let served = Served::new(&Pair::read(&files, SystemTime::now()).unwrap());
    for host in ["web.example.com", "WEB.example.com.", "a.wild.example.com"] {
        assert!(served.is_for_public(host), "{host}");
    }
    for host in ["box", "db.internal", "192.0.2.7", "[::1]", "other.example.com", "a.b.wild.example.com", ""]
    {
        assert!(!served.is_for_public(host), "{host}");
    }
}

#[test]
fn a_rotation_that_was_interrupted_is_finished_or_was_none() {
    let temp = tempfile::tempdir().unwrap();
    let at = |name: &str| temp.path().join(name);
    let (authority, _) = authority(temp.path(), &["a.example"]);
    let before = authority.fingerprint().unwrap();
    // Before it was decided.
    fs::write(at("next-ca-key.pem"), "half").unwrap();
    let again = Authority::open(temp.path().to_owned()).unwrap();
    assert_eq!(again.fingerprint().unwrap(), before);
    assert!(!at("next-ca-key.pem").exists() && again.former().unwrap().is_none());
    // After: the certificate is the last to come to its place.
    let issued = BTreeSet::from([before]);
    again.rotate(&issued, SystemTime::now()).unwrap();
    let after = again.fingerprint().unwrap();
    assert_ne!(after, before);
    fs::rename(at("ca.pem"), at("next-ca.pem")).unwrap();
    fs::copy(at("former-ca.pem"), at("ca.pem")).unwrap();
    fs::rename(at("cross.pem"), at("next-cross.pem")).unwrap();
    let finished = Authority::open(temp.path().to_owned()).unwrap();
    assert_eq!(finished.fingerprint().unwrap(), after);
    let former = finished.former().unwrap().unwrap();
    assert_eq!((Fingerprint::of(&former.certificate), former.issued), (before, issued));
    assert!(finished.provide(&set(&["a.example"]), SystemTime::now()).unwrap());
    assert_eq!(fs::metadata(at("ca-key.pem")).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(matches!(finished.rotate(&BTreeSet::new(), SystemTime::now()), Err(AuthorityError::Rotating)));
    finished.drop_former().unwrap();
    assert!(finished.former().unwrap().is_none());
    assert!(finished.provide(&set(&["a.example"]), SystemTime::now()).unwrap(), "the chain is another");
}
