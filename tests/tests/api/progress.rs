//! `GET /v1/members/{member_id}/progress`: goals, badges and what was granted for a time, as purchases, activities and
//! refunds move them.

use crate::activities::{program_with, tell};
use crate::kit::{books_balance, dump, names, own_claims, with};
use it::books::must_balance;
use it::stack::{Stack, plain_program};
use serde_json::{Value, json};

const NOW: &str = "2026-11-21T10:00:00Z";

/// A stamp card, a challenge, a streak and a club for check-ins.
fn program() -> Value {
    program_with(&[
        json!({ "id": "card", "on": "purchase", "when": { "line_category": ["coffee"] }, "award": { "points": 50 },
                "goal": { "count": 3, "of": "units of selected lines", "repeat": true } }),
        json!({ "id": "challenge", "on": "purchase", "award": { "badge": "explorer" },
                "goal": { "count": 2, "of": "purchases", "within_days": 7 } }),
        json!({ "id": "streak", "on": "activity", "activity": "check_in", "award": { "points": 9 },
                "goal": { "count": 3, "of": "activities", "streak": "day", "repeat": true } }),
        json!({ "id": "xmas", "on": "activity", "activity": "check_in", "award": { "badge": "elf" },
                "from": "2026-12-01", "until": "2026-12-25", "goal": { "count": 2, "of": "activities" } }),
    ])
}

async fn open() -> (Stack, String) {
    let stack = Stack::with_program(NOW, &program()).await;
    let member = stack.enrol("m").await;
    (stack, member)
}

async fn progress(stack: &Stack, member: &str) -> Value {
    stack.send("GET", &format!("/v1/members/{member}/progress"), None).await.expect(200)
}

/// One goal of a member's progress.
async fn goal(stack: &Stack, member: &str, rule: &str) -> Value {
    let shown = progress(stack, member).await;
    shown["goals"].as_array().unwrap().iter().find(|goal| goal["rule"] == rule).unwrap().clone()
}

/// How far the member is with a goal, and how often it was reached.
async fn counted(stack: &Stack, member: &str, rule: &str) -> (i64, i64) {
    let goal = goal(stack, member, rule).await;
    assert_eq!(goal["missing"], goal["count"].as_i64().unwrap() - goal["counted"].as_i64().unwrap());
    (goal["counted"].as_i64().unwrap(), goal["reached"].as_i64().unwrap())
}

/// Buys so many coffees now; gives the kinds and points of the entries.
async fn buy(stack: &Stack, member: &str, order: &str, cups: i64) -> Vec<(String, i64)> {
    let body = with(&stack.purchase(order, member, 300 * cups), "/lines/0/quantity", json!(cups));
    posted(&stack.send("POST", "/v1/purchases", Some(&body)).await.expect(201))
}

async fn give_back(stack: &Stack, order: &str, refund: &str, cups: i64) -> Value {
    let lines = json!([{ "line_id": "1", "quantity": cups }]);
    let body = json!({ "refund_id": refund, "occurred_at": stack.now(), "lines": lines });
    stack.send("POST", &format!("/v1/purchases/web/{order}/refunds"), Some(&body)).await.expect(201)
}

async fn check_in(stack: &Stack, member: &str, id: &str) -> Vec<(String, i64)> {
    let body = json!({ "source": "app", "activity_id": id, "member": { "member_id": member }, "type": "check_in",
                       "occurred_at": stack.now() });
    posted(&tell(stack, &body).await.expect(201))
}

fn posted(answer: &Value) -> Vec<(String, i64)> {
    let of = |entry: &Value| (entry["kind"].as_str().unwrap().to_owned(), entry["points"].as_i64().unwrap());
    answer["entries"].as_array().unwrap().iter().map(of).collect()
}

fn entries(expected: &[(&str, i64)]) -> Vec<(String, i64)> {
    expected.iter().map(|(kind, points)| ((*kind).to_owned(), *points)).collect()
}

