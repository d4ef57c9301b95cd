//! Refunds: exact, and the same however they are split.

use crate::account::{Account, Status};
use crate::award::award;
use crate::calendar::Moment;
use crate::draft::{Draft, Posted, Posting};
use crate::entry::{Cause, Effects, Entry, Kind, Reason};
use crate::id::CallerId;
use crate::lots::{Draw, LotKey};
use crate::membership::forfeit;
use crate::program::{Goal, Program, Shortfall};
use crate::programs::Programs;
use crate::purchase::{BudgetUse, MINUTES_AHEAD, Purchase, Recorded, budget_uses, units_of, uses};
use crate::reach;
use crate::redemption::{Redeeming, RedemptionEffect, give_back};
use crate::refusal::Refusal;
use crate::tier;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A refund as the till tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Return {
    /// Its number, unique for the purchase.
    pub refund_id: CallerId,
    /// When it was made.
    pub occurred_at: Moment,
    /// What comes back; each line at most once.
    pub lines: Vec<ReturnLine>,
}

/// A line that comes back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReturnLine {
    /// Which.
    pub line_id: CallerId,
    /// How many of it; at least 1.
    pub quantity: i64,
    /// What the customer gets for them, in minor units. If left out: what the line has left, less the share of what is
    /// kept, rounded down.
    pub net: Option<i64>,
}

/// A recorded refund.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// What was told.
    pub told: Return,
    /// Points taken back, those of goals that are not reached any more included.
    pub clawed_back: i64,
    /// Points given back: those that an earlier refund took too many of, and those that had paid.
    pub restored: i64,
    /// Its entries, for a retry.
    pub entries: Vec<Entry>,
}

/// What a refund writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundDecision {
    /// Account and entries; none for a guest's purchase.
    pub posted: Option<Posted>,
    /// The purchase with what is left.
    pub purchase: Purchase,
    /// The refund to keep.
    pub refund: Refund,
    /// What comes back to campaigns.
    pub budgets: Vec<BudgetUse>,
}

/// Refunds a guest's purchase: there is less left to claim.
///
/// # Errors
/// [`Refusal`] if more comes back than is left.
pub fn refund_guest(mut purchase: Purchase, told: &Return, now: Moment) -> Result<RefundDecision, Refusal> {
    take_lines(&mut purchase, told, now)?;
    let refund = Refund { told: told.clone(), clawed_back: 0, restored: 0, entries: Vec::new() };
    Ok(RefundDecision { posted: None, purchase, refund, budgets: Vec::new() })
}

/// Refunds a member's purchase.
///
/// Points left are the lesser of those first awarded and what the frozen rules and facts award for the lines that are
/// left, and none when no line is. The refund posts the difference to what was left before.
///
/// # Errors
/// [`Refusal`] if more comes back than is left.
pub fn refund(
    mut draft: Draft<'_>,
    programs: &Programs,
    mut purchase: Purchase,
    mut award: Recorded,
    told: &Return,
) -> Result<RefundDecision, Refusal> {
    let now = draft.now();
    let version = Arc::clone(programs.version(award.frozen.version)?);
    let program = &version.program;
    let before = Standing::of(&purchase, &award, program)?;
    let paid_before = purchase.points_left();
    take_lines(&mut purchase, told, now)?;
    let after = Standing::of(&purchase, &award, program)?;
    // Points that paid come back first, so that a clawback finds them.
    let returned = return_payment(&mut draft, &purchase, &paid_before, told)?;

    let changes = goal_changes(&draft, program, &purchase, &mut award);
    let posting = Book { draft: &draft, program, award: &mut award, before: &before, after: &after, told }.posting();
    let refunded = Reason::Refunded { first: award.first, before: before.points, left: after.points };
    let (mut posting, explanation) = posting?;
    posting.explanation = [refunded].into_iter().chain(explanation).collect();
    posting.cause = refund_of(&purchase, told);
    posting.effects = effects(&draft, program, &purchase, &award, &before, &after);
    posting.effects.progress = changes.iter().map(reach::Change::progress).collect();
    award.left = after.points;
    draft.post(posting)?;
    reach::post_changes(&mut draft, &version, changes)?;
    review_early(&mut draft, &award);
    draft.lift_level()?;

    if draft.account().status == Status::Erased {
        // What comes back to one who left is given up with all the rest.
        forfeit(&mut draft)?;
    }
    let budgets = budget_uses(program, &after.of_budgets, &before.of_budgets, true);
    purchase.award = Some(award);
    let posted = draft.finish()?;
    let entries = posted.own_entries().to_vec();
    let clawed_back = sum_of(&entries, Kind::Clawback).saturating_neg();
    let restored = sum_of(&entries, Kind::Restore).saturating_add(returned);
    let refund = Refund { told: told.clone(), clawed_back, restored, entries };
    Ok(RefundDecision { posted: Some(posted), purchase, refund, budgets })
}

