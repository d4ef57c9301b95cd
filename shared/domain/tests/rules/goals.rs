//! Challenges and stamp cards: what counts, within which days, and what reaching one gives.

use crate::desk::{Desk, at, label, line, order, plain, with, words};
use loyalty_domain::account::Status;
use loyalty_domain::money::Currency;
use loyalty_domain::purchase::record_guest;
use loyalty_domain::refusal::Refusal;
use serde_json::{Value, json};

/// A Monday.
const OPENED: &str = "2026-11-02T09:00:00Z";

/// A program in which one goal is all that gives points.
pub(crate) fn shop(goal: &Value, award: &Value) -> Value {
    with(plain(), "/earning_rules", json!([{"id": "stamps", "on": "purchase", "goal": goal, "award": award}]))
}

/// So many purchases for 100 points.
pub(crate) fn stamps(count: i64, repeat: bool) -> Value {
    shop(&json!({"count": count, "of": "purchases", "repeat": repeat}), &json!({"points": 100}))
}

/// What counts now, what is missing, how often it was reached.
pub(crate) fn state(desk: &Desk) -> (i64, i64, i64) {
    let progress = desk.progress();
    let number = |name: &str| progress["goals"][0][name].as_i64().unwrap();
    (number("counted"), number("missing"), number("reached"))
}

/// Buys something for 1.00 on each of these moments.
pub(crate) fn buy_at(desk: &mut Desk, moments: &[&str]) {
    for moment in moments {
        let id = format!("B-{}", desk.purchases.len() + 1);
        desk.to(moment).buy(&id, &[100]);
    }
}

fn buy_times(desk: &mut Desk, times: usize) {
    let now = desk.now.to_string();
    buy_at(desk, &vec![now.as_str(); times]);
}

fn not_applied(desk: &Desk, nets: &[i64]) -> Vec<(String, Vec<String>)> {
    let quote = desk.quote(&order("quoted", desk.now, nets)).unwrap();
    quote.not_applied.into_iter().map(|rule| (rule.rule.to_string(), rule.because)).collect()
}

// ── What counts ──

#[test]
fn so_many_purchases_give_the_points_once_and_later_ones_nothing_more() {
    let mut desk = Desk::open(&stamps(3, false), OPENED);
    buy_times(&mut desk, 2);
    assert_eq!((state(&desk), desk.position().0), ((2, 1, 0), 0));
    assert_eq!(words(desk.last()).last().unwrap(), "counts: 2 of 3");
    desk.buy("third", &[100]);
    assert_eq!(desk.kinds(4), [("earn", 0), ("goal", 0), ("bonus", 100)]);
    assert_eq!(desk.first("third"), 0, "what the goal gives is not the purchase's own");
    buy_times(&mut desk, 9);
    assert_eq!((state(&desk), desk.position().0), ((3, 0, 1), 100));
    assert_eq!(desk.progress()["goals"][0]["open"], false);
}

#[test]
fn one_that_repeats_is_reached_again_with_the_next_so_many() {
    let mut desk = Desk::open(&stamps(3, true), OPENED);
    buy_times(&mut desk, 8);
    assert_eq!((state(&desk), desk.position().0), ((2, 1, 2), 200));
    assert_eq!(desk.progress()["goals"][0]["open"], true);
}

#[test]
fn units_of_selected_lines_are_counted_and_what_is_beyond_counts_towards_the_next() {
    let mut document =
        shop(&json!({"count": 5, "of": "units of selected lines", "repeat": true}), &json!({"points": 100}));
    document["earning_rules"][0]["when"] = json!({"line_category": ["coffee"]});
    let mut desk = Desk::open(&document, OPENED);
    let mut told = order("A-1", desk.now, &[]);
    told.lines = vec![line("1", 1300, &["coffee"]), line("2", 700, &["tea"]), line("3", 0, &["coffee"])];
    (told.lines[0].quantity, told.lines[1].quantity, told.lines[2].quantity) = (13, 7, 40);
    desk.record(&told).unwrap();
    assert_eq!((state(&desk), desk.position().0), ((3, 2, 2), 200));
    assert_eq!(words(&desk.ledger[2]), ["reached 2 times"]);
    assert_eq!(desk.kinds(2), [("earn", 0), ("goal", 0), ("bonus", 200)]);
}

