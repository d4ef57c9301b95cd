//! What a member's own token may do: redeem for oneself, see one's own, call off what is held.

use crate::kit::{Desk, code, id, mug, own, pay, refused, seat, with};
use it::books::dump;
use it::stack::{Answered, STAFF};
use serde_json::{Value, json};
use std::collections::HashMap;

const NOBODY: &str = "mbr_00000000000000000000000000";
const NOTHING: &str = "red_00000000000000000000000000";

async fn send(desk: &Desk, claims: &HashMap<String, String>, path: &str, body: Option<&Value>) -> Answered {
    send_keyed(desk, claims, "own", path, body).await
}

async fn send_keyed(
    desk: &Desk,
    claims: &HashMap<String, String>,
    key: &str,
    path: &str,
    body: Option<&Value>,
) -> Answered {
    let method = if body.is_some() { "POST" } else { "GET" };
    let body = body.map(|body| body.to_string().into_bytes());
    desk.stack.send_as(claims, method, path, &[("idempotency-key", key)], body).await
}

/// The answer without what is different in each.
fn anonymous(mut answer: Answered) -> Value {
    answer.body["request_id"] = Value::Null;
    answer.body
}

#[tokio::test]
async fn a_member_redeems_for_oneself_however_named_and_sees_ones_own() {
    let desk = Desk::open(json!([with(mug(), json!({ "points": 10 }))])).await;
    let mut by_sub = own(&desk.ada);
    by_sub.remove("member_id");
    by_sub.insert("sub".to_owned(), "ada".to_owned());
    for (key, claims) in [("1", own(&desk.ada)), ("2", by_sub)] {
        let made = send_keyed(&desk, &claims, key, "/v1/redemptions", Some(&desk.wish("mug"))).await;
        assert!(!made.replayed());
        let made = made.expect(201);
        assert_eq!(made["entries"][0]["actor"], claims["sub"].as_str());
        assert!(send_keyed(&desk, &claims, key, "/v1/redemptions", Some(&desk.wish("mug"))).await.replayed());
        for path in [
            format!("/v1/redemptions/{}", id(&made)),
            format!("/v1/redemptions/{}/qr.svg", id(&made)),
            format!("/v1/members/{}/redemptions", desk.ada),
            format!("/v1/members/{}/rewards", desk.ada),
        ] {
            send(&desk, &claims, &path, None).await.expect(200);
        }
        assert_eq!(
            send(&desk, &claims, &format!("/v1/redemptions/{}", id(&made)), None).await.body,
            desk.redemption(&id(&made)).await
        );
    }
    let by_name = with(desk.wish("mug"), json!({ "member": { "external_id": "ada" } }));
    send_keyed(&desk, &own(&desk.ada), "by-name", "/v1/redemptions", Some(&by_name)).await.expect(201);
    assert_eq!(desk.has().await, (970, 0));
}

#[tokio::test]
async fn the_key_of_a_members_own_token_is_the_members_whatever_the_token_calls_itself() {
    let desk = Desk::open(json!([with(mug(), json!({ "points": 10 }))])).await;
    let bob = desk.stack.enrol("bob").await;
    let body = json!({ "member": { "member_id": bob }, "points": 100, "reason": "goodwill" });
    desk.stack.send_keyed("b", "POST", "/v1/adjustments", &body).await.expect(201);
    let made = send(&desk, &own(&desk.ada), "/v1/redemptions", Some(&desk.wish("mug"))).await.expect(201);
    // Another token of hers, refreshed meanwhile.
    let mut refreshed = own(&desk.ada);
    refreshed.insert("sub".to_owned(), "device-2".to_owned());
    let again = send(&desk, &refreshed, "/v1/redemptions", Some(&desk.wish("mug"))).await;
    assert!(again.replayed());
    assert_eq!(id(&again.expect(201)), id(&made));
    // Bob's token calls itself the same, and his app chose the same key.
    let wish = json!({ "member": { "member_id": bob }, "reward_id": "mug" });
    let others = send(&desk, &own(&bob), "/v1/redemptions", Some(&wish)).await;
    assert!(!others.replayed());
    assert_ne!(id(&others.expect(201)), id(&made));
}

