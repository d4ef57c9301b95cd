//! Campaign budgets: points over all members, in counters spread over shards so that a busy campaign has no hot item.
//!
//! Each shard may spend its share of the budget, and its counter is moved in the purchase's own transaction under the
//! condition that the share is not overdrawn; so no race overdraws a budget. A purchase first tries the member's own shard.
//! Only when that has too little are all shards read, the award trimmed to what is left in them, and taken from several.
//! What refunds give back goes to the member's own shard, whose counter may thereby fall below nothing.

use crate::engine::Engine;
use crate::error::StoreError;
use crate::items::Item;
use crate::keys::{self, SK};
use crate::write::Fact;
use aws_sdk_dynamodb::types::AttributeValue;
use loyalty_domain::draft::BudgetsLeft;
use loyalty_domain::id::{MemberId, ProgramId, RuleId};
use loyalty_domain::purchase::BudgetUse;
use std::collections::BTreeMap;

/// Over how many shards a budget is spread; the same for all, because a budget outlives program versions.
pub const BUDGET_SHARDS: usize = 8;

/// What a campaign has spent, by shard, beside its budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Spent {
    budget: i64,
    by_shard: [i64; BUDGET_SHARDS],
}

/// The campaigns that were looked at while a command was decided.
#[derive(Debug, Default)]
pub(crate) struct Known(BTreeMap<RuleId, Spent>);

impl Spent {
    /// The share of a shard: the shares sum to the budget.
    fn share(budget: i64, shard: usize) -> i64 {
        let shards = i64::try_from(BUDGET_SHARDS).unwrap_or(1);
        let rest = usize::try_from(budget % shards).unwrap_or(0);
        budget / shards + i64::from(shard < rest)
    }

    fn left_in(&self, shard: usize) -> i64 {
        let spent = self.by_shard.get(shard).copied().unwrap_or(i64::MAX);
        Self::share(self.budget, shard).saturating_sub(spent).max(0)
    }

    /// Points left in all shards.
    fn left(&self) -> i64 {
        (0..BUDGET_SHARDS).fold(0, |sum, shard| sum.saturating_add(self.left_in(shard)))
    }
}

impl Known {
    /// What is left of each, for the decision.
    pub(crate) fn left(&self) -> BudgetsLeft {
        self.0.iter().map(|(rule, spent)| (rule.clone(), spent.left())).collect()
    }

    pub(crate) fn learn(&mut self, rule: RuleId, spent: Spent) {
        self.0.insert(rule, spent);
    }

    /// The writes for what a command takes from and gives back to campaigns, or the first campaign that must be looked
    /// at before.
    pub(crate) fn writes(&self, uses: &[BudgetUse], member: Option<MemberId>) -> Result<Vec<Fact>, BudgetUse> {
        let home = usize::try_from(member.map_or(0, keys::shard)).unwrap_or(0) % BUDGET_SHARDS;
        let mut facts = Vec::new();
        for used in uses {
            if used.points < 0 || used.granted {
                facts.push(Fact::Budget {
                    rule: used.rule.clone(),
                    budget: used.budget,
                    shard: home,
                    points: used.points,
                    most: None,
                });
                continue;
            }
            let mut wanted = used.points;
            for step in 0..BUDGET_SHARDS {
                let shard = (home + step) % BUDGET_SHARDS;
                let known = self.0.get(&used.rule).map(|spent| spent.left_in(shard));
                // Of a campaign that was not looked at, only the own shard is tried, with all that is wanted.
                let from_here =
                    known.unwrap_or(if step == 0 { Spent::share(used.budget, shard) } else { 0 }).min(wanted);
                if from_here > 0 && (known.is_some() || from_here == wanted) {
                    let most = Some(Spent::share(used.budget, shard) - from_here);
                    facts.push(Fact::Budget {
                        rule: used.rule.clone(),
                        budget: used.budget,
                        shard,
                        points: from_here,
                        most,
                    });
                    wanted -= from_here;
                }
            }
            if wanted > 0 {
                return Err(used.clone());
            }
        }
        Ok(facts)
    }
}

impl Engine {
    /// Reads what a campaign has spent.
    pub(crate) async fn spent(&self, program: &ProgramId, rule: &RuleId, budget: i64) -> Result<Spent, StoreError> {
        let most = i32::try_from(BUDGET_SHARDS).unwrap_or(i32::MAX);
        let shards = self.table().range(&keys::budget(program, rule), "0", "9", true, most).await?;
        let mut by_shard = [0; BUDGET_SHARDS];
        for item in &shards {
            if let (Some(shard), Some(spent)) = (shard_of(item), number(item, "u"))
                && let Some(slot) = by_shard.get_mut(shard)
            {
                *slot = spent;
            }
        }
        Ok(Spent { budget, by_shard })
    }

    /// What is left of the budgets that a quote would use.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn budgets_left(&self, program: &ProgramId, uses: &[BudgetUse]) -> Result<BudgetsLeft, StoreError> {
        let mut left = BudgetsLeft::new();
        for used in uses {
            left.insert(used.rule.clone(), self.spent(program, &used.rule, used.budget).await?.left());
        }
        Ok(left)
    }
}

fn shard_of(item: &Item) -> Option<usize> {
    match item.get(SK) {
        Some(AttributeValue::S(shard)) => shard.parse().ok(),
        Some(_) | None => None,
    }
}

fn number(item: &Item, name: &str) -> Option<i64> {
    match item.get(name) {
        Some(AttributeValue::N(digits)) => digits.parse().ok(),
        Some(_) | None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(points: i64, budget: i64) -> BudgetUse {
        BudgetUse { rule: "rule".parse().unwrap(), budget, points, granted: false }
    }

    fn taken(facts: &[Fact]) -> Vec<(usize, i64)> {
        let of = |fact: &Fact| match fact {
            Fact::Budget { shard, points, .. } => Some((*shard, *points)),
            _ => None,
        };
        facts.iter().filter_map(of).collect()
    }

    #[test]
    fn the_shares_of_the_shards_sum_to_the_budget() {
        for budget in [1, 7, 8, 100, 12_345] {
            assert_eq!((0..BUDGET_SHARDS).map(|shard| Spent::share(budget, shard)).sum::<i64>(), budget);
        }
    }

    #[test]
    fn a_campaign_is_looked_at_only_when_the_own_share_is_too_small() {
        let known = Known::default();
        assert_eq!(taken(&known.writes(&[used(100, 800)], None).unwrap()), [(0, 100)]);
        assert_eq!(known.writes(&[used(101, 800)], None).unwrap_err(), used(101, 800));
    }

    #[test]
    fn what_one_shard_lacks_the_others_give() {
        let mut known = Known::default();
        let by_shard = [90, 95, 100, 0, 0, 0, 0, 0];
        known.learn("rule".parse().unwrap(), Spent { budget: 800, by_shard });
        assert_eq!(taken(&known.writes(&[used(20, 800)], None).unwrap()), [(0, 10), (1, 5), (3, 5)]);
        assert_eq!(known.left()[&"rule".parse().unwrap()], 10 + 5 + 500);
    }

    #[test]
    fn what_comes_back_is_not_asked_whether_it_may() {
        let facts = Known::default().writes(&[used(-50, 8)], None).unwrap();
        assert!(matches!(facts.as_slice(), [Fact::Budget { points: -50, most: None, .. }]));
    }
}
