//! Lots: when points can be spent, when they end, and how few lots there are.

use crate::desk::{Desk, at, plain, with};
use loyalty_domain::draft::Draft;
use loyalty_domain::program::Version;
use loyalty_domain::programs::Programs;
use loyalty_domain::{draft, grant};
use serde_json::{Value, json};
use std::sync::Arc;

const OPENED: &str = "2026-11-01T10:00:00Z";

fn expiring(months: i64, snap: &str) -> Value {
    with(plain(), "/points/expiry", json!({"after_months": months, "snap": snap}))
}

/// When points of a purchase of that moment end, and when they can be spent.
fn granted(document: &Value, zone: Option<&str>, occurred_at: &str) -> (Option<String>, Option<String>) {
    let desk = Desk::open_for(document, "2020-01-01T00:00:00Z", zone, &[]);
    let lot = grant::lot(&desk.account, desk.program(), at(occurred_at));
    (lot.expires_at.map(|at| at.to_string()), lot.activates_at.map(|at| at.to_string()))
}

#[test]
fn a_grant_of_2026_11_21_after_12_months_in_berlin_ends_at_2027_11_30_23_00_utc() {
    let mut desk = Desk::open(&plain(), "2026-11-21T10:00:00Z");
    desk.buy("A-1", &[100]);
    assert_eq!(desk.lots(), [(1, Some("2027-11-30T23:00:00Z".to_owned()))]);
    assert_eq!(desk.to("2027-11-30T22:59:59.999Z").position(), (1, 0, 0));
    assert_eq!(desk.to("2027-11-30T23:00:00Z").position(), (0, 0, 0), "at that instant it has ended");
}

#[test]
fn expiry_counts_from_the_local_day_of_the_purchase() {
    for (months, snap, zone, occurred_at, expected) in [
        // Month clamps.
        (1, "end_of_day", "UTC", "2026-01-31T12:00:00Z", "2026-03-01T00:00:00Z"),
        (1, "end_of_day", "UTC", "2028-01-31T12:00:00Z", "2028-03-01T00:00:00Z"),
        (12, "end_of_day", "UTC", "2028-02-29T12:00:00Z", "2029-03-01T00:00:00Z"),
        (1, "end_of_month", "UTC", "2026-01-31T12:00:00Z", "2026-03-01T00:00:00Z"),
        // The local day, not that of UTC.
        (1, "end_of_day", "Asia/Tokyo", "2026-01-09T15:00:00Z", "2026-02-10T15:00:00Z"),
        (1, "end_of_day", "America/New_York", "2026-01-10T04:59:59.999Z", "2026-02-10T05:00:00Z"),
        (1, "end_of_day", "America/New_York", "2026-01-10T05:00:00Z", "2026-02-11T05:00:00Z"),
        // Days of 23 and of 25 hours.
        (1, "end_of_day", "Europe/Berlin", "2026-02-28T12:00:00Z", "2026-03-28T23:00:00Z"),
        (1, "end_of_day", "Europe/Berlin", "2026-03-01T12:00:00Z", "2026-04-01T22:00:00Z"),
        (1, "end_of_day", "Europe/Berlin", "2026-09-25T12:00:00Z", "2026-10-25T23:00:00Z"),
        // Midnight is skipped: in Cairo on 2026-04-24, in Beirut on 2026-03-29.
        (1, "end_of_day", "Africa/Cairo", "2026-03-23T12:00:00Z", "2026-04-23T22:00:00Z"),
        (1, "end_of_day", "Asia/Beirut", "2026-02-28T12:00:00Z", "2026-03-28T22:00:00Z"),
        // Midnight comes twice: in Havana on 2026-11-01.
        (1, "end_of_day", "America/Havana", "2026-09-30T12:00:00Z", "2026-10-31T04:00:00Z"),
        (1, "end_of_day", "America/Havana", "2026-10-01T12:00:00Z", "2026-11-02T05:00:00Z"),
        // A whole day was skipped: Samoa had no 30 December 2011.
        (1, "end_of_day", "Pacific/Apia", "2011-11-29T12:00:00Z", "2011-12-30T10:00:00Z"),
        // Thirteen months still end with a day, longer lives with a month.
        (13, "end_of_day", "UTC", "2026-01-15T12:00:00Z", "2027-02-16T00:00:00Z"),
        (14, "end_of_day", "UTC", "2026-01-15T12:00:00Z", "2027-04-01T00:00:00Z"),
    ] {
        let (expires, activates) = granted(&expiring(months, snap), Some(zone), occurred_at);
        assert_eq!(expires.as_deref(), Some(expected), "{months} months, {snap}, {zone}, {occurred_at}");
        assert_eq!(activates, None);
    }
}

