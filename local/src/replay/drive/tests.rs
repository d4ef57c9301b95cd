//! The driver against a naive API that holds everything in memory: what is sent, in which order, and what is made of
//! the answers. The engine itself is replayed in the `tests` package.

use crate::replay::{Kind, ReplayError, ReplayOptions, Report, Target, run};
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;

/// What the API keeps, and how it misbehaves.
#[derive(Default)]
struct Shop {
    program: Option<Value>,
    members: HashMap<String, String>,
    /// Order id → body, net amounts by line, what is left of them.
    purchases: HashMap<String, (Value, HashMap<String, i64>)>,
    refunds: HashMap<(String, String), (i64, i64)>,
    points: HashMap<String, i64>,
    requests: u64,
    /// Answers every so many requests with a 503: every other time after carrying it out.
    trouble: Option<u64>,
    /// Adds this to every balance.
    slip: i64,
    /// Refuses purchases with this order id.
    hates: Option<&'static str>,
}

type Api = State<Arc<Mutex<Shop>>>;

fn answer(status: u16, replayed: bool, body: &Value) -> Response {
    let replayed = if replayed { "true" } else { "false" };
    (StatusCode::from_u16(status).unwrap(), [("idempotency-replayed", replayed)], body.to_string()).into_response()
}

fn problem(status: u16, code: &str, retryable: bool) -> Response {
    answer(status, false, &json!({"code": code, "detail": "", "retryable": retryable}))
}

