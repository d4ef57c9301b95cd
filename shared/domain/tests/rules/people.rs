//! Members who pause, leave or are corrected.

use crate::desk::{Desk, label, order, plain, with, with_rules};
use loyalty_domain::account::Status;
use loyalty_domain::refusal::Refusal;
use serde_json::json;

const OPENED: &str = "2026-11-01T10:00:00Z";

#[test]
fn a_deactivated_member_earns_and_is_corrected_nothing_but_refunds_and_expiry_go_on() {
    let mut desk = Desk::open(&plain(), OPENED);
    desk.buy("A-1", &[500, 700]);
    desk.change(|account| account.status = Status::Deactivated).unwrap();
    assert_eq!(desk.record(&order("A-2", desk.now, &[100])), Err(Refusal::Deactivated));
    assert_eq!(desk.adjust(5, false), Err(Refusal::Deactivated));
    assert_eq!(desk.kinds(3), []);
    assert_eq!(desk.refund("A-1", &[("1", 1, None)]).unwrap().clawed_back, 5);
    desk.settle_at("2027-12-01T00:00:00Z");
    assert_eq!(desk.kinds(3), [("clawback", -5), ("expire", -7)]);
    desk.change(|account| account.status = Status::Active).unwrap();
    assert_eq!(desk.buy("A-3", &[100]), 1);
}

#[test]
fn erasure_forfeits_what_is_left_and_leaves_nothing_of_the_person() {
    let mut desk =
        Desk::open_for(&with(plain(), "/points/pending_days", json!(5)), OPENED, Some("Asia/Tokyo"), &["vip"]);
    desk.buy("A-1", &[500]);
    desk.adjust(7, false).unwrap();
    desk.erase().unwrap();
    assert_eq!(desk.kinds(4), [("forfeit", -12)]);
    assert_eq!(desk.last().kind.contra().word(), "forfeited");
    assert_eq!(desk.position(), (0, 0, 0));
    assert_eq!((desk.account.status, &desk.account.zone, desk.account.tags.len()), (Status::Erased, &None, 0));
    assert_eq!(desk.erase(), Err(Refusal::MemberUnknown));
    assert_eq!(desk.change(|account| account.tags = vec![label("x")]), Err(Refusal::MemberUnknown));
    assert_eq!(desk.record(&order("A-2", desk.now, &[100])), Err(Refusal::MemberUnknown));
    assert_eq!(desk.adjust(5, false), Err(Refusal::MemberUnknown));
}

#[test]
fn refunds_of_old_purchases_go_on_after_erasure_and_the_books_balance() {
    for (shortfall, debt) in [("debt", 5), ("forgive", 0)] {
        let mut desk = Desk::open(&with(plain(), "/points/clawback/shortfall", json!(shortfall)), OPENED);
        desk.buy("A-1", &[500, 700]);
        desk.erase().unwrap();
        desk.refund("A-1", &[("1", 1, None)]).unwrap();
        assert_eq!(desk.position(), (0, 0, debt));
        assert_eq!(desk.left("A-1"), 7);
    }
}

#[test]
fn erasing_a_member_without_points_writes_no_entry() {
    let mut desk = Desk::open(&plain(), OPENED);
    desk.erase().unwrap();
    assert_eq!((desk.kinds(2).len(), desk.account.version), (0, 2));
}

#[test]
fn an_adjustment_takes_active_points_only_and_never_below_nothing() {
    let mut desk = Desk::open(&with(plain(), "/points/pending_days", json!(5)), OPENED);
    desk.adjust(10, false).unwrap();
    desk.buy("A-1", &[500]);
    assert_eq!(desk.position(), (10, 5, 0), "an adjustment is active at once");
    assert_eq!(desk.adjust(-11, false), Err(Refusal::InsufficientPoints { required: 11, available: 10 }));
    assert_eq!(desk.adjust(i64::MIN, false), Err(Refusal::TooMuch));
    desk.adjust(-10, false).unwrap();
    assert_eq!(desk.position(), (0, 5, 0));
    assert_eq!(desk.view()["lifetime"]["adjusted"], 0);
    assert_eq!(desk.adjust(-1, false), Err(Refusal::InsufficientPoints { required: 1, available: 0 }));
}

#[test]
fn adjusted_points_end_as_if_earned_now() {
    let mut desk = Desk::open(&plain(), OPENED);
    desk.adjust(10, false).unwrap();
    assert_eq!(desk.lots(), [(10, Some("2027-11-30T23:00:00Z".to_owned()))]);
}

#[test]
fn a_purchase_is_one_entry_and_one_version_whatever_it_earns() {
    let mut desk = Desk::open(&with_rules(&[json!({"id": "more", "on": "purchase", "award": {"points": 3}})]), OPENED);
    for (index, net) in [0, 99, 100, 5000].into_iter().enumerate() {
        let (seq, version) = (desk.account.seq, desk.account.version);
        desk.buy(&format!("A-{index}"), &[net]);
        assert_eq!((desk.account.seq, desk.account.version), (seq + 1, version + 1));
    }
}
