//! Holds: points set aside, and every way in which they end.

use crate::desk::{Desk, at, plain, with, words};
use crate::spending::{OPENED, ask_to_pay, mug, offering, pay, seat};
use loyalty_domain::account::Status;
use loyalty_domain::redemption::{self, Status as Is};
use loyalty_domain::refusal::Refusal;
use serde_json::{Value, json};

/// Seats for 40 points, held for so many days.
fn for_days(days: i64) -> Value {
    let mut seat = seat();
    seat["hold_minutes"] = json!(days * 24 * 60);
    offering(json!([seat, mug()]))
}

fn with_notice(document: Value, days: i64) -> Value {
    with(document, "/points/notice_days", json!(days))
}

fn lot(points: i64, end: &str) -> (i64, Option<String>) {
    (points, Some(end.to_owned()))
}

#[test]
fn a_hold_takes_points_out_of_what_is_available_and_lapses_when_the_program_says() {
    let mut desk = Desk::with_points(&offering(json!([seat()])), 100);
    let id = desk.redeem("seat").unwrap();
    assert_eq!((desk.position(), desk.held(), desk.redeemed()), ((60, 0, 0), 40, 0));
    assert_eq!((desk.kinds(3), desk.last().contra().word()), (vec![("hold", -40)], "held"));
    assert_eq!(desk.redemptions[&id].lapses_at, Some(at("2026-11-01T10:30:00Z")));
    assert_eq!(desk.account.next_due(desk.program()), Some(at("2026-11-01T10:30:00Z")));
}

#[test]
fn a_capture_of_all_is_one_entry_of_0_points_from_held_to_redeemed() {
    let mut desk = Desk::with_points(&offering(json!([seat()])), 100);
    let id = desk.redeem("seat").unwrap();
    desk.to("2026-11-01T10:29:59Z").capture(id, None).unwrap();
    assert_eq!((desk.kinds(4), desk.last().contra().word()), (vec![("redeem", 0)], "redeemed"));
    assert_eq!((desk.status(id), desk.position(), desk.held(), desk.redeemed()), ("fulfilled", (60, 0, 0), 0, 40));
    assert_eq!(desk.capture(id, None), Err(Refusal::RedemptionIs { status: Is::Fulfilled }));
}

#[test]
fn a_capture_of_less_takes_the_draws_in_spend_order_and_gives_back_the_rest() {
    let mut desk = Desk::with_points(&offering(json!([seat()])), 30);
    desk.to("2026-12-05T10:00:00Z").adjust(30, false).unwrap();
    let id = desk.redeem("seat").unwrap();
    assert_eq!(desk.lots(), [lot(20, "2027-12-31T23:00:00Z")]);
    assert_eq!(desk.capture(id, Some(41)), Err(Refusal::CaptureExceedsHold { held: 40 }));
    desk.capture(id, Some(25)).unwrap();
    assert_eq!(desk.kinds(5), [("redeem", 0), ("release", 15)]);
    assert_eq!(desk.lots(), [lot(5, "2027-11-30T23:00:00Z"), lot(30, "2027-12-31T23:00:00Z")]);
    assert_eq!((desk.held(), desk.redeemed(), desk.redemptions[&id].captured), (0, 25, 25));
    desk.cancel(id).unwrap();
    assert_eq!(desk.lots(), [lot(30, "2027-11-30T23:00:00Z"), lot(30, "2027-12-31T23:00:00Z")]);
}

#[test]
fn what_points_pay_follows_what_is_captured() {
    let mut desk = Desk::with_points(&offering(json!([pay()])), 1000);
    let id = desk.redeem_as(&ask_to_pay(500)).unwrap();
    desk.capture(id, Some(120)).unwrap();
    let shown = redemption::redemption(&desk.redemptions[&id], desk.now);
    assert_eq!(shown["value"], json!({"amount": 120, "currency": "EUR"}));
    assert_eq!((&shown["points"], &shown["captured_points"]), (&json!(500), &json!(120)));
}

