//! A running `loyalty serve` and a client of it.

use bytes::Bytes;
use http::{HeaderMap, Method, Request};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};

/// The command, ready for more arguments.
pub(crate) fn loyalty(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_loyalty"));
    command.args(arguments).env_remove("RUST_LOG").stdin(Stdio::null());
    command
}

/// A folder of one test, gone when the test is over.
pub(crate) struct Scratch(pub(crate) PathBuf);

impl Scratch {
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("loyalty-stack-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.0.join("data")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

/// A process that serves. Killed, should a test leave it behind.
pub(crate) struct Running {
    child: Child,
    /// Kept open: a process whose words nobody can hear any more ends.
    _out: BufReader<ChildStdout>,
    /// What it said until it was ready.
    pub(crate) welcome: String,
    pub(crate) api: Api,
}

/// A client of one stack, as an operator.
#[derive(Clone)]
pub(crate) struct Api {
    http: Client<HttpConnector, Full<Bytes>>,
    pub(crate) url: String,
    pub(crate) operator: String,
}

/// What was answered.
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Running {
    /// Starts a stack on a free port, with its data in this folder, and waits until it is ready.
    pub(crate) fn start(data: &Path) -> Self {
        let data = data.to_str().unwrap();
        let mut command = loyalty(&["serve", "--port", "0", "--log", "warn", "--data", data]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut welcome = String::new();
        while !welcome.contains("\"line_id\": \"2\"") {
            assert!(out.read_line(&mut welcome).unwrap() > 0, "it ended after: {welcome}");
        }
        let after = |mark: &str| {
            let rest = &welcome[welcome.find(mark).unwrap() + mark.len()..];
            rest.split_whitespace().next().unwrap().to_owned()
        };
        let api = Api {
            http: Client::builder(TokioExecutor::new()).build_http(),
            url: after("whole API at "),
            operator: after("OPERATOR_TOKEN="),
        };
        Self { child, _out: out, welcome, api }
    }

    /// Kills it as the machine would, at once and without a word.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to stop by a signal, and gives its exit code and what it said to stderr.
    pub(crate) fn stop(mut self, signal: &str) -> Output {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
        let status = self.child.wait().unwrap();
        let mut said = String::new();
        std::io::Read::read_to_string(&mut self.child.stderr.take().unwrap(), &mut said).unwrap();
        Output { status, stdout: Vec::new(), stderr: said.into_bytes() }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Ended already in most tests: then there is nothing to kill.
        if self.child.kill().is_ok() {
            self.child.wait().unwrap();
        }
    }
}

impl Api {
    /// Sends a request with these headers; none where the connection breaks.
    pub(crate) async fn try_send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Option<Answered> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let bytes = body.map_or_else(Bytes::new, |body| Bytes::from(body.to_string()));
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let (parts, body) = self.http.request(request.body(Full::new(bytes)).unwrap()).await.ok()?.into_parts();
        let bytes = body.collect().await.ok()?.to_bytes();
        let body = if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap() };
        Some(Answered { status: parts.status.as_u16(), headers: parts.headers, body })
    }

    /// Sends a request as the operator; none where the connection breaks.
    pub(crate) async fn try_call(&self, method: Method, path: &str, body: Option<&Value>) -> Option<Answered> {
        let bearer = format!("Bearer {}", self.operator);
        self.try_send(method, path, &[("authorization", &bearer)], body).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answered {
        self.try_call(Method::GET, path, None).await.unwrap()
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answered {
        self.try_call(Method::POST, path, Some(body)).await.unwrap()
    }

    /// Enrols a member under an external id, and gives its id.
    pub(crate) async fn enrol(&self, external_id: &str) -> String {
        let body = self.post("/v1/members", &json!({ "external_id": external_id })).await.expect(201);
        body["member"]["member_id"].as_str().unwrap().to_owned()
    }

    /// Puts the clock somewhere, or with null back to real time.
    pub(crate) async fn clock(&self, now: Value) {
        self.post("/_local/clock", &json!({ "now": now })).await.expect(200);
    }

    /// The events after one, or all of them.
    pub(crate) async fn events(&self, after: Option<&str>) -> Vec<Value> {
        let query = after.map(|id| format!("?after={id}")).unwrap_or_default();
        let body = self.get(&format!("/_local/events{query}")).await.expect(200);
        body["events"].as_array().unwrap().clone()
    }

    /// A member's whole ledger, oldest first.
    pub(crate) async fn ledger(&self, member: &str) -> Vec<Value> {
        let (mut entries, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = self.get(&format!("/v1/members/{member}/ledger?limit=100{cursor}")).await.expect(200);
            entries.extend(page["entries"].as_array().unwrap().iter().cloned());
            let Some(next) = page["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        entries.reverse();
        entries
    }
}

impl Answered {
    /// Fails unless the status is this one; gives the body.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.body
    }
}

/// A purchase of 12.00 EUR.
pub(crate) fn purchase(order_id: &str, member: &str, occurred_at: &str) -> Value {
    json!({
        "channel": "web", "order_id": order_id, "member": { "member_id": member }, "occurred_at": occurred_at, "currency": "EUR",
        "lines": [{ "line_id": "1", "sku": "mug", "categories": ["hardware"], "quantity": 1, "net_amount": 1200 }],
    })
}
