//! Keys by which a request is recognised when it comes again.

use crate::problem::Problem;
use axum::extract::FromRequestParts;
use http::request::Parts;
use http::{HeaderName, StatusCode};

/// The header that carries a request's key.
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The header of an answer that repeats an earlier one; its value is `true`.
pub const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// The `Idempotency-Key` of a request that needs one: 1 to 255 printable ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestKey(pub String);

impl<S: Sync> FromRequestParts<S> for RequestKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut sent = parts.headers.get_all(IDEMPOTENCY_KEY).iter();
        let key = sent.next().ok_or_else(required)?;
        // A proxy that joins doubled headers makes another key of them, but the same one each time.
        if sent.next().is_some() {
            return Err(malformed());
        }
        let printable = |byte: &u8| (b' '..=b'~').contains(byte);
        let fits = (1..=255).contains(&key.len()) && key.as_bytes().iter().all(printable);
        let key = key.to_str().ok().filter(|_| fits).ok_or_else(malformed)?;
        Ok(Self(key.to_owned()))
    }
}

fn required() -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "idempotency_key_required", "This request needs an Idempotency-Key")
}

fn malformed() -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "idempotency_key_malformed", "The Idempotency-Key cannot be used")
        .detail("Exactly one header Idempotency-Key of 1 to 255 printable ASCII characters is needed.")
}
