//! Redeeming a reward.

use crate::read::shown;
use axum::extract::State;
use loyalty_domain::draft::Draft;
use loyalty_domain::id::{ProgramId, RedemptionId};
use loyalty_domain::programs::Programs;
use loyalty_domain::purchase::Purchase;
use loyalty_domain::redemption::{self, Ask, Redemption};
use loyalty_domain::refusal::Refusal;
use loyalty_domain::view;
use loyalty_http::{Answer, App, JsonBody, Principal, Problem, RequestKey, entries};
use loyalty_store::items::{self, Item};
use loyalty_store::keys::{self, Key};
use loyalty_store::{Command, Decision, Fact, Recalled, StoreError};

struct Redeem {
    ask: Ask,
    /// It follows from the caller and its key, so that the redemption itself tells a retry.
    id: RedemptionId,
    content: [u8; 16],
}

impl Command for Redeem {
    type Outcome = Redemption;

    fn decide(&self, draft: Draft<'_>, _: &Programs, _: Option<&Purchase>) -> Result<Decision<Redemption>, Refusal> {
        let decided = redemption::redeem(draft, &self.ask, self.id, self.content)?;
        let mut facts = vec![Fact::Redemption(decided.redemption.clone())];
        facts.extend(Fact::voucher(&decided.redemption));
        Ok(Decision { posted: Some(decided.posted), facts, budgets: Vec::new(), outcome: decided.redemption })
    }

    fn fact(&self, program: &ProgramId) -> Option<Key> {
        Some(keys::redemption(program, self.id))
    }

    fn recall(&self, fact: &Item) -> Result<Recalled<Redemption>, StoreError> {
        let redemption: Redemption = items::body(fact)?;
        Ok(if redemption.content == self.content {
            Recalled::Same(redemption.as_made())
        } else {
            Recalled::Other(Vec::new())
        })
    }
}

/// `POST /v1/redemptions`: sets points aside for a reward, or spends them on it.
pub(crate) async fn redeem(
    State(app): State<App>,
    principal: Principal,
    RequestKey(key): RequestKey,
    body: JsonBody,
) -> Result<Answer, Problem> {
    let request = body.read(redemption::redeem_body)?;
    let call = app.call(&principal);
    if principal.own.is_some() {
        principal.must_be(app.engine.resolve(&call.program, &request.member).await?)?;
    }
    let secrets = app.engine.table().secrets();
    let content = secrets.content(&format!("redeem\0{}\0{}", request.member.digest_input(), asked(&request.ask)));
    let id = secrets.redemption(&caller(&principal), &key);
    let (named, ask) = (request.member, request.ask);
    let done = app
        .transact_named(&call, &named, None, &Redeem { ask, id, content }, |redemption| Some(redemption.member))
        .await?;
    let (redemption, voucher) = shown(&app, &call, &done.outcome);
    let answer = Answer::created(view::object([
        ("redemption", redemption),
        ("voucher", voucher),
        ("entries", entries(&done.outcome.entries, Some(done.outcome.member)).into()),
        ("account", app.show_after(&call, &done).await?),
    ]));
    Ok(answer.replayed(done.replayed))
}

/// Who keeps keys of requests: a service and a member whose subjects are spelled alike are two.
pub(crate) fn caller(principal: &Principal) -> String {
    match principal.confined_to() {
        Some(member) => format!("self\0{member}"),
        None => principal.actor.clone(),
    }
}

/// What is asked for, in words that stay the same for ever: retries are recognised by them.
fn asked(ask: &Ask) -> String {
    let number = |number: Option<i64>| number.map_or_else(|| "-".to_owned(), |number| number.to_string());
    let currency = ask.currency.map_or_else(|| "-".to_owned(), |currency| currency.code().to_owned());
    format!("{}\0{}\0{currency}\0{}", ask.reward, number(ask.points), number(ask.basket_total))
}
