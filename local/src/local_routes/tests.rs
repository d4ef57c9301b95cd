use super::*;
use crate::auth::LIFETIME_HOURS;
use crate::clock::World;
use crate::clock::tests::world;
use axum::body::Body;
use http::header::{CONTENT_TYPE, HOST, ORIGIN};
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use tower::ServiceExt;

/// A bus on which two events went out.
struct Bus;

const FIRST: &str = "ent_00000000000000000000000001";
const SECOND: &str = "ent_00000000000000000000000002";
const UNREADABLE: &str = "ent_00000000000000000000000008";
const UNKNOWN: &str = "ent_00000000000000000000000009";

impl EventFeed for Bus {
    fn events(&self, after: Option<String>) -> BoxFuture<'_, Result<Option<Vec<Value>>, String>> {
        Box::pin(async move {
            match after.as_deref() {
                None => Ok(Some(vec![json!({"id": FIRST}), json!({"id": SECOND})])),
                Some(FIRST) => Ok(Some(vec![json!({"id": SECOND})])),
                Some(UNREADABLE) => Err("no such place".to_owned()),
                Some(_) => Ok(None),
            }
        })
    }
}

impl Schedules for Bus {
    fn expiry(&self) -> BoxFuture<'_, Result<Value, String>> {
        Box::pin(async { Ok(json!({"accounts": 3})) })
    }
}

struct Stack {
    local: Local,
    real: Arc<AtomicI64>,
    cleared: Arc<AtomicUsize>,
}

impl Stack {
    fn new() -> Self {
        let real = Arc::new(AtomicI64::new(1_000));
        let world: World = world(&real);
        let cleared = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&cleared);
        let local = Local {
            tokens: Arc::new(Tokens::new(&[7; 32], world.clone())),
            surroundings: Arc::new(LocalSurroundings::new(world)),
            on_clock_change: Arc::new(move || {
                counted.fetch_add(1, Ordering::SeqCst);
            }),
            events: Arc::new(Bus),
            schedules: Arc::new(Bus),
        };
        Self { local, real, cleared }
    }

    async fn send(&self, request: http::request::Builder, body: &str) -> (StatusCode, Value) {
        let request = request.header("x", "").body(Body::from(body.to_owned())).unwrap();
        let response = routes(self.local.clone()).oneshot(request).await.unwrap();
        let status = response.status();
        if !status.is_success() {
            assert_eq!(response.headers()[CONTENT_TYPE], "application/problem+json");
        }
        let bytes = to_bytes(response.into_body(), LARGEST_BODY).await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap())
    }

    async fn get(&self, path: &str) -> (StatusCode, Value) {
        self.send(Request::get(path).header(HOST, "localhost:3000"), "").await
    }

    async fn post(&self, path: &str, body: &str) -> (StatusCode, Value) {
        self.send(Request::post(path).header(HOST, "127.0.0.1:3000"), body).await
    }

    fn claims(&self, token: &Value) -> HashMap<String, String> {
        self.local.tokens.check(token.as_str().unwrap()).unwrap()
    }
}

#[tokio::test]
async fn ready_tokens_carry_what_a_backend_and_an_operator_need() {
    let stack = Stack::new();
    let (status, tokens) = stack.get("/_local/tokens").await;
    assert_eq!(status, StatusCode::OK);
    let scopes = |who: &str| loyalty_http::Scopes::parse(&stack.claims(&tokens[who])["scope"]);
    use loyalty_http::Scope;
    for scope in Scope::ALL {
        assert_eq!(scopes("operator").contains(scope), scope != Scope::Own, "{}", scope.as_str());
    }
    let service: Vec<&str> = scopes("service").iter().map(Scope::as_str).collect();
    let expected = ["members:read", "members:write", "points:earn", "points:redeem", "referrals:read", "program:read"];
    assert_eq!(service, expected);
    assert_eq!(stack.claims(&tokens["service"])["program"], "main");
}

