//! The rules of one loyalty program: a versioned document, read strictly and kept as typed data.

mod check;
pub mod condition;
mod examples;
mod impossible;
mod possible;
mod read;
pub(crate) use read::lcm;
mod read_condition;
mod read_goal;
mod read_offers;
mod read_rewards;
mod read_rule;
mod read_tiers;
mod reward;
mod totals;

pub use reward::{PointValue, Reward, RewardKind, Settle, Worth, most_of};
pub use totals::lower_totals;

use crate::calendar::{Moment, Per, Zone};
use crate::exact::{Exact, Rounding};
use crate::id::{CallerId, Label, LevelId, RewardId, RuleId};
use crate::json::{Faults, Json};
use crate::money::{Currency, Money};
use condition::{Condition, Names};

/// A program's document, checked and ready to judge with.
#[derive(Debug, Clone, PartialEq)]
pub struct Program {
    /// What members know it by.
    pub name: String,
    /// The zone of the shop's door: weekdays, times of day and campaign windows; also that of members without one.
    pub zone: Zone,
    /// What a point is called.
    pub point_name: String,
    /// How an award becomes whole points.
    pub rounding: Rounding,
    /// Pending, expiry and clawback.
    pub points: PointsPolicy,
    /// How triggers become points, in the order of the document.
    pub rules: Vec<Rule>,
    /// What can be reached step by step, in the order of the document.
    pub goals: Vec<Goal>,
    /// Status levels.
    pub tiers: Tiers,
    /// What points buy.
    pub rewards: Vec<Reward>,
    /// What bringing a friend earns.
    pub referral: Option<Referral>,
    /// What a birthday earns.
    pub birthday: Option<Birthday>,
    /// When the document wants to take effect.
    pub effective_from: Option<Moment>,
    /// The tags that conditions mention; conditions and purchases name them by their places here.
    pub tags: Vec<Label>,
    /// The ids of the levels, in order.
    pub level_ids: Vec<LevelId>,
}

/// A published program document with its number and start.
#[derive(Debug, Clone, PartialEq)]
pub struct Version {
    /// 1 for the first.
    pub number: u32,
    /// From when on it is in force; version 1 has been for ever.
    pub effective_from: Moment,
    /// The document.
    pub program: Program,
}

/// How points live and die.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PointsPolicy {
    /// Local days until they can be spent; 0 is at once.
    pub pending_days: i32,
    /// How long they live.
    pub expiry: Expiry,
    /// Days of notice that are owed before points expire; 0: none.
    pub notice_days: u16,
    /// Whether a clawback takes from other lots than the one that the purchase credited.
    pub from_other_lots: bool,
    /// What becomes of a clawback that finds too few points.
    pub shortfall: Shortfall,
    /// How many days after it was made a purchase may be recorded.
    pub late_purchase_days: i64,
}

/// How long points live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// For ever.
    Never,
    /// So many months after the local day of the trigger, to the end of a day or month.
    AfterMonths {
        /// At least 1.
        months: i32,
        /// Where the end is put.
        snap: Snap,
    },
}

/// Where an expiry is put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Snap {
    /// The end of the local day.
    EndOfDay,
    /// The end of the local month.
    EndOfMonth,
}

/// What becomes of points that a clawback does not find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shortfall {
    /// They are owed and paid by the next credits.
    Debt,
    /// They are let go.
    Forgive,
}

/// How a trigger becomes points.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Its name; counters and explanations bear it through versions.
    pub id: RuleId,
    /// What sets it off.
    pub on: Trigger,
    /// When it applies; always, if left out.
    pub when: Option<Condition>,
    /// What it gives.
    pub award: Award,
    /// From when on: the first instant of a local day of the program.
    pub from: Option<Moment>,
    /// Until when, exclusive.
    pub until: Option<Moment>,
    /// How often per member.
    pub limit: Option<Limit>,
    /// How many points over all members.
    pub budget: Option<i64>,
    /// What else an activity brings, for a time.
    pub grants: Option<Grants>,
}

/// What an activity brings for a time: a level that is paid for, or a tag that conditions look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grants {
    /// What.
    pub what: Granted,
    /// For so many local days, after what is granted already.
    pub days: i32,
    /// The attribute of the activity that names the first day, where the member chooses it; without it, the day of the
    /// activity.
    pub on: Option<Label>,
}

/// What can be granted for a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Granted {
    /// A level, by its place among the program's.
    Level(usize),
    /// A tag, by its place in [`Program::tags`].
    Tag(usize),
}

/// A challenge, stamp card or streak: what purchases or activities add up to, and what reaching it gives.
#[derive(Debug, Clone, PartialEq)]
pub struct Goal {
    /// Its name; progress is kept under it through versions.
    pub id: RuleId,
    /// What counts: purchases, or activities of a type.
    pub on: Trigger,
    /// Which of them count; all, if left out.
    pub when: Option<Condition>,
    /// From when on they count.
    pub from: Option<Moment>,
    /// Until when, exclusive.
    pub until: Option<Moment>,
    /// How many make it; at least 1.
    pub count: i64,
    /// How many of what.
    pub of: GoalOf,
    /// Within so many local days of the first that counts.
    pub within_days: Option<i32>,
    /// Counts local days, weeks or months in a row with at least one.
    pub streak: Option<Per>,
    /// Whether it can be reached again and again.
    pub repeat: bool,
    /// What reaching it gives.
    pub award: GoalAward,
}

