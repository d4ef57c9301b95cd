//! What of a purchase was paid with points, line by line, and what of that is left.
//!
//! Points and the money that they paid are spread over the lines as bought, in proportion to their nets: each line gets the
//! whole part of its share, and what is then left goes, one by one, to the largest remainders, the earlier line first. Of a
//! line that came back in part, the same part of what paid for it is left, rounded down. So what is left follows from the
//! lines that are left alone, and refunds end the same however they are split.

use super::{Line, Order, Purchase};
use crate::calendar::Moment;
use crate::draft::Draft;
use crate::id::{RedemptionId, RewardId};
use crate::lots::Draw;
use crate::money::Money;
use crate::program::{RewardKind, Worth, most_of};
use crate::redemption::{Redemption, Status, Usage, part};
use crate::refusal::Refusal;
use serde::{Deserialize, Serialize};

/// A redemption that paid for a part of a purchase, with all that giving its points back needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaidWith {
    /// Which.
    pub redemption: RedemptionId,
    /// The reward.
    pub reward: RewardId,
    /// Its points.
    pub points: i64,
    /// What they paid, in minor units of the purchase's currency.
    pub amount: i64,
    /// Out of which lots they came, in the order in which they are spent; more than 0 each.
    pub taken: Vec<Draw>,
}

/// Spreads a whole number in proportion to weights by largest remainder, ties to the earlier; nothing where all weights
/// are 0.
#[must_use]
pub fn spread(total: i64, weights: &[i64]) -> Vec<i64> {
    let sum: i128 = weights.iter().map(|weight| i128::from(*weight)).sum();
    if sum == 0 {
        return vec![0; weights.len()];
    }
    let product = |weight: i64| i128::from(total) * i128::from(weight);
    let mut shares: Vec<i128> = weights.iter().map(|weight| product(*weight) / sum).collect();
    let left = i128::from(total) - shares.iter().sum::<i128>();
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by_key(|place| weights.get(*place).map(|weight| -(product(*weight) % sum)));
    for place in order.into_iter().take(usize::try_from(left).unwrap_or(0)) {
        if let Some(share) = shares.get_mut(place) {
            *share += 1;
        }
    }
    shares.into_iter().map(|share| i64::try_from(share).unwrap_or(0)).collect()
}

/// The part of a share that is left with so much of a line, rounded down.
fn left_of(share: i64, left: i64, of: i64) -> i64 {
    let exact = i128::from(share) * i128::from(left) / i128::from(of.max(1));
    i64::try_from(exact).unwrap_or(share)
}

impl Purchase {
    fn nets(&self) -> Vec<i64> {
        self.lines.iter().map(|line| line.bought.net).collect()
    }

    /// What of a share that is spread over the lines is left in each of them.
    fn spread_left(&self, total: i64) -> impl Iterator<Item = i64> {
        let shares = spread(total, &self.nets());
        self.lines.iter().zip(shares).map(|(line, share)| {
            let left = if line.quantity_left > 0 { line.net_left } else { 0 };
            left_of(share, left, line.bought.net)
        })
    }

    /// What of each line's net is left and was paid with money: what points are earned for.
    #[must_use]
    pub fn money_left(&self) -> Vec<i64> {
        if self.paid.is_empty() {
            return self.lines.iter().map(|line| line.net_left).collect();
        }
        let paid = self.paid.iter().fold(0_i64, |sum, paid| sum.saturating_add(paid.amount));
        self.lines.iter().zip(self.spread_left(paid)).map(|(line, paid)| line.net_left - paid).collect()
    }

    /// Each line with what of its net is left and was paid with money.
    #[must_use]
    pub fn lines_and_money(&self) -> Vec<(&Line, i64)> {
        self.lines.iter().zip(self.money_left()).collect()
    }

    /// Whether something of it is left, and all of that was paid with points: then it earns nothing.
    #[must_use]
    pub fn is_paid_with_points_alone(&self) -> bool {
        let left = self.lines.iter().any(|line| line.quantity_left > 0 && line.net_left > 0);
        !self.paid.is_empty() && left && self.money_left().iter().all(|money| *money == 0)
    }

