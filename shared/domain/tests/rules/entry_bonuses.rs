//! Points for reaching a level, once in a period.

use crate::desk::{Desk, base_rule, plain, with, words};
use loyalty_domain::account::Status;
use serde_json::{Value, json};

const OPENED: &str = "2026-11-01T10:00:00Z";

fn welcomed(period: &str) -> Value {
    let pay = json!({"id": "pay", "on": "activity", "activity": "payment", "grants": {"tier": "gold", "days": 10}});
    let levels = json!([{"id": "green", "from": 0, "entry_bonus": 7}, {"id": "gold", "from": 500, "entry_bonus": 50},
        {"id": "ruby", "from": 2000, "entry_bonus": 200}]);
    with(
        with(plain(), "/earning_rules", json!([base_rule(), pay])),
        "/tiers",
        json!({"period": period, "levels": levels}),
    )
}

fn bonuses(desk: &Desk) -> Vec<i64> {
    let of_levels =
        desk.ledger.iter().filter(|entry| words(entry).iter().any(|word| word.contains("for reaching level")));
    of_levels.map(|entry| entry.points).collect()
}

#[test]
fn reaching_a_level_gives_its_entry_bonus_with_the_entry_that_made_it() {
    let mut desk = Desk::open(&welcomed("calendar_year"), OPENED);
    assert_eq!(bonuses(&desk).len(), 0, "everybody is on the lowest; nobody reaches it");
    desk.buy("A-1", &[50_000]);
    assert_eq!(desk.kinds(2), [("earn", 500), ("tier", 0), ("bonus", 50)]);
    assert_eq!(words(desk.last()), ["50 points for reaching level gold"]);
    assert_eq!((desk.position().0, desk.view()["tier"]["qualifying_units"].clone()), (550, json!(550)));
}

#[test]
fn a_level_lost_and_reached_again_in_the_same_period_gives_none_and_in_the_next_period_again() {
    let mut desk = Desk::open(&welcomed("calendar_year"), "2026-01-05T10:00:00Z");
    desk.act("payment");
    desk.to("2026-02-05T10:00:00Z");
    assert_eq!(desk.level(), "green");
    desk.act("payment");
    assert_eq!((desk.level(), bonuses(&desk)), ("gold".to_owned(), vec![50]));
    desk.to("2026-12-31T22:59:59.999Z").act("payment");
    assert_eq!(bonuses(&desk), [50]);
    desk.to("2027-02-05T10:00:00Z").act("payment");
    assert_eq!(bonuses(&desk), [50, 50]);
}

#[test]
fn for_rolling_12_months_a_period_is_twelve_months_and_for_lifetime_there_is_one() {
    for (period, months, expected) in [("rolling_12_months", 11, 1), ("rolling_12_months", 12, 2), ("lifetime", 50, 1)]
    {
        let mut desk = Desk::open(&welcomed(period), "2026-01-05T10:00:00Z");
        for month in [0, months] {
            let (year, month) = (2026 + month / 12, month % 12 + 1);
            desk.to(&format!("{year}-{month:02}-05T10:00:00Z")).act("payment");
            assert_eq!(desk.level(), "gold");
        }
        assert_eq!(bonuses(&desk).len(), expected, "{period}, {months} months later");
    }
}

#[test]
fn a_move_to_another_zone_makes_no_other_membership_year() {
    let mut desk = Desk::open(&welcomed("membership_year"), "2026-01-05T23:30:00Z");
    desk.act("payment");
    desk.to("2026-02-05T10:00:00Z");
    desk.change(|account| account.zone = Some(crate::desk::zone("America/New_York"))).unwrap();
    desk.act("payment");
    assert_eq!((desk.level(), bonuses(&desk)), ("gold".to_owned(), vec![50]));
}

