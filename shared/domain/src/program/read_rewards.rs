//! Reads what points buy.

use super::condition::Condition;
use super::read::{MOST_POINTS, limit, name};
use super::read_condition::condition;
use super::read_rule::Surroundings;
use super::{PointValue, Reward, RewardKind, Settle, Worth};
use crate::calendar::{Moment, Per, date};
use crate::exact::{Exact, decimal};
use crate::id::caller_id;
use crate::json::{Faults, Json, Object, Path, integer_within, list, word};
use crate::money::{MOST_MONEY, Money, currency};

/// The longest hold, in minutes: a year.
const MOST_HOLD_MINUTES: i64 = 60 * 24 * 366;
/// The longest life of a voucher, in days: ten years.
const MOST_VOUCHER_DAYS: i64 = 3_660;
/// Counters of limited rewards that an account may come to hold, so that it stays far from DynamoDB's 400 KB.
const MOST_COUNTERS: i64 = 1_000;

pub(super) fn reward(
    json: &Json,
    at: &Path<'_>,
    faults: &mut Faults,
    surroundings: &mut Surroundings<'_, '_>,
) -> Option<Reward> {
    let mut object = Object::new(json, at, faults)?;
    let id = object.required("id", faults, caller_id);
    let title = object.required("name", faults, name);
    let kind = object.required("kind", faults, word(RewardKind::WORDS));
    let points = object.optional("points", faults, integer_within(1, MOST_POINTS));
    let settle =
        object.required("settle", faults, word(&[("immediately", Settle::Immediately), ("hold", Settle::Hold)]));
    let hold_minutes = object.optional("hold_minutes", faults, integer_within(1, MOST_HOLD_MINUTES));
    let stock = object.optional("stock", faults, integer_within(0, MOST_POINTS));
    let limit = object.optional("limit", faults, limit);
    let voucher_days = object.optional("voucher_days", faults, integer_within(1, MOST_VOUCHER_DAYS));
    let voucher_from_days = object.optional("voucher_from_days", faults, integer_within(0, MOST_VOUCHER_DAYS));
    let value = object.optional("value", faults, point_values).unwrap_or_default();
    let minimum = object.optional("minimum", faults, integer_within(1, MOST_POINTS));
    let step = object.optional("step", faults, integer_within(1, MOST_POINTS));
    let max_share = object.optional("max_share", faults, percent);
    let amount = object.optional("amount", faults, amount);
    let percent = object.optional("percent", faults, percent);
    let when = object.optional("when", faults, |json: &Json, at: &Path<'_>, faults: &mut Faults| {
        condition(json, at, faults, surroundings.context, 1)
    });
    let from = object.optional("from", faults, date);
    let until = object.optional("until", faults, date);
    let mut given = Vec::new();
    for name in ["value", "minimum", "step", "max_share", "amount", "percent", "hold_minutes", "points"] {
        // As everywhere, null is as good as left out.
        if object.raw(name).is_some_and(|value| *value != Json::Null) {
            given.push(name);
        }
    }
    object.finish(faults);

    // Dates are compared, not their first instants, which a document with a wrong zone does not have.
    if let (Some(from), Some(until)) = (from, until)
        && until <= from
    {
        faults.meaningless(&at.name("until"), "must be after from: until is exclusive");
    }
    let start = |date| surroundings.door.map_or(Moment::from_millis(0), |zone| zone.start_of(date));
    let (from, until) = (from.map(start), until.map(start));
    if when.as_ref().is_some_and(|when| Condition::looks_at_lines_or_purchase(when) || when.looks_at_attributes()) {
        faults.meaningless(
            &at.name("when"),
            "a reward has no lines, total, channel, store, first purchase or attributes",
        );
    }
    if voucher_from_days.is_some() && voucher_days.is_none() {
        faults.meaningless(&at.name("voucher_from_days"), "has a meaning only beside voucher_days");
    }
    refuse_misfits(kind?, settle, &given, at, faults);
    let good_for = voucher_days.map(|days| (days + voucher_from_days.unwrap_or(0)) * 24 * 60);
    if let (Some(minutes), Some(good_for)) = (hold_minutes, good_for)
        && minutes >= good_for
    {
        faults.meaningless(&at.name("hold_minutes"), "must be less than its voucher is good for");
    }
    let worth = amount.map(Worth::Money).or(percent.map(Worth::Percent));
    Some(Reward {
        id: id?,
        name: title?,
        kind: kind?,
        points,
        settle: settle?,
        hold_minutes,
        stock,
        limit,
        voucher_days,
        voucher_from_days: voucher_from_days.unwrap_or(0),
        value,
        minimum,
        step,
        max_share,
        worth,
        when,
        from,
        until,
    })
}

