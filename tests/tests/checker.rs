//! The checker finds what is wrong, and says where first.

use aws_sdk_dynamodb::types::AttributeValue;
use it::stack::{Stack, TABLE, plain_program};
use loyalty_domain::account::Account;
use loyalty_domain::activity::RecordedActivity;
use loyalty_domain::calendar::Moment;
use loyalty_domain::entry::Entry;
use loyalty_domain::id::{MemberId, ProgramId};
use loyalty_domain::lots::{Draw, Lots};
use loyalty_store::check::{Report, check};
use loyalty_store::items::{self, Item};
use loyalty_store::keys::{self, Key};
use serde_json::json;

struct Books {
    stack: Stack,
    program: ProgramId,
    member: MemberId,
    other: MemberId,
}

impl Books {
    /// Two members with purchases, a refund, an adjustment, and a purchase and refund of a guest.
    async fn kept() -> Self {
        let stack = Stack::with_program("2026-11-21T10:00:00Z", &plain_program()).await;
        let (ada, bob) = (stack.enrol("ada").await, stack.enrol("bob").await);
        for (order, net) in [("A-1", 12_345), ("A-2", 50_000), ("A-3", 999)] {
            stack.send("POST", "/v1/purchases", Some(&stack.purchase(order, &ada, net))).await.expect(201);
        }
        stack.send("POST", "/v1/purchases", Some(&stack.purchase("B-1", &bob, 700))).await.expect(201);
        let back =
            json!({ "refund_id": "R-1", "occurred_at": stack.now(), "lines": [{ "line_id": "1", "quantity": 1 }] });
        stack.send("POST", "/v1/purchases/web/A-2/refunds", Some(&back)).await.expect(201);
        let adjust = json!({ "member": { "member_id": ada }, "points": 7, "reason": "goodwill", "note": "was nice" });
        stack.send_keyed("k-1", "POST", "/v1/adjustments", &adjust).await.expect(201);
        let mut guest = stack.purchase("G-1", &ada, 500);
        guest.as_object_mut().unwrap().remove("member");
        stack.send("POST", "/v1/purchases", Some(&guest)).await.expect(201);
        stack.send("POST", "/v1/purchases/web/G-1/refunds", Some(&back)).await.expect(201);
        Self { stack, program: "main".parse().unwrap(), member: ada.parse().unwrap(), other: bob.parse().unwrap() }
    }

    async fn check(&self) -> Report {
        check(self.stack.engine.table(), 3, Moment::parse(&self.stack.now()).unwrap()).await.unwrap()
    }

    async fn get(&self, key: &Key) -> Item {
        self.stack.engine.table().get(key).await.unwrap().unwrap()
    }

    async fn put(&self, item: Item) {
        let put = self.stack.engine.table().client().put_item().table_name(TABLE).set_item(Some(item));
        put.send().await.unwrap();
    }

    async fn delete(&self, key: Key) {
        let delete = self.stack.engine.table().client().delete_item().table_name(TABLE);
        delete.key("pk", AttributeValue::S(key.pk)).key("sk", AttributeValue::S(key.sk)).send().await.unwrap();
    }

    async fn edit_account(&self, edit: impl FnOnce(&mut Account)) {
        let item = self.get(&keys::account(&self.program, self.member)).await;
        let mut account: Account = items::body(&item).unwrap();
        edit(&mut account);
        self.put(items::with_body(item, &account).unwrap()).await;
    }

    fn entry(&self, seq: u64) -> Key {
        keys::entry(&self.program, self.member, seq)
    }

    /// Fails unless exactly one account is wrong, first at this entry, for a reason with these words.
    #[track_caller]
    fn assert_wrong(&self, report: &Report, seq: Option<u64>, words: &str) {
        let at = keys::member(&self.program, self.member);
        let found = report.findings.iter().find(|finding| finding.at == at && finding.seq == seq);
        assert!(found.is_some_and(|finding| finding.what.contains(words)), "{:#?}", report.findings);
    }
}