#[test]
fn points_may_live_for_ever_and_are_spent_last() {
    let mut desk = Desk::open(&with(plain(), "/points/expiry", json!("never")), OPENED);
    desk.buy("A-1", &[500]);
    desk.publish(&plain(), desk.now);
    desk.buy("A-2", &[500]);
    assert_eq!(desk.lots(), [(5, Some("2027-11-30T23:00:00Z".to_owned())), (5, None)]);
    desk.adjust(-7, false).unwrap();
    assert_eq!(desk.lots(), [(3, None)]);
    assert_eq!(desk.to("2999-12-31T00:00:00Z").position(), (3, 0, 0));
    assert_eq!(desk.account.next_due(desk.program()), None);
}

#[test]
fn pending_points_can_be_spent_from_the_first_instant_of_their_day() {
    for (days, zone, occurred_at, expected) in [
        (0, "UTC", "2026-01-10T12:00:00Z", None),
        (1, "UTC", "2026-01-10T00:00:00Z", Some("2026-01-11T00:00:00Z")),
        (1, "UTC", "2026-01-10T23:59:59.999Z", Some("2026-01-11T00:00:00Z")),
        (7, "Europe/Berlin", "2026-03-25T12:00:00Z", Some("2026-03-31T22:00:00Z")),
        (1, "Africa/Cairo", "2026-04-23T12:00:00Z", Some("2026-04-23T22:00:00Z")),
        (1, "Asia/Tokyo", "2026-01-10T15:00:00Z", Some("2026-01-11T15:00:00Z")),
    ] {
        let (_, activates) = granted(&with(plain(), "/points/pending_days", json!(days)), Some(zone), occurred_at);
        assert_eq!(activates.as_deref(), expected, "{days} days, {zone}, {occurred_at}");
    }
    let mut desk = Desk::open(&with(plain(), "/points/pending_days", json!(7)), OPENED);
    desk.buy("A-1", &[500]);
    assert_eq!(desk.position(), (0, 5, 0));
    assert_eq!(desk.view()["lots"][0]["activates_at"], "2026-11-07T23:00:00Z");
    assert_eq!(desk.adjust(-1, false).unwrap_err().to_string(), "0 points are available, 1 are required");
    assert_eq!(desk.to("2026-11-07T22:59:59.999Z").position(), (0, 5, 0));
    assert_eq!(desk.to("2026-11-07T23:00:00Z").position(), (5, 0, 0), "whether or not a schedule has run");
    assert_eq!(desk.kinds(3), []);
    desk.adjust(-1, false).unwrap();
    desk.buy_as_of("A-2", "2026-11-01T11:00:00Z", &[500]).unwrap();
    assert_eq!(desk.position(), (9, 0, 0), "a late purchase whose day has come is active at once");
}

#[test]
fn points_of_the_same_expiry_are_one_lot_whenever_they_were_earned() {
    let mut desk = Desk::open(&with(plain(), "/points/pending_days", json!(3)), OPENED);
    for day in 1..=28 {
        desk.to(&format!("2026-11-{day:02}T12:00:00Z")).buy(&format!("A-{day}"), &[100]);
        assert!(desk.account.lots.count() <= 1 + 3, "one active, and one for each day that is to come");
    }
    desk.settle_at("2026-12-01T12:00:00Z");
    assert_eq!(desk.lots(), [(28, Some("2027-11-30T23:00:00Z".to_owned()))]);
}

#[test]
fn a_purchase_every_day_for_years_never_comes_near_400_lots() {
    for (months, pending) in [(13, 0), (12, 30), (1200, 0)] {
        let mut document = with(expiring(months, "end_of_day"), "/points/pending_days", json!(pending));
        document["time_zone"] = json!("UTC");
        let program = crate::desk::read(&document);
        let mut desk = Desk::open(&document, "2024-01-01T12:00:00Z");
        let mut most = 0;
        for day in 0..900 {
            desk.now = at("2024-01-01T12:00:00Z").plus_days(day);
            let programs = desk.programs.clone();
            let mut draft = Draft::new(desk.account.clone(), &programs, desk.now, "till").unwrap();
            draft.settle().unwrap();
            let lot = grant::lot(draft.account(), &program, desk.now);
            let (draws, _) = draft.credit(1, lot).unwrap();
            draft.account_mut().lots.draw(draws[0]).unwrap();
            desk.account = draft.account().clone();
            most = most.max(desk.account.lots.count());
        }
        assert!(most <= 398, "{months} months, {pending} pending days: {most} lots");
    }
}

