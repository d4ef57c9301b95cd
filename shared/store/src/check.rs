//! The checker: walks the whole table and proves every account from its entries.
//!
//! Read-only, in parallel segments. An account must equal the fold of its entries by the very code that wrote it; entries
//! must be numbered without a gap, say their own balances rightly, and stand where they say they stand. Every purchase and
//! refund of a member must have its entry and every such entry its fact. The sums over all sides of the ledger are given
//! so that they can be laid beside the shop's own books.

use crate::error::StoreError;
use crate::items::{self, Item};
use crate::keys::{self, ACCOUNT, PK, SK};
use crate::programs::ProgramCache;
use crate::table::Table;
use aws_sdk_dynamodb::types::AttributeValue;
use loyalty_domain::account::{Account, Status};
use loyalty_domain::activity::RecordedActivity;
use loyalty_domain::calendar::Moment;
use loyalty_domain::entry::{Cause, Contra, Entry, Kind, Use};
use loyalty_domain::id::{MemberId, ProgramId};
use loyalty_domain::pass::Pass;
use loyalty_domain::program::Program;
use loyalty_domain::purchase::Purchase;
use loyalty_domain::refund::Refund;
use std::collections::BTreeMap;
use tokio::task::JoinSet;

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Accounts walked.
    pub accounts: u64,
    /// Entries folded.
    pub entries: u64,
    /// Purchases looked at, those of guests included.
    pub purchases: u64,
    /// Refunds looked at.
    pub refunds: u64,
    /// Activities looked at.
    pub activities: u64,
    /// Points by contra side, over all programs; what members have is the sum of these.
    pub by_side: BTreeMap<Contra, i128>,
    /// Points that members have: available, pending and held, less debt.
    pub outstanding: i128,
    /// What is wrong, the first entry of each account that is.
    pub findings: Vec<Finding>,
    /// How many more findings there are than are listed.
    pub more_findings: u64,
    facts: BTreeMap<(ProgramId, MemberId), Facts>,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// Where: the partition of the member or purchase.
    pub at: String,
    /// The number of the first entry that is wrong, where it is about one.
    pub seq: Option<u64>,
    /// What is wrong.
    pub what: String,
}

/// Facts of a member, counted from both sides.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Facts {
    /// Accounts, less first entries.
    accounts: i64,
    purchases: i64,
    refunds: i64,
    activities: i64,
}

const MOST_FINDINGS: usize = 100;
/// Entries read at once.
const PAGE: i32 = 500;

impl Report {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }

    fn find(&mut self, at: &str, seq: Option<u64>, what: impl Into<String>) {
        if self.findings.len() < MOST_FINDINGS {
            self.findings.push(Finding { at: at.to_owned(), seq, what: what.into() });
        } else {
            self.more_findings += 1;
        }
    }

    fn join(&mut self, other: Report) {
        self.accounts += other.accounts;
        self.entries += other.entries;
        self.purchases += other.purchases;
        self.refunds += other.refunds;
        self.activities += other.activities;
        self.outstanding += other.outstanding;
        self.more_findings += other.more_findings;
        for (side, points) in other.by_side {
            *self.by_side.entry(side).or_default() += points;
        }
        for (member, facts) in other.facts {
            let sum = self.facts.entry(member).or_default();
            sum.accounts += facts.accounts;
            sum.purchases += facts.purchases;
            sum.refunds += facts.refunds;
            sum.activities += facts.activities;
        }
        for finding in other.findings {
            self.find(&finding.at.clone(), finding.seq, finding.what);
        }
    }
}

