//! Who may call what: every route with every kind of caller. The table is the contract's, not the code's.

use crate::kit::{claims_of, dump, is_problem, own_claims};
use it::stack::{Answered, STAFF, Stack, plain_program};
use serde_json::{Value, json};
use std::collections::HashMap;

const NOW: &str = "2026-11-21T10:00:00Z";

/// Method, path and the scopes each of which opens it; and whether the path's member may call it with a token of their own.
const ROUTES: [(&str, &str, &str, bool); 29] = [
    ("POST", "/v1/members", "members:write", false),
    ("POST", "/v1/members/lookup", "members:read", false),
    ("GET", "/v1/members/{m}", "members:read", true),
    ("PATCH", "/v1/members/{m}", "members:write", false),
    ("DELETE", "/v1/members/{m}", "members:erase", false),
    ("POST", "/v1/members/{m}/deactivate", "members:write", false),
    ("POST", "/v1/members/{m}/reactivate", "members:write", false),
    ("GET", "/v1/members/{m}/account", "members:read", true),
    ("GET", "/v1/members/{m}/ledger", "members:read", true),
    ("GET", "/v1/members/{m}/progress", "members:read", true),
    ("POST", "/v1/members/{m}/level", "points:adjust", false),
    ("GET", "/v1/members/{m}/export", "members:erase", true),
    ("POST", "/v1/purchases", "points:earn", false),
    ("POST", "/v1/purchases/quote", "points:earn", false),
    ("GET", "/v1/purchases/web/A-1", "points:earn", false),
    ("POST", "/v1/purchases/web/A-1/refunds", "points:earn", false),
    ("POST", "/v1/purchases/web/A-1/claim", "points:earn", false),
    ("POST", "/v1/activities", "points:earn", false),
    ("POST", "/v1/adjustments", "points:adjust", false),
    ("GET", "/v1/program", "program:read", false),
    ("GET", "/v1/program/versions/1", "program:read", false),
    ("PUT", "/v1/program", "program:write", false),
    ("POST", "/v1/program/validate", "program:write", false),
    ("GET", "/v1/rewards", "points:redeem members:read program:read", false),
    ("GET", "/v1/members/{m}/rewards", "members:read", true),
    ("GET", "/v1/members/{m}/redemptions", "members:read", true),
    ("POST", "/v1/redemptions/red_00000000000000000000000000/capture", "points:redeem", false),
    ("POST", "/v1/vouchers/lookup", "points:redeem", false),
    ("POST", "/v1/vouchers/redeem", "points:redeem", false),
];

/// Routes that a member may call about what the path does not say is theirs: what a member's own token may do there is told
/// by the tests of redeeming.
const ROUTES_OF_OWN_THINGS: [(&str, &str, &str, bool); 4] = [
    ("POST", "/v1/redemptions", "points:redeem", true),
    ("GET", "/v1/redemptions/red_00000000000000000000000000", "points:redeem members:read", true),
    ("GET", "/v1/redemptions/red_00000000000000000000000000/qr.svg", "points:redeem", true),
    ("POST", "/v1/redemptions/red_00000000000000000000000000/cancel", "points:redeem", true),
];

fn all_routes() -> impl Iterator<Item = (&'static str, &'static str, &'static str, bool)> {
    ROUTES.into_iter().chain(ROUTES_OF_OWN_THINGS)
}

const SCOPES: [&str; 11] = [
    "members:read",
    "members:write",
    "members:erase",
    "points:earn",
    "points:redeem",
    "points:adjust",
    "referrals:read",
    "referrals:review",
    "program:read",
    "program:write",
    "reports:read",
];

const NOBODY: &str = "mbr_00000000000000000000000000";

async fn stack() -> (Stack, String, String) {
    let stack = Stack::with_program(NOW, &plain_program()).await;
    let (ada, bob) = (stack.enrol("ada").await, stack.enrol("bob").await);
    stack.send("POST", "/v1/purchases", Some(&stack.purchase("A-1", &ada, 1_000))).await.expect(201);
    (stack, ada, bob)
}

