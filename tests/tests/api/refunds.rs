//! `POST /v1/purchases/{channel}/{order_id}/refunds`.

use crate::kit::{books_balance, dump, is_problem, is_refused_at, names, with};
use it::stack::{Answered, Stack, plain_program};
use serde_json::{Value, json};

const NOW: &str = "2026-11-21T10:00:00Z";
const PATH: &str = "/v1/purchases/web/A-1/refunds";

/// A member with one purchase of 10.50 (two of them) and 9.49, which earned 19.
async fn bought() -> (Stack, String) {
    let stack = Stack::with_program(NOW, &plain_program()).await;
    let member = stack.enrol("m").await;
    let body = json!({
        "channel": "web", "order_id": "A-1", "member": { "member_id": member }, "occurred_at": NOW, "currency": "EUR",
        "lines": [{ "line_id": "1", "quantity": 2, "net_amount": 1050 }, { "line_id": "2", "quantity": 1, "net_amount": 949 }],
    });
    stack.send("POST", "/v1/purchases", Some(&body)).await.expect(201);
    (stack, member)
}

fn refund(id: &str, lines: Value) -> Value {
    json!({ "refund_id": id, "occurred_at": "2026-11-21T09:00:00Z", "lines": lines })
}

async fn send(stack: &Stack, body: &Value) -> Answered {
    stack.send("POST", PATH, Some(body)).await
}

#[tokio::test]
async fn the_refund_of_the_contract_takes_back_what_its_line_had_earned() {
    let (stack, member) = bought().await;
    let body = refund("R-1", json!([{ "line_id": "1", "quantity": 1, "net_amount": 525 }]));
    let answer = send(&stack, &body).await.expect(201);
    assert_eq!(names(&answer), ["account", "entries", "refund"]);
    assert_eq!(answer["refund"], json!({ "refund_id": "R-1", "points_clawed_back": 5, "points_restored": 0 }));
    let entry = &answer["entries"][0];
    assert_eq!(
        (&entry["kind"], &entry["points"], &entry["contra"]),
        (&json!("clawback"), &json!(-5), &json!("clawed_back"))
    );
    assert_eq!(entry["cause"], json!({ "refund": { "channel": "web", "order_id": "A-1", "refund_id": "R-1" } }));
    assert_eq!((&entry["occurred_at"], &entry["draws"][0]["points"]), (&json!("2026-11-21T09:00:00Z"), &json!(-5)));
    assert_eq!(answer["account"], stack.account(&member).await);
    assert_eq!(answer["account"]["lifetime"]["clawed_back"], 5);
    books_balance(&stack, &member).await;
}

#[tokio::test]
async fn the_same_refund_again_is_replayed_and_other_content_is_a_422() {
    let (stack, member) = bought().await;
    let body = refund("R-1", json!([{ "line_id": "1", "quantity": 1, "net_amount": 525 }]));
    let first = send(&stack, &body).await.expect(201);
    send(&stack, &refund("R-2", json!([{ "line_id": "1", "quantity": 1 }, { "line_id": "2", "quantity": 1 }])))
        .await
        .expect(201);
    let before = dump(&stack).await;
    let again = send(&stack, &with(&body, "/occurred_at", json!("2026-11-21T10:00:00+01:00"))).await;
    assert!(again.replayed());
    let again = again.expect(201);
    assert_eq!((&again["refund"], &again["entries"]), (&first["refund"], &first["entries"]));
    assert_eq!(again["account"], stack.account(&member).await);
    assert_eq!(again["account"]["points"]["available"], 0);
    for (pointer, value, differs) in [
        ("/occurred_at", json!(NOW), "/occurred_at"),
        ("/lines/0/line_id", json!("2"), "/lines/0/line_id"),
        ("/lines/0/quantity", json!(2), "/lines/0/quantity"),
        ("/lines/0/net_amount", json!(524), "/lines/0/net_amount"),
        ("/lines/0/net_amount", Value::Null, "/lines/0/net_amount"),
        ("/lines", json!([{ "line_id": "1", "quantity": 1 }, { "line_id": "2", "quantity": 1 }]), "/lines"),
    ] {
        let refused = send(&stack, &with(&body, pointer, value)).await;
        assert_eq!((refused.status.as_u16(), refused.code()), (422, "idempotency_mismatch"), "{pointer}");
        is_refused_at(&refused, &[differs], pointer);
    }
    assert_eq!(dump(&stack).await, before);
}

#[tokio::test]
async fn a_refund_that_overtakes_its_purchase_is_a_retryable_404() {
    let (stack, _) = bought().await;
    let body = refund("R-1", json!([{ "line_id": "1", "quantity": 1 }]));
    let before = dump(&stack).await;
    let refused = stack.send("POST", "/v1/purchases/web/A-9/refunds", Some(&body)).await;
    is_problem(&refused, "not yet known");
    assert_eq!((refused.status.as_u16(), refused.code()), (404, "purchase_unknown"));
    assert_eq!(refused.body["retryable"], true);
    assert_eq!(dump(&stack).await, before);
}

