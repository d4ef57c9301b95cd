//! Answers of success.

use crate::idempotency::IDEMPOTENCY_REPLAYED;
use crate::problem::Problem;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::Serialize;

/// What a handler answers when it did what was asked: JSON, or nothing.
#[derive(Debug)]
pub struct Answer {
    status: StatusCode,
    body: Option<Result<Vec<u8>, serde_json::Error>>,
    headers: HeaderMap,
}

impl Answer {
    /// This status and body.
    #[must_use]
    pub fn new(status: StatusCode, body: impl Serialize) -> Self {
        Self { status, body: Some(serde_json::to_vec(&body)), headers: HeaderMap::new() }
    }

    /// 200.
    #[must_use]
    pub fn ok(body: impl Serialize) -> Self {
        Self::new(StatusCode::OK, body)
    }

    /// 201.
    #[must_use]
    pub fn created(body: impl Serialize) -> Self {
        Self::new(StatusCode::CREATED, body)
    }

    /// 204, without a body.
    #[must_use]
    pub fn no_content() -> Self {
        Self { status: StatusCode::NO_CONTENT, body: None, headers: HeaderMap::new() }
    }

    /// Says whether this repeats what an earlier request did.
    #[must_use]
    pub fn replayed(mut self, replayed: bool) -> Self {
        if replayed {
            self.headers.insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
        } else {
            self.headers.remove(IDEMPOTENCY_REPLAYED);
        }
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let body = match self.body {
            None => None,
            Some(Ok(bytes)) => Some(bytes),
            Some(Err(error)) => return Problem::internal(format!("answer not written: {error}")).into_response(),
        };
        let mut headers = self.headers;
        if body.is_some() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        let mut response = Response::new(body.map_or_else(Body::empty, Body::from));
        *response.status_mut() = self.status;
        *response.headers_mut() = headers;
        response
    }
}