#[tokio::test]
async fn progress_shows_every_goal_of_the_program_before_anything_counts() {
    let (stack, member) = open().await;
    let shown = progress(&stack, &member).await;
    assert_eq!(names(&shown), ["as_of", "badges", "goals", "granted", "member_id"]);
    assert_eq!((&shown["member_id"], &shown["as_of"]), (&json!(member), &json!(NOW)));
    assert_eq!((&shown["badges"], &shown["granted"]), (&json!([]), &json!([])));
    let goals = shown["goals"].as_array().unwrap();
    assert_eq!(goals.len(), 4);
    assert_eq!(
        goals[0],
        json!({ "rule": "card", "of": "units of selected lines", "activity": null, "streak": null, "within_days": null,
                "repeat": true, "award": { "points": 50 }, "count": 3, "counted": 0, "missing": 3, "reached": 0,
                "last_day": null, "from": null, "until": null, "open": true })
    );
    assert_eq!((&goals[1]["award"], &goals[1]["within_days"]), (&json!({ "badge": "explorer" }), &json!(7)));
    assert_eq!((&goals[2]["streak"], &goals[2]["activity"]), (&json!("day"), &json!("check_in")));
    let window = (&goals[3]["from"], &goals[3]["until"], &goals[3]["open"]);
    assert_eq!(window, (&json!("2026-11-30T23:00:00Z"), &json!("2026-12-24T23:00:00Z"), &json!(false)));
    let own = format!("/v1/members/{member}/progress");
    let own = stack.send_as(&own_claims(&member, ""), "GET", &own, &[], None).await.expect(200);
    assert_eq!(own, shown);
}

#[tokio::test]
async fn a_completed_goal_writes_an_entry_of_its_own_and_one_for_its_points() {
    let (stack, member) = open().await;
    assert_eq!(buy(&stack, &member, "A-1", 2).await, entries(&[("earn", 6)]));
    assert_eq!(counted(&stack, &member, "card").await, (2, 0));
    // Three more: one completion, two of the next; the second purchase completes the challenge as well.
    let body = with(&stack.purchase("A-2", &member, 900), "/lines/0/quantity", json!(3));
    let answer = stack.send("POST", "/v1/purchases", Some(&body)).await.expect(201);
    assert_eq!(posted(&answer), entries(&[("earn", 9), ("goal", 0), ("bonus", 50), ("goal", 0)]));
    assert_eq!(answer["purchase"]["points"], 9, "what goals give is not the purchase's own");
    assert_eq!(answer["entries"][1]["cause"], json!({ "goal": { "rule": "card" } }));
    assert_eq!(answer["entries"][1]["explanation"], json!([{ "rule": "card", "text": "reached" }]));
    let counts = &answer["entries"][0]["explanation"].as_array().unwrap()[1..];
    assert_eq!(
        json!(counts),
        json!([{ "rule": "card", "text": "counts: 5 of 3" },
               { "rule": "challenge", "text": "counts: 2 of 2" }])
    );
    assert_eq!(answer["account"]["version"], 3, "one change, however many entries");
    assert_eq!(counted(&stack, &member, "card").await, (2, 1));
    assert_eq!(counted(&stack, &member, "challenge").await, (2, 1));
    let challenge = goal(&stack, &member, "challenge").await;
    assert_eq!((&challenge["open"], &challenge["last_day"]), (&json!(false), &Value::Null));
    let badges = json!([{ "badge": "explorer", "since": NOW }]);
    assert_eq!(progress(&stack, &member).await["badges"], badges);
    let person = stack.send("GET", &format!("/v1/members/{member}"), None).await.expect(200);
    assert_eq!(person["member"]["badges"], badges);
    // The replay repeats all of its entries.
    let again = stack.send("POST", "/v1/purchases", Some(&body)).await;
    assert!(again.replayed());
    assert_eq!(again.expect(201)["entries"], answer["entries"]);
    must_balance(&stack).await;
}

