//! Users with passwords and keys, and those who only pretend.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
    time::Duration,
};

use skrei_access::{
    Access, Action, ApiKey, Capabilities, Capability, Credential, Denied, FileError, Resource, Secret,
    StoredUser, User, UserFile, WrittenUser, hash_password,
};

fn from(last: u8) -> IpAddr {
    Ipv4Addr::new(192, 0, 2, last).into()
}

fn stored(name: &str, key: &ApiKey, allow: &str) -> StoredUser {
    StoredUser {
        name: name.to_owned(),
        password: None,
        key: Some(key.digest()),
        capabilities: [allow.parse::<Capability>().unwrap()].into_iter().collect(),
        created: 0,
        expires: None,
    }
}

fn anna() -> User {
    let capabilities = vec!["read:*".to_owned()];
    let password = Some(Secret::new("correct horse".to_owned()));
    let written =
        WrittenUser { username: "Anna".to_owned(), password, capabilities, ..WrittenUser::default() };
    User::new(&written).unwrap()
}

fn basic(user: &str, password: &str) -> String {
    let shown = Credential::Password { user: user.to_owned(), password: password.to_owned().into() };
    shown.header().expose().to_owned()
}

#[tokio::test]
async fn a_key_is_good_until_it_is_revoked_and_never_stands_in_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("auth/users.json");
    let key = ApiKey::generate().unwrap();
    let file = UserFile::new(path.clone());
    file.add(stored("robot", &key, "write:job")).unwrap();
    let taken = file.add(stored("ROBOT", &key, "*")).unwrap_err();
    assert!(matches!(taken, FileError::Taken(_)), "{taken}");
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(!text.contains(key.secret().expose()), "{text}");
    use std::os::unix::fs::PermissionsExt as _;
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);

    let access = Access::required(Vec::new(), Some(UserFile::new(path)), None, 10);
    let header = format!("Bearer {}", key.secret().expose());
    let caller = access.identify(Some(&header), from(1)).await.unwrap();
    assert_eq!(caller.name, "robot");
    assert!(caller.capabilities.allow(Action::Write, Resource::Job));
    assert_eq!(access.identify(Some(&header[..header.len() - 1]), from(1)).await, Err(Denied::Key));
    assert!(file.remove("robot").unwrap());
    assert_eq!(access.identify(Some(&header), from(1)).await, Err(Denied::Key));
}

#[tokio::test]
async fn a_password_is_good_for_its_user_alone_and_nothing_tells_users_from_strangers() {
    let access = Access::required(vec![anna()], None, None, 1000);
    for _ in 0..2 {
        assert_eq!(
            access.identify(Some(&basic("anna", "correct horse")), from(1)).await.unwrap().name,
            "Anna"
        );
    }
    for (user, password) in [("anna", "wrong horse!"), ("berta", "correct horse"), ("", ""), ("anna", "")] {
        let denied = access.identify(Some(&basic(user, password)), from(1)).await;
        assert_eq!(denied, Err(Denied::Password), "{user}");
    }
    assert_eq!(access.identify(None, from(1)).await, Err(Denied::Missing));
    assert_eq!(access.identify(Some("Digest x"), from(1)).await, Err(Denied::Unreadable));
}

#[tokio::test]
async fn whoever_fails_too_often_waits_and_others_do_not() {
    let directory = tempfile::tempdir().unwrap();
    let file = UserFile::new(directory.path().join("users.json"));
    let key = ApiKey::generate().unwrap();
    file.add(stored("robot", &key, "*")).unwrap();
    let access = Access::required(vec![anna()], Some(file), None, 5);
    for _ in 0..5 {
        assert_eq!(
            access.identify(Some(&basic("anna", "guess guess")), from(1)).await,
            Err(Denied::Password)
        );
    }
    let right = basic("anna", "correct horse");
    assert!(matches!(access.identify(Some(&right), from(1)).await, Err(Denied::TooOften(_))));
    assert!(matches!(access.identify(Some("Bearer wrong"), from(1)).await, Err(Denied::TooOften(_))));
    // From elsewhere, and with what cannot be guessed.
    access.identify(Some(&right), from(2)).await.unwrap();
    let header = format!("Bearer {}", key.secret().expose());
    access.identify(Some(&header), from(1)).await.unwrap();
    // Who succeeds does not use up anything.
    for _ in 0..20 {
        access.identify(Some(&right), from(2)).await.unwrap();
    }
}

#[tokio::test]
async fn a_broken_file_lets_nobody_in() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("users.json");
    std::fs::write(&path, "{ not users").unwrap();
    let access = Access::required(Vec::new(), Some(UserFile::new(path)), None, 10);
    assert_eq!(access.identify(Some("Bearer whatever"), from(1)).await, Err(Denied::UsersAway));
}

