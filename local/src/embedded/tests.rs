use super::*;
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, Put,
    ReturnValuesOnConditionCheckFailure, ScalarAttributeType, StreamSpecification, StreamViewType, TransactWriteItem,
};

/// A folder that goes with the test.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("loyalty-{}-{name}", std::process::id()));
        fs::remove_dir_all(&path).ok();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

pub(crate) async fn with_table(client: &Client) {
    let key = |name: &str, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap();
    let text = |name: &str| {
        AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S).build().unwrap()
    };
    let stream = StreamSpecification::builder().stream_enabled(true).stream_view_type(StreamViewType::NewAndOldImages);
    client
        .create_table()
        .table_name("loyalty")
        .billing_mode(BillingMode::PayPerRequest)
        .key_schema(key("pk", KeyType::Hash))
        .key_schema(key("sk", KeyType::Range))
        .attribute_definitions(text("pk"))
        .attribute_definitions(text("sk"))
        .stream_specification(stream.build().unwrap())
        .send()
        .await
        .unwrap();
}

pub(crate) fn s(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

pub(crate) async fn put(client: &Client, pk: &str, value: &str) {
    let put = client.put_item().table_name("loyalty").item("pk", s(pk)).item("sk", s("a")).item("v", s(value));
    put.send().await.unwrap();
}

async fn value(client: &Client, pk: &str) -> Option<AttributeValue> {
    let get = client.get_item().table_name("loyalty").key("pk", s(pk)).key("sk", s("a")).consistent_read(true);
    get.send().await.unwrap().item.and_then(|mut item| item.remove("v"))
}

fn fresh(pk: &str, value: &str) -> TransactWriteItem {
    let put = Put::builder().table_name("loyalty").item("pk", s(pk)).item("sk", s("a")).item("v", s(value));
    let put = put
        .condition_expression("attribute_not_exists(pk)")
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
    TransactWriteItem::builder().put(put.build().unwrap()).build()
}

#[tokio::test]
async fn what_is_put_can_be_got() {
    let client = Embedded::memory().unwrap().client();
    with_table(&client).await;
    put(&client, "a", "1").await;
    assert_eq!(value(&client, "a").await, Some(s("1")));
    assert_eq!(value(&client, "b").await, None);
}

#[tokio::test]
async fn two_engines_in_memory_share_nothing() {
    let (one, other) = (Embedded::memory().unwrap().client(), Embedded::memory().unwrap().client());
    with_table(&one).await;
    with_table(&other).await;
    put(&one, "a", "1").await;
    assert_eq!(value(&other, "a").await, None);
}

#[tokio::test]
async fn a_cancelled_transaction_says_by_position_which_condition_failed_and_what_was_there() {
    let client = Embedded::memory().unwrap().client();
    with_table(&client).await;
    put(&client, "a", "1").await;
    let items = vec![fresh("b", "2"), fresh("a", "2")];
    let error = client.transact_write_items().set_transact_items(Some(items)).send().await.unwrap_err();
    let TransactWriteItemsError::TransactionCanceledException(cancelled) = error.into_service_error() else {
        panic!("not a cancellation")
    };
    let reasons = cancelled.cancellation_reasons();
    assert_eq!(
        reasons.iter().map(|reason| reason.code().unwrap()).collect::<Vec<_>>(),
        ["None", "ConditionalCheckFailed"]
    );
    assert_eq!(reasons[1].item().unwrap()["v"], s("1"));
    assert_eq!(value(&client, "b").await, None);
}

#[tokio::test]
async fn a_failed_condition_of_one_put_carries_the_item_that_was_there() {
    let client = Embedded::memory().unwrap().client();
    with_table(&client).await;
    put(&client, "a", "1").await;
    let again = client.put_item().table_name("loyalty").item("pk", s("a")).item("sk", s("a"));
    let error = again
        .condition_expression("attribute_not_exists(pk)")
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
        .send()
        .await
        .unwrap_err();
    let PutItemError::ConditionalCheckFailedException(failed) = error.into_service_error() else {
        panic!("not a failed condition")
    };
    assert_eq!(failed.item().unwrap()["v"], s("1"));
}

#[tokio::test]
async fn a_token_makes_a_transaction_happen_once_where_answers_can_be_lost() {
    let client = client_with(Embedded::memory().unwrap().http_client());
    with_table(&client).await;
    for _ in 0..2 {
        let call = client.transact_write_items().transact_items(fresh("a", "1")).client_request_token("chosen");
        call.send().await.unwrap();
    }
    let unchosen = client.transact_write_items().transact_items(fresh("a", "1")).send().await;
    assert!(unchosen.unwrap_err().into_service_error().is_transaction_canceled_exception());
}

#[tokio::test]
async fn an_operation_nobody_needs_is_refused_as_unknown() {
    let client = Embedded::memory().unwrap().client();
    let error = client.list_tables().send().await.unwrap_err();
    assert_eq!(error.code(), Some("UnknownOperationException"));
}

#[tokio::test]
async fn a_table_that_is_not_there_is_not_found() {
    let client = Embedded::memory().unwrap().client();
    let error = client.describe_table().table_name("loyalty").send().await.unwrap_err();
    assert!(error.into_service_error().is_resource_not_found_exception());
}

#[tokio::test]
async fn a_folder_holds_its_data_after_the_engine_is_gone() {
    let folder = Folder::new("restart");
    let client = Embedded::open(&folder.0).unwrap().client();
    with_table(&client).await;
    put(&client, "a", "1").await;
    drop(client);
    assert_eq!(value(&Embedded::open(&folder.0).unwrap().client(), "a").await, Some(s("1")));
}

#[tokio::test]
async fn the_files_of_a_process_killed_in_mid_flight_hold_every_answered_write() {
    let (folder, copy) = (Folder::new("killed"), Folder::new("killed-copy"));
    let client = Embedded::open(&folder.0).unwrap().client();
    with_table(&client).await;
    put(&client, "a", "1").await;
    // What the system holds for a killed process's files is what a copy sees while the engine is still open.
    fs::create_dir_all(&copy.0).unwrap();
    for file in fs::read_dir(&folder.0).unwrap().map(Result::unwrap) {
        fs::copy(file.path(), copy.0.join(file.file_name())).unwrap();
    }
    assert_eq!(value(&Embedded::open(&copy.0).unwrap().client(), "a").await, Some(s("1")));
}

#[test]
fn a_folder_in_use_is_refused_in_one_line_and_free_again_when_the_last_client_is_gone() {
    let folder = Folder::new("lock");
    let client = Embedded::open(&folder.0).unwrap().client();
    let refused = Embedded::open(&folder.0).unwrap_err().to_string();
    assert_eq!(refused, format!("the data folder {} is in use by another process", folder.0.display()));
    drop(client);
    Embedded::open(&folder.0).unwrap();
}

#[test]
fn a_folder_that_cannot_be_made_is_refused_in_one_line() {
    let folder = Folder::new("file");
    fs::write(&folder.0, "a file, not a folder").unwrap();
    let refused = Embedded::open(&folder.0.join("below")).unwrap_err();
    fs::remove_file(&folder.0).unwrap();
    assert!(matches!(refused, EmbeddedError::NotWritable { .. }), "{refused}");
    assert_eq!(refused.to_string().lines().count(), 1);
}

#[test]
fn a_file_that_is_no_database_is_refused_in_one_line() {
    let folder = Folder::new("unreadable");
    fs::create_dir_all(&folder.0).unwrap();
    fs::write(
        folder.0.join("dynamodb.sqlite"),
        "no database at all, but long enough to have a header of its own".repeat(9),
    )
    .unwrap();
    let refused = Embedded::open(&folder.0).unwrap_err();
    assert!(matches!(refused, EmbeddedError::Unreadable { .. }), "{refused}");
    assert_eq!(refused.to_string().lines().count(), 1, "{refused}");
}
