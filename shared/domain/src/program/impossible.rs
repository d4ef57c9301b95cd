//! Refuses rules and rewards that can never do anything: they are mistakes, and their author should hear of them before members do.
//!
//! Only what is certain is refused. Windows in the past are not: late purchases still fall into them.

use super::condition::{Condition, Names};
use super::possible::World;
use super::{Award, Goal, Program, QualifyBy, Rule, Trigger};
use crate::calendar::{Moment, Per};
use crate::json::{Faults, Json, Path};
use crate::money::Currency;
use std::collections::BTreeSet;

/// What is said of what a window leaves out.
const BETWEEN: &str = " between from and until";

/// Pairs of rules that are looked at, so that no document keeps whoever publishes it waiting; beyond, all is well.
const MOST_PAIRS: usize = 20_000;

/// A rule or goal as it stands in the document.
struct Earner<'a> {
    on: &'a Trigger,
    when: Option<&'a Condition>,
    from: Option<Moment>,
    until: Option<Moment>,
    award: Option<Award>,
}

impl<'a> Earner<'a> {
    fn of_rule(rule: &'a Rule) -> Self {
        let Rule { on, when, from, until, award, .. } = rule;
        Earner { on, when: when.as_ref(), from: *from, until: *until, award: Some(*award) }
    }

    fn of_goal(goal: &'a Goal) -> Self {
        let Goal { on, when, from, until, .. } = goal;
        Earner { on, when: when.as_ref(), from: *from, until: *until, award: None }
    }

    /// What can be when it is judged, in steps, each narrower than the one before, with what narrows it.
    fn worlds(&self, program: &'a Program) -> Vec<(World<'a>, String)> {
        let anything = World::at(self.on, program);
        let words = if *self.on == Trigger::Enrolment { " when somebody enrols" } else { "" };
        let mut worlds = vec![(anything.clone(), words.to_owned())];
        let mut narrower = anything;
        if let Some(Award::PerAmount { currency, .. }) = self.award {
            narrower = narrower.in_currency(currency);
            worlds.push((narrower.clone(), format!(" for a purchase in {currency}")));
        }
        worlds.push((narrower.within(self.from, self.until, &program.zone), BETWEEN.to_owned()));
        worlds
    }
}

/// Notes every rule and goal of a document that can never do anything.
pub(super) fn refuse(program: &Program, rules: &[Json], at: &Path<'_>, faults: &mut Faults) {
    let known = currencies(program);
    let names = program.names();
    let mut looked_at = 0;
    let (mut next_rule, mut next_goal) = (program.rules.iter(), program.goals.iter());
    for (index, json) in rules.iter().enumerate() {
        let at = at.index(index);
        let (earner, goal) = if is_goal(json) {
            let Some(goal) = next_goal.next() else { return };
            (Earner::of_goal(goal), Some(goal))
        } else {
            let Some(rule) = next_rule.next() else { return };
            (Earner::of_rule(rule), None)
        };
        let before = faults.list().len();
        if let Some(when) = earner.when {
            refuse_unknown_currencies(when, &known, &at.name("when"), faults);
            if faults.list().len() == before {
                refuse_impossible(when, earner.worlds(program), &names, &at.name("when"), faults);
            }
        }
        if let Some(goal) = goal {
            refuse_endless_streak(goal, program, &at, faults);
        }
        if let (Some(Award::Multiply(_)), true) = (earner.award, faults.list().len() == before) {
            refuse_idle_multiplier(&earner, program, &mut looked_at, &at, faults);
        }
    }
}

/// Notes every reward that nobody can ever have.
pub(super) fn refuse_rewards(program: &Program, at: &Path<'_>, faults: &mut Faults) {
    for (index, reward) in program.rewards.iter().enumerate() {
        let Some(when) = &reward.when else { continue };
        let anything = World::anything(program);
        let within = anything.clone().within(reward.from, reward.until, &program.zone);
        let worlds = vec![(anything, String::new()), (within, BETWEEN.to_owned())];
        refuse_impossible(when, worlds, &program.names(), &at.index(index).name("when"), faults);
    }
}

