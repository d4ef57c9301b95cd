//! Points that pay for a part of a purchase.

use crate::kit::{Desk, id, left, mug, pay, posted, refused, with};
use it::books::dump;
use it::stack::Answered;
use serde_json::{Value, json};

/// Points that pay at once.
fn at_once() -> Value {
    with(pay(), json!({ "settle": "immediately", "hold_minutes": null }))
}

/// A purchase of lines with these nets, paid with redemptions.
async fn buy(desk: &Desk, order: &str, nets: &[i64], with: &[&str]) -> Answered {
    let mut body = desk.stack.purchase(order, &desk.ada, 0);
    let line =
        |(place, net): (usize, &i64)| json!({ "line_id": format!("{place}"), "quantity": 10, "net_amount": net });
    body["lines"] = nets.iter().enumerate().map(line).collect();
    body["paid_with"] = json!(with);
    desk.stack.send("POST", "/v1/purchases", Some(&body)).await
}

async fn refund(desk: &Desk, order: &str, refund: &str, lines: &[(usize, i64)]) -> Value {
    let line = |(place, quantity): &(usize, i64)| json!({ "line_id": format!("{place}"), "quantity": quantity });
    let body = json!({ "refund_id": refund, "occurred_at": desk.stack.now(),
                       "lines": lines.iter().map(line).collect::<Vec<_>>() });
    let path = format!("/v1/purchases/web/{order}/refunds");
    desk.stack.send("POST", &path, Some(&body)).await.expect(201)
}

#[tokio::test]
async fn points_are_worth_what_the_program_says_in_each_currency() {
    let values = json!([{ "points": 100, "amount": 100, "currency": "EUR" }, { "points": 3, "amount": 2, "currency": "JPY" },
                        { "points": 1_000, "amount": 3_125, "currency": "KWD" }]);
    let desk = Desk::open(json!([with(at_once(), json!({ "value": values }))])).await;
    for (points, currency, amount) in [(7, "EUR", 7), (10, "JPY", 6), (1, "KWD", 3), (8, "KWD", 25)] {
        let body = with(desk.payment(points), json!({ "currency": currency }));
        let body = desk.send(&format!("{points}{currency}"), &body).await.expect(201);
        assert_eq!(body["redemption"]["value"], json!({ "amount": amount, "currency": currency }));
    }
    let answer = desk.send("k", &with(desk.payment(5), json!({ "currency": "USD" }))).await;
    assert_eq!((answer.status.as_u16(), answer.pointers()), (422, vec!["/currency"]));
    let answer = desk.send("k", &with(desk.payment(1), json!({ "currency": "JPY" }))).await;
    assert_eq!((answer.status.as_u16(), answer.pointers()), (422, vec!["/points"]), "worth nothing");
}

#[tokio::test]
async fn a_minimum_a_step_and_the_share_of_the_basket_are_kept() {
    let desk = Desk::open(json!([with(at_once(), json!({ "minimum": 200, "step": 50, "max_share": "25" }))])).await;
    for (key, points, basket, pointers) in [
        ("a", 150, Value::Null, vec!["/points"]),
        ("b", 225, Value::Null, vec!["/points"]),
        ("c", 250, json!(999), vec!["/points"]),
        ("d", 250, json!(1_000), vec![]),
        ("e", 200, Value::Null, vec![]),
    ] {
        let body = with(desk.payment(points), json!({ "basket_total": basket }));
        let answer = desk.send(key, &body).await;
        assert_eq!(answer.pointers(), pointers, "{key}: {}", answer.body);
        assert_eq!(answer.status.as_u16(), if pointers.is_empty() { 201 } else { 422 }, "{key}");
    }
    let mut wish = desk.wish("pay");
    let answer = desk.send("k", &wish).await;
    assert_eq!((answer.status.as_u16(), answer.pointers()), (422, vec!["/points"]));
    wish["points"] = json!(200);
    let answer = desk.send("k", &wish).await;
    assert_eq!((answer.status.as_u16(), answer.pointers()), (422, vec!["/currency"]));
    assert_eq!(desk.has().await, (550, 0));
}

