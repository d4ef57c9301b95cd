//! Goals, levels and passes at their edges.

use it::books::must_balance;
use it::stack::{Stack, plain_program};
use serde_json::{Value, json};

const NOW: &str = "2026-11-21T10:00:00Z";

fn goals(count: usize, of: usize) -> Vec<Value> {
    let goal = |n: usize| {
        json!({ "id": format!("goal-{n}"), "on": "purchase", "award": { "points": 1 },
                "goal": { "count": of, "of": "purchases" } })
    };
    (0..count).map(goal).collect()
}

/// As many goals as a program can have, all reached by one purchase, and levels with bonuses upon them.
fn all_at_once(levels: usize) -> Value {
    let mut program = plain_program();
    program["earning_rules"].as_array_mut().unwrap().extend(goals(50, 1));
    let level = |n: usize| json!({ "id": format!("level-{n}"), "from": 60 * n, "entry_bonus": 60 });
    program["tiers"]["levels"] = (0..levels).map(level).collect();
    program["tiers"]["levels"][0].as_object_mut().unwrap().remove("entry_bonus");
    program
}

#[tokio::test]
async fn a_purchase_that_reaches_every_goal_of_a_program_is_recorded_and_can_be_refunded() {
    for levels in [1, 20] {
        let stack = Stack::with_program(NOW, &all_at_once(levels)).await;
        let ada = stack.enrol("ada").await;
        let answer = stack.send("POST", "/v1/purchases", Some(&stack.purchase("1", &ada, 1_000))).await;
        assert_eq!(answer.status, 201, "{levels} levels: {}", answer.body);
        let back = json!({ "refund_id": "R", "occurred_at": NOW, "lines": [{ "line_id": "1", "quantity": 1 }] });
        let answer = stack.send("POST", "/v1/purchases/web/1/refunds", Some(&back)).await;
        assert_eq!(answer.status, 201, "{levels} levels: {}", answer.body);
        must_balance(&stack).await;
    }
}

/// As many rules with budgets as a program can have.
#[tokio::test]
async fn a_purchase_that_many_budgets_pay_for_is_recorded() {
    let mut program = plain_program();
    let rule = |n: usize| json!({ "id": format!("budget-{n}"), "on": "purchase", "award": { "points": 1 }, "budget": { "points": 1_000 } });
    program["earning_rules"].as_array_mut().unwrap().extend((0..20).map(rule));
    let stack = Stack::with_program(NOW, &program).await;
    let ada = stack.enrol("ada").await;
    let answer = stack.send("POST", "/v1/purchases", Some(&stack.purchase("1", &ada, 1_000))).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    must_balance(&stack).await;
}
