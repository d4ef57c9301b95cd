//! `GET`/`PUT /v1/program`, `/versions/{n}`, `/validate`.

use crate::kit::{claims_of, dump, is_problem, is_refused_at, names, with};
use it::stack::{Answered, STAFF, Stack, claims, example_program, plain_program};
use jiff::SignedDuration;
use serde_json::{Value, json};

const NOW: &str = "2026-11-21T10:00:00Z";

async fn put(stack: &Stack, headers: &[(&str, &str)], document: &Value) -> Answered {
    stack.send_as(&claims(STAFF), "PUT", "/v1/program", headers, Some(document.to_string().into_bytes())).await
}

/// The plain program that gives so many points for a euro.
fn giving(points: &str) -> Value {
    with(&plain_program(), "/earning_rules/0/award/per_amount/points", json!(points))
}

async fn in_force(stack: &Stack) -> u64 {
    stack.send("GET", "/v1/program", None).await.expect(200)["version"].as_u64().unwrap()
}

#[tokio::test]
async fn the_first_version_takes_effect_at_once_and_is_shown_as_it_was_sent() {
    let stack = Stack::empty(NOW).await;
    let unknown = stack.send("GET", "/v1/program", None).await;
    is_problem(&unknown, "before");
    assert_eq!(unknown.code(), "program_unknown");
    let answer = put(&stack, &[], &example_program()).await.expect(201);
    assert_eq!(answer, json!({ "version": 1, "effective_from": NOW }));
    let shown = stack.send("GET", "/v1/program", None).await.expect(200);
    assert_eq!(shown, json!({ "version": 1, "effective_from": NOW, "document": example_program() }));
    assert_eq!(stack.send("GET", "/v1/program/versions/1", None).await.expect(200), shown);
}

#[tokio::test]
async fn a_later_version_takes_effect_60_seconds_later_and_not_a_moment_sooner() {
    let stack = Stack::with_program(NOW, &giving("1")).await;
    let answer = put(&stack, &[], &giving("2")).await.expect(201);
    assert_eq!(answer, json!({ "version": 2, "effective_from": "2026-11-21T10:01:00Z" }));
    let member = stack.enrol("m").await;
    let points = async |order: &str| {
        let body = stack.purchase(order, &member, 1_000);
        let purchase = stack.send("POST", "/v1/purchases", Some(&body)).await.expect(201)["purchase"].clone();
        (purchase["points"].as_u64().unwrap(), purchase["program_version"].as_u64().unwrap())
    };
    assert_eq!((in_force(&stack).await, points("A-1").await), (1, (10, 1)));
    stack.advance(SignedDuration::from_millis(59_999));
    assert_eq!((in_force(&stack).await, points("A-2").await), (1, (10, 1)));
    stack.advance(SignedDuration::from_millis(1));
    assert_eq!((in_force(&stack).await, points("A-3").await), (2, (20, 2)));
    assert_eq!(stack.send("GET", "/v1/program/versions/1", None).await.expect(200)["document"], giving("1"));
    crate::kit::books_balance(&stack, &member).await;
}

#[tokio::test]
async fn a_moment_sooner_than_60_seconds_is_refused_and_a_later_one_kept() {
    let stack = Stack::with_program(NOW, &giving("1")).await;
    let before = dump(&stack).await;
    let from = |moment: &str| with(&giving("2"), "/effective_from", json!(moment));
    for moment in ["2026-11-21T10:00:59.999Z", NOW, "2020-01-01T00:00:00Z"] {
        let refused = put(&stack, &[], &from(moment)).await;
        is_refused_at(&refused, &["/effective_from"], moment);
        assert_eq!(refused.status, 422);
    }
    assert_eq!(dump(&stack).await, before);
    let answer = put(&stack, &[], &from("2026-12-01T00:00:00+01:00")).await.expect(201);
    assert_eq!(answer, json!({ "version": 2, "effective_from": "2026-11-30T23:00:00Z" }));
    stack.set_clock("2026-11-30T22:59:59Z");
    assert_eq!(in_force(&stack).await, 1);
    stack.set_clock("2026-11-30T23:00:00Z");
    assert_eq!(in_force(&stack).await, 2);
}

#[tokio::test]
async fn the_highest_number_whose_time_has_come_is_in_force() {
    let stack = Stack::with_program(NOW, &giving("1")).await;
    put(&stack, &[], &with(&giving("2"), "/effective_from", json!("2026-12-01T00:00:00Z"))).await.expect(201);
    put(&stack, &[], &giving("3")).await.expect(201);
    for (moment, number) in
        [(NOW, 1), ("2026-11-21T10:01:00Z", 3), ("2026-12-02T00:00:00Z", 3), ("2020-01-01T00:00:00Z", 1)]
    {
        stack.set_clock(moment);
        assert_eq!(in_force(&stack).await, number, "{moment}");
    }
}

