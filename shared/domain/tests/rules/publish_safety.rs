//! Rules that can never do anything are refused before they are published, and no others are.

use crate::awarding::document;
use crate::desk::{at, base_rule, faults, label, plain, read, with, with_rules};
use crate::examples::{pointers, refused};
use loyalty_domain::id::Label;
use loyalty_domain::money::{Currency, Money};
use loyalty_domain::program::Program;
use loyalty_domain::program::condition::{Attribute, Facts, LineFacts};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn bonus(when: &Value) -> Value {
    json!({"id": "it", "on": "purchase", "when": when, "award": {"points": 5}})
}

/// The plain program with two levels and one more rule.
fn program_with(rule: Value) -> Value {
    let levels = json!([{"id": "green", "from": 0}, {"id": "gold", "from": 500}]);
    with(with_rules(&[rule]), "/tiers/levels", levels)
}

fn said(rule: Value) -> Vec<(String, String)> {
    let strip = |(pointer, said): (String, String)| (pointer.replace("/earning_rules/1", ""), said);
    refused(&program_with(rule)).into_iter().map(strip).collect()
}

fn total(amount: i64) -> Value {
    json!({"net_total_at_least": {"amount": amount, "currency": "EUR"}})
}

#[test]
fn a_condition_that_can_never_hold_is_refused_with_its_pointer_and_what_it_contradicts() {
    let table = [
        (
            json!({"all": [{"local_weekday": ["sat", "sun"]}, {"local_weekday": ["mon"]}]}),
            ("/when/all/1", "can never hold beside: the weekday sat or sun"),
        ),
        (json!({"all": [{"channel": ["web"]}, {"channel": ["app"]}]}), ("/when/all/1", "the channel web")),
        (json!({"all": [{"store": ["a"]}, {"store": ["b", "c"]}]}), ("/when/all/1", "the store a")),
        (json!({"all": [{"tier": ["green"]}, {"tier": ["gold"]}]}), ("/when/all/1", "the level green")),
        (json!({"not": {"tier": ["green", "gold"]}}), ("/when/not", "can never hold")),
        (json!({"all": [{"line_sku": ["a"]}, {"line_sku": ["b"]}]}), ("/when/all/1", "the article a")),
        (
            json!({"all": [{"line_category": ["a", "b"]}, {"not": {"line_category": ["b", "a", "c"]}}]}),
            ("/when/all/1", "an article of category a or b"),
        ),
        (json!({"all": [{"not": {"tag": ["vip"]}}, {"tag": ["vip"]}]}), ("/when/all/1", "not (the tag vip)")),
        (json!({"all": [total(5000), {"not": total(4000)}]}), ("/when/all/1", "a total of at least 50.00 EUR")),
        (json!({"not": total(0)}), ("", "")),
        (
            json!({"all": [total(100), {"first_purchase": true}, {"not": {"first_purchase": true}}]}),
            ("/when/all/2", "first purchase"),
        ),
        (
            json!({"all": [{"member_days_at_least": 30}, {"not": {"member_days_at_least": 30}}]}),
            ("/when/all/1", "at least 30 days"),
        ),
        (json!({"not": {"member_days_at_least": 0}}), ("/when/not", "can never hold")),
        (
            json!({"all": [{"local_time": {"from": "22:00", "to": "06:00"}}, {"local_time": {"from": "06:00", "to": "22:00"}}]}),
            ("/when/all/1", "a time between 22:00 and 06:00"),
        ),
        (json!({"not": {"local_time": {"from": "00:00", "to": "24:00"}}}), ("/when/not", "can never hold")),
        (json!({"not": {"local_weekday": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]}}), ("/when/not", "")),
        (json!({"not": {"any": [{"first_purchase": true}, {"not": {"first_purchase": true}}]}}), ("/when/not", "")),
        (
            json!({"any": [{"all": [{"store": ["a"]}, {"store": ["b"]}]}, {"not": {"member_days_at_least": 0}}]}),
            ("/when/any", "none of these can ever hold"),
        ),
        (
            json!({"all": [{"any": [{"channel": ["web"]}, {"channel": ["app"]}]}, {"not": {"channel": ["app", "web"]}}]}),
            ("/when/all/1", "can never hold beside: (the channel web or the channel app)"),
        ),
        (
            json!({"all": [{"first_purchase": true}, {"any": [{"all": [{"store": ["a"]}, {"store": ["b"]}]}]}]}),
            ("/when/all/1/any/0/all/1", "the store a"),
        ),
        (
            json!({"all": [{"any": [{"store": ["a"]}, {"store": ["b"]}]}, {"not": {"store": ["a"]}}, {"not": {"store": ["b"]}}]}),
            ("/when/all/2", "all that stands before it"),
        ),
    ];
    for (when, (pointer, words)) in table {
        if pointer.is_empty() {
            // Another currency is less than nothing of this one.
            assert_eq!(said(bonus(&when)), [], "{when}");
            continue;
        }
        let said = said(bonus(&when));
        assert_eq!(said.len(), 1, "{when}: {said:?}");
        assert!(said[0].0 == pointer && said[0].1.contains(words), "{when}: {said:?}");
    }
}

