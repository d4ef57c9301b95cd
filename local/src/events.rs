//! The local event feed: every entry of the ledger as an event, in the order in which they were committed.

use crate::embedded::Embedded;
use crate::engine::TABLE;
use crate::local_routes::{BoxFuture, EventFeed};
use crate::stream::{Position, StreamRecord};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use loyalty_domain::entry::Entry;
use loyalty_domain::view;
use loyalty_store::{items, keys};
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

    /// Reads on in the stream, and gives what comes after an event.
    fn read(&self, after: Option<&str>) -> Result<Vec<Value>, String> {
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
        let from = match after {
            None => 0,
            Some(id) => seen
                .events
                .iter()
                .position(|event| event.get("id").and_then(Value::as_str) == Some(id))
                .map_or(0, |place| place + 1),
        };
        Ok(seen.events.get(from..).unwrap_or_default().to_vec())
    }
}

impl EventFeed for Feed {
    fn events(&self, after: Option<String>) -> BoxFuture<'_, Result<Vec<Value>, String>> {
        let feed = self.clone();
        Box::pin(async move {
            let read = tokio::task::spawn_blocking(move || feed.read(after.as_deref()));
            read.await.map_err(|error| error.to_string())?
        })
    }
}

/// The event of a stream record; none for records of other items than new entries.
fn event(record: &StreamRecord) -> Result<Option<Value>, String> {
    let text = |name: &str, kind: &str| {
        let image = record.new_image.as_ref()?;
        image.get(name)?.get(kind)?.as_str()
    };
    let is_entry = record.event_name == "INSERT" && text(keys::SK, "S").is_some_and(|sk| sk.starts_with("E#"));
    let owner = text(keys::PK, "S").and_then(keys::member_of);
    let (true, Some((program, member))) = (is_entry, owner) else { return Ok(None) };
    let packed = text("b", "B").ok_or("an entry has no body")?;
    let packed = STANDARD.decode(packed).map_err(|error| error.to_string())?;
    let entry: Entry = items::body_of_bytes(&packed).map_err(|error| error.to_string())?;
    Ok(Some(view::event(&entry, member, &program)))
}
