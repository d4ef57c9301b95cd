//! What every HTTP function shares: problems, principals and scopes, bodies, cursors, request ids.
//!
//! A function declares its routes with [`Api`], each with who may call it, and gets a router in which every answer has a
//! request id, every error is a [`Problem`] and a panic harms one request only. Where
//! a token names its member by an external id, the function itself resolves it ([`ResolveExternalId`]).

mod answer;
mod app;
mod body;
mod failure;
mod idempotency;
mod lambda;
mod observe;
mod page;
mod path;
mod principal;
mod problem;
mod routes;
mod scope;
mod surroundings;
#[cfg(test)]
mod tests;

pub use answer::Answer;
pub use app::{App, entries};
pub use body::{JsonBody, MAX_BODY_BYTES, OptionalBody};
pub use idempotency::{IDEMPOTENCY_KEY, IDEMPOTENCY_REPLAYED, RequestKey};
pub use lambda::{gateway_context, serve};
pub use observe::{RequestId, X_REQUEST_ID, log_panics};
pub use page::{Cursors, Page, Query};
pub use path::PathValues;
pub use principal::{Own, Principal};
pub use problem::{InputError, Problem};
pub use routes::{Access, Api, ResolveExternalId, RouteDeclaration, merge};
pub use scope::{Scope, Scopes};
pub use surroundings::Surroundings;
