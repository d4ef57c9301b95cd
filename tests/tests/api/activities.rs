//! `POST /v1/activities`: what members do besides buying.

use crate::kit::{books_balance, bytes, dump, holds, is_problem, is_refused_at, names, own_claims, with};
use it::stack::{Answered, STAFF, Stack, claims, plain_program};
use serde_json::{Value, json};

const NOW: &str = "2026-11-21T10:00:00Z";

/// The plain program, a point per 1.00 EUR, with more earning rules.
pub fn program_with(rules: &[Value]) -> Value {
    let mut program = plain_program();
    program["earning_rules"].as_array_mut().unwrap().extend_from_slice(rules);
    program
}

/// The contract's rule for reviews, and types that bring little or nothing.
fn program() -> Value {
    program_with(&[
        json!({ "id": "review", "on": "activity", "activity": "product_review",
                "when": { "attribute": { "name": "stars", "at_least": 1 } },
                "award": { "points": 25 }, "limit": { "times": 4, "per": "year" } }),
        json!({ "id": "long-review", "on": "activity", "activity": "product_review",
                "when": { "all": [{ "attribute": { "name": "words", "at_least": 100 } },
                                  { "attribute": { "name": "spoiler", "equals": false } }] },
                "award": { "points": 10 } }),
        json!({ "id": "sunday", "on": "activity", "activity": "check_in", "when": { "local_weekday": ["sun"] },
                "award": { "points": 1 } }),
    ])
}

async fn open() -> (Stack, String) {
    let stack = Stack::with_program(NOW, &program()).await;
    let member = stack.enrol("m").await;
    (stack, member)
}

/// The contract's example, made now.
pub fn review(member: &str, activity_id: &str) -> Value {
    json!({ "source": "app", "activity_id": activity_id, "member": { "member_id": member }, "type": "product_review",
            "occurred_at": NOW, "attributes": { "stars": 5 } })
}

/// Tells of an activity.
pub async fn tell(stack: &Stack, body: &Value) -> Answered {
    stack.send("POST", "/v1/activities", Some(body)).await
}

#[tokio::test]
async fn the_example_of_the_contract_earns_25() {
    let (stack, member) = open().await;
    let answer =
        tell(&stack, &with(&review(&member, "rev-77"), "/occurred_at", json!("2026-11-20T09:59:00+01:00"))).await;
    assert!(!answer.replayed());
    let answer = answer.expect(201);
    assert_eq!(names(&answer), ["account", "activity", "entries"]);
    assert_eq!(
        answer["activity"],
        json!({ "source": "app", "activity_id": "rev-77", "member_id": member, "type": "product_review", "points": 25,
                "program_version": 1, "occurred_at": "2026-11-20T08:59:00Z", "recorded_at": NOW })
    );
    let entry = &answer["entries"][0];
    assert_eq!(
        *entry,
        json!({
            "entry_id": entry["entry_id"], "seq": 2, "kind": "bonus", "points": 25, "contra": "issued",
            "balance_after": { "available": 25, "pending": 0, "held": 0, "debt": 0 }, "debt_repaid": 0,
            "draws": [{ "activates_at": null, "expires_at": "2027-11-30T23:00:00Z", "points": 25 }],
            "cause": { "activity": { "source": "app", "activity_id": "rev-77", "type": "product_review" } },
            "program_version": 1, "explanation": [{ "rule": "review", "text": "25 points", "exact": "25" }],
            "occurred_at": "2026-11-20T08:59:00Z", "recorded_at": NOW, "actor": "till-1",
        })
    );
    assert_eq!(answer["entries"].as_array().unwrap().len(), 1);
    assert_eq!((&answer["account"], &answer["account"]["version"]), (&stack.account(&member).await, &json!(2)));
    // Bonus entries count towards levels.
    assert_eq!(answer["account"]["tier"]["qualifying_units"], 25);
}

