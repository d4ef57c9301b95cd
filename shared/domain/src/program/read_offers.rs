//! Reads what a program offers besides earning: rewards, referrals, birthdays.

use super::read::{MOST_POINTS, limit, name};
use super::{Birthday, PointValue, Referral, Reward, RewardKind, Settle};
use crate::id::caller_id;
use crate::json::{Faults, Json, Object, Path, integer_within, word};
use crate::money::{MOST_MONEY, Money, currency, money};

const KINDS: &[(&str, RewardKind)] = &[
    ("product", RewardKind::Product),
    ("discount_amount", RewardKind::DiscountAmount),
    ("discount_percent", RewardKind::DiscountPercent),
    ("free_shipping", RewardKind::FreeShipping),
    ("gift_card", RewardKind::GiftCard),
    ("experience", RewardKind::Experience),
    ("donation", RewardKind::Donation),
    ("pay_with_points", RewardKind::PayWithPoints),
];

pub(super) fn reward(json: &Json, at: &Path<'_>, faults: &mut Faults) -> Option<Reward> {
    let mut object = Object::new(json, at, faults)?;
    let id = object.required("id", faults, caller_id);
    let title = object.required("name", faults, name);
    let kind = object.required("kind", faults, word(KINDS));
    let points = object.optional("points", faults, integer_within(1, MOST_POINTS));
    let settle =
        object.required("settle", faults, word(&[("immediately", Settle::Immediately), ("hold", Settle::Hold)]));
    let hold_minutes = object.optional("hold_minutes", faults, integer_within(1, 60 * 24 * 366));
    let stock = object.optional("stock", faults, integer_within(0, MOST_POINTS));
    let limit = object.optional("limit", faults, limit);
    let voucher_days = object.optional("voucher_days", faults, integer_within(1, 3_660));
    let value = object.optional("value", faults, point_value);
    let valued = object.raw("value").is_some_and(|value| *value != Json::Null);
    object.finish(faults);
    let reward = Reward {
        id: id?,
        name: title?,
        kind: kind?,
        points,
        settle: settle?,
        hold_minutes,
        stock,
        limit,
        voucher_days,
        value,
    };
    let pays = reward.kind == RewardKind::PayWithPoints;
    if pays && !valued {
        faults.malformed(&at.name("value"), "is required where points pay");
    }
    if !pays && reward.points.is_none() {
        faults.malformed(&at.name("points"), "is required: the price");
    }
    if pays && reward.points.is_some() {
        faults.meaningless(&at.name("points"), "has no meaning where points pay: value is the price");
    }
    if reward.settle == Settle::Hold && reward.hold_minutes.is_none() {
        faults.malformed(&at.name("hold_minutes"), "is required where points are held");
    }
    Some(reward)
}

fn point_value(json: &Json, at: &Path<'_>, faults: &mut Faults) -> Option<PointValue> {
    let mut object = Object::new(json, at, faults)?;
    let points = object.required("points", faults, integer_within(1, MOST_POINTS));
    let amount = object.required("amount", faults, integer_within(1, MOST_MONEY));
    let currency = object.required("currency", faults, currency);
    object.finish(faults);
    Some(PointValue { points: points?, money: Money { amount: amount?, currency: currency? } })
}

pub(super) fn referral(json: &Json, at: &Path<'_>, faults: &mut Faults) -> Option<Referral> {
    let mut object = Object::new(json, at, faults)?;
    let advocate_points = object.required("advocate_points", faults, integer_within(0, MOST_POINTS));
    let friend_points = object.required("friend_points", faults, integer_within(0, MOST_POINTS));
    let qualifying_amount = object.required("qualifying_amount", faults, money);
    let mature_days = object.optional("mature_days", faults, integer_within(0, 365)).unwrap_or(0);
    let limit = object.optional("limit", faults, limit);
    object.finish(faults);
    Some(Referral {
        advocate_points: advocate_points?,
        friend_points: friend_points?,
        qualifying_amount: qualifying_amount?,
        mature_days,
        limit,
    })
}

pub(super) fn birthday(json: &Json, at: &Path<'_>, faults: &mut Faults) -> Option<Birthday> {
    let mut object = Object::new(json, at, faults)?;
    let points = object.required("points", faults, integer_within(1, MOST_POINTS));
    let days_before = object.optional("days_before", faults, integer_within(0, 60)).unwrap_or(0);
    let feb29_on_feb28 = object.optional("feb29", faults, word(&[("feb28", true), ("mar1", false)])).unwrap_or(true);
    let minimum_membership_days =
        object.optional("minimum_membership_days", faults, integer_within(0, 3_660)).unwrap_or(0);
    object.finish(faults);
    Some(Birthday { points: points?, days_before, feb29_on_feb28, minimum_membership_days })
}
