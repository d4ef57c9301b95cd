//! `POST /v1/adjustments`.

use crate::kit::{books_balance, claims_of, dump, is_problem, is_refused_at, names, with};
use it::stack::{STAFF, Stack, claims, plain_program};
use serde_json::{Value, json};

const NOW: &str = "2026-11-21T10:00:00Z";
const PATH: &str = "/v1/adjustments";

async fn stack() -> (Stack, String) {
    let stack = Stack::with_program(NOW, &plain_program()).await;
    let member = stack.enrol("m").await;
    (stack, member)
}

fn adjust(member: &str, points: i64) -> Value {
    json!({ "member": { "member_id": member }, "points": points, "reason": "goodwill", "note": "sorry", "qualifies": false })
}

#[tokio::test]
async fn points_given_can_be_spent_at_once_and_taken_again() {
    let (stack, member) = stack().await;
    let given = stack.send_keyed("k1", "POST", PATH, &adjust(&member, 50)).await;
    assert!(!given.replayed());
    let given = given.expect(201);
    assert_eq!(names(&given), ["account", "entries"]);
    let entry = &given["entries"][0];
    assert_eq!(
        (&entry["kind"], &entry["points"], &entry["contra"]),
        (&json!("adjust"), &json!(50), &json!("adjusted"))
    );
    assert_eq!(entry["cause"], json!({ "adjustment": { "reason": "goodwill" } }));
    assert_eq!(entry["draws"], json!([{ "activates_at": null, "expires_at": "2027-11-30T23:00:00Z", "points": 50 }]));
    assert_eq!(
        given["account"]["lifetime"],
        json!({ "earned": 0, "adjusted": 50, "redeemed": 0, "expired": 0, "clawed_back": 0 })
    );
    let taken = stack.send_keyed("k2", "POST", PATH, &adjust(&member, -20)).await.expect(201);
    assert_eq!(taken["account"]["points"]["available"], 30);
    books_balance(&stack, &member).await;
}

#[tokio::test]
async fn never_below_zero_and_only_active_points() {
    let mut program = plain_program();
    program["points"]["pending_days"] = json!(7);
    let stack = Stack::with_program(NOW, &program).await;
    let member = stack.enrol("m").await;
    stack.send("POST", "/v1/purchases", Some(&stack.purchase("A-1", &member, 10_000))).await.expect(201);
    stack.send_keyed("k1", "POST", PATH, &adjust(&member, 30)).await.expect(201);
    let before = dump(&stack).await;
    let refused = stack.send_keyed("k2", "POST", PATH, &adjust(&member, -50)).await;
    is_problem(&refused, "only pending points are left");
    assert_eq!((refused.status.as_u16(), refused.code()), (409, "insufficient_points"));
    let facts = ["required", "available", "missing"].map(|name| refused.body[name].clone());
    assert_eq!(facts, [json!(50), json!(30), json!(20)]);
    assert_eq!(dump(&stack).await, before);
    // Judged afresh when the points have become active.
    stack.set_clock("2026-12-01T00:00:00Z");
    let answer = stack.send_keyed("k2", "POST", PATH, &adjust(&member, -50)).await;
    assert!(!answer.replayed());
    assert_eq!(answer.expect(201)["account"]["points"]["available"], 80);
    books_balance(&stack, &member).await;
}

#[tokio::test]
async fn a_key_is_needed_of_1_to_255_printable_ascii_characters() {
    let (stack, member) = stack().await;
    let before = dump(&stack).await;
    let body = adjust(&member, 5);
    let missing = stack.send("POST", PATH, Some(&body)).await;
    is_problem(&missing, "no key");
    assert_eq!((missing.status.as_u16(), missing.code()), (400, "idempotency_key_required"));
    let long = "x".repeat(256);
    for (case, headers) in [
        ("empty", vec![("idempotency-key", "")]),
        ("too long", vec![("idempotency-key", long.as_str())]),
        ("not ASCII", vec![("idempotency-key", "ä")]),
        ("a tab", vec![("idempotency-key", "a\tb")]),
        ("two", vec![("idempotency-key", "a"), ("idempotency-key", "b")]),
    ] {
        let refused = stack.send_as(&claims(STAFF), "POST", PATH, &headers, Some(body.to_string().into_bytes())).await;
        is_problem(&refused, case);
        assert_eq!((refused.status.as_u16(), refused.code()), (400, "idempotency_key_malformed"), "{case}");
    }
    assert_eq!(dump(&stack).await, before);
    for key in ["x", &long[1..], "a b~!\"#"] {
        stack.send_keyed(key, "POST", PATH, &body).await.expect(201);
    }
}