/// Gives back the points that had paid for what comes back. Gives how many.
fn return_payment(draft: &mut Draft<'_>, purchase: &Purchase, before: &[i64], told: &Return) -> Result<i64, Refusal> {
    let mut returned = 0_i64;
    for ((paid, before), after) in purchase.paid.iter().zip(before).zip(purchase.points_left()) {
        let points = before - after;
        if points < 1 {
            continue;
        }
        let (now, taken) = (draft.now(), paid.coming_back(*before, after));
        let back = give_back(draft.account(), &taken, now, now);
        draft.post(Posting {
            kind: Kind::Release,
            points,
            draws: back.draws,
            cause: refund_of(purchase, told),
            program_version: draft.version(),
            explanation: [Reason::PaymentReturned { points, left: after }].into_iter().chain(back.reasons).collect(),
            occurred_at: told.occurred_at.min(now),
            effects: Effects {
                redemption: Some(RedemptionEffect { change: Redeeming::Returned, used: None }),
                ..Effects::default()
            },
        })?;
        returned = returned.saturating_add(points);
    }
    Ok(returned)
}

fn refund_of(purchase: &Purchase, told: &Return) -> Cause {
    Cause::Refund {
        channel: purchase.channel.clone(),
        order_id: purchase.order_id.clone(),
        refund_id: told.refund_id.clone(),
    }
}

fn sum_of(entries: &[Entry], kind: Kind) -> i64 {
    entries.iter().filter(|entry| entry.kind == kind).fold(0, |sum, entry| sum.saturating_add(entry.points))
}

/// What the refund changes about goals. An erased member has none any more.
fn goal_changes<'p>(
    draft: &Draft<'_>,
    program: &'p Program,
    purchase: &Purchase,
    award: &mut Recorded,
) -> Vec<reach::Change<'p>> {
    if draft.account().status == Status::Erased {
        return Vec::new();
    }
    let mut counted = std::mem::take(&mut award.counted);
    let facts = award.frozen.facts(program, purchase, purchase.net_left());
    let lines = purchase.lines_and_money();
    let amounts = |goal: &Goal| goal.of_purchase(&facts, &lines);
    let changes = reach::changes(draft.account(), program, &mut counted, amounts);
    award.counted = counted;
    changes
}

/// How a purchase stands: what its lines that are left are worth.
struct Standing {
    points: i64,
    gave: Vec<usize>,
    of_budgets: Vec<(usize, i64)>,
    net: i64,
    anything: bool,
}

impl Standing {
    fn of(purchase: &Purchase, recorded: &Recorded, program: &Program) -> Result<Self, Refusal> {
        let (lines, net) = (purchase.lines_left(), purchase.net_left());
        if lines.is_empty() {
            return Ok(Standing { points: 0, gave: Vec::new(), of_budgets: Vec::new(), net: 0, anything: false });
        }
        if (recorded.first == 0 && recorded.was_too_late()) || purchase.is_paid_with_points_alone() {
            return Ok(Standing { points: 0, gave: Vec::new(), of_budgets: Vec::new(), net, anything: true });
        }
        let facts = recorded.frozen.facts(program, purchase, net);
        let awarded = award(program, &facts, purchase.currency, &lines, recorded.frozen.caps());
        let awarded = awarded.map_err(|_| Refusal::TooMuch)?;
        Ok(Standing {
            points: awarded.points.min(recorded.first),
            gave: awarded.gave,
            of_budgets: awarded.of_budgets,
            net,
            anything: true,
        })
    }
}

