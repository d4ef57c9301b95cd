//! Vouchers at the till.

use crate::kit::{Desk, NOW, code, id, mug, refused, seat, with};
use it::books::{dump, holds};
use serde_json::json;

#[tokio::test]
async fn a_till_is_told_what_a_code_is_worth_and_whether_it_can_be_used() {
    let off = json!({ "amount": 500, "currency": "EUR" });
    let desk = Desk::open(json!([with(mug(), json!({ "kind": "discount_amount", "amount": off }))])).await;
    let made = desk.redeem("k", "mug").await.expect(201);
    let before = dump(&desk.stack).await;
    let body = desk.look_up(&code(&made)).await.expect(200);
    assert_eq!(
        body,
        json!({ "voucher": { "redemption_id": id(&made), "reward_id": "mug", "kind": "discount_amount",
                "status": "fulfilled", "value": off, "percent": null, "valid_from": NOW,
                "expires_at": "2027-02-19T23:00:00Z", "usable": true, "because": [] } })
    );
    assert_eq!(dump(&desk.stack).await, before);
    desk.use_for(&code(&made), "O-1").await.expect(200);
    let body = desk.look_up(&code(&made)).await.expect(200);
    assert_eq!(json!([body["voucher"]["usable"], body["voucher"]["because"]]), json!([false, ["it was used already"]]));
}

#[tokio::test]
async fn a_code_is_used_once_and_the_same_order_again_gets_the_same_answer() {
    let desk = Desk::open(json!([mug()])).await;
    let made = desk.redeem("k", "mug").await.expect(201);
    let first = desk.use_for(&code(&made), "O-1").await;
    assert!(!first.replayed());
    let first = first.expect(200);
    assert_eq!(first["redemption"]["used"], json!({ "channel": "shop", "order_id": "O-1", "at": NOW }));
    assert_eq!(first["voucher"], made["voucher"]);
    desk.stack.set_clock("2026-11-22T10:00:00Z");
    let before = dump(&desk.stack).await;
    let again = desk.use_for(&code(&made), "O-1").await;
    assert!(again.replayed());
    assert_eq!(again.expect(200), first);
    refused(&desk.use_for(&code(&made), "O-2").await, 409, "voucher_used");
    let elsewhere = json!({ "code": code(&made), "channel": "web", "order_id": "O-1" });
    refused(&desk.stack.send("POST", "/v1/vouchers/redeem", Some(&elsewhere)).await, 409, "voucher_used");
    assert_eq!(dump(&desk.stack).await, before);
    // Long after its end, too.
    desk.stack.set_clock("2027-10-01T10:00:00Z");
    assert_eq!(desk.use_for(&code(&made), "O-1").await.expect(200), first);
    desk.balances().await;
}

#[tokio::test]
async fn a_code_is_read_blind_to_case_dashes_and_look_alikes() {
    let desk = Desk::open(json!([with(mug(), json!({ "points": 20 }))])).await;
    let mut looked_alike = 0;
    for number in 0..10 {
        let made = desk.redeem(&format!("k{number}"), "mug").await.expect(201);
        let code = code(&made);
        let alike = code.replace('0', "o").replace('1', "l").to_lowercase().replace('-', " ");
        looked_alike += usize::from(code.contains(['0', '1']));
        for typed in [code.clone(), code.replace('-', ""), alike, code.replace('0', "O").replace('1', "I")] {
            let found = desk.look_up(&typed).await.expect(200);
            assert_eq!(found["voucher"]["redemption_id"], id(&made), "{typed}");
        }
    }
    assert!(looked_alike > 0);
}

#[tokio::test]
async fn a_mistyped_code_is_a_422_before_anything_is_read() {
    let desk = Desk::open(json!([mug()])).await;
    let code = code(&desk.redeem("k", "mug").await.expect(201));
    let (first, second) = (code.chars().next().unwrap(), code.chars().nth(1).unwrap());
    let other = if first == '7' { '8' } else { '7' };
    let mut wrong =
        vec![code.replacen(first, &other.to_string(), 1), code[1..].to_owned(), format!("{code}0"), String::new()];
    if first != second {
        wrong.push(format!("{second}{first}{}", &code[2..]));
    }
    desk.stack.faults.reset();
    for code in wrong {
        for (path, body) in [
            ("/v1/vouchers/lookup", json!({ "code": code })),
            ("/v1/vouchers/redeem", json!({ "code": code, "channel": "shop", "order_id": "O-1" })),
        ] {
            let answer = desk.stack.send("POST", path, Some(&body)).await;
            assert_eq!((answer.status.as_u16(), answer.pointers()), (422, vec!["/code"]), "{code} {}", answer.body);
        }
    }
    assert_eq!(desk.stack.faults.meter().count(), 0);
}

