//! Purchases recorded long after they were made, before the member joined, or from a clock that runs ahead.

use crate::desk::{Desk, at, order, plain, with, with_rules, words};
use loyalty_domain::refusal::Refusal;
use serde_json::json;

const OPENED: &str = "2026-11-01T10:00:00Z";

#[test]
fn up_to_five_minutes_ahead_counts_as_now_and_a_millisecond_more_is_refused() {
    let mut desk = Desk::open(&plain(), OPENED);
    assert_eq!(desk.buy_as_of("A-1", "2026-11-01T10:05:00Z", &[100]).unwrap(), 1);
    assert_eq!(desk.last().occurred_at, at(OPENED));
    assert_eq!(desk.purchases["A-1"].occurred_at, at("2026-11-01T10:05:00Z"), "as told, for retries");
    assert_eq!(desk.buy_as_of("A-2", "2026-11-01T10:05:00.001Z", &[100]), Err(Refusal::InFuture));
    assert_eq!(desk.kinds(3), []);
}

#[test]
fn a_purchase_older_than_the_program_allows_is_refused() {
    let mut desk = Desk::open(&plain(), OPENED);
    assert_eq!(desk.buy_as_of("A-1", "2026-10-02T10:00:00Z", &[100]).unwrap(), 1, "thirty days to the instant");
    let refused = desk.buy_as_of("A-2", "2026-10-02T09:59:59.999Z", &[100]);
    assert_eq!(refused, Err(Refusal::TooOld { days: 30 }));
    desk.to("1999-01-01T00:00:00Z");
    assert!(desk.record(&order("A-3", desk.now, &[100])).is_ok(), "clocks are set back, too");
}

#[test]
fn before_the_enrolment_a_purchase_is_that_of_a_member_of_day_0_on_the_lowest_level() {
    let rules = [
        json!({"id": "day-1", "on": "purchase", "when": {"member_days_at_least": 1}, "award": {"points": 1000}}),
        json!({"id": "day-0", "on": "purchase", "when": {"member_days_at_least": 0}, "award": {"points": 100}}),
    ];
    let levels = json!([{"id": "green", "from": 0}, {"id": "gold", "from": 500, "multiply": "2"}]);
    let mut desk = Desk::open(&with(with_rules(&rules), "/tiers/levels", levels), OPENED);
    desk.buy("A-1", &[40_000]);
    assert_eq!(desk.level(), "gold");
    desk.to("2026-11-08T10:00:00Z");
    assert_eq!(desk.buy("A-2", &[100]), 1102);
    assert_eq!(desk.buy_as_of("A-3", "2026-11-01T09:59:59.999Z", &[100]).unwrap(), 101);
    assert_eq!(desk.buy_as_of("A-4", "2026-10-20T00:00:00Z", &[100]).unwrap(), 101);
}

#[test]
fn a_late_purchase_gets_the_rules_and_the_level_of_its_day() {
    let levels = json!([{"id": "green", "from": 0}, {"id": "gold", "from": 500, "multiply": "2"}, {"id": "ruby", "from": 5000, "multiply": "3"}]);
    let document = with(plain(), "/tiers/levels", levels);
    let mut desk = Desk::open(&document, OPENED);
    desk.to("2026-11-05T00:00:00Z").buy("A-1", &[50_000]);
    desk.to("2026-11-10T00:00:00Z").buy("A-2", &[500_000]);
    assert_eq!(desk.level(), "ruby");
    desk.publish(&with(document, "/earning_rules/0/award/per_amount/points", json!("10")), at("2026-11-12T00:00:00Z"));
    desk.to("2026-11-20T00:00:00Z");
    for (id, when, expected) in [
        ("L-1", "2026-11-04T23:59:59.999Z", 1),
        ("L-2", "2026-11-05T00:00:00Z", 2),
        ("L-3", "2026-11-09T23:59:59.999Z", 2),
        ("L-4", "2026-11-10T00:00:00Z", 3),
        ("L-5", "2026-11-11T23:59:59.999Z", 3),
        ("L-6", "2026-11-12T00:00:00Z", 30),
    ] {
        assert_eq!(desk.buy_as_of(id, when, &[100]).unwrap(), expected, "{when}");
    }
}

#[test]
fn the_level_a_member_has_lost_still_counts_for_the_days_on_which_it_was_held() {
    let levels = json!([{"id": "green", "from": 0}, {"id": "gold", "from": 500, "multiply": "2"}]);
    let mut desk = Desk::open(&with(plain(), "/tiers/levels", levels), OPENED);
    desk.buy("A-1", &[50_000]);
    desk.to("2028-01-10T00:00:00Z");
    assert_eq!(desk.buy_as_of("A-2", "2027-12-31T22:59:59.999Z", &[100]).unwrap(), 2);
    assert_eq!(desk.level(), "green");
    assert_eq!(desk.buy_as_of("A-3", "2027-12-31T23:00:00Z", &[100]).unwrap(), 1);
}

fn short_lived(notice_days: i64) -> serde_json::Value {
    let expiry = json!({"after_months": 1, "snap": "end_of_day"});
    let document = with(with(plain(), "/points/expiry", expiry), "/points/notice_days", json!(notice_days));
    with(document, "/points/late_purchase_days", json!(100))
}

#[test]
fn points_that_would_have_ended_are_granted_all_the_same_where_notice_is_owed() {
    let mut desk = Desk::open(&short_lived(7), OPENED);
    desk.to("2027-01-10T12:00:00Z");
    assert_eq!(desk.buy_as_of("A-1", "2026-11-20T12:00:00Z", &[500]).unwrap(), 5);
    assert_eq!(desk.kinds(2), [("earn", 5), ("notice", 0)]);
    assert_eq!(desk.lots(), [(5, Some("2027-01-17T12:00:00Z".to_owned()))]);
    desk.settle_at("2027-01-17T12:00:00Z");
    assert_eq!(desk.kinds(4), [("expire", -5)]);
}

#[test]
fn without_notice_they_are_recorded_as_nothing_with_the_reason_and_a_refund_takes_nothing() {
    let mut desk = Desk::open(&short_lived(0), OPENED);
    desk.to("2026-12-20T23:00:00Z");
    assert_eq!(desk.buy_as_of("A-1", "2026-11-20T12:00:00Z", &[500]).unwrap(), 0);
    assert_eq!(words(desk.last()), ["recorded so late that its points would have ended at 2026-12-20T23:00:00Z"]);
    assert_eq!(desk.kinds(2), [("earn", 0)]);
    let refund = desk.refund("A-1", &[("1", 1, None)]).unwrap();
    assert_eq!((refund.clawed_back, refund.restored), (0, 0));
    assert_eq!(desk.position(), (0, 0, 0));

    desk.to("2026-12-20T22:59:59.999Z");
    assert_eq!(desk.buy_as_of("A-2", "2026-11-20T12:00:00Z", &[500]).unwrap(), 5, "an instant before they end");
}

#[test]
fn a_late_purchase_never_uses_up_a_limit_that_its_points_did_not_need() {
    let treat = json!({"id": "treat", "on": "purchase", "award": {"points": 10}, "limit": {"times": 1, "per": "year"}});
    let mut document = short_lived(0);
    document["earning_rules"] = json!([treat]);
    let mut desk = Desk::open(&document, "2026-10-01T00:00:00Z");
    desk.to("2026-12-28T00:00:00Z");
    assert_eq!(desk.buy_as_of("A-1", "2026-10-20T12:00:00Z", &[500]).unwrap(), 0);
    assert_eq!(desk.buy("A-2", &[500]), 10);
}
