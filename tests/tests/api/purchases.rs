//! `POST /v1/purchases`, `/quote`, `GET /v1/purchases/{channel}/{order_id}`.

use crate::kit::{dump, is_problem, is_refused_at, names, with};
use it::stack::{Answered, STAFF, Stack, example_program, plain_program};
use serde_json::{Value, json};

const NOW: &str = "2026-11-21T10:00:00Z";

fn contract(member: &str) -> Value {
    json!({
        "channel": "web", "order_id": "A-1", "member": { "member_id": member }, "occurred_at": "2026-11-20T09:59:00+01:00",
        "currency": "EUR", "store": "berlin-1",
        "lines": [{ "line_id": "1", "sku": "beans-250", "categories": ["coffee"], "quantity": 2, "net_amount": 1050 },
                  { "line_id": "2", "sku": "mug", "categories": ["hardware"], "quantity": 1, "net_amount": 949 }],
    })
}

async fn buy(stack: &Stack, body: &Value) -> Answered {
    stack.send("POST", "/v1/purchases", Some(body)).await
}

#[tokio::test]
async fn the_example_of_the_contract_earns_19() {
    let stack = Stack::with_program(NOW, &plain_program()).await;
    let member = stack.enrol("m").await;
    let answer = buy(&stack, &contract(&member)).await;
    assert!(!answer.replayed());
    let answer = answer.expect(201);
    assert_eq!(names(&answer), ["account", "entries", "purchase"]);
    let purchase = &answer["purchase"];
    for (name, value) in [
        ("channel", json!("web")),
        ("order_id", json!("A-1")),
        ("member_id", json!(member)),
        ("points", json!(19)),
        ("clawed_back", json!(0)),
        ("program_version", json!(1)),
        ("occurred_at", json!("2026-11-20T08:59:00Z")),
        ("recorded_at", json!(NOW)),
        ("currency", json!("EUR")),
        ("store", json!("berlin-1")),
    ] {
        assert_eq!(purchase[name], value, "{name}");
    }
    assert_eq!(purchase["lines"], contract(&member)["lines"]);
    assert_eq!(answer["entries"].as_array().unwrap().len(), 1);
    assert_eq!(answer["account"], stack.account(&member).await);
    assert_eq!((&answer["account"]["version"], &answer["entries"][0]["seq"]), (&json!(2), &json!(2)));
}

#[tokio::test]
async fn entries_are_those_of_the_request_and_points_all_that_was_awarded() {
    let stack = Stack::with_program(NOW, &example_program()).await;
    let member = stack.enrol("m").await;
    // A Saturday: coffee counts twice; and more than 50.00 give 100 once.
    let mut body = contract(&member);
    body["occurred_at"] = json!(NOW);
    body["lines"][0]["net_amount"] = json!(5_050);
    let answer = buy(&stack, &body).await.expect(201);
    assert_eq!(answer["purchase"]["points"], 101 + 9 + 100);
    // A year on, what has expired and its notice are settled first; they are no part of this answer.
    stack.set_clock("2028-01-10T10:00:00Z");
    let mut later = stack.purchase("A-2", &member, 1_000);
    later["occurred_at"] = json!("2028-01-10T09:00:00Z");
    let answer = buy(&stack, &later).await.expect(201);
    let kinds: Vec<&Value> = answer["entries"].as_array().unwrap().iter().map(|entry| &entry["kind"]).collect();
    assert_eq!(kinds, ["earn"]);
    assert!(stack.ledger(&member).await.len() > 4);
    crate::kit::books_balance(&stack, &member).await;
}

#[tokio::test]
async fn the_same_order_again_answers_the_same_facts_and_the_account_as_it_is_now() {
    let stack = Stack::with_program(NOW, &plain_program()).await;
    let member = stack.enrol("m").await;
    let first = buy(&stack, &contract(&member)).await.expect(201);
    // Refunds, another purchase and another program have come since.
    let refund = json!({ "refund_id": "R-1", "occurred_at": NOW, "lines": [{ "line_id": "2", "quantity": 1 }] });
    stack.send("POST", "/v1/purchases/web/A-1/refunds", Some(&refund)).await.expect(201);
    buy(&stack, &stack.purchase("A-2", &member, 10_000)).await.expect(201);
    let mut generous = plain_program();
    generous["earning_rules"][0]["award"]["per_amount"]["points"] = json!("9");
    stack.publish(&generous).await;
    stack.set_clock("2027-03-01T00:00:00Z");
    let before = dump(&stack).await;
    // The same instant in another zone, fields in another order, `null` for what was left out: the same content.
    let mut same = contract(&member);
    same["occurred_at"] = json!("2026-11-20T08:59:00.000Z");
    let again = buy(&stack, &same).await;
    assert!(again.replayed());
    let again = again.expect(201);
    assert_eq!((&again["purchase"], &again["entries"]), (&first["purchase"], &first["entries"]));
    assert_eq!(again["account"], stack.account(&member).await);
    assert_eq!(again["account"]["points"]["available"], 110);
    assert_eq!(dump(&stack).await, before);
}

