//! Whether conditions can hold at all.
//!
//! A condition is followed through a description of everything that can still be: each clause narrows it, the branches
//! of `any` are followed apart and what they leave is put together again. The description may hold more than can really
//! be, never less. So what is called impossible is; what is not called so may still never happen.

mod sets;
mod values;

use super::condition::Condition;
use super::{Program, Trigger};
use crate::calendar::{Moment, Zone};
use crate::id::{CallerId, Label};
use crate::money::Currency;
use sets::{Among, Held, Span};
use std::collections::BTreeMap;
use values::{Totals, Values};

/// Everything that can still be when a rule is judged, for one line of it.
#[derive(Debug, Clone)]
pub(super) struct World<'a> {
    /// Bit 0 is Monday.
    weekdays: u8,
    /// A bit for every minute of the day, 64 to a word.
    minutes: [u64; 23],
    totals: Totals,
    sku: Among<&'a Label>,
    categories: Held<&'a Label>,
    channel: Among<&'a CallerId>,
    /// `Except` includes a purchase without a store.
    store: Among<&'a Label>,
    level: Among<usize>,
    tags: Held<usize>,
    /// Whether it can be the first purchase, and whether it can be another one.
    first: (bool, bool),
    member_days: Span,
    /// Attributes that are not named can be anything.
    attributes: BTreeMap<&'a Label, Values<'a>>,
}

impl<'a> World<'a> {
    /// Everything that can be when something sets rules off.
    pub(super) fn at(on: &Trigger, program: &Program) -> Self {
        let all = World::anything(program);
        match on {
            Trigger::Enrolment => {
                World { level: Among::only([0]), member_days: Span { least: 0, most: 0 }, first: (false, true), ..all }
            }
            Trigger::Activity(_) => World { first: (false, true), ..all },
            Trigger::Purchase => all,
        }
    }

    /// Everything that can be at all.
    pub(super) fn anything(program: &Program) -> Self {
        World {
            weekdays: 0b111_1111,
            minutes: minutes(0, 24 * 60),
            totals: Totals::anything(),
            sku: Among::anything(),
            categories: Held::anything(),
            channel: Among::anything(),
            store: Among::anything(),
            // Whatever the members' spend is, operators can grant any level.
            level: Among::only(0..program.tiers.levels.len()),
            tags: Held::anything(),
            first: (true, true),
            member_days: Span::at_least(0, true),
            attributes: BTreeMap::new(),
        }
    }

    /// Only purchases in a currency.
    pub(super) fn in_currency(mut self, currency: Currency) -> Self {
        self.totals.meet(&Totals::only_in(currency));
        self
    }

    /// Only the weekdays of a window, if it has two ends.
    pub(super) fn within(mut self, from: Option<Moment>, until: Option<Moment>, zone: &Zone) -> Self {
        if let (Some(from), Some(until)) = (from, until) {
            let (mut day, end) = (zone.date_at(from), zone.date_at(until));
            let mut weekdays = 0_u8;
            for _ in 0..7 {
                if day >= end {
                    break;
                }
                weekdays |= 1 << day.weekday().to_monday_zero_offset();
                let Ok(next) = day.tomorrow() else { break };
                day = next;
            }
            self.weekdays &= weekdays;
        }
        self
    }

