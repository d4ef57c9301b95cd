//! Activities: what members do besides buying.

use axum::extract::State;
use loyalty_domain::activity::{self, Activity, Digests, RecordedActivity};
use loyalty_domain::draft::Draft;
use loyalty_domain::id::ProgramId;
use loyalty_domain::programs::Programs;
use loyalty_domain::purchase::Purchase;
use loyalty_domain::refusal::Refusal;
use loyalty_domain::{requests, view};
use loyalty_http::{Answer, App, JsonBody, Principal, Problem, entries};
use loyalty_store::items::{self, Item, Note};
use loyalty_store::keys::{self, Key};
use loyalty_store::{Command, Decision, Fact, Recalled, StoreError};

struct Record {
    told: Activity,
    digests: Digests,
    /// The attributes as they are kept beside the entry; none if there are none.
    attributes: Option<String>,
}

impl Command for Record {
    type Outcome = RecordedActivity;

    fn decide(
        &self,
        draft: Draft<'_>,
        programs: &Programs,
        _: Option<&Purchase>,
    ) -> Result<Decision<RecordedActivity>, Refusal> {
        let decided = activity::record(draft, programs, &self.told, self.digests)?;
        let recorded = decided.activity;
        let mut facts = vec![Fact::Activity(recorded.clone())];
        if let (Some(attributes), Some(entry)) = (&self.attributes, recorded.entries.first()) {
            facts.push(Fact::Note(recorded.member, entry.seq, Note::Attributes(attributes.clone())));
        }
        Ok(Decision { posted: Some(decided.posted), facts, budgets: decided.budgets, outcome: recorded })
    }

    fn fact(&self, program: &ProgramId) -> Option<Key> {
        Some(keys::activity(program, &self.told.source, &self.told.activity_id))
    }

    fn recall(&self, fact: &Item) -> Result<Recalled<RecordedActivity>, StoreError> {
        let recorded: RecordedActivity = items::body(fact)?;
        let differences = recorded.differences(&self.told, self.digests);
        Ok(if differences.is_empty() { Recalled::Same(recorded) } else { Recalled::Other(differences) })
    }
}

/// `POST /v1/activities`: awards what a member did besides buying: a review, a recycled bottle, a paid month.
pub(crate) async fn record(State(app): State<App>, principal: Principal, body: JsonBody) -> Result<Answer, Problem> {
    let (told, member) = body.read(requests::activity)?;
    let call = app.call(&principal);
    let secrets = app.engine.table().secrets();
    let attributes = view::attributes(&told.attributes).to_string();
    let digests = Digests {
        reference: secrets.reference(&member),
        attributes: secrets.content(&format!("attributes\0{attributes}")),
    };
    let attributes = (!told.attributes.is_empty()).then_some(attributes);
    let command = Record { told, digests, attributes };
    let done = app.transact_named(&call, &member, None, &command, |done| Some(done.member)).await?;
    let answer = Answer::created(view::object([
        ("activity", view::activity(&done.outcome)),
        ("entries", entries(&done.outcome.entries, Some(done.outcome.member)).into()),
        ("account", app.show_after(&call, &done).await?),
    ]));
    Ok(answer.replayed(done.replayed))
}
