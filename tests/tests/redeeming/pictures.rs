//! The QR code of a voucher, read as a scanner reads it.

use crate::kit::{Desk, code, id, mug, own, refused, with};
use rqrr::PreparedImage;
use serde_json::json;

/// Pixels of a module's side.
const SCALE: usize = 4;

/// What a scanner reads in the picture.
fn scanned(svg: &str) -> String {
    let side: usize = svg.split("viewBox=\"0 0 ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    let mut dark = vec![vec![false; side]; side];
    let path = svg.split("fill=\"#000\" d=\"").nth(1).unwrap().split('"').next().unwrap();
    for square in path.split_terminator("h1v1h-1z") {
        let (x, y) = square.strip_prefix('M').unwrap().split_once(',').unwrap();
        dark[y.parse::<usize>().unwrap()][x.parse::<usize>().unwrap()] = true;
    }
    let shade = |x: usize, y: usize| if dark[y / SCALE][x / SCALE] { 0 } else { 255 };
    let mut image = PreparedImage::prepare_from_greyscale(side * SCALE, side * SCALE, shade);
    let [grid] = &image.detect_grids()[..] else { panic!("not one code: {svg}") };
    grid.decode().unwrap().1
}

#[tokio::test]
async fn the_picture_holds_the_code() {
    let desk = Desk::open(json!([with(mug(), json!({ "points": 10 }))])).await;
    for number in 0..20 {
        let made = desk.redeem(&format!("k{number}"), "mug").await.expect(201);
        let path = format!("/v1/redemptions/{}/qr.svg", id(&made));
        let answer = desk.stack.send("GET", &path, None).await;
        assert_eq!(answer.headers["content-type"], "image/svg+xml");
        assert_eq!(answer.headers["cache-control"], "no-store");
        assert!(answer.headers.contains_key("x-request-id"));
        let svg = answer.expect(200);
        assert!(svg.as_str().unwrap().starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\""));
        assert_eq!(scanned(svg.as_str().unwrap()), code(&made));
    }
}

#[tokio::test]
async fn the_member_sees_it_too_and_no_other_member() {
    let desk = Desk::open(json!([mug()])).await;
    let bob = desk.stack.enrol("bob").await;
    let made = desk.redeem("k", "mug").await.expect(201);
    let path = format!("/v1/redemptions/{}/qr.svg", id(&made));
    let seen = desk.stack.send_as(&own(&desk.ada), "GET", &path, &[], None).await.expect(200);
    assert_eq!(scanned(seen.as_str().unwrap()), code(&made));
    refused(&desk.stack.send_as(&own(&bob), "GET", &path, &[], None).await, 403, "forbidden");
}

#[tokio::test]
async fn without_a_voucher_there_is_no_picture() {
    let desk = Desk::open(json!([with(mug(), json!({ "voucher_days": null }))])).await;
    let made = desk.redeem("k", "mug").await.expect(201);
    for redemption in [id(&made).as_str(), "red_00000000000000000000000000", "red_1"] {
        let answer = desk.stack.send("GET", &format!("/v1/redemptions/{redemption}/qr.svg"), None).await;
        assert_eq!(answer.status, 404, "{redemption}");
        assert_eq!(answer.headers["content-type"], "application/problem+json");
    }
}
