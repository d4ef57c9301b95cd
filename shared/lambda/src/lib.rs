//! What every function's `main.rs` does on Lambda, so that each of them is one line: read the environment, the clock and
//! randomness, make the client, warm up its connection, and serve.

// The one library that stands in for the main.rs files: here the outside world comes in.
#![allow(clippy::disallowed_methods)]

use aws_config::BehaviorVersion;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::Client;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use axum::Router;
use jiff::Timestamp;
use loyalty_http::{App, Cursors, Surroundings};
use loyalty_store::{Engine, Secrets, Table};
use std::sync::Arc;
use std::time::Duration;
use ulid::Ulid;

/// The clock and the randomness of this machine.
struct World;

impl Surroundings for World {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn ulid(&self) -> Ulid {
        let millis = u64::try_from(Timestamp::now().as_millisecond()).unwrap_or(0);
        Ulid::from_parts(millis, rand::random())
    }
}

/// Serves a function's routes. Reads `TABLE`, the name of the table, `IDENTITY_SECRETS`, `VOUCHER_SECRETS` and
/// `CURSOR_SECRET`; of the first two kinds there may be several, separated by blanks, the newest first.
///
/// # Errors
/// A variable is missing, or the Lambda runtime cannot go on.
pub async fn serve(router: impl FnOnce(App) -> Router) -> Result<(), lambda_http::Error> {
    tracing_subscriber::fmt().json().without_time().with_target(false).init();
    let table = std::env::var("TABLE")?;
    let (identities, vouchers) = (std::env::var("IDENTITY_SECRETS")?, std::env::var("VOUCHER_SECRETS")?);
    let cursor_secret = std::env::var("CURSOR_SECRET")?;
    let (identities, vouchers) = (secrets("IDENTITY_SECRETS", &identities)?, secrets("VOUCHER_SECRETS", &vouchers)?);

    let ids = Arc::new(|| World.ulid());
    let table = Table::new(client().await, table, Secrets::new(&identities, &vouchers), ids);
    let engine = Engine::new(table);
    engine.warm_up().await;
    let app = App { engine, surroundings: Arc::new(World), cursors: Cursors::new(cursor_secret.as_bytes()) };
    loyalty_http::serve(router(app)).await
}

/// The secrets in a variable; without one, hashes and codes could be guessed.
fn secrets<'t>(variable: &str, text: &'t str) -> Result<Vec<&'t [u8]>, String> {
    let secrets: Vec<&[u8]> = text.split_ascii_whitespace().map(str::as_bytes).collect();
    if secrets.is_empty() { Err(format!("{variable} is empty")) } else { Ok(secrets) }
}

/// A client whose patience is short and whose retries are ours: the store knows which failures pass.
async fn client() -> Client {
    let http = aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(1))
        .operation_attempt_timeout(Duration::from_secs(3))
        .build();
    let config = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(http)
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts)
        .load()
        .await;
    Client::new(&config)
}