/// Carries a request out, unless it is one that fails.
fn carried_out(api: &Api, act: impl FnOnce(&mut MutexGuard<'_, Shop>) -> Response) -> Response {
    let mut shop = api.0.lock().unwrap();
    shop.requests += 1;
    let turn = shop.trouble.filter(|every| shop.requests.is_multiple_of(*every)).map(|every| shop.requests / every);
    match turn {
        Some(turn) if turn % 2 == 0 => problem(503, "busy", true),
        Some(_) => {
            act(&mut shop);
            problem(503, "busy", true)
        }
        None => act(&mut shop),
    }
}

async fn enrol(api: Api, body: String) -> Response {
    let body: Value = serde_json::from_str(&body).unwrap();
    carried_out(&api, |shop| {
        let id = body["external_id"].as_str().unwrap().to_owned();
        let there = shop.members.contains_key(&id);
        let member_id = format!("mbr_{id}");
        shop.members.insert(id, member_id.clone());
        answer(if there { 200 } else { 201 }, there, &json!({"member": {"member_id": member_id}, "account": {}}))
    })
}

async fn purchase(api: Api, body: String) -> Response {
    let body: Value = serde_json::from_str(&body).unwrap();
    carried_out(&api, |shop| {
        let id = body["order_id"].as_str().unwrap().to_owned();
        if shop.hates == Some(&id) {
            return problem(422, "disliked", false);
        }
        let net = |line: &Value| (line["line_id"].as_str().unwrap().to_owned(), line["net_amount"].as_i64().unwrap());
        let lines: HashMap<String, i64> = body["lines"].as_array().unwrap().iter().map(net).collect();
        let points = lines.values().sum::<i64>() / 100;
        let there = shop.purchases.get(&id).map(|(first, _)| first == &body);
        match there {
            Some(false) => return problem(422, "idempotency_mismatch", false),
            Some(true) => {}
            None => {
                let member = body["member"]["member_id"].as_str().unwrap().to_owned();
                *shop.points.entry(member).or_default() += points;
                shop.purchases.insert(id, (body, lines));
            }
        }
        answer(201, there.is_some(), &json!({"purchase": {"points": points}, "entries": []}))
    })
}

async fn refund(api: Api, Path(order): Path<String>, body: String) -> Response {
    let body: Value = serde_json::from_str(&body).unwrap();
    carried_out(&api, |shop| {
        let key = (order.clone(), body["refund_id"].as_str().unwrap().to_owned());
        let there = shop.refunds.get(&key).copied();
        let (taken, restored) = there.unwrap_or_else(|| {
            let (purchase, lines) = shop.purchases.get_mut(&order).expect("its purchase came first");
            let before = lines.values().sum::<i64>() / 100;
            for line in body["lines"].as_array().unwrap() {
                *lines.get_mut(line["line_id"].as_str().unwrap()).unwrap() -= line["net_amount"].as_i64().unwrap();
            }
            assert!(lines.values().all(|left| *left >= 0));
            let taken = before - lines.values().sum::<i64>() / 100;
            let member = purchase["member"]["member_id"].as_str().unwrap().to_owned();
            *shop.points.entry(member).or_default() -= taken;
            (taken, 0)
        });
        shop.refunds.insert(key, (taken, restored));
        let refund = json!({"refund": {"points_clawed_back": taken, "points_restored": restored}});
        answer(201, there.is_some(), &refund)
    })
}

async fn account(api: Api, Path(member): Path<String>) -> Response {
    carried_out(&api, |shop| {
        let points = shop.points.get(&member).copied().unwrap_or(0) + shop.slip;
        let points = json!({
            "points": {"available": points, "pending": 0, "held": 0, "debt": 0},
            "lifetime": {"earned": points, "clawed_back": 0}
        });
        answer(200, false, &points)
    })
}

async fn program(api: Api) -> Response {
    carried_out(&api, |shop| match &shop.program {
        Some(document) => answer(200, false, &json!({"version": 1, "document": document})),
        None => problem(404, "program_unknown", false),
    })
}

async fn publish(api: Api, body: String) -> Response {
    carried_out(&api, |shop| {
        shop.program = serde_json::from_str(&body).ok();
        answer(201, false, &json!({"version": 1}))
    })
}

/// Serves a shop on a port of its own and replays a file of the samples into it, as often as told.
async fn replayed(kind: Kind, shop: Shop, times: usize) -> Vec<Result<Report, ReplayError>> {
    let api = Router::new()
        .route("/_local/tokens", post(async || answer(200, false, &json!({"token": "t"}))))
        .route("/v1/program", get(program).put(publish))
        .route("/v1/members", post(enrol))
        .route("/v1/members/{member}/account", get(account))
        .route("/v1/purchases", post(purchase))
        .route("/v1/purchases/retail/{order}/refunds", post(refund))
        .with_state(Arc::new(Mutex::new(shop)));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
    tokio::spawn(async { axum::serve(listener, api).await });
    let sample = match kind {
        Kind::OnlineRetail => "sample-retail.csv",
        Kind::Cdnow => "sample-cdnow.txt",
    };
    let file: PathBuf = [env!("CARGO_MANIFEST_DIR"), "..", "tests", "data", sample].iter().collect();
    let options =
        ReplayOptions { kind, file, target: Target { url, token: None }, progress: false, clock: clock_of_the_test };
    let mut reports = Vec::new();
    for _ in 0..times {
        reports.push(run(options.clone()).await);
    }
    reports
}

#[expect(clippy::disallowed_methods, reason = "a rate needs a clock, and tests have no main.rs to get it from")]
fn clock_of_the_test() -> Instant {
    Instant::now()
}

#[tokio::test]
async fn every_answer_and_every_account_is_what_the_plan_says() {
    for kind in [Kind::OnlineRetail, Kind::Cdnow] {
        let report = replayed(kind, Shop::default(), 1).await.pop().unwrap().unwrap();
        let (plan, tally) = (&report.plan, &report.tally);
        assert_eq!((tally.purchases.new, tally.refunds.new), (plan.purchases, plan.refunds));
        assert_eq!((tally.members.new, report.accounts), (plan.members, plan.members));
        assert_eq!((tally.earned, tally.clawed_back), (plan.earned, plan.clawed_back));
        assert_eq!(tally.left(), plan.left());
        assert!(tally.refused.is_empty() && tally.retries == 0);
        assert_eq!(tally.requests, plan.members + plan.purchases + plan.refunds);
    }
}

#[tokio::test]
async fn run_again_it_changes_nothing_and_says_so() {
    let mut reports = replayed(Kind::OnlineRetail, Shop::default(), 2).await;
    let second = reports.pop().unwrap().unwrap();
    let first = reports.pop().unwrap().unwrap();
    assert!(!first.tally.changed_nothing() && second.tally.changed_nothing());
    assert_eq!(second.tally.purchases.replayed, first.tally.purchases.new);
    assert_eq!(second.tally.left(), first.tally.left());
    assert!(second.to_string().contains("Nothing changed"));
}

#[tokio::test]
async fn requests_that_fail_for_a_moment_are_repeated_until_they_are_through() {
    let shop = Shop { trouble: Some(61), ..Shop::default() };
    let report = replayed(Kind::Cdnow, shop, 1).await.pop().unwrap().unwrap();
    assert_eq!(report.tally.left(), report.plan.left());
    assert!(report.tally.retries > 0 && report.tally.refused.is_empty());
}

#[tokio::test]
async fn refusals_are_counted_by_code_and_what_hangs_on_them_is_not_sent() {
    let shop = Shop { hates: Some("80005"), ..Shop::default() };
    let report = replayed(Kind::OnlineRetail, shop, 1).await.pop().unwrap().unwrap();
    assert_eq!(report.tally.refused.get("disliked"), Some(&1));
    assert_eq!(report.tally.purchases.new, report.plan.purchases - 1);
    let not_sent = report.tally.refused.get("not_sent").copied().unwrap();
    assert_eq!(not_sent, report.plan.refunds - report.tally.refunds.new);
}

#[tokio::test]
async fn an_account_that_holds_something_else_is_an_error_with_the_whole_report() {
    let shop = Shop { slip: 1, ..Shop::default() };
    let error = replayed(Kind::Cdnow, shop, 1).await.pop().unwrap().unwrap_err();
    let ReplayError::Mismatch { count, report, .. } = &error else { panic!("{error}") };
    assert_eq!(*count, 2 * report.plan.members);
    assert!(error.to_string().contains("points left"));
}

#[tokio::test]
async fn a_program_with_other_rules_is_left_alone() {
    let shop = Shop { program: Some(json!({"name": "other"})), ..Shop::default() };
    let error = replayed(Kind::Cdnow, shop, 1).await.pop().unwrap().unwrap_err();
    assert!(matches!(error, ReplayError::OtherProgram { program: "cdnow" }));
}
