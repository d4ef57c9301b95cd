//! Points set aside: captured, in part or in whole, or lapsed.

use crate::kit::{Desk, code, id, left, mug, offering, pay, posted, refused, seat, with};
use it::books::dump;
use serde_json::json;

#[tokio::test]
async fn a_hold_takes_points_out_of_what_is_available() {
    let desk = Desk::open(json!([pay()])).await;
    let body = desk.send("k", &desk.payment(500)).await.expect(201);
    let redemption = &body["redemption"];
    assert_eq!((&redemption["status"], &redemption["points"]), (&json!("held"), &json!(500)));
    assert_eq!(redemption["value"], json!({ "amount": 500, "currency": "EUR" }));
    assert_eq!((&redemption["captured_points"], &redemption["lapses_at"]), (&json!(0), &json!("2026-11-21T10:30:00Z")));
    let entry = &body["entries"][0];
    assert_eq!((&entry["kind"], &entry["points"], &entry["contra"]), (&json!("hold"), &json!(-500), &json!("held")));
    assert_eq!(left(&body), (500, 500));
    assert_eq!(
        body["account"]["lots"],
        json!([{ "points": 500, "activates_at": null, "expires_at": "2027-11-30T23:00:00Z" }])
    );
    assert_eq!(body["account"]["lifetime"]["redeemed"], 0);
    refused(&desk.send("k2", &desk.payment(501)).await, 409, "insufficient_points");
    desk.balances().await;
}

#[tokio::test]
async fn a_capture_spends_what_was_set_aside() {
    let desk = Desk::open(json!([pay()])).await;
    let redemption = id(&desk.send("k", &desk.payment(500)).await.expect(201));
    let body = desk.capture("c", &redemption, json!({})).await.expect(200);
    assert_eq!(
        (&body["redemption"]["status"], &body["redemption"]["captured_points"]),
        (&json!("fulfilled"), &json!(500))
    );
    let entry = &body["entries"][0];
    assert_eq!((&entry["kind"], &entry["points"], &entry["draws"]), (&json!("redeem"), &json!(0), &json!([])));
    assert_eq!((posted(&body).len(), left(&body)), (1, (500, 0)));
    assert_eq!(body["account"]["lifetime"]["redeemed"], 500);
    assert_eq!(desk.status(&redemption).await, "fulfilled");
    desk.balances().await;
}

#[tokio::test]
async fn a_capture_of_a_part_gives_the_rest_back_and_the_worth_follows() {
    let desk = Desk::open(json!([pay()])).await;
    let redemption = id(&desk.send("k", &desk.payment(500)).await.expect(201));
    let answer = desk.capture("c", &redemption, json!({ "points": 501 })).await;
    refused(&answer, 409, "capture_exceeds_hold");
    assert_eq!(answer.body["held"], 500);
    for (points, status) in [(json!(0), 422), (json!(-1), 422), (json!("5"), 400), (json!(1.5), 400)] {
        let answer = desk.capture("c", &redemption, json!({ "points": points })).await;
        assert_eq!((answer.status.as_u16(), answer.pointers()), (status, vec!["/points"]), "{}", answer.body);
    }
    let body = desk.capture("c", &redemption, json!({ "points": 120 })).await.expect(200);
    assert_eq!(posted(&body), [("redeem", 0), ("release", 380)]);
    assert_eq!(left(&body), (880, 0));
    let redemption = &body["redemption"];
    assert_eq!((&redemption["points"], &redemption["captured_points"]), (&json!(500), &json!(120)));
    assert_eq!(redemption["value"], json!({ "amount": 120, "currency": "EUR" }));
    assert_eq!(body["account"]["lifetime"]["redeemed"], 120);
    desk.balances().await;
}

#[tokio::test]
async fn a_capture_of_a_part_spends_what_ends_soonest_and_the_rest_goes_back_to_its_own_lots() {
    let desk = Desk::of(&offering(json!([pay()])), 300).await;
    desk.stack.set_clock("2027-01-10T10:00:00Z");
    desk.adjust(300).await;
    let redemption = id(&desk.send("k", &desk.payment(500)).await.expect(201));
    let body = desk.capture("c", &redemption, json!({ "points": 350 })).await.expect(200);
    assert_eq!(
        body["entries"][1]["draws"],
        json!([{ "activates_at": null, "expires_at": "2028-01-31T23:00:00Z", "points": 150 }])
    );
    assert_eq!(
        body["account"]["lots"],
        json!([{ "points": 250, "activates_at": null, "expires_at": "2028-01-31T23:00:00Z" }])
    );
    desk.balances().await;
}

