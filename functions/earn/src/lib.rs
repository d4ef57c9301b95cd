//! Earning: purchases, quotes, refunds, claims, activities and adjustments.

mod activities;
mod adjustments;
mod claims;
mod purchases;
mod refunds;

use axum::Router;
use loyalty_http::{Access, Api, App, RouteDeclaration, Scope};
use std::sync::Arc;

/// The function's routes on an app.
pub fn router(app: App) -> Router {
    api(app).into_router()
}

/// The routes with who may call them, as declared.
#[must_use]
pub fn routes(app: App) -> Vec<RouteDeclaration> {
    api(app).routes().to_vec()
}

fn api(app: App) -> Api<App> {
    let surroundings = Arc::clone(&app.surroundings);
    let earn = Access::scope(Scope::PointsEarn);
    Api::new(app, surroundings)
        .post("/v1/purchases", earn, purchases::record)
        .post("/v1/purchases/quote", earn, purchases::quote)
        .get("/v1/purchases/{channel}/{order_id}", earn, purchases::get)
        .post("/v1/purchases/{channel}/{order_id}/refunds", earn, refunds::refund)
        .post("/v1/purchases/{channel}/{order_id}/claim", earn, claims::claim)
        .post("/v1/activities", earn, activities::record)
        .post("/v1/adjustments", Access::scope(Scope::PointsAdjust), adjustments::adjust)
}
