//! Levels that are paid for or lent by an operator.

use crate::desk::{Desk, at, base_rule, plain, with, words};
use loyalty_domain::account::Status;
use loyalty_domain::calendar::Moment;
use loyalty_domain::draft::as_of;
use loyalty_domain::refusal::Refusal;
use proptest::prelude::*;
use serde_json::{Value, json};

/// 11 o'clock in Berlin.
const OPENED: &str = "2026-11-01T10:00:00Z";

/// One point per euro; green, gold from 500, ruby from 2,000; plus, above them, is only granted: 30 days by an activity.
fn program() -> Value {
    let pay = json!({"id": "pay", "on": "activity", "activity": "payment", "grants": {"tier": "plus", "days": 30}});
    let levels = json!([{"id": "green", "from": 0}, {"id": "gold", "from": 500}, {"id": "ruby", "from": 2000},
        {"id": "plus", "multiply": "2", "benefits": [{"key": "free_shipping"}]}]);
    with(with(plain(), "/earning_rules", json!([base_rule(), pay])), "/tiers/levels", levels)
}

fn until(desk: &Desk) -> Value {
    desk.view()["tier"]["until"].clone()
}

// ── Paid for ──

#[test]
fn a_paid_level_acts_at_once_lasts_to_the_end_of_its_last_local_day_and_ends_by_itself() {
    let mut desk = Desk::open(&program(), OPENED);
    desk.act("payment");
    assert_eq!(desk.kinds(2), [("bonus", 0), ("tier", 0)]);
    assert_eq!(words(&desk.ledger[1]), ["level plus until 2026-12-01T23:00:00Z"]);
    assert_eq!((desk.level(), until(&desk)), ("plus".to_owned(), json!("2026-12-01T23:00:00Z")));
    assert_eq!(desk.view()["tier"]["benefits"][0]["key"], "free_shipping");
    assert_eq!(desk.buy("A-1", &[1000]), 20, "from the next purchase on");
    desk.to("2026-12-01T22:59:59.999Z");
    assert_eq!(desk.level(), "plus");
    desk.to("2026-12-01T23:00:00Z");
    assert_eq!((desk.level(), until(&desk)), ("green".to_owned(), Value::Null));
    assert_eq!(desk.view()["tier"]["benefits"], json!([]), "the benefits are those of the level then");
    assert_eq!(desk.buy("A-2", &[1000]), 10);
    assert_eq!(desk.buy_as_of("A-3", "2026-12-01T22:59:59.999Z", &[1000]).unwrap(), 20, "plus when it occurred");
    assert_eq!(desk.progress()["granted"], json!([]));
}

#[test]
fn who_pays_twice_in_advance_has_sixty_days_and_who_pays_in_time_never_loses_an_hour() {
    let mut desk = Desk::open(&program(), OPENED);
    desk.act("payment");
    desk.act("payment");
    assert_eq!(until(&desk), "2026-12-31T23:00:00Z");
    assert_eq!(desk.account.passes.len(), 1);
    desk.to("2026-12-31T22:59:59.999Z").act("payment");
    assert_eq!(until(&desk), "2027-01-30T23:00:00Z");
    assert_eq!(desk.ledger.iter().filter(|entry| entry.kind.word() == "tier").count(), 1, "one level, without a gap");
}

#[test]
fn two_rules_that_pay_for_the_same_level_add_up() {
    let mut document = program();
    let more = json!({"id": "gift", "on": "activity", "activity": "payment", "grants": {"tier": "plus", "days": 5}});
    document["earning_rules"].as_array_mut().unwrap().push(more);
    let mut desk = Desk::open(&document, OPENED);
    desk.act("payment");
    assert_eq!(until(&desk), "2026-12-06T23:00:00Z");
}

#[test]
fn after_a_gap_a_payment_begins_anew_with_its_own_day() {
    let mut desk = Desk::open(&program(), OPENED);
    desk.act("payment");
    desk.to("2026-12-10T10:00:00Z");
    assert_eq!(desk.level(), "green");
    desk.act("payment");
    assert_eq!((desk.level(), until(&desk)), ("plus".to_owned(), json!("2027-01-09T23:00:00Z")));
    assert_eq!(desk.view()["tier"]["since"], "2026-12-10T10:00:00Z");
}

