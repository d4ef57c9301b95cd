//! Spending points on a reward: at once, or by setting them aside.

use super::holds::{MOST_HOLDS, Redeeming, RedemptionEffect, StockUse};
use super::{Redemption, RedemptionDecision, Status, Voucher};
use crate::account::Account;
use crate::calendar::{Moment, plus_days};
use crate::catalogue;
use crate::draft::{Draft, Posting};
use crate::entry::{Cause, Effects, Kind, Reason, Use};
use crate::id::{RedemptionId, RewardId};
use crate::lots::{Draw, LotKey};
use crate::money::{Currency, Money};
use crate::program::{PointValue, Program, Reward, Settle, Version, Worth};
use crate::refusal::Refusal;

/// What a member asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// The reward.
    pub reward: RewardId,
    /// How many points are to pay, where points pay.
    pub points: Option<i64>,
    /// In which currency.
    pub currency: Option<Currency>,
    /// What the basket costs, if stated, in minor units: points pay no more than their share of it.
    pub basket_total: Option<i64>,
}

/// What an ask comes to.
struct Price {
    points: i64,
    worth: Option<Worth>,
    rate: Option<PointValue>,
}

/// Redeems a reward. The id is the request's own, `content` a digest of what it asked for.
///
/// # Errors
/// [`Refusal::RewardUnknown`], [`Refusal::Field`] where the request does not go with the reward,
/// [`Refusal::RewardUnavailable`], [`Refusal::TooManyHolds`], [`Refusal::InsufficientPoints`], or that the member takes no
/// part.
pub fn redeem(
    mut draft: Draft<'_>,
    ask: &Ask,
    id: RedemptionId,
    content: [u8; 16],
) -> Result<RedemptionDecision, Refusal> {
    draft.must_take_part()?;
    let (now, program_version) = (draft.now(), draft.version());
    let reward = draft.program().reward(&ask.reward).ok_or(Refusal::RewardUnknown)?.clone();
    let price = price(&reward, ask)?;
    let stock_left = draft.stock_left(&reward.id);
    let because = catalogue::obstacles(draft.program(), Some(draft.account()), &reward, now, stock_left);
    if !because.is_empty() {
        return Err(Refusal::RewardUnavailable { because });
    }
    if reward.settle == Settle::Hold && draft.account().holds.count() >= MOST_HOLDS {
        return Err(Refusal::TooManyHolds { most: MOST_HOLDS });
    }
    let (draws, available) = draft.account().lots.take(price.points, now, LotKey::is_active);
    if available < price.points {
        return Err(Refusal::InsufficientPoints { required: price.points, available });
    }

    let used = reward_use(draft.account(), draft.program(), &reward, now);
    let lapses_at = reward.hold_minutes.filter(|_| reward.settle == Settle::Hold).map(|m| now.plus_minutes(m));
    let (kind, change, status) = match lapses_at {
        Some(lapses_at) => (Kind::Hold, Redeeming::SetAside { lapses_at, stock: reward.stock }, Status::Held),
        None => (Kind::Redeem, Redeeming::Spent, Status::Fulfilled),
    };
    let taken = draws.iter().map(|draw| Draw { lot: draw.lot, points: -draw.points }).collect();
    let spent = |worth: &Worth| match worth {
        Worth::Money(money) => price.rate.map(|_| *money),
        Worth::Percent(_) => None,
    };
    let worth = price.worth.as_ref().and_then(spent);
    let explanation = vec![Reason::SpentOn { reward: reward.id.clone(), points: price.points, worth }];
    let redemption = Redemption {
        id,
        version: 1,
        member: draft.account().member,
        reward: reward.id.clone(),
        kind: reward.kind,
        program_version,
        status,
        points: price.points,
        captured: if status == Status::Fulfilled { price.points } else { 0 },
        worth: price.worth,
        rate: price.rate,
        max_share: reward.max_share,
        created_at: now,
        lapses_at,
        taken,
        used: used.clone(),
        stock: reward.stock,
        voucher: voucher(draft.account(), draft.program(), &reward, now, draft.voucher_key()),
        usage: None,
        content,
        entries: Vec::new(),
        closings: Vec::new(),
    };
    draft.post(Posting {
        kind,
        points: -price.points,
        draws,
        cause: Cause::Redemption { redemption: id, reward: reward.id.clone() },
        program_version,
        explanation,
        occurred_at: now,
        effects: Effects {
            redemption: Some(RedemptionEffect { change, used: used.map(|of| (of, 1)) }),
            ..Effects::default()
        },
    })?;
    if let Some(stock) = reward.stock {
        draft.move_stock(StockUse { reward: reward.id, stock, units: 1 });
    }
    let posted = draft.finish()?;
    let entries = posted.own_entries().to_vec();
    Ok(RedemptionDecision { posted, redemption: Redemption { entries, ..redemption } })
}

