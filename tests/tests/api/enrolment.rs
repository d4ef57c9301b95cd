//! `POST /v1/members`.

use crate::kit::{dump, is_problem, is_refused_at, names, with};
use it::stack::{Stack, example_program, plain_program};
use serde_json::{Value, json};

const NOW: &str = "2026-11-21T10:00:00Z";

fn ada() -> Value {
    json!({
        "external_id": "crm-1001", "email": "Ada@Example.com", "phone": "+4915112345678", "card_number": "9000000001",
        "given_name": "Ada", "family_name": "Lovelace", "birthday": "1992-02-29", "time_zone": "Europe/Berlin",
        "tags": ["staff"], "consents": { "marketing_email": true },
    })
}

#[tokio::test]
async fn an_enrolment_answers_the_member_with_the_whole_profile_and_the_account() {
    let stack = Stack::with_program(NOW, &plain_program()).await;
    let answer = stack.send("POST", "/v1/members", Some(&ada())).await;
    assert!(!answer.replayed());
    let body = answer.expect(201);
    let member = &body["member"];
    let code = member["referral_code"].as_str().unwrap();
    assert!(code.len() == 8 && !code.contains(['0', 'O', '1', 'I', 'L', 'U']), "{code}");
    assert!(member["member_id"].as_str().unwrap().starts_with("mbr_"));
    assert_eq!(member["member_id"].as_str().unwrap().len(), 30);
    let mut expected = ada();
    expected["email"] = json!("ada@example.com");
    for (name, value) in [
        ("member_id", member["member_id"].clone()),
        ("status", json!("active")),
        ("enrolled_at", json!(NOW)),
        ("referral_code", json!(code)),
        ("badges", json!([])),
    ] {
        expected[name] = value;
    }
    assert_eq!(*member, expected);
    let account = &body["account"];
    assert_eq!((&account["version"], &account["member_id"]), (&json!(1), &member["member_id"]));
    let id = member["member_id"].as_str().unwrap();
    assert_eq!(*account, stack.account(id).await);
    assert_eq!(stack.send("GET", &format!("/v1/members/{id}"), None).await.expect(200)["member"], expected);
}

#[tokio::test]
async fn enrolment_writes_one_entry_of_kind_enrol_with_number_1() {
    let stack = Stack::with_program(NOW, &plain_program()).await;
    let member = stack.enrol("crm-1").await;
    let ledger = stack.ledger(&member).await;
    assert_eq!(ledger.len(), 1);
    assert_eq!((&ledger[0]["seq"], &ledger[0]["kind"], &ledger[0]["points"]), (&json!(1), &json!("enrol"), &json!(0)));
}

#[tokio::test]
async fn welcome_points_are_an_entry_of_their_own_in_the_same_change() {
    let stack = Stack::with_program(NOW, &example_program()).await;
    let enrolled = stack.send("POST", "/v1/members", Some(&ada())).await.expect(201);
    let account = &enrolled["account"];
    assert_eq!((&account["version"], &account["points"]["available"]), (&json!(1), &json!(50)));
    let ledger = stack.ledger(account["member_id"].as_str().unwrap()).await;
    let kinds: Vec<&Value> = ledger.iter().map(|entry| &entry["kind"]).collect();
    assert_eq!(kinds, ["enrol", "bonus"]);
    assert_eq!(ledger[1]["explanation"][0]["rule"], "welcome");
}

#[tokio::test]
async fn the_same_enrolment_again_answers_200_replayed_with_the_same_member_and_the_account_now() {
    let stack = Stack::with_program(NOW, &plain_program()).await;
    let first = stack.send("POST", "/v1/members", Some(&ada())).await.expect(201);
    let member = first["member"]["member_id"].as_str().unwrap();
    stack.send("POST", "/v1/purchases", Some(&stack.purchase("A-1", member, 1_000))).await.expect(201);
    let before = dump(&stack).await;
    // Case of the address, order of the fields and of the tags, and a `null` say nothing else.
    let mut same = ada();
    same["email"] = json!("ADA@example.COM");
    same["referral_code"] = Value::Null;
    let again = stack.send("POST", "/v1/members", Some(&same)).await;
    assert!(again.replayed());
    let again = again.expect(200);
    assert_eq!(again["member"], first["member"]);
    assert_eq!(again["account"]["points"]["available"], 10);
    assert_eq!(dump(&stack).await, before);
}

#[tokio::test]
async fn an_identity_of_somebody_else_is_a_409_that_names_the_kinds() {
    let stack = Stack::with_program(NOW, &plain_program()).await;
    stack.send("POST", "/v1/members", Some(&ada())).await.expect(201);
    stack.send("POST", "/v1/members", Some(&json!({ "card_number": "7" }))).await.expect(201);
    let before = dump(&stack).await;
    for (body, kinds) in [
        (json!({ "phone": "+4915112345678" }), json!(["phone"])),
        (
            json!({ "email": "ada@example.com", "phone": "+4915112345678", "card_number": "1" }),
            json!(["email", "phone"]),
        ),
        (json!({ "external_id": "crm-1001", "card_number": "7" }), json!(["external_id", "card_number"])),
        // The same identities with another body are not the same enrolment.
        (with(&ada(), "/given_name", json!("Eve")), json!(["external_id", "email", "phone", "card_number"])),
        (
            with(&ada(), "/consents/marketing_email", json!(false)),
            json!(["external_id", "email", "phone", "card_number"]),
        ),
    ] {
        let refused = stack.send("POST", "/v1/members", Some(&body)).await;
        is_problem(&refused, &body.to_string());
        assert_eq!((refused.status.as_u16(), refused.code()), (409, "identity_taken"), "{body}");
        assert_eq!(refused.body["kinds"], kinds, "{body}");
        assert!(!refused.body.to_string().contains("ada@"), "nothing personal is repeated");
    }
    assert_eq!(dump(&stack).await, before);
}

