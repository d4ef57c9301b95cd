//! Everything that one commit writes, and how it becomes one transaction.

use crate::error::StoreError;
use crate::items::{self, Carried, IdentityOf, Item, Note, Person, VoucherOf};
use crate::keys::{self, Key};
use crate::pools::Pool;
use crate::secrets::Secrets;
use aws_sdk_dynamodb::types::{
    AttributeValue, Delete, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};
use loyalty_domain::activity::RecordedActivity;
use loyalty_domain::calendar::Moment;
use loyalty_domain::draft::Posted;
use loyalty_domain::id::{MemberId, ProgramId};
use loyalty_domain::identity::Identity;
use loyalty_domain::purchase::Purchase;
use loyalty_domain::redemption::Redemption;
use loyalty_domain::refund::Refund;

/// What one commit writes: all of it or nothing.
#[derive(Debug, Default)]
pub struct Write {
    /// An account with its entries, and when something is next due about it.
    pub posted: Option<(Posted, Option<Moment>)>,
    /// What stands beside them.
    pub facts: Vec<Fact>,
}

impl Write {
    /// What a pool that is written about holds in all.
    pub(crate) fn total_of(&self, of: &Pool) -> Option<i64> {
        self.facts.iter().find_map(|fact| match fact {
            Fact::Drawn { pool, total, .. } if pool == of => Some(*total),
            _ => None,
        })
    }

    /// Whether there is nothing to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.posted.is_none() && self.facts.is_empty()
    }
}

/// An item beside account and entries.
#[derive(Debug)]
pub enum Fact {
    /// A purchase that must not be there yet.
    Purchase(Purchase),
    /// What is left of a purchase, after this version of it.
    PurchaseLeft(Purchase, u64),
    /// A refund of a purchase that must not be there yet.
    Refund(Purchase, Refund),
    /// A request that must not have been carried out yet, under the hash of its key.
    Request(String, Carried),
    /// An activity that must not be there yet.
    Activity(RecordedActivity),
    /// What may be personal about an entry.
    Note(MemberId, u64, Note),
    /// A new person.
    Person(MemberId, Person),
    /// A changed person, after this version.
    PersonChanged(MemberId, Person, u64),
    /// A person who leaves, after this version.
    PersonGone(MemberId, u64),
    /// An identity that must belong to nobody.
    Identity(Identity, IdentityOf),
    /// An identity that becomes free.
    IdentityGone(Identity),
    /// A referral code that must be free.
    Code(String, MemberId),
    /// A referral code that refers nobody any more.
    CodeGone(String),
    /// A redemption that must not be there yet.
    Redemption(Redemption),
    /// A redemption after a change, after this version of it.
    RedemptionLeft(Redemption, u64),
    /// The voucher of a redemption.
    Voucher(VoucherOf),
    /// A reward that an entry of this commit gives, with its voucher.
    Gift(Redemption),
    /// What a shard of a pool gives, or gets back.
    Drawn {
        /// The pool.
        pool: Pool,
        /// What it holds in all.
        total: i64,
        /// Which shard.
        shard: usize,
        /// Signed.
        amount: i64,
        /// The most that it may have given before; none where something comes back.
        most: Option<i64>,
    },
}

impl Fact {
    /// The voucher of a redemption, if it has one.
    #[must_use]
    pub fn voucher(of: &Redemption) -> Option<Self> {
        let key = of.voucher.as_ref()?.key;
        Some(Fact::Voucher(VoucherOf { redemption: of.id, member: of.member, key }))
    }
}

