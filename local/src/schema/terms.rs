//! How points live, and what levels are.

use super::{CURRENCY, FACTOR, ID, given};
use schemars::JsonSchema;

/// How the exact points of a purchase become whole ones.
#[derive(Debug, JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum Rounding {
    /// Down.
    Floor,
    /// To the nearest; a half up.
    HalfUp,
    /// To the nearest; a half to the even one.
    HalfEven,
    /// Up.
    Ceil,
}

/// How points live and end.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Points {
    /// Local days until points can be spent, so that returns are over by then. Default: 0, at once.
    #[schemars(range(min = 0, max = 365))]
    pub pending_days: Option<i64>,
    /// How long points live.
    pub expiry: Expiry,
    /// Days before their end at which members are told; points never end without. Default: 0, no notice is owed.
    #[schemars(range(min = 0, max = 365))]
    pub notice_days: Option<i64>,
    /// What becomes of points when purchases are refunded.
    pub clawback: Option<Clawback>,
    /// How many days after it was made a purchase or activity can still be recorded. Default: 30.
    #[schemars(range(min = 0, max = 36500))]
    pub late_purchase_days: Option<i64>,
}

/// How long points live.
#[derive(Debug, JsonSchema)]
#[schemars(untagged)]
pub enum Expiry {
    /// For ever.
    Never(Never),
    /// For so many months.
    Months(ExpiryMonths),
}

/// For ever.
#[derive(Debug, JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum Never {
    Never,
}

/// For so many months after the day of the purchase, to the end of a day or month.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ExpiryMonths {
    /// How many.
    #[schemars(range(min = 1, max = 1200))]
    pub after_months: i64,
    /// Where the end is put. Default: end_of_day.
    pub snap: Option<Snap>,
}

/// Where an end is put.
#[derive(Debug, JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum Snap {
    EndOfDay,
    EndOfMonth,
}

/// What becomes of points when purchases are refunded.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Clawback {
    /// Whether other points are taken where those of the purchase are spent. Default: other_lots.
    pub beyond_lot: Option<BeyondLot>,
    /// Whether what is missing is owed or let go. Default: debt.
    pub shortfall: Option<Shortfall>,
}

/// What is taken beyond the points of the purchase itself.
#[derive(Debug, JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum BeyondLot {
    /// Other points of the member.
    OtherLots,
    /// Nothing.
    Nothing,
}

/// What becomes of points that are not there any more.
#[derive(Debug, JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum Shortfall {
    /// They are owed, and the next points pay them.
    Debt,
    /// They are let go.
    Forgive,
}

/// Status levels and how they are reached.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(extend(
    "if" = {"properties": {"qualify_by": {"const": "spend"}}, "required": ["qualify_by"]},
    "then" = given("currency", &["string"])
))]
pub struct Tiers {
    /// What counts towards a level. Default: points_earned.
    pub qualify_by: Option<QualifyBy>,
    /// The currency of the spend that counts; only where spend qualifies.
    #[schemars(regex(pattern = CURRENCY))]
    pub currency: Option<String>,
    /// In which span it is counted. Default: calendar_year.
    pub period: Option<Period>,
    /// How long a level lasts: always through the period that follows the one in which it was reached.
    pub keep: Option<Keep>,
    /// The levels from the lowest to the highest; the first from 0.
    #[schemars(length(min = 1, max = 20))]
    pub levels: Vec<Level>,
}

/// What counts towards a level.
#[derive(Debug, JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum QualifyBy {
    /// Points earned, spent since or not.
    PointsEarned,
    /// Net spend, in minor units of one currency.
    Spend,
    /// Purchases.
    Visits,
}

/// In which span it is counted.
#[derive(Debug, JsonSchema)]
pub enum Period {
    /// January to December.
    #[schemars(rename = "calendar_year")]
    CalendarYear,
    /// The last twelve whole months, this one included.
    #[schemars(rename = "rolling_12_months")]
    Rolling12Months,
    /// From one anniversary of the enrolment to the next.
    #[schemars(rename = "membership_year")]
    MembershipYear,
    /// For good.
    #[schemars(rename = "lifetime")]
    Lifetime,
}

/// How long a level lasts.
#[derive(Debug, JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum Keep {
    ThroughNextPeriod,
}

/// A status level.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Level {
    /// Its name in answers and conditions.
    #[schemars(regex(pattern = ID))]
    pub id: String,
    /// Points, minor units of spend, or purchases that are needed. Left out, the level is not earned but granted: by an
    /// activity or an operator.
    #[schemars(range(min = 0, max = 1_000_000_000_000_000_i64))]
    pub from: Option<i64>,
    /// By what it multiplies points per amount, as a decimal like "1.25". Default: "1".
    #[schemars(regex(pattern = FACTOR))]
    pub multiply: Option<String>,
    /// What it brings besides points.
    #[schemars(length(max = 50))]
    pub benefits: Option<Vec<Benefit>>,
    /// Points for reaching it, once in a period. Default: 0.
    #[schemars(range(min = 0, max = 1_000_000_000))]
    pub entry_bonus: Option<i64>,
}

/// What a level brings: a key that apps act on, a text for people, or both.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(extend("anyOf" = [given("key", &["string"]), given("text", &["string"])]))]
pub struct Benefit {
    /// For apps: free_shipping, early_access.
    #[schemars(regex(pattern = ID))]
    pub key: Option<String>,
    /// For people.
    #[schemars(length(min = 1, max = 100))]
    pub text: Option<String>,
}
