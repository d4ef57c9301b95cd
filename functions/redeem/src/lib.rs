//! Redeeming: the catalogue, redemptions from hold to capture, vouchers.

mod catalogue;
mod close;
mod qr;
mod read;
mod redeem;
mod vouchers;

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
    let (redeem, read) = (Access::scope(Scope::PointsRedeem), Access::scope(Scope::MembersRead));
    let either = redeem.or(Scope::MembersRead);
    Api::new(app, surroundings)
        .get("/v1/rewards", either.or(Scope::ProgramRead), catalogue::rewards)
        .get("/v1/members/{member_id}/rewards", read.or_own(), catalogue::rewards_of)
        .get("/v1/members/{member_id}/redemptions", read.or_own(), read::redemptions_of)
        .post("/v1/redemptions", redeem.or_own_in_handler(), redeem::redeem)
        .get("/v1/redemptions/{redemption_id}", either.or_own_in_handler(), read::get)
        .get("/v1/redemptions/{redemption_id}/qr.svg", redeem.or_own_in_handler(), qr::svg)
        .post("/v1/redemptions/{redemption_id}/capture", redeem, close::capture)
        .post("/v1/redemptions/{redemption_id}/cancel", redeem.or_own_in_handler(), close::cancel)
        .post("/v1/vouchers/lookup", redeem, vouchers::lookup)
        .post("/v1/vouchers/redeem", redeem, vouchers::redeem)
}