#[test]
fn a_purchase_counts_once_however_many_of_its_lines_are_selected_and_not_at_all_if_none_is() {
    let document = with(stamps(9, false), "/earning_rules/0/when", json!({"line_category": ["coffee"]}));
    let mut desk = Desk::open(&document, OPENED);
    for (id, categories) in [("A-1", ["coffee", "coffee", "tea"]), ("A-2", ["tea", "mug", "tea"])] {
        let mut told = order(id, desk.now, &[]);
        told.lines = (0..3).map(|n| line(&n.to_string(), 100, &categories[n..=n])).collect();
        desk.record(&told).unwrap();
        assert_eq!(state(&desk).0, 1, "{id}");
    }
}

#[test]
fn a_line_or_a_purchase_of_0_00_does_not_count() {
    let mut desk = Desk::open(&stamps(9, false), OPENED);
    desk.buy("free", &[0, 0]);
    assert_eq!(state(&desk).0, 0);
    desk.buy("nearly", &[0, 1]);
    assert_eq!(state(&desk).0, 1);
    let selected = with(stamps(9, false), "/earning_rules/0/when", json!({"line_category": ["coffee"]}));
    let mut desk = Desk::open(&selected, OPENED);
    let mut told = order("A-1", desk.now, &[500, 0]);
    told.lines[1].categories = vec![label("coffee")];
    desk.record(&told).unwrap();
    assert_eq!(state(&desk).0, 0, "the selected line is a gift");
}

#[test]
fn a_purchase_counts_in_any_currency_and_before_the_enrolment() {
    let mut desk = Desk::open(&stamps(9, false), OPENED);
    let mut told = order("A-1", desk.now, &[100]);
    told.currency = Currency::of("USD").unwrap();
    desk.record(&told).unwrap();
    desk.buy_as_of("A-2", "2026-10-20T10:00:00Z", &[100]).unwrap();
    assert_eq!(state(&desk).0, 2);
}

#[test]
fn activities_of_its_type_count_whose_attributes_fit() {
    let goal = json!({"id": "stamps", "on": "activity", "activity": "review", "award": {"badge": "critic"},
        "goal": {"count": 2, "of": "activities"}, "when": {"attribute": {"name": "stars", "at_least": 4}}});
    let check_in = json!({"id": "hello", "on": "activity", "activity": "check_in", "award": {"points": 1}});
    let mut desk = Desk::open(&with(plain(), "/earning_rules", json!([goal, check_in])), OPENED);
    for (kind, stars, counted) in [("review", 5, 1), ("review", 3, 1), ("check_in", 5, 1)] {
        desk.act_as_of(kind, desk.now, &json!({"stars": stars})).unwrap();
        assert_eq!(state(&desk).0, counted, "{kind} {stars}");
    }
    assert_eq!(desk.progress()["badges"], json!([]));
    desk.buy("A-1", &[100]);
    desk.act_as_of("review", desk.now, &json!({"stars": 4})).unwrap();
    assert_eq!(state(&desk), (2, 0, 1));
    assert_eq!(desk.kinds(6), [("bonus", 0), ("goal", 0)]);
    assert_eq!(desk.progress()["badges"], json!([{"badge": "critic", "since": OPENED}]));
}

