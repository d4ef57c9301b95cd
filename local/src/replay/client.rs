//! A small HTTP client for a stack nearby: kept connections, bounded retries, no TLS.

use super::{Kind, ReplayError, Target};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::uri::Scheme;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::Deserialize;
use serde_json::json;
use std::time::Duration;

/// What a replay does, and no more.
const SCOPE: &str = "members:read members:write points:earn program:read program:write";

/// How often one request is tried at the most; with the pauses between, about ten seconds.
const ATTEMPTS: u32 = 10;
const FIRST_PAUSE: Duration = Duration::from_millis(25);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
const TIMEOUT: Duration = Duration::from_secs(30);
/// The largest answer that is read: that to an invoice of a thousand lines is well below.
const LARGEST_ANSWER: usize = 8 << 20;

/// The API, as one actor of one program.
pub(super) struct Api {
    http: Client<HttpConnector, Full<Bytes>>,
    root: String,
    bearer: Option<String>,
    currency: &'static str,
}

/// An answer, good or bad.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    /// Whether the request had been carried out before this replay sent it.
    pub(super) replayed: bool,
    /// How many requests it took beyond the first.
    pub(super) retries: u64,
    body: Bytes,
}

/// What a problem+json says that matters here.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Problem {
    pub(super) code: String,
    pub(super) detail: String,
    retryable: bool,
}

impl Api {
    /// Gets hold of the API: takes the token that is given, or has the local stack issue one for the kind's program.
    pub(super) async fn connect(target: &Target, kind: Kind) -> Result<Self, ReplayError> {
        if target.url.scheme() != Some(&Scheme::HTTP) {
            let fault = "it must be an http:// address".to_owned();
            return Err(ReplayError::Unreachable { url: target.url.to_string(), fault });
        }
        let mut connector = HttpConnector::new();
        // A request is one small write: waiting for more to send only costs time.
        connector.set_nodelay(true);
        let http = Client::builder(TokioExecutor::new()).build(connector);
        let root = target.url.to_string().trim_end_matches('/').to_owned();
        let mut api = Self { http, root, bearer: None, currency: kind.currency() };
        let token = match &target.token {
            Some(token) => token.clone(),
            None => api.token(kind).await?,
        };
        api.bearer = Some(format!("Bearer {token}"));
        Ok(api)
    }

    /// The currency of all purchases.
    pub(super) const fn currency(&self) -> &'static str {
        self.currency
    }

    /// Sends a request until it is answered for good.
    pub(super) async fn send(&self, method: Method, path: &str, body: Option<Bytes>) -> Result<Answer, ReplayError> {
        let mut pause = FIRST_PAUSE;
        let mut lost = false;
        for attempt in 1..=ATTEMPTS {
            let last = attempt == ATTEMPTS;
            match self.once(method.clone(), path, body.clone()).await {
                Ok(mut answer) if last || !answer.is_passing() => {
                    // After a lost answer nobody can tell whether it was this replay that the first one was for.
                    answer.replayed &= !lost;
                    answer.retries = u64::from(attempt) - 1;
                    return Ok(answer);
                }
                Err(fault) if last => {
                    return Err(ReplayError::Unreachable { url: format!("{}{path}", self.root), fault });
                }
                Ok(_) => {}
                Err(_) => lost = true,
            }
            tokio::time::sleep(pause).await;
            pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
        }
        // Not reached, the last attempt returns; said so that no loop need be trusted.
        Err(ReplayError::Unreachable { url: format!("{}{path}", self.root), fault: "tried too often".to_owned() })
    }

    /// A request without which there is no replay, and the part of its answer that matters.
    pub(super) async fn need<T: for<'de> Deserialize<'de>>(
        &self,
        method: Method,
        path: &str,
        body: Option<Bytes>,
    ) -> Result<T, ReplayError> {
        self.send(method.clone(), path, body).await?.needed(&method, path)
    }

    async fn token(&self, kind: Kind) -> Result<String, ReplayError> {
        #[derive(Deserialize)]
        struct Issued {
            token: String,
        }
        let wanted = json!({"scope": SCOPE, "program": kind.name(), "member_id": null});
        // Tried once: where nothing listens, nobody wants to wait to be told so.
        let (method, path) = (Method::POST, "/_local/tokens");
        let answer = self.once(method.clone(), path, Some(wanted.to_string().into())).await;
        let answer = answer.map_err(|fault| ReplayError::Unreachable { url: self.root.clone(), fault })?;
        answer.needed::<Issued>(&method, path).map(|issued| issued.token)
    }

    async fn once(&self, method: Method, path: &str, body: Option<Bytes>) -> Result<Answer, String> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.root));
        if let Some(bearer) = &self.bearer {
            request = request.header(AUTHORIZATION, bearer);
        }
        if body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        let request = request.body(Full::new(body.unwrap_or_default())).map_err(|fault| fault.to_string())?;
        let exchange = async {
            let answer = self.http.request(request).await.map_err(|fault| told(&fault))?;
            let (head, body) = answer.into_parts();
            let body =
                Limited::new(body, LARGEST_ANSWER).collect().await.map_err(|fault| fault.to_string())?.to_bytes();
            let replayed = head.headers.get("idempotency-replayed").is_some_and(|value| value == "true");
            Ok(Answer { status: head.status, replayed, retries: 0, body })
        };
        tokio::time::timeout(TIMEOUT, exchange)
            .await
            .map_err(|_| format!("no answer within {} s", TIMEOUT.as_secs()))?
    }
}

