//! How far a member is: goals, badges, levels for a time.

use crate::account::Account;
use crate::calendar::{Moment, date_of_day};
use crate::draft::as_of;
use crate::program::{Goal, GoalAward, GoalOf, Trigger};
use crate::programs::Programs;
use crate::refusal::Refusal;
use crate::view;
use jiff::civil::Date;
use serde_json::{Value, json};

/// Shows a member's way to the goals of the program in force, the badges, and what was granted for a time, as of a moment.
///
/// # Errors
/// [`Refusal::NeedsVersion`], [`Refusal::Inconsistent`].
pub fn progress(account: Account, programs: &Programs, now: Moment) -> Result<Value, Refusal> {
    let account = as_of(account, programs, now)?;
    let program = &programs.at(now)?.program;
    let today = account.zone(program).date_at(now);
    let goals: Vec<Value> = program.goals.iter().map(|goal| show(goal, &account, today, now)).collect();
    let passes = account.passes.iter().filter(|pass| pass.until > now).map(|pass| {
        let (from, until) = (pass.from.to_string(), pass.until.to_string());
        match &pass.what {
            crate::pass::PassOf::Level(level) => json!({ "level": level.as_str(), "from": from, "until": until }),
            crate::pass::PassOf::Tag(tag) => json!({ "tag": tag.as_str(), "from": from, "until": until }),
        }
    });
    Ok(view::object([
        ("member_id", account.member.to_string().into()),
        ("as_of", now.to_string().into()),
        ("goals", goals.into()),
        ("badges", view::badges(&account.badges)),
        ("granted", passes.collect()),
    ]))
}

fn show(goal: &Goal, account: &Account, today: Date, now: Moment) -> Value {
    let progress = account.progress(&goal.id);
    let counted = progress.map_or(0, |progress| progress.counted_on(goal, today));
    let reached = progress.map_or(0, |progress| progress.reached);
    let done = reached > 0 && !goal.repeat;
    let counted = if done { goal.count } else { counted };
    let activity = match &goal.on {
        Trigger::Activity(kind) => Some(kind.as_str()),
        Trigger::Purchase | Trigger::Enrolment => None,
    };
    // The last local day on which what was counted so far still counts.
    let lapses = progress.filter(|_| counted > 0 && !done).and_then(|progress| progress.lapses_on(goal));
    let last_day = lapses.map(|day| date_of_day(day.saturating_sub(1)).to_string());
    let open = goal.from.is_none_or(|from| now >= from) && goal.until.is_none_or(|until| now < until);
    json!({
        "rule": goal.id.as_str(),
        "of": of(goal.of),
        "activity": activity,
        "streak": goal.streak.map(crate::calendar::Per::word),
        "within_days": goal.within_days,
        "repeat": goal.repeat,
        "award": award(&goal.award),
        "count": goal.count,
        "counted": counted,
        "missing": goal.count.saturating_sub(counted).max(0),
        "reached": reached,
        "last_day": last_day,
        "from": goal.from.map(|from| from.to_string()),
        "until": goal.until.map(|until| until.to_string()),
        "open": open && !done,
    })
}

const fn of(of: GoalOf) -> &'static str {
    match of {
        GoalOf::Purchases => "purchases",
        GoalOf::Activities => "activities",
        GoalOf::Units => "units of selected lines",
    }
}

fn award(award: &GoalAward) -> Value {
    match award {
        GoalAward::Points(points) => json!({ "points": points }),
        GoalAward::Badge(badge) => json!({ "badge": badge.as_str() }),
        GoalAward::Reward(reward) => json!({ "reward": reward.as_str() }),
    }
}
