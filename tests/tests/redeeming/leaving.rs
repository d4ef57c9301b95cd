//! Members who pause, and members who leave.

use crate::kit::{Desk, code, id, left, mug, own, pay, posted, refused, seat, with};
use serde_json::json;

fn path(desk: &Desk, rest: &str) -> String {
    format!("/v1/members/{}{rest}", desk.ada)
}

#[tokio::test]
async fn who_pauses_spends_nothing_gets_back_what_is_called_off_and_can_come_back() {
    let desk = Desk::open(json!([with(mug(), json!({ "points": 100 })), pay()])).await;
    let made = desk.redeem("k1", "mug").await.expect(201);
    let held = id(&desk.send("k2", &desk.payment(200)).await.expect(201));
    let other = id(&desk.send("k3", &desk.payment(50)).await.expect(201));
    desk.stack.send("POST", &path(&desk, "/deactivate"), None).await.expect(200);
    for answer in [
        desk.redeem("k4", "mug").await,
        desk.send("k4", &desk.payment(10)).await,
        desk.capture("c", &held, json!({})).await,
        desk.use_for(&code(&made), "O-1").await,
    ] {
        refused(&answer, 409, "member_deactivated");
    }
    let looked_up = desk.look_up(&code(&made)).await.expect(200);
    assert_eq!(looked_up["voucher"]["usable"], false);
    assert!(desk.redeem("k1", "mug").await.replayed());
    let body = desk.cancel("x", &held).await.expect(200);
    assert_eq!((posted(&body), left(&body)), (vec![("release", 200)], (850, 50)));
    // Lapsing goes on.
    desk.stack.set_clock("2026-11-21T10:30:00Z");
    assert_eq!(desk.has().await, (900, 0));
    desk.stack.send("POST", &path(&desk, "/reactivate"), None).await.expect(200);
    refused(&desk.capture("c", &other, json!({})).await, 409, "redemption_lapsed");
    desk.use_for(&code(&made), "O-1").await.expect(200);
    desk.balances().await;
}

#[tokio::test]
async fn who_leaves_has_holds_called_off_vouchers_void_and_nothing_to_be_read() {
    let desk = Desk::open(json!([mug(), with(seat(), json!({ "stock": 1 }))])).await;
    let made = desk.redeem("k1", "mug").await.expect(201);
    desk.adjust(500).await;
    let held = desk.redeem("k2", "seat").await.expect(201);
    desk.stack.send("DELETE", &path(&desk, ""), None).await.expect(204);
    for answer in [desk.look_up(&code(&made)).await, desk.use_for(&code(&made), "O-1").await] {
        refused(&answer, 404, "voucher_unknown");
    }
    for (list, code) in
        [("/redemptions", "member_unknown"), ("/rewards", "member_unknown"), ("/account", "member_unknown")]
    {
        refused(&desk.stack.send("GET", &path(&desk, list), None).await, 404, code);
    }
    for made in [&made, &held] {
        let redemption = format!("/v1/redemptions/{}", id(made));
        for path in [redemption.clone(), format!("{redemption}/qr.svg")] {
            refused(&desk.stack.send("GET", &path, None).await, 404, "redemption_unknown");
            let answer = desk.stack.send_as(&own(&desk.ada), "GET", &path, &[], None).await;
            assert_eq!(answer.status, 404, "{}", answer.body);
        }
        refused(&desk.cancel("x", &id(made)).await, 404, "member_unknown");
        refused(&desk.capture("c", &id(made), json!({})).await, 404, "member_unknown");
    }
    refused(&desk.redeem("k9", "mug").await, 404, "member_unknown");
    // The books stay: what was held came back and was forfeited with the rest.
    let report = it::books::must_balance(&desk.stack).await;
    assert_eq!(report.outstanding, 0);
    // The seat is there for others.
    let bob = desk.stack.enrol("bob").await;
    let body = json!({ "member": { "member_id": bob }, "points": 300, "reason": "goodwill" });
    desk.stack.send_keyed("b", "POST", "/v1/adjustments", &body).await.expect(201);
    let body = json!({ "member": { "member_id": bob }, "reward_id": "seat" });
    desk.send("kb", &body).await.expect(201);
    desk.balances().await;
}

#[tokio::test]
async fn what_a_member_who_left_paid_with_points_can_still_be_refunded() {
    let at_once = with(pay(), json!({ "settle": "immediately", "hold_minutes": null }));
    let desk = Desk::open(json!([at_once])).await;
    let redemption = id(&desk.send("k", &desk.payment(500)).await.expect(201));
    let mut body = desk.stack.purchase("A-1", &desk.ada, 2_000);
    body["paid_with"] = json!([redemption]);
    desk.stack.send("POST", "/v1/purchases", Some(&body)).await.expect(201);
    desk.stack.send("DELETE", &path(&desk, ""), None).await.expect(204);
    let refund =
        json!({ "refund_id": "R-1", "occurred_at": desk.stack.now(), "lines": [{ "line_id": "1", "quantity": 1 }] });
    desk.stack.send("POST", "/v1/purchases/web/A-1/refunds", Some(&refund)).await.expect(201);
    // Nobody is there to spend what came back: it is forfeited, too.
    let report = it::books::must_balance(&desk.stack).await;
    assert_eq!(report.outstanding, 0);
}
