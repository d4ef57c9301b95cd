//! What refunds take back of goals: progress, and what reaching one gave.

use crate::desk::{Desk, at, base_rule, line, order, plain, with, words};
use crate::goals::{buy_at, shop, stamps, state};
use proptest::prelude::*;
use serde_json::{Value, json};

const OPENED: &str = "2026-11-02T09:00:00Z";

fn units(count: i64, repeat: bool) -> Value {
    shop(&json!({"count": count, "of": "units of selected lines", "repeat": repeat}), &json!({"points": 100}))
}

fn buy_units(desk: &mut Desk, id: &str, quantity: i64) {
    let mut told = order(id, desk.now, &[quantity * 100]);
    told.lines[0].quantity = quantity;
    desk.record(&told).unwrap();
}

fn give_back(desk: &mut Desk, id: &str, quantity: i64) -> i64 {
    desk.refund(id, &[("1", quantity, None)]).unwrap().clawed_back
}

fn policy(document: Value, beyond: &str, shortfall: &str) -> Value {
    with(document, "/points/clawback", json!({"beyond_lot": beyond, "shortfall": shortfall}))
}

#[test]
fn units_that_come_back_are_taken_from_what_was_counted() {
    let mut desk = Desk::open(&units(10, false), OPENED);
    buy_units(&mut desk, "A-1", 6);
    give_back(&mut desk, "A-1", 2);
    assert_eq!(state(&desk), (4, 6, 0));
    assert_eq!(desk.kinds(3), [("clawback", 0)]);
    give_back(&mut desk, "A-1", 4);
    assert_eq!(state(&desk), (0, 10, 0));
}

#[test]
fn a_purchase_counts_as_long_as_something_that_counts_is_left_of_it() {
    let document = with(stamps(9, false), "/earning_rules/0/when", json!({"line_category": ["coffee"]}));
    let mut desk = Desk::open(&document, OPENED);
    let mut told = order("A-1", desk.now, &[]);
    told.lines = vec![line("1", 100, &["coffee"]), line("2", 100, &["coffee"]), line("3", 100, &["tea"])];
    desk.record(&told).unwrap();
    for (back, counted) in [("1", 1), ("2", 0)] {
        desk.refund("A-1", &[(back, 1, None)]).unwrap();
        assert_eq!(state(&desk).0, counted);
    }
    desk.refund("A-1", &[("3", 1, None)]).unwrap();
    assert_eq!(state(&desk).0, 0, "a line that never counted takes nothing");
}

#[test]
fn a_line_that_is_refunded_down_to_nothing_but_kept_counts_no_more() {
    let mut desk = Desk::open(&stamps(9, false), OPENED);
    let mut told = order("A-1", desk.now, &[500]);
    told.lines[0].quantity = 2;
    desk.record(&told).unwrap();
    desk.refund("A-1", &[("1", 1, Some(500))]).unwrap();
    assert_eq!(state(&desk).0, 0);
}

#[test]
fn a_goal_that_is_not_reached_any_more_gives_its_points_back_and_can_be_reached_again_but_is_never_paid_twice() {
    for repeat in [false, true] {
        let mut desk = Desk::open(&stamps(3, repeat), OPENED);
        buy_at(&mut desk, &[OPENED; 3]);
        assert_eq!((state(&desk).2, desk.position().0), (1, 100));
        assert_eq!(give_back(&mut desk, "B-2", 1), 100);
        assert_eq!(desk.kinds(7), [("clawback", 0), ("clawback", -100)]);
        assert_eq!(words(desk.last()), ["not reached any more: what counted has come back"]);
        assert_eq!((state(&desk), desk.position()), ((2, 1, 0), (0, 0, 0)));
        assert_eq!(desk.view()["tier"]["qualifying_units"], 0);
        for _ in 0..3 {
            let id = format!("again-{}", desk.purchases.len());
            desk.buy(&id, &[100]);
            assert_eq!((state(&desk).2, desk.position().0), (1, 100));
            assert_eq!(give_back(&mut desk, &id, 1), 100);
            assert_eq!((state(&desk).2, desk.position()), (0, (0, 0, 0)));
        }
    }
}

