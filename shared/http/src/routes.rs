//! Routes, each with who may call it.

use crate::observe::observe;
use crate::path::PathValues;
use crate::principal::{Own, Principal};
use crate::problem::Problem;
use crate::scope::{Scope, Scopes};
use crate::surroundings::Surroundings;
use axum::extract::{Request, State};
use axum::handler::Handler;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::{MethodFilter, on};
use axum::{RequestExt, Router};
use http::{Method, StatusCode};
use loyalty_domain::id::{CallerId, MemberId, ProgramId};
use std::sync::Arc;

/// The name in a path that stands for the member whom a request is about.
const MEMBER: &str = "member_id";

/// Who may call a route. There is no way to make one that lets everybody in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Access {
    scopes: Scopes,
    own: OwnAccess,
}

/// Whether a route opens for a member's own token, and how it is known whom the request is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OwnAccess {
    /// It does not.
    No,
    /// For the member in the path.
    InPath,
    /// For the member whom the body names, or who has what the path names: the handler sees to it.
    InHandler,
}

impl Access {
    /// Those whose token has this scope, and who are not confined to themselves.
    #[must_use]
    pub const fn scope(scope: Scope) -> Self {
        Self { scopes: Scopes::NONE.with(scope), own: OwnAccess::No }
    }

    /// Those whose token has this other scope, too.
    #[must_use]
    pub const fn or(self, scope: Scope) -> Self {
        Self { scopes: self.scopes.with(scope), own: self.own }
    }

    /// A member too, where the path's `{member_id}` is that member. A path without one opens for no member.
    #[must_use]
    pub const fn or_own(self) -> Self {
        Self { scopes: self.scopes, own: OwnAccess::InPath }
    }

    /// A member too, where the request is about that member, which its path does not say. The handler must ask
    /// [`Principal::must_be`] before it tells or does anything.
    #[must_use]
    pub const fn or_own_in_handler(self) -> Self {
        Self { scopes: self.scopes, own: OwnAccess::InHandler }
    }
}

/// Finds the member of a token that names it by external id. Every function's state can, so that no route can forget to.
pub trait ResolveExternalId: Clone + Send + Sync + 'static {
    /// The member of the program with this external id, if there is one.
    fn resolve_external_id(
        &self,
        program: &ProgramId,
        external_id: &CallerId,
    ) -> impl Future<Output = Result<Option<MemberId>, Problem>> + Send;
}

/// A route and who may call it, as declared: what the gateway's template is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteDeclaration {
    /// The HTTP method.
    pub method: Method,
    /// The path, with `{names}`, as the gateway writes it.
    pub path: &'static str,
    /// One of these is needed.
    pub scopes: Scopes,
    /// Whether the member whom it is about may call it too.
    pub own: bool,
}

/// The routes of one function. A route cannot be added without saying who may call it:
///
/// ```compile_fail
/// # use loyalty_http::*;
/// fn open<S: ResolveExternalId>(api: Api<S>) -> Api<S> {
///     api.get("/v1/members", || async { Answer::no_content() })
/// }
/// ```
///
/// ```
/// # use loyalty_http::*;
/// fn closed<S: ResolveExternalId>(api: Api<S>) -> Api<S> {
///     api.get("/v1/members", Access::scope(Scope::MembersRead), || async { Answer::no_content() })
/// }
/// ```
pub struct Api<S> {
    state: S,
    surroundings: Arc<dyn Surroundings>,
    router: Router<S>,
    routes: Vec<RouteDeclaration>,
}

impl<S: ResolveExternalId> Api<S> {
    /// No routes yet.
    #[must_use]
    pub fn new(state: S, surroundings: Arc<dyn Surroundings>) -> Self {
        Self { state, surroundings, router: Router::new(), routes: Vec::new() }
    }

