//! The catalogue: what it offers, to whom, when, and how it is read.

use crate::desk::{Desk, at, faults, label, plain, with};
use crate::spending::{OPENED, ask, ask_to_pay, mug, offering, pay, seat};
use loyalty_domain::catalogue::availability;
use loyalty_domain::money::Currency;
use loyalty_domain::redemption::Ask;
use loyalty_domain::refusal::Refusal;
use serde_json::{Value, json};

fn unavailable(because: &str) -> Refusal {
    Refusal::RewardUnavailable { because: vec![because.to_owned()] }
}

fn reward(with: Value) -> Value {
    let mut reward = mug();
    reward.as_object_mut().unwrap().extend(with.as_object().unwrap().clone());
    reward
}

#[test]
fn a_reward_settled_immediately_spends_its_price_at_once() {
    let mut desk = Desk::with_points(&offering(json!([mug()])), 100);
    let id = desk.redeem("mug").unwrap();
    assert_eq!(desk.kinds(3), [("redeem", -40)]);
    assert_eq!(desk.last().contra().word(), "redeemed");
    assert_eq!((desk.status(id), desk.position(), desk.held(), desk.redeemed()), ("fulfilled", (60, 0, 0), 0, 40));
    assert_eq!(desk.redemptions[&id].voucher, None, "no voucher without voucher_days");
}

#[test]
fn points_are_spent_by_soonest_expiry_and_the_draws_are_on_the_entry() {
    let mut desk = Desk::with_points(&offering(json!([mug()])), 30);
    desk.to("2026-12-05T10:00:00Z").adjust(30, false).unwrap();
    desk.redeem("mug").unwrap();
    let draws: Vec<_> = desk.last().draws.iter().map(|draw| (draw.lot.expires_at, draw.points)).collect();
    assert_eq!(draws, [(Some(at("2027-11-30T23:00:00Z")), -30), (Some(at("2027-12-31T23:00:00Z")), -10)]);
}

#[test]
fn too_few_points_are_a_refusal_that_says_how_many_and_pending_ones_do_not_count() {
    let mut desk = Desk::with_points(&with(offering(json!([mug()])), "/points/pending_days", json!(5)), 39);
    desk.buy("A-1", &[500]);
    assert_eq!(desk.redeem("mug"), Err(Refusal::InsufficientPoints { required: 40, available: 39 }));
    let offered = desk.available("mug").unwrap();
    assert_eq!((offered.available, offered.missing_points), (false, 1));
    assert_eq!(offered.because, ["it takes 40 points, 39 are available"]);
    desk.to("2026-11-06T10:00:00Z").redeem("mug").unwrap();
}

#[test]
fn an_unknown_reward_is_refused_and_so_is_one_of_an_earlier_version() {
    let mut desk = Desk::with_points(&offering(json!([mug()])), 100);
    assert_eq!(desk.redeem("cup"), Err(Refusal::RewardUnknown));
    desk.publish(&plain(), at("2026-11-02T00:00:00Z"));
    assert_eq!(desk.to("2026-11-02T00:00:00Z").redeem("mug"), Err(Refusal::RewardUnknown));
}

#[test]
fn a_window_opens_and_closes_at_the_first_instant_of_a_local_day_of_the_program() {
    let document = offering(json!([reward(json!({"from": "2026-11-10", "until": "2026-11-12"}))]));
    let mut desk = Desk::with_points(&document, 100);
    assert_eq!(desk.to("2026-11-09T22:59:59Z").redeem("mug"), Err(unavailable("it begins on 2026-11-10")));
    desk.to("2026-11-09T23:00:00Z").redeem("mug").unwrap();
    desk.to("2026-11-11T22:59:59Z").redeem("mug").unwrap();
    assert_eq!(desk.to("2026-11-11T23:00:00Z").redeem("mug"), Err(unavailable("it ended before 2026-11-12")));
}