impl Recorded {
    fn was_too_late(&self) -> bool {
        let reasons = self.entries.iter().flat_map(|entry| &entry.explanation);
        reasons.into_iter().any(|reason| matches!(reason, Reason::RecordedTooLate { .. }))
    }
}

/// Takes the returned quantities and amounts from what is left of the lines.
fn take_lines(purchase: &mut Purchase, told: &Return, now: Moment) -> Result<(), Refusal> {
    if told.occurred_at > now.plus_minutes(MINUTES_AHEAD) {
        return Err(Refusal::InFuture);
    }
    let (mut unknown, mut too_much) = (Vec::new(), Vec::new());
    for (index, back) in told.lines.iter().enumerate() {
        let Some(line) = purchase.lines.iter_mut().find(|line| line.bought.line_id == back.line_id) else {
            unknown.push(index);
            continue;
        };
        let kept = line.quantity_left - back.quantity;
        if kept < 0 {
            too_much.push((index, "quantity"));
            continue;
        }
        let net = back.net.unwrap_or_else(|| line.net_left - share(line.net_left, kept, line.quantity_left));
        if net > line.net_left {
            too_much.push((index, "net_amount"));
            continue;
        }
        line.quantity_left = kept;
        line.net_left -= net;
    }
    if !unknown.is_empty() {
        return Err(Refusal::LineUnknown { at: unknown });
    }
    if too_much.is_empty() {
        purchase.version += 1;
        Ok(())
    } else {
        Err(Refusal::RefundExceedsPurchase { at: too_much })
    }
}

/// The share of an amount that so many of so many units have, rounded down.
fn share(net: i64, kept: i64, of: i64) -> i64 {
    let share = i128::from(net) * i128::from(kept) / i128::from(of.max(1));
    i64::try_from(share).unwrap_or(net)
}

/// Finds the points for a refund.
struct Book<'a, 'd> {
    draft: &'a Draft<'d>,
    program: &'a Program,
    award: &'a mut Recorded,
    before: &'a Standing,
    after: &'a Standing,
    told: &'a Return,
}

impl Book<'_, '_> {
    fn posting(mut self) -> Result<(Posting, Vec<Reason>), Refusal> {
        let back = self.before.points - self.after.points;
        let (kind, points, draws, reasons) = if back >= 0 { self.clawback(back) } else { self.restore(-back)? };
        let posting = Posting {
            kind,
            points,
            draws,
            cause: Cause::Due,
            program_version: self.award.frozen.version,
            explanation: Vec::new(),
            occurred_at: self.told.occurred_at.min(self.draft.now()),
            effects: Effects::default(),
        };
        Ok((posting, reasons))
    }

    fn clawback(&mut self, back: i64) -> (Kind, i64, Vec<Draw>, Vec<Reason>) {
        let (account, now) = (self.draft.account(), self.draft.now());
        let credited = (self.award.lot, self.credited_at());
        let TakenBack { points, draws, reason } = taken_back(account, self.program, credited, back, now);
        self.award.forgiven += back - points;
        (Kind::Clawback, -points, draws, reason.into_iter().collect())
    }

    /// Into the lot that the purchase credited, after debt; what was let go before is not given back.
    fn restore(&mut self, due: i64) -> Result<(Kind, i64, Vec<Draw>, Vec<Reason>), Refusal> {
        let let_go = due.min(self.award.forgiven);
        self.award.forgiven -= let_go;
        let points = due - let_go;
        let lot = LotKey { noticed_at: None, ..self.award.lot };
        let lot = if lot.activates_at.is_some_and(|at| at <= self.draft.now()) { lot.activated() } else { lot };
        let (draws, repaid) = self.draft.credit(points, lot)?;
        let reasons = if repaid > 0 { vec![Reason::DebtRepaid { points: repaid }] } else { Vec::new() };
        Ok((Kind::Restore, points, draws, reasons))
    }

    fn credited_at(&self) -> Moment {
        self.award.entries.first().map_or(self.award.frozen.occurred_at, |entry| entry.recorded_at)
    }
}

