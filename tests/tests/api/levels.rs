//! `POST /v1/members/{member_id}/level`: levels that operators lend; levels that are paid for, benefits and entry bonuses.

use crate::activities::{program_with, tell};
use crate::kit::{dump, is_problem, is_refused_at, names, with};
use it::books::must_balance;
use it::stack::{Answered, STAFF, Stack, claims, plain_program};
use serde_json::{Value, json};

const NOW: &str = "2026-11-21T10:00:00Z";

/// Levels with benefits, one with an entry bonus, one that is only granted; a subscription and a bonus day.
fn program() -> Value {
    let mut program = program_with(&[
        json!({ "id": "subscription", "on": "activity", "activity": "paid_month", "grants": { "tier": "plus", "days": 30 } }),
        json!({ "id": "book", "on": "activity", "activity": "bonus_day", "grants": { "tag": "bonus-day", "days": 1, "on": "day" } }),
        json!({ "id": "on-bonus-day", "on": "purchase", "when": { "tag": ["bonus-day"] }, "award": { "points": 11 } }),
    ]);
    program["tiers"]["levels"] = json!([
        { "id": "green", "from": 0 },
        { "id": "gold", "from": 500, "multiply": "2", "entry_bonus": 20,
          "benefits": [{ "key": "free_shipping", "text": "We ship for free" }, { "text": "A cake" }] },
        { "id": "plus", "multiply": "3", "benefits": [{ "key": "early_access" }] },
    ]);
    program
}

async fn open() -> (Stack, String) {
    let stack = Stack::with_program(NOW, &program()).await;
    let member = stack.enrol("m").await;
    (stack, member)
}

fn grant(level: &str, until: &str) -> Value {
    json!({ "level": level, "until": until, "reason": "status_match" })
}

async fn lend(stack: &Stack, member: &str, key: &str, body: &Value) -> Answered {
    stack.send_keyed(key, "POST", &format!("/v1/members/{member}/level"), body).await
}

async fn tier(stack: &Stack, member: &str) -> Value {
    stack.account(member).await["tier"].clone()
}

