//! No notice, no expiry.

use crate::desk::{Desk, plain, with, words};
use proptest::prelude::*;
use serde_json::{Value, json};

const OPENED: &str = "2026-11-01T10:00:00Z";
/// What is earned in November 2026 ends here, if its notice was recorded by 2027-10-31T23:00:00Z.
const END: &str = "2027-11-30T23:00:00Z";

fn noticing(days: i64) -> Value {
    with(plain(), "/points/notice_days", json!(days))
}

fn ends(desk: &Desk) -> Vec<String> {
    desk.lots().into_iter().filter_map(|(_, end)| end).collect()
}

#[test]
fn a_notice_is_due_so_many_times_24_hours_before_the_end_and_given_by_a_sweep_in_time_moves_nothing() {
    let mut desk = Desk::open(&noticing(30), OPENED);
    desk.buy("A-1", &[500]);
    assert_eq!(desk.account.next_due(desk.program()).unwrap().to_string(), "2027-10-31T23:00:00Z");
    desk.settle_at("2027-10-31T22:59:59.999Z");
    assert_eq!(desk.kinds(3), []);
    desk.settle_at("2027-10-31T23:00:00Z");
    assert_eq!(desk.kinds(3), [("notice", 0)]);
    assert_eq!(words(desk.last()), ["5 points end at 2027-11-30T23:00:00Z"]);
    assert_eq!(desk.account.next_due(desk.program()).unwrap().to_string(), END);
    assert_eq!(desk.to("2027-11-30T22:59:59.999Z").position(), (5, 0, 0));
    desk.settle_at(END);
    assert_eq!(desk.kinds(4), [("expire", -5)]);
}

#[test]
fn a_notice_that_comes_late_moves_the_end_to_its_days_after_it() {
    let mut desk = Desk::open(&noticing(30), OPENED);
    desk.buy("A-1", &[500]);
    desk.to("2027-11-10T12:00:00Z");
    assert_eq!(ends(&desk), ["2027-12-10T12:00:00Z"], "a notice that is owed counts as given at the moment of asking");
    desk.to("2027-11-15T00:00:00Z");
    assert_eq!(ends(&desk), ["2027-12-15T00:00:00Z"], "asking wrote nothing");
    desk.settle();
    desk.to("2027-11-20T00:00:00Z");
    assert_eq!(ends(&desk), ["2027-12-15T00:00:00Z"]);
    assert_eq!(desk.to("2027-12-14T23:59:59.999Z").position(), (5, 0, 0));
    assert_eq!(desk.to("2027-12-15T00:00:00Z").position(), (0, 0, 0));
}

#[test]
fn schedules_that_were_down_for_a_month_cost_no_member_a_point() {
    let mut desk = Desk::open(&noticing(30), OPENED);
    desk.buy("A-1", &[500]);
    desk.settle_at("2027-12-31T00:00:00Z");
    assert_eq!(desk.kinds(3), [("notice", 0)]);
    assert_eq!(desk.position(), (5, 0, 0));
    desk.adjust(-5, false).unwrap();
    assert_eq!(desk.kinds(4), [("adjust", -5)]);
}

#[test]
fn points_that_live_for_ever_and_programs_without_notice_owe_none() {
    let forever = with(noticing(30), "/points/expiry", json!("never"));
    for (document, end) in [(forever, 5), (noticing(0), 0)] {
        let mut desk = Desk::open(&document, OPENED);
        desk.buy("A-1", &[500]);
        desk.settle_at("2030-01-01T00:00:00Z");
        assert!(desk.ledger.iter().all(|entry| entry.kind.word() != "notice"));
        assert_eq!(desk.position(), (end, 0, 0));
    }
}

#[test]
fn points_credited_after_a_notice_are_a_lot_of_their_own_with_their_own_notice() {
    let mut desk = Desk::open(&with(noticing(30), "/points/late_purchase_days", json!(400)), OPENED);
    desk.buy("A-1", &[500]);
    desk.settle_at("2027-10-31T23:00:00Z");
    desk.to("2027-11-10T00:00:00Z");
    assert_eq!(desk.buy_as_of("A-2", "2026-11-02T10:00:00Z", &[700]).unwrap(), 7);
    assert_eq!(desk.kinds(4), [("earn", 7), ("notice", 0)]);
    assert_eq!(desk.lots(), [(5, Some(END.to_owned())), (7, Some("2027-12-10T00:00:00Z".to_owned()))]);
    desk.settle_at("2028-01-01T00:00:00Z");
    assert_eq!(desk.kinds(6), [("expire", -5), ("expire", -7)]);
}

