//! Wrong codes are counted in the table, by caller, store and minute.

use crate::kit::{Desk, code, mug, refused};
use it::stack::{Answered, STAFF, Stack, TABLE, TestWorld, claims};
use loyalty_domain::voucher::Code;
use loyalty_http::{App, Cursors, Surroundings};
use loyalty_store::{Engine, Secrets, Table};
use serde_json::{Value, json};
use std::sync::Arc;

fn wrong(number: u8) -> String {
    Code::new([number; 10]).to_string()
}

async fn uses(stack: &Stack, caller: &str, channel: &str, code: &str) -> Answered {
    let mut claims = claims(STAFF);
    claims.insert("sub".to_owned(), caller.to_owned());
    let body = json!({ "code": code, "channel": channel, "order_id": "O-1" });
    stack.send_as(&claims, "POST", "/v1/vouchers/redeem", &[], Some(body.to_string().into_bytes())).await
}

/// Another copy of the function, on the same table.
fn sibling(stack: &Stack) -> Stack {
    let world: Arc<TestWorld> = Arc::clone(&stack.world);
    let ids = Arc::clone(&world);
    let secrets = Secrets::new(&[b"a secret for tests"], &[b"another for vouchers"]);
    let client = stack.engine.table().client().clone();
    let engine = Engine::new(Table::new(client, TABLE, secrets, Arc::new(move || ids.ulid())));
    let surroundings: Arc<dyn Surroundings> = world;
    let app = App { engine: engine.clone(), surroundings, cursors: Cursors::new(b"cursors") };
    Stack { router: redeem::router(app), engine, ..stack.clone() }
}

#[tokio::test]
async fn after_ten_wrong_codes_in_a_minute_every_code_is_a_429_and_after_it_they_are_tried_again() {
    let desk = Desk::open(json!([mug()])).await;
    let right = code(&desk.redeem("k", "mug").await.expect(201));
    for number in 0..10 {
        refused(&uses(&desk.stack, "till-1", "shop", &wrong(number)).await, 404, "voucher_unknown");
    }
    for code in [wrong(11), right.clone()] {
        let answer = uses(&desk.stack, "till-1", "shop", &code).await;
        refused(&answer, 429, "too_many_requests");
        assert_eq!(
            (answer.headers["retry-after"].to_str().unwrap(), &answer.body["retryable"]),
            ("60", &Value::Bool(true))
        );
    }
    // Another store and another caller have counts of their own.
    refused(&uses(&desk.stack, "till-1", "web", &wrong(1)).await, 404, "voucher_unknown");
    refused(&uses(&desk.stack, "till-2", "shop", &wrong(1)).await, 404, "voucher_unknown");
    desk.stack.set_clock("2026-11-21T10:01:00Z");
    uses(&desk.stack, "till-1", "shop", &right).await.expect(200);
}

#[tokio::test]
async fn copies_of_the_function_count_together() {
    let desk = Desk::open(json!([mug()])).await;
    let right = code(&desk.redeem("k", "mug").await.expect(201));
    let copies = [desk.stack.clone(), sibling(&desk.stack)];
    for number in 0..10 {
        let copy = &copies[usize::from(number) % 2];
        refused(&uses(copy, "till-1", "shop", &wrong(number)).await, 404, "voucher_unknown");
    }
    for copy in &copies {
        refused(&uses(copy, "till-1", "shop", &right).await, 429, "too_many_requests");
    }
}

#[tokio::test]
async fn of_many_wrong_codes_at_once_ten_are_answered() {
    let desk = Desk::open(json!([mug()])).await;
    let copies = [desk.stack.clone(), sibling(&desk.stack)];
    let mut running = tokio::task::JoinSet::new();
    for number in 0..40 {
        let stack = copies[usize::from(number) % 2].clone();
        running.spawn(async move { uses(&stack, "till-1", "shop", &wrong(number)).await.status.as_u16() });
    }
    let statuses = running.join_all().await;
    assert_eq!(statuses.iter().filter(|status| **status == 404).count(), 10);
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 30);
}

#[tokio::test]
async fn looking_up_is_counted_too_and_mistyped_and_right_codes_are_not() {
    let desk = Desk::open(json!([mug()])).await;
    let right = code(&desk.redeem("k", "mug").await.expect(201));
    for number in 0..10 {
        desk.look_up(&right).await.expect(200);
        desk.look_up("0000-0000-0000-0000-1").await.expect(422);
        refused(&desk.look_up(&wrong(number)).await, 404, "voucher_unknown");
    }
    refused(&desk.look_up(&right).await, 429, "too_many_requests");
    desk.use_for(&right, "O-1").await.expect(200);
}