/// Checks the whole table, in so many segments side by side.
///
/// # Errors
/// [`StoreError`] if the table cannot be read; what is wrong *in* it is in the report.
pub async fn check(table: &Table, segments: i32, now: Moment) -> Result<Report, StoreError> {
    let cache = ProgramCache::default();
    let mut running = JoinSet::new();
    for segment in 0..segments {
        let checker = Checker { table: table.clone(), cache: cache.clone(), now };
        running.spawn(async move { checker.segment(segment, segments).await });
    }
    let mut report = Report::default();
    while let Some(part) = running.join_next().await {
        report.join(part.map_err(|_| StoreError::Unavailable("a segment was not walked"))??);
    }
    let uneven: Vec<_> =
        report.facts.iter().filter(|(_, facts)| **facts != Facts::default()).map(|(m, f)| (m.clone(), *f)).collect();
    for ((program, member), facts) in uneven {
        let what = match facts {
            Facts { accounts: -1, .. } => "there are entries, but no account".to_owned(),
            Facts { purchases, refunds, activities, .. } => format!(
                "facts and entries do not match: {purchases:+} purchases, {refunds:+} refunds, {activities:+} activities more than entries for them"
            ),
        };
        report.find(&keys::member(&program, member), None, what);
    }
    report.findings.sort();
    Ok(report)
}

struct Checker {
    table: Table,
    cache: ProgramCache,
    now: Moment,
}

impl Checker {
    async fn segment(&self, segment: i32, of: i32) -> Result<Report, StoreError> {
        let mut report = Report::default();
        let mut from: Option<Item> = None;
        loop {
            let request = || {
                let scan = self.table.client().scan().table_name(self.table.name()).consistent_read(true);
                scan.segment(segment)
                    .total_segments(of)
                    .filter_expression(
                        "sk = :account OR sk = :first OR sk = :purchase OR sk = :activity OR begins_with(sk, :refund)",
                    )
                    .expression_attribute_values(":first", AttributeValue::S(keys::entry_sk(1)))
                    .expression_attribute_values(":account", AttributeValue::S(ACCOUNT.to_owned()))
                    .expression_attribute_values(":purchase", AttributeValue::S("P".to_owned()))
                    .expression_attribute_values(":activity", AttributeValue::S("A".to_owned()))
                    .expression_attribute_values(":refund", AttributeValue::S("R#".to_owned()))
                    .set_exclusive_start_key(from.clone())
                    .send()
            };
            let page = self.table.patiently(request).await?;
            for item in page.items() {
                self.item(item, &mut report).await?;
            }
            from = page.last_evaluated_key;
            if from.is_none() {
                return Ok(report);
            }
        }
    }

    async fn item(&self, item: &Item, report: &mut Report) -> Result<(), StoreError> {
        let (Some(pk), Some(sk)) = (text(item, PK), text(item, SK)) else { return Ok(()) };
        match sk {
            ACCOUNT => self.account(pk, item, report).await,
            "P" => self.purchase(pk, item, report).await,
            "A" => {
                activity(pk, item, report);
                Ok(())
            }
            first if first == keys::entry_sk(1) => {
                if let Some(member) = keys::member_of(pk) {
                    report.facts.entry(member).or_default().accounts -= 1;
                }
                Ok(())
            }
            _ => self.refund(pk, item, report).await,
        }
    }