#[test]
fn conditions_that_only_look_contradictory_are_published() {
    for when in [
        json!({"all": [{"line_category": ["a"]}, {"line_category": ["b"]}]}),
        json!({"all": [{"tag": ["a"]}, {"tag": ["b"]}, {"not": {"tag": ["c"]}}]}),
        json!({"all": [{"tag": ["a", "b"]}, {"not": {"tag": ["a"]}}]}),
        json!({"not": {"all": [{"store": ["a"]}, {"store": ["b"]}]}}),
        json!({"any": [{"all": [{"store": ["a"]}, {"store": ["b"]}]}, {"channel": ["web"]}]}),
        json!({"all": [{"first_purchase": true}, {"member_days_at_least": 400}]}),
        json!({"all": [total(100), {"not": total(101)}]}),
        json!({"all": [{"local_time": {"from": "22:00", "to": "06:00"}}, {"local_time": {"from": "05:59", "to": "22:00"}}]}),
    ] {
        assert_eq!(said(bonus(&when)), [], "{when}");
    }
}

#[test]
fn an_attribute_cannot_be_two_things_at_once() {
    let test = |tests: &[Value]| {
        let clauses: Vec<Value> = tests
            .iter()
            .map(|test| {
                let mut clause = test.clone();
                clause["name"] = json!("stars");
                json!({"attribute": clause})
            })
            .collect();
        said(
            json!({"id": "it", "on": "activity", "activity": "review", "when": {"all": clauses}, "award": {"points": 5}}),
        )
    };
    for tests in [
        &[json!({"equals": 4}), json!({"equals": 5})][..],
        &[json!({"equals": "a"}), json!({"equals": true})],
        &[json!({"at_least": 5}), json!({"at_most": 4})],
        &[json!({"at_least": 5}), json!({"equals": "five"})],
    ] {
        assert_eq!(test(tests)[0].0, "/when/all/1", "{tests:?}");
    }
    assert_eq!(test(&[json!({"at_least": 5}), json!({"at_most": 5}), json!({"equals": 5})]), []);
    let between = json!({"all": [{"attribute": {"name": "stars", "at_least": 1}}, {"attribute": {"name": "stars", "at_most": 2}},
        {"not": {"attribute": {"name": "stars", "equals": 1}}}, {"not": {"attribute": {"name": "stars", "equals": 2}}}]});
    let rule = json!({"id": "it", "on": "activity", "activity": "review", "when": between, "award": {"points": 5}});
    assert_eq!(said(rule)[0].0, "/when/all/3");
}

#[test]
fn a_weekday_must_lie_in_the_window() {
    let between = |from: &str, until: &str, days: &[&str]| {
        let mut rule = bonus(&json!({"local_weekday": days}));
        (rule["from"], rule["until"]) = (json!(from), json!(until));
        said(rule)
    };
    // 2026-11-20 is a Friday.
    let refused = between("2026-11-20", "2026-11-22", &["sun", "mon"]);
    assert_eq!(refused, [("/when/local_weekday".to_owned(), "can never hold between from and until".to_owned())]);
    assert_eq!(between("2026-11-20", "2026-11-23", &["sun"]), []);
    assert_eq!(between("2026-11-20", "2026-11-27", &["thu"]), []);
    assert_eq!(between("2001-01-01", "2002-01-01", &["thu"]), [], "windows in the past are legal");
}