#[tokio::test]
async fn refunds_take_progress_points_and_badges_back_and_further_purchases_bring_them_again() {
    let (stack, member) = open().await;
    buy(&stack, &member, "A-1", 2).await;
    buy(&stack, &member, "A-2", 2).await;
    assert_eq!(counted(&stack, &member, "card").await, (1, 1));
    let before = stack.account(&member).await["points"]["available"].as_i64().unwrap();
    // One cup back: what was counted since the completion covers it.
    let answer = give_back(&stack, "A-2", "R-1", 1).await;
    assert_eq!(posted(&answer), entries(&[("clawback", -3)]));
    assert_eq!(counted(&stack, &member, "card").await, (0, 1));
    // The other: the card is not full any more, and of the two purchases one is left.
    let answer = give_back(&stack, "A-2", "R-2", 1).await;
    assert_eq!(posted(&answer), entries(&[("clawback", -3), ("clawback", -50), ("goal", 0)]));
    assert_eq!(answer["refund"]["points_clawed_back"], 53, "those of the goal included");
    let purchase = stack.send("GET", "/v1/purchases/web/A-2", None).await.expect(200);
    assert_eq!(purchase["purchase"]["clawed_back"], 6, "of what the purchase itself was awarded");
    assert_eq!(answer["entries"][1]["cause"], json!({ "goal": { "rule": "card" } }));
    assert_eq!(counted(&stack, &member, "card").await, (2, 0));
    assert_eq!(counted(&stack, &member, "challenge").await, (1, 0));
    assert_eq!(progress(&stack, &member).await["badges"], json!([]));
    assert_eq!(stack.account(&member).await["points"]["available"], before - 56);
    let again = buy(&stack, &member, "A-3", 1).await;
    assert_eq!(again, entries(&[("earn", 3), ("goal", 0), ("bonus", 50), ("goal", 0)]));
    books_balance(&stack, &member).await;
    must_balance(&stack).await;
}

#[tokio::test]
async fn a_challenge_lapses_after_its_days_and_its_last_day_is_shown() {
    let (stack, member) = open().await;
    buy(&stack, &member, "A-1", 1).await;
    let shown = goal(&stack, &member, "challenge").await;
    assert_eq!((&shown["counted"], &shown["last_day"]), (&json!(1), &json!("2026-11-27")));
    stack.set_clock("2026-11-27T22:59:59Z");
    assert_eq!(counted(&stack, &member, "challenge").await, (1, 0));
    let before = dump(&stack).await;
    stack.set_clock("2026-11-27T23:00:00Z");
    let shown = goal(&stack, &member, "challenge").await;
    assert_eq!((&shown["counted"], &shown["missing"], &shown["last_day"]), (&json!(0), &json!(2), &Value::Null));
    assert_eq!(dump(&stack).await, before, "a read shows what is true and writes nothing");
    buy(&stack, &member, "A-2", 1).await;
    assert_eq!(counted(&stack, &member, "challenge").await, (1, 0));
    must_balance(&stack).await;
}

#[tokio::test]
async fn a_streak_counts_local_days_in_a_row_and_a_missed_day_begins_anew() {
    let (stack, member) = open().await;
    // 23:30 and 00:30 in Berlin are two days; twice on one day is one.
    stack.set_clock("2026-11-22T22:30:00Z");
    assert_eq!(check_in(&stack, &member, "1").await, entries(&[("bonus", 0)]));
    check_in(&stack, &member, "2").await;
    stack.set_clock("2026-11-22T23:30:00Z");
    check_in(&stack, &member, "3").await;
    assert_eq!(counted(&stack, &member, "streak").await, (2, 0));
    stack.set_clock("2026-11-24T22:59:59Z");
    assert_eq!(counted(&stack, &member, "streak").await, (2, 0), "the day is not over");
    stack.set_clock("2026-11-25T00:00:00Z");
    assert_eq!(counted(&stack, &member, "streak").await, (0, 0));
    for (day, expected) in
        [("25", &[("bonus", 0)][..]), ("26", &[("bonus", 0)]), ("27", &[("bonus", 0), ("goal", 0), ("bonus", 9)])]
    {
        stack.set_clock(&format!("2026-11-{day}T12:00:00Z"));
        assert_eq!(check_in(&stack, &member, day).await, entries(expected), "{day}");
    }
    assert_eq!(counted(&stack, &member, "streak").await, (0, 1));
    must_balance(&stack).await;
}

#[tokio::test]
async fn what_happens_outside_a_goals_window_does_not_count() {
    let (stack, member) = open().await;
    check_in(&stack, &member, "1").await;
    for (now, id, expected) in
        [("2026-11-30T22:59:59Z", "2", 0), ("2026-11-30T23:00:00Z", "3", 1), ("2026-12-24T23:00:00Z", "4", 1)]
    {
        stack.set_clock(now);
        check_in(&stack, &member, id).await;
        assert_eq!(counted(&stack, &member, "xmas").await, (expected, 0), "{now}");
    }
    // Told after the window, done within it.
    let late = json!({ "source": "app", "activity_id": "5", "member": { "member_id": member }, "type": "check_in",
                       "occurred_at": "2026-12-24T22:59:59Z" });
    let answer = tell(&stack, &late).await.expect(201);
    assert!(posted(&answer).contains(&("goal".to_owned(), 0)), "{answer}");
    assert_eq!(progress(&stack, &member).await["badges"], json!([{ "badge": "elf", "since": "2026-12-24T23:00:00Z" }]));
}

