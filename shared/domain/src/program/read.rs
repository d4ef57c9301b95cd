//! Reads the program document: every fault at once, and nothing that could never work.

use super::condition::Condition;
use super::read_condition::{Context, condition};
use super::{
    Award, Expiry, Level, Limit, Period, PointsPolicy, Program, QualifyBy, Rule, Shortfall, Snap, Tiers, Trigger,
    read_offers,
};
use crate::calendar::{Moment, Per, date, moment, zone};
use crate::exact::{Exact, Rounding, decimal};
use crate::id::{CallerId, LevelId, caller_id};
use crate::json::{Faults, Json, Object, Path, integer_within, list, text, word};
use crate::money::{MOST_MONEY, currency};

/// The most points that one rule, reward or grant can be about.
pub(super) const MOST_POINTS: i64 = 1_000_000_000;
const MOST_RULES: usize = 2_000;
const MOST_LEVELS: usize = 20;
/// Counters of limited rules that an account may come to hold, so that it stays far from DynamoDB's 400 KB.
const MOST_COUNTERS: i64 = 4_000;
/// Rates of one program must have a common denominator below this, so that sums of them stay exact in 128 bits.
const MOST_DENOMINATOR: i128 = 1_000_000_000_000;

pub(super) fn program(json: &Json, faults: &mut Faults) -> Option<Program> {
    let root = Path::ROOT;
    let mut object = Object::new(json, &root, faults)?;
    let name = object.required("name", faults, name);
    let zone = object.required("time_zone", faults, zone);
    let point_name = object.optional("point_name", faults, self::name).unwrap_or_else(|| "points".to_owned());
    let rounding = object.required("rounding", faults, word(Rounding::WORDS));
    let points = object.required("points", faults, points_policy);
    let tiers = object.required("tiers", faults, tiers);
    let level_ids: Vec<LevelId> =
        tiers.as_ref().map(|t| t.levels.iter().map(|level| level.id.clone()).collect()).unwrap_or_default();
    let mut context = Context { levels: tiers.is_some().then_some(level_ids.as_slice()), tags: Vec::new() };
    let door = zone.clone();
    let rules = object.required(
        "earning_rules",
        faults,
        list(0, MOST_RULES, |json, at, faults| rule(json, at, faults, &mut context, door.as_ref())),
    );
    let tags = context.tags;
    let rewards = object.optional("rewards", faults, list(0, 1_000, read_offers::reward)).unwrap_or_default();
    let referral = object.optional("referral", faults, read_offers::referral);
    let birthday = object.optional("birthday", faults, read_offers::birthday);
    let effective_from = object.optional("effective_from", faults, moment);
    object.finish(faults);

    if let Some(rules) = &rules {
        refuse_doubled(rules.iter().map(|rule| &rule.id), &root.name("earning_rules"), faults);
        refuse_endless_fractions(rules, &root.name("earning_rules"), faults);
    }
    if let (Some(rules), Some(points)) = (&rules, &points) {
        refuse_endless_counters(rules, points, &root.name("earning_rules"), faults);
    }
    refuse_doubled(rewards.iter().map(|reward| &reward.id), &root.name("rewards"), faults);
    Some(Program {
        name: name?,
        zone: zone?,
        point_name,
        rounding: rounding?,
        points: points?,
        rules: rules?,
        tiers: tiers?,
        rewards,
        referral,
        birthday,
        effective_from,
        tags,
        level_ids,
    })
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

fn refuse_doubled<'a>(ids: impl Iterator<Item = &'a CallerId>, at: &Path<'_>, faults: &mut Faults) {
    let mut seen = std::collections::BTreeSet::new();
    for (index, id) in ids.enumerate() {
        if !seen.insert(id) {
            faults.meaningless(&at.index(index).name("id"), "is the id of another one too");
        }
    }
}