#[test]
fn only_purchases_that_meet_its_condition_count_by_the_level_and_the_tags_that_the_member_then_has() {
    let mut document = with(stamps(9, false), "/tiers/levels", json!([{"id": "green", "from": 0}, {"id": "gold"}]));
    document["earning_rules"][0]["when"] = json!({"any": [{"tier": ["gold"]}, {"tag": ["double-day"]}]});
    let book = json!({"id": "book", "on": "activity", "activity": "book", "grants": {"tag": "double-day", "days": 1}});
    document["earning_rules"].as_array_mut().unwrap().push(book);
    let mut desk = Desk::open(&document, OPENED);
    desk.buy("neither", &[100]);
    assert_eq!(state(&desk).0, 0);
    desk.act("book");
    desk.buy("booked", &[100]);
    assert_eq!(state(&desk).0, 1);
    desk.to("2026-11-02T23:00:00Z").buy("the-day-after", &[100]);
    assert_eq!(state(&desk).0, 1);
    desk.lend("gold", "2026-11-05").unwrap();
    desk.buy("gold", &[100]);
    desk.to("2026-11-04T23:00:00Z").buy("no-longer-gold", &[100]);
    assert_eq!(state(&desk).0, 2);
    desk.buy_as_of("late", "2026-11-04T22:59:59.999Z", &[100]).unwrap();
    assert_eq!(state(&desk).0, 3, "gold when it occurred");
    assert_eq!(Desk::open_for(&document, OPENED, None, &["double-day"]).quote_counts(), 1, "a tag of their own");
}

impl Desk {
    /// How many goals a purchase of now would count for.
    fn quote_counts(&self) -> usize {
        let quote = self.quote(&order("quoted", self.now, &[100])).unwrap();
        quote.purchase.award.unwrap().counted.len()
    }
}

#[test]
fn the_rules_window_decides_what_counts_from_the_first_instant_to_the_last() {
    let mut document = stamps(9, false);
    document["earning_rules"][0]["from"] = json!("2026-11-05");
    document["earning_rules"][0]["until"] = json!("2026-11-07");
    let mut desk = Desk::open_for(&document, OPENED, Some("Asia/Tokyo"), &[]);
    assert_eq!(not_applied(&desk, &[100])[0].1, ["it begins on 2026-11-05"]);
    // The window is that of the shop's door, in Berlin.
    for (moment, counted, open) in [
        ("2026-11-04T22:59:59.999Z", 0, false),
        ("2026-11-04T23:00:00Z", 1, true),
        ("2026-11-06T22:59:59.999Z", 2, true),
        ("2026-11-06T23:00:00Z", 2, false),
    ] {
        buy_at(&mut desk, &[moment]);
        assert_eq!(state(&desk).0, counted, "{moment}");
        assert_eq!(desk.progress()["goals"][0]["open"], open, "{moment}");
    }
    assert_eq!(not_applied(&desk, &[100])[0].1, ["it ended before 2026-11-07"]);
    desk.buy_as_of("late", "2026-11-06T12:00:00Z", &[100]).unwrap();
    assert_eq!(state(&desk).0, 3, "it occurred within the window");
}

#[test]
fn a_claimed_purchase_counts_with_what_is_left_of_it() {
    let document = shop(&json!({"count": 4, "of": "units of selected lines", "repeat": true}), &json!({"points": 100}));
    let mut desk = Desk::open(&document, OPENED);
    let mut told = order("guest", desk.now, &[500]);
    told.lines[0].quantity = 5;
    let guest = record_guest(&desk.programs, &told, desk.now).unwrap();
    desk.to("2026-11-10T09:00:00Z").claim(guest, 500).unwrap();
    assert_eq!((state(&desk), desk.position().0), ((1, 3, 1), 100));
    desk.refund("guest", &[("1", 2, None)]).unwrap();
    assert_eq!((state(&desk), desk.position().0), ((3, 1, 0), 0));
}

