//! The one door: load, settle, decide, commit, retry, recall.

use crate::command::{Call, Command, Decision, Done, Failure, Recalled, Subjects};
use crate::error::StoreError;
use crate::items::{self, IdentityOf, Item};
use crate::keys::{self, Key};
use crate::moved::Moved;
use crate::pools::{Known, Taking};
use crate::programs::ProgramCache;
use crate::table::{Committed, Table};
use crate::write::{Fact, Slot, Write};
use loyalty_domain::account::{Account, Status};
use loyalty_domain::draft::{Draft, Posted};
use loyalty_domain::id::{MemberId, ProgramId};
use loyalty_domain::identity::Reference;
use loyalty_domain::programs::Programs;
use loyalty_domain::refusal::Refusal;
use std::sync::Arc;

/// A table and the programs at hand.
#[derive(Debug, Clone)]
pub struct Engine {
    table: Table,
    cache: ProgramCache,
}

/// What settling an account wrote.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Settled {
    /// In how many commits.
    pub commits: u32,
    /// How many entries.
    pub entries: u64,
}

/// Entries and facts of a request that are still written together with what had fallen due: a transaction holds 100 items,
/// and what comes of pools is not counted here.
const MOST_TOGETHER: usize = 50;
/// How often a decision is made anew because the account had moved.
const MOST_DECISIONS: u32 = 40;

impl Engine {
    /// An engine on a table.
    #[must_use]
    pub fn new(table: Table) -> Self {
        Self { table, cache: ProgramCache::default() }
    }

    /// The table.
    #[must_use]
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// Opens the connection to the table before the first request needs it. Whatever comes of it, requests find out.
    pub async fn warm_up(&self) {
        let registry = Key { pk: "REGISTRY".to_owned(), sk: "-".to_owned() };
        if let Err(error) = self.table.get(&registry).await {
            tracing::warn!(error = %error, "the connection to the table could not be warmed up");
        }
    }

    /// Forgets the programs at hand: the clock was moved, or one was published here.
    pub fn forget_programs(&self) {
        self.cache.clear();
    }

    /// The versions of the caller's program.
    ///
    /// # Errors
    /// [`Failure::NoProgram`], [`Failure::Store`].
    pub async fn programs(&self, call: &Call) -> Result<Arc<Programs>, Failure> {
        self.cache.programs(&self.table, &call.program, call.now).await?.ok_or(Failure::NoProgram)
    }

    /// Repeats a pure step until every version it needs is at hand.
    ///
    /// # Errors
    /// The step's refusal, or [`Failure::Store`].
    pub async fn with_versions<T>(
        &self,
        call: &Call,
        programs: &mut Arc<Programs>,
        mut step: impl FnMut(&Programs) -> Result<T, Refusal>,
    ) -> Result<T, Failure> {
        loop {
            match step(programs) {
                Err(Refusal::NeedsVersion(number)) => {
                    *programs = self.cache.also(&self.table, &call.program, programs, number).await?;
                }
                other => return Ok(other?),
            }
        }
    }

