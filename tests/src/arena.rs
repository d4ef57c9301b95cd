//! Requests at once: calmly, and in a storm of cancelled commits and lost answers.

use crate::client::{Ask, Ended};
use crate::faults::{Plan, Shares};
use crate::stack::{Answered, Stack};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::future::Future;
use tokio::task::JoinSet;

/// When races begin.
pub const NOW: &str = "2026-11-21T10:00:00Z";

/// Runs a race calmly, and three times in a storm. The seed of a storm that goes wrong is in the test's output.
pub async fn race<F: Future<Output = ()>>(program: &Value, run: impl Fn(Arena) -> F) {
    run(Arena::new(program, None).await).await;
    for _ in 0..3 {
        let seed = rand::random();
        println!("storm of seed {seed}");
        run(Arena::new(program, Some(seed)).await).await;
    }
}

/// A stack with members, and the weather it is to stand.
pub struct Arena {
    /// The stack.
    pub stack: Stack,
    /// The seed of the storm, if there is one.
    pub storm: Option<u64>,
}

impl Arena {
    async fn new(program: &Value, storm: Option<u64>) -> Self {
        Self { stack: Stack::with_program(NOW, program).await, storm }
    }

    /// Sends all requests at once, each until it is answered, and gives what each ended with, in their order.
    pub async fn all(&self, asks: Vec<Ask>) -> Vec<Ended> {
        if let Some(seed) = self.storm {
            let shares = Shares { conflicts: 0.3, lost_answers: 0.05, lost_requests: 0.02, ..Shares::default() };
            self.stack.faults.arm(Plan::random(seed, shares));
        }
        let mut running = JoinSet::new();
        for (place, ask) in asks.into_iter().enumerate() {
            let stack = self.stack.clone();
            running.spawn(async move { (place, ask.persist(&stack).await) });
        }
        let ended: BTreeMap<usize, Ended> = running.join_all().await.into_iter().collect();
        self.stack.faults.disarm();
        ended.into_values().collect()
    }

    /// A member with so many points.
    pub async fn member_with(&self, name: &str, points: i64) -> String {
        let member = self.stack.enrol(name).await;
        if points > 0 {
            self.adjust(&member, points, "opening").once(&self.stack).await.expect(201);
        }
        member
    }

    /// A purchase of one line.
    #[must_use]
    pub fn purchase(&self, order: &str, member: &str, net: i64) -> Ask {
        Ask::post("/v1/purchases", self.stack.purchase(order, member, net))
    }

    /// An adjustment with a note.
    #[must_use]
    pub fn adjust(&self, member: &str, points: i64, key: &str) -> Ask {
        let body = json!({ "member": { "member_id": member }, "points": points, "reason": "goodwill",
                           "note": "a private word" });
        Ask::post("/v1/adjustments", body).key(key)
    }

    /// A refund of so many of a line.
    #[must_use]
    pub fn refund(&self, order: &str, refund: &str, line: &str, quantity: i64) -> Ask {
        let body = json!({ "refund_id": refund, "occurred_at": NOW,
                           "lines": [{ "line_id": line, "quantity": quantity }] });
        Ask::post(format!("/v1/purchases/web/{order}/refunds"), body)
    }

    /// Whether exactly one request was the first to be carried out. In a storm a client may have been told to come again after
    /// its request was carried out: then all it hears of is the replay.
    pub fn assert_one_first(&self, ended: &[Ended]) {
        let first = ended.iter().filter(|ended| ended.answer.status == 201 && !ended.answer.replayed()).count();
        let asked_again = ended.iter().any(|ended| ended.tries > 1);
        assert!(first == 1 || (first == 0 && asked_again), "{first} were answered as the first");
    }

    /// The ledger of a member as kinds and points, after the enrolment.
    pub async fn ledger(&self, member: &str) -> Vec<(String, i64)> {
        let entries = self.stack.ledger(member).await;
        let seqs: Vec<u64> = entries.iter().map(|entry| entry["seq"].as_u64().unwrap()).collect();
        assert_eq!(seqs, (1..=seqs.len() as u64).collect::<Vec<_>>());
        let of = |entry: &Value| (entry["kind"].as_str().unwrap().to_owned(), entry["points"].as_i64().unwrap());
        entries.iter().skip(1).map(of).collect()
    }
}

/// How many answers had each status.
#[must_use]
pub fn statuses(ended: &[Ended]) -> BTreeMap<u16, usize> {
    let mut counts = BTreeMap::new();
    for ended in ended {
        *counts.entry(ended.answer.status.as_u16()).or_default() += 1;
    }
    counts
}

/// The answers of a status.
pub fn answered(ended: &[Ended], status: u16) -> impl Iterator<Item = &Answered> {
    ended.iter().map(|ended| &ended.answer).filter(move |answer| answer.status == status)
}
