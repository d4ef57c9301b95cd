//! Points set aside: what an account remembers of them, and how entries change that.

use crate::account::Account;
use crate::calendar::Moment;
use crate::entry::{Cause, Entry, Kind, Use};
use crate::id::{RedemptionId, RewardId};
use crate::lots::Draw;
use serde::{Deserialize, Serialize};

/// The most redemptions of a member that wait for their end at one time.
pub const MOST_HOLDS: usize = 10;
/// Days for which counters of past periods are kept: wherever the member lives, the period is over by then.
const COUNTERS_KEPT_DAYS: i64 = 3;

/// What an entry does for a redemption.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RedemptionEffect {
    /// What happens to its points.
    pub change: Redeeming,
    /// The counter of a limited reward that moves, +1 or −1.
    pub used: Option<(Use, i32)>,
}

/// What happens to the points of a redemption.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Redeeming {
    /// They are set aside.
    SetAside {
        /// Until when.
        lapses_at: Moment,
        /// The stock that a unit was taken out of, as it was in all.
        stock: Option<i64>,
    },
    /// So many that were set aside are spent; the first that were taken out of lots.
    Captured {
        /// How many.
        points: i64,
    },
    /// What is still set aside comes back.
    GivenBack,
    /// They are spent at once.
    Spent,
    /// Points that were spent come back.
    Returned,
}

/// Points set aside for a redemption. It holds all that lapsing needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// For which.
    pub redemption: RedemptionId,
    /// Of which reward.
    pub reward: RewardId,
    /// From when on they are not set aside any more.
    pub lapses_at: Moment,
    /// Out of which lots, in the order in which they are spent; more than 0 each.
    pub taken: Vec<Draw>,
    /// The counter of a limited reward that it moved.
    pub used: Option<Use>,
    /// The stock that a unit was taken out of, as it was in all.
    pub stock: Option<i64>,
}

/// Units taken out of a reward's stock, or brought back to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockUse {
    /// The reward.
    pub reward: RewardId,
    /// What its stock is in all, in the version under which the unit was taken.
    pub stock: i64,
    /// Above 0 taken, below 0 brought back.
    pub units: i64,
}

/// The open holds of an account, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holds(Vec<Hold>);

impl Hold {
    /// How many points.
    #[must_use]
    pub fn points(&self) -> i64 {
        points(&self.taken)
    }

    /// What comes back to the reward's stock when it ends without being spent.
    #[must_use]
    pub fn stock_back(&self) -> Option<StockUse> {
        self.stock.map(|stock| StockUse { reward: self.reward.clone(), stock, units: -1 })
    }
}

impl Holds {
    /// The holds, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Hold> {
        self.0.iter()
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// That of a redemption.
    #[must_use]
    pub fn of(&self, redemption: RedemptionId) -> Option<&Hold> {
        self.0.iter().find(|hold| hold.redemption == redemption)
    }

    /// Units of a reward's stock that holds which have lapsed will bring back when they are settled.
    #[must_use]
    pub fn units_coming_back(&self, reward: &RewardId, now: Moment) -> i64 {
        let lapsed = self.0.iter().filter(|hold| hold.lapses_at <= now && hold.stock.is_some());
        lapsed.filter(|hold| hold.reward == *reward).fold(0, |units, _| units + 1)
    }

    /// When the next one lapses.
    #[must_use]
    pub fn next_lapse(&self) -> Option<Moment> {
        self.0.iter().map(|hold| hold.lapses_at).min()
    }
}

/// The sum of draws.
pub(super) fn points(draws: &[Draw]) -> i64 {
    draws.iter().fold(0, |sum, draw| sum.saturating_add(draw.points))
}

/// Parts draws after so many points: those points, and the rest.
#[must_use]
pub(crate) fn part(draws: &[Draw], points: i64) -> (Vec<Draw>, Vec<Draw>) {
    let (mut first, mut rest, mut left) = (Vec::new(), Vec::new(), points);
    for draw in draws {
        let here = draw.points.min(left);
        left -= here;
        first.push(Draw { points: here, ..*draw });
        rest.push(Draw { points: draw.points - here, ..*draw });
    }
    for draws in [&mut first, &mut rest] {
        draws.retain(|draw| draw.points > 0);
    }
    (first, rest)
}

