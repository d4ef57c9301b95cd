//! Purchases through the API, and beside them the same two DynamoDB calls made raw.

use crate::stopwatch::{Measured, clock};
use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Method, Request};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use it::bench::canned::Written;
use it::bench::inputs::{self, LAST_MONTH, LINES, RULES, month, months};
use it::stack::TABLE;
use jiff::Timestamp;
use loyalty_local::clock::World;
use loyalty_local::embedded::Embedded;
use loyalty_local::engine::Source;
use loyalty_local::serve;
use rand::TryRngCore;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tower::ServiceExt;

const IN_FLIGHT: [usize; 2] = [1, 8];
/// Lots of the accounts that buy something.
const LOTS: [usize; 2] = [1, 36];
/// Members of each kind; those in flight at once are all different.
const MEMBERS: usize = 16;
/// All ways take turns, so that whatever disturbs the machine disturbs them alike.
const ROUNDS: usize = 12;
const IN_A_ROUND: usize = 160;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    Raw,
    Router,
    Http,
}

pub(crate) fn report() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let measured = runtime.block_on(measure());
    println!("\nPurchases of {LINES} lines under {RULES} rules, table in memory; client and server in this process:\n");
    println!("  in flight  lots   per second  p50 ms  p99 ms  CPU ms");
    for ((in_flight, lots, way), of) in &measured {
        let words = match way {
            Way::Raw => "GetItem and TransactWriteItems of three items of the same sizes, with the SDK alone",
            Way::Router => "the whole stack, token and all, without the socket",
            Way::Http => "POST /v1/purchases over HTTP",
        };
        let (p50, p99) = (of.percentile(50), of.percentile(99));
        let (rate, processor) = (of.per_second(), of.processor_ms());
        println!("  {in_flight:>9}  {lots:>4}  {rate:>11.0}  {p50:>6.3}  {p99:>6.3}  {processor:>6.3}  {words}");
    }
    println!();
    let p50 = |in_flight, lots, way| measured.get(&(in_flight, lots, way)).map_or(f64::NAN, |of| of.percentile(50));
    for in_flight in IN_FLIGHT {
        for (way, name) in [(Way::Http, "HTTP"), (Way::Router, "without the socket")] {
            let of = |lots| p50(in_flight, lots, way) / p50(in_flight, lots, Way::Raw);
            let lots = p50(in_flight, 36, way) / p50(in_flight, 1, way);
            let ratios = format!("{:.2} x the raw calls with 1 lot, {:.2} x with 36 (aim: 1.5)", of(1), of(36));
            println!("  {in_flight} in flight, p50, {name}: {ratios}; 36 lots {lots:.2} x 1 lot (aim: 1.3)");
        }
    }
}

async fn measure() -> BTreeMap<(usize, usize, Way), Measured> {
    let place = Arc::new(Place::new().await);
    let mut all: BTreeMap<_, Measured> = BTreeMap::new();
    // The first round only warms up.
    for round in 0..=ROUNDS {
        for in_flight in IN_FLIGHT {
            for lots in LOTS {
                for way in [Way::Raw, Way::Router, Way::Http] {
                    let mut measured = Measured::default();
                    let of = all.entry((in_flight, lots, way)).or_default();
                    let into = if round == 0 { &mut measured } else { of };
                    into.round(Arc::clone(&place).round(way, lots, in_flight)).await;
                }
            }
        }
    }
    all
}

/// A stack that serves, a table for the raw calls, and members with accounts on both.
struct Place {
    http: Client<HttpConnector, Full<Bytes>>,
    router: Router,
    url: String,
    bearer: String,
    raw: aws_sdk_dynamodb::Client,
    members: BTreeMap<usize, Vec<String>>,
    written: BTreeMap<usize, Written>,
    /// A purchase whose order and member are to be filled in.
    template: String,
    number: AtomicU64,
}

impl Place {
    async fn new() -> Self {
        let random = |bytes: &mut [u8]| rand::rngs::OsRng.try_fill_bytes(bytes).unwrap();
        let world = World { now: Arc::new(Timestamp::now), random: Arc::new(random) };
        let stack = serve::start(0, &Source { folder: None, endpoint: None }, world).await.unwrap();
        let bearer = stack.welcome(Some(&inputs::program(RULES).to_string())).await.unwrap().operator;
        let (url, router) = (stack.url(), stack.router());
        // Serves until the process ends.
        tokio::spawn(stack.serve(std::future::pending()));

        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let http = Client::builder(TokioExecutor::new()).build(connector);
        let raw = Embedded::memory().unwrap().client();
        loyalty_store::create_table(&raw, TABLE).await.unwrap();
        let mut place = Self {
            http,
            router,
            url,
            bearer: format!("Bearer {bearer}"),
            raw,
            members: BTreeMap::new(),
            written: BTreeMap::new(),
            template: inputs::purchase("ORDER", "MEMBER", &month(LAST_MONTH), LINES, RULES).to_string(),
            number: AtomicU64::new(100_000),
        };
        place.fill().await;
        place
    }

