//! Levels: carried by what was earned in a period, never by the balance.

use crate::desk::{Desk, at, label, line, order, plain, with, with_rules, zone};
use loyalty_domain::money::Currency;
use serde_json::{Value, json};

const OPENED: &str = "2026-11-01T10:00:00Z";

fn tiers(period: &str) -> Value {
    with(
        plain(),
        "/tiers",
        json!({"qualify_by": "points_earned", "period": period, "keep": "through_next_period",
        "levels": [{"id": "green", "from": 0}, {"id": "gold", "from": 500}, {"id": "ruby", "from": 2000}]}),
    )
}

/// Level, until, units, next level with what is missing.
fn tier(desk: &Desk) -> (String, String, i64, String) {
    let view = desk.view();
    let tier = &view["tier"];
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let next = &tier["next"];
    let next =
        if next.is_null() { "-".to_owned() } else { format!("{} {}", text(&next["level"]), next["missing_units"]) };
    (text(&tier["level"]), text(&tier["until"]), tier["qualifying_units"].as_i64().unwrap(), next)
}

fn is(level: &str, until: &str, units: i64, next: &str) -> (String, String, i64, String) {
    (level.to_owned(), until.to_owned(), units, next.to_owned())
}

#[test]
fn an_upgrade_acts_at_once_and_lasts_through_the_next_period() {
    let mut desk = Desk::open(&tiers("calendar_year"), OPENED);
    assert_eq!(tier(&desk), is("green", "-", 0, "gold 500"));
    desk.buy("A-1", &[49_900]);
    assert_eq!(tier(&desk), is("green", "-", 499, "gold 1"));
    desk.buy("A-2", &[100]);
    assert_eq!(desk.kinds(4), [("tier", 0)]);
    assert_eq!(tier(&desk), is("gold", "2027-12-31T23:00:00Z", 500, "ruby 1500"));
    desk.to("2026-12-31T23:00:00Z");
    assert_eq!(tier(&desk), is("gold", "2027-12-31T23:00:00Z", 0, "ruby 2000"));
    desk.to("2027-12-31T22:59:59.999Z");
    assert_eq!(desk.level(), "gold");
    desk.to("2027-12-31T23:00:00Z");
    assert_eq!(tier(&desk), is("green", "-", 0, "gold 500"));
    assert_eq!(desk.view()["tier"]["since"], "2027-12-31T23:00:00Z");
    desk.settle_at("2028-05-01T00:00:00Z");
    assert_eq!(desk.last().kind.word(), "tier");
    assert_eq!(desk.view()["tier"]["since"], "2027-12-31T23:00:00Z", "settled late, dated as if on time");
}

#[test]
fn a_downgrade_goes_to_the_level_that_the_past_period_earned() {
    let mut desk = Desk::open(&tiers("calendar_year"), OPENED);
    desk.buy("A-1", &[250_000]);
    assert_eq!(desk.level(), "ruby");
    desk.to("2027-06-01T00:00:00Z").buy("A-2", &[60_000]);
    assert_eq!(tier(&desk), is("ruby", "2027-12-31T23:00:00Z", 600, "-"));
    desk.settle_at("2028-01-01T00:00:00Z");
    assert_eq!(tier(&desk), is("gold", "2028-12-31T23:00:00Z", 0, "ruby 2000"));
    desk.settle_at("2029-01-01T00:00:00Z");
    assert_eq!(desk.level(), "green");
}

#[test]
fn years_without_anybody_looking_end_each_level_in_its_own_year() {
    let mut desk = Desk::open(&tiers("calendar_year"), OPENED);
    desk.buy("A-1", &[250_000]);
    desk.to("2027-06-01T00:00:00Z").buy("A-2", &[60_000]);
    desk.settle_at("2031-01-01T00:00:00Z");
    let levels: Vec<_> =
        desk.ledger.iter().filter(|e| e.kind.word() == "tier").map(|e| e.occurred_at.to_string()).collect();
    assert_eq!(levels[1..], ["2027-12-31T23:00:00Z".to_owned(), "2028-12-31T23:00:00Z".to_owned()]);
}

