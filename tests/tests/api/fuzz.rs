//! Any bytes at all, and bodies that are almost right: never a 500, so never a panic either, which would be one.
//!
//! How long: `PROPTEST_CASES=100000 cargo test -p it --test api --release fuzz`. What fails is made small and printed, and
//! its seed is kept in `tests/proptest-regressions/api.txt`, which is tried first in every later run.

use crate::bad_bodies::{NOW, send, stack};
use it::stack::{Answered, Stack, example_program};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, FileFailurePersistence, TestRunner};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

/// What a mutation puts in, as JSON text.
const PIECES: [&str; 36] = [
    "null",
    "true",
    "0",
    "-1",
    "1",
    "1e400",
    "1.5",
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551616",
    "\"\"",
    "\"\\u0000\"",
    "\"😀\"",
    "[]",
    "{}",
    "[[]]",
    "{\"a\":1}",
    "\"EUR\"",
    "\"JPY\"",
    "\"2026-11-21T10:00:00Z\"",
    "\"1/3\"",
    "\"1e9\"",
    "\"0.000000001\"",
    "\"999999999999999999999999999999\"",
    "\"-1\"",
    "\"never\"",
    "\"ever\"",
    "\"24:00\"",
    "\"Europe/Berlin\"",
    "{\"all\":[]}",
    "{\"not\":{\"any\":[]}}",
    "{\"points\":1}",
    "{\"multiply\":\"1.000000001\"}",
    "[1,2,3]",
    "\"purchase\"",
    "\"enrolment\"",
];

fn config() -> Config {
    // The path is looked for from the package's folder, where cargo runs tests.
    let kept = FileFailurePersistence::Direct("proptest-regressions/api.txt");
    Config { failure_persistence: Some(Box::new(kept)), ..Config::default() }
}

/// Runs a property against one stack.
fn check<S: Strategy>(strategy: S, property: impl Fn(&Runtime, &Stack, S::Value) -> Result<(), TestCaseError>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let stack = runtime.block_on(stack());
    let outcome = TestRunner::new(config()).run(&strategy, |value| property(&runtime, &stack, value));
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}

fn never_our_fault(answer: &Answered, body: &[u8]) -> Result<(), TestCaseError> {
    let status = answer.status.as_u16();
    prop_assert!((200..500).contains(&status), "{status} to {}", String::from_utf8_lossy(body));
    if status >= 400 {
        prop_assert!(answer.body["code"].is_string(), "{}", answer.body);
    }
    Ok(())
}

/// Bytes of a good document with pieces cut out, doubled, and put in.
fn mangled(document: &Value) -> impl Strategy<Value = Vec<u8>> + use<> {
    let whole = document.to_string().into_bytes();
    let edit = (
        any::<prop::sample::Index>(),
        0..12_usize,
        prop_oneof![
            vec(any::<u8>(), 0..4),
            prop::sample::select(PIECES.to_vec()).prop_map(|piece| piece.as_bytes().to_vec()),
            prop::sample::select(vec!["{", "}", "[", "]", ",", ":", "\"", "\\", "\\ud800", "-", "e9", "0"])
                .prop_map(|piece| piece.as_bytes().to_vec()),
        ],
    );
    vec(edit, 1..5).prop_map(move |edits| {
        edits.into_iter().fold(whole.clone(), |mut bytes, (at, cut, put)| {
            let from = at.index(bytes.len() + 1);
            let to = (from + cut).min(bytes.len());
            bytes.splice(from..to, put);
            bytes
        })
    })
}

/// A good document in which some places, of any depth, hold something else, or are gone, or stand twice.
fn bent(document: &Value) -> impl Strategy<Value = Value> + use<> {
    let document = document.clone();
    let edit = (any::<prop::sample::Index>(), 0..4_u8, prop::sample::select(PIECES.to_vec()));
    vec(edit, 1..6).prop_map(move |edits| {
        edits.into_iter().fold(document.clone(), |mut document, (at, how, piece)| {
            let places = places(&document, String::new());
            let pointer = at.get(&places);
            // A number that JSON's own reader cannot hold is put in as text.
            let value = serde_json::from_str(piece).unwrap_or_else(|_| json!(piece));
            let (parent, name) = pointer.rsplit_once('/').unwrap_or(("", ""));
            match (how, document.pointer_mut(parent)) {
                (0, Some(Value::Object(fields))) => drop(fields.remove(name)),
                (1, Some(Value::Array(items))) if items.len() < 50 => {
                    items.push(items.first().cloned().unwrap_or(value))
                }
                _ => *document.pointer_mut(pointer).unwrap() = value,
            }
            document
        })
    })
}

