//! Cases at the edges that a reviewer found: each was an error once.

use it::books::must_balance;
use it::stack::{STAFF, Stack, claims, plain_program};
use jiff::ToSpan;
use jiff::civil::date;
use serde_json::json;

#[tokio::test]
async fn sums_that_overflow_an_account_are_refused_with_a_reason() {
    let mut program = plain_program();
    program["points"]["expiry"] = json!("never");
    program["earning_rules"][0]["award"] =
        json!({ "per_amount": { "points": "9200", "amount": 1, "currency": "EUR" } });
    let stack = Stack::with_program("2026-11-21T10:00:00Z", &program).await;
    let ada = stack.enrol("ada").await;
    let most = 1_000_000_000_000_000;
    stack.send("POST", "/v1/purchases", Some(&stack.purchase("1", &ada, most))).await.expect(201);
    let before = stack.account(&ada).await;
    let second = stack.send("POST", "/v1/purchases", Some(&stack.purchase("2", &ada, most))).await;
    assert_eq!((second.status.as_u16(), second.code()), (422, "amount_too_large"));
    assert_eq!(stack.account(&ada).await, before);
}

#[tokio::test]
async fn a_level_that_a_new_version_does_not_have_is_looked_at_at_once() {
    let mut program = plain_program();
    let stack = Stack::with_program("2026-11-21T10:00:00Z", &program).await;
    let ada = stack.enrol("ada").await;
    stack.send("POST", "/v1/purchases", Some(&stack.purchase("1", &ada, 60_000))).await.expect(201);
    assert_eq!(stack.account(&ada).await["tier"]["level"], "gold");
    program["tiers"]["levels"] =
        json!([{ "id": "bronze", "from": 0 }, { "id": "silver", "from": 100 }, { "id": "top", "from": 9_000 }]);
    stack.publish(&program).await;
    stack.set_clock("2026-11-21T10:02:00Z");
    let tier = &stack.account(&ada).await["tier"];
    assert_eq!((&tier["level"], &tier["next"]), (&json!("silver"), &json!({ "level": "top", "missing_units": 8_400 })));
    stack.send("POST", "/v1/purchases", Some(&stack.purchase("2", &ada, 100))).await.expect(201);
    let ledger = stack.ledger(&ada).await;
    assert_eq!(ledger[ledger.len() - 2]["kind"], "tier");
}

#[tokio::test]
async fn an_enrolment_is_recognised_whatever_the_member_has_changed_since() {
    let stack = Stack::with_program("2026-11-21T10:00:00Z", &plain_program()).await;
    let body = json!({ "external_id": "rp", "email": "rp@x.de" });
    let first = stack.send("POST", "/v1/members", Some(&body)).await.expect(201);
    let path = format!("/v1/members/{}", first["member"]["member_id"].as_str().unwrap());
    for email in ["other@x.de", "rp@x.de"] {
        stack.send("PATCH", &path, Some(&json!({ "email": email }))).await.expect(200);
        let again = stack.send("POST", "/v1/members", Some(&body)).await;
        assert!(again.replayed());
        assert_eq!(again.expect(200)["member"]["member_id"], first["member"]["member_id"]);
    }
    let other = stack.send("POST", "/v1/members", Some(&json!({ "external_id": "rp" }))).await;
    assert_eq!((other.status.as_u16(), other.code()), (409, "identity_taken"));
}

#[tokio::test]
async fn all_unknown_lines_of_a_refund_are_named() {
    let stack = Stack::with_program("2026-11-21T10:00:00Z", &plain_program()).await;
    let ada = stack.enrol("ada").await;
    stack.send("POST", "/v1/purchases", Some(&stack.purchase("1", &ada, 100))).await.expect(201);
    let line = |id: &str| json!({ "line_id": id, "quantity": 1 });
    let back = json!({ "refund_id": "R", "occurred_at": stack.now(), "lines": [line("7"), line("1"), line("8")] });
    let answer = stack.send("POST", "/v1/purchases/web/1/refunds", Some(&back)).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (422, "line_unknown"));
    assert_eq!(answer.pointers(), ["/lines/0/line_id", "/lines/2/line_id"]);
}

#[tokio::test]
async fn no_token_bears_the_name_under_which_dates_are_booked() {
    let stack = Stack::with_program("2026-11-21T10:00:00Z", &plain_program()).await;
    let mut token = claims(STAFF);
    token.insert("sub".to_owned(), "system".to_owned());
    assert_eq!(stack.send_as(&token, "GET", "/v1/program", &[], None).await.status, 401);
}

#[tokio::test]
async fn a_program_that_would_fill_accounts_with_counters_is_not_published() {
    let mut program = plain_program();
    program["points"]["late_purchase_days"] = json!(400);
    let rules = (0..20).map(|n| {
        json!({ "id": format!("r{n}"), "on": "purchase", "award": { "points": 1 }, "limit": { "times": 1, "per": "day" } })
    });
    program["earning_rules"].as_array_mut().unwrap().extend(rules);
    let stack = Stack::empty("2026-11-21T10:00:00Z").await;
    let answer = stack.send("PUT", "/v1/program", Some(&program)).await;
    assert_eq!((answer.status.as_u16(), answer.pointers()), (422, vec!["/earning_rules/10/limit"]));
}

#[tokio::test]
async fn what_cannot_be_seen_is_not_printable_and_what_joins_emoji_is() {
    let stack = Stack::with_program("2026-11-21T10:00:00Z", &plain_program()).await;
    for (name, status) in [("Ada\u{202e}", 400), ("A\u{200b}da", 400), ("\u{1f469}\u{200d}\u{1f680}", 201)] {
        let body = json!({ "external_id": format!("m-{status}"), "given_name": name });
        assert_eq!(stack.send("POST", "/v1/members", Some(&body)).await.status, status, "{name:?}");
    }
}

#[tokio::test]
async fn a_member_can_hold_fifty_booked_days_and_the_fifty_first_is_a_409() {
    let mut program = plain_program();
    program["earning_rules"]
        .as_array_mut()
        .unwrap()
        .push(json!({ "id": "book", "on": "activity", "activity": "bonus_day",
        "grants": { "tag": "bonus-day", "days": 1, "on": "day" } }));
    program["earning_rules"].as_array_mut().unwrap().push(json!({ "id": "use", "on": "purchase",
        "when": { "tag": ["bonus-day"] }, "award": { "points": 5 } }));
    let stack = Stack::with_program("2026-11-21T10:00:00Z", &program).await;
    let ada = stack.enrol("ada").await;
    let book = |n: i64| {
        let day = date(2026, 12, 1).saturating_add(n.days()).to_string();
        json!({ "source": "app", "activity_id": n.to_string(), "member": { "member_id": ada }, "type": "bonus_day",
                "occurred_at": "2026-11-21T10:00:00Z", "attributes": { "day": day } })
    };
    for n in 0..50 {
        stack.send("POST", "/v1/activities", Some(&book(n))).await.expect(201);
    }
    let refused = stack.send("POST", "/v1/activities", Some(&book(50))).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (409, "account_full"), "{}", refused.body);
    // The same day once more is no further one.
    let mut again = book(3);
    again["activity_id"] = json!("again");
    stack.send("POST", "/v1/activities", Some(&again)).await.expect(201);
    let lend = json!({ "level": "gold", "until": "2027-01-01", "reason": "x" });
    let refused = stack.send_keyed("k", "POST", &format!("/v1/members/{ada}/level"), &lend).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (409, "account_full"), "{}", refused.body);
    must_balance(&stack).await;
}
