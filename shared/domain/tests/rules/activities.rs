//! Activities: what members do besides buying, as it is recorded.

use crate::desk::{Desk, at, plain, with, words};
use loyalty_domain::account::Status;
use loyalty_domain::refusal::Refusal;
use serde_json::{Value, json};

/// A Thursday.
const OPENED: &str = "2026-10-01T10:00:00Z";

fn on_activity(kind: &str, more: &Value) -> Value {
    let mut rule = json!({"id": kind, "on": "activity", "activity": kind, "award": {"points": 25}});
    for (name, value) in more.as_object().unwrap() {
        rule[name] = value.clone();
    }
    rule
}

fn program(rules: &[Value]) -> Value {
    with(plain(), "/earning_rules", json!(rules))
}

fn review(more: &Value) -> Value {
    program(&[on_activity("review", more)])
}

#[test]
fn an_activity_writes_one_bonus_entry_with_its_points_and_their_reasons() {
    let mut desk = Desk::open(&review(&json!({})), OPENED);
    assert_eq!(desk.act("review"), 25);
    assert_eq!((desk.kinds(2), words(desk.last())), (vec![("bonus", 25)], vec!["25 points".to_owned()]));
    assert_eq!((desk.position(), desk.account.version), ((25, 0, 0), 2));
    assert_eq!(desk.view()["lots"][0]["expires_at"], "2027-10-31T23:00:00Z");
    assert_eq!(desk.view()["lifetime"]["earned"], 25);
}

#[test]
fn limits_are_per_local_day_week_month_and_year_of_the_member_or_for_ever() {
    for (per, last, first) in [
        ("day", "2026-11-20T14:59:59.999Z", "2026-11-20T15:00:00Z"),
        ("week", "2026-11-22T14:59:59.999Z", "2026-11-22T15:00:00Z"),
        ("month", "2026-11-30T14:59:59.999Z", "2026-11-30T15:00:00Z"),
        ("year", "2026-12-31T14:59:59.999Z", "2026-12-31T15:00:00Z"),
    ] {
        let document = review(&json!({"limit": {"times": 2, "per": per}}));
        let mut desk = Desk::open_for(&document, OPENED, Some("Asia/Tokyo"), &[]);
        desk.to(last);
        assert_eq!([desk.act("review"), desk.act("review"), desk.act("review")], [25, 25, 0], "{per}");
        desk.to(first);
        assert_eq!(desk.act("review"), 25, "{per}");
        assert_eq!(desk.act_as_of("review", at(last), &json!({})).unwrap().points, 0, "{per}: of its own period");
    }
    let mut desk = Desk::open(&review(&json!({"limit": {"times": 1, "per": "ever"}})), OPENED);
    assert_eq!([desk.act("review"), desk.to("2036-01-01T00:00:00Z").act("review")], [25, 0]);
    assert_eq!(words(desk.last()), ["it serves a member once, and has"]);
}

#[test]
fn a_budget_trims_what_is_left_and_says_so() {
    let mut desk = Desk::open(&review(&json!({"budget": {"points": 1000}})), OPENED);
    desk.budgets.insert("review".parse().unwrap(), 10);
    assert_eq!(desk.act("review"), 10);
    assert_eq!(words(desk.last()), ["its budget has 10 points left", "10 points"]);
    desk.budgets.insert("review".parse().unwrap(), 0);
    assert_eq!(desk.act("review"), 0);
    assert_eq!(words(desk.last()), ["its budget is spent"]);
}

#[test]
fn conditions_look_at_attributes_of_the_right_type_only_and_a_missing_one_fulfils_none() {
    let rule = |id: &str, test: Value| {
        let mut when = json!({"name": "stars"});
        for (name, value) in test.as_object().unwrap() {
            when[name] = value.clone();
        }
        json!({"id": id, "on": "activity", "activity": "review", "award": {"points": 1}, "when": {"attribute": when}})
    };
    let rules = [
        with(rule("four", json!({"equals": 4})), "/award/points", json!(1)),
        with(rule("at-least", json!({"at_least": 4})), "/award/points", json!(10)),
        with(rule("at-most", json!({"at_most": 3})), "/award/points", json!(100)),
        with(rule("yes", json!({"equals": true})), "/award/points", json!(1000)),
        with(rule("text", json!({"equals": "4"})), "/award/points", json!(10_000)),
    ];
    for (attributes, points) in [
        (json!({"stars": 4}), 11),
        (json!({"stars": 5}), 10),
        (json!({"stars": 3}), 100),
        (json!({"stars": -1}), 100),
        (json!({"stars": true}), 1000),
        (json!({"stars": false}), 0),
        (json!({"stars": "4"}), 10_000),
        (json!({"stars": ""}), 0),
        (json!({"Stars": 4}), 0),
        (json!({}), 0),
    ] {
        let mut desk = Desk::open(&program(&rules), OPENED);
        let recorded = desk.act_as_of("review", desk.now, &attributes).unwrap();
        assert_eq!(recorded.points, points, "{attributes}");
        if points == 0 {
            assert_eq!(
                (desk.kinds(2), words(desk.last())),
                (vec![("bonus", 0)], vec!["no rule applies to it".to_owned()])
            );
        }
    }
}

