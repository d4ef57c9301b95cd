//! Vouchers at the till.

use super::{Redemption, Status, Usage};
use crate::account::{self, Account};
use crate::calendar::Moment;
use crate::id::CallerId;
use crate::refusal::Refusal;

/// So many days before it expires the holder of an unused voucher is told.
pub const VOUCHER_NOTICE_DAYS: i64 = 7;

/// What using a voucher writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VoucherDecision {
    /// The redemption afterwards.
    pub redemption: Redemption,
    /// Whether this very order had used it before: nothing is to be written then.
    pub replayed: bool,
}

/// Uses a redemption's voucher for an order: once; again for the same order gives the same answer, whatever has become of it
/// since. Changes no points: those were spent before.
///
/// # Errors
/// [`Refusal::VoucherUnknown`] for a member who is gone, whose vouchers are void; [`Refusal::VoucherUsed`] for another order;
/// [`Refusal::VoucherCancelled`], [`Refusal::VoucherExpired`], [`Refusal::VoucherNotYetValid`]; [`Refusal::Deactivated`].
pub fn use_voucher(
    mut redemption: Redemption,
    account: &Account,
    channel: &CallerId,
    order_id: &CallerId,
    now: Moment,
) -> Result<VoucherDecision, Refusal> {
    if account.status == account::Status::Erased {
        return Err(Refusal::VoucherUnknown);
    }
    if redemption.usage.as_ref().is_some_and(|usage| usage.channel == *channel && usage.order_id == *order_id) {
        return Ok(VoucherDecision { redemption, replayed: true });
    }
    if let Some(refusal) = voucher_obstacle(&redemption, account, now) {
        return Err(refusal);
    }
    redemption.version += 1;
    redemption.usage = Some(Usage { channel: channel.clone(), order_id: order_id.clone(), at: now });
    Ok(VoucherDecision { redemption, replayed: false })
}

/// What keeps a voucher from being used now, if anything.
#[must_use]
pub fn voucher_obstacle(redemption: &Redemption, account: &Account, now: Moment) -> Option<Refusal> {
    let Some(voucher) = &redemption.voucher else { return Some(Refusal::VoucherUnknown) };
    if redemption.usage.is_some() {
        return Some(Refusal::VoucherUsed);
    }
    let status = redemption.status_at(now);
    match (status, account.status) {
        (Status::Cancelled | Status::Lapsed, _) => Some(Refusal::VoucherCancelled),
        (Status::Held | Status::Fulfilled, _) if voucher.expires_at <= now => {
            Some(Refusal::VoucherExpired { at: voucher.expires_at })
        }
        (Status::Held | Status::Fulfilled, account::Status::Erased) => Some(Refusal::VoucherUnknown),
        (Status::Held | Status::Fulfilled, account::Status::Deactivated) => Some(Refusal::Deactivated),
        (Status::Held, account::Status::Active) => Some(Refusal::VoucherNotYetValid { from: None }),
        (Status::Fulfilled, account::Status::Active) => {
            let from = voucher.valid_from;
            (now < from).then_some(Refusal::VoucherNotYetValid { from: Some(from) })
        }
    }
}

impl Redemption {
    /// When the holder of its voucher is to be told that it will expire; none if there is nothing to tell any more.
    #[must_use]
    pub fn reminder_due(&self) -> Option<Moment> {
        let open = self.status == Status::Fulfilled && self.usage.is_none();
        let voucher = self.voucher.as_ref().filter(|voucher| open && voucher.noticed_at.is_none())?;
        Some(voucher.expires_at.plus_days(-VOUCHER_NOTICE_DAYS).max(voucher.valid_from))
    }
}

/// Notes that the holder of a voucher is told that it will expire; none if that is not due. One that has expired by then is
/// noted too, so that nobody looks at it again, but nobody is told.
#[must_use]
pub fn remind(mut redemption: Redemption, now: Moment) -> Option<Redemption> {
    redemption.reminder_due().filter(|due| *due <= now)?;
    let voucher = redemption.voucher.as_mut()?;
    voucher.noticed_at = Some(now);
    redemption.version += 1;
    Some(redemption)
}
