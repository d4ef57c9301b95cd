//! Goals, limits and levels under requests at once: calmly, and in a storm of cancelled commits and lost answers. What must
//! be true afterwards is the same.

use it::arena::{Arena, NOW, answered, race, statuses};
use it::books::{holds, must_balance};
use it::client::Ask;
use it::stack::plain_program;
use serde_json::{Value, json};

/// Cards for cups and check-ins, a badge for fifteen purchases, reviews four times a year, a level that is paid for.
fn program() -> Value {
    let mut program = plain_program();
    program["earning_rules"].as_array_mut().unwrap().extend([
        json!({ "id": "cups", "on": "purchase", "award": { "points": 30 },
                "goal": { "count": 5, "of": "units of selected lines", "repeat": true } }),
        json!({ "id": "fifteen", "on": "purchase", "award": { "badge": "regular" },
                "goal": { "count": 15, "of": "purchases" } }),
        json!({ "id": "ins", "on": "activity", "activity": "check_in", "award": { "points": 7 },
                "goal": { "count": 3, "of": "activities", "repeat": true } }),
        json!({ "id": "review", "on": "activity", "activity": "review", "award": { "points": 25 },
                "limit": { "times": 4, "per": "year" } }),
        json!({ "id": "paid", "on": "activity", "activity": "paid_month", "grants": { "tier": "plus", "days": 30 } }),
    ]);
    program["tiers"]["levels"].as_array_mut().unwrap().push(json!({ "id": "plus" }));
    program["tiers"]["levels"][1]["from"] = json!(1_000_000);
    program
}

fn tell(member: &str, id: &str, kind: &str, attributes: Value) -> Ask {
    Ask::post(
        "/v1/activities",
        json!({ "source": "app", "activity_id": id, "member": { "member_id": member }, "type": kind,
                "occurred_at": NOW, "attributes": attributes }),
    )
}

/// A purchase of so many cups, 2.00 each.
fn cups(arena: &Arena, order: &str, member: &str, cups: i64) -> Ask {
    let mut body = arena.stack.purchase(order, member, 200 * cups);
    body["lines"][0]["quantity"] = json!(cups);
    Ask::post("/v1/purchases", body)
}

/// How far a member is with a goal, and how often it was reached.
async fn progress(arena: &Arena, member: &str, rule: &str) -> (i64, i64) {
    let answer = Ask::get(format!("/v1/members/{member}/progress")).once(&arena.stack).await.expect(200);
    let goal = answer["goals"].as_array().unwrap().iter().find(|goal| goal["rule"] == rule).unwrap();
    (goal["counted"].as_i64().unwrap(), goal["reached"].as_i64().unwrap())
}

async fn badges(arena: &Arena, member: &str) -> usize {
    let answer = Ask::get(format!("/v1/members/{member}")).once(&arena.stack).await.expect(200);
    answer["member"]["badges"].as_array().unwrap().len()
}

