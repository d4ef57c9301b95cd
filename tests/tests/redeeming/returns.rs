//! Calling off what was fulfilled.

use crate::kit::{Desk, code, id, left, mug, offering, posted, refused, seat, with};
use serde_json::json;

#[tokio::test]
async fn a_fulfilled_redemption_can_be_called_off_while_its_voucher_is_unused() {
    let desk = Desk::open(json!([mug(), seat()])).await;
    let made = desk.redeem("k", "mug").await.expect(201);
    let seat = desk.redeem("s", "seat").await.expect(201);
    desk.capture("c", &id(&seat), json!({})).await.expect(200);
    for (made, points) in [(made, 400), (seat, 300)] {
        let body = desk.cancel("x", &id(&made)).await.expect(200);
        assert_eq!((&body["redemption"]["status"], posted(&body)), (&json!("cancelled"), vec![("release", points)]));
        assert_eq!(body["entries"][0]["contra"], "redeemed");
        refused(&desk.use_for(&code(&made), "O-1").await, 409, "voucher_cancelled");
    }
    let account = desk.stack.account(&desk.ada).await;
    assert_eq!((left(&json!({ "account": account })), &account["lifetime"]["redeemed"]), ((1_000, 0), &json!(0)));
    assert_eq!(
        account["lots"],
        json!([{ "points": 1_000, "activates_at": null, "expires_at": "2027-11-30T23:00:00Z" }])
    );
    desk.balances().await;
}

#[tokio::test]
async fn a_used_voucher_cannot_be_called_off() {
    let desk = Desk::open(json!([mug()])).await;
    let made = desk.redeem("k", "mug").await.expect(201);
    desk.use_for(&code(&made), "O-1").await.expect(200);
    refused(&desk.cancel("x", &id(&made)).await, 409, "voucher_used");
    assert_eq!(desk.has().await, (600, 0));
}

#[tokio::test]
async fn an_expired_voucher_cannot_be_called_off_and_gives_nothing_back() {
    let desk = Desk::open(json!([mug()])).await;
    let made = desk.redeem("k", "mug").await.expect(201);
    desk.stack.set_clock("2027-02-19T22:59:59.999Z");
    assert_eq!(desk.look_up(&code(&made)).await.expect(200)["voucher"]["usable"], true);
    desk.stack.set_clock("2027-02-19T23:00:00Z");
    refused(&desk.cancel("x", &id(&made)).await, 409, "voucher_expired");
    assert_eq!((desk.has().await, desk.status(&id(&made)).await.as_str()), ((600, 0), "fulfilled"));
    desk.balances().await;
}

#[tokio::test]
async fn it_returns_stock_and_limit() {
    let scarce = with(mug(), json!({ "stock": 1, "limit": { "times": 1, "per": "year" } }));
    let desk = Desk::open(json!([scarce])).await;
    let made = id(&desk.redeem("k1", "mug").await.expect(201));
    refused(&desk.redeem("k2", "mug").await, 409, "reward_unavailable");
    desk.cancel("x", &made).await.expect(200);
    desk.redeem("k2", "mug").await.expect(201);
    refused(&desk.redeem("k3", "mug").await, 409, "reward_unavailable");
    desk.balances().await;
}

#[tokio::test]
async fn points_of_a_lot_that_has_ended_come_back_for_seven_days() {
    let mut program = offering(json!([mug()]));
    program["points"]["expiry"]["after_months"] = json!(1);
    let desk = Desk::of(&program, 500).await;
    let made = id(&desk.redeem("k", "mug").await.expect(201));
    desk.stack.set_clock("2027-01-05T10:00:00Z");
    let body = desk.cancel("x", &made).await.expect(200);
    assert_eq!(
        body["account"]["lots"],
        json!([{ "points": 400, "activates_at": null, "expires_at": "2027-01-12T10:00:00Z" }])
    );
    assert!(body["entries"][0]["explanation"].to_string().contains("live on until"));
    desk.balances().await;
}

#[tokio::test]
async fn what_was_captured_in_part_gives_that_part_back() {
    let desk = Desk::open(json!([seat()])).await;
    let made = id(&desk.redeem("k", "seat").await.expect(201));
    desk.capture("c", &made, json!({ "points": 100 })).await.expect(200);
    assert_eq!(desk.has().await, (900, 0));
    let body = desk.cancel("x", &made).await.expect(200);
    assert_eq!((posted(&body), left(&body)), (vec![("release", 100)], (1_000, 0)));
    desk.balances().await;
}