#[tokio::test]
async fn the_same_key_replays_the_same_content_and_refuses_other_content() {
    let (stack, member) = stack().await;
    let other = stack.enrol("other").await;
    let body = adjust(&member, 50);
    let first = stack.send_keyed("k", "POST", PATH, &body).await.expect(201);
    stack.send_keyed("k2", "POST", PATH, &adjust(&member, -50)).await.expect(201);
    let before = dump(&stack).await;
    let again = stack.send_keyed("k", "POST", PATH, &body).await;
    assert!(again.replayed());
    let again = again.expect(201);
    assert_eq!(again["entries"], first["entries"]);
    assert_eq!((&again["account"]["points"]["available"], &again["account"]["version"]), (&json!(0), &json!(3)));
    let mut defaults = body.clone();
    defaults.as_object_mut().unwrap().remove("qualifies");
    assert!(
        stack.send_keyed("k", "POST", PATH, &defaults).await.replayed(),
        "false is what is meant if nothing is said"
    );
    for (pointer, value) in [
        ("/points", json!(51)),
        ("/reason", json!("other")),
        ("/note", json!("other")),
        ("/note", Value::Null),
        ("/qualifies", json!(true)),
        ("/member", json!({ "member_id": other })),
        ("/member", json!({ "external_id": "m" })),
        ("/member", json!({ "external_id": "nobody" })),
    ] {
        let refused = stack.send_keyed("k", "POST", PATH, &with(&body, pointer, value)).await;
        is_problem(&refused, pointer);
        assert_eq!((refused.status.as_u16(), refused.code()), (422, "idempotency_mismatch"), "{pointer}");
    }
    assert_eq!(dump(&stack).await, before);
    // Keys are each caller's own.
    let somebody = claims_of("till-2", "main", STAFF);
    let headers = [("idempotency-key", "k")];
    let answer = stack.send_as(&somebody, "POST", PATH, &headers, Some(body.to_string().into_bytes())).await;
    assert!(!answer.replayed());
    answer.expect(201);
    books_balance(&stack, &member).await;
}

#[tokio::test]
async fn a_retry_is_recognised_after_the_phone_has_gone_to_somebody_else() {
    let stack = Stack::with_program(NOW, &plain_program()).await;
    let enrol = async |body: Value| {
        stack.send("POST", "/v1/members", Some(&body)).await.expect(201)["member"]["member_id"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let ada = enrol(json!({ "external_id": "ada", "phone": "+4915112345678" })).await;
    let body = json!({ "member": { "phone": "+4915112345678" }, "points": 50, "reason": "goodwill" });
    let first = stack.send_keyed("k", "POST", PATH, &body).await.expect(201);
    stack.send("PATCH", &format!("/v1/members/{ada}"), Some(&json!({ "phone": null }))).await.expect(200);
    let orphaned = stack.send_keyed("k", "POST", PATH, &body).await;
    assert!(orphaned.replayed());
    assert_eq!(orphaned.body, first);
    let bob = enrol(json!({ "external_id": "bob", "phone": "+4915112345678" })).await;
    let again = stack.send_keyed("k", "POST", PATH, &body).await;
    assert!(again.replayed());
    assert_eq!(again.body, first, "entries and account of the member who got the points");
    assert_eq!(stack.account(&bob).await["version"], 1);
}

#[tokio::test]
async fn an_adjustment_counts_towards_the_level_only_if_it_says_so() {
    let (stack, member) = stack().await;
    stack.send_keyed("k1", "POST", PATH, &adjust(&member, 600)).await.expect(201);
    assert_eq!(stack.account(&member).await["tier"]["level"], "green");
    let qualifying = with(&adjust(&member, 500), "/qualifies", json!(true));
    let answer = stack.send_keyed("k2", "POST", PATH, &qualifying).await.expect(201);
    let tier = &answer["account"]["tier"];
    assert_eq!((&tier["level"], &tier["qualifying_units"]), (&json!("gold"), &json!(500)));
    books_balance(&stack, &member).await;
}

#[tokio::test]
async fn what_cannot_be_meant_is_refused_with_pointers() {
    let (stack, member) = stack().await;
    let before = dump(&stack).await;
    let good = adjust(&member, 5);
    for (pointer, value, status) in [
        ("/points", json!(0), 422),
        ("/points", json!(1_000_000_001), 422),
        ("/points", json!(i64::MIN), 422),
        ("/points", json!("5"), 400),
        ("/points", json!(0.5), 400),
        ("/points", Value::Null, 400),
        ("/reason", json!(""), 400),
        ("/reason", Value::Null, 400),
        ("/reason", json!("x".repeat(65)), 400),
        ("/note", json!(""), 400),
        ("/note", json!("x".repeat(1_001)), 400),
        ("/note", json!(7), 400),
        ("/qualifies", json!("yes"), 400),
        ("/member", Value::Null, 400),
        ("/member", json!("m"), 400),
        ("/extra", json!(1), 400),
    ] {
        let refused = stack.send_keyed("k", "POST", PATH, &with(&good, pointer, value.clone())).await;
        is_refused_at(&refused, &[pointer], &format!("{pointer} {value}"));
        assert_eq!(refused.status.as_u16(), status, "{pointer} {value}");
    }
    assert_eq!(dump(&stack).await, before);
}
