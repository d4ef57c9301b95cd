//! Random lives of members through the HTTP API beside a naive model: enrolments, purchases, refunds, activities, goals,
//! lent levels, corrections, pauses, moved clocks, and every request sent again, while commits are cancelled and answers
//! lost. After every step account and progress are what the model says; at the end the checker proves the whole table.

use it::faults::{Plan, Shares};
use it::stack::{Answered, Stack, plain_program};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use loyalty_domain::calendar::Moment;
use loyalty_store::check::check;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const MEMBERS: usize = 3;
/// So many purchases fill a card of so many points, so many check-ins another; and each check-in gives some.
const VISITS: i64 = 3;
const CARD: i64 = 20;
const CHECK_INS: i64 = 4;
const STREET: i64 = 9;
const CHECK_IN: i64 = 2;

#[derive(Debug, Clone)]
enum Op {
    Buy { member: usize, nets: Vec<i64>, hours_ago: i64 },
    Refund { purchase: usize, line: usize, pieces: i64 },
    CheckIn { member: usize, hours_ago: i64 },
    Lend { member: usize, days: i64 },
    Adjust { member: usize, points: i64 },
    Pause { member: usize, paused: bool },
    Again { request: usize },
    AgainWithOtherContent { purchase: usize },
    Clock { hours: i64 },
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let member = 0..MEMBERS;
    let op = prop_oneof![
        6 => (member.clone(), prop::collection::vec(0..30_000_i64, 1..4), 0..700_i64)
            .prop_map(|(member, nets, hours_ago)| Op::Buy { member, nets, hours_ago }),
        5 => (0..1_000_usize, 0..4_usize, 1..4_i64).prop_map(|(purchase, line, pieces)| Op::Refund { purchase, line, pieces }),
        3 => (member.clone(), 0..700_i64).prop_map(|(member, hours_ago)| Op::CheckIn { member, hours_ago }),
        1 => (member.clone(), -1..60_i64).prop_map(|(member, days)| Op::Lend { member, days }),
        2 => (member.clone(), -400..400_i64).prop_map(|(member, points)| Op::Adjust { member, points }),
        1 => (member, any::<bool>()).prop_map(|(member, paused)| Op::Pause { member, paused }),
        3 => (0..1_000_usize).prop_map(|request| Op::Again { request }),
        1 => (0..1_000_usize).prop_map(|purchase| Op::AgainWithOtherContent { purchase }),
        2 => prop_oneof![3 => 1..72_i64, 1 => 1_000..5_000_i64].prop_map(|hours| Op::Clock { hours }),
    ];
    prop::collection::vec(op, 1..40)
}

/// The position as a child would keep it: points by the day they end, and what is owed.
#[derive(Debug, Default, Clone)]
struct Position {
    lots: BTreeMap<Timestamp, i64>,
    debt: i64,
    earned: i64,
    adjusted: i64,
    clawed_back: i64,
    expired: i64,
    paused: bool,
    /// Purchases of which something is left, and how often they fill the card; when the points of the last will end.
    visits: i64,
    cards: i64,
    card_ends: Option<Timestamp>,
    check_ins: i64,
    lent_until: Option<Timestamp>,
}

impl Position {
    fn settle(&mut self, now: Timestamp) {
        let ended: Vec<Timestamp> = self.lots.range(..=now).map(|(end, _)| *end).collect();
        for end in ended {
            self.expired += self.lots.remove(&end).unwrap();
        }
    }

    fn credit(&mut self, end: Timestamp, points: i64) {
        let repaid = points.min(self.debt);
        self.debt -= repaid;
        if points > repaid {
            *self.lots.entry(end).or_default() += points - repaid;
        }
    }

    fn take(&mut self, mut points: i64, first: Option<Timestamp>) -> i64 {
        let order: Vec<Timestamp> = first.into_iter().chain(self.lots.keys().copied()).collect();
        for end in order {
            if let Some(lot) = self.lots.get_mut(&end) {
                let taken = points.min(*lot);
                *lot -= taken;
                points -= taken;
            }
        }
        self.lots.retain(|_, points| *points > 0);
        points
    }

    /// What another visit, or one less, brings or costs. Gives what is taken back.
    fn visit(&mut self, change: i64, ends: Timestamp) -> i64 {
        self.visits += change;
        let more = self.visits / VISITS - self.cards;
        self.cards += more;
        if more > 0 {
            self.earned += CARD * more;
            self.credit(ends, CARD * more);
            self.card_ends = Some(ends);
            return 0;
        }
        let back = -CARD * more;
        self.clawed_back += back;
        self.debt += self.take(back, self.card_ends);
        back
    }

