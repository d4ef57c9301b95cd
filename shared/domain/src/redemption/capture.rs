//! Spending points that were set aside.

use super::holds::{Redeeming, RedemptionEffect, part};
use super::{Redemption, RedemptionDecision, Status, release};
use crate::draft::{Draft, Posting};
use crate::entry::{Cause, Effects, Kind, Reason};
use crate::program::Worth;
use crate::refusal::Refusal;

/// Captures a held redemption, or so many of its points: those that were taken first are spent, the rest is given back to
/// its own lots.
///
/// # Errors
/// [`Refusal::RedemptionIs`] if it is not held any more, [`Refusal::CaptureExceedsHold`], or that the member takes no part.
pub fn capture(
    mut draft: Draft<'_>,
    mut redemption: Redemption,
    points: Option<i64>,
) -> Result<RedemptionDecision, Refusal> {
    draft.must_take_part()?;
    let now = draft.now();
    let status = redemption.status_at(now);
    if status != Status::Held {
        return Err(Refusal::RedemptionIs { status });
    }
    // A clock that was set back sees a hold whose points came back when it had run ahead.
    let hold = draft.account().holds.of(redemption.id).cloned();
    let hold = hold.ok_or(Refusal::RedemptionIs { status: Status::Lapsed })?;
    let held = hold.points();
    let points = points.unwrap_or(held);
    if points > held {
        return Err(Refusal::CaptureExceedsHold { held });
    }
    if points < 1 {
        return Err(Refusal::Field { field: "points", why: "must be at least 1" });
    }
    if redemption.rate.is_some_and(|rate| rate.of(points).amount < 1) {
        return Err(Refusal::Field { field: "points", why: "are worth nothing" });
    }
    draft.post(Posting {
        kind: Kind::Redeem,
        points: 0,
        draws: Vec::new(),
        cause: Cause::Redemption { redemption: redemption.id, reward: redemption.reward.clone() },
        program_version: redemption.program_version,
        explanation: vec![Reason::Captured { points, held }],
        occurred_at: now,
        effects: Effects {
            redemption: Some(RedemptionEffect { change: Redeeming::Captured { points }, used: None }),
            ..Effects::default()
        },
    })?;
    let rest = draft.account().holds.of(redemption.id).cloned();
    if let Some(rest) = rest {
        let why = Reason::Captured { points, held };
        // Its counter and stock stay as they are: the reward was had.
        let posting = release(&draft, &super::Hold { used: None, ..rest }, now, why);
        draft.post(posting)?;
    }
    redemption.version += 1;
    redemption.status = Status::Fulfilled;
    redemption.captured = points;
    redemption.taken = part(&hold.taken, points).0;
    redemption.worth = redemption.rate.map(|rate| Worth::Money(rate.of(points))).or(redemption.worth);
    let posted = draft.finish()?;
    Ok(RedemptionDecision { posted, redemption })
}
