use super::*;
use crate::embedded::tests::{Folder, put, s, with_table};
use serde_json::json;

fn short(records: &[StreamRecord]) -> Vec<(String, Option<Value>, Option<Value>)> {
    let value = |image: &Option<Value>| image.as_ref().map(|image| image["v"]["S"].clone());
    records.iter().map(|r| (r.event_name.clone(), value(&r.old_image), value(&r.new_image))).collect()
}

#[tokio::test]
async fn every_change_is_told_once_in_order_with_both_images() {
    let engine = Embedded::memory().unwrap();
    let client = engine.client();
    with_table(&client).await;
    assert_eq!(engine.poll_stream("loyalty", None).unwrap(), (vec![], None));
    put(&client, "a", "1").await;
    put(&client, "a", "2").await;
    let (records, first) = engine.poll_stream("loyalty", None).unwrap();
    assert_eq!(records[0].keys, json!({"pk": {"S": "a"}, "sk": {"S": "a"}}));
    assert_eq!(
        short(&records),
        [("INSERT".to_owned(), None, Some(json!("1"))), ("MODIFY".to_owned(), Some(json!("1")), Some(json!("2"))),]
    );
    client.delete_item().table_name("loyalty").key("pk", s("a")).key("sk", s("a")).send().await.unwrap();
    let (later, last) = engine.poll_stream("loyalty", first.as_ref()).unwrap();
    assert_eq!(short(&later), [("REMOVE".to_owned(), Some(json!("2")), None)]);
    assert!(first < last);
    assert_eq!(engine.poll_stream("loyalty", last.as_ref()).unwrap(), (vec![], last));
}

#[tokio::test]
async fn a_position_written_down_is_good_after_a_restart() {
    let folder = Folder::new("stream");
    let engine = Embedded::open(&folder.0).unwrap();
    let client = engine.client();
    with_table(&client).await;
    put(&client, "a", "1").await;
    let (_, place) = engine.poll_stream("loyalty", None).unwrap();
    put(&client, "a", "2").await;
    drop((engine, client));
    let place: Position = place.unwrap().to_string().parse().unwrap();
    let engine = Embedded::open(&folder.0).unwrap();
    put(&engine.client(), "a", "3").await;
    let (records, _) = engine.poll_stream("loyalty", Some(&place)).unwrap();
    assert_eq!(short(&records).into_iter().map(|(_, _, new)| new.unwrap()).collect::<Vec<_>>(), ["2", "3"]);
}

#[tokio::test]
async fn a_long_history_comes_in_pages() {
    let engine = Embedded::memory().unwrap();
    let client = engine.client();
    with_table(&client).await;
    for n in 0..=MOST_RECORDS {
        put(&client, &n.to_string(), "1").await;
    }
    let (first, place) = engine.poll_stream("loyalty", None).unwrap();
    let (second, _) = engine.poll_stream("loyalty", place.as_ref()).unwrap();
    assert_eq!((first.len(), second.len()), (MOST_RECORDS, 1));
}

#[test]
fn a_table_without_stream_is_an_error() {
    assert!(Embedded::memory().unwrap().poll_stream("loyalty", None).is_err());
}

#[test]
fn a_position_is_21_digits_that_the_engine_could_have_given() {
    assert!("100001700000000000000".parse::<Position>().is_ok());
    assert!("109223372036854775807".parse::<Position>().is_ok());
    for bad in ["", "5", "abc", "100000000000000000000", "109223372036854775808", "+10000000000000000001", "-1"] {
        assert_eq!(bad.parse::<Position>(), Err(NotAPosition), "{bad}");
    }
}
