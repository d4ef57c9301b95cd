//! When a rule applies: each clause, what it says when it fails, and what is known without looking at a line.

use crate::desk::{Desk, at, faults, label, order, plain, read, with, with_rules};
use loyalty_domain::money::{Currency, Money};
use loyalty_domain::program::condition::{Attribute, Facts, LineFacts};
use loyalty_domain::purchase::Order;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const OPENED: &str = "2026-11-01T10:00:00Z";

fn rule(when: &Value) -> Value {
    json!({"id": "it", "on": "purchase", "when": when, "award": {"points": 1000}})
}

/// A Saturday at 18:30 in Berlin, twenty days after enrolment, of a member tagged `vip` on the lowest level.
fn saturday_evening() -> (Desk, Order) {
    let levels = json!([{"id": "green", "from": 0}, {"id": "gold", "from": 500}]);
    let mut desk = Desk::open_for(&with(plain(), "/tiers/levels", levels), OPENED, None, &["vip"]);
    desk.to("2026-11-21T17:30:00Z");
    let mut told = order("A-1", desk.now, &[1050, 949]);
    told.store = Some(label("berlin-1"));
    told.lines[0].categories = vec![label("coffee"), label("beans")];
    told.lines[0].sku = Some(label("beans-250"));
    told.lines[1].categories = vec![label("hardware")];
    (desk, told)
}

/// Whether a rule with that condition gives something, and, if not, why not.
fn judge(when: &Value) -> (bool, Vec<String>) {
    let (mut desk, told) = saturday_evening();
    let rules = with(
        with_rules(&[rule(when)]),
        "/tiers/levels",
        json!([{"id": "green", "from": 0}, {"id": "gold", "from": 5000}]),
    );
    desk.publish(&rules, at("2026-11-02T00:00:00Z"));
    let quote = desk.quote(&told).unwrap();
    let because = quote.not_applied.into_iter().find(|not| not.rule.as_str() == "it").map(|not| not.because);
    (quote.entries[0].points >= 1000, because.unwrap_or_default())
}

#[test]
fn each_clause_holds_or_says_why_not() {
    let table = [
        (
            json!({"net_total_at_least": {"amount": 1999, "currency": "EUR"}}),
            json!({"net_total_at_least": {"amount": 2000, "currency": "EUR"}}),
            "it needs: a total of at least 20.00 EUR",
        ),
        (
            json!({"not": {"net_total_at_least": {"amount": 1, "currency": "USD"}}}),
            json!({"net_total_at_least": {"amount": 1, "currency": "USD"}}),
            "it needs: a total of at least 0.01 USD",
        ),
        (
            json!({"line_category": ["tea", "coffee"]}),
            json!({"line_category": ["tea", "mugs"]}),
            "it needs: an article of category tea or mugs",
        ),
        (json!({"line_sku": ["beans-250"]}), json!({"line_sku": ["Beans-250"]}), "it needs: the article Beans-250"),
        (json!({"channel": ["till", "web"]}), json!({"channel": ["till"]}), "it needs: the channel till"),
        (json!({"store": ["berlin-1"]}), json!({"store": ["bonn", "mainz"]}), "it needs: the store bonn or mainz"),
        (json!({"tier": ["green"]}), json!({"tier": ["gold"]}), "it needs: the level gold"),
        (json!({"tag": ["staff", "vip"]}), json!({"tag": ["staff"]}), "it needs: the tag staff"),
        (
            json!({"local_weekday": ["sat", "sun"]}),
            json!({"local_weekday": ["fri", "sun"]}),
            "it needs: the weekday fri or sun",
        ),
        (
            json!({"local_time": {"from": "18:30", "to": "18:31"}}),
            json!({"local_time": {"from": "17:00", "to": "18:30"}}),
            "it needs: a time between 17:00 and 18:30",
        ),
        (
            json!({"local_time": {"from": "18:30", "to": "00:00"}}),
            json!({"local_time": {"from": "19:00", "to": "18:00"}}),
            "it needs: a time between 19:00 and 18:00",
        ),
        (
            json!({"first_purchase": true}),
            json!({"not": {"first_purchase": true}}),
            "it excludes: the member's first purchase",
        ),
        (
            json!({"member_days_at_least": 20}),
            json!({"member_days_at_least": 21}),
            "it needs: at least 21 days of membership",
        ),
        (
            json!({"any": [{"channel": ["till"]}, {"store": ["berlin-1"]}]}),
            json!({"not": {"any": [{"channel": ["till"]}, {"store": ["berlin-1"]}]}}),
            "it excludes: (the channel till or the store berlin-1)",
        ),
        (
            json!({"all": [{"line_category": ["coffee"]}, {"line_sku": ["beans-250"]}]}),
            json!({"all": [{"line_category": ["hardware"]}, {"line_sku": ["beans-250"]}]}),
            "no single line fulfils all of its clauses",
        ),
    ];
    for (holds, fails, why) in table {
        assert_eq!(judge(&holds), (true, vec![]), "{holds}");
        assert_eq!(judge(&fails), (false, vec![why.to_owned()]), "{fails}");
    }
}

