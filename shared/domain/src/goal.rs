//! Goals: challenges, stamp cards and streaks, and how far a member is on the way to them.
//!
//! Progress is a fold like all else: each purchase or activity says what it adds, and a refund takes just that back. What
//! is beyond a completed goal counts towards the next, where it can be reached again. When what comes back is more than
//! was counted since, the goal is not reached any more: its points or badge go back too, so that buying, collecting and
//! returning brings nothing. A voucher stays with the member; what is missing then is missing towards the next.
//!
//! `within_days` begins with the first that counts. Once it is over, what was counted lapses, and a refund of it changes
//! nothing any more. A streak lapses likewise when a whole day, week or month passes without anything that counts.

use crate::calendar::{Moment, Per, day_number};
use crate::id::{CallerId, RuleId};
use crate::lots::LotKey;
use crate::program::condition::{Facts, LineFacts};
use crate::program::{Goal, GoalAward, GoalOf, Trigger};
use crate::purchase::Line;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// How far a member is with a goal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// The goal.
    pub goal: RuleId,
    /// Grows by one when what was counted lapses.
    pub round: u32,
    /// The day, or the first day of the period of a streak, from which on is counted.
    pub since: i32,
    /// What counts towards the next completion; below 0 if more came back than was counted since the last one.
    pub counted: i64,
    /// What each period of a streak brought, from `since` on; empty for other goals.
    pub periods: Vec<i64>,
    /// How often it was reached in all.
    pub reached: u32,
    /// How often in this round: so often it can be lost again.
    pub in_round: u32,
    /// What reaching it in this round gave, as far as that can be taken back.
    pub given: Option<Given>,
}

/// What reaching a goal gave, as far as that can be taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Given {
    /// Points.
    Points {
        /// All that were given in this round, less those taken back.
        points: i64,
        /// The lot that was credited last.
        lot: LotKey,
        /// When that was recorded.
        credited_at: Moment,
        /// The day under which their qualifying units are counted.
        units_bucket: i32,
    },
    /// A badge.
    Badge(CallerId),
}

/// What a purchase added to a goal: kept with it, for its refunds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// The goal.
    pub goal: RuleId,
    /// The round in which it counted.
    pub round: u32,
    /// The day or period under which it counted.
    pub period: i32,
    /// What it added at first.
    pub first: i64,
    /// What of that is left.
    pub left: i64,
}

/// Periods of a streak that are remembered one by one; what came before them cannot be taken back any more.
const MOST_PERIODS: usize = 60;
/// Rewards that one purchase or activity can bring at once; the rest of what was counted brings more with the next one.
const MOST_REWARDS_AT_ONCE: i64 = 5;

impl Goal {
    /// What a purchase adds, seen by the lines that are left of it.
    #[must_use]
    pub fn of_purchase(&self, facts: &Facts<'_>, lines: &[Line]) -> i64 {
        if self.on != Trigger::Purchase || !self.in_window(facts.occurred_at) {
            return 0;
        }
        let counts = |line: &&Line| {
            let seen = LineFacts { sku: line.bought.sku.as_ref(), categories: &line.bought.categories };
            let selected = || self.when.as_ref().is_none_or(|when| when.holds(facts, Some(seen)) == Some(true));
            line.quantity_left > 0 && line.net_left > 0 && selected()
        };
        let mut lines = lines.iter().filter(counts);
        match self.of {
            GoalOf::Purchases => i64::from(lines.next().is_some()),
            GoalOf::Units => lines.fold(0, |sum, line| sum.saturating_add(line.quantity_left)),
            GoalOf::Activities => 0,
        }
    }

    /// What an activity of a type adds.
    #[must_use]
    pub fn of_activity(&self, facts: &Facts<'_>, kind: &CallerId) -> i64 {
        let counts = matches!(&self.on, Trigger::Activity(named) if named == kind)
            && self.in_window(facts.occurred_at)
            && self.when.as_ref().is_none_or(|when| when.holds(facts, None) == Some(true));
        i64::from(counts)
    }

    fn in_window(&self, at: Moment) -> bool {
        self.from.is_none_or(|from| at >= from) && self.until.is_none_or(|until| at < until)
    }

    /// The day or period under which something of that local date counts.
    #[must_use]
    pub fn period(&self, date: Date) -> i32 {
        self.streak.unwrap_or(Per::Day).start(date)
    }

    /// How many times what was counted completes it now.
    #[must_use]
    pub fn completions(&self, progress: &Progress) -> u32 {
        let most = match (&self.award, self.repeat) {
            (_, false) => i64::from(progress.reached == 0),
            (GoalAward::Reward(_), true) => MOST_REWARDS_AT_ONCE,
            (GoalAward::Points(_) | GoalAward::Badge(_), true) => i64::from(u32::MAX),
        };
        u32::try_from((progress.counted / self.count).clamp(0, most)).unwrap_or(0)
    }
}

/// What came of adding something to a goal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Added {
    /// How far the member is now, before completions are taken out.
    pub progress: Progress,
    /// Whether what had been counted before has lapsed.
    pub anew: bool,
    /// How many times that completes the goal.
    pub completions: u32,
}

impl Progress {
    /// The progress of a member for whom nothing has counted yet.
    #[must_use]
    pub fn none(goal: RuleId) -> Self {
        let (round, since, counted, reached, in_round) = (0, 0, 0, 0, 0);
        Self { goal, round, since, counted, periods: Vec::new(), reached, in_round, given: None }
    }

