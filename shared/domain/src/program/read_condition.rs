//! Reads the conditions of earning rules.

use super::condition::{Attribute, AttributeTest, Condition, WEEKDAYS};
use crate::id::{CallerId, Label, LevelId, caller_id, label};
use crate::json::{Faults, Json, Object, Path, boolean, integer, integer_within, list, text, word};
use crate::money::money;

/// Conditions within conditions, at most.
const MOST_NESTING: usize = 8;
/// Clauses or words in one list.
const MOST_WORDS: usize = 1_000;

/// What conditions refer to by place.
pub(super) struct Context<'a> {
    /// The program's levels; none if they could not be read, then references to them are not checked.
    pub(super) levels: Option<&'a [LevelId]>,
    /// The tags mentioned so far.
    pub(super) tags: Vec<Label>,
}

pub(super) fn condition(
    json: &Json,
    at: &Path<'_>,
    faults: &mut Faults,
    context: &mut Context<'_>,
    depth: usize,
) -> Option<Condition> {
    if depth > MOST_NESTING {
        faults.meaningless(at, format!("conditions are nested more than {MOST_NESTING} deep"));
        return None;
    }
    let Json::Map(fields) = json else {
        faults.malformed(at, "must be an object with one clause");
        return None;
    };
    let [(clause, value)] = fields.as_slice() else {
        faults.malformed(at, "must have exactly one clause; join several with all or any");
        return None;
    };
    let at = &at.name(clause);
    match clause.as_str() {
        "all" => clauses(value, at, faults, context, depth).map(Condition::All),
        "any" => clauses(value, at, faults, context, depth).map(Condition::Any),
        "not" => condition(value, at, faults, context, depth + 1).map(|inner| Condition::Not(Box::new(inner))),
        "net_total_at_least" => money(value, at, faults).map(Condition::NetTotalAtLeast),
        "line_category" => labels(value, at, faults).map(Condition::LineCategory),
        "line_sku" => labels(value, at, faults).map(Condition::LineSku),
        "store" => labels(value, at, faults).map(Condition::Store),
        "channel" => list(1, MOST_WORDS, caller_id)(value, at, faults).map(Condition::Channel),
        "tier" => levels(value, at, faults, context).map(Condition::Tier),
        "tag" => labels(value, at, faults)
            .map(|tags| Condition::Tag(tags.into_iter().map(|tag| context.place(tag)).collect())),
        "local_weekday" => list(1, 7, word(WEEKDAYS))(value, at, faults)
            .map(|days| Condition::LocalWeekday(days.into_iter().fold(0, |set, day| set | 1 << day))),
        "local_time" => local_time(value, at, faults),
        "first_purchase" => match boolean(value, at, faults)? {
            true => Some(Condition::FirstPurchase),
            false => {
                faults.meaningless(at, "must be true; put it in not for the opposite");
                None
            }
        },
        "member_days_at_least" => integer_within(0, 100_000)(value, at, faults).map(Condition::MemberDaysAtLeast),
        "attribute" => attribute(value, at, faults),
        _ => {
            faults.malformed(at, "is not a known clause");
            None
        }
    }
}

impl Context<'_> {
    pub(super) fn place(&mut self, tag: Label) -> usize {
        self.tags.iter().position(|known| *known == tag).unwrap_or_else(|| {
            self.tags.push(tag);
            self.tags.len() - 1
        })
    }

    /// Reads the id of a level of the program, as its place.
    pub(super) fn level(&self, json: &Json, at: &Path<'_>, faults: &mut Faults) -> Option<usize> {
        let id: CallerId = caller_id(json, at, faults)?;
        let place = self.levels?.iter().position(|level| *level == id);
        if place.is_none() {
            faults.meaningless(at, "is not a level of this program");
        }
        place
    }
}

fn clauses(
    json: &Json,
    at: &Path<'_>,
    faults: &mut Faults,
    context: &mut Context<'_>,
    depth: usize,
) -> Option<Vec<Condition>> {
    list(1, MOST_WORDS, |json, at, faults| condition(json, at, faults, context, depth + 1))(json, at, faults)
}

fn labels(json: &Json, at: &Path<'_>, faults: &mut Faults) -> Option<Vec<Label>> {
    list(1, MOST_WORDS, label)(json, at, faults)
}

fn levels(json: &Json, at: &Path<'_>, faults: &mut Faults, context: &Context<'_>) -> Option<Vec<usize>> {
    list(1, MOST_WORDS, |json, at, faults: &mut Faults| context.level(json, at, faults))(json, at, faults)
}

fn local_time(json: &Json, at: &Path<'_>, faults: &mut Faults) -> Option<Condition> {
    let mut object = Object::new(json, at, faults)?;
    let from = object.required("from", faults, time_of_day);
    let to = object.required("to", faults, time_of_day);
    object.finish(faults);
    let (from, to) = (from?, to?);
    if from == to {
        faults.meaningless(&at.name("to"), "must differ from from: to is exclusive");
        return None;
    }
    Some(Condition::LocalTime { from, to })
}

/// `hh:mm` from `00:00` to `24:00`, as minutes.
fn time_of_day(json: &Json, at: &Path<'_>, faults: &mut Faults) -> Option<u16> {
    let value = text(json, at, faults)?;
    let minutes = match value.as_bytes() {
        [a, b, b':', c, d] if [a, b, c, d].iter().all(|digit| digit.is_ascii_digit()) => {
            let number = |tens: u8, ones: u8| u16::from(tens - b'0') * 10 + u16::from(ones - b'0');
            let (hour, minute) = (number(*a, *b), number(*c, *d));
            (minute < 60 && hour * 60 + minute <= 24 * 60).then_some(hour * 60 + minute)
        }
        _ => None,
    };
    if minutes.is_none() {
        faults.malformed(at, "must be a time of day like 17:00");
    }
    minutes
}

fn attribute(json: &Json, at: &Path<'_>, faults: &mut Faults) -> Option<Condition> {
    let mut object = Object::new(json, at, faults)?;
    let name = object.required("name", faults, label);
    let before = faults.list().len();
    let equals = object.optional("equals", faults, attribute_value);
    let at_least = object.optional("at_least", faults, integer);
    let at_most = object.optional("at_most", faults, integer);
    object.finish(faults);
    let tests: Vec<AttributeTest> = equals
        .map(AttributeTest::Equals)
        .into_iter()
        .chain(at_least.map(AttributeTest::AtLeast))
        .chain(at_most.map(AttributeTest::AtMost))
        .collect();
    match <[AttributeTest; 1]>::try_from(tests) {
        Ok([is]) => Some(Condition::Attribute { name: name?, is }),
        Err(_) => {
            if faults.list().len() == before {
                faults.malformed(at, "must have exactly one of: equals, at_least, at_most");
            }
            None
        }
    }
}

fn attribute_value(json: &Json, at: &Path<'_>, faults: &mut Faults) -> Option<Attribute> {
    match json {
        Json::Bool(value) => Some(Attribute::Bool(*value)),
        Json::Int(value) => Some(Attribute::Int(*value)),
        Json::Text(value) if value.chars().count() <= 100 => Some(Attribute::Text(value.clone())),
        Json::Text(_) | Json::Null | Json::OtherNumber | Json::List(_) | Json::Map(_) => {
            faults.malformed(at, "must be a boolean, an integer or a string of at most 100 characters");
            None
        }
    }
}
