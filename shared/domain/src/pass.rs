//! Passes: levels that are paid for or lent by an operator, and days that members booked. They end by their date alone.

use crate::account::Account;
use crate::calendar::{Moment, parse_date, plus_days};
use crate::id::{Label, LevelId};
use crate::program::condition::Attribute;
use crate::program::{Granted, Grants, Program};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Passes of an account, at most.
const MOST_PASSES: usize = 50;
/// A day can be booked so many days ahead.
const MOST_DAYS_AHEAD: i32 = 366;

/// A level or a tag that a member has for a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pass {
    /// What.
    pub what: PassOf,
    /// From when on.
    pub from: Moment,
    /// Until when, exclusive.
    pub until: Moment,
}

/// What a pass gives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum PassOf {
    /// At least this level.
    Level(LevelId),
    /// A tag, as far as conditions are concerned.
    Tag(Label),
}

impl Pass {
    /// Whether it holds at a moment.
    #[must_use]
    pub fn holds(&self, at: Moment) -> bool {
        self.from <= at && at < self.until
    }

    /// Whether it gives a tag at a moment.
    #[must_use]
    pub fn gives_tag(&self, tag: &Label, at: Moment) -> bool {
        self.holds(at) && matches!(&self.what, PassOf::Tag(given) if given == tag)
    }

    /// The level that it gives.
    #[must_use]
    pub fn level(&self) -> Option<&LevelId> {
        match &self.what {
            PassOf::Level(level) => Some(level),
            PassOf::Tag(_) => None,
        }
    }

    /// Puts it among others: in place of the one of the same kind and start, if there is one.
    pub fn put(&self, among: &mut Vec<Pass>) {
        match among.iter_mut().find(|other| other.what == self.what && other.from == self.from) {
            Some(other) => other.until = self.until,
            None => among.push(self.clone()),
        }
    }
}

/// Whether these are more than an account holds. Those that no purchase recorded late can ask for are as good as gone.
#[must_use]
pub fn too_many(passes: &[Pass], program: &Program, now: Moment) -> bool {
    let horizon = now.plus_days(-program.points.late_purchase_days.saturating_add(3));
    passes.iter().filter(|pass| pass.until > horizon).count() > MOST_PASSES
}

/// The pass that an activity brings beside those `held`, in the member's zone; none if it does not name a day that can be
/// granted.
///
/// A level lasts to the end of the local day so many days after the activity's, or after what is granted already, so that
/// who pays every 30 days never loses it for an hour. A tag lasts so many whole local days, the first included.
#[must_use]
pub fn granted(
    account: &Account,
    held: &[Pass],
    program: &Program,
    grants: &Grants,
    occurred_at: Moment,
    attributes: &BTreeMap<Label, Attribute>,
) -> Option<Pass> {
    let zone = account.zone(program);
    let day = zone.date_at(occurred_at);
    match grants.what {
        Granted::Level(place) => {
            let what = PassOf::Level(program.level(place)?.id.clone());
            let running = held.iter().filter(|pass| pass.what == what && pass.until >= occurred_at);
            Some(match running.max_by_key(|pass| pass.until) {
                Some(pass) => {
                    let until = zone.start_of(plus_days(zone.date_at(pass.until), grants.days));
                    Pass { what, from: pass.from, until }
                }
                None => Pass { what, from: occurred_at, until: zone.end_of(plus_days(day, grants.days)) },
            })
        }
        Granted::Tag(place) => {
            let what = PassOf::Tag(program.tags.get(place)?.clone());
            let first = match &grants.on {
                None => day,
                Some(name) => match attributes.get(name)? {
                    Attribute::Text(date) => parse_date(date)?,
                    Attribute::Bool(_) | Attribute::Int(_) => return None,
                },
            };
            let bookable = first >= day && first <= plus_days(day, MOST_DAYS_AHEAD);
            let (from, until) = (zone.start_of(first), zone.start_of(plus_days(first, grants.days)));
            let same = held.iter().find(|pass| pass.what == what && pass.from == from);
            let until = same.map_or(until, |same| same.until.max(until));
            bookable.then_some(Pass { what, from, until })
        }
    }
}