    async fn account(&self, pk: &str, item: &Item, report: &mut Report) -> Result<(), StoreError> {
        report.accounts += 1;
        let (Some((program, member)), Ok(stored)) = (keys::member_of(pk), items::body::<Account>(item)) else {
            report.find(pk, None, "the account cannot be read");
            return Ok(());
        };
        let versions = self.cache.programs(&self.table, &program, self.now).await?;
        let Some(version) = versions.as_ref().and_then(|versions| versions.at(self.now).ok()) else {
            report.find(pk, None, "the account's program is not there");
            return Ok(());
        };
        if item.get("v") != Some(&AttributeValue::N(stored.version.to_string())) || stored.member != member {
            report.find(pk, None, "the account stands under another key or version than it says");
        }
        let facts = report.facts.entry((program.clone(), member)).or_default();
        facts.accounts += 1;
        let lowest = version.program.level_ids.first().cloned();
        let mut fold = Fold::new(pk, member, &stored, lowest, facts);
        let mut next = 1;
        loop {
            let (from, to) = (keys::entry_sk(next), "E#~".to_owned());
            let entries = self.table.range(pk, &from, &to, true, PAGE).await?;
            for item in &entries {
                fold.entry(item);
            }
            let full = i32::try_from(entries.len()).unwrap_or(PAGE) >= PAGE;
            match entries.last().and_then(|item| text(item, SK)).and_then(seq_of).filter(|_| full) {
                Some(last) => next = last + 1,
                None => break,
            }
        }
        let Fold { entries, by_side, wrong, .. } = fold.compare(&stored, &version.program, self.now);
        report.entries += entries;
        for (side, points) in by_side {
            *report.by_side.entry(side).or_default() += points;
        }
        let balance = stored.balance();
        report.outstanding += i128::from(balance.available) + i128::from(balance.pending) + i128::from(balance.held)
            - i128::from(balance.debt);
        if let Some((seq, what)) = wrong {
            report.find(pk, seq, what);
        }
        Ok(())
    }

    async fn purchase(&self, pk: &str, item: &Item, report: &mut Report) -> Result<(), StoreError> {
        report.purchases += 1;
        let (Some(program), Ok(purchase)) = (keys::program_of_purchase(pk), items::body::<Purchase>(item)) else {
            report.find(pk, None, "the purchase cannot be read");
            return Ok(());
        };
        let Some(award) = &purchase.award else { return Ok(()) };
        report.facts.entry((program.clone(), award.member)).or_default().purchases += 1;
        let Some(first) = award.entries.first() else {
            report.find(pk, None, "the purchase names no entry");
            return Ok(());
        };
        let says = matches!(&first.cause, Cause::Purchase { channel, order_id }
            if *channel == purchase.channel && *order_id == purchase.order_id);
        if !says || first.points != award.first {
            report.find(pk, Some(first.seq), "the purchase and its entry differ");
        }
        self.must_stand(pk, &program, award.member, &award.entries, report).await
    }

    async fn refund(&self, pk: &str, item: &Item, report: &mut Report) -> Result<(), StoreError> {
        report.refunds += 1;
        let (Some(program), Ok(refund)) = (keys::program_of_purchase(pk), items::body::<Refund>(item)) else {
            report.find(pk, None, "a refund cannot be read");
            return Ok(());
        };
        let of = self.table.get(&keys::Key { pk: pk.to_owned(), sk: "P".to_owned() }).await?;
        let Some(Ok(purchase)) = of.as_ref().map(items::body::<Purchase>) else {
            report.find(pk, None, "a refund has no purchase");
            return Ok(());
        };
        // A guest's purchase has no entries, nor have its refunds.
        let Some(award) = purchase.award.filter(|_| !refund.entries.is_empty()) else { return Ok(()) };
        report.facts.entry((program.clone(), award.member)).or_default().refunds += 1;
        self.must_stand(pk, &program, award.member, &refund.entries, report).await
    }

    /// The entries that a fact names must stand in the ledger as it names them.
    async fn must_stand(
        &self,
        pk: &str,
        program: &ProgramId,
        member: MemberId,
        entries: &[Entry],
        report: &mut Report,
    ) -> Result<(), StoreError> {
        for entry in entries {
            let stands = self.table.get(&keys::entry(program, member, entry.seq)).await?;
            match stands.as_ref().map(items::body::<Entry>) {
                Some(Ok(standing)) if standing == *entry => {}
                Some(_) => report.find(pk, Some(entry.seq), "the entry of this fact is another one in the ledger"),
                None => report.find(pk, Some(entry.seq), "the entry of this fact is gone"),
            }
        }
        Ok(())
    }
}