#[test]
fn one_purchase_can_reach_several_goals_and_reaching_them_can_lift_the_level() {
    let goal = |id: &str, count: i64, award: Value| json!({"id": id, "on": "purchase", "award": award, "goal": {"count": count, "of": "purchases"}});
    let rules = json!([
        goal("one", 1, json!({"points": 30})),
        goal("two", 2, json!({"points": 70})),
        goal("three", 2, json!({"badge": "regular"}))
    ]);
    let document = with(
        with(plain(), "/earning_rules", rules),
        "/tiers/levels",
        json!([{"id": "green", "from": 0}, {"id": "gold", "from": 100}]),
    );
    let mut desk = Desk::open(&document, OPENED);
    desk.buy("A-1", &[100]);
    assert_eq!((desk.position().0, desk.level()), (30, "green".to_owned()));
    desk.buy("A-2", &[100]);
    assert_eq!(desk.kinds(5), [("earn", 0), ("goal", 0), ("bonus", 70), ("goal", 0), ("tier", 0)]);
    assert_eq!((desk.position().0, desk.level()), (100, "gold".to_owned()));
    desk.refund("A-2", &[("1", 1, None)]).unwrap();
    assert_eq!(desk.view()["tier"]["qualifying_units"], 30);
    assert_eq!((desk.position().0, desk.progress()["badges"].clone()), (30, json!([])));
}

// ── Within so many days ──

fn within(days: i64, repeat: bool) -> Value {
    shop(&json!({"count": 3, "of": "purchases", "within_days": days, "repeat": repeat}), &json!({"points": 100}))
}

#[test]
fn within_days_begins_with_the_first_that_counts_and_lapses_after_its_last_local_day() {
    let mut desk = Desk::open(&within(3, false), OPENED);
    // 3, 4 and 5 November in Berlin.
    buy_at(&mut desk, &["2026-11-03T22:30:00Z", "2026-11-05T22:59:59.999Z"]);
    assert_eq!(state(&desk).0, 2);
    assert_eq!(desk.progress()["goals"][0]["last_day"], "2026-11-05");
    desk.to("2026-11-05T23:00:00Z");
    assert_eq!(state(&desk).0, 0, "seen as lapsed before anything is written");
    assert_eq!(desk.progress()["goals"][0]["last_day"], Value::Null);
    desk.buy("anew", &[100]);
    assert_eq!(words(desk.last()).last().unwrap(), "what had been counted has lapsed; counts anew: 1 of 3");
    buy_at(&mut desk, &["2026-11-06T09:00:00Z", "2026-11-08T22:59:59.999Z"]);
    assert_eq!((state(&desk), desk.position().0), ((3, 0, 1), 100));
}

#[test]
fn its_days_are_those_of_the_members_zone_also_over_the_change_of_the_clocks() {
    for (zone, first, last, over) in [
        ("Asia/Tokyo", "2026-11-03T15:00:00Z", "2026-11-06T14:59:59.999Z", "2026-11-06T15:00:00Z"),
        ("America/New_York", "2026-10-31T20:00:00Z", "2026-11-03T04:59:59.999Z", "2026-11-03T05:00:00Z"),
        ("America/New_York", "2027-03-13T20:00:00Z", "2027-03-16T03:59:59.999Z", "2027-03-16T04:00:00Z"),
    ] {
        let mut desk = Desk::open_for(&within(3, false), "2026-10-30T09:00:00Z", Some(zone), &[]);
        buy_at(&mut desk, &[first, last]);
        assert_eq!(state(&desk).0, 2, "{zone} {first}");
        buy_at(&mut desk, &[over]);
        assert_eq!(state(&desk).0, 1, "{zone} {first}");
    }
}

#[test]
fn what_is_beyond_a_completion_counts_from_the_purchase_that_brought_it() {
    let goal = json!({"count": 3, "of": "units of selected lines", "within_days": 5, "repeat": true});
    let mut desk = Desk::open(&shop(&goal, &json!({"points": 100})), OPENED);
    buy_at(&mut desk, &["2026-11-02T09:00:00Z"]);
    let mut told = order("four", at("2026-11-05T09:00:00Z"), &[400]);
    told.lines[0].quantity = 4;
    desk.to("2026-11-05T09:00:00Z").record(&told).unwrap();
    assert_eq!((state(&desk), desk.progress()["goals"][0]["last_day"].clone()), ((2, 1, 1), json!("2026-11-09")));
    desk.to("2026-11-09T09:00:00Z").buy("last-day", &[100]);
    assert_eq!((state(&desk), desk.position().0), ((0, 3, 2), 200));
    buy_at(&mut desk, &["2026-11-13T09:00:00Z", "2026-11-14T09:00:00Z"]);
    assert_eq!(desk.progress()["goals"][0]["last_day"], "2026-11-17", "nothing was left: it begins with the next");
}

