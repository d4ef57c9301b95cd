//! A shop in which requests are measured: round trips, write and read units.

use crate::books::size;
use crate::client::Ask;
use crate::stack::{Answered, Stack, plain_program};
use loyalty_domain::account::Account;
use loyalty_domain::id::MemberId;
use loyalty_store::items::{Item, body};
use loyalty_store::keys;
use serde_json::{Value, json};

/// What a request cost. Units of the table, and of its indexes apart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cost {
    /// Links in the longest chain of calls that wait for one another.
    pub round_trips: usize,
    /// Write units.
    pub w: f64,
    /// Read units.
    pub r: f64,
    /// Write units of indexes.
    pub index_w: f64,
}

/// What leaves the indexes alone.
#[must_use]
pub const fn cost(round_trips: usize, w: f64, r: f64) -> Cost {
    Cost { round_trips, w, r, index_w: 0.0 }
}

/// When it is measured.
pub const NOW: &str = "2026-11-21T10:00:00Z";
/// Lots of the account.
pub const MONTHS: usize = 36;

/// Points live for 40 months, and purchases of three years are still taken, so that an account can hold 36 month ends.
#[must_use]
pub fn program() -> Value {
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
#[must_use]
pub fn purchase(order: &str, member: Value, occurred_at: &str, lines: usize) -> Value {
    json!({ "channel": "web", "order_id": order, "member": member, "occurred_at": occurred_at, "currency": "EUR",
            "lines": (0..lines).map(line).collect::<Vec<_>>() })
}

/// A shop with one member.
pub struct Shop {
    /// The stack.
    pub stack: Stack,
    /// The member's id.
    pub member: String,
}

impl Shop {
    /// A shop with this program and a member without points.
    pub async fn new(program: &Value) -> Self {
        let stack = Stack::with_program(NOW, program).await;
        let body = json!({ "external_id": "crm-1001", "phone": "+4915112345678" });
        let enrolled = stack.send("POST", "/v1/members", Some(&body)).await.expect(201);
        let member = enrolled["member"]["member_id"].as_str().unwrap().to_owned();
        Self { stack, member }
    }

    /// A shop whose member has 36 lots, and nothing due.
    pub async fn with_lots(program: &Value) -> Self {
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

    /// The member, as a reference.
    #[must_use]
    pub fn reference(&self) -> Value {
        json!({ "member_id": self.member })
    }

    /// The member.
    pub fn id(&self) -> MemberId {
        self.member.parse().unwrap()
    }

    /// An item.
    pub async fn item(&self, key: &keys::Key) -> Item {
        self.stack.engine.table().get(key).await.unwrap().unwrap()
    }

    /// The account as it is stored.
    pub async fn account_item(&self) -> Item {
        self.item(&keys::account(&"main".parse().unwrap(), self.id())).await
    }

    /// The account.
    pub async fn account(&self) -> Account {
        body(&self.account_item().await).unwrap()
    }

    /// The newest entry as it is stored.
    pub async fn last_entry(&self) -> Item {
        let seq = self.account().await.seq;
        self.item(&keys::entry(&"main".parse().unwrap(), self.id(), seq)).await
    }

    /// Sends a request with the program at hand, and measures it.
    pub async fn measure(&self, ask: &Ask) -> (Cost, Answered) {
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

    /// A purchase of the reference with so many lines.
    #[must_use]
    pub fn earns(&self, order: &str, lines: usize) -> Ask {
        Ask::post("/v1/purchases", purchase(order, self.reference(), NOW, lines))
    }
}

/// What writing these items in a transaction costs: two units for each begun KB of each.
#[must_use]
pub fn writes(items: &[&Item]) -> f64 {
    items.iter().map(|item| 2.0 * size(item).div_ceil(1024) as f64).sum()
}
