//! The same request again: what was carried out is told again, and nothing is done twice.

use crate::kit::{Desk, NOW, code, id, left, mug, offering, pay, posted, refused, seat, with};
use it::books::dump;
use it::stack::{STAFF, claims};
use serde_json::json;

#[tokio::test]
async fn the_same_key_and_content_tells_the_first_answer_and_the_account_of_now() {
    let desk = Desk::open(json!([mug(), pay()])).await;
    for (key, body) in [("k1", desk.wish("mug")), ("k2", desk.payment(500))] {
        let first = desk.send(key, &body).await.expect(201);
        desk.adjust(7).await;
        desk.stack.advance(jiff::SignedDuration::from_secs(1));
        let before = dump(&desk.stack).await;
        let again = desk.send(key, &body).await;
        assert_eq!(again.headers["idempotency-replayed"], "true");
        let again = again.expect(201);
        for part in ["redemption", "voucher", "entries"] {
            assert_eq!(again[part], first[part], "{part}");
        }
        let (available, held) = left(&first);
        assert_eq!(left(&again), (available + 7, held));
        assert_eq!(dump(&desk.stack).await, before);
    }
    desk.balances().await;
}

#[tokio::test]
async fn a_retry_of_a_redemption_that_emptied_the_balance_replays() {
    let desk = Desk::of(&offering(json!([mug(), with(seat(), json!({ "points": 400 }))])), 400).await;
    for reward in ["mug", "seat"] {
        desk.stack.advance(jiff::SignedDuration::from_secs(1));
        let first = desk.redeem(reward, reward).await.expect(201);
        let again = desk.redeem(reward, reward).await;
        assert!(again.replayed());
        assert_eq!(again.expect(201)["redemption"], first["redemption"]);
        refused(&desk.redeem("other", reward).await, 409, "insufficient_points");
        desk.adjust(400).await;
    }
}

#[tokio::test]
async fn a_retry_replays_though_stock_limit_and_reward_are_gone() {
    let last = with(mug(), json!({ "stock": 1, "limit": { "times": 1, "per": "ever" } }));
    let desk = Desk::open(json!([last])).await;
    let first = desk.redeem("k", "mug").await.expect(201);
    desk.stack.publish(&offering(json!([]))).await;
    desk.stack.set_clock("2026-12-01T10:00:00Z");
    let again = desk.redeem("k", "mug").await;
    assert!(again.replayed());
    assert_eq!(again.expect(201)["voucher"], first["voucher"]);
}

#[tokio::test]
async fn the_same_key_with_other_content_is_refused() {
    let desk = Desk::open(json!([mug(), pay()])).await;
    desk.send("k", &desk.payment(300)).await.expect(201);
    let before = dump(&desk.stack).await;
    for other in [
        desk.payment(301),
        with(desk.payment(300), json!({ "basket_total": 1_000 })),
        with(desk.payment(300), json!({ "member": { "external_id": "ada" } })),
        desk.wish("mug"),
    ] {
        refused(&desk.send("k", &other).await, 422, "idempotency_mismatch");
    }
    assert_eq!(dump(&desk.stack).await, before);
}

#[tokio::test]
async fn a_key_is_its_callers_own() {
    let desk = Desk::open(json!([with(mug(), json!({ "points": 100 }))])).await;
    let first = desk.redeem("k", "mug").await.expect(201);
    let mut other = claims(STAFF);
    other.insert("sub".to_owned(), "till-2".to_owned());
    let body = desk.wish("mug").to_string().into_bytes();
    let headers = [("idempotency-key", "k")];
    let second = desk.stack.send_as(&other, "POST", "/v1/redemptions", &headers, Some(body)).await;
    assert!(!second.replayed());
    assert_ne!(id(&second.expect(201)), id(&first));
    assert_eq!(desk.has().await, (800, 0));
}

#[tokio::test]
async fn a_redemption_is_told_as_it_was_made_whatever_became_of_it() {
    let desk = Desk::open(json!([pay(), mug()])).await;
    let held = desk.send("k1", &desk.payment(200)).await.expect(201);
    desk.capture("c", &id(&held), json!({ "points": 50 })).await.expect(200);
    let fulfilled = desk.redeem("k2", "mug").await.expect(201);
    desk.use_for(&code(&fulfilled), "O-1").await.expect(200);
    for (again, first) in
        [(desk.send("k1", &desk.payment(200)).await, held), (desk.redeem("k2", "mug").await, fulfilled)]
    {
        assert!(again.replayed());
        let again = again.expect(201);
        assert_eq!((&again["redemption"], &again["entries"]), (&first["redemption"], &first["entries"]));
    }
}

