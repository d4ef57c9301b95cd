//! Taking back: exact, and the same however it is split.

use crate::awarding::document;
use crate::desk::{Desk, at, base_rule, label, line, order, plain, with, with_rules, words};
use loyalty_domain::purchase::OrderLine;
use loyalty_domain::refund::{Return, ReturnLine, refund_guest};
use loyalty_domain::refusal::Refusal;
use proptest::prelude::*;
use serde_json::{Value, json};

const OPENED: &str = "2026-11-01T10:00:00Z";

fn spend_50_get_100() -> Value {
    with_rules(&[json!({"id": "spend-50", "on": "purchase",
        "when": {"net_total_at_least": {"amount": 5000, "currency": "EUR"}}, "award": {"points": 100}})])
}

/// 100 points for baskets below 50.00, a point per euro for larger ones too: a refund can earn.
fn smaller_earns_more() -> Value {
    with_rules(&[json!({"id": "small", "on": "purchase",
        "when": {"not": {"net_total_at_least": {"amount": 5000, "currency": "EUR"}}}, "award": {"points": 30}})])
}

fn policy(document: Value, beyond_lot: &str, shortfall: &str) -> Value {
    with(document, "/points/clawback", json!({"beyond_lot": beyond_lot, "shortfall": shortfall}))
}

/// Buys one line in ten pieces of 10.00.
fn ten_pieces(desk: &mut Desk, id: &str) {
    let mut told = order(id, desk.now, &[10_000]);
    told.lines[0].quantity = 10;
    desk.record(&told).unwrap();
}

#[test]
fn an_order_of_100_refunded_in_one_piece_in_ten_or_in_a_hundred_ends_the_same() {
    let document = with(spend_50_get_100(), "/earning_rules/0/award/per_amount/amount", json!(300));
    for pieces in [1, 10, 100] {
        let mut desk = Desk::open(&document, OPENED);
        let mut told = order("A-1", desk.now, &[10_000]);
        told.lines[0].quantity = 100;
        desk.record(&told).unwrap();
        assert_eq!(desk.first("A-1"), 133);
        for _ in 0..pieces {
            desk.refund("A-1", &[("1", 100 / pieces, Some(10_000 / pieces))]).unwrap();
        }
        assert_eq!((desk.left("A-1"), desk.position()), (0, (0, 0, 0)), "{pieces} pieces");
        assert_eq!(desk.account.lifetime.clawed_back, 133);
    }
}

#[test]
fn spend_50_get_100_goes_when_the_net_falls_below_50() {
    let mut desk = Desk::open(&spend_50_get_100(), OPENED);
    ten_pieces(&mut desk, "A-1");
    assert_eq!(desk.refund("A-1", &[("1", 5, None)]).unwrap().clawed_back, 50);
    assert_eq!(desk.left("A-1"), 150);
    assert_eq!(desk.refund("A-1", &[("1", 1, Some(1))]).unwrap().clawed_back, 101);
    assert_eq!(words(desk.last()), ["of 200 points first awarded, 49 are left after the refund, 150 before it"]);
}

#[test]
fn a_returned_line_that_earned_nothing_takes_nothing_and_is_an_entry() {
    let mut rule = base_rule();
    rule["when"] = json!({"line_category": ["coffee"]});
    let mut desk = Desk::open(&with(plain(), "/earning_rules", json!([rule])), OPENED);
    let mut told = order("A-1", desk.now, &[1000, 1000]);
    told.lines[0].categories = vec![label("coffee")];
    desk.record(&told).unwrap();
    let refund = desk.refund("A-1", &[("2", 1, None)]).unwrap();
    assert_eq!((refund.clawed_back, refund.restored), (0, 0));
    assert_eq!(desk.kinds(3), [("clawback", 0)]);
    assert_eq!(desk.refund("A-1", &[("1", 1, None)]).unwrap().clawed_back, 10);
}

