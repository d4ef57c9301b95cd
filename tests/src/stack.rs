//! The functions on an embedded table behind the fault layer, called in process as the gateway would call them.

use crate::faults::Faults;
use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use jiff::{SignedDuration, Timestamp};
use loyalty_http::{App, Cursors, Surroundings, gateway_context};
use loyalty_local::embedded::{Embedded, client_with};
use loyalty_store::{Engine, Secrets, Table};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use tower::ServiceExt;
use ulid::Ulid;

/// The name of the table in tests.
pub const TABLE: &str = "loyalty";
/// All scopes of staff.
pub const STAFF: &str = "members:read members:write members:erase points:earn points:redeem points:adjust \
                         referrals:read referrals:review program:read program:write reports:read";

/// A clock that stands where it is put, and ids that are different but the same in every run.
#[derive(Debug)]
pub struct TestWorld {
    millis: AtomicI64,
    ids: AtomicU64,
}

impl TestWorld {
    /// A clock that stands at a moment.
    pub fn at(now: &str) -> Self {
        let now: Timestamp = now.parse().unwrap();
        Self { millis: AtomicI64::new(now.as_millisecond()), ids: AtomicU64::new(1) }
    }

    /// Puts the clock somewhere.
    pub fn stand_at(&self, now: &str) {
        let now: Timestamp = now.parse().unwrap();
        self.millis.store(now.as_millisecond(), Ordering::SeqCst);
    }
}

impl Surroundings for TestWorld {
    fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.millis.load(Ordering::SeqCst)).unwrap()
    }

    fn ulid(&self) -> Ulid {
        let number = self.ids.fetch_add(1, Ordering::SeqCst);
        // Spread, so that shards, codes and pauses differ.
        let spread = u128::from(number).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835) >> 48;
        Ulid::from_parts(u64::try_from(self.millis.load(Ordering::SeqCst)).unwrap(), spread)
    }
}

/// The whole engine in process.
#[derive(Clone)]
pub struct Stack {
    /// The functions' routes.
    pub router: Router,
    /// The store.
    pub engine: Engine,
    /// The layer before the table.
    pub faults: Faults,
    /// Clock and ids.
    pub world: Arc<TestWorld>,
    /// The database.
    pub embedded: Embedded,
}

/// A body as a value: null if it is empty, a text if it is a picture.
#[must_use]
pub fn body_of(bytes: &[u8]) -> Value {
    match bytes.first() {
        None => Value::Null,
        Some(b'<') => Value::String(String::from_utf8(bytes.to_vec()).unwrap()),
        Some(_) => serde_json::from_slice(bytes).unwrap(),
    }
}

/// What was answered.
#[derive(Debug, Clone)]
pub struct Answered {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body; null if it had none.
    pub body: Value,
}

impl Answered {
    /// Whether it repeats an earlier answer.
    pub fn replayed(&self) -> bool {
        self.headers.contains_key("idempotency-replayed")
    }

    /// The problem's code.
    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or("")
    }

    /// The pointers of a problem's errors.
    pub fn pointers(&self) -> Vec<&str> {
        self.body["errors"]
            .as_array()
            .map_or_else(Vec::new, |errors| errors.iter().filter_map(|error| error["pointer"].as_str()).collect())
    }

    /// Fails unless the status is this one; gives the body.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        self.body
    }
}

impl Stack {
    /// A stack on an empty table, at a moment.
    pub async fn empty(now: &str) -> Self {
        let embedded = Embedded::memory().unwrap();
        let (http, faults) = Faults::around(embedded.http_client());
        let client = client_with(http);
        loyalty_store::create_table(&client, TABLE).await.unwrap();
        let world = Arc::new(TestWorld::at(now));
        let ids = Arc::clone(&world);
        let secrets = Secrets::new(&[b"a secret for tests"], &[b"another for vouchers"]);
        let table = Table::new(client, TABLE, secrets, Arc::new(move || ids.ulid()));
        let engine = Engine::new(table);
        let surroundings: Arc<dyn Surroundings> = Arc::<TestWorld>::clone(&world);
        let app =
            App { engine: engine.clone(), surroundings: Arc::clone(&surroundings), cursors: Cursors::new(b"cursors") };
        let routers = [
            members::router(app.clone()),
            earn::router(app.clone()),
            redeem::router(app.clone()),
            program::router(app),
        ];
        Self { router: loyalty_http::merge(routers, surroundings), engine, faults, world, embedded }
    }

    /// A stack with a program published under `main`.
    pub async fn with_program(now: &str, document: &Value) -> Self {
        let stack = Self::empty(now).await;
        stack.publish(document).await;
        stack
    }

