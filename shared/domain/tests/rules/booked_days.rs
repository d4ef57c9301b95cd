//! Days that members book: a tag for a time, as far as conditions are concerned.

use crate::desk::{Desk, at, base_rule, plain, with, words};
use serde_json::{Value, json};

/// 11 o'clock in Berlin.
const OPENED: &str = "2026-11-01T10:00:00Z";

fn bonus_days() -> Value {
    let double = json!({"id": "double", "on": "purchase", "when": {"tag": ["double-day"]}, "award": {"multiply": "2"}});
    let book = json!({"id": "book", "on": "activity", "activity": "book", "limit": {"times": 2, "per": "year"},
        "grants": {"tag": "double-day", "days": 1, "on": "day"}});
    with(plain(), "/earning_rules", json!([base_rule(), double, book]))
}

fn book(desk: &mut Desk, day: &str) {
    desk.act_as_of("book", desk.now, &json!({"day": day})).unwrap();
}

#[test]
fn a_booked_day_holds_from_its_first_local_instant_to_its_last() {
    let mut desk = Desk::open_for(&bonus_days(), OPENED, Some("America/New_York"), &[]);
    book(&mut desk, "2026-11-20");
    assert_eq!(words(desk.last()), ["double-day from 2026-11-20T05:00:00Z until 2026-11-21T05:00:00Z"]);
    assert_eq!(desk.progress()["granted"][0]["tag"], "double-day");
    for (moment, points) in [
        ("2026-11-20T04:59:59.999Z", 10),
        ("2026-11-20T05:00:00Z", 20),
        ("2026-11-21T04:59:59.999Z", 20),
        ("2026-11-21T05:00:00Z", 10),
    ] {
        assert_eq!(desk.to(moment).buy(moment.split_at(19).0, &[1000]), points, "{moment}");
    }
}

#[test]
fn a_purchase_of_a_booked_day_gets_it_however_late_it_is_recorded_and_its_refunds_are_judged_by_it() {
    let mut desk = Desk::open(&bonus_days(), OPENED);
    book(&mut desk, "2026-11-20");
    desk.to("2026-12-15T10:00:00Z").buy("today", &[100]);
    assert_eq!(desk.buy_as_of("late", "2026-11-20T12:00:00Z", &[1000, 1000]).unwrap(), 40);
    desk.to("2027-06-01T00:00:00Z");
    assert_eq!(desk.refund("late", &[("1", 1, None)]).unwrap().clawed_back, 20);
    assert_eq!(desk.account.passes, []);
}

#[test]
fn a_day_that_is_past_too_far_ahead_or_no_day_grants_nothing_and_uses_no_limit() {
    let mut desk = Desk::open(&bonus_days(), OPENED);
    for attributes in [
        json!({"day": "2026-10-31"}),
        json!({"day": "2027-11-03"}),
        json!({"day": "20.11.2026"}),
        json!({"day": "2026-02-30"}),
        json!({"day": 20_261_120}),
        json!({"day": true}),
        json!({"date": "2026-11-20"}),
    ] {
        desk.act_as_of("book", desk.now, &attributes).unwrap();
        assert_eq!(words(desk.last()), ["the activity does not name a day that can be granted"], "{attributes}");
    }
    assert_eq!((desk.account.passes.clone(), desk.account.uses.clone()), (vec![], vec![]));
    book(&mut desk, "2026-11-01");
    book(&mut desk, "2027-11-02");
    assert_eq!(desk.account.passes.len(), 2, "today, and a year and a day ahead");
    book(&mut desk, "2026-11-20");
    assert_eq!(words(desk.last()), ["it serves a member 2 times a year, and has"]);
    assert_eq!(desk.account.passes.len(), 2);
}

#[test]
fn a_day_that_cannot_be_granted_uses_no_limit_either_where_points_go_with_it_that_cannot_be_given() {
    // The budget is spent.
    let mut document = bonus_days();
    document["earning_rules"][2]["award"] = json!({"points": 5});
    document["earning_rules"][2]["budget"] = json!({"points": 1000});
    let mut desk = Desk::open(&document, OPENED);
    desk.budgets.insert("book".parse().unwrap(), 0);
    book(&mut desk, "2026-10-01");
    assert_eq!((desk.account.passes.clone(), desk.account.uses.clone()), (vec![], vec![]));
    book(&mut desk, "2026-11-02");
    assert_eq!((desk.account.passes.len(), desk.account.uses.len()), (1, 1), "the day is granted without the points");
    // The points would have ended.
    let mut document = bonus_days();
    document["earning_rules"][2]["award"] = json!({"points": 5});
    document["points"]["expiry"] = json!({"after_months": 1, "snap": "end_of_day"});
    document["points"]["late_purchase_days"] = json!(90);
    let mut desk = Desk::open(&document, OPENED);
    desk.to("2027-01-01T10:00:00Z")
        .act_as_of("book", at("2026-11-02T10:00:00Z"), &json!({"day": "2026-10-01"}))
        .unwrap();
    assert_eq!((desk.account.passes.clone(), desk.account.uses.clone()), (vec![], vec![]));
    assert!(words(desk.last())[0].starts_with("recorded so late"));
}

#[test]
fn a_day_booked_again_for_fewer_days_stays_booked_for_all_of_them() {
    let grant = |id: &str, days: i64| json!({"id": id, "on": "activity", "activity": id, "grants": {"tag": "double-day", "days": days, "on": "day"}});
    let document = with(bonus_days(), "/earning_rules", json!([grant("week", 7), grant("day", 1)]));
    let mut desk = Desk::open(&document, OPENED);
    for kind in ["week", "day"] {
        desk.act_as_of(kind, desk.now, &json!({"day": "2026-11-20"})).unwrap();
    }
    assert_eq!(
        desk.progress()["granted"],
        json!([{"tag": "double-day", "from": "2026-11-19T23:00:00Z", "until": "2026-11-26T23:00:00Z"}])
    );
}

#[test]
fn without_an_attribute_the_day_of_the_activity_is_the_first() {
    let document = with(bonus_days(), "/earning_rules/2/grants", json!({"tag": "double-day", "days": 2}));
    let mut desk = Desk::open(&document, OPENED);
    desk.act("book");
    assert_eq!(desk.buy("A-1", &[1000]), 20);
    assert_eq!(desk.to("2026-11-02T22:59:59.999Z").buy("A-2", &[1000]), 20);
    assert_eq!(desk.to("2026-11-02T23:00:00Z").buy("A-3", &[1000]), 10);
    assert_eq!(desk.buy_as_of("A-4", "2026-10-31T23:00:00Z", &[1000]).unwrap(), 20, "earlier on that day");
}

#[test]
fn erasure_takes_booked_days_with_it() {
    let mut desk = Desk::open(&bonus_days(), OPENED);
    book(&mut desk, "2026-11-20");
    desk.erase().unwrap();
    assert_eq!(desk.account.passes, []);
}

#[test]
fn booking_a_day_that_is_booked_already_grants_nothing_and_uses_no_limit() {
    let mut desk = Desk::open(&bonus_days(), OPENED);
    for day in ["2026-11-20", "2026-11-20", "2026-11-20", "2026-11-21"] {
        book(&mut desk, day);
    }
    assert_eq!(desk.progress()["granted"].as_array().unwrap().len(), 2, "two of two days, each once");
}
