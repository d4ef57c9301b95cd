//! Reading and writing the table: one place that knows which failures pass.

use crate::error::StoreError;
use crate::items::Item;
use crate::keys::{Key, PK, SK};
use crate::secrets::Secrets;
use crate::write::{Builder, Slot, Transaction, Write};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, CancellationReason};
use loyalty_domain::id::ProgramId;
use std::future::Future;
use std::time::Duration;
use ulid::Ulid;

/// New ids; also the randomness of pauses.
pub type Ids = dyn Fn() -> Ulid + Send + Sync;

/// A table, and how it is spoken to. The client's own retries are off: it knows nothing of contention.
#[derive(Clone)]
pub struct Table {
    pub(crate) client: Client,
    pub(crate) name: String,
    pub(crate) secrets: Secrets,
    pub(crate) ids: std::sync::Arc<Ids>,
}

/// How often a call is repeated when the table is overloaded or contended.
const MOST_ATTEMPTS: u32 = 8;
/// First pause; doubled each time up to the longest, and drawn at random below that.
const FIRST_PAUSE_MS: u64 = 4;
const LONGEST_PAUSE_MS: u64 = 250;

/// What became of a commit.
#[derive(Debug)]
pub enum Committed {
    /// It is written.
    Done,
    /// Nothing is written: these places' conditions do not hold; with the items that stand there.
    Refused(Vec<(Slot, Option<Item>)>),
}

impl std::fmt::Debug for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Table").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Table {
    /// A table of that name, with the secrets behind its hashes.
    #[must_use]
    pub fn new(client: Client, name: impl Into<String>, secrets: Secrets, ids: std::sync::Arc<Ids>) -> Self {
        Self { client, name: name.into(), secrets, ids }
    }

    /// The secrets behind the table's hashes.
    #[must_use]
    pub fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    /// The SDK client behind it.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The table's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Reads one item, strongly consistent.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get(&self, key: &Key) -> Result<Option<Item>, StoreError> {
        let request = || {
            let get = self.client.get_item().table_name(&self.name).consistent_read(true);
            get.key(PK, AttributeValue::S(key.pk.clone())).key(SK, AttributeValue::S(key.sk.clone())).send()
        };
        Ok(self.patiently(request).await?.item)
    }

    /// Reads the items of a partition between two sort keys, both included, strongly consistent: so many, or all there are.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn range(
        &self,
        pk: &str,
        from: &str,
        to: &str,
        ascending: bool,
        most: i32,
    ) -> Result<Vec<Item>, StoreError> {
        let wanted = usize::try_from(most).unwrap_or(0);
        let (mut items, mut start) = (Vec::new(), None);
        loop {
            let left = i32::try_from(wanted.saturating_sub(items.len())).unwrap_or(i32::MAX);
            let request = || {
                let query = self.client.query().table_name(&self.name).consistent_read(true);
                query
                    .key_condition_expression("pk = :pk AND sk BETWEEN :from AND :to")
                    .expression_attribute_values(":pk", AttributeValue::S(pk.to_owned()))
                    .expression_attribute_values(":from", AttributeValue::S(from.to_owned()))
                    .expression_attribute_values(":to", AttributeValue::S(to.to_owned()))
                    .scan_index_forward(ascending)
                    .limit(left)
                    .set_exclusive_start_key(start.clone())
                    .send()
            };
            let page = self.patiently(request).await?;
            items.extend(page.items.unwrap_or_default());
            start = page.last_evaluated_key;
            // DynamoDB ends a page at a megabyte, however few items that is.
            if start.is_none() || items.len() >= wanted {
                return Ok(items);
            }
        }
    }

    /// Repeats a call while the table is overloaded, a few times, with growing random pauses.
    pub(crate) async fn patiently<T, E, R, F>(&self, mut call: impl FnMut() -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, SdkError<E, R>>>,
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
        R: std::fmt::Debug + Send + Sync + 'static,
    {
        let mut attempt = 0;
        loop {
            let error = match call().await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let passing = passing(&error);
            if !passing {
                return Err(StoreError::Refused(error.code().unwrap_or("unreadable answer").to_owned()));
            }
            attempt += 1;
            if attempt >= MOST_ATTEMPTS {
                return Err(StoreError::Unavailable("overload or a broken connection"));
            }
            self.pause(attempt).await;
        }
    }

    /// Waits before another attempt: at random, the longer the more attempts there were.
    pub async fn pause(&self, attempt: u32) {
        let longest = FIRST_PAUSE_MS.saturating_mul(1 << attempt.min(10)).min(LONGEST_PAUSE_MS);
        let random = u64::try_from((self.ids)().random() % u128::from(longest)).unwrap_or(longest);
        tokio::time::sleep(Duration::from_millis(random)).await;
    }

    /// Writes everything or nothing. Contention and overload are retried.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn commit(&self, program: &ProgramId, write: &Write) -> Result<Committed, StoreError> {
        let builder = Builder { table: &self.name, program, secrets: &self.secrets };
        self.run(builder.build(write)?).await
    }

    /// Runs a transaction. An attempt whose answer was lost may have been carried out. All attempts carry one token, by which
    /// the database recognises its own: it answers an attempt after a successful one as the first, and does nothing. What
    /// is refused is therefore refused by somebody else's write, however much it may look like ours.
    pub(crate) async fn run(&self, transaction: Transaction) -> Result<Committed, StoreError> {
        let Transaction { items, slots } = transaction;
        let token = (self.ids)().to_string();
        let mut attempt = 0;
        loop {
            let request = self.client.transact_write_items().client_request_token(&token);
            let error = match request.set_transact_items(Some(items.clone())).send().await {
                Ok(_) => return Ok(Committed::Done),
                Err(error) => error,
            };
            match verdict(&error, &slots)? {
                Verdict::Refused(refused) => return Ok(Committed::Refused(refused)),
                Verdict::Again => {}
            }
            attempt += 1;
            if attempt >= MOST_ATTEMPTS {
                return Err(StoreError::Unavailable("contention or overload"));
            }
            self.pause(attempt).await;
        }
    }
}

