//! The local stack and its embedded table, both within the process: what a request costs with the store, and what of
//! that the store is.

use super::canned::{Work, Written, runtime};
use super::inputs::{self, LAST_MONTH, LINES, RULES, month, purchase};
use crate::stack::TABLE;
use axum::Router;
use axum::body::Body;
use http::Request;
use http_body_util::BodyExt;
use jiff::Timestamp;
use loyalty_local::clock::World;
use loyalty_local::embedded::Embedded;
use loyalty_local::engine::Source;
use loyalty_local::serve;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// Measures a `POST /v1/purchases` through the whole stack, token and all, without a socket.
pub fn requesting(measure: impl FnOnce(Work<'_>) -> Duration) -> Duration {
    let runtime = runtime();
    let (router, bearer, member) = runtime.block_on(stack());
    // Writing the request is the caller's work.
    let template = purchase("ORDER", &member, &month(LAST_MONTH), LINES, RULES).to_string();
    let mut number = 0;
    measure(Box::new(|| {
        number += 1;
        let body = template.replace("ORDER", &format!("B-{number}"));
        let (status, _) = runtime.block_on(send(&router, &bearer, "/v1/purchases", body));
        assert_eq!(status, 201);
    }))
}

/// Measures the two calls behind it on a table of their own, made with the SDK alone.
pub fn raw_calls(measure: impl FnOnce(Work<'_>) -> Duration) -> Duration {
    let runtime = runtime();
    let client = Embedded::memory().unwrap().client();
    let pk = "main#M#00000000000000000000000001";
    let written = runtime.block_on(async {
        loyalty_store::create_table(&client, TABLE).await.unwrap();
        let written = Written::of_a_purchase(1).await;
        written.begin(&client, TABLE, pk).await;
        written
    });
    let mut number = 0;
    measure(Box::new(|| {
        number += 1;
        runtime.block_on(written.again(&client, TABLE, pk, number));
    }))
}

async fn stack() -> (Router, String, String) {
    let now: Timestamp = month(LAST_MONTH).parse().unwrap();
    let world = World { now: Arc::new(move || now), random: Arc::new(|bytes| bytes.fill(7)) };
    let stack = serve::start(0, &Source { folder: None, endpoint: None }, world).await.unwrap();
    let bearer = stack.welcome(Some(&inputs::program(RULES).to_string())).await.unwrap().operator;
    let router = stack.router();
    let body = json!({ "external_id": "crm-1001" }).to_string();
    let (_, enrolled) = send(&router, &bearer, "/v1/members", body).await;
    let member = enrolled["member"]["member_id"].as_str().unwrap().to_owned();
    (router, bearer, member)
}

async fn send(router: &Router, bearer: &str, path: &str, body: String) -> (u16, Value) {
    use tower::ServiceExt;
    let request = Request::post(path).header("content-type", "application/json");
    let request = request.header("authorization", format!("Bearer {bearer}")).body(Body::from(body)).unwrap();
    let answer = router.clone().oneshot(request).await.unwrap();
    let status = answer.status().as_u16();
    let bytes = answer.into_body().collect().await.unwrap().to_bytes();
    // Reading the answer to a purchase is the caller's work.
    (status, if path == "/v1/purchases" { Value::Null } else { serde_json::from_slice(&bytes).unwrap() })
}
