//! Reads the bodies that tills, apps and operators send about points.

use crate::activity::{Activity, Attributes};
use crate::adjust::Adjustment;
use crate::calendar::{date, moment};
use crate::id::{Label, caller_id, label, redemption_id};
use crate::identity::{Reference, reference};
use crate::json::{Faults, Json, Object, Path, boolean, integer_within, list, text};
use crate::level_grant::LevelGrant;
use crate::money::{MOST_MONEY, currency};
use crate::program::condition::Attribute;
use crate::purchase::{Order, OrderLine};
use crate::refund::{Return, ReturnLine};

/// Lines of a purchase, at most.
pub const MOST_LINES: usize = 1_000;
/// Categories of a line, at most.
const MOST_CATEGORIES: usize = 20;
/// Redemptions that pay for one purchase, at most.
const MOST_PAYMENTS: usize = 10;
/// Units of a line, at most.
const MOST_QUANTITY: i64 = 1_000_000_000;
/// Points of an adjustment, at most, either way.
const MOST_ADJUSTMENT: i64 = 1_000_000_000;

/// Reads a purchase and who made it; nobody for a guest.
pub fn purchase(json: &Json, at: &Path<'_>, faults: &mut Faults) -> Option<(Order, Option<Reference>)> {
    order(json, at, faults, true)
}

/// Reads a purchase that is only asked about: it needs no number yet.
pub fn quote(json: &Json, at: &Path<'_>, faults: &mut Faults) -> Option<(Order, Option<Reference>)> {
    order(json, at, faults, false)
}

fn order(json: &Json, at: &Path<'_>, faults: &mut Faults, numbered: bool) -> Option<(Order, Option<Reference>)> {
    let mut object = Object::new(json, at, faults)?;
    let channel = object.required("channel", faults, caller_id);
    let order_id = if numbered {
        object.required("order_id", faults, caller_id)
    } else {
        object.optional("order_id", faults, caller_id).or_else(|| "quote".parse().ok())
    };
    let member = object.optional("member", faults, reference);
    let occurred_at = object.required("occurred_at", faults, moment);
    let currency = object.required("currency", faults, currency);
    let store = object.optional("store", faults, label);
    let lines = object.required("lines", faults, list(1, MOST_LINES, order_line));
    let paid_with = object.optional("paid_with", faults, list(0, MOST_PAYMENTS, redemption_id)).unwrap_or_default();
    let guest = object.raw("member").is_none_or(|value| *value == Json::Null);
    object.finish(faults);
    if guest && !paid_with.is_empty() {
        faults.meaningless(&at.name("paid_with"), "has a meaning only beside a member, who paid with points");
    }
    if let Some(lines) = &lines {
        let at = at.name("lines");
        refuse_doubled_lines(lines.iter().map(|line| line.line_id.as_str()), &at, faults);
        let total = lines.iter().try_fold(0_i64, |sum, line| sum.checked_add(line.net));
        if total.is_none_or(|total| total > MOST_MONEY) {
            faults.meaningless(&at, format!("the net amounts add up to more than {MOST_MONEY}"));
        }
    }
    let order = Order {
        channel: channel?,
        order_id: order_id?,
        occurred_at: occurred_at?,
        currency: currency?,
        store,
        lines: lines?,
        paid_with,
    };
    Some((order, member))
}

fn order_line(json: &Json, at: &Path<'_>, faults: &mut Faults) -> Option<OrderLine> {
    let mut object = Object::new(json, at, faults)?;
    let line_id = object.required("line_id", faults, caller_id);
    let sku = object.optional("sku", faults, label);
    let categories = object.optional("categories", faults, list(0, MOST_CATEGORIES, label)).unwrap_or_default();
    let quantity = object.required("quantity", faults, integer_within(1, MOST_QUANTITY));
    let net = object.required("net_amount", faults, integer_within(0, MOST_MONEY));
    object.finish(faults);
    Some(OrderLine { line_id: line_id?, sku, categories, quantity: quantity?, net: net? })
}

fn refuse_doubled_lines<'a>(ids: impl Iterator<Item = &'a str>, at: &Path<'_>, faults: &mut Faults) {
    let mut seen = std::collections::BTreeSet::new();
    for (index, id) in ids.enumerate() {
        if !seen.insert(id) {
            faults.meaningless(&at.index(index).name("line_id"), "names a line that was named before");
        }
    }
}

/// Reads a refund.
pub fn refund(json: &Json, at: &Path<'_>, faults: &mut Faults) -> Option<Return> {
    let mut object = Object::new(json, at, faults)?;
    let refund_id = object.required("refund_id", faults, caller_id);
    let occurred_at = object.required("occurred_at", faults, moment);
    let lines = object.required("lines", faults, list(1, MOST_LINES, return_line));
    object.finish(faults);
    if let Some(lines) = &lines {
        refuse_doubled_lines(lines.iter().map(|line| line.line_id.as_str()), &at.name("lines"), faults);
    }
    Some(Return { refund_id: refund_id?, occurred_at: occurred_at?, lines: lines? })
}

fn return_line(json: &Json, at: &Path<'_>, faults: &mut Faults) -> Option<ReturnLine> {
    let mut object = Object::new(json, at, faults)?;
    let line_id = object.required("line_id", faults, caller_id);
    let quantity = object.required("quantity", faults, integer_within(1, MOST_QUANTITY));
    let net = object.optional("net_amount", faults, integer_within(0, MOST_MONEY));
    object.finish(faults);
    Some(ReturnLine { line_id: line_id?, quantity: quantity?, net })
}

