//! Streaks: days, weeks or months in a row with something that counts.
//!
//! The latest of them are remembered one by one, those without anything too, so that one recorded late joins what lies
//! around it and one whose purchases come back breaks what it was part of. A completion takes the first so many of a row;
//! the others go on counting, as long as the row does.

use crate::calendar::Per;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Periods that are remembered one by one, or more where a row needs them; what came before cannot be taken back.
const MOST_PERIODS: usize = 60;

/// The periods of a streak.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Streak {
    /// How long one is.
    pub per: Per,
    /// The first day of the first.
    pub since: i32,
    periods: Vec<Period>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Period {
    /// What counts in it.
    amount: i64,
    /// How many periods the completion that ends with it took, itself among them; 0 if none ends there.
    took: u32,
}

/// What adding to a streak did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// Whether what was in a row before is over.
    pub anew: bool,
    /// Completions that are forgotten with their periods, by how many each took.
    pub forgotten: Vec<i64>,
}

impl Streak {
    /// A streak that begins with a period; what was counted before stands for as many periods just before it.
    #[must_use]
    pub fn carrying(counted: i64, per: Per, period: i32) -> Self {
        let carried = u16::try_from(counted.max(0)).unwrap_or(u16::MAX);
        let since = per.later(period, -i32::from(carried));
        let periods = vec![Period { amount: 1, took: 0 }; usize::from(carried)];
        Streak { per, since, periods }
    }

    /// How many are in a row at the end and not taken by a completion.
    #[must_use]
    pub fn counted(&self) -> i64 {
        let row = self.free_rows().into_iter().last().filter(|row| row.end == self.periods.len());
        length(row.as_ref())
    }

    /// How many are in a row around a period, and not taken.
    #[must_use]
    pub fn counted_around(&self, period: i32) -> i64 {
        let place = self.place(period);
        length(self.free_rows().iter().find(|row| place.is_some_and(|place| row.contains(&place))))
    }

    /// Whether nothing that was in a row can be carried on in a period any more.
    #[must_use]
    pub fn over(&self, period: i32) -> bool {
        let length = i64::try_from(self.periods.len()).unwrap_or(i64::MAX);
        self.per.periods_between(self.since, period) > length
    }

    /// The first day after the period in which what is in a row must be carried on.
    #[must_use]
    pub fn lapses(&self) -> i32 {
        let length = i32::try_from(self.periods.len()).unwrap_or(i32::MAX);
        self.per.later(self.since, length.saturating_add(1))
    }

    /// Adds to a period. Gives nothing if it lies before all that is remembered.
    ///
    /// `count` is how many make the goal; of a streak that cannot be reached any more, `done`, no row is kept longer.
    #[must_use]
    pub fn add(&mut self, period: i32, amount: i64, count: i64, done: bool) -> Option<Placed> {
        if self.periods.is_empty() {
            self.since = period;
        }
        let keep = usize::try_from(count).unwrap_or(usize::MAX).max(MOST_PERIODS);
        let (before, after) = (self.counted(), self.per.periods_between(self.since, period));
        let mut placed = Placed { anew: false, forgotten: Vec::new() };
        let Ok(place) = usize::try_from(after) else {
            let earlier = usize::try_from(after.saturating_neg()).ok()?;
            if earlier.saturating_add(self.periods.len()) > keep {
                return None;
            }
            self.since = period;
            self.periods.splice(0..0, vec![Period::default(); earlier]);
            self.periods.first_mut()?.amount = amount;
            return Some(placed);
        };
        if place > self.periods.len() {
            placed.anew = before > 0;
            if place - self.periods.len() > keep {
                placed.forgotten = self.completions();
                (self.since, self.periods) = (period, Vec::new());
            }
        }
        let place = if self.periods.is_empty() { 0 } else { place };
        if place >= self.periods.len() {
            self.periods.resize(place + 1, Period::default());
        }
        let slot = self.periods.get_mut(place)?;
        slot.amount = slot.amount.checked_add(amount)?;
        placed.forgotten.extend(self.forget(keep, done));
        Some(placed)
    }