#[test]
fn a_condition_can_ask_for_an_attribute_that_is_not_there() {
    let document = review(&json!({"when": {"not": {"attribute": {"name": "paid", "equals": true}}}}));
    let mut desk = Desk::open(&document, OPENED);
    for (attributes, points) in [(json!({}), 25), (json!({"paid": false}), 25), (json!({"paid": true}), 0)] {
        assert_eq!(desk.act_as_of("review", desk.now, &attributes).unwrap().points, points, "{attributes}");
    }
}

#[test]
fn nothing_of_the_attributes_goes_into_the_books() {
    let mut desk =
        Desk::open(&review(&json!({"when": {"attribute": {"name": "words", "equals": "lovely shop"}}})), OPENED);
    desk.act_as_of("review", desk.now, &json!({"words": "lovely shop"})).unwrap();
    assert_eq!(desk.position().0, 25);
    let packed = postcard::to_stdvec(&(&desk.account, &desk.ledger)).unwrap();
    assert!(!packed.windows(6).any(|bytes| bytes == b"lovely"));
}

#[test]
fn a_type_that_the_program_in_force_then_does_not_name_is_refused() {
    let mut desk = Desk::open(&review(&json!({})), OPENED);
    let selfie =
        |desk: &mut Desk, moment: &str| desk.act_as_of("selfie", at(moment), &json!({})).map(|done| done.points);
    assert_eq!(selfie(&mut desk, OPENED), Err(Refusal::ActivityUnknown));
    assert_eq!(desk.kinds(2), []);
    desk.publish(
        &program(&[on_activity("selfie", &json!({"limit": {"times": 1, "per": "day"}}))]),
        at("2026-10-05T00:00:00Z"),
    );
    desk.to("2026-10-06T00:00:00Z");
    assert_eq!(selfie(&mut desk, "2026-10-05T00:00:00Z"), Ok(25));
    assert_eq!(selfie(&mut desk, "2026-10-04T23:59:59.999Z"), Err(Refusal::ActivityUnknown));
    assert_eq!(desk.act_as_of("review", at("2026-10-04T23:59:59.999Z"), &json!({})).unwrap().points, 25);
    let goal = json!({"id": "g", "on": "activity", "activity": "check_in", "award": {"points": 1}, "goal": {"count": 2, "of": "activities"}});
    assert_eq!(Desk::open(&program(&[goal]), OPENED).act("check_in"), 0, "a goal names it, too");
}

#[test]
fn one_too_old_or_ahead_of_the_clock_is_refused_as_a_purchase_is() {
    let mut desk = Desk::open(&review(&json!({})), OPENED);
    let of = |desk: &mut Desk, moment: &str| desk.act_as_of("review", at(moment), &json!({})).map(|done| done.points);
    assert_eq!(of(&mut desk, "2026-10-01T10:05:00.001Z"), Err(Refusal::InFuture));
    assert_eq!(of(&mut desk, "2026-10-01T10:05:00Z"), Ok(25));
    assert_eq!(desk.last().occurred_at, at(OPENED), "it counts as now");
    assert_eq!(of(&mut desk, "2026-09-01T09:59:59.999Z"), Err(Refusal::ActivityTooOld { days: 30 }));
    assert_eq!(of(&mut desk, "2026-09-01T10:00:00Z"), Ok(25));
}

#[test]
fn before_the_enrolment_it_is_that_of_a_member_of_day_0_on_the_lowest_level() {
    let rules = [
        on_activity("review", &json!({"when": {"tier": ["green"]}})),
        json!({"id": "old-hands", "on": "activity", "activity": "review", "award": {"points": 1000}, "when": {"member_days_at_least": 1}}),
    ];
    let document =
        with(program(&rules), "/tiers/levels", json!([{"id": "green", "from": 0}, {"id": "gold", "from": 1000}]));
    let mut desk = Desk::open(&document, OPENED);
    desk.to("2026-10-03T10:00:00Z");
    assert_eq!(desk.act("review"), 1025);
    assert_eq!(desk.level(), "gold");
    assert_eq!(desk.act("review"), 1000);
    assert_eq!(desk.act_as_of("review", at("2026-09-20T10:00:00Z"), &json!({})).unwrap().points, 25);
}

