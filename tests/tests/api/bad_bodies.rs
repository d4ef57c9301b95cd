//! Bodies that cannot be meant: every route that reads one refuses them alike, and nothing is written.

use crate::kit::{dump, is_problem, is_refused_at, with};
use it::stack::{Answered, STAFF, Stack, claims, example_program, plain_program};
use serde_json::{Value, json};

pub const NOW: &str = "2026-11-21T10:00:00Z";

/// A stack with a member `m` and a purchase `A-1` of one line.
pub async fn stack() -> Stack {
    let mut program = plain_program();
    let review = json!({ "id": "review", "on": "activity", "activity": "product_review", "award": { "points": 25 } });
    program["earning_rules"].as_array_mut().unwrap().push(review);
    let stack = Stack::with_program(NOW, &program).await;
    let member = stack.enrol("m").await;
    stack.send("POST", "/v1/purchases", Some(&stack.purchase("A-1", &member, 1_000))).await.expect(201);
    stack
}

/// Every route that reads a body, with one that it takes; numbered, so that no two of them are the same fact.
pub async fn routes(stack: &Stack, number: usize) -> Vec<(&'static str, String, Value)> {
    let who = json!({ "member": { "external_id": "m" } });
    let found = stack.send("POST", "/v1/members/lookup", Some(&who["member"])).await.expect(200);
    let member = found["member"]["member_id"].as_str().unwrap();
    let order = json!({
        "channel": "web", "order_id": format!("B-{number}"), "member": { "external_id": "m" }, "occurred_at": NOW,
        "currency": "EUR", "store": "berlin-1",
        "lines": [{ "line_id": "1", "sku": "beans", "categories": ["coffee"], "quantity": 1, "net_amount": 1050 }],
    });
    let person = json!({
        "external_id": format!("x{number}"), "email": format!("x{number}@example.com"), "phone": format!("+4915112{number:06}"),
        "card_number": format!("9{number}"), "given_name": "Ada", "family_name": "Lovelace", "birthday": "1992-02-29",
        "time_zone": "Europe/Berlin", "tags": ["staff"], "consents": { "sms": true },
    });
    let adjustment = json!({ "member": { "external_id": "m" }, "points": 5, "reason": "goodwill", "note": "a note", "qualifies": false });
    let activity = json!({ "source": "app", "activity_id": format!("rev-{number}"), "member": { "external_id": "m" },
                           "type": "product_review", "occurred_at": NOW, "attributes": { "by": "Ada" } });
    let level = json!({ "level": "gold", "until": "2027-01-01", "reason": "status_match", "note": "a note" });
    let refund = json!({ "refund_id": format!("R-{number}"), "occurred_at": NOW, "lines": [{ "line_id": "1", "quantity": 1, "net_amount": 0 }] });
    vec![
        ("POST", "/v1/members".to_owned(), person.clone()),
        ("PATCH", format!("/v1/members/{member}"), with(&person, "/external_id", json!("m"))),
        ("POST", "/v1/members/lookup".to_owned(), json!({ "external_id": "m" })),
        ("POST", "/v1/purchases".to_owned(), order.clone()),
        ("POST", "/v1/purchases/quote".to_owned(), order),
        ("POST", "/v1/purchases/web/A-1/refunds".to_owned(), refund),
        ("POST", "/v1/activities".to_owned(), activity),
        ("POST", format!("/v1/members/{member}/level"), level),
        ("POST", "/v1/adjustments".to_owned(), adjustment),
        ("POST", "/v1/program/validate".to_owned(), example_program()),
        ("PUT", "/v1/program".to_owned(), example_program()),
    ]
}

pub async fn send(stack: &Stack, key: &str, method: &str, path: &str, body: Vec<u8>) -> Answered {
    stack.send_as(&claims(STAFF), method, path, &[("idempotency-key", key)], Some(body)).await
}

