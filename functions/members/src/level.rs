//! Levels that operators lend.

use crate::read::named;
use axum::extract::State;
use loyalty_domain::draft::Draft;
use loyalty_domain::id::ProgramId;
use loyalty_domain::level_grant::grant_level;
use loyalty_domain::programs::Programs;
use loyalty_domain::purchase::Purchase;
use loyalty_domain::refusal::Refusal;
use loyalty_domain::requests::{self, LevelGrantRequest};
use loyalty_http::{Answer, App, JsonBody, PathValues, Principal, Problem, RequestKey, entries};
use loyalty_store::items::{Carried, Item, Note};
use loyalty_store::keys::{self, Key};
use loyalty_store::{Command, Decision, Fact, Recalled, StoreError};
use serde_json::json;

struct Lend {
    request: LevelGrantRequest,
    key: String,
    content: [u8; 16],
}

impl Command for Lend {
    type Outcome = Carried;

    fn decide(&self, draft: Draft<'_>, _: &Programs, _: Option<&Purchase>) -> Result<Decision<Carried>, Refusal> {
        let posted = grant_level(draft, &self.request.grant)?;
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

/// `POST /v1/members/{member_id}/level`: lends a level until a date, or ends at that date what was granted before.
pub(crate) async fn lend(
    State(app): State<App>,
    principal: Principal,
    path: PathValues,
    RequestKey(key): RequestKey,
    body: JsonBody,
) -> Result<Answer, Problem> {
    let request = body.read(requests::level_grant)?;
    let call = app.call(&principal);
    let member = named(&path)?;
    let secrets = app.engine.table().secrets();
    let LevelGrantRequest { grant, note } = &request;
    let content = format!("level\0{member}\0{}\0{}\0{}\0{note:?}", grant.level, grant.until, grant.reason);
    let command = Lend { content: secrets.content(&content), key: secrets.request(&call.actor, &key), request };
    let done = app.engine.transact(&call, Some(member), None, &command).await?;
    let answer = Answer::created(json!({
        "entries": entries(&done.outcome.entries, Some(done.outcome.member)),
        "account": app.show_after(&call, &done).await?,
    }));
    Ok(answer.replayed(done.replayed))
}
