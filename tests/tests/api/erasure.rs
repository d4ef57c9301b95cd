//! `DELETE /v1/members/{member_id}`: the person goes, the books stay.

use crate::kit::{books_balance, bytes, dump, holds, is_problem, own_claims};
use it::stack::{Stack, example_program};
use serde_json::{Value, json};

const NOW: &str = "2026-11-21T10:00:00Z";

/// Everything about this person that must not be found afterwards. The zone is one that the program does not name.
const TRACES: [&str; 13] = [
    "crm-77001",
    "grace.hopper",
    "example.org",
    "4917612345",
    "9000077001",
    "Brewster",
    "Hopperina",
    "1906-12-09",
    "--12-09",
    "Pacific/Auckland",
    "navy-veteran",
    "consent-to-post",
    "telephoned",
];

fn grace() -> Value {
    json!({
        "external_id": "crm-77001", "email": "Grace.Hopper@example.org", "phone": "+4917612345678", "card_number": "9000077001",
        "given_name": "Brewster", "family_name": "Hopperina", "birthday": "1906-12-09", "time_zone": "Pacific/Auckland",
        "tags": ["navy-veteran"], "consents": { "consent-to-post": true },
    })
}

/// A stack on which the person did everything that leaves a trace.
async fn lived() -> (Stack, String, Value) {
    let stack = Stack::with_program(NOW, &example_program()).await;
    let enrolled = stack.send("POST", "/v1/members", Some(&grace())).await.expect(201);
    let member = enrolled["member"]["member_id"].as_str().unwrap().to_owned();
    for (order, reference) in [
        ("A-1", json!({ "phone": "+4917612345678" })),
        ("A-2", json!({ "email": "grace.hopper@example.org" })),
        ("A-3", json!({ "card_number": "9000077001" })),
        ("A-4", json!({ "external_id": "crm-77001" })),
    ] {
        let mut purchase = stack.purchase(order, &member, 6_000);
        purchase["member"] = reference;
        stack.send("POST", "/v1/purchases", Some(&purchase)).await.expect(201);
    }
    let adjust = json!({ "member": { "email": "grace.hopper@example.org" }, "points": 5, "reason": "goodwill",
                         "note": "telephoned about her Cobol" });
    for key in ["k1", "k2"] {
        stack.send_keyed(key, "POST", "/v1/adjustments", &adjust).await.expect(201);
    }
    let path = format!("/v1/members/{member}");
    let patch = json!({ "birthday": "--12-09", "phone": "+4917612345679" });
    stack.send("PATCH", &path, Some(&patch)).await.expect(200);
    let own = own_claims(&member, "");
    stack.send_as(&own, "GET", &format!("{path}/account"), &[], None).await.expect(200);
    for number in 0..2 {
        let unknown = json!({ "email": format!("grace.hopper.{number}@example.org") });
        assert_eq!(stack.send("POST", "/v1/members/lookup", Some(&unknown)).await.status, 404);
    }
    (stack, member, enrolled)
}

#[tokio::test]
async fn no_byte_of_the_person_is_left_in_the_table() {
    let (stack, member, enrolled) = lived().await;
    let code = enrolled["member"]["referral_code"].as_str().unwrap();
    let before = bytes(&stack).await;
    for trace in ["Brewster", "navy-veteran", "Pacific/Auckland", "telephoned", "4917612345679", code] {
        assert!(holds(&before, trace), "the search finds what is there: {trace}");
    }
    let answer = stack.send("DELETE", &format!("/v1/members/{member}"), None).await;
    assert_eq!((answer.status.as_u16(), &answer.body), (204, &Value::Null));
    let after = bytes(&stack).await;
    for trace in TRACES.into_iter().chain([code]) {
        assert!(!holds(&after, trace), "{trace}");
    }
    let left = dump(&stack).await;
    for kind in ["PROFILE", "#I#", "#C#", "N#"] {
        assert!(!left.keys().any(|key| key.contains(kind)), "{kind}");
    }
    books_balance(&stack, &member).await;
}

#[tokio::test]
async fn points_left_are_forfeited_by_an_entry() {
    let (stack, member, _) = lived().await;
    let before = stack.account(&member).await;
    stack.send("DELETE", &format!("/v1/members/{member}"), None).await.expect(204);
    let (program, id) = ("main".parse().unwrap(), member.parse().unwrap());
    let last = stack.engine.entries(&program, id, 1_000, 1).await.unwrap().remove(0);
    assert_eq!((last.kind.word(), last.kind.contra().word()), ("forfeit", "forfeited"));
    assert_eq!(json!(-last.points), before["points"]["available"]);
    let account = stack.engine.account(&program, id).await.unwrap().unwrap();
    assert_eq!(account.lots.iter().count(), 0);
    assert!(account.tags.is_empty() && account.zone.is_none());
}

