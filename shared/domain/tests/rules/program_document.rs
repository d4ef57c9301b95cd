//! The program document: read strictly, every fault at once, each with its pointer.

use crate::awarding::document;
use crate::desk::{at, base_rule, faults, order, plain, read, with, with_rules};
use loyalty_domain::json::parse;
use loyalty_domain::program::Program;
use proptest::prelude::*;
use serde_json::{Value, json};

const EXAMPLE: &str = include_str!("../../../../program.json");

fn example() -> Value {
    serde_json::from_str(EXAMPLE).unwrap()
}

#[test]
fn the_example_program_is_in_order() {
    assert_eq!(faults(EXAMPLE), [""; 0]);
    let program = read(&example());
    assert_eq!((program.rules.len(), program.rewards.len(), program.tiers.levels.len()), (5, 2, 2));
    assert_eq!(program.rules[1].from, Some(at("2026-10-31T23:00:00Z")));
}

#[test]
fn only_the_required_fields_are_required() {
    assert_eq!(faults(&plain().to_string()), [""; 0]);
    assert_eq!(faults("{}"), ["/name", "/time_zone", "/rounding", "/points", "/tiers", "/earning_rules"]);
}

#[test]
fn every_fault_is_named_at_once_and_exactly() {
    let table: Vec<(&str, Value, &[&str])> = vec![
        ("/name", json!(""), &["/name"]),
        ("/name", json!("a\u{0}b"), &["/name"]),
        ("/name", json!(null), &["/name"]),
        ("/time_zone", json!("Mars/Olympus"), &["/time_zone"]),
        ("/rounding", json!("up"), &["/rounding"]),
        ("/colour", json!("red"), &["/colour"]),
        ("/points/pending_days", json!(366), &["/points/pending_days"]),
        ("/points/pending_days", json!("1"), &["/points/pending_days"]),
        ("/points/notice_days", json!(1.5), &["/points/notice_days"]),
        ("/points/expiry", json!("always"), &["/points/expiry"]),
        (
            "/points/expiry",
            json!({"after_months": 0, "snap": "end"}),
            &["/points/expiry/after_months", "/points/expiry/snap"],
        ),
        ("/points/expiry", json!([]), &["/points/expiry"]),
        ("/points/clawback/shortfall", json!("forget"), &["/points/clawback/shortfall"]),
        ("/points/late_purchase_days", json!(-1), &["/points/late_purchase_days"]),
        ("/earning_rules", json!({}), &["/earning_rules"]),
        ("/earning_rules/0", json!(7), &["/earning_rules/0"]),
        ("/earning_rules/0/id", json!("a b"), &["/earning_rules/0/id"]),
        ("/earning_rules/0/on", json!("tuesday"), &["/earning_rules/0/on"]),
        ("/earning_rules/0/award", json!({}), &["/earning_rules/0/award"]),
        ("/earning_rules/0/award", json!({"points": 1, "multiply": "2"}), &["/earning_rules/0/award"]),
        ("/earning_rules/0/award", json!({"points": null}), &["/earning_rules/0/award"]),
        ("/earning_rules/0/award", json!({"points": null, "multiply": "2"}), &[]),
        ("/earning_rules/0/award", json!({"points": -1}), &["/earning_rules/0/award/points"]),
        ("/earning_rules/0/award", json!({"points": "1"}), &["/earning_rules/0/award/points"]),
        ("/earning_rules/0/award", json!({"multiply": 2}), &["/earning_rules/0/award/multiply"]),
        ("/earning_rules/0/award", json!({"multiply": "-1"}), &["/earning_rules/0/award/multiply"]),
        ("/earning_rules/0/award", json!({"multiply": "1000.1"}), &["/earning_rules/0/award/multiply"]),
        ("/earning_rules/0/award/per_amount/amount", json!(0), &["/earning_rules/0/award/per_amount/amount"]),
        ("/earning_rules/0/award/per_amount/currency", json!("eur"), &["/earning_rules/0/award/per_amount/currency"]),
        ("/earning_rules/0/award/per_amount/points", json!(1), &["/earning_rules/0/award/per_amount/points"]),
        ("/earning_rules/0/from", json!("2026-02-30"), &["/earning_rules/0/from"]),
        (
            "/earning_rules/0/limit",
            json!({"times": 0, "per": "decade"}),
            &["/earning_rules/0/limit/times", "/earning_rules/0/limit/per"],
        ),
        ("/earning_rules/0/budget", json!({"points": 0}), &["/earning_rules/0/budget/points"]),
        ("/earning_rules/0/when", json!({}), &["/earning_rules/0/when"]),
        ("/earning_rules/0/when", json!({"tag": ["a"], "channel": ["b"]}), &["/earning_rules/0/when"]),
        ("/earning_rules/0/when", json!({"moon": "full"}), &["/earning_rules/0/when/moon"]),
        ("/earning_rules/0/when", json!({"tier": ["green", "gold"]}), &["/earning_rules/0/when/tier/1"]),
        ("/earning_rules/0/when", json!({"all": []}), &["/earning_rules/0/when/all"]),
        (
            "/earning_rules/0/when",
            json!({"local_weekday": ["sat", "Sonntag"]}),
            &["/earning_rules/0/when/local_weekday/1"],
        ),
        (
            "/earning_rules/0/when",
            json!({"local_time": {"from": "25:00", "to": "1:00"}}),
            &["/earning_rules/0/when/local_time/from", "/earning_rules/0/when/local_time/to"],
        ),
        (
            "/earning_rules/0/when",
            json!({"local_time": {"from": "09:00", "to": "09:00"}}),
            &["/earning_rules/0/when/local_time/to"],
        ),
        ("/earning_rules/0/when", json!({"first_purchase": false}), &["/earning_rules/0/when/first_purchase"]),
        (
            "/earning_rules/0/when",
            json!({"any": [{"tag": ["ok"]}, {"not": {"store": [""]}}, {"channel": "web"}]}),
            &["/earning_rules/0/when/any/1/not/store/0", "/earning_rules/0/when/any/2/channel"],
        ),
        (
            "/earning_rules/0/when",
            json!({"attribute": {"name": "stars", "at_least": "1"}}),
            &["/earning_rules/0/when/attribute/at_least"],
        ),
        (
            "/earning_rules/0/when",
            json!({"attribute": {"name": "stars", "at_least": 1, "at_most": 2}}),
            &["/earning_rules/0/when/attribute"],
        ),
        ("/earning_rules/0/activity", json!("review"), &["/earning_rules/0/activity"]),
        ("/tiers/levels", json!([]), &["/tiers/levels"]),
        ("/tiers/levels/0/from", json!(1), &["/tiers/levels/0/from"]),
        (
            "/tiers/levels",
            json!([{"id": "a", "from": 0}, {"id": "b", "from": 5}, {"id": "c", "from": 5}]),
            &["/tiers/levels/2/from"],
        ),
        ("/tiers/levels", json!([{"id": "a", "from": 0}, {"id": "a", "from": 5}]), &["/tiers/levels/1/id"]),
        (
            "/tiers/levels",
            json!([{"id": "a", "from": 0, "multiply": "x", "name": "A"}]),
            &["/tiers/levels/0/multiply", "/tiers/levels/0/name"],
        ),
        ("/tiers/period", json!("decade"), &["/tiers/period"]),
        ("/tiers/qualify_by", json!("spend"), &["/tiers/currency"]),
        ("/tiers/currency", json!("EUR"), &["/tiers/currency"]),
        (
            "/tiers",
            json!({"qualify_by": "spend", "currency": "euro", "levels": [{"id": "a", "from": 0}]}),
            &["/tiers/currency"],
        ),
        (
            "/tiers",
            json!({"qualify_by": "karma", "currency": "EUR", "levels": [{"id": "a", "from": 0}]}),
            &["/tiers/qualify_by"],
        ),
        (
            "/rewards",
            json!([{"id": "a", "name": "A", "kind": "product", "points": "5", "settle": "hold"}]),
            &["/rewards/0/points", "/rewards/0/hold_minutes"],
        ),
        (
            "/rewards",
            json!([{"id": "a", "name": "A", "kind": "pay_with_points", "settle": "immediately", "value": {"points": 0}}]),
            &["/rewards/0/value/points", "/rewards/0/value/amount", "/rewards/0/value/currency"],
        ),
        ("/referral", json!({"advocate_points": 1}), &["/referral/friend_points", "/referral/qualifying_amount"]),
        ("/birthday", json!({"points": 0, "feb29": "mar2"}), &["/birthday/points", "/birthday/feb29"]),
        ("/effective_from", json!("2026-11-01"), &["/effective_from"]),
    ];
    let mut wrong = Vec::new();
    for (pointer, value, expected) in table {
        let found = faults(&with(plain(), pointer, value.clone()).to_string());
        if found != expected {
            wrong.push(format!("{pointer} {value}: {found:?} instead of {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn faults_of_distant_parts_are_listed_together() {
    let mut document = with_rules(&[json!({"id": "base", "on": "purchase", "award": {"points": 5}})]);
    document["name"] = json!(7);
    document["points"]["colour"] = json!(1);
    document["points"]["notice_days"] = json!(1000);
    document["tiers"]["levels"] = json!([{"id": "green", "from": 3}]);
    document["earning_rules"][0]["until"] = json!("2026-01-01");
    document["earning_rules"][0]["from"] = json!("2026-01-01");
    document["earning_rules"][1]["when"] = json!({"tier": ["gold"]});
    let mut found = faults(&document.to_string());
    found.sort();
    assert_eq!(
        found,
        [
            "/earning_rules/0/until",
            "/earning_rules/1/id",
            "/earning_rules/1/when/tier/0",
            "/name",
            "/points/colour",
            "/points/notice_days",
            "/tiers/levels/0/from"
        ]
    );
}

#[test]
fn doubled_ids_and_doubled_keys_are_refused() {
    let twice = with(plain(), "/earning_rules", json!([base_rule(), base_rule(), base_rule()]));
    assert_eq!(faults(&twice.to_string()), ["/earning_rules/1/id", "/earning_rules/2/id"]);
    let reward = json!({"id": "mug", "name": "Mug", "kind": "product", "points": 4, "settle": "immediately"});
    assert_eq!(faults(&with(plain(), "/rewards", json!([reward, reward])).to_string()), ["/rewards/1/id"]);
    let key_twice = plain().to_string().replacen("\"name\"", "\"name\":\"x\",\"name\"", 1);
    assert_eq!(faults(&key_twice), ["/name"]);
}

#[test]
fn activities_and_enrolments_have_no_lines_and_no_amount() {
    let rules = json!([
        {"id": "a", "on": "activity", "award": {"points": 5}},
        {"id": "b", "on": "enrolment", "award": {"multiply": "2"}},
        {"id": "c", "on": "enrolment", "when": {"not": {"line_sku": ["x"]}}, "award": {"points": 5}},
        {"id": "d", "on": "activity", "activity": "x", "when": {"any": [{"first_purchase": true}]}, "award": {"points": 5}},
    ]);
    assert_eq!(
        faults(&with(plain(), "/earning_rules", rules).to_string()),
        ["/earning_rules/0/activity", "/earning_rules/1/award", "/earning_rules/2/when", "/earning_rules/3/when"]
    );
}

#[test]
fn rates_without_a_handy_common_denominator_are_refused() {
    let rate = |id: &str, amount: i64| json!({"id": id, "on": "purchase", "award": {"per_amount": {"points": "1", "amount": amount, "currency": "EUR"}}});
    let rules = json!([rate("a", 999_983), rate("b", 999_979), rate("c", 2)]);
    assert_eq!(faults(&with(plain(), "/earning_rules", rules).to_string()), ["/earning_rules/2/award"]);
}

#[test]
fn a_window_ends_after_it_begins() {
    for until in ["2026-01-01", "2025-12-31"] {
        let document =
            with(with(plain(), "/earning_rules/0/from", json!("2026-01-01")), "/earning_rules/0/until", json!(until));
        assert_eq!(faults(&document.to_string()), ["/earning_rules/0/until"]);
    }
}

/// Reads whatever it is, and, where it is a program, lives with it for a while.
fn survives(bytes: &[u8]) {
    let Ok(json) = parse(bytes) else { return };
    match Program::from_json(&json) {
        Ok(_) => {
            let document: Value = serde_json::from_slice(bytes).unwrap();
            let mut desk = crate::desk::Desk::open(&document, "2026-11-01T10:00:00Z");
            for (index, now) in
                ["2026-11-07T10:00:00Z", "2027-01-05T00:00:00Z", "2029-02-28T23:30:00Z"].iter().enumerate()
            {
                desk.settle_at(now);
                let told = order(&format!("A-{index}"), desk.now, &[4999, 2]);
                desk.record(&told).unwrap();
                desk.refund(told.order_id.as_str(), &[("1", 1, None)]).unwrap();
            }
        }
        Err(faults) => assert!(!faults.list().is_empty()),
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-2_i64..400).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[ -~]{0,8}".prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        prop::sample::select(vec![
            "never",
            "EUR",
            "points",
            "id",
            "0.5",
            "2026-12-01",
            "hold",
            "spend",
            "visits",
            "lifetime"
        ])
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("[a-z_]{1,6}", inner, 0..3)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Puts a value in the place of one of the document's parts, or takes the part away.
fn mutate(document: &mut Value, path: &[prop::sample::Index], with: Option<Value>) {
    let mut place = document;
    for step in path {
        let parts = match place {
            Value::Object(fields) => fields.len(),
            Value::Array(items) => items.len(),
            _ => 0,
        };
        if parts == 0 {
            break;
        }
        let index = step.index(parts);
        place = match place {
            Value::Object(fields) => fields.iter_mut().nth(index).unwrap().1,
            Value::Array(items) => &mut items[index],
            _ => unreachable!(),
        };
    }
    *place = with.unwrap_or(Value::Null);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_whatever_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), text in any::<String>()) {
        survives(&bytes);
        survives(text.as_bytes());
    }

    #[test]
    fn no_damaged_document_makes_the_reader_or_an_award_panic(
        random in document(),
        example_instead in any::<bool>(),
        changes in prop::collection::vec((prop::collection::vec(any::<prop::sample::Index>(), 1..7), prop::option::of(any_json())), 1..4),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..2),
    ) {
        let mut document = if example_instead { example() } else { random };
        for (path, with) in changes {
            mutate(&mut document, &path, with);
        }
        let mut bytes = document.to_string().into_bytes();
        for (place, byte) in flips {
            let index = place.index(bytes.len());
            bytes[index] = byte;
        }
        survives(&bytes);
    }

    #[test]
    fn every_made_up_program_is_in_order(document in document()) {
        prop_assert_eq!(faults(&document.to_string()), Vec::<String>::new());
    }
}