#[tokio::test]
async fn identities_are_unique_exactly_after_lower_casing_and_each_kind_for_itself() {
    let stack = Stack::with_program(NOW, &plain_program()).await;
    let enrol = async |body: Value| stack.send("POST", "/v1/members", Some(&body)).await;
    enrol(json!({ "email": "ada@gmail.com" })).await.expect(201);
    assert_eq!(enrol(json!({ "email": "ADA@GMAIL.COM", "given_name": "A" })).await.code(), "identity_taken");
    // Likeness is for referrals; here dots and tags make other people.
    for other in ["a.da@gmail.com", "ada+shop@gmail.com", "ada@googlemail.com"] {
        enrol(json!({ "email": other })).await.expect(201);
    }
    // Ids are compared as they are written, and a card's number is not an external id.
    for other in [json!({ "external_id": "x" }), json!({ "external_id": "X" }), json!({ "card_number": "x" })] {
        enrol(other).await.expect(201);
    }
}

#[tokio::test]
async fn birthdays_may_lack_the_year_and_must_be_days() {
    let stack = Stack::with_program(NOW, &plain_program()).await;
    for (number, good) in ["--02-29", "--12-31", "1992-02-29", "1900-01-01"].into_iter().enumerate() {
        let body = json!({ "external_id": format!("m{number}"), "birthday": good });
        let enrolled = stack.send("POST", "/v1/members", Some(&body)).await.expect(201);
        assert_eq!(enrolled["member"]["birthday"], good);
    }
    for bad in [
        "--02-30",
        "1993-02-29",
        "1899-12-31",
        "92-02-29",
        "--2-29",
        "-02-29",
        "1992-02-29T00",
        "--W01-1",
        "20000229T0",
        "2000-060--",
        "--02-29Z",
        "２０００-02-29",
    ] {
        let body = json!({ "external_id": "bad", "birthday": bad });
        is_refused_at(&stack.send("POST", "/v1/members", Some(&body)).await, &["/birthday"], bad);
    }
}

#[tokio::test]
async fn at_least_one_identity_is_needed_and_everything_else_is_optional() {
    let stack = Stack::with_program(NOW, &plain_program()).await;
    for body in [json!({}), json!({ "given_name": "Ada", "email": null })] {
        is_refused_at(&stack.send("POST", "/v1/members", Some(&body)).await, &[""], &body.to_string());
    }
    for body in [
        json!({ "external_id": "1" }),
        json!({ "email": "a@example.com" }),
        json!({ "phone": "+491511" , "given_name": null}),
        json!({ "card_number": "1" }),
    ] {
        if body["phone"] == "+491511" {
            is_refused_at(&stack.send("POST", "/v1/members", Some(&body)).await, &["/phone"], "six digits");
            continue;
        }
        let member = stack.send("POST", "/v1/members", Some(&body)).await.expect(201)["member"].clone();
        assert_eq!(names(&member).len(), 15, "{member}");
        assert_eq!(
            (&member["tags"], &member["consents"], &member["given_name"]),
            (&json!([]), &json!({}), &Value::Null)
        );
    }
}

#[tokio::test]
async fn every_fault_of_an_enrolment_is_told_at_once_and_nothing_is_written() {
    let stack = Stack::with_program(NOW, &plain_program()).await;
    let before = dump(&stack).await;
    let body = json!({
        "external_id": "a b", "email": "nobody", "phone": "015112345678", "card_number": "", "given_name": "",
        "family_name": 7, "birthday": "soon", "time_zone": "Mars/Base", "tags": ["ok", ""],
        "consents": { "a b": true, "sms": "yes" }, "nickname": "x", "referral_code": "7",
    });
    let mut expected = vec![
        "/external_id",
        "/email",
        "/phone",
        "/card_number",
        "/given_name",
        "/family_name",
        "/birthday",
        "/time_zone",
        "/tags/1",
        "/consents/a b",
        "/consents/sms",
        "/nickname",
        "/referral_code",
    ];
    expected.sort_unstable();
    let refused = stack.send("POST", "/v1/members", Some(&body)).await;
    is_problem(&refused, "all at once");
    let mut pointers = refused.pointers();
    pointers.sort_unstable();
    assert_eq!(pointers, expected);
    assert_eq!(dump(&stack).await, before);
}

#[tokio::test]
async fn an_unknown_referral_code_is_a_422_and_nobody_is_enrolled_unreferred() {
    let stack = Stack::with_program(NOW, &plain_program()).await;
    let body = json!({ "external_id": "friend", "referral_code": "H7K2M9QX" });
    let refused = stack.send("POST", "/v1/members", Some(&body)).await;
    is_refused_at(&refused, &["/referral_code"], "a code that nobody has");
    assert_eq!(refused.status, 422);
    stack.enrol("friend").await;
}

#[tokio::test]
async fn without_a_program_nobody_can_be_enrolled() {
    let stack = Stack::empty(NOW).await;
    let refused = stack.send("POST", "/v1/members", Some(&ada())).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (404, "program_unknown"));
    assert!(dump(&stack).await.is_empty());
}
