//! Reads the program document: every fault at once, and nothing that could never work.

use super::read_condition::Context;
use super::read_rule::{Earning, Surroundings, earning};
use super::read_tiers::tiers;
use super::{
    Award, Expiry, GoalAward, Limit, PointsPolicy, Program, Reward, Rule, Shortfall, Snap, read_offers, read_rewards,
};
use crate::calendar::{Per, moment, zone};
use crate::exact::{Exact, Rounding};
use crate::id::{CallerId, LevelId};
use crate::json::{Faults, Json, Object, Path, integer_within, list, text, word};

/// The most points that one rule, reward or grant can be about.
pub(super) const MOST_POINTS: i64 = 1_000_000_000;
const MOST_RULES: usize = 2_000;
/// Goals of one program, so that an account that takes part in all of them stays small.
const MOST_GOALS: usize = 50;
/// Rules with a budget of one program.
const MOST_BUDGETS: usize = 20;
/// Examples of one program.
pub(super) const MOST_EXAMPLES: usize = 200;
/// Counters of limited rules that an account may come to hold, so that it stays far from DynamoDB's 400 KB.
const MOST_COUNTERS: i64 = 4_000;
/// Rates of one program must have a common denominator below this, so that sums of them stay exact in 128 bits.
const MOST_DENOMINATOR: i128 = 1_000_000_000_000;

pub(super) fn program(json: &Json, faults: &mut Faults) -> Option<Program> {
    let root = Path::ROOT;
    let mut object = Object::new(json, &root, faults)?;
    // For editors, which complete the document by it.
    object.optional("$schema", faults, address);
    let name = object.required("name", faults, name);
    let zone = object.required("time_zone", faults, zone);
    let point_name = object.optional("point_name", faults, self::name).unwrap_or_else(|| "points".to_owned());
    let rounding = object.required("rounding", faults, word(Rounding::WORDS));
    let points = object.required("points", faults, points_policy);
    let tiers = object.required("tiers", faults, tiers);
    let level_ids: Vec<LevelId> =
        tiers.as_ref().map(|t| t.levels.iter().map(|level| level.id.clone()).collect()).unwrap_or_default();
    let mut context = Context { levels: tiers.is_some().then_some(level_ids.as_slice()), tags: Vec::new() };
    let mut surroundings = Surroundings { context: &mut context, door: zone.as_ref() };
    let earnings = object.required(
        "earning_rules",
        faults,
        list(0, MOST_RULES, |json, at, faults| earning(json, at, faults, &mut surroundings)),
    );
    let mut surroundings = Surroundings { context: &mut context, door: zone.as_ref() };
    let rewards = object.optional(
        "rewards",
        faults,
        list(0, 1_000, |json, at, faults| read_rewards::reward(json, at, faults, &mut surroundings)),
    );
    let rewards = rewards.unwrap_or_default();
    let tags = context.tags;
    let referral = object.optional("referral", faults, read_offers::referral);
    let birthday = object.optional("birthday", faults, read_offers::birthday);
    let effective_from = object.optional("effective_from", faults, moment);
    // What they expect is looked at when the document is published: see `examples`.
    object.optional("examples", faults, list(0, MOST_EXAMPLES, |_, _, _| Some(())));
    object.finish(faults);

    refuse_doubled(rewards.iter().map(|reward| &reward.id), &root.name("rewards"), faults);
    read_rewards::refuse_endless_counters(&rewards, &root.name("rewards"), faults);
    if let Some(earnings) = &earnings {
        let at = root.name("earning_rules");
        refuse_doubled(earnings.iter().map(Earning::id), &at, faults);
        refuse_endless_fractions(earnings, &at, faults);
        refuse_too_many_goals(earnings, &at, faults);
        refuse_too_many_budgets(earnings, &at, faults);
        refuse_unknown_rewards(earnings, &rewards, &at, faults);
    }
    if let (Some(earnings), Some(points)) = (&earnings, &points) {
        refuse_endless_counters(earnings, points, &root.name("earning_rules"), faults);
    }
    let (mut rules, mut goals) = (Vec::new(), Vec::new());
    for earning in earnings? {
        match earning {
            Earning::Rule(rule) => rules.push(rule),
            Earning::Goal(goal) => goals.push(goal),
        }
    }
    Some(Program {
        name: name?,
        zone: zone?,
        point_name,
        rounding: rounding?,
        points: points?,
        rules,
        goals,
        tiers: tiers?,
        rewards,
        referral,
        birthday,
        effective_from,
        tags,
        level_ids,
    })
}

