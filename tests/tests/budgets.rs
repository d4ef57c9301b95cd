//! DESIGN's budgets, measured: what a request costs in round trips, write and read units, and what an item weighs. A change
//! that costs one unit or one call more fails here.

use aws_sdk_dynamodb::types::AttributeValue;
use it::books::{items, size, text};
use it::client::Ask;
use it::shop::{Cost, MONTHS, NOW, Shop, cost, program, purchase, writes};
use loyalty_domain::entry::Entry;
use loyalty_store::items::body;
use loyalty_store::keys;
use serde_json::{Value, json};

#[tokio::test]
async fn earning_costs_two_round_trips_by_member_id_and_three_by_an_identity() {
    let shop = Shop::with_lots(&program()).await;
    let version = shop.account().await.version;
    let (by_id, answer) = shop.measure(&shop.earns("by-id", 10)).await;
    answer.expect(201);
    assert_eq!(by_id, cost(2, 6.0, 1.0));
    let by_phone = purchase("by-phone", json!({ "phone": "+4915112345678" }), NOW, 10);
    let (by_phone, answer) = shop.measure(&Ask::post("/v1/purchases", by_phone)).await;
    answer.expect(201);
    assert_eq!(by_phone, cost(3, 6.0, 2.0));
    let by_crm = purchase("by-external-id", json!({ "external_id": "crm-1001" }), NOW, 10);
    let (by_crm, answer) = shop.measure(&Ask::post("/v1/purchases", by_crm)).await;
    answer.expect(201);
    assert_eq!(by_crm, cost(3, 6.0, 2.0));
    assert_eq!(shop.account().await.version, version + 3);
    assert_eq!(shop.account().await.lots.iter().count(), MONTHS);
}

#[tokio::test]
async fn an_account_of_36_lots_costs_no_more_than_one_of_none() {
    let shop = Shop::new(&program()).await;
    let (first, answer) = shop.measure(&shop.earns("first", 10)).await;
    answer.expect(201);
    // The first lot brings something due: the account enters the index.
    assert_eq!(first, Cost { index_w: 1.0, ..cost(2, 6.0, 1.0) });
    let (second, answer) = shop.measure(&shop.earns("second", 10)).await;
    answer.expect(201);
    assert_eq!(second, cost(2, 6.0, 1.0));
}

#[tokio::test]
async fn a_replay_reads_what_the_first_request_read_and_writes_nothing() {
    let shop = Shop::with_lots(&program()).await;
    shop.earns("by-id", 10).once(&shop.stack).await.expect(201);
    let (again, answer) = shop.measure(&shop.earns("by-id", 10)).await;
    assert!(answer.replayed());
    assert_eq!(again, cost(2, 0.0, 1.0));
    let by_phone = Ask::post("/v1/purchases", purchase("by-phone", json!({ "phone": "+4915112345678" }), NOW, 10));
    by_phone.once(&shop.stack).await.expect(201);
    let (again, answer) = shop.measure(&by_phone).await;
    assert!(answer.replayed());
    assert_eq!(again, cost(3, 0.0, 2.0));
}

#[tokio::test]
async fn the_hundredth_refund_costs_what_the_first_cost() {
    let shop = Shop::with_lots(&program()).await;
    let mut order = purchase("A-1", shop.reference(), NOW, 10);
    order["lines"][0]["quantity"] = json!(150);
    shop.stack.send("POST", "/v1/purchases", Some(&order)).await.expect(201);
    for number in 1..=100 {
        let lines = json!([{ "line_id": "line-id-00000000", "quantity": 1 }]);
        let back = json!({ "refund_id": format!("R-{number}"), "occurred_at": NOW, "lines": lines });
        let ask = Ask::post("/v1/purchases/web/A-1/refunds", back);
        let (refund, answer) = shop.measure(&ask).await;
        answer.expect(201);
        assert_eq!(refund, cost(3, 8.0, 2.0), "refund {number}");
    }
}

#[tokio::test]
async fn enrolling_with_phone_and_e_mail_is_one_round_trip_that_reads_nothing() {
    let shop = Shop::new(&program()).await;
    let body = json!({ "phone": "+4915100000001", "email": "ada@example.com", "given_name": "Ada",
                       "family_name": "Lovelace", "birthday": "1992-02-29", "consents": { "marketing_email": true } });
    let (enrol, answer) = shop.measure(&Ask::post("/v1/members", body)).await;
    answer.expect(201);
    assert_eq!(enrol, cost(1, 12.0, 0.0));
}

#[tokio::test]
async fn a_balance_is_one_read() {
    let shop = Shop::with_lots(&program()).await;
    let (balance, answer) = shop.measure(&Ask::get(format!("/v1/members/{}/account", shop.member))).await;
    answer.expect(200);
    assert_eq!(balance, cost(1, 0.0, 1.0));
}

#[tokio::test]
async fn fifty_entries_are_one_round_trip_of_at_most_eight_reads() {
    let shop = Shop::new(&three_rules()).await;
    for number in 0..60 {
        shop.earns(&format!("A-{number:014}"), 10).once(&shop.stack).await.expect(201);
    }
    let (page, answer) = shop.measure(&Ask::get(format!("/v1/members/{}/ledger", shop.member))).await;
    assert_eq!(answer.expect(200)["entries"].as_array().unwrap().len(), 50);
    assert_eq!((page.round_trips, page.w, page.index_w), (1, 0.0, 0.0));
    assert!(page.r <= 8.0, "{page:?}");
}

