//! Port 80: answers to the authority, and the way to HTTPS for everybody else.

use std::{convert::Infallible, sync::Arc, time::Duration};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Request, Response, StatusCode,
    header::{HOST, HeaderValue, LOCATION},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpListener, sync::Semaphore};
use tokio_util::task::AbortOnDropHandle;

use super::Answers;

/// Where the authority looks (RFC 8555 section 8.3).
const CHALLENGES: &str = "/.well-known/acme-challenge/";

/// Longest life of a connection: one short request.
const CONNECTION_MAX: Duration = Duration::from_secs(10);

/// Connections at a time; who comes then waits in the system's queue.
const CONNECTIONS_MAX: usize = 256;

/// Longest head of a request.
const HEAD_MAX_BYTES: usize = 16 << 10;

/// After the system refused a connection, how long it gets to recover.
const PAUSE: Duration = Duration::from_millis(200);

/// Answers challenges and redirects what else is asked of `names` to HTTPS on `port`, until dropped. Other names are
/// redirected nowhere: it must not lead where somebody else says.
pub fn redirect(
    listener: TcpListener,
    answers: Arc<Answers>,
    names: Vec<String>,
    port: u16,
) -> AbortOnDropHandle<()> {
    AbortOnDropHandle::new(tokio::spawn(async move {
        let names = Arc::new(names);
        let open = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        loop {
            let Ok(turn) = Arc::clone(&open).acquire_owned().await else { return };
            let Ok((stream, _)) = listener.accept().await else {
                tokio::time::sleep(PAUSE).await;
                continue;
            };
            let (answers, names) = (Arc::clone(&answers), Arc::clone(&names));
            tokio::spawn(async move {
                let service = service_fn(|request: Request<_>| {
                    let answered = answer(&request, &answers, &names, port);
                    async move { Ok::<_, Infallible>(answered) }
                });
                let connection = http1::Builder::new()
                    .keep_alive(false)
                    .max_buf_size(HEAD_MAX_BYTES)
                    .serve_connection(TokioIo::new(stream), service);
                // A client that breaks off or takes too long is its own affair.
                let _ = tokio::time::timeout(CONNECTION_MAX, connection).await;
                drop(turn);
            });
        }
    }))
}

fn answer<B>(request: &Request<B>, answers: &Answers, names: &[String], port: u16) -> Response<Full<Bytes>> {
    if let Some(token) = request.uri().path().strip_prefix(CHALLENGES) {
        return match answers.to_token(token) {
            Some(key_authorization) => text(StatusCode::OK, key_authorization),
            None => text(StatusCode::NOT_FOUND, "no such challenge\n".to_owned()),
        };
    }
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let host = host.split(':').next().unwrap_or_default();
    let Some(name) = names.iter().find(|name| name.eq_ignore_ascii_case(host)) else {
        return text(StatusCode::NOT_FOUND, "this port leads to HTTPS, for known names alone\n".to_owned());
    };
    let port = if port == 443 { String::new() } else { format!(":{port}") };
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let mut answer = text(StatusCode::PERMANENT_REDIRECT, "use https://\n".to_owned());
    if let Ok(location) = HeaderValue::from_str(&format!("https://{name}{port}{path}")) {
        answer.headers_mut().insert(LOCATION, location);
    }
    answer
}

fn text(status: StatusCode, body: String) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::from(body));
    *answer.status_mut() = status;
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(host: &str, path: &str) -> (u16, String) {
        let answers = Answers::default();
        answers.put_token("known", "known.thumb");
        let request = Request::builder().uri(path).header(HOST, host).body(()).unwrap();
        let answer = answer(&request, &answers, &["a.example".to_owned()], 1234);
        let location = answer.headers().get(LOCATION).map(|location| location.to_str().unwrap().to_owned());
        (answer.status().as_u16(), location.unwrap_or_default())
    }

    #[test]
    fn challenges_are_answered_known_names_redirected_and_nobody_is_led_astray() {
        assert_eq!(asked("x", "/.well-known/acme-challenge/known").0, 200);
        assert_eq!(asked("x", "/.well-known/acme-challenge/other").0, 404);
        assert_eq!(asked("A.example:80", "/b?c=d"), (308, "https://a.example:1234/b?c=d".to_owned()));
        assert_eq!(asked("evil.example", "/"), (404, String::new()));
    }
}
