//! How far a member is on the way to a goal, and what reaching it gave.

use super::streak::{Placed, Streak};
use crate::calendar::{Moment, Per, day_number};
use crate::id::{CallerId, RuleId};
use crate::lots::LotKey;
use crate::program::Goal;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// How far a member is with a goal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// The goal.
    pub goal: RuleId,
    /// Grows by one when what was counted lapses.
    pub round: u32,
    /// The day from which on is counted.
    pub since: i32,
    /// What counts towards the next completion; below 0 if more came back than was counted since the last one.
    pub counted: i64,
    /// The periods of a streak.
    pub streak: Option<Streak>,
    /// How often it was reached in all, and still is.
    pub reached: u32,
    /// What reaching it gave, as far as that can be taken back; the latest last.
    pub won: Vec<Won>,
}

/// Completions of a goal that can be taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Won {
    /// The round in which they were.
    pub round: u32,
    /// How many there are.
    pub times: u32,
    /// What each of them took out of what was counted.
    pub count: i64,
    /// What was counted beyond, once the round is over.
    pub spare: i64,
    /// What each of them gave.
    pub given: Given,
}

/// What reaching a goal once gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Given {
    /// Points.
    Points {
        /// How many.
        points: i64,
        /// The lot that was credited, the last time.
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

/// Kinds of completions that can be taken back, at most: they differ by round, terms or period of qualifying units.
const MOST_WON: usize = 12;
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

/// What a refund changes about a goal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// How far the member is now, before completions are taken out.
    pub progress: Progress,
    /// Completions that are lost, the latest first.
    pub lost: Vec<Won>,
    /// How many times more it is completed.
    pub completions: u32,
}

impl Progress {
    /// The progress of a member for whom nothing has counted yet.
    #[must_use]
    pub fn none(goal: RuleId) -> Self {
        Self { goal, round: 0, since: 0, counted: 0, streak: None, reached: 0, won: Vec::new() }
    }

    /// Adds what happened on a day, or in a period of a streak. Gives nothing if it came too late to count: it was before
    /// what is counted now, and too long ago.
    #[must_use]
    pub fn add(mut self, goal: &Goal, period: i32, amount: i64, today: Date) -> Option<Added> {
        let anew = match goal.streak {
            Some(per) => self.add_to_streak(goal, per, period, amount)?,
            None => self.add_to_sum(goal, period, amount, today)?,
        };
        let completions = goal.completions(&self, period);
        Some(Added { progress: self, anew, completions })
    }

    fn add_to_sum(&mut self, goal: &Goal, day: i32, amount: i64, today: Date) -> Option<bool> {
        if self.streak.is_some() {
            // The goal was a streak before. What is in a row is not reset.
            let counted = self.counted;
            self.begin_round(0);
            (self.since, self.counted) = (day, counted);
        }
        let mut anew = false;
        let ends = |since: i32| goal.within_days.map(|days| since.saturating_add(days));
        let fresh = self.counted == 0 && self.won.iter().all(|won| won.round != self.round);
        if !fresh && self.counted >= 0 && ends(self.since).is_some_and(|end| day >= end) {
            anew = self.counted > 0;
            self.begin_round(self.counted);
        }
        if self.counted <= 0 {
            self.since = day;
        } else if day < self.since {
            if ends(day).is_some_and(|end| end <= day_number(today)) {
                return None;
            }
            self.since = day;
        }
        self.counted = self.counted.checked_add(amount)?;
        Some(anew)
    }

    fn add_to_streak(&mut self, goal: &Goal, per: Per, period: i32, amount: i64) -> Option<bool> {
        let mut streak = match self.streak.clone().filter(|streak| streak.per == per) {
            Some(streak) => streak,
            None => {
                // It was another kind of goal before, or is new. What was counted is not reset.
                let counted = self.counted;
                if counted != 0 || !self.won.is_empty() {
                    self.begin_round(0);
                }
                Streak::carrying(counted, per, period)
            }
        };
        let Placed { anew, forgotten } = streak.add(period, amount, goal.count, !goal.repeat && self.reached > 0)?;
        (self.counted, self.since) = (streak.counted(), streak.since);
        self.streak = Some(streak);
        forgotten.into_iter().for_each(|count| self.forget(count));
        Some(anew)
    }

    /// Ends the round. What was counted beyond its completions, unless it is carried over, goes on covering them.
    fn begin_round(&mut self, spare: i64) {
        if let Some(won) = self.won.iter_mut().rfind(|won| won.round == self.round) {
            won.spare = spare;
        }
        self.round = self.round.saturating_add(1);
        (self.counted, self.streak) = (0, None);
    }

    /// Forgets the earliest completion of the round that took so much: it cannot be taken back any more.
    fn forget(&mut self, count: i64) {
        let place = self.won.iter().position(|won| won.round == self.round && won.count == count);
        let Some((place, won)) = place.and_then(|place| Some((place, self.won.get_mut(place)?))) else { return };
        won.times = won.times.saturating_sub(1);
        if won.times == 0 {
            self.won.remove(place);
        }
    }