#[tokio::test]
async fn a_cancellation_gives_each_draw_back_to_its_own_lot() {
    let desk = Desk::of(&offering(json!([pay()])), 300).await;
    desk.stack.set_clock("2027-01-10T10:00:00Z");
    desk.adjust(300).await;
    let lots = desk.stack.account(&desk.ada).await["lots"].clone();
    let redemption = id(&desk.send("k", &desk.payment(500)).await.expect(201));
    let body = desk.cancel("c", &redemption).await.expect(200);
    assert_eq!(body["redemption"]["status"], "cancelled");
    let entry = &body["entries"][0];
    assert_eq!((&entry["kind"], &entry["points"], &entry["contra"]), (&json!("release"), &json!(500), &json!("held")));
    assert_eq!((posted(&body).len(), &body["account"]["lots"]), (1, &lots));
    assert_eq!(left(&body), (600, 0));
    desk.balances().await;
}

#[tokio::test]
async fn a_redemption_has_lapsed_from_its_moment_on_in_every_answer_though_nobody_has_written_so() {
    let desk = Desk::open(json!([pay(), seat()])).await;
    let redemption = id(&desk.send("k", &desk.payment(500)).await.expect(201));
    let seat = desk.redeem("s", "seat").await.expect(201);
    desk.stack.set_clock("2026-11-21T10:29:59.999Z");
    assert_eq!((desk.status(&redemption).await.as_str(), desk.has().await), ("held", (200, 800)));
    desk.stack.set_clock("2026-11-21T10:30:00Z");
    let before = dump(&desk.stack).await;
    assert_eq!((desk.status(&redemption).await.as_str(), desk.has().await), ("lapsed", (700, 300)));
    let path = format!("/v1/members/{}/redemptions", desk.ada);
    let list = desk.stack.send("GET", &path, None).await.expect(200);
    let statuses: Vec<_> =
        list["redemptions"].as_array().unwrap().iter().map(|of| &of["redemption"]["status"]).collect();
    assert_eq!(statuses, ["held", "lapsed"]);
    for answer in [desk.capture("c", &redemption, json!({})).await, desk.cancel("x", &redemption).await] {
        refused(&answer, 409, "redemption_lapsed");
        assert!(answer.body["detail"].as_str().unwrap().contains("lapsed"), "{}", answer.body);
        assert_eq!(answer.body["retryable"], false);
    }
    desk.stack.set_clock("2026-11-21T11:00:00Z");
    refused(&desk.use_for(&code(&seat), "O-1").await, 409, "voucher_cancelled");
    assert_eq!(dump(&desk.stack).await, before);
    desk.balances().await;
}

#[tokio::test]
async fn what_lapsed_is_written_with_the_next_change_dated_as_if_on_time() {
    let desk = Desk::open(json!([pay(), mug()])).await;
    desk.send("k", &desk.payment(700)).await.expect(201);
    desk.stack.set_clock("2026-11-23T08:00:00Z");
    let body = desk.redeem("m", "mug").await.expect(201);
    assert_eq!((posted(&body), left(&body)), (vec![("redeem", -400)], (600, 0)));
    let ledger = desk.stack.ledger(&desk.ada).await;
    let release = &ledger[3];
    assert_eq!((&release["kind"], &release["points"]), (&json!("release"), &json!(700)));
    assert_eq!(release["occurred_at"], "2026-11-21T10:30:00Z");
    assert_eq!(release["recorded_at"], "2026-11-23T08:00:00Z");
    desk.balances().await;
}

#[tokio::test]
async fn lapsing_and_calling_off_return_stock_and_limit() {
    let scarce = with(seat(), json!({ "stock": 1, "limit": { "times": 1, "per": "ever" }, "points": 10 }));
    let desk = Desk::open(json!([scarce])).await;
    let first = id(&desk.redeem("k1", "seat").await.expect(201));
    refused(&desk.redeem("k2", "seat").await, 409, "reward_unavailable");
    desk.cancel("x", &first).await.expect(200);
    desk.redeem("k2", "seat").await.expect(201);
    desk.stack.set_clock("2026-11-21T11:00:00Z");
    let third = id(&desk.redeem("k3", "seat").await.expect(201));
    desk.capture("c", &third, json!({})).await.expect(200);
    desk.stack.set_clock("2026-11-21T13:00:00Z");
    refused(&desk.redeem("k4", "seat").await, 409, "reward_unavailable");
    desk.balances().await;
}

