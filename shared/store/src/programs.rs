//! Programs in the table, and the cache of them in each process.

use crate::error::StoreError;
use crate::items::Item;
use crate::keys::{self, PK, SK};
use crate::table::{Committed, Table};
use crate::write::{Slot, Transaction};
use aws_sdk_dynamodb::types::{AttributeValue, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem};
use loyalty_domain::calendar::Moment;
use loyalty_domain::id::ProgramId;
use loyalty_domain::json;
use loyalty_domain::program::{Program, Version};
use loyalty_domain::programs::Programs;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

/// After so long the versions of a program are looked up again, beside the request that notices.
const FRESH_MS: i64 = 30_000;
/// After so long no request is judged by what is remembered: a new version takes effect 60 s after it was published.
const STALE_MS: i64 = 50_000;
/// A document's bytes, at most; what a body may have.
const MOST_DOCUMENT_BYTES: usize = 262_144;

/// A program version with the document as it was published.
#[derive(Debug, Clone, PartialEq)]
pub struct Published {
    /// 1 for the first.
    pub number: u32,
    /// From when on it is in force.
    pub effective_from: Moment,
    /// The JSON text.
    pub document: String,
}

#[derive(Clone)]
struct Cached {
    programs: Arc<Programs>,
    looked_up: Moment,
}

/// The programs of one process.
#[derive(Clone, Default)]
pub struct ProgramCache(Arc<RwLock<HashMap<ProgramId, Cached>>>);

impl std::fmt::Debug for ProgramCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ProgramCache")
    }
}

impl ProgramCache {
    /// Forgets everything: the clock was moved.
    pub fn clear(&self) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn remembered(&self, program: &ProgramId) -> Option<Cached> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(program).cloned()
    }

    fn remember(&self, program: &ProgramId, cached: Cached) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(program.clone(), cached);
    }

    /// The versions of a program, with the one in force at hand; none if there is no such program.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn programs(
        &self,
        table: &Table,
        program: &ProgramId,
        now: Moment,
    ) -> Result<Option<Arc<Programs>>, StoreError> {
        if let Some(cached) = self.remembered(program) {
            let age = now.millis().saturating_sub(cached.looked_up.millis());
            if (0..FRESH_MS).contains(&age) {
                return Ok(Some(cached.programs));
            }
            if (0..STALE_MS).contains(&age) {
                self.look_up_beside(table, program, now, cached.clone());
                return Ok(Some(cached.programs));
            }
            return self.look_up(table, program, now, Some(&cached.programs)).await;
        }
        self.look_up(table, program, now, None).await
    }

    fn look_up_beside(&self, table: &Table, program: &ProgramId, now: Moment, cached: Cached) {
        let (cache, table, program) = (self.clone(), table.clone(), program.clone());
        // Until it is done, others need not look too.
        cache.remember(&program, Cached { looked_up: now, ..cached.clone() });
        tokio::spawn(async move {
            if let Err(error) = cache.look_up(&table, &program, now, Some(&cached.programs)).await {
                tracing::warn!(program = %program, error = %error, "the program's versions could not be looked up");
                cache.remember(&program, cached);
            }
        });
    }

    async fn look_up(
        &self,
        table: &Table,
        program: &ProgramId,
        now: Moment,
        known: Option<&Programs>,
    ) -> Result<Option<Arc<Programs>>, StoreError> {
        let Some(starts) = starts(table, program).await? else { return Ok(None) };
        let mut programs = Programs::new(starts);
        let in_force = programs.number_at(now);
        for number in (1..=in_force).rev() {
            if let Some(version) = known.and_then(|known| known.version(number).ok()) {
                programs.add(Arc::clone(version));
            }
        }
        if programs.version(in_force).is_err() {
            programs.add(load(table, program, in_force).await?);
        }
        let programs = Arc::new(programs);
        self.remember(program, Cached { programs: Arc::clone(&programs), looked_up: now });
        Ok(Some(programs))
    }

    /// Puts another version at hand.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn also(
        &self,
        table: &Table,
        program: &ProgramId,
        with: &Programs,
        number: u32,
    ) -> Result<Arc<Programs>, StoreError> {
        let version = load(table, program, number).await?;
        let mut programs = with.clone();
        programs.add(Arc::clone(&version));
        let programs = Arc::new(programs);
        // Others may have looked up newer versions meanwhile: theirs stay, with this document beside.
        if let Some(cached) =
            self.remembered(program).filter(|cached| cached.programs.starts().starts_with(with.starts()))
        {
            let mut known = (*cached.programs).clone();
            known.add(version);
            self.remember(program, Cached { programs: Arc::new(known), looked_up: cached.looked_up });
        }
        Ok(programs)
    }
}

