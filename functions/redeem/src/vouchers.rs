//! Vouchers at the till.

use crate::read::shown;
use axum::extract::State;
use loyalty_domain::account::{Account, Status};
use loyalty_domain::redemption::{self, Redemption};
use loyalty_domain::refusal::Refusal;
use loyalty_domain::view;
use loyalty_domain::voucher::Code;
use loyalty_http::{Answer, App, JsonBody, Principal, Problem};
use loyalty_store::{Call, Fact, Failure};
use serde_json::json;

/// Wrong codes that one caller may send from one store in a minute.
const MOST_GUESSES: u64 = 10;
/// How often a use is decided anew because the redemption moved meanwhile.
const MOST_ATTEMPTS: u32 = 10;

/// `POST /v1/vouchers/lookup`: what a code is worth, and whether it can be used.
pub(crate) async fn lookup(State(app): State<App>, principal: Principal, body: JsonBody) -> Result<Answer, Problem> {
    let code = body.read(redemption::voucher_lookup_body)?;
    let call = app.call(&principal);
    let (redemption, account) = find(&app, &call, "voucher", &code).await?;
    let looked_up = redemption::voucher_looked_up(&redemption, &account, call.now);
    Ok(Answer::ok(json!({ "voucher": looked_up })))
}

/// `POST /v1/vouchers/redeem`: uses a code for an order, once.
pub(crate) async fn redeem(State(app): State<App>, principal: Principal, body: JsonBody) -> Result<Answer, Problem> {
    let told = body.read(redemption::voucher_use_body)?;
    let call = app.call(&principal);
    let guesses = format!("voucher#{}", told.channel);
    for attempt in 1..=MOST_ATTEMPTS {
        let (before, account) = find(&app, &call, &guesses, &told.code).await?;
        let expected = before.version;
        let used = redemption::use_voucher(before, &account, &told.channel, &told.order_id, call.now)?;
        if !used.replayed {
            let facts = vec![Fact::RedemptionLeft(used.redemption.clone(), expected)];
            match app.engine.commit_new(&call, None, facts).await {
                Ok(()) => {}
                Err(Failure::Taken(_)) => {
                    app.engine.table().pause(attempt).await;
                    continue;
                }
                Err(other) => return Err(other.into()),
            }
        }
        let (redemption, voucher) = shown(&app, &call, &used.redemption);
        let answer = Answer::ok(view::object([("redemption", redemption), ("voucher", voucher)]));
        return Ok(answer.replayed(used.replayed));
    }
    Err(Failure::Busy.into())
}

/// The redemption behind a code and its member's account. Wrong codes are counted in the table, by caller and store.
async fn find(app: &App, call: &Call, guesses: &str, code: &Code) -> Result<(Redemption, Account), Problem> {
    let (program, actor) = (&call.program, call.actor.as_str());
    let (found, wrong) =
        tokio::join!(app.engine.voucher(program, code), app.engine.guesses(program, actor, guesses, call.now));
    if wrong? >= MOST_GUESSES {
        return Err(too_many());
    }
    if let Some(of) = found? {
        let (redemption, account) =
            tokio::join!(app.engine.redemption(program, of.redemption), app.engine.account(program, of.member));
        // The vouchers of a member who left are void: their codes lead nowhere.
        if let (Some(redemption), Some(account)) = (redemption?, account?.filter(|of| of.status != Status::Erased)) {
            return Ok((redemption, account));
        }
    }
    match app.engine.guessed(program, actor, guesses, call.now).await? {
        ..=MOST_GUESSES => Err(Refusal::VoucherUnknown.into()),
        _ => Err(too_many()),
    }
}

fn too_many() -> Problem {
    Problem::too_many_requests(60).detail("too many wrong voucher codes in this minute")
}
