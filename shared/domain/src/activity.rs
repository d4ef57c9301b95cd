//! Activities: what members do besides buying, and what it brings them.

use crate::account::Account;
use crate::award::{Awarded, Caps};
use crate::award_activity::award_activity;
use crate::calendar::Moment;
use crate::draft::{Draft, Posted, Posting};
use crate::entry::{Cause, Effects, Entry, Kind, Reason};
use crate::grant;
use crate::id::{CallerId, Label, MemberId};
use crate::pass::{Pass, PassOf, granted, too_many};
use crate::program::condition::{Attribute, Facts};
use crate::program::{Award, Program, QualifyBy};
use crate::programs::Programs;
use crate::purchase::{self, BudgetUse, MINUTES_AHEAD};
use crate::reach;
use crate::refusal::Refusal;
use crate::tier;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The attributes of an activity, by their names.
pub type Attributes = BTreeMap<Label, Attribute>;

/// An activity as an app tells it.
#[derive(Debug, Clone, PartialEq)]
pub struct Activity {
    /// Who tells it. With the activity id, what makes it one fact for ever.
    pub source: CallerId,
    /// Its number there.
    pub activity_id: CallerId,
    /// What the member did, in the program's word for it.
    pub kind: CallerId,
    /// When, as told.
    pub occurred_at: Moment,
    /// What else is to be said of it; may be personal, and never goes into the books.
    pub attributes: Attributes,
}

/// Digests of what a request says that the books do not keep, to tell a retry from another request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digests {
    /// How the request named the member.
    pub reference: [u8; 16],
    /// The attributes.
    pub attributes: [u8; 16],
}

/// A recorded activity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedActivity {
    /// Who told it.
    pub source: CallerId,
    /// Its number there.
    pub activity_id: CallerId,
    /// What the member did.
    pub kind: CallerId,
    /// When, as told.
    pub occurred_at: Moment,
    /// When it was recorded.
    pub recorded_at: Moment,
    /// Whose it is.
    pub member: MemberId,
    /// Points of its own; what goals gave is not among them.
    pub points: i64,
    /// The version that judged it.
    pub program_version: u32,
    /// To tell a retry.
    pub digests: Digests,
    /// Its entries, for a retry.
    pub entries: Vec<Entry>,
}

/// What recording an activity writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActivityDecision {
    /// Account and entries.
    pub posted: Posted,
    /// The activity to keep.
    pub activity: RecordedActivity,
    /// What campaigns pay of it.
    pub budgets: Vec<BudgetUse>,
}

/// Records an activity: one entry, even of 0 points, with its reasons; more where it completes goals or lifts the level.
///
/// # Errors
/// [`Refusal::ActivityUnknown`] if the program in force then does not name its type, [`Refusal::TooManyPasses`]; else as
/// for a purchase.
pub fn record(
    mut draft: Draft<'_>,
    programs: &Programs,
    told: &Activity,
    digests: Digests,
) -> Result<ActivityDecision, Refusal> {
    draft.must_take_part()?;
    let now = draft.now();
    let occurred_at = business_time(told.occurred_at, now, draft.program().points.late_purchase_days)?;
    let version = Arc::clone(programs.at(occurred_at)?);
    let program = &version.program;
    if !program.names_activity(&told.kind) {
        return Err(Refusal::ActivityUnknown);
    }
    let account = draft.account();
    let tags = account.tags_at(program, occurred_at);
    let facts = facts(account, program, occurred_at, &tags, &told.attributes);
    let used_up = purchase::used_up(account, program, occurred_at);
    let left = purchase::budgets_left(program, draft.budgets());
    let caps = Caps { used_up: &used_up, budgets: &left };
    let mut awarded = award_activity(program, &facts, &told.kind, caps).map_err(|_| Refusal::TooMuch)?;
    let mut held = account.passes.clone();
    let granted = passes(account, program, &mut awarded, &mut held, occurred_at, &told.attributes);
    if !granted.is_empty() && too_many(&held, program, now) {
        return Err(Refusal::TooManyPasses);
    }
    let lot = grant::lot(account, program, occurred_at);
    if program.points.notice_days == 0
        && let Some(expired_at) = lot.expires_at.filter(|at| *at <= now && awarded.points > 0)
    {
        awarded.points = 0;
        awarded.of_budgets.clear();
        awarded.gave.retain(|place| granted.iter().any(|(granted, _)| granted == place));
        awarded.explanation = vec![Reason::RecordedTooLate { expired_at }];
    }
    let steps = reach::steps(account, program, occurred_at, now, |goal| goal.of_activity(&facts, &told.kind));

    let lot = if lot.activates_at.is_some_and(|at| at <= now) { lot.activated() } else { lot };
    let bucket = tier::bucket(account, program, occurred_at);
    let counts = program.tiers.qualify_by == QualifyBy::PointsEarned && awarded.points > 0;
    let effects = Effects {
        units: counts.then_some((bucket, awarded.points)),
        uses: purchase::uses(account, program, occurred_at, &awarded.gave, 1),
        progress: steps.iter().map(reach::Step::progress).collect(),
        passes: granted.into_iter().map(|(_, pass)| pass).collect(),
        ..Effects::default()
    };
    let (draws, repaid) = draft.credit(awarded.points, lot)?;
    let mut explanation = awarded.explanation;
    explanation.extend(effects.passes.iter().map(Pass::reason));
    explanation.extend(steps.iter().map(reach::Step::reason));
    explanation.extend((repaid > 0).then_some(Reason::DebtRepaid { points: repaid }));
    let (source, activity_id, kind) = (told.source.clone(), told.activity_id.clone(), told.kind.clone());
    let cause = Cause::Activity { source, activity_id, kind };
    draft.post(Posting {
        kind: Kind::Bonus,
        points: awarded.points,
        draws,
        cause,
        program_version: version.number,
        explanation,
        occurred_at,
        effects,
    })?;
    reach::post(&mut draft, &version, steps)?;
    draft.lift_level()?;
    let posted = draft.finish()?;
    let activity = RecordedActivity {
        source: told.source.clone(),
        activity_id: told.activity_id.clone(),
        kind: told.kind.clone(),
        occurred_at: told.occurred_at,
        recorded_at: now,
        member: posted.account.member,
        points: awarded.points,
        program_version: version.number,
        digests,
        entries: posted.own_entries().to_vec(),
    };
    let budgets = purchase::budget_uses(program, &awarded.of_budgets, &[], false);
    Ok(ActivityDecision { posted, activity, budgets })
}

