use super::*;
use crate::{Cursors, Page, PathValues, Query, RequestKey};
use serde_json::json;

#[tokio::test]
async fn a_request_key_is_one_header_of_1_to_255_printable_ascii_characters() {
    let router = router(&Method::POST, |key: RequestKey| async move { Answer::ok(key.0) });
    let ask = || Ask::new(Method::POST, "/thing").service();
    for key in ["a", "7f1c a~!\"", &"k".repeat(255)] {
        let told = ask().header("Idempotency-Key", key).of(&router).await;
        assert_eq!(told.json, json!(key));
    }
    assert_eq!(ask().of(&router).await.problem(), (400, "idempotency_key_required"));
    for key in ["", "kä", "a\tb", &"k".repeat(256)] {
        let told = ask().header("idempotency-key", key).of(&router).await;
        assert_eq!(told.problem(), (400, "idempotency_key_malformed"), "{key:?}");
    }
    let twice = ask().header("idempotency-key", "a").header("idempotency-key", "a").of(&router).await;
    assert_eq!(twice.problem(), (400, "idempotency_key_malformed"));
}

#[tokio::test]
async fn a_page_has_1_to_100_elements_and_50_unless_told() {
    let handler = |page: Page| async move { Answer::ok(json!([page.limit, page.cursor])) };
    let router = router(&Method::GET, handler);
    for (query, page) in [
        ("", json!([50, null])),
        ("?", json!([50, null])),
        ("?limit=1", json!([1, null])),
        ("?limit=100&cursor=abc", json!([100, "abc"])),
    ] {
        let told = Ask::get(&format!("/thing{query}")).service().of(&router).await;
        assert_eq!(told.json, page, "{query}");
    }
    for limit in ["0", "101", "-1", "+5", "05", "5.0", "", "x", "99999999999"] {
        let told = Ask::get(&format!("/thing?limit={limit}")).service().of(&router).await;
        assert_eq!(told.problem(), (400, "malformed"), "{limit}");
        assert_eq!(told.json["parameter"], "limit");
    }
}

#[tokio::test]
async fn unknown_and_doubled_parameters_are_refused_unless_the_route_allows_them() {
    let plain = router(&Method::GET, |_: Page| async { Answer::no_content() });
    for query in [
        "?status=flagged",
        "?limit=5&Limit=5",
        "?limit=5&limit=5",
        "?cursor=a&limit=5&cursor=a",
        "?%6cimit=5&limit=5",
        "?x",
    ] {
        let told = Ask::get(&format!("/thing{query}")).service().of(&plain).await;
        assert_eq!(told.problem(), (400, "malformed"), "{query}");
    }
    let filtered = router(&Method::GET, |query: Query| async move {
        query.page(&["status"]).map(|page| Answer::ok(json!([page.limit, query.get("status")])))
    });
    let told = Ask::get("/thing?status=flagged%20x&limit=5").service().of(&filtered).await;
    assert_eq!(told.json, json!([5, "flagged x"]));
    assert_eq!(Ask::get("/thing?other=1").service().of(&filtered).await.problem(), (400, "malformed"));
}

#[test]
fn a_cursor_opens_only_where_it_was_made() {
    let cursors = Cursors::new(b"secret");
    let binding = ["main", "ledger", "mbr_1", ""];
    let cursor = cursors.seal(&binding, "000000000007");
    assert!(cursor.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'));
    assert_eq!(cursors.open(&binding, &cursor).unwrap(), "000000000007");
    assert_eq!(cursors.open(&[], &cursors.seal(&[], "")).unwrap(), "");

    let foreign: [&[&str]; 6] = [
        &["other", "ledger", "mbr_1", ""],
        &["main", "ledger", "mbr_2", ""],
        &["main", "ledger", "mbr_1", "x"],
        &["main", "ledger", "mbr_1"],
        &["main", "ledgermbr_1", "", ""],
        &["mainledger", "", "mbr_1", ""],
    ];
    for other in foreign {
        let problem = cursors.open(other, &cursor).unwrap_err();
        assert_eq!((problem.status().as_u16(), problem.code()), (400, "cursor_invalid"), "{other:?}");
    }
    assert!(Cursors::new(b"another").open(&binding, &cursor).is_err());
}

#[test]
fn a_cursor_changed_in_any_character_does_not_open() {
    let cursors = Cursors::new(b"secret");
    let cursor = cursors.seal(&["main"], "12");
    for at in 0..cursor.len() {
        for other in ["A", "B", "_", "=", " ", "é"] {
            let mut tampered = cursor.clone();
            tampered.replace_range(at..=at, other);
            assert_eq!(cursors.open(&["main"], &tampered).is_ok(), tampered == cursor, "{tampered}");
        }
        assert!(cursors.open(&["main"], &cursor[..at]).is_err());
    }
    for junk in ["", "A", "AAAA", &"A".repeat(100_000), &format!("{cursor}="), &format!("{cursor}A")] {
        assert!(cursors.open(&["main"], junk).is_err());
    }
    assert_eq!(format!("{cursors:?}"), "Cursors(secret)");
}

#[tokio::test]
async fn a_segment_that_is_not_spelled_like_the_thing_is_a_404() {
    let handler = |path: PathValues| async move {
        let member: MemberId = path.id("member_id", "member_unknown")?;
        let version: u32 = path.id("n", "version_unknown")?;
        Ok::<_, Problem>(Answer::ok(json!([member.to_string(), version])))
    };
    let router = api().get("/{member_id}/{n}", Access::scope(Scope::PointsEarn), handler).into_router();
    let ask = |member: &str, n: &str| Ask::get(&format!("/{member}/{n}")).service().of(&router);
    let ada = ADA.to_string();
    assert_eq!(ask(&ada, "7").await.json, json!([ada, 7]));
    assert_ne!(ada.to_lowercase(), ada);
    assert_eq!(ask(&ada.to_lowercase(), "7").await.problem(), (404, "member_unknown"));
    for n in ["007", "+7", "-7", "x", "99999999999"] {
        assert_eq!(ask(&ada, n).await.problem(), (404, "version_unknown"), "{n}");
    }
    assert_eq!(ask("%ff", "7").await.problem(), (404, "not_found"));
}

#[tokio::test]
async fn an_answer_is_json_and_says_when_it_repeats_an_earlier_one() {
    let answer = |answer: fn() -> Answer| router(&Method::GET, move || async move { answer() });
    let told = Ask::get("/thing").service().of(&answer(|| Answer::created(json!({"a": 1})))).await;
    assert_eq!((told.status.as_u16(), told.text.as_str()), (201, r#"{"a":1}"#));
    assert_eq!(told.header("content-type"), Some("application/json"));
    assert_eq!(told.header("idempotency-replayed"), None);
    let told = Ask::get("/thing").service().of(&answer(|| Answer::ok(1).replayed(true))).await;
    assert_eq!(told.header("idempotency-replayed"), Some("true"));
    let told = Ask::get("/thing").service().of(&answer(Answer::no_content)).await;
    assert_eq!((told.status.as_u16(), told.text.as_str(), told.header("content-type")), (204, "", None));
    let unwritable = || Answer::ok(std::collections::HashMap::from([((1, 2), 3)]));
    assert_eq!(Ask::get("/thing").service().of(&answer(unwritable)).await.problem(), (500, "internal"));
}
