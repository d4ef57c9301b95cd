//! `GET /v1/rewards` and `GET /v1/members/{member_id}/rewards`.

use crate::kit::{Desk, NOW, id, mug, offering, pay, seat, with};
use it::books::dump;
use serde_json::{Value, json};

async fn of_anybody(desk: &Desk) -> Vec<Value> {
    let answer = desk.stack.send("GET", "/v1/rewards", None).await.expect(200);
    answer["rewards"].as_array().unwrap().clone()
}

/// Of each reward its id, whether it can be had, and why not.
fn stated(rewards: &[Value]) -> Vec<Value> {
    rewards.iter().map(|of| json!([of["reward_id"], of["available"], of["because"]])).collect()
}

#[tokio::test]
async fn a_reward_is_shown_with_its_price_and_worth() {
    let card = json!({ "id": "card", "name": "Credit", "kind": "gift_card", "points": 900, "settle": "immediately",
                       "amount": { "amount": 1_000, "currency": "EUR" } });
    let tenth = json!({ "id": "tenth", "name": "A tenth off", "kind": "discount_percent", "points": 50,
                        "settle": "immediately", "percent": "12.5" });
    let desk = Desk::open(json!([mug(), with(pay(), json!({ "minimum": 250, "step": 100 })), card, tenth])).await;
    let rewards = of_anybody(&desk).await;
    assert_eq!(
        rewards[0],
        json!({ "reward_id": "mug", "name": "Coffee mug", "kind": "product", "points": 400, "value": null,
                "percent": null, "pays": [], "available": true, "because": [], "missing_points": 0 })
    );
    // The least that pays.
    assert_eq!(rewards[1]["points"], 300);
    assert_eq!(rewards[1]["pays"], json!([{ "points": 100, "value": { "amount": 100, "currency": "EUR" } }]));
    assert_eq!(rewards[2]["value"], json!({ "amount": 1_000, "currency": "EUR" }));
    assert_eq!(rewards[3]["percent"], "12.5");
}

#[tokio::test]
async fn what_nobody_can_have_says_why_and_what_depends_on_the_member_stays_open() {
    let desk = Desk::open(json!([
        mug(),
        with(mug(), json!({ "id": "ended", "until": "2026-11-21" })),
        with(mug(), json!({ "id": "to-come", "from": "2026-12-01" })),
        with(mug(), json!({ "id": "gone", "stock": 0 })),
        with(mug(), json!({ "id": "weekday", "when": { "local_weekday": ["mon"] } })),
        with(mug(), json!({ "id": "golden", "when": { "tier": ["gold"] } })),
        with(mug(), json!({ "id": "either", "when": { "any": [{ "tier": ["gold"] }, { "local_weekday": ["mon"] }] } })),
    ]))
    .await;
    assert_eq!(
        stated(&of_anybody(&desk).await),
        [
            json!(["mug", true, []]),
            json!(["ended", false, ["it ended before 2026-11-21"]]),
            json!(["to-come", false, ["it begins on 2026-12-01"]]),
            json!(["gone", false, ["none of it is left"]]),
            json!(["weekday", false, ["it needs: the weekday mon"]]),
            json!(["golden", true, []]),
            json!(["either", true, []]),
        ]
    );
}

#[tokio::test]
async fn a_member_is_told_what_is_missing() {
    let desk =
        Desk::of(&offering(json!([mug(), with(mug(), json!({ "id": "golden", "when": { "tier": ["gold"] } }))])), 150)
            .await;
    let offer = desk.offer("mug").await;
    assert_eq!((&offer["available"], &offer["missing_points"]), (&json!(false), &json!(250)));
    assert_eq!(offer["because"], json!(["it takes 400 points, 150 are available"]));
    let offer = desk.offer("golden").await;
    assert_eq!(offer["because"].as_array().unwrap().len(), 2);
    assert!(offer["because"][0].as_str().unwrap().contains("the level gold"), "{offer}");
    desk.adjust(250).await;
    let offer = desk.offer("mug").await;
    assert_eq!((&offer["available"], &offer["missing_points"]), (&json!(true), &json!(0)));
}

#[tokio::test]
async fn tags_levels_and_membership_open_rewards() {
    let desk = Desk::open(json!([
        with(mug(), json!({ "id": "tagged", "when": { "tag": ["staff"] } })),
        with(mug(), json!({ "id": "golden", "when": { "tier": ["gold"] } })),
        with(mug(), json!({ "id": "loyal", "when": { "member_days_at_least": 2 } })),
    ]))
    .await;
    for reward in ["tagged", "golden", "loyal"] {
        assert_eq!(desk.offer(reward).await["available"], false, "{reward}");
        assert_eq!(desk.redeem(reward, reward).await.code(), "reward_unavailable");
    }
    let path = format!("/v1/members/{}", desk.ada);
    desk.stack.send("PATCH", &path, Some(&json!({ "tags": ["staff"] }))).await.expect(200);
    let body = desk.stack.purchase("A-1", &desk.ada, 50_000);
    desk.stack.send("POST", "/v1/purchases", Some(&body)).await.expect(201);
    desk.stack.set_clock("2026-11-23T10:00:00Z");
    for reward in ["tagged", "golden", "loyal"] {
        assert_eq!(desk.offer(reward).await["available"], true, "{reward}");
        desk.redeem(reward, reward).await.expect(201);
    }
}

