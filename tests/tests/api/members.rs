//! Looking up, reading, pausing.

use crate::kit::{claims_of, dump, is_problem, is_refused_at, names};
use it::stack::{STAFF, Stack, example_program, plain_program};
use jiff::SignedDuration;
use serde_json::{Value, json};

const NOW: &str = "2026-11-21T10:00:00Z";

async fn lookup(stack: &Stack, reference: Value) -> it::stack::Answered {
    stack.send("POST", "/v1/members/lookup", Some(&reference)).await
}

#[tokio::test]
async fn a_member_is_found_by_every_way_of_naming_one() {
    let stack = Stack::with_program(NOW, &plain_program()).await;
    let body = json!({ "external_id": "crm-1", "email": "ada@example.com", "phone": "+4915112345678",
                       "card_number": "9000000001", "given_name": "Ada", "family_name": "Lovelace" });
    let enrolled = stack.send("POST", "/v1/members", Some(&body)).await.expect(201);
    let id = &enrolled["member"]["member_id"];
    for reference in [
        json!({ "member_id": id }),
        json!({ "external_id": "crm-1" }),
        json!({ "email": "ADA@example.com" }),
        json!({ "phone": "+4915112345678" }),
        json!({ "card_number": "9000000001" }),
    ] {
        let found = lookup(&stack, reference).await.expect(200);
        // Enough for a till, and no more.
        let expected = json!({ "member_id": id, "status": "active", "given_name": "Ada", "level": "green" });
        assert_eq!(found, json!({ "member": expected }));
    }
}

#[tokio::test]
async fn the_level_looked_up_is_that_of_now() {
    let stack = Stack::with_program("2026-12-31T12:00:00Z", &plain_program()).await;
    let member = stack.enrol("m").await;
    stack.send("POST", "/v1/purchases", Some(&stack.purchase("A-1", &member, 50_000))).await.expect(201);
    let level = async || lookup(&stack, json!({ "member_id": member })).await.expect(200)["member"]["level"].clone();
    assert_eq!(level().await, "gold");
    // Nothing was earned in the next period, so the level ends with it, and no schedule has run.
    stack.set_clock("2028-01-02T00:00:00Z");
    assert_eq!(level().await, "green");
}

#[tokio::test]
async fn more_than_30_unknown_look_ups_in_a_minute_are_429_for_this_caller_alone() {
    let stack = Stack::with_program(NOW, &plain_program()).await;
    stack.enrol("known").await;
    let unknown = |number: u32| json!({ "phone": format!("+4915100000{number:03}") });
    for number in 0..30 {
        lookup(&stack, json!({ "external_id": "known" })).await.expect(200);
        let answer = lookup(&stack, unknown(number)).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (404, "member_unknown"), "{number}");
    }
    let before = dump(&stack).await;
    let refused = lookup(&stack, unknown(30)).await;
    is_problem(&refused, "the 31st");
    assert_eq!((refused.status.as_u16(), refused.code()), (429, "too_many_requests"));
    let wait: u32 = refused.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait));
    // A guesser must not be able to tell any more who is known.
    assert_eq!(lookup(&stack, json!({ "external_id": "known" })).await.status, 429);
    let other = claims_of("till-2", "main", STAFF);
    let body = unknown(31).to_string().into_bytes();
    assert_eq!(stack.send_as(&other, "POST", "/v1/members/lookup", &[], Some(body)).await.status, 404);
    assert_eq!(dump(&stack).await.len(), before.len() + 1, "the other caller's own count");
    stack.advance(SignedDuration::from_secs(60));
    lookup(&stack, json!({ "external_id": "known" })).await.expect(200);
    assert_eq!(lookup(&stack, unknown(32)).await.status, 404);
}