#[test]
fn a_cancelled_hold_gives_back_each_draw_to_its_own_lot_with_its_own_expiry() {
    let mut desk = Desk::with_points(&offering(json!([seat()])), 30);
    desk.to("2026-12-05T10:00:00Z").adjust(30, false).unwrap();
    let before = desk.lots();
    let id = desk.redeem("seat").unwrap();
    desk.to("2026-12-05T10:20:00Z").cancel(id).unwrap();
    assert_eq!((desk.kinds(5), desk.last().contra().word()), (vec![("release", 40)], "held"));
    assert_eq!((desk.lots(), desk.held(), desk.status(id)), (before, 0, "cancelled"));
    assert_eq!(desk.cancel(id), Err(Refusal::RedemptionIs { status: Is::Cancelled }));
    assert_eq!(desk.capture(id, None), Err(Refusal::RedemptionIs { status: Is::Cancelled }));
}

#[test]
fn from_lapses_at_on_a_held_redemption_is_lapsed_in_every_answer_though_nothing_was_written() {
    let mut desk = Desk::with_points(&offering(json!([seat()])), 100);
    let id = desk.redeem("seat").unwrap();
    desk.to("2026-11-01T10:30:00Z");
    assert_eq!((desk.status(id), desk.position(), desk.held()), ("lapsed", (100, 0, 0), 0));
    assert_eq!(redemption::redemption(&desk.redemptions[&id], desk.now)["status"], "lapsed");
    assert_eq!(desk.view()["points"]["held"], 0);
    assert_eq!(desk.capture(id, None), Err(Refusal::RedemptionIs { status: Is::Lapsed }));
    assert_eq!(desk.cancel(id), Err(Refusal::RedemptionIs { status: Is::Lapsed }));
    desk.settle_at("2026-11-03T10:00:00Z");
    assert_eq!(desk.kinds(4), [("release", 40)]);
    let entry = desk.last();
    assert_eq!(
        (entry.occurred_at, entry.actor.as_str()),
        (at("2026-11-01T10:30:00Z"), "system"),
        "dated as if on time"
    );
    assert_eq!(words(entry), ["set aside until 2026-11-01T10:30:00Z and not spent by then"]);
}

#[test]
fn a_lapse_gives_the_limit_back() {
    let mut reward = seat();
    reward["limit"] = json!({"times": 1, "per": "ever"});
    let mut desk = Desk::with_points(&offering(json!([reward])), 100);
    desk.redeem("seat").unwrap();
    assert!(desk.redeem("seat").is_err());
    desk.to("2026-11-01T10:30:00Z").redeem("seat").unwrap();
}

#[test]
fn a_capture_of_less_is_a_use_of_the_limit_all_the_same() {
    let mut reward = seat();
    reward["limit"] = json!({"times": 1, "per": "ever"});
    let mut desk = Desk::with_points(&offering(json!([reward])), 100);
    let id = desk.redeem("seat").unwrap();
    desk.capture(id, Some(1)).unwrap();
    assert!(desk.redeem("seat").is_err());
}

#[test]
fn counters_of_limits_that_are_over_are_forgotten_and_what_is_called_off_then_gives_none_back() {
    let mut reward = mug();
    reward["limit"] = json!({"times": 1, "per": "day"});
    let mut desk = Desk::with_points(&offering(json!([reward])), 100);
    let id = desk.redeem("mug").unwrap();
    assert_eq!(desk.account.reward_uses.len(), 1);
    desk.to("2026-11-06T10:00:00Z").adjust(1, false).unwrap();
    assert_eq!(desk.account.reward_uses, []);
    desk.cancel(id).unwrap();
    assert_eq!((desk.position(), desk.account.reward_uses.len()), ((101, 0, 0), 0));
}

