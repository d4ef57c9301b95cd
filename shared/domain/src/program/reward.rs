//! What points buy.

use super::Limit;
use super::condition::Condition;
use crate::calendar::Moment;
use crate::exact::{Exact, Rounding};
use crate::id::RewardId;
use crate::money::{Currency, Money};
use serde::{Deserialize, Serialize};

/// Something that points buy.
#[derive(Debug, Clone, PartialEq)]
pub struct Reward {
    /// Its name in requests; stock and limits are counted under it through versions.
    pub id: RewardId,
    /// Its name for people.
    pub name: String,
    /// What it is.
    pub kind: RewardKind,
    /// Its price in points; none where points pay an amount.
    pub points: Option<i64>,
    /// Whether it is spent at once or set aside first.
    pub settle: Settle,
    /// How long points are set aside, in minutes; there where they are held.
    pub hold_minutes: Option<i64>,
    /// How many were ever offered.
    pub stock: Option<i64>,
    /// How often per member.
    pub limit: Option<Limit>,
    /// For how many days its voucher is good; without it there is none.
    pub voucher_days: Option<i64>,
    /// After how many local days its voucher begins to be good; 0 is at once.
    pub voucher_from_days: i64,
    /// What points are worth when they pay, at most once for each currency.
    pub value: Vec<PointValue>,
    /// The least that pays, in points.
    pub minimum: Option<i64>,
    /// Points pay in multiples of this.
    pub step: Option<i64>,
    /// The share of a basket that points may pay, in percent.
    pub max_share: Option<Exact>,
    /// What a discount or gift card is worth.
    pub worth: Option<Worth>,
    /// Who gets it, and on which weekdays and times; everybody and always, if left out.
    pub when: Option<Condition>,
    /// From when on: the first instant of a local day of the program.
    pub from: Option<Moment>,
    /// Until when, exclusive.
    pub until: Option<Moment>,
}

/// The kinds of rewards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RewardKind {
    /// A thing.
    Product,
    /// An amount off.
    DiscountAmount,
    /// A share off.
    DiscountPercent,
    /// No charge for delivery.
    FreeShipping,
    /// Account credit.
    GiftCard,
    /// An event, early access.
    Experience,
    /// A gift to others.
    Donation,
    /// Points pay for a part of a purchase.
    PayWithPoints,
}

/// When a redemption is final.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settle {
    /// At once.
    Immediately,
    /// At capture.
    Hold,
}

/// The worth of points when they pay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PointValue {
    /// So many points …
    pub points: i64,
    /// … are worth this much.
    pub money: Money,
}

/// What a discount, a gift card or points that pay are worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Worth {
    /// An amount.
    Money(Money),
    /// A share of a price, in percent.
    Percent(Exact),
}

impl RewardKind {
    /// The words of the program document.
    pub const WORDS: &'static [(&'static str, RewardKind)] = &[
        ("product", RewardKind::Product),
        ("discount_amount", RewardKind::DiscountAmount),
        ("discount_percent", RewardKind::DiscountPercent),
        ("free_shipping", RewardKind::FreeShipping),
        ("gift_card", RewardKind::GiftCard),
        ("experience", RewardKind::Experience),
        ("donation", RewardKind::Donation),
        ("pay_with_points", RewardKind::PayWithPoints),
    ];

    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, kind)| *kind == self).map_or("", |(word, _)| word)
    }
}

impl Reward {
    /// Whether points pay an amount, and the request says how many.
    #[must_use]
    pub fn pays(&self) -> bool {
        self.kind == RewardKind::PayWithPoints
    }

    /// What points are worth in a currency, if they pay in it.
    #[must_use]
    pub fn value_in(&self, currency: Currency) -> Option<PointValue> {
        self.value.iter().copied().find(|value| value.money.currency == currency)
    }

    /// The fewest points that it takes: its price, or the least that pays.
    #[must_use]
    pub fn least_points(&self) -> i64 {
        let step = self.step.unwrap_or(1).max(1);
        let least = self.minimum.unwrap_or(1).max(1);
        // The least multiple of the step that is worth a minor unit in some currency.
        let worth = self.value.iter().map(|value| value.least_points()).min().unwrap_or(1);
        self.points.unwrap_or_else(|| least.max(worth).saturating_add(step - 1) / step * step)
    }

    /// The most of a basket that points may pay, in minor units, rounded down.
    #[must_use]
    pub fn most_of(&self, basket: i64) -> i64 {
        most_of(self.max_share, basket)
    }
}

/// The most of a basket that points may pay under a share in percent, in minor units, rounded down; all without one.
#[must_use]
pub fn most_of(share: Option<Exact>, basket: i64) -> i64 {
    let most = share.and_then(|percent| {
        percent.times(Exact::whole(basket))?.times(Exact::fraction(1, 100)?)?.rounded(Rounding::Floor)
    });
    most.unwrap_or(basket).min(basket)
}

impl PointValue {
    /// What so many points are worth, rounded down to the minor unit.
    #[must_use]
    pub fn of(&self, points: i64) -> Money {
        let exact = i128::from(points) * i128::from(self.money.amount) / i128::from(self.points.max(1));
        Money { amount: i64::try_from(exact).unwrap_or(i64::MAX), currency: self.money.currency }
    }

    /// The fewest points that are worth a minor unit.
    fn least_points(&self) -> i64 {
        let amount = self.money.amount.max(1);
        self.points.saturating_add(amount - 1) / amount
    }
}
