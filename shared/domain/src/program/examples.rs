//! Examples inside a program's document: purchases and activities with what they must come to, so that an author sees
//! what a change of the rules does before any member does.

use super::Program;
use super::read::MOST_EXAMPLES;
use super::read_condition::Context;
use crate::activity::Attributes;
use crate::award::{AwardLine, Awarded, Caps, TooMuch, award};
use crate::award_activity::award_activity;
use crate::calendar::{Moment, moment};
use crate::entry::Reason;
use crate::id::{CallerId, Label, RuleId, caller_id, label};
use crate::json::{Faults, Json, Object, Path, boolean, integer, integer_within, list};
use crate::money::Money;
use crate::program::condition::{Facts, LineFacts};
use crate::purchase::Order;
use crate::requests;
use std::collections::BTreeSet;

/// Tags of the member of an example, at most.
const MOST_TAGS: usize = 100;
/// Rules that an example can expect, at most.
const MOST_EXPECTED: usize = 100;

/// What should come to what.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Example {
    event: Event,
    member: Member,
    points: i64,
    rules: Option<Vec<RuleId>>,
}

#[derive(Debug, Clone, PartialEq)]
enum Event {
    Purchase(Order),
    Activity { kind: CallerId, occurred_at: Moment, attributes: Attributes },
}

/// Whom it happens to: by default somebody who enrolled today and is on the lowest level.
#[derive(Debug, Clone, Default, PartialEq)]
struct Member {
    level: usize,
    tags: Vec<Label>,
    first_purchase: bool,
    enrolled_days: i64,
}

/// Reads the examples of a document; levels are looked up in the program, if it could be read.
pub(super) fn read(json: &Json, at: &Path<'_>, faults: &mut Faults, program: Option<&Program>) -> Option<Vec<Example>> {
    let context = Context { levels: program.map(|program| program.level_ids.as_slice()), tags: Vec::new() };
    list(0, MOST_EXAMPLES, |json, at, faults| example(json, at, faults, &context))(json, at, faults)
}

/// Judges examples as the purchases and activities themselves are judged, and notes those that come to something else.
pub(super) fn refuse_untrue(examples: &[Example], program: &Program, at: &Path<'_>, faults: &mut Faults) {
    for (index, example) in examples.iter().enumerate() {
        let at = at.index(index);
        let at = at.name("expect");
        let Ok(awarded) = example.award(program) else {
            faults.meaningless(&at.name("points"), "cannot be: its points are beyond counting");
            continue;
        };
        if awarded.points != example.points {
            let how: Vec<String> = awarded.explanation.iter().map(step).collect();
            let how = if how.is_empty() { "no rule gives points".to_owned() } else { how.join(", ") };
            let detail = format!("gives {}, not {}: {how}", awarded.points, example.points);
            faults.meaningless(&at.name("points"), detail);
        }
        let gave: BTreeSet<&RuleId> =
            awarded.gave.iter().filter_map(|place| program.rules.get(*place)).map(|rule| &rule.id).collect();
        if example.rules.as_ref().is_some_and(|rules| rules.iter().collect::<BTreeSet<_>>() != gave) {
            let gave: Vec<&str> = gave.iter().map(|rule| rule.as_str()).collect();
            let gave = if gave.is_empty() { "none".to_owned() } else { gave.join(", ") };
            faults.meaningless(&at.name("rules"), format!("are not the rules that give something: {gave}"));
        }
    }
}

/// One step of the arithmetic, short.
fn step(reason: &Reason) -> String {
    match (reason.rule(), reason.exact()) {
        (Some(rule), Some(exact)) => format!("{rule} {exact}"),
        (Some(rule), None) => format!("{rule}: {}", reason.words()),
        (None, _) => reason.words(),
    }
}

