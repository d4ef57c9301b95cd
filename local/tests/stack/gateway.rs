//! Tokens, and what is answered where none is good.

use crate::process::{Running, Scratch};
use http::Method;
use jiff::{SignedDuration, Timestamp};
use loyalty_local::auth::{Grant, Tokens};
use loyalty_local::clock::World;
use serde_json::json;
use std::sync::Arc;

/// The tokens of a stack, issued so long ago.
fn tokens_of(scratch: &Scratch, ago: SignedDuration) -> Tokens {
    let key: [u8; 32] = std::fs::read(scratch.data().join("token-key")).unwrap().try_into().unwrap();
    let world = World { now: Arc::new(move || Timestamp::now() - ago), random: Arc::new(|_| {}) };
    Tokens::new(&key, world)
}

#[tokio::test]
async fn tampered_expired_and_missing_tokens_get_the_gateways_own_401() {
    let scratch = Scratch::new("tokens");
    let running = Running::start(&scratch.data());
    let api = &running.api;
    let good = tokens_of(&scratch, SignedDuration::ZERO).issue(&Grant::operator()).unwrap();
    let half_a_day_old = tokens_of(&scratch, SignedDuration::from_hours(12)).issue(&Grant::operator()).unwrap();
    let expired = tokens_of(&scratch, SignedDuration::from_hours(24 * 8)).issue(&Grant::operator()).unwrap();
    for (token, status) in [(&good, 200), (&half_a_day_old, 200), (&expired, 401)] {
        let headers = [("authorization", &*format!("Bearer {token}"))];
        let answer = api.try_send(Method::GET, "/v1/program", &headers, None).await.unwrap();
        assert_eq!(answer.status, status, "{}", answer.body);
    }
    let (rest, signature) = good.rsplit_once('.').unwrap();
    let (header, _) = rest.split_once('.').unwrap();
    let claims = "eyJzdWIiOiJvcGVyYXRvciIsInNjb3BlIjoicHJvZ3JhbTpyZWFkIn0";
    for bad in [
        String::new(),
        "Bearer".to_owned(),
        format!("Bearer {header}.{claims}.{signature}"),
        format!("Bearer {rest}."),
        format!("Bearer {rest}.{}", signature.chars().rev().collect::<String>()),
        format!("Bearer {expired}"),
        format!("Basic {good}"),
    ] {
        for path in ["/v1/program", "/v1/members/mbr_1", "/v1/nothing"] {
            let headers = [("authorization", bad.as_str())];
            let answer = api.try_send(Method::GET, path, &headers, None).await.unwrap();
            assert_eq!((answer.status, &answer.body), (401, &json!({ "message": "Unauthorized" })), "{bad}");
            assert!(answer.headers.contains_key("www-authenticate"));
        }
    }
    assert_eq!(api.try_send(Method::GET, "/v1/program", &[], None).await.unwrap().status, 401);
}

#[tokio::test]
async fn tokens_are_made_to_order_and_confine_as_they_say() {
    let scratch = Scratch::new("orders");
    let running = Running::start(&scratch.data());
    let api = &running.api;
    let (ada, bob) = (api.enrol("ada").await, api.enrol("bob").await);
    let ready = api.get("/_local/tokens").await.expect(200);
    assert!(ready["service"].is_string() && ready["operator"].is_string());
    let own = json!({ "scope": "self", "program": "main", "member_id": ada });
    let token = api.post("/_local/tokens", &own).await.expect(200)["token"].as_str().unwrap().to_owned();
    let bearer = format!("Bearer {token}");
    for (member, status) in [(&ada, 200), (&bob, 403)] {
        let path = format!("/v1/members/{member}/account");
        let answer = api.try_send(Method::GET, &path, &[("authorization", &bearer)], None).await.unwrap();
        assert_eq!(answer.status, status);
    }
    // A page in a browser, or a name that somebody points at this machine, is none of us.
    for headers in [[("host", "evil.example")], [("origin", "http://evil.example")]] {
        let answer = api.try_send(Method::GET, "/_local/tokens", &headers, None).await.unwrap();
        assert_eq!((answer.status, answer.body["code"].as_str()), (403, Some("forbidden")), "{headers:?}");
    }
    let bad = api.post("/_local/tokens", &json!({ "scopes": "self" })).await;
    assert_eq!(bad.headers["content-type"], "application/problem+json");
    bad.expect(400);
}

#[tokio::test]
async fn a_body_of_300_kb_reaches_the_functions_limit_over_the_wire() {
    let scratch = Scratch::new("large");
    let running = Running::start(&scratch.data());
    let body = json!({ "external_id": "x".repeat(300_000) });
    let answer = running.api.post("/v1/members", &body).await;
    assert_eq!(answer.headers["content-type"], "application/problem+json");
    assert_eq!(answer.expect(413)["code"], "body_too_large");
}
