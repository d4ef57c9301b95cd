//! Members: enrol, look up, change, pause, leave; account, ledger and progress.

mod change;
mod enrol;
mod erase;
mod level;
mod read;
mod status;

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
    let (read, write) = (Access::scope(Scope::MembersRead), Access::scope(Scope::MembersWrite));
    let erase = Access::scope(Scope::MembersErase);
    Api::new(app, surroundings)
        .post("/v1/members", write, enrol::enrol)
        .post("/v1/members/lookup", read, read::lookup)
        .get("/v1/members/{member_id}", read.or_own(), read::get)
        .patch("/v1/members/{member_id}", write, change::patch)
        .delete("/v1/members/{member_id}", erase, erase::erase)
        .post("/v1/members/{member_id}/deactivate", write, status::deactivate)
        .post("/v1/members/{member_id}/reactivate", write, status::reactivate)
        .get("/v1/members/{member_id}/account", read.or_own(), read::account)
        .get("/v1/members/{member_id}/ledger", read.or_own(), read::ledger)
        .get("/v1/members/{member_id}/progress", read.or_own(), read::progress)
        .post("/v1/members/{member_id}/level", Access::scope(Scope::PointsAdjust), level::lend)
        .get("/v1/members/{member_id}/export", erase.or_own(), read::export)
}
