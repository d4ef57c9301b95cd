//! A member's position, and the one way in which an entry changes it.

use crate::calendar::{Moment, Zone, plus_months};
use crate::entry::{Balance, Entry, Kind, Use};
use crate::goal::Progress;
use crate::id::{CallerId, Label, LevelId, MemberId, RuleId};
use crate::lots::Lots;
use crate::pass::Pass;
use crate::program::Program;
use crate::redemption::Holds;
use serde::{Deserialize, Serialize};

/// A member's position. Points, lots, debt, counters, units and level are a fold of the member's entries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Whose.
    pub member: MemberId,
    /// Grows by one with each change of the account; 1 at enrolment.
    pub version: u64,
    /// The number of the last entry.
    pub seq: u64,
    /// Whether the member takes part.
    pub status: Status,
    /// When the member joined.
    pub enrolled_at: Moment,
    /// The member's zone, if known; else the program's counts.
    pub zone: Option<Zone>,
    /// Groups the member belongs to.
    pub tags: Vec<Label>,
    /// Points.
    pub lots: Lots,
    /// Points set aside.
    pub held: i64,
    /// Points owed.
    pub debt: i64,
    /// Sums since enrolment.
    pub lifetime: Lifetime,
    /// Status level.
    pub level: LevelState,
    /// Qualifying units by the first day of their period, oldest first.
    pub units: Vec<(i32, i64)>,
    /// How often limited rules served the member, by period.
    pub uses: Vec<(Use, u32)>,
    /// Whether there was a first purchase of which something is left.
    pub first_purchase: bool,
    /// What points are set aside for.
    pub holds: Holds,
    /// How often limited rewards served the member, by period; a rule may bear the same id.
    pub reward_uses: Vec<(Use, u32)>,
    /// How far the member is with goals, by their names.
    pub progress: Vec<Progress>,
    /// Badges, oldest first.
    pub badges: Vec<Badge>,
    /// Levels and tags granted for a time.
    pub passes: Vec<Pass>,
    /// The levels whose entry bonus was given, each with the day under which the units of that period are counted.
    pub entry_bonuses: Vec<(LevelId, i32)>,
}

/// A badge that a goal gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Badge {
    /// Its name in the program.
    pub id: CallerId,
    /// Since when.
    pub since: Moment,
}

/// Whether a member takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    /// Earns and spends.
    Active,
    /// Neither, for now; refunds and expiry go on.
    Deactivated,
    /// Gone; only the books remain.
    Erased,
}

/// Sums since enrolment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lifetime {
    /// Awarded, gross.
    pub earned: i64,
    /// Corrections and forfeits, signed.
    pub adjusted: i64,
    /// Spent.
    pub redeemed: i64,
    /// Ended unspent.
    pub expired: i64,
    /// Taken back, less what was given back.
    pub clawed_back: i64,
}

/// A member's status level through time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LevelState {
    /// The level now.
    pub id: LevelId,
    /// Since when.
    pub since: Moment,
    /// The levels before, each with its start, oldest first: for purchases recorded late.
    pub before: Vec<(Moment, LevelId)>,
    /// Up to when it was reviewed.
    pub reviewed_at: Moment,
    /// An extra review, after a refund of a purchase of an earlier period.
    pub early_review: Option<Moment>,
}

/// Level changes that are remembered for late purchases, at most.
const MOST_LEVEL_CHANGES: usize = 24;
/// Goals with which an account remembers its progress, at most: those of one program, and as many of earlier versions.
const MOST_PROGRESS: usize = 100;
/// Badges of an account, at most.
const MOST_BADGES: usize = 200;
/// Levels whose entry bonus is remembered, at most: those of one program, and as many of earlier versions.
const MOST_ENTRY_BONUSES: usize = 40;
/// Periods of units that are kept: two years of months, and some.
const MOST_UNIT_PERIODS: usize = 30;

fn keep_newest<T>(list: &mut Vec<T>, most: usize) {
    if list.len() > most {
        list.remove(0);
    }
}

/// An entry that does not follow from the account before it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("entry {seq}: {what}")]
pub struct BadEntry {
    /// Its number.
    pub seq: u64,
    /// What does not fit.
    pub what: &'static str,
}

impl Account {
    /// The account of a member who joins now, before its first entry.
    #[must_use]
    pub fn new(member: MemberId, enrolled_at: Moment, zone: Option<Zone>, tags: Vec<Label>, lowest: LevelId) -> Self {
        Self {
            member,
            version: 0,
            seq: 0,
            status: Status::Active,
            enrolled_at,
            zone,
            tags,
            lots: Lots::default(),
            held: 0,
            debt: 0,
            lifetime: Lifetime::default(),
            level: LevelState {
                id: lowest,
                since: enrolled_at,
                before: Vec::new(),
                reviewed_at: enrolled_at,
                early_review: None,
            },
            units: Vec::new(),
            uses: Vec::new(),
            first_purchase: false,
            holds: Holds::default(),
            reward_uses: Vec::new(),
            progress: Vec::new(),
            badges: Vec::new(),
            passes: Vec::new(),
            entry_bonuses: Vec::new(),
        }
    }

