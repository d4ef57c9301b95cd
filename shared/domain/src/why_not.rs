//! Why rules gave a purchase nothing, in words a cashier can read out.

use crate::award::{AwardLine, Awarded, BUDGET_SPENT, Caps, limit_words};
use crate::calendar::Moment;
use crate::id::RuleId;
use crate::money::Currency;
use crate::program::condition::{Condition, Facts, LineFacts};
use crate::program::{Award, Program, Trigger};

/// A rule that gave a purchase nothing, and why, in words a cashier can read out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotApplied {
    /// The rule.
    pub rule: RuleId,
    /// What kept it.
    pub because: Vec<String>,
}

/// The purchase rules that gave nothing, each with the clauses that failed.
#[must_use]
pub fn not_applied(
    program: &Program,
    facts: &Facts<'_>,
    currency: Currency,
    lines: &[AwardLine<'_>],
    caps: Caps<'_>,
    awarded: &Awarded,
) -> Vec<NotApplied> {
    let line_facts: Vec<LineFacts<'_>> = lines.iter().map(|line| line.facts).collect();
    let purchase_rules = program.rules.iter().enumerate().filter(|(_, rule)| rule.on == Trigger::Purchase);
    let mut all = Vec::new();
    for (place, rule) in purchase_rules.filter(|(place, _)| !awarded.gave.contains(place)) {
        let mut because = closed(program, (rule.from, rule.until), rule.when.as_ref(), facts, &line_facts);
        match rule.award {
            Award::PerAmount { currency: of, .. } if of != currency => {
                because.push(format!("it is for purchases in {of}"))
            }
            Award::PerAmount { .. } | Award::Multiply(_) | Award::Points(_) => {}
        }
        if let (true, Some(limit)) = (caps.used_up.contains(&place), rule.limit) {
            because.push(limit_words(limit.times, limit.per));
        }
        if awarded.of_budgets.contains(&(place, 0)) {
            because.push(BUDGET_SPENT.to_owned());
        }
        if because.is_empty() {
            because.push("there was nothing for it to give points for".to_owned());
        }
        all.push(NotApplied { rule: rule.id.clone(), because });
    }
    all
}

/// The goals of purchases for which this one counts nothing, each with the clauses that failed.
#[must_use]
pub fn goals_not_counted(
    program: &Program,
    facts: &Facts<'_>,
    lines: &[AwardLine<'_>],
    counted: impl Fn(&RuleId) -> bool,
) -> Vec<NotApplied> {
    let line_facts: Vec<LineFacts<'_>> = lines.iter().map(|line| line.facts).collect();
    let goals = program.goals.iter().filter(|goal| goal.on == Trigger::Purchase && !counted(&goal.id));
    let not_counted = goals.map(|goal| {
        let mut because = closed(program, (goal.from, goal.until), goal.when.as_ref(), facts, &line_facts);
        if because.is_empty() {
            because.push("nothing that costs something counts for it, or it comes too late for it".to_owned());
        }
        NotApplied { rule: goal.id.clone(), because }
    });
    not_counted.collect()
}

/// What of its window and condition keeps a rule from a purchase.
fn closed(
    program: &Program,
    (from, until): (Option<Moment>, Option<Moment>),
    when: Option<&Condition>,
    facts: &Facts<'_>,
    lines: &[LineFacts<'_>],
) -> Vec<String> {
    let mut because = Vec::new();
    if let Some(from) = from.filter(|from| facts.occurred_at < *from) {
        because.push(format!("it begins on {}", program.zone.date_at(from)));
    }
    if let Some(until) = until.filter(|until| facts.occurred_at >= *until) {
        because.push(format!("it ended before {}", program.zone.date_at(until)));
    }
    if let Some(when) = when {
        let line_fulfils = || lines.iter().any(|line| when.holds(facts, Some(*line)) == Some(true));
        if !when.holds(facts, None).unwrap_or_else(line_fulfils) {
            when.failures(facts, lines, &program.names(), &mut because);
        }
    }
    because
}
