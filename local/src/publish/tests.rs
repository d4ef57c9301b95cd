use super::*;
use axum::Json;
use axum::extract::{Path as PathValue, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::HeaderMap;
use serde_json::json;
use std::sync::{Arc, Mutex};

/// The versions that were published, the newest of them not in force yet.
type Versions = Arc<Mutex<Vec<Value>>>;

fn version(number: usize, document: &Value) -> Response {
    Json(json!({"version": number, "effective_from": "2026-11-21T10:00:00Z", "document": document})).into_response()
}

async fn in_force(State(versions): State<Versions>) -> Response {
    match versions.lock().unwrap().first() {
        Some(document) => version(1, document),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn one(State(versions): State<Versions>, PathValue(number): PathValue<usize>) -> Response {
    match versions.lock().unwrap().get(number - 1) {
        Some(document) => version(number, document),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn put(State(versions): State<Versions>, headers: HeaderMap, Json(document): Json<Value>) -> Response {
    assert_eq!(headers[AUTHORIZATION], "Bearer t");
    let mut versions = versions.lock().unwrap();
    let guard = headers.get(IF_MATCH).map(|value| value.to_str().unwrap().to_owned());
    assert_eq!(guard, Some(versions.len()).filter(|count| *count > 0).map(|count| format!("\"{count}\"")));
    if document.get("name").is_none() {
        let errors =
            json!([{"pointer": "/name", "detail": "is required"}, {"pointer": "/x", "detail": "is not known"}]);
        return (StatusCode::UNPROCESSABLE_ENTITY, Json(json!({"code": "meaningless", "errors": errors})))
            .into_response();
    }
    versions.push(document);
    let body = json!({"version": versions.len(), "effective_from": "2026-11-21T10:01:00Z"});
    (StatusCode::CREATED, Json(body)).into_response()
}

fn stack() -> (Router, Versions) {
    let versions = Versions::default();
    let router = Router::new()
        .route("/v1/program", get(in_force).put(put))
        .route("/v1/program/versions/{number}", get(one))
        .with_state(Arc::clone(&versions));
    (router, versions)
}

#[tokio::test]
async fn the_example_is_published_once() {
    let (stack, versions) = stack();
    let first = ensure(&stack, "t", None).await.unwrap();
    assert_eq!((first.version, first.name.as_str(), first.new), (1, "Roastery Rewards", true));
    let again = ensure(&stack, "t", None).await.unwrap();
    assert_eq!((again.version, again.name.as_str(), again.new), (1, "Roastery Rewards", false));
    assert_eq!(versions.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_program_of_ones_own_becomes_the_newest_version_once() {
    let (stack, versions) = stack();
    ensure(&stack, "t", None).await.unwrap();
    for _ in 0..2 {
        let own = ensure(&stack, "t", Some(r#"{ "name": "Mine" }"#)).await.unwrap();
        assert_eq!((own.version, own.name.as_str()), (2, "Mine"));
    }
    assert_eq!(versions.lock().unwrap().len(), 2);
    // Without a file, what is there stays.
    assert_eq!(ensure(&stack, "t", None).await.unwrap().version, 2);
}

#[tokio::test]
async fn a_refused_program_is_explained_in_one_line() {
    let (stack, _) = stack();
    let said = ensure(&stack, "t", Some("{}")).await.unwrap_err().to_string();
    assert_eq!(said, "the program is not published: /name is required; /x is not known");
    let said = ensure(&Router::new().route("/v1/program", get(|| async { StatusCode::IM_A_TEAPOT })), "t", None).await;
    assert_eq!(said.unwrap_err().to_string(), "the program is not published: 418 I'm a teapot, no code");
}

#[test]
fn a_broken_file_is_named_with_the_place() {
    let path = std::env::temp_dir().join(format!("loyalty-program-{}.json", std::process::id()));
    fs::write(&path, "{\"a\": 1,\n oops}").unwrap();
    let broken = read_file(&path).unwrap_err().to_string();
    fs::write(&path, "{\"a\": 1, \"a\": 2}").unwrap();
    let doubled = read_file(&path).unwrap_err().to_string();
    fs::write(&path, EXAMPLE).unwrap();
    assert_eq!(read_file(&path).unwrap(), EXAMPLE);
    fs::remove_file(&path).unwrap();
    let gone = read_file(&path).unwrap_err().to_string();
    assert!(broken.ends_with("is broken: not JSON: line 2, column 2"), "{broken}");
    assert!(doubled.ends_with("is broken: /a is given more than once"), "{doubled}");
    assert!(gone.contains("cannot be read"), "{gone}");
}
