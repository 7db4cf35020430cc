//! The client that requests to a bucket go through, bounded in what it reads.

use std::pin::Pin;

use http_body_util::{BodyExt as _, Limited};
use object_store::client::{
    ClientOptions, HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse,
    HttpResponseBody, HttpService,
};

/// Bytes of an answer that the library reads whole: a list of a thousand keys of a kilobyte each, written in XML, is
/// smaller. Objects come in pieces, and whoever reads them counts.
const ANSWER_BYTES_MAX: usize = 8 << 20;

/// A client that makes the requests, whatever the library would rather have.
#[derive(Debug)]
pub struct Pinned(pub reqwest::Client);

impl HttpConnector for Pinned {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(Bounded(self.0.clone())))
    }
}

/// Whose service it is may be a job's choice: it must not fill our memory.
#[derive(Debug)]
struct Bounded(reqwest::Client);

impl HttpService for Bounded {
    fn call<'this, 'answer>(
        &'this self,
        request: HttpRequest,
    ) -> Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'answer>>
    where
        'this: 'answer,
        Self: 'answer,
    {
        let is_list = request.uri().query().is_some_and(|query| query.contains("list-type="));
        let may_be_object = request.method() == reqwest::Method::GET && !is_list;
        Box::pin(async move {
            let answer = self.0.call(request).await?;
            if may_be_object && answer.status().is_success() {
                return Ok(answer);
            }
            let (head, body) = answer.into_parts();
            let limited = Limited::new(body, ANSWER_BYTES_MAX)
                .map_err(|error| HttpError::new_boxed(HttpErrorKind::Decode, error));
            Ok(HttpResponse::from_parts(head, HttpResponseBody::new(limited)))
        })
    }
}