/// The address of something: 1 to 1,000 printable characters.
fn address(json: &Json, at: &Path<'_>, faults: &mut Faults) -> Option<()> {
    let address = text(json, at, faults)?;
    if address.is_empty() || address.chars().count() > 1_000 || address.chars().any(crate::id::is_unprintable) {
        faults.malformed(at, "must be 1 to 1000 printable characters");
        return None;
    }
    Some(())
}

/// A name for people: 1 to 100 printable characters.
pub(super) fn name(json: &Json, at: &Path<'_>, faults: &mut Faults) -> Option<String> {
    let name = text(json, at, faults)?;
    if name.is_empty() || name.chars().count() > 100 || name.chars().any(crate::id::is_unprintable) {
        faults.malformed(at, "must be 1 to 100 printable characters");
        return None;
    }
    Some(name.to_owned())
}

pub(super) fn limit(json: &Json, at: &Path<'_>, faults: &mut Faults) -> Option<Limit> {
    let mut object = Object::new(json, at, faults)?;
    let times = object.required("times", faults, integer_within(1, 1_000_000));
    let per = object.required("per", faults, word(Per::WORDS));
    object.finish(faults);
    Some(Limit { times: u32::try_from(times?).ok()?, per: per? })
}

pub(super) fn refuse_doubled<'a>(ids: impl Iterator<Item = &'a CallerId>, at: &Path<'_>, faults: &mut Faults) {
    let mut seen = std::collections::BTreeSet::new();
    for (index, id) in ids.enumerate() {
        if !seen.insert(id) {
            faults.meaningless(&at.index(index).name("id"), "is the id of another one too");
        }
    }
}

/// One purchase may meet all of them, and what it takes out of each is an item of its transaction.
fn refuse_too_many_budgets(earnings: &[Earning], at: &Path<'_>, faults: &mut Faults) {
    let has_budget = |earning: &&Earning| matches!(earning, Earning::Rule(Rule { budget: Some(_), .. }));
    let mut budgets = earnings.iter().enumerate().filter(|(_, earning)| has_budget(earning));
    if let Some((index, _)) = budgets.nth(MOST_BUDGETS) {
        faults.meaningless(&at.index(index).name("budget"), format!("is one of more than {MOST_BUDGETS} budgets"));
    }
}

fn refuse_too_many_goals(earnings: &[Earning], at: &Path<'_>, faults: &mut Faults) {
    let mut goals = earnings.iter().enumerate().filter(|(_, earning)| matches!(earning, Earning::Goal(_)));
    if let Some((index, _)) = goals.nth(MOST_GOALS) {
        faults.meaningless(&at.index(index).name("goal"), format!("is one of more than {MOST_GOALS} goals"));
    }
}

/// A goal can give only a reward that is there and comes as a voucher; one with a stock is offered, not promised.
fn refuse_unknown_rewards(earnings: &[Earning], rewards: &[Reward], at: &Path<'_>, faults: &mut Faults) {
    for (index, earning) in earnings.iter().enumerate() {
        let Earning::Goal(goal) = earning else { continue };
        let GoalAward::Reward(id) = &goal.award else { continue };
        let at = at.index(index);
        let at = at.name("award");
        let at = at.name("reward");
        match rewards.iter().find(|reward| reward.id == *id) {
            None => faults.meaningless(&at, "is not a reward of this program"),
            Some(reward) if reward.voucher_days.is_none() || reward.stock.is_some() => {
                faults.meaningless(&at, "must be a reward with voucher_days and without stock");
            }
            Some(_) => {}
        }
    }
}

