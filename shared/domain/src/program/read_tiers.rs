//! Reads status levels: how they are reached, and what they bring.

use super::read::{MOST_POINTS, name, refuse_doubled};
use super::{Benefit, Level, Period, QualifyBy, Tiers};
use crate::exact::{Exact, decimal};
use crate::id::caller_id;
use crate::json::{Faults, Json, Object, Path, integer_within, list, word};
use crate::money::{MOST_MONEY, currency};

const MOST_LEVELS: usize = 20;
const MOST_BENEFITS: usize = 50;

pub(super) fn tiers(json: &Json, at: &Path<'_>, faults: &mut Faults) -> Option<Tiers> {
    #[derive(Clone, Copy)]
    enum By {
        Points,
        Spend,
        Visits,
    }
    let mut object = Object::new(json, at, faults)?;
    let by = object.optional(
        "qualify_by",
        faults,
        word(&[("points_earned", By::Points), ("spend", By::Spend), ("visits", By::Visits)]),
    );
    let unreadable = by.is_none() && object.raw("qualify_by").is_some_and(|value| *value != Json::Null);
    let spent_in = object.optional("currency", faults, currency);
    let period = object.optional(
        "period",
        faults,
        word(&[
            ("calendar_year", Period::CalendarYear),
            ("rolling_12_months", Period::Rolling12Months),
            ("membership_year", Period::MembershipYear),
            ("lifetime", Period::Lifetime),
        ]),
    );
    object.optional("keep", faults, word(&[("through_next_period", ())]));
    let levels = object.required("levels", faults, list(1, MOST_LEVELS, level));
    object.finish(faults);

    if let Some(levels) = &levels {
        let at = at.name("levels");
        refuse_doubled(levels.iter().map(|level| &level.id), &at, faults);
        if levels.first().is_some_and(|level| level.from != Some(0)) {
            faults.meaningless(&at.index(0).name("from"), "must be 0: everybody is on the first level");
        }
        let mut below = None;
        for (index, level) in levels.iter().enumerate() {
            if let (Some(from), Some(below)) = (level.from, below)
                && from <= below
            {
                faults.meaningless(&at.index(index).name("from"), "must be more than that of the levels before");
            }
            below = level.from.or(below);
        }
    }
    let qualify_by = match (by.unwrap_or(By::Points), spent_in) {
        // Whether a currency belongs there is not known.
        _ if unreadable => None,
        (By::Points, None) => Some(QualifyBy::PointsEarned),
        (By::Visits, None) => Some(QualifyBy::Visits),
        (By::Spend, Some(currency)) => Some(QualifyBy::Spend(currency)),
        (By::Spend, None) => {
            faults.malformed(&at.name("currency"), "is required where spend qualifies");
            None
        }
        (By::Points | By::Visits, Some(_)) => {
            faults.meaningless(&at.name("currency"), "has a meaning only where spend qualifies");
            None
        }
    };
    Some(Tiers { qualify_by: qualify_by?, period: period.unwrap_or(Period::CalendarYear), levels: levels? })
}

fn level(json: &Json, at: &Path<'_>, faults: &mut Faults) -> Option<Level> {
    let mut object = Object::new(json, at, faults)?;
    let id = object.required("id", faults, caller_id);
    let from = object.optional("from", faults, integer_within(0, MOST_MONEY));
    let multiply = object.optional("multiply", faults, factor).unwrap_or(Exact::ONE);
    let benefits = object.optional("benefits", faults, list(0, MOST_BENEFITS, benefit)).unwrap_or_default();
    let entry_bonus = object.optional("entry_bonus", faults, integer_within(0, MOST_POINTS)).unwrap_or(0);
    object.finish(faults);
    Some(Level { id: id?, from, multiply, benefits, entry_bonus })
}

fn benefit(json: &Json, at: &Path<'_>, faults: &mut Faults) -> Option<Benefit> {
    let mut object = Object::new(json, at, faults)?;
    let key = object.optional("key", faults, caller_id);
    let text = object.optional("text", faults, name);
    object.finish(faults);
    if key.is_none() && text.is_none() {
        faults.malformed(at, "must have a key, a text or both");
        return None;
    }
    Some(Benefit { key, text })
}

/// A factor: at most 1,000 with at most four decimals, so that several of them still multiply exactly.
pub(super) fn factor(json: &Json, at: &Path<'_>, faults: &mut Faults) -> Option<Exact> {
    let factor = decimal(json, at, faults)?;
    if factor > Exact::whole(1_000) || 10_000 % factor.denominator() != 0 {
        faults.meaningless(at, "must be at most 1000 and have at most four decimals");
        return None;
    }
    Some(factor)
}
