//! Pausing and coming back.

use crate::read::{member, named};
use axum::extract::State;
use loyalty_domain::account::Status;
use loyalty_domain::draft::Draft;
use loyalty_domain::id::ProgramId;
use loyalty_domain::membership;
use loyalty_domain::programs::Programs;
use loyalty_domain::purchase::Purchase;
use loyalty_domain::refusal::Refusal;
use loyalty_http::{Answer, App, PathValues, Principal, Problem};
use loyalty_store::items::Item;
use loyalty_store::keys::Key;
use loyalty_store::{Command, Decision, Recalled, StoreError};
use serde_json::json;

/// Sets a status; nothing is written where it is set already, so that a retry changes nothing.
struct Set(Status);

impl Command for Set {
    type Outcome = ();

    fn decide(&self, draft: Draft<'_>, _: &Programs, _: Option<&Purchase>) -> Result<Decision<()>, Refusal> {
        let posted = if draft.account().status == self.0 {
            None
        } else {
            Some(membership::change(draft, |account| account.status = self.0)?)
        };
        Ok(Decision { posted, facts: Vec::new(), budgets: Vec::new(), outcome: () })
    }

    fn fact(&self, _: &ProgramId) -> Option<Key> {
        None
    }

    fn recall(&self, _: &Item) -> Result<Recalled<()>, StoreError> {
        Ok(Recalled::Same(()))
    }
}

/// `POST /v1/members/{member_id}/deactivate`: earns and spends nothing from now on.
pub(crate) async fn deactivate(state: State<App>, principal: Principal, path: PathValues) -> Result<Answer, Problem> {
    set(state, principal, path, Status::Deactivated).await
}

/// `POST /v1/members/{member_id}/reactivate`: takes part again.
pub(crate) async fn reactivate(state: State<App>, principal: Principal, path: PathValues) -> Result<Answer, Problem> {
    set(state, principal, path, Status::Active).await
}

async fn set(State(app): State<App>, principal: Principal, path: PathValues, to: Status) -> Result<Answer, Problem> {
    let call = app.call(&principal);
    let id = named(&path)?;
    app.engine.transact(&call, Some(id), None, &Set(to)).await?;
    Ok(Answer::ok(json!({ "member": member(&app, &call, id).await? })))
}