#[tokio::test]
async fn a_purchase_is_judged_by_the_version_in_force_when_it_occurred() {
    let stack = Stack::with_program(NOW, &giving("1")).await;
    let member = stack.enrol("m").await;
    put(&stack, &[], &giving("2")).await.expect(201);
    let late = stack.purchase("A-1", &member, 1_000);
    stack.set_clock("2026-11-22T10:00:00Z");
    let answer = stack.send("POST", "/v1/purchases", Some(&late)).await.expect(201);
    assert_eq!((&answer["purchase"]["points"], &answer["purchase"]["program_version"]), (&json!(10), &json!(1)));
    // And its refund by the same, whatever is in force by then.
    put(&stack, &[], &with(&giving("9"), "/points/late_purchase_days", json!(1))).await.expect(201);
    stack.set_clock("2026-12-22T10:00:00Z");
    let refund = json!({ "refund_id": "R-1", "occurred_at": stack.now(), "lines": [{ "line_id": "1", "quantity": 1, "net_amount": 500 }] });
    let answer = stack.send("POST", "/v1/purchases/web/A-1/refunds", Some(&refund)).await;
    assert_eq!(answer.expect(201)["refund"]["points_clawed_back"], 10, "nothing of the line is left");
}

#[tokio::test]
async fn if_match_guards_against_overwriting_somebodys_publish() {
    let stack = Stack::with_program(NOW, &giving("1")).await;
    put(&stack, &[("if-match", "\"1\"")], &giving("2")).await.expect(201);
    let before = dump(&stack).await;
    for stale in ["\"1\"", "\"0\"", "\"3\""] {
        let refused = put(&stack, &[("if-match", stale)], &giving("3")).await;
        is_problem(&refused, stale);
        assert_eq!((refused.status.as_u16(), refused.code()), (412, "version_mismatch"), "{stale}");
        assert_eq!(refused.body["newest"], 2);
    }
    for nonsense in ["2", "\"two\"", "\"2", "", "\"-1\"", "W/\"2\"", "\"+2\"", "\"02\""] {
        let refused = put(&stack, &[("if-match", nonsense)], &giving("3")).await;
        is_problem(&refused, nonsense);
        assert_eq!((refused.status.as_u16(), refused.code()), (400, "if_match_malformed"), "{nonsense}");
    }
    assert_eq!(dump(&stack).await, before);
    put(&stack, &[("if-match", "*")], &giving("3")).await.expect(201);
    // The retry of a publish whose answer was lost has the version before it in hand, and is told what came of it.
    let again = put(&stack, &[("if-match", "\"2\"")], &giving("3")).await;
    assert!(again.replayed());
    assert_eq!(again.expect(201)["version"], 3);
}

#[tokio::test]
async fn two_who_publish_at_once_make_two_versions_or_one_is_told() {
    let stack = Stack::with_program(NOW, &giving("1")).await;
    let (one, two) = (giving("2"), giving("3"));
    let answers = tokio::join!(put(&stack, &[], &one), put(&stack, &[], &two));
    let mut numbers = [answers.0.expect(201)["version"].clone(), answers.1.expect(201)["version"].clone()];
    numbers.sort_by_key(Value::as_u64);
    assert_eq!(numbers, [json!(2), json!(3)]);
    let headers = [("if-match", "\"3\"")];
    let (one, two) = (giving("4"), giving("5"));
    let answers = tokio::join!(put(&stack, &headers, &one), put(&stack, &headers, &two));
    let mut statuses = [answers.0.status.as_u16(), answers.1.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 412]);
}

#[tokio::test]
async fn versions_that_are_not_there_are_a_404() {
    let stack = Stack::with_program(NOW, &plain_program()).await;
    for number in ["0", "2", "01", "+1", "-1", "1.0", "x", "4294967296", "99999999999999999999", "%31%00"] {
        let answer = stack.send("GET", &format!("/v1/program/versions/{number}"), None).await;
        is_problem(&answer, number);
        assert_eq!((answer.status.as_u16(), answer.code()), (404, "program_version_unknown"), "{number}");
    }
    assert_eq!(stack.send("GET", "/v1/program/versions/%31", None).await.expect(200)["version"], 1);
}

#[tokio::test]
async fn validate_finds_every_fault_and_publishes_nothing() {
    let stack = Stack::with_program(NOW, &plain_program()).await;
    let before = dump(&stack).await;
    let validate = async |document: &Value| stack.send("POST", "/v1/program/validate", Some(document)).await;
    assert_eq!(validate(&example_program()).await.expect(200), json!({ "errors": [] }));
    let mut broken = example_program();
    broken["time_zone"] = json!("Mars/Base");
    broken["rounding"] = json!("round");
    broken["earning_rules"][0]["award"]["per_amount"]["currency"] = json!("EURO");
    broken["earning_rules"][1]["when"]["all"][0] = json!({ "local_weekday": ["sat", "someday"] });
    broken["tiers"]["levels"][0]["from"] = json!(1);
    broken["surprise"] = json!(1);
    let mut expected = vec![
        "/time_zone",
        "/rounding",
        "/earning_rules/0/award/per_amount/currency",
        "/earning_rules/1/when/all/0/local_weekday/1",
        "/tiers/levels/0/from",
        "/surprise",
    ];
    expected.sort_unstable();
    for refused in [validate(&broken).await, put(&stack, &[], &broken).await] {
        is_problem(&refused, "broken");
        assert_eq!((refused.status.as_u16(), refused.code()), (422, "program_invalid"));
        let mut pointers = refused.pointers();
        pointers.sort_unstable();
        assert_eq!(pointers, expected);
    }
    for required in ["name", "time_zone", "rounding", "points", "earning_rules", "tiers"] {
        let mut lacking = example_program();
        lacking.as_object_mut().unwrap().remove(required);
        is_refused_at(&validate(&lacking).await, &[&format!("/{required}")], required);
    }
    for optional in ["point_name", "rewards", "referral", "birthday"] {
        let mut without = example_program();
        without.as_object_mut().unwrap().remove(optional);
        validate(&without).await.expect(200);
    }
    assert_eq!(dump(&stack).await, before);
}

