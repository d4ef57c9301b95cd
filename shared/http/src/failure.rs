//! Which problem a failure is answered as. Decisions and the store know no status codes; this is the one place that does.

use crate::problem::{InputError, Problem};
use http::StatusCode;
use loyalty_domain::redemption::Status;
use loyalty_domain::refusal::Refusal;
use loyalty_store::{Failure, Slot, StoreError};
use serde_json::json;

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(refusal) => refusal.into(),
            Failure::Mismatch(pointers) => Problem::idempotency_mismatch(pointers),
            Failure::NoProgram => Problem::not_found("program_unknown")
                .detail("no program has been published under the token's program id"),
            Failure::Busy => {
                Problem::unavailable(1).detail("the member's account is busy; the same request may be sent again")
            }
            Failure::Store(error) => error.into(),
            Failure::Taken(slots) => Problem::internal(format!("taken: {:?}", kinds(&slots))),
        }
    }
}

fn kinds<T>(slots: &[(Slot, T)]) -> Vec<&Slot> {
    slots.iter().map(|(slot, _)| slot).collect()
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => Problem::unavailable(1).because(error),
            StoreError::Refused(_) | StoreError::Corrupt(_) => Problem::internal(error),
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let unprocessable = |code, title| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code, title);
        let at = |pointer: String, detail: &str| vec![InputError { pointer, detail: detail.to_owned() }];
        let words = refusal.to_string();
        match refusal {
            Refusal::MemberUnknown => Problem::not_found("member_unknown").detail(words),
            Refusal::Deactivated => Problem::conflict("member_deactivated").detail(words),
            Refusal::InFuture => unprocessable("in_future", "The business time lies in the future")
                .errors(at("/occurred_at".to_owned(), "lies more than five minutes ahead")),
            Refusal::TooOld { days } => unprocessable("purchase_too_old", "The purchase is too old to be recorded")
                .fact("late_purchase_days", days)
                .errors(at("/occurred_at".to_owned(), "is longer ago than the program allows")),
            Refusal::TooMuch => unprocessable("amount_too_large", "A sum is too large").detail(words),
            Refusal::TooManyLots => Problem::conflict("account_full").detail(words),
            Refusal::LineUnknown { at: places } => {
                let error = |index: &usize| InputError {
                    pointer: format!("/lines/{index}/line_id"),
                    detail: "is not a line of the purchase".to_owned(),
                };
                unprocessable("line_unknown", "The purchase has no such line")
                    .errors(places.iter().map(error).collect())
            }
            Refusal::RefundExceedsPurchase { at: places } => {
                let error = |(index, field): &(usize, &str)| InputError {
                    pointer: format!("/lines/{index}/{field}"),
                    detail: "is more than is left".to_owned(),
                };
                Problem::conflict("refund_exceeds_purchase").detail(words).errors(places.iter().map(error).collect())
            }
            Refusal::InsufficientPoints { required, available } => Problem::conflict("insufficient_points")
                .detail(words)
                .fact("required", required)
                .fact("available", available)
                .fact("missing", json!(required.saturating_sub(available))),
            Refusal::Claimed => Problem::conflict("purchase_claimed").detail(words),
            Refusal::NothingLeft => Problem::conflict("purchase_refunded").detail(words),
            Refusal::WrongTotal => unprocessable("claim_mismatch", "The claim does not match the purchase")
                .errors(at("/net_total".to_owned(), "is not the net total of the purchase")),
            Refusal::ActivityUnknown => {
                unprocessable("activity_unknown", "The program does not name this type of activity")
                    .errors(at("/type".to_owned(), "is not a type that the program names"))
            }
            Refusal::ActivityTooOld { days } => {
                unprocessable("activity_too_old", "The activity is too old to be recorded")
                    .fact("late_purchase_days", days)
                    .errors(at("/occurred_at".to_owned(), "is longer ago than the program allows"))
            }
            Refusal::TooManyPasses => Problem::conflict("account_full").detail(words),
            Refusal::LevelUnknown => unprocessable("level_unknown", "The program has no such level")
                .errors(at("/level".to_owned(), "is not a level of the program")),
            Refusal::DatePast => unprocessable("date_past", "The date lies in the past")
                .errors(at("/until".to_owned(), "lies before today")),
            Refusal::RewardUnknown => unprocessable("reward_unknown", "The program has no such reward")
                .errors(at("/reward_id".to_owned(), "is not a reward of the program")),
            Refusal::RewardUnavailable { because } => {
                Problem::conflict("reward_unavailable").detail(words).fact("because", json!(because))
            }
            Refusal::Field { field, why } => {
                unprocessable("meaningless", "The request cannot be meant").errors(at(format!("/{field}"), why))
            }
            Refusal::TooManyHolds { most } => {
                Problem::conflict("too_many_holds").detail(words).fact("most", json!(most))
            }
            Refusal::RedemptionIs { status } => {
                Problem::conflict(redemption_code(status)).detail(words).fact("status", json!(status.word()))
            }
            Refusal::CaptureExceedsHold { held } => {
                Problem::conflict("capture_exceeds_hold").detail(words).fact("held", held)
            }
            Refusal::VoucherUnknown => Problem::not_found("voucher_unknown").detail(words),
            Refusal::VoucherUsed => Problem::conflict("voucher_used").detail(words),
            Refusal::VoucherExpired { .. } => Problem::conflict("voucher_expired").detail(words),
            Refusal::VoucherCancelled => Problem::conflict("voucher_cancelled").detail(words),
            Refusal::VoucherNotYetValid { .. } => Problem::conflict("voucher_not_yet_valid").detail(words),
            Refusal::BadPayment { at: places } => {
                let error = |(index, why): &(usize, &str)| InputError {
                    pointer: format!("/paid_with/{index}"),
                    detail: (*why).to_owned(),
                };
                unprocessable("payment_invalid", "The purchase was not paid with that")
                    .errors(places.iter().map(error).collect())
            }
            Refusal::NeedsVersion(_) | Refusal::Inconsistent => Problem::internal(words),
        }
    }
}

const fn redemption_code(status: Status) -> &'static str {
    match status {
        Status::Held => "redemption_held",
        Status::Fulfilled => "redemption_fulfilled",
        Status::Cancelled => "redemption_cancelled",
        Status::Lapsed => "redemption_lapsed",
    }
}
