//! Settling: what has fallen due is posted in the order in which it did, before anything is decided.

use super::{Draft, MOST_ENTRIES, Posting, SYSTEM};
use crate::account::Status;
use crate::calendar::Moment;
use crate::entry::{Cause, Effects, Kind, Reason};
use crate::grant;
use crate::id::LevelId;
use crate::lots::{Draw, LotKey};
use crate::program::{Level, QualifyBy, Version};
use crate::redemption::{self, Hold};
use crate::refusal::Refusal;
use crate::tier;
use std::sync::Arc;

impl Draft<'_> {
    /// Settles what has fallen due, in the order in which it did, up to [`MOST_ENTRIES`]. Gives whether more is due.
    ///
    /// # Errors
    /// [`Refusal::NeedsVersion`], [`Refusal::Inconsistent`].
    pub fn settle(&mut self) -> Result<bool, Refusal> {
        self.more_due = self.settle_up_to(MOST_ENTRIES)?;
        self.own_from = self.entries.len();
        Ok(self.more_due)
    }

    /// Regards what was posted so far as settling, not as the command's own.
    #[must_use]
    pub fn settled(mut self) -> Self {
        self.own_from = self.entries.len();
        self
    }

    /// Settles everything, however much: for showing the truth without writing it.
    ///
    /// # Errors
    /// [`Refusal::NeedsVersion`], [`Refusal::Inconsistent`].
    pub fn settle_all(&mut self) -> Result<(), Refusal> {
        self.settle_up_to(usize::MAX).map(|_| ())
    }

    pub(super) fn settle_up_to(&mut self, most: usize) -> Result<bool, Refusal> {
        while let Some((at, due)) = self.next_due() {
            if self.entries.len() >= most {
                return Ok(true);
            }
            match due {
                Due::Lapse => self.lapse(at)?,
                Due::Notice => self.give_notice()?,
                Due::Expire => self.expire(at)?,
                Due::Review => self.review(at)?,
            }
        }
        Ok(false)
    }

    /// The earliest thing that is due; at one moment holds lapse before notices come, these before expiries, and these before
    /// reviews.
    fn next_due(&self) -> Option<(Moment, Due)> {
        let lots = || self.account.lots.iter().map(|lot| lot.key);
        let notice =
            lots().any(|key| key.notice_due().is_some_and(|due| due <= self.now)).then_some((self.now, Due::Notice));
        let settled_end = |key: LotKey| if key.notice_due().is_some() { None } else { key.end(self.now) };
        let expire = lots().filter_map(settled_end).min().map(|at| (at, Due::Expire));
        // A level that the program does not have any more is looked at now.
        let unknown = !self.program().level_ids.contains(&self.account.level.id);
        let review = if unknown { Some(self.now) } else { tier::next_review(&self.account, self.program()) };
        let review = review.map(|at| (at, Due::Review));
        let lapse = self.account.holds.next_lapse().map(|at| (at, Due::Lapse));
        [lapse, notice, expire, review].into_iter().flatten().filter(|(at, _)| *at <= self.now).min()
    }

    fn lapse(&mut self, at: Moment) -> Result<(), Refusal> {
        let lapsed = |hold: &&Hold| hold.lapses_at == at;
        let Some(hold) = self.account.holds.iter().find(lapsed).cloned() else { return Ok(()) };
        let posting = redemption::release(self, &hold, at, Reason::Lapsed { at });
        if let Some(back) = hold.stock_back() {
            self.move_stock(back);
        }
        self.write(posting, SYSTEM)
    }

    fn give_notice(&mut self) -> Result<(), Refusal> {
        let now = self.now;
        let owed = self.account.lots.iter().filter(|lot| lot.key.notice_due().is_some_and(|due| due <= now));
        let noticed: Vec<Draw> = owed.map(|lot| Draw { lot: lot.key, points: lot.points }).collect();
        let explanation =
            noticed.iter().filter_map(|lot| Some(Reason::Ends { points: lot.points, at: lot.lot.end(now)? })).collect();
        let effects = Effects { noticed, ..Effects::default() };
        self.post_due(Kind::Notice, Vec::new(), explanation, now, effects)
    }

    fn expire(&mut self, at: Moment) -> Result<(), Refusal> {
        let ended = |key: &LotKey| key.notice_due().is_none() && key.end(at) == Some(at);
        let (draws, points) = self.account.lots.take(i64::MAX, at, ended);
        self.post_due(Kind::Expire, draws, vec![Reason::Ends { points, at }], at, Effects::default())
    }

    fn review(&mut self, at: Moment) -> Result<(), Refusal> {
        let version = Arc::clone(self.programs.at(at)?);
        let carried = tier::carried(&self.account, &version.program, at);
        self.account.level.reviewed_at = at;
        // Whatever called for an early review is seen by this one; left behind, it would judge a level earned much later.
        self.account.level.early_review = None;
        self.change_level(&version, carried, at)
    }

    /// Looks at the level now, because something that carried it was ended.
    ///
    /// # Errors
    /// [`Refusal::Inconsistent`].
    pub fn review_level(&mut self) -> Result<(), Refusal> {
        self.review(self.now)
    }

    fn change_level(&mut self, version: &Version, rank: usize, at: Moment) -> Result<(), Refusal> {
        let program = &version.program;
        let Some(level) = program.level(rank).filter(|level| level.id != self.account.level.id) else { return Ok(()) };
        let known = program.level_ids.contains(&self.account.level.id);
        let rises = known && rank > program.rank(&self.account.level.id);
        let units = tier::units(&self.account, program, at);
        let reason = Reason::LevelChanged { from: self.account.level.id.clone(), to: level.id.clone(), units };
        let effects = Effects { level: Some(level.id.clone()), ..Effects::default() };
        self.post_due(Kind::Tier, Vec::new(), vec![reason], at, effects)?;
        if rises { self.give_entry_bonus(version, level, at) } else { Ok(()) }
    }

    /// What a level gives whoever reaches it, once in a period.
    fn give_entry_bonus(&mut self, version: &Version, level: &Level, at: Moment) -> Result<(), Refusal> {
        let program = &version.program;
        let (points, bucket) = (level.entry_bonus, tier::bucket(&self.account, program, at));
        let given = |(other, bucket): &(LevelId, i32)| {
            *other == level.id && tier::is_of_period(&self.account, program, *bucket, at)
        };
        let takes_part = self.account.status == Status::Active;
        if points == 0 || !takes_part || self.account.entry_bonuses.iter().any(given) {
            return Ok(());
        }
        let lot = grant::lot(&self.account, program, at);
        let lot = if lot.activates_at.is_some_and(|at| at <= self.now) { lot.activated() } else { lot };
        let (draws, repaid) = self.credit(points, lot)?;
        let mut explanation = vec![Reason::EntryBonus { level: level.id.clone(), points }];
        explanation.extend((repaid > 0).then_some(Reason::DebtRepaid { points: repaid }));
        let counts = program.tiers.qualify_by == QualifyBy::PointsEarned;
        let effects = Effects {
            units: counts.then_some((bucket, points)),
            entry_bonus: Some((level.id.clone(), bucket)),
            ..Effects::default()
        };
        let (cause, program_version) = (Cause::Level { level: level.id.clone() }, version.number);
        let kind = Kind::Bonus;
        let posting = Posting { kind, points, draws, cause, program_version, explanation, occurred_at: at, effects };
        self.write(posting, SYSTEM)?;
        // Its points may carry a still higher level.
        let carried = tier::carried(&self.account, program, at);
        if carried > program.rank(&self.account.level.id) { self.change_level(version, carried, at) } else { Ok(()) }
    }

    fn post_due(
        &mut self,
        kind: Kind,
        draws: Vec<Draw>,
        explanation: Vec<Reason>,
        occurred_at: Moment,
        effects: Effects,
    ) -> Result<(), Refusal> {
        let points = draws.iter().fold(0_i64, |sum, draw| sum.saturating_add(draw.points));
        let (cause, program_version) = (Cause::Due, self.version.number);
        let posting = Posting { kind, points, draws, cause, program_version, explanation, occurred_at, effects };
        self.write(posting, SYSTEM)
    }

    /// Lifts the level at once if the units now carry a higher one.
    ///
    /// # Errors
    /// [`Refusal::Inconsistent`].
    pub fn lift_level(&mut self) -> Result<(), Refusal> {
        let version = Arc::clone(&self.version);
        let carried = tier::carried(&self.account, &version.program, self.now);
        if carried > version.program.rank(&self.account.level.id) {
            self.account.level.reviewed_at = self.now;
            self.account.level.early_review = None;
            self.change_level(&version, carried, self.now)?;
        }
        Ok(())
    }
}

/// What can fall due, in the order in which it is done at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    Lapse,
    Notice,
    Expire,
    Review,
}
