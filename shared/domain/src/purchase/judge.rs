//! The decision that makes points of a purchase: recorded, quoted or claimed by the very same code.

use super::paid::pay;
use super::{BudgetUse, Frozen, Line, MINUTES_AHEAD, Order, OrderLine, Purchase, Recorded};
use crate::account::Account;
use crate::award::{Awarded, award};
use crate::calendar::Moment;
use crate::draft::{BudgetsLeft, Draft, Posted, Posting};
use crate::entry::{Cause, Effects, Entry, Kind, Reason, Use};
use crate::grant;
use crate::id::RuleId;
use crate::money::Currency;
use crate::program::{Program, QualifyBy};
use crate::programs::Programs;
use crate::reach;
use crate::redemption::Redemption;
use crate::refusal::Refusal;
use crate::tier;
use crate::why_not::{NotApplied, goals_not_counted, not_applied};
use std::sync::Arc;

/// What recording a purchase writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PurchaseDecision {
    /// Account and entries.
    pub posted: Posted,
    /// The purchase to keep.
    pub purchase: Purchase,
    /// What campaigns pay of it.
    pub budgets: Vec<BudgetUse>,
    /// The redemptions that paid for a part of it, which say so now.
    pub redemptions: Vec<Redemption>,
}

/// What a purchase would earn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    /// The purchase as it would be recorded.
    pub purchase: Purchase,
    /// The entries it would write.
    pub entries: Vec<Entry>,
    /// What campaigns would pay of it.
    pub budgets: Vec<BudgetUse>,
    /// The rules that would give nothing, and why.
    pub not_applied: Vec<NotApplied>,
}

/// Records a member's purchase.
///
/// # Errors
/// [`Refusal`] if the member takes no part, the time is impossible or the sums are.
pub fn record(
    mut draft: Draft<'_>,
    programs: &Programs,
    order: &Order,
    reference: [u8; 16],
) -> Result<PurchaseDecision, Refusal> {
    let mut bought = purchase_of(order, draft.now(), Some(reference), None);
    let redemptions = pay(&mut bought, order, &draft)?;
    let Judged { purchase, budgets, .. } = judge(&mut draft, programs, bought, WhyNot::Unasked)?;
    let posted = draft.finish()?;
    let purchase = with_entries(purchase, &posted);
    Ok(PurchaseDecision { posted, purchase, budgets, redemptions })
}

/// What recording the purchase now would do. The same code decides, so that it agrees exactly.
///
/// # Errors
/// As [`record`].
pub fn quote(mut draft: Draft<'_>, programs: &Programs, order: &Order) -> Result<Quote, Refusal> {
    let mut bought = purchase_of(order, draft.now(), None, None);
    pay(&mut bought, order, &draft)?;
    let Judged { purchase, budgets, not_applied } = judge(&mut draft, programs, bought, WhyNot::Asked)?;
    let posted = draft.finish()?;
    let purchase = with_entries(purchase, &posted);
    Ok(Quote { purchase, entries: posted.own_entries().to_vec(), budgets, not_applied })
}

/// A guest's purchase: kept as it was told, without points.
///
/// # Errors
/// [`Refusal::InFuture`], [`Refusal::TooOld`], [`Refusal::TooMuch`].
pub fn record_guest(programs: &Programs, order: &Order, now: Moment) -> Result<Purchase, Refusal> {
    let program = &programs.at(now)?.program;
    business_time(order.occurred_at, now, program.points.late_purchase_days)?;
    net_of(order)?;
    Ok(purchase_of(order, now, None, None))
}

/// Gives a guest's purchase to the member who claims it: it earns on what is left of it, judged as of when it occurred.
///
/// # Errors
/// [`Refusal::Claimed`] if somebody has it already, [`Refusal::WrongTotal`] if the stated net total is not the purchase's;
/// else as [`record`].
pub fn claim(
    mut draft: Draft<'_>,
    programs: &Programs,
    mut purchase: Purchase,
    net_total: i64,
) -> Result<PurchaseDecision, Refusal> {
    if purchase.award.is_some() {
        return Err(Refusal::Claimed);
    }
    if purchase.net_bought() != net_total {
        return Err(Refusal::WrongTotal);
    }
    if purchase.lines_left().is_empty() {
        return Err(Refusal::NothingLeft);
    }
    purchase.version += 1;
    let Judged { purchase, budgets, .. } = judge(&mut draft, programs, purchase, WhyNot::Unasked)?;
    let posted = draft.finish()?;
    let purchase = with_entries(purchase, &posted);
    Ok(PurchaseDecision { posted, purchase, budgets, redemptions: Vec::new() })
}