    /// The member whom a request names; none if nobody is known so.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn resolve(&self, program: &ProgramId, reference: &Reference) -> Result<Option<MemberId>, StoreError> {
        let identity = match reference {
            Reference::Member(member) => return Ok(Some(*member)),
            Reference::Identity(identity) => identity,
        };
        for hash in self.table.secrets().identity(identity) {
            let key = keys::identity(program, identity.kind.word(), &hash);
            if let Some(item) = self.table.get(&key).await? {
                return items::body::<IdentityOf>(&item).map(|of| Some(of.member));
            }
        }
        Ok(None)
    }

    /// A member's account as it is stored.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn account(&self, program: &ProgramId, member: MemberId) -> Result<Option<Account>, StoreError> {
        self.table.get(&keys::account(program, member)).await?.as_ref().map(items::body).transpose()
    }

    /// Carries out a command for a member, or for a guest.
    ///
    /// The account is loaded, settled and decided upon, and everything is committed at once. If the account has moved
    /// meanwhile, the decision is made anew; if the decision is refused or the fact is there already, it is looked up
    /// whether this very request was carried out before.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn transact<C: Command>(
        &self,
        call: &Call,
        member: Option<MemberId>,
        subjects: impl Into<Subjects>,
        command: &C,
    ) -> Result<Done<C::Outcome>, Failure> {
        let mut subjects = subjects.into();
        let mut programs = self.programs(call).await?;
        let mut account = match member {
            Some(member) => Some(self.account(&call.program, member).await?.ok_or(Refusal::MemberUnknown)?),
            None => None,
        };
        let mut pools = Known::default();
        for attempt in 1..=MOST_DECISIONS {
            let step = |programs: &Programs| self.decide(call, command, account.as_ref(), programs, &subjects, &pools);
            let decided = match self.with_versions(call, &mut programs, step).await {
                Ok(decided) => decided,
                Err(Failure::Refused(refusal)) => {
                    return self.recall(call, command, account, programs, refusal.into()).await;
                }
                Err(other) => return Err(other),
            };
            let (posted, mut facts, budgets, outcome) = match decided {
                Step::SettleFirst(posted) => (Some(posted), Vec::new(), Vec::new(), None),
                Step::Decided(Decision { posted, facts, budgets, outcome }) => (posted, facts, budgets, Some(outcome)),
            };
            let stock = posted.iter().flat_map(|posted| &posted.stock);
            let takings: Vec<Taking> = budgets.iter().map(Taking::from).chain(stock.map(Taking::from)).collect();
            match pools.writes(&takings, member) {
                Ok(drawn) => facts.extend(drawn),
                Err((pool, total)) => {
                    let drawn = self.drawn(&call.program, &pool, total).await?;
                    pools.learn(pool, drawn);
                    continue;
                }
            }
            let write = self.write(call, &mut programs, posted, facts).await?;
            let committed = match write.is_empty() {
                true => Committed::Done,
                false => self.table.commit(&call.program, &write).await?,
            };
            match committed {
                Committed::Done => {
                    account = write.posted.map(|(posted, _)| posted.account).or(account);
                    if let Some(outcome) = outcome {
                        return Ok(Done { outcome, account, replayed: false, programs });
                    }
                }
                Committed::Refused(slots) => {
                    let mut moved = Moved { account: &mut account, subjects: &mut subjects, short: Vec::new() };
                    let fact = moved.read(slots)?;
                    for pool in moved.short {
                        if let Some(total) = write.total_of(&pool) {
                            let drawn = self.drawn(&call.program, &pool, total).await?;
                            pools.learn(pool, drawn);
                        }
                    }
                    if let Some(fact) = fact {
                        return match command.recall(&fact)? {
                            Recalled::Same(outcome) => Ok(Done { outcome, account, replayed: true, programs }),
                            Recalled::Other(pointers) => Err(Failure::Mismatch(pointers)),
                            Recalled::Nothing => Err(StoreError::Corrupt("a fact is there that says nothing").into()),
                        };
                    }
                    self.table.pause(attempt).await;
                }
            }
        }
        Err(Failure::Busy)
    }

    fn decide<C: Command>(
        &self,
        call: &Call,
        command: &C,
        account: Option<&Account>,
        programs: &Programs,
        subjects: &Subjects,
        pools: &Known,
    ) -> Result<Step<C::Outcome>, Refusal> {
        let subject = subjects.purchase.as_ref();
        let Some(account) = account else {
            return command.decide_for_guest(programs, subject, call.now).map(Step::Decided);
        };
        if account.status == Status::Erased && subject.is_none() {
            return Err(Refusal::MemberUnknown);
        }
        let mut draft = Draft::new(account.clone(), programs, call.now, &call.actor)?
            .with_budgets(pools.budgets())
            .with_stocks(pools.stocks())
            .with_redemptions(subjects.redemptions.clone())
            .with_voucher_key(self.table.secrets().voucher_key());
        if draft.settle()? {
            return Ok(Step::SettleFirst(draft.finish_as_is()));
        }
        let decision = command.decide(draft, programs, subject)?;
        let settled = decision.posted.as_ref().map_or(0, |posted| posted.settled);
        let entries = decision.posted.as_ref().map_or(0, |posted| posted.entries.len());
        if settled > 0 && entries + decision.facts.len() + decision.budgets.len() > MOST_TOGETHER {
            // What is due goes first, by itself, so that the request's own items fit.
            let mut draft = Draft::new(account.clone(), programs, call.now, &call.actor)?;
            draft.settle()?;
            return Ok(Step::SettleFirst(draft.finish_as_is()));
        }
        Ok(Step::Decided(decision))
    }

    /// On a refusal: was this very request carried out before?
    async fn recall<C: Command>(
        &self,
        call: &Call,
        command: &C,
        account: Option<Account>,
        programs: Arc<Programs>,
        refusal: Failure,
    ) -> Result<Done<C::Outcome>, Failure> {
        let Some(key) = command.fact(&call.program) else { return Err(refusal) };
        let Some(fact) = self.table.get(&key).await? else { return Err(refusal) };
        match command.recall(&fact)? {
            Recalled::Same(outcome) => Ok(Done { outcome, account, replayed: true, programs }),
            Recalled::Other(pointers) => Err(Failure::Mismatch(pointers)),
            Recalled::Nothing => Err(refusal),
        }
    }

    async fn write(
        &self,
        call: &Call,
        programs: &mut Arc<Programs>,
        posted: Option<Posted>,
        facts: Vec<Fact>,
    ) -> Result<Write, Failure> {
        let Some(posted) = posted else { return Ok(Write { posted: None, facts }) };
        let gifts = posted.gifts.iter().cloned().map(Fact::Gift);
        let facts = facts.into_iter().chain(gifts).collect();
        let next_due = |programs: &Programs| Ok(posted.account.next_due(&programs.at(call.now)?.program));
        let due = self.with_versions(call, programs, next_due).await?;
        Ok(Write { posted: Some((posted, due)), facts })
    }

    /// Writes what has fallen due on an account, in commits of bounded size; nothing if nothing has.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn settle_account(&self, call: &Call, member: MemberId) -> Result<Settled, Failure> {
        let mut programs = self.programs(call).await?;
        let mut settled = Settled::default();
        for attempt in 1..=MOST_DECISIONS {
            let Some(stored) = self.account(&call.program, member).await? else { return Ok(settled) };
            let step = |programs: &Programs| {
                let mut draft = Draft::new(stored.clone(), programs, call.now, &call.actor)?;
                let more = draft.settle()?;
                Ok((draft.finish_as_is(), more))
            };
            let (posted, more) = self.with_versions(call, &mut programs, step).await?;
            // A review that leaves the level as it is has still been made.
            if posted.entries.is_empty() && posted.account.level == stored.level {
                return Ok(settled);
            }
            let entries = u64::try_from(posted.entries.len()).unwrap_or(u64::MAX);
            let takings: Vec<Taking> = posted.stock.iter().map(Taking::from).collect();
            let short = |_| StoreError::Corrupt("a stock is short");
            let facts = Known::default().writes(&takings, Some(member)).map_err(short)?;
            let write = self.write(call, &mut programs, Some(posted), facts).await?;
            match self.table.commit(&call.program, &write).await? {
                Committed::Done => {
                    settled.commits += 1;
                    settled.entries += entries;
                    if !more {
                        return Ok(settled);
                    }
                }
                Committed::Refused(_) => self.table.pause(attempt).await,
            }
        }
        Err(Failure::Busy)
    }

    /// Commits what was decided about a member who is not there yet, or about no account at all.
    ///
    /// # Errors
    /// [`Failure::Taken`] with what stands in the way.
    pub async fn commit_new(&self, call: &Call, posted: Option<Posted>, facts: Vec<Fact>) -> Result<(), Failure> {
        let mut programs = self.programs(call).await?;
        // What comes back to a stock is never refused; nothing is taken where a member is not there yet.
        let stock = posted.iter().flat_map(|posted| &posted.stock).map(Taking::from).collect::<Vec<_>>();
        let member = posted.as_ref().map(|posted| posted.account.member);
        let drawn = Known::default().writes(&stock, member).map_err(|_| StoreError::Corrupt("a stock is short"))?;
        let facts = facts.into_iter().chain(drawn).collect();
        let write = self.write(call, &mut programs, posted, facts).await?;
        match self.table.commit(&call.program, &write).await? {
            Committed::Done => Ok(()),
            Committed::Refused(slots) => {
                let read = |(slot, item): (Slot, Option<Item>)| {
                    let of = match (&slot, item) {
                        (Slot::Identity(_), Some(item)) => Some(items::body::<IdentityOf>(&item)?),
                        (_, Some(_) | None) => None,
                    };
                    Ok((slot, of))
                };
                Err(Failure::Taken(slots.into_iter().map(read).collect::<Result<_, StoreError>>()?))
            }
        }
    }
}

enum Step<T> {
    /// More has fallen due than one commit holds: this first.
    SettleFirst(Posted),
    Decided(Decision<T>),
}