/// What a clawback takes.
pub(crate) struct TakenBack {
    /// How many points: all, unless the program lets go what it does not find.
    pub(crate) points: i64,
    pub(crate) draws: Vec<Draw>,
    /// What is said of points that were not there any more.
    pub(crate) reason: Option<Reason>,
}

/// Takes points back: from the lot that was credited at a moment, then, by policy, from other lots in spend order, then
/// as debt.
pub(crate) fn taken_back(
    account: &Account,
    program: &Program,
    (lot, credited_at): (LotKey, Moment),
    back: i64,
    now: Moment,
) -> TakenBack {
    let own = account.lots.successor(lot, credited_at, now);
    let (mut draws, mut taken) = account.lots.take(back, now, |key| *key == own);
    if program.points.from_other_lots {
        let (others, more) = account.lots.take(back - taken, now, |key: &LotKey| *key != own);
        draws.extend(others);
        taken += more;
    }
    let short = back - taken;
    match program.points.shortfall {
        _ if short == 0 => TakenBack { points: back, draws, reason: None },
        Shortfall::Debt => TakenBack { points: back, draws, reason: Some(Reason::Owed { points: short }) },
        Shortfall::Forgive => TakenBack { points: taken, draws, reason: Some(Reason::Forgiven { points: short }) },
    }
}

fn effects(
    draft: &Draft<'_>,
    program: &Program,
    purchase: &Purchase,
    award: &Recorded,
    before: &Standing,
    after: &Standing,
) -> Effects {
    let units =
        |standing: &Standing| units_of(program, standing.points, purchase.currency, standing.net, standing.anything);
    let change = units(after) - units(before);
    let only_in = |these: &[usize], those: &[usize]| -> Vec<usize> {
        these.iter().copied().filter(|place| !those.contains(place)).collect()
    };
    let (account, at) = (draft.account(), award.frozen.occurred_at);
    let counters_of = |places: &[usize], by: i32| {
        let mut counters = uses(account, program, at, places, by);
        // The member may live elsewhere since: what the purchase moved is what moves back.
        let moved = || award.entries.iter().flat_map(|entry| &entry.effects.uses);
        for (of, _) in &mut counters {
            if let Some((then, _)) = moved().find(|(then, _)| then.rule == of.rule) {
                *of = then.clone();
            }
        }
        counters
    };
    let mut counters = counters_of(&only_in(&before.gave, &after.gave), -1);
    // A counter of a period long past is forgotten; there is nothing to give back then.
    counters.retain(|(of, _)| account.times_used(of) > 0);
    counters.extend(counters_of(&only_in(&after.gave, &before.gave), 1));
    Effects {
        units: (change != 0).then_some((award.units_bucket, change)),
        uses: counters,
        first_purchase: (award.frozen.first_purchase && before.anything && !after.anything).then_some(false),
        ..Effects::default()
    }
}

/// A refund in a later period than its purchase ends a level that is no longer carried, at the end of the local month.
fn review_early(draft: &mut Draft<'_>, award: &Recorded) {
    let (account, program, now) = (draft.account(), draft.program(), draft.now());
    let later = tier::bucket(account, program, now) > award.units_bucket;
    let lost = tier::carried(account, program, now) < program.rank(&account.level.id);
    if later && lost {
        let at = tier::early_review(account, program, now);
        draft.account_mut().level.early_review = Some(at);
    }
}

impl Refund {
    /// In what a request under the same refund id differs, as JSON Pointers into its body; a retry in nothing.
    #[must_use]
    pub fn differences(&self, told: &Return) -> Vec<String> {
        let mut differ = Vec::new();
        if self.told.occurred_at != told.occurred_at {
            differ.push("/occurred_at".to_owned());
        }
        if self.told.lines.len() == told.lines.len() {
            for (index, (kept, sent)) in self.told.lines.iter().zip(&told.lines).enumerate() {
                for (same, field) in [
                    (kept.line_id == sent.line_id, "line_id"),
                    (kept.quantity == sent.quantity, "quantity"),
                    (kept.net == sent.net, "net_amount"),
                ] {
                    if !same {
                        differ.push(format!("/lines/{index}/{field}"));
                    }
                }
            }
        } else {
            differ.push("/lines".to_owned());
        }
        differ
    }
}