/// The time that counts for the rules.
///
/// # Errors
/// [`Refusal::InFuture`], [`Refusal::TooOld`].
fn business_time(told: Moment, now: Moment, late_days: i64) -> Result<Moment, Refusal> {
    if told > now.plus_minutes(MINUTES_AHEAD) {
        return Err(Refusal::InFuture);
    }
    if told < now.plus_days(-late_days) {
        return Err(Refusal::TooOld { days: late_days });
    }
    Ok(told.min(now))
}

fn net_of(order: &Order) -> Result<i64, Refusal> {
    order.lines.iter().try_fold(0_i64, |sum, line| sum.checked_add(line.net)).ok_or(Refusal::TooMuch)
}

struct Judged {
    purchase: Purchase,
    budgets: Vec<BudgetUse>,
    not_applied: Vec<NotApplied>,
}

/// Whether anybody wants to know why rules gave nothing. Words for hundreds of rules cost more than the award itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum WhyNot {
    Asked,
    Unasked,
}

fn judge(
    draft: &mut Draft<'_>,
    programs: &Programs,
    mut purchase: Purchase,
    why_not: WhyNot,
) -> Result<Judged, Refusal> {
    draft.must_take_part()?;
    let now = draft.now();
    let occurred_at = business_time(purchase.occurred_at, now, draft.program().points.late_purchase_days)?;
    let version = Arc::clone(programs.at(occurred_at)?);
    let program = &version.program;
    let net = purchase.checked_net_left()?;

    let mut frozen = freeze(draft.account(), program, version.number, occurred_at, net);
    frozen.budgets = budgets_left(program, draft.budgets());
    let facts = frozen.facts(program, &purchase, net);
    let lines = purchase.lines_left();
    let caps = frozen.caps();
    let mut awarded = award(program, &facts, purchase.currency, &lines, caps).map_err(|_| Refusal::TooMuch)?;
    if purchase.is_paid_with_points_alone() {
        awarded = Awarded { points: 0, gave: Vec::new(), of_budgets: Vec::new(), explanation: Vec::new() };
    }
    let bought = purchase.lines_and_money();
    let steps = reach::steps(draft.account(), program, occurred_at, now, |goal| goal.of_purchase(&facts, &bought));
    let not_applied = match why_not {
        WhyNot::Asked => {
            let mut all = not_applied(program, &facts, purchase.currency, &lines, caps, &awarded);
            let counts = |goal: &RuleId| steps.iter().any(|step| step.goal() == goal);
            all.extend(goals_not_counted(program, &facts, &lines, counts));
            all
        }
        WhyNot::Unasked => Vec::new(),
    };

    let lot = grant::lot(draft.account(), program, occurred_at);
    if program.points.notice_days == 0
        && let Some(expired_at) = lot.expires_at.filter(|at| *at <= now)
    {
        let explanation = vec![Reason::RecordedTooLate { expired_at }];
        awarded = Awarded { points: 0, gave: Vec::new(), of_budgets: Vec::new(), explanation };
    }
    let budgets = budget_uses(program, &awarded.of_budgets, &[], false);
    frozen.budgets = granted(program, &awarded.of_budgets);
    let lot = if lot.activates_at.is_some_and(|at| at <= now) { lot.activated() } else { lot };
    let units_bucket = tier::bucket(draft.account(), program, occurred_at);
    let recorded = Recorded {
        member: draft.account().member,
        first: awarded.points,
        left: awarded.points,
        forgiven: 0,
        lot,
        units_bucket,
        counted: steps.iter().map(reach::Step::counted).collect(),
        entries: Vec::new(),
        frozen,
    };
    let units = units_of(program, awarded.points, purchase.currency, net, true);
    let effects = Effects {
        units: (units != 0).then_some((units_bucket, units)),
        uses: uses(draft.account(), program, occurred_at, &awarded.gave, 1),
        first_purchase: recorded.frozen.first_purchase.then_some(true),
        progress: steps.iter().map(reach::Step::progress).collect(),
        ..Effects::default()
    };
    let (draws, repaid) = draft.credit(awarded.points, lot)?;
    let mut explanation = awarded.explanation;
    explanation.extend(steps.iter().map(reach::Step::reason));
    if repaid > 0 {
        explanation.push(Reason::DebtRepaid { points: repaid });
    }
    explanation.extend(purchase.paid_in_all().map(|paid| Reason::PaidWithPoints { paid }));
    let cause = Cause::Purchase { channel: purchase.channel.clone(), order_id: purchase.order_id.clone() };
    let (points, program_version) = (awarded.points, version.number);
    draft.post(Posting {
        kind: Kind::Earn,
        points,
        draws,
        cause,
        program_version,
        explanation,
        occurred_at,
        effects,
    })?;
    reach::post(draft, &version, steps)?;
    draft.lift_level()?;
    purchase.award = Some(recorded);
    Ok(Judged { purchase, budgets, not_applied })
}

