//! Programs: read, check and publish versions.

mod publish;
mod read;

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
    let (read, write) = (Access::scope(Scope::ProgramRead), Access::scope(Scope::ProgramWrite));
    Api::new(app, surroundings)
        .get("/v1/program", read, read::in_force)
        .get("/v1/program/versions/{number}", read, read::version)
        .put("/v1/program", write, publish::publish)
        .post("/v1/program/validate", write, publish::validate)
}
