//! Tokens of the local stack, issued and checked here as a user pool and the API's JWT authorizer would.
//!
//! They live by real time: a stack whose clock stands in another year still accepts the token in somebody's terminal.

use crate::clock::World;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::fmt;

/// How long a token lives.
pub const LIFETIME_HOURS: i64 = 24;

/// Issuer and audience of every token: nobody else's tokens pass here, and these pass nowhere else.
const LOCAL: &str = "loyalty-local";

/// What a till or an app's backend needs.
pub const SERVICE_SCOPE: &str = "members:read members:write points:earn points:redeem referrals:read program:read";

/// Everything but `self`, which would confine the token to one member.
pub const OPERATOR_SCOPE: &str = "members:read members:write members:erase points:earn points:redeem points:adjust \
     referrals:read referrals:review program:read program:write reports:read";

/// What a token is to say about its bearer. Like a user pool, the stack signs what it is told, sense or nonsense:
/// whether a program or a member can be meant is for the functions to judge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Scopes, separated by spaces.
    pub scope: String,
    /// The loyalty program.
    pub program: String,
    /// The actor.
    pub sub: String,
    /// The member whose own token this is.
    pub member_id: Option<String>,
}

impl Grant {
    /// A grant for program `main`.
    #[must_use]
    pub fn new(sub: &str, scope: &str) -> Self {
        Self { scope: scope.to_owned(), program: "main".to_owned(), sub: sub.to_owned(), member_id: None }
    }

    /// The till's or the backend's.
    #[must_use]
    pub fn service() -> Self {
        Self::new("service", SERVICE_SCOPE)
    }

    /// The shop's own people's.
    #[must_use]
    pub fn operator() -> Self {
        Self::new("operator", OPERATOR_SCOPE)
    }
}

/// A token that is not accepted. Why is nobody's business but the log's.
#[derive(Debug, thiserror::Error)]
pub enum BadToken {
    /// Not a token of this stack: broken, tampered with, signed otherwise, for somebody else.
    #[error("{0}")]
    Foreign(#[from] jsonwebtoken::errors::Error),
    /// Its time is over, has not come, or cannot be read.
    #[error("not valid at this time")]
    Untimely,
}

/// Issues and checks tokens with one key.
pub struct Tokens {
    signing: EncodingKey,
    checking: DecodingKey,
    validation: Validation,
    world: World,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tokens")
    }
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: &'a str,
    scope: &'a str,
    program: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    member_id: Option<&'a str>,
    iat: i64,
    nbf: i64,
    exp: i64,
}

impl Tokens {
    /// Tokens signed with this secret, by the real time of this world.
    #[must_use]
    pub fn new(secret: &[u8; 32], world: World) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        validation.set_issuer(&[LOCAL]);
        validation.set_audience(&[LOCAL]);
        // The library would read the machine's clock; time is judged here, by the time that is passed in.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        Self {
            signing: EncodingKey::from_secret(secret),
            checking: DecodingKey::from_secret(secret),
            validation,
            world,
        }
    }

    /// A token that lives [`LIFETIME_HOURS`] from now, in real time.
    ///
    /// # Errors
    /// The token cannot be signed; no grant makes that happen.
    pub fn issue(&self, grant: &Grant) -> Result<String, jsonwebtoken::errors::Error> {
        let now = self.seconds();
        let claims = Claims {
            iss: LOCAL,
            aud: LOCAL,
            sub: &grant.sub,
            scope: &grant.scope,
            program: &grant.program,
            member_id: grant.member_id.as_deref(),
            iat: now,
            nbf: now,
            exp: now.saturating_add(LIFETIME_HOURS * 3600),
        };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.signing)
    }

    /// The claims of a good token, each as the text in which API Gateway hands it to a function.
    ///
    /// # Errors
    /// The token is not accepted.
    pub fn check(&self, token: &str) -> Result<HashMap<String, String>, BadToken> {
        let claims = jsonwebtoken::decode::<Map<String, Value>>(token, &self.checking, &self.validation)?.claims;
        let now = self.seconds();
        let seconds = |name: &str| claims.get(name).map(|value| value.as_i64().ok_or(BadToken::Untimely)).transpose();
        let expired = seconds("exp")?.is_none_or(|exp| exp <= now);
        let premature = seconds("nbf")?.is_some_and(|nbf| nbf > now);
        if expired || premature {
            return Err(BadToken::Untimely);
        }
        Ok(claims.into_iter().filter_map(|(name, value)| Some((name, claim_text(value)?))).collect())
    }

    fn seconds(&self) -> i64 {
        (self.world.now)().as_second()
    }
}

