//! `loyalty replay`: a shop's purchase history, sent through the HTTP API of a running stack as the shop itself would
//! have sent it, and the totals that came of it.
//!
//! [`read`] makes rows of a file, [`plan`] makes requests of rows and says what they must come to; neither knows HTTP.
//! [`run`] sends what was planned, has no choices left, and compares every answer with the plan.

mod amount;
mod client;
mod drive;
mod matching;
pub mod plan;
mod program;
pub mod read;
mod report;

pub use report::{Report, grouped};

use client::Api;
use http::Uri;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use plan::Plan;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Instant;

/// A kind of file that can be replayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// UCI "Online Retail": comma-separated, a row per line of an invoice, prices in pounds, cancellations included.
    OnlineRetail,
    /// CDNOW: columns separated by blanks, a row per purchase, dollars.
    Cdnow,
}

impl Kind {
    /// The name of the kind on the command line, and the id of the program that its replay publishes.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OnlineRetail => "online-retail",
            Self::Cdnow => "cdnow",
        }
    }

    /// The ISO 4217 code of the prices. Both currencies have a hundred minor units.
    #[must_use]
    pub const fn currency(self) -> &'static str {
        match self {
            Self::OnlineRetail => "GBP",
            Self::Cdnow => "USD",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Kind {
    type Err = String;

    /// Reads the name of a kind; the error names those that there are.
    fn from_str(text: &str) -> Result<Self, String> {
        let kinds = [Self::OnlineRetail, Self::Cdnow];
        kinds.into_iter().find(|kind| kind.name() == text).ok_or_else(|| "must be online-retail or cdnow".to_owned())
    }
}

/// Where the API is, and who we are to it.
#[derive(Debug, Clone)]
pub struct Target {
    /// The API's root, such as `http://127.0.0.1:3000`; plain HTTP.
    pub url: Uri,
    /// A bearer token for the replay's program, or `None` to have the local stack issue one.
    pub token: Option<String>,
}

/// What to replay, and where.
#[derive(Debug, Clone)]
pub struct ReplayOptions {
    /// What the file is.
    pub kind: Kind,
    /// The file, plain or gzipped: its first bytes tell.
    pub file: PathBuf,
    /// The running stack.
    pub target: Target,
    /// Whether to draw progress bars on stderr. Where that is no terminal none is drawn in any case.
    pub progress: bool,
    /// A clock for rates. Only `main.rs` reads clocks, so it comes from there.
    pub clock: fn() -> Instant,
}

/// Why a replay came to nothing, or to something else than it should have.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The file cannot be read, or is not what it was said to be.
    #[error("{}: {fault}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        fault: String,
    },
    /// The API gave no usable answer, however often it was asked.
    #[error("{url} does not answer: {fault}")]
    Unreachable {
        /// What was asked.
        url: String,
        /// How the last attempt ended.
        fault: String,
    },
    /// A request was refused without which there is no replay: the token, the program, an account.
    #[error("{request} was refused: {status} {code} {detail}")]
    Refused {
        /// Method and path.
        request: String,
        /// HTTP status.
        status: u16,
        /// The problem's code.
        code: String,
        /// The problem's detail.
        detail: String,
    },
    /// The replay's program is there, with other rules: the totals would not be the file's.
    #[error("a program \"{program}\" with other rules is published there already; replay into fresh data")]
    OtherProgram {
        /// The program's id.
        program: &'static str,
    },
    /// A fault of the replay itself.
    #[error("the replay broke off: {fault}")]
    Broken {
        /// What happened.
        fault: String,
    },
    /// Answers or accounts do not hold what the file comes to. The message ends with the whole report.
    #[error("{} answers or accounts differ from what the file comes to, first of all: {first}\n\n{report}", grouped(*count))]
    Mismatch {
        /// How many differ.
        count: u64,
        /// The first that was found.
        first: String,
        /// What was done all the same.
        report: Box<Report>,
    },
}

/// How many requests are under way at once, each for another member.
pub const IN_FLIGHT: usize = 8;

/// Replays a file: publishes the replay's program unless it is there, enrols each customer, sends each purchase and each
/// refund, and checks every account at the end. Run again on the same data it changes nothing.
///
/// # Errors
/// [`ReplayError`]; requests refused one by one are no error but are counted in the report.
pub async fn run(options: ReplayOptions) -> Result<Report, ReplayError> {
    let ReplayOptions { kind, file, target, progress, clock } = options;
    let plan = Arc::new(planned(kind, file).await?);
    let api = Arc::new(Api::connect(&target, kind).await?);
    program::publish(&api, kind).await?;

    let bar = |length: u64, what: &'static str| if progress { bar(length, what) } else { ProgressBar::hidden() };
    let start = clock();
    let sending = bar(plan.requests(), "replaying");
    let (mut tally, accounts) = drive::send(&api, &plan, &sending).await?;
    sending.finish_and_clear();
    let elapsed = clock().saturating_duration_since(start);
    let checking = bar(accounts.len().try_into().unwrap_or(u64::MAX), "checking ");
    let checked = drive::check(&api, accounts, &checking).await?;
    checking.finish_and_clear();

    let differing = std::mem::take(&mut tally.differing).merged(checked.differing);
    let report = Report { kind, plan: plan.summary.clone(), tally, accounts: checked.accounts, elapsed };
    match differing.first {
        Some(first) => Err(ReplayError::Mismatch { count: differing.count, first, report: Box::new(report) }),
        None => Ok(report),
    }
}

/// Reads and plans a file.
///
/// # Errors
/// [`ReplayError::File`] when the file cannot be read or has other columns than its kind has.
pub fn plan_file(kind: Kind, file: &Path) -> Result<Plan, ReplayError> {
    read::rows_of(kind, file)
        .map(plan::plan)
        .map_err(|fault| ReplayError::File { file: file.to_owned(), fault: fault.to_string() })
}

/// [`plan_file`], off the threads that serve.
async fn planned(kind: Kind, file: PathBuf) -> Result<Plan, ReplayError> {
    let planning = tokio::task::spawn_blocking(move || plan_file(kind, &file));
    planning.await.map_err(|fault| ReplayError::Broken { fault: fault.to_string() })?
}

fn bar(length: u64, what: &'static str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr()).with_message(what);
    let template = "{msg} {bar:30} {human_pos} of {human_len} requests, {per_sec}, {eta} left";
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