#[test]
fn points_are_spent_by_the_soonest_end_whatever_the_order_in_which_they_came() {
    let mut desk = Desk::open(&expiring(1, "end_of_day"), OPENED);
    desk.to("2026-11-12T12:00:00Z").buy("A-2", &[200]);
    desk.to("2026-11-13T12:00:00Z").buy("A-3", &[300]);
    desk.buy_as_of("A-1", "2026-11-11T12:00:00Z", &[100]).unwrap();
    desk.adjust(-2, false).unwrap();
    let draws: Vec<_> = desk.last().draws.iter().map(|d| (d.lot.expires_at.unwrap().to_string(), d.points)).collect();
    assert_eq!(draws, [("2026-12-11T23:00:00Z".to_owned(), -1), ("2026-12-12T23:00:00Z".to_owned(), -1)]);
}

#[test]
fn what_has_ended_is_written_lot_by_lot_as_of_the_moment_it_ended() {
    let mut desk = Desk::open(&expiring(1, "end_of_day"), OPENED);
    desk.to("2026-11-11T12:00:00Z").buy("A-1", &[100]);
    desk.to("2026-11-12T12:00:00Z").buy("A-2", &[200]);
    desk.settle_at("2027-06-01T00:00:00Z");
    assert_eq!(desk.kinds(4), [("expire", -1), ("expire", -2)]);
    let moments: Vec<_> =
        desk.ledger[3..].iter().map(|e| (e.occurred_at.to_string(), e.recorded_at.to_string())).collect();
    assert_eq!(moments[0], ("2026-12-11T23:00:00Z".to_owned(), "2027-06-01T00:00:00Z".to_owned()));
    assert_eq!(moments[1].0, "2026-12-12T23:00:00Z");
    assert_eq!(desk.view()["lifetime"]["expired"], 3);
}

#[test]
fn expired_points_cannot_be_spent_though_nobody_has_settled() {
    let mut desk = Desk::open(&plain(), OPENED);
    desk.buy("A-1", &[10_000]);
    desk.to("2027-11-30T23:00:00Z");
    assert!(desk.adjust(-1, false).is_err());
    assert_eq!(desk.kinds(3), [], "a refused command writes nothing");
    assert_eq!(desk.position(), (0, 0, 0));
    assert_eq!(desk.account.balance().available, 100, "reading writes nothing");
}

#[test]
fn what_is_due_is_settled_in_commits_of_at_most_forty_entries() {
    let mut desk = Desk::open(&expiring(13, "end_of_day"), "2026-01-01T12:00:00Z");
    for day in 0..100 {
        desk.now = at("2026-01-01T12:00:00Z").plus_days(day);
        desk.buy(&format!("A-{day}"), &[100]);
    }
    desk.to("2029-01-01T00:00:00Z");
    let version = desk.account.version;
    assert_eq!(desk.buy("B-1", &[100]), 1);
    assert_eq!(desk.account.version, version + 3, "forty, forty, and twenty with the purchase");
    assert_eq!(desk.position(), (1, 0, 0));
}

#[test]
fn settling_twice_is_settling_once() {
    let mut desk = Desk::open(&with(plain(), "/points/notice_days", json!(30)), OPENED);
    desk.buy("A-1", &[100]);
    for now in ["2027-11-05T00:00:00Z", "2028-01-05T00:00:00Z"] {
        desk.settle_at(now);
        let (ledger, lots) = (desk.ledger.clone(), desk.account.lots.clone());
        desk.settle();
        assert_eq!((ledger, lots), (desk.ledger.clone(), desk.account.lots.clone()));
    }
    assert_eq!(desk.kinds(3), [("notice", 0), ("expire", -1)]);
}

#[test]
fn a_decision_without_its_program_version_says_which_it_needs() {
    let desk = Desk::open(&plain(), OPENED);
    let mut programs = Programs::new(vec![at(OPENED), at("2026-12-01T00:00:00Z")]);
    let missing = |programs: &Programs, now: &str| draft::as_of(desk.account.clone(), programs, at(now)).map(|_| ());
    assert_eq!(missing(&programs, OPENED).unwrap_err().to_string(), "program version 1 is needed");
    programs.add(Arc::new(Version { number: 1, effective_from: at(OPENED), program: crate::desk::read(&plain()) }));
    assert!(missing(&programs, OPENED).is_ok());
    assert_eq!(missing(&programs, "2026-12-01T00:00:00Z").unwrap_err().to_string(), "program version 2 is needed");
}