impl Answer {
    /// The part of a good answer that matters.
    ///
    /// # Errors
    /// [`ReplayError::Refused`] when the answer has another shape than agreed.
    pub(super) fn read<T: for<'de> Deserialize<'de>>(&self, method: &Method, path: &str) -> Result<T, ReplayError> {
        serde_json::from_slice(&self.body).map_err(|fault| ReplayError::Refused {
            request: format!("{method} {path}"),
            status: self.status.as_u16(),
            code: "unreadable_answer".to_owned(),
            detail: fault.to_string(),
        })
    }

    /// The part of an answer that matters, if it is a good one.
    fn needed<T: for<'de> Deserialize<'de>>(&self, method: &Method, path: &str) -> Result<T, ReplayError> {
        if self.status.is_success() { self.read(method, path) } else { Err(self.refusal(method, path)) }
    }

    /// What a bad answer says; a gateway's own answers say nothing but their status.
    pub(super) fn problem(&self) -> Problem {
        let mut problem: Problem = serde_json::from_slice(&self.body).unwrap_or_default();
        if problem.code.is_empty() {
            problem.code = format!("status_{}", self.status.as_u16());
            problem.retryable = true;
        }
        problem
    }

    /// A bad answer as an error.
    pub(super) fn refusal(&self, method: &Method, path: &str) -> ReplayError {
        let Problem { code, detail, .. } = self.problem();
        ReplayError::Refused { request: format!("{method} {path}"), status: self.status.as_u16(), code, detail }
    }

    /// Whether the same request may fare better in a moment.
    fn is_passing(&self) -> bool {
        let may_pass = [StatusCode::CONFLICT, StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE];
        may_pass.contains(&self.status) && self.problem().retryable
    }
}

/// An error and its causes: hyper's own text stops at "client error (Connect)".
fn told(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    const DONE: &str = "HTTP/1.1 201 Created\r\nidempotency-replayed: true\r\ncontent-length: 2\r\n\r\n{}";

    async fn answered_with(answers: Vec<&'static str>) -> Answer {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        tokio::spawn(async move {
            for answer in answers {
                // One request a connection; an empty answer hangs up after the request was read.
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut request = [0; 4096];
                assert!(stream.read(&mut request).await.unwrap() > 0);
                stream.write_all(answer.as_bytes()).await.unwrap();
                stream.shutdown().await.unwrap();
            }
        });
        let target = Target { url, token: Some("t".to_owned()) };
        let api = Api::connect(&target, Kind::Cdnow).await.unwrap();
        api.send(Method::POST, "/v1/members", Some(Bytes::from_static(b"{}"))).await.unwrap()
    }

    #[tokio::test]
    async fn after_a_lost_answer_a_replayed_one_counts_as_our_own() {
        assert!(answered_with(vec![DONE]).await.replayed);
        let answer = answered_with(vec!["", DONE]).await;
        assert_eq!((answer.replayed, answer.retries), (false, 1));
    }

    #[tokio::test]
    async fn only_refusals_that_pass_are_tried_again() {
        // Without a length the body ends where the connection does.
        let passing = "HTTP/1.1 409 Conflict\r\n\r\n{\"code\":\"version\",\"retryable\":true}";
        let lasting = "HTTP/1.1 409 Conflict\r\n\r\n{\"code\":\"deactivated\",\"retryable\":false}";
        let gateway = "HTTP/1.1 429 Too Many Requests\r\n\r\n{\"message\":\"slow\"}";
        let answer = answered_with(vec![passing, DONE]).await;
        assert_eq!((answer.status, answer.retries), (StatusCode::CREATED, 1));
        assert_eq!(answered_with(vec![gateway, DONE]).await.retries, 1);
        let answer = answered_with(vec![lasting]).await;
        assert_eq!((answer.status, answer.retries), (StatusCode::CONFLICT, 0));
    }

    #[tokio::test]
    async fn where_nothing_listens_the_error_says_so_at_once() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        for (url, said) in [(format!("http://{address}"), "refused"), ("localhost:1".to_owned(), "http://")] {
            let target = Target { url: url.parse().unwrap(), token: None };
            let fault = Api::connect(&target, Kind::Cdnow).await.map(|_| ()).unwrap_err().to_string();
            assert!(fault.contains(said), "{fault}");
        }
    }
}