#[tokio::test]
async fn an_activity_without_points_writes_one_entry_with_its_reasons() {
    let (stack, member) = open().await;
    let mut body = review(&member, "rev-1");
    body.as_object_mut().unwrap().remove("attributes");
    let answer = tell(&stack, &body).await.expect(201);
    let entry = &answer["entries"][0];
    assert_eq!((&answer["activity"]["points"], &entry["points"], &entry["draws"]), (&json!(0), &json!(0), &json!([])));
    assert_eq!((&entry["kind"], &entry["seq"], &answer["account"]["version"]), (&json!("bonus"), &json!(2), &json!(2)));
    assert_eq!(entry["explanation"], json!([{ "text": "no rule applies to it" }]));
    // Also where the limit is what kept it.
    for number in 0..4 {
        assert_eq!(tell(&stack, &review(&member, &format!("y-{number}"))).await.expect(201)["activity"]["points"], 25);
    }
    let fifth = tell(&stack, &review(&member, "y-4")).await.expect(201);
    assert_eq!(
        (&fifth["activity"]["points"], &fifth["entries"][0]["explanation"][0]["rule"]),
        (&json!(0), &json!("review"))
    );
    assert!(fifth["entries"][0]["explanation"][0]["text"].as_str().unwrap().contains('4'), "{fifth}");
    // A new local year is a new count: 23:30 on New Year's Eve in Greenwich is next year in Berlin.
    stack.set_clock("2026-12-31T22:59:59Z");
    let last = with(&review(&member, "y-5"), "/occurred_at", json!("2026-12-31T22:59:59Z"));
    assert_eq!(tell(&stack, &last).await.expect(201)["activity"]["points"], 0);
    stack.set_clock("2026-12-31T23:00:00Z");
    let first = with(&review(&member, "y-6"), "/occurred_at", json!("2026-12-31T23:00:00Z"));
    assert_eq!(tell(&stack, &first).await.expect(201)["activity"]["points"], 25);
    books_balance(&stack, &member).await;
}

#[tokio::test]
async fn conditions_look_at_attributes_by_name_and_kind() {
    let (stack, member) = open().await;
    for (number, (attributes, points)) in [
        (json!({ "stars": 0 }), 0),
        (json!({ "stars": -3 }), 0),
        (json!({ "stars": "5" }), 0),
        (json!({ "stars": true }), 0),
        (json!({ "Stars": 5 }), 0),
        (json!({ "stars": 1 }), 25),
        (json!({ "stars": 5, "words": 100, "spoiler": false }), 35),
        (json!({ "stars": 0, "words": 100, "spoiler": false }), 10),
        (json!({ "words": 99, "spoiler": false }), 0),
        (json!({ "words": 100, "spoiler": true }), 0),
        (json!({ "words": 100 }), 0),
        (json!({ "stars": i64::MAX }), 25),
        (json!({ "stars": null }), 0),
    ]
    .into_iter()
    .enumerate()
    {
        let body = with(&review(&member, &format!("r-{number}")), "/attributes", attributes.clone());
        assert_eq!(tell(&stack, &body).await.expect(201)["activity"]["points"], points, "{attributes}");
    }
}

#[tokio::test]
async fn a_type_that_the_program_does_not_name_is_a_422_and_nothing_is_written() {
    let (stack, member) = open().await;
    let before = dump(&stack).await;
    for kind in ["moon_landing", "Product_review", "review"] {
        let refused = tell(&stack, &with(&review(&member, "a"), "/type", json!(kind))).await;
        is_refused_at(&refused, &["/type"], kind);
        assert_eq!((refused.status.as_u16(), refused.code()), (422, "activity_unknown"), "{kind}");
    }
    // One of a program that names none at all.
    stack.publish(&plain_program()).await;
    stack.set_clock("2026-11-21T10:05:00Z");
    let late = with(&review(&member, "b"), "/occurred_at", json!("2026-11-21T10:05:00Z"));
    assert_eq!(tell(&stack, &late).await.status, 422);
    // But the version in force when it occurred is asked, and that one names it.
    assert_eq!(tell(&stack, &review(&member, "b")).await.expect(201)["activity"]["points"], 25);
    let kinds: Vec<String> = dump(&stack).await.into_keys().filter(|key| !before.contains_key(key)).collect();
    // The version, the entry, the attributes and the fact.
    assert_eq!(kinds.len(), 4, "{kinds:?}");
}

