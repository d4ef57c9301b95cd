//! Goals: challenges, stamp cards and streaks, and how far a member is on the way to them.
//!
//! Progress is a fold like all else: each purchase or activity says what it adds, and a refund takes just that back. What
//! is beyond a completed goal counts towards the next, where it can be reached again. When more comes back than was
//! counted beyond, the goal is not reached any more: its points or badge go back too, so that buying, collecting and
//! returning brings nothing. A voucher stays with the member; what is missing then is missing towards the next.
//!
//! `within_days` begins with the first that counts, and after a completion with the next one. Once its days are over a new
//! round begins: what was counted lapses and moves nothing any more, but what was reached in a round is lost when what
//! reached it comes back, however much later. A streak goes on as long as no day, week or month lacks something that
//! counts. Each completion remembers what it took and gave, whatever later versions of the program ask for and give. Where
//! one makes a streak of a goal, or no streak any more, what was counted is carried over into a new round.

mod progress;
mod streak;

pub use progress::{Added, Changed, Counted, Given, Progress, Won};
pub use streak::Streak;

use crate::calendar::{Moment, Per};
use crate::id::CallerId;
use crate::program::condition::{Facts, LineFacts};
use crate::program::{Goal, GoalOf, Trigger};
use crate::purchase::Line;
use jiff::civil::Date;

impl Goal {
    /// What a purchase adds, seen by what is left of it: each line with what of it was paid with money.
    #[must_use]
    pub fn of_purchase(&self, facts: &Facts<'_>, lines: &[(&Line, i64)]) -> i64 {
        if self.on != Trigger::Purchase || !self.in_window(facts.occurred_at) {
            return 0;
        }
        let counts = |(line, money): &&(&Line, i64)| {
            let seen = LineFacts { sku: line.bought.sku.as_ref(), categories: &line.bought.categories };
            let selected = || self.when.as_ref().is_none_or(|when| when.holds(facts, Some(seen)) == Some(true));
            line.quantity_left > 0 && *money > 0 && selected()
        };
        let mut lines = lines.iter().filter(counts);
        match self.of {
            GoalOf::Purchases => i64::from(lines.next().is_some()),
            GoalOf::Units => lines.fold(0, |sum, (line, _)| sum.saturating_add(line.quantity_left)),
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

    /// How many times what was counted completes it, a period of a streak having been added to.
    #[must_use]
    pub fn completions(&self, progress: &Progress, period: i32) -> u32 {
        let most = if self.repeat { i64::from(u32::MAX) } else { i64::from(progress.reached == 0) };
        let counted = match (self.streak, &progress.streak) {
            (Some(_), Some(streak)) => streak.counted_around(period),
            (Some(_) | None, _) => progress.counted,
        };
        u32::try_from((counted / self.count).clamp(0, most)).unwrap_or(0)
    }
}
