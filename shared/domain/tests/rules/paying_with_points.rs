//! Paying with points: they earn nothing, and come back with what they paid for, however the refunds are split.

use crate::desk::{Desk, line, order, plain, with, words};
use crate::spending::{OPENED, ask_to_pay, mug, offering, pay, seat};
use loyalty_domain::id::RedemptionId;
use loyalty_domain::json::{Faults, Path, parse};
use loyalty_domain::money::Currency;
use loyalty_domain::purchase::{Order, spread};
use loyalty_domain::refusal::Refusal;
use loyalty_domain::requests;
use loyalty_domain::view;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

fn shop() -> Value {
    let mut at_once = pay();
    at_once["settle"] = json!("immediately");
    at_once["hold_minutes"] = json!(null);
    offering(json!([at_once, mug(), seat()]))
}

/// A member who paid with so many points, a hundredth of a euro each.
fn paid(document: &Value, points: i64) -> (Desk, RedemptionId) {
    let mut desk = Desk::with_points(document, points + 1000);
    let id = desk.redeem_as(&ask_to_pay(points)).unwrap();
    (desk, id)
}

fn paid_order(desk: &Desk, nets: &[i64], with: &[RedemptionId]) -> Order {
    Order { paid_with: with.to_vec(), ..order("A-1", desk.now, nets) }
}

fn bad(desk: &mut Desk, order: &Order, why: &'static str) {
    assert_eq!(desk.record(order), Err(Refusal::BadPayment { at: vec![(0, why)] }));
}

#[test]
fn points_are_earned_only_on_the_part_paid_with_money() {
    let (mut desk, id) = paid(&shop(), 500);
    let entries = desk.record(&paid_order(&desk, &[1500, 500], &[id])).unwrap();
    assert_eq!(desk.first("A-1"), 15);
    let said = words(entries.first().unwrap());
    assert!(said.contains(&"5.00 EUR of it were paid with points and earn none".to_owned()), "{said:?}");
    assert!(said.iter().any(|words| words.contains("15.00 EUR at 1 point per 1.00 EUR")), "{said:?}");
    let shown = view::purchase(&desk.purchases["A-1"], true);
    assert_eq!((&shown["paid_with"], &shown["net_total"]), (&json!([id.to_string()]), &json!(2000)));
}

#[test]
fn what_points_paid_is_spread_over_the_lines_by_their_nets() {
    let rule =
        json!({"id": "coffee", "on": "purchase", "when": {"line_category": ["coffee"]}, "award": {"multiply": "2"}});
    let base = crate::desk::base_rule();
    let (mut desk, id) = paid(&with(shop(), "/earning_rules", json!([base, rule])), 1000);
    let mut told = paid_order(&desk, &[], &[id]);
    told.lines = vec![line("1", 3000, &["coffee"]), line("2", 1000, &[])];
    desk.record(&told).unwrap();
    assert_eq!(desk.first("A-1"), 52, "22.50 of coffee twice, and 7.50");
}

#[test]
fn thresholds_and_spend_look_at_what_was_paid_with_money() {
    let rule = json!({"id": "big", "on": "purchase", "award": {"points": 70},
        "when": {"net_total_at_least": {"amount": 5000, "currency": "EUR"}}});
    let tiers = json!({"qualify_by": "spend", "currency": "EUR", "levels": [{"id": "green", "from": 0}, {"id": "gold", "from": 100_000}]});
    let document = with(with(shop(), "/earning_rules", json!([rule])), "/tiers", tiers);
    let (mut desk, id) = paid(&document, 1);
    desk.record(&paid_order(&desk, &[5000], &[id])).unwrap();
    assert_eq!((desk.first("A-1"), &desk.view()["tier"]["qualifying_units"]), (0, &json!(4999)));
}

#[test]
fn a_redemption_pays_for_one_order_and_cannot_be_called_off_after() {
    let (mut desk, id) = paid(&shop(), 500);
    desk.record(&paid_order(&desk, &[2000], &[id])).unwrap();
    assert_eq!(desk.cancel(id), Err(Refusal::VoucherUsed));
    let second = Order { order_id: "A-2".parse().unwrap(), ..paid_order(&desk, &[2000], &[id]) };
    bad(&mut desk, &second, "has paid for another order");
}