    /// What of it, as bought, was paid with points; none if nothing was.
    #[must_use]
    pub fn paid_in_all(&self) -> Option<Money> {
        let amount = self.paid.iter().fold(0_i64, |sum, paid| sum.saturating_add(paid.amount));
        (amount > 0).then_some(Money { amount, currency: self.currency })
    }

    /// Of each redemption that paid, the points that are left in the purchase.
    #[must_use]
    pub fn points_left(&self) -> Vec<i64> {
        let left = |paid: &PaidWith| self.spread_left(paid.points).fold(0_i64, i64::saturating_add);
        self.paid.iter().map(left).collect()
    }
}

impl PaidWith {
    /// The draws that come back when of its points only so many are left, and before so many were: those that were taken
    /// first stay spent the longest.
    #[must_use]
    pub fn coming_back(&self, before: i64, after: i64) -> Vec<Draw> {
        part(&part(&self.taken, before).0, after).1
    }
}

/// Marks redemptions as having paid for a purchase, each for one and only one.
///
/// # Errors
/// [`Refusal::BadPayment`] for those that are not the member's, pay nothing, are not fulfilled, paid for another order or
/// in another currency, or pay more than the purchase costs.
pub(super) fn pay(purchase: &mut Purchase, order: &Order, draft: &Draft<'_>) -> Result<Vec<Redemption>, Refusal> {
    let (member, now, named) = (draft.account().member, draft.now(), &order.paid_with);
    let (mut bad, mut used, mut left) = (Vec::new(), Vec::new(), purchase.net_bought());
    for (place, id) in named.iter().enumerate() {
        let known = draft.redemptions().iter().find(|redemption| redemption.id == *id && redemption.member == member);
        let doubled = named.iter().take(place).any(|other| other == id);
        match known.filter(|_| !doubled).ok_or("is no redemption of this member").and_then(|known| {
            let amount = amount_for(purchase, known, now)?;
            left = left.checked_sub(amount).filter(|left| *left >= 0).ok_or("pays more than the purchase costs")?;
            Ok((known, amount))
        }) {
            Ok((redemption, amount)) => {
                purchase.paid.push(PaidWith {
                    redemption: *id,
                    reward: redemption.reward.clone(),
                    points: redemption.captured,
                    amount,
                    taken: redemption.taken.clone(),
                });
                let (channel, order_id) = (purchase.channel.clone(), purchase.order_id.clone());
                let usage = redemption.usage.clone().or(Some(Usage { channel, order_id, at: now }));
                used.push(Redemption { version: redemption.version + 1, usage, ..redemption.clone() });
            }
            Err(why) => bad.push((place, why)),
        }
    }
    // What the reward allows of a basket counts for all that paid together.
    let paid = purchase.net_bought() - left;
    let place_of = |redemption: &Redemption| named.iter().position(|id| *id == redemption.id);
    let beyond = used.iter().filter(|used| paid > most_of(used.max_share, purchase.net_bought()));
    bad.extend(beyond.filter_map(place_of).map(|place| (place, "pays more than its share of the purchase")));
    if bad.is_empty() { Ok(used) } else { Err(Refusal::BadPayment { at: bad }) }
}

fn amount_for(purchase: &Purchase, redemption: &Redemption, now: Moment) -> Result<i64, &'static str> {
    let other_order = redemption
        .usage
        .as_ref()
        .is_some_and(|usage| usage.channel != purchase.channel || usage.order_id != purchase.order_id);
    match (redemption.kind, redemption.worth, redemption.status_at(now)) {
        (RewardKind::PayWithPoints, Some(Worth::Money(_)), Status::Fulfilled) if other_order => {
            Err("has paid for another order")
        }
        (RewardKind::PayWithPoints, Some(Worth::Money(money)), Status::Fulfilled) => {
            if money.currency == purchase.currency { Ok(money.amount) } else { Err("pays in another currency") }
        }
        (RewardKind::PayWithPoints, Some(_), Status::Held) => Err("is held: capture it first"),
        (RewardKind::PayWithPoints, Some(_), Status::Cancelled | Status::Lapsed) => Err("was called off or has lapsed"),
        (_, _, _) => Err("is not of a reward with which points pay"),
    }
}
