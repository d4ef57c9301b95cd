//! The wire that is none: a request of the SDK becomes a typed call of dynoxide, its outcome a response of the SDK.

use super::Engine;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use dynoxide::{Database, DynoxideError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// Whether transactions are recognised by their tokens when they come again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tokens {
    /// For ten minutes, as DynamoDB does.
    Remembered,
    /// Never: for a client to whom no answer can be lost, so that none of its transactions comes again.
    Dropped,
}

/// Status and JSON body, as DynamoDB would send them.
pub(super) struct Answer {
    status: u16,
    body: Vec<u8>,
}

pub(super) fn http_client(engine: Arc<Engine>, tokens: Tokens) -> SharedHttpClient {
    SharedHttpClient::new(Wire { connector: SharedHttpConnector::new(Connector { engine, tokens }) })
}

/// Carries out `operation` with the JSON `body`. Blocks on the engine's lock and on SQLite.
pub(super) fn answer(database: &Database, operation: &str, body: &[u8], tokens: Tokens) -> Answer {
    match dispatch(database, operation, body, tokens) {
        Some(Ok(body)) => Answer { status: 200, body },
        Some(Err(error)) => Answer { status: error.status_code(), body: error.to_json().into_bytes() },
        None => {
            Answer { status: 400, body: br#"{"__type":"com.amazon.coral.service#UnknownOperationException"}"#.to_vec() }
        }
    }
}

#[derive(Debug)]
struct Wire {
    connector: SharedHttpConnector,
}

impl HttpClient for Wire {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        self.connector.clone()
    }
}

#[derive(Debug)]
struct Connector {
    engine: Arc<Engine>,
    tokens: Tokens,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (engine, tokens) = (Arc::clone(&self.engine), self.tokens);
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let operation = target.strip_prefix("DynamoDB_20120810.").unwrap_or_default().to_owned();
        let body = request.body().bytes().unwrap_or_default().to_vec();
        HttpConnectorFuture::new(async move {
            let answer = engine.call(operation, body, tokens).await;
            let answer = answer.map_err(|gone| ConnectorError::other(gone.into(), None))?;
            let status = StatusCode::try_from(answer.status).map_err(|bad| ConnectorError::other(bad.into(), None))?;
            let mut response = HttpResponse::new(status, SdkBody::from(answer.body));
            response.headers_mut().insert("content-type", "application/x-amz-json-1.0");
            Ok(response)
        })
    }
}

/// None: an operation that the engine's users have no need of.
fn dispatch(
    database: &Database,
    operation: &str,
    body: &[u8],
    tokens: Tokens,
) -> Option<Result<Vec<u8>, DynoxideError>> {
    Some(match operation {
        "CreateTable" => through(body, |request| database.create_table(request)),
        "DescribeTable" => through(body, |request| database.describe_table(request)),
        "DeleteTable" => through(body, |request| database.delete_table(request)),
        "UpdateTimeToLive" => through(body, |request| database.update_time_to_live(request)),
        "DescribeTimeToLive" => through(body, |request| database.describe_time_to_live(request)),
        "PutItem" => through(body, |request| database.put_item(request)),
        "GetItem" => through(body, |request| database.get_item(request)),
        "DeleteItem" => through(body, |request| database.delete_item(request)),
        "UpdateItem" => through(body, |request| database.update_item(request)),
        "Query" => through(body, |request| database.query(request)),
        "Scan" => through(body, |request| database.scan(request)),
        "BatchGetItem" => through(body, |request| database.batch_get_item(request)),
        "BatchWriteItem" => through(body, |request| database.batch_write_item(request)),
        "TransactGetItems" => through(body, |request| database.transact_get_items(request)),
        "TransactWriteItems" => through(body, |mut request: TransactWrite| {
            request.client_request_token = request.client_request_token.filter(|_| tokens == Tokens::Remembered);
            database.transact_write_items(request)
        }),
        _ => return None,
    })
}

type TransactWrite = dynoxide::actions::transact_write_items::TransactWriteItemsRequest;

fn through<I: DeserializeOwned, O: Serialize>(
    body: &[u8],
    call: impl FnOnce(I) -> Result<O, DynoxideError>,
) -> Result<Vec<u8>, DynoxideError> {
    let request = serde_json::from_slice(body).map_err(|fault| unread(&fault.to_string()))?;
    let output = call(request)?;
    serde_json::to_vec(&output).map_err(|fault| DynoxideError::InternalServerError(fault.to_string()))
}

/// dynoxide's readers mark a value that is well-formed but not allowed (an empty set, a number too long) in the text of
/// the fault; everything else about a body is a matter of its form.
fn unread(fault: &str) -> DynoxideError {
    let marked = ["VALIDATION_REQUEST:", "VALIDATION_AS_READ:", "VALIDATION:"];
    match marked.iter().find_map(|mark| fault.strip_prefix(mark)) {
        Some(rest) => DynoxideError::ValidationException(rest.to_owned()),
        None => DynoxideError::SerializationException(fault.to_owned()),
    }
}
