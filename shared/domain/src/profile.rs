//! Personal data of a member: kept in one place, changed by merge patch, erased whole.

use crate::calendar::{Zone, zone};
use crate::id::{CallerId, Label, caller_id, label};
use crate::identity::{Identity, IdentityKind, card_number, email, external_id, phone};
use crate::json::{Faults, Json, Object, Path, Read, boolean, list, text};
use serde::{Deserialize, Serialize};

/// What is known about a person.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// The shop's own number.
    pub external_id: Option<String>,
    /// E-mail address, in lower case.
    pub email: Option<String>,
    /// Telephone number, E.164.
    pub phone: Option<String>,
    /// Card number.
    pub card_number: Option<String>,
    /// Given name.
    pub given_name: Option<String>,
    /// Family name.
    pub family_name: Option<String>,
    /// `yyyy-mm-dd`, or `--mm-dd` where the year is not told.
    pub birthday: Option<String>,
    /// Where the member lives.
    pub time_zone: Option<Zone>,
    /// Groups.
    pub tags: Vec<Label>,
    /// What the member agreed to.
    pub consents: Vec<(CallerId, bool)>,
}

impl std::fmt::Debug for Profile {
    /// Personal data stay out of logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Profile(…)")
    }
}

/// A request to enrol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolment {
    /// The person.
    pub profile: Profile,
    /// The code of who brought the member.
    pub referral_code: Option<String>,
}

/// Groups of one member, at most.
const MOST_TAGS: usize = 20;
/// Consents of one member, at most.
const MOST_CONSENTS: usize = 20;

impl Profile {
    /// The identities of the person, in the order of [`IdentityKind::ALL`].
    #[must_use]
    pub fn identities(&self) -> Vec<Identity> {
        let value = |kind| match kind {
            IdentityKind::ExternalId => &self.external_id,
            IdentityKind::Email => &self.email,
            IdentityKind::Phone => &self.phone,
            IdentityKind::CardNumber => &self.card_number,
        };
        let identities = IdentityKind::ALL.into_iter();
        identities.filter_map(|kind| Some(Identity { kind, value: value(kind).clone()? })).collect()
    }
}

/// Reads the body of an enrolment.
pub fn enrolment(json: &Json, at: &Path<'_>, faults: &mut Faults) -> Option<Enrolment> {
    let mut object = Object::new(json, at, faults)?;
    let profile = Profile {
        external_id: object.optional("external_id", faults, external_id).map(|id| id.value),
        email: object.optional("email", faults, email).map(|id| id.value),
        phone: object.optional("phone", faults, phone).map(|id| id.value),
        card_number: object.optional("card_number", faults, card_number).map(|id| id.value),
        given_name: object.optional("given_name", faults, personal_name),
        family_name: object.optional("family_name", faults, personal_name),
        birthday: object.optional("birthday", faults, birthday),
        time_zone: object.optional("time_zone", faults, zone),
        tags: object.optional("tags", faults, tags).unwrap_or_default(),
        consents: object.optional("consents", faults, consents).unwrap_or_default(),
    };
    let referral_code = object.optional("referral_code", faults, referral_code);
    object.finish(faults);
    if profile.identities().is_empty() && faults.is_empty() {
        faults.malformed(at, "must have at least one of: external_id, email, phone, card_number");
    }
    Some(Enrolment { profile, referral_code })
}

/// Applies a JSON merge patch to a profile: what is null is removed, what is left out stays.
pub fn patched(mut profile: Profile, json: &Json, at: &Path<'_>, faults: &mut Faults) -> Option<Profile> {
    let mut patch = Patch { object: Object::new(json, at, faults)?, at, faults };
    let value = |identity: Identity| identity.value;
    patch.set("external_id", &mut profile.external_id, |j, p, f| external_id(j, p, f).map(value));
    patch.set("email", &mut profile.email, |j, p, f| email(j, p, f).map(value));
    patch.set("phone", &mut profile.phone, |j, p, f| phone(j, p, f).map(value));
    patch.set("card_number", &mut profile.card_number, |j, p, f| card_number(j, p, f).map(value));
    patch.set("given_name", &mut profile.given_name, personal_name);
    patch.set("family_name", &mut profile.family_name, personal_name);
    patch.set("birthday", &mut profile.birthday, birthday);
    patch.set("time_zone", &mut profile.time_zone, zone);
    let mut tags_now = Some(std::mem::take(&mut profile.tags));
    patch.set("tags", &mut tags_now, tags);
    profile.tags = tags_now.unwrap_or_default();
    patch.consents(&mut profile.consents);
    let Patch { object, faults, .. } = patch;
    object.finish(faults);
    if profile.identities().is_empty() && faults.is_empty() {
        faults.meaningless(at, "must leave at least one of: external_id, email, phone, card_number");
    }
    Some(profile)
}

