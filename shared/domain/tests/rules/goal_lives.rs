//! Random lives of a member with goals: purchases and activities in time and late, returns, new terms, budgets and limits.
//! After each step what the account says of goals follows from the purchases that are left and the points that were given.
//! Each purchase is quoted just before, and the quote agrees exactly.

use crate::desk::{Desk, order, plain, with};
use loyalty_domain::calendar::{Moment, Per};
use loyalty_domain::entry::Cause;
use loyalty_domain::goal::{Given, Progress};
use loyalty_domain::program::{Goal, Trigger};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const OPENED: &str = "2026-12-20T22:30:00Z";
const HOUR: i64 = 3_600_000;

#[derive(Debug, Clone)]
enum Op {
    /// Pieces of two lines, how long ago.
    Buy(i64, i64, i64),
    /// Which purchase, which line, how many pieces.
    Return(Index, usize, Index),
    Act(i64),
    Publish(Index),
    Wait(i64),
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let ago = || prop_oneof![3 => Just(0), 1 => 0_i64..6 * 24 * HOUR];
    let op = prop_oneof![
        6 => (0_i64..5, 0_i64..3, ago()).prop_map(|(coffee, tea, ago)| Op::Buy(coffee, tea, ago)),
        5 => (any::<Index>(), 0_usize..2, any::<Index>()).prop_map(|(which, line, pieces)| Op::Return(which, line, pieces)),
        2 => ago().prop_map(Op::Act),
        1 => any::<Index>().prop_map(Op::Publish),
        5 => (0_i64..40 * HOUR).prop_map(Op::Wait),
        1 => (0_i64..9 * 24 * HOUR).prop_map(Op::Wait),
    ];
    prop::collection::vec(op, 1..40)
}

/// What a goal counts, which stays through its versions.
fn kind() -> impl Strategy<Value = Value> {
    prop::sample::select(vec![
        json!({"of": "purchases"}),
        json!({"of": "units of selected lines"}),
        json!({"of": "purchases", "within_days": 3}),
        json!({"of": "units of selected lines", "within_days": 5}),
        json!({"of": "purchases", "streak": "day"}),
        json!({"of": "purchases", "streak": "week"}),
        json!({"of": "activities", "streak": "day"}),
        json!({"of": "activities", "within_days": 4}),
    ])
}

/// Count, whether it repeats, award, whether only coffee counts.
type Terms = (i64, bool, Value, bool);

fn programs() -> impl Strategy<Value = Vec<Value>> {
    let award =
        || prop_oneof![3 => (0_i64..50).prop_map(|points| json!({"points": points})), 1 => Just(json!({"badge": "b"}))];
    let terms = move || (1_i64..5, any::<bool>(), award(), any::<bool>());
    let version = (prop::collection::vec(terms(), 3), 1_i64..3, 1_i64..40);
    (prop::collection::vec(kind(), 3), prop::collection::vec(version, 1..3)).prop_map(|(kinds, versions)| {
        let document = |(terms, times, treat): (Vec<Terms>, i64, i64)| {
            let goals = kinds.iter().zip(terms).enumerate().map(|(index, (kind, (count, repeat, award, coffee)))| {
                let mut goal = json!({"id": format!("goal-{index}"), "on": "purchase", "goal": kind, "award": award});
                (goal["goal"]["count"], goal["goal"]["repeat"]) = (json!(count), json!(repeat));
                if kind["of"] == "activities" {
                    (goal["on"], goal["activity"]) = (json!("activity"), json!("visit"));
                } else if coffee {
                    goal["when"] = json!({"line_category": ["coffee"]});
                }
                goal
            });
            let limited = json!({"id": "treat", "on": "purchase", "award": {"points": treat}, "limit": {"times": times, "per": "week"}});
            let campaign = json!({"id": "campaign", "on": "purchase", "award": {"points": 9}, "budget": {"points": 1000},
                "when": {"tier": ["gold"]}});
            let visit = json!({"id": "visit", "on": "activity", "activity": "visit", "award": {"points": 1}});
            let rules: Vec<Value> = goals.chain([limited, campaign, visit]).collect();
            let levels = json!([{"id": "green", "from": 0}, {"id": "gold", "from": 60}]);
            with(with(with(plain(), "/earning_rules", json!(rules)), "/tiers/levels", levels), "/points/expiry", json!("never"))
        };
        versions.into_iter().map(document).collect()
    })
}

struct Life {
    desk: Desk,
    documents: Vec<Value>,
    orders: usize,
}

