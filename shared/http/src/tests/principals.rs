use super::*;
use crate::{Own, Principal, Scopes};
use http::Extensions;

fn of(claims: &[(&str, &str)]) -> Result<Principal, u16> {
    let claims = claims.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let mut extensions = Extensions::new();
    extensions.insert(gateway_context(None, Some(claims)));
    Principal::of(&extensions).map_err(|problem| problem.status().as_u16())
}

#[test]
fn scopes_are_read_without_resource_server_and_unknown_ones_are_ignored() {
    let scopes =
        Scopes::parse("openid loyalty/points:earn  https://api.example/x/members:read points:fly POINTS:ADJUST");
    assert_eq!(scopes.iter().collect::<Vec<_>>(), [Scope::MembersRead, Scope::PointsEarn]);
    assert_eq!(Scopes::parse("points:earn/loyalty"), Scopes::NONE);
    let all: Vec<&str> = Scope::ALL.iter().map(|scope| scope.as_str()).collect();
    assert!(Scopes::parse(&all.join(" ")).iter().eq(Scope::ALL));
}

#[test]
fn the_program_is_main_unless_the_token_names_one() {
    assert_eq!(of(&[("sub", "a")]).unwrap().program.as_str(), "main");
    assert_eq!(of(&[("sub", "a"), ("program", "cafe")]).unwrap().program.as_str(), "cafe");
}

#[test]
fn tokens_that_name_nobody_or_no_program_are_401() {
    let nobody = Extensions::new();
    assert_eq!(Principal::of(&nobody).unwrap_err().status(), 401);
    let mut unchecked = Extensions::new();
    unchecked.insert(gateway_context(None, None));
    assert_eq!(Principal::of(&unchecked).unwrap_err().status(), 401);

    let (fits, long) = ("x".repeat(128), "x".repeat(129));
    assert!(of(&[("sub", &fits)]).is_ok());
    for sub in ["", "a\nb", "a\u{85}b", "\0", &long] {
        assert_eq!(of(&[("sub", sub)]), Err(401), "{sub:?}");
    }
    assert_eq!(of(&[("scope", "points:earn")]), Err(401));
    for program in ["", "..", "a b", "a#b"] {
        assert_eq!(of(&[("sub", "a"), ("program", program)]), Err(401), "{program:?}");
    }
}

#[test]
fn only_a_token_with_self_is_confined() {
    let ada = ADA.to_string();
    assert_eq!(of(&[("sub", "pos"), ("scope", "points:earn"), ("member_id", &ada)]).unwrap().own, None);
    assert_eq!(of(&[("sub", "app"), ("scope", "self"), ("member_id", &ada)]).unwrap().own, Some(Own::Member(ADA)));
    assert_eq!(of(&[("sub", "crm-1"), ("scope", "x/self")]).unwrap().own, Some(Own::ExternalId("crm-1".to_owned())));
    assert_eq!(of(&[("sub", "app"), ("scope", "self"), ("member_id", "mbr_1")]), Err(401));
}
