//! The five programs of the repository: what their examples say happens to real purchases and activities, and a short
//! life under each.

use it::stack::{Answered, Stack};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const COFFEE: &str = include_str!("../../programs/coffee-stars.json");
const BEAUTY: &str = include_str!("../../programs/beauty-tiers.json");
const FASHION: &str = include_str!("../../programs/fashion-tiers.json");
const SKINCARE: &str = include_str!("../../programs/skincare.json");
const PAID: &str = include_str!("../../programs/paid-membership.json");

/// Long before anything happens.
const PUBLISHED: &str = "2024-01-01T00:00:00Z";

fn document(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// A stack with a program, and the clock somewhere.
async fn stack(text: &str, now: &str) -> Stack {
    let stack = Stack::with_program(PUBLISHED, &document(text)).await;
    stack.set_clock(now);
    stack
}

async fn enrol(stack: &Stack, name: &str) -> String {
    stack.enrol(name).await
}

/// Records an activity now; gives its points.
async fn does(stack: &Stack, member: &str, id: &str, kind: &str, attributes: Value) -> i64 {
    let body = json!({ "source": "app", "activity_id": id, "member": { "member_id": member }, "type": kind,
        "occurred_at": stack.now(), "attributes": attributes });
    let done = stack.send("POST", "/v1/activities", Some(&body)).await.expect(201);
    done["activity"]["points"].as_i64().unwrap()
}

/// Buys something now; gives its points.
async fn buys(stack: &Stack, member: &str, order: &str, currency: &str, lines: &[(&str, i64, i64)]) -> i64 {
    let lines: Vec<Value> = lines
        .iter()
        .enumerate()
        .map(|(index, (category, quantity, net))| {
            json!({ "line_id": index.to_string(), "categories": [category], "quantity": quantity, "net_amount": net })
        })
        .collect();
    let body = json!({ "channel": "pos", "order_id": order, "member": { "member_id": member }, "occurred_at": stack.now(),
        "currency": currency, "lines": lines });
    stack.send("POST", "/v1/purchases", Some(&body)).await.expect(201)["purchase"]["points"].as_i64().unwrap()
}

async fn level(stack: &Stack, member: &str) -> String {
    stack.account(member).await["tier"]["level"].as_str().unwrap().to_owned()
}

async fn progress(stack: &Stack, member: &str) -> Value {
    stack.send("GET", &format!("/v1/members/{member}/progress"), None).await.expect(200)
}

/// Makes an example's member, and then its purchase or activity.
async fn happens(stack: &Stack, number: usize, example: &Value) -> Answered {
    let (event, path) = match example["purchase"].is_object() {
        true => (&example["purchase"], "/v1/purchases"),
        false => (&example["activity"], "/v1/activities"),
    };
    let now: Timestamp = event["occurred_at"].as_str().unwrap().parse().unwrap();
    let whose = &example["member"];
    let days = whose["enrolled_days"].as_i64().unwrap_or(0);
    stack.set_clock(&(now - SignedDuration::from_hours(24 * days)).to_string());
    let body = json!({ "external_id": format!("m-{number}"), "tags": whose["tags"].as_array().unwrap_or(&Vec::new()) });
    let member = stack.send("POST", "/v1/members", Some(&body)).await.expect(201)["member"]["member_id"].clone();
    let id = member.as_str().unwrap();
    stack.set_clock(&now.to_string());
    if whose["first_purchase"] != true {
        // In a currency in which none of the programs deals, so that it uses up nothing but the first purchase.
        buys(stack, id, &format!("before-{number}"), "ISK", &[("none", 1, 1)]).await;
    }
    if let Some(level) = whose["level"].as_str() {
        let lent = json!({ "level": level, "until": "2030-01-01", "reason": "example" });
        let path = format!("/v1/members/{id}/level");
        stack.send_keyed(&format!("lend-{number}"), "POST", &path, &lent).await.expect(201);
    }
    let mut body = event.clone();
    body["member"] = json!({ "member_id": member });
    let names = if path == "/v1/purchases" { [("order_id", "channel")] } else { [("activity_id", "source")] };
    for (id, place) in names {
        body[id] = json!(format!("example-{number}"));
        if body[place].is_null() {
            body[place] = json!("app");
        }
    }
    stack.send("POST", path, Some(&body)).await
}

#[tokio::test]
async fn what_the_examples_of_every_program_say_is_what_happens() {
    for text in [COFFEE, BEAUTY, FASHION, SKINCARE, PAID] {
        let document = document(text);
        let name = document["name"].as_str().unwrap();
        let stack = stack(text, PUBLISHED).await;
        let examples = document["examples"].as_array().unwrap();
        assert!(examples.len() >= 6, "{name}");
        for (number, example) in examples.iter().enumerate() {
            let what = format!("{name}: {}", example["name"]);
            let answer = happens(&stack, number, example).await;
            assert_eq!(answer.status, 201, "{what}: {}", answer.body);
            let fact = if example["purchase"].is_object() { "purchase" } else { "activity" };
            assert_eq!(answer.body[fact]["points"], example["expect"]["points"], "{what}: {}", answer.body);
            let explained: BTreeSet<&str> = answer.body["entries"]
                .as_array()
                .unwrap()
                .iter()
                .flat_map(|entry| entry["explanation"].as_array().unwrap())
                .filter_map(|line| line["rule"].as_str())
                .collect();
            for rule in example["expect"]["rules"].as_array().into_iter().flatten() {
                let grants = document["earning_rules"].as_array().unwrap().iter().any(|earning| {
                    earning["id"] == *rule && earning["grants"].is_object() && earning["award"].is_null()
                });
                assert!(grants || explained.contains(rule.as_str().unwrap()), "{what}: {rule} of {explained:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_document_whose_examples_do_not_hold_is_not_published() {
    let stack = Stack::empty(PUBLISHED).await;
    let mut broken = document(COFFEE);
    broken["examples"][2]["expect"]["points"] = json!(15);
    for (method, path) in [("PUT", "/v1/program"), ("POST", "/v1/program/validate")] {
        let answer = stack.send(method, path, Some(&broken)).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (422, "program_invalid"), "{}", answer.body);
        assert_eq!(answer.pointers(), ["/examples/2/expect/points"]);
        let said = answer.body["errors"][0]["detail"].as_str().unwrap();
        assert!(said.starts_with("gives 14, not 15: stars 7.1, double-star-tuesday 7.1"), "{said}");
    }
    assert_eq!(stack.send("GET", "/v1/program", None).await.status, 404, "nothing is published");
}

#[tokio::test]
async fn coffee_stamps_add_up_over_purchases_and_tuesdays_count_twice() {
    let stack = stack(COFFEE, "2026-11-20T13:00:00Z").await;
    let ada = enrol(&stack, "ada").await;
    assert_eq!(stack.account(&ada).await["points"]["available"], 25, "welcome");
    assert_eq!(buys(&stack, &ada, "1", "EUR", &[("drinks", 4, 1_600), ("bakery", 3, 900)]).await, 25 + 20);
    stack.set_clock("2026-11-24T13:00:00Z");
    assert_eq!(buys(&stack, &ada, "2", "EUR", &[("drinks", 5, 2_000)]).await, 40);
    let card = progress(&stack, &ada).await;
    assert!(card.to_string().contains("stamp-card"), "{card}");
    // Nine drinks so far; the tenth and eleventh fill the card and begin the next.
    assert_eq!(buys(&stack, &ada, "3", "EUR", &[("drinks", 2, 800)]).await, 16);
    let entries = stack.ledger(&ada).await;
    let reached = entries.iter().filter(|entry| entry["kind"] == "goal").count();
    assert_eq!(reached, 1, "{entries:?}");
}

#[tokio::test]
async fn spend_lifts_to_the_next_level_at_once_pays_its_bonus_and_multiplies_from_the_next_purchase_on() {
    let stack = stack(BEAUTY, "2026-11-20T10:00:00Z").await;
    let ada = enrol(&stack, "ada").await;
    assert_eq!(buys(&stack, &ada, "1", "EUR", &[("makeup", 1, 34_999)]).await, 350 + 75);
    assert_eq!(level(&stack, &ada).await, "insider");
    assert_eq!(buys(&stack, &ada, "2", "EUR", &[("makeup", 1, 100)]).await, 1, "judged on the level before it");
    assert_eq!(level(&stack, &ada).await, "glow");
    let points: Vec<i64> = stack.ledger(&ada).await.iter().map(|entry| entry["points"].as_i64().unwrap()).collect();
    assert!(points.contains(&100), "entry bonus among {points:?}");
    assert_eq!(buys(&stack, &ada, "3", "EUR", &[("makeup", 1, 8_000)]).await, 100);
    stack.set_clock("2027-12-31T22:59:59Z");
    assert_eq!(level(&stack, &ada).await, "glow", "kept through the next year");
    stack.set_clock("2027-12-31T23:00:00Z");
    assert_eq!(level(&stack, &ada).await, "insider", "the past year earned no more");
}

#[tokio::test]
async fn a_member_books_two_bonus_days_a_year_and_they_triple_what_is_bought_then() {
    let stack = stack(FASHION, "2026-11-20T15:00:00Z").await;
    let ada = enrol(&stack, "ada").await;
    for (id, date) in [("b-1", "2026-11-28"), ("b-2", "2026-12-05"), ("b-3", "2026-12-12")] {
        does(&stack, &ada, id, "bonus_day_booked", json!({ "date": date })).await;
    }
    let days = [
        ("2026-11-27T20:00:00Z", 100),
        ("2026-11-28T15:00:00Z", 300),
        // Still the 28th in New York.
        ("2026-11-29T04:59:59Z", 300),
        ("2026-11-29T05:00:00Z", 100),
        ("2026-12-05T15:00:00Z", 300),
        // The third was one too many.
        ("2026-12-12T15:00:00Z", 100),
    ];
    for (number, (now, expected)) in days.into_iter().enumerate() {
        stack.set_clock(now);
        assert_eq!(buys(&stack, &ada, &format!("A-{number}"), "USD", &[("shoes", 1, 10_000)]).await, expected, "{now}");
    }
}

#[tokio::test]
async fn actions_have_their_yearly_caps_and_empties_lead_to_a_badge() {
    let stack = stack(SKINCARE, "2026-11-20T15:00:00Z").await;
    let ada = enrol(&stack, "ada").await;
    let mut given = Vec::new();
    for number in 0..5 {
        given.push(does(&stack, &ada, &format!("c-{number}"), "consultation", json!({})).await);
    }
    assert_eq!(given, [25, 25, 25, 25, 0]);
    stack.set_clock("2027-01-01T05:00:00Z");
    assert_eq!(does(&stack, &ada, "c-6", "consultation", json!({})).await, 25, "a new year");
    assert_eq!(does(&stack, &ada, "p-1", "profile_completed", json!({})).await, 50);
    assert_eq!(does(&stack, &ada, "p-2", "profile_completed", json!({})).await, 0, "once");
    for number in 0..101 {
        let points = does(&stack, &ada, &format!("e-{number}"), "empty_returned", json!({})).await;
        assert_eq!(points, if number < 100 { 10 } else { 0 }, "empty {number}");
    }
    let badges = progress(&stack, &ada).await["badges"].to_string();
    assert!(badges.contains("closed-loop"), "{badges}");
}

#[tokio::test]
async fn a_paid_level_lasts_while_it_is_paid_and_payments_follow_one_another() {
    let stack = stack(PAID, "2026-11-01T10:00:00Z").await;
    let ada = enrol(&stack, "ada").await;
    assert_eq!(level(&stack, &ada).await, "member");
    does(&stack, &ada, "pay-1", "membership_paid", json!({ "plan": "month" })).await;
    assert_eq!(level(&stack, &ada).await, "plus");
    assert_eq!(buys(&stack, &ada, "1", "GBP", &[("training", 1, 8_800)]).await, 0);
    stack.set_clock("2026-11-20T10:00:00Z");
    does(&stack, &ada, "pay-2", "membership_paid", json!({ "plan": "month" })).await;
    // Twice thirty days after the first payment, though the second came early.
    stack.set_clock("2026-12-30T10:00:00Z");
    assert_eq!(level(&stack, &ada).await, "plus");
    stack.set_clock("2027-01-02T00:00:00Z");
    assert_eq!(level(&stack, &ada).await, "member");
    does(&stack, &ada, "pay-3", "membership_paid", json!({ "plan": "year" })).await;
    stack.set_clock("2027-12-31T12:00:00Z");
    assert_eq!(level(&stack, &ada).await, "plus");
}