#[test]
fn what_was_counted_beyond_covers_what_comes_back() {
    let mut desk = Desk::open(&stamps(3, true), OPENED);
    buy_at(&mut desk, &[OPENED; 5]);
    give_back(&mut desk, "B-1", 1);
    give_back(&mut desk, "B-2", 1);
    assert_eq!((state(&desk), desk.position().0), ((0, 3, 1), 100));
    give_back(&mut desk, "B-3", 1);
    assert_eq!((state(&desk), desk.position().0), ((2, 1, 0), 0));
    let mut once = Desk::open(&stamps(3, false), OPENED);
    buy_at(&mut once, &[OPENED; 5]);
    give_back(&mut once, "B-1", 1);
    give_back(&mut once, "B-2", 1);
    assert_eq!((state(&once).2, once.position().0), (1, 100));
    give_back(&mut once, "B-3", 1);
    assert_eq!((state(&once), once.position().0), ((2, 1, 0), 0));
}

#[test]
fn a_badge_goes_with_the_last_time_that_it_was_reached() {
    let document = shop(&json!({"count": 2, "of": "purchases", "repeat": true}), &json!({"badge": "regular"}));
    let mut desk = Desk::open(&document, OPENED);
    buy_at(&mut desk, &[OPENED; 4]);
    give_back(&mut desk, "B-1", 1);
    assert_eq!((state(&desk).2, desk.progress()["badges"].as_array().unwrap().len()), (1, 1));
    give_back(&mut desk, "B-2", 1);
    give_back(&mut desk, "B-3", 1);
    assert_eq!((state(&desk).2, desk.progress()["badges"].clone()), (0, json!([])));
    assert_eq!(desk.last().kind.word(), "goal");
    desk.buy("A-9", &[100]);
    assert_eq!(desk.progress()["badges"].as_array().unwrap().len(), 1);
}

#[test]
fn a_badge_that_two_goals_gave_stays_while_one_of_them_is_reached() {
    let goal = |id: &str, count: i64| json!({"id": id, "on": "purchase", "award": {"badge": "regular"}, "goal": {"count": count, "of": "purchases"}});
    let mut desk = Desk::open(&with(plain(), "/earning_rules", json!([goal("one", 1), goal("two", 2)])), OPENED);
    buy_at(&mut desk, &[OPENED; 2]);
    give_back(&mut desk, "B-2", 1);
    assert_eq!(desk.progress()["badges"], json!([{"badge": "regular", "since": OPENED}]));
    give_back(&mut desk, "B-1", 1);
    assert_eq!(desk.progress()["badges"], json!([]));
}

#[test]
fn its_points_are_taken_from_their_own_lot_then_from_others_then_owed_or_let_go() {
    for (beyond, shortfall, position, taken) in [
        ("other_lots", "debt", (0, 0, 10), 100),
        ("other_lots", "forgive", (0, 0, 0), 90),
        ("nothing", "debt", (30, 0, 40), 100),
        ("nothing", "forgive", (30, 0, 0), 60),
    ] {
        let mut desk = Desk::open(&policy(stamps(1, false), beyond, shortfall), OPENED);
        desk.buy("A-1", &[100]);
        desk.adjust(-40, false).unwrap();
        let longer = with(plain(), "/points/expiry/after_months", json!(20));
        desk.publish(&policy(longer, beyond, shortfall), desk.now);
        desk.adjust(30, false).unwrap();
        assert_eq!(give_back(&mut desk, "A-1", 1), taken, "{beyond}, {shortfall}");
        assert_eq!(desk.position(), position, "{beyond}, {shortfall}");
        assert_eq!(desk.account.progress[0].reached, 0);
    }
}

#[test]
fn pending_points_of_a_goal_go_from_the_pending_lot() {
    let document = with(policy(stamps(2, false), "nothing", "forgive"), "/points/pending_days", json!(7));
    let mut desk = Desk::open(&document, OPENED);
    buy_at(&mut desk, &[OPENED, "2026-11-05T09:00:00Z"]);
    assert_eq!(desk.position(), (0, 100, 0));
    assert_eq!(give_back(&mut desk, "B-1", 1), 100);
    assert_eq!(desk.position(), (0, 0, 0));
    let mut later = Desk::open(&document, OPENED);
    buy_at(&mut later, &[OPENED, "2026-11-05T09:00:00Z"]);
    later.to("2026-12-24T09:00:00Z");
    assert_eq!(give_back(&mut later, "B-1", 1), 100);
    assert_eq!(later.position(), (0, 0, 0));
}