#[test]
fn rules_changed_or_deleted_since_change_nothing() {
    let levels = json!([{"id": "green", "from": 0, "multiply": "2"}]);
    let mut desk = Desk::open_for(&with(spend_50_get_100(), "/tiers/levels", levels), OPENED, None, &["vip"]);
    ten_pieces(&mut desk, "A-1");
    assert_eq!(desk.first("A-1"), 300);
    desk.publish(&with(plain(), "/earning_rules", json!([])), desk.now);
    desk.change(|account| (account.tags, account.zone) = (vec![], Some(crate::desk::zone("Asia/Tokyo")))).unwrap();
    desk.to("2027-03-01T00:00:00Z");
    assert_eq!(desk.refund("A-1", &[("1", 3, None)]).unwrap().clawed_back, 60);
    assert_eq!(desk.last().program_version, 1, "judged by the version that judged the purchase");
    assert_eq!(desk.refund("A-1", &[("1", 7, None)]).unwrap().clawed_back, 240);
}

#[test]
fn a_refund_keeps_the_facts_of_the_purchase() {
    let rules = [
        json!({"id": "first", "on": "purchase", "when": {"first_purchase": true}, "award": {"multiply": "3"}}),
        json!({"id": "vip", "on": "purchase", "when": {"tag": ["vip"]}, "award": {"multiply": "2"}}),
        json!({"id": "old", "on": "purchase", "when": {"member_days_at_least": 10}, "award": {"multiply": "5"}}),
        json!({"id": "sunday", "on": "purchase", "when": {"local_weekday": ["sun"]}, "award": {"multiply": "7"}}),
    ];
    let mut desk = Desk::open_for(&with_rules(&rules), OPENED, None, &["vip"]);
    assert_eq!(desk.buy("A-1", &[100, 100]), 2 * 3 * 2 * 7);
    desk.change(|account| account.tags.clear()).unwrap();
    desk.to("2026-11-25T10:00:00Z");
    desk.buy("A-2", &[100]);
    desk.refund("A-1", &[("1", 1, None)]).unwrap();
    assert_eq!(desk.left("A-1"), 3 * 2 * 7);
}

#[test]
fn without_an_amount_a_refund_takes_what_the_line_has_left_less_the_share_of_what_is_kept_rounded_down() {
    for (net, quantity, returned, expected) in [
        (1000, 3, vec![1, 1, 1], vec![334, 333, 333]),
        (1000, 3, vec![2, 1], vec![667, 333]),
        (1, 3, vec![1, 1, 1], vec![1, 0, 0]),
        (10, 6, vec![1, 2, 3], vec![2, 4, 4]),
        (0, 2, vec![1, 1], vec![0, 0]),
    ] {
        let mut desk = Desk::open(&plain(), OPENED);
        let mut told = order("A-1", desk.now, &[net]);
        told.lines[0].quantity = quantity;
        desk.record(&told).unwrap();
        let mut taken = Vec::new();
        for count in &returned {
            let before = desk.purchases["A-1"].net_left();
            desk.refund("A-1", &[("1", *count, None)]).unwrap();
            taken.push(before - desk.purchases["A-1"].net_left());
        }
        assert_eq!(taken, expected, "{net} for {quantity}, back {returned:?}");
    }
}

