//! Reading a member's ledger and single facts.

use crate::engine::Engine;
use crate::error::StoreError;
use crate::items::{self, Note};
use crate::keys;
use aws_sdk_dynamodb::types::AttributeValue;
use loyalty_domain::calendar::Moment;
use loyalty_domain::entry::{Cause, Entry, Kind};
use loyalty_domain::id::{CallerId, MemberId, ProgramId};
use loyalty_domain::purchase::Purchase;
use loyalty_domain::refund::Refund;
use std::collections::BTreeMap;

impl Engine {
    /// Entries of a member, newest first, of numbers below one, strongly consistent.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn entries(
        &self,
        program: &ProgramId,
        member: MemberId,
        below: u64,
        most: u32,
    ) -> Result<Vec<Entry>, StoreError> {
        let most = i32::try_from(most).unwrap_or(i32::MAX);
        let (from, to) = (keys::entry_sk(0), keys::entry_sk(below.saturating_sub(1)));
        let items = self.table().range(&keys::member(program, member), &from, &to, false, most).await?;
        items.iter().map(items::body).collect()
    }

    /// What may be personal about entries, by number: only corrections and activities have any, so only these are asked for.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn notes(
        &self,
        program: &ProgramId,
        member: MemberId,
        of: &[Entry],
    ) -> Result<BTreeMap<u64, Note>, StoreError> {
        let may_have = |entry: &&Entry| entry.kind == Kind::Adjust || matches!(entry.cause, Cause::Activity { .. });
        let seqs = || of.iter().filter(may_have).map(|entry| entry.seq);
        let (Some(first), Some(last)) = (seqs().min(), seqs().max()) else { return Ok(BTreeMap::new()) };
        let (from, to) = (keys::note_sk(first), keys::note_sk(last));
        let most = i32::try_from(of.len()).unwrap_or(i32::MAX);
        let items = self.table().range(&keys::member(program, member), &from, &to, true, most).await?;
        items.into_iter().map(items::note_of).collect()
    }

    /// A purchase as it stands.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn purchase(
        &self,
        program: &ProgramId,
        channel: &CallerId,
        order_id: &CallerId,
    ) -> Result<Option<Purchase>, StoreError> {
        let key = keys::purchase(program, channel, order_id);
        self.table().get(&key).await?.as_ref().map(items::body).transpose()
    }

    /// A refund.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn refund(
        &self,
        program: &ProgramId,
        of: &Purchase,
        refund_id: &CallerId,
    ) -> Result<Option<Refund>, StoreError> {
        let key = keys::refund(program, &of.channel, &of.order_id, refund_id);
        self.table().get(&key).await?.as_ref().map(items::body).transpose()
    }

    /// How many wrong guesses of a kind a caller has made in this minute.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn guesses(&self, program: &ProgramId, actor: &str, what: &str, now: Moment) -> Result<u64, StoreError> {
        let key = keys::guesses(program, &self.table().secrets().caller(actor), what, now);
        let count = self.table().get(&key).await?.and_then(|item| item.get("c").cloned());
        Ok(number(count.as_ref()))
    }

    /// Counts a wrong guess, and gives how many there are in this minute.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn guessed(&self, program: &ProgramId, actor: &str, what: &str, now: Moment) -> Result<u64, StoreError> {
        let table = self.table();
        let key = keys::guesses(program, &table.secrets().caller(actor), what, now);
        let gone_at = now.plus_minutes(10).millis() / 1000;
        let request = || {
            let update = table.client().update_item().table_name(table.name());
            update
                .key(keys::PK, AttributeValue::S(key.pk.clone()))
                .key(keys::SK, AttributeValue::S(key.sk.clone()))
                .update_expression("ADD c :one SET #ttl = :ttl")
                .expression_attribute_names("#ttl", keys::TTL)
                .expression_attribute_values(":one", AttributeValue::N("1".to_owned()))
                .expression_attribute_values(":ttl", AttributeValue::N(gone_at.to_string()))
                .return_values(aws_sdk_dynamodb::types::ReturnValue::UpdatedNew)
                .send()
        };
        let updated = table.patiently(request).await?;
        Ok(number(updated.attributes.as_ref().and_then(|attributes| attributes.get("c"))))
    }
}

fn number(value: Option<&AttributeValue>) -> u64 {
    match value {
        Some(AttributeValue::N(digits)) => digits.parse().unwrap_or(0),
        Some(_) | None => 0,
    }
}