    fn check_in(&mut self, activity_ends: Timestamp, ends: Timestamp) {
        self.check_ins += 1;
        self.earned += CHECK_IN;
        self.credit(activity_ends, CHECK_IN);
        if self.check_ins % CHECK_INS == 0 {
            self.earned += STREET;
            self.credit(ends, STREET);
        }
    }

    fn available(&self) -> i64 {
        self.lots.values().sum()
    }
}

struct Bought {
    member: usize,
    order: String,
    /// Pieces left, net left, of each line.
    lines: Vec<(i64, i64)>,
    left: i64,
    ends: Timestamp,
}

struct Life {
    stack: Stack,
    ids: Vec<String>,
    positions: Vec<Position>,
    bought: Vec<Bought>,
    /// What was carried out, to be sent again: path, key, body, answer.
    sent: Vec<(String, Option<String>, Value, Value)>,
    counter: usize,
}

/// The end of points granted at a moment: twelve months on, the end of that month in Berlin.
fn end_of(granted: Timestamp) -> Timestamp {
    let berlin = TimeZone::get("Europe/Berlin").unwrap();
    let day = granted.to_zoned(berlin.clone()).date().saturating_add(12.months());
    day.last_of_month().tomorrow().unwrap().to_zoned(berlin).unwrap().timestamp()
}

impl Life {
    async fn begin(seed: u64) -> Self {
        let mut program = plain_program();
        program["tiers"]["levels"] = json!([{ "id": "all", "from": 0 }, { "id": "vip" }]);
        program["earning_rules"].as_array_mut().unwrap().extend([
            json!({ "id": "card", "on": "purchase", "award": { "points": CARD },
                    "goal": { "count": VISITS, "of": "purchases", "repeat": true } }),
            json!({ "id": "street", "on": "activity", "activity": "check_in", "award": { "points": STREET },
                    "goal": { "count": CHECK_INS, "of": "activities", "repeat": true } }),
            json!({ "id": "in", "on": "activity", "activity": "check_in", "award": { "points": CHECK_IN } }),
        ]);
        let stack = Stack::with_program("2026-11-21T10:00:00Z", &program).await;
        let mut ids = Vec::new();
        for member in 0..MEMBERS {
            ids.push(stack.enrol(&format!("m-{member}")).await);
        }
        let shares = Shares { conflicts: 0.3, lost_answers: 0.05, ..Shares::default() };
        stack.faults.arm(Plan::random(seed, shares));
        let positions = vec![Position::default(); MEMBERS];
        Self { stack, ids, positions, bought: Vec::new(), sent: Vec::new(), counter: 0 }
    }

    fn now(&self) -> Timestamp {
        self.stack.now().parse().unwrap()
    }

    /// Sends as a client would: a 503 says that the same may be sent again.
    async fn send(&self, path: &str, key: Option<&str>, body: &Value) -> Answered {
        loop {
            let answer = match key {
                Some(key) => self.stack.send_keyed(key, "POST", path, body).await,
                None => self.stack.send("POST", path, Some(body)).await,
            };
            if answer.status != 503 {
                return answer;
            }
        }
    }

    async fn step(&mut self, op: &Op) {
        self.counter += 1;
        let now = self.now();
        self.positions.iter_mut().for_each(|position| position.settle(now));
        match op {
            Op::Buy { member, nets, hours_ago } => self.buy(*member, nets, *hours_ago).await,
            Op::Refund { purchase, line, pieces } => self.refund(*purchase, *line, *pieces).await,
            Op::CheckIn { member, hours_ago } => self.check_in(*member, *hours_ago).await,
            Op::Lend { member, days } => self.lend(*member, *days).await,
            Op::Adjust { member, points } => self.adjust(*member, *points).await,
            Op::Pause { member, paused } => {
                let word = if *paused { "deactivate" } else { "reactivate" };
                let path = format!("/v1/members/{}/{word}", self.ids[*member]);
                self.send(&path, None, &json!({})).await.expect(200);
                self.positions[*member].paused = *paused;
            }
            Op::Again { request } => self.again(*request).await,
            Op::AgainWithOtherContent { purchase } => self.other_content(*purchase).await,
            Op::Clock { hours } => self.stack.advance(SignedDuration::from_hours(*hours)),
        }
        self.compare().await;
    }

