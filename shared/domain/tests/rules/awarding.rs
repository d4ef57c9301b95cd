//! What a purchase is worth, and why.

use crate::desk::{Desk, at, base_rule, label, line, order, plain, read, with, with_rules, words};
use crate::naive::{self, Fraction};
use loyalty_domain::award::{AwardLine, Caps, award};
use loyalty_domain::calendar::Moment;
use loyalty_domain::entry::Reason;
use loyalty_domain::money::{Currency, Money};
use loyalty_domain::program::condition::{Facts, LineFacts};
use loyalty_domain::purchase::OrderLine;
use loyalty_domain::refusal::Refusal;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const OPENED: &str = "2026-11-01T10:00:00Z";

fn coffee_doubles() -> Value {
    json!({"id": "coffee", "on": "purchase", "when": {"line_category": ["coffee"]}, "award": {"multiply": "2"}})
}

fn exacts(desk: &Desk) -> Vec<(Option<String>, Option<String>)> {
    let reasons = desk.last().explanation.iter();
    reasons.map(|reason| (reason.rule().map(str::to_owned), reason.exact().map(|exact| exact.to_string()))).collect()
}

fn some(rule: &str, exact: &str) -> (Option<String>, Option<String>) {
    (Some(rule.to_owned()), Some(exact.to_owned()))
}

#[test]
fn a_doubled_line_of_10_50_and_a_plain_one_of_9_49_make_30_49_and_so_30() {
    let mut desk = Desk::open(&with_rules(&[coffee_doubles()]), OPENED);
    let mut told = order("A-1", desk.now, &[1050, 949]);
    told.lines[0].categories = vec![label("coffee")];
    desk.record(&told).unwrap();
    assert_eq!(desk.first("A-1"), 30);
    assert_eq!(exacts(&desk), [some("base", "19.99"), some("coffee", "10.5"), (None, None)]);
    assert_eq!(words(desk.last()), ["19.99 EUR at 1 point per 1.00 EUR", "times 2", "30.49 rounded (floor) to 30"]);
}

#[test]
fn three_lines_of_1_00_at_a_point_per_3_00_make_1_not_0() {
    let mut desk = Desk::open(&with(plain(), "/earning_rules/0/award/per_amount/amount", json!(300)), OPENED);
    assert_eq!(desk.buy("A-1", &[100, 100, 100]), 1);
    assert_eq!(desk.buy("A-2", &[100, 100]), 0);
    assert_eq!(exacts(&desk), [some("base", "2/3"), (None, None)]);
    assert_eq!(desk.buy("A-3", &[1000]), 3);
    assert_eq!(exacts(&desk), [some("base", "10/3"), (None, None)]);
}

#[test]
fn a_rate_gives_its_share_of_every_cent_not_of_whole_amounts() {
    let mut desk = Desk::open(&with(plain(), "/earning_rules/0/award/per_amount/points", json!("1.5")), OPENED);
    assert_eq!(desk.buy("A-1", &[99]), 1);
    assert_eq!(exacts(&desk)[0], some("base", "1.485"));
}

#[test]
fn the_exact_total_is_rounded_once_in_the_programs_mode() {
    // 2.5, 3.5 and 10/3 points, each as a sum of three lines.
    let baskets: [(&[i64], [i64; 4]); 4] = [
        (&[250, 250, 250], [2, 3, 2, 3]),
        (&[350, 350, 350], [3, 4, 4, 4]),
        (&[300, 300, 400], [3, 3, 3, 4]),
        (&[300, 300, 300], [3, 3, 3, 3]),
    ];
    for (mode, word) in ["floor", "half_up", "half_even", "ceil"].into_iter().enumerate() {
        let document = with(plain(), "/rounding", json!(word));
        let mut desk = Desk::open(&with(document, "/earning_rules/0/award/per_amount/amount", json!(300)), OPENED);
        for (index, (nets, expected)) in baskets.iter().enumerate() {
            assert_eq!(desk.buy(&format!("A-{index}"), nets), expected[mode], "{word} {nets:?}");
        }
    }
}

