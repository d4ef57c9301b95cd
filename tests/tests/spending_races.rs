//! Points spent by many at once. What must hold in calm holds in a storm of cancelled commits and lost answers, too.

use it::arena::{Arena, answered, race, statuses};
use it::books::must_balance;
use it::client::{Ask, Ended};
use it::faults::{Plan, Shares};
use it::stack::{Stack, plain_program};
use serde_json::{Value, json};
use tokio::task::JoinSet;

/// Callers that spend one member's points at once.
const CALLERS: usize = 50;

/// Everybody begins with 100 points: the price of every thing, half the price of none.
fn program() -> Value {
    let mut program = plain_program();
    program["earning_rules"]
        .as_array_mut()
        .unwrap()
        .push(json!({ "id": "welcome", "on": "enrolment", "award": { "points": 100 } }));
    program["rewards"] = json!([
        { "id": "mug", "name": "Mug", "kind": "product", "points": 100, "settle": "immediately", "voucher_days": 90 },
        { "id": "seat", "name": "Seat", "kind": "experience", "points": 100, "settle": "hold", "hold_minutes": 60 },
        { "id": "rare", "name": "Rare", "kind": "product", "points": 100, "settle": "immediately", "stock": 100 },
        { "id": "pay", "name": "Pay", "kind": "pay_with_points", "settle": "hold", "hold_minutes": 30,
          "value": { "points": 1, "amount": 1, "currency": "EUR" } },
    ]);
    program
}

fn redeem(member: &str, reward: &str, key: impl Into<String>) -> Ask {
    let body = json!({ "member": { "member_id": member }, "reward_id": reward });
    Ask::post("/v1/redemptions", body).key(key)
}

fn pay(member: &str, points: i64, key: impl Into<String>) -> Ask {
    let body = json!({ "member": { "member_id": member }, "reward_id": "pay", "points": points, "currency": "EUR" });
    Ask::post("/v1/redemptions", body).key(key)
}

fn end(redemption: &str, how: &str, key: impl Into<String>) -> Ask {
    Ask::post(format!("/v1/redemptions/{redemption}/{how}"), json!({})).key(key)
}

fn id(answer: &Value) -> &str {
    answer["redemption"]["redemption_id"].as_str().unwrap()
}

/// How many requests were carried out, replays of the same one counted once.
fn carried_out(ended: &[Ended]) -> usize {
    let done = ended.iter().filter(|ended| ended.answer.status.is_success());
    done.map(|ended| ended.answer.body.to_string()).collect::<std::collections::BTreeSet<_>>().len()
}

fn storm(seed: u64) -> Plan {
    println!("storm of seed {seed}");
    Plan::random(seed, Shares { conflicts: 0.3, lost_answers: 0.02, lost_requests: 0.01, ..Shares::default() })
}

/// Sends all at once, each until it is answered.
async fn all(stack: &Stack, asks: Vec<Ask>) -> Vec<Ended> {
    let mut running = JoinSet::new();
    for ask in asks {
        let stack = stack.clone();
        running.spawn(async move { ask.persist(&stack).await });
    }
    running.join_all().await
}

