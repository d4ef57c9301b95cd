use super::*;
use crate::{Own, Principal, RouteDeclaration, Scopes, merge};

/// A sample of routes of every kind; all answer 204 to whoever gets through.
fn sample() -> Api<Members> {
    api()
        .get("/v1/members/{member_id}", Access::scope(Scope::MembersRead).or_own(), nothing)
        .patch("/v1/members/{member_id}", Access::scope(Scope::MembersWrite), nothing)
        .delete("/v1/members/{member_id}", Access::scope(Scope::MembersErase), nothing)
        .get("/v1/members/{member_id}/export", Access::scope(Scope::MembersErase).or_own(), nothing)
        .post("/v1/purchases", Access::scope(Scope::PointsEarn), nothing)
        .get("/v1/purchases/{channel}/{order_id}", Access::scope(Scope::PointsEarn).or(Scope::MembersRead), nothing)
        .put("/v1/program", Access::scope(Scope::ProgramWrite), nothing)
        .get("/v1/rewards", Access::scope(Scope::ProgramRead).or_own(), nothing)
}

/// A caller: the claims of the token, and the member whom it is confined to.
struct Caller {
    claims: Option<Vec<(&'static str, String)>>,
    scopes: Vec<Scope>,
    confined: Option<Option<MemberId>>,
}

fn callers() -> Vec<Caller> {
    let all = || Scope::ALL.into_iter().filter(|scope| *scope != Scope::Own).collect::<Vec<_>>();
    let service = |scopes: Vec<Scope>| {
        let claim = scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(" ");
        let claims = vec![("sub", "pos-12".to_owned()), ("scope", claim), ("member_id", ADA.to_string())];
        Caller { claims: Some(claims), scopes, confined: None }
    };
    let own = |sub: &str, member: Option<MemberId>, scopes: Vec<Scope>, is: Option<MemberId>, program: &str| {
        let words: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).chain(["self"]).collect();
        let mut claims = vec![("sub", sub.to_owned()), ("scope", words.join(" ")), ("program", program.to_owned())];
        claims.extend(member.map(|member| ("member_id", member.to_string())));
        Caller { claims: Some(claims), scopes, confined: Some(is) }
    };
    let mut callers = vec![
        Caller { claims: None, scopes: vec![], confined: None },
        service(vec![]),
        service(all()),
        own("sub", Some(ADA), vec![], Some(ADA), "main"),
        own("sub", Some(BEN), vec![], Some(BEN), "main"),
        own("sub", Some(ADA), all(), Some(ADA), "main"),
        own("crm-1", None, vec![], Some(ADA), "main"),
        own("crm-1", None, all(), Some(ADA), "main"),
        own("crm-1", None, all(), None, "other"),
        own("crm-2", None, all(), None, "main"),
        own("auth0|1", None, all(), None, "main"),
    ];
    callers.extend(all().into_iter().map(|scope| service(vec![scope])));
    callers
}

/// The rule in its plainest words.
fn expected(route: &RouteDeclaration, path: &str, caller: &Caller) -> u16 {
    let allowed = match (&caller.claims, &caller.confined) {
        (None, _) => return 401,
        (Some(_), Some(None)) => false,
        (Some(_), Some(Some(member))) => route.own && path.contains(&member.to_string()),
        (Some(_), None) => caller.scopes.iter().any(|scope| route.scopes.iter().any(|needed| needed == *scope)),
    };
    if allowed { 204 } else { 403 }
}

#[tokio::test]
async fn every_route_opens_for_those_it_was_declared_for_and_for_nobody_else() {
    let routes = sample().routes().to_vec();
    let router = sample().into_router();
    let mut cases = 0;
    for route in &routes {
        for member in [ADA.to_string(), BEN.to_string(), MemberId::new(Ulid(3)).to_string(), "no-id".to_owned()] {
            let path =
                route.path.replace("{member_id}", &member).replace("{channel}", "web").replace("{order_id}", "1");
            for caller in callers() {
                let mut ask = Ask::new(route.method.clone(), &path);
                if let Some(claims) = &caller.claims {
                    let claims: Vec<(&str, &str)> =
                        claims.iter().map(|(name, value)| (*name, value.as_str())).collect();
                    ask = ask.claims(&claims);
                }
                let told = ask.of(&router).await;
                let what = format!("{} {path} by {:?}", route.method, caller.claims);
                assert_eq!(told.status.as_u16(), expected(route, &path, &caller), "{what}");
                if told.status == StatusCode::FORBIDDEN {
                    assert_eq!(told.problem(), (403, "forbidden"), "{what}");
                }
                cases += 1;
            }
        }
    }
    assert_eq!(cases, 8 * 4 * 22);
}