fn is_goal(json: &Json) -> bool {
    match json {
        Json::Map(fields) => fields.iter().any(|(name, value)| name == "goal" && *value != Json::Null),
        Json::Null | Json::Bool(_) | Json::Int(_) | Json::OtherNumber | Json::Text(_) | Json::List(_) => false,
    }
}

/// The currencies in which the program deals; none if it says nothing about money.
fn currencies(program: &Program) -> BTreeSet<Currency> {
    let rates = program.rules.iter().filter_map(|rule| match rule.award {
        Award::PerAmount { currency, .. } => Some(currency),
        Award::Multiply(_) | Award::Points(_) => None,
    });
    let spend = match program.tiers.qualify_by {
        QualifyBy::Spend(currency) => Some(currency),
        QualifyBy::PointsEarned | QualifyBy::Visits => None,
    };
    rates.chain(spend).collect()
}

fn refuse_unknown_currencies(when: &Condition, known: &BTreeSet<Currency>, at: &Path<'_>, faults: &mut Faults) {
    let at = at.name(when.key());
    match when {
        Condition::All(clauses) | Condition::Any(clauses) => {
            for (index, clause) in clauses.iter().enumerate() {
                refuse_unknown_currencies(clause, known, &at.index(index), faults);
            }
        }
        Condition::Not(clause) => refuse_unknown_currencies(clause, known, &at, faults),
        Condition::NetTotalAtLeast(least) => {
            if !known.is_empty() && !known.contains(&least.currency) {
                faults.meaningless(
                    &at.name("currency"),
                    "is a currency in which no rule and no tier of this program deals",
                );
            }
        }
        Condition::LineCategory(_)
        | Condition::LineSku(_)
        | Condition::Channel(_)
        | Condition::Store(_)
        | Condition::Tier(_)
        | Condition::Tag(_)
        | Condition::LocalWeekday(_)
        | Condition::LocalTime { .. }
        | Condition::FirstPurchase
        | Condition::MemberDaysAtLeast(_)
        | Condition::Attribute { .. } => {}
    }
}

fn refuse_impossible<'a>(
    when: &'a Condition,
    worlds: Vec<(World<'a>, String)>,
    names: &Names<'_>,
    at: &Path<'_>,
    faults: &mut Faults,
) {
    if let Some((world, words)) = worlds.into_iter().find(|(world, _)| !world.clone().meet(when, true)) {
        blame(&Blame { world: &world, words: &words, names }, when, at, faults);
    }
}

struct Blame<'b, 'a> {
    world: &'b World<'a>,
    words: &'b str,
    names: &'b Names<'b>,
}

/// Finds the innermost clause that cannot hold, and the one before it that keeps it from it.
fn blame<'a>(it: &Blame<'_, 'a>, when: &'a Condition, at: &Path<'_>, faults: &mut Faults) {
    let at = &at.name(when.key());
    let Blame { world, words, names } = it;
    let alone = |clause: &'a Condition| (*world).clone().meet(clause, true);
    match when {
        Condition::All(clauses) => {
            if let Some((index, clause)) = clauses.iter().enumerate().find(|(_, clause)| !alone(clause)) {
                return blame(it, clause, &at.index(index), faults);
            }
            let mut together = (*world).clone();
            for (index, clause) in clauses.iter().enumerate() {
                if !together.meet(clause, true) {
                    let beside = |other: &&'a Condition| {
                        let mut both = (*world).clone();
                        !(both.meet(other, true) && both.meet(clause, true))
                    };
                    let other = clauses.iter().take(index).find(beside);
                    let other =
                        other.map_or_else(|| "all that stands before it".to_owned(), |other| other.words(names));
                    faults.meaningless(&at.index(index), format!("can never hold{words} beside: {other}"));
                    return;
                }
            }
            faults.meaningless(at, format!("can never hold together{words}"));
        }
        Condition::Any(clauses) => match clauses.as_slice() {
            [clause] => blame(it, clause, &at.index(0), faults),
            _ => faults.meaningless(at, format!("none of these can ever hold{words}")),
        },
        Condition::Not(_)
        | Condition::NetTotalAtLeast(_)
        | Condition::LineCategory(_)
        | Condition::LineSku(_)
        | Condition::Channel(_)
        | Condition::Store(_)
        | Condition::Tier(_)
        | Condition::Tag(_)
        | Condition::LocalWeekday(_)
        | Condition::LocalTime { .. }
        | Condition::FirstPurchase
        | Condition::MemberDaysAtLeast(_)
        | Condition::Attribute { .. } => faults.meaningless(at, format!("can never hold{words}")),
    }
}

