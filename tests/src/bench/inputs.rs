//! Programs, purchases and accounts of a given size, the same in every run.

use loyalty_domain::account::Account;
use loyalty_domain::calendar::Moment;
use loyalty_domain::draft::Draft;
use loyalty_domain::id::MemberId;
use loyalty_domain::json::{Faults, Json, Path, parse};
use loyalty_domain::membership::{Joining, enrol};
use loyalty_domain::program::{Program, Version};
use loyalty_domain::programs::Programs;
use loyalty_domain::purchase::{Order, record};
use loyalty_domain::requests;
use serde_json::{Value, json};
use std::sync::Arc;
use ulid::Ulid;

/// Lines of the reference purchase.
pub const LINES: usize = 10;
/// Rules of a program in use.
pub const RULES: usize = 20;
/// Categories that rules of large programs name.
const CATEGORIES: usize = 1_000;
/// Categories of one purchase, however many lines it has.
const BOUGHT: usize = 10;

/// The middle of a month, so many months after January 2026: each has a lot of its own.
pub fn month(number: usize) -> String {
    format!("{}-{:02}-15T10:00:00Z", 2026 + number / 12, number % 12 + 1)
}

/// A program of so many purchase rules of all kinds, each with a condition of its own. Every rule has to look at every
/// line; each line is selected by up to three of them. Points live for five years and end with a month.
pub fn program(rules: usize) -> Value {
    let rules: Vec<Value> = (0..rules).map(rule).collect();
    json!({
        "name": "Measured", "time_zone": "Europe/Berlin", "rounding": "floor",
        "points": { "pending_days": 0, "expiry": { "after_months": 60, "snap": "end_of_month" }, "notice_days": 30,
                    "clawback": { "beyond_lot": "other_lots", "shortfall": "debt" }, "late_purchase_days": 30 },
        "earning_rules": rules,
        // Out of reach: nothing but the purchase itself is to happen.
        "tiers": { "qualify_by": "points_earned", "period": "calendar_year",
                   "levels": [{ "id": "green", "from": 0 }, { "id": "gold", "from": 900_000_000, "multiply": "1.25" }] },
    })
}

fn rule(number: usize) -> Value {
    let categories: Vec<String> = (number..number + 3).map(|number| format!("cat-{}", number % CATEGORIES)).collect();
    let lines = json!({ "line_category": categories });
    let (when, award) = match number % 4 {
        0 => (lines, json!({ "per_amount": { "points": "1", "amount": 100, "currency": "EUR" } })),
        1 => (
            json!({ "all": [{ "local_weekday": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] }, lines] }),
            json!({ "multiply": "2" }),
        ),
        2 => (
            json!({ "any": [{ "line_sku": [format!("sku-{number}")] }, lines] }),
            json!({ "per_amount": { "points": "1.5", "amount": 200, "currency": "EUR" } }),
        ),
        _ => (
            json!({ "all": [{ "net_total_at_least": { "amount": 100, "currency": "EUR" } }, lines] }),
            json!({ "points": 5 }),
        ),
    };
    let mut rule = json!({ "id": format!("rule-{number}"), "on": "purchase", "when": when, "award": award });
    if number.is_multiple_of(10) {
        rule["limit"] = json!({ "times": 1_000_000, "per": "year" });
    }
    rule
}

/// A purchase of so many lines under a program of so many rules. More lines select the same rules.
pub fn purchase(order_id: &str, member: &str, occurred_at: &str, lines: usize, rules: usize) -> Value {
    let apart = rules.min(CATEGORIES) / BOUGHT;
    let lines: Vec<Value> = (0..lines)
        .map(|number| {
            json!({ "line_id": format!("{}", number + 1), "sku": format!("article-{number}"),
                    "categories": [format!("cat-{}", number % BOUGHT * apart)], "quantity": 2, "net_amount": 1_000 + number })
        })
        .collect();
    json!({ "channel": "web", "order_id": order_id, "member": { "member_id": member },
            "occurred_at": occurred_at, "currency": "EUR", "store": "berlin-1", "lines": lines })
}

/// Reads a purchase as the engine does.
pub fn order(purchase: &Value) -> Order {
    let mut faults = Faults::default();
    let json = parse(purchase.to_string().as_bytes()).unwrap();
    requests::purchase(&json, &Path::ROOT, &mut faults).unwrap().0
}

/// Reads a program as the engine does when it loads one.
pub fn load(document: &[u8]) -> Program {
    let json: Json = parse(document).unwrap();
    Program::from_json(&json).unwrap()
}

/// A program as the only version there is.
pub fn programs(program: Program) -> Programs {
    let effective_from = Moment::from_millis(0);
    let mut programs = Programs::new(vec![effective_from]);
    programs.add(Arc::new(Version { number: 1, effective_from, program }));
    programs
}

/// The moment of a time that is written right.
pub fn moment(text: &str) -> Moment {
    Moment::parse(text).unwrap()
}

/// An account that bought something in each of so many months up to this one, and so has that many lots.
pub fn account(programs: &Programs, lots: usize) -> Account {
    let member = MemberId::new(Ulid::from_parts(1, 1));
    let joining = Joining { member, zone: None, tags: Vec::new() };
    let mut account = enrol(joining, programs, moment(&month(0)), "bench").unwrap().account;
    for number in months(lots) {
        let now = month(number);
        let order = order(&purchase(&format!("A-{number}"), &member.to_string(), &now, LINES, RULES));
        let mut draft = Draft::new(account, programs, moment(&now), "bench").unwrap();
        draft.settle().unwrap();
        account = record(draft, programs, &order, [0; 16]).unwrap().posted.account;
    }
    assert_eq!(account.lots.count(), lots);
    account
}

/// The last month in which anything is bought.
pub const LAST_MONTH: usize = 40;

/// The months in which an account of so many lots bought something.
pub fn months(lots: usize) -> std::ops::RangeInclusive<usize> {
    LAST_MONTH + 1 - lots..=LAST_MONTH
}
