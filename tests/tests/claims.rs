//! Guests' purchases, claimed later.

use it::stack::{Stack, plain_program};
use serde_json::{Value, json};

async fn guest(stack: &Stack, order: &str, net: i64) -> Value {
    let mut body = stack.purchase(order, "mbr_00000000000000000000000000", net);
    body.as_object_mut().unwrap().remove("member");
    let answer = stack.send("POST", "/v1/purchases", Some(&body)).await.expect(201);
    assert_eq!((&answer["purchase"]["member_id"], &answer["purchase"]["points"]), (&Value::Null, &json!(0)));
    body
}

fn claim(member: &str, net_total: i64) -> Value {
    json!({ "member": { "member_id": member }, "net_total": net_total })
}

async fn stack() -> Stack {
    Stack::with_program("2026-11-21T10:00:00Z", &plain_program()).await
}

#[tokio::test]
async fn a_claim_earns_what_the_purchase_would_have_earned_and_a_retry_replays() {
    let stack = stack().await;
    let ada = stack.enrol("ada").await;
    let body = guest(&stack, "G-1", 5_000).await;
    let first = stack.send("POST", "/v1/purchases/web/G-1/claim", Some(&claim(&ada, 5_000))).await.expect(201);
    assert_eq!((&first["purchase"]["points"], &first["purchase"]["member_id"]), (&json!(50), &json!(ada)));
    assert_eq!(first["entries"][0]["cause"], json!({ "purchase": { "channel": "web", "order_id": "G-1" } }));
    assert_eq!(stack.account(&ada).await["points"]["available"], 50);
    let again = stack.send("POST", "/v1/purchases/web/G-1/claim", Some(&claim(&ada, 5_000))).await;
    assert!(again.replayed());
    assert_eq!(again.expect(201)["entries"], first["entries"]);
    let told_again = stack.send("POST", "/v1/purchases", Some(&body)).await;
    assert!(told_again.replayed());
    assert_eq!(told_again.expect(201)["purchase"]["member_id"], Value::Null);
    assert_eq!(stack.ledger(&ada).await.len(), 2);
}

#[tokio::test]
async fn a_purchase_is_claimed_once() {
    let stack = stack().await;
    let (ada, bob) = (stack.enrol("ada").await, stack.enrol("bob").await);
    guest(&stack, "G-1", 5_000).await;
    stack.send("POST", "/v1/purchases/web/G-1/claim", Some(&claim(&ada, 5_000))).await.expect(201);
    let second = stack.send("POST", "/v1/purchases/web/G-1/claim", Some(&claim(&bob, 5_000))).await;
    assert_eq!((second.status.as_u16(), second.code()), (409, "purchase_claimed"));
    stack.send("POST", "/v1/purchases", Some(&stack.purchase("A-1", &ada, 700))).await.expect(201);
    let own = stack.send("POST", "/v1/purchases/web/A-1/claim", Some(&claim(&ada, 700))).await;
    assert_eq!((own.status.as_u16(), own.code()), (409, "purchase_claimed"));
}

#[tokio::test]
async fn a_claim_earns_on_what_is_left_and_refunds_go_on_after_it() {
    let stack = stack().await;
    let ada = stack.enrol("ada").await;
    let mut body = guest(&stack, "G-0", 100).await;
    body["order_id"] = json!("G-1");
    body["lines"][0]["quantity"] = json!(4);
    body["lines"][0]["net_amount"] = json!(4_000);
    stack.send("POST", "/v1/purchases", Some(&body)).await.expect(201);
    let back =
        |id: &str| json!({ "refund_id": id, "occurred_at": stack.now(), "lines": [{ "line_id": "1", "quantity": 1 }] });
    stack.send("POST", "/v1/purchases/web/G-1/refunds", Some(&back("R-1"))).await.expect(201);
    let claimed = stack.send("POST", "/v1/purchases/web/G-1/claim", Some(&claim(&ada, 4_000))).await.expect(201);
    assert_eq!(claimed["purchase"]["points"], 30);
    let refund = stack.send("POST", "/v1/purchases/web/G-1/refunds", Some(&back("R-2"))).await.expect(201);
    assert_eq!(refund["refund"]["points_clawed_back"], 10);
}

#[tokio::test]
async fn a_wrong_total_claims_nothing_and_guessing_ends() {
    let stack = stack().await;
    let ada = stack.enrol("ada").await;
    guest(&stack, "G-1", 5_000).await;
    for guess in 0..10 {
        let answer = stack.send("POST", "/v1/purchases/web/G-1/claim", Some(&claim(&ada, guess))).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (422, "claim_mismatch"));
        assert_eq!(answer.pointers(), ["/net_total"]);
    }
    let right = stack.send("POST", "/v1/purchases/web/G-1/claim", Some(&claim(&ada, 5_000))).await;
    assert_eq!(right.status, 429);
    stack.set_clock("2026-11-21T10:01:00Z");
    stack.send("POST", "/v1/purchases/web/G-1/claim", Some(&claim(&ada, 5_000))).await.expect(201);
}

#[tokio::test]
async fn a_claim_comes_within_the_days_of_a_late_purchase_and_is_judged_as_of_the_purchase() {
    let stack = stack().await;
    let ada = stack.enrol("ada").await;
    guest(&stack, "G-1", 5_000).await;
    guest(&stack, "G-2", 5_000).await;
    stack.set_clock("2026-12-20T10:00:00Z");
    let claimed = stack.send("POST", "/v1/purchases/web/G-1/claim", Some(&claim(&ada, 5_000))).await.expect(201);
    assert_eq!(claimed["entries"][0]["draws"][0]["expires_at"], "2027-11-30T23:00:00Z");
    stack.set_clock("2026-12-21T10:00:01Z");
    let late = stack.send("POST", "/v1/purchases/web/G-2/claim", Some(&claim(&ada, 5_000))).await;
    assert_eq!((late.status.as_u16(), late.code()), (422, "purchase_too_old"));
}

#[tokio::test]
async fn of_many_claims_at_once_one_wins() {
    let stack = stack().await;
    guest(&stack, "G-1", 5_000).await;
    let mut claims = Vec::new();
    for number in 0..8 {
        claims.push(claim(&stack.enrol(&format!("m-{number}")).await, 5_000));
    }
    let mut running = tokio::task::JoinSet::new();
    for body in claims {
        let stack = stack.clone();
        running
            .spawn(async move { stack.send("POST", "/v1/purchases/web/G-1/claim", Some(&body)).await.status.as_u16() });
    }
    let mut statuses = running.join_all().await;
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409, 409, 409, 409, 409]);
}

#[tokio::test]
async fn a_purchase_of_which_everything_came_back_cannot_be_claimed() {
    let mut program = plain_program();
    program["earning_rules"] = json!([{ "id": "visit", "on": "purchase", "award": { "points": 100 } }]);
    let stack = Stack::with_program("2026-11-21T10:00:00Z", &program).await;
    let ada = stack.enrol("ada").await;
    guest(&stack, "G-1", 5_000).await;
    let back = json!({ "refund_id": "R-1", "occurred_at": stack.now(), "lines": [{ "line_id": "1", "quantity": 1 }] });
    stack.send("POST", "/v1/purchases/web/G-1/refunds", Some(&back)).await.expect(201);
    let answer = stack.send("POST", "/v1/purchases/web/G-1/claim", Some(&claim(&ada, 5_000))).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (409, "purchase_refunded"));
    assert_eq!(stack.account(&ada).await["lifetime"]["earned"], 0);
}