/// A request that is refused for its content, so that the table stays as it is for whoever is let in.
async fn call(stack: &Stack, claims: &HashMap<String, String>, method: &str, path: &str, member: &str) -> Answered {
    let body = ["POST", "PUT", "PATCH"].contains(&method).then(|| b"[]".to_vec());
    stack.send_as(claims, method, &path.replace("{m}", member), &[("idempotency-key", "k")], body).await
}

/// Whether the answer is one to somebody who was let in.
fn let_in(answer: &Answered) -> bool {
    assert!(!answer.status.is_server_error(), "{}", answer.body);
    ![401, 403].contains(&answer.status.as_u16())
}

/// The answer without what is different in each.
fn anonymous(mut answer: Answered) -> Value {
    answer.body["request_id"] = Value::Null;
    answer.body
}

#[tokio::test]
async fn without_claims_everything_is_a_401() {
    let (stack, ada, _) = stack().await;
    for (method, path, _, _) in all_routes() {
        for claims in [
            HashMap::new(),
            HashMap::from([("scope".to_owned(), STAFF.to_owned())]),
            claims_of("", "main", STAFF),
            claims_of("a\nb", "main", STAFF),
            claims_of(&"x".repeat(129), "main", STAFF),
            claims_of("till", "not an id", STAFF),
            claims_of("till", "", STAFF),
            claims_of("till", "a#b", STAFF),
        ] {
            let answer = call(&stack, &claims, method, path, &ada).await;
            is_problem(&answer, path);
            assert_eq!((answer.status.as_u16(), answer.code()), (401, "unauthorized"), "{method} {path} {claims:?}");
            assert_eq!(answer.headers["www-authenticate"], "Bearer");
        }
    }
}

#[tokio::test]
async fn each_route_opens_for_its_scope_alone() {
    let (stack, ada, _) = stack().await;
    let before = dump(&stack).await;
    for (method, path, needed, _) in all_routes() {
        // Those who are let in would erase or pause the member.
        let changes = method == "DELETE" || path.ends_with("activate");
        for scope in SCOPES {
            let opens = needed.split(' ').any(|needed| needed == scope);
            let member = if changes && opens { NOBODY } else { &ada };
            let answer = call(&stack, &claims_of("till", "main", scope), method, path, member).await;
            assert_eq!(let_in(&answer), opens, "{method} {path} with {scope}: {}", answer.body);
        }
        let others: Vec<&str> =
            SCOPES.into_iter().filter(|scope| needed.split(' ').all(|needed| needed != *scope)).collect();
        let needed = needed.split(' ').next().unwrap();
        let answer = call(&stack, &claims_of("till", "main", &others.join(" ")), method, path, &ada).await;
        is_problem(&answer, path);
        assert_eq!((answer.status.as_u16(), answer.code()), (403, "forbidden"), "{method} {path} with all the others");
        for nothing in
            ["", " ", "admin", "members:*", &needed.to_uppercase(), &format!("{needed}x"), &needed.replace(':', ".")]
        {
            let answer = call(&stack, &claims_of("till", "main", nothing), method, path, &ada).await;
            assert_eq!(answer.status, 403, "{method} {path} with {nothing:?}");
        }
        let prefixed = claims_of("till", "main", &format!("openid loyalty/{needed}"));
        let member = if changes { NOBODY } else { &ada };
        assert!(let_in(&call(&stack, &prefixed, method, path, member).await), "{method} {path}");
    }
    assert_eq!(dump(&stack).await.len(), before.len());
}

#[tokio::test]
async fn a_members_own_token_opens_only_the_members_own_reads_whatever_else_it_carries() {
    let (stack, ada, bob) = stack().await;
    let before = dump(&stack).await;
    for more in ["", STAFF] {
        let by_sub = claims_of("ada", "main", &format!("loyalty/self {more}"));
        for claims in [own_claims(&ada, more), by_sub] {
            for (method, path, _, own) in ROUTES {
                let answer = call(&stack, &claims, method, path, &ada).await;
                assert_eq!(let_in(&answer), own, "{method} {path} of one's own: {}", answer.body);
                if own {
                    answer.expect(200);
                }
                for other in [bob.as_str(), NOBODY, "mbr_1", "%00"] {
                    if path.contains("{m}") {
                        let answer = call(&stack, &claims, method, path, other).await;
                        assert_eq!(answer.status, 403, "{method} {path} of {other}");
                    }
                }
            }
        }
    }
    assert_eq!(dump(&stack).await, before);
}