/// An account that is being rebuilt.
struct Fold<'a> {
    pk: &'a str,
    account: Account,
    facts: &'a mut Facts,
    entries: u64,
    by_side: BTreeMap<Contra, i128>,
    points: i128,
    wrong: Option<(Option<u64>, String)>,
}

impl<'a> Fold<'a> {
    fn new(
        pk: &'a str,
        member: MemberId,
        stored: &Account,
        lowest: Option<loyalty_domain::id::LevelId>,
        facts: &'a mut Facts,
    ) -> Self {
        // What is not made of entries is taken over; the first level is the one that was held before the first change.
        let first = stored.level.before.first().map(|(_, level)| level.clone());
        let level = first.or(lowest).unwrap_or_else(|| stored.level.id.clone());
        let account = Account::new(member, stored.enrolled_at, stored.zone.clone(), stored.tags.clone(), level);
        Fold { pk, account, facts, entries: 0, by_side: BTreeMap::new(), points: 0, wrong: None }
    }

    fn is_wrong(&mut self, seq: Option<u64>, what: impl Into<String>) {
        if self.wrong.is_none() {
            self.wrong = Some((seq, what.into()));
        }
    }

    fn entry(&mut self, item: &Item) {
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
        *self.by_side.entry(entry.kind.contra()).or_default() += i128::from(entry.points);
        if self.account.balance() != entry.balance_after {
            self.is_wrong(stands_at, "the balance after the entry is another one than it says");
        } else if !self.account.adds_up() {
            self.is_wrong(stands_at, "the lifetime sums do not explain the balance");
        }
    }

    fn compare(mut self, stored: &Account, program: &Program, now: Moment) -> Self {
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
                ("the progress with goals", built.progress != stands.progress),
                ("the badges", built.badges != stands.badges),
                ("what was granted for a time", passes_differ(&built, &stands)),
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
            let has = i128::from(balance.available) + i128::from(balance.pending) + i128::from(balance.held)
                - i128::from(balance.debt);
            if has != self.points {
                self.is_wrong(Some(last), format!("lots less debt are not the sum of the entries of {}", self.pk));
            }
        }
        self
    }
}

/// Counters must agree; only of periods that are over may the account have forgotten some, under a version that let
/// purchases come less late.
fn counters_differ(built: &Account, stands: &Account, program: &Program, now: Moment) -> bool {
    let today = stands.zone(program).date_at(now);
    let forgotten = |of: &Use| of.start < of.per.start(today);
    let explained = stands.uses.iter().all(|kept| built.uses.contains(kept));
    let complete = built.uses.iter().all(|(of, times)| stands.times_used(of) == *times || forgotten(of));
    !explained || !complete
}

/// Levels for a time must agree, and so must booked days, which alone are gone from the account of one who left.
fn passes_differ(built: &Account, stands: &Account) -> bool {
    let gone = stands.status == Status::Erased;
    let of = |account: &Account| -> Vec<Pass> {
        account.passes.iter().filter(|pass| !gone || pass.level().is_some()).cloned().collect()
    };
    of(built) != of(stands)
}

/// An activity must stand where it says, and belongs to a member.
fn activity(pk: &str, item: &Item, report: &mut Report) {
    report.activities += 1;
    let (Some(program), Ok(activity)) = (keys::program_of_activity(pk), items::body::<RecordedActivity>(item)) else {
        return report.find(pk, None, "the activity cannot be read");
    };
    if keys::activity(&program, &activity.source, &activity.activity_id).pk != pk {
        report.find(pk, None, "the activity stands under another key than it says");
    }
    report.facts.entry((program, activity.member)).or_default().activities += 1;
}

fn text<'i>(item: &'i Item, name: &str) -> Option<&'i str> {
    match item.get(name) {
        Some(AttributeValue::S(text)) => Some(text),
        Some(_) | None => None,
    }
}

fn seq_of(sk: &str) -> Option<u64> {
    sk.strip_prefix("E#").and_then(|seq| seq.parse().ok())
}
