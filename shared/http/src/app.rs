//! What the functions work with: the engine, the surroundings, and the answers that all of them give.

use crate::page::{Cursors, Page};
use crate::principal::Principal;
use crate::problem::Problem;
use crate::routes::ResolveExternalId;
use crate::surroundings::Surroundings;
use loyalty_domain::account::{Account, Status};
use loyalty_domain::calendar::Moment;
use loyalty_domain::entry::Entry;
use loyalty_domain::id::{CallerId, MemberId, ProgramId};
use loyalty_domain::identity::{IdentityKind, Reference, identity_of};
use loyalty_domain::programs::Programs;
use loyalty_domain::refusal::Refusal;
use loyalty_domain::view;
use loyalty_store::items::Note;
use loyalty_store::{Call, Command, Done, Engine, Failure, Recalled, Subjects};
use serde_json::{Value, json};
use std::sync::Arc;

/// The state of every function.
#[derive(Clone)]
pub struct App {
    /// Load, decide, commit.
    pub engine: Engine,
    /// Clock and ids.
    pub surroundings: Arc<dyn Surroundings>,
    /// Signs cursors.
    pub cursors: Cursors,
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App").field("engine", &self.engine).finish_non_exhaustive()
    }
}

impl App {
    /// Who asks, and when: read once for each request.
    #[must_use]
    pub fn call(&self, principal: &Principal) -> Call {
        let now = Moment::new(self.surroundings.now());
        Call { program: principal.program.clone(), actor: principal.actor.clone(), now }
    }

    /// The member whom a body names.
    ///
    /// # Errors
    /// 404 if nobody is known so.
    pub async fn resolve(&self, call: &Call, reference: &Reference) -> Result<MemberId, Problem> {
        let member = self.engine.resolve(&call.program, reference).await?;
        member.ok_or_else(|| Refusal::MemberUnknown.into())
    }

    /// Carries out a command for the member whom a request names.
    ///
    /// A retry is the same request, the name as sent, and so it is recognised by its fact even where the name leads
    /// nowhere by now; and where it leads to somebody else, the account shown is still that of the member whom the
    /// command was about, which `member_of` tells.
    ///
    /// # Errors
    /// 404 for a name that nobody has, and whatever the command is refused for.
    pub async fn transact_named<C: Command>(
        &self,
        call: &Call,
        named: &Reference,
        subjects: impl Into<Subjects>,
        command: &C,
        member_of: impl Fn(&C::Outcome) -> Option<MemberId>,
    ) -> Result<Done<C::Outcome>, Problem> {
        let carried_out = match self.engine.resolve(&call.program, named).await? {
            Some(member) => self.engine.transact(call, Some(member), subjects, command).await,
            None => Err(Refusal::MemberUnknown.into()),
        };
        let mut done = match carried_out {
            Err(Failure::Refused(Refusal::MemberUnknown)) => self.recall(call, command).await?,
            other => other?,
        };
        if done.replayed
            && let Some(member) = member_of(&done.outcome)
            && done.account.as_ref().is_none_or(|account| account.member != member)
        {
            done.account = self.engine.account(&call.program, member).await?;
        }
        Ok(done)
    }

    /// What came of a command before, where nobody is known by the name that it carries.
    async fn recall<C: Command>(&self, call: &Call, command: &C) -> Result<Done<C::Outcome>, Failure> {
        let programs = self.engine.programs(call).await?;
        let fact = match command.fact(&call.program) {
            Some(key) => self.engine.table().get(&key).await?,
            None => None,
        };
        let outcome = match command.recall(&fact.ok_or(Refusal::MemberUnknown)?)? {
            Recalled::Same(outcome) => outcome,
            Recalled::Other(pointers) => return Err(Failure::Mismatch(pointers)),
            Recalled::Nothing => return Err(Refusal::MemberUnknown.into()),
        };
        Ok(Done { outcome, account: None, replayed: true, programs })
    }