fn shift(lots: &mut Lots, by: i64) {
    let lot = *lots.iter().next().unwrap();
    lots.draw(Draw { lot: lot.key, points: by }).unwrap();
}

#[tokio::test]
async fn books_that_hold_are_proved_and_their_sides_sum_to_what_members_have() {
    let report = Books::kept().await.check().await;
    assert!(report.is_clean(), "{:#?}", report.findings);
    assert_eq!((report.accounts, report.entries, report.purchases, report.refunds), (2, 9, 5, 2));
    assert_eq!(report.by_side.values().sum::<i128>(), report.outstanding);
    // The third purchase was made on the gold level: 9.99 × 1.25 is 12.
    assert_eq!(report.outstanding, 123 + 12 + 7 + 7);
}

#[tokio::test]
async fn a_lot_edited_by_one_point_is_found() {
    let books = Books::kept().await;
    books.edit_account(|account| shift(&mut account.lots, 1)).await;
    books.assert_wrong(&books.check().await, Some(7), "differs in the lots");
}

#[tokio::test]
async fn an_entry_edited_by_one_point_is_found_where_it_stands() {
    let books = Books::kept().await;
    let item = books.get(&books.entry(3)).await;
    let mut entry: Entry = items::body(&item).unwrap();
    entry.points += 1;
    let mut item = items::with_body(item, &entry).unwrap();
    item.insert("p".to_owned(), AttributeValue::N(entry.points.to_string()));
    books.put(item).await;
    books.assert_wrong(&books.check().await, Some(3), "");
}

#[tokio::test]
async fn a_missing_entry_is_named_in_the_middle_and_at_the_end() {
    let books = Books::kept().await;
    books.delete(books.entry(4)).await;
    books.assert_wrong(&books.check().await, Some(4), "entry 4 is missing");
    let books = Books::kept().await;
    books.delete(books.entry(7)).await;
    books.assert_wrong(&books.check().await, Some(7), "entry 7 is missing");
}

#[tokio::test]
async fn a_swapped_pair_of_entries_is_found() {
    let books = Books::kept().await;
    let (second, third) = (books.get(&books.entry(2)).await, books.get(&books.entry(3)).await);
    for (mut item, seq) in [(second, 3), (third, 2)] {
        item.insert("sk".to_owned(), AttributeValue::S(keys::entry_sk(seq)));
        books.put(item).await;
    }
    books.assert_wrong(&books.check().await, Some(2), "says that it is number 3");
}

#[tokio::test]
async fn a_purchase_whose_entry_is_gone_is_found_even_if_the_account_was_cut_to_fit() {
    let books = Books::kept().await;
    // Bob's only purchase: entry and points are removed without a trace.
    let item = books.get(&keys::account(&books.program, books.other)).await;
    let mut account: Account = items::body(&item).unwrap();
    shift(&mut account.lots, -7);
    (account.seq, account.lifetime.earned) = (1, 0);
    account.units.clear();
    account.first_purchase = false;
    books.put(items::with_body(item, &account).unwrap()).await;
    books.delete(keys::entry(&books.program, books.other, 2)).await;
    let report = books.check().await;
    let at = "main#P#web#B-1";
    assert!(
        report.findings.iter().any(|f| f.at == at && f.seq == Some(2) && f.what.contains("gone")),
        "{:#?}",
        report.findings
    );
}

#[tokio::test]
async fn an_entry_whose_purchase_is_gone_is_found() {
    let books = Books::kept().await;
    let channel = "web".parse().unwrap();
    books.delete(keys::purchase(&books.program, &channel, &"A-3".parse().unwrap())).await;
    books.assert_wrong(&books.check().await, None, "-1 purchases");
}

#[tokio::test]
async fn entries_whose_account_is_gone_are_found() {
    let books = Books::kept().await;
    books.delete(keys::account(&books.program, books.member)).await;
    books.assert_wrong(&books.check().await, None, "no account");
}