/// What a goal counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GoalOf {
    /// Purchases with a total above 0, of which the goal selects a line.
    Purchases,
    /// Activities.
    Activities,
    /// Units of the selected lines that cost something.
    Units,
}

/// What reaching a goal gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GoalAward {
    /// Points.
    Points(i64),
    /// A badge to show.
    Badge(CallerId),
    /// A reward of the program, as a voucher.
    Reward(CallerId),
}

/// What sets a rule off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trigger {
    /// A purchase.
    Purchase,
    /// An activity of that type.
    Activity(CallerId),
    /// Enrolment.
    Enrolment,
}

/// What a rule gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Award {
    /// So many points per amount of net spend, exactly in proportion.
    PerAmount {
        /// Points, a decimal.
        points: Exact,
        /// Minor units, at least 1.
        amount: i64,
        /// Of this currency.
        currency: Currency,
    },
    /// Multiplies what per-amount rules gave the lines it selects.
    Multiply(Exact),
    /// Points, once.
    Points(i64),
}

/// How often a rule or reward serves one member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// So many times.
    pub times: u32,
    /// In each such period.
    pub per: Per,
}

/// Status levels and how they are reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tiers {
    /// What counts.
    pub qualify_by: QualifyBy,
    /// In which span it is counted.
    pub period: Period,
    /// At least one, by rising `from`; the first from 0.
    pub levels: Vec<Level>,
}

/// What counts towards a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QualifyBy {
    /// Points of earn and bonus entries.
    PointsEarned,
    /// Net spend in one currency, in minor units.
    Spend(Currency),
    /// Purchases.
    Visits,
}

/// The span over which qualifying units are counted, in local time of the member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// January to December.
    CalendarYear,
    /// The last twelve whole local months, this one included.
    Rolling12Months,
    /// From one anniversary of the enrolment to the next.
    MembershipYear,
    /// For good.
    Lifetime,
}

/// A status level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Level {
    /// Its name.
    pub id: LevelId,
    /// Qualifying units needed; none for a level that is only granted.
    pub from: Option<i64>,
    /// By what it multiplies awards; 1 if left out.
    pub multiply: Exact,
    /// What it brings besides points.
    pub benefits: Vec<Benefit>,
    /// Points for reaching it, once in a period.
    pub entry_bonus: i64,
}

/// What a level brings: a key that apps act on, a text for people, or both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Benefit {
    /// For apps: `free_shipping`, `early_access`.
    pub key: Option<CallerId>,
    /// For people.
    pub text: Option<String>,
}

/// What bringing a friend earns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Referral {
    /// For who brings.
    pub advocate_points: i64,
    /// For who is brought.
    pub friend_points: i64,
    /// What the friend must spend at once.
    pub qualifying_amount: Money,
    /// Days until the points can be spent.
    pub mature_days: i64,
    /// How often per advocate.
    pub limit: Option<Limit>,
}

/// What a birthday earns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Birthday {
    /// Points.
    pub points: i64,
    /// How many days before the day.
    pub days_before: i64,
    /// Whether those born on 29 February celebrate on 28 February (or else on 1 March) in common years.
    pub feb29_on_feb28: bool,
    /// Members for fewer days get none.
    pub minimum_membership_days: i64,
}

impl Program {
    /// Reads a document.
    ///
    /// # Errors
    /// Everything that is wrong with it, with pointers.
    pub fn from_json(json: &Json) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let program = read::program(json, &mut faults);
        faults.settle(program)
    }

    /// What indices in this program's conditions stand for.
    #[must_use]
    pub fn names(&self) -> Names<'_> {
        Names { levels: &self.level_ids, tags: &self.tags }
    }

    /// The place of a level among the program's; the lowest for one that it does not know.
    #[must_use]
    pub fn rank(&self, level: &LevelId) -> usize {
        self.level_ids.iter().position(|id| id == level).unwrap_or(0)
    }

    /// The level at a place; the lowest beyond the last.
    #[must_use]
    pub fn level(&self, rank: usize) -> Option<&Level> {
        self.tiers.levels.get(rank).or_else(|| self.tiers.levels.first())
    }

    /// Whether the program says anything about activities of a type.
    #[must_use]
    pub fn names_activity(&self, kind: &CallerId) -> bool {
        let of_kind = |on: &Trigger| matches!(on, Trigger::Activity(named) if named == kind);
        self.rules.iter().any(|rule| of_kind(&rule.on)) || self.goals.iter().any(|goal| of_kind(&goal.on))
    }

    /// The reward of that id.
    #[must_use]
    pub fn reward(&self, id: &RewardId) -> Option<&Reward> {
        self.rewards.iter().find(|reward| reward.id == *id)
    }

    /// The places, in [`Program::tags`], of those of a member's tags that conditions mention.
    #[must_use]
    pub fn tag_places(&self, tags: &[Label]) -> Vec<usize> {
        self.tags.iter().enumerate().filter(|(_, tag)| tags.contains(tag)).map(|(place, _)| place).collect()
    }
}
