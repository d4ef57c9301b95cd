//! Vouchers: when they can be used, and codes that cannot be mistyped.

use crate::desk::{Desk, at, with, words};
use crate::spending::{mug, offering, seat};
use loyalty_domain::account::Status;
use loyalty_domain::redemption::{self, remind};
use loyalty_domain::refusal::Refusal;
use loyalty_domain::voucher::{BadCode, Code};
use proptest::prelude::*;
use serde_json::{Value, json};

fn voucher(of: Value, days: i64) -> Value {
    let mut reward = of;
    reward["voucher_days"] = json!(days);
    reward
}

#[test]
fn a_voucher_is_good_until_the_end_of_a_local_day_of_the_member() {
    let document = offering(json!([voucher(mug(), 90)]));
    for (home, end) in [(None, "2027-01-30T23:00:00Z"), (Some("America/New_York"), "2027-01-31T05:00:00Z")] {
        let mut desk = Desk::open_for(&document, "2026-11-01T10:00:00Z", home, &[]);
        desk.adjust(100, false).unwrap();
        let id = desk.redeem("mug").unwrap();
        let voucher = desk.redemptions[&id].voucher.clone().unwrap();
        assert_eq!((voucher.valid_from, voucher.expires_at), (desk.now, at(end)));
    }
}

#[test]
fn a_voucher_is_used_once_and_again_only_for_the_same_order() {
    let mut desk = Desk::with_points(&offering(json!([voucher(mug(), 90)])), 100);
    let id = desk.redeem("mug").unwrap();
    assert_eq!(desk.use_voucher(id, "O-1"), Ok(false));
    assert_eq!(desk.use_voucher(id, "O-1"), Ok(true), "the same answer");
    assert_eq!(desk.use_voucher(id, "O-2"), Err(Refusal::VoucherUsed));
    assert_eq!(desk.to("2028-01-01T00:00:00Z").use_voucher(id, "O-1"), Ok(true), "for ever");
    assert_eq!(desk.cancel(id), Err(Refusal::VoucherUsed));
}

#[test]
fn a_voucher_that_expired_is_of_no_use_and_gives_nothing_back() {
    let mut desk = Desk::with_points(&offering(json!([voucher(mug(), 90)])), 100);
    let id = desk.redeem("mug").unwrap();
    let end = at("2027-01-30T23:00:00Z");
    desk.to("2027-01-30T23:00:00Z");
    assert_eq!(desk.use_voucher(id, "O-1"), Err(Refusal::VoucherExpired { at: end }));
    assert_eq!(desk.cancel(id), Err(Refusal::VoucherExpired { at: end }));
    assert_eq!((desk.position(), desk.redeemed()), ((60, 0, 0), 40));
}

#[test]
fn a_voucher_can_begin_to_be_good_on_a_later_local_day() {
    let mut reward = voucher(mug(), 10);
    reward["voucher_from_days"] = json!(2);
    let mut desk = Desk::with_points(&offering(json!([reward])), 100);
    let id = desk.redeem("mug").unwrap();
    let from = at("2026-11-02T23:00:00Z");
    assert_eq!(desk.use_voucher(id, "O-1"), Err(Refusal::VoucherNotYetValid { from: Some(from) }));
    assert_eq!(desk.redemptions[&id].voucher.clone().unwrap().expires_at, at("2026-11-13T23:00:00Z"));
    assert_eq!(desk.to("2026-11-02T23:00:00Z").use_voucher(id, "O-1"), Ok(false));
}

#[test]
fn the_voucher_of_a_hold_can_be_used_once_it_is_captured_and_never_when_it_was_not() {
    let mut desk = Desk::with_points(&offering(json!([voucher(seat(), 90)])), 200);
    let [captured, cancelled, lapsed] = [(); 3].map(|()| desk.redeem("seat").unwrap());
    assert_eq!(desk.use_voucher(captured, "O-1"), Err(Refusal::VoucherNotYetValid { from: None }));
    desk.capture(captured, None).unwrap();
    desk.cancel(cancelled).unwrap();
    desk.to("2026-11-01T10:30:00Z");
    assert_eq!(desk.use_voucher(captured, "O-1"), Ok(false));
    assert_eq!(desk.use_voucher(cancelled, "O-1"), Err(Refusal::VoucherCancelled));
    assert_eq!(desk.use_voucher(lapsed, "O-1"), Err(Refusal::VoucherCancelled));
}

#[test]
fn a_deactivated_member_uses_no_voucher_and_one_who_is_gone_has_none() {
    let mut desk = Desk::with_points(&offering(json!([voucher(mug(), 90)])), 100);
    let id = desk.redeem("mug").unwrap();
    desk.change(|account| account.status = Status::Deactivated).unwrap();
    assert_eq!(desk.use_voucher(id, "O-1"), Err(Refusal::Deactivated));
    desk.erase().unwrap();
    assert_eq!(desk.use_voucher(id, "O-1"), Err(Refusal::VoucherUnknown));
}

#[test]
fn a_till_that_looks_up_a_voucher_learns_what_it_is_worth_and_whether_it_can_be_used() {
    let mut reward = voucher(mug(), 90);
    reward["kind"] = json!("discount_percent");
    reward["percent"] = json!("12.5");
    let mut desk = Desk::with_points(&offering(json!([reward])), 100);
    let id = desk.redeem("mug").unwrap();
    let look = |desk: &Desk| redemption::voucher_looked_up(&desk.redemptions[&id], &desk.account, desk.now);
    assert_eq!((&look(&desk)["percent"], &look(&desk)["usable"]), (&json!("12.5"), &json!(true)));
    desk.use_voucher(id, "O-1").unwrap();
    assert_eq!((&look(&desk)["usable"], &look(&desk)["because"]), (&json!(false), &json!(["it was used already"])));
}