#[test]
fn nobody_who_enrols_is_on_a_higher_level_or_has_been_a_member_before() {
    let welcome = |when: Value| said(json!({"id": "it", "on": "enrolment", "when": when, "award": {"points": 5}}));
    let refused = |pointer: &str| vec![(pointer.to_owned(), "can never hold when somebody enrols".to_owned())];
    assert_eq!(welcome(json!({"tier": ["gold"]})), refused("/when/tier"));
    assert_eq!(welcome(json!({"member_days_at_least": 1})), refused("/when/member_days_at_least"));
    assert_eq!(welcome(json!({"all": [{"tier": ["green"]}, {"tag": ["staff"]}, {"member_days_at_least": 0}]})), []);
}

#[test]
fn a_total_must_be_in_a_currency_in_which_the_program_deals() {
    let dollars = json!({"net_total_at_least": {"amount": 100, "currency": "USD"}});
    let nested = json!({"any": [{"first_purchase": true}, {"not": dollars}]});
    let pointer = "/when/any/1/not/net_total_at_least/currency";
    assert_eq!(said(bonus(&nested))[0].0, pointer);
    let spend = json!({"qualify_by": "spend", "currency": "USD", "levels": [{"id": "green", "from": 0}]});
    assert_eq!(pointers(&with(with_rules(&[bonus(&dollars)]), "/tiers", spend)), [""; 0]);
    let no_rates = with(plain(), "/earning_rules", json!([bonus(&dollars)]));
    assert_eq!(pointers(&no_rates), [""; 0], "a program without rates and spend deals in whatever it names");
    let both = json!({"id": "usd", "on": "purchase", "when": total(100),
        "award": {"per_amount": {"points": "1", "amount": 100, "currency": "USD"}}});
    let refused = said(both);
    assert_eq!(refused, [("/when/net_total_at_least".to_owned(), "can never hold for a purchase in USD".to_owned())]);
}

#[test]
fn a_multiplier_needs_a_rate_to_multiply() {
    let double = |more: &Value| {
        let mut rule = json!({"id": "it", "on": "purchase", "award": {"multiply": "2"}});
        for (name, value) in more.as_object().unwrap() {
            rule[name] = value.clone();
        }
        rule
    };
    let against = |rate: &Value, more: &Value| pointers(&with(plain(), "/earning_rules", json!([rate, double(more)])));
    let nothing = "/earning_rules/1/award/multiply";
    assert_eq!(against(&base_rule(), &json!({})), [""; 0]);
    assert_eq!(against(&json!({"id": "a", "on": "purchase", "award": {"points": 1}}), &json!({})), [nothing]);
    let mut coffee = base_rule();
    coffee["when"] = json!({"line_sku": ["coffee"]});
    assert_eq!(against(&coffee, &json!({"when": {"line_sku": ["tea"]}})), [nothing]);
    assert_eq!(against(&coffee, &json!({"when": {"line_sku": ["tea", "coffee"]}})), [""; 0]);
    let mut over = base_rule();
    over["until"] = json!("2026-11-20");
    assert_eq!(against(&over, &json!({"from": "2026-11-20"})), [nothing]);
    assert_eq!(against(&over, &json!({"from": "2026-11-19"})), [""; 0]);
    let friday = json!({"from": "2026-11-20", "until": "2026-11-21"});
    let mut monday = base_rule();
    monday["when"] = json!({"local_weekday": ["mon"]});
    assert_eq!(against(&monday, &friday), [nothing]);
}