#[test]
fn fixed_points_are_added_after_the_rounding_and_never_multiplied() {
    let fixed = json!({"id": "thanks", "on": "purchase", "award": {"points": 7}});
    let all = json!({"id": "double", "on": "purchase", "award": {"multiply": "2"}});
    let mut desk = Desk::open(&with_rules(&[fixed, all]), OPENED);
    assert_eq!(desk.buy("A-1", &[175]), 3 + 7);
    assert_eq!(exacts(&desk), [some("base", "1.75"), some("double", "1.75"), (None, None), some("thanks", "7")]);
}

#[test]
fn several_multipliers_multiply_together_and_the_levels_is_one_of_them() {
    let again = json!({"id": "again", "on": "purchase", "award": {"multiply": "1.5"}});
    let document = with(
        with_rules(&[coffee_doubles(), again]),
        "/tiers/levels",
        json!([{"id": "green", "from": 0, "multiply": "1.1"}]),
    );
    let mut desk = Desk::open(&document, OPENED);
    let mut told = order("A-1", desk.now, &[1000, 1000]);
    told.lines[0].categories = vec![label("coffee")];
    desk.record(&told).unwrap();
    // 10 × 2 × 1.5 × 1.1 + 10 × 1.5 × 1.1
    assert_eq!(desk.first("A-1"), 49);
    assert_eq!(
        exacts(&desk),
        [some("base", "20"), some("coffee", "10"), some("again", "15"), some("tier", "4.5"), (None, None)]
    );
}

#[test]
fn the_level_that_counts_is_the_one_held_before_the_purchase() {
    let levels = json!([{"id": "green", "from": 0}, {"id": "gold", "from": 500, "multiply": "1.25"}]);
    let mut desk = Desk::open(&with(plain(), "/tiers/levels", levels), OPENED);
    assert_eq!(desk.buy("A-1", &[50_000]), 500);
    assert_eq!(desk.level(), "gold");
    desk.to("2026-11-01T10:00:01Z");
    assert_eq!(desk.buy("A-2", &[50_000]), 625);
}

#[test]
fn a_fixed_award_applies_once_however_many_lines_it_selects() {
    let rule = json!({"id": "bean", "on": "purchase", "when": {"line_category": ["coffee"]}, "award": {"points": 5}});
    let mut desk = Desk::open(&with(plain(), "/earning_rules", json!([rule])), OPENED);
    let mut told = order("A-1", desk.now, &[100, 100, 100]);
    assert_eq!(desk.buy("A-0", &[100]), 0);
    told.lines[0].categories = vec![label("coffee")];
    told.lines[2].categories = vec![label("tea"), label("coffee")];
    desk.record(&told).unwrap();
    assert_eq!(desk.first("A-1"), 5);
}

#[test]
fn a_currency_without_a_rule_earns_nothing_and_says_so() {
    let mut desk = Desk::open(&plain(), OPENED);
    let mut told = order("A-1", desk.now, &[100_000]);
    told.currency = Currency::of("USD").unwrap();
    desk.record(&told).unwrap();
    assert_eq!(desk.kinds(2), [("earn", 0)]);
    assert_eq!(words(desk.last()), ["the program has no rule for purchases in USD"]);
}

#[test]
fn lines_of_nothing_are_fine_and_a_purchase_of_nothing_is_an_entry_with_a_reason() {
    let mut desk = Desk::open(&plain(), OPENED);
    assert_eq!(desk.buy("A-1", &[0, 250, 0]), 2);
    assert_eq!(desk.buy("A-2", &[0]), 0);
    assert_eq!(words(desk.last()), ["no rule applies to it"]);
}

#[test]
fn amounts_beyond_counting_are_refused_and_nothing_is_written() {
    let mut desk = Desk::open(&plain(), OPENED);
    let told = order("A-1", desk.now, &[i64::MAX, 1]);
    assert_eq!(desk.record(&told), Err(Refusal::TooMuch));
    assert_eq!(desk.kinds(2), []);
}

#[test]
fn the_first_purchase_is_the_first_recorded_one_of_more_than_nothing() {
    let first = json!({"id": "hello", "on": "purchase", "when": {"first_purchase": true}, "award": {"points": 50}});
    let mut desk = Desk::open(&with_rules(&[first]), OPENED);
    assert_eq!(desk.buy("A-0", &[0]), 0);
    assert_eq!(desk.buy("A-1", &[100]), 51);
    assert_eq!(desk.buy("A-2", &[100]), 1);
    // It happened earlier, but it was recorded later.
    assert_eq!(desk.buy_as_of("A-3", "2026-11-01T09:00:00Z", &[100]).unwrap(), 1);
    desk.refund("A-2", &[("1", 1, None)]).unwrap();
    assert_eq!(desk.buy("A-4", &[100]), 1, "another purchase came back, not the first");
    desk.refund("A-1", &[("1", 1, None)]).unwrap();
    assert_eq!(desk.buy("A-5", &[100]), 51, "nothing is left of the first: the next is it");
}