#[test]
fn the_holder_of_a_voucher_is_told_seven_days_before_it_expires_and_once() {
    let mut desk = Desk::with_points(&offering(json!([voucher(mug(), 90)])), 100);
    let id = desk.redeem("mug").unwrap();
    let made = desk.redemptions[&id].clone();
    let due = at("2027-01-23T23:00:00Z");
    assert_eq!(made.reminder_due(), Some(due));
    assert_eq!(remind(made.clone(), at("2027-01-23T22:59:59Z")), None);
    let told = remind(made.clone(), due).unwrap();
    assert_eq!((told.version, told.reminder_due(), remind(told.clone(), due)), (2, None, None));
    let late = remind(made.clone(), at("2027-01-30T23:00:00Z")).unwrap();
    assert_eq!(late.reminder_due(), None, "nobody looks at it again");
    let program = "main".parse().unwrap();
    assert_eq!(redemption::event(&made, &late, &program), None, "and nobody is told too late");
    let event = redemption::event(&made, &told, &program).unwrap();
    assert_eq!((&event["type"], &event["id"]), (&json!("voucher.expiring"), &json!(format!("{id}.2"))));
    desk.use_voucher(id, "O-1").unwrap();
    assert_eq!(desk.redemptions[&id].reminder_due(), None);
}

#[test]
fn a_goal_gives_a_reward_for_nothing_as_a_voucher_and_says_so() {
    let card = json!({"id": "card", "on": "purchase", "goal": {"count": 2, "of": "purchases", "repeat": true},
        "award": {"reward": "mug"}});
    let document = with(offering(json!([voucher(mug(), 90)])), "/earning_rules", json!([card]));
    let mut desk = Desk::open(&document, "2026-11-01T10:00:00Z");
    desk.buy("A-1", &[100]);
    assert!(desk.redemptions.is_empty());
    desk.buy("A-2", &[100]);
    let given = desk.redemptions.values().next().unwrap().clone();
    assert_eq!((given.points, given.status_at(desk.now).word(), given.voucher.is_some()), (0, "fulfilled", true));
    assert_eq!(desk.last().kind.word(), "goal");
    assert_eq!(words(desk.last()), ["reached".to_owned(), format!("gives mug as {}", given.id)]);
    assert_eq!(desk.use_voucher(given.id, "O-1"), Ok(false));
    desk.buy("A-3", &[100]);
    desk.buy("A-4", &[100]);
    assert_eq!(desk.redemptions.len(), 2, "each card gives one of its own");
}

const SYMBOLS: &str = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const CHECKS: &str = "0123456789ABCDEFGHJKMNPQRSTVWXYZ*~$=U";

fn spelled(code: Code) -> Vec<char> {
    code.to_string().chars().filter(|c| *c != '-').collect()
}

fn read(symbols: &[char]) -> Result<Code, BadCode> {
    Code::parse(&symbols.iter().collect::<String>())
}

#[test]
fn a_code_is_16_symbols_and_a_check_symbol_in_groups_of_four() {
    let code = Code::new([0, 1, 2, 3, 4, 5, 6, 7, 8, 255]);
    let text = code.to_string();
    assert_eq!(text.split('-').map(str::len).collect::<Vec<_>>(), [4, 4, 4, 4, 1]);
    assert!(text.chars().all(|c| c == '-' || CHECKS.contains(c)));
    assert_eq!(Code::new([0; 10]).to_string(), "0000-0000-0000-0000-0");
    assert_eq!(Code::new([0, 0, 0, 0, 0, 0, 0, 0, 0, 36]).to_string(), "0000-0000-0000-0014-U");
    assert_eq!(format!("{code:?}"), "Code(…)", "a code is not shown by accident");
}

#[test]
fn codes_are_read_blind_to_case_dashes_and_look_alikes() {
    let code = Code::new([8, 64, 16, 255, 1, 2, 3, 4, 5, 6]);
    let text = code.to_string();
    for spelling in [
        text.clone(),
        text.to_lowercase(),
        text.replace('-', ""),
        text.replace('-', " "),
        text.replace('0', "o").replace('1', "l"),
        text.replace('0', "O").replace('1', "I"),
        text.replace('1', "i").replace('1', "L"),
    ] {
        assert_eq!(Code::parse(&spelling), Ok(code), "{spelling}");
    }
}

#[test]
fn what_has_another_length_or_other_symbols_is_no_code() {
    let text = Code::new([7; 10]).to_string();
    let short = &text[..text.len() - 2];
    for bad in ["", "-", short, &format!("{text}0"), &text.replace('-', "_"), &format!("{}é", short), &"0".repeat(5000)]
    {
        assert_eq!(Code::parse(bad), Err(BadCode), "{bad}");
    }
    let mut symbols = spelled(Code::new([0; 10]));
    symbols[3] = 'U';
    assert_eq!(read(&symbols), Err(BadCode), "U only checks");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn every_code_is_read_back_and_every_single_error_and_swap_of_neighbours_is_caught(bytes: [u8; 10]) {
        let code = Code::new(bytes);
        let symbols = spelled(code);
        prop_assert_eq!(read(&symbols), Ok(code));
        prop_assert_eq!(code.bytes(), bytes);
        for place in 0..17 {
            let others = if place == 16 { CHECKS } else { SYMBOLS };
            for other in others.chars().filter(|other| *other != symbols[place]) {
                let mut wrong = symbols.clone();
                wrong[place] = other;
                prop_assert_eq!(read(&wrong), Err(BadCode));
            }
            let mut swapped = symbols.clone();
            if place < 16 && symbols[place] != symbols[place + 1] {
                swapped.swap(place, place + 1);
                prop_assert_eq!(read(&swapped), Err(BadCode));
            }
        }
    }
}
