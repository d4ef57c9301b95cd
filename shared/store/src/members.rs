//! Persons: profile, and what erasure has to find.

use crate::engine::Engine;
use crate::error::StoreError;
use crate::items::{self, Person};
use crate::keys;
use aws_sdk_dynamodb::types::{AttributeValue, DeleteRequest, WriteRequest};
use loyalty_domain::id::{MemberId, ProgramId};

/// What one batch deletes; DynamoDB's own limit.
const BATCH: usize = 25;

impl Engine {
    /// A member's personal data; none for one who is gone or was never there.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn person(&self, program: &ProgramId, member: MemberId) -> Result<Option<Person>, StoreError> {
        self.table().get(&keys::profile(program, member)).await?.as_ref().map(items::body).transpose()
    }

    /// Deletes every note of a member. May be repeated; ends when none is left.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn delete_notes(&self, program: &ProgramId, member: MemberId) -> Result<(), StoreError> {
        let pk = keys::member(program, member);
        let most = i32::try_from(BATCH).unwrap_or(25);
        loop {
            let notes = self.table().range(&pk, &keys::note_sk(0), "N#~", true, most).await?;
            if notes.is_empty() {
                return Ok(());
            }
            let sort_keys = notes.iter().filter_map(|note| note.get(keys::SK));
            let deletes: Vec<WriteRequest> = sort_keys
                .map(|sk| {
                    let key =
                        DeleteRequest::builder().key(keys::PK, AttributeValue::S(pk.clone())).key(keys::SK, sk.clone());
                    let delete = key.build().map_err(|_| StoreError::Corrupt("a delete lacks something"))?;
                    Ok(WriteRequest::builder().delete_request(delete).build())
                })
                .collect::<Result<_, StoreError>>()?;
            let request = || {
                let table = self.table();
                table.client().batch_write_item().request_items(table.name(), deletes.clone()).send()
            };
            // What the batch leaves unprocessed is found again by the next round.
            self.table().patiently(request).await?;
        }
    }
}