#[tokio::test]
async fn the_same_order_with_other_content_is_a_422_with_the_pointers_that_differ() {
    let stack = Stack::with_program(NOW, &plain_program()).await;
    let member = stack.enrol("m").await;
    let other = stack.enrol("other").await;
    let first = contract(&member);
    buy(&stack, &first).await.expect(201);
    let before = dump(&stack).await;
    let line = first["lines"][0].clone();
    for (pointer, value, differs) in [
        ("/member", json!({ "member_id": other }), "/member"),
        // The member reference as sent: the same person named otherwise is another request.
        ("/member", json!({ "external_id": "m" }), "/member"),
        ("/member", Value::Null, "/member"),
        ("/occurred_at", json!("2026-11-20T09:59:01+01:00"), "/occurred_at"),
        ("/occurred_at", json!("2026-11-20T09:59:00Z"), "/occurred_at"),
        ("/currency", json!("CHF"), "/currency"),
        ("/store", json!("berlin-2"), "/store"),
        ("/store", Value::Null, "/store"),
        ("/lines/0/line_id", json!("3"), "/lines/0/line_id"),
        ("/lines/0/sku", json!("beans-500"), "/lines/0/sku"),
        ("/lines/0/sku", Value::Null, "/lines/0/sku"),
        ("/lines/0/categories", json!([]), "/lines/0/categories"),
        ("/lines/0/categories", json!(["coffee", "tea"]), "/lines/0/categories"),
        ("/lines/0/quantity", json!(3), "/lines/0/quantity"),
        ("/lines/1/net_amount", json!(950), "/lines/1/net_amount"),
        ("/lines", json!([line]), "/lines"),
    ] {
        let refused = buy(&stack, &with(&first, pointer, value.clone())).await;
        let context = format!("{pointer} {value}");
        assert_eq!((refused.status.as_u16(), refused.code()), (422, "idempotency_mismatch"), "{context}");
        is_refused_at(&refused, &[differs], &context);
    }
    let mut both = with(&first, "/store", json!("x"));
    both["lines"][1]["quantity"] = json!(2);
    is_refused_at(&buy(&stack, &both).await, &["/store", "/lines/1/quantity"], "both");
    // What could not be recorded at all is still told apart from what was.
    let member_gone = with(&first, "/member", json!({ "external_id": "nobody" }));
    is_refused_at(&buy(&stack, &member_gone).await, &["/member"], "a member whom nobody knows");
    let too_old = with(&first, "/occurred_at", json!("2025-01-01T00:00:00Z"));
    is_refused_at(&buy(&stack, &too_old).await, &["/occurred_at"], "too old, and another");
    assert_eq!(dump(&stack).await, before);
}

#[tokio::test]
async fn order_ids_are_the_channels_own() {
    let stack = Stack::with_program(NOW, &plain_program()).await;
    let member = stack.enrol("m").await;
    for (channel, order) in [("web", "A-1"), ("pos", "A-1"), ("web", "a-1"), ("web.A", "1"), ("web", "A:1")] {
        let mut body = contract(&member);
        (body["channel"], body["order_id"]) = (json!(channel), json!(order));
        buy(&stack, &body).await.expect(201);
        let got = stack.send("GET", &format!("/v1/purchases/{channel}/{order}"), None).await.expect(200);
        assert_eq!((&got["purchase"]["channel"], &got["purchase"]["order_id"]), (&json!(channel), &json!(order)));
    }
    assert_eq!(stack.account(&member).await["points"]["available"], 5 * 19);
}

