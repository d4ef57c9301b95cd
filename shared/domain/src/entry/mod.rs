//! Ledger entries: immutable facts from which an account can be rebuilt, with the arithmetic that made them.

mod kind;
mod reason;

pub use kind::{Contra, Kind};
pub use reason::Reason;

use crate::calendar::{Moment, Per};
use crate::goal::Progress;
use crate::id::{CallerId, EntryId, LevelId, MemberId, RedemptionId, RewardId, RuleId};
use crate::lots::Draw;
use crate::pass::Pass;
use crate::redemption::{Redeeming, RedemptionEffect};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use ulid::Ulid;

/// One line of a member's ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// 1 for the first of a member, without gaps.
    pub seq: u64,
    /// What happened.
    pub kind: Kind,
    /// Signed change of the member's position.
    pub points: i64,
    /// The position afterwards.
    pub balance_after: Balance,
    /// How much of a credit paid a debt.
    pub debt_repaid: i64,
    /// What it put into lots and took out of them.
    pub draws: Vec<Draw>,
    /// The fact behind it.
    pub cause: Cause,
    /// The program version that judged it.
    pub program_version: u32,
    /// How its number came about.
    pub explanation: Vec<Reason>,
    /// Business time.
    pub occurred_at: Moment,
    /// Ledger time.
    pub recorded_at: Moment,
    /// Who asked for it; `system` for what fell due.
    pub actor: String,
    /// What else it changed.
    pub effects: Effects,
}

/// Changes of an account besides points.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effects {
    /// Qualifying units by the first day of their period.
    pub units: Option<(i32, i64)>,
    /// Uses of limited rules, +1 or −1 each.
    pub uses: Vec<(Use, i32)>,
    /// Whether the first purchase is taken, if that changed.
    pub first_purchase: Option<bool>,
    /// The new level, from `occurred_at` on.
    pub level: Option<LevelId>,
    /// The lots whose notice this is, with what they held.
    pub noticed: Vec<Draw>,
    /// What it does to points set aside or spent on a reward.
    pub redemption: Option<RedemptionEffect>,
    /// How far the member is with goals that it moved, from then on.
    pub progress: Vec<Progress>,
    /// A badge given, or taken away again.
    pub badge: Option<(CallerId, bool)>,
    /// Levels and tags granted for a time, or for another time than before.
    pub passes: Vec<Pass>,
    /// The level whose entry bonus this is, and the day under which the period's units are counted.
    pub entry_bonus: Option<(LevelId, i32)>,
}

/// What a counter of a limited rule counts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Use {
    /// The rule.
    pub rule: RuleId,
    /// The length of its period.
    pub per: Per,
    /// The first day of the period, as a day number.
    pub start: i32,
}

/// A member's position.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balance {
    /// Can be spent.
    pub available: i64,
    /// Not active yet.
    pub pending: i64,
    /// Set aside for redemptions.
    pub held: i64,
    /// Owed after clawbacks.
    pub debt: i64,
}

/// The fact behind an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cause {
    /// The member joined.
    Enrolment,
    /// A purchase.
    Purchase {
        /// Where it was made.
        channel: CallerId,
        /// Its number there.
        order_id: CallerId,
    },
    /// A refund of a purchase.
    Refund {
        /// Where the purchase was made.
        channel: CallerId,
        /// Its number there.
        order_id: CallerId,
        /// The refund's own number.
        refund_id: CallerId,
    },
    /// An operator's correction.
    Adjustment {
        /// The operator's word for why.
        reason: String,
    },
    /// A date that has come.
    Due,
    /// The member's data were erased.
    Erasure,
    /// A member's claim on a reward.
    Redemption {
        /// Which.
        redemption: RedemptionId,
        /// The reward.
        reward: RewardId,
    },
    /// Something that the member did.
    Activity {
        /// Who tells of it.
        source: CallerId,
        /// Its number there.
        activity_id: CallerId,
        /// What it was.
        kind: CallerId,
    },
    /// A goal was reached, or is not any more.
    Goal {
        /// Which.
        goal: RuleId,
    },
    /// A level was reached.
    Level {
        /// Which.
        level: LevelId,
    },
}

impl Entry {
    /// Where its points come from or go to: its kind's side, but for points that come back when they were spent already.
    #[must_use]
    pub fn contra(&self) -> Contra {
        match &self.effects.redemption {
            Some(RedemptionEffect { change: Redeeming::Returned, .. }) => Contra::Redeemed,
            Some(_) | None => self.kind.contra(),
        }
    }

    /// The entry's id: its ledger time and a digest of member and number, so that it needs no room and no randomness,
    /// and is the same whoever computes it.
    #[must_use]
    pub fn id(&self, member: MemberId) -> EntryId {
        let mut digest = Sha256::new();
        digest.update(member.ulid().to_bytes());
        digest.update(self.seq.to_be_bytes());
        let mut random = [0_u8; 16];
        for (to, from) in random.iter_mut().skip(6).zip(digest.finalize()) {
            *to = from;
        }
        let millis = u64::try_from(self.recorded_at.millis()).unwrap_or(0);
        EntryId::new(Ulid::from_parts(millis, u128::from_be_bytes(random)))
    }
}