#[tokio::test]
async fn unknown_expired_cancelled_used_and_not_yet_valid_each_have_their_code() {
    let desk = Desk::open(json!([
        with(mug(), json!({ "points": 10 })),
        with(mug(), json!({ "points": 10, "id": "later", "voucher_from_days": 2 })),
        with(seat(), json!({ "points": 10 })),
    ]))
    .await;
    refused(&desk.use_for("0000-0000-0000-0000-0", "O-1").await, 404, "voucher_unknown");
    refused(&desk.look_up("0000-0000-0000-0000-0").await, 404, "voucher_unknown");
    let used = desk.redeem("k1", "mug").await.expect(201);
    desk.use_for(&code(&used), "O-1").await.expect(200);
    refused(&desk.use_for(&code(&used), "O-2").await, 409, "voucher_used");
    let cancelled = desk.redeem("k2", "mug").await.expect(201);
    desk.cancel("x", &id(&cancelled)).await.expect(200);
    refused(&desk.use_for(&code(&cancelled), "O-1").await, 409, "voucher_cancelled");
    // From the first instant of the day after tomorrow.
    let later = desk.redeem("k3", "later").await.expect(201);
    assert_eq!(later["voucher"]["valid_from"], "2026-11-22T23:00:00Z");
    refused(&desk.use_for(&code(&later), "O-1").await, 409, "voucher_not_yet_valid");
    // What is only set aside is not to be had yet.
    let held = desk.redeem("k4", "seat").await.expect(201);
    refused(&desk.use_for(&code(&held), "O-1").await, 409, "voucher_not_yet_valid");
    desk.capture("c", &id(&held), json!({})).await.expect(200);
    desk.use_for(&code(&held), "O-9").await.expect(200);
    desk.stack.set_clock("2026-11-22T23:00:00Z");
    desk.use_for(&code(&later), "O-1").await.expect(200);
    let expired = desk.redeem("k5", "mug").await.expect(201);
    desk.stack.set_clock("2027-02-21T22:59:59.999Z");
    assert_eq!(desk.look_up(&code(&expired)).await.expect(200)["voucher"]["usable"], true);
    desk.stack.set_clock("2027-02-21T23:00:00Z");
    let answer = desk.use_for(&code(&expired), "O-1").await;
    refused(&answer, 409, "voucher_expired");
    assert!(answer.body["detail"].as_str().unwrap().contains("2027-02-21T23:00:00Z"), "{}", answer.body);
    for (made, usable) in [(&used, false), (&cancelled, false), (&later, false), (&expired, false)] {
        assert_eq!(desk.look_up(&code(made)).await.expect(200)["voucher"]["usable"], usable);
    }
    desk.balances().await;
}

#[tokio::test]
async fn a_code_is_nowhere_in_the_table() {
    let desk = Desk::open(json!([mug()])).await;
    let code = code(&desk.redeem("k", "mug").await.expect(201));
    desk.use_for(&code, "O-1").await.expect(200);
    for spelled in [code.clone(), code.replace('-', ""), code.to_lowercase()] {
        assert!(!holds(&desk.stack, spelled.as_bytes()).await);
    }
}

#[tokio::test]
async fn what_a_till_sends_must_be_whole() {
    let desk = Desk::open(json!([mug()])).await;
    for (path, body, pointers) in [
        ("lookup", json!({}), vec!["/code"]),
        ("lookup", json!({ "code": 7 }), vec!["/code"]),
        ("redeem", json!({ "code": "0000-0000-0000-0000-0" }), vec!["/channel", "/order_id"]),
        (
            "redeem",
            json!({ "code": "0000-0000-0000-0000-0", "channel": "a b", "order_id": "..", "x": 1 }),
            vec!["/channel", "/order_id", "/x"],
        ),
    ] {
        let answer = desk.stack.send("POST", &format!("/v1/vouchers/{path}"), Some(&body)).await;
        let mut got = answer.pointers();
        got.sort_unstable();
        assert_eq!((answer.status.as_u16(), got), (400, pointers), "{}", answer.body);
    }
}
