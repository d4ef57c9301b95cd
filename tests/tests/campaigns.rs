//! Campaign budgets over all members: never overdrawn, and back when a refund takes the points back.

use it::books::must_balance;
use it::faults::{Plan, Shares};
use it::stack::{Stack, plain_program};
use serde_json::{Value, json};
use std::sync::Arc;

/// 100 points for every purchase of 10.00 and more, out of a budget.
fn campaign(budget: i64) -> Value {
    let mut program = plain_program();
    program["earning_rules"] = json!([{
        "id": "hundred", "on": "purchase", "award": { "points": 100 }, "budget": { "points": budget },
        "when": { "net_total_at_least": { "amount": 1000, "currency": "EUR" } },
    }]);
    program
}

async fn buy(stack: &Stack, order: &str, member: &str) -> Value {
    stack.send("POST", "/v1/purchases", Some(&stack.purchase(order, member, 1_000))).await.expect(201)
}

fn points(purchase: &Value) -> i64 {
    purchase["purchase"]["points"].as_i64().unwrap()
}

/// The same for an activity.
fn reviews(budget: i64) -> Value {
    let mut program = plain_program();
    program["earning_rules"] = json!([{
        "id": "hundred", "on": "activity", "activity": "review", "award": { "points": 100 },
        "budget": { "points": budget },
    }]);
    program
}

/// An activity of a member, done now.
fn review(stack: &Stack, id: &str, member: &str) -> Value {
    json!({ "source": "app", "activity_id": id, "member": { "member_id": member }, "type": "review",
            "occurred_at": stack.now(), "attributes": { "stars": 5 } })
}