#[tokio::test]
async fn points_are_earned_only_on_what_was_paid_with_money() {
    let desk = Desk::open(json!([pay()])).await;
    let redemption = id(&desk.send("k", &desk.payment(500)).await.expect(201));
    desk.capture("c", &redemption, json!({})).await.expect(200);
    let body = buy(&desk, "A-1", &[1_500, 500], &[&redemption]).await.expect(201);
    let purchase = &body["purchase"];
    assert_eq!((&purchase["points"], &purchase["net_total"]), (&json!(15), &json!(2_000)));
    assert_eq!((&purchase["paid_with"], &purchase["paid_with_points"]), (&json!([redemption]), &json!(500)));
    let shown = desk.stack.send("GET", "/v1/purchases/web/A-1", None).await.expect(200);
    assert_eq!(shown["purchase"]["paid_with"], json!([redemption]));
    let found = desk.redemption(&redemption).await;
    assert_eq!(found["redemption"]["used"], json!({ "channel": "web", "order_id": "A-1", "at": desk.stack.now() }));
    refused(&desk.cancel("x", &redemption).await, 409, "voucher_used");
    let again = buy(&desk, "A-1", &[1_500, 500], &[&redemption]).await;
    assert!(again.replayed());
    assert_eq!(again.expect(201)["purchase"], body["purchase"]);
    desk.balances().await;
}

#[tokio::test]
async fn the_same_order_without_its_payment_is_another_one() {
    let desk = Desk::open(json!([at_once()])).await;
    let redemption = id(&desk.send("k", &desk.payment(500)).await.expect(201));
    buy(&desk, "A-1", &[2_000], &[&redemption]).await.expect(201);
    let answer = buy(&desk, "A-1", &[2_000], &[]).await;
    refused(&answer, 422, "idempotency_mismatch");
    assert_eq!(answer.pointers(), ["/paid_with"]);
}

#[tokio::test]
async fn a_redemption_pays_for_one_purchase_of_its_member_and_only_when_it_is_captured() {
    let desk = Desk::open(json!([at_once(), with(pay(), json!({ "id": "held" })), mug()])).await;
    let paid = id(&desk.send("k1", &desk.payment(300)).await.expect(201));
    buy(&desk, "A-1", &[2_000], &[&paid]).await.expect(201);
    let held = id(&desk.send("k2", &with(desk.payment(100), json!({ "reward_id": "held" }))).await.expect(201));
    let called_off = id(&desk.send("k3", &desk.payment(100)).await.expect(201));
    desk.cancel("x", &called_off).await.expect(200);
    let mug = id(&desk.redeem("k4", "mug").await.expect(201));
    let dear = id(&desk.send("k5", &desk.payment(200)).await.expect(201));
    let bob = desk.stack.enrol("bob").await;
    let nobody = "red_00000000000000000000000000";
    let before = dump(&desk.stack).await;
    for (redemption, why) in [
        (paid.as_str(), "has paid for another order"),
        (&held, "is held: capture it first"),
        (&called_off, "was called off or has lapsed"),
        (&mug, "is not of a reward with which points pay"),
        (&dear, "pays more than the purchase costs"),
        (nobody, "is no redemption of this member"),
    ] {
        let answer = buy(&desk, "A-2", &[199], &[redemption]).await;
        refused(&answer, 422, "payment_invalid");
        assert_eq!(answer.body["errors"], json!([{ "pointer": "/paid_with/0", "detail": why }]));
    }
    let mut body = desk.stack.purchase("A-2", &bob, 2_000);
    body["paid_with"] = json!([dear]);
    let answer = desk.stack.send("POST", "/v1/purchases", Some(&body)).await;
    refused(&answer, 422, "payment_invalid");
    body.as_object_mut().unwrap().remove("member");
    let answer = desk.stack.send("POST", "/v1/purchases", Some(&body)).await;
    assert_eq!((answer.status.as_u16(), answer.pointers()), (422, vec!["/paid_with"]));
    let answer = buy(&desk, "A-2", &[2_000], &[&dear, &dear]).await;
    assert_eq!(answer.pointers(), ["/paid_with/1"]);
    assert_eq!(dump(&desk.stack).await, before);
    buy(&desk, "A-2", &[200], &[&dear]).await.expect(201);
    desk.balances().await;
}

