//! Servers and clients that meet over a real connection.

use std::{
    fs,
    sync::Arc,
    time::{Duration, Instant},
};

use skrei_tls::{Fingerprint, Handshakes, Pair, PairFiles, Port, Served, Trust, watch};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tokio_rustls::{TlsConnector, rustls::pki_types::ServerName};

use crate::given::{authority, files, put};

const PATIENCE: Duration = Duration::from_secs(30);

/// A server that greets everybody; its port.
async fn serve(files: &PairFiles) -> (u16, Arc<Served>) {
    let served = Served::new(&Pair::read(files, std::time::SystemTime::now()).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut connections = Handshakes::start(listener, served.server_config().unwrap(), Port::Api).unwrap();
    let port = connections.address().port();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = connections.next().await;
            tokio::spawn(async move {
                let _ = stream.write_all(b"hello").await;
                let _ = stream.read_u8().await;
            });
        }
    });
    (port, served)
}

/// What a client hears, and whose certificate it saw.
async fn call(port: u16, trust: &Trust, name: &str) -> Result<Fingerprint, String> {
    let connector = TlsConnector::from(Arc::new(trust.client_config().unwrap()));
    let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let mut stream = connector.connect(name, stream).await.map_err(|error| error.to_string())?;
    let mut greeting = [0; 5];
    stream.read_exact(&mut greeting).await.map_err(|error| error.to_string())?;
    Ok(Fingerprint::of(&stream.get_ref().1.peer_certificates().unwrap()[0]))
}

