//! The books: an account follows from its entries, and nothing else does.

use crate::desk::{Desk, plain, with, with_rules};
use loyalty_domain::account::Account;
use loyalty_domain::entry::{Entry, Kind};
use serde_json::json;
use std::collections::BTreeSet;

const OPENED: &str = "2026-11-01T10:00:00Z";

#[test]
fn every_kind_of_entry_has_one_contra_side() {
    let sides = Kind::ALL.iter().map(|kind| (kind.word(), kind.contra().word()));
    let expected = [
        ("enrol", "issued"),
        ("earn", "issued"),
        ("bonus", "issued"),
        ("clawback", "clawed_back"),
        ("restore", "clawed_back"),
        ("expire", "expired"),
        ("adjust", "adjusted"),
        ("notice", "expired"),
        ("tier", "issued"),
        ("forfeit", "forfeited"),
    ];
    for side in expected {
        assert!(sides.clone().any(|other| other == side), "{side:?}");
    }
}

/// A member with a story: earned, spent, taken back, owed, paid, noticed, expired, lifted.
fn story() -> (Desk, Account) {
    let document = with(
        with_rules(&[
            json!({"id": "treat", "on": "purchase", "award": {"points": 5}, "limit": {"times": 2, "per": "year"}}),
        ]),
        "/tiers/levels",
        json!([{"id": "green", "from": 0}, {"id": "gold", "from": 50}]),
    );
    let mut desk = Desk::open(&with(document, "/points/notice_days", json!(30)), OPENED);
    let empty = Account::new(desk.account.member, desk.now, None, vec![], desk.account.level.id.clone());
    desk.buy("A-1", &[3000, 4000]);
    desk.adjust(-60, false).unwrap();
    desk.refund("A-1", &[("1", 1, None)]).unwrap();
    desk.to("2026-11-09T10:00:00Z").buy("A-2", &[9000]);
    desk.settle_at("2027-11-05T10:00:00Z");
    desk.settle_at("2028-02-05T10:00:00Z");
    desk.buy("A-3", &[100]);
    (desk, empty)
}

fn folds(empty: &Account, entries: &[Entry]) -> Result<Account, u64> {
    let mut account = empty.clone();
    for entry in entries {
        account.apply(entry).map_err(|bad| bad.seq)?;
    }
    Ok(account)
}

#[test]
fn a_missing_entry_or_a_swapped_pair_breaks_the_fold_where_it_happened() {
    let (desk, empty) = story();
    assert!(folds(&empty, &desk.ledger).is_ok());
    for gone in 0..desk.ledger.len() - 1 {
        let mut entries = desk.ledger.clone();
        entries.remove(gone);
        assert_eq!(folds(&empty, &entries), Err(gone as u64 + 2));
        let mut entries = desk.ledger.clone();
        entries.swap(gone, gone + 1);
        assert_eq!(folds(&empty, &entries), Err(gone as u64 + 2));
    }
}

#[test]
fn an_entry_changed_by_a_point_is_found_by_its_balance_or_its_sums() {
    let (desk, empty) = story();
    for changed in 0..desk.ledger.len() {
        for by in [-1, 1] {
            let mut entries = desk.ledger.clone();
            entries[changed].points += by;
            let balances = |account: &mut Account| {
                entries.iter().all(|entry| account.apply(entry).is_ok() && account.balance() == entry.balance_after)
            };
            assert!(!balances(&mut empty.clone()), "entry {} by {by}", changed + 1);
        }
    }
}

#[test]
fn an_entrys_id_follows_from_member_and_number_and_no_two_are_alike() {
    let (desk, _) = story();
    let ids: BTreeSet<String> = desk.ledger.iter().map(|entry| entry.id(desk.account.member).to_string()).collect();
    assert_eq!(ids.len(), desk.ledger.len());
    let again = desk.ledger[2].id(desk.account.member);
    assert!(ids.contains(&again.to_string()));
}

#[test]
fn entries_and_accounts_survive_being_packed() {
    let (desk, _) = story();
    let packed = postcard::to_stdvec(&(&desk.account, &desk.ledger)).unwrap();
    let (account, ledger): (Account, Vec<Entry>) = postcard::from_bytes(&packed).unwrap();
    assert_eq!((account, ledger), (desk.account.clone(), desk.ledger.clone()));
}

#[test]
fn a_clock_set_back_breaks_no_book() {
    let mut desk = Desk::open(&with(plain(), "/points/pending_days", json!(2)), "2027-11-01T10:00:00Z");
    desk.buy("A-1", &[5000]);
    desk.to("2027-11-20T10:00:00Z").buy("A-2", &[5000]);
    desk.to("2020-01-01T10:00:00Z").buy("A-3", &[5000]);
    desk.refund("A-2", &[("1", 1, None)]).unwrap();
    desk.settle_at("2030-01-01T00:00:00Z");
    assert_eq!(desk.position(), (0, 0, 0));
}
