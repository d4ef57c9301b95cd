//! The fault layer: sits between the SDK and whatever answers it, and does what a network and a busy table do.
//!
//! No emulator knows contention, throttling or a lost answer, so races and retries are proven through this. It also measures:
//! which calls were made, what capacity they consumed and how many of them waited for one another ([`Meter`]).
//!
//! An engine in memory answers within one poll, so that tasks of one thread would never interleave; the layer gives way to
//! the scheduler before it passes a call on, and thereby makes "at once" mean it.

mod answers;
mod meter;

pub use meter::{Call, Capacity, Meter};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What can happen to one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// Another transaction is at work on an item: a transaction is cancelled with `TransactionConflict` at one position and
    /// `None` elsewhere, a single write gets `TransactionConflictException`. Nothing is written. Other calls know no such answer
    /// and pass unharmed.
    Conflict,
    /// The request as a whole is refused with `ThrottlingException`. Nothing is written.
    Throttle,
    /// The request as a whole is refused with `ProvisionedThroughputExceededException`. Nothing is written.
    ThroughputExceeded,
    /// A transaction is cancelled because one of its items is throttled (`ThrottlingError` at its position); any other call is
    /// refused as by [`Fault::Throttle`]. Nothing is written.
    ItemThrottled,
    /// 500, `InternalServerError`. Nothing is written.
    ServerError,
    /// The connection fails before the request is sent. Nothing is written.
    LoseRequest,
    /// The request is carried out, and the connection fails before the answer arrives. The write is done.
    LoseAnswer,
    /// Others get their turn several times, before the request arrives and before its answer does.
    Delay,
}

impl Fault {
    /// Every fault, for tests that go through all of them.
    pub const ALL: [Self; 8] = [
        Self::Conflict,
        Self::Throttle,
        Self::ThroughputExceeded,
        Self::ItemThrottled,
        Self::ServerError,
        Self::LoseRequest,
        Self::LoseAnswer,
        Self::Delay,
    ];
}

/// Shares of calls that meet a fault, each between 0 and 1; together they may not exceed 1.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Shares {
    /// Of the `TransactWriteItems` calls, cancelled by [`Fault::Conflict`]: at least this share at every moment.
    pub conflicts: f64,
    /// Of all calls, about: [`Fault::Throttle`], [`Fault::ThroughputExceeded`] and [`Fault::ItemThrottled`] in turn.
    pub throttles: f64,
    /// Of all calls, about: [`Fault::ServerError`].
    pub server_errors: f64,
    /// Of all calls, about: [`Fault::LoseRequest`].
    pub lost_requests: f64,
    /// Of all calls, about: [`Fault::LoseAnswer`].
    pub lost_answers: f64,
    /// Of all calls, about: [`Fault::Delay`].
    pub delays: f64,
}

/// Which calls meet which fault, counted from the moment the plan is armed.
#[derive(Debug, Clone)]
pub struct Plan(Way);

#[derive(Debug, Clone)]
enum Way {
    Script(BTreeMap<usize, Fault>),
    Random { rng: Box<StdRng>, shares: Shares, commits: usize, conflicts: usize },
}

impl Plan {
    /// The call number `call` (the first is 0) meets `fault`, all others pass.
    #[must_use]
    pub fn nth(call: usize, fault: Fault) -> Self {
        Self::script([(call, fault)])
    }

    /// Each numbered call (the first is 0) meets its fault, all others pass.
    #[must_use]
    pub fn script(faults: impl IntoIterator<Item = (usize, Fault)>) -> Self {
        Self(Way::Script(faults.into_iter().collect()))
    }

    /// Calls meet faults by chance, the same ones for the same seed and the same order of calls.
    #[must_use]
    pub fn random(seed: u64, shares: Shares) -> Self {
        Self(Way::Random { rng: Box::new(StdRng::seed_from_u64(seed)), shares, commits: 0, conflicts: 0 })
    }

    /// The fault for the next call, which is number `call` and of this `operation`.
    fn next(&mut self, call: usize, operation: &str) -> Option<Fault> {
        match &mut self.0 {
            Way::Script(faults) => faults.get(&call).copied(),
            Way::Random { rng, shares, commits, conflicts } => {
                if operation == "TransactWriteItems" {
                    *commits += 1;
                    // Chance alone would fall below the share now and then.
                    let due = (*conflicts as f64) < shares.conflicts * *commits as f64;
                    if due || rng.random_bool(shares.conflicts) {
                        *conflicts += 1;
                        return Some(Fault::Conflict);
                    }
                }
                let throttle = [Fault::Throttle, Fault::ThroughputExceeded, Fault::ItemThrottled][call % 3];
                let mut draw: f64 = rng.random();
                let chances = [
                    (shares.throttles, throttle),
                    (shares.server_errors, Fault::ServerError),
                    (shares.lost_requests, Fault::LoseRequest),
                    (shares.lost_answers, Fault::LoseAnswer),
                    (shares.delays, Fault::Delay),
                ];
                chances.into_iter().find_map(|(share, fault)| {
                    draw -= share;
                    (draw < 0.0).then_some(fault)
                })
            }
        }
    }
}

