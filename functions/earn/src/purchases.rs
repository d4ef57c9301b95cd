//! Purchases: recorded once, quoted as often as you like.

use axum::extract::State;
use loyalty_domain::calendar::Moment;
use loyalty_domain::draft::{BudgetsLeft, Draft};
use loyalty_domain::entry::Entry;
use loyalty_domain::id::{MemberId, ProgramId};
use loyalty_domain::programs::Programs;
use loyalty_domain::purchase::{self, Order, Purchase};
use loyalty_domain::refusal::Refusal;
use loyalty_domain::{requests, view};
use loyalty_http::{Answer, App, JsonBody, PathValues, Principal, Problem, entries};
use loyalty_store::items::{self, Item};
use loyalty_store::keys::{self, Key};
use loyalty_store::{Command, Decision, Fact, Recalled, StoreError};
use serde_json::json;

struct Record {
    order: Order,
    reference: Option<[u8; 16]>,
}

impl Command for Record {
    type Outcome = Purchase;

    fn decide(
        &self,
        draft: Draft<'_>,
        programs: &Programs,
        _: Option<&Purchase>,
    ) -> Result<Decision<Purchase>, Refusal> {
        let reference = self.reference.ok_or(Refusal::MemberUnknown)?;
        let decision = purchase::record(draft, programs, &self.order, reference)?;
        let mut facts = vec![Fact::Purchase(decision.purchase.clone())];
        let paid = decision.redemptions.into_iter();
        facts.extend(paid.map(|redemption| Fact::RedemptionLeft(redemption.clone(), redemption.version - 1)));
        Ok(Decision { posted: Some(decision.posted), facts, budgets: decision.budgets, outcome: decision.purchase })
    }

    fn decide_for_guest(
        &self,
        programs: &Programs,
        _: Option<&Purchase>,
        now: Moment,
    ) -> Result<Decision<Purchase>, Refusal> {
        let purchase = purchase::record_guest(programs, &self.order, now)?;
        let facts = vec![Fact::Purchase(purchase.clone())];
        Ok(Decision { posted: None, facts, budgets: Vec::new(), outcome: purchase })
    }

    fn fact(&self, program: &ProgramId) -> Option<Key> {
        Some(keys::purchase(program, &self.order.channel, &self.order.order_id))
    }

    fn recall(&self, fact: &Item) -> Result<Recalled<Purchase>, StoreError> {
        let mut purchase: Purchase = items::body(fact)?;
        if self.reference.is_none() && purchase.reference.is_none() {
            // Whoever may have claimed it since: the answer to the guest's purchase was that of a guest.
            purchase.award = None;
        }
        let differences = purchase.differences(&self.order, self.reference);
        Ok(if differences.is_empty() { Recalled::Same(purchase) } else { Recalled::Other(differences) })
    }
}

/// `POST /v1/purchases`: awards what a member bought, or keeps what a guest bought.
pub(crate) async fn record(State(app): State<App>, principal: Principal, body: JsonBody) -> Result<Answer, Problem> {
    let (order, member) = body.read(requests::purchase)?;
    let call = app.call(&principal);
    let reference = member.as_ref().map(|member| app.engine.table().secrets().reference(member));
    let command = Record { order, reference };
    let paid_with = app.engine.redemptions(&call.program, &command.order.paid_with).await?;
    let done = match &member {
        Some(named) => app.transact_named(&call, named, paid_with, &command, buyer).await?,
        None => app.engine.transact(&call, None, None, &command).await?,
    };
    let own: &[Entry] = done.outcome.award.as_ref().map_or(&[], |award| &award.entries);
    let answer = Answer::created(view::object([
        ("purchase", view::purchase(&done.outcome, true)),
        ("entries", entries(own, buyer(&done.outcome)).into()),
        ("account", app.show_after(&call, &done).await?),
    ]));
    Ok(answer.replayed(done.replayed))
}

/// Who got the points.
fn buyer(purchase: &Purchase) -> Option<MemberId> {
    purchase.award.as_ref().map(|award| award.member)
}

/// `POST /v1/purchases/quote`: what recording it now would award, and why not more. Writes nothing.
pub(crate) async fn quote(State(app): State<App>, principal: Principal, body: JsonBody) -> Result<Answer, Problem> {
    let (order, member) = body.read(requests::quote)?;
    let call = app.call(&principal);
    let mut programs = app.engine.programs(&call).await?;
    let Some(member) = member else {
        let step = |programs: &Programs| purchase::record_guest(programs, &order, call.now).map(|_| ());
        app.engine.with_versions(&call, &mut programs, step).await?;
        return Ok(Answer::ok(json!({ "points": 0, "entries": [], "rules_not_applied": [] })));
    };
    let member = app.resolve(&call, &member).await?;
    let account = app.account(&call, member).await?;
    let paid_with = app.engine.redemptions(&call.program, &order.paid_with).await?;
    let step = |programs: &Programs, budgets: BudgetsLeft| {
        let draft = Draft::new(account.clone(), programs, call.now, &call.actor)?;
        let mut draft = draft.with_budgets(budgets).with_redemptions(paid_with.clone());
        draft.settle_all()?;
        purchase::quote(draft.settled(), programs, &order)
    };
    let mut quote =
        app.engine.with_versions(&call, &mut programs, |programs| step(programs, BudgetsLeft::new())).await?;
    if !quote.budgets.is_empty() {
        let left = app.engine.budgets_left(&call.program, &quote.budgets).await?;
        quote = app.engine.with_versions(&call, &mut programs, |programs| step(programs, left.clone())).await?;
    }
    let not_applied =
        quote.not_applied.iter().map(|rule| json!({ "rule": rule.rule.as_str(), "because": rule.because }));
    Ok(Answer::ok(json!({
        "points": quote.purchase.award.as_ref().map_or(0, |award| award.first),
        "entries": entries(&quote.entries, Some(member)),
        "rules_not_applied": not_applied.collect::<Vec<_>>(),
    })))
}

/// `GET /v1/purchases/{channel}/{order_id}`: the purchase as it stands.
pub(crate) async fn get(State(app): State<App>, principal: Principal, path: PathValues) -> Result<Answer, Problem> {
    let call = app.call(&principal);
    let (channel, order_id) = (path.id("channel", UNKNOWN)?, path.id("order_id", UNKNOWN)?);
    let purchase = app.engine.purchase(&call.program, &channel, &order_id).await?;
    let purchase = purchase.ok_or_else(|| Problem::not_found(UNKNOWN))?;
    Ok(Answer::ok(json!({ "purchase": view::purchase(&purchase, false) })))
}

/// The code for a purchase that is not there.
pub(crate) const UNKNOWN: &str = "purchase_unknown";