    async fn buy(&mut self, member: usize, nets: &[i64], hours_ago: i64) {
        let occurred = self.now() - SignedDuration::from_hours(hours_ago);
        let order = format!("O-{}", self.counter);
        let lines: Vec<Value> = (0..)
            .zip(nets)
            .map(|(place, net)| json!({ "line_id": format!("L{place}"), "quantity": 3, "net_amount": net }))
            .collect();
        let body = json!({ "channel": "web", "order_id": order, "member": { "member_id": self.ids[member] },
                           "occurred_at": occurred.to_string(), "currency": "EUR", "lines": lines });
        let answer = self.send("/v1/purchases", None, &body).await;
        if self.positions[member].paused {
            assert_eq!((answer.status.as_u16(), answer.code()), (409, "member_deactivated"));
            return;
        }
        let answer = answer.expect(201);
        let (points, ends) = (nets.iter().sum::<i64>() / 100, end_of(occurred));
        assert_eq!(answer["purchase"]["points"], points);
        self.positions[member].earned += points;
        self.positions[member].credit(ends, points);
        if nets.iter().any(|net| *net > 0) {
            let now = self.now();
            self.positions[member].visit(1, end_of(now));
        }
        let lines = nets.iter().map(|net| (3, *net)).collect();
        self.bought.push(Bought { member, order, lines, left: points, ends });
        self.sent.push(("/v1/purchases".to_owned(), None, body, answer));
    }

    async fn refund(&mut self, purchase: usize, line: usize, pieces: i64) {
        let count = self.bought.len();
        let Some(bought) = self.bought.get_mut(purchase.checked_rem(count).unwrap_or(0)) else { return };
        let place = line % bought.lines.len();
        let (left, net) = bought.lines[place];
        let path = format!("/v1/purchases/web/{}/refunds", bought.order);
        let body = json!({ "refund_id": format!("R-{}", self.counter), "occurred_at": self.stack.now(),
                           "lines": [{ "line_id": format!("L{place}"), "quantity": pieces }] });
        if pieces > left {
            let answer = self.send(&path, None, &body).await;
            assert_eq!((answer.status.as_u16(), answer.code()), (409, "refund_exceeds_purchase"));
            return;
        }
        let kept = left - pieces;
        let counts = |bought: &Bought| bought.lines.iter().any(|(pieces, net)| *pieces > 0 && *net > 0);
        let counted = counts(bought);
        bought.lines[place] = (kept, net * kept / left);
        let worth = bought.lines.iter().filter(|(pieces, _)| *pieces > 0).map(|(_, net)| net).sum::<i64>() / 100;
        let (back, ends, member) = (bought.left - worth, bought.ends, bought.member);
        bought.left = worth;
        let position = &mut self.positions[member];
        position.clawed_back += back;
        let missing = position.take(back, Some(ends));
        position.debt += missing;
        let lost = if counted && !counts(&self.bought[purchase % count]) { position.visit(-1, ends) } else { 0 };
        let answer = self.send(&path, None, &body).await.expect(201);
        assert_eq!(answer["refund"]["points_clawed_back"], back + lost);
        self.sent.push((path, None, body, answer));
    }

    async fn check_in(&mut self, member: usize, hours_ago: i64) {
        let now = self.now();
        let occurred = now - SignedDuration::from_hours(hours_ago);
        let body = json!({ "source": "app", "activity_id": format!("in-{}", self.counter), "type": "check_in",
                           "member": { "member_id": self.ids[member] }, "occurred_at": occurred.to_string(),
                           "attributes": { "door": hours_ago } });
        let answer = self.send("/v1/activities", None, &body).await;
        if self.positions[member].paused {
            assert_eq!((answer.status.as_u16(), answer.code()), (409, "member_deactivated"));
            return;
        }
        let answer = answer.expect(201);
        assert_eq!(answer["activity"]["points"], CHECK_IN);
        self.positions[member].check_in(end_of(occurred), end_of(now));
        self.sent.push(("/v1/activities".to_owned(), None, body, answer));
    }

    /// Lends a level until so many days from today; 0 ends it now, less is refused.
    async fn lend(&mut self, member: usize, days: i64) {
        let now = self.now();
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let until = now.to_zoned(berlin.clone()).date().saturating_add(days.days());
        let path = format!("/v1/members/{}/level", self.ids[member]);
        let key = format!("key-{}", self.counter);
        let body = json!({ "level": "vip", "until": until.to_string(), "reason": "test" });
        let answer = self.send(&path, Some(&key), &body).await;
        let position = &mut self.positions[member];
        if position.paused || days < 0 {
            let code = if position.paused { "member_deactivated" } else { "date_past" };
            assert_eq!(answer.code(), code);
            return;
        }
        let answer = answer.expect(201);
        position.lent_until = Some(until.to_zoned(berlin).unwrap().timestamp().max(now));
        self.sent.push((path, Some(key), body, answer));
    }