#[test]
fn of_several_clauses_each_that_fails_is_named() {
    let when = json!({"all": [{"channel": ["till"]}, {"tag": ["vip"]}, {"any": [{"store": ["x"]}, {"tag": ["y"]}]}]});
    let why = ["it needs: the channel till", "it needs: the store x", "it needs: the tag y"];
    assert_eq!(judge(&when), (false, why.map(str::to_owned).to_vec()));
}

#[test]
fn not_coffee_selects_the_lines_that_are_not_coffee() {
    let double = json!({"id": "double", "on": "purchase", "when": {"not": {"line_category": ["coffee"]}}, "award": {"multiply": "2"}});
    let (mut desk, told) = saturday_evening();
    desk.publish(&with_rules(&[double]), at("2026-11-02T00:00:00Z"));
    desk.record(&told).unwrap();
    // 10.50 + 2 × 9.49
    assert_eq!(desk.first("A-1"), 29);
}

#[test]
fn an_attribute_is_compared_by_its_own_type() {
    let holds = |test: Value, value: Attribute| {
        let mut when = json!({"attribute": {"name": "stars"}});
        for (key, value) in test.as_object().unwrap() {
            when["attribute"][key] = value.clone();
        }
        let rule = json!({"id": "it", "on": "activity", "activity": "review", "when": when, "award": {"points": 1}});
        let program = read(&with(plain(), "/earning_rules", json!([rule])));
        let attributes = BTreeMap::from([(label("stars"), value)]);
        let facts = Facts { attributes: Some(&attributes), ..facts(&[]) };
        program.rules[0].when.as_ref().unwrap().holds(&facts, None).unwrap()
    };
    assert!(holds(json!({"equals": 5}), Attribute::Int(5)));
    assert!(!holds(json!({"equals": 5}), Attribute::Text("5".to_owned())));
    assert!(holds(json!({"equals": true}), Attribute::Bool(true)));
    assert!(holds(json!({"equals": "x"}), Attribute::Text("x".to_owned())));
    assert!(holds(json!({"at_least": 4}), Attribute::Int(4)));
    assert!(!holds(json!({"at_least": 4}), Attribute::Int(3)));
    assert!(holds(json!({"at_most": 4}), Attribute::Int(4)));
    assert!(!holds(json!({"at_most": 4}), Attribute::Bool(true)));
}

fn nested(depth: usize) -> Value {
    (1..depth).fold(json!({"first_purchase": true}), |inner, _| json!({"not": inner}))
}

#[test]
fn conditions_nest_eight_deep_and_no_deeper() {
    let document = |depth| with_rules(&[rule(&nested(depth))]).to_string();
    assert_eq!(faults(&document(8)), [""; 0]);
    let deep = "/earning_rules/1/when/not/not/not/not/not/not/not/not";
    assert_eq!(faults(&document(9)), [deep]);
    assert_eq!(faults(&document(40)), [deep]);
    let lists = (1..9).fold(json!({"first_purchase": true}), |inner, _| json!({"all": [inner]}));
    assert_eq!(faults(&with_rules(&[rule(&lists)]).to_string()).len(), 1);
}

fn facts(tags: &[usize]) -> Facts<'_> {
    Facts {
        occurred_at: at(OPENED),
        weekday: 6,
        minute: 660,
        net_total: Some(Money { amount: 1000, currency: Currency::of("EUR").unwrap() }),
        channel: None,
        store: None,
        level: 0,
        tags,
        first_purchase: true,
        member_days: 0,
        attributes: None,
    }
}

/// Conditions over two facts of the line, one that is true and one that is false of the purchase.
fn condition() -> impl Strategy<Value = Value> {
    let leaf = prop::sample::select(vec![
        json!({"line_category": ["a"]}),
        json!({"line_sku": ["a"]}),
        json!({"first_purchase": true}),
        json!({"member_days_at_least": 1}),
    ]);
    leaf.prop_recursive(5, 24, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(|all| json!({"all": all})),
            prop::collection::vec(inner.clone(), 1..4).prop_map(|any| json!({"any": any})),
            inner.prop_map(|not| json!({"not": not})),
        ]
    })
}

fn plainly(when: &Value, category: bool, sku: bool) -> bool {
    let (clause, value) = when.as_object().unwrap().iter().next().unwrap();
    let mut each = value.as_array().into_iter().flatten().map(|inner| plainly(inner, category, sku));
    match clause.as_str() {
        "all" => each.all(|holds| holds),
        "any" => each.any(|holds| holds),
        "not" => !plainly(value, category, sku),
        "line_category" => category,
        "line_sku" => sku,
        "first_purchase" => true,
        _ => false,
    }
}

proptest! {
    #[test]
    fn what_is_known_without_a_line_is_so_for_every_line(when in condition()) {
        let program = read(&with_rules(&[rule(&when)]));
        let condition = program.rules[1].when.as_ref().unwrap();
        let (a, tags) = (label("a"), []);
        let facts = facts(&tags);
        let without = condition.holds(&facts, None);
        for (category, sku) in [(false, false), (false, true), (true, false), (true, true)] {
            let categories = if category { vec![a.clone()] } else { vec![] };
            let line = LineFacts { sku: sku.then_some(&a), categories: &categories };
            let expected = plainly(&when, category, sku);
            prop_assert_eq!(condition.holds(&facts, Some(line)), Some(expected));
            prop_assert!(without.is_none_or(|known| known == expected));
        }
    }
}