#[test]
fn a_purchase_recorded_late_counts_on_its_own_day() {
    let mut desk = Desk::open(&within(5, false), OPENED);
    buy_at(&mut desk, &["2026-11-10T09:00:00Z", "2026-11-12T09:00:00Z"]);
    // Within: also after the days are over.
    desk.to("2026-11-25T09:00:00Z").buy_as_of("inside", "2026-11-11T09:00:00Z", &[100]).unwrap();
    assert_eq!((state(&desk), desk.position().0), ((3, 0, 1), 100));
}

#[test]
fn a_late_one_before_the_first_moves_the_beginning_as_far_as_its_days_are_not_over() {
    let mut desk = Desk::open(&within(5, false), OPENED);
    buy_at(&mut desk, &["2026-11-10T09:00:00Z"]);
    desk.to("2026-11-11T09:00:00Z").buy_as_of("before", "2026-11-08T09:00:00Z", &[100]).unwrap();
    assert_eq!((state(&desk), desk.progress()["goals"][0]["last_day"].clone()), ((2, 1, 0), json!("2026-11-12")));
    desk.buy_as_of("long-before", "2026-11-06T22:59:59.999Z", &[100]).unwrap();
    assert_eq!(state(&desk).0, 2, "its five days ended with yesterday");
    let quote = desk.quote(&order("quoted", at("2026-11-06T12:00:00Z"), &[100])).unwrap();
    assert_eq!(
        quote.not_applied[0].because,
        ["nothing that costs something counts for it, or it comes too late for it"]
    );
    desk.refund("long-before", &[("1", 1, None)]).unwrap();
    assert_eq!(state(&desk).0, 2, "what did not count takes nothing");
}

// ── What it gives ──

#[test]
fn the_points_are_granted_when_it_is_reached_pending_and_ending_like_all_others() {
    let document = with(stamps(2, false), "/points/pending_days", json!(7));
    let mut desk = Desk::open(&document, OPENED);
    desk.buy("A-1", &[100]);
    desk.to("2026-11-20T09:00:00Z").buy_as_of("A-2", "2026-11-03T09:00:00Z", &[100]).unwrap();
    assert_eq!(desk.position(), (0, 100, 0));
    let lot = &desk.view()["lots"][0];
    assert_eq!(
        (&lot["activates_at"], &lot["expires_at"]),
        (&json!("2026-11-26T23:00:00Z"), &json!("2027-11-30T23:00:00Z"))
    );
    desk.to("2026-11-26T23:00:00Z");
    assert_eq!(desk.position(), (100, 0, 0));
}

#[test]
fn the_points_repay_debt_first_and_qualify() {
    let mut document = stamps(3, false);
    document["earning_rules"].as_array_mut().unwrap().push(crate::desk::base_rule());
    let mut desk = Desk::open(&document, OPENED);
    desk.buy("A-1", &[4000]);
    desk.adjust(-40, false).unwrap();
    desk.buy("A-2", &[100]);
    desk.adjust(-1, false).unwrap();
    desk.buy("A-3", &[100]);
    desk.adjust(-101, false).unwrap();
    desk.refund("A-1", &[("1", 1, None)]).unwrap();
    assert_eq!(desk.position(), (0, 0, 140), "the goal is not reached any more, and all was spent");
    desk.buy("A-4", &[100]);
    assert_eq!(desk.position(), (0, 0, 39));
    assert_eq!((desk.last().points, desk.last().debt_repaid), (100, 100));
    assert_eq!(words(desk.last()), ["100 points", "100 points pay what was owed"]);
    assert_eq!(desk.view()["tier"]["qualifying_units"], 103);
}