impl Life {
    fn step(&mut self, op: &Op) {
        let desk = &mut self.desk;
        match op {
            Op::Buy(coffee, tea, ago) => {
                self.orders += 1;
                let told = Moment::from_millis(desk.now.millis() - ago);
                let mut told = order(&format!("A-{}", self.orders), told, &[]);
                for (id, pieces, category) in [("0", *coffee, "coffee"), ("1", *tea, "tea")] {
                    let mut line = crate::desk::line(id, pieces * 100, &[category]);
                    line.quantity = pieces.max(1);
                    told.lines.push(line);
                }
                desk.record(&told).unwrap();
            }
            Op::Return(which, line, pieces) => {
                let ids: Vec<String> = desk.purchases.keys().cloned().collect();
                if ids.is_empty() {
                    return;
                }
                let id = &ids[which.index(ids.len())];
                let left = desk.purchases[id].lines[*line].quantity_left;
                if left > 0 {
                    let pieces = 1 + i64::try_from(pieces.index(usize::try_from(left).unwrap())).unwrap();
                    desk.refund(id, &[(&line.to_string(), pieces, None)]).unwrap();
                }
            }
            Op::Act(ago) => {
                let told = Moment::from_millis(desk.now.millis() - ago);
                desk.act_as_of("visit", told, &json!({})).unwrap();
            }
            Op::Publish(which) => {
                let document = self.documents[which.index(self.documents.len())].clone();
                let now = desk.now;
                desk.publish(&document, now);
            }
            Op::Wait(millis) => desk.now = Moment::from_millis(desk.now.millis() + millis),
        }
        self.agree();
    }

    fn agree(&self) {
        let desk = &self.desk;
        let mut given = 0;
        for progress in &desk.account.progress {
            let goal = desk.program().goals.iter().find(|goal| goal.id == progress.goal).unwrap();
            self.follows(goal, progress);
            let won: i64 = progress.won.iter().map(|won| i64::from(won.times)).sum();
            assert_eq!(won, i64::from(progress.reached), "each time that it was reached is remembered");
            for won in &progress.won {
                match &won.given {
                    Given::Points { points, .. } => given += points * i64::from(won.times),
                    Given::Badge(badge) => assert!(desk.account.badges.iter().any(|other| other.id == *badge)),
                }
            }
        }
        let badges = desk.account.badges.len();
        assert!(badges == 0 || desk.account.progress.iter().any(|p| p.has_won(&desk.account.badges[0].id)));
        let purchases: i64 = desk.purchases.keys().map(|id| desk.left(id)).sum();
        let visits = desk.ledger.iter().filter(|entry| matches!(entry.cause, Cause::Activity { .. }));
        let visits: i64 = visits.map(|entry| entry.points).sum();
        let (available, pending, debt) = desk.position();
        assert_eq!(
            available + pending - debt,
            purchases + visits + given,
            "points are those of goals that are reached"
        );
    }

    /// What is counted follows from what is left of the purchases, and from activities.
    fn follows(&self, goal: &Goal, progress: &Progress) {
        let taken = |round: u32| -> i64 {
            let won = progress.won.iter().filter(|won| won.round == round);
            won.map(|won| won.count * i64::from(won.times)).sum()
        };
        let mut rounds: BTreeMap<u32, i64> = BTreeMap::new();
        let mut periods: BTreeMap<i32, i64> = BTreeMap::new();
        let counted = self.desk.purchases.values().flat_map(|purchase| &purchase.award.as_ref().unwrap().counted);
        for counted in counted.filter(|counted| counted.goal == progress.goal) {
            *rounds.entry(counted.round).or_insert(0) += counted.left;
            *periods.entry(counted.period).or_insert(0) += counted.left;
        }
        let activities = goal.on != Trigger::Purchase;
        match goal.streak {
            Some(per) if !activities => {
                let rows = rows(per, &periods);
                let most: i64 = rows.iter().sum();
                assert!(taken(progress.round) <= most, "{progress:?} takes more than is there: {periods:?}");
                let last = rows.last().copied().unwrap_or(0);
                assert!((0..=last).contains(&progress.counted), "{progress:?}: {periods:?}");
                if progress.won.is_empty() && progress.counted > 0 {
                    assert_eq!(progress.counted, last, "{progress:?}: {periods:?}");
                }
                for won in &progress.won {
                    assert!(rows.iter().any(|row| *row >= won.count), "{won:?}: {periods:?}");
                }
            }
            None if !activities => {
                let all = |round: u32| rounds.get(&round).copied().unwrap_or(0);
                assert_eq!(progress.counted + taken(progress.round), all(progress.round), "{progress:?}");
                assert!(progress.counted >= 0);
                for won in progress.won.iter().filter(|won| won.round != progress.round) {
                    assert!(all(won.round) >= taken(won.round), "{progress:?}");
                }
            }
            Some(_) | None => assert!(progress.counted >= 0),
        }
    }
}

/// How long the rows of periods with something are.
fn rows(per: Per, periods: &BTreeMap<i32, i64>) -> Vec<i64> {
    let mut rows: Vec<i64> = Vec::new();
    let mut before: Option<i32> = None;
    for (period, _) in periods.iter().filter(|(_, left)| **left > 0) {
        match before.filter(|before| per.later(*before, 1) == *period) {
            Some(_) => *rows.last_mut().unwrap() += 1,
            None => rows.push(1),
        }
        before = Some(*period);
    }
    rows
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, max_shrink_iters: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn what_is_counted_and_given_follows_from_what_is_left(
        documents in programs(),
        zone in prop::option::of(prop::sample::select(vec!["America/New_York", "Pacific/Auckland"])),
        budget in prop::option::of(0_i64..40),
        ops in ops(),
    ) {
        let mut desk = Desk::open_for(&documents[0], OPENED, zone, &[]);
        desk.budgets.extend(budget.map(|left| ("campaign".parse().unwrap(), left)));
        let mut life = Life { desk, documents, orders: 0 };
        for op in &ops {
            life.step(op);
        }
    }
}
