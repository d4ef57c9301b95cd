//! How often a rule serves a member.

use crate::desk::{Desk, plain, with, with_rules, words};
use serde_json::{Value, json};

const OPENED: &str = "2026-10-01T10:00:00Z";

fn limited(times: i64, per: &str) -> Value {
    with_rules(&[
        json!({"id": "treat", "on": "purchase", "award": {"points": 10}, "limit": {"times": times, "per": per}}),
    ])
}

#[test]
fn a_rule_serves_so_often_in_a_period_and_then_says_that_it_has() {
    let mut desk = Desk::open(&limited(2, "month"), OPENED);
    assert_eq!([desk.buy("A-1", &[100]), desk.buy("A-2", &[100]), desk.buy("A-3", &[100])], [11, 11, 1]);
    assert_eq!(words(desk.last())[1], "it serves a member 2 times a month, and has");
    desk.to("2026-10-31T22:59:59.999Z");
    assert_eq!(desk.buy("A-4", &[100]), 1);
    desk.to("2026-10-31T23:00:00Z");
    assert_eq!(desk.buy("A-5", &[100]), 11, "a new month");
}

#[test]
fn periods_are_local_to_the_member_and_weeks_begin_on_monday() {
    for (per, last, first) in [
        ("day", "2026-11-20T14:59:59.999Z", "2026-11-20T15:00:00Z"),
        ("week", "2026-11-22T14:59:59.999Z", "2026-11-22T15:00:00Z"),
        ("month", "2026-11-30T14:59:59.999Z", "2026-11-30T15:00:00Z"),
        ("year", "2026-12-31T14:59:59.999Z", "2026-12-31T15:00:00Z"),
    ] {
        let mut desk = Desk::open_for(&limited(1, per), OPENED, Some("Asia/Tokyo"), &[]);
        assert_eq!(desk.to(last).buy("A-1", &[100]), 11, "{per}");
        assert_eq!(desk.buy("A-2", &[100]), 1, "{per}");
        assert_eq!(desk.to(first).buy("A-3", &[100]), 11, "{per}");
        assert_eq!(desk.buy_as_of("A-4", last, &[100]).unwrap(), 1, "{per}: the period is that of the purchase");
    }
    let mut desk = Desk::open(&limited(1, "ever"), OPENED);
    assert_eq!(desk.buy("A-1", &[100]), 11);
    assert_eq!(desk.to("2036-11-01T00:00:00Z").buy("A-2", &[100]), 1);
}

#[test]
fn only_a_purchase_to_which_the_rule_gave_something_counts() {
    let rule = json!({"id": "large", "on": "purchase", "when": {"net_total_at_least": {"amount": 1000, "currency": "EUR"}},
        "award": {"points": 10}, "limit": {"times": 1, "per": "ever"}});
    let mut desk = Desk::open(&with_rules(&[rule]), OPENED);
    assert_eq!(desk.buy("A-1", &[100]), 1);
    assert_eq!(desk.buy("A-2", &[1000]), 20);
    assert_eq!(desk.buy("A-3", &[1000]), 10);
}

#[test]
fn a_use_comes_back_when_a_refund_leaves_the_rule_nothing_and_other_purchases_are_not_judged_again() {
    let mut desk = Desk::open(&limited(1, "year"), OPENED);
    assert_eq!([desk.buy("A-1", &[100, 100]), desk.buy("A-2", &[100])], [12, 1]);
    desk.refund("A-1", &[("1", 1, None)]).unwrap();
    assert_eq!(desk.buy("A-3", &[100]), 1, "something is left of it");
    desk.refund("A-1", &[("2", 1, None)]).unwrap();
    assert_eq!([desk.left("A-1"), desk.left("A-2"), desk.left("A-3")], [0, 1, 1]);
    assert_eq!([desk.buy("A-4", &[100]), desk.buy("A-5", &[100])], [11, 1]);
}

#[test]
fn a_use_comes_back_in_the_period_in_which_it_was_taken_wherever_the_member_lives_since() {
    let mut desk = Desk::open(&limited(1, "day"), OPENED);
    desk.to("2026-11-20T20:00:00Z");
    assert_eq!(desk.buy("A-1", &[100]), 11);
    desk.change(|account| account.zone = Some(crate::desk::zone("Asia/Tokyo"))).unwrap();
    desk.refund("A-1", &[("1", 1, None)]).unwrap();
    assert_eq!(desk.account.uses, []);
}

#[test]
fn what_is_forgotten_of_counters_follows_from_the_ledger_wherever_the_member_lives() {
    // 31 days after it is the 1st of October in Auckland, but not yet in Berlin.
    let mut desk = Desk::open_for(&limited(1, "month"), OPENED, Some("Pacific/Auckland"), &[]);
    assert_eq!(desk.buy_as_of("A-1", "2026-09-30T10:00:00Z", &[100]).unwrap(), 11);
    desk.to("2026-10-31T12:00:00Z").buy("A-2", &[100]);
    desk.erase().unwrap();
}

#[test]
fn a_limited_rate_and_a_limited_multiplier_are_used_up_too() {
    let mut document = with_rules(&[json!({"id": "double", "on": "purchase", "award": {"multiply": "2"}})]);
    for rule in [0, 1] {
        document = with(document, &format!("/earning_rules/{rule}/limit"), json!({"times": rule + 1, "per": "day"}));
    }
    let mut desk = Desk::open(&document, OPENED);
    assert_eq!([desk.buy("A-1", &[100]), desk.buy("A-2", &[100]), desk.buy("A-3", &[100])], [2, 0, 0]);
    assert_eq!(words(desk.last()), ["it serves a member once a day, and has"]);
    desk.refund("A-1", &[("1", 1, None)]).unwrap();
    assert_eq!(desk.buy("A-4", &[100]), 2);
}

#[test]
fn the_limit_of_a_rule_lives_on_through_versions() {
    let mut desk = Desk::open(&limited(2, "year"), OPENED);
    desk.buy("A-1", &[100]);
    desk.publish(&with(limited(1, "year"), "/earning_rules/1/award", json!({"points": 90})), desk.now);
    assert_eq!(desk.buy("A-2", &[100]), 1);
}

#[test]
fn welcome_points_are_a_bonus_that_counts_towards_the_level() {
    let welcome =
        json!({"id": "welcome", "on": "enrolment", "award": {"points": 50}, "limit": {"times": 1, "per": "ever"}});
    let staff = json!({"id": "staff", "on": "enrolment", "when": {"tag": ["staff"]}, "award": {"points": 5}});
    let document = with(plain(), "/earning_rules", json!([welcome, staff]));
    let desk = Desk::open_for(&document, OPENED, None, &["staff"]);
    assert_eq!(desk.kinds(1), [("enrol", 0), ("bonus", 55)]);
    assert_eq!(desk.view()["tier"]["qualifying_units"], 55);
    assert_eq!(desk.account.version, 1);
    assert_eq!(Desk::open(&document, OPENED).kinds(1), [("enrol", 0), ("bonus", 50)]);
    assert_eq!(Desk::open(&plain(), OPENED).kinds(1), [("enrol", 0)]);
}