/// When each version of a program takes effect; none if there is no such program.
///
/// # Errors
/// [`StoreError`].
pub async fn starts(table: &Table, program: &ProgramId) -> Result<Option<Vec<Moment>>, StoreError> {
    match table.get(&keys::current(program)).await? {
        Some(item) => crate::items::body(&item).map(Some),
        None => Ok(None),
    }
}

async fn load(table: &Table, program: &ProgramId, number: u32) -> Result<Arc<Version>, StoreError> {
    let published =
        published(table, program, number).await?.ok_or(StoreError::Corrupt("a program version is missing"))?;
    let unreadable = StoreError::Corrupt("a published program cannot be read");
    let json = json::parse(published.document.as_bytes()).map_err(|_| unreadable.clone())?;
    let program = Program::from_json(&json).map_err(|_| unreadable)?;
    Ok(Arc::new(Version { number, effective_from: published.effective_from, program }))
}

/// A version as it was published.
///
/// # Errors
/// [`StoreError`].
pub async fn published(table: &Table, program: &ProgramId, number: u32) -> Result<Option<Published>, StoreError> {
    let Some(item) = table.get(&keys::version(program, number)).await? else { return Ok(None) };
    let (effective_from, packed): (Moment, Vec<u8>) = crate::items::body(&item)?;
    let bytes = miniz_oxide::inflate::decompress_to_vec_with_limit(&packed, MOST_DOCUMENT_BYTES)
        .map_err(|_| StoreError::Corrupt("a program document cannot be unpacked"))?;
    let document = String::from_utf8(bytes).map_err(|_| StoreError::Corrupt("a program document is not text"))?;
    Ok(Some(Published { number, effective_from, document }))
}

/// Publishes the version after those that are there. Gives `false`, and writes nothing, if somebody else was quicker.
///
/// # Errors
/// [`StoreError`].
pub async fn publish(
    table: &Table,
    program: &ProgramId,
    before: &[Moment],
    effective_from: Moment,
    document: &str,
) -> Result<bool, StoreError> {
    let number = u32::try_from(before.len()).unwrap_or(u32::MAX).saturating_add(1);
    let starts: Vec<Moment> = before.iter().copied().chain([effective_from]).collect();
    let packed = miniz_oxide::deflate::compress_to_vec(document.as_bytes(), 8);
    let version = put(table, keys::version(program, number), crate::packed::pack(&(effective_from, packed))?)
        .condition_expression("attribute_not_exists(pk)");
    let pointer = put(table, keys::current(program), crate::packed::pack(&starts)?)
        .item("n", AttributeValue::N(number.to_string()));
    let pointer = match before.len() {
        0 => pointer.condition_expression("attribute_not_exists(pk)"),
        known => pointer
            .condition_expression("n = :n")
            .expression_attribute_values(":n", AttributeValue::N(known.to_string())),
    };
    let mut puts = vec![version, pointer];
    if before.is_empty() {
        puts.push(put(table, keys::registry(program), crate::packed::pack(&keys::SHARDS)?));
    }
    let broken = |_| StoreError::Corrupt("a put lacks something");
    let items: Vec<TransactWriteItem> = puts
        .into_iter()
        .map(|put| Ok(TransactWriteItem::builder().put(put.build().map_err(broken)?).build()))
        .collect::<Result<_, StoreError>>()?;
    let slots = vec![Slot::Free; items.len()];
    match table.run(Transaction { items, slots }).await? {
        Committed::Done => Ok(true),
        Committed::Refused(_) => Ok(false),
    }
}

fn put(table: &Table, key: keys::Key, body: Vec<u8>) -> aws_sdk_dynamodb::types::builders::PutBuilder {
    let item: Item = HashMap::from([
        (PK.to_owned(), AttributeValue::S(key.pk)),
        (SK.to_owned(), AttributeValue::S(key.sk)),
        ("b".to_owned(), AttributeValue::B(body.into())),
    ]);
    let put = Put::builder().table_name(table.name()).set_item(Some(item));
    put.return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
}
