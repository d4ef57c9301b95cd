//! What rules give, within their limits and budgets.

use super::{Awarded, TooMuch};
use crate::entry::Reason;
use crate::exact::{Exact, Rounding};
use crate::program::Rule;

/// What rules can still give.
#[derive(Debug, Clone, Copy, Default)]
pub struct Caps<'a> {
    /// The places of the rules whose limit is reached: they give nothing and say so.
    pub used_up: &'a [usize],
    /// What is left of the budgets of rules, by their places. A budget that is not named has enough.
    pub budgets: &'a [(usize, i64)],
}

impl Caps<'_> {
    fn budget_left(&self, place: usize) -> Option<i64> {
        self.budgets.iter().find(|(rule, _)| *rule == place).map(|(_, left)| *left)
    }
}

/// What was given so far, and how it came about.
pub(crate) struct Given<'a> {
    caps: Caps<'a>,
    pub(crate) gave: Vec<usize>,
    of_budgets: Vec<(usize, i64)>,
    pub(crate) explanation: Vec<Reason>,
}

impl<'a> Given<'a> {
    pub(crate) fn new(caps: Caps<'a>) -> Self {
        Given { caps, gave: Vec::new(), of_budgets: Vec::new(), explanation: Vec::new() }
    }

    /// Whether a rule's limit is reached; notes that it would have given something had it not been.
    pub(crate) fn used_up(&mut self, place: usize, rule: &Rule) -> bool {
        let reached = self.caps.used_up.contains(&place);
        if let (true, Some(limit)) = (reached, rule.limit) {
            self.explanation.push(Reason::LimitReached { rule: rule.id.clone(), times: limit.times, per: limit.per });
        }
        reached
    }

    /// What a rule with a budget gives of what it would give: all, or what is left; and by what its lines shrink.
    pub(crate) fn within_budget(&mut self, place: usize, rule: &Rule, share: Exact) -> Result<(Exact, Exact), TooMuch> {
        if rule.budget.is_none() || share <= Exact::ZERO {
            return Ok((share, Exact::ONE));
        }
        let left = self.caps.budget_left(place).unwrap_or(i64::MAX).max(0);
        let wanted = share.rounded(Rounding::Ceil).ok_or(TooMuch)?;
        self.of_budgets.push((place, wanted.min(left)));
        if wanted <= left {
            return Ok((share, Exact::ONE));
        }
        self.explanation.push(Reason::BudgetShort { rule: rule.id.clone(), left });
        let given = Exact::whole(left);
        let shrink = Exact::fraction(share.denominator(), share.numerator()).and_then(|inverse| inverse.times(given));
        Ok((given, shrink.ok_or(TooMuch)?))
    }

    /// What a rule of fixed points gives of them within its budget.
    pub(crate) fn fixed(&mut self, place: usize, rule: &Rule, points: i64) -> Result<i64, TooMuch> {
        let (given, _) = self.within_budget(place, rule, Exact::whole(points))?;
        let given = given.rounded(Rounding::Floor).ok_or(TooMuch)?;
        if given > 0 {
            self.gave.push(place);
            self.explanation.push(Reason::Fixed { rule: rule.id.clone(), points: given });
        }
        Ok(given)
    }

    pub(crate) fn awarded(mut self, points: i64) -> Awarded {
        self.gave.sort_unstable();
        Awarded { points, gave: self.gave, of_budgets: self.of_budgets, explanation: self.explanation }
    }
}