#[test]
fn spending_and_expiry_never_cost_a_level() {
    let mut desk = Desk::open(&tiers("calendar_year"), OPENED);
    desk.buy("A-1", &[60_000]);
    desk.adjust(-600, false).unwrap();
    assert_eq!(tier(&desk), is("gold", "2027-12-31T23:00:00Z", 600, "ruby 1400"));
    desk.settle_at("2027-12-15T00:00:00Z");
    assert_eq!(desk.level(), "gold");
}

#[test]
fn adjustments_count_as_they_say() {
    let mut desk = Desk::open(&tiers("calendar_year"), OPENED);
    desk.adjust(500, false).unwrap();
    assert_eq!(desk.level(), "green");
    desk.adjust(500, true).unwrap();
    assert_eq!(tier(&desk), is("gold", "2027-12-31T23:00:00Z", 500, "ruby 1500"));
    desk.adjust(-100, true).unwrap();
    assert_eq!(tier(&desk), is("gold", "2026-12-31T23:00:00Z", 400, "ruby 1600"));
    desk.settle_at("2027-01-01T00:00:00Z");
    assert_eq!(desk.level(), "green");
}

#[test]
fn pending_points_and_points_that_pay_a_debt_count_when_posted() {
    let mut desk = Desk::open(&with(tiers("calendar_year"), "/points/pending_days", json!(30)), OPENED);
    desk.buy("A-1", &[50_000]);
    assert_eq!(desk.level(), "gold");
    let mut desk = Desk::open(&tiers("calendar_year"), OPENED);
    desk.buy("A-1", &[40_000]);
    desk.adjust(-400, false).unwrap();
    desk.refund("A-1", &[("1", 1, None)]).unwrap();
    desk.buy("A-2", &[50_000]);
    assert_eq!(tier(&desk), is("gold", "2027-12-31T23:00:00Z", 500, "ruby 1500"));
}

#[test]
fn a_refund_in_the_same_period_is_felt_at_its_end() {
    let mut desk = Desk::open(&tiers("calendar_year"), OPENED);
    desk.buy("A-1", &[50_000]);
    desk.refund("A-1", &[("1", 1, None)]).unwrap();
    assert_eq!(tier(&desk), is("gold", "2026-12-31T23:00:00Z", 0, "ruby 2000"));
    desk.settle_at("2026-12-31T23:00:00Z");
    assert_eq!(desk.level(), "green");
}

#[test]
fn a_refund_in_a_later_period_than_its_purchase_ends_the_level_at_the_end_of_that_local_month() {
    let mut desk = Desk::open(&tiers("calendar_year"), OPENED);
    desk.buy("A-1", &[30_000, 25_000]);
    desk.to("2027-02-10T10:00:00Z").refund("A-1", &[("1", 1, Some(1_000))]).unwrap();
    // One line of one piece is gone whole: 250 are left of 550.
    assert_eq!(desk.left("A-1"), 250);
    assert_eq!(tier(&desk), is("gold", "2027-02-28T23:00:00Z", 0, "ruby 2000"));
    desk.to("2027-02-28T22:59:59.999Z");
    assert_eq!(desk.level(), "gold");
    desk.settle_at("2027-03-05T00:00:00Z");
    assert_eq!(tier(&desk), is("green", "-", 0, "gold 500"));
    assert_eq!(desk.last().occurred_at.to_string(), "2027-02-28T23:00:00Z");
}

#[test]
fn a_level_earned_again_by_the_end_of_that_month_stays() {
    let mut desk = Desk::open(&tiers("calendar_year"), OPENED);
    desk.buy("A-1", &[50_000]);
    desk.to("2027-02-10T10:00:00Z").refund("A-1", &[("1", 1, None)]).unwrap();
    desk.to("2027-02-20T10:00:00Z").buy("A-2", &[50_000]);
    assert_eq!(tier(&desk), is("gold", "2028-12-31T23:00:00Z", 500, "ruby 1500"));
    desk.settle_at("2027-06-01T00:00:00Z");
    assert_eq!(tier(&desk), is("gold", "2028-12-31T23:00:00Z", 500, "ruby 1500"));
}

#[test]
fn a_refund_takes_its_units_back_in_the_period_of_the_purchase() {
    let mut desk = Desk::open(&tiers("calendar_year"), OPENED);
    desk.buy("A-1", &[30_000]);
    desk.to("2027-02-10T10:00:00Z").buy("A-2", &[40_000]);
    desk.refund("A-1", &[("1", 1, None)]).unwrap();
    assert_eq!(tier(&desk), is("green", "-", 400, "gold 100"));
    assert_eq!(desk.account.units.iter().map(|(_, units)| *units).collect::<Vec<_>>(), [0, 400]);
}

