//! The sample events in `events/`, as API Gateway sends them, through Lambda's own reading of them into the functions.

use http_body_util::BodyExt;
use it::stack::{Stack, TestWorld, example_program};
use loyalty_http::{App, Cursors, Surroundings};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use tower::ServiceExt;

/// The member whom the samples name, in whose place stands whoever the enrolment made.
const MEMBER: &str = "mbr_01KAJD3E00SAMP1EMEMBER0001";

/// The samples in the order of their names: `<number>-<function>-<what>.<status>.json`.
fn samples() -> Vec<(String, String)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../events");
    let mut names: Vec<String> =
        folder.read_dir().unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| name.ends_with(".json"));
    names.sort_unstable();
    names.into_iter().map(|name| (name.clone(), std::fs::read_to_string(folder.join(&name)).unwrap())).collect()
}

/// Sends an event as `lambda_http::run` would.
async fn invoke(stack: &Stack, event: &str) -> (u16, http::HeaderMap, Value) {
    let request = lambda_http::request::from_str(event).unwrap();
    let (parts, body) = stack.router.clone().oneshot(request).await.unwrap().into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    let body = if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap() };
    (parts.status.as_u16(), parts.headers, body)
}

#[tokio::test]
async fn every_sample_is_answered_as_its_name_says_one_after_the_other_on_a_fresh_table() {
    let stack = Stack::empty("2026-11-21T10:00:00Z").await;
    let (mut member, mut cursor) = (MEMBER.to_owned(), String::new());
    for (name, event) in samples() {
        let [_, status, _] = name.split('.').collect::<Vec<_>>()[..] else { panic!("{name}") };
        let event = event.replace(MEMBER, &member).replace("CURSOR", &cursor);
        let (got, headers, body) = invoke(&stack, &event).await;
        assert_eq!(got.to_string(), status, "{name}: {body}");
        let sent: Value = serde_json::from_str(&event).unwrap();
        assert_eq!(headers["x-request-id"].to_str().unwrap(), sent["requestContext"]["requestId"], "{name}");
        assert_eq!(headers.contains_key("idempotency-replayed"), name.contains("replay"), "{name}");
        if name.contains("members-enrol.201") {
            member = body["member"]["member_id"].as_str().unwrap().to_owned();
        }
        cursor = body["next_cursor"].as_str().map_or(cursor, str::to_owned);
    }
    crate::kit::books_balance(&stack, &member).await;
}

#[test]
fn samples_look_as_the_gateway_sends_them_and_hold_made_up_data_only() {
    let all = samples();
    assert!(all.len() >= 30, "{}", all.len());
    for (name, event) in &all {
        let event: Value = serde_json::from_str(event).unwrap();
        let context = &event["requestContext"];
        assert_eq!((&event["version"], &event["isBase64Encoded"].is_boolean()), (&Value::from("2.0"), &true), "{name}");
        assert_eq!(event["rawPath"], context["http"]["path"], "{name}");
        assert_eq!((&event["routeKey"], &context["stage"]), (&context["routeKey"], &Value::from("$default")), "{name}");
        assert!(context["authorizer"]["jwt"]["claims"]["sub"].is_string(), "{name}");
        for address in event["body"].as_str().unwrap_or("").split('"').filter(|text| text.contains('@')) {
            assert!(address.to_ascii_lowercase().ends_with("@example.com"), "{name}: {address}");
        }
    }
}

#[test]
fn there_is_a_sample_for_every_route() {
    let seen: BTreeSet<String> = samples()
        .iter()
        .map(|(_, event)| serde_json::from_str::<Value>(event).unwrap()["routeKey"].as_str().unwrap().to_owned())
        .collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let declared: BTreeSet<String> = runtime.block_on(async {
        let stack = Stack::with_program("2026-11-21T10:00:00Z", &example_program()).await;
        let surroundings: Arc<dyn Surroundings> = Arc::<TestWorld>::clone(&stack.world);
        let app = App { engine: stack.engine.clone(), surroundings, cursors: Cursors::new(b"none") };
        let routes = [members::routes(app.clone()), earn::routes(app.clone()), program::routes(app)].concat();
        routes.into_iter().map(|route| format!("{} {}", route.method, route.path)).collect()
    });
    assert_eq!(seen, declared);
}
