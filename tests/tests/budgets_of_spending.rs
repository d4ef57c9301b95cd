//! What spending costs in round trips, write and read units, on an account of 36 lots with nothing due. A change that costs one
//! unit or one call more fails here.

use it::books::size;
use it::client::Ask;
use it::shop::{Cost, Shop, cost, program};
use it::stack::Answered;
use loyalty_store::keys;
use serde_json::{Value, json};

/// Rewards for fewer points than a lot holds, so that one lot is drawn from.
fn spending() -> Value {
    let mut program = program();
    let mug = |id: &str| {
        json!({ "id": id, "name": "Coffee mug", "kind": "product", "points": 40, "settle": "immediately",
                "voucher_days": 90 })
    };
    let (mut rare, mut held) = (mug("rare"), mug("held"));
    // Large enough that the member's own shard has some left.
    (rare["stock"], rare["limit"]) = (json!(1_000), json!({ "times": 5, "per": "year" }));
    held["settle"] = json!("hold");
    held["hold_minutes"] = json!(30);
    let mut last = held.clone();
    (last["id"], last["stock"]) = (json!("last"), json!(1_000));
    program["rewards"] = json!([
        mug("mug"), rare, held, last,
        { "id": "pay", "name": "Pay", "kind": "pay_with_points", "settle": "immediately",
          "value": { "points": 1, "amount": 1, "currency": "EUR" } },
    ]);
    program
}

fn redeem(shop: &Shop, reward: &str, key: &str) -> Ask {
    Ask::post("/v1/redemptions", json!({ "member": shop.reference(), "reward_id": reward })).key(key)
}

fn end(redemption: &str, how: &str) -> Ask {
    Ask::post(format!("/v1/redemptions/{redemption}/{how}"), json!({})).key("end")
}

fn id(answer: Answered) -> String {
    answer.expect(201)["redemption"]["redemption_id"].as_str().unwrap().to_owned()
}

/// What it costs of the table, whatever enters the due index or leaves it.
fn table_only(cost: Cost) -> Cost {
    Cost { index_w: 0.0, ..cost }
}

#[tokio::test]
async fn redeeming_with_a_voucher_is_two_round_trips_and_eight_writes_and_two_more_from_a_limited_stock() {
    let shop = Shop::with_lots(&spending()).await;
    let (mug, answer) = shop.measure(&redeem(&shop, "mug", "k1")).await;
    // The redemption enters the due index: its holder is told before the voucher expires.
    assert_eq!((mug, answer.status.as_u16()), (Cost { index_w: 1.0, ..cost(2, 8.0, 1.0) }, 201), "{}", answer.body);
    let (rare, answer) = shop.measure(&redeem(&shop, "rare", "k2")).await;
    assert_eq!((table_only(rare), answer.status.as_u16()), (cost(2, 10.0, 1.0), 201), "{}", answer.body);
    let (held, answer) = shop.measure(&redeem(&shop, "held", "k3")).await;
    assert_eq!((table_only(held), answer.status.as_u16()), (cost(2, 8.0, 1.0), 201), "{}", answer.body);
}

#[tokio::test]
async fn a_replay_of_a_redemption_writes_nothing() {
    let shop = Shop::with_lots(&spending()).await;
    redeem(&shop, "mug", "k").once(&shop.stack).await.expect(201);
    let (again, answer) = shop.measure(&redeem(&shop, "mug", "k")).await;
    assert!(answer.replayed());
    assert_eq!(again, cost(2, 0.0, 1.0));
}

#[tokio::test]
async fn capturing_and_cancelling_are_three_round_trips_and_six_writes_and_two_more_for_a_stock() {
    let shop = Shop::with_lots(&spending()).await;
    for (reward, how, w) in [
        ("held", "capture", 6.0),
        ("held", "cancel", 6.0),
        ("last", "capture", 6.0),
        ("last", "cancel", 8.0),
        ("mug", "cancel", 6.0),
        ("rare", "cancel", 8.0),
    ] {
        let made = id(redeem(&shop, reward, &format!("{reward}-{how}")).once(&shop.stack).await);
        let (ended, answer) = shop.measure(&end(&made, how)).await;
        assert_eq!((table_only(ended), answer.status.as_u16()), (cost(3, w, 2.0), 200), "{reward} {how}");
    }
}

#[tokio::test]
async fn a_till_looks_a_voucher_up_in_two_round_trips_and_uses_it_in_three() {
    let shop = Shop::with_lots(&spending()).await;
    let made = redeem(&shop, "mug", "k").once(&shop.stack).await.expect(201);
    let code = &made["voucher"]["code"];
    let (look, answer) = shop.measure(&Ask::post("/v1/vouchers/lookup", json!({ "code": code }))).await;
    answer.expect(200);
    // Code and wrong guesses, then redemption and account.
    assert_eq!(look, cost(2, 0.0, 4.0));
    let body = json!({ "code": code, "channel": "till", "order_id": "O-1" });
    let (used, answer) = shop.measure(&Ask::post("/v1/vouchers/redeem", body.clone())).await;
    answer.expect(200);
    assert_eq!(table_only(used), cost(3, 2.0, 4.0));
    let (again, answer) = shop.measure(&Ask::post("/v1/vouchers/redeem", body)).await;
    assert!(answer.replayed());
    assert_eq!(again, cost(2, 0.0, 4.0));
}

#[tokio::test]
async fn the_catalogue_reads_what_is_limited_and_nothing_else() {
    let shop = Shop::with_lots(&spending()).await;
    // Two stocks, side by side, of which nothing was taken yet.
    let (anybody, answer) = shop.measure(&Ask::get("/v1/rewards")).await;
    answer.expect(200);
    assert_eq!(anybody, cost(1, 0.0, 2.0));
    let (own, answer) = shop.measure(&Ask::get(format!("/v1/members/{}/rewards", shop.member))).await;
    answer.expect(200);
    assert_eq!(own, cost(2, 0.0, 3.0));
}

#[tokio::test]
async fn a_purchase_paid_with_points_reads_and_writes_the_redemption_besides() {
    let shop = Shop::with_lots(&spending()).await;
    let pays = json!({ "member": shop.reference(), "reward_id": "pay", "points": 40, "currency": "EUR" });
    let made = id(Ask::post("/v1/redemptions", pays).key("k").once(&shop.stack).await);
    let mut ask = shop.earns("paid", 10);
    ask.body.as_mut().unwrap()["paid_with"] = json!([made]);
    let (paid, answer) = shop.measure(&ask).await;
    answer.expect(201);
    assert_eq!(paid, cost(3, 8.0, 2.0));
}

#[tokio::test]
async fn a_redemption_that_draws_on_sixteen_lots_costs_what_one_of_a_single_lot_costs() {
    let mut program = spending();
    program["rewards"][0]["points"] = json!(900);
    let shop = Shop::with_lots(&program).await;
    let (mug, answer) = shop.measure(&redeem(&shop, "mug", "k")).await;
    let answer = answer.expect(201);
    assert_eq!(answer["entries"][0]["draws"].as_array().unwrap().len(), 16);
    let made = answer["redemption"]["redemption_id"].as_str().unwrap().parse().unwrap();
    let bytes = size(&shop.item(&keys::redemption(&"main".parse().unwrap(), made)).await);
    assert!(bytes < 1_024, "{bytes} bytes");
    assert_eq!((mug.round_trips, mug.w, mug.r), (2, 8.0, 1.0), "{bytes} bytes");
}