#[test]
fn a_bonus_that_carries_the_next_level_gives_that_ones_too() {
    let document = with(welcomed("calendar_year"), "/tiers/levels/1/entry_bonus", json!(1500));
    let mut desk = Desk::open(&document, OPENED);
    desk.buy("A-1", &[50_000]);
    assert_eq!(desk.kinds(2), [("earn", 500), ("tier", 0), ("bonus", 1500), ("tier", 0), ("bonus", 200)]);
    assert_eq!((desk.level(), desk.position().0), ("ruby".to_owned(), 2200));
}

#[test]
fn who_skips_a_level_gets_the_bonus_of_the_one_that_is_reached() {
    let mut desk = Desk::open(&welcomed("calendar_year"), OPENED);
    desk.buy("A-1", &[200_000]);
    assert_eq!((desk.level(), bonuses(&desk)), ("ruby".to_owned(), vec![200]));
}

#[test]
fn falling_to_a_level_gives_nothing_and_a_refund_leaves_the_bonus() {
    let mut desk = Desk::open(&welcomed("calendar_year"), OPENED);
    desk.buy("A-1", &[200_000]);
    desk.to("2027-05-01T10:00:00Z").buy("A-2", &[60_000]);
    desk.to("2028-01-01T00:00:00Z");
    assert_eq!((desk.level(), bonuses(desk.settle())), ("gold".to_owned(), vec![200]));
    let mut desk = Desk::open(&welcomed("calendar_year"), OPENED);
    desk.buy("A-1", &[50_000]);
    desk.refund("A-1", &[("1", 1, None)]).unwrap();
    assert_eq!(desk.position().0, 50, "it was given for the level, which lasts to the period's end");
    desk.buy("A-2", &[50_000]);
    assert_eq!(bonuses(&desk), [50]);
}

#[test]
fn the_bonus_is_granted_like_all_points_pending_and_after_debt() {
    let document = with(welcomed("calendar_year"), "/points/pending_days", json!(5));
    let mut desk = Desk::open(&document, OPENED);
    desk.act("payment");
    assert_eq!(desk.position(), (0, 50, 0));
    let mut desk = Desk::open(&welcomed("calendar_year"), OPENED);
    desk.buy("A-1", &[3000]);
    desk.adjust(-30, false).unwrap();
    desk.refund("A-1", &[("1", 1, None)]).unwrap();
    desk.act("payment");
    assert_eq!((desk.position(), desk.last().debt_repaid), ((20, 0, 0), 30));
}

/// A member on gold whose units will carry ruby from the next year on, when the program asks for less.
fn about_to_rise(pending: i64) -> Desk {
    let document = with(welcomed("calendar_year"), "/points/pending_days", json!(pending));
    let mut desk = Desk::open(&document, OPENED);
    desk.buy("A-1", &[60_000]);
    desk.publish(&with(document, "/tiers/levels/2/from", json!(600)), desk.now.plus_days(2));
    desk
}

#[test]
fn a_bonus_that_is_given_long_after_its_day_has_been_active_since_its_own() {
    let mut desk = about_to_rise(5);
    desk.to("2027-03-01T10:00:00Z");
    assert_eq!((desk.level(), desk.position()), ("ruby".to_owned(), (850, 0, 0)), "as it is read");
    desk.settle();
    assert_eq!((desk.last().occurred_at.to_string(), desk.last().points), ("2026-12-31T23:00:00Z".to_owned(), 200));
    assert_eq!((desk.last().balance_after.available, desk.last().balance_after.pending), (850, 0));
}

#[test]
fn who_is_deactivated_or_gone_rises_without_points() {
    let mut desk = about_to_rise(0);
    desk.change(|account| account.status = Status::Deactivated).unwrap();
    desk.to("2027-03-01T10:00:00Z").settle();
    assert_eq!((desk.level(), desk.position().0), ("ruby".to_owned(), 650));
    let mut gone = about_to_rise(0);
    gone.erase().unwrap();
    gone.to("2027-03-01T10:00:00Z").settle();
    assert_eq!(gone.position(), (0, 0, 0));
}