/// Refuses a multiplier that finds nothing to multiply, whatever is bought.
fn refuse_idle_multiplier(
    multiplier: &Earner<'_>,
    program: &Program,
    looked_at: &mut usize,
    at: &Path<'_>,
    faults: &mut Faults,
) {
    let mut rates = program.rules.iter().filter(|rule| matches!(rule.award, Award::PerAmount { .. }));
    let multiplied = rates.any(|rate| {
        *looked_at += 1;
        if *looked_at > MOST_PAIRS {
            return true;
        }
        let rate = Earner::of_rule(rate);
        let from = multiplier.from.max(rate.from);
        let until = multiplier.until.into_iter().chain(rate.until).min();
        let overlap = from.zip(until).is_none_or(|(from, until)| from < until);
        let both = Earner { from, until, ..rate };
        let Some((mut world, _)) = both.worlds(program).pop() else { return true };
        overlap
            && both.when.is_none_or(|when| world.meet(when, true))
            && multiplier.when.is_none_or(|when| world.meet(when, true))
    });
    if !multiplied {
        let detail = "multiplies nothing: no rule gives points per amount to what this one selects";
        faults.meaningless(&at.name("award").name("multiply"), detail);
    }
}

/// Refuses a streak that is longer than its window.
fn refuse_endless_streak(goal: &Goal, program: &Program, at: &Path<'_>, faults: &mut Faults) {
    let (Some(pace), Some(from), Some(until)) = (goal.streak, goal.from, goal.until) else { return };
    let days = i64::from((program.zone.date_at(until) - program.zone.date_at(from)).get_days());
    // Streaks are counted where the members live: around the world, a window touches up to three days more.
    let days = days.max(1) + 3;
    let most = match pace {
        Per::Day => days,
        Per::Week => (days + 5) / 7 + 1,
        Per::Month => (days + 26) / 28 + 1,
        Per::Year | Per::Ever => return,
    };
    if goal.count > most {
        let detail = "can never be reached between from and until";
        faults.meaningless(&at.name("goal").name("count"), detail);
    }
}

impl Condition {
    /// Its name in documents.
    fn key(&self) -> &'static str {
        match self {
            Condition::All(_) => "all",
            Condition::Any(_) => "any",
            Condition::Not(_) => "not",
            Condition::NetTotalAtLeast(_) => "net_total_at_least",
            Condition::LineCategory(_) => "line_category",
            Condition::LineSku(_) => "line_sku",
            Condition::Channel(_) => "channel",
            Condition::Store(_) => "store",
            Condition::Tier(_) => "tier",
            Condition::Tag(_) => "tag",
            Condition::LocalWeekday(_) => "local_weekday",
            Condition::LocalTime { .. } => "local_time",
            Condition::FirstPurchase => "first_purchase",
            Condition::MemberDaysAtLeast(_) => "member_days_at_least",
            Condition::Attribute { .. } => "attribute",
        }
    }
}