/// What stands at a place of the transaction, to read its reason of cancellation by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Slot {
    /// The account: its version has moved.
    Account,
    /// An entry; with the account's version right, its number cannot be taken.
    Entry,
    /// A purchase that is there already.
    Purchase,
    /// The version of a purchase has moved.
    PurchaseLeft,
    /// A refund that is there already.
    Refund,
    /// An activity that is there already.
    Activity,
    /// A request that was carried out already.
    Request,
    /// A person's version has moved.
    Person,
    /// An identity that is taken, by its place among the facts.
    Identity(usize),
    /// A referral code that is taken.
    Code,
    /// A redemption that is there already.
    Redemption,
    /// The version of a redemption has moved.
    RedemptionLeft,
    /// A voucher's code is taken.
    Voucher,
    /// A reward that an entry gives; its id follows from the entry's number, and so is no more taken than that.
    Gift,
    /// A shard of a pool has too little left.
    Pool(Pool),
    /// A write without a condition.
    Free,
}

/// A write as a transaction, with what stands at each place.
pub(crate) struct Transaction {
    pub(crate) items: Vec<TransactWriteItem>,
    pub(crate) slots: Vec<Slot>,
}

/// Builds transactions for one table and program.
pub(crate) struct Builder<'a> {
    pub(crate) table: &'a str,
    pub(crate) program: &'a ProgramId,
    pub(crate) secrets: &'a Secrets,
}

const ABSENT: &str = "attribute_not_exists(pk)";
const SAME_VERSION: &str = "v = :v";