#[test]
fn a_hold_lapses_before_points_end_at_the_same_moment() {
    let mut desk = Desk::with_points(&offering(json!([seat()])), 100);
    desk.to("2027-11-30T22:30:00Z").redeem("seat").unwrap();
    desk.settle_at("2027-11-30T23:00:00Z");
    assert_eq!(desk.kinds(4), [("release", 40), ("expire", -60)]);
    assert_eq!(desk.lots(), [lot(40, "2027-12-07T23:00:00Z")]);
}

#[test]
fn at_most_ten_holds_are_open() {
    let mut desk = Desk::with_points(&offering(json!([seat(), mug()])), 1000);
    for _ in 0..10 {
        desk.redeem("seat").unwrap();
    }
    assert_eq!(desk.redeem("seat"), Err(Refusal::TooManyHolds { most: 10 }));
    desk.redeem("mug").unwrap();
    desk.to("2026-11-01T10:30:00Z").redeem("seat").unwrap();
}

#[test]
fn only_those_points_are_frozen_and_the_rest_of_their_lot_lives_on() {
    let mut desk = Desk::with_points(&for_days(60), 100);
    desk.to("2027-11-10T10:00:00Z").redeem("seat").unwrap();
    desk.settle_at("2027-12-01T10:00:00Z");
    assert_eq!(desk.kinds(4), [("expire", -60)]);
    assert_eq!((desk.position(), desk.held()), ((0, 0, 0), 40));
}

#[test]
fn points_whose_lot_has_ended_meanwhile_come_back_for_seven_days_and_the_entry_says_so() {
    let mut desk = Desk::with_points(&for_days(60), 100);
    desk.to("2027-11-10T10:00:00Z");
    let id = desk.redeem("seat").unwrap();
    desk.to("2027-12-05T10:00:00Z").cancel(id).unwrap();
    assert_eq!(desk.lots(), [lot(40, "2027-12-12T10:00:00Z")]);
    assert_eq!(words(desk.last())[1], "40 points would have ended meanwhile and live on until 2027-12-12T10:00:00Z");
    desk.to("2027-12-12T09:59:59Z");
    assert_eq!(desk.position(), (40, 0, 0));
    desk.to("2027-12-12T10:00:00Z");
    assert_eq!(desk.position(), (0, 0, 0));
}

#[test]
fn the_lot_ends_at_its_very_instant_for_points_that_come_back() {
    for (now, end) in
        [("2027-11-30T22:59:59Z", "2027-11-30T23:00:00Z"), ("2027-11-30T23:00:00Z", "2027-12-07T23:00:00Z")]
    {
        let mut desk = Desk::with_points(&for_days(60), 100);
        let id = desk.to("2027-11-10T10:00:00Z").redeem("seat").unwrap();
        desk.to(now).cancel(id).unwrap();
        assert!(desk.lots().contains(&lot(if now.contains("22:59") { 100 } else { 40 }, end)), "{:?}", desk.lots());
    }
}

#[test]
fn the_grace_is_as_long_as_the_notice_where_that_is_longer() {
    let mut desk = Desk::with_points(&with_notice(for_days(60), 30), 100);
    let id = desk.to("2027-10-20T10:00:00Z").redeem("seat").unwrap();
    desk.settle_at("2027-11-01T00:00:00Z");
    desk.to("2027-12-05T10:00:00Z").cancel(id).unwrap();
    assert_eq!(desk.lots(), [lot(40, "2028-01-04T10:00:00Z")]);
    desk.settle_at("2027-12-20T10:00:00Z");
    assert_eq!(desk.kinds(4), [("notice", 0), ("expire", -60), ("release", 40)], "its entry is its notice");
}