#[tokio::test]
async fn the_same_activity_again_answers_the_same_facts_and_the_account_as_it_is_now() {
    let (stack, member) = open().await;
    let body = review(&member, "rev-1");
    let first = tell(&stack, &body).await.expect(201);
    stack.send("POST", "/v1/purchases", Some(&stack.purchase("A-1", &member, 10_000))).await.expect(201);
    stack.publish(&plain_program()).await;
    stack.send("POST", &format!("/v1/members/{member}/deactivate"), None).await.expect(200);
    stack.set_clock("2028-03-01T00:00:00Z");
    let before = dump(&stack).await;
    // The same instant in another zone, attributes in another order and with nulls, are the same content.
    for same in [
        body.clone(),
        with(&body, "/occurred_at", json!("2026-11-21T15:30:00.000+05:30")),
        with(&body, "/attributes/nothing", Value::Null),
    ] {
        let again = tell(&stack, &same).await;
        assert!(again.replayed(), "{same}");
        let again = again.expect(201);
        assert_eq!((&again["activity"], &again["entries"]), (&first["activity"], &first["entries"]));
        assert_eq!(again["account"], stack.account(&member).await);
        assert_eq!(again["account"]["lifetime"]["expired"], 125);
    }
    assert_eq!(dump(&stack).await, before);
}

#[tokio::test]
async fn the_same_id_with_other_content_is_a_422_with_the_pointers_that_differ() {
    let (stack, member) = open().await;
    let other = stack.enrol("other").await;
    let body = review(&member, "rev-1");
    tell(&stack, &body).await.expect(201);
    let before = dump(&stack).await;
    for (pointer, value, differs) in [
        ("/member", json!({ "member_id": other }), "/member"),
        ("/member", json!({ "external_id": "m" }), "/member"),
        ("/member", json!({ "external_id": "nobody" }), "/member"),
        ("/type", json!("check_in"), "/type"),
        ("/type", json!("moon_landing"), "/type"),
        ("/occurred_at", json!("2026-11-21T09:59:59Z"), "/occurred_at"),
        ("/occurred_at", json!("2020-01-01T00:00:00Z"), "/occurred_at"),
        ("/attributes", json!({}), "/attributes"),
        ("/attributes", Value::Null, "/attributes"),
        ("/attributes/stars", json!(4), "/attributes"),
        ("/attributes/stars", json!("5"), "/attributes"),
        ("/attributes/more", json!(true), "/attributes"),
    ] {
        let refused = tell(&stack, &with(&body, pointer, value.clone())).await;
        let context = format!("{pointer} {value}");
        assert_eq!((refused.status.as_u16(), refused.code()), (422, "idempotency_mismatch"), "{context}");
        is_refused_at(&refused, &[differs], &context);
    }
    let all = json!({ "source": "app", "activity_id": "rev-1", "member": { "external_id": "m" }, "type": "check_in",
                      "occurred_at": "2026-11-21T09:00:00Z" });
    is_refused_at(&tell(&stack, &all).await, &["/member", "/type", "/occurred_at", "/attributes"], "all");
    assert_eq!(dump(&stack).await, before);
}

#[tokio::test]
async fn activity_ids_are_the_sources_own() {
    let (stack, member) = open().await;
    for (source, id) in [("app", "r-1"), ("web", "r-1"), ("app", "R-1"), ("app:r", "1")] {
        let body = with(&with(&review(&member, id), "/source", json!(source)), "/type", json!("check_in"));
        assert!(!tell(&stack, &body).await.replayed());
    }
    // An order of the same names is another thing.
    let order = with(&stack.purchase("r-1", &member, 100), "/channel", json!("app"));
    assert!(!stack.send("POST", "/v1/purchases", Some(&order)).await.replayed());
    assert_eq!(stack.ledger(&member).await.len(), 1 + 4 + 1);
}

#[tokio::test]
async fn a_refusal_is_not_remembered() {
    let (stack, _) = open().await;
    let body = with(&review("-", "r-1"), "/member", json!({ "external_id": "late" }));
    let refused = tell(&stack, &body).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (404, "member_unknown"));
    let late = stack.enrol("late").await;
    stack.send("POST", &format!("/v1/members/{late}/deactivate"), None).await.expect(200);
    let before = dump(&stack).await;
    let refused = tell(&stack, &body).await;
    is_problem(&refused, "deactivated");
    assert_eq!((refused.status.as_u16(), refused.code()), (409, "member_deactivated"));
    assert_eq!(dump(&stack).await, before);
    stack.send("POST", &format!("/v1/members/{late}/reactivate"), None).await.expect(200);
    let answer = tell(&stack, &body).await;
    assert!(!answer.replayed());
    answer.expect(201);
}

