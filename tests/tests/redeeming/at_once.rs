//! Rewards that are had at once.

use crate::kit::{Desk, NOW, code, left, mug, offering, posted, refused, seat, with};
use it::books::dump;
use loyalty_domain::voucher::Code;
use serde_json::json;

#[tokio::test]
async fn a_reward_had_at_once_is_fulfilled_and_answered_as_the_contract_words_it() {
    let desk = Desk::open(json!([mug()])).await;
    let answer = desk.redeem("k", "mug").await;
    assert!(!answer.replayed());
    let body = answer.expect(201);
    let redemption = &body["redemption"];
    let id = redemption["redemption_id"].as_str().unwrap();
    assert!(id.len() == 30 && id.starts_with("red_"), "{id}");
    assert_eq!(
        *redemption,
        json!({ "redemption_id": id, "member_id": desk.ada, "reward_id": "mug", "kind": "product", "status": "fulfilled",
                "points": 400, "captured_points": 400, "value": null, "percent": null, "program_version": 1,
                "created_at": NOW, "lapses_at": null, "used": null })
    );
    let spelled = code(&body);
    assert_eq!(Code::parse(&spelled).unwrap().to_string(), spelled);
    // The end of the local day 90 days on.
    assert_eq!(body["voucher"], json!({ "code": spelled, "valid_from": NOW, "expires_at": "2027-02-19T23:00:00Z" }));
    let [entry] = body["entries"].as_array().unwrap().as_slice() else { panic!("{body}") };
    assert_eq!(
        (&entry["kind"], &entry["points"], &entry["contra"]),
        (&json!("redeem"), &json!(-400), &json!("redeemed"))
    );
    assert_eq!(entry["draws"], json!([{ "activates_at": null, "expires_at": "2027-11-30T23:00:00Z", "points": -400 }]));
    assert_eq!(entry["cause"], json!({ "redemption": { "redemption_id": id, "reward_id": "mug" } }));
    assert_eq!(entry["actor"], "till-1");
    assert_eq!(left(&body), (600, 0));
    assert_eq!(body["account"]["lifetime"]["redeemed"], 400);
    assert_eq!(body["account"]["version"], 3);
    assert_eq!(desk.redemption(id).await, json!({ "redemption": redemption, "voucher": body["voucher"] }));
    desk.balances().await;
}

#[tokio::test]
async fn without_voucher_days_there_is_no_voucher() {
    let desk = Desk::open(json!([with(mug(), json!({ "voucher_days": null }))])).await;
    let body = desk.redeem("k", "mug").await.expect(201);
    assert!(body["voucher"].is_null() && body.as_object().unwrap().contains_key("voucher"));
    let found = desk.redemption(body["redemption"]["redemption_id"].as_str().unwrap()).await;
    assert!(found["voucher"].is_null());
}

#[tokio::test]
async fn every_kind_of_reward_can_be_had_and_says_what_it_is_worth() {
    let euros = json!({ "amount": 500, "currency": "EUR" });
    let kinds = [
        ("product", json!({}), json!([null, null])),
        ("discount_amount", json!({ "amount": euros }), json!([euros, null])),
        ("discount_percent", json!({ "percent": "15" }), json!([null, "15"])),
        ("free_shipping", json!({}), json!([null, null])),
        ("gift_card", json!({ "amount": euros }), json!([euros, null])),
        ("experience", json!({}), json!([null, null])),
        ("donation", json!({}), json!([null, null])),
    ];
    let reward = |(kind, fields, _): &(&str, serde_json::Value, serde_json::Value)| {
        with(with(mug(), json!({ "id": kind, "kind": kind, "points": 10 })), fields.clone())
    };
    let desk = Desk::open(kinds.iter().map(reward).collect()).await;
    for (kind, _, worth) in &kinds {
        let body = desk.redeem(kind, kind).await.expect(201);
        assert_eq!(body["redemption"]["kind"], *kind);
        assert_eq!(json!([body["redemption"]["value"], body["redemption"]["percent"]]), *worth, "{kind}");
        let looked_up = desk.look_up(&code(&body)).await.expect(200);
        assert_eq!(json!([looked_up["voucher"]["value"], looked_up["voucher"]["percent"]]), *worth, "{kind}");
    }
    assert_eq!(desk.has().await, (930, 0));
}

