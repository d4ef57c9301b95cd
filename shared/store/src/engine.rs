//! The one door: load, settle, decide, commit, retry, recall.

use crate::budgets::Known;
use crate::error::StoreError;
use crate::items::{self, IdentityOf, Item};
use crate::keys::{self, Key};
use crate::programs::ProgramCache;
use crate::table::{Committed, Table};
use crate::write::{Fact, Slot, Write};
use loyalty_domain::account::{Account, Status};
use loyalty_domain::calendar::Moment;
use loyalty_domain::draft::{BudgetsLeft, Draft, Posted};
use loyalty_domain::id::{MemberId, ProgramId, RuleId};
use loyalty_domain::identity::Reference;
use loyalty_domain::programs::Programs;
use loyalty_domain::purchase::{BudgetUse, Purchase};
use loyalty_domain::refusal::Refusal;
use std::sync::Arc;

/// A table and the programs at hand.
#[derive(Debug, Clone)]
pub struct Engine {
    table: Table,
    cache: ProgramCache,
}

/// Who asks, in which program, and when.
#[derive(Debug, Clone)]
pub struct Call {
    /// The program of the caller's token.
    pub program: ProgramId,
    /// The caller.
    pub actor: String,
    /// The moment of the request.
    pub now: Moment,
}

/// What a command decided to write.
#[derive(Debug)]
pub struct Decision<T> {
    /// Account and entries; none where no account is touched.
    pub posted: Option<Posted>,
    /// What stands beside them.
    pub facts: Vec<Fact>,
    /// What campaigns pay of it, or get back.
    pub budgets: Vec<BudgetUse>,
    /// What is answered.
    pub outcome: T,
}

/// A request that changes an account.
pub trait Command: Sync {
    /// What it answers.
    type Outcome: Send;

    /// Decides, purely. `subject` is the purchase that the command is about, if it is about one.
    ///
    /// # Errors
    /// [`Refusal`]: nothing is written.
    fn decide(
        &self,
        draft: Draft<'_>,
        programs: &Programs,
        subject: Option<&Purchase>,
    ) -> Result<Decision<Self::Outcome>, Refusal>;

    /// Decides where there is no member: for guests. Commands that need a member refuse.
    ///
    /// # Errors
    /// [`Refusal`]: nothing is written.
    fn decide_for_guest(
        &self,
        _: &Programs,
        _: Option<&Purchase>,
        _: Moment,
    ) -> Result<Decision<Self::Outcome>, Refusal> {
        Err(Refusal::MemberUnknown)
    }

    /// Where it is written that this very request was carried out.
    fn fact(&self, program: &ProgramId) -> Option<Key>;

    /// What was answered when it was, or, if the fact is of other content, in what that differs: JSON Pointers.
    ///
    /// # Errors
    /// [`StoreError`] if the fact cannot be read.
    fn recall(&self, fact: &Item) -> Result<Result<Self::Outcome, Vec<String>>, StoreError>;
}

/// What became of a command.
#[derive(Debug)]
pub struct Done<T> {
    /// What it answers.
    pub outcome: T,
    /// The account now; none for commands that touch none.
    pub account: Option<Account>,
    /// Whether it had been carried out before.
    pub replayed: bool,
    /// The versions it was judged by.
    pub programs: Arc<Programs>,
}

