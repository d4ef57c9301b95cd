//! A change in the making: an account that is settled, decided upon and turned into everything that is to be written.

mod settle;

use crate::account::{Account, Status};
use crate::calendar::Moment;
use crate::entry::{Balance, Cause, Effects, Entry, Kind, Reason};
use crate::id::{RewardId, RuleId};
use crate::lots::{Draw, LotKey};
use crate::program::{Program, Version};
use crate::programs::Programs;
use crate::redemption::{Redemption, StockUse};
use crate::refusal::Refusal;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The most entries of one commit; a transaction stays far below 100 items.
pub const MOST_ENTRIES: usize = 40;
/// The actor of what falls due.
pub const SYSTEM: &str = "system";

/// A change in the making.
#[derive(Debug)]
pub struct Draft<'a> {
    account: Account,
    expected_version: u64,
    entries: Vec<Entry>,
    own_from: usize,
    /// Whether more is due than one commit settles.
    more_due: bool,
    programs: &'a Programs,
    version: Arc<Version>,
    now: Moment,
    actor: &'a str,
    budgets: BudgetsLeft,
    stocks: StocksLeft,
    stock: Vec<StockUse>,
    redemptions: Vec<Redemption>,
    gifts: Vec<Redemption>,
    voucher_key: u32,
}

/// What is left of the budgets that were looked up; the others are taken to have enough, which the commit finds out.
pub type BudgetsLeft = BTreeMap<RuleId, i64>;

/// What is left of the stocks of rewards that were looked up; the others are taken to have enough, which the commit finds
/// out.
pub type StocksLeft = BTreeMap<RewardId, i64>;

/// What is to be posted.
#[derive(Debug)]
pub struct Posting {
    /// What happens.
    pub kind: Kind,
    /// Signed.
    pub points: i64,
    /// What it puts into lots and takes out of them.
    pub draws: Vec<Draw>,
    /// The fact behind it.
    pub cause: Cause,
    /// The version that judged it.
    pub program_version: u32,
    /// The arithmetic.
    pub explanation: Vec<Reason>,
    /// Business time.
    pub occurred_at: Moment,
    /// What else it changes.
    pub effects: Effects,
}

/// The account and entries of a change. Facts are put beside them by the command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posted {
    /// The account afterwards.
    pub account: Account,
    /// The version it must have before; 0: there must be none.
    pub expected_version: u64,
    /// All entries to append, those of settling first.
    pub entries: Vec<Entry>,
    /// How many of them settled what had fallen due.
    pub settled: usize,
    /// What is taken out of stocks, less what holds that lapsed or were called off bring back: at most one sum a reward, not
    /// 0. Written with the entries.
    pub stock: Vec<StockUse>,
    /// Rewards that goals gave, to be kept with their vouchers.
    pub gifts: Vec<Redemption>,
}

impl Posted {
    /// The entries of the command itself.
    #[must_use]
    pub fn own_entries(&self) -> &[Entry] {
        self.entries.get(self.settled..).unwrap_or_default()
    }
}

impl<'a> Draft<'a> {
    /// Begins a change.
    ///
    /// # Errors
    /// [`Refusal::NeedsVersion`] if the program in force is not at hand.
    pub fn new(account: Account, programs: &'a Programs, now: Moment, actor: &'a str) -> Result<Self, Refusal> {
        let version = Arc::clone(programs.at(now)?);
        let expected_version = account.version;
        let mut draft = Self {
            account,
            expected_version,
            entries: Vec::new(),
            own_from: 0,
            more_due: false,
            programs,
            version,
            now,
            actor,
            budgets: BudgetsLeft::new(),
            stocks: StocksLeft::new(),
            stock: Vec::new(),
            redemptions: Vec::new(),
            gifts: Vec::new(),
            voucher_key: 1,
        };
        draft.account.lots.activate(now);
        Ok(draft)
    }

    /// Tells what is left of budgets.
    #[must_use]
    pub fn with_budgets(mut self, budgets: BudgetsLeft) -> Self {
        self.budgets = budgets;
        self
    }

    /// What is left of the budgets that were looked up.
    #[must_use]
    pub fn budgets(&self) -> &BudgetsLeft {
        &self.budgets
    }

    /// Tells what is left of stocks.
    #[must_use]
    pub fn with_stocks(mut self, stocks: StocksLeft) -> Self {
        self.stocks = stocks;
        self
    }

    /// What is left of a reward's stock, if it was looked up: what settling has just brought back is in it.
    #[must_use]
    pub fn stock_left(&self, reward: &RewardId) -> Option<i64> {
        let left = *self.stocks.get(reward)?;
        let moved = self.stock.iter().find(|moved| moved.reward == *reward).map_or(0, |moved| moved.units);
        Some(left.saturating_sub(moved))
    }

    /// Hands over the redemptions that a purchase names.
    #[must_use]
    pub fn with_redemptions(mut self, redemptions: Vec<Redemption>) -> Self {
        self.redemptions = redemptions;
        self
    }

    /// The redemptions that a purchase names, as far as there are such.
    #[must_use]
    pub fn redemptions(&self) -> &[Redemption] {
        &self.redemptions
    }

    /// Tells the number of the secret behind codes of vouchers.
    #[must_use]
    pub fn with_voucher_key(mut self, key: u32) -> Self {
        self.voucher_key = key;
        self
    }

