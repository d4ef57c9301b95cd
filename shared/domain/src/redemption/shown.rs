//! What people see of rewards, redemptions and vouchers.

use super::Redemption;
use crate::account::Account;
use crate::calendar::Moment;
use crate::catalogue::Availability;
use crate::id::ProgramId;
use crate::money::Money;
use crate::program::{Reward, Worth};
use crate::voucher::Code;
use serde_json::{Value, json};

/// Shows a reward of the catalogue, and whether it can be had. The price of one with which points pay is the least that
/// pays.
#[must_use]
pub fn availability(reward: &Reward, is: &Availability) -> Value {
    let (amount, percent) = worth(reward.worth.as_ref());
    let pays = reward.value.iter().map(|value| json!({ "points": value.points, "value": shown(value.money) }));
    json!({
        "reward_id": reward.id.as_str(),
        "name": reward.name,
        "kind": reward.kind.word(),
        "points": reward.least_points(),
        "value": amount,
        "percent": percent,
        "pays": pays.collect::<Vec<_>>(),
        "available": is.available,
        "because": is.because,
        "missing_points": is.missing_points,
    })
}

/// Shows a redemption as of a moment.
#[must_use]
pub fn redemption(of: &Redemption, now: Moment) -> Value {
    let (amount, percent) = worth(of.worth.as_ref());
    json!({
        "redemption_id": of.id.to_string(),
        "member_id": of.member.to_string(),
        "reward_id": of.reward.as_str(),
        "kind": of.kind.word(),
        "status": of.status_at(now).word(),
        "points": of.points,
        "captured_points": of.captured,
        "value": amount,
        "percent": percent,
        "program_version": of.program_version,
        "created_at": of.created_at.to_string(),
        "lapses_at": of.lapses_at.map(|at| at.to_string()),
        "used": of.usage.as_ref().map(|usage| json!({
            "channel": usage.channel.as_str(),
            "order_id": usage.order_id.as_str(),
            "at": usage.at.to_string(),
        })),
    })
}

/// Shows a redemption's voucher with its code: null without one.
#[must_use]
pub fn voucher(of: &Redemption, code: &Code) -> Value {
    of.voucher.as_ref().map_or(Value::Null, |voucher| {
        json!({
            "code": code.to_string(),
            "valid_from": voucher.valid_from.to_string(),
            "expires_at": voucher.expires_at.to_string(),
        })
    })
}

/// Shows what a voucher is worth and whether it can be used now, for a till that looks it up.
#[must_use]
pub fn voucher_looked_up(of: &Redemption, account: &Account, now: Moment) -> Value {
    let obstacle = super::voucher_obstacle(of, account, now);
    let (amount, percent) = worth(of.worth.as_ref());
    json!({
        "redemption_id": of.id.to_string(),
        "reward_id": of.reward.as_str(),
        "kind": of.kind.word(),
        "status": of.status_at(now).word(),
        "value": amount,
        "percent": percent,
        "valid_from": of.voucher.as_ref().map(|voucher| voucher.valid_from.to_string()),
        "expires_at": of.voucher.as_ref().map(|voucher| voucher.expires_at.to_string()),
        "usable": obstacle.is_none(),
        "because": obstacle.map(|refusal| refusal.to_string()).into_iter().collect::<Vec<_>>(),
    })
}

fn shown(money: Money) -> Value {
    json!({ "amount": money.amount, "currency": money.currency.code() })
}

/// The event that a change of a redemption becomes, beside those of its entries: its voucher was used, or will expire. Its
/// id is made of the redemption's and its version; the code is in no event.
#[must_use]
pub fn event(before: &Redemption, after: &Redemption, program: &ProgramId) -> Option<Value> {
    let told = |of: &Redemption| of.voucher.as_ref().and_then(|voucher| voucher.noticed_at);
    let in_time = after.voucher.as_ref().is_some_and(|voucher| told(after) < Some(voucher.expires_at));
    let (kind, at) = match (&before.usage, &after.usage) {
        (None, Some(usage)) if after.voucher.is_some() => ("voucher.used", usage.at),
        (None, Some(usage)) => ("redemption.used", usage.at),
        _ if told(before).is_none() && in_time => ("voucher.expiring", told(after)?),
        _ => return None,
    };
    Some(json!({
        "specversion": "1.0",
        "id": format!("{}.{}", after.id, after.version),
        "source": format!("loyalty/{program}"),
        "type": kind,
        "subject": after.member.to_string(),
        "time": at.to_string(),
        "datacontenttype": "application/json",
        "data": {
            "program": program.as_str(),
            "member_id": after.member.to_string(),
            "redemption": redemption(after, at),
            "expires_at": after.voucher.as_ref().map(|voucher| voucher.expires_at.to_string()),
        },
    }))
}

fn worth(worth: Option<&Worth>) -> (Value, Value) {
    match worth {
        Some(Worth::Money(money)) => (shown(*money), Value::Null),
        Some(Worth::Percent(percent)) => (Value::Null, percent.to_string().into()),
        None => (Value::Null, Value::Null),
    }
}