#[test]
fn a_purchase_is_paid_only_with_fulfilled_redemptions_of_the_member_in_its_currency_and_within_its_total() {
    let (mut desk, id) = paid(&shop(), 500);
    let mug = desk.redeem("mug").unwrap();
    let stranger = RedemptionId::new(ulid::Ulid::from_parts(77, 7));
    for (with, why) in
        [(vec![stranger], "is no redemption of this member"), (vec![mug], "is not of a reward with which points pay")]
    {
        let order = paid_order(&desk, &[2000], &with);
        bad(&mut desk, &order, why);
    }
    let order = paid_order(&desk, &[499], &[id]);
    bad(&mut desk, &order, "pays more than the purchase costs");
    let order = Order { currency: Currency::of("USD").unwrap(), ..paid_order(&desk, &[2000], &[id]) };
    bad(&mut desk, &order, "pays in another currency");
    let twice = paid_order(&desk, &[2000], &[id, id]);
    assert_eq!(desk.record(&twice), Err(Refusal::BadPayment { at: vec![(1, "is no redemption of this member")] }));

    let mut desk = Desk::with_points(&offering(json!([pay()])), 1000);
    let held = desk.redeem_as(&ask_to_pay(500)).unwrap();
    let order = paid_order(&desk, &[2000], &[held]);
    bad(&mut desk, &order, "is held: capture it first");
    desk.capture(held, Some(300)).unwrap();
    desk.record(&order).unwrap();
    assert_eq!(desk.first("A-1"), 17, "what was captured has paid");
}

#[test]
fn a_refund_gives_back_the_points_that_paid_for_the_line_and_takes_back_those_it_earned() {
    let (mut desk, id) = paid(&shop(), 500);
    desk.record(&paid_order(&desk, &[1500, 500], &[id])).unwrap();
    assert_eq!((desk.position().0, desk.redeemed()), (1015, 500));
    let refund = desk.refund("A-1", &[("2", 1, None)]).unwrap();
    assert_eq!((refund.restored, refund.clawed_back), (125, 4), "a quarter of 500; 11.25 EUR are left");
    assert_eq!(desk.kinds(5), [("release", 125), ("clawback", -4)]);
    assert_eq!((desk.redeemed(), refund.entries.len()), (375, 2));
    desk.refund("A-1", &[("1", 1, None)]).unwrap();
    assert_eq!((desk.position(), desk.redeemed()), ((1500, 0, 0), 0));
}

#[test]
fn a_line_that_came_back_for_less_than_it_cost_gives_back_all_points_that_paid_for_it() {
    let (mut desk, id) = paid(&shop(), 500);
    desk.record(&paid_order(&desk, &[1500, 500], &[id])).unwrap();
    assert_eq!(desk.refund("A-1", &[("2", 1, Some(100))]).unwrap().restored, 125);
    assert_eq!(desk.left("A-1"), 11);
}

#[test]
fn points_that_paid_go_back_to_their_own_lots_those_taken_last_first() {
    let mut desk = Desk::open(&shop(), OPENED);
    desk.adjust(300, false).unwrap();
    desk.to("2026-12-05T10:00:00Z").adjust(300, false).unwrap();
    let id = desk.redeem_as(&ask_to_pay(500)).unwrap();
    desk.record(&paid_order(&desk, &[1000, 1000], &[id])).unwrap();
    desk.refund("A-1", &[("1", 1, None)]).unwrap();
    let release: Vec<_> = desk.ledger.iter().rfind(|entry| entry.points == 250).unwrap().draws.clone();
    let draws: Vec<_> = release.iter().map(|draw| (draw.lot.expires_at.unwrap().to_string(), draw.points)).collect();
    assert_eq!(draws, [("2027-11-30T23:00:00Z".to_owned(), 50), ("2027-12-31T23:00:00Z".to_owned(), 200)]);
}

#[test]
fn an_order_wholly_paid_with_points_earns_nothing_and_is_no_first_purchase() {
    let (mut desk, id) = paid(&shop(), 500);
    desk.record(&paid_order(&desk, &[500], &[id])).unwrap();
    assert_eq!((desk.first("A-1"), desk.account.first_purchase), (0, false));
    desk.refund("A-1", &[("1", 1, None)]).unwrap();
    assert_eq!(desk.redeemed(), 0);
}