#[tokio::test]
async fn a_lent_level_acts_at_once_and_ends_by_its_date() {
    let (stack, member) = open().await;
    let answer = lend(&stack, &member, "k", &grant("gold", "2027-02-01")).await;
    assert!(!answer.replayed());
    let answer = answer.expect(201);
    assert_eq!(names(&answer), ["account", "entries"]);
    let entries = answer["entries"].as_array().unwrap();
    let kinds: Vec<&str> = entries.iter().map(|entry| entry["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["adjust", "tier", "bonus"]);
    assert_eq!((&entries[0]["points"], &entries[0]["actor"]), (&json!(0), &json!("till-1")));
    assert_eq!(entries[0]["cause"], json!({ "adjustment": { "reason": "status_match" } }));
    assert_eq!(entries[0]["explanation"], json!([{ "text": "level gold until 2027-01-31T23:00:00Z" }]));
    assert_eq!((&entries[2]["points"], &entries[2]["cause"]), (&json!(20), &json!({ "tier": { "level": "gold" } })));
    assert_eq!(answer["account"], stack.account(&member).await);
    let shown = tier(&stack, &member).await;
    assert_eq!((&shown["level"], &shown["until"]), (&json!("gold"), &json!("2027-01-31T23:00:00Z")));
    assert_eq!(
        shown["benefits"],
        json!([{ "key": "free_shipping", "text": "We ship for free" }, { "key": null, "text": "A cake" }])
    );
    let granted =
        stack.send("GET", &format!("/v1/members/{member}/progress"), None).await.expect(200)["granted"].clone();
    assert_eq!(granted, json!([{ "level": "gold", "from": NOW, "until": "2027-01-31T23:00:00Z" }]));
    let bought = stack.send("POST", "/v1/purchases", Some(&stack.purchase("A-1", &member, 1_000))).await.expect(201);
    assert_eq!(bought["purchase"]["points"], 20);
    stack.set_clock("2027-01-31T22:59:59Z");
    assert_eq!(tier(&stack, &member).await["level"], "gold");
    stack.set_clock("2027-01-31T23:00:00Z");
    let shown = tier(&stack, &member).await;
    assert_eq!((&shown["level"], &shown["until"], &shown["benefits"]), (&json!("green"), &Value::Null, &json!([])));
    assert_eq!(shown["since"], "2027-01-31T23:00:00Z");
    let path = format!("/v1/members/{member}/progress");
    assert_eq!(stack.send("GET", &path, None).await.expect(200)["granted"], json!([]));
    must_balance(&stack).await;
}

#[tokio::test]
async fn the_same_grant_again_is_replayed_and_other_content_is_a_422() {
    let (stack, member) = open().await;
    let other = stack.enrol("other").await;
    let body = with(&grant("gold", "2027-02-01"), "/note", json!("a word"));
    let first = lend(&stack, &member, "k", &body).await.expect(201);
    stack.set_clock("2027-06-01T00:00:00Z");
    let before = dump(&stack).await;
    let again = lend(&stack, &member, "k", &body).await;
    assert!(again.replayed());
    let again = again.expect(201);
    assert_eq!(again["entries"], first["entries"]);
    assert_eq!(again["account"], stack.account(&member).await);
    for (pointer, value) in [
        ("/level", json!("green")),
        ("/level", json!("diamond")),
        ("/until", json!("2027-02-02")),
        ("/reason", json!("other")),
        ("/note", json!("another")),
        ("/note", Value::Null),
    ] {
        let refused = lend(&stack, &member, "k", &with(&body, pointer, value.clone())).await;
        is_problem(&refused, pointer);
        assert_eq!((refused.status.as_u16(), refused.code()), (422, "idempotency_mismatch"), "{pointer} {value}");
    }
    assert_eq!(lend(&stack, &other, "k", &body).await.code(), "idempotency_mismatch");
    // An adjustment has keys of the same kind.
    let adjust = json!({ "member": { "member_id": member }, "points": 5, "reason": "status_match" });
    let refused = stack.send_keyed("k", "POST", "/v1/adjustments", &adjust).await;
    assert_eq!(refused.code(), "idempotency_mismatch");
    assert_eq!(dump(&stack).await, before);
}

#[tokio::test]
async fn what_cannot_be_lent_is_refused_and_nothing_is_written() {
    let (stack, member) = open().await;
    let paused = stack.enrol("paused").await;
    stack.send("POST", &format!("/v1/members/{paused}/deactivate"), None).await.expect(200);
    let before = dump(&stack).await;
    let good = grant("gold", "2027-02-01");
    for (body, status, code, pointers) in [
        (grant("diamond", "2027-02-01"), 422, "level_unknown", &["/level"][..]),
        (grant("gold", "2026-11-20"), 422, "date_past", &["/until"]),
        (grant("gold", "2027-02-30"), 400, "malformed", &["/until"]),
        (grant("gold", "2027-02-01T00:00:00Z"), 400, "malformed", &["/until"]),
        (with(&good, "/note", json!("")), 400, "malformed", &["/note"]),
        (with(&good, "/extra", json!(1)), 400, "malformed", &["/extra"]),
        (json!({}), 400, "malformed", &["/level", "/until", "/reason"]),
    ] {
        let refused = lend(&stack, &member, "k", &body).await;
        is_refused_at(&refused, pointers, &body.to_string());
        assert_eq!((refused.status.as_u16(), refused.code()), (status, code), "{body}");
    }
    let refused = lend(&stack, &paused, "k", &good).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (409, "member_deactivated"));
    let refused = lend(&stack, "mbr_00000000000000000000000000", "k", &good).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (404, "member_unknown"));
    let path = format!("/v1/members/{member}/level");
    let sent = || Some(good.to_string().into_bytes());
    for key in ["", "ünprintable", &"k".repeat(256)] {
        let headers = [("idempotency-key", key)];
        let refused = stack.send_as(&claims(STAFF), "POST", &path, &headers, sent()).await;
        assert_eq!(refused.status, 400, "{key}");
    }
    assert_eq!(stack.send_as(&claims(STAFF), "POST", &path, &[], sent()).await.status, 400, "without a key");
    assert_eq!(dump(&stack).await, before);
    // A refusal is not remembered: the key is free.
    lend(&stack, &member, "k", &good).await.expect(201);
}

#[tokio::test]
async fn a_lent_level_can_be_ended_at_another_date_and_today() {
    let (stack, member) = open().await;
    lend(&stack, &member, "1", &grant("gold", "2027-02-01")).await.expect(201);
    lend(&stack, &member, "2", &grant("gold", "2027-05-01")).await.expect(201);
    assert_eq!(tier(&stack, &member).await["until"], "2027-04-30T22:00:00Z");
    stack.set_clock("2026-12-10T10:00:00Z");
    let answer = lend(&stack, &member, "3", &grant("gold", "2026-12-10")).await.expect(201);
    let kinds: Vec<&Value> = answer["entries"].as_array().unwrap().iter().map(|entry| &entry["kind"]).collect();
    assert_eq!(kinds, ["adjust", "tier"]);
    assert_eq!(
        (&answer["account"]["tier"]["level"], &answer["account"]["tier"]["since"]),
        (&json!("green"), &json!("2026-12-10T10:00:00Z"))
    );
    // The entry bonus comes once in a period.
    let again = lend(&stack, &member, "4", &grant("gold", "2027-02-01")).await.expect(201);
    let kinds: Vec<&Value> = again["entries"].as_array().unwrap().iter().map(|entry| &entry["kind"]).collect();
    assert_eq!(kinds, ["adjust", "tier"]);
    must_balance(&stack).await;
}