#[test]
fn in_force_is_the_highest_version_whose_start_has_come_and_version_1_for_ever() {
    let mut desk = Desk::open(&plain(), OPENED);
    let doubled = with(plain(), "/earning_rules/0/award/per_amount/points", json!("2"));
    let tripled = with(plain(), "/earning_rules/0/award/per_amount/points", json!("3"));
    desk.publish(&doubled, at("2026-11-10T00:00:00Z"));
    desk.publish(&tripled, at("2026-11-09T00:00:00Z"));
    desk.to("2026-11-12T00:00:00Z");
    assert_eq!(desk.buy("A-1", &[100]), 3, "the highest number wins, whatever the starts");
    assert_eq!(desk.buy_as_of("A-2", "2026-11-09T00:00:00Z", &[100]).unwrap(), 3, "from its first instant on");
    assert_eq!(desk.buy_as_of("A-3", "2026-11-08T23:59:59.999Z", &[100]).unwrap(), 1);
    assert_eq!(desk.buy_as_of("A-4", "2026-10-20T00:00:00Z", &[100]).unwrap(), 1, "before version 1 was published");
    assert_eq!(desk.last().program_version, 1);
}

#[test]
fn a_campaign_runs_from_the_first_instant_of_its_first_day_in_the_programs_zone_to_the_first_after_it() {
    let mut campaign = json!({"id": "campaign", "on": "purchase", "award": {"points": 5}});
    campaign["from"] = json!("2026-11-10");
    campaign["until"] = json!("2026-11-12");
    let mut desk = Desk::open_for(&with_rules(&[campaign]), OPENED, Some("Asia/Tokyo"), &[]);
    desk.to("2026-11-20T00:00:00Z");
    for (index, (when, expected)) in [
        ("2026-11-09T22:59:59.999Z", 1),
        ("2026-11-09T23:00:00Z", 6),
        ("2026-11-11T22:59:59.999Z", 6),
        ("2026-11-11T23:00:00Z", 1),
    ]
    .into_iter()
    .enumerate()
    {
        assert_eq!(desk.buy_as_of(&format!("A-{index}"), when, &[100]).unwrap(), expected, "{when}");
    }
}

#[test]
fn weekdays_and_times_of_day_are_those_on_the_shops_door_not_the_members() {
    let saturday = json!({"id": "sat", "on": "purchase", "when": {"local_weekday": ["sat"]}, "award": {"points": 5}});
    let night = json!({"id": "night", "on": "purchase",
        "when": {"local_time": {"from": "22:00", "to": "02:00"}}, "award": {"points": 50}});
    let mut desk = Desk::open_for(&with_rules(&[saturday, night]), OPENED, Some("Asia/Tokyo"), &[]);
    desk.to("2026-11-23T00:00:00Z");
    for (index, (when, expected)) in [
        ("2026-11-20T22:59:59Z", 51), // Friday 23:59:59 in Berlin
        ("2026-11-20T23:00:00Z", 56),
        ("2026-11-21T00:59:59.999Z", 56),
        ("2026-11-21T01:00:00Z", 6), // 02:00
        ("2026-11-21T20:59:59.999Z", 6),
        ("2026-11-21T21:00:00Z", 56), // 22:00
    ]
    .into_iter()
    .enumerate()
    {
        assert_eq!(desk.buy_as_of(&format!("A-{index}"), when, &[100]).unwrap(), expected, "{when}");
    }
}

