//! What people see: accounts, entries and purchases as the API answers them and events carry them.

use crate::account::{Account, Badge, Status};
use crate::activity::{Attributes, RecordedActivity};
use crate::calendar::Moment;
use crate::draft::as_of;
use crate::entry::{Balance, Cause, Entry, Kind};
use crate::id::{MemberId, ProgramId};
use crate::lots::{Lot, LotKey};
use crate::program::condition::Attribute;
use crate::program::{Benefit, Program};
use crate::programs::Programs;
use crate::purchase::Purchase;
use crate::refusal::Refusal;
use crate::tier;
use serde::Serialize;
use serde_json::{Value, json};

/// An account, settled to a moment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AccountView {
    member_id: String,
    version: u64,
    as_of: String,
    points: Balance,
    lifetime: Lifetime,
    lots: Vec<LotView>,
    next_expiry: Option<Expiry>,
    tier: TierView,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct Lifetime {
    earned: i64,
    adjusted: i64,
    redeemed: i64,
    expired: i64,
    clawed_back: i64,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct LotView {
    points: i64,
    activates_at: Option<String>,
    expires_at: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct Expiry {
    points: i64,
    at: String,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct TierView {
    level: String,
    since: String,
    until: Option<String>,
    qualifying_units: i64,
    next: Option<NextLevel>,
    benefits: Vec<BenefitView>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct BenefitView {
    key: Option<String>,
    text: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct NextLevel {
    level: String,
    missing_units: i64,
}

/// Shows an account as of a moment: what has fallen due by then is settled in the answer, and nothing is written.
///
/// # Errors
/// [`Refusal::NeedsVersion`], [`Refusal::Inconsistent`].
pub fn account(account: Account, programs: &Programs, now: Moment) -> Result<AccountView, Refusal> {
    let account = as_of(account, programs, now)?;
    let program = &programs.at(now)?.program;
    let sums = account.lifetime;
    let text = |moment: Moment| moment.to_string();
    let end = |lot: &Lot| lot.key.end(now);
    let lots = account.lots.iter().map(|lot| LotView {
        points: lot.points,
        activates_at: lot.key.activates_at.map(text),
        expires_at: end(lot).map(text),
    });
    let next = account.lots.iter().filter_map(end).min();
    let next_expiry = next.map(|at| Expiry {
        points: account
            .lots
            .iter()
            .filter(|lot| end(lot) == Some(at))
            .fold(0, |sum, lot| sum.saturating_add(lot.points)),
        at: at.to_string(),
    });
    Ok(AccountView {
        member_id: account.member.to_string(),
        version: account.version,
        as_of: now.to_string(),
        points: account.balance(),
        lifetime: Lifetime {
            earned: sums.earned,
            adjusted: sums.adjusted,
            redeemed: sums.redeemed,
            expired: sums.expired,
            clawed_back: sums.clawed_back,
        },
        lots: lots.collect(),
        next_expiry,
        tier: tier_view(&account, program, now),
    })
}

fn tier_view(account: &Account, program: &Program, now: Moment) -> TierView {
    let units = tier::units(account, program, now);
    let rank = program.rank(&account.level.id);
    // A level that is only granted is nothing that units are missing for.
    let mut above = program.tiers.levels.iter().skip(rank + 1);
    let next = above.find_map(|level| Some((level, level.from?)));
    TierView {
        level: account.level.id.to_string(),
        since: account.level.since.to_string(),
        until: tier::lasts_until(account, program, now).map(|until| until.to_string()),
        qualifying_units: units,
        next: next.map(|(level, from)| NextLevel {
            level: level.id.to_string(),
            missing_units: from.saturating_sub(units).max(0),
        }),
        benefits: program.level(rank).map_or_else(Vec::new, |level| level.benefits.iter().map(benefit).collect()),
    }
}

fn benefit(benefit: &Benefit) -> BenefitView {
    BenefitView { key: benefit.key.as_ref().map(ToString::to_string), text: benefit.text.clone() }
}

/// The word for a status.
#[must_use]
pub const fn status(status: Status) -> &'static str {
    match status {
        Status::Active => "active",
        Status::Deactivated => "deactivated",
        Status::Erased => "erased",
    }
}

/// Shows an entry.
#[must_use]
pub fn entry(entry: &Entry, member: MemberId) -> Value {
    let draws = entry.draws.iter().map(|draw| {
        let (activates_at, expires_at) = shown(&draw.lot, entry.recorded_at);
        json!({ "activates_at": activates_at, "expires_at": expires_at, "points": draw.points })
    });
    let explanation = entry.explanation.iter().map(|reason| {
        let mut line = serde_json::Map::new();
        if let Some(rule) = reason.rule() {
            line.insert("rule".to_owned(), rule.into());
        }
        line.insert("text".to_owned(), reason.words().into());
        if let Some(exact) = reason.exact() {
            line.insert("exact".to_owned(), exact.to_string().into());
        }
        Value::Object(line)
    });
    let scalars = json!({
        "entry_id": entry.id(member).to_string(),
        "seq": entry.seq,
        "kind": entry.kind.word(),
        "points": entry.points,
        "contra": entry.contra().word(),
        "balance_after": entry.balance_after,
        "debt_repaid": entry.debt_repaid,
        "program_version": entry.program_version,
        "occurred_at": entry.occurred_at.to_string(),
        "recorded_at": entry.recorded_at.to_string(),
        "actor": entry.actor,
    });
    let (draws, explanation) = (draws.collect(), explanation.collect());
    with(scalars, [("draws", draws), ("cause", cause(&entry.cause)), ("explanation", explanation)])
}

/// An object of parts that are shown already. `json!` would copy every one of them, and theirs again.
#[must_use]
pub fn object<const N: usize>(parts: [(&str, Value); N]) -> Value {
    with(Value::Object(serde_json::Map::new()), parts)
}

fn with<const N: usize>(mut object: Value, parts: [(&str, Value); N]) -> Value {
    if let Value::Object(fields) = &mut object {
        fields.extend(parts.map(|(name, part)| (name.to_owned(), part)));
    }
    object
}

fn shown(lot: &LotKey, as_of: Moment) -> (Option<String>, Option<String>) {
    (lot.activates_at.map(|at| at.to_string()), lot.end(as_of).map(|at| at.to_string()))
}

fn cause(cause: &Cause) -> Value {
    match cause {
        Cause::Enrolment => json!({ "enrolment": {} }),
        Cause::Purchase { channel, order_id } => {
            json!({ "purchase": { "channel": channel.as_str(), "order_id": order_id.as_str() } })
        }
        Cause::Refund { channel, order_id, refund_id } => {
            let (channel, order_id, refund_id) = (channel.as_str(), order_id.as_str(), refund_id.as_str());
            json!({ "refund": { "channel": channel, "order_id": order_id, "refund_id": refund_id } })
        }
        Cause::Adjustment { reason } => json!({ "adjustment": { "reason": reason } }),
        Cause::Due => json!({ "due": {} }),
        Cause::Erasure => json!({ "erasure": {} }),
        Cause::Redemption { redemption, reward } => {
            json!({ "redemption": { "redemption_id": redemption.to_string(), "reward_id": reward.as_str() } })
        }
        Cause::Activity { source, activity_id, kind } => {
            let (source, activity_id, kind) = (source.as_str(), activity_id.as_str(), kind.as_str());
            json!({ "activity": { "source": source, "activity_id": activity_id, "type": kind } })
        }
        Cause::Goal { goal } => json!({ "goal": { "rule": goal.as_str() } }),
        Cause::Level { level } => json!({ "tier": { "level": level.as_str() } }),
    }
}

/// Shows a purchase, as it was recorded or as it stands after its refunds.
#[must_use]
pub fn purchase(purchase: &Purchase, as_recorded: bool) -> Value {
    let lines = purchase.lines.iter().map(|line| {
        let mut shown = json!({
            "line_id": line.bought.line_id.as_str(),
            "categories": line.bought.categories.iter().map(|label| label.as_str()).collect::<Vec<_>>(),
            "quantity": line.bought.quantity,
            "net_amount": line.bought.net,
        });
        if let (Some(object), Some(sku)) = (shown.as_object_mut(), &line.bought.sku) {
            object.insert("sku".to_owned(), sku.as_str().into());
        }
        if let (Some(object), false) = (shown.as_object_mut(), as_recorded) {
            object.insert("quantity_left".to_owned(), json!(line.quantity_left));
            object.insert("net_amount_left".to_owned(), json!(line.net_left));
        }
        shown
    });
    let award = purchase.award.as_ref();
    let scalars = json!({
        "channel": purchase.channel.as_str(),
        "order_id": purchase.order_id.as_str(),
        "member_id": award.map(|award| award.member.to_string()),
        "points": award.map_or(0, |award| award.first),
        "clawed_back": if as_recorded { 0 } else { purchase.clawed_back() },
        "program_version": award.map(|award| award.frozen.version),
        "occurred_at": purchase.occurred_at.to_string(),
        "recorded_at": purchase.recorded_at.to_string(),
        "currency": purchase.currency.code(),
        "store": purchase.store.as_ref().map(|store| store.as_str()),
        "net_total": purchase.net_bought(),
        "paid_with": purchase.paid.iter().map(|paid| paid.redemption.to_string()).collect::<Vec<_>>(),
        "paid_with_points": purchase.paid_in_all().map_or(0, |paid| paid.amount),
    });
    with(scalars, [("lines", lines.collect())])
}

/// Shows an activity as it was recorded.
#[must_use]
pub fn activity(activity: &RecordedActivity) -> Value {
    json!({
        "source": activity.source.as_str(),
        "activity_id": activity.activity_id.as_str(),
        "member_id": activity.member.to_string(),
        "type": activity.kind.as_str(),
        "points": activity.points,
        "program_version": activity.program_version,
        "occurred_at": activity.occurred_at.to_string(),
        "recorded_at": activity.recorded_at.to_string(),
    })
}

/// Shows the attributes of an activity.
#[must_use]
pub fn attributes(attributes: &Attributes) -> Value {
    let shown = attributes.iter().map(|(name, value)| {
        let value = match value {
            Attribute::Bool(value) => json!(value),
            Attribute::Int(value) => json!(value),
            Attribute::Text(value) => json!(value),
        };
        (name.as_str().to_owned(), value)
    });
    Value::Object(shown.collect())
}

/// Shows badges, oldest first.
#[must_use]
pub fn badges(badges: &[Badge]) -> Value {
    badges.iter().map(|badge| json!({ "badge": badge.id.as_str(), "since": badge.since.to_string() })).collect()
}

/// The type of the event that an entry becomes.
#[must_use]
pub const fn event_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Enrol => "member.enrolled",
        Kind::Earn => "points.earned",
        Kind::Bonus => "points.granted",
        Kind::Clawback => "points.clawed_back",
        Kind::Restore => "points.restored",
        Kind::Expire => "points.expired",
        Kind::Adjust => "points.adjusted",
        Kind::Notice => "points.expiring",
        Kind::Tier => "tier.changed",
        Kind::Forfeit => "points.forfeited",
        Kind::Hold => "points.held",
        Kind::Redeem => "points.redeemed",
        Kind::Release => "points.released",
        Kind::Goal => "goal.changed",
    }
}

/// The event that an entry becomes, in the shape of CloudEvents 1.0. Its id is the entry's, so that consumers recognise
/// what they have seen; member and number are in it, so that they can restore the order.
#[must_use]
pub fn event(of: &Entry, member: MemberId, program: &ProgramId) -> Value {
    json!({
        "specversion": "1.0",
        "id": of.id(member).to_string(),
        "source": format!("loyalty/{program}"),
        "type": event_type(of.kind),
        "subject": member.to_string(),
        "time": of.recorded_at.to_string(),
        "datacontenttype": "application/json",
        "data": { "program": program.as_str(), "member_id": member.to_string(), "seq": of.seq, "entry": entry(of, member) },
    })
}