#[tokio::test]
async fn unknown_look_ups_sent_at_once_do_not_slip_past_the_limit() {
    let stack = Stack::with_program(NOW, &plain_program()).await;
    let mut running = tokio::task::JoinSet::new();
    for number in 0..60 {
        let stack = stack.clone();
        running
            .spawn(async move { lookup(&stack, json!({ "card_number": number.to_string() })).await.status.as_u16() });
    }
    let statuses = running.join_all().await;
    assert_eq!(statuses.iter().filter(|status| **status == 404).count(), 30, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 30, "{statuses:?}");
}

#[tokio::test]
async fn nothing_personal_of_an_unknown_look_up_is_kept() {
    let stack = Stack::with_program(NOW, &plain_program()).await;
    assert_eq!(lookup(&stack, json!({ "email": "nobody@example.com" })).await.status, 404);
    let all = crate::kit::bytes(&stack).await;
    assert!(!crate::kit::holds(&all, "nobody@"));
}

#[tokio::test]
async fn a_reference_names_a_member_in_exactly_one_way() {
    let stack = Stack::with_program(NOW, &plain_program()).await;
    for (reference, pointers) in [
        (json!({}), &[""][..]),
        (json!({ "phone": "+4915112345678", "email": "a@example.com" }), &[""]),
        (json!({ "member_id": "mbr_1" }), &["/member_id"]),
        (json!({ "member_id": "mbr_01arz3ndektsv4rrffq69g5fav" }), &["/member_id"]),
        (json!({ "phone": "4915112345678" }), &["/phone"]),
        (json!({ "name": "Ada" }), &["/name"]),
        (json!([]), &[""]),
    ] {
        is_refused_at(&lookup(&stack, reference.clone()).await, pointers, &reference.to_string());
    }
}

#[tokio::test]
async fn an_account_has_exactly_the_fields_of_the_contract() {
    let mut program = example_program();
    program["points"]["pending_days"] = json!(7);
    let stack = Stack::with_program(NOW, &program).await;
    let member = stack.enrol("m").await;
    let adjust = json!({ "member": { "member_id": member }, "points": 120, "reason": "goodwill" });
    stack.send_keyed("k", "POST", "/v1/adjustments", &adjust).await.expect(201);
    let account = stack.account(&member).await;
    assert_eq!(
        account,
        json!({
            "member_id": member, "version": 2, "as_of": NOW,
            "points": { "available": 120, "pending": 50, "held": 0, "debt": 0 },
            "lifetime": { "earned": 50, "adjusted": 120, "redeemed": 0, "expired": 0, "clawed_back": 0 },
            "lots": [
                { "points": 120, "activates_at": null, "expires_at": "2027-11-30T23:00:00Z" },
                { "points": 50, "activates_at": "2026-11-27T23:00:00Z", "expires_at": "2027-11-30T23:00:00Z" },
            ],
            "next_expiry": { "points": 170, "at": "2027-11-30T23:00:00Z" },
            "tier": { "level": "green", "since": NOW, "until": null, "qualifying_units": 50,
                      "next": { "level": "gold", "missing_units": 450 }, "benefits": [] },
        })
    );
    let before = dump(&stack).await;
    stack.set_clock("2027-12-01T00:00:00Z");
    let later = stack.account(&member).await;
    assert_eq!((&later["as_of"], &later["points"]["pending"]), (&json!("2027-12-01T00:00:00Z"), &json!(0)));
    assert_eq!(dump(&stack).await, before, "a read shows what is true and writes nothing");
}

#[tokio::test]
async fn lots_that_never_expire_and_the_highest_level_say_null() {
    let mut program = plain_program();
    program["points"]["expiry"] = json!("never");
    let stack = Stack::with_program(NOW, &program).await;
    let member = stack.enrol("m").await;
    stack.send("POST", "/v1/purchases", Some(&stack.purchase("A-1", &member, 60_000))).await.expect(201);
    let account = stack.account(&member).await;
    assert_eq!(account["lots"], json!([{ "points": 600, "activates_at": null, "expires_at": null }]));
    assert_eq!((&account["next_expiry"], &account["tier"]["next"]), (&Value::Null, &Value::Null));
    assert_eq!(
        (&account["tier"]["level"], &account["tier"]["until"]),
        (&json!("gold"), &json!("2027-12-31T23:00:00Z"))
    );
    assert_eq!(names(&account["tier"]), ["benefits", "level", "next", "qualifying_units", "since", "until"]);
}

