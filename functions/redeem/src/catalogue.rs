//! The catalogue: what can be had, by whom, and if not, why.

use axum::extract::State;
use loyalty_domain::account::Account;
use loyalty_domain::catalogue::availability;
use loyalty_domain::draft::as_of;
use loyalty_domain::id::MemberId;
use loyalty_domain::programs::Programs;
use loyalty_domain::redemption;
use loyalty_http::{Answer, App, PathValues, Principal, Problem};
use loyalty_store::Call;
use serde_json::{Value, json};
use std::sync::Arc;

/// `GET /v1/rewards`: what can be had at present, as far as that does not depend on the member.
pub(crate) async fn rewards(State(app): State<App>, principal: Principal) -> Result<Answer, Problem> {
    let call = app.call(&principal);
    let programs = app.engine.programs(&call).await?;
    show(&app, &call, &programs, None, None).await
}

/// `GET /v1/members/{member_id}/rewards`: what the member can have, and what is missing for the rest.
pub(crate) async fn rewards_of(
    State(app): State<App>,
    principal: Principal,
    path: PathValues,
) -> Result<Answer, Problem> {
    let call = app.call(&principal);
    let member: MemberId = path.id("member_id", "member_unknown")?;
    let (account, programs) = tokio::join!(app.account(&call, member), app.engine.programs(&call));
    let (account, mut programs) = (account?, programs?);
    let settle = |programs: &Programs| as_of(account.clone(), programs, call.now);
    let settled = app.engine.with_versions(&call, &mut programs, settle).await?;
    show(&app, &call, &programs, Some(&account), Some(&settled)).await
}

/// `stored` is the member's account as it stands in the table, `settled` as of now.
async fn show(
    app: &App,
    call: &Call,
    programs: &Arc<Programs>,
    stored: Option<&Account>,
    settled: Option<&Account>,
) -> Result<Answer, Problem> {
    let version = Arc::clone(programs.at(call.now)?);
    let program = &version.program;
    let limited = program.rewards.iter().filter_map(|reward| Some((reward.id.clone(), reward.stock?)));
    let left = app.engine.stocks_left(&call.program, limited.collect::<Vec<_>>()).await?;
    let shown: Vec<Value> = program
        .rewards
        .iter()
        .map(|reward| {
            // What the member's own lapsed holds bring back is counted before anybody has written so.
            let coming = stored.map_or(0, |account| account.holds.units_coming_back(&reward.id, call.now));
            let left = left.get(&reward.id).map(|left| left.saturating_add(coming));
            let is = availability(program, settled, reward, call.now, left);
            redemption::availability(reward, &is)
        })
        .collect();
    Ok(Answer::ok(json!({ "rewards": shown })))
}
