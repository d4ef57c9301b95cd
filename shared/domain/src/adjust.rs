//! Corrections by operators.

use crate::draft::{Draft, Posted, Posting};
use crate::entry::{Cause, Effects, Kind, Reason};
use crate::grant;
use crate::lots::LotKey;
use crate::program::QualifyBy;
use crate::refusal::Refusal;
use crate::tier;

/// A correction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adjustment {
    /// Signed, not 0.
    pub points: i64,
    /// The operator's word for why; goes into the books, so nothing personal.
    pub reason: String,
    /// Whether it counts towards the level.
    pub qualifies: bool,
}

/// Corrects an account: gives points that can be spent at once, or takes such, never more than there are.
///
/// # Errors
/// [`Refusal::InsufficientPoints`], or that the member takes no part.
pub fn adjust(mut draft: Draft<'_>, adjustment: &Adjustment) -> Result<Posted, Refusal> {
    draft.must_take_part()?;
    let now = draft.now();
    let mut explanation = Vec::new();
    let draws = if adjustment.points > 0 {
        let lot = grant::active_lot(draft.account(), draft.program(), now);
        let (draws, repaid) = draft.credit(adjustment.points, lot)?;
        if repaid > 0 {
            explanation.push(Reason::DebtRepaid { points: repaid });
        }
        draws
    } else {
        let required = adjustment.points.checked_neg().ok_or(Refusal::TooMuch)?;
        let (draws, taken) = draft.account().lots.take(required, now, LotKey::is_active);
        if taken < required {
            return Err(Refusal::InsufficientPoints { required, available: taken });
        }
        draws
    };
    let counts = adjustment.qualifies && draft.program().tiers.qualify_by == QualifyBy::PointsEarned;
    let bucket = tier::bucket(draft.account(), draft.program(), now);
    let posting = Posting {
        kind: Kind::Adjust,
        points: adjustment.points,
        draws,
        cause: Cause::Adjustment { reason: adjustment.reason.clone() },
        program_version: draft.version(),
        explanation,
        occurred_at: now,
        effects: Effects { units: counts.then_some((bucket, adjustment.points)), ..Effects::default() },
    };
    draft.post(posting)?;
    draft.lift_level()?;
    draft.finish()
}