#[tokio::test]
async fn a_retry_is_recognised_after_the_phone_has_gone_to_somebody_else() {
    let stack = Stack::with_program(NOW, &plain_program()).await;
    let phone = json!({ "phone": "+4915112345678" });
    let enrol = async |body: Value| {
        stack.send("POST", "/v1/members", Some(&body)).await.expect(201)["member"]["member_id"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let ada = enrol(json!({ "external_id": "ada", "phone": "+4915112345678" })).await;
    let body = with(&contract(&ada), "/member", phone.clone());
    let first = buy(&stack, &body).await.expect(201);
    stack.send("PATCH", &format!("/v1/members/{ada}"), Some(&json!({ "phone": null }))).await.expect(200);
    // Nobody has the number now; the till that lost the answer asks again all the same.
    let orphaned = buy(&stack, &body).await;
    assert!(orphaned.replayed());
    let orphaned = orphaned.expect(201);
    assert_eq!((&orphaned["purchase"], &orphaned["entries"]), (&first["purchase"], &first["entries"]));
    assert_eq!(orphaned["account"]["member_id"], json!(ada));
    let bob = enrol(json!({ "external_id": "bob", "phone": "+4915112345678" })).await;
    let again = buy(&stack, &body).await;
    assert!(again.replayed());
    let again = again.expect(201);
    assert_eq!((&again["purchase"], &again["entries"]), (&first["purchase"], &first["entries"]));
    assert_eq!(again["account"]["member_id"], json!(ada), "never the account of another person");
    assert_eq!(stack.account(&bob).await["version"], 1);
    let other = with(&body, "/store", json!("elsewhere"));
    is_refused_at(&buy(&stack, &other).await, &["/store"], "other content");
}

#[tokio::test]
async fn a_guests_purchase_is_kept_without_points_and_can_be_refunded() {
    let stack = Stack::with_program(NOW, &plain_program()).await;
    let mut body = contract("");
    body["member"] = Value::Null;
    let first = buy(&stack, &body).await.expect(201);
    assert_eq!((&first["purchase"]["member_id"], &first["purchase"]["points"]), (&Value::Null, &json!(0)));
    assert_eq!((&first["entries"], &first["account"]), (&json!([]), &Value::Null));
    body.as_object_mut().unwrap().remove("member");
    let again = buy(&stack, &body).await;
    assert!(again.replayed());
    assert_eq!(again.expect(201), first);
    let refund = json!({ "refund_id": "R-1", "occurred_at": NOW, "lines": [{ "line_id": "1", "quantity": 1, "net_amount": 525 }] });
    let refunded = stack.send("POST", "/v1/purchases/web/A-1/refunds", Some(&refund)).await.expect(201);
    assert_eq!(refunded["refund"], json!({ "refund_id": "R-1", "points_clawed_back": 0, "points_restored": 0 }));
    assert_eq!((&refunded["entries"], &refunded["account"]), (&json!([]), &Value::Null));
    let got = stack.send("GET", "/v1/purchases/web/A-1", None).await.expect(200)["purchase"].clone();
    assert_eq!(got["member_id"], Value::Null);
    assert_eq!((&got["lines"][0]["quantity_left"], &got["lines"][0]["net_amount_left"]), (&json!(1), &json!(525)));
    let again = stack.send("POST", "/v1/purchases/web/A-1/refunds", Some(&refund)).await;
    assert!(again.replayed());
    assert_eq!(again.expect(201), refunded);
}

#[tokio::test]
async fn a_quote_writes_nothing_and_equals_the_purchase_that_follows() {
    let stack = Stack::with_program(NOW, &example_program()).await;
    let member = stack.enrol("m").await;
    for (order, net) in [("A-1", 1_000), ("A-2", 4_999), ("A-3", 90_000), ("A-4", 12_345), ("A-5", 0)] {
        let mut body = contract(&member);
        body["order_id"] = json!(order);
        body["lines"][0]["net_amount"] = json!(net);
        let before = dump(&stack).await;
        let quote = stack.send("POST", "/v1/purchases/quote", Some(&body)).await.expect(200);
        let mut unnumbered = body.clone();
        unnumbered.as_object_mut().unwrap().remove("order_id");
        let anonymous = stack.send("POST", "/v1/purchases/quote", Some(&unnumbered)).await.expect(200);
        assert_eq!(dump(&stack).await, before);
        assert_eq!(names(&quote), ["entries", "points", "rules_not_applied"]);
        assert_eq!(
            (&anonymous["points"], &anonymous["rules_not_applied"]),
            (&quote["points"], &quote["rules_not_applied"])
        );
        let bought = buy(&stack, &body).await.expect(201);
        assert_eq!(quote["points"], bought["purchase"]["points"]);
        assert_eq!(quote["entries"], bought["entries"]);
    }
}

#[tokio::test]
async fn a_quote_says_why_rules_gave_nothing() {
    let stack = Stack::with_program(NOW, &example_program()).await;
    let member = stack.enrol("m").await;
    let quote = stack.send("POST", "/v1/purchases/quote", Some(&contract(&member))).await.expect(200);
    let rules = quote["rules_not_applied"].as_array().unwrap();
    // A Friday, and less than 50.00.
    assert_eq!(
        rules.iter().map(|rule| rule["rule"].as_str().unwrap()).collect::<Vec<_>>(),
        ["coffee-weekend", "spend-50"]
    );
    for rule in rules {
        let because = rule["because"].as_array().unwrap();
        assert!(!because.is_empty() && because.iter().all(Value::is_string), "{rule}");
    }
}

#[tokio::test]
async fn a_purchase_as_it_stands_shows_what_is_left_of_it() {
    let stack = Stack::with_program(NOW, &plain_program()).await;
    let member = stack.enrol("m").await;
    buy(&stack, &contract(&member)).await.expect(201);
    let refund = json!({ "refund_id": "R-1", "occurred_at": NOW, "lines": [{ "line_id": "1", "quantity": 1, "net_amount": 500 }] });
    stack.send("POST", "/v1/purchases/web/A-1/refunds", Some(&refund)).await.expect(201);
    let got = stack.send("GET", "/v1/purchases/web/A-1", None).await.expect(200)["purchase"].clone();
    assert_eq!((&got["points"], &got["clawed_back"]), (&json!(19), &json!(5)));
    assert_eq!((&got["lines"][0]["quantity_left"], &got["lines"][0]["net_amount_left"]), (&json!(1), &json!(550)));
    assert_eq!((&got["lines"][1]["quantity_left"], &got["lines"][1]["net_amount_left"]), (&json!(1), &json!(949)));
    for path in ["/v1/purchases/web/A-2", "/v1/purchases/pos/A-1", "/v1/purchases/web/..%2F", "/v1/purchases/web/a%20b"]
    {
        let answer = stack.send("GET", path, None).await;
        is_problem(&answer, path);
        assert_eq!(answer.status, 404);
    }
}

#[tokio::test]
async fn a_refusal_is_not_remembered() {
    let stack = Stack::with_program(NOW, &plain_program()).await;
    let body = with(&contract(""), "/member", json!({ "external_id": "late" }));
    let refused = buy(&stack, &body).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (404, "member_unknown"));
    stack.enrol("late").await;
    let answer = buy(&stack, &body).await;
    assert!(!answer.replayed());
    answer.expect(201);
}

#[tokio::test]
async fn up_to_five_minutes_ahead_counts_as_now_and_more_is_refused() {
    let stack = Stack::with_program(NOW, &plain_program()).await;
    let member = stack.enrol("m").await;
    let at = |order: &str, moment: &str| {
        let mut body = contract(&member);
        (body["order_id"], body["occurred_at"]) = (json!(order), json!(moment));
        body
    };
    let entry = buy(&stack, &at("A-1", "2026-11-21T10:05:00Z")).await.expect(201)["entries"][0].clone();
    assert_eq!(entry["occurred_at"], NOW);
    for (moment, code) in [
        ("2026-11-21T10:05:00.001Z", "in_future"),
        ("2026-11-22T10:00:00Z", "in_future"),
        ("2999-12-31T23:59:59Z", "in_future"),
        ("2026-10-22T09:59:59Z", "purchase_too_old"),
        ("1900-01-01T00:00:00Z", "purchase_too_old"),
    ] {
        let refused = buy(&stack, &at("A-2", moment)).await;
        is_refused_at(&refused, &["/occurred_at"], moment);
        assert_eq!((refused.status.as_u16(), refused.code()), (422, code), "{moment}");
        let mut guest = at("A-2", moment);
        guest["member"] = Value::Null;
        assert_eq!(buy(&stack, &guest).await.code(), code, "a guest's, {moment}");
    }
    buy(&stack, &at("A-2", "2026-10-22T10:00:00Z")).await.expect(201);
}

#[tokio::test]
async fn points_for_one_currency_are_not_given_for_another() {
    let stack = Stack::with_program(NOW, &plain_program()).await;
    let member = stack.enrol("m").await;
    let answer = buy(&stack, &with(&contract(&member), "/currency", json!("JPY"))).await.expect(201);
    assert_eq!(answer["purchase"]["points"], 0);
    let entry = &answer["entries"][0];
    assert_eq!((&entry["kind"], &entry["points"]), (&json!("earn"), &json!(0)));
    assert!(entry["explanation"].to_string().contains("JPY"), "{entry}");
}

#[tokio::test]
async fn who_recorded_it_stands_on_the_entry() {
    let stack = Stack::with_program(NOW, &plain_program()).await;
    let member = stack.enrol("m").await;
    let pos = crate::kit::claims_of("pos-12", "main", STAFF);
    let body = contract(&member).to_string().into_bytes();
    let answer = stack.send_as(&pos, "POST", "/v1/purchases", &[], Some(body.clone())).await.expect(201);
    assert_eq!(answer["entries"][0]["actor"], "pos-12");
    // The order is one fact, whoever tells of it.
    let other = crate::kit::claims_of("pos-13", "main", STAFF);
    let again = stack.send_as(&other, "POST", "/v1/purchases", &[], Some(body)).await;
    assert!(again.replayed());
    assert_eq!(again.body["entries"], answer["entries"]);
}
