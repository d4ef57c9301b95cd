//! The code of a voucher as a picture that tills read.

use crate::read::{UNKNOWN, visible};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use loyalty_http::{App, PathValues, Principal, Problem};
use qrcodegen::{QrCode, QrCodeEcc};
use std::fmt::Write as _;

/// Light modules around the code, as the standard wants.
const QUIET: i32 = 4;

/// `GET /v1/redemptions/{redemption_id}/qr.svg`: the voucher's code as a QR code.
pub(crate) async fn svg(State(app): State<App>, principal: Principal, path: PathValues) -> Result<Response, Problem> {
    let call = app.call(&principal);
    let of = visible(&app, &call, &principal, &path).await?;
    let voucher = of.voucher.as_ref().ok_or_else(|| Problem::not_found(UNKNOWN))?;
    let code = app.engine.table().secrets().code(of.id, voucher.key).to_string();
    let qr = QrCode::encode_text(&code, QrCodeEcc::Medium).map_err(Problem::internal)?;
    // The picture is as good as the voucher: nobody between is to keep it.
    let headers = [(CONTENT_TYPE, "image/svg+xml"), (CACHE_CONTROL, "no-store")];
    Ok((headers, drawn(&qr)).into_response())
}

/// One path of unit squares, so that it scales without a blur.
fn drawn(qr: &QrCode) -> String {
    let size = qr.size();
    let mut path = String::new();
    for (x, y) in (0..size).flat_map(|y| (0..size).map(move |x| (x, y))).filter(|(x, y)| qr.get_module(*x, *y)) {
        // Writing to a string cannot fail.
        let _written = write!(path, "M{},{}h1v1h-1z", x + QUIET, y + QUIET);
    }
    let side = size + 2 * QUIET;
    format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" shape-rendering="crispEdges"><path fill="#fff" d="M0,0h{side}v{side}h-{side}z"/><path fill="#000" d="{path}"/></svg>"##
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dark_module_is_one_square_within_the_quiet_zone() {
        let qr = QrCode::encode_text("7KQ2-M9XD-4TRA-W3HE-S", QrCodeEcc::Medium).unwrap();
        let dark = (0..qr.size()).flat_map(|y| (0..qr.size()).map(move |x| (x, y)));
        let dark = dark.filter(|(x, y)| qr.get_module(*x, *y)).count();
        let svg = drawn(&qr);
        assert_eq!(svg.matches("h1v1h-1z").count(), dark);
        assert!(svg.contains(&format!("viewBox=\"0 0 {0} {0}\"", qr.size() + 8)));
    }
}
