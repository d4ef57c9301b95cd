//! The program that a replay runs under: one rule, rounded down, points that never expire, nothing refused as late.

use super::client::Api;
use super::plan::MINOR_UNITS_PER_POINT;
use super::{Kind, ReplayError};
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

const PATH: &str = "/v1/program";

/// The document.
fn document(kind: Kind) -> Value {
    json!({
        "name": format!("Replay of {kind}"), "time_zone": "UTC", "rounding": "floor",
        "points": {
            "pending_days": 0, "expiry": "never", "notice_days": 0,
            "clawback": {"beyond_lot": "other_lots", "shortfall": "debt"},
            // A hundred years, the most that a document may say: these purchases are decades old.
            "late_purchase_days": 36_500
        },
        "earning_rules": [{
            "id": "base", "on": "purchase",
            "award": {"per_amount": {"points": "1", "amount": MINOR_UNITS_PER_POINT, "currency": kind.currency()}}
        }],
        "tiers": {
            "qualify_by": "points_earned", "period": "calendar_year", "keep": "through_next_period",
            "levels": [{"id": "customer", "from": 0}]
        }
    })
}

/// Publishes the program unless it is there. Another one under its id is left alone: what it gave stays given, since a
/// purchase is judged by the version that was in force when it occurred, so that publishing over it would mend nothing.
pub(super) async fn publish(api: &Api, kind: Kind) -> Result<(), ReplayError> {
    #[derive(Deserialize)]
    struct InForce {
        document: Value,
    }
    let document = document(kind);
    let found = api.send(Method::GET, PATH, None).await?;
    if found.status == StatusCode::NOT_FOUND {
        let answer = api.send(Method::PUT, PATH, Some(document.to_string().into())).await?;
        return if answer.status.is_success() { Ok(()) } else { Err(answer.refusal(&Method::PUT, PATH)) };
    }
    if !found.status.is_success() {
        return Err(found.refusal(&Method::GET, PATH));
    }
    let in_force: InForce = found.read(&Method::GET, PATH)?;
    if says(&in_force.document, &document) { Ok(()) } else { Err(ReplayError::OtherProgram { program: kind.name() }) }
}

/// Whether a published document says what ours says and nothing else. One that was normalised on its way may name what
/// it does without.
fn says(published: &Value, ours: &Value) -> bool {
    match (published, ours) {
        (Value::Object(published), Value::Object(ours)) => {
            ours.iter().all(|(name, ours)| published.get(name).is_some_and(|published| says(published, ours)))
                && published.iter().all(|(name, value)| ours.contains_key(name) || is_nothing(value))
        }
        (Value::Array(published), Value::Array(ours)) => {
            published.len() == ours.len() && published.iter().zip(ours).all(|(published, ours)| says(published, ours))
        }
        (published, ours) => published == ours,
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_published_document_is_ours_only_if_it_says_the_same_and_no_more() {
        let ours = document(Kind::OnlineRetail);
        let mut published = ours.clone();
        published["rewards"] = json!([]);
        published["referral"] = Value::Null;
        assert!(says(&published, &ours));
        for (pointer, value) in [
            ("/rounding", json!("ceil")),
            ("/earning_rules/0/award/per_amount/points", json!("2")),
            ("/earning_rules/0/award/per_amount/currency", json!("USD")),
            ("/birthday", json!({"points": 1})),
        ] {
            let mut other = published.clone();
            match pointer.strip_prefix("/birthday") {
                Some(_) => other["birthday"] = value,
                None => *other.pointer_mut(pointer).unwrap() = value,
            }
            assert!(!says(&other, &ours), "{pointer}");
        }
    }
}