#[test]
fn who_is_deactivated_earns_nothing_and_who_is_gone_is_unknown() {
    let mut desk = Desk::open(&review(&json!({})), OPENED);
    desk.change(|account| account.status = Status::Deactivated).unwrap();
    assert_eq!(desk.act_as_of("review", desk.now, &json!({})), Err(Refusal::Deactivated));
    desk.change(|account| account.status = Status::Active).unwrap();
    assert_eq!(desk.act("review"), 25);
    desk.erase().unwrap();
    assert_eq!(desk.act_as_of("review", desk.now, &json!({})), Err(Refusal::MemberUnknown));
}

#[test]
fn its_points_qualify_and_lift_the_level_at_once_where_points_do() {
    let levels = json!([{"id": "green", "from": 0}, {"id": "gold", "from": 50}]);
    let document = with(review(&json!({})), "/tiers/levels", levels.clone());
    let mut desk = Desk::open(&with(document, "/points/pending_days", json!(10)), OPENED);
    desk.act("review");
    assert_eq!(desk.level(), "green");
    desk.act("review");
    assert_eq!((desk.kinds(3), desk.level()), (vec![("bonus", 25), ("tier", 0)], "gold".to_owned()));
    assert_eq!(desk.position(), (0, 50, 0), "pending points count when posted");
    for by in [json!({"qualify_by": "visits"}), json!({"qualify_by": "spend", "currency": "EUR"})] {
        let mut desk = Desk::open(&with(review(&json!({})), "/tiers", with(by, "/levels", levels.clone())), OPENED);
        desk.act("review");
        desk.act("review");
        assert_eq!((desk.level(), desk.view()["tier"]["qualifying_units"].clone()), ("green".to_owned(), json!(0)));
    }
}

#[test]
fn its_points_pay_a_debt_first() {
    let mut rules = vec![on_activity("review", &json!({}))];
    rules.push(crate::desk::base_rule());
    let mut desk = Desk::open(&program(&rules), OPENED);
    desk.buy("A-1", &[1500]);
    desk.adjust(-15, false).unwrap();
    desk.refund("A-1", &[("1", 1, None)]).unwrap();
    assert_eq!(desk.act("review"), 25);
    assert_eq!((desk.position(), desk.last().debt_repaid), ((10, 0, 0), 15));
    assert_eq!(words(desk.last()), ["25 points", "15 points pay what was owed"]);
}

#[test]
fn points_recorded_so_late_that_they_would_have_ended_are_none_and_use_no_limit() {
    let mut document = review(&json!({"limit": {"times": 1, "per": "ever"}}));
    document["points"]["expiry"] = json!({"after_months": 1, "snap": "end_of_day"});
    document["points"]["late_purchase_days"] = json!(90);
    let mut desk = Desk::open(&document, OPENED);
    desk.to("2026-12-20T10:00:00Z");
    assert_eq!(desk.act_as_of("review", at("2026-11-10T10:00:00Z"), &json!({})).unwrap().points, 0);
    assert_eq!(words(desk.last()), ["recorded so late that its points would have ended at 2026-12-10T23:00:00Z"]);
    assert_eq!(desk.act("review"), 25, "the limit is not used");
    let noticed = with(document, "/points/notice_days", json!(10));
    let mut desk = Desk::open(&noticed, OPENED);
    desk.to("2026-12-20T10:00:00Z").act_as_of("review", at("2026-11-10T10:00:00Z"), &json!({})).unwrap();
    assert_eq!(desk.lots(), [(25, Some("2026-12-30T10:00:00Z".to_owned()))], "where notice is owed they are granted");
}

#[test]
fn it_is_judged_by_the_rules_and_the_windows_of_its_own_day() {
    let mut desk = Desk::open(&review(&json!({"from": "2026-10-05", "until": "2026-10-07"})), OPENED);
    desk.to("2026-10-20T00:00:00Z");
    for (moment, points) in [
        ("2026-10-04T21:59:59.999Z", 0),
        ("2026-10-04T22:00:00Z", 25),
        ("2026-10-06T21:59:59.999Z", 25),
        ("2026-10-06T22:00:00Z", 0),
    ] {
        assert_eq!(desk.act_as_of("review", at(moment), &json!({})).unwrap().points, points, "{moment}");
    }
}