#[tokio::test]
async fn text_that_is_not_one_json_document_in_utf_8_is_a_400() {
    let stack = stack().await;
    let before = dump(&stack).await;
    let deep = |open: &str, shut: &str| [open.repeat(10_000), shut.repeat(10_000)].concat().into_bytes();
    let in_field = |text: &str| format!("{{\"external_id\":{text}}}").into_bytes();
    let bodies: Vec<(&str, Vec<u8>)> = vec![
        ("empty", b"".to_vec()),
        ("blank", b" \n".to_vec()),
        ("cut off", b"{\"a\":".to_vec()),
        ("a trailing comma", b"{\"a\":1,}".to_vec()),
        ("two documents", b"{}{}".to_vec()),
        ("a comment", b"{/**/}".to_vec()),
        ("single quotes", b"{'a':1}".to_vec()),
        ("NaN", in_field("NaN")),
        ("a number out of range", in_field("1e400")),
        ("a control character", b"{\"external_id\":\"a\x01b\"}".to_vec()),
        ("a lone high surrogate", in_field("\"\\ud800\"")),
        ("a lone low surrogate", in_field("\"\\udc00x\"")),
        ("surrogates the wrong way round", in_field("\"\\udc00\\ud800\"")),
        ("not UTF-8", b"{\"external_id\":\"\xff\xfe\"}".to_vec()),
        ("overlong UTF-8", b"{\"external_id\":\"\xc0\x80\"}".to_vec()),
        ("UTF-16", "{}".encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("a byte order mark", b"\xef\xbb\xbf{}".to_vec()),
        ("10,000 brackets", deep("[", "]")),
        ("10,000 brackets left open", b"[".repeat(10_000)),
        ("10,000 objects", deep("{\"a\":", "}")),
        ("zero bytes", vec![0; 100]),
    ];
    for (method, path, _) in routes(&stack, 0).await {
        for (case, body) in &bodies {
            let refused = send(&stack, "k", method, &path, body.clone()).await;
            is_problem(&refused, case);
            assert_eq!((refused.status.as_u16(), refused.code()), (400, "malformed"), "{method} {path}: {case}");
            assert_eq!(refused.pointers(), [""], "{method} {path}: {case}");
        }
    }
    assert_eq!(dump(&stack).await, before);
}

#[tokio::test]
async fn doubled_keys_and_unknown_fields_are_refused_with_their_pointers() {
    let stack = stack().await;
    let before = dump(&stack).await;
    for (method, path, good) in routes(&stack, 0).await {
        let first = good.as_object().unwrap().iter().next().unwrap();
        let doubled = good.to_string().replacen('{', &format!("{{\"{}\":{},", first.0, first.1), 1);
        let pointer = format!("/{}", first.0);
        is_refused_at(&send(&stack, "k", method, &path, doubled.into_bytes()).await, &[&pointer], &path);
        for (name, pointer) in
            [("zz", "/zz"), ("", "/"), ("a/b~c", "/a~1b~0c"), ("\0😀", "/\0😀"), ("__proto__", "/__proto__")]
        {
            let mut more = good.clone();
            more[name] = json!({ "deep": [1] });
            is_refused_at(&send(&stack, "k", method, &path, more.to_string().into_bytes()).await, &[pointer], &path);
        }
    }
    let nested = r#"{"channel":"w","order_id":"1","occurred_at":"2026-11-21T10:00:00Z","currency":"EUR",
        "lines":[{"line_id":"1","quantity":1,"quantity":1,"net_amount":1}],"member":{"phone":"+4915112345678","phone":"+4915112345678"}}"#;
    let refused = send(&stack, "k", "POST", "/v1/purchases", nested.into()).await;
    is_refused_at(&refused, &["/lines/0/quantity", "/member/phone"], "doubled inside");
    assert_eq!(dump(&stack).await, before);
}

