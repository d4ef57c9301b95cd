//! Every command meets every fault at every one of its calls to the store, and is sent again as a client would. Afterwards the
//! table is, to the byte, what it is where nothing went wrong, and the client has been told the same.

use it::books::{aliased, aliases, dump_of, items, must_balance, restore};
use it::client::{Ask, Ended};
use it::faults::{Fault, Plan};
use it::stack::{Stack, example_program};
use loyalty_http::Surroundings;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use ulid::Ulid;

const NOW: &str = "2026-11-21T10:00:00Z";
/// Pairs of faults that each command meets, drawn by seed.
const PAIRS: usize = 6;

/// A shop with what the commands are about: Ada, a member with points and notes, one who is paused, purchases of a member and
/// of a guest; goals that the next purchase in the cellar and the next check-in reach, and one that a purchase in the attic
/// has reached; redemptions of Ada's.
struct Shop {
    stack: Stack,
    ada: String,
    paused: String,
    spent: Spent,
    /// An id that no run has met before the command.
    next_id: Ulid,
}

/// Redemptions by their ids: one that is held, two that are captured, of which one paid for a purchase, and a mug with the
/// code of its voucher.
#[derive(Default, Clone)]
struct Spent {
    held: String,
    captured: String,
    paid: String,
    mug: String,
    code: String,
}

impl Shop {
    async fn open() -> Self {
        let stack = Stack::with_program(NOW, &program()).await;
        let enrolled = Ask::post("/v1/members", ada()).once(&stack).await.expect(201);
        let ada = enrolled["member"]["member_id"].as_str().unwrap().to_owned();
        let paused = stack.enrol("crm-paused").await;
        let mut shop = Self { stack, ada, paused, spent: Spent::default(), next_id: Ulid::nil() };
        for ask in [
            shop.purchase("A-1", Some(json!({ "member_id": shop.ada }))),
            shop.purchase("G-1", None),
            shop.adjust(1_510, "opening"),
            shop.purchase_in("S-1", "cellar"),
            shop.purchase_in("S-2", "attic"),
            shop.activity("rev-1", "product_review"),
            shop.activity("in-1", "check_in"),
            shop.lend("gold", "lent"),
            Ask::bare("POST", format!("/v1/members/{}/deactivate", shop.paused)),
        ] {
            let answer = ask.once(&shop.stack).await;
            assert!(answer.status.is_success(), "{}: {}", ask.path, answer.body);
        }
        shop.spend().await;
        shop.next_id = shop.stack.world.ulid();
        shop
    }

    async fn spend(&mut self) {
        let made = async |shop: &Self, ask: Ask| {
            let answer = ask.once(&shop.stack).await.expect(201);
            let text = |pointer: &str| answer.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
            (text("/redemption/redemption_id"), text("/voucher/code"))
        };
        (self.spent.held, _) = made(self, self.pay(120, "held")).await;
        (self.spent.captured, _) = made(self, self.pay(130, "captured")).await;
        (self.spent.paid, _) = made(self, self.pay(140, "paid")).await;
        (self.spent.mug, self.spent.code) = made(self, self.redeem("mug", "mug")).await;
        for redemption in [&self.spent.captured, &self.spent.paid] {
            self.end(redemption, "capture", json!({}), "done").once(&self.stack).await.expect(200);
        }
        self.purchase_paid_with("P-1", &self.spent.paid).once(&self.stack).await.expect(201);
    }

    /// The same shop again, on a table of its own with the items of this one.
    async fn copy(&self) -> Self {
        let stack = Stack::empty(NOW).await;
        restore(&stack, items(&self.stack).await).await;
        // Ids go on where this shop's end, so that nothing new is taken for something old.
        while stack.world.ulid() != self.next_id {}
        let (ada, paused, spent) = (self.ada.clone(), self.paused.clone(), self.spent.clone());
        Self { stack, ada, paused, spent, next_id: self.next_id }
    }

    fn of_ada(&self, rest: &str) -> String {
        format!("/v1/members/{}{rest}", self.ada)
    }

