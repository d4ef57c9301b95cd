//! Enrolment.

use crate::read::show_member;
use axum::extract::State;
use loyalty_domain::id::MemberId;
use loyalty_domain::identity::Identity;
use loyalty_domain::json::{Faults, Path};
use loyalty_domain::membership::{self, Joining};
use loyalty_domain::profile::{self, Enrolment, Profile, referral_code_of};
use loyalty_domain::programs::Programs;
use loyalty_http::{Answer, App, JsonBody, Principal, Problem};
use loyalty_store::items::{IdentityOf, Person};
use loyalty_store::{Call, Fact, Failure, Slot};
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;

/// How often another referral code is drawn when one is taken: there are 30⁸ of them.
const MOST_CODES: usize = 5;

/// `POST /v1/members`: makes a member of a person, once.
pub(crate) async fn enrol(State(app): State<App>, principal: Principal, body: JsonBody) -> Result<Answer, Problem> {
    let Enrolment { profile, referral_code } = body.read(profile::enrolment)?;
    if referral_code.is_some() {
        return Err(no_referrals());
    }
    let call = app.call(&principal);
    let digest = app.engine.table().secrets().content(&serde_json::to_string(&profile).map_err(Problem::internal)?);
    let mut programs = app.engine.programs(&call).await?;
    for _ in 0..MOST_CODES {
        let member = MemberId::new(app.surroundings.ulid());
        let joining = Joining { member, zone: profile.time_zone.clone(), tags: profile.tags.clone() };
        let step = |programs: &Programs| membership::enrol(joining.clone(), programs, call.now, &call.actor);
        let posted = app.engine.with_versions(&call, &mut programs, step).await?;
        let account = posted.account.clone();
        let referral_code = referral_code_of(app.surroundings.ulid().random());
        let person = Person { profile: profile.clone(), version: 1, referral_code, enrolled_by: digest };
        match app.engine.commit_new(&call, Some(posted), facts(member, &person)).await {
            Ok(()) => {
                let shown = app.show(&call, Arc::clone(&programs), &account).await?;
                let member = show_member(&person, &account);
                return Ok(Answer::created(json!({ "member": member, "account": shown })));
            }
            Err(Failure::Taken(slots)) if slots.iter().all(|(slot, _)| *slot == Slot::Code) => {}
            Err(Failure::Taken(slots)) => return again_or_taken(&app, &call, &profile, digest, slots).await,
            Err(other) => return Err(other.into()),
        }
    }
    Err(Problem::unavailable(1))
}

/// Codes are handed out, but bringing a friend earns nothing yet; an enrolment that names one must not go through as if
/// it did.
fn no_referrals() -> Problem {
    let mut faults = Faults::default();
    faults.meaningless(&Path::ROOT.name("referral_code"), "cannot be used: referrals are not open");
    Problem::unprocessable(faults, "referral_refused")
}

fn facts(member: MemberId, person: &Person) -> Vec<Fact> {
    let of = IdentityOf { member };
    let identities = person.profile.identities().into_iter().map(|identity| Fact::Identity(identity, of.clone()));
    let rest = [Fact::Person(member, person.clone()), Fact::Code(person.referral_code.clone(), member)];
    // Identities first, so that their places are those of the profile's list.
    identities.chain(rest).collect()
}

/// Identities are taken: by this very enrolment, sent before, or by somebody.
async fn again_or_taken(
    app: &App,
    call: &Call,
    profile: &Profile,
    digest: [u8; 16],
    slots: Vec<(Slot, Option<IdentityOf>)>,
) -> Result<Answer, Problem> {
    let identities = profile.identities();
    let taken: Vec<(usize, Option<IdentityOf>)> = slots
        .into_iter()
        .filter_map(|(slot, of)| match slot {
            Slot::Identity(place) => Some((place, of)),
            _ => None,
        })
        .collect();
    let places: BTreeSet<usize> = taken.iter().map(|(place, _)| *place).collect();
    let owners: BTreeSet<MemberId> = taken.iter().filter_map(|(_, of)| of.as_ref().map(|of| of.member)).collect();
    let mut owners = owners.into_iter();
    if let (Some(member), None) = (owners.next(), owners.next()) {
        // Whatever the member has changed since, it was this enrolment.
        let person = app.engine.person(&call.program, member).await?;
        if person.is_some_and(|person| person.enrolled_by == digest) {
            let (shown, account) = crate::read::member_and_account(app, call, member).await?;
            return Ok(Answer::ok(json!({ "member": shown, "account": account })).replayed(true));
        }
    }
    Err(identity_taken(&identities, &places))
}

/// 409 with the kinds of the identities that belong to somebody else.
pub(crate) fn identity_taken(identities: &[Identity], places: &BTreeSet<usize>) -> Problem {
    let kinds: Vec<&str> =
        places.iter().filter_map(|place| identities.get(*place)).map(|identity| identity.kind.word()).collect();
    Problem::conflict("identity_taken").detail("an identity belongs to another member").fact("kinds", json!(kinds))
}