/// Why a command was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The decision.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The same key was used for other content; pointers to what differs.
    #[error("the same key was used for other content")]
    Mismatch(Vec<String>),
    /// The token's program does not exist.
    #[error("there is no such program")]
    NoProgram,
    /// Other requests for the same member were quicker again and again.
    #[error("the member's account is busy")]
    Busy,
    /// The table.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Something that must be free is taken; with the slots that say so.
    #[error("something that must be free is taken")]
    Taken(Vec<(Slot, Option<IdentityOf>)>),
}

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
        mut subject: Option<Purchase>,
        command: &C,
    ) -> Result<Done<C::Outcome>, Failure> {
        let mut programs = self.programs(call).await?;
        let mut account = match member {
            Some(member) => Some(self.account(&call.program, member).await?.ok_or(Refusal::MemberUnknown)?),
            None => None,
        };
        let mut budgets = Known::default();
        for attempt in 1..=MOST_DECISIONS {
            let left = budgets.left();
            let step = |programs: &Programs| decide(call, command, account.as_ref(), programs, subject.as_ref(), &left);
            let decision = match self.with_versions(call, &mut programs, step).await {
                Ok(decision) => decision,
                Err(Failure::Refused(refusal)) => {
                    return self.recall(call, command, account, programs, refusal.into()).await;
                }
                Err(other) => return Err(other),
            };
            let (write, outcome) = match decision {
                Step::SettleFirst(posted) => (self.write(call, &mut programs, Some(posted), Vec::new()).await?, None),
                Step::Decided(Decision { posted, mut facts, budgets: uses, outcome }) => {
                    match budgets.writes(&uses, member) {
                        Ok(spends) => facts.extend(spends),
                        Err(short) => {
                            let spent = self.spent(&call.program, &short.rule, short.budget).await?;
                            budgets.learn(short.rule, spent);
                            continue;
                        }
                    }
                    (self.write(call, &mut programs, posted, facts).await?, Some(outcome))
                }
            };
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
                    let mut moved = Moved { account: &mut account, subject: &mut subject, short: Vec::new() };
                    let fact = moved.read(slots)?;
                    for (rule, budget) in moved.short.iter().filter_map(|rule| write.budget_of(rule)) {
                        let spent = self.spent(&call.program, rule, budget).await?;
                        budgets.learn(rule.clone(), spent);
                    }
                    if let Some(fact) = fact {
                        return match command.recall(&fact)? {
                            Ok(outcome) => Ok(Done { outcome, account, replayed: true, programs }),
                            Err(pointers) => Err(Failure::Mismatch(pointers)),
                        };
                    }
                    self.table.pause(attempt).await;
                }
            }
        }
        Err(Failure::Busy)
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
            Ok(outcome) => Ok(Done { outcome, account, replayed: true, programs }),
            Err(pointers) => Err(Failure::Mismatch(pointers)),
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
        let next_due = |programs: &Programs| Ok(posted.account.next_due(&programs.at(call.now)?.program));
        let due = self.with_versions(call, programs, next_due).await?;
        Ok(Write { posted: Some((posted, due)), facts })
    }

    /// Commits what was decided about a member who is not there yet, or about no account at all.
    ///
    /// # Errors
    /// [`Failure::Taken`] with what stands in the way.
    pub async fn commit_new(&self, call: &Call, posted: Option<Posted>, facts: Vec<Fact>) -> Result<(), Failure> {
        let mut programs = self.programs(call).await?;
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

fn decide<C: Command>(
    call: &Call,
    command: &C,
    account: Option<&Account>,
    programs: &Programs,
    subject: Option<&Purchase>,
    budgets: &BudgetsLeft,
) -> Result<Step<C::Outcome>, Refusal> {
    let Some(account) = account else {
        return command.decide_for_guest(programs, subject, call.now).map(Step::Decided);
    };
    if account.status == Status::Erased && subject.is_none() {
        return Err(Refusal::MemberUnknown);
    }
    let mut draft = Draft::new(account.clone(), programs, call.now, &call.actor)?.with_budgets(budgets.clone());
    if draft.settle()? {
        return Ok(Step::SettleFirst(draft.finish_as_is()));
    }
    command.decide(draft, programs, subject).map(Step::Decided)
}

/// What a refused commit says about what has moved.
struct Moved<'a> {
    account: &'a mut Option<Account>,
    subject: &'a mut Option<Purchase>,
    /// Campaigns of which a shard had too little left.
    short: Vec<RuleId>,
}

impl Moved<'_> {
    /// Takes over what stands there now. Gives the fact that was there already, which weighs more than what has moved.
    fn read(&mut self, slots: Vec<(Slot, Option<Item>)>) -> Result<Option<Item>, Failure> {
        let mut fact = None;
        for (slot, item) in slots {
            match (slot, item) {
                (Slot::Account, Some(item)) => *self.account = Some(items::body(&item)?),
                (Slot::PurchaseLeft, Some(item)) => *self.subject = Some(items::body(&item)?),
                (Slot::Purchase | Slot::Refund | Slot::Activity | Slot::Request, Some(item)) => fact = Some(item),
                (Slot::Budget(rule), _) => self.short.push(rule),
                // An entry's number is taken only if the account has moved, which its own slot says.
                (Slot::Entry, _) => {}
                (slot @ (Slot::Person | Slot::Identity(_) | Slot::Code), _) => {
                    return Err(Failure::Taken(vec![(slot, None)]));
                }
                (
                    Slot::Account
                    | Slot::PurchaseLeft
                    | Slot::Purchase
                    | Slot::Refund
                    | Slot::Activity
                    | Slot::Request
                    | Slot::Free,
                    _,
                ) => {
                    return Err(StoreError::Corrupt("a condition failed that must hold").into());
                }
            }
        }
        Ok(fact)
    }
}
