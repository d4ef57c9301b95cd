//! Random lives of a member who spends: holds, captures, cancels, lapses, refunds, expiry, vouchers and paid purchases in
//! any order. The desk audits the books after each step; beside it, every point is followed.

use crate::desk::{Desk, order, plain, with};
use crate::spending::{OPENED, ask_to_pay, mug, pay, seat};
use loyalty_domain::account::Status as Part;
use loyalty_domain::calendar::Moment;
use loyalty_domain::id::RedemptionId;
use loyalty_domain::purchase::Order;
use loyalty_domain::refusal::Refusal;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

const HOUR: i64 = 3_600_000;

#[derive(Debug, Clone)]
enum Op {
    Buy(Vec<i64>, Option<Index>),
    Refund(Index, Index),
    Adjust(i64),
    Redeem(&'static str),
    Pay(i64),
    Capture(Index, Option<i64>),
    Cancel(Index),
    Use(Index, u8),
    Wait(i64),
    Settle,
    Pause,
    Resume,
    Erase,
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let rewards = prop::sample::select(vec!["mug", "seat", "stay", "few"]);
    let op = prop_oneof![
        4 => (prop::collection::vec(0_i64..9_000, 1..4), prop::option::of(any::<Index>())).prop_map(|(nets, paid)| Op::Buy(nets, paid)),
        4 => (any::<Index>(), any::<Index>()).prop_map(|(purchase, line)| Op::Refund(purchase, line)),
        3 => (-200_i64..400).prop_map(Op::Adjust),
        8 => rewards.prop_map(Op::Redeem),
        4 => (1_i64..300).prop_map(Op::Pay),
        6 => (any::<Index>(), prop::option::of(1_i64..120)).prop_map(|(which, points)| Op::Capture(which, points)),
        6 => any::<Index>().prop_map(Op::Cancel),
        2 => (any::<Index>(), 0_u8..2).prop_map(|(which, order)| Op::Use(which, order)),
        4 => (0_i64..HOUR).prop_map(Op::Wait),
        5 => (0_i64..60 * 24 * HOUR).prop_map(Op::Wait),
        2 => Just(Op::Settle),
        1 => prop_oneof![2 => Just(Op::Pause), 5 => Just(Op::Resume), 1 => Just(Op::Erase)],
    ];
    prop::collection::vec(op, 1..60)
}

/// A program whose points are short-lived, so that much ends while it is held.
fn program() -> impl Strategy<Value = Value> {
    let expiry = prop::sample::select(vec![
        json!({"after_months": 1, "snap": "end_of_day"}),
        json!({"after_months": 2, "snap": "end_of_month"}),
        json!("never"),
    ]);
    let clawback = (prop::sample::select(vec!["other_lots", "nothing"]), prop::sample::select(vec!["debt", "forgive"]));
    (expiry, prop::sample::select(vec![0, 0, 3, 10]), prop::sample::select(vec![0, 0, 5]), clawback).prop_map(
        |(expiry, notice, pending, (beyond, shortfall))| {
            let mut stay = seat();
            (stay["id"], stay["hold_minutes"]) = (json!("stay"), json!(60 * 24 * 40));
            let mut few = seat();
            (few["id"], few["stock"], few["limit"]) = (json!("few"), json!(3), json!({"times": 2, "per": "month"}));
            let mut voucher = mug();
            voucher["voucher_days"] = json!(20);
            let points = json!({"pending_days": pending, "expiry": expiry, "notice_days": notice,
                "clawback": {"beyond_lot": beyond, "shortfall": shortfall}, "late_purchase_days": 30});
            with(with(plain(), "/points", points), "/rewards", json!([voucher, seat(), stay, few, pay()]))
        },
    )
}

/// Which of the redemptions, if there are any.
fn pick(desk: &Desk, which: &Index) -> Option<RedemptionId> {
    let ids: Vec<_> = desk.redemptions.keys().copied().collect();
    (!ids.is_empty()).then(|| ids[which.index(ids.len())])
}

fn step(desk: &mut Desk, orders: &mut usize, op: &Op) {
    let gone = desk.account.status == Part::Erased;
    let paused = desk.account.status == Part::Deactivated;
    match op {
        Op::Buy(nets, paid) => {
            *orders += 1;
            let with = paid.as_ref().and_then(|which| pick(desk, which));
            let told = Order { paid_with: with.into_iter().collect(), ..order(&format!("A-{orders}"), desk.now, nets) };
            let redeemed = desk.redeemed();
            if let Err(refusal) = desk.record(&told) {
                assert!(gone || paused || matches!(refusal, Refusal::BadPayment { .. }), "{refusal:?}");
            } else {
                assert_eq!(desk.redeemed(), redeemed, "buying spends nothing by itself");
            }
        }
        Op::Refund(purchase, line) => {
            let open: Vec<(String, String)> = desk
                .purchases
                .iter()
                .flat_map(|(id, bought)| bought.lines.iter().map(move |line| (id, line)))
                .filter(|(_, line)| line.quantity_left > 0)
                .map(|(id, line)| (id.clone(), line.bought.line_id.to_string()))
                .collect();
            if !open.is_empty() {
                let (id, line) = open[(purchase.index(open.len()) + line.index(2)) % open.len()].clone();
                desk.refund(&id, &[(&line, 1, None)]).unwrap();
            }
        }
        Op::Adjust(points) => {
            if *points != 0 {
                assert!(desk.adjust(*points, false).is_ok() || gone || paused || *points < 0);
            }
        }
        Op::Redeem(reward) => {
            let (before, held, price) = (desk.position().0, desk.held(), 40);
            if desk.redeem(reward).is_ok() {
                assert_eq!(desk.position().0, before - price);
                assert_eq!(desk.held(), held + if *reward == "mug" { 0 } else { price });
            }
        }
        Op::Pay(points) => {
            let before = desk.position().0;
            match desk.redeem_as(&ask_to_pay(*points)) {
                Ok(_) => assert_eq!(desk.position().0, before - points),
                Err(Refusal::InsufficientPoints { .. }) => assert!(before < *points),
                Err(refusal) => assert!(gone || paused || matches!(refusal, Refusal::TooManyHolds { .. })),
            }
        }
        Op::Capture(which, points) => {
            let Some(id) = pick(desk, which) else { return };
            let (status, held, redeemed) = (desk.status(id), desk.held(), desk.redeemed());
            match desk.capture(id, *points) {
                Ok(()) => {
                    let captured = points.unwrap_or(desk.redemptions[&id].points);
                    assert_eq!((status, desk.status(id)), ("held", "fulfilled"));
                    assert_eq!(desk.held(), held - desk.redemptions[&id].points);
                    assert_eq!(desk.redeemed(), redeemed + captured);
                }
                Err(Refusal::CaptureExceedsHold { held }) => assert!(points.unwrap() > held),
                Err(_) => assert!(gone || paused || status != "held"),
            }
        }
        Op::Cancel(which) => {
            let Some(id) = pick(desk, which) else { return };
            let (status, total) = (desk.status(id), desk.held() + desk.redeemed());
            let taken: i64 = desk.redemptions[&id].taken.iter().map(|draw| draw.points).sum();
            match desk.cancel(id) {
                Ok(()) => {
                    assert!(status == "held" || status == "fulfilled");
                    assert_eq!((desk.status(id), desk.held() + desk.redeemed()), ("cancelled", total - taken));
                }
                Err(Refusal::VoucherUsed | Refusal::VoucherExpired { .. }) => assert_eq!(status, "fulfilled"),
                Err(_) => assert!(gone || status == "cancelled" || status == "lapsed"),
            }
        }
        Op::Use(which, order) => {
            let Some(id) = pick(desk, which) else { return };
            let before = desk.account.clone();
            if desk.use_voucher(id, &format!("O-{order}")).is_ok() {
                assert!(!gone && desk.redemptions[&id].usage.is_some());
            }
            assert_eq!(desk.account, before, "a voucher moves no points");
        }
        Op::Wait(millis) => desk.now = Moment::from_millis(desk.now.millis() + millis),
        Op::Settle => {
            desk.settle();
        }
        Op::Pause | Op::Resume => {
            let to = if matches!(op, Op::Pause) { Part::Deactivated } else { Part::Active };
            assert_eq!(desk.change(|account| account.status = to).is_ok(), !gone);
        }
        Op::Erase => {
            if desk.erase().is_ok() {
                assert_eq!((desk.position().0, desk.held()), (0, 0));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn holds_captures_cancels_lapses_refunds_and_expiry_at_random_never_break_an_invariant(program in program(), ops in ops()) {
        let mut desk = Desk::open(&program, OPENED);
        desk.adjust(500, false).unwrap();
        let mut orders = 0;
        for op in &ops {
            step(&mut desk, &mut orders, op);
            desk.audit_statuses();
            let left = desk.stock_used.get("few").copied().unwrap_or(0);
            prop_assert!((0..=3).contains(&left), "never more than was offered");
        }
        // Long after, nothing is held any more, and the stock has come back but for what was captured.
        desk.now = Moment::from_millis(desk.now.millis() + 100 * 24 * HOUR);
        desk.settle();
        prop_assert_eq!((desk.held(), desk.account.holds.count()), (0, 0));
        let had = |r: &&loyalty_domain::redemption::Redemption| r.reward.as_str() == "few" && r.status_at(desk.now).word() == "fulfilled";
        let had = desk.redemptions.values().filter(had).count();
        prop_assert_eq!(desk.stock_used.get("few").copied().unwrap_or(0), i64::try_from(had).unwrap());
    }

    #[test]
    fn a_life_settled_at_every_step_ends_like_one_that_is_settled_late(program in program(), ops in ops()) {
        // Notices depend on when they are recorded; everything else only on dates.
        let program = with(program, "/points/notice_days", json!(0));
        let mut ends = Vec::new();
        for eager in [false, true] {
            let mut desk = Desk::open(&program, OPENED);
            desk.adjust(500, false).unwrap();
            let mut orders = 0;
            for op in &ops {
                if matches!(op, Op::Settle) {
                    continue;
                }
                step(&mut desk, &mut orders, op);
                if eager {
                    desk.settle();
                }
            }
            desk.now = Moment::from_millis(desk.now.millis() + 100 * 24 * HOUR);
            desk.settle();
            let entries: Vec<_> = desk.ledger.iter().map(|entry| (entry.kind, entry.points, entry.occurred_at)).collect();
            ends.push((desk.position(), desk.lots(), desk.account.lifetime, entries));
        }
        prop_assert_eq!(&ends[0], &ends[1]);
    }
}