#[tokio::test]
async fn expiring_what_is_due_at_one_moment_costs_one_entry_more() {
    let mut program = program();
    program["points"]["notice_days"] = json!(0);
    let shop = Shop::with_lots(&program).await;
    let lots = shop.account().await.lots.iter().count();
    // The first of the 36 months ends here, 40 months on.
    shop.stack.set_clock("2027-05-01T10:00:00Z");
    let body = purchase("A-1", shop.reference(), "2026-11-15T10:00:00Z", 10);
    let (earn, answer) = shop.measure(&Ask::post("/v1/purchases", body)).await;
    let answered = answer.expect(201);
    assert_eq!(answered["entries"].as_array().unwrap().len(), 1);
    assert_eq!(shop.account().await.lots.iter().count(), lots - 1);
    // The account moves to another hour of the index: out of the one, into the other.
    assert_eq!(earn, Cost { index_w: 2.0, ..cost(2, 8.0, 1.0) });
}

#[tokio::test]
async fn each_further_entry_costs_two_units() {
    let mut program = program();
    program["tiers"]["levels"][1]["from"] = json!(700);
    let shop = Shop::new(&program).await;
    for order in ["A-1", "A-2", "A-3"] {
        shop.earns(order, 10).once(&shop.stack).await.expect(201);
    }
    let (same_level, answer) = shop.measure(&shop.earns("A-4", 1)).await;
    answer.expect(201);
    assert_eq!(same_level, cost(2, 6.0, 1.0));
    let (next_level, answer) = shop.measure(&shop.earns("A-5", 10)).await;
    let kinds: Vec<Value> =
        answer.expect(201)["entries"].as_array().unwrap().iter().map(|entry| entry["kind"].clone()).collect();
    assert_eq!(kinds, ["earn", "tier"]);
    assert_eq!((next_level.round_trips, next_level.w, next_level.r), (2, 8.0, 1.0));
}

#[tokio::test]
async fn each_further_kilobyte_of_an_item_costs_two_units() {
    let shop = Shop::with_lots(&program()).await;
    for lines in [10, 25, 40, 100] {
        let order = format!("A-{lines}");
        let (earn, answer) = shop.measure(&shop.earns(&order, lines)).await;
        answer.expect(201);
        let key = keys::purchase(&"main".parse().unwrap(), &"web".parse().unwrap(), &order.parse().unwrap());
        let written = [shop.account_item().await, shop.last_entry().await, shop.item(&key).await];
        assert_eq!(earn, cost(2, writes(&written.each_ref()), 1.0), "{lines} lines");
        if lines > 25 {
            assert!(earn.w > 8.0, "{earn:?}");
        }
    }
}

/// A program in which a purchase of the reference meets three rules with ids of 16 characters.
fn three_rules() -> Value {
    let mut program = program();
    program["earning_rules"] = json!([
        { "id": "base-per-euro-00", "on": "purchase",
          "award": { "per_amount": { "points": "1", "amount": 100, "currency": "EUR" } } },
        { "id": "double-category0", "on": "purchase", "when": { "line_category": ["category-0000001"] },
          "award": { "multiply": "2" } },
        { "id": "spend-fifty-euro", "on": "purchase",
          "when": { "net_total_at_least": { "amount": 5_000, "currency": "EUR" } }, "award": { "points": 100 } },
    ]);
    program
}

#[tokio::test]
async fn an_earn_entry_of_three_rules_stays_under_600_bytes() {
    let shop = Shop::with_lots(&three_rules()).await;
    shop.earns("order-0000000001", 10).once(&shop.stack).await.expect(201);
    let item = shop.last_entry().await;
    let entry: Entry = body(&item).unwrap();
    assert!(entry.explanation.iter().filter(|reason| reason.rule().is_some()).count() == 3, "{entry:?}");
    assert!(size(&item) < 600, "{} bytes", size(&item));
}

#[tokio::test]
async fn the_reference_purchase_fits_one_kilobyte_also_where_three_rules_explain_it() {
    for (program, what) in [(program(), "one rule"), (three_rules(), "three rules")] {
        let shop = Shop::with_lots(&program).await;
        let (earn, answer) = shop.measure(&shop.earns("order-0000000001", 10)).await;
        answer.expect(201);
        let key =
            keys::purchase(&"main".parse().unwrap(), &"web".parse().unwrap(), &"order-0000000001".parse().unwrap());
        let bytes = size(&shop.item(&key).await);
        assert!(bytes <= 1_024, "{what}: {bytes} bytes");
        assert_eq!(earn.w, 6.0, "{what}");
    }
}

#[tokio::test]
async fn an_account_of_36_lots_stays_under_one_kilobyte() {
    let shop = Shop::with_lots(&program()).await;
    let bytes = size(&shop.account_item().await);
    assert!(bytes < 1_024, "{bytes} bytes");
}

#[tokio::test]
async fn an_account_of_36_lots_and_20_limited_rules_in_use_stays_under_two_kilobytes() {
    let mut program = program();
    let limited = (0..20).map(|number| {
        json!({ "id": format!("limited-rule-{number:03}"), "on": "purchase", "award": { "points": 1 },
                "limit": { "times": 200, "per": "ever" } })
    });
    program["earning_rules"].as_array_mut().unwrap().extend(limited);
    let shop = Shop::with_lots(&program).await;
    let account = shop.account().await;
    assert_eq!(account.uses.len(), 20);
    let bytes = size(&shop.account_item().await);
    assert!(bytes < 2_048, "{bytes} bytes");
}

#[tokio::test]
async fn sizes_are_those_that_the_table_charges() {
    let shop = Shop::with_lots(&program()).await;
    for item in items(&shop.stack).await.iter().filter(|item| text(item, "sk").starts_with("E#")).take(5) {
        assert!(matches!(item["b"], AttributeValue::B(_)));
        assert_eq!(writes(&[item]), 2.0);
    }
}
