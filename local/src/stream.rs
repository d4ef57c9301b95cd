//! The table's stream, read in process: what the local event feed is made from.
//!
//! The embedded engine keeps every record of a table made with a `StreamSpecification`, in the folder with the data and for
//! as long as the folder lives (DynamoDB: 24 hours). A record is committed with the write it tells of, so that a
//! killed server loses neither or both. There is one shard, and its order is the order of commits.

use crate::embedded::Embedded;
use dynoxide::DynoxideError;
use dynoxide::actions::get_records::GetRecordsRequest;
use dynoxide::actions::get_shard_iterator::GetShardIteratorRequest;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::Value;
use std::fmt;
use std::str::FromStr;

/// Records that one poll returns at most.
pub const MOST_RECORDS: usize = 1000;

/// One change of one item.
#[derive(Debug, Clone, PartialEq)]
pub struct StreamRecord {
    /// Where the record stands; greater than that of every earlier record.
    pub sequence_number: Position,
    /// `INSERT`, `MODIFY` or `REMOVE`.
    pub event_name: String,
    /// The item's key attributes, in DynamoDB's JSON (`{"pk": {"S": "…"}}`).
    pub keys: Value,
    /// The item after the change, in DynamoDB's JSON; none after `REMOVE`.
    pub new_image: Option<Value>,
    /// The item before the change, in DynamoDB's JSON; none before `INSERT`.
    pub old_image: Option<Value>,
    /// Real time of the change, to the second; a clock that the stack has stopped does not show here.
    pub created: Timestamp,
}

/// A place in the stream, good across restarts. Its text is DynamoDB's sequence number: 21 digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position(String);

/// Text that names no place in a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a position of this stream")]
pub struct NotAPosition;

impl FromStr for Position {
    type Err = NotAPosition;

    fn from_str(text: &str) -> Result<Self, NotAPosition> {
        // The engine counts in microseconds of real time, in 63 bits, above 10^20.
        let first = 10_u128.pow(20);
        let issued = first + 1..=first + u128::from(i64::MAX.unsigned_abs());
        let number = text.parse().ok().filter(|number| issued.contains(number)).ok_or(NotAPosition)?;
        if number.to_string() == text { Ok(Self(text.to_owned())) } else { Err(NotAPosition) }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why the stream cannot be read: there is no such table, it has no stream, or SQLite failed.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// The engine's own words.
    #[error("the stream cannot be read: {0}")]
    Engine(String),
}

impl Embedded {
    /// The records of `table` after the place `after` (from the first one on: none), oldest first and
    /// [`MOST_RECORDS`] at most, and the place to go on from. No records: nothing has happened since.
    ///
    /// Blocks on the engine for some milliseconds when there is much to read; call it where that is no harm.
    ///
    /// # Errors
    /// [`StreamError::Engine`] if the table has no stream.
    pub fn poll_stream(
        &self,
        table: &str,
        after: Option<&Position>,
    ) -> Result<(Vec<StreamRecord>, Option<Position>), StreamError> {
        let database = self.database();
        let iterator = database.get_shard_iterator(GetShardIteratorRequest {
            // The engine reads the table's name from it, not the label of the moment when the stream was switched on.
            stream_arn: dynoxide::streams::stream_arn(table, ""),
            shard_id: dynoxide::streams::shard_id(table),
            shard_iterator_type: if after.is_some() { "AFTER_SEQUENCE_NUMBER" } else { "TRIM_HORIZON" }.to_owned(),
            sequence_number: after.map(Position::to_string),
        })?;
        let page = database.get_records(GetRecordsRequest {
            shard_iterator: iterator.shard_iterator.unwrap_or_default(),
            limit: Some(MOST_RECORDS),
        })?;
        let records = page.records.into_iter().map(record).collect::<Result<Vec<_>, _>>()?;
        let next = records.last().map(|record| record.sequence_number.clone()).or_else(|| after.cloned());
        Ok((records, next))
    }
}

fn record(record: dynoxide::actions::get_records::Record) -> Result<StreamRecord, StreamError> {
    let change = record.dynamodb;
    Ok(StreamRecord {
        sequence_number: Position(change.sequence_number),
        event_name: record.event_name,
        keys: json(&change.keys)?,
        new_image: change.new_image.as_ref().map(json).transpose()?,
        old_image: change.old_image.as_ref().map(json).transpose()?,
        created: moment(change.approximate_creation_date_time)?,
    })
}

fn moment(seconds: f64) -> Result<Timestamp, StreamError> {
    SignedDuration::try_from_secs_f64(seconds)
        .and_then(|since| Timestamp::UNIX_EPOCH.checked_add(since))
        .map_err(|fault| StreamError::Engine(fault.to_string()))
}

fn json<T: Serialize>(item: &T) -> Result<Value, StreamError> {
    serde_json::to_value(item).map_err(|fault| StreamError::Engine(fault.to_string()))
}

impl From<DynoxideError> for StreamError {
    fn from(error: DynoxideError) -> Self {
        Self::Engine(error.to_string())
    }
}

#[cfg(test)]
mod tests;