#[test]
fn a_late_purchase_counts_in_its_own_period_and_lifts_for_the_rest_of_this_one() {
    let mut desk = Desk::open(&tiers("calendar_year"), OPENED);
    desk.to("2027-01-10T10:00:00Z").buy_as_of("A-1", "2026-12-20T10:00:00Z", &[50_000]).unwrap();
    assert_eq!(tier(&desk), is("gold", "2027-12-31T23:00:00Z", 0, "ruby 2000"));
}

#[test]
fn rolling_12_months_are_whole_local_months_reviewed_at_a_months_end() {
    let mut desk = Desk::open(&tiers("rolling_12_months"), "2026-01-15T10:00:00Z");
    desk.to("2026-02-28T22:59:59.999Z").buy("A-1", &[20_000]);
    desk.to("2026-02-28T23:00:00Z").buy("A-2", &[30_000]);
    // Earned in February and March, in Berlin; the window that still holds both ends with January 2027.
    assert_eq!(tier(&desk), is("gold", "2027-02-28T23:00:00Z", 500, "ruby 1500"));
    desk.to("2027-01-31T22:59:59.999Z");
    assert_eq!(tier(&desk).2, 500);
    desk.to("2027-01-31T23:00:00Z");
    assert_eq!(tier(&desk), is("gold", "2027-02-28T23:00:00Z", 300, "ruby 1700"));
    desk.settle_at("2027-02-28T23:00:00Z");
    assert_eq!(tier(&desk), is("green", "-", 0, "gold 500"));
}

#[test]
fn a_membership_year_runs_from_the_local_day_of_enrolment_those_of_29_february_included() {
    let mut desk = Desk::open(&tiers("membership_year"), "2028-02-29T10:00:00Z");
    desk.to("2029-02-27T22:59:59.999Z").buy("A-1", &[50_000]);
    assert_eq!(tier(&desk), is("gold", "2030-02-27T23:00:00Z", 500, "ruby 1500"));
    desk.to("2029-02-27T23:00:00Z");
    assert_eq!(tier(&desk), is("gold", "2030-02-27T23:00:00Z", 0, "ruby 2000"));
    desk.to("2031-06-01T00:00:00Z").buy("A-2", &[50_000]);
    assert_eq!(tier(&desk).1, "2033-02-27T23:00:00Z");
    desk.to("2032-02-28T22:59:59.999Z");
    assert_eq!(tier(&desk).2, 500);
    desk.to("2032-02-28T23:00:00Z");
    assert_eq!(tier(&desk).2, 0, "the 29th of a leap year begins the year");
}

#[test]
fn a_move_to_another_zone_takes_no_units_from_a_membership_year() {
    for (home, away) in [("Pacific/Honolulu", "Asia/Tokyo"), ("Asia/Tokyo", "Pacific/Honolulu")] {
        let mut desk = Desk::open_for(&tiers("membership_year"), "2026-11-01T23:00:00Z", Some(home), &[]);
        desk.to("2026-11-03T12:00:00Z").buy("A-1", &[50_000]);
        desk.change(|account| account.zone = Some(zone(away))).unwrap();
        desk.to("2027-05-01T00:00:00Z");
        assert_eq!(tier(&desk).2, 500, "{home} to {away}");
        assert_eq!(desk.to("2028-05-01T00:00:00Z").level(), "gold");
        assert_eq!(desk.to("2028-12-01T00:00:00Z").level(), "green");
    }
}

#[test]
fn a_review_that_came_too_late_to_matter_takes_no_level_earned_since() {
    let mut desk = Desk::open(&tiers("membership_year"), "2026-02-15T10:00:00Z");
    desk.buy("A-1", &[50_000]);
    // Felt at the end of February 2028, but the membership year ends before that.
    desk.to("2028-02-03T10:00:00Z").refund("A-1", &[("1", 1, None)]).unwrap();
    desk.settle_at("2028-02-20T00:00:00Z");
    assert_eq!(desk.level(), "green");
    desk.to("2031-06-01T00:00:00Z").buy("A-2", &[50_000]);
    assert_eq!(tier(&desk), is("gold", "2033-02-14T23:00:00Z", 500, "ruby 1500"));
    assert_eq!(desk.view()["tier"]["since"], "2031-06-01T00:00:00Z");
}

