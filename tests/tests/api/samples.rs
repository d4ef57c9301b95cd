//! The sample events in `events/`, as API Gateway sends them, through Lambda's own reading of them into the functions.

use http_body_util::BodyExt;
use it::stack::{Stack, TestWorld, example_program};
use loyalty_http::{App, Cursors, Surroundings};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use tower::ServiceExt;

/// The member whom the samples name, in whose place stands whoever was enrolled last.
const MEMBER: &str = "mbr_01KAJD3E00SAMP1EMEMBER0001";
/// The redemption that they name, in whose place stands the one that was made last.
const REDEMPTION: &str = "red_01KAJD3E00SAMP1EREDEMPT001";
/// The code that they name, in whose place stands that of the voucher that was given last.
const VOUCHER: &str = "7KQ2-M9XD-4TRA-W3HE-S";

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
    (parts.status.as_u16(), parts.headers, it::stack::body_of(&bytes))
}

#[tokio::test]
async fn every_sample_is_answered_as_its_name_says_one_after_the_other_on_a_fresh_table() {
    let stack = Stack::empty("2026-11-21T10:00:00Z").await;
    let mut put_in = [MEMBER, REDEMPTION, VOUCHER, "CURSOR"].map(|sent| (sent, sent.to_owned()));
    let mut members = Vec::new();
    for (name, event) in samples() {
        let [_, status, _] = name.split('.').collect::<Vec<_>>()[..] else { panic!("{name}") };
        let event = put_in.iter().fold(event, |event, (sent, stands)| event.replace(sent, stands));
        let (got, headers, body) = invoke(&stack, &event).await;
        assert_eq!(got.to_string(), status, "{name}: {body}");
        let sent: Value = serde_json::from_str(&event).unwrap();
        assert_eq!(headers["x-request-id"].to_str().unwrap(), sent["requestContext"]["requestId"], "{name}");
        assert_eq!(headers.contains_key("idempotency-replayed"), name.contains("replay"), "{name}");
        let answers = ["/member/member_id", "/redemption/redemption_id", "/voucher/code", "/next_cursor"];
        for ((_, stands), pointer) in put_in.iter_mut().zip(answers) {
            let made = match pointer {
                "/member/member_id" => name.contains("members-enrol.201"),
                "/next_cursor" => true,
                _ => status == "201",
            };
            if let Some(new) = body.pointer(pointer).and_then(Value::as_str).filter(|_| made) {
                new.clone_into(stands);
            }
        }
        if name.contains("members-enrol.201") {
            members.push(put_in[0].1.clone());
        }
    }
    assert_eq!(members.len(), 2);
    for member in members {
        crate::kit::books_balance(&stack, &member).await;
    }
    it::books::must_balance(&stack).await;
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
        let routes =
            [members::routes, earn::routes, redeem::routes, program::routes].map(|of| of(app.clone())).concat();
        routes.into_iter().map(|route| format!("{} {}", route.method, route.path)).collect()
    });
    assert_eq!(seen, declared);
}
