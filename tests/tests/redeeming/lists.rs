//! A member's list of redemptions, each with its voucher.

use crate::kit::{Desk, id, mug, pay, refused, with};
use serde_json::{Value, json};

async fn page(desk: &Desk, query: &str) -> (Vec<String>, Value) {
    let path = format!("/v1/members/{}/redemptions{query}", desk.ada);
    let body = desk.stack.send("GET", &path, None).await.expect(200);
    (body["redemptions"].as_array().unwrap().iter().map(id).collect(), body["next_cursor"].clone())
}

/// A desk where Ada redeemed so many times, between other entries; the redemptions, newest first.
async fn busy(times: usize) -> (Desk, Vec<String>) {
    let desk = Desk::open(json!([with(mug(), json!({ "points": 10 })), pay()])).await;
    let mut made = Vec::new();
    for number in 0..times {
        if number % 3 == 0 {
            desk.stack.advance(jiff::SignedDuration::from_secs(1));
            desk.adjust(1).await;
        }
        let body = if number % 2 == 0 { desk.wish("mug") } else { desk.payment(10) };
        made.insert(0, id(&desk.send(&format!("k{number}"), &body).await.expect(201)));
        if number % 4 == 1 {
            desk.capture("c", &made[0], json!({ "points": 5 })).await.expect(200);
        }
    }
    (desk, made)
}

#[tokio::test]
async fn the_list_is_newest_first_and_shows_what_each_alone_shows() {
    let (desk, made) = busy(7).await;
    let (listed, next) = page(&desk, "").await;
    assert_eq!((listed, next), (made.clone(), Value::Null));
    let body = desk.stack.send("GET", &format!("/v1/members/{}/redemptions", desk.ada), None).await.expect(200);
    for (listed, made) in body["redemptions"].as_array().unwrap().iter().zip(&made) {
        assert_eq!(*listed, desk.redemption(made).await);
    }
}

#[tokio::test]
async fn pages_of_any_size_give_every_redemption_once() {
    let (desk, made) = busy(13).await;
    for limit in [1, 2, 5, 12, 13, 14, 100] {
        let (mut all, mut query) = (Vec::new(), format!("?limit={limit}"));
        for _ in 0..40 {
            let (listed, next) = page(&desk, &query).await;
            assert!(listed.len() <= limit);
            all.extend(listed);
            match next.as_str() {
                Some(next) => query = format!("?limit={limit}&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(all, made, "{limit}");
    }
}

#[tokio::test]
async fn what_is_made_meanwhile_does_not_shift_the_pages() {
    let (desk, made) = busy(6).await;
    let (first, next) = page(&desk, "?limit=3").await;
    desk.redeem("later", "mug").await.expect(201);
    let (second, end) = page(&desk, &format!("?limit=3&cursor={}", next.as_str().unwrap())).await;
    assert_eq!([first, second].concat(), made);
    assert!(end.is_null() || page(&desk, &format!("?cursor={}", end.as_str().unwrap())).await.0.is_empty());
}

#[tokio::test]
async fn a_long_ledger_without_redemptions_is_walked_in_pages_that_may_be_short() {
    let desk = Desk::of(&crate::kit::offering(json!([with(mug(), json!({ "points": 10 }))])), 100).await;
    let oldest = id(&desk.redeem("k", "mug").await.expect(201));
    for number in 0..520 {
        let body = desk.stack.purchase(&format!("A-{number}"), &desk.ada, 100);
        desk.stack.send("POST", "/v1/purchases", Some(&body)).await.expect(201);
    }
    let newest = id(&desk.redeem("k2", "mug").await.expect(201));
    let (mut all, mut query) = (Vec::new(), String::new());
    for _ in 0..5 {
        let (listed, next) = page(&desk, &query).await;
        all.extend(listed);
        match next.as_str() {
            Some(next) => query = format!("?cursor={next}"),
            None => break,
        }
    }
    assert_eq!(all, [newest, oldest]);
}

#[tokio::test]
async fn a_cursor_is_of_one_list_and_cannot_be_altered() {
    let (desk, _) = busy(4).await;
    let bob = desk.stack.enrol("bob").await;
    let (_, next) = page(&desk, "?limit=1").await;
    let cursor = next.as_str().unwrap();
    let altered = format!("{}{}", if cursor.starts_with('A') { 'B' } else { 'A' }, &cursor[1..]);
    let ledger = desk.stack.send("GET", &format!("/v1/members/{}/ledger?limit=1", desk.ada), None).await.expect(200);
    for (of, cursor) in [
        (&bob, cursor),
        (&desk.ada, altered.as_str()),
        (&desk.ada, "x"),
        (&desk.ada, ledger["next_cursor"].as_str().unwrap()),
    ] {
        let path = format!("/v1/members/{of}/redemptions?cursor={cursor}");
        refused(&desk.stack.send("GET", &path, None).await, 400, "cursor_invalid");
    }
    for query in ["limit=0", "limit=101", "limit=x", "limit=1&limit=2", "status=held"] {
        let path = format!("/v1/members/{}/redemptions?{query}", desk.ada);
        refused(&desk.stack.send("GET", &path, None).await, 400, "malformed");
    }
}

#[tokio::test]
async fn a_member_without_redemptions_has_an_empty_list_and_nobody_has_none() {
    let desk = Desk::open(json!([])).await;
    assert_eq!(page(&desk, "").await, (vec![], Value::Null));
    for nobody in ["mbr_00000000000000000000000000", "mbr_1"] {
        let path = format!("/v1/members/{nobody}/redemptions");
        refused(&desk.stack.send("GET", &path, None).await, 404, "member_unknown");
    }
    refused(
        &desk.stack.send("GET", "/v1/redemptions/red_00000000000000000000000000", None).await,
        404,
        "redemption_unknown",
    );
}