impl Example {
    fn award(&self, program: &Program) -> Result<Awarded, TooMuch> {
        let tags = program.tag_places(&self.member.tags);
        let occurred_at = match &self.event {
            Event::Purchase(order) => order.occurred_at,
            Event::Activity { occurred_at, .. } => *occurred_at,
        };
        let facts = Facts {
            occurred_at,
            weekday: program.zone.date_at(occurred_at).weekday().to_monday_zero_offset().unsigned_abs(),
            minute: program.zone.minute_at(occurred_at),
            net_total: None,
            channel: None,
            store: None,
            level: self.member.level,
            tags: &tags,
            first_purchase: false,
            member_days: self.member.enrolled_days,
            attributes: None,
        };
        match &self.event {
            Event::Purchase(order) => {
                let lines: Vec<AwardLine<'_>> = order
                    .lines
                    .iter()
                    .map(|line| AwardLine {
                        facts: LineFacts { sku: line.sku.as_ref(), categories: &line.categories },
                        net: line.net,
                    })
                    .collect();
                let net = lines.iter().try_fold(0_i64, |sum, line| sum.checked_add(line.net)).ok_or(TooMuch)?;
                let facts = Facts {
                    net_total: Some(Money { amount: net, currency: order.currency }),
                    channel: Some(&order.channel),
                    store: order.store.as_ref(),
                    // A purchase of nothing is nobody's first.
                    first_purchase: self.member.first_purchase && net > 0,
                    ..facts
                };
                award(program, &facts, order.currency, &lines, Caps::default())
            }
            Event::Activity { kind, attributes, .. } => {
                award_activity(program, &Facts { attributes: Some(attributes), ..facts }, kind, Caps::default())
            }
        }
    }
}

fn example(json: &Json, at: &Path<'_>, faults: &mut Faults, context: &Context<'_>) -> Option<Example> {
    let mut object = Object::new(json, at, faults)?;
    object.optional("name", faults, super::read::name);
    let purchase = object.optional("purchase", faults, purchase);
    let activity = object.optional("activity", faults, activity);
    let member = object.optional("member", faults, |json: &Json, at: &Path<'_>, faults: &mut Faults| {
        member(json, at, faults, context)
    });
    let expect = object.required("expect", faults, expect);
    let given = ["purchase", "activity"].map(|name| object.raw(name).is_some_and(|value| *value != Json::Null));
    object.finish(faults);
    if given == [true, true] || given == [false, false] {
        faults.malformed(at, "must have exactly one of: purchase, activity");
        return None;
    }
    let member = member.unwrap_or_default();
    if member.first_purchase && activity.is_some() {
        faults.meaningless(&at.name("member").name("first_purchase"), "has a meaning only for a purchase");
    }
    let (points, rules) = expect?;
    Some(Example { event: purchase.or(activity)?, member, points, rules })
}

fn purchase(json: &Json, at: &Path<'_>, faults: &mut Faults) -> Option<Event> {
    let (order, member) = requests::quote(json, at, faults)?;
    if member.is_some() {
        faults.malformed(&at.name("member"), "is nobody in particular: say what matters beside the purchase");
        return None;
    }
    Some(Event::Purchase(order))
}

/// As `POST /v1/activities` takes it, without member; source and id may be left out.
fn activity(json: &Json, at: &Path<'_>, faults: &mut Faults) -> Option<Event> {
    let mut object = Object::new(json, at, faults)?;
    object.optional("source", faults, caller_id);
    object.optional("activity_id", faults, caller_id);
    let kind = object.required("type", faults, caller_id);
    let occurred_at = object.required("occurred_at", faults, moment);
    let attributes = object.optional("attributes", faults, requests::attributes).unwrap_or_default();
    object.finish(faults);
    Some(Event::Activity { kind: kind?, occurred_at: occurred_at?, attributes })
}

fn member(json: &Json, at: &Path<'_>, faults: &mut Faults, context: &Context<'_>) -> Option<Member> {
    let mut object = Object::new(json, at, faults)?;
    let level = object
        .optional("level", faults, |json: &Json, at: &Path<'_>, faults: &mut Faults| context.level(json, at, faults));
    let tags = object.optional("tags", faults, list(0, MOST_TAGS, label)).unwrap_or_default();
    let first_purchase = object.optional("first_purchase", faults, boolean).unwrap_or(false);
    let enrolled_days = object.optional("enrolled_days", faults, integer_within(0, 100_000)).unwrap_or(0);
    object.finish(faults);
    Some(Member { level: level.unwrap_or(0), tags, first_purchase, enrolled_days })
}

fn expect(json: &Json, at: &Path<'_>, faults: &mut Faults) -> Option<(i64, Option<Vec<RuleId>>)> {
    let mut object = Object::new(json, at, faults)?;
    let points = object.required("points", faults, integer);
    let rules = object.optional("rules", faults, list(0, MOST_EXPECTED, caller_id));
    object.finish(faults);
    Some((points?, rules))
}
