//! What these tests ask for: a desk at which one member spends points.

use it::books::must_balance;
use it::stack::{Answered, STAFF, Stack, claims, plain_program};
use serde_json::{Value, json};
use std::collections::HashMap;

/// A Saturday.
pub const NOW: &str = "2026-11-21T10:00:00Z";

/// A stack with Ada, who has points to spend.
pub struct Desk {
    pub stack: Stack,
    pub ada: String,
}

/// The plain program with these rewards.
pub fn offering(rewards: Value) -> Value {
    let mut program = plain_program();
    program["rewards"] = rewards;
    program
}

/// A thing for 400 points, had at once, with a voucher.
pub fn mug() -> Value {
    json!({ "id": "mug", "name": "Coffee mug", "kind": "product", "points": 400, "settle": "immediately",
            "voucher_days": 90 })
}

/// An evening for 300 points, set aside for an hour, with a voucher.
pub fn seat() -> Value {
    json!({ "id": "seat", "name": "Tasting", "kind": "experience", "points": 300, "settle": "hold", "hold_minutes": 60,
            "voucher_days": 30 })
}

/// Points that pay, a hundredth of a euro each, set aside for half an hour.
pub fn pay() -> Value {
    json!({ "id": "pay", "name": "Pay with beans", "kind": "pay_with_points", "settle": "hold", "hold_minutes": 30,
            "value": { "points": 100, "amount": 100, "currency": "EUR" } })
}

/// A reward with some of its fields set.
pub fn with(mut reward: Value, fields: Value) -> Value {
    for (name, value) in fields.as_object().unwrap() {
        reward[name] = value.clone();
    }
    reward
}

/// A member's own token.
pub fn own(member: &str) -> HashMap<String, String> {
    let mut claims = claims("self");
    claims.insert("sub".to_owned(), "app-user".to_owned());
    claims.insert("member_id".to_owned(), member.to_owned());
    claims
}

/// A refusal in its one form, with this status and code.
#[track_caller]
pub fn refused(answer: &Answered, status: u16, code: &str) {
    assert_eq!((answer.status.as_u16(), answer.code()), (status, code), "{}", answer.body);
    assert_eq!(answer.headers["content-type"], "application/problem+json");
    assert_eq!(answer.body["status"], status);
    assert_eq!(answer.headers["x-request-id"].to_str().unwrap(), answer.body["request_id"]);
}

/// The redemption's id in an answer.
pub fn id(answer: &Value) -> String {
    answer["redemption"]["redemption_id"].as_str().unwrap().to_owned()
}

/// The voucher's code in an answer.
pub fn code(answer: &Value) -> String {
    answer["voucher"]["code"].as_str().unwrap().to_owned()
}

/// Kinds and points of the entries in an answer.
pub fn posted(answer: &Value) -> Vec<(&str, i64)> {
    let of = |entry: &'_ Value| entry["points"].as_i64().unwrap();
    answer["entries"].as_array().unwrap().iter().map(|entry| (entry["kind"].as_str().unwrap(), of(entry))).collect()
}

/// What an answer's account has: available and held.
pub fn left(answer: &Value) -> (i64, i64) {
    let points = &answer["account"]["points"];
    (points["available"].as_i64().unwrap(), points["held"].as_i64().unwrap())
}

impl Desk {
    /// A desk with these rewards, and Ada with 1,000 points.
    pub async fn open(rewards: Value) -> Self {
        Self::of(&offering(rewards), 1_000).await
    }

    /// A desk with a program, and Ada with so many points.
    pub async fn of(program: &Value, points: i64) -> Self {
        let stack = Stack::with_program(NOW, program).await;
        let ada = stack.enrol("ada").await;
        let desk = Self { stack, ada };
        if points > 0 {
            desk.adjust(points).await;
        }
        desk
    }

    /// Gives Ada points, or takes some.
    pub async fn adjust(&self, points: i64) {
        let body = json!({ "member": self.named(), "points": points, "reason": "goodwill" });
        let key = format!("adjust-{}-{points}", self.stack.now());
        self.stack.send_keyed(&key, "POST", "/v1/adjustments", &body).await.expect(201);
    }

    /// Ada, as a reference.
    pub fn named(&self) -> Value {
        json!({ "member_id": self.ada })
    }

    /// A request to redeem a reward, as a body.
    pub fn wish(&self, reward: &str) -> Value {
        json!({ "member": self.named(), "reward_id": reward })
    }

    /// A request to pay with so many points, as a body.
    pub fn payment(&self, points: i64) -> Value {
        with(self.wish("pay"), json!({ "points": points, "currency": "EUR" }))
    }

    /// Sends a request to redeem.
    pub async fn send(&self, key: &str, body: &Value) -> Answered {
        self.stack.send_keyed(key, "POST", "/v1/redemptions", body).await
    }

    /// Redeems a reward.
    pub async fn redeem(&self, key: &str, reward: &str) -> Answered {
        self.send(key, &self.wish(reward)).await
    }

    /// Captures a redemption, as the body says.
    pub async fn capture(&self, key: &str, redemption: &str, body: Value) -> Answered {
        self.stack.send_keyed(key, "POST", &format!("/v1/redemptions/{redemption}/capture"), &body).await
    }

    /// Calls a redemption off.
    pub async fn cancel(&self, key: &str, redemption: &str) -> Answered {
        self.stack.send_keyed(key, "POST", &format!("/v1/redemptions/{redemption}/cancel"), &json!({})).await
    }

    /// A redemption as it stands.
    pub async fn redemption(&self, redemption: &str) -> Value {
        self.stack.send("GET", &format!("/v1/redemptions/{redemption}"), None).await.expect(200)
    }

    /// Its status.
    pub async fn status(&self, redemption: &str) -> String {
        self.redemption(redemption).await["redemption"]["status"].as_str().unwrap().to_owned()
    }

    /// Asks what a code is worth.
    pub async fn look_up(&self, code: &str) -> Answered {
        self.stack.send("POST", "/v1/vouchers/lookup", Some(&json!({ "code": code }))).await
    }

    /// Uses a code for an order in the shop.
    pub async fn use_for(&self, code: &str, order: &str) -> Answered {
        let body = json!({ "code": code, "channel": "shop", "order_id": order });
        self.stack.send("POST", "/v1/vouchers/redeem", Some(&body)).await
    }

    /// One reward of Ada's catalogue.
    pub async fn offer(&self, reward: &str) -> Value {
        let path = format!("/v1/members/{}/rewards", self.ada);
        let rewards = self.stack.send("GET", &path, None).await.expect(200)["rewards"].clone();
        rewards.as_array().unwrap().iter().find(|other| other["reward_id"] == reward).unwrap().clone()
    }

    /// What Ada has now: available and held.
    pub async fn has(&self) -> (i64, i64) {
        left(&json!({ "account": self.stack.account(&self.ada).await }))
    }

    /// Kinds and points of Ada's entries, after the enrolment and the first points.
    pub async fn ledger(&self) -> Vec<(String, i64)> {
        let entries = self.stack.ledger(&self.ada).await;
        let of = |entry: &Value| (entry["kind"].as_str().unwrap().to_owned(), entry["points"].as_i64().unwrap());
        entries.iter().skip(2).map(of).collect()
    }

    /// Sends a request of staff without a key.
    pub async fn without_key(&self, path: &str, body: &Value) -> Answered {
        self.stack.send_as(&claims(STAFF), "POST", path, &[], Some(body.to_string().into_bytes())).await
    }

    /// Fails unless everything in the table adds up.
    pub async fn balances(&self) {
        must_balance(&self.stack).await;
    }
}
