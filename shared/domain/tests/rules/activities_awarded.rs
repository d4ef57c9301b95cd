//! What an activity is worth, by itself: which rules give, and within what.

use crate::desk::{at, label, read, with_rules};
use loyalty_domain::award::{Awarded, Caps};
use loyalty_domain::award_activity::award_activity;
use loyalty_domain::program::condition::{Attribute, Facts};
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn judge(rules: &[Value], kind: &str, stars: i64, caps: Caps<'_>) -> Awarded {
    let attributes = BTreeMap::from([(label("stars"), Attribute::Int(stars))]);
    let facts = Facts {
        occurred_at: at("2026-11-21T10:00:00Z"),
        weekday: 5,
        minute: 11 * 60,
        net_total: None,
        channel: None,
        store: None,
        level: 0,
        tags: &[],
        first_purchase: false,
        member_days: 0,
        attributes: Some(&attributes),
    };
    award_activity(&read(&with_rules(rules)), &facts, &kind.parse().unwrap(), caps).unwrap()
}

fn rule(id: &str, more: &Value) -> Value {
    let mut rule = json!({"id": id, "on": "activity", "activity": "review", "award": {"points": 25}});
    for (name, value) in more.as_object().unwrap() {
        rule[name] = value.clone();
    }
    rule
}

fn words(awarded: &Awarded) -> Vec<String> {
    awarded.explanation.iter().map(|reason| reason.words()).collect()
}

#[test]
fn every_rule_of_that_type_whose_window_and_condition_admit_it_gives_its_points() {
    let rules = [
        rule("review", &json!({})),
        rule("check-in", &json!({"activity": "check_in"})),
        rule("long-ago", &json!({"until": "2026-11-21"})),
        rule("five-stars", &json!({"when": {"attribute": {"name": "stars", "at_least": 5}}, "award": {"points": 5}})),
        rule("weekend", &json!({"when": {"local_weekday": ["sat"]}, "award": {"points": 1}})),
    ];
    // The first rule of the program is one for purchases.
    let awarded = judge(&rules, "review", 5, Caps::default());
    assert_eq!((awarded.points, &awarded.gave[..]), (31, &[1, 4, 5][..]));
    assert_eq!(words(&awarded), ["25 points", "5 points", "1 points"]);
    assert_eq!(judge(&rules, "review", 4, Caps::default()).points, 26);
    let nothing = judge(&rules, "selfie", 5, Caps::default());
    assert_eq!((nothing.points, nothing.gave, nothing.explanation.len()), (0, vec![], 1));
}

#[test]
fn limits_and_budgets_trim_what_an_activity_gives_and_say_so() {
    let rules =
        [rule("a", &json!({"limit": {"times": 4, "per": "year"}})), rule("b", &json!({"budget": {"points": 100}}))];
    let awarded = judge(&rules, "review", 1, Caps { used_up: &[1], budgets: &[(2, 10)] });
    assert_eq!((awarded.points, awarded.gave.clone(), awarded.of_budgets.clone()), (10, vec![2], vec![(2, 10)]));
    assert_eq!(
        words(&awarded),
        ["it serves a member 4 times a year, and has", "its budget has 10 points left", "10 points"]
    );
    let spent = judge(&rules, "review", 1, Caps { used_up: &[1], budgets: &[(2, 0)] });
    assert_eq!((spent.points, spent.gave.clone(), spent.of_budgets.clone()), (0, vec![], vec![(2, 0)]));
}

#[test]
fn what_is_granted_counts_as_given_without_points_and_with_a_spent_budget_but_not_beyond_its_limit() {
    let grants = json!({"tag": "double-day", "days": 1});
    let bare = [rule("book", &json!({"grants": grants, "award": null, "limit": {"times": 4, "per": "year"}}))];
    let awarded = judge(&bare, "review", 1, Caps::default());
    assert_eq!((awarded.points, &awarded.gave[..], awarded.explanation.len()), (0, &[1][..], 0));
    let beyond = judge(&bare, "review", 1, Caps { used_up: &[1], budgets: &[] });
    assert_eq!(
        (&beyond.gave[..], words(&beyond)),
        (&[][..], vec!["it serves a member 4 times a year, and has".into()])
    );
    let funded = [rule("book", &json!({"grants": grants, "budget": {"points": 100}}))];
    let awarded = judge(&funded, "review", 1, Caps { used_up: &[], budgets: &[(1, 0)] });
    assert_eq!((awarded.points, &awarded.gave[..]), (0, &[1][..]));
    let points = judge(&funded, "review", 1, Caps::default());
    assert_eq!((points.points, &points.gave[..]), (25, &[1][..]));
}
