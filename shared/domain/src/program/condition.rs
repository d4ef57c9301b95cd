//! When an earning rule applies: typed clauses, each of which can say why it failed.

use crate::calendar::Moment;
use crate::id::{CallerId, Label, LevelId};
use crate::money::Money;
use std::collections::BTreeMap;

/// A condition on a purchase, its lines, an activity or an enrolment.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// Every one holds.
    All(Vec<Condition>),
    /// At least one holds.
    Any(Vec<Condition>),
    /// It does not hold.
    Not(Box<Condition>),
    /// The order's net total, in that currency.
    NetTotalAtLeast(Money),
    /// The line is in one of these categories.
    LineCategory(Vec<Label>),
    /// The line is one of these products.
    LineSku(Vec<Label>),
    /// The purchase came through one of these channels.
    Channel(Vec<CallerId>),
    /// It was made in one of these stores.
    Store(Vec<Label>),
    /// The member is on one of these levels, named by their place among the program's levels.
    Tier(Vec<usize>),
    /// The member bears one of these tags, named by their place in [`super::Program::tags`].
    Tag(Vec<usize>),
    /// The weekday in the program's zone; bit 0 is Monday.
    LocalWeekday(u8),
    /// The time of day in the program's zone, from inclusive, to exclusive, in minutes after midnight; may cross midnight.
    LocalTime {
        /// First minute.
        from: u16,
        /// First minute after.
        to: u16,
    },
    /// It is the member's first purchase.
    FirstPurchase,
    /// The member has been enrolled for so many whole days.
    MemberDaysAtLeast(i64),
    /// An attribute of an activity.
    Attribute {
        /// Its name.
        name: Label,
        /// What it must be.
        is: AttributeTest,
    },
}

/// What an activity's attribute must be.
#[derive(Debug, Clone, PartialEq)]
pub enum AttributeTest {
    /// Exactly this.
    Equals(Attribute),
    /// A number of at least this.
    AtLeast(i64),
    /// A number of at most this.
    AtMost(i64),
}

/// The value of an activity's attribute.
#[derive(Debug, Clone, PartialEq)]
pub enum Attribute {
    /// Yes or no.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A text.
    Text(String),
}

/// What is known about a trigger when rules are judged; the same for every line.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    /// When it happened.
    pub occurred_at: Moment,
    /// The weekday then in the program's zone, Monday 0.
    pub weekday: u8,
    /// The minute of the day then in the program's zone.
    pub minute: u16,
    /// The order's net total; none for activities and enrolments.
    pub net_total: Option<Money>,
    /// The channel of a purchase.
    pub channel: Option<&'a CallerId>,
    /// The store of a purchase.
    pub store: Option<&'a Label>,
    /// The member's level then, by its place among the program's levels.
    pub level: usize,
    /// The member's tags, by their places in [`super::Program::tags`].
    pub tags: &'a [usize],
    /// Whether this is the member's first purchase.
    pub first_purchase: bool,
    /// For how many whole days the member had been enrolled.
    pub member_days: i64,
    /// The attributes of an activity.
    pub attributes: Option<&'a BTreeMap<Label, Attribute>>,
}

/// What a clause about lines looks at.
#[derive(Debug, Clone, Copy)]
pub struct LineFacts<'a> {
    /// The product.
    pub sku: Option<&'a Label>,
    /// Its categories.
    pub categories: &'a [Label],
}