#[tokio::test]
async fn a_client_believes_whom_it_was_told_to_and_nobody_else() {
    let temp = tempfile::tempdir().unwrap();
    let (ca, files) = authority(temp.path(), &["localhost"]);
    let (port, _) = serve(&files).await;
    let by_file = Trust { ca_file: Some(ca.certificate_file()), ..Trust::default() };
    let leaf = call(port, &by_file, "localhost").await.unwrap();
    assert!(call(port, &by_file, "other.example").await.unwrap_err().contains("not valid for name"));

    assert!(call(port, &Trust::default(), "localhost").await.is_err(), "no public authority knows it");
    let by_fingerprint = |fingerprint| Trust { fingerprint: Some(fingerprint), ..Trust::default() };
    call(port, &by_fingerprint(leaf), "any.example").await.unwrap();
    let ca_fingerprint = ca.fingerprint().unwrap();
    call(port, &by_fingerprint(ca_fingerprint), "localhost").await.unwrap();
    assert!(call(port, &by_fingerprint(ca_fingerprint), "other.example").await.is_err());
    let other = tempfile::tempdir().unwrap();
    let (other, _) = authority(other.path(), &["localhost"]);
    assert!(call(port, &by_fingerprint(other.fingerprint().unwrap()), "localhost").await.is_err());
    let by_other = Trust { ca_file: Some(other.certificate_file()), ..Trust::default() };
    assert!(call(port, &by_other, "localhost").await.is_err());
    call(port, &Trust { insecure: true, ..Trust::default() }, "other.example").await.unwrap();
    // Whoever said whom to trust is not talked out of it by a careless word elsewhere.
    for strict in [by_fingerprint(other.fingerprint().unwrap()), by_other] {
        assert!(
            call(port, &Trust { insecure: true, ..strict.clone() }, "localhost").await.is_err(),
            "{strict:?}"
        );
    }
    let both = Trust { ca_file: by_file.ca_file.clone(), ..by_fingerprint(other.fingerprint().unwrap()) };
    assert!(call(port, &both, "localhost").await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_pair_is_served_however_it_is_written_and_a_wrong_one_never() {
    let temp = tempfile::tempdir().unwrap();
    let served_from = files(temp.path());
    put("localhost", &served_from);
    let (port, served) = serve(&served_from).await;
    let _watching = watch(served_from.clone(), served).unwrap();
    let trust = Trust { insecure: true, ..Trust::default() };
    let mut last = call(port, &trust, "localhost").await.unwrap();
    let replaced = async |last: Fingerprint| loop {
        let now = call(port, &trust, "localhost").await.unwrap();
        if now != last {
            return now;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };

    // Written over in place.
    put("localhost", &served_from);
    last = timeout(PATIENCE, replaced(last)).await.unwrap();
    // Renamed into place.
    let new = files(&temp.path().join("new"));
    fs::create_dir(temp.path().join("new")).unwrap();
    put("localhost", &new);
    fs::rename(&new.key, &served_from.key).unwrap();
    fs::rename(&new.certificate, &served_from.certificate).unwrap();
    last = timeout(PATIENCE, replaced(last)).await.unwrap();
    // Half a pair: the key of another certificate is refused until its certificate comes.
    put("localhost", &new);
    fs::copy(&new.key, &served_from.key).unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(call(port, &trust, "localhost").await.unwrap(), last, "the old one is served on");
    fs::copy(&new.certificate, &served_from.certificate).unwrap();
    timeout(PATIENCE, replaced(last)).await.unwrap();
}

#[tokio::test]
async fn plain_http_gets_an_answer_that_says_what_to_do_and_silence_holds_up_nobody() {
    let temp = tempfile::tempdir().unwrap();
    let (_, files) = authority(temp.path(), &["localhost"]);
    let (port, _) = serve(&files).await;
    let mut silent = Vec::new();
    for _ in 0..200 {
        silent.push(TcpStream::connect(("127.0.0.1", port)).await.unwrap());
    }
    let mut plain = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    plain.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    plain.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("https://"), "{answer}");
    call(port, &Trust { insecure: true, ..Trust::default() }, "localhost").await.unwrap();
}

/// As a slow tool does it: the leaf, then piece by piece what stands behind it. All of it is served, or what was before.
#[tokio::test(flavor = "multi_thread")]
async fn a_chain_that_is_written_piece_by_piece_is_served_whole() {
    let temp = tempfile::tempdir().unwrap();
    let files = files(temp.path());
    put("localhost", &files);
    let (port, served) = serve(&files).await;
    let _watching = watch(files.clone(), served).unwrap();
    let trust = Trust { insecure: true, ..Trust::default() };
    let before = call(port, &trust, "localhost").await.unwrap();
    let other = tempfile::tempdir().unwrap();
    let (_, new) = authority(other.path(), &["localhost"]);
    let chain = fs::read_to_string(&new.certificate).unwrap();
    let leaf = chain.find("-----END CERTIFICATE-----\n").unwrap() + "-----END CERTIFICATE-----\n".len();
    fs::copy(&new.key, &files.key).unwrap();
    // Longer than the directory is given to become quiet, by a thread of its own: how fast others are does not matter.
    let (at, whole) = (files.certificate.clone(), chain.clone());
    let writing = std::thread::spawn(move || {
        let (mut written, mut slowest, mut last) = (whole[..leaf].to_owned(), Duration::ZERO, Instant::now());
        for _ in 0..75 {
            fs::write(&at, &written).unwrap();
            slowest = slowest.max(last.elapsed());
            last = Instant::now();
            std::thread::sleep(Duration::from_millis(20));
            written.push_str("# what some tools write in between\n");
        }
        written.push_str(&whole[leaf..]);
        fs::write(&at, &written).unwrap();
        slowest.max(last.elapsed())
    });
    let mut seen_in_pieces = false;
    while !writing.is_finished() {
        let is_new = call(port, &trust, "localhost").await.unwrap() != before;
        seen_in_pieces |= is_new && chain_length(port, &trust).await < 2;
    }
    // A writer that pauses for longer cannot be told from one that is done.
    if writing.join().unwrap() < Duration::from_millis(150) {
        assert!(!seen_in_pieces, "a piece was taken for the whole");
    }
    let renewed = async { while call(port, &trust, "localhost").await.unwrap() == before {} };
    timeout(PATIENCE, renewed).await.unwrap();
    assert_eq!(chain_length(port, &trust).await, 2);
}

async fn chain_length(port: u16, trust: &Trust) -> usize {
    let connector = TlsConnector::from(Arc::new(trust.client_config().unwrap()));
    let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let stream = connector.connect(ServerName::try_from("localhost").unwrap(), stream).await.unwrap();
    stream.get_ref().1.peer_certificates().unwrap().len()
}
