//! The checker finds redemptions, vouchers, holds and stocks that do not follow from the ledger, and says where.

use aws_sdk_dynamodb::types::AttributeValue;
use it::books::{items, must_balance};
use it::client::Ask;
use it::stack::{Stack, TABLE, plain_program};
use loyalty_domain::account::Account;
use loyalty_domain::calendar::Moment;
use loyalty_domain::redemption::{Redemption, Status};
use loyalty_store::check::{Report, check};
use loyalty_store::items::{self as packed, Item};
use loyalty_store::keys::{self, Key};
use serde_json::{Value, json};

struct Books {
    stack: Stack,
    ada: String,
}

impl Books {
    /// A member with a mug as a voucher, out of a stock, and a seat that is held.
    async fn kept() -> Self {
        let mut program = plain_program();
        program["rewards"] = json!([
            { "id": "mug", "name": "Mug", "kind": "product", "points": 40, "settle": "immediately", "stock": 9,
              "voucher_days": 30 },
            { "id": "seat", "name": "Seat", "kind": "experience", "points": 30, "settle": "hold", "hold_minutes": 30 }
        ]);
        let stack = Stack::with_program("2026-11-21T10:00:00Z", &program).await;
        let ada = stack.enrol("ada").await;
        stack.send("POST", "/v1/purchases", Some(&stack.purchase("A-1", &ada, 20_000))).await.expect(201);
        for reward in ["mug", "seat"] {
            let body = json!({ "member": { "member_id": ada }, "reward_id": reward });
            Ask::post("/v1/redemptions", body).key(reward).once(&stack).await.expect(201);
        }
        must_balance(&stack).await;
        Self { stack, ada }
    }

    async fn check(&self) -> Report {
        check(self.stack.engine.table(), 2, Moment::parse(&self.stack.now()).unwrap()).await.unwrap()
    }

    /// The item whose partition has this in it.
    async fn item(&self, of: &str) -> Item {
        let all = items(&self.stack).await;
        all.into_iter().find(|item| item["pk"].as_s().unwrap().contains(of)).unwrap()
    }

    async fn redemption(&self, status: Status) -> (Item, Redemption) {
        let all = items(&self.stack).await;
        let redemptions = all.into_iter().filter(|item| item["sk"].as_s().unwrap() == "R");
        let mut read = redemptions.map(|item| (item.clone(), packed::body::<Redemption>(&item).unwrap()));
        read.find(|(_, redemption)| redemption.status == status).unwrap()
    }

    async fn put(&self, item: Item) {
        let put = self.stack.engine.table().client().put_item().table_name(TABLE).set_item(Some(item));
        put.send().await.unwrap();
    }

    async fn delete(&self, item: Item) {
        let delete = self.stack.engine.table().client().delete_item().table_name(TABLE);
        delete.key("pk", item["pk"].clone()).key("sk", item["sk"].clone()).send().await.unwrap();
    }

    #[track_caller]
    fn says(report: &Report, words: &str) {
        assert!(report.findings.iter().any(|finding| finding.what.contains(words)), "{words}: {:#?}", report.findings);
    }

    fn account(&self) -> Key {
        keys::account(&"main".parse().unwrap(), self.ada.parse().unwrap())
    }
}

#[tokio::test]
async fn a_redemption_that_is_gone_and_a_voucher_that_is_gone_are_found() {
    let books = Books::kept().await;
    let (item, _) = books.redemption(Status::Held).await;
    books.delete(item).await;
    Books::says(&books.check().await, "-1 redemptions");

    let books = Books::kept().await;
    books.delete(books.item("#V#").await).await;
    Books::says(&books.check().await, "-1 vouchers");
}

#[tokio::test]
async fn a_redemption_that_no_entry_began_is_found() {
    let books = Books::kept().await;
    let (mut item, redemption) = books.redemption(Status::Held).await;
    let pk = item["pk"].as_s().unwrap().replace(&redemption.id.ulid().to_string(), "00000000000000000000000009");
    item.insert("pk".to_owned(), AttributeValue::S(pk));
    books.put(item).await;
    let report = books.check().await;
    Books::says(&report, "stands under another key");
    Books::says(&report, "+1 redemptions");
}

#[tokio::test]
async fn a_redemption_that_names_other_entries_than_the_ledger_is_found() {
    let books = Books::kept().await;
    let (item, mut redemption) = books.redemption(Status::Fulfilled).await;
    redemption.entries[0].points -= 1;
    books.put(packed::with_body(item, &redemption).unwrap()).await;
    Books::says(&books.check().await, "the entry of this fact is another one in the ledger");
}

#[tokio::test]
async fn a_hold_that_no_entry_explains_is_found_and_so_is_one_whose_redemption_says_otherwise() {
    let books = Books::kept().await;
    let item = books.stack.engine.table().get(&books.account()).await.unwrap().unwrap();
    let mut account: Account = packed::body(&item).unwrap();
    account.holds = loyalty_domain::redemption::Holds::default();
    books.put(packed::with_body(item, &account).unwrap()).await;
    Books::says(&books.check().await, "the points set aside");

    let books = Books::kept().await;
    let (item, mut redemption) = books.redemption(Status::Held).await;
    redemption.status = Status::Cancelled;
    books.put(packed::with_body(item, &redemption).unwrap()).await;
    Books::says(&books.check().await, "+1 holds");
}

#[tokio::test]
async fn a_stock_from_which_more_or_less_was_taken_than_redemptions_took_is_found() {
    for units in [2, 0] {
        let books = Books::kept().await;
        let mut item = books.item("#T#mug").await;
        item.insert("u".to_owned(), AttributeValue::N(units.to_string()));
        books.put(item).await;
        Books::says(&books.check().await, &format!("{:+} units", units - 1));
    }
}

#[tokio::test]
async fn what_is_captured_goes_from_the_held_side_to_the_redeemed_one() {
    let books = Books::kept().await;
    let side = |report: &Report, word: &str| {
        report.by_side.iter().find(|(side, _)| side.word() == word).map_or(0, |(_, points)| *points)
    };
    let before = books.check().await;
    assert_eq!((side(&before, "held"), side(&before, "redeemed")), (-30, -40));
    let (_, held) = books.redemption(Status::Held).await;
    let path = format!("/v1/redemptions/{}/capture", held.id);
    Ask::post(path, Value::Object(serde_json::Map::new())).key("c").once(&books.stack).await.expect(200);
    let after = books.check().await;
    assert_eq!((side(&after, "held"), side(&after, "redeemed")), (0, -70));
    assert_eq!(after.by_side.values().sum::<i128>(), after.outstanding);
}
