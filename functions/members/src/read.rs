//! Looking members up, and showing what is known about them.

use axum::extract::State;
use loyalty_domain::account::{Account, Status};
use loyalty_domain::calendar::Moment;
use loyalty_domain::draft::as_of;
use loyalty_domain::id::MemberId;
use loyalty_domain::identity;
use loyalty_domain::programs::Programs;
use loyalty_domain::refusal::Refusal;
use loyalty_domain::{progress, view};
use loyalty_http::{Answer, App, JsonBody, Page, PathValues, Principal, Problem};
use loyalty_store::Call;
use loyalty_store::items::Person;
use serde_json::{Value, json};

/// The code for a member who is not there.
pub(crate) const UNKNOWN: &str = "member_unknown";
/// Look-ups of members who are not there that one caller may make in a minute.
const MOST_GUESSES: u64 = 30;

/// The member named in the path.
///
/// # Errors
/// 404 for what is no member id.
pub(crate) fn named(path: &PathValues) -> Result<MemberId, Problem> {
    path.id("member_id", UNKNOWN)
}

/// `POST /v1/members/lookup`: who is behind a phone number, card, e-mail address or external id.
pub(crate) async fn lookup(State(app): State<App>, principal: Principal, body: JsonBody) -> Result<Answer, Problem> {
    let reference = body.read(identity::reference)?;
    let call = app.call(&principal);
    let (program, actor) = (&call.program, call.actor.as_str());
    let (found, guesses) =
        tokio::join!(app.engine.resolve(program, &reference), app.engine.guesses(program, actor, "lookup", call.now));
    if guesses? >= MOST_GUESSES {
        return Err(too_many(call.now));
    }
    if let Some(member) = found? {
        let (account, person) = tokio::join!(app.engine.account(program, member), app.engine.person(program, member));
        if let (Some(account), Some(person)) = (account?.filter(|account| account.status != Status::Erased), person?) {
            let mut programs = app.engine.programs(&call).await?;
            let settle = |programs: &Programs| as_of(account.clone(), programs, call.now);
            let settled = app.engine.with_versions(&call, &mut programs, settle).await?;
            return Ok(Answer::ok(json!({ "member": {
                "member_id": member.to_string(),
                "status": view::status(settled.status),
                "given_name": person.profile.given_name,
                "level": settled.level.id.as_str(),
            }})));
        }
    }
    // The count decides, not the look before: of many guesses sent at once only so many are answered.
    match app.engine.guessed(program, actor, "lookup", call.now).await? {
        ..=MOST_GUESSES => Err(Refusal::MemberUnknown.into()),
        _ => Err(too_many(call.now)),
    }
}

fn too_many(now: Moment) -> Problem {
    let rest = 60 - now.millis().div_euclid(1000).rem_euclid(60);
    Problem::too_many_requests(u32::try_from(rest).unwrap_or(60))
        .detail("too many look-ups of unknown members in this minute")
}

/// `GET /v1/members/{member_id}`: the person.
pub(crate) async fn get(State(app): State<App>, principal: Principal, path: PathValues) -> Result<Answer, Problem> {
    let call = app.call(&principal);
    Ok(Answer::ok(json!({ "member": member(&app, &call, named(&path)?).await? })))
}

/// The member as shown.
///
/// # Errors
/// 404.
pub(crate) async fn member(app: &App, call: &Call, member: MemberId) -> Result<Value, Problem> {
    let (account, person) = tokio::join!(app.account(call, member), app.engine.person(&call.program, member));
    let (account, person) = (account?, person?.ok_or(Refusal::MemberUnknown)?);
    Ok(show_member(&person, &account))
}

/// The member and the account as shown.
///
/// # Errors
/// 404.
pub(crate) async fn member_and_account(app: &App, call: &Call, member: MemberId) -> Result<(Value, Value), Problem> {
    let (account, person) = tokio::join!(app.account(call, member), app.engine.person(&call.program, member));
    let (account, person) = (account?, person?.ok_or(Refusal::MemberUnknown)?);
    let programs = app.engine.programs(call).await?;
    let shown = app.show(call, programs, &account).await?;
    Ok((show_member(&person, &account), shown))
}

/// A member as the API shows it.
pub(crate) fn show_member(person: &Person, account: &Account) -> Value {
    let profile = &person.profile;
    let consents: serde_json::Map<String, Value> =
        profile.consents.iter().map(|(name, given)| (name.as_str().to_owned(), json!(given))).collect();
    json!({
        "member_id": account.member.to_string(),
        "status": view::status(account.status),
        "enrolled_at": account.enrolled_at.to_string(),
        "referral_code": person.referral_code,
        "external_id": profile.external_id,
        "email": profile.email,
        "phone": profile.phone,
        "card_number": profile.card_number,
        "given_name": profile.given_name,
        "family_name": profile.family_name,
        "birthday": profile.birthday,
        "time_zone": profile.time_zone.as_ref().map(|zone| zone.name()),
        "tags": profile.tags.iter().map(|tag| tag.as_str()).collect::<Vec<_>>(),
        "consents": consents,
        "badges": view::badges(&account.badges),
    })
}

/// `GET /v1/members/{member_id}/account`: the position as of now.
pub(crate) async fn account(State(app): State<App>, principal: Principal, path: PathValues) -> Result<Answer, Problem> {
    let call = app.call(&principal);
    let member = named(&path)?;
    let (account, programs) = tokio::join!(app.account(&call, member), app.engine.programs(&call));
    Ok(Answer::ok(app.show(&call, programs?, &account?).await?))
}

/// `GET /v1/members/{member_id}/progress`: how far the member is with goals, the badges, and what was granted for a time.
pub(crate) async fn progress(
    State(app): State<App>,
    principal: Principal,
    path: PathValues,
) -> Result<Answer, Problem> {
    let call = app.call(&principal);
    let member = named(&path)?;
    let (account, programs) = tokio::join!(app.account(&call, member), app.engine.programs(&call));
    let (account, mut programs) = (account?, programs?);
    let show = |programs: &Programs| progress::progress(account.clone(), programs, call.now);
    Ok(Answer::ok(app.engine.with_versions(&call, &mut programs, show).await?))
}

/// `GET /v1/members/{member_id}/ledger`: what is posted, newest first. Members do not see the staff's notes.
pub(crate) async fn ledger(
    State(app): State<App>,
    principal: Principal,
    path: PathValues,
    page: Page,
) -> Result<Answer, Problem> {
    let call = app.call(&principal);
    let staff = principal.own.is_none();
    let (entries, next) = app.ledger_page(&call, named(&path)?, &page, "ledger", staff).await?;
    Ok(Answer::ok(json!({ "entries": entries, "next_cursor": next })))
}

/// `GET /v1/members/{member_id}/export`: all that is held about the person; the ledger in pages, notes included.
pub(crate) async fn export(
    State(app): State<App>,
    principal: Principal,
    path: PathValues,
    page: Page,
) -> Result<Answer, Problem> {
    let call = app.call(&principal);
    let member = named(&path)?;
    let (shown, account) = member_and_account(&app, &call, member).await?;
    let (entries, next) = app.ledger_page(&call, member, &page, "export", true).await?;
    Ok(Answer::ok(json!({ "member": shown, "account": account, "entries": entries, "next_cursor": next })))
}
