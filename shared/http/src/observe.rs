//! What surrounds every request: its id, one line in the log, and a net under panics.

use crate::principal::program_of;
use crate::problem::Problem;
use crate::surroundings::Surroundings;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_LENGTH;
use http::{Extensions, HeaderName, HeaderValue, Method};
use lambda_http::request::RequestContext;
use loyalty_domain::id::ProgramId;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// The header of every answer that names its request.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The id of a request: the gateway's where it gave one, else our own. In the extensions of every request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(pub String);

/// Logs where a panic happened and nothing else: its words may repeat what somebody sent. Once per process.
pub fn log_panics() {
    std::panic::set_hook(Box::new(|info| {
        let location = info.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(location, "panic");
    }));
}

pub(crate) async fn observe(
    State(surroundings): State<Arc<dyn Surroundings>>,
    mut request: Request,
    next: Next,
) -> Response {
    let began = surroundings.now();
    let id = given_id(request.extensions()).unwrap_or_else(|| surroundings.ulid().to_string());
    request.extensions_mut().insert(RequestId(id.clone()));
    let seen = Seen::of(&request);

    let mut response = match (Net { inside: Box::pin(next.run(request)) }).await {
        Ok(response) => response,
        Err(Panicked) => Problem::internal("panic").into_response(),
    };
    let problem = response.extensions_mut().remove::<Problem>();
    if let Some(problem) = &problem {
        *response.body_mut() = problem.body(Some(&id));
        response.headers_mut().remove(CONTENT_LENGTH);
    }
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(X_REQUEST_ID, value);
    }
    // A clock that was set back meanwhile measures nothing.
    let duration_ms = u64::try_from(surroundings.now().duration_since(began).as_millis()).unwrap_or(0);
    seen.log(&id, &response, problem.as_ref(), duration_ms);
    response
}

/// What may be told about a request: never its path, query, headers or body.
struct Seen {
    method: &'static str,
    route: Option<MatchedPath>,
    program: Option<ProgramId>,
}

impl Seen {
    fn of(request: &Request) -> Self {
        Self {
            method: known(request.method()),
            route: request.extensions().get::<MatchedPath>().cloned(),
            program: program_of(request.extensions()),
        }
    }

    fn log(&self, request_id: &str, response: &Response, problem: Option<&Problem>, duration_ms: u64) {
        let method = self.method;
        let route = self.route.as_ref().map_or("none", MatchedPath::as_str);
        let program = self.program.as_ref().map(ProgramId::as_str);
        let status = response.status().as_u16();
        let code = problem.map(Problem::code);
        let cause = problem.and_then(Problem::cause);
        if response.status().is_server_error() {
            tracing::error!(method, route, status, code, program, request_id, duration_ms, cause, "request");
        } else {
            tracing::info!(method, route, status, code, program, request_id, duration_ms, cause, "request");
        }
    }
}

/// A method can be any word, and words from outside do not belong into the log.
fn known(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "OTHER",
    }
}

/// The gateway's id, if it is one that can stand in a header, a document and a log.
fn given_id(extensions: &Extensions) -> Option<String> {
    let Some(RequestContext::ApiGatewayV2(context)) = extensions.get() else {
        return None;
    };
    let sane = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'=' | b'+' | b'/' | b'.');
    context.request_id.clone().filter(|id| (1..=128).contains(&id.len()) && id.bytes().all(sane))
}

/// A future that ends with [`Panicked`] where the one inside panics, which is not touched again after that.
struct Net<F> {
    inside: Pin<Box<F>>,
}

struct Panicked;

impl<F: Future> Future for Net<F> {
    type Output = Result<F::Output, Panicked>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        // Handlers share nothing that a panic could leave half changed: state behind a request lives in the store.
        match catch_unwind(AssertUnwindSafe(|| self.inside.as_mut().poll(context))) {
            Ok(poll) => poll.map(Ok),
            Err(_) => Poll::Ready(Err(Panicked)),
        }
    }
}
