//! What API Gateway does in the cloud: checks the token, tells the functions who is calling, keeps what is too large out.

use crate::auth::Tokens;
use crate::clock::LocalSurroundings;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use http::header::{AUTHORIZATION, HOST, USER_AGENT, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{HeaderName, HeaderValue, StatusCode};
use lambda_http::aws_lambda_events::apigw::{
    ApiGatewayRequestAuthorizer, ApiGatewayRequestAuthorizerJwtDescription, ApiGatewayV2httpRequestContext,
};
use lambda_http::request::RequestContext;
use loyalty_http::RequestId;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

/// The largest body that a gateway lets through, in bytes. The functions' own limit is lower.
const LARGEST_BODY: usize = 10 * 1024 * 1024;

/// The header by which an answer can be found in the log, as HTTP APIs name it.
const APIGW_REQUEST_ID: HeaderName = HeaderName::from_static("apigw-requestid");

/// The functions, behind a gateway.
pub(crate) fn before(functions: Router, tokens: Arc<Tokens>, surroundings: Arc<LocalSurroundings>) -> Router {
    functions.layer(middleware::from_fn_with_state(Arc::new(Gateway { tokens, surroundings }), pass))
}

/// Gives every request an id, and every answer the id by which it can be found in the log.
pub(crate) fn number(stack: Router, surroundings: Arc<LocalSurroundings>) -> Router {
    stack.layer(middleware::from_fn_with_state(surroundings, give_id))
}

struct Gateway {
    tokens: Arc<Tokens>,
    surroundings: Arc<LocalSurroundings>,
}

async fn give_id(State(surroundings): State<Arc<LocalSurroundings>>, mut request: Request, next: Next) -> Response {
    let id = surroundings.ulid().to_string();
    request.extensions_mut().insert(RequestId(id.clone()));
    let mut response = next.run(request).await;
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(APIGW_REQUEST_ID, value);
    }
    response
}

