//! When an earning rule applies.

use super::{ID, TIME_OF_DAY, earning::Money, given};
use schemars::JsonSchema;

/// When a rule applies: one clause; several are joined with all or any, at most eight deep.
///
/// Clauses about lines select the lines that the rule is about; the others admit or refuse the whole purchase.
#[derive(Debug, JsonSchema)]
#[schemars(rename_all = "snake_case", deny_unknown_fields)]
pub enum Condition {
    /// Every one of them holds.
    All(#[schemars(length(min = 1, max = 1000))] Vec<Condition>),
    /// At least one of them holds.
    Any(#[schemars(length(min = 1, max = 1000))] Vec<Condition>),
    /// It does not hold.
    Not(Box<Condition>),
    /// The net total of the whole purchase, in that currency.
    NetTotalAtLeast(Money),
    /// The line is in one of these categories.
    LineCategory(#[schemars(length(min = 1, max = 1000), inner(length(min = 1, max = 64)))] Vec<String>),
    /// The line is one of these products.
    LineSku(#[schemars(length(min = 1, max = 1000), inner(length(min = 1, max = 64)))] Vec<String>),
    /// The purchase came through one of these channels.
    Channel(#[schemars(length(min = 1, max = 1000), inner(regex(pattern = ID)))] Vec<String>),
    /// It was made in one of these stores.
    Store(#[schemars(length(min = 1, max = 1000), inner(length(min = 1, max = 64)))] Vec<String>),
    /// The member was on one of these levels before it.
    Tier(#[schemars(length(min = 1, max = 1000), inner(regex(pattern = ID)))] Vec<String>),
    /// The member bears one of these tags, given by the shop or by an activity.
    Tag(#[schemars(length(min = 1, max = 1000), inner(length(min = 1, max = 64)))] Vec<String>),
    /// It happened on one of these weekdays, in the program's zone.
    LocalWeekday(#[schemars(length(min = 1, max = 7))] Vec<Weekday>),
    /// It happened at that time of day, in the program's zone; may run over midnight.
    LocalTime(LocalTime),
    /// It is the member's first purchase of more than nothing. For the opposite, put it in not.
    FirstPurchase(#[schemars(extend("const" = true))] bool),
    /// The member had been enrolled for so many whole days.
    MemberDaysAtLeast(#[schemars(range(min = 0, max = 100_000))] i64),
    /// An attribute of the activity.
    Attribute(AttributeClause),
}

/// A day of the week.
#[derive(Debug, JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum Weekday {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

/// A time of day.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct LocalTime {
    /// The first minute, hh:mm.
    #[schemars(regex(pattern = TIME_OF_DAY))]
    pub from: String,
    /// The first minute after, hh:mm; 24:00 is the end of the day.
    #[schemars(regex(pattern = TIME_OF_DAY))]
    pub to: String,
}

/// What an attribute must be: exactly one of equals, at_least and at_most.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(extend("oneOf" = [
    given("equals", &["boolean", "integer", "string"]), given("at_least", &["integer"]), given("at_most", &["integer"])
]))]
pub struct AttributeClause {
    /// Its name.
    #[schemars(length(min = 1, max = 64))]
    pub name: String,
    /// Exactly this.
    pub equals: Option<AttributeValue>,
    /// A number of at least this.
    pub at_least: Option<i64>,
    /// A number of at most this.
    pub at_most: Option<i64>,
}

/// A boolean, a whole number or a text.
#[derive(Debug, JsonSchema)]
#[schemars(untagged)]
pub enum AttributeValue {
    Bool(bool),
    Int(i64),
    Text(#[schemars(length(max = 100))] String),
}