#[tokio::test]
async fn every_field_refuses_every_wrong_type_at_its_pointer() {
    let stack = stack().await;
    let before = dump(&stack).await;
    for (method, path, good) in routes(&stack, 0).await {
        if path.contains("program") {
            continue;
        }
        for (pointer, value) in crate::bad_strings::leaves(&good) {
            for wrong in
                [json!(1.5), json!([[]]), json!({ "a": {} }), json!(true), json!("\u{0}"), json!(-1), json!(u64::MAX)]
            {
                let right_type = (wrong.is_boolean() && value.is_boolean())
                    || (wrong == json!(-1) && pointer == "/points")
                    || ((wrong == json!(-1) || wrong.is_boolean()) && pointer.starts_with("/attributes"))
                    || (wrong.is_string() && pointer.ends_with("_at"));
                if right_type {
                    continue;
                }
                let body = with(&good, &pointer, wrong.clone());
                let refused = send(&stack, "k", method, &path, body.to_string().into_bytes()).await;
                is_refused_at(&refused, &[&pointer], &format!("{method} {path} {pointer} {wrong}"));
            }
        }
    }
    assert_eq!(dump(&stack).await, before);
}

#[tokio::test]
async fn numbers_are_plain_integers() {
    let stack = stack().await;
    let before = dump(&stack).await;
    let (_, path, good) = routes(&stack, 0).await.swap_remove(3);
    for number in [
        "1.0",
        "1e2",
        "1E400",
        "-0",
        "-0.0",
        "0.5",
        "1e-400",
        "9223372036854775808",
        "18446744073709551616",
        "-9223372036854775809",
        "1e99999999999999999999",
        &"9".repeat(5_000),
        "123456789012345678901234567890.5",
    ] {
        for pointer in ["/lines/0/net_amount", "/lines/0/quantity"] {
            let marked = with(&good, pointer, json!("@")).to_string();
            let refused = send(&stack, "k", "POST", &path, marked.replace("\"@\"", number).into_bytes()).await;
            is_problem(&refused, number);
            // What no double can hold is no JSON for the parser; everything else has its pointer.
            let pointers = refused.pointers();
            assert!(pointers == [pointer] || pointers == [""], "{number}: {}", refused.body);
        }
    }
    for not_json in ["01", "+1", ".5", "1.", "0x10", "1_000", "Infinity"] {
        let marked = with(&good, "/lines/0/quantity", json!("@")).to_string();
        let refused = send(&stack, "k", "POST", &path, marked.replace("\"@\"", not_json).into_bytes()).await;
        is_refused_at(&refused, &[""], not_json);
    }
    assert_eq!(dump(&stack).await, before);
}

#[tokio::test]
async fn amounts_lines_and_sums_have_limits() {
    let stack = stack().await;
    let before = dump(&stack).await;
    let (_, path, good) = routes(&stack, 0).await.swap_remove(3);
    let line = |number: usize, net: i64| json!({ "line_id": number.to_string(), "quantity": 1, "net_amount": net });
    let lines = |count: usize, net: i64| Value::from((0..count).map(|number| line(number, net)).collect::<Vec<_>>());
    for (case, pointer, value, at) in [
        ("1,001 lines", "/lines", lines(1_001, 1), "/lines"),
        ("no line", "/lines", json!([]), "/lines"),
        ("a sum beyond i64", "/lines", lines(10, i64::MAX), "/lines/0/net_amount"),
        ("a sum beyond what money can be", "/lines", lines(2, 600_000_000_000_000), "/lines"),
        ("a negative amount", "/lines/0/net_amount", json!(-1), "/lines/0/net_amount"),
        ("a quantity of 0", "/lines/0/quantity", json!(0), "/lines/0/quantity"),
        ("a quantity beyond all", "/lines/0/quantity", json!(i64::MAX), "/lines/0/quantity"),
        ("21 categories", "/lines/0/categories", json!(vec!["c"; 21]), "/lines/0/categories"),
        ("the same line twice", "/lines", json!([line(1, 1), line(1, 1)]), "/lines/1/line_id"),
        ("a currency that does not exist", "/currency", json!("XQX"), "/currency"),
        ("a currency in lower case", "/currency", json!("eur"), "/currency"),
        ("tomorrow", "/occurred_at", json!("2026-11-22T10:00:00Z"), "/occurred_at"),
    ] {
        let body = with(&good, pointer, value).to_string().into_bytes();
        for path in [path.as_str(), "/v1/purchases/quote"] {
            let refused = send(&stack, "k", "POST", path, body.clone()).await;
            is_problem(&refused, case);
            assert_eq!(refused.status, 422, "{case}: {}", refused.body);
            assert_eq!(refused.pointers()[0], at, "{case}: {}", refused.body);
        }
    }
    for moment in [
        "2026-11-21",
        "2026-11-21T10:00:00",
        "2026-11-21 10:00:00Z",
        "1763719200",
        "21.11.2026",
        "2026-13-01T00:00:00Z",
        "2026-02-29T00:00:00Z",
        "2026-11-21T25:00:00Z",
        "2026-11-21T10:00:00+99:00",
        "3000-01-01T00:00:00Z",
        "1899-12-31T23:59:59Z",
        "2026-11-21T10:00:00[Europe/Berlin]",
        "2026-11-21T10:00:00+01:00[Europe/Berlin]",
    ] {
        let body = with(&good, "/occurred_at", json!(moment)).to_string().into_bytes();
        let refused = send(&stack, "k", "POST", &path, body).await;
        is_refused_at(&refused, &["/occurred_at"], moment);
        assert_eq!(refused.status, 400, "{moment}");
    }
    assert_eq!(dump(&stack).await, before);
    let most = with(&good, "/lines", lines(1_000, 100)).to_string().into_bytes();
    assert_eq!(send(&stack, "k", "POST", &path, most).await.expect(201)["purchase"]["points"], 1_000);
    let dearest = with(&with(&good, "/lines", lines(1, 1_000_000_000_000_000)), "/order_id", json!("dear"));
    let points =
        send(&stack, "k", "POST", &path, dearest.to_string().into_bytes()).await.expect(201)["purchase"]["points"]
            .clone();
    assert!(points.as_i64().unwrap() >= 10_000_000_000_000);
}