#[test]
fn a_goal_is_looked_at_like_a_rule_and_its_streak_must_fit_its_window() {
    let streak = |count: i64, pace: &str| {
        said(json!({"id": "it", "on": "purchase", "goal": {"count": count, "of": "purchases", "streak": pace},
            "award": {"badge": "regular"}, "from": "2026-11-01", "until": "2026-12-01"}))
    };
    for (most, far, pace) in [(30, 34, "day"), (6, 7, "week"), (3, 4, "month")] {
        assert_eq!(streak(most, pace), [], "{pace}");
        assert_eq!(streak(far, pace)[0].0, "/goal/count", "{pace}");
    }
    let when = json!({"all": [{"store": ["a"]}, {"store": ["b"]}]});
    let goal = json!({"id": "it", "on": "purchase", "when": when, "goal": {"count": 1, "of": "purchases"}, "award": {"points": 5}});
    assert_eq!(said(goal)[0].0, "/when/all/1");
}

#[test]
fn a_reward_must_be_within_somebodys_reach() {
    let reward = |when: Value| {
        let reward = json!({"id": "mug", "name": "Mug", "kind": "product", "points": 5, "settle": "immediately", "when": when,
            "from": "2026-11-20", "until": "2026-11-22"});
        let levels = json!([{"id": "green", "from": 0}, {"id": "gold", "from": 500}]);
        pointers(&with(with(plain(), "/rewards", json!([reward])), "/tiers/levels", levels))
    };
    assert_eq!(reward(json!({"all": [{"tier": ["gold"]}, {"tier": ["green"]}]})), ["/rewards/0/when/all/1"]);
    assert_eq!(reward(json!({"local_weekday": ["sun"]})), ["/rewards/0/when/local_weekday"]);
    assert_eq!(reward(json!({"all": [{"tier": ["gold"]}, {"local_weekday": ["sat"]}]})), [""; 0]);
}

#[test]
fn all_of_it_is_named_at_once_beside_what_the_reader_finds() {
    let impossible = json!({"all": [{"store": ["a"]}, {"store": ["b"]}]});
    let goal = json!({"id": "goal", "on": "purchase", "goal": {"count": 1, "of": "purchases"}, "award": {"points": 5}});
    let other = json!({"id": "other", "on": "purchase", "when": impossible, "award": {"points": 5}});
    let document = with(with_rules(&[bonus(&impossible), goal, other]), "/colour", json!("red"));
    assert_eq!(pointers(&document), ["/colour", "/earning_rules/1/when/all/1", "/earning_rules/3/when/all/1"]);
    let published = with_rules(&[bonus(&impossible)]);
    assert_eq!(read(&published).rules.len(), 2, "what is published already is loaded all the same");
}