#[test]
fn a_retry_that_names_other_redemptions_is_another_purchase() {
    let (mut desk, id) = paid(&shop(), 500);
    let told = paid_order(&desk, &[2000], &[id]);
    desk.record(&told).unwrap();
    let recorded = &desk.purchases["A-1"];
    assert_eq!(recorded.differences(&told, Some([0; 16])), [""; 0]);
    let without = Order { paid_with: Vec::new(), ..told };
    assert_eq!(recorded.differences(&without, Some([0; 16])), ["/paid_with"]);
}

#[test]
fn only_a_member_pays_with_points() {
    let body = |member: Value, with: Value| {
        let body = json!({"channel": "web", "order_id": "A-1", "member": member, "occurred_at": OPENED, "currency": "EUR",
            "lines": [{"line_id": "1", "quantity": 1, "net_amount": 500}], "paid_with": with});
        let (json, mut faults) = (parse(body.to_string().as_bytes()).unwrap(), Faults::default());
        let order = requests::purchase(&json, &Path::ROOT, &mut faults);
        faults.settle(order).map(|(order, _)| order.paid_with.len()).map_err(|faults| faults.list()[0].pointer.clone())
    };
    let id = "red_00000000200000000000000000";
    let ada = json!({"email": "ada@example.com"});
    assert_eq!(body(ada.clone(), json!([id])), Ok(1));
    assert_eq!(body(json!(null), json!([])), Ok(0));
    assert_eq!(body(json!(null), json!([id])), Err("/paid_with".to_owned()));
    assert_eq!(body(ada, json!(["red_x"])), Err("/paid_with/0".to_owned()));
}

