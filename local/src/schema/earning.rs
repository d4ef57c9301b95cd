//! What members earn points for, and what they can reach.

use super::condition::Condition;
use super::{CURRENCY, DATE, DECIMAL, FACTOR, ID, MOMENT, given};
use schemars::JsonSchema;
use std::collections::BTreeMap;

/// How a purchase, an activity or an enrolment becomes points; or, with a goal, what several of them add up to.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(extend(
    "anyOf" = [given("award", &["object"]), given("grants", &["object"])],
    "if" = {"properties": {"on": {"const": "activity"}}, "required": ["on"]},
    "then" = given("activity", &["string"])
))]
pub struct EarningRule {
    /// Its name. Counters, budgets and progress are kept under it from version to version.
    #[schemars(regex(pattern = ID))]
    pub id: String,
    /// What sets it off.
    pub on: On,
    /// The type of the activity, where one sets it off.
    #[schemars(regex(pattern = ID))]
    pub activity: Option<String>,
    /// When it applies. Default: always.
    pub when: Option<Condition>,
    /// What it gives. Can be left out beside grants.
    pub award: Option<Award>,
    /// The first day on which it applies, in the program's zone.
    #[schemars(regex(pattern = DATE))]
    pub from: Option<String>,
    /// The first day on which it does not apply any more.
    #[schemars(regex(pattern = DATE))]
    pub until: Option<String>,
    /// How often it serves one member.
    pub limit: Option<Limit>,
    /// What it gives to all members together.
    pub budget: Option<Budget>,
    /// Makes it a challenge, stamp card or streak: what it gives is given when the goal is reached.
    pub goal: Option<Goal>,
    /// What an activity brings for a time: a level or a tag.
    pub grants: Option<Grants>,
}

/// What sets a rule off.
#[derive(Debug, JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum On {
    Purchase,
    Activity,
    Enrolment,
}

/// What a rule gives: exactly one of these.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(extend("oneOf" = [
    given("per_amount", &["object"]), given("multiply", &["string"]), given("points", &["integer"]),
    given("badge", &["string"]), given("reward", &["string"])
]))]
pub struct Award {
    /// Points in proportion to what the selected lines cost.
    pub per_amount: Option<PerAmount>,
    /// Multiplies what points per amount gave the selected lines, by a decimal like "1.5" of at most 1000. Several
    /// multiply together.
    #[schemars(regex(pattern = FACTOR))]
    pub multiply: Option<String>,
    /// So many points, once, whatever is bought; never multiplied.
    #[schemars(range(min = 0, max = 1_000_000_000))]
    pub points: Option<i64>,
    /// A badge to show. Only for a goal.
    #[schemars(regex(pattern = ID))]
    pub badge: Option<String>,
    /// A reward of this program with voucher_days and without stock, as a voucher. Only for a goal.
    #[schemars(regex(pattern = ID))]
    pub reward: Option<String>,
}

/// Points in proportion to an amount.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct PerAmount {
    /// So many points, as a decimal like "1" or "0.5", …
    #[schemars(regex(pattern = DECIMAL))]
    pub points: String,
    /// … per so many minor units.
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub amount: i64,
    /// Of this currency.
    #[schemars(regex(pattern = CURRENCY))]
    pub currency: String,
}

/// How often something serves one member.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Limit {
    /// So many times …
    #[schemars(range(min = 1, max = 1_000_000))]
    pub times: i64,
    /// … in each such span, local to the member.
    pub per: Per,
}

/// A span of local time.
#[derive(Debug, JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum Per {
    Day,
    /// From Monday on.
    Week,
    Month,
    Year,
    Ever,
}

/// What a campaign gives in all.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Budget {
    /// Points over all members; never overdrawn.
    #[schemars(range(min = 1, max = 1_000_000_000_000_000_i64))]
    pub points: i64,
}

/// What must be reached.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Goal {
    /// How many.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub count: i64,
    /// Of what.
    pub of: GoalOf,
    /// Within so many days of the first that counts.
    #[schemars(range(min = 1, max = 3660))]
    pub within_days: Option<i64>,
    /// Counts local days, weeks or months in a row with at least one.
    pub streak: Option<StreakPace>,
    /// Whether it can be reached again and again. Default: false.
    pub repeat: Option<bool>,
}

/// What a goal counts, of what its when selects.
#[derive(Debug, JsonSchema)]
pub enum GoalOf {
    #[schemars(rename = "purchases")]
    Purchases,
    #[schemars(rename = "activities")]
    Activities,
    #[schemars(rename = "units of selected lines")]
    UnitsOfSelectedLines,
    /// Short for: units of selected lines.
    #[schemars(rename = "units")]
    Units,
}

/// The pace of a streak.
#[derive(Debug, JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum StreakPace {
    Day,
    Week,
    Month,
}

