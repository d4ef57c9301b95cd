//! Who calls, as the gateway's JWT authorizer found out.

use crate::problem::Problem;
use crate::scope::{Scope, Scopes};
use axum::extract::FromRequestParts;
use http::Extensions;
use http::request::Parts;
use lambda_http::request::RequestContext;
use loyalty_domain::draft::SYSTEM;
use loyalty_domain::id::{MemberId, ProgramId};
use std::collections::HashMap;

/// Longer subjects are refused: the actor stands on every entry, and items are bounded.
const MAX_ACTOR_BYTES: usize = 128;

/// The program of tokens that name none.
const DEFAULT_PROGRAM: &str = "main";

/// The caller of a request. Handlers take it as an argument; it is there on every route of an [`Api`](crate::Api),
/// after the route's access was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// The program that the token is for. Nothing crosses programs.
    pub program: ProgramId,
    /// The subject of the token: at most 128 bytes without control characters.
    pub actor: String,
    /// What the token may open.
    pub scopes: Scopes,
    /// The member whom a member's own token is confined to. In a handler always [`Own::Member`].
    pub own: Option<Own>,
}

/// The one member whom a token is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Own {
    /// Named by the token's `member_id`.
    Member(MemberId),
    /// The member whose external id is the token's subject.
    ExternalId(String),
}

impl Principal {
    /// Reads the claims that the gateway, or the local stack in its place, put beside the request.
    ///
    /// # Errors
    /// 401 if there are none, if the subject is missing, too long or not printable, or if `program` or a member's own
    /// `member_id` is not an id.
    pub fn of(extensions: &Extensions) -> Result<Self, Problem> {
        let claims = claims(extensions).ok_or_else(Problem::unauthorized)?;
        let program = program(claims).ok_or_else(Problem::unauthorized)?;
        // What falls due by itself is booked under a name of its own, which no token may bear.
        let actor = claims.get("sub").filter(|sub| is_actor(sub) && *sub != SYSTEM);
        let actor = actor.ok_or_else(Problem::unauthorized)?.clone();
        let scopes = claims.get("scope").map(|claim| Scopes::parse(claim)).unwrap_or_default();
        let own = match (scopes.contains(Scope::Own), claims.get("member_id")) {
            (false, _) => None,
            (true, Some(id)) => Some(Own::Member(id.parse().map_err(|_| Problem::unauthorized())?)),
            (true, None) => Some(Own::ExternalId(actor.clone())),
        };
        Ok(Self { program, actor, scopes, own })
    }

    /// The member whom the token is confined to, if it is confined.
    #[must_use]
    pub fn confined_to(&self) -> Option<MemberId> {
        match self.own {
            Some(Own::Member(member)) => Some(member),
            // Handlers never see it: the route has found out who that is.
            Some(Own::ExternalId(_)) | None => None,
        }
    }

    /// Lets a member's own token through for that member alone; others have shown their scopes. What is not there is
    /// nobody's.
    ///
    /// # Errors
    /// 403, the same whether or not the thing exists.
    pub fn must_be(&self, about: Option<MemberId>) -> Result<(), Problem> {
        if self.own.is_some() && (self.confined_to() != about || about.is_none()) {
            return Err(Problem::forbidden());
        }
        Ok(())
    }
}

impl<S: Sync> FromRequestParts<S> for Principal {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().cloned().ok_or_else(Problem::unauthorized)
    }
}

/// The program that a request is for, as far as its token says; for the log.
pub(crate) fn program_of(extensions: &Extensions) -> Option<ProgramId> {
    program(claims(extensions)?)
}

fn claims(extensions: &Extensions) -> Option<&HashMap<String, String>> {
    match extensions.get::<RequestContext>()? {
        RequestContext::ApiGatewayV2(context) => Some(&context.authorizer.as_ref()?.jwt.as_ref()?.claims),
        // The enum may grow; requests that came another way carry no token that anybody checked.
        _ => None,
    }
}

fn program(claims: &HashMap<String, String>) -> Option<ProgramId> {
    claims.get("program").map_or(DEFAULT_PROGRAM, String::as_str).parse().ok()
}

fn is_actor(sub: &str) -> bool {
    (1..=MAX_ACTOR_BYTES).contains(&sub.len()) && !sub.chars().any(char::is_control)
}