#[test]
fn where_spend_or_visits_qualify_its_points_do_not() {
    for tiers in [json!({"qualify_by": "visits"}), json!({"qualify_by": "spend", "currency": "EUR"})] {
        let levels = json!([{"id": "green", "from": 0}, {"id": "gold", "from": 1000}]);
        let mut desk = Desk::open(&with(stamps(1, true), "/tiers", with(tiers, "/levels", levels)), OPENED);
        desk.buy("A-1", &[5]);
        assert_eq!(desk.position().0, 100);
        assert!(desk.view()["tier"]["qualifying_units"].as_i64().unwrap() <= 5);
        desk.refund("A-1", &[("1", 1, None)]).unwrap();
        assert_eq!((desk.position().0, desk.view()["tier"]["qualifying_units"].clone()), (0, json!(0)));
    }
}

#[test]
fn a_badge_is_given_once_and_keeps_its_day_however_often_it_is_reached() {
    let document = shop(&json!({"count": 2, "of": "purchases", "repeat": true}), &json!({"badge": "regular"}));
    let mut desk = Desk::open(&document, OPENED);
    buy_at(&mut desk, &["2026-11-03T09:00:00Z", "2026-11-04T09:00:00Z"]);
    let badge = json!([{"badge": "regular", "since": "2026-11-04T09:00:00Z"}]);
    assert_eq!(desk.progress()["badges"], badge);
    buy_at(&mut desk, &["2026-11-05T09:00:00Z", "2026-11-06T09:00:00Z"]);
    assert_eq!((state(&desk), desk.progress()["badges"].clone()), ((0, 2, 2), badge));
    assert_eq!(desk.position(), (0, 0, 0));
}

// ── Quotes ──

#[test]
fn a_quote_shows_a_goal_reached_exactly_as_the_purchase_then_reaches_it() {
    let mut desk = Desk::open(&stamps(2, false), OPENED);
    desk.buy("A-1", &[100]);
    let quote = desk.quote(&order("A-2", desk.now, &[100])).unwrap();
    let kinds: Vec<_> = quote.entries.iter().map(|entry| (entry.kind.word(), entry.points)).collect();
    assert_eq!(kinds, [("earn", 0), ("goal", 0), ("bonus", 100)]);
    assert_eq!(state(&desk).0, 1, "nothing was written");
    assert_eq!(desk.record(&order("A-2", desk.now, &[100])).unwrap(), quote.entries);
}

#[test]
fn a_quote_names_the_goals_for_which_it_counts_nothing_and_why() {
    let goal = |id: &str, when: Value| json!({"id": id, "on": "purchase", "when": when, "award": {"points": 1}, "goal": {"count": 2, "of": "purchases"}});
    let activity = json!({"id": "critic", "on": "activity", "activity": "review", "award": {"points": 1}, "goal": {"count": 2, "of": "activities"}});
    let rules = json!([
        goal("beans", json!({"line_category": ["coffee"]})),
        goal("weekend", json!({"local_weekday": ["sat", "sun"]})),
        goal("any", json!({"member_days_at_least": 0})),
        activity,
    ]);
    let desk = Desk::open(&with(plain(), "/earning_rules", rules), OPENED);
    let because = |text: &str| vec![text.to_owned()];
    assert_eq!(
        not_applied(&desk, &[100]),
        [
            ("beans".to_owned(), because("it needs: an article of category coffee")),
            ("weekend".to_owned(), because("it needs: the weekday sat or sun")),
        ]
    );
    let why: Vec<_> = not_applied(&desk, &[0]).into_iter().map(|(rule, _)| rule).collect();
    assert_eq!(why, ["beans", "weekend", "any"], "nothing costs something");
}

// ── Members who take no part ──

