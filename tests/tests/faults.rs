//! The fault layer does what it says; every other test of races and retries leans on that.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::get_item::GetItemError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, Put, ScalarAttributeType, TransactWriteItem,
};
use it::faults::{Capacity, Fault, Faults, Plan, Shares};
use loyalty_local::embedded::{Embedded, client_for_endpoint_with, client_with, plain_http};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;

const TABLE: &str = "faults";

/// A client over a layer over an engine with a table, and one past the layer that sees what is really there.
async fn stack() -> (Client, Faults, Client) {
    let engine = Embedded::memory().unwrap();
    let (http, faults) = Faults::around(engine.http_client());
    let (client, straight) = (client_with(http), engine.client());
    let key = |name: &str, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap();
    let text = |name: &str| {
        AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S).build().unwrap()
    };
    let keys_only = Projection::builder().projection_type(ProjectionType::KeysOnly).build();
    let due = GlobalSecondaryIndex::builder().index_name("due").key_schema(key("due", KeyType::Hash));
    straight
        .create_table()
        .table_name(TABLE)
        .billing_mode(BillingMode::PayPerRequest)
        .key_schema(key("pk", KeyType::Hash))
        .set_attribute_definitions(Some(vec![text("pk"), text("due")]))
        .global_secondary_indexes(due.projection(keys_only).build().unwrap())
        .send()
        .await
        .unwrap();
    (client, faults, straight)
}

