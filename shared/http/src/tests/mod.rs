//! The rules of this crate, each through a real router.

mod access;
mod bodies;
mod observing;
mod principals;
mod problems;
mod requests;

use crate::{Access, Answer, Api, Problem, ResolveExternalId, Scope, Surroundings, gateway_context};
use axum::Router;
use axum::body::Body;
use axum::handler::Handler;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt;
use jiff::{Timestamp, ToSpan};
use loyalty_domain::id::{CallerId, MemberId, ProgramId};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tower::ServiceExt;
use ulid::Ulid;

// Ids with letters in them, so that spelling matters.
const ADA: MemberId = MemberId::new(Ulid(0xA));
const BEN: MemberId = MemberId::new(Ulid(0xB));

/// Every look at the clock is 7 ms after the one before; ids count up.
#[derive(Default)]
struct Counting(AtomicI64);

impl Surroundings for Counting {
    fn now(&self) -> Timestamp {
        let looks = self.0.fetch_add(1, Ordering::Relaxed);
        Timestamp::UNIX_EPOCH + (looks * 7).milliseconds()
    }

    fn ulid(&self) -> Ulid {
        Ulid(99)
    }
}

/// Knows Ada as `crm-1` of the program `main`; the store is down for `crm-down`.
#[derive(Clone)]
struct Members;

impl ResolveExternalId for Members {
    async fn resolve_external_id(&self, program: &ProgramId, id: &CallerId) -> Result<Option<MemberId>, Problem> {
        match (program.as_str(), id.as_str()) {
            ("main", "crm-1") => Ok(Some(ADA)),
            ("main", "crm-down") => Err(Problem::unavailable(1)),
            _ => Ok(None),
        }
    }
}

fn surroundings() -> Arc<dyn Surroundings> {
    Arc::new(Counting::default())
}

fn api() -> Api<Members> {
    Api::new(Members, surroundings())
}

/// A router with one route, `method /thing`, that the service token opens.
fn router<H: Handler<T, Members>, T: 'static>(method: &Method, handler: H) -> Router {
    let access = Access::scope(Scope::PointsEarn);
    match method.as_str() {
        "GET" => api().get("/thing", access, handler),
        "POST" => api().post("/thing", access, handler),
        "PATCH" => api().patch("/thing", access, handler),
        other => panic!("no test of {other}"),
    }
    .into_router()
}

async fn nothing() -> Answer {
    Answer::no_content()
}

/// A request that is being put together.
struct Ask(http::request::Builder);

impl Ask {
    fn new(method: Method, path: &str) -> Self {
        Self(Request::builder().method(method).uri(path))
    }

    fn get(path: &str) -> Self {
        Self::new(Method::GET, path)
    }

    fn claims(self, claims: &[(&str, &str)]) -> Self {
        let claims: HashMap<String, String> = claims.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        Self(self.0.extension(gateway_context(Some("gw-1=".to_owned()), Some(claims))))
    }

    /// The token of a till.
    fn service(self) -> Self {
        self.claims(&[("sub", "pos-12"), ("scope", "points:earn")])
    }

    fn header(self, name: impl AsRef<str>, value: impl AsRef<[u8]>) -> Self {
        Self(self.0.header(name.as_ref(), value.as_ref()))
    }

    fn json(self) -> Self {
        self.header("content-type", "application/json")
    }

    async fn of(self, router: &Router) -> Told {
        self.with(Body::empty(), router).await
    }

    async fn with(self, body: impl Into<Body>, router: &Router) -> Told {
        let response = router.clone().oneshot(self.0.body(body.into()).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let json = serde_json::from_slice(&bytes).unwrap_or_default();
        Told { status: parts.status, headers: parts.headers, text: String::from_utf8(bytes.to_vec()).unwrap(), json }
    }
}

/// An answer.
struct Told {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
    json: Value,
}

impl Told {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    fn code(&self) -> &str {
        self.json["code"].as_str().unwrap_or_default()
    }

    /// Status and code, checking on the way what every problem must have.
    #[track_caller]
    fn problem(&self) -> (u16, &str) {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{}", self.text);
        assert_eq!(self.json["status"], self.status.as_u16());
        assert_eq!(self.json["type"], format!("urn:loyalty:problem:{}", self.code()));
        assert!(!self.json["title"].as_str().unwrap().is_empty());
        assert!(self.json["retryable"].is_boolean());
        assert_eq!(self.json["request_id"].as_str(), self.header("x-request-id"));
        (self.status.as_u16(), self.code())
    }

    fn pointers(&self) -> Vec<&str> {
        self.json["errors"].as_array().unwrap().iter().map(|error| error["pointer"].as_str().unwrap()).collect()
    }
}
