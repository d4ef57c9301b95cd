//! Examples inside the document: they hold, or the document is not published.

use crate::desk::{plain, read, with, with_rules};
use loyalty_domain::json::parse;
use loyalty_domain::program::Program;
use serde_json::{Value, json};

/// The faults of a document that is to be published: pointers with what is said.
pub(crate) fn refused(document: &Value) -> Vec<(String, String)> {
    let read = parse(document.to_string().as_bytes()).and_then(|json| Program::checked(&json));
    let faults = read.err().map(|faults| faults.list().to_vec()).unwrap_or_default();
    faults.into_iter().map(|fault| (fault.pointer, fault.detail)).collect()
}

/// Where something is wrong.
pub(crate) fn pointers(document: &Value) -> Vec<String> {
    refused(document).into_iter().map(|(pointer, _)| pointer).collect()
}

fn rules() -> Value {
    let document = with_rules(&[
        json!({"id": "coffee", "on": "purchase", "when": {"line_category": ["coffee"]}, "award": {"multiply": "1.5"}}),
        json!({"id": "staff", "on": "purchase", "when": {"tag": ["staff"]}, "award": {"points": 7}}),
        json!({"id": "first", "on": "purchase", "when": {"first_purchase": true}, "award": {"points": 50}}),
        json!({"id": "loyal", "on": "purchase", "when": {"member_days_at_least": 365}, "award": {"points": 3}}),
        json!({"id": "evening", "on": "purchase", "when": {"all": [{"local_weekday": ["fri"]},
            {"local_time": {"from": "18:00", "to": "20:00"}}]}, "award": {"points": 1000}}),
        json!({"id": "treat", "on": "purchase", "award": {"points": 1}, "limit": {"times": 1, "per": "ever"},
            "budget": {"points": 1}}),
        json!({"id": "review", "on": "activity", "activity": "review",
            "when": {"attribute": {"name": "stars", "at_least": 1}}, "award": {"points": 25}}),
        json!({"id": "stamps", "on": "purchase", "goal": {"count": 1, "of": "purchases"}, "award": {"points": 500}}),
    ]);
    let levels = json!([{"id": "green", "from": 0}, {"id": "gold", "from": 500, "multiply": "2"}]);
    with(document, "/tiers/levels", levels)
}

/// 10.50 of coffee and 9.49 of something else, on a Friday noon in Berlin.
fn purchase() -> Value {
    json!({"channel": "web", "occurred_at": "2026-11-20T11:00:00Z", "currency": "EUR", "lines": [
        {"line_id": "1", "categories": ["coffee"], "quantity": 1, "net_amount": 1050},
        {"line_id": "2", "quantity": 1, "net_amount": 949}]})
}

fn with_examples(examples: &[Value]) -> Value {
    with(rules(), "/examples", json!(examples))
}

fn bought(expect: &Value) -> Value {
    json!({"purchase": purchase(), "expect": expect})
}

#[test]
fn examples_that_hold_are_in_order() {
    let of =
        |member: Value, points: i64| json!({"purchase": purchase(), "member": member, "expect": {"points": points}});
    let mut evening = purchase();
    evening["occurred_at"] = json!("2026-11-20T19:30:00+01:00");
    evening["order_id"] = json!("A-1");
    let mut nothing = purchase();
    nothing["lines"] = json!([{"line_id": "1", "quantity": 1, "net_amount": 0}]);
    let review = json!({"type": "review", "source": "app", "activity_id": "r-1", "occurred_at": "2026-11-20T11:00:00Z",
        "attributes": {"stars": 4, "text": "good", "verified": true}});
    let document = with_examples(&[
        bought(&json!({"points": 26})),
        bought(&json!({"points": 26, "rules": ["treat", "coffee", "base"]})),
        of(json!({}), 26),
        of(json!({"level": "gold"}), 51),
        of(json!({"tags": ["staff", "unheard-of"]}), 33),
        of(json!({"first_purchase": true}), 76),
        of(json!({"enrolled_days": 364}), 26),
        of(json!({"enrolled_days": 365}), 29),
        json!({"name": "Friday evening", "purchase": evening, "expect": {"points": 1026}}),
        json!({"purchase": nothing, "member": {"first_purchase": true}, "expect": {"points": 1, "rules": ["treat"]}}),
        json!({"activity": review, "expect": {"points": 25, "rules": ["review"]}}),
        json!({"activity": {"type": "selfie", "occurred_at": "2026-11-20T11:00:00Z"}, "expect": {"points": 0, "rules": []}}),
    ]);
    assert_eq!(refused(&document), []);
}

