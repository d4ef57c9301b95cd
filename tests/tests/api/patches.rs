//! `PATCH /v1/members/{member_id}`: a JSON merge patch of the profile.

use crate::kit::{dump, is_problem, is_refused_at, with};
use it::stack::{Answered, STAFF, Stack, claims, plain_program};
use serde_json::{Value, json};

const NOW: &str = "2026-11-21T10:00:00Z";

fn ada() -> Value {
    json!({
        "external_id": "crm-1001", "email": "ada@example.com", "phone": "+4915112345678", "card_number": "9000000001",
        "given_name": "Ada", "family_name": "Lovelace", "birthday": "1992-02-29", "time_zone": "Europe/Berlin",
        "tags": ["staff"], "consents": { "marketing_email": true, "sms": false },
    })
}

async fn enrolled() -> (Stack, Value) {
    let stack = Stack::with_program(NOW, &plain_program()).await;
    let member = stack.send("POST", "/v1/members", Some(&ada())).await.expect(201)["member"].clone();
    (stack, member)
}

async fn patch(stack: &Stack, member: &Value, patch: Value) -> Answered {
    stack.send("PATCH", &format!("/v1/members/{}", member["member_id"].as_str().unwrap()), Some(&patch)).await
}

#[tokio::test]
async fn what_is_named_changes_null_removes_and_the_rest_stays() {
    let (stack, before) = enrolled().await;
    let change = json!({ "given_name": "Augusta", "family_name": null, "birthday": "--12-10", "card_number": null,
                         "time_zone": "Europe/London", "tags": ["vip", "staff", "vip"] });
    let mut expected = with(&before, "/given_name", json!("Augusta"));
    for (name, value) in [
        ("family_name", Value::Null),
        ("birthday", json!("--12-10")),
        ("card_number", Value::Null),
        ("time_zone", json!("Europe/London")),
        ("tags", json!(["staff", "vip"])),
    ] {
        expected[name] = value;
    }
    assert_eq!(patch(&stack, &before, change).await.expect(200)["member"], expected);
    let path = format!("/v1/members/{}", before["member_id"].as_str().unwrap());
    assert_eq!(stack.send("GET", &path, None).await.expect(200)["member"], expected);
}

#[tokio::test]
async fn consents_are_merged_name_by_name() {
    let (stack, member) = enrolled().await;
    let after =
        patch(&stack, &member, json!({ "consents": { "sms": null, "post": true, "marketing_email": false } })).await;
    assert_eq!(after.expect(200)["member"]["consents"], json!({ "marketing_email": false, "post": true }));
    let after = patch(&stack, &member, json!({ "consents": {} })).await.expect(200);
    assert_eq!(after["member"]["consents"], json!({ "marketing_email": false, "post": true }));
    assert_eq!(patch(&stack, &member, json!({ "consents": null })).await.expect(200)["member"]["consents"], json!({}));
}

#[tokio::test]
async fn both_media_types_are_understood_and_others_are_a_415() {
    let (stack, member) = enrolled().await;
    let path = format!("/v1/members/{}", member["member_id"].as_str().unwrap());
    for (media, status) in [
        ("application/json", 200),
        ("application/merge-patch+json", 200),
        ("Application/JSON; charset=UTF-8", 200),
        ("application/json; charset=latin1", 415),
        ("application/json-patch+json", 415),
        ("text/plain", 415),
        ("", 415),
    ] {
        let body = json!({ "given_name": media.len().to_string() }).to_string().into_bytes();
        let answer = stack.send_as(&claims(STAFF), "PATCH", &path, &[("content-type", media)], Some(body)).await;
        assert_eq!(answer.status.as_u16(), status, "{media}");
        if status == 415 {
            is_problem(&answer, media);
        }
    }
    let body = ada().to_string().into_bytes();
    let headers = [("content-type", "application/merge-patch+json")];
    let answer = stack.send_as(&claims(STAFF), "POST", "/v1/members", &headers, Some(body)).await;
    assert_eq!(answer.status, 415, "a merge patch is only for PATCH");
}

