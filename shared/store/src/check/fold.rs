//! Rebuilding an account from its entries, and laying it beside the one that is stored.

use super::{Facts, text};
use crate::items::{self, Item};
use crate::keys::{SK, seq_of};
use crate::redemptions::begun_by;
use aws_sdk_dynamodb::types::AttributeValue;
use loyalty_domain::account::{Account, Status};
use loyalty_domain::calendar::Moment;
use loyalty_domain::entry::{Cause, Contra, Entry, Kind, Use};
use loyalty_domain::id::{LevelId, MemberId};
use loyalty_domain::pass::Pass;
use loyalty_domain::program::Program;
use loyalty_domain::redemption::{Redeeming, RedemptionEffect};
use std::collections::BTreeMap;

/// An account that is being rebuilt.
pub(super) struct Fold<'a> {
    pk: &'a str,
    account: Account,
    facts: &'a mut Facts,
    pub(super) entries: u64,
    pub(super) by_side: BTreeMap<Contra, i128>,
    points: i128,
    /// When the last entry was recorded.
    latest: Moment,
    /// The first entry that is wrong, and what is wrong.
    pub(super) wrong: Option<(Option<u64>, String)>,
}

impl<'a> Fold<'a> {
    pub(super) fn new(
        pk: &'a str,
        member: MemberId,
        stored: &Account,
        lowest: Option<LevelId>,
        facts: &'a mut Facts,
    ) -> Self {
        // What is not made of entries is taken over; the first level is the one that was held before the first change.
        let first = stored.level.before.first().map(|(_, level)| level.clone());
        let level = first.or(lowest).unwrap_or_else(|| stored.level.id.clone());
        let account = Account::new(member, stored.enrolled_at, stored.zone.clone(), stored.tags.clone(), level);
        Fold {
            pk,
            account,
            facts,
            entries: 0,
            by_side: BTreeMap::new(),
            points: 0,
            latest: stored.enrolled_at,
            wrong: None,
        }
    }

    fn is_wrong(&mut self, seq: Option<u64>, what: impl Into<String>) {
        if self.wrong.is_none() {
            self.wrong = Some((seq, what.into()));
        }
    }

    pub(super) fn entry(&mut self, item: &Item) {
        self.entries += 1;
        let stands_at = text(item, SK).and_then(seq_of);
        let expected = self.account.seq + 1;
        let Ok(entry) = items::body::<Entry>(item) else {
            return self.is_wrong(stands_at, "the entry cannot be read");
        };
        match &entry.cause {
            Cause::Purchase { .. } if entry.kind == Kind::Earn => self.facts.purchases -= 1,
            Cause::Refund { .. } if matches!(entry.kind, Kind::Clawback | Kind::Restore) => self.facts.refunds -= 1,
            Cause::Activity { .. } => self.facts.activities -= 1,
            Cause::Purchase { .. }
            | Cause::Refund { .. }
            | Cause::Enrolment
            | Cause::Adjustment { .. }
            | Cause::Due
            | Cause::Goal { .. }
            | Cause::Level { .. }
            | Cause::Redemption { .. }
            | Cause::Erasure => {}
        }
        self.facts.redemptions -= i64::try_from(begun_by(&entry).len()).unwrap_or(i64::MAX);
        if self.wrong.is_some() {
            return;
        }
        if stands_at.is_some_and(|seq| seq > expected) {
            return self.is_wrong(Some(expected), format!("entry {expected} is missing"));
        }
        if stands_at != Some(entry.seq) {
            return self.is_wrong(stands_at, format!("the entry says that it is number {}", entry.seq));
        }
        let open = (item.get("k"), item.get("p"));
        let says = (AttributeValue::S(entry.kind.word().to_owned()), AttributeValue::N(entry.points.to_string()));
        if open != (Some(&says.0), Some(&says.1)) {
            return self.is_wrong(stands_at, "kind or points of the item differ from its body");
        }
        if (expected == 1) != (entry.kind == Kind::Enrol) {
            return self.is_wrong(stands_at, "the first entry, and only that, enrols");
        }
        if let Err(bad) = self.account.apply(&entry) {
            return self.is_wrong(stands_at, bad.what);
        }
        self.points += i128::from(entry.points);
        self.latest = self.latest.max(entry.recorded_at);
        *self.by_side.entry(entry.contra()).or_default() += i128::from(entry.points);
        if let Some(RedemptionEffect { change: Redeeming::Captured { points }, .. }) = entry.effects.redemption {
            // What was set aside is spent: it goes from one side to the other.
            *self.by_side.entry(Contra::Held).or_default() += i128::from(points);
            *self.by_side.entry(Contra::Redeemed).or_default() -= i128::from(points);
        }
        if self.account.balance() != entry.balance_after {
            self.is_wrong(stands_at, "the balance after the entry is another one than it says");
        } else if !self.account.adds_up() {
            self.is_wrong(stands_at, "the lifetime sums do not explain the balance");
        }
    }

