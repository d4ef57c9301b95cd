//! Random lives of a member, beside a naive model of them: after every step the two agree, and the books are audited.

use crate::awarding::{basket, document};
use crate::desk::{Desk, at, base_rule, order, with};
use crate::model::{Kind, Model, Part};
use loyalty_domain::account::Status;
use loyalty_domain::calendar::Moment;
use loyalty_domain::money::Currency;
use loyalty_domain::purchase::OrderLine;
use loyalty_domain::refusal::Refusal;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const OPENED: &str = "2026-11-03T22:30:00Z";
const HOUR: i64 = 3_600_000;

#[derive(Debug, Clone)]
enum Op {
    /// Lines, pieces of each, how long ago in milliseconds, whether in dollars.
    Buy(Vec<OrderLine>, i64, i64, bool),
    /// Which purchase, which line, how many of its pieces, which share of its amount; none: by quantity alone.
    Refund(Index, Index, Index, Option<i64>),
    Adjust(i64, bool),
    /// Of which type, how long ago, which day it books, in days from now.
    Act(&'static str, i64, i64),
    /// Which level, until in how many days.
    Lend(&'static str, i64),
    Wait(i64),
    Settle,
    /// What, and in how many milliseconds.
    Publish(Value, i64),
    Pause,
    Resume,
    Erase,
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let ago = || {
        prop_oneof![
            5 => Just(0),
            2 => 0_i64..60 * 24 * HOUR,
            1 => Just(-5 * 60_000),
            1 => prop::sample::select(vec![-5 * 60_000 - 1, 60 * 24 * HOUR, 60 * 24 * HOUR + 1]),
        ]
    };
    let refund = (any::<Index>(), any::<Index>(), any::<Index>(), prop::option::of(0_i64..=100));
    let op = prop_oneof![
        8 => (basket(), 1_i64..4, ago(), prop::bool::weighted(0.1)).prop_map(|(lines, n, ago, usd)| Op::Buy(lines, n, ago, usd)),
        6 => refund.prop_map(|(purchase, line, pieces, share)| Op::Refund(purchase, line, pieces, share)),
        4 => (prop::sample::select(vec!["visit", "payment", "book"]), ago(), -3_i64..40).prop_map(|(kind, ago, day)| Op::Act(kind, ago, day)),
        2 => (prop::sample::select(vec!["gold", "ruby", "plus"]), -1_i64..90).prop_map(|(level, days)| Op::Lend(level, days)),
        3 => (-1000_i64..500, any::<bool>()).prop_map(|(points, qualifies)| Op::Adjust(points, qualifies)),
        4 => (0_i64..3 * 24 * HOUR).prop_map(Op::Wait),
        3 => (0_i64..200 * 24 * HOUR).prop_map(Op::Wait),
        2 => Just(Op::Settle),
        1 => (program("any"), prop_oneof![Just(0), 0_i64..20 * 24 * HOUR]).prop_map(|(document, delay)| Op::Publish(document, delay)),
        1 => prop_oneof![3 => Just(Op::Pause), 6 => Just(Op::Resume), 1 => Just(Op::Erase)],
    ];
    prop::collection::vec(op, 1..40)
}

fn program(period: &'static str) -> impl Strategy<Value = Value> {
    let expiry = prop_oneof![
        1 => Just(json!("never")),
        6 => (prop::sample::select(vec![1, 2, 12, 14]), prop::sample::select(vec!["end_of_day", "end_of_month"]))
            .prop_map(|(months, snap)| json!({"after_months": months, "snap": snap})),
    ];
    let clawback = (prop::sample::select(vec!["other_lots", "nothing"]), prop::sample::select(vec!["debt", "forgive"]));
    let qualify = prop::sample::select(vec!["points_earned", "points_earned", "spend", "visits"]);
    let policy = (prop::sample::select(vec![0, 0, 2, 40]), expiry, prop::sample::select(vec![0, 10, 45]), clawback);
    // Beside rules of all kinds, many of which seldom apply, some that mostly do.
    let limit = (1_i64..3, prop::sample::select(vec!["day", "week", "month", "year", "ever"]));
    let small = (5_000_i64..40_000, 1_i64..200).prop_map(|(below, points)| {
        json!({"id": "small", "on": "purchase", "award": {"points": points},
            "when": {"not": {"net_total_at_least": {"amount": below, "currency": "EUR"}}}})
    });
    let treat = (1_i64..100, limit.clone()).prop_map(|(points, (times, per))| {
        json!({"id": "treat", "on": "purchase", "award": {"points": points}, "limit": {"times": times, "per": per}})
    });
    let coffee = limit.prop_map(|(times, per)| {
        json!({"id": "coffee", "on": "purchase", "when": {"line_category": ["coffee"]}, "award": {"multiply": "2.5"},
            "limit": {"times": times, "per": per}})
    });
    let hello = (1_i64..100).prop_map(|points| {
        json!({"id": "hello", "on": "purchase", "when": {"first_purchase": true}, "award": {"points": points}})
    });
    let often = (prop::option::of(small), prop::option::of(treat), prop::option::of(coffee), prop::option::of(hello));
    let document = (document(), often, prop::bool::weighted(0.8), activities()).prop_map(
        |(mut document, often, base, activities)| {
            let rules = document["earning_rules"].as_array_mut().unwrap();
            let (small, treat, coffee, hello) = often;
            rules.extend([base.then(base_rule), small, treat, coffee, hello].into_iter().flatten());
            rules.extend(activities);
            document
        },
    );
    let bonus = || prop_oneof![2 => Just(0), 1 => 1_i64..1500];
    (document, policy, qualify, (1_i64..2000, 1_i64..2000), (bonus(), bonus(), bonus())).prop_map(
        move |(mut document, (pending, expiry, notice, clawback), qualify, (gold, ruby), bonuses)| {
            document["points"] = json!({"pending_days": pending, "expiry": expiry, "notice_days": notice,
                "clawback": {"beyond_lot": clawback.0, "shortfall": clawback.1}, "late_purchase_days": 60});
            let scale = match qualify {
                "visits" => 500,
                _ => 1,
            };
            let mut levels = document["tiers"]["levels"].clone();
            levels[1]["from"] = json!(gold / scale + 1);
            let ruby = json!({"id": "ruby", "from": (gold + ruby) / scale + 2, "multiply": "1.5"});
            let plus = json!({"id": "plus", "multiply": "1.1"});
            levels.as_array_mut().unwrap().extend([ruby, plus]);
            for (level, bonus) in [bonuses.0, bonuses.1, bonuses.2].into_iter().enumerate() {
                levels[level + 1]["entry_bonus"] = json!(bonus);
            }
            document["tiers"] = json!({"qualify_by": qualify, "period": period, "levels": levels});
            if qualify == "spend" {
                document["tiers"]["currency"] = json!("EUR");
            }
            document
        },
    )
}

/// Rules for what members do besides buying: points, paid levels, booked days.
fn activities() -> impl Strategy<Value = Vec<Value>> {
    let limit = || prop::option::of((1_i64..4, prop::sample::select(vec!["day", "week", "month", "year", "ever"])));
    let limited = |mut rule: Value, limit: Option<(i64, &str)>| {
        if let Some((times, per)) = limit {
            rule["limit"] = json!({"times": times, "per": per});
        }
        rule
    };
    let visit = (1_i64..60, limit()).prop_map(move |(points, limit)| {
        limited(json!({"id": "visit", "on": "activity", "activity": "visit", "award": {"points": points}}), limit)
    });
    let payment = (prop::sample::select(vec!["gold", "plus"]), 1_i64..70, 0_i64..20, limit());
    let payment = payment.prop_map(move |(level, days, points, limit)| {
        let rule = json!({"id": "payment", "on": "activity", "activity": "payment", "award": {"points": points},
            "grants": {"tier": level, "days": days}});
        limited(rule, limit)
    });
    let book = (1_i64..4, any::<bool>(), limit()).prop_map(move |(days, chosen, limit)| {
        let mut grants = json!({"tag": "staff", "days": days});
        if chosen {
            grants["on"] = json!("day");
        }
        limited(json!({"id": "book", "on": "activity", "activity": "book", "grants": grants}), limit)
    });
    let some =
        (prop::option::weighted(0.8, visit), prop::option::weighted(0.8, payment), prop::option::weighted(0.8, book));
    some.prop_map(|(visit, payment, book)| [visit, payment, book].into_iter().flatten().collect())
}

fn life() -> impl Strategy<Value = (Value, Option<&'static str>, Vec<Op>)> {
    let period = prop::sample::select(vec!["calendar_year", "rolling_12_months", "membership_year", "lifetime"]);
    let home = prop::option::of(prop::sample::select(vec!["America/New_York", "Africa/Cairo", "Pacific/Auckland"]));
    (period, program("any"), home, ops()).prop_map(|(period, document, home, mut ops)| {
        let of = |document: Value| with(document, "/tiers/period", json!(period));
        for op in &mut ops {
            if let Op::Publish(document, _) = op {
                *document = of(document.clone());
            }
        }
        (of(document), home, ops)
    })
}

struct Both {
    desk: Desk,
    model: Model,
    orders: usize,
}

impl Both {
    fn step(&mut self, op: &Op) {
        let (desk, model) = (&mut self.desk, &mut self.model);
        match op {
            Op::Buy(lines, pieces, ago, dollars) => {
                self.orders += 1;
                let mut told = order(&format!("A-{}", self.orders), Moment::from_millis(model.now - ago), &[]);
                told.lines = lines.iter().map(|line| OrderLine { quantity: *pieces, ..line.clone() }).collect();
                if *dollars {
                    told.currency = Currency::of("USD").unwrap();
                }
                let settled = desk.account.clone();
                model.settle_if(model.part == Part::Active);
                let recorded = desk.record(&told);
                if !model.buy(&told) {
                    let expected = match model.part {
                        Part::Gone => Refusal::MemberUnknown,
                        Part::Paused => Refusal::Deactivated,
                        Part::Active if *ago < 0 => Refusal::InFuture,
                        Part::Active => Refusal::TooOld { days: 60 },
                    };
                    assert_eq!(recorded, Err(expected));
                    assert_eq!(desk.account, settled, "a refusal writes nothing");
                    desk.settle();
                    model.settle();
                } else {
                    recorded.unwrap();
                }
            }
            Op::Refund(purchase, line, pieces, share) => {
                let open: Vec<(String, String, i64, i64)> = model
                    .bought
                    .iter()
                    .flat_map(|(id, bought)| {
                        bought.lines.iter().map(move |(line, quantity, net)| (id, line, *quantity, *net))
                    })
                    .filter(|(_, _, quantity, _)| *quantity > 0)
                    .map(|(id, line, quantity, net)| (id.clone(), line.line_id.to_string(), quantity, net))
                    .collect();
                if open.is_empty() {
                    return;
                }
                let ids: Vec<&String> = open.iter().map(|(id, ..)| id).collect();
                let id = ids[purchase.index(ids.len())].clone();
                let lines: Vec<_> = open.iter().filter(|(other, ..)| *other == id).collect();
                let (_, line, quantity, net) = lines[line.index(lines.len())].clone();
                let pieces = 1 + i64::try_from(pieces.index(usize::try_from(quantity).unwrap())).unwrap();
                let amount = match share {
                    Some(share) => net * share / 100,
                    None => net - net * (quantity - pieces) / quantity,
                };
                model.settle();
                model.refund(&id, &line, pieces, amount);
                desk.refund(&id, &[(&line, pieces, share.map(|_| amount))]).unwrap();
            }
            Op::Adjust(points, qualifies) => {
                // Most of these are to be carried out, and many to leave little.
                let (available, ..) = desk.position();
                let points = if *points < -available && *points % 3 != 0 { -available } else { *points };
                if points == 0 {
                    return;
                }
                model.settle();
                let done = desk.adjust(points, *qualifies);
                assert_eq!(done.is_ok(), model.adjust(points, *qualifies), "{done:?}");
                if done.is_err() {
                    desk.settle();
                }
            }
            Op::Act(kind, ago, day) => {
                let (told, day) = (Moment::from_millis(model.now - ago), model.day_in(*day));
                let settled = desk.account.clone();
                model.settle_if(model.part == Part::Active);
                let recorded = desk.act_as_of(kind, told, &json!({"day": day.to_string()}));
                if let Err(why) = model.act(kind, told.millis(), day) {
                    let expected = match model.part {
                        Part::Gone => Refusal::MemberUnknown,
                        Part::Paused => Refusal::Deactivated,
                        Part::Active if why == "type" => Refusal::ActivityUnknown,
                        Part::Active if *ago < 0 => Refusal::InFuture,
                        Part::Active => Refusal::ActivityTooOld { days: 60 },
                    };
                    assert_eq!(recorded, Err(expected));
                    assert_eq!(desk.account, settled, "a refusal writes nothing");
                    desk.settle();
                    model.settle();
                } else {
                    recorded.unwrap();
                }
            }
            Op::Lend(level, days) => {
                model.settle();
                let day = model.day_in(*days);
                let done = desk.lend(level, &day.to_string());
                assert_eq!(done.is_ok(), model.lend(level, day), "{done:?}");
                if done.is_err() {
                    desk.settle();
                }
            }
            Op::Wait(millis) => {
                model.now += millis;
                desk.now = Moment::from_millis(model.now);
                return;
            }
            Op::Settle => {
                desk.settle();
                model.settle();
            }
            Op::Publish(document, delay) => {
                model.versions.push((model.now + delay, document.clone()));
                desk.publish(document, Moment::from_millis(model.now + delay));
                return;
            }
            Op::Pause | Op::Resume => {
                model.settle();
                let to = if matches!(op, Op::Pause) { Status::Deactivated } else { Status::Active };
                let done = desk.change(|account| account.status = to);
                if model.part == Part::Gone {
                    assert_eq!(done, Err(Refusal::MemberUnknown));
                    desk.settle();
                } else {
                    model.part = if to == Status::Active { Part::Active } else { Part::Paused };
                }
            }
            Op::Erase => {
                model.settle();
                if model.part == Part::Gone {
                    assert_eq!(desk.erase(), Err(Refusal::MemberUnknown));
                    desk.settle();
                } else {
                    model.erase();
                    desk.erase().unwrap();
                }
            }
        }
        self.agree();
    }

    fn agree(&self) {
        let (desk, model) = (&self.desk, &self.model);
        let account = &desk.account;
        let millis = |at: Option<Moment>| at.map(Moment::millis);
        let lots: BTreeMap<Kind, i64> = account
            .lots
            .iter()
            .map(|lot| {
                let key = lot.key;
                let kind = Kind {
                    activates: millis(key.activates_at),
                    expires: millis(key.expires_at),
                    notice: i64::from(key.notice_days),
                    noticed: millis(key.noticed_at),
                };
                (kind, lot.points)
            })
            .collect();
        assert_eq!(lots, model.lots(), "lots");
        assert_eq!(account.debt, model.debt, "debt");
        let sums = account.lifetime;
        let expected = model.sums;
        assert_eq!(
            (sums.earned, sums.adjusted, sums.redeemed, sums.expired, sums.clawed_back),
            (expected.earned, expected.adjusted, 0, expected.expired, expected.clawed_back)
        );
        assert_eq!(account.first_purchase, model.first_taken);
        for (id, bought) in &model.bought {
            let purchase = &desk.purchases[id];
            let award = purchase.award.as_ref().unwrap();
            assert_eq!((award.first, award.left, award.forgiven), (bought.first, bought.left, bought.forgiven), "{id}");
        }
        if model.part != Part::Gone {
            let ids = ["green", "gold", "ruby", "plus"];
            let (since, _) = model.levels.last().unwrap();
            let level = &account.level;
            assert_eq!((level.id.as_str(), level.since.millis()), (ids[model.rank()], *since), "level");
            assert_eq!(desk.view()["tier"]["qualifying_units"], model.units_now());
        }
    }
}

impl Model {
    fn settle_if(&mut self, so: bool) {
        if so {
            self.settle();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, max_shrink_iters: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn every_life_goes_as_the_model_says((document, home, ops) in life()) {
        let desk = Desk::open_for(&document, OPENED, home, &["vip"]);
        let model = Model::new(document, at(OPENED).millis(), home);
        let mut both = Both { desk, model, orders: 0 };
        for op in &ops {
            both.step(op);
        }
        // To the end: everything that can fall due has.
        both.step(&Op::Wait(3000 * 24 * HOUR));
        both.step(&Op::Settle);
        both.step(&Op::Wait(100 * 24 * HOUR));
        both.step(&Op::Settle);
    }
}