#[tokio::test]
async fn an_identity_given_up_is_free_for_others_and_a_new_one_is_unique() {
    let (stack, ada) = enrolled().await;
    let bob = json!({ "external_id": "bob", "email": "bob@example.com" });
    let bob = stack.send("POST", "/v1/members", Some(&bob)).await.expect(201)["member"].clone();
    let before = dump(&stack).await;
    let taken =
        patch(&stack, &bob, json!({ "email": "ADA@example.com", "phone": "+4915112345678", "given_name": "B" })).await;
    is_problem(&taken, "taken");
    assert_eq!((taken.code(), &taken.body["kinds"]), ("identity_taken", &json!(["email", "phone"])));
    assert_eq!(dump(&stack).await, before);

    patch(&stack, &ada, json!({ "email": "countess@example.com", "phone": null })).await.expect(200);
    patch(&stack, &bob, json!({ "email": "ada@example.com", "phone": "+4915112345678" })).await.expect(200);
    let who = async |reference: Value| {
        stack.send("POST", "/v1/members/lookup", Some(&reference)).await.expect(200)["member"]["member_id"].clone()
    };
    assert_eq!(who(json!({ "email": "ada@example.com" })).await, bob["member_id"]);
    assert_eq!(who(json!({ "phone": "+4915112345678" })).await, bob["member_id"]);
    assert_eq!(who(json!({ "email": "countess@example.com" })).await, ada["member_id"]);
    assert_eq!(
        stack.send("POST", "/v1/members/lookup", Some(&json!({ "email": "bob@example.com" }))).await.status,
        404
    );
}

#[tokio::test]
async fn one_identity_must_stay_and_the_referral_code_and_unknown_fields_are_refused() {
    let (stack, member) = enrolled().await;
    let before = dump(&stack).await;
    for (change, pointers) in [
        (json!({ "external_id": null, "email": null, "phone": null, "card_number": null }), &[""][..]),
        (json!({ "referral_code": "H7K2M9QX" }), &["/referral_code"]),
        (json!({ "referral_code": null }), &["/referral_code"]),
        (json!({ "member_id": "x", "nickname": null, "status": "active" }), &["/member_id", "/nickname", "/status"]),
        (json!({ "consents": { "a b": null, "sms": "no" } }), &["/consents/a b", "/consents/sms"]),
        (json!({ "consents": [] }), &["/consents"]),
        (json!({ "given_name": 1, "email": "x" }), &["/email", "/given_name"]),
        (json!([]), &[""]),
        (Value::Null, &[""]),
    ] {
        is_refused_at(&patch(&stack, &member, change.clone()).await, pointers, &change.to_string());
    }
    assert_eq!(dump(&stack).await, before);
}

#[tokio::test]
async fn a_patch_that_changes_nothing_writes_nothing() {
    let (stack, member) = enrolled().await;
    let before = dump(&stack).await;
    let same = json!({ "email": "ADA@example.com", "tags": ["staff"], "consents": { "sms": false } });
    for change in [json!({}), same] {
        assert_eq!(patch(&stack, &member, change).await.expect(200)["member"], member);
    }
    assert_eq!(dump(&stack).await, before);
}

#[tokio::test]
async fn zone_and_tags_count_for_the_rules_from_then_on() {
    let mut program = plain_program();
    let vip = json!({ "id": "vip", "on": "purchase", "when": { "tag": ["vip"] }, "award": { "points": 7 } });
    program["earning_rules"].as_array_mut().unwrap().push(vip);
    let stack = Stack::with_program(NOW, &program).await;
    let id = stack.enrol("m").await;
    let member = json!({ "member_id": id });
    let points = async |order: &str| {
        stack.send("POST", "/v1/purchases", Some(&stack.purchase(order, &id, 100))).await.expect(201)["purchase"]["points"].clone()
    };
    assert_eq!(points("A-1").await, 1);
    patch(&stack, &member, json!({ "tags": ["vip"], "time_zone": "Pacific/Auckland" })).await.expect(200);
    assert_eq!(points("A-2").await, 8);
    let ends = stack.account(&id).await["lots"].clone();
    // November ends 12 hours earlier in Auckland than in Berlin.
    assert_eq!((&ends[0]["points"], &ends[0]["expires_at"]), (&json!(8), &json!("2027-11-30T11:00:00Z")));
    assert_eq!((&ends[1]["points"], &ends[1]["expires_at"]), (&json!(1), &json!("2027-11-30T23:00:00Z")));
    patch(&stack, &member, json!({ "tags": null })).await.expect(200);
    assert_eq!(points("A-3").await, 1);
    crate::kit::books_balance(&stack, &id).await;
}

#[tokio::test]
async fn patches_sent_at_once_all_come_through() {
    let (stack, member) = enrolled().await;
    let mut running = tokio::task::JoinSet::new();
    for number in 0..6 {
        let (stack, member) = (stack.clone(), member.clone());
        running.spawn(async move {
            let change = json!({ "consents": { (format!("c{number}")): true }, "tags": [number.to_string()] });
            patch(&stack, &member, change).await.expect(200);
        });
    }
    running.join_all().await;
    let path = format!("/v1/members/{}", member["member_id"].as_str().unwrap());
    let consents = stack.send("GET", &path, None).await.expect(200)["member"]["consents"].clone();
    assert_eq!(consents.as_object().unwrap().len(), 8, "{consents}");
}