#[tokio::test]
async fn a_unit_that_lapsed_is_there_for_others_once_that_is_written() {
    let desk = Desk::open(json!([with(seat(), json!({ "stock": 1, "points": 10 })), mug()])).await;
    let bob = desk.stack.enrol("bob").await;
    let body = json!({ "member": { "member_id": bob }, "points": 10, "reason": "goodwill" });
    desk.stack.send_keyed("b", "POST", "/v1/adjustments", &body).await.expect(201);
    desk.redeem("k", "seat").await.expect(201);
    desk.stack.set_clock("2026-11-21T11:00:00Z");
    // Whatever is written about Ada next.
    desk.redeem("m", "mug").await.expect(201);
    let body = json!({ "member": { "member_id": bob }, "reward_id": "seat" });
    desk.send("k", &body).await.expect(422);
    desk.send("kb", &body).await.expect(201);
    desk.balances().await;
}

#[tokio::test]
async fn at_most_ten_holds_are_open() {
    let desk = Desk::open(json!([with(seat(), json!({ "points": 10 })), mug()])).await;
    let mut held = Vec::new();
    for number in 0..10 {
        held.push(id(&desk.redeem(&format!("k{number}"), "seat").await.expect(201)));
    }
    let answer = desk.redeem("k10", "seat").await;
    refused(&answer, 409, "too_many_holds");
    assert_eq!(answer.body["most"], 10);
    // What is had at once is no hold.
    desk.redeem("m", "mug").await.expect(201);
    desk.capture("c", &held[4], json!({})).await.expect(200);
    desk.redeem("k10", "seat").await.expect(201);
    refused(&desk.redeem("k11", "seat").await, 409, "too_many_holds");
    desk.stack.set_clock("2026-11-21T11:00:00Z");
    desk.redeem("k11", "seat").await.expect(201);
    desk.balances().await;
}

/// Points end with the next month, holds last for a quarter of a year.
fn short_lived(notice_days: i64) -> serde_json::Value {
    let mut program = offering(json!([with(pay(), json!({ "hold_minutes": 60 * 24 * 90 })), mug()]));
    program["points"]["expiry"]["after_months"] = json!(1);
    program["points"]["notice_days"] = json!(notice_days);
    program
}

#[tokio::test]
async fn points_whose_lot_has_ended_meanwhile_come_back_with_seven_days_to_live_and_the_answer_says_so() {
    let desk = Desk::of(&short_lived(0), 500).await;
    let redemption = id(&desk.send("k", &desk.payment(300)).await.expect(201));
    desk.stack.set_clock("2027-01-05T10:00:00Z");
    let body = desk.cancel("x", &redemption).await.expect(200);
    assert_eq!(left(&body), (300, 0));
    assert_eq!(
        body["account"]["lots"],
        json!([{ "points": 300, "activates_at": null, "expires_at": "2027-01-12T10:00:00Z" }])
    );
    let said = body["entries"][0]["explanation"].to_string();
    assert!(said.contains("300 points would have ended meanwhile and live on until 2027-01-12T10:00:00Z"), "{said}");
    // What was not set aside ended with its lot.
    assert_eq!(body["account"]["lifetime"]["expired"], 200);
    desk.balances().await;

    // Once: through a further hold they keep that end.
    let again = id(&desk.send("k2", &desk.payment(300)).await.expect(201));
    desk.stack.set_clock("2027-01-13T10:00:00Z");
    let body = desk.cancel("x2", &again).await.expect(200);
    assert_eq!(left(&body), (0, 0));
    assert!(!body["entries"].to_string().contains("live on"), "{body}");
    desk.balances().await;
}

#[tokio::test]
async fn where_notice_is_promised_for_longer_the_grace_is_as_long() {
    let desk = Desk::of(&short_lived(30), 500).await;
    let redemption = id(&desk.send("k", &desk.payment(300)).await.expect(201));
    // The notice is given with the next change: the lot ends 30 days later.
    desk.stack.set_clock("2026-12-15T10:00:00Z");
    desk.adjust(1).await;
    desk.stack.set_clock("2027-02-05T10:00:00Z");
    let body = desk.cancel("x", &redemption).await.expect(200);
    assert!(
        body["entries"][0]["explanation"]
            .to_string()
            .contains("300 points would have ended meanwhile and live on until 2027-03-07T10:00:00Z")
    );
    desk.balances().await;
}

