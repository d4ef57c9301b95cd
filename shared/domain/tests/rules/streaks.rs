//! Streaks: local days, weeks or months in a row with something that counts.

use crate::desk::{Desk, at, order, plain, with, words};
use crate::goals::{buy_at, shop, state};
use serde_json::{Value, json};

const OPENED: &str = "2026-10-01T09:00:00Z";

fn streak(per: &str, count: i64, repeat: bool) -> Value {
    shop(&json!({"count": count, "of": "purchases", "streak": per, "repeat": repeat}), &json!({"points": 100}))
}

fn days(desk: &mut Desk, month: &str, days: impl IntoIterator<Item = i64>) {
    for day in days {
        let moment = format!("{month}-{day:02}T09:00:00Z");
        desk.to(&moment).buy(&format!("day-{day}"), &[100]);
    }
}

fn give_back(desk: &mut Desk, id: &str) {
    desk.refund(id, &[("1", 1, None)]).unwrap();
}

#[test]
fn each_local_day_counts_once_and_a_day_without_anything_ends_the_streak() {
    let mut desk = Desk::open(&streak("day", 4, false), OPENED);
    buy_at(&mut desk, &["2026-11-02T09:00:00Z", "2026-11-02T18:00:00Z", "2026-11-03T09:00:00Z"]);
    assert_eq!(state(&desk), (2, 2, 0));
    desk.to("2026-11-04T22:59:59.999Z");
    assert_eq!(state(&desk).0, 2, "today can still carry it on");
    assert_eq!(desk.progress()["goals"][0]["last_day"], "2026-11-04");
    desk.to("2026-11-04T23:00:00Z");
    assert_eq!(state(&desk).0, 0);
    desk.buy("anew", &[100]);
    assert_eq!(words(desk.last()).last().unwrap(), "what had been counted has lapsed; counts anew: 1 of 4");
    buy_at(&mut desk, &["2026-11-06T09:00:00Z", "2026-11-07T09:00:00Z", "2026-11-08T09:00:00Z"]);
    assert_eq!((state(&desk), desk.position().0), ((4, 0, 1), 100));
}

#[test]
fn one_that_repeats_begins_anew_with_the_next_day() {
    let mut desk = Desk::open(&streak("day", 3, true), OPENED);
    days(&mut desk, "2026-11", 1..=8);
    assert_eq!((state(&desk), desk.position().0), ((2, 1, 2), 200));
}

#[test]
fn days_are_the_members_own_over_the_change_of_the_clocks_month_ends_and_year_ends() {
    for (zone, moments) in [
        // A day of 25 hours, whose last instant is its own.
        ("Europe/Berlin", ["2026-10-24T12:00:00Z", "2026-10-25T22:59:59.999Z", "2026-10-25T23:00:00Z"]),
        // A day of 23 hours.
        ("Europe/Berlin", ["2027-03-27T22:59:59.999Z", "2027-03-28T21:59:59.999Z", "2027-03-28T22:00:00Z"]),
        ("America/New_York", ["2026-11-01T03:59:59.999Z", "2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z"]),
        // A day that begins at one o'clock.
        ("Africa/Cairo", ["2027-04-29T21:59:59.999Z", "2027-04-29T22:00:00Z", "2027-04-30T21:00:00Z"]),
        ("Asia/Tokyo", ["2026-12-30T15:00:00Z", "2026-12-31T14:59:59.999Z", "2027-01-01T14:59:59.999Z"]),
        ("Pacific/Auckland", ["2028-02-28T10:59:59.999Z", "2028-02-28T11:00:00Z", "2028-02-29T11:00:00Z"]),
    ] {
        let mut desk = Desk::open_for(&streak("day", 3, false), OPENED, Some(zone), &[]);
        buy_at(&mut desk, &moments);
        let expected = if moments[0] == "2026-12-30T15:00:00Z" { 2 } else { 3 };
        assert_eq!(state(&desk).0, expected, "{zone} {moments:?}");
    }
}

#[test]
fn weeks_begin_on_monday_also_around_new_year_and_months_are_those_of_the_calendar() {
    let mut weeks = Desk::open(&streak("week", 4, false), OPENED);
    // Sunday; Monday after it; the week of New Year, counted once; the Monday after that.
    buy_at(&mut weeks, &["2026-12-20T22:59:59.999Z", "2026-12-20T23:00:00Z"]);
    assert_eq!(state(&weeks).0, 2);
    buy_at(
        &mut weeks,
        &["2026-12-28T09:00:00Z", "2026-12-31T09:00:00Z", "2027-01-01T09:00:00Z", "2027-01-03T22:59:59.999Z"],
    );
    assert_eq!(state(&weeks).0, 3);
    buy_at(&mut weeks, &["2027-01-03T23:00:00Z"]);
    assert_eq!(state(&weeks), (4, 0, 1));
    let mut months = Desk::open(&streak("month", 4, false), OPENED);
    buy_at(&mut months, &["2026-11-30T22:59:59.999Z", "2026-11-30T23:00:00Z", "2027-01-31T09:00:00Z"]);
    assert_eq!(state(&months).0, 3);
    months.to("2027-03-31T21:59:59.999Z");
    assert_eq!(state(&months).0, 0, "February had nothing");
    let mut months = Desk::open(&streak("month", 4, false), OPENED);
    buy_at(
        &mut months,
        &["2026-11-15T09:00:00Z", "2026-12-15T09:00:00Z", "2027-01-15T09:00:00Z", "2027-02-28T22:59:59.999Z"],
    );
    assert_eq!(state(&months), (4, 0, 1));
}

