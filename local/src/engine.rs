//! What stands behind the local gateway: the table and the functions on it.

use crate::clock::{LocalSurroundings, World};
use crate::embedded::{Embedded, EmbeddedError, client_for_endpoint};
use crate::events::Feed;
use crate::folder::{Folder, FolderTrouble, new_secret};
use crate::local_routes::{EventFeed, Schedules};
use crate::schedules::LocalSchedules;
use aws_sdk_dynamodb::Client;
use axum::Router;
use loyalty_http::{App, Cursors};
use loyalty_store::{Secrets, Table};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

/// The table of the local stack.
pub const TABLE: &str = "loyalty";

/// Where the table is.
#[derive(Debug, Clone)]
pub struct Source {
    /// The folder with keys and, unless there is an endpoint, the data; `None` keeps both in memory.
    pub folder: Option<PathBuf>,
    /// A DynamoDB elsewhere.
    pub endpoint: Option<String>,
}

/// Why there is no table.
#[derive(Debug, thiserror::Error)]
pub enum EngineTrouble {
    /// The data folder cannot be used.
    #[error(transparent)]
    Folder(#[from] FolderTrouble),
    /// The embedded database cannot be used.
    #[error(transparent)]
    Embedded(#[from] EmbeddedError),
    /// The table cannot be made or read.
    #[error("the table cannot be used: {0}")]
    Table(String),
}

/// What the functions are built from.
#[derive(Debug)]
pub struct Parts {
    /// A client of the database that holds [`TABLE`].
    pub client: Client,
    /// The database itself, where it is embedded: its stream feeds the events.
    pub embedded: Option<Embedded>,
    /// Where data and secrets are kept; `None` in memory.
    pub folder: Option<Folder>,
    /// Clock and ids.
    pub surroundings: Arc<LocalSurroundings>,
    /// Real time and randomness.
    pub world: World,
}

impl Parts {
    /// The secret of this name: the same after a restart where there is a folder to keep it, else a new one each time.
    ///
    /// # Errors
    /// It cannot be kept or read.
    pub fn secret(&self, name: &str) -> Result<[u8; 32], EngineTrouble> {
        match &self.folder {
            Some(folder) => Ok(folder.secret(name, &self.world)?),
            None => Ok(new_secret(&self.world)),
        }
    }
}

/// The functions, ready to be put behind the gateway.
pub struct Engine {
    /// All functions' routes.
    pub functions: Router,
    /// Called after the clock was moved.
    pub on_clock_change: Arc<dyn Fn() + Send + Sync>,
    /// What went out on the event bus.
    pub events: Arc<dyn EventFeed>,
    /// The schedules.
    pub schedules: Arc<dyn Schedules>,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Engine")
    }
}

/// Opens the database.
///
/// # Errors
/// It cannot be opened, or the data folder cannot be written.
pub fn open(source: &Source, world: World) -> Result<Parts, EngineTrouble> {
    let folder = source.folder.as_deref().map(Folder::open).transpose()?;
    let (client, embedded) = match (&source.endpoint, &folder) {
        (Some(url), _) => (client_for_endpoint(url), None),
        (None, Some(folder)) => with_client(Embedded::open(folder.path())?),
        (None, None) => with_client(Embedded::memory()?),
    };
    let surroundings = Arc::new(LocalSurroundings::new(world.clone()));
    Ok(Parts { client, embedded, folder, surroundings, world })
}

fn with_client(embedded: Embedded) -> (Client, Option<Embedded>) {
    (embedded.client(), Some(embedded))
}

/// Builds the functions on the table, which is made if it is not there.
///
/// # Errors
/// The table cannot be made or read, or a secret cannot be kept.
pub async fn functions(parts: &Parts) -> Result<Engine, EngineTrouble> {
    let trouble = |error: loyalty_store::StoreError| EngineTrouble::Table(error.to_string());
    loyalty_store::create_table(&parts.client, TABLE).await.map_err(trouble)?;
    let engine = engine(parts)?;
    let surroundings = Arc::<LocalSurroundings>::clone(&parts.surroundings);
    let app = App { engine: engine.clone(), surroundings, cursors: Cursors::new(&parts.secret("cursors")?) };
    let routers = [
        members::router(app.clone()),
        earn::router(app.clone()),
        redeem::router(app.clone()),
        program::router(app.clone()),
    ];
    let schedules = LocalSchedules::new(engine.clone(), Arc::clone(&parts.surroundings));
    Ok(Engine {
        schedules: Arc::new(schedules),
        functions: loyalty_http::merge(routers, Arc::<LocalSurroundings>::clone(&parts.surroundings)),
        on_clock_change: Arc::new(move || engine.forget_programs()),
        events: Arc::new(Feed::new(parts.embedded.clone())),
    })
}

/// The store on the table of these parts.
///
/// # Errors
/// A secret cannot be kept.
pub fn engine(parts: &Parts) -> Result<loyalty_store::Engine, EngineTrouble> {
    let secrets = Secrets::new(&[&parts.secret("identities")?], &[&parts.secret("vouchers")?]);
    let ids = Arc::<LocalSurroundings>::clone(&parts.surroundings);
    let table = Table::new(parts.client.clone(), TABLE, secrets, Arc::new(move || ids.ulid()));
    Ok(loyalty_store::Engine::new(table))
}
