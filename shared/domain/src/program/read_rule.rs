//! Reads earning rules, and those of them that are goals.

use super::condition::Condition;
use super::read::{MOST_POINTS, limit};
use super::read_condition::{Context, condition};
use super::read_goal::{GoalTerms, goal_terms};
use super::read_tiers::factor;
use super::{Award, Goal, GoalAward, Granted, Grants, Limit, Rule, Trigger};
use crate::calendar::{Moment, Zone, date};
use crate::exact::{Exact, decimal};
use crate::id::{CallerId, RuleId, caller_id, label};
use crate::json::{Faults, Json, Object, Path, integer_within, word};
use crate::money::{MOST_MONEY, currency};

/// What stands in the list of earning rules.
pub(super) enum Earning {
    Rule(Rule),
    Goal(Goal),
}

impl Earning {
    pub(super) fn id(&self) -> &RuleId {
        match self {
            Earning::Rule(rule) => &rule.id,
            Earning::Goal(goal) => &goal.id,
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum On {
    Purchase,
    Activity,
    Enrolment,
}

/// Where rules stand: what they may refer to, and the zone in which their windows open.
pub(super) struct Surroundings<'c, 'l> {
    pub(super) context: &'c mut Context<'l>,
    pub(super) door: Option<&'c Zone>,
}

pub(super) fn earning(
    json: &Json,
    at: &Path<'_>,
    faults: &mut Faults,
    surroundings: &mut Surroundings<'_, '_>,
) -> Option<Earning> {
    let mut object = Object::new(json, at, faults)?;
    let id = object.required("id", faults, caller_id);
    let on = object.required(
        "on",
        faults,
        word(&[("purchase", On::Purchase), ("activity", On::Activity), ("enrolment", On::Enrolment)]),
    );
    let activity = object.optional("activity", faults, caller_id);
    let when = object.optional("when", faults, |json: &Json, at: &Path<'_>, faults: &mut Faults| {
        condition(json, at, faults, surroundings.context, 1)
    });
    let goal = object.optional("goal", faults, goal_terms);
    let grants = object.optional("grants", faults, |json: &Json, at: &Path<'_>, faults: &mut Faults| {
        self::grants(json, at, faults, surroundings.context)
    });
    let given = |object: &mut Object<'_>, name| object.raw(name).is_some_and(|value| *value != Json::Null);
    let is_goal = given(&mut object, "goal");
    let has_grants = given(&mut object, "grants");
    // Granting a level or a tag is worth something without points.
    let award = if has_grants && !is_goal {
        object.optional("award", faults, award).or(Some(Gives::Award(Award::Points(0))))
    } else {
        object.required("award", faults, award)
    };
    let from = object.optional("from", faults, date);
    let until = object.optional("until", faults, date);
    let limit = object.optional("limit", faults, limit);
    let budget = object.optional("budget", faults, budget);
    object.finish(faults);

    // Dates are compared, not their first instants, which a document with a wrong zone does not have.
    if let (Some(from), Some(until)) = (from, until)
        && until <= from
    {
        faults.meaningless(&at.name("until"), "must be after from: until is exclusive");
    }
    let start = |date| surroundings.door.map_or(Moment::from_millis(0), |zone| zone.start_of(date));
    let (from, until) = (from.map(start), until.map(start));
    let on = trigger(on?, activity, at, faults)?;
    if on != Trigger::Purchase && when.as_ref().is_some_and(Condition::looks_at_lines_or_purchase) {
        faults.meaningless(
            &at.name("when"),
            "an activity or enrolment has no lines, total, channel, store or first purchase",
        );
    }
    if on == Trigger::Enrolment && when.as_ref().is_some_and(Condition::looks_at_attributes) {
        faults.meaningless(&at.name("when"), "an enrolment has no attributes");
    }
    if on == Trigger::Purchase && when.as_ref().is_some_and(Condition::looks_at_attributes) {
        faults.meaningless(&at.name("when"), "a purchase has no attributes");
    }
    if has_grants && (is_goal || !matches!(on, Trigger::Activity(_))) {
        faults.meaningless(&at.name("grants"), "has a meaning only where an activity triggers, and beside no goal");
    }
    if is_goal {
        refuse_beside_goal(&on, limit.as_ref(), budget, at, faults);
        let award = goal_award(award?, at, faults)?;
        let GoalTerms { count, of, within_days, streak, repeat } = goal?;
        if !of.counts(&on) {
            faults.meaningless(&at.name("goal").name("of"), "is not what this rule is set off by");
        }
        let goal = Goal { id: id?, on, when, from, until, count, of, within_days, streak, repeat, award };
        return Some(Earning::Goal(goal));
    }
    if budget.is_some() && on == Trigger::Enrolment {
        faults.meaningless(&at.name("budget"), "cannot be kept for enrolments: limit the welcome by its window");
    }
    let award = match award? {
        Gives::Award(award) => award,
        Gives::Badge(_) | Gives::Reward(_) => {
            faults.meaningless(
                &at.name("award"),
                "a badge or reward is given for a goal: add one, with count 1 if need be",
            );
            return None;
        }
    };
    if on != Trigger::Purchase && !matches!(award, Award::Points(_)) {
        faults.meaningless(&at.name("award"), "an activity or enrolment has no amount: award points");
    }
    Some(Earning::Rule(Rule { id: id?, on, when, award, from, until, limit, budget, grants }))
}

fn trigger(on: On, activity: Option<CallerId>, at: &Path<'_>, faults: &mut Faults) -> Option<Trigger> {
    match (on, activity) {
        (On::Purchase, None) => Some(Trigger::Purchase),
        (On::Enrolment, None) => Some(Trigger::Enrolment),
        (On::Activity, Some(kind)) => Some(Trigger::Activity(kind)),
        (On::Activity, None) => {
            faults.malformed(&at.name("activity"), "is required where an activity triggers");
            None
        }
        (On::Purchase | On::Enrolment, Some(_)) => {
            faults.meaningless(&at.name("activity"), "has a meaning only where an activity triggers");
            None
        }
    }
}

fn refuse_beside_goal(on: &Trigger, limit: Option<&Limit>, budget: Option<i64>, at: &Path<'_>, faults: &mut Faults) {
    if *on == Trigger::Enrolment {
        faults.meaningless(&at.name("goal"), "is counted in purchases or activities: nobody enrols twice");
    }
    if limit.is_some() {
        faults.meaningless(&at.name("limit"), "cannot be kept for a goal: leave out repeat, and it is reached once");
    }
    if budget.is_some() {
        faults.meaningless(&at.name("budget"), "cannot be kept for a goal");
    }
}

fn goal_award(award: Gives, at: &Path<'_>, faults: &mut Faults) -> Option<GoalAward> {
    match award {
        Gives::Award(Award::Points(points)) => Some(GoalAward::Points(points)),
        Gives::Badge(badge) => Some(GoalAward::Badge(badge)),
        Gives::Reward(reward) => Some(GoalAward::Reward(reward)),
        Gives::Award(Award::PerAmount { .. } | Award::Multiply(_)) => {
            faults.meaningless(&at.name("award"), "a goal has no amount: award points, a badge or a reward");
            None
        }
    }
}

/// What a rule gives, as its document says it.
enum Gives {
    Award(Award),
    Badge(CallerId),
    Reward(CallerId),
}

fn award(json: &Json, at: &Path<'_>, faults: &mut Faults) -> Option<Gives> {
    let mut object = Object::new(json, at, faults)?;
    let per_amount = object.optional("per_amount", faults, per_amount).map(Gives::Award);
    let multiply = object.optional("multiply", faults, factor).map(|by| Gives::Award(Award::Multiply(by)));
    let points = object.optional("points", faults, integer_within(0, MOST_POINTS));
    let points = points.map(|points| Gives::Award(Award::Points(points)));
    let badge = object.optional("badge", faults, caller_id).map(Gives::Badge);
    let reward = object.optional("reward", faults, caller_id).map(Gives::Reward);
    let mut given = 0;
    for name in ["per_amount", "multiply", "points", "badge", "reward"] {
        // As everywhere, null is as good as left out.
        given += u8::from(object.raw(name).is_some_and(|value| *value != Json::Null));
    }
    object.finish(faults);
    if given != 1 {
        faults.malformed(at, "must have exactly one of: per_amount, multiply, points, badge, reward");
        return None;
    }
    per_amount.or(multiply).or(points).or(badge).or(reward)
}

fn grants(json: &Json, at: &Path<'_>, faults: &mut Faults, context: &mut Context<'_>) -> Option<Grants> {
    let mut object = Object::new(json, at, faults)?;
    let tier = object
        .optional("tier", faults, |json: &Json, at: &Path<'_>, faults: &mut Faults| context.level(json, at, faults));
    let tag = object.optional("tag", faults, label);
    let days = object.required("days", faults, integer_within(1, 3_660));
    let on = object.optional("on", faults, label);
    let given = ["tier", "tag"].map(|name| object.raw(name).is_some_and(|value| *value != Json::Null));
    object.finish(faults);
    if given[0] == given[1] {
        faults.malformed(at, "must have exactly one of: tier, tag");
        return None;
    }
    if tier == Some(0) {
        faults.meaningless(&at.name("tier"), "is the level that everybody has");
    }
    if given[0] && on.is_some() {
        faults.meaningless(&at.name("on"), "has a meaning only for a tag: a level lasts from the activity on");
    }
    let what = tier.map(Granted::Level).or_else(|| tag.map(|tag| Granted::Tag(context.place(tag))))?;
    Some(Grants { what, days: i32::try_from(days?).ok()?, on })
}

fn per_amount(json: &Json, at: &Path<'_>, faults: &mut Faults) -> Option<Award> {
    let mut object = Object::new(json, at, faults)?;
    let points = object.required("points", faults, decimal);
    let amount = object.required("amount", faults, integer_within(1, 1_000_000_000));
    let currency = object.required("currency", faults, currency);
    object.finish(faults);
    let points = points?;
    if points > Exact::whole(1_000_000) {
        faults.meaningless(&at.name("points"), "must be at most 1000000");
        return None;
    }
    Some(Award::PerAmount { points, amount: amount?, currency: currency? })
}

fn budget(json: &Json, at: &Path<'_>, faults: &mut Faults) -> Option<i64> {
    let mut object = Object::new(json, at, faults)?;
    let points = object.required("points", faults, integer_within(1, MOST_MONEY));
    object.finish(faults);
    points
}
