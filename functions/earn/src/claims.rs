//! Claims: a guest's purchase becomes a member's, once.

use crate::purchases::UNKNOWN;
use axum::extract::State;
use loyalty_domain::draft::Draft;
use loyalty_domain::id::ProgramId;
use loyalty_domain::programs::Programs;
use loyalty_domain::purchase::{self, Purchase};
use loyalty_domain::refusal::Refusal;
use loyalty_domain::{requests, view};
use loyalty_http::{Answer, App, JsonBody, PathValues, Principal, Problem, entries};
use loyalty_store::items::Item;
use loyalty_store::keys::Key;
use loyalty_store::{Call, Command, Decision, Done, Fact, Failure, Recalled, StoreError};
use serde_json::json;
use std::sync::Arc;

/// Wrong totals that one caller may state in a minute.
const MOST_GUESSES: u64 = 10;

struct Claim {
    net_total: i64,
}

impl Command for Claim {
    type Outcome = Purchase;

    fn decide(
        &self,
        draft: Draft<'_>,
        programs: &Programs,
        subject: Option<&Purchase>,
    ) -> Result<Decision<Purchase>, Refusal> {
        let guest = subject.ok_or(Refusal::Inconsistent)?;
        let decided = purchase::claim(draft, programs, guest.clone(), self.net_total)?;
        let facts = vec![Fact::PurchaseLeft(decided.purchase.clone(), guest.version)];
        Ok(Decision { posted: Some(decided.posted), facts, budgets: decided.budgets, outcome: decided.purchase })
    }

    /// The purchase itself says who has it.
    fn fact(&self, _: &ProgramId) -> Option<Key> {
        None
    }

    fn recall(&self, _: &Item) -> Result<Recalled<Purchase>, StoreError> {
        Err(StoreError::Corrupt("a claim leaves no fact of its own"))
    }
}

/// `POST /v1/purchases/{channel}/{order_id}/claim`: gives a guest's purchase to the member who knows its net total.
pub(crate) async fn claim(
    State(app): State<App>,
    principal: Principal,
    path: PathValues,
    body: JsonBody,
) -> Result<Answer, Problem> {
    let (member, net_total) = body.read(requests::claim)?;
    let call = app.call(&principal);
    let (channel, order_id) = (path.id("channel", UNKNOWN)?, path.id("order_id", UNKNOWN)?);
    let guesses = app.engine.guesses(&call.program, &call.actor, "claim", call.now).await?;
    if guesses >= MOST_GUESSES {
        return Err(too_many());
    }
    let member = app.resolve(&call, &member).await?;
    // Read anew if another request was quicker with this very purchase.
    for _ in 0..2 {
        let purchase = app.engine.purchase(&call.program, &channel, &order_id).await?;
        let purchase = purchase.ok_or_else(|| Problem::not_found(UNKNOWN).retryable())?;
        let claimed = match purchase.award.as_ref().map(|award| award.member) {
            None => app.engine.transact(&call, Some(member), Some(purchase), &Claim { net_total }).await,
            Some(owner) if owner == member && purchase.reference.is_none() && purchase.net_bought() == net_total => {
                again(&app, &call, purchase).await
            }
            Some(_) => return Err(Refusal::Claimed.into()),
        };
        match claimed {
            Ok(done) => return show(&app, &call, &done).await,
            Err(Failure::Refused(Refusal::Claimed)) => {}
            Err(Failure::Refused(Refusal::WrongTotal)) => {
                return match app.engine.guessed(&call.program, &call.actor, "claim", call.now).await? {
                    ..=MOST_GUESSES => Err(Refusal::WrongTotal.into()),
                    _ => Err(too_many()),
                };
            }
            Err(other) => return Err(other.into()),
        }
    }
    Err(Refusal::Claimed.into())
}

fn too_many() -> Problem {
    Problem::too_many_requests(60).detail("too many claims with a wrong total in this minute")
}

/// The same claim once more.
async fn again(app: &App, call: &Call, purchase: Purchase) -> Result<Done<Purchase>, Failure> {
    let member = purchase.award.as_ref().map(|award| award.member).ok_or(Refusal::Inconsistent)?;
    let programs = app.engine.programs(call).await?;
    let account = app.engine.account(&call.program, member).await?;
    Ok(Done { outcome: purchase, account, replayed: true, programs: Arc::clone(&programs) })
}

async fn show(app: &App, call: &Call, done: &Done<Purchase>) -> Result<Answer, Problem> {
    let award = done.outcome.award.as_ref();
    let answer = Answer::created(json!({
        "purchase": view::purchase(&done.outcome, true),
        "entries": award.map_or_else(Vec::new, |award| entries(&award.entries, Some(award.member))),
        "account": app.show_after(call, done).await?,
    }));
    Ok(answer.replayed(done.replayed))
}