fn refuse_endless_fractions(rules: &[Rule], at: &Path<'_>, faults: &mut Faults) {
    let mut common: i128 = 1;
    for (index, rule) in rules.iter().enumerate() {
        if let Award::PerAmount { points, amount, .. } = rule.award {
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
fn refuse_endless_counters(rules: &[Rule], points: &PointsPolicy, at: &Path<'_>, faults: &mut Faults) {
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
        counters += rule.limit.map_or(0, |limit| periods(limit.per));
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

fn tiers(json: &Json, at: &Path<'_>, faults: &mut Faults) -> Option<Tiers> {
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
        if levels.first().is_some_and(|level| level.from != 0) {
            faults.meaningless(&at.index(0).name("from"), "must be 0: everybody is on the first level");
        }
        for (index, (lower, higher)) in levels.iter().zip(levels.iter().skip(1)).enumerate() {
            if higher.from <= lower.from {
                faults.meaningless(&at.index(index + 1).name("from"), "must be more than that of the level before");
            }
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
    let from = object.required("from", faults, integer_within(0, MOST_MONEY));
    let multiply = object.optional("multiply", faults, factor).unwrap_or(Exact::ONE);
    object.finish(faults);
    Some(Level { id: id?, from: from?, multiply })
}

/// A factor: at most 1,000 with at most four decimals, so that several of them still multiply exactly.
fn factor(json: &Json, at: &Path<'_>, faults: &mut Faults) -> Option<Exact> {
    let factor = decimal(json, at, faults)?;
    if factor > Exact::whole(1_000) || 10_000 % factor.denominator() != 0 {
        faults.meaningless(at, "must be at most 1000 and have at most four decimals");
        return None;
    }
    Some(factor)
}

fn rule(
    json: &Json,
    at: &Path<'_>,
    faults: &mut Faults,
    context: &mut Context<'_>,
    door: Option<&crate::calendar::Zone>,
) -> Option<Rule> {
    #[derive(Clone, Copy, PartialEq)]
    enum On {
        Purchase,
        Activity,
        Enrolment,
    }
    let mut object = Object::new(json, at, faults)?;
    let id = object.required("id", faults, caller_id);
    let on = object.required(
        "on",
        faults,
        word(&[("purchase", On::Purchase), ("activity", On::Activity), ("enrolment", On::Enrolment)]),
    );
    let activity = object.optional("activity", faults, caller_id);
    let when = object.optional("when", faults, |json: &Json, at: &Path<'_>, faults: &mut Faults| {
        condition(json, at, faults, context, 1)
    });
    let award = object.required("award", faults, award);
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
    let start = |date| door.map_or(Moment::from_millis(0), |zone| zone.start_of(date));
    let (from, until) = (from.map(start), until.map(start));
    let on = match (on?, activity) {
        (On::Purchase, None) => Trigger::Purchase,
        (On::Enrolment, None) => Trigger::Enrolment,
        (On::Activity, Some(kind)) => Trigger::Activity(kind),
        (On::Activity, None) => {
            faults.malformed(&at.name("activity"), "is required where an activity triggers");
            return None;
        }
        (On::Purchase | On::Enrolment, Some(_)) => {
            faults.meaningless(&at.name("activity"), "has a meaning only where an activity triggers");
            return None;
        }
    };
    if budget.is_some() && on == Trigger::Enrolment {
        faults.meaningless(&at.name("budget"), "cannot be kept for enrolments: limit the welcome by its window");
    }
    if on != Trigger::Purchase {
        if when.as_ref().is_some_and(Condition::looks_at_lines_or_purchase) {
            faults.meaningless(
                &at.name("when"),
                "an activity or enrolment has no lines, total, channel, store or first purchase",
            );
        }
        if !matches!(award, Some(Award::Points(_)) | None) {
            faults.meaningless(&at.name("award"), "an activity or enrolment has no amount: award points");
        }
    }
    Some(Rule { id: id?, on, when, award: award?, from, until, limit, budget })
}

fn award(json: &Json, at: &Path<'_>, faults: &mut Faults) -> Option<Award> {
    let mut object = Object::new(json, at, faults)?;
    let per_amount = object.optional("per_amount", faults, per_amount);
    let multiply = object.optional("multiply", faults, factor);
    let points = object.optional("points", faults, integer_within(0, MOST_POINTS));
    let mut given = 0;
    for name in ["per_amount", "multiply", "points"] {
        // As everywhere, null is as good as left out.
        given += u8::from(object.raw(name).is_some_and(|value| *value != Json::Null));
    }
    object.finish(faults);
    if given != 1 {
        faults.malformed(at, "must have exactly one of: per_amount, multiply, points");
        return None;
    }
    per_amount.or(multiply.map(Award::Multiply)).or(points.map(Award::Points))
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
