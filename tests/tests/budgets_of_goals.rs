//! What activities, goals and lent levels cost in round trips, write and read units, and what an account weighs that has much
//! under way. A change that costs one unit or one call more fails here.

use it::books::size;
use it::client::Ask;
use it::shop::{Cost, MONTHS, NOW, Shop, cost, program, writes};
use it::stack::Answered;
use loyalty_domain::entry::Entry;
use loyalty_store::items::body;
use loyalty_store::keys;
use serde_json::{Value, json};

/// The reference program with an activity that earns, and what more is given.
fn with_rules(rules: &[Value]) -> Value {
    let mut program = program();
    let all = program["earning_rules"].as_array_mut().unwrap();
    all.push(
        json!({ "id": "product-review-0", "on": "activity", "activity": "product_review", "award": { "points": 25 } }),
    );
    all.extend_from_slice(rules);
    program
}

/// An activity with ids of 16 characters.
fn tells(shop: &Shop, id: &str, attributes: Value) -> Ask {
    Ask::post(
        "/v1/activities",
        json!({ "source": "mobile-app-00001", "activity_id": format!("activity-{id:0>7}"), "member": shop.reference(),
                "type": "product_review", "occurred_at": NOW, "attributes": attributes }),
    )
}

fn kinds(answer: Answered) -> Vec<String> {
    let answer = answer.expect(201);
    answer["entries"].as_array().unwrap().iter().map(|entry| entry["kind"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn an_activity_costs_what_a_purchase_costs_and_its_attributes_one_item_more() {
    let shop = Shop::with_lots(&with_rules(&[])).await;
    let (plain, answer) = shop.measure(&tells(&shop, "1", json!({}))).await;
    answer.expect(201);
    assert_eq!(plain, cost(2, 6.0, 1.0));
    let (attributed, answer) = shop.measure(&tells(&shop, "2", json!({ "stars": 5, "text": "smells of plums" }))).await;
    answer.expect(201);
    assert_eq!(attributed, cost(2, 8.0, 1.0));
    let mut by_phone = tells(&shop, "3", json!({}));
    by_phone.body.as_mut().unwrap()["member"] = json!({ "phone": "+4915112345678" });
    let (by_phone, answer) = shop.measure(&by_phone).await;
    answer.expect(201);
    assert_eq!(by_phone, cost(3, 6.0, 2.0));
}

#[tokio::test]
async fn a_replayed_activity_reads_what_the_first_read_and_writes_nothing() {
    let shop = Shop::with_lots(&with_rules(&[])).await;
    let ask = tells(&shop, "1", json!({ "stars": 5 }));
    ask.once(&shop.stack).await.expect(201);
    let (again, answer) = shop.measure(&ask).await;
    assert!(answer.replayed());
    assert_eq!(again, cost(2, 0.0, 1.0));
}

#[tokio::test]
async fn each_entry_of_a_goal_costs_two_units_and_counting_alone_none() {
    let goals = [
        json!({ "id": "second-purchase0", "on": "purchase", "award": { "badge": "second" },
                "goal": { "count": 2, "of": "purchases" } }),
        json!({ "id": "third-review-000", "on": "activity", "activity": "product_review", "award": { "points": 40 },
                "goal": { "count": 3, "of": "activities", "repeat": true } }),
    ];
    let shop = Shop::new(&with_rules(&goals)).await;
    // The first lot brings something due.
    tells(&shop, "1", json!({})).once(&shop.stack).await.expect(201);
    let (counts, answer) = shop.measure(&tells(&shop, "2", json!({}))).await;
    assert_eq!((kinds(answer), counts), (vec!["bonus".to_owned()], cost(2, 6.0, 1.0)));
    let (reached, answer) = shop.measure(&tells(&shop, "3", json!({}))).await;
    assert_eq!((kinds(answer).len(), reached), (3, cost(2, 10.0, 1.0)));
    let (counts, answer) = shop.measure(&shop.earns("order-0000000001", 10)).await;
    assert_eq!((kinds(answer).len(), counts), (1, cost(2, 6.0, 1.0)));
    let (reached, answer) = shop.measure(&shop.earns("order-0000000002", 8)).await;
    assert_eq!((kinds(answer).len(), reached), (2, cost(2, 8.0, 1.0)));
    // A refund of all lines takes the badge back: one entry more.
    let lines: Vec<Value> = (0..8).map(|n| json!({ "line_id": format!("line-id-{n:08}"), "quantity": 1 })).collect();
    let back = json!({ "refund_id": "R-1", "occurred_at": NOW, "lines": lines });
    let (refund, answer) = shop.measure(&Ask::post("/v1/purchases/web/order-0000000002/refunds", back)).await;
    assert_eq!((kinds(answer).len(), refund), (2, cost(3, 10.0, 2.0)));
}

#[tokio::test]
async fn a_purchase_keeps_the_entries_of_goals_that_it_reached_and_costs_what_it_weighs() {
    let goal = json!({ "id": "first-purchase-0", "on": "purchase", "award": { "badge": "first" },
                       "goal": { "count": 1, "of": "purchases" } });
    let shop = Shop::with_lots(&program()).await;
    let mut with_goal = program();
    with_goal["earning_rules"].as_array_mut().unwrap().push(goal);
    shop.stack.publish(&with_goal).await;
    shop.stack.set_clock("2026-11-21T10:02:00Z");
    let at = "2026-11-21T10:02:00Z";
    let body = it::shop::purchase("order-0000000001", shop.reference(), at, 10);
    let (reached, answer) = shop.measure(&Ask::post("/v1/purchases", body)).await;
    assert_eq!(kinds(answer), ["earn", "goal"]);
    let key = keys::purchase(&"main".parse().unwrap(), &"web".parse().unwrap(), &"order-0000000001".parse().unwrap());
    let kept = shop.item(&key).await;
    println!("{} bytes", size(&kept));
    assert!(size(&kept) < 1_100, "{} bytes", size(&kept));
    let written = [shop.account_item().await, shop.last_entry().await, kept];
    assert_eq!(reached, cost(2, 2.0 + writes(&written.each_ref()), 1.0));
}

#[tokio::test]
async fn progress_is_one_read() {
    let shop = busy().await;
    let (shown, answer) = shop.measure(&Ask::get(format!("/v1/members/{}/progress", shop.member))).await;
    assert_eq!(answer.expect(200)["goals"].as_array().unwrap().len(), 5);
    // An account of 36 lots, 20 counters and 5 challenges is read in one unit: it is below 4 KB.
    assert_eq!(shown, cost(1, 0.0, 1.0));
}

#[tokio::test]
async fn lending_a_level_costs_its_account_entry_and_key_and_the_change_of_level_one_entry_more() {
    let shop = Shop::new(&with_rules(&[])).await;
    shop.earns("first", 10).once(&shop.stack).await.expect(201);
    let lend = |key: &str, until: &str| {
        let body = json!({ "level": "gold", "until": until, "reason": "status_match" });
        Ask::post(format!("/v1/members/{}/level", shop.member), body).key(key)
    };
    let (rises, answer) = shop.measure(&lend("1", "2027-03-01")).await;
    assert_eq!(kinds(answer), ["adjust", "tier"]);
    // The end of the level is due before that of the points: out of one hour of the index, into another.
    assert_eq!(rises, Cost { index_w: 2.0, ..cost(2, 8.0, 1.0) });
    let (longer, answer) = shop.measure(&lend("2", "2027-03-01")).await;
    assert_eq!((kinds(answer).len(), longer), (1, cost(2, 6.0, 1.0)));
    let (again, answer) = shop.measure(&lend("2", "2027-03-01")).await;
    assert!(answer.replayed());
    assert_eq!(again, cost(2, 0.0, 1.0));
}

/// A shop whose member has 36 lots, 20 limited rules in use and 5 challenges under way: a card, one within some days, one
/// reached with points, one with a badge, and a streak of weeks.
async fn busy() -> Shop {
    let limited = (0..20).map(|number| {
        json!({ "id": format!("limited-rule-{number:03}"), "on": "purchase", "award": { "points": 1 },
                "limit": { "times": 200, "per": "ever" } })
    });
    let goal =
        |id: &str, award: Value, goal: Value| json!({ "id": id, "on": "purchase", "award": award, "goal": goal });
    let goals = [
        goal("stamp-card-00001", json!({ "points": 50 }), json!({ "count": 1_000, "of": "purchases", "repeat": true })),
        goal(
            "within-days-0001",
            json!({ "badge": "quick" }),
            json!({ "count": 100, "of": "units", "within_days": 90 }),
        ),
        goal("reached-points-1", json!({ "points": 50 }), json!({ "count": 7, "of": "purchases", "repeat": true })),
        goal("reached-badge-01", json!({ "badge": "explorer" }), json!({ "count": 3, "of": "purchases" })),
        goal(
            "months-in-a-row1",
            json!({ "points": 100 }),
            json!({ "count": 60, "of": "purchases", "streak": "month" }),
        ),
    ];
    Shop::with_lots(&with_rules(&limited.chain(goals).collect::<Vec<_>>())).await
}

#[tokio::test]
async fn an_account_of_36_lots_20_limited_rules_and_5_challenges_stays_under_two_kilobytes() {
    let shop = busy().await;
    let account = shop.account().await;
    assert_eq!((account.lots.iter().count(), account.uses.len(), account.progress.len()), (MONTHS, 20, 5));
    let of = |goal: &str| account.progress(&goal.parse().unwrap()).unwrap();
    assert_eq!((of("reached-points-1").reached, of("reached-points-1").won.is_empty()), (5, false));
    assert_eq!((of("months-in-a-row1").streak.as_ref().unwrap().counted(), account.badges.len()), (36, 1));
    let bytes = size(&shop.account_item().await);
    println!("{bytes} bytes");
    assert!(bytes < 2_048, "{bytes} bytes");
    let (earn, answer) = shop.measure(&shop.earns("order-0000000001", 10)).await;
    answer.expect(201);
    let key = keys::purchase(&"main".parse().unwrap(), &"web".parse().unwrap(), &"order-0000000001".parse().unwrap());
    let written = [shop.account_item().await, shop.last_entry().await, shop.item(&key).await];
    assert_eq!(earn, cost(2, writes(&written.each_ref()), 1.0));
}

#[tokio::test]
async fn an_entry_that_counts_towards_three_goals_stays_under_600_bytes() {
    let goals = ["stamp-card-00001", "stamp-card-00002", "stamp-card-00003"].map(|id| {
        json!({ "id": id, "on": "purchase", "award": { "points": 50 },
                "goal": { "count": 1_000, "of": "purchases", "repeat": true } })
    });
    let shop = Shop::with_lots(&with_rules(&goals)).await;
    shop.earns("order-0000000001", 10).once(&shop.stack).await.expect(201);
    let item = shop.last_entry().await;
    let entry: Entry = body(&item).unwrap();
    assert_eq!(entry.effects.progress.len(), 3);
    println!("{} bytes", size(&item));
    assert!(size(&item) < 600, "{} bytes", size(&item));
}