/// Activities may come as late as purchases, and no further ahead.
fn business_time(told: Moment, now: Moment, late_days: i64) -> Result<Moment, Refusal> {
    if told > now.plus_minutes(MINUTES_AHEAD) {
        return Err(Refusal::InFuture);
    }
    if told < now.plus_days(-late_days) {
        return Err(Refusal::ActivityTooOld { days: late_days });
    }
    Ok(told.min(now))
}

/// The facts that an activity is judged by.
fn facts<'a>(
    account: &Account,
    program: &Program,
    occurred_at: Moment,
    tags: &'a [usize],
    attributes: &'a Attributes,
) -> Facts<'a> {
    let before = occurred_at < account.enrolled_at;
    Facts {
        occurred_at,
        weekday: program.zone.date_at(occurred_at).weekday().to_monday_zero_offset().unsigned_abs(),
        minute: program.zone.minute_at(occurred_at),
        net_total: None,
        channel: None,
        store: None,
        level: if before { 0 } else { program.rank(account.level_at(occurred_at)) },
        tags,
        first_purchase: false,
        member_days: occurred_at.days_since(account.enrolled_at),
        attributes: Some(attributes),
    }
}

/// The passes that the rules which applied bring, by the rules' places, put among those `held`. A rule that can grant
/// nothing has not applied, unless it gave points.
fn passes(
    account: &Account,
    program: &Program,
    awarded: &mut Awarded,
    held: &mut Vec<Pass>,
    occurred_at: Moment,
    attributes: &Attributes,
) -> Vec<(usize, Pass)> {
    let mut passes = Vec::new();
    for place in awarded.gave.clone() {
        let Some(rule) = program.rules.get(place) else { continue };
        let Some(grants) = &rule.grants else { continue };
        let pass = granted(account, held, program, grants, occurred_at, attributes);
        // A day that is booked already is not booked once more.
        if let Some(pass) = pass.filter(|pass| !held.contains(pass)) {
            pass.put(held);
            passes.push((place, pass));
            continue;
        }
        awarded.explanation.push(Reason::NoDayToGrant { rule: rule.id.clone() });
        let gave_points = matches!(rule.award, Award::Points(1..)) && !awarded.of_budgets.contains(&(place, 0));
        if !gave_points {
            awarded.gave.retain(|gave| *gave != place);
        }
    }
    passes
}

impl Pass {
    /// What an entry says of it.
    #[must_use]
    pub fn reason(&self) -> Reason {
        match &self.what {
            PassOf::Level(level) => Reason::LevelGranted { level: level.clone(), until: self.until },
            PassOf::Tag(tag) => Reason::TagGranted { tag: tag.clone(), from: self.from, until: self.until },
        }
    }
}

impl RecordedActivity {
    /// In what a request under the same source and activity id differs, as JSON Pointers into its body; a retry in nothing.
    #[must_use]
    pub fn differences(&self, told: &Activity, digests: Digests) -> Vec<String> {
        let compared = [
            (self.digests.reference == digests.reference, "/member"),
            (self.kind == told.kind, "/type"),
            (self.occurred_at == told.occurred_at, "/occurred_at"),
            (self.digests.attributes == digests.attributes, "/attributes"),
        ];
        compared.into_iter().filter(|(same, _)| !same).map(|(_, pointer)| pointer.to_owned()).collect()
    }
}