async fn fifty_spend_a_whole_balance(rounds: usize, plan: Option<Plan>) {
    let stack = Stack::with_program("2026-11-21T10:00:00Z", &program()).await;
    let mut members = Vec::new();
    for round in 0..rounds {
        members.push(stack.enrol(&format!("m-{round}")).await);
    }
    if let Some(plan) = plan {
        stack.faults.arm(plan);
    }
    for (round, member) in members.iter().enumerate() {
        let reward = ["mug", "seat"][round % 2];
        let asks = (0..CALLERS).map(|caller| redeem(member, reward, format!("{round}-{caller}")));
        let ended = all(&stack, asks.collect()).await;
        assert_eq!(statuses(&ended), [(201, 1), (409, CALLERS - 1)].into(), "round {round}");
        assert!(answered(&ended, 409).all(|refused| refused.code() == "insufficient_points"));
    }
    stack.faults.disarm();
    let report = must_balance(&stack).await;
    assert_eq!(report.outstanding, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_fifty_redemptions_of_the_whole_balance_at_once_one_wins_two_hundred_times() {
    fifty_spend_a_whole_balance(200, None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_fifty_redemptions_of_the_whole_balance_at_once_one_wins_two_hundred_times_in_a_storm_too() {
    fifty_spend_a_whole_balance(200, Some(storm(rand::random()))).await;
}

async fn a_thousand_want_a_hundred(plan: Option<Plan>) {
    let stack = Stack::with_program("2026-11-21T10:00:00Z", &program()).await;
    let mut asks = Vec::new();
    for number in 0..1_000 {
        let member = stack.enrol(&format!("m-{number}")).await;
        asks.push(redeem(&member, "rare", format!("k-{number}")));
    }
    if let Some(plan) = plan {
        stack.faults.arm(plan);
    }
    let ended = all(&stack, asks).await;
    stack.faults.disarm();
    assert_eq!(statuses(&ended), [(201, 100), (409, 900)].into());
    for refused in answered(&ended, 409) {
        assert_eq!((refused.code(), &refused.body["because"]), ("reward_unavailable", &json!(["none of it is left"])));
    }
    let report = must_balance(&stack).await;
    assert_eq!(report.outstanding, 900 * 100);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_thousand_members_who_want_one_of_a_hundred_exactly_a_hundred_get_it() {
    a_thousand_want_a_hundred(None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_thousand_members_who_want_one_of_a_hundred_exactly_a_hundred_get_it_in_a_storm() {
    a_thousand_want_a_hundred(Some(storm(rand::random()))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_same_redemption_sent_by_many_at_once_is_one() {
    race(&program(), async |arena: Arena| {
        let member = arena.member_with("ada", 0).await;
        let ended = arena.all(vec![redeem(&member, "mug", "k"); 32]).await;
        assert_eq!(statuses(&ended), [(201, 32)].into());
        arena.assert_one_first(&ended);
        for other in &ended {
            for part in ["redemption", "voucher", "entries"] {
                assert_eq!(other.answer.body[part], ended[0].answer.body[part]);
            }
        }
        must_balance(&arena.stack).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_twenty_tills_that_use_a_voucher_at_once_one_wins() {
    race(&program(), async |arena: Arena| {
        let member = arena.member_with("ada", 0).await;
        let made = redeem(&member, "mug", "k").once(&arena.stack).await.expect(201);
        let uses = |till: usize| {
            let body =
                json!({ "code": made["voucher"]["code"], "channel": format!("till-{}", till / 2), "order_id": "O-1" });
            Ask::post("/v1/vouchers/redeem", body)
        };
        // Each sends it twice.
        let ended = arena.all((0..40).map(uses).collect()).await;
        assert_eq!(statuses(&ended), [(200, 2), (409, 38)].into());
        assert!(answered(&ended, 409).all(|refused| refused.code() == "voucher_used"));
        assert_eq!(carried_out(&ended), 1);
        must_balance(&arena.stack).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_voucher_is_used_or_called_off_and_never_both() {
    race(&program(), async |arena: Arena| {
        let member = arena.member_with("ada", 0).await;
        let made = redeem(&member, "mug", "k").once(&arena.stack).await.expect(201);
        let uses = json!({ "code": made["voucher"]["code"], "channel": "till", "order_id": "O-1" });
        let asks = vec![Ask::post("/v1/vouchers/redeem", uses), end(id(&made), "cancel", "x")];
        let ended = arena.all(asks).await;
        assert_eq!(statuses(&ended), [(200, 1), (409, 1)].into());
        let used = ended[0].answer.status == 200;
        let code = answered(&ended, 409).next().unwrap().code();
        assert_eq!(code, if used { "voucher_used" } else { "voucher_cancelled" });
        assert_eq!(arena.stack.account(&member).await["points"]["available"], if used { 0 } else { 100 });
        must_balance(&arena.stack).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_captures_and_cancellations_at_once_each_is_carried_out_at_most_once() {
    race(&program(), async |arena: Arena| {
        let member = arena.member_with("ada", 0).await;
        let made = redeem(&member, "seat", "k").once(&arena.stack).await.expect(201);
        let mut asks: Vec<Ask> = (0..8).map(|number| end(id(&made), "capture", format!("c-{number}"))).collect();
        asks.extend((0..8).map(|number| end(id(&made), "cancel", format!("x-{number}"))));
        let ended = arena.all(asks).await;
        let done = |ended: &[Ended]| ended.iter().filter(|ended| ended.answer.status == 200).count();
        assert!(done(&ended[..8]) <= 1, "{:?}", statuses(&ended));
        // What was captured can be called off as well, so that one cancellation is carried out whatever comes first.
        assert_eq!(done(&ended[8..]), 1, "{:?}", statuses(&ended));
        assert!(statuses(&ended).keys().all(|status| [200, 409].contains(status)));
        for refused in answered(&ended, 409) {
            assert!(["redemption_fulfilled", "redemption_cancelled"].contains(&refused.code()), "{}", refused.body);
        }
        assert_eq!(
            arena.stack.account(&member).await["points"],
            json!({ "available": 100, "pending": 0, "held": 0, "debt": 0 })
        );
        must_balance(&arena.stack).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_redemption_pays_for_one_of_many_purchases_that_name_it_at_once() {
    race(&program(), async |arena: Arena| {
        let member = arena.member_with("ada", 0).await;
        let made = pay(&member, 100, "k").once(&arena.stack).await.expect(201);
        end(id(&made), "capture", "c").once(&arena.stack).await.expect(200);
        let buys = |number: usize| {
            let mut body = arena.stack.purchase(&format!("A-{number}"), &member, 1_000);
            body["paid_with"] = json!([id(&made)]);
            Ask::post("/v1/purchases", body)
        };
        let ended = arena.all((0..16).map(buys).collect()).await;
        assert_eq!(statuses(&ended), [(201, 1), (422, 15)].into());
        assert!(answered(&ended, 422).all(|refused| refused.code() == "payment_invalid"));
        must_balance(&arena.stack).await;
    })
    .await;
}

/// One member buys, returns, redeems, captures and calls off, all at once: whatever the order, the books balance.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn redeeming_refunding_and_capturing_at_once_leave_books_that_balance() {
    race(&program(), async |arena: Arena| {
        let member = arena.member_with("ada", 0).await;
        let mut body = arena.stack.purchase("A-1", &member, 100_000);
        body["lines"][0]["quantity"] = json!(10);
        Ask::post("/v1/purchases", body).once(&arena.stack).await.expect(201);
        let mut holds = Vec::new();
        for number in 0..4 {
            let made = pay(&member, 200, format!("h-{number}")).once(&arena.stack).await.expect(201);
            holds.push(id(&made).to_owned());
        }
        let mut asks = Vec::new();
        for (number, hold) in holds.iter().enumerate() {
            asks.push(end(hold, "capture", format!("c-{number}")));
            asks.push(end(hold, "cancel", format!("x-{number}")));
            asks.push(arena.refund("A-1", &format!("R-{number}"), "1", 2));
            asks.push(redeem(&member, "mug", format!("m-{number}")));
            asks.push(arena.purchase(&format!("B-{number}"), &member, 5_000));
        }
        let ended = arena.all(asks).await;
        assert!(statuses(&ended).keys().all(|status| [200, 201, 409].contains(status)), "{:?}", statuses(&ended));
        let account = arena.stack.account(&member).await;
        assert_eq!(account["points"]["held"], 0);
        let spent = ended.iter().filter(|ended| ended.answer.status == 201 && !ended.answer.body["voucher"].is_null());
        assert_eq!(account["lifetime"]["redeemed"], 100 * spent.count());
        must_balance(&arena.stack).await;
    })
    .await;
}

/// Purchases of one member that race to a goal give its reward as often as the goal is reached, each with a voucher of its
/// own.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_reward_for_a_goal_is_given_once_for_each_time_it_is_reached() {
    let mut program = program();
    program["earning_rules"].as_array_mut().unwrap().push(json!({
        "id": "card", "on": "purchase", "award": { "reward": "mug" },
        "goal": { "count": 5, "of": "purchases", "repeat": true },
    }));
    race(&program, async |arena: Arena| {
        let member = arena.member_with("ada", 0).await;
        let buys = |number: usize| arena.purchase(&format!("A-{}", number / 2), &member, 1_000);
        // Each is sent twice.
        let ended = arena.all((0..40).map(buys).collect()).await;
        assert_eq!(statuses(&ended), [(201, 40)].into());
        let list = Ask::get(format!("/v1/members/{member}/redemptions")).once(&arena.stack).await.expect(200);
        let codes: std::collections::BTreeSet<&str> =
            list["redemptions"].as_array().unwrap().iter().map(|of| of["voucher"]["code"].as_str().unwrap()).collect();
        assert_eq!(codes.len(), 4);
        must_balance(&arena.stack).await;
    })
    .await;
}
