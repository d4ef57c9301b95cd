//! DESIGN's budgets, measured: what a request costs in round trips, write and read units, and what an item weighs. A change
//! that costs one unit or one call more fails here.

use aws_sdk_dynamodb::types::AttributeValue;
use it::books::{items, size, text};
use it::client::Ask;
use it::stack::{Answered, Stack, plain_program};
use loyalty_domain::account::Account;
use loyalty_domain::entry::Entry;
use loyalty_domain::id::MemberId;
use loyalty_store::items::{Item, body};
use loyalty_store::keys;
use serde_json::{Value, json};

/// What a request cost. Units of the table, and of its indexes apart.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Cost {
    round_trips: usize,
    w: f64,
    r: f64,
    index_w: f64,
}

const fn cost(round_trips: usize, w: f64, r: f64) -> Cost {
    Cost { round_trips, w, r, index_w: 0.0 }
}

const NOW: &str = "2026-11-21T10:00:00Z";
const MONTHS: usize = 36;

/// Points live for 40 months, and purchases of three years are still taken, so that an account can hold 36 month ends.
fn program() -> Value {
    let mut program = plain_program();
    program["points"]["expiry"]["after_months"] = json!(40);
    program["points"]["late_purchase_days"] = json!(1_200);
    program["points"]["notice_days"] = json!(30);
    program["tiers"] = json!({ "qualify_by": "points_earned", "period": "calendar_year", "keep": "through_next_period",
        "levels": [{ "id": "green", "from": 0 }, { "id": "gold", "from": 500_000 }] });
    program
}

/// A line of the reference purchase: ids of 16 characters, one category.
fn line(number: usize) -> Value {
    json!({ "line_id": format!("line-id-{number:08}"), "sku": format!("sku-{number:012}"),
            "categories": [format!("category-{number:07}")], "quantity": 1, "net_amount": 1_999 })
}

/// A purchase of so many lines.
fn purchase(order: &str, member: Value, occurred_at: &str, lines: usize) -> Value {
    json!({ "channel": "web", "order_id": order, "member": member, "occurred_at": occurred_at, "currency": "EUR",
            "lines": (0..lines).map(line).collect::<Vec<_>>() })
}

struct Shop {
    stack: Stack,
    member: String,
}

impl Shop {
    /// A shop with this program and a member without points.
    async fn new(program: &Value) -> Self {
        let stack = Stack::with_program(NOW, program).await;
        let body = json!({ "external_id": "crm-1001", "phone": "+4915112345678" });
        let enrolled = stack.send("POST", "/v1/members", Some(&body)).await.expect(201);
        let member = enrolled["member"]["member_id"].as_str().unwrap().to_owned();
        Self { stack, member }
    }

    /// A shop whose member has 36 lots, and nothing due.
    async fn with_lots(program: &Value) -> Self {
        let shop = Self::new(program).await;
        // From December 2023 on.
        for month in 11..11 + MONTHS {
            let (year, month) = (2023 + month / 12, month % 12 + 1);
            let at = format!("{year}-{month:02}-10T12:00:00Z");
            let body = purchase(&format!("old-{year}-{month}"), shop.reference(), &at, 3);
            shop.stack.send("POST", "/v1/purchases", Some(&body)).await.expect(201);
        }
        assert_eq!(shop.account().await.lots.iter().count(), MONTHS);
        shop
    }

    fn reference(&self) -> Value {
        json!({ "member_id": self.member })
    }

    fn id(&self) -> MemberId {
        self.member.parse().unwrap()
    }

    async fn item(&self, key: &keys::Key) -> Item {
        self.stack.engine.table().get(key).await.unwrap().unwrap()
    }

    async fn account_item(&self) -> Item {
        self.item(&keys::account(&"main".parse().unwrap(), self.id())).await
    }

    async fn account(&self) -> Account {
        body(&self.account_item().await).unwrap()
    }

    async fn last_entry(&self) -> Item {
        let seq = self.account().await.seq;
        self.item(&keys::entry(&"main".parse().unwrap(), self.id(), seq)).await
    }

    /// Sends a request with the program at hand, and measures it.
    async fn measure(&self, ask: &Ask) -> (Cost, Answered) {
        Ask::get("/v1/members/mbr_00000000000000000000000000/account").once(&self.stack).await;
        let faults = &self.stack.faults;
        faults.meter_on();
        faults.reset();
        let answer = ask.once(&self.stack).await;
        let (meter, consumed) = (faults.meter(), faults.meter().consumed());
        faults.meter_off();
        assert_eq!(consumed.index_read, 0.0);
        let cost = Cost {
            round_trips: meter.longest_chain(),
            w: consumed.table_write,
            r: consumed.table_read,
            index_w: consumed.index_write,
        };
        (cost, answer)
    }

    #[track_caller]
    fn earns(&self, order: &str, lines: usize) -> Ask {
        Ask::post("/v1/purchases", purchase(order, self.reference(), NOW, lines))
    }
}

/// What writing these items in a transaction costs: two units for each begun KB of each.
fn writes(items: &[&Item]) -> f64 {
    items.iter().map(|item| 2.0 * size(item).div_ceil(1024) as f64).sum()
}

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