#[test]
fn points_have_that_grace_once_and_keep_its_end_through_later_holds() {
    let mut desk = Desk::with_points(&for_days(60), 40);
    let id = desk.to("2027-11-10T10:00:00Z").redeem("seat").unwrap();
    desk.to("2027-12-05T10:00:00Z").cancel(id).unwrap();
    let again = desk.to("2027-12-06T10:00:00Z").redeem("seat").unwrap();
    desk.to("2027-12-07T10:00:00Z").cancel(again).unwrap();
    assert_eq!(desk.lots(), [lot(40, "2027-12-12T10:00:00Z")], "still the same end");
    let last = desk.redeem("seat").unwrap();
    desk.to("2027-12-20T10:00:00Z").cancel(last).unwrap();
    assert_eq!(desk.position(), (0, 0, 0));
    assert_eq!(desk.kinds(8), [("release", 40), ("expire", -40)], "they come back and are gone");
}

#[test]
fn points_of_a_lot_that_was_noticed_meanwhile_come_back_to_it() {
    let mut desk = Desk::with_points(&with_notice(for_days(60), 30), 100);
    let id = desk.to("2027-10-20T10:00:00Z").redeem("seat").unwrap();
    desk.settle_at("2027-11-01T00:00:00Z");
    assert_eq!(desk.kinds(4), [("notice", 0)]);
    desk.to("2027-11-15T10:00:00Z").cancel(id).unwrap();
    assert_eq!(desk.lots(), [lot(100, "2027-12-01T00:00:00Z")]);
}

#[test]
fn points_that_were_held_while_a_notice_was_due_get_their_own_when_they_come_back() {
    let mut desk = Desk::with_points(&with_notice(for_days(60), 30), 40);
    let id = desk.to("2027-10-20T10:00:00Z").redeem("seat").unwrap();
    desk.settle_at("2027-11-10T00:00:00Z");
    assert_eq!(desk.kinds(4), [], "there was nobody to tell: all was held");
    desk.to("2027-11-20T10:00:00Z").cancel(id).unwrap();
    assert_eq!(desk.kinds(4), [("release", 40), ("notice", 0)]);
    assert_eq!(desk.lots(), [lot(40, "2027-12-20T10:00:00Z")]);
}

#[test]
fn a_lapse_that_is_settled_late_is_decided_as_if_on_time() {
    for settled in
        [&["2027-12-20T10:00:00Z"][..], &["2027-11-12T10:00:00Z", "2027-11-13T10:00:00Z", "2027-12-20T10:00:00Z"]]
    {
        let mut desk = Desk::with_points(&for_days(2), 100);
        desk.to("2027-11-10T10:00:00Z").redeem("seat").unwrap();
        for now in settled {
            desk.settle_at(now);
        }
        assert_eq!(desk.kinds(4), [("release", 40), ("expire", -100)], "back in its lot, and ended with it");
    }
    let mut desk = Desk::with_points(&for_days(30), 100);
    desk.to("2027-11-10T10:00:00Z").redeem("seat").unwrap();
    desk.settle_at("2028-03-01T10:00:00Z");
    assert_eq!(desk.kinds(4), [("expire", -60), ("release", 40), ("expire", -40)]);
    assert_eq!(desk.last().occurred_at, at("2027-12-17T10:00:00Z"), "seven days after the hold lapsed");
}

#[test]
fn schedules_that_were_down_cost_no_points_that_come_back_where_notice_is_owed() {
    let mut desk = Desk::with_points(&with_notice(for_days(60), 30), 100);
    desk.to("2027-10-20T10:00:00Z").redeem("seat").unwrap();
    desk.settle_at("2027-11-01T00:00:00Z");
    desk.to("2028-06-01T10:00:00Z");
    assert_eq!(desk.position(), (40, 0, 0));
    desk.settle();
    assert_eq!(desk.lots(), [lot(40, "2028-07-01T10:00:00Z")]);
}

#[test]
fn points_that_come_back_pay_what_is_owed_first() {
    let mut desk =
        Desk::with_points(&with(offering(json!([seat()])), "/points/clawback/beyond_lot", json!("nothing")), 1);
    desk.buy("A-1", &[5000]);
    let id = desk.redeem("seat").unwrap();
    desk.refund("A-1", &[("1", 1, None)]).unwrap();
    let (available, _, debt) = desk.position();
    assert!(debt > 0);
    desk.cancel(id).unwrap();
    assert_eq!(desk.last().debt_repaid, debt.min(40));
    assert_eq!(desk.position(), (available + 40 - debt.min(40), 0, 0));
}

