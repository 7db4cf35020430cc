//! A web server for guests to ask, with TLS or without.

use std::collections::BTreeMap;
use std::io::{BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::thread;

use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;

/// What a server was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) line: String,
    /// By lower-case name.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

/// A server on a port of its own that gives the same answer to whoever asks.
pub(crate) struct Web {
    pub(crate) address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Web {
    /// Gives these bytes as its answer.
    pub(crate) fn answering(answer: impl Into<Vec<u8>>) -> Web {
        Web::start(answer.into(), Some)
    }

    /// The same by HTTPS, for the name `localhost`; and the authority that vouches for it.
    pub(crate) fn answering_securely(answer: impl Into<Vec<u8>>) -> (Web, Vec<u8>) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let certificate = made.cert.der().clone();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], key)
            .unwrap();
        let config = Arc::new(config);
        let web = Web::start(answer.into(), move |stream| {
            let connection = rustls::ServerConnection::new(Arc::clone(&config)).ok()?;
            Some(rustls::StreamOwned::new(connection, stream))
        });
        (web, certificate.to_vec())
    }

    fn start<S: Read + Write + 'static>(
        answer: Vec<u8>,
        wrap: impl Fn(std::net::TcpStream) -> Option<S> + Send + Sync + 'static,
    ) -> Web {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::<Mutex<Vec<Asked>>>::default();
        let heard = Arc::clone(&asked);
        let shared = Arc::new((answer, wrap));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (shared, heard) = (Arc::clone(&shared), Arc::clone(&heard));
                // One that hangs up is no concern of the next.
                thread::spawn(move || {
                    let mut stream = BufReader::new((shared.1)(stream.ok()?)?);
                    let question = read(&mut stream)?;
                    heard.lock().ok()?.push(question);
                    stream.get_mut().write_all(&shared.0).ok()?;
                    stream.get_mut().flush().ok()
                });
            }
        });
        Web { address, asked }
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }
}

fn read(stream: &mut impl std::io::BufRead) -> Option<Asked> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let headers: BTreeMap<_, _> = lines[1..]
        .iter()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let len = headers.get("content-length").and_then(|len| len.parse().ok()).unwrap_or(0);
    let mut body = vec![0; len];
    stream.read_exact(&mut body).ok()?;
    Some(Asked { line: lines[0].clone(), headers, body: String::from_utf8(body).ok()? })
}

/// An answer with this status line, headers and body.
pub(crate) fn answer(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len())
}
