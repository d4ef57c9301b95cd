//! The `loyalty` command. Only here are clock, randomness, environment and signals read.
#![allow(clippy::disallowed_methods, reason = "this is the place that the others are told from")]
#![allow(clippy::expect_used, reason = "without randomness there is nothing to go on with")]

use clap::Parser;
use jiff::Timestamp;
use loyalty_local::auth::{Grant, Tokens};
use loyalty_local::check;
use loyalty_local::cli::{Check, Cli, Command, Replay, Serve, Token, Validate};
use loyalty_local::clock::World;
use loyalty_local::engine::Source;
use loyalty_local::folder::Folder;
use loyalty_local::publish;
use loyalty_local::replay::{self, ReplayOptions, Target};
use loyalty_local::schema;
use loyalty_local::serve::{self, TOKEN_KEY};
use loyalty_local::validate;
use rand::TryRngCore;
use rand::rngs::OsRng;
use std::error::Error;
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;
use tracing_subscriber::EnvFilter;

/// What went wrong, already in the words that a person is to read.
type Failure = Box<dyn Error + Send + Sync>;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match cli.command {
        None => serve(cli.serve).await,
        Some(Command::Serve(options)) => serve(options).await,
        Some(Command::Replay(options)) => replay(options).await,
        Some(Command::Check(options)) => check(options).await,
        Some(Command::Validate(options)) => validate(options),
        Some(Command::Schema) => say(&schema::text()),
        Some(Command::Token(options)) => token(options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("loyalty: {failure}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(options: Serve) -> Result<(), Failure> {
    let log_requests = log(options.log.as_deref(), "warn,loyalty_http=info,loyalty_local=info")?;
    let program = options.program.as_deref().map(publish::read_file).transpose()?;
    let source = Source { folder: options.place.folder().map(Into::into), endpoint: options.dynamodb_endpoint };
    let stack = serve::start(options.port, &source, world()).await?;
    // Heard from before the welcome on: whoever reads it and stops at once is stopping, not killing.
    let stop = stop_signal()?;
    say(&stack.welcome(program.as_deref()).await?)?;
    log_requests()?;
    stack
        .serve(async {
            stop.await;
            eprintln!("\nloyalty: stopping, finishing what runs");
        })
        .await?;
    eprintln!("loyalty: stopped");
    Ok(())
}

async fn replay(options: Replay) -> Result<(), Failure> {
    log(options.log.as_deref(), "warn")?()?;
    let drive = |url: String| async move {
        let target = Target { url: url.parse().map_err(|fault| format!("--url {url}: {fault}"))?, token: None };
        let Replay { kind, file, .. } = options;
        let report = replay::run(ReplayOptions { kind, file, target, progress: true, clock: Instant::now }).await?;
        say(&report)
    };
    if let Some(url) = options.url.clone() {
        return drive(url).await;
    }
    let source = Source { folder: options.place.folder().map(Into::into), endpoint: None };
    let stack = serve::start(0, &source, world()).await?;
    let (url, stop) = (stack.url(), stop_signal()?);
    // Dropped when the replay is over, however it ended; the stack then finishes what runs.
    let (over, wait) = tokio::sync::oneshot::channel::<()>();
    let serving = tokio::spawn(stack.serve(async {
        let _ended = wait.await;
    }));
    let done = tokio::select! {
        done = drive(url) => done,
        () = stop => Err("stopped; run it again to go on".into()),
    };
    drop(over);
    serving.await??;
    done
}

async fn check(options: Check) -> Result<(), Failure> {
    log(None, "warn")?()?;
    let folder = options.dynamodb_endpoint.is_none().then_some(options.data);
    if let Some(missing) = folder.as_ref().filter(|folder| !folder.is_dir()) {
        return Err(format!("there is no data folder {}", missing.display()).into());
    }
    let verdict = check::run(&Source { folder, endpoint: options.dynamodb_endpoint }, world()).await?;
    say(&verdict)?;
    if verdict.is_clean() { Ok(()) } else { Err("the books do not hold".into()) }
}

fn validate(options: Validate) -> Result<(), Failure> {
    let verdict = validate::run(&options.file)?;
    say(&verdict)?;
    if verdict.is_valid() { Ok(()) } else { Err("the document cannot be published".into()) }
}

fn token(options: Token) -> Result<(), Failure> {
    let Token { scope, program, member_id, sub, data } = options;
    let key = Folder::open(&data)?.secret(TOKEN_KEY, &world())?;
    let mut grant = Grant::new(sub.as_deref().unwrap_or("local"), &scope);
    grant.program = program;
    grant.member_id = member_id;
    say(&Tokens::new(&key, world()).issue(&grant)?)
}

/// Real time, in the milliseconds that clocks of distributed systems are good for, and the system's randomness.
fn world() -> World {
    World {
        now: Arc::new(|| {
            let now = Timestamp::now();
            Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
        }),
        random: Arc::new(|buffer| OsRng.try_fill_bytes(buffer).expect("the system gives randomness")),
    }
}

/// Logs warnings to stderr, and once the function that it gives is called, what is wanted: what the flag says, else the
/// environment, else the command's own measure. So the stack's own requests while it starts are nobody's concern.
fn log(flag: Option<&str>, usual: &str) -> Result<impl FnOnce() -> Result<(), Failure>, Failure> {
    let environment = std::env::var("RUST_LOG").ok();
    let wanted = flag.or(environment.as_deref()).unwrap_or(usual);
    let wanted = EnvFilter::try_new(wanted).map_err(|fault| format!("--log {wanted}: {fault}"))?;
    let subscriber = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_env_filter(EnvFilter::new("warn"))
        .with_filter_reloading();
    let filter = subscriber.reload_handle();
    subscriber.try_init()?;
    loyalty_http::log_panics();
    Ok(move || Ok(filter.reload(wanted)?))
}

/// Prints for the person at the terminal, or for the pipe that they put behind it.
fn say(what: &impl std::fmt::Display) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{what}")?;
    Ok(out.flush()?)
}

/// Comes when somebody asks this process to end: Ctrl-C, or the system's polite signal.
fn stop_signal() -> Result<impl Future<Output = ()> + Send + 'static, Failure> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        Ok(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        })
    }
    #[cfg(not(unix))]
    Ok(async {
        if let Err(reason) = tokio::signal::ctrl_c().await {
            tracing::warn!(%reason, "Ctrl-C cannot be heard");
            std::future::pending::<()>().await;
        }
    })
}