#[tokio::test]
async fn an_own_token_of_a_member_who_is_not_there_opens_nothing() {
    let (stack, ada, _) = stack().await;
    for (method, path, _, own) in ROUTES {
        // By its member id the token is for that member, who is not there.
        let answer = call(&stack, &own_claims(NOBODY, STAFF), method, path, NOBODY).await;
        let expected = if own { 404 } else { 403 };
        assert_eq!(answer.status.as_u16(), expected, "{method} {path}");
        for sub in ["nobody", "not an external id", &ada, "auth0|5f7c8ec7c33c6c004bbafe82"] {
            let claims = claims_of(sub, "main", &format!("self {STAFF}"));
            for member in [ada.as_str(), NOBODY] {
                let answer = call(&stack, &claims, method, path, member).await;
                assert_eq!(answer.status, 403, "{method} {path} {sub}");
            }
        }
        let mut nonsense = own_claims("mbr_1", STAFF);
        assert_eq!(call(&stack, &nonsense, method, path, &ada).await.status, 401, "{method} {path}");
        nonsense.insert("member_id".to_owned(), String::new());
        assert_eq!(call(&stack, &nonsense, method, path, &ada).await.status, 401, "{method} {path}");
    }
    // In another program the same sub is nobody.
    let elsewhere = claims_of("ada", "club", "self");
    assert_eq!(call(&stack, &elsewhere, "GET", "/v1/members/{m}/account", &ada).await.status, 403);
}

#[tokio::test]
async fn a_403_does_not_tell_whether_the_thing_exists() {
    let (stack, ada, bob) = stack().await;
    let strangers = [
        claims_of("till", "main", "reports:read"),
        own_claims(&bob, STAFF),
        claims_of("bob", "main", "self"),
        claims_of("ghost", "main", "self"),
    ];
    for claims in strangers {
        for (method, path, _, _) in ROUTES {
            let there = anonymous(call(&stack, &claims, method, path, &ada).await);
            assert_eq!(there["status"], 403, "{method} {path}");
            let gone = path.replace("A-1", "A-9").replace("versions/1", "versions/9");
            assert_eq!(anonymous(call(&stack, &claims, method, &gone, NOBODY).await), there, "{method} {path}");
            // Nor does the body matter: it is not looked at.
            let sent = Some(json!({ "external_id": "ada" }).to_string().into_bytes());
            let answer = stack.send_as(&claims, method, &path.replace("{m}", &ada), &[], sent).await;
            assert_eq!(anonymous(answer), there, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn every_answer_has_a_request_id_of_its_own() {
    let (stack, ada, _) = stack().await;
    let mut seen = std::collections::BTreeSet::new();
    for (method, path, needed, _) in all_routes() {
        for scope in [needed, "reports:read"] {
            let member = if method == "DELETE" { NOBODY } else { &ada };
            let answer = call(&stack, &claims_of("till", "main", scope), method, path, member).await;
            let id = answer.headers["x-request-id"].to_str().unwrap().to_owned();
            assert!(seen.insert(id), "{method} {path}");
        }
    }
    for path in ["/", "/v1", "/v1/", "/v2/members", "/v1/members/", "/v1/rewards/x/y"] {
        let answer = stack.send("GET", path, None).await;
        is_problem(&answer, path);
        assert_eq!((answer.status.as_u16(), answer.code()), (404, "not_found"), "{path}");
    }
    let answer = stack.send("DELETE", "/v1/program", None).await;
    is_problem(&answer, "a method that is not answered");
    assert_eq!(answer.status, 405);
    assert!(answer.headers.contains_key("allow"), "which methods are answered");
}