#[tokio::test]
async fn a_deactivated_member_earns_nothing_while_refunds_and_replays_go_on() {
    let stack = Stack::with_program(NOW, &plain_program()).await;
    let member = stack.enrol("m").await;
    let purchase = stack.purchase("A-1", &member, 5_000);
    let adjustment = json!({ "member": { "member_id": member }, "points": 5, "reason": "goodwill" });
    stack.send("POST", "/v1/purchases", Some(&purchase)).await.expect(201);
    stack.send_keyed("k1", "POST", "/v1/adjustments", &adjustment).await.expect(201);
    let path = format!("/v1/members/{member}");
    let paused = stack.send("POST", &format!("{path}/deactivate"), None).await.expect(200);
    assert_eq!(paused["member"]["status"], "deactivated");
    assert_eq!(stack.send("GET", &path, None).await.expect(200)["member"]["status"], "deactivated");
    assert_eq!(lookup(&stack, json!({ "member_id": member })).await.expect(200)["member"]["status"], "deactivated");

    let before = dump(&stack).await;
    for refused in [
        stack.send("POST", "/v1/purchases", Some(&stack.purchase("A-2", &member, 100))).await,
        stack.send("POST", "/v1/purchases/quote", Some(&stack.purchase("A-2", &member, 100))).await,
        stack.send_keyed("k2", "POST", "/v1/adjustments", &adjustment).await,
    ] {
        assert_eq!((refused.status.as_u16(), refused.code()), (409, "member_deactivated"));
    }
    assert!(stack.send("POST", "/v1/purchases", Some(&purchase)).await.replayed());
    assert!(stack.send_keyed("k1", "POST", "/v1/adjustments", &adjustment).await.replayed());
    // Once more is no change, and no failure either.
    stack.send("POST", &format!("{path}/deactivate"), None).await.expect(200);
    assert_eq!(dump(&stack).await, before);

    let refund = json!({ "refund_id": "R-1", "occurred_at": NOW, "lines": [{ "line_id": "1", "quantity": 1 }] });
    stack.send("POST", "/v1/purchases/web/A-1/refunds", Some(&refund)).await.expect(201);
    assert_eq!(stack.account(&member).await["points"]["available"], 5);
    assert_eq!(stack.send("POST", &format!("{path}/reactivate"), None).await.expect(200)["member"]["status"], "active");
    stack.send("POST", "/v1/purchases", Some(&stack.purchase("A-2", &member, 100))).await.expect(201);
    crate::kit::books_balance(&stack, &member).await;
}

#[tokio::test]
async fn what_is_no_member_is_a_404_everywhere() {
    let stack = Stack::with_program(NOW, &plain_program()).await;
    for id in ["mbr_00000000000000000000000000", "mbr_1", "x", "mbr_80000000000000000000000000"] {
        for (method, rest, body) in [
            ("GET", "", None),
            ("PATCH", "", Some(json!({ "given_name": "A" }))),
            ("DELETE", "", None),
            ("POST", "/deactivate", None),
            ("POST", "/reactivate", None),
            ("GET", "/account", None),
            ("GET", "/ledger", None),
            ("GET", "/export", None),
        ] {
            let answer = stack.send(method, &format!("/v1/members/{id}{rest}"), body.as_ref()).await;
            is_problem(&answer, rest);
            assert_eq!((answer.status.as_u16(), answer.code()), (404, "member_unknown"), "{method} {id}{rest}");
        }
    }
}
