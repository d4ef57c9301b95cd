//! Reading redemptions.

use axum::extract::State;
use loyalty_domain::account::Status;
use loyalty_domain::id::{MemberId, RedemptionId};
use loyalty_domain::redemption::{self, Redemption};
use loyalty_domain::view;
use loyalty_http::{Answer, App, Page, PathValues, Principal, Problem};
use loyalty_store::Call;
use loyalty_store::redemptions::ListPlace;
use serde_json::{Value, json};

/// The code for a redemption that is not there.
pub(crate) const UNKNOWN: &str = "redemption_unknown";

/// A redemption, unless it is not there.
///
/// # Errors
/// 404.
pub(crate) async fn found(app: &App, call: &Call, id: RedemptionId) -> Result<Redemption, Problem> {
    let redemption = app.engine.redemption(&call.program, id).await?;
    redemption.ok_or_else(|| Problem::not_found(UNKNOWN))
}

/// A redemption that the caller may see, of a member who is still there.
///
/// # Errors
/// 404; 403 for another member's token, whether or not there is such a redemption.
pub(crate) async fn visible(
    app: &App,
    call: &Call,
    principal: &Principal,
    path: &PathValues,
) -> Result<Redemption, Problem> {
    let id = path.id::<RedemptionId>("redemption_id", UNKNOWN);
    let redemption = match &id {
        Ok(id) => app.engine.redemption(&call.program, *id).await?,
        Err(_) => None,
    };
    principal.must_be(redemption.as_ref().map(|redemption| redemption.member))?;
    let redemption = redemption.ok_or_else(|| Problem::not_found(UNKNOWN))?;
    let account = app.engine.account(&call.program, redemption.member).await?;
    match account.is_some_and(|account| account.status != Status::Erased) {
        true => Ok(redemption),
        false => Err(Problem::not_found(UNKNOWN)),
    }
}

/// A redemption and its voucher, with the code, as of the request.
pub(crate) fn shown(app: &App, call: &Call, of: &Redemption) -> (Value, Value) {
    let code = |key| app.engine.table().secrets().code(of.id, key);
    let voucher = of.voucher.as_ref().map(|voucher| redemption::voucher(of, &code(voucher.key)));
    (redemption::redemption(of, call.now), voucher.unwrap_or_default())
}

/// `GET /v1/redemptions/{redemption_id}`: how it stands, with its voucher.
pub(crate) async fn get(State(app): State<App>, principal: Principal, path: PathValues) -> Result<Answer, Problem> {
    let call = app.call(&principal);
    let of = visible(&app, &call, &principal, &path).await?;
    let (redemption, voucher) = shown(&app, &call, &of);
    Ok(Answer::ok(view::object([("redemption", redemption), ("voucher", voucher)])))
}

/// `GET /v1/members/{member_id}/redemptions`: the member's redemptions, newest first, each with its voucher.
pub(crate) async fn redemptions_of(
    State(app): State<App>,
    principal: Principal,
    path: PathValues,
    page: Page,
) -> Result<Answer, Problem> {
    let call = app.call(&principal);
    let member: MemberId = path.id("member_id", "member_unknown")?;
    let id = member.to_string();
    let binding = [call.program.as_str(), "redemptions", id.as_str()];
    let from = match &page.cursor {
        Some(cursor) => app.cursors.open(&binding, cursor)?.parse().map_err(Problem::internal)?,
        None => ListPlace::FIRST,
    };
    let (account, found) =
        tokio::join!(app.account(&call, member), app.engine.redemptions_of(&call.program, member, from, page.limit));
    let (_, (found, next)) = (account?, found?);
    let list: Vec<Value> = found
        .iter()
        .map(|of| {
            let (redemption, voucher) = shown(&app, &call, of);
            view::object([("redemption", redemption), ("voucher", voucher)])
        })
        .collect();
    let next = next.map(|place| app.cursors.seal(&binding, &place.to_string()));
    Ok(Answer::ok(json!({ "redemptions": list, "next_cursor": next })))
}