fn places(value: &Value, at: String) -> Vec<String> {
    let below: Vec<String> = match value {
        Value::Object(fields) => {
            fields.iter().flat_map(|(name, value)| places(value, format!("{at}/{name}"))).collect()
        }
        Value::Array(items) => {
            items.iter().enumerate().flat_map(|(index, item)| places(item, format!("{at}/{index}"))).collect()
        }
        _ => Vec::new(),
    };
    [vec![at], below].concat()
}

fn purchase() -> Value {
    json!({
        "channel": "web", "order_id": "B-1", "member": { "external_id": "m" }, "occurred_at": NOW, "currency": "EUR", "store": "s",
        "lines": [{ "line_id": "1", "sku": "a", "categories": ["c", "d"], "quantity": 2, "net_amount": 1050 },
                  { "line_id": "2", "quantity": 1, "net_amount": 0 }],
    })
}

/// A program with every kind of rule, condition and offer.
fn program() -> Value {
    let mut program = example_program();
    let more = json!([
        { "id": "every", "on": "purchase", "award": { "points": 3 }, "limit": { "times": 2, "per": "day" },
          "when": { "any": [
              { "not": { "tier": ["gold"] } }, { "tag": ["vip"] }, { "channel": ["web"] }, { "store": ["s"] }, { "line_sku": ["a"] },
              { "local_time": { "from": "17:00", "to": "19:00" } }, { "first_purchase": true }, { "member_days_at_least": 3 } ] } },
        { "id": "times", "on": "purchase", "award": { "multiply": "1.5" }, "when": { "line_category": ["c"] } },
    ]);
    program["earning_rules"].as_array_mut().unwrap().extend(more.as_array().unwrap().iter().cloned());
    program
}

const PURCHASES: [&str; 2] = ["/v1/purchases", "/v1/purchases/quote"];

fn sends_to(paths: [&'static str; 2]) -> impl Fn(&Runtime, &Stack, Vec<u8>) -> Result<(), TestCaseError> {
    move |runtime, stack, body| {
        for path in paths {
            let answer = runtime.block_on(send(stack, "k", "POST", path, body.clone()));
            never_our_fault(&answer, &body)?;
        }
        Ok(())
    }
}

#[test]
fn any_bytes_are_answered() {
    let bytes = prop_oneof![vec(any::<u8>(), 0..200), "\\PC{0,60}".prop_map(String::into_bytes)];
    check(bytes, |runtime, stack, body| {
        sends_to(PURCHASES)(runtime, stack, body.clone())?;
        sends_to(["/v1/program/validate", "/v1/members"])(runtime, stack, body)
    });
}

#[test]
fn a_mangled_purchase_is_answered() {
    check(mangled(&purchase()), sends_to(PURCHASES));
}

#[test]
fn a_bent_purchase_is_answered() {
    check(bent(&purchase()), |runtime, stack, body| sends_to(PURCHASES)(runtime, stack, body.to_string().into_bytes()));
}

#[test]
fn a_mangled_program_is_answered() {
    check(mangled(&program()), sends_to(["/v1/program/validate", "/v1/program/validate"]));
}

/// A program that is found good is published, enrols a member and judges a purchase and its refund, whatever it says.
#[test]
fn a_bent_program_is_refused_or_works() {
    check(bent(&program()), |runtime, _, document| {
        let body = document.to_string().into_bytes();
        runtime.block_on(async {
            let stack = Stack::empty(NOW).await;
            let answer = send(&stack, "k", "POST", "/v1/program/validate", body.clone()).await;
            never_our_fault(&answer, &body)?;
            if !answer.status.is_success() {
                return Ok(());
            }
            let refund = json!({ "refund_id": "R", "occurred_at": NOW, "lines": [{ "line_id": "1", "quantity": 1 }] });
            for (method, path, step) in [
                ("PUT", "/v1/program", document.clone()),
                ("POST", "/v1/members", json!({ "external_id": "m", "tags": ["vip"] })),
                ("POST", "/v1/purchases", purchase()),
                ("POST", "/v1/purchases/web/B-1/refunds", refund),
            ] {
                let answer = send(&stack, "k", method, path, step.to_string().into_bytes()).await;
                prop_assert_eq!(answer.status.as_u16(), 201, "{} {} under {}", path, answer.body, document);
            }
            Ok(())
        })
    });
}
