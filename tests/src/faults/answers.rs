//! DynamoDB's JSON, as far as the layer reads and writes it.

use super::{Capacity, Fault};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use serde_json::{Value, json};

const READS: [&str; 5] = ["GetItem", "Query", "Scan", "BatchGetItem", "TransactGetItems"];
const SINGLE_WRITES: [&str; 3] = ["PutItem", "UpdateItem", "DeleteItem"];
const TRANSACTIONS: [&str; 2] = ["TransactWriteItems", "TransactGetItems"];

/// The operation's name without the version of the service.
pub(super) fn operation(request: &HttpRequest) -> String {
    let target = request.headers().get("x-amz-target").unwrap_or_default();
    target.rsplit('.').next().unwrap_or_default().to_owned()
}

/// Whether DynamoDB could answer this operation so.
pub(super) fn can_meet(operation: &str, fault: Fault) -> bool {
    fault != Fault::Conflict || TRANSACTIONS.contains(&operation) || SINGLE_WRITES.contains(&operation)
}

/// The answer of a table that does nothing. `call` moves the position that a cancellation blames.
pub(super) fn refusal(operation: &str, request: &HttpRequest, fault: Fault, call: usize) -> HttpResponse {
    let transaction = TRANSACTIONS.contains(&operation);
    let cancelled = |code, message| error(400, cancellation(request, call, code, message));
    let plain = |status, kind: &str, message: &str| error(status, json!({ "__type": kind, "message": message }));
    let ours = |name: &str| format!("com.amazonaws.dynamodb.v20120810#{name}");
    match fault {
        Fault::Conflict if transaction => cancelled("TransactionConflict", "Transaction is ongoing for the item"),
        Fault::Conflict => plain(400, &ours("TransactionConflictException"), "Transaction is ongoing for the item"),
        Fault::ItemThrottled if transaction => cancelled(
            "ThrottlingError",
            "Throughput exceeds the current capacity of your table or index. Please try again shortly",
        ),
        Fault::ThroughputExceeded => plain(
            400,
            &ours("ProvisionedThroughputExceededException"),
            "The level of configured provisioned throughput for the table was exceeded",
        ),
        Fault::Throttle | Fault::ItemThrottled => plain(
            400,
            "com.amazon.coral.availability#ThrottlingException",
            "Rate of requests exceeds the allowed throughput",
        ),
        Fault::ServerError | Fault::LoseRequest | Fault::LoseAnswer | Fault::Delay => {
            plain(500, &ours("InternalServerError"), "Internal server error")
        }
    }
}

fn cancellation(request: &HttpRequest, call: usize, code: &str, message: &str) -> Value {
    let items = body_of(request).and_then(|body| body["TransactItems"].as_array().map(Vec::len)).unwrap_or(1).max(1);
    let blamed = call % items;
    let codes: Vec<_> = (0..items).map(|item| if item == blamed { code } else { "None" }).collect();
    let reasons: Vec<_> = codes
        .iter()
        .map(|&of| if of == "None" { json!({ "Code": of }) } else { json!({ "Code": of, "Message": message }) })
        .collect();
    json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": format!(
            "Transaction cancelled, please refer cancellation reasons for specific reasons [{}]", codes.join(", ")
        ),
        "CancellationReasons": reasons,
    })
}

fn error(status: u16, body: Value) -> HttpResponse {
    let status = StatusCode::try_from(status).expect("a status in range");
    let mut response = HttpResponse::new(status, SdkBody::from(body.to_string()));
    response.headers_mut().insert("content-type", "application/x-amz-json-1.0");
    response
}

/// Adds the question for consumed capacity, unless the request asks already.
pub(super) fn ask_for_capacity(operation: &str, request: &mut HttpRequest) {
    let writes = SINGLE_WRITES.contains(&operation) || ["BatchWriteItem", "TransactWriteItems"].contains(&operation);
    if !writes && !READS.contains(&operation) {
        return;
    }
    let Some(mut body) = body_of(request) else { return };
    if let Some(members) = body.as_object_mut() {
        members.entry("ReturnConsumedCapacity").or_insert_with(|| json!("INDEXES"));
    }
    let text = body.to_string();
    request.headers_mut().insert("content-length", text.len().to_string());
    *request.body_mut() = SdkBody::from(text);
}

/// What the answer says the call consumed. The answer can be read again afterwards.
pub(super) async fn read_capacity(operation: &str, response: &mut HttpResponse) -> Result<Capacity, ConnectorError> {
    let body = ByteStream::new(response.take_body()).collect().await;
    let bytes = body.map_err(|lost| ConnectorError::io(lost.into()))?.into_bytes();
    let answer: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    *response.body_mut() = SdkBody::from(bytes);
    let reads = READS.contains(&operation);
    Ok(match &answer["ConsumedCapacity"] {
        Value::Array(tables) => tables.iter().map(|table| of_table(reads, table)).sum(),
        table => of_table(reads, table),
    })
}

fn of_table(reads: bool, consumed: &Value) -> Capacity {
    // Asked for totals only, the answer names no table: all of it counts as the table's.
    let (table_read, table_write) = units(reads, consumed.get("Table").unwrap_or(consumed));
    let kinds = ["GlobalSecondaryIndexes", "LocalSecondaryIndexes"];
    let indexes = kinds.iter().filter_map(|kind| consumed[kind].as_object()).flat_map(|indexes| indexes.values());
    let (index_read, index_write) =
        indexes.map(|index| units(reads, index)).fold((0.0, 0.0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    Capacity { table_write, table_read, index_write, index_read }
}

/// Read and write units. Only transactions name the two apart; elsewhere the operation tells which they are.
fn units(reads: bool, of: &Value) -> (f64, f64) {
    let named = |name: &str| of[name].as_f64();
    match (named("ReadCapacityUnits"), named("WriteCapacityUnits"), named("CapacityUnits").unwrap_or(0.0)) {
        (None, None, all) if reads => (all, 0.0),
        (None, None, all) => (0.0, all),
        (read, write, _) => (read.unwrap_or(0.0), write.unwrap_or(0.0)),
    }
}

fn body_of(request: &HttpRequest) -> Option<Value> {
    serde_json::from_slice(request.body().bytes()?).ok()
}