#[tokio::test]
async fn another_member_is_a_403_the_same_whether_or_not_the_thing_exists() {
    let desk = Desk::open(json!([mug(), pay()])).await;
    let bob = desk.stack.enrol("bob").await;
    let made = id(&desk.redeem("k1", "mug").await.expect(201));
    let held = id(&desk.send("k2", &desk.payment(100)).await.expect(201));
    let before = dump(&desk.stack).await;
    for more in ["self", &format!("self {STAFF}")] {
        let mut claims = own(&bob);
        claims.insert("scope".to_owned(), more.to_owned());
        let wish = |member: Value| json!({ "member": member, "reward_id": "mug" });
        let nobody =
            anonymous(send(&desk, &claims, "/v1/redemptions", Some(&wish(json!({ "member_id": NOBODY })))).await);
        assert_eq!((&nobody["status"], &nobody["code"]), (&json!(403), &json!("forbidden")));
        for member in
            [json!({ "member_id": desk.ada }), json!({ "external_id": "ada" }), json!({ "external_id": "nobody" })]
        {
            assert_eq!(anonymous(send(&desk, &claims, "/v1/redemptions", Some(&wish(member))).await), nobody);
        }
        for redemption in [made.as_str(), &held, NOTHING, "red_1", "%00"] {
            for rest in ["", "/qr.svg"] {
                let path = format!("/v1/redemptions/{redemption}{rest}");
                assert_eq!(anonymous(send(&desk, &claims, &path, None).await), nobody, "{path}");
            }
            for rest in ["/cancel", "/capture"] {
                let path = format!("/v1/redemptions/{redemption}{rest}");
                assert_eq!(anonymous(send(&desk, &claims, &path, Some(&json!({}))).await), nobody, "{path}");
            }
        }
        for member in [desk.ada.as_str(), NOBODY, "mbr_1"] {
            for list in ["rewards", "redemptions"] {
                assert_eq!(
                    anonymous(send(&desk, &claims, &format!("/v1/members/{member}/{list}"), None).await),
                    nobody
                );
            }
        }
    }
    assert_eq!(dump(&desk.stack).await, before);
}

#[tokio::test]
async fn a_member_calls_off_ones_own_hold_and_nothing_that_is_fulfilled() {
    let desk = Desk::open(json!([mug(), pay(), seat()])).await;
    let claims = own(&desk.ada);
    let cancel = async |redemption: &str| {
        send(&desk, &claims, &format!("/v1/redemptions/{redemption}/cancel"), Some(&json!({}))).await
    };
    let held = id(&desk.send("k1", &desk.payment(100)).await.expect(201));
    let first = cancel(&held).await.expect(200);
    assert_eq!(first["redemption"]["status"], "cancelled");
    let again = cancel(&held).await;
    assert!(again.replayed());
    assert_eq!(again.expect(200), first);

    let fulfilled = id(&desk.redeem("k2", "mug").await.expect(201));
    refused(&cancel(&fulfilled).await, 403, "forbidden");
    let captured = id(&desk.redeem("k3", "seat").await.expect(201));
    desk.capture("c", &captured, json!({})).await.expect(200);
    refused(&cancel(&captured).await, 403, "forbidden");
    refused(&cancel(NOTHING).await, 403, "forbidden");
    let lapsing = id(&desk.send("k4", &desk.payment(100)).await.expect(201));
    desk.stack.set_clock("2026-11-21T10:30:00Z");
    refused(&cancel(&lapsing).await, 409, "redemption_lapsed");
    desk.balances().await;
}

#[tokio::test]
async fn a_member_captures_nothing_and_uses_no_voucher_and_looks_none_up() {
    let desk = Desk::open(json!([mug(), pay()])).await;
    let claims = own(&desk.ada);
    let made = desk.redeem("k1", "mug").await.expect(201);
    let held = id(&desk.send("k2", &desk.payment(100)).await.expect(201));
    let code = code(&made);
    for (path, body) in [
        (format!("/v1/redemptions/{held}/capture"), json!({})),
        ("/v1/vouchers/lookup".to_owned(), json!({ "code": code })),
        ("/v1/vouchers/redeem".to_owned(), json!({ "code": code, "channel": "shop", "order_id": "O-1" })),
    ] {
        refused(&send(&desk, &claims, &path, Some(&body)).await, 403, "forbidden");
    }
    refused(&send(&desk, &claims, "/v1/rewards", None).await, 403, "forbidden");
    assert_eq!(desk.status(&held).await, "held");
}

#[tokio::test]
async fn nothing_crosses_programs() {
    let desk = Desk::open(json!([mug()])).await;
    let made = desk.redeem("k", "mug").await.expect(201);
    let mut elsewhere = it::stack::claims(STAFF);
    elsewhere.insert("program".to_owned(), "club".to_owned());
    let program = crate::kit::offering(json!([mug()])).to_string().into_bytes();
    desk.stack.send_as(&elsewhere, "PUT", "/v1/program", &[], Some(program)).await.expect(201);
    for (path, body) in [
        (format!("/v1/redemptions/{}", id(&made)), None),
        (format!("/v1/redemptions/{}/qr.svg", id(&made)), None),
        (format!("/v1/members/{}/redemptions", desk.ada), None),
        (format!("/v1/members/{}/rewards", desk.ada), None),
        (format!("/v1/redemptions/{}/cancel", id(&made)), Some(json!({}))),
        (format!("/v1/redemptions/{}/capture", id(&made)), Some(json!({}))),
        ("/v1/vouchers/lookup".to_owned(), Some(json!({ "code": code(&made) }))),
        ("/v1/redemptions".to_owned(), Some(desk.wish("mug"))),
    ] {
        let answer = send(&desk, &elsewhere, &path, body.as_ref()).await;
        assert_eq!(answer.status, 404, "{path}: {}", answer.body);
    }
}