#[tokio::test]
async fn reads_and_changes_answer_404_and_erasing_again_204() {
    let (stack, member, _) = lived().await;
    let path = format!("/v1/members/{member}");
    stack.send("DELETE", &path, None).await.expect(204);
    let before = dump(&stack).await;
    stack.send("DELETE", &path, None).await.expect(204);
    let adjust = json!({ "member": { "member_id": member }, "points": 5, "reason": "goodwill" });
    for (method, path, body) in [
        ("GET", path.clone(), None),
        ("GET", format!("{path}/account"), None),
        ("GET", format!("{path}/ledger"), None),
        ("GET", format!("{path}/export"), None),
        ("PATCH", path.clone(), Some(json!({ "given_name": "X" }))),
        ("POST", format!("{path}/deactivate"), None),
        ("POST", format!("{path}/reactivate"), None),
        ("POST", "/v1/members/lookup".to_owned(), Some(json!({ "card_number": "9000077001" }))),
        ("POST", "/v1/members/lookup".to_owned(), Some(json!({ "member_id": member }))),
        ("POST", "/v1/purchases".to_owned(), Some(stack.purchase("B-1", &member, 100))),
        ("POST", "/v1/purchases/quote".to_owned(), Some(stack.purchase("B-1", &member, 100))),
        ("POST", "/v1/adjustments".to_owned(), Some(adjust)),
    ] {
        let key: &[(&str, &str)] = &[("idempotency-key", "k9")];
        let body = body.map(|body| body.to_string().into_bytes());
        let claims = it::stack::claims(it::stack::STAFF);
        let answer = stack.send_as(&claims, method, &path, key, body).await;
        is_problem(&answer, &path);
        assert_eq!((answer.status.as_u16(), answer.code()), (404, "member_unknown"), "{method} {path}");
    }
    let own = stack.send_as(&own_claims(&member, ""), "GET", &format!("{path}/account"), &[], None).await;
    assert_eq!(own.status, 404);
    let counted = |dump: std::collections::BTreeMap<String, String>| {
        dump.into_iter().filter(|(key, _)| !key.contains("#G#")).collect::<Vec<_>>()
    };
    assert_eq!(counted(dump(&stack).await), counted(before));
}

#[tokio::test]
async fn refunds_of_old_purchases_still_answer_201_and_the_books_balance() {
    let (stack, member, _) = lived().await;
    stack.send("DELETE", &format!("/v1/members/{member}"), None).await.expect(204);
    let refund = json!({ "refund_id": "R-1", "occurred_at": NOW, "lines": [{ "line_id": "1", "quantity": 1 }] });
    let first = stack.send("POST", "/v1/purchases/web/A-1/refunds", Some(&refund)).await.expect(201);
    // 60.00 of coffee on a Saturday, and 100 for more than 50.00.
    assert_eq!(first["refund"]["points_clawed_back"], 220);
    assert_eq!(first["account"]["points"]["debt"], 220);
    let again = stack.send("POST", "/v1/purchases/web/A-1/refunds", Some(&refund)).await;
    assert!(again.replayed());
    assert_eq!(again.expect(201)["refund"], first["refund"]);
    stack.send("GET", "/v1/purchases/web/A-1", None).await.expect(200);
    books_balance(&stack, &member).await;
    let after = bytes(&stack).await;
    assert!(TRACES.iter().all(|trace| !holds(&after, trace)));
}

#[tokio::test]
async fn every_identity_is_free_for_a_new_member_who_owes_nothing_to_the_old_one() {
    let (stack, old, _) = lived().await;
    stack.send("DELETE", &format!("/v1/members/{old}"), None).await.expect(204);
    let answer = stack.send("POST", "/v1/members", Some(&grace())).await;
    assert!(!answer.replayed(), "a new member, not the old enrolment once more");
    let enrolled = answer.expect(201);
    let new = enrolled["member"]["member_id"].as_str().unwrap();
    assert_ne!(new, old);
    assert_eq!(enrolled["account"]["points"]["available"], 50);
    assert_eq!(stack.ledger(new).await.len(), 2);
}

#[tokio::test]
async fn a_deactivated_member_can_be_erased_too() {
    let (stack, member, _) = lived().await;
    stack.send("POST", &format!("/v1/members/{member}/deactivate"), None).await.expect(200);
    stack.send("DELETE", &format!("/v1/members/{member}"), None).await.expect(204);
    stack.send("GET", &format!("/v1/members/{member}"), None).await.expect(404);
    books_balance(&stack, &member).await;
}