/// What each rule with a budget was granted, nothing included: more it cannot give when lines come back.
fn granted(program: &Program, of_budgets: &[(usize, i64)]) -> Vec<(usize, i64)> {
    let points = |place| of_budgets.iter().find(|(rule, _)| *rule == place).map_or(0, |(_, points)| *points);
    let rules = program.rules.iter().enumerate().filter(|(_, rule)| rule.budget.is_some());
    rules.map(|(place, _)| (place, points(place))).collect()
}

/// What is left of budgets that were looked up, by the places of their rules.
pub(crate) fn budgets_left(program: &Program, known: &BudgetsLeft) -> Vec<(usize, i64)> {
    let rules = program.rules.iter().enumerate().filter(|(_, rule)| rule.budget.is_some());
    rules.filter_map(|(place, rule)| Some((place, *known.get(&rule.id)?))).collect()
}

/// What campaigns pay when these shares of theirs take the place of those.
pub(crate) fn budget_uses(
    program: &Program,
    now: &[(usize, i64)],
    before: &[(usize, i64)],
    granted: bool,
) -> Vec<BudgetUse> {
    let of = |shares: &[(usize, i64)], place| {
        shares.iter().find(|(rule, _)| *rule == place).map_or(0, |(_, points)| *points)
    };
    let rules = program.rules.iter().enumerate().filter_map(|(place, rule)| Some((place, rule, rule.budget?)));
    let uses = rules.map(|(place, rule, budget)| {
        let points = of(now, place) - of(before, place);
        BudgetUse { rule: rule.id.clone(), budget, points, granted }
    });
    uses.filter(|used| used.points != 0).collect()
}

fn with_entries(mut purchase: Purchase, posted: &Posted) -> Purchase {
    if let Some(award) = purchase.award.as_mut() {
        award.entries = posted.own_entries().to_vec();
        // A full account may have put the points beside where they would have gone.
        if let Some(draw) = award.entries.first().and_then(|entry| entry.draws.first()) {
            award.lot = draw.lot;
        }
    }
    purchase
}

fn freeze(account: &Account, program: &Program, version: u32, occurred_at: Moment, net: i64) -> Frozen {
    // Before the enrolment the member is one of day 0 on the lowest level.
    let before = occurred_at < account.enrolled_at;
    Frozen {
        version,
        occurred_at,
        level: if before { 0 } else { program.rank(account.level_at(occurred_at)) },
        tags: account.tags_at(program, occurred_at),
        first_purchase: !account.first_purchase && net > 0,
        member_days: occurred_at.days_since(account.enrolled_at),
        used_up: used_up(account, program, occurred_at),
        budgets: Vec::new(),
    }
}

/// The places of the rules whose limit the member has reached in the period of a moment.
pub(crate) fn used_up(account: &Account, program: &Program, at: Moment) -> Vec<usize> {
    let date = account.zone(program).date_at(at);
    let limited = program.rules.iter().enumerate().filter_map(|(place, rule)| {
        let limit = rule.limit?;
        let of = Use { rule: rule.id.clone(), per: limit.per, start: limit.per.start(date) };
        (account.times_used(&of) >= limit.times).then_some(place)
    });
    limited.collect()
}

/// The counters that rules which gave something move, by so many.
pub(crate) fn uses(account: &Account, program: &Program, at: Moment, rules: &[usize], by: i32) -> Vec<(Use, i32)> {
    let date = account.zone(program).date_at(at);
    let limited =
        rules.iter().filter_map(|place| program.rules.get(*place)).filter_map(|rule| Some((rule, rule.limit?)));
    limited
        .map(|(rule, limit)| (Use { rule: rule.id.clone(), per: limit.per, start: limit.per.start(date) }, by))
        .collect()
}

/// The qualifying units of a purchase of which so much is left.
pub(crate) fn units_of(program: &Program, points: i64, currency: Currency, net: i64, anything_left: bool) -> i64 {
    match program.tiers.qualify_by {
        QualifyBy::PointsEarned => points,
        QualifyBy::Spend(counted) => {
            if counted == currency {
                net
            } else {
                0
            }
        }
        QualifyBy::Visits => i64::from(anything_left),
    }
}

fn purchase_of(order: &Order, now: Moment, reference: Option<[u8; 16]>, award: Option<Recorded>) -> Purchase {
    let whole = |line: &OrderLine| Line { bought: line.clone(), quantity_left: line.quantity, net_left: line.net };
    Purchase {
        channel: order.channel.clone(),
        order_id: order.order_id.clone(),
        version: 1,
        occurred_at: order.occurred_at,
        recorded_at: now,
        currency: order.currency,
        store: order.store.clone(),
        lines: order.lines.iter().map(whole).collect(),
        reference,
        award,
        paid: Vec::new(),
    }
}