#[test]
fn largest_remainders_get_what_is_left_and_of_equal_ones_the_earlier() {
    for (total, weights, shares) in [
        (10, vec![1, 1, 1], vec![4, 3, 3]),
        (100, vec![2, 3, 1], vec![33, 50, 17]),
        (5, vec![0, 7, 0], vec![0, 5, 0]),
        (0, vec![1, 2], vec![0, 0]),
        (7, vec![0, 0], vec![0, 0]),
        (i64::MAX, vec![i64::MAX, i64::MAX], vec![i64::MAX / 2 + 1, i64::MAX / 2]),
    ] {
        assert_eq!(spread(total, &weights), shares);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn what_is_spread_adds_up_and_no_share_is_a_whole_off(total in 0_i64..1_000_000, weights in prop::collection::vec(0_i64..10_000, 1..30)) {
        let shares = spread(total, &weights);
        let sum: i64 = weights.iter().sum();
        prop_assert_eq!(shares.iter().sum::<i64>(), if sum == 0 { 0 } else { total });
        for (share, weight) in shares.iter().zip(&weights) {
            let off = i128::from(*share) * i128::from(sum) - i128::from(total) * i128::from(*weight);
            prop_assert!(sum == 0 || off.abs() < i128::from(sum));
        }
    }

    #[test]
    fn refunds_of_a_purchase_paid_with_points_end_the_same_however_they_are_split(
        nets in prop::collection::vec(0_i64..5_000, 1..6),
        quantity in 1_i64..5,
        first in 1_i64..3_000,
        second in 0_i64..3_000,
        ways in prop::collection::vec(prop::collection::vec((any::<Index>(), any::<Index>()), 0..8), 2),
        all in any::<bool>(),
    ) {
        let total: i64 = nets.iter().sum();
        prop_assume!(first + second <= total);
        let mut ends = Vec::new();
        // Both ways return the same quantities at last, the second in pieces and another order.
        let mut target = vec![0_i64; nets.len()];
        for (line, pieces) in &ways[0] {
            let line = line.index(nets.len());
            target[line] = i64::try_from(pieces.index(usize::try_from(quantity).unwrap() + 1)).unwrap();
        }
        if all {
            target = vec![quantity; nets.len()];
        }
        for split in [false, true] {
            let mut desk = Desk::with_points(&shop(), 10_000);
            let mut with = vec![desk.redeem_as(&ask_to_pay(first)).unwrap()];
            if second > 0 {
                with.push(desk.redeem_as(&ask_to_pay(second)).unwrap());
            }
            let mut told = paid_order(&desk, &nets, &with);
            // Nets that divide by the quantity: what a piece costs is then the same whenever it comes back.
            for line in &mut told.lines {
                (line.quantity, line.net) = (quantity, line.net * quantity);
            }
            desk.record(&told).unwrap();
            let ids: Vec<String> = (1..=nets.len()).map(|line| line.to_string()).collect();
            if split {
                let mut left = target.clone();
                for (line, _) in &ways[1] {
                    let line = line.index(nets.len());
                    if left[line] > 0 {
                        left[line] -= 1;
                        desk.refund("A-1", &[(&ids[line], 1, None)]).unwrap();
                    }
                }
                for line in (0..nets.len()).rev() {
                    for _ in 0..left[line] {
                        desk.refund("A-1", &[(&ids[line], 1, None)]).unwrap();
                    }
                }
            } else {
                let back: Vec<_> =
                    ids.iter().zip(&target).filter(|(_, n)| **n > 0).map(|(id, n)| (id.as_str(), *n, None)).collect();
                if !back.is_empty() {
                    desk.refund("A-1", &back).unwrap();
                }
            }
            if target.iter().all(|back| *back == quantity) {
                prop_assert_eq!((desk.position(), desk.redeemed()), ((10_000, 0, 0), 0));
            }
            ends.push((desk.position(), desk.redeemed(), desk.left("A-1"), desk.lots()));
        }
        prop_assert_eq!(&ends[0], &ends[1]);
    }
}

#[test]
fn nothing_of_this_touches_a_purchase_paid_with_money() {
    let mut desk = Desk::open(&plain(), OPENED);
    desk.buy("A-1", &[1500, 500]);
    assert_eq!(desk.refund("A-1", &[("2", 1, None)]).unwrap().entries.len(), 1);
    let shown = view::purchase(&desk.purchases["A-1"], true);
    assert_eq!((&shown["paid_with"], &shown["paid_with_points"]), (&json!([]), &json!(0)));
}

#[test]
fn what_was_paid_with_points_alone_earns_nothing_not_even_fixed_points_or_stamps() {
    let fixed = json!({"id": "thanks", "on": "purchase", "award": {"points": 20}});
    let card = json!({"id": "card", "on": "purchase", "goal": {"count": 1, "of": "purchases", "repeat": true},
        "award": {"points": 30}});
    let document = with(shop(), "/earning_rules", json!([crate::desk::base_rule(), fixed, card]));
    let (mut desk, id) = paid(&document, 2000);
    let entries = desk.record(&paid_order(&desk, &[1500, 500], &[id])).unwrap();
    assert_eq!((desk.first("A-1"), entries.len()), (0, 1));
    // With a cent of money in it, it is a purchase like others.
    let (mut desk, id) = paid(&document, 1999);
    desk.record(&paid_order(&desk, &[1500, 500], &[id])).unwrap();
    assert_eq!(desk.first("A-1"), 20);
}

#[test]
fn points_pay_no_more_than_their_share_of_the_purchase_whatever_was_said_of_the_basket() {
    let mut half = pay();
    (half["settle"], half["hold_minutes"], half["max_share"]) = (json!("immediately"), json!(null), json!("50"));
    let document = offering(json!([half]));
    let (mut desk, id) = paid(&document, 500);
    let too_much = paid_order(&desk, &[999], &[id]);
    bad(&mut desk, &too_much, "pays more than its share of the purchase");
    let fits = paid_order(&desk, &[1000], &[id]);
    assert!(desk.record(&fits).is_ok());
}

#[test]
fn a_capture_that_is_worth_nothing_is_refused() {
    let mut yen = pay();
    yen["value"] = json!({"points": 500, "amount": 1, "currency": "JPY"});
    let mut desk = Desk::with_points(&offering(json!([yen])), 1000);
    let ask = loyalty_domain::redemption::Ask { currency: Currency::of("JPY"), ..ask_to_pay(500) };
    let id = desk.redeem_as(&ask).unwrap();
    assert_eq!(desk.capture(id, Some(499)), Err(Refusal::Field { field: "points", why: "are worth nothing" }));
    assert_eq!(desk.capture(id, Some(500)), Ok(()));
}

#[test]
fn points_that_come_back_to_one_who_left_are_given_up() {
    let (mut desk, id) = paid(&shop(), 500);
    desk.record(&paid_order(&desk, &[1000], &[id])).unwrap();
    desk.erase().unwrap();
    let seq = desk.account.seq;
    desk.refund("A-1", &[("1", 1, None)]).unwrap();
    let kinds: Vec<_> = desk.kinds(seq + 1).into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(kinds, ["release", "clawback", "forfeit"]);
    assert_eq!(desk.account.balance().available, 0);
}
