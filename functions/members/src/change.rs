//! Changing a person's data.

use crate::enrol::identity_taken;
use crate::read::{named, show_member};
use axum::extract::State;
use loyalty_domain::account::Account;
use loyalty_domain::draft::{Draft, Posted};
use loyalty_domain::id::MemberId;
use loyalty_domain::identity::Identity;
use loyalty_domain::membership;
use loyalty_domain::profile::{self, Profile};
use loyalty_domain::programs::Programs;
use loyalty_domain::refusal::Refusal;
use loyalty_http::{Answer, App, JsonBody, PathValues, Principal, Problem};
use loyalty_store::items::{IdentityOf, Person};
use loyalty_store::{Call, Fact, Failure, Slot};
use serde_json::json;
use std::collections::BTreeSet;

/// How often a change is made anew because another one was quicker.
const MOST_ATTEMPTS: u32 = 10;

/// `PATCH /v1/members/{member_id}`: a JSON merge patch of the profile.
pub(crate) async fn patch(
    State(app): State<App>,
    principal: Principal,
    path: PathValues,
    body: JsonBody,
) -> Result<Answer, Problem> {
    let member = named(&path)?;
    let call = app.call(&principal);
    for attempt in 1..=MOST_ATTEMPTS {
        let (account, person) = tokio::join!(app.account(&call, member), app.engine.person(&call.program, member));
        let (account, before) = (account?, person?.ok_or(Refusal::MemberUnknown)?);
        let patched = body.read(|json, at, faults| profile::patched(before.profile.clone(), json, at, faults))?;
        let after = Person { profile: patched, version: before.version + 1, ..before.clone() };
        if after.profile == before.profile {
            return Ok(Answer::ok(json!({ "member": show_member(&before, &account) })));
        }
        let posted = account_change(&app, &call, account.clone(), &before.profile, &after.profile).await?;
        let (gained, facts) = facts(member, &before, &after);
        match app.engine.commit_new(&call, posted, facts).await {
            Ok(()) => return Ok(Answer::ok(json!({ "member": show_member(&after, &account) }))),
            Err(Failure::Taken(slots)) => {
                let taken: BTreeSet<usize> = slots
                    .iter()
                    .filter_map(|(slot, _)| match slot {
                        Slot::Identity(place) => Some(*place),
                        _ => None,
                    })
                    .collect();
                if !taken.is_empty() {
                    return Err(identity_taken(&gained, &taken));
                }
                app.engine.table().pause(attempt).await;
            }
            Err(other) => return Err(other.into()),
        }
    }
    Err(Failure::Busy.into())
}

/// Zone and groups stand in the account too, for the rules.
async fn account_change(
    app: &App,
    call: &Call,
    account: Account,
    before: &Profile,
    after: &Profile,
) -> Result<Option<Posted>, Problem> {
    if before.time_zone == after.time_zone && before.tags == after.tags {
        return Ok(None);
    }
    let mut programs = app.engine.programs(call).await?;
    let change = |programs: &Programs| {
        let draft = Draft::new(account.clone(), programs, call.now, &call.actor)?;
        membership::change(draft, |account| {
            account.zone = after.time_zone.clone();
            account.tags = after.tags.clone();
        })
    };
    Ok(Some(app.engine.with_versions(call, &mut programs, change).await?))
}

/// The identities gained, which stand first among the facts, and all facts.
fn facts(member: MemberId, before: &Person, after: &Person) -> (Vec<Identity>, Vec<Fact>) {
    let (old, new) = (before.profile.identities(), after.profile.identities());
    let gained: Vec<Identity> = new.iter().filter(|identity| !old.contains(identity)).cloned().collect();
    let of = IdentityOf { member };
    let lost = old.into_iter().filter(|identity| !new.contains(identity)).map(Fact::IdentityGone);
    let taken = gained.iter().map(|identity| Fact::Identity(identity.clone(), of.clone()));
    let facts = taken.chain(lost).chain([Fact::PersonChanged(member, after.clone(), before.version)]).collect();
    (gained, facts)
}
