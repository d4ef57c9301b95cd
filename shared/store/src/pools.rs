//! Pools that all members draw from: points of campaign budgets and units of reward stocks, in counters spread over shards
//! so that a busy one has no hot item.
//!
//! Each shard may spend its share, and its counter is moved in the request's own transaction under the condition that the
//! share is not overdrawn; so no race overdraws a pool. A request first tries the member's own shard. Only when that has too
//! little are all shards read, what is decided is trimmed to what is left in them, and taken from several. What comes back
//! goes to the member's own shard, whose counter may thereby fall below nothing.

use crate::engine::Engine;
use crate::error::StoreError;
use crate::items::Item;
use crate::keys::{self, SK};
use crate::write::Fact;
use aws_sdk_dynamodb::types::AttributeValue;
use loyalty_domain::draft::{BudgetsLeft, StocksLeft};
use loyalty_domain::id::{MemberId, ProgramId, RewardId, RuleId};
use loyalty_domain::purchase::BudgetUse;
use loyalty_domain::redemption::StockUse;
use std::collections::BTreeMap;
use tokio::task::JoinSet;

/// Over how many shards a pool is spread; the same for all, because pools outlive program versions.
pub const POOL_SHARDS: usize = 8;
/// Stocks that are looked up side by side.
const AT_ONCE: usize = 16;

/// What is drawn from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pool {
    /// The points of a campaign.
    Budget(RuleId),
    /// The units of a reward, ever offered.
    Stock(RewardId),
}

/// What a request takes out of a pool, or, negative, gives back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Taking {
    pool: Pool,
    /// What the pool holds in all.
    total: i64,
    amount: i64,
    /// Whether it was granted before, and is not asked whether it may.
    granted: bool,
}

impl From<&BudgetUse> for Taking {
    fn from(used: &BudgetUse) -> Self {
        let BudgetUse { rule, budget, points, granted } = used.clone();
        Self { pool: Pool::Budget(rule), total: budget, amount: points, granted }
    }
}

impl From<&StockUse> for Taking {
    fn from(used: &StockUse) -> Self {
        let StockUse { reward, stock, units } = used.clone();
        Self { pool: Pool::Stock(reward), total: stock, amount: units, granted: false }
    }
}

/// What of a pool was drawn, by shard, beside what it holds in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Drawn {
    total: i64,
    by_shard: [i64; POOL_SHARDS],
}

/// The pools that were looked at while a command was decided.
#[derive(Debug, Default)]
pub(crate) struct Known(BTreeMap<Pool, Drawn>);

impl Drawn {
    /// The share of a shard: the shares sum to the total.
    fn share(total: i64, shard: usize) -> i64 {
        let shards = i64::try_from(POOL_SHARDS).unwrap_or(1);
        let rest = usize::try_from(total % shards).unwrap_or(0);
        total / shards + i64::from(shard < rest)
    }

    fn left_in(&self, shard: usize) -> i64 {
        let drawn = self.by_shard.get(shard).copied().unwrap_or(i64::MAX);
        Self::share(self.total, shard).saturating_sub(drawn).max(0)
    }

    /// What is left in all shards.
    fn left(&self) -> i64 {
        (0..POOL_SHARDS).fold(0, |sum, shard| sum.saturating_add(self.left_in(shard)))
    }
}

impl Known {
    /// What is left of budgets, for the decision.
    pub(crate) fn budgets(&self) -> BudgetsLeft {
        let budgets = self.0.iter().filter_map(|(pool, drawn)| match pool {
            Pool::Budget(rule) => Some((rule.clone(), drawn.left())),
            Pool::Stock(_) => None,
        });
        budgets.collect()
    }

    /// What is left of stocks, for the decision.
    pub(crate) fn stocks(&self) -> StocksLeft {
        let stocks = self.0.iter().filter_map(|(pool, drawn)| match pool {
            Pool::Stock(reward) => Some((reward.clone(), drawn.left())),
            Pool::Budget(_) => None,
        });
        stocks.collect()
    }

    pub(crate) fn learn(&mut self, pool: Pool, drawn: Drawn) {
        self.0.insert(pool, drawn);
    }