/// One way a purchase can be, or an activity: every fact that the conditions below look at.
#[derive(Debug, Clone)]
struct Case {
    weekday: u8,
    minute: u16,
    net: (i64, &'static str),
    level: usize,
    channel: &'static str,
    store: Option<&'static str>,
    tags: Vec<Label>,
    first: bool,
    days: i64,
    sku: Option<&'static str>,
    categories: Vec<Label>,
    stars: Option<Attribute>,
}

const USUAL: Case = Case {
    weekday: 0,
    minute: 0,
    net: (100, "EUR"),
    level: 0,
    channel: "web",
    store: None,
    tags: Vec::new(),
    first: false,
    days: 0,
    sku: None,
    categories: Vec::new(),
    stars: None,
};

/// Replaces every case by some that differ in one fact.
fn vary<T: Clone>(cases: Vec<Case>, values: &[T], set: impl Fn(&mut Case, T)) -> Vec<Case> {
    let each = |case: Case| {
        values.iter().map(move |value| (case.clone(), value.clone())).map(|(mut case, value)| {
            set(&mut case, value);
            case
        })
    };
    cases.into_iter().flat_map(each).collect()
}

fn subsets() -> Vec<Vec<Label>> {
    vec![vec![], vec![label("a")], vec![label("b")], vec![label("a"), label("b")]]
}

/// A family of clauses about a few facts, and all that these facts can be as far as the clauses tell it apart.
fn family(number: usize) -> (Vec<Value>, Vec<Case>) {
    let time = |from: &str, to: &str| json!({"local_time": {"from": from, "to": to}});
    let cases = vec![USUAL];
    match number {
        0 => {
            let days = [&["mon"][..], &["mon", "tue"], &["wed", "thu", "fri", "sat", "sun"], &["tue", "sun"]];
            let mut leaves: Vec<Value> = days.iter().map(|days| json!({"local_weekday": days})).collect();
            leaves.extend([
                time("10:00", "20:00"),
                time("20:00", "10:00"),
                time("18:00", "22:00"),
                time("22:00", "24:00"),
            ]);
            let cases = vary(cases, &[0, 1, 2, 3, 4, 5, 6], |case, day| case.weekday = day);
            (leaves, vary(cases, &[0, 600, 1080, 1200, 1320, 1439], |case, minute| case.minute = minute))
        }
        1 => {
            let net =
                |amount: i64, currency: &str| json!({"net_total_at_least": {"amount": amount, "currency": currency}});
            let leaves = vec![
                net(0, "EUR"),
                net(1, "EUR"),
                net(200, "EUR"),
                net(200, "USD"),
                json!({"line_sku": ["a"]}),
                json!({"line_sku": ["a", "b"]}),
                json!({"line_category": ["a"]}),
                json!({"line_category": ["b"]}),
                json!({"line_category": ["a", "b"]}),
            ];
            let nets = [(0, "EUR"), (1, "EUR"), (200, "EUR"), (0, "USD"), (200, "USD"), (200, "CHF")];
            let cases = vary(cases, &nets, |case, net| case.net = net);
            let cases = vary(cases, &[None, Some("a"), Some("b"), Some("c")], |case, sku| case.sku = sku);
            (leaves, vary(cases, &subsets(), |case, categories| case.categories = categories))
        }
        2 => {
            let leaves = vec![
                json!({"tier": ["green"]}),
                json!({"tier": ["gold"]}),
                json!({"channel": ["web"]}),
                json!({"channel": ["web", "app"]}),
                json!({"store": ["a"]}),
                json!({"store": ["b"]}),
                json!({"first_purchase": true}),
                json!({"member_days_at_least": 0}),
                json!({"member_days_at_least": 5}),
                json!({"tag": ["a"]}),
                json!({"tag": ["a", "b"]}),
            ];
            let cases = vary(cases, &[0, 1], |case, level| case.level = level);
            let cases = vary(cases, &["web", "app", "pos"], |case, channel| case.channel = channel);
            let cases = vary(cases, &[None, Some("a"), Some("b"), Some("c")], |case, store| case.store = store);
            let cases = vary(cases, &[false, true], |case, first| case.first = first);
            let cases = vary(cases, &[0, 4, 5], |case, days| case.days = days);
            (leaves, vary(cases, &subsets(), |case, tags| case.tags = tags))
        }
        _ => {
            let test = |test: &str, value: Value| json!({"attribute": {"name": "stars", test: value}});
            let leaves = vec![
                test("equals", json!(1)),
                test("equals", json!(2)),
                test("equals", json!(true)),
                test("equals", json!(false)),
                test("equals", json!("a")),
                test("at_least", json!(1)),
                test("at_least", json!(3)),
                test("at_most", json!(2)),
                test("at_most", json!(0)),
                json!({"tag": ["a"]}),
            ];
            let mut values: Vec<Option<Attribute>> = (-1..5).map(|number| Some(Attribute::Int(number))).collect();
            values.extend([true, false].map(|yes| Some(Attribute::Bool(yes))));
            values.extend(["a", "b"].map(|text| Some(Attribute::Text(text.to_owned()))));
            values.push(None);
            (
                leaves,
                vary(vary(cases, &values, |case, stars| case.stars = stars), &subsets(), |case, tags| case.tags = tags),
            )
        }
    }
}

fn holds(program: &Program, case: &Case) -> bool {
    let caller = |text: &str| text.parse().unwrap();
    let (channel, store) = (caller(case.channel), case.store.map(label));
    let tags = program.tag_places(&case.tags);
    let attributes: BTreeMap<Label, Attribute> =
        case.stars.clone().map(|stars| (label("stars"), stars)).into_iter().collect();
    let facts = Facts {
        occurred_at: at("2026-11-20T11:00:00Z"),
        weekday: case.weekday,
        minute: case.minute,
        net_total: Some(Money { amount: case.net.0, currency: Currency::of(case.net.1).unwrap() }),
        channel: Some(&channel),
        store: store.as_ref(),
        level: case.level,
        tags: &tags,
        first_purchase: case.first,
        member_days: case.days,
        attributes: Some(&attributes),
    };
    let sku = case.sku.map(label);
    let line = LineFacts { sku: sku.as_ref(), categories: &case.categories };
    program.rules[1].when.as_ref().unwrap().holds(&facts, Some(line)) == Some(true)
}

/// Whether the condition can hold, by trying everything, and whether it would be published.
fn tried_and_published(family_number: usize, when: &Value) -> (bool, bool) {
    let (_, cases) = family(family_number);
    let rule = if family_number == 3 {
        json!({"id": "it", "on": "activity", "activity": "review", "when": when, "award": {"points": 5}})
    } else {
        bonus(when)
    };
    let dollars = json!({"id": "usd", "on": "purchase", "award": {"per_amount": {"points": "1", "amount": 100, "currency": "USD"}}});
    let levels = json!([{"id": "green", "from": 0}, {"id": "gold", "from": 500}]);
    let document = with(with_rules(&[rule, dollars]), "/tiers/levels", levels);
    let program = read(&document);
    (cases.iter().any(|case| holds(&program, case)), pointers(&document).is_empty())
}

fn nested() -> impl Strategy<Value = (usize, Value)> {
    // Few clauses at a time, so that they meet each other.
    let few = |number: usize| (Just(number), prop::sample::subsequence(family(number).0, 2..5));
    (0_usize..4).prop_flat_map(few).prop_flat_map(|(number, leaves)| {
        let leaf = prop::sample::select(leaves);
        let nested = leaf.prop_recursive(5, 24, 4, |inner| {
            prop_oneof![
                2 => prop::collection::vec(inner.clone(), 1..5).prop_map(|all| json!({"all": all})),
                1 => prop::collection::vec(inner.clone(), 1..4).prop_map(|any| json!({"any": any})),
                1 => inner.prop_map(|not| json!({"not": not})),
            ]
        });
        (Just(number), nested)
    })
}

fn flat() -> impl Strategy<Value = (usize, Value)> {
    (0_usize..4).prop_flat_map(|number| {
        let literal = (prop::sample::select(family(number).0), any::<bool>())
            .prop_map(|(leaf, wanted)| if wanted { leaf } else { json!({"not": leaf}) });
        (Just(number), prop::collection::vec(literal, 1..6).prop_map(|all| json!({"all": all})))
    })
}

proptest! {
    #[test]
    fn no_condition_that_can_hold_is_ever_refused((number, when) in nested()) {
        let (possible, published) = tried_and_published(number, &when);
        prop_assert!(published || !possible, "{when}");
    }

    #[test]
    fn of_clauses_that_stand_side_by_side_exactly_those_that_can_hold_are_published((number, when) in flat()) {
        let (possible, published) = tried_and_published(number, &when);
        prop_assert_eq!(published, possible, "{}", when);
    }

    #[test]
    fn checking_never_panics_and_finds_whatever_reading_finds(document in document()) {
        let json = loyalty_domain::json::parse(document.to_string().as_bytes()).unwrap();
        if let Err(faults) = Program::from_json(&json) {
            let all = Program::checked(&json).unwrap_err();
            prop_assert!(all.list().starts_with(faults.list()));
        } else if let Ok(program) = Program::checked(&json) {
            prop_assert_eq!(program, Program::from_json(&json).unwrap());
        }
    }
}

#[test]
fn a_streak_is_no_longer_than_a_year_of_days_and_a_lowest_level_is_nothing_to_grant() {
    let streak = |count: i64| {
        let goal = json!({"id": "row", "on": "purchase", "goal": {"count": count, "of": "purchases", "streak": "day"},
            "award": {"points": 1}});
        faults(&with_rules(&[goal]).to_string())
    };
    assert!(streak(366).is_empty());
    assert_eq!(streak(367), ["/earning_rules/1/goal/count"]);
    let grant = json!({"id": "pay", "on": "activity", "activity": "paid", "grants": {"tier": "green", "days": 30}});
    assert_eq!(faults(&with_rules(&[grant]).to_string()), ["/earning_rules/1/grants/tier"]);
}
