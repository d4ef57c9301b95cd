//! A client of the API as the till has one: what it is told to try again, it tries again.

use crate::stack::{Answered, STAFF, Stack, claims};
use serde_json::Value;

/// One request, to be sent as often as need be.
#[derive(Debug, Clone)]
pub struct Ask {
    /// Its method.
    pub method: &'static str,
    /// Its path.
    pub path: String,
    /// Its body, if it has one.
    pub body: Option<Value>,
    /// Headers beside the content type.
    pub headers: Vec<(&'static str, String)>,
}

/// What a persistent client ended with.
#[derive(Debug, Clone)]
pub struct Ended {
    /// The last answer.
    pub answer: Answered,
    /// How often it had to ask.
    pub tries: u32,
}

/// How often a client asks before it gives up.
const MOST_TRIES: u32 = 20;

impl Ask {
    /// A request without a body.
    #[must_use]
    pub fn get(path: impl Into<String>) -> Self {
        Self { method: "GET", path: path.into(), body: None, headers: Vec::new() }
    }

    /// A request with a JSON body.
    #[must_use]
    pub fn with(method: &'static str, path: impl Into<String>, body: Value) -> Self {
        Self { method, path: path.into(), body: Some(body), headers: Vec::new() }
    }

    /// A `POST` with a JSON body.
    #[must_use]
    pub fn post(path: impl Into<String>, body: Value) -> Self {
        Self::with("POST", path, body)
    }

    /// A request of any method without a body.
    #[must_use]
    pub fn bare(method: &'static str, path: impl Into<String>) -> Self {
        Self { method, ..Self::get(path) }
    }

    /// The same with a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The same with an `Idempotency-Key`.
    #[must_use]
    pub fn key(self, key: impl Into<String>) -> Self {
        self.header("idempotency-key", key)
    }

    /// Sends it once, as staff with every scope.
    pub async fn once(&self, stack: &Stack) -> Answered {
        let headers: Vec<(&str, &str)> = self.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let body = self.body.as_ref().map(|body| body.to_string().into_bytes());
        stack.send_as(&claims(STAFF), self.method, &self.path, &headers, body).await
    }

    /// Sends it until the answer is one that does not say "try again": a 5xx and a 429 do.
    pub async fn persist(&self, stack: &Stack) -> Ended {
        let mut tries = 1;
        loop {
            let answer = self.once(stack).await;
            let again = answer.status.is_server_error() || answer.status.as_u16() == 429;
            if !again || tries >= MOST_TRIES {
                return Ended { answer, tries };
            }
            tries += 1;
        }
    }
}