#[tokio::test]
async fn a_capture_sent_again_with_its_key_replays_and_another_one_is_told_that_it_is_too_late() {
    let desk = Desk::open(json!([pay()])).await;
    let redemption = id(&desk.send("k", &desk.payment(500)).await.expect(201));
    let first = desk.capture("c", &redemption, json!({})).await;
    assert!(!first.replayed());
    let first = first.expect(200);
    let before = dump(&desk.stack).await;
    let again = desk.capture("c", &redemption, json!({})).await;
    assert!(again.replayed());
    assert_eq!(again.expect(200), first);
    refused(&desk.capture("c", &redemption, json!({ "points": 500 })).await, 422, "idempotency_mismatch");
    refused(&desk.cancel("c", &redemption).await, 422, "idempotency_mismatch");
    let other = desk.capture("d", &redemption, json!({})).await;
    refused(&other, 409, "redemption_fulfilled");
    assert_eq!(other.body["status"], 409);
    assert_eq!(dump(&desk.stack).await, before);
    assert_eq!(desk.ledger().await, [("hold".to_owned(), -500), ("redeem".to_owned(), 0)]);
}

#[tokio::test]
async fn a_cancellation_sent_again_with_its_key_replays() {
    let desk = Desk::open(json!([pay(), mug()])).await;
    for body in [desk.payment(500), desk.wish("mug")] {
        let reward = body["reward_id"].as_str().unwrap();
        let redemption = id(&desk.send(reward, &body).await.expect(201));
        let first = desk.cancel("c", &redemption).await.expect(200);
        let again = desk.cancel("c", &redemption).await;
        assert!(again.replayed());
        assert_eq!(again.expect(200), first);
        refused(&desk.capture("c", &redemption, json!({})).await, 422, "idempotency_mismatch");
        refused(&desk.cancel("d", &redemption).await, 409, "redemption_cancelled");
        refused(&desk.capture("d", &redemption, json!({})).await, 409, "redemption_cancelled");
    }
    assert_eq!(desk.has().await, (1_000, 0));
}

/// The facts of the first answer, not those of what came after.
#[tokio::test]
async fn a_capture_is_told_as_it_was_though_it_was_called_off_or_used_since() {
    let desk = Desk::open(json!([pay(), seat()])).await;
    let paid = id(&desk.send("k1", &desk.payment(400)).await.expect(201));
    let captured = desk.capture("c1", &paid, json!({ "points": 150 })).await.expect(200);
    let cancelled = desk.cancel("x1", &paid).await.expect(200);
    assert_eq!(cancelled["redemption"]["status"], "cancelled");
    let again = desk.capture("c1", &paid, json!({ "points": 150 })).await;
    assert!(again.replayed());
    let again = again.expect(200);
    assert_eq!((&again["redemption"], &again["entries"]), (&captured["redemption"], &captured["entries"]));
    assert_eq!(left(&again), (1_000, 0));

    let seat = desk.redeem("k2", "seat").await.expect(201);
    let captured = desk.capture("c2", &id(&seat), json!({})).await.expect(200);
    desk.use_for(&code(&seat), "O-1").await.expect(200);
    let again = desk.capture("c2", &id(&seat), json!({})).await.expect(200);
    assert_eq!((&again["redemption"], &again["entries"]), (&captured["redemption"], &captured["entries"]));
    let again = desk.cancel("x1", &paid).await.expect(200);
    assert_eq!((&again["redemption"], &again["entries"]), (&cancelled["redemption"], &cancelled["entries"]));
}

#[tokio::test]
async fn a_replay_after_lapsing_says_that_it_lapsed() {
    let desk = Desk::open(json!([pay()])).await;
    let first = desk.send("k", &desk.payment(500)).await.expect(201);
    assert_eq!(first["redemption"]["created_at"], NOW);
    desk.stack.set_clock("2026-11-21T10:30:00Z");
    let again = desk.send("k", &desk.payment(500)).await;
    assert!(again.replayed());
    let again = again.expect(201);
    assert_eq!(again["redemption"]["status"], "lapsed");
    assert_eq!((posted(&again), left(&again)), (vec![("hold", -500)], (1_000, 0)));
}