#[test]
fn all_notices_owed_at_once_are_one_entry() {
    let document = with(noticing(40), "/points/expiry", json!({"after_months": 2, "snap": "end_of_day"}));
    let mut desk = Desk::open(&document, OPENED);
    for day in 2..6 {
        desk.to(&format!("2026-11-{day:02}T12:00:00Z")).buy(&format!("A-{day}"), &[100]);
    }
    desk.settle_at("2026-12-20T00:00:00Z");
    assert_eq!(desk.kinds(6), [("notice", 0)]);
    assert_eq!(desk.last().explanation.len(), 4);
    desk.settle_at("2027-01-29T00:00:00Z");
    assert_eq!(desk.kinds(7), [("expire", -4)], "ends that fall together are one entry");
}

#[test]
fn the_days_of_notice_are_those_promised_when_the_points_were_granted() {
    let mut desk = Desk::open(&noticing(30), OPENED);
    desk.buy("A-1", &[500]);
    desk.publish(&noticing(60), desk.now);
    desk.buy("A-2", &[700]);
    desk.settle_at("2027-10-05T00:00:00Z");
    assert_eq!(words(desk.last()), ["7 points end at 2027-12-04T00:00:00Z"]);
    desk.settle_at("2027-10-31T23:00:00Z");
    assert_eq!(words(desk.last()), ["5 points end at 2027-11-30T23:00:00Z"]);
}

#[test]
fn what_falls_due_at_one_moment_is_noticed_before_it_expires_and_reviewed_last() {
    // 5 points end at the year's turn, 6 are to be noticed then, and the level is to be reviewed.
    let document = json!({
        "name": "Test", "time_zone": "UTC", "rounding": "floor",
        "points": {"expiry": {"after_months": 12, "snap": "end_of_month"}, "notice_days": 31, "late_purchase_days": 90},
        "earning_rules": [crate::desk::base_rule()],
        "tiers": {"levels": [{"id": "green", "from": 0}, {"id": "gold", "from": 5}]},
    });
    let mut desk = Desk::open(&document, "2025-12-05T00:00:00Z");
    desk.buy("A-1", &[500]);
    desk.to("2026-01-05T00:00:00Z");
    desk.buy("A-2", &[100]);
    desk.settle_at("2026-12-01T00:00:00Z");
    assert_eq!(desk.last().kind.word(), "notice");
    let from = desk.account.seq + 1;
    desk.settle_at("2027-01-01T00:00:00Z");
    assert_eq!(desk.kinds(from), [("notice", 0), ("expire", -5), ("tier", 0)]);
}

proptest! {
    #[test]
    fn settling_step_by_step_ends_as_settling_at_once_where_the_notices_were_given_alike(
        days in prop::collection::vec(0_i64..500, 1..8),
        stops in prop::collection::btree_set(500_i64..1400, 0..12),
        pending in 0_i64..40,
        by_day in any::<bool>(),
    ) {
        let snap = if by_day { "end_of_day" } else { "end_of_month" };
        let mut document = with(plain(), "/points/expiry", json!({"after_months": 12, "snap": snap}));
        document = with(document, "/points/pending_days", json!(pending));
        document = with(document, "/tiers/levels", json!([{"id": "green", "from": 0}, {"id": "gold", "from": 3}]));
        let mut desk = Desk::open(&document, OPENED);
        let opened = desk.now;
        let mut days = days;
        days.sort_unstable();
        for (index, day) in days.iter().enumerate() {
            desk.now = opened.plus_days(*day);
            desk.buy(&format!("A-{index}"), &[100 + 50 * *day]);
        }
        let mut at_once = desk.account.clone();
        for day in &stops {
            desk.now = opened.plus_days(*day);
            desk.settle();
        }
        desk.now = opened.plus_days(1400);
        desk.settle();
        at_once = loyalty_domain::draft::as_of(at_once, &desk.programs, desk.now).unwrap();
        prop_assert_eq!(&at_once.lots, &desk.account.lots);
        prop_assert_eq!(at_once.lifetime, desk.account.lifetime);
        prop_assert_eq!((&at_once.level.id, at_once.level.since), (&desk.account.level.id, desk.account.level.since));
        prop_assert_eq!(at_once.seq, desk.account.seq);
    }
}