struct Patch<'a, 'f> {
    object: Object<'a>,
    at: &'a Path<'a>,
    faults: &'f mut Faults,
}

impl Patch<'_, '_> {
    fn set<T>(&mut self, name: &'static str, slot: &mut Option<T>, read: impl Read<T>) {
        match self.object.raw(name) {
            None => {}
            Some(Json::Null) => *slot = None,
            Some(value) => *slot = read(value, &self.at.name(name), self.faults),
        }
    }

    /// Consents are an object of their own, so the patch goes into it.
    fn consents(&mut self, consents: &mut Vec<(CallerId, bool)>) {
        let at = self.at.name("consents");
        match self.object.raw("consents") {
            None => {}
            Some(Json::Null) => consents.clear(),
            Some(Json::Map(fields)) => {
                for (name, value) in fields {
                    let at = at.name(name);
                    let Some(id) = caller_id(&Json::Text(name.clone()), &at, self.faults) else { continue };
                    consents.retain(|(other, _)| *other != id);
                    if *value != Json::Null
                        && let Some(given) = boolean(value, &at, self.faults)
                    {
                        consents.push((id, given));
                    }
                }
                consents.sort();
                if consents.len() > MOST_CONSENTS {
                    self.faults.meaningless(&at, format!("at most {MOST_CONSENTS} are kept"));
                }
            }
            Some(Json::Bool(_) | Json::Int(_) | Json::OtherNumber | Json::Text(_) | Json::List(_)) => {
                self.faults.malformed(&at, "must be an object");
            }
        }
    }
}

fn personal_name(json: &Json, at: &Path<'_>, faults: &mut Faults) -> Option<String> {
    let name = text(json, at, faults)?;
    if name.is_empty() || name.chars().count() > 100 || name.chars().any(crate::id::is_unprintable) {
        faults.malformed(at, "must be 1 to 100 printable characters");
        return None;
    }
    Some(name.to_owned())
}

fn birthday(json: &Json, at: &Path<'_>, faults: &mut Faults) -> Option<String> {
    let value = text(json, at, faults)?;
    let date = match value.strip_prefix("--") {
        // A leap year, so that 29 February is a day.
        Some(day) => crate::calendar::parse_date(&format!("2000-{day}")),
        None => crate::calendar::parse_date(value),
    };
    if date.is_none() {
        faults.malformed(at, "must be a date like 1992-02-29, or --02-29 without the year");
        return None;
    }
    Some(value.to_owned())
}

fn tags(json: &Json, at: &Path<'_>, faults: &mut Faults) -> Option<Vec<Label>> {
    let mut tags = list(0, MOST_TAGS, label)(json, at, faults)?;
    tags.sort();
    tags.dedup();
    Some(tags)
}

fn consents(json: &Json, at: &Path<'_>, faults: &mut Faults) -> Option<Vec<(CallerId, bool)>> {
    let Json::Map(fields) = json else {
        faults.malformed(at, "must be an object");
        return None;
    };
    if fields.len() > MOST_CONSENTS {
        faults.meaningless(at, format!("at most {MOST_CONSENTS} are kept"));
        return None;
    }
    let mut consents = Vec::with_capacity(fields.len());
    for (name, value) in fields {
        let at = at.name(name);
        let id = caller_id(&Json::Text(name.clone()), &at, faults);
        let given = boolean(value, &at, faults);
        consents.extend(id.zip(given));
    }
    consents.sort();
    Some(consents)
}

fn referral_code(json: &Json, at: &Path<'_>, faults: &mut Faults) -> Option<String> {
    let code = text(json, at, faults)?;
    let fits = code.len() == REFERRAL_CODE_LENGTH && code.bytes().all(|byte| REFERRAL_ALPHABET.contains(&byte));
    if !fits {
        faults.meaningless(at, "must be a referral code: 8 characters without 0 O 1 I L U");
        return None;
    }
    Some(code.to_owned())
}

/// Symbols of referral codes: no look-alikes.
pub const REFERRAL_ALPHABET: &[u8; 30] = b"23456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Symbols in a referral code.
pub const REFERRAL_CODE_LENGTH: usize = 8;

/// The referral code that random bits make.
#[must_use]
pub fn referral_code_of(mut random: u128) -> String {
    let mut code = String::with_capacity(REFERRAL_CODE_LENGTH);
    for _ in 0..REFERRAL_CODE_LENGTH {
        let place = usize::try_from(random % 30).unwrap_or(0);
        code.push(char::from(REFERRAL_ALPHABET.get(place).copied().unwrap_or(b'2')));
        random /= 30;
    }
    code
}