fn refuse_endless_fractions(rules: &[Earning], at: &Path<'_>, faults: &mut Faults) {
    let mut common: i128 = 1;
    for (index, rule) in rules.iter().enumerate() {
        if let Earning::Rule(Rule { award: Award::PerAmount { points, amount, .. }, .. }) = rule {
            let (points, amount) = (*points, *amount);
            let rate = Exact::fraction(1, i128::from(amount)).and_then(|per| points.times(per));
            let denominator = rate.map_or(MOST_DENOMINATOR, |rate| rate.denominator());
            let next = lcm(common, denominator);
            if next >= MOST_DENOMINATOR {
                let detail =
                    "this rate and those before it have no common denominator below 10^12; choose rounder amounts";
                faults.meaningless(&at.index(index).name("award"), detail);
                return;
            }
            common = next;
        }
    }
}

/// An account remembers how often each limited rule served it, for every period in which a purchase may still be recorded.
fn refuse_endless_counters(rules: &[Earning], points: &PointsPolicy, at: &Path<'_>, faults: &mut Faults) {
    let days = points.late_purchase_days;
    let periods = |per| match per {
        Per::Day => days + 4,
        Per::Week => days / 7 + 3,
        Per::Month => days / 28 + 3,
        Per::Year => days / 365 + 3,
        Per::Ever => 1,
    };
    let mut counters = 0;
    for (index, rule) in rules.iter().enumerate() {
        let Earning::Rule(Rule { limit: Some(limit), .. }) = rule else { continue };
        counters += periods(limit.per);
        if counters > MOST_COUNTERS {
            let detail = format!(
                "this limit and those before it need more than {MOST_COUNTERS} counters an account for {days} late_purchase_days"
            );
            faults.meaningless(&at.index(index).name("limit"), detail);
            return;
        }
    }
}

/// The least common multiple of two positive numbers below 10^18.
pub(crate) fn lcm(a: i128, b: i128) -> i128 {
    let (mut x, mut y) = (a, b);
    while y != 0 {
        (x, y) = (y, x % y);
    }
    a / x * b
}

fn points_policy(json: &Json, at: &Path<'_>, faults: &mut Faults) -> Option<PointsPolicy> {
    let mut object = Object::new(json, at, faults)?;
    let pending_days = object.optional("pending_days", faults, integer_within(0, 365)).unwrap_or(0);
    let expiry = object.required("expiry", faults, expiry);
    let notice_days = object.optional("notice_days", faults, integer_within(0, 365)).unwrap_or(0);
    let clawback = object.optional("clawback", faults, clawback);
    let late_purchase_days = object.optional("late_purchase_days", faults, integer_within(0, 36_500)).unwrap_or(30);
    object.finish(faults);
    let (from_other_lots, shortfall) = clawback.unwrap_or((true, Shortfall::Debt));
    Some(PointsPolicy {
        pending_days: i32::try_from(pending_days).ok()?,
        expiry: expiry?,
        notice_days: u16::try_from(notice_days).ok()?,
        from_other_lots,
        shortfall,
        late_purchase_days,
    })
}

fn expiry(json: &Json, at: &Path<'_>, faults: &mut Faults) -> Option<Expiry> {
    if let Json::Text(_) = json {
        return word(&[("never", Expiry::Never)])(json, at, faults);
    }
    let mut object = Object::new(json, at, faults)?;
    let months = object.required("after_months", faults, integer_within(1, 1_200));
    let snap = object
        .optional("snap", faults, word(&[("end_of_day", Snap::EndOfDay), ("end_of_month", Snap::EndOfMonth)]))
        .unwrap_or(Snap::EndOfDay);
    object.finish(faults);
    Some(Expiry::AfterMonths { months: i32::try_from(months?).ok()?, snap })
}

fn clawback(json: &Json, at: &Path<'_>, faults: &mut Faults) -> Option<(bool, Shortfall)> {
    let mut object = Object::new(json, at, faults)?;
    let beyond = object.optional("beyond_lot", faults, word(&[("other_lots", true), ("nothing", false)]));
    let shortfall =
        object.optional("shortfall", faults, word(&[("debt", Shortfall::Debt), ("forgive", Shortfall::Forgive)]));
    object.finish(faults);
    Some((beyond.unwrap_or(true), shortfall.unwrap_or(Shortfall::Debt)))
}