#[test]
fn a_payment_recorded_late_counts_from_its_own_day_and_carries_on_what_was_paid_then() {
    let mut desk = Desk::open(&program(), OPENED);
    desk.to("2026-11-20T10:00:00Z").act_as_of("payment", at("2026-11-05T10:00:00Z"), &json!({})).unwrap();
    assert_eq!((desk.level(), until(&desk)), ("plus".to_owned(), json!("2026-12-05T23:00:00Z")));
    // The next one is recorded when the first has ended, though it was paid before.
    desk.to("2026-12-08T10:00:00Z");
    assert_eq!(desk.level(), "green");
    desk.act_as_of("payment", at("2026-12-05T22:00:00Z"), &json!({})).unwrap();
    assert_eq!((desk.level(), until(&desk)), ("plus".to_owned(), json!("2027-01-04T23:00:00Z")));
    // One that was over before it was recorded lifts nothing.
    let mut late = Desk::open(&with(program(), "/points/late_purchase_days", json!(90)), OPENED);
    late.to("2027-01-20T10:00:00Z").act_as_of("payment", at("2026-11-05T10:00:00Z"), &json!({})).unwrap();
    assert_eq!((late.level(), late.kinds(2)), ("green".to_owned(), vec![("bonus", 0)]));
}

#[test]
fn days_are_those_of_the_members_zone() {
    let mut desk = Desk::open_for(&program(), "2026-11-01T14:59:59.999Z", Some("Asia/Tokyo"), &[]);
    desk.act("payment");
    assert_eq!(until(&desk), "2026-12-01T15:00:00Z");
    let mut next = Desk::open_for(&program(), "2026-11-01T15:00:00Z", Some("Asia/Tokyo"), &[]);
    next.act("payment");
    assert_eq!(until(&next), "2026-12-02T15:00:00Z");
}

#[test]
fn at_its_end_the_member_falls_back_to_what_the_units_carry() {
    let mut desk = Desk::open(&program(), OPENED);
    desk.act("payment");
    desk.buy("A-1", &[25_000]);
    assert_eq!(desk.level(), "plus");
    desk.to("2026-12-01T23:00:00Z");
    assert_eq!((desk.level(), until(&desk)), ("gold".to_owned(), json!("2027-12-31T23:00:00Z")));
    assert_eq!(desk.view()["tier"]["since"], "2026-12-01T23:00:00Z");
}

#[test]
fn a_paid_level_below_the_one_that_is_carried_waits_until_that_is_lost() {
    let document = with(program(), "/earning_rules/1/grants", json!({"tier": "gold", "days": 800}));
    let mut desk = Desk::open(&document, OPENED);
    desk.buy("A-1", &[200_000]);
    desk.act("payment");
    assert_eq!((desk.level(), until(&desk)), ("ruby".to_owned(), json!("2027-12-31T23:00:00Z")));
    desk.to("2027-12-31T23:00:00Z");
    assert_eq!((desk.level(), until(&desk)), ("gold".to_owned(), json!("2029-01-09T23:00:00Z")));
    desk.to("2029-01-09T23:00:00Z");
    assert_eq!(desk.level(), "green");
}

#[test]
fn a_level_without_from_is_reached_by_no_units_and_is_never_the_next_one() {
    let mut desk = Desk::open(&program(), OPENED);
    desk.buy("A-1", &[90_000_000]);
    assert_eq!((desk.level(), desk.view()["tier"]["next"].clone()), ("ruby".to_owned(), Value::Null));
    let between = json!([{"id": "green", "from": 0}, {"id": "lent"}, {"id": "gold", "from": 500}]);
    let mut desk = Desk::open(&with(plain(), "/tiers/levels", between), OPENED);
    assert_eq!(desk.view()["tier"]["next"], json!({"level": "gold", "missing_units": 500}));
    desk.buy("A-1", &[10_000]);
    assert_eq!(desk.level(), "green");
    desk.lend("lent", "2026-12-01").unwrap();
    assert_eq!(desk.view()["tier"]["next"], json!({"level": "gold", "missing_units": 400}));
}

// ── Lent ──

#[test]
fn an_operator_lends_a_level_until_a_local_day_and_can_extend_shorten_and_end_it() {
    let mut desk = Desk::open(&program(), OPENED);
    desk.lend("gold", "2026-12-01").unwrap();
    assert_eq!(desk.kinds(2), [("adjust", 0), ("tier", 0)]);
    assert_eq!((desk.level(), until(&desk)), ("gold".to_owned(), json!("2026-11-30T23:00:00Z")));
    desk.to("2026-11-10T10:00:00Z").lend("gold", "2027-02-01").unwrap();
    assert_eq!(until(&desk), "2027-01-31T23:00:00Z");
    desk.lend("gold", "2026-11-20").unwrap();
    assert_eq!((until(&desk), desk.account.passes.len()), (json!("2026-11-19T23:00:00Z"), 1));
    desk.lend("gold", "2026-11-10").unwrap();
    assert_eq!((desk.level(), until(&desk)), ("green".to_owned(), Value::Null), "ended today");
    assert_eq!(desk.lend("gold", "2026-11-09"), Err(Refusal::DatePast));
    assert_eq!(desk.lend("none", "2027-11-09"), Err(Refusal::LevelUnknown));
    desk.change(|account| account.status = Status::Deactivated).unwrap();
    assert_eq!(desk.lend("gold", "2027-11-09"), Err(Refusal::Deactivated));
}

