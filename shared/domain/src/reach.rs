//! Posts what purchases and activities bring towards goals, and what refunds take back of it.

use crate::account::Account;
use crate::calendar::Moment;
use crate::draft::{Draft, Posting};
use crate::entry::{Cause, Effects, Kind, Reason};
use crate::goal::{Added, Changed, Counted, Given, Progress, Won};
use crate::grant;
use crate::id::{RedemptionId, RuleId};
use crate::program::{Goal, GoalAward, Program, QualifyBy, Version};
use crate::redemption::gift;
use crate::refund::taken_back;
use crate::refusal::Refusal;
use crate::tier;
use sha2::{Digest, Sha256};
use ulid::Ulid;

/// What one purchase or activity adds to a goal.
#[derive(Debug)]
pub(crate) struct Step<'g> {
    goal: &'g Goal,
    period: i32,
    amount: i64,
    added: Added,
}

/// What a purchase or activity adds to goals, as `amounts` tell by the goals' places.
pub(crate) fn steps<'g>(
    account: &Account,
    program: &'g Program,
    occurred_at: Moment,
    now: Moment,
    amounts: impl Fn(&Goal) -> i64,
) -> Vec<Step<'g>> {
    let zone = account.zone(program);
    let (date, today) = (zone.date_at(occurred_at), zone.date_at(now));
    let goals = program.goals.iter().map(|goal| (goal, amounts(goal))).filter(|(_, amount)| *amount > 0);
    let step = |(goal, amount): (&'g Goal, i64)| {
        let period = goal.period(date);
        let before = account.progress(&goal.id).cloned().unwrap_or_else(|| Progress::none(goal.id.clone()));
        Some(Step { goal, period, amount, added: before.add(goal, period, amount, today)? })
    };
    goals.filter_map(step).collect()
}

impl Step<'_> {
    /// The goal's name.
    pub(crate) fn goal(&self) -> &RuleId {
        &self.goal.id
    }

    /// What the entry of the purchase or activity says of it.
    pub(crate) fn reason(&self) -> Reason {
        let Added { progress, anew, .. } = &self.added;
        Reason::Counted { goal: self.goal.id.clone(), counted: progress.counted, of: self.goal.count, anew: *anew }
    }

    /// How far the member is, before completions are taken out.
    pub(crate) fn progress(&self) -> Progress {
        self.added.progress.clone()
    }

    /// What a purchase keeps of it, for its refunds.
    pub(crate) fn counted(&self) -> Counted {
        let (goal, round) = (self.goal.id.clone(), self.added.progress.round);
        Counted { goal, round, period: self.period, first: self.amount, left: self.amount }
    }
}

/// Posts the goals that these steps complete: an entry of 0 points for each, and one for the points that it gives.
///
/// # Errors
/// As [`Draft::post`].
pub(crate) fn post(draft: &mut Draft<'_>, version: &Version, steps: Vec<Step<'_>>) -> Result<(), Refusal> {
    let mut left = AtOnce::default();
    for Step { goal, period, mut added, .. } in steps {
        added.completions = left.take(goal, added.completions);
        if added.completions > 0 {
            complete(draft, version, goal, period, added)?;
        }
    }
    Ok(())
}

/// Goals that one purchase or activity can reach at once.
const MOST_GOALS_AT_ONCE: u32 = 10;
/// Rewards that it can bring at once.
const MOST_REWARDS_AT_ONCE: u32 = 5;

/// What one purchase or activity can still bring: a commit holds 100 items. What it does not bring stays counted, and
/// comes with the next that counts.
struct AtOnce {
    goals: u32,
    rewards: u32,
}

impl Default for AtOnce {
    fn default() -> Self {
        Self { goals: MOST_GOALS_AT_ONCE, rewards: MOST_REWARDS_AT_ONCE }
    }
}

impl AtOnce {
    /// How many of so many completions of a goal fit.
    fn take(&mut self, goal: &Goal, completions: u32) -> u32 {
        let times = match goal.award {
            _ if self.goals == 0 => 0,
            GoalAward::Reward(_) => completions.min(self.rewards),
            GoalAward::Points(_) | GoalAward::Badge(_) => completions,
        };
        if times > 0 {
            self.goals -= 1;
            self.rewards -= if matches!(goal.award, GoalAward::Reward(_)) { times } else { 0 };
        }
        times
    }
}

