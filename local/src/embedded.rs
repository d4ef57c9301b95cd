//! DynamoDB in this very process: the real SDK in front, dynoxide (SQLite) behind, no port and no socket between them.
//!
//! # What a file-backed engine promises
//!
//! Data is in the folder's `dynamodb.sqlite` and its write-ahead log as soon as a call has answered, and survives
//! `kill -9` at any moment. SQLite runs with `synchronous = NORMAL`: a commit is handed to the operating system but not
//! forced onto the disk, so a *power cut* may take the last commits with it, but never half of one and never the file's
//! integrity. The stack is for laptops and tests: forcing every commit costs one flush of the disk each (0.15 ms on a
//! virtual disk, a fifth of all throughput; milliseconds where the disk is honest) and buys nothing there.
//!
//! # Streams
//!
//! dynoxide keeps the stream's records in an ordinary table without an index and looks for the highest number in it at
//! every write, so that the n-th write costs n steps. [`Embedded`] gives that table its index, which makes a write with
//! stream cost the same on the first day and after a million records. Nothing ever deletes records; [`crate::stream`] reads them.

mod wire;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{
    BehaviorVersion, Builder, Credentials, Region, SharedHttpClient, StalledStreamProtectionConfig,
};
use dynoxide::Database;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Why there is no engine. Each variant's text is one line for the person who started the server.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// The folder or a file in it cannot be made or written.
    #[error("the data folder {} cannot be written: {source}", folder.display())]
    NotWritable {
        /// The folder asked for.
        folder: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Another process works on the folder; two would spoil each other's answers.
    #[error("the data folder {} is in use by another process", .0.display())]
    InUse(PathBuf),
    /// The folder's data is not a database this version can read.
    #[error("the data folder {} holds no readable database: {reason}", folder.display())]
    Unreadable {
        /// The folder asked for.
        folder: PathBuf,
        /// What the engine says.
        reason: String,
    },
    /// SQLite fails in memory.
    #[error("the embedded database does not start: {0}")]
    Memory(String),
}

/// One embedded DynamoDB. Clones share it; it closes, and its folder becomes free, when the last clone and the last client are
/// gone.
#[derive(Clone)]
pub struct Embedded {
    engine: Arc<Engine>,
}

/// The database and what keeps others away from its folder.
pub(crate) struct Engine {
    database: Database,
    /// Held, never read: the lock goes with the file. None in memory.
    _lock: Option<File>,
    /// Whether a call may wait for a disk, and so has to leave the async threads.
    on_disk: bool,
}

impl Embedded {
    /// An empty engine that lives as long as this value.
    ///
    /// # Errors
    /// [`EmbeddedError::Memory`] if SQLite refuses.
    pub fn memory() -> Result<Self, EmbeddedError> {
        // A name of its own, so that a second connection can reach it to lay the index; no file comes of it.
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!("file:loyalty-{}?mode=memory&cache=shared", NEXT.fetch_add(1, Ordering::Relaxed));
        let database = Database::new(&name).map_err(|error| EmbeddedError::Memory(error.to_string()))?;
        index_stream_records(&name).map_err(|error| EmbeddedError::Memory(error.to_string()))?;
        Ok(Self { engine: Arc::new(Engine { database, _lock: None, on_disk: false }) })
    }

    /// The engine that keeps its data in the folder `dir`, which is made if it is missing.
    ///
    /// # Errors
    /// [`EmbeddedError::NotWritable`], [`EmbeddedError::InUse`] and [`EmbeddedError::Unreadable`], as they say.
    pub fn open(dir: &Path) -> Result<Self, EmbeddedError> {
        let not_writable = |source| EmbeddedError::NotWritable { folder: dir.to_owned(), source };
        fs::create_dir_all(dir).map_err(not_writable)?;
        let lock = lock(dir)?;
        let path = dir.join("dynamodb.sqlite");
        // SQLite would open a read-only file happily and fail at the first write.
        File::options().create(true).append(true).open(&path).map_err(not_writable)?;
        let name = path.to_str().ok_or_else(|| not_writable(io::ErrorKind::InvalidFilename.into()))?;
        let unreadable = |reason: String| EmbeddedError::Unreadable { folder: dir.to_owned(), reason };
        let database = Database::new(name).map_err(|error| unreadable(error.to_string()))?;
        index_stream_records(name).map_err(|error| unreadable(error.to_string()))?;
        // The engine's only way to set `synchronous = NORMAL`: it names the end of a bulk load, but sets plain pragmas.
        database.disable_bulk_loading().map_err(|error| unreadable(error.to_string()))?;
        Ok(Self { engine: Arc::new(Engine { database, _lock: Some(lock), on_disk: true }) })
    }