#[tokio::test]
async fn a_lent_level_never_takes_what_was_earned() {
    let (stack, member) = open().await;
    let bought = stack.send("POST", "/v1/purchases", Some(&stack.purchase("A-1", &member, 60_000))).await.expect(201);
    let kinds: Vec<&Value> = bought["entries"].as_array().unwrap().iter().map(|entry| &entry["kind"]).collect();
    assert_eq!(kinds, ["earn", "tier", "bonus"]);
    let until = tier(&stack, &member).await["until"].clone();
    assert_eq!(until, "2027-12-31T23:00:00Z");
    lend(&stack, &member, "1", &grant("green", "2027-02-01")).await.expect(201);
    lend(&stack, &member, "2", &grant("gold", "2026-12-01")).await.expect(201);
    let shown = tier(&stack, &member).await;
    assert_eq!((&shown["level"], &shown["until"]), (&json!("gold"), &until));
    lend(&stack, &member, "3", &grant("gold", "2026-11-21")).await.expect(201);
    assert_eq!(tier(&stack, &member).await["level"], "gold");
    // Lent for longer than it was earned for.
    lend(&stack, &member, "4", &grant("gold", "2028-06-01")).await.expect(201);
    assert_eq!(tier(&stack, &member).await["until"], "2028-05-31T22:00:00Z");
    must_balance(&stack).await;
}

#[tokio::test]
async fn a_paid_level_lasts_while_it_is_paid_and_then_what_was_earned_is_left() {
    let (stack, member) = open().await;
    let pay = |id: &str, at: &str| {
        json!({ "source": "billing", "activity_id": id, "member": { "member_id": member }, "type": "paid_month",
                "occurred_at": at })
    };
    let answer = tell(&stack, &pay("1", NOW)).await.expect(201);
    assert_eq!((&answer["activity"]["points"], &answer["account"]["tier"]["level"]), (&json!(0), &json!("plus")));
    // To the end of the thirtieth day after it.
    assert_eq!(answer["account"]["tier"]["until"], "2026-12-21T23:00:00Z");
    assert_eq!(answer["account"]["tier"]["next"], Value::Null);
    let again = tell(&stack, &pay("1", NOW)).await;
    assert!(again.replayed(), "a payment told twice is one payment");
    assert_eq!(tier(&stack, &member).await["until"], "2026-12-21T23:00:00Z");
    stack.set_clock("2026-12-20T10:00:00Z");
    tell(&stack, &pay("2", "2026-12-20T10:00:00Z")).await.expect(201);
    assert_eq!(tier(&stack, &member).await["until"], "2027-01-20T23:00:00Z");
    let bought = stack.send("POST", "/v1/purchases", Some(&stack.purchase("A-1", &member, 20_000))).await.expect(201);
    assert_eq!(bought["purchase"]["points"], 600);
    stack.set_clock("2027-01-20T23:00:00Z");
    assert_eq!(tier(&stack, &member).await["level"], "gold");
    // A level that is only granted is nothing that units are missing for.
    assert_eq!(tier(&stack, &member).await["next"], Value::Null);
    must_balance(&stack).await;
}

#[tokio::test]
async fn a_booked_day_counts_on_that_local_day_alone() {
    let (stack, member) = open().await;
    let book = |id: &str, day: Value| {
        json!({ "source": "app", "activity_id": id, "member": { "member_id": member }, "type": "bonus_day",
                "occurred_at": NOW, "attributes": { "day": day } })
    };
    let answer = tell(&stack, &book("1", json!("2026-11-25"))).await.expect(201);
    assert_eq!(
        answer["entries"][0]["explanation"],
        json!([{ "text": "bonus-day from 2026-11-24T23:00:00Z until 2026-11-25T23:00:00Z" }])
    );
    for (id, day) in [("2", json!("2026-11-20")), ("3", json!("tomorrow")), ("4", json!(7)), ("5", json!("2028-01-01"))]
    {
        let answer = tell(&stack, &book(id, day)).await.expect(201);
        let explanation = &answer["entries"][0]["explanation"];
        assert_eq!(
            (&explanation[0]["rule"], &answer["activity"]["points"]),
            (&json!("book"), &json!(0)),
            "{explanation}"
        );
        assert!(explanation[0]["text"].as_str().unwrap().contains("day that can be granted"), "{explanation}");
    }
    for (now, points) in [
        ("2026-11-24T22:59:59Z", 10),
        ("2026-11-24T23:00:00Z", 21),
        ("2026-11-25T22:59:59Z", 21),
        ("2026-11-25T23:00:00Z", 10),
    ] {
        stack.set_clock(now);
        let body = stack.purchase(&format!("A-{}", now.replace(':', ".")), &member, 1_000);
        let quote = stack.send("POST", "/v1/purchases/quote", Some(&body)).await.expect(200);
        let bought = stack.send("POST", "/v1/purchases", Some(&body)).await.expect(201);
        assert_eq!((&quote["points"], &bought["purchase"]["points"]), (&json!(points), &json!(points)), "{now}");
    }
    must_balance(&stack).await;
}

#[tokio::test]
async fn levels_of_programs_without_benefits_have_none() {
    let stack = Stack::with_program(NOW, &plain_program()).await;
    let member = stack.enrol("m").await;
    assert_eq!(tier(&stack, &member).await["benefits"], json!([]));
}