#[tokio::test]
async fn nothing_crosses_programs() {
    let stack = Stack::with_program(NOW, &plain_program()).await;
    let member = stack.enrol("m").await;
    let purchase = stack.purchase("A-1", &member, 1_000);
    stack.send("POST", "/v1/purchases", Some(&purchase)).await.expect(201);
    let club = claims_of("till-1", "club", STAFF);
    let as_club = async |method: &str, path: &str, body: Option<&Value>| {
        let key = [("idempotency-key", "k")];
        stack.send_as(&club, method, path, &key, body.map(|body| body.to_string().into_bytes())).await
    };
    let no_program = as_club("GET", "/v1/program", None).await;
    assert_eq!(no_program.code(), "program_unknown");
    as_club("PUT", "/v1/program", Some(&giving("5"))).await.expect(201);
    let adjust = json!({ "member": { "member_id": member }, "points": 5, "reason": "x" });
    let refund = json!({ "refund_id": "R", "occurred_at": NOW, "lines": [{ "line_id": "1", "quantity": 1 }] });
    for (method, path, body) in [
        ("GET", format!("/v1/members/{member}"), None),
        ("GET", format!("/v1/members/{member}/account"), None),
        ("GET", format!("/v1/members/{member}/ledger"), None),
        ("GET", format!("/v1/members/{member}/export"), None),
        ("PATCH", format!("/v1/members/{member}"), Some(json!({ "given_name": "X" }))),
        ("POST", format!("/v1/members/{member}/deactivate"), None),
        ("DELETE", format!("/v1/members/{member}"), None),
        ("POST", "/v1/members/lookup".to_owned(), Some(json!({ "external_id": "m" }))),
        ("POST", "/v1/members/lookup".to_owned(), Some(json!({ "member_id": member }))),
        ("GET", "/v1/purchases/web/A-1".to_owned(), None),
        ("POST", "/v1/purchases/web/A-1/refunds".to_owned(), Some(refund)),
        ("POST", "/v1/purchases".to_owned(), Some(purchase.clone())),
        ("POST", "/v1/adjustments".to_owned(), Some(adjust)),
    ] {
        assert_eq!(as_club(method, &path, body.as_ref()).await.status, 404, "{method} {path}");
    }
    // The same identity and the same order are others there.
    let body = json!({ "external_id": "m" });
    let other = as_club("POST", "/v1/members", Some(&body)).await.expect(201);
    let mut purchase = purchase;
    purchase["member"] = json!({ "external_id": "m" });
    let bought = as_club("POST", "/v1/purchases", Some(&purchase)).await;
    assert!(!bought.replayed());
    let bought = bought.expect(201);
    assert_eq!(
        (&bought["purchase"]["points"], &bought["purchase"]["member_id"]),
        (&json!(50), &other["member"]["member_id"])
    );
    assert_eq!(stack.account(&member).await["points"]["available"], 10);
    // A token that names no program is for `main`.
    let mut unnamed = claims(STAFF);
    unnamed.remove("program");
    let shown = stack.send_as(&unnamed, "GET", "/v1/program", &[], None).await.expect(200);
    assert_eq!(names(&shown), ["document", "effective_from", "version"]);
    assert_eq!(shown["document"], plain_program());
}

#[tokio::test]
async fn what_a_campaign_or_reward_offers_in_all_may_grow_with_a_version_and_not_shrink() {
    let offering = |budget: i64, stock: i64| {
        let mut program = plain_program();
        let rule =
            json!({ "id": "campaign", "on": "purchase", "award": { "points": 1 }, "budget": { "points": budget } });
        program["earning_rules"].as_array_mut().unwrap().push(rule);
        program["rewards"] = json!([{ "id": "mug", "name": "Mug", "kind": "product", "points": 40,
            "settle": "immediately", "stock": stock }]);
        program
    };
    let stack = Stack::with_program(NOW, &offering(80, 80)).await;
    let refused = put(&stack, &[], &offering(79, 40)).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (422, "program_invalid"));
    let last = offering(0, 0)["earning_rules"].as_array().unwrap().len() - 1;
    assert_eq!(refused.pointers(), [&format!("/earning_rules/{last}/budget/points"), "/rewards/0/stock"]);
    put(&stack, &[], &offering(80, 81)).await.expect(201);
}