/// Fields that are missing for a kind, or have no meaning for it.
fn refuse_misfits(kind: RewardKind, settle: Option<Settle>, given: &[&str], at: &Path<'_>, faults: &mut Faults) {
    let has = |name| given.contains(&name);
    match (kind == RewardKind::PayWithPoints, has("value"), has("points")) {
        (true, false, _) => faults.malformed(&at.name("value"), "is required where points pay"),
        (false, _, false) => faults.malformed(&at.name("points"), "is required: the price"),
        (true, true, true) => {
            faults.meaningless(&at.name("points"), "has no meaning where points pay: value is the price");
        }
        (true, true, false) | (false, _, true) => {}
    }
    match (settle, has("hold_minutes")) {
        (Some(Settle::Hold), false) => {
            faults.malformed(&at.name("hold_minutes"), "is required where points are held");
        }
        (Some(Settle::Immediately), true) => {
            faults.meaningless(&at.name("hold_minutes"), "has a meaning only where points are held");
        }
        (Some(Settle::Hold), true) | (Some(Settle::Immediately), false) | (None, _) => {}
    }
    for name in ["value", "minimum", "step", "max_share"] {
        if kind != RewardKind::PayWithPoints && has(name) {
            faults.meaningless(&at.name(name), "has a meaning only where points pay");
        }
    }
    if has("amount") && !matches!(kind, RewardKind::DiscountAmount | RewardKind::GiftCard) {
        faults.meaningless(&at.name("amount"), "has a meaning only for discount_amount and gift_card");
    }
    if has("percent") && kind != RewardKind::DiscountPercent {
        faults.meaningless(&at.name("percent"), "has a meaning only for discount_percent");
    }
}

/// What points are worth: one object, or a list with one for each currency.
fn point_values(json: &Json, at: &Path<'_>, faults: &mut Faults) -> Option<Vec<PointValue>> {
    if !matches!(json, Json::List(_)) {
        return point_value(json, at, faults).map(|value| vec![value]);
    }
    let values = list(1, 200, point_value)(json, at, faults)?;
    let mut seen = std::collections::BTreeSet::new();
    for (index, value) in values.iter().enumerate() {
        if !seen.insert(value.money.currency) {
            faults.meaningless(&at.index(index).name("currency"), "is the currency of another value too");
        }
    }
    Some(values)
}

fn point_value(json: &Json, at: &Path<'_>, faults: &mut Faults) -> Option<PointValue> {
    let mut object = Object::new(json, at, faults)?;
    let points = object.required("points", faults, integer_within(1, MOST_POINTS));
    let amount = object.required("amount", faults, integer_within(1, MOST_MONEY));
    let currency = object.required("currency", faults, currency);
    object.finish(faults);
    Some(PointValue { points: points?, money: Money { amount: amount?, currency: currency? } })
}

/// An amount of at least one minor unit.
fn amount(json: &Json, at: &Path<'_>, faults: &mut Faults) -> Option<Money> {
    let money = crate::money::money(json, at, faults)?;
    if money.amount == 0 {
        faults.meaningless(&at.name("amount"), "must be more than 0");
    }
    Some(money)
}

/// A share above 0 and up to 100, as a decimal.
fn percent(json: &Json, at: &Path<'_>, faults: &mut Faults) -> Option<Exact> {
    let percent = decimal(json, at, faults)?;
    if percent.is_zero() || percent > Exact::whole(100) {
        faults.meaningless(at, "must be more than 0 and at most 100");
        return None;
    }
    Some(percent)
}

/// An account remembers how often each limited reward served it, in the periods that are not long past.
pub(super) fn refuse_endless_counters(rewards: &[Reward], at: &Path<'_>, faults: &mut Faults) {
    let periods = |per| match per {
        Per::Day => 6,
        Per::Week | Per::Month | Per::Year => 2,
        Per::Ever => 1,
    };
    let mut counters = 0;
    for (index, reward) in rewards.iter().enumerate() {
        counters += reward.limit.map_or(0, |limit| periods(limit.per));
        if counters > MOST_COUNTERS {
            let detail = format!("this limit and those before it need more than {MOST_COUNTERS} counters an account");
            faults.meaningless(&at.index(index).name("limit"), detail);
            return;
        }
    }
}