    /// The number of the secret behind codes of vouchers.
    #[must_use]
    pub fn voucher_key(&self) -> u32 {
        self.voucher_key
    }

    /// Keeps a reward that a goal gives.
    pub(crate) fn give(&mut self, gift: Redemption) {
        self.gifts.push(gift);
    }

    /// Notes units that leave a reward's stock, or come back to it. Those of one reward are one sum, as one commit writes
    /// one counter once.
    pub(crate) fn move_stock(&mut self, moved: StockUse) {
        match self.stock.iter_mut().find(|other| other.reward == moved.reward) {
            Some(other) => {
                other.units = other.units.saturating_add(moved.units);
                other.stock = moved.stock;
            }
            None => self.stock.push(moved),
        }
    }

    /// The account as it stands in the draft.
    #[must_use]
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// The account, to change what is not made of entries.
    pub fn account_mut(&mut self) -> &mut Account {
        &mut self.account
    }

    /// The program in force now.
    #[must_use]
    pub fn program(&self) -> &Program {
        &self.version.program
    }

    /// The number of the version in force now.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.version.number
    }

    /// The moment of the decision.
    #[must_use]
    pub fn now(&self) -> Moment {
        self.now
    }

    /// Refuses members who take no part.
    ///
    /// # Errors
    /// [`Refusal::MemberUnknown`] for one who is gone, [`Refusal::Deactivated`].
    pub fn must_take_part(&self) -> Result<(), Refusal> {
        match self.account.status {
            Status::Active => Ok(()),
            Status::Deactivated => Err(Refusal::Deactivated),
            Status::Erased => Err(Refusal::MemberUnknown),
        }
    }

    /// Posts an entry of the command.
    ///
    /// # Errors
    /// [`Refusal::TooMuch`] where sums overflow, [`Refusal::Inconsistent`] where the account cannot bear it.
    pub fn post(&mut self, posting: Posting) -> Result<(), Refusal> {
        let actor = self.actor;
        self.write(posting, actor)
    }

    fn write(&mut self, posting: Posting, actor: &str) -> Result<(), Refusal> {
        let drawn = posting.draws.iter().try_fold(0_i64, |sum, draw| sum.checked_add(draw.points));
        let owed = drawn.and_then(|drawn| drawn.checked_sub(posting.points)).ok_or(Refusal::TooMuch)?;
        let mut entry = Entry {
            seq: self.account.seq + 1,
            kind: posting.kind,
            points: posting.points,
            balance_after: Balance::default(),
            debt_repaid: owed.saturating_neg().max(0),
            draws: posting.draws,
            cause: posting.cause,
            program_version: posting.program_version,
            explanation: posting.explanation,
            occurred_at: posting.occurred_at,
            recorded_at: self.now,
            actor: actor.to_owned(),
            effects: posting.effects,
        };
        self.account.apply(&entry).map_err(|bad| match bad.what {
            "sums overflow" => Refusal::TooMuch,
            _ => Refusal::Inconsistent,
        })?;
        entry.balance_after = self.account.balance();
        self.entries.push(entry);
        Ok(())
    }

    /// How a credit is booked: debt first, the rest into the lot. Gives the draws, and what pays the debt.
    ///
    /// # Errors
    /// [`Refusal::TooManyLots`].
    pub fn credit(&self, points: i64, lot: LotKey) -> Result<(Vec<Draw>, i64), Refusal> {
        let repaid = points.min(self.account.debt);
        let rest = points - repaid;
        if rest == 0 {
            return Ok((Vec::new(), repaid));
        }
        let lot = self.account.lots.place(lot).map_err(|_| Refusal::TooManyLots)?;
        Ok((vec![Draw { lot, points: rest }], repaid))
    }

    /// Ends the draft without looking for what more is due: one that only settles, or changes no points.
    #[must_use]
    pub fn finish_as_is(mut self) -> Posted {
        self.account.version = self.expected_version + 1;
        let settled = self.entries.len();
        Posted {
            account: self.account,
            expected_version: self.expected_version,
            entries: self.entries,
            settled,
            stock: moved(self.stock),
            gifts: self.gifts,
        }
    }

    /// Ends the draft: gives the notices that its own credits brought, and counts the version up. Where settling left
    /// more due, that waits for the next commit.
    ///
    /// # Errors
    /// As [`Draft::settle`].
    pub fn finish(mut self) -> Result<Posted, Refusal> {
        if !self.more_due {
            self.settle_up_to(usize::MAX)?;
        }
        self.account.forget(&Arc::clone(&self.version).program, self.now);
        self.account.version = self.expected_version + 1;
        if !self.account.adds_up() {
            return Err(Refusal::Inconsistent);
        }
        Ok(Posted {
            account: self.account,
            expected_version: self.expected_version,
            entries: self.entries,
            settled: self.own_from,
            stock: moved(self.stock),
            gifts: self.gifts,
        })
    }
}

/// Stocks that end as they were are not written.
fn moved(mut stock: Vec<StockUse>) -> Vec<StockUse> {
    stock.retain(|moved| moved.units != 0);
    stock
}

/// The account as of a moment, settled without writing anything.
///
/// # Errors
/// [`Refusal::NeedsVersion`], [`Refusal::Inconsistent`].
pub fn as_of(account: Account, programs: &Programs, now: Moment) -> Result<Account, Refusal> {
    let mut draft = Draft::new(account, programs, now, SYSTEM)?;
    draft.settle_all()?;
    Ok(draft.account)
}