#[test]
fn a_retry_differs_in_nothing_and_another_request_in_what_it_says_otherwise() {
    let mut desk = Desk::open(&plain(), OPENED);
    let told = order("A-1", at("2026-11-01T09:00:00Z"), &[100, 200]);
    desk.record(&told).unwrap();
    let kept = &desk.purchases["A-1"];
    assert!(kept.differences(&told, Some([0; 16])).is_empty());
    let mut same = told.clone();
    same.occurred_at = at("2026-11-01T10:00:00+01:00");
    assert!(kept.differences(&same, Some([0; 16])).is_empty(), "instants compare as instants");
    let mut other = told.clone();
    other.occurred_at = at("2026-11-01T09:00:01Z");
    other.store = Some(label("berlin"));
    other.currency = Currency::of("USD").unwrap();
    other.lines[1] = OrderLine { quantity: 2, sku: Some(label("x")), ..line("3", 201, &["tea"]) };
    assert_eq!(
        kept.differences(&other, Some([1; 16])),
        [
            "/member",
            "/occurred_at",
            "/currency",
            "/store",
            "/lines/1/line_id",
            "/lines/1/sku",
            "/lines/1/categories",
            "/lines/1/quantity",
            "/lines/1/net_amount"
        ]
    );
    assert_eq!(kept.differences(&order("A-1", told.occurred_at, &[100]), Some([0; 16])), ["/lines"]);
}

#[test]
fn a_quote_names_the_rules_that_do_not_apply_and_why() {
    let rules = [
        json!({"id": "dollars", "on": "purchase", "award": {"per_amount": {"points": "1", "amount": 1, "currency": "USD"}}}),
        json!({"id": "over", "on": "purchase", "until": "2026-10-01", "award": {"points": 1}}),
        json!({"id": "soon", "on": "purchase", "from": "2027-01-01", "award": {"points": 1}}),
        json!({"id": "large", "on": "purchase", "when": {"net_total_at_least": {"amount": 5000, "currency": "EUR"}}, "award": {"points": 1}}),
        json!({"id": "once", "on": "purchase", "limit": {"times": 1, "per": "month"}, "award": {"points": 1}}),
        json!({"id": "nothing", "on": "purchase", "award": {"points": 0}}),
    ];
    let mut desk = Desk::open(&with_rules(&rules), OPENED);
    desk.buy("A-1", &[100]);
    let quote = desk.quote(&order("A-2", desk.now, &[100])).unwrap();
    let because: Vec<(String, Vec<String>)> =
        quote.not_applied.iter().map(|not| (not.rule.to_string(), not.because.clone())).collect();
    let expected = [
        ("dollars", "it is for purchases in USD"),
        ("over", "it ended before 2026-10-01"),
        ("soon", "it begins on 2027-01-01"),
        ("large", "it needs: a total of at least 50.00 EUR"),
        ("once", "it serves a member once a month, and has"),
        ("nothing", "there was nothing for it to give points for"),
    ];
    assert_eq!(because, expected.map(|(rule, why)| (rule.to_owned(), vec![why.to_owned()])));
    assert_eq!(desk.kinds(3), [], "a quote writes nothing");
}

// ── The award against one worked out the slow way ──

fn decimal() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("0".to_owned()),
        Just("1".to_owned()),
        (0_u32..20, 0_u32..100).prop_map(|(whole, part)| format!("{whole}.{part:02}")),
    ]
}

fn category() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["coffee", "tea", "mugs"]).prop_map(str::to_owned)
}

fn clause() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        prop::collection::vec(category(), 1..3).prop_map(|any| json!({"line_category": any})),
        prop::sample::select(vec!["a", "b"]).prop_map(|sku| json!({"line_sku": [sku]})),
        (0_i64..20_000, prop::sample::select(vec!["EUR", "USD"]))
            .prop_map(|(amount, currency)| json!({"net_total_at_least": {"amount": amount, "currency": currency}})),
        prop::sample::select(vec!["web", "till"]).prop_map(|channel| json!({"channel": [channel]})),
        prop::sample::select(vec!["berlin", "bonn"]).prop_map(|store| json!({"store": [store]})),
        prop::sample::select(vec!["green", "gold"]).prop_map(|level| json!({"tier": [level]})),
        prop::sample::select(vec!["staff", "vip"]).prop_map(|tag| json!({"tag": [tag]})),
        prop::sample::subsequence(vec!["mon", "tue", "wed", "thu", "fri", "sat", "sun"], 1..7)
            .prop_map(|days| json!({"local_weekday": days})),
        (0_u32..24, 0_u32..24, 1_u32..60).prop_map(|(from, to, minute)| {
            json!({"local_time": {"from": format!("{from:02}:00"), "to": format!("{to:02}:{minute:02}")}})
        }),
        Just(json!({"first_purchase": true})),
        (0_i64..60).prop_map(|days| json!({"member_days_at_least": days})),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(|all| json!({"all": all})),
            prop::collection::vec(inner.clone(), 1..4).prop_map(|any| json!({"any": any})),
            inner.prop_map(|not| json!({"not": not})),
        ]
    })
}