async fn pass(State(gateway): State<Arc<Gateway>>, request: Request, next: Next) -> Response {
    let request_id = request.extensions().get::<RequestId>().map(|id| id.0.clone());
    let request = match gateway.admit(request).await {
        Ok(request) => request,
        // The functions write a line about every request that reaches them; this is the one about all others.
        Err(refusal) => {
            tracing::info!(status = refusal.status().as_u16(), request_id, "refused by the gateway");
            return refusal;
        }
    };
    // As on Lambda: what has begun is finished when its caller has gone, and a panic is answered, not dropped.
    match tokio::spawn(next.run(request)).await {
        Ok(response) => response,
        Err(_) => own_answer(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error"),
    }
}

impl Gateway {
    /// The request as a function gets it: its body complete, its caller named.
    async fn admit(&self, request: Request) -> Result<Request, Response> {
        let (mut parts, body) = request.into_parts();
        // Read to its end before anything is refused, so that a client that is still sending sees the answer.
        let bytes = to_bytes(body, LARGEST_BODY)
            .await
            .map_err(|_| own_answer(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large"))?;
        let claims =
            if needs_token(parts.uri.path()) { Some(self.claims(&parts).ok_or_else(unauthorized)?) } else { None };
        let context = self.context(&parts, claims);
        parts.extensions.insert(RequestContext::ApiGatewayV2(context));
        Ok(Request::from_parts(parts, Body::from(bytes)))
    }

    fn claims(&self, parts: &Parts) -> Option<HashMap<String, String>> {
        let checked = self.tokens.check(bearer(parts)?);
        checked.inspect_err(|reason| tracing::debug!(%reason, "token refused")).ok()
    }

    fn context(&self, parts: &Parts, claims: Option<HashMap<String, String>>) -> ApiGatewayV2httpRequestContext {
        let header = |name| parts.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let mut context = ApiGatewayV2httpRequestContext::default();
        context.route_key = Some("$default".to_owned());
        context.stage = Some("$default".to_owned());
        context.apiid = Some("local".to_owned());
        context.request_id = parts.extensions.get::<RequestId>().map(|id| id.0.clone());
        context.domain_name = header(HOST);
        context.time_epoch = self.surroundings.now().as_millisecond();
        context.http.method = parts.method.clone();
        context.http.path = Some(parts.uri.path().to_owned());
        context.http.protocol = Some(format!("{:?}", parts.version));
        context.http.source_ip =
            Some(peer.map_or_else(|| "127.0.0.1".to_owned(), |ConnectInfo(address)| address.ip().to_string()));
        context.http.user_agent = header(USER_AGENT);
        context.authorizer = claims.map(|claims| {
            let mut jwt = ApiGatewayRequestAuthorizerJwtDescription::default();
            jwt.scopes = claims.get("scope").map(|scope| scope.split_ascii_whitespace().map(str::to_owned).collect());
            jwt.claims = claims;
            let mut authorizer = ApiGatewayRequestAuthorizer::default();
            authorizer.jwt = Some(jwt);
            authorizer
        });
        context
    }
}

/// The whole contract lives under `/v1`; what lies beside it (a description of the API, say) is public.
fn needs_token(path: &str) -> bool {
    path == "/v1" || path.starts_with("/v1/")
}

fn bearer(parts: &Parts) -> Option<&str> {
    let mut given = parts.headers.get_all(AUTHORIZATION).iter();
    let (only, None) = (given.next()?, given.next()) else { return None };
    let (scheme, token) = only.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

fn unauthorized() -> Response {
    let mut answer = own_answer(StatusCode::UNAUTHORIZED, "Unauthorized");
    answer.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    answer
}

/// An answer of the gateway itself, in the form that HTTP APIs give it.
fn own_answer(status: StatusCode, message: &str) -> Response {
    (status, axum::Json(serde_json::json!({ "message": message }))).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::Grant;
    use crate::clock::tests::world;
    use axum::routing::{any, post};
    use serde_json::{Value, json};
    use std::sync::atomic::AtomicI64;
    use tower::ServiceExt;

    /// A function that answers with the context it was given.
    async fn mirror(request: Request) -> Response {
        let context = request.extensions().get::<RequestContext>().unwrap();
        axum::Json(serde_json::to_value(context).unwrap()).into_response()
    }

    async fn length(body: bytes::Bytes) -> String {
        body.len().to_string()
    }

    async fn broken() -> String {
        panic!("a fault in a function")
    }

    fn stack() -> (Router, Arc<Tokens>) {
        let world = world(&Arc::new(AtomicI64::new(1_000)));
        let tokens = Arc::new(Tokens::new(&[7; 32], world.clone()));
        let surroundings = Arc::new(LocalSurroundings::new(world));
        let functions = Router::new()
            .route("/v1/mirror", any(mirror))
            .route("/v1/length", post(length))
            .route("/v1/broken", any(broken))
            .route("/openapi.json", any(mirror));
        (number(before(functions, Arc::clone(&tokens), Arc::clone(&surroundings)), surroundings), tokens)
    }

    async fn ask(path: &str, authorization: &[&str], body: Vec<u8>) -> (Response, Value) {
        let (stack, _) = stack();
        let mut request = Request::post(path).header(HOST, "localhost:3000");
        for value in authorization {
            request = request.header(AUTHORIZATION, *value);
        }
        let (parts, body) = stack.oneshot(request.body(Body::from(body)).unwrap()).await.unwrap().into_parts();
        let bytes = to_bytes(body, LARGEST_BODY).await.unwrap();
        (Response::from_parts(parts, Body::empty()), serde_json::from_slice(&bytes).unwrap_or_default())
    }

    fn bearer_of(grant: &Grant) -> String {
        format!("Bearer {}", stack().1.issue(grant).unwrap())
    }

    #[tokio::test]
    async fn the_functions_are_told_who_calls_as_the_gateway_tells_them() {
        let mut grant = Grant::new("pos-12", "loyalty/points:earn members:read");
        grant.program = "club".to_owned();
        let (response, context) = ask("/v1/mirror?limit=1", &[&bearer_of(&grant)], vec![]).await;
        assert_eq!(response.status(), StatusCode::OK);
        let jwt = &context["authorizer"]["jwt"];
        assert_eq!(jwt["claims"]["sub"], "pos-12");
        assert_eq!(jwt["claims"]["program"], "club");
        assert_eq!(jwt["claims"]["exp"], "87400");
        assert_eq!(jwt["scopes"], json!(["loyalty/points:earn", "members:read"]));
        assert_eq!(context["http"]["method"], "POST");
        assert_eq!(context["http"]["path"], "/v1/mirror");
        assert_eq!(context["http"]["sourceIp"], "127.0.0.1");
        assert_eq!(context["requestId"], response.headers()[APIGW_REQUEST_ID].to_str().unwrap());
    }

    #[tokio::test]
    async fn without_a_good_token_the_gateway_answers_itself() {
        let good = bearer_of(&Grant::service());
        let basic = good.replace("Bearer", "Basic");
        for given in [&[][..], &["Bearer"], &["Bearer x.y.z"], &[&basic], &[&good, &good]] {
            for path in ["/v1/mirror", "/v1/unknown", "/v1"] {
                let (response, body) = ask(path, given, vec![]).await;
                assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{path} {given:?}");
                assert_eq!(response.headers()[WWW_AUTHENTICATE], "Bearer");
                assert_eq!(body, json!({"message": "Unauthorized"}));
            }
        }
        assert_eq!(ask("/v1/mirror", &[&good.replace("Bearer", "bearer")], vec![]).await.0.status(), StatusCode::OK);
    }

    #[tokio::test]
    async fn what_lies_beside_v1_is_public() {
        let (response, context) = ask("/openapi.json", &[], vec![]).await;
        assert_eq!((response.status(), &context["authorizer"]), (StatusCode::OK, &Value::Null));
    }

    #[tokio::test]
    async fn bodies_pass_whole_up_to_the_gateways_limit() {
        let good = bearer_of(&Grant::service());
        let (_, length) = ask("/v1/length", &[&good], vec![b' '; 300_000]).await;
        assert_eq!(length, 300_000);
        let (response, body) = ask("/v1/length", &[&good], vec![b' '; LARGEST_BODY + 1]).await;
        assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(body, json!({"message": "Request Entity Too Large"}));
    }

    #[tokio::test]
    async fn a_panic_is_answered_with_500() {
        let (response, body) = ask("/v1/broken", &[&bearer_of(&Grant::service())], vec![]).await;
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(body, json!({"message": "Internal Server Error"}));
    }
}