impl Account {
    /// How often a limited reward served the member in a period.
    #[must_use]
    pub fn times_redeemed(&self, of: &Use) -> u32 {
        self.reward_uses.iter().find(|(other, _)| other == of).map_or(0, |(_, times)| *times)
    }

    /// Carries out what an entry does for a redemption.
    pub(crate) fn redeem(&mut self, entry: &Entry) -> Result<(), &'static str> {
        let redeems = matches!(entry.kind, Kind::Hold | Kind::Redeem | Kind::Release);
        let Some(effect) = &entry.effects.redemption else {
            return if redeems { Err("does not say what it redeems") } else { Ok(()) };
        };
        match (&effect.change, entry.kind) {
            (Redeeming::SetAside { lapses_at, stock }, Kind::Hold) => {
                let Cause::Redemption { redemption, reward } = &entry.cause else { return Err("holds for nothing") };
                let taken = entry.draws.iter().map(|draw| Draw { lot: draw.lot, points: -draw.points }).collect();
                self.move_held(-entry.points)?;
                self.holds.0.push(Hold {
                    redemption: *redemption,
                    reward: reward.clone(),
                    lapses_at: *lapses_at,
                    taken,
                    used: effect.used.as_ref().map(|(of, _)| of.clone()),
                    stock: *stock,
                });
            }
            (Redeeming::Captured { points }, Kind::Redeem) => {
                let hold = self.hold_of(entry)?;
                if entry.points != 0 || *points < 1 || *points > hold.points() {
                    return Err("captures what is not held");
                }
                hold.taken = part(&hold.taken, *points).1;
                self.holds.0.retain(|hold| !hold.taken.is_empty());
                self.move_held(-points)?;
                self.move_redeemed(*points)?;
            }
            (Redeeming::GivenBack, Kind::Release) => {
                let hold = self.hold_of(entry)?;
                let (ended, points) = (hold.redemption, hold.points());
                if entry.points != points {
                    return Err("releases another sum than is held");
                }
                self.holds.0.retain(|hold| hold.redemption != ended);
                self.move_held(-points)?;
            }
            (Redeeming::Spent, Kind::Redeem) | (Redeeming::Returned, Kind::Release) => {
                self.move_redeemed(entry.points.checked_neg().ok_or("sums overflow")?)?;
            }
            (_, _) => return Err("is of a kind that does not do this"),
        }
        match &effect.used {
            Some((of, by)) => self.count_reward(of, *by),
            None => Ok(()),
        }
    }

    fn hold_of(&mut self, entry: &Entry) -> Result<&mut Hold, &'static str> {
        let Cause::Redemption { redemption, .. } = &entry.cause else { return Err("is about no redemption") };
        self.holds.0.iter_mut().find(|hold| hold.redemption == *redemption).ok_or("is about a hold that is not there")
    }

    fn move_held(&mut self, by: i64) -> Result<(), &'static str> {
        self.held = self.held.checked_add(by).filter(|held| *held >= 0).ok_or("sums overflow")?;
        Ok(())
    }

    fn move_redeemed(&mut self, by: i64) -> Result<(), &'static str> {
        self.lifetime.redeemed = self.lifetime.redeemed.checked_add(by).ok_or("sums overflow")?;
        Ok(())
    }

    fn count_reward(&mut self, of: &Use, by: i32) -> Result<(), &'static str> {
        let times = self.times_redeemed(of).checked_add_signed(by).ok_or("sums overflow")?;
        self.reward_uses.retain(|(other, _)| other != of);
        if times > 0 {
            let place = self.reward_uses.partition_point(|(other, _)| other < of);
            self.reward_uses.insert(place, (of.clone(), times));
        }
        Ok(())
    }

    /// Forgets counters of rewards of periods that are over.
    pub(crate) fn forget_rewards(&mut self, now: Moment) {
        let date = now.plus_days(-COUNTERS_KEPT_DAYS).utc_date();
        self.reward_uses.retain(|(of, _)| of.per.start(date) <= of.start);
    }
}