#[test]
fn an_example_that_does_not_hold_says_what_comes_out_and_how() {
    let document =
        with_examples(&[bought(&json!({"points": 26})), bought(&json!({"points": 30, "rules": ["base", "staff"]}))]);
    let expected = [
        (
            "/examples/1/expect/points",
            "gives 26, not 30: base 19.99, coffee 5.25, 25.24 rounded (floor) to 25, treat 1",
        ),
        ("/examples/1/expect/rules", "are not the rules that give something: base, coffee, treat"),
    ];
    assert_eq!(refused(&document), expected.map(|(pointer, detail)| (pointer.to_owned(), detail.to_owned())));
    let dollars = with(document, "/examples/1/purchase/currency", json!("USD"));
    let dollars = with(dollars, "/examples/1/expect", json!({"points": 2}));
    assert_eq!(refused(&dollars)[0].1, "gives 1, not 2: treat 1");
}

#[test]
fn what_cannot_be_read_of_an_example_is_named_with_everything_else() {
    let purchase_with = |name: &str, value: Value| {
        let mut changed = purchase();
        changed[name] = value;
        json!({"purchase": changed, "expect": {"points": 1}})
    };
    let activity = json!({"type": "review", "occurred_at": "2026-11-20T11:00:00Z"});
    let table = [
        (json!(7), "/examples/0"),
        (json!({"expect": {"points": 1}}), "/examples/0"),
        (json!({"purchase": purchase(), "activity": activity, "expect": {"points": 1}}), "/examples/0"),
        (json!({"purchase": purchase()}), "/examples/0/expect"),
        (json!({"purchase": purchase(), "expect": {}}), "/examples/0/expect/points"),
        (json!({"purchase": purchase(), "expect": {"points": "1"}}), "/examples/0/expect/points"),
        (json!({"purchase": purchase(), "expect": {"points": 1}, "why": "so"}), "/examples/0/why"),
        (purchase_with("member", json!({"phone": "+4915112345678"})), "/examples/0/purchase/member"),
        (purchase_with("currency", json!("XXX")), "/examples/0/purchase/currency"),
        (purchase_with("colour", json!("red")), "/examples/0/purchase/colour"),
        (
            json!({"purchase": purchase(), "member": {"level": "silver"}, "expect": {"points": 1}}),
            "/examples/0/member/level",
        ),
        (
            json!({"activity": activity, "member": {"first_purchase": true}, "expect": {"points": 0}}),
            "/examples/0/member/first_purchase",
        ),
        (
            json!({"activity": {"type": "review", "occurred_at": "2026-11-20T11:00:00Z", "attributes": {"stars": 1.5}},
                "expect": {"points": 0}}),
            "/examples/0/activity/attributes/stars",
        ),
    ];
    for (example, pointer) in table {
        let document = with(with_examples(std::slice::from_ref(&example)), "/colour", json!("red"));
        assert_eq!(pointers(&document), ["/colour", pointer], "{example}");
    }
}

#[test]
fn examples_are_not_judged_while_anything_else_is_wrong_and_not_at_all_by_a_function_that_starts() {
    let untrue = with_examples(&[bought(&json!({"points": 30}))]);
    assert_eq!(pointers(&with(untrue.clone(), "/rounding", json!("up"))), ["/rounding"]);
    assert_eq!(read(&untrue), read(&rules()));
    assert_eq!(pointers(&with(plain(), "/examples", json!(null))), [""; 0]);
    assert_eq!(pointers(&with(plain(), "/examples", json!({}))), ["/examples"]);
}