    /// A client of this engine.
    #[must_use]
    pub fn client(&self) -> Client {
        // Every transaction has a token, which dynoxide remembers for ten minutes and looks through at every call. Between
        // this client and the engine no answer can be lost, so no transaction comes again and its token need not be kept.
        client_with(wire::http_client(Arc::clone(&self.engine), wire::Tokens::Dropped))
    }

    /// What carries a client's calls to this engine, for a layer that wants to sit between (see [`client_with`]).
    #[must_use]
    pub fn http_client(&self) -> SharedHttpClient {
        wire::http_client(Arc::clone(&self.engine), wire::Tokens::Remembered)
    }

    /// The engine itself, for what the SDK's client has no call for.
    #[must_use]
    pub fn database(&self) -> &Database {
        &self.engine.database
    }
}

/// A client whose calls go through `http`, with region and credentials that mean nothing, no retries and no timeouts: the store
/// has its own, and tests count calls.
#[must_use]
pub fn client_with(http: SharedHttpClient) -> Client {
    Client::from_conf(config(http).build())
}

/// A client of the DynamoDB that answers at `url` over plain HTTP, such as AWS's own DynamoDB Local on the loopback.
#[must_use]
pub fn client_for_endpoint(url: &str) -> Client {
    client_for_endpoint_with(plain_http(), url)
}

/// The same through `http`, which is [`plain_http`] with whatever is to sit in between.
#[must_use]
pub fn client_for_endpoint_with(http: SharedHttpClient, url: &str) -> Client {
    Client::from_conf(config(http).endpoint_url(url).build())
}

/// Connections without TLS, kept open between calls.
#[must_use]
pub fn plain_http() -> SharedHttpClient {
    aws_smithy_http_client::Builder::new().build_http()
}

fn config(http: SharedHttpClient) -> Builder {
    Builder::new()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("local", "local", None, None, "local"))
        .endpoint_url("http://dynamodb.invalid")
        .retry_config(RetryConfig::disabled())
        .timeout_config(TimeoutConfig::disabled())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .http_client(http)
}

/// Takes the folder for this process until the file is closed, by whatever end the process meets.
fn lock(dir: &Path) -> Result<File, EmbeddedError> {
    let not_writable = |source| EmbeddedError::NotWritable { folder: dir.to_owned(), source };
    let file = File::options().create(true).append(true).open(dir.join("lock")).map_err(not_writable)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(EmbeddedError::InUse(dir.to_owned())),
        Err(TryLockError::Error(source)) => Err(not_writable(source)),
    }
}

/// Gives dynoxide's stream records the index that its questions about them need: the highest number of a table (every
/// write) and the records after a number (every read).
fn index_stream_records(name: &str) -> Result<(), rusqlite::Error> {
    rusqlite::Connection::open(name)?.execute_batch(
        "CREATE INDEX IF NOT EXISTS loyalty_stream_order
         ON _stream_records (table_name, CAST(sequence_number AS INTEGER))",
    )
}

impl Engine {
    /// Carries out one operation on whatever thread may wait for it.
    async fn call(
        self: Arc<Self>,
        operation: String,
        body: Vec<u8>,
        tokens: wire::Tokens,
    ) -> Result<wire::Answer, tokio::task::JoinError> {
        if self.on_disk {
            tokio::task::spawn_blocking(move || wire::answer(&self.database, &operation, &body, tokens)).await
        } else {
            Ok(wire::answer(&self.database, &operation, &body, tokens))
        }
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("on_disk", &self.on_disk).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Embedded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.engine.fmt(f)
    }
}

#[cfg(test)]
pub(crate) mod tests;