fn complete(draft: &mut Draft<'_>, version: &Version, goal: &Goal, period: i32, added: Added) -> Result<(), Refusal> {
    let (program, now) = (&version.program, draft.now());
    let Added { mut progress, completions: times, .. } = added;
    let mut explanation = vec![Reason::GoalReached { goal: goal.id.clone(), times }];
    let posting = |kind, points, draws, explanation, effects| Posting {
        kind,
        points,
        draws,
        cause: Cause::Goal { goal: goal.id.clone() },
        program_version: version.number,
        explanation,
        occurred_at: now,
        effects,
    };
    let mut effects = Effects::default();
    let mut bonus = None;
    let given = match &goal.award {
        GoalAward::Points(each) => {
            let points = each.checked_mul(i64::from(times)).ok_or(Refusal::TooMuch)?;
            let lot = grant::lot(draft.account(), program, now);
            let units_bucket = tier::bucket(draft.account(), program, now);
            let (draws, repaid) = draft.credit(points, lot)?;
            let lot = draws.first().map_or(lot, |draw| draw.lot);
            if points > 0 {
                let mut explanation = vec![Reason::Fixed { rule: goal.id.clone(), points }];
                explanation.extend((repaid > 0).then_some(Reason::DebtRepaid { points: repaid }));
                let counts = program.tiers.qualify_by == QualifyBy::PointsEarned;
                let effects = Effects { units: counts.then_some((units_bucket, points)), ..Effects::default() };
                bonus = Some(posting(Kind::Bonus, points, draws, explanation, effects));
            }
            Some(Given::Points { points: *each, lot, credited_at: now, units_bucket })
        }
        GoalAward::Badge(badge) => {
            // Who has it keeps it, with the day on which it was given.
            let has = draft.account().badges.iter().any(|other| other.id == *badge);
            effects.badge = (!has).then(|| (badge.clone(), true));
            Some(Given::Badge(badge.clone()))
        }
        GoalAward::Reward(reward) => {
            if let Some(reward) = program.rewards.iter().find(|other| other.id == *reward) {
                for place in 0..times {
                    let redemption = gift_id(draft.account(), place);
                    draft.give(gift(draft, version, reward, redemption));
                    let (goal, reward) = (goal.id.clone(), reward.id.clone());
                    explanation.push(Reason::RewardGiven { goal, reward, redemption });
                }
            }
            None
        }
    };
    progress.complete(goal, times, period, given);
    effects.progress = vec![progress];
    draft.post(posting(Kind::Goal, 0, Vec::new(), explanation, effects))?;
    bonus.map_or(Ok(()), |bonus| draft.post(bonus))
}

/// The id of a reward that the next entry gives: it follows from the entry, so that whoever decides anew gives the same.
fn gift_id(account: &Account, place: u32) -> RedemptionId {
    let mut digest = Sha256::new();
    digest.update(b"gift");
    digest.update(account.member.ulid().to_bytes());
    digest.update((account.seq + 1).to_be_bytes());
    digest.update(place.to_be_bytes());
    let mut bytes = [0_u8; 16];
    for (to, from) in bytes.iter_mut().zip(digest.finalize()) {
        *to = from;
    }
    RedemptionId::new(Ulid::from_bytes(bytes))
}

/// What a refund takes back from goals, or gives back to them.
#[derive(Debug)]
pub(crate) struct Change<'g> {
    goal: &'g Goal,
    period: i32,
    changed: Changed,
}

/// What a refund changes about the goals that its purchase counted for; `counted` is brought up to date.
pub(crate) fn changes<'g>(
    account: &Account,
    program: &'g Program,
    counted: &mut [Counted],
    amounts: impl Fn(&Goal) -> i64,
) -> Vec<Change<'g>> {
    let mut changes = Vec::new();
    for counted in counted {
        let Some(goal) = program.goals.iter().find(|goal| goal.id == counted.goal) else { continue };
        let left = amounts(goal).min(counted.first);
        let change = left - std::mem::replace(&mut counted.left, left);
        if let (Some(progress), true) = (account.progress(&goal.id), change != 0) {
            let changed = progress.clone().change(goal, counted, change);
            changes.push(Change { goal, period: counted.period, changed });
        }
    }
    changes
}

impl Change<'_> {
    /// How far the member is, goals that are not reached any more taken back.
    pub(crate) fn progress(&self) -> Progress {
        self.changed.progress.clone()
    }
}

/// Posts what goals that are not reached any more give back, and those that a refund completes once more.
///
/// # Errors
/// As [`Draft::post`].
pub(crate) fn post_changes(draft: &mut Draft<'_>, version: &Version, changes: Vec<Change<'_>>) -> Result<(), Refusal> {
    let mut left = AtOnce::default();
    for Change { goal, period, changed: Changed { progress, lost, completions } } in changes {
        for lost in lost {
            lose(draft, version, goal, &lost)?;
        }
        let completions = left.take(goal, completions);
        if completions > 0 {
            complete(draft, version, goal, period, Added { progress, anew: false, completions })?;
        }
    }
    Ok(())
}

fn lose(draft: &mut Draft<'_>, version: &Version, goal: &Goal, lost: &Won) -> Result<(), Refusal> {
    let (program, now) = (&version.program, draft.now());
    let mut explanation = vec![Reason::GoalLost { goal: goal.id.clone(), times: lost.times }];
    let mut effects = Effects::default();
    let (mut kind, mut points, mut draws) = (Kind::Goal, 0, Vec::new());
    match &lost.given {
        Given::Points { points: each, lot, credited_at, units_bucket } => {
            let back = each.saturating_mul(i64::from(lost.times));
            let taken = taken_back(draft.account(), program, (*lot, *credited_at), back, now);
            let counts = program.tiers.qualify_by == QualifyBy::PointsEarned;
            effects.units = (counts && back > 0).then_some((*units_bucket, -back));
            explanation.extend(taken.reason);
            (kind, points, draws) = (Kind::Clawback, -taken.points, taken.draws);
        }
        Given::Badge(badge) => {
            let stays = draft.account().progress.iter().any(|progress| progress.has_won(badge));
            effects.badge = (!stays).then(|| (badge.clone(), false));
        }
    }
    draft.post(Posting {
        kind,
        points,
        draws,
        cause: Cause::Goal { goal: goal.id.clone() },
        program_version: version.number,
        explanation,
        occurred_at: now,
        effects,
    })
}