    /// Adds what happened on a day, or in a period of a streak. Gives nothing if it came too late to count: it was before
    /// what is counted now, and too long ago.
    #[must_use]
    pub fn add(mut self, goal: &Goal, period: i32, amount: i64, today: Date) -> Option<Added> {
        let anew = match (goal.streak, goal.within_days) {
            (Some(per), _) => self.add_to_streak(per, period, amount)?,
            (None, Some(days)) => self.add_within(days, period, amount, today)?,
            (None, None) => {
                if self.counted <= 0 {
                    self.since = period;
                }
                self.counted = self.counted.checked_add(amount)?;
                false
            }
        };
        let completions = goal.completions(&self);
        Some(Added { progress: self, anew, completions })
    }

    fn add_within(&mut self, days: i32, day: i32, amount: i64, today: Date) -> Option<bool> {
        let ends = |since: i32| since.saturating_add(days);
        let mut anew = false;
        if self.counted <= 0 {
            self.since = day;
        } else if day >= ends(self.since) {
            self.lapse(day);
            anew = true;
        } else if day < self.since {
            if ends(day) <= day_number(today) {
                return None;
            }
            self.since = day;
        }
        self.counted = self.counted.checked_add(amount)?;
        Some(anew)
    }

    fn add_to_streak(&mut self, per: Per, period: i32, amount: i64) -> Option<bool> {
        if self.periods.is_empty() {
            self.since = period;
        }
        let after_first = per.periods_between(self.since, period);
        let place = usize::try_from(after_first).ok();
        let mut anew = false;
        match place {
            Some(place) if place < self.periods.len() => {
                let held = self.periods.get_mut(place)?;
                self.counted += i64::from(*held == 0);
                *held = held.checked_add(amount)?;
            }
            Some(place) => {
                if place > self.periods.len() {
                    self.lapse(period);
                    anew = true;
                }
                self.periods.push(amount);
                self.counted += 1;
            }
            None if after_first == -1 => {
                self.since = period;
                self.periods.insert(0, amount);
                self.counted += 1;
            }
            None => return None,
        }
        while self.periods.len() > MOST_PERIODS {
            self.periods.remove(0);
            self.since = per.later(self.since, 1);
        }
        Some(anew)
    }

    fn lapse(&mut self, since: i32) {
        let reached = self.reached;
        let goal = self.goal.clone();
        *self = Progress { round: self.round.saturating_add(1), since, reached, ..Progress::none(goal) };
    }

    /// Takes completions out of what was counted. What is left of a purchase that completed one begins the next.
    pub fn complete(&mut self, goal: &Goal, times: u32, period: i32) {
        self.counted -= goal.count.saturating_mul(i64::from(times));
        self.reached = self.reached.saturating_add(times);
        self.in_round = self.in_round.saturating_add(times);
        if goal.within_days.is_some() {
            self.since = period;
        }
    }

    /// Takes back, or gives back, what a purchase had added, `change` being what it adds more now. Gives how many times
    /// fewer the goal is reached, which [`Progress::complete`] has not been told of yet.
    ///
    /// What has lapsed since is over: nothing is taken back of it.
    pub fn change(&mut self, goal: &Goal, counted: &Counted, change: i64) -> u32 {
        if counted.round != self.round {
            return 0;
        }
        match goal.streak {
            None => self.counted = self.counted.saturating_add(change),
            Some(per) => {
                let place = usize::try_from(per.periods_between(self.since, counted.period)).ok();
                let Some(held) = place.and_then(|place| self.periods.get_mut(place)) else { return 0 };
                let before = *held > 0;
                *held = held.saturating_add(change).max(0);
                self.counted += i64::from(*held > 0) - i64::from(before);
            }
        }
        if self.counted >= 0 || self.given.is_none() {
            return 0;
        }
        let missing = self.counted.saturating_neg();
        let fewer = missing.saturating_add(goal.count - 1) / goal.count;
        let fewer = u32::try_from(fewer).unwrap_or(u32::MAX).min(self.in_round);
        self.counted = self.counted.saturating_add(goal.count.saturating_mul(i64::from(fewer)));
        fewer
    }

    /// Takes completions back; gives how many points go with them, and whether a badge does.
    pub fn lose(&mut self, fewer: u32) -> Lost {
        let kept = self.in_round.saturating_sub(fewer);
        let lost = match &mut self.given {
            Some(Given::Points { points, lot, credited_at, units_bucket }) => {
                let left = i128::from(*points) * i128::from(kept) / i128::from(self.in_round.max(1));
                let left = i64::try_from(left).unwrap_or(*points);
                let back = *points - left;
                *points = left;
                Lost::Points { points: back, lot: *lot, credited_at: *credited_at, units_bucket: *units_bucket }
            }
            Some(Given::Badge(badge)) if kept == 0 => Lost::Badge(badge.clone()),
            Some(Given::Badge(_)) | None => Lost::Nothing,
        };
        self.reached = self.reached.saturating_sub(fewer);
        self.in_round = kept;
        if kept == 0 {
            self.given = None;
        }
        lost
    }

    /// What still counts on a day: nothing of what has lapsed by then.
    #[must_use]
    pub fn counted_on(&self, goal: &Goal, today: Date) -> i64 {
        let over = match (goal.streak, goal.within_days) {
            (Some(per), _) => {
                let length = i64::try_from(self.periods.len()).unwrap_or(i64::MAX);
                per.periods_between(self.since, per.start(today)) > length
            }
            (None, Some(days)) => day_number(today) >= self.since.saturating_add(days),
            (None, None) => false,
        };
        if over { 0 } else { self.counted.max(0) }
    }
}

/// What goes with a goal that is not reached any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lost {
    /// Points.
    Points {
        /// How many.
        points: i64,
        /// The lot that was credited.
        lot: LotKey,
        /// When.
        credited_at: Moment,
        /// Where their qualifying units are counted.
        units_bucket: i32,
    },
    /// A badge.
    Badge(CallerId),
    /// Nothing that could be taken.
    Nothing,
}