/// A reward that a member gets for nothing, for reaching a goal: fulfilled, with its voucher. It counts towards no limit
/// and takes nothing out of a stock.
#[must_use]
pub(crate) fn gift(draft: &Draft<'_>, version: &Version, reward: &Reward, id: RedemptionId) -> Redemption {
    let (account, now) = (draft.account(), draft.now());
    Redemption {
        id,
        version: 1,
        member: account.member,
        reward: reward.id.clone(),
        kind: reward.kind,
        program_version: version.number,
        status: Status::Fulfilled,
        points: 0,
        captured: 0,
        worth: reward.worth,
        rate: None,
        max_share: None,
        created_at: now,
        lapses_at: None,
        taken: Vec::new(),
        used: None,
        stock: None,
        voucher: voucher(account, &version.program, reward, now, draft.voucher_key()),
        usage: None,
        content: [0; 16],
        entries: Vec::new(),
        closings: Vec::new(),
    }
}

/// The counter of a limited reward, in the period of a moment.
pub(crate) fn reward_use(account: &Account, program: &Program, reward: &Reward, now: Moment) -> Option<Use> {
    let date = account.zone(program).date_at(now);
    reward.limit.map(|limit| Use { rule: reward.id.clone(), per: limit.per, start: limit.per.start(date) })
}

/// A voucher is good from now, or from the first instant of a local day, to the end of the local day so many days later.
fn voucher(account: &Account, program: &Program, reward: &Reward, now: Moment, key: u32) -> Option<Voucher> {
    let days = |days: i64| i32::try_from(days).unwrap_or(i32::MAX);
    let good_for = reward.voucher_days?;
    let zone = account.zone(program);
    let first = plus_days(zone.date_at(now), days(reward.voucher_from_days));
    let valid_from = if reward.voucher_from_days == 0 { now } else { zone.start_of(first) };
    let expires_at = zone.end_of(plus_days(first, days(good_for)));
    Some(Voucher { valid_from, expires_at, noticed_at: None, key })
}

fn price(reward: &Reward, ask: &Ask) -> Result<Price, Refusal> {
    let field = |field, why| Err(Refusal::Field { field, why });
    if let Some(points) = reward.points {
        let given = [("points", ask.points.is_some()), ("currency", ask.currency.is_some())];
        let given = given.into_iter().chain([("basket_total", ask.basket_total.is_some())]);
        return match given.into_iter().find(|(_, given)| *given) {
            Some((name, _)) => field(name, "has a meaning only where points pay: this reward has a price"),
            None => Ok(Price { points, worth: reward.worth, rate: None }),
        };
    }
    let Some(points) = ask.points else { return field("points", "is required: how many points are to pay") };
    let Some(currency) = ask.currency else { return field("currency", "is required where points pay") };
    let Some(rate) = reward.value_in(currency) else { return field("currency", "is none in which points pay") };
    if reward.minimum.is_some_and(|least| points < least) {
        return field("points", "are fewer than the least that pay");
    }
    if reward.step.is_some_and(|step| points % step.max(1) != 0) {
        return field("points", "do not come in the steps in which points pay");
    }
    let money: Money = rate.of(points);
    if money.amount < 1 {
        return field("points", "are worth nothing");
    }
    if ask.basket_total.is_some_and(|total| money.amount > reward.most_of(total)) {
        return field("points", "are worth more than the share of the basket that points may pay");
    }
    Ok(Price { points, worth: Some(Worth::Money(money)), rate: Some(rate) })
}
