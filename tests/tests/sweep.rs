//! What falls due is found and written, whatever the hour at which somebody looks, and nothing else is touched.

use it::books::must_balance;
use it::client::Ask;
use it::stack::{Stack, example_program};
use loyalty_domain::calendar::Moment;
use loyalty_domain::draft::SYSTEM;
use loyalty_store::Call;
use loyalty_store::due::Swept;
use loyalty_store::keys::SHARDS;
use serde_json::{Value, json};

const OPENED: &str = "2026-11-21T10:00:00Z";

async fn sweep(stack: &Stack) -> Swept {
    let now = Moment::parse(&stack.now()).unwrap();
    let call = Call { program: "main".parse().unwrap(), actor: SYSTEM.to_owned(), now };
    let mut all = Swept::default();
    for shard in 0..SHARDS {
        all = all.and(stack.engine.sweep(&call, shard).await.unwrap());
    }
    all
}

async fn buy(stack: &Stack, id: &str, member: &str, cents: i64) {
    let body = json!({ "channel": "web", "order_id": id, "member": {"member_id": member}, "occurred_at": stack.now(),
        "currency": "EUR", "lines": [{"line_id": "1", "quantity": 1, "net_amount": cents}] });
    Ask::with("POST", "/v1/purchases", body).once(stack).await.expect(201);
}

async fn kinds(stack: &Stack, member: &str) -> Vec<(String, i64)> {
    let ledger = Ask::bare("GET", format!("/v1/members/{member}/ledger")).once(stack).await.expect(200);
    let entry = |entry: &Value| (entry["kind"].as_str().unwrap().to_owned(), entry["points"].as_i64().unwrap());
    ledger["entries"].as_array().unwrap().iter().map(entry).collect()
}

#[tokio::test]
async fn notices_come_before_expiries_however_late_the_sweep_is_and_twice_is_as_good_as_once() {
    let stack = Stack::with_program(OPENED, &example_program()).await;
    let ada = stack.enrol("crm-ada").await;
    buy(&stack, "A-1", &ada, 4_000).await;
    assert_eq!(sweep(&stack).await, Swept::default(), "nothing is due");

    // The points end with November of the next year; notice is due 30 days before, and nobody looked for two months.
    stack.world.stand_at("2028-01-15T12:00:00Z");
    assert_eq!(sweep(&stack).await, Swept { accounts: 1, entries: 1, ..Swept::default() });
    assert_eq!(kinds(&stack, &ada).await[0], ("notice".to_owned(), 0));
    assert_eq!(sweep(&stack).await, Swept::default(), "a second run finds nothing");

    stack.world.stand_at("2028-02-14T11:59:59Z");
    assert_eq!(sweep(&stack).await.entries, 0, "thirty days after the notice was recorded, not before");
    stack.world.stand_at("2028-02-14T12:00:00Z");
    assert_eq!(sweep(&stack).await.entries, 1);
    assert_eq!(kinds(&stack, &ada).await[0], ("expire".to_owned(), -90));
    must_balance(&stack).await;
}

#[tokio::test]
async fn a_sweep_reads_and_writes_only_for_those_who_are_due() {
    let stack = Stack::with_program(OPENED, &example_program()).await;
    let mut members = Vec::new();
    for number in 0..20 {
        members.push(stack.enrol(&format!("crm-{number}")).await);
    }
    stack.world.stand_at("2027-03-01T10:00:00Z");
    buy(&stack, "late", &members[7], 1_000).await;
    // All welcome points are due for notice; what was bought in March is not.
    stack.world.stand_at("2027-11-05T10:00:00Z");
    assert_eq!(sweep(&stack).await, Swept { accounts: 20, entries: 20, ..Swept::default() });
    assert_eq!(kinds(&stack, &members[7]).await.iter().filter(|(kind, _)| kind == "notice").count(), 1);
    must_balance(&stack).await;
}

#[tokio::test]
async fn holds_lapse_by_the_sweep_and_bring_their_stock_back() {
    let mut program = example_program();
    program["rewards"] = json!([{"id": "seat", "name": "Seat", "kind": "experience", "points": 40, "settle": "hold",
        "hold_minutes": 30, "stock": 1}]);
    let stack = Stack::with_program(OPENED, &program).await;
    let (ada, bob) = (stack.enrol("crm-ada").await, stack.enrol("crm-bob").await);
    let redeem = |member: &str, key: &str| {
        let body = json!({"member": {"member_id": member}, "reward_id": "seat"});
        Ask::with("POST", "/v1/redemptions", body).header("idempotency-key", key)
    };
    redeem(&ada, "k-1").once(&stack).await.expect(201);
    assert_eq!(redeem(&bob, "k-2").once(&stack).await.code(), "reward_unavailable");
    stack.world.stand_at("2026-11-21T10:30:00Z");
    assert_eq!(sweep(&stack).await, Swept { accounts: 1, entries: 1, ..Swept::default() });
    assert_eq!(kinds(&stack, &ada).await[0], ("release".to_owned(), 40));
    redeem(&bob, "k-3").once(&stack).await.expect(201);
    must_balance(&stack).await;
}

#[tokio::test]
async fn the_holder_of_an_unused_voucher_is_told_a_week_before_it_expires_once() {
    let mut program = example_program();
    program["rewards"] = json!([{"id": "mug", "name": "Mug", "kind": "product", "points": 40, "settle": "immediately",
        "voucher_days": 60}]);
    let stack = Stack::with_program(OPENED, &program).await;
    let ada = stack.enrol("crm-ada").await;
    let body = json!({"member": {"member_id": ada}, "reward_id": "mug"});
    let made =
        Ask::with("POST", "/v1/redemptions", body).header("idempotency-key", "k-1").once(&stack).await.expect(201);
    assert_eq!(made["voucher"]["expires_at"], "2027-01-20T23:00:00Z");
    stack.world.stand_at("2027-01-13T22:00:00Z");
    assert_eq!(sweep(&stack).await, Swept::default());
    stack.world.stand_at("2027-01-13T23:00:00Z");
    assert_eq!(sweep(&stack).await, Swept { reminders: 1, ..Swept::default() });
    assert_eq!(sweep(&stack).await, Swept::default());
}
