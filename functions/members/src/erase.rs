//! Leaving for good.

use crate::read::named;
use axum::extract::State;
use loyalty_domain::account::Status;
use loyalty_domain::draft::Draft;
use loyalty_domain::id::{MemberId, ProgramId};
use loyalty_domain::membership;
use loyalty_domain::programs::Programs;
use loyalty_domain::purchase::Purchase;
use loyalty_domain::refusal::Refusal;
use loyalty_http::{Answer, App, PathValues, Principal, Problem};
use loyalty_store::items::{Item, Person};
use loyalty_store::keys::Key;
use loyalty_store::{Command, Decision, Fact, Failure, Recalled, StoreError};

/// How often erasure is begun anew because the person's data changed meanwhile.
const MOST_ATTEMPTS: u32 = 10;

struct Erase {
    member: MemberId,
    person: Person,
}

impl Command for Erase {
    type Outcome = ();

    fn decide(&self, draft: Draft<'_>, _: &Programs, _: Option<&Purchase>) -> Result<Decision<()>, Refusal> {
        let posted = membership::erase(draft)?;
        let mut facts =
            vec![Fact::PersonGone(self.member, self.person.version), Fact::CodeGone(self.person.referral_code.clone())];
        facts.extend(self.person.profile.identities().into_iter().map(Fact::IdentityGone));
        Ok(Decision { posted: Some(posted), facts, budgets: Vec::new(), outcome: () })
    }

    fn fact(&self, _: &ProgramId) -> Option<Key> {
        None
    }

    fn recall(&self, _: &Item) -> Result<Recalled<()>, StoreError> {
        Ok(Recalled::Same(()))
    }
}

/// `DELETE /v1/members/{member_id}`: the person goes, the books stay. Notes are deleted after the person is gone, when
/// none can be added any more; a request that was interrupted there is completed by the next.
pub(crate) async fn erase(State(app): State<App>, principal: Principal, path: PathValues) -> Result<Answer, Problem> {
    let call = app.call(&principal);
    let member = named(&path)?;
    for attempt in 1..=MOST_ATTEMPTS {
        let account = app.engine.account(&call.program, member).await?.ok_or(Refusal::MemberUnknown)?;
        if account.status != Status::Erased {
            let person = app.engine.person(&call.program, member).await?;
            let erased = match person {
                Some(person) => {
                    app.engine.transact(&call, Some(member), None, &Erase { member, person }).await.map(|_| ())
                }
                // Another request has just erased the member.
                None => Err(Failure::Taken(Vec::new())),
            };
            match erased {
                Ok(()) => {}
                Err(Failure::Taken(_) | Failure::Refused(Refusal::MemberUnknown)) => {
                    app.engine.table().pause(attempt).await;
                    continue;
                }
                Err(other) => return Err(other.into()),
            }
        }
        app.engine.delete_notes(&call.program, member).await?;
        return Ok(Answer::no_content());
    }
    Err(Failure::Busy.into())
}
