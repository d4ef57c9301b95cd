//! Paths and queries that nobody's client should send.

use crate::kit::{dump, is_problem};
use it::stack::{STAFF, Stack, claims};
use serde_json::json;

/// The routes with a name in their path, `{}` where it stands.
const ROUTES: [(&str, &str); 14] = [
    ("GET", "/v1/members/{}"),
    ("PATCH", "/v1/members/{}"),
    ("DELETE", "/v1/members/{}"),
    ("POST", "/v1/members/{}/deactivate"),
    ("POST", "/v1/members/{}/reactivate"),
    ("GET", "/v1/members/{}/account"),
    ("GET", "/v1/members/{}/ledger"),
    ("GET", "/v1/members/{}/export"),
    ("GET", "/v1/purchases/{}/A-1"),
    ("GET", "/v1/purchases/web/{}"),
    ("POST", "/v1/purchases/{}/A-1/refunds"),
    ("POST", "/v1/purchases/web/{}/refunds"),
    ("GET", "/v1/program/versions/{}"),
    ("GET", "/v1/{}"),
];

async fn send(stack: &Stack, method: &str, path: &str) -> it::stack::Answered {
    let refund = json!({ "refund_id": "R", "occurred_at": stack.now(), "lines": [{ "line_id": "1", "quantity": 1 }] });
    let body = match method {
        "POST" if path.ends_with("/refunds") => Some(refund.to_string().into_bytes()),
        "PATCH" => Some(b"{}".to_vec()),
        _ => None,
    };
    stack.send_as(&claims(STAFF), method, path, &[], body).await
}

#[tokio::test]
async fn odd_ids_in_paths_name_nothing() {
    let stack = crate::bad_bodies::stack().await;
    let before = dump(&stack).await;
    let long = ["x".repeat(65), "x".repeat(60_000), "%C3%A4".repeat(5_000)];
    let odd = [
        "%00",
        "a%00b",
        "%2F",
        "..%2F..%2Fetc",
        "%2e%2e",
        "%2e",
        "%FF",
        "%C3%28",
        "%F0%9F%98%80",
        "%ED%A0%80",
        "%",
        "%zz",
        "%E2%80%8B",
        "%20",
        "+",
        "a%20b",
        "a%23b",
        "*",
        "~",
        "{member_id}",
        "%7Bmember_id%7D",
        "null",
        "-1",
        "web%00",
        "A-1%20",
        "%0A",
        "a;b=c",
        &long[0],
        &long[1],
        &long[2],
    ];
    for (method, route) in ROUTES {
        for id in odd {
            let path = route.replace("{}", id);
            if path.parse::<http::Uri>().is_err() {
                continue;
            }
            let answer = send(&stack, method, &path).await;
            let context = format!("{method} {}", &path[..path.len().min(80)]);
            is_problem(&answer, &context);
            assert!([400, 404].contains(&answer.status.as_u16()), "{context}: {}", answer.body);
        }
    }
    assert_eq!(dump(&stack).await, before);
}

#[tokio::test]
async fn an_id_may_be_written_with_escapes() {
    let stack = crate::bad_bodies::stack().await;
    let plain = stack.send("GET", "/v1/purchases/web/A-1", None).await.expect(200);
    for path in ["/v1/purchases/%77eb/A-1", "/v1/purchases/web/A%2D1", "/v1/purchases/w%65b/%41-1?x=%FF&&=;"] {
        assert_eq!(stack.send("GET", path, None).await.expect(200), plain, "{path}");
    }
}

#[tokio::test]
async fn paths_beside_the_routes_are_a_404_and_other_methods_a_405() {
    let stack = crate::bad_bodies::stack().await;
    for path in [
        "//v1/members",
        "/V1/members",
        "/v1/members//account",
        "/v1/purchases/web/A-1/",
        "/v1/program/versions",
        "/v1/../v1/program",
    ] {
        let answer = send(&stack, "GET", path).await;
        is_problem(&answer, path);
        assert_eq!(answer.status, 404, "{path}");
    }
    for (method, path) in [
        ("GET", "/v1/members"),
        ("PUT", "/v1/purchases"),
        ("OPTIONS", "/v1/program"),
        ("TRACE", "/v1/program"),
        ("BREW", "/v1/program"),
    ] {
        let answer = send(&stack, method, path).await;
        is_problem(&answer, path);
        assert_eq!((answer.status.as_u16(), answer.code()), (405, "method_not_allowed"), "{method} {path}");
    }
    let head = send(&stack, "HEAD", "/v1/program").await;
    assert_eq!((head.status.as_u16(), &head.body), (200, &serde_json::Value::Null));
}