    /// Takes completions out of what was counted. What is left of a purchase that completed one begins the next.
    pub fn complete(&mut self, goal: &Goal, times: u32, period: i32, given: Option<Given>) {
        match &mut self.streak {
            Some(streak) => {
                streak.complete(period, goal.count, times);
                self.counted = streak.counted();
            }
            None => {
                self.counted = self.counted.saturating_sub(goal.count.saturating_mul(i64::from(times)));
                if goal.within_days.is_some() {
                    self.since = period;
                }
            }
        }
        self.reached = self.reached.saturating_add(times);
        let Some(given) = given else { return };
        let alike = |won: &&mut Won| won.round == self.round && won.count == goal.count && won.given.merges(&given);
        match self.won.last_mut().filter(alike) {
            Some(won) => (won.times, won.given) = (won.times.saturating_add(times), given),
            None => self.won.push(Won { round: self.round, times, count: goal.count, spare: 0, given }),
        }
        if self.won.len() > MOST_WON {
            self.won.remove(0);
        }
    }

    /// Takes back, or gives back, what a purchase had added, `change` being what it adds more now.
    ///
    /// What has lapsed since moves nothing but the completions of its round.
    #[must_use]
    pub fn change(mut self, goal: &Goal, counted: &Counted, change: i64) -> Changed {
        let round = counted.round;
        let mut lost = Vec::new();
        if round != self.round {
            if let Some(won) = self.won.iter_mut().rfind(|won| won.round == round) {
                won.spare = won.spare.saturating_add(change);
            }
        } else if self.streak.is_some() {
            lost.extend(self.change_streak(counted.period, change));
        } else {
            self.counted = self.counted.saturating_add(change);
        }
        lost.extend(self.lose_what_is_not_covered(goal, round));
        // A refund completes nothing but what it gives back: the terms of a purchase long past are not those of today.
        let more = change > 0 && round == self.round;
        let completions = if more { goal.completions(&self, counted.period) } else { 0 };
        Changed { progress: self, lost, completions }
    }

    /// Changes what counts in a period of a streak. A completion that is broken by it is made good by another row that is
    /// long enough, or lost.
    fn change_streak(&mut self, period: i32, change: i64) -> Option<Won> {
        let (round, won) = (self.round, &self.won);
        let loose = |count| won.iter().any(|won| won.round == round && won.count == count);
        let streak = self.streak.as_mut()?;
        let broken = streak.change(period, change, loose);
        let mended = broken.is_some_and(|count| streak.complete_anywhere(count, 1) > 0);
        self.counted = streak.counted();
        let count = broken.filter(|_| !mended)?;
        let place = self.won.iter().rposition(|won| won.round == round && won.count == count)?;
        self.lose(place, 1)
    }

    /// Takes back as many completions of a round as what is counted in it does not cover any more.
    fn lose_what_is_not_covered(&mut self, goal: &Goal, round: u32) -> Vec<Won> {
        let mut all = Vec::new();
        while let Some(place) = self.won.iter().rposition(|won| won.round == round) {
            let Some(won) = self.won.get_mut(place) else { break };
            let now = round == self.round;
            let covered = if now { self.counted } else { won.spare };
            if covered >= 0 {
                break;
            }
            let count = won.count.max(1);
            if !now && !goal.repeat && self.reached == 1 && self.streak.is_none() && self.counted >= count {
                // What was counted in this round would have reached it, had it not been reached before.
                self.counted -= count;
                (won.round, won.spare) = (self.round, 0);
                break;
            }
            let missing = covered.saturating_neg().saturating_add(count - 1) / count;
            let fewer = u32::try_from(missing).unwrap_or(u32::MAX).min(won.times);
            let covered = covered.saturating_add(count.saturating_mul(i64::from(fewer)));
            let lost = self.lose(place, fewer);
            match self.won.iter_mut().rfind(|won| won.round == round) {
                _ if now => self.counted = covered,
                Some(won) => won.spare = covered,
                None => {}
            }
            all.extend(lost);
        }
        all
    }

    /// Takes back so many of the completions at a place.
    fn lose(&mut self, place: usize, times: u32) -> Option<Won> {
        let won = self.won.get_mut(place)?;
        let fewer = times.min(won.times);
        let lost = Won { times: fewer, ..won.clone() };
        won.times -= fewer;
        if won.times == 0 {
            self.won.remove(place);
        }
        self.reached = self.reached.saturating_sub(fewer);
        Some(lost)
    }

    /// Whether reaching it has given a badge that was not taken back.
    #[must_use]
    pub fn has_won(&self, badge: &CallerId) -> bool {
        self.won.iter().any(|won| matches!(&won.given, Given::Badge(other) if other == badge))
    }

    /// What still counts on a day: nothing of what has lapsed by then.
    #[must_use]
    pub fn counted_on(&self, goal: &Goal, today: Date) -> i64 {
        let over = match (&self.streak, goal.within_days) {
            (Some(streak), _) => streak.over(streak.per.start(today)),
            (None, Some(days)) => day_number(today) >= self.since.saturating_add(days),
            (None, None) => false,
        };
        if over { 0 } else { self.counted.max(0) }
    }

    /// The day after the last one on which what was counted so far still counts; none if it does not lapse.
    #[must_use]
    pub fn lapses_on(&self, goal: &Goal) -> Option<i32> {
        match (&self.streak, goal.within_days) {
            (Some(streak), _) => Some(streak.lapses()),
            (None, Some(days)) => Some(self.since.saturating_add(days)),
            (None, None) => None,
        }
    }
}

impl Given {
    /// Whether two completions gave so much alike that they need not be told apart.
    fn merges(&self, other: &Given) -> bool {
        match (self, other) {
            (
                Given::Points { points, units_bucket, .. },
                Given::Points { points: others, units_bucket: theirs, .. },
            ) => points == others && units_bucket == theirs,
            (Given::Badge(badge), Given::Badge(other)) => badge == other,
            (Given::Points { .. } | Given::Badge(_), _) => false,
        }
    }
}
