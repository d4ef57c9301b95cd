use super::*;
use crate::InputError;
use loyalty_domain::json::{Faults, Path};
use serde_json::json;

async fn told(problem: Problem) -> Told {
    let router = router(&Method::GET, move || async move { Err::<Answer, _>(problem) });
    Ask::get("/thing").service().of(&router).await
}

#[tokio::test]
async fn a_problem_tells_everything_in_one_document() {
    let told = told(
        Problem::conflict("insufficient_points")
            .detail("30 points are missing.")
            .fact("required", 50)
            .fact("available", 20)
            .fact("because", vec!["balance"]),
    )
    .await;
    assert_eq!(told.problem(), (409, "insufficient_points"));
    assert_eq!(
        told.json,
        json!({
            "type": "urn:loyalty:problem:insufficient_points", "title": "The present state does not allow this",
            "status": 409, "code": "insufficient_points", "detail": "30 points are missing.", "request_id": "gw-1=",
            "retryable": false, "required": 50, "available": 20, "because": ["balance"],
        })
    );
}

#[tokio::test]
async fn facts_cannot_pass_for_what_every_problem_has() {
    let told = told(Problem::not_found("member_unknown").fact("status", 200).fact("code", "fine")).await;
    assert_eq!(told.problem(), (404, "member_unknown"));
}

#[tokio::test]
async fn what_may_be_tried_again_says_so_and_when() {
    for (problem, status, code) in
        [(Problem::unavailable(2), 503, "unavailable"), (Problem::too_many_requests(2), 429, "too_many_requests")]
    {
        let told = told(problem).await;
        assert_eq!(told.problem(), (status, code));
        assert_eq!((told.header("retry-after"), &told.json["retryable"]), (Some("2"), &json!(true)));
    }
    assert_eq!(told(Problem::not_found("purchase_unknown").retryable()).await.json["retryable"], true);
}

#[tokio::test]
async fn faults_are_400_if_anything_is_malformed_else_422() {
    let mut faults = Faults::default();
    faults.meaningless(&Path::ROOT.name("currency"), "does not exist");
    assert_eq!(told(Problem::from_faults(faults.clone())).await.problem(), (422, "meaningless"));
    faults.malformed(&Path::ROOT.name("lines"), "must be a list");
    let malformed = told(faults.clone().into()).await;
    assert_eq!(malformed.problem(), (400, "malformed"));
    assert_eq!(malformed.pointers(), ["/currency", "/lines"]);
    let unprocessable = told(Problem::unprocessable(faults, "program_invalid")).await;
    assert_eq!(unprocessable.problem(), (422, "program_invalid"));
    assert_eq!(unprocessable.pointers(), ["/currency", "/lines"]);
}

#[tokio::test]
async fn a_mismatch_names_the_places_that_differ() {
    let told = told(Problem::idempotency_mismatch(["/lines/0/quantity".to_owned(), "/store".to_owned()])).await;
    assert_eq!(told.problem(), (422, "idempotency_mismatch"));
    assert_eq!(told.pointers(), ["/lines/0/quantity", "/store"]);
}

#[tokio::test]
async fn what_went_wrong_inside_stays_inside() {
    for problem in [Problem::internal("table loyalty-7 is gone"), Problem::unavailable(1).because("table loyalty-7")] {
        let told = told(problem).await;
        assert!(!told.text.contains("loyalty-7") && told.status.is_server_error());
    }
}

#[tokio::test]
async fn errors_can_be_given_one_by_one() {
    let error = InputError { pointer: "/a".to_owned(), detail: "is odd".to_owned() };
    let told = told(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "odd", "Odd").errors(vec![error])).await;
    assert_eq!(told.json["errors"], json!([{"pointer": "/a", "detail": "is odd"}]));
}