fn rule() -> impl Strategy<Value = Value> {
    let award = prop_oneof![
        3 => (decimal(), prop::sample::select(vec![1, 30, 100, 300, 700]), prop::sample::select(vec!["EUR", "EUR", "USD"]))
            .prop_map(|(points, amount, currency)| json!({"per_amount": {"points": points, "amount": amount, "currency": currency}})),
        2 => decimal().prop_map(|factor| json!({"multiply": factor})),
        2 => (0_i64..100).prop_map(|points| json!({"points": points})),
    ];
    let day = || prop::option::weighted(0.2, 1_u32..31);
    (award, prop::option::of(clause()), day(), day(), prop::option::weighted(0.4, 0_usize..10)).prop_map(
        |(award, when, from, until, limit)| {
            let mut rule = json!({"on": "purchase", "award": award});
            if let Some(when) = when {
                rule["when"] = when;
            }
            match (from, until) {
                (Some(from), Some(until)) if until <= from => rule["from"] = json!(format!("2026-11-{from:02}")),
                (from, until) => {
                    if let Some(from) = from {
                        rule["from"] = json!(format!("2026-11-{from:02}"));
                    }
                    if let Some(until) = until {
                        rule["until"] = json!(format!("2026-11-{until:02}"));
                    }
                }
            }
            if let Some(kind) = limit {
                let per = ["day", "week", "month", "year", "ever"][kind / 2];
                rule["limit"] = json!({"times": 1 + kind % 2, "per": per});
            }
            rule
        },
    )
}

pub(crate) fn document() -> impl Strategy<Value = Value> {
    let rounding = prop::sample::select(vec!["floor", "half_up", "half_even", "ceil"]);
    (prop::collection::vec(rule(), 0..8), rounding, decimal(), decimal()).prop_map(
        |(mut rules, rounding, low, high)| {
            for (index, rule) in rules.iter_mut().enumerate() {
                rule["id"] = json!(format!("rule-{index}"));
            }
            let levels =
                json!([{"id": "green", "from": 0, "multiply": low}, {"id": "gold", "from": 500, "multiply": high}]);
            let document = with(plain(), "/earning_rules", json!(rules));
            with(with(document, "/rounding", json!(rounding)), "/tiers/levels", levels)
        },
    )
}

pub(crate) fn basket() -> impl Strategy<Value = Vec<OrderLine>> {
    let one = (
        0_i64..20_000,
        prop::collection::vec(category(), 0..3),
        prop::option::of(prop::sample::select(vec!["a", "b"])),
    );
    prop::collection::vec(one, 1..6).prop_map(|lines| {
        let lines = lines.into_iter().enumerate().map(|(index, (net, categories, sku))| {
            let categories: Vec<&str> = categories.iter().map(String::as_str).collect();
            OrderLine { sku: sku.map(label), ..line(&index.to_string(), net, &categories) }
        });
        lines.collect()
    })
}

#[derive(Debug, Clone)]
struct Told {
    at: Moment,
    level: usize,
    tags: Vec<&'static str>,
    channel: &'static str,
    store: Option<&'static str>,
    first_purchase: bool,
    member_days: i64,
    used_up: BTreeSet<usize>,
    currency: &'static str,
}