    /// A member's account, unless the member is gone.
    ///
    /// # Errors
    /// 404.
    pub async fn account(&self, call: &Call, member: MemberId) -> Result<Account, Problem> {
        let account = self.engine.account(&call.program, member).await?;
        account.filter(|account| account.status != Status::Erased).ok_or_else(|| Refusal::MemberUnknown.into())
    }

    /// Shows an account as of the request.
    ///
    /// # Errors
    /// Failures of the store.
    pub async fn show(&self, call: &Call, mut programs: Arc<Programs>, account: &Account) -> Result<Value, Problem> {
        let show = |programs: &Programs| view::account(account.clone(), programs, call.now);
        let shown = self.engine.with_versions(call, &mut programs, show).await?;
        serde_json::to_value(shown).map_err(Problem::internal)
    }

    /// Shows the account after a command; null where there is none.
    ///
    /// # Errors
    /// Failures of the store.
    pub async fn show_after<T>(&self, call: &Call, done: &Done<T>) -> Result<Value, Problem> {
        match &done.account {
            Some(account) => self.show(call, Arc::clone(&done.programs), account).await,
            None => Ok(Value::Null),
        }
    }

    /// A page of a member's ledger, newest first, and the cursor to the next. Free texts are shown only to staff.
    ///
    /// # Errors
    /// 400 for a foreign cursor; failures of the store.
    pub async fn ledger_page(
        &self,
        call: &Call,
        member: MemberId,
        page: &Page,
        route: &str,
        with_notes: bool,
    ) -> Result<(Vec<Value>, Option<String>), Problem> {
        let id = member.to_string();
        let binding = [call.program.as_str(), route, id.as_str()];
        let below = match &page.cursor {
            Some(cursor) => self.cursors.open(&binding, cursor)?.parse().map_err(Problem::internal)?,
            None => 999_999_999_999,
        };
        let program = &call.program;
        let (account, entries) =
            tokio::join!(self.account(call, member), self.engine.entries(program, member, below, page.limit));
        let (_, entries) = (account?, entries?);
        let notes = if with_notes { self.engine.notes(program, member, &entries).await? } else { Default::default() };
        let (mut page_of, mut bytes, mut last) = (Vec::with_capacity(entries.len()), 0, 0);
        for entry in &entries {
            let mut shown = view::entry(entry, member);
            if let (Some(object), Some(note)) = (shown.as_object_mut(), notes.get(&entry.seq)) {
                match note {
                    Note::Text(text) => object.insert("note".to_owned(), json!(text)),
                    Note::Attributes(text) => {
                        let attributes: Value = serde_json::from_str(text).map_err(Problem::internal)?;
                        object.insert("attributes".to_owned(), attributes)
                    }
                };
            }
            bytes += shown.to_string().len();
            if bytes > MOST_PAGE_BYTES && !page_of.is_empty() {
                break;
            }
            last = entry.seq;
            page_of.push(shown);
        }
        let full = entries.len() >= usize::try_from(page.limit).unwrap_or(usize::MAX) || page_of.len() < entries.len();
        let next = (full && last > 1).then(|| self.cursors.seal(&binding, &last.to_string()));
        Ok((page_of, next))
    }
}

/// A page ends early before it comes near the 6 MB that Lambda answers at the most.
const MOST_PAGE_BYTES: usize = 4_000_000;

/// Shows the entries of a request.
#[must_use]
pub fn entries(entries: &[Entry], member: Option<MemberId>) -> Vec<Value> {
    member.map_or_else(Vec::new, |member| entries.iter().map(|entry| view::entry(entry, member)).collect())
}

impl ResolveExternalId for App {
    async fn resolve_external_id(&self, program: &ProgramId, id: &CallerId) -> Result<Option<MemberId>, Problem> {
        let reference = Reference::Identity(identity_of(IdentityKind::ExternalId, id));
        Ok(self.engine.resolve(program, &reference).await?)
    }
}
