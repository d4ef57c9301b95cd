//! What a program offers besides earning.

use super::condition::Condition;
use super::earning::{Limit, Money};
use super::{CURRENCY, DATE, DECIMAL, ID, given};
use schemars::JsonSchema;

/// What points buy.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(extend("allOf" = [
    {
        "if": {"properties": {"kind": {"const": "pay_with_points"}}, "required": ["kind"]},
        "then": given("value", &["object", "array"]),
        "else": given("points", &["integer"])
    },
    {
        "if": {"properties": {"settle": {"const": "hold"}}, "required": ["settle"]},
        "then": given("hold_minutes", &["integer"])
    }
]))]
pub struct Reward {
    /// Its name in requests.
    #[schemars(regex(pattern = ID))]
    pub id: String,
    /// Its name for people.
    #[schemars(length(min = 1, max = 100))]
    pub name: String,
    /// What it is.
    pub kind: RewardKind,
    /// Its price. Not where points pay an amount.
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub points: Option<i64>,
    /// Whether points are spent at once or set aside first.
    pub settle: Settle,
    /// For how many minutes they are set aside.
    #[schemars(range(min = 1, max = 527_040))]
    pub hold_minutes: Option<i64>,
    /// How many are ever given, through all versions. Default: any number.
    #[schemars(range(min = 0, max = 1_000_000_000))]
    pub stock: Option<i64>,
    /// How often one member can have it.
    pub limit: Option<Limit>,
    /// For how many days its voucher is good. Default: it has none.
    #[schemars(range(min = 1, max = 3660))]
    pub voucher_days: Option<i64>,
    /// After how many local days its voucher begins to be good. Default: 0, at once.
    #[schemars(range(min = 0, max = 3660))]
    pub voucher_from_days: Option<i64>,
    /// What points are worth where they pay an amount: in one currency, or in each of several.
    pub value: Option<Value>,
    /// The least that pays, in points.
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub minimum: Option<i64>,
    /// Points pay in multiples of this.
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub step: Option<i64>,
    /// The share of a basket that points may pay, in percent: a decimal like "50", above 0 and up to 100.
    #[schemars(regex(pattern = DECIMAL))]
    pub max_share: Option<String>,
    /// What a discount or gift card is worth.
    pub amount: Option<Money>,
    /// What a discount takes off, in percent: a decimal like "12.5", above 0 and up to 100.
    #[schemars(regex(pattern = DECIMAL))]
    pub percent: Option<String>,
    /// Who gets it, and on which weekdays and times: clauses about purchases and activities have no meaning here.
    /// Default: everybody, always.
    pub when: Option<Condition>,
    /// The first day on which it is offered, in the program's zone.
    #[schemars(regex(pattern = DATE))]
    pub from: Option<String>,
    /// The first day on which it is not offered any more.
    #[schemars(regex(pattern = DATE))]
    pub until: Option<String>,
}

/// What points are worth.
#[derive(Debug, JsonSchema)]
#[schemars(untagged)]
pub enum Value {
    /// In one currency.
    One(PointValue),
    /// In several, each once.
    Each(#[schemars(length(min = 1, max = 200))] Vec<PointValue>),
}

/// The kinds of rewards.
#[derive(Debug, JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum RewardKind {
    Product,
    DiscountAmount,
    DiscountPercent,
    FreeShipping,
    GiftCard,
    Experience,
    Donation,
    PayWithPoints,
}

/// When points are spent.
#[derive(Debug, JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum Settle {
    /// At once.
    Immediately,
    /// When the redemption is captured.
    Hold,
}

/// What points are worth in a currency.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct PointValue {
    /// So many points …
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub points: i64,
    /// … are worth so many minor units …
    #[schemars(range(min = 1, max = 1_000_000_000_000_000_i64))]
    pub amount: i64,
    /// … of this currency.
    #[schemars(regex(pattern = CURRENCY))]
    pub currency: String,
}

/// What bringing a friend earns.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Referral {
    /// For who brings.
    #[schemars(range(min = 0, max = 1_000_000_000))]
    pub advocate_points: i64,
    /// For who is brought.
    #[schemars(range(min = 0, max = 1_000_000_000))]
    pub friend_points: i64,
    /// What the friend must spend in one purchase.
    pub qualifying_amount: Money,
    /// Days until the points can be spent. Default: 0.
    #[schemars(range(min = 0, max = 365))]
    pub mature_days: Option<i64>,
    /// How many friends count.
    pub limit: Option<Limit>,
}

/// What a birthday earns.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Birthday {
    /// How many points.
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub points: i64,
    /// How many days before the day. Default: 0.
    #[schemars(range(min = 0, max = 60))]
    pub days_before: Option<i64>,
    /// When those born on 29 February celebrate in common years. Default: feb28.
    pub feb29: Option<Feb29>,
    /// Members for fewer days get none. Default: 0.
    #[schemars(range(min = 0, max = 3660))]
    pub minimum_membership_days: Option<i64>,
}

/// When those born on 29 February celebrate in common years.
#[derive(Debug, JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum Feb29 {
    Feb28,
    Mar1,
}