impl Condition {
    /// Whether it holds; `None` where that depends on the line and none is given.
    #[must_use]
    pub fn holds(&self, facts: &Facts<'_>, line: Option<LineFacts<'_>>) -> Option<bool> {
        match self {
            Condition::All(clauses) => {
                let mut known = Some(true);
                for clause in clauses {
                    match clause.holds(facts, line) {
                        Some(false) => return Some(false),
                        None => known = None,
                        Some(true) => {}
                    }
                }
                known
            }
            Condition::Any(clauses) => {
                let mut known = Some(false);
                for clause in clauses {
                    match clause.holds(facts, line) {
                        Some(true) => return Some(true),
                        None => known = None,
                        Some(false) => {}
                    }
                }
                known
            }
            Condition::Not(clause) => clause.holds(facts, line).map(|holds| !holds),
            Condition::LineCategory(any) => {
                line.map(|line| line.categories.iter().any(|category| any.contains(category)))
            }
            Condition::LineSku(any) => line.map(|line| line.sku.is_some_and(|sku| any.contains(sku))),
            Condition::NetTotalAtLeast(least) => {
                Some(facts.net_total.is_some_and(|net| net.currency == least.currency && net.amount >= least.amount))
            }
            Condition::Channel(any) => Some(facts.channel.is_some_and(|channel| any.contains(channel))),
            Condition::Store(any) => Some(facts.store.is_some_and(|store| any.contains(store))),
            Condition::Tier(any) => Some(any.contains(&facts.level)),
            Condition::Tag(any) => Some(any.iter().any(|tag| facts.tags.contains(tag))),
            Condition::LocalWeekday(days) => Some(days >> facts.weekday & 1 == 1),
            Condition::LocalTime { from, to } => Some(if from < to {
                (*from..*to).contains(&facts.minute)
            } else {
                facts.minute >= *from || facts.minute < *to
            }),
            Condition::FirstPurchase => Some(facts.first_purchase),
            Condition::MemberDaysAtLeast(days) => Some(facts.member_days >= *days),
            Condition::Attribute { name, is } => {
                Some(facts.attributes.and_then(|all| all.get(name)).is_some_and(|value| is.holds(value)))
            }
        }
    }

    /// Whether it, or a part of it, looks at what only a purchase has.
    #[must_use]
    pub fn looks_at_lines_or_purchase(&self) -> bool {
        match self {
            Condition::All(clauses) | Condition::Any(clauses) => {
                clauses.iter().any(Condition::looks_at_lines_or_purchase)
            }
            Condition::Not(clause) => clause.looks_at_lines_or_purchase(),
            Condition::LineCategory(_)
            | Condition::LineSku(_)
            | Condition::NetTotalAtLeast(_)
            | Condition::Channel(_)
            | Condition::Store(_)
            | Condition::FirstPurchase => true,
            Condition::Tier(_)
            | Condition::Tag(_)
            | Condition::LocalWeekday(_)
            | Condition::LocalTime { .. }
            | Condition::MemberDaysAtLeast(_)
            | Condition::Attribute { .. } => false,
        }
    }

    /// Whether it, or a part of it, looks at what only an activity has.
    #[must_use]
    pub fn looks_at_attributes(&self) -> bool {
        match self {
            Condition::All(clauses) | Condition::Any(clauses) => clauses.iter().any(Condition::looks_at_attributes),
            Condition::Not(clause) => clause.looks_at_attributes(),
            Condition::Attribute { .. } => true,
            Condition::LineCategory(_)
            | Condition::LineSku(_)
            | Condition::NetTotalAtLeast(_)
            | Condition::Channel(_)
            | Condition::Store(_)
            | Condition::FirstPurchase
            | Condition::Tier(_)
            | Condition::Tag(_)
            | Condition::LocalWeekday(_)
            | Condition::LocalTime { .. }
            | Condition::MemberDaysAtLeast(_) => false,
        }
    }

