//! Ledger entries: immutable facts from which an account can be rebuilt, with the arithmetic that made them.

use crate::calendar::{Moment, Per};
use crate::exact::{Exact, Rounding};
use crate::goal::Progress;
use crate::id::{CallerId, EntryId, Label, LevelId, MemberId, RedemptionId, RewardId, RuleId};
use crate::lots::Draw;
use crate::money::{Currency, Money};
use crate::pass::Pass;
use crate::redemption::{Redeeming, RedemptionEffect};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use ulid::Ulid;

/// One line of a member's ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// 1 for the first of a member, without gaps.
    pub seq: u64,
    /// What happened.
    pub kind: Kind,
    /// Signed change of the member's position.
    pub points: i64,
    /// The position afterwards.
    pub balance_after: Balance,
    /// How much of a credit paid a debt.
    pub debt_repaid: i64,
    /// What it put into lots and took out of them.
    pub draws: Vec<Draw>,
    /// The fact behind it.
    pub cause: Cause,
    /// The program version that judged it.
    pub program_version: u32,
    /// How its number came about.
    pub explanation: Vec<Reason>,
    /// Business time.
    pub occurred_at: Moment,
    /// Ledger time.
    pub recorded_at: Moment,
    /// Who asked for it; `system` for what fell due.
    pub actor: String,
    /// What else it changed.
    pub effects: Effects,
}

/// Changes of an account besides points.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effects {
    /// Qualifying units by the first day of their period.
    pub units: Option<(i32, i64)>,
    /// Uses of limited rules, +1 or −1 each.
    pub uses: Vec<(Use, i32)>,
    /// Whether the first purchase is taken, if that changed.
    pub first_purchase: Option<bool>,
    /// The new level, from `occurred_at` on.
    pub level: Option<LevelId>,
    /// The lots whose notice this is, with what they held.
    pub noticed: Vec<Draw>,
    /// What it does to points set aside or spent on a reward.
    pub redemption: Option<RedemptionEffect>,
    /// How far the member is with goals that it moved, from then on.
    pub progress: Vec<Progress>,
    /// A badge given, or taken away again.
    pub badge: Option<(CallerId, bool)>,
    /// Levels and tags granted for a time, or for another time than before.
    pub passes: Vec<Pass>,
    /// The level whose entry bonus this is, and the day under which the period's units are counted.
    pub entry_bonus: Option<(LevelId, i32)>,
}

/// What a counter of a limited rule counts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Use {
    /// The rule.
    pub rule: RuleId,
    /// The length of its period.
    pub per: Per,
    /// The first day of the period, as a day number.
    pub start: i32,
}

/// A member's position.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balance {
    /// Can be spent.
    pub available: i64,
    /// Not active yet.
    pub pending: i64,
    /// Set aside for redemptions.
    pub held: i64,
    /// Owed after clawbacks.
    pub debt: i64,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident $word:literal $contra:ident;)*) => {
        /// What an entry says happened.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Kind { $($(#[$doc])* $kind,)* }

        impl Kind {
            /// Every kind.
            pub const ALL: &'static [Kind] = &[$(Kind::$kind,)*];

            /// The word for it in answers and events.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Kind::$kind => $word,)* }
            }

            /// Where its points come from or go to.
            #[must_use]
            pub const fn contra(self) -> Contra {
                match self { $(Kind::$kind => Contra::$contra,)* }
            }
        }
    };
}

kinds! {
    /// The member joined; 0 points.
    Enrol "enrol" Issued;
    /// Points for a purchase.
    Earn "earn" Issued;
    /// Points for something else than money.
    Bonus "bonus" Issued;
    /// Points taken back after a refund.
    Clawback "clawback" ClawedBack;
    /// Points given back because a refund had taken too many.
    Restore "restore" ClawedBack;
    /// Points that ended unspent.
    Expire "expire" Expired;
    /// A correction by an operator.
    Adjust "adjust" Adjusted;
    /// Notice that points will expire; 0 points.
    Notice "notice" Expired;
    /// A change of level; 0 points.
    Tier "tier" Issued;
    /// Points given up by leaving.
    Forfeit "forfeit" Forfeited;
    /// Points set aside for a reward.
    Hold "hold" Held;
    /// Points spent on a reward: at once, or, with 0 points, those set aside for it.
    Redeem "redeem" Redeemed;
    /// Points that come back from a reward.
    Release "release" Held;
    /// A goal was reached, or is not any more; 0 points.
    Goal "goal" Issued;
}

/// The other side of an entry: program totals over all sides sum to zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Contra {
    /// Created by the program.
    Issued,
    /// Ended unspent.
    Expired,
    /// Taken back.
    ClawedBack,
    /// Corrected.
    Adjusted,
    /// Given up.
    Forfeited,
    /// Set aside for rewards.
    Held,
    /// Spent on rewards.
    Redeemed,
}

impl Contra {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Contra::Issued => "issued",
            Contra::Expired => "expired",
            Contra::ClawedBack => "clawed_back",
            Contra::Adjusted => "adjusted",
            Contra::Forfeited => "forfeited",
            Contra::Held => "held",
            Contra::Redeemed => "redeemed",
        }
    }
}

/// The fact behind an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cause {
    /// The member joined.
    Enrolment,
    /// A purchase.
    Purchase {
        /// Where it was made.
        channel: CallerId,
        /// Its number there.
        order_id: CallerId,
    },
    /// A refund of a purchase.
    Refund {
        /// Where the purchase was made.
        channel: CallerId,
        /// Its number there.
        order_id: CallerId,
        /// The refund's own number.
        refund_id: CallerId,
    },
    /// An operator's correction.
    Adjustment {
        /// The operator's word for why.
        reason: String,
    },
    /// A date that has come.
    Due,
    /// The member's data were erased.
    Erasure,
    /// A member's claim on a reward.
    Redemption {
        /// Which.
        redemption: RedemptionId,
        /// The reward.
        reward: RewardId,
    },
    /// Something that the member did.
    Activity {
        /// Who tells of it.
        source: CallerId,
        /// Its number there.
        activity_id: CallerId,
        /// What it was.
        kind: CallerId,
    },
    /// A goal was reached, or is not any more.
    Goal {
        /// Which.
        goal: RuleId,
    },
    /// A level was reached.
    Level {
        /// Which.
        level: LevelId,
    },
}

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

impl Entry {
    /// Where its points come from or go to: its kind's side, but for points that come back when they were spent already.
    #[must_use]
    pub fn contra(&self) -> Contra {
        match &self.effects.redemption {
            Some(RedemptionEffect { change: Redeeming::Returned, .. }) => Contra::Redeemed,
            Some(_) | None => self.kind.contra(),
        }
    }

    /// The entry's id: its ledger time and a digest of member and number, so that it needs no room and no randomness,
    /// and is the same whoever computes it.
    #[must_use]
    pub fn id(&self, member: MemberId) -> EntryId {
        let mut digest = Sha256::new();
        digest.update(member.ulid().to_bytes());
        digest.update(self.seq.to_be_bytes());
        let mut random = [0_u8; 16];
        for (to, from) in random.iter_mut().skip(6).zip(digest.finalize()) {
            *to = from;
        }
        let millis = u64::try_from(self.recorded_at.millis()).unwrap_or(0);
        EntryId::new(Ulid::from_parts(millis, u128::from_be_bytes(random)))
    }
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