#[tokio::test]
async fn too_few_points_are_refused_with_what_is_missing_and_nothing_is_written() {
    let desk = Desk::of(&offering(json!([mug(), seat()])), 250).await;
    let before = dump(&desk.stack).await;
    for (reward, required, missing) in [("mug", 400, 150), ("seat", 300, 50)] {
        let answer = desk.redeem("k", reward).await;
        refused(&answer, 409, "insufficient_points");
        let facts = ["required", "available", "missing"].map(|fact| answer.body[fact].clone());
        assert_eq!(facts, [json!(required), json!(250), json!(missing)]);
        assert_eq!(answer.body["retryable"], false);
    }
    assert_eq!(dump(&desk.stack).await, before);
    // A refusal is not remembered: the same key is judged afresh.
    desk.adjust(150).await;
    assert!(!desk.redeem("k", "mug").await.replayed());
    assert_eq!(desk.has().await, (0, 0));
}

#[tokio::test]
async fn pending_points_cannot_be_spent() {
    let mut program = offering(json!([mug()]));
    program["points"]["pending_days"] = json!(6);
    let desk = Desk::of(&program, 0).await;
    let body = desk.stack.purchase("A-1", &desk.ada, 40_000);
    desk.stack.send("POST", "/v1/purchases", Some(&body)).await.expect(201);
    let answer = desk.redeem("k", "mug").await;
    refused(&answer, 409, "insufficient_points");
    assert_eq!(answer.body["available"], 0);
    desk.stack.set_clock("2026-11-26T23:00:00Z");
    desk.redeem("k", "mug").await.expect(201);
    desk.balances().await;
}

#[tokio::test]
async fn expired_points_cannot_be_spent_though_no_schedule_has_run() {
    let desk = Desk::open(json!([mug()])).await;
    desk.stack.set_clock("2027-11-30T23:00:00Z");
    refused(&desk.redeem("k", "mug").await, 409, "insufficient_points");
}

#[tokio::test]
async fn points_that_end_soonest_are_spent_first() {
    let desk = Desk::of(&offering(json!([mug()])), 300).await;
    desk.stack.set_clock("2027-01-10T10:00:00Z");
    desk.adjust(300).await;
    let body = desk.redeem("k", "mug").await.expect(201);
    assert_eq!(
        body["entries"][0]["draws"],
        json!([{ "activates_at": null, "expires_at": "2027-11-30T23:00:00Z", "points": -300 },
               { "activates_at": null, "expires_at": "2028-01-31T23:00:00Z", "points": -100 }])
    );
    desk.balances().await;
}

#[tokio::test]
async fn spending_never_costs_a_level() {
    let desk = Desk::of(&offering(json!([mug()])), 0).await;
    let body = desk.stack.purchase("A-1", &desk.ada, 60_000);
    let bought = desk.stack.send("POST", "/v1/purchases", Some(&body)).await.expect(201);
    let body = desk.redeem("k", "mug").await.expect(201);
    assert_eq!(body["account"]["tier"], bought["account"]["tier"]);
    assert_eq!(body["account"]["tier"]["level"], "gold");
    assert_eq!(body["account"]["lifetime"]["earned"], 600);
}

#[tokio::test]
async fn who_is_not_known_and_what_is_not_offered_is_refused_and_nothing_is_kept() {
    let desk = Desk::open(json!([mug()])).await;
    let before = dump(&desk.stack).await;
    let answer = desk.redeem("k", "castle").await;
    refused(&answer, 422, "reward_unknown");
    assert_eq!(answer.pointers(), ["/reward_id"]);
    for nobody in [json!({ "phone": "+4915100000009" }), json!({ "member_id": "mbr_00000000000000000000000000" })] {
        refused(&desk.send("k", &with(desk.wish("mug"), json!({ "member": nobody }))).await, 404, "member_unknown");
    }
    assert_eq!(dump(&desk.stack).await, before);
}

#[tokio::test]
async fn what_cannot_be_had_at_present_is_refused_with_why() {
    let desk = Desk::open(json!([with(mug(), json!({ "until": "2026-11-21", "stock": 0 }))])).await;
    let answer = desk.redeem("k", "mug").await;
    refused(&answer, 409, "reward_unavailable");
    assert_eq!(answer.body["because"], json!(["it ended before 2026-11-21", "none of it is left"]));
}