#[tokio::test]
async fn what_is_open_for_somebody_ends_when_they_are_revoked_and_not_when_somebody_else_is() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("auth/users.json");
    let file = UserFile::new(path.clone());
    let (robot, guest) = (ApiKey::generate().unwrap(), ApiKey::generate().unwrap());
    let access = Access::required(vec![anna()], Some(UserFile::new(path).watched().unwrap()), None, 10);
    let access = Arc::new(access);
    file.add(stored("robot", &robot, "write:job")).unwrap();
    file.add(stored("guest", &guest, "read:job")).unwrap();
    let caller = async |header: String| access.identify(Some(&header), from(1)).await.unwrap();
    let over = |caller| {
        let access = Arc::clone(&access);
        tokio::spawn(async move { access.over(&caller).await })
    };
    let bearer = |key: &ApiKey| format!("Bearer {}", key.secret().expose());
    let (robots, guests) = (over(caller(bearer(&robot)).await), over(caller(bearer(&guest)).await));
    let annas = over(caller(basic("anna", "correct horse")).await);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!robots.is_finished() && !guests.is_finished());
    file.remove("robot").unwrap();
    tokio::time::timeout(Duration::from_secs(20), robots).await.unwrap().unwrap();
    assert!(!guests.is_finished() && !annas.is_finished());
    // The same key with other capabilities is another caller.
    file.remove("guest").unwrap();
    file.add(stored("guest", &guest, "*")).unwrap();
    tokio::time::timeout(Duration::from_secs(20), guests).await.unwrap().unwrap();
    assert!(!annas.is_finished());
}

/// Whoever breaks off leaves the work behind that was begun; there must not be more of it for that.
#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_logins_is_sent_away_and_does_not_take_the_machine() {
    let access = Arc::new(Access::required(vec![anna()], None, None, 1_000_000));
    let right = basic("anna", "correct horse");
    access.identify(Some(&right), from(1)).await.unwrap();
    let flood: Vec<_> = (0..500)
        .map(|guess| {
            let access = Arc::clone(&access);
            tokio::spawn(async move {
                let header = basic("anna", &format!("guess number {guess}"));
                access.identify(Some(&header), from(2)).await
            })
        })
        .collect();
    let mut sent_away = 0;
    for guess in flood {
        match guess.await.unwrap() {
            Err(Denied::Busy(_)) => sent_away += 1,
            denied => assert_eq!(denied, Err(Denied::Password)),
        }
    }
    assert!(sent_away > 100, "{sent_away}");
    // A password that was right a while ago waits for nobody.
    access.identify(Some(&right), from(1)).await.unwrap();
}

#[tokio::test]
async fn a_user_whose_time_is_over_is_told_so() {
    let directory = tempfile::tempdir().unwrap();
    let file = UserFile::new(directory.path().join("users.json"));
    let key = ApiKey::generate().unwrap();
    file.add(StoredUser { expires: Some(1), ..stored("guest", &key, "*") }).unwrap();
    let hash = hash_password("long enough").unwrap();
    let with_password = StoredUser { key: None, password: Some(hash), ..stored("guest2", &key, "*") };
    file.add(StoredUser { expires: Some(1), ..with_password }).unwrap();
    let access = Access::required(Vec::new(), Some(file), None, 10);
    let header = format!("Bearer {}", key.secret().expose());
    assert_eq!(access.identify(Some(&header), from(1)).await, Err(Denied::Expired("guest".to_owned())));
    let shown = access.identify(Some(&basic("guest2", "long enough")), from(1)).await;
    assert_eq!(shown, Err(Denied::Expired("guest2".to_owned())));
}

#[test]
fn many_processes_change_the_file_and_no_change_is_lost() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("users.json");
    std::thread::scope(|scope| {
        for number in 0..16 {
            let path = path.clone();
            scope.spawn(move || {
                let key = ApiKey::generate().unwrap();
                UserFile::new(path).add(stored(&format!("user{number}"), &key, "*")).unwrap();
            });
        }
    });
    assert_eq!(UserFile::new(path).list().unwrap().len(), 16);
}

#[tokio::test]
async fn where_nobody_is_asked_everybody_may_do_everything_whatever_they_show() {
    let access = Access::open();
    for shown in [None, Some("Bearer stale"), Some("nonsense")] {
        let caller = access.identify(shown, from(1)).await.unwrap();
        assert_eq!(caller.capabilities, Capabilities::everything());
    }
}