#[tokio::test]
async fn a_refusal_is_the_same_whether_or_not_the_thing_exists() {
    let router = sample().into_router();
    let ask = |member: MemberId| {
        Ask::get(&format!("/v1/members/{member}")).claims(&[("sub", "crm-1"), ("scope", "self")]).of(&router)
    };
    let (there, not_there) = (ask(BEN).await, ask(MemberId::new(Ulid(3))).await);
    assert_eq!(there.problem(), (403, "forbidden"));
    assert_eq!(there.text, not_there.text);
}

#[tokio::test]
async fn access_is_checked_before_the_body_is_looked_at() {
    let router = api()
        .post("/thing", Access::scope(Scope::MembersWrite), |_: crate::JsonBody| async { Answer::no_content() })
        .into_router();
    let told = Ask::new(Method::POST, "/thing").service().with("not JSON", &router).await;
    assert_eq!(told.problem(), (403, "forbidden"));
    let told = Ask::new(Method::POST, "/thing").with("not JSON", &router).await;
    assert_eq!(told.problem(), (401, "unauthorized"));
    assert_eq!(told.header("www-authenticate"), Some("Bearer"));
}

#[tokio::test]
async fn a_handler_sees_a_confined_caller_by_member_id() {
    let handler = |principal: Principal| async move {
        let Some(Own::Member(id)) = principal.own else { panic!("{principal:?}") };
        Answer::ok(serde_json::json!({"id": id.to_string(), "actor": principal.actor}))
    };
    let router = api().get("/m/{member_id}", Access::scope(Scope::MembersRead).or_own(), handler).into_router();
    let told = Ask::get(&format!("/m/{ADA}")).claims(&[("sub", "crm-1"), ("scope", "self")]).of(&router).await;
    assert_eq!(told.json, serde_json::json!({"id": ADA.to_string(), "actor": "crm-1"}));
}

#[tokio::test]
async fn a_store_that_cannot_resolve_a_member_is_a_503_and_lets_nobody_in() {
    let told = Ask::get(&format!("/v1/members/{ADA}"))
        .claims(&[("sub", "crm-down"), ("scope", "self")])
        .of(&sample().into_router())
        .await;
    assert_eq!(told.problem(), (503, "unavailable"));
}

#[tokio::test]
async fn unknown_paths_are_404_and_wrong_methods_405_with_what_is_allowed() {
    let router = sample().into_router();
    for path in ["/", "/v1/nothing", "/v1/purchases/", "/v1//purchases"] {
        assert_eq!(Ask::get(path).of(&router).await.problem(), (404, "not_found"), "{path}");
    }
    let told = Ask::get("/v1/purchases").service().of(&router).await;
    assert_eq!(told.problem(), (405, "method_not_allowed"));
    assert_eq!(told.header("allow"), Some("POST"));
    let told = Ask::new(Method::POST, &format!("/v1/members/{ADA}")).of(&router).await;
    assert_eq!(told.problem(), (405, "method_not_allowed"));
    let allowed: std::collections::BTreeSet<&str> = told.header("allow").unwrap().split(',').collect();
    assert_eq!(allowed, ["DELETE", "GET", "HEAD", "PATCH"].into());
}

#[tokio::test]
async fn head_is_guarded_like_get_and_has_no_body() {
    let path = format!("/v1/members/{ADA}");
    let told = Ask::new(Method::HEAD, &path).of(&sample().into_router()).await;
    assert_eq!((told.status.as_u16(), told.text.as_str()), (401, ""));
}

#[tokio::test]
async fn merged_functions_look_like_one() {
    let one = api().get("/one", Access::scope(Scope::PointsEarn), nothing).into_router();
    let two = api().post("/two", Access::scope(Scope::PointsEarn), nothing).into_router();
    let both = merge([one, two], surroundings());
    assert_eq!(Ask::get("/one").service().of(&both).await.status, 204);
    assert_eq!(Ask::new(Method::POST, "/two").service().of(&both).await.status, 204);
    assert_eq!(Ask::new(Method::POST, "/two").of(&both).await.problem(), (401, "unauthorized"));
    assert_eq!(Ask::get("/two").of(&both).await.problem(), (405, "method_not_allowed"));
    assert_eq!(Ask::get("/three").of(&both).await.problem(), (404, "not_found"));
}

#[test]
fn what_was_declared_can_be_read_back() {
    let api = sample();
    let first = api.routes().first().unwrap();
    assert_eq!((first.method.as_str(), first.path, first.own), ("GET", "/v1/members/{member_id}", true));
    assert_eq!(first.scopes, Scopes::NONE.with(Scope::MembersRead));
    assert_eq!(api.routes().len(), 8);
}
