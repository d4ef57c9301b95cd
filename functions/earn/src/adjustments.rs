//! Corrections by operators.

use axum::extract::State;
use loyalty_domain::adjust;
use loyalty_domain::draft::Draft;
use loyalty_domain::id::ProgramId;
use loyalty_domain::programs::Programs;
use loyalty_domain::purchase::Purchase;
use loyalty_domain::refusal::Refusal;
use loyalty_domain::requests::{self, AdjustmentRequest};
use loyalty_http::{Answer, App, JsonBody, Principal, Problem, RequestKey, entries};
use loyalty_store::items::{Carried, Item, Note};
use loyalty_store::keys::{self, Key};
use loyalty_store::{Command, Decision, Fact, Recalled, StoreError};
use serde_json::json;

struct Correct {
    request: AdjustmentRequest,
    key: String,
    content: [u8; 16],
}

impl Command for Correct {
    type Outcome = Carried;

    fn decide(&self, draft: Draft<'_>, _: &Programs, _: Option<&Purchase>) -> Result<Decision<Carried>, Refusal> {
        let posted = adjust::adjust(draft, &self.request.adjustment)?;
        let member = posted.account.member;
        let carried = Carried { content: self.content, member, entries: posted.own_entries().to_vec() };
        let mut facts = vec![Fact::Request(self.key.clone(), carried.clone())];
        if let (Some(note), Some(entry)) = (&self.request.note, carried.entries.first()) {
            facts.push(Fact::Note(member, entry.seq, Note::Text(note.clone())));
        }
        Ok(Decision { posted: Some(posted), facts, budgets: Vec::new(), outcome: carried })
    }

    fn fact(&self, program: &ProgramId) -> Option<Key> {
        Some(keys::request(program, &self.key))
    }

    fn recall(&self, fact: &Item) -> Result<Recalled<Carried>, StoreError> {
        Recalled::carried(fact, self.content)
    }
}

/// `POST /v1/adjustments`: gives points that can be spent at once, or takes such.
pub(crate) async fn adjust(
    State(app): State<App>,
    principal: Principal,
    RequestKey(key): RequestKey,
    body: JsonBody,
) -> Result<Answer, Problem> {
    let request = body.read(requests::adjustment)?;
    let call = app.call(&principal);
    let secrets = app.engine.table().secrets();
    let content = secrets.content(&format!(
        "adjust\0{}\0{}\0{}\0{}\0{:?}",
        request.member.digest_input(),
        request.adjustment.points,
        request.adjustment.reason,
        request.adjustment.qualifies,
        request.note,
    ));
    let key = secrets.request(&call.actor, &key);
    let named = request.member.clone();
    let done =
        app.transact_named(&call, &named, None, &Correct { request, key, content }, |done| Some(done.member)).await?;
    let answer = Answer::created(json!({
        "entries": entries(&done.outcome.entries, Some(done.outcome.member)),
        "account": app.show_after(&call, &done).await?,
    }));
    Ok(answer.replayed(done.replayed))
}
