//! Errors as answers: problem details (RFC 9457) with stable codes.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, StatusCode};
use loyalty_domain::json::{Faults, Severity};
use serde::Serialize;
use serde_json::{Map, Value};
use std::fmt::Display;

/// An answer that is not a success, as `application/problem+json`.
///
/// `code` is what callers act on and never changes; title and detail are for people. Nothing in it is ever personal: no
/// value of a body is repeated, only where it stood. The request id is filled in by the router on the way out.
#[derive(Debug, Clone)]
// Boxed, because it is the error half of nearly every result here and most results are not errors.
pub struct Problem(Box<Inner>);

#[derive(Debug, Clone)]
struct Inner {
    status: StatusCode,
    code: &'static str,
    title: &'static str,
    detail: Option<String>,
    retryable: bool,
    errors: Vec<InputError>,
    facts: Map<String, Value>,
    headers: HeaderMap,
    cause: Option<String>,
}

/// One thing that is wrong with a document that was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InputError {
    /// JSON Pointer (RFC 6901) to the value, `""` for the whole document.
    pub pointer: String,
    /// What is wrong, for a person.
    pub detail: String,
}

impl Problem {
    /// A problem with this status, stable snake_case code and title.
    #[must_use]
    pub fn new(status: StatusCode, code: &'static str, title: &'static str) -> Self {
        Self(Box::new(Inner {
            status,
            code,
            title,
            detail: None,
            retryable: false,
            errors: Vec::new(),
            facts: Map::new(),
            headers: HeaderMap::new(),
            cause: None,
        }))
    }

    /// 400 `malformed` if anything has the wrong shape, else 422 `meaningless`; all faults with their pointers.
    #[must_use]
    pub fn from_faults(faults: Faults) -> Self {
        if faults.list().iter().any(|fault| fault.severity == Severity::Malformed) {
            Self::new(StatusCode::BAD_REQUEST, "malformed", "The request is malformed").faults(&faults)
        } else {
            Self::unprocessable(faults, "meaningless")
        }
    }

    /// 422 with this code, whatever the faults are: for documents whose checking is itself the service.
    #[must_use]
    pub fn unprocessable(faults: Faults, code: &'static str) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, "The request cannot be carried out as it stands")
            .faults(&faults)
    }

    /// 401: no token, or one that names nobody.
    #[must_use]
    pub fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", "A valid access token is needed")
            .header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
    }

    /// 403: the token does not allow this, whether or not the thing exists.
    #[must_use]
    pub fn forbidden() -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", "The access token does not allow this")
    }

    /// 404 with the code of the kind of thing that is missing.
    #[must_use]
    pub fn not_found(code: &'static str) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, "There is no such thing here")
    }

    /// 409 with the code of what stands against it.
    #[must_use]
    pub fn conflict(code: &'static str) -> Self {
        Self::new(StatusCode::CONFLICT, code, "The present state does not allow this")
    }

    /// 422: the key or the natural key was used before, with other content; the pointers say where they differ.
    #[must_use]
    pub fn idempotency_mismatch(pointers: impl IntoIterator<Item = String>) -> Self {
        let differs = |pointer| InputError { pointer, detail: "differs from the first request".to_owned() };
        let title = "This was carried out before with other content";
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency_mismatch", title)
            .errors(pointers.into_iter().map(differs).collect())
    }

    /// 500. The cause goes into the log beside the request id and never to the caller; it must not hold personal data.
    #[must_use]
    pub fn internal(cause: impl Display) -> Self {
        let mut problem = Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Something went wrong on our side");
        problem.0.cause = Some(cause.to_string());
        problem
    }

    /// 503: nothing was done; the same request may succeed after so many seconds.
    #[must_use]
    pub fn unavailable(retry_after_seconds: u32) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Not possible at the moment")
            .retry_after(retry_after_seconds)
    }

    /// 429: too many of these from one caller; possible again after so many seconds.
    #[must_use]
    pub fn too_many_requests(retry_after_seconds: u32) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", "Too many requests of this kind")
            .retry_after(retry_after_seconds)
    }

    /// Says more about this occurrence, for a person.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.0.detail = Some(detail.into());
        self
    }

    /// Adds a fact that a caller can act on (`required`, `available`, `kinds`). The members that every problem has
    /// cannot be overwritten by one.
    #[must_use]
    pub fn fact(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.0.facts.insert(name.to_owned(), value.into());
        self
    }

    /// Says that the very same request may succeed later.
    #[must_use]
    pub fn retryable(mut self) -> Self {
        self.0.retryable = true;
        self
    }

    /// Says what is wrong in the document that was sent.
    #[must_use]
    pub fn errors(mut self, errors: Vec<InputError>) -> Self {
        self.0.errors = errors;
        self
    }

    /// Notes for the log why this came about. Never shown to the caller; must not hold personal data.
    #[must_use]
    pub fn because(mut self, cause: impl Display) -> Self {
        self.0.cause = Some(cause.to_string());
        self
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.0.code
    }

    /// What goes to the log only.
    pub(crate) fn cause(&self) -> Option<&str> {
        self.0.cause.as_deref()
    }

    /// The document, with the id of the request where it is known.
    pub(crate) fn body(&self, request_id: Option<&str>) -> Body {
        let inner = &self.0;
        let mut members = inner.facts.clone();
        let mut put = |name: &str, value: Value| members.insert(name.to_owned(), value);
        put("type", format!("urn:loyalty:problem:{}", inner.code).into());
        put("title", inner.title.into());
        put("status", inner.status.as_u16().into());
        put("code", inner.code.into());
        put("retryable", inner.retryable.into());
        if let Some(detail) = &inner.detail {
            put("detail", detail.as_str().into());
        }
        if let Some(request_id) = request_id {
            put("request_id", request_id.into());
        }
        if !inner.errors.is_empty() {
            let one = |error: &InputError| serde_json::json!({"pointer": error.pointer, "detail": error.detail});
            put("errors", inner.errors.iter().map(one).collect());
        }
        Body::from(Value::Object(members).to_string())
    }

    fn faults(self, faults: &Faults) -> Self {
        let one = |fault: &loyalty_domain::json::Fault| InputError {
            pointer: fault.pointer.clone(),
            detail: fault.detail.clone(),
        };
        self.errors(faults.list().iter().map(one).collect())
    }

    fn retry_after(self, seconds: u32) -> Self {
        self.header(RETRY_AFTER, HeaderValue::from(seconds)).retryable()
    }

    fn header(mut self, name: http::HeaderName, value: HeaderValue) -> Self {
        self.0.headers.insert(name, value);
        self
    }
}

impl From<Faults> for Problem {
    fn from(faults: Faults) -> Self {
        Self::from_faults(faults)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = Response::new(self.body(None));
        *response.status_mut() = self.0.status;
        *response.headers_mut() = self.0.headers.clone();
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        // The router finds it here and writes it again with the request id.
        response.extensions_mut().insert(self);
        response
    }
}
