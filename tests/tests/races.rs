//! Requests at once. Every race is run on a calm table, and again in a storm: at least three commits in ten cancelled by
//! contention, and some carried out with the answer lost. What must be true afterwards is the same.

use it::arena::{Arena, answered, statuses};
use it::books::{dump, holds, must_balance};
use it::client::Ask;
use it::faults::{Plan, Shares};
use it::stack::plain_program;
use serde_json::{Value, json};
use std::future::Future;
use tokio::task::JoinSet;

async fn race<F: Future<Output = ()>>(run: impl Fn(Arena) -> F) {
    it::arena::race(&plain_program(), run).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_identical_purchases_at_once_are_one_entry() {
    race(async |arena: Arena| {
        let member = arena.member_with("ada", 0).await;
        let ended = arena.all(vec![arena.purchase("A-1", &member, 1_999); 64]).await;
        assert_eq!(statuses(&ended), [(201, 64)].into());
        arena.assert_one_first(&ended);
        for other in &ended {
            for part in ["purchase", "entries"] {
                assert_eq!(other.answer.body[part], ended[0].answer.body[part]);
            }
        }
        assert_eq!(arena.ledger(&member).await, [("earn".to_owned(), 19)]);
        must_balance(&arena.stack).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_sixty_four_different_purchases_under_one_order_id_one_wins_and_the_others_are_told_where_they_differ() {
    race(async |arena: Arena| {
        let member = arena.member_with("ada", 0).await;
        let asks = (0..64).map(|place| arena.purchase("A-1", &member, 1_000 + 100 * place)).collect();
        let ended = arena.all(asks).await;
        assert_eq!(statuses(&ended), [(201, 1), (422, 63)].into());
        for refused in answered(&ended, 422) {
            assert_eq!((refused.code(), refused.pointers()), ("idempotency_mismatch", vec!["/lines/0/net_amount"]));
        }
        assert_eq!(arena.ledger(&member).await.len(), 1);
        must_balance(&arena.stack).await;
    })
    .await;
}

#[tokio::test]
async fn identical_purchases_of_a_guest_at_once_are_one_purchase() {
    race(async |arena: Arena| {
        let mut body = arena.stack.purchase("G-1", "-", 1_999);
        body.as_object_mut().unwrap().remove("member");
        let ended = arena.all(vec![Ask::post("/v1/purchases", body); 16]).await;
        assert_eq!(statuses(&ended), [(201, 16)].into());
        arena.assert_one_first(&ended);
        assert_eq!(must_balance(&arena.stack).await.purchases, 1);
    })
    .await;
}

#[tokio::test]
async fn a_guests_purchase_that_many_claim_at_once_goes_to_one() {
    race(async |arena: Arena| {
        let mut body = arena.stack.purchase("G-1", "-", 1_999);
        body.as_object_mut().unwrap().remove("member");
        Ask::post("/v1/purchases", body).once(&arena.stack).await.expect(201);
        let mut asks = Vec::new();
        for number in 0..8 {
            let member = arena.member_with(&format!("m-{number}"), 0).await;
            let body = json!({ "member": { "member_id": member }, "net_total": 1_999 });
            asks.push(Ask::post("/v1/purchases/web/G-1/claim", body));
        }
        // Each twice, as a page that was loaded again does.
        asks.extend(asks.clone());
        let ended = arena.all(asks).await;
        let won: Vec<usize> = (0..16).filter(|place| ended[*place].answer.status == 201).collect();
        assert!(won.len() == 2 && won[0] + 8 == won[1], "{won:?} {:?}", statuses(&ended));
        assert_eq!(must_balance(&arena.stack).await.outstanding, 19);
    })
    .await;
}

/// A member who bought ten of line 1 and ten of line 2, 10.00 each line.
async fn bought(arena: &Arena) -> String {
    let member = arena.member_with("ada", 0).await;
    let mut body = arena.stack.purchase("A-1", &member, 1_000);
    body["lines"][0]["quantity"] = json!(10);
    let mut second = body["lines"][0].clone();
    second["line_id"] = json!("2");
    body["lines"].as_array_mut().unwrap().push(second);
    Ask::post("/v1/purchases", body).once(&arena.stack).await.expect(201);
    member
}

#[tokio::test]
async fn one_refund_sent_by_many_is_one_refund() {
    race(async |arena: Arena| {
        let member = bought(&arena).await;
        let ended = arena.all(vec![arena.refund("A-1", "R-1", "1", 4); 16]).await;
        assert_eq!(statuses(&ended), [(201, 16)].into());
        arena.assert_one_first(&ended);
        for other in &ended {
            for part in ["refund", "entries"] {
                assert_eq!(other.answer.body[part], ended[0].answer.body[part]);
            }
        }
        assert_eq!(arena.ledger(&member).await[1..], [("clawback".to_owned(), -4)]);
        assert_eq!(must_balance(&arena.stack).await.refunds, 1);
    })
    .await;
}

#[tokio::test]
async fn of_two_refunds_that_exceed_what_is_left_one_wins() {
    race(async |arena: Arena| {
        let member = bought(&arena).await;
        let ended = arena.all(vec![arena.refund("A-1", "R-1", "1", 6), arena.refund("A-1", "R-2", "1", 6)]).await;
        assert_eq!(statuses(&ended), [(201, 1), (409, 1)].into());
        assert_eq!(answered(&ended, 409).next().unwrap().code(), "refund_exceeds_purchase");
        assert_eq!(arena.ledger(&member).await[1..], [("clawback".to_owned(), -6)]);
        assert_eq!(must_balance(&arena.stack).await.refunds, 1);
    })
    .await;
}

#[tokio::test]
async fn refunds_of_different_lines_at_once_both_go_through() {
    race(async |arena: Arena| {
        let member = bought(&arena).await;
        let ended = arena.all(vec![arena.refund("A-1", "R-1", "1", 6), arena.refund("A-1", "R-2", "2", 10)]).await;
        assert_eq!(statuses(&ended), [(201, 2)].into());
        let mut clawed: Vec<i64> = arena.ledger(&member).await[1..].iter().map(|(_, points)| *points).collect();
        clawed.sort_unstable();
        assert_eq!(clawed, [-10, -6]);
        assert_eq!(must_balance(&arena.stack).await.refunds, 2);
    })
    .await;
}

#[tokio::test]
async fn refunds_of_a_guests_purchase_at_once_never_exceed_it() {
    race(async |arena: Arena| {
        let mut body = arena.stack.purchase("A-1", "-", 1_000);
        body.as_object_mut().unwrap().remove("member");
        body["lines"][0]["quantity"] = json!(10);
        Ask::post("/v1/purchases", body).once(&arena.stack).await.expect(201);
        let asks = (0..8).map(|number| arena.refund("A-1", &format!("R-{number}"), "1", 3)).collect();
        let ended = arena.all(asks).await;
        assert_eq!(statuses(&ended), [(201, 3), (409, 5)].into());
        assert_eq!(must_balance(&arena.stack).await.refunds, 3);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_150_purchases_of_one_member_by_24_callers_fewer_than_15_are_turned_away_and_none_of_those_is_written() {
    race(async |arena: Arena| {
        let member = arena.member_with("ada", 0).await;
        let before = arena.stack.account(&member).await["version"].as_u64().unwrap();
        if let Some(seed) = arena.storm {
            let shares = Shares { conflicts: 0.3, lost_answers: 0.05, ..Shares::default() };
            arena.stack.faults.arm(Plan::random(seed, shares));
        }
        let mut callers = JoinSet::new();
        for caller in 0..24 {
            let own = (0..150).filter(|number| number % 24 == caller);
            let asks: Vec<(usize, Ask)> =
                own.map(|n| (n, arena.purchase(&format!("A-{n}"), &member, 100 * (n as i64 + 1)))).collect();
            let stack = arena.stack.clone();
            callers.spawn(async move {
                let mut statuses = Vec::new();
                for (number, ask) in asks {
                    statuses.push((number, ask.once(&stack).await.status.as_u16()));
                }
                statuses
            });
        }
        let statuses: Vec<(usize, u16)> = callers.join_all().await.into_iter().flatten().collect();
        arena.stack.faults.disarm();
        let turned_away = statuses.iter().filter(|(_, status)| matches!(status, 409 | 429 | 503)).count();
        println!("{turned_away} of 150 were turned away");
        assert!(turned_away < 15, "{turned_away}");
        let written: Vec<i64> = statuses.iter().filter(|(_, s)| *s == 201).map(|(n, _)| *n as i64 + 1).collect();
        assert_eq!(written.len() + turned_away, 150);

        let mut points: Vec<i64> = Vec::new();
        for (kind, entry) in arena.ledger(&member).await {
            if kind == "earn" {
                points.push(entry);
            }
        }
        let account = arena.stack.account(&member).await;
        assert_eq!(account["points"]["available"].as_i64().unwrap(), points.iter().sum::<i64>());
        assert_eq!(points.len(), written.len());
        assert_eq!(account["version"].as_u64().unwrap(), before + written.len() as u64);
        assert_eq!(must_balance(&arena.stack).await.purchases, written.len() as u64);
    })
    .await;
}

fn person(name: &str) -> Value {
    json!({ "external_id": "crm-1", "email": "ada@example.com", "phone": "+4915112345678", "given_name": name })
}

#[tokio::test]
async fn one_person_enrolled_by_32_callers_at_once_is_one_member() {
    race(async |arena: Arena| {
        let ended = arena.all(vec![Ask::post("/v1/members", person("Ada")); 32]).await;
        let first = answered(&ended, 201).count();
        assert!(first == 1 || (first == 0 && ended.iter().any(|ended| ended.tries > 1)), "{:?}", statuses(&ended));
        assert_eq!(answered(&ended, 200).filter(|answer| answer.replayed()).count(), 32 - first);
        for other in &ended {
            assert_eq!(other.answer.body["member"], ended[0].answer.body["member"]);
        }
        assert_eq!(must_balance(&arena.stack).await.accounts, 1);
    })
    .await;
}

#[tokio::test]
async fn of_32_people_with_one_identity_one_is_enrolled_and_the_others_hear_which_are_taken() {
    race(async |arena: Arena| {
        let asks = (0..32).map(|number| Ask::post("/v1/members", person(&format!("Ada {number}")))).collect();
        let ended = arena.all(asks).await;
        // In a storm the winner may have been told to come again, and then hears of a replay.
        assert_eq!(answered(&ended, 201).count() + answered(&ended, 200).count(), 1);
        assert_eq!(answered(&ended, 409).count(), 31);
        for refused in answered(&ended, 409) {
            assert_eq!(refused.code(), "identity_taken");
            assert_eq!(refused.body["kinds"], json!(["external_id", "email", "phone"]));
        }
        assert_eq!(must_balance(&arena.stack).await.accounts, 1);
    })
    .await;
}

#[tokio::test]
async fn adjustments_under_one_key_at_once_are_one_adjustment() {
    race(async |arena: Arena| {
        let member = arena.member_with("ada", 100).await;
        let ended = arena.all(vec![arena.adjust(&member, 25, "k-1"); 32]).await;
        assert_eq!(statuses(&ended), [(201, 32)].into());
        arena.assert_one_first(&ended);
        for other in &ended {
            assert_eq!(other.answer.body["entries"], ended[0].answer.body["entries"]);
        }
        assert_eq!(arena.ledger(&member).await[1..], [("adjust".to_owned(), 25)]);
        must_balance(&arena.stack).await;
    })
    .await;
}

#[tokio::test]
async fn of_different_adjustments_under_one_key_one_is_carried_out() {
    race(async |arena: Arena| {
        let member = arena.member_with("ada", 100).await;
        let asks = (1..=16).map(|points| arena.adjust(&member, points, "k-1")).collect();
        let ended = arena.all(asks).await;
        assert_eq!(statuses(&ended), [(201, 1), (422, 15)].into());
        assert!(answered(&ended, 422).all(|refused| refused.code() == "idempotency_mismatch"));
        assert_eq!(arena.ledger(&member).await.len(), 2);
        must_balance(&arena.stack).await;
    })
    .await;
}

#[tokio::test]
async fn of_fifty_adjustments_that_each_take_the_whole_balance_one_wins() {
    race(async |arena: Arena| {
        let member = arena.member_with("ada", 100).await;
        let asks = (0..50).map(|number| arena.adjust(&member, -100, &format!("k-{number}"))).collect();
        let ended = arena.all(asks).await;
        assert_eq!(statuses(&ended), [(201, 1), (409, 49)].into());
        for refused in answered(&ended, 409) {
            let facts = ["required", "available", "missing"].map(|fact| refused.body[fact].as_i64());
            assert_eq!((refused.code(), facts), ("insufficient_points", [Some(100), Some(0), Some(100)]));
        }
        assert_eq!(arena.stack.account(&member).await["points"]["available"], 0);
        assert_eq!(arena.ledger(&member).await[1..], [("adjust".to_owned(), -100)]);
        must_balance(&arena.stack).await;
    })
    .await;
}

#[tokio::test]
async fn a_purchase_that_races_with_deactivation_is_either_earned_before_it_or_refused() {
    race(async |arena: Arena| {
        let member = arena.member_with("ada", 0).await;
        let mut asks: Vec<Ask> = (0..8).map(|number| arena.purchase(&format!("A-{number}"), &member, 1_000)).collect();
        asks.insert(4, Ask::bare("POST", format!("/v1/members/{member}/deactivate")));
        let ended = arena.all(asks).await;
        assert_eq!(ended[4].answer.status, 200);
        let earned = answered(&ended, 201).count();
        assert_eq!(earned + answered(&ended, 409).count(), 8, "{:?}", statuses(&ended));
        println!("{earned} came first");
        assert!(answered(&ended, 409).all(|refused| refused.code() == "member_deactivated"));
        assert_eq!(arena.ledger(&member).await.len(), earned);
        arena.purchase("A-9", &member, 1_000).once(&arena.stack).await.expect(409);
        must_balance(&arena.stack).await;
    })
    .await;
}

#[tokio::test]
async fn whatever_races_with_erasure_nothing_personal_is_left_and_the_books_balance() {
    race(async |arena: Arena| {
        let body = json!({ "external_id": "crm-ada", "email": "ada@example.com", "phone": "+4915112345678",
                           "given_name": "Augusta", "family_name": "Lovelace", "time_zone": "Europe/Lisbon",
                           "tags": ["countess"] });
        let enrolled = Ask::post("/v1/members", body).once(&arena.stack).await.expect(201);
        let member = enrolled["member"]["member_id"].as_str().unwrap().to_owned();
        let code = enrolled["member"]["referral_code"].as_str().unwrap().to_owned();
        arena.adjust(&member, 50, "opening").once(&arena.stack).await.expect(201);
        let patch = |body: Value| Ask::with("PATCH", format!("/v1/members/{member}"), body);
        let by_phone = {
            let mut body = arena.stack.purchase("A-phone", &member, 1_000);
            body["member"] = json!({ "phone": "+4915112345678" });
            Ask::post("/v1/purchases", body)
        };
        let erase = || Ask::bare("DELETE", format!("/v1/members/{member}"));
        let mut asks = vec![
            arena.purchase("A-1", &member, 1_000),
            arena.adjust(&member, 5, "k-1"),
            patch(json!({ "email": "countess@example.com", "given_name": "Byron" })),
            erase(),
            by_phone,
            arena.adjust(&member, -5, "k-2"),
            patch(json!({ "time_zone": "Asia/Tokyo", "card_number": "9000000001" })),
            arena.purchase("A-2", &member, 2_000),
            erase(),
        ];
        // Who comes first is up to chance as well.
        let turn = arena.storm.unwrap_or(0) as usize % asks.len();
        asks.rotate_left(turn);
        let ended = arena.all(asks.clone()).await;
        for (ask, ended) in asks.iter().zip(&ended) {
            let status = ended.answer.status.as_u16();
            let expected: &[u16] = match ask.method {
                "DELETE" => &[204],
                "PATCH" => &[200, 404],
                _ => &[201, 404],
            };
            assert!(expected.contains(&status), "{} {}: {status}", ask.method, ask.path);
        }
        for secret in [
            "crm-ada",
            "example.com",
            "491511",
            "Augusta",
            "Lovelace",
            "Byron",
            "Lisbon",
            "Tokyo",
            "countess",
            "9000000001",
            "a private word",
            code.as_str(),
        ] {
            assert!(!holds(&arena.stack, secret.as_bytes()).await, "{secret} is left");
        }
        let left: Vec<String> = dump(&arena.stack).await.into_keys().collect();
        let personal = ["#I#", " PROFILE", "#C#", " N#"];
        assert!(!left.iter().any(|key| personal.iter().any(|part| key.contains(part))), "{left:#?}");
        Ask::get(format!("/v1/members/{member}")).once(&arena.stack).await.expect(404);
        let report = must_balance(&arena.stack).await;
        assert_eq!((report.accounts, report.outstanding), (1, 0));
        // The identities are free again.
        let again = json!({ "external_id": "crm-ada", "email": "ada@example.com", "phone": "+4915112345678" });
        Ask::post("/v1/members", again).once(&arena.stack).await.expect(201);
    })
    .await;
}

#[tokio::test]
async fn two_changes_of_a_person_at_once_both_stand() {
    race(async |arena: Arena| {
        let member = arena.member_with("ada", 0).await;
        let patch = |body: Value| Ask::with("PATCH", format!("/v1/members/{member}"), body);
        let ended = arena
            .all(vec![
                patch(json!({ "given_name": "Ada", "email": "ada@example.com" })),
                patch(json!({ "family_name": "Lovelace", "tags": ["staff"] })),
                patch(json!({ "time_zone": "Europe/Lisbon" })),
            ])
            .await;
        assert_eq!(statuses(&ended), [(200, 3)].into());
        let person = Ask::get(format!("/v1/members/{member}")).once(&arena.stack).await.expect(200);
        for (field, value) in [
            ("given_name", json!("Ada")),
            ("email", json!("ada@example.com")),
            ("family_name", json!("Lovelace")),
            ("tags", json!(["staff"])),
            ("time_zone", json!("Europe/Lisbon")),
        ] {
            assert_eq!(person["member"][field], value, "{field}");
        }
        must_balance(&arena.stack).await;
    })
    .await;
}

#[tokio::test]
async fn an_identity_that_two_members_take_at_once_goes_to_one() {
    race(async |arena: Arena| {
        let (ada, bob) = (arena.member_with("ada", 0).await, arena.member_with("bob", 0).await);
        let take = |member: &str| {
            Ask::with("PATCH", format!("/v1/members/{member}"), json!({ "email": "shared@example.com" }))
        };
        let ended = arena.all(vec![take(&ada), take(&bob)]).await;
        assert_eq!(statuses(&ended), [(200, 1), (409, 1)].into());
        let refused = answered(&ended, 409).next().unwrap();
        assert_eq!((refused.code(), &refused.body["kinds"]), ("identity_taken", &json!(["email"])));
    })
    .await;
}

/// The example of these tests under another name.
fn named(name: &str) -> Value {
    let mut program = plain_program();
    program["name"] = json!(name);
    program
}

#[tokio::test]
async fn programs_published_at_once_become_versions_without_gaps() {
    race(async |arena: Arena| {
        let asks = (0..4).map(|number| Ask::with("PUT", "/v1/program", named(&format!("P{number}")))).collect();
        let ended = arena.all(asks).await;
        assert_eq!(statuses(&ended), [(201, 4)].into());
        let mut versions: Vec<u64> = ended.iter().map(|e| e.answer.body["version"].as_u64().unwrap()).collect();
        versions.sort_unstable();
        assert_eq!(versions, [2, 3, 4, 5]);
        for ended in &ended {
            let version = &ended.answer.body["version"];
            Ask::get(format!("/v1/program/versions/{version}")).once(&arena.stack).await.expect(200);
        }
        Ask::get("/v1/program/versions/6").once(&arena.stack).await.expect(404);
    })
    .await;
}

#[tokio::test]
async fn of_programs_published_at_once_under_the_same_if_match_one_is_published() {
    race(async |arena: Arena| {
        let publish = |name: &str| Ask::with("PUT", "/v1/program", named(name)).header("if-match", "\"1\"");
        let asks = (0..4).map(|number| publish(&format!("P{number}"))).collect();
        let ended = arena.all(asks).await;
        assert_eq!(statuses(&ended), [(201, 1), (412, 3)].into());
        Ask::get("/v1/program/versions/2").once(&arena.stack).await.expect(200);
        Ask::get("/v1/program/versions/3").once(&arena.stack).await.expect(404);
    })
    .await;
}

#[tokio::test]
async fn one_document_published_by_many_at_once_is_one_version() {
    race(async |arena: Arena| {
        let ended = arena.all(vec![Ask::with("PUT", "/v1/program", named("P")); 4]).await;
        assert_eq!(statuses(&ended), [(201, 4)].into());
        assert!(ended.iter().all(|ended| ended.answer.body["version"] == 2));
        arena.assert_one_first(&ended);
        Ask::get("/v1/program/versions/3").once(&arena.stack).await.expect(404);
    })
    .await;
}