/// Claims reach a function as text, lists in brackets with their elements separated by spaces.
fn claim_text(value: Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text),
        Value::Array(items) => {
            let items: Vec<String> = items.into_iter().filter_map(claim_text).collect();
            Some(format!("[{}]", items.join(" ")))
        }
        other @ (Value::Bool(_) | Value::Number(_) | Value::Object(_)) => Some(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::tests::world;
    use serde_json::json;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};

    const SECRET: [u8; 32] = [7; 32];

    fn tokens(now: i64) -> (Tokens, Arc<AtomicI64>) {
        let real = Arc::new(AtomicI64::new(now));
        (Tokens::new(&SECRET, world(&real)), real)
    }

    fn signed(algorithm: Algorithm, claims: &Value) -> String {
        jsonwebtoken::encode(&Header::new(algorithm), claims, &EncodingKey::from_secret(&SECRET)).unwrap()
    }

    fn good() -> Value {
        json!({"iss": LOCAL, "aud": LOCAL, "sub": "pos-12", "scope": "points:earn", "exp": 2_000})
    }

    #[test]
    fn a_token_says_what_was_granted() {
        let (tokens, _) = tokens(1_000);
        let mut grant = Grant::new("app", "self");
        grant.program = "club".to_owned();
        grant.member_id = Some("mbr_1".to_owned());
        let claims = tokens.check(&tokens.issue(&grant).unwrap()).unwrap();
        for (name, value) in [
            ("scope", "self"),
            ("program", "club"),
            ("sub", "app"),
            ("member_id", "mbr_1"),
            ("aud", LOCAL),
            ("iss", LOCAL),
            ("iat", "1000"),
            ("exp", "87400"),
        ] {
            assert_eq!(claims[name], value, "{name}");
        }
        assert!(!tokens.check(&tokens.issue(&Grant::service()).unwrap()).unwrap().contains_key("member_id"));
    }

    #[test]
    fn a_token_changed_in_any_place_is_refused() {
        let (tokens, _) = tokens(1_000);
        let token = tokens.issue(&Grant::service()).unwrap();
        for at in 0..token.len() {
            let mut bytes = token.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            assert!(tokens.check(&changed).is_err(), "character {at}");
        }
        let other = Tokens::new(&[8; 32], tokens.world.clone());
        assert!(other.check(&token).is_err());
    }

    #[test]
    fn a_token_is_good_from_nbf_until_exp_and_not_a_second_longer() {
        let (tokens, real) = tokens(1_000);
        let token = tokens.issue(&Grant::service()).unwrap();
        for (now, accepted) in [(999, false), (1_000, true), (1_000 + 86_399, true), (1_000 + 86_400, false)] {
            real.store(now, Ordering::SeqCst);
            assert_eq!(tokens.check(&token).is_ok(), accepted, "at {now}");
        }
    }

    #[test]
    fn a_token_of_or_for_somebody_else_is_refused() {
        let (tokens, _) = tokens(1_000);
        assert!(tokens.check(&signed(Algorithm::HS256, &good())).is_ok());
        for (name, value) in [
            ("aud", json!("another")),
            ("aud", Value::Null),
            ("iss", json!("another")),
            ("iss", Value::Null),
            ("exp", Value::Null),
            ("exp", json!("2000")),
            ("nbf", json!("soon")),
            ("nbf", json!(1_001)),
        ] {
            let mut claims = good();
            claims[name] = value.clone();
            assert!(tokens.check(&signed(Algorithm::HS256, &claims)).is_err(), "{name}: {value}");
        }
    }

    #[test]
    fn the_algorithm_is_ours_to_choose_not_the_tokens() {
        let (tokens, _) = tokens(1_000);
        assert!(tokens.check(&signed(Algorithm::HS512, &good())).is_err());
        let fine = signed(Algorithm::HS256, &good());
        let mut parts = fine.split('.').skip(1);
        let (claims, signature) = (parts.next().unwrap(), parts.next().unwrap());
        // {"alg":"none","typ":"JWT"} and {"alg":"None"}
        for header in ["eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0", "eyJhbGciOiJOb25lIn0"] {
            assert!(tokens.check(&format!("{header}.{claims}.")).is_err());
            assert!(tokens.check(&format!("{header}.{claims}.{signature}")).is_err());
        }
        for nonsense in ["", ".", "..", "a.b.c", "ä", "Bearer"] {
            assert!(tokens.check(nonsense).is_err(), "{nonsense}");
        }
    }

    #[test]
    fn claims_are_handed_over_as_the_gateway_writes_them() {
        let (tokens, _) = tokens(1_000);
        let mut claims = good();
        claims["groups"] = json!(["a", 1]);
        claims["admin"] = json!(true);
        let claims = tokens.check(&signed(Algorithm::HS256, &claims)).unwrap();
        assert_eq!((claims["groups"].as_str(), claims["admin"].as_str()), ("[a 1]", "true"));
    }
}