/// The handle on a layer. Clones steer and read the same one.
#[derive(Debug, Clone, Default)]
pub struct Faults(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    plan: Option<Plan>,
    seen: usize,
    fired: usize,
    metering: bool,
    meter: Meter,
}

impl Faults {
    /// Puts a layer around `http`: build the client under test over the returned one. Nothing is armed, nothing is metered, but
    /// calls are recorded.
    #[must_use]
    pub fn around(http: SharedHttpClient) -> (SharedHttpClient, Self) {
        let faults = Self::default();
        (SharedHttpClient::new(Layer { inner: http, faults: faults.clone() }), faults)
    }

    /// Follows `plan` from the next call on, in place of any plan before.
    pub fn arm(&self, plan: Plan) {
        let mut state = self.state();
        (state.plan, state.seen, state.fired) = (Some(plan), 0, 0);
    }

    /// Lets every call pass from now on. [`Faults::seen`] and [`Faults::fired`] keep their figures.
    pub fn disarm(&self) {
        self.state().plan = None;
    }

    /// How many calls came while the last plan was armed. A test that goes through the calls of a command one by one has
    /// reached the end when this is no more than the number it armed.
    #[must_use]
    pub fn seen(&self) -> usize {
        self.state().seen
    }

    /// How many of them met a fault.
    #[must_use]
    pub fn fired(&self) -> usize {
        self.state().fired
    }

    /// Asks for the consumed capacity of every call from now on, in place of production code that has no reason to.
    pub fn meter_on(&self) {
        self.state().metering = true;
    }

    /// Stops asking.
    pub fn meter_off(&self) {
        self.state().metering = false;
    }

    /// What was recorded since the last reset.
    #[must_use]
    pub fn meter(&self) -> Meter {
        self.state().meter.clone()
    }

    /// Forgets what was recorded. The plan stays armed, metering stays as it is.
    pub fn reset(&self) {
        let mut state = self.state();
        state.meter = state.meter.emptied();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A test that panicked in between leaves counters, nothing half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Decides on a call and writes its start down.
    fn begin(&self, operation: &str) -> (Option<Fault>, usize, bool) {
        let mut state = self.state();
        let State { plan, seen, fired, metering, meter } = &mut *state;
        let mut fault = None;
        if let Some(plan) = plan {
            fault = plan.next(*seen, operation).filter(|fault| answers::can_meet(operation, *fault));
            *seen += 1;
            *fired += usize::from(fault.is_some());
        }
        (fault, meter.start(operation, fault), *metering)
    }
}

/// Writes a call's end down when it is over, also when whoever waited for it went away.
struct Running<'a> {
    faults: &'a Faults,
    call: usize,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.faults.state().meter.end(self.call);
    }
}

#[derive(Debug)]
struct Layer {
    inner: SharedHttpClient,
    faults: Faults,
}

impl HttpClient for Layer {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(Connector { inner, faults: self.faults.clone() })
    }
}

#[derive(Debug)]
struct Connector {
    inner: SharedHttpConnector,
    faults: Faults,
}

/// Turns that a delayed call leaves to others, before it and after it; also those that a metered call leaves, so that calls
/// made side by side overlap in the record.
const TURNS: usize = 16;

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (inner, faults) = (self.inner.clone(), self.faults.clone());
        HttpConnectorFuture::new(async move { carry(inner, &faults, request).await })
    }
}

async fn carry(
    inner: SharedHttpConnector,
    faults: &Faults,
    mut request: HttpRequest,
) -> Result<HttpResponse, ConnectorError> {
    let operation = answers::operation(&request);
    let (fault, call, metering) = faults.begin(&operation);
    let running = Running { faults, call };
    give_way(if metering || fault == Some(Fault::Delay) { TURNS } else { 1 }).await;
    match fault {
        None | Some(Fault::LoseAnswer | Fault::Delay) => {}
        Some(Fault::LoseRequest) => {
            return Err(ConnectorError::io("the connection was refused".into()).never_connected());
        }
        Some(refused) => return Ok(answers::refusal(&operation, &request, refused, call)),
    }
    if metering {
        answers::ask_for_capacity(&operation, &mut request);
    }
    let mut response = inner.call(request).await?;
    if metering {
        let capacity = answers::read_capacity(&operation, &mut response).await?;
        faults.state().meter.charge(running.call, capacity);
    }
    match fault {
        Some(Fault::LoseAnswer) => Err(ConnectorError::io("the connection was reset by the peer".into())),
        Some(Fault::Delay) => {
            give_way(TURNS).await;
            Ok(response)
        }
        _ => Ok(response),
    }
}

async fn give_way(turns: usize) {
    for _ in 0..turns {
        tokio::task::yield_now().await;
    }
}
