//! Levels that an operator lends until a date.

use crate::draft::{Draft, Posted, Posting};
use crate::entry::{Cause, Effects, Kind};
use crate::id::LevelId;
use crate::pass::{Pass, PassOf, too_many};
use crate::refusal::Refusal;
use jiff::civil::Date;

/// What an operator grants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LevelGrant {
    /// At least this level …
    pub level: LevelId,
    /// … until this local day of the member, exclusive.
    pub until: Date,
    /// The operator's word for why; goes into the books, so nothing personal.
    pub reason: String,
}

/// Lends a level until a date, or ends at another date what was granted already, paid for or lent. The level acts at
/// once; when it ends, the member falls to what the units carry.
///
/// # Errors
/// [`Refusal::LevelUnknown`], [`Refusal::DatePast`] if the date lies before today, [`Refusal::TooManyPasses`], or that
/// the member takes no part.
pub fn grant_level(mut draft: Draft<'_>, grant: &LevelGrant) -> Result<Posted, Refusal> {
    draft.must_take_part()?;
    let now = draft.now();
    if !draft.program().level_ids.contains(&grant.level) {
        return Err(Refusal::LevelUnknown);
    }
    let zone = draft.account().zone(draft.program());
    if grant.until < zone.date_at(now) {
        return Err(Refusal::DatePast);
    }
    let until = zone.start_of(grant.until).max(now);
    let what = PassOf::Level(grant.level.clone());
    let running = draft.account().passes.iter().find(|pass| pass.what == what && pass.holds(now));
    let from = running.map_or(now, |pass| pass.from);
    let pass = Pass { what, from, until };
    let mut all = draft.account().passes.clone();
    pass.put(&mut all);
    if running.is_none() && too_many(&all, draft.program(), now) {
        return Err(Refusal::TooManyPasses);
    }
    let posting = Posting {
        kind: Kind::Adjust,
        points: 0,
        draws: Vec::new(),
        cause: Cause::Adjustment { reason: grant.reason.clone() },
        program_version: draft.version(),
        explanation: vec![pass.reason()],
        occurred_at: now,
        effects: Effects { passes: vec![pass], ..Effects::default() },
    };
    draft.post(posting)?;
    match until > now {
        true => draft.lift_level()?,
        false => draft.review_level()?,
    }
    draft.finish()
}