#[test]
fn a_lifetime_level_is_never_lost() {
    let mut desk = Desk::open(&tiers("lifetime"), OPENED);
    desk.buy("A-1", &[30_000]);
    desk.to("2030-01-01T00:00:00Z").buy("A-2", &[20_000]);
    assert_eq!(tier(&desk), is("gold", "-", 500, "ruby 1500"));
    desk.to("2050-01-01T00:00:00Z");
    assert_eq!(tier(&desk), is("gold", "-", 500, "ruby 1500"));
}

#[test]
fn visits_and_spend_in_one_currency_can_qualify_instead() {
    let levels = json!([{"id": "green", "from": 0}, {"id": "gold", "from": 3}]);
    let visits = with(plain(), "/tiers", json!({"qualify_by": "visits", "levels": levels}));
    let mut desk = Desk::open(&visits, OPENED);
    desk.buy("A-1", &[100, 100]);
    desk.buy("A-2", &[0]);
    desk.refund("A-1", &[("1", 1, None)]).unwrap();
    assert_eq!(tier(&desk).2, 2, "something is left");
    desk.refund("A-1", &[("2", 1, None)]).unwrap();
    assert_eq!(tier(&desk).2, 1);

    let spend = with(
        plain(),
        "/tiers",
        json!({"qualify_by": "spend", "currency": "EUR",
        "levels": [{"id": "green", "from": 0}, {"id": "gold", "from": 10_000}]}),
    );
    let mut desk = Desk::open(&spend, OPENED);
    desk.buy("A-1", &[6_000, 3_999]);
    let mut dollars = order("A-2", desk.now, &[50_000]);
    dollars.currency = Currency::of("USD").unwrap();
    desk.record(&dollars).unwrap();
    assert_eq!(tier(&desk), is("green", "-", 9_999, "gold 1"));
    desk.refund("A-1", &[("1", 1, None)]).unwrap();
    assert_eq!(tier(&desk).2, 3_999);
    desk.buy("A-3", &[6_001]);
    assert_eq!(desk.level(), "gold");
}

#[test]
fn a_version_that_renames_levels_loses_no_point_and_gives_the_level_that_its_units_carry() {
    let mut desk = Desk::open(&tiers("calendar_year"), OPENED);
    desk.buy("A-1", &[60_000]);
    let renamed = with(
        tiers("calendar_year"),
        "/tiers/levels",
        json!([{"id": "leaf", "from": 0}, {"id": "tree", "from": 500, "multiply": "2"}]),
    );
    desk.publish(&renamed, at("2026-11-10T00:00:00Z"));
    desk.to("2026-11-11T00:00:00Z");
    assert_eq!(desk.position(), (600, 0, 0));
    assert_eq!(desk.buy("A-2", &[100]), 2);
    assert_eq!(desk.level(), "tree");
    assert_eq!(desk.to("2026-11-12T00:00:00Z").buy("A-3", &[100]), 2);
    desk.refund("A-1", &[("1", 1, None)]).unwrap();
    desk.settle_at("2029-01-01T00:00:00Z");
    assert_eq!(desk.level(), "leaf");
}

#[test]
fn the_multiplier_is_that_of_the_level_in_the_version_of_the_purchase() {
    let rule = json!({"id": "gold-tea", "on": "purchase", "when": {"tier": ["gold"]}, "award": {"points": 3}});
    let levels = json!([{"id": "green", "from": 0}, {"id": "gold", "from": 500, "multiply": "1.25"}]);
    let mut desk = Desk::open(&with(with_rules(&[rule]), "/tiers/levels", levels), OPENED);
    desk.buy("A-1", &[50_000]);
    desk.to("2026-11-02T00:00:00Z");
    let mut told = order("A-2", desk.now, &[]);
    told.lines = vec![line("1", 1000, &[])];
    told.lines[0].sku = Some(label("x"));
    desk.record(&told).unwrap();
    // 10 × 1.25 rounded down, and 3.
    assert_eq!(desk.first("A-2"), 15);
}