    /// The writes for what a command takes from pools and gives back to them, or the first one that must be looked at
    /// before, with what it holds in all.
    pub(crate) fn writes(&self, takings: &[Taking], member: Option<MemberId>) -> Result<Vec<Fact>, (Pool, i64)> {
        let home = usize::try_from(member.map_or(0, keys::shard)).unwrap_or(0) % POOL_SHARDS;
        let mut facts = Vec::new();
        for taking in takings {
            let fact = |shard, amount, most| {
                let pool = taking.pool.clone();
                Fact::Drawn { pool, total: taking.total, shard, amount, most }
            };
            if taking.amount < 0 || taking.granted {
                facts.push(fact(home, taking.amount, None));
                continue;
            }
            let mut wanted = taking.amount;
            for step in 0..POOL_SHARDS {
                let shard = (home + step) % POOL_SHARDS;
                let known = self.0.get(&taking.pool).map(|drawn| drawn.left_in(shard));
                // Of a pool that was not looked at, only the own shard is tried, with all that is wanted.
                let from_here =
                    known.unwrap_or(if step == 0 { Drawn::share(taking.total, shard) } else { 0 }).min(wanted);
                if from_here > 0 && (known.is_some() || from_here == wanted) {
                    facts.push(fact(shard, from_here, Some(Drawn::share(taking.total, shard) - from_here)));
                    wanted -= from_here;
                }
            }
            if wanted > 0 {
                return Err((taking.pool.clone(), taking.total));
            }
        }
        Ok(facts)
    }
}

impl Engine {
    /// Reads what was drawn from a pool.
    pub(crate) async fn drawn(&self, program: &ProgramId, pool: &Pool, total: i64) -> Result<Drawn, StoreError> {
        let most = i32::try_from(POOL_SHARDS).unwrap_or(i32::MAX);
        let shards = self.table().range(&keys::pool(program, pool), "0", "9", true, most).await?;
        let mut by_shard = [0; POOL_SHARDS];
        for item in &shards {
            if let (Some(shard), Some(drawn)) = (shard_of(item), number(item, "u"))
                && let Some(slot) = by_shard.get_mut(shard)
            {
                *slot = drawn;
            }
        }
        Ok(Drawn { total, by_shard })
    }

    /// What is left of the budgets that a quote would use.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn budgets_left(&self, program: &ProgramId, uses: &[BudgetUse]) -> Result<BudgetsLeft, StoreError> {
        let mut left = BudgetsLeft::new();
        for used in uses {
            let pool = Pool::Budget(used.rule.clone());
            left.insert(used.rule.clone(), self.drawn(program, &pool, used.budget).await?.left());
        }
        Ok(left)
    }

    /// What is left of rewards' stocks, by their ids and what they hold in all; looked up side by side.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn stocks_left(
        &self,
        program: &ProgramId,
        stocks: impl IntoIterator<Item = (RewardId, i64)>,
    ) -> Result<StocksLeft, StoreError> {
        let mut waiting = stocks.into_iter();
        let (mut running, mut left) = (JoinSet::new(), StocksLeft::new());
        loop {
            while running.len() < AT_ONCE
                && let Some((reward, stock)) = waiting.next()
            {
                let (engine, program) = (self.clone(), program.clone());
                running.spawn(async move {
                    let drawn = engine.drawn(&program, &Pool::Stock(reward.clone()), stock).await;
                    drawn.map(|drawn| (reward, drawn.left()))
                });
            }
            let Some(looked_up) = running.join_next().await else { return Ok(left) };
            let (reward, units) = looked_up.map_err(|_| StoreError::Unavailable("a stock was not looked up"))??;
            left.insert(reward, units);
        }
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

    fn pool() -> Pool {
        Pool::Budget("rule".parse().unwrap())
    }

    fn used(amount: i64, total: i64) -> Taking {
        Taking { pool: pool(), total, amount, granted: false }
    }

    fn taken(facts: &[Fact]) -> Vec<(usize, i64)> {
        let of = |fact: &Fact| match fact {
            Fact::Drawn { shard, amount, .. } => Some((*shard, *amount)),
            _ => None,
        };
        facts.iter().filter_map(of).collect()
    }

    #[test]
    fn the_shares_of_the_shards_sum_to_what_the_pool_holds() {
        for budget in [1, 7, 8, 100, 12_345] {
            assert_eq!((0..POOL_SHARDS).map(|shard| Drawn::share(budget, shard)).sum::<i64>(), budget);
        }
    }

    #[test]
    fn a_pool_is_looked_at_only_when_the_own_share_is_too_small() {
        let known = Known::default();
        assert_eq!(taken(&known.writes(&[used(100, 800)], None).unwrap()), [(0, 100)]);
        assert_eq!(known.writes(&[used(101, 800)], None).unwrap_err(), (pool(), 800));
    }

    #[test]
    fn what_one_shard_lacks_the_others_give() {
        let mut known = Known::default();
        let by_shard = [90, 95, 100, 0, 0, 0, 0, 0];
        known.learn(pool(), Drawn { total: 800, by_shard });
        assert_eq!(taken(&known.writes(&[used(20, 800)], None).unwrap()), [(0, 10), (1, 5), (3, 5)]);
        assert_eq!(known.budgets()[&"rule".parse().unwrap()], 10 + 5 + 500);
    }

    #[test]
    fn what_comes_back_is_not_asked_whether_it_may() {
        let facts = Known::default().writes(&[used(-50, 8)], None).unwrap();
        assert!(matches!(facts.as_slice(), [Fact::Drawn { amount: -50, most: None, .. }]));
    }
}