#[tokio::test]
async fn a_limit_counts_local_periods_of_the_member() {
    let desk = Desk::open(json!([with(mug(), json!({ "points": 10, "limit": { "times": 1, "per": "day" } }))])).await;
    desk.redeem("k1", "mug").await.expect(201);
    // The local day ends at 23:00 UTC.
    desk.stack.set_clock("2026-11-21T22:59:59.999Z");
    let answer = desk.redeem("k2", "mug").await;
    refused(&answer, 409, "reward_unavailable");
    assert_eq!(answer.body["because"], json!(["it serves a member once a day, and has"]));
    desk.stack.set_clock("2026-11-21T23:00:00Z");
    desk.redeem("k2", "mug").await.expect(201);
    desk.balances().await;
}

#[tokio::test]
async fn a_stock_is_the_total_ever_offered_through_versions() {
    let reward = |stock: i64| offering(json!([with(mug(), json!({ "points": 10, "stock": stock }))]));
    let desk = Desk::of(&reward(9), 1_000).await;
    for number in 0..9 {
        desk.redeem(&format!("k{number}"), "mug").await.expect(201);
    }
    refused(&desk.redeem("k9", "mug").await, 409, "reward_unavailable");
    desk.stack.publish(&reward(11)).await;
    desk.stack.set_clock("2026-11-21T10:01:00Z");
    desk.redeem("k9", "mug").await.expect(201);
    desk.redeem("k10", "mug").await.expect(201);
    refused(&desk.redeem("k11", "mug").await, 409, "reward_unavailable");
    let fewer = desk.stack.send("PUT", "/v1/program", Some(&reward(5))).await;
    assert_eq!((fewer.code(), fewer.pointers()), ("program_invalid", vec!["/rewards/0/stock"]));
    desk.balances().await;
}

#[tokio::test]
async fn a_request_needs_a_key_and_a_body_that_can_be_meant() {
    let desk = Desk::open(json!([mug()])).await;
    refused(&desk.without_key("/v1/redemptions", &desk.wish("mug")).await, 400, "idempotency_key_required");
    let wish = desk.wish("mug");
    for (body, status, pointers) in [
        (json!([]), 400, vec![""]),
        (json!({}), 400, vec!["/member", "/reward_id"]),
        (with(wish.clone(), json!({ "colour": "blue" })), 400, vec!["/colour"]),
        (with(wish.clone(), json!({ "reward_id": "a b", "points": 0 })), 400, vec!["/points", "/reward_id"]),
        (with(wish.clone(), json!({ "points": 1.5 })), 400, vec!["/points"]),
        (with(wish.clone(), json!({ "points": 400 })), 422, vec!["/points"]),
        (with(wish.clone(), json!({ "currency": "EUR" })), 422, vec!["/currency"]),
        (with(wish.clone(), json!({ "basket_total": 400 })), 422, vec!["/basket_total"]),
    ] {
        let answer = desk.send("k", &body).await;
        assert_eq!(answer.status.as_u16(), status, "{body} {}", answer.body);
        let mut got = answer.pointers();
        got.sort_unstable();
        assert_eq!(got, pointers, "{body}");
    }
    assert_eq!(desk.ledger().await, []);
}

#[tokio::test]
async fn whoever_names_the_member_by_any_identity_spends_that_members_points() {
    let desk = Desk::open(json!([mug()])).await;
    let path = format!("/v1/members/{}", desk.ada);
    let identities = json!({ "phone": "+4915112345678", "email": "ada@example.com", "card_number": "9000000001" });
    desk.stack.send("PATCH", &path, Some(&identities)).await.expect(200);
    desk.adjust(600).await;
    for (key, name) in [("p", "phone"), ("e", "email"), ("c", "card_number")] {
        let body = with(desk.wish("mug"), json!({ "member": { name: identities[name] } }));
        let body = desk.send(key, &body).await.expect(201);
        assert_eq!((&body["redemption"]["member_id"], posted(&body)), (&json!(desk.ada), vec![("redeem", -400)]));
    }
    let body = with(desk.wish("mug"), json!({ "member": { "external_id": "ada" } }));
    desk.send("x", &body).await.expect(201);
    assert_eq!(desk.has().await, (0, 0));
}