#[test]
fn units_go_back_in_the_period_in_which_the_goal_was_reached() {
    let document =
        with(stamps(2, false), "/tiers/levels", json!([{"id": "green", "from": 0}, {"id": "gold", "from": 100}]));
    let mut desk = Desk::open(&document, OPENED);
    buy_at(&mut desk, &["2026-12-31T09:00:00Z", "2027-01-02T09:00:00Z"]);
    assert_eq!((desk.level(), desk.view()["tier"]["qualifying_units"].clone()), ("gold".to_owned(), json!(100)));
    desk.to("2028-02-01T09:00:00Z");
    give_back(&mut desk, "B-1", 1);
    assert!(desk.account.units.iter().all(|(_, units)| *units == 0), "{:?}", desk.account.units);
    assert_eq!(desk.level(), "gold");
    desk.to("2028-02-29T23:00:00Z");
    assert_eq!(desk.level(), "green", "felt at the end of that month");
}

// ── Days that are over ──

fn within(repeat: bool) -> Value {
    shop(&json!({"count": 3, "of": "purchases", "within_days": 7, "repeat": repeat}), &json!({"points": 100}))
}

#[test]
fn what_has_lapsed_unreached_takes_nothing_when_it_comes_back() {
    let mut desk = Desk::open(&within(true), OPENED);
    buy_at(&mut desk, &["2026-11-02T09:00:00Z", "2026-11-03T09:00:00Z", "2026-11-20T09:00:00Z"]);
    give_back(&mut desk, "B-1", 1);
    assert_eq!(state(&desk), (1, 2, 0));
}

#[test]
fn a_goal_reached_in_days_that_are_over_is_lost_when_what_reached_it_comes_back() {
    for repeat in [true, false] {
        let mut desk = Desk::open(&within(repeat), OPENED);
        // Four in the first days, so that one is left over when they end.
        buy_at(&mut desk, &[OPENED; 4]);
        buy_at(&mut desk, &["2026-11-20T09:00:00Z"]);
        give_back(&mut desk, "B-1", 1);
        assert_eq!((state(&desk).2, desk.position().0), (1, 100), "the fourth covers it");
        give_back(&mut desk, "B-2", 1);
        assert_eq!((state(&desk), desk.position().0), ((1, 2, 0), 0), "repeat {repeat}");
        buy_at(&mut desk, &["2026-11-21T09:00:00Z", "2026-11-22T09:00:00Z"]);
        assert_eq!((state(&desk).2, desk.position().0), (1, 100));
        give_back(&mut desk, "B-3", 1);
        give_back(&mut desk, "B-4", 1);
        assert_eq!((state(&desk).2, desk.position().0), (1, 100), "they had nothing to do with it");
    }
}

#[test]
fn what_counts_later_does_not_stand_in_for_what_reached_it_long_before() {
    let mut desk = Desk::open(&within(true), OPENED);
    buy_at(&mut desk, &[OPENED; 3]);
    buy_at(&mut desk, &["2026-12-20T09:00:00Z"]);
    give_back(&mut desk, "B-1", 1);
    assert_eq!((state(&desk), desk.position().0), ((1, 2, 0), 0));
}

#[test]
fn where_it_is_reached_once_and_then_lost_what_was_counted_since_reaches_it_instead() {
    let mut desk = Desk::open(&within(false), OPENED);
    buy_at(&mut desk, &[OPENED; 4]);
    buy_at(&mut desk, &["2026-11-20T09:00:00Z", "2026-11-21T09:00:00Z", "2026-11-22T09:00:00Z"]);
    give_back(&mut desk, "B-1", 1);
    give_back(&mut desk, "B-2", 1);
    assert_eq!((state(&desk).2, desk.position().0), (1, 100));
    give_back(&mut desk, "B-7", 1);
    assert_eq!((state(&desk), desk.position().0), ((2, 1, 0), 0));
}

// ── New versions of the program ──

