//! The steps of the arithmetic behind an entry: kept as data, told in words when somebody reads them.

use crate::calendar::{Moment, Per};
use crate::exact::{Exact, Rounding};
use crate::id::{Label, LevelId, RedemptionId, RewardId, RuleId};
use crate::money::{Currency, Money};
use serde::{Deserialize, Serialize};

/// One step of the arithmetic behind an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reason {
    /// A rate on spend.
    PerAmount {
        /// The rule.
        rule: RuleId,
        /// Net spend of the lines it selected.
        net: Money,
        /// So many points …
        points: Exact,
        /// … per so many minor units.
        amount: i64,
        /// What that gives.
        exact: Exact,
    },
    /// A multiplier of lines.
    Multiplied {
        /// The rule.
        rule: RuleId,
        /// By what.
        factor: Exact,
        /// What that added.
        exact: Exact,
    },
    /// The level's multiplier.
    LevelMultiplied {
        /// The level.
        level: LevelId,
        /// By what.
        factor: Exact,
        /// What that added.
        exact: Exact,
    },
    /// The one rounding.
    Rounded {
        /// How.
        mode: Rounding,
        /// The exact total of rates and multipliers.
        from: Exact,
        /// Whole points.
        to: i64,
    },
    /// Fixed points.
    Fixed {
        /// The rule.
        rule: RuleId,
        /// How many.
        points: i64,
    },
    /// A rule that would have applied, had the member not used it up.
    LimitReached {
        /// The rule.
        rule: RuleId,
        /// How often it serves.
        times: u32,
        /// In which period.
        per: Per,
    },
    /// A rule whose budget had less left than it would have given.
    BudgetShort {
        /// The rule.
        rule: RuleId,
        /// Points that were left.
        left: i64,
    },
    /// The program says nothing about that currency.
    NoRuleForCurrency {
        /// Which.
        currency: Currency,
    },
    /// No rule's conditions were met.
    NoRuleApplied,
    /// The points would have ended before the purchase was recorded.
    RecordedTooLate {
        /// When they would have ended.
        expired_at: Moment,
    },
    /// What a refund leaves of an award.
    Refunded {
        /// Points first awarded.
        first: i64,
        /// Points left before.
        before: i64,
        /// Points left now.
        left: i64,
    },
    /// A clawback found too few points, and the program lets the rest go.
    Forgiven {
        /// How many.
        points: i64,
    },
    /// A clawback found too few points; the rest is owed.
    Owed {
        /// How many.
        points: i64,
    },
    /// A credit paid a debt.
    DebtRepaid {
        /// How many points.
        points: i64,
    },
    /// Points that will end, or have ended.
    Ends {
        /// How many.
        points: i64,
        /// When.
        at: Moment,
    },
    /// A change of level.
    LevelChanged {
        /// Before.
        from: LevelId,
        /// Now.
        to: LevelId,
        /// Qualifying units in the current period.
        units: i64,
    },
    /// Points go into a reward.
    SpentOn {
        /// Which.
        reward: RewardId,
        /// How many.
        points: i64,
        /// What they pay, where they pay.
        worth: Option<Money>,
    },
    /// Points that were set aside are spent.
    Captured {
        /// How many.
        points: i64,
        /// Of so many.
        held: i64,
    },
    /// A redemption is called off.
    CalledOff,
    /// Points were set aside until then, and nobody spent them.
    Lapsed {
        /// When.
        at: Moment,
    },
    /// Points came back after their lot had ended, and live on for some days.
    Grace {
        /// How many.
        points: i64,
        /// Until when.
        until: Moment,
    },
    /// A part of a purchase was paid with points and earns none.
    PaidWithPoints {
        /// How much.
        paid: Money,
    },
    /// Points that had paid come back with what they had paid for.
    PaymentReturned {
        /// How many.
        points: i64,
        /// How many of those that paid are left in the purchase.
        left: i64,
    },
    /// What counted towards a goal.
    Counted {
        /// The goal.
        goal: RuleId,
        /// How far the member is.
        counted: i64,
        /// How many make it.
        of: i64,
        /// Whether what had been counted before has lapsed.
        anew: bool,
    },
    /// A goal was reached.
    GoalReached {
        /// The goal.
        goal: RuleId,
        /// How often at once.
        times: u32,
    },
    /// A goal gave a reward.
    RewardGiven {
        /// The goal.
        goal: RuleId,
        /// The reward.
        reward: RewardId,
        /// The redemption that stands for it.
        redemption: RedemptionId,
    },
    /// A goal was reached, and is not any more: what counted came back.
    GoalLost {
        /// The goal.
        goal: RuleId,
        /// How many times fewer.
        times: u32,
    },
    /// A level was granted for a time.
    LevelGranted {
        /// Which.
        level: LevelId,
        /// Until when, exclusive.
        until: Moment,
    },
    /// A tag was granted for a time.
    TagGranted {
        /// Which.
        tag: Label,
        /// From when on.
        from: Moment,
        /// Until when, exclusive.
        until: Moment,
    },
    /// What a level gives whoever reaches it, once in a period.
    EntryBonus {
        /// The level.
        level: LevelId,
        /// How many points.
        points: i64,
    },
    /// Nothing could be granted: the activity does not say for which day.
    NoDayToGrant {
        /// The rule.
        rule: RuleId,
    },
}

