//! `GET /v1/members/{member_id}/ledger` and `/export`.

use crate::kit::{claims_of, is_problem, names, own_claims};
use it::stack::{Answered, STAFF, Stack, claims, plain_program};
use serde_json::{Value, json};

const NOW: &str = "2026-11-21T10:00:00Z";

/// A member with one entry of enrolment and so many purchases.
async fn member_with(purchases: usize) -> (Stack, String) {
    let stack = Stack::with_program(NOW, &plain_program()).await;
    let member = stack.enrol("m").await;
    for number in 0..purchases {
        let purchase = stack.purchase(&format!("A-{number}"), &member, 100);
        stack.send("POST", "/v1/purchases", Some(&purchase)).await.expect(201);
    }
    (stack, member)
}

async fn page(stack: &Stack, member: &str, query: &str) -> Answered {
    stack.send("GET", &format!("/v1/members/{member}/ledger{query}"), None).await
}

fn seqs(page: &Value) -> Vec<u64> {
    page["entries"].as_array().unwrap().iter().map(|entry| entry["seq"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn an_entry_has_exactly_the_fields_of_the_contract() {
    let (stack, member) = member_with(0).await;
    let mut purchase = stack.purchase("A-1", &member, 4_080);
    purchase["occurred_at"] = json!("2026-11-20T09:59:00+01:00");
    let answer = stack.send("POST", "/v1/purchases", Some(&purchase)).await.expect(201);
    let entry = &stack.ledger(&member).await[1];
    assert_eq!(answer["entries"], json!([entry]));
    let entry_id = entry["entry_id"].as_str().unwrap();
    assert!(entry_id.starts_with("ent_") && entry_id.len() == 30, "{entry_id}");
    let expected = json!({
        "entry_id": entry_id, "seq": 2, "kind": "earn", "points": 40, "contra": "issued",
        "balance_after": { "available": 40, "pending": 0, "held": 0, "debt": 0 }, "debt_repaid": 0,
        "draws": [{ "activates_at": null, "expires_at": "2027-11-30T23:00:00Z", "points": 40 }],
        "cause": { "purchase": { "channel": "web", "order_id": "A-1" } }, "program_version": 1,
        "explanation": entry["explanation"],
        "occurred_at": "2026-11-20T08:59:00Z", "recorded_at": NOW, "actor": "till-1",
    });
    assert_eq!(*entry, expected);
    let base = &entry["explanation"][0];
    assert_eq!((&base["rule"], &base["exact"]), (&json!("base"), &json!("40.8")));
    assert!(base["text"].as_str().unwrap().contains("40.80 EUR"), "{base}");
    for line in entry["explanation"].as_array().unwrap() {
        assert!(line["text"].is_string(), "{line}");
    }
}

#[tokio::test]
async fn pages_come_newest_first_and_end_with_null() {
    let (stack, member) = member_with(6).await;
    let whole = page(&stack, &member, "").await.expect(200);
    assert_eq!((seqs(&whole), &whole["next_cursor"]), (vec![7, 6, 5, 4, 3, 2, 1], &Value::Null));
    assert_eq!(names(&whole), ["entries", "next_cursor"]);
    for (limit, pages) in [(1, 7), (2, 4), (3, 3), (6, 2), (7, 1), (100, 1)] {
        let (mut all, mut query, mut seen) = (Vec::new(), format!("?limit={limit}"), 0);
        loop {
            let page = page(&stack, &member, &query).await.expect(200);
            (seen, all) = (seen + 1, [all, seqs(&page)].concat());
            let Some(cursor) = page["next_cursor"].as_str() else { break };
            query = format!("?cursor={cursor}&limit={limit}");
        }
        assert_eq!((all, seen), (vec![7, 6, 5, 4, 3, 2, 1], pages), "limit {limit}");
    }
}

#[tokio::test]
async fn a_page_has_50_entries_if_nothing_is_said() {
    let (stack, member) = member_with(51).await;
    let first = page(&stack, &member, "").await.expect(200);
    assert_eq!(seqs(&first), (3..=52).rev().collect::<Vec<u64>>());
    let cursor = first["next_cursor"].as_str().unwrap();
    // Entries written meanwhile do not shift what comes next.
    stack.send("POST", "/v1/purchases", Some(&stack.purchase("B-1", &member, 100))).await.expect(201);
    assert_eq!(seqs(&page(&stack, &member, &format!("?cursor={cursor}")).await.expect(200)), [2, 1]);
}

#[tokio::test]
async fn limits_beyond_1_to_100_and_unknown_parameters_are_a_400() {
    let (stack, member) = member_with(0).await;
    for query in [
        "?limit=0",
        "?limit=101",
        "?limit=-1",
        "?limit=",
        "?limit=1.0",
        "?limit=+5",
        "?limit=05",
        "?limit=x",
        "?limit=1&limit=2",
        "?limit=99999999999999999999",
        "?limit=%00",
        "?limit=1e1",
        "?offset=3",
        "?cursor=a&cursor=b",
        "?%00=1",
        "?limit=%FF",
        "?=",
        "?limit",
        "?cursor=",
        "?cursor=%F0%9F%98%80",
    ] {
        let refused = page(&stack, &member, query).await;
        is_problem(&refused, query);
        assert_eq!(refused.status, 400, "{query}");
    }
    for query in ["?limit=1", "?limit=100", "?", "?limit=7&"] {
        page(&stack, &member, query).await.expect(200);
    }
}

#[tokio::test]
async fn a_cursor_opens_only_the_list_it_came_from() {
    let (stack, member) = member_with(3).await;
    let other = stack.enrol("other").await;
    let cursor = page(&stack, &member, "?limit=2").await.expect(200)["next_cursor"].as_str().unwrap().to_owned();
    page(&stack, &member, &format!("?cursor={cursor}")).await.expect(200);
    for at in 0..cursor.len() {
        let mut tampered = cursor.clone().into_bytes();
        tampered[at] = if tampered[at] == b'A' { b'B' } else { b'A' };
        let tampered = String::from_utf8(tampered).unwrap();
        let refused = page(&stack, &member, &format!("?cursor={tampered}")).await;
        assert_eq!((refused.status.as_u16(), refused.code()), (400, "cursor_invalid"), "{tampered}");
    }
    for foreign in [&cursor[1..], &format!("{cursor}A"), &format!("{cursor}="), "MQ", "null", &"A".repeat(5_000)] {
        is_problem(&page(&stack, &member, &format!("?cursor={foreign}")).await, foreign);
    }
    let at = |path: String| format!("{path}?cursor={cursor}");
    for path in [at(format!("/v1/members/{other}/ledger")), at(format!("/v1/members/{member}/export"))] {
        assert_eq!(stack.send("GET", &path, None).await.status, 400, "{path}");
    }
    // The same member id in another program is another list; there, nobody has it.
    let elsewhere = claims_of("till-1", "other", STAFF);
    let answer = stack.send_as(&elsewhere, "GET", &at(format!("/v1/members/{member}/ledger")), &[], None).await;
    assert_eq!(answer.status, 400);
}

#[tokio::test]
async fn notes_are_shown_to_staff_and_not_to_the_member() {
    let (stack, member) = member_with(1).await;
    let body =
        json!({ "member": { "member_id": member }, "points": 5, "reason": "goodwill", "note": "rang twice ☎\nangry" });
    let answer = stack.send_keyed("k1", "POST", "/v1/adjustments", &body).await.expect(201);
    let plain = json!({ "member": { "member_id": member }, "points": 6, "reason": "goodwill" });
    stack.send_keyed("k2", "POST", "/v1/adjustments", &plain).await.expect(201);
    let noted = |ledger: &Value| -> Vec<Value> {
        ledger["entries"]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| entry.get("note").cloned().unwrap_or_default())
            .collect()
    };
    let staff = page(&stack, &member, "").await.expect(200);
    assert_eq!(noted(&staff), [Value::Null, json!("rang twice ☎\nangry"), Value::Null, Value::Null]);
    let path = format!("/v1/members/{member}/ledger");
    let own = stack.send_as(&own_claims(&member, STAFF), "GET", &path, &[], None).await.expect(200);
    assert_eq!(noted(&own), vec![Value::Null; 4]);
    assert_eq!(answer["entries"][0]["seq"], 3);
    // One who may read members but is none sees them, page by page as well.
    let reader = stack.send_as(&claims("members:read"), "GET", &format!("{path}?limit=2"), &[], None).await.expect(200);
    assert_eq!(noted(&reader), [Value::Null, json!("rang twice ☎\nangry")]);
}

#[tokio::test]
async fn an_export_holds_the_person_the_account_and_the_ledger_in_pages_with_notes() {
    let stack = Stack::with_program(NOW, &plain_program()).await;
    let body =
        json!({ "email": "ada@example.com", "given_name": "Ada", "birthday": "--02-29", "consents": { "sms": true } });
    let enrolled = stack.send("POST", "/v1/members", Some(&body)).await.expect(201);
    let member = enrolled["member"]["member_id"].as_str().unwrap();
    let adjust = json!({ "member": { "member_id": member }, "points": 5, "reason": "goodwill", "note": "a note" });
    stack.send_keyed("k1", "POST", "/v1/adjustments", &adjust).await.expect(201);
    let path = format!("/v1/members/{member}/export");
    for claims in [claims("members:erase"), own_claims(member, "")] {
        let export = stack.send_as(&claims, "GET", &path, &[], None).await.expect(200);
        assert_eq!(names(&export), ["account", "entries", "member", "next_cursor"]);
        assert_eq!(export["member"], enrolled["member"]);
        assert_eq!(export["account"]["points"]["available"], 5);
        assert_eq!((seqs(&export), &export["entries"][0]["note"]), (vec![2, 1], &json!("a note")));
        let first = stack.send_as(&claims, "GET", &format!("{path}?limit=1"), &[], None).await.expect(200);
        let cursor = first["next_cursor"].as_str().unwrap();
        let second =
            stack.send_as(&claims, "GET", &format!("{path}?limit=1&cursor={cursor}"), &[], None).await.expect(200);
        assert_eq!((seqs(&second), &second["next_cursor"]), (vec![1], &Value::Null));
    }
}
