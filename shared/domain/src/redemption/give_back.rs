//! Where points go that come back: each draw to its own lot, with its own end.

use super::holds::{Hold, Redeeming, RedemptionEffect, points};
use crate::account::Account;
use crate::calendar::Moment;
use crate::draft::{Draft, Posting};
use crate::entry::{Cause, Effects, Kind, Reason, Use};
use crate::lots::{Draw, LotKey, Lots};

/// Points whose lot has ended meanwhile live on for so many days, or for their days of notice, if those are more.
pub const GRACE_DAYS: i64 = 7;

/// What taken points become when they come back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GivenBack {
    /// What goes into lots; the rest pays debt.
    pub(crate) draws: Vec<Draw>,
    /// What is to be said about it.
    pub(crate) reasons: Vec<Reason>,
}

/// The posting that ends a hold and gives back what is still in it. `at` is when that happens: lapsing is dated as if on
/// time.
pub(crate) fn release(draft: &Draft<'_>, hold: &Hold, at: Moment, why: Reason) -> Posting {
    let back = give_back(draft.account(), &hold.taken, at, draft.now());
    Posting {
        kind: Kind::Release,
        points: points(&hold.taken),
        draws: back.draws,
        cause: Cause::Redemption { redemption: hold.redemption, reward: hold.reward.clone() },
        program_version: draft.version(),
        explanation: [why].into_iter().chain(back.reasons).collect(),
        occurred_at: at,
        effects: Effects {
            redemption: Some(RedemptionEffect {
                change: Redeeming::GivenBack,
                used: use_back(draft.account(), hold.used.as_ref()),
            }),
            ..Effects::default()
        },
    }
}

/// The counter that goes back by one; none if its period is long past and forgotten.
pub(crate) fn use_back(account: &Account, used: Option<&Use>) -> Option<(Use, i32)> {
    used.filter(|of| account.times_redeemed(of) > 0).map(|of| (of.clone(), -1))
}

/// Gives points back that were taken out of lots. The first of them, which end soonest, pay what is owed.
pub(crate) fn give_back(account: &Account, taken: &[Draw], at: Moment, now: Moment) -> GivenBack {
    let repaid = points(taken).min(account.debt);
    let mut reasons = Vec::new();
    if repaid > 0 {
        reasons.push(Reason::DebtRepaid { points: repaid });
    }
    let (_, rest) = super::holds::part(taken, repaid);
    let (mut lots, mut draws) = (account.lots.clone(), Vec::<Draw>::new());
    for draw in rest {
        let own = own_lot(&lots, draw.lot, at);
        let (lot, grace) = own.map_or_else(|| (graced(draw.lot, at, now), true), |own| (own, false));
        let lot = lots.shelter(lot);
        match draws.iter_mut().find(|other| other.lot == lot) {
            Some(other) => other.points = other.points.saturating_add(draw.points),
            None => draws.push(Draw { lot, points: draw.points }),
        }
        // A sum beyond counting is refused where the entry is carried out.
        if lots.draw(Draw { lot, points: draw.points }).is_err() {
            break;
        }
        if let (true, Some(until)) = (grace, lot.expires_at) {
            reasons.push(Reason::Grace { points: draw.points, until });
        }
    }
    GivenBack { draws, reasons }
}

/// The lot that points were taken out of, as it is now: noticed since, perhaps. None if it has ended, unless its points
/// have had their grace: these keep their end.
fn own_lot(lots: &Lots, taken: LotKey, at: Moment) -> Option<LotKey> {
    if taken.had_grace() {
        return Some(taken);
    }
    // A lot is noticed as soon as that is due, so whatever bears a notice got it after these points were taken.
    let noticed_since = |lot: &LotKey| LotKey { noticed_at: None, ..*lot } == taken && lot.noticed_at.is_some();
    let own = match taken.noticed_at {
        None => lots.iter().map(|lot| lot.key).filter(noticed_since).min_by_key(|lot| lot.noticed_at),
        Some(_) => None,
    };
    let own = own.unwrap_or(taken);
    let end = if own.noticed_at.is_some() { own.end(at) } else { own.expires_at };
    end.is_none_or(|end| end > at).then_some(own)
}

/// The lot for points whose own has ended. The entry that gives them back is their notice, so that no further one is owed;
/// where days of notice were promised, they count from when it was recorded, so that no schedule that was down takes any.
fn graced(taken: LotKey, at: Moment, now: Moment) -> LotKey {
    let promised = i64::from(taken.notice_days);
    let until = at.plus_days(GRACE_DAYS);
    let until = if promised > 0 { until.max(now.plus_days(promised)) } else { until };
    LotKey { activates_at: None, expires_at: Some(until), notice_days: 0, noticed_at: Some(now) }
}
