//! The JSON Schema of the program document, by which editors complete and explain it while it is written.
//!
//! The types here say what the strict reader takes, for people: their comments become the descriptions in the schema.
//! They are never read into; the reader alone decides what is published, and tests hold the two together. What depends
//! on more than one place of a document (ids that must be known, windows, rules in vain) only the reader looks at.

#![allow(missing_docs, reason = "a few enums speak for themselves, and a comment would become a description")]

mod condition;
mod earning;
mod offers;
mod terms;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};

pub use condition::{AttributeClause, AttributeValue, Condition, LocalTime, Weekday};
pub use earning::{
    Activity, Award, Budget, EarningRule, Example, ExampleMember, Expect, Goal, GoalOf, Grants, Limit, Line, Money, On,
    Per, PerAmount, Purchase, StreakPace, Told,
};
pub use offers::{Birthday, Feb29, PointValue, Referral, Reward, RewardKind, Settle, Value};
pub use terms::{
    Benefit, BeyondLot, Clawback, Expiry, ExpiryMonths, Keep, Level, Never, Period, Points, QualifyBy, Rounding,
    Shortfall, Snap, Tiers,
};

/// The rules of one loyalty program. Published with `PUT /v1/program`; checked before with `loyalty validate`.
#[derive(Debug, JsonSchema)]
#[schemars(title = "Loyalty program", deny_unknown_fields)]
pub struct Program {
    /// Where editors find this schema. Ignored otherwise.
    #[schemars(rename = "$schema", length(min = 1, max = 1000))]
    pub schema: Option<String>,
    /// What members know the program by.
    #[schemars(length(min = 1, max = 100))]
    pub name: String,
    /// The IANA zone of the shop's door, such as Europe/Berlin: weekdays, times of day and windows are told in it. It is
    /// also that of members who have none of their own.
    pub time_zone: String,
    /// What a point is called. Default: points.
    #[schemars(length(min = 1, max = 100))]
    pub point_name: Option<String>,
    /// How the exact points of a purchase become whole ones, once.
    pub rounding: Rounding,
    /// How points live and end.
    pub points: Points,
    /// What members earn points for, and what they can reach. Multipliers apply in this order.
    #[schemars(length(max = 2000))]
    pub earning_rules: Vec<EarningRule>,
    /// Status levels and how they are reached.
    pub tiers: Tiers,
    /// What points buy.
    #[schemars(length(max = 1000))]
    pub rewards: Option<Vec<Reward>>,
    /// What bringing a friend earns.
    pub referral: Option<Referral>,
    /// What a birthday earns.
    pub birthday: Option<Birthday>,
    /// When this version takes effect: not before, and by default, a minute after it is published. The first version of
    /// a program takes effect at once.
    #[schemars(regex(pattern = MOMENT))]
    pub effective_from: Option<String>,
    /// Purchases and activities with what they must come to. A document whose examples do not hold is not published.
    #[schemars(length(max = 200))]
    pub examples: Option<Vec<Example>>,
}

/// Date and time with an offset.
const MOMENT: &str = r"^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})$";
const DATE: &str = r"^\d{4}-\d{2}-\d{2}$";
const TIME_OF_DAY: &str = r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$";
/// Ids that callers and documents give.
const ID: &str =
    r"^([A-Za-z0-9_:-][A-Za-z0-9._:-]{0,63}|\.[A-Za-z0-9_:-][A-Za-z0-9._:-]{0,62}|\.\.[A-Za-z0-9._:-]{1,62})$";
const DECIMAL: &str = r"^\d{1,9}(\.\d{1,6})?$";
/// At most four decimals.
const FACTOR: &str = r"^\d{1,9}(\.\d{1,4}0{0,2})?$";
const CURRENCY: &str = "^[A-Z]{3}$";

/// An object that has this field, of one of these types: as everywhere, null is as good as left out.
fn given(name: &str, types: &[&str]) -> serde_json::Value {
    serde_json::json!({ "required": [name], "properties": { name: { "type": types } } })
}

/// The schema of the program document, JSON Schema 2020-12.
#[must_use]
pub fn program() -> Schema {
    SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<Program>()
}

/// The schema as it stands in the repository.
#[must_use]
pub fn text() -> String {
    format!("{:#}", program().as_value())
}

#[cfg(test)]
mod tests;