/// What a member has, less what is owed.
async fn position(arena: &Arena, member: &str) -> i64 {
    let points = arena.stack.account(member).await["points"].clone();
    points["available"].as_i64().unwrap() - points["debt"].as_i64().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_identical_activities_at_once_are_one_entry() {
    race(&program(), async |arena: Arena| {
        let member = arena.member_with("ada", 0).await;
        let ended = arena.all(vec![tell(&member, "r-1", "review", json!({ "stars": 5 })); 64]).await;
        assert_eq!(statuses(&ended), [(201, 64)].into());
        arena.assert_one_first(&ended);
        for other in &ended {
            for part in ["activity", "entries"] {
                assert_eq!(other.answer.body[part], ended[0].answer.body[part]);
            }
        }
        assert_eq!(arena.ledger(&member).await, [("bonus".to_owned(), 25)]);
        assert_eq!(must_balance(&arena.stack).await.activities, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_sixty_four_different_activities_under_one_id_one_wins_and_the_others_are_told_where_they_differ() {
    race(&program(), async |arena: Arena| {
        let member = arena.member_with("ada", 0).await;
        let asks = (0..64).map(|stars| tell(&member, "r-1", "review", json!({ "stars": stars }))).collect();
        let ended = arena.all(asks).await;
        assert_eq!(statuses(&ended), [(201, 1), (422, 63)].into());
        for refused in answered(&ended, 422) {
            assert_eq!((refused.code(), refused.pointers()), ("idempotency_mismatch", vec!["/attributes"]));
        }
        assert_eq!(arena.ledger(&member).await.len(), 1);
        must_balance(&arena.stack).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn twenty_activities_at_once_use_a_limit_of_four_exactly() {
    race(&program(), async |arena: Arena| {
        let member = arena.member_with("ada", 0).await;
        let asks = (0..20).map(|number| tell(&member, &format!("r-{number}"), "review", json!({}))).collect();
        let ended = arena.all(asks).await;
        assert_eq!(statuses(&ended), [(201, 20)].into());
        let mut points: Vec<i64> = arena.ledger(&member).await.into_iter().map(|(_, points)| points).collect();
        points.sort_unstable();
        assert_eq!(points, [vec![0; 16], vec![25; 4]].concat());
        must_balance(&arena.stack).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn purchases_at_once_complete_a_repeated_goal_exactly_as_often_as_they_fill_it() {
    race(&program(), async |arena: Arena| {
        let member = arena.member_with("ada", 0).await;
        // 23 purchases of 1, 2, 3, 1, 2, … cups: 45 in all.
        let asks = (0..23).map(|number| cups(&arena, &format!("A-{number}"), &member, 1 + number % 3)).collect();
        let ended = arena.all(asks).await;
        assert_eq!(statuses(&ended), [(201, 23)].into());
        assert_eq!(progress(&arena, &member, "cups").await, (0, 9));
        assert_eq!(progress(&arena, &member, "fifteen").await, (15, 1));
        assert_eq!(badges(&arena, &member).await, 1);
        let ledger = arena.ledger(&member).await;
        let of = |kind: &str| ledger.iter().filter(|(of, _)| of == kind).map(|(_, points)| points).collect::<Vec<_>>();
        assert_eq!(of("bonus"), vec![&30; 9]);
        assert_eq!((of("goal").len(), of("earn").len()), (9 + 1, 23));
        assert_eq!(position(&arena, &member).await, 2 * 45 + 30 * 9);
        must_balance(&arena.stack).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn purchases_refunds_and_activities_at_once_leave_progress_points_and_books_that_add_up() {
    race(&program(), async |arena: Arena| {
        let member = arena.member_with("ada", 0).await;
        for number in 0..10 {
            cups(&arena, &format!("old-{number}"), &member, 3).once(&arena.stack).await.expect(201);
        }
        assert_eq!(progress(&arena, &member, "cups").await, (0, 6));
        let mut asks = Vec::new();
        for number in 0..10 {
            asks.push(cups(&arena, &format!("new-{number}"), &member, 2));
            // Six of them whole, the others in part; what each refund takes may complete nothing, or undo it.
            asks.push(arena.refund(&format!("old-{number}"), "R-1", "1", if number < 6 { 3 } else { 1 }));
            asks.push(tell(&member, &format!("in-{number}"), "check_in", json!({ "door": number })));
        }
        let ended = arena.all(asks).await;
        assert_eq!(statuses(&ended), [(201, 30)].into());
        let left = 20 + 4 * 2;
        assert_eq!(progress(&arena, &member, "cups").await, (left % 5, left / 5));
        // Of twenty purchases fourteen are left.
        assert_eq!(progress(&arena, &member, "fifteen").await, (14, 0));
        assert_eq!(badges(&arena, &member).await, 0);
        assert_eq!(progress(&arena, &member, "ins").await, (1, 3));
        assert_eq!(position(&arena, &member).await, 2 * left + 30 * (left / 5) + 7 * 3);
        let report = must_balance(&arena.stack).await;
        assert_eq!((report.purchases, report.refunds, report.activities), (20, 10, 10));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn payments_at_once_each_add_their_days() {
    race(&program(), async |arena: Arena| {
        let member = arena.member_with("ada", 0).await;
        let pay = |number: usize| tell(&member, &format!("month-{number}"), "paid_month", json!({}));
        // Each told twice, as billing systems do.
        let ended = arena.all((0..16).map(|number| pay(number % 8)).collect()).await;
        assert_eq!(statuses(&ended), [(201, 16)].into());
        let tier = arena.stack.account(&member).await["tier"].clone();
        // 8 × 30 days after 2026-11-21, to the end of the day in Berlin.
        assert_eq!((&tier["level"], &tier["until"]), (&json!("plus"), &json!("2027-07-19T22:00:00Z")));
        assert_eq!(must_balance(&arena.stack).await.activities, 8);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_level_lent_by_many_under_one_key_is_one_grant() {
    race(&program(), async |arena: Arena| {
        let member = arena.member_with("ada", 0).await;
        let body = json!({ "level": "gold", "until": "2027-03-01", "reason": "status_match" });
        let lend = Ask::post(format!("/v1/members/{member}/level"), body).key("k");
        let ended = arena.all(vec![lend; 24]).await;
        assert_eq!(statuses(&ended), [(201, 24)].into());
        arena.assert_one_first(&ended);
        assert_eq!(arena.ledger(&member).await, [("adjust".to_owned(), 0), ("tier".to_owned(), 0)]);
        must_balance(&arena.stack).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn activities_that_race_an_erasure_leave_no_attribute_behind() {
    race(&program(), async |arena: Arena| {
        let member = arena.member_with("ada", 0).await;
        let mut asks: Vec<Ask> = (0..12)
            .map(|number| tell(&member, &format!("r-{number}"), "review", json!({ "text": "smells of plums" })))
            .collect();
        asks.insert(6, Ask::bare("DELETE", format!("/v1/members/{member}")));
        let ended = arena.all(asks).await;
        assert_eq!(ended[6].answer.status, 204);
        for ended in ended.iter().filter(|ended| ended.answer.status != 204) {
            assert!([201, 404].contains(&ended.answer.status.as_u16()), "{}", ended.answer.body);
        }
        assert!(!holds(&arena.stack, b"plums").await);
        must_balance(&arena.stack).await;
    })
    .await;
}