#[test]
fn more_than_was_bought_or_an_unknown_line_is_refused_and_nothing_is_written() {
    let mut desk = Desk::open(&plain(), OPENED);
    let mut told = order("A-1", desk.now, &[1000, 1000]);
    told.lines[0].quantity = 2;
    desk.record(&told).unwrap();
    let too_much = |at: &[(usize, &'static str)]| Err(Refusal::RefundExceedsPurchase { at: at.to_vec() });
    let clawed = |result: Result<loyalty_domain::refund::Refund, Refusal>| result.map(|refund| refund.clawed_back);
    assert_eq!(clawed(desk.refund("A-1", &[("1", 3, None)])), too_much(&[(0, "quantity")]));
    assert_eq!(clawed(desk.refund("A-1", &[("1", 1, Some(1001))])), too_much(&[(0, "net_amount")]));
    assert_eq!(
        clawed(desk.refund("A-1", &[("2", 2, None), ("1", 1, Some(1001))])),
        too_much(&[(0, "quantity"), (1, "net_amount")])
    );
    assert_eq!(
        clawed(desk.refund("A-1", &[("1", 1, None), ("9", 1, None)])),
        Err(Refusal::LineUnknown { at: vec![1] })
    );
    assert_eq!(desk.kinds(3), []);
    assert_eq!(clawed(desk.refund("A-1", &[("1", 2, None), ("2", 1, None)])), Ok(20));
    assert_eq!(clawed(desk.refund("A-1", &[("1", 1, None)])), too_much(&[(0, "quantity")]));
}

#[test]
fn a_refund_of_tomorrow_is_refused_and_a_retry_differs_in_nothing() {
    let mut desk = Desk::open(&plain(), OPENED);
    desk.buy("A-1", &[1000]);
    let line = ReturnLine { line_id: "1".parse().unwrap(), quantity: 1, net: None };
    let told = Return {
        refund_id: "R".parse().unwrap(),
        occurred_at: at("2026-11-01T10:05:00.001Z"),
        lines: vec![line.clone()],
    };
    let guest = desk.purchases["A-1"].clone();
    assert_eq!(refund_guest(guest.clone(), &told, desk.now).unwrap_err(), Refusal::InFuture);
    let told = Return { occurred_at: desk.now, ..told };
    let decision = refund_guest(guest, &told, desk.now).unwrap();
    assert!(decision.refund.differences(&told).is_empty());
    let other =
        Return { occurred_at: at(OPENED).plus_minutes(1), lines: vec![ReturnLine { net: Some(1000), ..line }], ..told };
    assert_eq!(decision.refund.differences(&other), ["/occurred_at", "/lines/0/net_amount"]);
}

// ── From which lots ──

#[test]
fn a_clawback_takes_from_the_lot_of_its_purchase_first_while_pending_and_after() {
    let document = with(plain(), "/points/expiry", json!({"after_months": 1, "snap": "end_of_day"}));
    for pending in [0, 3] {
        let mut desk = Desk::open(&with(document.clone(), "/points/pending_days", json!(pending)), OPENED);
        desk.buy("A-1", &[1000]);
        ten_pieces(desk.to("2026-11-02T10:00:00Z"), "A-2");
        desk.to("2026-11-03T10:00:00Z").buy("A-3", &[1000]);
        for (now, left) in [("2026-11-03T10:00:00Z", [10, 90, 10]), ("2026-11-20T10:00:00Z", [10, 80, 10])] {
            desk.to(now).refund("A-2", &[("1", 1, None)]).unwrap();
            let points: Vec<i64> = desk.lots().iter().map(|(points, _)| *points).collect();
            assert_eq!(points, left, "{pending} pending days, {now}");
        }
    }
}

#[test]
fn then_from_other_lots_in_spend_order_active_before_pending_then_as_debt() {
    let lives = |months: i64, pending: i64| {
        let document = with(plain(), "/points/expiry", json!({"after_months": months, "snap": "end_of_month"}));
        with(document, "/points/pending_days", json!(pending))
    };
    let mut desk = Desk::open(&lives(6, 0), OPENED);
    desk.buy("A-1", &[10_000]);
    desk.adjust(-100, false).unwrap();
    desk.publish(&lives(8, 0), desk.now);
    desk.buy("late", &[1000]);
    desk.publish(&lives(3, 5), desk.now);
    desk.buy("pending", &[1000]);
    desk.publish(&lives(4, 0), desk.now);
    desk.buy("soon", &[1000]);
    desk.refund("A-1", &[("1", 1, None)]).unwrap();
    let draws: Vec<_> = desk.last().draws.iter().map(|d| (d.lot.expires_at.unwrap().to_string(), d.points)).collect();
    let expected = ["2027-03-31T22:00:00Z", "2027-07-31T22:00:00Z", "2027-02-28T23:00:00Z"];
    assert_eq!(draws, expected.map(|end| (end.to_owned(), -10)));
    assert_eq!(desk.position(), (0, 0, 70));
    assert_eq!(words(desk.last())[1], "70 points are not there any more and are owed");
}

#[test]
fn by_policy_other_lots_are_left_alone_and_what_is_missing_is_owed_or_let_go() {
    for (beyond, shortfall, position, clawed) in [
        ("other_lots", "debt", (0, 0, 10), 50),
        ("other_lots", "forgive", (0, 0, 0), 40),
        ("nothing", "debt", (30, 0, 40), 50),
        ("nothing", "forgive", (30, 0, 0), 10),
    ] {
        let mut desk = Desk::open(&policy(plain(), beyond, shortfall), OPENED);
        desk.buy("A-1", &[5000]);
        desk.adjust(-40, false).unwrap();
        let longer = with(plain(), "/points/expiry/after_months", json!(20));
        desk.publish(&policy(longer, beyond, shortfall), desk.now);
        desk.buy("A-2", &[3000]);
        let refund = desk.refund("A-1", &[("1", 1, None)]).unwrap();
        assert_eq!((desk.position(), refund.clawed_back), (position, clawed), "{beyond}, {shortfall}");
        assert_eq!(desk.left("A-1"), 0);
    }
}

#[test]
fn a_purchase_whose_lot_was_noticed_takes_from_that_lot() {
    let document = policy(with(plain(), "/points/notice_days", json!(30)), "nothing", "debt");
    let mut desk = Desk::open(&with(document, "/points/late_purchase_days", json!(400)), OPENED);
    desk.buy("A-1", &[500]);
    desk.settle_at("2027-11-05T00:00:00Z");
    desk.to("2027-11-10T00:00:00Z").buy_as_of("A-2", "2026-11-02T00:00:00Z", &[700]).unwrap();
    desk.refund("A-1", &[("1", 1, None)]).unwrap();
    assert_eq!(desk.lots(), [(7, Some("2027-12-10T00:00:00Z".to_owned()))]);
    desk.refund("A-2", &[("1", 1, None)]).unwrap();
    assert_eq!(desk.position(), (0, 0, 0));
}

#[test]
fn a_purchase_whose_lot_is_emptied_takes_from_no_other_of_the_same_end() {
    // Notice is owed for longer than points live, so each purchase is a lot of its own.
    let document = with(plain(), "/points/expiry", json!({"after_months": 1, "snap": "end_of_day"}));
    let mut desk = Desk::open(&policy(with(document, "/points/notice_days", json!(45)), "nothing", "debt"), OPENED);
    desk.buy("A-1", &[500]);
    desk.adjust(-5, false).unwrap();
    desk.to("2026-11-01T11:00:00Z").buy("A-2", &[700]);
    desk.refund("A-1", &[("1", 1, None)]).unwrap();
    assert_eq!(desk.position(), (7, 0, 5));
}

#[test]
fn earned_50_spent_50_refunded_next_80_earned_leaves_30() {
    for pending in [0, 7] {
        let mut desk = Desk::open(&plain(), OPENED);
        desk.buy("A-1", &[5000]);
        desk.adjust(-50, false).unwrap();
        desk.refund("A-1", &[("1", 1, None)]).unwrap();
        assert_eq!(desk.position(), (0, 0, 50));
        desk.publish(&with(plain(), "/points/pending_days", json!(pending)), desk.now);
        assert_eq!(desk.buy("A-2", &[8000]), 80);
        let expected = if pending == 0 { (30, 0, 0) } else { (0, 30, 0) };
        assert_eq!(desk.position(), expected);
        assert_eq!((desk.last().points, desk.last().debt_repaid), (80, 50));
        assert_eq!(words(desk.last())[1], "50 points pay what was owed");
    }
}

#[test]
fn every_credit_pays_debt_adjustments_and_points_given_back_too() {
    let mut desk = Desk::open(&smaller_earns_more(), OPENED);
    desk.buy("A-1", &[10_000]);
    desk.adjust(-100, false).unwrap();
    desk.refund("A-1", &[("1", 1, None)]).unwrap();
    desk.adjust(40, false).unwrap();
    assert_eq!((desk.position(), desk.last().debt_repaid), ((0, 0, 60), 40));
    assert_eq!(desk.buy("A-2", &[2000, 4000]), 60);
    assert_eq!(desk.position(), (0, 0, 0));
    desk.adjust(10, false).unwrap();
    assert_eq!((desk.position(), desk.last().debt_repaid), ((10, 0, 0), 0));
}

#[test]
fn debt_never_blocks_expiry() {
    let mut desk = Desk::open(&policy(plain(), "nothing", "debt"), OPENED);
    desk.buy("A-1", &[5000]);
    desk.adjust(-50, false).unwrap();
    desk.publish(&policy(with(plain(), "/points/expiry/after_months", json!(15)), "nothing", "debt"), desk.now);
    desk.buy("A-2", &[3000]);
    desk.refund("A-1", &[("1", 1, None)]).unwrap();
    assert_eq!(desk.position(), (30, 0, 50));
    desk.settle_at("2030-01-01T00:00:00Z");
    assert_eq!(desk.position(), (0, 0, 50));
}

// ── Points given back ──

#[test]
fn a_refund_gives_points_back_where_an_earlier_one_took_too_many() {
    let mut desk = Desk::open(&smaller_earns_more(), OPENED);
    // 60 points; 52 for 52.00; 79 for 49.00, but never more than first awarded.
    assert_eq!(desk.buy("A-1", &[800, 300, 4900]), 60);
    assert_eq!(desk.refund("A-1", &[("1", 1, None)]).unwrap().clawed_back, 8);
    let refund = desk.refund("A-1", &[("2", 1, None)]).unwrap();
    assert_eq!((refund.clawed_back, refund.restored, desk.left("A-1")), (0, 8, 60));
    assert_eq!(desk.last().kind.word(), "restore");
    assert_eq!(desk.view()["lifetime"]["clawed_back"], 0);
    assert_eq!(desk.view()["tier"]["qualifying_units"], 60);
    assert_eq!(desk.refund("A-1", &[("3", 1, None)]).unwrap().clawed_back, 60);
}

#[test]
fn what_was_let_go_is_not_given_back() {
    let mut desk = Desk::open(&policy(smaller_earns_more(), "other_lots", "forgive"), OPENED);
    assert_eq!(desk.buy("A-1", &[800, 300, 4900]), 60);
    desk.adjust(-57, false).unwrap();
    assert_eq!(desk.refund("A-1", &[("1", 1, None)]).unwrap().clawed_back, 3);
    assert_eq!(desk.refund("A-1", &[("2", 1, None)]).unwrap().restored, 3, "five of eight had been let go");
    assert_eq!((desk.position(), desk.left("A-1")), ((3, 0, 0), 60));
    assert_eq!(desk.purchases["A-1"].clawed_back(), 0);
}

#[test]
fn points_given_back_after_their_end_have_ended() {
    let mut desk = Desk::open(&smaller_earns_more(), OPENED);
    desk.buy("A-1", &[800, 300, 4900]);
    desk.refund("A-1", &[("1", 1, None)]).unwrap();
    desk.to("2028-01-01T00:00:00Z").refund("A-1", &[("2", 1, None)]).unwrap();
    assert_eq!(desk.kinds(4), [("expire", -52), ("restore", 8), ("expire", -8)]);
    assert_eq!(desk.position(), (0, 0, 0));
}

#[test]
fn points_given_back_are_owed_a_notice_like_all_others() {
    let mut desk = Desk::open(&with(smaller_earns_more(), "/points/notice_days", json!(30)), OPENED);
    desk.buy("A-1", &[800, 300, 4900]);
    desk.refund("A-1", &[("1", 1, None)]).unwrap();
    desk.settle_at("2027-11-01T00:00:00Z");
    desk.settle_at("2028-01-01T00:00:00Z").refund("A-1", &[("2", 1, None)]).unwrap();
    assert_eq!(desk.kinds(4), [("notice", 0), ("expire", -52), ("restore", 8), ("notice", 0)]);
    assert_eq!(desk.lots(), [(8, Some("2028-01-31T00:00:00Z".to_owned()))]);
}

// ── Order does not matter ──

#[derive(Debug, Clone)]
struct Piece {
    line: usize,
    quantity: i64,
    net: i64,
}

fn shuffled_pieces() -> impl Strategy<Value = (Vec<(i64, i64)>, Vec<Piece>, Vec<Piece>)> {
    let lines = prop::collection::vec((1_i64..5, 0_i64..9000, 0_i64..=5, 0_i64..=100), 1..4);
    lines
        .prop_map(|lines| {
            let mut pieces = Vec::new();
            let mut bought = Vec::new();
            for (line, (quantity, net, returned, share)) in lines.into_iter().enumerate() {
                bought.push((quantity, net));
                let returned = returned.min(quantity);
                let total = if returned == quantity { net } else { net * share / 100 };
                for piece in 0..returned {
                    let part = |n: i64| total * n / returned;
                    pieces.push(Piece { line, quantity: 1, net: part(piece + 1) - part(piece) });
                }
            }
            (bought, pieces)
        })
        .prop_flat_map(|(bought, pieces)| {
            let shuffled = || Just(pieces.clone()).prop_shuffle();
            (Just(bought), shuffled(), shuffled())
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn any_split_and_any_order_of_a_refund_ends_the_same(
        document in document(),
        (bought, pieces, otherwise) in shuffled_pieces(),
        together in any::<bool>(),
        spent in 0_i64..40,
        forgive in any::<bool>(),
    ) {
        let document = policy(document, "other_lots", if forgive { "forgive" } else { "debt" });
        let ends: Vec<_> = [&pieces, &otherwise].into_iter().enumerate().map(|(way, pieces)| {
            let mut desk = Desk::open(&document, OPENED);
            let mut told = order("A-1", desk.now, &[]);
            told.lines = bought.iter().enumerate().map(|(index, (quantity, net))| {
                OrderLine { quantity: *quantity, ..line(&index.to_string(), *net, &["coffee"]) }
            }).collect();
            desk.record(&told).unwrap();
            let available = desk.position().0;
            if spent.min(available) > 0 {
                desk.adjust(-spent.min(available), false).unwrap();
            }
            if together && way == 1 {
                let mut lines: Vec<(String, i64, i64)> = Vec::new();
                for piece in pieces {
                    let id = piece.line.to_string();
                    match lines.iter_mut().find(|(line, ..)| *line == id) {
                        Some(line) => { line.1 += piece.quantity; line.2 += piece.net; }
                        None => lines.push((id, piece.quantity, piece.net)),
                    }
                }
                let lines: Vec<_> = lines.iter().map(|(id, quantity, net)| (id.as_str(), *quantity, Some(*net))).collect();
                if !lines.is_empty() {
                    desk.refund("A-1", &lines).unwrap();
                }
            } else {
                for piece in pieces {
                    desk.refund("A-1", &[(&piece.line.to_string(), piece.quantity, Some(piece.net))]).unwrap();
                }
            }
            let purchase = &desk.purchases["A-1"];
            (
                desk.left("A-1"), purchase.clawed_back(), desk.account.lifetime, desk.position(),
                desk.account.units.iter().map(|(_, units)| *units).sum::<i64>(), desk.account.uses.clone(),
                desk.account.first_purchase, purchase.net_left(),
            )
        }).collect();
        prop_assert_eq!(&ends[0], &ends[1]);
        if bought.iter().map(|(quantity, _)| quantity).sum::<i64>() == i64::try_from(pieces.len()).unwrap() {
            prop_assert_eq!(ends[0].0, 0, "nothing is left of a purchase that came back whole");
            prop_assert!(ends[0].5.is_empty());
            prop_assert!(!ends[0].6);
            prop_assert_eq!(ends[0].4, 0);
        }
    }
}
