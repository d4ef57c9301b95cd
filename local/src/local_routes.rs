//! The routes under `/_local`: tokens, the clock, schedules and the event feed, for programs on this machine, without a
//! token.

use crate::auth::{Grant, Tokens};
use crate::clock::LocalSurroundings;
use crate::loopback::is_from_here;
use axum::body::to_bytes;
use axum::extract::{Query, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use axum::{Extension, Json, Router};
use http::StatusCode;
use jiff::Timestamp;
use loyalty_domain::json::{self, Faults, Object, Path};
use loyalty_http::{Problem, RequestId};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// A future in a box, for traits that are used as objects.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What went out on the event bus.
pub trait EventFeed: Send + Sync {
    /// The events after the one with this id, oldest first; all of them without. None if there is no such event.
    ///
    /// # Errors
    /// The feed cannot be read; the text is for the log.
    fn events(&self, after: Option<String>) -> BoxFuture<'_, Result<Option<Vec<Value>>, String>>;
}

/// What EventBridge Scheduler runs in the cloud.
pub trait Schedules: Send + Sync {
    /// Settles everything that is due, and tells what was done.
    ///
    /// # Errors
    /// What is due cannot be read; the text is for the log.
    fn expiry(&self) -> BoxFuture<'_, Result<Value, String>>;
}

/// What the routes work on.
#[derive(Clone)]
pub struct Local {
    /// Issues the tokens.
    pub tokens: Arc<Tokens>,
    /// The clock that can be moved.
    pub surroundings: Arc<LocalSurroundings>,
    /// Called after the clock was moved: whoever remembers something for a while forgets it.
    pub on_clock_change: Arc<dyn Fn() + Send + Sync>,
    /// The event bus, looked at from outside.
    pub events: Arc<dyn EventFeed>,
    /// The schedules, to be run on demand.
    pub schedules: Arc<dyn Schedules>,
}

impl fmt::Debug for Local {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Local")
    }
}

/// Larger bodies are not meant for these routes, in bytes.
const LARGEST_BODY: usize = 64 * 1024;

/// Where the clock can stand: dates that business rules still reach years beyond. 1970-01-01 and 9000-01-01.
const CLOCK_SECONDS: std::ops::RangeInclusive<i64> = 0..=221_845_392_000;

/// The routes.
pub fn routes(local: Local) -> Router {
    Router::new()
        .route("/_local/tokens", get(ready_tokens).post(new_token).fallback(no_such_method))
        .route("/_local/clock", get(clock).post(set_clock).fallback(no_such_method))
        .route("/_local/events", get(events).fallback(no_such_method))
        .route("/_local/schedules/expiry/run", post(run_expiry).fallback(no_such_method))
        .route("/_local", any(unknown))
        .route("/_local/{*path}", any(unknown))
        .with_state(local)
        .layer(middleware::from_fn(keep_strangers_out))
}

async fn keep_strangers_out(request: Request, next: Next) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let id = request.extensions().get::<RequestId>().map(|id| id.0.clone());
    let response = if is_from_here(&request) {
        next.run(request).await
    } else {
        let problem =
            Problem::new(StatusCode::FORBIDDEN, "forbidden", "Only programs on this machine may use these routes");
        answer(Err(problem), id.clone().map(|id| Extension(RequestId(id))))
    };
    tracing::info!(%method, path, status = response.status().as_u16(), request_id = id, "local request");
    response
}

/// `GET /_local/tokens`
async fn ready_tokens(State(local): State<Local>, id: Option<Extension<RequestId>>) -> Response {
    let tokens = || -> Result<Value, Problem> {
        Ok(json!({"service": local.issue(&Grant::service())?, "operator": local.issue(&Grant::operator())?}))
    };
    answer(tokens(), id)
}

/// `POST /_local/tokens`
async fn new_token(State(local): State<Local>, id: Option<Extension<RequestId>>, request: Request) -> Response {
    let made = async {
        let grant = read(request, grant).await?;
        Ok(json!({"token": local.issue(&grant)?}))
    };
    answer(made.await, id)
}

/// `GET /_local/clock`
async fn clock(State(local): State<Local>) -> Json<Value> {
    Json(json!({"now": local.surroundings.now().to_string()}))
}