    /// Narrows it to where the condition holds, or does not; tells whether anything is left.
    #[must_use]
    pub(super) fn meet(&mut self, condition: &'a Condition, wanted: bool) -> bool {
        match condition {
            Condition::All(clauses) if wanted => self.meet_all(clauses, wanted),
            Condition::Any(clauses) if !wanted => self.meet_all(clauses, wanted),
            Condition::All(clauses) | Condition::Any(clauses) => self.meet_any(clauses, wanted),
            Condition::Not(clause) => self.meet(clause, !wanted),
            Condition::NetTotalAtLeast(least) => {
                self.totals.meet(&Totals::at_least(*least, wanted));
                !self.totals.is_empty()
            }
            Condition::LineCategory(any) => {
                self.categories.demand(any, wanted);
                !self.categories.is_empty()
            }
            Condition::LineSku(any) => {
                self.sku.meet(&Among::of(any, wanted));
                !self.sku.is_empty()
            }
            Condition::Channel(any) => {
                self.channel.meet(&Among::of(any, wanted));
                !self.channel.is_empty()
            }
            Condition::Store(any) => {
                self.store.meet(&Among::of(any, wanted));
                !self.store.is_empty()
            }
            Condition::Tier(any) => {
                self.level.meet(&Among::of(any.iter().copied(), wanted));
                !self.level.is_empty()
            }
            Condition::Tag(any) => {
                self.tags.demand(any.iter().copied(), wanted);
                !self.tags.is_empty()
            }
            Condition::LocalWeekday(days) => {
                self.weekdays &= if wanted { *days } else { !*days };
                self.weekdays != 0
            }
            Condition::LocalTime { from, to } => {
                // What runs over midnight leaves out what lies between its end and its beginning.
                let (bits, inside) =
                    if from < to { (minutes(*from, *to), wanted) } else { (minutes(*to, *from), !wanted) };
                for (minutes, bits) in self.minutes.iter_mut().zip(bits) {
                    *minutes &= if inside { bits } else { !bits };
                }
                self.minutes.iter().any(|minutes| *minutes != 0)
            }
            Condition::FirstPurchase => {
                self.first = (self.first.0 && wanted, self.first.1 && !wanted);
                self.first != (false, false)
            }
            Condition::MemberDaysAtLeast(days) => {
                self.member_days = self.member_days.meet(Span::at_least(*days, wanted));
                !self.member_days.is_empty()
            }
            Condition::Attribute { name, is } => {
                let values = self.attributes.entry(name).or_insert_with(Values::anything);
                values.meet(&Values::of(is, wanted));
                !values.is_empty()
            }
        }
    }

    /// Those with branches come last: the more is known, the more of the branches end.
    fn meet_all(&mut self, clauses: &'a [Condition], wanted: bool) -> bool {
        let (branching, plain): (Vec<_>, Vec<_>) = clauses.iter().partition(|clause| clause.branches(wanted));
        plain.into_iter().chain(branching).all(|clause| self.meet(clause, wanted))
    }

    fn meet_any(&mut self, clauses: &'a [Condition], wanted: bool) -> bool {
        let mut together: Option<World<'a>> = None;
        for clause in clauses {
            let mut branch = self.clone();
            if branch.meet(clause, wanted) {
                match &mut together {
                    Some(together) => together.join(&branch),
                    None => together = Some(branch),
                }
            }
        }
        match together {
            Some(together) => {
                *self = together;
                true
            }
            None => false,
        }
    }

    fn join(&mut self, other: &Self) {
        self.weekdays |= other.weekdays;
        for (minutes, others) in self.minutes.iter_mut().zip(other.minutes) {
            *minutes |= others;
        }
        self.totals.join(&other.totals);
        self.sku.join(&other.sku);
        self.categories.join(&other.categories);
        self.channel.join(&other.channel);
        self.store.join(&other.store);
        self.level.join(&other.level);
        self.tags.join(&other.tags);
        self.first = (self.first.0 || other.first.0, self.first.1 || other.first.1);
        self.member_days = self.member_days.join(other.member_days);
        self.attributes.retain(|name, values| match other.attributes.get(name) {
            Some(others) => {
                values.join(others);
                true
            }
            None => false,
        });
    }
}

impl Condition {
    /// Whether there are several ways for it to hold, or not to.
    fn branches(&self, wanted: bool) -> bool {
        match self {
            Condition::All(_) => !wanted,
            Condition::Any(_) => wanted,
            Condition::Not(clause) => clause.branches(!wanted),
            Condition::NetTotalAtLeast(_)
            | Condition::LineCategory(_)
            | Condition::LineSku(_)
            | Condition::Channel(_)
            | Condition::Store(_)
            | Condition::Tier(_)
            | Condition::Tag(_)
            | Condition::LocalWeekday(_)
            | Condition::LocalTime { .. }
            | Condition::FirstPurchase
            | Condition::MemberDaysAtLeast(_)
            | Condition::Attribute { .. } => false,
        }
    }
}

/// The minutes of the day from one to another, the last excluded.
fn minutes(from: u16, to: u16) -> [u64; 23] {
    let mut words = [0; 23];
    for (word, first) in words.iter_mut().zip((0_u16..).step_by(64)) {
        for (bit, minute) in (first..first + 64).enumerate() {
            if (from..to).contains(&minute) {
                *word |= 1_u64 << bit;
            }
        }
    }
    words
}