#[tokio::test]
async fn a_quote_agrees_with_the_purchase_that_follows() {
    let desk = Desk::open(json!([at_once()])).await;
    let redemption = id(&desk.send("k", &desk.payment(250)).await.expect(201));
    let mut body = desk.stack.purchase("A-1", &desk.ada, 1_999);
    body["paid_with"] = json!([redemption]);
    let quote = desk.stack.send("POST", "/v1/purchases/quote", Some(&body)).await.expect(200);
    let bought = desk.stack.send("POST", "/v1/purchases", Some(&body)).await.expect(201);
    assert_eq!((&quote["points"], &quote["points"]), (&bought["purchase"]["points"], &json!(17)));
    assert_eq!(quote["entries"][0]["explanation"], bought["entries"][0]["explanation"]);
}

#[tokio::test]
async fn a_refund_restores_points_and_claws_points_back() {
    let desk = Desk::open(json!([at_once()])).await;
    let redemption = id(&desk.send("k", &desk.payment(500)).await.expect(201));
    buy(&desk, "A-1", &[2_000], &[&redemption]).await.expect(201);
    assert_eq!(desk.has().await, (515, 0));
    let body = refund(&desk, "A-1", "R-1", &[(0, 5)]).await;
    assert_eq!(body["refund"]["points_restored"], 250);
    // 7.50 are left that were paid with money.
    assert_eq!(body["refund"]["points_clawed_back"], 8);
    assert_eq!(left(&body), (515 + 250 - 8, 0));
    let body = refund(&desk, "A-1", "R-2", &[(0, 5)]).await;
    assert_eq!(left(&body), (1_000, 0));
    assert_eq!(body["account"]["lifetime"]["redeemed"], 0);
    assert!(posted(&body).iter().any(|(_, points)| *points == 250), "{body}");
    desk.balances().await;
}

/// A purchase of three lines paid with two redemptions comes back in one piece, line by line, unit by unit and in odd
/// parts: whatever is left in the end is the same, and all of it where nothing is left.
#[tokio::test]
async fn refunds_end_the_same_however_they_are_split() {
    let splits: [&[&[(usize, i64)]]; 4] = [
        &[&[(0, 7), (1, 10), (2, 3)]],
        &[&[(1, 10)], &[(2, 3)], &[(0, 7)]],
        &[&[(0, 1), (2, 1)], &[(0, 1), (1, 5)], &[(0, 2), (2, 1)], &[(0, 3), (1, 5), (2, 1)]],
        &[&[(2, 1)], &[(0, 6)], &[(2, 2), (1, 3)], &[(1, 7), (0, 1)]],
    ];
    let mut ends = Vec::new();
    for split in splits {
        let desk = Desk::open(json!([at_once()])).await;
        let one = id(&desk.send("k1", &desk.payment(333)).await.expect(201));
        let two = id(&desk.send("k2", &desk.payment(100)).await.expect(201));
        buy(&desk, "A-1", &[1_000, 777, 3_331], &[&one, &two]).await.expect(201);
        for (number, lines) in split.iter().enumerate() {
            refund(&desk, "A-1", &format!("R-{number}"), lines).await;
        }
        let account = desk.stack.account(&desk.ada).await;
        ends.push(json!([account["points"], account["lots"], account["lifetime"]["redeemed"], account["tier"]]));
        refund(&desk, "A-1", "rest", &[(0, 3), (2, 7)]).await;
        assert_eq!(desk.has().await, (1_000, 0));
        desk.balances().await;
    }
    assert!(ends.iter().all(|end| *end == ends[0]), "{ends:#?}");
}

#[tokio::test]
async fn restored_points_go_back_to_the_lots_they_came_from() {
    let desk = Desk::open(json!([at_once()])).await;
    let lots = desk.stack.account(&desk.ada).await["lots"].clone();
    let redemption = id(&desk.send("k", &desk.payment(1_000)).await.expect(201));
    buy(&desk, "A-1", &[1_000], &[&redemption]).await.expect(201);
    assert_eq!(desk.has().await, (0, 0));
    refund(&desk, "A-1", "R-1", &[(0, 10)]).await;
    assert_eq!(desk.stack.account(&desk.ada).await["lots"], lots);
    desk.balances().await;
}