fn s(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

async fn put(client: &Client, pk: &str) -> Result<(), SdkError<PutItemError>> {
    client.put_item().table_name(TABLE).item("pk", s(pk)).send().await.map(drop)
}

async fn get(client: &Client, pk: &str) -> Result<bool, SdkError<GetItemError>> {
    let got = client.get_item().table_name(TABLE).key("pk", s(pk)).consistent_read(true).send().await;
    got.map(|got| got.item.is_some())
}

async fn commit(client: &Client, pks: &[&str]) -> Result<(), SdkError<TransactWriteItemsError>> {
    let fresh = |pk: &&str| {
        let put = Put::builder().table_name(TABLE).item("pk", s(pk)).condition_expression("attribute_not_exists(pk)");
        TransactWriteItem::builder().put(put.build().unwrap()).build()
    };
    client.transact_write_items().set_transact_items(Some(pks.iter().map(fresh).collect())).send().await.map(drop)
}

/// The codes of a cancelled transaction, by position.
fn reasons(error: SdkError<TransactWriteItemsError>) -> Vec<String> {
    let TransactWriteItemsError::TransactionCanceledException(cancelled) = error.into_service_error() else {
        panic!("not a cancellation")
    };
    cancelled.cancellation_reasons().iter().map(|reason| reason.code().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_conflict_cancels_the_transaction_at_one_position_and_writes_nothing() {
    let (client, faults, straight) = stack().await;
    faults.arm(Plan::nth(0, Fault::Conflict));
    let mut codes = reasons(commit(&client, &["a", "b", "c"]).await.unwrap_err());
    codes.sort_unstable();
    assert_eq!(codes, ["None", "None", "TransactionConflict"]);
    assert!(!get(&straight, "a").await.unwrap());
    commit(&client, &["a", "b", "c"]).await.unwrap();
    assert!(get(&straight, "a").await.unwrap());
}

#[tokio::test]
async fn conflicts_blame_every_position_in_turn() {
    let (client, faults, _) = stack().await;
    faults.arm(Plan::script((0..3).map(|call| (call, Fault::Conflict))));
    let mut blamed = [0; 3];
    for _ in 0..3 {
        let codes = reasons(commit(&client, &["a", "b", "c"]).await.unwrap_err());
        blamed[codes.iter().position(|code| code == "TransactionConflict").unwrap()] += 1;
    }
    assert_eq!(blamed, [1, 1, 1]);
}

#[tokio::test]
async fn a_conflict_of_a_single_write_is_its_own_exception_and_a_read_knows_none() {
    let (client, faults, straight) = stack().await;
    faults.arm(Plan::nth(0, Fault::Conflict));
    let error = put(&client, "a").await.unwrap_err().into_service_error();
    assert!(error.is_transaction_conflict_exception());
    assert!(!get(&straight, "a").await.unwrap());
    faults.arm(Plan::nth(0, Fault::Conflict));
    assert!(!get(&client, "a").await.unwrap());
    assert_eq!((faults.seen(), faults.fired()), (1, 0));
}

#[tokio::test]
async fn a_lost_answer_hides_a_commit_and_a_lost_request_prevents_it() {
    let (client, faults, straight) = stack().await;
    faults.arm(Plan::nth(0, Fault::LoseAnswer));
    let error = commit(&client, &["a", "b"]).await.unwrap_err();
    assert!(matches!(&error, SdkError::DispatchFailure(lost) if lost.is_io()), "{error:?}");
    assert!(get(&straight, "a").await.unwrap() && get(&straight, "b").await.unwrap());
    faults.arm(Plan::nth(0, Fault::LoseRequest));
    let error = commit(&client, &["c"]).await.unwrap_err();
    assert!(matches!(&error, SdkError::DispatchFailure(lost) if lost.is_io()), "{error:?}");
    assert!(!get(&straight, "c").await.unwrap());
}

#[tokio::test]
async fn refusals_carry_the_codes_and_statuses_of_the_real_thing_and_write_nothing() {
    let (client, faults, straight) = stack().await;
    let cases = [
        (Fault::Throttle, 400, "ThrottlingException"),
        (Fault::ThroughputExceeded, 400, "ProvisionedThroughputExceededException"),
        (Fault::ItemThrottled, 400, "TransactionCanceledException"),
        (Fault::ServerError, 500, "InternalServerError"),
    ];
    for (fault, status, code) in cases {
        faults.arm(Plan::nth(0, fault));
        let error = commit(&client, &["a"]).await.unwrap_err();
        assert_eq!(error.raw_response().unwrap().status().as_u16(), status);
        assert_eq!(error.code(), Some(code), "{fault:?}");
        assert!(!get(&straight, "a").await.unwrap());
    }
    faults.arm(Plan::nth(0, Fault::ItemThrottled));
    assert_eq!(reasons(commit(&client, &["a"]).await.unwrap_err()), ["ThrottlingError"]);
    faults.arm(Plan::nth(0, Fault::ItemThrottled));
    assert_eq!(get(&client, "a").await.unwrap_err().code(), Some("ThrottlingException"));
}

#[tokio::test]
async fn a_plan_for_one_call_harms_exactly_that_call() {
    let (client, faults, _) = stack().await;
    for fault in Fault::ALL.into_iter().filter(|fault| ![Fault::Conflict, Fault::Delay].contains(fault)) {
        for hurt in 0..3 {
            faults.arm(Plan::nth(hurt, fault));
            for call in 0..3 {
                assert_eq!(get(&client, "a").await.is_err(), call == hurt, "{fault:?} at {hurt}");
            }
            assert_eq!((faults.seen(), faults.fired()), (3, 1));
        }
    }
    faults.disarm();
    get(&client, "a").await.unwrap();
    assert_eq!(faults.seen(), 3);
}

#[tokio::test]
async fn at_least_the_asked_share_of_commits_conflicts_at_every_moment() {
    let (client, faults, _) = stack().await;
    faults.arm(Plan::random(7, Shares { conflicts: 0.30, ..Shares::default() }));
    let mut conflicts = 0.0;
    for commits in 1..=1000 {
        match commit(&client, &[&commits.to_string()]).await {
            Ok(()) => {}
            Err(error) => {
                assert_eq!(reasons(error), ["TransactionConflict"]);
                conflicts += 1.0;
            }
        }
        assert!(conflicts >= 0.30 * f64::from(commits), "{conflicts} of {commits}");
    }
    assert!(conflicts < 500.0, "{conflicts}");
}

#[tokio::test]
async fn chance_repeats_itself_with_its_seed() {
    let shares = Shares {
        conflicts: 0.3,
        throttles: 0.1,
        server_errors: 0.1,
        lost_requests: 0.1,
        lost_answers: 0.1,
        delays: 0.1,
    };
    let mut runs = Vec::new();
    for seed in [1, 1, 2] {
        let (client, faults, _) = stack().await;
        faults.arm(Plan::random(seed, shares));
        for n in 0..200 {
            commit(&client, &[&n.to_string()]).await.ok();
            get(&client, "a").await.ok();
        }
        runs.push(faults.meter().calls.into_iter().map(|call| call.fault).collect::<Vec<_>>());
    }
    assert_eq!(runs[0], runs[1]);
    assert_ne!(runs[0], runs[2]);
    assert!(Fault::ALL.iter().all(|fault| runs[0].contains(&Some(*fault))));
}

#[tokio::test]
async fn a_transaction_of_three_small_items_costs_six_write_units() {
    let (client, faults, _) = stack().await;
    faults.meter_on();
    commit(&client, &["a", "b", "c"]).await.unwrap();
    assert_eq!(faults.meter().consumed(), Capacity { table_write: 6.0, ..Capacity::default() });
    faults.reset();
    get(&client, "a").await.unwrap();
    assert_eq!(faults.meter().consumed(), Capacity { table_read: 1.0, ..Capacity::default() });
    faults.meter_off();
    get(&client, "a").await.unwrap();
    assert_eq!(faults.meter().consumed().table_read, 1.0);
}

#[tokio::test]
async fn index_writes_are_counted_apart() {
    let (client, faults, _) = stack().await;
    faults.meter_on();
    client.put_item().table_name(TABLE).item("pk", s("a")).item("due", s("x")).send().await.unwrap();
    assert_eq!(faults.meter().consumed(), Capacity { table_write: 1.0, index_write: 1.0, ..Capacity::default() });
    faults.reset();
    let query = client.query().table_name(TABLE).index_name("due").key_condition_expression("due = :x");
    assert_eq!(query.expression_attribute_values(":x", s("x")).send().await.unwrap().count, 1);
    assert_eq!(faults.meter().consumed(), Capacity { index_read: 0.5, ..Capacity::default() });
}

#[tokio::test]
async fn the_meter_lists_calls_in_order_and_forgets_on_reset() {
    let (client, faults, _) = stack().await;
    put(&client, "a").await.unwrap();
    get(&client, "a").await.unwrap();
    get(&client, "b").await.unwrap();
    let meter = faults.meter();
    assert_eq!(meter.operations(), ["PutItem", "GetItem", "GetItem"]);
    assert_eq!(meter.by_operation(), BTreeMap::from([("GetItem", 2), ("PutItem", 1)]));
    faults.reset();
    assert_eq!(faults.meter().count(), 0);
}

#[tokio::test]
async fn calls_side_by_side_are_one_link_and_calls_in_a_row_are_as_many() {
    let (client, faults, _) = stack().await;
    faults.meter_on();
    let (a, b, c) = tokio::join!(get(&client, "a"), get(&client, "b"), get(&client, "c"));
    assert!(a.is_ok() && b.is_ok() && c.is_ok());
    assert_eq!((faults.meter().count(), faults.meter().longest_chain()), (3, 1));
    put(&client, "a").await.unwrap();
    assert_eq!(faults.meter().longest_chain(), 2);
    put(&client, "a").await.unwrap();
    assert_eq!(faults.meter().longest_chain(), 3);
}

#[tokio::test]
async fn tasks_interleave_between_their_calls() {
    let (client, faults, _) = stack().await;
    let task = |pk: &'static str| {
        let client = client.clone();
        tokio::spawn(async move {
            let seen = get(&client, "a").await.unwrap();
            put(&client, pk).await.unwrap();
            seen
        })
    };
    let tasks = [task("a"), task("a"), task("a")];
    for task in tasks {
        assert!(!task.await.unwrap(), "everybody reads before anybody has written");
    }
    assert_eq!(faults.meter().operations()[..3], ["GetItem", "GetItem", "GetItem"]);
}

#[tokio::test]
async fn a_delayed_call_lets_others_pass_and_succeeds() {
    let (client, faults, _) = stack().await;
    faults.arm(Plan::nth(0, Fault::Delay));
    let slow = tokio::spawn({
        let client = client.clone();
        async move { put(&client, "slow").await }
    });
    tokio::task::yield_now().await;
    put(&client, "quick").await.unwrap();
    assert!(!slow.is_finished());
    slow.await.unwrap().unwrap();
    assert_eq!(faults.fired(), 1);
}

/// Answers one request on the loopback and returns its body.
fn answer_once(listener: TcpListener, answer: &'static str) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(socket.try_clone().unwrap());
        let (mut line, mut length) = (String::new(), 0);
        while reader.read_line(&mut line).unwrap() > 2 {
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            line.clear();
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        write!(socket, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{answer}", answer.len()).unwrap();
        String::from_utf8(body).unwrap()
    })
}

#[tokio::test]
async fn the_layer_meters_a_dynamodb_behind_a_socket_too() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = answer_once(listener, r#"{"ConsumedCapacity":{"CapacityUnits":1.5,"Table":{"CapacityUnits":1.5}}}"#);
    let (http, faults) = Faults::around(plain_http());
    faults.meter_on();
    assert!(!get(&client_for_endpoint_with(http, &url), "a").await.unwrap());
    let asked: serde_json::Value = serde_json::from_str(&server.join().unwrap()).unwrap();
    assert_eq!((&asked["TableName"], &asked["ReturnConsumedCapacity"]), (&TABLE.into(), &"INDEXES".into()));
    assert_eq!(faults.meter().consumed(), Capacity { table_read: 1.5, ..Capacity::default() });
}