#[test]
fn a_reward_can_be_for_a_level_a_tag_a_weekday_and_a_time() {
    let levels = json!([{"id": "green", "from": 0}, {"id": "gold", "from": 50}]);
    let when = |when: Value| with(offering(json!([reward(json!({"when": when}))])), "/tiers/levels", levels.clone());
    let mut desk = Desk::with_points(&when(json!({"tier": ["gold"]})), 100);
    assert_eq!(desk.redeem("mug"), Err(unavailable("it needs: the level gold")));
    desk.adjust(50, true).unwrap();
    desk.redeem("mug").unwrap();

    let mut desk = Desk::with_points(&when(json!({"not": {"tag": ["staff"]}})), 100);
    desk.redeem("mug").unwrap();
    desk.change(|account| account.tags = vec![label("staff")]).unwrap();
    assert_eq!(desk.redeem("mug"), Err(unavailable("it excludes: the tag staff")));

    let evening = json!({"all": [{"local_weekday": ["mon"]}, {"local_time": {"from": "17:00", "to": "19:00"}}]});
    let mut desk = Desk::with_points(&when(evening), 100);
    assert!(desk.to("2026-11-02T15:59:59Z").redeem("mug").is_err());
    desk.to("2026-11-02T16:00:00Z").redeem("mug").unwrap();
    assert!(desk.to("2026-11-03T16:00:00Z").redeem("mug").is_err(), "a Tuesday");
}

#[test]
fn a_limit_counts_by_member_and_local_period_and_comes_back_when_called_off() {
    let document = offering(json!([reward(json!({"limit": {"times": 2, "per": "month"}}))]));
    let mut desk = Desk::with_points(&document, 1000);
    let first = desk.redeem("mug").unwrap();
    desk.redeem("mug").unwrap();
    let reached = unavailable("it serves a member 2 times a month, and has");
    assert_eq!(desk.redeem("mug"), Err(reached.clone()));
    desk.cancel(first).unwrap();
    let third = desk.redeem("mug").unwrap();
    assert_eq!(desk.redeem("mug"), Err(reached));
    desk.to("2026-11-30T23:00:00Z").redeem("mug").unwrap();
    desk.cancel(third).unwrap();
    desk.redeem("mug").unwrap();
    assert!(desk.redeem("mug").is_err(), "what is called off counts in its own month");
}

#[test]
fn a_rule_and_a_reward_of_one_name_do_not_share_a_counter() {
    let document = offering(json!([reward(json!({"id": "treat", "limit": {"times": 1, "per": "ever"}}))]));
    let rule = json!({"id": "treat", "on": "purchase", "award": {"points": 50}, "limit": {"times": 1, "per": "ever"}});
    let mut desk = Desk::open(&with(document, "/earning_rules/0", rule), OPENED);
    assert_eq!(desk.buy("A-1", &[100]), 50);
    desk.redeem("treat").unwrap();
    desk.to("2026-12-01T10:00:00Z").adjust(40, false).unwrap();
    assert!(desk.redeem("treat").is_err());
}

#[test]
fn stock_is_the_total_ever_offered_through_versions_and_comes_back_when_called_off_or_lapsed() {
    let stocked = |stock: i64| {
        let mut seat = seat();
        seat["stock"] = json!(stock);
        offering(json!([seat]))
    };
    let mut desk = Desk::with_points(&stocked(2), 1000);
    let first = desk.redeem("seat").unwrap();
    let second = desk.redeem("seat").unwrap();
    assert_eq!(desk.redeem("seat"), Err(unavailable("none of it is left")));
    desk.capture(first, None).unwrap();
    desk.cancel(second).unwrap();
    desk.redeem("seat").unwrap();
    assert_eq!(desk.stock_used["seat"], 2);
    desk.settle_at("2026-11-01T10:30:00Z");
    assert_eq!(desk.stock_used["seat"], 1, "a lapse brings it back with the entry that settles it");
    desk.publish(&stocked(1), at("2026-11-02T00:00:00Z"));
    assert_eq!(desk.to("2026-11-02T00:00:00Z").redeem("seat"), Err(unavailable("none of it is left")));
    desk.cancel(first).unwrap();
    desk.redeem("seat").unwrap();
    assert_eq!(desk.stock_used["seat"], 1);
}

#[test]
fn a_unit_that_lapsed_unseen_can_be_had_again_in_the_change_that_settles_it() {
    let mut seat = seat();
    seat["stock"] = json!(1);
    let mut desk = Desk::with_points(&offering(json!([seat])), 1000);
    desk.redeem("seat").unwrap();
    desk.to("2026-11-01T10:30:00Z").redeem("seat").unwrap();
    assert_eq!((desk.kinds(4), desk.stock_used["seat"]), (vec![("release", 40), ("hold", -40)], 1));
}

