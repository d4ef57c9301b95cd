//! Refunds of purchases.

use crate::purchases::UNKNOWN;
use axum::extract::State;
use loyalty_domain::calendar::Moment;
use loyalty_domain::draft::Draft;
use loyalty_domain::id::{CallerId, ProgramId};
use loyalty_domain::programs::Programs;
use loyalty_domain::purchase::Purchase;
use loyalty_domain::refund::{self, Refund, RefundDecision, Return};
use loyalty_domain::refusal::Refusal;
use loyalty_domain::requests;
use loyalty_http::{Answer, App, JsonBody, PathValues, Principal, Problem, entries};
use loyalty_store::items::{self, Item};
use loyalty_store::keys::{self, Key};
use loyalty_store::{Command, Decision, Fact, Recalled, StoreError};
use serde_json::json;

struct TakeBack {
    channel: CallerId,
    order_id: CallerId,
    told: Return,
}

impl TakeBack {
    fn decision(&self, before: &Purchase, decided: RefundDecision) -> Decision<Refund> {
        let facts = vec![
            Fact::PurchaseLeft(decided.purchase.clone(), before.version),
            Fact::Refund(decided.purchase, decided.refund.clone()),
        ];
        Decision { posted: decided.posted, facts, budgets: decided.budgets, outcome: decided.refund }
    }
}

impl Command for TakeBack {
    type Outcome = Refund;

    fn decide(
        &self,
        draft: Draft<'_>,
        programs: &Programs,
        subject: Option<&Purchase>,
    ) -> Result<Decision<Refund>, Refusal> {
        let purchase = subject.ok_or(Refusal::Inconsistent)?;
        let award = purchase.award.clone().ok_or(Refusal::Inconsistent)?;
        let decided = refund::refund(draft, programs, purchase.clone(), award, &self.told)?;
        Ok(self.decision(purchase, decided))
    }

    fn decide_for_guest(
        &self,
        _: &Programs,
        subject: Option<&Purchase>,
        now: Moment,
    ) -> Result<Decision<Refund>, Refusal> {
        let purchase = subject.ok_or(Refusal::Inconsistent)?;
        let decided = refund::refund_guest(purchase.clone(), &self.told, now)?;
        Ok(self.decision(purchase, decided))
    }

    fn fact(&self, program: &ProgramId) -> Option<Key> {
        Some(keys::refund(program, &self.channel, &self.order_id, &self.told.refund_id))
    }

    fn recall(&self, fact: &Item) -> Result<Recalled<Refund>, StoreError> {
        let refund: Refund = items::body(fact)?;
        let differences = refund.differences(&self.told);
        Ok(if differences.is_empty() { Recalled::Same(refund) } else { Recalled::Other(differences) })
    }
}

/// `POST /v1/purchases/{channel}/{order_id}/refunds`: takes back what the returned lines had earned.
pub(crate) async fn refund(
    State(app): State<App>,
    principal: Principal,
    path: PathValues,
    body: JsonBody,
) -> Result<Answer, Problem> {
    let told = body.read(requests::refund)?;
    let call = app.call(&principal);
    let (channel, order_id) = (path.id("channel", UNKNOWN)?, path.id("order_id", UNKNOWN)?);
    // Refunds may overtake their purchase on the way: the till tries again.
    let purchase = app.engine.purchase(&call.program, &channel, &order_id).await?;
    let purchase = purchase.ok_or_else(|| Problem::not_found(UNKNOWN).retryable())?;
    let member = purchase.award.as_ref().map(|award| award.member);
    let done = app.engine.transact(&call, member, Some(purchase), &TakeBack { channel, order_id, told }).await?;
    let answer = Answer::created(json!({
        "refund": {
            "refund_id": done.outcome.told.refund_id.as_str(),
            "points_clawed_back": done.outcome.clawed_back,
            "points_restored": done.outcome.restored,
        },
        "entries": entries(&done.outcome.entries, member),
        "account": app.show_after(&call, &done).await?,
    }));
    Ok(answer.replayed(done.replayed))
}