#[tokio::test]
async fn debts_counters_units_and_levels_that_no_entry_explains_are_found() {
    type Edit = (&'static str, fn(&mut Account));
    let edits: [Edit; 5] = [
        ("the debt", |account| account.debt += 1),
        ("the qualifying units", |account| account.units[0].1 += 1),
        ("the lifetime sums", |account| account.lifetime.earned += 1),
        ("the level", |account| account.level.id = "gold2".parse().unwrap()),
        ("the first purchase", |account| account.first_purchase = false),
    ];
    for (words, edit) in edits {
        let books = Books::kept().await;
        books.edit_account(edit).await;
        books.assert_wrong(&books.check().await, Some(7), words);
    }
}

#[tokio::test]
async fn counters_forgotten_under_an_earlier_version_are_no_error_but_a_missing_one_of_this_period_is() {
    let mut program = plain_program();
    program["points"]["late_purchase_days"] = json!(1);
    program["earning_rules"][0]["limit"] = json!({ "times": 5, "per": "day" });
    let stack = Stack::with_program("2026-11-21T10:00:00Z", &program).await;
    let ada = stack.enrol("ada").await;
    stack.send("POST", "/v1/purchases", Some(&stack.purchase("A-1", &ada, 1_000))).await.expect(201);
    stack.set_clock("2026-12-01T10:00:00Z");
    stack.send("POST", "/v1/purchases", Some(&stack.purchase("A-2", &ada, 1_000))).await.expect(201);
    program["points"]["late_purchase_days"] = json!(365);
    stack.publish(&program).await;
    stack.set_clock("2026-12-01T10:02:00Z");
    let now = Moment::parse(&stack.now()).unwrap();
    let report = check(stack.engine.table(), 1, now).await.unwrap();
    assert!(report.is_clean(), "{:#?}", report.findings);

    let books =
        Books { program: "main".parse().unwrap(), member: ada.parse().unwrap(), other: ada.parse().unwrap(), stack };
    books.edit_account(|account| account.uses.clear()).await;
    books.assert_wrong(&books.check().await, Some(3), "counters");
}

#[tokio::test]
async fn ledgers_beyond_a_megabyte_are_read_and_proved_whole() {
    let stack = Stack::with_program("2026-11-21T10:00:00Z", &plain_program()).await;
    let ada = stack.enrol("ada").await;
    // Entries of several kilobytes: every rule that a purchase of long-named rules sets off explains itself.
    let mut program = plain_program();
    let rules = (0..60)
        .map(|n| json!({ "id": format!("{}-{n:02}", "r".repeat(60)), "on": "purchase", "award": { "points": 1 } }));
    program["earning_rules"].as_array_mut().unwrap().extend(rules);
    stack.publish(&program).await;
    stack.set_clock("2026-11-21T10:02:00Z");
    for order in 0..260 {
        stack.send("POST", "/v1/purchases", Some(&stack.purchase(&format!("O-{order}"), &ada, 100))).await.expect(201);
    }
    let report = check(stack.engine.table(), 1, Moment::parse(&stack.now()).unwrap()).await.unwrap();
    assert!(report.is_clean(), "{:#?}", report.findings);
    let program: ProgramId = "main".parse().unwrap();
    let all = stack.engine.entries(&program, ada.parse().unwrap(), u64::MAX, 1_000).await.unwrap();
    assert!(all.len() > 260, "{}", all.len());
}

/// A member with a card of which one is missing, a badge, a lent level, and activities.
async fn books_of_goals() -> Books {
    let mut program = plain_program();
    program["earning_rules"].as_array_mut().unwrap().extend([
        json!({ "id": "card", "on": "purchase", "award": { "points": 40 },
                "goal": { "count": 2, "of": "purchases", "repeat": true } }),
        json!({ "id": "first-in", "on": "activity", "activity": "check_in", "award": { "badge": "in" },
                "goal": { "count": 1, "of": "activities" } }),
    ]);
    let stack = Stack::with_program("2026-11-21T10:00:00Z", &program).await;
    let (ada, bob) = (stack.enrol("ada").await, stack.enrol("bob").await);
    for order in ["A-1", "A-2", "A-3"] {
        stack.send("POST", "/v1/purchases", Some(&stack.purchase(order, &ada, 1_000))).await.expect(201);
    }
    for id in ["in-1", "in-2"] {
        let body = json!({ "source": "app", "activity_id": id, "member": { "member_id": ada }, "type": "check_in",
                           "occurred_at": stack.now(), "attributes": { "door": 1 } });
        stack.send("POST", "/v1/activities", Some(&body)).await.expect(201);
    }
    let lend = json!({ "level": "gold", "until": "2027-03-01", "reason": "status_match" });
    stack.send_keyed("k", "POST", &format!("/v1/members/{ada}/level"), &lend).await.expect(201);
    Books { stack, program: "main".parse().unwrap(), member: ada.parse().unwrap(), other: bob.parse().unwrap() }
}

#[tokio::test]
async fn progress_badges_and_passes_that_no_entry_explains_are_found() {
    let books = books_of_goals().await;
    let report = books.check().await;
    assert!(report.is_clean(), "{:#?}", report.findings);
    // Enrolments, 3 purchases, a goal and its points, 2 activities, a badge, the lent level and the change to it.
    assert_eq!((report.activities, report.entries), (2, 2 + 3 + 2 + 2 + 1 + 2));
    type Edit = (&'static str, fn(&mut Account));
    let edits: [Edit; 11] = [
        ("the progress", |account| account.progress[0].counted += 1),
        ("the progress", |account| account.progress[0].reached += 1),
        ("the progress", |account| account.progress[0].since += 1),
        ("the progress", |account| account.progress[0].won.clear()),
        ("the progress", |account| account.progress.truncate(1)),
        ("the badges", |account| account.badges.clear()),
        ("the badges", |account| account.badges[0].id = "other".parse().unwrap()),
        ("the badges", |account| account.badges[0].since = account.enrolled_at.plus_minutes(1)),
        ("granted", |account| account.passes.clear()),
        ("granted", |account| account.passes[0].until = account.passes[0].until.plus_days(1)),
        ("the entry bonuses", |account| account.entry_bonuses.push(("gold".parse().unwrap(), 0))),
    ];
    for (words, edit) in edits {
        let books = books_of_goals().await;
        books.edit_account(edit).await;
        books.assert_wrong(&books.check().await, Some(11), words);
    }
}

#[tokio::test]
async fn an_entry_that_says_another_progress_than_the_account_is_found() {
    let books = books_of_goals().await;
    // The last that moved the card.
    let (mut item, mut entry) = (Item::new(), None::<Entry>);
    for seq in 1..=11 {
        let stands = books.get(&books.entry(seq)).await;
        let body: Entry = items::body(&stands).unwrap();
        if body.effects.progress.iter().any(|progress| progress.goal.as_str() == "card") {
            (item, entry) = (stands, Some(body));
        }
    }
    let mut entry = entry.unwrap();
    entry.effects.progress[0].counted += 1;
    books.put(items::with_body(item, &entry).unwrap()).await;
    books.assert_wrong(&books.check().await, Some(11), "the progress");
}

#[tokio::test]
async fn an_activity_without_entry_and_an_entry_without_activity_are_found() {
    let books = books_of_goals().await;
    let key = |id: &str| keys::activity(&books.program, &"app".parse().unwrap(), &id.parse().unwrap());
    let item = books.get(&key("in-1")).await;
    books.delete(key("in-1")).await;
    books.assert_wrong(&books.check().await, None, "-1 activities");
    books.put(item.clone()).await;
    assert!(books.check().await.is_clean());
    // Another of the kind, which no entry tells of: under a key of its own, and under one that it does not say.
    let mut stray = item;
    stray.insert("pk".to_owned(), AttributeValue::S(key("in-9").pk));
    books.put(stray).await;
    let report = books.check().await;
    books.assert_wrong(&report, None, "+1 activities");
    let at = key("in-9").pk;
    assert!(report.findings.iter().any(|f| f.at == at && f.what.contains("another key")), "{:#?}", report.findings);
}

#[tokio::test]
async fn an_activity_that_keeps_other_entries_than_the_ledger_is_found() {
    let books = books_of_goals().await;
    let key = keys::activity(&books.program, &"app".parse().unwrap(), &"in-1".parse().unwrap());
    let kept = books.get(&key).await;
    type Edit = fn(&mut RecordedActivity);
    let edits: [(&str, Edit); 3] = [
        ("another one in the ledger", |activity| activity.entries[0].actor = "somebody".to_owned()),
        ("its entry differ", |activity| activity.points += 1),
        ("names no entry", |activity| activity.entries.clear()),
    ];
    for (words, edit) in edits {
        let mut activity: RecordedActivity = items::body(&kept).unwrap();
        edit(&mut activity);
        books.put(items::with_body(kept.clone(), &activity).unwrap()).await;
        let report = books.check().await;
        assert!(
            report.findings.iter().any(|f| f.at == key.pk && f.what.contains(words)),
            "{words}: {:#?}",
            report.findings
        );
    }
}

#[tokio::test]
async fn passes_forgotten_under_an_earlier_version_are_no_error_but_a_missing_one_that_holds_is() {
    let mut program = plain_program();
    program["points"]["late_purchase_days"] = json!(1);
    let stack = Stack::with_program("2026-11-21T10:00:00Z", &program).await;
    let ada = stack.enrol("ada").await;
    let lend = |level: &str, until: &str| json!({ "level": level, "until": until, "reason": "status_match" });
    let path = format!("/v1/members/{ada}/level");
    stack.send_keyed("1", "POST", &path, &lend("gold", "2026-11-23")).await.expect(201);
    stack.set_clock("2026-12-01T10:00:00Z");
    stack.send("POST", "/v1/purchases", Some(&stack.purchase("A-1", &ada, 1_000))).await.expect(201);
    program["points"]["late_purchase_days"] = json!(365);
    stack.publish(&program).await;
    stack.set_clock("2026-12-01T10:02:00Z");
    let report = check(stack.engine.table(), 1, Moment::parse(&stack.now()).unwrap()).await.unwrap();
    assert!(report.is_clean(), "{:#?}", report.findings);
    stack.send_keyed("2", "POST", &path, &lend("gold", "2026-12-24")).await.expect(201);
    let books =
        Books { program: "main".parse().unwrap(), member: ada.parse().unwrap(), other: ada.parse().unwrap(), stack };
    assert!(books.check().await.is_clean());
    books.edit_account(|account| account.passes.clear()).await;
    let seq = books.get(&keys::account(&books.program, books.member)).await;
    let account: Account = items::body(&seq).unwrap();
    books.assert_wrong(&books.check().await, Some(account.seq), "granted");
}

#[tokio::test]
async fn books_are_sound_though_the_clock_of_the_stack_had_run_ahead_of_the_checkers() {
    let mut program = it::stack::example_program();
    program["rewards"] = serde_json::json!([{"id": "seat", "name": "Seat", "kind": "experience", "points": 20,
        "settle": "hold", "hold_minutes": 30, "limit": {"times": 9, "per": "day"}}]);
    let stack = it::stack::Stack::with_program("2026-11-21T10:00:00Z", &program).await;
    let ada = stack.enrol("crm-ada").await;
    let redeem = |key: &'static str| {
        let body = serde_json::json!({"member": {"member_id": ada}, "reward_id": "seat"});
        it::client::Ask::post("/v1/redemptions", body).key(key)
    };
    stack.set_clock("2027-06-01T10:00:00Z");
    redeem("k-1").once(&stack).await.expect(201);
    stack.set_clock("2027-06-01T12:00:00Z");
    redeem("k-2").once(&stack).await.expect(201);
    for now in ["2027-06-01T12:00:00Z", "2026-11-21T10:00:00Z"] {
        stack.set_clock(now);
        it::books::must_balance(&stack).await;
    }
}