#[test]
fn without_a_member_the_catalogue_says_what_depends_on_no_member() {
    let rewards = json!([
        reward(json!({"id": "tagged", "when": {"tag": ["vip"]}})),
        reward(
            json!({"id": "monday", "when": {"any": [{"local_weekday": ["mon"]}, {"all": [{"tag": ["vip"]}, {"local_weekday": ["tue"]}]}]}})
        ),
        reward(json!({"id": "gone", "stock": 0})),
    ]);
    let desk = Desk::with_points(&offering(rewards), 1);
    let says = |id: &str, now: &str| {
        let offered = desk.program().reward(&id.parse().unwrap()).unwrap();
        let says = availability(desk.program(), None, offered, at(now), None);
        assert_eq!(says.missing_points, 0);
        says.available
    };
    assert!(says("tagged", OPENED));
    assert!(says("monday", "2026-11-02T10:00:00Z"));
    assert!(says("monday", "2026-11-03T10:00:00Z"), "for some");
    assert!(!says("monday", "2026-11-04T10:00:00Z"), "for nobody");
    assert!(!says("gone", OPENED));
}

#[test]
fn points_pay_by_the_ratio_of_each_currency_rounded_down_to_the_minor_unit() {
    let mut reward = pay();
    reward["value"] =
        json!([{"points": 100, "amount": 50, "currency": "EUR"}, {"points": 3, "amount": 1, "currency": "JPY"}]);
    let mut desk = Desk::with_points(&offering(json!([reward])), 1000);
    for (points, currency, worth) in [(500, "EUR", 250), (3, "EUR", 1), (299, "JPY", 99)] {
        let ask = Ask { points: Some(points), currency: Currency::of(currency), ..ask("pay") };
        let id = desk.redeem_as(&ask).unwrap();
        let shown = loyalty_domain::redemption::redemption(&desk.redemptions[&id], desk.now);
        assert_eq!(shown["value"], json!({"amount": worth, "currency": currency}));
        assert_eq!((&shown["points"], &shown["status"]), (&json!(points), &json!("held")));
    }
    let refused = |points, currency| Ask { points, currency: Currency::of(currency), ..ask("pay") };
    for (ask, field) in [
        (refused(Some(500), "USD"), "currency"),
        (refused(Some(500), "none"), "currency"),
        (refused(Some(1), "EUR"), "points"),
        (refused(None, "EUR"), "points"),
    ] {
        assert!(matches!(desk.redeem_as(&ask), Err(Refusal::Field { field: named, .. }) if named == field), "{ask:?}");
    }
}

#[test]
fn points_pay_from_a_minimum_on_in_steps_and_no_more_than_their_share_of_a_stated_basket() {
    let mut reward = pay();
    reward["minimum"] = json!(150);
    reward["step"] = json!(100);
    reward["max_share"] = json!("33.3");
    let mut desk = Desk::with_points(&offering(json!([reward])), 1000);
    let offered = desk.available("pay").unwrap();
    assert!(offered.available);
    for points in [100, 150, 250] {
        assert!(matches!(desk.redeem_as(&ask_to_pay(points)), Err(Refusal::Field { field: "points", .. })), "{points}");
    }
    let of = |basket| Ask { basket_total: Some(basket), ..ask_to_pay(200) };
    assert!(desk.redeem_as(&of(600)).is_err(), "33.3 % of 6.00 are 1.99");
    desk.redeem_as(&of(601)).unwrap();
    desk.redeem_as(&ask_to_pay(200)).unwrap();
}

#[test]
fn points_never_pay_more_than_the_stated_basket() {
    let mut desk = Desk::with_points(&offering(json!([pay()])), 1000);
    assert!(desk.redeem_as(&Ask { basket_total: Some(499), ..ask_to_pay(500) }).is_err());
    desk.redeem_as(&Ask { basket_total: Some(500), ..ask_to_pay(500) }).unwrap();
}