    async fn adjust(&mut self, member: usize, points: i64) {
        let key = format!("key-{}", self.counter);
        let body = json!({ "member": { "member_id": self.ids[member] }, "points": points, "reason": "test" });
        let answer = self.send("/v1/adjustments", Some(&key), &body).await;
        let now = self.now();
        let position = &mut self.positions[member];
        let available = position.available();
        match points {
            0 => assert_eq!(answer.status, 422),
            _ if position.paused => assert_eq!(answer.code(), "member_deactivated"),
            _ if -points > available => {
                assert_eq!(answer.code(), "insufficient_points");
                assert_eq!(answer.body["missing"], -points - available);
            }
            _ => {
                let answer = answer.expect(201);
                position.adjusted += points;
                if points > 0 {
                    position.credit(end_of(now), points);
                } else {
                    position.take(-points, None);
                }
                self.sent.push(("/v1/adjustments".to_owned(), Some(key), body, answer));
            }
        }
    }

    /// The same request once more: the same facts and entries, whatever has happened since.
    async fn again(&mut self, request: usize) {
        let count = self.sent.len();
        let Some((path, key, body, first)) = self.sent.get(request.checked_rem(count).unwrap_or(0)).cloned() else {
            return;
        };
        let answer = self.send(&path, key.as_deref(), &body).await;
        assert!(answer.replayed(), "{path} {body}");
        let mut answer = answer.expect(201);
        let mut first = first;
        for shown in [&mut answer, &mut first] {
            shown.as_object_mut().unwrap().remove("account");
        }
        assert_eq!(answer, first);
    }

    async fn other_content(&mut self, purchase: usize) {
        let orders: Vec<&Value> =
            self.sent.iter().filter(|(path, ..)| path == "/v1/purchases").map(|(_, _, body, _)| body).collect();
        let Some(body) = orders.get(purchase.checked_rem(orders.len()).unwrap_or(0)) else { return };
        let mut body = (*body).clone();
        let net = body["lines"][0]["net_amount"].as_i64().unwrap();
        body["lines"][0]["net_amount"] = json!(net + 1);
        let answer = self.send("/v1/purchases", None, &body).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (422, "idempotency_mismatch"));
        assert_eq!(answer.pointers(), ["/lines/0/net_amount"]);
    }

    async fn compare(&mut self) {
        let now = self.now();
        for (member, position) in self.positions.iter_mut().enumerate() {
            position.settle(now);
            let account = self.stack.account(&self.ids[member]).await;
            let lots: Vec<Value> = position
                .lots
                .iter()
                .map(|(end, points)| json!({ "points": points, "activates_at": null, "expires_at": end.to_string() }))
                .collect();
            assert_eq!(account["lots"], json!(lots));
            assert_eq!(
                account["points"],
                json!({ "available": position.available(), "pending": 0, "held": 0, "debt": position.debt })
            );
            assert_eq!(
                account["lifetime"],
                json!({ "earned": position.earned, "adjusted": position.adjusted, "redeemed": 0,
                        "expired": position.expired, "clawed_back": position.clawed_back })
            );
            let until = position.lent_until.filter(|until| *until > now).map(|until| until.to_string());
            let level = if until.is_some() { "vip" } else { "all" };
            assert_eq!((&account["tier"]["level"], &account["tier"]["until"]), (&json!(level), &json!(until)));
            let path = format!("/v1/members/{}/progress", self.ids[member]);
            let progress = self.stack.send("GET", &path, None).await.expect(200);
            let way = |goal: usize| {
                let goal = &progress["goals"][goal];
                (goal["counted"].as_i64().unwrap(), goal["reached"].as_i64().unwrap())
            };
            assert_eq!(way(0), (position.visits % VISITS, position.cards));
            assert_eq!(way(1), (position.check_ins % CHECK_INS, position.check_ins / CHECK_INS));
        }
    }

    async fn end(self) {
        self.stack.faults.disarm();
        for (member, position) in self.ids.iter().zip(&self.positions) {
            let ledger = self.stack.ledger(member).await;
            let numbers: Vec<u64> = ledger.iter().map(|entry| entry["seq"].as_u64().unwrap()).collect();
            assert_eq!(numbers, (1..=u64::try_from(ledger.len()).unwrap()).collect::<Vec<_>>());
            let posted: i64 = ledger.iter().map(|entry| entry["points"].as_i64().unwrap()).sum();
            let posted_expired: i64 = ledger
                .iter()
                .filter(|entry| entry["kind"] == "expire")
                .map(|entry| -entry["points"].as_i64().unwrap())
                .sum();
            // The ledger lists what is posted; the two differ by what has fallen due since.
            assert_eq!(posted - (position.expired - posted_expired), position.available() - position.debt);
        }
        let report = check(self.stack.engine.table(), 2, Moment::parse(&self.stack.now()).unwrap()).await.unwrap();
        assert!(report.is_clean(), "{:#?}", report.findings);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn accounts_are_what_a_naive_model_says_after_every_step_of_a_random_life(seed in any::<u64>(), ops in ops()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut life = Life::begin(seed).await;
            for op in &ops {
                life.step(op).await;
            }
            life.end().await;
        });
    }
}