enum Verdict {
    /// It passes; the attempt may have been carried out nevertheless.
    Again,
    Refused(Vec<(Slot, Option<Item>)>),
}

fn verdict<R>(error: &SdkError<TransactWriteItemsError, R>, slots: &[Slot]) -> Result<Verdict, StoreError> {
    let service = match error {
        SdkError::ServiceError(service) => service.err(),
        SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => {
            return Ok(Verdict::Again);
        }
        _ => return Err(StoreError::Refused("the request could not be made".to_owned())),
    };
    match service {
        TransactWriteItemsError::TransactionCanceledException(cancelled) => {
            by_position(cancelled.cancellation_reasons(), slots)
        }
        TransactWriteItemsError::TransactionInProgressException(_)
        | TransactWriteItemsError::ProvisionedThroughputExceededException(_)
        | TransactWriteItemsError::RequestLimitExceeded(_)
        | TransactWriteItemsError::InternalServerError(_) => Ok(Verdict::Again),
        other if is_overload(other.code()) => Ok(Verdict::Again),
        other => Err(StoreError::Refused(other.code().unwrap_or("an unknown error").to_owned())),
    }
}

/// Reads reasons by position. A condition that does not hold weighs more than contention beside it: the fact is there,
/// whoever else is writing.
fn by_position(reasons: &[CancellationReason], slots: &[Slot]) -> Result<Verdict, StoreError> {
    let mut refused = Vec::new();
    let mut contended = false;
    for (reason, slot) in reasons.iter().zip(slots) {
        match reason.code() {
            None | Some("None") => {}
            Some("ConditionalCheckFailed") => refused.push((slot.clone(), reason.item().cloned())),
            Some("TransactionConflict" | "ThrottlingError" | "ProvisionedThroughputExceeded") => contended = true,
            Some(other) => return Err(StoreError::Refused(other.to_owned())),
        }
    }
    match (refused.is_empty(), contended) {
        (false, _) => Ok(Verdict::Refused(refused)),
        (true, true) => Ok(Verdict::Again),
        (true, false) => Err(StoreError::Refused("cancelled without a reason".to_owned())),
    }
}

fn is_overload(code: Option<&str>) -> bool {
    matches!(
        code,
        Some(
            "ThrottlingException"
                | "ThrottlingError"
                | "ProvisionedThroughputExceededException"
                | "RequestLimitExceeded"
                | "InternalServerError"
                | "InternalFailure"
                | "ServiceUnavailable"
                | "TransactionConflictException"
                | "ReplicatedWriteConflictException"
        )
    )
}

fn passing<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> bool {
    match error {
        SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => true,
        SdkError::ServiceError(service) => is_overload(service.err().code()),
        _ => false,
    }
}