    fn completions(&self) -> Vec<i64> {
        self.periods.iter().filter(|period| period.took > 0).map(|period| i64::from(period.took)).collect()
    }

    /// Forgets the earliest, but not what is in a row at the end: that is still to make the goal.
    fn forget(&mut self, keep: usize, done: bool) -> Vec<i64> {
        let mut forgotten = Vec::new();
        let row = if done { 0 } else { usize::try_from(self.counted()).unwrap_or(0) };
        while self.periods.len() > keep.max(row) {
            let first = self.periods.remove(0);
            forgotten.extend((first.took > 0).then_some(i64::from(first.took)));
            self.since = self.per.later(self.since, 1);
        }
        forgotten
    }

    /// Takes completions of so many periods each out of the row around a period, from its first on.
    pub fn complete(&mut self, around: i32, count: i64, times: u32) {
        let place = self.place(around);
        let row = self.free_rows().into_iter().find(|row| place.is_some_and(|place| row.contains(&place)));
        if let Some(row) = row {
            self.take(&row, count, times);
        }
    }

    /// Takes up to so many completions out of any rows. Gives how many there were.
    pub fn complete_anywhere(&mut self, count: i64, most: u32) -> u32 {
        let rows = self.free_rows();
        rows.iter().fold(0, |done, row| done + self.take(row, count, most - done))
    }

    fn take(&mut self, row: &Range<usize>, count: i64, most: u32) -> u32 {
        let Some(each) = usize::try_from(count).ok().filter(|each| *each > 0) else { return 0 };
        let mut done = 0;
        for last in row.clone().skip(each - 1).step_by(each).take(usize::try_from(most).unwrap_or(usize::MAX)) {
            if let Some(period) = self.periods.get_mut(last) {
                period.took = u32::try_from(each).unwrap_or(u32::MAX);
                done += 1;
            }
        }
        done
    }

    /// Changes what counts in a period. Gives how many periods a completion took that is broken by it, and takes them no
    /// more; one that cannot be taken back, not being `loose`, goes on taking them.
    pub fn change(&mut self, period: i32, change: i64, loose: impl Fn(i64) -> bool) -> Option<i64> {
        let place = self.place(period)?;
        let slot = self.periods.get_mut(place)?;
        let before = slot.amount;
        slot.amount = before.saturating_add(change).max(0);
        let emptied = before > 0 && slot.amount == 0;
        let taken_by = self.taken_by(place).filter(|_| emptied);
        let last = taken_by.and_then(|last| self.periods.get_mut(last)).filter(|last| loose(i64::from(last.took)));
        let broken = last.map(|last| i64::from(std::mem::take(&mut last.took)));
        while self.periods.last().is_some_and(|last| last.amount == 0 && last.took == 0) {
            self.periods.pop();
        }
        broken
    }

    fn place(&self, period: i32) -> Option<usize> {
        let place = usize::try_from(self.per.periods_between(self.since, period)).ok()?;
        (place < self.periods.len()).then_some(place)
    }

    /// The place where the completion ends that took a place.
    fn taken_by(&self, place: usize) -> Option<usize> {
        let took = |last: usize| self.periods.get(last).map_or(0, |period| period.took);
        let reaches = |last: &usize| (last + 1).saturating_sub(usize::try_from(took(*last)).unwrap_or(usize::MAX));
        (place..self.periods.len()).find(|last| took(*last) > 0).filter(|last| reaches(last) <= place)
    }

    /// The rows of periods with something that no completion has taken, in their order.
    fn free_rows(&self) -> Vec<Range<usize>> {
        let mut rows: Vec<Range<usize>> = Vec::new();
        for (place, period) in self.periods.iter().enumerate() {
            if period.amount == 0 || self.taken_by(place).is_some() {
                continue;
            }
            match rows.last_mut() {
                Some(row) if row.end == place => row.end += 1,
                Some(_) | None => rows.push(place..place + 1),
            }
        }
        rows
    }
}

fn length(row: Option<&Range<usize>>) -> i64 {
    row.map_or(0, |row| i64::try_from(row.len()).unwrap_or(i64::MAX))
}
