//! What several of these tests ask for.

use aws_sdk_dynamodb::types::AttributeValue;
use it::stack::{Answered, Stack, TABLE};
use loyalty_domain::id::{MemberId, ProgramId};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};

/// The whole table, past the fault layer: key → item in one stable text.
pub async fn dump(stack: &Stack) -> BTreeMap<String, String> {
    let client = stack.embedded.client();
    let mut pages = client.scan().table_name(TABLE).consistent_read(true).into_paginator().items().send();
    let mut dump = BTreeMap::new();
    while let Some(item) = pages.next().await {
        let item: BTreeMap<String, AttributeValue> = item.unwrap().into_iter().collect();
        dump.insert(format!("{:?} {:?}", item["pk"], item["sk"]), format!("{item:?}"));
    }
    dump
}

/// Every byte of every attribute of the table, one after the other.
pub async fn bytes(stack: &Stack) -> Vec<u8> {
    fn add(value: &AttributeValue, all: &mut Vec<u8>) {
        match value {
            AttributeValue::S(text) | AttributeValue::N(text) => all.extend(text.bytes()),
            AttributeValue::B(bytes) => all.extend(bytes.as_ref()),
            other => panic!("an attribute of a kind that nobody writes: {other:?}"),
        }
        all.push(0);
    }
    let client = stack.embedded.client();
    let mut pages = client.scan().table_name(TABLE).into_paginator().items().send();
    let mut all = Vec::new();
    while let Some(item) = pages.next().await {
        item.unwrap().values().for_each(|value| add(value, &mut all));
    }
    all
}

/// Whether these bytes stand anywhere in those.
pub fn holds(all: &[u8], part: &str) -> bool {
    all.windows(part.len()).any(|window| window == part.as_bytes())
}

/// The books of a member as stored: numbers without gaps, and the account is the sum of its entries.
pub async fn books_balance(stack: &Stack, member: &str) {
    let program: ProgramId = "main".parse().unwrap();
    let member: MemberId = member.parse().unwrap();
    let account = stack.engine.account(&program, member).await.unwrap().unwrap();
    let entries = stack.engine.entries(&program, member, 1_000_000, 10_000).await.unwrap();
    let numbers: Vec<u64> = entries.iter().rev().map(|entry| entry.seq).collect();
    assert_eq!(numbers, (1..=account.seq).collect::<Vec<u64>>());
    let lots: i64 = account.lots.iter().map(|lot| lot.points).sum();
    assert_eq!(lots - account.debt, entries.iter().map(|entry| entry.points).sum::<i64>());
    assert!(account.adds_up());
}

/// A refusal in the one form that all have: problem+json with a stable code and the request's id, and never our fault.
#[track_caller]
pub fn is_problem(answered: &Answered, context: &str) {
    let body = &answered.body;
    let status = answered.status.as_u16();
    assert!((400..500).contains(&status), "{context}: {status} {body}");
    assert_eq!(answered.headers["content-type"], "application/problem+json", "{context}");
    assert_eq!(body["status"], status, "{context}: {body}");
    let code = body["code"].as_str().unwrap_or_default();
    assert!(!code.is_empty() && code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{context}: {body}");
    for text in ["type", "title", "request_id"] {
        assert!(body[text].is_string(), "{context}: no {text} in {body}");
    }
    assert!(body["retryable"].is_boolean(), "{context}: {body}");
    assert_eq!(answered.headers["x-request-id"].to_str().unwrap(), body["request_id"], "{context}");
}

/// Refused as input, with the pointers that say where.
#[track_caller]
pub fn is_refused_at(answered: &Answered, pointers: &[&str], context: &str) {
    is_problem(answered, context);
    assert!([400, 422].contains(&answered.status.as_u16()), "{context}: {}", answered.body);
    assert_eq!(answered.pointers(), pointers, "{context}: {}", answered.body);
}

/// Claims of somebody other than the usual till.
pub fn claims_of(sub: &str, program: &str, scope: &str) -> HashMap<String, String> {
    [("sub", sub), ("scope", scope), ("program", program)].map(|(k, v)| (k.to_owned(), v.to_owned())).into()
}

/// A member's own token.
pub fn own_claims(member: &str, more_scopes: &str) -> HashMap<String, String> {
    let mut claims = claims_of("app-user", "main", &format!("self {more_scopes}"));
    claims.insert("member_id".to_owned(), member.to_owned());
    claims
}

/// A body with one value set: a JSON Pointer to it, and what it is to be.
pub fn with(body: &Value, pointer: &str, value: Value) -> Value {
    let mut changed = body.clone();
    match changed.pointer_mut(pointer) {
        Some(place) => *place = value,
        None => {
            let (parent, name) = pointer.rsplit_once('/').unwrap();
            changed.pointer_mut(parent).unwrap()[name] = value;
        }
    }
    changed
}

/// The names of an object's members, sorted.
pub fn names(value: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}
