//! What has fallen due: found by one query per shard, settled one account at a time.
//!
//! Nothing depends on when this runs, or whether: every decision settles its account first. A run only writes what has
//! fallen due, so that it is told of: notices, expiries, lapsed holds, reviews, vouchers that are about to expire.

use crate::command::{Call, Failure};
use crate::engine::{Engine, Settled};
use crate::error::StoreError;
use crate::items::Item;
use crate::keys::{self, ACCOUNT, DUE_AT, DUE_INDEX, DUE_KEY, PK, SK};
use crate::write::Fact;
use aws_sdk_dynamodb::types::AttributeValue;
use loyalty_domain::calendar::Moment;
use loyalty_domain::id::{MemberId, ProgramId, RedemptionId};
use loyalty_domain::redemption::remind;

/// Something that is due.
#[derive(Debug, Clone, PartialEq)]
pub struct Due {
    /// What.
    pub what: What,
    /// Where a walk goes on after it.
    pub place: Item,
}

/// What can be due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// Something about an account.
    Account(MemberId),
    /// The reminder of a voucher.
    Redemption(RedemptionId),
}

/// What a run did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Accounts about which something was written.
    pub accounts: u64,
    /// Entries of all of them.
    pub entries: u64,
    /// Vouchers whose holders are told that they will expire.
    pub reminders: u64,
    /// What could not be settled, and stays due.
    pub failed: u64,
}

impl Swept {
    /// What both did.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            accounts: self.accounts + other.accounts,
            entries: self.entries + other.entries,
            reminders: self.reminders + other.reminders,
            failed: self.failed + other.failed,
        }
    }
}

/// What one query reads.
const PAGE: i32 = 100;
/// How often a reminder is decided anew because the redemption moved meanwhile.
const MOST_ATTEMPTS: u32 = 10;

impl Engine {
    /// The programs that there are.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn registered(&self) -> Result<Vec<ProgramId>, StoreError> {
        let items = self.table().range(keys::REGISTRY, "", "~", true, i32::MAX).await?;
        let ids = items.iter().map(|item| match item.get(SK) {
            Some(AttributeValue::S(id)) => id.parse().map_err(|_| StoreError::Corrupt("a program has no id")),
            Some(_) | None => Err(StoreError::Corrupt("a program has no id")),
        });
        ids.collect()
    }

    /// What is due by a moment among the members of a shard, in the order of its hours, after a place; and whether there
    /// may be more.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn due(
        &self,
        program: &ProgramId,
        shard: u32,
        by: Moment,
        after: Option<&Item>,
        most: i32,
    ) -> Result<(Vec<Due>, Option<Item>), StoreError> {
        let request = || {
            let query = self.table().client().query().table_name(self.table().name()).index_name(DUE_INDEX);
            query
                .key_condition_expression("#dk = :dk AND #da <= :by")
                .expression_attribute_names("#dk", DUE_KEY)
                .expression_attribute_names("#da", DUE_AT)
                .expression_attribute_values(":dk", AttributeValue::S(keys::due(program, shard)))
                .expression_attribute_values(":by", AttributeValue::S(keys::due_at(by)))
                .set_exclusive_start_key(after.cloned())
                .limit(most)
                .send()
        };
        let page = self.table().patiently(request).await?;
        let found = page.items.unwrap_or_default().into_iter().filter_map(|place| {
            let (Some(AttributeValue::S(pk)), Some(AttributeValue::S(sk))) = (place.get(PK), place.get(SK)) else {
                return None;
            };
            let what = match sk.as_str() {
                ACCOUNT => keys::member_of(pk).map(|(_, member)| What::Account(member)),
                _ => keys::redemption_of(pk).map(|(_, redemption)| What::Redemption(redemption)),
            };
            Some(Due { what: what?, place })
        });
        Ok((found.collect(), page.last_evaluated_key))
    }

    /// Walks what is due among the members of a shard, once. What fails is logged, stays due, and keeps nobody else from
    /// being settled.
    ///
    /// # Errors
    /// [`StoreError`] if the index cannot be read.
    pub async fn sweep(&self, call: &Call, shard: u32) -> Result<Swept, StoreError> {
        let (mut swept, mut after) = (Swept::default(), None);
        loop {
            let (page, next) = self.due(&call.program, shard, call.now, after.as_ref(), PAGE).await?;
            for due in page {
                match self.settle(call, due.what).await {
                    Ok(done) => swept = swept.and(done),
                    Err(error) => {
                        tracing::error!(program = %call.program, what = ?due.what, %error, "due, and not settled");
                        swept.failed += 1;
                    }
                }
            }
            after = next;
            if after.is_none() {
                return Ok(swept);
            }
        }
    }

    async fn settle(&self, call: &Call, what: What) -> Result<Swept, Failure> {
        match what {
            What::Account(member) => {
                let Settled { commits, entries } = self.settle_account(call, member).await?;
                Ok(Swept { accounts: u64::from(commits > 0), entries, ..Swept::default() })
            }
            What::Redemption(id) => {
                let reminded = self.remind(call, id).await?;
                Ok(Swept { reminders: u64::from(reminded), ..Swept::default() })
            }
        }
    }

    /// Notes that the holder of a voucher is told that it will expire, unless that was noted or it is of no use any more.
    async fn remind(&self, call: &Call, id: RedemptionId) -> Result<bool, Failure> {
        for attempt in 1..=MOST_ATTEMPTS {
            let Some(before) = self.redemption(&call.program, id).await? else { return Ok(false) };
            let expected = before.version;
            let Some(after) = remind(before, call.now) else { return Ok(false) };
            match self.commit_new(call, None, vec![Fact::RedemptionLeft(after, expected)]).await {
                Ok(()) => return Ok(true),
                Err(Failure::Taken(_)) => self.table().pause(attempt).await,
                Err(other) => return Err(other),
            }
        }
        Err(Failure::Busy)
    }
}
