//! Reading programs as they were published.

use axum::extract::State;
use loyalty_http::{Answer, App, PathValues, Principal, Problem};
use loyalty_store::programs::{Published, published};
use loyalty_store::{Call, Failure};
use serde_json::value::RawValue;

/// `GET /v1/program`: the version in force.
pub(crate) async fn in_force(State(app): State<App>, principal: Principal) -> Result<Answer, Problem> {
    let call = app.call(&principal);
    let starts = loyalty_store::programs::starts(app.engine.table(), &call.program).await?;
    let starts = starts.ok_or(Failure::NoProgram)?;
    let number = loyalty_domain::programs::Programs::new(starts).number_at(call.now);
    show(&app, &call, number).await
}

/// `GET /v1/program/versions/{number}`: a version, in force or not.
pub(crate) async fn version(State(app): State<App>, principal: Principal, path: PathValues) -> Result<Answer, Problem> {
    let call = app.call(&principal);
    let number = path.id("number", UNKNOWN)?;
    show(&app, &call, number).await
}

const UNKNOWN: &str = "program_version_unknown";

async fn show(app: &App, call: &Call, number: u32) -> Result<Answer, Problem> {
    let published = published(app.engine.table(), &call.program, number).await?;
    let Published { number, effective_from, document } = published.ok_or_else(|| Problem::not_found(UNKNOWN))?;
    let document = RawValue::from_string(document).map_err(Problem::internal)?;
    #[derive(serde::Serialize)]
    struct Shown {
        version: u32,
        effective_from: String,
        document: Box<RawValue>,
    }
    Ok(Answer::ok(Shown { version: number, effective_from: effective_from.to_string(), document }))
}
