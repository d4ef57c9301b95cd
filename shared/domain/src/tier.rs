//! Status levels: what qualifying units carry, and until when.
//!
//! A level is carried by the units of the current period, or through the current one by those of the period before:
//! whoever reaches a level keeps it through the next period. Reaching one acts at once; losing one waits for the review
//! at the period's end. A refund in a later period than its purchase brings a review at the end of that local month.
//! A pass, which is paid for or lent by an operator, carries a level while it lasts; when it ends, the level is reviewed.

use crate::account::Account;
use crate::calendar::{Moment, Zone, day_number, plus_months};
use crate::id::LevelId;
use crate::program::{Period, Program};
use jiff::civil::Date;

/// More days than local dates of one moment can lie apart, clamped Februaries included.
const MOVED_DAYS: i32 = 3;

/// A span of whole periods, by the days at which they start.
struct Window {
    from: i32,
    to: i32,
}

/// Where a moment stands among periods.
struct Place {
    /// The day under which units of now are counted.
    bucket: i32,
    /// The periods that count as the current one.
    current: Window,
    /// Those that count as the one before.
    before: Window,
    /// When the current one ends; never for lifetime.
    ends: Option<Date>,
}

fn place(account: &Account, program: &Program, zone: &Zone, date: Date) -> Place {
    let months_around = |first: Date, months: i32| {
        let day = |offset| day_number(plus_months(first, offset));
        (Window { from: day(0), to: day(months) }, Window { from: day(-months), to: day(0) })
    };
    match program.tiers.period {
        Period::CalendarYear => {
            let first = date.first_of_year();
            let (current, before) = months_around(first, 12);
            Place { bucket: day_number(first), current, before, ends: Some(plus_months(first, 12)) }
        }
        Period::MembershipYear => {
            let joined = zone.date_at(account.enrolled_at);
            let guess = i32::from(date.year() - joined.year()).max(0);
            let years = if account.anniversary(zone, guess) > date { (guess - 1).max(0) } else { guess };
            let day = |years| day_number(account.anniversary(zone, years));
            // A move to another zone shifts the anniversary by a day or two; what was counted under the old one stays in.
            let edge = |years| day(years) - MOVED_DAYS;
            Place {
                bucket: day(years),
                current: Window { from: edge(years), to: edge(years + 1) },
                before: Window { from: edge(years - 1), to: edge(years) },
                ends: Some(account.anniversary(zone, years + 1)),
            }
        }
        Period::Rolling12Months => {
            let first = date.first_of_month();
            let day = |offset| day_number(plus_months(first, offset));
            Place {
                bucket: day(0),
                current: Window { from: day(-11), to: day(1) },
                before: Window { from: day(-12), to: day(0) },
                ends: Some(plus_months(first, 1)),
            }
        }
        Period::Lifetime => {
            let all = || Window { from: i32::MIN, to: i32::MAX };
            Place { bucket: 0, current: all(), before: Window { from: 0, to: 0 }, ends: None }
        }
    }
}

fn units_in(account: &Account, window: &Window) -> i64 {
    let within = account.units.iter().filter(|(day, _)| (window.from..window.to).contains(day));
    within.fold(0, |sum, (_, units)| sum.saturating_add(*units))
}

/// The level that so many units reach, by its place.
fn reached(program: &Program, units: i64) -> usize {
    program.tiers.levels.iter().rposition(|level| level.from.is_some_and(|from| from <= units)).unwrap_or(0)
}

/// The day under which units of a moment are counted.
#[must_use]
pub fn bucket(account: &Account, program: &Program, at: Moment) -> i32 {
    let zone = account.zone(program);
    place(account, program, zone, zone.date_at(at)).bucket
}

/// Whether units counted under a day are of the period of a moment.
#[must_use]
pub fn is_of_period(account: &Account, program: &Program, bucket: i32, at: Moment) -> bool {
    let zone = account.zone(program);
    let current = place(account, program, zone, zone.date_at(at)).current;
    (current.from..current.to).contains(&bucket)
}

/// Qualifying units in the period of a moment.
#[must_use]
pub fn units(account: &Account, program: &Program, at: Moment) -> i64 {
    let zone = account.zone(program);
    units_in(account, &place(account, program, zone, zone.date_at(at)).current)
}

/// The level that units and passes carry at a moment, by its place.
#[must_use]
pub fn carried(account: &Account, program: &Program, at: Moment) -> usize {
    let zone = account.zone(program);
    let place = place(account, program, zone, zone.date_at(at));
    let now = reached(program, units_in(account, &place.current));
    let earned = now.max(reached(program, units_in(account, &place.before)));
    let granted = account.passes.iter().filter(|pass| pass.holds(at)).filter_map(|pass| pass.level());
    granted.map(|level| program.rank(level)).max().map_or(earned, |granted| granted.max(earned))
}

/// The next moment at which the level must be looked at; none on the lowest level, which nobody loses.
#[must_use]
pub fn next_review(account: &Account, program: &Program) -> Option<Moment> {
    if program.rank(&account.level.id) == 0 {
        return None;
    }
    let zone = account.zone(program);
    let regular = place(account, program, zone, zone.date_at(account.level.reviewed_at)).ends;
    let regular = regular.map(|date| zone.start_of(date));
    let passes = ends_of_passes(account, program).filter(|end| *end > account.level.reviewed_at);
    regular.into_iter().chain(account.level.early_review).chain(passes).min()
}

/// When passes end that may carry the level: those to lower ones cannot.
fn ends_of_passes(account: &Account, program: &Program) -> impl Iterator<Item = Moment> {
    let rank = program.rank(&account.level.id);
    let carries = move |level: &LevelId| program.rank(level) >= rank;
    let passes = account.passes.iter().filter(move |pass| pass.level().is_some_and(carries));
    passes.map(|pass| pass.until)
}

/// The end of the local month of a moment: when a refund of an earlier period's purchase is felt.
#[must_use]
pub fn early_review(account: &Account, program: &Program, at: Moment) -> Moment {
    let zone = account.zone(program);
    zone.end_of_month(zone.date_at(at))
}

/// Until when the level lasts if nothing else happens; none for ever, and on the lowest.
#[must_use]
pub fn lasts_until(account: &Account, program: &Program, as_of: Moment) -> Option<Moment> {
    let rank = program.rank(&account.level.id);
    if rank == 0 {
        return None;
    }
    let zone = account.zone(program);
    let passes = ends_of_passes(account, program).chain(account.level.early_review).filter(|end| *end > as_of);
    let mut candidates: Vec<Moment> = passes.collect();
    let mut date = zone.date_at(as_of);
    // Thirteen month ends are the farthest at which units can end.
    for _ in 0..14 {
        let Some(end) = place(account, program, zone, date).ends else { break };
        candidates.push(zone.start_of(end));
        date = end;
    }
    candidates.sort_unstable();
    candidates.into_iter().find(|at| carried(account, program, *at) < rank)
}