impl Reason {
    /// The rule it is about.
    #[must_use]
    pub fn rule(&self) -> Option<&str> {
        match self {
            Reason::PerAmount { rule, .. }
            | Reason::Multiplied { rule, .. }
            | Reason::Fixed { rule, .. }
            | Reason::LimitReached { rule, .. }
            | Reason::BudgetShort { rule, .. }
            | Reason::NoDayToGrant { rule } => Some(rule.as_str()),
            Reason::Counted { goal, .. }
            | Reason::GoalReached { goal, .. }
            | Reason::RewardGiven { goal, .. }
            | Reason::GoalLost { goal, .. } => Some(goal.as_str()),
            Reason::LevelMultiplied { .. } | Reason::EntryBonus { .. } => Some("tier"),
            Reason::Rounded { .. }
            | Reason::NoRuleForCurrency { .. }
            | Reason::NoRuleApplied
            | Reason::RecordedTooLate { .. }
            | Reason::Refunded { .. }
            | Reason::Forgiven { .. }
            | Reason::Owed { .. }
            | Reason::DebtRepaid { .. }
            | Reason::Ends { .. }
            | Reason::LevelChanged { .. }
            | Reason::SpentOn { .. }
            | Reason::Captured { .. }
            | Reason::CalledOff
            | Reason::Lapsed { .. }
            | Reason::Grace { .. }
            | Reason::PaidWithPoints { .. }
            | Reason::PaymentReturned { .. }
            | Reason::LevelGranted { .. }
            | Reason::TagGranted { .. } => None,
        }
    }

    /// Its share of the exact total, for those that have one.
    #[must_use]
    pub fn exact(&self) -> Option<Exact> {
        match self {
            Reason::PerAmount { exact, .. }
            | Reason::Multiplied { exact, .. }
            | Reason::LevelMultiplied { exact, .. } => Some(*exact),
            Reason::Fixed { points, .. } | Reason::EntryBonus { points, .. } => Some(Exact::whole(*points)),
            Reason::LimitReached { .. } => Some(Exact::ZERO),
            // What it gave stands in a line of its own.
            Reason::BudgetShort { .. } => None,
            Reason::Rounded { .. }
            | Reason::NoRuleForCurrency { .. }
            | Reason::NoRuleApplied
            | Reason::RecordedTooLate { .. }
            | Reason::Refunded { .. }
            | Reason::Forgiven { .. }
            | Reason::Owed { .. }
            | Reason::DebtRepaid { .. }
            | Reason::Ends { .. }
            | Reason::LevelChanged { .. }
            | Reason::SpentOn { .. }
            | Reason::Captured { .. }
            | Reason::CalledOff
            | Reason::Lapsed { .. }
            | Reason::Grace { .. }
            | Reason::PaidWithPoints { .. }
            | Reason::PaymentReturned { .. }
            | Reason::Counted { .. }
            | Reason::GoalReached { .. }
            | Reason::RewardGiven { .. }
            | Reason::GoalLost { .. }
            | Reason::LevelGranted { .. }
            | Reason::TagGranted { .. }
            | Reason::NoDayToGrant { .. } => None,
        }
    }