#[test]
fn activities_make_streaks_too() {
    let goal = json!({"id": "stamps", "on": "activity", "activity": "check_in", "award": {"points": 50},
        "goal": {"count": 3, "of": "activities", "streak": "day"}});
    let mut desk = Desk::open(&with(plain(), "/earning_rules", json!([goal])), OPENED);
    for moment in ["2026-11-02T09:00:00Z", "2026-11-03T09:00:00Z", "2026-11-03T10:00:00Z", "2026-11-04T09:00:00Z"] {
        desk.to(moment).act("check_in");
    }
    assert_eq!((state(&desk), desk.position().0), ((3, 0, 1), 50));
}

#[test]
fn a_day_recorded_late_joins_the_days_around_it() {
    let mut desk = Desk::open(&streak("day", 5, false), OPENED);
    days(&mut desk, "2026-11", [2, 3, 5, 6]);
    assert_eq!(state(&desk).0, 2);
    desk.buy_as_of("late", "2026-11-04T09:00:00Z", &[100]).unwrap();
    assert_eq!((state(&desk), desk.position().0), ((5, 0, 1), 100));
    let mut desk = Desk::open(&streak("day", 5, false), OPENED);
    days(&mut desk, "2026-11", [5, 6]);
    desk.buy_as_of("before", "2026-11-04T09:00:00Z", &[100]).unwrap();
    desk.buy_as_of("long-before", "2026-11-02T09:00:00Z", &[100]).unwrap();
    assert_eq!(state(&desk).0, 3, "a day is missing");
    desk.buy_as_of("missing", "2026-11-03T09:00:00Z", &[100]).unwrap();
    assert_eq!((state(&desk), desk.position().0), ((5, 0, 1), 100));
}

#[test]
fn a_day_whose_purchases_come_back_breaks_the_streak() {
    let mut desk = Desk::open(&streak("day", 3, false), OPENED);
    days(&mut desk, "2026-11", [2, 3]);
    give_back(&mut desk, "day-3");
    assert_eq!(state(&desk).0, 1);
    days(&mut desk, "2026-11", [4, 5]);
    assert_eq!((state(&desk), desk.position().0), ((2, 1, 0), 0), "the 3rd is missing");
    days(&mut desk, "2026-11", [6]);
    assert_eq!((state(&desk), desk.position().0), ((3, 0, 1), 100));
}

#[test]
fn a_day_with_another_purchase_left_is_still_one() {
    let mut desk = Desk::open(&streak("day", 3, false), OPENED);
    days(&mut desk, "2026-11", [2, 3]);
    desk.buy("more", &[100]);
    give_back(&mut desk, "day-3");
    days(&mut desk, "2026-11", [4]);
    assert_eq!((state(&desk), desk.position().0), ((3, 0, 1), 100));
    give_back(&mut desk, "more");
    assert_eq!((state(&desk), desk.position().0), ((1, 2, 0), 0));
}

#[test]
fn a_streak_that_was_reached_is_lost_with_one_of_its_days_and_reached_again_by_days_in_a_row() {
    let mut desk = Desk::open(&streak("day", 3, true), OPENED);
    days(&mut desk, "2026-11", 2..=4);
    give_back(&mut desk, "day-3");
    assert_eq!((state(&desk), desk.position().0), ((1, 2, 0), 0));
    days(&mut desk, "2026-11", [5]);
    assert_eq!((state(&desk), desk.position().0), ((2, 1, 0), 0));
    days(&mut desk, "2026-11", [6]);
    assert_eq!((state(&desk), desk.position().0), ((0, 3, 1), 100));
}

#[test]
fn a_streak_reached_long_ago_is_lost_with_one_of_its_days_after_a_gap_as_before_it() {
    for repeat in [false, true] {
        let mut desk = Desk::open(&streak("day", 3, repeat), OPENED);
        days(&mut desk, "2026-11", (2..=4).chain([10]));
        give_back(&mut desk, "day-2");
        assert_eq!((state(&desk), desk.position().0), ((1, 2, 0), 0), "repeat {repeat}");
    }
}

