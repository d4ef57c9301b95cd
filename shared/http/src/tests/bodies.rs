use super::*;
use crate::{JsonBody, MAX_BODY_BYTES, OptionalBody};
use loyalty_domain::json::{Json, Object, Path, Read, integer_within};

fn points() -> impl Read<i64> {
    |json: &Json, at: &Path<'_>, faults: &mut loyalty_domain::json::Faults| {
        let mut object = Object::new(json, at, faults)?;
        let points = object.required("points", faults, integer_within(1, 9));
        object.finish(faults);
        points
    }
}

fn taking(method: &Method) -> Router {
    router(method, |body: JsonBody| async move { body.read(points()).map(|points| Answer::ok(points).replayed(false)) })
}

fn post() -> Ask {
    Ask::new(Method::POST, "/thing").service()
}

#[tokio::test]
async fn a_body_is_read_strictly_and_all_faults_come_at_once() {
    let router = taking(&Method::POST);
    let told = post().json().with(r#"{"points":3}"#, &router).await;
    assert_eq!((told.status.as_u16(), told.text.as_str()), (200, "3"));

    let told = post().json().with(r#"{"points":"x","a/b":1}"#, &router).await;
    assert_eq!(told.problem(), (400, "malformed"));
    assert_eq!(told.pointers(), ["/points", "/a~1b"]);

    let told = post().json().with(r#"{"points":3,"points":3}"#, &router).await;
    assert_eq!(told.problem(), (400, "malformed"));
    assert_eq!(told.pointers(), ["/points"]);

    let told = post().json().with(r#"{"points":30}"#, &router).await;
    assert_eq!(told.problem(), (422, "meaningless"));
    assert_eq!(told.pointers(), ["/points"]);

    let told = post().json().with(r#"{"points":30,"x":1}"#, &router).await;
    assert_eq!(told.problem(), (400, "malformed"), "one malformed fault makes the whole malformed");

    for broken in ["{", "\u{feff}{}", "{\"points\":3}x", " ", "nul"] {
        assert_eq!(post().json().with(broken, &router).await.problem(), (400, "malformed"), "{broken:?}");
    }
    assert_eq!(post().json().with(vec![b'"', 0xff, b'"'], &router).await.problem(), (400, "malformed"));
    assert_eq!(post().json().with("[".repeat(100_000), &router).await.problem(), (400, "malformed"));
}

#[tokio::test]
async fn a_body_must_be_there_unless_it_may_be_left_out() {
    let told = post().json().of(&taking(&Method::POST)).await;
    assert_eq!(told.problem(), (400, "malformed"));
    assert_eq!(told.pointers(), [""]);
    assert_eq!(post().of(&taking(&Method::POST)).await.problem(), (400, "malformed"));

    let empty = |json: &Json, at: &Path<'_>, faults: &mut loyalty_domain::json::Faults| {
        Object::new(json, at, faults).map(|object| object.finish(faults))
    };
    let router = router(&Method::POST, move |body: OptionalBody| async move { body.read(empty).map(Answer::ok) });
    assert_eq!(post().of(&router).await.status, 200);
    assert_eq!(post().json().with("{}", &router).await.status, 200);
    assert_eq!(post().json().with("[]", &router).await.problem(), (400, "malformed"));
    assert_eq!(post().json().with(r#"{"x":1}"#, &router).await.pointers(), ["/x"]);
    assert_eq!(post().with("{}", &router).await.problem(), (415, "media_type_unsupported"));
}

#[tokio::test]
async fn only_json_in_utf8_is_understood_and_merge_patches_where_one_patches() {
    let good = [
        "application/json",
        "Application/JSON;charset=UTF-8",
        "application/json; charset=\"utf-8\"",
        "application/json;v=1",
    ];
    let bad =
        ["text/plain", "application/jsonp", "application/json; charset=latin1", "application/problem+json", "", "json"];
    let merge = "application/merge-patch+json";
    for method in [Method::POST, Method::PATCH] {
        let router = taking(&method);
        let send = |kind: &str| {
            let ask = Ask::new(method.clone(), "/thing").service().header("content-type", kind);
            ask.with(r#"{"points":3}"#, &router)
        };
        for kind in good {
            assert_eq!(send(kind).await.status, 200, "{kind}");
        }
        for kind in bad {
            assert_eq!(send(kind).await.problem(), (415, "media_type_unsupported"), "{kind}");
        }
        assert_eq!(send(merge).await.status, if method == Method::PATCH { 200 } else { 415 });
    }
    let router = taking(&Method::POST);
    let body = r#"{"points":3}"#;
    assert_eq!(post().with(body, &router).await.problem(), (415, "media_type_unsupported"));
    assert_eq!(post().json().json().with(body, &router).await.problem(), (415, "media_type_unsupported"));
    let packed = post().json().header("content-encoding", "gzip").with(body, &router).await;
    assert_eq!(packed.problem(), (415, "media_type_unsupported"));
}

#[tokio::test]
async fn a_body_over_256_kb_is_refused_by_its_announcement_and_by_counting() {
    let router = taking(&Method::POST);
    let padded = |bytes: usize| format!("{}{}", " ".repeat(bytes - 12), r#"{"points":3}"#);
    assert_eq!(post().json().with(padded(MAX_BODY_BYTES), &router).await.status, 200);
    let counted = post().json().with(padded(MAX_BODY_BYTES + 1), &router).await;
    assert_eq!(counted.problem(), (413, "body_too_large"));
    assert_eq!(counted.json["limit_bytes"], 262_144);
    let announced = post().json().header("content-length", "262145").with("{}", &router).await;
    assert_eq!(announced.problem(), (413, "body_too_large"));
    let understated = post().json().header("content-length", "2").with(padded(MAX_BODY_BYTES + 1), &router).await;
    assert_eq!(understated.problem(), (413, "body_too_large"));
}
