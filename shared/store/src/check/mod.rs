//! The checker: walks the whole table and proves every account from its entries.
//!
//! Read-only, in parallel segments. An account must equal the fold of its entries by the very code that wrote it; entries
//! must be numbered without a gap, say their own balances rightly, and stand where they say they stand. Every purchase and
//! refund of a member must have its entry and every such entry its fact. The sums over all sides of the ledger are given
//! so that they can be laid beside the shop's own books.

mod facts;
mod fold;

use crate::error::StoreError;
use crate::items::{self, Item};
use crate::keys::{self, ACCOUNT, PK, SK};
use crate::pools::Pool;
use crate::programs::ProgramCache;
use crate::table::Table;
use aws_sdk_dynamodb::types::AttributeValue;
use fold::Fold;
use loyalty_domain::account::Account;
use loyalty_domain::calendar::Moment;
use loyalty_domain::entry::{Cause, Contra, Entry};
use loyalty_domain::id::{MemberId, ProgramId, RewardId};
use loyalty_domain::purchase::Purchase;
use loyalty_domain::redemption::{self, Redemption};
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
    /// Redemptions looked at.
    pub redemptions: u64,
    /// Points by contra side, over all programs; what members have is the sum of these.
    pub by_side: BTreeMap<Contra, i128>,
    /// Points that members have: available and pending, less debt. What is set aside stands on its own side.
    pub outstanding: i128,
    /// What is wrong, the first entry of each account that is.
    pub findings: Vec<Finding>,
    /// How many more findings there are than are listed.
    pub more_findings: u64,
    facts: BTreeMap<(ProgramId, MemberId), Facts>,
    /// Units taken out of stocks, less those that redemptions took.
    stocks: BTreeMap<(ProgramId, RewardId), i64>,
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
    redemptions: i64,
    /// Vouchers, less redemptions that have one.
    vouchers: i64,
    /// Open holds, less redemptions that are held.
    holds: i64,
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
        self.redemptions += other.redemptions;
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
            sum.redemptions += facts.redemptions;
            sum.vouchers += facts.vouchers;
            sum.holds += facts.holds;
        }
        for (reward, units) in other.stocks {
            *self.stocks.entry(reward).or_default() += units;
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
            Facts { purchases, refunds, activities, redemptions, vouchers, holds, .. } => format!(
                "facts and entries do not match: {purchases:+} purchases, {refunds:+} refunds, {activities:+} activities, \
                 {redemptions:+} redemptions more than entries for them, {vouchers:+} vouchers and {holds:+} holds more than \
                 redemptions for them"
            ),
        };
        report.find(&keys::member(&program, member), None, what);
    }
    for ((program, reward), units) in std::mem::take(&mut report.stocks).into_iter().filter(|(_, units)| *units != 0) {
        let at = keys::pool(&program, &Pool::Stock(reward));
        report.find(&at, None, format!("{units:+} units were taken out of the stock than redemptions took"));
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
                        "sk IN (:account, :first, :purchase, :activity, :redemption, :voucher) \
                         OR begins_with(sk, :refund) OR contains(pk, :stock)",
                    )
                    .expression_attribute_values(":first", AttributeValue::S(keys::entry_sk(1)))
                    .expression_attribute_values(":account", AttributeValue::S(ACCOUNT.to_owned()))
                    .expression_attribute_values(":purchase", AttributeValue::S("P".to_owned()))
                    .expression_attribute_values(":activity", AttributeValue::S("A".to_owned()))
                    .expression_attribute_values(":redemption", AttributeValue::S("R".to_owned()))
                    .expression_attribute_values(":voucher", AttributeValue::S("V".to_owned()))
                    .expression_attribute_values(":stock", AttributeValue::S("#T#".to_owned()))
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
                let Some((program, activity)) = facts::activity(pk, item, report) else { return Ok(()) };
                self.must_stand(pk, &program, activity.member, &activity.entries, report).await
            }
            "V" => {
                facts::voucher(pk, item, report);
                Ok(())
            }
            "R" => self.redemption(pk, item, report).await,
            _ if pk.contains("#T#") => {
                facts::stock(pk, item, report);
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
        for hold in stored.holds.iter().filter(|hold| hold.stock.is_some()) {
            *report.stocks.entry((program.clone(), hold.reward.clone())).or_default() -= 1;
        }
        let facts = report.facts.entry((program.clone(), member)).or_default();
        facts.accounts += 1;
        facts.holds += i64::try_from(stored.holds.count()).unwrap_or(i64::MAX);
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
            match entries.last().and_then(|item| text(item, SK)).and_then(keys::seq_of).filter(|_| full) {
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
        report.outstanding += i128::from(balance.available) + i128::from(balance.pending) - i128::from(balance.debt);
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

    /// Whether the account still holds points for a redemption: that they lapsed, or were called off by leaving, the account
    /// alone says.
    async fn holds(&self, program: &ProgramId, of: &Redemption) -> Result<bool, StoreError> {
        let account = self.table.get(&keys::account(program, of.member)).await?;
        let account: Option<Account> = account.as_ref().map(items::body).transpose()?;
        Ok(account.is_some_and(|account| account.holds.of(of.id).is_some()))
    }

    /// A redemption must stand where it says, its entries in the ledger, and what it took of a stock in the stock.
    async fn redemption(&self, pk: &str, item: &Item, report: &mut Report) -> Result<(), StoreError> {
        report.redemptions += 1;
        let (Some((program, id)), Ok(redemption)) = (keys::redemption_of(pk), items::body::<Redemption>(item)) else {
            report.find(pk, None, "the redemption cannot be read");
            return Ok(());
        };
        if redemption.id != id || item.get("v") != Some(&AttributeValue::N(redemption.version.to_string())) {
            report.find(pk, None, "the redemption stands under another key or version than it says");
        }
        let held = redemption.status == redemption::Status::Held && self.holds(&program, &redemption).await?;
        let facts = report.facts.entry((program.clone(), redemption.member)).or_default();
        facts.redemptions += 1;
        facts.vouchers -= i64::from(redemption.voucher.is_some());
        facts.holds -= i64::from(held);
        if redemption.stock.is_some() && redemption.status == redemption::Status::Fulfilled {
            *report.stocks.entry((program.clone(), redemption.reward.clone())).or_default() -= 1;
        }
        let closing = redemption.closings.iter().flat_map(|closing| &closing.entries);
        let entries: Vec<Entry> = redemption.entries.iter().chain(closing).cloned().collect();
        self.must_stand(pk, &program, redemption.member, &entries, report).await
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

fn text<'i>(item: &'i Item, name: &str) -> Option<&'i str> {
    match item.get(name) {
        Some(AttributeValue::S(text)) => Some(text),
        Some(_) | None => None,
    }
}