    /// Gives every member the lots, and the raw table the same number of items.
    async fn fill(&mut self) {
        self.at(&month(0)).await;
        for lots in LOTS {
            self.written.insert(lots, Written::of_a_purchase(lots).await);
            for member in 0..MEMBERS {
                let body = json!({ "external_id": format!("crm-{lots}-{member}") }).to_string();
                let enrolled = self.answer("/v1/members", body).await;
                let id = enrolled["member"]["member_id"].as_str().unwrap().to_owned();
                self.members.entry(lots).or_default().push(id);
                self.written[&lots].begin(&self.raw, TABLE, &raw_key(lots, member)).await;
            }
        }
        for number in months(LOTS[1]) {
            self.at(&month(number)).await;
            for lots in LOTS {
                if !months(lots).contains(&number) {
                    continue;
                }
                for (member, id) in self.members[&lots].iter().enumerate() {
                    let order = format!("A-{number}-{lots}-{member}");
                    let body = inputs::purchase(&order, id, &month(number), LINES, RULES).to_string();
                    let answer = self.answer("/v1/purchases", body).await;
                    let has = answer["account"]["lots"].as_array().map_or(0, Vec::len);
                    assert_eq!(has, number - months(lots).start() + 1, "{answer}");
                    let count = self.number.fetch_add(1, Ordering::Relaxed);
                    self.written[&lots].again(&self.raw, TABLE, &raw_key(lots, member), count).await;
                }
            }
        }
    }

    async fn at(&self, moment: &str) {
        let stands_at = self.answer("/_local/clock", json!({ "now": moment }).to_string()).await;
        assert!(stands_at["now"].is_string(), "{stands_at}");
    }

    /// So many purchases, so many of them in flight; gives the duration of each.
    async fn round(self: Arc<Self>, way: Way, lots: usize, in_flight: usize) -> Vec<Duration> {
        let lane = |lane: usize| {
            let place = Arc::clone(&self);
            tokio::spawn(async move {
                let mut each = Vec::with_capacity(IN_A_ROUND);
                for turn in 0..IN_A_ROUND / in_flight {
                    let (member, begun) = ((lane + turn * in_flight) % MEMBERS, clock());
                    // A task of its own: the embedded table blocks its thread, and others are to wait their turn as they
                    // would at a server, waiting included in what is measured.
                    tokio::spawn(Arc::clone(&place).once(way, lots, member)).await.unwrap();
                    each.push(clock() - begun);
                }
                each
            })
        };
        let lanes: Vec<_> = (0..in_flight).map(lane).collect();
        let mut all = Vec::with_capacity(IN_A_ROUND);
        for lane in lanes {
            all.extend(lane.await.unwrap());
        }
        all
    }

    async fn once(self: Arc<Self>, way: Way, lots: usize, member: usize) {
        // To the end of the queue: the runtime would let the newest task go first.
        tokio::task::yield_now().await;
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        let id = &self.members[&lots][member];
        let body = self.template.replace("ORDER", &format!("A-{number}")).replace("MEMBER", id);
        let key = raw_key(lots, member);
        match way {
            Way::Raw => self.written[&lots].again(&self.raw, TABLE, &key, number).await,
            Way::Router => {
                let answer =
                    self.router.clone().oneshot(self.request("/v1/purchases", Body::from(body))).await.unwrap();
                assert_eq!(answer.status(), 201);
                answer.into_body().collect().await.unwrap();
            }
            Way::Http => {
                let body = Full::from(body);
                let answer = self.http.request(self.request("/v1/purchases", body)).await.unwrap();
                assert_eq!(answer.status(), 201);
                answer.into_body().collect().await.unwrap();
            }
        }
    }

    async fn answer(&self, path: &str, body: String) -> Value {
        let answer = self.http.request(self.request(path, Full::from(body))).await.unwrap();
        serde_json::from_slice(&answer.into_body().collect().await.unwrap().to_bytes()).unwrap()
    }

    fn request<B>(&self, path: &str, body: B) -> Request<B> {
        let request = Request::builder().method(Method::POST).uri(format!("{}{path}", self.url));
        request.header(AUTHORIZATION, &self.bearer).header(CONTENT_TYPE, "application/json").body(body).unwrap()
    }
}

/// As long as the engine's.
fn raw_key(lots: usize, member: usize) -> String {
    format!("main#M#{lots:013}{member:013}")
}
