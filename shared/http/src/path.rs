//! Ids in paths.

use crate::problem::Problem;
use axum::extract::{FromRequestParts, RawPathParams};
use http::request::Parts;
use std::fmt::Display;
use std::str::FromStr;

/// The values of a route's `{names}`, percent-decoded, not yet read.
#[derive(Debug)]
pub struct PathValues(RawPathParams);

impl PathValues {
    /// Reads the value of a name. What is not spelled as a thing of this kind is spelled names nothing.
    ///
    /// # Errors
    /// 404 with the given code, as for a thing that is not there.
    pub fn id<T: FromStr + Display>(&self, name: &str, code: &'static str) -> Result<T, Problem> {
        let value = self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| value);
        // `+7` and `007` read as numbers too, but a thing has one address.
        value
            .and_then(|value| value.parse::<T>().ok().filter(|id| id.to_string() == value))
            .ok_or_else(|| Problem::not_found(code))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for PathValues {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let values = RawPathParams::from_request_parts(parts, state).await;
        values.map(Self).map_err(|_| Problem::not_found("not_found"))
    }
}