#[test]
fn a_reward_with_a_price_takes_no_points_currency_or_basket() {
    let mut desk = Desk::with_points(&offering(json!([mug()])), 100);
    for (ask, field) in [
        (Ask { points: Some(40), ..ask("mug") }, "points"),
        (Ask { currency: Currency::of("EUR"), ..ask("mug") }, "currency"),
        (Ask { basket_total: Some(1), ..ask("mug") }, "basket_total"),
    ] {
        assert!(matches!(desk.redeem_as(&ask), Err(Refusal::Field { field: named, .. }) if named == field), "{ask:?}");
    }
}

#[test]
fn every_fault_of_a_reward_is_named_at_once_and_exactly() {
    let table: Vec<(Value, &[&str])> = vec![
        (json!({}), &[]),
        (json!({"when": {"all": [{"tier": ["green"]}, {"tag": ["x"]}, {"local_weekday": ["mon"]}]}}), &[]),
        (json!({"when": {"tier": ["gold"]}}), &["/when/tier/0"]),
        (json!({"when": {"line_sku": ["x"]}}), &["/when"]),
        (json!({"when": {"not": {"first_purchase": true}}}), &["/when"]),
        (json!({"when": {"attribute": {"name": "stars", "at_least": 1}}}), &["/when"]),
        (json!({"from": "2026-11-02", "until": "2026-11-02"}), &["/until"]),
        (json!({"stock": -1, "limit": {"times": 0, "per": "month"}}), &["/stock", "/limit/times"]),
        (json!({"voucher_days": 0}), &["/voucher_days"]),
        (json!({"voucher_from_days": 3}), &["/voucher_from_days"]),
        (json!({"voucher_days": 10, "voucher_from_days": 3}), &[]),
        (json!({"hold_minutes": 30}), &["/hold_minutes"]),
        (json!({"settle": "hold"}), &["/hold_minutes"]),
        (json!({"settle": "hold", "hold_minutes": 0}), &["/hold_minutes"]),
        (json!({"settle": "hold", "hold_minutes": 1440, "voucher_days": 1}), &["/hold_minutes"]),
        (json!({"minimum": 5, "step": 5, "max_share": "50"}), &["/minimum", "/step", "/max_share"]),
        (json!({"amount": {"amount": 500, "currency": "EUR"}}), &["/amount"]),
        (json!({"kind": "discount_amount", "amount": {"amount": 500, "currency": "EUR"}}), &[]),
        (json!({"kind": "gift_card", "amount": {"amount": 0, "currency": "EUR"}}), &["/amount/amount"]),
        (json!({"kind": "discount_percent", "percent": "12.5"}), &[]),
        (json!({"kind": "discount_percent", "percent": "100.1"}), &["/percent"]),
        (json!({"kind": "discount_percent", "percent": "0"}), &["/percent"]),
        (json!({"kind": "discount_percent", "percent": 10}), &["/percent"]),
        (json!({"kind": "free_shipping", "percent": "10"}), &["/percent"]),
        (json!({"kind": "pay_with_points", "points": null, "value": []}), &["/value"]),
        (json!({"kind": "pay_with_points", "value": {"points": 1, "amount": 1, "currency": "EUR"}}), &["/points"]),
        (
            json!({"kind": "pay_with_points", "points": null, "value": [
                {"points": 1, "amount": 1, "currency": "EUR"}, {"points": 2, "amount": 1, "currency": "EUR"}]}),
            &["/value/1/currency"],
        ),
        (json!({"kind": "pay_with_points", "points": null, "max_share": "0"}), &["/max_share", "/value"]),
        (json!({"colour": "red"}), &["/colour"]),
    ];
    for (fields, pointers) in table {
        let document = offering(json!([reward(fields.clone())]));
        let expected: Vec<String> = pointers.iter().map(|pointer| format!("/rewards/0{pointer}")).collect();
        assert_eq!(faults(&document.to_string()), expected, "{fields}");
    }
}

#[test]
fn rewards_may_not_need_more_counters_than_an_account_can_hold() {
    let rewards = |count: usize| -> Value {
        (0..count)
            .map(|index| reward(json!({"id": format!("r{index}"), "limit": {"times": 1, "per": "month"}})))
            .collect()
    };
    assert_eq!(faults(&offering(rewards(500)).to_string()), [""; 0]);
    assert_eq!(faults(&offering(rewards(501)).to_string()), ["/rewards/500/limit"]);
}