#[tokio::test]
async fn what_was_not_bought_cannot_come_back() {
    let (stack, member) = bought().await;
    let before = dump(&stack).await;
    for (lines, status, code, pointers) in [
        (json!([{ "line_id": "3", "quantity": 1 }]), 422, "line_unknown", &["/lines/0/line_id"][..]),
        (
            json!([{ "line_id": "2", "quantity": 1 }, { "line_id": "x", "quantity": 1 }]),
            422,
            "line_unknown",
            &["/lines/1/line_id"],
        ),
        (json!([{ "line_id": "1", "quantity": 3 }]), 409, "refund_exceeds_purchase", &["/lines/0/quantity"]),
        (
            json!([{ "line_id": "1", "quantity": 1, "net_amount": 1051 }]),
            409,
            "refund_exceeds_purchase",
            &["/lines/0/net_amount"],
        ),
        (
            json!([{ "line_id": "2", "quantity": 9 }, { "line_id": "1", "quantity": 1, "net_amount": 9_999 }]),
            409,
            "refund_exceeds_purchase",
            &["/lines/0/quantity", "/lines/1/net_amount"],
        ),
        (
            json!([{ "line_id": "1", "quantity": 1 }, { "line_id": "1", "quantity": 1 }]),
            422,
            "meaningless",
            &["/lines/1/line_id"],
        ),
        (json!([]), 422, "meaningless", &["/lines"]),
        (json!([{ "line_id": "1", "quantity": 0 }]), 422, "meaningless", &["/lines/0/quantity"]),
        (json!([{ "line_id": "1", "quantity": 1, "net_amount": -1 }]), 422, "meaningless", &["/lines/0/net_amount"]),
        (json!([{ "line_id": "1" }]), 400, "malformed", &["/lines/0/quantity"]),
        (json!([{ "line_id": "1", "quantity": 1, "sku": "x" }]), 400, "malformed", &["/lines/0/sku"]),
    ] {
        let refused = send(&stack, &refund("R-1", lines.clone())).await;
        is_problem(&refused, &lines.to_string());
        assert_eq!((refused.status.as_u16(), refused.code()), (status, code), "{lines}");
        assert_eq!(refused.pointers(), pointers, "{lines}");
    }
    let ahead =
        with(&refund("R-1", json!([{ "line_id": "1", "quantity": 1 }])), "/occurred_at", json!("2026-11-22T10:00:00Z"));
    is_refused_at(&send(&stack, &ahead).await, &["/occurred_at"], "tomorrow");
    assert_eq!(dump(&stack).await, before);
    // The refusals are not remembered: the same number may be used for what can be done.
    send(&stack, &refund("R-1", json!([{ "line_id": "1", "quantity": 2 }, { "line_id": "2", "quantity": 1 }])))
        .await
        .expect(201);
    let refused = send(&stack, &refund("R-2", json!([{ "line_id": "1", "quantity": 1 }]))).await;
    assert_eq!(refused.code(), "refund_exceeds_purchase", "nothing is left");
    books_balance(&stack, &member).await;
}

#[tokio::test]
async fn refund_ids_are_unique_for_their_purchase_only() {
    let (stack, member) = bought().await;
    stack.send("POST", "/v1/purchases", Some(&stack.purchase("A-2", &member, 1_000))).await.expect(201);
    let body = refund("R-1", json!([{ "line_id": "1", "quantity": 1 }]));
    assert!(!send(&stack, &body).await.replayed());
    let other = stack.send("POST", "/v1/purchases/web/A-2/refunds", Some(&body)).await;
    assert!(!other.replayed());
    other.expect(201);
}

#[tokio::test]
async fn spent_points_become_debt_that_the_next_purchase_repays() {
    let (stack, member) = bought().await;
    let spend = json!({ "member": { "member_id": member }, "points": -19, "reason": "goods" });
    stack.send_keyed("k", "POST", "/v1/adjustments", &spend).await.expect(201);
    let all = refund("R-1", json!([{ "line_id": "1", "quantity": 2 }, { "line_id": "2", "quantity": 1 }]));
    let answer = send(&stack, &all).await.expect(201);
    assert_eq!(answer["account"]["points"], json!({ "available": 0, "pending": 0, "held": 0, "debt": 19 }));
    let next = stack.send("POST", "/v1/purchases", Some(&stack.purchase("A-2", &member, 3_000))).await.expect(201);
    assert_eq!(next["account"]["points"], json!({ "available": 11, "pending": 0, "held": 0, "debt": 0 }));
    assert_eq!(next["entries"][0]["debt_repaid"], 19);
    books_balance(&stack, &member).await;
}