#[test]
fn a_new_version_never_resets_progress() {
    let mut desk = Desk::open(&stamps(10, false), OPENED);
    buy_at(&mut desk, &[OPENED; 4]);
    let now = desk.now;
    desk.publish(&stamps(6, false), now);
    assert_eq!(state(&desk), (4, 2, 0), "another count");
    desk.publish(&with(plain(), "/earning_rules", json!([base_rule()])), now);
    desk.buy("without", &[100]);
    assert_eq!(desk.progress()["goals"], json!([]));
    desk.publish(&stamps(6, true), now);
    assert_eq!(state(&desk), (4, 2, 0), "removed, and there again");
    let windowed = shop(&json!({"count": 6, "of": "purchases", "within_days": 30}), &json!({"badge": "regular"}));
    desk.publish(&windowed, now);
    assert_eq!(state(&desk), (4, 2, 0), "other terms, another award");
    buy_at(&mut desk, &[OPENED; 2]);
    assert_eq!((state(&desk).2, desk.position().0), (1, 1));
    assert_eq!(desk.progress()["badges"].as_array().unwrap().len(), 1);
}

#[test]
fn a_version_that_asks_for_less_than_is_counted_is_fulfilled_with_the_next_purchase() {
    let mut desk = Desk::open(&stamps(10, true), OPENED);
    buy_at(&mut desk, &[OPENED; 7]);
    desk.publish(&stamps(3, true), desk.now);
    assert_eq!(state(&desk), (7, 0, 0));
    buy_at(&mut desk, &[OPENED]);
    assert_eq!((state(&desk), desk.position().0), ((2, 1, 2), 200));
}

#[test]
fn a_goal_reached_by_a_lower_count_than_that_of_the_purchase_that_comes_back_gives_no_more_than_it_took() {
    let mut desk = Desk::open(&units(10, true), OPENED);
    buy_units(&mut desk, "A-1", 4);
    desk.publish(&units(5, true), desk.now);
    buy_units(&mut desk, "A-2", 1);
    assert_eq!((state(&desk), desk.position().0), ((0, 5, 1), 100));
    give_back(&mut desk, "A-1", 4);
    assert_eq!((state(&desk), desk.position().0), ((1, 4, 0), 0));
}

#[test]
fn a_refund_reaches_no_goal_though_the_purchases_version_asked_for_less() {
    let mut desk = Desk::open(&units(3, true), OPENED);
    buy_units(&mut desk, "A-1", 2);
    desk.publish(&units(5, true), desk.now);
    buy_units(&mut desk, "A-2", 2);
    give_back(&mut desk, "A-1", 1);
    assert_eq!((state(&desk), desk.position().0), ((3, 2, 0), 0));
}

#[test]
fn each_time_that_it_was_reached_gives_back_what_it_gave() {
    let mut desk = Desk::open(&units(2, true), OPENED);
    buy_units(&mut desk, "A-1", 2);
    desk.publish(&with(units(3, true), "/earning_rules/0/award/points", json!(40)), desk.now);
    buy_units(&mut desk, "A-2", 3);
    let badge = shop(&json!({"count": 4, "of": "units of selected lines", "repeat": true}), &json!({"badge": "b"}));
    desk.publish(&badge, desk.now);
    buy_units(&mut desk, "A-3", 4);
    assert_eq!((state(&desk).2, desk.position().0), (3, 140));
    give_back(&mut desk, "A-1", 1);
    assert_eq!((state(&desk), desk.position().0), ((3, 1, 2), 140));
    assert_eq!(desk.progress()["badges"], json!([]));
    give_back(&mut desk, "A-2", 3);
    assert_eq!((state(&desk), desk.position().0), ((0, 4, 2), 140));
    give_back(&mut desk, "A-3", 1);
    assert_eq!((state(&desk), desk.position().0), ((2, 2, 1), 100));
    give_back(&mut desk, "A-3", 3);
    assert_eq!((state(&desk), desk.position().0), ((1, 3, 0), 0));
}

#[test]
fn a_goal_that_the_program_has_dropped_is_still_taken_back_by_the_version_of_the_purchase() {
    let mut desk = Desk::open(&stamps(1, false), OPENED);
    desk.buy("A-1", &[100]);
    desk.publish(&with(plain(), "/earning_rules", json!([base_rule()])), desk.now);
    desk.to("2027-03-01T09:00:00Z");
    assert_eq!(give_back(&mut desk, "A-1", 1), 100);
    assert_eq!(desk.position(), (0, 0, 0));
}

// ── Whatever the pieces ──

#[derive(Debug, Clone)]
struct Bought {
    days_later: i64,
    quantity: i64,
}

fn award() -> impl Strategy<Value = Value> {
    prop_oneof![3 => (1_i64..50).prop_map(|points| json!({"points": points})), 1 => Just(json!({"badge": "b"}))]
}