/// The catalogue and the redemption decide by the very same: what is offered can be had, and what is not is refused for
/// the reasons shown.
#[tokio::test]
async fn what_is_offered_can_be_had_and_what_is_not_is_refused_for_the_same_reasons() {
    let rewards = json!([
        with(mug(), json!({ "id": "ended", "until": "2026-11-21" })),
        with(mug(), json!({ "id": "to-come", "from": "2026-12-01" })),
        with(mug(), json!({ "id": "gone", "stock": 0 })),
        with(mug(), json!({ "id": "weekday", "when": { "local_weekday": ["mon"] } })),
        with(mug(), json!({ "id": "golden", "when": { "tier": ["gold"] } })),
        with(mug(), json!({ "id": "once", "points": 100, "limit": { "times": 1, "per": "month" } })),
        with(mug(), json!({ "id": "few", "points": 100, "stock": 2 })),
        with(mug(), json!({ "id": "dear", "points": 5_000 })),
        mug(),
    ]);
    let desk = Desk::open(rewards.clone()).await;
    for round in 0..4 {
        for reward in rewards.as_array().unwrap() {
            let name = reward["id"].as_str().unwrap();
            let offer = desk.offer(name).await;
            let answer = desk.redeem(&format!("{name}-{round}"), name).await;
            assert_eq!(answer.status == 201, offer["available"] == true, "{name}: {offer} {}", answer.body);
            if answer.code() == "reward_unavailable" {
                let because: Vec<&Value> = offer["because"].as_array().unwrap().iter().collect();
                let refused = answer.body["because"].as_array().unwrap();
                assert!(!refused.is_empty() && refused.iter().all(|why| because.contains(&why)), "{offer}");
            } else if answer.status == 409 {
                assert_eq!(answer.body["missing"], offer["missing_points"]);
            }
        }
    }
    desk.balances().await;
}

#[tokio::test]
async fn a_used_up_limit_says_so() {
    let desk = Desk::open(json!([with(mug(), json!({ "limit": { "times": 2, "per": "year" } }))])).await;
    for key in ["k1", "k2"] {
        assert_eq!(desk.offer("mug").await["available"], true);
        desk.redeem(key, "mug").await.expect(201);
    }
    let offer = desk.offer("mug").await;
    assert_eq!(offer["because"][0], "it serves a member 2 times a year, and has");
    desk.stack.set_clock("2027-01-01T00:00:00Z");
    assert_eq!(desk.offer("mug").await["because"], json!(["it takes 400 points, 200 are available"]));
}

#[tokio::test]
async fn a_stock_is_counted_for_everybody_and_what_lapsed_of_ones_own_counts_as_back() {
    let desk = Desk::open(json!([with(seat(), json!({ "stock": 1 }))])).await;
    desk.redeem("k1", "seat").await.expect(201);
    assert_eq!(desk.offer("seat").await["because"], json!(["none of it is left"]));
    assert_eq!(of_anybody(&desk).await[0]["because"], json!(["none of it is left"]));
    desk.stack.set_clock("2026-11-21T11:00:00Z");
    let before = dump(&desk.stack).await;
    assert_eq!(desk.offer("seat").await["available"], true);
    assert_eq!(dump(&desk.stack).await, before);
    desk.redeem("k2", "seat").await.expect(201);
    desk.balances().await;
}

#[tokio::test]
async fn points_are_those_of_now() {
    let desk = Desk::open(json!([mug(), seat()])).await;
    desk.redeem("k1", "seat").await.expect(201);
    desk.redeem("k2", "seat").await.expect(201);
    assert_eq!(desk.offer("mug").await["missing_points"], 0);
    desk.redeem("k3", "mug").await.expect(201);
    assert_eq!(desk.offer("mug").await["missing_points"], 400);
    // Both holds have lapsed, and nobody has written so.
    desk.stack.set_clock("2026-11-21T11:00:00Z");
    assert_eq!(desk.offer("mug").await["missing_points"], 0);
    // Everything has expired, and nobody has written so.
    desk.stack.set_clock("2027-11-30T23:00:00Z");
    assert_eq!(desk.offer("mug").await["missing_points"], 400);
}

#[tokio::test]
async fn ten_open_holds_and_a_pause_stand_against_rewards() {
    let desk = Desk::open(json!([with(seat(), json!({ "points": 10 })), mug()])).await;
    let mut last = String::new();
    for number in 0..10 {
        last = id(&desk.redeem(&format!("k{number}"), "seat").await.expect(201));
    }
    assert_eq!(desk.offer("seat").await["because"], json!(["10 redemptions are open already"]));
    assert_eq!(desk.offer("mug").await["available"], true);
    desk.cancel("c", &last).await.expect(200);
    assert_eq!(desk.offer("seat").await["available"], true);
    desk.stack.send("POST", &format!("/v1/members/{}/deactivate", desk.ada), None).await.expect(200);
    assert_eq!(desk.offer("mug").await["because"], json!(["the member takes no part at present"]));
}

#[tokio::test]
async fn a_version_to_come_changes_nothing_before_it_is_there() {
    let desk = Desk::open(json!([mug()])).await;
    desk.stack.publish(&offering(json!([seat()]))).await;
    assert_eq!(of_anybody(&desk).await[0]["reward_id"], "mug");
    desk.stack.set_clock("2026-11-21T10:01:00Z");
    assert_eq!(of_anybody(&desk).await[0]["reward_id"], "seat");
    assert_eq!(desk.redeem("k", "mug").await.code(), "reward_unknown");
}

#[tokio::test]
async fn nobody_has_no_catalogue() {
    let desk = Desk::open(json!([])).await;
    assert_eq!(of_anybody(&desk).await, Vec::<Value>::new());
    let path = "/v1/members/mbr_00000000000000000000000000/rewards";
    assert_eq!(desk.stack.send("GET", path, None).await.code(), "member_unknown");
    assert_eq!(desk.stack.now(), NOW);
}