    /// The position, as the lots stand.
    #[must_use]
    pub fn balance(&self) -> Balance {
        Balance { available: self.lots.available(), pending: self.lots.pending(), held: self.held, debt: self.debt }
    }

    /// The member's zone, or the program's.
    #[must_use]
    pub fn zone<'a>(&'a self, program: &'a Program) -> &'a Zone {
        self.zone.as_ref().unwrap_or(&program.zone)
    }

    /// The level at a moment of the past.
    #[must_use]
    pub fn level_at(&self, at: Moment) -> &LevelId {
        if self.level.since <= at {
            return &self.level.id;
        }
        let earlier = self.level.before.iter().rfind(|(since, _)| *since <= at).or(self.level.before.first());
        earlier.map_or(&self.level.id, |(_, level)| level)
    }

    /// How often a rule served the member in a period.
    #[must_use]
    pub fn times_used(&self, of: &Use) -> u32 {
        self.uses.iter().find(|(other, _)| other == of).map_or(0, |(_, times)| *times)
    }

    /// How far the member is with a goal; none if nothing has counted yet.
    #[must_use]
    pub fn progress(&self, goal: &RuleId) -> Option<&Progress> {
        self.progress
            .binary_search_by(|progress| progress.goal.cmp(goal))
            .ok()
            .and_then(|place| self.progress.get(place))
    }

    /// The places, among the tags that a program's conditions mention, of those that the member bears at a moment.
    #[must_use]
    pub fn tags_at(&self, program: &Program, at: Moment) -> Vec<usize> {
        let bears = |tag: &Label| self.tags.contains(tag) || self.passes.iter().any(|pass| pass.gives_tag(tag, at));
        program.tags.iter().enumerate().filter(|(_, tag)| bears(tag)).map(|(place, _)| place).collect()
    }

    /// Carries out an entry.
    ///
    /// # Errors
    /// [`BadEntry`] if it does not follow from the account: a gap in the numbers, a lot without the points, sums that do
    /// not add up. The account is then of no use any more.
    pub fn apply(&mut self, entry: &Entry) -> Result<(), BadEntry> {
        let bad = |what| BadEntry { seq: entry.seq, what };
        if entry.seq != self.seq + 1 {
            return Err(bad("does not follow the entry before it"));
        }
        self.lots.activate(entry.recorded_at);
        let mut drawn: i64 = 0;
        let gained: i128 = entry.draws.iter().map(|draw| i128::from(draw.points.max(0))).sum();
        if self.lots.total() + gained + i128::from(self.held) > i128::from(i64::MAX) {
            return Err(bad("sums overflow"));
        }
        for draw in &entry.draws {
            self.lots.draw(*draw).map_err(|_| bad("draws points that its lot does not have"))?;
            drawn = drawn.checked_add(draw.points).ok_or(bad("sums overflow"))?;
        }
        // What a credit did not put into lots paid a debt; what a clawback did not find in lots is owed.
        let owed = drawn.checked_sub(entry.points).ok_or(bad("sums overflow"))?;
        if entry.debt_repaid != owed.saturating_neg().max(0) {
            return Err(bad("repays another debt than its draws leave"));
        }
        self.debt = self.debt.checked_add(owed).filter(|debt| *debt >= 0).ok_or(bad("repays more than is owed"))?;
        self.count(entry).ok_or(bad("sums overflow"))?;
        self.redeem(entry).map_err(bad)?;
        self.change(entry);
        self.seq = entry.seq;
        Ok(())
    }

