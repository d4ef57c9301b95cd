//! Redemptions: a member's claim on a reward, from the points that leave the lots to the voucher that is used.
//!
//! A redemption is fulfilled at once, or its points are set aside until they are captured, called off or lapse. What is set
//! aside stands on the account, so that lapsing needs nothing else: from `lapses_at` on it is lapsed in every answer,
//! whether or not anybody has written so.

mod cancel;
mod capture;
mod give_back;
mod holds;
mod read;
mod redeem;
mod shown;
mod used;

pub use cancel::cancel;
pub(crate) use cancel::cancel_all;
pub use capture::capture;
pub use give_back::GRACE_DAYS;
pub(crate) use give_back::{give_back, release};
pub(crate) use holds::part;
pub use holds::{Hold, Holds, MOST_HOLDS, Redeeming, RedemptionEffect, StockUse};
pub use read::{
    RedeemRequest, VoucherUse, cancel_body, capture_body, redeem_body, voucher_lookup_body, voucher_use_body,
};
pub(crate) use redeem::gift;
pub(crate) use redeem::reward_use;
pub use redeem::{Ask, redeem};
pub use shown::{availability, event, redemption, voucher, voucher_looked_up};
pub use used::{VOUCHER_NOTICE_DAYS, VoucherDecision, remind, use_voucher, voucher_obstacle};

use crate::calendar::Moment;
use crate::draft::Posted;
use crate::entry::{Entry, Use};
use crate::exact::Exact;
use crate::id::{CallerId, MemberId, RedemptionId, RewardId};
use crate::lots::Draw;
use crate::program::{PointValue, RewardKind, Worth};
use serde::{Deserialize, Serialize};

/// A member's claim on a reward.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redemption {
    /// Its id, which follows from the request that made it.
    pub id: RedemptionId,
    /// Grows by one with each change of it; 1 when made.
    pub version: u64,
    /// Whose.
    pub member: MemberId,
    /// Of which reward.
    pub reward: RewardId,
    /// What that was.
    pub kind: RewardKind,
    /// The program version that judged it.
    pub program_version: u32,
    /// As last written: a hold that has lapsed since does not say so. See [`Redemption::status_at`].
    pub status: Status,
    /// Points it took, or set aside; 0 for a gift.
    pub points: i64,
    /// Points spent; fewer than it set aside where only a part was captured.
    pub captured: i64,
    /// What it is worth, where that is a number.
    pub worth: Option<Worth>,
    /// What points were worth, where they pay.
    pub rate: Option<PointValue>,
    /// The share of a purchase that they may pay at the most, in percent.
    pub max_share: Option<Exact>,
    /// When it was made.
    pub created_at: Moment,
    /// From when on it lapses, where its points are set aside.
    pub lapses_at: Option<Moment>,
    /// Out of which lots its points came; after a capture those that were spent. More than 0 each.
    pub taken: Vec<Draw>,
    /// The counter of a limited reward that it moved.
    pub used: Option<Use>,
    /// The stock that a unit was taken out of, as it was in all.
    pub stock: Option<i64>,
    /// When its voucher is good.
    pub voucher: Option<Voucher>,
    /// The order for which it was used.
    pub usage: Option<Usage>,
    /// A digest of the request that made it, to tell a retry from another request.
    pub content: [u8; 16],
    /// The entries that made it, for a retry.
    pub entries: Vec<Entry>,
    /// What has been done about it since: at most a capture and a cancellation.
    pub closings: Vec<Closing>,
}

/// Where a redemption stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    /// Its points are set aside.
    Held,
    /// Its points are spent.
    Fulfilled,
    /// It was called off.
    Cancelled,
    /// Its points were set aside, and nobody spent them in time. Never stored: the date says it.
    Lapsed,
}

/// When a redemption's voucher is good. Its code follows from the redemption's id and is not kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Voucher {
    /// From when on.
    pub valid_from: Moment,
    /// Until when, exclusive.
    pub expires_at: Moment,
    /// When its holder was told that it will expire.
    pub noticed_at: Option<Moment>,
    /// The number of the secret behind its code.
    pub key: u32,
}

/// A request that captured a redemption or called it off, kept so that it is recognised when it comes again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closing {
    /// A digest of the caller and its key.
    pub key: [u8; 16],
    /// A digest of what it asked for.
    pub content: [u8; 16],
    /// Its entries.
    pub entries: Vec<Entry>,
}

/// The order for which a redemption was used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Where the order was made.
    pub channel: CallerId,
    /// Its number there.
    pub order_id: CallerId,
    /// When it was used.
    pub at: Moment,
}

/// What a change of a redemption writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedemptionDecision {
    /// Account, entries and stock.
    pub posted: Posted,
    /// The redemption afterwards.
    pub redemption: Redemption,
}

impl Status {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Status::Held => "held",
            Status::Fulfilled => "fulfilled",
            Status::Cancelled => "cancelled",
            Status::Lapsed => "lapsed",
        }
    }
}

impl Redemption {
    /// Where it stands at a moment.
    #[must_use]
    pub fn status_at(&self, now: Moment) -> Status {
        match (self.status, self.lapses_at) {
            (Status::Held, Some(lapses_at)) if lapses_at <= now => Status::Lapsed,
            (status, _) => status,
        }
    }

    /// It as it was answered to the request that made it.
    #[must_use]
    pub fn as_made(&self) -> Self {
        let status = if self.lapses_at.is_some() { Status::Held } else { Status::Fulfilled };
        let captured = if self.lapses_at.is_some() { 0 } else { self.points };
        let worth = self.rate.map(|rate| Worth::Money(rate.of(self.points))).or(self.worth);
        Self { status, captured, worth, usage: None, ..self.clone() }
    }

    /// It as it was answered to the request with this key, which closed it: that what was captured was used or called off
    /// since does not show.
    #[must_use]
    pub fn as_closed(&self, key: [u8; 16]) -> Self {
        let was_first = self.closings.first().is_some_and(|closing| closing.key == key);
        if was_first && self.lapses_at.is_some() && self.captured > 0 {
            Self { status: Status::Fulfilled, usage: None, ..self.clone() }
        } else {
            self.clone()
        }
    }

    /// The closing that a request made before, by its key.
    #[must_use]
    pub fn closed_by(&self, key: [u8; 16]) -> Option<&Closing> {
        self.closings.iter().find(|closing| closing.key == key)
    }

    /// What comes back to the reward's stock when it is called off.
    fn stock_back(&self) -> Option<StockUse> {
        self.stock.map(|stock| StockUse { reward: self.reward.clone(), stock, units: -1 })
    }
}