#[test]
fn days_beyond_take_the_place_of_one_that_comes_back_while_they_are_in_a_row() {
    let mut desk = Desk::open(&streak("day", 3, true), OPENED);
    days(&mut desk, "2026-11", 2..=5);
    give_back(&mut desk, "day-2");
    assert_eq!((state(&desk), desk.position().0), ((0, 3, 1), 100), "the 3rd to the 5th");
    assert_eq!(desk.ledger.iter().filter(|entry| entry.kind.word() == "goal").count(), 1);
    give_back(&mut desk, "day-4");
    assert_eq!((state(&desk), desk.position().0), ((1, 2, 0), 0));
}

#[test]
fn a_long_streak_is_remembered_whole_and_a_new_count_never_resets_it() {
    let mut desk = Desk::open(&streak("day", 100, true), OPENED);
    let first = at("2026-10-01T09:00:00Z");
    for day in 0..99 {
        desk.now = first.plus_days(day);
        desk.buy(&format!("day-{day}"), &[100]);
    }
    assert_eq!(state(&desk), (99, 1, 0));
    desk.publish(&streak("day", 120, true), desk.now);
    assert_eq!(state(&desk), (99, 21, 0));
    desk.publish(&streak("day", 90, true), desk.now);
    desk.now = first.plus_days(99);
    desk.buy("day-99", &[100]);
    assert_eq!((state(&desk), desk.position().0), ((10, 80, 1), 100));
    give_back(&mut desk, "day-50");
    assert_eq!((state(&desk).2, desk.position().0), (0, 0));
    assert_eq!(state(&desk).0, 49, "the days since");
}

#[test]
fn days_long_past_are_forgotten_and_what_they_reached_stays() {
    let mut desk = Desk::open(&streak("day", 2, true), OPENED);
    let first = at("2026-10-01T09:00:00Z");
    for day in 0..200 {
        desk.now = first.plus_days(day);
        desk.buy(&format!("day-{day}"), &[100]);
    }
    assert_eq!((state(&desk).2, desk.position().0), (100, 10_000));
    give_back(&mut desk, "day-3");
    assert_eq!((state(&desk), desk.position().0), ((0, 2, 100), 10_000));
    give_back(&mut desk, "day-198");
    assert_eq!((state(&desk), desk.position().0), ((1, 1, 99), 9_900));
    assert!(postcard::to_stdvec(&desk.account.progress).unwrap().len() < 400);
    desk.now = first.plus_days(1000);
    desk.buy("years-later", &[100]);
    assert_eq!(state(&desk).0, 1);
}

#[test]
fn a_goal_that_becomes_a_streak_and_back_keeps_what_was_counted() {
    let plain = shop(&json!({"count": 5, "of": "purchases"}), &json!({"points": 100}));
    let mut desk = Desk::open(&plain, OPENED);
    days(&mut desk, "2026-11", [2, 3]);
    desk.publish(&streak("day", 5, false), desk.now);
    assert_eq!(state(&desk).0, 2);
    days(&mut desk, "2026-11", [4]);
    assert_eq!(state(&desk).0, 3);
    desk.publish(&streak("week", 5, false), desk.now);
    days(&mut desk, "2026-11", [10]);
    assert_eq!(state(&desk).0, 4);
    desk.publish(&plain, desk.now);
    days(&mut desk, "2026-11", [30]);
    assert_eq!((state(&desk), desk.position().0), ((5, 0, 1), 100));
}

#[test]
fn a_quote_counts_a_streak_on_exactly_as_the_purchase_then_does() {
    let mut desk = Desk::open(&streak("day", 2, true), OPENED);
    days(&mut desk, "2026-11", [2]);
    desk.to("2026-11-03T09:00:00Z");
    let quote = desk.quote(&order("A-2", desk.now, &[100]));
    let kinds: Vec<_> = quote.unwrap().entries.iter().map(|entry| entry.kind.word()).collect();
    assert_eq!(kinds, ["earn", "goal", "bonus"]);
}

#[test]
fn a_streak_under_other_terms_is_lost_with_its_own_days_alone() {
    let mut desk = Desk::open(&streak("day", 3, true), OPENED);
    days(&mut desk, "2026-11", 2..=4);
    let two = with(streak("day", 2, true), "/earning_rules/0/award/points", json!(7));
    desk.publish(&two, desk.now);
    days(&mut desk, "2026-11", 5..=6);
    assert_eq!((state(&desk), desk.position().0), ((0, 2, 2), 107));
    give_back(&mut desk, "day-3");
    assert_eq!((state(&desk), desk.position().0), ((0, 2, 1), 7));
    give_back(&mut desk, "day-6");
    assert_eq!((state(&desk), desk.position().0), ((0, 2, 1), 7), "the 4th, free again, and the 5th");
    give_back(&mut desk, "day-5");
    assert_eq!((state(&desk).2, desk.position().0), (0, 0));
}