#[tokio::test]
async fn a_hold_that_lapses_after_its_lot_has_ended_gives_the_grace_from_then_on() {
    let desk = Desk::of(&short_lived(0), 500).await;
    // Until 2027-02-19T10:00:00Z.
    desk.send("k", &desk.payment(500)).await.expect(201);
    desk.stack.set_clock("2027-02-26T09:59:59Z");
    assert_eq!(desk.has().await, (500, 0));
    desk.stack.set_clock("2027-02-26T10:00:00Z");
    assert_eq!(desk.has().await, (0, 0));
    desk.balances().await;
}

#[tokio::test]
async fn only_the_points_held_are_frozen_the_rest_of_their_lot_lives_on() {
    let desk = Desk::of(&short_lived(0), 500).await;
    let redemption = id(&desk.send("k", &desk.payment(300)).await.expect(201));
    desk.stack.set_clock("2027-01-05T10:00:00Z");
    // The lot ended on New Year's Eve; a capture spends what was set aside all the same.
    assert_eq!(desk.has().await, (0, 300));
    let body = desk.capture("c", &redemption, json!({})).await.expect(200);
    assert_eq!((left(&body), &body["account"]["lifetime"]["redeemed"]), ((0, 0), &json!(300)));
    desk.balances().await;
}

#[tokio::test]
async fn what_comes_back_from_a_hold_pays_debt_first() {
    let desk = Desk::of(&offering(json!([pay()])), 0).await;
    let buy = desk.stack.purchase("A-1", &desk.ada, 50_000);
    desk.stack.send("POST", "/v1/purchases", Some(&buy)).await.expect(201);
    let redemption = id(&desk.send("k", &desk.payment(500)).await.expect(201));
    let refund =
        json!({ "refund_id": "R-1", "occurred_at": desk.stack.now(), "lines": [{ "line_id": "1", "quantity": 1 }] });
    let refund = desk.stack.send("POST", "/v1/purchases/web/A-1/refunds", Some(&refund)).await.expect(201);
    assert_eq!((&refund["account"]["points"]["debt"], left(&refund)), (&json!(500), (0, 500)));
    let body = desk.cancel("x", &redemption).await.expect(200);
    assert_eq!((&body["account"]["points"]["debt"], left(&body)), (&json!(0), (0, 0)));
    assert_eq!(body["entries"][0]["debt_repaid"], 500);
    desk.balances().await;
}

#[tokio::test]
async fn captures_and_cancellations_need_a_key_a_body_and_a_redemption() {
    let desk = Desk::open(json!([pay()])).await;
    let redemption = id(&desk.send("k", &desk.payment(500)).await.expect(201));
    for end in ["capture", "cancel"] {
        let path = format!("/v1/redemptions/{redemption}/{end}");
        refused(&desk.without_key(&path, &json!({})).await, 400, "idempotency_key_required");
        let answer = desk.stack.send_keyed("c", "POST", &path, &json!({ "colour": "blue" })).await;
        assert_eq!((answer.status.as_u16(), answer.pointers()), (400, vec!["/colour"]));
        for nowhere in ["red_00000000000000000000000000", "red_1", "mbr_00000000000000000000000000", "%00"] {
            let path = format!("/v1/redemptions/{nowhere}/{end}");
            refused(&desk.stack.send_keyed("c", "POST", &path, &json!({})).await, 404, "redemption_unknown");
        }
    }
    let path = format!("/v1/redemptions/{redemption}/cancel");
    assert_eq!(desk.stack.send_keyed("c", "POST", &path, &json!({ "points": 5 })).await.pointers(), ["/points"]);
    assert_eq!(desk.status(&redemption).await, "held");
}

#[tokio::test]
async fn a_reward_had_at_once_has_nothing_to_capture() {
    let desk = Desk::open(json!([mug()])).await;
    let redemption = id(&desk.redeem("k", "mug").await.expect(201));
    refused(&desk.capture("c", &redemption, json!({})).await, 409, "redemption_fulfilled");
}