/// Versions of a goal that is a streak in all of them, or in none.
fn goals(most: usize) -> impl Strategy<Value = Vec<Value>> {
    let of = prop::sample::select(vec!["purchases", "units of selected lines"]);
    let sum = (1_i64..6, of, prop::option::of(1_i64..9))
        .prop_map(|(count, of, days)| json!({"count": count, "of": of, "within_days": days}));
    let streak = (1_i64..4, prop::sample::select(vec!["day", "week"]));
    let streak = streak.prop_map(|(count, per)| json!({"count": count, "of": "purchases", "streak": per}));
    let version = |(mut goal, repeat, award): (Value, bool, Value)| {
        goal["repeat"] = json!(repeat);
        shop(&goal, &award)
    };
    let sums = prop::collection::vec((sum, any::<bool>(), award()).prop_map(version), 1..=most);
    let streaks = prop::collection::vec((streak, any::<bool>(), award()).prop_map(version), 1..=most);
    let alike = |documents: &Vec<Value>| {
        let per = |document: &Value| document["earning_rules"][0]["goal"]["streak"].clone();
        documents.iter().all(|document| per(document) == per(&documents[0]))
    };
    prop_oneof![3 => sums, 2 => streaks.prop_filter("one pace", alike)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn buying_collecting_and_returning_brings_nothing_whatever_was_published_meanwhile(
        documents in goals(3),
        bought in prop::collection::vec((0_i64..4, 1_i64..8).prop_map(|(days_later, quantity)| Bought { days_later, quantity }), 1..13),
        order_back in any::<prop::sample::Index>(),
    ) {
        let mut desk = Desk::open(&documents[0], OPENED);
        for (index, Bought { days_later, quantity }) in bought.iter().enumerate() {
            if let Some(document) = documents.get(index / 3).filter(|_| index > 0 && index % 3 == 0) {
                desk.publish(document, desk.now);
            }
            desk.now = desk.now.plus_days(*days_later);
            buy_units(&mut desk, &index.to_string(), *quantity);
        }
        let count = bought.len();
        for index in 0..count {
            let index = (index + order_back.index(count)) % count;
            give_back(&mut desk, &index.to_string(), bought[index].quantity);
        }
        prop_assert_eq!(desk.position(), (0, 0, 0));
        let progress = &desk.account.progress[0];
        prop_assert_eq!(progress.reached, 0);
        prop_assert!(progress.counted <= 0, "{:?}", progress);
        prop_assert!(desk.account.badges.is_empty());
        prop_assert_eq!(desk.account.units.iter().map(|(_, units)| *units).sum::<i64>(), 0);
    }

    #[test]
    fn in_one_piece_or_in_ten_a_refund_leaves_the_same(
        documents in goals(1),
        bought in prop::collection::vec((0_i64..4, 1_i64..8).prop_map(|(days_later, quantity)| Bought { days_later, quantity }), 1..10),
        returned in any::<prop::sample::Index>(),
        share in 1_i64..8,
    ) {
        let ends: Vec<_> = [false, true].into_iter().map(|in_pieces| {
            let mut desk = Desk::open(&documents[0], OPENED);
            for (index, Bought { days_later, quantity }) in bought.iter().enumerate() {
                desk.now = desk.now.plus_days(*days_later);
                buy_units(&mut desk, &index.to_string(), *quantity);
            }
            let index = returned.index(bought.len());
            let back = share.min(bought[index].quantity);
            match in_pieces {
                true => (0..back).for_each(|_| { give_back(&mut desk, &index.to_string(), 1); }),
                false => { give_back(&mut desk, &index.to_string(), back); }
            }
            (desk.position(), state(&desk), desk.account.progress.clone(), desk.account.badges.clone(), desk.account.lifetime)
        }).collect();
        prop_assert_eq!(&ends[0], &ends[1]);
    }
}

#[test]
fn a_purchase_recorded_after_the_goal_was_lost_is_judged_by_what_is_left() {
    let mut desk = Desk::open(&stamps(2, false), OPENED);
    buy_at(&mut desk, &[OPENED; 2]);
    give_back(&mut desk, "B-1", 1);
    desk.to("2026-11-09T09:00:00Z");
    desk.record(&order("late", at("2026-11-03T09:00:00Z"), &[100])).unwrap();
    assert_eq!((state(&desk).2, desk.position().0), (1, 100));
}