#[test]
fn who_is_deactivated_moves_no_goal_but_what_comes_back_still_takes_it_back() {
    let mut desk = Desk::open(&stamps(1, true), OPENED);
    desk.buy("A-1", &[100]);
    desk.change(|account| account.status = Status::Deactivated).unwrap();
    assert_eq!(desk.buy_as_of("A-2", OPENED, &[100]), Err(Refusal::Deactivated));
    assert_eq!(state(&desk).2, 1);
    desk.refund("A-1", &[("1", 1, None)]).unwrap();
    assert_eq!((state(&desk), desk.position()), ((0, 1, 0), (0, 0, 0)));
}

#[test]
fn a_refund_for_one_who_was_erased_moves_no_goal() {
    let mut desk = Desk::open(&stamps(1, true), OPENED);
    desk.buy("A-1", &[100]);
    desk.erase().unwrap();
    let refund = desk.refund("A-1", &[("1", 1, None)]).unwrap();
    assert_eq!((refund.clawed_back, desk.position()), (0, (0, 0, 0)));
    assert_eq!(desk.kinds(5), [("forfeit", -100), ("clawback", 0)]);
}

// ── Points recorded too late to live ──

#[test]
fn a_purchase_whose_own_points_would_have_ended_still_counts() {
    let mut document = with(stamps(1, false), "/points/expiry", json!({"after_months": 1, "snap": "end_of_day"}));
    document["points"]["late_purchase_days"] = json!(90);
    document["earning_rules"].as_array_mut().unwrap().push(crate::desk::base_rule());
    let mut desk = Desk::open(&document, OPENED);
    desk.to("2027-01-10T09:00:00Z").buy_as_of("A-1", "2026-11-20T09:00:00Z", &[900]).unwrap();
    assert_eq!((desk.first("A-1"), state(&desk), desk.position().0), (0, (1, 0, 1), 100));
    assert_eq!(words(&desk.ledger[1])[1], "counts: 1 of 1");
    desk.refund("A-1", &[("1", 1, None)]).unwrap();
    assert_eq!((state(&desk), desk.position()), ((0, 1, 0), (0, 0, 0)));
}

// ── Room ──

#[test]
fn an_account_with_36_lots_20_limited_rules_and_5_challenges_stays_under_two_kilobytes() {
    let limited = (0..20).map(|n| {
        json!({"id": format!("limited-rule-{n:03}"), "on": "purchase", "award": {"points": 1}, "limit": {"times": 200, "per": "ever"}})
    });
    let goals = [
        (json!({"count": 10, "of": "purchases", "repeat": true}), json!({"points": 100})),
        (json!({"count": 3, "of": "purchases", "within_days": 90, "repeat": true}), json!({"points": 50})),
        (json!({"count": 3, "of": "purchases", "streak": "month", "repeat": true}), json!({"points": 50})),
        (json!({"count": 50, "of": "units of selected lines", "repeat": true}), json!({"badge": "regular"})),
        (json!({"count": 100, "of": "purchases"}), json!({"badge": "hundred"})),
    ];
    let goals = goals.iter().enumerate().map(
        |(n, (goal, award))| json!({"id": format!("challenge-{n:03}"), "on": "purchase", "goal": goal, "award": award}),
    );
    let rules: Vec<Value> = limited.chain(goals).collect();
    let document = with(plain(), "/earning_rules", json!(rules));
    let mut desk = Desk::open(&with(document, "/points/expiry/after_months", json!(36)), OPENED);
    for month in 0..36 {
        desk.to(&format!("{}-{:02}-05T10:00:00Z", 2027 + month / 12, month % 12 + 1));
        buy_times(&mut desk, 2);
    }
    assert_eq!((desk.account.lots.count(), desk.account.uses.len(), desk.account.progress.len()), (36, 20, 5));
    let bytes = postcard::to_stdvec(&desk.account).unwrap().len();
    // An item has keys besides.
    assert!(bytes < 1_850, "{bytes} bytes");
}
