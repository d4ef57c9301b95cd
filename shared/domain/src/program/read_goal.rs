//! Reads what must be reached: challenges, stamp cards and streaks.

use super::{GoalOf, Trigger};
use crate::calendar::Per;
use crate::json::{Faults, Json, Object, Path, boolean, integer_within, word};

/// The terms of a goal.
pub(super) struct GoalTerms {
    pub(super) count: i64,
    pub(super) of: GoalOf,
    pub(super) within_days: Option<i32>,
    pub(super) streak: Option<Per>,
    pub(super) repeat: bool,
}

/// Days, weeks or months of a streak: an account remembers them one by one.
const MOST_IN_A_ROW: i64 = 366;

const OF: &[(&str, GoalOf)] = &[
    ("purchases", GoalOf::Purchases),
    ("activities", GoalOf::Activities),
    ("units of selected lines", GoalOf::Units),
    ("units", GoalOf::Units),
];
const STREAKS: &[(&str, Per)] = &[("day", Per::Day), ("week", Per::Week), ("month", Per::Month)];

pub(super) fn goal_terms(json: &Json, at: &Path<'_>, faults: &mut Faults) -> Option<GoalTerms> {
    let mut object = Object::new(json, at, faults)?;
    let count = object.required("count", faults, integer_within(1, 1_000_000));
    let of = object.required("of", faults, word(OF));
    let within_days = object.optional("within_days", faults, integer_within(1, 3_660));
    let streak = object.optional("streak", faults, word(STREAKS));
    let repeat = object.optional("repeat", faults, boolean).unwrap_or(false);
    object.finish(faults);
    if within_days.is_some() && streak.is_some() {
        faults.meaningless(&at.name("within_days"), "has no meaning beside streak, which has its own pace");
    }
    if streak.is_some() && of == Some(GoalOf::Units) {
        faults.meaningless(&at.name("of"), "a streak counts days, weeks or months with a purchase or an activity");
    }
    if streak.is_some() && count > Some(MOST_IN_A_ROW) {
        faults.meaningless(&at.name("count"), format!("must be at most {MOST_IN_A_ROW} in a row"));
    }
    let within_days = within_days.and_then(|days| i32::try_from(days).ok());
    Some(GoalTerms { count: count?, of: of?, within_days, streak, repeat })
}

impl GoalOf {
    /// Whether that is what such a trigger brings.
    pub(super) fn counts(self, on: &Trigger) -> bool {
        match self {
            GoalOf::Purchases | GoalOf::Units => *on == Trigger::Purchase,
            GoalOf::Activities => matches!(on, Trigger::Activity(_)),
        }
    }
}
