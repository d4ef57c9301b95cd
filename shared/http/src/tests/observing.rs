use super::*;
use crate::RequestId;
use axum::Extension;
use std::sync::Mutex;
use tracing_subscriber::fmt::MakeWriter;

/// A log that is kept.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Log;

    fn make_writer(&'a self) -> Log {
        self.clone()
    }
}

impl Log {
    fn listen(&self) -> tracing::subscriber::DefaultGuard {
        let json = tracing_subscriber::fmt().json().flatten_event(true).without_time().with_writer(self.clone());
        tracing::subscriber::set_default(json.finish())
    }

    fn lines(&self) -> Vec<Value> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

fn sample() -> Router {
    api()
        .get("/v1/members/{member_id}", Access::scope(Scope::PointsEarn), |Extension(id): Extension<RequestId>| async {
            Answer::ok(id.0)
        })
        .post("/v1/panic", Access::scope(Scope::PointsEarn), || async {
            if true { panic!("ada@example.com") } else { Answer::no_content() }
        })
        .post("/v1/late-panic", Access::scope(Scope::PointsEarn), || async {
            tokio::task::yield_now().await;
            if true { panic!("ada@example.com") } else { Answer::no_content() }
        })
        .get("/v1/broken", Access::scope(Scope::PointsEarn), || async {
            Err::<Answer, _>(Problem::internal("no table"))
        })
        .into_router()
}

#[tokio::test]
async fn every_answer_has_the_gateways_request_id_or_one_of_our_own() {
    let router = sample();
    for path in ["/v1/members/x", "/v1/panic", "/v1/broken", "/nowhere"] {
        for method in [Method::GET, Method::POST, Method::HEAD] {
            let told = Ask::new(method.clone(), path).service().of(&router).await;
            assert_eq!(told.header("x-request-id"), Some("gw-1="), "{method} {path}");
            let told = Ask::new(method, path).of(&router).await;
            assert_eq!(told.header("x-request-id"), Some(Ulid(99).to_string().as_str()));
        }
    }
    let told = Ask::get("/v1/members/x").service().of(&router).await;
    assert_eq!(told.json, "gw-1=", "handlers know it too");
}

#[tokio::test]
async fn an_id_that_could_not_stand_in_a_header_or_a_log_is_replaced() {
    let long = "x".repeat(129);
    for given in ["", "a b", "a\r\nset-cookie: x", "ä", "<script>", &long] {
        let ask = Ask(Request::builder().uri("/nowhere").extension(gateway_context(Some(given.to_owned()), None)));
        let told = ask.of(&sample()).await;
        assert_eq!(told.header("x-request-id"), Some(Ulid(99).to_string().as_str()), "{given:?}");
    }
}

#[tokio::test]
async fn a_panic_is_a_500_and_the_next_request_works() {
    let router = sample();
    for path in ["/v1/panic", "/v1/late-panic"] {
        let told = Ask::new(Method::POST, path).service().of(&router).await;
        assert_eq!(told.problem(), (500, "internal"));
        assert!(!told.text.contains("ada@example.com"));
        assert_eq!(Ask::get("/v1/members/x").service().of(&router).await.status, 200);
    }
}

#[tokio::test]
async fn each_request_is_one_line_without_anything_personal() {
    let log = Log::default();
    let _listening = log.listen();
    let router = sample();
    let claims = [("sub", "ada@example.com"), ("scope", "points:earn"), ("program", "cafe")];
    let asks = [
        Ask::get("/v1/members/mbr_ada?email=ada@example.com").header("authorization", "Bearer ada"),
        Ask::get("/v1/broken"),
        Ask::new(Method::POST, "/v1/panic"),
        Ask::new(Method::from_bytes(b"ADA").unwrap(), "/v1/ada"),
    ];
    for ask in asks {
        ask.claims(&claims).with("ada@example.com", &router).await;
    }
    let lines = log.lines();
    let seen = |field: &str| lines.iter().map(|line| line[field].clone()).collect::<Vec<_>>();
    assert_eq!(seen("message"), ["request"; 4]);
    assert_eq!(seen("method"), ["GET", "GET", "POST", "OTHER"]);
    assert_eq!(seen("route"), ["/v1/members/{member_id}", "/v1/broken", "/v1/panic", "none"]);
    assert_eq!(seen("status"), [200, 500, 500, 404]);
    assert_eq!(seen("code"), [Value::Null, "internal".into(), "internal".into(), "not_found".into()]);
    assert_eq!(seen("cause"), [Value::Null, "no table".into(), "panic".into(), Value::Null]);
    assert_eq!(seen("level"), ["INFO", "ERROR", "ERROR", "INFO"]);
    assert_eq!(seen("program"), ["cafe"; 4]);
    assert_eq!(seen("request_id"), ["gw-1="; 4]);
    assert_eq!(seen("duration_ms"), [7; 4]);
    assert!(!serde_json::to_string(&lines).unwrap().to_lowercase().contains("ada"));
}

#[tokio::test]
async fn an_event_of_the_gateway_goes_through_the_router_as_it_is() {
    let event = serde_json::json!({
        "version": "2.0", "routeKey": "GET /v1/members/{member_id}", "rawPath": "/v1/members/mbr_1", "rawQueryString": "",
        "headers": {"host": "api.example"}, "isBase64Encoded": false,
        "requestContext": {
            "accountId": "1", "apiId": "a", "domainName": "api.example", "domainPrefix": "api", "stage": "$default",
            "requestId": "JKJaXmPLvHcESHA=", "routeKey": "GET /v1/members/{member_id}", "timeEpoch": 1,
            "time": "12/Mar/2026:19:03:58 +0000",
            "http": {"method": "GET", "path": "/v1/members/mbr_1", "protocol": "HTTP/1.1", "sourceIp": "1.1.1.1", "userAgent": "c"},
            "authorizer": {"jwt": {"claims": {"sub": "pos-12", "scope": "loyalty/points:earn"}, "scopes": null}}
        }
    });
    let request = lambda_http::request::from_str(&event.to_string()).unwrap();
    let response = sample().oneshot(request).await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["x-request-id"], "JKJaXmPLvHcESHA=");
}
