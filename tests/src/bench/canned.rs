//! The engine on a table that answers at once: what a request costs us, the store left out.

use super::inputs::{self, LAST_MONTH, LINES, RULES, month, months, purchase};
use crate::stack::{STAFF, TABLE, TestWorld, claims};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use axum::Router;
use axum::body::Body;
use http::Request;
use http_body_util::BodyExt;
use loyalty_domain::id::{CallerId, MemberId, ProgramId};
use loyalty_http::{App, Cursors, Surroundings, gateway_context};
use loyalty_local::embedded::{Embedded, client_with};
use loyalty_store::items::Item;
use loyalty_store::{Engine, Secrets, Table, keys};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::runtime::Runtime;
use tower::ServiceExt;

/// A piece of work, handed to whatever measures it.
pub type Work<'a> = Box<dyn FnMut() + 'a>;

/// Measures a whole `POST /v1/purchases` through the router, as the gateway calls it, for an account of so many lots.
pub fn earning(lots: usize, measure: impl FnOnce(Work<'_>) -> Duration) -> Duration {
    let runtime = runtime();
    let (stack, member) = runtime.block_on(Stack::with_member(lots));
    let body = purchase("B-1", &member, &month(LAST_MONTH), LINES, RULES).to_string();
    stack.can();
    measure(Box::new(|| {
        let (status, _) = runtime.block_on(stack.send("POST", "/v1/purchases", body.clone()));
        assert_eq!(status, 201);
    }))
}

/// Measures the two calls behind it, made with the SDK alone: the account read, and three items of the same sizes written.
pub fn raw_calls(lots: usize, measure: impl FnOnce(Work<'_>) -> Duration) -> Duration {
    let runtime = runtime();
    let (stack, member) = runtime.block_on(Stack::with_member(lots));
    let written = runtime.block_on(Written::by(&stack.engine, &member, &format!("A-{LAST_MONTH}")));
    stack.can();
    let pk = keys::member(&"main".parse().unwrap(), member.parse().unwrap());
    measure(Box::new(|| runtime.block_on(written.again(&stack.client, TABLE, &pk, 1))))
}

/// One thread, so that what is measured is all of it.
pub(super) fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// The engine on an embedded table whose answers can be frozen.
struct Stack {
    router: Router,
    engine: Engine,
    client: Client,
    memory: Arc<Mutex<Memory>>,
}

impl Stack {
    /// With a member who bought something in each of so many months.
    async fn with_member(lots: usize) -> (Self, String) {
        let memory = Arc::<Mutex<Memory>>::default();
        let inner = Embedded::memory().unwrap().http_client();
        let client = client_with(SharedHttpClient::new(Layer { inner, memory: Arc::clone(&memory) }));
        loyalty_store::create_table(&client, TABLE).await.unwrap();
        let world = Arc::new(TestWorld::at(&month(0)));
        let ids = Arc::clone(&world);
        let secrets = Secrets::new(&[b"a secret for tests"], &[b"another for vouchers"]);
        let engine = Engine::new(Table::new(client.clone(), TABLE, secrets, Arc::new(move || ids.ulid())));
        let surroundings: Arc<dyn Surroundings> = Arc::<TestWorld>::clone(&world);
        let cursors = Cursors::new(b"cursors");
        let app = App { engine: engine.clone(), surroundings: Arc::clone(&surroundings), cursors };
        let routers = [
            members::router(app.clone()),
            earn::router(app.clone()),
            redeem::router(app.clone()),
            program::router(app),
        ];
        let stack = Self { router: loyalty_http::merge(routers, surroundings), engine, client, memory };

        let published = stack.send("PUT", "/v1/program", inputs::program(RULES).to_string()).await;
        assert_eq!(published.0, 201, "{}", published.1);
        let body = json!({ "external_id": "crm-1001" }).to_string();
        let (_, enrolled) = stack.send("POST", "/v1/members", body).await;
        let member = enrolled["member"]["member_id"].as_str().unwrap().to_owned();
        for number in months(lots) {
            let now = month(number);
            world.stand_at(&now);
            stack.engine.forget_programs();
            let body = purchase(&format!("A-{number}"), &member, &now, LINES, RULES).to_string();
            let (status, answer) = stack.send("POST", "/v1/purchases", body).await;
            assert_eq!(status, 201, "{answer}");
        }
        let (_, account) = stack.send("GET", &format!("/v1/members/{member}/account"), String::new()).await;
        assert_eq!(account["lots"].as_array().unwrap().len(), lots);
        (stack, member)
    }

    /// From now on every read is answered as it was last, and every write is done at once.
    fn can(&self) {
        self.memory.lock().unwrap().frozen = true;
    }

    async fn send(&self, method: &str, path: &str, body: String) -> (u16, Value) {
        let request = Request::builder().method(method).uri(path).header("content-type", "application/json");
        let mut request = request.body(Body::from(body)).unwrap();
        request.extensions_mut().insert(gateway_context(None, Some(claims(STAFF))));
        let answer = self.router.clone().oneshot(request).await.unwrap();
        let status = answer.status().as_u16();
        let bytes = answer.into_body().collect().await.unwrap().to_bytes();
        let frozen = self.memory.lock().unwrap().frozen;
        // Reading the answer is the caller's work.
        (status, if frozen { Value::Null } else { serde_json::from_slice(&bytes).unwrap_or_default() })
    }
}

/// The three items that a purchase wrote, to be written again under other keys.
#[derive(Debug, Clone)]
pub struct Written {
    account: Item,
    entry: Item,
    purchase: Item,
}

impl Written {
    /// What the last purchase of a member of program `main` wrote.
    async fn by(engine: &Engine, member: &str, order_id: &str) -> Self {
        let (program, web): (ProgramId, CallerId) = ("main".parse().unwrap(), "web".parse().unwrap());
        let member: MemberId = member.parse().unwrap();
        let account = engine.account(&program, member).await.unwrap().unwrap();
        let table = engine.table();
        let item = async |key| table.get(&key).await.unwrap().unwrap();
        Self {
            account: item(keys::account(&program, member)).await,
            entry: item(keys::entry(&program, member, account.seq)).await,
            purchase: item(keys::purchase(&program, &web, &order_id.parse().unwrap())).await,
        }
    }

    /// What a purchase of the usual size wrote for an account of so many lots.
    pub async fn of_a_purchase(lots: usize) -> Self {
        let (stack, member) = Stack::with_member(lots).await;
        Self::by(&stack.engine, &member, &format!("A-{LAST_MONTH}")).await
    }

    /// Bytes of the packed bodies of account, entry and purchase.
    pub fn body_bytes(&self) -> [usize; 3] {
        [&self.account, &self.entry, &self.purchase].map(|item| match item.get("b") {
            Some(AttributeValue::B(bytes)) => bytes.as_ref().len(),
            _ => 0,
        })
    }

    /// Puts the account under another key at version 0, for [`Written::again`].
    pub async fn begin(&self, client: &Client, table: &str, pk: &str) {
        let item = at(&self.account, pk, "ACCOUNT", Some(0));
        client.put_item().table_name(table).set_item(Some(item)).send().await.unwrap();
    }

    /// Reads that account, and writes it with an entry and a purchase of this number: conditions as ours.
    pub async fn again(&self, client: &Client, table: &str, pk: &str, number: u64) {
        let get = client.get_item().table_name(table).consistent_read(true);
        let read = get.key("pk", text(pk)).key("sk", text("ACCOUNT")).send().await.unwrap().item;
        let version = match read.as_ref().and_then(|item| item.get("v")) {
            Some(AttributeValue::N(version)) => version.parse().unwrap(),
            _ => 0,
        };
        let absent = |item: Item| Put::builder().set_item(Some(item)).condition_expression("attribute_not_exists(pk)");
        let moved = Put::builder()
            .set_item(Some(at(&self.account, pk, "ACCOUNT", Some(version + 1))))
            .condition_expression("v = :v")
            .expression_attribute_values(":v", AttributeValue::N(version.to_string()));
        let entry = absent(at(&self.entry, pk, &format!("E#{number:012}"), None));
        let purchase = absent(at(&self.purchase, &format!("{pk}#P#web#A-{number}"), "P", None));
        let items = [moved, entry, purchase].into_iter().map(|put| {
            let put = put.table_name(table);
            let put = put.return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
            TransactWriteItem::builder().put(put.build().unwrap()).build()
        });
        client.transact_write_items().set_transact_items(Some(items.collect())).send().await.unwrap();
    }
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

fn at(item: &Item, pk: &str, sk: &str, version: Option<u64>) -> Item {
    let mut item = item.clone();
    item.insert("pk".to_owned(), text(pk));
    item.insert("sk".to_owned(), text(sk));
    if let Some(version) = version {
        item.insert("v".to_owned(), AttributeValue::N(version.to_string()));
    }
    item
}

/// The answers to reads by the bytes of the requests, and whether they are given from here.
#[derive(Debug, Default)]
struct Memory {
    frozen: bool,
    reads: BTreeMap<Vec<u8>, Vec<u8>>,
}

#[derive(Debug)]
struct Layer {
    inner: SharedHttpClient,
    memory: Arc<Mutex<Memory>>,
}

impl HttpClient for Layer {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(Connector { inner, memory: Arc::clone(&self.memory) })
    }
}

#[derive(Debug)]
struct Connector {
    inner: SharedHttpConnector,
    memory: Arc<Mutex<Memory>>,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let reads = request.headers().get("x-amz-target").is_some_and(|target| target.ends_with(".GetItem"));
        let mut body = request.body().bytes().unwrap().to_vec();
        if reads {
            // The SDK writes the two halves of a key in any order.
            body.sort_unstable();
        }
        {
            let memory = self.memory.lock().unwrap();
            if memory.frozen {
                let answer = if reads { memory.reads.get(&body).cloned() } else { Some(b"{}".to_vec()) };
                return HttpConnectorFuture::ready(Ok(answered(answer.expect("a read that was made before"))));
            }
        }
        let (inner, memory) = (self.inner.clone(), Arc::clone(&self.memory));
        HttpConnectorFuture::new(async move {
            let response = inner.call(request).await?;
            if reads {
                let answer = response.body().bytes().unwrap().to_vec();
                memory.lock().unwrap().reads.insert(body, answer);
            }
            Ok(response)
        })
    }
}

fn answered(body: Vec<u8>) -> HttpResponse {
    let mut response = HttpResponse::new(StatusCode::try_from(200).unwrap(), SdkBody::from(body));
    response.headers_mut().insert("content-type", "application/x-amz-json-1.0");
    response
}
