use super::*;
use crate::clock::tests::world;
use crate::local_routes::BoxFuture;
use axum::body::Body;
use axum::routing::get;
use http::{Request, StatusCode};
use serde_json::Value;
use std::sync::atomic::AtomicI64;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Notify, oneshot};
use tower::ServiceExt;

const MEMORY: Source = Source { folder: None, endpoint: None };

fn now() -> World {
    world(&Arc::new(AtomicI64::new(1_000)))
}

struct NoBus;

impl EventFeed for NoBus {
    fn events(&self, _: Option<String>) -> BoxFuture<'_, Result<Option<Vec<Value>>, String>> {
        Box::pin(async { Ok(Some(Vec::new())) })
    }
}

impl Schedules for NoBus {
    fn expiry(&self) -> BoxFuture<'_, Result<Value, String>> {
        Box::pin(async { Ok(Value::Null) })
    }
}

fn settings() -> Settings {
    Settings {
        tokens: Arc::new(Tokens::new(&[7; 32], now())),
        surroundings: Arc::new(LocalSurroundings::new(now())),
        on_clock_change: Arc::new(|| {}),
        events: Arc::new(NoBus),
        schedules: Arc::new(NoBus),
    }
}

#[tokio::test]
async fn a_port_in_use_is_one_clear_line() {
    let (_listener, address) = bind(0).await.unwrap();
    assert!(address.ip().is_loopback());
    let said = start(address.port(), &MEMORY, now()).await.unwrap_err().to_string();
    assert!(said.starts_with(&format!("port {} is in use", address.port())) && said.contains("--port"), "{said}");
    assert!(!said.contains('\n'));
}

#[tokio::test]
async fn the_local_routes_stand_beside_functions_that_have_a_fallback() {
    let functions = Router::new().route("/v1/x", get(|| async { "x" })).fallback(|| async { StatusCode::IM_A_TEAPOT });
    let settings = settings();
    let bearer = format!("Bearer {}", settings.tokens.issue(&Grant::service()).unwrap());
    let stack = stack(functions, settings);
    for (path, authorization, expected) in [
        ("/v1/x", bearer.as_str(), StatusCode::OK),
        ("/v1/x", "", StatusCode::UNAUTHORIZED),
        ("/v1/y", &bearer, StatusCode::IM_A_TEAPOT),
        ("/elsewhere", "", StatusCode::IM_A_TEAPOT),
        ("/_local/clock", "", StatusCode::OK),
        ("/_local/nothing", "", StatusCode::NOT_FOUND),
    ] {
        let request = Request::get(path).header("host", "localhost").header("authorization", authorization);
        let response = stack.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.status(), expected, "{path}");
        assert!(response.headers().contains_key("apigw-requestid"));
    }
}

#[tokio::test]
async fn stopping_finishes_what_runs_and_closes_what_idles() {
    let (arrived, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (at, on) = (Arc::clone(&arrived), Arc::clone(&go_on));
    let slow = move || async move {
        at.notify_one();
        on.notified().await;
        "finished"
    };
    let mut stack = start(0, &MEMORY, now()).await.unwrap();
    stack.router = Router::new().route("/slow", get(slow));
    let address = stack.address;
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(stack.serve(async move { stopped.await.unwrap() }));

    let _idle = TcpStream::connect(address).await.unwrap();
    let mut busy = TcpStream::connect(address).await.unwrap();
    busy.write_all(b"GET /slow HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    arrived.notified().await;
    stop.send(()).unwrap();
    go_on.notify_one();
    let mut answer = String::new();
    busy.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("finished"), "{answer}");
    serving.await.unwrap().unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}