/// A thousand members do something at once, while commits are cancelled and answers lost; gives what each was awarded.
async fn rush(stack: Stack, path: &'static str, what: &'static str, body: fn(&Stack, &str, &str) -> Value) -> Vec<i64> {
    let stack = Arc::new(stack);
    let mut members = Vec::new();
    for number in 0..1_000 {
        members.push(stack.enrol(&format!("m-{number}")).await);
    }
    stack.faults.arm(Plan::random(7, Shares { conflicts: 0.3, lost_answers: 0.02, ..Shares::default() }));
    let mut running = tokio::task::JoinSet::new();
    for (number, member) in members.into_iter().enumerate() {
        let stack = Arc::clone(&stack);
        running.spawn(async move {
            let body = body(&stack, &format!("O-{number}"), &member);
            loop {
                let answer = stack.send("POST", path, Some(&body)).await;
                if answer.status != 503 {
                    return answer.expect(201)[what]["points"].as_i64().unwrap();
                }
            }
        });
    }
    let awards = running.join_all().await;
    stack.faults.disarm();
    let report = must_balance(&stack).await;
    assert_eq!(i64::try_from(report.outstanding).unwrap(), awards.iter().sum::<i64>());
    awards
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_purchases_at_once_get_exactly_the_hundred_awards_of_a_budget() {
    println!("seed 7");
    let stack = Stack::with_program("2026-11-21T10:00:00Z", &campaign(10_000)).await;
    let buys = |stack: &Stack, order: &str, member: &str| stack.purchase(order, member, 1_000);
    let awards = rush(stack, "/v1/purchases", "purchase", buys).await;
    assert_eq!(awards.iter().sum::<i64>(), 10_000);
    assert_eq!(awards.iter().filter(|points| **points == 100).count(), 100);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_activities_at_once_get_exactly_the_hundred_awards_of_a_budget() {
    println!("seed 7");
    let stack = Stack::with_program("2026-11-21T10:00:00Z", &reviews(10_000)).await;
    let awards = rush(stack, "/v1/activities", "activity", review).await;
    assert_eq!(awards.iter().sum::<i64>(), 10_000);
    assert_eq!(awards.iter().filter(|points| **points == 100).count(), 100);
}

#[tokio::test]
async fn an_activity_is_trimmed_to_what_its_budget_has_left_and_a_replay_takes_nothing_more() {
    let stack = Stack::with_program("2026-11-21T10:00:00Z", &reviews(250)).await;
    let member = stack.enrol("ada").await;
    let tell = async |id: &str| stack.send("POST", "/v1/activities", Some(&review(&stack, id, &member))).await;
    for (id, points, words) in [
        ("1", 100, "100 points"),
        ("2", 100, "100 points"),
        ("3", 50, "its budget has 50 points left"),
        ("4", 0, "its budget is spent"),
    ] {
        let answer = tell(id).await.expect(201);
        assert_eq!(answer["activity"]["points"], points, "{id}");
        assert!(answer["entries"][0]["explanation"].to_string().contains(words), "{answer}");
        assert_eq!(tell("1").await.expect(201)["activity"]["points"], 100);
    }
}

#[tokio::test]
async fn purchases_and_activities_have_budgets_of_their_own() {
    let mut program = campaign(100);
    program["earning_rules"].as_array_mut().unwrap().push(json!({
        "id": "review", "on": "activity", "activity": "review", "award": { "points": 30 }, "budget": { "points": 30 },
    }));
    let stack = Stack::with_program("2026-11-21T10:00:00Z", &program).await;
    let member = stack.enrol("ada").await;
    let tell = async |id: &str| {
        stack.send("POST", "/v1/activities", Some(&review(&stack, id, &member))).await.expect(201)["activity"]["points"]
            .clone()
    };
    assert_eq!((tell("1").await, tell("2").await), (json!(30), json!(0)));
    assert_eq!((points(&buy(&stack, "1", &member).await), points(&buy(&stack, "2", &member).await)), (100, 0));
}

#[tokio::test]
async fn the_last_award_is_trimmed_to_what_is_left_and_says_so() {
    let stack = Stack::with_program("2026-11-21T10:00:00Z", &campaign(250)).await;
    let member = stack.enrol("ada").await;
    let awards = [buy(&stack, "1", &member).await, buy(&stack, "2", &member).await, buy(&stack, "3", &member).await];
    assert_eq!(awards.each_ref().map(points), [100, 100, 50]);
    let explanation = awards[2]["entries"][0]["explanation"].to_string();
    assert!(explanation.contains("its budget has 50 points left"), "{explanation}");
    let fourth = buy(&stack, "4", &member).await;
    assert_eq!(points(&fourth), 0);
    assert!(fourth["entries"][0]["explanation"].to_string().contains("its budget is spent"));
}

#[tokio::test]
async fn a_refund_gives_a_budget_back_what_it_takes_from_the_member() {
    let stack = Stack::with_program("2026-11-21T10:00:00Z", &campaign(100)).await;
    let (ada, bob) = (stack.enrol("ada").await, stack.enrol("bob").await);
    assert_eq!(points(&buy(&stack, "1", &ada).await), 100);
    assert_eq!(points(&buy(&stack, "2", &bob).await), 0);
    let back = json!({ "refund_id": "R", "occurred_at": stack.now(), "lines": [{ "line_id": "1", "quantity": 1 }] });
    let refund = stack.send("POST", "/v1/purchases/web/1/refunds", Some(&back)).await.expect(201);
    assert_eq!(refund["refund"]["points_clawed_back"], 100);
    assert_eq!(points(&buy(&stack, "3", &bob).await), 100);
    assert_eq!(points(&buy(&stack, "4", &ada).await), 0);
}

#[tokio::test]
async fn a_quote_sees_what_is_left_of_a_budget() {
    let stack = Stack::with_program("2026-11-21T10:00:00Z", &campaign(130)).await;
    let member = stack.enrol("ada").await;
    for expected in [100, 30, 0] {
        let body = stack.purchase(&format!("O-{expected}"), &member, 1_000);
        let quote = stack.send("POST", "/v1/purchases/quote", Some(&body)).await.expect(200);
        let bought = stack.send("POST", "/v1/purchases", Some(&body)).await.expect(201);
        assert_eq!((quote["points"].as_i64(), points(&bought)), (Some(expected), expected));
        assert_eq!(quote["entries"][0]["explanation"], bought["entries"][0]["explanation"]);
    }
}

#[tokio::test]
async fn a_budget_lives_through_versions_and_grows_with_them() {
    let stack = Stack::with_program("2026-11-21T10:00:00Z", &campaign(100)).await;
    let member = stack.enrol("ada").await;
    assert_eq!(points(&buy(&stack, "1", &member).await), 100);
    stack.publish(&campaign(160)).await;
    stack.set_clock("2026-11-21T10:02:00Z");
    assert_eq!(points(&buy(&stack, "2", &member).await), 60);
    assert_eq!(points(&buy(&stack, "3", &member).await), 0);
}

#[tokio::test]
async fn a_rate_with_a_budget_gives_each_line_its_share_of_what_is_left() {
    let mut program = plain_program();
    program["earning_rules"][0]["budget"] = json!({ "points": 15 });
    program["earning_rules"].as_array_mut().unwrap().push(json!({
        "id": "double", "on": "purchase", "when": { "line_category": ["coffee"] }, "award": { "multiply": "2" },
    }));
    let stack = Stack::with_program("2026-11-21T10:00:00Z", &program).await;
    let member = stack.enrol("ada").await;
    let body = json!({
        "channel": "web", "order_id": "1", "member": { "member_id": member }, "occurred_at": stack.now(), "currency": "EUR",
        "lines": [{ "line_id": "1", "categories": ["coffee"], "quantity": 1, "net_amount": 2_000 },
                  { "line_id": "2", "quantity": 1, "net_amount": 1_000 }],
    });
    // 15 of the 30 points: 10 for the coffee, doubled, and 5 for the rest.
    assert_eq!(points(&stack.send("POST", "/v1/purchases", Some(&body)).await.expect(201)), 25);
}

#[tokio::test]
async fn a_campaign_that_gave_a_purchase_nothing_gives_its_refunds_nothing_and_never_blocks_them() {
    let mut program = plain_program();
    program["earning_rules"].as_array_mut().unwrap().push(json!({
        "id": "small", "on": "purchase", "award": { "points": 60 }, "budget": { "points": 10 },
        "when": { "not": { "net_total_at_least": { "amount": 5_000, "currency": "EUR" } } },
    }));
    let stack = Stack::with_program("2026-11-21T10:00:00Z", &program).await;
    let (ada, bob) = (stack.enrol("ada").await, stack.enrol("bob").await);
    assert_eq!(points(&buy(&stack, "1", &bob).await), 10 + 10);
    let mut big = stack.purchase("2", &ada, 10_000);
    big["lines"][0]["quantity"] = json!(10);
    assert_eq!(points(&stack.send("POST", "/v1/purchases", Some(&big)).await.expect(201)), 100);
    let back = json!({ "refund_id": "R", "occurred_at": stack.now(), "lines": [{ "line_id": "1", "quantity": 6 }] });
    let refund = stack.send("POST", "/v1/purchases/web/2/refunds", Some(&back)).await.expect(201);
    assert_eq!(refund["refund"]["points_clawed_back"], 60);
}
