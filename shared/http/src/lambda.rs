//! The way in from API Gateway.

use crate::observe::log_panics;
use axum::Router;
use lambda_http::aws_lambda_events::apigw::{
    ApiGatewayRequestAuthorizer, ApiGatewayRequestAuthorizerJwtDescription, ApiGatewayV2httpRequestContext,
};
use lambda_http::request::RequestContext;
use std::collections::HashMap;

/// Answers API Gateway's requests with a router until the function is shut down. What `main.rs` calls last.
///
/// The API must use the `$default` stage: any other would stand before every path.
///
/// # Errors
/// Whatever keeps the Lambda runtime from going on.
pub async fn serve(router: Router) -> Result<(), lambda_http::Error> {
    log_panics();
    lambda_http::run(router).await
}

/// What an HTTP API with a JWT authorizer hands to a function beside the request: its id, and the claims of a token that
/// was checked. The local stack, which checks tokens itself, puts this into a request's extensions in the gateway's
/// place; without claims nobody is known to call.
#[must_use]
pub fn gateway_context(request_id: Option<String>, claims: Option<HashMap<String, String>>) -> RequestContext {
    let mut context = ApiGatewayV2httpRequestContext::default();
    context.request_id = request_id;
    context.authorizer = claims.map(|claims| {
        let mut jwt = ApiGatewayRequestAuthorizerJwtDescription::default();
        jwt.claims = claims;
        let mut authorizer = ApiGatewayRequestAuthorizer::default();
        authorizer.jwt = Some(jwt);
        authorizer
    });
    RequestContext::ApiGatewayV2(context)
}