/// What an activity brings for a time: exactly one of tier and tag.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(extend("oneOf" = [given("tier", &["string"]), given("tag", &["string"])]))]
pub struct Grants {
    /// A level of this program, as long as it is paid for.
    #[schemars(regex(pattern = ID))]
    pub tier: Option<String>,
    /// A tag that conditions look at.
    #[schemars(length(min = 1, max = 64))]
    pub tag: Option<String>,
    /// For so many local days, after what is granted already.
    #[schemars(range(min = 1, max = 3660))]
    pub days: i64,
    /// The attribute of the activity that names the first day (yyyy-mm-dd), where the member chooses it; only for a tag.
    #[schemars(length(min = 1, max = 64))]
    pub on: Option<String>,
}

/// An amount in minor units.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Money {
    /// Minor units: 1999 is 19.99 in EUR.
    #[schemars(range(min = 0, max = 1_000_000_000_000_000_i64))]
    pub amount: i64,
    /// ISO 4217.
    #[schemars(regex(pattern = CURRENCY))]
    pub currency: String,
}

/// A purchase or an activity with what it must come to.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(extend("oneOf" = [given("purchase", &["object"]), given("activity", &["object"])]))]
pub struct Example {
    /// What it shows.
    #[schemars(length(min = 1, max = 100))]
    pub name: Option<String>,
    /// A purchase, as POST /v1/purchases takes it, without member.
    pub purchase: Option<Purchase>,
    /// An activity, as POST /v1/activities takes it, without member.
    pub activity: Option<Activity>,
    /// Whom it happens to. Default: somebody who enrolled today, on the lowest level, without tags.
    pub member: Option<ExampleMember>,
    /// What it must come to. Limits and budgets are as yet unused, and goals do not count.
    pub expect: Expect,
}

/// A purchase.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Purchase {
    /// Where it was made.
    #[schemars(regex(pattern = ID))]
    pub channel: String,
    /// Its number there.
    #[schemars(regex(pattern = ID))]
    pub order_id: Option<String>,
    /// When it was made, with an offset.
    #[schemars(regex(pattern = MOMENT))]
    pub occurred_at: String,
    /// ISO 4217.
    #[schemars(regex(pattern = CURRENCY))]
    pub currency: String,
    /// The store.
    #[schemars(length(min = 1, max = 64))]
    pub store: Option<String>,
    /// What was bought.
    #[schemars(length(min = 1, max = 1000))]
    pub lines: Vec<Line>,
}

/// A line of a purchase.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Line {
    /// Unique within the purchase.
    #[schemars(regex(pattern = ID))]
    pub line_id: String,
    /// The product.
    #[schemars(length(min = 1, max = 64))]
    pub sku: Option<String>,
    /// Its categories.
    #[schemars(length(max = 20), inner(length(min = 1, max = 64)))]
    pub categories: Option<Vec<String>>,
    /// How many.
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub quantity: i64,
    /// What the customer pays for the whole line, in minor units.
    #[schemars(range(min = 0, max = 1_000_000_000_000_000_i64))]
    pub net_amount: i64,
}

/// An activity.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Activity {
    /// Who tells of it.
    #[schemars(regex(pattern = ID))]
    pub source: Option<String>,
    /// Its number there.
    #[schemars(regex(pattern = ID))]
    pub activity_id: Option<String>,
    /// What it is.
    #[schemars(regex(pattern = ID))]
    pub r#type: String,
    /// When it happened, with an offset.
    #[schemars(regex(pattern = MOMENT))]
    pub occurred_at: String,
    /// What conditions look at.
    #[schemars(extend("maxProperties" = 50))]
    pub attributes: Option<BTreeMap<String, Option<Told>>>,
}

/// A boolean, a whole number or a text.
#[derive(Debug, JsonSchema)]
#[schemars(untagged)]
pub enum Told {
    Bool(bool),
    Int(i64),
    Text(#[schemars(length(max = 1000))] String),
}

/// What matters of a member.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ExampleMember {
    /// The level before it. Default: the lowest.
    #[schemars(regex(pattern = ID))]
    pub level: Option<String>,
    /// Groups, given by the shop or by an activity.
    #[schemars(length(max = 100), inner(length(min = 1, max = 64)))]
    pub tags: Option<Vec<String>>,
    /// Whether it is the first purchase. Default: false.
    pub first_purchase: Option<bool>,
    /// For how many whole days the member has been enrolled. Default: 0.
    #[schemars(range(min = 0, max = 100_000))]
    pub enrolled_days: Option<i64>,
}

/// What it must come to.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Expect {
    /// Points of the purchase or activity itself.
    pub points: i64,
    /// All the rules that give something, in any order.
    #[schemars(length(max = 100), inner(regex(pattern = ID)))]
    pub rules: Option<Vec<String>>,
}