#[tokio::test]
async fn a_body_over_256_kb_is_a_413_and_one_of_256_kb_is_read() {
    let stack = stack().await;
    let before = dump(&stack).await;
    for (method, path, good) in routes(&stack, 0).await {
        let text = good.to_string();
        let padded = |size: usize| [text.as_bytes(), &vec![b' '; size - text.len()]].concat();
        for size in [262_145, 300_000] {
            let refused = send(&stack, "k", method, &path, padded(size)).await;
            is_problem(&refused, &path);
            assert_eq!((refused.status.as_u16(), refused.code()), (413, "body_too_large"), "{method} {path}");
        }
        let announced = [("content-length", "300000"), ("idempotency-key", "k")];
        let body = Some(text.clone().into_bytes());
        let refused = stack.send_as(&claims(STAFF), method, &path, &announced, body).await;
        assert_eq!(refused.status, 413, "{method} {path}");
    }
    assert_eq!(dump(&stack).await, before);
    for place in 0..routes(&stack, 0).await.len() {
        let (method, path, good) = routes(&stack, place + 1).await.swap_remove(place);
        let text = good.to_string();
        let padded = [text.as_bytes(), &vec![b' '; 262_144 - text.len()]].concat();
        let answer = send(&stack, &format!("k{place}"), method, &path, padded).await;
        assert!(answer.status.is_success(), "{method} {path}: {}", answer.body);
    }
}

#[tokio::test]
async fn a_body_of_another_type_is_a_415() {
    let stack = stack().await;
    let before = dump(&stack).await;
    for (method, path, good) in routes(&stack, 0).await {
        for headers in [
            &[("content-type", "text/plain")][..],
            &[("content-type", "application/x-www-form-urlencoded")],
            &[("content-type", "application/json; charset=utf-16")],
            &[("content-type", "application/json"), ("content-encoding", "gzip")],
            &[("content-type", "application/json"), ("content-type", "text/plain")],
            &[("content-type", "")],
        ] {
            let headers: Vec<(&str, &str)> = headers.iter().copied().chain([("idempotency-key", "k")]).collect();
            let refused =
                stack.send_as(&claims(STAFF), method, &path, &headers, Some(good.to_string().into_bytes())).await;
            is_problem(&refused, &path);
            assert_eq!(
                (refused.status.as_u16(), refused.code()),
                (415, "media_type_unsupported"),
                "{method} {path} {headers:?}"
            );
        }
    }
    assert_eq!(dump(&stack).await, before);
}