    fn purchase(&self, order: &str, member: Option<Value>) -> Ask {
        Ask::post("/v1/purchases", self.order(order, member))
    }

    fn order(&self, order: &str, member: Option<Value>) -> Value {
        let mut body = self.stack.purchase(order, "-", 6_050);
        body["lines"][0]["quantity"] = json!(2);
        match member {
            Some(member) => body["member"] = member,
            None => drop(body.as_object_mut().unwrap().remove("member")),
        }
        body
    }

    fn purchase_in(&self, order: &str, store: &str) -> Ask {
        let mut body = self.order(order, Some(json!({ "member_id": self.ada })));
        body["store"] = json!(store);
        Ask::post("/v1/purchases", body)
    }

    fn activity(&self, activity: &str, kind: &str) -> Ask {
        Ask::post(
            "/v1/activities",
            json!({ "source": "app", "activity_id": activity, "member": { "phone": "+4915112345678" }, "type": kind,
                    "occurred_at": NOW, "attributes": { "stars": 5, "text": "smells of plums" } }),
        )
    }

    fn lend(&self, level: &str, key: &str) -> Ask {
        let body = json!({ "level": level, "until": "2027-03-01", "reason": "status_match", "note": "a word" });
        Ask::post(self.of_ada("/level"), body).key(key)
    }

    fn refund(&self, order: &str) -> Ask {
        let body = json!({ "refund_id": "R-1", "occurred_at": NOW, "lines": [{ "line_id": "1", "quantity": 1 }] });
        Ask::post(format!("/v1/purchases/web/{order}/refunds"), body)
    }

    fn claim(&self, net_total: i64) -> Ask {
        let body = json!({ "member": { "member_id": self.ada }, "net_total": net_total });
        Ask::post("/v1/purchases/web/G-1/claim", body)
    }

    fn redeem(&self, reward: &str, key: &str) -> Ask {
        let body = json!({ "member": { "member_id": self.ada }, "reward_id": reward });
        Ask::post("/v1/redemptions", body).key(key)
    }

    fn pay(&self, points: i64, key: &str) -> Ask {
        let body = json!({ "member": { "phone": "+4915112345678" }, "reward_id": "pay", "points": points,
                           "currency": "EUR" });
        Ask::post("/v1/redemptions", body).key(key)
    }

    fn end(&self, redemption: &str, how: &str, body: Value, key: &str) -> Ask {
        Ask::post(format!("/v1/redemptions/{redemption}/{how}"), body).key(key)
    }

    fn purchase_paid_with(&self, order: &str, redemption: &str) -> Ask {
        let mut body = self.order(order, Some(json!({ "member_id": self.ada })));
        body["paid_with"] = json!([redemption]);
        Ask::post("/v1/purchases", body)
    }

    fn use_voucher(&self, code: &str) -> Ask {
        Ask::post("/v1/vouchers/redeem", json!({ "code": code, "channel": "till-3", "order_id": "O-1" }))
    }

    fn adjust(&self, points: i64, key: &str) -> Ask {
        let body =
            json!({ "member": { "member_id": self.ada }, "points": points, "reason": "goodwill", "note": "a word" });
        Ask::post("/v1/adjustments", body).key(key)
    }
}

fn program() -> Value {
    let mut program = example_program();
    program["earning_rules"].as_array_mut().unwrap().extend([
        json!({ "id": "cellar-card", "on": "purchase", "when": { "store": ["cellar"] }, "award": { "points": 40 },
                "goal": { "count": 2, "of": "purchases", "repeat": true } }),
        json!({ "id": "attic-card", "on": "purchase", "when": { "store": ["attic"] }, "award": { "points": 60 },
                "goal": { "count": 2, "of": "units of selected lines", "within_days": 30 } }),
        json!({ "id": "regular", "on": "activity", "activity": "check_in", "award": { "badge": "regular" },
                "goal": { "count": 2, "of": "activities" } }),
    ]);
    program
}