#[test]
fn lending_what_is_carried_anyway_changes_no_level_but_carries_it_longer() {
    let mut desk = Desk::open(&program(), OPENED);
    desk.buy("A-1", &[50_000]);
    desk.lend("gold", "2028-07-01").unwrap();
    assert_eq!((desk.level(), until(&desk)), ("gold".to_owned(), json!("2028-06-30T22:00:00Z")));
    desk.lend("gold", "2026-11-01").unwrap();
    assert_eq!((desk.level(), until(&desk)), ("gold".to_owned(), json!("2027-12-31T23:00:00Z")), "the units carry it");
}

#[test]
fn a_lent_level_can_be_paid_on_and_a_paid_one_be_ended() {
    let mut desk = Desk::open(&program(), OPENED);
    desk.lend("plus", "2026-11-10").unwrap();
    desk.act("payment");
    assert_eq!(until(&desk), "2026-12-09T23:00:00Z");
    desk.lend("plus", "2026-11-01").unwrap();
    assert_eq!(desk.level(), "green");
}

#[test]
fn an_account_takes_fifty_passes_and_no_more() {
    let book = json!({"id": "book", "on": "activity", "activity": "book", "grants": {"tag": "double", "days": 1, "on": "day"}});
    let mut desk = Desk::open(&with(plain(), "/earning_rules", json!([book])), OPENED);
    let day = |n: i64| json!({"day": at(OPENED).plus_days(n).utc_date().to_string()});
    for n in 0..50 {
        desk.act_as_of("book", desk.now, &day(n)).unwrap();
    }
    assert_eq!(desk.act_as_of("book", desk.now, &day(50)), Err(Refusal::TooManyPasses));
    assert_eq!(desk.lend("green", "2027-01-01"), Err(Refusal::TooManyPasses));
    desk.act_as_of("book", desk.now, &day(7)).unwrap();
    desk.to("2026-12-20T10:00:00Z")
        .act_as_of("book", at("2026-12-20T10:00:00Z"), &json!({"day": "2026-12-24"}))
        .unwrap();
}

// ── Until when, day by day ──

#[derive(Debug, Clone)]
enum Deed {
    Buy(i64),
    Refund,
    Pay,
    Lend(&'static str, i64),
}

fn deeds() -> impl Strategy<Value = Vec<(i64, Deed)>> {
    let deed = prop_oneof![
        3 => (1_i64..1500).prop_map(Deed::Buy),
        1 => Just(Deed::Refund),
        3 => Just(Deed::Pay),
        2 => (prop::sample::select(vec!["gold", "ruby", "plus"]), 0_i64..500).prop_map(|(level, days)| Deed::Lend(level, days)),
    ];
    prop::collection::vec((0_i64..200, deed), 1..8)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn until_is_right_at_all_times(
        period in prop::sample::select(vec!["calendar_year", "rolling_12_months", "membership_year", "lifetime"]),
        zone in prop::option::of(prop::sample::select(vec!["America/New_York", "Pacific/Auckland"])),
        deeds in deeds(),
    ) {
        let document = with(program(), "/tiers/period", json!(period));
        let mut desk = Desk::open_for(&with(document, "/earning_rules/1/grants/days", json!(40)), OPENED, zone, &[]);
        for (index, (wait, deed)) in deeds.into_iter().enumerate() {
            desk.now = desk.now.plus_days(wait);
            match deed {
                Deed::Buy(euros) => { desk.buy(&index.to_string(), &[euros * 100]); }
                Deed::Refund => if let Some(id) = desk.purchases.keys().next().cloned() {
                    let back = desk.purchases[&id].lines[0].quantity_left;
                    if back > 0 { desk.refund(&id, &[("1", back, None)]).unwrap(); }
                },
                Deed::Pay => { desk.act("payment"); }
                Deed::Lend(level, days) => {
                    let day = desk.account.zone(desk.program()).date_at(desk.now.plus_days(days));
                    desk.lend(level, &day.to_string()).unwrap();
                }
            }
            // What is said now holds on every day to come: the level stays until then, and is lost then.
            let (now, level, said) = (desk.now, desk.level(), until(&desk));
            let end = said.as_str().map(at);
            for day in 0..1200 {
                let then = now.plus_days(day);
                if end.is_some_and(|end| end <= then) {
                    break;
                }
                desk.now = then;
                let account = as_of(desk.account.clone(), &desk.programs, then).unwrap();
                prop_assert_eq!(account.level.id.as_str(), &level, "{} {:?}", then, &said);
                if day % 9 == 0 {
                    prop_assert_eq!(until(&desk), said.clone(), "as seen on {}", then);
                }
            }
            if let Some(end) = end {
                desk.now = Moment::from_millis(end.millis() - 1);
                prop_assert_eq!(&desk.level(), &level);
                desk.now = end;
                prop_assert_ne!(&desk.level(), &level, "lost at {}", end);
            }
            desk.now = now;
        }
    }
}
