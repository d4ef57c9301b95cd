//! Publishing: a document is checked whole, and a version is never changed again.

use axum::extract::State;
use http::header::IF_MATCH;
use http::{HeaderMap, StatusCode};
use loyalty_domain::calendar::Moment;
use loyalty_domain::json::{self, Faults, Path};
use loyalty_domain::program::{Program, lower_totals};
use loyalty_http::{Answer, App, JsonBody, Principal, Problem};
use loyalty_store::programs;
use serde_json::json;

/// A later version takes effect no sooner: longer than any function remembers the versions of a program.
const MINUTES_UNTIL_EFFECTIVE: i64 = 1;
/// How often a publish that another one overtook is tried again, where the caller did not ask to be told.
const MOST_ATTEMPTS: u32 = 5;

/// `POST /v1/program/validate`: everything that is wrong with a document. Publishes nothing.
pub(crate) async fn validate(_: State<App>, _: Principal, body: JsonBody) -> Result<Answer, Problem> {
    Program::checked(&body.0).map_err(|faults| Problem::unprocessable(faults, "program_invalid"))?;
    Ok(Answer::ok(json!({ "errors": [] })))
}

/// `PUT /v1/program`: publishes the next version. The newest document once more is answered as it was the first time.
pub(crate) async fn publish(
    State(app): State<App>,
    principal: Principal,
    headers: HeaderMap,
    body: JsonBody,
) -> Result<Answer, Problem> {
    let program = Program::checked(&body.0).map_err(|faults| Problem::unprocessable(faults, "program_invalid"))?;
    let document = serde_json::to_string(&body.0).map_err(Problem::internal)?;
    let expected = expected_version(&headers)?;
    let call = app.call(&principal);
    let table = app.engine.table();
    for _ in 0..MOST_ATTEMPTS {
        let before = programs::starts(table, &call.program).await?.unwrap_or_default();
        let newest = u32::try_from(before.len()).unwrap_or(u32::MAX);
        let published = programs::published(table, &call.program, newest).await?;
        if let Some(same) = published.as_ref().filter(|version| version.document == document) {
            return Ok(answer(newest, same.effective_from).replayed(true));
        }
        if expected.is_some_and(|expected| expected != newest) {
            let problem =
                Problem::new(StatusCode::PRECONDITION_FAILED, "version_mismatch", "Another version is the newest");
            return Err(problem.fact("newest", newest));
        }
        if let Some(published) = published {
            let before = json::parse(published.document.as_bytes()).and_then(|json| Program::from_json(&json));
            let before = before.map_err(|_| Problem::internal("the newest version cannot be read"))?;
            let lower = lower_totals(&program, &before, &body.0);
            if !lower.is_empty() {
                return Err(Problem::unprocessable(lower, "program_invalid"));
            }
        }
        let effective_from = effective_from(&program, call.now, newest == 0)?;
        if programs::publish(table, &call.program, &before, effective_from, &document).await? {
            app.engine.forget_programs();
            return Ok(answer(newest + 1, effective_from));
        }
    }
    Err(Problem::unavailable(1).detail("others are publishing this program at this moment"))
}

fn answer(version: u32, effective_from: Moment) -> Answer {
    Answer::created(json!({ "version": version, "effective_from": effective_from.to_string() }))
}

fn effective_from(program: &Program, now: Moment, first: bool) -> Result<Moment, Problem> {
    let earliest = now.plus_minutes(MINUTES_UNTIL_EFFECTIVE);
    match program.effective_from {
        _ if first => Ok(now),
        None => Ok(earliest),
        Some(wanted) if wanted >= earliest => Ok(wanted),
        Some(_) => {
            let mut faults = Faults::default();
            faults.meaningless(&Path::ROOT.name("effective_from"), format!("must not be before {earliest}"));
            Err(Problem::unprocessable(faults, "program_invalid"))
        }
    }
}

/// The version in `If-Match`, as a quoted number; none if the header is not there or is `*`.
fn expected_version(headers: &HeaderMap) -> Result<Option<u32>, Problem> {
    let Some(value) = headers.get(IF_MATCH) else { return Ok(None) };
    let text = value.to_str().unwrap_or("").trim();
    // `+2` and `02` read as numbers too, but a version has one name.
    let number = text
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .and_then(|number| number.parse::<u32>().ok().filter(|read| read.to_string() == number));
    match (text, number) {
        ("*", _) => Ok(None),
        (_, Some(number)) => Ok(Some(number)),
        (_, None) => {
            Err(Problem::new(StatusCode::BAD_REQUEST, "if_match_malformed", "If-Match must be a quoted version"))
        }
    }
}