#[tokio::test]
async fn ready_tokens_live_half_a_day_wherever_the_clock_stands() {
    let stack = Stack::new();
    let (_, tokens) = stack.get("/_local/tokens").await;
    for moment in ["1980-01-01T00:00:00Z", "2036-11-21T10:00:00Z"] {
        let (status, _) = stack.post("/_local/clock", &json!({ "now": moment }).to_string()).await;
        assert_eq!(status, StatusCode::OK);
        for who in ["service", "operator"] {
            stack.claims(&tokens[who]);
        }
    }
    // Issued while the clock stands in another decade, and nearly a day later, in real time.
    let (_, issued) = stack.post("/_local/tokens", r#"{"scope": "points:earn"}"#).await;
    stack.real.fetch_add(LIFETIME_HOURS * 3600 - 1, Ordering::SeqCst);
    stack.claims(&issued["token"]);
    stack.claims(&tokens["operator"]);
    const { assert!(LIFETIME_HOURS >= 12) };
}

#[tokio::test]
async fn a_token_is_issued_as_asked_for() {
    let stack = Stack::new();
    let body = r#"{"scope": "self", "program": "club", "member_id": "mbr_01JD0000000000000000000000"}"#;
    let (status, answer) = stack.post("/_local/tokens", body).await;
    assert_eq!(status, StatusCode::OK);
    let claims = stack.claims(&answer["token"]);
    assert_eq!(claims["scope"], "self");
    assert_eq!(claims["program"], "club");
    assert_eq!(claims["member_id"], "mbr_01JD0000000000000000000000");
    let (_, answer) = stack.post("/_local/tokens", r#"{"scope": "", "member_id": null, "sub": "crm-1"}"#).await;
    let claims = stack.claims(&answer["token"]);
    assert_eq!((claims["sub"].as_str(), claims["program"].as_str()), ("crm-1", "main"));
    assert!(!claims.contains_key("member_id"));
}

#[tokio::test]
async fn the_clock_stands_where_it_is_set_and_returns() {
    let stack = Stack::new();
    assert_eq!(stack.get("/_local/clock").await.1, json!({"now": "1970-01-01T00:16:40Z"}));
    let there = json!({"now": "2027-01-01T00:00:00Z"});
    let (status, answer) = stack.post("/_local/clock", r#"{"now": "2027-01-01T01:00:00+01:00"}"#).await;
    assert_eq!((status, &answer), (StatusCode::OK, &there));
    stack.real.fetch_add(60, Ordering::SeqCst);
    assert_eq!(stack.get("/_local/clock").await.1, there);
    assert_eq!(stack.post("/_local/clock", r#"{"now": null}"#).await.1, json!({"now": "1970-01-01T00:17:40Z"}));
    assert_eq!(stack.cleared.load(Ordering::SeqCst), 2, "caches are dropped whenever the clock is moved");
}

#[tokio::test]
async fn bad_input_is_told_with_pointers_and_changes_nothing() {
    let stack = Stack::new();
    for (path, body, status, pointer) in [
        ("/_local/clock", "", 400, ""),
        ("/_local/clock", "[]", 400, ""),
        ("/_local/clock", "{}", 400, "/now"),
        ("/_local/clock", r#"{"now": 5}"#, 400, "/now"),
        ("/_local/clock", r#"{"now": "tomorrow"}"#, 400, "/now"),
        ("/_local/clock", r#"{"now": "2027-01-01T00:00:00"}"#, 400, "/now"),
        ("/_local/clock", r#"{"now": "1969-12-31T23:59:59Z"}"#, 422, "/now"),
        ("/_local/clock", r#"{"now": "9999-01-01T00:00:00Z"}"#, 422, "/now"),
        ("/_local/clock", r#"{"now": null, "then": 1}"#, 400, "/then"),
        ("/_local/clock", r#"{"now": null, "now": null}"#, 400, "/now"),
        ("/_local/tokens", r#"{"program": "main"}"#, 400, "/scope"),
        ("/_local/tokens", r#"{"scope": ["points:earn"]}"#, 400, "/scope"),
        ("/_local/tokens", r#"{"scope": "", "member_id": 7}"#, 400, "/member_id"),
    ] {
        let (answered, problem) = stack.post(path, body).await;
        assert_eq!(answered.as_u16(), status, "{path} {body}");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{path} {body}");
    }
    let (status, problem) = stack.post("/_local/tokens", &" ".repeat(LARGEST_BODY + 1)).await;
    assert_eq!((status, &problem["code"]), (StatusCode::PAYLOAD_TOO_LARGE, &json!("body_too_large")));
    assert_eq!(stack.cleared.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn the_event_feed_goes_on_after_an_event() {
    let stack = Stack::new();
    assert_eq!(stack.get("/_local/events").await.1, json!({"events": [{"id": FIRST}, {"id": SECOND}]}));
    assert_eq!(stack.get(&format!("/_local/events?after={FIRST}")).await.1, json!({"events": [{"id": SECOND}]}));
    let (status, problem) = stack.get(&format!("/_local/events?after={UNREADABLE}")).await;
    assert_eq!((status, &problem["code"]), (StatusCode::INTERNAL_SERVER_ERROR, &json!("internal")));
    assert!(!problem.to_string().contains("no such place"));
    for unknown in [UNKNOWN, "9"] {
        let (status, problem) = stack.get(&format!("/_local/events?after={unknown}")).await;
        assert_eq!((status, &problem["code"]), (StatusCode::BAD_REQUEST, &json!("malformed")));
    }
}

#[tokio::test]
async fn schedules_are_run_on_demand_and_tell_what_they_did() {
    let stack = Stack::new();
    assert_eq!(stack.post("/_local/schedules/expiry/run", "").await, (StatusCode::OK, json!({"accounts": 3})));
    assert_eq!(stack.get("/_local/schedules/expiry/run").await.0, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn strangers_are_refused_whatever_they_ask() {
    let stack = Stack::new();
    for path in ["/_local/tokens", "/_local/clock", "/_local/events", "/_local/nothing", "/_local"] {
        for request in [
            Request::get(path),
            Request::get(path).header(HOST, "evil.example:3000"),
            Request::post(path).header(HOST, "localhost:3000").header(ORIGIN, "https://evil.example"),
        ] {
            let (status, problem) = stack.send(request, "").await;
            assert_eq!((status, &problem["code"]), (StatusCode::FORBIDDEN, &json!("forbidden")), "{path}");
        }
    }
}

#[tokio::test]
async fn what_is_not_there_is_a_problem_too() {
    let stack = Stack::new();
    for path in ["/_local", "/_local/nothing", "/_local/tokens/more"] {
        assert_eq!(stack.get(path).await.0, StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(stack.post("/_local/events", "").await.0, StatusCode::METHOD_NOT_ALLOWED);
}