fn told() -> impl Strategy<Value = Told> {
    (
        0_i64..30 * 24 * 60,
        0_usize..2,
        prop::sample::subsequence(vec!["staff", "vip", "other"], 0..3),
        prop::sample::select(vec!["web", "till"]),
        prop::option::of(prop::sample::select(vec!["berlin", "bonn"])),
        any::<bool>(),
        0_i64..60,
        prop::collection::btree_set(0_usize..8, 0..3),
        prop::sample::select(vec!["EUR", "EUR", "EUR", "USD", "GBP"]),
    )
        .prop_map(|(minute, level, tags, channel, store, first_purchase, member_days, used_up, currency)| Told {
            at: at("2026-11-01T00:00:00Z").plus_minutes(minute),
            level,
            tags,
            channel,
            store,
            first_purchase,
            member_days,
            used_up,
            currency,
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn an_award_is_what_the_rules_say_and_its_explanation_adds_up_to_it(
        document in document(), lines in basket(), told in told(),
    ) {
        let program = read(&document);
        let limited = |place: &usize| document["earning_rules"][*place]["limit"].is_object();
        let used_up: Vec<usize> = told.used_up.iter().copied().filter(limited).collect();
        let local = jiff::tz::TimeZone::get("Europe/Berlin").unwrap().to_datetime(told.at.timestamp());
        let tags: Vec<_> = told.tags.iter().map(|tag| label(tag)).collect();
        let places = program.tag_places(&tags);
        let (channel, store) = (told.channel.parse().unwrap(), told.store.map(label));
        let currency = Currency::of(told.currency).unwrap();
        let weekday = local.date().weekday().to_monday_zero_offset();
        let facts = Facts {
            occurred_at: told.at,
            weekday: u8::try_from(weekday).unwrap(),
            minute: u16::try_from(i16::from(local.hour()) * 60 + i16::from(local.minute())).unwrap(),
            net_total: Some(Money { amount: lines.iter().map(|line| line.net).sum(), currency }),
            channel: Some(&channel),
            store: store.as_ref(),
            level: told.level,
            tags: &places,
            first_purchase: told.first_purchase,
            member_days: told.member_days,
            attributes: None,
        };
        let award_lines: Vec<AwardLine<'_>> = lines.iter().map(|line| AwardLine {
            facts: LineFacts { sku: line.sku.as_ref(), categories: &line.categories }, net: line.net,
        }).collect();
        let awarded = award(&program, &facts, currency, &award_lines, Caps { used_up: &used_up, budgets: &[] }).unwrap();

        let naive_lines: Vec<(OrderLine, i64)> = lines.iter().map(|line| (line.clone(), line.net)).collect();
        let expected = naive::award(&document, &naive::Facts {
            channel: told.channel.to_owned(),
            store: told.store.map(str::to_owned),
            currency: told.currency.to_owned(),
            level: told.level,
            tags: told.tags.iter().map(|tag| (*tag).to_owned()).collect(),
            weekday: usize::try_from(weekday).unwrap(),
            minute: i64::from(local.hour()) * 60 + i64::from(local.minute()),
            date: local.date().to_string(),
            first_purchase: told.first_purchase,
            member_days: told.member_days,
            used_up: used_up.iter().copied().collect(),
        }, &naive_lines);
        prop_assert_eq!(awarded.points, expected.points);
        prop_assert_eq!(awarded.gave.iter().copied().collect::<BTreeSet<_>>(), expected.gave.clone());

        let fixed: i64 = awarded.explanation.iter().map(|reason| match reason {
            Reason::Fixed { points, .. } => *points,
            _ => 0,
        }).sum();
        let told_sum = awarded.explanation.iter().filter_map(Reason::exact)
            .fold(Fraction(0, 1), |sum, exact| sum.plus(Fraction::read(&exact.to_string())));
        prop_assert_eq!(told_sum, expected.exact.plus(Fraction(i128::from(fixed), 1)));
        prop_assert!(!awarded.explanation.is_empty(), "every award says why");
        for reason in &awarded.explanation {
            if let Reason::Rounded { from, to, .. } = reason {
                prop_assert_eq!(Fraction(from.numerator(), from.denominator()), expected.exact);
                prop_assert_eq!(to + fixed, awarded.points);
            }
        }
    }
}

#[test]
fn the_order_of_rates_does_not_matter() {
    let other = json!({"id": "mugs", "on": "purchase", "when": {"line_category": ["mugs"]},
        "award": {"per_amount": {"points": "0.7", "amount": 300, "currency": "EUR"}}});
    let mut told = order("A-1", at(OPENED), &[1999, 1234]);
    told.lines[1].categories = vec![label("mugs")];
    let points: Vec<i64> = [vec![base_rule(), other.clone()], vec![other, base_rule()]]
        .into_iter()
        .map(|rules| {
            let mut desk = Desk::open(&with(plain(), "/earning_rules", json!(rules)), OPENED);
            desk.record(&told).unwrap();
            desk.first("A-1")
        })
        .collect();
    // 32.33 + 12.34 × 0.7 ÷ 3
    assert_eq!(points, [35, 35]);
}