impl Builder<'_> {
    pub(crate) fn build(&self, write: &Write) -> Result<Transaction, StoreError> {
        let mut all = Transaction { items: Vec::new(), slots: Vec::new() };
        if let Some((posted, due)) = &write.posted {
            let account = &posted.account;
            let item = items::account(self.program, account, *due)?;
            let expected = (posted.expected_version > 0).then_some(posted.expected_version);
            all.push(Slot::Account, self.put(item, Some(expected))?);
            for entry in &posted.entries {
                let item = items::entry(self.program, account.member, entry)?;
                all.push(Slot::Entry, self.put(item, Some(None))?);
            }
        }
        for (place, fact) in write.facts.iter().enumerate() {
            self.fact(place, fact, &mut all)?;
        }
        Ok(all)
    }

    fn fact(&self, place: usize, fact: &Fact, all: &mut Transaction) -> Result<(), StoreError> {
        let program = self.program;
        match fact {
            Fact::Purchase(purchase) => {
                all.push(Slot::Purchase, self.put(items::purchase(program, purchase)?, Some(None))?);
            }
            Fact::PurchaseLeft(purchase, expected) => {
                all.push(Slot::PurchaseLeft, self.put(items::purchase(program, purchase)?, Some(Some(*expected)))?);
            }
            Fact::Refund(purchase, refund) => {
                all.push(Slot::Refund, self.put(items::refund(program, purchase, refund)?, Some(None))?);
            }
            Fact::Request(hash, carried) => {
                all.push(Slot::Request, self.put(items::request(program, hash, carried)?, Some(None))?);
            }
            Fact::Activity(activity) => {
                all.push(Slot::Activity, self.put(items::activity(program, activity)?, Some(None))?);
            }
            Fact::Note(member, seq, note) => {
                all.push(Slot::Free, self.put(items::note(program, *member, *seq, note)?, None)?);
            }
            Fact::Person(member, person) => {
                all.push(Slot::Person, self.put(items::person(program, *member, person)?, Some(None))?);
            }
            Fact::PersonChanged(member, person, expected) => {
                all.push(Slot::Person, self.put(items::person(program, *member, person)?, Some(Some(*expected)))?);
            }
            Fact::PersonGone(member, expected) => {
                all.push(Slot::Person, self.delete(keys::profile(program, *member), Some(*expected))?);
            }
            Fact::Identity(identity, of) => {
                for hash in self.secrets.identity(identity) {
                    let item = items::identity(program, identity.kind.word(), &hash, of)?;
                    all.push(Slot::Identity(place), self.put(item, Some(None))?);
                }
            }
            Fact::IdentityGone(identity) => {
                for hash in self.secrets.identity(identity) {
                    let key = keys::identity(program, identity.kind.word(), &hash);
                    all.push(Slot::Free, self.delete(key, None)?);
                }
            }
            Fact::Code(code, member) => {
                all.push(Slot::Code, self.put(items::code(program, code, *member)?, Some(None))?);
            }
            Fact::Redemption(redemption) => {
                all.push(Slot::Redemption, self.put(items::redemption(program, redemption)?, Some(None))?);
            }
            Fact::RedemptionLeft(redemption, expected) => {
                let item = items::redemption(program, redemption)?;
                all.push(Slot::RedemptionLeft, self.put(item, Some(Some(*expected)))?);
            }
            Fact::Voucher(of) => all.push(Slot::Voucher, self.voucher(of)?),
            Fact::Gift(gift) => {
                all.push(Slot::Gift, self.put(items::redemption(program, gift)?, Some(None))?);
                if let Some(Fact::Voucher(of)) = Fact::voucher(gift) {
                    all.push(Slot::Gift, self.voucher(&of)?);
                }
            }
            Fact::Drawn { pool, shard, amount, most, .. } => {
                let key = keys::pool_shard(program, pool, *shard);
                all.push(Slot::Pool(pool.clone()), self.spend(key, *amount, *most)?);
            }
            Fact::CodeGone(code) => all.push(Slot::Free, self.delete(keys::code(program, code), None)?),
        }
        Ok(())
    }

    fn voucher(&self, of: &VoucherOf) -> Result<TransactWriteItem, StoreError> {
        let hash = self.secrets.voucher(&self.secrets.code(of.redemption, of.key), of.key);
        self.put(items::voucher(self.program, &hash, of)?, Some(None))
    }

    /// A put: without a condition, if absent (`Some(None)`), or at a version.
    fn put(&self, item: Item, condition: Option<Option<u64>>) -> Result<TransactWriteItem, StoreError> {
        let mut put = Put::builder().table_name(self.table).set_item(Some(item));
        if let Some(expected) = condition {
            put = put.return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
            put = match expected {
                None => put.condition_expression(ABSENT),
                Some(version) => put
                    .condition_expression(SAME_VERSION)
                    .expression_attribute_values(":v", AttributeValue::N(version.to_string())),
            };
        }
        let put = put.build().map_err(|_| StoreError::Corrupt("a put lacks something"))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    fn spend(&self, key: Key, points: i64, most: Option<i64>) -> Result<TransactWriteItem, StoreError> {
        let mut update = Update::builder()
            .table_name(self.table)
            .key(keys::PK, AttributeValue::S(key.pk))
            .key(keys::SK, AttributeValue::S(key.sk))
            .update_expression("ADD u :points")
            .expression_attribute_values(":points", AttributeValue::N(points.to_string()));
        if let Some(most) = most {
            update = update
                .condition_expression("attribute_not_exists(u) OR u <= :most")
                .expression_attribute_values(":most", AttributeValue::N(most.to_string()));
        }
        let update = update.build().map_err(|_| StoreError::Corrupt("an update lacks something"))?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    fn delete(&self, key: Key, expected: Option<u64>) -> Result<TransactWriteItem, StoreError> {
        let mut delete = Delete::builder()
            .table_name(self.table)
            .key(keys::PK, AttributeValue::S(key.pk))
            .key(keys::SK, AttributeValue::S(key.sk));
        if let Some(version) = expected {
            delete = delete
                .condition_expression(SAME_VERSION)
                .expression_attribute_values(":v", AttributeValue::N(version.to_string()))
                .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        }
        let delete = delete.build().map_err(|_| StoreError::Corrupt("a delete lacks something"))?;
        Ok(TransactWriteItem::builder().delete(delete).build())
    }
}

impl Transaction {
    fn push(&mut self, slot: Slot, item: TransactWriteItem) {
        self.slots.push(slot);
        self.items.push(item);
    }
}