    pub(super) fn compare(mut self, stored: &Account, program: &Program, now: Moment) -> Self {
        // A local clock may have run ahead of the checker's.
        let now = now.max(self.latest);
        if self.wrong.is_none() {
            let last = self.account.seq;
            let (mut built, mut stands) = (self.account.clone(), stored.clone());
            for account in [&mut built, &mut stands] {
                account.lots.activate(now);
                account.forget(program, now);
            }
            let differing = [
                ("the number of the last entry", built.seq != stands.seq),
                ("the lots", built.lots != stands.lots),
                ("the debt", built.debt != stands.debt),
                ("the held points", built.held != stands.held),
                ("the lifetime sums", built.lifetime != stands.lifetime),
                ("the qualifying units", built.units != stands.units),
                ("the counters of limited rules", counters_differ(&built, &stands, program, now)),
                ("the points set aside", built.holds != stands.holds),
                ("the counters of limited rewards", reward_counters_differ(&built, &stands, program, now)),
                ("the progress with goals", built.progress != stands.progress),
                ("the badges", built.badges != stands.badges),
                ("what was granted for a time", passes_differ(&built, &stands, now)),
                ("the entry bonuses", built.entry_bonuses != stands.entry_bonuses),
                ("the first purchase", built.first_purchase != stands.first_purchase),
                ("the level", (&built.level.id, built.level.since) != (&stands.level.id, stands.level.since)),
            ];
            let named: Vec<&str> = differing.iter().filter(|(_, differs)| *differs).map(|(name, _)| *name).collect();
            if stands.seq > last {
                self.is_wrong(Some(last + 1), format!("entry {} is missing", last + 1));
            } else if !named.is_empty() {
                self.is_wrong(Some(last), format!("after it, the account differs in {}", named.join(", ")));
            }
            let balance = built.balance();
            let has = i128::from(balance.available) + i128::from(balance.pending) - i128::from(balance.debt);
            if has != self.points {
                self.is_wrong(Some(last), format!("lots less debt are not the sum of the entries of {}", self.pk));
            }
        }
        self
    }
}

/// Counters of limited rules must agree; only of periods that are over may the account have forgotten some, under a version
/// that let purchases come less late.
fn counters_differ(built: &Account, stands: &Account, program: &Program, now: Moment) -> bool {
    differ(&built.uses, &stands.uses, stands, program, now)
}

/// Those of limited rewards likewise.
fn reward_counters_differ(built: &Account, stands: &Account, program: &Program, now: Moment) -> bool {
    differ(&built.reward_uses, &stands.reward_uses, stands, program, now)
}

fn differ(built: &[(Use, u32)], stands: &[(Use, u32)], of: &Account, program: &Program, now: Moment) -> bool {
    let today = of.zone(program).date_at(now);
    let forgotten = |of: &Use| of.start < of.per.start(today);
    let explained = stands.iter().all(|kept| built.contains(kept));
    let complete = built.iter().all(|counted| stands.contains(counted) || forgotten(&counted.0));
    !explained || !complete
}

/// Levels for a time must agree, and so must booked days, which alone are gone from the account of one who left. Only those
/// that are over may the account have forgotten, under a version that let purchases come less late.
fn passes_differ(built: &Account, stands: &Account, now: Moment) -> bool {
    let gone = stands.status == Status::Erased;
    let forgotten = |pass: &Pass| pass.until <= now || (gone && pass.level().is_none());
    let explained = stands.passes.iter().all(|kept| built.passes.contains(kept));
    let complete = built.passes.iter().all(|pass| stands.passes.contains(pass) || forgotten(pass));
    !explained || !complete
}