fn ada() -> Value {
    json!({ "external_id": "crm-ada", "email": "ada@example.com", "phone": "+4915112345678", "given_name": "Ada",
            "tags": ["staff"] })
}

/// What is left of a run: the table, the status, and what the client was told.
#[derive(Debug, PartialEq)]
struct Left {
    table: BTreeMap<String, String>,
    told: String,
}

/// One run of a command.
struct Run {
    shop: Shop,
    left: Left,
    /// How many calls it made to the store.
    calls: usize,
    ended: Ended,
}

/// Sends a command in a copy of a shop while a plan is armed.
async fn run(shop: &Shop, command: fn(&Shop) -> Ask, plan: Plan) -> Run {
    let shop = shop.copy().await;
    let ask = command(&shop);
    // It starts cold: the look-up of the program is among the calls.
    shop.stack.faults.arm(plan);
    let ended = ask.persist(&shop.stack).await;
    shop.stack.faults.disarm();
    let items = items(&shop.stack).await;
    let names = aliases(&items);
    let mut body = ended.answer.body.clone();
    forget_entry_ids(&mut body);
    let left = Left { table: dump_of(&items, &names), told: aliased(&names, body.to_string()) };
    Run { calls: shop.stack.faults.seen(), shop, left, ended }
}

/// An entry's id follows from its member's id, and so is another one in another run; a request id always is.
fn forget_entry_ids(body: &mut Value) {
    match body {
        Value::Object(members) => {
            members.remove("entry_id");
            members.remove("request_id");
            members.values_mut().for_each(forget_entry_ids);
        }
        Value::Array(items) => items.iter_mut().for_each(forget_entry_ids),
        _ => {}
    }
}

/// The one way in which every command is tried.
async fn survives_every_fault(command: fn(&Shop) -> Ask, status: u16) {
    let shop = Shop::open().await;
    let calm = run(&shop, command, Plan::script([])).await;
    assert_eq!(calm.ended.answer.status.as_u16(), status, "{}", calm.ended.answer.body);
    // Whatever equals this run balances as it does.
    must_balance(&calm.shop.stack).await;
    let compare = |run: Run, what: String| {
        let got = run.ended.answer.status.as_u16();
        // An enrolment that is recognised says 200.
        assert!(got == status || (status == 201 && got == 200 && run.ended.answer.replayed()), "{what}: {got}");
        assert_eq!(run.left, calm.left, "{what}");
    };
    for fault in Fault::ALL {
        // Up to its fault a run makes the calls of the calm one, so beyond these there is none to be met.
        for call in 0..calm.calls {
            let run = run(&shop, command, Plan::nth(call, fault)).await;
            assert!(run.calls >= calm.calls);
            compare(run, format!("{fault:?} at call {call}"));
        }
    }
    let seed: u64 = rand::random();
    println!("pairs of seed {seed}");
    let mut rng = StdRng::seed_from_u64(seed);
    for _ in 0..PAIRS {
        let first = rng.random_range(0..calm.calls);
        let second = first + rng.random_range(1..=2);
        let mut any = || Fault::ALL[rng.random_range(0..Fault::ALL.len())];
        let faults = [(first, any()), (second, any())];
        compare(run(&shop, command, Plan::script(faults)).await, format!("{faults:?}"));
    }
}

macro_rules! commands {
    ($($name:ident $status:literal $command:expr;)*) => {
        $(#[tokio::test]
        async fn $name() {
            survives_every_fault($command, $status).await;
        })*
    };
}

