//! Joining, pausing, changing and leaving.

use crate::account::{Account, Status};
use crate::calendar::{Moment, Zone};
use crate::draft::{Draft, Posted, Posting};
use crate::entry::{Cause, Effects, Kind, Reason};
use crate::grant;
use crate::id::{Label, LevelId, MemberId};
use crate::program::condition::Facts;
use crate::program::{Award, QualifyBy, Trigger};
use crate::programs::Programs;
use crate::refusal::Refusal;
use crate::tier;

/// What the account keeps of a new member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Joining {
    /// The new member's id.
    pub member: MemberId,
    /// Where the member lives, if known.
    pub zone: Option<Zone>,
    /// Groups.
    pub tags: Vec<Label>,
}

/// Enrols a member: one entry of 0 points, and one for the welcome points, if the program gives any.
///
/// # Errors
/// [`Refusal::NeedsVersion`].
pub fn enrol(joining: Joining, programs: &Programs, now: Moment, actor: &str) -> Result<Posted, Refusal> {
    let version = programs.at(now)?;
    let lowest: LevelId = version.program.level(0).map(|level| level.id.clone()).ok_or(Refusal::Inconsistent)?;
    let account = Account::new(joining.member, now, joining.zone, joining.tags, lowest);
    let mut draft = Draft::new(account, programs, now, actor)?;
    let (cause, program_version) = (Cause::Enrolment, version.number);
    draft.post(Posting {
        kind: Kind::Enrol,
        points: 0,
        draws: Vec::new(),
        cause: cause.clone(),
        program_version,
        explanation: Vec::new(),
        occurred_at: now,
        effects: Effects::default(),
    })?;
    let (points, gave, explanation) = welcome(&draft)?;
    if points > 0 {
        let lot = grant::lot(draft.account(), draft.program(), now);
        let bucket = tier::bucket(draft.account(), draft.program(), now);
        let counts = draft.program().tiers.qualify_by == QualifyBy::PointsEarned;
        let effects = Effects {
            units: counts.then_some((bucket, points)),
            uses: crate::purchase::uses(draft.account(), draft.program(), now, &gave, 1),
            ..Effects::default()
        };
        let (draws, _) = draft.credit(points, lot)?;
        draft.post(Posting {
            kind: Kind::Bonus,
            points,
            draws,
            cause,
            program_version,
            explanation,
            occurred_at: now,
            effects,
        })?;
        draft.lift_level()?;
    }
    draft.finish()
}

fn welcome(draft: &Draft<'_>) -> Result<(i64, Vec<usize>, Vec<Reason>), Refusal> {
    let (program, now) = (draft.program(), draft.now());
    let tags = draft.account().tags_at(program, now);
    let facts = Facts {
        occurred_at: now,
        weekday: program.zone.date_at(now).weekday().to_monday_zero_offset().unsigned_abs(),
        minute: program.zone.minute_at(now),
        net_total: None,
        channel: None,
        store: None,
        level: 0,
        tags: &tags,
        first_purchase: false,
        member_days: 0,
        attributes: None,
    };
    let (mut points, mut gave, mut explanation) = (0_i64, Vec::new(), Vec::new());
    for (place, rule) in program.rules.iter().enumerate() {
        let holds = rule.when.as_ref().is_none_or(|when| when.holds(&facts, None) == Some(true));
        if let (Trigger::Enrolment, Award::Points(fixed), true) = (&rule.on, rule.award, holds && rule.in_window(now)) {
            points = points.checked_add(fixed).ok_or(Refusal::TooMuch)?;
            gave.push(place);
            explanation.push(Reason::Fixed { rule: rule.id.clone(), points: fixed });
        }
    }
    Ok((points, gave, explanation))
}

/// Changes what the account keeps besides points: status, zone, groups.
///
/// # Errors
/// [`Refusal::MemberUnknown`] for one who is gone.
pub fn change(mut draft: Draft<'_>, with: impl FnOnce(&mut Account)) -> Result<Posted, Refusal> {
    if draft.account().status == Status::Erased {
        return Err(Refusal::MemberUnknown);
    }
    with(draft.account_mut());
    Ok(draft.finish_as_is())
}

/// Gives up all points that are there.
///
/// # Errors
/// As [`Draft::post`].
pub(crate) fn forfeit(draft: &mut Draft<'_>) -> Result<(), Refusal> {
    let (now, program_version) = (draft.now(), draft.version());
    let (draws, points) = draft.account().lots.take(i64::MAX, now, |_| true);
    if points == 0 {
        return Ok(());
    }
    draft.post(Posting {
        kind: Kind::Forfeit,
        points: -points,
        draws,
        cause: Cause::Erasure,
        program_version,
        explanation: Vec::new(),
        occurred_at: now,
        effects: Effects::default(),
    })
}

/// Erases a member: what is held is called off, points left are forfeited by an entry, and nothing of the person stays in the account.
///
/// # Errors
/// [`Refusal::MemberUnknown`] for one who is gone already.
pub fn erase(mut draft: Draft<'_>) -> Result<Posted, Refusal> {
    let account = draft.account();
    if account.status == Status::Erased {
        return Err(Refusal::MemberUnknown);
    }
    crate::redemption::cancel_all(&mut draft)?;
    forfeit(&mut draft)?;
    let account = draft.account_mut();
    account.status = Status::Erased;
    account.zone = None;
    account.tags = Vec::new();
    // Days that the member booked say what tags say.
    account.passes.retain(|pass| pass.level().is_some());
    draft.finish()
}