#[tokio::test]
async fn up_to_five_minutes_ahead_counts_as_now_and_more_or_too_long_ago_is_refused() {
    let (stack, member) = open().await;
    let at = |id: &str, moment: &str| with(&review(&member, id), "/occurred_at", json!(moment));
    let answer = tell(&stack, &at("r-1", "2026-11-21T10:05:00Z")).await.expect(201);
    assert_eq!(answer["entries"][0]["occurred_at"], NOW);
    assert_eq!(answer["activity"]["occurred_at"], "2026-11-21T10:05:00Z");
    tell(&stack, &at("r-2", "2026-10-22T10:00:00Z")).await.expect(201);
    let before = dump(&stack).await;
    for (moment, code) in [("2026-11-21T10:05:01Z", "in_future"), ("2026-10-22T09:59:59Z", "activity_too_old")] {
        let refused = tell(&stack, &at("r-3", moment)).await;
        is_refused_at(&refused, &["/occurred_at"], moment);
        assert_eq!(refused.status, 422, "{moment}");
        assert!(code == "in_future" || refused.code() == code, "{}", refused.body);
    }
    assert_eq!(dump(&stack).await, before);
}

#[tokio::test]
async fn attributes_are_shown_to_staff_and_not_to_the_member() {
    let (stack, member) = open().await;
    let attributes = json!({ "stars": 5, "text": "smells of plums", "spoiler": false, "gone": null });
    let shown = json!({ "stars": 5, "text": "smells of plums", "spoiler": false });
    let answer = tell(&stack, &with(&review(&member, "r-1"), "/attributes", attributes)).await.expect(201);
    assert!(!answer.to_string().contains("plums"), "an answer repeats nothing personal: {answer}");
    tell(&stack, &with(&review(&member, "r-2"), "/attributes", json!({}))).await.expect(201);
    let of = |body: &Value| -> Vec<Value> {
        let entries = body["entries"].as_array().unwrap();
        entries.iter().map(|entry| entry.get("attributes").cloned().unwrap_or_default()).collect()
    };
    let path = format!("/v1/members/{member}/ledger");
    let read = async |claims, path: &str| stack.send_as(&claims, "GET", path, &[], None).await.expect(200);
    let expected = vec![Value::Null, shown, Value::Null];
    assert_eq!(of(&read(claims("members:read"), &path).await), expected);
    assert_eq!(of(&read(own_claims(&member, STAFF), &path).await), vec![Value::Null; 3]);
    // An export is all that is held about the person, whoever asks for it.
    let export = format!("/v1/members/{member}/export");
    assert_eq!(of(&read(claims("members:erase"), &export).await), expected);
    assert_eq!(of(&read(own_claims(&member, ""), &export).await), expected);
}

#[tokio::test]
async fn after_erasure_no_byte_of_the_attributes_is_left_and_a_replay_still_answers() {
    let (stack, member) = open().await;
    let mut body = with(&review(&member, "r-1"), "/attributes/text", json!("Hopperina liked it"));
    body["attributes"]["hair colour"] = json!("silver-grey");
    let first = tell(&stack, &body).await.expect(201);
    let path = format!("/v1/members/{member}");
    let lend = json!({ "level": "gold", "until": "2027-01-01", "reason": "guest", "note": "knows Brewster" });
    stack.send_keyed("k", "POST", &format!("{path}/level"), &lend).await.expect(201);
    let traces = ["Hopperina", "silver-grey", "hair colour", "Brewster"];
    let before = bytes(&stack).await;
    assert!(traces.iter().all(|trace| holds(&before, trace)), "the search finds what is there");
    stack.send("DELETE", &path, None).await.expect(204);
    let after = bytes(&stack).await;
    for trace in traces {
        assert!(!holds(&after, trace), "{trace}");
    }
    let left = dump(&stack).await;
    let again = tell(&stack, &body).await;
    assert!(again.replayed());
    let again = again.expect(201);
    assert_eq!((&again["activity"], &again["entries"]), (&first["activity"], &first["entries"]));
    let other = tell(&stack, &with(&body, "/attributes/stars", json!(4))).await;
    is_refused_at(&other, &["/attributes"], "other content, after erasure");
    let new = tell(&stack, &review(&member, "r-2")).await;
    assert_eq!((new.status.as_u16(), new.code()), (404, "member_unknown"));
    for path in [format!("{path}/progress"), format!("{path}/ledger")] {
        assert_eq!(stack.send("GET", &path, None).await.code(), "member_unknown", "{path}");
    }
    let refused = stack.send_keyed("k2", "POST", &format!("{path}/level"), &lend).await;
    assert_eq!(refused.code(), "member_unknown");
    assert_eq!(dump(&stack).await, left);
    books_balance(&stack, &member).await;
}

