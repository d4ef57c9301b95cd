//! `kill -9` in the middle of a storm: what was answered is there, once; what was not can be sent again.

use crate::process::{Running, Scratch, purchase};
use http::Method;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::Notify;

const MEMBERS: usize = 4;
const SENDERS: usize = 8;
const ANSWERS_BEFORE_THE_KILL: usize = 120;

#[tokio::test]
async fn every_answered_purchase_is_there_exactly_once_after_kill_9() {
    let scratch = Scratch::new("kill");
    let mut running = Running::start(&scratch.data());
    let mut members = Vec::new();
    for number in 0..MEMBERS {
        members.push(running.api.enrol(&format!("m{number}")).await);
    }
    let now = running.api.get("/_local/clock").await.expect(200)["now"].as_str().unwrap().to_owned();
    let orders: Arc<Mutex<BTreeMap<String, (usize, bool)>>> = Arc::default();
    let next = Arc::new(AtomicUsize::new(0));
    for round in 1..=3 {
        let enough = Arc::new(Notify::new());
        let mut storm = tokio::task::JoinSet::new();
        for _ in 0..SENDERS {
            let (api, members, now) = (running.api.clone(), members.clone(), now.clone());
            let (orders, next, enough) = (Arc::clone(&orders), Arc::clone(&next), Arc::clone(&enough));
            storm.spawn(async move {
                loop {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    let (order, whose) = (format!("A-{number}"), number % MEMBERS);
                    orders.lock().unwrap().insert(order.clone(), (whose, false));
                    let body = purchase(&order, &members[whose], &now);
                    let Some(answer) = api.try_call(Method::POST, "/v1/purchases", Some(&body)).await else { break };
                    assert_eq!(answer.status, 201, "{}", answer.body);
                    let mut orders = orders.lock().unwrap();
                    orders.get_mut(&order).unwrap().1 = true;
                    if orders.values().filter(|(_, answered)| *answered).count() >= round * ANSWERS_BEFORE_THE_KILL {
                        enough.notify_one();
                    }
                }
            });
        }
        enough.notified().await;
        running.kill();
        storm.join_all().await;
        running = Running::start(&scratch.data());
    }

    let orders = orders.lock().unwrap().clone();
    let answered: Vec<&String> = orders.iter().filter(|(_, (_, answered))| *answered).map(|(order, _)| order).collect();
    assert!(answered.len() >= 3 * ANSWERS_BEFORE_THE_KILL);
    for order in &answered {
        running.api.get(&format!("/v1/purchases/web/{order}")).await.expect(200);
    }
    // The till sends everything again, as it does when no answer came; then every order is there once.
    for (order, (whose, answered)) in &orders {
        let again = running.api.post("/v1/purchases", &purchase(order, &members[*whose], &now)).await;
        assert_eq!(again.status, 201, "{}", again.body);
        assert!(again.headers.contains_key("idempotency-replayed") || !answered, "{order}");
    }
    let mut earned: BTreeMap<String, usize> = BTreeMap::new();
    for member in &members {
        let ledger = running.api.ledger(member).await;
        for (place, entry) in ledger.iter().enumerate() {
            assert_eq!(entry["seq"], place + 1, "no gap in {member}");
            if let Some(order) = entry["cause"]["purchase"]["order_id"].as_str().filter(|_| entry["kind"] == "earn") {
                *earned.entry(order.to_owned()).or_default() += 1;
            }
        }
        let account = running.api.get(&format!("/v1/members/{member}/account")).await.expect(200);
        let sum: i64 = ledger.iter().map(|entry| entry["points"].as_i64().unwrap()).sum();
        assert_eq!(account["points"]["available"], sum);
    }
    assert_eq!(earned.len(), orders.len());
    assert!(earned.values().all(|times| *times == 1), "{earned:?}");
    // And an event for each entry, once.
    let events = running.api.events(None).await;
    let ids: std::collections::BTreeSet<&str> = events.iter().map(|event| event["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), events.len());
    let earns = events.iter().filter(|event| event["type"] == "points.earned").count();
    assert_eq!(earns, orders.len());
}