commands! {
    an_enrolment 201 |_| Ask::post("/v1/members", json!({ "external_id": "crm-new", "phone": "+4915100000001" }));
    a_repeated_enrolment 200 |_| Ask::post("/v1/members", ada());
    an_enrolment_under_a_taken_identity 409 |_| Ask::post("/v1/members", json!({ "phone": "+4915112345678" }));
    a_look_up 200 |_| Ask::post("/v1/members/lookup", json!({ "phone": "+4915112345678" }));
    a_look_up_of_somebody_unknown 404 |_| Ask::post("/v1/members/lookup", json!({ "phone": "+4915100000002" }));
    a_change_of_a_person 200 |shop| Ask::with("PATCH", shop.of_ada(""),
        json!({ "email": "new@example.com", "card_number": "9000000001", "tags": [] }));
    a_change_that_only_the_profile_keeps 200 |shop| Ask::with("PATCH", shop.of_ada(""), json!({ "given_name": "Augusta" }));
    a_deactivation 200 |shop| Ask::bare("POST", shop.of_ada("/deactivate"));
    a_reactivation 200 |shop| Ask::bare("POST", format!("/v1/members/{}/reactivate", shop.paused));
    an_erasure_with_notes 204 |shop| Ask::bare("DELETE", shop.of_ada(""));
    an_export 200 |shop| Ask::get(shop.of_ada("/export"));
    a_purchase 201 |shop| shop.purchase("A-2", Some(json!({ "member_id": shop.ada })));
    a_purchase_by_phone 201 |shop| shop.purchase("A-2", Some(json!({ "phone": "+4915112345678" })));
    a_repeated_purchase 201 |shop| shop.purchase("A-1", Some(json!({ "member_id": shop.ada })));
    a_purchase_under_a_used_order_id 422 |shop| shop.purchase("A-1", Some(json!({ "phone": "+4915112345678" })));
    a_purchase_of_a_paused_member 409 |shop| shop.purchase("A-2", Some(json!({ "member_id": shop.paused })));
    a_guests_purchase 201 |shop| shop.purchase("G-2", None);
    a_quote 200 |shop| Ask::post("/v1/purchases/quote", shop.order("A-2", Some(json!({ "email": "ada@example.com" }))));
    a_look_at_a_purchase 200 |_| Ask::get("/v1/purchases/web/A-1");
    a_refund 201 |shop| shop.refund("A-1");
    a_refund_of_a_guests_purchase 201 |shop| shop.refund("G-1");
    a_claim 201 |shop| shop.claim(6_050);
    a_claim_of_a_wrong_total 422 |shop| shop.claim(1);
    an_adjustment_upwards 201 |shop| shop.adjust(25, "k-1");
    an_adjustment_downwards 201 |shop| shop.adjust(-25, "k-1");
    an_adjustment_beyond_the_balance 409 |shop| shop.adjust(-10_000, "k-1");
    an_activity_with_attributes 201 |shop| shop.activity("rev-2", "product_review");
    an_activity_without_points 201 |shop| Ask::post("/v1/activities", json!({ "source": "app", "activity_id": "rev-2",
        "member": { "member_id": shop.ada }, "type": "product_review", "occurred_at": NOW }));
    a_repeated_activity 201 |shop| shop.activity("rev-1", "product_review");
    an_activity_under_a_used_id 422 |shop| shop.activity("rev-1", "check_in");
    an_activity_of_an_unknown_type 422 |shop| shop.activity("moon-1", "moon_landing");
    an_activity_of_a_paused_member 409 |shop| Ask::post("/v1/activities", json!({ "source": "app", "activity_id": "rev-2",
        "member": { "member_id": shop.paused }, "type": "product_review", "occurred_at": NOW }));
    an_activity_that_completes_a_goal 201 completes_by_activity;
    a_purchase_that_completes_a_goal 201 completes_by_purchase;
    a_refund_that_takes_a_goal_back 201 takes_back;
    a_grant_of_a_level 201 |shop| shop.lend("gold", "k-1");
    a_repeated_grant_of_a_level 201 |shop| shop.lend("gold", "lent");
    a_grant_of_an_unknown_level 422 |shop| shop.lend("diamond", "k-1");
    a_look_at_the_progress 200 |shop| Ask::get(shop.of_ada("/progress"));
    a_redemption_with_voucher_stock_and_limit 201 |shop| shop.redeem("mug", "k-1");
    a_hold 201 |shop| shop.pay(200, "k-1");
    a_repeated_redemption 201 |shop| shop.redeem("mug", "mug");
    a_redemption_under_a_used_key 422 |shop| shop.redeem("mug", "held");
    a_redemption_beyond_the_balance 409 |shop| shop.pay(90_000, "k-1");
    a_redemption_of_an_unknown_reward 422 |shop| shop.redeem("castle", "k-1");
    a_capture 200 |shop| shop.end(&shop.spent.held, "capture", json!({}), "k-1");
    a_capture_of_a_part 200 |shop| shop.end(&shop.spent.held, "capture", json!({ "points": 50 }), "k-1");
    a_repeated_capture 200 |shop| shop.end(&shop.spent.captured, "capture", json!({}), "done");
    a_capture_of_what_is_captured 409 |shop| shop.end(&shop.spent.captured, "capture", json!({}), "k-1");
    a_cancellation_of_a_hold 200 |shop| shop.end(&shop.spent.held, "cancel", json!({}), "k-1");
    a_cancellation_of_what_is_fulfilled 200 |shop| shop.end(&shop.spent.mug, "cancel", json!({}), "k-1");
    a_cancellation_of_what_paid 409 |shop| shop.end(&shop.spent.paid, "cancel", json!({}), "k-1");
    a_use_of_a_voucher 200 |shop| shop.use_voucher(&shop.spent.code);
    a_use_of_an_unknown_voucher 404 |shop| shop.use_voucher("0000-0000-0000-0000-0");
    a_look_up_of_a_voucher 200 |shop| Ask::post("/v1/vouchers/lookup", json!({ "code": shop.spent.code }));
    a_purchase_paid_with_points 201 |shop| shop.purchase_paid_with("P-2", &shop.spent.captured);
    a_purchase_paid_with_what_is_held 422 |shop| shop.purchase_paid_with("P-2", &shop.spent.held);
    a_refund_of_what_was_paid_with_points 201 |shop| shop.refund("P-1");
    a_catalogue 200 |_| Ask::get("/v1/rewards");
    a_members_catalogue 200 |shop| Ask::get(shop.of_ada("/rewards"));
    a_list_of_redemptions 200 |shop| Ask::get(shop.of_ada("/redemptions"));
    a_look_at_a_redemption 200 |shop| Ask::get(format!("/v1/redemptions/{}", shop.spent.mug));
    a_picture_of_a_voucher 200 |shop| Ask::get(format!("/v1/redemptions/{}/qr.svg", shop.spent.mug));
    a_publish 201 |_| Ask::with("PUT", "/v1/program", renamed());
    a_guarded_publish 201 |_| Ask::with("PUT", "/v1/program", renamed()).header("if-match", "\"1\"");
    a_look_at_the_program 200 |_| Ask::get("/v1/program");
    an_account 200 |shop| Ask::get(shop.of_ada("/account"));
    a_ledger 200 |shop| Ask::get(shop.of_ada("/ledger"));
}

fn completes_by_activity(shop: &Shop) -> Ask {
    shop.activity("in-2", "check_in")
}

fn completes_by_purchase(shop: &Shop) -> Ask {
    shop.purchase_in("S-3", "cellar")
}

fn takes_back(shop: &Shop) -> Ask {
    shop.refund("S-2")
}

/// Those above are no tests of goals unless they reach and lose them.
#[tokio::test]
async fn the_commands_about_goals_reach_and_lose_them() {
    let shop = Shop::open().await;
    for (command, kinds) in [
        (completes_by_activity as fn(&Shop) -> Ask, vec!["bonus", "goal"]),
        (completes_by_purchase, vec!["earn", "goal", "bonus"]),
        (takes_back, vec!["clawback", "clawback"]),
    ] {
        let answer = command(&shop).once(&shop.stack).await.expect(201);
        let entries = answer["entries"].as_array().unwrap();
        assert_eq!(entries.iter().map(|entry| entry["kind"].as_str().unwrap()).collect::<Vec<_>>(), kinds, "{answer}");
    }
}

fn renamed() -> Value {
    let mut program = program();
    program["name"] = json!("Renamed");
    program
}
