//! The local event feed: every entry of the ledger and every use of a voucher as an event, in the order in which they were
//! committed.

use crate::embedded::Embedded;
use crate::engine::TABLE;
use crate::local_routes::{BoxFuture, EventFeed};
use crate::stream::{Position, StreamRecord};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use loyalty_domain::entry::Entry;
use loyalty_domain::redemption::{self, Redemption};
use loyalty_domain::view;
use loyalty_store::{items, keys};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::sync::{Arc, Mutex, PoisonError};

/// What went out so far, and up to where the stream was read.
#[derive(Debug, Default)]
struct Seen {
    events: Vec<Value>,
    up_to: Option<Position>,
}

/// The feed of an embedded table's stream.
#[derive(Debug, Clone)]
pub struct Feed {
    embedded: Option<Embedded>,
    seen: Arc<Mutex<Seen>>,
}

impl Feed {
    /// The feed of a table; of a database elsewhere there is none.
    #[must_use]
    pub fn new(embedded: Option<Embedded>) -> Self {
        Self { embedded, seen: Arc::default() }
    }

    /// Reads on in the stream, and gives what comes after an event; none if there is no such event.
    fn read(&self, after: Option<&str>) -> Result<Option<Vec<Value>>, String> {
        let embedded = self.embedded.as_ref().ok_or("a database elsewhere has no local feed")?;
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let (records, up_to) =
                embedded.poll_stream(TABLE, seen.up_to.as_ref()).map_err(|error| error.to_string())?;
            if records.is_empty() {
                break;
            }
            for record in &records {
                seen.events.extend(event(record)?);
            }
            seen.up_to = up_to;
        }
        let id = |event: &Value| event.get("id").and_then(Value::as_str).map(str::to_owned);
        let from = match after {
            None => Some(0),
            Some(after) => {
                seen.events.iter().position(|event| id(event).as_deref() == Some(after)).map(|place| place + 1)
            }
        };
        Ok(from.map(|from| seen.events.get(from..).unwrap_or_default().to_vec()))
    }
}

impl EventFeed for Feed {
    fn events(&self, after: Option<String>) -> BoxFuture<'_, Result<Option<Vec<Value>>, String>> {
        let feed = self.clone();
        Box::pin(async move {
            let read = tokio::task::spawn_blocking(move || feed.read(after.as_deref()));
            read.await.map_err(|error| error.to_string())?
        })
    }
}

/// The event of a stream record; none for records of other items than new entries and changed redemptions.
fn event(record: &StreamRecord) -> Result<Option<Value>, String> {
    let (Some(pk), Some(sk)) = (key(record, keys::PK), key(record, keys::SK)) else { return Ok(None) };
    match record.event_name.as_str() {
        "INSERT" if sk.starts_with("E#") => {
            let Some((program, member)) = keys::member_of(pk) else { return Ok(None) };
            let entry: Entry = body(record.new_image.as_ref())?;
            Ok(Some(view::event(&entry, member, &program)))
        }
        "MODIFY" if sk == "R" => {
            let Some((program, _)) = keys::redemption_of(pk) else { return Ok(None) };
            let (before, after): (Redemption, Redemption) =
                (body(record.old_image.as_ref())?, body(record.new_image.as_ref())?);
            Ok(redemption::event(&before, &after, &program))
        }
        _ => Ok(None),
    }
}

fn key<'r>(record: &'r StreamRecord, name: &str) -> Option<&'r str> {
    record.keys.get(name)?.get("S")?.as_str()
}

/// The packed body of an item, as a stream shows it.
fn body<T: DeserializeOwned>(image: Option<&Value>) -> Result<T, String> {
    let packed = image.and_then(|image| image.get("b")?.get("B")?.as_str()).ok_or("an item has no body")?;
    let packed = STANDARD.decode(packed).map_err(|error| error.to_string())?;
    items::body_of_bytes(&packed).map_err(|error| error.to_string())
}
