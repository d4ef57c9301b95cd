//! `loyalty serve`: the whole engine behind one loopback port.

use crate::auth::{Grant, Tokens};
use crate::clock::{LocalSurroundings, World};
use crate::engine::{self, Engine, EngineTrouble, Source};
use crate::gateway;
use crate::local_routes::{self, EventFeed, Local, Schedules};
use crate::publish::{self, ProgramTrouble};
use crate::welcome::Welcome;
use axum::Router;
use axum::serve::ListenerExt;
use std::fmt;
use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;

/// The file with the key of the tokens.
pub const TOKEN_KEY: &str = "token-key";

/// How long requests that run when the stack is stopped may take to finish.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why the stack does not start or go on: each is one line for the person at the terminal.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// Somebody else listens there.
    #[error("port {0} is in use: stop what listens on it, or choose another with --port")]
    PortInUse(u16),
    /// The port cannot be had for another reason.
    #[error("cannot listen on port {port}: {source}")]
    Port {
        /// The port.
        port: u16,
        /// What the machine says.
        source: io::Error,
    },
    /// The table, or the folder it is in.
    #[error(transparent)]
    Engine(#[from] EngineTrouble),
    /// The program that it should start with.
    #[error(transparent)]
    Program(#[from] ProgramTrouble),
    /// A token cannot be signed.
    #[error("cannot sign tokens: {0}")]
    Tokens(#[from] jsonwebtoken::errors::Error),
    /// Listening broke off.
    #[error("the server broke off: {0}")]
    Broken(io::Error),
}

/// What the gateway's part of the stack works with.
#[derive(Clone)]
pub struct Settings {
    /// Issues and checks tokens.
    pub tokens: Arc<Tokens>,
    /// Clock and ids.
    pub surroundings: Arc<LocalSurroundings>,
    /// Called after the clock was moved: program caches are dropped here.
    pub on_clock_change: Arc<dyn Fn() + Send + Sync>,
    /// What went out on the event bus.
    pub events: Arc<dyn EventFeed>,
    /// The schedules, to be run on demand.
    pub schedules: Arc<dyn Schedules>,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Settings")
    }
}

/// The functions as the world sees them: behind a gateway, and the local routes beside them.
pub fn stack(functions: Router, settings: Settings) -> Router {
    let Settings { tokens, surroundings, on_clock_change, events, schedules } = settings;
    let behind = gateway::before(functions, Arc::clone(&tokens), Arc::clone(&surroundings));
    let local = Local { tokens, surroundings: Arc::clone(&surroundings), on_clock_change, events, schedules };
    gateway::number(behind.merge(local_routes::routes(local)), surroundings)
}

/// A stack that has its port and its table.
pub struct Stack {
    listener: TcpListener,
    router: Router,
    parts: engine::Parts,
    tokens: Arc<Tokens>,
    address: SocketAddr,
    data: String,
}

impl fmt::Debug for Stack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stack").field("address", &self.address).field("parts", &self.parts).finish_non_exhaustive()
    }
}

/// Starts a stack on this port of 127.0.0.1; 0 takes a free one. Requests wait until [`Stack::serve`] is called.
///
/// # Errors
/// The port or the data cannot be had.
pub async fn start(port: u16, source: &Source, world: World) -> Result<Stack, Trouble> {
    // The port first: to start a second stack by mistake is common, and must not touch the data of the first.
    let (listener, address) = bind(port).await?;
    let parts = engine::open(source, world.clone())?;
    let tokens = Arc::new(Tokens::new(&parts.secret(TOKEN_KEY)?, world));
    let Engine { functions, on_clock_change, events, schedules } = engine::functions(&parts).await?;
    let surroundings = Arc::clone(&parts.surroundings);
    let settings = Settings { tokens: Arc::clone(&tokens), surroundings, on_clock_change, events, schedules };
    let data = match (&source.endpoint, &parts.folder) {
        (Some(url), _) => format!("table {} at {url}", engine::TABLE),
        (None, Some(folder)) => format!("{}", folder.path().display()),
        (None, None) => "in memory, gone when this ends".to_owned(),
    };
    Ok(Stack { listener, router: stack(functions, settings), parts, tokens, address, data })
}

impl Stack {
    /// Where it answers.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The whole of it, for requests within this process.
    pub fn router(&self) -> Router {
        self.router.clone()
    }

    /// Gives `main` its program (the example, or a document of one's own), and what a person needs to begin.
    ///
    /// # Errors
    /// The program is refused.
    pub async fn welcome(&self, own_program: Option<&str>) -> Result<Welcome, Trouble> {
        let operator = self.tokens.issue(&Grant::operator())?;
        let program = publish::ensure(&self.router, &operator, own_program).await?;
        Ok(Welcome {
            url: self.url(),
            data: self.data.clone(),
            program,
            service: self.tokens.issue(&Grant::service())?,
            operator,
            now: self.parts.surroundings.now(),
        })
    }

    /// Serves until `stop` comes; then takes no more connections and finishes what runs.
    ///
    /// # Errors
    /// Listening broke off.
    pub async fn serve(self, stop: impl Future<Output = ()> + Send + 'static) -> Result<(), Trouble> {
        let (stopping, stopped) = tokio::sync::oneshot::channel::<()>();
        let listener = self.listener.tap_io(|connection| {
            // Answers are small: waiting for more to send with them costs 40 ms on some clients.
            if let Err(reason) = connection.set_nodelay(true) {
                tracing::debug!(%reason, "answers may be slow");
            }
        });
        let service = self.router.into_make_service_with_connect_info::<SocketAddr>();
        let serving = axum::serve(listener, service).with_graceful_shutdown(async move {
            stop.await;
            drop(stopping);
        });
        let patience = async {
            // Ends with an error when the other side is dropped, which is the sign that stopping has begun.
            if stopped.await.is_err() {
                tokio::time::sleep(PATIENCE).await;
            }
        };
        tokio::select! {
            result = serving.into_future() => result.map_err(Trouble::Broken),
            () = patience => Ok(()),
        }
    }
}

async fn bind(port: u16) -> Result<(TcpListener, SocketAddr), Trouble> {
    let trouble = |source: io::Error| match source.kind() {
        io::ErrorKind::AddrInUse => Trouble::PortInUse(port),
        _ => Trouble::Port { port, source },
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(trouble)?;
    let address = listener.local_addr().map_err(trouble)?;
    Ok((listener, address))
}

#[cfg(test)]
mod tests;
