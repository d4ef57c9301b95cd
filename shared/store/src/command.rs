//! What a request asks of the engine, and what becomes of it.

use crate::error::StoreError;
use crate::items::{self, Carried, IdentityOf, Item};
use crate::keys::Key;
use crate::write::{Fact, Slot};
use loyalty_domain::account::Account;
use loyalty_domain::calendar::Moment;
use loyalty_domain::draft::{Draft, Posted};
use loyalty_domain::id::ProgramId;
use loyalty_domain::programs::Programs;
use loyalty_domain::purchase::{BudgetUse, Purchase};
use loyalty_domain::redemption::Redemption;
use loyalty_domain::refusal::Refusal;
use std::sync::Arc;

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

/// What a command is about, besides an account.
#[derive(Debug, Default)]
pub struct Subjects {
    /// A purchase.
    pub purchase: Option<Purchase>,
    /// Redemptions, which the command finds in its draft.
    pub redemptions: Vec<Redemption>,
}

impl From<Option<Purchase>> for Subjects {
    fn from(purchase: Option<Purchase>) -> Self {
        Self { purchase, redemptions: Vec::new() }
    }
}

impl From<Vec<Redemption>> for Subjects {
    fn from(redemptions: Vec<Redemption>) -> Self {
        Self { purchase: None, redemptions }
    }
}

/// What a fact says about a request.
#[derive(Debug)]
pub enum Recalled<T> {
    /// It was carried out, with this answer.
    Same(T),
    /// Its key was used for other content; JSON Pointers to what differs.
    Other(Vec<String>),
    /// Nothing.
    Nothing,
}

impl<T> From<Result<T, Vec<String>>> for Recalled<T> {
    fn from(compared: Result<T, Vec<String>>) -> Self {
        match compared {
            Ok(outcome) => Recalled::Same(outcome),
            Err(pointers) => Recalled::Other(pointers),
        }
    }
}

impl Recalled<Carried> {
    /// What a request key says about a request of this content.
    ///
    /// # Errors
    /// [`StoreError`] if the fact cannot be read.
    pub fn carried(fact: &Item, content: [u8; 16]) -> Result<Self, StoreError> {
        let carried: Carried = items::body(fact)?;
        Ok(if carried.content == content { Recalled::Same(carried) } else { Recalled::Other(Vec::new()) })
    }
}

/// A request that changes an account.
pub trait Command: Sync {
    /// What it answers.
    type Outcome: Send;

    /// Decides, purely. `subject` is the purchase that the command is about, if it is about one; redemptions are in the draft.
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

    /// What the fact says: what was answered when it was carried out, or in what it differs.
    ///
    /// # Errors
    /// [`StoreError`] if the fact cannot be read.
    fn recall(&self, fact: &Item) -> Result<Recalled<Self::Outcome>, StoreError>;
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