/// `POST /_local/clock`
async fn set_clock(State(local): State<Local>, id: Option<Extension<RequestId>>, request: Request) -> Response {
    let set = async {
        let moment = read(request, moment).await?;
        local.surroundings.stand_at(moment);
        (local.on_clock_change)();
        Ok(json!({"now": local.surroundings.now().to_string()}))
    };
    answer(set.await, id)
}

/// `GET /_local/events`
async fn events(
    State(local): State<Local>,
    id: Option<Extension<RequestId>>,
    Query(mut query): Query<HashMap<String, String>>,
) -> Response {
    let events = match local.events.events(query.remove("after")).await {
        Ok(Some(events)) => Ok(json!({"events": events})),
        Ok(None) => Err(Problem::new(StatusCode::BAD_REQUEST, "malformed", "after must be the id of an event")),
        Err(cause) => Err(internal(cause)),
    };
    answer(events, id)
}

/// `POST /_local/schedules/expiry/run`: settles until nothing is due.
async fn run_expiry(State(local): State<Local>, id: Option<Extension<RequestId>>) -> Response {
    answer(local.schedules.expiry().await.map_err(internal), id)
}

async fn unknown(id: Option<Extension<RequestId>>) -> Response {
    answer(Err(Problem::not_found("not_found")), id)
}

async fn no_such_method(id: Option<Extension<RequestId>>) -> Response {
    let title = "This path does not answer that method";
    answer(Err(Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", title)), id)
}

impl Local {
    fn issue(&self, grant: &Grant) -> Result<String, Problem> {
        self.tokens.issue(grant).map_err(internal)
    }
}

fn internal(cause: impl fmt::Display) -> Problem {
    tracing::error!(%cause, "local request failed");
    Problem::internal(cause)
}

/// Reads a body strictly.
async fn read<T>(
    request: Request,
    reader: impl FnOnce(&mut Object<'_>, &mut Faults) -> Option<T>,
) -> Result<T, Problem> {
    let bytes = to_bytes(request.into_body(), LARGEST_BODY)
        .await
        .map_err(|_| Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", "The body is too large"))?;
    let body = json::parse(&bytes)?;
    let mut faults = Faults::default();
    let value = Object::new(&body, &Path::ROOT, &mut faults).and_then(|mut object| {
        let value = reader(&mut object, &mut faults);
        object.finish(&mut faults);
        value
    });
    Ok(faults.settle(value)?)
}

fn grant(body: &mut Object<'_>, faults: &mut Faults) -> Option<Grant> {
    let owned =
        |value: &json::Json, at: &Path<'_>, faults: &mut Faults| json::text(value, at, faults).map(str::to_owned);
    let scope = body.required("scope", faults, owned);
    let program = body.optional("program", faults, owned);
    let member_id = body.optional("member_id", faults, owned);
    let sub = body.optional("sub", faults, owned);
    let mut grant = Grant::new(sub.as_deref().unwrap_or("local"), &scope?);
    grant.program = program.unwrap_or(grant.program);
    grant.member_id = member_id;
    Some(grant)
}

/// The moment where the clock is to stand, `None` for real time.
fn moment(body: &mut Object<'_>, faults: &mut Faults) -> Option<Option<Timestamp>> {
    if matches!(body.raw("now"), Some(json::Json::Null)) {
        return Some(None);
    }
    body.required("now", faults, |value: &json::Json, at: &Path<'_>, faults: &mut Faults| {
        let Ok(moment) = json::text(value, at, faults)?.parse::<Timestamp>() else {
            faults.malformed(at, "must be an instant such as 2027-01-01T00:00:00Z, or null for real time");
            return None;
        };
        if CLOCK_SECONDS.contains(&moment.as_second()) {
            Some(Some(moment))
        } else {
            faults.meaningless(at, "must be between the years 1970 and 9000");
            None
        }
    })
}

fn answer(result: Result<Value, Problem>, id: Option<Extension<RequestId>>) -> Response {
    match (result, id) {
        (Ok(body), _) => Json(body).into_response(),
        (Err(problem), Some(Extension(id))) => problem.fact("request_id", id.0).into_response(),
        (Err(problem), None) => problem.into_response(),
    }
}

#[cfg(test)]
mod tests;