/// Reads who claims a guest's purchase, and the net total that proves it.
pub fn claim(json: &Json, at: &Path<'_>, faults: &mut Faults) -> Option<(Reference, i64)> {
    let mut object = Object::new(json, at, faults)?;
    let member = object.required("member", faults, reference);
    let net_total = object.required("net_total", faults, integer_within(0, MOST_MONEY));
    object.finish(faults);
    member.zip(net_total)
}

/// An operator's request to correct an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdjustmentRequest {
    /// Whose.
    pub member: Reference,
    /// What.
    pub adjustment: Adjustment,
    /// Free text, which may be personal: kept apart, so that it can be erased.
    pub note: Option<String>,
}

/// Reads an adjustment.
pub fn adjustment(json: &Json, at: &Path<'_>, faults: &mut Faults) -> Option<AdjustmentRequest> {
    let mut object = Object::new(json, at, faults)?;
    let member = object.required("member", faults, reference);
    let points = object.required("points", faults, integer_within(-MOST_ADJUSTMENT, MOST_ADJUSTMENT));
    let reason = object.required("reason", faults, label);
    let note = object.optional("note", faults, note);
    let qualifies = object.optional("qualifies", faults, boolean).unwrap_or(false);
    object.finish(faults);
    if points == Some(0) {
        faults.meaningless(&at.name("points"), "must not be 0");
    }
    let adjustment = Adjustment { points: points?, reason: reason?.as_str().to_owned(), qualifies };
    Some(AdjustmentRequest { member: member?, adjustment, note })
}

/// Attributes of an activity, at most.
const MOST_ATTRIBUTES: usize = 50;
/// Characters of an attribute that is a text, at most.
const MOST_TEXT: usize = 1_000;

/// Reads an activity and who did it.
pub fn activity(json: &Json, at: &Path<'_>, faults: &mut Faults) -> Option<(Activity, Reference)> {
    let mut object = Object::new(json, at, faults)?;
    let source = object.required("source", faults, caller_id);
    let activity_id = object.required("activity_id", faults, caller_id);
    let member = object.required("member", faults, reference);
    let kind = object.required("type", faults, caller_id);
    let occurred_at = object.required("occurred_at", faults, moment);
    let attributes = object.optional("attributes", faults, attributes).unwrap_or_default();
    object.finish(faults);
    let activity =
        Activity { source: source?, activity_id: activity_id?, kind: kind?, occurred_at: occurred_at?, attributes };
    Some((activity, member?))
}

/// Reads the attributes of an activity.
pub(crate) fn attributes(json: &Json, at: &Path<'_>, faults: &mut Faults) -> Option<Attributes> {
    let Json::Map(fields) = json else {
        faults.malformed(at, "must be an object");
        return None;
    };
    if fields.len() > MOST_ATTRIBUTES {
        faults.malformed(at, format!("must have at most {MOST_ATTRIBUTES} attributes"));
        return None;
    }
    let mut attributes = Attributes::new();
    for (name, value) in fields {
        let at = at.name(name);
        let Ok(name) = name.parse::<Label>() else {
            faults.malformed(&at, "must have a name of 1 to 64 printable characters");
            continue;
        };
        match value {
            Json::Null => {}
            Json::Bool(value) => {
                attributes.insert(name, Attribute::Bool(*value));
            }
            Json::Int(value) => {
                attributes.insert(name, Attribute::Int(*value));
            }
            Json::Text(value) if value.chars().count() <= MOST_TEXT && !value.contains(is_odd) => {
                attributes.insert(name, Attribute::Text(value.clone()));
            }
            Json::Text(_) | Json::OtherNumber | Json::List(_) | Json::Map(_) => faults.malformed(
                &at,
                format!("must be a boolean, an integer or a printable text of at most {MOST_TEXT} characters"),
            ),
        }
    }
    Some(attributes)
}

/// An operator's request to lend a level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LevelGrantRequest {
    /// What is lent.
    pub grant: LevelGrant,
    /// Free text, which may be personal: kept apart, so that it can be erased.
    pub note: Option<String>,
}

/// Reads a grant of a level.
pub fn level_grant(json: &Json, at: &Path<'_>, faults: &mut Faults) -> Option<LevelGrantRequest> {
    let mut object = Object::new(json, at, faults)?;
    let level = object.required("level", faults, caller_id);
    let until = object.required("until", faults, date);
    let reason = object.required("reason", faults, label);
    let note = object.optional("note", faults, note);
    object.finish(faults);
    let grant = LevelGrant { level: level?, until: until?, reason: reason?.as_str().to_owned() };
    Some(LevelGrantRequest { grant, note })
}

fn is_odd(c: char) -> bool {
    crate::id::is_unprintable(c) && c != '\n' && c != '\t'
}

fn note(json: &Json, at: &Path<'_>, faults: &mut Faults) -> Option<String> {
    let note = text(json, at, faults)?;
    if note.is_empty() || note.chars().count() > 1_000 || note.contains(is_odd) {
        faults.malformed(at, "must be 1 to 1000 printable characters");
        return None;
    }
    Some(note.to_owned())
}