    /// The clauses that keep it from holding for the purchase, in words a cashier can read out. A clause about lines is
    /// named when no line fulfils it.
    pub fn failures(&self, facts: &Facts<'_>, lines: &[LineFacts<'_>], names: &Names<'_>, into: &mut Vec<String>) {
        let fulfilled = |clause: &Condition| lines.iter().any(|line| clause.holds(facts, Some(*line)) == Some(true));
        let holds = |clause: &Condition| clause.holds(facts, None).unwrap_or_else(|| fulfilled(clause));
        match self {
            Condition::All(clauses) => {
                let before = into.len();
                for clause in clauses.iter().filter(|clause| !holds(clause)) {
                    clause.failures(facts, lines, names, into);
                }
                if into.len() == before && !holds(self) {
                    into.push("no single line fulfils all of its clauses".to_owned());
                }
            }
            Condition::Any(clauses) => {
                for clause in clauses {
                    clause.failures(facts, lines, names, into);
                }
            }
            Condition::Not(clause) => into.push(format!("it excludes: {}", clause.words(names))),
            Condition::NetTotalAtLeast(_)
            | Condition::LineCategory(_)
            | Condition::LineSku(_)
            | Condition::Channel(_)
            | Condition::Store(_)
            | Condition::Tier(_)
            | Condition::Tag(_)
            | Condition::LocalWeekday(_)
            | Condition::LocalTime { .. }
            | Condition::FirstPurchase
            | Condition::MemberDaysAtLeast(_)
            | Condition::Attribute { .. } => into.push(format!("it needs: {}", self.words(names))),
        }
    }

    /// The condition in words.
    #[must_use]
    pub fn words(&self, names: &Names<'_>) -> String {
        fn any_of<T>(items: &[T], name: impl Fn(&T) -> String) -> String {
            items.iter().map(name).collect::<Vec<_>>().join(" or ")
        }
        let clock = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
        match self {
            Condition::All(clauses) => clauses.iter().map(|c| c.words(names)).collect::<Vec<_>>().join(" and "),
            Condition::Any(clauses) => format!("({})", any_of(clauses, |c| c.words(names))),
            Condition::Not(clause) => format!("not ({})", clause.words(names)),
            Condition::NetTotalAtLeast(money) => format!("a total of at least {money}"),
            Condition::LineCategory(any) => {
                format!("an article of category {}", any_of(any, |l| l.as_str().to_owned()))
            }
            Condition::LineSku(any) => format!("the article {}", any_of(any, |l| l.as_str().to_owned())),
            Condition::Channel(any) => format!("the channel {}", any_of(any, ToString::to_string)),
            Condition::Store(any) => format!("the store {}", any_of(any, |l| l.as_str().to_owned())),
            Condition::Tier(any) => format!(
                "the level {}",
                any_of(any, |level| names.levels.get(*level).map_or_else(String::new, |id| id.to_string()))
            ),
            Condition::Tag(any) => {
                format!(
                    "the tag {}",
                    any_of(any, |tag| names.tags.get(*tag).map_or_else(String::new, |l| l.as_str().to_owned()))
                )
            }
            Condition::LocalWeekday(days) => {
                let named: Vec<&str> = WEEKDAYS
                    .iter()
                    .enumerate()
                    .filter(|(day, _)| days >> day & 1 == 1)
                    .map(|(_, (word, _))| *word)
                    .collect();
                format!("the weekday {}", named.join(" or "))
            }
            Condition::LocalTime { from, to } => format!("a time between {} and {}", clock(*from), clock(*to)),
            Condition::FirstPurchase => "the member's first purchase".to_owned(),
            Condition::MemberDaysAtLeast(days) => format!("at least {days} days of membership"),
            Condition::Attribute { name, is } => match is {
                AttributeTest::Equals(Attribute::Bool(value)) => format!("{} being {value}", name.as_str()),
                AttributeTest::Equals(Attribute::Int(value)) => format!("{} being {value}", name.as_str()),
                AttributeTest::Equals(Attribute::Text(value)) => format!("{} being {value}", name.as_str()),
                AttributeTest::AtLeast(value) => format!("{} of at least {value}", name.as_str()),
                AttributeTest::AtMost(value) => format!("{} of at most {value}", name.as_str()),
            },
        }
    }
}

impl AttributeTest {
    pub(super) fn holds(&self, value: &Attribute) -> bool {
        match (self, value) {
            (AttributeTest::Equals(expected), value) => expected == value,
            (AttributeTest::AtLeast(least), Attribute::Int(value)) => value >= least,
            (AttributeTest::AtMost(most), Attribute::Int(value)) => value <= most,
            (AttributeTest::AtLeast(_) | AttributeTest::AtMost(_), Attribute::Bool(_) | Attribute::Text(_)) => false,
        }
    }
}

/// What indices in conditions stand for.
#[derive(Debug, Clone, Copy)]
pub struct Names<'a> {
    /// The program's level ids.
    pub levels: &'a [LevelId],
    /// The tags its conditions mention.
    pub tags: &'a [Label],
}

/// The words for weekdays, Monday first.
pub const WEEKDAYS: &[(&str, u8)] =
    &[("mon", 0), ("tue", 1), ("wed", 2), ("thu", 3), ("fri", 4), ("sat", 5), ("sun", 6)];
