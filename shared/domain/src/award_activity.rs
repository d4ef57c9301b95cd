//! What an activity is worth: fixed points, from every rule that it meets.

use crate::award::{Awarded, Caps, Given, TooMuch};
use crate::entry::Reason;
use crate::id::CallerId;
use crate::program::condition::Facts;
use crate::program::{Award, Program, Trigger};

/// Awards an activity of a type: the points of all rules for that type whose window and condition admit it, one after the
/// other in the order of the document, each within its limit and budget.
///
/// A rule that grants a level or a tag has given something without points, and though its budget is spent; only its limit
/// keeps it. Explanations are about points: what is granted is for the caller to tell.
///
/// # Errors
/// [`TooMuch`] where a number would overflow.
pub fn award_activity(
    program: &Program,
    facts: &Facts<'_>,
    kind: &CallerId,
    caps: Caps<'_>,
) -> Result<Awarded, TooMuch> {
    let mut given = Given::new(caps);
    let mut points = 0_i64;
    for (place, rule) in program.rules.iter().enumerate() {
        let of_kind = matches!(&rule.on, Trigger::Activity(named) if named == kind);
        // The reader lets activities award nothing but fixed points.
        let Award::Points(fixed) = rule.award else { continue };
        if !of_kind || !rule.in_window(facts.occurred_at) || (fixed == 0 && rule.grants.is_none()) {
            continue;
        }
        let admits = rule.when.as_ref().is_none_or(|when| when.holds(facts, None) == Some(true));
        if !admits || given.used_up(place, rule) {
            continue;
        }
        let more = given.fixed(place, rule, fixed)?;
        points = points.checked_add(more).ok_or(TooMuch)?;
        if more == 0 && rule.grants.is_some() {
            given.gave.push(place);
        }
    }
    if given.explanation.is_empty() && given.gave.is_empty() {
        given.explanation.push(Reason::NoRuleApplied);
    }
    Ok(given.awarded(points))
}