#[test]
fn a_fulfilled_redemption_that_is_called_off_gives_points_limit_and_stock_back() {
    let mut desk = Desk::with_points(&offering(json!([mug()])), 100);
    let id = desk.redeem("mug").unwrap();
    desk.to("2026-12-01T10:00:00Z").cancel(id).unwrap();
    assert_eq!((desk.kinds(4), desk.last().contra().word()), (vec![("release", 40)], "redeemed"));
    assert_eq!((desk.position(), desk.redeemed(), desk.held()), ((100, 0, 0), 0, 0));
}

#[test]
fn a_deactivated_member_spends_and_captures_nothing_but_holds_end_all_the_same() {
    let mut desk = Desk::with_points(&offering(json!([seat(), mug()])), 200);
    let (cancelled, _lapsing) = (desk.redeem("seat").unwrap(), desk.redeem("seat").unwrap());
    desk.change(|account| account.status = Status::Deactivated).unwrap();
    assert_eq!(desk.redeem("mug"), Err(Refusal::Deactivated));
    assert_eq!(desk.capture(cancelled, None), Err(Refusal::Deactivated));
    desk.cancel(cancelled).unwrap();
    desk.settle_at("2026-11-01T10:30:00Z");
    assert_eq!(desk.kinds(5), [("release", 40), ("release", 40)]);
}

#[test]
fn erasure_calls_off_open_holds_and_forfeits_their_points() {
    let mut reward = seat();
    reward["stock"] = json!(5);
    let mut desk = Desk::with_points(&offering(json!([reward, mug()])), 200);
    let held = desk.redeem("seat").unwrap();
    let spent = desk.redeem("mug").unwrap();
    desk.erase().unwrap();
    assert_eq!(desk.kinds(5), [("release", 40), ("forfeit", -160)]);
    assert_eq!((desk.held(), desk.redeemed(), desk.stock_used["seat"]), (0, 40, 0));
    for id in [held, spent] {
        assert_eq!(desk.cancel(id), Err(Refusal::MemberUnknown));
        assert_eq!(desk.capture(id, None), Err(Refusal::MemberUnknown));
    }
}

#[test]
fn qualifying_units_are_untouched_by_spending_and_by_what_comes_back() {
    let mut desk = Desk::open(&offering(json!([seat(), mug()])), OPENED);
    desk.buy("A-1", &[10_000]);
    let units = |desk: &Desk| desk.view()["tier"]["qualifying_units"].clone();
    let first = units(&desk);
    let (held, spent) = (desk.redeem("seat").unwrap(), desk.redeem("mug").unwrap());
    desk.cancel(held).unwrap();
    desk.cancel(spent).unwrap();
    assert_eq!((units(&desk), first), (json!(100), json!(100)));
}

#[test]
fn without_rewards_nothing_changes() {
    let mut desk = Desk::with_points(&plain(), 100);
    assert_eq!(desk.redeem("seat"), Err(Refusal::RewardUnknown));
    assert_eq!(desk.kinds(3), []);
}

#[test]
fn a_clock_set_back_after_a_lapse_was_written_finds_the_redemption_lapsed() {
    let mut desk = Desk::with_points(&offering(json!([seat()])), 100);
    let id = desk.redeem("seat").unwrap();
    desk.settle_at("2026-11-01T11:00:00Z").now = at("2026-11-01T10:05:00Z");
    assert_eq!(desk.capture(id, None), Err(Refusal::RedemptionIs { status: Is::Lapsed }));
    assert_eq!(desk.cancel(id), Err(Refusal::RedemptionIs { status: Is::Lapsed }));
}