    /// Declares a GET route, which answers HEAD as well.
    ///
    /// # Panics
    /// Here and below, at start-up, if the same route is declared twice or the path is not one.
    #[must_use]
    pub fn get<H: Handler<T, S>, T: 'static>(self, path: &'static str, access: Access, handler: H) -> Self {
        self.declare(Method::GET, MethodFilter::GET, path, access, handler)
    }

    /// Declares a POST route.
    #[must_use]
    pub fn post<H: Handler<T, S>, T: 'static>(self, path: &'static str, access: Access, handler: H) -> Self {
        self.declare(Method::POST, MethodFilter::POST, path, access, handler)
    }

    /// Declares a PUT route.
    #[must_use]
    pub fn put<H: Handler<T, S>, T: 'static>(self, path: &'static str, access: Access, handler: H) -> Self {
        self.declare(Method::PUT, MethodFilter::PUT, path, access, handler)
    }

    /// Declares a PATCH route.
    #[must_use]
    pub fn patch<H: Handler<T, S>, T: 'static>(self, path: &'static str, access: Access, handler: H) -> Self {
        self.declare(Method::PATCH, MethodFilter::PATCH, path, access, handler)
    }

    /// Declares a DELETE route.
    #[must_use]
    pub fn delete<H: Handler<T, S>, T: 'static>(self, path: &'static str, access: Access, handler: H) -> Self {
        self.declare(Method::DELETE, MethodFilter::DELETE, path, access, handler)
    }

    /// What was declared, in that order.
    #[must_use]
    pub fn routes(&self) -> &[RouteDeclaration] {
        &self.routes
    }

    /// The router: every route behind its access, everything else a 404 or 405, all of it observed.
    pub fn into_router(self) -> Router {
        self.router
            .fallback(unknown_path)
            .method_not_allowed_fallback(wrong_method)
            .layer(from_fn_with_state(self.surroundings, observe))
            .with_state(self.state)
    }

    fn declare<H: Handler<T, S>, T: 'static>(
        mut self,
        method: Method,
        filter: MethodFilter,
        path: &'static str,
        access: Access,
        handler: H,
    ) -> Self {
        let guard = Guard { access, state: self.state.clone() };
        let guarded = on(filter, handler).route_layer(from_fn_with_state(guard, enforce));
        self.router = self.router.route(path, guarded);
        self.routes.push(RouteDeclaration { method, path, scopes: access.scopes, own: access.own != OwnAccess::No });
        self
    }
}

impl<S> std::fmt::Debug for Api<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Api").field("routes", &self.routes).finish_non_exhaustive()
    }
}

/// Several functions' routers as one, as the gateway makes them look.
///
/// # Panics
/// At start-up, if two of them have a path in common.
pub fn merge(routers: impl IntoIterator<Item = Router>, surroundings: Arc<dyn Surroundings>) -> Router {
    let nothing = Router::new().fallback(unknown_path).layer(from_fn_with_state(surroundings, observe));
    routers.into_iter().fold(nothing, |all, router| all.merge(router.reset_fallback()))
}

#[derive(Clone)]
struct Guard<S> {
    access: Access,
    state: S,
}

/// Lets a request through to its handler, or not. Runs before anything of the body is read.
async fn enforce<S: ResolveExternalId>(
    State(guard): State<Guard<S>>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let mut principal = Principal::of(request.extensions())?;
    if let Some(own) = &principal.own {
        let about = match guard.access.own {
            OwnAccess::No => return Err(Problem::forbidden()),
            OwnAccess::InPath => Some(member_in_path(&mut request).await.ok_or_else(Problem::forbidden)?),
            OwnAccess::InHandler => None,
        };
        let own = guard.member(&principal.program, own).await?.ok_or_else(Problem::forbidden)?;
        if about.is_some_and(|about| about != own) {
            return Err(Problem::forbidden());
        }
        principal.own = Some(Own::Member(own));
    } else if !principal.scopes.meets(guard.access.scopes) {
        return Err(Problem::forbidden());
    }
    request.extensions_mut().insert(principal);
    Ok(next.run(request).await)
}

impl<S: ResolveExternalId> Guard<S> {
    async fn member(&self, program: &ProgramId, own: &Own) -> Result<Option<MemberId>, Problem> {
        match own {
            Own::Member(id) => Ok(Some(*id)),
            // A subject that cannot be an external id is nobody's.
            Own::ExternalId(sub) => match sub.parse() {
                Ok(external_id) => self.state.resolve_external_id(program, &external_id).await,
                Err(_) => Ok(None),
            },
        }
    }
}

async fn member_in_path(request: &mut Request) -> Option<MemberId> {
    request.extract_parts::<PathValues>().await.ok()?.id(MEMBER, "member_unknown").ok()
}

async fn unknown_path() -> Problem {
    Problem::not_found("not_found")
}

async fn wrong_method() -> Problem {
    let title = "This path does not answer that method";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", title)
}