#[tokio::test]
async fn a_new_program_version_never_resets_progress() {
    let (stack, member) = open().await;
    buy(&stack, &member, "A-1", 2).await;
    buy(&stack, &member, "A-2", 2).await;
    // Without any goal, with it once more, and with another count.
    for (minute, document, shown) in [(2, plain_program(), None), (4, program(), Some((1, 1)))] {
        stack.publish(&document).await;
        stack.set_clock(&format!("2026-11-21T10:{minute:02}:00Z"));
        let goals = progress(&stack, &member).await["goals"].as_array().unwrap().len();
        match shown {
            None => assert_eq!(goals, 0),
            Some(shown) => assert_eq!(counted(&stack, &member, "card").await, shown),
        }
        assert_eq!(progress(&stack, &member).await["badges"][0]["badge"], "explorer", "badges stay");
    }
    let mut longer = program();
    longer["earning_rules"][1]["goal"]["count"] = json!(5);
    stack.publish(&longer).await;
    stack.set_clock("2026-11-21T10:06:00Z");
    assert_eq!(counted(&stack, &member, "card").await, (1, 1));
    assert_eq!(buy(&stack, &member, "A-3", 3).await, entries(&[("earn", 9)]));
    assert_eq!(counted(&stack, &member, "card").await, (4, 1));
    assert_eq!(buy(&stack, &member, "A-4", 1).await, entries(&[("earn", 3), ("goal", 0), ("bonus", 50)]));
    must_balance(&stack).await;
}

#[tokio::test]
async fn many_completions_at_once_are_one_entry_and_their_points() {
    let (stack, member) = open().await;
    assert_eq!(buy(&stack, &member, "A-1", 10).await, entries(&[("earn", 30), ("goal", 0), ("bonus", 150)]));
    assert_eq!(counted(&stack, &member, "card").await, (1, 3));
    // Each cup that goes back takes what it had filled.
    for (refund, cups, expected, left) in [
        ("R-1", 2, &[("clawback", -6), ("clawback", -50)][..], (2, 2)),
        ("R-2", 2, &[("clawback", -6)], (0, 2)),
        ("R-3", 6, &[("clawback", -18), ("clawback", -100)], (0, 0)),
    ] {
        assert_eq!(posted(&give_back(&stack, "A-1", refund, cups).await), entries(expected), "{refund}");
        assert_eq!(counted(&stack, &member, "card").await, left, "{refund}");
    }
    assert_eq!(stack.account(&member).await["points"]["available"], 0);
    must_balance(&stack).await;
}

#[tokio::test]
async fn a_member_who_is_not_there_has_no_progress() {
    let (stack, _) = open().await;
    for member in ["mbr_00000000000000000000000000", "mbr_1", "%00"] {
        let answer = stack.send("GET", &format!("/v1/members/{member}/progress"), None).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (404, "member_unknown"), "{member}");
    }
}

#[tokio::test]
async fn guests_purchases_count_once_they_are_claimed() {
    let (stack, member) = open().await;
    let mut guest = with(&stack.purchase("G-1", "-", 900), "/lines/0/quantity", json!(3));
    guest.as_object_mut().unwrap().remove("member");
    stack.send("POST", "/v1/purchases", Some(&guest)).await.expect(201);
    let claim = json!({ "member": { "member_id": member }, "net_total": 900 });
    let answer = stack.send("POST", "/v1/purchases/web/G-1/claim", Some(&claim)).await.expect(201);
    assert_eq!(posted(&answer), entries(&[("earn", 9), ("goal", 0), ("bonus", 50)]));
    let back = posted(&give_back(&stack, "G-1", "R-1", 1).await);
    assert_eq!(back, entries(&[("clawback", -3), ("clawback", -50)]));
    must_balance(&stack).await;
}