#[tokio::test]
async fn attributes_have_limits_each_with_its_pointer() {
    let (stack, member) = open().await;
    let before = dump(&stack).await;
    let of = |count: usize| Value::Object((0..count).map(|n| (format!("a{n}"), json!(n))).collect());
    let name = "n".repeat(65);
    let body = review(&member, "r-1");
    for (attributes, pointers) in [
        (json!([]), vec!["/attributes".to_owned()]),
        (json!("stars"), vec!["/attributes".to_owned()]),
        (of(51), vec!["/attributes".to_owned()]),
        (json!({ "a": 1.5 }), vec!["/attributes/a".to_owned()]),
        (json!({ "a": u64::MAX }), vec!["/attributes/a".to_owned()]),
        (json!({ "a": [1], "b": { "c": 1 }, "d": 1 }), vec!["/attributes/a".to_owned(), "/attributes/b".to_owned()]),
        (json!({ "a": "x".repeat(1_001) }), vec!["/attributes/a".to_owned()]),
        (json!({ "a": "nul \0" }), vec!["/attributes/a".to_owned()]),
        (json!({ "": 1 }), vec!["/attributes/".to_owned()]),
        (json!({ "a/b~\u{7f}": 1 }), vec!["/attributes/a~1b~0\u{7f}".to_owned()]),
        (json!({ name.clone(): 1 }), vec![format!("/attributes/{name}")]),
    ] {
        let refused = tell(&stack, &with(&body, "/attributes", attributes.clone())).await;
        let pointers: Vec<&str> = pointers.iter().map(String::as_str).collect();
        is_refused_at(&refused, &pointers, &attributes.to_string());
        assert_eq!(refused.status, 400, "{attributes}");
    }
    let doubled = body.to_string().replace("\"stars\":5", "\"stars\":5,\"stars\":5");
    let refused = stack.send_as(&claims(STAFF), "POST", "/v1/activities", &[], Some(doubled.into_bytes())).await;
    is_refused_at(&refused, &["/attributes/stars"], "a doubled key");
    assert_eq!(dump(&stack).await, before);
    let texts = (0..50).map(|n| (format!("{n:064}"), json!("ü".repeat(1_000)))).collect();
    let most = with(&body, "/attributes", Value::Object(texts));
    tell(&stack, &most).await.expect(201);
    let page = stack.send("GET", &format!("/v1/members/{member}/ledger"), None).await.expect(200);
    assert_eq!(page["entries"][0]["attributes"], most["attributes"]);
    let printable =
        with(&review(&member, "r-2"), "/attributes", json!({ "日本": "☕\n\t“€”", "__proto__": -1, "e": "" }));
    tell(&stack, &printable).await.expect(201);
    let page = stack.send("GET", &format!("/v1/members/{member}/ledger"), None).await.expect(200);
    assert_eq!(page["entries"][0]["attributes"], printable["attributes"]);
}

#[tokio::test]
async fn activities_recorded_late_are_judged_by_version_and_level_of_their_time() {
    let mut program = program_with(&[json!({ "id": "gold-only", "on": "activity", "activity": "check_in",
        "when": { "tier": ["gold"] }, "award": { "points": 7 } })]);
    let stack = Stack::with_program(NOW, &program).await;
    let member = stack.enrol("m").await;
    let at = |id: &str, moment: &str| {
        json!({ "source": "app", "activity_id": id, "member": { "member_id": member }, "type": "check_in",
                "occurred_at": moment })
    };
    stack.send("POST", "/v1/purchases", Some(&stack.purchase("A-1", &member, 60_000))).await.expect(201);
    stack.set_clock("2026-11-22T10:00:00Z");
    let points = async |body: Value| tell(&stack, &body).await.expect(201)["activity"]["points"].clone();
    assert_eq!(points(at("1", "2026-11-21T09:59:59Z")).await, 0);
    assert_eq!(points(at("2", "2026-11-21T10:00:00Z")).await, 7);
    program["earning_rules"][1]["award"]["points"] = json!(70);
    stack.publish(&program).await;
    stack.set_clock("2026-11-23T10:00:00Z");
    assert_eq!(points(at("3", "2026-11-22T10:00:59Z")).await, 7);
    assert_eq!(points(at("4", "2026-11-22T10:01:00Z")).await, 70);
    // One of before the enrolment is that of a member on the lowest level.
    assert_eq!(points(at("5", "2026-11-01T10:00:00Z")).await, 0);
}
