//! Calling a redemption off.

use super::give_back::use_back;
use super::holds::{Redeeming, RedemptionEffect};
use super::{Redemption, RedemptionDecision, Status, give_back, release};
use crate::account;
use crate::draft::{Draft, Posting};
use crate::entry::{Cause, Effects, Kind, Reason};
use crate::refusal::Refusal;

/// Calls off a redemption that is held, or fulfilled and not used: each draw goes back to its own lot; stock and limit come
/// back. A member who pauses gets points back too.
///
/// # Errors
/// [`Refusal::RedemptionIs`] if it was called off or has lapsed, [`Refusal::VoucherUsed`], [`Refusal::VoucherExpired`],
/// [`Refusal::MemberUnknown`] for a member who is gone.
pub fn cancel(mut draft: Draft<'_>, mut redemption: Redemption) -> Result<RedemptionDecision, Refusal> {
    if draft.account().status == account::Status::Erased {
        return Err(Refusal::MemberUnknown);
    }
    let now = draft.now();
    match redemption.status_at(now) {
        Status::Held => {
            // A clock that was set back sees a hold whose points came back when it had run ahead.
            let hold = draft.account().holds.of(redemption.id).cloned();
            let hold = hold.ok_or(Refusal::RedemptionIs { status: Status::Lapsed })?;
            let posting = release(&draft, &hold, now, Reason::CalledOff);
            draft.post(posting)?;
        }
        Status::Fulfilled => return_points(&mut draft, &redemption)?,
        status @ (Status::Cancelled | Status::Lapsed) => return Err(Refusal::RedemptionIs { status }),
    }
    if let Some(back) = redemption.stock_back() {
        draft.move_stock(back);
    }
    redemption.version += 1;
    redemption.status = Status::Cancelled;
    let posted = draft.finish()?;
    Ok(RedemptionDecision { posted, redemption })
}

fn return_points(draft: &mut Draft<'_>, redemption: &Redemption) -> Result<(), Refusal> {
    let now = draft.now();
    if redemption.usage.is_some() {
        return Err(Refusal::VoucherUsed);
    }
    if let Some(voucher) = redemption.voucher.as_ref().filter(|voucher| voucher.expires_at <= now) {
        return Err(Refusal::VoucherExpired { at: voucher.expires_at });
    }
    let back = give_back(draft.account(), &redemption.taken, now, now);
    let used = use_back(draft.account(), redemption.used.as_ref());
    draft.post(Posting {
        kind: Kind::Release,
        points: redemption.captured,
        draws: back.draws,
        cause: Cause::Redemption { redemption: redemption.id, reward: redemption.reward.clone() },
        program_version: redemption.program_version,
        explanation: [Reason::CalledOff].into_iter().chain(back.reasons).collect(),
        occurred_at: now,
        effects: Effects {
            redemption: Some(RedemptionEffect { change: Redeeming::Returned, used }),
            ..Effects::default()
        },
    })
}

/// Calls off all that is held, as leaving does.
pub(crate) fn cancel_all(draft: &mut Draft<'_>) -> Result<(), Refusal> {
    let open: Vec<_> = draft.account().holds.iter().cloned().collect();
    for hold in open {
        let posting = release(draft, &hold, draft.now(), Reason::CalledOff);
        draft.post(posting)?;
        if let Some(back) = hold.stock_back() {
            draft.move_stock(back);
        }
    }
    Ok(())
}