    /// Publishes a program under `main`.
    pub async fn publish(&self, document: &Value) -> Value {
        self.send("PUT", "/v1/program", Some(document)).await.expect(201)
    }

    /// Puts the clock somewhere; programs are looked up anew.
    pub fn set_clock(&self, now: &str) {
        self.world.stand_at(now);
        self.engine.forget_programs();
    }

    /// Moves the clock on.
    pub fn advance(&self, by: SignedDuration) {
        self.world.millis.fetch_add(i64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
        self.engine.forget_programs();
    }

    /// The clock.
    pub fn now(&self) -> String {
        self.world.now().to_string()
    }

    /// Sends a request as staff with every scope.
    pub async fn send(&self, method: &str, path: &str, body: Option<&Value>) -> Answered {
        self.send_as(&claims(STAFF), method, path, &[], body.map(|body| body.to_string().into_bytes())).await
    }

    /// Sends a request with an `Idempotency-Key`.
    pub async fn send_keyed(&self, key: &str, method: &str, path: &str, body: &Value) -> Answered {
        let headers = [("idempotency-key", key)];
        self.send_as(&claims(STAFF), method, path, &headers, Some(body.to_string().into_bytes())).await
    }

    /// Sends any request with any claims.
    pub async fn send_as(
        &self,
        claims: &HashMap<String, String>,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Vec<u8>>,
    ) -> Answered {
        let mut request = Request::builder().method(method).uri(path);
        if body.is_some() && !headers.iter().any(|(name, _)| *name == "content-type") {
            request = request.header("content-type", "application/json");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(body.map_or_else(Body::empty, Body::from)).unwrap();
        request.extensions_mut().insert(gateway_context(None, Some(claims.clone())));
        let answer = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = answer.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Answered { status: parts.status, headers: parts.headers, body: body_of(&bytes) }
    }

    /// Enrols a member under an external id, and gives the member's id.
    pub async fn enrol(&self, external_id: &str) -> String {
        let body = json!({ "external_id": external_id });
        let enrolled = self.send("POST", "/v1/members", Some(&body)).await.expect(201);
        enrolled["member"]["member_id"].as_str().unwrap().to_owned()
    }

    /// A member's account now.
    pub async fn account(&self, member: &str) -> Value {
        self.send("GET", &format!("/v1/members/{member}/account"), None).await.expect(200)
    }

    /// A member's whole ledger, oldest first.
    pub async fn ledger(&self, member: &str) -> Vec<Value> {
        let (mut entries, mut cursor) = (Vec::new(), String::new());
        loop {
            let page =
                self.send("GET", &format!("/v1/members/{member}/ledger?limit=100{cursor}"), None).await.expect(200);
            entries.extend(page["entries"].as_array().unwrap().iter().cloned());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        entries.reverse();
        entries
    }

    /// A purchase of one line in EUR, made now, as a body.
    pub fn purchase(&self, order_id: &str, member: &str, net: i64) -> Value {
        json!({
            "channel": "web", "order_id": order_id, "member": { "member_id": member },
            "occurred_at": self.now(), "currency": "EUR",
            "lines": [{ "line_id": "1", "sku": "beans", "categories": ["coffee"], "quantity": 1, "net_amount": net }],
        })
    }
}

/// The claims of staff with these scopes in program `main`.
pub fn claims(scope: &str) -> HashMap<String, String> {
    [("sub", "till-1"), ("scope", scope), ("program", "main")].map(|(k, v)| (k.to_owned(), v.to_owned())).into()
}

/// A program of one rule: a point per whole unit of 1.00 EUR; points end after 12 months with the month, without notice.
pub fn plain_program() -> Value {
    json!({
        "name": "Plain", "time_zone": "Europe/Berlin", "rounding": "floor",
        "points": { "pending_days": 0, "expiry": { "after_months": 12, "snap": "end_of_month" }, "notice_days": 0,
                    "clawback": { "beyond_lot": "other_lots", "shortfall": "debt" }, "late_purchase_days": 30 },
        "earning_rules": [
            { "id": "base", "on": "purchase", "award": { "per_amount": { "points": "1", "amount": 100, "currency": "EUR" } } }
        ],
        "tiers": { "qualify_by": "points_earned", "period": "calendar_year", "keep": "through_next_period",
                   "levels": [{ "id": "green", "from": 0 }, { "id": "gold", "from": 500, "multiply": "1.25" }] },
    })
}

/// The example program of the repository.
pub fn example_program() -> Value {
    serde_json::from_str(include_str!("../../program.json")).unwrap()
}
