//! Reads what a program offers besides earning and spending: referrals, birthdays.

use super::read::{MOST_POINTS, limit};
use super::{Birthday, Referral};
use crate::json::{Faults, Json, Object, Path, integer_within, word};
use crate::money::money;

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
