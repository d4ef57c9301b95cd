//! Lists: query parameters, pages, and cursors that cannot be made up.

use crate::problem::Problem;
use axum::extract::FromRequestParts;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::digest::KeyInit;
use hmac::{Hmac, Mac};
use http::StatusCode;
use http::request::Parts;
use sha2::{Digest, Sha256};

const DEFAULT_LIMIT: u32 = 50;
const MAX_LIMIT: u32 = 100;
/// Bytes of the signature that a cursor carries: too many to guess, few enough for an address.
const TAG_BYTES: usize = 16;
/// Longer cursors than this are none of ours.
const MAX_CURSOR_CHARACTERS: usize = 2_048;

/// The query parameters of a request, each at most once.
#[derive(Debug, Clone)]
pub struct Query(Vec<(String, String)>);

/// Which part of a list is wanted. As an extractor it is for lists that know no other parameter; lists with a filter
/// take [`Query`] and ask it for the [page](Query::page).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// How many elements at most, 1 to 100.
    pub limit: u32,
    /// Where to go on, as given by the page before.
    pub cursor: Option<String>,
}

impl Query {
    /// Refuses every parameter but these.
    ///
    /// # Errors
    /// 400 for the first other one.
    pub fn only(self, allowed: &[&str]) -> Result<Self, Problem> {
        match self.0.iter().find(|(name, _)| !allowed.contains(&name.as_str())) {
            Some((name, _)) => Err(refused(name, "is not a known parameter")),
            None => Ok(self),
        }
    }

    /// The value of a parameter.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The page that is asked for, `limit` and `cursor`, on a list that allows these other parameters besides.
    ///
    /// # Errors
    /// 400 for a limit that is not 1 to 100 and for every parameter that is not allowed.
    pub fn page(&self, others: &[&str]) -> Result<Page, Problem> {
        let allowed: Vec<&str> = ["limit", "cursor"].iter().chain(others).copied().collect();
        let query = self.clone().only(&allowed)?;
        let limit = query.get("limit").map_or(Ok(DEFAULT_LIMIT), |text| {
            let limit = text.parse().ok().filter(|limit: &u32| limit.to_string() == text);
            limit.filter(|limit| (1..=MAX_LIMIT).contains(limit)).ok_or_else(|| refused("limit", "must be 1 to 100"))
        })?;
        Ok(Page { limit, cursor: query.get("cursor").map(str::to_owned) })
    }
}

impl<S: Sync> FromRequestParts<S> for Query {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let pairs = axum::extract::Query::<Vec<(String, String)>>::try_from_uri(&parts.uri);
        let pairs = pairs.map_err(|_| malformed("The query cannot be read."))?.0;
        let mut names: Vec<&str> = pairs.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        let doubled = names.iter().zip(names.iter().skip(1)).find(|(one, two)| one == two);
        match doubled {
            Some((name, _)) => Err(refused(name, "is given more than once")),
            None => Ok(Self(pairs)),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Page {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        Query::from_request_parts(parts, state).await?.page(&[])
    }
}

/// Makes and opens cursors. A cursor is its position and a keyed hash over that and everything that the list was bound
/// to, so that it opens nowhere else and cannot be altered; it is readable, so a position must not be personal.
#[derive(Clone)]
pub struct Cursors(Hmac<Sha256>);

impl Cursors {
    /// Cursors of this secret, which every copy of the function must share. It is hashed with a purpose first, so that
    /// one secret may serve others too.
    #[must_use]
    pub fn new(secret: &[u8]) -> Self {
        let mut key = hmac::digest::Key::<Hmac<Sha256>>::default();
        let hash = Sha256::new().chain_update(b"loyalty cursor\0").chain_update(secret).finalize();
        for (to, from) in key.iter_mut().zip(hash) {
            *to = from;
        }
        Self(<Hmac<Sha256> as KeyInit>::new(&key))
    }

    /// A cursor for this position in the list that is bound to these words: program, route, member, filter.
    #[must_use]
    pub fn seal(&self, binding: &[&str], position: &str) -> String {
        let tag = self.over(binding, position.as_bytes()).finalize().into_bytes();
        let sealed: Vec<u8> = tag.into_iter().take(TAG_BYTES).chain(position.bytes()).collect();
        URL_SAFE_NO_PAD.encode(sealed)
    }

    /// The position of a cursor of the list that is bound to these words. The signature is compared in constant time.
    ///
    /// # Errors
    /// 400 `cursor_invalid` if it was altered, made up, or belongs to another list.
    pub fn open(&self, binding: &[&str], cursor: &str) -> Result<String, Problem> {
        self.opened(binding, cursor).ok_or_else(|| {
            Problem::new(StatusCode::BAD_REQUEST, "cursor_invalid", "The cursor is not one of this list")
        })
    }

    fn opened(&self, binding: &[&str], cursor: &str) -> Option<String> {
        if cursor.len() > MAX_CURSOR_CHARACTERS {
            return None;
        }
        let sealed = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let (tag, position) = sealed.split_at_checked(TAG_BYTES)?;
        self.over(binding, position).verify_truncated_left(tag).ok()?;
        String::from_utf8(position.to_vec()).ok()
    }

    /// Everything goes in with its length before it, so that no two different lists of words look the same.
    fn over(&self, binding: &[&str], position: &[u8]) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        mac.update(&(binding.len() as u64).to_be_bytes());
        for word in binding.iter().map(|word| word.as_bytes()).chain([position]) {
            mac.update(&(word.len() as u64).to_be_bytes());
            mac.update(word);
        }
        mac
    }
}

impl std::fmt::Debug for Cursors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Cursors(secret)")
    }
}

fn refused(name: &str, why: &str) -> Problem {
    let name: String = name.chars().take(64).collect();
    malformed(&format!("The query parameter {why}.")).fact("parameter", name)
}

fn malformed(detail: &str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "malformed", "The request is malformed").detail(detail)
}