    /// It in words for a member, a cashier and an auditor.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Reason::PerAmount { net, points, amount, .. } => {
                let word = if *points == Exact::ONE { "point" } else { "points" };
                format!("{net} at {points} {word} per {}", Money { amount: *amount, currency: net.currency })
            }
            Reason::Multiplied { factor, .. } => format!("times {factor}"),
            Reason::LevelMultiplied { level, factor, .. } => format!("level {level}: times {factor}"),
            Reason::Rounded { mode, from, to } => format!("{from} rounded ({}) to {to}", mode.word()),
            Reason::Fixed { points, .. } => format!("{points} points"),
            Reason::LimitReached { times, per, .. } => crate::award::limit_words(*times, *per),
            Reason::BudgetShort { left: 0, .. } => crate::award::BUDGET_SPENT.to_owned(),
            Reason::BudgetShort { left, .. } => format!("its budget has {left} points left"),
            Reason::NoRuleForCurrency { currency } => format!("the program has no rule for purchases in {currency}"),
            Reason::NoRuleApplied => "no rule applies to it".to_owned(),
            Reason::RecordedTooLate { expired_at } => {
                format!("recorded so late that its points would have ended at {expired_at}")
            }
            Reason::Refunded { first, before, left } => {
                format!("of {first} points first awarded, {left} are left after the refund, {before} before it")
            }
            Reason::Forgiven { points } => format!("{points} points are not there any more and are let go"),
            Reason::Owed { points } => format!("{points} points are not there any more and are owed"),
            Reason::DebtRepaid { points } => format!("{points} points pay what was owed"),
            Reason::Ends { points, at } => format!("{points} points end at {at}"),
            Reason::LevelChanged { from, to, units } => {
                format!("from level {from} to {to}, with {units} qualifying units")
            }
            Reason::SpentOn { reward, points, worth: None } => format!("{points} points for {reward}"),
            Reason::SpentOn { reward, points, worth: Some(worth) } => {
                format!("{points} points for {reward}, which pay {worth}")
            }
            Reason::Captured { points, held } => format!("{points} of {held} points set aside are spent"),
            Reason::CalledOff => "called off".to_owned(),
            Reason::Lapsed { at } => format!("set aside until {at} and not spent by then"),
            Reason::Grace { points, until } => {
                format!("{points} points would have ended meanwhile and live on until {until}")
            }
            Reason::PaidWithPoints { paid } => format!("{paid} of it were paid with points and earn none"),
            Reason::PaymentReturned { points, left } => {
                format!("{points} points that paid for it come back, {left} are left in it")
            }
            Reason::Counted { counted, of, anew: false, .. } => format!("counts: {counted} of {of}"),
            Reason::Counted { counted, of, anew: true, .. } => {
                format!("what had been counted has lapsed; counts anew: {counted} of {of}")
            }
            Reason::GoalReached { times: 1, .. } => "reached".to_owned(),
            Reason::GoalReached { times, .. } => format!("reached {times} times"),
            Reason::RewardGiven { reward, redemption, .. } => format!("gives {reward} as {redemption}"),
            Reason::GoalLost { .. } => "not reached any more: what counted has come back".to_owned(),
            Reason::LevelGranted { level, until } => format!("level {level} until {until}"),
            Reason::TagGranted { tag, from, until } => format!("{} from {from} until {until}", tag.as_str()),
            Reason::EntryBonus { level, points } => format!("{points} points for reaching level {level}"),
            Reason::NoDayToGrant { .. } => "the activity does not name a day that can be granted".to_owned(),
        }
    }
}
