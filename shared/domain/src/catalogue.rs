//! What of the catalogue can be had: by a member now, or by anybody.

use crate::account::{Account, Status};
use crate::award::limit_words;
use crate::calendar::Moment;
use crate::program::condition::{Condition, Facts};
use crate::program::{Program, Reward, Settle};
use crate::redemption::{MOST_HOLDS, reward_use};

/// Whether a reward can be had, and if not, why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Availability {
    /// Whether it can be had now.
    pub available: bool,
    /// What stands against it, in words a cashier can read out.
    pub because: Vec<String>,
    /// Points the member has too few.
    pub missing_points: i64,
}

/// Whether a member, whose account is settled to now, can have a reward; or, without one, whether anybody can, as far as
/// that does not depend on the member. Redeeming decides by the very same.
#[must_use]
pub fn availability(
    program: &Program,
    account: Option<&Account>,
    reward: &Reward,
    now: Moment,
    stock_left: Option<i64>,
) -> Availability {
    let mut because = Vec::new();
    if account.is_some_and(|account| account.status != Status::Active) {
        because.push("the member takes no part at present".to_owned());
    }
    because.extend(obstacles(program, account, reward, now, stock_left));
    if reward.settle == Settle::Hold && account.is_some_and(|account| account.holds.count() >= MOST_HOLDS) {
        because.push(format!("{MOST_HOLDS} redemptions are open already"));
    }
    let required = reward.least_points();
    let available = account.map_or(required, |account| account.lots.available());
    let missing_points = required.saturating_sub(available).max(0);
    if missing_points > 0 {
        because.push(format!("it takes {required} points, {available} are available"));
    }
    Availability { available: because.is_empty(), because, missing_points }
}

/// What stands against a reward besides points: its window, its conditions, the member's limit, its stock.
pub(crate) fn obstacles(
    program: &Program,
    account: Option<&Account>,
    reward: &Reward,
    now: Moment,
    stock_left: Option<i64>,
) -> Vec<String> {
    let mut because = Vec::new();
    if let Some(from) = reward.from.filter(|from| now < *from) {
        because.push(format!("it begins on {}", program.zone.date_at(from)));
    }
    if let Some(until) = reward.until.filter(|until| now >= *until) {
        because.push(format!("it ended before {}", program.zone.date_at(until)));
    }
    if let Some(when) = &reward.when {
        let tags = account.map(|account| account.tags_at(program, now)).unwrap_or_default();
        let facts = facts(program, account, &tags, now);
        match account {
            Some(_) if when.holds(&facts, None) != Some(true) => {
                when.failures(&facts, &[], &program.names(), &mut because);
            }
            None if for_anybody(when, &facts) == Some(false) => {
                because.push(format!("it needs: {}", when.words(&program.names())));
            }
            Some(_) | None => {}
        }
    }
    if let (Some(account), Some(limit)) = (account, reward.limit) {
        let used = reward_use(account, program, reward, now).map_or(0, |of| account.times_redeemed(&of));
        if used >= limit.times {
            because.push(limit_words(limit.times, limit.per));
        }
    }
    if reward.stock == Some(0) || (reward.stock.is_some() && stock_left.is_some_and(|left| left < 1)) {
        because.push("none of it is left".to_owned());
    }
    because
}

fn facts<'a>(program: &Program, account: Option<&Account>, tags: &'a [usize], now: Moment) -> Facts<'a> {
    Facts {
        occurred_at: now,
        weekday: program.zone.date_at(now).weekday().to_monday_zero_offset().unsigned_abs(),
        minute: program.zone.minute_at(now),
        net_total: None,
        channel: None,
        store: None,
        level: account.map_or(0, |account| program.rank(&account.level.id)),
        tags,
        first_purchase: false,
        member_days: account.map_or(0, |account| now.days_since(account.enrolled_at)),
        attributes: None,
    }
}

/// Whether a condition holds whoever asks; `None` where that depends on the member.
fn for_anybody(when: &Condition, facts: &Facts<'_>) -> Option<bool> {
    match when {
        Condition::All(clauses) => decided(clauses, facts, false),
        Condition::Any(clauses) => decided(clauses, facts, true),
        Condition::Not(clause) => for_anybody(clause, facts).map(|holds| !holds),
        Condition::LocalWeekday(_) | Condition::LocalTime { .. } => when.holds(facts, None),
        Condition::Tier(_)
        | Condition::Tag(_)
        | Condition::MemberDaysAtLeast(_)
        | Condition::NetTotalAtLeast(_)
        | Condition::LineCategory(_)
        | Condition::LineSku(_)
        | Condition::Channel(_)
        | Condition::Store(_)
        | Condition::FirstPurchase
        | Condition::Attribute { .. } => None,
    }
}

/// What several clauses come to, one of them being enough for `deciding`; `None` where that depends on the member.
fn decided(clauses: &[Condition], facts: &Facts<'_>, deciding: bool) -> Option<bool> {
    let known: Vec<Option<bool>> = clauses.iter().map(|clause| for_anybody(clause, facts)).collect();
    if known.contains(&Some(deciding)) {
        return Some(deciding);
    }
    (!known.contains(&None)).then_some(!deciding)
}