    fn count(&mut self, entry: &Entry) -> Option<()> {
        let sums = &mut self.lifetime;
        match entry.kind {
            Kind::Earn | Kind::Bonus => sums.earned = sums.earned.checked_add(entry.points)?,
            Kind::Clawback | Kind::Restore => sums.clawed_back = sums.clawed_back.checked_sub(entry.points)?,
            Kind::Expire => sums.expired = sums.expired.checked_sub(entry.points)?,
            Kind::Adjust | Kind::Forfeit => sums.adjusted = sums.adjusted.checked_add(entry.points)?,
            // What they move depends on the redemption.
            Kind::Hold | Kind::Redeem | Kind::Release => {}
            Kind::Enrol | Kind::Notice | Kind::Tier | Kind::Goal => {}
        }
        if let Some((period, units)) = entry.effects.units {
            match self.units.binary_search_by_key(&period, |(start, _)| *start) {
                Ok(found) => {
                    let (_, sum) = self.units.get_mut(found)?;
                    *sum = sum.checked_add(units)?;
                }
                Err(place) => self.units.insert(place, (period, units)),
            }
            if self.units.len() > MOST_UNIT_PERIODS {
                self.units.remove(0);
            }
        }
        for (of, change) in &entry.effects.uses {
            let times = self.times_used(of).checked_add_signed(*change)?;
            self.uses.retain(|(other, _)| other != of);
            if times > 0 {
                let place = self.uses.partition_point(|(other, _)| other < of);
                self.uses.insert(place, (of.clone(), times));
            }
        }
        Some(())
    }

    fn change(&mut self, entry: &Entry) {
        for lot in &entry.effects.noticed {
            self.lots.notice(lot.lot, entry.recorded_at);
        }
        if let Some(taken) = entry.effects.first_purchase {
            self.first_purchase = taken;
        }
        if let Some(level) = &entry.effects.level {
            let before = std::mem::replace(&mut self.level.id, level.clone());
            self.level.before.push((self.level.since, before));
            self.level.since = entry.occurred_at;
            if self.level.before.len() > MOST_LEVEL_CHANGES {
                self.level.before.remove(0);
            }
        }
        for progress in &entry.effects.progress {
            self.take_progress(progress);
        }
        if let Some((badge, given)) = &entry.effects.badge {
            self.badges.retain(|other| other.id != *badge);
            if *given {
                self.badges.push(Badge { id: badge.clone(), since: entry.occurred_at });
                keep_newest(&mut self.badges, MOST_BADGES);
            }
        }
        for pass in &entry.effects.passes {
            pass.put(&mut self.passes);
        }
        if let Some((level, period)) = &entry.effects.entry_bonus {
            self.entry_bonuses.retain(|(other, _)| other != level);
            self.entry_bonuses.push((level.clone(), *period));
            keep_newest(&mut self.entry_bonuses, MOST_ENTRY_BONUSES);
        }
    }

    fn take_progress(&mut self, progress: &Progress) {
        match self.progress.binary_search_by(|other| other.goal.cmp(&progress.goal)) {
            Ok(place) => {
                if let Some(slot) = self.progress.get_mut(place) {
                    *slot = progress.clone();
                }
            }
            Err(place) => self.progress.insert(place, progress.clone()),
        }
        if self.progress.len() > MOST_PROGRESS {
            // What has rested longest goes: a goal of a version long past.
            let oldest = self.progress.iter().enumerate().min_by_key(|(_, progress)| progress.since);
            if let Some(place) = oldest.map(|(place, _)| place) {
                self.progress.remove(place);
            }
        }
    }

    /// Forgets counters and level changes that no purchase can ask for any more. The days are those of UTC with some to
    /// spare, so that a member's move to another zone, or erasure, changes nothing about what is forgotten.
    pub fn forget(&mut self, program: &Program, now: Moment) {
        let horizon = now.plus_days(-program.points.late_purchase_days.saturating_add(3));
        let date = horizon.utc_date();
        self.uses.retain(|(of, _)| of.per.start(date) <= of.start);
        self.forget_rewards(now);
        let old =
            self.level.before.iter().zip(self.level.before.iter().skip(1)).take_while(|(_, next)| next.0 <= horizon);
        let old = old.count();
        self.level.before.drain(..old);
        self.passes.retain(|pass| pass.until > horizon);
    }

    /// The earliest moment at which something must be written about the account; none if nothing is ever due.
    #[must_use]
    pub fn next_due(&self, program: &Program) -> Option<Moment> {
        let lots = self.lots.iter().filter_map(|lot| lot.key.next_due());
        lots.chain(crate::tier::next_review(self, program)).chain(self.holds.next_lapse()).min()
    }

    /// Whether the lifetime sums explain the balance.
    #[must_use]
    pub fn adds_up(&self) -> bool {
        let balance = self.balance();
        let wide = i128::from;
        wide(balance.available) + wide(balance.pending) + wide(balance.held) - wide(balance.debt)
            == wide(self.lifetime.earned) + wide(self.lifetime.adjusted)
                - wide(self.lifetime.redeemed)
                - wide(self.lifetime.expired)
                - wide(self.lifetime.clawed_back)
    }

    /// The anniversary of the enrolment so many years later, as a local date.
    #[must_use]
    pub fn anniversary(&self, zone: &Zone, years: i32) -> jiff::civil::Date {
        plus_months(zone.date_at(self.enrolled_at), years.saturating_mul(12))
    }
}
